//! The folder of profiles.
//!
//! A profile is written as `<name>.toml.unproved` before its key becomes live, and renamed to `<name>.toml` once the key
//! is proved. A finished profile is never overwritten.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::model::{ApiKeyId, DepartmentCode};

/// The ending of a profile whose key is not proved yet.
const UNPROVED: &str = "unproved";

/// Why a profile cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// A finished profile of that name exists.
    #[error("{} exists already: a handed-over profile is never overwritten", .0.display())]
    Exists(PathBuf),
    /// The folder or a file in it cannot be used.
    #[error("{} cannot be {what}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SinkError {
    let path = path.to_owned();
    move |source| SinkError::File { what, path, source }
}

/// Which profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The stage, unless it is the default one.
    pub stage: Option<String>,
    /// The department.
    pub department: DepartmentCode,
    /// The persona.
    pub persona: String,
}

impl Place {
    /// The path of the finished profile below the folder.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        let name = format!("{}-{}.toml", self.department, self.persona);
        self.stage.iter().collect::<PathBuf>().join(name)
    }
}

/// What lies in the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Keys in finished profiles.
    pub finished: BTreeMap<ApiKeyId, PathBuf>,
    /// Keys in profiles that are not proved yet.
    pub unproved: BTreeMap<ApiKeyId, PathBuf>,
}

/// The folder of profiles.
#[derive(Clone, Debug)]
pub struct Sink {
    folder: PathBuf,
}

impl Sink {
    /// The folder `folder`; it is made when it is first needed.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the finished profile of `place` is, or will be.
    #[must_use]
    pub fn path(&self, place: &Place) -> PathBuf {
        self.folder.join(place.file())
    }

    fn unproved(&self, place: &Place) -> PathBuf {
        let mut name = self.path(place).into_os_string();
        name.push(".");
        name.push(UNPROVED);
        name.into()
    }

    /// Makes sure, before the first key is made, that `places` can be written.
    ///
    /// # Errors
    /// When a finished profile stands in the way, or nothing can be written there.
    pub fn prepare<'a>(&self, places: impl IntoIterator<Item = &'a Place>) -> Result<(), SinkError> {
        let mut folders = std::collections::BTreeSet::new();
        for place in places {
            let path = self.path(place);
            if path.exists() {
                return Err(SinkError::Exists(path));
            }
            folders.extend(path.parent().map(Path::to_owned));
        }
        for folder in folders {
            private_folder(&folder)?;
            // Room for a profile, on the disk, readable by nobody else: a full or read-only disk says so here.
            let trial = folder.join(format!(".ebs-trial-{}", std::process::id()));
            let outcome = write_private(&trial, &[b' '; 4096]);
            let _ = fs::remove_file(&trial);
            outcome?;
        }
        Ok(())
    }

    /// Puts a profile on the disk, not proved yet. When this returns it has reached the disk. One that an interrupted
    /// run left at the same place is replaced: its key no longer exists.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, place: &Place, text: &str) -> Result<PathBuf, SinkError> {
        let path = self.unproved(place);
        if let Some(folder) = path.parent() {
            private_folder(folder)?;
        }
        let temporary = path.with_extension(format!("writing-{}", std::process::id()));
        write_private(&temporary, text.as_bytes())?;
        fs::rename(&temporary, &path).map_err(failed("renamed", &temporary))?;
        sync_folder(&path);
        Ok(path)
    }

    /// Gives a proved profile its final name.
    ///
    /// # Errors
    /// When a finished profile of that name exists, or the file cannot be renamed.
    pub fn finish(&self, place: &Place) -> Result<PathBuf, SinkError> {
        let (from, to) = (self.unproved(place), self.path(place));
        // A hard link fails when the name is taken, which a rename would not; where links are unknown, look first.
        match fs::hard_link(&from, &to) {
            Ok(()) => fs::remove_file(&from).map_err(failed("removed", &from))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(SinkError::Exists(to)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(failed("found", &from)(error)),
            Err(_) if to.exists() => return Err(SinkError::Exists(to)),
            Err(_) => fs::rename(&from, &to).map_err(failed("renamed", &from))?,
        }
        sync_folder(&to);
        Ok(to)
    }

    /// Writes what a profile says now, without its key, beside the finished one: `claims-operator.<mark>.toml`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn reissue(&self, place: &Place, mark: &str, text: &str) -> Result<PathBuf, SinkError> {
        let path = self.path(place).with_extension(format!("{mark}.toml"));
        if let Some(folder) = path.parent() {
            private_folder(folder)?;
        }
        if path.exists() {
            return Ok(path);
        }
        write_private(&path, text.as_bytes())?;
        sync_folder(&path);
        Ok(path)
    }

    /// Reads the text of a profile that is not proved yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_unproved(&self, place: &Place) -> Result<String, SinkError> {
        let path = self.unproved(place);
        fs::read_to_string(&path).map_err(failed("read", &path))
    }

    /// Looks at what is there. What cannot be read as a profile is not one.
    #[must_use]
    pub fn contents(&self) -> Contents {
        let mut contents = Contents::default();
        let mut folders = vec![self.folder.clone()];
        // Two levels: the default stage's profiles, and one folder for each other stage.
        for level in 0..2 {
            for folder in std::mem::take(&mut folders) {
                for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                    let path = entry.path();
                    if path.is_dir() && level == 0 {
                        folders.push(path);
                    } else if let Some(key) = key_in(&path) {
                        let proved = path.extension().is_none_or(|ending| ending != UNPROVED);
                        let list = if proved {
                            &mut contents.finished
                        } else {
                            &mut contents.unproved
                        };
                        list.insert(key, path);
                    }
                }
            }
        }
        contents
    }
}

