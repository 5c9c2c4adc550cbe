//! `connector logs` with the profile of a department (docs/reference/logs.md).

use serde_json::{Value, json as value};

use crate::common::{Cli, JsonAccess as _, PROFILES_DIR, RunningCommand};

const ORDERS_FILE: &str = r#"{"name": "claims-orders", "connector.class": "DatagenSource",
    "kafka.topic": "claims-orders", "quickstart": "ORDERS", "output.data.format": "JSON"}"#;

#[test]
fn log_lines_are_read_by_connector_name_newest_last() {
    let cli = Cli::onboarded("claims");
    cli.write("orders.json", ORDERS_FILE);
    cli.run_as("claims-deployer", "connector create --config-file orders.json")
        .expect_success();
    let lines = cli
        .run_as("claims-operator", "connector logs claims-orders --since 2h -o json")
        .json();
    let lines = lines.items("");
    assert!(lines.len() > 1, "{lines:?}");
    assert!(lines.is_sorted_by_key(|line| line.text("/timestamp")), "{lines:?}");
    let last = cli
        .run_as(
            "claims-operator",
            "connector logs claims-orders --since 2h --limit 1 -o json",
        )
        .json();
    assert_eq!(last.items("")[..], lines[lines.len() - 1..], "{lines:?}");
    let result = cli.run_as(
        "claims-operator",
        "connector logs claims-orders --since 2h --level ERROR -o json",
    );
    assert_eq!(result.json(), value!([]), "{result}");
}

#[test]
fn logs_of_other_departments_and_invalid_levels_are_refused() {
    let cli = Cli::onboarded("claims");
    let result = cli
        .run_as("claims-operator", "connector logs fraud-orders")
        .expect_code(5);
    assert!(
        result.stderr_line().contains("belongs to another department"),
        "{result}"
    );
    cli.run_as("claims-operator", "connector logs claims-orders --level LOUD")
        .expect_code(64);
}

#[test]
fn logs_of_a_department_without_connectors_say_none_found() {
    let cli = Cli::onboarded("claims");
    let result = cli.run_as("claims-operator", "connector logs --all");
    assert_eq!(
        (result.code, result.stdout.as_str()),
        (Some(0), "None found.\n"),
        "{result}"
    );
}

/// "claims" with one connector of two tasks that has run for an hour.
fn cli_with_one_hour_of_logs() -> Cli {
    let cli = Cli::onboarded("claims");
    create_orders_connector(&cli);
    cli.run("sandbox clock advance 1h").expect_success();
    cli
}

fn create_orders_connector(cli: &Cli) {
    let two = ORDERS_FILE.replace("\"kafka.topic\"", "\"tasks.max\": \"2\", \"kafka.topic\"");
    cli.write("orders.json", two);
    cli.run_as("claims-deployer", "connector create --config-file orders.json")
        .expect_success();
}

/// Output of the binary, with its times.
fn run_raw(cli: &Cli, args: &str) -> Vec<Value> {
    let profile = format!("{PROFILES_DIR}/claims-operator.toml");
    let mut command = cli.command();
    command.args(args.split_whitespace()).args(["--profile", &profile]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args}: {said}");
    parse_lines(&String::from_utf8(output.stdout).unwrap())
}

fn parse_lines(text: &str) -> Vec<Value> {
    let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().map(read).collect()
}

fn line_time(line: &Value) -> &str {
    line.text("/timestamp")
}

const SEARCH_PATH: &str = "/logs/v1/search";

/// Responses to requests for a path.
fn request_statuses(cli: &Cli, since: u64, path: &str) -> Vec<u16> {
    let all = cli.requests_since(since);
    let there = all.iter().filter(|entry| entry.path == path);
    there.map(|entry| entry.status).collect()
}

