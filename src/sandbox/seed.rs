//! Initial content of a sandbox.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    crypt::{IdGenerator, SecretDigest, derived_secret},
    settings::SandboxSettings,
    state::{
        AccountRecord, BindingRecord, ClockBase, ClusterRecord, EnvironmentRecord, KeyRecord, KeyResource, Lifetime,
        RegistryRecord, SandboxState, StateChange, UserRecord,
    },
};
use crate::model::{
    ApiKeyId, ClusterId, EnvironmentId, NamePattern, OrganizationId, Principal, ResourceKind, Role, RoleBinding,
    RoleBindingId, SchemaRegistryId, ServiceAccountId, StageAddress, UserId,
};

/// E-mail address of the human administrator.
pub const ADMIN_EMAIL: &str = "admin@example.com";
/// Password of the human administrator.
pub const ADMIN_PASSWORD: &str = "sandbox";
/// Name of the provisioner's service account.
pub const PROVISIONER: &str = "ebs-provisioner";

/// Type of a Kafka cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants are the vendor's names")]
pub enum ClusterKind {
    Basic,
    Standard,
    Enterprise,
    Dedicated,
    Freight,
}

impl ClusterKind {
    /// Returns the name in API responses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::Standard => "Standard",
            Self::Enterprise => "Enterprise",
            Self::Dedicated => "Dedicated",
            Self::Freight => "Freight",
        }
    }

    /// Returns the limit of API keys per cluster (docs/reference/quotas.md#cluster-limits).
    pub(crate) const fn key_limit(self) -> i64 {
        match self {
            Self::Basic => 50,
            Self::Standard => 100,
            Self::Enterprise | Self::Freight => 500,
            Self::Dedicated => 2_000,
        }
    }
}

/// Stage with an environment, a cluster, and a Schema Registry if its address contains one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedStage {
    /// Name of the stage, also used for the environment and the cluster.
    pub name: String,
    /// Address of the stage. All stages belong to the organization of the seed.
    pub address: StageAddress,
    /// Type of the cluster.
    pub cluster_kind: ClusterKind,
}

/// Additional cluster in the environment of a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedCluster {
    /// Environment of the cluster.
    pub environment: EnvironmentId,
    /// Id of the cluster.
    pub id: ClusterId,
    /// Name of the cluster.
    pub name: String,
    /// Type of the cluster.
    pub kind: ClusterKind,
}

/// Initial content of a sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed {
    /// Id of the organization.
    pub organization: OrganizationId,
    /// Name of the organization.
    pub name: String,
    /// Stages; the first one is the default.
    pub stages: Vec<SeedStage>,
    /// Additional clusters.
    pub clusters: Vec<SeedCluster>,
    /// Seed of the id generator: the same seed produces the same ids.
    pub seed: u64,
}

impl Default for Seed {
    /// Creates the stages `prod` (Enterprise) and `test` (Standard), and a Dedicated and a Basic cluster in `test`.
    fn default() -> Self {
        let organization: OrganizationId = parse_known("11111111-2222-3333-4444-555555555555");
        let stage = |name: &str, cluster_kind| SeedStage {
            name: name.to_owned(),
            address: StageAddress {
                organization: organization.clone(),
                environment: parse_known(&format!("env-{name}1")),
                cluster: parse_known(&format!("lkc-{name}1")),
                schema_registry: Some(parse_known(&format!("lsrc-{name}1"))),
            },
            cluster_kind,
        };
        let extra = |id: &str, kind: ClusterKind| SeedCluster {
            environment: parse_known("env-test1"),
            id: parse_known(id),
            name: kind.as_str().to_lowercase(),
            kind,
        };
        Self {
            stages: vec![
                stage("prod", ClusterKind::Enterprise),
                stage("test", ClusterKind::Standard),
            ],
            clusters: vec![
                extra("lkc-dedicated1", ClusterKind::Dedicated),
                extra("lkc-basic1", ClusterKind::Basic),
            ],
            name: "Sandbox Insurance".to_owned(),
            organization,
            seed: 1,
        }
    }
}

/// Parses an id that is known to be valid.
fn parse_known<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an id made from letters and digits is valid")
}

impl Seed {
    pub(crate) fn ids(&self) -> IdGenerator {
        IdGenerator::new(self.seed)
    }

    /// Returns the id of the human administrator.
    #[must_use]
    pub fn admin(&self) -> UserId {
        parse_known(&format!("u-{}", self.ids().lowercase_id(&["user", ADMIN_EMAIL], 6)))
    }

    /// Returns the id of the provisioner's service account.
    #[must_use]
    pub fn provisioner(&self) -> ServiceAccountId {
        parse_known(&format!(
            "sa-{}",
            self.ids().lowercase_id(&["service-account", PROVISIONER, "0"], 6)
        ))
    }

