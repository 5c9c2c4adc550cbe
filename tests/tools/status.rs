//! `status`: the output for departments and for the platform team, its requests, and its exit codes.

use serde_json::Value;

use crate::{
    common::{CliFixture, CliOutput},
    department_fixture::{PROFILES_DIR, fixture_with_claims, normalized_stderr, parse_json, run_as_operator},
    fleet_fixture::{self, ConnectorSpec},
    metrics::fixture_with_two_hours_of_metrics,
};

/// The text without line breaks.
fn normalized_stdout(output: &CliOutput) -> String {
    output.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// "claims" with four connectors: one failed, one degraded, one paused.
fn fixture_with_failures() -> CliFixture {
    let cli = fixture_with_claims();
    let plan = ["claims-a", "claims-b", "claims-c", "claims-d"].map(|name| ConnectorSpec {
        stage: "prod",
        department: "claims",
        name,
        tasks: 2,
    });
    fleet_fixture::create_connectors(&cli, plan);
    set_connector_fault(&cli, "claims-b", "unknown-host");
    set_connector_fault(&cli, "claims-c", "task-failed");
    let paused = run_as_operator(&cli, "connector pause claims-d");
    assert_eq!(paused.code, Some(0), "{paused}");
    cli
}

fn set_connector_fault(cli: &CliFixture, connector: &str, kind: &str) {
    let output = cli.run(&format!("sandbox fault connector {connector} {kind}"));
    assert_eq!(output.code, Some(0), "{output}");
}

fn connector_row<'a>(status: &'a Value, name: &str) -> &'a Value {
    let all = status["stages"][0]["connectors"].as_array().unwrap();
    all.iter().find(|row| row["name"] == name).unwrap()
}

#[test]
fn status_shows_a_department_its_connectors_and_sets_the_exit_code() {
    let cli = fixture_with_failures();
    let output = run_as_operator(&cli, "status");
    assert_eq!(output.code, Some(6), "{output}");
    let text = normalized_stdout(&output);
    for words in [
        "4 connectors: 1 failed, 1 degraded, 1 paused, 1 running.",
        "Department `claims` uses 4 of 12 connectors and 8 of 20 tasks.",
        "claims-b | FAILED",
        "claims-d | PAUSED",
        "claims-c is DEGRADED: ",
    ] {
        assert!(text.contains(words), "{words}: {output}");
    }
    assert!(
        normalized_stderr(&output).contains("1 connector has failed"),
        "{output}"
    );
    assert!(
        normalized_stderr(&output).contains("connector explain claims-b"),
        "{output}"
    );
    let widest = output.stdout.lines().map(|line| line.trim_end().chars().count()).max();
    assert!(widest <= Some(80), "{output}");
    // A degraded connector changes the exit code only on request.
    assert_eq!(cli.run("sandbox fault connector claims-b --clear").code, Some(0));
    assert_eq!(run_as_operator(&cli, "status").code, Some(0));
    let output = run_as_operator(&cli, "status --fail-on degraded");
    assert_eq!(output.code, Some(6), "{output}");
    assert!(
        normalized_stderr(&output).contains("1 connector is degraded"),
        "{output}"
    );
}

/// The command of a hint, as parsed by a shell.
fn hinted_commands(output: &CliOutput) -> Vec<String> {
    let said = normalized_stderr(output);
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
    let cli = fixture_with_failures();
    let output = cli.run("onboard claims --sandbox --stage test --yes");
    assert_eq!(output.code, Some(0), "{output}");
    let made = ConnectorSpec {
        stage: "test",
        department: "claims",
        name: "claims-t",
        tasks: 1,
    };
    fleet_fixture::create_connectors(&cli, [made]);
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
        let output = cli.run(&format!("status {flags}"));
        assert_eq!(output.code, Some(6), "{output}");
        let words = hinted_commands(&output);
        assert_eq!(words[2..].join(" "), command, "{output}");
        let typed = cli.run_command(cli.command().args(&words));
        assert_eq!(typed.code, Some(6), "{typed}");
    }
    // "all" is refused without a department.
    let output = cli.run("connector list --sandbox --stage test");
    assert_eq!(output.code, Some(0), "{output}");
    assert_eq!(
        hinted_commands(&output)[2..].join(" "),
        "* --stage test --sandbox",
        "{output}"
    );
    assert!(
        normalized_stderr(&output).contains("explain '*' --stage test"),
        "{output}"
    );
    let typed = cli.run_command(cli.command().args(hinted_commands(&output)));
    assert_eq!(typed.code, Some(6), "{typed}");
    let output = run_as_operator(&cli, "connector list");
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
    let cli = fixture_with_failures();
    let first = parse_json(&run_as_operator(&cli, "status -o json"));
    assert_eq!(cli.run("sandbox clock advance 3h").code, Some(0));
    let later = parse_json(&run_as_operator(&cli, "status -o json"));
    let since = |status: &Value| connector_row(status, "claims-b")["observed_since"].clone();
    assert!(since(&first).is_string());
    assert_eq!(since(&first), since(&later));
    assert!(normalized_stdout(&run_as_operator(&cli, "status")).contains("FAILED | 0 of 2 | 3h+"));
    assert_eq!(cli.run("sandbox fault connector claims-b --clear").code, Some(0));
    assert_eq!(run_as_operator(&cli, "status").code, Some(0));
    set_connector_fault(&cli, "claims-b", "unknown-host");
    assert!(normalized_stdout(&run_as_operator(&cli, "status")).contains("FAILED | 0 of 2 | new"));
}

