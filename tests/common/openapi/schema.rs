//! Conversion of OpenAPI 3.0 schemas to JSON Schema, and error messages of the validator.

use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value, json};

/// Direction of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyDirection {
    Request,
    Response,
}

/// A validation error in terms of the original schema: of the alternative that is not `null`.
pub(crate) fn describe_error(error: &jsonschema::ValidationError<'_>, found: &mut Vec<(String, String)>) {
    match error.kind() {
        ValidationErrorKind::AnyOf { context } if context.len() == 2 && !error.instance().is_null() => {
            context[1].iter().for_each(|inner| describe_error(inner, found));
        }
        _ => found.push((error.instance_path().to_string(), error.to_string())),
    }
}

/// Converts an OpenAPI 3.0 schema to JSON Schema: `nullable` becomes an alternative, read-only fields are not required
/// in requests, and descriptive keys are removed.
pub(crate) fn to_json_schema(schema: &Value, direction: BodyDirection) -> Value {
    let Some(fields) = schema.as_object() else {
        return schema.clone();
    };
    let list = |items: &Value| -> Value {
        items
            .as_array()
            .map(|items| items.iter().map(|item| to_json_schema(item, direction)).collect())
            .unwrap_or_default()
    };
    let mut out = Map::new();
    for (name, value) in fields {
        let converted = match name.as_str() {
            "properties" => {
                let each = value.as_object().into_iter().flatten();
                each.map(|(name, inner)| (name.clone(), convert_property(inner, direction)))
                    .collect()
            }
            "items" | "additionalProperties" | "not" => to_json_schema(value, direction),
            "allOf" | "anyOf" | "oneOf" => list(value),
            "required" => convert_required(value, &fields.get("properties").cloned().unwrap_or_default(), direction),
            "type" | "enum" | "pattern" | "minLength" | "maxLength" | "minimum" | "maximum" | "minItems"
            | "maxItems" | "uniqueItems" | "$ref" => value.clone(),
            _ => continue,
        };
        out.insert(name.clone(), converted);
    }
    // Draft 4 does not allow an empty list of required fields.
    if out.get("required").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        out.remove("required");
    }
    // The documents have it beside a reference; it applies to the whole schema.
    let in_part = fields
        .get("allOf")
        .and_then(Value::as_array)
        .is_some_and(|parts| parts.iter().any(is_nullable));
    match is_nullable(schema) || in_part {
        true => json!({ "anyOf": [{ "type": "null" }, Value::Object(out)] }),
        false => Value::Object(out),
    }
}

/// The service ignores read-only fields in a request, whatever their format.
fn convert_property(schema: &Value, direction: BodyDirection) -> Value {
    match direction == BodyDirection::Request && schema["readOnly"] == true {
        true => json!({}),
        false => to_json_schema(schema, direction),
    }
}

fn is_nullable(schema: &Value) -> bool {
    schema["nullable"] == true
}

fn convert_required(names: &Value, properties: &Value, direction: BodyDirection) -> Value {
    let wanted = |name: &&Value| {
        let property = &properties[name.as_str().unwrap_or_default()];
        match direction {
            BodyDirection::Request => property["readOnly"] != true,
            BodyDirection::Response => property["writeOnly"] != true,
        }
    };
    names.as_array().into_iter().flatten().filter(wanted).cloned().collect()
}
