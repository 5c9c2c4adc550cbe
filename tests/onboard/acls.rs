//! Kafka ACLs from the binary: a template that asks for them, from the first plan to the last proof, with and
//! without faults.

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

use crate::common::{Cli, JsonAccess as _, normalize_whitespace};

/// `hybrid` with the ACLs of docs/reference/rbac.md#personas.
const HYBRID_TEMPLATE: &str = include_str!("../../examples/templates/hybrid.toml");

/// Where only the department claims asks for ACLs.
fn cli_with_acl_template() -> Cli {
    let departments = [("claims", "sinks"), ("fraud", "hybrid")].map(|(code, template)| {
        let text =
            format!("name = \"{code}\"\nprefix = \"{code}-\"\ntemplate = \"{template}\"\n\n[quota]\nconnectors = 3\n");
        (code, text)
    });
    let cli = Cli::with_platform(departments);
    cli.write("rbac-templates/sinks.toml", HYBRID_TEMPLATE);
    cli
}

fn cli_with_acls() -> Cli {
    let cli = cli_with_acl_template();
    cli.run("onboard --all --sandbox --yes").expect_success();
    cli
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

/// Acts as the provisioner with its Cloud key alone.
fn profile_without_kafka_key(cli: &Cli) -> &'static str {
    cli.write_profile_with_key(&cli.provisioner_key());
    "--profile other.toml"
}

#[test]
fn a_template_with_acls_creates_them_once_and_prune_removes_others() {
    let cli = cli_with_acl_template();
    let planned = cli.run_without_writes("onboard claims --sandbox --dry-run", 0);
    let said = planned.stdout_line();
    assert!(said.contains("claims-runtime ALLOW WRITE topic dlq-lcc*"), "{planned}");
    assert!(said.contains("ALLOW CREATE topic data-preview*"), "{planned}");

    cli.run("onboard --all --sandbox --yes").expect_success();
    assert_eq!(
        cli.acls(),
        expected_acls(RUNTIME_ACCOUNT),
        "and none for fraud, whose template asks for none"
    );
    cli.run_without_writes("onboard --all --sandbox --yes", 0);

    // Surplus ACLs are reported and kept until `--prune`; missing ACLs are created; ACLs of others are unchanged.
    let runtime = cli.account_id(RUNTIME_ACCOUNT);
    cli.create_acl(&format!("TOPIC#claims-#PREFIXED#User:{runtime}#*#DELETE#ALLOW"));
    cli.create_acl("TOPIC#claims-orders#LITERAL#User:u-eve#*#READ#ALLOW");
    let output = cli.run_without_writes("onboard claims --sandbox --yes", 0);
    assert!(
        normalize_whitespace(&output.to_string()).contains("ALLOW DELETE topic claims-*"),
        "{output}"
    );
    cli.delete_acl(
        &format!("TOPIC#dlq-lcc#PREFIXED#User:{runtime}#*#WRITE#ALLOW")
            .parse()
            .unwrap(),
    );
    cli.run("onboard claims --prune --sandbox --yes").expect_success();
    let mut after = expected_acls(RUNTIME_ACCOUNT);
    after.push("TOPIC#claims-orders#LITERAL#User:u-eve#*#READ#ALLOW".into());
    after.sort();
    assert_eq!(cli.acls(), after);
    cli.run_without_writes("onboard claims --prune --sandbox --yes", 0);
}

#[test]
fn without_a_kafka_key_only_departments_with_acls_are_refused() {
    let cli = cli_with_acls();
    let bare = profile_without_kafka_key(&cli);
    for command in ["onboard claims", "offboard claims"] {
        let output = cli.run_without_writes(&format!("{command} {bare} --yes"), 5);
        let said = output.stderr_line();
        for words in [
            "its template `sinks` grants ACLs, but the ACLs of Kafka cluster `lkc-prod01` could not be listed",
            "no API key of Kafka cluster `lkc-prod01`",
            "confluent api-key create --resource lkc-prod01 --service-account sa-",
            "CONFLUENT_EBS_KAFKA_API_SECRET",
        ] {
            assert!(said.contains(words), "{command}: {words}\n{output}");
        }
    }
    cli.run_without_writes(&format!("onboard fraud {bare} --yes"), 0);
    // The doctor says the same.
    let doctor = cli.run("doctor --sandbox -o json").expect_success().json();
    let key = |doctor: &Value| {
        let checks = doctor.items("/checks");
        checks
            .iter()
            .find(|check| check["name"] == "Kafka key")
            .unwrap()
            .clone()
    };
    let good = key(&doctor);
    assert_eq!(good["state"], "ok");
    assert!(
        good.text("/detail").ends_with("can list 8 ACLs of lkc-prod01"),
        "{good}"
    );
}

