//! The way to the service: who answers there, over which proxy, with whose certificate. Asked without a key, so that
//! nothing of the key can be to blame.

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

/// What happened when the service was asked without a key.
#[derive(Debug)]
pub struct HostReachability {
    /// The host that was asked.
    pub host: String,
    /// When the question was sent.
    pub started_at: Timestamp,
    /// How long it took.
    pub elapsed: Duration,
    /// What came.
    pub response: Result<HostResponse, TransportError>,
}

/// What answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostResponse {
    /// The status.
    pub status: StatusCode,
    /// What the answerer's clock said.
    pub date: Option<Timestamp>,
    /// Who issued its certificate; nothing without TLS.
    pub issuer: Option<String>,
    /// Whether it is a page for people.
    pub web_page: bool,
    /// Where it points to, host only, when that is somewhere else.
    pub redirects_to: Option<String>,
}

/// Asks the service behind `base` for its organizations, without a key.
pub async fn probe_host(transport: &dyn Transport, base: &BaseUrl, clock: &Clock) -> HostReachability {
    probe_path(transport, base, ORGANIZATIONS, clock).await
}

/// A host beside the API's, what it is for, and what happened when it was asked.
#[derive(Debug)]
pub struct TelemetryHost {
    /// What it is for, in words.
    pub purpose: &'static str,
    /// What happened.
    pub reachability: HostReachability,
}

/// Asks the hosts of `places`, each with its purpose, for nothing in particular, all at once.
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

/// The time of an answer; one from a cache has grown old there.
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let date = rfc2822::DateTimeParser::new()
        .parse_timestamp(text(header::DATE)?)
        .ok()?;
    let age = text(header::AGE).and_then(|age| age.parse().ok()).unwrap_or(0);
    date.checked_add(SignedDuration::from_secs(age)).ok()
}

/// A proxy that the environment names, without the password that may stand before its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySetting {
    /// The variable.
    pub variable: String,
    /// Host and port; nothing when that cannot be read.
    pub address: Option<String>,
}

