//! Where a stage lives, and the CRNs of what is there.

use serde::{Deserialize, Serialize};

use super::{Crn, CrnPattern, NamePattern, ResourceKind, Segment};
use crate::model::{ClusterId, EnvironmentId, OrganizationId, SchemaRegistryId, ServiceAccountId};

/// Where one stage lives. All CRNs of a stage are made from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StageAddress {
    /// The organization.
    pub organization: OrganizationId,
    /// The environment.
    pub environment: EnvironmentId,
    /// The Kafka cluster.
    pub cluster: ClusterId,
    /// The Schema Registry of the environment, when it has one.
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

    /// The CRN of the organization.
    #[must_use]
    pub fn organization_crn(&self) -> Crn {
        Crn::organization(&self.organization)
    }

    /// The CRN of the environment.
    #[must_use]
    pub fn environment_crn(&self) -> Crn {
        Crn(self.path(&[(ResourceKind::Environment, self.environment.as_str())]))
    }

    /// The CRN of the Kafka cluster as a role scope, without `/kafka=`.
    #[must_use]
    pub fn cluster_crn(&self) -> Crn {
        let environment = (ResourceKind::Environment, self.environment.as_str());
        Crn(self.path(&[environment, (ResourceKind::Cluster, self.cluster.as_str())]))
    }

    /// The CRN of the Kafka half of the cluster, off which topics, groups and transactional ids hang.
    #[must_use]
    pub fn kafka_crn(&self) -> Crn {
        let mut kafka = self.cluster_crn();
        kafka.0.push(Segment {
            token: ResourceKind::Kafka.token().to_owned(),
            value: self.cluster.as_str().to_owned(),
        });
        kafka
    }

    /// The CRN of the Schema Registry, when there is one.
    #[must_use]
    pub fn schema_registry_crn(&self) -> Option<Crn> {
        let environment = (ResourceKind::Environment, self.environment.as_str());
        let registry = self.schema_registry.as_ref()?;
        Some(Crn(
            self.path(&[environment, (ResourceKind::SchemaRegistry, registry.as_str())])
        ))
    }

    /// The CRN of a service account.
    #[must_use]
    pub fn service_account_crn(&self, account: &ServiceAccountId) -> Crn {
        Crn(self.path(&[(ResourceKind::ServiceAccount, account.as_str())]))
    }

    /// The pattern of `kind` for `name`. For the kinds that are scopes themselves (organization, environment, cluster)
    /// the name is ignored: there is one of each at an address.
    ///
    /// `None` when the address has no place for it: subjects without a Schema Registry, kinds that cannot be granted on.
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

    /// The CRN of one resource of `kind`; `None` as for [`Self::pattern`].
    #[must_use]
    pub fn resource(&self, kind: ResourceKind, name: &str) -> Option<Crn> {
        self.pattern(kind, NamePattern::Literal(name.to_owned()))?.literal()
    }
}
