//! `confluent ebs connector delete`.

use std::time::Duration;

use serde::Serialize;

use super::{
    DepartmentSession, lifecycle, names, run,
    saving::{SaveArgs, Saved},
};
use crate::{
    commands::{Ctx, Report},
    error::Error,
    plan::ConnectorPlan,
    render::{Block, Line, Viewable, words},
    resources::connector::Seen,
};

/// Delete one or more connectors.
///
/// Configuration and offsets are saved first, as a file that "connector create" takes. A connector that is created again
/// under the same name is another one: it begins from the start unless it is created from such a file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Delete a connector.

  $ confluent ebs connector delete lcc-123456

Delete two without being asked.

  $ confluent ebs connector delete claims-orders claims-invoices --force")]
pub(super) struct Delete {
    /// IDs or names of connectors.
    #[arg(value_name = "id", required = true)]
    connectors: Vec<String>,
    /// Skip the deletion confirmation prompt.
    #[arg(long)]
    force: bool,
    /// Run the command without committing changes.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    save: SaveArgs,
}

impl Delete {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Deleted>, Error> {
        let session = DepartmentSession::open(ctx)?;
        names::refuse_foreign(session.tenant.as_ref(), &self.connectors)?;
        let seen = ctx.block_on(async {
            let list = session.connectors.look(&self.connectors).await?;
            names::resolve(&session, &list, &self.connectors)
        })?;
        if self.dry_run {
            return Ok(Report::new(Deleted::of(&seen, Vec::new(), true)));
        }
        let ids: Vec<&str> = seen.iter().map(Seen::id).collect();
        let noun = if ids.len() == 1 { "connector" } else { "connectors" };
        let question = format!("Are you sure you want to delete {noun} {}?", words::quoted(&ids));
        if !self.force && !ctx.globals.yes && !ctx.confirm(&question)? {
            return Ok(Report::nothing());
        }
        ctx.block_on(self.delete(ctx, &session, &seen))
    }

    async fn delete(&self, ctx: &Ctx, session: &DepartmentSession, seen: &[Seen]) -> Result<Report<Deleted>, Error> {
        let department = session.tenant.as_ref().map(|tenant| &tenant.code);
        let mut plan = ConnectorPlan::default();
        let mut saved = Vec::new();
        for connector in seen {
            saved.extend(
                self.save
                    .save(ctx, &session.connectors, &session.saved, connector, true)
                    .await?,
            );
            plan.delete(department, connector);
        }
        let ran = run::run(
            ctx,
            &session.connectors,
            &session.journal,
            "connector delete",
            &plan,
            Duration::ZERO,
            Duration::ZERO,
        )
        .await?;
        let gone: Vec<Seen> = seen
            .iter()
            .enumerate()
            .filter(|(place, _)| ran.was_made(*place))
            .map(|(_, seen)| seen.clone())
            .collect();
        let deleted = Deleted::of(&gone, saved, false);
        // Standard output is what the stock CLI prints.
        ctx.ui.say(&deleted.remarks());
        let report = match gone.is_empty() {
            true => Report::nothing(),
            false => Report::new(deleted),
        };
        Ok(match ran.error(session.tenant.as_ref(), &plan) {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

/// What was deleted.
#[derive(Debug, Serialize)]
pub(super) struct Deleted {
    dry_run: bool,
    connectors: Vec<Named>,
}

#[derive(Debug, Serialize)]
struct Named {
    id: String,
    name: String,
    /// What happens when it is created again.
    replay: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<Saved>,
}

impl Deleted {
    fn of(seen: &[Seen], mut saved: Vec<Saved>, dry_run: bool) -> Self {
        let named = |seen: &Seen| Named {
            id: seen.id().to_owned(),
            name: seen.name.clone(),
            replay: replay(seen),
            saved: saved
                .iter()
                .position(|saved| saved.name == seen.name)
                .map(|place| saved.swap_remove(place)),
        };
        Self {
            dry_run,
            connectors: seen.iter().map(named).collect(),
        }
    }
}

impl Deleted {
    /// What was saved, and what a connector of the same name would do.
    fn remarks(&self) -> Vec<Block> {
        let mut lines = Vec::new();
        for named in &self.connectors {
            let again = format!("Created again without offsets, \"{}\" {}.", named.name, named.replay);
            lines.push(Line::from(again).hang(2));
            let Some(saved) = &named.saved else { continue };
            let what = match saved.offsets {
                true => "configuration and offsets",
                false => "configuration, without offsets",
            };
            lines.push(Line::from(format!("Saved ({what}) to {}.", saved.path.display())).hang(2));
            lines.extend(saved.needs().map(|needs| Line::from(needs).hang(2)));
        }
        match lines.is_empty() {
            true => Vec::new(),
            false => vec![Block::Lines(lines)],
        }
    }
}

/// What a connector of the same name does that is created without offsets: it has another id, and with it another
/// consumer group or another place to keep its position (dossier `connect.md` §4.5).
fn replay(seen: &Seen) -> &'static str {
    match seen.direction().to_ascii_lowercase().as_str() {
        "sink" => "reads its topics from the beginning",
        "source" => "reads its source from the beginning",
        _ => "begins from the start",
    }
}

impl Viewable for Deleted {
    fn view(&self) -> Vec<Block> {
        let ids: Vec<&str> = self.connectors.iter().map(|named| named.id.as_str()).collect();
        let dry = if self.dry_run { "[DRY RUN] " } else { "" };
        vec![Block::line(format!("{dry}{}", lifecycle::sentence("Deleted", &ids)))]
    }
}
