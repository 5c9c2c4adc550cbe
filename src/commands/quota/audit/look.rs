//! What the audit asks the service: one list of connectors for each cluster, as `status` does, the service accounts, and the
//! provider's quotas.

use std::collections::BTreeMap;

use futures_util::{future::join_all, join};

use super::judge::{Accounts, Audit, Cluster, Judge, ProviderQuota};
use crate::{
    api::{
        iam::ListServiceAccounts,
        quota::{AppliedQuota, ListAppliedQuotas},
    },
    client::ClientError,
    commands::fleet::Lookout,
    error::Error,
    model::SeenAccount,
};

/// Looks and judges.
pub(super) async fn look(lookout: &Lookout) -> Result<Audit, Error> {
    let client = &lookout.session.connectors.client;
    let of_organization = ListAppliedQuotas {
        scope: "organization",
        environment: None,
        kafka_cluster: None,
    };
    let of_clusters = lookout.watched.iter().map(|watched| {
        client.list(ListAppliedQuotas {
            scope: "kafka_cluster",
            environment: Some(watched.place.environment.to_string()),
            kafka_cluster: Some(watched.place.cluster.to_string()),
        })
    });
    let (lists, accounts, quotas, of_clusters) = join!(
        lookout.list(),
        client.list(ListServiceAccounts::default()),
        client.list(of_organization),
        join_all(of_clusters),
    );
    let lists = lists?;
    let mut unknown = BTreeMap::new();
    let accounts: Option<Accounts> = known("service accounts", accounts, &mut unknown).map(|accounts| {
        let seen = accounts.into_iter().map(|account| SeenAccount {
            id: account.id,
            name: account.display_name,
            description: account.description,
            created_at: None,
        });
        seen.map(|account| (account.id.to_string(), account)).collect()
    });
    // They are the platform's: one department's audit has nothing to say of them.
    let alone = lookout.is_for_one();
    let quotas = known("quotas of the organization", quotas, &mut unknown).filter(|_| !alone);
    let now = lookout.clock().now();
    let mut stages = Vec::new();
    for ((watched, list), quotas) in lookout.watched.iter().zip(&lists).zip(of_clusters) {
        let what = format!("quotas of cluster {}", watched.place.cluster);
        let quotas = known(&what, quotas, &mut unknown).filter(|_| !alone);
        let stage = lookout.notebook(&watched.place).with(now, |sightings| {
            let mut since = |what: &str, how: &str| sightings.see(what, how, now);
            let cluster = Cluster {
                stage: &watched.stage,
                place: &watched.place,
                ceiling: watched.ceiling,
                list: list.as_ref(),
                quotas: provider(quotas.as_deref()),
            };
            let judge = Judge {
                owners: &lookout.owners,
                alone,
                accounts: accounts.as_ref(),
            };
            judge.stage(cluster, &mut since)
        });
        stages.push(stage);
    }
    Ok(Audit {
        taken_at: now,
        department: lookout.session.tenant.as_ref().map(|tenant| tenant.code.clone()),
        stages,
        provider_quotas: provider(quotas.as_deref()),
        unknown,
    })
}

/// What was listed, or a note of why not.
fn known<T>(what: &str, listed: Result<T, ClientError>, unknown: &mut BTreeMap<String, String>) -> Option<T> {
    match listed {
        Ok(listed) => Some(listed),
        Err(error) => {
            unknown.insert(what.to_owned(), error.to_string());
            None
        }
    }
}

fn provider(quotas: Option<&[AppliedQuota]>) -> Vec<ProviderQuota> {
    let mut rows: Vec<ProviderQuota> = quotas.unwrap_or_default().iter().map(ProviderQuota::of).collect();
    rows.sort_by(|a, b| b.state.cmp(&a.state).then_with(|| a.quota_code.cmp(&b.quota_code)));
    rows
}