/// The proxies that `variables` name for https: as the HTTP library reads them, in upper and in lower case.
#[must_use]
pub fn find_proxies(variables: impl IntoIterator<Item = (String, String)>) -> Vec<ProxySetting> {
    let mut found: Vec<ProxySetting> = variables
        .into_iter()
        .filter(|(name, value)| {
            let known = [env::HTTPS_PROXY, env::ALL_PROXY];
            known.iter().any(|known| name.eq_ignore_ascii_case(known)) && !value.is_empty()
        })
        .map(|(variable, value)| ProxySetting {
            variable,
            address: proxy_address(&value),
        })
        .collect();
    // The one for https counts before the one for everything.
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

/// Tells where requests go, and who says so. An address that may not be used is refused with the profile that names it.
#[must_use]
pub fn check_endpoint(base: Option<&str>, by_profile: bool, near: bool) -> CheckResult {
    const NAME: &str = "endpoint";
    match (base, near, by_profile) {
        (None, ..) => CheckResult::unknown(NAME, "none to ask"),
        (Some(base), true, _) => CheckResult::ok(NAME, format!("{base}, on this computer")),
        (Some(base), false, true) => CheckResult::ok(NAME, format!("{base}, by the profile")),
        (Some(base), false, false) => CheckResult::ok(NAME, base),
    }
}

/// The checks of an answer that nobody asked for.
#[must_use]
pub fn skipped_checks(offline: bool) -> Vec<CheckResult> {
    let why = match offline {
        true => "nobody was asked: --offline",
        false => "there is no way to ask",
    };
    ["service reachable", TELEMETRY_HOSTS, "certificate", "clock"]
        .map(|name| CheckResult::unknown(name, why))
        .into()
}

/// Judges the proxies, for a service that is on this computer or not.
#[must_use]
pub fn check_proxy(proxies: &[ProxySetting], near: bool) -> CheckResult {
    const NAME: &str = "proxy";
    match proxies.first() {
        None => CheckResult::ok(NAME, "none named by the environment"),
        Some(proxy) if near => CheckResult::ok(NAME, format!("{} is not used for this computer", proxy.variable)),
        Some(ProxySetting {
            variable,
            address: None,
        }) => CheckResult::problem(
            NAME,
            format!("{variable} does not hold an address"),
            format!("Set it to `http://HOST:PORT`, or `unset {variable}`."),
        ),
        Some(ProxySetting {
            variable,
            address: Some(address),
        }) => CheckResult::ok(NAME, format!("{address}, by {variable}")),
    }
}

/// Whether the service answers, and not somebody in its place.
#[must_use]
pub fn check_reachable(knock: &HostReachability, proxies: &[ProxySetting]) -> CheckResult {
    const NAME: &str = "service reachable";
    let host = &knock.host;
    match &knock.response {
        Ok(answer) => check_response(answer, host),
        Err(TransportError::Certificate { .. }) => {
            CheckResult::unknown(NAME, format!("{host} is there, but its certificate is refused"))
        }
        Err(error) => {
            let fix = match (proxies.first(), is_loopback(host)) {
                (_, true) => {
                    "Start the sandbox with `confluent ebs sandbox start`, or correct `endpoint` in the profile."
                        .to_owned()
                }
                (Some(proxy), false) => format!(
                    "Check {} and whether the proxy lets {host} through: `curl -v https://{host}`.",
                    proxy.variable
                ),
                (None, false) => {
                    format!("Check the network with `curl -v https://{host}`; behind a proxy set `HTTPS_PROXY`.")
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
                "Sign in to the network with a browser, or ask those who run the proxy to let {host} through unchanged."
            ),
        )
    };
    match answer.status {
        _ if answer.web_page => portal(format!(
            "a web page answers in place of {host} (status {})",
            answer.status.as_u16()
        )),
        _ if answer.redirects_to.as_deref().is_some_and(|to| to != host) => portal(format!(
            "{host} answers that it is at {} now, which is not followed",
            answer.redirects_to.as_deref().unwrap_or_default()
        )),
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => portal("the proxy wants to know who asks".to_owned()),
        status if status.is_server_error() => CheckResult::unknown(
            NAME,
            format!(
                "{host} answers, but has trouble of its own (status {})",
                status.as_u16()
            ),
        ),
        // Without a key: 401 (docs/reference/rbac.md#error-bodies), or a limit on how often it may be asked.
        status if status.is_success() || matches!(status.as_u16(), 401 | 403 | 429) => {
            CheckResult::ok(NAME, format!("{host} answers"))
        }
        status => CheckResult::problem(
            NAME,
            format!("{host} answers {}, which Confluent Cloud would not", status.as_u16()),
            "Correct `endpoint` in the profile: Confluent Cloud is `https://api.confluent.cloud`.",
        ),
    }
}

/// Whether the hosts beside the API's answer at all: without them there are no connector logs and no metrics. `Err` tells
/// why they were not asked.
#[must_use]
pub fn check_telemetry_hosts(asked: Result<&[TelemetryHost], CheckResult>) -> CheckResult {
    let asked = match asked {
        Ok(asked) => asked,
        Err(check) => return check,
    };
    let silent = |other: &&TelemetryHost| other.reachability.response.is_err();
    let Some(first) = asked.iter().find(silent) else {
        if asked.is_empty() {
            return CheckResult::ok(TELEMETRY_HOSTS, "the same as the endpoint");
        }
        let hosts: Vec<&str> = asked.iter().map(|other| other.reachability.host.as_str()).collect();
        return CheckResult::ok(TELEMETRY_HOSTS, format!("{} answer", hosts.join(", ")));
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
            "Ask those who run the network to let {0} through: `curl -v https://{0}` shows what is in the way.",
            first.reachability.host
        ),
    )
}

/// The check of the hosts beside the API's when nobody asked them.
#[must_use]
pub fn skipped_telemetry_hosts(why: &str) -> CheckResult {
    CheckResult::unknown(TELEMETRY_HOSTS, why)
}

/// The check of the hosts beside the API's when one of them may not be asked.
#[must_use]
pub fn untrusted_telemetry_hosts(why: &str) -> CheckResult {
    CheckResult::problem(TELEMETRY_HOSTS, why, "Correct or `unset` the variable.")
}

/// Whose certificate it is. What a company's own authority is called, nobody here can know: people see the name.
#[must_use]
pub fn check_certificate(knock: &HostReachability, base: &BaseUrl) -> CheckResult {
    const NAME: &str = "certificate";
    if base.as_str().starts_with("http://") {
        return CheckResult::ok(NAME, "none is needed on this computer");
    }
    match &knock.response {
        Ok(answer) => match &answer.issuer {
            Some(issuer) => CheckResult::ok(NAME, format!("issued by {issuer}")),
            None => CheckResult::unknown(NAME, "trusted; who issued it cannot be read"),
        },
        Err(error @ TransportError::Certificate { .. }) => CheckResult::problem(
            NAME,
            with_cause(error),
            "If your company inspects encrypted traffic, set `SSL_CERT_FILE` to a file with the certificate of its \
             authority in PEM form.",
        ),
        Err(_) => CheckResult::unknown(NAME, "not seen: there was no answer"),
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
