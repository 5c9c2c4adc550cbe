//! Responses and error responses in the formats of the service.

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};

/// Response to a request.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Option<Value>,
    /// Content type and text, for a response that is not JSON.
    text: Option<(&'static str, String)>,
    pub(crate) headers: Vec<(HeaderName, String)>,
}

impl Reply {
    fn new(status: StatusCode, body: Option<Value>) -> Self {
        Self {
            status,
            body,
            text: None,
            headers: Vec::new(),
        }
    }

    /// Creates a response with a text.
    pub(crate) fn with_text(status: StatusCode, content_type: &'static str, text: impl Into<String>) -> Self {
        Self {
            text: Some((content_type, text.into())),
            ..Self::new(status, None)
        }
    }

    /// Creates a response with status 200 and a JSON body.
    pub(crate) fn ok(body: impl Serialize) -> Self {
        Self::with_body(StatusCode::OK, body)
    }

    /// Creates a response with a JSON body.
    pub(crate) fn with_body(status: StatusCode, body: impl Serialize) -> Self {
        match serde_json::to_value(body) {
            Ok(body) => Self::new(status, Some(body)),
            Err(error) => ErrorReply::internal_error(format!("cannot serialize the response: {error}")).into_reply(
                &Method::GET,
                "",
                "",
            ),
        }
    }

    /// Creates a response without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self::new(status, None)
    }

    /// Adds a header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
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

/// Formats of error bodies (docs/reference/rbac.md#error-bodies and docs/reference/connect.md#error-bodies).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorShape {
    /// `{"errors":[{"id","status","code","title","detail","source"}]}`: most API groups.
    Errors,
    /// `{"errors":[{"id","status","detail"}]}`: the Metrics API.
    ErrorsWithoutCode,
    /// `{"error_code","message"}`: role bindings by id, and Kafka REST.
    Flat,
    /// Like `Flat`, with the status as the code: the format of self-managed Connect, which the service uses in some
    /// cases (E2).
    SelfManagedConnect,
    /// `{"error":{"code","message"}}`: Connect and the older endpoints.
    Nested,
    /// Plain text: the log search (docs/reference/logs.md#limits-and-errors).
    Text,
    /// No body: the documents describe none for 429.
    Empty,
}

impl ErrorShape {
    /// Returns the error format of an API group.
    fn for_request(method: &Method, path: &str, status: StatusCode) -> Self {
        // Creation of a connector, and replacement of its configuration (connect/v1 `inline_response_500`).
        let writes = match *method {
            Method::POST => path.ends_with("/connectors"),
            Method::PUT => path.ends_with("/config"),
            _ => false,
        };
        match path.split('/').nth(1) {
            Some("connect") if status.is_server_error() && writes => Self::SelfManagedConnect,
            Some("kafka") => Self::Flat,
            Some("iam" | "org" | "cmk" | "srcm" | "service-quota" | "kafka-quotas") => Self::Errors,
            Some("v2") => Self::ErrorsWithoutCode,
            Some("logs") => Self::Text,
            // Connect and the older endpoints.
            _ => Self::Nested,
        }
    }
}

/// Error response, independent of the format.
#[derive(Debug)]
pub(crate) struct ErrorReply {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    /// Field (`/spec/owner`) or query parameter that caused the error.
    source: Option<String>,
    /// Format, if it differs from the one of the API group.
    shape: Option<ErrorShape>,
    headers: Vec<(HeaderName, String)>,
}

impl ErrorReply {
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

