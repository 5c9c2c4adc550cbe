//! The recordings: one JSON object per command.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RecordedCommand {
    #[serde(rename = "command")]
    pub(crate) name: String,
    pub(crate) requests: Vec<RecordedRequest>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RecordedRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) query: BTreeMap<String, QueryValues>,
    pub(crate) auth: String,
    #[serde(default)]
    pub(crate) body: Option<Value>,
    pub(crate) status: u16,
    #[serde(default = "once")]
    pub(crate) times: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum QueryValues {
    One(String),
    Many(Vec<String>),
}

impl RecordedRequest {
    pub(crate) fn is_about_connectors(&self) -> bool {
        self.path.contains("/connect/v1/")
    }
}

fn once() -> usize {
    1
}

impl QueryValues {
    pub(crate) fn all(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

impl RecordedCommand {
    pub(crate) fn is_about_connectors(&self) -> bool {
        self.name.starts_with("confluent connect ")
    }

    /// The same command as far as it is not about connectors.
    pub(crate) fn without_connectors(&self) -> Self {
        self.with_requests(|request| !request.is_about_connectors())
    }

    /// The same command with a part of its requests.
    pub(crate) fn with_requests(&self, wanted: impl Fn(&RecordedRequest) -> bool) -> Self {
        let mut command = self.clone();
        command.requests.retain(|request| wanted(request));
        command
    }
}

/// The commands of a recording in `tests/fixtures/traces`.
pub(crate) fn load_commands(file: &str) -> Vec<RecordedCommand> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/traces")
        .join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let commands: Vec<RecordedCommand> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!commands.is_empty(), "{} holds no command", path.display());
    commands
}
