//! `file-name`: a file is called like its connector.

use super::LintRule;
use crate::{
    catalog::lint::{LintInput, RuleFindings, quote},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "file-name",
    severity: Severity::Warning,
    summary: "the file is not called like its connector",
    explanation: "One connector per file, called like it: so that it is found by its name, and that two files cannot \
                  mean the same connector.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let (Some(stem), Some(name)) = (input.file.stem(), input.file.connector_name()) else {
        return;
    };
    if stem != name.value && !name.value.is_empty() {
        let message = format!(
            "the connector is called {}, its file {}",
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
            "Give both the same name.".to_owned()
        };
        findings.warning(&name.value_span, message, fix);
    }
}
