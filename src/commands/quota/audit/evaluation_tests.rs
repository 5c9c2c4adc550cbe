use std::collections::BTreeMap;

use crate::api::connect::{ClusterPath, ExpandedConnector};
use crate::fleet::{OwnerDepartment, QuotaAudit, QuotaState, quota_audit::*};
use crate::model::{DepartmentCode, DepartmentQuota, ObservedAccount, OwnershipTag, Prefix};
use crate::quota::ClusterTaskLimit;
use jiff::Timestamp;

fn owner(code: &str) -> OwnerDepartment {
    OwnerDepartment {
        code: code.parse().unwrap(),
        name: code.to_uppercase(),
        prefix: Prefix::parse(&format!("{code}-")).unwrap(),
        quota: DepartmentQuota {
            connectors: 2,
            tasks: 4,
            tasks_per_connector: 2,
            plugins: vec!["*".into()],
        },
    }
}

fn account(id: &str, stage: &str, department: &str) -> (String, ObservedAccount) {
    let tag = OwnershipTag {
        stage: stage.into(),
        department: department.parse().unwrap(),
        persona: "runtime".into(),
        template: "hybrid".into(),
        template_hash: "1".into(),
        profile_hash: "2".into(),
    };
    let account = ObservedAccount {
        id: id.parse().unwrap(),
        name: tag.account_name(),
        description: tag.to_string(),
        created_at: None,
    };
    (id.to_owned(), account)
}

fn connector(tasks: u32, account: &str) -> ExpandedConnector {
    let mut connector = ExpandedConnector::default();
    let config = &mut connector.info.config;
    config.insert("tasks.max".into(), tasks.to_string());
    if account.is_empty() {
        config.insert("kafka.api.key".into(), "****************".into());
    } else {
        config.insert("kafka.auth.mode".into(), "SERVICE_ACCOUNT".into());
        config.insert("kafka.service.account.id".into(), account.into());
    }
    connector.status.connector.state = "RUNNING".into();
    connector
}

fn evaluate(list: &[(&str, ExpandedConnector)], accounts: Option<&AccountsById>, ceiling: u32) -> StageQuotaAudit {
    let list: BTreeMap<String, ExpandedConnector> = list
        .iter()
        .map(|(name, now)| ((*name).to_owned(), now.clone()))
        .collect();
    let place = ClusterPath {
        environment: "env-prod01".parse().unwrap(),
        cluster: "lkc-prod01".parse().unwrap(),
    };
    let owners = [owner("claims"), owner("motor")];
    let evaluator = QuotaEvaluator {
        owners: &owners,
        single_department: false,
        accounts,
    };
    let cluster = ClusterInput {
        stage: "prod",
        cluster_path: &place,
        ceiling: ClusterTaskLimit {
            tasks: ceiling,
            reserve_percent: 10,
        },
        list: Ok(&list),
        quotas: Vec::new(),
    };
    evaluator.evaluate_cluster(cluster, &mut |_, how| {
        Timestamp::from_second(if how == "over" { 1 } else { 2 }).unwrap()
    })
}

fn known_accounts() -> AccountsById {
    [
        account("sa-claims", "prod", "claims"),
        account("sa-motor", "prod", "motor"),
        account("sa-test", "test", "claims"),
    ]
    .into()
}

// Source: docs/reference/quotas.md#counting-connectors. Connectors, tasks, and tasks of one connector are limited.
#[test]
fn departments_over_quota_come_first_whichever_limit_they_exceed() {
    let list = [
        ("claims-a", connector(1, "sa-claims")),
        ("motor-a", connector(3, "sa-motor")),
    ];
    let observed = evaluate(&list, Some(&known_accounts()), 250);
    let motor = &observed.departments[0];
    assert_eq!((motor.department.as_str(), motor.state), ("motor", QuotaState::Ok));
    assert_eq!(
        (motor.oversized[0].name.as_str(), motor.oversized[0].tasks),
        ("motor-a", 3)
    );
    assert_eq!(motor.over_quota_observed_since, Timestamp::from_second(1).ok());
    assert_eq!(
        (
            observed.departments[1].is_over_quota(),
            observed.departments[1].over_quota_observed_since
        ),
        (false, None)
    );
    let list = ["claims-a", "claims-b", "claims-c"].map(|name| (name, connector(1, "sa-claims")));
    let observed = evaluate(&list, Some(&known_accounts()), 250);
    assert_eq!(
        (observed.departments[0].state, observed.departments[0].connectors),
        (QuotaState::Over, 3)
    );
}

