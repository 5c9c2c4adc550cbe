//! Observations of the service with the configured key. Each observation succeeds or fails on its own. All requests are
//! reads, except those of `probe`, which change nothing.

use std::collections::BTreeMap;

use futures_util::{future::OptionFuture, join};

use crate::{
    api::{
        cmk::{Cluster, GetCluster},
        connect::{ClusterPath, ExpandedConnector, ListConnectors},
        iam::{GetServiceAccount, ListServiceAccounts, ServiceAccount},
        keys::{ApiKey, GetApiKey},
        mds::{ListRoleBindings, RoleBindingScope},
        org::{CloudEnvironment, GetEnvironment, ListOrganizations},
        srcm::ListRegistries,
    },
    client::{Client, ClientError},
    model::{
        ApiKeyId, ClusterId, Crn, EnvironmentId, OrganizationId, PlatformTeam, Prefix, Principal, ResourceKind, Role,
        RoleBinding, SchemaRegistryId, StageAddress,
    },
    probe::{self, ProbeCall},
};

/// Reason for a missing observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The request was not sent, with the reason.
    Skipped(String),
    /// The request failed.
    Failed {
        /// HTTP status, if there was a response.
        status: Option<u16>,
        /// Error message.
        message: String,
    },
}

impl Unavailable {
    /// Returns the HTTP status of a failed request.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Skipped(_) => None,
            Self::Failed { status, .. } => *status,
        }
    }

    /// Returns the reason, for people.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Skipped(why) => why,
            Self::Failed { message: said, .. } => said,
        }
    }
}

impl From<ClientError> for Unavailable {
    fn from(error: ClientError) -> Self {
        Self::Failed {
            status: error.error_response().map(|refusal| refusal.status.as_u16()),
            message: error.to_string(),
        }
    }
}

/// Observation, or the reason why it is missing.
pub type Observation<T> = Result<T, Unavailable>;

/// What to observe, as far as it is known before the first request.
#[derive(Clone, Debug, Default)]
pub struct ProbeTarget {
    /// Organization, if a file names it.
    pub organization: Option<OrganizationId>,
    /// Environment.
    pub environment: Option<EnvironmentId>,
    /// Kafka cluster.
    pub cluster: Option<ClusterId>,
    /// Schema Registry.
    pub schema_registry: Option<SchemaRegistryId>,
    /// API key of the caller.
    pub key: Option<ApiKeyId>,
    /// Principal of the caller, if known.
    pub principal: Option<Principal>,
    /// Name of the expected service account, to look up the caller if the service does not report the key's owner.
    pub account_name: Option<String>,
    /// Principal to assume if no other source names one.
    pub fallback_principal: Option<Principal>,
    /// Prefix of the department that the caller acts for.
    pub prefix: Option<Prefix>,
    /// Platform team, for suggestions.
    pub platform_team: PlatformTeam,
}

/// Observations of the service.
#[derive(Clone, Debug)]
pub struct ServiceObservation {
    /// Organization. Every valid Cloud key can read its own.
    pub organization: Observation<OrganizationId>,
    /// API key of the caller.
    pub key: Observation<ApiKey>,
    /// Service account of the caller.
    pub account: Observation<ServiceAccount>,
    /// Environment.
    pub environment: Observation<CloudEnvironment>,
    /// Kafka cluster.
    pub cluster: Observation<Cluster>,
    /// Schema Registries of the environment.
    pub registries: Observation<Vec<SchemaRegistryId>>,
    /// Connectors of the cluster.
    pub connectors: Observation<BTreeMap<String, ExpandedConnector>>,
    /// Role bindings of the caller.
    pub bindings: Observation<Vec<RoleBinding>>,
    /// ConnectManager bindings of all principals below the cluster, which answer open question Q1.
    pub connect_managers: Observation<Vec<RoleBinding>>,
    /// Operations on connectors of the department, probed if no role binding is visible.
    pub allowed_operations: BTreeMap<&'static str, bool>,
    /// Principal of the caller.
    pub principal: Option<Principal>,
}

