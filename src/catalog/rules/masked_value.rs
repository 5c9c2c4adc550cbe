//! `masked-value`: stars from an export.

use super::Rule;
use crate::{
    catalog::{
        lint::{Report, Subject},
        secret::is_mask,
    },
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "masked-value",
    severity: Severity::Error,
    summary: "a masked value, copied from what the service shows",
    explanation: "The service shows `****` in place of secrets. Sent back with a new connector, the stars become the password \
                  (dossier `connect.md` §4.3).",
    on_self_managed: false,
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for entry in subject.entries().iter().filter(|entry| is_mask(&entry.value)) {
        let message = format!("the value of `{}` is a mask, not a value", entry.key);
        let fix = "Write the real value, or a reference to it like `${env:EBS_SECRET_…}`.";
        report.error(&entry.value_span, message, fix);
    }
}
