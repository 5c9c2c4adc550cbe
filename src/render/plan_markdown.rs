//! A plan as a comment of a merge request.

use std::fmt::Write as _;

use super::markdown::{MAX_COMMENT_LENGTH, comment_mark, escape_markdown, join_sections};
use crate::{
    diag::{Finding, Severity},
    gitops::{DepartmentDrift, GitopsPlan, LiveFact, PlanItem, PlanProblem, Risk},
    resources::connector::FieldDiff,
    text::count_noun,
};

/// Returns a plan as Markdown: the verdict, destructive changes, problems, and the other changes folded. A hidden mark
/// lets a pipeline replace its former comment. No value can mention a person, open HTML or end a table.
#[must_use]
pub fn plan_to_markdown(plan: &GitopsPlan) -> String {
    let mut out = format!(
        "{}\n### {}\n\n{}\n",
        comment_mark("plan", &format!("{}/{}", plan.department, plan.stage)),
        escape_markdown(&format!("Plan of {} in {}", plan.department, plan.stage)),
        verdict(plan)
    );
    if let Some(freeze) = &plan.freeze {
        let _ = writeln!(
            out,
            "\nNo apply now: {}.",
            escape_markdown(&freeze.describe(&plan.stage))
        );
    }
    let footer = footer(plan);
    let (destructive, others): (Vec<&PlanItem>, Vec<&PlanItem>) =
        plan.items.iter().partition(|item| item.risk == Risk::Destructive);
    let sections = problem_sections(plan)
        .into_iter()
        .chain(destructive.into_iter().map(|item| item_section(item, false)))
        .chain(others.into_iter().map(|item| item_section(item, true)));
    join_sections(out, sections, &footer, TOO_LONG)
}

const TOO_LONG: &str = "\nThe rest of the plan is too long for a comment; it is in the file of the plan.\n";

fn verdict(plan: &GitopsPlan) -> String {
    let changes = count_noun(plan.items.len(), "change");
    if plan.is_refused() {
        let violated = plan
            .policies
            .iter()
            .filter(|finding| finding.severity == Severity::Error);
        let problems = plan.errors.len() + plan.conflicts.len() + violated.count();
        return format!("**Must not be applied**: {}.", count_noun(problems, "problem"));
    }
    match plan.risk() {
        None => "**Nothing to change.**".to_owned(),
        Some(risk) => format!("**{changes}**, highest risk: {risk}."),
    }
}

fn problem_sections(plan: &GitopsPlan) -> Vec<String> {
    let section = |label: &str, problem: &PlanProblem| {
        let name = problem
            .connector
            .as_deref()
            .map(|name| format!(" in {}", escape_markdown(name)));
        let fix = problem.fix.as_deref().map(|fix| format!(" {}", escape_markdown(fix)));
        format!(
            "\n- **{label}**{}: {}.{}\n",
            name.unwrap_or_default(),
            escape_markdown(&problem.message),
            fix.unwrap_or_default()
        )
    };
    let conflicts = plan.conflicts.iter().map(|problem| section("Conflict", problem));
    let errors = plan.errors.iter().map(|problem| section("Error", problem));
    let not_checked = plan.not_checked.iter().map(|problem| section("Not checked", problem));
    let policies = plan.policies.iter().map(policy_section);
    conflicts.chain(errors).chain(policies).chain(not_checked).collect()
}

fn policy_section(finding: &Finding) -> String {
    let label = match finding.severity {
        Severity::Error => "Policy",
        Severity::Warning | Severity::Info => "Policy (warning)",
    };
    let place = finding.span.as_ref().map(|span| match span.range.is_empty() {
        true => span.source.path.display().to_string(),
        false => span.location(),
    });
    format!(
        "\n- **{label}** {} in {}: {}. {}\n",
        escape_markdown(finding.rule),
        escape_markdown(&place.unwrap_or_default()),
        escape_markdown(&finding.message),
        escape_markdown(finding.fix.as_deref().unwrap_or_default())
    )
}

