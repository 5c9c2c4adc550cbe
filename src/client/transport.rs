//! How a request gets to the service: over sockets, or straight into the embedded one.

use bytes::Bytes;
use futures_util::future::BoxFuture;

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The request did not reach the service: safe to send again.
    #[error("could not connect to {host}")]
    Connect {
        /// Host and port.
        host: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The certificate was refused.
    #[error("the certificate of {host} is not trusted{}", issuer.as_ref().map(|i| format!(": it was issued by {i}")).unwrap_or_default())]
    Certificate {
        /// Host and port.
        host: String,
        /// Who issued the certificate that was presented, as far as it could be read.
        issuer: Option<String>,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The connection broke after the request may have been processed.
    #[error("the connection to {host} broke before the answer was complete")]
    Broken {
        /// Host and port.
        host: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No answer within the time.
    #[error("{host} did not answer within {seconds} s")]
    Timeout {
        /// Host and port.
        host: String,
        /// The time that was given.
        seconds: u64,
    },
    /// The address may not be used: `--sandbox` opens nothing but loopback.
    #[error("{0}")]
    Forbidden(String),
}

/// A way to the service. Implementations send one request and return its answer, whatever its status.
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Sends one request; its URI is absolute.
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>>;
}
