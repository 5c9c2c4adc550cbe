//! Quota audit as a self-contained HTML page.

use super::view::{cluster_sentences, notes, state_label};
use crate::{
    commands::html_parts::{
        CellContent, FleetPage, badge, cell, departments_without_connectors, prose_cell, section, table, text_cell,
        usage_meter, usage_with_meter,
    },
    fleet::{
        ConnectorCondition, QuotaAudit, QuotaState, format_age,
        quota_audit::{ClusterQuotaUsage, DepartmentQuotaUsage, ProviderQuota, StageQuotaAudit},
    },
    quota::ADVISORY,
    render::html::Html,
    text::count_noun,
};

/// Renders the page.
pub(super) fn render_page(audit: &QuotaAudit) -> String {
    let title = match &audit.department {
        Some(code) => format!("Quotas of {code}"),
        None => "Quotas of all departments".to_owned(),
    };
    let over = audit.over_quota_message();
    let unseen = audit.stages.iter().filter(|stage| stage.unknown.is_some()).count();
    let unclear = audit.unknown_state_message();
    let (condition, verdict) = match (over, unseen) {
        (Some(over), _) => (ConnectorCondition::Failed, Some(format!("{over}."))),
        (None, 1..) => (
            ConnectorCondition::Unknown,
            Some(format!("{} not observed.", count_noun(unseen, "stage"))),
        ),
        (None, 0) if unclear.is_some() => (ConnectorCondition::Unknown, None),
        (None, 0) => (ConnectorCondition::Running, Some("No quota is exceeded.".to_owned())),
    };
    let verdict: Vec<String> = verdict.into_iter().chain(unclear).collect();
    let verdict = verdict.join(" ");
    let not_shown = omissions(audit);
    let page = FleetPage {
        title: &title,
        summary: &capitalize(&verdict),
        condition,
        taken_at: audit.taken_at,
        omissions: &not_shown,
    };
    page.write(|html| {
        for stage in &audit.stages {
            let below = format!("Kafka cluster {}", stage.cluster);
            section(html, &format!("Stage {}", stage.stage), &below, |html| {
                write_stage(html, audit, stage);
            });
        }
        if !audit.provider_quotas.is_empty() {
            section(html, "Organization", "Provider quotas of the organization", |html| {
                write_provider_quotas(html, &audit.provider_quotas);
            });
        }
    })
}