#[test]
fn offboarding_removes_acls_lists_topics_and_names_unchecked_resources() {
    let cli = cli_with_acls();
    for topic in ["claims-orders", "claims-payments", "fraud-cases"] {
        let body = json!({ "topic_name": topic });
        cli.send_ok(
            &cli.kafka_key(),
            "POST",
            "/kafka/v3/clusters/lkc-prod01/topics",
            Some(body),
        );
    }
    let fraud = cli.account_id("ebs-prod-fraud-operator");
    cli.create_acl(&format!("TOPIC#claims-orders#LITERAL#User:{fraud}#*#READ#ALLOW"));
    cli.create_acl(&format!("TOPIC#fraud-#PREFIXED#User:{fraud}#*#READ#ALLOW"));
    let planned = cli.run_without_writes("offboard claims --sandbox --dry-run", 0);
    let said = planned.stdout_line();
    assert!(said.contains("claims-runtime ALLOW WRITE topic dlq-lcc*"), "{planned}");
    assert!(
        said.contains("Topics with the prefix (kept) claims-orders claims-payments"),
        "{planned}"
    );
    assert!(!said.contains("fraud-cases"), "{planned}");

    // What is about others stays, is named, and makes it incomplete.
    let answer = cli.run("offboard claims --sandbox --yes -o json").expect_code(3).json();
    assert_eq!(answer["topics"], json!(["claims-orders", "claims-payments"]));
    assert_eq!(answer.items("/foreign_acls").len(), 1);
    let proof = &answer["proof"];
    assert_eq!(proof["remaining"], json!([]));
    let others = proof["others"].to_string();
    assert!(others.contains("ALLOW READ on topic claims-orders"), "{others}");
    assert_eq!(proof.items("/others").len(), 1, "{others}");
    let unseen = proof["not_observed"].to_string();
    assert!(!unseen.contains("ACLs"), "{unseen}");
    assert!(unseen.contains("contents of topics"), "{unseen}");
    let stay = [
        "TOPIC#claims-orders#LITERAL#User:ebs-prod-fraud-operator#*#READ#ALLOW",
        "TOPIC#fraud-#PREFIXED#User:ebs-prod-fraud-operator#*#READ#ALLOW",
    ];
    assert_eq!(cli.acls(), stay, "all eight are gone, those of others are not");

    let output = cli
        .run("offboard claims --remove-foreign --sandbox --yes")
        .expect_success();
    assert!(output.stdout_line().contains("1 change"), "{output}");
    assert_eq!(cli.acls(), stay[1..]);
    // Without a key of the cluster nothing is left to refuse, and what was not looked at is named.
    let bare = profile_without_kafka_key(&cli);
    let answer = cli
        .run(&format!("{} -o json", &format!("offboard claims {bare} --yes")))
        .expect_success()
        .json();
    assert_eq!(answer["topics"], Value::Null);
    let unseen = answer["proof"]["not_observed"].to_string();
    for what in ["ACLs of the cluster: no API key", "topics with the prefix: no API key"] {
        assert!(unseen.contains(what), "{unseen}");
    }
    // No topic was touched.
    let topics = cli.send_ok(&cli.kafka_key(), "GET", "/kafka/v3/clusters/lkc-prod01/topics", None);
    assert_eq!(topics.items("/data").len(), 3);
}

