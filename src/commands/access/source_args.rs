//! Flags that select the source of access answers, and the lines that answers share.

use std::path::PathBuf;

use crate::{
    access::Uncertainty,
    commands::Ctx,
    error::Error,
    provisioning::access::{AccessContext, AccessSource, load_planned_access, load_saved_access, observe_access},
    render::{Style, TextLine},
};

/// Flags that select the source.
#[derive(Debug, clap::Args)]
pub(super) struct SourceArgs {
    /// Answer from the platform files, without an API key.
    #[arg(long, conflicts_with_all = ["from", "live"])]
    planned: bool,
    /// Answer from a snapshot that "access audit --save" wrote, without an API key.
    #[arg(long, value_name = "string", conflicts_with = "live")]
    from: Option<PathBuf>,
    /// Answer from the current state of Confluent Cloud.
    #[arg(long)]
    live: bool,
}

/// Source without a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DefaultSource {
    /// Confluent Cloud.
    Live,
    /// Platform configuration.
    Planned,
}

impl SourceArgs {
    /// Loads the selected source.
    pub(super) fn load(&self, ctx: &Ctx, default: DefaultSource) -> Result<AccessContext, Error> {
        if let Some(file) = &self.from {
            return load_saved_access(&ctx.run, file);
        }
        if self.planned || (!self.live && default == DefaultSource::Planned) {
            return load_planned_access(&ctx.run);
        }
        ctx.block_on_reading(observe_access(&ctx.run))
    }
}

/// Returns the line about the source of an answer.
pub(super) fn source_line(source: &AccessSource) -> TextLine {
    TextLine::new().with_styled_text(Style::Muted, source.describe())
}

/// Formats uncertainties, one per line.
pub(super) fn uncertainty_lines(uncertainties: &[Uncertainty]) -> impl Iterator<Item = TextLine> {
    uncertainties.iter().map(|uncertainty| {
        TextLine::new()
            .with_styled_text(Style::Warning, format!("  {uncertainty}."))
            .with_hanging_indent(2)
    })
}
