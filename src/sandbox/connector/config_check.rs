//! Static validation of configurations. The service performs the same checks at validation and at creation
//! (docs/reference/connect.md#create-a-connector, docs/reference/connect.md#validate-a-configuration and
//! docs/reference/connect.md#error-messages).

use std::collections::BTreeMap;

use super::{
    config::{ConnectorConfig, value},
    plugins::{SandboxPlugin, value_type_name, written_value},
};
use crate::{
    catalog::{KeySchema, ValueType, rules::missing_key::CONDITIONAL, secret::is_masked_value},
    sandbox::seed::ClusterKind,
};

/// Errors by key.
pub(crate) type ConfigErrors = BTreeMap<String, Vec<String>>;

/// Validates a configuration for a cluster.
pub(crate) fn check_config(plugin: &SandboxPlugin, config: &ConnectorConfig, cluster: ClusterKind) -> ConfigErrors {
    let mut errors = ConfigErrors::new();
    let mut add = |key: &str, text: String| errors.entry(key.to_owned()).or_default().push(text);
    for key in plugin.keys() {
        let text = key_error(key, config).or_else(|| range_error(plugin, key, config, cluster));
        if let Some(text) = text {
            add(&key.name, text);
        }
    }
    if let Some(text) = config.get("tasks.max")
        && text.parse::<u32>().map_or(true, |tasks| tasks == 0)
        && plugin
            .key("tasks.max")
            .is_none_or(|key| key_error(key, config).is_none())
    {
        add(
            "tasks.max",
            format!("Invalid value {text} for configuration tasks.max: must be a number of at least 1"),
        );
    }
    let (topics, regex) = (value(config, "topics"), value(config, "topics.regex"));
    if plugin.is_sink() && topics.is_some() && regex.is_some() {
        let text = "\"topics\" and \"topics.regex\" must not both be set";
        add("topics", text.to_owned());
        add("topics.regex", text.to_owned());
    }
    if plugin.is_sink() && topics.is_none() && regex.is_none() && plugin.key("topics").is_none_or(|key| !key.required) {
        add("topics", "\"topics\" is required".to_owned());
    }
    for (name, text) in identity_errors(config) {
        add(name, text);
    }
    errors
}

/// Returns the error of one value.
fn key_error(key: &KeySchema, config: &ConnectorConfig) -> Option<String> {
    let name = &key.name;
    let Some(written) = written_value(Some(key), config, name) else {
        let by_regex = name == "topics" && value(config, "topics.regex").is_some();
        let identity =
            name.starts_with("kafka.api.") || name.starts_with("kafka.service.") || name == "kafka.auth.mode";
        let conditional = CONDITIONAL.contains(&name.as_str());
        let missing = key.is_required() && !by_regex && !identity && !conditional;
        return missing.then(|| format!("\"{name}\" is required"));
    };
    if !key.allowed.is_empty() && !key.allowed.contains(&written) {
        // A list may contain any of the allowed values.
        let parts = || written.split(',').map(str::trim);
        let listed = key.value_type == ValueType::List && parts().all(|part| key.allowed.contains(&part));
        return (!listed && !written.contains("${"))
            .then(|| format!("Value \"{written}\" doesn't belong to the property's \"{name}\" enum"));
    }
    let invalid = |what: &str| Some(format!("Invalid value {written} for configuration {name}: {what}"));
    let not_a_number = || invalid(&format!("Not a number of type {}", value_type_name(key)));
    match key.value_type {
        ValueType::Int | ValueType::Long | ValueType::Short if written.parse::<i64>().is_err() => not_a_number(),
        ValueType::Double if written.parse::<f64>().is_err() => not_a_number(),
        ValueType::Boolean if !["true", "false"].contains(&written.to_ascii_lowercase().as_str()) => {
            invalid("Expected value to be either true or false")
        }
        ValueType::Password if written.contains('\\') && !is_masked_value(written) => {
            // Source: docs/reference/connect.md#secrets-and-masks. Not supported by managed connectors.
            invalid("a backslash is not supported in passwords")
        }
        _ => None,
    }
}

/// Returns the error of a number that is too small or too large. The service has its own text for `flush.size`
/// (pattern 4), other keys have that of Kafka's `ConfigDef.Range`.
fn range_error(
    plugin: &SandboxPlugin,
    key: &KeySchema,
    config: &ConnectorConfig,
    cluster: ClusterKind,
) -> Option<String> {
    let name = &key.name;
    let limits = plugin.limits(key)?;
    let number = written_value(Some(key), config, name)?.parse::<i64>().ok()?;
    let min = match cluster {
        ClusterKind::Dedicated => limits.min_dedicated,
        _ => limits.min,
    };
    let invalid = |what: String| Some(format!("Invalid value {number} for configuration {name}: {what}"));
    match limits.max {
        _ if number < min && name == "flush.size" => {
            Some(format!("\"{name}\" should be greater than or equal to {min}"))
        }
        _ if number < min => invalid(format!("Value must be at least {min}")),
        Some(max) if number > max => invalid(format!("Value must be no more than {max}")),
        _ => None,
    }
}

