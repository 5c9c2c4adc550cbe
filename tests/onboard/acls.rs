//! Kafka ACLs from the binary: a template that asks for them, from the first plan to the last proof, in good weather and
//! in bad.

use std::{
    collections::BTreeSet,
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use confluent_ebs::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, method, path, path_regex},
};

use crate::{common::World, home::Home};

/// `hybrid` with the ACLs of dossier `rbac.md` §8.3.
const TEMPLATE: &str = include_str!("../../examples/templates/hybrid.toml");

/// Where only the department claims asks for ACLs.
fn platform() -> Home {
    let home = Home::new();
    home.world.write(
        "ebs.toml",
        "default_stage = \"prod\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n[stages.prod]\n\
         environment = \"env-prod01\"\ncluster = \"lkc-prod01\"\nschema_registry = \"lsrc-prod01\"\n",
    );
    home.world.write("rbac-templates/sinks.toml", TEMPLATE);
    for (code, template) in [("claims", "sinks"), ("fraud", "hybrid")] {
        let text =
            format!("name = \"{code}\"\nprefix = \"{code}-\"\ntemplate = \"{template}\"\n\n[quota]\nconnectors = 3\n");
        home.world.write(format!("departments/{code}.toml"), text);
    }
    home
}

fn onboarded() -> Home {
    let home = platform();
    home.must("onboard --all --sandbox --yes", 0);
    home
}

/// What §8.3 gives the runtime account, for whoever goes by `name`.
fn wanted(name: &str) -> Vec<String> {
    let mut acls: Vec<String> = ["dlq-lcc", "success-lcc", "error-lcc", "data-preview"]
        .iter()
        .flat_map(|begin| ["CREATE", "WRITE"].map(|what| format!("TOPIC#{begin}#PREFIXED#User:{name}#*#{what}#ALLOW")))
        .collect();
    acls.sort();
    acls
}

const RUNTIME: &str = "ebs-prod-claims-runtime";

fn json_of(home: &Home, args: &str, code: i32) -> Value {
    let seen = home.must(&format!("{args} -o json"), code);
    serde_json::from_str(&seen.stdout).unwrap_or_else(|error| panic!("{error}: {seen}"))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Acts as the provisioner with its Cloud key alone.
fn without_kafka_key(home: &Home) -> &'static str {
    home.profile_with(&home.provisioner());
    "--profile other.toml"
}

#[test]
fn a_template_that_asks_gets_its_acls_once_and_keeps_no_others() {
    let home = platform();
    let planned = home.must_not_write("onboard claims --sandbox --dry-run", 0);
    let said = words(&planned.stdout);
    assert!(said.contains("claims-runtime ALLOW WRITE topic dlq-lcc*"), "{planned}");
    assert!(said.contains("ALLOW CREATE topic data-preview*"), "{planned}");

    home.must("onboard --all --sandbox --yes", 0);
    assert_eq!(
        home.acls(),
        wanted(RUNTIME),
        "and none for fraud, whose template asks for none"
    );
    home.must_not_write("onboard --all --sandbox --yes", 0);

    // Surplus is told and kept until it is asked to go; what is missing comes back; what others have is left.
    let runtime = home.account(RUNTIME);
    home.acl(&format!("TOPIC#claims-#PREFIXED#User:{runtime}#*#DELETE#ALLOW"));
    home.acl("TOPIC#claims-orders#LITERAL#User:u-eve#*#READ#ALLOW");
    let seen = home.must_not_write("onboard claims --sandbox --yes", 0);
    assert!(
        words(&seen.to_string()).contains("ALLOW DELETE topic claims-*"),
        "{seen}"
    );
    home.unacl(
        &format!("TOPIC#dlq-lcc#PREFIXED#User:{runtime}#*#WRITE#ALLOW")
            .parse()
            .unwrap(),
    );
    home.must("onboard claims --prune --sandbox --yes", 0);
    let mut after = wanted(RUNTIME);
    after.push("TOPIC#claims-orders#LITERAL#User:u-eve#*#READ#ALLOW".into());
    after.sort();
    assert_eq!(home.acls(), after);
    home.must_not_write("onboard claims --prune --sandbox --yes", 0);
}

