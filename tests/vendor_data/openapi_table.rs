//! The OpenAPI table in `tests/fixtures/openapi`: made from the OpenAPI documents, and up to date with them.
//!
//! One file per document holds the operations of the routes in `src/`, with the facts that the contract checks use:
//! query parameters, request bodies, statuses, and the schemas that they need. Texts for people are left out.
//! `tools/openapi-table` writes the files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

const REPOSITORY: &str = "https://github.com/confluentinc/ccloud-sdk-go-v2";
/// The date of the copies that the table is made from; the hash in each file identifies the document.
const SNAPSHOT: &str = "2026-08-06";
const METHODS: [&str; 7] = ["get", "put", "post", "patch", "delete", "head", "options"];

/// Facts of a schema that hold for a value, without those that contain schemas.
const SCHEMA_FACTS: [&str; 15] = [
    "$ref",
    "type",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "uniqueItems",
    "required",
    "nullable",
    "readOnly",
    "writeOnly",
];

fn repository_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn table_folder() -> PathBuf {
    repository_root().join("tests/fixtures/openapi")
}

/// The routes of the client and of the sandbox: constants in `src/` that begin with `/`.
fn routes_in_source() -> BTreeSet<String> {
    fn visit(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, found);
            } else {
                let text = fs::read_to_string(&path).unwrap_or_default();
                let values = text.split(": &str =").skip(1);
                let routes = values.filter_map(|value| value.trim_start().strip_prefix("\"/")?.split_once('"'));
                found.extend(routes.map(|(route, _)| format!("/{route}")));
            }
        }
    }
    let mut found = BTreeSet::new();
    visit(&repository_root().join("src"), &mut found);
    found
}

/// Whether a documented route describes one of ours: a parameter of the document stands for any part.
fn is_used(documented: &str, ours: &str) -> bool {
    let path = documented.split_once('?').map_or(documented, |(path, _)| path);
    let (documented, ours): (Vec<_>, Vec<_>) = (path.split('/').collect(), ours.split('/').collect());
    let mut parts = documented.iter().zip(&ours);
    documented.len() == ours.len() && parts.all(|(part, own)| part.starts_with('{') || part == own)
}

/// The table of a document, or nothing when no route of ours is in it.
fn table_of_document(name: &str, text: &str, ours: &BTreeSet<String>) -> Option<Value> {
    let document: Value = serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let paths: Map<String, Value> = document["paths"]
        .as_object()?
        .iter()
        .filter(|(route, _)| ours.iter().any(|own| is_used(route, own)))
        .map(|(route, item)| (route.clone(), path_item_facts(item)))
        .collect();
    if paths.is_empty() {
        return None;
    }
    let components = referenced_components(&document, &paths);
    let (group, version) = name.rsplit_once('-').unwrap();
    let mut hash = String::new();
    for byte in Sha256::digest(text.as_bytes()) {
        write!(hash, "{byte:02x}").unwrap();
    }
    Some(json!({
        "made_by": "tools/openapi-table",
        "source": format!("{REPOSITORY}, {group}/{version}/api/openapi.yaml (Apache-2.0)"),
        "version": document["info"]["version"],
        "snapshot": SNAPSHOT,
        "sha256": hash,
        "paths": paths,
        "components": components,
    }))
}

/// A field and its conversion.
type Field<'a> = (&'a str, fn(&Value) -> Value);

