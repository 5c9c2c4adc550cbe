//! Text of a starter file for `connector plugin new`: YAML with a comment for every key, or JSON with the active keys
//! only, because JSON allows no comments.

use std::fmt::Write;

use crate::{
    catalog::{
        ConnectorDirection,
        schema::SNAPSHOT,
        starter::{FILL_IN, Starter, StarterKey, StarterSection},
    },
    model::DepartmentQuota,
};

/// Returns the text of a YAML file called `file`.
#[must_use]
pub fn render_yaml(starter: &Starter, file: &str, quota: Option<&DepartmentQuota>) -> String {
    let mut out = String::new();
    // Writing into a `String` cannot fail.
    let _ = write_yaml(&mut out, starter, file, quota);
    out
}

fn write_yaml(out: &mut String, starter: &Starter, file: &str, quota: Option<&DepartmentQuota>) -> std::fmt::Result {
    let class = starter.class;
    let what = match starter.direction {
        ConnectorDirection::Source => "a source: it writes to Kafka",
        ConnectorDirection::Sink => "a sink: it reads from Kafka",
    };
    writeln!(out, "# A connector of plugin {class}, {what}.")?;
    writeln!(out, "#")?;
    if starter.placeholders().next().is_some() {
        writeln!(out, "# 1. Replace every {FILL_IN}.")?;
    } else {
        writeln!(out, "# 1. Review it.")?;
    }
    writeln!(out, "# 2. Check it:  confluent ebs connector lint {file}")?;
    writeln!(
        out,
        "# 3. Create it: confluent ebs connector create --config-file {file}"
    )?;
    writeln!(out, "#")?;
    writeln!(out, "# The keys are those of {SNAPSHOT}. Current keys:")?;
    writeln!(out, "# confluent ebs connector plugin describe {class}")?;
    writeln!(out)?;
    writeln!(out, "name: {}", double_quoted(&starter.name))?;
    writeln!(out, "connector.class: {}", double_quoted(class))?;

    write_section(out, starter, StarterSection::Topics, "Kafka topics.")?;
    write_section(out, starter, StarterSection::Required, "Required keys.")?;
    write_section(out, starter, StarterSection::Usual, "Common keys.")?;

    writeln!(out)?;
    match quota {
        Some(quota) => writeln!(
            out,
            "# {} (at most {} for one connector).",
            starter.tasks, quota.tasks_per_connector
        )?,
        None => writeln!(out, "# {}.", starter.tasks)?,
    }
    writeln!(out, "tasks.max: \"1\"")?;

    writeln!(out)?;
    writeln!(
        out,
        "# The runtime account is omitted on purpose. `create` fills in the department's account"
    )?;
    writeln!(
        out,
        "# (kafka.auth.mode, kafka.service.account.id), so that no Kafka key is needed."
    )?;
    if starter.dead_letters {
        writeln!(
            out,
            "# `create` also sets errors.deadletterqueue.topic.name to a topic of your department."
        )?;
    }
    if starter.variables().next().is_some() {
        writeln!(out)?;
        writeln!(
            out,
            "# Do not write secrets into this file. When the connector is created, ${{env:NAME}} is read from the environment,"
        )?;
        writeln!(
            out,
            "# ${{file:PATH}} from a file below --secrets-dir, and ${{prompt:}} is prompted for."
        )?;
    }
    write_section(
        out,
        starter,
        StarterSection::Optional,
        "Optional keys: remove the `#` to set one.",
    )
}

/// Writes the keys of one section after a comment, if there are any.
fn write_section(out: &mut String, starter: &Starter, part: StarterSection, title: &str) -> std::fmt::Result {
    let keys: Vec<&StarterKey> = starter.keys.iter().filter(|key| key.section == part).collect();
    if keys.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n# {title}")?;
    let off = if part == StarterSection::Optional { "#" } else { "" };
    let mut noted = true;
    for StarterKey { key, value, note, .. } in keys {
        // Separate a key with a note by blank lines, so that the note clearly belongs to it.
        if note.is_some() || noted {
            writeln!(out)?;
        }
        noted = note.is_some();
        if let Some(note) = note {
            write_comment(out, note)?;
        }
        writeln!(out, "{off}{key}: {}", double_quoted(value))?;
    }
    Ok(())
}

/// Writes a comment, wrapped at 98 columns.
fn write_comment(out: &mut String, text: &str) -> std::fmt::Result {
    const WIDTH: usize = 98;
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.len() + 1 + word.len() > WIDTH {
            writeln!(out, "# {line}")?;
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(out, "# {line}")
}

/// Returns text in double quotes. JSON escapes are valid in YAML.
fn double_quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Returns the text of a JSON file in the format of the Confluent CLI.
#[must_use]
pub fn render_json(starter: &Starter) -> String {
    let mut config = serde_json::Map::new();
    config.insert("connector.class".to_owned(), starter.class.into());
    config.insert("name".to_owned(), starter.name.as_str().into());
    for key in starter.active() {
        config.insert(key.key.clone(), key.value.as_str().into());
    }
    config.insert("tasks.max".to_owned(), "1".into());
    let file = serde_json::json!({ "name": starter.name, "config": config });
    format!("{file:#}\n")
}

#[cfg(test)]
mod tests;
