//! Every response in every test is validated against the OpenAPI documents.

use std::sync::LazyLock;

use percent_encoding::percent_decode_str;

use crate::{openapi::OpenApiContract, sandbox_fixture::SandboxResponse};

static CONTRACT: LazyLock<OpenApiContract> = LazyLock::new(OpenApiContract::load);

/// The documented groups; the older endpoints are in none.
const DOCUMENTED_PATHS: [&str; 7] = [
    "/iam/",
    "/org/",
    "/cmk/",
    "/srcm/",
    "/service-quota/",
    "/v2/metrics/",
    "/kafka/",
];

/// Responses of the sandbox itself are not documented: a wrong method or a seeded object, an oversized body.
const SANDBOX_ONLY_STATUSES: [u16; 2] = [405, 413];

pub(crate) fn check(method: &str, target: &str, answer: &SandboxResponse) {
    let target = target.strip_prefix("/api").unwrap_or(target);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let query: Vec<_> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key, decode(value)))
        .collect();
    let query: Vec<_> = query.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let Some(body) = &answer.body else { return };
    let status = answer.status.as_u16();
    if path.starts_with("/connect/") && !SANDBOX_ONLY_STATUSES.contains(&status) {
        return crate::connect_contract::check(method, target, answer);
    }
    // All clusters have the same host here, so one can be missing.
    let no_cluster = path.starts_with("/kafka/") && status == 404 && !path.contains("/topics/");
    if no_cluster
        || SANDBOX_ONLY_STATUSES.contains(&status)
        || !DOCUMENTED_PATHS.iter().any(|group| path.starts_with(group))
    {
        return;
    }
    let body = (!body.is_null() && !body.is_string()).then_some(body);
    let Err(mut problems) = CONTRACT.check_response(method, path, &query, status, body) else {
        return;
    };
    problems.retain(|problem| problem.aspect != "route");
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{method} {target}\n{}", texts.join("\n"));
}
