//! The files of a platform on disk.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::diag::{Finding, SourceFile, SourceSpan};

/// Why a file cannot be read.
pub(super) fn unreadable_file(shown: PathBuf, error: &io::Error) -> Finding {
    let message = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::InvalidData => "the file is not UTF-8 text".to_owned(),
        _ => format!("the file cannot be read: {error}"),
    };
    Finding::error("unreadable-file", message).with_span(SourceSpan::new(&SourceFile::new(shown, ""), 0..0))
}

/// Reads one file of `folder`; in findings it is called as below `shown`.
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

/// All `*.toml` of a folder beside `ebs.toml`, in order of their names; a folder that is not there holds none.
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
            // Read-me files, editors' back-ups and names that no code could have.
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
