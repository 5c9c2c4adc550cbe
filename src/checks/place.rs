//! Whether what the profile or `ebs.toml` names is there: organization, environment, cluster, Schema Registry, and the
//! connectors of the cluster.

use super::{
    Check, CheckState, cluster,
    heard::{Answer, Heard, Question, Silence},
};
use crate::model::Prefix;

/// What an answer that did not come says: 404 is told only to whom the thing would be shown, 403 can mean anything
/// (dossier `rbac.md` §4.5).
fn missing(name: &'static str, what: &str, silence: &Silence, fix: &str) -> Check {
    match silence.status() {
        Some(404) => Check::problem(name, format!("{what} does not exist"), fix),
        Some(403) => Check::unknown(name, format!("{what} is not shown to this key")),
        _ => Check::unknown(name, silence.reason()),
    }
}

/// Judges all of it. `own` are the names of the department that is acted for; without one, the caller is the platform's
/// and must see its cluster.
#[must_use]
pub fn judge(heard: &Heard, question: &Question, own: Option<&Prefix>) -> Vec<Check> {
    let mut checks = vec![organization(heard, question), environment(heard, question)];
    checks.extend(kafka(heard, question, own.is_none()));
    checks.push(registry(heard, question));
    checks.push(connectors(heard, own));
    checks
}

fn organization(heard: &Heard, question: &Question) -> Check {
    const NAME: &str = "organization";
    match (&heard.organization, &question.organization) {
        (Ok(found), Some(wanted)) if found != wanted => Check::problem(
            NAME,
            format!("the key belongs to {found}, but {wanted} is named"),
            "Use a key of that organization, or correct `[organization] id` in ebs.toml.",
        ),
        (Ok(found), _) => Check::ok(NAME, found.to_string()),
        (Err(silence), _) => Check::unknown(NAME, silence.reason()),
    }
}

const CORRECT: &str = "Correct the stage in ebs.toml, or ask EBS for a new profile.";

fn environment(heard: &Heard, question: &Question) -> Check {
    const NAME: &str = "environment";
    let id = question
        .environment
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    match &heard.environment {
        Ok(found) if found.display_name.is_empty() => Check::ok(NAME, id),
        Ok(found) => Check::ok(NAME, format!("{id} ({})", found.display_name)),
        Err(silence) => missing(NAME, &id, silence, CORRECT),
    }
}

/// The cluster, its type and its state. What a key of a department may not see it need not see.
fn kafka(heard: &Heard, question: &Question, needed: bool) -> Vec<Check> {
    const NAME: &str = "cluster";
    let id = question.cluster.as_ref().map(ToString::to_string).unwrap_or_default();
    let silence = match &heard.cluster {
        Ok(found) => {
            let name = match found.spec.display_name.as_str() {
                "" => id,
                name => format!("{id} ({name})"),
            };
            return vec![Check::ok(NAME, name), cluster::kind(found), cluster::phase(found)];
        }
        Err(silence) => silence,
    };
    let check = match silence.status() {
        Some(403) if needed => Check::problem(
            NAME,
            format!("{id} is not shown to this key: it holds no role there, or the cluster does not exist"),
            "Let an administrator bind CloudClusterAdmin on it: `confluent ebs init --print` shows the command.",
        ),
        _ => missing(NAME, &id, silence, CORRECT),
    };
    let reason = match check.state {
        CheckState::Problem => "the cluster is not seen",
        _ => silence_of_cluster(silence),
    };
    vec![
        check,
        Check::unknown("cluster type", reason),
        Check::unknown("cluster state", reason),
    ]
}

fn silence_of_cluster(silence: &Silence) -> &str {
    match silence.status() {
        Some(403) => "the cluster is not shown to this key",
        _ => silence.reason(),
    }
}

fn registry(heard: &Heard, question: &Question) -> Check {
    const NAME: &str = "Schema Registry";
    let wanted = question.schema_registry.as_ref();
    match &heard.registries {
        Ok(found) => match wanted {
            Some(wanted) if !found.is_empty() && !found.contains(wanted) => Check::problem(
                NAME,
                format!("the environment has {}, but {wanted} is named", found[0]),
                "Correct `schema_registry` of the stage in ebs.toml, or ask EBS for a new profile.",
            ),
            // A list that is cut to what the caller may see says nothing by being empty.
            Some(wanted) if found.is_empty() => Check::unknown(NAME, format!("{wanted} is not shown to this key")),
            wanted => cluster::registry(found.first(), wanted),
        },
        Err(silence) if silence.status() == Some(403) => Check::unknown(NAME, "not shown to this key"),
        Err(silence) => Check::unknown(NAME, silence.reason()),
    }
}