#[test]
fn status_shows_the_platform_team_all_departments_and_unowned_connectors() {
    let cli = fixture_with_failures();
    let stray = ConnectorSpec {
        stage: "prod",
        department: "claims",
        name: "lonely-source",
        tasks: 3,
    };
    fleet_fixture::create_connectors(&cli, [stray]);
    let output = cli.run("status --sandbox");
    assert_eq!(output.code, Some(6), "{output}");
    assert!(
        normalized_stderr(&output).contains("1 connector has failed, of 1 department"),
        "{output}"
    );
    let text = normalized_stdout(&output);
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
    let status = parse_json(&cli.run("status --sandbox --stage prod -o json"));
    assert_eq!(status["stages"].as_array().unwrap().len(), 1);
    let departments = status["stages"][0]["departments"].as_array().unwrap();
    assert_eq!(departments.len(), 24);
    assert_eq!(departments[0]["department"], "claims");
    assert_eq!(departments[0]["worst"], "claims-b");
    assert_eq!(status["stages"][0]["unowned"]["counts"]["total"], 1);
    // For a single department, nothing of others.
    let one = cli.run("status --sandbox --department claims -o json");
    assert!(!one.stdout.contains("lonely") && !one.stdout.contains("motor"), "{one}");
    assert_eq!(parse_json(&one)["stages"][0]["cluster_tasks"], Value::Null);
}

// A fleet of 500 connectors in two clusters takes two list calls, not 500.
#[test]
fn status_of_500_connectors_in_two_clusters_takes_two_requests() {
    let cli = fixture_with_claims();
    let output = cli.run("onboard claims --sandbox --stage test --yes");
    assert_eq!(output.code, Some(0), "{output}");
    let names: Vec<String> = (1..=250).map(|number| format!("claims-source-{number:03}")).collect();
    let everywhere = ["prod", "test"].into_iter().flat_map(|stage| {
        names.iter().map(move |name| ConnectorSpec {
            stage,
            department: "claims",
            name,
            tasks: 1,
        })
    });
    fleet_fixture::create_connectors(&cli, everywhere);
    let before = fleet_fixture::last_request_seq(&cli);
    let status = parse_json(&cli.run("status --sandbox -o json"));
    let asked = fleet_fixture::requests_since(&cli, before);
    assert_eq!(asked.len(), 2, "{asked:#?}");
    let totals = status["stages"].as_array().unwrap().iter();
    let totals: Vec<&Value> = totals.map(|stage| &stage["counts"]["running"]).collect();
    assert_eq!(totals, [250, 250]);
}

