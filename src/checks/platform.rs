//! Checks of the platform's files, and of the unverified assumptions that their grants depend on.

use std::collections::BTreeSet;

use super::{CheckResult, observation::ServiceObservation};
use crate::{
    access::{RbacAssumptions, check_bind_pattern},
    diag::{Severity, SourceSpan},
    manifest::{LoadedWorkspace, Workspace},
    model::{CrnPattern, NamePattern, Prefix, ResourceKind, Role, RoleBinding, RoleGrant, StageAddress, Template},
    session::Options,
};

/// Checks the files. The result never quotes them, because they may contain a misplaced secret. Suggested commands have
/// the flags of `options`.
#[must_use]
pub fn check_files(loaded: Result<Option<&LoadedWorkspace>, &str>, options: &Options) -> CheckResult {
    const NAME: &str = "platform files";
    let loaded = match loaded {
        Err(why) => return CheckResult::problem(NAME, why, "Correct or unset the variable."),
        Ok(None) => {
            return CheckResult::ok(
                NAME,
                "none in this folder or its parents; only the platform team needs them",
            );
        }
        Ok(Some(loaded)) => loaded,
    };
    let validate = options.suggest("department validate");
    let count = |severity| {
        loaded
            .findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let origin = &loaded.workspace.origin;
    let first = loaded
        .findings
        .iter()
        .find(|finding| finding.severity == Severity::Error);
    if let Some(first) = first {
        let place = first.span.as_ref().map(SourceSpan::location);
        return CheckResult::problem(
            NAME,
            format!(
                "{origin}: {errors} {}, the first is `{}`{}",
                if errors == 1 { "error" } else { "errors" },
                first.rule,
                place.map(|place| format!(" at {place}")).unwrap_or_default()
            ),
            format!("List them with `{validate}`."),
        );
    }
    let departments = loaded.workspace.active_departments().count();
    let check = |detail| CheckResult::ok(NAME, detail);
    match warnings {
        0 => check(format!("{origin}: {departments} departments, no errors")),
        _ => check(format!(
            "{origin}: {departments} departments, no errors, warnings: {warnings}"
        ))
        .with_fix(format!("List the warnings with `{validate}`.")),
    }
}

/// Unverified assumption: the setting that inverts it, and the binding that would confirm it.
struct OpenAssumption {
    id: &'static str,
    apply: fn(&mut RbacAssumptions),
    shown_by: fn(&RoleBinding) -> bool,
}

/// Assumptions of `docs/assumptions.md` that grants can depend on.
const OPEN_ASSUMPTIONS: [OpenAssumption; 2] = [
    OpenAssumption {
        id: "Q1",
        apply: |assumptions| assumptions.connect_manager_on_connector ^= true,
        shown_by: |binding| binding.role == Role::ConnectManager && is_on_connectors(binding),
    },
    OpenAssumption {
        id: "Q11",
        apply: |assumptions| assumptions.connector_prefix ^= true,
        shown_by: |binding| is_on_connectors(binding) && matches!(binding.pattern.name(), NamePattern::Prefixed(_)),
    },
];

fn is_on_connectors(binding: &RoleBinding) -> bool {
    binding.pattern.kind() == ResourceKind::Connector
}

/// Checks the templates in use: whether their assumptions are confirmed here, and whether a fallback exists.
#[must_use]
pub fn check_assumptions(workspace: Option<&Workspace>, observed: &ServiceObservation) -> CheckResult {
    const NAME: &str = "template assumptions";
    const LIST: &str = "Show the call that verifies each with `confluent ebs doctor --assumptions`.";
    let Some(workspace) = workspace else {
        return CheckResult::ok(NAME, "no templates");
    };
    let seen: Vec<&RoleBinding> = [&observed.bindings, &observed.connect_managers]
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    let (mut holding, mut open, mut stuck) = (Vec::new(), Vec::new(), Vec::new());
    for each in &OPEN_ASSUMPTIONS {
        let resting: Vec<(&Template, &RoleGrant)> =
            in_use(workspace).filter(|(_, grant)| depends_on(grant, each)).collect();
        if resting.is_empty() {
            continue;
        }
        if seen.iter().any(|binding| (each.shown_by)(binding)) {
            holding.push(each.id);
            continue;
        }
        let without: BTreeSet<&str> = resting
            .iter()
            .filter(|(_, grant)| !has_working_fallback(grant, each))
            .map(|(template, _)| template.name.as_str())
            .collect();
        match without.is_empty() {
            true => open.push(format!("{} (every such grant has a fallback)", each.id)),
            false => stuck.push(format!("{} (no fallback in {})", each.id, join(without))),
        }
    }
    open.extend(stuck);
    match (open.is_empty(), holding.is_empty()) {
        (true, true) => CheckResult::ok(NAME, "none in the templates in use"),
        (true, false) => CheckResult::ok(
            NAME,
            format!("{} confirmed by existing role bindings", holding.join(" and ")),
        ),
        (false, _) => CheckResult::unknown(NAME, format!("unconfirmed: {}", open.join(", "))).with_fix(LIST),
    }
}

fn join(names: BTreeSet<&str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// Returns the grants of all templates in use.
fn in_use(workspace: &Workspace) -> impl Iterator<Item = (&Template, &RoleGrant)> {
    let names: BTreeSet<&str> = workspace
        .active_departments()
        .map(|department| department.template.as_str())
        .collect();
    names
        .into_iter()
        .filter_map(|name| workspace.template(name))
        .flat_map(|template| {
            let grants = template.personas.iter().flat_map(|persona| &persona.grants);
            grants.map(move |grant| (template, grant))
        })
}

/// Returns whether the service would reject the grant if the assumption were wrong.
fn depends_on(grant: &RoleGrant, open: &OpenAssumption) -> bool {
    can_bind(&grant.role, grant, None) && !can_bind(&grant.role, grant, Some(open))
}

/// Returns whether the service would accept the grant's fallback in that case.
fn has_working_fallback(grant: &RoleGrant, open: &OpenAssumption) -> bool {
    grant
        .fallback
        .as_ref()
        .is_some_and(|role| can_bind(role, grant, Some(open)))
}

fn can_bind(role: &Role, grant: &RoleGrant, turned: Option<&OpenAssumption>) -> bool {
    let mut assumptions = RbacAssumptions::default();
    if let Some(open) = turned {
        (open.apply)(&mut assumptions);
    }
    sample_pattern(grant).is_some_and(|pattern| check_bind_pattern(role, &pattern, &assumptions).is_allowed())
}

/// Returns an example of the pattern that the grant binds; the exact name does not matter.
fn sample_pattern(grant: &RoleGrant) -> Option<CrnPattern> {
    let address = StageAddress {
        organization: "organization".parse().ok()?,
        environment: "env-1".parse().ok()?,
        cluster: "lkc-1".parse().ok()?,
        schema_registry: "lsrc-1".parse().ok(),
    };
    let prefix = Prefix::parse("department-").ok()?;
    grant.on.resolve(&address, &prefix, |_| "sa-1".parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::{CheckState, assumptions as table};

    fn role_binding(role: Role, name: &str) -> RoleBinding {
        let pattern =
            format!("crn://confluent.cloud/organization=o/environment=env-1/cloud-cluster=lkc-1/connector={name}");
        let pattern: CrnPattern = pattern.parse().unwrap();
        RoleBinding::new(crate::model::Principal::from_id("sa-1"), role, pattern)
    }

    #[test]
    fn invalid_files_are_reported_without_quoting_them() {
        assert_eq!(check_files(Ok(None), &Options::default()).state, CheckState::Ok);
        assert_eq!(
            check_files(Err("`X` is empty"), &Options::default()).state,
            CheckState::Problem
        );
        let example = Workspace::embedded();
        let check = check_files(Ok(Some(&example)), &Options::default());
        assert_eq!(check.state, CheckState::Ok);
        assert_eq!(check.detail, "the built-in example platform: 24 departments, no errors");

        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("ebs.toml"),
            "[stages.prod]\nenvironment = \"canary\"\n",
        )
        .unwrap();
        let check = check_files(Ok(Some(&Workspace::load(folder.path()))), &Options::default());
        assert_eq!(check.state, CheckState::Problem);
        assert!(check.detail.contains("ebs.toml:"), "{}", check.detail);
        assert!(!check.detail.contains("canary"), "{}", check.detail);
    }

    // Source: docs/assumptions.md. Q1 is about ConnectManager on a connector prefix, Q11 about any prefix of connectors.
    #[test]
    fn an_assumption_stays_open_until_a_matching_binding_is_observed() {
        let workspace = Workspace::embedded().workspace;
        let mut heard = ServiceObservation::skipped("offline");
        let check = check_assumptions(Some(&workspace), &heard);
        assert_eq!(check.state, CheckState::Unknown);
        assert!(
            check.detail.contains("Q1 (every such grant has a fallback)"),
            "{}",
            check.detail
        );
        assert!(check.detail.contains("Q11 (no fallback"), "{}", check.detail);
        assert!(check.fix.unwrap().contains("doctor --assumptions"));

        heard.bindings = Ok(vec![role_binding(Role::DeveloperRead, "claims-*")]);
        let check = check_assumptions(Some(&workspace), &heard);
        assert!(
            check.detail.contains("Q1 ") && !check.detail.contains("Q11"),
            "{}",
            check.detail
        );
        heard.connect_managers = Ok(vec![role_binding(Role::ConnectManager, "claims-*")]);
        let check = check_assumptions(Some(&workspace), &heard);
        assert_eq!(
            (check.state, check.detail.as_str()),
            (CheckState::Ok, "Q1 and Q11 confirmed by existing role bindings")
        );
        assert_eq!(check_assumptions(None, &heard).state, CheckState::Ok);
    }

    #[test]
    fn every_open_assumption_is_documented() {
        for open in &OPEN_ASSUMPTIONS {
            assert!(
                table::all().iter().any(|known| known.id.as_deref() == Some(open.id)),
                "{}",
                open.id
            );
        }
    }
}
