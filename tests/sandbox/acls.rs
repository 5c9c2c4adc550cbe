//! ACLs through Kafka REST: who may, what is found, what stays (docs `access-control/acls`, dossier `rbac.md` §5.3, §8.6).

use confluent_ebs::sandbox::{Assumptions, Fault, FaultKind, RateLimit, Settings};
use serde_json::{Value, json};

use crate::harness::{Harness, Login, escape};

const ACLS: &str = "/kafka/v3/clusters/lkc-prod1/acls";
const TOPICS: &str = "/kafka/v3/clusters/lkc-prod1/topics";

fn acl(principal: &str, operation: &str, name: &str) -> Value {
    json!({
        "resource_type": "TOPIC", "resource_name": name, "pattern_type": "PREFIXED", "principal": format!("User:{principal}"),
        "host": "*", "operation": operation, "permission": "ALLOW",
    })
}

/// A search for exactly one ACL.
fn exactly(acl: &Value) -> String {
    let fields = [
        "resource_type",
        "resource_name",
        "pattern_type",
        "principal",
        "host",
        "operation",
        "permission",
    ];
    let pairs = fields.map(|field| format!("{field}={}", escape(acl[field].as_str().unwrap())));
    format!("{ACLS}?{}", pairs.join("&"))
}

async fn create(world: &Harness, login: &Login, acl: &Value) -> u16 {
    world.post(login, ACLS, acl.clone()).await.status.as_u16()
}

/// Who is named in a list, with what.
async fn listed(world: &Harness, query: &str) -> Vec<String> {
    let answer = world.get(&world.kafka, &format!("{ACLS}{query}")).await.expect(200);
    let shown = |acl: &Value| {
        let part = |field: &str| acl[field].as_str().unwrap().to_owned();
        format!("{} {} {}", part("principal"), part("operation"), part("resource_name"))
    };
    answer.data().iter().map(shown).collect()
}

#[tokio::test]
async fn an_acl_is_made_found_and_deleted_at_both_places() {
    let world = Harness::new();
    let account = world.account("claims").await;
    let wanted = acl(&account, "WRITE", "dlq-lcc");
    world.post(&world.kafka, ACLS, wanted.clone()).await.expect(201);
    // A second time is no conflict, and nothing changes.
    world
        .post(&world.kafka, &format!("/api{ACLS}"), wanted.clone())
        .await
        .expect(201);
    let list = world
        .get(&world.kafka, &format!("{ACLS}?principal=UserV2:*"))
        .await
        .expect(200);
    assert_eq!(list.data().len(), 1);
    let found = &list.data()[0];
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
    // Its link finds it again.
    let link = found["metadata"]["self"].as_str().unwrap();
    let again = world
        .get(&world.kafka, link.strip_prefix("http://127.0.0.1").unwrap())
        .await
        .expect(200);
    assert_eq!(again.data().len(), 1);
    let gone = world.delete(&world.kafka, &exactly(&wanted)).await.expect(200);
    assert_eq!(gone.data().len(), 1);
    assert_eq!(gone.data()[0]["operation"], "WRITE");
    let gone = world.delete(&world.kafka, &exactly(&wanted)).await.expect(200);
    assert!(gone.data().is_empty(), "deleting what is not there finds nothing");
    assert!(world.sandbox.acls().unwrap().is_empty());
}

#[tokio::test]
async fn a_batch_is_made_as_a_whole_or_not_at_all() {
    let world = Harness::new();
    let account = world.account("claims").await;
    let batch = format!("{ACLS}:batch");
    let bad = json!({ "data": [acl(&account, "WRITE", "dlq-lcc"), acl(&account, "ANY", "dlq-lcc")] });
    world.post(&world.kafka, &batch, bad).await.expect(400);
    assert!(world.sandbox.acls().unwrap().is_empty());
    let good = json!({ "data": [acl(&account, "WRITE", "dlq-lcc"), acl(&account, "CREATE", "dlq-lcc")] });
    world.post(&world.kafka, &batch, good).await.expect(201);
    assert_eq!(world.sandbox.acls().unwrap().len(), 2);
}