#[test]
fn without_a_key_of_the_cluster_whoever_needs_it_is_told_and_nobody_else() {
    let home = onboarded();
    let bare = without_kafka_key(&home);
    for command in ["onboard claims", "offboard claims"] {
        let seen = home.must_not_write(&format!("{command} {bare} --yes"), 5);
        let said = words(&seen.stderr);
        for words in [
            "its template `sinks` asks for ACLs, and those of Kafka cluster `lkc-prod01` could not be looked at",
            "there is no API key of Kafka cluster `lkc-prod01` at hand",
            "confluent api-key create --resource lkc-prod01 --service-account sa-",
            "CONFLUENT_EBS_KAFKA_API_SECRET",
        ] {
            assert!(said.contains(words), "{command}: {words}\n{seen}");
        }
    }
    home.must_not_write(&format!("onboard fraud {bare} --yes"), 0);
    // The doctor says the same.
    let doctor = json_of(&home, "doctor --sandbox", 0);
    let key = |doctor: &Value| {
        let checks = doctor["checks"].as_array().unwrap();
        checks
            .iter()
            .find(|check| check["name"] == "Kafka key")
            .unwrap()
            .clone()
    };
    let good = key(&doctor);
    assert_eq!(good["state"], "ok");
    assert!(
        good["detail"].as_str().unwrap().ends_with("lkc-prod01 shows it 8 ACLs"),
        "{good}"
    );
}

#[test]
fn offboarding_removes_them_lists_the_topics_and_names_what_it_did_not_look_at() {
    let home = onboarded();
    for topic in ["claims-orders", "claims-payments", "fraud-cases"] {
        let body = json!({ "topic_name": topic });
        home.done(
            &home.kafka(),
            "POST",
            "/kafka/v3/clusters/lkc-prod01/topics",
            Some(body),
        );
    }
    let fraud = home.account("ebs-prod-fraud-operator");
    home.acl(&format!("TOPIC#claims-orders#LITERAL#User:{fraud}#*#READ#ALLOW"));
    home.acl(&format!("TOPIC#fraud-#PREFIXED#User:{fraud}#*#READ#ALLOW"));
    let planned = home.must_not_write("offboard claims --sandbox --dry-run", 0);
    let said = words(&planned.stdout);
    assert!(said.contains("claims-runtime ALLOW WRITE topic dlq-lcc*"), "{planned}");
    assert!(
        said.contains("Topics of the prefix, which stay claims-orders claims-payments"),
        "{planned}"
    );
    assert!(!said.contains("fraud-cases"), "{planned}");

    // What is about others stays, is named, and makes it incomplete.
    let answer = json_of(&home, "offboard claims --sandbox --yes", 3);
    assert_eq!(answer["topics"], json!(["claims-orders", "claims-payments"]));
    assert_eq!(answer["foreign_acls"].as_array().unwrap().len(), 1);
    let proof = &answer["proof"];
    assert_eq!(proof["left"], json!([]));
    let others = proof["others"].to_string();
    assert!(others.contains("ALLOW READ on topic claims-orders"), "{others}");
    assert_eq!(proof["others"].as_array().unwrap().len(), 1, "{others}");
    let unseen = proof["not_looked_at"].to_string();
    assert!(!unseen.contains("ACLs"), "{unseen}");
    assert!(unseen.contains("what is in topics"), "{unseen}");
    let stay = [
        "TOPIC#claims-orders#LITERAL#User:ebs-prod-fraud-operator#*#READ#ALLOW",
        "TOPIC#fraud-#PREFIXED#User:ebs-prod-fraud-operator#*#READ#ALLOW",
    ];
    assert_eq!(home.acls(), stay, "all eight are gone, those of others are not");

    let seen = home.must("offboard claims --remove-foreign --sandbox --yes", 0);
    assert!(words(&seen.stdout).contains("1 removal"), "{seen}");
    assert_eq!(home.acls(), stay[1..]);
    // Without a key of the cluster nothing is left to refuse, and what was not looked at is named.
    let bare = without_kafka_key(&home);
    let answer = json_of(&home, &format!("offboard claims {bare} --yes"), 0);
    assert_eq!(answer["topics"], Value::Null);
    let unseen = answer["proof"]["not_looked_at"].to_string();
    for what in [
        "ACLs of the cluster: there is no API key",
        "topics of the prefix: there is no API key",
    ] {
        assert!(unseen.contains(what), "{unseen}");
    }
    // No topic was touched.
    let topics = home.done(&home.kafka(), "GET", "/kafka/v3/clusters/lkc-prod01/topics", None);
    assert_eq!(topics["data"].as_array().unwrap().len(), 3);
}

