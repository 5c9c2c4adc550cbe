//! What the service says to the key in question: each answer by itself, so that one refusal hides no other answer. Every
//! call reads, but for those of `probe`, which change nothing either.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{future::OptionFuture, join};

use crate::{
    api::{
        cmk::{Cluster, GetCluster},
        connect::{ClusterPath, ExpandedConnector, ListConnectors},
        iam::{GetServiceAccount, ListServiceAccounts, ServiceAccount},
        keys::{ApiKey, GetApiKey},
        mds::{ListRoleBindings, RoleBindingScope},
        org::{Environment, GetEnvironment, ListOrganizations},
        srcm::ListRegistries,
    },
    client::{Client, ClientError, RetryPolicy},
    model::{
        ApiKeyId, ClusterId, Crn, EnvironmentId, OrganizationId, Prefix, Principal, ResourceKind, Role, RoleBinding,
        SchemaRegistryId, StageAddress,
    },
    probe::{self, ProbeCall},
};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// It was not asked, and why.
    Skipped(String),
    /// The service refused, or did not answer.
    Failed {
        /// The status, if there was an answer.
        status: Option<u16>,
        /// What was said, or what happened.
        message: String,
    },
}

impl Unavailable {
    /// The status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Skipped(_) => None,
            Self::Failed { status, .. } => *status,
        }
    }

    /// The reason, for people.
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

/// An answer, or why there is none.
pub type Observation<T> = Result<T, Unavailable>;

/// Where to look, and for whom: as far as it is known beforehand.
#[derive(Clone, Debug, Default)]
pub struct ProbeTarget {
    /// The organization, when a file says it.
    pub organization: Option<OrganizationId>,
    /// The environment.
    pub environment: Option<EnvironmentId>,
    /// The Kafka cluster.
    pub cluster: Option<ClusterId>,
    /// The Schema Registry.
    pub schema_registry: Option<SchemaRegistryId>,
    /// The key that is acted with.
    pub key: Option<ApiKeyId>,
    /// Who that is, when it is known without asking.
    pub principal: Option<Principal>,
    /// The name of the account that should be acting: what to look for when its key does not tell.
    pub account_name: Option<String>,
    /// Who it is if nothing else tells.
    pub fallback_principal: Option<Principal>,
    /// The names of the department that is acted for.
    pub prefix: Option<Prefix>,
}

/// What was heard.
#[derive(Clone, Debug)]
pub struct ServiceObservation {
    /// The organization: every valid Cloud key may see its own.
    pub organization: Observation<OrganizationId>,
    /// The key itself.
    pub key: Observation<ApiKey>,
    /// The service account behind it.
    pub account: Observation<ServiceAccount>,
    /// The environment.
    pub environment: Observation<Environment>,
    /// The Kafka cluster.
    pub cluster: Observation<Cluster>,
    /// The Schema Registries of the environment.
    pub registries: Observation<Vec<SchemaRegistryId>>,
    /// The connectors of the cluster.
    pub connectors: Observation<BTreeMap<String, ExpandedConnector>>,
    /// The role bindings that the caller holds.
    pub bindings: Observation<Vec<RoleBinding>>,
    /// Role bindings of ConnectManager below the cluster, whoever holds them: what open question Q1 asks for.
    pub connect_managers: Observation<Vec<RoleBinding>>,
    /// What the caller may do to a connector of the department's, tried where no role binding is shown.
    pub allowed_operations: BTreeMap<&'static str, bool>,
    /// Who is acting.
    pub principal: Option<Principal>,
}

impl ServiceObservation {
    /// Nothing, because nobody was asked.
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

    /// Where everything is, as far as it is known now.
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

/// How patient a client is that examines: it tells what it sees, now.
#[must_use]
pub fn no_retry() -> RetryPolicy {
    RetryPolicy {
        max_attempts: 1,
        budget: Duration::ZERO,
        ..RetryPolicy::default()
    }
}

/// Asks everything that `question` gives a place for, as much as possible at once.
pub async fn observe(client: &Client, target: &ProbeTarget) -> ServiceObservation {
    let mut observed = ServiceObservation::skipped("no stage is named");
    let place = target.environment.clone().zip(target.cluster.clone());
    let place = place.map(|(environment, cluster)| ClusterPath { environment, cluster });
    let organization = async {
        let list = client.list(ListOrganizations).await?;
        let unknown = || Unavailable::Skipped("the service names no organization for this key".to_owned());
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
    observed.key = key.unwrap_or_else(|| Err(Unavailable::Skipped("acting without a key of its own".to_owned())));
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

/// The account of the name that is expected: a list shows the caller at least itself.
async fn find_principal_by_name(client: &Client, target: &ProbeTarget) -> Option<Principal> {
    let name = target.account_name.clone()?;
    let request = ListServiceAccounts {
        display_names: vec![name.clone()],
    };
    let found = client.list(request).await.ok()?;
    let found = found.into_iter().find(|account| account.display_name == name)?;
    Some(found.id.into())
}

/// Who the caller is, and which roles it holds.
async fn observe_caller(client: &Client, target: &ProbeTarget, observed: &mut ServiceObservation) {
    let Some(principal) = observed.principal.clone() else {
        let why = || Unavailable::Skipped("who owns the key is not to be seen with it".to_owned());
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
        let organization = known.ok_or_else(|| Unavailable::Skipped("the organization is not known".to_owned()))?;
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
        // The service's filter is documented only as a partial search.
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
    observed.connect_managers = managers.unwrap_or_else(|| Err(Unavailable::Skipped("no stage is named".to_owned())));
}

async fn observe_one<E: crate::api::Endpoint>(client: &Client, endpoint: E) -> Observation<E::Response> {
    Ok(client.send(&endpoint).await?.value)
}

/// Tries, without changing anything, what may be done to connectors of these names.
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
