//! Clusters with the quotas of two departments, for tests.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    OwnerDepartment, QuotaAudit,
    quota_audit::StageQuotaAudit,
    quota_evaluation::{AccountsById, ClusterInput, QuotaEvaluator},
};
use crate::{
    api::connect::{ClusterPath, ExpandedConnector},
    model::{DepartmentQuota, ObservedAccount, OwnershipTag, Prefix},
    quota::ClusterTaskLimit,
};

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
            throughput: None,
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

/// A connector that runs under this account, or with an API key if it is empty.
pub(crate) fn connector(tasks: u32, account: &str) -> ExpandedConnector {
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

/// Evaluates the quotas of "claims" and "motor" in stage "prod". "Over" is observed since the first second.
pub(crate) fn evaluate(
    list: &[(&str, ExpandedConnector)],
    accounts: Option<&AccountsById>,
    ceiling: u32,
) -> StageQuotaAudit {
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
        stage: &["prod"].into_iter().collect(),
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

/// The runtime accounts of "claims" and "motor", and one of another stage.
pub(crate) fn known_accounts() -> AccountsById {
    [
        account("sa-claims", "prod", "claims"),
        account("sa-motor", "prod", "motor"),
        account("sa-test", "test", "claims"),
    ]
    .into()
}

/// A connector whose `tasks.max` is not a number of tasks.
pub(crate) fn invalid(tasks: &str) -> ExpandedConnector {
    let mut connector = connector(1, "sa-claims");
    connector.info.config.insert("tasks.max".into(), tasks.into());
    connector
}

/// An audit of one stage.
pub(crate) fn audit(stage: StageQuotaAudit) -> QuotaAudit {
    QuotaAudit {
        taken_at: Timestamp::UNIX_EPOCH,
        department: None,
        stages: vec![stage],
        provider_quotas: Vec::new(),
        unknown: BTreeMap::new(),
    }
}
