//! `kafka-quotas/v1`: client quotas of Kafka clusters (docs/reference/quotas.md#client-quotas).
//!
//! Reading and changing them requires an administrator role on the cluster. Basic and Standard clusters have none: their
//! lists are empty, and creation is 422 (inferred; the document declares 422 and names no reason).

use http::{StatusCode, header};
use serde::Deserialize;

use crate::{
    access::Operation,
    api::{
        self, ObjectMeta, ObjectReference,
        kafka_quotas::{CLIENT_QUOTA, ClientQuotaObject, ClientQuotaSpec, ThroughputRates},
    },
    model::{ClientQuotaId, Principal},
    sandbox::{
        pagination::PagingRules,
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        seed::ClusterKind,
        state::{ClientQuotaRecord, ClusterRecord, ConnectorRecord, Lifetime, StateChange},
        tx::Tx,
    },
};

const CLIENT_QUOTAS: PagingRules = PagingRules {
    api_version: "kafka-quotas/v1",
    kind: "ClientQuotaList",
    max_size: 100,
    includes_total: true,
};

/// Principal that stands for all principals without a quota of their own.
const DEFAULT_PRINCIPAL: &str = "<default>";

#[derive(Deserialize)]
struct QuotaBody {
    spec: QuotaSpecBody,
}

#[derive(Deserialize)]
struct QuotaSpecBody {
    display_name: Option<String>,
    description: Option<String>,
    throughput: Option<ThroughputRates>,
    cluster: Option<ObjectReference>,
    principals: Option<Vec<ObjectReference>>,
    environment: Option<ObjectReference>,
}

pub(crate) fn list(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let required = |name: &'static str| {
        let value = request.query(name);
        value.ok_or_else(|| ErrorReply::invalid(format!("the {name} parameter is required")).with_source(name))
    };
    let cluster = administered_cluster(tx, required("environment")?, required("spec.cluster")?)?;
    let all = tx
        .state
        .client_quotas
        .iter()
        .filter(|(_, quota)| quota.cluster == cluster.id);
    let list = tx.page(request, CLIENT_QUOTAS, all, |quota| Some(to_object(tx, request, quota)))?;
    Ok(Reply::ok(list))
}

pub(crate) fn create(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let QuotaBody { spec } = request.parse_json()?;
    let missing = |field: &'static str| move || ErrorReply::invalid_field(field, format!("{field} is required"));
    let environment = spec.environment.ok_or_else(missing("/spec/environment"))?;
    let cluster = spec.cluster.ok_or_else(missing("/spec/cluster"))?;
    let display_name = spec.display_name.ok_or_else(missing("/spec/display_name"))?;
    let throughput = checked_rates(spec.throughput.ok_or_else(missing("/spec/throughput"))?)?;
    let cluster = administered_cluster(tx, &environment.id, &cluster.id)?;
    if matches!(cluster.kind, ClusterKind::Basic | ClusterKind::Standard) {
        let detail = format!("client quotas are not available on {} clusters", cluster.kind.as_str());
        return Err(ErrorReply::invalid_field("/spec/cluster", detail));
    }
    let principals = checked_principals(tx, cluster, None, spec.principals.unwrap_or_default())?;
    let natural = format!("client-quota {} {}", cluster.id, principals.join(","));
    let id: ClientQuotaId = tx.unused_id("cq-", 6, "client-quota", &natural, &natural, |id| {
        tx.state.client_quotas.contains_key(id)
    })?;
    let quota = ClientQuotaRecord {
        cluster: cluster.id.clone(),
        display_name,
        description: spec.description.unwrap_or_default(),
        throughput,
        principals,
        lifetime: Lifetime::immediate(tx.now),
        id,
    };
    let link = tx.view(request).link(CLIENT_QUOTA, quota.id.as_str());
    let reply = Reply::with_body(StatusCode::ACCEPTED, to_object(tx, request, &quota));
    tx.record(StateChange::CountKey(natural));
    tx.record(StateChange::ClientQuota(quota));
    Ok(reply.with_header(header::LOCATION, link))
}

pub(crate) fn read(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let (_, quota) = administered_quota(tx, request)?;
    Ok(Reply::ok(to_object(tx, request, quota)))
}

pub(crate) fn update(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let (cluster, quota) = administered_quota(tx, request)?;
    let QuotaBody { spec } = request.parse_json()?;
    let Some(environment) = spec.environment else {
        return Err(ErrorReply::invalid_field(
            "/spec/environment",
            "/spec/environment is required",
        ));
    };
    if environment.id != cluster.environment.as_str() || spec.cluster.is_some_and(|new| new.id != cluster.id.as_str()) {
        return Err(ErrorReply::invalid(
            "environment and cluster of a client quota cannot be changed",
        ));
    }
    let mut quota = quota.clone();
    if let Some(name) = spec.display_name {
        quota.display_name = name;
    }
    if let Some(description) = spec.description {
        quota.description = description;
    }
    if let Some(throughput) = spec.throughput {
        quota.throughput = checked_rates(throughput)?;
    }
    if let Some(principals) = spec.principals {
        quota.principals = checked_principals(tx, cluster, Some(&quota.id), principals)?;
    }
    quota.lifetime.updated = tx.now;
    let reply = Reply::ok(to_object(tx, request, &quota));
    tx.record(StateChange::ClientQuota(quota));
    Ok(reply)
}

pub(crate) fn delete(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let (_, quota) = administered_quota(tx, request)?;
    tx.record(StateChange::RemoveClientQuota(quota.id.clone()));
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// Returns the cluster if the caller administers it.
fn administered_cluster<'a>(tx: &Tx<'a>, environment: &str, id: &str) -> Result<&'a ClusterRecord, ErrorReply> {
    let cluster = tx.cluster(environment, id)?;
    let crn = tx.state.cluster_crn(environment, id);
    tx.require(Operation::AlterAccess, &crn).map(|()| cluster)
}

