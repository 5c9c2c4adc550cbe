//! Reads a connector file: the stock CLI's form (`{"name", "config", "offsets"}`) or the configuration alone, as JSON or
//! YAML.

use std::{collections::BTreeMap, fmt, path::Path};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::Value;

use crate::error::Error;

/// The largest file that is read: the largest configurations hold a few key stores.
const LARGEST: u64 = 2 * 1024 * 1024;

/// A connector as a file describes it.
#[derive(Default)]
pub(super) struct ConnectorFile {
    /// Its name.
    pub(super) name: String,
    /// Its plugin.
    pub(super) class: String,
    /// Its configuration, name included; references not yet followed.
    pub(super) config: BTreeMap<String, String>,
    /// Where it begins to read.
    pub(super) offsets: Option<Value>,
    /// What was odd about it.
    pub(super) warnings: Vec<String>,
}

/// Reads the file at `path`.
pub(super) fn read(path: &Path) -> Result<ConnectorFile, Error> {
    let shown = path.display().to_string();
    let unreadable =
        |why: &dyn fmt::Display| Error::failed(format!("unable to read configuration file \"{shown}\": {why}"));
    let data = std::fs::metadata(path).map_err(|error| unreadable(&error))?;
    if data.len() > LARGEST {
        return Err(unreadable(&"it is larger than 2 MiB"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    parse(&shown, &text)
}

fn parse(shown: &str, text: &str) -> Result<ConnectorFile, Error> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(Error::failed(format!("connector config file \"{shown}\" is empty")));
    }
    let is_json = match Path::new(shown).extension().and_then(|end| end.to_str()) {
        Some("yaml" | "yml") => false,
        Some("json") => true,
        _ => text.trim_start().starts_with('{'),
    };
    let members = match is_json {
        true => serde_json::from_str::<Members>(text).map_err(|error| place(error.line(), error.column(), &error)),
        false => yaml(text),
    };
    let members =
        members.map_err(|why| Error::failed(format!("unable to read configuration file \"{shown}\": {why}")))?;
    connector(shown, members)
}

/// Where and why, without the text around it: that may hold a secret.
fn place(line: usize, column: usize, error: &serde_json::Error) -> String {
    let why = match error.classify() {
        serde_json::error::Category::Data if error.to_string().starts_with("key \"") => {
            let text = error.to_string();
            text.split(" at line").next().unwrap_or_default().to_owned()
        }
        serde_json::error::Category::Eof => "it ends too early".to_owned(),
        _ => "this is not JSON that describes one connector".to_owned(),
    };
    format!("line {line}, column {column}: {why}")
}

/// YAML values are read as the text that was written: `no` stays `no`, and `012` stays `012`.
fn yaml(text: &str) -> Result<Members, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Native {
        name: Option<String>,
        config: BTreeMap<String, String>,
        offsets: Option<Value>,
    }
    let texts = |config: BTreeMap<String, String>| {
        config
            .into_iter()
            .map(|(key, value)| (key, Value::String(value)))
            .collect()
    };
    if let Ok(native) = serde_saphyr::from_str::<Native>(text) {
        let mut members: Vec<(String, Value)> = vec![("config".to_owned(), Value::Object(texts(native.config)))];
        members.extend(native.name.map(|name| ("name".to_owned(), Value::String(name))));
        members.extend(native.offsets.map(|offsets| ("offsets".to_owned(), offsets)));
        return Ok(Members(members));
    }
    let flat: BTreeMap<String, String> = serde_saphyr::from_str(text)
        .map_err(|_| "this is not YAML that describes one connector: keys and values, each key once".to_owned())?;
    Ok(Members(
        flat.into_iter()
            .map(|(key, value)| (key, Value::String(value)))
            .collect(),
    ))
}

