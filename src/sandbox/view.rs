//! Objects in the format of API responses, and their CRNs.

use jiff::Timestamp;

use super::{
    seed::ClusterKind,
    state::{
        AccountRecord, BindingRecord, ClusterRecord, EnvironmentRecord, KeyRecord, KeyResource, Lifetime,
        RegistryRecord, SandboxState, UserRecord,
    },
};
use crate::{
    api::{
        ObjectMeta, ObjectReference,
        cmk::{ClusterConfig, ClusterSpec, ClusterStatus},
        expand_route, iam, keys, mds, org,
        srcm::{self, RegistrySpec},
    },
    model::{Crn, CrnPattern, EnvironmentId, NamePattern, Principal, ResourceKind, StageAddress},
};

/// Cloud provider and region of all clusters.
pub(crate) const CLOUD: (&str, &str) = ("AWS", "eu-central-1");

impl SandboxState {
    /// Returns the CRN of the organization.
    pub(crate) fn organization_crn(&self) -> Crn {
        self.crn("")
    }

    /// Returns a CRN below the organization. Only for kinds without a builder in `model`.
    fn crn(&self, below: &str) -> Crn {
        let text = format!("crn://confluent.cloud/organization={}{below}", self.seed.organization);
        text.parse().expect("ids contain no characters with a meaning in CRNs")
    }

    pub(crate) fn environment_crn(&self, id: &str) -> Crn {
        self.crn(&format!("/environment={id}"))
    }

    pub(crate) fn cluster_crn(&self, environment: &str, id: &str) -> Crn {
        self.crn(&format!("/environment={environment}/cloud-cluster={id}"))
    }

    pub(crate) fn registry_crn(&self, environment: &str, id: &str) -> Crn {
        self.crn(&format!("/environment={environment}/schema-registry={id}"))
    }

    /// Returns the CRN of a service account or user.
    pub(crate) fn principal_crn(&self, principal: &Principal) -> Crn {
        match principal {
            Principal::User(id) => self.crn(&format!("/user={id}")),
            other => self.crn(&format!("/service-account={}", other.id())),
        }
    }

    /// Returns the CRN of an API key, which is below the CRN of its resource.
    pub(crate) fn key_crn(&self, key: &KeyRecord) -> Crn {
        let scope = match &key.resource {
            KeyResource::Cloud => String::new(),
            KeyResource::Cluster(id) => self.clusters.get(id).map_or_else(String::new, |cluster| {
                format!("/environment={}/cloud-cluster={id}", cluster.environment)
            }),
            KeyResource::Registry(id) => self.registries.get(id).map_or_else(String::new, |registry| {
                format!("/environment={}/schema-registry={id}", registry.environment)
            }),
        };
        self.crn(&format!("{scope}/api-key={}", key.id))
    }

    /// Returns the pattern for a connector name; with an exact name, it equals the connector's CRN.
    pub(crate) fn connector_pattern(&self, address: &StageAddress, name: NamePattern) -> CrnPattern {
        let pattern = address.pattern(ResourceKind::Connector, name);
        pattern.unwrap_or_else(|| self.organization_crn().into())
    }
}

/// Converter to response objects for one caller. Links start with the base URL of the caller's request.
#[derive(Clone, Copy)]
pub(crate) struct ResponseView<'a> {
    pub(crate) state: &'a SandboxState,
    pub(crate) base: &'a str,
}