/// Returns the quota of the path and its cluster, if the caller administers that.
fn administered_quota<'a>(
    tx: &Tx<'a>,
    request: &ApiRequest,
) -> Result<(&'a ClusterRecord, &'a ClientQuotaRecord), ErrorReply> {
    tx.require_any_role()?;
    let id = request.segment(0);
    let found = id
        .parse::<ClientQuotaId>()
        .ok()
        .and_then(|id| tx.state.client_quotas.get(&id));
    let not_found = || ErrorReply::not_found("client_quota_not_found", format!("client quota `{id}` was not found"));
    let quota = found.ok_or_else(not_found)?;
    let cluster = tx.state.clusters.get(&quota.cluster).ok_or_else(not_found)?;
    administered_cluster(tx, cluster.environment.as_str(), cluster.id.as_str()).map(|cluster| (cluster, quota))
}

/// Returns the rates if both are positive 64-bit numbers.
fn checked_rates(rates: ThroughputRates) -> Result<ThroughputRates, ErrorReply> {
    for rate in [&rates.ingress_byte_rate, &rates.egress_byte_rate] {
        if !rate.parse::<i64>().is_ok_and(|bytes| bytes > 0) {
            return Err(ErrorReply::invalid_field(
                "/spec/throughput",
                format!("`{rate}` is not a positive number of bytes per second"),
            ));
        }
    }
    Ok(rates)
}

/// Returns the ids of the principals of quota `own`, if they exist and no other quota of the cluster names them
/// (docs/assumptions.md, H).
fn checked_principals(
    tx: &Tx<'_>,
    cluster: &ClusterRecord,
    own: Option<&ClientQuotaId>,
    principals: Vec<ObjectReference>,
) -> Result<Vec<String>, ErrorReply> {
    let ids: Vec<String> = principals.into_iter().map(|principal| principal.id).collect();
    if ids.is_empty() {
        return Err(ErrorReply::invalid_field(
            "/spec/principals",
            "at least one principal is required",
        ));
    }
    let others = tx.state.client_quotas.values();
    for id in &ids {
        if id != DEFAULT_PRINCIPAL && !tx.state.principal_exists(&Principal::from_id(id)) {
            return Err(ErrorReply::invalid_field(
                "/spec/principals",
                format!("principal `{id}` was not found"),
            ));
        }
        let names = |quota: &ClientQuotaRecord| {
            quota.cluster == cluster.id && Some(&quota.id) != own && quota.principals.contains(id)
        };
        if tx.assumptions().one_client_quota_per_principal && others.clone().any(names) {
            return Err(ErrorReply::conflict(format!(
                "principal `{id}` already has a client quota"
            )));
        }
    }
    Ok(ids)
}

fn to_object(tx: &Tx<'_>, request: &ApiRequest, quota: &ClientQuotaRecord) -> ClientQuotaObject {
    let view = tx.view(request);
    let reference = |route: &str, id: &str, crn: String| ObjectReference {
        related: Some(view.link(route, id)),
        resource_name: Some(crn),
        ..ObjectReference::from_id(id)
    };
    let environment = tx
        .state
        .clusters
        .get(&quota.cluster)
        .map(|cluster| cluster.environment.clone());
    let environment = environment.as_ref().map_or("", |id| id.as_str());
    let organization = tx.state.organization_crn();
    let cluster = ObjectReference {
        environment: Some(environment.to_owned()),
        ..reference(
            api::cmk::CLUSTER,
            quota.cluster.as_str(),
            tx.state.cluster_crn(environment, quota.cluster.as_str()).to_string(),
        )
    };
    let principal = |id: &String| {
        let crn = tx.state.principal_crn(&Principal::from_id(id)).to_string();
        reference(api::iam::SERVICE_ACCOUNT, id, crn)
    };
    ClientQuotaObject {
        api_version: "kafka-quotas/v1".to_owned(),
        kind: "ClientQuota".to_owned(),
        id: quota.id.clone(),
        metadata: ObjectMeta {
            self_link: Some(view.link(CLIENT_QUOTA, quota.id.as_str())),
            resource_name: Some(format!("{organization}/client-quota={}", quota.id)),
            created_at: Some(quota.lifetime.created),
            updated_at: Some(quota.lifetime.updated),
        },
        spec: ClientQuotaSpec {
            display_name: quota.display_name.clone(),
            description: quota.description.clone(),
            throughput: quota.throughput.clone(),
            cluster,
            principals: quota.principals.iter().map(principal).collect(),
            environment: reference(
                api::org::ENVIRONMENT,
                environment,
                format!("{organization}/environment={environment}"),
            ),
        },
    }
}

impl Tx<'_> {
    /// Returns the bytes per second that client quotas allow the account of a connector, which its connectors share; the
    /// sandbox gives each of them the whole rate. `None` without a quota.
    pub(crate) fn client_quota_of(&self, connector: &ConnectorRecord, is_sink: bool) -> Option<f64> {
        let account = connector.config.get("kafka.service.account.id")?;
        let mut quotas = self.state.client_quotas.values();
        let quota = quotas.find(|quota| quota.cluster == connector.cluster && quota.principals.contains(account))?;
        let rates = &quota.throughput;
        let rate = if is_sink {
            &rates.egress_byte_rate
        } else {
            &rates.ingress_byte_rate
        };
        rate.parse()
            .ok()
            .filter(|_| self.assumptions().connect.client_quotas_apply)
    }
}
