//! `confluent ebs gitops drift`.

use serde::Serialize;

use super::{PlannedRepository, open_planned};
use crate::{
    commands::{CommandOutput, Ctx, global_args::OutputFormat},
    error::Error,
    gitops::{DepartmentDrift, LiveFact},
    render::{Block, Style, TextLine, Viewable, drift_to_markdown},
    text::join_list,
};

/// Show where connectors differ from their files
///
/// Reports changed, missing and unmanaged connectors, and those that were paused or resumed by hand although the file
/// sets a state. A failed connector is shown, but does not count as drift. Besides "human", "json" and "yaml", --output
/// supports "markdown".
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Report the drift of all departments in production, for a scheduled job.

  $ confluent ebs gitops drift --stage prod --detailed-exitcode -o markdown")]
pub(super) struct GitopsDriftArgs {
    /// Exit with 2 if there is drift.
    #[arg(long)]
    detailed_exitcode: bool,
}

impl GitopsDriftArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<GitopsDrift>, Error> {
        let PlannedRepository { planned, .. } = open_planned(ctx, &[])?;
        let departments: Vec<DepartmentDrift> = planned.plans.iter().map(DepartmentDrift::from_plan).collect();
        let has_drift = departments.iter().any(|drift| !drift.is_empty());
        let output = GitopsDrift {
            markdown: (ctx.globals.output == OutputFormat::Markdown)
                .then(|| departments.iter().map(drift_to_markdown).collect::<Vec<_>>().join("\n")),
            departments,
        };
        Ok(CommandOutput::new(output).with_differences(self.detailed_exitcode && has_drift))
    }
}

/// Drift by department.
#[derive(Debug, Serialize)]
pub(super) struct GitopsDrift {
    departments: Vec<DepartmentDrift>,
    #[serde(skip)]
    markdown: Option<String>,
}

impl Viewable for GitopsDrift {
    fn view(&self) -> Vec<Block> {
        match &self.markdown {
            Some(markdown) => vec![Block::Verbatim(markdown.clone())],
            None => self.departments.iter().map(drift_block).collect(),
        }
    }
}

fn drift_block(drift: &DepartmentDrift) -> Block {
    let names_and_states = |list: &[LiveFact]| -> Vec<String> {
        list.iter()
            .map(|live| format!("{} ({})", live.name, live.state))
            .collect()
    };
    let changed: Vec<String> = drift
        .changed
        .iter()
        .map(|changed| {
            let keys: Vec<&str> = changed.fields.iter().map(|field| field.config.as_str()).collect();
            format!("{} in {}", changed.name, join_list(&keys))
        })
        .collect();
    let rows = [
        ("Changed", Style::Warning, changed),
        ("Missing", Style::Warning, drift.missing.clone()),
        ("Not deleted", Style::Warning, drift.not_deleted.clone()),
        ("Other state", Style::Warning, names_and_states(&drift.state)),
        ("Without a file", Style::Warning, names_and_states(&drift.unmanaged)),
        ("Conflict", Style::Error, drift.conflicts.clone()),
        ("Failed (not drift)", Style::Muted, names_and_states(&drift.failed)),
    ];
    let mut lines: Vec<TextLine> = rows
        .into_iter()
        .filter(|(_, _, list)| !list.is_empty())
        .map(|(label, style, list)| {
            TextLine::new()
                .with_styled_text(style, format!("{label}: "))
                .with_styled_text(Style::Plain, list.join("; "))
                .with_hanging_indent(2)
        })
        .collect();
    if drift.is_empty() {
        lines.push(TextLine::new().with_styled_text(Style::Ok, "Files and connectors agree."));
    }
    let title = format!("Department {}  stage {}", drift.department, drift.stage);
    Block::titled(title, [Block::Lines(lines)])
}
