//! Base URL of the service, and the check whether a host is loopback.

use std::{fmt, net::IpAddr, str::FromStr};

use http::{Uri, uri::Scheme};

/// Base URL to which every route is appended: `https://api.confluent.cloud`, or a sandbox on loopback.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BaseUrl(String);

/// Invalid base URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid base URL `{written}`: {reason}")]
pub struct BaseUrlError {
    written: String,
    reason: &'static str,
}

impl BaseUrl {
    /// Returns the URL without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        let wrong = |why| {
            Err(BaseUrlError {
                // Text before an `@` may contain a password: the error omits it.
                written: text.rsplit_once('@').map_or(text, |(_, address)| address).to_owned(),
                reason: why,
            })
        };
        let Ok(uri) = text.parse::<Uri>() else {
            return wrong("it is not a URL");
        };
        if uri.scheme() != Some(&Scheme::HTTPS) && uri.scheme() != Some(&Scheme::HTTP) {
            return wrong("it must start with `https://` (or `http://` on loopback)");
        }
        let Some(authority) = uri.authority() else {
            return wrong("the host is missing");
        };
        if authority.as_str().contains('@') {
            return wrong("a URL must not contain credentials");
        }
        if uri.query().is_some() {
            return wrong("a query is not allowed");
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Returns whether `host` is literally a loopback address: 127.0.0.0/8, `::1`, or `localhost`. A name that resolves to
/// loopback is not accepted, because the owner of its DNS record can change it.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns host and port of a URL, for messages.
#[must_use]
pub fn host_and_port(uri: &Uri) -> String {
    let port = uri.port_u16().unwrap_or(match uri.scheme_str() {
        Some("http") => 80,
        _ => 443,
    });
    format!("{}:{port}", uri.host().unwrap_or("?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_has_a_scheme_and_a_host_and_no_credentials() {
        let parse = |text: &str| text.parse::<BaseUrl>().map(|url| url.to_string());
        assert_eq!(
            parse("https://api.confluent.cloud/").unwrap(),
            "https://api.confluent.cloud"
        );
        assert_eq!(
            parse("http://127.0.0.1:1024/api/").unwrap(),
            "http://127.0.0.1:1024/api"
        );
        assert!(parse("api.confluent.cloud").is_err());
        assert!(parse("ftp://example.com").is_err());
        assert!(parse("https://example.com/?a=b").is_err());
        let refused = parse("https://me:canary@example.com").unwrap_err().to_string();
        assert!(!refused.contains("canary"), "{refused}");
    }

    #[test]
    fn loopback_is_decided_by_the_text_of_the_host() {
        for host in ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "::1", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "localhost.example.com",
            "127.0.0.1.example.com",
            "0.0.0.0",
            "[::2]",
            "128.0.0.1",
            "",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
