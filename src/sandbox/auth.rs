//! Who is asking: API keys, sessions, data-plane tokens, and the control token that may stand in for anybody.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::header;
use jiff::Timestamp;

use super::{
    crypt::{Claims, verify},
    reply::{Refusal, Shape},
    request::Request,
    state::{KeyResource, State},
};
use crate::model::Principal;

/// The header with the control token.
pub const TOKEN_HEADER: &str = "x-sandbox-token";
/// The header with the principal to stand in for.
pub const AS_HEADER: &str = "x-sandbox-as";

/// The audience of session tokens.
pub(crate) const SESSION: &str = "session";
/// The audience of data-plane tokens.
pub(crate) const DATA_PLANE: &str = "data-plane";

/// Which credentials a route takes (dossier `rbac.md` §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// None; whatever comes is ignored (the stock CLI sends its URL's user part).
    Anonymous,
    /// A Cloud key or a session.
    Cloud,
    /// A key of the cluster in the path's first variable part, or a data-plane token.
    Kafka,
    /// A data-plane token and nothing else: a key is refused, be it good (dossier `logs.md` §2.1).
    DataPlane,
    /// A Cloud key, or a token of either kind (dossier `metrics.md` §1).
    Metrics,
    /// The control token.
    Control,
}

/// Who is asking.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    /// The session it came with.
    pub(crate) session: Option<String>,
}

/// The caller of a request, or why there is none.
pub(crate) fn authenticate(
    state: &State,
    token: &str,
    now: Timestamp,
    access: Access,
    request: &Request,
) -> Result<Option<Caller>, Refusal> {
    if access == Access::Anonymous {
        return Ok(None);
    }
    if let Some(offered) = request.header(TOKEN_HEADER) {
        if offered != token {
            return Err(Refusal::unauthenticated(
                "Sandbox",
                "this is not the sandbox's control token",
            ));
        }
        if access == Access::Control {
            return Ok(None);
        }
        if let Some(id) = request.header(AS_HEADER) {
            return stand_in(state, id).map(Some);
        }
    }
    let credentials = request.header(header::AUTHORIZATION.as_str()).unwrap_or_default();
    let (scheme, value) = credentials.split_once(' ').unwrap_or((credentials, ""));
    let caller = match (access, scheme.to_ascii_lowercase().as_str()) {
        // Control endpoints do not even say that they exist.
        (Access::Control, _) => return Err(Refusal::no_such_path(&request.path)),
        (Access::DataPlane, "basic") => Err(invalid_token()),
        (_, "basic") => {
            let wanted = match access {
                Access::Kafka => request.segment(0).parse().ok().map(KeyResource::Cluster),
                _ => Some(KeyResource::Cloud),
            };
            with_key(state, now, access, value.trim(), wanted.as_ref())
        }
        (_, "bearer") => with_token(state, token, now, access, value.trim()),
        _ => Err(Refusal::unauthenticated(
            "Basic",
            "valid authentication credentials must be provided",
        )),
    };
    caller.map(Some)
}

/// Terraform's provider tells "deleted" from "unknown key" by the words "invalid API key" (dossier `rbac.md` §4.5).
fn invalid_key() -> Refusal {
    Refusal::unauthenticated(
        r#"Basic error="invalid_key", error_description="The API Key is invalid""#,
        "valid authentication credentials must be provided: invalid API key",
    )
}

fn invalid_token() -> Refusal {
    Refusal::unauthenticated(
        r#"Bearer error="invalid_token", error_description="The token is invalid or has expired""#,
        "valid authentication credentials must be provided: the token is invalid or has expired",
    )
}

fn with_key(
    state: &State,
    now: Timestamp,
    access: Access,
    value: &str,
    wanted: Option<&KeyResource>,
) -> Result<Caller, Refusal> {
    let decoded = STANDARD
        .decode(value)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let (id, secret) = decoded
        .as_deref()
        .and_then(|text| text.split_once(':'))
        .ok_or_else(invalid_key)?;
    let unknown = || match access {
        // Its gateway words it otherwise (dossier `metrics.md` §1).
        Access::Metrics => Refusal::forbidden("invalid API key").shaped(Shape::Nested),
        _ => invalid_key(),
    };
    let key = state.key(id).ok_or_else(unknown)?;
    let right = key.secret.matches(secret) && Some(&key.resource) == wanted && key.life.effective <= now;
    if !right || !state.principal_exists(&key.owner) {
        return Err(invalid_key());
    }
    Ok(Caller {
        principal: key.owner.clone(),
        session: None,
    })
}

fn with_token(state: &State, key: &str, now: Timestamp, access: Access, value: &str) -> Result<Caller, Refusal> {
    let claims: Claims = verify(key, value).ok_or_else(invalid_token)?;
    let right = match access {
        Access::Kafka | Access::DataPlane => claims.aud == DATA_PLANE,
        Access::Metrics => [DATA_PLANE, SESSION].contains(&claims.aud.as_str()),
        _ => claims.aud == SESSION,
    };
    let principal = Principal::from_id(&claims.sub);
    let open = claims.aud != SESSION || state.sessions.contains_key(&claims.sid);
    if !right || claims.exp <= now.as_second() || !open || !state.principal_exists(&principal) {
        return Err(invalid_token());
    }
    Ok(Caller {
        principal,
        session: Some(claims.sid),
    })
}

/// The sandbox's own tools act as any principal, without its key.
fn stand_in(state: &State, id: &str) -> Result<Caller, Refusal> {
    let principal = Principal::from_id(id);
    if !state.principal_exists(&principal) {
        return Err(Refusal::unauthenticated(
            "Sandbox",
            format!("there is no principal `{id}` in this sandbox"),
        ));
    }
    Ok(Caller {
        principal,
        session: None,
    })
}

/// A signed token for `principal` that is good for `seconds` from now on, and when it ends.
///
/// Clients compare the end with their own clock, the sandbox with its own: the later of both is the start.
pub(crate) fn issue(
    token: &str,
    principal: &str,
    audience: &str,
    session: &str,
    now: Timestamp,
    seconds: i64,
) -> (String, Timestamp) {
    let start = match audience {
        // The stock CLI looks into it (cli `pkg/jwt`).
        SESSION => now.max(Timestamp::now()),
        _ => now,
    };
    let exp = start.as_second() + seconds;
    let signed = super::crypt::sign(
        token,
        &Claims {
            sub: principal.to_owned(),
            aud: audience.to_owned(),
            sid: session.to_owned(),
            iat: start.as_second(),
            exp,
        },
    );
    (signed, Timestamp::from_second(exp).unwrap_or(Timestamp::MAX))
}
