//! Rule `unknown-plugin`: the catalog does not contain the plugin.

use super::self_managed::is_self_managed;
use crate::{
    catalog::{
        rule::{LintInput, LintRule, RuleFindings, quote},
        schema::SNAPSHOT,
    },
    diag::Severity,
    hint,
};

pub(super) const RULE: LintRule = LintRule {
    id: "unknown-plugin",
    severity: Severity::Warning,
    summary: "a plugin that is not in the catalog",
    explanation: "The catalog is a snapshot and lacks about ten newer plugins. Such a plugin may be valid: only the \
                  service can validate its configuration.",
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
    let message = format!(
        "plugin {} is not in the catalog (snapshot of {SNAPSHOT})",
        quote(&entry.value)
    );
    let classes = input.catalog.plugins().map(|plugin| plugin.class);
    let fix = match hint::closest_match(&entry.value, classes) {
        Some(near) => {
            format!("Did you mean `{near}`? Otherwise validate the file with `confluent ebs connector validate`.")
        }
        None => {
            "Validate the file with `confluent ebs connector validate`; the linter does not check its keys.".to_owned()
        }
    };
    findings.warning(&entry.value_span, message, fix);
}
