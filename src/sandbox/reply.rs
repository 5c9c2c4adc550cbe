//! Answers, and refusals in the shapes in which the service words them.

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Option<Value>,
    /// What is sent instead of JSON: its type, and a text.
    text: Option<(&'static str, String)>,
    pub(crate) headers: Vec<(HeaderName, String)>,
}

impl Reply {
    fn of(status: StatusCode, body: Option<Value>) -> Self {
        Self {
            status,
            body,
            text: None,
            headers: Vec::new(),
        }
    }

    /// `status` with a text of that type.
    pub(crate) fn text(status: StatusCode, content_type: &'static str, text: impl Into<String>) -> Self {
        Self {
            text: Some((content_type, text.into())),
            ..Self::of(status, None)
        }
    }

    /// 200 with `body`.
    pub(crate) fn ok(body: impl Serialize) -> Self {
        Self::with(StatusCode::OK, body)
    }

    /// `status` with `body`.
    pub(crate) fn with(status: StatusCode, body: impl Serialize) -> Self {
        match serde_json::to_value(body) {
            Ok(body) => Self::of(status, Some(body)),
            Err(error) => {
                Refusal::broken(format!("the answer cannot be written: {error}")).into_reply(&Method::GET, "", "")
            }
        }
    }

    /// `status` without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self::of(status, None)
    }

    /// The same answer with one more header.
    pub(crate) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn into_response(self, request_id: &str) -> axum::response::Response {
        let (content_type, text) = match (self.text, self.body) {
            (Some((content_type, text)), _) => (Some(content_type), text),
            (None, Some(body)) => (Some("application/json"), body.to_string()),
            (None, None) => (None, String::new()),
        };
        let mut response = axum::response::Response::new(axum::body::Body::from(text));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        let id = (HeaderName::from_static("x-request-id"), request_id.to_owned());
        for (name, value) in self.headers.into_iter().chain([id]) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// The shapes of error bodies (dossiers `rbac.md` §4.5 and `connect.md` §1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `{"errors":[{"id","status","code","title","detail","source"}]}`: the documents of most groups.
    Errors,
    /// `{"errors":[{"id","status","detail"}]}`: the Metrics API.
    Bare,
    /// `{"error_code","message"}`: role bindings by id, Kafka REST.
    Flat,
    /// The same with the status itself as the code: self-managed Connect, and what is left of it in the service (E2).
    Elder,
    /// `{"error":{"code","message"}}`: Connect, and the older endpoints.
    Nested,
    /// A text: the search of logs (dossier `logs.md` §2.5).
    Plain,
    /// None: the documents describe no body for 429.
    Empty,
}

impl Shape {
    /// The shape that a group of endpoints uses.
    fn of(method: &Method, path: &str, status: StatusCode) -> Self {
        // Creating a connector and setting its configuration (connect/v1 `inline_response_500`).
        let writes = match *method {
            Method::POST => path.ends_with("/connectors"),
            Method::PUT => path.ends_with("/config"),
            _ => false,
        };
        match path.split('/').nth(1) {
            Some("connect") if status.is_server_error() && writes => Self::Elder,
            Some("kafka") => Self::Flat,
            Some("iam" | "org" | "cmk" | "srcm" | "service-quota") => Self::Errors,
            Some("v2") => Self::Bare,
            Some("logs") => Self::Plain,
            // Connect, and the older endpoints.
            _ => Self::Nested,
        }
    }
}

