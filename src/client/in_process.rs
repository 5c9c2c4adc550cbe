//! Transport into a service in the same process, without socket, port or thread.

use std::{error::Error, fmt};

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, Uri, header};
use tower::{Service, ServiceExt};

use super::{
    base_url::host_and_port,
    transport::{MAX_RESPONSE_BYTES, Transport, TransportError},
};

/// Transport into any HTTP service value, such as a router.
///
/// The service receives the same request as behind a socket: an origin-form URI and a `Host` header. If reading the
/// response body fails, the error is a lost connection, so that faults behave the same in-process and served.
#[derive(Clone)]
pub struct InProcessTransport<S>(S);

impl<S> InProcessTransport<S> {
    /// Creates a transport into `service`; each request uses a clone.
    pub fn new(service: S) -> Self {
        Self(service)
    }
}

impl<S> fmt::Debug for InProcessTransport<S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("InProcess")
    }
}

impl<S> Transport for InProcessTransport<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
{
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let service = self.0.clone();
        Box::pin(async move {
            let host = host_and_port(request.uri());
            let broken = |source| TransportError::ConnectionLost {
                host: host.clone(),
                source,
            };
            let request = to_server_request(request).map_err(|error| TransportError::NotSent(error.to_string()))?;
            let answer = service.oneshot(request).await.map_err(|error| broken(error.into()))?;
            let (parts, body) = answer.into_parts();
            let body = to_bytes(body, MAX_RESPONSE_BYTES)
                .await
                .map_err(|error| broken(error.into()))?;
            Ok(Response::from_parts(parts, body))
        })
    }
}

/// Converts a request into the form that a server receives.
fn to_server_request(request: Request<Bytes>) -> Result<Request<Body>, http::Error> {
    let (mut parts, body) = request.into_parts();
    if let Some(authority) = parts.uri.authority() {
        let host = HeaderValue::try_from(authority.as_str())?;
        parts.headers.entry(header::HOST).or_insert(host);
    }
    let origin = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    parts.uri = origin.parse::<Uri>()?;
    if !body.is_empty() {
        parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}
