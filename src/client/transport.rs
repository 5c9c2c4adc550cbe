//! Transport interface: how a request reaches the service, over sockets or in-process.

use std::error::Error;

use bytes::Bytes;
use futures_util::future::BoxFuture;

/// Maximum size of a decompressed response. A list of 10,000 connectors with configurations takes about half of it.
pub const MAX_RESPONSE_BYTES: usize = 64 << 20;

/// Error of a request without a response.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The connection failed. The request did not reach the service, so it can be sent again.
    #[error("cannot connect to `{host}`")]
    Connect {
        /// Host and port.
        host: String,
        /// Cause.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The certificate is not trusted.
    #[error("the certificate of `{host}` is not trusted{}", issuer.as_ref().map(|i| format!(": it was issued by {i}")).unwrap_or_default())]
    Certificate {
        /// Host and port.
        host: String,
        /// Issuer of the presented certificate, if readable.
        issuer: Option<String>,
        /// Cause.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The connection broke after the request may have been processed.
    #[error("the connection to `{host}` broke before the response was complete")]
    ConnectionLost {
        /// Host and port.
        host: String,
        /// Cause.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The request timed out.
    #[error("`{host}` did not respond within {seconds} s")]
    Timeout {
        /// Host and port.
        host: String,
        /// Timeout.
        seconds: u64,
    },
    /// The response exceeds a limit and was not read to its end, or not decoded.
    #[error("the response of `{host}` has more than {limit}")]
    ResponseTooLarge {
        /// Host and port.
        host: String,
        /// Exceeded limit: `64 MiB`.
        limit: String,
    },
    /// The request was not sent, for example because `--sandbox` allows only loopback.
    #[error("{0}")]
    NotSent(String),
}

/// Issuer of the certificate that the service presented. A response over TLS carries it in its extensions; an
/// unexpected issuer reveals a proxy that inspects traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateIssuer(pub String);

/// Transport to the service. Implementations send one request and return its response, whatever its status.
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Sends one request with an absolute URI.
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>>;
}

/// Returns the errors below `error`, outermost first.
///
/// `io::Error` hides the error that it wraps from the chain; this function includes it, so that a rejected certificate
/// is found.
pub(super) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |above| {
        let above = *above;
        match above.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => above.source(),
        }
    })
}

/// Returns the innermost cause, which describes the actual problem.
pub(super) fn root_cause<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    causes(error).last().unwrap_or(error)
}
