//! `foreign-topic`: topics outside the department.

use super::Rule;
use crate::{
    catalog::{
        facts::Direction,
        lint::{Report, Subject, Tenant, quoted},
        regex_begin::always_begins_with,
        topic_keys::{DESTINATIONS, TopicUse, dotted, topic_use},
    },
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "foreign-topic",
    severity: Severity::Error,
    summary: "a topic outside the department's prefix",
    explanation: "The runtime account may read and write the department's topics only, so a connector on others fails; and if \
                  the account may do more than it should, this is where another department's data would leave it (dossier \
                  `rbac.md` T6). A regular expression must begin with the prefix in every branch.",
    on_self_managed: false,
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(tenant) = subject.context.tenant else { return };
    let class = subject.file.class().unwrap_or_default();
    for entry in subject.entries() {
        match topic_use(class, &entry.key) {
            None | Some(TopicUse::DeadLetters) => {}
            Some(TopicUse::Regex) => {
                if !entry.value.is_empty() && !always_begins_with(&entry.value, tenant.prefix.as_str()) {
                    let message = format!(
                        "{} matches topics that do not begin with `{}`",
                        quoted(&entry.value),
                        tenant.prefix
                    );
                    let begin = tenant.prefix.as_str().replace('.', "\\.");
                    let fix = format!("Begin every branch with `{begin}`, like `{begin}orders.*`.");
                    report.error(&entry.value_span, message, fix);
                }
            }
            Some(kind) => {
                let foreign = kind
                    .names(&entry.value)
                    .into_iter()
                    .find(|name| !is_inside(tenant, class, kind, name));
                if let Some(foreign) = foreign {
                    let message = format!(
                        "topic {} of `{}` does not begin with `{}`",
                        quoted(foreign),
                        entry.key,
                        tenant.prefix
                    );
                    let fix = format!("Use topics that begin with `{}`.", tenant.prefix);
                    report.error(&entry.value_span, message, fix);
                }
            }
        }
    }
    defaults(subject, tenant, report);
}

fn is_inside(tenant: Tenant<'_>, class: &str, kind: TopicUse, name: &str) -> bool {
    if tenant.prefix.owns(name) {
        return true;
    }
    match kind {
        // Change data capture puts a dot after the prefix: `claims` becomes `claims.public.staff`.
        TopicUse::Prefix => dotted(class) && tenant.prefix.as_str().strip_suffix('.') == Some(name),
        TopicUse::History => {
            let rest = name.strip_prefix("dbhistory.");
            rest.is_some_and(|rest| tenant.prefix.owns(rest) || rest.starts_with("${topic.prefix}"))
        }
        // An empty value leaves it to the plugin.
        _ => name.is_empty(),
    }
}

/// A source that does not say where its records go uses names of its own choice.
fn defaults(subject: &Subject<'_>, tenant: Tenant<'_>, report: &mut Report<'_>) {
    let Some(plugin) = subject.plugin else { return };
    if plugin.direction == Direction::Sink {
        return;
    }
    for fact in DESTINATIONS.into_iter().filter_map(|key| plugin.keys.get(key)) {
        // A key that must be given is missed by another rule.
        if fact.must_be_given() || subject.given(&fact.name).is_some() {
            continue;
        }
        let message = match fact.default {
            Some(default) if tenant.prefix.owns(default) => continue,
            Some(default) => format!("without `{}` topics are called {}", fact.name, quoted(default)),
            None => format!("without `{}` topics are called after what is read", fact.name),
        };
        let fix = format!("Set `{}` to something that begins with `{}`.", fact.name, tenant.prefix);
        report.error(&subject.file.head, message, fix);
    }
}
