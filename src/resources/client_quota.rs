//! Client quotas of Kafka clusters. A department has at most one: of the account that its connectors run as.

use serde_json::{Value, json};

use super::{
    KindInfo, ObjectLimit, ObjectMatch, ObservationClients, ProvisionedKind, ResourceContext, ResourceError,
    UnknownObjects,
    poll::{create_or_find, may_exist},
};
use crate::{
    api::kafka_quotas::{CreateClientQuota, DeleteClientQuota, GetClientQuota, ListClientQuotas, UpdateClientQuota},
    client::{Client, ClientError},
    manifest::{DesiredDepartment, DesiredPersona},
    model::{ClientQuota, ClientQuotaId, Listing, Principal, ServiceAccountId, Snapshot, StageAddress, Throughput},
};

/// Lists the client quotas of the cluster, sorted. A quota with unreadable rates makes the whole list unknown.
async fn list(client: &Client, address: &StageAddress) -> Result<Vec<ClientQuota>, String> {
    let request = ListClientQuotas {
        environment: address.environment.clone(),
        cluster: address.cluster.clone(),
    };
    let found = client
        .list_with_unreadable(request)
        .await
        .map_err(|error| error.to_string())?;
    if let Some(item) = found.unreadable.first() {
        return Err(format!("a client quota is unreadable: {}", item.reason));
    }
    let mut quotas = Vec::new();
    for object in found.items {
        let id = object.id.clone();
        let quota = object.client_quota();
        quotas.push(quota.ok_or_else(|| format!("the rates of client quota `{id}` are not numbers"))?);
    }
    quotas.sort();
    Ok(quotas)
}

/// Returns the throughput of a persona: the department's, if connectors run as its account.
fn throughput(persona: &DesiredPersona) -> Option<Throughput> {
    let runs_connectors = persona.facts.runtime.as_ref() == Some(&persona.account_name);
    persona.facts.quota.throughput.filter(|_| runs_connectors)
}

/// Returns whether clusters of a type have client quotas (docs/reference/quotas.md#client-quotas). Quotas are unlimited
/// in number as far as documented.
fn limit_in_cluster(cluster_type: &str) -> ObjectLimit {
    match cluster_type {
        "Basic" | "Standard" => ObjectLimit::AtMost(0),
        "Enterprise" | "Dedicated" | "Freight" => ObjectLimit::Unlimited,
        _ => ObjectLimit::Unknown,
    }
}

/// Returns the id of an observed quota.
fn id_of(quota: &ClientQuota) -> Result<&ClientQuotaId, ResourceError> {
    let missing = || ResourceError::Conflict("the client quota does not exist yet".to_owned());
    quota.id.as_ref().ok_or_else(missing)
}

