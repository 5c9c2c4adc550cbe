//! Connectors: list, create, read, replace the configuration, delete.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    connector_crn, evaluator_for, find_connector, invalid_config, resolve_cluster, unknown_class,
    write_checks::{
        AcceptedConfig, accept_config, can_create_any, check_identity, check_task_limit, delete_connector,
        is_name_taken,
    },
};
use crate::{
    access::Operation,
    api::connect::{ExpandedConnectorId, OffsetItem},
    model::NamePattern,
    sandbox::{
        assumptions::ListVisibility,
        connector::{
            ConnectorRun,
            config::{changes_identity, displayed_config, mask_secrets},
            lifecycle::{ConnectorAction, FaultProgression, LifecycleState},
            offsets::{StoredOffsets, carry_over, current_offsets, offsets_error},
            status::{info, status},
        },
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        settings::CreatedObject,
        state::{ConnectorRecord, StateChange},
        tx::Tx,
    },
};

pub(crate) fn list(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let (cluster, address) = resolve_cluster(tx, request)?;
    let listing = tx.assumptions().connector_list;
    let every = tx
        .state
        .connector_pattern(&address, NamePattern::Prefixed(String::new()));
    let whole = tx.is_allowed_on_pattern(Operation::Describe, &every);
    if listing == ListVisibility::Refused && !whole {
        return Err(tx.forbidden(&format!("list the connectors of {}", cluster.id)));
    }
    let evaluator = evaluator_for(tx, cluster);
    let here = tx.state.connectors.values().filter(|found| found.cluster == cluster.id);
    let visible: Vec<_> = here
        .filter(|found| tx.is_listed(&found.lifetime))
        .map(|found| (found, connector_crn(tx, &address, &found.name)))
        .filter(|(_, crn)| whole || listing == ListVisibility::Everything || tx.is_allowed(Operation::Describe, crn))
        .collect();
    // The Confluent CLI sends the parameter twice; the service combines the values.
    let expand: Vec<_> = request
        .query_values("expand")
        .flat_map(|value| value.split(','))
        .collect();
    if expand.is_empty() {
        let names: Vec<_> = visible.into_iter().map(|(found, _)| &found.name).collect();
        return Ok(Reply::ok(names));
    }
    let mut map = serde_json::Map::new();
    for (found, crn) in visible {
        let may = |operation| listing == ListVisibility::Everything || tx.is_allowed(operation, &crn);
        let wants = |field: &str| expand.contains(&field);
        let mut entry = serde_json::Map::new();
        if wants("id") {
            let id = ExpandedConnectorId {
                id: found.id.clone(),
                id_type: "ID".into(),
            };
            entry.insert("id".into(), json!(id));
        }
        let evaluation = (wants("info") || wants("status")).then(|| evaluator.evaluate(found));
        if let Some(evaluation) = &evaluation {
            if wants("info") && may(Operation::ReadConfig) {
                entry.insert("info".into(), json!(info(found, evaluation, &crn.to_string())));
            }
            if wants("status") && may(Operation::ReadStatus) {
                entry.insert("status".into(), status(found, evaluation));
            }
        }
        entry.insert("extensions".into(), json!({}));
        map.insert(found.name.clone(), Value::Object(entry));
    }
    Ok(Reply::ok(map))
}

/// Creates a connector. The role is checked before the body: with an invalid body, callers with the permission get 400,
/// all others 403.
pub(crate) fn create(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let (cluster, address) = resolve_cluster(tx, request)?;
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let Some(name) = text(&body["name"]).or_else(|| text(&body["config"]["name"])) else {
        return Err(match can_create_any(tx, &address) {
            true => invalid_config(&["name: the name of the connector is required".into()]),
            false => tx.forbidden(&format!("create connectors in {}", cluster.id)),
        });
    };
    let crn = connector_crn(tx, &address, &name);
    tx.require(Operation::Create, &crn)?;
    if is_name_taken(tx, cluster, &name) {
        return Err(super::write_checks::name_conflict(tx, &name));
    }
    let AcceptedConfig { config, plugin } = match accept_config(&body["config"], &name, cluster.kind)? {
        Ok(wish) => wish,
        Err(class) => return Ok(unknown_class(&class)),
    };
    check_identity(tx, cluster, &config, None, &crn)?;
    check_task_limit(tx, cluster, &config, None)?;
    let offsets: Option<Vec<OffsetItem>> = match &body["offsets"] {
        Value::Null => None,
        given => Some(
            serde_json::from_value(given.clone()).map_err(|error| super::bad_request(format!("offsets: {error}")))?,
        ),
    };
    if let Some(why) = offsets.as_deref().and_then(|offsets| offsets_error(&plugin, offsets)) {
        return Err(super::bad_request(why));
    }
    let stored = mask_secrets(config, &plugin, None, false).map_err(|error| super::secret_not_stored(&error))?;
    let key = format!("{} {name}", cluster.id);
    let known = |id: &String| tx.state.connectors.values().any(|known| known.id == *id);
    let id: String = tx.unused_id("lcc-", 6, "connector", &key, &format!("connector {key}"), known)?;
    let mut connector = ConnectorRecord {
        lifetime: tx.new_lifetime(CreatedObject::Connector, &id),
        id,
        cluster: cluster.id.clone(),
        name,
        config: stored.config,
        previous: None,
        secrets: stored.secrets,
        triggered_faults: stored.triggered_faults,
        run: ConnectorRun::created(tx.now),
        topics_created_in_run: None,
        offsets: StoredOffsets {
            base: offsets.map(|offsets| (tx.now, offsets)),
            ..StoredOffsets::default()
        },
        history: Box::default(),
    };
    let evaluator = evaluator_for(tx, cluster);
    let evaluation = evaluator.evaluate(&connector);
    if let Some(updated) = evaluator.with_updated_history(&connector, &evaluation) {
        connector = updated;
    }
    // No tasks, no offsets and no id yet (docs/reference/connect.md#create-a-connector).
    let answer = json!({
        "name": connector.name, "type": plugin.kind(), "config": displayed_config(&connector, &crn.to_string()),
        "tasks": [], "offsets": [],
    });
    tx.record(StateChange::Connector(connector));
    Ok(Reply::with_body(StatusCode::CREATED, answer))
}

