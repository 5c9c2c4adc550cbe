//! Offsets: read, and changed on request, one request at a time (dossier `connect.md` §9).
//!
//! Which rights they need is documented nowhere: reading takes the right to read the configuration, changing the right
//! to change it.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{bad, found};
use crate::{
    access::Operation,
    api::connect::OffsetItem,
    sandbox::{
        connector::offsets::{Asked, beginning, objection, patched, position, wrong_type},
        reply::{Refusal, Reply, Shape},
        request::Request,
        state::Change,
        tx::Tx,
    },
};

pub(crate) fn read(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let found = found(tx, request, Operation::ReadConfig)?;
    Ok(Reply::ok(json!({
        "id": found.connector.id,
        "name": found.connector.name,
        "offsets": position(&found.connector, &found.seen, tx.now),
        "metadata": { "observed_at": tx.now },
    })))
}

#[derive(Deserialize)]
struct Alter {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    offsets: Option<Vec<OffsetItem>>,
}

pub(crate) fn alter(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let found = found(tx, request, Operation::Configure)?;
    let body: Alter = serde_json::from_slice(&request.body)
        .map_err(|error| bad(format!("the request for offsets cannot be read: {error}")))?;
    if found.connector.offsets.pending(tx.now).is_some() {
        return Err(bad(format!(
            "Connector {} already has an offsets request that is not finished",
            found.connector.name
        )));
    }
    let plugin = &found.seen.plugin;
    let previous = position(&found.connector, &found.seen, tx.now);
    let asked = body.offsets.as_deref().unwrap_or_default();
    if let Some(why) = objection(plugin, asked) {
        return Err(bad(why));
    }
    let beginning = beginning(plugin, &found.connector.config);
    let target = match (body.kind.as_str(), asked.is_empty()) {
        ("PATCH", true) => return Err(bad("offsets: a PATCH needs offsets")),
        ("PATCH", false) => patched(previous.clone(), asked),
        ("DELETE", true) => beginning,
        ("DELETE", false) => {
            let named = |item: &OffsetItem| asked.iter().any(|asked| asked.partition == item.partition);
            let reset: Vec<_> = beginning.into_iter().filter(named).collect();
            patched(previous.clone(), &reset)
        }
        (other, _) => return Err(bad(format!("type: `{other}` is neither PATCH nor DELETE"))),
    };
    let due = tx.now.saturating_add(found.eye.times(&found.connector.id).offsets);
    let due = due.unwrap_or(jiff::Timestamp::MAX);
    let request = Asked {
        kind: body.kind,
        offsets: body.offsets,
        at: tx.now,
        due,
        previous,
    };
    let mut connector = found.connector;
    connector.offsets.wrong_type = !plugin.is_sink() && wrong_type(plugin, &connector.config, &target);
    connector.offsets.put = Some((due, target));
    let answer = shown(&connector.id, &connector.name, &request);
    connector.offsets.request = Some(request);
    tx.change(Change::Connector(connector));
    Ok(Reply::with(StatusCode::ACCEPTED, answer))
}

fn shown(id: &str, name: &str, asked: &Asked) -> Value {
    json!({
        "id": id, "name": name, "type": asked.kind, "requested_at": asked.at,
        "offsets": asked.offsets.as_deref().unwrap_or_default(),
    })
}

pub(crate) fn request_status(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let found = found(tx, request, Operation::ReadConfig)?;
    let connector = &found.connector;
    let Some(asked) = &connector.offsets.request else {
        let text = format!("Connector {} has no offsets request", connector.name);
        return Err(Refusal::missing("not_found", text).shaped(Shape::Nested));
    };
    let applied = asked.due <= tx.now;
    Ok(Reply::ok(json!({
        "request": shown(&connector.id, &connector.name, asked),
        "status": { "phase": if applied { "APPLIED" } else { "PENDING" }, "message": "" },
        "previous_offsets": asked.previous,
        "applied_at": applied.then_some(asked.due),
    })))
}
