//! Older endpoints that the Confluent CLI uses for login and names (docs/reference/cli.md#login-requests).

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    access::Operation,
    model::{Principal, ServiceAccountId},
    sandbox::{
        auth::{DATA_PLANE, SESSION, issue_token},
        crypt::{SecretDigest, hex, random},
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        state::{AccountRecord, SessionRecord, StateChange, UserRecord},
        tx::Tx,
    },
};

pub(crate) const REALM: &str = "/login/realm";
pub(crate) const SESSIONS: &str = "/sessions";
pub(crate) const ME: &str = "/me";
pub(crate) const FREE_TRIAL: &str = "/growth/v1/free-trial-info";
pub(crate) const USAGES: &str = "/cli/v1/usages";
/// Path of the token exchange. Clients send it with `/api`, which the request parser strips.
pub(crate) const ACCESS_TOKENS: &str = "/access_tokens";
pub(crate) const SERVICE_ACCOUNTS: &str = "/service_accounts";
pub(crate) const USERS: &str = "/users";
pub(crate) const USAGE_LIMITS: &str = "/usage_limits";

/// Validity of a session token; the Confluent CLI renews it with the refresh token.
const SESSION_SECONDS: i64 = 3_600;
/// Validity of a data-plane token: the value that Confluent's own client assumes (docs/reference/logs.md#access-token).
const DATA_PLANE_SECONDS: i64 = 600;
/// Length of a session id: 12 bytes in hexadecimal.
const SESSION_ID: usize = 24;

/// Numeric id of the organization, for the older endpoints.
const ORGANIZATION_NUMBER: u32 = 1;

