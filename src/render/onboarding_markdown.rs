//! The plan of an onboarding as a comment of a merge request.

use std::fmt::Write as _;

use super::{
    error::Problem,
    markdown::{comment_mark, escape_markdown, join_sections},
};
use crate::{
    checks::CheckState,
    provisioning::{
        Action, ChangeRow, DepartmentStatus, PlannedChanges,
        onboarding::{OnboardOutcome, OnboardedDepartment},
    },
    text::count_noun,
};

const TOO_LONG: &str = "\nThe rest of the plan is too long for a comment; `-o json` contains all of it.\n";

/// Most lines of a list besides the changes.
const MAX_LISTED: usize = 20;

/// Returns the plan of an onboarding as Markdown: the verdict, what is deleted or revoked, the isolation check, then each
/// department folded. A hidden mark lets a pipeline replace its former comment. No value can mention a person, open HTML or
/// end a table. The same plan is the same text.
#[must_use]
pub fn onboarding_to_markdown(outcome: &OnboardOutcome) -> String {
    let header = &outcome.header;
    let changes = &outcome.changes;
    let head = format!("{}\n{}\n", heading(&header.stage), verdict(outcome));
    let footer = format!(
        "\nEnvironment {}, cluster {}, provisioner {}.\n",
        escape_markdown(header.address.environment.as_ref()),
        escape_markdown(header.address.cluster.as_ref()),
        escape_markdown(&header.provisioner)
    );
    let removals: Vec<String> = outcome
        .departments
        .iter()
        .flat_map(|row| {
            let removed = changes.rows(&row.plan.code).into_iter().filter(is_removal);
            removed.map(|change| format!("{} of {}", describe(&change), escape_markdown(row.plan.code.as_str())))
        })
        .collect();
    let findings = &outcome.findings;
    let surplus: Vec<&str> = findings.surplus.iter().map(|surplus| surplus.what.as_str()).collect();
    // A failed check refuses the onboarding, so the rest could not be checked.
    let unchecked = outcome.checks.iter().filter(|check| check.state != CheckState::Ok);
    let unchecked: Vec<String> = unchecked
        .map(|check| format!("{}: {}", check.name, check.detail))
        .collect();
    let lists = [
        ("Not checked", strings(&unchecked)),
        ("Notices", strings(&findings.notices)),
        ("Surplus (kept; `--prune` removes it)", surplus),
        (
            "Unmanaged access on a prefix (never changed)",
            strings(&findings.unmanaged),
        ),
        (
            "Orphaned: managed accounts whose department has no file",
            strings(&findings.orphans),
        ),
    ];
    let changed = outcome
        .departments
        .iter()
        .filter(|row| changes.count_remote(&row.plan.code) > 0);
    // The departments come last, because only they can be too long.
    let sections = removal_sections(&removals)
        .into_iter()
        .chain(isolation_section(outcome))
        .chain(
            lists
                .into_iter()
                .filter_map(|(title, lines)| list_section(title, &lines)),
        )
        .chain(quota_section(outcome))
        .chain(changed.flat_map(|row| department_sections(changes, row)));
    join_sections(head, sections, &footer, TOO_LONG)
}

/// Returns the comment of an onboarding that cannot be planned in `stage`, so that no former plan stays valid.
#[must_use]
pub fn refusal_to_markdown(stage: &str, problem: &Problem) -> String {
    let mut message = problem.message.clone();
    for cause in &problem.causes {
        let _ = write!(message, ": {cause}");
    }
    let head = format!(
        "{}\n**Cannot be onboarded**: {}.\n",
        heading(stage),
        escape_markdown(&message)
    );
    let findings = problem.findings.iter().map(|finding| {
        let place = finding.span.as_ref().map(|span| format!("{}: ", span.location()));
        format!(
            "\n- {}",
            escape_markdown(&(place.unwrap_or_default() + &finding.message))
        )
    });
    let hints = problem
        .hints
        .iter()
        .map(|hint| format!("\n- {}", escape_markdown(hint.as_str())));
    join_sections(head, findings.chain(hints), "\n", TOO_LONG)
}

fn heading(stage: &str) -> String {
    let title = match stage {
        "" => "Onboarding".to_owned(),
        stage => format!("Onboarding in stage {stage}"),
    };
    format!("{}\n### {}\n", comment_mark("onboard", stage), escape_markdown(&title))
}

