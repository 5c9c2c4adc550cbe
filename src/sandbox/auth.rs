//! Authentication with API keys, sessions, data-plane tokens, or the control token, which can impersonate any
//! principal.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::header;
use jiff::Timestamp;

use super::{
    crypt::{TokenClaims, verify},
    reply::{ErrorReply, ErrorShape},
    request::ApiRequest,
    state::{KeyResource, SandboxState},
};
use crate::model::Principal;

/// Header with the control token.
pub const TOKEN_HEADER: &str = "x-sandbox-token";
/// Header with the principal to impersonate.
pub const IMPERSONATE_HEADER: &str = "x-sandbox-as";

/// Audience of session tokens.
pub(crate) const SESSION: &str = "session";
/// Audience of data-plane tokens.
pub(crate) const DATA_PLANE: &str = "data-plane";

/// Credentials that a route accepts (docs/reference/rbac.md#credentials-by-api).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteAuth {
    /// No authentication; credentials are ignored (the Confluent CLI sends the user part of its URL).
    Anonymous,
    /// A Cloud key or a session.
    Cloud,
    /// An API key of the cluster in the first placeholder of the path, or a data-plane token.
    Kafka,
    /// A data-plane token only. API keys are rejected, even valid ones (docs/reference/logs.md#access-token).
    DataPlane,
    /// A Cloud key, a session token or a data-plane token (docs/reference/metrics.md#access).
    Metrics,
    /// The control token.
    Control,
}

/// Authenticated caller of a request.
#[derive(Clone, Debug)]
pub(crate) struct AuthenticatedCaller {
    pub(crate) principal: Principal,
    /// Session of the caller, if it used one.
    pub(crate) session: Option<String>,
}

/// Authenticates a request and returns its caller, or the error reply.
pub(crate) fn authenticate(
    state: &SandboxState,
    token: &str,
    now: Timestamp,
    access: RouteAuth,
    request: &ApiRequest,
) -> Result<Option<AuthenticatedCaller>, ErrorReply> {
    if access == RouteAuth::Anonymous {
        return Ok(None);
    }
    if let Some(offered) = request.header(TOKEN_HEADER) {
        if offered != token {
            return Err(ErrorReply::unauthenticated("Sandbox", "invalid control token"));
        }
        if access == RouteAuth::Control {
            return Ok(None);
        }
        if let Some(id) = request.header(IMPERSONATE_HEADER) {
            return impersonate(state, id).map(Some);
        }
    }
    let credentials = request.header(header::AUTHORIZATION.as_str()).unwrap_or_default();
    let (scheme, value) = credentials.split_once(' ').unwrap_or((credentials, ""));
    let caller = match (access, scheme.to_ascii_lowercase().as_str()) {
        // Without the control token, control endpoints return the same 404 as unknown paths.
        (RouteAuth::Control, _) => return Err(ErrorReply::unknown_path(&request.path)),
        (RouteAuth::DataPlane, "basic") => Err(invalid_token_reply()),
        (_, "basic") => {
            let wanted = match access {
                RouteAuth::Kafka => request.segment(0).parse().ok().map(KeyResource::Cluster),
                _ => Some(KeyResource::Cloud),
            };
            authenticate_key(state, now, access, value.trim(), wanted.as_ref())
        }
        (_, "bearer") => authenticate_token(state, token, now, access, value.trim()),
        _ => Err(ErrorReply::unauthenticated(
            "Basic",
            "valid authentication credentials must be provided",
        )),
    };
    caller.map(Some)
}

/// Returns the reply to an invalid key. The Terraform provider distinguishes a deleted key from an unknown one by the
/// text "invalid API key" (docs/reference/rbac.md#error-bodies).
fn invalid_key_reply() -> ErrorReply {
    ErrorReply::unauthenticated(
        r#"Basic error="invalid_key", error_description="The API Key is invalid""#,
        "valid authentication credentials must be provided: invalid API key",
    )
}

