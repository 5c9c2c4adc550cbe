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
    text,
};

/// How long a drafted acceptance lasts.
const BASELINE_DAYS: i64 = 90;

/// Find what should not be there.
///
/// Compares what the key can see of the organization with the platform's files, one rule for each threat: wide and foreign
/// role bindings, shadow and forged accounts, keys that nobody vouches for, connectors under a foreign account, and more;
/// docs/audit.md explains every rule. What could not be looked at is unknown, never clean. Exits with 5 if a rule has found
/// an error or a warning that nobody accepted, and with "--strict" also if a rule could not decide.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Audit the built-in example as an administrator of the organization.

  $ confluent ebs access audit --sandbox-as admin

Audit one department.

  $ confluent ebs access audit claims

Keep what was seen, and audit it again without a key.

  $ confluent ebs access audit --save seen.json
  $ confluent ebs access audit --from seen.json

Accept what is found today, then report only what is new.

  $ confluent ebs access audit --write-baseline accepted.toml
  $ confluent ebs access audit --baseline accepted.toml --strict

Remove what departments' own accounts hold and no template asks for.

  $ confluent ebs access audit --fix")]
pub(super) struct AccessAuditArgs {
    /// Codes of departments: report only what concerns them.
    #[arg(value_name = "department")]
    departments: Vec<DepartmentCode>,
    /// Audit a snapshot that "--save" wrote, without a key.
    #[arg(long, value_name = "string", conflicts_with = "save")]
    from: Option<PathBuf>,
    /// Save what was seen to a file, for "--from" and "--compare-to".
    #[arg(long, value_name = "string")]
    save: Option<PathBuf>,
    /// An earlier snapshot: accounts that were not in it and that nobody knows are reported.
    #[arg(long, value_name = "string")]
    compare_to: Option<PathBuf>,
    /// Also exit with 5 if a rule could not look at everything.
    #[arg(long)]
    strict: bool,
    /// File of accepted findings, each with a reason and a last day.
    #[arg(long, value_name = "string")]
    baseline: Option<PathBuf>,
    /// Write a file that accepts what is found, with the reasons still to be filled in.
    #[arg(long, value_name = "string", conflicts_with = "baseline")]
    write_baseline: Option<PathBuf>,
    /// Days after which an API key is too old.
    #[arg(long, value_name = "int", default_value_t = MAX_KEY_AGE_DAYS)]
    max_key_age: u16,
    /// Remove what is ours and should not be there: role bindings and ACLs of our accounts that no template asks for, and
    /// API keys whose secret nobody has.
    #[arg(long, conflicts_with = "from")]
    fix: bool,
    /// Show what "--fix" would remove without committing changes.
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
        let (inputs, fix) = match self.fix {
            true => match fix::remove_findings(ctx, &self.departments, &self.folders, self.dry_run)? {
                None => return Ok(CommandOutput::empty()),
                // What is left is told, not what was there before.
                Some(fix) if fix.has_changed() => (AuditInputs::observe(ctx)?, Some(fix)),
                fixed => (inputs, fixed),
            },
            false => (inputs, None),
        };
        let asked = self.requested_departments(&inputs)?;
        let (acceptances, notes) = match &self.baseline {
            Some(path) => baseline::read(path),
            None => Default::default(),
        };
        if has_errors(&notes) {
            return Err(Error::findings("the accepted findings hold mistakes", notes));
        }
        let mut results = self.run_rules(&inputs)?;
        if !asked.is_empty() {
            retain_departments(&mut results, &asked);
        }
        let today = inputs.snapshot.taken_at.to_zoned(TimeZone::UTC).date();
        let (accepted, mut about_baseline) = apply_baseline(&mut results, &acceptances, today, !asked.is_empty());
        about_baseline.extend(notes);
        if let Some(file) = &self.save {
            let saved = SnapshotFile {
                stage: inputs.stage.clone(),
                snapshot: inputs.snapshot.clone(),
            };
            saved.save(file, IfExists::Keep).context("the snapshot was not saved")?;
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
                departments: asked,
                snapshot_file: self.save.clone(),
                baseline: self.write_baseline.clone(),
            },
            results,
            accepted,
            about_baseline,
            fix,
        );
        let error = audited.fix_error().or_else(|| self.verdict_error(&audited));
        let report = CommandOutput::new(audited);
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }

    /// The departments that were asked for, all of them known.
    fn requested_departments(&self, inputs: &AuditInputs) -> Result<BTreeSet<DepartmentCode>, Error> {
        let workspace = &inputs.workspace;
        for code in &self.departments {
            if workspace.department(code).is_none() {
                let known: Vec<&str> = workspace.departments().map(|known| known.code.as_str()).collect();
                let error = Error::failed(format!("there is no department `{code}` in {}", workspace.origin));
                return Err(match crate::hint::closest_match(code.as_str(), known) {
                    Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                    None => error.with_hint("`confluent ebs department list` shows them all."),
                });
            }
        }
        Ok(self.departments.iter().cloned().collect())
    }

    fn run_rules(&self, inputs: &AuditInputs) -> Result<Vec<RuleResult>, Error> {
        let earlier = match &self.compare_to {
            Some(file) => Some(inputs.load_earlier(file)?),
            None => None,
        };
        let known_keys = inputs.load_known_keys(&self.folders)?;
        let max_key_age = Duration::from_secs(24 * 60 * 60 * u64::from(self.max_key_age));
        let blueprint = inputs.desired_state(&known_keys, max_key_age, earlier.as_ref());
        Ok(audit(&blueprint, &inputs.snapshot))
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
                "{} that could not decide",
                text::count_noun(counts.unknown, "rule")
            ));
        }
        if parts.is_empty() {
            return None;
        }
        let error = Error::refused(format!("the audit found {}", text::join_list(&parts)));
        Some(match (counts.errors + counts.warnings, self.write_baseline.is_some()) {
            (0, _) => error.with_hint("An administrator's key shows more; docs/audit.md says what each rule needs."),
            (_, true) => error,
            (_, false) => {
                error.with_hint("What is as it should be can be accepted: see `--write-baseline` and `--baseline`.")
            }
        })
    }
}

/// Keeps what concerns the departments that were asked for.
fn retain_departments(results: &mut [RuleResult], asked: &BTreeSet<DepartmentCode>) {
    for result in results {
        result.findings.retain(|found| !found.departments.is_disjoint(asked));
    }
}

fn write_baseline(file: &std::path::Path, results: &[RuleResult], today: Date) -> Result<(), Error> {
    let counting = results.iter().flat_map(|result| &result.findings);
    let counting: Vec<&AuditFinding> = counting.filter(|found| found.is_problem()).collect();
    let until = today.saturating_add(BASELINE_DAYS.days());
    let text = baseline::draft(&counting, until);
    save::save(file, text.as_bytes(), IfExists::Keep).context("the accepted findings were not written")
}
