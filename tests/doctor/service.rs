//! `doctor` with scripted services, at a profile's endpoint on loopback.

use std::{net::TcpListener, time::Duration};

use confluent_ebs::{
    checks::{CheckState, network},
    client::{HttpTransport, HttpTransportSettings},
    clock::Clock,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, header_exists, method, path, path_regex},
};

use crate::{
    common::{Cli, make_private, tls_inspection::start_inspecting_proxy},
    report::{CANARY, DoctorReport, profile_text, write_profile},
};

const ORGANIZATIONS_PATH: &str = "/org/v2/organizations";

fn list_response(items: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "api_version": "x", "kind": "x", "metadata": {}, "data": items }))
}

fn error_response(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({ "errors": [{ "detail": "no", "status": status.to_string() }] }))
}

/// Time of a clock that is ahead of ours, in the format of HTTP.
fn http_date_ahead(ahead: i64) -> String {
    let moment = Timestamp::now() + SignedDuration::from_secs(ahead);
    moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A service that knows the operator of "claims"; mocks that a test mounts before it have priority.
async fn mount_healthy_service(server: &MockServer) {
    let with_key = |route: &str| {
        Mock::given(method("GET"))
            .and(path(route))
            .and(header_exists("authorization"))
    };
    let mounted = [
        with_key(ORGANIZATIONS_PATH).respond_with(list_response(
            &json!([{ "id": "11111111-2222-3333-4444-555555555555" }]),
        )),
        with_key("/iam/v2/api-keys/ABCDEFGHIJKLMNOP").respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "id": "ABCDEFGHIJKLMNOP",
            "metadata": { "created_at": Timestamp::now().to_string() },
            "spec": { "owner": { "id": "sa-abc123" }, "resource": { "id": "cloud", "kind": "Cloud" } }
        }))),
        with_key("/iam/v2/service-accounts/sa-abc123").respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "id": "sa-abc123", "display_name": "ebs-prod-claims-operator"
        }))),
        with_key("/iam/v2/role-bindings").respond_with(list_response(&json!([{
            "id": "rb-1", "principal": "User:sa-abc123", "role_name": "ConnectManager",
            "crn_pattern": "crn://confluent.cloud/organization=11111111-2222-3333-4444-555555555555/\
                            environment=env-prod01/cloud-cluster=lkc-prod01/connector=claims-*"
        }]))),
        with_key("/org/v2/environments/env-prod01")
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "id": "env-prod01" }))),
        with_key("/cmk/v2/clusters/lkc-prod01").respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "id": "lkc-prod01", "spec": { "config": { "kind": "Standard" } }, "status": { "phase": "PROVISIONED" }
        }))),
        with_key("/srcm/v3/clusters").respond_with(list_response(&json!([{ "id": "lsrc-prod01", "spec": {} }]))),
        Mock::given(path_regex("^/connect/v1/.*/connectors$"))
            .and(header_exists("authorization"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "claims-a": {} }))),
        // Without a key, this is the only request.
        Mock::given(any()).respond_with(error_response(401)),
    ];
    for mock in mounted {
        server.register(mock.with_priority(9)).await;
    }
}

/// Report for the operator's profile with `server` as endpoint.
fn doctor_against(cli: &Cli, server: &MockServer) -> DoctorReport {
    write_profile(cli, &server.uri());
    let mut command = cli.command();
    command.args(["doctor", "-o", "json", "--profile", "claims-operator.toml"]);
    let output = tokio::task::block_in_place(|| cli.run_command(&mut command));
    assert!(!output.to_string().contains(CANARY), "{output}");
    DoctorReport::parse(&output)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_valid_key_at_a_healthy_service_passes() {
    let (cli, server) = (Cli::new(), MockServer::start().await);
    mount_healthy_service(&server).await;
    let output = doctor_against(&cli, &server);
    assert_eq!(
        (
            output.code,
            output.names_in_state("problem"),
            output.names_in_state("unknown")
        ),
        (Some(0), vec![], vec![])
    );
    assert!(
        output
            .detail("roles")
            .starts_with("ConnectManager on connector claims-*: describe")
    );
    // The first request has no key, and no request is repeated.
    let requests = server.received_requests().await.unwrap();
    assert!(!requests[0].headers.contains_key("authorization"));
    assert!(requests.iter().all(|request| request.method == "GET"), "{requests:?}");
    let mut asked: Vec<String> = requests.iter().skip(1).map(|request| request.url.to_string()).collect();
    let all = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), all, "{asked:?}");
}

