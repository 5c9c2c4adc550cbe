//! The audit as a page to show in a meeting: everything in one file.

use super::{
    judge::{Audit, DepartmentUse, PlatformUse, ProviderQuota, StageAudit},
    view::{cluster_words, remarks, state},
};
use crate::{
    commands::{
        fleet::{
            Condition, age,
            page::{Content, Page, badge, cell, meter, prose, section, table, text, used, without_connectors},
        },
        quota::state::State,
    },
    quota::ADVISORY,
    render::{html::Html, words::count},
};

/// The page.
pub(super) fn page(audit: &Audit) -> String {
    let title = match &audit.department {
        Some(code) => format!("Quotas of {code}"),
        None => "Quotas of all departments".to_owned(),
    };
    let over = audit.over();
    let unseen = audit.stages.iter().filter(|stage| stage.unknown.is_some()).count();
    let unclear = audit.unclear();
    let (condition, verdict) = match (over, unseen) {
        (Some(over), _) => (Condition::Failed, Some(format!("{over}."))),
        (None, 1..) => (
            Condition::Unknown,
            Some(format!("{} could not be looked at.", count(unseen, "stage"))),
        ),
        (None, 0) if unclear.is_some() => (Condition::Unknown, None),
        (None, 0) => (Condition::Running, Some("Nobody uses more than they may.".to_owned())),
    };
    let verdict: Vec<String> = verdict.into_iter().chain(unclear).collect();
    let verdict = verdict.join(" ");
    let not_shown = not_shown(audit);
    let page = Page {
        title: &title,
        verdict: &capital(&verdict),
        condition,
        taken_at: audit.taken_at,
        not_shown: &not_shown,
    };
    page.write(|html| {
        for stage in &audit.stages {
            let below = format!("Kafka cluster {}", stage.cluster);
            section(html, &format!("Stage {}", stage.stage), &below, |html| {
                write_stage(html, audit, stage);
            });
        }
        if !audit.provider_quotas.is_empty() {
            section(
                html,
                "Organization",
                "What the provider allows the whole organization",
                |html| {
                    provider(html, &audit.provider_quotas);
                },
            );
        }
    })
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn not_shown(audit: &Audit) -> Vec<String> {
    let mut sentences = vec![
        "What happened after the moment above: the page does not refresh itself.".to_owned(),
        "Since when somebody really uses too much, and which connector came last: the service does not tell. “Over for” is \
         since when the computer that made this page has seen it so, which can be shorter."
            .to_owned(),
        "Topics, throughput and costs.".to_owned(),
    ];
    if audit.department.is_some() {
        sentences.push("Other departments, and how full the shared cluster is.".to_owned());
    }
    sentences.extend(
        audit
            .unknown
            .iter()
            .map(|(what, why)| format!("What could not be looked at: {what}: {why}.")),
    );
    sentences.push(ADVISORY.to_owned());
    sentences
}

fn write_stage(html: &mut Html, audit: &Audit, stage: &StageAudit) {
    if let Some(why) = &stage.unknown {
        html.leaf("p", &[("class", "notice")], &format!("Not known: {why}."));
        return;
    }
    if let Some(platform) = &stage.platform {
        gauges(html, platform);
    }
    departments(html, audit, stage);
    let remarks = remarks(stage);
    if !remarks.is_empty() {
        html.leaf("h3", &[], "What should not be");
        html.element("div", &[("class", "card")], |html| {
            html.element("ul", &[("class", "prose")], |html| {
                for remark in &remarks {
                    html.leaf("li", &[], remark);
                }
            });
        });
    }
    if !stage.provider_quotas.is_empty() {
        html.leaf("h3", &[], "What the provider allows this cluster");
        provider(html, &stage.provider_quotas);
    }
}

fn gauges(html: &mut Html, platform: &PlatformUse) {
    let [tasks, promised] = cluster_words(platform);
    let gauges = [
        (tasks, !platform.complete, platform.tasks),
        (promised, false, platform.tasks_promised),
    ];
    html.element("div", &[("class", "gauges")], |html| {
        for (words, least, used) in gauges {
            html.element("div", &[("class", "card")], |html| {
                html.leaf("p", &[], &capital(&words));
                meter(html, least, used, platform.tasks_allocatable);
            });
        }
    });
}

/// How a quota is, as a condition has it: its colour and its sign.
fn condition(state: State) -> Condition {
    match state {
        State::Over => Condition::Failed,
        State::Unknown => Condition::Unknown,
        State::Full | State::Near => Condition::Degraded,
        State::Ok => Condition::Running,
    }
}

fn departments(html: &mut Html, audit: &Audit, stage: &StageAudit) {
    html.leaf("h3", &[], "Departments");
    html.element("div", &[("class", "card")], |html| {
        let (some, none): (Vec<&DepartmentUse>, Vec<&DepartmentUse>) =
            stage.departments.iter().partition(|row| row.connectors > 0);
        if !some.is_empty() {
            let columns = ["Department", "State", "Connectors", "Tasks", "Over for"];
            let rows = some.into_iter().map(|row| -> Vec<Content<'_>> {
                let (word, condition) = match state(row) {
                    "" => ("has room", Condition::Running),
                    word if row.exceeds() => (word, Condition::Failed),
                    word => (word, condition(row.state)),
                };
                vec![
                    cell(|html| {
                        html.text(&row.name);
                        html.leaf("span", &[("class", "small")], row.department.as_str());
                    }),
                    cell(move |html| badge(html, condition, word)),
                    cell(|html| used(html, false, row.connectors, row.connectors_limit)),
                    cell(|html| used(html, !row.complete, row.tasks, row.tasks_limit)),
                    text(
                        row.over_seen_since
                            .map(|since| age(since, audit.taken_at))
                            .unwrap_or_default(),
                    ),
                ]
            });
            table(
                html,
                "Those that use too much first. Numbers are used and limit.",
                &columns,
                rows,
            );
        }
        without_connectors(html, none.into_iter().map(|row| (row.name.as_str(), &row.department)));
    });
}

fn provider(html: &mut Html, quotas: &[ProviderQuota]) {
    html.element("div", &[("class", "card")], |html| {
        let columns = ["Quota", "State", "Used", "Limit"];
        let rows = quotas.iter().map(|quota| {
            let state = quota.state.map_or(Condition::Unknown, condition);
            let word = match quota.state {
                None if quota.used.is_none() => "use not told",
                None => "limit not told",
                Some(State::Ok) => "has room",
                Some(state) => state.words(),
            };
            vec![
                cell(|html| {
                    html.text(&quota.name);
                    html.leaf("span", &[("class", "small")], &quota.quota_code);
                }),
                cell(move |html| badge(html, state, word)),
                prose(quota.used.map_or_else(|| "unknown".to_owned(), |used| used.to_string())),
                text(
                    quota
                        .limit
                        .map_or_else(|| "unknown".to_owned(), |limit| limit.to_string()),
                ),
            ]
        });
        table(html, "Quotas of Confluent Cloud, the scarcest first.", &columns, rows);
    });
}
