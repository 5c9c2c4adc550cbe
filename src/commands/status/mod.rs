//! `confluent ebs status`.

mod view;
mod watch;

use std::{path::PathBuf, time::Duration};

use serde::Serialize;

use super::{CommandOutput, Ctx, duration::parse_duration};
use crate::{
    config::{IfExists, save::save_public},
    error::{Error, ResultExt},
    fleet::{ConnectorCondition, Fleet, FleetCollector},
    render::{Format, html::status_page},
};

/// Show the status of all connectors
///
/// With a department's profile, shows your connectors; as the platform team, shows all departments in all stages, with
/// one request per cluster. For a single department, the lag of sinks is shown, too. The API does not report when a
/// state began; the age shown is how long this machine has observed it. Exits with 6 if a connector has failed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show your connectors.

  $ confluent ebs status --profile claims-operator

Show all departments of the stage \"prod\"; also fail if a connector is degraded.

  $ confluent ebs status --stage prod --fail-on degraded

Write an HTML report for the department \"claims\" only.

  $ confluent ebs status --department claims --html claims.html

Watch all departments.

  $ confluent ebs status --watch --interval 30s")]
pub(super) struct StatusArgs {
    /// Exit with 6 if a connector has this condition or a worse one: "degraded" or "failed".
    #[arg(
        long,
        value_enum,
        value_name = "string",
        default_value_t,
        hide_possible_values = true
    )]
    fail_on: FailOn,
    /// Also write a self-contained HTML report to this file, replacing it if it exists.
    #[arg(long, value_name = "file")]
    html: Option<PathBuf>,
    /// Refresh on the full screen until "q" or Ctrl-C; the last status is printed at the end.
    #[arg(long, conflicts_with = "html")]
    watch: bool,
    /// Refresh interval, such as 10s or 1m.
    #[arg(long, value_name = "duration", default_value = "10s", value_parser = parse_interval, requires = "watch")]
    interval: Duration,
}

/// Parses an interval of at least one second, because each refresh sends a request to every cluster.
fn parse_interval(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("must be at least 1s".to_owned()),
        every => Ok(every),
    }
}

/// Least severe condition of a connector that makes the command fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
    /// Degraded or failed connectors.
    Degraded,
    /// Failed connectors.
    #[default]
    Failed,
}

impl FailOn {
    fn condition(self) -> ConnectorCondition {
        match self {
            Self::Degraded => ConnectorCondition::Degraded,
            Self::Failed => ConnectorCondition::Failed,
        }
    }
}

impl StatusArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<StatusOutput>, Error> {
        let collector = FleetCollector::open(&ctx.run)?;
        let fleet = if self.watch {
            if ctx.ui.format() != Format::Human {
                return Err(Error::usage("--watch cannot be used together with --output")
                    .with_hint("Re-run the command without `--watch`; each run prints one document."));
            }
            watch::watch(ctx, &collector, self.interval)?
        } else {
            ctx.block_on_reading(collector.collect())?
        };
        if let Some(path) = &self.html {
            save_public(
                path,
                ctx.ui.redact_page(&status_page(&fleet)).as_bytes(),
                IfExists::Replace,
            )
            .hint("Make sure that the directory exists and is writable, or choose another one.")?;
            ctx.ui.info(&format!("Wrote `{}`.", path.display()));
        }
        let error = fleet
            .unhealthy_error(self.fail_on.condition(), &ctx.run.options)
            .or_else(|| fleet.incomplete_error());
        let report = CommandOutput::new(StatusOutput { fleet });
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

/// Status of all connectors.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct StatusOutput {
    fleet: Fleet,
}
