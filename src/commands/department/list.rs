//! `confluent ebs department list`.

use super::look;
use crate::{
    commands::{Ctx, Report},
    error::Error,
    manifest::views::DepartmentRow,
    render::{Cell, List, Row},
};

/// List departments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
List the departments of the platform in this folder.

  $ confluent ebs department list

List those of the built-in example.

  $ confluent ebs department list --sandbox")]
pub(super) struct ListDepartments {}

impl ListDepartments {
    #[expect(clippy::unused_self, reason = "every command runs the same way")]
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<List<DepartmentRow>>, Error> {
        let (workspace, findings) = look(ctx)?;
        if crate::diag::has_errors(&findings) {
            ctx.ui
                .warn("the files hold mistakes; `confluent ebs department validate` shows them");
        }
        Ok(Report::new(List::new(workspace.rows())))
    }
}

impl Row for DepartmentRow {
    const COLUMNS: &'static [&'static str] = &[
        "Department",
        "Name",
        "Prefix",
        "Template",
        "Connectors",
        "Tasks",
        "Retired",
    ];

    fn cells(&self) -> Vec<Cell> {
        // A retired department has no template any more, only a prefix that stays taken.
        let template = match self.retired.as_str() {
            "" => self.template.clone(),
            day => format!("retired {day}"),
        };
        vec![
            Cell::text(&self.code),
            Cell::text(&self.name),
            Cell::text(&self.prefix),
            Cell::Text(template),
            self.tasks.into(),
        ]
    }
}
