//! `confluent ebs gitops changed`.

use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    gitops::{GitopsWorkspace, PipelinePlace},
    render::{Block, Cell, Table, Viewable},
};

/// List the departments and stages whose connector files changed
///
/// Lists each department and stage whose plan depends on a changed file: its connector files, the base files of its
/// department, the department's own file, and its profiles. A pipeline plans and applies only these. Needs no
/// connection.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
List what a merge request changes.

  $ confluent ebs gitops changed --since origin/main")]
pub(super) struct GitopsChangedArgs {
    /// Git revision to compare with, such as "origin/main". Without it, or with a revision of zeros, all departments and
    /// stages with connector files.
    #[arg(long, value_name = "revision")]
    since: Option<String>,
}

impl GitopsChangedArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ChangedPlaces>, Error> {
        let workspace = GitopsWorkspace::open(&ctx.run)?;
        let places = workspace.changed_places(&ctx.run, self.since.as_deref())?;
        Ok(CommandOutput::new(ChangedPlaces { places }))
    }
}

/// Result of `gitops changed`.
#[derive(Debug, Serialize)]
pub(super) struct ChangedPlaces {
    places: Vec<PipelinePlace>,
}

impl Viewable for ChangedPlaces {
    fn view(&self) -> Vec<Block> {
        if self.places.is_empty() {
            return vec![Block::line("None found.")];
        }
        let mut table = Table::new(["Department", "Stage", "Without Reviewers Up To"]);
        for place in &self.places {
            table.push([
                Cell::text(&place.department),
                Cell::text(&place.stage),
                Cell::text(place.auto_apply),
            ]);
        }
        vec![Block::Table(table)]
    }
}
