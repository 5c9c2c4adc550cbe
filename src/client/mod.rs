//! HTTP access to Confluent Cloud.
//!
//! An endpoint of `api` describes a request; a [`Transport`] sends one request (over sockets, or into a service in the
//! same process) and returns its response. The [`Client`] in between adds authentication, pagination, retries, rate
//! limits, and errors with suggestions. Every wait uses the clock.

pub mod base_url;
mod advice;
pub mod rate_limiter;
pub mod builder;
pub mod credentials;
pub mod error;
mod adaptive_limiter;
mod cert_issuer;
pub mod logs;
mod message;
pub mod metrics;
pub mod pages;
mod response_limits;
pub mod retry;
mod send;
pub mod in_process;
pub mod http_transport;
mod tls;
pub mod token_cache;
pub mod trace;
pub mod transport;

pub use base_url::{BaseUrl, BaseUrlError, is_loopback};
pub use builder::{ApiResponse, Client, ClientBuilder, DEFAULT_CONCURRENCY, WriteLog};
pub use credentials::{Auth, BasicCredentials, CredentialSource};
pub use error::{ApiCall, ClientError, ErrorResponse, RequestFailure};
pub use http_transport::{HttpTransport, HttpTransportSettings};
pub use in_process::InProcessTransport;
pub use logs::{ConnectorLogsClient, LogsClient};
pub use message::user_agent;
pub use metrics::MetricsClient;
pub use pages::{PagedList, UnreadableItem};
pub use rate_limiter::SharedRateLimiter;
pub use response_limits::ListBudget;
pub use retry::{Attempts, Jitter, RetryListener, RetryNotice, RetryPolicy};
pub use token_cache::TokenCache;
pub use transport::{CertificateIssuer, Transport, TransportError};
