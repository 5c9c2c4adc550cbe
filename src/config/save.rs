//! Atomic and private file writes.
//!
//! A file is written under a temporary name next to its target, with mode 0600 from the start, flushed to disk, and
//! renamed in one step; then the folder is flushed. After a crash the target is either the old or the new file; at
//! worst a file named [`TEMP_FILE_PREFIX`]… remains. Windows has no such modes: the user's folder is private there.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use tempfile::{NamedTempFile, TempPath};

use super::git::{GitError, ensure_ignored_by_git};
use crate::{
    hint::{Advice, Hint},
    private,
    redact::SecretRegistry,
};

/// Prefix of temporary file names.
pub const TEMP_FILE_PREFIX: &str = ".ebs-half-written-";

/// Behaviour for an existing file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfExists {
    /// Keep the file and fail.
    Keep,
    /// Replace the file.
    Replace,
}

/// Error of a write.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The file exists and is kept.
    #[error("`{}` already exists and is not overwritten", .0.display())]
    Exists(PathBuf),
    /// Git would commit the file.
    #[error(transparent)]
    Git(#[from] GitError),
    /// I/O error.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// Failed action, an infinitive.
        action: &'static str,
        /// Path.
        path: PathBuf,
        /// I/O error.
        source: io::Error,
    },
}

impl SaveError {
    fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action: what,
            path,
            source,
        }
    }
}

impl Advice for SaveError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Exists(_) => vec![Hint::new(
                "Move the file, delete it if its key no longer exists, or choose another folder.",
            )],
            Self::Git(error) => error.hints(),
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    vec![Hint::new("Free disk space.")]
                }
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    vec![Hint::new("Choose a writable folder.")]
                }
                _ => Vec::new(),
            },
        }
    }
}

/// Writes `contents` to `path`, readable only by the user. The folder must exist.
///
/// # Errors
/// [`SaveError::Exists`] with [`IfExists::Keep`], or an I/O error; the file is unchanged then.
pub fn save(path: &Path, contents: &[u8], if_exists: IfExists) -> Result<(), SaveError> {
    write_file(path, contents, if_exists, 0o600)
}

/// Writes `contents` to `path` for others to read, as far as the umask allows: pages, and files that are made to be
/// committed. A link at `path` is replaced, not followed. The folder must exist.
///
/// # Errors
/// [`SaveError::Exists`] with [`IfExists::Keep`], or an I/O error; the file is unchanged then.
pub fn save_public(path: &Path, contents: &[u8], if_exists: IfExists) -> Result<(), SaveError> {
    write_file(path, contents, if_exists, 0o644)
}

fn write_file(path: &Path, contents: &[u8], if_exists: IfExists, mode: u32) -> Result<(), SaveError> {
    let folder = parent_dir(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMP_FILE_PREFIX);
    #[cfg(unix)]
    let permissions: fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
    #[cfg(unix)]
    builder.permissions(permissions);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = builder.tempfile_in(folder).map_err(SaveError::io("write to", folder))?;
    let write = |file: &mut NamedTempFile| -> io::Result<()> {
        file.write_all(contents)?;
        file.as_file().sync_all()
    };
    write(&mut file).map_err(SaveError::io("write", path))?;
    let named = match if_exists {
        IfExists::Keep => file.persist_noclobber(path),
        IfExists::Replace => file.persist(path),
    };
    match named {
        Ok(_) => sync_dir(folder),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(SaveError::Exists(path.to_owned())),
        Err(error) => Err(SaveError::io("write", path)(error.error)),
    }
}

/// Writes a secret to `path` like [`save`]. The folder must exist.
///
/// # Errors
/// Like [`save`]; [`SaveError::Git`] if Git would commit the file or its temporary file.
pub fn save_secret(
    path: &Path,
    contents: &[u8],
    if_exists: IfExists,
    secrets: &SecretRegistry,
) -> Result<(), SaveError> {
    check_secret_path(path, secrets)?;
    save(path, contents, if_exists)
}

/// Checks that Git would commit neither a file at `path` nor its temporary file.
///
/// # Errors
/// [`SaveError::Git`]
pub fn check_secret_path(path: &Path, secrets: &SecretRegistry) -> Result<(), SaveError> {
    let temporary = format!("{TEMP_FILE_PREFIX}123456");
    let names = [path.file_name().unwrap_or_default(), temporary.as_ref()];
    Ok(ensure_ignored_by_git(parent_dir(path), names, secrets)?)
}

