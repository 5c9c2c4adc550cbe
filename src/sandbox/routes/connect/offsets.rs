//! Offsets of connectors: read and change, one request at a time (docs/reference/connect.md#offsets).
//!
//! The required permissions are undocumented. The sandbox requires the permission to read the configuration for
//! reading, and the permission to change it for changing.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{bad_request, find_connector};
use crate::{
    access::Operation,
    api::connect::OffsetItem,
    sandbox::{
        connector::offsets::{
            OffsetsChangeRequest, apply_patch, current_offsets, has_wrong_type, initial_offsets, offsets_error,
        },
        reply::{ErrorReply, ErrorShape, Reply},
        request::ApiRequest,
        state::StateChange,
        tx::Tx,
    },
};

pub(crate) fn read(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let found = find_connector(tx, request, Operation::ReadConfig)?;
    Ok(Reply::ok(json!({
        "id": found.connector.id,
        "name": found.connector.name,
        "offsets": current_offsets(&found.connector, &found.evaluation, tx.now),
        "metadata": { "observed_at": tx.now },
    })))
}

#[derive(Deserialize)]
struct AlterOffsetsBody {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    offsets: Option<Vec<OffsetItem>>,
}

pub(crate) fn alter(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let found = find_connector(tx, request, Operation::Configure)?;
    let body: AlterOffsetsBody = serde_json::from_slice(&request.body)
        .map_err(|error| bad_request(format!("invalid offsets request: {error}")))?;
    if found.connector.offsets.pending(tx.now).is_some() {
        return Err(bad_request(format!(
            "Connector {} already has a pending offsets request",
            found.connector.name
        )));
    }
    let plugin = &found.evaluation.plugin;
    let previous = current_offsets(&found.connector, &found.evaluation, tx.now);
    let requested = body.offsets.as_deref().unwrap_or_default();
    if let Some(why) = offsets_error(plugin, requested) {
        return Err(bad_request(why));
    }
    let beginning = initial_offsets(plugin, &found.connector.config);
    let target = match (body.kind.as_str(), requested.is_empty()) {
        ("PATCH", true) => return Err(bad_request("offsets: required for PATCH")),
        ("PATCH", false) => apply_patch(previous.clone(), requested),
        ("DELETE", true) => beginning,
        ("DELETE", false) => {
            let named = |item: &OffsetItem| requested.iter().any(|requested| requested.partition == item.partition);
            let reset: Vec<_> = beginning.into_iter().filter(named).collect();
            apply_patch(previous.clone(), &reset)
        }
        (other, _) => return Err(bad_request(format!("type: `{other}` is neither PATCH nor DELETE"))),
    };
    let due = tx
        .now
        .saturating_add(found.evaluator.delays(&found.connector.id).offsets);
    let due = due.unwrap_or(jiff::Timestamp::MAX);
    let request = OffsetsChangeRequest {
        kind: body.kind,
        offsets: body.offsets,
        at: tx.now,
        due,
        previous,
    };
    let mut connector = found.connector;
    connector.offsets.has_wrong_type = !plugin.is_sink() && has_wrong_type(plugin, &connector.config, &target);
    connector.offsets.base = Some((due, target));
    let answer = to_json(&connector.id, &connector.name, &request);
    connector.offsets.request = Some(request);
    tx.record(StateChange::Connector(connector));
    Ok(Reply::with_body(StatusCode::ACCEPTED, answer))
}

fn to_json(id: &str, name: &str, change: &OffsetsChangeRequest) -> Value {
    json!({
        "id": id, "name": name, "type": change.kind, "requested_at": change.at,
        "offsets": change.offsets.as_deref().unwrap_or_default(),
    })
}

pub(crate) fn request_status(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let found = find_connector(tx, request, Operation::ReadConfig)?;
    let connector = &found.connector;
    let Some(change) = &connector.offsets.request else {
        let text = format!("Connector {} has no offsets request", connector.name);
        return Err(ErrorReply::not_found("not_found", text).with_shape(ErrorShape::Nested));
    };
    let applied = change.due <= tx.now;
    Ok(Reply::ok(json!({
        "request": to_json(&connector.id, &connector.name, change),
        "status": { "phase": if applied { "APPLIED" } else { "PENDING" }, "message": "" },
        "previous_offsets": change.previous,
        "applied_at": applied.then_some(change.due),
    })))
}
