//! `confluent ebs profile use`.

use serde::Serialize;

use super::{load_profile, profile_names};
use crate::{
    commands::{CommandOutput, Ctx},
    config::save::{IfExists, save},
    error::Error,
    hint::closest_match,
    render::{Block, Viewable},
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
        let folders = ctx.run.environment.dirs()?;
        let known = profile_names(folders);
        if !known.contains(&self.name) {
            let error = Error::failed(format!("profile `{}` not found", self.name));
            return Err(match closest_match(&self.name, known.iter().map(String::as_str)) {
                Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                None => error.with_hint("Import a profile with `confluent ebs profile import`."),
            });
        }
        load_profile(ctx, &folders.profile(&self.name))?;
        save(&folders.current_profile_file(), self.name.as_bytes(), IfExists::Replace)?;
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
