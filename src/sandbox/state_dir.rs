//! Files of the state folder: readable only by their owner, replaced atomically.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use super::crypt::{hex, random};
use crate::private;

const TOKEN_FILE: &str = "control-token";
/// Lock file for the creation of the control token.
pub(super) const TOKEN_LOCK: &str = "token.lock";

/// Replaces a file atomically: writes a temporary file, which follows no link, and renames it.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Removes a file, if it exists.
pub(crate) fn remove_file_if_exists(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens the file `path` and locks it exclusively. The lock is released when the file is dropped or the process ends.
pub(crate) fn lock_file(path: &Path) -> io::Result<File> {
    let file = private::open_lock_file(path)?;
    file.lock()?;
    Ok(file)
}

/// Returns the control token and creates its file if necessary.
pub(crate) fn control_token(dir: &Path) -> io::Result<String> {
    let path = dir.join(TOKEN_FILE);
    let _lock = lock_file(&dir.join(TOKEN_LOCK))?;
    if let Some(token) = read_token(dir)? {
        return Ok(token);
    }
    let token = new_token()?;
    replace_file(&path, token.as_bytes())?;
    Ok(token)
}

/// Returns the control token of a folder, if it has one. It authorizes the control endpoints of a running server.
pub(crate) fn read_token(dir: &Path) -> io::Result<Option<String>> {
    match private::read_to_string(&dir.join(TOKEN_FILE)) {
        Ok(token) if !token.trim().is_empty() => Ok(Some(token.trim().to_owned())),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Creates a random control token.
pub(crate) fn new_token() -> io::Result<String> {
    Ok(hex(&random::<32>()?))
}
