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

use crate::{common::CliFixture, sandbox_cli_fixture::SandboxCliFixture};

/// `hybrid` with the ACLs of docs/reference/rbac.md#personas.
const HYBRID_TEMPLATE: &str = include_str!("../../examples/templates/hybrid.toml");

/// Where only the department claims asks for ACLs.
fn fixture_with_acl_template() -> SandboxCliFixture {
    let fixture = SandboxCliFixture::new();
    fixture.cli.write(
        "ebs.toml",
        "default_stage = \"prod\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n[stages.prod]\n\
         environment = \"env-prod01\"\ncluster = \"lkc-prod01\"\nschema_registry = \"lsrc-prod01\"\n",
    );
    fixture.cli.write("rbac-templates/sinks.toml", HYBRID_TEMPLATE);
    for (code, template) in [("claims", "sinks"), ("fraud", "hybrid")] {
        let text =
            format!("name = \"{code}\"\nprefix = \"{code}-\"\ntemplate = \"{template}\"\n\n[quota]\nconnectors = 3\n");
        fixture.cli.write(format!("departments/{code}.toml"), text);
    }
    fixture
}

fn fixture_with_acls() -> SandboxCliFixture {
    let fixture = fixture_with_acl_template();
    fixture.run_expecting("onboard --all --sandbox --yes", 0);
    fixture
}

/// What docs/reference/rbac.md#personas gives the runtime account, for whoever goes by `name`.
fn expected_acls(name: &str) -> Vec<String> {
    let mut acls: Vec<String> = ["dlq-lcc", "success-lcc", "error-lcc", "data-preview"]
        .iter()
        .flat_map(|begin| ["CREATE", "WRITE"].map(|what| format!("TOPIC#{begin}#PREFIXED#User:{name}#*#{what}#ALLOW")))
        .collect();
    acls.sort();
    acls
}

const RUNTIME_ACCOUNT: &str = "ebs-prod-claims-runtime";

fn run_json(fixture: &SandboxCliFixture, args: &str, code: i32) -> Value {
    let output = fixture.run_expecting(&format!("{args} -o json"), code);
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"))
}

fn normalize_whitespace(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Acts as the provisioner with its Cloud key alone.
fn profile_without_kafka_key(fixture: &SandboxCliFixture) -> &'static str {
    fixture.write_profile_with_key(&fixture.provisioner_key());
    "--profile other.toml"
}

#[test]
fn a_template_with_acls_creates_them_once_and_prune_removes_others() {
    let fixture = fixture_with_acl_template();
    let planned = fixture.run_without_writes("onboard claims --sandbox --dry-run", 0);
    let said = normalize_whitespace(&planned.stdout);
    assert!(said.contains("claims-runtime ALLOW WRITE topic dlq-lcc*"), "{planned}");
    assert!(said.contains("ALLOW CREATE topic data-preview*"), "{planned}");

    fixture.run_expecting("onboard --all --sandbox --yes", 0);
    assert_eq!(
        fixture.acls(),
        expected_acls(RUNTIME_ACCOUNT),
        "and none for fraud, whose template asks for none"
    );
    fixture.run_without_writes("onboard --all --sandbox --yes", 0);

    // Surplus is told and kept until it is asked to go; what is missing comes back; what others have is left.
    let runtime = fixture.account_id(RUNTIME_ACCOUNT);
    fixture.create_acl(&format!("TOPIC#claims-#PREFIXED#User:{runtime}#*#DELETE#ALLOW"));
    fixture.create_acl("TOPIC#claims-orders#LITERAL#User:u-eve#*#READ#ALLOW");
    let output = fixture.run_without_writes("onboard claims --sandbox --yes", 0);
    assert!(
        normalize_whitespace(&output.to_string()).contains("ALLOW DELETE topic claims-*"),
        "{output}"
    );
    fixture.delete_acl(
        &format!("TOPIC#dlq-lcc#PREFIXED#User:{runtime}#*#WRITE#ALLOW")
            .parse()
            .unwrap(),
    );
    fixture.run_expecting("onboard claims --prune --sandbox --yes", 0);
    let mut after = expected_acls(RUNTIME_ACCOUNT);
    after.push("TOPIC#claims-orders#LITERAL#User:u-eve#*#READ#ALLOW".into());
    after.sort();
    assert_eq!(fixture.acls(), after);
    fixture.run_without_writes("onboard claims --prune --sandbox --yes", 0);
}

