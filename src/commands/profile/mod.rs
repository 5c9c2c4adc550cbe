//! `confluent ebs profile`: profiles that are imported on this machine.

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

/// Manage profiles
///
/// A profile is a file from the platform team. It holds the location of your connectors, your limits, and an API key.
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

/// Returns the trusted hosts outside of Confluent's domain.
fn trusted_hosts(ctx: &Ctx) -> Vec<String> {
    ctx.run.options.trusted_hosts.clone()
}

/// Loads the profile at `path`.
fn load_profile(ctx: &Ctx, path: &Path) -> Result<LoadedProfile, Error> {
    let loaded = Profile::load(path, &trusted_hosts(ctx))
        .map_err(|findings| Error::findings(format!("invalid profile `{}`", path.display()), findings))?;
    for warning in &loaded.warnings {
        ctx.ui.warn(&warning.message);
    }
    Ok(loaded)
}

/// Returns the names of the imported profiles, sorted.
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
