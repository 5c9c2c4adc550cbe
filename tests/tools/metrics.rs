//! `connector metrics`: with the platform team's key, with a department's, and with faults (docs/reference/metrics.md).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::common::{Cli, CliOutput, JsonAccess as _, PROFILES_DIR, RunningCommand};

const CLAIMS_FLAGS: &str = "--sandbox --department claims";

const ORDERS_FILE: &str = r#"{"name": "claims-orders", "connector.class": "DatagenSource", "kafka.topic": "claims-orders",
    "quickstart": "ORDERS", "output.data.format": "JSON"}"#;
const LAKE_FILE: &str = r#"{"name": "claims-lake", "connector.class": "S3_SINK", "topics": "claims-orders",
    "input.data.format": "JSON", "output.data.format": "JSON", "s3.bucket.name": "claims-lake", "time.interval": "HOURLY",
    "flush.size": "1000", "authentication.method": "IAM Roles", "provider.integration.id": "cspi-1", "tasks.max": "2"}"#;

fn advance_clock(cli: &Cli, by: &str) {
    cli.run(&format!("sandbox clock advance {by}")).expect_success();
}

/// "claims" with a source and a sink that have run for two hours.
pub(crate) fn cli_with_two_hours_of_metrics() -> Cli {
    let cli = Cli::onboarded("claims");
    create_connectors(&cli);
    cli
}

fn create_connectors(cli: &Cli) {
    for (file, text) in [("claims-orders.json", ORDERS_FILE), ("claims-lake.json", LAKE_FILE)] {
        cli.write(file, text);
        cli.run_as("claims-deployer", &format!("connector create --config-file {file}"))
            .expect_success();
    }
    advance_clock(cli, "2h");
}

fn run_metrics(cli: &Cli, args: &str) -> CliOutput {
    cli.run(&format!("connector metrics {args}"))
}

fn metric<'a>(connector: &'a Value, name: &str) -> &'a Value {
    let rows = connector.items("/metrics");
    rows.iter()
        .find(|row| row["metric"] == name)
        .unwrap_or_else(|| panic!("no {name}: {connector}"))
}

fn metric_values(metric: &Value) -> Vec<f64> {
    let points = metric.items("/points");
    points.iter().map(|point| point.number("/value")).collect()
}

// Source: docs/reference/metrics.md#connector-metrics. Metrics of sources and of sinks; five minutes late
// (docs/reference/metrics.md#limits-and-delay).
#[test]
fn the_platform_team_sees_throughput_of_all_connectors() {
    let cli = cli_with_two_hours_of_metrics();
    let answer = run_metrics(&cli, &format!("--all --since 1h -o json {CLAIMS_FLAGS}"))
        .expect_success()
        .json();
    assert_eq!(answer["not_measured"], serde_json::json!(["cpu", "memory"]));
    let connectors = answer.items("/connectors");
    let names: Vec<&str> = connectors.iter().map(|row| row.text("/name")).collect();
    assert_eq!(names, ["claims-lake", "claims-orders"]);
    let of = |connector: &Value| -> Vec<String> {
        let rows = connector.items("/metrics").iter();
        rows.map(|row| row.text("/metric").to_owned()).collect()
    };
    assert_eq!(of(&connectors[1]), ["sent_records", "sent_bytes"]);
    assert_eq!(
        of(&connectors[0]),
        [
            "received_records",
            "received_bytes",
            "dead_letter_queue_records",
            "records_lag_max",
            "sink_task_put_batch_max_time_milliseconds"
        ]
    );
    let sent = metric(&connectors[1], "sent_records");
    let all = metric_values(sent);
    assert_eq!(all.len(), 55, "an hour without its last five minutes: {sent}");
    let total: f64 = all.iter().sum();
    assert!((sent.number("/total") - total).abs() < 0.01, "{sent}");
    assert!((sent.number("/mean") - total / 55.0).abs() < 0.01, "{sent}");
    let peak = all.iter().copied().fold(0.0, f64::max);
    assert!((sent.number("/peak") - peak).abs() < 0.01, "{sent}");
    assert_eq!(sent["last"], sent["points"][54]["value"]);
    assert!(metric(&connectors[0], "records_lag_max")["total"].is_null());
    assert_eq!(connectors[0].items("/tasks").len(), 2);
    assert_eq!(connectors[0]["states"][0]["state"], "RUNNING");
    // Longer periods have longer steps, whose values are sums.
    let day = run_metrics(&cli, &format!("claims-orders --since 1d -o json {CLAIMS_FLAGS}"))
        .expect_success()
        .json();
    assert_eq!(day["bucket_seconds"], 300);
    let sent = metric(&day["connectors"][0], "sent_records");
    assert!(
        metric_values(sent)[1] > 1_000.0 && sent.number("/peak") < 1_000.0,
        "per minute: {sent}"
    );
    let middle = run_metrics(
        &cli,
        &format!("claims-orders --since 90m --until 30m -o json {CLAIMS_FLAGS}"),
    )
    .expect_success()
    .json();
    assert_eq!(
        metric_values(metric(&middle["connectors"][0], "sent_records")).len(),
        60
    );
    run_metrics(&cli, &format!("claims-orders --since 30m --until 90m {CLAIMS_FLAGS}")).expect_code(64);
}