#[test]
fn without_a_kafka_key_only_departments_with_acls_are_refused() {
    let fixture = fixture_with_acls();
    let bare = profile_without_kafka_key(&fixture);
    for command in ["onboard claims", "offboard claims"] {
        let output = fixture.run_without_writes(&format!("{command} {bare} --yes"), 5);
        let said = normalize_whitespace(&output.stderr);
        for words in [
            "its template `sinks` grants ACLs, but the ACLs of Kafka cluster `lkc-prod01` could not be listed",
            "no API key of Kafka cluster `lkc-prod01`",
            "confluent api-key create --resource lkc-prod01 --service-account sa-",
            "CONFLUENT_EBS_KAFKA_API_SECRET",
        ] {
            assert!(said.contains(words), "{command}: {words}\n{output}");
        }
    }
    fixture.run_without_writes(&format!("onboard fraud {bare} --yes"), 0);
    // The doctor says the same.
    let doctor = run_json(&fixture, "doctor --sandbox", 0);
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
        good["detail"]
            .as_str()
            .unwrap()
            .ends_with("can list 8 ACLs of lkc-prod01"),
        "{good}"
    );
}

#[test]
fn offboarding_removes_acls_lists_topics_and_names_unchecked_resources() {
    let fixture = fixture_with_acls();
    for topic in ["claims-orders", "claims-payments", "fraud-cases"] {
        let body = json!({ "topic_name": topic });
        fixture.send_ok(
            &fixture.kafka_key(),
            "POST",
            "/kafka/v3/clusters/lkc-prod01/topics",
            Some(body),
        );
    }
    let fraud = fixture.account_id("ebs-prod-fraud-operator");
    fixture.create_acl(&format!("TOPIC#claims-orders#LITERAL#User:{fraud}#*#READ#ALLOW"));
    fixture.create_acl(&format!("TOPIC#fraud-#PREFIXED#User:{fraud}#*#READ#ALLOW"));
    let planned = fixture.run_without_writes("offboard claims --sandbox --dry-run", 0);
    let said = normalize_whitespace(&planned.stdout);
    assert!(said.contains("claims-runtime ALLOW WRITE topic dlq-lcc*"), "{planned}");
    assert!(
        said.contains("Topics with the prefix (kept) claims-orders claims-payments"),
        "{planned}"
    );
    assert!(!said.contains("fraud-cases"), "{planned}");

    // What is about others stays, is named, and makes it incomplete.
    let answer = run_json(&fixture, "offboard claims --sandbox --yes", 3);
    assert_eq!(answer["topics"], json!(["claims-orders", "claims-payments"]));
    assert_eq!(answer["foreign_acls"].as_array().unwrap().len(), 1);
    let proof = &answer["proof"];
    assert_eq!(proof["remaining"], json!([]));
    let others = proof["others"].to_string();
    assert!(others.contains("ALLOW READ on topic claims-orders"), "{others}");
    assert_eq!(proof["others"].as_array().unwrap().len(), 1, "{others}");
    let unseen = proof["not_observed"].to_string();
    assert!(!unseen.contains("ACLs"), "{unseen}");
    assert!(unseen.contains("contents of topics"), "{unseen}");
    let stay = [
        "TOPIC#claims-orders#LITERAL#User:ebs-prod-fraud-operator#*#READ#ALLOW",
        "TOPIC#fraud-#PREFIXED#User:ebs-prod-fraud-operator#*#READ#ALLOW",
    ];
    assert_eq!(fixture.acls(), stay, "all eight are gone, those of others are not");

    let output = fixture.run_expecting("offboard claims --remove-foreign --sandbox --yes", 0);
    assert!(normalize_whitespace(&output.stdout).contains("1 change"), "{output}");
    assert_eq!(fixture.acls(), stay[1..]);
    // Without a key of the cluster nothing is left to refuse, and what was not looked at is named.
    let bare = profile_without_kafka_key(&fixture);
    let answer = run_json(&fixture, &format!("offboard claims {bare} --yes"), 0);
    assert_eq!(answer["topics"], Value::Null);
    let unseen = answer["proof"]["not_observed"].to_string();
    for what in ["ACLs of the cluster: no API key", "topics with the prefix: no API key"] {
        assert!(unseen.contains(what), "{unseen}");
    }
    // No topic was touched.
    let topics = fixture.send_ok(
        &fixture.kafka_key(),
        "GET",
        "/kafka/v3/clusters/lkc-prod01/topics",
        None,
    );
    assert_eq!(topics["data"].as_array().unwrap().len(), 3);
}

