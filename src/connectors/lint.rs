//! Lints connector files without a connection.

use std::{
    collections::BTreeMap,
    fmt,
    io::Read,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::PartialResult;
use crate::{
    catalog::{
        Catalog, ExceptedFinding, LintDepartment, LintOptions, lint, refreshed::RefreshOrigin, schema::SNAPSHOT,
    },
    config::LoadedProfile,
    diag::{Finding, Severity},
    error::{Error, ResultExt},
    manifest::connector_file,
};

/// Findings in connector files.
#[derive(Debug, Default, Serialize)]
pub struct LintReport {
    /// Number of files.
    pub files: usize,
    /// Age of the facts about plugins.
    pub facts: LintFacts,
    /// Number of findings that are errors.
    pub errors: usize,
    /// Number of findings that are warnings.
    pub warnings: usize,
    /// Findings in the order of the files.
    pub findings: Vec<Finding>,
    /// Findings that an exception of the department accepts.
    pub excepted: Vec<ExceptedFinding>,
}

/// Age of the facts about plugins.
#[derive(Debug, Default, Serialize)]
pub struct LintFacts {
    /// Month of the built-in facts.
    pub snapshot: &'static str,
    /// When and where the facts were refreshed.
    pub refreshed: Option<RefreshOrigin>,
}

impl LintFacts {
    fn new(catalog: Option<&Catalog>) -> Self {
        Self {
            snapshot: SNAPSHOT,
            refreshed: catalog.and_then(Catalog::refreshed).cloned(),
        }
    }
}

impl fmt::Display for LintFacts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "facts of {}", self.snapshot)?;
        let Some(origin) = &self.refreshed else { return Ok(()) };
        write!(out, ", refreshed on {}", origin.date)?;
        match (&origin.cloud, &origin.region) {
            (Some(cloud), Some(region)) => write!(out, " ({cloud}, {region})"),
            _ => Ok(()),
        }
    }
}

/// Lints `paths`, with the rules of the department if there is a profile. A directory stands for all connector files in
/// it; `-` is `standard_input`. `catalog` contains refreshed facts, if there are any, and `variables` the values of references.
///
/// # Errors
/// A directory is unreadable or has no connector file. Findings that are errors, and unreadable files, are an error of
/// the result.
pub fn lint_files(
    paths: &[PathBuf],
    profile: Option<&LoadedProfile>,
    catalog: Option<&Catalog>,
    variables: &BTreeMap<String, String>,
    standard_input: &mut dyn Read,
) -> Result<PartialResult<LintReport>, Error> {
    let options = LintOptions {
        catalog,
        variables: Some(variables),
        ..lint_options(profile)
    };
    let files = collect_files(paths)?;
    let mut report = LintReport {
        files: files.len(),
        facts: LintFacts::new(catalog),
        ..LintReport::default()
    };
    let mut unreadable = 0;
    for file in &files {
        let read = if file.as_os_str() == connector_file::STANDARD_INPUT {
            connector_file::read_from(file, &mut *standard_input).unwrap_or_else(|error| {
                let message = format!("cannot read standard input: {error}");
                Err(vec![Finding::error("unreadable-file", message)])
            })
        } else {
            connector_file::read(file)
        };
        match read {
            Ok(read) => {
                let linted = lint(&read, &options);
                report.findings.extend(linted.findings);
                report.excepted.extend(linted.excepted);
            }
            Err(findings) => {
                unreadable += 1;
                report.findings.extend(findings);
            }
        }
    }
    let count = |severity| {
        report
            .findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    (report.errors, report.warnings) = (count(Severity::Error), count(Severity::Warning));
    let error = match (unreadable, report.errors) {
        (0, 0) => None,
        (0, 1) => Some(Error::refused("1 finding is an error")),
        (0, count) => Some(Error::refused(format!("{count} findings are errors"))),
        (1, _) => Some(Error::failed("cannot read 1 file")),
        (count, _) => Some(Error::failed(format!("cannot read {count} files"))),
    };
    Ok(PartialResult {
        value: Some(report),
        error,
    })
}

fn lint_options(profile: Option<&LoadedProfile>) -> LintOptions<'_> {
    let Some(profile) = profile.map(|loaded| &loaded.profile) else {
        return LintOptions::default();
    };
    LintOptions {
        department: Some(LintDepartment {
            prefix: &profile.facts.prefix,
            runtime_account: profile.runtime_account.as_ref(),
            quota: &profile.facts.quota,
            connector_names: &profile.facts.connector_names,
            platform_team: &profile.facts.platform_team,
        }),
        secret_variables: &profile.secret_variables,
        exceptions: &profile.facts.lint_exceptions,
        catalog: None,
        variables: None,
    }
}

/// Returns the selected files; a directory stands for all possible connector files in it, sorted.
fn collect_files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        collect_folder(path, &mut files)?;
        if files.len() == before {
            return Err(Error::failed(format!("no connector file in `{}`", path.display()))
                .with_hint("Connector files have the ending `.json`, `.yaml` or `.yml`."));
        }
    }
    Ok(files)
}

fn collect_folder(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        // Symbolic links are skipped, because a link to a directory may form a cycle.
        if path.is_dir() && !path.is_symlink() {
            collect_folder(&path, files)?;
        } else if matches!(extension.to_ascii_lowercase().as_str(), "json" | "yaml" | "yml") {
            files.push(path);
        }
    }
    Ok(())
}
