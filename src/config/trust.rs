//! Addresses that may receive a key of the environment. A profile is written by another person, and the key is not part
//! of it: an address that a profile or a response names receives the key only if it is Confluent's, or if the user
//! trusts it with `--trust-endpoint`.

use http::Uri;

use super::{
    endpoint::{ServiceEndpoint, is_confluent, is_loopback},
    profile::LoadedProfile,
};

/// Returns whether `url` may receive a key of the environment. `trusted` are the values of `--trust-endpoint`: loopback
/// needs `HOST:PORT`, because every user of the computer can listen on a port.
#[must_use]
pub fn may_receive_environment_key(url: &str, trusted: &[String]) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let Some(host) = uri.host() else { return false };
    if is_confluent(host) && uri.scheme_str() == Some("https") {
        return true;
    }
    let address = to_address(&uri);
    trusted.iter().any(|trusted| {
        trusted.eq_ignore_ascii_case(&address) || (!is_loopback(host) && trusted.eq_ignore_ascii_case(host))
    })
}

/// Returns the first address of a profile that may not receive a key of the environment, in the form of
/// `--trust-endpoint`.
pub(super) fn find_untrusted_address(profile: &LoadedProfile, trusted: &[String]) -> Option<String> {
    let hosts = &profile.hosts;
    let endpoint = match &profile.profile.endpoint {
        ServiceEndpoint::Url(url) => Some(url),
        ServiceEndpoint::Sandbox(_) => None,
    };
    let mut named = [
        endpoint,
        hosts.token.as_ref(),
        hosts.logs.as_ref(),
        hosts.metrics.as_ref(),
    ]
    .into_iter();
    let url = named.find_map(|url| url.filter(|url| !may_receive_environment_key(url, trusted)))?;
    Some(url.parse().map_or_else(|_| url.clone(), |uri| to_address(&uri)))
}

/// Returns `HOST:PORT`, with the default port of the scheme.
fn to_address(uri: &Uri) -> String {
    let usual = if uri.scheme_str() == Some("http") { 80 } else { 443 };
    format!("{}:{}", uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(usual))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_confluent_and_trusted_addresses_receive_a_key_of_the_environment() {
        let may = |url, trusted: &str| may_receive_environment_key(url, &[trusted.to_owned()]);
        assert!(may("https://api.confluent.cloud", "") && may("https://confluent.cloud", ""));
        for (url, address) in [
            ("http://127.0.0.1:1024", "127.0.0.1:1024"),
            ("https://localhost", "LOCALHOST:443"),
            ("http://[::1]:8080", "[::1]:8080"),
            ("https://proxy.example.com:8443", "proxy.example.com:8443"),
        ] {
            assert!(!may(url, "") && may(url, address), "{url}");
        }
        // A host is enough for a proxy; on loopback, every user can listen.
        assert!(may("https://proxy.example.com", "proxy.example.com"));
        for (url, address) in [
            ("http://127.0.0.1:1024", "127.0.0.1"),
            ("http://127.0.0.1:1024", "127.0.0.1:1025"),
            ("http://localhost:1024", "127.0.0.1:1024"),
            ("https://api.confluent.cloud.example.com", "api.confluent.cloud"),
            ("http://api.confluent.cloud", ""),
            ("", ""),
        ] {
            assert!(!may(url, address), "{url}");
        }
    }
}
