//! Every assumption about connectors with both settings (`docs/assumptions.md`): the complete life cycle of a connector
//! must work with either behavior of the service, or the command must report the failure correctly with a next step.

use std::collections::BTreeSet;

use confluent_ebs::{model::Role, sandbox::SandboxAssumptions};
use serde_json::Value;

use crate::{
    ORDERS_FILE,
    common::{Cli, CliOutput, JsonAccess as _, PROFILES_DIR},
};

/// A sink without a dead letter queue, so that it needs only its topic.
const LAKE_FILE: &str = r#"{"name": "claims-lake", "config": {
    "connector.class": "S3_SINK", "topics": "claims-orders", "input.data.format": "JSON", "output.data.format": "JSON",
    "s3.bucket.name": "claims-lake", "time.interval": "HOURLY", "flush.size": "1000", "errors.tolerance": "none",
    "authentication.method": "Access Keys", "aws.access.key.id": "AKIAEXAMPLE",
    "aws.secret.access.key": "${env:EBS_SECRET_AWS}"}}"#;

/// An organization with the department "claims", in a sandbox with these settings.
fn cli_with_assumption(switch: &str, value: &str, more: &[&str]) -> Cli {
    let cli = Cli::new();
    let set = format!("assumptions.{switch}={value}");
    let reset = ["sandbox", "reset", "--yes", "--set", &set];
    cli.run_command(cli.command().args(reset).args(more)).expect_success();
    cli.run("onboard claims --sandbox --yes").expect_success();
    // Role bindings take time to propagate to Connect (docs/reference/rbac.md#propagation-delays).
    cli.run("sandbox clock advance 10m").expect_success();
    cli.write("claims-orders.json", ORDERS_FILE);
    cli.write("claims-lake.json", LAKE_FILE);
    cli
}

/// The deployer with the secret that the sink refers to.
fn run_with_secret(cli: &Cli, args: &str) -> CliOutput {
    let args = format!("{args} --profile {PROFILES_DIR}/claims-deployer.toml");
    cli.run_with_env(&args, &[("EBS_SECRET_AWS", "the-right-one")])
}

/// State of a connector in the sandbox.
fn connector_state(cli: &Cli, name: &str) -> Value {
    cli.run_as("claims-operator", &format!("connector describe {name} -o json"))
        .json()["connector"]["status"]
        .clone()
}

/// The complete life cycle of a connector in a department: from a file to its deletion.
fn run_full_lifecycle(cli: &Cli) {
    for name in ["claims-orders", "claims-lake"] {
        run_with_secret(cli, &format!("connector create --config-file {name}.json")).expect_success();
        assert_eq!(connector_state(cli, name), "RUNNING");
    }
    // Interrupted and repeated.
    cli.run_as("claims-deployer", "connector create --config-file claims-orders.json")
        .expect_success();
    cli.run_as("claims-deployer", "connector update claims-orders --config tasks.max=2")
        .expect_success();
    run_with_secret(cli, "connector update claims-lake --config-file claims-lake.json").expect_success();
    cli.run_as("claims-operator", "connector pause claims-orders")
        .expect_success();
    cli.run_as("claims-operator", "connector wait claims-orders --paused")
        .expect_success();
    cli.run_as("claims-operator", "connector resume claims-orders")
        .expect_success();
    cli.run_as("claims-operator", "connector wait claims-orders")
        .expect_success();
    cli.run_as("claims-operator", "connector restart claims-orders")
        .expect_success();
    cli.run_as("claims-operator", "connector offset describe claims-lake")
        .expect_success();
    cli.run_as("claims-deployer", "connector offset delete claims-lake --force")
        .expect_success();
    let list = cli.run_as("claims-operator", "connector list -o json").json();
    assert_eq!(list.items("").len(), 2, "{list}");
    cli.run_as("claims-deployer", "connector delete claims-lake claims-orders --force")
        .expect_success();
    // Until lists omit the deleted connectors.
    cli.run("sandbox clock advance 1m").expect_success();
    assert_eq!(cli.run_as("claims-operator", "connector list").stdout, "None found.\n");
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
    // No command behaves differently; the simulator of metrics tests the limit itself.
    real.remove("connect.client_quotas_apply");
    let walked: BTreeSet<_> = WALKED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(walked, real);
}

