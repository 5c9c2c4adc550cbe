//! Requests to the service, to its cluster and to the hosts of logs and metrics.

use super::{ActingDepartment, DoctorInputs};
use crate::{
    checks::{
        CheckResult,
        network::{self, HostReachability, TelemetryHost},
        observation::{self, ProbeTarget, ServiceObservation},
        profile::DoctorKeyState,
    },
    client::{Auth, BaseUrl, RetryPolicy},
    clock::Clock,
    config::ResolvedSetting,
    model::Principal,
    sandbox::auth::IMPERSONATE_HEADER,
    session::{Connection, SandboxMode},
};

/// Returns the objects that the service checks request.
pub(super) fn probe_target(
    inputs: &DoctorInputs,
    department: Option<&ActingDepartment>,
    connection: Option<&Connection>,
    key: &DoctorKeyState,
) -> ProbeTarget {
    let impersonated = match connection.map(|connection| &connection.auth) {
        Some(Ok(Auth::Headers(headers))) => headers
            .iter()
            .find(|(name, _)| name.as_str() == IMPERSONATE_HEADER)
            .and_then(|(_, value)| value.to_str().ok())
            .map(Principal::from_id),
        _ => None,
    };
    let settings = &inputs.settings;
    let provisioner = || inputs.valid_workspace()?.platform.provisioner.clone();
    // Without a profile or a department, the caller should be the provisioner.
    let is_platform = inputs.stage.is_some() && department.is_none();
    ProbeTarget {
        organization: value(settings.organization.as_ref()),
        environment: value(settings.environment.as_ref()),
        cluster: value(settings.cluster.as_ref()),
        schema_registry: value(settings.schema_registry.as_ref()),
        key: key.key().cloned(),
        principal: impersonated,
        account_name: department.map(|department| department.account_name.clone()),
        prefix: department.map(|department| department.prefix.clone()),
        platform_team: department.map_or_else(Default::default, |department| department.platform_team.clone()),
        fallback_principal: is_platform.then(provisioner).flatten().map(Principal::ServiceAccount),
    }
}

fn value<T: Clone>(setting: Option<&ResolvedSetting<T>>) -> Option<T> {
    setting.map(|setting| setting.value.clone())
}

/// Returns the clock to compare with the dates of responses. A served sandbox has a clock of its own, but dates its
/// responses with that of the machine.
fn date_clock(connection: &Connection) -> Clock {
    match connection.sandbox_mode {
        Some(SandboxMode::Remote(_)) => Clock::system(),
        _ => connection.clock.clone(),
    }
}

/// Checks that the service responds, then sends the requests.
pub(super) async fn probe_service(
    connection: Option<&Connection>,
    probe_target: &ProbeTarget,
    offline: bool,
) -> (Option<HostReachability>, ServiceObservation) {
    let Some(connection) = connection else {
        return (None, ServiceObservation::skipped("no connection"));
    };
    if offline && !connection.is_in_process() {
        return (None, ServiceObservation::skipped("skipped: `--offline`"));
    }
    let reachability = network::probe_host(&*connection.transport, &connection.base, &date_clock(connection)).await;
    let answers = reachability.response.as_ref().is_ok_and(|answer| !answer.web_page);
    let observation = match connection.client() {
        Err(_) => ServiceObservation::skipped("no API key"),
        Ok(_) if !answers => ServiceObservation::skipped("Confluent Cloud does not respond"),
        Ok(client) => observation::observe(&client.with_policy(RetryPolicy::no_retry()), probe_target).await,
    };
    (Some(reachability), observation)
}

/// Checks the hosts other than the API host: `confluent.cloud` issues the tokens for logs.
pub(super) async fn probe_other_hosts(
    connection: Option<&Connection>,
    offline: bool,
) -> Result<Vec<TelemetryHost>, CheckResult> {
    let Some(connection) = connection else {
        return Err(network::skipped_telemetry_hosts("no connection"));
    };
    let hosts = connection
        .hosts()
        .map_err(|error| network::untrusted_telemetry_hosts(&error.to_string()))?;
    if offline {
        return Err(network::skipped_telemetry_hosts("skipped: `--offline`"));
    }
    let named = [
        ("tokens for connector logs", &hosts.token),
        ("connector logs", &hosts.logs),
        ("metrics", &hosts.metrics),
    ];
    let mut places: Vec<(&'static str, BaseUrl)> = Vec::new();
    for (purpose, host) in named {
        let Ok(base) = host.parse::<BaseUrl>() else { continue };
        if base != connection.base && places.iter().all(|(_, known)| *known != base) {
            places.push((purpose, base));
        }
    }
    Ok(network::probe_telemetry_hosts(&*connection.transport, places, &date_clock(connection)).await)
}
