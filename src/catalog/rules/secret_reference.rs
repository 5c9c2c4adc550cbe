//! `secret-reference`: a reference to a secret where none may stand, or to something that may not be referred to.

use super::LintRule;
use crate::{
    catalog::{
        lint::{LintInput, RuleFindings, quote},
        secret::{Secrecy, VARIABLE_PREFIX, ValueReference},
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "secret-reference",
    severity: Severity::Error,
    summary: "a reference to a secret that would carry it elsewhere",
    explanation: "`${env:NAME}`, `${file:PATH}` and `${prompt:}` stand as a whole value under PASSWORD keys only, name \
                  variables that are meant for it, and files below the folder of secrets. Otherwise a connector file from \
                  somebody else could send any variable or file of the machine to any address. Every other `${…}` is the \
                  service's and passes untouched.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    for entry in input.entries() {
        let (key, value) = (&entry.key, &entry.value);
        let secrecy = input.secrecy(key);
        let Some(reference) = ValueReference::parse(value) else {
            if ValueReference::occurs_in(value) {
                let message = format!("`{key}` has a reference inside other text");
                let fix = "A reference stands alone: put the whole value into the variable or file.";
                findings.error(&entry.value_span, message, fix);
            } else if secrecy == Secrecy::Secret && is_other_reference(value) {
                let message = format!(
                    "{} under `{key}` is sent as it stands: nobody fills it in",
                    quote(value)
                );
                findings.warning(
                    &entry.value_span,
                    message,
                    "Write `${env:EBS_SECRET_…}` for a variable.",
                );
            }
            continue;
        };
        if !secrecy.must_be_hidden() {
            let message = format!("`{key}` is not a secret, and must not be filled from one");
            findings.error(
                &entry.value_span,
                message,
                "Write the value itself; references stand under PASSWORD keys only.",
            );
        } else if let Some((problem, fix)) = problem(input, &reference) {
            findings.error(&entry.value_span, problem, fix);
        }
    }
}

/// `${NAME}`, as other tools write it.
fn is_other_reference(value: &str) -> bool {
    let inside = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|name| !name.is_empty() && !name.contains(['$', '{', '}']))
}

fn problem(input: &LintInput<'_>, reference: &ValueReference<'_>) -> Option<(String, String)> {
    match reference {
        ValueReference::Env(name) => {
            let own = name.len() > VARIABLE_PREFIX.len() && name.starts_with(VARIABLE_PREFIX);
            let allowed = own || input.options.secret_variables.iter().any(|variable| variable == name);
            let sane = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            (!allowed || !sane).then(|| {
                (
                    format!("variable {} is not one that connector files may refer to", quote(name)),
                    format!("Call it `{VARIABLE_PREFIX}…`, or have it listed in the profile."),
                )
            })
        }
        ValueReference::File(path) => {
            let parts = || path.split(['/', '\\']);
            let outside =
                path.is_empty() || parts().any(|part| part.is_empty() || part == "..") || path.contains([':', '~']);
            outside.then(|| {
                (
                    format!("file {} does not lie below the folder of secrets", quote(path)),
                    "Write a path relative to `--secrets-dir`, without `..`.".to_owned(),
                )
            })
        }
        ValueReference::Prompt(_) => None,
    }
}
