//! Endpoint of the service. A key is sent only to trusted hosts, even if a profile names another one.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use crate::hint::{Advice, Hint};

/// Public API of Confluent Cloud.
pub const CONFLUENT_CLOUD: &str = "https://api.confluent.cloud";
/// Domain of Confluent Cloud.
const DOMAIN: &str = "confluent.cloud";
/// Prefix of a sandbox endpoint.
const SANDBOX: &str = "sandbox:";

/// Endpoint of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceEndpoint {
    /// Scheme, host and port of an allowed server, without path, query and user.
    Url(String),
    /// Sandbox with its state folder, or the default folder; in-process or served.
    Sandbox(Option<PathBuf>),
}

/// Reason why an endpoint is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not of the form `scheme://host[:port]`.
    #[error("invalid endpoint `{0}`: expected `https://` and a host")]
    Malformed(String),
    /// Contains a user name, which can disguise the host.
    #[error("invalid endpoint: a user name is not allowed")]
    HasUserInfo,
    /// Not encrypted.
    #[error("endpoint `{0}` is not allowed: only loopback may be used without `https`")]
    NotHttps(String),
    /// Neither a Confluent host nor loopback.
    #[error("endpoint host `{0}` is not allowed: it is neither a Confluent host nor loopback")]
    UntrustedHost(String),
}

impl Advice for EndpointError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::UntrustedHost(host) => vec![Hint::new(format!(
                "If you operate this host, allow it with `--trust-endpoint {host}`."
            ))],
            _ => vec![Hint::new(format!("Use `{CONFLUENT_CLOUD}` for Confluent Cloud."))],
        }
    }
}

impl ServiceEndpoint {
    /// Returns the endpoint of Confluent Cloud.
    pub fn confluent_cloud() -> Self {
        Self::Url(CONFLUENT_CLOUD.to_owned())
    }

    /// Parses an endpoint. `trusted` are the values of `--trust-endpoint`, `HOST` or `HOST:PORT`.
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
            let address = format!("{host}:{}", authority.port_u16().unwrap_or(443));
            let is_named = |trusted: &String| [&host, &address].iter().any(|name| trusted.eq_ignore_ascii_case(name));
            if !is_confluent(&host) && !trusted.iter().any(is_named) {
                return Err(EndpointError::UntrustedHost(host));
            }
        }
        let port = authority.port_u16().map_or(String::new(), |port| format!(":{port}"));
        Ok(Self::Url(format!("{scheme}://{host}{port}")))
    }

    /// Returns whether requests stay on this computer.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Sandbox(_) => true,
            Self::Url(url) => http::Uri::from_str(url).is_ok_and(|uri| uri.host().is_some_and(is_loopback)),
        }
    }
}

pub(super) fn is_confluent(host: &str) -> bool {
    host == DOMAIN || host.strip_suffix(DOMAIN).is_some_and(|rest| rest.ends_with('.'))
}

pub(super) fn is_loopback(host: &str) -> bool {
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
