use super::*;
use crate::model::{DepartmentQuota, OwnershipTag, Prefix};

fn owner(code: &str) -> Owner {
    Owner {
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

fn account(id: &str, stage: &str, department: &str) -> (String, SeenAccount) {
    let tag = OwnershipTag {
        stage: stage.into(),
        department: department.parse().unwrap(),
        persona: "runtime".into(),
        template: "hybrid".into(),
        template_hash: "1".into(),
        profile_hash: "2".into(),
    };
    let account = SeenAccount {
        id: id.parse().unwrap(),
        name: tag.account_name(),
        description: tag.to_string(),
        created_at: None,
    };
    (id.to_owned(), account)
}

fn connector(tasks: u32, account: &str) -> Expanded {
    let mut connector = Expanded::default();
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

fn judged(list: &[(&str, Expanded)], accounts: Option<&Accounts>, ceiling: u32) -> StageAudit {
    let list: BTreeMap<String, Expanded> = list
        .iter()
        .map(|(name, now)| ((*name).to_owned(), now.clone()))
        .collect();
    let place = Place {
        environment: "env-prod01".parse().unwrap(),
        cluster: "lkc-prod01".parse().unwrap(),
    };
    let owners = [owner("claims"), owner("motor")];
    let judge = Judge {
        owners: &owners,
        alone: false,
        accounts,
    };
    let cluster = Cluster {
        stage: "prod",
        place: &place,
        ceiling: Ceiling {
            tasks: ceiling,
            reserve_percent: 10,
        },
        list: Ok(&list),
        quotas: Vec::new(),
    };
    judge.stage(cluster, &mut |_, how| {
        Timestamp::from_second(if how == "over" { 1 } else { 2 }).unwrap()
    })
}

fn known() -> Accounts {
    [
        account("sa-claims", "prod", "claims"),
        account("sa-motor", "prod", "motor"),
        account("sa-test", "test", "claims"),
    ]
    .into()
}

// Dossier `quotas.md` §5.1: connectors, tasks, and tasks of one connector are limited.
#[test]
fn whoever_exceeds_comes_first_in_whichever_way() {
    let list = [
        ("claims-a", connector(1, "sa-claims")),
        ("motor-a", connector(3, "sa-motor")),
    ];
    let seen = judged(&list, Some(&known()), 250);
    let motor = &seen.departments[0];
    assert_eq!((motor.department.as_str(), motor.state), ("motor", State::Ok));
    assert_eq!(
        (motor.oversized[0].name.as_str(), motor.oversized[0].tasks),
        ("motor-a", 3)
    );
    assert_eq!(motor.over_seen_since, Timestamp::from_second(1).ok());
    assert_eq!(
        (seen.departments[1].exceeds(), seen.departments[1].over_seen_since),
        (false, None)
    );
    let list = ["claims-a", "claims-b", "claims-c"].map(|name| (name, connector(1, "sa-claims")));
    let seen = judged(&list, Some(&known()), 250);
    assert_eq!(
        (seen.departments[0].state, seen.departments[0].connectors),
        (State::Over, 3)
    );
}

// Dossier `quotas.md` §5.3: what is promised against what may be had, and the reserve that departments may not use.
#[test]
fn the_cluster_has_a_quota_of_its_own_and_promises_are_added_up() {
    let list = [("stray", connector(10, "sa-motor"))];
    let platform = judged(&list, Some(&known()), 10).platform.unwrap();
    assert_eq!(
        (platform.tasks, platform.tasks_allocatable, platform.tasks_reserved),
        (10, 9, 1)
    );
    assert_eq!(platform.state, State::Over);
    assert_eq!((platform.tasks_promised, platform.promised_percent), (8, 88));
    assert_eq!(judged(&[], None, 5).platform.unwrap().promised_percent, 200);
}

// Dossier `quotas.md` §5.2: "prefix says A, service account belongs to B", "no known prefix".
#[test]
fn an_account_of_somebody_else_and_a_name_of_nobody_are_found() {
    let list = [
        ("claims-own", connector(1, "sa-claims")),
        ("claims-borrowed", connector(1, "sa-motor")),
        ("claims-stage", connector(1, "sa-test")),
        ("claims-stranger", connector(1, "sa-other")),
        ("claims-key", connector(1, "")),
        ("claims-hidden", Expanded::default()),
        ("stray", connector(1, "sa-motor")),
    ];
    let seen = judged(&list, Some(&known()), 250);
    let foreign: Vec<(&str, Option<&str>)> = seen
        .foreign_accounts
        .iter()
        .map(|row| (row.name.as_str(), row.account_of.as_ref().map(DepartmentCode::as_str)))
        .collect();
    assert_eq!(
        foreign,
        [
            ("claims-borrowed", Some("motor")),
            ("claims-stage", None),
            ("claims-stranger", None)
        ]
    );
    let unclear: Vec<&str> = seen.unclear_accounts.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(unclear, ["claims-hidden", "claims-key"]);
    let stray = &seen.unmanaged[0];
    assert_eq!(
        (
            stray.name.as_str(),
            stray.account_of.as_ref().map(DepartmentCode::as_str)
        ),
        ("stray", Some("motor"))
    );
    // Who may not list accounts knows of none that is foreign, and of none that is not.
    let seen = judged(&list[..2], None, 250);
    assert!(seen.foreign_accounts.is_empty());
    assert_eq!(seen.unclear_accounts.len(), 2);
}

// Dossier `quotas.md` §1.5: "usage" may be absent.
#[test]
fn a_use_that_the_provider_does_not_tell_is_unknown() {
    let quota = |json: &str| ProviderQuota::of(&serde_json::from_str(json).unwrap());
    assert_eq!(quota(r#"{"id": "a", "applied_limit": 10}"#).state, None);
    assert_eq!(
        quota(r#"{"id": "a", "applied_limit": 10, "usage": 8}"#).state,
        Some(State::Near)
    );
    assert_eq!(
        quota(r#"{"id": "a", "applied_limit": 10, "usage": 11}"#).state,
        Some(State::Over)
    );
}

// A limit below nothing is no limit that anything could exceed.
#[test]
fn a_limit_that_is_no_number_of_things_is_none() {
    let quota = |json: &str| ProviderQuota::of(&serde_json::from_str(json).unwrap());
    assert_eq!(quota(r#"{"id": "a", "applied_limit": -1, "usage": 3}"#).state, None);
    assert_eq!(quota(r#"{"id": "a", "applied_limit": 10, "usage": -1}"#).state, None);
    let nothing = quota(r#"{"id": "a", "applied_limit": 0, "usage": 0}"#);
    assert_eq!(nothing.state, Some(State::Ok));
}

fn invalid(tasks: &str) -> Expanded {
    let mut connector = connector(1, "sa-claims");
    connector.info.config.insert("tasks.max".into(), tasks.into());
    connector
}

fn audit(stage: StageAudit) -> Audit {
    Audit {
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

// Dossier `quotas.md` §5.2: `tasks.max` that is missing is 1; 0, or no number, is invalid, and says nothing of tasks.
#[test]
fn a_sum_of_what_is_not_known_is_a_lower_bound_and_never_room() {
    let list = [
        ("claims-a", invalid("lots")),
        ("motor-a", connector(1, "sa-motor")),
        ("stray", Expanded::default()),
    ];
    let seen = judged(&list, Some(&known()), 250);
    let states: Vec<(&str, State, bool)> = seen
        .departments
        .iter()
        .map(|row| (row.department.as_str(), row.state, row.complete))
        .collect();
    assert_eq!(states, [("claims", State::Unknown, false), ("motor", State::Ok, true)]);
    let platform = seen.platform.as_ref().unwrap();
    assert_eq!((platform.state, platform.complete), (State::Unknown, false));
    assert!(!seen.unmanaged[0].complete);
    let audit = audit(seen);
    assert_eq!(audit.over(), None);
    let not_known = "Of 1 department and 1 cluster it is not known whether they use more than they may.";
    assert_eq!(audit.unclear().as_deref(), Some(not_known));
    let csv = super::super::csv::csv(&audit);
    has(&csv, "prod,cluster,lkc-prod01,tasks,at least 3,225,unknown,");
    has(&csv, "prod,department,claims,connectors,1,2,ok,");
    has(&csv, "prod,department,claims,tasks,at least 1,4,unknown,");
    has(&csv, "prod,department,motor,tasks,1,4,ok,");
    has(&csv, "prod,connector,stray,tasks,at least 1,,unmanaged,");
    let page = super::super::page::page(&audit);
    assert!(page.contains(not_known) && !page.contains("Nobody uses more"), "{page}");
    assert!(page.contains("3 connectors use at least 3 of 225 tasks"), "{page}");
    assert!(
        page.contains("badge unknown") && page.contains("fill unknown"),
        "{page}"
    );
    assert_eq!(page.matches("has room").count(), 1, "{page}");
    let remarks = super::super::view::remarks(&audit.stages[0]);
    assert!(
        remarks.contains(&"stray belongs to no department: at least 1 task.".to_owned()),
        "{remarks:?}"
    );
    for wrong in ["0", "-1", ""] {
        let seen = judged(&[("claims-a", invalid(wrong))], None, 250);
        assert_eq!(seen.departments[0].state, State::Unknown, "{wrong:?}");
    }
    // What is known to be too much is too much, whatever else there is.
    let list = ["claims-a", "claims-b", "claims-c"].map(|name| (name, invalid("lots")));
    let seen = judged(&list, None, 2);
    assert_eq!(seen.departments[0].state, State::Over);
    assert_eq!(seen.platform.unwrap().state, State::Over);
}

#[test]
fn each_line_of_a_spreadsheet_has_the_state_of_its_own_number() {
    let three = ["claims-a", "claims-b", "claims-c"].map(|name| (name, connector(1, "sa-claims")));
    let csv = super::super::csv::csv(&audit(judged(&three, Some(&known()), 250)));
    has(&csv, "prod,department,claims,connectors,3,2,over,1970-01-01T00:00:01Z");
    has(&csv, "prod,department,claims,tasks,3,4,ok,");
    let large = [("claims-a", connector(3, "sa-claims"))];
    let csv = super::super::csv::csv(&audit(judged(&large, Some(&known()), 250)));
    has(&csv, "prod,department,claims,connectors,1,2,ok,");
    has(
        &csv,
        "prod,connector,claims-a,tasks per connector,3,2,over,1970-01-01T00:00:01Z",
    );
}
