//! Rule `secret-reference`: a reference to a secret that is not allowed.

use crate::{
    catalog::{
        rule::{LintInput, LintRule, RuleFindings, quote},
        secret::{Secrecy, VARIABLE_PREFIX, ValueReference, is_referable_variable},
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "secret-reference",
    severity: Severity::Error,
    summary: "a reference that could expose a secret",
    explanation: "`${env:NAME}`, `${file:PATH}` and `${prompt:}` are allowed only as the whole value of PASSWORD keys, \
                  for allowed variables and for files below the secrets folder. Otherwise an untrusted connector file \
                  could send any variable or file of the machine to any address. Every other `${…}` belongs to the \
                  service and stays unchanged.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    for entry in input.entries() {
        let (key, value) = (&entry.key, &entry.value);
        let secrecy = input.secrecy(key);
        let Some(reference) = ValueReference::parse(value) else {
            if ValueReference::occurs_in(value) {
                let message = format!("`{key}` contains a reference inside other text");
                let fix = "Put the whole value into the variable or file, and use only the reference.";
                findings.error(&entry.value_span, message, fix);
            } else if secrecy == Secrecy::Secret && is_other_reference(value) {
                let message = format!("{} in `{key}` is not a reference and is sent literally", quote(value));
                findings.warning(&entry.value_span, message, "Use `${env:EBS_SECRET_…}` for a variable.");
            }
            continue;
        };
        if !secrecy.must_be_hidden() {
            let message = format!("`{key}` is not a secret, so a reference is not allowed");
            findings.error(
                &entry.value_span,
                message,
                "Write the value itself; references are allowed only for PASSWORD keys.",
            );
        } else if let Some((problem, fix)) = problem(input, &reference) {
            findings.error(&entry.value_span, problem, fix);
        }
    }
}

/// Checks for `${NAME}`, the syntax of other tools.
fn is_other_reference(value: &str) -> bool {
    let inside = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|name| !name.is_empty() && !name.contains(['$', '{', '}']))
}

fn problem(input: &LintInput<'_>, reference: &ValueReference<'_>) -> Option<(String, String)> {
    match reference {
        ValueReference::Env(name) => {
            let allowed = is_referable_variable(name, input.options.secret_variables);
            let sane = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            (!allowed || !sane).then(|| {
                (
                    format!("variable {} is not allowed in connector files", quote(name)),
                    format!(
                        "Rename it to `{VARIABLE_PREFIX}…`, or ask {} to list it in `secret_variables`.",
                        input.platform_team()
                    ),
                )
            })
        }
        ValueReference::File(path) => {
            let parts = || path.split(['/', '\\']);
            let outside =
                path.is_empty() || parts().any(|part| part.is_empty() || part == "..") || path.contains([':', '~']);
            outside.then(|| {
                (
                    format!("file {} is outside the secrets folder", quote(path)),
                    "Use a path relative to `--secrets-dir`, without `..`.".to_owned(),
                )
            })
        }
        ValueReference::Prompt(_) => None,
    }
}