// Source: docs/reference/logs.md#limits-and-errors. Five requests per minute and connector. `tests/observe/follow.rs`
// tests following with faults and a jumping clock; here a minute takes a second, and other processes use the same
// sandbox.
#[cfg(unix)]
#[test]
fn following_continues_through_a_restart_429_500_and_token_expiry() {
    let cli = Cli::with_sandbox("--set time_scale=60");
    cli.run("onboard claims --sandbox --yes").expect_success();
    create_orders_connector(&cli);
    cli.run("sandbox clock advance 10m").expect_success();
    let before = cli.last_request_seq();
    let profile = format!("--profile {PROFILES_DIR}/claims-operator.toml");
    let follow = format!("connector logs claims-orders --follow --since 1h -o ndjson {profile}");
    let mut live = RunningCommand::start(&cli, &follow);
    let first = live.wait_for_line(0, |line| line.contains("tasks to start"));
    live.wait_for_lines(2);
    cli.run_as("claims-operator", "connector restart claims-orders")
        .expect_success();
    live.wait_for_line(first + 1, |line| line.contains("tasks to start"));
    for fault in ["too-many-requests --retry-after 20", "server-error"] {
        cli.run(&format!("sandbox fault add {fault} --path {SEARCH_PATH}"))
            .expect_success();
        // More lines than one search returns, so that there must have been another.
        live.wait_for_lines(3);
    }
    // Longer than a token is valid (docs/reference/logs.md#access-token), like a suspended laptop.
    cli.run("sandbox clock advance 11m").expect_success();
    live.wait_for_lines(24);
    let (code, followed, said) = live.interrupt();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        cli.run("sandbox fault list").stdout,
        "None found.\n",
        "the faults were applied"
    );

    let journal = cli.requests_since(before);
    let followed = parse_lines(&followed.join("\n"));
    let end = line_time(followed.last().unwrap()).to_owned();
    let expected = run_raw(&cli, "connector logs claims-orders --since 2h --limit 0 -o ndjson");
    let until_end = |lines: &[Value]| -> Vec<String> {
        let before = lines.iter().filter(|line| line_time(line) < &*end);
        let mut lines: Vec<String> = before.map(Value::to_string).collect();
        lines.sort();
        lines
    };
    let (followed, expected) = (until_end(&followed), until_end(&expected));
    assert!(followed.len() > 40, "{}", followed.len());
    let missing: Vec<&String> = expected.iter().filter(|line| !followed.contains(line)).collect();
    assert!(missing.is_empty(), "missing lines: {missing:?}");
    assert_eq!(followed, expected, "repeated or unknown lines");

    // A refused request does not count: the clock jumped while its token was on its way.
    let searches = journal
        .iter()
        .filter(|entry| entry.path == SEARCH_PATH && entry.status != 401);
    let searches: Vec<_> = searches.collect();
    let of = |status: u16| searches.iter().filter(|entry| entry.status == status).count();
    assert_eq!(
        (of(429), of(500)),
        (1, 1),
        "only those that were asked for: {searches:?}"
    );
    let exchanges = journal.iter().filter(|entry| entry.path == "/access_tokens");
    assert!(exchanges.count() >= 2, "the token has expired");
    let mut six = searches.windows(6);
    let crowded = six.find(|six| six[5].at.duration_since(six[0].at).as_secs() < 60);
    assert!(crowded.is_none(), "{crowded:?}");
}

#[cfg(unix)]
#[test]
fn following_ends_at_the_limit_or_on_ctrl_c() {
    let cli = Cli::with_sandbox("--set time_scale=60");
    cli.run("onboard claims --sandbox --yes").expect_success();
    create_orders_connector(&cli);
    cli.run("sandbox clock advance 10m").expect_success();
    let follow = format!("connector logs --all --follow --since 1h --profile {PROFILES_DIR}/claims-operator.toml");
    let (code, lines, said) = RunningCommand::start(&cli, &format!("{follow} --limit 5")).wait();
    assert_eq!((code, lines.len()), (Some(0), 5), "{said}");
    assert!(
        lines.iter().all(|line| line.contains("  INFO ")),
        "as text, one per line: {lines:?}"
    );
    // With a file, nothing is printed until the end, which prints the number of lines.
    let live = RunningCommand::start(&cli, &format!("{follow} --output-file followed.jsonl"));
    let begun = std::time::Instant::now();
    while !cli.path("followed.jsonl").exists() || cli.read("followed.jsonl").is_empty() {
        assert!(begun.elapsed().as_secs() < 60, "nothing was written");
        std::thread::yield_now();
    }
    let (code, lines, said) = live.interrupt();
    let written = parse_lines(&cli.read("followed.jsonl")).len();
    let noun = if written == 1 { "entry" } else { "entries" };
    let expected = format!("Appended {written} log {noun} to file: followed.jsonl");
    assert_eq!((code, lines), (Some(0), vec![expected]), "{said}");
    let result = cli
        .run_as("claims-operator", "connector logs --all --follow -o json")
        .expect_code(64);
    assert!(result.stderr_line().contains("Use `-o ndjson`"), "{result}");
}

#[test]
fn a_cached_log_range_takes_no_request() {
    let cli = cli_with_one_hour_of_logs();
    let all = run_raw(
        &cli,
        "connector logs claims-orders --since 1h --cache --limit 5000 -o ndjson",
    );
    let question = "connector logs claims-orders --since 50m --until 20m --cache -o ndjson";
    let before = cli.last_request_seq();
    let kept = run_raw(&cli, question);
    assert!(
        kept.len() > 30 && kept.iter().all(|line| all.contains(line)),
        "{}",
        kept.len()
    );
    // A single level of the cached lines is cached as well.
    run_raw(&cli, &format!("{question} --level WARN"));
    assert_eq!(
        request_statuses(&cli, before, SEARCH_PATH),
        [] as [u16; 0],
        "it is all here"
    );
    assert_eq!(request_statuses(&cli, before, "/access_tokens"), [] as [u16; 0]);
    // Without the cache the service is requested, and returns the same lines, except those at the limits of the period.
    let fresh = run_raw(&cli, &question.replace("--cache ", ""));
    assert_eq!(request_statuses(&cli, before, SEARCH_PATH), [200]);
    let from = line_time(&fresh[0]).max(line_time(&kept[0]));
    let to = line_time(fresh.last().unwrap()).min(line_time(kept.last().unwrap()));
    let common = |lines: &[Value]| -> Vec<Value> {
        let within = lines
            .iter()
            .filter(|line| line_time(line) >= from && line_time(line) <= to);
        within.cloned().collect()
    };
    assert_eq!(common(&kept), common(&fresh));
    // Only the service can search for a text, and the command says so.
    let result = cli
        .run_as("claims-operator", &format!("{question} --grep Committing"))
        .expect_success();
    assert!(
        result.stderr_line().contains("only complete results are cached"),
        "{result}"
    );
    assert_eq!(request_statuses(&cli, before, SEARCH_PATH), [200, 200]);
}

