//! Check of every response of a [`SandboxServer`](super::SandboxServer) against the OpenAPI documents.
//!
//! Known deviations of Connect are in a table of their own: in lists, pointers contain names of connectors, so fields are
//! matched by their ends.

use std::sync::LazyLock;

use percent_encoding::percent_decode_str;

use super::{SandboxResponse, openapi::OpenApiContract};

static CONTRACT: LazyLock<OpenApiContract> = LazyLock::new(OpenApiContract::load);

/// Documented groups of endpoints that [`CONNECT_DEVIATIONS`] applies to.
const CONNECT_PATHS: [&str; 2] = ["/connect/", "/v2/metrics/"];

/// The other documented groups; the older endpoints are in none.
const OTHER_PATHS: [&str; 7] = [
    "/iam/",
    "/org/",
    "/cmk/",
    "/srcm/",
    "/service-quota/",
    "/kafka-quotas/",
    "/kafka/",
];

/// Responses of the sandbox itself are not documented: a wrong method or a seeded object, an oversized body.
const SANDBOX_ONLY_STATUSES: [u16; 2] = [405, 413];

/// End of a problem's aspect, part of its text, and the source.
const CONNECT_DEVIATIONS: &[(&str, &str, &str)] = &[
    (
        "status 402",
        "",
        "docs/reference/connect.md#error-bodies: 402 is quota or billing",
    ),
    (
        "status 400",
        "",
        "no source: a configuration to validate that is not a map of strings is refused",
    ),
    (
        "status 413",
        "",
        "no source: no limit is published, and the sandbox reads no body without one",
    ),
    (
        "status 403",
        "",
        "docs/reference/connect.md#error-bodies: 403 for missing rights or objects",
    ),
    (
        "status 409",
        "",
        "docs/reference/connect.md#connector-names: as in self-managed Connect",
    ),
    (
        "/error",
        "",
        "docs/reference/connect.md#error-bodies, E1: the schema contradicts its own example",
    ),
    ("/error_code", "", "docs/reference/connect.md#error-bodies, E2"),
    ("/message", "", "docs/reference/connect.md#error-bodies, E2"),
    ("/errors_from_trace", "", "docs/reference/connect.md#status"),
    ("/validation_errors", "", "docs/reference/connect.md#status"),
    ("/override_message", "", "docs/reference/connect.md#status"),
    ("/error_summary", "", "docs/reference/connect.md#status"),
    ("/error_details", "", "docs/reference/connect.md#status"),
    ("/is_csfle_error", "", "docs/reference/connect.md#status"),
    (
        "/validation_error_category_info",
        "",
        "docs/reference/connect.md#status",
    ),
    ("/error_recommendation_enabled", "", "docs/reference/connect.md#status"),
    ("/plugin_lifecycle", "", "docs/reference/connect.md#status"),
    ("/trace", "", "docs/reference/connect.md#status: tasks have one, too"),
    ("/extensions", "", "docs/reference/connect.md#list-connectors"),
    (
        "/connector/state",
        "RESTARTING",
        "docs/reference/connect.md#connector-states",
    ),
    (
        "",
        "\"kafka.api.key\" is a required property",
        "docs/reference/connect.md#create-a-connector: none with SERVICE_ACCOUNT",
    ),
    (
        "",
        "\"kafka.api.secret\" is a required property",
        "docs/reference/connect.md#create-a-connector: none with SERVICE_ACCOUNT",
    ),
];

/// Panics if the documents describe the request and the response differs from them.
pub(super) fn check(method: &str, target: &str, response: &SandboxResponse) {
    let target = target.strip_prefix("/api").unwrap_or(target);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let is_in = |groups: &[&str]| groups.iter().any(|group| path.starts_with(group));
    let status = response.status.as_u16();
    // All clusters have the same host here, so one can be missing.
    let no_cluster = path.starts_with("/kafka/") && status == 404 && !path.contains("/topics/");
    // The document only describes the full expansion, the service supports any part of it
    // (docs/reference/connect.md#endpoints).
    let expands = is_in(&CONNECT_PATHS) && query.contains("expand=");
    let full = ["status", "info", "id"].iter().all(|part| query.contains(part));
    let described = (is_in(&CONNECT_PATHS) || is_in(&OTHER_PATHS)) && (!expands || full);
    if !described || no_cluster || SANDBOX_ONLY_STATUSES.contains(&status) {
        return;
    }
    let Some(body) = &response.body else { return };
    let query = if expands { "expand=info,status,id" } else { query };
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let pairs: Vec<_> = pairs.map(|(key, value)| (key, decode(value))).collect();
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| (*key, value.as_str())).collect();
    // Exports are plain text.
    let body = (!body.is_null() && !body.is_string()).then_some(body);
    let Err(mut problems) = CONTRACT.check_response(method, path, &pairs, status, body) else {
        return;
    };
    problems.retain(|problem| {
        let is_known =
            |(end, part, _): &(&str, &str, &str)| problem.aspect.ends_with(end) && problem.text.contains(part);
        problem.aspect != "route" && !(is_in(&CONNECT_PATHS) && CONNECT_DEVIATIONS.iter().any(is_known))
    });
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{method} {target}\n{}", texts.join("\n"));
}
