//! `confluent ebs profile remove`.

use std::path::PathBuf;

use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    render::{Block, Viewable},
    session::profiles::remove_profile,
};

/// Remove an imported profile
///
/// The file is deleted with the only copy of its secret on this machine. The API key stays valid; to end it, ask the
/// platform team to revoke it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Remove a profile whose key was replaced.

  $ confluent ebs profile remove claims-operator")]
pub(super) struct ProfileRemoveArgs {
    /// Name of the profile.
    #[arg(value_name = "name")]
    name: String,
}

impl ProfileRemoveArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ProfileRemoveOutput>, Error> {
        let question = format!("Remove profile `{}` with its API secret?", self.name);
        if !ctx.confirm(&question)? {
            return Ok(CommandOutput::empty());
        }
        let file = remove_profile(&ctx.run, &self.name)?;
        Ok(CommandOutput::new(ProfileRemoveOutput { name: self.name, file }))
    }
}

/// Removed profile.
#[derive(Debug, Serialize)]
pub(super) struct ProfileRemoveOutput {
    name: String,
    file: PathBuf,
}

impl Viewable for ProfileRemoveOutput {
    fn view(&self) -> Vec<Block> {
        vec![Block::line(format!("Removed profile `{}`.", self.name))]
    }
}
