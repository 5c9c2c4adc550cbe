//! YAML parser for connector files. Values are read as text: `tasks.max: 2` yields the text `2`, and `no`, `012` and
//! `1e3` stay unchanged.

use std::{fmt, ops::Range};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{DuplicateKeyPolicy, Spanned};

use super::{MAX_DEPTH, ParseFailure, ParsedMember, ParsedObject};
use crate::catalog::{ConfigEntry, ValueKind};

pub(super) fn parse(text: &str) -> Result<ParsedObject, ParseFailure> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        with_snippet: false,
        // A configuration has two levels, offsets have four, and each level uses much of the stack. The largest plugin
        // has some 800 keys; aliases can expand a small file to a huge one.
        budget: serde_saphyr::budget! { max_depth: 16, flow_nesting_limit: 16, max_nodes: 20_000 },
    };
    let node: Spanned<YamlNode> = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let at = error
            .location()
            .map_or(0, |location| byte_offset(text, location.line(), location.column()));
        ParseFailure {
            message: format!("not YAML: {}", strip_location(&error.to_string())),
            fix: "Check indentation, quotes and colons at this location; a file contains one connector.".to_owned(),
            range: at..at,
        }
    })?;
    match node.value {
        YamlNode::Map(members) => Ok(parse_map(text, members, MAX_DEPTH)),
        _ => Err(ParseFailure {
            message: "a connector file must be a map of keys to values".to_owned(),
            fix: "Write `key: value` lines, with one connector per file.".to_owned(),
            range: 0..0,
        }),
    }
}

/// A YAML value with its type.
enum YamlNode {
    Text(String),
    /// An unquoted value other than text; its text is taken from the file.
    Plain(serde_json::Value),
    Null,
    Map(Vec<(Spanned<String>, Spanned<YamlNode>)>),
    List(Vec<Spanned<YamlNode>>),
}

impl<'de> Deserialize<'de> for YamlNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(YamlNodeVisitor)
    }
}

struct YamlNodeVisitor;

impl<'de> Visitor<'de> for YamlNodeVisitor {
    type Value = YamlNode;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<YamlNode, E> {
        Ok(YamlNode::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<YamlNode, E> {
        Ok(YamlNode::Plain(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<YamlNode, E> {
        Ok(YamlNode::Plain(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<YamlNode, E> {
        Ok(YamlNode::Plain(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<YamlNode, E> {
        Ok(YamlNode::Plain(value.into()))
    }

    fn visit_unit<E>(self) -> Result<YamlNode, E> {
        Ok(YamlNode::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<YamlNode, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key()? {
            members.push((key, map.next_value()?));
        }
        Ok(YamlNode::Map(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<YamlNode, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(YamlNode::List(items))
    }

    fn visit_bytes<E: serde::de::Error>(self, _: &[u8]) -> Result<YamlNode, E> {
        Err(E::custom("binary values are not supported"))
    }
}

fn parse_map(text: &str, members: Vec<(Spanned<String>, Spanned<YamlNode>)>, depth: u8) -> ParsedObject {
    let mut head = 0..0;
    let mut found = Vec::new();
    for (key, value) in members {
        let key_span = byte_range(text, &key);
        if found.is_empty() {
            head = key_span.clone();
        }
        // A null value has no location, so use that of its key.
        let value_span = Some(byte_range(text, &value)).filter(|range| !range.is_empty());
        let value_span = value_span.unwrap_or_else(|| key_span.clone());
        let written = || text[value_span.clone()].trim().to_owned();
        let meant = match &value.value {
            YamlNode::List(_) if depth == MAX_DEPTH => to_json(&value.value),
            _ => None,
        };
        let mut inside = None;
        let mut items = Vec::new();
        let (kind, shown) = match value.value {
            YamlNode::Text(text) => (ValueKind::String, text),
            YamlNode::Plain(_) => (ValueKind::String, written()),
            YamlNode::Null => (ValueKind::Null, String::new()),
            YamlNode::List(list) => {
                if depth > 0 {
                    items.extend(list.into_iter().filter_map(|item| match item.value {
                        YamlNode::Map(members) => Some(parse_map(text, members, depth - 1)),
                        _ => None,
                    }));
                }
                (ValueKind::Array, written())
            }
            YamlNode::Map(members) => {
                inside = (depth > 0).then(|| parse_map(text, members, depth - 1));
                (ValueKind::Object, written())
            }
        };
        let entry = ConfigEntry {
            key: key.value,
            value: shown,
            kind,
            key_span,
            value_span,
        };
        found.push(ParsedMember {
            entry,
            nested: inside,
            items,
            json_value: meant,
        });
    }
    ParsedObject {
        members: found,
        opening: head,
    }
}

/// Returns the byte range of a node.
fn byte_range<T>(text: &str, node: &Spanned<T>) -> Range<usize> {
    let span = node.referenced.span();
    let number = |value: Option<u64>| value.and_then(|value| usize::try_from(value).ok());
    let start = number(span.byte_offset()).unwrap_or(0).min(text.len());
    let end = start
        .saturating_add(number(span.byte_len()).unwrap_or(0))
        .min(text.len());
    if text.is_char_boundary(start) && text.is_char_boundary(end) {
        start..end
    } else {
        0..0
    }
}

fn to_json(node: &YamlNode) -> Option<serde_json::Value> {
    Some(match node {
        YamlNode::Text(text) => text.clone().into(),
        YamlNode::Plain(value) => value.clone(),
        YamlNode::Null => serde_json::Value::Null,
        YamlNode::List(items) => items
            .iter()
            .map(|item| to_json(&item.value))
            .collect::<Option<Vec<_>>>()?
            .into(),
        YamlNode::Map(members) => {
            let pairs = members
                .iter()
                .map(|(key, value)| Some((key.value.clone(), to_json(&value.value)?)));
            serde_json::Value::Object(pairs.collect::<Option<_>>()?)
        }
    })
}

/// Returns the byte offset of a line and column, both counted from 1.
fn byte_offset(text: &str, line: u64, column: u64) -> usize {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX).saturating_sub(1);
    let mut start = 0;
    for (index, found) in text.split_inclusive('\n').enumerate() {
        if index == number(line) {
            let within = found.char_indices().nth(number(column));
            return start + within.map_or(found.trim_end().len(), |(at, _)| at);
        }
        start += found.len();
    }
    text.len()
}

/// Returns the first line of a message without its location, which the finding already contains.
fn strip_location(message: &str) -> &str {
    let line = message.lines().next().unwrap_or_default();
    let line = line.split(" at line ").next().unwrap_or(line);
    // Drop the parser's advice for programmers.
    line.split("; use ").next().unwrap_or(line)
}
