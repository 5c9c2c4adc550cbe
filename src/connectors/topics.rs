//! Topics of a connector, as displayed. They are derived from its configuration: a department's key cannot list topics.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::catalog::topics::connector_topics;

/// Topics that a connector reads and writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TopicUsage {
    /// Topics that a sink reads.
    pub reads: Vec<String>,
    /// Pattern of the topics that a sink reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads_pattern: Option<String>,
    /// Topics that a source writes.
    pub writes: Vec<String>,
    /// Beginning of topic names that depend on the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writes_prefix: Option<String>,
    /// Topics that a source writes for itself.
    pub internal: Vec<String>,
    /// Topics for dead letters and reports.
    pub dead_letters: Vec<String>,
}

impl TopicUsage {
    /// Derives the topics from the configuration of the connector `id`.
    #[must_use]
    pub fn new(class: &str, config: &BTreeMap<String, String>, id: &str) -> Self {
        let topics = connector_topics(class, config, id);
        Self {
            reads: topics.read,
            reads_pattern: config.get("topics.regex").filter(|regex| !regex.is_empty()).cloned(),
            writes: topics.written,
            writes_prefix: topics.prefix,
            internal: topics.internal,
            dead_letters: topics.reports,
        }
    }

    /// Returns the labels and values to display, without empty ones.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let listed = |names: &[String], rest: Option<String>| names.iter().cloned().chain(rest).collect::<Vec<_>>();
        let reads_pattern = self
            .reads_pattern
            .as_ref()
            .map(|regex| format!("all that match `{regex}`"));
        let writes_prefix = self.writes_prefix.as_ref().map(|prefix| format!("{prefix}…"));
        let all = [
            ("Reads", listed(&self.reads, reads_pattern)),
            ("Writes", listed(&self.writes, writes_prefix)),
            ("Internal Topics", listed(&self.internal, None)),
            ("Dead Letters", listed(&self.dead_letters, None)),
        ];
        let named = all.into_iter().filter(|(_, names)| !names.is_empty());
        named.map(|(label, names)| (label, names.join(", "))).collect()
    }
}