fn key_in(path: &Path) -> Option<ApiKeyId> {
    let ending = path.extension()?;
    if ending != "toml" && ending != UNPROVED {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    let table: toml::Table = text.parse().ok()?;
    table.get("key")?.get("id")?.as_str()?.parse().ok()
}

fn private_folder(folder: &Path) -> Result<(), SinkError> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(failed("made", folder))
}

fn write_private(path: &Path, content: &[u8]) -> Result<(), SinkError> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed("written", path))?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .map_err(failed("written", path))
}

/// Makes a new name in a folder survive a crash, where the system can do that.
fn sync_folder(path: &Path) {
    #[cfg(unix)]
    if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
    #[cfg(not(unix))]
    let _ = path;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(persona: &str) -> Place {
        Place {
            stage: None,
            department: "claims".parse().unwrap(),
            persona: persona.into(),
        }
    }

    #[test]
    fn a_profile_is_unproved_first_and_finished_once() {
        let folder = tempfile::tempdir().unwrap();
        let sink = Sink::new(folder.path().join("cred"));
        sink.prepare([&place("operator")]).unwrap();
        sink.put(&place("operator"), "[key]\nid = \"AAAA\"\n").unwrap();
        assert_eq!(sink.contents().unproved.len(), 1);
        let path = sink.finish(&place("operator")).unwrap();
        assert_eq!(path, folder.path().join("cred/claims-operator.toml"));
        assert_eq!(sink.contents().finished.len(), 1);
        assert_eq!(sink.contents().unproved.len(), 0);
        assert!(matches!(sink.prepare([&place("operator")]), Err(SinkError::Exists(_))));
        sink.put(&place("operator"), "[key]\nid = \"BBBB\"\n").unwrap();
        assert!(matches!(sink.finish(&place("operator")), Err(SinkError::Exists(_))));
        assert_eq!(fs::read_to_string(path).unwrap(), "[key]\nid = \"AAAA\"\n");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let sink = Sink::new(folder.path().join("cred"));
        let path = sink.put(&place("operator"), "x").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }
}
