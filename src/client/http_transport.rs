//! Transport over the network. Its HTTP client is created with the first request.

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

/// Settings of the HTTP transport.
#[derive(Clone, Debug)]
pub struct HttpTransportSettings {
    /// Timeout for establishing a connection.
    pub connect_timeout: Duration,
    /// Timeout for a whole request.
    pub timeout: Duration,
    /// Whether only loopback hosts are allowed, checked before a connection is opened. Set by `--sandbox`.
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

/// Maximum number of redirects.
const MAX_REDIRECTS: usize = 3;

/// Transport over sockets.
#[derive(Debug)]
pub struct HttpTransport {
    settings: HttpTransportSettings,
    /// Client for loopback, which never uses a proxy.
    loopback_client: OnceLock<Result<reqwest::Client, String>>,
    /// Client for other hosts, with the proxy of the environment or system.
    remote_client: OnceLock<Result<reqwest::Client, String>>,
}

impl HttpTransport {
    /// Creates a transport without opening a connection.
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
            // `send_following_redirects` follows redirects, and `Client` decides about retries.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .tls_info(true);
        if loopback {
            // `localhost` is always loopback, regardless of the hosts file. Port 0 keeps the port of the request.
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
            .map_err(|why| TransportError::NotSent(format!("cannot create an HTTP client: {why}")))
    }

    /// Sends one request without following redirects.
    async fn send_once(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let host = request.uri().host().unwrap_or_default();
        let near = is_loopback(host);
        if !near && self.settings.loopback_only {
            return Err(TransportError::NotSent(format!(
                "`{host}` is not a loopback host, and the sandbox allows no other host"
            )));
        }
        if !near && request.uri().scheme_str() != Some("https") {
            return Err(TransportError::NotSent(format!(
                "`{host}` requires `https`: credentials are sent unencrypted only to loopback"
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
                let limit = format!("{} MiB", MAX_RESPONSE_BYTES >> 20);
                return Err(TransportError::ResponseTooLarge { host: address, limit });
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

    /// Classifies an error by its whole chain of causes.
    fn classify(&self, error: reqwest::Error, host: String) -> TransportError {
        // Messages name the host; the query of the URL may contain more than a message should show.
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
            return TransportError::NotSent(format!("cannot send the request: {}", root_cause_text(&error)));
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

/// Returns the issuer of the certificate of a response.
fn certificate_issuer(answer: &reqwest::Response) -> Option<CertificateIssuer> {
    let tls = answer.extensions().get::<reqwest::tls::TlsInfo>()?;
    issuer_name(tls.peer_certificate()?).map(CertificateIssuer)
}

fn root_cause_text(error: &(dyn Error + 'static)) -> String {
    super::transport::root_cause(error).to_string()
}

/// Returns the target of a redirect to follow: only within the same origin, so that credentials go to no other host,
/// and only if the method and body stay the same.
fn redirect_target(request: &Request<Bytes>, answer: &Response<Bytes>) -> Option<Uri> {
    let same_request = match answer.status() {
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        // These redirects turn every other method into GET.
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
