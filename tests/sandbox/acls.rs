//! ACLs through Kafka REST: authorization, filters, remaining ACLs (docs `access-control/acls`,
//! docs/reference/rbac.md#credentials-by-api and docs/reference/rbac.md#roles-of-the-provisioner).

use confluent_ebs::sandbox::{Fault, FaultKind, RateLimit, SandboxAssumptions, SandboxSettings};
use serde_json::{Value, json};

use crate::common::{Caller, JsonAccess as _, SandboxServer, encode_query_value};

const ACLS_PATH: &str = "/kafka/v3/clusters/lkc-prod1/acls";
const TOPICS_PATH: &str = "/kafka/v3/clusters/lkc-prod1/topics";

fn acl_body(principal: &str, operation: &str, name: &str) -> Value {
    json!({
        "resource_type": "TOPIC", "resource_name": name, "pattern_type": "PREFIXED", "principal": format!("User:{principal}"),
        "host": "*", "operation": operation, "permission": "ALLOW",
    })
}

/// A filter for exactly one ACL.
fn exact_search(acl: &Value) -> String {
    let fields = [
        "resource_type",
        "resource_name",
        "pattern_type",
        "principal",
        "host",
        "operation",
        "permission",
    ];
    let pairs = fields.map(|field| format!("{field}={}", encode_query_value(acl[field].as_str().unwrap())));
    format!("{ACLS_PATH}?{}", pairs.join("&"))
}

async fn create_acl(api: &SandboxServer, login: &Caller, acl: &Value) -> u16 {
    api.post(login, ACLS_PATH, acl.clone()).await.status.as_u16()
}

/// Principals of a list, with their operations.
async fn list_acls(api: &SandboxServer, query: &str) -> Vec<String> {
    let answer = api
        .get(&api.provisioner_kafka, &format!("{ACLS_PATH}{query}"))
        .await
        .expect_status(200);
    let shown = |acl: &Value| {
        let part = |field: &str| acl[field].as_str().unwrap().to_owned();
        format!("{} {} {}", part("principal"), part("operation"), part("resource_name"))
    };
    answer.items().iter().map(shown).collect()
}

#[tokio::test]
async fn an_acl_is_created_listed_and_deleted_under_both_paths() {
    let api = SandboxServer::new();
    let account = api.create_account("claims").await;
    let wanted = acl_body(&account, "WRITE", "dlq-lcc");
    api.post(&api.provisioner_kafka, ACLS_PATH, wanted.clone())
        .await
        .expect_status(201);
    // Creating it again is no conflict and changes nothing.
    api.post(&api.provisioner_kafka, &format!("/api{ACLS_PATH}"), wanted.clone())
        .await
        .expect_status(201);
    let list = api
        .get(&api.provisioner_kafka, &format!("{ACLS_PATH}?principal=UserV2:*"))
        .await
        .expect_status(200);
    assert_eq!(list.items().len(), 1);
    let found = &list.items()[0];
    assert_eq!(found["kind"], "KafkaAcl");
    for field in [
        "resource_type",
        "resource_name",
        "pattern_type",
        "principal",
        "host",
        "operation",
        "permission",
    ] {
        assert_eq!(found[field], wanted[field], "{field}");
    }
    // Its link returns it.
    let link = found.text("/metadata/self");
    let again = api
        .get(&api.provisioner_kafka, link.strip_prefix("http://127.0.0.1").unwrap())
        .await
        .expect_status(200);
    assert_eq!(again.items().len(), 1);
    let gone = api
        .delete(&api.provisioner_kafka, &exact_search(&wanted))
        .await
        .expect_status(200);
    assert_eq!(gone.items().len(), 1);
    assert_eq!(gone.items()[0]["operation"], "WRITE");
    let gone = api
        .delete(&api.provisioner_kafka, &exact_search(&wanted))
        .await
        .expect_status(200);
    assert!(gone.items().is_empty(), "deleting a missing ACL finds nothing");
    assert!(api.sandbox.acls().unwrap().is_empty());
}

