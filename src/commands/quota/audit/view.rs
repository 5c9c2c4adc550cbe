//! The audit for people, on a terminal.

use super::{
    Shown, csv,
    judge::{Audit, DepartmentUse, PlatformUse, ProviderQuota, StageAudit},
    page,
};
use crate::{
    commands::{
        fleet::{age, at_least},
        globals::Output,
        quota::state::State,
    },
    quota::ADVISORY,
    render::{Block, Cell, Line, Style, Table, Viewable, words},
};

impl Viewable for Shown {
    fn view(&self) -> Vec<Block> {
        let audit = &self.audit;
        match self.output {
            Output::Csv => return vec![Block::Verbatim(csv::csv(audit))],
            Output::Html => return vec![Block::Verbatim(page::page(audit))],
            _ => {}
        }
        let stages = audit.stages.iter().map(|stage| {
            let title = format!("Stage {} ({})", stage.stage, stage.cluster);
            Block::titled(title, blocks(audit, stage))
        });
        let mut blocks: Vec<Block> = stages.collect();
        let mut lines: Vec<Line> = provider(&audit.provider_quotas);
        lines.extend(audit.unknown.iter().map(|(what, why)| {
            let line = Line::new().styled(Style::Warning, "Not known");
            line.then(format!(": {what}: {why}.")).hang(2)
        }));
        lines.push(ADVISORY.into());
        blocks.push(Block::titled("Platform", [Block::Lines(lines)]));
        blocks
    }
}

fn blocks(audit: &Audit, stage: &StageAudit) -> Vec<Block> {
    if let Some(why) = &stage.unknown {
        let line = Line::new().styled(Style::Warning, "Not known");
        return vec![Block::line(line.then(format!(": {why}.")).hang(2))];
    }
    let mut blocks = Vec::new();
    if let Some(platform) = &stage.platform {
        blocks.push(Block::Lines(cluster(platform)));
    }
    let mut table = Table::new(["Department", "Connectors", "Tasks", "State", "Over For"]);
    for row in &stage.departments {
        table.push([
            Cell::text(&row.department),
            Cell::Text(format!("{} of {}", row.connectors, row.connectors_limit)),
            Cell::Text(tasks(row)),
            state(row).into(),
            row.over_seen_since.map(|since| age(since, audit.taken_at)).into(),
        ]);
    }
    blocks.push(Block::Table(table));
    let remarks: Vec<Line> = remarks(stage)
        .into_iter()
        .map(|text| Line::from(text).hang(2))
        .collect();
    let mut lines = remarks;
    lines.extend(provider(&stage.provider_quotas));
    if !lines.is_empty() {
        blocks.push(Block::Lines(lines));
    }
    blocks
}

/// `12 of 20`; a lower bound where something may not be read.
pub(super) fn tasks(row: &DepartmentUse) -> String {
    format!("{}{} of {}", at_least(row.complete), row.tasks, row.tasks_limit)
}

/// The word for how a department's quota is.
pub(super) fn state(row: &DepartmentUse) -> &'static str {
    match row.state {
        State::Over => State::Over.words(),
        _ if !row.oversized.is_empty() => "connector over",
        state => state.words(),
    }
}

/// The whole cluster in sentences.
pub(super) fn cluster_words(platform: &PlatformUse) -> [String; 2] {
    let used = format!(
        "{} use {}{} of {} tasks; {} more are kept in reserve.",
        words::count(usize::try_from(platform.connectors).unwrap_or(usize::MAX), "connector"),
        at_least(platform.complete),
        platform.tasks,
        platform.tasks_allocatable,
        platform.tasks_reserved
    );
    let promised = format!(
        "The quotas promise {} tasks and {} connectors: {} % of what may be had.",
        platform.tasks_promised, platform.connectors_promised, platform.promised_percent
    );
    [used, promised]
}

fn cluster(platform: &PlatformUse) -> Vec<Line> {
    let [used, promised] = cluster_words(platform);
    let used = match used.strip_prefix("no ") {
        Some(rest) => format!("No {rest}"),
        None => used,
    };
    let style = |is_bad| if is_bad { Style::Warning } else { Style::Plain };
    vec![
        Line::new().styled(style(matches!(platform.state, State::Over | State::Unknown)), used),
        Line::new().styled(style(platform.promised_percent > 100), promised),
    ]
}

/// What should not be, one sentence for each connector.
pub(super) fn remarks(stage: &StageAudit) -> Vec<String> {
    let mut remarks = Vec::new();
    for row in &stage.departments {
        remarks.extend(row.oversized.iter().map(|connector| {
            format!(
                "{} counts for {} tasks; a connector of {} may have {}.",
                connector.name, connector.tasks, row.department, row.tasks_per_connector_limit
            )
        }));
    }
    remarks.extend(stage.unmanaged.iter().map(|row| {
        let account = match (&row.runs_as, &row.account_of) {
            (Some(account), Some(code)) => format!(", and runs as {account}, an account of {code}"),
            (Some(account), None) => format!(", and runs as {account}"),
            (None, _) => String::new(),
        };
        let tasks = words::count(usize::try_from(row.tasks).unwrap_or(usize::MAX), "task");
        let least = at_least(row.complete);
        format!("{} belongs to no department: {least}{tasks}{account}.", row.name)
    }));
    remarks.extend(stage.foreign_accounts.iter().map(|row| {
        let whose = match &row.account_of {
            Some(code) => format!("an account of {code}"),
            None => format!("which is no account of {} in this stage", row.department),
        };
        format!("{} runs as {}, {whose}.", row.name, row.runs_as)
    }));
    remarks.extend(
        stage
            .unclear_accounts
            .iter()
            .map(|row| format!("As whom {} runs is not known: {}.", row.name, row.reason)),
    );
    remarks
}

/// The provider's quotas that are nearly used up, and how many were read.
fn provider(quotas: &[ProviderQuota]) -> Vec<Line> {
    let scarce = quotas
        .iter()
        .filter(|quota| quota.state.is_some_and(|state| state != State::Ok));
    let mut lines: Vec<Line> = scarce
        .map(|quota| {
            let (used, limit) = (quota.used.unwrap_or_default(), quota.limit.unwrap_or_default());
            let line = format!("{}: {used} of {limit} are used.", quota.name);
            Line::new().styled(Style::Warning, line).hang(2)
        })
        .collect();
    let untold = quotas.iter().filter(|quota| quota.state.is_none()).count();
    if !quotas.is_empty() {
        let all = words::count(quotas.len(), "quota");
        let what = if quotas.iter().all(|quota| quota.limit.is_some()) {
            "use"
        } else {
            "use or the limit"
        };
        let untold = match untold {
            0 => String::new(),
            number => format!(" Of {number} the provider does not tell the {what}."),
        };
        let rest = if lines.is_empty() {
            "none is nearly used up"
        } else {
            "the others have room"
        };
        lines.push(format!("The provider has {all} here; of those whose use it tells, {rest}.{untold}").into());
    }
    lines
}
