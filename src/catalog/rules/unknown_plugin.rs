//! `unknown-plugin`: a plugin that these facts lack.

use super::{LintRule, self_managed::is_self_managed};
use crate::{
    catalog::{
        lint::{LintInput, RuleFindings, quote},
        schema::SNAPSHOT,
    },
    diag::Severity,
    hint,
};

pub(super) const RULE: LintRule = LintRule {
    id: "unknown-plugin",
    severity: Severity::Warning,
    summary: "a plugin that is not known here",
    explanation: "The facts are a snapshot, and about ten newer plugins are missing in it. Such a plugin is not wrong: only the \
                  service can judge its configuration.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let Some(entry) = input.file.entry("connector.class") else {
        return;
    };
    if input.plugin.is_some() || is_self_managed(input) {
        return;
    }
    let message = format!("plugin {} is not known here (facts of {SNAPSHOT})", quote(&entry.value));
    let classes = input.catalog.plugins().map(|plugin| plugin.class);
    let fix = match hint::closest_match(&entry.value, classes) {
        Some(near) => format!("Did you mean `{near}`? Otherwise `connector validate` asks the service."),
        None => "Its keys are not checked; `connector validate` asks the service.".to_owned(),
    };
    findings.warning(&entry.value_span, message, fix);
}
