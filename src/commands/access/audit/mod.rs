//! `confluent ebs access audit`.

mod view;

use std::path::PathBuf;

use serde::Serialize;

use crate::{
    access::audit::desired_state::MAX_KEY_AGE_DAYS,
    commands::{CommandOutput, Ctx, global_args::OutputFormat, provisioning::FolderArgs},
    error::Error,
    model::DepartmentCode,
    provisioning::audit::{AuditInput, AuditOutcome, AuditRemoval, RemovalMode, audit_access},
    render::sarif_text,
    session,
};

/// Audit access in the organization
///
/// Compares the organization with "ebs.toml" and the department files. The rules find overbroad and third-party role
/// bindings, unmanaged and impersonating accounts, unrecorded and old API keys, connectors under a foreign service
/// account, and more; docs/audit.md explains each rule. The verdict of a rule with incomplete data is "unknown", never
/// "absent". Exits with 5 if a rule finds an error or a warning that the baseline does not accept, and with --strict
/// also if a verdict is unknown. More than 10 findings of one rule are summarized for people; -v lists all of them.
/// Besides "human", "json" and "yaml", --output supports "sarif".
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Audit the example organization of the sandbox as an organization administrator.

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
    /// Department codes. Without codes, findings of all departments are reported.
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
    /// Remove role bindings and ACLs that managed accounts have but no template declares, and API keys whose secret is lost.
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
        let input = AuditInput {
            departments: self.departments,
            snapshot: self.from,
            save_to: self.save,
            earlier_snapshot: self.compare_to,
            strict: self.strict,
            baseline: self.baseline,
            draft_baseline: self.write_baseline,
            max_key_age_days: self.max_key_age,
            removal: match (self.fix, self.dry_run) {
                (false, _) => RemovalMode::Keep,
                (true, true) => RemovalMode::Plan,
                (true, false) => RemovalMode::Apply,
            },
            options: self.folders.to_options(),
        };
        let confirm = |planned: &AuditRemoval| confirm_removal(ctx, planned);
        let audit = audit_access(&ctx.run, input, &confirm);
        let outcome = match self.fix {
            true => ctx.block_on(audit),
            false => ctx.block_on_reading(audit),
        };
        let Some(outcome) = outcome? else {
            return Ok(CommandOutput::empty());
        };
        let error = outcome.error();
        let verbose = ctx.globals.verbosity() > 0;
        let sarif = match ctx.globals.output {
            OutputFormat::Sarif => {
                let loaded = session::load_workspace(&ctx.run, ctx.run.options.is_sandbox())?;
                Some(sarif_text(&outcome.located_findings(&loaded.workspace)))
            }
            _ => None,
        };
        let audited = AccessAuditOutput {
            outcome,
            sarif,
            verbose,
        };
        Ok(CommandOutput::new(audited).with_error_if_any(error))
    }
}

/// Result of `access audit` in the selected format.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct AccessAuditOutput {
    outcome: AuditOutcome,
    /// Findings for code scanners, if they are the selected format.
    #[serde(skip)]
    sarif: Option<String>,
    /// Whether repeated findings are listed one by one.
    #[serde(skip)]
    verbose: bool,
}

fn confirm_removal(ctx: &Ctx, planned: &AuditRemoval) -> Result<bool, Error> {
    if ctx.globals.yes {
        return Ok(true);
    }
    ctx.ui.print_preview(&view::removal_blocks(planned))?;
    ctx.confirm("Apply these removals?")
}