// Source: docs/reference/quotas.md#sharing-a-cluster. Allocated tasks against allocatable tasks, and the reserve that
// departments may not use.
#[test]
fn the_cluster_has_its_own_quota_and_allocations_are_added_up() {
    let list = [("stray", connector(10, "sa-motor"))];
    let platform = evaluate(&list, Some(&known_accounts()), 10).cluster_usage.unwrap();
    assert_eq!(
        (platform.tasks, platform.tasks_allocatable, platform.tasks_reserved),
        (10, 9, 1)
    );
    assert_eq!(platform.state, QuotaState::Over);
    assert_eq!((platform.tasks_allocated, platform.allocated_percent), (8, 88));
    assert_eq!(evaluate(&[], None, 5).cluster_usage.unwrap().allocated_percent, 200);
}

// The prefix belongs to one department and the service account to another, or no prefix matches
// (docs/reference/quotas.md#counting-connectors).
#[test]
fn foreign_accounts_and_unowned_connectors_are_reported() {
    let list = [
        ("claims-own", connector(1, "sa-claims")),
        ("claims-borrowed", connector(1, "sa-motor")),
        ("claims-stage", connector(1, "sa-test")),
        ("claims-stranger", connector(1, "sa-other")),
        ("claims-key", connector(1, "")),
        ("claims-hidden", ExpandedConnector::default()),
        ("stray", connector(1, "sa-motor")),
    ];
    let observed = evaluate(&list, Some(&known_accounts()), 250);
    let foreign: Vec<(&str, Option<&str>)> = observed
        .foreign_accounts
        .iter()
        .map(|row| {
            (
                row.name.as_str(),
                row.account_department.as_ref().map(DepartmentCode::as_str),
            )
        })
        .collect();
    assert_eq!(
        foreign,
        [
            ("claims-borrowed", Some("motor")),
            ("claims-stage", None),
            ("claims-stranger", None)
        ]
    );
    let unclear: Vec<&str> = observed.unknown_accounts.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(unclear, ["claims-hidden", "claims-key"]);
    let stray = &observed.unowned[0];
    assert_eq!(
        (
            stray.name.as_str(),
            stray.account_department.as_ref().map(DepartmentCode::as_str)
        ),
        ("stray", Some("motor"))
    );
    // Without a list of accounts, no account is known to be foreign or own.
    let observed = evaluate(&list[..2], None, 250);
    assert!(observed.foreign_accounts.is_empty());
    assert_eq!(observed.unknown_accounts.len(), 2);
}