#[expect(clippy::unnecessary_wraps, reason = "all handlers have the same type")]
pub(crate) fn login_realm(_: &mut Tx<'_>, _: &ApiRequest) -> Result<Reply, ErrorReply> {
    Ok(Reply::ok(
        json!({ "is_sso": false, "mfa_required": false, "realm": "" }),
    ))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LoginBody {
    email: String,
    password: String,
    refresh_token: String,
    org_resource_id: String,
}

/// Logs in with e-mail address and password, or with a refresh token. Wrong credentials return 403, as in the service.
pub(crate) fn log_in(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let wrong = || ErrorReply::forbidden("incorrect email, password or organization");
    let body: LoginBody = request.parse_json()?;
    let state = tx.state;
    if !body.org_resource_id.is_empty() && body.org_resource_id != state.seed.organization.as_str() {
        return Err(wrong());
    }
    let (user, session) = if body.refresh_token.is_empty() {
        let found = state
            .users
            .values()
            .find(|user| user.email.eq_ignore_ascii_case(&body.email) && user.password.matches(&body.password));
        (found, None)
    } else {
        let id = body
            .refresh_token
            .strip_prefix("v1.")
            .and_then(|rest| rest.get(..SESSION_ID));
        let session = id.and_then(|id| state.sessions.get(id));
        let session = session.filter(|session| session.refresh.matches(&body.refresh_token));
        (session.and_then(|session| state.users.get(&session.user)), session)
    };
    let user = user.ok_or_else(wrong)?;
    let broken = |error: std::io::Error| ErrorReply::internal_error(error.to_string());
    // A refresh token is valid until its session ends, because the CLI may fail to store another one.
    let (id, refresh) = if let Some(session) = session {
        (session.id.clone(), body.refresh_token)
    } else {
        let id = hex(&random::<{ SESSION_ID / 2 }>().map_err(broken)?);
        // Without this prefix, the CLI takes the refresh token for one of its own encrypted values.
        let refresh = format!("v1.{id}{}", hex(&random::<24>().map_err(broken)?));
        tx.record(StateChange::Session(SessionRecord {
            id: id.clone(),
            user: user.id.clone(),
            refresh: SecretDigest::new(&refresh).map_err(broken)?,
        }));
        (id, refresh)
    };
    let (token, _) = issue_token(
        tx.token,
        user.id.as_str(),
        SESSION,
        &id,
        (tx.now, tx.state.clock_base.is_fixed),
        SESSION_SECONDS,
    );
    Ok(Reply::ok(json!({
        "token": token,
        "refresh_token": refresh,
        "user": user_json(user),
        "organization": organization_json(tx),
    })))
}

pub(crate) fn log_out(tx: &mut Tx<'_>, _: &ApiRequest) -> Result<Reply, ErrorReply> {
    if let Some(session) = tx.caller()?.session.clone() {
        tx.record(StateChange::RemoveSession(session));
    }
    Ok(Reply::ok(json!({})))
}

pub(crate) fn current_user(tx: &mut Tx<'_>, _: &ApiRequest) -> Result<Reply, ErrorReply> {
    let state = tx.state;
    let user = match tx.principal()? {
        Principal::User(id) => state.users.get(id).map(user_json),
        other => state.account(other.id()).map(account_json),
    };
    let visible = state
        .environments
        .values()
        .filter(|found| tx.is_allowed(Operation::Describe, &state.environment_crn(found.id.as_str())));
    // The CLI activates the first environment of the list: the one of the first stage, if the caller may see it.
    let first = state.seed.stages.first().map(|stage| &stage.address.environment);
    let mut environments: Vec<_> = visible.collect();
    environments.sort_by_key(|found| Some(&found.id) != first);
    let accounts: Vec<_> = environments
        .into_iter()
        .map(|found| json!({ "id": found.id, "name": found.name, "organization_id": ORGANIZATION_NUMBER }))
        .collect();
    Ok(Reply::ok(json!({
        "user": user,
        "organization": organization_json(tx),
        "accounts": accounts,
    })))
}

fn organization_json(tx: &Tx<'_>) -> Value {
    let seed = &tx.state.seed;
    json!({ "id": ORGANIZATION_NUMBER, "resource_id": seed.organization, "name": seed.name })
}

fn user_json(user: &UserRecord) -> Value {
    let (first, last) = user.full_name.split_once(' ').unwrap_or((&user.full_name, ""));
    json!({
        "id": user.number, "resource_id": user.id, "email": user.email, "first_name": first, "last_name": last,
        "organization_id": ORGANIZATION_NUMBER, "service_account": false,
    })
}

/// Returns the numeric id of a service account for the older endpoints and Kafka. It is derived from the id, so that it
/// is stable.
pub(crate) fn numeric_id(account: &ServiceAccountId) -> u32 {
    let number = account.as_str().bytes().fold(1_u32, |number, byte| {
        number.wrapping_mul(31).wrapping_add(u32::from(byte))
    });
    1_000 + number % 1_000_000_000
}

fn account_json(account: &AccountRecord) -> Value {
    json!({
        "id": numeric_id(&account.id), "resource_id": account.id, "service_name": account.display_name,
        "service_description": account.description, "organization_id": ORGANIZATION_NUMBER, "service_account": true,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "all handlers have the same type")]
pub(crate) fn free_trial(_: &mut Tx<'_>, _: &ApiRequest) -> Result<Reply, ErrorReply> {
    Ok(Reply::ok(json!({})))
}

/// Accepts and discards the telemetry of the CLI.
#[expect(clippy::unnecessary_wraps, reason = "all handlers have the same type")]
pub(crate) fn usages(_: &mut Tx<'_>, _: &ApiRequest) -> Result<Reply, ErrorReply> {
    Ok(Reply::with_body(StatusCode::ACCEPTED, json!({})))
}

/// Exchanges a Cloud key or a session for a data-plane token.
pub(crate) fn access_token(tx: &mut Tx<'_>, _: &ApiRequest) -> Result<Reply, ErrorReply> {
    let caller = tx.caller()?;
    let session = caller.session.as_deref().unwrap_or_default();
    let principal = caller.principal.id();
    let (token, ends) = issue_token(
        tx.token,
        principal,
        DATA_PLANE,
        session,
        (tx.now, tx.state.clock_base.is_fixed),
        DATA_PLANE_SECONDS,
    );
    Ok(Reply::ok(json!({ "token": token, "expires_at": ends })))
}

pub(crate) fn service_accounts(tx: &mut Tx<'_>, _: &ApiRequest) -> Result<Reply, ErrorReply> {
    tx.require_any_role()?;
    let all = tx.state.accounts.values().filter(|found| tx.is_listed(&found.lifetime));
    let visible = all.filter(|found| tx.can_see_account_or_self(&found.id));
    Ok(Reply::ok(
        json!({ "users": visible.map(account_json).collect::<Vec<_>>() }),
    ))
}

pub(crate) fn users(tx: &mut Tx<'_>, _: &ApiRequest) -> Result<Reply, ErrorReply> {
    tx.require_any_role()?;
    let all = tx.state.users.values();
    let visible = all.filter(|user| tx.can_see_user(&Principal::User(user.id.clone())));
    Ok(Reply::ok(
        json!({ "users": visible.map(user_json).collect::<Vec<_>>() }),
    ))
}

/// Returns 404. `kafka cluster describe` requests the limits but works without them; no public document describes them.
pub(crate) fn usage_limits(tx: &mut Tx<'_>, _: &ApiRequest) -> Result<Reply, ErrorReply> {
    tx.require_any_role()?;
    Err(ErrorReply::not_found("not_found", "the sandbox has no usage limits"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_token_exchange_has_the_path_that_clients_use() {
        assert_eq!(crate::api::logs::ACCESS_TOKENS, format!("/api{}", super::ACCESS_TOKENS));
    }
}