// T14.
#[test]
fn the_audit_reports_unmanaged_acls_and_fixes_managed_ones() {
    let fixture = fixture_with_acls();
    let clean = run_json(&fixture, "access audit --sandbox-as admin --strict", 0);
    let of = |audited: &Value, rule: &str| {
        let rules = audited["rules"].as_array().unwrap();
        rules.iter().find(|row| row["rule"] == rule).unwrap().clone()
    };
    assert_eq!(of(&clean, "unmanaged-acl")["verdict"], "absent");
    let viewer = fixture.account_id("ebs-prod-claims-viewer");
    let stray = format!("TOPIC#fraud-#PREFIXED#User:{viewer}#*#READ#ALLOW");
    fixture.create_acl(&stray);
    let found = of(&run_json(&fixture, "access audit --sandbox", 5), "unmanaged-acl");
    assert_eq!(found["findings"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["findings"][0]["subject"], json!(stray));
    assert_eq!(found["findings"][0]["severity"], "error");
    fixture.run_expecting("access audit --fix --sandbox --yes", 0);
    assert_eq!(fixture.acls(), expected_acls(RUNTIME_ACCOUNT));
}

/// A persona with a key of the cluster, and ACLs that it needs one for.
const APPLICATION_PERSONA: &str = r#"
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
fn revoke_names_the_acls_a_persona_loses_when_they_are_known() {
    let fixture = fixture_with_acl_template();
    fixture.cli.write(
        "rbac-templates/sinks.toml",
        format!("{HYBRID_TEMPLATE}{APPLICATION_PERSONA}"),
    );
    fixture.run_expecting("onboard --all --sandbox --yes", 0);
    let account = fixture.account_id("ebs-prod-claims-application");
    let keys = fixture.sandbox().keys().unwrap();
    let key = |owner: &str| {
        keys.iter()
            .find(|key| key.spec.owner.id == owner)
            .unwrap()
            .id
            .to_string()
    };
    let own = key(&account);
    let command = format!("keys revoke {own} --now --no-replace --dry-run");
    let output = fixture.run_without_writes(&format!("{command} --sandbox"), 0);
    assert!(
        normalize_whitespace(&output.stdout).contains(
            "application of department `claims` cannot use its ACLs until it has another key for the cluster: ALLOW \
             WRITE on topic claims-*"
        ),
        "{output}"
    );
    let bare = profile_without_kafka_key(&fixture);
    let output = fixture.run_without_writes(&format!("{command} {bare}"), 0);
    assert!(
        normalize_whitespace(&output.stdout)
            .contains("may have ACLs, which cannot be used without a key for the cluster (not listed: no API key"),
        "{output}"
    );
    // A Cloud key opens nothing in Kafka.
    let cloud = key(&fixture.account_id("ebs-prod-claims-viewer"));
    let output = fixture.run_without_writes(
        &format!("keys revoke {cloud} --now --no-replace --dry-run --sandbox"),
        0,
    );
    assert!(!output.stdout.contains("ACL"), "{output}");
}

/// What is urgent does not wait for Kafka REST: it is asked once.
#[test]
fn a_leaked_key_is_revoked_while_kafka_rest_is_down() {
    let fixture = fixture_with_acls();
    let key = fixture.profile_key("claims-operator");
    let down = Fault::once(FaultKind::ServerError)
        .for_requests("GET", "/kafka/**")
        .times(100);
    fixture.sandbox().add_fault(down).unwrap();
    let before = fixture.sandbox().journal().unwrap().len();
    fixture.run_expecting(&format!("keys revoke {} --now --sandbox --yes", key.id), 0);
    let journal = fixture.sandbox().journal().unwrap();
    let asked = journal[before..]
        .iter()
        .filter(|entry| entry.path.starts_with("/kafka/") && entry.method == "GET");
    assert_eq!(asked.count(), 1);
    assert_eq!(fixture.send(&key, "GET", "/org/v2/environments", None).0, 401);
    // Nor do lists of keys, which say nothing about ACLs.
    let before = fixture.sandbox().journal().unwrap().len();
    fixture.run_expecting("keys list claims --sandbox", 0);
    let journal = fixture.sandbox().journal().unwrap();
    assert!(journal[before..].iter().all(|entry| !entry.path.starts_with("/kafka/")));
}

// What the service does at Kafka REST, and a rerun, end where an undisturbed run ends.
#[test]
fn onboarding_survives_kafka_rest_faults() {
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
            let fixture = fixture_with_acl_template();
            let case = format!("{kind:?} at {method} {skip}");
            let fault = Fault::once(kind).for_requests(method, "/kafka/**").after_requests(skip);
            fixture.run_expecting("sandbox info", 0);
            fixture.sandbox().add_fault(fault).unwrap();
            let mut runs = 0;
            let done = loop {
                runs += 1;
                let output = fixture.run("onboard --all --sandbox --yes");
                if output.code == Some(0) || runs == 3 {
                    break output;
                }
            };
            assert_eq!(done.code, Some(0), "{case}\n{done}");
            let journal = fixture.sandbox().journal().unwrap();
            assert_eq!(
                journal.iter().filter(|entry| entry.fault.is_some()).count(),
                1,
                "{case}: it never happened"
            );
            assert_eq!(fixture.acls(), expected_acls(RUNTIME_ACCOUNT), "{case}");
            fixture.run_without_writes("onboard --all --sandbox --yes", 0);
            cases += 1;
        }
    }
    assert_eq!(cases, 15);
}

