//! What `onboard` answers: the plan, and what came of it, for people and for machines.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    access::isolation,
    apply::Report,
    checks::{Check, CheckState},
    model::{Address, DepartmentCode, Snapshot},
    plan::{Action, BudgetRow, Change, DepartmentPlan, DepartmentStatus, Operation, Plan},
    probe::Verdict,
    render::{Block, Cell, Line, Mark, Style, Table, Viewable, view},
};

/// Where and as whom.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Setting {
    /// The stage.
    pub(crate) stage: String,
    /// Organization, environment, cluster, Schema Registry.
    #[serde(flatten)]
    pub(crate) address: Address,
    /// The type of the cluster.
    pub(crate) cluster_type: String,
    /// The service account that does it.
    pub(crate) provisioner: String,
}

/// How one department ended.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DepartmentRow {
    /// The department.
    #[serde(flatten)]
    pub(crate) plan: DepartmentPlan,
    /// Its accounts, those of before and those made now.
    pub(crate) accounts: usize,
    /// Its role bindings, those of before and those made now.
    pub(crate) role_bindings: usize,
    /// Its API keys, those of before and those made now.
    pub(crate) api_keys: usize,
    /// Profiles that were handed over now.
    pub(crate) handed_over: usize,
    /// Probes that showed what they had to.
    pub(crate) proved: usize,
    /// Probes that showed the opposite.
    pub(crate) refuted: usize,
    /// Probes that showed neither.
    pub(crate) not_provable: usize,
    /// Changes that were not made.
    pub(crate) left: usize,
}

/// What is isolated from what, as far as role bindings decide it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Isolation {
    /// Ordered pairs of departments that were looked at.
    pub(crate) pairs: usize,
    /// Overlaps that should not be.
    pub(crate) violations: Vec<String>,
    /// What Confluent makes everybody share.
    pub(crate) exposures: Vec<String>,
}

impl Isolation {
    /// The proof, for people.
    #[must_use]
    pub(crate) fn of(proof: &isolation::Isolation, seen: &Snapshot) -> Self {
        let (looked_at, examples) = match proof {
            isolation::Isolation::Proved(proof) => (proof, &[][..]),
            isolation::Isolation::Refuted {
                counter_examples,
                proof,
            } => (proof, counter_examples.as_slice()),
        };
        let violation = |example: &isolation::CounterExample| {
            let more = match example.and_more {
                0 => String::new(),
                count => format!(" and of {}", counted(count, "more department")),
            };
            format!(
                "{} of {} reaches {} of {}{more} through {} on {}",
                seen.name_of(&example.principal),
                example.department,
                example.resource.short(),
                example.reaches,
                example.binding.role,
                example.binding.pattern.short()
            )
        };
        let exposure = |exposure: &isolation::Exposure| format!("{} {}*", exposure.kind.word(), exposure.begins);
        Self {
            pairs: looked_at.pairs,
            violations: examples.iter().map(violation).collect(),
            exposures: looked_at.exposures.iter().map(exposure).collect(),
        }
    }
}

/// What `onboard` answers.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Onboarding {
    /// Where and as whom.
    #[serde(flatten)]
    pub(crate) setting: Setting,
    /// Whether it only shows what it would do.
    pub(crate) dry_run: bool,
    /// The departments.
    pub(crate) departments: Vec<DepartmentRow>,
    /// What was looked at before.
    pub(crate) checks: Vec<Check>,
    /// The provider's quotas before and after.
    pub(crate) quotas: Vec<BudgetRow>,
    /// The plan.
    #[serde(flatten)]
    pub(crate) plan: PlanPart,
    /// What came of it.
    #[serde(flatten)]
    pub(crate) report: Option<Report>,
    /// What is isolated from what.
    pub(crate) isolation: Option<Isolation>,
    /// The folder of profiles.
    pub(crate) credentials_dir: std::path::PathBuf,
    /// The evidence files.
    pub(crate) evidence: Vec<std::path::PathBuf>,
    /// Keys and secrets, only when they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) secrets: Vec<ShownSecret>,
    /// How long it took, in milliseconds.
    pub(crate) elapsed_ms: u64,
}

/// A key with its secret, as asked for with `--show-secrets`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ShownSecret {
    /// The account.
    pub(crate) account: String,
    /// The public half.
    pub(crate) api_key: String,
    /// The secret half.
    pub(crate) api_secret: String,
}

