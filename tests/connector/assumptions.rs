//! Every assumption about connectors with both settings (`docs/assumptions.md`): the complete life cycle of a connector
//! must work with either behavior of the service, or the command must report the failure correctly with a next step.

use std::collections::BTreeSet;

use axum::body::Body;
use confluent_ebs::{
    model::{Role, StageAddress},
    sandbox::{ClusterKind, Sandbox, SandboxAssumptions, Seed, SeedStage},
};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::{
    ORDERS_FILE, PROFILES_DIR,
    common::{CliFixture, CliOutput, sandbox_start},
    normalized_stderr, parse_json, run_as_deployer, run_as_operator,
};

/// A sink without a dead letter queue, so that it needs only its topic.
const LAKE_FILE: &str = r#"{"name": "claims-lake", "config": {
    "connector.class": "S3_SINK", "topics": "claims-orders", "input.data.format": "JSON", "output.data.format": "JSON",
    "s3.bucket.name": "claims-lake", "time.interval": "HOURLY", "flush.size": "1000", "errors.tolerance": "none",
    "authentication.method": "Access Keys", "aws.access.key.id": "AKIAEXAMPLE",
    "aws.secret.access.key": "${env:EBS_SECRET_AWS}"}}"#;

/// An organization with the department "claims", in a sandbox with these settings.
fn fixture_with_assumption(switch: &str, value: &str, more: &[&str]) -> CliFixture {
    let cli = CliFixture::new();
    let set = format!("assumptions.{switch}={value}");
    let reset = ["sandbox", "reset", "--yes", "--set", &set];
    let output = cli.run_command(cli.command().args(reset).args(more));
    assert_eq!(output.code, Some(0), "{output}");
    let output = cli.run("onboard claims --sandbox --yes");
    assert_eq!(output.code, Some(0), "{output}");
    // Role bindings take time to propagate to Connect (docs/reference/rbac.md#propagation-delays).
    assert_eq!(cli.run("sandbox clock advance 10m").code, Some(0));
    cli.write("claims-orders.json", ORDERS_FILE);
    cli.write("claims-lake.json", LAKE_FILE);
    cli
}

/// The deployer with the secret that the sink refers to.
fn run_with_secret(cli: &CliFixture, args: &str) -> CliOutput {
    let profile = format!("{PROFILES_DIR}/claims-deployer.toml");
    let mut command = cli.command();
    command.args(args.split_whitespace()).args(["--profile", &profile]);
    cli.run_command(command.env("EBS_SECRET_AWS", "the-right-one"))
}

#[track_caller]
fn assert_success(output: &CliOutput) {
    assert_eq!(output.code, Some(0), "{output}");
}

/// State of a connector in the sandbox.
fn connector_state(cli: &CliFixture, name: &str) -> Value {
    parse_json(&run_as_operator(cli, &format!("connector describe {name} -o json")))["connector"]["status"].clone()
}

/// The complete life cycle of a connector in a department: from a file to its deletion.
fn run_full_lifecycle(cli: &CliFixture) {
    for name in ["claims-orders", "claims-lake"] {
        assert_success(&run_with_secret(
            cli,
            &format!("connector create --config-file {name}.json"),
        ));
        assert_eq!(connector_state(cli, name), "RUNNING");
    }
    // Interrupted and repeated.
    assert_success(&run_as_deployer(
        cli,
        "connector create --config-file claims-orders.json",
    ));
    assert_success(&run_as_deployer(
        cli,
        "connector update claims-orders --config tasks.max=2",
    ));
    assert_success(&run_with_secret(
        cli,
        "connector update claims-lake --config-file claims-lake.json",
    ));
    assert_success(&run_as_operator(cli, "connector pause claims-orders"));
    assert_success(&run_as_operator(cli, "connector wait claims-orders --paused"));
    assert_success(&run_as_operator(cli, "connector resume claims-orders"));
    assert_success(&run_as_operator(cli, "connector wait claims-orders"));
    assert_success(&run_as_operator(cli, "connector restart claims-orders"));
    assert_success(&run_as_operator(cli, "connector offset describe claims-lake"));
    assert_success(&run_as_deployer(cli, "connector offset delete claims-lake --force"));
    let list = parse_json(&run_as_operator(cli, "connector list -o json"));
    assert_eq!(list.as_array().unwrap().len(), 2, "{list}");
    assert_success(&run_as_deployer(
        cli,
        "connector delete claims-lake claims-orders --force",
    ));
    // Until lists omit the deleted connectors.
    assert_success(&cli.run("sandbox clock advance 1m"));
    assert_eq!(run_as_operator(cli, "connector list").stdout, "None found.\n");
}