fn invalid_token_reply() -> ErrorReply {
    ErrorReply::unauthenticated(
        r#"Bearer error="invalid_token", error_description="The token is invalid or has expired""#,
        "valid authentication credentials must be provided: the token is invalid or has expired",
    )
}

fn authenticate_key(
    state: &SandboxState,
    now: Timestamp,
    access: RouteAuth,
    value: &str,
    wanted: Option<&KeyResource>,
) -> Result<AuthenticatedCaller, ErrorReply> {
    let decoded = STANDARD
        .decode(value)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let (id, secret) = decoded
        .as_deref()
        .and_then(|text| text.split_once(':'))
        .ok_or_else(invalid_key_reply)?;
    let unknown = || match access {
        // The gateway of the Metrics API uses another text (docs/reference/metrics.md#access).
        RouteAuth::Metrics => ErrorReply::forbidden("invalid API key").with_shape(ErrorShape::Nested),
        _ => invalid_key_reply(),
    };
    let key = state.key(id).ok_or_else(unknown)?;
    let right = key.secret.matches(secret) && Some(&key.resource) == wanted && key.lifetime.effective <= now;
    if !right || !state.principal_exists(&key.owner) {
        return Err(invalid_key_reply());
    }
    Ok(AuthenticatedCaller {
        principal: key.owner.clone(),
        session: None,
    })
}

fn authenticate_token(
    state: &SandboxState,
    key: &str,
    now: Timestamp,
    access: RouteAuth,
    value: &str,
) -> Result<AuthenticatedCaller, ErrorReply> {
    let claims: TokenClaims = verify(key, value).ok_or_else(invalid_token_reply)?;
    let right = match access {
        RouteAuth::Kafka | RouteAuth::DataPlane => claims.aud == DATA_PLANE,
        RouteAuth::Metrics => [DATA_PLANE, SESSION].contains(&claims.aud.as_str()),
        _ => claims.aud == SESSION,
    };
    let principal = Principal::from_id(&claims.sub);
    let open = claims.aud != SESSION || state.sessions.contains_key(&claims.sid);
    if !right || claims.exp <= now.as_second() || !open || !state.principal_exists(&principal) {
        return Err(invalid_token_reply());
    }
    Ok(AuthenticatedCaller {
        principal,
        session: Some(claims.sid),
    })
}

/// Authenticates the sandbox's own tools as any principal, without a key.
fn impersonate(state: &SandboxState, id: &str) -> Result<AuthenticatedCaller, ErrorReply> {
    let principal = Principal::from_id(id);
    if !state.principal_exists(&principal) {
        return Err(ErrorReply::unauthenticated(
            "Sandbox",
            format!("no principal `{id}` in this sandbox"),
        ));
    }
    Ok(AuthenticatedCaller {
        principal,
        session: None,
    })
}

/// Issues a signed token for `principal` that is valid for `seconds`, and returns it with its expiry.
///
/// Clients compare the expiry with their own clock, the sandbox with the sandbox clock, so the validity starts at the
/// later of the two times. A fixed sandbox clock (`is_fixed`) is the only one that counts.
pub(crate) fn issue_token(
    token: &str,
    principal: &str,
    audience: &str,
    session: &str,
    (now, is_fixed): (Timestamp, bool),
    seconds: i64,
) -> (String, Timestamp) {
    let start = match audience {
        // The Confluent CLI reads the expiry (cli `pkg/jwt`).
        SESSION if !is_fixed => now.max(Timestamp::now()),
        _ => now,
    };
    let exp = start.as_second() + seconds;
    let signed = super::crypt::sign(
        token,
        &TokenClaims {
            sub: principal.to_owned(),
            aud: audience.to_owned(),
            sid: session.to_owned(),
            iat: start.as_second(),
            exp,
        },
    );
    (signed, Timestamp::from_second(exp).unwrap_or(Timestamp::MAX))
}
