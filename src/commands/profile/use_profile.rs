//! `confluent ebs profile use`.

use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    render::{Block, Viewable},
    session::profiles::set_default_profile,
};

/// Select the default profile
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Make a profile the default.

  $ confluent ebs profile use claims-operator")]
pub(super) struct ProfileUseArgs {
    /// Name of the profile.
    #[arg(value_name = "name")]
    name: String,
}

impl ProfileUseArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ProfileUseOutput>, Error> {
        set_default_profile(&ctx.run, &self.name)?;
        Ok(CommandOutput::new(ProfileUseOutput { name: self.name }))
    }
}

/// Selected profile.
#[derive(Debug, Serialize)]
pub(super) struct ProfileUseOutput {
    name: String,
}

impl Viewable for ProfileUseOutput {
    fn view(&self) -> Vec<Block> {
        vec![Block::line(format!("Using profile `{}`.", self.name))]
    }
}
