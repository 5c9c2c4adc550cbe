//! JSON Schemas for editors: they accept what the checks of the commands accept, and refuse what these report, as far as
//! a schema can express it.

#[path = "../common/mod.rs"]
mod common;

mod command;
mod connectors;
mod policies;
mod slow;
mod toml_files;

use confluent_ebs::{
    catalog::catalog,
    manifest::schema::{FileKind, SchemaCoverage, connector_schema},
};
use serde_json::Value;

/// Errors of `document` under `schema`, as `place: message`.
fn schema_errors(schema: &Value, document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// The schema of connector files of `class`.
fn plugin_schema(class: &str) -> Value {
    connector_schema(catalog(), catalog().plugin(class).unwrap(), SchemaCoverage::Complete)
}

/// Calls `visit` with every schema below `schema` that has properties, and its place.
fn visit_objects(schema: &Value, place: &str, visit: &mut impl FnMut(&str, &Value)) {
    match schema {
        Value::Object(members) => {
            if members.get("properties").is_some_and(Value::is_object) && members.contains_key("type") {
                visit(place, schema);
            }
            for (key, value) in members {
                visit_objects(value, &format!("{place}/{key}"), visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                visit_objects(item, &format!("{place}/{index}"), visit);
            }
        }
        _ => {}
    }
}

/// Follows a reference inside of `root`.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

#[test]
fn every_schema_is_valid_and_describes_every_setting() {
    let mut schemas: Vec<(String, Value)> = FileKind::ALL
        .into_iter()
        .map(|kind| (kind.as_str().to_owned(), kind.schema(catalog())))
        .collect();
    for plugin in catalog().plugins() {
        for coverage in [SchemaCoverage::Complete, SchemaCoverage::Partial] {
            let name = format!("{} {coverage:?}", plugin.class);
            schemas.push((name, connector_schema(catalog(), plugin, coverage)));
        }
    }
    assert!(schemas.len() > 150, "{}", schemas.len());
    for (name, schema) in &schemas {
        assert_eq!(
            schema["$schema"], "https://json-schema.org/draft/2020-12/schema",
            "{name}"
        );
        assert!(
            schema["$id"].as_str().unwrap().starts_with("urn:confluent-ebs:schema:"),
            "{name}"
        );
        jsonschema::meta::validate(schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        visit_objects(schema, "", &mut |place, object| {
            for (key, property) in object["properties"].as_object().unwrap() {
                let described = property["description"]
                    .as_str()
                    .or(resolve(schema, property)["description"].as_str());
                let is_set_by_service =
                    place.ends_with("/config") && confluent_ebs::catalog::rules::server_key::is_server_key(key);
                assert!(
                    described.is_some_and(|text| text.ends_with('.')) || is_set_by_service,
                    "{name}{place}: `{key}` has no description"
                );
            }
        });
    }
}
