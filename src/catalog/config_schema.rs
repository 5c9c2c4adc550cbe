//! JSON Schemas of connector configurations, from the catalog. They accept what the [linter](super::lint()) accepts, as far
//! as a schema can express its rules; a value that the linter only warns about can be an error in the schema.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    rules::{missing_key, one_of},
    schema::{Catalog, ConnectorDirection, KeySchema, PluginSchema, ValueType},
    secret::{Secrecy, secrecy},
    starter::FILL_IN,
};

/// Switch for secrets that the service reads from a secret manager.
const SECRET_MANAGER: &str = "secret.manager.enabled";

/// Which keys a configuration must contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaCoverage {
    /// All required keys.
    Complete,
    /// None, because another file contains the rest; `null` removes a key of that file.
    Partial,
}

/// Builder of the schemas of configurations. It collects the definitions that they share.
pub struct ConfigSchemas<'a> {
    catalog: &'a Catalog,
    coverage: SchemaCoverage,
    /// Names of definitions by their text.
    names: BTreeMap<String, String>,
    definitions: Map<String, Value>,
}

impl<'a> ConfigSchemas<'a> {
    /// Creates a builder without definitions.
    #[must_use]
    pub fn new(catalog: &'a Catalog, coverage: SchemaCoverage) -> Self {
        Self {
            catalog,
            coverage,
            names: BTreeMap::new(),
            definitions: Map::new(),
        }
    }

    /// Returns the shared definitions, for `$defs`.
    #[must_use]
    pub fn into_definitions(self) -> Map<String, Value> {
        self.definitions
    }

    /// Returns the schema of a configuration of any plugin: the names of plugins, and the keys that all plugins have.
    pub fn any_plugin(&mut self) -> Value {
        let classes: Vec<&str> = self.catalog.plugins().map(|plugin| plugin.class).collect();
        let mut properties = name_properties(&json!({
            "enum": classes,
            "description": "Plugin. `confluent ebs connector plugin list` lists them.",
        }));
        let common: Vec<&KeySchema> = match self.catalog.plugins().next() {
            Some(first) => first
                .keys
                .keys()
                .filter_map(|key| self.catalog.common_key(key))
                .collect(),
            None => Vec::new(),
        };
        for key in common {
            let schema = self.value(None, key);
            properties.entry(key.name.clone()).or_insert(schema);
        }
        let other = self.untyped_value();
        let mut schema = json!({
            "type": "object",
            "properties": properties,
            "additionalProperties": other,
        });
        if self.coverage == SchemaCoverage::Complete {
            schema["required"] = json!(["connector.class"]);
        }
        schema
    }

    /// Returns the schema of a configuration of `plugin`.
    pub fn plugin(&mut self, plugin: &PluginSchema) -> Value {
        let mut properties = name_properties(&json!({
            "const": plugin.class,
            "description": format!("Plugin {}, a {}.", plugin.class, direction_noun(plugin.direction)),
        }));
        let mut literals_allowed = Map::new();
        let switches_secrets = plugin.keys.contains_key(SECRET_MANAGER);
        for key in plugin.keys.values() {
            let schema = self.value(Some(plugin), key);
            for name in std::iter::once(key.name.as_str()).chain(key.aliases.iter().copied()) {
                let is_secret = is_secret(self.catalog, Some(plugin), key);
                if switches_secrets && is_secret && !properties.contains_key(name) {
                    literals_allowed.insert(name.to_owned(), schema.clone());
                    let described = self.described(Some(plugin), key, self.null_or(&["string", "number", "boolean"]));
                    let described = self.define(described);
                    properties.insert(name.to_owned(), described);
                } else {
                    properties.entry(name.to_owned()).or_insert_with(|| schema.clone());
                }
            }
        }
        let other = self.untyped_value();
        let mut schema = json!({
            "type": "object",
            "properties": properties,
            "patternProperties": {
                r"^(transforms|predicates)(\.|$)": other,
                r"^config\.internal\.": other,
            },
            "additionalProperties": false,
        });
        for key in super::rules::server_key::KEYS {
            let entry = &mut schema["properties"][key];
            if entry.is_null() {
                *entry = other.clone();
            }
        }
        let mut rules = Vec::new();
        if self.coverage == SchemaCoverage::Complete {
            schema["required"] = json!(["connector.class"]);
            rules.extend(alternatives(plugin));
        }
        rules.extend(exclusions(plugin));
        let mut without_manager = Map::new();
        if !literals_allowed.is_empty() {
            without_manager.insert("properties".to_owned(), Value::Object(literals_allowed));
        }
        if self.coverage == SchemaCoverage::Complete {
            let required = required_keys(plugin);
            if !required.is_empty() {
                without_manager.insert("allOf".to_owned(), Value::Array(required));
            }
        }
        if !without_manager.is_empty() {
            let without_manager = Value::Object(without_manager);
            rules.push(match switches_secrets {
                true => json!({
                    "if": {"required": [SECRET_MANAGER], "properties": {SECRET_MANAGER: {"enum": ["true", true]}}},
                    "else": without_manager,
                }),
                false => without_manager,
            });
        }
        if !rules.is_empty() {
            schema["allOf"] = Value::Array(rules);
        }
        schema
    }

