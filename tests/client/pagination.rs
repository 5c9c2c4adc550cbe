//! Pagination: lists are followed to their end, no further, and never in a cycle.

use std::sync::Arc;

use confluent_ebs::{
    api::{mds::ListRoleBindings, org::CloudEnvironment},
    client::{ClientError, ListBudget},
};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path, query_param, query_param_is_missing},
};

use crate::common::scripted_service::{ScriptedTransport, TestClient, http_response, list_request};

fn page_response(ids: &[&str], next: Option<&str>) -> ResponseTemplate {
    let data: Vec<_> = ids.iter().map(|id| json!({ "id": id, "display_name": id })).collect();
    let mut metadata = json!({});
    if let Some(next) = next {
        metadata["next"] = next.into();
    }
    let body = json!({ "api_version": "org/v2", "kind": "EnvironmentList", "metadata": metadata, "data": data });
    ResponseTemplate::new(200).set_body_json(body)
}

async fn mount_first_page(server: &MockServer, answer: ResponseTemplate, times: u64) {
    Mock::given(method("GET"))
        .and(path("/org/v2/environments"))
        .and(query_param("page_size", "100"))
        .and(query_param_is_missing("page_token"))
        .respond_with(answer)
        .expect(times)
        .mount(server)
        .await;
}

async fn mount_next_page(server: &MockServer, token: &str, answer: ResponseTemplate, times: u64) {
    Mock::given(method("GET"))
        .and(path("/org/v2/environments"))
        .and(query_param("page_size", "100"))
        .and(query_param("page_token", token))
        .respond_with(answer)
        .expect(times)
        .mount(server)
        .await;
}

fn environment_ids(items: &[CloudEnvironment]) -> Vec<&str> {
    items.iter().map(|item| item.id.as_str()).collect()
}

#[tokio::test]
async fn pagination_uses_only_the_token_of_a_link_and_skips_empty_pages() {
    let server = MockServer::start().await;
    let elsewhere = "https://elsewhere.example.com/other?page_size=3&page_token=a%2Fb%3D";
    mount_first_page(&server, page_response(&["env-1", "env-2"], Some(elsewhere)), 1).await;
    mount_next_page(
        &server,
        "a/b=",
        page_response(&[], Some("/org/v2/environments?page_token=third")),
        1,
    )
    .await;
    mount_next_page(&server, "third", page_response(&["env-3"], Some("")), 1).await;
    let test = TestClient::with_base_url(&server.uri());
    let items = test.client.list(list_request()).await.unwrap();
    assert_eq!(environment_ids(&items), ["env-1", "env-2", "env-3"]);
}

#[tokio::test]
async fn a_page_beyond_the_requested_items_is_not_fetched() {
    let server = MockServer::start().await;
    mount_first_page(&server, page_response(&["env-1", "env-2"], Some("?page_token=two")), 1).await;
    mount_next_page(&server, "two", page_response(&["env-3"], None), 0).await;
    let test = TestClient::with_base_url(&server.uri());
    let items: Vec<_> = test.client.stream(list_request()).take(2).try_collect().await.unwrap();
    assert_eq!(environment_ids(&items), ["env-1", "env-2"]);
}

#[tokio::test]
async fn a_pagination_cycle_is_an_error() {
    let server = MockServer::start().await;
    mount_first_page(&server, page_response(&["env-1"], Some("?page_token=a")), 1).await;
    mount_next_page(&server, "a", page_response(&["env-2"], Some("?page_token=b")), 1).await;
    mount_next_page(&server, "b", page_response(&["env-3"], Some("?page_token=a")), 1).await;
    let test = TestClient::with_base_url(&server.uri());
    let error = test.client.list(list_request()).await.unwrap_err();
    assert!(matches!(error, ClientError::Pagination { .. }));
    assert_eq!(
        error.to_string(),
        "could not read environments completely: the service returned a page token twice, after 3 pages"
    );
}

/// A list that never ends: every page has `items` objects and a new token.
fn endless_list(items: usize) -> TestClient {
    let transport = ScriptedTransport::new(move |number, _| {
        let data = vec![json!({ "id": format!("env-{number}"), "display_name": "a" }); items];
        let metadata = json!({ "next": format!("?page_token={number}") });
        let body = json!({ "api_version": "org/v2", "kind": "EnvironmentList", "metadata": metadata, "data": data });
        http_response(200, &[], &body.to_string())
    });
    TestClient::with_transport("http://127.0.0.1:1", transport, |builder| builder)
}