fn connector(shown: &str, members: Members) -> Result<ConnectorFile, Error> {
    let mut file = ConnectorFile::default();
    let is_native = members
        .0
        .iter()
        .any(|(key, value)| key == "config" && value.is_object());
    let mut config = Vec::new();
    for (key, value) in members.0 {
        match (key.as_str(), value) {
            ("config", Value::Object(inside)) => config.extend(inside),
            ("name", Value::String(name)) if is_native => file.name = name,
            ("offsets", offsets) if is_native => file.offsets = Some(offsets).filter(|offsets| !offsets.is_null()),
            (_, _) if is_native => file.warnings.push(format!("\"{key}\" beside \"config\" is ignored")),
            (_, value) => config.push((key, value)),
        }
    }
    for (key, value) in config {
        // Kinder than the stock CLI, which refuses (dossier `connect.md` §8.2).
        let text = match value {
            Value::String(text) => text,
            Value::Number(_) | Value::Bool(_) => {
                file.warnings.push(format!("the value of \"{key}\" is not in quotes"));
                value.to_string()
            }
            _ => {
                return Err(Error::failed(format!(
                    "only string values are permitted for the configuration \"{key}\""
                )));
            }
        };
        file.config.insert(key, text);
    }
    let inside = file.config.get("name").cloned().unwrap_or_default();
    match (file.name.is_empty(), inside.is_empty()) {
        (true, _) => file.name = inside,
        (false, false) if file.name != inside => {
            return Err(Error::failed(format!(
                "connector config file \"{shown}\" has two names: \"{}\" and \"{inside}\"",
                file.name
            )));
        }
        _ => {}
    }
    file.class = file.config.get("connector.class").cloned().unwrap_or_default();
    let missing: Vec<&str> = [("name", &file.name), ("connector.class", &file.class)]
        .iter()
        .filter(|(_, value)| value.is_empty())
        .map(|(key, _)| *key)
        .collect();
    if !missing.is_empty() {
        return Err(Error::failed(format!(
            "required configs {} missing from connector config file \"{shown}\"",
            crate::render::words::quoted(&missing)
        )));
    }
    file.config.insert("name".to_owned(), file.name.clone());
    Ok(file)
}

/// An object with its keys in order, each once: a repeated key would silently lose the first value.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;
        impl<'de> Visitor<'de> for Once {
            type Value = Members;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a connector")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members: Vec<(String, Value)> = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    if members.iter().any(|(known, _)| *known == key) {
                        return Err(de::Error::custom(format_args!("key \"{key}\" stands there twice")));
                    }
                    let value = match key.as_str() {
                        "config" => Value::Object(map.next_value::<Members>()?.0.into_iter().collect()),
                        _ => map.next_value()?,
                    };
                    members.push((key, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Once)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str, text: &str) -> Result<(String, BTreeMap<String, String>, usize), String> {
        parse(name, text)
            .map(|file| (file.name, file.config, file.warnings.len()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn both_forms_in_both_languages_are_the_same_connector() {
        let texts = [
            (
                "a.json",
                r#"{"name":"claims-a","config":{"connector.class":"DatagenSource","tasks.max":"1"}}"#,
            ),
            (
                "a.json",
                "\u{feff}{\"name\":\"claims-a\",\"connector.class\":\"DatagenSource\",\"tasks.max\":\"1\"}",
            ),
            (
                "a.yaml",
                "name: claims-a\nconfig:\n  connector.class: DatagenSource\n  tasks.max: 1\n",
            ),
            (
                "a.yml",
                "name: claims-a\nconnector.class: DatagenSource\ntasks.max: 1\n",
            ),
        ];
        let first = seen(texts[0].0, texts[0].1).unwrap();
        assert_eq!(first.1["name"], "claims-a");
        for (name, text) in &texts[1..] {
            assert_eq!(seen(name, text).as_ref(), Ok(&first), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_showing_it() {
        for (text, why) in [
            (" ", "is empty"),
            (
                r#"{"name":"a","name":"b","connector.class":"X"}"#,
                "key \"name\" stands there twice",
            ),
            (
                r#"{"config":{"name":"a","p":"canary","p":"canary","connector.class":"X"}}"#,
                "key \"p\" stands there twice",
            ),
            (r#"{"name":"a","p":"canary}"#, "ends too early"),
            (r#"{"name":"a","p":canary}"#, "line 1, column"),
            (r#"["canary"]"#, "not JSON that describes one connector"),
            (r#"{"name":"a"}"#, "required configs \"connector.class\" missing"),
            (
                r#"{"name":"a","connector.class":"X","p":["canary"]}"#,
                "only string values are permitted for the configuration \"p\"",
            ),
            (
                r#"{"name":"a","config":{"name":"b","connector.class":"X"}}"#,
                "two names",
            ),
        ] {
            let error = seen("a.json", text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
            assert!(!error.contains("canary"), "{error}");
        }
        let error = seen("a.yaml", "name: a\np: canary\np: canary\n").unwrap_err();
        assert!(error.contains("each key once") && !error.contains("canary"), "{error}");
    }

    #[test]
    fn numbers_become_texts_and_are_mentioned() {
        let (_, config, warnings) =
            seen("a.json", r#"{"name":"a","connector.class":"X","tasks.max":2,"b":true}"#).unwrap();
        assert_eq!(
            (config["tasks.max"].as_str(), config["b"].as_str(), warnings),
            ("2", "true", 2)
        );
        let (_, config, _) = seen("a.yaml", "name: a\nconnector.class: X\nb: no\nc: 012\n").unwrap();
        assert_eq!((config["b"].as_str(), config["c"].as_str()), ("no", "012"));
    }
}
