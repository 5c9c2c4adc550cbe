//! Git, for the history of a repository with connector files.

use std::{
    path::Path,
    process::{Output, Stdio},
};

use crate::{
    child,
    error::{Error, ResultExt as _},
    redact::SecretRegistry,
};

/// Git in one folder.
pub(super) struct Git<'a> {
    /// Folder below which relative paths are.
    pub(super) folder: &'a Path,
    /// Secrets to remove from its output.
    pub(super) secrets: &'a SecretRegistry,
}

/// Commit of the work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CurrentCommit {
    /// Hash of the commit.
    pub(super) hash: String,
    /// Whether files of the folder differ from the commit.
    pub(super) is_modified: bool,
}

impl Git<'_> {
    /// Runs Git with `args`.
    ///
    /// # Errors
    /// Git cannot be run.
    pub(super) fn run(&self, args: &[&str]) -> Result<Output, Error> {
        child::git(self.secrets)
            .arg("-C")
            .arg(self.folder)
            .args(args)
            .stdin(Stdio::null())
            .output()
            .context("cannot run `git`")
    }

    /// Returns the trimmed output of Git; `None` if Git reports an error.
    ///
    /// # Errors
    /// Git cannot be run.
    pub(super) fn text(&self, args: &[&str]) -> Result<Option<String>, Error> {
        let output = self.run(args)?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(output.status.success().then_some(text))
    }

    /// Returns the commit of the work tree; `None` without Git, outside of a repository, and before the first commit.
    pub(super) fn current_commit(&self, paths: &[&str]) -> Option<CurrentCommit> {
        let hash = self.text(&["rev-parse", "--verify", "--quiet", "HEAD"]).ok()??;
        let status = [&["status", "--porcelain", "--untracked-files=all", "--"], paths].concat();
        Some(CurrentCommit {
            hash,
            is_modified: self.text(&status).ok()?.is_none_or(|changes| !changes.is_empty()),
        })
    }

    /// Returns the paths of the files below `folder` in the current commit; empty without Git.
    pub(super) fn committed_files(&self, folder: &str) -> Vec<String> {
        let listed = self.text(&["ls-tree", "-r", "-z", "--name-only", "HEAD", "--", folder]);
        let listed = listed.ok().flatten().unwrap_or_default();
        let paths = listed.split('\0').filter(|path| !path.is_empty());
        paths.map(str::to_owned).collect()
    }
}