// Source: docs/reference/metrics.md#connector-metrics. Minutes without a count have no values. Lag has values.
#[test]
fn a_pause_is_a_gap_in_the_metrics_and_not_zero() {
    let cli = cli_with_two_hours_of_metrics();
    cli.run_as("claims-operator", "connector pause claims-lake")
        .expect_success();
    advance_clock(&cli, "20m");
    cli.run_as("claims-operator", "connector resume claims-lake")
        .expect_success();
    advance_clock(&cli, "20m");
    let answer = run_metrics(&cli, &format!("claims-lake -o json {CLAIMS_FLAGS}"))
        .expect_success()
        .json();
    let lake = &answer["connectors"][0];
    let (read, lag) = (metric(lake, "received_records"), metric(lake, "records_lag_max"));
    assert!((34..=37).contains(&metric_values(read).len()), "{read}");
    assert!(metric_values(read).iter().all(|value| *value > 0.0), "{read}");
    assert_eq!(metric_values(lag).len(), 55);
    let states: Vec<&str> = lake.items("/states").iter().map(|stay| stay.text("/state")).collect();
    assert_eq!(states, ["RUNNING", "PAUSED", "RUNNING"]);
    assert_eq!(lake["tasks"][1]["states"][1]["state"], "PAUSED");
    // Dead letters are drawn by the minute; a pause on request is not an anomaly.
    let anomalies = lake.items("/anomalies");
    assert!(
        anomalies.iter().all(|anomaly| anomaly["anomaly"] == "dead_letters"),
        "{anomalies:?}"
    );
    let shown = run_metrics(&cli, &format!("claims-lake {CLAIMS_FLAGS}")).expect_success();
    let curve = |row: &str| {
        let line = shown
            .stdout
            .lines()
            .find(|line| line.trim_start().starts_with(row))
            .unwrap();
        line.split('|').nth(1).unwrap().trim().to_owned()
    };
    assert!(
        curve("Records in/min").contains("..") && !curve("Records in/min").contains('_'),
        "{shown}"
    );
    assert!(
        curve("Tasks running").contains("__") && !curve("Tasks running").contains('.'),
        "{shown}"
    );
    assert!(shown.stdout.contains("task 1    | PAUSED"), "{shown}");
    assert!(
        shown.stdout_line().contains("A dot or \"-\" means no value, not zero"),
        "{shown}"
    );
    assert!(
        shown
            .stdout_line()
            .contains("CPU and memory of managed connectors are not measured."),
        "{shown}"
    );
}

#[test]
fn a_failed_source_is_reported_with_its_metrics() {
    let cli = cli_with_two_hours_of_metrics();
    cli.run("sandbox fault connector claims-orders wrong-password")
        .expect_success();
    advance_clock(&cli, "20m");
    let shown = run_metrics(&cli, &format!("--all {CLAIMS_FLAGS}")).expect_success();
    assert!(shown.stdout.contains("claims-orders is FAILED.\n"), "{shown}");
    let answer = run_metrics(&cli, &format!("claims-orders -o json {CLAIMS_FLAGS}"))
        .expect_success()
        .json();
    let states = answer.items("/connectors/0/states");
    assert_eq!(states.last().unwrap()["state"], "FAILED", "{answer}");
    assert!(metric(&answer["connectors"][0], "sent_records")["last"].is_null());
}

