//! Rule `transform`: single message transforms.

use std::collections::BTreeSet;

use crate::{
    catalog::rule::{LintInput, LintRule, RuleFindings, quote},
    diag::Severity,
    hint,
};

pub(super) const RULE: LintRule = LintRule {
    id: "transform",
    severity: Severity::Error,
    summary: "an unsupported or incomplete transform",
    explanation: "The managed service supports a fixed list of transforms (confluentinc/connect-migration-utility, \
                  fm_transforms_list.json); others must be uploaded as a custom transform. Each name in `transforms` \
                  needs a `transforms.NAME.type`.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let listed: BTreeSet<&str> = input
        .file
        .value("transforms")
        .map(|names| {
            names
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .collect()
        })
        .unwrap_or_default();
    for entry in input.entries() {
        let Some(setting) = entry.key.strip_prefix("transforms.") else {
            continue;
        };
        let name = setting.split('.').next().unwrap_or(setting);
        if !listed.contains(name) {
            let message = format!(
                "`{}` has no effect: {} is not listed in `transforms`",
                entry.key,
                quote(name)
            );
            findings.warning(
                &entry.key_span,
                message,
                format!("List {} in `transforms`, or remove it.", quote(name)),
            );
        } else if setting.strip_prefix(name) == Some(".type") {
            check_offered(input, name, &entry.value, &entry.value_span, findings);
        }
    }
    let Some(list) = input.file.entry("transforms") else {
        return;
    };
    for name in listed {
        if input.file.entry(&format!("transforms.{name}.type")).is_none() {
            let message = format!("transform {} has no type", quote(name));
            findings.error(&list.value_span, message, format!("Add `transforms.{name}.type`."));
        }
    }
}

fn check_offered(
    input: &LintInput<'_>,
    name: &str,
    class: &str,
    range: &std::ops::Range<usize>,
    findings: &mut RuleFindings<'_>,
) {
    let Some(known) = input.plugin.and_then(|plugin| input.catalog.transforms(plugin)) else {
        return;
    };
    let custom = input
        .file
        .entry(&format!("transforms.{name}.custom.smt.artifact.id"))
        .is_some();
    if custom || known.contains(&class) {
        return;
    }
    let message = format!("managed plugins do not support the transform {}", quote(class));
    // `…$Value` and `…$Key` are two transforms of the same class.
    let variants: Vec<_> = known
        .iter()
        .filter(|one| one.split('$').next() == Some(class))
        .copied()
        .collect();
    let fix = if !variants.is_empty() {
        format!("Use {}.", crate::catalog::rule::list_quoted(variants))
    } else if let Some(near) = hint::closest_match(class, known.iter().copied()) {
        format!("Did you mean `{near}`?")
    } else {
        "Use a supported one, or upload it as a custom transform and set `custom.smt.artifact.id`.".to_owned()
    };
    findings.error(range, message, fix);
}