    /// Returns the Cloud key of the human administrator.
    #[must_use]
    pub fn admin_key(&self) -> ApiKeyId {
        parse_known(&self.ids().api_key(&["seeded", "admin"]))
    }

    /// Returns the Cloud key of the provisioner.
    #[must_use]
    pub fn provisioner_key(&self) -> ApiKeyId {
        parse_known(&self.ids().api_key(&["seeded", "provisioner"]))
    }

    /// Returns the provisioner's key of a cluster, which creates ACLs.
    #[must_use]
    pub fn provisioner_kafka_key(&self, cluster: &ClusterId) -> ApiKeyId {
        parse_known(&self.ids().api_key(&["seeded", "provisioner", cluster.as_str()]))
    }

    /// Returns the secret of the provisioner's Kafka key, derived from the control token.
    pub(crate) fn provisioner_kafka_secret(token: &str, cluster: &ClusterId) -> String {
        derived_secret(token, &format!("provisioner {cluster}"))
    }

    /// Returns the seeded keys: the Cloud keys of both principals, and the provisioner's key of each stage's cluster.
    fn key_changes(&self, token: &str, at: Timestamp) -> std::io::Result<Vec<StateChange>> {
        let provisioner = || Principal::from(self.provisioner());
        let cloud = |id, owner, purpose: &str| {
            (
                id,
                owner,
                KeyResource::Cloud,
                purpose.to_owned(),
                derived_secret(token, purpose),
            )
        };
        let mut keys = vec![
            cloud(self.admin_key(), Principal::User(self.admin()), "admin"),
            cloud(self.provisioner_key(), provisioner(), "provisioner"),
        ];
        let clusters: BTreeSet<_> = self.stages.iter().map(|stage| &stage.address.cluster).collect();
        keys.extend(clusters.into_iter().map(|cluster| {
            (
                self.provisioner_kafka_key(cluster),
                provisioner(),
                KeyResource::Cluster(cluster.clone()),
                "provisioner".to_owned(),
                Self::provisioner_kafka_secret(token, cluster),
            )
        }));
        let key = |(id, owner, resource, display_name, secret): (_, _, _, _, String)| {
            Ok(StateChange::Key(KeyRecord {
                id,
                owner,
                resource,
                display_name,
                description: "created with the sandbox".to_owned(),
                secret: SecretDigest::new(&secret)?,
                lifetime: Lifetime::immediate(at),
            }))
        };
        keys.into_iter().map(key).collect()
    }

    /// Returns the roles of the two seeded principals. The provisioner has exactly the roles of
    /// docs/reference/rbac.md#roles-of-the-provisioner.
    fn role_bindings(&self) -> Vec<RoleBinding> {
        let provisioner = || Principal::from(self.provisioner());
        let mut bindings: Vec<_> = self
            .stages
            .first()
            .map(|stage| {
                let organization = stage.address.organization_crn();
                RoleBinding::new(Principal::User(self.admin()), Role::OrganizationAdmin, organization)
            })
            .into_iter()
            .collect();
        for stage in &self.stages {
            let cluster = stage.address.cluster_crn();
            bindings.push(RoleBinding::new(provisioner(), Role::CloudClusterAdmin, cluster));
            let all = NamePattern::Prefixed(String::new());
            if let Some(subjects) = stage.address.pattern(ResourceKind::Subject, all) {
                bindings.push(RoleBinding::new(provisioner(), Role::ResourceOwner, subjects));
            }
        }
        bindings
    }

