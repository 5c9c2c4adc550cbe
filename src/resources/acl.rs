//! Kafka ACLs. An ACL has no id and cannot be updated; creating it twice has no further effect.

use serde_json::{Value, json};

use super::{
    KindInfo, ObjectLimit, ObservationClients, PrefixRelation, ProvisionedKind, ResourceContext, ResourceError,
    UnknownObjects,
    poll::{create_or_find, may_exist},
};
use crate::{
    access::Evaluator,
    api::kafka::{CreateAcl, DeleteAcl, ListAcls},
    client::{Client, ClientError},
    env,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{
        AclBinding, AclGrant, AclResource, ClusterId, Listing, Prefix, Principal, ServiceAccountId, Snapshot,
        StageAddress,
    },
};

/// Lists the ACLs of `cluster`, optionally of one principal, in sorted order.
async fn list(
    kafka: &Client,
    cluster: &ClusterId,
    principal: Option<&Principal>,
) -> Result<Vec<AclBinding>, ClientError> {
    let request = ListAcls {
        cluster: cluster.clone(),
        principal: principal.cloned(),
    };
    let found = kafka.send(&request).await?.value.data;
    let mut acls: Vec<_> = found.into_iter().map(|object| object.acl).collect();
    acls.sort();
    acls.dedup();
    Ok(acls)
}

/// Returns the Kafka REST client; a plan that needs it is refused without one.
fn kafka_client(context: &ResourceContext) -> Result<&Client, ResourceError> {
    let missing = || ResourceError::Conflict("no API key of the Kafka cluster is available".to_owned());
    context.kafka.as_ref().ok_or_else(missing)
}

/// Returns the maximum number of ACLs (docs/reference/quotas.md#cluster-limits).
fn limit_in_cluster(cluster_type: &str) -> ObjectLimit {
    match cluster_type {
        "Basic" | "Standard" => ObjectLimit::AtMost(1_000),
        "Enterprise" => ObjectLimit::AtMost(4_000),
        "Dedicated" | "Freight" => ObjectLimit::AtMost(10_000),
        _ => ObjectLimit::Unknown,
    }
}

impl ProvisionedKind for AclBinding {
    const INFO: &'static KindInfo = &KindInfo {
        id: "acl",
        list_key: "acls",
        singular: "ACL",
        plural: "ACLs",
        listing: Listing::Acls,
        needs_kafka_key: true,
        limit: limit_in_cluster,
    };

    async fn observe(clients: &ObservationClients<'_>, address: &StageAddress) -> Result<Vec<Self>, String> {
        let kafka = clients.kafka.clone()?;
        let listed = list(kafka, &address.cluster, None).await;
        listed.map_err(|error| error.to_string())
    }

    fn observed(snapshot: &Snapshot) -> &[Self] {
        &snapshot.acls
    }

    fn observed_mut(snapshot: &mut Snapshot) -> &mut Vec<Self> {
        &mut snapshot.acls
    }

    fn desired(department: &DesiredDepartment, persona: &DesiredPersona, holder: &Principal) -> Vec<(Self, String)> {
        let prefix = &department.department.prefix;
        let of_grant = |grant| {
            let acls = AclGrant::acls(grant, holder, prefix);
            acls.map(|acl| (acl, grant.why.clone()))
        };
        persona.acls.iter().flat_map(of_grant).collect()
    }

    fn desired_evidence(persona: &DesiredPersona) -> Value {
        json!(persona.acls)
    }

    fn explain_unknown(department: &DesiredDepartment, provisioner: &ServiceAccountId, reason: &str) -> UnknownObjects {
        let cluster = &department.address.cluster;
        UnknownObjects {
            rule: "acls-unknown",
            message: format!(
                "its template `{}` grants ACLs, but the ACLs of Kafka cluster `{cluster}` could not be listed: {reason}",
                department.template.name
            ),
            hints: vec![
                format!(
                    "Let an administrator create a key of the cluster once: `confluent api-key create --resource \
                     {cluster} --service-account {provisioner}`."
                ),
                format!(
                    "Set `{}` and `{}` to that key; see docs/provisioner.md.",
                    env::CONFLUENT_EBS_KAFKA_API_KEY,
                    env::CONFLUENT_EBS_KAFKA_API_SECRET
                ),
            ],
        }
    }

    fn holder(&self) -> &Principal {
        &self.principal
    }

    fn with_holder(&self, holder: Principal) -> Self {
        Self {
            principal: holder,
            ..self.clone()
        }
    }

    fn describe(&self) -> [String; 2] {
        let target = match self.resource.kind() {
            Some(kind) if self.resource != AclResource::Cluster => format!("{} {}", kind.display_name(), self.pattern),
            _ => self.resource.to_string().to_lowercase(),
        };
        [format!("{} {}", self.permission, self.operation), target]
    }

    fn to_sentence(&self) -> String {
        self.to_short_string()
    }

    fn planned_json(&self) -> Value {
        json!({
            "resource": self.resource,
            "names": self.pattern.to_string(),
            "operation": self.operation,
        })
    }

    fn relation_to(&self, prefix: &Prefix) -> PrefixRelation {
        let names = prefix.pattern();
        let has_name = self.resource.kind().is_some() && self.resource != AclResource::Cluster;
        if has_name && names.covers(&self.pattern) {
            PrefixRelation::Within
        } else if has_name && self.pattern.overlaps(&names) {
            PrefixRelation::Overlaps
        } else {
            PrefixRelation::Disjoint
        }
    }

    fn add_access(&self, evaluator: &mut Evaluator, address: &StageAddress) {
        evaluator.insert_acl(self.clone(), address);
    }

    async fn create(&self, context: &ResourceContext) -> Result<String, ResourceError> {
        let kafka = kafka_client(context)?;
        let id = self.to_string();
        let request = CreateAcl {
            cluster: context.address.cluster.clone(),
            acl: self.clone(),
        };
        let create = || async {
            let answered = kafka.send(&request).await?;
            context.record_request(&id, answered.request_id.as_ref());
            Ok(())
        };
        let find = || async {
            let existing = list(kafka, &context.address.cluster, Some(&self.principal)).await?;
            Ok::<_, ClientError>(existing.contains(self).then_some(()))
        };
        create_or_find(&context.clock, &context.interrupt, may_exist, create, find).await?;
        Ok(id)
    }

    async fn delete(&self, context: &ResourceContext) -> Result<String, ResourceError> {
        let request = DeleteAcl {
            cluster: context.address.cluster.clone(),
            acl: self.clone(),
        };
        let answered = kafka_client(context)?.send(&request).await?;
        let id = self.to_string();
        context.record_request(&id, answered.request_id.as_ref());
        Ok(id)
    }
}