    /// Returns a reference to the definition of the values of `key`.
    fn value(&mut self, plugin: Option<&PluginSchema>, key: &KeySchema) -> Value {
        let schema = self.value_schema(plugin, key);
        let described = self.described(plugin, key, schema);
        self.define(described)
    }

    /// Returns a reference to the definition of values that are only known to be written as text.
    fn untyped_value(&mut self) -> Value {
        let schema = self.null_or(&["string", "number", "boolean"]);
        self.define(schema)
    }

    fn value_schema(&self, plugin: Option<&PluginSchema>, key: &KeySchema) -> Value {
        let empty = match key.required || self.is_filled(key) {
            true => "",
            false => r"^\s*$|",
        };
        let number = |types: &[&str], form: &str| {
            let mut schema = self.null_or(types);
            schema["pattern"] = format!("{empty}^\\s*{form}\\s*$|{TEMPLATE}").into();
            schema
        };
        if key.name == "tasks.max" {
            let mut schema = self.null_or(&["string", "integer"]);
            schema["pattern"] = r"^\s*\+?0*[1-9][0-9]*\s*$".into();
            schema["minimum"] = 1.into();
            return schema;
        }
        if is_secret(self.catalog, plugin, key) {
            let mut schema = self.null_or(&["string"]);
            let empty = if self.is_filled(key) { "" } else { "^$|" };
            schema["pattern"] = format!("{empty}{REFERENCE}").into();
            // A keyword of the language servers of VS Code; others ignore it.
            schema["patternErrorMessage"] =
                "Write a reference to the secret: `${env:EBS_SECRET_…}`, `${file:PATH}` or `${prompt:}`.".into();
            return schema;
        }
        match key.value_type {
            ValueType::Boolean => {
                let form = "([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])";
                number(&["string", "boolean"], form)
            }
            ValueType::Int | ValueType::Long | ValueType::Short => number(&["string", "integer"], "[+-]?[0-9]+"),
            ValueType::Double => number(
                &["string", "number"],
                r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?",
            ),
            ValueType::List if !key.allowed.is_empty() => {
                let items: Vec<String> = key
                    .allowed
                    .iter()
                    .chain(&key.default)
                    .map(|item| escape(item))
                    .collect();
                let item = format!(r"\s*({})?\s*", items.join("|"));
                let mut schema = self.null_or(&["string"]);
                schema["pattern"] = format!("^{item}(,{item})*$|{TEMPLATE}").into();
                schema["examples"] = json!(key.allowed);
                if self.is_filled(key) {
                    schema["minLength"] = 1.into();
                }
                schema
            }
            ValueType::String if !key.allowed.is_empty() => {
                let mut values: Vec<Value> = Vec::new();
                for text in key.allowed.iter().chain(&key.default) {
                    let text = Value::from(*text);
                    if !values.contains(&text) {
                        values.push(text);
                    }
                }
                // `true` and `5` without quotes.
                let unquoted = values.iter().filter_map(|text| text.as_str()?.parse().ok());
                let unquoted: Vec<Value> = unquoted
                    .filter(|value: &Value| value.is_boolean() || value.is_number())
                    .collect();
                values.extend(unquoted);
                let mut choices = vec![
                    json!({"enum": values}),
                    json!({"type": "string", "pattern": format!("{}{TEMPLATE}", if self.is_filled(key) { "" } else { "^$|" })}),
                ];
                if self.coverage == SchemaCoverage::Partial {
                    choices.push(json!({"type": "null"}));
                }
                json!({"anyOf": choices})
            }
            ValueType::String | ValueType::List | ValueType::Password => {
                let mut schema = self.null_or(&["string", "number", "boolean"]);
                // What is masked but no secret can be a reference, as a whole value.
                let before = if key.value_type == ValueType::Password { "." } else { "" };
                schema["pattern"] = format!(
                    r"^(?!{before}[\s\S]*\$\{{(env|file|prompt):)(?!\*{{2,}}$)(?![\s\S]*{})",
                    escape(FILL_IN)
                )
                .into();
                schema["patternErrorMessage"] =
                    "Write the value itself: no reference to a secret, no masked value, no placeholder.".into();
                if self.is_filled(key) {
                    schema["minLength"] = 1.into();
                }
                schema
            }
        }
    }