impl ServiceObservation {
    /// Returns observations without any request, with the reason.
    #[must_use]
    pub fn skipped(why: &str) -> Self {
        fn skipped_observation<T>(why: &str) -> Observation<T> {
            Err(Unavailable::Skipped(why.to_owned()))
        }
        Self {
            organization: skipped_observation(why),
            key: skipped_observation(why),
            account: skipped_observation(why),
            environment: skipped_observation(why),
            cluster: skipped_observation(why),
            registries: skipped_observation(why),
            connectors: skipped_observation(why),
            bindings: skipped_observation(why),
            connect_managers: skipped_observation(why),
            allowed_operations: BTreeMap::new(),
            principal: None,
        }
    }

    /// Returns the address of the stage, as far as it is known.
    #[must_use]
    pub fn address(&self, target: &ProbeTarget) -> Option<StageAddress> {
        let registry = target.schema_registry.clone();
        let found = || self.registries.as_ref().ok().and_then(|found| found.first().cloned());
        Some(StageAddress {
            organization: self
                .organization
                .as_ref()
                .ok()
                .or(target.organization.as_ref())?
                .clone(),
            environment: target.environment.clone()?,
            cluster: target.cluster.clone()?,
            schema_registry: registry.or_else(found),
        })
    }
}

/// Observes everything that `target` has an address for, concurrently where possible.
pub async fn observe(client: &Client, target: &ProbeTarget) -> ServiceObservation {
    let mut observed = ServiceObservation::skipped("no stage specified");
    let place = target.environment.clone().zip(target.cluster.clone());
    let place = place.map(|(environment, cluster)| ClusterPath { environment, cluster });
    let organization = async {
        let list = client.list(ListOrganizations).await?;
        let unknown = || Unavailable::Skipped("the service lists no organization for this key".to_owned());
        list.into_iter().next().map(|found| found.id).ok_or_else(unknown)
    };
    let (organization, key, environment, cluster, registries, connectors) = join!(
        organization,
        OptionFuture::from(target.key.clone().map(|key| observe_one(client, GetApiKey(key)))),
        OptionFuture::from(
            target
                .environment
                .clone()
                .map(|id| observe_one(client, GetEnvironment(id)))
        ),
        OptionFuture::from(place.clone().map(|place| observe_one(
            client,
            GetCluster {
                environment: place.environment,
                id: place.cluster
            }
        ))),
        OptionFuture::from(target.environment.clone().map(|environment| async move {
            let list = client.list(ListRegistries(environment)).await?;
            Ok(list.into_iter().map(|registry| registry.id).collect())
        })),
        OptionFuture::from(place.clone().map(|place| observe_one(client, ListConnectors(place)))),
    );
    observed.organization = organization;
    observed.key = key.unwrap_or_else(|| Err(Unavailable::Skipped("the caller has no API key".to_owned())));
    observed.environment = environment.unwrap_or(observed.environment);
    observed.cluster = cluster.unwrap_or(observed.cluster);
    observed.registries = registries.unwrap_or(observed.registries);
    observed.connectors = connectors.unwrap_or(observed.connectors);
    observed.principal = match (&target.principal, &observed.key) {
        (Some(known), _) => Some(known.clone()),
        (None, Ok(key)) => Some(Principal::from_id(&key.spec.owner.id)),
        (None, Err(_)) => find_principal_by_name(client, target)
            .await
            .or_else(|| target.fallback_principal.clone()),
    };
    observe_caller(client, target, &mut observed).await;
    let accepted = observed
        .organization
        .as_ref()
        .map_or_else(|error| error.status() == Some(403), |_| true);
    let shown = observed.bindings.as_ref().is_ok_and(|held| !held.is_empty());
    if let (Some(place), Some(prefix)) = (&place, &target.prefix)
        && accepted
        && !shown
    {
        observed.allowed_operations = probe_operations(client, place, prefix).await;
    }
    observed
}