fn strings(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

fn verdict(outcome: &OnboardOutcome) -> String {
    let all = count_noun(outcome.departments.len(), "department");
    if outcome.changes.is_empty() {
        let verb = if outcome.departments.len() == 1 { "is" } else { "are" };
        return format!("**Nothing to change**: {all} {verb} up to date.");
    }
    let changed = outcome
        .changes
        .departments()
        .into_iter()
        .collect::<std::collections::BTreeSet<_>>();
    format!(
        "**{} to change**, of {}. {}",
        count_noun(changed.len(), "department"),
        all,
        outcome.changes.describe_totals()
    )
}

/// Whether the change deletes an object, such as a role binding or an API key.
fn is_removal(change: &ChangeRow<'_>) -> bool {
    matches!(change.action, Action::Delete | Action::Replace)
}

fn describe(change: &ChangeRow<'_>) -> String {
    escape_markdown(&change.columns.join(" "))
}

/// Returns one section per line, so that a long list is cut at a line.
fn removal_sections(removals: &[String]) -> Vec<String> {
    if removals.is_empty() {
        return Vec::new();
    }
    let title = format!("\n**Deletes or revokes {}:**\n\n", count_noun(removals.len(), "object"));
    std::iter::once(title)
        .chain(removals.iter().map(|line| format!("- {line}\n")))
        .collect()
}

/// Returns the result of the isolation check with its violations.
fn isolation_section(outcome: &OnboardOutcome) -> Option<String> {
    let isolation = outcome.isolation.as_ref()?;
    let mut out = format!("\n{}\n", escape_markdown(&isolation.verdict()));
    for violation in isolation.violations.iter().take(MAX_LISTED) {
        let _ = write!(out, "\n- {}", escape_markdown(violation));
    }
    Some(out + "\n")
}

/// Most changes in one folded part: a department with more has several, so that a long plan is cut between them.
const MAX_FOLDED: usize = 40;

fn department_sections(changes: &PlannedChanges, row: &OnboardedDepartment) -> Vec<String> {
    let department = &row.plan;
    let status = match department.status {
        DepartmentStatus::New => "new",
        _ => "changed",
    };
    let rows = changes.rows(&department.code);
    let parts: Vec<&[ChangeRow<'_>]> = rows.chunks(MAX_FOLDED).collect();
    let folded = parts.iter().enumerate().map(|(index, part)| {
        let continued = if index == 0 { "" } else { ", continued" };
        let title = format!(
            "{} ({status}, prefix {}, template {}{continued})",
            department.code, department.prefix, department.template
        );
        let mut out = format!(
            "\n<details><summary><b>{}</b>: {}</summary>\n\n| | Object | Reason |\n|---|---|---|\n",
            escape_markdown(&title),
            count_noun(rows.len(), "change")
        );
        for change in *part {
            let reason = match change.description {
                Some((from, to)) => format!("description `{from}` → `{to}`"),
                None => change.reason.unwrap_or_default().to_owned(),
            };
            let _ = writeln!(
                out,
                "| {} | {} | {} |",
                escape_markdown(change.action.symbol()),
                describe(change),
                escape_markdown(&reason)
            );
        }
        out + "\n</details>\n"
    });
    folded.collect()
}

fn list_section(title: &str, lines: &[&str]) -> Option<String> {
    if lines.is_empty() {
        return None;
    }
    let mut out = format!(
        "\n<details><summary>{}: {}</summary>\n\n",
        escape_markdown(title),
        lines.len()
    );
    for line in lines.iter().take(MAX_LISTED) {
        let _ = writeln!(out, "- {}", escape_markdown(line));
    }
    if lines.len() > MAX_LISTED {
        let _ = writeln!(out, "- and {} more", lines.len() - MAX_LISTED);
    }
    Some(out + "\n</details>\n")
}

fn quota_section(outcome: &OnboardOutcome) -> Option<String> {
    let added = outcome.quotas.iter().filter(|row| row.added != 0);
    let mut out = String::new();
    for row in added {
        let limit = row
            .limit
            .map_or_else(|| "unknown".to_owned(), |limit| limit.to_string());
        let bound = if row.reported { "" } else { "≥ " };
        let _ = writeln!(
            out,
            "| {} | {bound}{} | {bound}{} | {limit} |",
            escape_markdown(row.name),
            row.used,
            row.used_after()
        );
    }
    (!out.is_empty()).then(|| {
        format!(
            "\n<details><summary>Quotas of Confluent Cloud</summary>\n\n| Quota | Used | After | Limit |\n|---|---|---|---|\n{out}\n</details>\n"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::markdown::MAX_COMMENT_LENGTH;

    // GitHub limits a comment to 65,536 characters.
    #[test]
    fn a_refusal_with_many_findings_is_cut_below_the_limit_and_injects_nothing() {
        let mut problem = Problem::new("invalid platform files");
        let hostile = "@team `x` <img src=x> | [a](http://b) -->\n## c ".repeat(20);
        problem.findings = (0..500)
            .map(|_| crate::diag::Finding::error("x", hostile.clone()))
            .collect();
        let text = refusal_to_markdown("prod", &problem);
        assert!(text.len() <= MAX_COMMENT_LENGTH, "{}", text.len());
        assert!(text.contains(TOO_LONG.trim()));
        assert!(text.starts_with("<!-- confluent-ebs onboard prod -->\n### Onboarding in stage prod\n"));
        let shown = text.split_once("-->").unwrap().1;
        for injected in ["@team", "<img", "](", "-->", "\n## ", "http:"] {
            assert!(!shown.contains(injected), "{injected}");
        }
    }
}
