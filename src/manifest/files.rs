//! File access for the platform folder.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::diag::{Finding, SourceFile, SourceSpan};

/// Returns the finding for a file that cannot be read.
pub(super) fn unreadable_file(shown: PathBuf, error: &io::Error) -> Finding {
    let message = match error.kind() {
        io::ErrorKind::NotFound => "cannot read the file: it does not exist".to_owned(),
        io::ErrorKind::InvalidData => "cannot read the file: it is not UTF-8 text".to_owned(),
        _ => format!("cannot read the file: {error}"),
    };
    Finding::error("unreadable-file", message).with_span(SourceSpan::new(&SourceFile::new(shown, ""), 0..0))
}

/// Reads a file of `folder`; findings show it below `shown`.
pub(super) fn read_file(
    folder: &Path,
    shown: &Path,
    name: &str,
    findings: &mut Vec<Finding>,
) -> Option<Arc<SourceFile>> {
    match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => Some(SourceFile::new(shown.join(name), text)),
        Err(error) => {
            findings.push(unreadable_file(shown.join(name), &error));
            None
        }
    }
}

/// Reads all `*.toml` of a folder beside `ebs.toml`, ordered by name; a missing folder counts as empty.
pub(super) fn read_folder(
    folder: &Path,
    shown: &Path,
    inside: &str,
    findings: &mut Vec<Finding>,
) -> Vec<Arc<SourceFile>> {
    let entries = match std::fs::read_dir(folder.join(inside)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            findings.push(unreadable_file(shown.join(inside), &error));
            return Vec::new();
        }
    };
    let mut names: Vec<String> = Vec::new();
    for entry in entries {
        match entry.map(|entry| entry.file_name().into_string()) {
            Ok(Ok(name)) if !name.starts_with('.') && Path::new(&name).extension().is_some_and(|end| end == "toml") => {
                names.push(name);
            }
            // Ignore README files, editor backups and names that are no valid codes.
            Ok(_) => {}
            Err(error) => findings.push(unreadable_file(shown.join(inside), &error)),
        }
    }
    names.sort();
    let (folder, shown) = (folder.join(inside), shown.join(inside));
    names
        .iter()
        .filter_map(|name| read_file(&folder, &shown, name, findings))
        .collect()
}