#[tokio::test]
async fn an_acl_batch_is_atomic() {
    let api = SandboxServer::new();
    let account = api.create_account("claims").await;
    let batch = format!("{ACLS_PATH}:batch");
    let bad = json!({ "data": [acl_body(&account, "WRITE", "dlq-lcc"), acl_body(&account, "ANY", "dlq-lcc")] });
    api.post(&api.provisioner_kafka, &batch, bad).await.expect_status(400);
    assert!(api.sandbox.acls().unwrap().is_empty());
    let good = json!({ "data": [acl_body(&account, "WRITE", "dlq-lcc"), acl_body(&account, "CREATE", "dlq-lcc")] });
    api.post(&api.provisioner_kafka, &batch, good).await.expect_status(201);
    assert_eq!(api.sandbox.acls().unwrap().len(), 2);
}

// Source: docs/reference/rbac.md#credentials-by-api. A Kafka key, not a Cloud API key. CloudClusterAdmin manages ACLs
// (docs/reference/rbac.md#roles-of-the-provisioner); docs `access-control/acls/operations`: ALTER on the cluster as
// well, and DESCRIBE on it is sufficient for listing.
#[tokio::test]
async fn acls_need_a_kafka_key_of_a_cluster_administrator() {
    let api = SandboxServer::new();
    let account = api.create_account("claims").await;
    let wanted = acl_body(&account, "WRITE", "dlq-lcc");
    for login in [&api.provisioner, &api.admin, &Caller::Anonymous] {
        assert_eq!(create_acl(&api, login, &wanted).await, 401);
        api.get(login, ACLS_PATH).await.expect_status(401);
        api.delete(login, &exact_search(&wanted)).await.expect_status(401);
    }
    let elsewhere = api.create_key(&account, "lkc-test1").await;
    api.get(&elsewhere, ACLS_PATH).await.expect_status(401);
    let cluster = api.cluster_crn();
    for (role, pattern, allowed) in [
        ("CloudClusterAdmin", cluster.clone(), true),
        ("Operator", cluster.clone(), false),
        (
            "ResourceOwner",
            format!("{cluster}/kafka=lkc-prod1/topic=claims-*"),
            false,
        ),
        (
            "DeveloperManage",
            format!("{cluster}/kafka=lkc-prod1/topic=claims-*"),
            false,
        ),
        ("ResourceOwner", format!("{cluster}/connector=claims-*"), false),
    ] {
        let holder = api.create_account(&format!("{role} {allowed} {}", pattern.len())).await;
        api.bind(&holder, role, &pattern).await;
        let login = api.create_key(&holder, "lkc-prod1").await;
        let expected = |status| if allowed { status } else { 403 };
        assert_eq!(create_acl(&api, &login, &wanted).await, expected(201), "{role}");
        let list = api.get(&login, ACLS_PATH).await;
        assert_eq!(list.status.as_u16(), expected(200), "{role}");
        let gone = api.delete(&login, &exact_search(&wanted)).await;
        assert_eq!(gone.status.as_u16(), expected(200), "{role}");
        if !allowed {
            let (code, detail) = gone.first_error();
            assert_eq!(code, "40301");
            assert!(detail.contains("alter-access"), "{detail}");
        }
    }
    let on_cluster = |principal: &str, operation: &str| {
        json!({
            "resource_type": "CLUSTER", "resource_name": "kafka-cluster", "pattern_type": "LITERAL",
            "principal": format!("User:{principal}"), "host": "*", "operation": operation, "permission": "ALLOW",
        })
    };
    for (operation, [looks, changes]) in [("DESCRIBE", [200, 403]), ("ALTER", [200, 201]), ("CREATE", [403, 403])] {
        let holder = api.create_account(&format!("acl {operation}")).await;
        let login = api.create_key(&holder, "lkc-prod1").await;
        assert_eq!(
            create_acl(&api, &api.provisioner_kafka, &on_cluster(&holder, operation)).await,
            201
        );
        assert_eq!(api.get(&login, ACLS_PATH).await.status.as_u16(), looks, "{operation}");
        assert_eq!(create_acl(&api, &login, &wanted).await, changes, "{operation}");
    }
}