#[test]
fn a_visible_connector_of_another_department_is_refused_by_name_and_by_id() {
    let cli = cli_with_assumption("connector_list", "everything", &[]);
    cli.run("onboard fraud --sandbox --yes").expect_success();
    cli.run("sandbox clock advance 10m").expect_success();
    cli.write("fraud-orders.json", ORDERS_FILE.replace("claims-", "fraud-"));
    let created = cli
        .run_as(
            "fraud-deployer",
            "connector create --config-file fraud-orders.json -o json",
        )
        .json();
    for named in ["fraud-orders", created.text("/id")] {
        let described = cli
            .run_as("claims-operator", &format!("connector describe {named}"))
            .expect_code(5);
        assert!(
            described.stderr_line().contains(
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
        let cli = cli_with_assumption(switch, value, &[]);
        run_full_lifecycle(&cli);
        cli.run_as("claims-deployer", "connector create --config-file claims-orders.json")
            .expect_success();
        let lag = "sandbox fault add list-lag --delay 1h --method GET --path /connect/**/connectors";
        cli.run(lag).expect_success();
        let same = cli.run_as("claims-deployer", "connector create --config-file claims-orders.json");
        same.expect_success();
        cli.run(lag).expect_success();
        cli.write("claims-orders.json", ORDERS_FILE.replace("\"ORDERS\"", "\"USERS\""));
        let other = cli.run_as("claims-deployer", "connector create --config-file claims-orders.json");
        assert_ne!(other.code, Some(0), "{value}: {other}");
        assert!(other.stderr_line().contains("already exists"), "{value}: {other}");
        let described = cli.run_as("claims-operator", "connector describe claims-orders").stdout;
        assert!(
            described.contains("ORDERS"),
            "the existing connector is unchanged: {described}"
        );
    }

    pub(super) fn the_cluster_task_limit_is_reported_and_changes_nothing(switch: &str, value: &str) {
        let quotas = r#"quotas={"connect.max_tasks.per_cluster":3}"#;
        let cli = cli_with_assumption(switch, value, &["--set", quotas]);
        run_full_lifecycle(&cli);
        let four = ORDERS_FILE.replace("\"JSON\"", "\"JSON\", \"tasks.max\": \"4\"");
        cli.write("claims-orders.json", four);
        let created = cli.run_as("claims-deployer", "connector create --config-file claims-orders.json");
        cli.write("claims-orders.json", ORDERS_FILE);
        cli.run_as("claims-deployer", "connector create --config-file claims-orders.json")
            .expect_success();
        let updated = cli.run_as("claims-deployer", "connector update claims-orders --config tasks.max=4");
        for output in [created, updated] {
            assert_eq!(output.code, Some(5), "{value}: {output}");
            assert!(
                output.stderr_line().contains("is currently limited to 3"),
                "{value}: {output}"
            );
        }
        assert_eq!(connector_state(&cli, "claims-orders"), "RUNNING");
    }

    pub(super) fn an_update_with_masked_secrets_keeps_them_or_fails(switch: &str, value: &str) {
        let cli = cli_with_assumption(switch, value, &[]);
        run_full_lifecycle(&cli);
        for name in ["claims-orders", "claims-lake"] {
            run_with_secret(&cli, &format!("connector create --config-file {name}.json")).expect_success();
        }
        let output = cli.run_as(
            "claims-deployer",
            "connector update claims-lake --config flush.size=2000",
        );
        if value == "true" {
            output.expect_success();
        } else {
            // The assumption is checked after the update, and restoring needs the secrets.
            assert_eq!(output.code, Some(6), "{output}");
            assert!(output.stderr_line().contains("aws.secret.access.key"), "{output}");
            let words: Vec<&str> = output.stderr.split_whitespace().collect();
            assert!(words.join(" ").contains("set them again with"), "{output}");
        }
        run_with_secret(&cli, "connector update claims-lake --config-file claims-lake.json").expect_success();
        assert_eq!(connector_state(&cli, "claims-lake"), "RUNNING");
    }

    pub(super) fn a_failed_connector_can_be_restarted_by_command(switch: &str, value: &str) {
        let cli = cli_with_assumption(switch, value, &[]);
        run_full_lifecycle(&cli);
        cli.run_as("claims-deployer", "connector create --config-file claims-orders.json")
            .expect_success();
        cli.run("sandbox fault connector claims-orders platform-error")
            .expect_success();
        assert_eq!(connector_state(&cli, "claims-orders"), "FAILED");
        cli.run_as("claims-operator", "connector restart claims-orders")
            .expect_success();
        assert_eq!(
            connector_state(&cli, "claims-orders"),
            "FAILED",
            "what is broken stays broken"
        );
        cli.run("sandbox fault clear").expect_success();
        cli.run_as("claims-operator", "connector restart claims-orders")
            .expect_success();
        cli.run_as("claims-operator", "connector wait claims-orders")
            .expect_success();
    }

    pub(super) fn an_unknown_plugin_is_reported_without_a_retry(switch: &str, value: &str) {
        let cli = cli_with_assumption(switch, value, &[]);
        run_full_lifecycle(&cli);
        let described = cli.run_as("claims-operator", "connector plugin describe NoSuchPlugin");
        cli.write(
            "claims-orders.json",
            ORDERS_FILE.replace("DatagenSource", "BrandNewSource"),
        );
        let validated = cli.run_as("claims-deployer", "connector validate --config-file claims-orders.json");
        for (output, plugin) in [(described, "NoSuchPlugin"), (validated, "BrandNewSource")] {
            assert_eq!(output.code, Some(1), "{value}: {output}");
            assert!(
                output.stderr_line().contains(&format!("plugin `{plugin}`")),
                "{value}: {output}"
            );
            assert!(
                output.stderr_line().contains("connector plugin list"),
                "{value}: {output}"
            );
            assert!(
                !output.stderr_line().contains("Waiting"),
                "it is not tried again: {output}"
            );
        }
    }

    pub(super) fn a_sink_without_its_topic_recovers_when_the_topic_appears(switch: &str, value: &str) {
        let cli = cli_with_assumption(switch, value, &[]);
        let output = run_with_secret(&cli, "connector create --config-file claims-lake.json");
        if value == "true" {
            assert_eq!(output.code, Some(6), "{output}");
            assert!(
                output.stdout_line().contains("Topic claims-orders is not present"),
                "{output}"
            );
            assert!(output.stdout.contains("| Reads  | claims-orders |"), "{output}");
        } else {
            output.expect_success();
        }
        // The source creates the topic, and the service recovers the sink.
        cli.run_as("claims-deployer", "connector create --config-file claims-orders.json")
            .expect_success();
        cli.run_as("claims-operator", "connector wait claims-lake")
            .expect_success();
        cli.run_as("claims-deployer", "connector delete claims-lake claims-orders --force")
            .expect_success();
        run_full_lifecycle(&cli);
    }

    pub(super) fn missing_access_to_the_dead_letter_topic_is_reported(switch: &str, value: &str) {
        let cli = cli_with_assumption(switch, value, &[]);
        run_full_lifecycle(&cli);
        cli.run_as("claims-deployer", "connector create --config-file claims-orders.json")
            .expect_success();
        cli.write("claims-lake.json", LAKE_FILE.replace("\"none\"", "\"all\""));
        let output = run_with_secret(&cli, "connector create --config-file claims-lake.json");
        if value == "true" {
            output.expect_success();
        } else {
            assert_eq!(output.code, Some(6), "{output}");
            let words = "User does not have CREATE access to topic claims-dlq-lake";
            assert!(output.stdout_line().contains(words), "{output}");
        }
    }

    pub(super) fn a_deleted_name_can_be_created_again(switch: &str, value: &str) {
        let cli = cli_with_assumption(switch, value, &["--timing", "real"]);
        run_full_lifecycle(&cli);
        cli.run_as("claims-deployer", "connector create --config-file claims-orders.json")
            .expect_success();
        let id = cli
            .run_as("claims-operator", "connector describe claims-orders -o json")
            .json()["connector"]["id"]
            .clone();
        cli.run_as("claims-deployer", "connector delete claims-orders --force")
            .expect_success();
        // A connector that is being deleted is not listed, and its deletion is awaited.
        assert_eq!(cli.run_as("claims-operator", "connector list").stdout, "None found.\n");
        cli.run_as("claims-deployer", "connector create --config-file claims-orders.json")
            .expect_success();
        let now = cli
            .run_as("claims-operator", "connector describe claims-orders -o json")
            .json();
        assert_eq!(now["connector"]["status"], "RUNNING");
        assert_ne!(now["connector"]["id"], id, "a new one");
    }

    pub(super) fn connectors_of_other_departments_are_neither_listed_nor_counted(switch: &str, value: &str) {
        let cli = cli_with_assumption(switch, value, &[]);
        cli.run("onboard motor --sandbox --yes").expect_success();
        cli.run("sandbox clock advance 10m").expect_success();
        if value == "refused" {
            return run_with_refused_list(&cli);
        }
        cli.write("motor-lake.json", LAKE_FILE.replace("claims", "motor"));
        let neighbour = || {
            let create = format!(
                "connector create --config-file motor-lake.json --no-wait --profile {PROFILES_DIR}/motor-deployer.toml"
            );
            cli.run_with_env(&create, &[("EBS_SECRET_AWS", "x")])
        };
        neighbour().expect_success();
        run_full_lifecycle(&cli);
        // Connectors of other departments are neither shown nor counted.
        cli.run_as("claims-deployer", "connector create --config-file claims-orders.json")
            .expect_success();
        let list = cli.run_as("claims-operator", "connector list -o json");
        let names: Vec<_> = list.json().items("").iter().map(|row| row["name"].clone()).collect();
        assert_eq!(names, ["claims-orders"], "{value}");
        let quota = cli.run_as("claims-operator", "quota describe").stdout;
        assert!(
            quota.contains("claims-orders") && !quota.contains("motor-lake"),
            "{value}: {quota}"
        );
        let all = cli.run_as("claims-operator", "connector pause --all -o json").json();
        assert_eq!(all.items("/connectors").len(), 1, "{value}");
    }

    /// If the list is 403 for all callers that may not read all of it, single connectors can be managed by name, and
    /// none is created, because the quota cannot be checked.
    fn run_with_refused_list(cli: &Cli) {
        let created = cli
            .run_as("claims-deployer", "connector create --config-file claims-orders.json")
            .expect_code(4);
        assert!(created.stderr_line().contains("not allowed to list"), "{created}");
        create_as_administrator(cli);
        cli.run_as("claims-operator", "connector list").expect_code(4);
        for args in [
            "connector describe claims-orders",
            "connector pause claims-orders",
            "connector wait claims-orders --paused",
            "connector resume claims-orders",
            "connector wait claims-orders",
            "connector restart claims-orders",
            "connector offset describe claims-orders",
        ] {
            cli.run_as("claims-operator", args).expect_success();
        }
        assert_eq!(connector_state(cli, "claims-orders"), "RUNNING");
        cli.run_as("claims-deployer", "connector offset delete claims-orders --force")
            .expect_success();
        // The quota allows a change that needs no additional tasks.
        cli.run_as(
            "claims-deployer",
            "connector update claims-orders --config quickstart=USERS",
        )
        .expect_success();
        let raised = cli
            .run_as("claims-deployer", "connector update claims-orders --config tasks.max=2")
            .expect_code(4);
        assert!(
            raised
                .stderr_line()
                .contains("cannot check 2 tasks instead of 1 against the quota"),
            "{raised}"
        );
        let missing = cli.run_as("claims-operator", "connector pause claims-nothing");
        assert!(
            missing.stderr_line().contains("\"claims-nothing\" not found"),
            "{missing}"
        );
        cli.run_as("claims-operator", "connector describe motor-orders")
            .expect_code(4);
        cli.run_as("claims-deployer", "connector delete claims-orders --force")
            .expect_success();
        cli.run("sandbox clock advance 1m").expect_success();
        let gone = cli.run_as("claims-operator", "connector describe claims-orders");
        assert!(gone.stderr_line().contains("\"claims-orders\" not found"), "{gone}");
    }

    /// Creates the connector as the administrator.
    fn create_as_administrator(cli: &Cli) {
        let runtime = cli.account_id("ebs-prod-claims-runtime");
        let mut body: Value = serde_json::from_str(ORDERS_FILE).unwrap();
        body["config"]["name"] = "claims-orders".into();
        body["config"]["kafka.auth.mode"] = "SERVICE_ACCOUNT".into();
        body["config"]["kafka.service.account.id"] = runtime.into();
        body["config"]["tasks.max"] = "1".into();
        let connectors = "/connect/v1/environments/env-prod01/clusters/lkc-prod01/connectors";
        cli.send_ok(&cli.admin_key(), "POST", connectors, Some(body));
    }

    pub(super) fn a_missing_assigner_role_is_reported_with_the_account(switch: &str, value: &str) {
        let cli = cli_with_assumption(switch, value, &[]);
        run_full_lifecycle(&cli);
        let sandbox = cli.sandbox();
        let deployer_account = cli.account_id("ebs-prod-claims-deployer");
        let bound = sandbox
            .bindings()
            .unwrap()
            .into_iter()
            .find(|found| found.binding.role == Role::Assigner && found.binding.principal.id() == deployer_account);
        let path = format!("/iam/v2/role-bindings/{}", bound.unwrap().id);
        cli.send_ok(&cli.admin_key(), "DELETE", &path, None);
        let output = cli.run_as("claims-deployer", "connector create --config-file claims-orders.json");
        assert_ne!(output.code, Some(0), "{value}: {output}");
        let runtime = cli.account_id("ebs-prod-claims-runtime");
        assert!(
            output.stderr_line().contains(&runtime),
            "{value}: the account is named: {output}"
        );
        assert!(output.stderr_line().contains("assign"), "{value}: {output}");
        assert!(sandbox.connectors().unwrap().is_empty());
    }
}