    /// Returns whether the value must not be empty.
    fn is_filled(&self, key: &KeySchema) -> bool {
        self.coverage == SchemaCoverage::Complete
            && key.is_required()
            && !key.name.contains("user")
            && !missing_key::CONDITIONAL.contains(&key.name.as_str())
    }

    fn described(&self, plugin: Option<&PluginSchema>, key: &KeySchema, mut schema: Value) -> Value {
        schema["description"] = describe(key, is_secret(self.catalog, plugin, key)).into();
        if let Some(default) = key
            .default
            .filter(|default| !default.is_empty() && !default.contains("${"))
        {
            schema["default"] = default.into();
        }
        schema
    }

    fn null_or(&self, types: &[&str]) -> Value {
        let mut types = types.to_vec();
        if self.coverage == SchemaCoverage::Partial {
            types.push("null");
        }
        json!({"type": types})
    }

    /// Returns a reference to `schema`, which is stored once.
    fn define(&mut self, schema: Value) -> Value {
        let count = self.names.len();
        let name = self.names.entry(schema.to_string()).or_insert_with(|| {
            let name = format!("value{count}");
            self.definitions.insert(name.clone(), schema);
            name
        });
        json!({"$ref": format!("#/$defs/{name}")})
    }
}

/// A value that the service completes, so that it cannot be checked; references to secrets are none.
const TEMPLATE: &str = r"\$\{(?!(env|file|prompt):)|\{\{";

/// A reference to a secret as a whole value, or a template of the service. The names of variables that a profile lists are
/// unknown here; those of Confluent's tools are never allowed.
const REFERENCE: &str = concat!(
    r"^\$\{env:(?![Cc][Oo][Nn][Ff][Ll][Uu][Ee][Nn][Tt])[A-Za-z0-9_]+\}$",
    r"|^\$\{file:((?!\.\.[/\\])[^/\\:~{}]+[/\\])*(?!\.\.\})[^/\\:~{}]+\}$",
    r"|^\$\{prompt:[^{}]*\}$",
    r"|^\$\{(?!(env|file|prompt):)",
);

/// Returns the properties that every configuration has.
fn name_properties(class: &Value) -> Map<String, Value> {
    let name = json!({
        "description": "Name of the connector, with the prefix of the department. At most 64 characters.",
        "type": ["string", "number", "boolean"],
        "pattern": r"^(?=.*\S)[\p{L}\p{N}\p{M} .,&_+|\[\]\-]{1,64}$",
    });
    let properties = json!({"connector.class": class, "name": name});
    match properties {
        Value::Object(properties) => properties,
        _ => Map::new(),
    }
}

