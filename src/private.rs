//! Files and folders of the state folder: only their owner may read them, regardless of the umask.
//!
//! Windows has no such modes: the files lie in the user's own folder, which others cannot open.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io,
    path::Path,
};

/// Creates a folder and its parents with mode 0700. An existing folder keeps its mode.
///
/// # Errors
/// I/O error.
pub fn create_dir(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Returns options that create a file with mode 0600.
#[must_use]
pub fn file_options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "modes exist on unix only"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Opens a file with `options`. If others can read it, changes its mode to 0600.
///
/// # Errors
/// I/O error.
pub fn open(path: &Path, options: &OpenOptions) -> io::Result<File> {
    let file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mut permissions = file.metadata()?.permissions();
        if permissions.mode() & 0o077 != 0 {
            permissions.set_mode(0o600);
            // A file system without modes fails here; it has its own access rules.
            let _ = file.set_permissions(permissions);
        }
    }
    Ok(file)
}

/// Opens a lock file and creates it if necessary, without locking it.
///
/// # Errors
/// I/O error.
pub fn open_lock_file(path: &Path) -> io::Result<File> {
    open(path, file_options().write(true).create(true).truncate(false))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn new_files_are_private_and_readable_files_become_private() {
        let root = tempfile::tempdir().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = root.path().join("state/journal");
        create_dir(&folder).unwrap();
        assert_eq!((mode(&folder), mode(folder.parent().unwrap())), (0o700, 0o700));
        let file = folder.join("x.jsonl");
        std::fs::write(&file, "one\n").unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
        open(&file, file_options().append(true)).unwrap();
        assert_eq!(mode(&file), 0o600);
        let lock = folder.join("x.lock");
        open_lock_file(&lock).unwrap();
        assert_eq!(mode(&lock), 0o600);
    }
}
