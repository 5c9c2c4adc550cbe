//! Connector files: JSON in the format of the Connect API, or YAML with comments; either the format of the Confluent
//! CLI (`{"name", "config", "offsets"}`) or the configuration alone.
//!
//! The parser is strict about syntax but keeps duplicate keys, numbers and unknown keys for the linter. A file that
//! cannot be parsed yields one finding, with all values in its snippet redacted, because any of them may be a password.

mod redact;
mod json;
mod shapes;
mod yaml;

use std::{io::Read, ops::Range, path::Path, sync::Arc};

use crate::{
    catalog::{ConfigEntry, ConnectorConfigFile, FileLayout, SETTING_KEYS, ValueKind},
    diag::{Assignee, Finding, SourceFile, SourceSpan},
};

/// Maximum size of a connector file. The largest known files contain key stores and have about 100 kB.
pub const MAX_FILE_SIZE: usize = 2 * 1024 * 1024;

/// Path that means standard input.
pub const STANDARD_INPUT: &str = "-";

/// Reads and parses the file at `path`.
///
/// # Errors
/// One finding: the file does not exist, is too large, is not UTF-8, or as for [`parse`].
pub fn read(path: &Path) -> Result<ConnectorConfigFile, Vec<Finding>> {
    let failed = |error: &std::io::Error| vec![unreadable_finding(path, &format!("cannot be read: {error}"), "")];
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    let mut parsed = read_from(path, file).map_err(|error| failed(&error))??;
    // As below `connectors/`, where the file name is the name of the connector.
    if let (FileLayout::Wrapped, Some(stem)) = (parsed.layout, path.file_stem().and_then(|stem| stem.to_str())) {
        parsed.set_default_name(stem);
    }
    Ok(parsed)
}