// Docs `access-control/acls/operations`, the two tables about the format of principals.
#[tokio::test]
async fn principals_are_returned_in_the_form_of_the_request() {
    let api = SandboxServer::new();
    let (claims, fraud) = (api.create_account("claims").await, api.create_account("fraud").await);
    for account in [&claims, &fraud] {
        assert_eq!(
            create_acl(&api, &api.provisioner_kafka, &acl_body(account, "WRITE", "dlq-lcc")).await,
            201
        );
    }
    assert_eq!(
        create_acl(&api, &api.provisioner_kafka, &acl_body("*", "DESCRIBE", "weather")).await,
        201
    );
    let number = |line: &str| {
        line.split(' ')
            .next()
            .unwrap()
            .strip_prefix("User:")
            .unwrap()
            .to_owned()
    };
    let of_claims = format!("User:{claims} WRITE dlq-lcc");
    let by_number = list_acls(&api, "").await;
    assert_eq!(by_number.len(), 3);
    assert!(
        by_number.contains(&"User:* DESCRIBE weather".to_owned()),
        "{by_number:?}"
    );
    assert!(!by_number.contains(&of_claims), "{by_number:?}");
    let numbers: Vec<_> = by_number
        .iter()
        .map(|line| number(line))
        .filter(|id| id != "*")
        .collect();
    assert!(numbers.iter().all(|id| id.parse::<u32>().is_ok()), "{numbers:?}");

    let by_id = list_acls(&api, "?principal=UserV2:*").await;
    assert_eq!(by_id.len(), 3);
    assert!(by_id.contains(&of_claims), "{by_id:?}");
    for asked in [format!("User:{claims}"), format!("UserV2:{claims}")] {
        assert_eq!(
            list_acls(&api, &format!("?principal={asked}")).await,
            std::slice::from_ref(&of_claims)
        );
    }
    assert_eq!(list_acls(&api, "?principal=User:*").await, ["User:* DESCRIBE weather"]);
    for id in &numbers {
        let found = list_acls(&api, &format!("?principal=User:{id}")).await;
        assert_eq!(found, [format!("User:{id} WRITE dlq-lcc")]);
    }
    // Created by number, it is the same ACL.
    for id in &numbers {
        assert_eq!(
            create_acl(&api, &api.provisioner_kafka, &acl_body(id, "WRITE", "dlq-lcc")).await,
            201
        );
    }
    assert_eq!(api.sandbox.acls().unwrap().len(), 3);
}

// Apache Kafka's `ResourcePatternFilter`.
#[tokio::test]
async fn an_acl_search_matches_patterns_like_kafka() {
    let api = SandboxServer::new();
    let account = api.create_account("claims").await;
    for (name, pattern, operation) in [
        ("claims-orders", "LITERAL", "READ"),
        ("claims-", "PREFIXED", "WRITE"),
        ("*", "LITERAL", "DESCRIBE"),
        ("fraud-", "PREFIXED", "READ"),
    ] {
        let mut one = acl_body(&account, operation, name);
        one["pattern_type"] = json!(pattern);
        assert_eq!(create_acl(&api, &api.provisioner_kafka, &one).await, 201);
    }
    let mut group = acl_body(&account, "READ", "claims-");
    group["resource_type"] = json!("GROUP");
    assert_eq!(create_acl(&api, &api.provisioner_kafka, &group).await, 201);
    for (query, expected) in [
        (
            "",
            vec![
                "READ claims-orders",
                "READ claims-",
                "READ fraud-",
                "WRITE claims-",
                "DESCRIBE *",
            ],
        ),
        ("&resource_type=GROUP", vec!["READ claims-"]),
        (
            "&resource_type=TOPIC&resource_name=claims-orders",
            vec!["READ claims-orders"],
        ),
        (
            "&resource_type=TOPIC&resource_name=claims-&pattern_type=LITERAL",
            vec![],
        ),
        (
            "&resource_name=claims-&pattern_type=PREFIXED",
            vec!["READ claims-", "WRITE claims-"],
        ),
        (
            "&resource_type=TOPIC&resource_name=claims-orders&pattern_type=MATCH",
            vec!["READ claims-orders", "WRITE claims-", "DESCRIBE *"],
        ),
        (
            "&pattern_type=ANY&operation=READ&permission=ANY",
            vec!["READ claims-orders", "READ claims-", "READ fraud-"],
        ),
        ("&permission=DENY", vec![]),
        ("&host=192.0.2.7", vec![]),
    ] {
        let mut found = list_acls(&api, &format!("?principal=UserV2:*{query}")).await;
        let mut expected: Vec<_> = expected.iter().map(|line| format!("User:{account} {line}")).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{query}");
    }
    // A deletion without a name deletes all matching ACLs: our client always sends the name.
    let wide = format!("{ACLS_PATH}?resource_type=TOPIC&pattern_type=PREFIXED&operation=ANY&permission=ANY");
    assert_eq!(
        api.delete(&api.provisioner_kafka, &wide)
            .await
            .expect_status(200)
            .items()
            .len(),
        2
    );
    assert_eq!(api.sandbox.acls().unwrap().len(), 3);
}