pub(crate) fn read(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let found = find_connector(tx, request, Operation::ReadConfig)?;
    Ok(Reply::ok(info(
        &found.connector,
        &found.evaluation,
        &found.crn.to_string(),
    )))
}

pub(crate) fn config(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let found = find_connector(tx, request, Operation::ReadConfig)?;
    Ok(Reply::ok(displayed_config(&found.connector, &found.crn.to_string())))
}

/// Replaces the whole configuration, or creates the connector if it does not exist
/// (docs/reference/connect.md#update-a-connector).
pub(crate) fn put(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let (cluster, address) = resolve_cluster(tx, request)?;
    let name = request.segment(2).to_owned();
    let crn = connector_crn(tx, &address, &name);
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
    let AcceptedConfig { config, plugin } = match accept_config(&written, &name, cluster.kind)? {
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
        return Err(invalid_config(&[
            "connector.class: the class of a connector cannot be changed".into(),
        ]));
    }
    if changes_identity(old, &config) {
        check_identity(tx, cluster, &config, Some(old), &crn)?;
    }
    check_task_limit(tx, cluster, &config, Some(old))?;
    let evaluator = evaluator_for(tx, cluster);
    let before = evaluator.evaluate(old);
    let keep = tx.assumptions().connect.mask_keeps_secret;
    let stored = mask_secrets(config, &plugin, Some(old), keep).map_err(|error| super::secret_not_stored(&error))?;
    let in_force = match (&old.previous, before.runs_previous_config) {
        (Some(previous), true) => previous.clone(),
        _ => old.config.clone(),
    };
    let mut new = evaluator
        .with_updated_history(old, &before)
        .unwrap_or_else(|| old.clone());
    new.config = stored.config;
    new.secrets = stored.secrets;
    new.triggered_faults = stored.triggered_faults;
    new.previous = None;
    new.topics_created_in_run = None;
    let position = carry_over(current_offsets(old, &before, tx.now), &plugin, &new.config);
    new.offsets.freeze(position, tx.now);
    let paused = old.run.action == ConnectorAction::Paused;
    if !paused {
        new.record_action(ConnectorAction::Updated, before.state, tx.now);
    }
    // Status 200 does not mean that the configuration is active: an invalid one is stored, and the connector keeps
    // running with the previous one.
    let invalid = |evaluation: &crate::sandbox::connector::evaluation::ConnectorEvaluation| {
        let progression = evaluation.fault.as_ref().map(|fault| fault.progression);
        progression == Some(FaultProgression::Validation)
    };
    let after = evaluator.evaluate(&new);
    if invalid(&after)
        && (before.runs_previous_config || !invalid(&before))
        && before.state != LifecycleState::Provisioning
    {
        new.previous = Some(in_force);
    }
    let after = evaluator.evaluate(&new);
    let answer = info(&new, &after, &crn.to_string());
    tx.record(StateChange::Connector(new));
    Ok(Reply::ok(answer))
}

/// Deletes a connector and returns 200 with `{"error":null}`; another value would mean failure
/// (docs/reference/connect.md#error-bodies).
pub(crate) fn delete(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let found = find_connector(tx, request, Operation::Delete)?;
    delete_connector(tx, &found.evaluator, found.connector);
    Ok(Reply::ok(json!({ "error": null })))
}
