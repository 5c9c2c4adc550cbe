//! What the caller may do, as far as its own role bindings show it, else as far as harmless calls do.

use std::collections::BTreeMap;

use super::{
    Check,
    heard::{Heard, Question, Silence},
};
use crate::{
    access::Evaluator,
    model::{Address, Prefix, ResourceKind, Role, RoleBinding},
    probe::NOBODYS,
};

/// How many kinds of roles are told one by one.
const TOLD: usize = 6;

/// Judges the roles of the caller; `department` is the names and the code of the department that it acts for.
#[must_use]
pub fn roles(heard: &Heard, question: &Question, department: Option<(&Prefix, &str)>) -> Check {
    const NAME: &str = "roles";
    let bindings = match &heard.bindings {
        Ok(bindings) if !bindings.is_empty() => bindings,
        silent => return unseen(silent.as_ref().err(), &heard.may, department),
    };
    let Some((prefix, code)) = department else {
        return Check::ok(NAME, told(bindings));
    };
    if let Some(wide) = bindings.iter().find(|binding| reaches_beyond(binding, prefix)) {
        return Check::problem(
            NAME,
            format!(
                "{} on {} reaches beyond {prefix}*, which no key of a department should",
                wide.role,
                wide.pattern.short()
            ),
            format!("Ask EBS to take it away: `confluent ebs onboard {code} --prune` shows what is too much."),
        );
    }
    let words = match (&heard.principal, heard.address(question)) {
        (Some(principal), Some(address)) => may(bindings, principal, &address, prefix),
        _ => Vec::new(),
    };
    match words.is_empty() {
        true => Check::problem(
            NAME,
            format!("{}, and none on connectors {prefix}*", told(bindings)),
            format!("Ask EBS to run `confluent ebs onboard {code}`."),
        ),
        false => Check::ok(NAME, format!("{}: {}", told(bindings), words.join(", "))),
    }
}

/// The roles, those on many things of one kind counted.
fn told(bindings: &[RoleBinding]) -> String {
    let mut groups: BTreeMap<(&str, ResourceKind), Vec<&RoleBinding>> = BTreeMap::new();
    for binding in bindings {
        groups
            .entry((binding.role.as_str(), binding.pattern.kind()))
            .or_default()
            .push(binding);
    }
    let mut words: Vec<String> = groups
        .iter()
        .take(TOLD)
        .map(|((role, kind), group)| match group.as_slice() {
            [one] => format!("{role} on {}", one.pattern.short()),
            many => format!("{role} on {} {}s", many.len(), kind.word()),
        })
        .collect();
    if groups.len() > TOLD {
        words.push(format!("{} more", groups.len() - TOLD));
    }
    words.join("; ")
}

/// Whether a binding gives something on other departments' connectors, or on a whole scope.
fn reaches_beyond(binding: &RoleBinding, prefix: &Prefix) -> bool {
    match binding.pattern.kind() {
        ResourceKind::Organization | ResourceKind::Environment | ResourceKind::Cluster => true,
        ResourceKind::Connector => !prefix.owns(binding.pattern.name().stem()),
        _ => false,
    }
}

/// What may be done to a connector of the department's that nobody has.
fn may(
    bindings: &[RoleBinding],
    principal: &crate::model::Principal,
    address: &Address,
    prefix: &Prefix,
) -> Vec<&'static str> {
    let Some(connector) = address.resource(ResourceKind::Connector, &format!("{prefix}{NOBODYS}")) else {
        return Vec::new();
    };
    let evaluator = Evaluator::new(bindings.iter().cloned());
    evaluator
        .operations(principal, &connector)
        .iter()
        .map(crate::access::Operation::word)
        .collect()
}

/// Where no binding is shown: an empty list may be the truth or a list that was cut, so only what was tried counts.
fn unseen(silence: Option<&Silence>, may: &BTreeMap<&'static str, bool>, department: Option<(&Prefix, &str)>) -> Check {
    const NAME: &str = "roles";
    let reason = match silence {
        Some(silence) if silence.status() == Some(403) => "its role bindings are not shown to this key",
        Some(silence) => silence.reason(),
        None => "no role binding is shown: it holds none, or may not see its own",
    };
    let allowed: Vec<&str> = may.iter().filter(|(_, may)| **may).map(|(word, _)| *word).collect();
    let refused: Vec<&str> = may.iter().filter(|(_, may)| !**may).map(|(word, _)| *word).collect();
    match department {
        Some((prefix, _)) if !allowed.is_empty() => {
            let not = match refused.is_empty() {
                true => String::new(),
                false => format!(", not {}", refused.join(", ")),
            };
            Check::ok(
                NAME,
                format!("{reason}; tried on {prefix}*: {}{not}", allowed.join(", ")),
            )
        }
        Some((prefix, code)) if !refused.is_empty() => Check::unknown(
            NAME,
            format!("{reason}; tried on {prefix}*: not {}", refused.join(", ")),
        )
        .then(format!(
            "If more is needed, ask EBS to run `confluent ebs onboard {code}`."
        )),
        _ => Check::unknown(NAME, reason),
    }
}

