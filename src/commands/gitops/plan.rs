//! `confluent ebs gitops plan`.

use std::path::PathBuf;

use serde::Serialize;

use super::{MaxRisk, PlannedRepository, open_planned, plan_view};
use crate::{
    commands::{CommandOutput, Ctx, global_args::OutputFormat},
    config::{IfExists, save::save_public},
    error::Error,
    exit::ExitCode,
    gitops::{GitopsPlan, SentSecret},
    render::{Block, Viewable, plan_to_markdown},
    text::count_noun,
};

/// Show the changes that make connectors match their files
///
/// Changes nothing and resolves no secrets. Reads all connectors with one request, and lets Confluent Cloud validate
/// what would be created or changed. Each department has a plan of its own, whose id does not change while files and
/// connectors do not change. Exits with 5 if a plan contains errors, conflicts or violated policies. Besides "human",
/// "json" and "yaml", --output supports "markdown".
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show the plan of a department, as a comment for a merge request.

  $ confluent ebs gitops plan --profile claims-deployer -o markdown

Save the plans of all departments in a stage.

  $ confluent ebs gitops plan --stage test --out plan.json")]
pub(super) struct GitopsPlanArgs {
    /// Also write the plans to this file, without secrets.
    #[arg(long, value_name = "file")]
    out: Option<PathBuf>,
    /// Plan to send all secrets of a connector, or the secret of one configuration key, even if nothing else differs.
    #[arg(long, value_name = "connector[:key]")]
    send_secrets: Vec<SentSecret>,
    /// Exit with 2 if there are changes.
    #[arg(long)]
    detailed_exitcode: bool,
    /// With --detailed-exitcode: exit with 3 if the risk of a change is higher, so that "gitops apply --max-risk" would hold
    /// it back.
    #[arg(long, value_name = "risk", requires = "detailed_exitcode")]
    max_risk: Option<MaxRisk>,
}

impl GitopsPlanArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<PlansOutput>, Error> {
        let PlannedRepository { planned, .. } = open_planned(ctx, &self.send_secrets)?;
        let output = PlansOutput {
            markdown: (ctx.globals.output == OutputFormat::Markdown).then(|| {
                planned
                    .plans
                    .iter()
                    .map(plan_to_markdown)
                    .collect::<Vec<_>>()
                    .join("\n")
            }),
            plans: planned.plans,
        };
        if let Some(path) = &self.out {
            let mut document = serde_json::to_value(&output)?;
            ctx.run.environment.secrets.redact_json(&mut document);
            save_public(path, format!("{document:#}\n").as_bytes(), IfExists::Replace)?;
        }
        let refused = output.plans.iter().filter(|plan| plan.is_refused()).count();
        let error = (refused > 0).then(|| {
            Error::refused(format!("{} cannot be applied", count_noun(refused, "plan")))
                .with_hint("Correct the errors, conflicts and violated policies, then plan again.")
        });
        let held_back = |limit: MaxRisk| output.plans.iter().any(|plan| plan.risk() > limit.limit());
        let code = match self.max_risk {
            _ if !self.detailed_exitcode || output.plans.iter().all(GitopsPlan::is_empty) => ExitCode::Ok,
            Some(limit) if held_back(limit) => ExitCode::Partial,
            _ => ExitCode::Differences,
        };
        Ok(CommandOutput::new(output).with_error_if_any(error).with_code(code))
    }
}

/// Plans of a stage, one per department.
#[derive(Debug, Serialize)]
pub(super) struct PlansOutput {
    plans: Vec<GitopsPlan>,
    #[serde(skip)]
    markdown: Option<String>,
}

impl Viewable for PlansOutput {
    fn view(&self) -> Vec<Block> {
        match &self.markdown {
            Some(markdown) => vec![Block::Verbatim(markdown.clone())],
            None if self.plans.is_empty() => vec![Block::line("There are no connector files for this stage.")],
            None => self.plans.iter().flat_map(plan_view::plan_blocks).collect(),
        }
    }
}