// T14.
#[test]
fn the_audit_reports_unmanaged_acls_and_fixes_managed_ones() {
    let cli = cli_with_acls();
    let clean = cli
        .run("access audit --sandbox-as admin --strict -o json")
        .expect_success()
        .json();
    let of = |audited: &Value, rule: &str| {
        let rules = audited.items("/rules");
        rules.iter().find(|row| row["rule"] == rule).unwrap().clone()
    };
    assert_eq!(of(&clean, "unmanaged-acl")["verdict"], "absent");
    let viewer = cli.account_id("ebs-prod-claims-viewer");
    let stray = format!("TOPIC#fraud-#PREFIXED#User:{viewer}#*#READ#ALLOW");
    cli.create_acl(&stray);
    let found = of(
        &cli.run("access audit --sandbox -o json").expect_code(5).json(),
        "unmanaged-acl",
    );
    assert_eq!(found.items("/findings").len(), 1, "{found}");
    assert_eq!(found["findings"][0]["subject"], json!(stray));
    assert_eq!(found["findings"][0]["severity"], "error");
    cli.run("access audit --fix --sandbox --yes").expect_success();
    assert_eq!(cli.acls(), expected_acls(RUNTIME_ACCOUNT));
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
    let cli = cli_with_acl_template();
    cli.write(
        "rbac-templates/sinks.toml",
        format!("{HYBRID_TEMPLATE}{APPLICATION_PERSONA}"),
    );
    cli.run("onboard --all --sandbox --yes").expect_success();
    let account = cli.account_id("ebs-prod-claims-application");
    let keys = cli.sandbox().keys().unwrap();
    let key = |owner: &str| {
        keys.iter()
            .find(|key| key.spec.owner.id == owner)
            .unwrap()
            .id
            .to_string()
    };
    let own = key(&account);
    let command = format!("keys revoke {own} --now --no-replace --dry-run");
    let output = cli.run_without_writes(&format!("{command} --sandbox"), 0);
    assert!(
        output.stdout_line().contains(
            "application of department `claims` cannot use its ACLs until it has another key for the cluster: ALLOW \
             WRITE on topic claims-*"
        ),
        "{output}"
    );
    let bare = profile_without_kafka_key(&cli);
    let output = cli.run_without_writes(&format!("{command} {bare}"), 0);
    assert!(
        output
            .stdout_line()
            .contains("may have ACLs, which cannot be used without a key for the cluster (not listed: no API key"),
        "{output}"
    );
    // A Cloud key opens nothing in Kafka.
    let cloud = key(&cli.account_id("ebs-prod-claims-viewer"));
    let output = cli.run_without_writes(
        &format!("keys revoke {cloud} --now --no-replace --dry-run --sandbox"),
        0,
    );
    assert!(!output.stdout.contains("ACL"), "{output}");
}

/// What is urgent does not wait for Kafka REST: it is asked once.
#[test]
fn a_leaked_key_is_revoked_while_kafka_rest_is_down() {
    let cli = cli_with_acls();
    let key = cli.profile_key("claims-operator");
    let down = Fault::once(FaultKind::ServerError)
        .for_requests("GET", "/kafka/**")
        .times(100);
    cli.sandbox().add_fault(down).unwrap();
    let before = cli.sandbox().journal().unwrap().len();
    cli.run(&format!("keys revoke {} --now --sandbox --yes", key.id))
        .expect_success();
    let journal = cli.sandbox().journal().unwrap();
    let asked = journal[before..]
        .iter()
        .filter(|entry| entry.path.starts_with("/kafka/") && entry.method == "GET");
    assert_eq!(asked.count(), 1);
    assert_eq!(cli.send(&key, "GET", "/org/v2/environments", None).0, 401);
    // Nor do lists of keys, which say nothing about ACLs.
    let before = cli.sandbox().journal().unwrap().len();
    cli.run("keys list claims --sandbox").expect_success();
    let journal = cli.sandbox().journal().unwrap();
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
            let cli = cli_with_acl_template();
            let case = format!("{kind:?} at {method} {skip}");
            let fault = Fault::once(kind).for_requests(method, "/kafka/**").after_requests(skip);
            cli.run("sandbox info").expect_success();
            cli.sandbox().add_fault(fault).unwrap();
            let mut runs = 0;
            loop {
                runs += 1;
                let output = cli.run("onboard --all --sandbox --yes");
                if output.code == Some(0) || runs == 3 {
                    break output;
                }
            }
            .expect_success();
            let journal = cli.sandbox().journal().unwrap();
            assert_eq!(
                journal.iter().filter(|entry| entry.fault.is_some()).count(),
                1,
                "{case}: it never happened"
            );
            assert_eq!(cli.acls(), expected_acls(RUNTIME_ACCOUNT), "{case}");
            cli.run_without_writes("onboard --all --sandbox --yes", 0);
            cases += 1;
        }
    }
    assert_eq!(cases, 15);
}