fn item_section(item: &PlanItem, folded: bool) -> String {
    let name = match &item.replaces {
        Some(former) => format!("{former} → {}", item.address.name),
        None => item.address.name.clone(),
    };
    let heading = format!("{} {}", item.action, escape_markdown(&name));
    let reasons = match item.reasons.as_slice() {
        [] => String::new(),
        reasons => format!(" ({} risk: {})", item.risk, escape_markdown(&reasons.join("; "))),
    };
    let mut out = match (item.fields.is_empty(), folded) {
        (true, _) => format!("\n- **{heading}**{reasons}\n"),
        (false, true) => format!("\n<details><summary><b>{heading}</b>{reasons}</summary>\n\n"),
        (false, false) => format!("\n**{heading}**{reasons}\n\n"),
    };
    if item.fields.is_empty() {
        return out;
    }
    out.push_str("| Key | Before | After |\n|---|---|---|\n");
    for field in &item.fields {
        let (old, new) = shown_values(field);
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            escape_markdown(&field.config),
            escape_markdown(&old),
            escape_markdown(&new)
        );
    }
    if folded {
        out.push_str("\n</details>\n");
    }
    out
}

/// Values longer than this are shortened; the file of the plan contains them.
const MAX_VALUE: usize = 300;

fn shown_values(field: &FieldDiff) -> (String, String) {
    let short = |value: Option<&String>| {
        let value = value.map_or("", String::as_str);
        match value.char_indices().nth(MAX_VALUE) {
            Some((end, _)) => format!("{}…", &value[..end]),
            None => value.to_owned(),
        }
    };
    match field.secret {
        None => (short(field.old.as_ref()), short(field.new.as_ref())),
        Some(_) => ("(secret)".to_owned(), short(field.reference.as_ref())),
    }
}

fn footer(plan: &GitopsPlan) -> String {
    let mut out = format!("\n{} unchanged", plan.unchanged.len());
    if !plan.unmanaged.is_empty() {
        let _ = write!(out, ", {} without a file (not changed)", plan.unmanaged.len());
    }
    if !plan.released.is_empty() {
        let _ = write!(out, ", {} unmanaged on purpose", plan.released.len());
    }
    if plan.secrets_not_compared > 0 {
        let secrets = count_noun(plan.secrets_not_compared, "secret");
        let _ = write!(
            out,
            "; {secrets} not compared, because Confluent Cloud returns no secrets"
        );
    }
    out.push_str(".\n");
    if let Some(id) = &plan.id {
        let _ = write!(out, "\nPlan `{id}`\n");
    }
    out
}

/// Returns the drift of a department as the body of an issue.
#[must_use]
pub fn drift_to_markdown(drift: &DepartmentDrift) -> String {
    let mut out = format!(
        "{}\n### {}\n",
        comment_mark("drift", &format!("{}/{}", drift.department, drift.stage)),
        escape_markdown(&format!("Drift of {} in {}", drift.department, drift.stage)),
    );
    if drift.is_empty() {
        out.push_str("\nFiles and connectors agree.\n");
    }
    let mut add = |label: &str, name: &str, detail: &str| {
        let line = format!("\n- **{label}**: {}{}", escape_markdown(name), escape_markdown(detail));
        if out.len() + line.len() < MAX_COMMENT_LENGTH - TOO_LONG.len() {
            out.push_str(&line);
        }
    };
    let state = |live: &LiveFact| format!(" ({})", live.state);
    for changed in &drift.changed {
        let keys: Vec<&str> = changed.fields.iter().map(|field| field.config.as_str()).collect();
        add("changed", &changed.name, &format!(" in {}", keys.join(", ")));
    }
    drift.missing.iter().for_each(|name| add("missing", name, ""));
    drift.not_deleted.iter().for_each(|name| add("not deleted", name, ""));
    drift
        .state
        .iter()
        .for_each(|live| add("other state", &live.name, &state(live)));
    drift
        .unmanaged
        .iter()
        .for_each(|live| add("without a file", &live.name, &state(live)));
    drift.conflicts.iter().for_each(|name| add("conflict", name, ""));
    drift
        .failed
        .iter()
        .for_each(|live| add("failed, no drift", &live.name, &state(live)));
    out.push('\n');
    out
}
