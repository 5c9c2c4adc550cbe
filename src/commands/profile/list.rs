//! `confluent ebs profile list`.

use serde::Serialize;

use super::{names, trusted};
use crate::{
    commands::{Ctx, Report},
    config::{Folders, Profile},
    error::Error,
    render::{Cell, List, Row},
};

/// List profiles.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
List the profiles that are kept on this computer.

  $ confluent ebs profile list")]
pub(super) struct ListProfiles {}

impl ListProfiles {
    pub(super) fn run(ctx: &mut Ctx) -> Result<Report<List<ProfileRow>>, Error> {
        let folders = Folders::discover()?;
        let current = folders.current_profile();
        let trusted = trusted(ctx);
        let rows = names(&folders).into_iter().map(|name| {
            // A broken one is listed, too: it is there.
            let profile = Profile::load(&folders.profile(&name), &trusted)
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
        Ok(Report::new(List::in_order(rows)))
    }
}

/// One profile.
#[derive(Debug, Serialize)]
pub(super) struct ProfileRow {
    is_current: bool,
    name: String,
    department: String,
    persona: String,
    stage: String,
    endpoint: String,
}

impl Row for ProfileRow {
    const COLUMNS: &'static [&'static str] = &["Current", "Name", "Department", "Persona", "Stage", "Endpoint"];

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