/// The roles that the provisioner needs in one stage (dossier `rbac.md` §8.6).
#[derive(Clone, Debug)]
pub struct Needed {
    /// The stage, by name.
    pub stage: String,
    /// Where it is.
    pub address: Address,
    /// The command that gives each role, in the order of [`Needed::missing`]: on the cluster, on the subjects.
    pub commands: [String; 2],
}

impl Needed {
    /// What is missing of it among `held`, each with its command.
    fn missing(&self, held: &[RoleBinding]) -> Vec<(String, &str)> {
        let has = |role: Role, kind: ResourceKind, name: &str| {
            let pattern = self
                .address
                .pattern(kind, crate::model::NamePattern::parse(name).ok()?)?;
            let found = held
                .iter()
                .any(|binding| binding.role == role && binding.pattern.covers_pattern(&pattern));
            (!found).then(|| format!("{}: {role} on {}", self.stage, pattern.short()))
        };
        let cluster = has(
            Role::CloudClusterAdmin,
            ResourceKind::Cluster,
            self.address.cluster.as_str(),
        );
        // Without a Schema Registry there is nothing to own.
        let subjects = has(Role::ResourceOwner, ResourceKind::Subject, "*");
        let both = [cluster, subjects].into_iter().zip(&self.commands);
        both.filter_map(|(missing, command)| Some((missing?, command.as_str())))
            .collect()
    }
}

