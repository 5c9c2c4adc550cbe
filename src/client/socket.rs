//! Over the network. The one HTTP client of the program, made when the first request is sent.

use std::{error::Error, net::SocketAddr, sync::OnceLock, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http::{Method, Request, Response, StatusCode, Uri, header};

use super::{
    address::{host_and_port, is_loopback},
    issuer::issuer,
    tls,
    transport::{CertificateIssuer, LONGEST_ANSWER, Transport, TransportError, causes},
};

/// How a socket behaves.
#[derive(Clone, Debug)]
pub struct SocketSettings {
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a request may take in all.
    pub timeout: Duration,
    /// Refuse every host but loopback before anything is opened: how `--sandbox` keeps its promise.
    pub loopback_only: bool,
}

impl Default for SocketSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_mins(1),
            loopback_only: false,
        }
    }
}

/// How many redirects are followed: one is an address that has moved, many are a loop.
const REDIRECTS: usize = 3;

/// A transport over sockets.
#[derive(Debug)]
pub struct Socket {
    settings: SocketSettings,
    /// Connections to this machine: never through a proxy.
    near: OnceLock<Result<reqwest::Client, String>>,
    /// Connections to others: through the proxy that the environment or the system names.
    far: OnceLock<Result<reqwest::Client, String>>,
}

impl Socket {
    /// A transport that does nothing yet.
    #[must_use]
    pub fn new(settings: SocketSettings) -> Self {
        Self {
            settings,
            near: OnceLock::new(),
            far: OnceLock::new(),
        }
    }

    fn build(&self, near: bool) -> Result<reqwest::Client, String> {
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
        if near {
            // Whatever a hosts file says, `localhost` is this machine. The port is the request's.
            let here = [
                SocketAddr::from(([127, 0, 0, 1], 0)),
                SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 0)),
            ];
            builder = builder.no_proxy().resolve_to_addrs("localhost", &here);
        }
        builder.build().map_err(|error| innermost(&error))
    }

    fn client(&self, near: bool) -> Result<&reqwest::Client, TransportError> {
        let cell = if near { &self.near } else { &self.far };
        cell.get_or_init(|| self.build(near))
            .as_ref()
            .map_err(|why| TransportError::Forbidden(format!("no HTTP client could be made: {why}")))
    }

    /// Sends one request without following where its answer points.
    async fn once(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let host = request.uri().host().unwrap_or_default();
        let near = is_loopback(host);
        if !near && self.settings.loopback_only {
            return Err(TransportError::Forbidden(format!(
                "{host} is not this machine, and the sandbox opens nothing else"
            )));
        }
        if !near && request.uri().scheme_str() != Some("https") {
            return Err(TransportError::Forbidden(format!(
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
        if let (Some(issuer), Some(extensions)) = (issuer_of(&answer), parts.extensions_mut()) {
            extensions.insert(issuer);
        }
        let mut body = BytesMut::new();
        let mut answer = answer;
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(TransportError::TooLong { host: address });
            }
            body.extend_from_slice(&chunk);
        }
        parts
            .body(body.freeze())
            .map_err(|error| TransportError::Forbidden(error.to_string()))
    }

    async fn follow(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let mut answer = self.once(request.clone()).await?;
        for _ in 0..REDIRECTS {
            let Some(target) = redirect(&request, &answer) else {
                break;
            };
            *request.uri_mut() = target;
            answer = self.once(request.clone()).await?;
        }
        Ok(answer)
    }

    /// What went wrong, read from the whole chain of causes.
    fn classify(&self, error: reqwest::Error, host: String) -> TransportError {
        // The address is named by the endpoint's own words; its query may say more than a message should.
        let error = error.without_url();
        let refused = causes(&error).find_map(|cause| match cause.downcast_ref::<rustls::Error>()? {
            rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) => {
                other.0.downcast_ref::<tls::Refused>()
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
            return TransportError::Forbidden(format!("the request cannot be sent: {}", innermost(&error)));
        }
        if error.is_timeout() {
            let seconds = self.settings.timeout.as_secs();
            return TransportError::Timeout { host, seconds };
        }
        TransportError::Broken {
            host,
            source: error.into(),
        }
    }
}

impl Transport for Socket {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.follow(request))
    }
}

/// Who issued the certificate that an answer came with.
fn issuer_of(answer: &reqwest::Response) -> Option<CertificateIssuer> {
    let tls = answer.extensions().get::<reqwest::tls::TlsInfo>()?;
    issuer(tls.peer_certificate()?).map(CertificateIssuer)
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    super::transport::root_cause(error).to_string()
}

/// Where an answer points, if it is to be followed: to the same scheme, host and port, so that the credentials go nowhere
/// else; and only when the request stays what it was.
fn redirect(request: &Request<Bytes>, answer: &Response<Bytes>) -> Option<Uri> {
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

    fn follows(method: Method, status: u16, location: &str) -> Option<String> {
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
        redirect(&request, &answer).map(|uri| uri.to_string())
    }

    #[test]
    fn only_the_same_place_is_followed_and_only_with_the_same_request() {
        let to = |location| follows(Method::GET, 302, location);
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
        assert_eq!(follows(Method::POST, 302, "/e"), None);
        assert_eq!(follows(Method::GET, 303, "/e"), None);
        assert!(follows(Method::POST, 307, "/e").is_some());
        assert_eq!(follows(Method::GET, 200, "/e"), None);
    }
}
