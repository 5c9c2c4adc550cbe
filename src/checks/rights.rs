//! Checks of the caller's allowed operations, by its role bindings or, if they are not visible, by harmless probes.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    CheckResult,
    observation::{ProbeTarget, ServiceObservation},
};
use crate::{
    access::{AccessGrant, Evaluator, Operation, disputed},
    model::{Prefix, ResourceKind, Role, RoleBinding, StageAddress},
    probe::PROBE_NAME,
    session::Options,
};

/// Maximum number of role and resource kinds listed individually.
const MAX_LISTED_ROLES: usize = 6;

/// Checks the roles of the caller; `department` is the prefix and code of the department it acts for. `options` are those
/// of commands that the platform team should run.
#[must_use]
pub fn check_roles(
    observed: &ServiceObservation,
    target: &ProbeTarget,
    department: Option<(&Prefix, &str)>,
    options: &Options,
) -> CheckResult {
    const NAME: &str = "roles";
    let bindings = match &observed.bindings {
        Ok(bindings) if !bindings.is_empty() => bindings,
        _ => return check_hidden_roles(observed, target, department, options),
    };
    let Some((prefix, code)) = department else {
        return CheckResult::ok(NAME, list_bindings(bindings));
    };
    let onboard = options.suggest(&format!("onboard {code}"));
    if let Some(wide) = bindings.iter().find(|binding| exceeds_prefix(binding, prefix)) {
        let prune = options.suggest(&format!("onboard {code} --prune"));
        return CheckResult::problem(
            NAME,
            format!(
                "{} on {} is not limited to `{prefix}*`, as it must be for a department's key",
                wide.role,
                wide.pattern.to_short_string()
            ),
            format!(
                "Ask {} to remove it: `{prune}` lists excess roles.",
                target.platform_team
            ),
        );
    }
    let (words, disputed) = match (&observed.principal, observed.address(target)) {
        (Some(principal), Some(address)) => allowed_operations(bindings, principal, &address, prefix),
        _ => Default::default(),
    };
    let unknown = match disputed.is_empty() {
        true => String::new(),
        false => format!("; unknown: {} (assumption Q5)", disputed.join(", ")),
    };
    match words.is_empty() {
        true => CheckResult::problem(
            NAME,
            format!("{}, but none on connectors `{prefix}*`", list_bindings(bindings)),
            format!("Ask {} to run `{onboard}`.", target.platform_team),
        ),
        false => CheckResult::ok(
            NAME,
            format!("{}: {}{unknown}", list_bindings(bindings), words.join(", ")),
        ),
    }
}

/// Returns the roles as text; several resources of one kind are counted.
fn list_bindings(bindings: &[RoleBinding]) -> String {
    let mut groups: BTreeMap<(&str, ResourceKind), Vec<&RoleBinding>> = BTreeMap::new();
    for binding in bindings {
        groups
            .entry((binding.role.as_str(), binding.pattern.kind()))
            .or_default()
            .push(binding);
    }
    let mut words: Vec<String> = groups
        .iter()
        .take(MAX_LISTED_ROLES)
        .map(|((role, kind), group)| match group.as_slice() {
            [one] => format!("{role} on {}", one.pattern.to_short_string()),
            many => format!("{role} on {} {}s", many.len(), kind.display_name()),
        })
        .collect();
    if groups.len() > MAX_LISTED_ROLES {
        words.push(format!("{} more", groups.len() - MAX_LISTED_ROLES));
    }
    words.join("; ")
}

/// Returns whether a binding allows operations on connectors of other departments or on a whole scope.
fn exceeds_prefix(binding: &RoleBinding, prefix: &Prefix) -> bool {
    match binding.pattern.kind() {
        ResourceKind::Organization | ResourceKind::Environment | ResourceKind::Cluster => true,
        ResourceKind::Connector => !prefix.owns(binding.pattern.name().stem()),
        _ => false,
    }
}