/// Finds the expected account by its name. A list contains at least the caller's own account.
async fn find_principal_by_name(client: &Client, target: &ProbeTarget) -> Option<Principal> {
    let name = target.account_name.clone()?;
    let request = ListServiceAccounts {
        display_names: vec![name.clone()],
    };
    let found = client.list(request).await.ok()?;
    let found = found.into_iter().find(|account| account.display_name == name)?;
    Some(found.id.into())
}

/// Observes the caller's account and role bindings.
async fn observe_caller(client: &Client, target: &ProbeTarget, observed: &mut ServiceObservation) {
    let Some(principal) = observed.principal.clone() else {
        let why =
            || Unavailable::Skipped("the key's owner is unknown: the key is not allowed to read itself".to_owned());
        observed.account = Err(why());
        observed.bindings = Err(why());
        observed.connect_managers = Err(why());
        return;
    };
    let account = principal.service_account().cloned();
    let address = observed.address(target);
    let known = observed
        .organization
        .as_ref()
        .ok()
        .or(target.organization.as_ref())
        .cloned();
    let held = async {
        let organization = known.ok_or_else(|| Unavailable::Skipped("the organization is unknown".to_owned()))?;
        let crn = Crn::organization(&organization);
        let list = |scope| {
            client.list(ListRoleBindings {
                scope,
                principal: Some(principal.clone()),
                role: None,
            })
        };
        let (below, exactly) = join!(
            list(RoleBindingScope::Below(crn.clone())),
            list(RoleBindingScope::Exact(crn.into()))
        );
        let found = below?.into_iter().chain(exactly?).map(|object| object.binding);
        // The service documents this filter only as a partial search.
        let mut own: Vec<RoleBinding> = found.filter(|binding| binding.principal == principal).collect();
        own.sort();
        own.dedup();
        Ok(own)
    };
    let managers = address.map(|address| async move {
        let scope = RoleBindingScope::Below(address.cluster_crn());
        let role = Some(Role::ConnectManager);
        let list = client
            .list(ListRoleBindings {
                scope,
                principal: None,
                role,
            })
            .await?;
        let bindings = list.into_iter().map(|object| object.binding);
        Ok(bindings
            .filter(|binding| binding.role == Role::ConnectManager && binding.pattern.kind() == ResourceKind::Connector)
            .collect())
    });
    let (account, bindings, managers) = join!(
        OptionFuture::from(account.map(|id| observe_one(client, GetServiceAccount(id)))),
        held,
        OptionFuture::from(managers),
    );
    observed.account = account.unwrap_or_else(|| {
        Err(Unavailable::Skipped(
            "the key does not belong to a service account".to_owned(),
        ))
    });
    observed.bindings = bindings;
    observed.connect_managers = managers.unwrap_or_else(|| Err(Unavailable::Skipped("no stage specified".to_owned())));
}

/// Sends one request.
pub(super) async fn observe_one<E: crate::api::Endpoint>(client: &Client, endpoint: E) -> Observation<E::Response> {
    Ok(client.send(&endpoint).await?.value)
}

/// Probes allowed operations on connectors with this prefix without changing anything.
async fn probe_operations(client: &Client, place: &ClusterPath, prefix: &Prefix) -> BTreeMap<&'static str, bool> {
    let name = format!("{prefix}{}", probe::PROBE_NAME);
    let (status, create) = join!(
        probe::is_call_allowed(client, place, ProbeCall::ReadStatus, &name),
        probe::is_call_allowed(client, place, ProbeCall::CreateInvalid, &name),
    );
    let seen = [(ProbeCall::ReadStatus, status), (ProbeCall::CreateInvalid, create)];
    seen.into_iter()
        .filter_map(|(call, is_allowed)| Some((call.operation().as_str(), is_allowed?)))
        .collect()
}