macro_rules! assumption_tests {
    ($($test:ident: $switch:literal $values:tt;)+) => {
        /// Switches that these tests cover.
        const WALKED: &[&str] = &[$($switch),+];

        $(
            #[test]
            fn $test() {
                for value in $values {
                    lifecycles::$test($switch, value);
                }
            }
        )+
    };
}

assumption_tests! {
    a_taken_name_never_overwrites_the_existing_connector: "connect.taken_name_is_conflict" ["true", "false"];
    the_cluster_task_limit_is_reported_and_changes_nothing: "connect.task_ceiling_is_payment_required" ["true", "false"];
    an_update_with_masked_secrets_keeps_them_or_fails: "connect.mask_keeps_secret" ["true", "false"];
    a_failed_connector_can_be_restarted_by_command: "connect.failed_restartable" ["true", "false"];
    an_unknown_plugin_is_reported_without_a_retry: "connect.unknown_plugin_is_server_error" ["true", "false"];
    a_sink_without_its_topic_recovers_when_the_topic_appears: "connect.missing_topic_fails" ["true", "false"];
    missing_access_to_the_dead_letter_topic_is_reported: "connect.dead_letters_by_role" ["true", "false"];
    a_deleted_name_can_be_created_again: "connect.deleted_name_stays_reserved" ["true", "false"];
    connectors_of_other_departments_are_neither_listed_nor_counted: "connector_list" ["filtered", "refused", "everything"];
    a_missing_assigner_role_is_reported_with_the_account: "missing_assigner_is_forbidden" ["true", "false"];
}

#[test]
fn every_connector_assumption_has_a_test() {
    let all = serde_json::to_value(SandboxAssumptions::default()).unwrap();
    let connect = all["connect"].as_object().unwrap();
    let mut real: BTreeSet<_> = connect.keys().map(|name| format!("connect.{name}")).collect();
    real.extend(["connector_list".to_owned(), "missing_assigner_is_forbidden".to_owned()]);
    let walked: BTreeSet<_> = WALKED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(walked, real);
}