/// The parts of the plan that are shown.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PlanPart {
    /// The changes.
    pub(crate) changes: Vec<Change>,
    /// Surplus bindings that stay without `--prune`.
    pub(crate) surplus: Vec<crate::plan::Surplus>,
    /// What is not ours.
    pub(crate) unmanaged: Vec<String>,
    /// Accounts whose department has no file.
    pub(crate) orphans: Vec<String>,
    /// What else is worth knowing.
    pub(crate) notices: Vec<String>,
}

impl PlanPart {
    /// The parts of `plan` that are shown.
    #[must_use]
    pub(crate) fn of(plan: &Plan) -> Self {
        Self {
            changes: plan.changes.clone(),
            surplus: plan.surplus.clone(),
            unmanaged: plan.unmanaged.clone(),
            orphans: plan.orphans.clone(),
            notices: plan.notices.clone(),
        }
    }
}

fn mark(action: Action) -> Mark {
    match action {
        Action::Create => Mark::Add,
        Action::Update => Mark::Change,
        Action::Replace => Mark::Replace,
        Action::Delete => Mark::Remove,
    }
}

/// `1 role binding`, `2 role bindings`.
#[must_use]
pub(crate) fn counted(count: usize, singular: &str) -> String {
    let plural = match count {
        1 => String::new(),
        _ => "s".to_owned(),
    };
    format!("{count} {singular}{plural}")
}

/// `3 service accounts, 8 role bindings and 2 API keys`.
fn listed(parts: &[String]) -> String {
    match parts.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

fn word(kind: &str) -> &'static str {
    match kind {
        "service-account" => "service account",
        "role-binding" => "role binding",
        "api-key" => "API key",
        _ => "object",
    }
}

/// What a plan does at the service, as one sentence.
#[must_use]
pub(crate) fn totals(plan: &Plan) -> String {
    let mut by_action: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for kind in ["service-account", "role-binding", "api-key"] {
        for ((symbol, of), count) in plan.totals() {
            if of == kind {
                by_action.entry(symbol).or_default().push(counted(count, word(kind)));
            }
        }
    }
    let verbs = [
        ("+", "to create"),
        ("~", "to update"),
        ("±", "to replace"),
        ("-", "to delete"),
    ];
    let parts: Vec<String> = verbs
        .into_iter()
        .filter_map(|(symbol, verb)| Some(format!("{} {verb}", listed(&by_action.remove(symbol)?))))
        .collect();
    match parts.is_empty() {
        true => "Plan: nothing to do.".to_owned(),
        false => format!("Plan: {}.", parts.join("; ")),
    }
}

/// The plan as blocks: what happens to each department, the quotas, what is in the way.
#[must_use]
pub(crate) fn plan_blocks(setting: &Setting, plan: &Plan, budget: &[BudgetRow], checks: &[Check]) -> Vec<Block> {
    let mut blocks = vec![setting_line(setting)];
    blocks.extend(problems(checks));
    for department in &plan.departments {
        // Proofs and hand-overs follow from the keys: they would only lengthen the list.
        let told = |change: &&Change| {
            let follows = matches!(change.operation, Operation::Prove { .. } | Operation::HandOver { .. });
            change.department == department.code && !follows
        };
        let changes: Vec<view::Change> = plan.changes.iter().filter(told).map(shown).collect();
        if changes.is_empty() {
            continue;
        }
        let title = format!(
            "Department {}  {}  prefix {}  template {}",
            department.code, department.name, department.prefix, department.template
        );
        blocks.push(Block::titled(title, [Block::Diff(changes)]));
    }
    blocks.push(Block::line(totals(plan)));
    if !plan.is_empty() {
        blocks.push(budget_table(budget));
    }
    blocks.extend(remarks(&PlanPart::of(plan)));
    blocks
}

/// A plan too long to be read before saying yes: one line for each department.
#[must_use]
pub(crate) fn plan_summary(setting: &Setting, plan: &Plan, budget: &[BudgetRow], checks: &[Check]) -> Vec<Block> {
    let mut table = Table::new(["Department", "Prefix", "Template", "Status", "Changes"]);
    for department in &plan.departments {
        let writes = |change: &&Change| change.department == department.code && change.operation.writes();
        table.push([
            Cell::text(&department.code),
            Cell::text(&department.prefix),
            Cell::text(&department.template),
            status_word(department.status).into(),
            plan.changes.iter().filter(writes).count().into(),
        ]);
    }
    let mut blocks = vec![setting_line(setting)];
    blocks.extend(problems(checks));
    blocks.push(Block::Table(table));
    blocks.push(Block::line(totals(plan)));
    blocks.push(budget_table(budget));
    blocks.extend(remarks(&PlanPart::of(plan)));
    blocks
}

