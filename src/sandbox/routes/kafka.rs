//! Kafka REST: topics of a cluster, and functions shared by all Kafka REST endpoints.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::connect::evaluator_for;
use crate::{
    access::{Evaluator, Operation},
    model::{ClusterId, Crn, Principal, ResourceKind, StageAddress},
    sandbox::{
        connector::evaluation::DEFAULT_PARTITIONS,
        reply::{ErrorReply, ErrorShape, Reply},
        request::ApiRequest,
        state::{ClusterRecord, StateChange, TopicRecord},
        tx::Tx,
    },
};

pub(crate) use crate::api::kafka::TOPICS;
pub(crate) const TOPIC: &str = "/kafka/v3/clusters/{cluster}/topics/{topic}";

/// Returns the cluster of the path.
pub(super) fn resolve_cluster<'a>(
    tx: &Tx<'a>,
    request: &ApiRequest,
) -> Result<(&'a ClusterRecord, StageAddress), ErrorReply> {
    let id = request.segment(0);
    let cluster = id.parse::<ClusterId>().ok().and_then(|id| tx.state.clusters.get(&id));
    let Some(cluster) = cluster else {
        let detail = format!("cluster `{id}` was not found");
        return Err(ErrorReply::not_found("not_found", detail).with_shape(ErrorShape::Flat));
    };
    Ok((cluster, tx.state.address(cluster)))
}

fn topic_crn(tx: &Tx<'_>, address: &StageAddress, name: &str) -> Crn {
    let resource = address.resource(ResourceKind::Topic, name);
    resource.unwrap_or_else(|| tx.state.organization_crn())
}

/// Kafka permissions of the caller from role bindings and ACLs.
pub(super) struct KafkaPermissions<'a> {
    principal: &'a Principal,
    evaluator: Evaluator,
}

impl<'a> KafkaPermissions<'a> {
    pub(super) fn for_caller(tx: &Tx<'a>) -> Result<Self, ErrorReply> {
        let principal = tx.principal().map_err(|error| error.with_shape(ErrorShape::Flat))?;
        let evaluator = tx.state.kafka_evaluator_at(principal, tx.now);
        Ok(Self { principal, evaluator })
    }

    fn is_allowed(&self, operation: Operation, resource: &Crn) -> bool {
        self.evaluator.decide(self.principal, operation, resource).is_allowed()
    }

    /// Returns whether the caller has any ACL.
    fn has_acls(&self) -> bool {
        self.evaluator.acls().next().is_some()
    }

    /// Returns 403 unless the caller may perform the operation.
    pub(super) fn require(&self, tx: &Tx<'_>, operation: Operation, resource: &Crn) -> Result<(), ErrorReply> {
        match self.is_allowed(operation, resource) {
            true => Ok(()),
            false => Err(forbidden(tx, operation, resource)),
        }
    }
}

fn forbidden(tx: &Tx<'_>, operation: Operation, resource: &Crn) -> ErrorReply {
    tx.forbidden(&format!("{} on {resource}", operation.as_str()))
        .with_shape(ErrorShape::Flat)
}

/// Returns all topics, including those that connectors have created since the last request.
fn topics(tx: &mut Tx<'_>, cluster: &ClusterRecord) -> Vec<TopicRecord> {
    let Some(cluster) = tx.state.clusters.get(&cluster.id) else {
        return Vec::new();
    };
    let fresh = evaluator_for(tx, cluster).new_topics;
    let stored = tx
        .state
        .topics
        .get(&cluster.id)
        .into_iter()
        .flat_map(|here| here.values().cloned());
    let mut all: Vec<_> = stored.chain(fresh).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all.dedup_by(|one, other| one.name == other.name);
    all
}

fn to_json(request: &ApiRequest, topic: &TopicRecord) -> Value {
    let collection = format!("{}/kafka/v3/clusters/{}/topics", request.base, topic.cluster);
    let itself = format!("{collection}/{}", crate::api::encode_segment(&topic.name));
    json!({
        "kind": "KafkaTopic",
        "metadata": { "self": itself, "resource_name": format!("crn:///kafka={}/topic={}", topic.cluster, topic.name) },
        "cluster_id": topic.cluster,
        "topic_name": topic.name,
        "is_internal": false,
        "replication_factor": 3,
        "partitions_count": topic.partitions,
        "partitions": { "related": format!("{itself}/partitions") },
        "configs": { "related": format!("{itself}/configs") },
        "partition_reassignments": { "related": format!("{itself}/partitions/-/reassignment") },
    })
}

