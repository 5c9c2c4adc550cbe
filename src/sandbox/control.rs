//! The sandbox's own endpoints, for whoever holds the control token; to everybody else they do not exist.

use std::time::Duration;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::{
    ConnectorFault, Fault, Sandbox, SandboxError, Settings, auth::TOKEN_HEADER, reply::Refusal, reply::Reply,
    request::Request,
};

/// Below this everything is ours.
pub(crate) const PREFIX: &str = "/sandbox/v1/";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u64,
}

/// A failure for a connector; without a kind it recovers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectorTrouble {
    connector: String,
    #[serde(default)]
    kind: Option<ConnectorFault>,
}

/// Answers a control request. These are no part of the service: they are neither journaled nor hit by faults.
pub(crate) fn answer(sandbox: &Sandbox, request: &Request) -> Result<Reply, Refusal> {
    let Some(offered) = request.header(TOKEN_HEADER) else {
        return Err(Refusal::no_such_path(&request.path));
    };
    if offered != sandbox.control_token() {
        return Err(Refusal::unauthenticated(
            "Sandbox",
            "this is not the sandbox's control token",
        ));
    }
    let what = request.path.strip_prefix(PREFIX).unwrap_or_default();
    let (what, id) = what.split_once('/').unwrap_or((what, ""));
    match (&request.method, what, id) {
        (&Method::GET, "info", "") => {
            let secrets = request.query("show_secrets") == Some("true");
            sandbox.info(secrets).map(Reply::ok).map_err(failed)
        }
        (&Method::GET, "journal", "") => {
            let after = request.query("after").and_then(|seq| seq.parse().ok()).unwrap_or(0);
            let mut entries = sandbox.journal().map_err(failed)?;
            entries.retain(|entry| entry.seq > after);
            Ok(Reply::ok(entries))
        }
        (&Method::GET, "faults", "") => sandbox.faults().map(Reply::ok).map_err(failed),
        (&Method::POST, "faults", "") => {
            let fault: Fault = request.json()?;
            let id = sandbox.add_fault(fault).map_err(failed)?;
            Ok(Reply::with(StatusCode::CREATED, json!({ "id": id })))
        }
        (&Method::DELETE, "faults", "") => cleared(sandbox, None),
        (&Method::DELETE, "faults", id) => match id.parse() {
            Ok(id) => cleared(sandbox, Some(id)),
            Err(_) => Err(Refusal::invalid(format!("`{id}` is not the number of a fault"))),
        },
        (&Method::GET, "connector-faults", "") => sandbox.connector_faults().map(Reply::ok).map_err(failed),
        (&Method::PUT, "connector-faults", "") => {
            let ConnectorTrouble { connector, kind } = request.json()?;
            sandbox.set_connector_fault(&connector, kind).map_err(failed)?;
            Ok(Reply::empty(StatusCode::NO_CONTENT))
        }
        (&Method::GET, "clock", "") => sandbox
            .now()
            .map(|now| Reply::ok(json!({ "now": now })))
            .map_err(failed),
        (&Method::POST, "clock", "") => {
            let Advance { seconds } = request.json()?;
            let now = sandbox.advance(Duration::from_secs(seconds)).map_err(failed)?;
            Ok(Reply::ok(json!({ "now": now })))
        }
        (&Method::GET, "settings", "") => sandbox.settings().map(Reply::ok).map_err(failed),
        (&Method::PUT, "settings", "") => {
            let settings: Settings = request.json()?;
            sandbox.set_settings(settings).map_err(failed)?;
            sandbox.settings().map(Reply::ok).map_err(failed)
        }
        (&Method::POST, "reset", "") => {
            sandbox.reset(None, None).map_err(failed)?;
            Ok(Reply::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Refusal::no_such_path(&request.path)),
    }
}

fn cleared(sandbox: &Sandbox, id: Option<u32>) -> Result<Reply, Refusal> {
    sandbox.clear_faults(id).map_err(failed)?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

fn failed(error: SandboxError) -> Refusal {
    match error {
        SandboxError::Setting(why) | SandboxError::Seed(why) => Refusal::invalid(why),
        other => Refusal::broken(other.to_string()),
    }
}
