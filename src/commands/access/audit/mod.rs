//! `confluent ebs access audit`.

mod fix;
mod ground;
mod output;

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};

use self::{
    ground::Ground,
    output::{Audited, Setting},
};
use crate::{
    access::audit::{Found, Ruling, Verdict, accept, audit, blueprint::MAX_KEY_AGE_DAYS},
    commands::{Ctx, Report, estate::FolderArgs},
    config::{Existing, SavedSnapshot, save},
    diag::has_errors,
    error::{Error, ResultExt},
    manifest::baseline,
    model::DepartmentCode,
    render::words,
};

/// How long a drafted acceptance lasts.
const DRAFT_DAYS: i64 = 90;

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
pub(super) struct AuditAccess {
    /// Codes of departments: report only what concerns them.
    #[arg(value_name = "department")]
    departments: Vec<DepartmentCode>,
    /// Audit a snapshot that "--save" wrote, without a key.
    #[arg(long, value_name = "string", conflicts_with = "save")]
    from: Option<PathBuf>,
    /// Save what was seen to a file, for "--from" and "--since".
    #[arg(long, value_name = "string")]
    save: Option<PathBuf>,
    /// An earlier snapshot: accounts that were not in it and that nobody knows are reported.
    #[arg(long, value_name = "string")]
    since: Option<PathBuf>,
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

impl AuditAccess {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Audited>, Error> {
        let ground = match &self.from {
            Some(file) => Ground::saved(ctx, file)?,
            None => Ground::live(ctx)?,
        };
        let (ground, fixed) = match self.fix {
            true => match fix::fix(ctx, &self.departments, &self.folders, self.dry_run)? {
                None => return Ok(Report::nothing()),
                // What is left is told, not what was there before.
                Some(fixed) if fixed.has_changed() => (Ground::live(ctx)?, Some(fixed)),
                fixed => (ground, fixed),
            },
            false => (ground, None),
        };
        let asked = self.asked(&ground)?;
        let (acceptances, notes) = match &self.baseline {
            Some(path) => baseline::read(path),
            None => Default::default(),
        };
        if has_errors(&notes) {
            return Err(Error::findings("the accepted findings hold mistakes", notes));
        }
        let mut rulings = self.rulings(&ground)?;
        if !asked.is_empty() {
            narrow(&mut rulings, &asked);
        }
        let today = ground.seen.taken_at.to_zoned(TimeZone::UTC).date();
        let (accepted, mut about_baseline) = accept(&mut rulings, &acceptances, today, !asked.is_empty());
        about_baseline.extend(notes);
        if let Some(file) = &self.save {
            let saved = SavedSnapshot {
                stage: ground.stage.clone(),
                snapshot: ground.seen.clone(),
            };
            saved.save(file, Existing::Keep).context("the snapshot was not saved")?;
        }
        if let Some(file) = &self.write_baseline {
            write_baseline(file, &rulings, today)?;
        }
        let audited = Audited::new(
            Setting {
                stage: ground.stage,
                address: ground.seen.address.clone(),
                seen_by: ground.seen.name_of(&ground.seen.seen_by),
                taken_at: ground.seen.taken_at,
                provisioner: ground.seen.name_of(&ground.provisioner.into()),
                departments: asked,
                saved: self.save.clone(),
                baseline: self.write_baseline.clone(),
            },
            rulings,
            accepted,
            about_baseline,
            fixed,
        );
        let error = audited.unfixed().or_else(|| self.verdict(&audited));
        let report = Report::new(audited);
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }

    /// The departments that were asked for, all of them known.
    fn asked(&self, ground: &Ground) -> Result<BTreeSet<DepartmentCode>, Error> {
        let workspace = &ground.workspace;
        for code in &self.departments {
            if workspace.department(code).is_none() {
                let known: Vec<&str> = workspace.departments().map(|known| known.code.as_str()).collect();
                let error = Error::failed(format!("there is no department `{code}` in {}", workspace.origin));
                return Err(match crate::hint::nearest(code.as_str(), known) {
                    Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                    None => error.with_hint("`confluent ebs department list` shows them all."),
                });
            }
        }
        Ok(self.departments.iter().cloned().collect())
    }

    fn rulings(&self, ground: &Ground) -> Result<Vec<Ruling>, Error> {
        let earlier = match &self.since {
            Some(file) => Some(ground.earlier(file)?),
            None => None,
        };
        let ledger = ground.ledger(&self.folders)?;
        let max_key_age = Duration::from_secs(24 * 60 * 60 * u64::from(self.max_key_age));
        let blueprint = ground.blueprint(&ledger, max_key_age, earlier.as_ref());
        Ok(audit(&blueprint, &ground.seen))
    }

    fn verdict(&self, audited: &Audited) -> Option<Error> {
        let counts = audited.counts();
        let found = [(counts.errors, "error"), (counts.warnings, "warning")];
        let mut parts: Vec<String> = found
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| words::count(count, word))
            .collect();
        if self.strict && counts.unknown > 0 {
            parts.push(format!(
                "{} that could not decide",
                words::count(counts.unknown, "rule")
            ));
        }
        if parts.is_empty() {
            return None;
        }
        let error = Error::refused(format!("the audit found {}", words::list(&parts)));
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
fn narrow(rulings: &mut [Ruling], asked: &BTreeSet<DepartmentCode>) {
    for ruling in rulings {
        ruling.findings.retain(|found| !found.departments.is_disjoint(asked));
    }
}

fn write_baseline(file: &std::path::Path, rulings: &[Ruling], today: Date) -> Result<(), Error> {
    let counting = rulings.iter().flat_map(|ruling| &ruling.findings);
    let counting: Vec<&Found> = counting.filter(|found| found.counts()).collect();
    let until = today.saturating_add(DRAFT_DAYS.days());
    let text = baseline::draft(&counting, until);
    save::save(file, text.as_bytes(), Existing::Keep).context("the accepted findings were not written")
}
