//! Files that hold a connector in another shape than the Connect API's: output of the Confluent CLI and of this program,
//! answers of the API, and Terraform's maps. One connector is read from them; other files are named with what to do.
//!
//! Sources: cli `internal/connect/command_cluster_describe.go` (`connector`, `tasks`, `configs`); connect/v1
//! (`GET /connectors?expand=info,status,id`); terraform-provider-confluent `confluent_connector`
//! (`config_sensitive`, `config_nonsensitive`); Strimzi's `KafkaConnector` and Confluent for Kubernetes' `Connector`.

use super::{ParseFailure, ParsedMember, ParsedObject};

/// Returns `root` with the configuration of its one connector, if it has one of these shapes.
pub(super) fn unwrap(root: ParsedObject) -> Result<ParsedObject, ParseFailure> {
    if root
        .find("configs")
        .is_some_and(|configs| configs.items.iter().any(is_described_key))
    {
        return Ok(from_description(root));
    }
    if root.nested("config_nonsensitive").is_some() || root.nested("config_sensitive").is_some() {
        return Ok(from_terraform(root));
    }
    if root.find("apiVersion").is_some() && root.find("kind").is_some() {
        return Err(root.failure(
            "this is a Kubernetes resource, not a connector file",
            "Write the keys of `spec.config`, and `name`, into a file of their own; the keys of managed plugins differ.",
        ));
    }
    if root.find("terraform_version").is_some() {
        return Err(root.failure(
            "this is Terraform's state or plan, not a connector file",
            "Write the maps `config_nonsensitive` and `config_sensitive` of one connector into a file.",
        ));
    }
    from_expanded_list(root)
}

/// Returns why a text that is neither JSON nor YAML is no connector file, if it is of a known kind.
pub(super) fn name_other_format(text: &str) -> Option<(&'static str, &'static str)> {
    if text.contains("resource \"confluent_connector\"") {
        return Some((
            "this is a Terraform file, not a connector file",
            "Write the keys of `config_nonsensitive` and `config_sensitive` as JSON or as `key: value` lines.",
        ));
    }
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(['#', '!']))
        .peekable();
    let is_property = |line: &str| {
        line.split_once('=')
            .is_some_and(|(key, _)| !key.trim().contains([' ', ':', '"', '{']))
    };
    (lines.peek().is_some() && lines.all(is_property)).then_some((
        "this is a Java properties file, not a connector file",
        "Write `key: value` lines (YAML) or JSON.",
    ))
}

fn is_described_key(item: &ParsedObject) -> bool {
    item.find("config").is_some() && item.find("value").is_some()
}

fn from_description(mut root: ParsedObject) -> ParsedObject {
    let configs = root.members.iter_mut().find(|member| member.entry.key == "configs");
    let items = configs
        .map(|member| std::mem::take(&mut member.items))
        .unwrap_or_default();
    let members = items.into_iter().filter_map(|item| {
        let (mut key, mut value) = (None, None);
        for member in item.members {
            match member.entry.key.as_str() {
                "config" => key = Some(member.entry),
                "value" => value = Some(member),
                _ => {}
            }
        }
        let (key, mut value) = (key?, value?);
        value.entry.key = key.value;
        value.entry.key_span = key.value_span;
        Some(value)
    });
    ParsedObject {
        members: members.collect(),
        opening: root.opening,
    }
}

fn from_terraform(root: ParsedObject) -> ParsedObject {
    let maps = root
        .members
        .into_iter()
        .filter(|member| member.entry.key.starts_with("config_"));
    ParsedObject {
        members: maps
            .filter_map(|member| member.nested)
            .flat_map(|map| map.members)
            .collect(),
        opening: root.opening,
    }
}

/// Unwraps `{"NAME": {"info": {"name": …, "config": {…}}, "status": …}}`.
fn from_expanded_list(root: ParsedObject) -> Result<ParsedObject, ParseFailure> {
    let has_info = |member: &ParsedMember| {
        member
            .nested
            .as_ref()
            .is_some_and(|inside| inside.nested("info").is_some())
    };
    if root.members.is_empty() || !root.members.iter().all(has_info) {
        return Ok(root);
    }
    if root.members.len() > 1 {
        return Err(root.failure(
            "this is a list of several connectors, not a connector file",
            "Write the `config` of one connector into a file.",
        ));
    }
    let info = root
        .members
        .into_iter()
        .next()
        .and_then(|member| member.nested?.take("info"));
    Ok(info.unwrap_or(ParsedObject {
        members: Vec::new(),
        opening: root.opening,
    }))
}

impl ParsedObject {
    fn find(&self, key: &str) -> Option<&ParsedMember> {
        self.members.iter().find(|member| member.entry.key == key)
    }

    fn nested(&self, key: &str) -> Option<&ParsedObject> {
        self.find(key)?.nested.as_ref()
    }

    fn take(self, key: &str) -> Option<ParsedObject> {
        self.members.into_iter().find(|member| member.entry.key == key)?.nested
    }

    fn failure(&self, message: &str, fix: &str) -> ParseFailure {
        ParseFailure {
            message: message.to_owned(),
            fix: fix.to_owned(),
            range: self.opening.clone(),
        }
    }
}
