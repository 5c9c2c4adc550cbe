//! The folder that holds `ebs.toml`, found, read and checked as a whole; or the example platform in the binary.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    department::{self, DepartmentFile},
    embedded,
    platform::{self, Platform, PlatformFile},
    template::{self, TemplateFile},
};
use crate::{
    diag::{Finding, SourceFile, Span, has_errors},
    env,
    model::{Department, DepartmentCode, OwnershipTag, Template, ownership},
};

/// The file that makes a folder a platform.
pub const PLATFORM_FILE: &str = "ebs.toml";
/// The folder of the departments, beside it.
pub const DEPARTMENTS: &str = "departments";
/// The folder of the templates, beside it.
pub const TEMPLATES: &str = "rbac-templates";

/// Where a workspace came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A folder.
    Folder(PathBuf),
    /// The example platform in the binary.
    Embedded,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(folder) => write!(out, "{}", folder.display()),
            Self::Embedded => out.write_str("the built-in example platform"),
        }
    }
}

/// Everything that people wrote, read.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Where it came from.
    pub origin: Origin,
    /// What `ebs.toml` says.
    pub platform: Platform,
    file: PlatformFile,
    departments: BTreeMap<DepartmentCode, DepartmentFile>,
    templates: BTreeMap<String, TemplateFile>,
}

/// A workspace and what was found in it. With an error among the findings it is good for showing, not for acting.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What could be read.
    pub workspace: Workspace,
    /// What is wrong or odd, in the order of files and lines.
    pub findings: Vec<Finding>,
}

impl Loaded {
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
pub struct FindError {
    /// The environment variable.
    pub variable: &'static str,
    /// What it is set to.
    pub path: PathBuf,
}

impl Workspace {
    /// The folder of the platform: the one named by `CONFLUENT_EBS_PLATFORM`, else the nearest one with an `ebs.toml`
    /// from `start` upwards. `None` when there is none.
    ///
    /// # Errors
    /// The variable names a folder without an `ebs.toml`: to go on with another one would be a surprise.
    pub fn find(start: &Path) -> Result<Option<PathBuf>, FindError> {
        let named = env::var(env::CONFLUENT_EBS_PLATFORM).map(PathBuf::from);
        Self::find_from(start, named.as_deref())
    }

