//! `confluent ebs connector delete`.

use super::{args::BackupArgs, lifecycle, show};
use crate::{
    commands::{CommandOutput, Ctx},
    connectors::{
        deletion::{DeletedConnectors, delete, restart_note},
        selectors,
    },
    error::Error,
    hint::shell_quote,
    render::{Block, TextLine, Viewable},
    resources::connector::LiveConnector,
    session::{ConnectorSession, Options},
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
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<DeletedConnectors>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let observed = ctx.block_on_reading(selectors::find_several(&session, &self.connectors, false))?;
        if self.dry_run {
            return Ok(CommandOutput::new(DeletedConnectors::planned(
                &observed,
                &self.connectors,
            )));
        }
        if !self.force {
            let names: Vec<String> = observed
                .iter()
                .map(|one| selectors::shown_name(one, &self.connectors))
                .collect();
            let noun = if names.len() == 1 { "connector" } else { "connectors" };
            ctx.ui.print_message(&[consequences(&observed)]);
            let question = format!("Are you sure you want to delete {noun} {}?", text::join_quoted(&names));
            if !ctx.confirm(&question)? {
                return Ok(CommandOutput::empty());
            }
        }
        let backup = self.backup.policy();
        let result = ctx.block_on(delete(&ctx.run, &session, &observed, &self.connectors, &backup))?;
        // Standard output is the same as in the Confluent CLI.
        if let Some(deleted) = &result.value {
            ctx.ui.print_message(&[notes(deleted, &ctx.run.options)]);
        }
        Ok(result.into())
    }
}

/// Returns what is about to be deleted, one line per connector.
fn consequences(observed: &[LiveConnector]) -> Block {
    let line = |one: &LiveConnector| {
        TextLine::from(format!(
            "{} ({}, {}) is {}. If recreated without offsets, it {}.",
            one.name,
            one.id(),
            one.class(),
            one.state(),
            restart_note(one)
        ))
        .with_hanging_indent(2)
    };
    Block::Lines(observed.iter().map(line).collect())
}

/// Returns notes about the backup and about a new connector of the same name.
fn notes(deleted: &DeletedConnectors, options: &Options) -> Block {
    let mut lines = Vec::new();
    for connector in &deleted.connectors {
        lines.push(format!(
            "If recreated without offsets, `{}` {}.",
            connector.name, connector.if_recreated
        ));
        let Some(backup) = &connector.backup else { continue };
        let content = if backup.has_offsets {
            "configuration and offsets"
        } else {
            "configuration, without offsets"
        };
        lines.push(format!("Saved {content} to `{}`.", backup.path.display()));
        let file = shell_quote(&backup.path.display().to_string());
        let create = options.suggest(&format!("connector create --config-file {file}"));
        lines.push(format!("Recreate it with `{create}`."));
        lines.extend(backup.secrets_hint());
    }
    let lines = lines
        .into_iter()
        .map(|line| TextLine::from(line).with_hanging_indent(2));
    Block::Lines(lines.collect())
}

impl Viewable for DeletedConnectors {
    fn view(&self) -> Vec<Block> {
        let names = self.connectors.iter().map(|connector| connector.shown_name.as_str());
        let sentence = lifecycle::result_sentence("Deleted", &names.collect::<Vec<_>>());
        vec![if self.dry_run {
            show::dry_run(&sentence)
        } else {
            Block::line(sentence)
        }]
    }
}
