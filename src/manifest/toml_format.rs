//! Values as TOML text, for the files that the program writes for people.

/// A text in quotes, with whatever needs escaping escaped.
pub(crate) fn toml_string(text: &str) -> String {
    ::toml::Value::String(text.to_owned()).to_string()
}

/// A list of texts on one line.
pub(crate) fn toml_list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| toml_string(text)).collect();
    format!("[{}]", quoted.join(", "))
}
