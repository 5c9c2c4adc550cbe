//! Files that do not depend on a forge: schemas and settings of editors, and the shipped policies.

use std::path::Path;

use super::generated_file::GeneratedFile;
use crate::{
    catalog::catalog,
    gitops::policies::shipped_policies,
    manifest::{
        policy::POLICIES,
        schema::{FileKind, SCHEMA_FOLDER, SCHEMA_ID_PREFIX, hint_line, schema_files},
    },
};

/// Settings of VS Code: JSON has no comments, so a connector file in JSON cannot name its schema in its first line. The
/// files of TOML and YAML can.
const EDITOR_SETTINGS: &str = r#"{
  "json.schemas": [
    {
      "fileMatch": ["/connectors/*/*/*.json"],
      "url": "./.schemas/connector.json"
    }
  ]
}
"#;

/// Returns the schemas and the settings of editors.
pub(super) fn editor_files() -> Vec<GeneratedFile> {
    let schemas = schema_files(catalog()).into_iter();
    let mut files: Vec<GeneratedFile> = schemas
        .map(|(name, text)| GeneratedFile::identified(format!("{SCHEMA_FOLDER}/{name}"), SCHEMA_ID_PREFIX, text))
        .collect();
    files.push(GeneratedFile::once(".vscode/settings.json", EDITOR_SETTINGS.to_owned()));
    files
}

/// Returns the shipped policies and their tests if the repository at `root` has no folder of policies. Afterwards they
/// belong to the site, which adapts and deletes them.
pub(super) fn first_policies(root: &Path) -> Vec<GeneratedFile> {
    if root.join(POLICIES).exists() {
        return Vec::new();
    }
    let policies = shipped_policies().iter();
    policies
        .map(|(path, text)| {
            let folder = Path::new(path).parent().unwrap_or(Path::new(""));
            let kind = match folder == Path::new(POLICIES) {
                true => FileKind::Policy,
                false => FileKind::PolicyTests,
            };
            let top = folder.components().map(|_| "..").collect::<Vec<_>>().join("/");
            let hint = hint_line(kind, Path::new(&top), &kind.file_name());
            GeneratedFile::once(*path, format!("{hint}{text}"))
        })
        .collect()
}