/// The named fields of an object, each converted.
fn pick(value: &Value, fields: &[Field<'_>]) -> Value {
    let present = fields
        .iter()
        .filter_map(|(name, convert)| Some(((*name).to_owned(), convert(value.get(name)?))));
    Value::Object(present.collect())
}

fn map_values(value: &Value, convert: fn(&Value) -> Value) -> Value {
    let each = value.as_object().into_iter().flatten();
    Value::Object(each.map(|(name, inner)| (name.clone(), convert(inner))).collect())
}

fn map_items(value: &Value, convert: fn(&Value) -> Value) -> Value {
    value.as_array().into_iter().flatten().map(convert).collect()
}

fn path_item_facts(item: &Value) -> Value {
    let mut facts = pick(item, &[("parameters", parameter_facts)]);
    for method in METHODS {
        if let Some(operation) = item.get(method) {
            facts[method] = pick(
                operation,
                &[
                    ("parameters", parameter_facts),
                    ("requestBody", body_facts),
                    ("responses", |responses| map_values(responses, body_facts)),
                ],
            );
        }
    }
    facts
}

/// The query parameters; those of the path are part of the route.
fn parameter_facts(parameters: &Value) -> Value {
    let all = parameters.as_array().into_iter().flatten();
    all.filter(|parameter| parameter.get("$ref").is_some() || parameter["in"] == "query")
        .map(|parameter| {
            pick(
                parameter,
                &[
                    ("$ref", Value::clone),
                    ("in", Value::clone),
                    ("name", Value::clone),
                    ("required", Value::clone),
                    ("schema", schema_facts),
                ],
            )
        })
        .collect()
}

/// A body of a request or a response, by media type.
fn body_facts(body: &Value) -> Value {
    pick(
        body,
        &[
            ("$ref", Value::clone),
            ("required", Value::clone),
            ("content", |content| {
                map_values(content, |media| pick(media, &[("schema", schema_facts)]))
            }),
        ],
    )
}

fn schema_facts(schema: &Value) -> Value {
    let Some(fields) = schema.as_object() else {
        return schema.clone();
    };
    let facts = fields.iter().filter_map(|(name, value)| {
        let fact = match name.as_str() {
            "properties" => map_values(value, schema_facts),
            "items" | "additionalProperties" | "not" => schema_facts(value),
            "allOf" | "anyOf" | "oneOf" => map_items(value, schema_facts),
            name if SCHEMA_FACTS.contains(&name) => value.clone(),
            _ => return None,
        };
        Some((name.clone(), fact))
    });
    Value::Object(facts.collect())
}

/// The components that the paths refer to, directly or through other components.
fn referenced_components(document: &Value, paths: &Map<String, Value>) -> Value {
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    let mut open: Vec<String> = paths.values().flat_map(references).collect();
    while let Some(target) = open.pop() {
        if found.contains_key(&target) {
            continue;
        }
        let component = document
            .pointer(target.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{target} leads nowhere"));
        let facts = match target.split('/').nth(2) {
            Some("schemas") => schema_facts(component),
            Some("responses" | "requestBodies") => body_facts(component),
            Some("parameters") => parameter_facts(&json!([component]))[0].take(),
            _ => panic!("{target}: a component of unknown kind"),
        };
        open.extend(references(&facts));
        found.insert(target, facts);
    }
    let mut components = json!({});
    for (target, facts) in found {
        let parts: Vec<_> = target.split('/').collect();
        let [_, _, kind, name] = parts[..] else {
            panic!("{target}: not a component")
        };
        components[kind][name] = facts;
    }
    components
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, inner)| match (name.as_str(), inner) {
                ("$ref", Value::String(target)) => vec![target.clone()],
                _ => references(inner),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// The tables by file name, as they have to be.
fn tables_of_documents(folder: &Path) -> BTreeMap<String, String> {
    let ours = routes_in_source();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files = entries.map(|entry| entry.unwrap().path());
    let documents = files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    documents
        .filter_map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let table = table_of_document(&name, &fs::read_to_string(&path).unwrap(), &ours)?;
            let text = serde_json::to_string_pretty(&table).unwrap();
            Some((format!("{name}.json"), format!("{text}\n")))
        })
        .collect()
}

fn stored_tables() -> BTreeMap<String, String> {
    let entries = fs::read_dir(table_folder()).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

#[test]
fn the_openapi_table_is_up_to_date_with_the_documents() {
    let Some(folder) = crate::vendor_data(crate::OPENAPI_TABLE) else {
        return;
    };
    let expected = tables_of_documents(&folder.join("openapi"));
    assert!(!expected.is_empty(), "{} holds no document of ours", folder.display());
    if std::env::var_os("UPDATE_OPENAPI_TABLE").is_some() {
        let _ = fs::remove_dir_all(table_folder());
        fs::create_dir_all(table_folder()).unwrap();
        for (name, text) in &expected {
            fs::write(table_folder().join(name), text).unwrap();
        }
    }
    let stored = stored_tables();
    let names = |tables: &BTreeMap<String, String>| tables.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&stored), names(&expected), "run `tools/openapi-table`");
    for (name, text) in &expected {
        assert!(
            stored[name] == *text,
            "{name} is out of date: run `tools/openapi-table`"
        );
    }
}

#[test]
fn a_table_keeps_facts_and_leaves_out_texts() {
    let document = r##"
info: { title: Things, version: 1.2.3, description: About things. }
paths:
  /things/v1/{id}:
    description: A thing.
    get:
      summary: Read it.
      parameters:
        - { in: path, name: id, required: true, schema: { type: string } }
        - { in: query, name: page_size, description: How many., schema: { type: integer, maximum: 100, default: 10 } }
      responses:
        "200":
          description: It.
          content: { application/json: { schema: { $ref: "#/components/schemas/Thing" }, example: { id: a } } }
        "404": { description: None. }
  /others/v1: { get: { responses: {} } }
components:
  schemas:
    Thing:
      required: [description]
      properties:
        description: { type: string, description: What it is., example: round }
        part: { $ref: "#/components/schemas/Part" }
    Part: { type: object, x-note: no }
    Unused: { type: string }
"##;
    let ours = BTreeSet::from(["/things/v1/cloud".to_owned()]);
    let table = table_of_document("things-v1", document, &ours).unwrap();
    assert_eq!(table["version"], "1.2.3");
    assert_eq!(
        table["source"],
        "https://github.com/confluentinc/ccloud-sdk-go-v2, things/v1/api/openapi.yaml (Apache-2.0)"
    );
    assert_eq!(
        table["paths"],
        json!({ "/things/v1/{id}": { "get": {
            "parameters": [{ "in": "query", "name": "page_size", "schema": { "type": "integer", "maximum": 100 } }],
            "responses": {
                "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } },
                "404": {},
            },
        } } })
    );
    assert_eq!(
        table["components"],
        json!({ "schemas": {
            "Part": { "type": "object" },
            "Thing": {
                "required": ["description"],
                "properties": { "description": { "type": "string" }, "part": { "$ref": "#/components/schemas/Part" } },
            },
        } })
    );
}