#[test]
fn a_visible_connector_of_another_department_is_refused_by_name_and_by_id() {
    let cli = fixture_with_assumption("connector_list", "everything", &[]);
    assert_eq!(cli.run("onboard fraud --sandbox --yes").code, Some(0));
    assert_eq!(cli.run("sandbox clock advance 10m").code, Some(0));
    cli.write("fraud-orders.json", ORDERS_FILE.replace("claims-", "fraud-"));
    let create = "connector create --config-file fraud-orders.json -o json --profile";
    let created = cli.run(&format!("{create} {PROFILES_DIR}/fraud-deployer.toml"));
    let id = parse_json(&created)["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("lcc-"), "{id}");
    for named in ["fraud-orders", &id] {
        let described = run_as_operator(&cli, &format!("connector describe {named}"));
        assert_eq!(described.code, Some(5), "{described}");
        assert!(
            normalized_stderr(&described).contains(
                "connector `fraud-orders` belongs to another department: names of department `claims` begin with \
                 `claims-`"
            ),
            "{described}"
        );
    }
}

mod lifecycles {
    use super::*;

    /// Another user created it, and lists do not contain it yet.
    pub(super) fn a_taken_name_never_overwrites_the_existing_connector(switch: &str, value: &str) {
        let cli = fixture_with_assumption(switch, value, &[]);
        run_full_lifecycle(&cli);
        assert_success(&run_as_deployer(
            &cli,
            "connector create --config-file claims-orders.json",
        ));
        let lag = "sandbox fault add list-lag --delay 1h --method GET --path /connect/**/connectors";
        assert_success(&cli.run(lag));
        let same = run_as_deployer(&cli, "connector create --config-file claims-orders.json");
        assert_success(&same);
        assert_success(&cli.run(lag));
        cli.write("claims-orders.json", ORDERS_FILE.replace("\"ORDERS\"", "\"USERS\""));
        let other = run_as_deployer(&cli, "connector create --config-file claims-orders.json");
        assert_ne!(other.code, Some(0), "{value}: {other}");
        assert!(normalized_stderr(&other).contains("already exists"), "{value}: {other}");
        let described = run_as_operator(&cli, "connector describe claims-orders").stdout;
        assert!(
            described.contains("ORDERS"),
            "the existing connector is unchanged: {described}"
        );
    }

    pub(super) fn the_cluster_task_limit_is_reported_and_changes_nothing(switch: &str, value: &str) {
        let quotas = r#"quotas={"connect.max_tasks.per_cluster":3}"#;
        let cli = fixture_with_assumption(switch, value, &["--set", quotas]);
        run_full_lifecycle(&cli);
        let four = ORDERS_FILE.replace("\"JSON\"", "\"JSON\", \"tasks.max\": \"4\"");
        cli.write("claims-orders.json", four);
        let created = run_as_deployer(&cli, "connector create --config-file claims-orders.json");
        cli.write("claims-orders.json", ORDERS_FILE);
        assert_success(&run_as_deployer(
            &cli,
            "connector create --config-file claims-orders.json",
        ));
        let updated = run_as_deployer(&cli, "connector update claims-orders --config tasks.max=4");
        for output in [created, updated] {
            assert_eq!(output.code, Some(5), "{value}: {output}");
            assert!(
                normalized_stderr(&output).contains("is currently limited to 3"),
                "{value}: {output}"
            );
        }
        assert_eq!(connector_state(&cli, "claims-orders"), "RUNNING");
    }

    pub(super) fn an_update_with_masked_secrets_keeps_them_or_fails(switch: &str, value: &str) {
        let cli = fixture_with_assumption(switch, value, &[]);
        run_full_lifecycle(&cli);
        for name in ["claims-orders", "claims-lake"] {
            assert_success(&run_with_secret(
                &cli,
                &format!("connector create --config-file {name}.json"),
            ));
        }
        let output = run_as_deployer(
            &cli,
            "connector update claims-lake --config flush.size=2000 --keep-secrets",
        );
        if value == "true" {
            assert_success(&output);
        } else {
            // The assumption is checked after the update, and restoring needs the secrets.
            assert_eq!(output.code, Some(6), "{output}");
            assert!(normalized_stderr(&output).contains("aws.secret.access.key"), "{output}");
        }
        assert_success(&run_with_secret(
            &cli,
            "connector update claims-lake --config-file claims-lake.json",
        ));
        assert_eq!(connector_state(&cli, "claims-lake"), "RUNNING");
    }

    pub(super) fn a_failed_connector_can_be_restarted_by_command(switch: &str, value: &str) {
        let cli = fixture_with_assumption(switch, value, &[]);
        run_full_lifecycle(&cli);
        assert_success(&run_as_deployer(
            &cli,
            "connector create --config-file claims-orders.json",
        ));
        assert_success(&cli.run("sandbox fault connector claims-orders platform-error"));
        assert_eq!(connector_state(&cli, "claims-orders"), "FAILED");
        assert_success(&run_as_operator(&cli, "connector restart claims-orders"));
        assert_eq!(
            connector_state(&cli, "claims-orders"),
            "FAILED",
            "what is broken stays broken"
        );
        assert_success(&cli.run("sandbox fault clear"));
        assert_success(&run_as_operator(&cli, "connector restart claims-orders"));
        assert_success(&run_as_operator(&cli, "connector wait claims-orders"));
    }

    pub(super) fn an_unknown_plugin_is_reported_without_a_retry(switch: &str, value: &str) {
        let cli = fixture_with_assumption(switch, value, &[]);
        run_full_lifecycle(&cli);
        let described = run_as_operator(&cli, "connector plugin describe NoSuchPlugin");
        cli.write(
            "claims-orders.json",
            ORDERS_FILE.replace("DatagenSource", "BrandNewSource"),
        );
        let validated = run_as_deployer(&cli, "connector validate --config-file claims-orders.json");
        for (output, plugin) in [(described, "NoSuchPlugin"), (validated, "BrandNewSource")] {
            assert_eq!(output.code, Some(1), "{value}: {output}");
            assert!(
                normalized_stderr(&output).contains(&format!("plugin `{plugin}`")),
                "{value}: {output}"
            );
            assert!(
                normalized_stderr(&output).contains("connector plugin list"),
                "{value}: {output}"
            );
            assert!(
                !normalized_stderr(&output).contains("Waiting"),
                "it is not tried again: {output}"
            );
        }
    }

    pub(super) fn a_sink_without_its_topic_recovers_when_the_topic_appears(switch: &str, value: &str) {
        let cli = fixture_with_assumption(switch, value, &[]);
        let output = run_with_secret(&cli, "connector create --config-file claims-lake.json");
        if value == "true" {
            assert_eq!(output.code, Some(6), "{output}");
            assert!(
                normalized_stderr(&output).contains("UnknownTopicOrPartition"),
                "{output}"
            );
            assert!(output.stdout.contains("Topic claims-orders is not present"), "{output}");
        } else {
            assert_success(&output);
        }
        // The source creates the topic, and the service recovers the sink.
        assert_success(&run_as_deployer(
            &cli,
            "connector create --config-file claims-orders.json",
        ));
        assert_success(&run_as_operator(&cli, "connector wait claims-lake"));
        assert_success(&run_as_deployer(
            &cli,
            "connector delete claims-lake claims-orders --force",
        ));
        run_full_lifecycle(&cli);
    }

    pub(super) fn missing_access_to_the_dead_letter_topic_is_reported(switch: &str, value: &str) {
        let cli = fixture_with_assumption(switch, value, &[]);
        run_full_lifecycle(&cli);
        assert_success(&run_as_deployer(
            &cli,
            "connector create --config-file claims-orders.json",
        ));
        cli.write("claims-lake.json", LAKE_FILE.replace("\"none\"", "\"all\""));
        let output = run_with_secret(&cli, "connector create --config-file claims-lake.json");
        if value == "true" {
            assert_success(&output);
        } else {
            assert_eq!(output.code, Some(6), "{output}");
            let words = "User does not have CREATE access to topic claims-lake-dlq";
            assert!(normalized_stderr(&output).contains(words), "{output}");
        }
    }

    pub(super) fn a_deleted_name_can_be_created_again(switch: &str, value: &str) {
        let cli = fixture_with_assumption(switch, value, &["--timing", "real"]);
        run_full_lifecycle(&cli);
        assert_success(&run_as_deployer(
            &cli,
            "connector create --config-file claims-orders.json",
        ));
        let id =
            parse_json(&run_as_operator(&cli, "connector describe claims-orders -o json"))["connector"]["id"].clone();
        assert_success(&run_as_deployer(&cli, "connector delete claims-orders --force"));
        // A connector that is being deleted is not listed, and its deletion is awaited.
        assert_eq!(run_as_operator(&cli, "connector list").stdout, "None found.\n");
        assert_success(&run_as_deployer(
            &cli,
            "connector create --config-file claims-orders.json",
        ));
        let now = parse_json(&run_as_operator(&cli, "connector describe claims-orders -o json"));
        assert_eq!(now["connector"]["status"], "RUNNING");
        assert_ne!(now["connector"]["id"], id, "a new one");
    }

    pub(super) fn connectors_of_other_departments_are_neither_listed_nor_counted(switch: &str, value: &str) {
        let cli = fixture_with_assumption(switch, value, &[]);
        assert_success(&cli.run("onboard motor --sandbox --yes"));
        assert_success(&cli.run("sandbox clock advance 10m"));
        if value == "refused" {
            return run_with_refused_list(&cli);
        }
        cli.write("motor-lake.json", LAKE_FILE.replace("claims", "motor"));
        let neighbour = || {
            let profile = format!("{PROFILES_DIR}/motor-deployer.toml");
            let args = [
                "connector",
                "create",
                "--config-file",
                "motor-lake.json",
                "--no-wait",
                "--profile",
                &profile,
            ];
            cli.run_command(cli.command().args(args).env("EBS_SECRET_AWS", "x"))
        };
        assert_success(&neighbour());
        run_full_lifecycle(&cli);
        // Connectors of other departments are neither shown nor counted.
        assert_success(&run_as_deployer(
            &cli,
            "connector create --config-file claims-orders.json",
        ));
        let list = run_as_operator(&cli, "connector list -o json");
        let names: Vec<_> = parse_json(&list)
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["name"].clone())
            .collect();
        assert_eq!(names, ["claims-orders"], "{value}");
        let quota = run_as_operator(&cli, "quota describe").stdout;
        assert!(
            quota.contains("claims-orders") && !quota.contains("motor-lake"),
            "{value}: {quota}"
        );
        let all = parse_json(&run_as_operator(&cli, "connector pause --all -o json"));
        assert_eq!(all["connectors"].as_array().unwrap().len(), 1, "{value}");
    }

    /// If the list is 403 for all callers that may not read all of it, single connectors can be managed by name, and
    /// none is created, because the quota cannot be checked.
    fn run_with_refused_list(cli: &CliFixture) {
        let created = run_as_deployer(cli, "connector create --config-file claims-orders.json");
        assert_eq!(created.code, Some(4), "{created}");
        assert!(normalized_stderr(&created).contains("not allowed to list"), "{created}");
        create_as_administrator(cli);
        let listed = run_as_operator(cli, "connector list");
        assert_eq!(listed.code, Some(4), "{listed}");
        for args in [
            "connector describe claims-orders",
            "connector pause claims-orders",
            "connector wait claims-orders --paused",
            "connector resume claims-orders",
            "connector wait claims-orders",
            "connector restart claims-orders",
            "connector offset describe claims-orders",
        ] {
            assert_success(&run_as_operator(cli, args));
        }
        assert_eq!(connector_state(cli, "claims-orders"), "RUNNING");
        assert_success(&run_as_deployer(cli, "connector offset delete claims-orders --force"));
        // The quota allows a change that needs no additional tasks.
        assert_success(&run_as_deployer(
            cli,
            "connector update claims-orders --config quickstart=USERS",
        ));
        let raised = run_as_deployer(cli, "connector update claims-orders --config tasks.max=2");
        assert_eq!(raised.code, Some(4), "{raised}");
        assert!(
            normalized_stderr(&raised).contains("cannot check 2 tasks instead of 1 against the quota"),
            "{raised}"
        );
        let missing = run_as_operator(cli, "connector pause claims-nothing");
        assert!(
            normalized_stderr(&missing).contains("\"claims-nothing\" not found"),
            "{missing}"
        );
        let foreign = run_as_operator(cli, "connector describe motor-orders");
        assert_eq!(foreign.code, Some(4), "{foreign}");
        assert_success(&run_as_deployer(cli, "connector delete claims-orders --force"));
        assert_success(&cli.run("sandbox clock advance 1m"));
        let gone = run_as_operator(cli, "connector describe claims-orders");
        assert!(
            normalized_stderr(&gone).contains("\"claims-orders\" not found"),
            "{gone}"
        );
    }

    /// Creates the connector as the administrator.
    fn create_as_administrator(cli: &CliFixture) {
        let sandbox = open_sandbox(cli);
        let runtime = account_id(&sandbox, "runtime");
        let mut body: Value = serde_json::from_str(ORDERS_FILE).unwrap();
        body["config"]["name"] = "claims-orders".into();
        body["config"]["kafka.auth.mode"] = "SERVICE_ACCOUNT".into();
        body["config"]["kafka.service.account.id"] = runtime.into();
        body["config"]["tasks.max"] = "1".into();
        let connectors = "/connect/v1/environments/env-prod01/clusters/lkc-prod01/connectors";
        send_as_administrator(&sandbox, "POST", connectors, &body.to_string(), 201);
    }

    pub(super) fn a_missing_assigner_role_is_reported_with_the_account(switch: &str, value: &str) {
        let cli = fixture_with_assumption(switch, value, &[]);
        run_full_lifecycle(&cli);
        let sandbox = open_sandbox(&cli);
        let deployer_account = account_id(&sandbox, "deployer");
        let bound = sandbox
            .bindings()
            .unwrap()
            .into_iter()
            .find(|found| found.binding.role == Role::Assigner && found.binding.principal.id() == deployer_account);
        let path = format!("/iam/v2/role-bindings/{}", bound.unwrap().id);
        send_as_administrator(&sandbox, "DELETE", &path, "", 200);
        let output = run_as_deployer(&cli, "connector create --config-file claims-orders.json");
        assert_ne!(output.code, Some(0), "{value}: {output}");
        let runtime = account_id(&sandbox, "runtime");
        assert!(
            normalized_stderr(&output).contains(&runtime),
            "{value}: the account is named: {output}"
        );
        assert!(normalized_stderr(&output).contains("assign"), "{value}: {output}");
        assert!(sandbox.connectors().unwrap().is_empty());
    }

    /// The sandbox that the binary uses.
    fn open_sandbox(cli: &CliFixture) -> Sandbox {
        let address = StageAddress {
            organization: Seed::default().organization,
            environment: "env-prod01".parse().unwrap(),
            cluster: "lkc-prod01".parse().unwrap(),
            schema_registry: None,
        };
        let seed = Seed {
            stages: vec![SeedStage {
                name: "prod".into(),
                address,
                cluster_kind: ClusterKind::Enterprise,
            }],
            clusters: Vec::new(),
            ..Seed::default()
        };
        let dir = cli.path(".state/confluent-ebs/sandbox");
        Sandbox::open_at(&dir, seed, None, Some(sandbox_start())).unwrap()
    }

    /// Account of a persona of "claims".
    fn account_id(sandbox: &Sandbox, persona: &str) -> String {
        let name = format!("ebs-prod-claims-{persona}");
        let all = sandbox.accounts().unwrap();
        all.into_iter()
            .find(|account| account.display_name == name)
            .unwrap()
            .id
            .to_string()
    }

    fn send_as_administrator(sandbox: &Sandbox, method: &str, path: &str, body: &str, status: u16) {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1{path}"));
        let headers = sandbox.impersonation_headers(Seed::default().admin().as_str());
        let request = headers
            .into_iter()
            .fold(request, |request, (name, value)| request.header(name, value));
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(sandbox.router().oneshot(request)).unwrap();
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
    }
}
