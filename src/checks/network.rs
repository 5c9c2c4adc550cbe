//! Checks of the connection: which server responds, through which proxy, with which certificate. The requests carry no
//! key, so a problem with the key cannot affect the result.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderMap, Request, Response, StatusCode, Uri, header};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

use super::CheckResult;
use crate::{
    api::org::ORGANIZATIONS,
    client::{BaseUrl, CertificateIssuer, Transport, TransportError, is_loopback, user_agent},
    clock::Clock,
    env,
};

const TELEMETRY_HOSTS: &str = "hosts of logs and metrics";

/// Result of a request without a key.
#[derive(Debug)]
pub struct HostReachability {
    /// Host.
    pub host: String,
    /// Time at which the request was sent.
    pub started_at: Timestamp,
    /// Time until the response.
    pub elapsed: Duration,
    /// Response or transport error.
    pub response: Result<HostResponse, TransportError>,
}

/// Response of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostResponse {
    /// HTTP status.
    pub status: StatusCode,
    /// Date of the server.
    pub date: Option<Timestamp>,
    /// Issuer of its certificate; `None` without TLS.
    pub issuer: Option<String>,
    /// Whether the body is an HTML page.
    pub web_page: bool,
    /// Host of the redirect target, if it differs.
    pub redirects_to: Option<String>,
}

/// Requests the organizations of the service at `base` without a key.
pub async fn probe_host(transport: &dyn Transport, base: &BaseUrl, clock: &Clock) -> HostReachability {
    probe_path(transport, base, ORGANIZATIONS, clock).await
}

/// Host for logs or metrics, with its purpose and reachability.
#[derive(Debug)]
pub struct TelemetryHost {
    /// Purpose, for people.
    pub purpose: &'static str,
    /// Reachability.
    pub reachability: HostReachability,
}

/// Sends a request without a key to each host of `places`, all at once; each host comes with its purpose.
pub async fn probe_telemetry_hosts(
    transport: &dyn Transport,
    places: Vec<(&'static str, BaseUrl)>,
    clock: &Clock,
) -> Vec<TelemetryHost> {
    let asked = places.into_iter().map(|(purpose, base)| async move {
        let knock = probe_path(transport, &base, "/", clock).await;
        TelemetryHost {
            purpose,
            reachability: knock,
        }
    });
    join_all(asked).await
}

async fn probe_path(transport: &dyn Transport, base: &BaseUrl, path: &str, clock: &Clock) -> HostReachability {
    let began = clock.now();
    let request = Request::get(format!("{base}{path}"))
        .header(header::USER_AGENT, user_agent())
        .header(header::ACCEPT, "application/json")
        .body(Bytes::new());
    let answer = match request {
        Ok(request) => transport.send(request).await.map(|answer| read(&answer)),
        Err(error) => Err(TransportError::NotSent(error.to_string())),
    };
    let uri = base.as_str().parse::<Uri>().unwrap_or_default();
    HostReachability {
        host: uri.host().unwrap_or_default().to_owned(),
        started_at: began,
        elapsed: clock.elapsed_since(began),
        response: answer,
    }
}

fn read(answer: &Response<Bytes>) -> HostResponse {
    let text = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let location = text(header::LOCATION).and_then(|location| location.parse::<Uri>().ok());
    HostResponse {
        status: answer.status(),
        date: date(answer.headers()),
        issuer: answer
            .extensions()
            .get::<CertificateIssuer>()
            .map(|issuer| issuer.0.clone()),
        web_page: answer.body().trim_ascii_start().starts_with(b"<"),
        redirects_to: location
            .filter(|_| answer.status().is_redirection())
            .and_then(|uri| uri.host().map(str::to_owned)),
    }
}

/// Returns the time of a response, corrected by its age in a cache.
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let date = rfc2822::DateTimeParser::new()
        .parse_timestamp(text(header::DATE)?)
        .ok()?;
    let age = text(header::AGE).and_then(|age| age.parse().ok()).unwrap_or(0);
    date.checked_add(SignedDuration::from_secs(age)).ok()
}

/// Proxy setting in the environment, without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySetting {
    /// Environment variable.
    pub variable: String,
    /// Host and port; `None` if invalid.
    pub address: Option<String>,
}

