//! How a request gets to the service: over sockets, or straight into the embedded one.

use std::error::Error;

use bytes::Bytes;
use futures_util::future::BoxFuture;

/// How long an answer may be, in bytes, once it is unpacked: a list of 10,000 connectors with their configurations is about
/// half as long, and memory must not be anybody's to fill.
pub const MAX_RESPONSE_BYTES: usize = 64 << 20;

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The request did not reach the service: safe to send again.
    #[error("could not connect to {host}")]
    Connect {
        /// Host and port.
        host: String,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The certificate was refused.
    #[error("the certificate of {host} is not trusted{}", issuer.as_ref().map(|i| format!(": it was issued by {i}")).unwrap_or_default())]
    Certificate {
        /// Host and port.
        host: String,
        /// Who issued the certificate that was presented, as far as it could be read.
        issuer: Option<String>,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The connection broke after the request may have been processed.
    #[error("the connection to {host} broke before the answer was complete")]
    ConnectionLost {
        /// Host and port.
        host: String,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
    /// No answer within the time.
    #[error("{host} did not answer within {seconds} s")]
    Timeout {
        /// Host and port.
        host: String,
        /// The time that was given.
        seconds: u64,
    },
    /// The answer is longer than any that somebody could want: it was not read to its end.
    #[error("the answer of {host} is longer than {} MiB", MAX_RESPONSE_BYTES >> 20)]
    ResponseTooLarge {
        /// Host and port.
        host: String,
    },
    /// The address may not be used: `--sandbox` opens nothing but loopback.
    #[error("{0}")]
    NotSent(String),
}

/// Who issued the certificate that the service presented. An answer that came over TLS carries it in its extensions: a
/// name that nobody expects is how a proxy that inspects traffic shows itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateIssuer(pub String);

/// A way to the service. Implementations send one request and return its answer, whatever its status.
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Sends one request; its URI is absolute.
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>>;
}

/// The errors below `error`, outermost first.
///
/// An I/O error that wraps another one shows that one's text as its own and skips it in the chain; here it is not
/// skipped, so that a refused certificate is found below it.
pub(super) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |above| {
        let above = *above;
        match above.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => above.source(),
        }
    })
}

/// The innermost cause: the one that says what really happened.
pub(super) fn root_cause<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    causes(error).last().unwrap_or(error)
}
