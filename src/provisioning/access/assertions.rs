//! Check of access assertions and of the isolation of departments.

use std::path::Path;

use serde::Serialize;

use super::{AccessContext, AccessPrincipal, AccessSource, GrantRow};
use crate::{
    access::{
        AccessModel, Operation, Uncertainty, check_isolation,
        isolation::{self, CounterExample, SharedName},
    },
    diag::{Finding, has_errors},
    error::Error,
    manifest::{Workspace, assertions::check_assertions},
    model::{CrnPattern, DepartmentCode, Role},
    text,
};

/// Result of the checks.
#[derive(Debug, Serialize)]
pub struct AccessTestOutcome {
    /// Number of assertions.
    pub assertions: usize,
    /// Number of failed assertions.
    pub failed: usize,
    /// Number of questions that the assertions ask.
    pub questions: usize,
    /// Assertion files for templates that no department uses.
    pub unused_files: Vec<String>,
    /// Number of personas without a service account, which are skipped.
    pub personas_without_account: usize,
    /// Codes of departments that may not be onboarded in the stage, so that nothing was checked for them.
    pub departments_in_other_stages: Vec<String>,
    /// Findings about the files and about failed assertions.
    pub findings: Vec<Finding>,
    /// Result of the isolation check.
    pub isolation: IsolationRow,
    /// Reasons why the result may be incomplete.
    pub uncertainties: Vec<Uncertainty>,
    /// Roles that an assertion relies on and that Confluent Cloud may reject.
    pub uncertain_roles: Vec<Role>,
    /// Source of the answers.
    pub source: AccessSource,
}

/// Checks the assertions at `path`, else those of the platform, and the isolation of departments.
///
/// # Errors
/// The assertions are invalid. [`AccessTestOutcome::error`] returns the error about failed checks.
pub fn test_access(context: AccessContext, path: Option<&Path>) -> Result<AccessTestOutcome, Error> {
    let (files, mut findings) = match path {
        Some(path) => context.workspace.assertions_at(path),
        None => context.workspace.assertions(),
    };
    if has_errors(&findings) {
        return Err(Error::findings("invalid assertions", findings));
    }
    let model = &context.model;
    let report = check_assertions(&files, model);
    findings.extend(report.findings.iter().cloned());
    // The gaps anywhere in the model include the gaps of single assertions, except those that depend on a grant.
    let depends_on_grant = |uncertainty: &&Uncertainty| {
        matches!(
            uncertainty,
            Uncertainty::UnknownRole { .. } | Uncertainty::UnknownAcl { .. } | Uncertainty::Group { .. }
        )
    };
    let from_grants = report.uncertainties.iter().filter(depends_on_grant).cloned();
    let without_account = model.personas.iter().filter(|member| member.principal.is_none());
    Ok(AccessTestOutcome {
        assertions: report.assertions,
        failed: report.failed,
        questions: report.questions,
        unused_files: report.unused_files,
        personas_without_account: without_account.count(),
        departments_in_other_stages: departments_in_other_stages(&context),
        findings,
        isolation: IsolationRow::check(model, &context.workspace),
        uncertainties: model.visibility_gaps_anywhere().chain(from_grants).collect(),
        uncertain_roles: report.fallback_roles.into_iter().collect(),
        source: context.source,
    })
}

/// Returns the codes of the active departments that the stage does not have.
fn departments_in_other_stages(context: &AccessContext) -> Vec<String> {
    let workspace = &context.workspace;
    let others = workspace
        .active_departments()
        .filter(|department| !department.is_allowed_in(context.source.stage()));
    others.map(|department| department.code.to_string()).collect()
}

impl AccessTestOutcome {
    /// Returns the findings about failed assertions, and one for each counter-example of the isolation check.
    #[must_use]
    pub fn all_findings(&self) -> Vec<Finding> {
        self.findings.iter().chain(&self.isolation.findings).cloned().collect()
    }

    /// Returns the error for failed assertions or a failed isolation check, and with `strict` for missing data.
    #[must_use]
    pub fn error(&self, strict: bool) -> Option<Error> {
        let assertions = (self.failed > 0).then(|| {
            format!(
                "{} of {} failed",
                self.failed,
                text::count_noun(self.assertions, "assertion")
            )
        });
        let overlap = (!self.isolation.holds).then(|| "departments are not isolated".to_owned());
        let parts: Vec<String> = assertions.into_iter().chain(overlap).collect();
        if !parts.is_empty() {
            return Some(Error::refused(parts.join("; ")));
        }
        let is_incomplete = strict && !self.uncertainties.is_empty();
        is_incomplete.then(|| Error::denied("the result is unknown because of missing data"))
    }
}

/// Result of the isolation check.
#[derive(Debug, Serialize)]
pub struct IsolationRow {
    /// Whether no department has access to names of another one.
    pub holds: bool,
    /// Number of ordered pairs of departments.
    pub pairs: usize,
    /// Number of role bindings of departments.
    pub role_bindings: usize,
    /// Number of ACLs of departments.
    pub acls: usize,
    /// Names that departments share by design of Confluent Cloud.
    pub shared_names: Vec<SharedName>,
    /// Service accounts of departments that may create service accounts.
    pub account_creators: Vec<AccessPrincipal>,
    /// Counter-examples of a failed check.
    pub counter_examples: Vec<CounterExampleRow>,
    /// The counter-examples as findings in the files of their departments.
    #[serde(skip)]
    pub findings: Vec<Finding>,
}

/// Access of one department to names of another one.
#[derive(Debug, Serialize)]
pub struct CounterExampleRow {
    department: DepartmentCode,
    operations: Vec<Operation>,
    resource: CrnPattern,
    reaches: DepartmentCode,
    /// Number of further departments that the same grant reaches.
    and_more: usize,
    granted_by: GrantRow,
    /// The access in a sentence, without a full stop.
    #[serde(skip)]
    pub sentence: String,
}

impl IsolationRow {
    fn check(model: &AccessModel, workspace: &Workspace) -> Self {
        let result = check_isolation(&model.departments, &model.evaluator, &model.address);
        let holds = result.has_passed();
        let (proof, examples) = match result {
            isolation::IsolationResult::Passed(proof) => (proof, Vec::new()),
            isolation::IsolationResult::Failed {
                counter_examples,
                proof,
            } => (proof, counter_examples),
        };
        let counter_example = |example: CounterExample| {
            let grant = GrantRow::new(model, &example.binding);
            CounterExampleRow {
                sentence: format!("{}; {}", example.to_sentence(&grant.principal.title), grant.origin),
                department: example.department,
                operations: example.operations,
                resource: example.resource,
                reaches: example.reaches,
                and_more: example.and_more,
                granted_by: grant,
            }
        };
        let examples: Vec<CounterExampleRow> = examples.into_iter().map(counter_example).collect();
        let finding = |example: &CounterExampleRow| {
            let fix = "Remove the role binding or ACL, or change the template that grants it.";
            let finding = Finding::error("isolation", example.sentence.clone()).with_fix(fix);
            workspace.locate(finding, Some(&example.department))
        };
        Self {
            holds,
            findings: examples.iter().map(finding).collect(),
            pairs: proof.pairs,
            role_bindings: proof.bindings,
            acls: proof.acls,
            shared_names: proof.shared_names,
            account_creators: proof
                .account_creators
                .iter()
                .map(|creator| AccessPrincipal::new(model, creator))
                .collect(),
            counter_examples: examples,
        }
    }
}
