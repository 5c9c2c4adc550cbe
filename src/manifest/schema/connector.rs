//! Schemas of connector files: the configuration alone, or below `config` with the settings of a connector in Git.

use serde_json::{Map, Value, json};

use super::identifier;
use crate::catalog::{
    Catalog, PluginSchema,
    config_schema::{ConfigSchemas, SchemaCoverage},
};

/// Returns the schema of connector files of any plugin.
pub(super) fn any_plugin(catalog: &Catalog) -> Value {
    let mut schemas = ConfigSchemas::new(catalog, SchemaCoverage::Complete);
    let config = schemas.any_plugin();
    file_schema(config, schemas, "connector", SchemaCoverage::Complete)
}

/// Returns the schema of connector files of `plugin`.
pub(super) fn one_plugin(catalog: &Catalog, plugin: &PluginSchema, coverage: SchemaCoverage) -> Value {
    let mut schemas = ConfigSchemas::new(catalog, coverage);
    let config = schemas.plugin(plugin);
    file_schema(config, schemas, &format!("connector:{}", plugin.class), coverage)
}

fn file_schema(config: Value, schemas: ConfigSchemas<'_>, name: &str, coverage: SchemaCoverage) -> Value {
    let mut definitions = Map::new();
    definitions.insert("file".to_owned(), wrapped_file(coverage));
    definitions.insert("config".to_owned(), config);
    definitions.extend(schemas.into_definitions());
    let bare = match coverage {
        SchemaCoverage::Complete => json!({"$ref": "#/$defs/config", "required": ["name"]}),
        SchemaCoverage::Partial => json!({"$ref": "#/$defs/config"}),
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": identifier(name),
        "title": "Connector",
        "type": "object",
        "if": {"anyOf": [
            {"required": ["config"]},
            {"required": ["state"], "not": {"required": ["connector.class"]}},
        ]},
        "then": {"$ref": "#/$defs/file"},
        "else": bare,
        "$defs": definitions,
    })
}

/// Returns the schema of a file with `config` and the settings of `docs/gitops.md`.
fn wrapped_file(coverage: SchemaCoverage) -> Value {
    let mut file = json!({
        "description": "Connector with its configuration and the settings of a connector in Git.",
        "type": "object",
        "properties": {
            "config": {
                "$ref": "#/$defs/config",
                "description": "Configuration of the connector.",
            },
            "state": {
                "description": "Desired state. Without it, a plan ignores whether the connector runs or is paused. `absent` deletes the connector.",
                "enum": ["running", "paused", "absent"],
            },
            "offsets": {
                "description": "Offsets of a new connector, as for `connector create`.",
                "type": "array",
                "items": {"type": "object"},
            },
            "replace": {
                "description": "Whether a change that needs a new connector is allowed, and whether the new connector continues at the old offsets.",
                "enum": ["forbid", "carry", "reset"],
                "default": "forbid",
            },
            "renamed_from": {
                "description": "Former name of the connector.",
                "type": "string",
                "minLength": 1,
            },
            "protect": {
                "description": "Whether a deletion or replacement is refused.",
                "enum": [true, false, "true", "false"],
                "default": false,
            },
            "ticket": {
                "description": "Id of a ticket, for policies such as one that requires a ticket for a deletion.",
                "type": ["string", "number"],
                "minLength": 1,
            },
            "name": {
                "description": "Name of the connector, equal to the name of the file.",
                "type": "string",
                "minLength": 1,
                "maxLength": 64,
            },
        },
        "additionalProperties": false,
    });
    let absent = json!({"required": ["state"], "properties": {"state": {"const": "absent"}}});
    let mut rules = vec![json!({
        "not": {"required": ["protect"], "properties": {"protect": {"enum": [true, "true"]}}, "allOf": [absent.clone()]},
    })];
    if coverage == SchemaCoverage::Complete {
        rules.push(json!({"if": absent, "else": {"required": ["config"]}}));
    }
    file["allOf"] = Value::Array(rules);
    file
}
