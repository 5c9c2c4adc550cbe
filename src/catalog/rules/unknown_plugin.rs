//! Rule `unknown-plugin`: the catalog does not contain the plugin.

use super::self_managed::{is_known_elsewhere, is_self_managed};
use crate::{
    catalog::rule::{LintInput, LintRule, RuleFindings, quote},
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
    let class = entry.value.as_str();
    let classes = input.catalog.plugins().map(|plugin| plugin.class);
    if let Some(near) = (!is_known_elsewhere(class))
        .then(|| hint::misspelling_of(class, classes))
        .flatten()
    {
        let message = format!("there is no plugin {}", quote(class));
        findings.error(&entry.value_span, message, format!("Did you mean `{near}`?"));
        return;
    }
    let age = input.catalog.age();
    let message = format!("plugin {} is not in the catalog (snapshot of {age})", quote(class));
    let fix = "Validate the file with `confluent ebs connector validate`; the linter does not check its keys.";
    findings.warning(&entry.value_span, message, fix);
}
