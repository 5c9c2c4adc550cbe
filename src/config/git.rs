//! Protection against committing secrets: a folder inside a Git work tree is rejected unless Git ignores it.
//!
//! Git itself decides (`git check-ignore`), because ignore files can be nested, negated, global or local to a clone,
//! and a wrong interpretation could publish a key. If Git cannot be run, the folder is rejected.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::hint::{Advice, Hint};

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
            Hint::new("Choose a folder outside of any repository; the default is below your state folder."),
            Hint::new(format!(
                "Or add `/{}/` to the repository's `.gitignore`.",
                inside.display()
            )),
        ]
    }
}

/// Checks that Git would not commit a file in `folder`. The folder does not need to exist.
///
/// # Errors
/// See [`GitError`].
pub fn ensure_ignored_by_git(folder: &Path) -> Result<(), GitError> {
    let folder = real_path(folder);
    let Some(tree) = folder.ancestors().find(|above| above.join(".git").exists()) else {
        return Ok(());
    };
    let unknown = |reason: String| GitError::CheckFailed {
        folder: folder.clone(),
        tree: tree.to_owned(),
        reason,
    };
    let mut git = Command::new("git");
    // Variables of an outer Git (a hook, an alias) would select another repository.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        git.env_remove(variable);
    }
    let asked = git
        .arg("-C")
        .arg(tree)
        .args(["check-ignore", "--quiet", "--"])
        .arg(folder.join("department-persona.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match asked {
        Err(error) => Err(unknown(format!("cannot run `git`: {error}"))),
        Ok(status) => match status.code() {
            Some(0) => Ok(()),
            Some(1) => Err(GitError::NotIgnored {
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

    fn repository() -> Option<tempfile::TempDir> {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("git")
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
        let refused = ensure_ignored_by_git(&folder).unwrap_err();
        assert!(matches!(refused, GitError::NotIgnored { .. }), "{refused}");
        assert!(refused.hints()[1].as_str().contains("secrets"));
        std::fs::write(tree.path().join(".gitignore"), "/secrets/\n").unwrap();
        assert_eq!(ensure_ignored_by_git(&folder), Ok(()));
        std::fs::write(tree.path().join(".gitignore"), "/secrets/\n!/secrets/\n").unwrap();
        assert!(ensure_ignored_by_git(&folder).is_err());
    }

    #[test]
    fn a_folder_that_resembles_a_work_tree_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".git"), "gitdir: nowhere\n").unwrap();
        assert!(matches!(
            ensure_ignored_by_git(folder.path()),
            Err(GitError::CheckFailed { .. })
        ));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_into_a_work_tree_is_resolved() {
        let Some(tree) = repository() else { return };
        let outside = tempfile::tempdir().unwrap();
        let link = outside.path().join("link");
        std::os::unix::fs::symlink(tree.path(), &link).unwrap();
        assert!(ensure_ignored_by_git(&link.join("new")).is_err());
        assert_eq!(ensure_ignored_by_git(&outside.path().join("new")), Ok(()));
    }
}
