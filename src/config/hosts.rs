//! Hosts for tokens, logs and metrics, which differ from the API's host. Two of them are undocumented, so each can be
//! configured (docs/reference/logs.md#access-token).

use http::Uri;

use super::endpoint::{EndpointError, ServiceEndpoint};
use crate::{
    api::{
        logs::{LOGS_HOST, TOKEN_HOST},
        metrics::METRICS_HOST,
    },
    env,
};

/// Hosts configured in a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfiguredHosts {
    /// Host of the token exchange.
    pub token: Option<String>,
    /// Host of the log search.
    pub logs: Option<String>,
    /// Host of the Metrics API.
    pub metrics: Option<String>,
}

/// Resolved hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceHosts {
    /// Host of the token exchange.
    pub token: String,
    /// Host of the log search.
    pub logs: String,
    /// Host of the Metrics API.
    pub metrics: String,
}

/// A variable names a host that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid `{variable}`")]
pub struct HostsError {
    variable: &'static str,
    source: EndpointError,
}

impl ServiceHosts {
    /// Returns one host for all three: loopback, or a proxy that routes the requests.
    #[must_use]
    pub fn single_host(base: &str) -> Self {
        Self {
            token: base.to_owned(),
            logs: base.to_owned(),
            metrics: base.to_owned(),
        }
    }

    /// Resolves the hosts from the environment, the profile, or the endpoint: Confluent's hosts for Confluent Cloud,
    /// else the endpoint itself, because a key must not be sent to a host that is not configured.
    ///
    /// # Errors
    /// A variable names a host that is not allowed.
    pub fn resolve(
        endpoint: &str,
        named: &ConfiguredHosts,
        trusted: &[String],
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, HostsError> {
        let host = endpoint.parse::<Uri>().ok();
        let host = host.as_ref().and_then(Uri::host).unwrap_or_default();
        let usual = match host == "confluent.cloud" || host.ends_with(".confluent.cloud") {
            true => Self {
                token: TOKEN_HOST.to_owned(),
                logs: LOGS_HOST.to_owned(),
                metrics: METRICS_HOST.to_owned(),
            },
            false => Self::single_host(endpoint),
        };
        let one = |name: &'static str, named: &Option<String>, usual: String| match variable(name) {
            None => Ok(named.clone().unwrap_or(usual)),
            Some(written) => match ServiceEndpoint::parse(&written, trusted) {
                Ok(ServiceEndpoint::Url(url)) => Ok(url),
                Ok(ServiceEndpoint::Sandbox(_)) => Err(EndpointError::Malformed(written)),
                Err(error) => Err(error),
            }
            .map_err(|source| HostsError { variable: name, source }),
        };
        Ok(Self {
            token: one(env::CONFLUENT_EBS_TOKEN_ENDPOINT, &named.token, usual.token)?,
            logs: one(env::CONFLUENT_EBS_LOGS_ENDPOINT, &named.logs, usual.logs)?,
            metrics: one(env::CONFLUENT_EBS_METRICS_ENDPOINT, &named.metrics, usual.metrics)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(endpoint: &str, logs: Option<&str>, variable: Option<&str>) -> Result<ServiceHosts, HostsError> {
        let named = ConfiguredHosts {
            logs: logs.map(str::to_owned),
            ..ConfiguredHosts::default()
        };
        let value = |name: &str| (name == env::CONFLUENT_EBS_LOGS_ENDPOINT).then(|| variable.map(str::to_owned));
        ServiceHosts::resolve(endpoint, &named, &[], |name| value(name).flatten())
    }

    // docs/reference/logs.md#access-token lists three hosts in addition to the API's.
    #[test]
    fn confluent_cloud_has_a_host_for_each() {
        let hosts = find("https://api.confluent.cloud", None, None).unwrap();
        assert_eq!(hosts.token, "https://confluent.cloud");
        assert_eq!(hosts.logs, "https://api.logging.confluent.cloud");
        assert_eq!(hosts.metrics, "https://api.telemetry.confluent.cloud");
        for one in ["http://127.0.0.1:1024", "https://proxy.example.com"] {
            assert_eq!(find(one, None, None).unwrap(), ServiceHosts::single_host(one));
        }
        // A lookalike host gets no default hosts of Confluent.
        let look_alike = "https://api.notconfluent.cloud";
        assert_eq!(
            find(look_alike, None, None).unwrap(),
            ServiceHosts::single_host(look_alike)
        );
    }

    #[test]
    fn the_environment_wins_over_the_profile_and_rejects_untrusted_hosts() {
        let cloud = "https://api.confluent.cloud";
        let (named, set) = ("https://logs.eu.confluent.cloud", "http://127.0.0.1:8080");
        assert_eq!(find(cloud, Some(named), None).unwrap().logs, named);
        assert_eq!(find(cloud, Some(named), Some(set)).unwrap().logs, set);
        for wrong in [
            "https://logs.example.com",
            "sandbox:",
            "http://logs.confluent.cloud",
            "x",
        ] {
            let error = find(cloud, None, Some(wrong)).unwrap_err();
            assert_eq!(error.to_string(), "invalid `CONFLUENT_EBS_LOGS_ENDPOINT`");
            assert!(std::error::Error::source(&error).is_some());
        }
    }
}
