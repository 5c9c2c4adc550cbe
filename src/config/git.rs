//! Protection against committing secrets: a folder inside a Git work tree is rejected unless Git ignores it.
//!
//! Git itself decides (`git check-ignore`), because ignore files can be nested, negated, global or local to a clone,
//! and a wrong interpretation could publish a key. If Git cannot be run, the folder is rejected.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::{
    child,
    hint::{Advice, Hint},
    redact::SecretRegistry,
};

/// Reason why secrets must not be written to a folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// Git does not ignore the folder.
    #[error("cannot write secrets to `{}`: Git work tree `{}` does not ignore it", folder.display(), tree.display())]
    NotIgnored {
        /// Folder.
        folder: PathBuf,
        /// Work tree that contains it.
        tree: PathBuf,
    },
    /// Git could not decide.
    #[error("cannot write secrets to `{}`: unknown whether Git work tree `{}` ignores it: {reason}", folder.display(), tree.display())]
    CheckFailed {
        /// Folder.
        folder: PathBuf,
        /// Work tree that contains it.
        tree: PathBuf,
        /// Reason.
        reason: String,
    },
}

impl Advice for GitError {
    fn hints(&self) -> Vec<Hint> {
        let (Self::NotIgnored { folder, tree } | Self::CheckFailed { folder, tree, .. }) = self;
        let inside = folder.strip_prefix(tree).unwrap_or(folder);
        vec![
            Hint::new(
                "Choose a folder outside of any repository, with `--credentials-dir`, `CONFLUENT_EBS_STATE_DIR` or \
                 `XDG_CONFIG_HOME`.",
            ),
            Hint::new(format!(
                "Or add `/{}/` to the repository's `.gitignore`.",
                inside.display()
            )),
        ]
    }
}

/// Checks that Git would commit none of the files `names` in `folder`. Neither needs to exist.
///
/// # Errors
/// See [`GitError`].
pub fn ensure_ignored_by_git<T: AsRef<Path>>(
    folder: &Path,
    names: impl IntoIterator<Item = T>,
    secrets: &SecretRegistry,
) -> Result<(), GitError> {
    let folder = real_path(folder);
    let Some(tree) = folder.ancestors().find(|above| above.join(".git").exists()) else {
        return Ok(());
    };
    let unknown = |reason: String| GitError::CheckFailed {
        folder: folder.clone(),
        tree: tree.to_owned(),
        reason,
    };
    let paths: BTreeSet<PathBuf> = names.into_iter().map(|name| folder.join(name)).collect();
    let asked = child::git(secrets)
        .arg("-C")
        .arg(tree)
        .args(["check-ignore", "--"])
        .args(&paths)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    match asked {
        Err(error) => Err(unknown(format!("cannot run `git`: {error}"))),
        // It prints a line for each ignored path; exit code 1 means that there is none.
        Ok(output) => match output.status.code() {
            Some(0) if output.stdout.split(|byte| *byte == b'\n').count() == paths.len() + 1 => Ok(()),
            Some(0 | 1) => Err(GitError::NotIgnored {
                folder: folder.clone(),
                tree: tree.to_owned(),
            }),
            _ => Err(unknown("`git check-ignore` failed".to_owned())),
        },
    }
}

/// Resolves the links in the existing part of a path, because a link can lead into a repository.
fn real_path(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for above in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (above.canonicalize(), path.strip_prefix(above)) {
            return if rest == Path::new("") { real } else { real.join(rest) };
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(folder: &Path) -> Result<(), GitError> {
        ensure_ignored_by_git(folder, ["a.toml", "a.toml.unproved"], &SecretRegistry::default())
    }

    fn repository() -> Option<tempfile::TempDir> {
        let folder = tempfile::tempdir().unwrap();
        let made = child::git(&SecretRegistry::default())
            .args(["init", "--quiet"])
            .arg(folder.path())
            .status();
        made.is_ok_and(|status| status.success()).then_some(folder)
    }

    #[test]
    fn a_work_tree_is_rejected_unless_it_ignores_the_folder() {
        // Without Git no work tree can be created; the next test covers that case.
        let Some(tree) = repository() else { return };
        let folder = tree.path().join("secrets").join("prod");
        let refused = check(&folder).unwrap_err();
        assert!(matches!(refused, GitError::NotIgnored { .. }), "{refused}");
        assert!(refused.hints()[1].as_str().contains("secrets"));
        std::fs::write(tree.path().join(".gitignore"), "/secrets/\n").unwrap();
        assert_eq!(check(&folder), Ok(()));
        // The file that an interrupted run leaves is not ignored.
        std::fs::write(tree.path().join(".gitignore"), "*.toml\n").unwrap();
        assert!(matches!(check(&folder), Err(GitError::NotIgnored { .. })));
        std::fs::write(tree.path().join(".gitignore"), "/secrets/\n!/secrets/\n").unwrap();
        assert!(check(&folder).is_err());
    }

    #[test]
    fn a_folder_that_resembles_a_work_tree_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".git"), "gitdir: nowhere\n").unwrap();
        assert!(matches!(check(folder.path()), Err(GitError::CheckFailed { .. })));
    }

    // A repository that was unpacked from an archive brings its own `.git/config`.
    #[cfg(unix)]
    #[test]
    fn a_repository_cannot_make_git_run_a_program() {
        use std::os::unix::fs::PermissionsExt;
        let Some(tree) = repository() else { return };
        let (program, mark) = (tree.path().join("monitor"), tree.path().join("started"));
        std::fs::write(&program, format!("#!/bin/sh\ntouch '{}'\n", mark.display())).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let config = format!("\n[core]\n\tfsmonitor = {0}\n\thooksPath = {0}\n", program.display());
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(tree.path().join(".git/config"))
            .unwrap();
        std::io::Write::write_all(&mut file, config.as_bytes()).unwrap();
        std::fs::write(tree.path().join("file"), "").unwrap();
        let added = child::git(&SecretRegistry::default())
            .arg("-C")
            .arg(tree.path())
            .args(["add", "file"])
            .status();
        assert!(added.unwrap().success());
        let _ = check(tree.path());
        assert!(!mark.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_into_a_work_tree_is_resolved() {
        let Some(tree) = repository() else { return };
        let outside = tempfile::tempdir().unwrap();
        let link = outside.path().join("link");
        std::os::unix::fs::symlink(tree.path(), &link).unwrap();
        assert!(check(&link.join("new")).is_err());
        assert_eq!(check(&outside.path().join("new")), Ok(()));
    }
}
