//! `confluent ebs init`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{CommandOutput, Ctx};
use crate::{
    config::{IfExists, save::save_public},
    error::{Error, ResultExt},
    manifest::{
        admin::AdminScript,
        schema::{FileKind, SCHEMA_FOLDER, hint_line},
        workspace::{DEPARTMENTS, PLATFORM_FILE},
    },
    render::{Block, Viewable},
    session::{self, Settings, discovery::DiscoveredOrganization, schema_files::save_schemas},
};

/// Create ebs.toml from an existing organization
///
/// With a Cloud API key of an administrator or of the provisioner, the command discovers the organization, its
/// environments and Kafka clusters, and writes one stage for each environment that has a cluster. With --print, it
/// prints the Confluent CLI commands with which an organization administrator creates the provisioner once; this needs
/// neither a key nor a network. Beside ebs.toml, the command writes the schemas of platform files for editors to .schemas.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Write ebs.toml to the current directory.

  $ confluent ebs init

Show the commands that create the provisioner for the stages in ebs.toml.

  $ confluent ebs init --print")]
pub(super) struct InitArgs {
    /// Print the commands that create the provisioner, for an organization administrator.
    #[arg(long)]
    print: bool,
    /// Discover the organization with the login of the Confluent CLI instead of a Cloud API key.
    #[arg(long, conflicts_with = "print")]
    from_login: bool,
    /// Show ebs.toml without writing it.
    #[arg(long)]
    dry_run: bool,
}

impl InitArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<InitOutput>, Error> {
        if self.print {
            return render_admin_script(ctx).map(CommandOutput::new);
        }
        let here = ctx.run.environment.working_dir()?.to_owned();
        let path = here.join(PLATFORM_FILE);
        if path.exists() && !self.dry_run {
            return Err(Error::failed(format!("`{}` already exists", path.display()))
                .with_hint("Edit the file and check it with `confluent ebs department validate`."));
        }
        let found = if self.from_login {
            DiscoveredOrganization::from_login(&ctx.run)?
        } else {
            ctx.block_on_reading(DiscoveredOrganization::from_key(&ctx.run))?
        };
        let kind = FileKind::Platform;
        let text = hint_line(kind, Path::new(""), &kind.file_name()) + &found.to_toml();
        if !self.dry_run {
            // The first line of `ebs.toml` names one of them.
            save_schemas(&here.join(SCHEMA_FOLDER))?;
            save_public(&path, text.as_bytes(), IfExists::Keep)?;
            std::fs::create_dir_all(here.join(DEPARTMENTS)).context("cannot create the `departments` directory")?;
        }
        Ok(CommandOutput::new(InitOutput::Written {
            file: path,
            dry_run: self.dry_run,
            text,
        }))
    }
}

/// Returns the commands that create the provisioner. The platform configuration only provides the ids.
fn render_admin_script(ctx: &Ctx) -> Result<InitOutput, Error> {
    let (workspace, _) = session::load_valid_workspace(&ctx.run, ctx.run.options.is_sandbox())?;
    let selected;
    let stages: Vec<&str> = match &ctx.run.options.stage {
        Some(_) => {
            (selected, _) = Settings::resolve(&ctx.run, None, Some(&workspace)).platform_stage(&workspace)?;
            vec![&selected]
        }
        None => workspace.platform.stages.keys().map(String::as_str).collect(),
    };
    Ok(InitOutput::Printed(AdminScript::new(&workspace.platform, &stages)))
}

/// Result of `init`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum InitOutput {
    Printed(AdminScript),
    Written { file: PathBuf, dry_run: bool, text: String },
}

impl Viewable for InitOutput {
    fn view(&self) -> Vec<Block> {
        match self {
            Self::Printed(script) => vec![Block::Verbatim(script.to_text())],
            Self::Written {
                dry_run: true, text, ..
            } => vec![Block::Verbatim(text.clone())],
            Self::Written { file, .. } => vec![
                Block::line(format!("Created `{}`.", file_name(file))),
                Block::line(
                    "Next: run `confluent ebs department new CODE`, and `confluent ebs init --print` to create the provisioner.",
                ),
            ],
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}
