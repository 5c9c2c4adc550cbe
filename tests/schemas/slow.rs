//! Every plugin with many changes of its configuration.

use confluent_ebs::{
    catalog::{
        PluginSchema, ValueType, catalog,
        starter::{FILL_IN, starter},
    },
    manifest::starter::render_json,
};
use serde_json::{Value, json};

use crate::{connectors::lint_errors, plugin_schema, schema_errors};

/// The starter of a plugin with a value for every key; `None` if the linter still finds a mistake.
fn completed_starter(plugin: &PluginSchema) -> Option<Value> {
    let written = render_json(&starter(plugin, "claims-a", None));
    let file: Value = serde_json::from_str(&written).unwrap();
    let mut config = file["config"].clone();
    for (key, value) in config.as_object_mut().unwrap() {
        let fact = plugin.key(key);
        let filler = match fact.map(|fact| fact.value_type) {
            Some(ValueType::Int | ValueType::Long | ValueType::Short) => "5432",
            _ => fact.and_then(|fact| fact.allowed.first().copied()).unwrap_or("a"),
        };
        *value = value.as_str().unwrap().replace(FILL_IN, filler).into();
    }
    lint_errors(&config.to_string()).is_empty().then_some(config)
}

/// For every plugin: a missing key, an empty value, and a value of another type.
#[test]
fn each_change_of_a_complete_file_is_judged_alike() {
    let (mut plugins, mut changes, mut red) = (0, 0, 0);
    let mut wrong = Vec::new();
    for plugin in catalog().plugins() {
        let Some(complete) = completed_starter(plugin) else {
            continue;
        };
        let schema = plugin_schema(plugin.class);
        let validator = jsonschema::validator_for(&schema).unwrap();
        assert_eq!(schema_errors(&schema, &complete), [""; 0], "{}", plugin.class);
        plugins += 1;
        for key in complete
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| *key != "connector.class")
        {
            for value in [
                None,
                Some(json!("")),
                Some(json!("x y")),
                Some(json!(true)),
                Some(json!("${env:EBS_SECRET_A}")),
            ] {
                let mut changed = complete.clone();
                let members = changed.as_object_mut().unwrap();
                match &value {
                    None => drop(members.remove(key)),
                    Some(value) => drop(members.insert(key.clone(), value.clone())),
                }
                let mut findings = lint_errors(&changed.to_string());
                findings.remove("transform");
                // The linter only warns about a value that resembles no known one.
                let is_enumerated = plugin.key(key).is_some_and(|fact| !fact.allowed.is_empty());
                if is_enumerated && value.is_some() && value != Some(json!("")) {
                    continue;
                }
                if findings.is_empty() != validator.is_valid(&changed) {
                    let errors = schema_errors(&schema, &changed);
                    wrong.push(format!("{} {key} {value:?}: {findings:?}, {errors:?}", plugin.class));
                }
                changes += 1;
                red += usize::from(!findings.is_empty());
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(plugins > 60 && changes > 2000 && red > 500, "{plugins} {changes} {red}");
}
