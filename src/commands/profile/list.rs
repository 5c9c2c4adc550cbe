//! `confluent ebs profile list`.

use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx},
    config::Profile,
    error::Error,
    render::{Cell, RowList, TableRow},
    session::profiles::imported_profiles,
};

/// List profiles
#[derive(Debug, clap::Args)]
#[command(after_help = "\
List the imported profiles.

  $ confluent ebs profile list")]
pub(super) struct ProfileListArgs {}

impl ProfileListArgs {
    pub(super) fn run(ctx: &mut Ctx) -> Result<CommandOutput<RowList<ProfileRow>>, Error> {
        let folders = ctx.run.environment.dirs()?;
        let current = folders.current_profile();
        let rows = imported_profiles(folders).into_iter().map(|name| {
            // An invalid profile is listed, too.
            let profile = Profile::load(&folders.profile(&name), &ctx.run.options.trusted_hosts)
                .ok()
                .map(|loaded| loaded.profile);
            let facts = profile.as_ref().map(|profile| &profile.facts);
            let text = |fact: Option<String>| fact.unwrap_or_else(|| "unreadable".to_owned());
            ProfileRow {
                is_current: current.as_deref() == Some(name.as_str()),
                department: text(facts.map(|facts| facts.department.to_string())),
                persona: text(facts.map(|facts| facts.persona.clone())),
                stage: text(facts.map(|facts| facts.stage.clone())),
                endpoint: text(profile.as_ref().map(|profile| profile.endpoint.to_string())),
                name,
            }
        });
        Ok(CommandOutput::new(RowList::in_order(rows)))
    }
}

/// Row of the list.
#[derive(Debug, Serialize)]
pub(super) struct ProfileRow {
    is_current: bool,
    name: String,
    department: String,
    persona: String,
    stage: String,
    endpoint: String,
}

impl TableRow for ProfileRow {
    const COLUMNS: &'static [&'static str] = &["Current", "Name", "Department", "Persona", "Stage", "Endpoint"];
    const OPTIONAL_COLUMNS: &'static [&'static str] = &["Endpoint"];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::from(if self.is_current { "*" } else { "" }),
            Cell::text(&self.name),
            Cell::text(&self.department),
            Cell::text(&self.persona),
            Cell::text(&self.stage),
            Cell::text(&self.endpoint),
        ]
    }
}