// Docs `access-control/acls`: whoever may DESCRIBE the cluster sees ACLs, and ALTER changes them. Who may not look cannot
// plan; who may not change does what is left of the rest, and a rerun with the right key does this.
#[test]
fn a_kafka_rest_refusal_is_reported_and_a_rerun_completes() {
    let fixture = fixture_with_acl_template();
    fixture.run_expecting("onboard fraud --sandbox --yes", 0);
    let other = fixture.account_id("ebs-prod-fraud-operator");
    let weak = fixture.create_key(&fixture.admin_key(), &other, "lkc-prod01");
    let provisioner = fixture.provisioner_key();
    let own = fixture.profile_key("fraud-operator");
    let text = std::fs::read_to_string(fixture.state_dir().join("handover/fraud-operator.toml")).unwrap();
    let text = text
        .replace(&own.id, &provisioner.id)
        .replace(&own.secret, &provisioner.secret);
    let kafka = format!("\n[key.kafka]\nid = \"{}\"\nsecret = \"{}\"\n", weak.id, weak.secret);
    fixture.cli.write("weak.toml", text + &kafka);
    let command = "onboard claims --profile weak.toml --yes";
    let output = fixture.run_without_writes(command, 5);
    let said = normalize_whitespace(&output.stderr);
    assert!(said.contains("could not be listed") && said.contains("403"), "{output}");

    fixture.create_acl(&format!("CLUSTER#kafka-cluster#LITERAL#User:{other}#*#DESCRIBE#ALLOW"));
    let output = fixture.run_expecting(command, 3);
    assert!(
        normalize_whitespace(&output.to_string()).contains("topic dlq-lcc*"),
        "{output}"
    );
    let acls = |fixture: &SandboxCliFixture| -> Vec<String> {
        let mut acls = fixture.acls();
        acls.retain(|acl| !acl.starts_with("CLUSTER#"));
        acls
    };
    assert_eq!(acls(&fixture), [] as [String; 0]);
    fixture.run_expecting("onboard claims --sandbox --yes", 0);
    assert_eq!(acls(&fixture), expected_acls(RUNTIME_ACCOUNT));
    fixture.run_without_writes("onboard claims --sandbox --yes", 0);
}

