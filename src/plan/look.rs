//! Looks at who may do what, as far as the key lets.
//!
//! Onboarding needs the provisioner, and stops when it cannot see what it must compare with ([`observe`](super::observe)).
//! Whoever only asks may be anybody, also a person, and a list that is refused is no reason to stop: it is unknown.

use std::collections::BTreeMap;

use futures_util::try_join;

use super::observe::{
    ObserveError, Target, below, list, on_our_accounts, on_subjects, organization, owner, registry, seen_accounts,
    seen_bindings, seen_connectors, seen_keys, unless_forbidden,
};
use crate::{
    api::{
        connect::{ListConnectors, Place},
        iam::ListServiceAccounts,
        keys::ListApiKeys,
        mds::{BindingObject, BindingScope},
    },
    client::{Client, ClientError},
    clock::Clock,
    model::{Address, Crn, SeenAccount, Snapshot, hidden},
    resources::acl,
};

/// What is said of ACLs until somebody looks: they are listed elsewhere, with another key.
pub(super) const UNSEEN_ACLS: &str = "nobody looked";

/// Looks at accounts, role bindings, keys and connectors; ACLs are asked for elsewhere, by [`observe_acls`].
///
/// # Errors
/// When not even the organization and the owner of the key are told, or an answer is neither a list nor a refusal. What
/// is refused is in [`Snapshot::unknown`].
pub async fn look(client: &Client, clock: &Clock, target: &Target) -> Result<Snapshot, ObserveError> {
    let place = Place {
        environment: target.environment.clone(),
        cluster: target.cluster.clone(),
    };
    let (seen_by, organization, schema_registry, accounts, keys, connectors) = try_join!(
        owner(client, target),
        organization(client, target),
        registry(client, target),
        async { Ok(client.list(ListServiceAccounts::default()).await) },
        async { Ok(client.list(ListApiKeys::default()).await) },
        async { Ok(client.send(&ListConnectors(place)).await.map(|answered| answered.value)) },
    )?;
    let address = Address {
        organization,
        environment: target.environment.clone(),
        cluster: target.cluster.clone(),
        schema_registry,
    };
    let mut unknown = BTreeMap::from([(hidden::ACLS.to_owned(), UNSEEN_ACLS.to_owned())]);
    let accounts = seen_accounts(unless_forbidden(accounts, hidden::ACCOUNTS, &mut unknown)?.unwrap_or_default());
    let keys = seen_keys(unless_forbidden(keys, hidden::KEYS, &mut unknown)?.unwrap_or_default());
    let connectors = unless_forbidden(connectors, hidden::CONNECTORS, &mut unknown)?.unwrap_or_default();
    let bindings = seen_bindings(bindings(client, &address, &accounts, &mut unknown).await?);
    Ok(Snapshot {
        taken_at: clock.now(),
        address,
        seen_by,
        accounts,
        bindings,
        acls: Vec::new(),
        keys,
        connectors: seen_connectors(connectors),
        unknown,
    })
}

/// Looks at the ACLs of the cluster through `kafka`, or writes down why nobody did.
pub async fn observe_acls(seen: &mut Snapshot, kafka: Result<&Client, String>) {
    let found = match kafka {
        Ok(kafka) => acl::list(kafka, &seen.address.cluster, None)
            .await
            .map_err(|error| error.to_string()),
        Err(reason) => Err(reason),
    };
    match found {
        Ok(acls) => {
            seen.acls = acls;
            seen.unknown.remove(hidden::ACLS);
        }
        Err(reason) => drop(seen.unknown.insert(hidden::ACLS.to_owned(), reason)),
    }
}

/// From the widest scope that may be listed to the narrowest.
async fn bindings(
    client: &Client,
    address: &Address,
    accounts: &[SeenAccount],
    unknown: &mut BTreeMap<String, String>,
) -> Result<Vec<BindingObject>, ClientError> {
    let whole = on_and_below(client, address.organization_crn()).await;
    if let Some(found) = unless_forbidden(whole, hidden::ORGANIZATION, unknown)? {
        return Ok(found);
    }
    let environment = on_and_below(client, address.environment_crn()).await;
    let mut found = if let Some(found) = unless_forbidden(environment, hidden::ENVIRONMENT, unknown)? {
        found
    } else {
        let cluster = on_and_below(client, address.cluster_crn()).await;
        let mut found = unless_forbidden(cluster, hidden::CLUSTER, unknown)?.unwrap_or_default();
        found.extend(on_subjects(client, address, unknown).await?);
        found
    };
    found.extend(on_our_accounts(client, address, accounts, unknown).await?);
    Ok(found)
}

/// What is bound on `scope` and below it: two lists, because the service shows what is bound on a scope only to who asks
/// for exactly that (dossier `rbac.md` §3).
async fn on_and_below(client: &Client, scope: Crn) -> Result<Vec<BindingObject>, ClientError> {
    let exactly = list(BindingScope::Exactly(scope.clone().into()));
    let (mut found, more) = try_join!(client.list(exactly), client.list(below(scope)))?;
    found.extend(more);
    Ok(found)
}
