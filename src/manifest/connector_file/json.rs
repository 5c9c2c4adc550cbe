//! Strict JSON parser for connector files: no comments, no trailing commas. `jsonc-parser` keeps both of two duplicate
//! keys; serde_json would drop one.

use jsonc_parser::{
    CollectOptions, ParseOptions,
    ast::{Object, Value},
    common::Ranged,
    parse_to_ast,
};

use super::{MAX_DEPTH, ParseFailure, ParsedMember, ParsedObject};
use crate::catalog::{ConfigEntry, ValueKind};

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

pub(super) fn parse(text: &str) -> Result<ParsedObject, ParseFailure> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT).map_err(|error| {
        let range = error.range();
        ParseFailure {
            message: format!("not JSON: {}", lower_first(&error.kind().to_string())),
            fix: "Check commas, quotes and braces at this location; JSON does not allow comments.".to_owned(),
            range: range.start..range.end,
        }
    })?;
    match parsed.value {
        Some(Value::Object(object)) => Ok(parse_object(text, &object, MAX_DEPTH)),
        other => {
            let range = other.map_or(0..0, |value| value.start()..value.start() + 1);
            Err(ParseFailure {
                message: "a connector file must be one JSON object".to_owned(),
                fix: "Write `{\"name\": …, \"config\": {…}}`, with one connector per file.".to_owned(),
                range,
            })
        }
    }
}

/// Reads the members of `object`, and objects in it down to `depth` levels.
fn parse_object(text: &str, object: &Object<'_>, depth: u8) -> ParsedObject {
    let members = object.properties.iter().map(|property| {
        let range = property.value.start()..property.value.end();
        let (kind, value) = match &property.value {
            Value::StringLit(text) => (ValueKind::String, text.value.clone().into_owned()),
            other => (value_kind(other), text[range.clone()].to_owned()),
        };
        let entry = ConfigEntry {
            key: property.name.as_str().to_owned(),
            value,
            kind,
            key_span: property.name.start()..property.name.end(),
            value_span: range.clone(),
        };
        ParsedMember {
            entry,
            nested: match &property.value {
                Value::Object(inside) if depth > 0 => Some(parse_object(text, inside, depth - 1)),
                _ => None,
            },
            items: match &property.value {
                Value::Array(list) if depth > 0 => {
                    let objects = list.elements.iter().filter_map(Value::as_object);
                    objects.map(|object| parse_object(text, object, depth - 1)).collect()
                }
                _ => Vec::new(),
            },
            // Only offsets keep JSON values: their numbers must stay numbers (docs/reference/connect.md#offsets).
            json_value: match kind {
                ValueKind::Array if depth == MAX_DEPTH => serde_json::from_str(&text[range]).ok(),
                _ => None,
            },
        }
    });
    ParsedObject {
        members: members.collect(),
        opening: object.start()..object.start() + 1,
    }
}

fn value_kind(value: &Value<'_>) -> ValueKind {
    match value {
        Value::StringLit(_) => ValueKind::String,
        Value::NumberLit(_) => ValueKind::Number,
        Value::BooleanLit(_) => ValueKind::Bool,
        Value::Object(_) => ValueKind::Object,
        Value::Array(_) => ValueKind::Array,
        Value::NullKeyword(_) => ValueKind::Null,
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}