/// Report for a department's profile with a key of the cluster. The service knows the key as one of `resource`, and the
/// cluster answers it with `status`; `elsewhere` replaces the cluster's address.
async fn doctor_with_kafka_key(resource: &str, status: u16, elsewhere: Option<&str>) -> DoctorReport {
    let (cli, server, kafka) = (Cli::new(), MockServer::start().await, MockServer::start().await);
    let cluster = json!({
        "id": "lkc-prod01", "status": { "phase": "PROVISIONED" },
        "spec": {
            "config": { "kind": "Standard" },
            "http_endpoint": elsewhere.map_or_else(|| kafka.uri(), str::to_owned),
        }
    });
    let key = json!({
        "id": "KAFKAKAFKAKAFKA1", "spec": { "owner": { "id": "sa-abc123" }, "resource": { "id": resource } }
    });
    for (route, answer) in [
        ("/cmk/v2/clusters/lkc-prod01", cluster),
        ("/iam/v2/api-keys/KAFKAKAFKAKAFKA1", key),
    ] {
        let answer = ResponseTemplate::new(200).set_body_json(answer);
        Mock::given(path(route)).respond_with(answer).mount(&server).await;
    }
    let acls = json!({ "data": [], "error_code": status, "message": "no" });
    Mock::given(path("/kafka/v3/clusters/lkc-prod01/acls"))
        .respond_with(ResponseTemplate::new(status).set_body_json(acls))
        .mount(&kafka)
        .await;
    mount_healthy_service(&server).await;
    let own = format!("\n[key.kafka]\nid = \"KAFKAKAFKAKAFKA1\"\nsecret = \"{CANARY}\"\n");
    let file = cli.write("claims-operator.toml", profile_text(&server.uri()) + &own);
    make_private(&file);
    let mut command = cli.command();
    command.args(["doctor", "-o", "json", "--profile", "claims-operator.toml"]);
    let output = tokio::task::block_in_place(|| cli.run_command(&mut command));
    assert!(!output.to_string().contains(CANARY), "{output}");
    DoctorReport::parse(&output)
}