// Dossier `rbac.md` §5.3: a Kafka key, no Cloud key. §8.6: CloudClusterAdmin manages ACLs; docs
// `access-control/acls/operations`: so does ALTER on the cluster, and DESCRIBE there is enough to look.
#[tokio::test]
async fn only_a_kafka_key_of_whoever_administers_the_cluster_opens_them() {
    let world = Harness::new();
    let account = world.account("claims").await;
    let wanted = acl(&account, "WRITE", "dlq-lcc");
    for login in [&world.provisioner, &world.admin, &Login::Nobody] {
        assert_eq!(create(&world, login, &wanted).await, 401);
        world.get(login, ACLS).await.expect(401);
        world.delete(login, &exactly(&wanted)).await.expect(401);
    }
    let elsewhere = world.make_key(&account, "lkc-test1").await;
    world.get(&elsewhere, ACLS).await.expect(401);
    let cluster = world.cluster_crn();
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
        let holder = world.account(&format!("{role} {allowed} {}", pattern.len())).await;
        world.bind(&holder, role, &pattern).await;
        let login = world.make_key(&holder, "lkc-prod1").await;
        let expected = |status| if allowed { status } else { 403 };
        assert_eq!(create(&world, &login, &wanted).await, expected(201), "{role}");
        let list = world.get(&login, ACLS).await;
        assert_eq!(list.status.as_u16(), expected(200), "{role}");
        let gone = world.delete(&login, &exactly(&wanted)).await;
        assert_eq!(gone.status.as_u16(), expected(200), "{role}");
        if !allowed {
            let (code, detail) = gone.error();
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
        let holder = world.account(&format!("acl {operation}")).await;
        let login = world.make_key(&holder, "lkc-prod1").await;
        assert_eq!(create(&world, &world.kafka, &on_cluster(&holder, operation)).await, 201);
        assert_eq!(world.get(&login, ACLS).await.status.as_u16(), looks, "{operation}");
        assert_eq!(create(&world, &login, &wanted).await, changes, "{operation}");
    }
}

