//! `confluent ebs quota audit`.

mod csv;
mod page;
mod view;

use crate::{
    commands::{CommandOutput, Ctx, global_args::OutputFormat},
    error::{Error, ErrorKind},
    fleet::{FleetCollector, QuotaAudit, collect_audit},
};

/// Compare what is used with what may be used, for all departments and the platform.
///
/// It is for the platform team, and only reports: nothing is paused or deleted. Besides departments it looks at the
/// clusters, at what the quotas promise together, at the provider's own quotas, at connectors that belong to no department,
/// and at connectors that run under somebody else's account. Exits with 5 if somebody uses more than they may. Besides
/// "human", "json" and "yaml", --output takes "csv" and "html".
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Audit all departments in all stages.

  $ confluent ebs quota audit

Write a page for a meeting, and the numbers for a spreadsheet.

  $ confluent ebs quota audit -o html > quotas.html
  $ confluent ebs quota audit -o csv > quotas.csv")]
pub(super) struct QuotaAuditArgs {}

impl QuotaAuditArgs {
    pub(super) fn run(ctx: &mut Ctx) -> Result<CommandOutput<QuotaAuditOutput>, Error> {
        let collector = FleetCollector::open(&ctx.run)?;
        if !collector.session.is_platform_scope {
            return Err(Error::denied("only the platform team can audit quotas")
                .with_hint("See your own quota with `confluent ebs quota describe`."));
        }
        let audit = ctx.block_on(collect_audit(&collector))?;
        let error = over_quota_error(&audit).or_else(|| unobserved_error(&audit));
        let report = CommandOutput::new(QuotaAuditOutput {
            audit,
            output: ctx.globals.output,
        });
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

/// What `quota audit` answers.
#[derive(Debug, serde::Serialize)]
#[serde(transparent)]
pub(super) struct QuotaAuditOutput {
    audit: QuotaAudit,
    #[serde(skip)]
    output: OutputFormat,
}

/// Who uses more than they may.
fn over_quota_error(audit: &QuotaAudit) -> Option<Error> {
    let message = audit.over_quota_message()?;
    let hint = "`confluent ebs quota describe --department CODE` shows what each connector counts for.";
    Some(Error::new(ErrorKind::Refused, message).with_hint(hint))
}

/// What could not be looked at and would have mattered.
fn unobserved_error(audit: &QuotaAudit) -> Option<Error> {
    let stage = audit.stages.iter().find(|stage| stage.unknown.is_some())?;
    let why = stage.unknown.as_deref().unwrap_or_default();
    let kind = if stage.denied {
        ErrorKind::Denied
    } else {
        ErrorKind::Failed
    };
    Some(Error::new(
        kind,
        format!("stage {} could not be looked at: {why}", stage.stage),
    ))
}

#[cfg(test)]
mod evaluation_tests;
