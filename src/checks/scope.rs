//! Checks whether the resources named in the profile or `ebs.toml` exist: organization, environment, cluster, Schema
//! Registry, and connectors.

use super::{
    CheckResult, CheckState, cluster,
    observation::{Observation, ProbeTarget, ServiceObservation, Unavailable},
};
use crate::{model::Prefix, session::Options};

/// Returns the check of a failed read. The service returns 404 only to callers that could see the object; 403 leaves
/// its existence unknown (docs/reference/rbac.md#error-bodies).
fn unavailable_check(name: &'static str, what: &str, unavailable: &Unavailable, fix: &str) -> CheckResult {
    match unavailable.status() {
        Some(404) => CheckResult::problem(name, format!("{what} does not exist"), fix),
        Some(403) => CheckResult::unknown(name, format!("this key is not allowed to read {what}")),
        _ => CheckResult::unknown(name, unavailable.reason()),
    }
}

/// Checks the whole scope. `own` is the prefix and code of the department the caller acts for; without one, the caller
/// belongs to the platform team and must be allowed to read its cluster. `options` are those of commands that the
/// platform team should run.
#[must_use]
pub fn check_scope(
    observed: &ServiceObservation,
    target: &ProbeTarget,
    own: Option<(&Prefix, &str)>,
    options: &Options,
) -> Vec<CheckResult> {
    let mut checks = vec![
        check_organization(observed, target),
        check_environment(observed, target),
    ];
    checks.extend(check_cluster(observed, target, own.is_none(), options));
    checks.push(check_registry(observed, target, options));
    checks.push(check_connectors(observed, target, own, options));
    checks
}

fn check_organization(observed: &ServiceObservation, target: &ProbeTarget) -> CheckResult {
    const NAME: &str = "organization";
    match (&observed.organization, &target.organization) {
        (Ok(found), Some(wanted)) if found != wanted => CheckResult::problem(
            NAME,
            format!("the key belongs to {found}, but {wanted} is configured"),
            "Use a key of that organization, or correct `[organization] id` in `ebs.toml`.",
        ),
        (Ok(found), _) => CheckResult::ok(NAME, found.to_string()),
        (Err(unavailable), _) => CheckResult::unknown(NAME, unavailable.reason()),
    }
}

fn correct_stage(target: &ProbeTarget) -> String {
    format!(
        "Correct the stage in `ebs.toml`, or ask {} for a new profile.",
        target.platform_team
    )
}

fn check_environment(observed: &ServiceObservation, target: &ProbeTarget) -> CheckResult {
    const NAME: &str = "environment";
    let id = target.environment.as_ref().map(ToString::to_string).unwrap_or_default();
    match &observed.environment {
        Ok(found) if found.display_name.is_empty() => CheckResult::ok(NAME, id),
        Ok(found) => CheckResult::ok(NAME, format!("{id} ({})", found.display_name)),
        Err(unavailable) => unavailable_check(NAME, &id, unavailable, &correct_stage(target)),
    }
}

/// Checks the cluster, its type and its state. A department's key does not need permission to read them.
fn check_cluster(
    observed: &ServiceObservation,
    target: &ProbeTarget,
    needed: bool,
    options: &Options,
) -> Vec<CheckResult> {
    const NAME: &str = "cluster";
    let id = target.cluster.as_ref().map(ToString::to_string).unwrap_or_default();
    let silence = match &observed.cluster {
        Ok(found) => {
            let name = match found.spec.display_name.as_str() {
                "" => id,
                name => format!("{id} ({name})"),
            };
            return vec![
                CheckResult::ok(NAME, name),
                cluster::check_kind(found),
                cluster::check_phase(found),
            ];
        }
        Err(unavailable) => unavailable,
    };
    let print = options.suggest("init --print");
    let check = match silence.status() {
        Some(403) if needed => CheckResult::problem(
            NAME,
            format!("this key is not allowed to read {id}: it has no role there, or the cluster does not exist"),
            format!("Ask an administrator to grant CloudClusterAdmin on it; `{print}` shows the command."),
        ),
        _ => unavailable_check(NAME, &id, silence, &correct_stage(target)),
    };
    let reason = match check.state {
        CheckState::Problem => "the cluster could not be read",
        _ => cluster_unavailable_reason(silence),
    };
    vec![
        check,
        CheckResult::unknown("cluster type", reason),
        CheckResult::unknown("cluster state", reason),
    ]
}