/// Reads `input` to its end and parses it as the file `path`.
///
/// # Errors
/// The outer result is an I/O error; the inner one as for [`read`].
pub fn read_from(path: &Path, input: impl Read) -> std::io::Result<Result<ConnectorConfigFile, Vec<Finding>>> {
    let mut bytes = Vec::new();
    input.take(MAX_FILE_SIZE as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_FILE_SIZE {
        let message = format!("is larger than {} MiB", MAX_FILE_SIZE / 1024 / 1024);
        let fix = "Check the path: a connector configuration has a few kilobytes.";
        return Ok(Err(vec![unreadable_finding(path, &message, fix)]));
    }
    Ok(match decode(bytes) {
        Ok(text) => parse(&SourceFile::new(path, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let message = format!("is not UTF-8 text: byte {at} is invalid");
            Err(vec![unreadable_finding(path, &message, "Save it as UTF-8.")])
        }
    })
}

/// Decodes UTF-8 or UTF-16, which Windows PowerShell writes with `>`. UTF-16 is recognized by its mark, or by the zero in
/// its first character, which is a brace, a quote or a letter.
fn decode(bytes: Vec<u8>) -> Result<String, std::string::FromUtf8Error> {
    let read: Option<fn([u8; 2]) -> u16> = match bytes[..] {
        [0xff, 0xfe, ..] | [1..=0x7f, 0, ..] => Some(u16::from_le_bytes),
        [0xfe, 0xff, ..] | [0, 1..=0x7f, ..] => Some(u16::from_be_bytes),
        _ => None,
    };
    let Some(read) = read else {
        return String::from_utf8(bytes);
    };
    let units = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
    Ok(char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect())
}

/// Parses `source` by its extension: `.yaml` and `.yml` as YAML, `.json` as JSON, others as JSON if they begin with a
/// brace.
///
/// # Errors
/// One finding: the file is empty, has a syntax error, or is not one connector.
pub fn parse(source: &Arc<SourceFile>) -> Result<ConnectorConfigFile, Vec<Finding>> {
    const MARK: char = '\u{feff}';
    let begin = if source.text.starts_with(MARK) {
        MARK.len_utf8()
    } else {
        0
    };
    let text = &source.text[begin..];
    if text.trim().is_empty() {
        return Err(vec![unreadable_finding(&source.path, "is empty", "")]);
    }
    let extension = source.path.extension().and_then(|extension| extension.to_str());
    let json = match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("json") => true,
        Some("yaml" | "yml") => false,
        _ => text.trim_start().starts_with(['{', '[']),
    };
    let parsed = if json { json::parse(text) } else { yaml::parse(text) };
    let parsed = parsed.map_err(|failure| match shapes::name_other_format(text) {
        Some((message, fix)) => ParseFailure {
            message: message.to_owned(),
            fix: fix.to_owned(),
            range: 0..0,
        },
        None => failure,
    });
    parsed
        .and_then(shapes::unwrap)
        .map(|root| into_connector_file(source, root.shifted(begin)))
        .map_err(|broken| {
            let hidden = if json {
                redact::redact_json(&source.text)
            } else {
                redact::redact_yaml(&source.text)
            };
            let shown = SourceFile::new(source.path.clone(), hidden);
            let range = non_empty_range(&source.text, broken.range.start + begin..broken.range.end + begin);
            let finding = Finding::error("syntax", broken.message).with_span(SourceSpan::new(&shown, range));
            vec![finding.with_fix(broken.fix).with_assignee(Assignee::Department)]
        })
}

/// Returns `range`, or the character at its start if it is empty, because an empty range means the whole file.
fn non_empty_range(text: &str, range: Range<usize>) -> Range<usize> {
    if !range.is_empty() {
        return range;
    }
    let start = text.len().min(range.start);
    match text[start..].chars().next() {
        Some(next) => start..start + next.len_utf8(),
        None => text
            .char_indices()
            .next_back()
            .map_or(0..0, |(last, _)| last..text.len()),
    }
}

/// Levels of objects below the root that are read: name, info and configuration in an answer of the API.
const MAX_DEPTH: u8 = 3;

/// Error of the parser.
struct ParseFailure {
    message: String,
    fix: String,
    range: Range<usize>,
}

/// A parsed object before it is interpreted as a connector file.
struct ParsedObject {
    members: Vec<ParsedMember>,
    /// Location of its opening.
    opening: Range<usize>,
}

struct ParsedMember {
    entry: ConfigEntry,
    /// Members of the value, if it is an object.
    nested: Option<ParsedObject>,
    /// The objects in the value, if it is a list.
    items: Vec<ParsedObject>,
    /// The value as JSON, for offsets.
    json_value: Option<serde_json::Value>,
}

impl ParsedObject {
    /// Shifts all locations by `by` bytes.
    fn shifted(mut self, by: usize) -> Self {
        let shift = |range: &mut Range<usize>| *range = range.start + by..range.end + by;
        shift(&mut self.opening);
        for member in &mut self.members {
            shift(&mut member.entry.key_span);
            shift(&mut member.entry.value_span);
            member.nested = member.nested.take().map(|inside| inside.shifted(by));
            member.items = std::mem::take(&mut member.items)
                .into_iter()
                .map(|item| item.shifted(by))
                .collect();
        }
        self
    }
}

fn into_connector_file(source: &Arc<SourceFile>, root: ParsedObject) -> ConnectorConfigFile {
    let is_config = |member: &ParsedMember| member.entry.key == "config" && member.nested.is_some();
    let mut file = ConnectorConfigFile {
        source: Arc::clone(source),
        layout: FileLayout::Bare,
        name: None,
        entries: Vec::new(),
        offsets: None,
        settings: Vec::new(),
        unexpected: Vec::new(),
        opening_range: root.opening.clone(),
    };
    // `state: absent` needs no configuration.
    let is_setting = |member: &ParsedMember| member.entry.key == "name" || is_setting_key(&member.entry.key);
    let has_settings_only =
        || root.members.iter().all(is_setting) && root.members.iter().any(|member| member.entry.key == "state");
    if !root.members.iter().any(is_config) && !has_settings_only() {
        file.entries = root.members.into_iter().map(|member| member.entry).collect();
        return file;
    }
    file.layout = FileLayout::Wrapped;
    for member in root.members {
        match (member.entry.key.as_str(), member.nested) {
            ("config", Some(config)) if file.entries.is_empty() => {
                file.opening_range = config.opening;
                file.entries = config.members.into_iter().map(|member| member.entry).collect();
            }
            ("name", None) if file.name.is_none() => file.name = Some(member.entry),
            ("offsets", None) if file.offsets.is_none() && member.entry.kind == ValueKind::Array => {
                file.offsets = member.json_value;
            }
            (key, None) if is_setting_key(key) && file.setting(key).is_none() => file.settings.push(member.entry),
            _ => file.unexpected.push(member.entry),
        }
    }
    file
}

fn is_setting_key(key: &str) -> bool {
    SETTING_KEYS.contains(&key)
}

fn unreadable_finding(path: &Path, what: &str, fix: &str) -> Finding {
    let finding =
        |name: String| Finding::error("unreadable-file", format!("{name} {what}")).with_assignee(Assignee::Department);
    let finding = if path == Path::new(STANDARD_INPUT) {
        finding("standard input".to_owned())
    } else {
        // An empty range means the whole file.
        let place = SourceSpan::new(&SourceFile::new(path, ""), 0..0);
        finding(format!("`{}`", path.display())).with_span(place)
    };
    if fix.is_empty() { finding } else { finding.with_fix(fix) }
}

#[cfg(test)]
mod tests;