/// Renames a file to its final name, the last step of a delivery.
///
/// # Errors
/// [`SaveError::Exists`] with [`IfExists::Keep`], or an I/O error; `from` still exists then.
pub fn rename_into_place(from: &Path, to: &Path, if_exists: IfExists) -> Result<(), SaveError> {
    let path = TempPath::try_from_path(from).map_err(SaveError::io("rename", from))?;
    let named = match if_exists {
        IfExists::Keep => path.persist_noclobber(to),
        IfExists::Replace => path.persist(to),
    };
    named.map_err(|error| {
        // Dropping the path would delete the file, the only copy of the secret.
        let kept = error.path.keep();
        match (error.error.kind(), kept) {
            (io::ErrorKind::AlreadyExists, Ok(_)) => SaveError::Exists(to.to_owned()),
            _ => SaveError::io("rename", from)(error.error),
        }
    })?;
    sync_dir(parent_dir(to))
}

/// Creates a folder and its parents, accessible only by the user.
///
/// # Errors
/// I/O error.
pub fn create_private_dir(folder: &Path) -> Result<(), SaveError> {
    private::create_dir(folder).map_err(SaveError::io("create the folder", folder))
}

/// Checks that `folder` is writable and creates it if it is missing. This happens before the first key is created,
/// because a secret that cannot be stored is lost.
///
/// # Errors
/// I/O error: read-only, full, forbidden.
pub fn check_writable(folder: &Path) -> Result<(), SaveError> {
    create_private_dir(folder)?;
    let probe = || -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(TEMP_FILE_PREFIX).tempfile_in(folder)?;
        // A full disk still creates empty files, so write the size of a few profiles.
        file.write_all(&vec![b'.'; 64 * 1024])?;
        file.as_file().sync_all()?;
        file.close()
    };
    probe().map_err(SaveError::io("write to", folder))
}

fn parent_dir(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Flushes the folder, which makes a rename durable.
fn sync_dir(folder: &Path) -> Result<(), SaveError> {
    #[cfg(unix)]
    {
        let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
        match synced {
            // Some network file systems do not support flushing a folder.
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
            synced => synced.map_err(SaveError::io("write to", folder)),
        }
    }
    // Windows flushes names with the files and has no handle for folders.
    #[cfg(not(unix))]
    {
        let _ = folder;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_existing_file_is_kept_unless_replace_is_requested() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("claims-operator.toml");
        save(&path, b"first", IfExists::Keep).unwrap();
        assert!(matches!(
            save(&path, b"second", IfExists::Keep),
            Err(SaveError::Exists(_))
        ));
        assert_eq!(fs::read(&path).unwrap(), b"first");
        save(&path, b"second", IfExists::Replace).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(
            names(folder.path()),
            ["claims-operator.toml"],
            "no temporary file stays"
        );
    }

    #[test]
    fn renaming_into_place_never_loses_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a.unproved"), folder.path().join("a"));
        save(&from, b"secret", IfExists::Keep).unwrap();
        save(&to, b"older", IfExists::Keep).unwrap();
        assert!(matches!(
            rename_into_place(&from, &to, IfExists::Keep),
            Err(SaveError::Exists(_))
        ));
        assert_eq!(names(folder.path()), ["a", "a.unproved"]);
        fs::remove_file(&to).unwrap();
        rename_into_place(&from, &to, IfExists::Keep).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"secret");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn the_write_check_leaves_the_folder_empty() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("a").join("b");
        check_writable(&inside).unwrap();
        assert!(names(&inside).is_empty());
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(check_writable(&folder.path().join("file")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn files_and_folders_are_private_to_the_user() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("a");
        create_private_dir(&inside).unwrap();
        let path = inside.join("profile.toml");
        save(&path, b"secret", IfExists::Keep).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&inside), mode(&path)), (0o700, 0o600));
        let (page, target) = (folder.path().join("page.html"), folder.path().join("target"));
        fs::write(&target, "precious").unwrap();
        std::os::unix::fs::symlink(&target, &page).unwrap();
        save_public(&page, b"page", IfExists::Replace).unwrap();
        assert_eq!(mode(&page) & 0o022, 0, "not writable for others, whatever the umask");
        assert_eq!(fs::read(&target).unwrap(), b"precious");
    }
}
