//! Quota audit on a terminal.

use super::{QuotaAuditOutput, csv, page};
use crate::{
    commands::global_args::OutputFormat,
    fleet::{
        QuotaAudit, QuotaState, at_least_prefix, format_age,
        quota_audit::{ClusterQuotaUsage, DepartmentQuotaUsage, ProviderQuota, StageQuotaAudit},
    },
    quota::ADVISORY,
    render::{Block, Cell, Style, Table, TextLine, Viewable},
    text,
};

impl Viewable for QuotaAuditOutput {
    fn view(&self) -> Vec<Block> {
        let audit = &self.audit;
        match self.output {
            OutputFormat::Csv => return vec![Block::Verbatim(csv::to_csv(audit))],
            OutputFormat::Html => return vec![Block::Verbatim(page::render_page(audit))],
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
            Cell::Text(tasks_text(row)),
            state_label(row).into(),
            row.over_quota_observed_since
                .map(|since| format_age(since, audit.taken_at))
                .into(),
        ]);
    }
    blocks.push(Block::Table(table));
    let remarks: Vec<TextLine> = notes(stage)
        .into_iter()
        .map(|text| TextLine::from(text).with_hanging_indent(2))
        .collect();
    let mut lines = remarks;
    lines.extend(provider_lines(&stage.provider_quotas));
    if !lines.is_empty() {
        blocks.push(Block::Lines(lines));
    }
    blocks
}

/// Formats used and allowed tasks, such as `12 of 20`; marked as a lower bound if a configuration is unreadable.
pub(super) fn tasks_text(row: &DepartmentQuotaUsage) -> String {
    format!("{}{} of {}", at_least_prefix(row.complete), row.tasks, row.tasks_limit)
}

/// Returns the label of a department's quota state.
pub(super) fn state_label(row: &DepartmentQuotaUsage) -> &'static str {
    match row.state {
        QuotaState::Over => QuotaState::Over.label(),
        _ if !row.oversized.is_empty() => "connector over",
        state => state.label(),
    }
}

/// Returns sentences about the usage of the whole cluster.
pub(super) fn cluster_sentences(platform: &ClusterQuotaUsage) -> [String; 2] {
    let used = format!(
        "{} use {}{} of {} tasks; {} reserved.",
        text::count_noun(usize::try_from(platform.connectors).unwrap_or(usize::MAX), "connector"),
        at_least_prefix(platform.complete),
        platform.tasks,
        platform.tasks_allocatable,
        platform.tasks_reserved
    );
    let allocated = format!(
        "Allocated quotas: {} tasks and {} connectors ({} % of the allocatable tasks).",
        platform.tasks_allocated, platform.connectors_allocated, platform.allocated_percent
    );
    [used, allocated]
}

fn cluster_lines(platform: &ClusterQuotaUsage) -> Vec<TextLine> {
    let [used, allocated] = cluster_sentences(platform);
    let used = match used.strip_prefix("no ") {
        Some(rest) => format!("No {rest}"),
        None => used,
    };
    let style = |is_bad| if is_bad { Style::Warning } else { Style::Plain };
    vec![
        TextLine::new().with_styled_text(
            style(matches!(platform.state, QuotaState::Over | QuotaState::Unknown)),
            used,
        ),
        TextLine::new().with_styled_text(style(platform.allocated_percent > 100), allocated),
    ]
}

/// Returns the findings of a stage, one sentence per connector.
pub(super) fn notes(stage: &StageQuotaAudit) -> Vec<String> {
    let mut remarks = Vec::new();
    for row in &stage.departments {
        remarks.extend(row.oversized.iter().map(|connector| {
            format!(
                "{} uses {} tasks; the limit per connector of {} is {}.",
                connector.name, connector.tasks, row.department, row.tasks_per_connector_limit
            )
        }));
    }
    remarks.extend(stage.unowned.iter().map(|row| {
        let account = match (&row.runs_as, &row.account_department) {
            (Some(account), Some(code)) => format!(", and runs as {account}, an account of {code}"),
            (Some(account), None) => format!(", and runs as {account}"),
            (None, _) => String::new(),
        };
        let tasks = text::count_noun(usize::try_from(row.tasks).unwrap_or(usize::MAX), "task");
        let least = at_least_prefix(row.complete);
        format!("{} is unowned: {least}{tasks}{account}.", row.name)
    }));
    remarks.extend(stage.foreign_accounts.iter().map(|row| {
        let whose = match &row.account_department {
            Some(code) => format!("an account of {code}"),
            None => format!("which is not an account of {} in this stage", row.department),
        };
        format!("{} runs as {}, {whose}.", row.name, row.runs_as)
    }));
    remarks.extend(
        stage
            .unknown_accounts
            .iter()
            .map(|row| format!("The account of {} is unknown: {}.", row.name, row.reason)),
    );
    remarks
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