/// Why a request is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    /// The field (`/spec/owner`) or query parameter in question.
    source: Option<String>,
    /// When it is not the group's own.
    shape: Option<Shape>,
    headers: Vec<(HeaderName, String)>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            title,
            detail: detail.into(),
            source: None,
            shape: None,
            headers: Vec::new(),
        }
    }

    /// 400: the request cannot be understood.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", "Invalid Request", detail)
    }

    /// 401: who is asking? `scheme` is what `WWW-Authenticate` says.
    pub(crate) fn unauthenticated(scheme: &str, detail: impl Into<String>) -> Self {
        let mut refusal = Self::new(
            StatusCode::UNAUTHORIZED,
            "user_unauthenticated",
            "Authentication Required",
            detail,
        );
        refusal.headers.push((header::WWW_AUTHENTICATE, scheme.to_owned()));
        refusal
    }

    /// 402: an applied quota is full. The stock CLI recognises the words "is currently limited to".
    pub(crate) fn quota(what: &str, limit: i64) -> Self {
        Self::new(
            StatusCode::PAYMENT_REQUIRED,
            "quota_exceeded",
            "Quota Exceeded",
            format!("{what} is currently limited to {limit}"),
        )
    }

    /// 403: the caller's roles do not allow it, or it does not exist and the caller need not know.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden_access", "Forbidden Access", detail)
    }

    /// 404: a resource that does not exist.
    pub(crate) fn missing(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, "Resource Not Found", detail)
    }

    /// 404 for a path that no endpoint serves.
    pub(crate) fn no_such_path(path: &str) -> Self {
        Self::missing("not_found", format!("no endpoint at {path}"))
    }

    /// 405, with the verbs that would do.
    pub(crate) fn method(allowed: &str, detail: impl Into<String>) -> Self {
        let mut refusal = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Method Not Allowed",
            detail,
        );
        refusal.headers.push((header::ALLOW, allowed.to_owned()));
        refusal
    }

    /// 409: the natural key is taken.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "resource_already_exists",
            "Resource Already Exists",
            detail,
        )
    }

    /// 413: more than any real request has.
    pub(crate) fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request_too_large",
            "Request Too Large",
            "the body is larger than 4 MiB",
        )
    }

    /// 422: a field holds what it must not.
    pub(crate) fn field(pointer: &str, detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_field",
            "Invalid Field",
            detail,
        )
        .about(pointer)
    }

    /// 429, with when to come back in the headers.
    pub(crate) fn too_many() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limit_exceeded",
            "Too Many Requests",
            "",
        )
        .shaped(Shape::Empty)
    }

    /// 500.
    pub(crate) fn broken(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_server_error",
            "Internal Server Error",
            detail,
        )
    }

    /// The same refusal in other words, if it is a 404.
    pub(crate) fn missing_as(mut self, detail: &str) -> Self {
        if self.status == StatusCode::NOT_FOUND {
            detail.clone_into(&mut self.detail);
        }
        self
    }

    /// The same refusal, naming the field or parameter.
    pub(crate) fn about(mut self, source: &str) -> Self {
        self.source = Some(source.to_owned());
        self
    }

    /// The same refusal in other words, in the shape of its group.
    pub(crate) fn saying(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self.shape = None;
        self
    }

    /// The same refusal in another shape.
    pub(crate) fn shaped(mut self, shape: Shape) -> Self {
        self.shape = Some(shape);
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The answer, in the shape of the group that the endpoint belongs to.
    pub(crate) fn into_reply(self, method: &Method, path: &str, request_id: &str) -> Reply {
        let status = self.status.as_u16();
        let body = match self.shape.unwrap_or_else(|| Shape::of(method, path, self.status)) {
            Shape::Empty => {
                return Reply {
                    headers: self.headers,
                    ..Reply::empty(self.status)
                };
            }
            Shape::Plain => {
                return Reply {
                    headers: self.headers,
                    ..Reply::text(self.status, "text/plain", self.detail)
                };
            }
            Shape::Errors => {
                let mut error = json!({
                    "id": request_id, "status": status.to_string(), "code": self.code,
                    "title": self.title, "detail": self.detail, "source": {},
                });
                if let Some(source) = self.source {
                    let kind = if source.starts_with('/') {
                        "pointer"
                    } else {
                        "parameter"
                    };
                    error["source"] = json!({ kind: source });
                }
                json!({ "errors": [error] })
            }
            Shape::Bare => {
                json!({ "errors": [{ "id": request_id, "status": status.to_string(), "detail": self.detail }] })
            }
            // 40301 is 403 and a running number (terraform-provider-confluent `internal/testdata/role_binding`).
            Shape::Flat if status < 500 => {
                json!({ "error_code": u32::from(status) * 100 + 1, "message": self.detail })
            }
            Shape::Flat | Shape::Elder => json!({ "error_code": status, "message": self.detail }),
            Shape::Nested => json!({ "error": { "code": status, "message": self.detail } }),
        };
        Reply {
            headers: self.headers,
            ..Reply::of(self.status, Some(body))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::parse_error;

    #[test]
    fn every_shape_can_be_read_back() {
        for (shape, code) in [
            (Shape::Errors, "forbidden_access"),
            (Shape::Flat, "40301"),
            (Shape::Elder, "403"),
            (Shape::Nested, "403"),
        ] {
            let reply = Refusal::forbidden("no")
                .shaped(shape)
                .into_reply(&Method::GET, "", "r1");
            let error = parse_error(reply.body.unwrap().to_string().as_bytes());
            assert_eq!((error.code.as_deref(), error.detail.as_str()), (Some(code), "no"));
        }
    }

    // connect/v1: the examples of 500.
    #[test]
    fn connect_says_500_in_two_ways() {
        let connector = "/connect/v1/environments/e/clusters/c/connectors/n";
        for (method, below, elder) in [
            (Method::GET, "/status", false),
            (Method::GET, "/config", false),
            (Method::PUT, "/config", true),
        ] {
            let reply = Refusal::broken("no").into_reply(&method, &format!("{connector}{below}"), "r1");
            assert_eq!(
                reply.body.unwrap().get("error_code").is_some(),
                elder,
                "{method} {below}"
            );
        }
    }
}
