//! Workspace: the folder with `ebs.toml`, or the embedded example platform; found, read and checked as a whole.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    department::{self, DepartmentFile},
    embedded, files,
    platform::{self, Platform, PlatformFile},
    template::{self, TemplateFile},
};
use crate::{
    diag::{Finding, SourceFile, SourceSpan, has_errors},
    env,
    model::{Department, DepartmentCode, Template},
};

/// File name of the platform file, which marks a workspace.
pub const PLATFORM_FILE: &str = "ebs.toml";
/// Folder of department files.
pub const DEPARTMENTS: &str = "departments";
/// Folder of templates.
pub const TEMPLATES: &str = "rbac-templates";
/// Folder of assertion files.
pub const TESTS: &str = "rbac-templates/tests";

/// Origin of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkspaceOrigin {
    /// A folder.
    Folder(PathBuf),
    /// The embedded example platform.
    Embedded,
    /// No files; the caller has only a profile.
    ProfileOnly,
}

impl std::fmt::Display for WorkspaceOrigin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(folder) => write!(out, "{}", folder.display()),
            Self::Embedded => out.write_str("the built-in example platform"),
            Self::ProfileOnly => out.write_str("a profile"),
        }
    }
}

/// Content of all files.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Origin.
    pub origin: WorkspaceOrigin,
    /// Platform.
    pub platform: Platform,
    pub(super) file: PlatformFile,
    pub(super) departments: BTreeMap<DepartmentCode, DepartmentFile>,
    pub(super) templates: BTreeMap<String, TemplateFile>,
    /// Names of templates with invalid files.
    pub(super) broken_templates: Vec<String>,
    /// Codes of departments with invalid files.
    pub(super) broken_departments: Vec<String>,
}

/// A workspace with its findings. After an error it is only suitable for display.
#[derive(Clone, Debug)]
pub struct LoadedWorkspace {
    /// Valid content.
    pub workspace: Workspace,
    /// Findings, ordered by file and line.
    pub findings: Vec<Finding>,
}

impl LoadedWorkspace {
    /// Returns the workspace and its warnings.
    ///
    /// # Errors
    /// All findings, if one of them is an error.
    pub fn into_result(self) -> Result<(Workspace, Vec<Finding>), Vec<Finding>> {
        if has_errors(&self.findings) {
            Err(self.findings)
        } else {
            Ok((self.workspace, self.findings))
        }
    }
}

/// Error: the platform folder from the environment does not exist.
#[derive(Debug, thiserror::Error)]
#[error("no `{PLATFORM_FILE}` in `{}`, the folder that `{variable}` names", path.display())]
pub struct FindWorkspaceError {
    /// Environment variable.
    pub variable: &'static str,
    /// Value of the variable.
    pub path: PathBuf,
}

impl Workspace {
    /// The folder of the platform: `named` (from `CONFLUENT_EBS_PLATFORM`), else the nearest one with an `ebs.toml` from
    /// `start` upwards. `None` when there is none.
    ///
    /// # Errors
    /// `named` has no `ebs.toml`: another folder would be a surprise.
    pub fn find(start: &Path, named: Option<&Path>) -> Result<Option<PathBuf>, FindWorkspaceError> {
        if let Some(named) = named {
            let folder = match named.file_name() {
                Some(name) if name == PLATFORM_FILE => named.parent().unwrap_or(Path::new("")),
                _ => named,
            };
            if folder.join(PLATFORM_FILE).is_file() {
                return Ok(Some(folder.to_owned()));
            }
            return Err(FindWorkspaceError {
                variable: env::CONFLUENT_EBS_PLATFORM,
                path: named.to_owned(),
            });
        }
        // A relative path such as `.` has no ancestors.
        let start = std::path::absolute(start).unwrap_or_else(|_| start.to_owned());
        let found = start.ancestors().find(|folder| folder.join(PLATFORM_FILE).is_file());
        Ok(found.map(Path::to_owned))
    }

    /// Reads and checks the platform in `folder`.
    pub fn load(folder: &Path) -> LoadedWorkspace {
        // Show paths relative to the current directory.
        let shown = std::env::current_dir()
            .ok()
            .and_then(|here| folder.strip_prefix(here).ok())
            .unwrap_or(folder);
        let mut findings = Vec::new();
        let platform = files::read_file(folder, shown, PLATFORM_FILE, &mut findings);
        let departments = files::read_folder(folder, shown, DEPARTMENTS, &mut findings);
        let templates = files::read_folder(folder, shown, TEMPLATES, &mut findings);
        Self::build(
            WorkspaceOrigin::Folder(folder.to_owned()),
            platform,
            departments,
            templates,
            findings,
        )
    }

    /// Returns the embedded example platform, which `--sandbox` uses if there is no `ebs.toml`.
    pub fn embedded() -> LoadedWorkspace {
        let source = |(path, text): &(&str, &str)| SourceFile::new(format!("examples/platform/{path}"), *text);
        let platform = source(&(PLATFORM_FILE, embedded::PLATFORM));
        let departments = embedded::DEPARTMENTS.iter().map(source).collect();
        Self::build(
            WorkspaceOrigin::Embedded,
            Some(platform),
            departments,
            Vec::new(),
            Vec::new(),
        )
    }

    /// Returns a workspace without files, for callers with a profile only.
    pub fn without_files() -> Self {
        let none = Vec::new;
        Self::build(WorkspaceOrigin::ProfileOnly, None, none(), none(), Vec::new()).workspace
    }

