//! Looks at the organization: one list per kind and scope, all at once.

use std::collections::BTreeMap;

use futures_util::try_join;

use super::observe_visible::ACLS_NOT_READ;
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
    catalog::topic_keys::topic_use,
    client::{Client, ClientError},
    clock::Clock,
    hint::{Advice, Hint},
    model::{
        ApiKeyId, ClusterId, ConnectorIdentity, Crn, CrnPattern, EnvironmentId, ObservedAccount, ObservedBinding,
        ObservedConnector, ObservedKey, OrganizationId, Principal, SchemaRegistryId, ServiceAccountId, Snapshot,
        StageAddress, listing,
    },
};

/// Where to look.
#[derive(Clone, Debug)]
pub struct ObservationTarget {
    /// The organization, when `ebs.toml` says it.
    pub organization: Option<OrganizationId>,
    /// The environment.
    pub environment: EnvironmentId,
    /// The Kafka cluster.
    pub cluster: ClusterId,
    /// The Schema Registry, when `ebs.toml` says it.
    pub schema_registry: Option<SchemaRegistryId>,
    /// Who we are, when the service does not tell.
    pub provisioner: Option<ServiceAccountId>,
    /// The key we use.
    pub key: Option<ApiKeyId>,
}

/// What was seen.
#[derive(Clone, Debug)]
pub struct ObservedOrganization {
    /// Accounts, bindings, keys, connectors.
    pub snapshot: Snapshot,
    /// Who we are.
    pub provisioner: ServiceAccountId,
    /// The cluster.
    pub cluster: Cluster,
    /// The provider's quotas; empty when they could not be read.
    pub quotas: Vec<AppliedQuota>,
}

/// Why nothing could be seen.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The service refused or did not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The key belongs to a person.
    #[error("API key `{key}` belongs to {owner}, not to a service account")]
    NotAServiceAccount {
        /// The key.
        key: String,
        /// Its owner.
        owner: String,
    },
    /// Nobody says who we are.
    #[error("who owns API key `{0}` is not to be seen with it")]
    UnknownKeyOwner(String),
    /// `ebs.toml` names another organization than the key belongs to.
    #[error("ebs.toml is for organization `{wanted}`, but the key belongs to `{found}`")]
    OtherOrganization {
        /// In `ebs.toml`.
        wanted: OrganizationId,
        /// Of the key.
        found: OrganizationId,
    },
    /// The service told no organization at all.
    #[error("the service names no organization for this key")]
    NoOrganization,
    /// `ebs.toml` names a Schema Registry that the environment does not have.
    #[error("environment `{environment}` has no Schema Registry `{wanted}`{}", found.as_ref().map(|id| format!(", but `{id}`")).unwrap_or_default())]
    OtherRegistry {
        /// The environment.
        environment: EnvironmentId,
        /// In `ebs.toml`.
        wanted: SchemaRegistryId,
        /// In the environment.
        found: Option<SchemaRegistryId>,
    },
}

impl Advice for ObserveError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Client(error) if error.is_unauthorized() => vec![
                "Use a Cloud API key: a key of a Kafka cluster or of a Schema Registry opens nothing here.".into(),
                "If the key was deleted, make a new one as docs/provisioner.md shows.".into(),
            ],
            Self::Client(error) if error.is_forbidden() => vec![
                "The provisioner needs CloudClusterAdmin on the cluster and ResourceOwner on its subjects; \
                 `confluent ebs init --print` shows the commands."
                    .into(),
            ],
            Self::Client(error) => error.hints(),
            Self::NotAServiceAccount { .. } => {
                vec!["Use the provisioner's key: its accounts must not belong to a person.".into()]
            }
            Self::UnknownKeyOwner(_) => vec!["Set `provisioner = \"sa-…\"` in ebs.toml.".into()],
            Self::OtherOrganization { .. } => {
                vec!["Use a key of that organization, or correct `[organization] id` in ebs.toml.".into()]
            }
            Self::OtherRegistry { .. } => vec!["Correct `schema_registry` of the stage in ebs.toml.".into()],
            Self::NoOrganization => Vec::new(),
        }
    }
}

