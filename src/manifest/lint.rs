//! `[lint]`: disabled lint rules, each with its reason.

use super::toml::TomlTable;
use crate::diag::Finding;

/// Reads `rule = "reason"` pairs.
pub(crate) fn read(table: &TomlTable<'_>) -> Vec<(String, String)> {
    let mut exceptions = Vec::new();
    for (rule, reason) in table.named_texts() {
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !rule.get_ref().chars().all(kebab) {
            let message = format!(
                "`{}` is not a rule id: expected lower case letters, digits and `-`",
                rule.get_ref().escape_debug()
            );
            table.report(rule.span(), Finding::error("invalid-value", message));
        } else if reason.get_ref().trim().is_empty() {
            let finding = Finding::error(
                "invalid-value",
                format!("the exception for rule `{}` has no reason", rule.get_ref()),
            );
            table.report(
                reason.span(),
                finding.with_fix("Add the reason and an expiry date, for the next review."),
            );
        } else {
            exceptions.push((rule.into_inner(), reason.into_inner()));
        }
    }
    exceptions.sort();
    exceptions
}