// Docs `access-control/acls`: DESCRIBE on the cluster lists ACLs, and ALTER changes them. Without DESCRIBE there is no plan;
// without ALTER a run applies the other changes, and a rerun with the right key applies the ACLs.
#[test]
fn a_kafka_rest_refusal_is_reported_and_a_rerun_completes() {
    let cli = cli_with_acl_template();
    cli.run("onboard fraud --sandbox --yes").expect_success();
    let other = cli.account_id("ebs-prod-fraud-operator");
    let weak = cli.create_key(&cli.admin_key(), &other, "lkc-prod01");
    let provisioner = cli.provisioner_key();
    let own = cli.profile_key("fraud-operator");
    let text = std::fs::read_to_string(cli.profiles_dir().join("fraud-operator.toml")).unwrap();
    let text = text
        .replace(&own.id, &provisioner.id)
        .replace(&own.secret, &provisioner.secret);
    let kafka = format!("\n[key.kafka]\nid = \"{}\"\nsecret = \"{}\"\n", weak.id, weak.secret);
    cli.write("weak.toml", text + &kafka);
    let command = "onboard claims --profile weak.toml --yes";
    let output = cli.run_without_writes(command, 5);
    let said = output.stderr_line();
    assert!(said.contains("could not be listed") && said.contains("403"), "{output}");

    cli.create_acl(&format!("CLUSTER#kafka-cluster#LITERAL#User:{other}#*#DESCRIBE#ALLOW"));
    let output = cli.run(command).expect_code(3);
    assert!(
        normalize_whitespace(&output.to_string()).contains("topic dlq-lcc*"),
        "{output}"
    );
    let acls = |cli: &Cli| -> Vec<String> {
        let mut acls = cli.acls();
        acls.retain(|acl| !acl.starts_with("CLUSTER#"));
        acls
    };
    assert_eq!(acls(&cli), [] as [String; 0]);
    cli.run("onboard claims --sandbox --yes").expect_success();
    assert_eq!(acls(&cli), expected_acls(RUNTIME_ACCOUNT));
    cli.run_without_writes("onboard claims --sandbox --yes", 0);
}

#[test]
fn offboarding_under_kafka_rest_faults_leaves_no_acl() {
    for kind in [
        FaultKind::LostAfter,
        FaultKind::ServerError,
        FaultKind::KillAfter,
        FaultKind::KillBefore,
    ] {
        let cli = cli_with_acls();
        let fault = Fault::once(kind).for_requests("DELETE", "/kafka/**").after_requests(3);
        cli.sandbox().add_fault(fault).unwrap();
        let mut codes = BTreeSet::new();
        for _ in 0..3 {
            let code = cli.run("offboard claims --sandbox --yes").code;
            codes.insert(code);
            if code == Some(0) {
                break;
            }
        }
        assert!(codes.contains(&Some(0)), "{kind:?}: {codes:?}");
        assert_eq!(cli.acls(), [] as [String; 0], "{kind:?}");
        let left = cli.provisioned_state();
        assert!(!left.accounts.keys().any(|name| name.contains("claims")), "{kind:?}");
    }
}

/// A service that answers only for the organization, the key, and a cluster whose Kafka REST is on another host.
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
        let cli = Cli::new();
        let onboarded = cli_with_acl_template();
        for file in [
            "ebs.toml",
            "departments/claims.toml",
            "departments/fraud.toml",
            "rbac-templates/sinks.toml",
        ] {
            cli.write(file, onboarded.read(file));
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
