//! `confluent ebs profile`: what a department holds, kept by name on this computer.

mod import;
mod list;
mod show;
mod use_profile;

use std::path::Path;

use clap::Subcommand;

use super::{Ctx, command_output};
use crate::{
    config::{LoadedProfile, Profile, StandardDirs},
    error::Error,
    exit::ExitCode,
};

/// Manage profiles.
///
/// A profile says where a department's connectors live, what it may use, and with which key. The platform team hands it
/// over as a file.
#[derive(Debug, clap::Args)]
#[command(name = "profile", subcommand_required = true, arg_required_else_help = true)]
pub(super) struct ProfileArgs {
    #[command(subcommand)]
    command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
enum ProfileCommand {
    Import(import::ProfileImportArgs),
    List(list::ProfileListArgs),
    Show(show::ProfileShowArgs),
    Use(use_profile::ProfileUseArgs),
}

impl ProfileArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            ProfileCommand::Import(command) => command_output::finish(command.run(ctx), ctx),
            ProfileCommand::List(_) => command_output::finish(list::ProfileListArgs::run(ctx), ctx),
            ProfileCommand::Show(command) => command_output::finish(command.run(ctx), ctx),
            ProfileCommand::Use(command) => command_output::finish(command.run(ctx), ctx),
        }
    }
}

/// The hosts outside Confluent's domain that the user trusts.
fn trusted_hosts(ctx: &Ctx) -> Vec<String> {
    ctx.run.options.trusted_hosts.clone()
}

/// Reads the profile at `path`.
fn load_profile(ctx: &Ctx, path: &Path) -> Result<LoadedProfile, Error> {
    let loaded = Profile::load(path, &trusted_hosts(ctx))
        .map_err(|findings| Error::findings(format!("profile \"{}\" cannot be used", path.display()), findings))?;
    for warning in &loaded.warnings {
        ctx.ui.warn(&warning.message);
    }
    Ok(loaded)
}

/// The names of the profiles that are kept, sorted.
fn profile_names(folders: &StandardDirs) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folders.profiles()) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}
