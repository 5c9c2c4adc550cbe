//! Connector files: JSON as Connect takes it, or YAML for those who want comments; the form of the stock CLI
//! (`{"name", "config", "offsets"}`) or the configuration alone.
//!
//! Reading is strict about the syntax and tolerant about the rest: duplicate keys, numbers and unknown keys come out as
//! they stand, for the linter to judge. A file that cannot be read is one finding, with every value in the snippet hidden:
//! who knows which of them is a password.

mod hidden;
mod json;
mod yaml;

use std::{io::Read, ops::Range, path::Path, sync::Arc};

use crate::{
    catalog::{ConnectorFile, Entry, Form, ValueKind},
    diag::{Finding, Owner, SourceFile, Span},
};

/// The largest file that is read. The largest ones seen hold a few key stores, some 100 kB.
pub const LARGEST: usize = 2 * 1024 * 1024;

/// The name under which standard input is read.
pub const STANDARD_INPUT: &str = "-";

/// Reads and parses the file at `path`.
///
/// # Errors
/// One finding: it is not there, too large, not UTF-8, or see [`parse`].
pub fn read(path: &Path) -> Result<ConnectorFile, Vec<Finding>> {
    let failed = |error: &std::io::Error| vec![unreadable(path, &format!("cannot be read: {error}"), "")];
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    read_from(path, file).map_err(|error| failed(&error))?
}

/// Reads `input` to its end and parses it under the name `path`.
///
/// # Errors
/// What reading answers; inside, as for [`read`].
pub fn read_from(path: &Path, input: impl Read) -> std::io::Result<Result<ConnectorFile, Vec<Finding>>> {
    let mut bytes = Vec::new();
    input.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > LARGEST {
        let message = format!("is larger than {} MiB", LARGEST / 1024 / 1024);
        let fix = "A connector's configuration has a few kilobytes; is this the right file?";
        return Ok(Err(vec![unreadable(path, &message, fix)]));
    }
    Ok(match String::from_utf8(bytes) {
        Ok(text) => parse(&SourceFile::new(path, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let message = format!("is not UTF-8 text: byte {at} cannot be read");
            Err(vec![unreadable(path, &message, "Save it as UTF-8.")])
        }
    })
}

/// Parses `source`, by its extension: `.yaml` and `.yml` are YAML, `.json` is JSON, everything else is JSON if it begins
/// with a brace.
///
/// # Errors
/// One finding: it is empty, breaks the syntax, or is something else than one connector.
pub fn parse(source: &Arc<SourceFile>) -> Result<ConnectorFile, Vec<Finding>> {
    const MARK: char = '\u{feff}';
    let begin = if source.text.starts_with(MARK) {
        MARK.len_utf8()
    } else {
        0
    };
    let text = &source.text[begin..];
    if text.trim().is_empty() {
        return Err(vec![unreadable(&source.path, "is empty", "")]);
    }
    let extension = source.path.extension().and_then(|extension| extension.to_str());
    let json = match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("json") => true,
        Some("yaml" | "yml") => false,
        _ => text.trim_start().starts_with(['{', '[']),
    };
    let parsed = if json { json::parse(text) } else { yaml::parse(text) };
    parsed
        .map(|root| connector(source, root.moved(begin)))
        .map_err(|broken| {
            let hidden = if json {
                hidden::json(&source.text)
            } else {
                hidden::yaml(&source.text)
            };
            let shown = SourceFile::new(source.path.clone(), hidden);
            let range = visible(&source.text, broken.range.start + begin..broken.range.end + begin);
            let finding = Finding::error("syntax", broken.message).at(Span::new(&shown, range));
            vec![finding.fix(broken.fix).owned_by(Owner::Department)]
        })
}

/// `range`, or the character at its place if it is empty: an empty one would mean the whole file.
fn visible(text: &str, range: Range<usize>) -> Range<usize> {
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

/// Why a text could not be parsed.
struct Broken {
    message: String,
    fix: String,
    range: Range<usize>,
}

/// A parsed file before it is known what it means.
struct Root {
    members: Vec<Member>,
    /// Where it opens.
    head: Range<usize>,
}

struct Member {
    entry: Entry,
    /// What is in it, when the value is an object.
    inside: Option<Root>,
    /// The value as it was meant, for offsets.
    meant: Option<serde_json::Value>,
}

impl Root {
    /// The same, `by` bytes further.
    fn moved(mut self, by: usize) -> Self {
        let shift = |range: &mut Range<usize>| *range = range.start + by..range.end + by;
        shift(&mut self.head);
        for member in &mut self.members {
            shift(&mut member.entry.key_span);
            shift(&mut member.entry.value_span);
            member.inside = member.inside.take().map(|inside| inside.moved(by));
        }
        self
    }
}

fn connector(source: &Arc<SourceFile>, root: Root) -> ConnectorFile {
    let is_config = |member: &Member| member.entry.key == "config" && member.inside.is_some();
    let mut file = ConnectorFile {
        source: Arc::clone(source),
        form: Form::Bare,
        name: None,
        entries: Vec::new(),
        offsets: None,
        stray: Vec::new(),
        head: root.head.clone(),
    };
    if !root.members.iter().any(is_config) {
        file.entries = root.members.into_iter().map(|member| member.entry).collect();
        return file;
    }
    file.form = Form::Native;
    for member in root.members {
        match (member.entry.key.as_str(), member.inside) {
            ("config", Some(config)) if file.entries.is_empty() => {
                file.head = config.head;
                file.entries = config.members.into_iter().map(|member| member.entry).collect();
            }
            ("name", None) if file.name.is_none() => file.name = Some(member.entry),
            ("offsets", None) if file.offsets.is_none() && member.entry.kind == ValueKind::Array => {
                file.offsets = member.meant;
            }
            _ => file.stray.push(member.entry),
        }
    }
    file
}

fn unreadable(path: &Path, what: &str, fix: &str) -> Finding {
    let finding =
        |name: String| Finding::error("unreadable-file", format!("{name} {what}")).owned_by(Owner::Department);
    let finding = if path == Path::new(STANDARD_INPUT) {
        finding("standard input".to_owned())
    } else {
        // The whole file, without a place in it.
        let place = Span::new(&SourceFile::new(path, ""), 0..0);
        finding(format!("`{}`", path.display())).at(place)
    };
    if fix.is_empty() { finding } else { finding.fix(fix) }
}

#[cfg(test)]
mod tests;
