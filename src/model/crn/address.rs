//! Addresses of stages, and the CRNs below them.

use serde::{Deserialize, Serialize};

use super::{Crn, CrnPattern, NamePattern, ResourceKind, Segment};
use crate::model::{ClusterId, EnvironmentId, OrganizationId, SchemaRegistryId, ServiceAccountId};

/// Ids that locate a stage. All CRNs of the stage are derived from them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StageAddress {
    /// Organization.
    pub organization: OrganizationId,
    /// Environment.
    pub environment: EnvironmentId,
    /// Kafka cluster.
    pub cluster: ClusterId,
    /// Schema Registry of the environment, if any.
    pub schema_registry: Option<SchemaRegistryId>,
}

impl StageAddress {
    fn path(&self, parts: &[(ResourceKind, &str)]) -> Vec<Segment> {
        let organization = (ResourceKind::Organization, self.organization.as_str());
        [organization]
            .iter()
            .chain(parts)
            .map(|(kind, value)| Segment {
                token: kind.token().to_owned(),
                value: (*value).to_owned(),
            })
            .collect()
    }

    /// Returns the CRN of the organization.
    #[must_use]
    pub fn organization_crn(&self) -> Crn {
        Crn::organization(&self.organization)
    }

    /// Returns the CRN of the environment.
    #[must_use]
    pub fn environment_crn(&self) -> Crn {
        Crn(self.path(&[(ResourceKind::Environment, self.environment.as_str())]))
    }

    /// Returns the CRN of the Kafka cluster as a role scope, without `/kafka=`.
    #[must_use]
    pub fn cluster_crn(&self) -> Crn {
        let environment = (ResourceKind::Environment, self.environment.as_str());
        Crn(self.path(&[environment, (ResourceKind::Cluster, self.cluster.as_str())]))
    }

    /// Returns the CRN of the Kafka part of the cluster, the parent of topics, groups and transactional ids.
    #[must_use]
    pub fn kafka_crn(&self) -> Crn {
        let mut kafka = self.cluster_crn();
        kafka.0.push(Segment {
            token: ResourceKind::Kafka.token().to_owned(),
            value: self.cluster.as_str().to_owned(),
        });
        kafka
    }

    /// Returns the CRN of the Schema Registry, if any.
    #[must_use]
    pub fn schema_registry_crn(&self) -> Option<Crn> {
        let environment = (ResourceKind::Environment, self.environment.as_str());
        let registry = self.schema_registry.as_ref()?;
        Some(Crn(
            self.path(&[environment, (ResourceKind::SchemaRegistry, registry.as_str())])
        ))
    }

    /// Returns the CRN of a service account.
    #[must_use]
    pub fn service_account_crn(&self, account: &ServiceAccountId) -> Crn {
        Crn(self.path(&[(ResourceKind::ServiceAccount, account.as_str())]))
    }

    /// Returns the pattern of `kind` for `name`. Scopes (organization, environment, cluster) ignore the name, because
    /// an address has one of each.
    ///
    /// `None` for subjects without a Schema Registry and for kinds that cannot be granted on.
    #[must_use]
    pub fn pattern(&self, kind: ResourceKind, name: NamePattern) -> Option<CrnPattern> {
        let parents = match kind {
            ResourceKind::Organization => return Some(self.organization_crn().into()),
            ResourceKind::Environment => return Some(self.environment_crn().into()),
            ResourceKind::Cluster => return Some(self.cluster_crn().into()),
            ResourceKind::Connector => self.cluster_crn(),
            ResourceKind::Topic | ResourceKind::Group | ResourceKind::TransactionalId => self.kafka_crn(),
            ResourceKind::Subject => self.schema_registry_crn()?,
            ResourceKind::ServiceAccount => self.organization_crn(),
            _ => return None,
        };
        Some(CrnPattern {
            parents: parents.0,
            token: kind.token().to_owned(),
            name,
        })
    }

    /// Returns the CRN of one resource of `kind`; `None` as for [`Self::pattern`].
    #[must_use]
    pub fn resource(&self, kind: ResourceKind, name: &str) -> Option<Crn> {
        self.pattern(kind, NamePattern::Literal(name.to_owned()))?.literal()
    }
}
