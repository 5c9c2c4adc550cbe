//! The embedded catalogue of plugins holds the facts that `tools/catalogue.py` read (`catalog/plugins.json`).

use std::fs;

use confluent_ebs::catalog::{ConnectorDirection, KeySchema, ValueType, catalog};
use serde_json::Value;

/// The differences between a key and its definition in the source.
fn differences(key: &KeySchema, source: &Value) -> Vec<&'static str> {
    let as_text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let allowed = source["allowed"].as_array().into_iter().flatten().map(as_text);
    // The data file has one key per line and writes a line feed as `\\n`.
    let default = source.get("default").filter(|value| !value.is_null()).map(as_text);
    let default = default.map(|default| default.replace('\n', "\\n"));
    let checks = [
        (
            "secret",
            (key.value_type == ValueType::Password) == (source["type"] == "PASSWORD"),
        ),
        (
            "required",
            (key.required || key.conditionally_required) == (source["required"] == true),
        ),
        ("default", key.default.map(str::to_owned) == default),
        ("allowed", key.allowed.iter().copied().eq(allowed.collect::<Vec<_>>())),
    ];
    // Where the source has only the name of a key, the supplement may define it.
    let has_definition = source["type"] != "STRING" || source["importance"].is_string();
    let checks = checks
        .into_iter()
        .filter(|(what, _)| has_definition || *what == "required");
    let wrong = checks.filter(|(_, same)| !same);
    wrong.map(|(what, _)| what).collect()
}

#[test]
fn the_catalogue_holds_every_plugin_and_key_of_its_source() {
    let Some(folder) = crate::vendor_data(crate::CATALOGUE) else {
        return;
    };
    let path = folder.join("catalog/plugins.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let source: Value = serde_json::from_str(&text).unwrap();
    let plugins = source["plugins"].as_object().unwrap();
    assert!(
        plugins.len() > 100,
        "{} holds {} plugins",
        path.display(),
        plugins.len()
    );
    let mut wrong = Vec::new();
    for (class, facts) in plugins {
        let Some(plugin) = catalog().plugin(class) else {
            wrong.push(format!("{class} is missing"));
            continue;
        };
        let is_sink = plugin.direction == ConnectorDirection::Sink;
        if plugin.implementation != facts["implementation"] || is_sink != (facts["type"] == "sink") {
            wrong.push(format!("{class}: class or direction"));
        }
        for (name, facts) in facts["keys"].as_object().unwrap() {
            match plugin.keys.get(name) {
                None => wrong.push(format!("{class}: `{name}` is missing")),
                Some(key) => {
                    let found = differences(key, facts).into_iter();
                    wrong.extend(found.map(|what| format!("{class}: `{name}`: {what}")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