// Docs `access-control/acls/operations`, the two tables about the principal's format.
#[tokio::test]
async fn principals_are_answered_as_they_are_asked_for() {
    let world = Harness::new();
    let (claims, fraud) = (world.account("claims").await, world.account("fraud").await);
    for account in [&claims, &fraud] {
        assert_eq!(
            create(&world, &world.kafka, &acl(account, "WRITE", "dlq-lcc")).await,
            201
        );
    }
    assert_eq!(
        create(&world, &world.kafka, &acl("*", "DESCRIBE", "weather")).await,
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
    let by_number = listed(&world, "").await;
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

    let by_id = listed(&world, "?principal=UserV2:*").await;
    assert_eq!(by_id.len(), 3);
    assert!(by_id.contains(&of_claims), "{by_id:?}");
    for asked in [format!("User:{claims}"), format!("UserV2:{claims}")] {
        assert_eq!(
            listed(&world, &format!("?principal={asked}")).await,
            std::slice::from_ref(&of_claims)
        );
    }
    assert_eq!(listed(&world, "?principal=User:*").await, ["User:* DESCRIBE weather"]);
    for id in &numbers {
        let found = listed(&world, &format!("?principal=User:{id}")).await;
        assert_eq!(found, [format!("User:{id} WRITE dlq-lcc")]);
    }
    // Made by number, it is the same ACL.
    for id in &numbers {
        assert_eq!(create(&world, &world.kafka, &acl(id, "WRITE", "dlq-lcc")).await, 201);
    }
    assert_eq!(world.sandbox.acls().unwrap().len(), 3);
}

// Apache Kafka's `ResourcePatternFilter`.
#[tokio::test]
async fn a_search_finds_what_kafka_would_find() {
    let world = Harness::new();
    let account = world.account("claims").await;
    for (name, pattern, operation) in [
        ("claims-orders", "LITERAL", "READ"),
        ("claims-", "PREFIXED", "WRITE"),
        ("*", "LITERAL", "DESCRIBE"),
        ("fraud-", "PREFIXED", "READ"),
    ] {
        let mut one = acl(&account, operation, name);
        one["pattern_type"] = json!(pattern);
        assert_eq!(create(&world, &world.kafka, &one).await, 201);
    }
    let mut group = acl(&account, "READ", "claims-");
    group["resource_type"] = json!("GROUP");
    assert_eq!(create(&world, &world.kafka, &group).await, 201);
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
        let mut found = listed(&world, &format!("?principal=UserV2:*{query}")).await;
        let mut expected: Vec<_> = expected.iter().map(|line| format!("User:{account} {line}")).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{query}");
    }
    // A deletion that leaves the name out takes all that fit: our own client never leaves it out.
    let wide = format!("{ACLS}?resource_type=TOPIC&pattern_type=PREFIXED&operation=ANY&permission=ANY");
    assert_eq!(world.delete(&world.kafka, &wide).await.expect(200).data().len(), 2);
    assert_eq!(world.sandbox.acls().unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_no_acl_is_refused_in_the_words_of_the_document() {
    let world = Harness::new();
    let account = world.account("claims").await;
    let with = |field: &str, value: &str| {
        let mut wrong = acl(&account, "WRITE", "dlq-lcc");
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
        let (code, _) = world.post(&world.kafka, ACLS, wrong).await.expect(400).error();
        assert_eq!(code, "40002");
    }
    let (code, detail) = world
        .post(&world.kafka, ACLS, with("resource_type", "CLUSTER"))
        .await
        .expect(400)
        .error();
    assert_eq!(code, "40002");
    assert_eq!(detail, "The only valid name for the CLUSTER resource is kafka-cluster");
    world
        .post(&world.kafka, ACLS, json!({ "operation": "READ" }))
        .await
        .expect(400);
    let (code, detail) = world.delete(&world.kafka, ACLS).await.expect(400).error();
    assert_eq!(
        (code.as_str(), detail.as_str()),
        ("400", "resource_type cannot be unspecified or UNKNOWN")
    );
    world
        .get(&world.kafka, &format!("{ACLS}?operation=GRANT"))
        .await
        .expect(400);
}

// Dossier `rbac.md` §1.5, seen from the data plane; the control plane knows nothing of ACLs.
#[tokio::test]
async fn acls_count_in_kafka_beside_roles_and_a_denial_beats_both() {
    let world = Harness::new();
    let account = world.account("app").await;
    let login = world.make_key(&account, "lkc-prod1").await;
    let cloud = world.make_key(&account, "cloud").await;
    let topic = |name: &str| json!({ "topic_name": name });
    world.post(&login, TOPICS, topic("claims-a")).await.expect(403);
    world.get(&login, TOPICS).await.expect(403);
    assert_eq!(
        create(&world, &world.kafka, &acl(&account, "CREATE", "claims-")).await,
        201
    );
    world.post(&login, TOPICS, topic("claims-a")).await.expect(201);
    world.post(&login, TOPICS, topic("fraud-a")).await.expect(403);
    // CREATE does not let see; WRITE does.
    assert!(world.get(&login, TOPICS).await.expect(200).data().is_empty());
    assert_eq!(
        create(&world, &world.kafka, &acl(&account, "WRITE", "claims-")).await,
        201
    );
    assert_eq!(world.get(&login, TOPICS).await.expect(200).data().len(), 1);
    world.get(&login, &format!("{TOPICS}/claims-a")).await.expect(200);
    world.delete(&login, &format!("{TOPICS}/claims-a")).await.expect(403);
    world
        .get(&cloud, "/cmk/v2/clusters/lkc-prod1?environment=env-prod1")
        .await
        .expect(403);
    let pattern = format!("{}/kafka=lkc-prod1/topic=claims-*", world.cluster_crn());
    world.bind(&account, "DeveloperManage", &pattern).await;
    let mut denial = acl(&account, "DELETE", "claims-");
    denial["permission"] = json!("DENY");
    assert_eq!(create(&world, &world.kafka, &denial).await, 201);
    world.delete(&login, &format!("{TOPICS}/claims-a")).await.expect(403);
    world.delete(&world.kafka, &exactly(&denial)).await.expect(200);
    world.delete(&login, &format!("{TOPICS}/claims-a")).await.expect(204);
    // What everybody may, whoever has a key of the cluster may.
    let other = world.account("other").await;
    let other = world.make_key(&other, "lkc-prod1").await;
    world.post(&other, TOPICS, topic("weather")).await.expect(403);
    assert_eq!(create(&world, &world.kafka, &acl("*", "CREATE", "weather")).await, 201);
    world.post(&other, TOPICS, topic("weather")).await.expect(201);
}

// Docs `access-control/acls/overview`: they are not cleaned up. cli `kafka acl list --all`: lists name them by a number.
#[tokio::test]
async fn what_becomes_of_the_acls_of_a_deleted_account_is_an_assumption() {
    for with_it in [false, true] {
        let world = Harness::with(Settings {
            assumptions: Assumptions {
                acls_go_with_account: with_it,
                ..Assumptions::default()
            },
            ..Settings::instant()
        });
        let (claims, fraud) = (world.account("claims").await, world.account("fraud").await);
        for account in [&claims, &fraud] {
            assert_eq!(
                create(&world, &world.kafka, &acl(account, "WRITE", "dlq-lcc")).await,
                201
            );
        }
        let path = format!("/iam/v2/service-accounts/{claims}");
        world.delete(&world.provisioner, &path).await.expect(204);
        let left = listed(&world, "?principal=UserV2:*").await;
        assert!(left.contains(&format!("User:{fraud} WRITE dlq-lcc")));
        assert_eq!(left.len(), if with_it { 1 } else { 2 });
        let orphan = left.iter().find(|line| !line.contains("sa-"));
        assert_eq!(orphan.is_some(), !with_it, "{left:?}");
        if let Some(orphan) = orphan {
            let number = orphan.split(' ').next().unwrap().strip_prefix("User:").unwrap();
            let gone = world
                .delete(&world.kafka, &exactly(&acl(number, "WRITE", "dlq-lcc")))
                .await;
            assert_eq!(gone.expect(200).data().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_new_acl_takes_a_while_to_be_listed_and_a_deleted_one_lingers() {
    let world = Harness::with(Settings {
        rate_limit: None,
        ..Settings::lagging()
    });
    let account = world.account("claims").await;
    let wanted = acl(&account, "WRITE", "dlq-lcc");
    assert_eq!(create(&world, &world.kafka, &wanted).await, 201);
    assert!(listed(&world, "").await.is_empty());
    world.sandbox.advance(std::time::Duration::from_mins(1)).unwrap();
    assert_eq!(listed(&world, "").await.len(), 1);
    world.delete(&world.kafka, &exactly(&wanted)).await.expect(200);
    assert_eq!(listed(&world, "").await.len(), 1);
    // Made again meanwhile, it is there to stay.
    assert_eq!(create(&world, &world.kafka, &wanted).await, 201);
    world.sandbox.advance(std::time::Duration::from_mins(1)).unwrap();
    assert_eq!(listed(&world, "").await.len(), 1);
    world.delete(&world.kafka, &exactly(&wanted)).await.expect(200);
    world.sandbox.advance(std::time::Duration::from_mins(1)).unwrap();
    assert!(listed(&world, "").await.is_empty());
}

// Dossier `rbac.md` §4.7: Kafka REST's 429 carries no headers.
#[tokio::test]
async fn a_429_of_kafka_rest_does_not_say_when_to_come_back() {
    let world = Harness::new();
    let fault = Fault::once(FaultKind::TooManyRequests { retry_after: 7 });
    world.sandbox.add_fault(fault).unwrap();
    let stormy = world.get(&world.kafka, ACLS).await.expect(429);
    let limited = Harness::with(Settings {
        rate_limit: Some(RateLimit {
            per_principal: 1,
            ..RateLimit::default()
        }),
        ..Settings::instant()
    });
    let first = limited.get(&limited.kafka, ACLS).await.expect(200);
    let second = limited.get(&limited.kafka, ACLS).await.expect(429);
    for answer in [&stormy, &first, &second] {
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
async fn acls_are_kept_in_the_folder_and_other_processes_see_them() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let seed = confluent_ebs::sandbox::Seed::default();
        let sandbox = confluent_ebs::sandbox::Sandbox::open(folder.path(), seed.clone(), None).unwrap();
        Harness::around(sandbox, seed)
    };
    let (one, other) = (open(), open());
    let account = one.account("claims").await;
    let login = one.make_key(&account, "lkc-prod1").await;
    for operation in ["CREATE", "WRITE"] {
        assert_eq!(
            create(&one, &one.kafka, &acl(&account, operation, "claims-")).await,
            201
        );
    }
    assert_eq!(listed(&other, "").await.len(), 2);
    other
        .delete(&other.kafka, &exactly(&acl(&account, "WRITE", "claims-")))
        .await
        .expect(200);
    // A snapshot is read with what follows from it.
    one.sandbox.set_settings(Settings::instant()).unwrap();
    let third = open();
    third
        .post(&login, TOPICS, json!({ "topic_name": "claims-a" }))
        .await
        .expect(201);
    assert_eq!(third.sandbox.acls().unwrap().len(), 1);
}

#[tokio::test]
async fn the_provisioner_holds_a_key_of_each_stages_cluster() {
    let world = Harness::new();
    let info = world.sandbox.info(true).unwrap();
    for stage in &info.stages {
        let login = Login::key(
            &stage.provisioner_kafka_key,
            stage.provisioner_kafka_secret.as_ref().unwrap(),
        );
        let acls = format!("/kafka/v3/clusters/{}/acls", stage.cluster);
        world.get(&login, &acls).await.expect(200);
    }
    assert!(
        world.sandbox.info(false).unwrap().stages[0]
            .provisioner_kafka_secret
            .is_none()
    );
}
