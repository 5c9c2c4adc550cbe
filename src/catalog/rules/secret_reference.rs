//! `secret-reference`: a reference to a secret where none may stand, or to something that may not be referred to.

use super::Rule;
use crate::{
    catalog::{
        lint::{Report, Subject, quoted},
        secret::{Reference, Secrecy, VARIABLE_PREFIX},
    },
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "secret-reference",
    severity: Severity::Error,
    summary: "a reference to a secret that would carry it elsewhere",
    explanation: "`${env:NAME}`, `${file:PATH}` and `${prompt:}` stand as a whole value under PASSWORD keys only, name \
                  variables that are meant for it, and files below the folder of secrets. Otherwise a connector file from \
                  somebody else could send any variable or file of the machine to any address. Every other `${…}` is the \
                  service's and passes untouched.",
    on_self_managed: false,
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for entry in subject.entries() {
        let (key, value) = (&entry.key, &entry.value);
        let secrecy = subject.secrecy(key);
        let Some(reference) = Reference::parse(value) else {
            if Reference::occurs_in(value) {
                let message = format!("`{key}` has a reference inside other text");
                let fix = "A reference stands alone: put the whole value into the variable or file.";
                report.error(&entry.value_span, message, fix);
            } else if secrecy == Secrecy::Secret && is_other_reference(value) {
                let message = format!(
                    "{} under `{key}` is sent as it stands: nobody fills it in",
                    quoted(value)
                );
                report.warning(
                    &entry.value_span,
                    message,
                    "Write `${env:EBS_SECRET_…}` for a variable.",
                );
            }
            continue;
        };
        if !secrecy.is_guarded() {
            let message = format!("`{key}` is not a secret, and must not be filled from one");
            report.error(
                &entry.value_span,
                message,
                "Write the value itself; references stand under PASSWORD keys only.",
            );
        } else if let Some((problem, fix)) = problem(subject, &reference) {
            report.error(&entry.value_span, problem, fix);
        }
    }
}

/// `${NAME}`, as other tools write it.
fn is_other_reference(value: &str) -> bool {
    let inside = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|name| !name.is_empty() && !name.contains(['$', '{', '}']))
}

fn problem(subject: &Subject<'_>, reference: &Reference<'_>) -> Option<(String, String)> {
    match reference {
        Reference::Env(name) => {
            let own = name.len() > VARIABLE_PREFIX.len() && name.starts_with(VARIABLE_PREFIX);
            let allowed = own || subject.context.secret_variables.iter().any(|variable| variable == name);
            let sane = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            (!allowed || !sane).then(|| {
                (
                    format!("variable {} is not one that connector files may refer to", quoted(name)),
                    format!("Call it `{VARIABLE_PREFIX}…`, or have it listed in the profile."),
                )
            })
        }
        Reference::File(path) => {
            let parts = || path.split(['/', '\\']);
            let outside =
                path.is_empty() || parts().any(|part| part.is_empty() || part == "..") || path.contains([':', '~']);
            outside.then(|| {
                (
                    format!("file {} does not lie below the folder of secrets", quoted(path)),
                    "Write a path relative to `--secrets-dir`, without `..`.".to_owned(),
                )
            })
        }
        Reference::Prompt(_) => None,
    }
}
