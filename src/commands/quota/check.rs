//! `confluent ebs quota check`.

use serde::Serialize;

use super::DepartmentSession;
use crate::{
    commands::{Ctx, Report},
    error::Error,
    quota::{ClusterUse, Decision, Request, Usage, decide},
    render::{Block, Cell, Line, Table, Viewable},
};

/// Check whether a department may have another connector.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Ask for a connector with two tasks.

  $ confluent ebs quota check --plugin DatagenSource --tasks 2")]
pub(super) struct Check {
    /// Plugin of the connector.
    #[arg(long, value_name = "string", required = true)]
    plugin: String,
    /// Its number of tasks.
    #[arg(long, value_name = "int", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    tasks: u32,
}

impl Check {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Checked>, Error> {
        let session = DepartmentSession::open(ctx)?;
        let tenant = session.tenant()?;
        let list = ctx.block_on(async { Ok(session.connectors.list().await?) })?;
        let request = Request {
            name: tenant.prefix.as_str(),
            plugin: &self.plugin,
            tasks: self.tasks,
            current: None,
        };
        let usage = Usage::of(&list, &tenant.prefix);
        let cluster = ClusterUse::of(&list, &tenant.prefix, session.sees_all);
        let decision = decide(&tenant.quota, &usage, cluster, session.ceiling, &request);
        let error = (!decision.allowed).then(|| {
            let messages: Vec<&str> = decision.denials.iter().map(|denial| denial.message.as_str()).collect();
            let mut error = Error::refused(messages.join("; "));
            for remedy in decision.denials.iter().flat_map(|denial| &denial.remedies) {
                if !error.hints.iter().any(|hint| hint.as_str() == remedy) {
                    error = error.with_hint(remedy.clone());
                }
            }
            error
        });
        let report = Report::new(Checked { decision });
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Checked {
    decision: Decision,
}

impl Viewable for Checked {
    fn view(&self) -> Vec<Block> {
        let mut table = Table::new(["Quota", "Used", "Requested", "Limit"]);
        for room in &self.decision.rooms {
            let used = room.used.map_or("unknown".to_owned(), |used| used.to_string());
            table.push([
                Cell::text(room.dimension.words()),
                Cell::Text(used),
                Cell::Integer(room.requested),
                room.limit.into(),
            ]);
        }
        let answer = if self.decision.allowed {
            "It fits."
        } else {
            "It does not fit."
        };
        let notes = self.decision.notes.iter().map(|note| Line::from(note.as_str()));
        vec![
            Block::Table(table),
            Block::Lines(std::iter::once(Line::from(answer)).chain(notes).collect()),
        ]
    }
}
