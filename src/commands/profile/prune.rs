//! `confluent ebs profile prune`.

use crate::{
    commands::{CommandOutput, Ctx, provisioning::FolderArgs},
    error::Error,
    provisioning::profile_files::{ProfileFileRow, ProfileFileState, ProfileFiles, prune_profile_files},
    render::{Block, Cell, Table, TextLine, Viewable},
    session::PlatformSession,
    text::count_noun,
};

/// Remove profiles with deleted keys from the delivery folder
///
/// For the platform team. Reads the profiles of one stage in the folder where onboarding writes them, and compares them
/// with the API keys of the organization. Removes profiles whose API keys are all deleted, and profiles without an API
/// key that are outdated because the department changed later, after a confirmation. Profiles with a valid API key
/// stay. For imported profiles, use `profile remove`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show which profiles are still valid.

  $ confluent ebs profile prune --dry-run

Remove the others.

  $ confluent ebs profile prune")]
pub(super) struct ProfilePruneArgs {
    /// Show the profiles without removing any.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    folders: FolderArgs,
}

impl ProfilePruneArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ProfileFiles>, Error> {
        let session = PlatformSession::open(&ctx.run, 8)?;
        let confirm = |files: &ProfileFiles| {
            ctx.ui.print_preview(&files.view())?;
            ctx.confirm("Remove these files?")
        };
        let pruned = prune_profile_files(&ctx.run, &session, self.folders.to_options(), self.dry_run, &confirm);
        Ok(match ctx.block_on(pruned)? {
            Some(files) => CommandOutput::new(files),
            None => CommandOutput::empty(),
        })
    }
}

impl Viewable for ProfileFiles {
    fn view(&self) -> Vec<Block> {
        let removable = self.removable().count();
        let said = match (self.removed, removable) {
            (_, 0) => format!(
                "Stage {}: no profile in `{}` can be removed.",
                self.stage,
                self.folder.display()
            ),
            (true, number) => format!(
                "Stage {}: removed {} from `{}`.",
                self.stage,
                count_noun(number, "profile"),
                self.folder.display()
            ),
            (false, number) => format!(
                "Stage {}: {} in `{}` can be removed.",
                self.stage,
                count_noun(number, "profile"),
                self.folder.display()
            ),
        };
        let mut table = Table::new(["File", "Department", "Persona", "API Keys", "State"]);
        for row in &self.files {
            table.push(cells(row));
        }
        vec![
            Block::Table(table),
            Block::line(TextLine::from(said).with_hanging_indent(2)),
        ]
    }
}

fn cells(row: &ProfileFileRow) -> [Cell; 5] {
    let keys: Vec<&str> = row.api_keys.iter().map(crate::model::ApiKeyId::as_str).collect();
    [
        Cell::Text(row.file.display().to_string()),
        Cell::text(&row.department),
        Cell::text(&row.persona),
        Cell::Text(keys.join(", ")),
        Cell::from(match row.state {
            ProfileFileState::Valid => "valid",
            ProfileFileState::Reissued => "reissued without key",
            ProfileFileState::KeyDeleted => "key deleted",
            ProfileFileState::Superseded => "superseded",
        }),
    ]
}
