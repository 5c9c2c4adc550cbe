//! Lists: followed to their end, no further, and never round in a circle.

use confluent_ebs::{
    api::{mds::ListRoleBindings, org::Environment},
    client::ClientError,
};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path, query_param, query_param_is_missing},
};

use crate::rig::{Rig, environments};

fn page(ids: &[&str], next: Option<&str>) -> ResponseTemplate {
    let data: Vec<_> = ids.iter().map(|id| json!({ "id": id, "display_name": id })).collect();
    let mut metadata = json!({});
    if let Some(next) = next {
        metadata["next"] = next.into();
    }
    let body = json!({ "api_version": "org/v2", "kind": "EnvironmentList", "metadata": metadata, "data": data });
    ResponseTemplate::new(200).set_body_json(body)
}

async fn first(server: &MockServer, answer: ResponseTemplate, times: u64) {
    Mock::given(method("GET"))
        .and(path("/org/v2/environments"))
        .and(query_param("page_size", "100"))
        .and(query_param_is_missing("page_token"))
        .respond_with(answer)
        .expect(times)
        .mount(server)
        .await;
}

async fn then(server: &MockServer, token: &str, answer: ResponseTemplate, times: u64) {
    Mock::given(method("GET"))
        .and(path("/org/v2/environments"))
        .and(query_param("page_size", "100"))
        .and(query_param("page_token", token))
        .respond_with(answer)
        .expect(times)
        .mount(server)
        .await;
}

fn ids(items: &[Environment]) -> Vec<&str> {
    items.iter().map(|item| item.id.as_str()).collect()
}

#[tokio::test]
async fn links_are_followed_for_their_token_alone_over_empty_pages_to_an_empty_link() {
    let server = MockServer::start().await;
    let elsewhere = "https://elsewhere.example.com/other?page_size=3&page_token=a%2Fb%3D";
    first(&server, page(&["env-1", "env-2"], Some(elsewhere)), 1).await;
    then(
        &server,
        "a/b=",
        page(&[], Some("/org/v2/environments?page_token=third")),
        1,
    )
    .await;
    then(&server, "third", page(&["env-3"], Some("")), 1).await;
    let rig = Rig::at(&server.uri());
    let items = rig.client.list(environments()).await.unwrap();
    assert_eq!(ids(&items), ["env-1", "env-2", "env-3"]);
}

#[tokio::test]
async fn a_page_that_nobody_wants_is_not_fetched() {
    let server = MockServer::start().await;
    first(&server, page(&["env-1", "env-2"], Some("?page_token=two")), 1).await;
    then(&server, "two", page(&["env-3"], None), 0).await;
    let rig = Rig::at(&server.uri());
    let items: Vec<_> = rig.client.stream(environments()).take(2).try_collect().await.unwrap();
    assert_eq!(ids(&items), ["env-1", "env-2"]);
}

#[tokio::test]
async fn a_circle_is_an_error_and_not_an_endless_loop() {
    let server = MockServer::start().await;
    first(&server, page(&["env-1"], Some("?page_token=a")), 1).await;
    then(&server, "a", page(&["env-2"], Some("?page_token=b")), 1).await;
    then(&server, "b", page(&["env-3"], Some("?page_token=a")), 1).await;
    let rig = Rig::at(&server.uri());
    let error = rig.client.list(environments()).await.unwrap_err();
    assert!(matches!(error, ClientError::Pages { .. }));
    assert_eq!(
        error.to_string(),
        "could not read environments to its end: the service leads back to a page that it has sent already, after 3 pages"
    );
}

#[tokio::test]
async fn a_link_without_a_token_is_an_error_and_not_the_end() {
    let server = MockServer::start().await;
    first(&server, page(&["env-1"], Some("/org/v2/environments?page=2")), 1).await;
    let rig = Rig::at(&server.uri());
    let error = rig.client.list(environments()).await.unwrap_err();
    assert!(error.to_string().contains("has no `page_token`"), "{error}");
}

#[tokio::test]
async fn a_429_in_the_middle_loses_and_repeats_nothing() {
    let server = MockServer::start().await;
    first(&server, page(&["env-1"], Some("?page_token=two")), 1).await;
    Mock::given(query_param("page_token", "two"))
        .respond_with(ResponseTemplate::new(429).insert_header("retry-after", "3"))
        .up_to_n_times(1)
        .expect(1)
        .mount(&server)
        .await;
    then(&server, "two", page(&["env-2"], None), 1).await;
    let rig = Rig::at(&server.uri());
    let items = rig.client.list(environments()).await.unwrap();
    assert_eq!(ids(&items), ["env-1", "env-2"]);
    assert_eq!(rig.waits(), [3]);
}

#[tokio::test]
async fn one_item_that_cannot_be_read_does_not_lose_the_others() {
    let server = MockServer::start().await;
    first(&server, page(&["env-1", "not-an-environment", "env-2"], None), 2).await;
    let rig = Rig::at(&server.uri());
    let items = rig.client.list(environments()).await.unwrap();
    assert_eq!(ids(&items), ["env-1", "env-2"]);
    let listing = rig.client.listing(environments()).await.unwrap();
    assert_eq!(listing.unreadable[0].id.as_deref(), Some("not-an-environment"));
    assert!(
        listing.unreadable[0].why.contains("`env-…` is expected"),
        "{:?}",
        listing.unreadable
    );
}

#[tokio::test]
async fn patterns_travel_escaped_and_arrive_whole() {
    let server = MockServer::start().await;
    let pattern = "crn://confluent.cloud/organization=3f0e/*";
    Mock::given(method("GET"))
        .and(path("/iam/v2/role-bindings"))
        .and(query_param("crn_pattern", pattern))
        .respond_with(page(&[], None))
        .expect(1)
        .mount(&server)
        .await;
    let rig = Rig::at(&server.uri());
    let scope = "crn://confluent.cloud/organization=3f0e".parse().unwrap();
    let list = ListRoleBindings {
        scope: confluent_ebs::api::mds::BindingScope::Below(scope),
        principal: None,
        role: None,
    };
    assert!(rig.client.list(list).await.unwrap().is_empty());
}
