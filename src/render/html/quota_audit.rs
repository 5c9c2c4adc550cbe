//! Quota audit.

use askama::Template;

use super::{
    PageFrame,
    parts::{ConditionBadge, PageTable, TableCell, UsageGauge, UsageMeter, name_with_code},
};
use crate::{
    fleet::{
        ConnectorCondition, QuotaAudit, QuotaState, format_age,
        quota_audit::{ClusterQuotaUsage, DepartmentQuotaUsage, ProviderQuota, StageQuotaAudit},
    },
    quota::ADVISORY,
};

#[derive(Template)]
#[template(path = "quota_audit.html")]
struct QuotaAuditPage {
    frame: PageFrame,
    stages: Vec<QuotaSection>,
    provider_quotas: PageTable,
}

struct QuotaSection {
    name: String,
    cluster: String,
    /// Content, or the reason why the stage was not observed.
    content: Result<QuotaDetails, String>,
}

struct QuotaDetails {
    gauges: Vec<UsageGauge>,
    departments: PageTable,
    without_connectors: Vec<String>,
    notes: Vec<String>,
    provider_quotas: PageTable,
}

/// Renders a quota audit as a page.
#[must_use]
pub fn quota_audit_page(audit: &QuotaAudit) -> String {
    let (condition, verdict) = audit.verdict();
    let sections = audit.stages.iter().map(|stage| QuotaSection {
        name: stage.stage.to_string(),
        cluster: stage.cluster.clone(),
        content: match &stage.unknown {
            Some(why) => Err(why.to_string()),
            None => Ok(stage_details(audit, stage)),
        },
    });
    let page = QuotaAuditPage {
        frame: PageFrame {
            title: match &audit.department {
                Some(code) => format!("Quotas of {code}"),
                None => "Quotas of all departments".to_owned(),
            },
            verdict: ConditionBadge::new(condition, verdict),
            taken_at: audit.taken_at,
            omissions: omissions(audit),
        },
        stages: sections.collect(),
        provider_quotas: provider_table(&audit.provider_quotas),
    };
    page.to_string()
}

fn omissions(audit: &QuotaAudit) -> Vec<String> {
    let mut sentences = [
        "Changes after the time above: the page does not refresh itself.",
        "When a quota was exceeded, and by which connector: Confluent Cloud does not report it. “Over for” is how long \
         the machine that created this page has observed it, which can be shorter.",
        "Topics, throughput and costs.",
    ]
    .map(str::to_owned)
    .to_vec();
    if audit.department.is_some() {
        sentences.push("Other departments, and the usage of the shared cluster.".to_owned());
    }
    let unknown = audit.unknown.iter();
    sentences.extend(unknown.map(|(what, why)| format!("Not observed: {what}: {why}.")));
    sentences.push(ADVISORY.to_owned());
    sentences
}

fn stage_details(audit: &QuotaAudit, stage: &StageQuotaAudit) -> QuotaDetails {
    let (some, none): (Vec<_>, Vec<_>) = stage.departments.iter().partition(|row| row.connectors > 0);
    QuotaDetails {
        gauges: stage.cluster_usage.as_ref().map(gauges).unwrap_or_default(),
        departments: department_table(audit, &some),
        without_connectors: none
            .iter()
            .map(|row| name_with_code(&row.name, &row.department))
            .collect(),
        notes: stage.notes(),
        provider_quotas: provider_table(&stage.provider_quotas),
    }
}

fn gauges(cluster: &ClusterQuotaUsage) -> Vec<UsageGauge> {
    let [tasks, allocated] = cluster.sentences();
    let gauge = |text, used, complete| UsageGauge {
        label: "",
        text,
        meter: UsageMeter::new(used, cluster.tasks_allocatable, complete),
    };
    vec![
        gauge(tasks, cluster.tasks, cluster.complete),
        gauge(allocated, cluster.tasks_allocated, true),
    ]
}

fn department_table(audit: &QuotaAudit, departments: &[&DepartmentQuotaUsage]) -> PageTable {
    let rows = departments.iter().map(|row| {
        let (condition, label) = match row.state_label() {
            "" => (ConnectorCondition::Running, "has room"),
            label if row.is_over_quota() => (ConnectorCondition::Failed, label),
            label => (matching_condition(row.state), label),
        };
        let over_since = row.over_quota_observed_since;
        vec![
            TableCell::named(&row.name, row.department.as_str()),
            TableCell::condition(condition, label),
            TableCell::usage(row.connectors, row.connectors_limit, true),
            TableCell::usage(row.tasks, row.tasks_limit, row.complete),
            TableCell::text(over_since.map(|since| format_age(since, audit.taken_at))),
        ]
    });
    PageTable {
        caption: "Departments over quota first. Numbers are used and limit.".to_owned(),
        columns: vec!["Department", "State", "Connectors", "Tasks", "Over for"],
        rows: rows.collect(),
    }
}

/// Returns the condition whose color and symbol represent a quota state.
fn matching_condition(state: QuotaState) -> ConnectorCondition {
    match state {
        QuotaState::Over => ConnectorCondition::Failed,
        QuotaState::Unknown => ConnectorCondition::Unknown,
        QuotaState::Full | QuotaState::Near => ConnectorCondition::Degraded,
        QuotaState::Ok => ConnectorCondition::Running,
    }
}

fn provider_table(quotas: &[ProviderQuota]) -> PageTable {
    let number = |number: Option<u64>| number.map_or_else(|| "unknown".to_owned(), |number| number.to_string());
    let rows = quotas.iter().map(|quota| {
        let condition = quota.state.map_or(ConnectorCondition::Unknown, matching_condition);
        let label = match quota.state {
            None if quota.used.is_none() => "usage unknown",
            None => "limit unknown",
            Some(QuotaState::Ok) => "has room",
            Some(state) => state.label(),
        };
        vec![
            TableCell::named(&quota.name, &quota.quota_code),
            TableCell::condition(condition, label),
            TableCell::Prose(number(quota.used)),
            TableCell::Text(number(quota.limit)),
        ]
    });
    PageTable {
        caption: "Quotas of Confluent Cloud, highest usage first.".to_owned(),
        columns: vec!["Quota", "State", "Used", "Limit"],
        rows: rows.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::connect::ExpandedConnector,
        fleet::quota_fixture::{audit, connector, evaluate, invalid, known_accounts},
    };

    #[test]
    fn a_lower_bound_is_not_shown_as_free() {
        let list = [
            ("claims-a", invalid("lots")),
            ("motor-a", connector(1, "sa-motor")),
            ("stray", ExpandedConnector::default()),
        ];
        let page = quota_audit_page(&audit(evaluate(&list, Some(&known_accounts()), 250)));
        for text in [
            "Unknown whether 1 department and 1 cluster are over quota.",
            "3 connectors use at least 3 of 225 tasks",
            "badge unknown",
            "fill unknown",
        ] {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(!page.contains("No quota is exceeded"), "{page}");
        assert_eq!(page.matches("has room").count(), 1, "{page}");
    }
}