#[test]
fn metric_tables_fit_the_terminal_without_colour_or_unicode() {
    let cli = cli_with_two_hours_of_metrics();
    for columns in ["80", "200"] {
        for (locale, terminal, block) in [("", "", false), ("C.UTF-8", "xterm", true), ("C.UTF-8", "linux", false)] {
            for which in ["claims-lake", "--all"] {
                let mut command = cli.command();
                let args = format!("connector metrics {which} {CLAIMS_FLAGS}");
                command.args(args.split_whitespace()).env("COLUMNS", columns);
                command.env("LANG", locale).env("TERM", terminal);
                let output = cli.run_command(&mut command).expect_success();
                let table: Vec<&str> = output.stdout.lines().filter(|line| line.contains('|')).collect();
                assert!(table.len() >= 3, "{output}");
                let widest = table.iter().map(|line| line.trim_end().chars().count()).max();
                assert!(widest <= columns.parse().ok(), "{output}");
                assert_eq!(output.stdout.contains('█'), block, "{output}");
                assert!(block || output.stdout.is_ascii(), "{output}");
                assert!(!output.stdout.contains('\u{1b}'), "{output}");
            }
        }
    }
    let detail = run_metrics(&cli, &format!("claims-lake {CLAIMS_FLAGS}")).stdout;
    for unit in [
        "Records in/min",
        "KiB in/min",
        "Dead letters/min",
        "Lag in records",
        "Slowest batch in ms",
    ] {
        assert!(detail.contains(unit), "{detail}");
    }
}

#[test]
fn csv_output_has_one_value_per_line() {
    let cli = cli_with_two_hours_of_metrics();
    let output = run_metrics(&cli, &format!("--all -o csv --since 15m {CLAIMS_FLAGS}")).expect_success();
    let mut lines = output.stdout.lines();
    assert_eq!(lines.next(), Some("connector,id,metric,unit,timestamp,value"));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert!(
        rows.iter().all(|row| row.len() == 6 && row[5].parse::<f64>().is_ok()),
        "{output}"
    );
    let of = |metric: &str| rows.iter().filter(|row| row[2] == metric).count();
    assert_eq!(
        (of("sent_records"), of("received_bytes"), of("tasks_running")),
        (10, 10, 20)
    );
    let output = cli
        .run(&format!("connector logs --all -o csv {CLAIMS_FLAGS}"))
        .expect_code(64);
    assert!(
        output.stderr_line().contains("invalid value `csv` for --output"),
        "{output}"
    );
}

// Source: docs/reference/metrics.md#queries. One metric per request, all connectors in one; sixty requests per minute
// and IP address (docs/reference/metrics.md#limits-and-delay).
#[test]
fn metrics_of_40_connectors_take_as_many_requests_as_of_one() {
    let cli = Cli::onboarded("claims");
    cli.create_claims_connectors(40);
    advance_clock(&cli, "1h");
    let before = cli.last_request_seq();
    let answer = run_metrics(&cli, &format!("--all -o json {CLAIMS_FLAGS}"))
        .expect_success()
        .json();
    let connectors = answer.items("/connectors");
    assert_eq!(connectors.len(), 40);
    assert!(
        connectors
            .iter()
            .all(|row| metric_values(metric(row, "sent_records")).len() == 55)
    );
    let asked = cli.requests_since(before);
    let queries = asked
        .iter()
        .filter(|entry| entry.path == "/v2/metrics/cloud/query")
        .count();
    // Records, bytes, states of connectors and of tasks: all metrics of sources.
    assert_eq!((queries, asked.len()), (4, 5), "and the list");
}

