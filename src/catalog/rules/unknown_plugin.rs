//! `unknown-plugin`: a plugin that these facts lack.

use super::{Rule, self_managed::is_self_managed};
use crate::{
    catalog::{
        facts::SNAPSHOT,
        lint::{Report, Subject, quoted},
    },
    diag::Severity,
    hint,
};

pub(super) const RULE: Rule = Rule {
    id: "unknown-plugin",
    severity: Severity::Warning,
    summary: "a plugin that is not known here",
    explanation: "The facts are a snapshot, and about ten newer plugins are missing in it. Such a plugin is not wrong: only the \
                  service can judge its configuration.",
    on_self_managed: false,
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(entry) = subject.file.entry("connector.class") else {
        return;
    };
    if subject.plugin.is_some() || is_self_managed(subject) {
        return;
    }
    let message = format!(
        "plugin {} is not known here (facts of {SNAPSHOT})",
        quoted(&entry.value)
    );
    let classes = subject.catalog.plugins().map(|plugin| plugin.class);
    let fix = match hint::nearest(&entry.value, classes) {
        Some(near) => format!("Did you mean `{near}`? Otherwise `connector validate` asks the service."),
        None => "Its keys are not checked; `connector validate` asks the service.".to_owned(),
    };
    report.warning(&entry.value_span, message, fix);
}