/// Returns the HTTPS proxies in `variables`, in upper and lower case like the HTTP library.
#[must_use]
pub fn find_proxies<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<ProxySetting> {
    let mut found: Vec<ProxySetting> = variables
        .into_iter()
        .filter(|(name, value)| {
            let known = [env::HTTPS_PROXY, env::ALL_PROXY];
            known.iter().any(|known| name.eq_ignore_ascii_case(known)) && !value.is_empty()
        })
        .map(|(variable, value)| ProxySetting {
            variable: variable.to_owned(),
            address: proxy_address(value),
        })
        .collect();
    // The variable for HTTPS takes precedence over the one for all protocols.
    found.sort_by_key(|proxy| !proxy.variable.eq_ignore_ascii_case(env::HTTPS_PROXY));
    found
}

fn proxy_address(value: &str) -> Option<String> {
    let address = value.rsplit('@').next().unwrap_or_default();
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let address = address.split('/').next().unwrap_or_default();
    let safe = |c: char| c.is_ascii_alphanumeric() || ".-:[]_".contains(c);
    (!address.is_empty() && address.chars().all(safe)).then(|| address.to_owned())
}

/// Reports the endpoint and its source. An endpoint that is not allowed is reported with the profile that names it.
#[must_use]
pub fn check_endpoint(base: Option<&str>, by_profile: bool, near: bool) -> CheckResult {
    const NAME: &str = "endpoint";
    match (base, near, by_profile) {
        (None, ..) => CheckResult::unknown(NAME, "none"),
        (Some(base), true, _) => CheckResult::ok(NAME, format!("{base}, on loopback")),
        (Some(base), false, true) => CheckResult::ok(NAME, format!("{base}, from the profile")),
        (Some(base), false, false) => CheckResult::ok(NAME, base),
    }
}

/// Returns the checks of a response when no request was sent.
#[must_use]
pub fn skipped_checks(offline: bool) -> Vec<CheckResult> {
    let why = match offline {
        true => "skipped: `--offline`",
        false => "skipped: no usable endpoint",
    };
    ["service reachable", TELEMETRY_HOSTS, "certificate", "clock"]
        .map(|name| CheckResult::unknown(name, why))
        .into()
}

/// Checks the proxy settings; `near` tells whether the service is on loopback.
#[must_use]
pub fn check_proxy(proxies: &[ProxySetting], near: bool) -> CheckResult {
    const NAME: &str = "proxy";
    match proxies.first() {
        None => CheckResult::ok(NAME, "none in the environment"),
        Some(proxy) if near => CheckResult::ok(NAME, format!("`{}` is not used for loopback", proxy.variable)),
        Some(ProxySetting {
            variable,
            address: None,
        }) => CheckResult::problem(
            NAME,
            format!("`{variable}` is not a valid URL"),
            format!("Set `{variable}` to `http://HOST:PORT`, or run `unset {variable}`."),
        ),
        Some(ProxySetting {
            variable,
            address: Some(address),
        }) => CheckResult::ok(NAME, format!("{address}, from `{variable}`")),
    }
}

/// Checks whether the service responds, and not another server in its place.
#[must_use]
pub fn check_reachable(knock: &HostReachability, proxies: &[ProxySetting]) -> CheckResult {
    const NAME: &str = "service reachable";
    let host = &knock.host;
    match &knock.response {
        Ok(answer) => check_response(answer, host),
        Err(TransportError::Certificate { .. }) => CheckResult::unknown(
            NAME,
            format!("`{host}` is reachable, but its certificate is not trusted"),
        ),
        Err(error) => {
            let fix = match (proxies.first(), is_loopback(host)) {
                (_, true) => {
                    "Start the sandbox with `confluent ebs sandbox start`, or correct `endpoint` in the profile."
                        .to_owned()
                }
                (Some(proxy), false) => format!(
                    "Check `{}` and whether the proxy allows `{host}`: `curl -v https://{host}`.",
                    proxy.variable
                ),
                (None, false) => {
                    format!("Check the network with `curl -v https://{host}`. Behind a proxy, set `HTTPS_PROXY`.")
                }
            };
            CheckResult::problem(NAME, with_cause(error), fix)
        }
    }
}