fn cluster_unavailable_reason(unavailable: &Unavailable) -> &str {
    match unavailable.status() {
        Some(403) => "this key is not allowed to read the cluster",
        _ => unavailable.reason(),
    }
}

fn check_registry(observed: &ServiceObservation, target: &ProbeTarget, options: &Options) -> CheckResult {
    const NAME: &str = "Schema Registry";
    let wanted = target.schema_registry.as_ref();
    match &observed.registries {
        Ok(found) => match wanted {
            Some(wanted) if !found.is_empty() && !found.contains(wanted) => CheckResult::problem(
                NAME,
                format!("the environment has {}, but {wanted} is configured", found[0]),
                format!(
                    "Correct `schema_registry` of the stage in `ebs.toml`, or ask {} for a new profile.",
                    target.platform_team
                ),
            ),
            // An empty list can be filtered by permissions, so it does not prove absence.
            Some(wanted) if found.is_empty() => {
                CheckResult::unknown(NAME, format!("{wanted} is not visible to this key"))
            }
            wanted => cluster::check_registry(found.first(), wanted, options),
        },
        Err(silence) if silence.status() == Some(403) => {
            CheckResult::unknown(NAME, "this key is not allowed to read it")
        }
        Err(unavailable) => CheckResult::unknown(NAME, unavailable.reason()),
    }
}