    /// Validates the seed.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let Some(first) = self.stages.first() else {
            return Err("a sandbox needs at least one stage".into());
        };
        if let Some(other) = self
            .stages
            .iter()
            .find(|stage| stage.address.organization != self.organization)
        {
            return Err(format!(
                "all stages must belong to one organization: stage `{}` is in `{}`, stage `{}` in `{}`",
                other.name, other.address.organization, first.name, self.organization
            ));
        }
        let environments: BTreeSet<_> = self.stages.iter().map(|stage| &stage.address.environment).collect();
        match self
            .clusters
            .iter()
            .find(|cluster| !environments.contains(&cluster.environment))
        {
            Some(cluster) => Err(format!(
                "cluster `{}` is not in the environment of a stage: `{}`",
                cluster.id, cluster.environment
            )),
            None => Ok(()),
        }
    }

    /// Returns the environments, clusters and Schema Registries as changes.
    pub(crate) fn infrastructure_changes(&self, at: Timestamp) -> Vec<StateChange> {
        let mut changes = Vec::new();
        let mut environments = BTreeSet::new();
        for stage in &self.stages {
            let (name, address) = (&stage.name, &stage.address);
            if environments.insert(&address.environment) {
                changes.push(StateChange::Environment(EnvironmentRecord {
                    id: address.environment.clone(),
                    name: name.clone(),
                    created: at,
                }));
                if let Some(id) = &address.schema_registry {
                    changes.push(registry_change(id, &address.environment, at));
                }
            }
            changes.push(cluster_change(
                &address.cluster,
                &address.environment,
                name,
                stage.cluster_kind,
                at,
            ));
        }
        changes.extend(
            self.clusters
                .iter()
                .map(|extra| cluster_change(&extra.id, &extra.environment, &extra.name, extra.kind, at)),
        );
        changes
    }

    fn binding_change(&self, binding: RoleBinding, at: Timestamp) -> StateChange {
        let id: RoleBindingId = parse_known(&format!(
            "rb-{}",
            self.ids()
                .lowercase_id(&["role-binding", &natural_key(&binding), "0"], 8)
        ));
        StateChange::Binding(BindingRecord {
            id,
            binding,
            lifetime: Lifetime::immediate(at),
        })
    }

    /// Returns the objects of this seed that `state` lacks, as changes. Existing objects are never removed.
    pub(crate) fn missing_changes(
        &self,
        state: &SandboxState,
        token: &str,
        at: Timestamp,
    ) -> std::io::Result<Vec<StateChange>> {
        // The ids of existing objects depend on the number.
        let grown = Self {
            seed: state.seed.seed,
            ..self.clone()
        };
        if grown == state.seed {
            return Ok(Vec::new());
        }
        let is_stage_of_old = |id: &ClusterId| state.seed.stages.iter().any(|stage| stage.address.cluster == *id);
        let is_new = |change: &StateChange| match change {
            StateChange::Environment(new) => state.environments.get(&new.id).is_none_or(|old| old.name != new.name),
            StateChange::Cluster(new) => state
                .clusters
                .get(&new.id)
                .is_none_or(|old| old.name != new.name || old.kind != new.kind),
            StateChange::Registry(new) => !state.registries.contains_key(&new.id),
            StateChange::Binding(new) => state
                .bindings_of(&new.binding.principal)
                .all(|old| old.binding != new.binding),
            // A key that was deleted since is not recreated.
            StateChange::Key(new) => matches!(&new.resource, KeyResource::Cluster(id) if !is_stage_of_old(id)),
            _ => true,
        };
        let bindings = grown
            .role_bindings()
            .into_iter()
            .map(|binding| grown.binding_change(binding, at));
        let keys = grown.key_changes(token, at)?;
        let all = grown.infrastructure_changes(at).into_iter().chain(bindings).chain(keys);
        let mut changes: Vec<_> = all.filter(is_new).collect();
        changes.push(StateChange::Seed(Box::new(grown)));
        Ok(changes)
    }

    /// Builds the initial state. Secrets are derived from the control token and stored as digests.
    pub(crate) fn build_state(
        self,
        settings: SandboxSettings,
        token: &str,
        base: ClockBase,
    ) -> std::io::Result<SandboxState> {
        let at = base.sandbox;
        let mut state = SandboxState::empty(self.clone(), settings, base);
        for change in self.infrastructure_changes(at) {
            state.apply(change);
        }
        state.apply(StateChange::User(UserRecord {
            id: self.admin(),
            number: 1,
            email: ADMIN_EMAIL.to_owned(),
            full_name: "Sandbox Administrator".to_owned(),
            password: SecretDigest::new(ADMIN_PASSWORD)?,
            created: at,
        }));
        state.apply(StateChange::Account(AccountRecord {
            id: self.provisioner(),
            display_name: PROVISIONER.to_owned(),
            description: "creates the accounts of the departments".to_owned(),
            lifetime: Lifetime::immediate(at),
        }));
        for binding in self.role_bindings() {
            state.apply(self.binding_change(binding, at));
        }
        for key in self.key_changes(token, at)? {
            state.apply(key);
        }
        Ok(state)
    }
}

/// Returns the natural key of a role binding as a text.
pub(crate) fn natural_key(binding: &RoleBinding) -> String {
    format!("{} {} {}", binding.principal, binding.role, binding.pattern)
}

fn cluster_change(
    id: &ClusterId,
    environment: &EnvironmentId,
    name: &str,
    kind: ClusterKind,
    created: Timestamp,
) -> StateChange {
    StateChange::Cluster(ClusterRecord {
        id: id.clone(),
        environment: environment.clone(),
        name: name.to_owned(),
        kind,
        created,
    })
}

fn registry_change(id: &SchemaRegistryId, environment: &EnvironmentId, created: Timestamp) -> StateChange {
    StateChange::Registry(RegistryRecord {
        id: id.clone(),
        environment: environment.clone(),
        created,
    })
}
