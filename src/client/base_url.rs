//! Where the service is, and whether that is this machine.

use std::{fmt, net::IpAddr, str::FromStr};

use http::{Uri, uri::Scheme};

/// The address that every route is appended to: `https://api.confluent.cloud`, or a sandbox on loopback.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BaseUrl(String);

/// A text that is no base address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{written}` is not the address of a service: {reason}")]
pub struct BaseUrlError {
    written: String,
    reason: &'static str,
}

impl BaseUrl {
    /// The address as text, without a slash at the end.
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
                // What stands before an `@` may be a password.
                written: text.rsplit_once('@').map_or(text, |(_, address)| address).to_owned(),
                reason: why,
            })
        };
        let Ok(uri) = text.parse::<Uri>() else {
            return wrong("it cannot be read");
        };
        if uri.scheme() != Some(&Scheme::HTTPS) && uri.scheme() != Some(&Scheme::HTTP) {
            return wrong("it must begin with https:// (or http:// on loopback)");
        }
        let Some(authority) = uri.authority() else {
            return wrong("it has no host");
        };
        if authority.as_str().contains('@') {
            return wrong("credentials do not belong into an address");
        }
        if uri.query().is_some() {
            return wrong("it must not have a query");
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Whether `host` is this machine by its very writing: an address in 127.0.0.0/8, `::1`, or `localhost`. A name that
/// merely resolves to loopback is not, because whoever answers for the name could change that.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Host and port of an address, for messages.
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
