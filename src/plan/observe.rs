//! Observation of an organization: concurrent lists, one per kind and scope.

use std::collections::BTreeMap;

use futures_util::try_join;

use super::observe_visible::unread_objects;
use crate::{
    api::{
        cmk::{Cluster, GetCluster},
        connect::{ClusterPath, ExpandedConnector, ListConnectors},
        iam::{ListServiceAccounts, ServiceAccount},
        keys::{ApiKey, CLOUD, GetApiKey, ListApiKeys},
        mds::{ListRoleBindings, RoleBindingObject, RoleBindingScope},
        org::ListOrganizations,
        quota::{AppliedQuota, ListAppliedQuotas},
        srcm::ListRegistries,
    },
    catalog::{topic_keys::topic_use, topic_transforms::topic_transforms},
    client::{Client, ClientError},
    clock::Clock,
    hint::{Advice, Hint},
    model::{
        ApiKeyId, ClusterId, ConnectorIdentity, Crn, CrnPattern, EnvironmentId, Listing, ObservedAccount,
        ObservedBinding, ObservedConnector, ObservedKey, OrganizationId, Principal, SchemaRegistryId, ServiceAccountId,
        Snapshot, StageAddress,
    },
};

/// Stage and credentials to observe.
#[derive(Clone, Debug)]
pub struct ObservationTarget {
    /// Organization, if `ebs.toml` specifies it.
    pub organization: Option<OrganizationId>,
    /// Id of the environment of Confluent Cloud (`env-…`).
    pub environment: EnvironmentId,
    /// Id of the Kafka cluster (`lkc-…`).
    pub cluster: ClusterId,
    /// Schema Registry, if `ebs.toml` specifies it.
    pub schema_registry: Option<SchemaRegistryId>,
    /// Provisioner, for a key that cannot read its own owner.
    pub provisioner: Option<ServiceAccountId>,
    /// API key in use.
    pub key: Option<ApiKeyId>,
}

/// Observed state of an organization.
#[derive(Clone, Debug)]
pub struct ObservedOrganization {
    /// Accounts, role bindings, keys and connectors.
    pub snapshot: Snapshot,
    /// Service account that onboards departments.
    pub provisioner: ServiceAccountId,
    /// Kafka cluster of the stage, as reported by Confluent Cloud.
    pub cluster: Cluster,
    /// Quotas of Confluent Cloud; empty if they could not be read.
    pub quotas: Vec<AppliedQuota>,
}

/// Reason why the organization could not be observed.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The request failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The key belongs to a user.
    #[error("API key `{key}` belongs to `{owner}`, not to a service account")]
    NotAServiceAccount {
        /// API key.
        key: String,
        /// Owner of the key.
        owner: String,
    },
    /// The owner of the key is unknown.
    #[error("cannot determine the owner of API key `{0}`: the key cannot read itself")]
    UnknownKeyOwner(String),
    /// `ebs.toml` specifies another organization than the key's.
    #[error("`ebs.toml` specifies organization `{wanted}`, but the key belongs to `{found}`")]
    OtherOrganization {
        /// Organization in `ebs.toml`.
        wanted: OrganizationId,
        /// Organization of the key.
        found: OrganizationId,
    },
    /// The service lists no organization.
    #[error("the service lists no organization for this key")]
    NoOrganization,
    /// `ebs.toml` specifies a Schema Registry that the environment does not have.
    #[error("environment `{environment}` has no Schema Registry `{wanted}`{}", found.as_ref().map(|id| format!(", \
             only `{id}`")).unwrap_or_default())]
    OtherRegistry {
        /// Id of the environment of Confluent Cloud (`env-…`).
        environment: EnvironmentId,
        /// Schema Registry in `ebs.toml`.
        wanted: SchemaRegistryId,
        /// Schema Registry of the environment.
        found: Option<SchemaRegistryId>,
    },
}