/// Checks the connector list, which every connector command needs.
fn check_connectors(
    observed: &ServiceObservation,
    target: &ProbeTarget,
    own: Option<(&Prefix, &str)>,
    options: &Options,
) -> CheckResult {
    const NAME: &str = "connectors";
    let all: &Observation<_> = &observed.connectors;
    match (all, own) {
        (Ok(all), Some((prefix, _))) => {
            let mine = all.keys().filter(|name| prefix.owns(name)).count();
            let others = match all.len() - mine {
                0 => String::new(),
                others => format!("; {others} of other departments are visible, too"),
            };
            CheckResult::ok(NAME, format!("{mine} with prefix `{prefix}`{others}"))
        }
        (Ok(all), None) => CheckResult::ok(NAME, format!("{} visible", all.len())),
        (Err(silence), _) if silence.status() == Some(403) => CheckResult::problem(
            NAME,
            "this key is not allowed to list connectors",
            if let Some((_, code)) = own {
                let onboard = options.suggest(&format!("onboard {code}"));
                format!(
                    "Ask {} to run `{onboard}`: roles may be missing or not yet propagated.",
                    target.platform_team
                )
            } else {
                let print = options.suggest("init --print");
                format!("Ask an administrator to grant CloudClusterAdmin; `{print}` shows the command.")
            },
        ),
        (Err(silence), _) if silence.status() == Some(404) => {
            CheckResult::problem(NAME, "the cluster does not exist", correct_stage(target))
        }
        (Err(unavailable), _) => CheckResult::unknown(NAME, unavailable.reason()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::cmk::Cluster;

    fn failed_with(status: u16) -> Unavailable {
        Unavailable::Failed {
            status: Some(status),
            message: format!("status {status}"),
        }
    }

    fn probe_target() -> ProbeTarget {
        ProbeTarget {
            organization: Some("11111111-2222-3333-4444-555555555555".parse().unwrap()),
            environment: Some("env-1".parse().unwrap()),
            cluster: Some("lkc-1".parse().unwrap()),
            schema_registry: Some("lsrc-1".parse().unwrap()),
            ..ProbeTarget::default()
        }
    }

    fn cluster_with(kind: &str, phase: &str) -> Cluster {
        serde_json::from_value(serde_json::json!({
            "id": "lkc-1", "spec": { "display_name": "shared", "config": { "kind": kind } }, "status": { "phase": phase }
        }))
        .unwrap()
    }

    fn observation() -> ServiceObservation {
        let mut heard = ServiceObservation::skipped("offline");
        heard.organization = Ok("11111111-2222-3333-4444-555555555555".parse().unwrap());
        heard.environment = Ok(serde_json::from_str(r#"{"id":"env-1","display_name":"Production"}"#).unwrap());
        heard.cluster = Ok(cluster_with("Standard", "PROVISIONED"));
        heard.registries = Ok(vec!["lsrc-1".parse().unwrap()]);
        heard.connectors = Ok([("claims-a", ()), ("motor-b", ())]
            .map(|(name, ())| (name.to_owned(), crate::api::connect::ExpandedConnector::default()))
            .into());
        heard
    }

    fn prefix() -> Prefix {
        Prefix::parse("claims-").unwrap()
    }

    fn states(observed: &ServiceObservation, own: Option<&Prefix>) -> Vec<(&'static str, CheckState)> {
        let checks = check_scope(
            observed,
            &probe_target(),
            own.map(|prefix| (prefix, "claims")),
            &Options::default(),
        );
        checks.iter().map(|check| (check.name, check.state)).collect()
    }

    fn one(observed: &ServiceObservation, own: Option<&Prefix>, name: &str) -> CheckResult {
        let checks = check_scope(
            observed,
            &probe_target(),
            own.map(|prefix| (prefix, "claims")),
            &Options::default(),
        );
        checks.into_iter().find(|check| check.name == name).unwrap()
    }

    #[test]
    fn existing_resources_are_named() {
        let heard = observation();
        assert!(states(&heard, None).iter().all(|(_, state)| *state == CheckState::Ok));
        assert_eq!(one(&heard, None, "environment").detail, "env-1 (Production)");
        let mine = one(&heard, Some(&prefix()), "connectors").detail;
        assert_eq!(mine, "1 with prefix `claims-`; 1 of other departments are visible, too");
    }

    // Source: docs/reference/rbac.md#cluster-types-with-rbac
    #[test]
    fn a_basic_cluster_is_rejected() {
        let mut heard = observation();
        heard.cluster = Ok(cluster_with("Basic", "PROVISIONED"));
        assert_eq!(one(&heard, None, "cluster type").state, CheckState::Problem);
        heard.cluster = Ok(cluster_with("Standard", "PROVISIONING"));
        assert_eq!(one(&heard, None, "cluster state").state, CheckState::Problem);
    }

    // Source: docs/reference/rbac.md#error-bodies. A 403 is "unknown", never "absent".
    #[test]
    fn a_forbidden_read_is_unknown_unless_the_caller_must_have_access() {
        let mut heard = observation();
        heard.environment = Err(failed_with(403));
        heard.cluster = Err(failed_with(403));
        heard.registries = Err(failed_with(403));
        let department = states(&heard, Some(&prefix()));
        assert!(
            department[1..5].iter().all(|(_, state)| *state == CheckState::Unknown),
            "{department:?}"
        );
        let check = one(&heard, None, "cluster");
        assert_eq!(check.state, CheckState::Problem);
        assert!(check.fix.unwrap().contains("init --print"));
        heard.environment = Err(failed_with(404));
        heard.cluster = Err(failed_with(404));
        for name in ["environment", "cluster"] {
            assert_eq!(one(&heard, Some(&prefix()), name).state, CheckState::Problem, "{name}");
        }
        heard.connectors = Err(failed_with(403));
        assert_eq!(one(&heard, Some(&prefix()), "connectors").state, CheckState::Problem);
    }

    #[test]
    fn another_organization_or_registry_is_a_problem() {
        let mut heard = observation();
        heard.organization = Ok("other".parse().unwrap());
        assert_eq!(one(&heard, None, "organization").state, CheckState::Problem);
        heard.registries = Ok(vec!["lsrc-2".parse().unwrap()]);
        assert_eq!(one(&heard, None, "Schema Registry").state, CheckState::Problem);
        heard.registries = Ok(Vec::new());
        assert_eq!(one(&heard, None, "Schema Registry").state, CheckState::Unknown);
    }

    #[test]
    fn skipped_probes_are_unknown_everywhere() {
        let nothing = ServiceObservation::skipped("no API key");
        for check in check_scope(&nothing, &probe_target(), None, &Options::default()) {
            assert_eq!(
                (check.state, check.detail.as_str()),
                (CheckState::Unknown, "no API key")
            );
        }
    }
}
