//! `confluent ebs connector delete`.

use serde::Serialize;

use super::{DepartmentSession, lifecycle, names};
use crate::{
    commands::{Ctx, Report},
    error::Error,
    render::{Block, Viewable, words},
    resources::{ResourceError, connector::Seen},
};

/// Delete one or more connectors.
///
/// A connector that is created again under the same name is another one: it begins from the start unless offsets are
/// given.
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
}

impl Delete {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Deleted>, Error> {
        let session = DepartmentSession::open(ctx)?;
        names::refuse_foreign(session.tenant.as_ref(), &self.connectors)?;
        let seen = ctx.block_on(async {
            let list = session.connectors.list().await?;
            names::resolve(&session, &list, &self.connectors)
        })?;
        if self.dry_run {
            return Ok(Report::new(Deleted::of(&seen, true)));
        }
        let ids: Vec<&str> = seen.iter().map(Seen::id).collect();
        let noun = if ids.len() == 1 { "connector" } else { "connectors" };
        let question = format!("Are you sure you want to delete {noun} {}?", words::quoted(&ids));
        if !self.force && !ctx.globals.yes && !ctx.confirm(&question)? {
            return Ok(Report::nothing());
        }
        ctx.block_on(delete(ctx, &session, &seen))
    }
}

async fn delete(ctx: &Ctx, session: &DepartmentSession, seen: &[Seen]) -> Result<Report<Deleted>, Error> {
    // The question may have stood for a while.
    let list = session.connectors.list().await?;
    let mut deleted = Vec::new();
    let mut failures = Vec::new();
    for connector in seen {
        if ctx.interrupt.is_wished() {
            failures.push(Error::new(crate::error::ErrorKind::Interrupted, "interrupted"));
            break;
        }
        let result = match list.get(&connector.name) {
            Some(now) if now.id != connector.now.id => Err(ResourceError::Stale {
                what: format!("connector `{}`", connector.name),
                expected: connector.id().to_owned(),
                found: now.id.id.clone(),
            }),
            _ => session.connectors.delete(connector).await,
        };
        match result {
            Ok(()) => deleted.push(connector.clone()),
            Err(error) => failures.push(Error::from(error).context(format!("failed to delete \"{}\"", connector.id()))),
        }
    }
    let some = !deleted.is_empty();
    let report = if some {
        Report::new(Deleted::of(&deleted, false))
    } else {
        Report::nothing()
    };
    Ok(match lifecycle::together(failures, some) {
        Some(error) => report.with_error(error),
        None => report,
    })
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
}

impl Deleted {
    fn of(seen: &[Seen], dry_run: bool) -> Self {
        let named = |seen: &Seen| Named {
            id: seen.id().to_owned(),
            name: seen.name.clone(),
        };
        Self {
            dry_run,
            connectors: seen.iter().map(named).collect(),
        }
    }
}

impl Viewable for Deleted {
    fn view(&self) -> Vec<Block> {
        let ids: Vec<&str> = self.connectors.iter().map(|named| named.id.as_str()).collect();
        let dry = if self.dry_run { "[DRY RUN] " } else { "" };
        vec![Block::line(format!("{dry}{}", lifecycle::sentence("Deleted", &ids)))]
    }
}