impl Advice for ObserveError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Client(error) if error.is_unauthorized() => vec![
                "Use a Cloud API key; a key of a Kafka cluster or Schema Registry does not work here.".into(),
                "If the key was deleted, create a new one as described in docs/provisioner.md.".into(),
            ],
            Self::Client(error) if error.is_forbidden() => vec![
                "Grant the provisioner CloudClusterAdmin on the cluster and ResourceOwner on its subjects; show the \
                 commands with `confluent ebs init --print`."
                    .into(),
            ],
            Self::Client(error) => error.hints(),
            Self::NotAServiceAccount { .. } => {
                vec!["Use the provisioner's key: managed accounts must not be owned by a user.".into()]
            }
            Self::UnknownKeyOwner(_) => vec!["Set `provisioner = \"sa-…\"` in `ebs.toml`.".into()],
            Self::OtherOrganization { .. } => {
                vec!["Use a key of that organization, or correct `[organization] id` in `ebs.toml`.".into()]
            }
            Self::OtherRegistry { .. } => vec!["Correct `schema_registry` of the stage in `ebs.toml`.".into()],
            Self::NoOrganization => Vec::new(),
        }
    }
}

/// Returns `Ok(None)` and adds an entry to `unknown` if the service forbids the request.
pub(super) fn known_unless_forbidden<T>(
    result: Result<T, ClientError>,
    what: Listing,
    unknown: &mut BTreeMap<Listing, String>,
) -> Result<Option<T>, ClientError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_forbidden() || error.is_not_found() => {
            unknown.insert(what, error.to_string());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Returns the owner of the key.
pub(super) async fn find_key_owner(client: &Client, target: &ObservationTarget) -> Result<Principal, ObserveError> {
    if let Some(key) = &target.key {
        match client.send(&GetApiKey(key.clone())).await {
            Ok(answered) => return Ok(Principal::from_id(&answered.value.spec.owner.id)),
            Err(error) if error.is_forbidden() || error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    match &target.provisioner {
        Some(provisioner) => Ok(Principal::ServiceAccount(provisioner.clone())),
        None => Err(ObserveError::UnknownKeyOwner(key_id_text(target.key.as_ref()))),
    }
}

fn key_id_text(key: Option<&ApiKeyId>) -> String {
    key.map_or_else(|| "?".to_owned(), ToString::to_string)
}

async fn find_provisioner(client: &Client, target: &ObservationTarget) -> Result<ServiceAccountId, ObserveError> {
    match find_key_owner(client, target).await? {
        Principal::ServiceAccount(account) => Ok(account),
        other => Err(ObserveError::NotAServiceAccount {
            key: key_id_text(target.key.as_ref()),
            owner: other.id().to_owned(),
        }),
    }
}

pub(super) async fn find_organization(
    client: &Client,
    target: &ObservationTarget,
) -> Result<OrganizationId, ObserveError> {
    let found = client
        .list(ListOrganizations)
        .await?
        .into_iter()
        .next()
        .ok_or(ObserveError::NoOrganization)?
        .id;
    match &target.organization {
        Some(wanted) if *wanted != found => Err(ObserveError::OtherOrganization {
            wanted: wanted.clone(),
            found,
        }),
        _ => Ok(found),
    }
}

pub(super) async fn find_schema_registry(
    client: &Client,
    target: &ObservationTarget,
) -> Result<Option<SchemaRegistryId>, ObserveError> {
    let found = match client.list(ListRegistries(target.environment.clone())).await {
        Ok(registries) => registries.into_iter().map(|registry| registry.id).collect::<Vec<_>>(),
        // Without the right to list registries, only `ebs.toml` is available.
        Err(error) if error.is_forbidden() => return Ok(target.schema_registry.clone()),
        Err(error) => return Err(error.into()),
    };
    match &target.schema_registry {
        Some(wanted) if !found.is_empty() && !found.contains(wanted) => Err(ObserveError::OtherRegistry {
            environment: target.environment.clone(),
            wanted: wanted.clone(),
            found: found.into_iter().next(),
        }),
        Some(wanted) if !found.is_empty() => Ok(Some(wanted.clone())),
        _ => Ok(found.into_iter().next()),
    }
}

/// Observes everything that onboarding compares with.
///
/// # Errors
/// When a list that planning requires is refused. Optional lists that are refused are added to [`Snapshot::unknown`].
pub async fn observe(
    client: &Client,
    clock: &Clock,
    target: &ObservationTarget,
) -> Result<ObservedOrganization, ObserveError> {
    let place = ClusterPath {
        environment: target.environment.clone(),
        cluster: target.cluster.clone(),
    };
    let of_organization = ListAppliedQuotas {
        scope: "organization",
        environment: None,
        kafka_cluster: None,
    };
    let of_cluster = ListAppliedQuotas {
        scope: "kafka_cluster",
        environment: Some(target.environment.to_string()),
        kafka_cluster: Some(target.cluster.to_string()),
    };
    let get_cluster = GetCluster {
        environment: target.environment.clone(),
        id: target.cluster.clone(),
    };
    // Optional lists return their refusal as a value; all others end the observation.
    let (provisioner, organization, cluster, schema_registry, accounts, keys, quotas, more_quotas, connectors) = try_join!(
        find_provisioner(client, target),
        find_organization(client, target),
        async { Ok(client.send(&get_cluster).await?.value) },
        find_schema_registry(client, target),
        async { Ok(client.list(ListServiceAccounts::default()).await?) },
        async { Ok(client.list(ListApiKeys::default()).await) },
        async { Ok(client.list(of_organization).await) },
        async { Ok(client.list(of_cluster).await) },
        async { Ok(client.send(&ListConnectors(place)).await.map(|answered| answered.value)) },
    )?;
    let mut unknown = unread_objects();
    let keys = known_unless_forbidden(keys, Listing::ApiKeys, &mut unknown)?.unwrap_or_default();
    let mut all_quotas = known_unless_forbidden(quotas, Listing::OrganizationQuotas, &mut unknown)?.unwrap_or_default();
    all_quotas.extend(known_unless_forbidden(more_quotas, Listing::ClusterQuotas, &mut unknown)?.unwrap_or_default());
    let connectors = known_unless_forbidden(connectors, Listing::Connectors, &mut unknown)?.unwrap_or_default();

    let address = StageAddress {
        organization,
        environment: target.environment.clone(),
        cluster: target.cluster.clone(),
        schema_registry,
    };
    let accounts = to_observed_accounts(accounts);
    let bindings = list_bindings(client, &address, &accounts, &mut unknown).await?;
    let snapshot = Snapshot {
        accounts,
        bindings,
        keys: to_observed_keys(keys),
        connectors: to_observed_connectors(connectors),
        unknown,
        ..Snapshot::new(clock.now(), address, provisioner.clone().into())
    };
    Ok(ObservedOrganization {
        snapshot,
        provisioner,
        cluster,
        quotas: all_quotas,
    })
}

/// Lists role bindings with one request for the organization or, if that is refused, scope by scope.
async fn list_bindings(
    client: &Client,
    address: &StageAddress,
    accounts: &[ObservedAccount],
    unknown: &mut BTreeMap<Listing, String>,
) -> Result<Vec<ObservedBinding>, ObserveError> {
    let whole = client.list(list_bindings_below(address.organization_crn())).await;
    if let Some(found) = known_unless_forbidden(whole, Listing::OrganizationBindings, unknown)? {
        return Ok(to_observed_bindings(found));
    }
    let mut found = client.list(list_bindings_below(address.cluster_crn())).await?;
    found.extend(list_subject_bindings(client, address, unknown).await?);
    found.extend(list_bindings_on_managed_accounts(client, address, accounts, unknown).await?);
    Ok(to_observed_bindings(found))
}

/// Requests all role bindings below `scope`, without those on the scope itself.
pub(super) fn list_bindings_below(scope: Crn) -> ListRoleBindings {
    list_bindings_in(RoleBindingScope::Below(scope))
}

/// Requests all role bindings of `scope`.
pub(super) fn list_bindings_in(scope: RoleBindingScope) -> ListRoleBindings {
    ListRoleBindings {
        scope,
        principal: None,
        role: None,
    }
}

/// Lists role bindings on subjects if the stage has a Schema Registry.
pub(super) async fn list_subject_bindings(
    client: &Client,
    address: &StageAddress,
    unknown: &mut BTreeMap<Listing, String>,
) -> Result<Vec<RoleBindingObject>, ClientError> {
    let Some(registry) = address.schema_registry_crn() else {
        return Ok(Vec::new());
    };
    let found = client.list(list_bindings_below(registry)).await;
    Ok(known_unless_forbidden(found, Listing::SubjectBindings, unknown)?.unwrap_or_default())
}

/// Lists role bindings on each account that has our ownership tag; they show who controls the account.
pub(super) async fn list_bindings_on_managed_accounts(
    client: &Client,
    address: &StageAddress,
    accounts: &[ObservedAccount],
    unknown: &mut BTreeMap<Listing, String>,
) -> Result<Vec<RoleBindingObject>, ClientError> {
    let mut found = Vec::new();
    for account in accounts.iter().filter(|account| account.tag().is_some()) {
        let on: CrnPattern = address.service_account_crn(&account.id).into();
        let on_account = client.list(list_bindings_in(RoleBindingScope::Exact(on))).await;
        if let Some(more) = known_unless_forbidden(on_account, Listing::AccountBindings(account.id.clone()), unknown)? {
            found.extend(more);
        }
    }
    Ok(found)
}

/// Converts accounts, sorted by name.
pub(super) fn to_observed_accounts(accounts: Vec<ServiceAccount>) -> Vec<ObservedAccount> {
    let seen = accounts.into_iter().map(|account| ObservedAccount {
        id: account.id,
        name: account.display_name,
        description: account.description,
        created_at: account.metadata.created_at,
    });
    let mut seen: Vec<ObservedAccount> = seen.collect();
    seen.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
    seen
}

/// Converts role bindings, sorted by principal, role and pattern.
pub(super) fn to_observed_bindings(objects: Vec<RoleBindingObject>) -> Vec<ObservedBinding> {
    let seen = objects.into_iter().map(|object| ObservedBinding {
        id: object.id,
        binding: object.binding,
    });
    let mut seen: Vec<ObservedBinding> = seen.collect();
    seen.sort_by(|a, b| a.binding.cmp(&b.binding).then_with(|| a.id.cmp(&b.id)));
    // Two lists may contain the same role binding.
    seen.dedup_by(|a, b| a.id == b.id);
    seen
}

/// Converts keys, sorted by id.
pub(super) fn to_observed_keys(keys: Vec<ApiKey>) -> Vec<ObservedKey> {
    let seen = keys.into_iter().map(|key| ObservedKey {
        id: key.id,
        owner: Principal::from_id(&key.spec.owner.id),
        resource: if key.spec.resource.id.is_empty() {
            CLOUD.into()
        } else {
            key.spec.resource.id
        },
        description: key.spec.description,
        created_at: key.metadata.created_at,
    });
    let mut seen: Vec<ObservedKey> = seen.collect();
    seen.sort_by(|a, b| a.id.cmp(&b.id));
    seen
}

/// Converts connectors, sorted by name. Of a configuration, only the parts about Kafka are kept.
pub(super) fn to_observed_connectors(connectors: BTreeMap<String, ExpandedConnector>) -> Vec<ObservedConnector> {
    let seen = connectors.into_iter().map(|(name, connector)| {
        let config = connector.info.config;
        let class = config.get("connector.class").cloned().unwrap_or_default();
        let identity = connector_identity(&config);
        let transforms = identity.is_some().then(|| topic_transform_settings(&config));
        let topics = config.into_iter().filter(|(key, _)| topic_use(&class, key).is_some());
        ObservedConnector {
            name,
            id: connector.id.id,
            topics: topics.collect(),
            transforms,
            identity,
            class,
        }
    });
    seen.collect()
}

/// Returns `transforms` and the settings of those transforms that change topics.
fn topic_transform_settings(config: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let transforms = topic_transforms(|key| config.get(key).map(String::as_str));
    let names = transforms
        .iter()
        .map(|transform| format!("transforms.{}.", transform.name));
    let names: Vec<String> = names.collect();
    let kept = config.iter().filter(|(key, _)| {
        !names.is_empty() && (*key == "transforms" || names.iter().any(|name| key.starts_with(name.as_str())))
    });
    kept.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Returns the identity that a connector uses in Kafka; without `kafka.auth.mode` it is the API key (terraform docs
/// `confluent_connector`).
#[must_use]
pub fn connector_identity(config: &BTreeMap<String, String>) -> Option<ConnectorIdentity> {
    if config.is_empty() {
        return None;
    }
    let value = |key: &str| config.get(key).cloned().unwrap_or_default();
    Some(match value("kafka.auth.mode").as_str() {
        "SERVICE_ACCOUNT" => ConnectorIdentity::ServiceAccount(value("kafka.service.account.id")),
        "" | "KAFKA_API_KEY" => ConnectorIdentity::ApiKey(value("kafka.api.key")),
        other => ConnectorIdentity::Other(other.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connector(config: &[(&str, &str)]) -> ExpandedConnector {
        let mut connector = ExpandedConnector::default();
        connector.id.id = "lcc-abc123".into();
        let config = config
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        connector.info.config = config.collect();
        connector
    }

    #[test]
    fn only_the_kafka_related_part_of_a_configuration_is_kept() {
        let sink = connector(&[
            ("connector.class", "S3_SINK"),
            ("topics", "claims-a,claims-b"),
            ("topics.dir", "exports"),
            ("aws.secret.access.key", "canary"),
            ("kafka.auth.mode", "SERVICE_ACCOUNT"),
            ("kafka.service.account.id", "sa-abc123"),
        ]);
        let list = [("claims-sink".to_owned(), sink), ("hidden".to_owned(), connector(&[]))];
        let seen = to_observed_connectors(list.into());
        assert_eq!(
            seen[0].topics,
            [("topics".to_owned(), "claims-a,claims-b".to_owned())].into()
        );
        assert_eq!((seen[0].id.as_str(), seen[0].class.as_str()), ("lcc-abc123", "S3_SINK"));
        let runtime = ConnectorIdentity::ServiceAccount("sa-abc123".into());
        assert_eq!(seen[0].identity, Some(runtime));
        assert!(!serde_json::to_string(&seen).unwrap().contains("canary"));
        assert_eq!((seen[1].name.as_str(), &seen[1].identity), ("hidden", &None));
    }

    // Terraform docs `confluent_connector`; docs/reference/connect.md#kafka-identity.
    #[test]
    fn a_connector_runs_as_a_service_account_or_with_an_api_key() {
        let of = |config: &[(&str, &str)]| connector_identity(&connector(config).info.config).unwrap();
        let key = ConnectorIdentity::ApiKey("ABCDEFGHIJKLMNOP".into());
        assert_eq!(of(&[("kafka.api.key", "ABCDEFGHIJKLMNOP")]), key);
        assert_eq!(
            of(&[
                ("kafka.auth.mode", "KAFKA_API_KEY"),
                ("kafka.api.key", "ABCDEFGHIJKLMNOP")
            ]),
            key
        );
        assert_eq!(
            of(&[("kafka.auth.mode", "OAUTH")]),
            ConnectorIdentity::Other("OAUTH".into())
        );
    }
}
