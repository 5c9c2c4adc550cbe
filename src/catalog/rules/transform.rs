//! `transform`: single message transforms.

use std::collections::BTreeSet;

use super::Rule;
use crate::{
    catalog::lint::{Report, Subject, quoted},
    diag::Severity,
    hint,
};

pub(super) const RULE: Rule = Rule {
    id: "transform",
    severity: Severity::Error,
    summary: "a transform that the plugin does not offer, or half of one",
    explanation: "The managed service offers a closed list of transforms (confluentinc/connect-migration-utility, \
                  fm_transforms_list.json); others need a custom transform that was uploaded before. Each name in \
                  `transforms` needs a `transforms.NAME.type`.",
    on_self_managed: false,
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let listed: BTreeSet<&str> = subject
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
    for entry in subject.entries() {
        let Some(setting) = entry.key.strip_prefix("transforms.") else {
            continue;
        };
        let name = setting.split('.').next().unwrap_or(setting);
        if !listed.contains(name) {
            let message = format!(
                "`{}` has no effect: {} is not listed in `transforms`",
                entry.key,
                quoted(name)
            );
            report.warning(
                &entry.key_span,
                message,
                format!("List {} in `transforms`, or remove it.", quoted(name)),
            );
        } else if setting.strip_prefix(name) == Some(".type") {
            offered(subject, name, &entry.value, &entry.value_span, report);
        }
    }
    let Some(list) = subject.file.entry("transforms") else {
        return;
    };
    for name in listed {
        if subject.file.entry(&format!("transforms.{name}.type")).is_none() {
            let message = format!("transform {} has no type", quoted(name));
            report.error(&list.value_span, message, format!("Add `transforms.{name}.type`."));
        }
    }
}

fn offered(subject: &Subject<'_>, name: &str, class: &str, range: &std::ops::Range<usize>, report: &mut Report<'_>) {
    let Some(known) = subject.plugin.and_then(|plugin| subject.catalog.transforms(plugin)) else {
        return;
    };
    let custom = subject
        .file
        .entry(&format!("transforms.{name}.custom.smt.artifact.id"))
        .is_some();
    if custom || known.contains(&class) {
        return;
    }
    let message = format!("transform {} is not offered by managed plugins", quoted(class));
    // `…$Value` and `…$Key` are two transforms of one class.
    let variants: Vec<_> = known
        .iter()
        .filter(|one| one.split('$').next() == Some(class))
        .copied()
        .collect();
    let fix = if !variants.is_empty() {
        format!("Write {}.", crate::catalog::lint::listed(variants))
    } else if let Some(near) = hint::nearest(class, known.iter().copied()) {
        format!("Did you mean `{near}`?")
    } else {
        "Use one that is offered, or upload it as a custom transform and name it by `custom.smt.artifact.id`."
            .to_owned()
    };
    report.error(range, message, fix);
}
