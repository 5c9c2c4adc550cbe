//! `confluent ebs connector metrics`.

mod rows;
mod show;
mod units;

use std::time::Duration;

use jiff::Timestamp;

use self::rows::Metered;
use super::{DepartmentSession, lifecycle::together, names, when::When};
use crate::{
    api::metrics::HISTORY,
    client::ClientError,
    commands::{Ctx, Report, globals::Output},
    error::{Error, ErrorKind, ResultExt},
    render::{Viewable as _, words},
    resources::{
        connector::Seen,
        metrics::{Grid, read},
        rest,
    },
};

/// How often `--watch` looks: values come by the minute, and all who share an address share its limit (dossier `metrics.md`
/// §5).
const EVERY: Duration = Duration::from_mins(1);

/// Show what connectors have read and written.
///
/// Records and bytes, dead letters, lag and the states of tasks, by the minute up to six hours and in longer steps beyond.
/// They are kept for seven days and are about five minutes late. Confluent Cloud does not measure CPU and memory of managed
/// connectors. Metrics are for the platform team's key: Confluent Cloud opens them for whole clusters, not for a
/// department. Besides "human", "json" and "yaml", --output takes "csv": one
/// line per value, and "ndjson": one line of JSON each time.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show a sink's last hour: what it read, and how far it is behind.

  $ confluent ebs connector metrics claims-lake --department claims

Watch all connectors of a department.

  $ confluent ebs connector metrics --all --department claims --watch

Write the last day of all connectors into a file for a department.

  $ confluent ebs connector metrics --all --department claims --since 1d -o json > claims.json")]
pub(super) struct Metrics {
    /// IDs or names of connectors; a name may hold * and ?.
    #[arg(value_name = "id", required_unless_present = "all")]
    connectors: Vec<String>,
    /// All connectors of the department.
    #[arg(long, conflicts_with = "connectors")]
    all: bool,
    /// Show values from this time on: how long ago, such as 30m or 2h, or a time, such as 2026-08-20T08:00:00Z.
    #[arg(long, alias = "start-time", value_name = "time", default_value = "1h")]
    since: When,
    /// Show values until this time.
    #[arg(long, alias = "end-time", value_name = "time", conflicts_with = "watch")]
    until: Option<When>,
    /// Look again every minute, on the whole terminal, until "q" or Ctrl-C.
    #[arg(short, long)]
    watch: bool,
}

impl Metrics {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Metered>, Error> {
        self.check(ctx)?;
        let session = DepartmentSession::open(ctx)?;
        if self.all {
            // Without a department this would reach everybody's.
            session.tenant()?;
        }
        names::refuse_foreign(session.tenant.as_ref(), &self.connectors)?;
        if self.watch {
            session.observers.watch();
        }
        ctx.block_on(async {
            match self.watch {
                true => self.watch(ctx, &session).await,
                false => self.look(ctx, &session).await,
            }
        })
    }

    /// What does not go together.
    fn check(&self, ctx: &Ctx) -> Result<(), Error> {
        match self.watch && !matches!(ctx.globals.output, Output::Human | Output::Ndjson) {
            true => Err(
                Error::usage("--watch shows values again and again, and json, yaml and csv are one document")
                    .with_hint("Use `-o ndjson`: one line of JSON each time."),
            ),
            false => Ok(()),
        }
    }

    /// Shows, and waits, and shows again: on the whole terminal, elsewhere one below the other.
    async fn watch(&self, ctx: &Ctx, session: &DepartmentSession) -> Result<Report<Metered>, Error> {
        let human = ctx.globals.output == Output::Human;
        let screen = human.then(|| ctx.ui.screen(&ctx.interrupt)).flatten();
        let mut last = None;
        loop {
            let looked = tokio::select! {
                looked = self.look(ctx, session) => looked,
                () = ctx.interrupt.wished() => break,
            };
            let (fresh, trouble) = match looked {
                Ok(report) => {
                    let fresh = report.value.is_some();
                    last = report.value.or(last);
                    (fresh, report.error)
                }
                // What passes is waited for; what does not, or was never right, ends it.
                Err(error) if last.is_some() && error.kind == ErrorKind::Failed => (false, Some(error)),
                Err(error) => return Err(error),
            };
            if let Some(trouble) = trouble {
                ctx.ui.note(&format!(
                    "Not everything can be read just now, again in {} s: {trouble}",
                    EVERY.as_secs()
                ));
            }
            if let Some(value) = &last {
                let shown = match &screen {
                    Some(screen) => screen.paint(|_, _| value.view()),
                    None if fresh => ctx.ui.item(value),
                    None => Ok(()),
                };
                shown.context("could not write the result to standard output")?;
            }
            if !rest(session.observers.clock(), &ctx.interrupt, EVERY).await {
                break;
            }
        }
        // What was on the screen goes with it: how it was last stays.
        Ok(match (screen, last) {
            (Some(_), Some(last)) => Report::new(last),
            _ => Report::nothing(),
        })
    }