// Source: docs/reference/quotas.md#service-quota-api. `usage` may be absent.
#[test]
fn usage_missing_from_the_provider_is_unknown() {
    let quota = |json: &str| ProviderQuota::from_applied(&serde_json::from_str(json).unwrap());
    assert_eq!(quota(r#"{"id": "a", "applied_limit": 10}"#).state, None);
    assert_eq!(
        quota(r#"{"id": "a", "applied_limit": 10, "usage": 8}"#).state,
        Some(QuotaState::Near)
    );
    assert_eq!(
        quota(r#"{"id": "a", "applied_limit": 10, "usage": 11}"#).state,
        Some(QuotaState::Over)
    );
}

// A negative limit is invalid and cannot be exceeded.
#[test]
fn a_limit_that_is_not_a_count_is_none() {
    let quota = |json: &str| ProviderQuota::from_applied(&serde_json::from_str(json).unwrap());
    assert_eq!(quota(r#"{"id": "a", "applied_limit": -1, "usage": 3}"#).state, None);
    assert_eq!(quota(r#"{"id": "a", "applied_limit": 10, "usage": -1}"#).state, None);
    let nothing = quota(r#"{"id": "a", "applied_limit": 0, "usage": 0}"#);
    assert_eq!(nothing.state, Some(QuotaState::Ok));
}

fn invalid(tasks: &str) -> ExpandedConnector {
    let mut connector = connector(1, "sa-claims");
    connector.info.config.insert("tasks.max".into(), tasks.into());
    connector
}

fn audit(stage: StageQuotaAudit) -> QuotaAudit {
    QuotaAudit {
        taken_at: Timestamp::UNIX_EPOCH,
        department: None,
        stages: vec![stage],
        provider_quotas: Vec::new(),
        unknown: BTreeMap::new(),
    }
}

fn has(csv: &str, line: &str) {
    assert!(csv.lines().any(|known| known == line), "{line}: {csv}");
}

// Source: docs/reference/quotas.md#counting-connectors. A missing `tasks.max` counts as 1; 0 or text is invalid, so the
// number of tasks is unknown.
#[test]
fn a_sum_with_unknown_parts_is_a_lower_bound_and_never_reported_as_free() {
    let list = [
        ("claims-a", invalid("lots")),
        ("motor-a", connector(1, "sa-motor")),
        ("stray", ExpandedConnector::default()),
    ];
    let observed = evaluate(&list, Some(&known_accounts()), 250);
    let states: Vec<(&str, QuotaState, bool)> = observed
        .departments
        .iter()
        .map(|row| (row.department.as_str(), row.state, row.complete))
        .collect();
    assert_eq!(
        states,
        [("claims", QuotaState::Unknown, false), ("motor", QuotaState::Ok, true)]
    );
    let platform = observed.cluster_usage.as_ref().unwrap();
    assert_eq!((platform.state, platform.complete), (QuotaState::Unknown, false));
    assert!(!observed.unowned[0].complete);
    let audit = audit(observed);
    assert_eq!(audit.over_quota_message(), None);
    let not_known = "Unknown whether 1 department and 1 cluster are over quota.";
    assert_eq!(audit.unknown_state_message().as_deref(), Some(not_known));
    let csv = super::csv::to_csv(&audit);
    has(&csv, "prod,cluster,lkc-prod01,tasks,at least 3,225,unknown,");
    has(&csv, "prod,department,claims,connectors,1,2,ok,");
    has(&csv, "prod,department,claims,tasks,at least 1,4,unknown,");
    has(&csv, "prod,department,motor,tasks,1,4,ok,");
    has(&csv, "prod,connector,stray,tasks,at least 1,,unowned,");
    let page = super::page::render_page(&audit);
    assert!(
        page.contains(not_known) && !page.contains("No quota is exceeded"),
        "{page}"
    );
    assert!(page.contains("3 connectors use at least 3 of 225 tasks"), "{page}");
    assert!(
        page.contains("badge unknown") && page.contains("fill unknown"),
        "{page}"
    );
    assert_eq!(page.matches("has room").count(), 1, "{page}");
    let remarks = super::view::notes(&audit.stages[0]);
    assert!(
        remarks.contains(&"stray is unowned: at least 1 task.".to_owned()),
        "{remarks:?}"
    );
    for wrong in ["0", "-1", ""] {
        let observed = evaluate(&[("claims-a", invalid(wrong))], None, 250);
        assert_eq!(observed.departments[0].state, QuotaState::Unknown, "{wrong:?}");
    }
    // A lower bound over the limit is over quota.
    let list = ["claims-a", "claims-b", "claims-c"].map(|name| (name, invalid("lots")));
    let observed = evaluate(&list, None, 2);
    assert_eq!(observed.departments[0].state, QuotaState::Over);
    assert_eq!(observed.cluster_usage.unwrap().state, QuotaState::Over);
}

#[test]
fn each_csv_line_has_the_state_of_its_own_number() {
    let three = ["claims-a", "claims-b", "claims-c"].map(|name| (name, connector(1, "sa-claims")));
    let csv = super::csv::to_csv(&audit(evaluate(&three, Some(&known_accounts()), 250)));
    has(&csv, "prod,department,claims,connectors,3,2,over,1970-01-01T00:00:01Z");
    has(&csv, "prod,department,claims,tasks,3,4,ok,");
    let large = [("claims-a", connector(3, "sa-claims"))];
    let csv = super::csv::to_csv(&audit(evaluate(&large, Some(&known_accounts()), 250)));
    has(&csv, "prod,department,claims,connectors,1,2,ok,");
    has(
        &csv,
        "prod,connector,claims-a,tasks per connector,3,2,over,1970-01-01T00:00:01Z",
    );
}
