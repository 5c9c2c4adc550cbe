//! Every answer of every test is checked against the vendor's OpenAPI documents.

use std::sync::LazyLock;

use percent_encoding::percent_decode_str;

use crate::{harness::Answer, openapi::Contract};

static CONTRACT: LazyLock<Option<Contract>> = LazyLock::new(Contract::load);

/// The groups that the documents describe; the older endpoints are in none.
const DESCRIBED: [&str; 6] = ["/iam/", "/org/", "/cmk/", "/srcm/", "/service-quota/", "/connect/"];

/// What the sandbox itself has to say is in no document: a wrong verb or a fixed place, a body beyond all measure.
const OUR_OWN: [u16; 2] = [405, 413];

pub(crate) fn check(method: &str, target: &str, answer: &Answer) {
    let Some(contract) = &*CONTRACT else { return };
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
    if OUR_OWN.contains(&status) || !DESCRIBED.iter().any(|group| path.starts_with(group)) {
        return;
    }
    let body = (!body.is_null()).then_some(body);
    let Err(mut problems) = contract.check_response(method, path, &query, status, body) else {
        return;
    };
    // A connector without a Kafka API key has none to show: in a list the name stands in the pointer, and no table of
    // exceptions could name it.
    let keyless = |aspect: &str| aspect.starts_with("answer /") && aspect.ends_with("/info/config");
    problems.retain(|problem| problem.aspect != "route" && !keyless(&problem.aspect) && !undeclared(&problem.aspect));
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{method} {target}\n{}", texts.join("\n"));
}

/// Fields of a connector's status that are real and in no document (dossier `connect.md` §2.1, §2.9). In a list the
/// connector's name stands in the pointer, so the table of exceptions cannot name them.
fn undeclared(aspect: &str) -> bool {
    const FIELDS: [&str; 11] = [
        "errors_from_trace",
        "validation_errors",
        "override_message",
        "error_summary",
        "error_details",
        "is_csfle_error",
        "validation_error_category_info",
        "error_recommendation_enabled",
        "plugin_lifecycle",
        "trace",
        "extensions",
    ];
    aspect.starts_with("answer /") && FIELDS.iter().any(|field| aspect.ends_with(&format!("/{field}")))
}
