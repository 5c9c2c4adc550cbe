//! `connect/v1`: connectors by name, with the texts and formats of docs/reference/connect.md#endpoints.

pub(crate) mod connectors;
pub(crate) mod lifecycle;
pub(crate) mod offsets;
pub(crate) mod plugins;
pub(crate) mod status;
mod write_checks;

use http::StatusCode;
use serde_json::json;

use crate::{
    access::Operation,
    model::{Crn, ResourceKind, StageAddress},
    sandbox::{
        connector::{
            evaluation::{ConnectorEvaluation, ConnectorEvaluator},
            lifecycle::{ConnectorDelays, LifecycleState},
        },
        reply::{ErrorReply, ErrorShape, Reply},
        request::ApiRequest,
        state::{ClusterRecord, ConnectorRecord, StateChange},
        tx::Tx,
    },
};

/// Returns the cluster of the path, or an error with the texts of Connect (docs/reference/connect.md#error-bodies;
/// docs/reference/connect.md#error-messages, pattern 28).
fn resolve_cluster<'a>(tx: &Tx<'a>, request: &ApiRequest) -> Result<(&'a ClusterRecord, StageAddress), ErrorReply> {
    let environment = tx.environment(request.segment(0));
    let environment = environment.map_err(|error| error.with_not_found_detail("account not found"))?;
    let cluster = tx.cluster(environment.id.as_str(), request.segment(1));
    let cluster = cluster.map_err(|error| error.with_not_found_detail("resource not found"))?;
    Ok((cluster, tx.state.address(cluster)))
}

/// Returns the evaluator of a cluster, after recording the topics that its connectors have created since the last
/// request.
pub(crate) fn evaluator_for<'a>(tx: &mut Tx<'a>, cluster: &'a ClusterRecord) -> ConnectorEvaluator<'a> {
    let mut evaluator = ConnectorEvaluator {
        state: tx.state,
        cluster,
        address: tx.state.address(cluster),
        now: tx.now,
        new_topics: Vec::new(),
    };
    for (connector, topics) in evaluator.create_topics() {
        tx.record(StateChange::Connector(connector));
        for topic in topics {
            tx.record(StateChange::Topic(topic));
        }
    }
    evaluator
}

fn connector_crn(tx: &Tx<'_>, address: &StageAddress, name: &str) -> Crn {
    let resource = address.resource(ResourceKind::Connector, name);
    resource.unwrap_or_else(|| tx.state.organization_crn())
}

/// Connector of the path, with its evaluation.
struct TargetConnector<'a> {
    evaluator: ConnectorEvaluator<'a>,
    connector: ConnectorRecord,
    crn: Crn,
    evaluation: ConnectorEvaluation,
}

/// Returns the connector of the path. The permission is checked first: callers who have it learn that the name does not
/// exist.
fn find_connector<'a>(
    tx: &mut Tx<'a>,
    request: &ApiRequest,
    operation: Operation,
) -> Result<TargetConnector<'a>, ErrorReply> {
    let (cluster, address) = resolve_cluster(tx, request)?;
    let name = request.segment(2);
    let crn = connector_crn(tx, &address, name);
    tx.require(operation, &crn)?;
    let connector = tx.state.connector(&cluster.id, name);
    let connector = connector.ok_or_else(|| connector_not_found(name))?;
    let evaluator = evaluator_for(tx, cluster);
    let evaluation = evaluator.evaluate(connector);
    let connector = record_history(tx, &evaluator, connector, &evaluation);
    Ok(TargetConnector {
        evaluator,
        connector,
        crn,
        evaluation,
    })
}

/// Records the created topics and the history of an evaluated connector, and returns the updated record. Handlers must
/// change that record, so that they do not undo these updates.
fn record_history(
    tx: &mut Tx<'_>,
    evaluator: &ConnectorEvaluator<'_>,
    connector: &ConnectorRecord,
    evaluation: &ConnectorEvaluation,
) -> ConnectorRecord {
    let mut connector = connector.clone();
    if evaluation.fault.is_none() && evaluation.state == LifecycleState::Running {
        connector.topics_created_in_run = Some(connector.run.since);
    }
    if let Some(updated) = evaluator.with_updated_history(&connector, evaluation) {
        connector = updated;
        tx.record(StateChange::Connector(connector.clone()));
    }
    connector
}

/// Returns a connector with an up-to-date history, and its delays.
pub(crate) fn with_current_history<'a>(
    tx: &mut Tx<'a>,
    cluster: &'a ClusterRecord,
    connector: &ConnectorRecord,
) -> (ConnectorRecord, ConnectorDelays) {
    let evaluator = evaluator_for(tx, cluster);
    let evaluation = evaluator.evaluate(connector);
    let times = evaluator.delays(&connector.id);
    (record_history(tx, &evaluator, connector, &evaluation), times)
}

fn connector_not_found(name: &str) -> ErrorReply {
    ErrorReply::not_found("not_found", format!("Connector {name} not found")).with_shape(ErrorShape::Nested)
}

/// Returns 400 for an error outside of the configuration.
fn bad_request(message: impl Into<String>) -> ErrorReply {
    ErrorReply::invalid(message).with_shape(ErrorShape::Nested)
}

/// Returns 400 with configuration errors in the form `key: text` (docs/reference/connect.md#create-a-connector).
fn invalid_config(lines: &[String]) -> ErrorReply {
    bad_request(format!(
        "There were some errors with your configuration:\n{}",
        lines.join("\n")
    ))
}

/// Returns 500 in the format of self-managed Connect (E2), because the plugin does not exist
/// (docs/reference/connect.md#create-a-connector; docs/reference/connect.md#error-messages, pattern 7).
fn unknown_class(class: &str) -> Reply {
    let message = format!("Failed to find any class that implements Connector and which name matches {class}");
    Reply::with_body(
        StatusCode::INTERNAL_SERVER_ERROR,
        json!({ "error_code": 500, "message": message }),
    )
}

fn secret_not_stored(error: &std::io::Error) -> ErrorReply {
    ErrorReply::internal_error(format!("cannot store the secret: {error}")).with_shape(ErrorShape::Nested)
}
