//! `silent-errors`: records that fail and leave no trace.

use super::LintRule;
use crate::{
    catalog::{
        lint::{LintInput, RuleFindings},
        schema::ConnectorDirection,
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "silent-errors",
    severity: Severity::Warning,
    summary: "errors are tolerated, and nothing keeps the records that fail",
    explanation: "With `errors.tolerance=all` a record that cannot be processed is skipped. A sink puts it into its dead letter \
                  topic; a source loses it (the definition of the key says so).",
    applies_to_self_managed: false,
    check,
};

const DEAD_LETTERS: &str = "errors.deadletterqueue.topic.name";

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let (Some(plugin), Some(entry)) = (input.plugin, input.entry_for("errors.tolerance")) else {
        return;
    };
    if entry.value != "all" {
        return;
    }
    if plugin.direction == ConnectorDirection::Source {
        let message = "a source with `errors.tolerance=all` loses the records that it cannot process";
        findings.warning(
            &entry.value_span,
            message,
            "Use `none`, or be sure that losing them is right.",
        );
        return;
    }
    let written = input.value_for(DEAD_LETTERS);
    let by_default = plugin.keys.get(DEAD_LETTERS).is_some_and(|fact| fact.default.is_some());
    let kept = written.map_or(by_default, |topic| !topic.is_empty());
    if !kept {
        let message = format!("`errors.tolerance=all` without `{DEAD_LETTERS}`: records that fail are lost");
        let fix = if plugin.keys.contains_key(DEAD_LETTERS) {
            format!("Set `{DEAD_LETTERS}`, or use `none`.")
        } else {
            "Use `none`: this plugin has no dead letter topic.".to_owned()
        };
        findings.warning(&entry.value_span, message, fix);
    }
}
