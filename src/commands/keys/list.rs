//! `confluent ebs keys list`.

use crate::{
    commands::{CommandOutput, Ctx, provisioning::FolderArgs},
    error::Error,
    model::DepartmentCode,
    provisioning::keys::{KeyListRow, KeysListInput, list_keys},
    render::{Cell, RowList, TableRow},
    resources::api_key::ApiKeyStatus,
    session::PlatformSession,
};

/// List the API keys of departments
///
/// Lists the keys of one stage: the age of each key, when it was last tested, and whether it is delivered, pending,
/// orphaned or unrecorded.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
List the keys of all departments.

  $ confluent ebs keys list

List the keys of a department for a script.

  $ confluent ebs keys list claims -o json")]
pub(super) struct KeysListArgs {
    /// Department codes. Without codes, the keys of all departments are listed.
    #[arg(value_name = "department")]
    departments: Vec<DepartmentCode>,
    #[command(flatten)]
    folders: FolderArgs,
}

impl KeysListArgs {
    pub(super) fn run(mut self, ctx: &mut Ctx) -> Result<CommandOutput<RowList<KeyListRow>>, Error> {
        let session = PlatformSession::open(&ctx.run, 8)?;
        if self.departments.is_empty() {
            self.departments.extend(ctx.run.options.department.clone());
        }
        let input = KeysListInput {
            departments: self.departments,
            options: self.folders.to_options(),
        };
        let rows = ctx.block_on_reading(list_keys(&ctx.run, &session, input))?;
        Ok(CommandOutput::new(RowList::new(rows)))
    }
}

impl TableRow for KeyListRow {
    const COLUMNS: &'static [&'static str] = &[
        "Stage",
        "Department",
        "Persona",
        "API Key",
        "Resource",
        "Age",
        "Probed",
        "State",
    ];
    const OPTIONAL_COLUMNS: &'static [&'static str] = &["Probed", "Resource"];

    fn cells(&self) -> Vec<Cell> {
        let days = |days: Option<i64>| Cell::Text(days.map_or_else(String::new, |days| format!("{days} d")));
        vec![
            Cell::text(&self.stage),
            Cell::text(&self.department),
            Cell::text(&self.persona),
            Cell::text(&self.api_key),
            Cell::text(&self.resource),
            days(self.age_days),
            days(self.probed_days),
            Cell::from(match self.state {
                ApiKeyStatus::Delivered => "delivered",
                ApiKeyStatus::Pending => "pending",
                ApiKeyStatus::Orphaned => "orphaned",
                ApiKeyStatus::Unrecorded => "unrecorded",
            }),
        ]
    }
}