// Source: docs/reference/metrics.md#who-may-read-metrics. Nothing of other departments, for every caller on behalf of a
// department.
#[test]
fn metrics_of_a_department_contain_no_other_department() {
    let cli = cli_with_two_hours_of_metrics();
    cli.run("onboard fraud --sandbox --yes").expect_success();
    cli.write("fraud-orders.json", ORDERS_FILE.replace("claims-", "fraud-"));
    let profile = format!("--profile {PROFILES_DIR}/fraud-deployer.toml");
    cli.run(&format!("connector create --config-file fraud-orders.json {profile}"))
        .expect_success();
    advance_clock(&cli, "1h");
    let listed = cli.run("connector list --sandbox -o json").expect_success().json();
    let fraud = listed.items("").iter().find(|row| row["name"] == "fraud-orders");
    let id = fraud.unwrap().text("/id");
    for how in ["-o json", "-o yaml", "-o ndjson", "-o csv", ""] {
        let output = run_metrics(&cli, &format!("--all {how} {CLAIMS_FLAGS}")).expect_success();
        assert!(output.stdout.contains("claims-orders"), "{output}");
        assert!(
            !output.to_string().contains("fraud") && !output.to_string().contains(id),
            "{output}"
        );
    }
    for named in ["fraud-orders", "fraud-*", id] {
        let output = run_metrics(&cli, &format!("{named} {CLAIMS_FLAGS}"));
        assert!(
            matches!(output.code, Some(1 | 5)) && output.stdout.is_empty(),
            "{output}"
        );
    }
    // All departments together are refused.
    run_metrics(&cli, "--all --sandbox").expect_code(64);
    run_metrics(&cli, "fraud-orders claims-orders --sandbox").expect_success();
}

// Source: docs/reference/metrics.md#who-may-read-metrics. Departments do not have MetricsViewer. Switch Q5 determines
// the effect of their own roles.
#[test]
fn a_department_without_metrics_access_is_told_what_the_platform_team_can_run() {
    let cli = cli_with_two_hours_of_metrics();
    for persona in ["operator", "deployer", "viewer"] {
        let profile = format!("--profile {PROFILES_DIR}/claims-{persona}.toml");
        let output = run_metrics(&cli, &format!("--all -o json {profile}"));
        assert_eq!(output.code, Some(4), "{output}");
        assert_eq!(output.json()["error"]["kind"], "denied", "{output}");
        let said = output.stderr_line();
        assert!(
            said.starts_with("Error: cannot read the metrics of department `claims`"),
            "{output}"
        );
        assert!(
            said.contains("would also expose the metrics of all other departments"),
            "{output}"
        );
        assert!(
            said.contains("confluent ebs status --html claims.html --department claims"),
            "{output}"
        );
        assert!(
            said.contains("connector metrics --all --department claims -o json"),
            "{output}"
        );
    }
    run_metrics(&cli, "claims-orders --sandbox-as admin").expect_success();
    let cli = Cli::with_sandbox("--set assumptions.connector_metrics=filtered");
    cli.run("onboard claims --sandbox --yes").expect_success();
    create_connectors(&cli);
    let answer = cli
        .run_as("claims-operator", "connector metrics --all -o json")
        .expect_success()
        .json();
    assert_eq!(answer.items("/connectors").len(), 2);
    assert_eq!(answer["department"], "claims");
}

#[test]
fn invalid_metrics_arguments_are_refused_before_any_request() {
    let cli = cli_with_two_hours_of_metrics();
    let before = cli.last_request_seq();
    for (args, code, words) in [
        ("", 64, "missing argument <id>"),
        ("--all claims-orders", 64, "cannot be used together"),
        ("--all --watch -o json", 64, "-o ndjson"),
        ("--all --watch -o csv", 64, "-o ndjson"),
        ("--all --watch --until now", 64, "cannot be used together"),
        ("--all --since yesterday", 64, "expected an age"),
        ("fraud-orders", 5, "belongs to another department"),
    ] {
        let output = run_metrics(&cli, &format!("{args} {CLAIMS_FLAGS}"));
        assert_eq!(output.code, Some(code), "{args}: {output}");
        assert!(output.stderr_line().contains(words), "{args}: {output}");
    }
    assert_eq!(cli.requests_since(before).len(), 0);
    let output = run_metrics(&cli, &format!("--all --since 4m {CLAIMS_FLAGS}")).expect_code(64);
    assert!(output.stderr_line().contains("about five minutes late"), "{output}");
    let output = run_metrics(&cli, &format!("claims-orders --since 9d {CLAIMS_FLAGS}")).expect_success();
    assert!(
        output.stderr_line().contains("older than 7 days are not available"),
        "{output}"
    );
    let output = run_metrics(&cli, &format!("claims-order {CLAIMS_FLAGS}"));
    assert!(
        output.stderr_line().contains("Did you mean `claims-orders`?"),
        "{output}"
    );
}