#[tokio::test]
async fn invalid_acls_are_refused_with_the_documented_message() {
    let api = SandboxServer::new();
    let account = api.create_account("claims").await;
    let with = |field: &str, value: &str| {
        let mut wrong = acl_body(&account, "WRITE", "dlq-lcc");
        wrong[field] = json!(value);
        wrong
    };
    for wrong in [
        with("resource_type", "SUBJECT"),
        with("resource_type", "ANY"),
        with("pattern_type", "MATCH"),
        with("operation", "GRANT"),
        with("permission", "ANY"),
        with("resource_name", ""),
        with("principal", &account),
    ] {
        let (code, _) = api
            .post(&api.provisioner_kafka, ACLS_PATH, wrong)
            .await
            .expect_status(400)
            .first_error();
        assert_eq!(code, "40002");
    }
    let (code, detail) = api
        .post(&api.provisioner_kafka, ACLS_PATH, with("resource_type", "CLUSTER"))
        .await
        .expect_status(400)
        .first_error();
    assert_eq!(code, "40002");
    assert_eq!(detail, "The only valid name for the CLUSTER resource is kafka-cluster");
    api.post(&api.provisioner_kafka, ACLS_PATH, json!({ "operation": "READ" }))
        .await
        .expect_status(400);
    let (code, detail) = api
        .delete(&api.provisioner_kafka, ACLS_PATH)
        .await
        .expect_status(400)
        .first_error();
    assert_eq!(
        (code.as_str(), detail.as_str()),
        ("400", "resource_type cannot be unspecified or UNKNOWN")
    );
    api.get(&api.provisioner_kafka, &format!("{ACLS_PATH}?operation=GRANT"))
        .await
        .expect_status(400);
}

