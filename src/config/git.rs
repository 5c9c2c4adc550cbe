//! Secrets stay out of Git: a folder inside a work tree is refused unless Git ignores what would be written there.
//!
//! Whether a path is ignored is for Git itself to say (`git check-ignore`): ignore files are nested, negated, global and
//! per clone, and a home-made reading of them that errs once has published a key. Where Git cannot be asked, the folder
//! is refused.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::hint::{Advice, Hint};

/// Why secrets may not be written into a folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// Git would pick them up.
    #[error("`{}` lies in the Git work tree `{}` and is not ignored", folder.display(), tree.display())]
    NotIgnored {
        /// The folder.
        folder: PathBuf,
        /// The work tree around it.
        tree: PathBuf,
    },
    /// Git could not say.
    #[error("`{}` lies in the Git work tree `{}`, and Git could not say whether it is ignored: {reason}", folder.display(), tree.display())]
    CheckFailed {
        /// The folder.
        folder: PathBuf,
        /// The work tree around it.
        tree: PathBuf,
        /// Why not.
        reason: String,
    },
}

impl Advice for GitError {
    fn hints(&self) -> Vec<Hint> {
        let (Self::NotIgnored { folder, tree } | Self::CheckFailed { folder, tree, .. }) = self;
        let inside = folder.strip_prefix(tree).unwrap_or(folder);
        vec![
            Hint::new("Name a folder outside of any repository; the default is below your state folder."),
            Hint::new(format!(
                "Or add `/{}/` to the repository's `.gitignore`.",
                inside.display()
            )),
        ]
    }
}

/// Refuses `folder` when a file written there could be committed by mistake. The folder need not exist yet.
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
    // A variable of an outer Git (a hook, an alias) would make it speak about another repository.
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
        Err(error) => Err(unknown(format!("git could not be started ({error})"))),
        Ok(status) => match status.code() {
            Some(0) => Ok(()),
            Some(1) => Err(GitError::NotIgnored {
                folder: folder.clone(),
                tree: tree.to_owned(),
            }),
            _ => Err(unknown("git check-ignore failed".to_owned())),
        },
    }
}

/// The path with every link in the part that exists followed: a link may lead into a repository.
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
        // Without Git there is no work tree to speak of; the other test covers what then happens.
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