/// Returns whether the value of `key` must be a reference.
fn is_secret(catalog: &Catalog, plugin: Option<&PluginSchema>, key: &KeySchema) -> bool {
    matches!(secrecy(catalog, plugin, &key.name), Secrecy::Secret | Secrecy::Likely)
}

/// Returns conditions for the required keys, which can also be set by an alias.
fn required_keys(plugin: &PluginSchema) -> Vec<Value> {
    const OTHER_LOGINS: [&str; 2] = ["authentication.method", "provider.integration.id"];
    let keys = plugin.keys.values().filter(|key| key.is_required());
    let mut plain = Vec::new();
    let mut conditions = Vec::new();
    for key in keys {
        let name = key.name.as_str();
        let elsewhere = ["connector.class", "name"].contains(&name) || missing_key::FILLED_IN.contains(&name);
        if elsewhere || missing_key::CONDITIONAL.contains(&name) {
            continue;
        }
        let mut names = vec![name];
        names.extend(&key.aliases);
        if key.value_type == ValueType::Password {
            // A cloud role or provider integration replaces the password.
            names.extend(OTHER_LOGINS.into_iter().filter(|login| plugin.key(login).is_some()));
        }
        match names[..] {
            [name] => plain.push(name),
            _ => conditions.push(any_of(&names)),
        }
    }
    if !plain.is_empty() {
        conditions.push(json!({"required": plain}));
    }
    conditions
}

fn any_of(names: &[&str]) -> Value {
    let choices: Vec<Value> = names.iter().map(|name| json!({"required": [name]})).collect();
    json!({"anyOf": choices})
}

/// Returns the pairs of keys of which the plugin needs one.
fn alternatives(plugin: &PluginSchema) -> Vec<Value> {
    // Such a sink can name its topics per object or API.
    let others = plugin.keys.keys().map(String::as_str);
    let others = others.filter(|key| plugin.direction == ConnectorDirection::Sink && key.ends_with(".topics"));
    let others: Vec<Value> = others.map(|key| json!({"required": [key]})).collect();
    let filled = |key: &str| json!({"required": [key], "properties": {key: {"not": {"const": ""}}}});
    one_of::pairs_of(plugin)
        .map(|pair| {
            let choices: Vec<Value> = pair.into_iter().map(filled).chain(others.iter().cloned()).collect();
            json!({"anyOf": choices})
        })
        .collect()
}

/// Returns the pairs of keys that exclude each other.
fn exclusions(plugin: &PluginSchema) -> Vec<Value> {
    let filled = || json!({"type": "string", "minLength": 1});
    one_of::pairs_of(plugin)
        .map(|[a, b]| json!({"not": {"required": [a, b], "properties": {a: filled(), b: filled()}}}))
        .collect()
}

const fn direction_noun(direction: ConnectorDirection) -> &'static str {
    match direction {
        ConnectorDirection::Source => "source: it writes to Kafka",
        ConnectorDirection::Sink => "sink: it reads from Kafka",
    }
}

/// Returns what the catalog knows about a key, as a sentence or two.
fn describe(key: &KeySchema, is_secret: bool) -> String {
    let mut parts = vec![match is_secret {
        true => "A secret: write a reference such as `${env:EBS_SECRET_…}`".to_owned(),
        false => crate::text::capitalize(key.value_type.to_noun()),
    }];
    if key.is_required() {
        parts.push("required".to_owned());
    } else if key.conditionally_required {
        parts.push("required in most cases".to_owned());
    }
    if let Some(default) = key.default.filter(|default| !default.is_empty()) {
        parts.push(format!("default: `{default}`"));
    }
    format!("{}.", parts.join("; "))
}

/// Escapes `text` for a regular expression.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if r".+*?()|[]{}^$\/".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}