fn setting_line(setting: &Setting) -> Block {
    Block::Lines(vec![
        Line::new().styled(
            Style::Heading,
            format!(
                "Stage {}  environment {}  cluster {} ({})",
                setting.stage, setting.address.environment, setting.address.cluster, setting.cluster_type
            ),
        ),
        Line::new().styled(Style::Muted, format!("acting as {}", setting.provisioner)),
    ])
}

fn shown(change: &Change) -> view::Change {
    let mut words = vec![change.operation.kind().to_owned()];
    words.extend(change.what.split("  ").map(str::to_owned));
    let mut shown = view::Change::new(mark(change.action), words);
    // Why a persona has an account and a key goes without saying.
    if change.operation.kind() == "role-binding" || change.action != Action::Create {
        shown = shown.why(change.why.clone());
    }
    if let Operation::UpdateAccount { from, to, .. } = &change.operation {
        shown = shown.field("description", from.clone(), to.clone());
    }
    shown
}

fn budget_table(budget: &[BudgetRow]) -> Block {
    let mut table = Table::new(["Provider Quota", "Used", "Wanted", "After", "Limit"]);
    for row in budget {
        let about = |number: i64| {
            if row.reported {
                number.to_string()
            } else {
                format!("≥ {number}")
            }
        };
        table.push([
            Cell::from(row.name),
            Cell::Text(about(row.used)),
            row.wanted.into(),
            Cell::Text(about(row.after())),
            Cell::Text(
                row.limit
                    .map_or_else(|| "unknown".to_owned(), |limit| limit.to_string()),
            ),
        ]);
    }
    Block::Table(table)
}

fn problems(checks: &[Check]) -> Option<Block> {
    let lines: Vec<Line> = checks
        .iter()
        .filter(|check| check.state != CheckState::Ok)
        .map(|check| {
            let (style, word) = match check.state {
                CheckState::Problem => (Style::Error, "problem"),
                _ => (Style::Muted, "unknown"),
            };
            Line::new()
                .styled(style, word)
                .then(format!("  {}: {}", check.name, check.detail))
                .hang(9)
        })
        .collect();
    (!lines.is_empty()).then_some(Block::Lines(lines))
}

fn remarks(plan: &PlanPart) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let lines = lines
                .into_iter()
                .map(|line| Line::from(format!("  {line}")).hang(4))
                .collect();
            blocks.push(Block::titled(title, [Block::Lines(lines)]));
        }
    };
    section("Notices", plan.notices.clone());
    let surplus = plan.surplus.iter().map(|surplus| surplus.what.clone()).collect();
    section("Surplus, kept (`--prune` removes them)", surplus);
    section(
        "Unmanaged: on a department's prefix, and not ours (never changed)",
        plan.unmanaged.clone(),
    );
    section(
        "Orphans: accounts of ours whose department has no file",
        plan.orphans.clone(),
    );
    blocks
}

fn status_word(status: DepartmentStatus) -> &'static str {
    match status {
        DepartmentStatus::New => "new",
        DepartmentStatus::Changed => "changed",
        DepartmentStatus::Complete => "complete",
        DepartmentStatus::Refused => "refused",
    }
}

fn outcome_word(row: &DepartmentRow) -> &'static str {
    match (row.left > 0, row.refuted > 0, row.plan.status) {
        (_, true, _) => "REFUTED",
        (true, ..) => "unfinished",
        (.., DepartmentStatus::Complete) => "complete",
        (.., DepartmentStatus::New) => "onboarded",
        (.., DepartmentStatus::Changed) => "updated",
        (.., DepartmentStatus::Refused) => "refused",
    }
}

impl Onboarding {
    fn headline(&self) -> Line {
        let departments = counted(self.departments.len(), "department");
        let stage = &self.setting.stage;
        let Some(report) = &self.report else {
            let all = if self.departments.len() == 1 { "is" } else { "are" };
            return Line::new().styled(
                Style::Ok,
                format!("{departments} {all} as wanted in stage {stage}: nothing to do."),
            );
        };
        let writes = report
            .done
            .iter()
            .filter(|step| self.plan.changes[step.change].operation.writes())
            .count();
        let seconds = self.elapsed_ms / 1000;
        let tenths = self.elapsed_ms % 1000 / 100;
        let took = format!("{} in {seconds}.{tenths} s", counted(writes, "change"));
        match report.is_complete() {
            true => Line::new().styled(Style::Ok, format!("{departments} onboarded to stage {stage}: {took}.")),
            false => Line::new().styled(
                Style::Error,
                format!("{departments} partly onboarded to stage {stage}: {took}; the same command does the rest."),
            ),
        }
    }