// Source: docs/reference/rbac.md#credentials-by-api. A cluster accepts its own keys at its own address.
#[tokio::test(flavor = "multi_thread")]
async fn the_kafka_key_is_checked_at_its_own_cluster() {
    const NAME: &str = "Kafka key";
    let good = doctor_with_kafka_key("lkc-prod01", 200, None).await;
    assert_eq!(
        (good.code, good.names_in_state("problem"), good.state(NAME)),
        (Some(0), vec![], "ok")
    );
    assert!(
        good.detail(NAME).ends_with("can list no ACLs of lkc-prod01"),
        "{}",
        good.detail(NAME)
    );
    // A department's key need not be able to list any.
    let blind = doctor_with_kafka_key("lkc-prod01", 403, None).await;
    assert_eq!((blind.code, blind.state(NAME)), (Some(0), "ok"));
    let ill = doctor_with_kafka_key("lkc-prod01", 500, None).await;
    assert_eq!((ill.code, ill.state(NAME)), (Some(0), "unknown"));
    assert!(!ill.fix(NAME).is_empty());
    let refused = doctor_with_kafka_key("lkc-prod01", 401, None).await;
    assert_eq!((refused.code, refused.names_in_state("problem")), (Some(6), vec![NAME]));
    assert!(
        refused.fix(NAME).contains("--resource lkc-prod01"),
        "{}",
        refused.fix(NAME)
    );
    let other = doctor_with_kafka_key("lkc-other1", 401, None).await;
    assert_eq!((other.code, other.names_in_state("problem")), (Some(6), vec![NAME]));
    assert!(
        other.detail(NAME).ends_with("belongs to lkc-other1, not to lkc-prod01"),
        "{}",
        other.detail(NAME)
    );
    let away = doctor_with_kafka_key("lkc-prod01", 200, Some("https://pkc-00000.example.com")).await;
    assert_eq!((away.code, away.names_in_state("problem")), (Some(6), vec![NAME]));
    assert!(away.detail(NAME).contains("not sent"), "{}", away.detail(NAME));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_is_reported_with_its_difference() {
    for (ahead, expected) in [
        (620, "10 min behind the service's clock"),
        (-86_400 * 3 - 60, "3 d ahead of the service's clock"),
    ] {
        let (cli, server) = (Cli::new(), MockServer::start().await);
        let answer = error_response(401).insert_header("date", http_date_ahead(ahead));
        Mock::given(path(ORGANIZATIONS_PATH))
            .respond_with(answer)
            .up_to_n_times(1)
            .mount(&server)
            .await;
        mount_healthy_service(&server).await;
        let output = doctor_against(&cli, &server);
        assert_eq!(
            (output.code, output.names_in_state("problem")),
            (Some(6), vec!["clock"])
        );
        assert_eq!(output.detail("clock"), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_key_is_a_single_problem() {
    let (cli, server) = (Cli::new(), MockServer::start().await);
    Mock::given(any())
        .respond_with(error_response(401))
        .mount(&server)
        .await;
    let output = doctor_against(&cli, &server);
    assert_eq!(
        (output.code, output.names_in_state("problem")),
        (Some(6), vec!["key accepted"])
    );
    assert!(
        output
            .fix("key accepted")
            .contains("ask the platform team to run `confluent ebs onboard claims --stage prod`"),
        "{}",
        output.fix("key accepted")
    );
    // A Kafka key, as in the Confluent CLI, is reported as such.
    cli.write(
        ".confluent/config.json",
        r#"{"contexts":{"x":{"kafka_cluster_context":{"kafka_environment_contexts":{"env-prod01":{"kafka_cluster_infos":
           {"lkc-prod01":{"api_keys":{"ABCDEFGHIJKLMNOP":{"api_secret":"canary"}}}}}}}}}}"#,
    );
    let output = doctor_against(&cli, &server);
    assert!(
        output
            .detail("key accepted")
            .contains("a key of Kafka cluster lkc-prod01"),
        "{}",
        output.detail("key accepted")
    );
}