// The lag is shown if it can be read. No persona of a department may read it
// (docs/reference/metrics.md#who-may-read-metrics).
#[test]
fn status_shows_sink_lag_to_callers_that_can_read_metrics() {
    let cli = fixture_with_two_hours_of_metrics();
    let claims = "status --sandbox --department claims --stage prod";
    let before = fleet_fixture::last_request_seq(&cli);
    let status = parse_json(&cli.run(&format!("{claims} -o json --html page.html")));
    let asked = fleet_fixture::requests_since(&cli, before);
    assert_eq!(asked.len(), 2, "one list, one query: {asked:#?}");
    let lag = connector_row(&status, "claims-lake")["lag_records"].as_u64().unwrap();
    assert_eq!(connector_row(&status, "claims-orders")["lag_records"], Value::Null);
    // The latest value, because values differ from minute to minute.
    let metrics =
        parse_json(&cli.run("connector metrics claims-lake --sandbox --department claims --since 20m -o json"));
    let rows = metrics["connectors"][0]["metrics"].as_array().unwrap();
    let measured = rows.iter().find(|row| row["metric"] == "records_lag_max").unwrap();
    assert_ne!(measured["points"][0]["value"], measured["last"], "{measured}");
    let last = measured["last"].as_f64().unwrap();
    assert_eq!(format!("{last:.0}"), lag.to_string(), "{measured}");
    let text = normalized_stdout(&cli.run(claims));
    assert!(
        text.contains(&format!("claims-lake | RUNNING | 2 of 2 | {lag} |")),
        "{text}"
    );
    assert!(cli.read("page.html").contains("Lag (records)"));
    // Neither a department nor a run for all departments requests it.
    for output in [run_as_operator(&cli, "status"), cli.run("status --sandbox")] {
        assert_eq!(output.code, Some(0), "{output}");
        assert!(
            !output.stdout.contains("Lag") && !output.stdout.contains("behind"),
            "{output}"
        );
    }
    let refuse = "sandbox fault add server-error --path /v2/metrics/** --forever";
    assert_eq!(cli.run(refuse).code, Some(0));
    // In one stage, and once for all of them.
    for claims in [claims, "status --sandbox --department claims"] {
        let output = cli.run(claims);
        assert_eq!(output.code, Some(0), "{output}");
        let said = normalized_stdout(&output)
            .matches("The lag of sinks is unknown: ")
            .count();
        assert_eq!(said, 1, "{output}");
    }
}

#[test]
fn an_unreachable_cluster_is_reported_as_unknown() {
    let cli = fixture_with_failures();
    let refuse = "sandbox fault add server-error --path /connect/v1/environments/env-test01/** --forever";
    assert_eq!(cli.run(refuse).code, Some(0));
    assert_eq!(cli.run("sandbox fault connector claims-b --clear").code, Some(0));
    let output = cli.run("status --sandbox");
    assert_eq!(output.code, Some(1), "{output}");
    assert!(
        normalized_stdout(&output).contains("Stage test (lkc-test01) Unknown: "),
        "{output}"
    );
    assert!(
        normalized_stdout(&output).contains("Stage prod (lkc-prod01) 4 connectors"),
        "{output}"
    );
    assert!(
        normalized_stderr(&output).contains("cannot observe stage `test`"),
        "{output}"
    );
    let status = parse_json(&cli.run("status --sandbox -o json"));
    let test = &status["stages"][1];
    assert!(test["unknown"].is_string(), "{test}");
    assert_eq!(test["departments"], Value::Array(Vec::new()));
    // A service that does not let a department list anything (`docs/assumptions.md`, Q2).
    let mut settings = fleet_fixture::open_sandbox(&cli).settings().unwrap();
    settings.assumptions.connector_list = confluent_ebs::sandbox::ListVisibility::Refused;
    fleet_fixture::open_sandbox(&cli).set_settings(settings).unwrap();
    let output = run_as_operator(&cli, "status");
    assert_eq!((output.code, output.stdout.as_str()), (Some(4), ""), "{output}");
    let output = cli.run(&format!(
        "status --stage test --profile {PROFILES_DIR}/claims-operator.toml"
    ));
    assert_eq!(output.code, Some(64), "{output}");
}

#[test]
fn watch_needs_a_terminal_and_text_output() {
    let cli = fixture_with_claims();
    let output = run_as_operator(&cli, "status --watch");
    assert_eq!((output.code, output.stdout.as_str()), (Some(64), ""), "{output}");
    assert!(
        normalized_stderr(&output).contains("--watch requires a terminal on standard output"),
        "{output}"
    );
    for args in [
        "--watch -o json",
        "--watch --html page.html",
        "--interval 5s",
        "--watch --interval 0s",
    ] {
        let output = run_as_operator(&cli, &format!("status {args}"));
        assert_eq!(output.code, Some(64), "{args}: {output}");
    }
}

#[test]
fn the_html_page_replaces_an_older_one_with_default_permissions() {
    let cli = fixture_with_failures();
    cli.write("page.html", "older");
    let output = run_as_operator(&cli, "status --html page.html");
    assert_eq!(output.code, Some(6), "{output}");
    assert!(normalized_stderr(&output).contains("Wrote `page.html`."), "{output}");
    assert!(cli.read("page.html").starts_with("<!DOCTYPE html>"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let beside = cli.write("beside", "");
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(cli.path("page.html")), mode(beside));
    }
    let output = run_as_operator(&cli, "status --html nowhere/page.html");
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output}");
}
