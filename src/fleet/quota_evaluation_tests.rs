use jiff::Timestamp;

use super::*;
use crate::fleet::quota_fixture::{audit, connector, evaluate, invalid, known_accounts};

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
    let notes = audit.stages[0].notes();
    assert!(
        notes.contains(&"stray is unowned: at least 1 task.".to_owned()),
        "{notes:?}"
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
