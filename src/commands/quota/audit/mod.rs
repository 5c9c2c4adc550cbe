//! `confluent ebs quota audit`.

mod csv;
mod view;

use crate::{
    commands::{CommandOutput, Ctx, global_args::OutputFormat},
    error::Error,
    fleet::{FleetCollector, QuotaAudit, collect_audit},
    render::sarif_text,
    session,
};

/// Audit usage against the quotas of all departments and clusters
///
/// For the platform team. The audit only reports; it neither pauses nor deletes connectors. It covers departments,
/// clusters, the sum of allocated quotas, the provider quotas, unowned connectors, and connectors that run under an
/// account of another department. Exits with 5 if a quota is exceeded. Besides "human", "json" and "yaml", --output
/// supports "csv", "html" and "sarif".
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Audit all departments in all stages.

  $ confluent ebs quota audit

Write an HTML report and a CSV file.

  $ confluent ebs quota audit -o html > quotas.html
  $ confluent ebs quota audit -o csv > quotas.csv")]
pub(super) struct QuotaAuditArgs {}

impl QuotaAuditArgs {
    pub(super) fn run(ctx: &mut Ctx) -> Result<CommandOutput<QuotaAuditOutput>, Error> {
        let collector = FleetCollector::open(&ctx.run)?;
        if !collector.session.is_platform_scope {
            let describe = ctx.run.options.suggest("quota describe");
            return Err(
                Error::denied(format!("only {} can audit quotas", collector.session.platform_team()))
                    .with_hint(format!("Show your own quota with `{describe}`.")),
            );
        }
        let audit = ctx.block_on_reading(collect_audit(&collector))?;
        let error = audit.error();
        let sarif = match ctx.globals.output {
            OutputFormat::Sarif => {
                let loaded = session::load_workspace(&ctx.run, ctx.run.options.is_sandbox())?;
                Some(sarif_text(&audit.findings(&loaded.workspace)))
            }
            _ => None,
        };
        let report = CommandOutput::new(QuotaAuditOutput {
            audit,
            sarif,
            output: ctx.globals.output,
        });
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

/// Result of `quota audit`.
#[derive(Debug, serde::Serialize)]
#[serde(transparent)]
pub(super) struct QuotaAuditOutput {
    audit: QuotaAudit,
    /// Findings for code scanners, if they are the selected format.
    #[serde(skip)]
    sarif: Option<String>,
    #[serde(skip)]
    output: OutputFormat,
}