    /// Reads and checks the given files.
    pub(super) fn build(
        origin: WorkspaceOrigin,
        platform: Option<Arc<SourceFile>>,
        departments: Vec<Arc<SourceFile>>,
        templates: Vec<Arc<SourceFile>>,
        mut findings: Vec<Finding>,
    ) -> LoadedWorkspace {
        let mut file = PlatformFile::default();
        if let Some(source) = platform {
            let (read, found) = platform::read(&source);
            file = read;
            findings.extend(found);
        }
        let mut workspace = Self {
            origin,
            platform: file.platform.clone(),
            file,
            departments: BTreeMap::new(),
            templates: BTreeMap::new(),
            broken_templates: Vec::new(),
            broken_departments: Vec::new(),
        };
        let mut broken_templates = Vec::new();
        let shipped = embedded::TEMPLATES
            .iter()
            .map(|(path, text)| SourceFile::new(*path, *text));
        // Files of the platform replace shipped ones of the same name.
        for source in shipped.chain(templates) {
            let (read, found) = template::read(&source, file_stem(&source));
            findings.extend(found);
            match read {
                Some(read) => drop(workspace.templates.insert(read.template.name.clone(), read)),
                None => broken_templates.push(file_stem(&source).to_owned()),
            }
        }
        for source in departments {
            let (read, found) = department::read(&source, file_stem(&source), &workspace.platform);
            findings.extend(found);
            match read {
                Some(read) => drop(workspace.departments.insert(read.department.code.clone(), read)),
                None => workspace.broken_departments.push(file_stem(&source).to_owned()),
            }
        }
        workspace.broken_templates = broken_templates;
        findings.extend(workspace.cross_check());
        sort_findings(&mut findings);
        LoadedWorkspace { workspace, findings }
    }

    /// Returns the department `code`.
    pub fn department(&self, code: &DepartmentCode) -> Option<&Department> {
        self.departments.get(code).map(|file| &file.department)
    }

    /// Returns all departments ordered by code, including retired ones.
    pub fn departments(&self) -> impl Iterator<Item = &Department> {
        self.departments.values().map(|file| &file.department)
    }

    /// Returns all active departments ordered by code.
    pub fn active_departments(&self) -> impl Iterator<Item = &Department> {
        self.departments().filter(|department| department.retired.is_none())
    }

    /// Returns the active departments that may be onboarded in `stage`, ordered by code.
    pub fn departments_in<'a>(&'a self, stage: &'a str) -> impl Iterator<Item = &'a Department> {
        self.active_departments()
            .filter(move |department| department.is_allowed_in(stage))
    }

    /// Whether the template of a department contains Kafka ACLs.
    pub fn asks_for_acls(&self, department: &Department) -> bool {
        let template = self.template(&department.template);
        template.is_some_and(|template| template.personas.iter().any(|persona| !persona.acls.is_empty()))
    }

    /// Returns the file of the department `code`, for its locations.
    pub fn department_file(&self, code: &DepartmentCode) -> Option<&DepartmentFile> {
        self.departments.get(code)
    }

    /// Returns `finding` with the file that it belongs to: that of `department`, else `ebs.toml`. A finding that has a
    /// position keeps it; the built-in example has no files.
    pub fn locate(&self, finding: Finding, department: Option<&DepartmentCode>) -> Finding {
        if finding.span.is_some() || self.folder().is_none() {
            return finding;
        }
        let own = department.and_then(|code| self.departments.get(code));
        match own.map(|file| &file.source).or(self.file.source.as_ref()) {
            Some(source) => finding.with_span(SourceSpan::new(source, 0..0)),
            None => finding,
        }
    }

    /// Returns the template `name`.
    pub fn template(&self, name: &str) -> Option<&Template> {
        self.templates.get(name).map(|file| &file.template)
    }

    /// Returns all templates ordered by name.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.templates.values().map(|file| &file.template)
    }

    /// Returns the folder; `None` without one.
    pub fn folder(&self) -> Option<&Path> {
        match &self.origin {
            WorkspaceOrigin::Folder(folder) => Some(folder),
            WorkspaceOrigin::Embedded | WorkspaceOrigin::ProfileOnly => None,
        }
    }
}

/// Returns the file name without `.toml`.
fn file_stem(source: &SourceFile) -> &str {
    source
        .path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default()
}

/// Sorts findings by file and line.
pub(crate) fn sort_findings(findings: &mut [Finding]) {
    let key = |finding: &Finding| {
        let place = finding.span.as_ref();
        place.map(|span| (span.source.path.clone(), span.range.start))
    };
    findings.sort_by_cached_key(key);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_platform_is_clean_and_has_24_departments() {
        let loaded = Workspace::embedded();
        let found: Vec<_> = loaded
            .findings
            .iter()
            .map(|f| (&f.message, f.span.as_ref().map(crate::diag::SourceSpan::location)))
            .collect();
        assert!(found.is_empty(), "{found:#?}");
        assert_eq!(loaded.workspace.active_departments().count(), 24);
        assert_eq!(loaded.workspace.templates().count(), 4);
        let allocated: u32 = loaded
            .workspace
            .departments()
            .map(|department| department.quota.tasks)
            .sum();
        assert_eq!(loaded.workspace.platform.stages["prod"].allocatable_tasks(), 225);
        assert!(allocated <= 225, "{allocated}");
    }
}
