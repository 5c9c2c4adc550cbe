//! Audit of access: the rules of [`crate::access::audit`] on the organization or a snapshot, and the removal of findings.

mod inputs;
mod outcome;
mod removal;

pub use outcome::{AuditCounts, AuditHeader, AuditOutcome, AuditRuleRow, UnauditedThreat};
pub use removal::AuditRemoval;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};

use self::{inputs::AuditInputs, removal::remove_findings};
use super::{ConfirmPlan, ProvisioningOptions};
use crate::{
    access::audit::{AuditFinding, RuleResult, apply_baseline, audit},
    config::{IfExists, SnapshotFile, save},
    diag::has_errors,
    error::{Error, ResultExt},
    manifest::baseline,
    model::DepartmentCode,
    session::{RunContext, unknown_department_error},
};

/// Days until the acceptances of a drafted baseline expire.
const BASELINE_DAYS: i64 = 90;

/// Input of an audit.
#[derive(Debug)]
pub struct AuditInput {
    /// Departments whose findings are reported; none for all.
    pub departments: Vec<DepartmentCode>,
    /// Snapshot to audit; `None` to observe the organization.
    pub snapshot: Option<PathBuf>,
    /// File for the snapshot.
    pub save_to: Option<PathBuf>,
    /// Earlier snapshot to compare with.
    pub earlier_snapshot: Option<PathBuf>,
    /// Whether an unknown verdict is an error.
    pub strict: bool,
    /// File of accepted findings.
    pub baseline: Option<PathBuf>,
    /// File for a drafted baseline.
    pub draft_baseline: Option<PathBuf>,
    /// Maximum age of an API key in days.
    pub max_key_age_days: u16,
    /// Removal of findings before the audit.
    pub removal: RemovalMode,
    /// Folders of profiles and evidence.
    pub options: ProvisioningOptions,
}

/// Whether an audit removes findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalMode {
    /// Findings are only reported.
    Keep,
    /// The removals are planned.
    Plan,
    /// The removals are applied.
    Apply,
}

/// Audits the access in the organization.
///
/// # Errors
/// A file is invalid, a department is unknown, or the state cannot be observed. [`AuditOutcome::error`] returns the
/// error about findings.
pub async fn audit_access(
    run: &RunContext,
    input: AuditInput,
    confirm: &ConfirmPlan<'_, AuditRemoval>,
) -> Result<Option<AuditOutcome>, Error> {
    let mut observed = match &input.snapshot {
        Some(file) => AuditInputs::load(run, file)?,
        None => AuditInputs::observe(run).await?,
    };
    let mut removal = None;
    if input.removal != RemovalMode::Keep {
        let dry_run = input.removal == RemovalMode::Plan;
        removal = remove_findings(run, &input.departments, input.options.clone(), dry_run, confirm).await?;
        match &removal {
            None => return Ok(None),
            // The report describes the state after the removals.
            Some(removal) if removal.has_changed() => observed = AuditInputs::observe(run).await?,
            Some(_) => {}
        }
    }
    let selected = select_departments(&observed, &input.departments)?;
    let (acceptances, notes) = match &input.baseline {
        Some(path) => baseline::read(path),
        None => Default::default(),
    };
    if has_errors(&notes) {
        return Err(Error::findings("invalid baseline", notes));
    }
    let mut results = run_rules(&observed, &input)?;
    if !selected.is_empty() {
        retain_departments(&mut results, &selected);
    }
    let today = observed.snapshot.taken_at.to_zoned(TimeZone::UTC).date();
    let (accepted, mut baseline_findings) = apply_baseline(&mut results, &acceptances, today, !selected.is_empty());
    baseline_findings.extend(notes);
    if let Some(file) = &input.save_to {
        let saved = SnapshotFile {
            stage: observed.stage.clone(),
            snapshot: observed.snapshot.clone(),
        };
        saved.save(file, IfExists::Keep).context("cannot save the snapshot")?;
    }
    if let Some(file) = &input.draft_baseline {
        write_baseline(file, &results, today)?;
    }
    let header = AuditHeader {
        stage: observed.stage,
        address: observed.snapshot.address.clone(),
        observed_by: observed.snapshot.display_name(&observed.snapshot.observed_by),
        taken_at: observed.snapshot.taken_at,
        provisioner: observed
            .provisioner
            .map_or_else(|| "unknown".to_owned(), |id| observed.snapshot.display_name(&id.into())),
        departments: selected,
        snapshot_file: input.save_to,
        baseline: input.draft_baseline,
    };
    let mut outcome = AuditOutcome::new(header, results, accepted, baseline_findings);
    outcome.fix = removal;
    outcome.strict = input.strict;
    outcome.max_key_age_days = input.max_key_age_days;
    Ok(Some(outcome))
}

/// Returns the selected departments, or an error if one is unknown.
fn select_departments(inputs: &AuditInputs, codes: &[DepartmentCode]) -> Result<BTreeSet<DepartmentCode>, Error> {
    let workspace = &inputs.workspace;
    match codes.iter().find(|code| workspace.department(code).is_none()) {
        Some(code) => Err(unknown_department_error(workspace, code)),
        None => Ok(codes.iter().cloned().collect()),
    }
}

fn run_rules(inputs: &AuditInputs, input: &AuditInput) -> Result<Vec<RuleResult>, Error> {
    let earlier = match &input.earlier_snapshot {
        Some(file) => Some(inputs.load_earlier(file)?),
        None => None,
    };
    let known_keys = inputs.load_known_keys(&input.options)?;
    let max_key_age = Duration::from_hours(24 * u64::from(input.max_key_age_days));
    let desired = inputs.desired_state(&known_keys, max_key_age, earlier.as_ref());
    Ok(audit(&desired, &inputs.snapshot))
}

/// Removes findings about other departments than `selected`.
fn retain_departments(results: &mut [RuleResult], selected: &BTreeSet<DepartmentCode>) {
    for result in results {
        result
            .findings
            .retain(|finding| !finding.departments.is_disjoint(selected));
    }
}

fn write_baseline(file: &Path, results: &[RuleResult], today: Date) -> Result<(), Error> {
    let findings = results.iter().flat_map(|result| &result.findings);
    let problems: Vec<&AuditFinding> = findings.filter(|finding| finding.is_problem()).collect();
    let until = today.saturating_add(BASELINE_DAYS.days());
    let text = baseline::draft(&problems, until);
    save::save(file, text.as_bytes(), IfExists::Keep).context("cannot write the baseline")
}
