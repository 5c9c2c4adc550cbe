//! Formatting of TOML values for generated files.

/// Returns a quoted and escaped TOML string.
pub(crate) fn toml_string(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

/// Returns a list of strings on one line.
pub(crate) fn toml_list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| toml_string(text)).collect();
    format!("[{}]", quoted.join(", "))
}
