//! Lists: pages, tokens, totals, sizes (docs/reference/rbac.md#pagination).

use confluent_ebs::sandbox::SandboxSettings;
use serde_json::{Value, json};

use crate::common::{JsonAccess as _, SandboxResponse, SandboxServer, encode_query_value};

async fn api_with_accounts(count: usize, settings: SandboxSettings) -> SandboxServer {
    let api = SandboxServer::with_settings(settings);
    for number in 0..count {
        api.create_account(&format!("account-{number:02}")).await;
    }
    api
}

#[tokio::test]
async fn pages_have_ten_items_absolute_links_and_no_duplicates() {
    let api = api_with_accounts(24, SandboxSettings::instant()).await;
    let first = api.get(&api.admin, "/iam/v2/service-accounts").await.expect_status(200);
    assert_eq!(first.items().len(), 10, "the default page size");
    assert_eq!(first.json()["metadata"]["total_size"], 25);
    assert!(
        first
            .string_at("/metadata/next")
            .starts_with("http://127.0.0.1/iam/v2/service-accounts?page_token=")
    );
    // Links have the host of the request.
    let below_api = api.get(&api.admin, "/api/iam/v2/service-accounts?page_size=3").await;
    assert!(
        below_api
            .string_at("/metadata/next")
            .starts_with("http://127.0.0.1/api/iam/")
    );
    assert!(
        below_api
            .string_at("/data/0/metadata/self")
            .starts_with("http://127.0.0.1/api/iam/")
    );

    for size in [1, 7, 25, 100] {
        let target = format!("/iam/v2/service-accounts?page_size={size}");
        let all = api.list_all(&api.admin, &target).await;
        let mut names: Vec<_> = all.iter().map(|account| account.text("/id")).collect();
        assert_eq!(names.len(), 25);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 25, "no duplicates at page size {size}");
    }
}

#[tokio::test]
async fn page_size_applies_to_the_first_request_and_invalid_tokens_are_refused() {
    let api = api_with_accounts(5, SandboxSettings::instant()).await;
    let first = api.get(&api.admin, "/iam/v2/service-accounts?page_size=2").await;
    let token = first
        .string_at("/metadata/next")
        .rsplit_once("page_token=")
        .unwrap()
        .1
        .to_owned();
    let second = format!("/iam/v2/service-accounts?page_size=100&page_token={token}");
    assert_eq!(api.get(&api.admin, &second).await.expect_status(200).items().len(), 2);
    let wrong = api.get(&api.admin, "/iam/v2/service-accounts?page_token=%21").await;
    assert_eq!(
        wrong.expect_status(400).json()["errors"][0]["source"]["parameter"],
        "page_token"
    );
}

#[tokio::test]
async fn page_sizes_above_the_limit_are_refused_or_capped() {
    let api = api_with_accounts(3, SandboxSettings::instant()).await;
    for (target, status) in [
        ("/iam/v2/service-accounts?page_size=100", 200),
        ("/iam/v2/service-accounts?page_size=101", 400),
        ("/iam/v2/service-accounts?page_size=0", 400),
        ("/iam/v2/service-accounts?page_size=ten", 400),
        ("/iam/v2/service-accounts?page_size=", 200),
        ("/service-quota/v1/applied-quotas?scope=organization&page_size=200", 200),
    ] {
        api.get(&api.admin, target).await.expect_status(status);
    }
    let bindings = format!(
        "/iam/v2/role-bindings?page_size=1000&crn_pattern={}",
        encode_query_value(&api.cluster_crn())
    );
    api.get(&api.admin, &bindings).await.expect_status(200);
    let settings = SandboxSettings {
        page_size_cap: Some(2),
        ..SandboxSettings::instant()
    };
    api.sandbox.set_settings(settings).unwrap();
    let page = api.get(&api.admin, "/iam/v2/service-accounts?page_size=100").await;
    assert_eq!(page.expect_status(200).items().len(), 2);
    assert_eq!(
        api.list_all(&api.admin, "/iam/v2/service-accounts?page_size=100")
            .await
            .len(),
        4
    );
}

#[tokio::test]
async fn changes_between_pages_neither_repeat_nor_hide_items() {
    let api = api_with_accounts(9, SandboxSettings::instant()).await;
    let page = |answer: &SandboxResponse| {
        let ids = answer.items().iter().map(|found| found.text("/id").to_owned());
        ids.collect::<Vec<_>>()
    };
    let first = api.get(&api.admin, "/iam/v2/service-accounts?page_size=4").await;
    let seen = page(&first);
    let provisioner = api.seed.provisioner();
    let victim = seen.iter().find(|id| *id != provisioner.as_str()).unwrap();
    api.delete(&api.admin, &format!("/iam/v2/service-accounts/{victim}"))
        .await
        .expect_status(204);
    let next = first.string_at("/metadata/next").replace("http://127.0.0.1", "");
    let rest = api.list_all(&api.admin, &next).await;
    assert_eq!(rest.len(), 6);
    assert!(rest.iter().all(|found| !seen.contains(&found.text("/id").to_owned())));
}

#[tokio::test]
async fn name_filters_match_exactly_and_empty_filters_are_ignored() {
    let api = api_with_accounts(3, SandboxSettings::instant()).await;
    let count = async |query: &str| {
        let target = format!("/iam/v2/service-accounts?{query}");
        api.get(&api.admin, &target).await.expect_status(200).items().len()
    };
    assert_eq!(count("display_name=account-01").await, 1);
    assert_eq!(count("display_name=account-01&display_name=account-02").await, 2);
    assert_eq!(count("display_name=account").await, 0);
    assert_eq!(count("display_name=").await, 4);
}

#[tokio::test]
async fn identity_provider_and_group_mapping_lists_are_empty() {
    let api = SandboxServer::new();
    for path in ["/api/iam/v2/identity-providers", "/api/iam/v2/sso/group-mappings"] {
        let list = api
            .get(&api.admin, &format!("{path}?page_size=100"))
            .await
            .expect_status(200);
        assert_eq!(list.json()["data"], json!([]));
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_get_the_error_format_of_the_service() {
    let api = SandboxServer::new();
    let missing = api.get(&api.admin, "/iam/v2/nonsense").await.expect_status(404);
    assert_eq!(missing.json()["errors"][0]["status"], Value::from("404"));
    let wrong = api
        .send(&api.admin, "PUT", "/iam/v2/users", None)
        .await
        .expect_status(405);
    assert_eq!(wrong.header("allow"), Some("GET"));
    assert!(wrong.header("x-request-id").is_some());
}