    /// 400: invalid request.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", "Invalid Request", detail)
    }

    /// 401: missing or invalid credentials. `scheme` is the value of `WWW-Authenticate`.
    pub(crate) fn unauthenticated(scheme: &str, detail: impl Into<String>) -> Self {
        let mut error = Self::new(
            StatusCode::UNAUTHORIZED,
            "user_unauthenticated",
            "Authentication Required",
            detail,
        );
        error.headers.push((header::WWW_AUTHENTICATE, scheme.to_owned()));
        error
    }

    /// 402: quota exceeded. The Confluent CLI recognizes the text "is currently limited to".
    pub(crate) fn quota_exceeded(what: &str, limit: i64) -> Self {
        Self::new(
            StatusCode::PAYMENT_REQUIRED,
            "quota_exceeded",
            "Quota Exceeded",
            format!("{what} is currently limited to {limit}"),
        )
    }

    /// 403: the roles of the caller do not allow the operation, or the object does not exist and the caller may not
    /// know.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden_access", "Forbidden Access", detail)
    }

    /// 404: the object does not exist.
    pub(crate) fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, "Resource Not Found", detail)
    }

    /// 404: no endpoint has this path.
    pub(crate) fn unknown_path(path: &str) -> Self {
        Self::not_found("not_found", format!("no endpoint at {path}"))
    }

    /// 405, with the allowed methods.
    pub(crate) fn method_not_allowed(allowed: &str, detail: impl Into<String>) -> Self {
        let mut error = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Method Not Allowed",
            detail,
        );
        error.headers.push((header::ALLOW, allowed.to_owned()));
        error
    }

    /// 409: the natural key is in use.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "resource_already_exists",
            "Resource Already Exists",
            detail,
        )
    }

    /// 413: the body exceeds the limit.
    pub(crate) fn body_too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request_too_large",
            "Request Too Large",
            "the body is larger than 4 MiB",
        )
    }

    /// 422: invalid value of a field.
    pub(crate) fn invalid_field(pointer: &str, detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_field",
            "Invalid Field",
            detail,
        )
        .with_source(pointer)
    }

    /// 429: rate limit exceeded.
    pub(crate) fn rate_limited() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limit_exceeded",
            "Too Many Requests",
            "",
        )
        .with_shape(ErrorShape::Empty)
    }

    /// 500: internal error.
    pub(crate) fn internal_error(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_server_error",
            "Internal Server Error",
            detail,
        )
    }

    /// Replaces the detail of a 404.
    pub(crate) fn with_not_found_detail(mut self, detail: &str) -> Self {
        if self.status == StatusCode::NOT_FOUND {
            detail.clone_into(&mut self.detail);
        }
        self
    }

    /// Sets the field or parameter that caused the error.
    pub(crate) fn with_source(mut self, source: &str) -> Self {
        self.source = Some(source.to_owned());
        self
    }

    /// Replaces the detail and resets the format to the one of the API group.
    pub(crate) fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self.shape = None;
        self
    }

    /// Sets the format.
    pub(crate) fn with_shape(mut self, shape: ErrorShape) -> Self {
        self.shape = Some(shape);
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Converts the error to a response in the format of the API group.
    pub(crate) fn into_reply(self, method: &Method, path: &str, request_id: &str) -> Reply {
        let status = self.status.as_u16();
        let body = match self
            .shape
            .unwrap_or_else(|| ErrorShape::for_request(method, path, self.status))
        {
            ErrorShape::Empty => {
                return Reply {
                    headers: self.headers,
                    ..Reply::empty(self.status)
                };
            }
            ErrorShape::Text => {
                return Reply {
                    headers: self.headers,
                    ..Reply::with_text(self.status, "text/plain", self.detail)
                };
            }
            ErrorShape::Errors => {
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
            ErrorShape::ErrorsWithoutCode => {
                json!({ "errors": [{ "id": request_id, "status": status.to_string(), "detail": self.detail }] })
            }
            // 40301 is 403 with a sequence number (terraform-provider-confluent `internal/testdata/role_binding`).
            ErrorShape::Flat if status < 500 => {
                json!({ "error_code": u32::from(status) * 100 + 1, "message": self.detail })
            }
            ErrorShape::Flat | ErrorShape::SelfManagedConnect => {
                json!({ "error_code": status, "message": self.detail })
            }
            ErrorShape::Nested => json!({ "error": { "code": status, "message": self.detail } }),
        };
        Reply {
            headers: self.headers,
            ..Reply::new(self.status, Some(body))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::parse_error;

    #[test]
    fn every_error_shape_can_be_parsed() {
        for (shape, code) in [
            (ErrorShape::Errors, "forbidden_access"),
            (ErrorShape::Flat, "40301"),
            (ErrorShape::SelfManagedConnect, "403"),
            (ErrorShape::Nested, "403"),
        ] {
            let reply = ErrorReply::forbidden("no")
                .with_shape(shape)
                .into_reply(&Method::GET, "", "r1");
            let error = parse_error(reply.body.unwrap().to_string().as_bytes());
            assert_eq!((error.code.as_deref(), error.detail.as_str()), (Some(code), "no"));
        }
    }

    // Examples of status 500 in connect/v1.
    #[test]
    fn connect_errors_with_status_500_have_two_shapes() {
        let connector = "/connect/v1/environments/e/clusters/c/connectors/n";
        for (method, below, elder) in [
            (Method::GET, "/status", false),
            (Method::GET, "/config", false),
            (Method::PUT, "/config", true),
        ] {
            let reply = ErrorReply::internal_error("no").into_reply(&method, &format!("{connector}{below}"), "r1");
            assert_eq!(
                reply.body.unwrap().get("error_code").is_some(),
                elder,
                "{method} {below}"
            );
        }
    }
}
