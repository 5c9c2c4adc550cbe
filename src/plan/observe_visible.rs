//! Observation of access as far as the key is allowed to see it.
//!
//! Onboarding uses the provisioner and fails if a required list is refused ([`observe`](super::observe())). Queries may
//! run with any key, including a user's: a refused list makes its objects unknown and is not an error.

use std::collections::BTreeMap;

use futures_util::try_join;

use super::observe::{
    ObservationTarget, ObserveError, find_key_owner, find_organization, find_schema_registry, known_unless_forbidden,
    list_bindings_below, list_bindings_in, list_bindings_on_managed_accounts, list_subject_bindings,
    to_observed_accounts, to_observed_bindings, to_observed_connectors, to_observed_keys,
};
use crate::{
    api::{
        connect::{ClusterPath, ListConnectors},
        iam::ListServiceAccounts,
        keys::ListApiKeys,
        mds::{RoleBindingObject, RoleBindingScope},
    },
    client::{Client, ClientError},
    clock::Clock,
    model::{Crn, Listing, ObservedAccount, Snapshot, StageAddress},
    resources::{AnyKind, KINDS, ObservationClients},
};

/// Returns the lists of the provisioned kinds as unknown, until [`observe_objects`] reads them.
pub(super) fn unread_objects() -> BTreeMap<Listing, String> {
    let listings = KINDS.iter().map(|kind| kind.info().listing.clone());
    listings.map(|listing| (listing, "not requested".to_owned())).collect()
}

/// Observes accounts, role bindings, keys and connectors; [`observe_objects`] adds the objects of provisioned kinds.
///
/// # Errors
/// When the organization or the owner of the key cannot be determined, or when a list fails for another reason than a
/// refusal. Refused lists are added to [`Snapshot::unknown`].
pub async fn observe_visible(
    client: &Client,
    clock: &Clock,
    target: &ObservationTarget,
) -> Result<Snapshot, ObserveError> {
    let place = ClusterPath {
        environment: target.environment.clone(),
        cluster: target.cluster.clone(),
    };
    let (seen_by, organization, schema_registry, accounts, keys, connectors) = try_join!(
        find_key_owner(client, target),
        find_organization(client, target),
        find_schema_registry(client, target),
        async { Ok(client.list(ListServiceAccounts::default()).await) },
        async { Ok(client.list(ListApiKeys::default()).await) },
        async { Ok(client.send(&ListConnectors(place)).await.map(|answered| answered.value)) },
    )?;
    let address = StageAddress {
        organization,
        environment: target.environment.clone(),
        cluster: target.cluster.clone(),
        schema_registry,
    };
    let mut unknown = unread_objects();
    let accounts = to_observed_accounts(
        known_unless_forbidden(accounts, Listing::ServiceAccounts, &mut unknown)?.unwrap_or_default(),
    );
    let keys = to_observed_keys(known_unless_forbidden(keys, Listing::ApiKeys, &mut unknown)?.unwrap_or_default());
    let connectors = known_unless_forbidden(connectors, Listing::Connectors, &mut unknown)?.unwrap_or_default();
    let bindings = to_observed_bindings(list_visible_bindings(client, &address, &accounts, &mut unknown).await?);
    Ok(Snapshot {
        accounts,
        bindings,
        keys,
        connectors: to_observed_connectors(connectors),
        unknown,
        ..Snapshot::new(clock.now(), address, seen_by)
    })
}

/// Adds the objects of the provisioned kinds that `is_needed` selects to `snapshot`, or the reasons why they are unknown.
pub async fn observe_objects(
    snapshot: &mut Snapshot,
    clients: ObservationClients<'_>,
    is_needed: impl Fn(&dyn AnyKind) -> bool,
) {
    for kind in KINDS {
        if is_needed(kind) {
            kind.observe(snapshot, &clients).await;
        }
    }
}

/// Lists role bindings at the widest scope that the key is allowed to list.
async fn list_visible_bindings(
    client: &Client,
    address: &StageAddress,
    accounts: &[ObservedAccount],
    unknown: &mut BTreeMap<Listing, String>,
) -> Result<Vec<RoleBindingObject>, ClientError> {
    let whole = list_bindings_on_and_below(client, address.organization_crn()).await;
    if let Some(found) = known_unless_forbidden(whole, Listing::OrganizationBindings, unknown)? {
        return Ok(found);
    }
    let environment = list_bindings_on_and_below(client, address.environment_crn()).await;
    let mut found = if let Some(found) = known_unless_forbidden(environment, Listing::EnvironmentBindings, unknown)? {
        found
    } else {
        let cluster = list_bindings_on_and_below(client, address.cluster_crn()).await;
        let mut found = known_unless_forbidden(cluster, Listing::ClusterBindings, unknown)?.unwrap_or_default();
        found.extend(list_subject_bindings(client, address, unknown).await?);
        found
    };
    found.extend(list_bindings_on_managed_accounts(client, address, accounts, unknown).await?);
    Ok(found)
}

/// Lists role bindings on and below `scope` with two requests: the service returns bindings on a scope only for exactly
/// that scope (docs/reference/rbac.md#listing-role-bindings).
async fn list_bindings_on_and_below(client: &Client, scope: Crn) -> Result<Vec<RoleBindingObject>, ClientError> {
    let exactly = list_bindings_in(RoleBindingScope::Exact(scope.clone().into()));
    let (mut found, more) = try_join!(client.list(exactly), client.list(list_bindings_below(scope)))?;
    found.extend(more);
    Ok(found)
}
