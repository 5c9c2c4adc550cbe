//! Shared output of connector commands.

use crate::{
    connectors::defaults::AddedDefault,
    hint::connector_arg,
    model::PlatformTeam,
    render::{Block, ChangeMark, DiffEntry, Style, TextLine},
    resources::connector::{FailureCause, FieldDiff, SecretChange, diagnosis::FaultOwner},
};

/// Returns a sentence about a change that was not applied, marked like the dry runs of the Confluent CLI.
pub(super) fn dry_run(sentence: &str) -> Block {
    Block::line(format!("[DRY RUN] {sentence}"))
}

/// Formats the number of running tasks and the task limit: `1 of 2 run`.
pub(super) fn tasks_text(running: usize, most: Option<u32>) -> String {
    match most {
        Some(most) => format!("{running} of {most} run"),
        None => format!("{running} run"),
    }
}

/// Returns sentences about the cause of a failure and its fix.
pub(super) fn cause_lines(id: &str, name: &str, cause: &FailureCause, platform_team: &PlatformTeam) -> Block {
    let mut lines = Vec::new();
    for error in &cause.validation_errors {
        let line = match &error.configs[..] {
            [] => TextLine::from(error.message.as_str()),
            keys => TextLine::new()
                .with_styled_text(Style::Error, keys.join(", "))
                .with_text(format!(": {}", error.message)),
        };
        lines.push(line.with_hanging_indent(2));
    }
    for message in &cause.messages {
        // A rejected configuration has the same messages in its trace, after a sentence about updates that is
        // misleading for new connectors.
        let said = !cause.validation_errors.is_empty();
        if said && message.contains("Errors:") {
            continue;
        }
        let text = message.lines().map(str::trim_end).filter(|line| !line.is_empty());
        lines.extend(text.map(|line| TextLine::from(line).with_hanging_indent(2)));
    }
    lines.extend(match (cause.rule, cause.owner) {
        (Some(rule), _) => Some(
            TextLine::from(format!(
                "Responsible: {}. {}",
                rule.owner.display_name(platform_team),
                rule.fix
            ))
            .with_hanging_indent(2),
        ),
        (None, Some(FaultOwner::Department)) => Some(TextLine::from("Responsible: you.")),
        (None, Some(_)) => Some(TextLine::from(format!(
            "Responsible: {platform_team}. Report the problem."
        ))),
        (None, None) => None,
    });
    lines.push(
        TextLine::from("For next steps, run ")
            .with_styled_text(
                Style::Hint,
                format!("confluent ebs connector explain {}", connector_arg(id, name)),
            )
            .with_hanging_indent(2),
    );
    Block::Lines(lines)
}

/// Returns the diff of a connector's configuration.
pub(super) fn config_diff(name: &str, mark: ChangeMark, fields: &[FieldDiff]) -> Block {
    let mut change = DiffEntry::new(mark, ["connector", name]);
    for field in fields {
        // In a new connector, every key is new.
        let absent = if mark == ChangeMark::Add { "" } else { "(none)" };
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| absent.to_owned());
        change = match field.secret {
            Some(secret) => change.field(
                field.config.clone(),
                "",
                secret_text(secret, field.reference.as_deref()),
            ),
            None => change.field(field.config.clone(), value(&field.old), value(&field.new)),
        };
    }
    Block::Diff(vec![change])
}

/// Returns what happens to a secret, such as `(secret: sent, from ${env:EBS_SECRET_DB})`.
fn secret_text(change: SecretChange, reference: Option<&str>) -> String {
    let what = match change {
        SecretChange::Changed => "changed",
        SecretChange::Unchanged => "kept",
        SecretChange::Unknown => "sent",
    };
    match reference {
        Some(reference) => format!("(secret: {what}, from {reference})"),
        None => format!("(secret: {what})"),
    }
}

/// Returns the added defaults as lines of a diff.
pub(super) fn added_defaults(added: &[AddedDefault]) -> Block {
    let changes = added.iter().map(|line| {
        DiffEntry::new(ChangeMark::Add, [format!("\"{}\": \"{}\"", line.config, line.value)]).with_reason(line.why)
    });
    Block::Diff(changes.collect())
}