#[tokio::test]
async fn a_list_without_end_stops_at_the_maximum_number_of_pages() {
    let error = endless_list(1).client.list(list_request()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not read environments completely: the list has more than 10000 pages"
    );
}

#[tokio::test]
async fn empty_pages_without_end_are_an_error() {
    let error = endless_list(0).client.list(list_request()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not read environments completely: the service returned 2500 empty pages in a row"
    );
}

// 1,000 objects on each page, although 100 are requested.
#[tokio::test]
async fn a_list_stops_at_the_maximum_number_of_objects() {
    let error = endless_list(1_000).client.list(list_request()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not read environments completely: the list has more than 1000000 objects"
    );
}

#[tokio::test]
async fn the_lists_of_a_command_share_one_budget() {
    let large = "a".repeat(300_000);
    let transport = ScriptedTransport::new(move |_, _| {
        let data = json!([{ "id": "env-1", "display_name": large }]);
        let body = json!({ "api_version": "org/v2", "kind": "EnvironmentList", "metadata": {}, "data": data });
        http_response(200, &[], &body.to_string())
    });
    let budget = Arc::new(ListBudget::new(1 << 20));
    let test = TestClient::with_transport("http://127.0.0.1:1", transport, |builder| builder.list_budget(budget));
    // A client for another service, like those of the other clusters of a command.
    let other = test
        .client
        .with_base_url("http://127.0.0.1:2".parse().unwrap(), test.client.auth().clone());
    for number in 0..3 {
        let client = if number % 2 == 0 { &test.client } else { &other };
        client.list(list_request()).await.unwrap();
    }
    let error = test.client.list(list_request()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not read environments completely: the lists of this command have more than 1 MiB"
    );
    test.client.list_budget().reset();
    other.list(list_request()).await.unwrap();
}

#[tokio::test]
async fn a_next_link_without_a_token_is_an_error() {
    let server = MockServer::start().await;
    mount_first_page(
        &server,
        page_response(&["env-1"], Some("/org/v2/environments?page=2")),
        1,
    )
    .await;
    let test = TestClient::with_base_url(&server.uri());
    let error = test.client.list(list_request()).await.unwrap_err();
    assert!(error.to_string().contains("has no `page_token`"), "{error}");
}

#[tokio::test]
async fn a_429_between_pages_loses_and_repeats_no_item() {
    let server = MockServer::start().await;
    mount_first_page(&server, page_response(&["env-1"], Some("?page_token=two")), 1).await;
    Mock::given(query_param("page_token", "two"))
        .respond_with(ResponseTemplate::new(429).insert_header("retry-after", "3"))
        .up_to_n_times(1)
        .expect(1)
        .mount(&server)
        .await;
    mount_next_page(&server, "two", page_response(&["env-2"], None), 1).await;
    let test = TestClient::with_base_url(&server.uri());
    let items = test.client.list(list_request()).await.unwrap();
    assert_eq!(environment_ids(&items), ["env-1", "env-2"]);
    assert_eq!(test.wait_seconds(), [3]);
}

#[tokio::test]
async fn an_unreadable_item_is_reported_and_the_others_are_kept() {
    let server = MockServer::start().await;
    mount_first_page(
        &server,
        page_response(&["env-1", "not-an-environment", "env-2"], None),
        2,
    )
    .await;
    let test = TestClient::with_base_url(&server.uri());
    let items = test.client.list(list_request()).await.unwrap();
    assert_eq!(environment_ids(&items), ["env-1", "env-2"]);
    let listing = test.client.list_with_unreadable(list_request()).await.unwrap();
    assert_eq!(listing.unreadable[0].id.as_deref(), Some("not-an-environment"));
    assert!(
        listing.unreadable[0].reason.contains("expected `env-…`"),
        "{:?}",
        listing.unreadable
    );
}

#[tokio::test]
async fn crn_patterns_are_percent_encoded_in_queries() {
    let server = MockServer::start().await;
    let pattern = "crn://confluent.cloud/organization=3f0e/*";
    Mock::given(method("GET"))
        .and(path("/iam/v2/role-bindings"))
        .and(query_param("crn_pattern", pattern))
        .respond_with(page_response(&[], None))
        .expect(1)
        .mount(&server)
        .await;
    let test = TestClient::with_base_url(&server.uri());
    let scope = "crn://confluent.cloud/organization=3f0e".parse().unwrap();
    let list = ListRoleBindings {
        scope: confluent_ebs::api::mds::RoleBindingScope::Below(scope),
        principal: None,
        role: None,
    };
    assert!(test.client.list(list).await.unwrap().is_empty());
}
