//! Subjects of the Schema Registry that a configuration reads and writes.

use super::{config::ConnectorConfig, plugins::SandboxPlugin};

/// Returns the subject suffixes of each topic: `key`, `value`, or none
/// (docs/reference/connect.md#common-configuration-keys).
pub(crate) fn subject_suffixes(plugin: &SandboxPlugin, config: &ConnectorConfig) -> Vec<&'static str> {
    // The Kafka side is the input of a sink and the output of a source. The other side are files.
    let side = if plugin.is_sink() { "input." } else { "output." };
    let formats = plugin
        .keys()
        .filter(|key| key.name.starts_with(side) && key.allowed.contains(&"AVRO"));
    let mut found = Vec::new();
    for key in formats {
        let schemas = plugin
            .value(config, &key.name)
            .is_some_and(|format| ["AVRO", "JSON_SR", "PROTOBUF"].contains(&format));
        let part = if key.name.contains(".key.") { "key" } else { "value" };
        if schemas && !found.contains(&part) {
            found.push(part);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(lines: &[(&str, &str)]) -> ConnectorConfig {
        let lines = lines.iter();
        lines
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn schema_based_formats_need_subjects() {
        let of = |class: &str, lines: &[(&str, &str)]| {
            subject_suffixes(&SandboxPlugin::find_or_unknown(class), &config(lines))
        };
        assert_eq!(of("S3_SINK", &[("input.data.format", "AVRO")]), ["value"]);
        assert_eq!(of("S3_SINK", &[("output.data.format", "AVRO")]), [""; 0]);
        assert_eq!(of("DatagenSource", &[("output.data.format", "JSON_SR")]), ["value"]);
        // By default, and for the key.
        assert_eq!(of("OracleXStreamSource", &[]), ["value", "key"]);
    }
}