fn check_response(answer: &HostResponse, host: &str) -> CheckResult {
    const NAME: &str = "service reachable";
    let portal = |what: String| {
        CheckResult::problem(
            NAME,
            what,
            format!(
                "Sign in to the network with a browser, or ask the proxy's administrators to allow `{host}` without changes."
            ),
        )
    };
    match answer.status {
        _ if answer.web_page => portal(format!(
            "a web page responds instead of `{host}` (status {})",
            answer.status.as_u16()
        )),
        _ if answer.redirects_to.as_deref().is_some_and(|to| to != host) => portal(format!(
            "`{host}` redirects to `{}`, which is not followed",
            answer.redirects_to.as_deref().unwrap_or_default()
        )),
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => portal("the proxy requires authentication".to_owned()),
        status if status.is_server_error() => CheckResult::unknown(
            NAME,
            format!("`{host}` responds with a server error (status {})", status.as_u16()),
        ),
        // Without a key, Confluent Cloud returns 401 (docs/reference/rbac.md#error-bodies) or a rate limit error.
        status if status.is_success() || matches!(status.as_u16(), 401 | 403 | 429) => {
            CheckResult::ok(NAME, format!("`{host}` responds"))
        }
        status => CheckResult::problem(
            NAME,
            format!(
                "`{host}` responds with status {}, which is not a response of Confluent Cloud",
                status.as_u16()
            ),
            "Correct `endpoint` in the profile; for Confluent Cloud it is `https://api.confluent.cloud`.",
        ),
    }
}

/// Checks whether the hosts for logs and metrics respond. `Err` holds the result when they were not probed.
#[must_use]
pub fn check_telemetry_hosts(asked: Result<&[TelemetryHost], CheckResult>) -> CheckResult {
    let asked = match asked {
        Ok(asked) => asked,
        Err(check) => return check,
    };
    let silent = |other: &&TelemetryHost| other.reachability.response.is_err();
    let Some(first) = asked.iter().find(silent) else {
        if asked.is_empty() {
            return CheckResult::ok(TELEMETRY_HOSTS, "same as the endpoint");
        }
        let hosts: Vec<&str> = asked.iter().map(|other| other.reachability.host.as_str()).collect();
        return CheckResult::ok(TELEMETRY_HOSTS, format!("reachable: {}", hosts.join(", ")));
    };
    let missing: Vec<String> = asked
        .iter()
        .filter_map(|other| {
            let error = other.reachability.response.as_ref().err()?;
            Some(format!("{}: {}", other.purpose, with_cause(error)))
        })
        .collect();
    CheckResult::problem(
        TELEMETRY_HOSTS,
        missing.join("; "),
        format!(
            "Ask the network administrators to allow `{0}`; `curl -v https://{0}` shows the error.",
            first.reachability.host
        ),
    )
}

/// Returns the check of the hosts for logs and metrics when they were not probed.
#[must_use]
pub fn skipped_telemetry_hosts(why: &str) -> CheckResult {
    CheckResult::unknown(TELEMETRY_HOSTS, why)
}

/// Returns the check of the hosts for logs and metrics when one of them is not allowed.
#[must_use]
pub fn untrusted_telemetry_hosts(why: &str) -> CheckResult {
    CheckResult::problem(TELEMETRY_HOSTS, why, "Correct or unset the variable.")
}

/// Checks the certificate and names its issuer. Only the user can tell whether a company's certificate authority is
/// expected.
#[must_use]
pub fn check_certificate(knock: &HostReachability, base: &BaseUrl) -> CheckResult {
    const NAME: &str = "certificate";
    if base.as_str().starts_with("http://") {
        return CheckResult::ok(NAME, "not needed on loopback");
    }
    match &knock.response {
        Ok(answer) => match &answer.issuer {
            Some(issuer) => CheckResult::ok(NAME, format!("issued by {issuer}")),
            None => CheckResult::unknown(NAME, "trusted; its issuer is unreadable"),
        },
        Err(error @ TransportError::Certificate { .. }) => CheckResult::problem(
            NAME,
            with_cause(error),
            "If your company inspects TLS traffic, set `SSL_CERT_FILE` to a PEM file with the certificate of its \
             certificate authority.",
        ),
        Err(_) => CheckResult::unknown(NAME, "not checked: no response"),
    }
}

fn with_cause(error: &TransportError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    if let Some(cause) = cause {
        text = format!("{text}: {cause}");
    }
    text
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
