//! Rule `silent-errors`: failed records are lost without a trace.

use crate::{
    catalog::{
        rule::{LintInput, LintRule, RuleFindings},
        schema::ConnectorDirection,
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "silent-errors",
    severity: Severity::Warning,
    summary: "errors are tolerated, and failed records are not kept",
    explanation: "With `errors.tolerance=all` a failed record is skipped. A sink writes it to its dead letter topic; a \
                  source loses it (source: the definition of the key).",
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
        let message = "a source with `errors.tolerance=all` loses failed records";
        findings.warning(
            &entry.value_span,
            message,
            "Use `none`, or except this rule if losing them is acceptable.",
        );
        return;
    }
    let written = input.value_for(DEAD_LETTERS);
    let by_default = plugin.keys.get(DEAD_LETTERS).is_some_and(|fact| fact.default.is_some());
    let kept = written.map_or(by_default, |topic| !topic.is_empty());
    if !kept {
        let message = format!("`errors.tolerance=all` without `{DEAD_LETTERS}`: failed records are lost");
        let fix = if plugin.keys.contains_key(DEAD_LETTERS) {
            format!("Set `{DEAD_LETTERS}`, or use `none`.")
        } else {
            "Use `none`: this plugin has no dead letter topic.".to_owned()
        };
        findings.warning(&entry.value_span, message, fix);
    }
}