/// Judges whether the caller can onboard departments in `stages`, or tells why that does not matter.
#[must_use]
pub fn provisioner(heard: &Heard, stages: Result<&[Needed], &str>) -> Check {
    const NAME: &str = "provisioner's roles";
    const SHOW: &str = "`confluent ebs init --print` shows the commands that make the provisioner.";
    let stages = match stages {
        Ok(stages) => stages,
        Err(why) => return Check::ok(NAME, why),
    };
    let held = match &heard.bindings {
        Ok(held) if !held.is_empty() => held,
        Ok(_) => return Check::unknown(NAME, "no role binding of this account is shown").then(SHOW),
        Err(silence) => return Check::unknown(NAME, silence.reason()).then(SHOW),
    };
    if let Some(crate::model::Principal::User(id)) = &heard.principal {
        return Check::unknown(NAME, format!("{id} is a person and cannot be the provisioner")).then(SHOW);
    }
    let missing: Vec<(String, &str)> = stages.iter().flat_map(|stage| stage.missing(held)).collect();
    if missing.is_empty() {
        let names: Vec<&str> = stages.iter().map(|stage| stage.stage.as_str()).collect();
        return Check::ok(NAME, format!("all there, in {}", names.join(", ")));
    }
    let words: Vec<&str> = missing.iter().map(|(what, _)| what.as_str()).collect();
    let commands: Vec<String> = missing.iter().map(|(_, command)| format!("`{command}`")).collect();
    Check::problem(
        NAME,
        format!("missing in {}", words.join("; ")),
        format!("An administrator runs {}.", commands.join(", then ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checks::CheckState,
        model::{NamePattern, Principal},
    };

    fn address() -> Address {
        Address {
            organization: "org-1".parse().unwrap(),
            environment: "env-1".parse().unwrap(),
            cluster: "lkc-1".parse().unwrap(),
            schema_registry: Some("lsrc-1".parse().unwrap()),
        }
    }

    fn question() -> Question {
        let address = address();
        Question {
            organization: Some(address.organization),
            environment: Some(address.environment),
            cluster: Some(address.cluster),
            schema_registry: address.schema_registry,
            ..Question::default()
        }
    }

    fn principal() -> Principal {
        Principal::from_id("sa-1")
    }

    fn bound(role: Role, kind: ResourceKind, name: &str) -> RoleBinding {
        let pattern = address().pattern(kind, NamePattern::parse(name).unwrap()).unwrap();
        RoleBinding::new(principal(), role, pattern)
    }

    fn heard(bindings: Result<Vec<RoleBinding>, u16>) -> Heard {
        let mut heard = Heard::nothing("offline");
        heard.principal = Some(principal());
        heard.bindings = bindings.map_err(|status| Silence::Failed {
            status: Some(status),
            said: format!("answered {status}"),
        });
        heard
    }

    fn judged(heard: &Heard) -> Check {
        let prefix = Prefix::parse("claims-").unwrap();
        roles(heard, &question(), Some((&prefix, "claims")))
    }

    // Dossier `rbac.md` §1.1, row ConnectManager.
    #[test]
    fn the_roles_of_a_department_are_told_with_what_they_allow() {
        let check = judged(&heard(Ok(vec![bound(
            Role::ConnectManager,
            ResourceKind::Connector,
            "claims-*",
        )])));
        assert_eq!(check.state, CheckState::Ok);
        assert_eq!(
            check.detail,
            "ConnectManager on connector claims-*: describe, read-config, read-status, view-logs, view-metrics, lifecycle"
        );
        let topics = judged(&heard(Ok(vec![bound(
            Role::DeveloperRead,
            ResourceKind::Topic,
            "claims-*",
        )])));
        assert_eq!(topics.state, CheckState::Problem);
        assert!(topics.fix.unwrap().contains("`confluent ebs onboard claims`"));
    }

    // Dossier `rbac.md` §8: no role at the cluster, environment or organization for departments.
    #[test]
    fn a_role_that_reaches_beyond_the_department_is_a_problem() {
        for wide in [
            bound(Role::ConnectManager, ResourceKind::Cluster, "lkc-1"),
            bound(Role::DeveloperRead, ResourceKind::Connector, "*"),
            bound(Role::DeveloperRead, ResourceKind::Connector, "cl*"),
            bound(Role::DeveloperRead, ResourceKind::Connector, "motor-x"),
        ] {
            let own = bound(Role::ConnectManager, ResourceKind::Connector, "claims-*");
            let check = judged(&heard(Ok(vec![own, wide.clone()])));
            assert_eq!(check.state, CheckState::Problem, "{wide:?}");
        }
    }

    #[test]
    fn what_is_not_shown_is_tried_and_never_taken_for_absent() {
        for bindings in [Ok(Vec::new()), Err(403)] {
            let mut seen = heard(bindings);
            assert_eq!(judged(&seen).state, CheckState::Unknown);
            seen.may.insert("create", false);
            assert_eq!(judged(&seen).state, CheckState::Unknown);
            seen.may.insert("read-status", true);
            let check = judged(&seen);
            assert_eq!(check.state, CheckState::Ok);
            assert!(
                check.detail.ends_with("tried on claims-*: read-status, not create"),
                "{}",
                check.detail
            );
        }
    }

    #[test]
    fn many_roles_of_a_kind_are_counted() {
        let account = |id: &str| bound(Role::ResourceOwner, ResourceKind::ServiceAccount, id);
        let cluster = bound(Role::CloudClusterAdmin, ResourceKind::Cluster, "lkc-1");
        let check = roles(
            &heard(Ok(vec![cluster, account("sa-2"), account("sa-3")])),
            &question(),
            None,
        );
        assert_eq!(
            check.detail,
            "CloudClusterAdmin on cluster lkc-1; ResourceOwner on 2 service-accounts"
        );
    }

    fn stage(name: &str) -> Needed {
        Needed {
            stage: name.to_owned(),
            address: address(),
            commands: ["confluent one".into(), "confluent two".into()],
        }
    }

    // Dossier `rbac.md` §8.6.
    #[test]
    fn the_provisioner_needs_the_cluster_and_the_subjects_of_every_stage() {
        let cluster = bound(Role::CloudClusterAdmin, ResourceKind::Cluster, "lkc-1");
        let subjects = bound(Role::ResourceOwner, ResourceKind::Subject, "*");
        let judged = |held: &[&RoleBinding], stages: &[Needed]| {
            provisioner(
                &heard(Ok(held.iter().map(|held| (*held).clone()).collect())),
                Ok(stages),
            )
        };
        assert_eq!(judged(&[&cluster, &subjects], &[stage("prod")]).state, CheckState::Ok);
        let check = judged(&[&cluster], &[stage("prod")]);
        assert_eq!(check.state, CheckState::Problem);
        assert_eq!(check.detail, "missing in prod: ResourceOwner on subject *");
        assert_eq!(check.fix.unwrap(), "An administrator runs `confluent two`.");
        let narrow = bound(Role::ResourceOwner, ResourceKind::Subject, "claims-*");
        assert_eq!(
            judged(&[&cluster, &narrow], &[stage("prod")]).state,
            CheckState::Problem
        );
        let mut other = stage("test");
        other.address.cluster = "lkc-2".parse().unwrap();
        let check = judged(&[&cluster, &subjects], &[stage("prod"), other]);
        assert_eq!(check.detail, "missing in test: CloudClusterAdmin on cluster lkc-2");
        let mut without = stage("prod");
        without.address.schema_registry = None;
        assert_eq!(judged(&[&cluster], &[without]).state, CheckState::Ok);
    }

    #[test]
    fn roles_that_are_not_shown_are_not_missing() {
        for bindings in [Ok(Vec::new()), Err(403)] {
            let check = provisioner(&heard(bindings), Ok(&[stage("prod")]));
            assert_eq!(check.state, CheckState::Unknown);
            assert!(check.fix.unwrap().contains("init --print"));
        }
    }
}
