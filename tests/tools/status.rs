//! `status`: the output for departments and for the platform team, its requests, and its exit codes.

use serde_json::Value;

use crate::{
    common::{Cli, CliOutput, ConnectorSpec, JsonAccess as _, PROFILES_DIR},
    metrics::cli_with_two_hours_of_metrics,
};

/// "claims" with four connectors: one failed, one degraded, one paused.
fn cli_with_failures() -> Cli {
    let cli = Cli::onboarded("claims");
    let plan = ["claims-a", "claims-b", "claims-c", "claims-d"].map(|name| ConnectorSpec {
        stage: "prod",
        department: "claims",
        name,
        tasks: 2,
    });
    cli.create_connectors(plan);
    set_connector_fault(&cli, "claims-b", "unknown-host");
    set_connector_fault(&cli, "claims-c", "task-failed");
    cli.run_as("claims-operator", "connector pause claims-d")
        .expect_success();
    cli
}

fn set_connector_fault(cli: &Cli, connector: &str, kind: &str) {
    cli.run(&format!("sandbox fault connector {connector} {kind}"))
        .expect_success();
}

fn connector_row<'a>(status: &'a Value, name: &str) -> &'a Value {
    let all = status.items("/stages/0/connectors");
    all.iter().find(|row| row["name"] == name).unwrap()
}

#[test]
fn status_shows_a_department_its_connectors_and_sets_the_exit_code() {
    let cli = cli_with_failures();
    let output = cli.run_as("claims-operator", "status").expect_code(6);
    let text = output.stdout_line();
    for words in [
        "4 connectors: 1 failed, 1 degraded, 1 paused, 1 running.",
        "Department `claims` uses 4 of 12 connectors and 8 of 20 tasks.",
        "claims-b | FAILED",
        "claims-d | PAUSED",
        "claims-c is DEGRADED: ",
    ] {
        assert!(text.contains(words), "{words}: {output}");
    }
    assert!(output.stderr_line().contains("1 connector has failed"), "{output}");
    assert!(output.stderr_line().contains("connector explain claims-b"), "{output}");
    let widest = output.stdout.lines().map(|line| line.trim_end().chars().count()).max();
    assert!(widest <= Some(80), "{output}");
    // A degraded connector changes the exit code only on request.
    cli.run("sandbox fault connector claims-b --clear").expect_success();
    cli.run_as("claims-operator", "status").expect_success();
    let output = cli
        .run_as("claims-operator", "status --fail-on degraded")
        .expect_code(6);
    assert!(output.stderr_line().contains("1 connector is degraded"), "{output}");
}

/// The command of a hint, as parsed by a shell.
fn hinted_commands(output: &CliOutput) -> Vec<String> {
    let said = output.stderr_line();
    let (_, after) = said.split_once("`confluent ebs connector explain").unwrap();
    let (command, _) = after.split_once('`').unwrap();
    let words = command
        .split_whitespace()
        .map(|word| word.trim_matches('\'').to_owned());
    ["connector".to_owned(), "explain".to_owned()]
        .into_iter()
        .chain(words)
        .collect()
}

// Without the flags of the hint, the result is "connector not found".
#[test]
fn suggested_commands_use_the_same_stage_and_department() {
    let cli = cli_with_failures();
    cli.run("onboard claims --sandbox --stage test --yes").expect_success();
    let made = ConnectorSpec {
        stage: "test",
        department: "claims",
        name: "claims-t",
        tasks: 1,
    };
    cli.create_connectors([made]);
    set_connector_fault(&cli, "claims-t", "unknown-host");
    let test = format!("--profile {PROFILES_DIR}/claims-operator.toml");
    for (flags, command) in [
        ("--sandbox", "claims-b --sandbox --stage prod".to_owned()),
        ("--sandbox --stage test", "claims-t --stage test --sandbox".to_owned()),
        (
            "--sandbox --environment env-test01 --cluster lkc-test01",
            "claims-t --environment env-test01 --cluster lkc-test01 --sandbox".to_owned(),
        ),
        (
            "--sandbox --department claims --stage test",
            "claims-t --department claims --stage test --sandbox".to_owned(),
        ),
        (
            "--sandbox-as claims/operator --stage test",
            "claims-t --sandbox-as claims/operator --stage test".to_owned(),
        ),
        (&test, format!("claims-b {test}")),
    ] {
        let output = cli.run(&format!("status {flags}")).expect_code(6);
        let words = hinted_commands(&output);
        assert_eq!(words[2..].join(" "), command, "{output}");
        cli.run_command(cli.command().args(&words)).expect_code(6);
    }
    // "all" is refused without a department.
    let output = cli.run("connector list --sandbox --stage test").expect_success();
    assert_eq!(
        hinted_commands(&output)[2..].join(" "),
        "* --stage test --sandbox",
        "{output}"
    );
    assert!(output.stderr_line().contains("explain '*' --stage test"), "{output}");
    cli.run_command(cli.command().args(hinted_commands(&output)))
        .expect_code(6);
    let output = cli.run_as("claims-operator", "connector list");
    assert_eq!(
        hinted_commands(&output)[2..].join(" "),
        format!("--all {test}"),
        "{output}"
    );
}

