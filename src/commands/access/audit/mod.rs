//! `confluent ebs access audit`.

mod fix;
mod inputs;
mod output;

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};

use self::{
    inputs::AuditInputs,
    output::{AccessAuditOutput, AuditHeader},
};
use crate::{
    access::audit::{AuditFinding, AuditVerdict, RuleResult, apply_baseline, audit, desired_state::MAX_KEY_AGE_DAYS},
    commands::{CommandOutput, Ctx, provisioning::FolderArgs},
    config::{IfExists, SnapshotFile, save},
    diag::has_errors,
    error::{Error, ResultExt},
    manifest::baseline,
    model::DepartmentCode,
    session::unknown_department_error,
    text,
};

/// Days until the acceptances of a drafted baseline expire.
const BASELINE_DAYS: i64 = 90;

/// Audit access in the organization
///
/// Compares the organization with the platform configuration. The rules find overbroad and third-party role bindings,
/// unmanaged and impersonating accounts, unrecorded and old API keys, connectors under a foreign service account, and
/// more; docs/audit.md explains each rule. The verdict of a rule with incomplete data is "unknown", never "absent".
/// Exits with 5 if a rule finds an error or a warning that the baseline does not accept, and with --strict also if a
/// verdict is unknown.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Audit the built-in example as an administrator of the organization.

  $ confluent ebs access audit --sandbox-as admin

Audit one department.

  $ confluent ebs access audit claims

Save a snapshot, and audit it again without an API key.

  $ confluent ebs access audit --save snapshot.json
  $ confluent ebs access audit --from snapshot.json

Accept the current findings, then report only new ones.

  $ confluent ebs access audit --write-baseline accepted.toml
  $ confluent ebs access audit --baseline accepted.toml --strict

Remove role bindings and ACLs that no template declares, and orphaned API keys.

  $ confluent ebs access audit --fix")]
pub(super) struct AccessAuditArgs {
    /// Codes of departments. Without codes, findings of all departments are reported.
    #[arg(value_name = "department")]
    departments: Vec<DepartmentCode>,
    /// Audit a snapshot that --save wrote, without an API key.
    #[arg(long, value_name = "string", conflicts_with = "save")]
    from: Option<PathBuf>,
    /// Save the snapshot to a file for --from and --compare-to.
    #[arg(long, value_name = "string")]
    save: Option<PathBuf>,
    /// Earlier snapshot to compare with; new unmanaged accounts are reported.
    #[arg(long, value_name = "string")]
    compare_to: Option<PathBuf>,
    /// Also exit with 5 if the verdict of a rule is unknown.
    #[arg(long)]
    strict: bool,
    /// File of accepted findings, each with a reason and an expiry date.
    #[arg(long, value_name = "string")]
    baseline: Option<PathBuf>,
    /// Write a file that accepts the current findings; fill in the reasons before you use it.
    #[arg(long, value_name = "string", conflicts_with = "baseline")]
    write_baseline: Option<PathBuf>,
    /// Maximum age of an API key in days.
    #[arg(long, value_name = "int", default_value_t = MAX_KEY_AGE_DAYS)]
    max_key_age: u16,
    /// Remove role bindings and ACLs of managed accounts that no template declares, and API keys whose secret is lost.
    #[arg(long, conflicts_with = "from")]
    fix: bool,
    /// Show what --fix would remove, without committing changes.
    #[arg(long, requires = "fix")]
    dry_run: bool,
    #[command(flatten)]
    folders: FolderArgs,
}

