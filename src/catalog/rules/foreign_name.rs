//! `foreign-name`: a connector outside the department.

use super::Rule;
use crate::{
    catalog::lint::{Report, Subject, quoted},
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "foreign-name",
    severity: Severity::Error,
    summary: "the connector's name does not begin with the department's prefix",
    explanation: "Rights end at the prefix: a connector of another name is refused, or belongs to somebody else (dossier \
                  `rbac.md` §1.2, T8).",
    on_self_managed: false,
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let (Some(tenant), Some(name)) = (subject.context.tenant, subject.file.connector_name()) else {
        return;
    };
    if !tenant.prefix.owns(&name.value) {
        let message = format!("{} does not begin with `{}`", quoted(&name.value), tenant.prefix);
        let fix = format!("Call it `{}…`: the department's rights end there.", tenant.prefix);
        report.error(&name.value_span, message, fix);
    } else if name.value == tenant.prefix.as_str() {
        let fix = format!("Call it `{}…`.", tenant.prefix);
        report.error(&name.value_span, "the connector's name is the bare prefix", fix);
    }
}