fn capitalize(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn omissions(audit: &QuotaAudit) -> Vec<String> {
    let mut sentences = vec![
        "Changes after the time above: the page does not refresh itself.".to_owned(),
        "When a quota was exceeded, and by which connector: Confluent Cloud does not report it. “Over for” is how long \
         the machine that created this page has observed it, which can be shorter."
            .to_owned(),
        "Topics, throughput and costs.".to_owned(),
    ];
    if audit.department.is_some() {
        sentences.push("Other departments, and the usage of the shared cluster.".to_owned());
    }
    sentences.extend(
        audit
            .unknown
            .iter()
            .map(|(what, why)| format!("Not observed: {what}: {why}.")),
    );
    sentences.push(ADVISORY.to_owned());
    sentences
}

fn write_stage(html: &mut Html, audit: &QuotaAudit, stage: &StageQuotaAudit) {
    if let Some(why) = &stage.unknown {
        html.text_element("p", &[("class", "notice")], &format!("Unknown: {why}."));
        return;
    }
    if let Some(platform) = &stage.cluster_usage {
        write_gauges(html, platform);
    }
    write_departments(html, audit, stage);
    let remarks = notes(stage);
    if !remarks.is_empty() {
        html.text_element("h3", &[], "Findings");
        html.element("div", &[("class", "card")], |html| {
            html.element("ul", &[("class", "prose")], |html| {
                for remark in &remarks {
                    html.text_element("li", &[], remark);
                }
            });
        });
    }
    if !stage.provider_quotas.is_empty() {
        html.text_element("h3", &[], "Provider quotas of the cluster");
        write_provider_quotas(html, &stage.provider_quotas);
    }
}

fn write_gauges(html: &mut Html, platform: &ClusterQuotaUsage) {
    let [tasks, allocated] = cluster_sentences(platform);
    let gauges = [
        (tasks, !platform.complete, platform.tasks),
        (allocated, false, platform.tasks_allocated),
    ];
    html.element("div", &[("class", "gauges")], |html| {
        for (words, least, used) in gauges {
            html.element("div", &[("class", "card")], |html| {
                html.text_element("p", &[], &capitalize(&words));
                usage_meter(html, least, used, platform.tasks_allocatable);
            });
        }
    });
}

/// Returns the condition whose color and symbol represent a quota state.
fn condition_of(state: QuotaState) -> ConnectorCondition {
    match state {
        QuotaState::Over => ConnectorCondition::Failed,
        QuotaState::Unknown => ConnectorCondition::Unknown,
        QuotaState::Full | QuotaState::Near => ConnectorCondition::Degraded,
        QuotaState::Ok => ConnectorCondition::Running,
    }
}

fn write_departments(html: &mut Html, audit: &QuotaAudit, stage: &StageQuotaAudit) {
    html.text_element("h3", &[], "Departments");
    html.element("div", &[("class", "card")], |html| {
        let (some, none): (Vec<&DepartmentQuotaUsage>, Vec<&DepartmentQuotaUsage>) =
            stage.departments.iter().partition(|row| row.connectors > 0);
        if !some.is_empty() {
            let columns = ["Department", "State", "Connectors", "Tasks", "Over for"];
            let rows = some.into_iter().map(|row| -> Vec<CellContent<'_>> {
                let (word, condition) = match state_label(row) {
                    "" => ("has room", ConnectorCondition::Running),
                    word if row.is_over_quota() => (word, ConnectorCondition::Failed),
                    word => (word, condition_of(row.state)),
                };
                vec![
                    cell(|html| {
                        html.text(&row.name);
                        html.text_element("span", &[("class", "small")], row.department.as_str());
                    }),
                    cell(move |html| badge(html, condition, word)),
                    cell(|html| usage_with_meter(html, false, row.connectors, row.connectors_limit)),
                    cell(|html| usage_with_meter(html, !row.complete, row.tasks, row.tasks_limit)),
                    text_cell(
                        row.over_quota_observed_since
                            .map(|since| format_age(since, audit.taken_at))
                            .unwrap_or_default(),
                    ),
                ]
            });
            table(
                html,
                "Departments over quota first. Numbers are used and limit.",
                &columns,
                rows,
            );
        }
        departments_without_connectors(html, none.into_iter().map(|row| (row.name.as_str(), &row.department)));
    });
}

fn write_provider_quotas(html: &mut Html, quotas: &[ProviderQuota]) {
    html.element("div", &[("class", "card")], |html| {
        let columns = ["Quota", "State", "Used", "Limit"];
        let rows = quotas.iter().map(|quota| {
            let state = quota.state.map_or(ConnectorCondition::Unknown, condition_of);
            let word = match quota.state {
                None if quota.used.is_none() => "usage unknown",
                None => "limit unknown",
                Some(QuotaState::Ok) => "has room",
                Some(state) => state.label(),
            };
            vec![
                cell(|html| {
                    html.text(&quota.name);
                    html.text_element("span", &[("class", "small")], &quota.quota_code);
                }),
                cell(move |html| badge(html, state, word)),
                prose_cell(quota.used.map_or_else(|| "unknown".to_owned(), |used| used.to_string())),
                text_cell(
                    quota
                        .limit
                        .map_or_else(|| "unknown".to_owned(), |limit| limit.to_string()),
                ),
            ]
        });
        table(html, "Quotas of Confluent Cloud, highest usage first.", &columns, rows);
    });
}