    /// [`Self::find`], with what the environment variable says passed in.
    ///
    /// # Errors
    /// As for [`Self::find`].
    pub fn find_from(start: &Path, named: Option<&Path>) -> Result<Option<PathBuf>, FindError> {
        if let Some(named) = named {
            let folder = match named.file_name() {
                Some(name) if name == PLATFORM_FILE => named.parent().unwrap_or(Path::new("")),
                _ => named,
            };
            if folder.join(PLATFORM_FILE).is_file() {
                return Ok(Some(folder.to_owned()));
            }
            return Err(FindError {
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
    pub fn load(folder: &Path) -> Loaded {
        // People know their files by the way from where they stand.
        let shown = std::env::current_dir()
            .ok()
            .and_then(|here| folder.strip_prefix(here).ok())
            .unwrap_or(folder);
        let mut findings = Vec::new();
        let platform = file(folder, shown, PLATFORM_FILE, &mut findings);
        let departments = files(folder, shown, DEPARTMENTS, &mut findings);
        let templates = files(folder, shown, TEMPLATES, &mut findings);
        Self::build(
            Origin::Folder(folder.to_owned()),
            platform,
            departments,
            templates,
            findings,
        )
    }

    /// The example platform that is compiled in: what `--sandbox` uses where there is no `ebs.toml`.
    pub fn embedded() -> Loaded {
        let source = |(path, text): &(&str, &str)| SourceFile::new(Path::new("examples/platform").join(path), *text);
        let platform = source(&(PLATFORM_FILE, embedded::PLATFORM));
        let departments = embedded::DEPARTMENTS.iter().map(source).collect();
        Self::build(Origin::Embedded, Some(platform), departments, Vec::new(), Vec::new())
    }

    fn build(
        origin: Origin,
        platform: Option<Arc<SourceFile>>,
        departments: Vec<Arc<SourceFile>>,
        templates: Vec<Arc<SourceFile>>,
        mut findings: Vec<Finding>,
    ) -> Loaded {
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
        };
        let mut broken_templates = Vec::new();
        let shipped = embedded::TEMPLATES
            .iter()
            .map(|(path, text)| SourceFile::new(*path, *text));
        // The organization's own files come second, so that they replace the shipped ones of the same name.
        for source in shipped.chain(templates) {
            let (read, found) = template::read(&source, stem(&source));
            findings.extend(found);
            match read {
                Some(read) => drop(workspace.templates.insert(read.template.name.clone(), read)),
                None => broken_templates.push(stem(&source).to_owned()),
            }
        }
        for source in departments {
            let (read, found) = department::read(&source, stem(&source), &workspace.platform);
            findings.extend(found);
            if let Some(read) = read {
                workspace.departments.insert(read.department.code.clone(), read);
            }
        }
        findings.extend(department::check_together(&workspace.departments));
        findings.extend(workspace.unknown_templates(&broken_templates));
        findings.extend(workspace.long_names());
        findings.extend(workspace.overbooked());
        sort(&mut findings);
        Loaded { workspace, findings }
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
            Origin::Folder(folder) => Some(folder),
            Origin::Embedded => None,
        }
    }

    fn unknown_templates(&self, broken: &[String]) -> Vec<Finding> {
        let names = || self.templates.keys().map(String::as_str);
        // A template whose file is broken is not unknown; its own findings say what to do.
        let unknown = |name: &String| !self.templates.contains_key(name) && !broken.contains(name);
        let finding = |name: &str| {
            let message = format!("there is no template `{}`", name.escape_debug());
            Finding::error("unknown-template", message).fix(super::did_you_mean(name, names()))
        };
        let mut findings = Vec::new();
        let default = &self.platform.template;
        if unknown(default) {
            let place = self.file.source.as_ref().zip(self.file.template.clone());
            let place = place.map(|(source, range)| Span::new(source, range));
            findings.push(match place {
                Some(place) => finding(default).at(place),
                None => finding(default),
            });
        }
        let departments = self.departments.values();
        let active = departments.filter(|file| file.department.retired.is_none());
        findings.extend(
            active
                .filter(|file| unknown(&file.department.template))
                .filter_map(|file| {
                    let place = file.template_span()?;
                    Some(finding(&file.department.template).at(place))
                }),
        );
        findings
    }

    /// Accounts whose name or tag would not fit what the service takes.
    fn long_names(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for file in self
            .departments
            .values()
            .filter(|file| file.department.retired.is_none())
        {
            let department = &file.department;
            let Some(template) = self.template(&department.template) else {
                continue;
            };
            let longest = |stage: &String| {
                let personas = template.personas.iter();
                let tags = personas.map(|persona| OwnershipTag {
                    stage: stage.clone(),
                    department: department.code.clone(),
                    persona: persona.name.clone(),
                    template: template.name.clone(),
                    template_hash: template.hash.clone(),
                    profile_hash: "0".repeat(8),
                });
                tags.max_by_key(|tag| tag.account_name().chars().count())
            };
            let tags = self.platform.stages.keys().filter_map(longest);
            let Some(tag) = tags.max_by_key(|tag| tag.account_name().chars().count()) else {
                continue;
            };
            let (name, description) = (tag.account_name(), tag.to_string());
            if name.chars().count() > ownership::NAME_LENGTH
                || description.chars().count() > ownership::DESCRIPTION_LENGTH
            {
                let message = format!("account `{name}` is too long for Confluent Cloud with its description");
                let fix = format!(
                    "A name takes {} characters and a description {}: shorten the stage, the code, the template or the persona.",
                    ownership::NAME_LENGTH,
                    ownership::DESCRIPTION_LENGTH
                );
                findings.push(
                    Finding::error("account-name-too-long", message)
                        .at(file.name_span())
                        .fix(fix),
                );
            }
        }
        findings
    }

    /// Stages whose cluster cannot run what all departments together were promised.
    fn overbooked(&self) -> Vec<Finding> {
        let promised: u64 = self
            .active_departments()
            .map(|department| u64::from(department.quota.tasks))
            .sum();
        let mut findings = Vec::new();
        for (name, stage) in &self.platform.stages {
            let allocatable = stage.allocatable_tasks();
            if promised <= u64::from(allocatable) {
                continue;
            }
            let message = format!(
                "departments are promised {promised} tasks together, but stage `{name}` has {allocatable} to give ({} less {} %)",
                stage.task_ceiling, stage.reserve_percent
            );
            let finding = Finding::warning("quota-overbooked", message)
                .fix("Lower some quotas, or accept that not everybody can use theirs at once.");
            let place = self.file.source.as_ref().zip(self.file.stages.get(name).cloned());
            findings.push(match place {
                Some((source, range)) => finding.at(Span::new(source, range)),
                None => finding,
            });
        }
        findings
    }
}

/// The file's name without `.toml`.
fn stem(source: &SourceFile) -> &str {
    source
        .path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default()
}

fn sort(findings: &mut [Finding]) {
    let key = |finding: &Finding| {
        let place = finding.span.as_ref();
        place.map(|span| (span.source.path.clone(), span.range.start))
    };
    findings.sort_by_cached_key(key);
}

fn unreadable(shown: PathBuf, error: &io::Error) -> Finding {
    let message = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::InvalidData => "the file is not UTF-8 text".to_owned(),
        _ => format!("the file cannot be read: {error}"),
    };
    Finding::error("unreadable-file", message).at(Span::new(&SourceFile::new(shown, ""), 0..0))
}

fn file(folder: &Path, shown: &Path, name: &str, findings: &mut Vec<Finding>) -> Option<Arc<SourceFile>> {
    match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => Some(SourceFile::new(shown.join(name), text)),
        Err(error) => {
            findings.push(unreadable(shown.join(name), &error));
            None
        }
    }
}

/// All `*.toml` of a folder beside `ebs.toml`, in order of their names; a folder that is not there holds none.
fn files(folder: &Path, shown: &Path, inside: &str, findings: &mut Vec<Finding>) -> Vec<Arc<SourceFile>> {
    let entries = match std::fs::read_dir(folder.join(inside)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            findings.push(unreadable(shown.join(inside), &error));
            return Vec::new();
        }
    };
    let mut names: Vec<String> = Vec::new();
    for entry in entries {
        match entry.map(|entry| entry.file_name().into_string()) {
            Ok(Ok(name)) if !name.starts_with('.') && Path::new(&name).extension().is_some_and(|end| end == "toml") => {
                names.push(name);
            }
            // Read-me files, editors' back-ups and names that no code could have.
            Ok(_) => {}
            Err(error) => findings.push(unreadable(shown.join(inside), &error)),
        }
    }
    names.sort();
    let (folder, shown) = (folder.join(inside), shown.join(inside));
    names
        .iter()
        .filter_map(|name| file(&folder, &shown, name, findings))
        .collect()
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
            .map(|f| (&f.message, f.span.as_ref().map(Span::location)))
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
