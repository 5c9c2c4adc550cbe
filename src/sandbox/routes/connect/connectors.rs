//! Connectors: list, create, read, replace the configuration, delete.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    crn, eye, found, misconfigured, place, unknown_class,
    write::{Wish, check_identity, check_room, creates_some, deletes, taken, wish},
};
use crate::{
    access::Operation,
    api::connect::{ExpandedId, OffsetItem},
    model::NamePattern,
    sandbox::{
        assumptions::Listing,
        connector::{
            Run,
            config::{changes_identity, shown, store},
            life::{Act, Course, State},
            offsets::{Memory, carried, objection, position},
            status::{info, status},
        },
        reply::{Refusal, Reply},
        request::Request,
        settings::Made,
        state::{Change, Connector},
        tx::Tx,
    },
};

pub(crate) fn list(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let (cluster, address) = place(tx, request)?;
    let listing = tx.assumptions().connector_list;
    let every = tx
        .state
        .connector_pattern(&address, NamePattern::Prefixed(String::new()));
    let whole = tx.may_on_all(Operation::Describe, &every);
    if listing == Listing::Refused && !whole {
        return Err(tx.denied(&format!("list the connectors of {}", cluster.id)));
    }
    let eye = eye(tx, cluster);
    let here = tx.state.connectors.values().filter(|found| found.cluster == cluster.id);
    let seen: Vec<_> = here
        .filter(|found| tx.lists(&found.life))
        .map(|found| (found, crn(tx, &address, &found.name)))
        .filter(|(_, crn)| whole || listing == Listing::Everything || tx.may(Operation::Describe, crn))
        .collect();
    // The stock CLI sends the parameter twice; the service takes all of them together.
    let expand: Vec<_> = request.queries("expand").flat_map(|value| value.split(',')).collect();
    if expand.is_empty() {
        let names: Vec<_> = seen.into_iter().map(|(found, _)| &found.name).collect();
        return Ok(Reply::ok(names));
    }
    let mut map = serde_json::Map::new();
    for (found, crn) in seen {
        let may = |operation| listing == Listing::Everything || tx.may(operation, &crn);
        let wants = |field: &str| expand.contains(&field);
        let mut entry = serde_json::Map::new();
        if wants("id") {
            let id = ExpandedId {
                id: found.id.clone(),
                id_type: "ID".into(),
            };
            entry.insert("id".into(), json!(id));
        }
        let looked = (wants("info") || wants("status")).then(|| eye.look(found));
        if let Some(looked) = &looked {
            if wants("info") && may(Operation::ReadConfig) {
                entry.insert("info".into(), json!(info(found, looked, &crn.to_string())));
            }
            if wants("status") && may(Operation::ReadStatus) {
                entry.insert("status".into(), status(found, looked));
            }
        }
        entry.insert("extensions".into(), json!({}));
        map.insert(found.name.clone(), Value::Object(entry));
    }
    Ok(Reply::ok(map))
}

/// The role is looked at before the body: an invalid body is 400 for whoever may create, 403 for everybody else.
pub(crate) fn create(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let (cluster, address) = place(tx, request)?;
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let Some(name) = text(&body["name"]).or_else(|| text(&body["config"]["name"])) else {
        return Err(match creates_some(tx, &address) {
            true => misconfigured(&["name: the name of the connector is required".into()]),
            false => tx.denied(&format!("create connectors in {}", cluster.id)),
        });
    };
    let crn = crn(tx, &address, &name);
    tx.require(Operation::Create, &crn)?;
    if taken(tx, cluster, &name) {
        return Err(super::write::conflict(tx, &name));
    }
    let Wish { config, plugin } = match wish(&body["config"], &name)? {
        Ok(wish) => wish,
        Err(class) => return Ok(unknown_class(&class)),
    };
    check_identity(tx, cluster, &config, None, &crn)?;
    check_room(tx, cluster, &config, None)?;
    let offsets: Option<Vec<OffsetItem>> = match &body["offsets"] {
        Value::Null => None,
        given => Some(serde_json::from_value(given.clone()).map_err(|error| super::bad(format!("offsets: {error}")))?),
    };
    if let Some(why) = offsets.as_deref().and_then(|offsets| objection(&plugin, offsets)) {
        return Err(super::bad(why));
    }
    let stored = store(config, &plugin, None, false).map_err(|error| super::unwritable(&error))?;
    let key = format!("{} {name}", cluster.id);
    let known = |id: &String| tx.state.connectors.values().any(|known| known.id == *id);
    let id: String = tx.fresh_id("lcc-", 6, "connector", &key, &format!("connector {key}"), known)?;
    let mut connector = Connector {
        life: tx.born(Made::Connector, &id),
        id,
        cluster: cluster.id.clone(),
        name,
        config: stored.config,
        previous: None,
        secrets: stored.secrets,
        telltales: stored.telltales,
        run: Run::created(tx.now),
        made: None,
        offsets: Memory {
            put: offsets.map(|offsets| (tx.now, offsets)),
            ..Memory::default()
        },
        chronicle: Box::default(),
    };
    let eye = eye(tx, cluster);
    let seen = eye.look(&connector);
    if let Some(told) = eye.chronicled(&connector, &seen) {
        connector = told;
    }
    // Neither tasks nor offsets yet, and no id (dossier `connect.md` §2.2).
    let answer = json!({
        "name": connector.name, "type": plugin.kind(), "config": shown(&connector, &crn.to_string()),
        "tasks": [], "offsets": [],
    });
    tx.change(Change::Connector(connector));
    Ok(Reply::with(StatusCode::CREATED, answer))
}

