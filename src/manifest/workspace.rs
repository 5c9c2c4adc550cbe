//! The folder that holds `ebs.toml`, found, read and checked as a whole; or the example platform in the binary.

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
    diag::{Finding, SourceFile, has_errors},
    env,
    model::{Department, DepartmentCode, Template},
};

/// The file that makes a folder a platform.
pub const PLATFORM_FILE: &str = "ebs.toml";
/// The folder of the departments, beside it.
pub const DEPARTMENTS: &str = "departments";
/// The folder of the templates, beside it.
pub const TEMPLATES: &str = "rbac-templates";
/// The folder of what is asserted about them, inside.
pub const TESTS: &str = "rbac-templates/tests";

/// Where a workspace came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkspaceOrigin {
    /// A folder.
    Folder(PathBuf),
    /// The example platform in the binary.
    Embedded,
    /// There are no files: whoever acts has a profile alone.
    ProfileOnly,
}

impl std::fmt::Display for WorkspaceOrigin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(folder) => write!(out, "{}", folder.display()),
            Self::Embedded => out.write_str("the built-in example platform"),
            Self::ProfileOnly => out.write_str("a profile alone"),
        }
    }
}

/// Everything that people wrote, read.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Where it came from.
    pub origin: WorkspaceOrigin,
    /// What `ebs.toml` says.
    pub platform: Platform,
    pub(super) file: PlatformFile,
    pub(super) departments: BTreeMap<DepartmentCode, DepartmentFile>,
    pub(super) templates: BTreeMap<String, TemplateFile>,
    /// Names of templates whose files could not be read.
    pub(super) broken_templates: Vec<String>,
}

/// A workspace and what was found in it. With an error among the findings it is good for showing, not for acting.
#[derive(Clone, Debug)]
pub struct LoadedWorkspace {
    /// What could be read.
    pub workspace: Workspace,
    /// What is wrong or odd, in the order of files and lines.
    pub findings: Vec<Finding>,
}

impl LoadedWorkspace {
    /// The workspace and its warnings.
    ///
    /// # Errors
    /// All findings, when one of them is an error.
    pub fn into_result(self) -> Result<(Workspace, Vec<Finding>), Vec<Finding>> {
        if has_errors(&self.findings) {
            Err(self.findings)
        } else {
            Ok((self.workspace, self.findings))
        }
    }
}

/// Why no platform could be found where one was named.
#[derive(Debug, thiserror::Error)]
#[error("`{variable}` is set to `{}`, which holds no {PLATFORM_FILE}", path.display())]
pub struct FindWorkspaceError {
    /// The environment variable.
    pub variable: &'static str,
    /// What it is set to.
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
        // Without the absolute path there is no "upwards" from `.`.
        let start = std::path::absolute(start).unwrap_or_else(|_| start.to_owned());
        let found = start.ancestors().find(|folder| folder.join(PLATFORM_FILE).is_file());
        Ok(found.map(Path::to_owned))
    }

    /// Reads and checks the platform in `folder`.
    pub fn load(folder: &Path) -> LoadedWorkspace {
        // People know their files by the way from where they stand.
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

    /// The example platform that is compiled in: what `--sandbox` uses where there is no `ebs.toml`.
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

    /// A workspace without departments, for whoever has a profile alone.
    pub fn without_files() -> Self {
        let none = Vec::new;
        Self::build(WorkspaceOrigin::ProfileOnly, None, none(), none(), Vec::new()).workspace
    }

    /// Reads and checks files, wherever they came from.
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
        };
        let mut broken_templates = Vec::new();
        let shipped = embedded::TEMPLATES
            .iter()
            .map(|(path, text)| SourceFile::new(*path, *text));
        // The organization's own files come second, so that they replace the shipped ones of the same name.
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
            if let Some(read) = read {
                workspace.departments.insert(read.department.code.clone(), read);
            }
        }
        workspace.broken_templates = broken_templates;
        findings.extend(workspace.cross_check());
        sort_findings(&mut findings);
        LoadedWorkspace { workspace, findings }
    }

    /// The department `code`.
    pub fn department(&self, code: &DepartmentCode) -> Option<&Department> {
        self.departments.get(code).map(|file| &file.department)
    }

    /// All departments in order of their codes, retired ones included.
    pub fn departments(&self) -> impl Iterator<Item = &Department> {
        self.departments.values().map(|file| &file.department)
    }

    /// All departments that are not retired, in order of their codes.
    pub fn active_departments(&self) -> impl Iterator<Item = &Department> {
        self.departments().filter(|department| department.retired.is_none())
    }

    /// Whether the template of a department asks for Kafka ACLs.
    pub fn asks_for_acls(&self, department: &Department) -> bool {
        let template = self.template(&department.template);
        template.is_some_and(|template| template.personas.iter().any(|persona| !persona.acls.is_empty()))
    }

    /// The file of the department `code`, for pointing at.
    pub fn department_file(&self, code: &DepartmentCode) -> Option<&DepartmentFile> {
        self.departments.get(code)
    }

    /// The template `name`.
    pub fn template(&self, name: &str) -> Option<&Template> {
        self.templates.get(name).map(|file| &file.template)
    }

    /// All templates in order of their names.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.templates.values().map(|file| &file.template)
    }

    /// The folder it was read from; `None` for the embedded one.
    pub fn folder(&self) -> Option<&Path> {
        match &self.origin {
            WorkspaceOrigin::Folder(folder) => Some(folder),
            WorkspaceOrigin::Embedded | WorkspaceOrigin::ProfileOnly => None,
        }
    }
}

/// The file's name without `.toml`.
fn file_stem(source: &SourceFile) -> &str {
    source
        .path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default()
}

/// In the order of files and lines.
pub(super) fn sort_findings(findings: &mut [Finding]) {
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
        assert_eq!(loaded.workspace.templates().count(), 3);
        let promised: u32 = loaded
            .workspace
            .departments()
            .map(|department| department.quota.tasks)
            .sum();
        assert_eq!(loaded.workspace.platform.stages["prod"].allocatable_tasks(), 225);
        assert!(promised <= 225, "{promised}");
    }
}