// Source: docs/reference/rbac.md#acls-and-role-bindings, for the data plane; the control plane ignores ACLs.
#[tokio::test]
async fn acls_add_to_roles_in_kafka_and_a_deny_overrides_both() {
    let api = SandboxServer::new();
    let account = api.create_account("app").await;
    let login = api.create_key(&account, "lkc-prod1").await;
    let cloud = api.create_key(&account, "cloud").await;
    let topic = |name: &str| json!({ "topic_name": name });
    api.post(&login, TOPICS_PATH, topic("claims-a"))
        .await
        .expect_status(403);
    api.get(&login, TOPICS_PATH).await.expect_status(403);
    assert_eq!(
        create_acl(&api, &api.provisioner_kafka, &acl_body(&account, "CREATE", "claims-")).await,
        201
    );
    api.post(&login, TOPICS_PATH, topic("claims-a"))
        .await
        .expect_status(201);
    api.post(&login, TOPICS_PATH, topic("fraud-a")).await.expect_status(403);
    // CREATE does not imply DESCRIBE; WRITE does.
    assert!(api.get(&login, TOPICS_PATH).await.expect_status(200).items().is_empty());
    assert_eq!(
        create_acl(&api, &api.provisioner_kafka, &acl_body(&account, "WRITE", "claims-")).await,
        201
    );
    assert_eq!(api.get(&login, TOPICS_PATH).await.expect_status(200).items().len(), 1);
    api.get(&login, &format!("{TOPICS_PATH}/claims-a"))
        .await
        .expect_status(200);
    api.delete(&login, &format!("{TOPICS_PATH}/claims-a"))
        .await
        .expect_status(403);
    api.get(&cloud, "/cmk/v2/clusters/lkc-prod1?environment=env-prod1")
        .await
        .expect_status(403);
    let pattern = format!("{}/kafka=lkc-prod1/topic=claims-*", api.cluster_crn());
    api.bind(&account, "DeveloperManage", &pattern).await;
    let mut denial = acl_body(&account, "DELETE", "claims-");
    denial["permission"] = json!("DENY");
    assert_eq!(create_acl(&api, &api.provisioner_kafka, &denial).await, 201);
    api.delete(&login, &format!("{TOPICS_PATH}/claims-a"))
        .await
        .expect_status(403);
    api.delete(&api.provisioner_kafka, &exact_search(&denial))
        .await
        .expect_status(200);
    api.delete(&login, &format!("{TOPICS_PATH}/claims-a"))
        .await
        .expect_status(204);
    // Every principal with a key of the cluster has the access of `User:*`.
    let other = api.create_account("other").await;
    let other = api.create_key(&other, "lkc-prod1").await;
    api.post(&other, TOPICS_PATH, topic("weather")).await.expect_status(403);
    assert_eq!(
        create_acl(&api, &api.provisioner_kafka, &acl_body("*", "CREATE", "weather")).await,
        201
    );
    api.post(&other, TOPICS_PATH, topic("weather")).await.expect_status(201);
}

// Docs `access-control/acls/overview`: they are not deleted. cli `kafka acl list --all`: lists name them by a number.
#[tokio::test]
async fn acls_of_a_deleted_account_are_deleted_when_assumed() {
    for with_it in [false, true] {
        let api = SandboxServer::with_settings(SandboxSettings {
            assumptions: SandboxAssumptions {
                account_deletion_removes_acls: with_it,
                ..SandboxAssumptions::default()
            },
            ..SandboxSettings::instant()
        });
        let (claims, fraud) = (api.create_account("claims").await, api.create_account("fraud").await);
        for account in [&claims, &fraud] {
            assert_eq!(
                create_acl(&api, &api.provisioner_kafka, &acl_body(account, "WRITE", "dlq-lcc")).await,
                201
            );
        }
        let path = format!("/iam/v2/service-accounts/{claims}");
        api.delete(&api.provisioner, &path).await.expect_status(204);
        let left = list_acls(&api, "?principal=UserV2:*").await;
        assert!(left.contains(&format!("User:{fraud} WRITE dlq-lcc")));
        assert_eq!(left.len(), if with_it { 1 } else { 2 });
        let orphan = left.iter().find(|line| !line.contains("sa-"));
        assert_eq!(orphan.is_some(), !with_it, "{left:?}");
        if let Some(orphan) = orphan {
            let number = orphan.split(' ').next().unwrap().strip_prefix("User:").unwrap();
            let gone = api
                .delete(
                    &api.provisioner_kafka,
                    &exact_search(&acl_body(number, "WRITE", "dlq-lcc")),
                )
                .await;
            assert_eq!(gone.expect_status(200).items().len(), 1);
        }
    }
}

