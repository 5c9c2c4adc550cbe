//! Sending: one place that talks to Confluent Cloud, through a transport.
//!
//! An endpoint of `api` says what to send; a [`Transport`] gets one request to the service (over sockets, or straight
//! into a service of this process) and brings back whatever it answered. The [`Client`] is between the two: who is
//! calling, pages, patience, rate limits, and errors that say what to do. Every wait goes through the clock.

pub mod address;
mod advice;
pub mod allowance;
pub mod builder;
pub mod credentials;
pub mod error;
mod governor;
mod issuer;
pub mod logs;
mod message;
pub mod metrics;
pub mod pages;
pub mod redact;
pub mod retry;
pub mod scrub;
mod send;
pub mod service;
pub mod socket;
mod tls;
pub mod tokens;
pub mod trace;
pub mod transport;

pub use address::{BaseUrl, BaseUrlError, is_loopback};
pub use allowance::Allowance;
pub use builder::{Answered, Client, ClientBuilder, DEFAULT_CONCURRENCY};
pub use credentials::{Auth, CredentialSource, Credentials};
pub use error::{Call, ClientError, Lost, Refusal};
pub use logs::{ConnectorLogs, Logs};
pub use message::user_agent;
pub use metrics::Metrics;
pub use pages::{Listing, UnreadableItem};
pub use retry::{Jitter, OnRetry, RetryNotice, RetryPolicy, Tries};
pub use scrub::Scrubber;
pub use service::InProcess;
pub use socket::{Socket, SocketSettings};
pub use tokens::Tokens;
pub use transport::{CertificateIssuer, Transport, TransportError};