// Source: docs/reference/rbac.md#credentials-by-api. A global key may list org/v2, but none of the other required
// objects.
#[tokio::test(flavor = "multi_thread")]
async fn a_global_key_is_a_problem() {
    let (cli, server) = (Cli::new(), MockServer::start().await);
    Mock::given(path_regex("^/(iam|cmk|srcm|connect)/"))
        .respond_with(error_response(401))
        .mount(&server)
        .await;
    mount_healthy_service(&server).await;
    let output = doctor_against(&cli, &server);
    assert_eq!((output.code, output.state("key accepted")), (Some(6), "problem"));
    assert!(output.detail("key accepted").contains("Global key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_roles_refers_to_the_platform_team() {
    let (cli, server) = (Cli::new(), MockServer::start().await);
    Mock::given(path_regex("^/(cmk|srcm|connect)/|role-bindings|environments"))
        .respond_with(error_response(403))
        .mount(&server)
        .await;
    mount_healthy_service(&server).await;
    let output = doctor_against(&cli, &server);
    assert_eq!(
        (output.code, output.names_in_state("problem")),
        (Some(6), vec!["connectors"])
    );
    assert_eq!(output.state("roles"), "unknown");
    assert!(
        output.detail("roles").ends_with("probed on `claims-*`: not create"),
        "{}",
        output.detail("roles")
    );
    for name in ["environment", "cluster", "Schema Registry"] {
        assert_eq!(output.state(name), "unknown", "403 does not mean absent: {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captive_portal_is_detected_and_gets_no_key() {
    let (cli, server) = (Cli::new(), MockServer::start().await);
    let page = ResponseTemplate::new(200).set_body_raw("\n<!doctype html><title>Sign in</title>", "text/html");
    Mock::given(any()).respond_with(page).mount(&server).await;
    let output = doctor_against(&cli, &server);
    assert_eq!(
        (output.code, output.names_in_state("problem")),
        (Some(6), vec!["service reachable"])
    );
    assert!(output.fix("service reachable").contains("with a browser"));
    assert_eq!(output.state("key accepted"), "unknown");
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1, "no further request to an impersonating host");
    assert!(!requests[0].headers.contains_key("authorization"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_request_does_not_hide_other_checks() {
    let (cli, server) = (Cli::new(), MockServer::start().await);
    for (route, answer) in [
        ("/cmk/v2/clusters/lkc-prod01", error_response(500)),
        (
            "/srcm/v3/clusters",
            error_response(429).insert_header("retry-after", "3600"),
        ),
        (
            "/org/v2/environments/env-prod01",
            ResponseTemplate::new(200).set_body_string("{\"cut\":"),
        ),
        ("/iam/v2/role-bindings", error_response(503)),
    ] {
        Mock::given(path(route)).respond_with(answer).mount(&server).await;
    }
    mount_healthy_service(&server).await;
    let output = doctor_against(&cli, &server);
    assert_eq!((output.code, output.names_in_state("problem")), (Some(0), vec![]));
    for name in ["environment", "cluster", "Schema Registry", "roles"] {
        assert_eq!(output.state(name), "unknown", "{name}");
    }
    assert_eq!(output.detail("key accepted"), "a Cloud key");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_logs_host_is_reported() {
    let (cli, server) = (Cli::new(), MockServer::start().await);
    mount_healthy_service(&server).await;
    let good = doctor_against(&cli, &server);
    assert_eq!(good.detail("hosts of logs and metrics"), "same as the endpoint");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = |variable: &str| {
        let mut command = cli.command();
        command.env("CONFLUENT_EBS_LOGS_ENDPOINT", variable).args([
            "doctor",
            "-o",
            "json",
            "--profile",
            "claims-operator.toml",
        ]);
        DoctorReport::parse(&tokio::task::block_in_place(|| cli.run_command(&mut command)))
    };
    let closed = output(&format!("http://{free}"));
    assert_eq!(
        (closed.code, closed.names_in_state("problem")),
        (Some(6), vec!["hosts of logs and metrics"])
    );
    assert!(
        closed
            .detail("hosts of logs and metrics")
            .starts_with("connector logs: cannot connect")
    );
    let untrusted = output("https://logs.example.com");
    assert_eq!(untrusted.names_in_state("problem"), ["hosts of logs and metrics"]);
    assert!(
        untrusted
            .detail("hosts of logs and metrics")
            .contains("CONFLUENT_EBS_LOGS_ENDPOINT")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_account_is_detected() {
    let (cli, server) = (Cli::new(), MockServer::start().await);
    let other = json!({ "id": "sa-abc123", "display_name": "ebs-prod-claims-deployer" });
    Mock::given(path("/iam/v2/service-accounts/sa-abc123"))
        .respond_with(ResponseTemplate::new(200).set_body_json(other))
        .mount(&server)
        .await;
    mount_healthy_service(&server).await;
    let output = doctor_against(&cli, &server);
    assert_eq!(
        (output.code, output.names_in_state("problem")),
        (Some(6), vec!["key owner"])
    );
    assert!(
        output
            .detail("key owner")
            .contains("the profile belongs to ebs-prod-claims-operator")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_is_a_single_problem() {
    let cli = Cli::new();
    // Bound and closed again: connections are refused.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    write_profile(&cli, &format!("http://{free}"));
    let mut command = cli.command();
    command.args(["doctor", "-o", "json", "--profile", "claims-operator.toml"]);
    let output = DoctorReport::parse(&cli.run_command(&mut command));
    assert_eq!(
        (output.code, output.names_in_state("problem")),
        (Some(6), vec!["service reachable"])
    );
    assert!(output.detail("service reachable").contains("cannot connect"));

    // The real service through an unreachable proxy.
    let mut command = cli.command();
    command
        .env("HTTPS_PROXY", format!("http://me:canary@{free}"))
        .args(["doctor", "-o", "json"]);
    let output = cli.run_command(&mut command);
    assert!(!output.to_string().contains("canary"), "{output}");
    let output = DoctorReport::parse(&output);
    assert_eq!(output.names_in_state("problem"), ["key", "service reachable"]);
    assert_eq!(output.detail("proxy"), format!("{free}, from `HTTPS_PROXY`"));
    assert!(output.fix("service reachable").starts_with("Check `HTTPS_PROXY`"));
}

// Apple and Microsoft systems have their own rules for valid authorities.
#[cfg(all(unix, not(target_vendor = "apple")))]
#[tokio::test(flavor = "multi_thread")]
async fn a_tls_inspection_issuer_is_named_whether_trusted_or_not() {
    let cli = Cli::new();
    let (address, authority) = start_inspecting_proxy(r#"{"api_version":"x","kind":"x","data":[]}"#).await;
    cli.write("authority.pem", authority);
    write_profile(&cli, &format!("https://{address}"));
    let output = |trusted: &str| {
        let mut command = cli.command();
        command
            .env("SSL_CERT_FILE", trusted)
            .args(["doctor", "-o", "json", "--profile", "claims-operator.toml"]);
        DoctorReport::parse(&tokio::task::block_in_place(|| cli.run_command(&mut command)))
    };
    let trusted = output("authority.pem");
    assert_eq!(
        (trusted.state("certificate"), trusted.detail("certificate")),
        ("ok", "issued by Inspection CA 7 (Example Insurance)")
    );
    cli.write("other.pem", "nothing");
    for other in ["", "other.pem"] {
        let refused = output(other);
        assert_eq!(
            (refused.code, refused.names_in_state("problem")),
            (Some(6), vec!["certificate"])
        );
        assert!(refused.fix("certificate").contains("SSL_CERT_FILE"));
    }
    assert!(output("").detail("certificate").contains("issued by Inspection CA 7"));
}

#[tokio::test]
async fn doctor_reports_a_service_that_does_not_respond() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", silent.local_addr().unwrap()).parse().unwrap();
    let socket = HttpTransport::new(HttpTransportSettings {
        timeout: Duration::from_millis(40),
        ..HttpTransportSettings::default()
    });
    let knock = network::probe_host(&socket, &base, &Clock::system()).await;
    let check = network::check_reachable(&knock, &[]);
    assert_eq!(check.state, CheckState::Problem);
    assert!(check.detail.contains("did not respond within"), "{}", check.detail);
}

// The author of a profile must not decide where a key goes that is not in the profile.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_environment_is_sent_only_to_trusted_addresses() {
    for command in ["connector list", "doctor"] {
        let (cli, server) = (Cli::new(), MockServer::start().await);
        mount_healthy_service(&server).await;
        let whole = profile_text(&server.uri());
        cli.write("p.toml", whole.split("[key]").next().unwrap());
        let run = |more: &str| {
            let mut run = cli.command();
            run.args(command.split(' '))
                .args(["--profile", "p.toml"])
                .args(more.split_whitespace());
            run.env("CONFLUENT_CLOUD_API_KEY", "ABCDEFGHIJKLMNOP")
                .env("CONFLUENT_CLOUD_API_SECRET", CANARY);
            let output = tokio::task::block_in_place(|| cli.run_command(&mut run));
            assert!(!output.to_string().contains(CANARY), "{output}");
            output
        };
        let with_key = async || {
            let requests = server.received_requests().await.unwrap();
            requests
                .iter()
                .filter(|request| request.headers.contains_key("authorization"))
                .count()
        };
        let address = server.address().to_string();
        for more in ["", "--trust-endpoint 127.0.0.1", "--trust-endpoint 127.0.0.1:1"] {
            let output = run(more);
            assert_ne!(output.code, Some(0), "{output}");
            let said = output.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(said.contains("is not sent to"), "{output}");
            assert!(said.contains(&format!("--trust-endpoint {address}")), "{output}");
        }
        assert_eq!(with_key().await, 0, "{command}");
        run(&format!("--trust-endpoint {address}"));
        assert_ne!(with_key().await, 0, "{command}");
    }
}
