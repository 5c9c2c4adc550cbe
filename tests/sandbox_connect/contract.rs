//! Every response in every test is validated against the OpenAPI documents.
//!
//! Known deviations of Connect are in a separate table: in lists, pointers contain names of connectors, so fields are
//! matched by their ends.

use std::sync::LazyLock;

use percent_encoding::percent_decode_str;

use crate::{openapi::OpenApiContract, sandbox_fixture::SandboxResponse};

static CONTRACT: LazyLock<OpenApiContract> = LazyLock::new(OpenApiContract::load);

/// End of a problem's aspect, part of its text, and the source.
const KNOWN_DEVIATIONS: &[(&str, &str, &str)] = &[
    (
        "status 402",
        "",
        "docs/reference/connect.md#error-bodies: 402 is quota or billing",
    ),
    (
        "status 400",
        "",
        "no source: a configuration to validate that is no map of texts must be refused somehow",
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
        "docs/reference/connect.md#connector-states, docs connector-statuses",
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

pub(crate) fn check(method: &str, target: &str, answer: &SandboxResponse) {
    let target = target.strip_prefix("/api").unwrap_or(target);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    // The document only describes the full expansion, the service supports any part of it
    // (docs/reference/connect.md#endpoints).
    let full = ["expand=", "status", "info", "id"]
        .iter()
        .all(|part| query.contains(part));
    let described = ["/connect/", "/v2/metrics/"]
        .iter()
        .any(|group| path.starts_with(group));
    if !described || (query.contains("expand=") && !full) {
        return;
    }
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let query = if full { "expand=info,status,id" } else { query };
    let pairs: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let pairs: Vec<_> = pairs.into_iter().map(|(key, value)| (key, decode(value))).collect();
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let Some(body) = &answer.body else { return };
    // Exports are plain text.
    let body = (!body.is_null() && !body.is_string()).then_some(body);
    let Err(mut problems) = CONTRACT.check_response(method, path, &pairs, answer.status.as_u16(), body) else {
        return;
    };
    problems.retain(|problem| {
        let known =
            |(end, words, _): &(&str, &str, &str)| problem.aspect.ends_with(end) && problem.text.contains(words);
        problem.aspect != "route" && !KNOWN_DEVIATIONS.iter().any(known)
    });
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{method} {target}\n{}", texts.join("\n"));
}
