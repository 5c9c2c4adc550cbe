//! Where requests go: a key must not travel to a host that somebody wrote into a profile without being asked.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use crate::hint::{Advice, Hint};

/// The public API of Confluent Cloud.
pub const CONFLUENT_CLOUD: &str = "https://api.confluent.cloud";
/// Confluent's domain.
const DOMAIN: &str = "confluent.cloud";
/// How a sandbox's own endpoint begins.
const SANDBOX: &str = "sandbox:";

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceEndpoint {
    /// Over the network, to a scheme and host (and port) that may be asked: no path, no query, no user.
    Url(String),
    /// The sandbox on the state folder named, else on the default one; whether in the process or served.
    Sandbox(Option<PathBuf>),
}

/// Why a text is not an endpoint that may be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is not `scheme://host[:port]`.
    #[error("`{0}` is not an endpoint: `https://` and a host are expected")]
    Malformed(String),
    /// Something before an `@`, which hides the host that follows.
    #[error("an endpoint holds no user name")]
    HasUserInfo,
    /// Not encrypted.
    #[error("`{0}` is not https, which only an endpoint on this computer may be")]
    NotHttps(String),
    /// A stranger.
    #[error("`{0}` is neither Confluent's domain nor this computer")]
    UntrustedHost(String),
}

impl Advice for EndpointError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::UntrustedHost(host) => vec![Hint::new(format!(
                "If this is a proxy of your own, say so with `--trust-endpoint {host}`."
            ))],
            _ => vec![Hint::new(format!("Confluent Cloud is `{CONFLUENT_CLOUD}`."))],
        }
    }
}

impl ServiceEndpoint {
    /// Confluent Cloud itself.
    pub fn confluent_cloud() -> Self {
        Self::Url(CONFLUENT_CLOUD.to_owned())
    }

    /// Reads an endpoint. `trusted` are the hosts of `--trust-endpoint`.
    ///
    /// # Errors
    /// See [`EndpointError`].
    pub fn parse(text: &str, trusted: &[String]) -> Result<Self, EndpointError> {
        if let Some(folder) = text.strip_prefix(SANDBOX) {
            let folder = (!folder.is_empty()).then(|| PathBuf::from(folder));
            return Ok(Self::Sandbox(folder));
        }
        let shape = || EndpointError::Malformed(text.escape_debug().to_string());
        let uri = http::Uri::from_str(text).map_err(|_| shape())?;
        let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or_else(shape)?;
        if authority.as_str().contains('@') {
            return Err(EndpointError::HasUserInfo);
        }
        let has_path = !matches!(uri.path(), "" | "/") || uri.query().is_some();
        let host = authority.host().to_ascii_lowercase();
        let safe = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
        if has_path || host.is_empty() || !host.chars().all(safe) || !matches!(scheme, "http" | "https") {
            return Err(shape());
        }
        if !is_loopback(&host) {
            if scheme != "https" {
                return Err(EndpointError::NotHttps(text.to_owned()));
            }
            let confluent = host == DOMAIN || host.strip_suffix(DOMAIN).is_some_and(|rest| rest.ends_with('.'));
            if !confluent && !trusted.iter().any(|trusted| trusted.eq_ignore_ascii_case(&host)) {
                return Err(EndpointError::UntrustedHost(host));
            }
        }
        let port = authority.port_u16().map_or(String::new(), |port| format!(":{port}"));
        Ok(Self::Url(format!("{scheme}://{host}{port}")))
    }

    /// Whether nothing leaves this computer.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Sandbox(_) => true,
            Self::Url(url) => http::Uri::from_str(url).is_ok_and(|uri| uri.host().is_some_and(is_loopback)),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for ServiceEndpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => out.pad(url),
            Self::Sandbox(None) => out.pad(SANDBOX),
            Self::Sandbox(Some(folder)) => write!(out, "{SANDBOX}{}", folder.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confluent_cloud_and_loopback_are_allowed() {
        for good in [
            "https://api.confluent.cloud",
            "https://API.Confluent.Cloud/",
            "https://confluent.cloud",
            "http://127.0.0.1:1024",
            "http://localhost:8080",
            "http://[::1]:8080",
        ] {
            assert!(ServiceEndpoint::parse(good, &[]).is_ok(), "{good}");
        }
        assert!(ServiceEndpoint::parse("http://[::1]:8080", &[]).unwrap().is_local());
        assert!(!ServiceEndpoint::confluent_cloud().is_local());
        assert_eq!(
            ServiceEndpoint::parse("sandbox:", &[]),
            Ok(ServiceEndpoint::Sandbox(None))
        );
    }

    #[test]
    fn lookalike_and_other_hosts_are_rejected() {
        use EndpointError::{HasUserInfo, Malformed, NotHttps, UntrustedHost};
        let parse = |text| ServiceEndpoint::parse(text, &[]).unwrap_err();
        assert!(matches!(
            parse("https://api.confluent.cloud.example.com"),
            UntrustedHost(_)
        ));
        assert!(matches!(parse("https://notconfluent.cloud"), UntrustedHost(_)));
        assert!(matches!(parse("https://confluent.cloud.:443"), UntrustedHost(_)));
        assert_eq!(parse("https://api.confluent.cloud@example.com"), HasUserInfo);
        assert!(matches!(parse("http://api.confluent.cloud"), NotHttps(_)));
        assert!(matches!(parse("http://127.0.0.1.example.com"), NotHttps(_)));
        assert!(matches!(parse("api.confluent.cloud"), Malformed(_)));
        assert!(matches!(parse("https://api.confluent.cloud/path"), Malformed(_)));
        assert!(matches!(parse("https://api.confluent.cloud?x=1"), Malformed(_)));
        assert!(matches!(parse("ftp://127.0.0.1"), Malformed(_)));
        assert!(matches!(parse(""), Malformed(_)));
    }

    #[test]
    fn a_trusted_host_still_needs_https() {
        let trusted = ["proxy.example.com".to_owned()];
        assert!(ServiceEndpoint::parse("https://proxy.example.com:8443", &trusted).is_ok());
        assert!(ServiceEndpoint::parse("http://proxy.example.com", &trusted).is_err());
        assert!(ServiceEndpoint::parse("https://other.example.com", &trusted).is_err());
    }
}
