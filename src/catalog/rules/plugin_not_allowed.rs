//! `plugin-not-allowed`: a plugin that the department may not use.

use super::Rule;
use crate::{
    catalog::lint::{Report, Subject, quoted},
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "plugin-not-allowed",
    severity: Severity::Warning,
    summary: "a plugin that is not among the department's",
    explanation: "Which plugins a department may use stands in its quota. `create` refuses others; a connector that runs \
                  already may be changed, so here it is a warning.",
    on_self_managed: false,
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let (Some(tenant), Some(entry)) = (subject.context.tenant, subject.file.entry("connector.class")) else {
        return;
    };
    if entry.value.is_empty() || tenant.quota.allows_plugin(&entry.value) {
        return;
    }
    let message = format!(
        "plugin {} is not among those that the department may use",
        quoted(&entry.value)
    );
    let fix = match &tenant.quota.plugins[..] {
        [] => "The platform team allows plugins.".to_owned(),
        plugins => format!(
            "Use one of {}, or ask the platform team to allow it.",
            plugins.join(", ")
        ),
    };
    report.warning_for_ebs(&entry.value_span, message, fix);
}
