//! `confluent ebs keys revoke`.

use super::view::plan_blocks;
use crate::{
    commands::{CommandOutput, Ctx, provisioning::HandoverArgs},
    error::Error,
    model::ApiKeyId,
    provisioning::keys::{KeysOutcome, RevokeInput, Urgency, revoke_keys},
    session::PlatformSession,
    text,
};

/// Delete API keys
///
/// Shows which persona loses which access, and refuses to delete the only working key of a persona. For a leaked key,
/// --now deletes it immediately, creates a new key, tests it and delivers it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Delete a key that has been replaced.

  $ confluent ebs keys revoke ABCDEFGHIJKLMNOP

Delete a leaked key immediately, and create a new one for its persona.

  $ confluent ebs keys revoke ABCDEFGHIJKLMNOP --now --yes")]
pub(super) struct KeysRevokeArgs {
    /// IDs of API keys.
    #[arg(value_name = "api-key", required = true)]
    keys: Vec<ApiKeyId>,
    /// Delete the keys even if they are the only ones, and create new ones.
    #[arg(long)]
    now: bool,
    /// Do not create new keys.
    #[arg(long, requires = "now")]
    no_replace: bool,
    /// Skip the deletion confirmation prompt.
    #[arg(long)]
    force: bool,
    /// Show the plan without committing changes.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    handover: HandoverArgs,
}

impl KeysRevokeArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<KeysOutcome>, Error> {
        let session = PlatformSession::open(&ctx.run, 8)?;
        let input = RevokeInput {
            keys: self.keys.clone(),
            urgency: match (self.now, self.no_replace) {
                (false, _) => Urgency::AfterReplacement,
                (true, false) => Urgency::ImmediateWithReplacement,
                (true, true) => Urgency::Immediate,
            },
            dry_run: self.dry_run,
            options: self.handover.to_options()?,
        };
        let confirm = |planned: &KeysOutcome| self.confirm(ctx, planned);
        let Some(outcome) = ctx.block_on(revoke_keys(&ctx.run, &session, input, &confirm))? else {
            return Ok(CommandOutput::empty());
        };
        let error = outcome.error();
        Ok(CommandOutput::new(outcome).with_error_if_any(error))
    }

    fn confirm(&self, ctx: &Ctx, planned: &KeysOutcome) -> Result<bool, Error> {
        if self.force || ctx.globals.yes {
            return Ok(true);
        }
        ctx.ui.print_preview(&plan_blocks(planned))?;
        let ids: Vec<&str> = self.keys.iter().map(ApiKeyId::as_str).collect();
        let noun = if ids.len() == 1 { "API key" } else { "API keys" };
        ctx.confirm(&format!(
            "Are you sure you want to delete {noun} {}?",
            text::join_quoted(&ids)
        ))
    }
}
