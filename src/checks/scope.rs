//! Whether what the profile or `ebs.toml` names is there: organization, environment, cluster, Schema Registry, and the
//! connectors of the cluster.

use super::{
    CheckResult, CheckState, cluster,
    observation::{Observation, ProbeTarget, ServiceObservation, Unavailable},
};
use crate::model::Prefix;

/// What an answer that did not come says: 404 is told only to whom the thing would be shown, 403 can mean anything
/// (docs/reference/rbac.md#error-bodies).
fn unavailable_check(name: &'static str, what: &str, unavailable: &Unavailable, fix: &str) -> CheckResult {
    match unavailable.status() {
        Some(404) => CheckResult::problem(name, format!("{what} does not exist"), fix),
        Some(403) => CheckResult::unknown(name, format!("{what} is not shown to this key")),
        _ => CheckResult::unknown(name, unavailable.reason()),
    }
}

/// Judges all of it. `own` are the names of the department that is acted for; without one, the caller is the platform's
/// and must see its cluster.
#[must_use]
pub fn check_scope(observed: &ServiceObservation, target: &ProbeTarget, own: Option<&Prefix>) -> Vec<CheckResult> {
    let mut checks = vec![
        check_organization(observed, target),
        check_environment(observed, target),
    ];
    checks.extend(check_cluster(observed, target, own.is_none()));
    checks.push(check_registry(observed, target));
    checks.push(check_connectors(observed, own));
    checks
}

fn check_organization(observed: &ServiceObservation, target: &ProbeTarget) -> CheckResult {
    const NAME: &str = "organization";
    match (&observed.organization, &target.organization) {
        (Ok(found), Some(wanted)) if found != wanted => CheckResult::problem(
            NAME,
            format!("the key belongs to {found}, but {wanted} is named"),
            "Use a key of that organization, or correct `[organization] id` in ebs.toml.",
        ),
        (Ok(found), _) => CheckResult::ok(NAME, found.to_string()),
        (Err(unavailable), _) => CheckResult::unknown(NAME, unavailable.reason()),
    }
}

const CORRECT: &str = "Correct the stage in ebs.toml, or ask EBS for a new profile.";

fn check_environment(observed: &ServiceObservation, target: &ProbeTarget) -> CheckResult {
    const NAME: &str = "environment";
    let id = target.environment.as_ref().map(ToString::to_string).unwrap_or_default();
    match &observed.environment {
        Ok(found) if found.display_name.is_empty() => CheckResult::ok(NAME, id),
        Ok(found) => CheckResult::ok(NAME, format!("{id} ({})", found.display_name)),
        Err(unavailable) => unavailable_check(NAME, &id, unavailable, CORRECT),
    }
}

/// The cluster, its type and its state. What a key of a department may not see it need not see.
fn check_cluster(observed: &ServiceObservation, target: &ProbeTarget, needed: bool) -> Vec<CheckResult> {
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
    let check = match silence.status() {
        Some(403) if needed => CheckResult::problem(
            NAME,
            format!("{id} is not shown to this key: it holds no role there, or the cluster does not exist"),
            "Let an administrator bind CloudClusterAdmin on it: `confluent ebs init --print` shows the command.",
        ),
        _ => unavailable_check(NAME, &id, silence, CORRECT),
    };
    let reason = match check.state {
        CheckState::Problem => "the cluster is not seen",
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
        Some(403) => "the cluster is not shown to this key",
        _ => unavailable.reason(),
    }
}

fn check_registry(observed: &ServiceObservation, target: &ProbeTarget) -> CheckResult {
    const NAME: &str = "Schema Registry";
    let wanted = target.schema_registry.as_ref();
    match &observed.registries {
        Ok(found) => match wanted {
            Some(wanted) if !found.is_empty() && !found.contains(wanted) => CheckResult::problem(
                NAME,
                format!("the environment has {}, but {wanted} is named", found[0]),
                "Correct `schema_registry` of the stage in ebs.toml, or ask EBS for a new profile.",
            ),
            // A list that is cut to what the caller may see says nothing by being empty.
            Some(wanted) if found.is_empty() => {
                CheckResult::unknown(NAME, format!("{wanted} is not shown to this key"))
            }
            wanted => cluster::check_registry(found.first(), wanted),
        },
        Err(silence) if silence.status() == Some(403) => CheckResult::unknown(NAME, "not shown to this key"),
        Err(unavailable) => CheckResult::unknown(NAME, unavailable.reason()),
    }
}

/// The call that everything about connectors begins with.
fn check_connectors(observed: &ServiceObservation, own: Option<&Prefix>) -> CheckResult {
    const NAME: &str = "connectors";
    let all: &Observation<_> = &observed.connectors;
    match (all, own) {
        (Ok(all), Some(prefix)) => {
            let mine = all.keys().filter(|name| prefix.owns(name)).count();
            let others = match all.len() - mine {
                0 => String::new(),
                others => format!("; {others} of others are shown, too"),
            };
            CheckResult::ok(NAME, format!("{mine} begin with {prefix}{others}"))
        }
        (Ok(all), None) => CheckResult::ok(NAME, format!("{} can be listed", all.len())),
        (Err(silence), _) if silence.status() == Some(403) => CheckResult::problem(
            NAME,
            "may not be listed with this key",
            match own {
                Some(_) => {
                    "Ask EBS to run `confluent ebs onboard` for the department: roles may be missing or very new."
                }
                None => "Let an administrator bind CloudClusterAdmin: `confluent ebs init --print` shows the command.",
            },
        ),
        (Err(silence), _) if silence.status() == Some(404) => {
            CheckResult::problem(NAME, "the service knows no such cluster", CORRECT)
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
            message: format!("answered {status}"),
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
        let checks = check_scope(observed, &probe_target(), own);
        checks.iter().map(|check| (check.name, check.state)).collect()
    }

    fn one(observed: &ServiceObservation, own: Option<&Prefix>, name: &str) -> CheckResult {
        let checks = check_scope(observed, &probe_target(), own);
        checks.into_iter().find(|check| check.name == name).unwrap()
    }

    #[test]
    fn existing_resources_are_named() {
        let heard = observation();
        assert!(states(&heard, None).iter().all(|(_, state)| *state == CheckState::Ok));
        assert_eq!(one(&heard, None, "environment").detail, "env-1 (Production)");
        let mine = one(&heard, Some(&prefix()), "connectors").detail;
        assert_eq!(mine, "1 begin with claims-; 1 of others are shown, too");
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

    // Source: docs/reference/rbac.md#error-bodies. 403 is "unknown", never "absent".
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
        let nothing = ServiceObservation::skipped("there is no key to ask with");
        for check in check_scope(&nothing, &probe_target(), None) {
            assert_eq!(
                (check.state, check.detail.as_str()),
                (CheckState::Unknown, "there is no key to ask with")
            );
        }
    }
}