// The service does not report when the state began (docs/reference/connect.md#status); the output contains the time
// observed by this computer.
#[test]
fn the_age_of_a_state_is_counted_from_its_first_local_observation() {
    let cli = cli_with_failures();
    let first = cli.run_as("claims-operator", "status -o json").json();
    cli.run("sandbox clock advance 3h").expect_success();
    let later = cli.run_as("claims-operator", "status -o json").json();
    let since = |status: &Value| connector_row(status, "claims-b")["observed_since"].clone();
    assert!(since(&first).is_string());
    assert_eq!(since(&first), since(&later));
    assert!(
        cli.run_as("claims-operator", "status")
            .stdout_line()
            .contains("FAILED | 0 of 2 | 3h+")
    );
    cli.run("sandbox fault connector claims-b --clear").expect_success();
    cli.run_as("claims-operator", "status").expect_success();
    set_connector_fault(&cli, "claims-b", "unknown-host");
    assert!(
        cli.run_as("claims-operator", "status")
            .stdout_line()
            .contains("FAILED | 0 of 2 | new")
    );
}

#[test]
fn status_shows_the_platform_team_all_departments_and_unowned_connectors() {
    let cli = cli_with_failures();
    let stray = ConnectorSpec {
        stage: "prod",
        department: "claims",
        name: "lonely-source",
        tasks: 3,
    };
    cli.create_connectors([stray]);
    let output = cli.run("status --sandbox").expect_code(6);
    assert!(
        output.stderr_line().contains("1 connector has failed, of 1 department"),
        "{output}"
    );
    let text = output.stdout_line();
    for words in [
        "Stage prod (lkc-prod01) 5 connectors: 1 failed, 1 degraded, 1 paused, 2 running.",
        "11 of 225 tasks are used; 25 reserved.",
        "claims | 1 | 1 | 1 | 1 | 8 of 20 | new",
        "motor | | | | | 0 of 16 |",
        "(unowned) | | | 1 | | 3 |",
        "claims-b is FAILED: ",
        "Stage test (lkc-test01) No connectors.",
    ] {
        assert!(text.contains(words), "{words}: {output}");
    }
    let widest = output.stdout.lines().map(|line| line.trim_end().chars().count()).max();
    assert!(widest <= Some(80), "{output}");
    let status = cli.run("status --sandbox --stage prod -o json").json();
    assert_eq!(status.items("/stages").len(), 1);
    let departments = status.items("/stages/0/departments");
    assert_eq!(departments.len(), 24);
    assert_eq!(departments[0]["department"], "claims");
    assert_eq!(departments[0]["worst"], "claims-b");
    assert_eq!(status["stages"][0]["unowned"]["counts"]["total"], 1);
    // For a single department, nothing of others.
    let one = cli.run("status --sandbox --department claims -o json");
    assert!(!one.stdout.contains("lonely") && !one.stdout.contains("motor"), "{one}");
    assert_eq!(one.json()["stages"][0]["cluster_tasks"], Value::Null);
}

// A fleet of 500 connectors in two clusters takes two list calls, not 500.
#[test]
fn status_of_500_connectors_in_two_clusters_takes_two_requests() {
    let cli = Cli::onboarded("claims");
    cli.run("onboard claims --sandbox --stage test --yes").expect_success();
    let names: Vec<String> = (1..=250).map(|number| format!("claims-source-{number:03}")).collect();
    let everywhere = ["prod", "test"].into_iter().flat_map(|stage| {
        names.iter().map(move |name| ConnectorSpec {
            stage,
            department: "claims",
            name,
            tasks: 1,
        })
    });
    cli.create_connectors(everywhere);
    let before = cli.last_request_seq();
    let status = cli.run("status --sandbox -o json").json();
    let asked = cli.requests_since(before);
    assert_eq!(asked.len(), 2, "{asked:#?}");
    let totals = status.items("/stages").iter();
    let totals: Vec<&Value> = totals.map(|stage| &stage["counts"]["running"]).collect();
    assert_eq!(totals, [250, 250]);
}