#[test]
fn a_department_without_connectors_has_no_metrics() {
    let cli = Cli::onboarded("claims");
    let output = run_metrics(&cli, &format!("--all {CLAIMS_FLAGS}")).expect_success();
    assert_eq!(output.stdout, "None found.\n");
    let answer = run_metrics(&cli, &format!("--all -o json {CLAIMS_FLAGS}"))
        .expect_success()
        .json();
    assert_eq!(answer["connectors"], serde_json::json!([]));
}

// A connector created a minute ago has no values yet, which is no anomaly.
#[test]
fn a_new_connector_has_no_metric_values() {
    let cli = Cli::onboarded("claims");
    cli.write("claims-orders.json", ORDERS_FILE);
    cli.run_as("claims-deployer", "connector create --config-file claims-orders.json")
        .expect_success();
    let answer = run_metrics(&cli, &format!("claims-orders -o json {CLAIMS_FLAGS}"))
        .expect_success()
        .json();
    let sent = metric(&answer["connectors"][0], "sent_records");
    assert_eq!(
        (metric_values(sent).len(), &sent["total"], &sent["mean"]),
        (0, &Value::Null, &Value::Null)
    );
    assert_eq!(answer["connectors"][0]["anomalies"], serde_json::json!([]));
    let shown = run_metrics(&cli, &format!("claims-orders {CLAIMS_FLAGS}")).expect_success();
    assert!(shown.stdout.contains("B out/min"), "{shown}");
}

#[test]
fn metrics_faults_are_retried_or_reported() {
    let cli = cli_with_two_hours_of_metrics();
    let at = "--path /v2/metrics/**";
    for fault in [
        "too-many-requests --retry-after 7 --times 3",
        "server-error --times 2",
        "lost-after",
        "slow --delay 20s",
    ] {
        cli.run(&format!("sandbox fault add {fault} {at}")).expect_success();
        run_metrics(&cli, &format!("--all -o json {CLAIMS_FLAGS}")).expect_success();
        assert_eq!(
            cli.run("sandbox fault list").stdout,
            "None found.\n",
            "{fault}: it did not strike"
        );
    }
    cli.run(&format!(
        "sandbox fault add too-many-requests --retry-after 60 --forever {at}"
    ))
    .expect_success();
    let output = run_metrics(&cli, &format!("--all {CLAIMS_FLAGS}"));
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output}");
    assert!(
        output
            .stderr_line()
            .contains("All clients with the same IP address share 60 requests per minute"),
        "{output}"
    );
    cli.run("sandbox fault clear").expect_success();
    cli.run(&format!("sandbox fault add server-error --forever {at}"))
        .expect_success();
    let output = run_metrics(&cli, &format!("--all {CLAIMS_FLAGS}"));
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output}");
}

// Source: docs/reference/metrics.md#limits-and-delay. At most once per minute. A minute of the sandbox takes 0.05 s
// here.
#[cfg(unix)]
#[test]
fn watch_refreshes_every_minute_until_ctrl_c() {
    let cli = Cli::with_sandbox("--set time_scale=1200");
    cli.run("onboard claims --sandbox --yes").expect_success();
    create_connectors(&cli);
    let before = cli.last_request_seq();
    let mut live = RunningCommand::start(
        &cli,
        &format!("connector metrics --all --watch -o ndjson {CLAIMS_FLAGS}"),
    );
    live.wait_for_lines(4);
    let (code, lines, said) = live.interrupt();
    assert_eq!(code, Some(0), "{said}");
    let ends: Vec<String> = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap().text("/to").to_owned())
        .collect();
    let unique: BTreeSet<&String> = ends.iter().collect();
    assert!(
        ends.is_sorted() && unique.len() == ends.len(),
        "each refresh has a new minute: {ends:?}"
    );
    let asked = cli.requests_since(before);
    assert!(asked.iter().all(|entry| entry.status == 200), "{asked:?}");
    // Nine queries and a list per refresh.
    assert!(asked.len() <= lines.len() * 10 + 10, "{}", asked.len());
    let mut live = RunningCommand::start(&cli, &format!("connector metrics claims-orders --watch {CLAIMS_FLAGS}"));
    live.wait_for_lines(30);
    let (code, lines, said) = live.interrupt();
    assert_eq!(code, Some(0), "{said}");
    let titles = lines
        .iter()
        .filter(|line| line.starts_with("claims-orders (lcc-"))
        .count();
    assert!(
        titles >= 2 && !lines.concat().contains('\u{1b}'),
        "one below the other: {lines:?}"
    );
}
