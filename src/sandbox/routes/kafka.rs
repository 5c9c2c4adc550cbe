//! Kafka REST: the topics of a cluster, made by hand, by sources and for dead letters; and what all of Kafka REST shares.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::connect::eye;
use crate::{
    access::{Evaluator, Operation},
    model::{Address, ClusterId, Crn, Principal, ResourceKind},
    sandbox::{
        connector::diagnose::PARTITIONS,
        reply::{Refusal, Reply, Shape},
        request::Request,
        state::{Change, Cluster, Topic},
        tx::Tx,
    },
};

pub(crate) use crate::api::kafka::TOPICS;
pub(crate) const TOPIC: &str = "/kafka/v3/clusters/{cluster}/topics/{topic}";

/// The cluster that the path names.
pub(super) fn place<'a>(tx: &Tx<'a>, request: &Request) -> Result<(&'a Cluster, Address), Refusal> {
    let id = request.segment(0);
    let cluster = id.parse::<ClusterId>().ok().and_then(|id| tx.state.clusters.get(&id));
    let Some(cluster) = cluster else {
        let detail = format!("cluster `{id}` was not found");
        return Err(Refusal::missing("not_found", detail).shaped(Shape::Flat));
    };
    Ok((cluster, tx.state.address(cluster)))
}

fn crn(tx: &Tx<'_>, address: &Address, name: &str) -> Crn {
    let resource = address.resource(ResourceKind::Topic, name);
    resource.unwrap_or_else(|| tx.state.organization_crn())
}

/// What the caller may do in Kafka, where ACLs count beside roles.
pub(super) struct Rights<'a> {
    principal: &'a Principal,
    evaluator: Evaluator,
}

impl<'a> Rights<'a> {
    pub(super) fn of(tx: &Tx<'a>) -> Result<Self, Refusal> {
        let principal = tx.principal().map_err(|refusal| refusal.shaped(Shape::Flat))?;
        let evaluator = tx.state.kafka_rights_at(principal, tx.now);
        Ok(Self { principal, evaluator })
    }

    fn may(&self, operation: Operation, resource: &Crn) -> bool {
        self.evaluator.decide(self.principal, operation, resource).is_allowed()
    }

    /// Whether some ACL is about the caller.
    fn any_acl(&self) -> bool {
        self.evaluator.acls().next().is_some()
    }

    /// 403 unless the caller may do this.
    pub(super) fn require(&self, tx: &Tx<'_>, operation: Operation, resource: &Crn) -> Result<(), Refusal> {
        match self.may(operation, resource) {
            true => Ok(()),
            false => Err(forbidden(tx, operation, resource)),
        }
    }
}

fn forbidden(tx: &Tx<'_>, operation: Operation, resource: &Crn) -> Refusal {
    tx.denied(&format!("{} on {resource}", operation.word()))
        .shaped(Shape::Flat)
}

/// All topics, those that connectors have made in the meantime included.
fn topics(tx: &mut Tx<'_>, cluster: &Cluster) -> Vec<Topic> {
    let Some(cluster) = tx.state.clusters.get(&cluster.id) else {
        return Vec::new();
    };
    let fresh = eye(tx, cluster).fresh;
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

fn shown(request: &Request, topic: &Topic) -> Value {
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

/// The topics that the caller may describe.
pub(crate) fn list(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let (cluster, address) = place(tx, request)?;
    let rights = Rights::of(tx)?;
    let here = address.cluster_crn();
    if !rights.any_acl() {
        rights.require(tx, Operation::Describe, &here)?;
    }
    let all = topics(tx, cluster);
    let seen = all
        .iter()
        .filter(|topic| rights.may(Operation::Describe, &crn(tx, &address, &topic.name)));
    let data: Vec<_> = seen.map(|topic| shown(request, topic)).collect();
    Ok(Reply::ok(json!({
        "kind": "KafkaTopicList",
        "metadata": { "self": format!("{}{}", request.base, request.path), "next": null },
        "data": data,
    })))
}

#[derive(Deserialize)]
struct NewTopic {
    topic_name: String,
    #[serde(default)]
    partitions_count: Option<u32>,
    #[serde(default)]
    validate_only: bool,
}

/// Error codes are Kafka REST's own, as its document lists them.
pub(super) fn coded(status: StatusCode, code: u32, message: &str) -> Reply {
    Reply::with(status, json!({ "error_code": code, "message": message }))
}

pub(crate) fn create(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let (cluster, address) = place(tx, request)?;
    let new: NewTopic = request.json().map_err(|refusal| refusal.shaped(Shape::Flat))?;
    Rights::of(tx)?.require(tx, Operation::Create, &crn(tx, &address, &new.topic_name))?;
    let good = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let name = &new.topic_name;
    if name.is_empty() || name.len() > 249 || !name.chars().all(good) || [".", ".."].contains(&name.as_str()) {
        return Ok(coded(
            StatusCode::BAD_REQUEST,
            40002,
            &format!("Topic name '{name}' is invalid."),
        ));
    }
    if new.partitions_count == Some(0) {
        return Ok(coded(
            StatusCode::BAD_REQUEST,
            40002,
            "Number of partitions must be larger than 0.",
        ));
    }
    if topics(tx, cluster).iter().any(|topic| topic.name == *name) {
        return Ok(coded(
            StatusCode::BAD_REQUEST,
            40002,
            &format!("Topic '{name}' already exists."),
        ));
    }
    let topic = Topic {
        cluster: cluster.id.clone(),
        name: new.topic_name,
        partitions: new.partitions_count.unwrap_or(PARTITIONS),
        created: tx.now,
    };
    let answer = shown(request, &topic);
    if new.validate_only {
        return Ok(Reply::ok(answer));
    }
    tx.change(Change::Topic(topic));
    Ok(Reply::with(StatusCode::CREATED, answer))
}

fn unknown() -> Reply {
    coded(
        StatusCode::NOT_FOUND,
        40403,
        "This server does not host this topic-partition.",
    )
}

pub(crate) fn read(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let (cluster, address) = place(tx, request)?;
    let name = request.segment(1);
    Rights::of(tx)?.require(tx, Operation::Describe, &crn(tx, &address, name))?;
    let all = topics(tx, cluster);
    let found = all.iter().find(|topic| topic.name == name);
    Ok(found.map_or_else(unknown, |topic| Reply::ok(shown(request, topic))))
}

pub(crate) fn delete(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let (cluster, address) = place(tx, request)?;
    let name = request.segment(1);
    Rights::of(tx)?.require(tx, Operation::Delete, &crn(tx, &address, name))?;
    if !topics(tx, cluster).iter().any(|topic| topic.name == name) {
        return Ok(unknown());
    }
    tx.change(Change::NoTopic(cluster.id.clone(), name.to_owned()));
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