/// Checks that the Kafka credentials are complete (docs/reference/connect.md#kafka-identity).
fn identity_errors(config: &ConnectorConfig) -> Vec<(&'static str, String)> {
    let required = |name: &'static str| match value(config, name) {
        Some(_) => None,
        None => Some((name, format!("\"{name}\" is required"))),
    };
    match value(config, "kafka.auth.mode") {
        Some("SERVICE_ACCOUNT") => required("kafka.service.account.id").into_iter().collect(),
        Some("KAFKA_API_KEY") | None => [required("kafka.api.key"), required("kafka.api.secret")]
            .into_iter()
            .flatten()
            .collect(),
        Some(other) => vec![(
            "kafka.auth.mode",
            format!("Value \"{other}\" doesn't belong to the property's \"kafka.auth.mode\" enum"),
        )],
    }
}

/// Formats the errors as lines `key: text`.
pub(crate) fn error_lines(errors: &ConfigErrors) -> Vec<String> {
    let all = errors.iter();
    all.flat_map(|(key, texts)| texts.iter().map(move |text| format!("{key}: {text}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Required keys of an S3 sink other than topics and bucket.
    const REST: [(&str, &str); 6] = [
        ("connector.class", "S3_SINK"),
        ("name", "lake"),
        ("kafka.auth.mode", "SERVICE_ACCOUNT"),
        ("kafka.service.account.id", "sa-1"),
        ("time.interval", "HOURLY"),
        ("tasks.max", "1"),
    ];

    fn error_lines_of(written: &[(&str, &str)]) -> Vec<String> {
        error_lines_on(ClusterKind::Enterprise, written)
    }

    fn error_lines_on(cluster: ClusterKind, written: &[(&str, &str)]) -> Vec<String> {
        let config = REST
            .iter()
            .chain(written)
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        error_lines(&check_config(
            &SandboxPlugin::find_or_unknown("S3_SINK"),
            &config,
            cluster,
        ))
    }

    // docs/reference/connect.md#limits-of-values.
    #[test]
    fn numbers_outside_of_their_limits_are_rejected() {
        let rest = [("topics", "t"), ("s3.bucket.name", "b")];
        let on = |cluster, lines: &[(&str, &str)]| error_lines_on(cluster, &[&rest, lines].concat());
        assert_eq!(
            on(
                ClusterKind::Standard,
                &[
                    ("s3.part.size", "1000"),
                    ("max.poll.records", "0"),
                    ("flush.size", "999")
                ]
            ),
            [
                "flush.size: \"flush.size\" should be greater than or equal to 1000",
                "max.poll.records: Invalid value 0 for configuration max.poll.records: Value must be at least 1",
                "s3.part.size: Invalid value 1000 for configuration s3.part.size: Value must be at least 5242880",
            ]
        );
        assert!(on(ClusterKind::Dedicated, &[("flush.size", "1")]).is_empty());
        assert_eq!(on(ClusterKind::Dedicated, &[("flush.size", "0")]).len(), 1);
    }

    // The texts of docs/reference/connect.md#error-messages, patterns 2 to 4.
    #[test]
    fn each_invalid_key_has_the_error_text_of_the_service() {
        let said = error_lines_of(&[
            ("input.data.format", "avro"),
            ("flush.size", "10"),
            ("auto.restart.on.user.error", "yes"),
            ("topics", "t"),
        ]);
        assert_eq!(
            said,
            [
                "auto.restart.on.user.error: Invalid value yes for configuration auto.restart.on.user.error: Expected value to be either true or false",
                "flush.size: \"flush.size\" should be greater than or equal to 1000",
                "input.data.format: Value \"avro\" doesn't belong to the property's \"input.data.format\" enum",
                "s3.bucket.name: \"s3.bucket.name\" is required",
            ]
        );
    }

    #[test]
    fn a_sink_needs_topics_or_a_regex_and_at_least_one_task() {
        let about = |lines: &[(&str, &str)]| error_lines_of(&[&[("s3.bucket.name", "b")], lines].concat());
        assert_eq!(about(&[]), ["topics: \"topics\" is required"]);
        assert_eq!(about(&[("topics", "a"), ("topics.regex", "b")]).len(), 2);
        for tasks in ["0", "-1", "many"] {
            assert_eq!(about(&[("topics", "a"), ("tasks.max", tasks)]).len(), 1, "{tasks}");
        }
    }
}
