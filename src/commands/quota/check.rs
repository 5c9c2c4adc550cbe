//! `confluent ebs quota check`.

use serde::Serialize;

use super::{DepartmentSession, source};
use crate::{
    commands::{Ctx, Report, connector::refused},
    error::Error,
    quota::{ADVISORY, ClusterUse, Current, Decision, Request, Usage, decide, metered},
    render::{Block, Cell, Line, Table, Viewable},
    resources::connector::find,
};

/// Check whether a department may have another connector, or a larger one.
///
/// The numbers are looked up with one call, and are those by which "connector create" and "connector update" decide.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Ask for a connector with two tasks.

  $ confluent ebs quota check --plugin DatagenSource --tasks 2

Ask whether a connector may have four tasks instead.

  $ confluent ebs quota check --connector claims-orders --tasks 4")]
pub(super) struct Check {
    /// Plugin of a new connector.
    #[arg(long, value_name = "string", required_unless_present = "connector")]
    plugin: Option<String>,
    /// ID or name of a connector that would be changed.
    #[arg(long, value_name = "string")]
    connector: Option<String>,
    /// Its number of tasks.
    #[arg(long, value_name = "int", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    tasks: u32,
}

impl Check {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Checked>, Error> {
        let session = DepartmentSession::open(ctx)?;
        let tenant = session.tenant()?;
        let list = ctx.block_on(async { Ok(session.connectors.list().await?) })?;
        let own = |name: &str| find(&list, name).filter(|seen| tenant.prefix.owns(&seen.name));
        let current = match &self.connector {
            Some(name) => Some(own(name).ok_or_else(|| {
                Error::failed(format!("department \"{}\" has no connector \"{name}\"", tenant.code))
                    .with_hint("List available connectors with `confluent ebs connector list`.")
            })?),
            None => None,
        };
        let plugin = match (&self.plugin, &current) {
            (Some(plugin), _) => plugin.clone(),
            (None, Some(seen)) => seen.class().to_owned(),
            (None, None) => String::new(),
        };
        let request = Request {
            name: current.as_ref().map_or(tenant.prefix.as_str(), |seen| &seen.name),
            plugin: &plugin,
            tasks: self.tasks,
            current: current.as_ref().map(|seen| Current {
                tasks: metered(&seen.now.info.config, seen.now.status.tasks.len()),
                plugin: seen.class().to_owned(),
            }),
        };
        let usage = Usage::of(&list, &tenant.prefix);
        let cluster = ClusterUse::of(&list, &tenant.prefix, session.sees_all);
        let decision = decide(&tenant.quota, &usage, cluster, session.ceiling, &request);
        let error = refused(tenant, &decision).err();
        let report = Report::new(Checked {
            decision,
            source: source(&session),
        });
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

/// The answer.
#[derive(Debug, Serialize)]
pub(super) struct Checked {
    #[serde(flatten)]
    decision: Decision,
    /// Where the limits are from.
    source: String,
}

impl Viewable for Checked {
    fn view(&self) -> Vec<Block> {
        let decision = &self.decision;
        let mut table = Table::new(["Quota", "Used", "Requested", "Limit", "Left"]);
        for room in &decision.rooms {
            let known = |number: Option<u32>| number.map_or("unknown".to_owned(), |number| number.to_string());
            table.push([
                Cell::text(room.dimension.words()),
                Cell::Text(known(room.used)),
                Cell::Integer(room.requested),
                room.limit.into(),
                Cell::Text(known(room.left())),
            ]);
        }
        let answer = match (decision.allowed, decision.fits) {
            (true, Some(fits)) => format!("It fits; up to {fits} tasks would."),
            (true, None) => "It fits.".to_owned(),
            (false, _) => "It does not fit.".to_owned(),
        };
        let mut lines = vec![Line::from(answer)];
        lines.extend(decision.notes.iter().map(|note| Line::from(note.as_str())));
        for room in &decision.rooms {
            if let Some(reserved) = room.reserved.filter(|reserved| *reserved > 0) {
                lines.push(
                    format!(
                        "The cluster runs {} tasks; {reserved} of them are kept in reserve.",
                        u64::from(room.limit) + u64::from(reserved)
                    )
                    .into(),
                );
            }
        }
        lines.push(format!("The limits are from {}. {ADVISORY}", self.source).into());
        vec![Block::Table(table), Block::Lines(lines)]
    }
}
