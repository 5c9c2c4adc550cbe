//! Files of the state folder: readable by their owner alone, replaced in one step.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
};

use super::crypt::{hex, random};

const TOKEN_FILE: &str = "control-token";
/// Held while the token is made.
pub(super) const TOKEN_LOCK: &str = "token.lock";

/// Makes the folder, for its owner alone.
pub(crate) fn create_private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    // An existing folder keeps its mode otherwise.
    #[cfg(unix)]
    std::fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

/// Options for a file that only its owner may read.
pub(crate) fn private_file_options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "modes exist on unix only"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Writes a file beside `path` and renames it over it: a reader sees the old content or the new one.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = private_file_options()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&beside)?;
    file.write_all(content)?;
    drop(file);
    std::fs::rename(&beside, path)
}

/// Removes a file, which need not be there.
pub(crate) fn remove_file_if_exists(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The file `path`, once it is this process's. Released when it is dropped, or when the process ends in any way.
pub(crate) fn lock_file(path: &Path) -> io::Result<File> {
    let file = private_file_options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    file.lock()?;
    Ok(file)
}

/// The control token: made once, kept in a file of its own.
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

/// The control token of a folder, when it has one: with it a running server can be told what to do.
pub(crate) fn read_token(dir: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(dir.join(TOKEN_FILE)) {
        Ok(token) if !token.trim().is_empty() => Ok(Some(token.trim().to_owned())),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A fresh control token.
pub(crate) fn new_token() -> io::Result<String> {
    Ok(hex(&random::<32>()?))
}
