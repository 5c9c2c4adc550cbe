//! Files and folders of the state folder: only their owner may read them, regardless of the umask.
//!
//! Windows has no such modes: the files lie in the user's own folder, which others cannot open.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use crate::hint::{Advice, Hint, shell_quote};

/// Creates a folder and its parents with mode 0700. An existing folder keeps its mode.
///
/// # Errors
/// I/O error.
pub fn create_dir(folder: &Path) -> io::Result<()> {
    create_dir_with_mode(folder, 0o700)
}

/// Creates a folder and its parents that others can read and only the user can write, whatever the umask: what is in it
/// vouches for keys.
///
/// # Errors
/// The folder cannot be created.
pub fn create_readable_dir(folder: &Path) -> io::Result<()> {
    create_dir_with_mode(folder, 0o755)
}

#[cfg_attr(not(unix), expect(unused_variables, reason = "modes exist on unix only"))]
fn create_dir_with_mode(folder: &Path, mode: u32) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, mode);
    builder.create(folder)
}

/// Returns options that create a file with mode 0600 and do not follow a link.
#[must_use]
pub fn file_options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "modes exist on unix only"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600).custom_flags(to_flags(rustix::fs::OFlags::NOFOLLOW));
    }
    options
}

#[cfg(unix)]
fn to_flags(flags: rustix::fs::OFlags) -> i32 {
    i32::try_from(flags.bits()).unwrap_or_default()
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

/// Reads a text file. Another kind of file, such as a named pipe that nobody writes to, is an error.
///
/// # Errors
/// I/O error, or the path names no regular file.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "the flag exists on unix only"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, to_flags(rustix::fs::OFlags::NONBLOCK));
    let mut file = options.read(true).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// Reason why a folder is not private.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SharedFolderError {
    /// The folder belongs to another user.
    #[error("folder `{}` belongs to another user", .0.display())]
    OtherOwner(PathBuf),
    /// Other users can write to the folder.
    #[error("other users can write to folder `{}`", .0.display())]
    WritableByOthers(PathBuf),
}

impl Advice for SharedFolderError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::OtherOwner(_) => vec![Hint::new("Choose a folder of your own.")],
            Self::WritableByOthers(folder) => vec![Hint::new(format!(
                "Run `chmod go-w {}`, and check the files in it.",
                shell_quote(&folder.display().to_string())
            ))],
        }
    }
}

/// Checks that only the user can write to an existing folder: its files decide which keys are trusted.
///
/// # Errors
/// See [`SharedFolderError`].
pub fn check_own_folder(folder: &Path) -> Result<(), SharedFolderError> {
    #[cfg(unix)]
    if let Ok(metadata) = std::fs::metadata(folder) {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(SharedFolderError::OtherOwner(folder.to_owned()));
        }
        if metadata.permissions().mode() & 0o022 != 0 {
            return Err(SharedFolderError::WritableByOthers(folder.to_owned()));
        }
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
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
    fn a_named_pipe_is_not_read_and_a_shared_folder_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let pipe = root.path().join("x.toml");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        assert_eq!(read_to_string(&pipe).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert!(read_to_string(root.path()).is_err());
        let file = root.path().join("file");
        std::fs::write(&file, "text").unwrap();
        assert_eq!(read_to_string(&file).unwrap(), "text");

        assert_eq!(check_own_folder(root.path()), Ok(()));
        assert_eq!(check_own_folder(&root.path().join("new")), Ok(()));
        for mode in [0o720, 0o702, 0o777] {
            std::fs::set_permissions(root.path(), PermissionsExt::from_mode(mode)).unwrap();
            let refused = check_own_folder(root.path());
            assert_eq!(
                refused,
                Err(SharedFolderError::WritableByOthers(root.path().to_owned()))
            );
        }
        let foreign = Path::new("/proc/1");
        if rustix::process::geteuid().as_raw() != 0 && foreign.exists() {
            assert_eq!(
                check_own_folder(foreign),
                Err(SharedFolderError::OtherOwner(foreign.to_owned()))
            );
        }
    }

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
        // A link that somebody placed there would change another file of the user.
        let link = folder.join("y.lock");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(open_lock_file(&link).is_err());
        assert!(open(&link, file_options().append(true)).is_err());
    }
}
