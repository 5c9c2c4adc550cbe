//! Kafka REST, as far as `kafka cluster describe` needs it: the topics of a cluster, of which there are none yet.

use serde_json::json;

use crate::{
    access::Operation,
    model::ClusterId,
    sandbox::{
        reply::{Refusal, Reply},
        request::Request,
        tx::Tx,
    },
};

pub(crate) const TOPICS: &str = "/kafka/v3/clusters/{cluster}/topics";

pub(crate) fn topics(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let id = request.segment(0);
    let cluster = id.parse::<ClusterId>().ok().and_then(|id| tx.state.clusters.get(&id));
    let Some(cluster) = cluster else {
        let detail = format!("cluster `{id}` was not found");
        return Err(Refusal::missing("not_found", detail));
    };
    let crn = tx.state.cluster_crn(cluster.environment.as_str(), id);
    tx.require(Operation::Describe, &crn)?;
    Ok(Reply::ok(json!({
        "kind": "KafkaTopicList",
        "metadata": { "self": format!("{}{}", request.base, request.path), "next": null },
        "data": [],
    })))
}
