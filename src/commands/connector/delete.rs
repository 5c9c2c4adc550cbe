//! `confluent ebs connector delete`.

use std::time::Duration;

use serde::Serialize;

use super::{args::BackupArgs, lifecycle};
use crate::{
    commands::{CommandOutput, Ctx},
    connectors::{BackupFile, execution, selectors},
    error::Error,
    plan::ConnectorPlan,
    render::{Block, TextLine, Viewable},
    resources::connector::LiveConnector,
    session::ConnectorSession,
    text,
};

/// Delete one or more connectors
///
/// Configuration and offsets are saved to a file first, which "connector create" accepts. A new connector of the same
/// name starts without offsets unless you create it from that file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Delete a connector.

  $ confluent ebs connector delete lcc-123456

Delete two connectors without a confirmation prompt.

  $ confluent ebs connector delete claims-orders claims-invoices --force")]
pub(super) struct ConnectorDeleteArgs {
    /// IDs or names of connectors.
    #[arg(value_name = "id", required = true)]
    connectors: Vec<String>,
    /// Skip the confirmation prompt.
    #[arg(long)]
    force: bool,
    /// Show the connectors without deleting them.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    backup: BackupArgs,
}

impl ConnectorDeleteArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ConnectorDeleteOutput>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        selectors::reject_foreign_names(session.department.as_ref(), &self.connectors)?;
        let observed = ctx.block_on(async {
            let list = session.connectors.list_selected(&self.connectors).await?;
            selectors::select(&session, &list, &self.connectors)
        })?;
        if self.dry_run {
            return Ok(CommandOutput::new(ConnectorDeleteOutput::new(
                &observed,
                Vec::new(),
                true,
            )));
        }
        let ids: Vec<&str> = observed.iter().map(LiveConnector::id).collect();
        let noun = if ids.len() == 1 { "connector" } else { "connectors" };
        let question = format!("Are you sure you want to delete {noun} {}?", text::join_quoted(&ids));
        if !self.force && !ctx.globals.yes && !ctx.confirm(&question)? {
            return Ok(CommandOutput::empty());
        }
        ctx.block_on(self.delete(ctx, &session, &observed))
    }

    async fn delete(
        &self,
        ctx: &Ctx,
        session: &ConnectorSession,
        observed: &[LiveConnector],
    ) -> Result<CommandOutput<ConnectorDeleteOutput>, Error> {
        let department = session
            .department
            .as_ref()
            .map(|department_context| &department_context.code);
        let mut plan = ConnectorPlan::default();
        let mut backup = Vec::new();
        for connector in observed {
            backup.extend(
                self.backup
                    .policy()
                    .backup(&ctx.run, &session.connectors, &session.backup_dir, connector, true)
                    .await?,
            );
            plan.delete(department, connector);
        }
        let execution = execution::execute(
            &ctx.run,
            &session.connectors,
            &session.journal_path,
            "connector delete",
            &plan,
            Duration::ZERO,
            Duration::ZERO,
        )
        .await?;
        let gone: Vec<LiveConnector> = observed
            .iter()
            .enumerate()
            .filter(|(place, _)| execution.is_done(*place))
            .map(|(_, observed)| observed.clone())
            .collect();
        let deleted = ConnectorDeleteOutput::new(&gone, backup, false);
        // Standard output is the same as in the Confluent CLI.
        ctx.ui.print_message(&deleted.notes());
        let report = match gone.is_empty() {
            true => CommandOutput::empty(),
            false => CommandOutput::new(deleted),
        };
        Ok(match execution.into_error(session.department.as_ref(), &plan) {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

/// Deleted connectors.
#[derive(Debug, Serialize)]
pub(super) struct ConnectorDeleteOutput {
    dry_run: bool,
    connectors: Vec<DeletedConnectorRow>,
}

#[derive(Debug, Serialize)]
struct DeletedConnectorRow {
    id: String,
    name: String,
    /// Effect of creating a connector of the same name again.
    if_recreated: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<BackupFile>,
}

impl ConnectorDeleteOutput {
    fn new(observed: &[LiveConnector], mut backup: Vec<BackupFile>, dry_run: bool) -> Self {
        let named = |observed: &LiveConnector| DeletedConnectorRow {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            if_recreated: restart_note(observed),
            backup: backup
                .iter()
                .position(|backup| backup.name == observed.name)
                .map(|place| backup.swap_remove(place)),
        };
        Self {
            dry_run,
            connectors: observed.iter().map(named).collect(),
        }
    }
}

impl ConnectorDeleteOutput {
    /// Returns notes about the backup and about a new connector of the same name.
    fn notes(&self) -> Vec<Block> {
        let mut lines = Vec::new();
        for named in &self.connectors {
            let again = format!("If recreated without offsets, `{}` {}.", named.name, named.if_recreated);
            lines.push(TextLine::from(again).with_hanging_indent(2));
            let Some(backup) = &named.backup else { continue };
            let what = match backup.has_offsets {
                true => "configuration and offsets",
                false => "configuration, without offsets",
            };
            lines.push(TextLine::from(format!("Saved {what} to `{}`.", backup.path.display())).with_hanging_indent(2));
            lines.extend(
                backup
                    .secrets_hint()
                    .map(|needs| TextLine::from(needs).with_hanging_indent(2)),
            );
        }
        match lines.is_empty() {
            true => Vec::new(),
            false => vec![Block::Lines(lines)],
        }
    }
}

/// Returns the effect of recreating the connector without offsets: a new id, and with it a new consumer group or a new
/// place for its source position (docs/reference/connect.md#connector-names).
fn restart_note(observed: &LiveConnector) -> &'static str {
    match observed.direction().to_ascii_lowercase().as_str() {
        "sink" => "reads its topics from the beginning",
        "source" => "reads its source from the beginning",
        _ => "starts from the beginning",
    }
}

impl Viewable for ConnectorDeleteOutput {
    fn view(&self) -> Vec<Block> {
        let ids: Vec<&str> = self.connectors.iter().map(|named| named.id.as_str()).collect();
        let dry = if self.dry_run { "[DRY RUN] " } else { "" };
        vec![Block::line(format!(
            "{dry}{}",
            lifecycle::result_sentence("Deleted", &ids)
        ))]
    }
}
