//! Quota audit on a terminal.

use super::{QuotaAuditOutput, csv};
use crate::{
    commands::global_args::OutputFormat,
    fleet::{
        QuotaAudit, QuotaState, format_age,
        quota_audit::{ClusterQuotaUsage, ProviderQuota, StageQuotaAudit},
    },
    quota::ADVISORY,
    render::{Block, Cell, Style, Table, TextLine, Viewable, html::quota_audit_page},
    text,
};

impl Viewable for QuotaAuditOutput {
    fn view(&self) -> Vec<Block> {
        let audit = &self.audit;
        if let Some(sarif) = &self.sarif {
            return vec![Block::Verbatim(sarif.clone())];
        }
        match self.output {
            OutputFormat::Csv => return vec![Block::Verbatim(csv::to_csv(audit))],
            OutputFormat::Html => return vec![Block::Verbatim(quota_audit_page(audit))],
            _ => {}
        }
        let stages = audit.stages.iter().map(|stage| {
            let title = format!("Stage {} ({})", stage.stage, stage.cluster);
            Block::titled(title, stage_blocks(audit, stage))
        });
        let mut blocks: Vec<Block> = stages.collect();
        let mut lines: Vec<TextLine> = provider_lines(&audit.provider_quotas);
        lines.extend(audit.unknown.iter().map(|(what, why)| {
            let line = TextLine::new().with_styled_text(Style::Warning, "Unknown");
            line.with_text(format!(": {what}: {why}.")).with_hanging_indent(2)
        }));
        lines.push(ADVISORY.into());
        blocks.push(Block::titled("Platform", [Block::Lines(lines)]));
        blocks
    }
}

fn stage_blocks(audit: &QuotaAudit, stage: &StageQuotaAudit) -> Vec<Block> {
    if let Some(why) = &stage.unknown {
        let line = TextLine::new().with_styled_text(Style::Warning, "Unknown");
        return vec![Block::line(line.with_text(format!(": {why}.")).with_hanging_indent(2))];
    }
    let mut blocks = Vec::new();
    if let Some(platform) = &stage.cluster_usage {
        blocks.push(Block::Lines(cluster_lines(platform)));
    }
    let mut table = Table::new(["Department", "Connectors", "Tasks", "State", "Over For"]);
    for row in &stage.departments {
        table.push([
            Cell::text(&row.department),
            Cell::Text(format!("{} of {}", row.connectors, row.connectors_limit)),
            Cell::Text(row.tasks_text()),
            row.state_label().into(),
            row.over_quota_observed_since
                .map(|since| format_age(since, audit.taken_at))
                .into(),
        ]);
    }
    blocks.push(Block::Table(table));
    let notes = stage.notes().into_iter();
    let mut lines: Vec<TextLine> = notes.map(|text| TextLine::from(text).with_hanging_indent(2)).collect();
    lines.extend(provider_lines(&stage.provider_quotas));
    if !lines.is_empty() {
        blocks.push(Block::Lines(lines));
    }
    blocks
}

fn cluster_lines(platform: &ClusterQuotaUsage) -> Vec<TextLine> {
    let [used, allocated] = platform.sentences();
    let style = |is_bad| if is_bad { Style::Warning } else { Style::Plain };
    vec![
        TextLine::new().with_styled_text(
            style(matches!(platform.state, QuotaState::Over | QuotaState::Unknown)),
            used,
        ),
        TextLine::new().with_styled_text(style(platform.allocated_percent > 100), allocated),
    ]
}

/// Returns the provider quotas that are nearly used up, and the number of quotas that were read.
fn provider_lines(quotas: &[ProviderQuota]) -> Vec<TextLine> {
    let scarce = quotas
        .iter()
        .filter(|quota| quota.state.is_some_and(|state| state != QuotaState::Ok));
    let mut lines: Vec<TextLine> = scarce
        .map(|quota| {
            let (used, limit) = (quota.used.unwrap_or_default(), quota.limit.unwrap_or_default());
            let line = format!("{}: {used} of {limit} used.", quota.name);
            TextLine::new()
                .with_styled_text(Style::Warning, line)
                .with_hanging_indent(2)
        })
        .collect();
    let without_usage = quotas.iter().filter(|quota| quota.state.is_none()).count();
    if !quotas.is_empty() {
        let all = text::count_noun(quotas.len(), "quota");
        let what = if quotas.iter().all(|quota| quota.limit.is_some()) {
            "usage"
        } else {
            "usage or limit"
        };
        let without_usage = match without_usage {
            0 => String::new(),
            number => format!(" The provider does not report the {what} of {number}."),
        };
        let rest = if lines.is_empty() {
            "none is nearly used up"
        } else {
            "the others have room"
        };
        lines.push(format!("The provider reports {all}; of those with known usage, {rest}.{without_usage}").into());
    }
    lines
}
