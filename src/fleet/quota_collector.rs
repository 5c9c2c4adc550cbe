//! Collects the data of the quota audit: one list of connectors per cluster, the service accounts, and the provider
//! quotas.

use std::collections::BTreeMap;

use futures_util::{future::join_all, join};

use super::{
    FleetCollector,
    quota_audit::{ProviderQuota, QuotaAudit},
    quota_evaluation::{AccountsById, ClusterInput, QuotaEvaluator},
};
use crate::{
    api::{
        iam::ListServiceAccounts,
        quota::{AppliedQuota, ListAppliedQuotas},
    },
    client::ClientError,
    error::Error,
    model::ObservedAccount,
};

/// Collects and evaluates the audit.
pub async fn collect_audit(collector: &FleetCollector) -> Result<QuotaAudit, Error> {
    let client = &collector.session.connectors.client;
    let of_organization = ListAppliedQuotas {
        scope: "organization",
        environment: None,
        kafka_cluster: None,
    };
    let of_clusters = collector.targets.iter().map(|target| {
        client.list(ListAppliedQuotas {
            scope: "kafka_cluster",
            environment: Some(target.cluster_path.environment.to_string()),
            kafka_cluster: Some(target.cluster_path.cluster.to_string()),
        })
    });
    let (lists, accounts, quotas, of_clusters) = join!(
        collector.list(),
        client.list(ListServiceAccounts::default()),
        client.list(of_organization),
        join_all(of_clusters),
    );
    let lists = lists?;
    let mut unknown = BTreeMap::new();
    let accounts: Option<AccountsById> =
        or_record_unknown("service accounts", accounts, &mut unknown).map(|accounts| {
            let listed = accounts.into_iter().map(|account| ObservedAccount {
                id: account.id,
                name: account.display_name,
                description: account.description,
                created_at: None,
            });
            listed.map(|account| (account.id.to_string(), account)).collect()
        });
    // Provider quotas belong to the platform, so the audit of a single department leaves them out.
    let alone = collector.is_single_department();
    let quotas = or_record_unknown("quotas of the organization", quotas, &mut unknown).filter(|_| !alone);
    let now = collector.clock().now();
    let mut stages = Vec::new();
    for ((target, list), quotas) in collector.targets.iter().zip(&lists).zip(of_clusters) {
        let what = format!("quotas of cluster {}", target.cluster_path.cluster);
        let quotas = or_record_unknown(&what, quotas, &mut unknown).filter(|_| !alone);
        let stage = collector.state_history(&target.cluster_path).update(now, |history| {
            let mut since = |what: &str, how: &str| history.record(what, how, now);
            let cluster = ClusterInput {
                stage: &target.stage,
                cluster_path: &target.cluster_path,
                ceiling: target.ceiling,
                list: list.as_ref(),
                quotas: provider_quotas(quotas.as_deref()),
            };
            let owners = collector.owners_in(&target.stage);
            let evaluator = QuotaEvaluator {
                owners: &owners,
                single_department: alone,
                accounts: accounts.as_ref(),
            };
            evaluator.evaluate_cluster(cluster, &mut since)
        });
        stages.push(stage);
    }
    Ok(QuotaAudit {
        taken_at: now,
        department: collector
            .session
            .department
            .as_ref()
            .map(|department| department.code.clone()),
        stages,
        provider_quotas: provider_quotas(quotas.as_deref()),
        unknown,
    })
}

/// Returns the list, or records why it is unknown.
fn or_record_unknown<T>(
    what: &str,
    listed: Result<T, ClientError>,
    unknown: &mut BTreeMap<String, String>,
) -> Option<T> {
    match listed {
        Ok(listed) => Some(listed),
        Err(error) => {
            unknown.insert(what.to_owned(), error.to_string());
            None
        }
    }
}

fn provider_quotas(quotas: Option<&[AppliedQuota]>) -> Vec<ProviderQuota> {
    let mut rows: Vec<ProviderQuota> = quotas
        .unwrap_or_default()
        .iter()
        .map(ProviderQuota::from_applied)
        .collect();
    rows.sort_by(|a, b| b.state.cmp(&a.state).then_with(|| a.quota_code.cmp(&b.quota_code)));
    rows
}