    fn table(&self) -> Block {
        let mut table = Table::new([
            "Department",
            "Accounts",
            "Role Bindings",
            "API Keys",
            "Proved",
            "Status",
        ]);
        for row in &self.departments {
            let probes = row.proved + row.refuted + row.not_provable;
            table.push([
                Cell::text(&row.plan.code),
                row.accounts.into(),
                row.role_bindings.into(),
                row.api_keys.into(),
                Cell::Text(if probes == 0 {
                    String::new()
                } else {
                    format!("{}/{probes}", row.proved)
                }),
                outcome_word(row).into(),
            ]);
        }
        Block::Table(table)
    }

    fn proof(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        if let Some(report) = &self.report {
            let (proved, refuted, open) = report.verdicts();
            if proved + refuted + open > 0 {
                let mut line = format!(
                    "Proof: {} made with the new keys, {proved} as they must be",
                    counted(proved + refuted + open, "call")
                );
                if refuted > 0 {
                    line = format!("{line}, {refuted} REFUTED");
                }
                if open > 0 {
                    line = format!("{line}, {open} not provable");
                }
                lines.push(Line::from(format!("{line}.")).hang(2));
            }
            for (account, outcomes) in &report.proofs {
                for outcome in outcomes {
                    let (word, reason) = match &outcome.verdict {
                        Verdict::Proved => continue,
                        Verdict::Refuted { reason } => ("refuted", reason),
                        Verdict::NotProvable { reason } => ("not provable", reason),
                    };
                    let text = format!("  {account}: {word}: {}: {reason}", outcome.probe.label());
                    lines.push(Line::from(text).hang(4));
                }
            }
        }
        if let Some(isolation) = &self.isolation {
            let verdict = match isolation.violations.is_empty() {
                true => format!(
                    "Isolation: by name prefix, holds for all {} of departments.",
                    counted(isolation.pairs, "ordered pair")
                ),
                false => format!(
                    "Isolation: BROKEN by {}.",
                    counted(isolation.violations.len(), "overlap")
                ),
            };
            lines.push(Line::from(verdict).hang(2));
            lines.extend(
                isolation
                    .violations
                    .iter()
                    .map(|text| Line::from(format!("  {text}")).hang(4)),
            );
            if !isolation.exposures.is_empty() {
                let shared = format!(
                    "  Shared by all, as Confluent makes it: {}.",
                    isolation.exposures.join(", ")
                );
                lines.push(Line::new().styled(Style::Muted, shared).hang(4));
            }
        }
        lines
    }

    fn handed_over(&self) -> Vec<Line> {
        let Some(report) = &self.report else { return Vec::new() };
        let mut lines = Vec::new();
        if !report.handed.is_empty() {
            let what = counted(report.handed.len(), "profile");
            let text = format!(
                "Profiles: {what} in {}, readable by you alone.",
                self.credentials_dir.display()
            );
            lines.push(Line::from(text).hang(2));
        }
        for reissued in &report.reissued {
            let text = format!(
                "  {} of {} must be replaced by {} (the key stays as it is)",
                reissued.persona,
                reissued.department,
                reissued.path.display()
            );
            lines.push(Line::from(text).hang(4));
        }
        if let [first, ..] = self.evidence.as_slice() {
            let folder = first.parent().unwrap_or(first).display().to_string();
            lines.push(
                Line::from(format!(
                    "Evidence: {} in {folder}.",
                    counted(self.evidence.len(), "file")
                ))
                .hang(2),
            );
        }
        for fallback in &report.fallbacks {
            lines.push(Line::from(format!("  the service refused a role: {fallback}")).hang(4));
        }
        lines
    }

    fn failures(&self) -> Option<Block> {
        let report = self.report.as_ref().filter(|report| !report.is_complete())?;
        let mut lines: Vec<Line> = Vec::new();
        for failure in report.failures.iter().take(20) {
            let label = Line::new()
                .styled(Style::Error, "failed")
                .then(format!("  {}", failure.label));
            lines.push(label.hang(8));
            lines.push(Line::from(format!("        {}", failure.reason)).hang(8));
        }
        if report.failures.len() > 20 {
            lines.push(Line::from(format!("        and {} more", report.failures.len() - 20)));
        }
        let rest = [(report.skipped, "skipped"), (report.not_begun, "not begun")];
        for (count, word) in rest.into_iter().filter(|(count, _)| *count > 0) {
            lines.push(Line::from(format!("{word}  {}", counted(count, "change"))));
        }
        Some(Block::Lines(lines))
    }

