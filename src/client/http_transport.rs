//! Over the network. The one HTTP client of the program, made when the first request is sent.

use std::{error::Error, net::SocketAddr, sync::OnceLock, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http::{Method, Request, Response, StatusCode, Uri, header};

use super::{
    base_url::{host_and_port, is_loopback},
    cert_issuer::issuer_name,
    tls,
    transport::{CertificateIssuer, MAX_RESPONSE_BYTES, Transport, TransportError, causes},
};

/// How a socket behaves.
#[derive(Clone, Debug)]
pub struct HttpTransportSettings {
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a request may take in all.
    pub timeout: Duration,
    /// Refuse every host but loopback before anything is opened: how `--sandbox` keeps its promise.
    pub loopback_only: bool,
}

impl Default for HttpTransportSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_mins(1),
            loopback_only: false,
        }
    }
}

/// How many redirects are followed: one is an address that has moved, many are a loop.
const MAX_REDIRECTS: usize = 3;

/// A transport over sockets.
#[derive(Debug)]
pub struct HttpTransport {
    settings: HttpTransportSettings,
    /// Connections to this machine: never through a proxy.
    loopback_client: OnceLock<Result<reqwest::Client, String>>,
    /// Connections to others: through the proxy that the environment or the system names.
    remote_client: OnceLock<Result<reqwest::Client, String>>,
}

impl HttpTransport {
    /// A transport that does nothing yet.
    #[must_use]
    pub fn new(settings: HttpTransportSettings) -> Self {
        Self {
            settings,
            loopback_client: OnceLock::new(),
            remote_client: OnceLock::new(),
        }
    }

    fn build(&self, loopback: bool) -> Result<reqwest::Client, String> {
        let tls = tls::config().map_err(|error| error.to_string())?;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(self.settings.connect_timeout)
            .timeout(self.settings.timeout)
            // Redirects are followed here, and repetition is the client's decision alone.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .tls_info(true);
        if loopback {
            // Whatever a hosts file says, `localhost` is this machine. The port is the request's.
            let here = [
                SocketAddr::from(([127, 0, 0, 1], 0)),
                SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 0)),
            ];
            builder = builder.no_proxy().resolve_to_addrs("localhost", &here);
        }
        builder.build().map_err(|error| root_cause_text(&error))
    }

    fn client(&self, loopback: bool) -> Result<&reqwest::Client, TransportError> {
        let cell = if loopback {
            &self.loopback_client
        } else {
            &self.remote_client
        };
        cell.get_or_init(|| self.build(loopback))
            .as_ref()
            .map_err(|why| TransportError::NotSent(format!("no HTTP client could be made: {why}")))
    }

    /// Sends one request without following where its answer points.
    async fn send_once(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let host = request.uri().host().unwrap_or_default();
        let near = is_loopback(host);
        if !near && self.settings.loopback_only {
            return Err(TransportError::NotSent(format!(
                "{host} is not this machine, and the sandbox opens nothing else"
            )));
        }
        if !near && request.uri().scheme_str() != Some("https") {
            return Err(TransportError::NotSent(format!(
                "{host} would get the credentials unencrypted: only https is used beyond this machine"
            )));
        }
        let address = host_and_port(request.uri());
        let failed = |error| self.classify(error, address.clone());
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let answer = self.client(near)?.execute(request).await.map_err(failed)?;
        let mut parts = Response::builder().status(answer.status());
        if let Some(headers) = parts.headers_mut() {
            headers.clone_from(answer.headers());
        }
        if let (Some(issuer), Some(extensions)) = (certificate_issuer(&answer), parts.extensions_mut()) {
            extensions.insert(issuer);
        }
        let mut body = BytesMut::new();
        let mut answer = answer;
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
                return Err(TransportError::ResponseTooLarge { host: address });
            }
            body.extend_from_slice(&chunk);
        }
        parts
            .body(body.freeze())
            .map_err(|error| TransportError::NotSent(error.to_string()))
    }

    async fn send_following_redirects(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let mut answer = self.send_once(request.clone()).await?;
        for _ in 0..MAX_REDIRECTS {
            let Some(target) = redirect_target(&request, &answer) else {
                break;
            };
            *request.uri_mut() = target;
            answer = self.send_once(request.clone()).await?;
        }
        Ok(answer)
    }

    /// What went wrong, read from the whole chain of causes.
    fn classify(&self, error: reqwest::Error, host: String) -> TransportError {
        // The address is named by the endpoint's own words; its query may say more than a message should.
        let error = error.without_url();
        let refused = causes(&error).find_map(|cause| match cause.downcast_ref::<rustls::Error>()? {
            rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) => {
                other.0.downcast_ref::<tls::UntrustedCertificate>()
            }
            _ => None,
        });
        if let Some(refused) = refused {
            return TransportError::Certificate {
                host,
                issuer: refused.issuer.clone(),
                source: refused.to_string().into(),
            };
        }
        if error.is_connect() {
            let source = match error.is_timeout() {
                true => format!("no connection within {} s", self.settings.connect_timeout.as_secs_f32()).into(),
                false => error.into(),
            };
            return TransportError::Connect { host, source };
        }
        if error.is_builder() {
            return TransportError::NotSent(format!("the request cannot be sent: {}", root_cause_text(&error)));
        }
        if error.is_timeout() {
            let seconds = self.settings.timeout.as_secs();
            return TransportError::Timeout { host, seconds };
        }
        TransportError::ConnectionLost {
            host,
            source: error.into(),
        }
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.send_following_redirects(request))
    }
}