#[tokio::test]
async fn under_lagging_timing_created_and_deleted_acls_are_listed_late() {
    let api = SandboxServer::with_settings(SandboxSettings {
        rate_limit: None,
        ..SandboxSettings::lagging()
    });
    let account = api.create_account("claims").await;
    let wanted = acl_body(&account, "WRITE", "dlq-lcc");
    assert_eq!(create_acl(&api, &api.provisioner_kafka, &wanted).await, 201);
    assert!(list_acls(&api, "").await.is_empty());
    api.sandbox.advance(std::time::Duration::from_mins(1)).unwrap();
    assert_eq!(list_acls(&api, "").await.len(), 1);
    api.delete(&api.provisioner_kafka, &exact_search(&wanted))
        .await
        .expect_status(200);
    assert_eq!(list_acls(&api, "").await.len(), 1);
    // Recreated in the meantime, it remains.
    assert_eq!(create_acl(&api, &api.provisioner_kafka, &wanted).await, 201);
    api.sandbox.advance(std::time::Duration::from_mins(1)).unwrap();
    assert_eq!(list_acls(&api, "").await.len(), 1);
    api.delete(&api.provisioner_kafka, &exact_search(&wanted))
        .await
        .expect_status(200);
    api.sandbox.advance(std::time::Duration::from_mins(1)).unwrap();
    assert!(list_acls(&api, "").await.is_empty());
}

// Source: docs/reference/rbac.md#rate-limits-and-retries. A 429 of Kafka REST has no headers.
#[tokio::test]
async fn a_429_of_kafka_rest_has_no_retry_after() {
    let api = SandboxServer::new();
    let fault = Fault::once(FaultKind::TooManyRequests { retry_after: 7 });
    api.sandbox.add_fault(fault).unwrap();
    let rate_limited = api.get(&api.provisioner_kafka, ACLS_PATH).await.expect_status(429);
    let limited = SandboxServer::with_settings(SandboxSettings {
        rate_limit: Some(RateLimit {
            per_principal: 1,
            ..RateLimit::default()
        }),
        ..SandboxSettings::instant()
    });
    let first = limited
        .get(&limited.provisioner_kafka, ACLS_PATH)
        .await
        .expect_status(200);
    let second = limited
        .get(&limited.provisioner_kafka, ACLS_PATH)
        .await
        .expect_status(429);
    for answer in [&rate_limited, &first, &second] {
        for name in [
            "retry-after",
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
        ] {
            assert_eq!(answer.header(name), None, "{name}");
        }
    }
}

#[tokio::test]
async fn acls_are_persisted_and_visible_to_other_processes() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let seed = confluent_ebs::sandbox::Seed::default();
        let sandbox = confluent_ebs::sandbox::Sandbox::open(folder.path(), seed.clone(), None).unwrap();
        SandboxServer::from_sandbox(sandbox, seed)
    };
    let (one, other) = (open(), open());
    let account = one.create_account("claims").await;
    let login = one.create_key(&account, "lkc-prod1").await;
    for operation in ["CREATE", "WRITE"] {
        assert_eq!(
            create_acl(&one, &one.provisioner_kafka, &acl_body(&account, operation, "claims-")).await,
            201
        );
    }
    assert_eq!(list_acls(&other, "").await.len(), 2);
    other
        .delete(
            &other.provisioner_kafka,
            &exact_search(&acl_body(&account, "WRITE", "claims-")),
        )
        .await
        .expect_status(200);
    // A snapshot includes the data derived from it.
    one.sandbox.set_settings(SandboxSettings::instant()).unwrap();
    let third = open();
    third
        .post(&login, TOPICS_PATH, json!({ "topic_name": "claims-a" }))
        .await
        .expect_status(201);
    assert_eq!(third.sandbox.acls().unwrap().len(), 1);
}

#[tokio::test]
async fn the_provisioner_has_a_kafka_key_for_the_cluster_of_each_stage() {
    let api = SandboxServer::new();
    let info = api.sandbox.info(true).unwrap();
    for stage in &info.stages {
        let login = Caller::api_key(
            &stage.provisioner_kafka_key,
            stage.provisioner_kafka_secret.as_ref().unwrap(),
        );
        let acls = format!("/kafka/v3/clusters/{}/acls", stage.cluster);
        api.get(&login, &acls).await.expect_status(200);
    }
    assert!(
        api.sandbox.info(false).unwrap().stages[0]
            .provisioner_kafka_secret
            .is_none()
    );
}
