use super::*;
use crate::api::connect::TaskStatus;

fn owner(code: &str) -> OwnerDepartment {
    OwnerDepartment {
        code: code.parse().unwrap(),
        name: code.to_uppercase(),
        prefix: Prefix::parse(&format!("{code}-")).unwrap(),
        quota: DepartmentQuota {
            connectors: 3,
            tasks: 4,
            tasks_per_connector: 2,
            plugins: vec!["*".into()],
            throughput: None,
        },
    }
}

fn connector(state: &str, tasks: usize, trace: &str) -> ExpandedConnector {
    let mut connector = ExpandedConnector::default();
    let config = &mut connector.info.config;
    config.insert("connector.class".into(), "DatagenSource".into());
    config.insert("tasks.max".into(), tasks.to_string());
    connector.status.connector.state = state.into();
    connector.status.connector.trace = trace.into();
    let task = TaskStatus {
        state: state.into(),
        ..TaskStatus::default()
    };
    connector.status.tasks = vec![task; tasks];
    connector
}

fn minute(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60).unwrap()
}

/// Returns a stage with these connectors; a name that ends in a number is observed since that minute.
fn stage(list: &[(&str, ExpandedConnector)], owners: &[OwnerDepartment], alone: bool) -> StageView {
    let list: BTreeMap<String, ExpandedConnector> = list
        .iter()
        .map(|(name, now)| ((*name).to_owned(), now.clone()))
        .collect();
    let place = ClusterPath {
        environment: "env-prod01".parse().unwrap(),
        cluster: "lkc-prod01".parse().unwrap(),
    };
    let area = ClusterListing {
        stage: &["prod"].into_iter().collect(),
        cluster_path: &place,
        ceiling: ClusterTaskLimit {
            tasks: 250,
            reserve_percent: 10,
        },
        list: Ok(&list),
    };
    let mut since = |id: &str, _| id.rsplit('-').next()?.parse().ok().map(minute);
    StageView::from_listing(area, owners, alone, &mut since)
}

#[test]
fn each_department_has_a_row_and_trouble_comes_first() {
    let owners = [owner("claims"), owner("fraud"), owner("motor")];
    let list = [
        ("claims-a", connector("RUNNING", 2, "")),
        ("motor-late-50", connector("FAILED", 1, "late")),
        ("motor-early-20", connector("FAILED", 1, "early")),
        ("motor-worse-10", connector("DEGRADED", 1, "half")),
        ("stray-1", connector("FAILED", 3, "unowned")),
    ];
    let view = stage(&list, &owners, false);
    let rows: Vec<(&str, u32, u32)> = view
        .departments
        .iter()
        .map(|row| (row.department.as_str(), row.summary.counts.total(), row.summary.tasks))
        .collect();
    assert_eq!(rows, [("motor", 3, 3), ("claims", 1, 2), ("fraud", 0, 0)]);
    let motor = &view.departments[0].summary;
    assert_eq!(motor.worst.as_deref(), Some("motor-early-20"));
    assert_eq!(motor.failing_since, Some(minute(20)));
    assert_eq!(
        view.departments[2].summary.condition, None,
        "without connectors there is no condition"
    );
    let unmanaged = view.unowned.as_ref().unwrap();
    assert_eq!((unmanaged.counts.total(), unmanaged.tasks), (1, 3));
    assert_eq!(
        view.cluster_tasks.map(|tasks| (tasks.used, tasks.allocatable)),
        Some((8, 225))
    );
    let order: Vec<&str> = view.connectors.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(
        order,
        [
            "stray-1",
            "motor-early-20",
            "motor-late-50",
            "motor-worse-10",
            "claims-a"
        ]
    );
}

#[test]
fn for_a_single_department_no_data_of_others_is_kept() {
    let list = [
        ("claims-a", connector("RUNNING", 2, "")),
        ("motor-a", connector("FAILED", 100, "")),
        ("stray", connector("FAILED", 100, "")),
    ];
    let view = stage(&list, &[owner("claims")], true);
    assert_eq!(view.counts.total(), 1);
    assert!(view.unowned.is_none() && view.cluster_tasks.is_none());
    let text = serde_json::to_string(&view).unwrap();
    assert!(!text.contains("motor") && !text.contains("stray"), "{text}");
}

#[test]
fn an_unreadable_configuration_makes_the_task_count_a_lower_bound() {
    let view = stage(&[("claims-a", ExpandedConnector::default())], &[owner("claims")], false);
    let claims = &view.departments[0].summary;
    assert_eq!(claims.condition, Some(ConnectorCondition::Unknown));
    assert_eq!((claims.tasks, claims.complete), (1, false));
    let tasks = view.cluster_tasks.unwrap();
    assert_eq!((tasks.complete, tasks.summary().as_str()), (false, "at least 1 of 225"));
    let row = &view.connectors[0];
    assert_eq!(row.reason(110).as_deref(), Some("no state reported"));
    assert_eq!((row.tasks_text().as_str(), row.observed_since), ("0 of ?", None));
}

// Source: docs/reference/quotas.md#counting-connectors. A missing limit counts as 1; an invalid limit makes the count
// unknown.
#[test]
fn an_invalid_task_count_does_not_count_as_one_task() {
    for (tasks, complete) in [("lots", false), ("0", false), ("3", true)] {
        let mut now = connector("RUNNING", 1, "");
        now.info.config.insert("tasks.max".into(), tasks.into());
        let view = stage(&[("claims-a", now)], &[owner("claims")], false);
        assert_eq!(view.departments[0].summary.complete, complete, "{tasks}");
        assert_eq!(
            view.cluster_tasks.map(|tasks| tasks.complete),
            Some(complete),
            "{tasks}"
        );
    }
    let mut now = connector("RUNNING", 1, "");
    now.info.config.remove("tasks.max");
    let view = stage(&[("claims-a", now)], &[owner("claims")], false);
    assert!(view.departments[0].summary.complete);
}

#[test]
fn an_unlisted_cluster_has_no_rows_and_is_not_reported_healthy() {
    let place = ClusterPath {
        environment: "env-prod01".parse().unwrap(),
        cluster: "lkc-prod01".parse().unwrap(),
    };
    let area = ClusterListing {
        stage: &["prod"].into_iter().collect(),
        cluster_path: &place,
        ceiling: ClusterTaskLimit {
            tasks: 250,
            reserve_percent: 10,
        },
        list: Err(ObservationFailure {
            reason: "403 Forbidden".into(),
            denied: true,
        }),
    };
    let view = StageView::from_listing(area, &[owner("claims")], false, &mut |_, _| None);
    assert!(view.departments.is_empty() && view.unowned.is_none() && view.cluster_tasks.is_none());
    let fleet = Fleet::new(minute(1), None, vec![view], PlatformTeam::default());
    let unobserved = fleet.unobserved_stages().map(|(stage, why)| format!("{stage}: {why}"));
    assert_eq!(unobserved.collect::<Vec<_>>(), ["prod: 403 Forbidden"]);
    assert_eq!(fleet.incomplete_error().unwrap().kind, ErrorKind::Denied);
    assert_eq!(fleet.condition, None);
}

#[test]
fn secrets_in_a_cause_are_redacted() {
    let failed = connector(
        "FAILED",
        1,
        "cannot open jdbc:postgresql://reader:canary@db.example/claims",
    );
    let seen = stage(&[("claims-a", failed)], &[owner("claims")], false);
    assert!(!serde_json::to_string(&seen).unwrap().contains("canary"));
}