    async fn look(&self, ctx: &Ctx, session: &DepartmentSession) -> Result<Report<Metered>, Error> {
        let list = session.connectors.look(&self.connectors).await?;
        let seen = match self.all {
            true => names::all(session, &list),
            false => names::resolve(session, &list, &self.connectors)?,
        };
        refuse_nameless(&seen)?;
        let grid = self.grid(ctx, session.observers.clock().now())?;
        if seen.is_empty() {
            return Ok(Report::new(Metered::new(ctx, self, session, grid, &[], &[])));
        }
        let metrics = session.observers.metrics()?;
        let answer = read(&metrics, &seen, grid)
            .await
            .map_err(|error| explained(session, error))?;
        let measured: Vec<_> = seen
            .iter()
            .filter_map(|seen| Some((seen, answer.measured.get(&seen.name)?)))
            .collect();
        let failures: Vec<Error> = answer
            .failures
            .into_iter()
            .map(|(metric, error)| advised(error).context(format!("{} cannot be read", metric.about)))
            .collect();
        let (seen, measured): (Vec<&Seen>, Vec<_>) = measured.into_iter().unzip();
        let report = Report::new(Metered::new(ctx, self, session, grid, &seen, &measured));
        Ok(match together(failures, true) {
            Some(error) => report.with_error(error),
            None => report,
        })
    }

    /// The time that is meant, cut to what the service has.
    fn grid(&self, ctx: &Ctx, now: Timestamp) -> Result<Grid, Error> {
        let mut from = self.since.moment(now);
        let to = self.until.map_or(now, |until| until.moment(now));
        let oldest = now.saturating_sub(HISTORY).unwrap_or(Timestamp::MIN);
        if to <= oldest {
            return Err(
                Error::usage("metrics are kept for 7 days, and all of this time is before")
                    .with_hint("End later, such as with `--until 1d`, or leave `--until` out."),
            );
        }
        if from < oldest {
            ctx.ui.warn("metrics are kept for 7 days: what is older is not shown");
            from = oldest;
        }
        if from >= to {
            return Err(Error::usage("end-time must be greater than start-time")
                .with_hint("`--since` is the beginning, `--until` the end."));
        }
        Grid::of(from, to, now).ok_or_else(|| {
            Error::usage("nothing is known of that time yet: metrics are about five minutes late")
                .with_hint("Begin earlier, such as with `--since 15m`.")
        })
    }
}

/// Metrics are asked for by id, which the list alone tells.
fn refuse_nameless(seen: &[Seen]) -> Result<(), Error> {
    let without = seen.iter().filter(|seen| seen.now.id.id.is_empty());
    let without: Vec<&str> = without.map(|seen| seen.name.as_str()).collect();
    match without.is_empty() {
        true => Ok(()),
        false => Err(Error::denied(format!(
            "metrics are asked for by id, and the key is not told the ids of {}",
            words::quoted(&without)
        ))
        .with_hint("The platform team's key sees the whole list.")),
    }
}

/// Why metrics cannot be read, and who can do something about it.
fn explained(session: &DepartmentSession, error: ClientError) -> Error {
    let what = match &session.tenant {
        Some(tenant) => format!("the metrics of department \"{}\" cannot be read", tenant.code),
        None => "the metrics cannot be read".to_owned(),
    };
    if !error.is_forbidden() {
        return advised(error).context(what);
    }
    let mut edge = Error::from(error).context(what);
    edge.hints.clear();
    // Dossier `metrics.md` §6: MetricsViewer knows no connectors, and whoever holds it sees all departments.
    edge = edge.with_hint(
        "Confluent Cloud opens metrics with MetricsViewer or an administrator's role, for whole clusters: with it a \
         department would see the metrics of all others.",
    );
    match &session.tenant {
        Some(tenant) if !session.sees_all => edge.with_hint(format!(
            "The platform team can publish yours: `confluent ebs status --html {0}.html --department {0}`, or `confluent ebs \
             connector metrics --all --department {0} -o json`.",
            tenant.code
        )),
        _ => edge.with_hint("An administrator can give MetricsViewer to the account of this key."),
    }
}

/// The error with what the general advice cannot know.
fn advised(error: ClientError) -> Error {
    let throttled = error.is_throttled();
    let edge = Error::from(error);
    match throttled {
        // Dossier `metrics.md` §5.
        true => edge.with_hint(
            "All who share this address share 60 requests per minute, also pipelines and other tools that read metrics: try \
             again in a minute.",
        ),
        false => edge,
    }
}
