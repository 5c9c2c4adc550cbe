//! Sending: one place that talks to Confluent Cloud, through a transport.
//!
//! An endpoint of `api` says what to send; a [`Transport`] gets one request to the service (over sockets, or straight
//! into a service of this process) and brings back whatever it answered. The [`Client`] is between the two: who is
//! calling, pages, patience, rate limits, and errors that say what to do. Every wait goes through the clock.

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
pub mod retry;
mod send;
pub mod in_process;
pub mod http_transport;
mod tls;
pub mod token_cache;
pub mod trace;
pub mod transport;

pub use base_url::{BaseUrl, BaseUrlError, is_loopback};
pub use builder::{ApiResponse, Client, ClientBuilder, DEFAULT_CONCURRENCY};
pub use credentials::{Auth, BasicCredentials, CredentialSource};
pub use error::{ApiCall, ClientError, ErrorResponse, RequestFailure};
pub use http_transport::{HttpTransport, HttpTransportSettings};
pub use in_process::InProcessTransport;
pub use logs::{ConnectorLogsClient, LogsClient};
pub use message::user_agent;
pub use metrics::MetricsClient;
pub use pages::{PagedList, UnreadableItem};
pub use rate_limiter::SharedRateLimiter;
pub use retry::{Attempts, Jitter, RetryListener, RetryNotice, RetryPolicy};
pub use token_cache::TokenCache;
pub use transport::{CertificateIssuer, Transport, TransportError};