/// Who issued the certificate that an answer came with.
fn certificate_issuer(answer: &reqwest::Response) -> Option<CertificateIssuer> {
    let tls = answer.extensions().get::<reqwest::tls::TlsInfo>()?;
    issuer_name(tls.peer_certificate()?).map(CertificateIssuer)
}

fn root_cause_text(error: &(dyn Error + 'static)) -> String {
    super::transport::root_cause(error).to_string()
}

/// Where an answer points, if it is to be followed: to the same scheme, host and port, so that the credentials go nowhere
/// else; and only when the request stays what it was.
fn redirect_target(request: &Request<Bytes>, answer: &Response<Bytes>) -> Option<Uri> {
    let same_request = match answer.status() {
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        // With these anything but a read would become one.
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => request.method() == Method::GET,
        _ => false,
    };
    let location = answer.headers().get(header::LOCATION).filter(|_| same_request)?;
    let from = reqwest::Url::parse(&request.uri().to_string()).ok()?;
    let target = from.join(location.to_str().ok()?).ok()?;
    let same_place = target.origin() == from.origin() && target.username().is_empty() && target.password().is_none();
    same_place.then(|| target.as_str().parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirect_of(method: Method, status: u16, location: &str) -> Option<String> {
        let request = Request::builder()
            .method(method)
            .uri("https://api.example.com/a/b?c=d")
            .body(Bytes::new())
            .unwrap();
        let answer = Response::builder()
            .status(status)
            .header(header::LOCATION, location)
            .body(Bytes::new())
            .unwrap();
        redirect_target(&request, &answer).map(|uri| uri.to_string())
    }

    #[test]
    fn redirects_are_followed_only_to_the_same_origin_with_the_same_request() {
        let to = |location| redirect_of(Method::GET, 302, location);
        assert_eq!(to("/e").unwrap(), "https://api.example.com/e");
        assert_eq!(
            to("https://api.example.com:443/e").unwrap(),
            "https://api.example.com/e"
        );
        for elsewhere in [
            "http://api.example.com/e",
            "https://other.example.com/e",
            "https://api.example.com:444/e",
            "//other.example.com/e",
            "https://me:you@api.example.com/e",
        ] {
            assert_eq!(to(elsewhere), None, "{elsewhere}");
        }
        assert_eq!(redirect_of(Method::POST, 302, "/e"), None);
        assert_eq!(redirect_of(Method::GET, 303, "/e"), None);
        assert!(redirect_of(Method::POST, 307, "/e").is_some());
        assert_eq!(redirect_of(Method::GET, 200, "/e"), None);
    }
}
