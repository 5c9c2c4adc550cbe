//! Control endpoints of the sandbox. They require the control token; without it they return 404.

use std::time::Duration;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::{
    ConnectorFault, Fault, Sandbox, SandboxError, SandboxSettings, auth::TOKEN_HEADER, reply::ErrorReply, reply::Reply,
    request::ApiRequest,
};

/// Path prefix of the control endpoints.
pub(crate) const PREFIX: &str = "/sandbox/v1/";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvanceClockRequest {
    seconds: u64,
}

/// Fault to set for a connector; without a kind, the fault is cleared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetConnectorFaultRequest {
    connector: String,
    #[serde(default)]
    kind: Option<ConnectorFault>,
}

/// Handles a control request. Control requests are not journaled, and faults do not affect them.
pub(crate) fn handle(sandbox: &Sandbox, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let Some(offered) = request.header(TOKEN_HEADER) else {
        return Err(ErrorReply::unknown_path(&request.path));
    };
    if offered != sandbox.control_token() {
        return Err(ErrorReply::unauthenticated("Sandbox", "invalid control token"));
    }
    let what = request.path.strip_prefix(PREFIX).unwrap_or_default();
    let (what, id) = what.split_once('/').unwrap_or((what, ""));
    match (&request.method, what, id) {
        (&Method::GET, "info", "") => {
            let secrets = request.query("show_secrets") == Some("true");
            sandbox.info(secrets).map(Reply::ok).map_err(to_error_reply)
        }
        (&Method::GET, "journal", "") => {
            let after = request.query("after").and_then(|seq| seq.parse().ok()).unwrap_or(0);
            let mut entries = sandbox.journal().map_err(to_error_reply)?;
            entries.retain(|entry| entry.seq > after);
            Ok(Reply::ok(entries))
        }
        (&Method::GET, "faults", "") => sandbox.faults().map(Reply::ok).map_err(to_error_reply),
        (&Method::POST, "faults", "") => {
            let fault: Fault = request.parse_json()?;
            let id = sandbox.add_fault(fault).map_err(to_error_reply)?;
            Ok(Reply::with_body(StatusCode::CREATED, json!({ "id": id })))
        }
        (&Method::DELETE, "faults", "") => clear_faults(sandbox, None),
        (&Method::DELETE, "faults", id) => match id.parse() {
            Ok(id) => clear_faults(sandbox, Some(id)),
            Err(_) => Err(ErrorReply::invalid(format!("`{id}` is not a fault number"))),
        },
        (&Method::GET, "connector-faults", "") => sandbox.connector_faults().map(Reply::ok).map_err(to_error_reply),
        (&Method::PUT, "connector-faults", "") => {
            let SetConnectorFaultRequest { connector, kind } = request.parse_json()?;
            sandbox.set_connector_fault(&connector, kind).map_err(to_error_reply)?;
            Ok(Reply::empty(StatusCode::NO_CONTENT))
        }
        (&Method::GET, "clock", "") => sandbox
            .now()
            .map(|now| Reply::ok(json!({ "now": now })))
            .map_err(to_error_reply),
        (&Method::POST, "clock", "") => {
            let AdvanceClockRequest { seconds } = request.parse_json()?;
            let now = sandbox.advance(Duration::from_secs(seconds)).map_err(to_error_reply)?;
            Ok(Reply::ok(json!({ "now": now })))
        }
        (&Method::GET, "settings", "") => sandbox.settings().map(Reply::ok).map_err(to_error_reply),
        (&Method::PUT, "settings", "") => {
            let settings: SandboxSettings = request.parse_json()?;
            sandbox.set_settings(settings).map_err(to_error_reply)?;
            sandbox.settings().map(Reply::ok).map_err(to_error_reply)
        }
        (&Method::POST, "reset", "") => {
            sandbox.reset(None, None).map_err(to_error_reply)?;
            Ok(Reply::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(ErrorReply::unknown_path(&request.path)),
    }
}

fn clear_faults(sandbox: &Sandbox, id: Option<u32>) -> Result<Reply, ErrorReply> {
    sandbox.clear_faults(id).map_err(to_error_reply)?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

fn to_error_reply(error: SandboxError) -> ErrorReply {
    match error {
        SandboxError::Setting(why) | SandboxError::Seed(why) => ErrorReply::invalid(why),
        other => ErrorReply::internal_error(other.to_string()),
    }
}
