//! Git: the commit of the work tree, and the revision that the work tree is compared with.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use crate::{
    child,
    error::{Error, ResultExt as _},
    redact::SecretRegistry,
};

/// Git in one folder.
#[derive(Clone, Copy)]
pub(crate) struct Git<'a> {
    /// Folder below which relative paths are.
    pub(crate) folder: &'a Path,
    /// Secrets to remove from its output.
    pub(crate) secrets: &'a SecretRegistry,
}

/// Commit of the work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CurrentCommit {
    /// Hash of the commit.
    pub(crate) hash: String,
    /// Whether files of the folder differ from the commit.
    pub(crate) is_modified: bool,
}

impl Git<'_> {
    /// Runs Git with `args`.
    ///
    /// # Errors
    /// Git cannot be run.
    pub(crate) fn run(&self, args: &[&str]) -> Result<Output, Error> {
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
    pub(crate) fn text(&self, args: &[&str]) -> Result<Option<String>, Error> {
        let output = self.run(args)?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(output.status.success().then_some(text))
    }

    /// Returns the commit of the work tree; `None` without Git, outside of a repository, and before the first commit.
    pub(crate) fn current_commit(&self, paths: &[&str]) -> Option<CurrentCommit> {
        let hash = self.text(&["rev-parse", "--verify", "--quiet", "HEAD"]).ok()??;
        let status = [&["status", "--porcelain", "--untracked-files=all", "--"], paths].concat();
        Some(CurrentCommit {
            hash,
            is_modified: self.text(&status).ok()?.is_none_or(|changes| !changes.is_empty()),
        })
    }

    /// Returns the paths of the files below `folder` in the current commit; empty without Git.
    pub(crate) fn committed_files(&self, folder: &str) -> Vec<String> {
        let listed = self.text(&["ls-tree", "-r", "-z", "--name-only", "HEAD", "--", folder]);
        let listed = listed.ok().flatten().unwrap_or_default();
        let paths = listed.split('\0').filter(|path| !path.is_empty());
        paths.map(str::to_owned).collect()
    }
}

/// Commit in which the history of a revision and of the work tree part: what others changed since then does not count as a
/// change of the work tree.
pub(crate) struct BaseCommit<'a> {
    git: Git<'a>,
    /// Hash of the commit.
    pub(crate) hash: String,
}

impl<'a> BaseCommit<'a> {
    /// Finds the common commit of `revision` and the work tree.
    ///
    /// # Errors
    /// Git cannot be run, or does not know the revision, for example in a shallow clone.
    pub(crate) fn find(git: Git<'a>, revision: &str) -> Result<Self, Error> {
        let unknown = |what: String| {
            let error = Error::failed(what);
            let shallow = git.text(&["rev-parse", "--is-shallow-repository"]);
            match shallow.is_ok_and(|text| text.is_some_and(|text| text == "true")) {
                true => error.with_hint(
                    "The clone is shallow. Fetch the whole history: `fetch-depth: 0` (GitHub), `GIT_DEPTH: 0` (GitLab), \
                     `fetchDepth: 0` (Azure).",
                ),
                false => error.with_hint("Pass a branch, a tag or a commit that `git log` shows."),
            }
        };
        let name = format!("{revision}^{{commit}}");
        let commit = git.text(&["rev-parse", "--verify", "--quiet", "--end-of-options", &name])?;
        let Some(commit) = commit else {
            return Err(unknown(format!("unknown revision `{revision}`")));
        };
        match git.text(&["merge-base", &commit, "HEAD"])? {
            Some(hash) => Ok(Self { git, hash }),
            None => Err(unknown(format!(
                "revision `{revision}` and the work tree have no common commit"
            ))),
        }
    }

    /// Returns the paths of the files of the commit in or at `paths`, relative to the folder.
    ///
    /// # Errors
    /// Git cannot read the commit.
    pub(crate) fn files(&self, paths: &[&str]) -> Result<Vec<PathBuf>, Error> {
        self.paths(&[&["ls-tree", "-r", "-z", "--name-only", &self.hash, "--"], paths].concat())
    }

    /// Returns the paths of the files of the commit in or at `paths` that the work tree changed or does not have.
    ///
    /// # Errors
    /// Git cannot read the commit.
    pub(crate) fn changed_files(&self, paths: &[&str]) -> Result<Vec<PathBuf>, Error> {
        let diff = [
            "diff",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--relative",
            "-z",
            "--name-only",
        ];
        self.paths(&[&diff, [self.hash.as_str(), "--"].as_slice(), paths].concat())
    }

    fn paths(&self, args: &[&str]) -> Result<Vec<PathBuf>, Error> {
        let Some(text) = self.git.text(args)? else {
            let message = format!("cannot list the files of commit `{}` with Git", self.hash);
            return Err(Error::failed(message));
        };
        let paths = text.split('\0').filter(|path| !path.is_empty());
        Ok(paths.map(PathBuf::from).collect())
    }

    /// Returns the content of a file of the commit; `None` if the commit does not have it.
    ///
    /// # Errors
    /// Git cannot be run.
    pub(crate) fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, Error> {
        // Git's paths have forward slashes; `./` is relative to the folder.
        let parts: Vec<&str> = path.iter().filter_map(OsStr::to_str).collect();
        let object = format!("{}:./{}", self.hash, parts.join("/"));
        let blob = self.git.run(&["cat-file", "blob", &object])?;
        Ok(blob.status.success().then_some(blob.stdout))
    }
}