#[test]
fn offboarding_under_kafka_rest_faults_leaves_no_acl() {
    for kind in [
        FaultKind::LostAfter,
        FaultKind::ServerError,
        FaultKind::KillAfter,
        FaultKind::KillBefore,
    ] {
        let fixture = fixture_with_acls();
        let fault = Fault::once(kind).for_requests("DELETE", "/kafka/**").after_requests(3);
        fixture.sandbox().add_fault(fault).unwrap();
        let mut codes = BTreeSet::new();
        for _ in 0..3 {
            let code = fixture.run("offboard claims --sandbox --yes").code;
            codes.insert(code);
            if code == Some(0) {
                break;
            }
        }
        assert!(codes.contains(&Some(0)), "{kind:?}: {codes:?}");
        assert_eq!(fixture.acls(), [] as [String; 0], "{kind:?}");
        let left = fixture.provisioned_state();
        assert!(!left.accounts.keys().any(|name| name.contains("claims")), "{kind:?}");
    }
}

/// A service that lets nobody look at anything but the organization, the key, and a cluster whose Kafka REST is elsewhere.
async fn mount_cluster_with_kafka_rest(http_endpoint: &str) -> MockServer {
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
async fn a_kafka_rest_endpoint_on_another_host_never_gets_the_key() {
    const CANARY: &str = "cfltcanary/of+the/cluster";
    let ask = |server: &MockServer, more: &str| {
        let cli = CliFixture::new();
        let onboarded = fixture_with_acl_template();
        for file in [
            "ebs.toml",
            "departments/claims.toml",
            "departments/fraud.toml",
            "rbac-templates/sinks.toml",
        ] {
            cli.write(file, onboarded.cli.read(file));
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
        cli.write("p.toml", profile);
        // Whoever goes out of this computer comes by here, and no further.
        let way_out = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = way_out.local_addr().unwrap();
        let went = Arc::new(AtomicBool::new(false));
        let gate = went.clone();
        std::thread::spawn(move || way_out.incoming().for_each(|_| gate.store(true, Ordering::SeqCst)));
        let mut command = cli.command();
        command
            .args("access who-can read topic/claims-orders --profile p.toml".split(' '))
            .args(more.split_whitespace())
            .env("HTTPS_PROXY", format!("http://{address}"));
        let output = tokio::task::block_in_place(|| cli.run_command(&mut command));
        assert!(!output.to_string().contains(CANARY), "{output}");
        (output, went.load(Ordering::SeqCst))
    };
    let elsewhere = mount_cluster_with_kafka_rest("https://pkc-00000.example.com:443").await;
    let (output, went) = ask(&elsewhere, "");
    assert!(!went, "{output}");
    let said = normalize_whitespace(&output.to_string());
    assert!(
        said.contains("invalid Kafka REST endpoint") && said.contains("pkc-00000.example.com"),
        "{output}"
    );
    // Not because nothing ever goes out: whoever trusts the host is taken there.
    let (_, went) = ask(&elsewhere, "--trust-endpoint pkc-00000.example.com");
    assert!(went);
    let here = MockServer::start().await;
    let near = mount_cluster_with_kafka_rest(&here.uri()).await;
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