#[cfg(unix)]
#[test]
fn cached_log_lines_are_readable_only_by_their_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let cli = cli_with_one_hour_of_logs();
    cli.run_as("claims-operator", "connector logs claims-orders --cache")
        .expect_success();
    cli.run_as(
        "claims-operator",
        "connector logs claims-orders --output-file lines.jsonl",
    )
    .expect_success();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&cli.path("lines.jsonl")), 0o600);
    let folder = cli.path(".state/confluent-ebs/sandbox/telemetry/lines");
    assert_eq!(mode(&folder), 0o700);
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|it| it == "json"))
        .collect();
    assert_eq!(kept.iter().map(|path| mode(path)).collect::<Vec<_>>(), [0o600]);
}

#[test]
fn an_output_file_is_appended_to_and_never_overwritten() {
    let cli = cli_with_one_hour_of_logs();
    cli.write("lines.jsonl", "{\"mine\":true}\n");
    let into = |more: &str| format!("connector logs claims-orders {more} --output-file lines.jsonl");
    let result = cli.run_as("claims-operator", &into("--limit 3")).expect_success();
    assert_eq!(result.stdout, "Appended 3 log entries to file: lines.jsonl\n");
    let report = cli
        .run_as("claims-operator", &into("--limit 1 -o json"))
        .expect_success()
        .json();
    assert_eq!(
        (&report["entries"], &report["file"]),
        (&1.into(), &"lines.jsonl".into())
    );
    let lines = parse_lines(&cli.read("lines.jsonl"));
    assert_eq!((lines.len(), &lines[0]), (5, &value!({ "mine": true })));
    assert!(
        lines[1..].iter().all(|line| line["connector"] == "claims-orders"),
        "{lines:?}"
    );
    // All lines.
    cli.run_as("claims-operator", &into("--since 1h --limit 0"))
        .expect_success();
    assert!(parse_lines(&cli.read("lines.jsonl")).len() > 100);
    let result = cli.run_as(
        "claims-operator",
        "connector logs claims-orders --output-file nowhere/lines.jsonl",
    );
    assert_eq!((result.code, result.stdout.as_str()), (Some(1), ""), "{result}");
    assert!(
        result.stderr_line().contains("cannot write `nowhere/lines.jsonl`"),
        "{result}"
    );
}

#[test]
fn log_lines_are_filtered_by_limit_task_level_and_text() {
    let cli = cli_with_one_hour_of_logs();
    let read = |more: &str| run_raw(&cli, &format!("connector logs claims-orders -o ndjson {more}"));
    let all = read("--since 2h --limit 5000");
    assert!(all.len() > 100, "{}", all.len());
    let last = read("--since 2h --limit 7");
    assert_eq!(last.len(), 7);
    let from = all.iter().position(|line| *line == last[0]).unwrap();
    assert_eq!(last[..5], all[from..from + 5], "the newest lines, in order");
    let of_task = read("--since 50m --task 1");
    assert!(of_task.len() > 30 && of_task.iter().all(|line| line["task_id"] == "task-1"));
    assert_eq!(read("--since 50m --task task-1 --limit 3").len(), 3);
    let loud = |lines: &[Value]| lines.iter().filter(|line| line["level"] != "INFO").count();
    let warnings = read("--since 2h --level warn|ERROR");
    assert_eq!((loud(&warnings), warnings.len()), (loud(&all), loud(&all)));
    // Source: docs/reference/logs.md#search-request. The service interprets it as a regular expression.
    let found = read("--since 2h --grep tasks.to.start");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(read("--grep nowhere-to-be-found"), [] as [Value; 0]);
    let nothing = cli
        .run_as(
            "claims-operator",
            "connector logs claims-orders --grep nowhere-to-be-found",
        )
        .expect_success();
    assert!(
        nothing.stdout.contains("No logs found for the current query"),
        "{nothing}"
    );
    for (args, words) in [
        ("--limit 0", "--output-file FILE"),
        ("--limit 60000", "at most 50000"),
        ("--limit many", "expected a number of lines"),
        ("--task one", "expected a task number"),
        ("--level LOUD", "invalid level `LOUD`"),
        ("--cache --follow", "cannot be used together"),
        ("--since 10m --until 20m", "end-time must be greater than start-time"),
    ] {
        let result = cli.run_as("claims-operator", &format!("connector logs claims-orders {args}"));
        assert_eq!(
            (result.code, result.stdout.as_str()),
            (Some(64), ""),
            "{args}: {result}"
        );
        assert!(result.stderr_line().contains(words), "{args}: {result}");
    }
}
