//! `[lint]`: rules of the linter that do not apply, each with the reason.

use super::toml::TomlTable;
use crate::diag::Finding;

/// Reads `rule = "reason"` pairs.
pub(crate) fn read(table: &TomlTable<'_>) -> Vec<(String, String)> {
    let mut exceptions = Vec::new();
    for (rule, reason) in table.named_texts() {
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !rule.get_ref().chars().all(kebab) {
            let message = format!(
                "`{}` is not a rule: they are written in lower case with dashes",
                rule.get_ref().escape_debug()
            );
            table.report(rule.span(), Finding::error("invalid-value", message));
        } else if reason.get_ref().trim().is_empty() {
            let finding = Finding::error(
                "invalid-value",
                format!("the exception from `{}` has no reason", rule.get_ref()),
            );
            table.report(
                reason.span(),
                finding.with_fix("Write why, and until when: the next reader decides by it."),
            );
        } else {
            exceptions.push((rule.into_inner(), reason.into_inner()));
        }
    }
    exceptions.sort();
    exceptions
}