// The lag is shown if it can be read. No persona of a department may read it
// (docs/reference/metrics.md#who-may-read-metrics).
#[test]
fn status_shows_sink_lag_to_callers_that_can_read_metrics() {
    let cli = cli_with_two_hours_of_metrics();
    let claims = "status --sandbox --department claims --stage prod";
    let before = cli.last_request_seq();
    let status = cli.run(&format!("{claims} -o json --html page.html")).json();
    let asked = cli.requests_since(before);
    assert_eq!(asked.len(), 2, "one list, one query: {asked:#?}");
    let lag = connector_row(&status, "claims-lake").count("/lag_records");
    assert_eq!(connector_row(&status, "claims-orders")["lag_records"], Value::Null);
    // The latest value, because values differ from minute to minute.
    let metrics = cli
        .run("connector metrics claims-lake --sandbox --department claims --since 20m -o json")
        .json();
    let rows = metrics.items("/connectors/0/metrics");
    let measured = rows.iter().find(|row| row["metric"] == "records_lag_max").unwrap();
    assert_ne!(measured["points"][0]["value"], measured["last"], "{measured}");
    let last = measured.number("/last");
    assert_eq!(format!("{last:.0}"), lag.to_string(), "{measured}");
    let text = cli.run(claims).stdout_line();
    assert!(
        text.contains(&format!("claims-lake | RUNNING | 2 of 2 | {lag} |")),
        "{text}"
    );
    assert!(cli.read("page.html").contains("Lag (records)"));
    // Neither a department nor a run for all departments requests it.
    for output in [cli.run_as("claims-operator", "status"), cli.run("status --sandbox")] {
        assert_eq!(output.code, Some(0), "{output}");
        assert!(
            !output.stdout.contains("Lag") && !output.stdout.contains("behind"),
            "{output}"
        );
    }
    let refuse = "sandbox fault add server-error --path /v2/metrics/** --forever";
    cli.run(refuse).expect_success();
    // In one stage, and once for all of them.
    for claims in [claims, "status --sandbox --department claims"] {
        let output = cli.run(claims).expect_success();
        let said = output.stdout_line().matches("The lag of sinks is unknown: ").count();
        assert_eq!(said, 1, "{output}");
    }
}

#[test]
fn an_unreachable_cluster_is_reported_as_unknown() {
    let cli = cli_with_failures();
    let refuse = "sandbox fault add server-error --path /connect/v1/environments/env-test01/** --forever";
    cli.run(refuse).expect_success();
    cli.run("sandbox fault connector claims-b --clear").expect_success();
    let output = cli.run("status --sandbox").expect_code(1);
    assert!(
        output.stdout_line().contains("Stage test (lkc-test01) Unknown: "),
        "{output}"
    );
    assert!(
        output.stdout_line().contains("Stage prod (lkc-prod01) 4 connectors"),
        "{output}"
    );
    assert!(output.stderr_line().contains("cannot observe stage `test`"), "{output}");
    let status = cli.run("status --sandbox -o json").json();
    let test = &status["stages"][1];
    assert!(test["unknown"].is_string(), "{test}");
    assert_eq!(test["departments"], Value::Array(Vec::new()));
    // A service that does not let a department list anything (`docs/assumptions.md`, Q2).
    let mut settings = cli.sandbox().settings().unwrap();
    settings.assumptions.connector_list = confluent_ebs::sandbox::ListVisibility::Refused;
    cli.sandbox().set_settings(settings).unwrap();
    let output = cli.run_as("claims-operator", "status");
    assert_eq!((output.code, output.stdout.as_str()), (Some(4), ""), "{output}");
    cli.run(&format!(
        "status --stage test --profile {PROFILES_DIR}/claims-operator.toml"
    ))
    .expect_code(64);
}

#[test]
fn watch_needs_a_terminal_and_text_output() {
    let cli = Cli::onboarded("claims");
    let output = cli.run_as("claims-operator", "status --watch");
    assert_eq!((output.code, output.stdout.as_str()), (Some(64), ""), "{output}");
    assert!(
        output
            .stderr_line()
            .contains("--watch requires a terminal on standard output"),
        "{output}"
    );
    for args in [
        "--watch -o json",
        "--watch --html page.html",
        "--interval 5s",
        "--watch --interval 0s",
    ] {
        cli.run_as("claims-operator", &format!("status {args}")).expect_code(64);
    }
}

#[test]
fn the_html_page_replaces_an_older_one_with_default_permissions() {
    let cli = cli_with_failures();
    cli.write("page.html", "older");
    let output = cli.run_as("claims-operator", "status --html page.html").expect_code(6);
    assert!(output.stderr_line().contains("Wrote `page.html`."), "{output}");
    assert!(cli.read("page.html").starts_with("<!DOCTYPE html>"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let beside = cli.write("beside", "");
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(cli.path("page.html")), mode(beside));
    }
    let output = cli.run_as("claims-operator", "status --html nowhere/page.html");
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output}");
}