/// Returns the allowed operations on a fictitious connector of the department, and those on which Confluent's documents
/// disagree.
fn allowed_operations(
    bindings: &[RoleBinding],
    principal: &crate::model::Principal,
    address: &StageAddress,
    prefix: &Prefix,
) -> (Vec<&'static str>, Vec<&'static str>) {
    let Some(connector) = address.resource(ResourceKind::Connector, &format!("{prefix}{PROBE_NAME}")) else {
        return Default::default();
    };
    let evaluator = Evaluator::new(bindings.iter().cloned());
    let grants = bindings
        .iter()
        .map(|binding| AccessGrant::Role(Arc::new(binding.clone())));
    let grants: Vec<AccessGrant> = grants.collect();
    let (unknown, allowed): (Vec<Operation>, Vec<Operation>) = evaluator
        .allowed_operations(principal, &connector)
        .iter()
        .partition(|operation| grants.iter().all(|grant| disputed(*operation, grant).is_some()));
    let words = |operations: Vec<Operation>| operations.into_iter().map(Operation::as_str).collect();
    (words(allowed), words(unknown))
}

/// Checks the roles when no binding is visible. An empty list can be complete or filtered, so only probes count.
fn check_hidden_roles(
    observed: &ServiceObservation,
    target: &ProbeTarget,
    department: Option<(&Prefix, &str)>,
    options: &Options,
) -> CheckResult {
    const NAME: &str = "roles";
    let reason = match observed.bindings.as_ref().err() {
        Some(silence) if silence.status() == Some(403) => "this key is not allowed to list its role bindings",
        Some(silence) => silence.reason(),
        None => "no role binding is visible: there is none, or the key is not allowed to list its own",
    };
    let allowed: Vec<&str> = observed
        .allowed_operations
        .iter()
        .filter(|(_, may)| **may)
        .map(|(word, _)| *word)
        .collect();
    let refused: Vec<&str> = observed
        .allowed_operations
        .iter()
        .filter(|(_, may)| !**may)
        .map(|(word, _)| *word)
        .collect();
    match department {
        Some((prefix, _)) if !allowed.is_empty() => {
            let not = match refused.is_empty() {
                true => String::new(),
                false => format!(", not {}", refused.join(", ")),
            };
            CheckResult::ok(
                NAME,
                format!("{reason}; probed on `{prefix}*`: {}{not}", allowed.join(", ")),
            )
        }
        Some((prefix, code)) if !refused.is_empty() => {
            let onboard = options.suggest(&format!("onboard {code}"));
            let detail = format!("{reason}; probed on `{prefix}*`: not {}", refused.join(", "));
            CheckResult::unknown(NAME, detail).with_fix(format!(
                "If you need more, ask {} to run `{onboard}`.",
                target.platform_team
            ))
        }
        _ => CheckResult::unknown(NAME, reason),
    }
}

/// Roles that the provisioner needs in one stage (docs/reference/rbac.md#roles-of-the-provisioner).
#[derive(Clone, Debug)]
pub struct RequiredRoles {
    /// Name of the stage.
    pub stage: String,
    /// Address of the stage.
    pub address: StageAddress,
    /// Command that grants each role, in the order of `RequiredRoles::missing`: on the cluster, on the subjects.
    pub commands: [String; 2],
}

impl RequiredRoles {
    /// Returns the roles missing in `held`, each with its command.
    fn missing(&self, held: &[RoleBinding]) -> Vec<(String, &str)> {
        let has = |role: Role, kind: ResourceKind, name: &str| {
            let pattern = self
                .address
                .pattern(kind, crate::model::NamePattern::parse(name).ok()?)?;
            let found = held
                .iter()
                .any(|binding| binding.role == role && binding.pattern.covers_pattern(&pattern));
            (!found).then(|| format!("{}: {role} on {}", self.stage, pattern.to_short_string()))
        };
        let cluster = has(
            Role::CloudClusterAdmin,
            ResourceKind::Cluster,
            self.address.cluster.as_str(),
        );
        // Without a Schema Registry there are no subjects.
        let subjects = has(Role::ResourceOwner, ResourceKind::Subject, "*");
        let both = [cluster, subjects].into_iter().zip(&self.commands);
        both.filter_map(|(missing, command)| Some((missing?, command.as_str())))
            .collect()
    }
}