impl ResponseView<'_> {
    fn object_meta(
        &self,
        route: &str,
        id: &str,
        crn: &impl ToString,
        created: Timestamp,
        updated: Timestamp,
    ) -> ObjectMeta {
        ObjectMeta {
            self_link: Some(self.link(route, id)),
            resource_name: Some(crn.to_string()),
            created_at: Some(created),
            updated_at: Some(updated),
        }
    }

    fn lifetime_meta(&self, route: &str, id: &str, crn: &impl ToString, life: &Lifetime) -> ObjectMeta {
        self.object_meta(route, id, crn, life.created, life.updated)
    }

    /// Returns the URL of an object.
    pub(crate) fn link(&self, route: &str, id: &str) -> String {
        format!("{}{}", self.base, expand_route(route, &[id]))
    }

    fn reference(&self, id: &str, route: &str, crn: &Crn) -> ObjectReference {
        ObjectReference {
            related: Some(self.link(route, id)),
            resource_name: Some(crn.to_string()),
            ..ObjectReference::from_id(id)
        }
    }

    pub(crate) fn organization_reference(&self) -> ObjectReference {
        let crn = self.state.organization_crn();
        self.reference(crn.name(), org::ORGANIZATION, &crn)
    }

    pub(crate) fn environment_reference(&self, id: &EnvironmentId) -> ObjectReference {
        let crn = self.state.environment_crn(id.as_str());
        self.reference(id.as_str(), org::ENVIRONMENT, &crn)
    }

    pub(crate) fn cluster_reference(&self, cluster: &ClusterRecord) -> ObjectReference {
        let crn = self
            .state
            .cluster_crn(cluster.environment.as_str(), cluster.id.as_str());
        ObjectReference {
            environment: Some(cluster.environment.to_string()),
            ..self.reference(cluster.id.as_str(), crate::api::cmk::CLUSTER, &crn)
        }
    }

    pub(crate) fn principal_reference(&self, principal: &Principal) -> ObjectReference {
        let crn = self.state.principal_crn(principal);
        let route = match principal {
            Principal::User(_) => iam::USER,
            _ => iam::SERVICE_ACCOUNT,
        };
        self.reference(principal.id(), route, &crn)
    }

    fn registry_reference(&self, registry: &RegistryRecord) -> ObjectReference {
        let crn = self
            .state
            .registry_crn(registry.environment.as_str(), registry.id.as_str());
        ObjectReference {
            environment: Some(registry.environment.to_string()),
            ..self.reference(registry.id.as_str(), srcm::REGISTRY, &crn)
        }
    }

    pub(crate) fn organization(&self) -> org::Organization {
        let seed = &self.state.seed;
        let born = self.state.environments.values().map(|found| found.created).min();
        let born = born.unwrap_or(Timestamp::UNIX_EPOCH);
        org::Organization {
            api_version: "org/v2".into(),
            kind: "Organization".into(),
            id: seed.organization.clone(),
            metadata: self.object_meta(
                org::ORGANIZATION,
                seed.organization.as_str(),
                &self.state.organization_crn(),
                born,
                born,
            ),
            display_name: seed.name.clone(),
            jit_enabled: Some(false),
        }
    }

    pub(crate) fn environment(&self, environment: &EnvironmentRecord) -> org::CloudEnvironment {
        let (id, crn) = (
            environment.id.as_str(),
            self.state.environment_crn(environment.id.as_str()),
        );
        org::CloudEnvironment {
            api_version: "org/v2".into(),
            kind: "Environment".into(),
            id: environment.id.clone(),
            metadata: self.object_meta(org::ENVIRONMENT, id, &crn, environment.created, environment.created),
            display_name: environment.name.clone(),
            stream_governance_config: self
                .state
                .registry_of(&environment.id)
                .map(|_| serde_json::json!({ "package": "ESSENTIALS" })),
        }
    }

    pub(crate) fn cluster(&self, cluster: &ClusterRecord) -> crate::api::cmk::Cluster {
        // The Terraform provider cuts off `/kafka=lkc-…` to build its `rbac_crn`.
        let kafka = format!(
            "{}/kafka={}",
            self.state
                .cluster_crn(cluster.environment.as_str(), cluster.id.as_str()),
            cluster.id
        );
        let dedicated = cluster.kind == ClusterKind::Dedicated;
        let availability = match cluster.kind {
            ClusterKind::Basic => "SINGLE_ZONE",
            _ => "MULTI_ZONE",
        };
        crate::api::cmk::Cluster {
            api_version: "cmk/v2".into(),
            kind: "Cluster".into(),
            id: cluster.id.clone(),
            metadata: self.object_meta(
                crate::api::cmk::CLUSTER,
                cluster.id.as_str(),
                &kafka,
                cluster.created,
                cluster.created,
            ),
            spec: ClusterSpec {
                display_name: cluster.name.clone(),
                availability: availability.into(),
                cloud: CLOUD.0.into(),
                region: CLOUD.1.into(),
                config: ClusterConfig {
                    kind: cluster.kind.as_str().into(),
                    cku: dedicated.then_some(2),
                    max_ecku: None,
                    zones: dedicated.then(|| vec!["euc1-az1".into(), "euc1-az2".into(), "euc1-az3".into()]),
                },
                // No server listens on these loopback addresses.
                kafka_bootstrap_endpoint: "SASL_SSL://127.0.0.1:9092".into(),
                http_endpoint: self.host().to_owned(),
                environment: self.environment_reference(&cluster.environment),
            },
            status: ClusterStatus {
                phase: "PROVISIONED".into(),
            },
        }
    }

    /// Returns the base URL without `/api`: Kafka REST and Schema Registry are served at the root.
    fn host(&self) -> &str {
        self.base.strip_suffix("/api").unwrap_or(self.base)
    }

    pub(crate) fn registry(&self, registry: &RegistryRecord) -> srcm::Registry {
        // Not usable for role bindings: the document's example contains `cloud-cluster=`
        // (docs/reference/rbac.md#crn-patterns).
        let name = self
            .state
            .cluster_crn(registry.environment.as_str(), registry.id.as_str());
        srcm::Registry {
            api_version: "srcm/v3".into(),
            kind: "Cluster".into(),
            id: registry.id.clone(),
            metadata: self.object_meta(
                srcm::REGISTRY,
                registry.id.as_str(),
                &name,
                registry.created,
                registry.created,
            ),
            spec: RegistrySpec {
                display_name: "Stream Governance Package".into(),
                package: "ESSENTIALS".into(),
                http_endpoint: self.host().to_owned(),
                cloud: CLOUD.0.into(),
                region: CLOUD.1.into(),
                environment: self.environment_reference(&registry.environment),
            },
            status: ClusterStatus {
                phase: "PROVISIONED".into(),
            },
        }
    }

    pub(crate) fn account(&self, account: &AccountRecord) -> iam::ServiceAccount {
        // The service omits the organization (terraform-provider-confluent `internal/testdata`).
        let name = format!("crn://confluent.cloud/service-account={}", account.id);
        iam::ServiceAccount {
            api_version: "iam/v2".into(),
            kind: "ServiceAccount".into(),
            id: account.id.clone(),
            metadata: self.lifetime_meta(iam::SERVICE_ACCOUNT, account.id.as_str(), &name, &account.lifetime),
            display_name: account.display_name.clone(),
            description: account.description.clone(),
        }
    }

    pub(crate) fn user(&self, user: &UserRecord) -> iam::User {
        let crn = self.state.principal_crn(&Principal::User(user.id.clone()));
        iam::User {
            api_version: "iam/v2".into(),
            kind: "User".into(),
            id: user.id.clone(),
            metadata: self.object_meta(iam::USER, user.id.as_str(), &crn, user.created, user.created),
            email: user.email.clone(),
            full_name: user.full_name.clone(),
            auth_type: Some("AUTH_TYPE_LOCAL".into()),
        }
    }

    /// Converts an API key, without its secret, which is not stored.
    pub(crate) fn key(&self, key: &KeyRecord) -> keys::ApiKey {
        // Only in API keys do references contain the kind of the object.
        let kind = |reference: ObjectReference, group: &str, kind: &str| ObjectReference {
            api_version: Some(group.to_owned()),
            kind: Some(kind.to_owned()),
            ..reference
        };
        let state = self.state;
        let resource = match &key.resource {
            KeyResource::Cloud => {
                let cloud = ObjectReference {
                    id: keys::CLOUD.to_owned(),
                    ..self.organization_reference()
                };
                kind(cloud, "iam/v2", "Cloud")
            }
            KeyResource::Cluster(id) => match state.clusters.get(id) {
                Some(cluster) => kind(self.cluster_reference(cluster), "cmk/v2", "Cluster"),
                None => ObjectReference::from_id(id.as_str()),
            },
            KeyResource::Registry(id) => match state.registries.get(id) {
                Some(registry) => kind(self.registry_reference(registry), "srcm/v3", "Cluster"),
                None => ObjectReference::from_id(id.as_str()),
            },
        };
        let owner_kind = match &key.owner {
            Principal::User(_) => "User",
            _ => "ServiceAccount",
        };
        keys::ApiKey {
            api_version: "iam/v2".into(),
            kind: "ApiKey".into(),
            id: key.id.clone(),
            metadata: self.lifetime_meta(keys::API_KEY, key.id.as_str(), &self.state.key_crn(key), &key.lifetime),
            spec: keys::ApiKeySpec {
                secret: None,
                display_name: key.display_name.clone(),
                description: key.description.clone(),
                owner: kind(self.principal_reference(&key.owner), "iam/v2", owner_kind),
                resource,
            },
        }
    }

    pub(crate) fn binding(&self, binding: &BindingRecord) -> mds::RoleBindingObject {
        let crn = format!("{}/role-binding={}", self.state.organization_crn(), binding.id);
        mds::RoleBindingObject {
            api_version: "iam/v2".into(),
            kind: "RoleBinding".into(),
            id: binding.id.clone(),
            metadata: self.lifetime_meta(mds::ROLE_BINDING, binding.id.as_str(), &crn, &binding.lifetime),
            binding: binding.binding.clone(),
        }
    }
}