/// Lists the topics that the caller may describe.
pub(crate) fn list(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let (cluster, address) = resolve_cluster(tx, request)?;
    let rights = KafkaPermissions::for_caller(tx)?;
    let here = address.cluster_crn();
    if !rights.has_acls() {
        rights.require(tx, Operation::Describe, &here)?;
    }
    let all = topics(tx, cluster);
    let visible = all
        .iter()
        .filter(|topic| rights.is_allowed(Operation::Describe, &topic_crn(tx, &address, &topic.name)));
    let data: Vec<_> = visible.map(|topic| to_json(request, topic)).collect();
    Ok(Reply::ok(json!({
        "kind": "KafkaTopicList",
        "metadata": { "self": format!("{}{}", request.base, request.path), "next": null },
        "data": data,
    })))
}

#[derive(Deserialize)]
struct CreateTopicBody {
    topic_name: String,
    #[serde(default)]
    partitions_count: Option<u32>,
    #[serde(default)]
    validate_only: bool,
}

/// Creates an error with a code of Kafka REST, as its document lists them.
pub(super) fn error_reply(status: StatusCode, code: u32, message: &str) -> Reply {
    Reply::with_body(status, json!({ "error_code": code, "message": message }))
}

pub(crate) fn create(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let (cluster, address) = resolve_cluster(tx, request)?;
    let new: CreateTopicBody = request
        .parse_json()
        .map_err(|error| error.with_shape(ErrorShape::Flat))?;
    KafkaPermissions::for_caller(tx)?.require(tx, Operation::Create, &topic_crn(tx, &address, &new.topic_name))?;
    let good = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let name = &new.topic_name;
    if name.is_empty() || name.len() > 249 || !name.chars().all(good) || [".", ".."].contains(&name.as_str()) {
        return Ok(error_reply(
            StatusCode::BAD_REQUEST,
            40002,
            &format!("Topic name '{name}' is invalid."),
        ));
    }
    if new.partitions_count == Some(0) {
        return Ok(error_reply(
            StatusCode::BAD_REQUEST,
            40002,
            "Number of partitions must be larger than 0.",
        ));
    }
    if topics(tx, cluster).iter().any(|topic| topic.name == *name) {
        return Ok(error_reply(
            StatusCode::BAD_REQUEST,
            40002,
            &format!("Topic '{name}' already exists."),
        ));
    }
    let topic = TopicRecord {
        cluster: cluster.id.clone(),
        name: new.topic_name,
        partitions: new.partitions_count.unwrap_or(DEFAULT_PARTITIONS),
        created: tx.now,
    };
    let answer = to_json(request, &topic);
    if new.validate_only {
        return Ok(Reply::ok(answer));
    }
    tx.record(StateChange::Topic(topic));
    Ok(Reply::with_body(StatusCode::CREATED, answer))
}

fn unknown_topic() -> Reply {
    error_reply(
        StatusCode::NOT_FOUND,
        40403,
        "This server does not host this topic-partition.",
    )
}

pub(crate) fn read(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let (cluster, address) = resolve_cluster(tx, request)?;
    let name = request.segment(1);
    KafkaPermissions::for_caller(tx)?.require(tx, Operation::Describe, &topic_crn(tx, &address, name))?;
    let all = topics(tx, cluster);
    let found = all.iter().find(|topic| topic.name == name);
    Ok(found.map_or_else(unknown_topic, |topic| Reply::ok(to_json(request, topic))))
}

pub(crate) fn delete(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let (cluster, address) = resolve_cluster(tx, request)?;
    let name = request.segment(1);
    KafkaPermissions::for_caller(tx)?.require(tx, Operation::Delete, &topic_crn(tx, &address, name))?;
    if !topics(tx, cluster).iter().any(|topic| topic.name == name) {
        return Ok(unknown_topic());
    }
    tx.record(StateChange::RemoveTopic(cluster.id.clone(), name.to_owned()));
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
