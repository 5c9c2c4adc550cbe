//! `confluent ebs sandbox reset`.

use serde::Serialize;

use super::{default_folder, load_platform, settings::SandboxBehaviourArgs};
use crate::{
    commands::{CommandOutput, Ctx},
    error::{Error, ResultExt},
    render::{Block, Viewable},
    sandbox::{Sandbox, SandboxError, Seed},
    session,
};

/// Delete the state of the sandbox
///
/// Deletes all accounts, role bindings, keys and connectors, and the profiles, journals and evidence of the sandbox, and
/// starts its clock again. The keys of its administrator and of its provisioner stay valid.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Delete the state.

  $ confluent ebs sandbox reset --yes

Delete the state, and simulate the delays of Confluent Cloud from now on.

  $ confluent ebs sandbox reset --yes --timing real")]
pub(super) struct SandboxResetArgs {
    #[command(flatten)]
    behaviour: SandboxBehaviourArgs,
}

impl SandboxResetArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<SandboxResetOutput>, Error> {
        if !ctx.confirm("Are you sure you want to reset the sandbox?")? {
            return Ok(CommandOutput::empty());
        }
        let folder = default_folder(ctx)?;
        let workspace = load_platform(ctx)?;
        let seed = session::build_seed(&workspace);
        let sandbox = match Sandbox::open_at(&folder, seed.clone(), None, session::sandbox_start(&ctx.run)?) {
            // A sandbox of another organization is opened as it is, because a reset replaces it.
            Err(SandboxError::OtherOrganization { found, .. }) => {
                let other = Seed {
                    organization: found,
                    ..Seed::default()
                };
                Sandbox::open(&folder, other, None)?
            }
            opened => opened?,
        };
        let settings = self.behaviour.apply(&sandbox.settings()?)?;
        sandbox.reset(Some(seed), settings)?;
        for made in ["handover", "evidence", "runs", "backups"] {
            let made = folder.join(made);
            if made.exists() {
                std::fs::remove_dir_all(&made).with_context(|| format!("cannot remove `{}`", made.display()))?;
            }
        }
        Ok(CommandOutput::new(SandboxResetOutput {
            reset: true,
            organization: sandbox.info(false)?.organization,
        }))
    }
}

/// Result of a reset.
#[derive(Debug, Serialize)]
pub(super) struct SandboxResetOutput {
    reset: bool,
    organization: String,
}

impl Viewable for SandboxResetOutput {
    fn view(&self) -> Vec<Block> {
        vec![Block::line(format!(
            "Reset the sandbox of organization `{}`.",
            self.organization
        ))]
    }
}