/// The call that everything about connectors begins with.
fn connectors(heard: &Heard, own: Option<&Prefix>) -> Check {
    const NAME: &str = "connectors";
    let all: &Answer<_> = &heard.connectors;
    match (all, own) {
        (Ok(all), Some(prefix)) => {
            let mine = all.keys().filter(|name| prefix.owns(name)).count();
            let others = match all.len() - mine {
                0 => String::new(),
                others => format!("; {others} of others are shown, too"),
            };
            Check::ok(NAME, format!("{mine} begin with {prefix}{others}"))
        }
        (Ok(all), None) => Check::ok(NAME, format!("{} can be listed", all.len())),
        (Err(silence), _) if silence.status() == Some(403) => Check::problem(
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
            Check::problem(NAME, "the service knows no such cluster", CORRECT)
        }
        (Err(silence), _) => Check::unknown(NAME, silence.reason()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::cmk::Cluster;

    fn refused(status: u16) -> Silence {
        Silence::Failed {
            status: Some(status),
            said: format!("answered {status}"),
        }
    }

    fn question() -> Question {
        Question {
            organization: Some("11111111-2222-3333-4444-555555555555".parse().unwrap()),
            environment: Some("env-1".parse().unwrap()),
            cluster: Some("lkc-1".parse().unwrap()),
            schema_registry: Some("lsrc-1".parse().unwrap()),
            ..Question::default()
        }
    }

    fn kafka_of(kind: &str, phase: &str) -> Cluster {
        serde_json::from_value(serde_json::json!({
            "id": "lkc-1", "spec": { "display_name": "shared", "config": { "kind": kind } }, "status": { "phase": phase }
        }))
        .unwrap()
    }

    fn heard() -> Heard {
        let mut heard = Heard::nothing("offline");
        heard.organization = Ok("11111111-2222-3333-4444-555555555555".parse().unwrap());
        heard.environment = Ok(serde_json::from_str(r#"{"id":"env-1","display_name":"Production"}"#).unwrap());
        heard.cluster = Ok(kafka_of("Standard", "PROVISIONED"));
        heard.registries = Ok(vec!["lsrc-1".parse().unwrap()]);
        heard.connectors = Ok([("claims-a", ()), ("motor-b", ())]
            .map(|(name, ())| (name.to_owned(), crate::api::connect::Expanded::default()))
            .into());
        heard
    }

    fn prefix() -> Prefix {
        Prefix::parse("claims-").unwrap()
    }

    fn states(heard: &Heard, own: Option<&Prefix>) -> Vec<(&'static str, CheckState)> {
        let checks = judge(heard, &question(), own);
        checks.iter().map(|check| (check.name, check.state)).collect()
    }

    fn one(heard: &Heard, own: Option<&Prefix>, name: &str) -> Check {
        let checks = judge(heard, &question(), own);
        checks.into_iter().find(|check| check.name == name).unwrap()
    }

    #[test]
    fn what_is_there_is_named() {
        let heard = heard();
        assert!(states(&heard, None).iter().all(|(_, state)| *state == CheckState::Ok));
        assert_eq!(one(&heard, None, "environment").detail, "env-1 (Production)");
        let mine = one(&heard, Some(&prefix()), "connectors").detail;
        assert_eq!(mine, "1 begin with claims-; 1 of others are shown, too");
    }

    // Dossier `rbac.md` §1.3.
    #[test]
    fn a_basic_cluster_is_refused() {
        let mut heard = heard();
        heard.cluster = Ok(kafka_of("Basic", "PROVISIONED"));
        assert_eq!(one(&heard, None, "cluster type").state, CheckState::Problem);
        heard.cluster = Ok(kafka_of("Standard", "PROVISIONING"));
        assert_eq!(one(&heard, None, "cluster state").state, CheckState::Problem);
    }

    // Dossier `rbac.md` §4.5: 403 is "unknown", never "absent".
    #[test]
    fn forbidden_is_unknown_unless_it_must_be_seen() {
        let mut heard = heard();
        heard.environment = Err(refused(403));
        heard.cluster = Err(refused(403));
        heard.registries = Err(refused(403));
        let department = states(&heard, Some(&prefix()));
        assert!(
            department[1..5].iter().all(|(_, state)| *state == CheckState::Unknown),
            "{department:?}"
        );
        let check = one(&heard, None, "cluster");
        assert_eq!(check.state, CheckState::Problem);
        assert!(check.fix.unwrap().contains("init --print"));
        heard.environment = Err(refused(404));
        heard.cluster = Err(refused(404));
        for name in ["environment", "cluster"] {
            assert_eq!(one(&heard, Some(&prefix()), name).state, CheckState::Problem, "{name}");
        }
        heard.connectors = Err(refused(403));
        assert_eq!(one(&heard, Some(&prefix()), "connectors").state, CheckState::Problem);
    }

    #[test]
    fn another_organization_or_registry_is_a_problem() {
        let mut heard = heard();
        heard.organization = Ok("other".parse().unwrap());
        assert_eq!(one(&heard, None, "organization").state, CheckState::Problem);
        heard.registries = Ok(vec!["lsrc-2".parse().unwrap()]);
        assert_eq!(one(&heard, None, "Schema Registry").state, CheckState::Problem);
        heard.registries = Ok(Vec::new());
        assert_eq!(one(&heard, None, "Schema Registry").state, CheckState::Unknown);
    }

    #[test]
    fn nobody_asked_is_unknown_everywhere() {
        let nothing = Heard::nothing("there is no key to ask with");
        for check in judge(&nothing, &question(), None) {
            assert_eq!(
                (check.state, check.detail.as_str()),
                (CheckState::Unknown, "there is no key to ask with")
            );
        }
    }
}