    fn next_steps(&self) -> Option<Block> {
        let first = self.report.as_ref()?.handed.first()?;
        let text = format!(
            "Next: give each profile to its department; `--profile {}` uses it.",
            first.path.display()
        );
        Some(Block::Lines(vec![Line::new().styled(Style::Muted, text).hang(2)]))
    }
}

impl Viewable for Onboarding {
    fn view(&self) -> Vec<Block> {
        if self.dry_run {
            // The plan was made for this: show all of it.
            let plan = Plan {
                departments: self.departments.iter().map(|row| row.plan.clone()).collect(),
                changes: self.plan.changes.clone(),
                surplus: self.plan.surplus.clone(),
                unmanaged: self.plan.unmanaged.clone(),
                orphans: self.plan.orphans.clone(),
                notices: self.plan.notices.clone(),
                refusals: Vec::new(),
            };
            let mut blocks = plan_blocks(&self.setting, &plan, &self.quotas, &self.checks);
            let lines = self.proof();
            if !lines.is_empty() {
                blocks.push(Block::Lines(lines));
            }
            return blocks;
        }
        let mut blocks = vec![Block::Lines(vec![self.headline()]), self.table()];
        blocks.extend(self.failures());
        let mut lines = self.proof();
        lines.extend(self.handed_over());
        if !lines.is_empty() {
            blocks.push(Block::Lines(lines));
        }
        blocks.extend(remarks(&self.plan));
        if !self.secrets.is_empty() {
            let mut table = Table::new(["Account", "API Key", "API Secret"]);
            for shown in &self.secrets {
                table.push([
                    Cell::text(&shown.account),
                    Cell::text(&shown.api_key),
                    Cell::text(&shown.api_secret),
                ]);
            }
            blocks.push(Block::Table(table));
        }
        blocks.extend(self.next_steps());
        blocks
    }
}

/// The rows of the departments, from the plan and from what came of it.
#[must_use]
pub(crate) fn rows(
    plan: &Plan,
    report: Option<&Report>,
    before: &dyn Fn(&DepartmentCode) -> [usize; 3],
    account_department: &BTreeMap<String, DepartmentCode>,
) -> Vec<DepartmentRow> {
    let made: BTreeSet<usize> = report
        .into_iter()
        .flat_map(|report| &report.done)
        .map(|step| step.change)
        .collect();
    plan.departments
        .iter()
        .map(|department| {
            let [mut accounts, mut bindings, mut keys] = before(&department.code);
            let mine = |change: &&Change| change.department == department.code;
            let changes: Vec<&Change> = plan.changes.iter().filter(mine).collect();
            let done = |change: &Change| made.contains(&change.id);
            for change in changes.iter().filter(|change| done(change)) {
                match change.operation {
                    Operation::CreateAccount { .. } => accounts += 1,
                    Operation::CreateBinding { .. } => bindings += 1,
                    Operation::CreateKey { .. } => keys += 1,
                    Operation::DeleteKey { .. } => keys = keys.saturating_sub(1),
                    Operation::DeleteBinding { .. } => bindings = bindings.saturating_sub(1),
                    _ => {}
                }
            }
            let mut row = DepartmentRow {
                plan: department.clone(),
                accounts,
                role_bindings: bindings,
                api_keys: keys,
                handed_over: 0,
                proved: 0,
                refuted: 0,
                not_provable: 0,
                left: report.map_or(0, |_| changes.iter().filter(|change| !done(change)).count()),
            };
            if let Some(report) = report {
                row.handed_over = report
                    .handed
                    .iter()
                    .filter(|handed| handed.department == department.code)
                    .count();
                let own = |account: &String| account_department.get(account) == Some(&department.code);
                for outcome in report
                    .proofs
                    .iter()
                    .filter(|(account, _)| own(account))
                    .flat_map(|(_, proofs)| proofs)
                {
                    match outcome.verdict {
                        Verdict::Proved => row.proved += 1,
                        Verdict::Refuted { .. } => row.refuted += 1,
                        Verdict::NotProvable { .. } => row.not_provable += 1,
                    }
                }
            }
            row
        })
        .collect()
}