/// Checks whether the caller can onboard departments in `stages`; `Err` tells why that does not apply. Suggested commands
/// have the flags of `options`.
#[must_use]
pub fn check_provisioner(
    observed: &ServiceObservation,
    stages: Result<&[RequiredRoles], &str>,
    options: &Options,
) -> CheckResult {
    const NAME: &str = "provisioner's roles";
    let print = options.suggest("init --print");
    let show = || format!("Show the commands that create the provisioner with `{print}`.");
    let stages = match stages {
        Ok(stages) => stages,
        Err(why) => return CheckResult::ok(NAME, why),
    };
    let held = match &observed.bindings {
        Ok(held) if !held.is_empty() => held,
        Ok(_) => return CheckResult::unknown(NAME, "no role binding of this account is visible").with_fix(show()),
        Err(unavailable) => return CheckResult::unknown(NAME, unavailable.reason()).with_fix(show()),
    };
    if let Some(crate::model::Principal::User(id)) = &observed.principal {
        return CheckResult::unknown(NAME, format!("{id} is a user and cannot be the provisioner")).with_fix(show());
    }
    let missing: Vec<(String, &str)> = stages.iter().flat_map(|stage| stage.missing(held)).collect();
    if missing.is_empty() {
        let names: Vec<&str> = stages.iter().map(|stage| stage.stage.as_str()).collect();
        return CheckResult::ok(NAME, format!("complete in {}", names.join(", ")));
    }
    let words: Vec<&str> = missing.iter().map(|(what, _)| what.as_str()).collect();
    let commands: Vec<String> = missing.iter().map(|(_, command)| format!("`{command}`")).collect();
    CheckResult::problem(
        NAME,
        format!("missing in {}", words.join("; ")),
        format!("Ask an administrator to run {}.", commands.join(", then ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checks::{CheckState, observation::Unavailable},
        model::{NamePattern, Principal},
    };

    fn address() -> StageAddress {
        StageAddress {
            organization: "org-1".parse().unwrap(),
            environment: "env-1".parse().unwrap(),
            cluster: "lkc-1".parse().unwrap(),
            schema_registry: Some("lsrc-1".parse().unwrap()),
        }
    }

    fn probe_target() -> ProbeTarget {
        let address = address();
        ProbeTarget {
            organization: Some(address.organization),
            environment: Some(address.environment),
            cluster: Some(address.cluster),
            schema_registry: address.schema_registry,
            ..ProbeTarget::default()
        }
    }

    fn principal() -> Principal {
        Principal::from_id("sa-1")
    }

    fn role_binding(role: Role, kind: ResourceKind, name: &str) -> RoleBinding {
        let pattern = address().pattern(kind, NamePattern::parse(name).unwrap()).unwrap();
        RoleBinding::new(principal(), role, pattern)
    }

    fn observation(bindings: Result<Vec<RoleBinding>, u16>) -> ServiceObservation {
        let mut heard = ServiceObservation::skipped("offline");
        heard.principal = Some(principal());
        heard.bindings = bindings.map_err(|status| Unavailable::Failed {
            status: Some(status),
            message: format!("status {status}"),
        });
        heard
    }

    fn run_check(observed: &ServiceObservation) -> CheckResult {
        let prefix = Prefix::parse("claims-").unwrap();
        check_roles(
            observed,
            &probe_target(),
            Some((&prefix, "claims")),
            &Options::default(),
        )
    }

    // Source: docs/reference/rbac.md#connector-roles, row ConnectManager.
    #[test]
    fn the_roles_of_a_department_are_listed_with_their_operations() {
        let check = run_check(&observation(Ok(vec![role_binding(
            Role::ConnectManager,
            ResourceKind::Connector,
            "claims-*",
        )])));
        assert_eq!(check.state, CheckState::Ok);
        assert_eq!(
            check.detail,
            "ConnectManager on connector claims-*: describe, read-config, read-status, view-logs, lifecycle; unknown: \
             view-metrics (assumption Q5)"
        );
        let topics = run_check(&observation(Ok(vec![role_binding(
            Role::DeveloperRead,
            ResourceKind::Topic,
            "claims-*",
        )])));
        assert_eq!(topics.state, CheckState::Problem);
        assert!(topics.fix.unwrap().contains("`confluent ebs onboard claims`"));
    }

    // Source: docs/reference/rbac.md#personas. No role on cluster, environment or organization for departments.
    #[test]
    fn a_role_beyond_the_departments_prefix_is_a_problem() {
        for wide in [
            role_binding(Role::ConnectManager, ResourceKind::Cluster, "lkc-1"),
            role_binding(Role::DeveloperRead, ResourceKind::Connector, "*"),
            role_binding(Role::DeveloperRead, ResourceKind::Connector, "cl*"),
            role_binding(Role::DeveloperRead, ResourceKind::Connector, "motor-x"),
        ] {
            let own = role_binding(Role::ConnectManager, ResourceKind::Connector, "claims-*");
            let check = run_check(&observation(Ok(vec![own, wide.clone()])));
            assert_eq!(check.state, CheckState::Problem, "{wide:?}");
        }
    }

    #[test]
    fn hidden_roles_are_probed_and_never_reported_as_absent() {
        for bindings in [Ok(Vec::new()), Err(403)] {
            let mut seen = observation(bindings);
            assert_eq!(run_check(&seen).state, CheckState::Unknown);
            seen.allowed_operations.insert("create", false);
            assert_eq!(run_check(&seen).state, CheckState::Unknown);
            seen.allowed_operations.insert("read-status", true);
            let check = run_check(&seen);
            assert_eq!(check.state, CheckState::Ok);
            assert!(
                check.detail.ends_with("probed on `claims-*`: read-status, not create"),
                "{}",
                check.detail
            );
        }
    }

    #[test]
    fn many_roles_of_one_kind_are_counted() {
        let account = |id: &str| role_binding(Role::ResourceOwner, ResourceKind::ServiceAccount, id);
        let cluster = role_binding(Role::CloudClusterAdmin, ResourceKind::Cluster, "lkc-1");
        let check = check_roles(
            &observation(Ok(vec![cluster, account("sa-2"), account("sa-3")])),
            &probe_target(),
            None,
            &Options::default(),
        );
        assert_eq!(
            check.detail,
            "CloudClusterAdmin on cluster lkc-1; ResourceOwner on 2 service-accounts"
        );
    }

    fn required_roles(name: &str) -> RequiredRoles {
        RequiredRoles {
            stage: name.to_owned(),
            address: address(),
            commands: ["confluent one".into(), "confluent two".into()],
        }
    }

    #[test]
    fn the_provisioner_needs_roles_on_cluster_and_subjects_of_every_stage() {
        let cluster = role_binding(Role::CloudClusterAdmin, ResourceKind::Cluster, "lkc-1");
        let subjects = role_binding(Role::ResourceOwner, ResourceKind::Subject, "*");
        let judged = |held: &[&RoleBinding], stages: &[RequiredRoles]| {
            check_provisioner(
                &observation(Ok(held.iter().map(|held| (*held).clone()).collect())),
                Ok(stages),
                &Options::default(),
            )
        };
        assert_eq!(
            judged(&[&cluster, &subjects], &[required_roles("prod")]).state,
            CheckState::Ok
        );
        let check = judged(&[&cluster], &[required_roles("prod")]);
        assert_eq!(check.state, CheckState::Problem);
        assert_eq!(check.detail, "missing in prod: ResourceOwner on subject *");
        assert_eq!(check.fix.unwrap(), "Ask an administrator to run `confluent two`.");
        let narrow = role_binding(Role::ResourceOwner, ResourceKind::Subject, "claims-*");
        assert_eq!(
            judged(&[&cluster, &narrow], &[required_roles("prod")]).state,
            CheckState::Problem
        );
        let mut other = required_roles("test");
        other.address.cluster = "lkc-2".parse().unwrap();
        let check = judged(&[&cluster, &subjects], &[required_roles("prod"), other]);
        assert_eq!(check.detail, "missing in test: CloudClusterAdmin on cluster lkc-2");
        let mut without = required_roles("prod");
        without.address.schema_registry = None;
        assert_eq!(judged(&[&cluster], &[without]).state, CheckState::Ok);
    }

    #[test]
    fn hidden_roles_are_not_reported_as_missing() {
        for bindings in [Ok(Vec::new()), Err(403)] {
            let check = check_provisioner(
                &observation(bindings),
                Ok(&[required_roles("prod")]),
                &Options::default(),
            );
            assert_eq!(check.state, CheckState::Unknown);
            assert!(check.fix.unwrap().contains("init --print"));
        }
    }
}
