//! What several commands show of a connector.

use crate::{
    connectors::request::AddedDefault,
    hint::connector_arg,
    render::{Block, ChangeMark, DiffEntry, Style, TextLine},
    resources::connector::{FailureCause, FieldDiff},
};

/// `1 of 2 run`; the second number is what may run.
pub(super) fn tasks_text(running: usize, most: Option<u32>) -> String {
    match most {
        Some(most) => format!("{running} of {most} run"),
        None => format!("{running} run"),
    }
}

/// The cause of a connector in sentences, and what helps.
pub(super) fn cause_lines(id: &str, name: &str, cause: &FailureCause) -> Block {
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
        // The trace of a refused configuration repeats what was said key by key, after a sentence that is about updates and
        // is said of new connectors, too.
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
                "This is for {} to fix. {}",
                rule.owner.display_name(),
                rule.fix
            ))
            .with_hanging_indent(2),
        ),
        (None, Some("department")) => Some(TextLine::from("This is the department's to fix.")),
        (None, Some(_)) => Some(TextLine::from(
            "This is not the department's to fix: tell the platform team.",
        )),
        (None, None) => None,
    });
    lines.push(
        TextLine::from("What to do, in order: ")
            .with_styled_text(
                Style::Hint,
                format!("confluent ebs connector explain {}", connector_arg(id, name)),
            )
            .with_hanging_indent(2),
    );
    Block::Lines(lines)
}

/// A change of a connector's configuration, key by key.
pub(super) fn config_diff(name: &str, mark: ChangeMark, fields: &[FieldDiff]) -> Block {
    let mut change = DiffEntry::new(mark, ["connector", name]);
    for field in fields {
        change = match field.secret {
            Some(secret) => change.field(field.config.clone(), "", format!("(secret: {})", secret.as_str())),
            None => change.field(
                field.config.clone(),
                field.old.clone().unwrap_or_default(),
                field.new.clone().unwrap_or_default(),
            ),
        };
    }
    Block::Diff(vec![change])
}

/// The keys that were filled in, as lines of a diff.
pub(super) fn added_defaults(added: &[AddedDefault]) -> Block {
    let changes = added.iter().map(|line| {
        DiffEntry::new(ChangeMark::Add, [format!("\"{}\": \"{}\"", line.config, line.value)]).with_reason(line.why)
    });
    Block::Diff(changes.collect())
}
