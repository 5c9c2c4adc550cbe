//! Changes of the platform files since an earlier revision that cannot be taken back, or after which accounts, keys and
//! names lose their owner. Pure: the caller reads the revision and the evidence.

mod departments;
mod onboarding_record;
mod stages;
mod templates;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use onboarding_record::OnboardingRecord;

use super::{
    Workspace, WorkspaceOrigin,
    workspace::{DEPARTMENTS, PLATFORM_FILE, TEMPLATES},
};
use crate::{
    diag::{Finding, SourceFile, SourceSpan},
    model::{Department, DepartmentCode},
    text::join_code,
};

/// Most names in a message; the rest are counted.
const MAX_NAMES: usize = 5;

/// Platform files of an earlier revision and of the work tree.
pub struct RevisionComparison<'a> {
    former: &'a Workspace,
    current: &'a Workspace,
    record: &'a OnboardingRecord,
    /// Hash of the earlier revision, for suggestions.
    commit: &'a str,
}

impl<'a> RevisionComparison<'a> {
    /// Compares `current` with the files `former` of `commit`. `record` says which departments are onboarded.
    #[must_use]
    pub fn new(former: &'a Workspace, current: &'a Workspace, record: &'a OnboardingRecord, commit: &'a str) -> Self {
        Self {
            former,
            current,
            record,
            commit,
        }
    }

    /// Returns the findings about all changes.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = self.check_departments();
        findings.extend(self.check_stages());
        findings.extend(self.check_templates());
        findings
    }

    /// Returns the stages of the earlier revision in which `department` is onboarded.
    fn onboarded_stages(&self, department: &Department) -> Vec<&'a str> {
        let stages = self.former.platform.stages.keys().map(String::as_str);
        stages.filter(|stage| self.is_onboarded(department, stage)).collect()
    }

    fn is_onboarded(&self, department: &Department, stage: &str) -> bool {
        match self.record.state(department.code.as_str(), stage) {
            Some(is_onboarded) => is_onboarded,
            // Without any evidence, a department counts as onboarded where it may be onboarded.
            None => self.record.is_empty() && department.retired.is_none() && department.is_allowed_in(stage),
        }
    }

    /// Returns `fix`, with the reason why departments without evidence count as onboarded.
    fn with_evidence_note(&self, fix: String) -> String {
        match self.record.is_empty() {
            true => format!("{fix} No evidence is committed, so each department counts as onboarded."),
            false => fix,
        }
    }

    /// Returns the place of a file that the work tree does not have.
    fn missing_file(&self, path: &str) -> SourceSpan {
        SourceSpan::new(&SourceFile::new(self.current.relative_path(path), ""), 0..0)
    }

    /// Returns the command that restores a file of the earlier revision.
    fn restore_command(&self, path: &str) -> String {
        let commit = self.commit.get(..12).unwrap_or(self.commit);
        let path = self.current.relative_path(path);
        format!("git checkout {commit} -- {}", path.display())
    }
}

/// Returns names in backticks, at most [`MAX_NAMES`].
fn name_list(names: &[&str]) -> String {
    match names.len().checked_sub(MAX_NAMES) {
        Some(more @ 1..) => {
            let first: Vec<String> = names[..MAX_NAMES].iter().map(|name| format!("`{name}`")).collect();
            format!("{} and {more} more", first.join(", "))
        }
        _ => join_code(names),
    }
}

fn department_path(code: &DepartmentCode) -> String {
    format!("{DEPARTMENTS}/{code}.toml")
}

impl Workspace {
    /// Returns the platform that the files of an earlier revision describe; `files` are paths relative to the platform's
    /// folder with their texts. Files with errors are left out.
    #[must_use]
    pub fn at_revision(files: impl IntoIterator<Item = (PathBuf, String)>) -> Self {
        let (mut platform, mut departments, mut templates) = (None, Vec::new(), Vec::new());
        for (path, text) in files {
            let folder = path.parent().unwrap_or(Path::new(""));
            let source = SourceFile::new(&path, text);
            if path == Path::new(PLATFORM_FILE) {
                platform = Some(source);
            } else if folder == Path::new(DEPARTMENTS) && is_toml(&path) {
                departments.push(source);
            } else if folder == Path::new(TEMPLATES) && is_toml(&path) {
                templates.push(source);
            }
        }
        Self::build(
            WorkspaceOrigin::ProfileOnly,
            platform,
            departments,
            templates,
            Vec::new(),
        )
        .workspace
    }

    /// Whether there is an `ebs.toml`.
    #[must_use]
    pub fn has_platform_file(&self) -> bool {
        self.file.source.is_some()
    }

    /// Returns a path of the platform's folder as findings show it: relative to the current directory.
    pub(crate) fn relative_path(&self, path: impl AsRef<Path>) -> PathBuf {
        let folder = self.file.source.as_ref().and_then(|source| source.path.parent());
        folder.unwrap_or(Path::new("")).join(path)
    }
}

/// Whether the file is one that [`Workspace::load`] reads.
fn is_toml(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    !name.starts_with('.') && path.extension().is_some_and(|end| end == "toml")
}
