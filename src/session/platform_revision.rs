//! The platform files of an earlier revision in Git, for a comparison with the work tree.

use std::path::{Path, PathBuf};

use super::{
    RunContext,
    git::{BaseCommit, Git},
};
use crate::{
    diag::{Finding, SourceFile, SourceSpan},
    error::{Error, ResultExt as _},
    handover::{EvidenceRecord, evidence},
    manifest::{
        LoadedWorkspace, Workspace,
        revision::{OnboardingRecord, RevisionComparison},
        workspace::{DEPARTMENTS, PLATFORM_FILE, TEMPLATES, sort_findings},
    },
};

/// Folder of the evidence of onboardings, beside `ebs.toml`.
const EVIDENCE: &str = "evidence";

/// Adds the findings about changes since `revision` to those of the platform files. Returns the hash of the commit in which
/// the revision and the work tree part.
///
/// # Errors
/// The platform has no folder, or Git cannot read the revision.
pub fn compare_with_revision(run: &RunContext, loaded: &mut LoadedWorkspace, revision: &str) -> Result<String, Error> {
    let workspace = &loaded.workspace;
    let Some(folder) = workspace.folder() else {
        return Err(Error::usage("the built-in example has no earlier revision")
            .with_hint("Run the command in a Git repository with an `ebs.toml`."));
    };
    let secrets = &run.environment.secrets;
    let base = BaseCommit::find(Git { folder, secrets }, revision)?;
    let former = Workspace::at_revision(read_texts(&base, folder, &[PLATFORM_FILE, DEPARTMENTS, TEMPLATES])?);
    let mut findings = Vec::new();
    if former.has_platform_file() {
        let (record, changed) = read_onboarding_record(&base, folder)?;
        for path in &changed {
            findings.push(changed_evidence(
                &workspace.relative_path(path),
                folder.join(path).exists(),
            ));
        }
        findings.extend(RevisionComparison::new(&former, workspace, &record, &base.hash).check());
    } else {
        let message = format!("nothing was compared: revision `{revision}` has no `{PLATFORM_FILE}` in this folder");
        let fix = "If the folder was moved, compare the files by hand.";
        findings.push(Finding::warning("revision-without-platform", message).with_fix(fix));
    }
    loaded.findings.extend(findings);
    sort_findings(&mut loaded.findings);
    Ok(base.hash)
}

/// Returns the files of the commit in or at `paths` with their texts. Git is asked only for the files that changed since.
fn read_texts(base: &BaseCommit<'_>, folder: &Path, paths: &[&str]) -> Result<Vec<(PathBuf, String)>, Error> {
    let changed = base.changed_files(paths)?;
    let mut texts = Vec::new();
    for path in base.files(paths)? {
        let text = if changed.contains(&path) {
            base.read(&path)?.unwrap_or_default()
        } else {
            std::fs::read(folder.join(&path)).with_context(|| format!("cannot read `{}`", path.display()))?
        };
        texts.push((path, String::from_utf8_lossy(&text).into_owned()));
    }
    Ok(texts)
}

/// Reads the onboardings and off-boardings that the evidence of the work tree and of the commit names. Also returns the
/// paths of evidence that the work tree changed or does not have.
fn read_onboarding_record(base: &BaseCommit<'_>, folder: &Path) -> Result<(OnboardingRecord, Vec<PathBuf>), Error> {
    let mut record = OnboardingRecord::default();
    let mut add = |evidence: &EvidenceRecord| {
        let (department, stage) = (evidence.department.as_str(), evidence.stage.as_str());
        record.add(department, stage, evidence.at, !evidence.is_removal());
    };
    for (_, evidence) in evidence::read_records(&folder.join(EVIDENCE)) {
        add(&evidence);
    }
    let mut changed = Vec::new();
    for path in base.changed_files(&[EVIDENCE])? {
        let is_record = path.parent() == Some(Path::new(EVIDENCE));
        let text = if is_record { base.read(&path)? } else { None };
        // A new file is not in the commit.
        if let Some(Ok(evidence)) = text.map(|text| serde_json::from_slice(&text)) {
            add(&evidence);
            changed.push(path);
        }
    }
    Ok((record, changed))
}

fn changed_evidence(path: &Path, exists: bool) -> Finding {
    let message = match exists {
        true => "the evidence was changed; evidence records a run and never changes",
        false => "the evidence was deleted; API keys that no other evidence names become unrecorded",
    };
    Finding::warning("evidence-changed", message)
        .with_span(SourceSpan::new(&SourceFile::new(path, ""), 0..0))
        .with_fix("Restore the file. `onboard` refuses departments with unrecorded API keys.")
}