pub(crate) fn read(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let found = found(tx, request, Operation::ReadConfig)?;
    Ok(Reply::ok(info(&found.connector, &found.seen, &found.crn.to_string())))
}

pub(crate) fn config(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let found = found(tx, request, Operation::ReadConfig)?;
    Ok(Reply::ok(shown(&found.connector, &found.crn.to_string())))
}

/// Replaces the whole configuration; a name that is free gets a connector (dossier `connect.md` §2.4).
pub(crate) fn put(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let (cluster, address) = place(tx, request)?;
    let name = request.segment(2).to_owned();
    let crn = crn(tx, &address, &name);
    let old = tx.state.connector(&cluster.id, &name);
    tx.require(
        if old.is_some() {
            Operation::Configure
        } else {
            Operation::Create
        },
        &crn,
    )?;
    let written: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let Wish { config, plugin } = match wish(&written, &name)? {
        Ok(wish) => wish,
        Err(class) => return Ok(unknown_class(&class)),
    };
    let Some(old) = old else {
        let body = json!({ "name": name, "config": written });
        let creation = request.with_body(body.to_string().into());
        let mut made = create(tx, &creation)?;
        if made.status == StatusCode::CREATED {
            made.status = StatusCode::OK;
            if let Some(fields) = made.body.as_mut().and_then(Value::as_object_mut) {
                fields.remove("offsets");
            }
        }
        return Ok(made);
    };
    if old.class() != plugin.class() {
        return Err(misconfigured(&[
            "connector.class: the class of a connector cannot be changed".into(),
        ]));
    }
    if changes_identity(old, &config) {
        check_identity(tx, cluster, &config, Some(old), &crn)?;
    }
    check_room(tx, cluster, &config, Some(old))?;
    let eye = eye(tx, cluster);
    let before = eye.look(old);
    let keep = tx.assumptions().connect.mask_keeps_secret;
    let stored = store(config, &plugin, Some(old), keep).map_err(|error| super::unwritable(&error))?;
    let in_force = match (&old.previous, before.on_previous) {
        (Some(previous), true) => previous.clone(),
        _ => old.config.clone(),
    };
    let mut new = eye.chronicled(old, &before).unwrap_or_else(|| old.clone());
    new.config = stored.config;
    new.secrets = stored.secrets;
    new.telltales = stored.telltales;
    new.previous = None;
    new.made = None;
    let position = carried(position(old, &before, tx.now), &plugin, &new.config);
    new.offsets.hold(position, tx.now);
    let paused = old.run.act == Act::Paused;
    if !paused {
        new.act(Act::Updated, before.state, tx.now);
    }
    // "200 does not mean that it is in force": what fails validation is stored, and the connector runs on as before.
    let invalid = |trouble: &crate::sandbox::connector::diagnose::Seen| {
        let course = trouble.trouble.as_ref().map(|trouble| trouble.course);
        course == Some(Course::Validation)
    };
    let after = eye.look(&new);
    if invalid(&after) && (before.on_previous || !invalid(&before)) && before.state != State::Provisioning {
        new.previous = Some(in_force);
    }
    let after = eye.look(&new);
    let answer = info(&new, &after, &crn.to_string());
    tx.change(Change::Connector(new));
    Ok(Reply::ok(answer))
}

/// 200 with `{"error":null}`: a value there would be a failure (dossier `connect.md` §1.1).
pub(crate) fn delete(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let found = found(tx, request, Operation::Delete)?;
    deletes(tx, &found.eye, found.connector);
    Ok(Reply::ok(json!({ "error": null })))
}
