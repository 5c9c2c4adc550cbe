//! Schemas of files on disk, for editors.

use std::path::{Path, PathBuf};

use crate::{
    catalog::catalog,
    config::{IfExists, save::save_public},
    error::{Error, ResultExt},
    manifest::schema::{SCHEMA_ID_PREFIX, schema_files},
};

/// Writes the schema `text` to `file`. An earlier schema is replaced, another file is kept.
///
/// # Errors
/// The file is no schema of this program, or cannot be written.
pub fn save_schema(file: &Path, text: &str) -> Result<(), Error> {
    match std::fs::read_to_string(file) {
        Ok(existing) if existing == text => return Ok(()),
        Ok(existing) if !existing.contains(SCHEMA_ID_PREFIX) => {
            return Err(Error::failed(format!(
                "cannot write the schema to `{}`: the file exists and is no schema of this program",
                file.display()
            ))
            .with_hint("Choose another file, or delete this one."));
        }
        _ => {}
    }
    save_public(file, text.as_bytes(), IfExists::Replace)?;
    Ok(())
}

/// Writes the schemas of all kinds of files to `folder`, which is created, and returns their paths.
///
/// # Errors
/// As for [`save_schema`]; or the folder cannot be created.
pub fn save_schemas(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create the directory `{}`", folder.display()))?;
    let mut written = Vec::new();
    for (name, text) in schema_files(catalog()) {
        let file = folder.join(name);
        save_schema(&file, &text)?;
        written.push(file);
    }
    Ok(written)
}