impl AccessAuditArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<AccessAuditOutput>, Error> {
        let inputs = match &self.from {
            Some(file) => AuditInputs::load(ctx, file)?,
            None => AuditInputs::observe(ctx)?,
        };
        let (inputs, fix) = if self.fix {
            match fix::remove_findings(ctx, &self.departments, &self.folders, self.dry_run)? {
                None => return Ok(CommandOutput::empty()),
                // The report describes the state after the removals.
                Some(fix) if fix.has_changed() => (AuditInputs::observe(ctx)?, Some(fix)),
                fix => (inputs, fix),
            }
        } else {
            (inputs, None)
        };
        let selected = self.selected_departments(&inputs)?;
        let (acceptances, notes) = match &self.baseline {
            Some(path) => baseline::read(path),
            None => Default::default(),
        };
        if has_errors(&notes) {
            return Err(Error::findings("invalid baseline", notes));
        }
        let mut results = self.run_rules(&inputs)?;
        if !selected.is_empty() {
            retain_departments(&mut results, &selected);
        }
        let today = inputs.snapshot.taken_at.to_zoned(TimeZone::UTC).date();
        let (accepted, mut baseline_findings) = apply_baseline(&mut results, &acceptances, today, !selected.is_empty());
        baseline_findings.extend(notes);
        if let Some(file) = &self.save {
            let saved = SnapshotFile {
                stage: inputs.stage.clone(),
                snapshot: inputs.snapshot.clone(),
            };
            saved.save(file, IfExists::Keep).context("cannot save the snapshot")?;
        }
        if let Some(file) = &self.write_baseline {
            write_baseline(file, &results, today)?;
        }
        let audited = AccessAuditOutput::new(
            AuditHeader {
                stage: inputs.stage,
                address: inputs.snapshot.address.clone(),
                observed_by: inputs.snapshot.display_name(&inputs.snapshot.observed_by),
                taken_at: inputs.snapshot.taken_at,
                provisioner: inputs.snapshot.display_name(&inputs.provisioner.into()),
                departments: selected,
                snapshot_file: self.save.clone(),
                baseline: self.write_baseline.clone(),
            },
            results,
            accepted,
            baseline_findings,
            fix,
        );
        let error = audited.fix_error().or_else(|| self.verdict_error(&audited));
        let report = CommandOutput::new(audited);
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }

    /// Returns the selected departments, or an error if one is unknown.
    fn selected_departments(&self, inputs: &AuditInputs) -> Result<BTreeSet<DepartmentCode>, Error> {
        let workspace = &inputs.workspace;
        let unknown = self
            .departments
            .iter()
            .find(|code| workspace.department(code).is_none());
        match unknown {
            Some(code) => Err(unknown_department_error(workspace, code)),
            None => Ok(self.departments.iter().cloned().collect()),
        }
    }

    fn run_rules(&self, inputs: &AuditInputs) -> Result<Vec<RuleResult>, Error> {
        let earlier = match &self.compare_to {
            Some(file) => Some(inputs.load_earlier(file)?),
            None => None,
        };
        let known_keys = inputs.load_known_keys(&self.folders)?;
        let max_key_age = Duration::from_secs(24 * 60 * 60 * u64::from(self.max_key_age));
        let desired = inputs.desired_state(&known_keys, max_key_age, earlier.as_ref());
        Ok(audit(&desired, &inputs.snapshot))
    }

    fn verdict_error(&self, audited: &AccessAuditOutput) -> Option<Error> {
        let counts = audited.counts();
        let found = [(counts.errors, "error"), (counts.warnings, "warning")];
        let mut parts: Vec<String> = found
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| text::count_noun(count, word))
            .collect();
        if self.strict && counts.unknown > 0 {
            parts.push(format!(
                "{} with an unknown verdict",
                text::count_noun(counts.unknown, "rule")
            ));
        }
        if parts.is_empty() {
            return None;
        }
        let error = Error::refused(format!("the audit found {}", text::join_list(&parts)));
        Some(match (counts.errors + counts.warnings, self.write_baseline.is_some()) {
            (0, _) => error.with_hint(
                "Audit with an administrator's API key, which sees more. docs/audit.md lists the data of each rule.",
            ),
            (_, true) => error,
            (_, false) => error.with_hint("Accept intended findings with `--write-baseline` and `--baseline`."),
        })
    }
}

/// Removes findings about other departments than `selected`.
fn retain_departments(results: &mut [RuleResult], selected: &BTreeSet<DepartmentCode>) {
    for result in results {
        result
            .findings
            .retain(|finding| !finding.departments.is_disjoint(selected));
    }
}

fn write_baseline(file: &std::path::Path, results: &[RuleResult], today: Date) -> Result<(), Error> {
    let findings = results.iter().flat_map(|result| &result.findings);
    let problems: Vec<&AuditFinding> = findings.filter(|finding| finding.is_problem()).collect();
    let until = today.saturating_add(BASELINE_DAYS.days());
    let text = baseline::draft(&problems, until);
    save::save(file, text.as_bytes(), IfExists::Keep).context("cannot write the baseline")
}
