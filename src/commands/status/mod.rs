//! `confluent ebs status`.

mod page;
mod view;
mod watch;

use std::{path::PathBuf, time::Duration};

use serde::Serialize;

use super::{CommandOutput, Ctx, duration::parse_duration};
use crate::{
    config::save::save_public,
    error::{Error, ErrorKind, ResultExt},
    fleet::{ConnectorCondition, Fleet, FleetCollector, FleetConnectorRow, StageView, incomplete_error},
    hint::{connector_arg, shell_quote},
    render::Format,
    session::Options,
    text,
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

Show all departments of the stage \"prod\"; also fail for degraded connectors.

  $ confluent ebs status --stage prod --fail-on degraded

Write an HTML report for the department \"claims\" only.

  $ confluent ebs status --department claims --html claims.html

Watch all departments.

  $ confluent ebs status --watch --interval 30s")]
pub(super) struct StatusArgs {
    /// Exit with 6 from this condition on: "degraded" or "failed".
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

/// Condition from which the command fails.
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
        let (lists, fleet) = if self.watch {
            if ctx.ui.format() != Format::Human {
                return Err(Error::usage("--watch cannot be used together with --output")
                    .with_hint("Re-run the command without `--watch`; each run prints one document."));
            }
            watch::watch(ctx, &collector, self.interval)?
        } else {
            ctx.block_on(collector.collect())?
        };
        if let Some(path) = &self.html {
            save_public(path, page::render_page(&fleet).as_bytes())
                .hint("Make sure that the directory exists and is writable, or choose another one.")?;
            ctx.ui.info(&format!("Wrote `{}`.", path.display()));
        }
        let error = unhealthy_error(&fleet, self.fail_on.condition(), &ctx.run.options)
            .or_else(|| incomplete_error(&lists, &fleet));
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

/// Returns the error for connectors in condition `worst` or worse; `options` are those of the run.
fn unhealthy_error(fleet: &Fleet, worst: ConnectorCondition, options: &Options) -> Option<Error> {
    let bad = fleet.connectors().filter(|(_, row)| row.condition >= worst);
    let bad: Vec<(&StageView, &FleetConnectorRow)> = bad.collect();
    let (stage, first) = bad.first()?;
    let failed = bad
        .iter()
        .filter(|(_, row)| row.condition == ConnectorCondition::Failed)
        .count();
    let degraded = bad.len() - failed;
    let counted = |number: usize, one: &str, many: &str| {
        let verb = if number == 1 { one } else { many };
        (number > 0).then(|| format!("{} {verb}", text::count_noun(number, "connector")))
    };
    let parts = [
        counted(failed, "has failed", "have failed"),
        counted(degraded, "is degraded", "are degraded"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let departments = match &fleet.department {
        Some(_) => String::new(),
        None => match fleet.departments_in_trouble().len() {
            0 => String::new(),
            number => format!(", of {}", text::count_noun(number, "department")),
        },
    };
    let message = format!("{}{departments}", text::join_list(&parts));
    let stage = match (fleet.stages.len(), &options.stage) {
        (0 | 1, _) | (_, Some(_)) => String::new(),
        // Stages that share a cluster have one entry; any of their names selects it.
        _ => format!(
            " --stage {}",
            shell_quote(stage.stage.split(", ").next().unwrap_or_default())
        ),
    };
    let explain = format!(
        "For causes and next steps, run `confluent ebs connector explain {}{}{stage}`.",
        connector_arg(&first.id, &first.name),
        options.to_flags()
    );
    Some(Error::new(ErrorKind::Unhealthy, message).with_hint(explain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::connect::{ClusterPath, ExpandedConnector},
        quota::ClusterTaskLimit,
    };

    #[test]
    fn the_hint_names_one_stage_and_quotes_the_connector_for_the_shell() {
        let mut failed = ExpandedConnector::default();
        failed.status.connector.state = "FAILED".into();
        failed.id.id = "lcc-1".into();
        let place = ClusterPath {
            environment: "env-prod01".parse().unwrap(),
            cluster: "lkc-prod01".parse().unwrap(),
        };
        let ceiling = ClusterTaskLimit {
            tasks: 250,
            reserve_percent: 10,
        };
        let hint = |name: &str, stages: &[&str]| {
            let list = [(name.to_owned(), failed.clone())].into();
            let mut fleet = Fleet::example(&place, ceiling, &list, &[]);
            let stage = fleet.stages.remove(0);
            fleet.stages.extend(stages.iter().map(|name| StageView {
                stage: (*name).to_owned(),
                ..stage.clone()
            }));
            let error = unhealthy_error(&fleet, ConnectorCondition::Failed, &Options::default()).unwrap();
            error.hints.first().unwrap().to_string()
        };
        for (name, stages, command) in [
            ("claims-a", &["prod, test", "lab"][..], "claims-a --stage prod"),
            ("claims-a", &["prod, test"], "claims-a"),
            // Names are free text.
            ("--all", &["prod"], "lcc-1"),
            ("$(id)", &["prod"], "'$(id)'"),
        ] {
            let expected = format!("For causes and next steps, run `confluent ebs connector explain {command}`.");
            assert_eq!(hint(name, stages), expected);
        }
    }
}
