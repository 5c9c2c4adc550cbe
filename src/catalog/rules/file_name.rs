//! Rule `file-name`: the file is named after its connector.

use crate::{
    catalog::rule::{LintInput, LintRule, RuleFindings, quote},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "file-name",
    severity: Severity::Warning,
    summary: "the file is not named after its connector",
    explanation: "A file contains one connector and has its name, so that the file can be found by that name and two \
                  files cannot define the same connector.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let (Some(stem), Some(name)) = (input.file.stem(), input.file.connector_name()) else {
        return;
    };
    if stem != name.value && !name.value.is_empty() {
        let message = format!(
            "the connector is named {}, its file {}",
            quote(&name.value),
            quote(stem)
        );
        let extension = input
            .file
            .source
            .path
            .extension()
            .and_then(|text| text.to_str())
            .unwrap_or("json");
        let safe = name
            .value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        let fix = if safe {
            format!("Rename the file to `{}.{extension}`.", name.value)
        } else {
            "Use the same name for both.".to_owned()
        };
        findings.warning(&name.value_span, message, fix);
    }
}