/// `Ok(None)` and a note when the service does not let this key look.
pub(super) fn known_unless_forbidden<T>(
    result: Result<T, ClientError>,
    what: &str,
    unknown: &mut BTreeMap<String, String>,
) -> Result<Option<T>, ClientError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_forbidden() || error.is_not_found() => {
            unknown.insert(what.to_owned(), error.to_string());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whose key it is.
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
        // Without the right to list them, ebs.toml is all there is to go by.
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

/// Looks at everything that an onboarding compares with.
///
/// # Errors
/// When something without which nothing can be planned is refused. What is merely useful and refused is in
/// [`Snapshot::unknown`].
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
    // Lists that may be refused carry their refusal along; all others end the look at once.
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
    let mut unknown = BTreeMap::from([(listing::ACLS.to_owned(), ACLS_NOT_READ.to_owned())]);
    let keys = known_unless_forbidden(keys, listing::KEYS, &mut unknown)?.unwrap_or_default();
    let mut all_quotas =
        known_unless_forbidden(quotas, "quotas of the organization", &mut unknown)?.unwrap_or_default();
    all_quotas.extend(known_unless_forbidden(more_quotas, "quotas of the cluster", &mut unknown)?.unwrap_or_default());
    let connectors = known_unless_forbidden(connectors, listing::CONNECTORS, &mut unknown)?.unwrap_or_default();

    let address = StageAddress {
        organization,
        environment: target.environment.clone(),
        cluster: target.cluster.clone(),
        schema_registry,
    };
    let accounts = to_observed_accounts(accounts);
    let bindings = list_bindings(client, &address, &accounts, &mut unknown).await?;
    let snapshot = Snapshot {
        taken_at: clock.now(),
        address,
        observed_by: Principal::ServiceAccount(provisioner.clone()),
        accounts,
        bindings,
        acls: Vec::new(),
        keys: to_observed_keys(keys),
        connectors: to_observed_connectors(connectors),
        unknown,
    };
    Ok(ObservedOrganization {
        snapshot,
        provisioner,
        cluster,
        quotas: all_quotas,
    })
}

/// Everything below the organization in one list; where that is refused, scope by scope.
async fn list_bindings(
    client: &Client,
    address: &StageAddress,
    accounts: &[ObservedAccount],
    unknown: &mut BTreeMap<String, String>,
) -> Result<Vec<ObservedBinding>, ObserveError> {
    let whole = client.list(list_bindings_below(address.organization_crn())).await;
    if let Some(found) = known_unless_forbidden(whole, listing::ORGANIZATION_BINDINGS, unknown)? {
        return Ok(to_observed_bindings(found));
    }
    let mut found = client.list(list_bindings_below(address.cluster_crn())).await?;
    found.extend(list_subject_bindings(client, address, unknown).await?);
    found.extend(list_bindings_on_managed_accounts(client, address, accounts, unknown).await?);
    Ok(to_observed_bindings(found))
}

/// All role bindings below `scope`, without those on the scope itself.
pub(super) fn list_bindings_below(scope: Crn) -> ListRoleBindings {
    list_bindings_in(RoleBindingScope::Below(scope))
}

/// All role bindings of `scope`.
pub(super) fn list_bindings_in(scope: RoleBindingScope) -> ListRoleBindings {
    ListRoleBindings {
        scope,
        principal: None,
        role: None,
    }
}

/// What is bound on the subjects, where there is a Schema Registry.
pub(super) async fn list_subject_bindings(
    client: &Client,
    address: &StageAddress,
    unknown: &mut BTreeMap<String, String>,
) -> Result<Vec<RoleBindingObject>, ClientError> {
    let Some(registry) = address.schema_registry_crn() else {
        return Ok(Vec::new());
    };
    let found = client.list(list_bindings_below(registry)).await;
    Ok(known_unless_forbidden(found, listing::SUBJECT_BINDINGS, unknown)?.unwrap_or_default())
}

/// Who controls an account that carries our tag decides whether it is ours: looks at each of them.
pub(super) async fn list_bindings_on_managed_accounts(
    client: &Client,
    address: &StageAddress,
    accounts: &[ObservedAccount],
    unknown: &mut BTreeMap<String, String>,
) -> Result<Vec<RoleBindingObject>, ClientError> {
    let mut found = Vec::new();
    for account in accounts.iter().filter(|account| account.tag().is_some()) {
        let on: CrnPattern = address.service_account_crn(&account.id).into();
        let on_account = client.list(list_bindings_in(RoleBindingScope::Exact(on))).await;
        if let Some(more) = known_unless_forbidden(on_account, &listing::bindings_on_account(&account.id), unknown)? {
            found.extend(more);
        }
    }
    Ok(found)
}

/// In the order of their names.
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

/// In the order of who, what, where.
pub(super) fn to_observed_bindings(objects: Vec<RoleBindingObject>) -> Vec<ObservedBinding> {
    let seen = objects.into_iter().map(|object| ObservedBinding {
        id: object.id,
        binding: object.binding,
    });
    let mut seen: Vec<ObservedBinding> = seen.collect();
    seen.sort_by(|a, b| a.binding.cmp(&b.binding).then_with(|| a.id.cmp(&b.id)));
    // Two lists may have shown the same one.
    seen.dedup_by(|a, b| a.id == b.id);
    seen
}

/// In the order of their ids.
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

/// In the order of their names. Of the configurations only what the connectors do in Kafka is kept.
pub(super) fn to_observed_connectors(connectors: BTreeMap<String, ExpandedConnector>) -> Vec<ObservedConnector> {
    let seen = connectors.into_iter().map(|(name, connector)| {
        let config = connector.info.config;
        let class = config.get("connector.class").cloned().unwrap_or_default();
        let identity = connector_identity(&config);
        let topics = config.into_iter().filter(|(key, _)| topic_use(&class, key).is_some());
        ObservedConnector {
            name,
            id: connector.id.id,
            topics: topics.collect(),
            identity,
            class,
        }
    });
    seen.collect()
}

/// As whom a connector acts; without a mode the service takes the key (terraform docs `confluent_connector`).
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