// T14.
#[test]
fn the_audit_finds_a_stray_acl_and_mends_what_is_ours() {
    let home = onboarded();
    let clean = json_of(&home, "access audit --sandbox-as admin --strict", 0);
    let of = |audited: &Value, rule: &str| {
        let rules = audited["rules"].as_array().unwrap();
        rules.iter().find(|row| row["rule"] == rule).unwrap().clone()
    };
    assert_eq!(of(&clean, "stray-acl")["verdict"], "absent");
    let viewer = home.account("ebs-prod-claims-viewer");
    let stray = format!("TOPIC#fraud-#PREFIXED#User:{viewer}#*#READ#ALLOW");
    home.acl(&stray);
    let found = of(&json_of(&home, "access audit --sandbox", 5), "stray-acl");
    assert_eq!(found["findings"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["findings"][0]["subject"], json!(stray));
    assert_eq!(found["findings"][0]["severity"], "error");
    home.must("access audit --fix --sandbox --yes", 0);
    assert_eq!(home.acls(), wanted(RUNTIME));
}

/// A persona with a key of the cluster, and ACLs that it needs one for.
const APPLICATION: &str = r#"
[[persona]]
name = "application"
description = "The department's own programs."
keys = ["kafka"]

[[persona.grant]]
role = "DeveloperRead"
on = "topic:{prefix}*"
why = "programs read the department's topics"

[[persona.acl]]
operations = ["WRITE"]
on = "topic:{prefix}*"
why = "programs write the department's topics, and delete none"
"#;

#[test]
fn revoking_says_which_acls_a_persona_loses_where_it_knows() {
    let home = platform();
    home.world
        .write("rbac-templates/sinks.toml", format!("{TEMPLATE}{APPLICATION}"));
    home.must("onboard --all --sandbox --yes", 0);
    let account = home.account("ebs-prod-claims-application");
    let keys = home.sandbox().keys().unwrap();
    let key = |owner: &str| {
        keys.iter()
            .find(|key| key.spec.owner.id == owner)
            .unwrap()
            .id
            .to_string()
    };
    let own = key(&account);
    let command = format!("keys revoke {own} --now --no-replace --dry-run");
    let seen = home.must_not_write(&format!("{command} --sandbox"), 0);
    assert!(
        words(&seen.stdout).contains(
            "application of department claims loses its ACLs until it has another key of the cluster: ALLOW WRITE on \
             topic claims-*"
        ),
        "{seen}"
    );
    let bare = without_kafka_key(&home);
    let seen = home.must_not_write(&format!("{command} {bare}"), 0);
    assert!(
        words(&seen.stdout)
            .contains("may have ACLs that open nothing without a key of the cluster: there is no API key"),
        "{seen}"
    );
    // A Cloud key opens nothing in Kafka.
    let cloud = key(&home.account("ebs-prod-claims-viewer"));
    let seen = home.must_not_write(
        &format!("keys revoke {cloud} --now --no-replace --dry-run --sandbox"),
        0,
    );
    assert!(!seen.stdout.contains("ACL"), "{seen}");
}

/// What is urgent does not wait for Kafka REST: it is asked once.
#[test]
fn a_leaked_key_is_revoked_while_kafka_rest_is_down() {
    let home = onboarded();
    let key = home.key("claims-operator");
    let down = Fault::once(FaultKind::ServerError).on("GET", "/kafka/**").times(100);
    home.sandbox().add_fault(down).unwrap();
    let before = home.sandbox().journal().unwrap().len();
    home.must(&format!("keys revoke {} --now --sandbox --yes", key.id), 0);
    let journal = home.sandbox().journal().unwrap();
    let asked = journal[before..]
        .iter()
        .filter(|entry| entry.path.starts_with("/kafka/") && entry.method == "GET");
    assert_eq!(asked.count(), 1);
    assert_eq!(home.send(&key, "GET", "/org/v2/environments", None).0, 401);
    // Nor do lists of keys, which say nothing about ACLs.
    let before = home.sandbox().journal().unwrap().len();
    home.must("keys list claims --sandbox", 0);
    let journal = home.sandbox().journal().unwrap();
    assert!(journal[before..].iter().all(|entry| !entry.path.starts_with("/kafka/")));
}

// Design §7: what the service does at Kafka REST, and a rerun, end where an undisturbed run ends.
#[test]
fn bad_weather_at_kafka_rest_is_survived() {
    let kinds = [
        FaultKind::LostBefore,
        FaultKind::LostAfter,
        FaultKind::ServerError,
        FaultKind::TooManyRequests { retry_after: 7 },
        FaultKind::KillAfter,
    ];
    let mut cases = 0;
    for kind in kinds {
        // The list, the first ACL and the last.
        for (method, skip) in [("GET", 0), ("POST", 0), ("POST", 7)] {
            let home = platform();
            let case = format!("{kind:?} at {method} {skip}");
            let fault = Fault::once(kind).on(method, "/kafka/**").skipping(skip);
            home.must("sandbox info", 0);
            home.sandbox().add_fault(fault).unwrap();
            let mut runs = 0;
            let done = loop {
                runs += 1;
                let seen = home.ebs("onboard --all --sandbox --yes");
                if seen.code == Some(0) || runs == 3 {
                    break seen;
                }
            };
            assert_eq!(done.code, Some(0), "{case}\n{done}");
            let journal = home.sandbox().journal().unwrap();
            assert_eq!(
                journal.iter().filter(|entry| entry.fault.is_some()).count(),
                1,
                "{case}: it never happened"
            );
            assert_eq!(home.acls(), wanted(RUNTIME), "{case}");
            home.must_not_write("onboard --all --sandbox --yes", 0);
            cases += 1;
        }
    }
    assert_eq!(cases, 15);
}

// Docs `access-control/acls`: whoever may DESCRIBE the cluster sees ACLs, and ALTER changes them. Who may not look cannot
// plan; who may not change does what is left of the rest, and a rerun with the right key does this.
#[test]
fn a_refusal_of_kafka_rest_is_told_and_a_rerun_does_the_rest() {
    let home = platform();
    home.must("onboard fraud --sandbox --yes", 0);
    let other = home.account("ebs-prod-fraud-operator");
    let weak = home.make_key(&home.admin(), &other, "lkc-prod01");
    let provisioner = home.provisioner();
    let own = home.key("fraud-operator");
    let text = std::fs::read_to_string(home.folder().join("handover/fraud-operator.toml")).unwrap();
    let text = text
        .replace(&own.id, &provisioner.id)
        .replace(&own.secret, &provisioner.secret);
    let kafka = format!("\n[key.kafka]\nid = \"{}\"\nsecret = \"{}\"\n", weak.id, weak.secret);
    home.world.write("weak.toml", text + &kafka);
    let command = "onboard claims --profile weak.toml --yes";
    let seen = home.must_not_write(command, 5);
    let said = words(&seen.stderr);
    assert!(
        said.contains("could not be looked at") && said.contains("403"),
        "{seen}"
    );

    home.acl(&format!("CLUSTER#kafka-cluster#LITERAL#User:{other}#*#DESCRIBE#ALLOW"));
    let seen = home.must(command, 3);
    assert!(words(&seen.to_string()).contains("topic dlq-lcc*"), "{seen}");
    let acls = |home: &Home| -> Vec<String> {
        let mut acls = home.acls();
        acls.retain(|acl| !acl.starts_with("CLUSTER#"));
        acls
    };
    assert_eq!(acls(&home), [] as [String; 0]);
    home.must("onboard claims --sandbox --yes", 0);
    assert_eq!(acls(&home), wanted(RUNTIME));
    home.must_not_write("onboard claims --sandbox --yes", 0);
}

#[test]
fn an_offboarding_in_bad_weather_leaves_no_acl() {
    for kind in [
        FaultKind::LostAfter,
        FaultKind::ServerError,
        FaultKind::KillAfter,
        FaultKind::KillBefore,
    ] {
        let home = onboarded();
        let fault = Fault::once(kind).on("DELETE", "/kafka/**").skipping(3);
        home.sandbox().add_fault(fault).unwrap();
        let mut codes = BTreeSet::new();
        for _ in 0..3 {
            let code = home.ebs("offboard claims --sandbox --yes").code;
            codes.insert(code);
            if code == Some(0) {
                break;
            }
        }
        assert!(codes.contains(&Some(0)), "{kind:?}: {codes:?}");
        assert_eq!(home.acls(), [] as [String; 0], "{kind:?}");
        let left = home.left();
        assert!(!left.accounts.keys().any(|name| name.contains("claims")), "{kind:?}");
    }
}

/// A service that lets nobody look at anything but the organization, the key, and a cluster whose Kafka REST is elsewhere.
async fn leading_to(http_endpoint: &str) -> MockServer {
    let server = MockServer::start().await;
    let list = |data: Value| {
        ResponseTemplate::new(200)
            .set_body_json(json!({ "api_version": "x", "kind": "x", "metadata": {}, "data": data }))
    };
    let key =
        json!({ "id": "ABCDEFGHIJKLMNOP", "spec": { "owner": { "id": "sa-abc123" }, "resource": { "id": "cloud" } } });
    let cluster = json!({
        "id": "lkc-prod01", "status": { "phase": "PROVISIONED" },
        "spec": { "config": { "kind": "Standard" }, "http_endpoint": http_endpoint }
    });
    let refusal = json!({ "errors": [{ "detail": "no", "status": "403" }] });
    let organizations = list(json!([{ "id": "11111111-2222-3333-4444-555555555555" }]));
    for (route, answer) in [
        ("/org/v2/organizations", organizations),
        (
            "/iam/v2/api-keys/ABCDEFGHIJKLMNOP",
            ResponseTemplate::new(200).set_body_json(key),
        ),
        (
            "/cmk/v2/clusters/lkc-prod01",
            ResponseTemplate::new(200).set_body_json(cluster),
        ),
    ] {
        let mock = Mock::given(method("GET")).and(path(route)).respond_with(answer);
        server.register(mock).await;
    }
    let acls = ResponseTemplate::new(200).set_body_json(json!({ "data": [] }));
    server
        .register(Mock::given(path_regex("^/kafka/v3/")).respond_with(acls))
        .await;
    let rest = Mock::given(any()).respond_with(ResponseTemplate::new(403).set_body_json(refusal));
    server.register(rest.with_priority(9)).await;
    server
}

// The answer of a service decides where a key goes, so it must not lead away from Confluent.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_elsewhere_never_gets_the_key() {
    const CANARY: &str = "cfltcanary/of+the/cluster";
    let ask = |server: &MockServer, more: &str| {
        let world = World::new();
        let onboarded = platform();
        for file in [
            "ebs.toml",
            "departments/claims.toml",
            "departments/fraud.toml",
            "rbac-templates/sinks.toml",
        ] {
            world.write(file, onboarded.world.read(file));
        }
        let profile = format!(
            "department = \"claims\"\nname = \"Claims\"\npersona = \"operator\"\nprefix = \"claims-\"\n\
             issued = 2026-11-22\nstage = \"prod\"\nendpoint = \"{}\"\n\
             organization = \"11111111-2222-3333-4444-555555555555\"\nenvironment = \"env-prod01\"\n\
             cluster = \"lkc-prod01\"\n[quota]\nconnectors = 1\ntasks = 1\ntasks_per_connector = 1\nplugins = [\"*\"]\n\
             [key]\nid = \"ABCDEFGHIJKLMNOP\"\nsecret = \"canary\"\n\
             [key.kafka]\nid = \"KAFKAKAFKAKAFKA1\"\nsecret = \"{CANARY}\"\n",
            server.uri()
        );
        world.write("p.toml", profile);
        // Whoever goes out of this computer comes by here, and no further.
        let way_out = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = way_out.local_addr().unwrap();
        let went = Arc::new(AtomicBool::new(false));
        let gate = went.clone();
        std::thread::spawn(move || way_out.incoming().for_each(|_| gate.store(true, Ordering::SeqCst)));
        let mut command = world.command();
        command
            .args("access who-can read topic/claims-orders --profile p.toml".split(' '))
            .args(more.split_whitespace())
            .env("HTTPS_PROXY", format!("http://{address}"));
        let seen = tokio::task::block_in_place(|| world.see(&mut command));
        assert!(!seen.to_string().contains(CANARY), "{seen}");
        (seen, went.load(Ordering::SeqCst))
    };
    let elsewhere = leading_to("https://pkc-00000.example.com:443").await;
    let (seen, went) = ask(&elsewhere, "");
    assert!(!went, "{seen}");
    let said = words(&seen.to_string());
    assert!(
        said.contains("the address that the service tells for Kafka REST cannot be used")
            && said.contains("pkc-00000.example.com"),
        "{seen}"
    );
    // Not because nothing ever goes out: whoever trusts the host is taken there.
    let (_, went) = ask(&elsewhere, "--trust-endpoint pkc-00000.example.com");
    assert!(went);
    let here = MockServer::start().await;
    let near = leading_to(&here.uri()).await;
    ask(&near, "");
    let asked = here.received_requests().await.unwrap();
    assert!(
        asked.iter().any(|request| request.url.path().starts_with("/kafka/v3/")),
        "{asked:?}"
    );
    assert!(
        near.received_requests()
            .await
            .unwrap()
            .iter()
            .all(|request| !request.url.path().starts_with("/kafka/"))
    );
}
