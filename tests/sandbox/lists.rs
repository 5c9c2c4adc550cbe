//! Lists: pages, tokens, totals, sizes (dossier `rbac.md` §4.2).

use confluent_ebs::sandbox::Settings;
use serde_json::{Value, json};

use crate::harness::{Harness, escape};

async fn world_with_accounts(count: usize, settings: Settings) -> Harness {
    let world = Harness::with(settings);
    for number in 0..count {
        world.account(&format!("account-{number:02}")).await;
    }
    world
}

#[tokio::test]
async fn pages_are_small_absolute_and_complete() {
    let world = world_with_accounts(24, Settings::instant()).await;
    let first = world.get(&world.admin, "/iam/v2/service-accounts").await.expect(200);
    assert_eq!(first.data().len(), 10, "the default page size");
    assert_eq!(first.json()["metadata"]["total_size"], 25);
    assert!(
        first
            .text("/metadata/next")
            .starts_with("http://127.0.0.1/iam/v2/service-accounts?page_token=")
    );
    // Links go on where the caller came in.
    let below_api = world
        .get(&world.admin, "/api/iam/v2/service-accounts?page_size=3")
        .await;
    assert!(
        below_api
            .text("/metadata/next")
            .starts_with("http://127.0.0.1/api/iam/")
    );
    assert!(
        below_api
            .text("/data/0/metadata/self")
            .starts_with("http://127.0.0.1/api/iam/")
    );

    for size in [1, 7, 25, 100] {
        let target = format!("/iam/v2/service-accounts?page_size={size}");
        let all = world.all(&world.admin, &target).await;
        let mut names: Vec<_> = all.iter().map(|account| account["id"].as_str().unwrap()).collect();
        assert_eq!(names.len(), 25);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 25, "nothing twice at page size {size}");
    }
}

#[tokio::test]
async fn the_page_size_counts_on_the_first_request_only_and_tokens_are_checked() {
    let world = world_with_accounts(5, Settings::instant()).await;
    let first = world.get(&world.admin, "/iam/v2/service-accounts?page_size=2").await;
    let token = first
        .text("/metadata/next")
        .rsplit_once("page_token=")
        .unwrap()
        .1
        .to_owned();
    let second = format!("/iam/v2/service-accounts?page_size=100&page_token={token}");
    assert_eq!(world.get(&world.admin, &second).await.expect(200).data().len(), 2);
    let wrong = world.get(&world.admin, "/iam/v2/service-accounts?page_token=%21").await;
    assert_eq!(
        wrong.expect(400).json()["errors"][0]["source"]["parameter"],
        "page_token"
    );
}

#[tokio::test]
async fn page_sizes_have_a_limit_and_a_cap() {
    let world = world_with_accounts(3, Settings::instant()).await;
    for (target, status) in [
        ("/iam/v2/service-accounts?page_size=100", 200),
        ("/iam/v2/service-accounts?page_size=101", 400),
        ("/iam/v2/service-accounts?page_size=0", 400),
        ("/iam/v2/service-accounts?page_size=ten", 400),
        ("/iam/v2/service-accounts?page_size=", 200),
        ("/service-quota/v1/applied-quotas?scope=organization&page_size=200", 200),
    ] {
        world.get(&world.admin, target).await.expect(status);
    }
    let bindings = format!(
        "/iam/v2/role-bindings?page_size=1000&crn_pattern={}",
        escape(&world.cluster_crn())
    );
    world.get(&world.admin, &bindings).await.expect(200);
    let settings = Settings {
        page_size_cap: Some(2),
        ..Settings::instant()
    };
    world.sandbox.set_settings(settings).unwrap();
    let page = world.get(&world.admin, "/iam/v2/service-accounts?page_size=100").await;
    assert_eq!(page.expect(200).data().len(), 2);
    assert_eq!(
        world
            .all(&world.admin, "/iam/v2/service-accounts?page_size=100")
            .await
            .len(),
        4
    );
}

#[tokio::test]
async fn what_comes_and_goes_between_two_pages_neither_repeats_nor_hides_others() {
    let world = world_with_accounts(9, Settings::instant()).await;
    let page = |answer: &crate::harness::Answer| {
        let ids = answer
            .data()
            .iter()
            .map(|found| found["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let first = world.get(&world.admin, "/iam/v2/service-accounts?page_size=4").await;
    let seen = page(&first);
    let provisioner = world.seed.provisioner();
    let victim = seen.iter().find(|id| *id != provisioner.as_str()).unwrap();
    world
        .delete(&world.admin, &format!("/iam/v2/service-accounts/{victim}"))
        .await
        .expect(204);
    let next = first.text("/metadata/next").replace("http://127.0.0.1", "");
    let rest = world.all(&world.admin, &next).await;
    assert_eq!(rest.len(), 6);
    assert!(
        rest.iter()
            .all(|found| !seen.contains(&found["id"].as_str().unwrap().to_owned()))
    );
}

#[tokio::test]
async fn names_filter_exactly_and_repeatedly_and_empty_filters_are_none() {
    let world = world_with_accounts(3, Settings::instant()).await;
    let count = async |query: &str| {
        let target = format!("/iam/v2/service-accounts?{query}");
        world.get(&world.admin, &target).await.expect(200).data().len()
    };
    assert_eq!(count("display_name=account-01").await, 1);
    assert_eq!(count("display_name=account-01&display_name=account-02").await, 2);
    assert_eq!(count("display_name=account").await, 0);
    assert_eq!(count("display_name=").await, 4);
}

#[tokio::test]
async fn identity_providers_and_group_mappings_are_empty_lists() {
    let world = Harness::new();
    for path in ["/api/iam/v2/identity-providers", "/api/iam/v2/sso/group-mappings"] {
        let list = world
            .get(&world.admin, &format!("{path}?page_size=100"))
            .await
            .expect(200);
        assert_eq!(list.json()["data"], json!([]));
    }
}

#[tokio::test]
async fn wrong_paths_and_verbs_answer_in_the_services_own_shape() {
    let world = Harness::new();
    let missing = world.get(&world.admin, "/iam/v2/nonsense").await.expect(404);
    assert_eq!(missing.json()["errors"][0]["status"], Value::from("404"));
    let wrong = world.send(&world.admin, "PUT", "/iam/v2/users", None).await.expect(405);
    assert_eq!(wrong.header("allow"), Some("GET"));
    assert!(wrong.header("x-request-id").is_some());
}
