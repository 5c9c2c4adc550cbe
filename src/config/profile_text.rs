//! Text of a profile file, with comments for its reader.

use std::{fmt::Write, path::Path};

use super::profile::Profile;
use crate::{
    manifest::toml_format::{toml_list, toml_string},
    model::{ApiKeyId, KeyKind, Secret},
};

pub(super) fn render(profile: &Profile, file: &Path, keys: &[(KeyKind, &ApiKeyId, &Secret)]) -> String {
    let mut out = String::new();
    // Writing to a `String` cannot fail.
    let _ = write_head(&mut out, profile, file, !keys.is_empty());
    let _ = write_facts(&mut out, profile);
    let _ = write_keys(&mut out, keys);
    out
}

fn write_head(out: &mut String, profile: &Profile, file: &Path, with_key: bool) -> std::fmt::Result {
    let facts = &profile.facts;
    // The commands use a path relative to the file's folder.
    let file = file.file_name().map_or(file, Path::new);
    // The name is the only free text here; a line break in it would end the comment.
    let name: String = facts.department_name.chars().filter(|c| !c.is_control()).collect();
    writeln!(
        out,
        "# Profile of {name} ({}): persona {}, stage {}.",
        facts.department, facts.persona, facts.stage
    )?;
    writeln!(out, "#")?;
    if with_key {
        writeln!(
            out,
            "# This file contains a secret: keep it out of Git, mail and tickets. If it leaks, ask {} to rotate the key.",
            facts.platform_team
        )?;
        writeln!(
            out,
            "# Without the [key] table the file may be committed; the key is then read from CONFLUENT_CLOUD_API_KEY and"
        )?;
        writeln!(out, "# CONFLUENT_CLOUD_API_SECRET.")?;
    } else {
        writeln!(
            out,
            "# This file contains no key, and your key stays: `profile import` adds the key that you imported before. In a"
        )?;
        writeln!(
            out,
            "# pipeline, set CONFLUENT_CLOUD_API_KEY and CONFLUENT_CLOUD_API_SECRET."
        )?;
    }
    writeln!(out, "#")?;
    writeln!(
        out,
        "# Use it:   confluent ebs connector list --profile ./{}",
        file.display()
    )?;
    writeln!(out, "# Keep it:  confluent ebs profile import ./{}", file.display())?;
    writeln!(out)
}

fn write_facts(out: &mut String, profile: &Profile) -> std::fmt::Result {
    let facts = &profile.facts;
    writeln!(out, "department = {}", toml_string(facts.department.as_str()))?;
    writeln!(out, "name = {}", toml_string(&facts.department_name))?;
    writeln!(out, "persona = {}", toml_string(&facts.persona))?;
    writeln!(out, "prefix = {}", toml_string(facts.prefix.as_str()))?;
    writeln!(out, "issued = {}", profile.issued)?;
    writeln!(out)?;
    writeln!(out, "stage = {}", toml_string(&facts.stage))?;
    writeln!(out, "endpoint = {}", toml_string(&profile.endpoint.to_string()))?;
    writeln!(out, "organization = {}", toml_string(facts.organization.as_str()))?;
    writeln!(out, "environment = {}", toml_string(facts.environment.as_str()))?;
    writeln!(out, "cluster = {}", toml_string(facts.cluster.as_str()))?;
    if let Some(registry) = &facts.schema_registry {
        writeln!(out, "schema_registry = {}", toml_string(registry.as_str()))?;
    }
    if facts.runtime.is_some() || profile.runtime_account.is_some() {
        writeln!(out)?;
        writeln!(out, "# Service account that connectors run as; it needs no key.")?;
    }
    if let Some(runtime) = &facts.runtime {
        writeln!(out, "runtime = {}", toml_string(runtime))?;
    }
    if let Some(account) = &profile.runtime_account {
        writeln!(out, "runtime_account = {}", toml_string(account.as_str()))?;
    }
    if !profile.secret_variables.is_empty() {
        writeln!(out)?;
        writeln!(
            out,
            "# Variables besides EBS_SECRET_… that connector files may reference."
        )?;
        writeln!(out, "secret_variables = {}", toml_list(&profile.secret_variables))?;
    }
    writeln!(out)?;
    writeln!(out, "[quota]")?;
    writeln!(out, "connectors = {}", facts.quota.connectors)?;
    writeln!(out, "tasks = {}", facts.quota.tasks)?;
    writeln!(out, "tasks_per_connector = {}", facts.quota.tasks_per_connector)?;
    writeln!(out, "plugins = {}", toml_list(&facts.quota.plugins))?;
    if !facts.connector_names.is_any() {
        writeln!(out)?;
        writeln!(out, "# Names of new connectors, after the prefix.")?;
        writeln!(out, "[naming]")?;
        writeln!(out, "connector = {}", toml_string(facts.connector_names.as_str()))?;
    }
    if let Some(throughput) = facts.quota.throughput {
        writeln!(out)?;
        writeln!(out, "# Client quota of the service account that connectors run as.")?;
        writeln!(out, "[quota.throughput]")?;
        writeln!(out, "ingress = {}", toml_string(&throughput.ingress.to_string()))?;
        writeln!(out, "egress = {}", toml_string(&throughput.egress.to_string()))?;
    }
    let team = &facts.platform_team;
    if !team.is_unnamed() {
        writeln!(out)?;
        writeln!(out, "# Whom to ask.")?;
        writeln!(out, "[platform]")?;
        for (key, text) in [("team", &team.team), ("contact", &team.contact)] {
            if let Some(text) = text {
                writeln!(out, "{key} = {}", toml_string(text.as_str()))?;
            }
        }
    }
    if !facts.lint_exceptions.is_empty() {
        writeln!(out)?;
        writeln!(out, "# Excepted lint rules, each with its reason.")?;
        writeln!(out, "[lint]")?;
        for (rule, reason) in &facts.lint_exceptions {
            writeln!(out, "{rule} = {}", toml_string(reason))?;
        }
    }
    Ok(())
}

fn write_keys(out: &mut String, keys: &[(KeyKind, &ApiKeyId, &Secret)]) -> std::fmt::Result {
    let mut keys = keys.to_vec();
    // `[key]` comes first: TOML assigns lines after a sub-table to the sub-table.
    keys.sort_by_key(|(kind, ..)| *kind);
    for (kind, id, secret) in keys {
        let table = match kind {
            KeyKind::Cloud => "key",
            KeyKind::Kafka => "key.kafka",
            KeyKind::SchemaRegistry => "key.schema_registry",
        };
        writeln!(out)?;
        writeln!(out, "[{table}]")?;
        writeln!(out, "id = {}", toml_string(id.as_str()))?;
        writeln!(out, "secret = {}", toml_string(secret.expose()))?;
    }
    Ok(())
}
