//! `confluent ebs department list`.

use super::load_platform;
use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    manifest::views::DepartmentListRow,
    render::{Cell, RowList, TableRow},
};

/// List departments
///
/// Shows the limits of each department, which are those of one stage with `--stage`, and the stages in which it may be
/// onboarded.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
List the departments of the platform in the current directory.

  $ confluent ebs department list

List the quotas that apply in stage test.

  $ confluent ebs department list --stage test

List the departments of the built-in example.

  $ confluent ebs department list --sandbox")]
pub(super) struct DepartmentListArgs {}

impl DepartmentListArgs {
    #[expect(clippy::unused_self, reason = "every command runs the same way")]
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<RowList<DepartmentListRow>>, Error> {
        let (workspace, findings) = load_platform(ctx)?;
        if crate::diag::has_errors(&findings) {
            ctx.ui
                .warn("invalid platform files; run `confluent ebs department validate` for details");
        }
        Ok(CommandOutput::new(RowList::new(
            workspace.department_rows(ctx.run.options.stage.as_deref()),
        )))
    }
}

impl TableRow for DepartmentListRow {
    const COLUMNS: &'static [&'static str] = &[
        "Department",
        "Name",
        "Prefix",
        "Template",
        "Connectors",
        "Tasks",
        "Stages",
    ];

    fn cells(&self) -> Vec<Cell> {
        let stages = match (self.retired.as_str(), &self.stages) {
            ("", None) => "all".to_owned(),
            ("", Some(stages)) => stages.join(", "),
            (day, _) => format!("none (retired {day})"),
        };
        vec![
            Cell::text(&self.code),
            Cell::text(&self.name),
            Cell::text(&self.prefix),
            Cell::text(&self.template),
            self.connectors.into(),
            self.tasks.into(),
            Cell::Text(stages),
        ]
    }
}