impl ProvisionedKind for ClientQuota {
    const INFO: &'static KindInfo = &KindInfo {
        id: "client-quota",
        list_key: "client_quotas",
        singular: "client quota",
        plural: "client quotas",
        listing: Listing::ClientQuotas,
        needs_kafka_key: false,
        limit: limit_in_cluster,
    };

    async fn observe(clients: &ObservationClients<'_>, address: &StageAddress) -> Result<Vec<Self>, String> {
        list(clients.cloud, address).await
    }

    fn observed(snapshot: &Snapshot) -> &[Self] {
        &snapshot.client_quotas
    }

    fn observed_mut(snapshot: &mut Snapshot) -> &mut Vec<Self> {
        &mut snapshot.client_quotas
    }

    fn desired(_: &DesiredDepartment, persona: &DesiredPersona, holder: &Principal) -> Vec<(Self, String)> {
        let quota = |throughput| Self::desired(persona.account_name.clone(), holder.clone(), throughput);
        let why = || "`[quota.throughput]` of the department".to_owned();
        throughput(persona)
            .map(|throughput| (quota(throughput), why()))
            .into_iter()
            .collect()
    }

    fn desired_evidence(persona: &DesiredPersona) -> Value {
        json!(throughput(persona).into_iter().collect::<Vec<_>>())
    }

    fn explain_unknown(department: &DesiredDepartment, provisioner: &ServiceAccountId, reason: &str) -> UnknownObjects {
        let cluster = &department.address.cluster;
        UnknownObjects {
            rule: "client-quotas-unknown",
            message: format!(
                "its file sets `[quota.throughput]`, but the client quotas of Kafka cluster `{cluster}` could not be \
                 listed: {reason}"
            ),
            hints: vec![format!(
                "Grant CloudClusterAdmin on the cluster to service account `{provisioner}`; see docs/provisioner.md."
            )],
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

    fn compare(&self, desired: &Self) -> ObjectMatch {
        match self.throughput == desired.throughput {
            _ if self.principal != desired.principal => ObjectMatch::Other,
            true => ObjectMatch::UpToDate,
            false => ObjectMatch::Outdated,
        }
    }

    fn describe(&self) -> [String; 2] {
        ["client quota".to_owned(), self.throughput.to_string()]
    }

    fn planned_json(&self) -> Value {
        json!(self.throughput)
    }

    async fn create(&self, context: &ResourceContext) -> Result<String, ResourceError> {
        let address = &context.address;
        let request = CreateClientQuota {
            environment: address.environment.clone(),
            cluster: address.cluster.clone(),
            display_name: self.name.clone(),
            principal: self.principal.id().to_owned(),
            throughput: self.throughput,
        };
        let create = || async {
            let answered = match self.principal.service_account() {
                Some(account) => {
                    context
                        .retry_until_visible(account, || context.client.send(&request))
                        .await?
                }
                None => context.client.send(&request).await?,
            };
            let id = answered.value.id.to_string();
            context.record_request(&id, answered.request_id.as_ref());
            Ok(id)
        };
        let find = || async {
            let existing = list(&context.client, address).await.map_err(ResourceError::Conflict)?;
            let own = existing
                .into_iter()
                .find(|quota| quota.compare(self) == ObjectMatch::UpToDate);
            Ok(own.and_then(|quota| quota.id).map(|id| id.to_string()))
        };
        create_or_find::<_, ClientError, ResourceError, _, _>(
            &context.clock,
            &context.interrupt,
            may_exist,
            create,
            find,
        )
        .await
    }

    async fn update(&self, desired: &Self, context: &ResourceContext) -> Result<String, ResourceError> {
        let id = id_of(self)?;
        let now = context.client.send(&GetClientQuota(id.clone())).await?.value;
        let found = now.client_quota();
        if found.as_ref() != Some(self) {
            return Err(ResourceError::Stale {
                what: format!("client quota `{id}`"),
                expected: self.throughput.to_string(),
                found: found.map_or_else(|| "unreadable rates".to_owned(), |found| found.throughput.to_string()),
            });
        }
        let request = UpdateClientQuota {
            id: id.clone(),
            environment: context.address.environment.clone(),
            throughput: desired.throughput,
        };
        let answered = context.client.send(&request).await?;
        context.record_request(id.as_str(), answered.request_id.as_ref());
        Ok(id.to_string())
    }

    async fn delete(&self, context: &ResourceContext) -> Result<String, ResourceError> {
        let id = id_of(self)?;
        match context.client.send(&DeleteClientQuota(id.clone())).await {
            Ok(answered) => context.record_request(id.as_str(), answered.request_id.as_ref()),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
        Ok(id.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        manifest::Workspace,
        model::ByteRate,
        resources::{AnyKind, Kind, ObjectDiff},
    };

    const RUNTIME: &str = "sa-runtime1";

    /// The department "claims" with this throughput.
    fn claims(throughput: Option<Throughput>) -> DesiredDepartment {
        let workspace = Workspace::embedded().workspace;
        let mut departments = workspace.active_departments();
        let mut department = departments
            .find(|found| found.code.as_str() == "claims")
            .unwrap()
            .clone();
        department.quota.throughput = throughput;
        let address = StageAddress {
            organization: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
            environment: "env-prod01".parse().unwrap(),
            cluster: "lkc-prod01".parse().unwrap(),
            schema_registry: None,
        };
        workspace.desired_department(&department, "prod", &address).unwrap()
    }

    fn diff(desired: &DesiredDepartment, quotas: &[ClientQuota], persona: &DesiredPersona) -> ObjectDiff {
        let mut snapshot = Snapshot::new(
            jiff::Timestamp::UNIX_EPOCH,
            desired.address.clone(),
            Principal::from_id("sa-provisioner"),
        );
        snapshot.client_quotas = quotas.to_vec();
        let account: ServiceAccountId = RUNTIME.parse().unwrap();
        Kind::<ClientQuota>::ERASED.diff(&snapshot, desired, persona, Some(&account))
    }

    fn rates() -> impl Strategy<Value = Throughput> {
        (1..4_u64, 1..4_u64).prop_map(|(ingress, egress)| Throughput {
            ingress: ByteRate(ingress * 1_000_000),
            egress: ByteRate(egress * 1_000_000),
        })
    }

    #[test]
    fn only_the_account_that_runs_connectors_gets_a_quota() {
        let throughput = Throughput {
            ingress: ByteRate(1_000_000),
            egress: ByteRate(2_000_000),
        };
        let desired = claims(Some(throughput));
        for persona in &desired.personas {
            let wanted = usize::from(persona.persona == "runtime");
            assert_eq!(
                diff(&desired, &[], persona).missing.len(),
                wanted,
                "{}",
                persona.persona
            );
        }
        assert!(Kind::<ClientQuota>::ERASED.is_desired(&desired));
        assert!(!Kind::<ClientQuota>::ERASED.is_desired(&claims(None)));
    }

    proptest! {
        // After the changes of the difference there is none, and quotas of others are as before.
        #[test]
        fn applying_the_difference_leaves_none(
            throughput in proptest::option::of(rates()),
            observed in proptest::collection::vec((0..3_usize, rates()), 0..6),
        ) {
            let holders: [&[&str]; 3] = [&[RUNTIME], &["sa-other1"], &[RUNTIME, "sa-other1"]];
            let quota = |(number, (holder, rates)): (usize, &(usize, Throughput))| {
                let id = format!("cq-{number}").parse().unwrap();
                let principals = holders[*holder].iter().map(|id| Principal::from_id(id)).collect();
                ClientQuota::observed(id, "a quota".to_owned(), principals, *rates)
            };
            let before: Vec<ClientQuota> = observed.iter().enumerate().map(quota).collect();
            let desired = claims(throughput);
            let persona = desired.runtime_persona().unwrap();
            let changes = diff(&desired, &before, persona);
            let typed = |object: &crate::resources::ProvisionedObject| object.downcast_ref::<ClientQuota>().unwrap().clone();
            let mut after = before.clone();
            for surplus in &changes.surplus {
                let surplus = typed(surplus);
                after.retain(|quota| *quota != surplus);
            }
            for (from, to, _) in &changes.outdated {
                let (from, to) = (typed(from), typed(to));
                let updated = after.iter_mut().find(|quota| **quota == from).unwrap();
                updated.throughput = to.throughput;
            }
            for (missing, _) in &changes.missing {
                after.push(ClientQuota { id: "cq-new".parse().ok(), ..typed(missing) });
            }
            let again = diff(&desired, &after, persona);
            prop_assert!(again.missing.is_empty() && again.outdated.is_empty() && again.surplus.is_empty(), "{again:?}");
            let runtime = Principal::from_id(RUNTIME);
            let held: Vec<Throughput> =
                after.iter().filter(|quota| quota.principal == runtime).map(|quota| quota.throughput).collect();
            prop_assert_eq!(held, throughput.into_iter().collect::<Vec<_>>());
            let others = |quotas: &[ClientQuota]| -> Vec<ClientQuota> {
                quotas.iter().filter(|quota| quota.principal != runtime).cloned().collect()
            };
            prop_assert_eq!(others(&before), others(&after));
        }
    }
}
