//! `connector metrics`: with the platform's key, with a department's, and in bad weather (dossier `metrics.md`).

use std::collections::BTreeSet;

use serde_json::Value;

#[cfg(unix)]
use crate::live::Live;
use crate::{
    common::{Seen, World},
    fleet,
    home::{PROFILES, deployer, json, onboarded, operator, said},
};

const CLAIMS: &str = "--sandbox --department claims";

const ORDERS: &str = r#"{"name": "claims-orders", "connector.class": "DatagenSource", "kafka.topic": "claims-orders",
    "quickstart": "ORDERS", "output.data.format": "JSON"}"#;
const LAKE: &str = r#"{"name": "claims-lake", "connector.class": "S3_SINK", "topics": "claims-orders",
    "input.data.format": "JSON", "output.data.format": "JSON", "s3.bucket.name": "claims-lake", "time.interval": "HOURLY",
    "flush.size": "1000", "authentication.method": "IAM Roles", "provider.integration.id": "cspi-1", "tasks.max": "2"}"#;

fn ok(seen: Seen) -> Seen {
    assert_eq!(seen.code, Some(0), "{seen}");
    seen
}

fn advance(world: &World, by: &str) {
    ok(world.ebs(&format!("sandbox clock advance {by}")));
}

/// "claims" with a source and a sink that have run for two hours.
pub(crate) fn two_hours() -> World {
    let world = onboarded();
    begin(&world);
    world
}

fn begin(world: &World) {
    for (file, text) in [("claims-orders.json", ORDERS), ("claims-lake.json", LAKE)] {
        world.write(file, text);
        ok(deployer(world, &format!("connector create --config-file {file}")));
    }
    advance(world, "2h");
}

fn metrics(world: &World, args: &str) -> Seen {
    world.ebs(&format!("connector metrics {args}"))
}

fn metric<'a>(connector: &'a Value, name: &str) -> &'a Value {
    let rows = connector["metrics"].as_array().unwrap();
    rows.iter()
        .find(|row| row["metric"] == name)
        .unwrap_or_else(|| panic!("no {name}: {connector}"))
}

fn values(metric: &Value) -> Vec<f64> {
    let points = metric["points"].as_array().unwrap();
    points.iter().map(|point| point["value"].as_f64().unwrap()).collect()
}

// §2: what sources and what sinks have; §5: five minutes late.
#[test]
fn the_platform_team_sees_what_went_through() {
    let world = two_hours();
    let answer = json(&ok(metrics(&world, &format!("--all --since 1h -o json {CLAIMS}"))));
    assert_eq!(answer["not_measured"], serde_json::json!(["cpu", "memory"]));
    let connectors = answer["connectors"].as_array().unwrap();
    let names: Vec<&str> = connectors.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["claims-lake", "claims-orders"]);
    let of = |connector: &Value| -> Vec<String> {
        let rows = connector["metrics"].as_array().unwrap().iter();
        rows.map(|row| row["metric"].as_str().unwrap().to_owned()).collect()
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
    let all = values(sent);
    assert_eq!(all.len(), 55, "an hour without its last five minutes: {sent}");
    let total: f64 = all.iter().sum();
    assert!((sent["total"].as_f64().unwrap() - total).abs() < 0.01, "{sent}");
    assert!((sent["mean"].as_f64().unwrap() - total / 55.0).abs() < 0.01, "{sent}");
    let peak = all.iter().copied().fold(0.0, f64::max);
    assert!((sent["peak"].as_f64().unwrap() - peak).abs() < 0.01, "{sent}");
    assert_eq!(sent["last"], sent["points"][54]["value"]);
    assert!(metric(&connectors[0], "records_lag_max")["total"].is_null());
    assert_eq!(connectors[0]["tasks"].as_array().unwrap().len(), 2);
    assert_eq!(connectors[0]["states"][0]["state"], "RUNNING");
    // Longer stretches of time come in longer steps, whose values are their sums.
    let day = json(&ok(metrics(
        &world,
        &format!("claims-orders --since 1d -o json {CLAIMS}"),
    )));
    assert_eq!(day["bucket_seconds"], 300);
    let sent = metric(&day["connectors"][0], "sent_records");
    assert!(
        values(sent)[1] > 1_000.0 && sent["peak"].as_f64().unwrap() < 1_000.0,
        "per minute: {sent}"
    );
    let middle = json(&ok(metrics(
        &world,
        &format!("claims-orders --since 90m --until 30m -o json {CLAIMS}"),
    )));
    assert_eq!(values(metric(&middle["connectors"][0], "sent_records")).len(), 60);
    let seen = metrics(&world, &format!("claims-orders --since 30m --until 90m {CLAIMS}"));
    assert_eq!(seen.code, Some(64), "{seen}");
}

// §2: nothing is said of minutes in which nothing was counted. Lag goes on.
#[test]
fn a_pause_is_a_gap_and_not_a_zero() {
    let world = two_hours();
    ok(operator(&world, "connector pause claims-lake"));
    advance(&world, "20m");
    ok(operator(&world, "connector resume claims-lake"));
    advance(&world, "20m");
    let answer = json(&ok(metrics(&world, &format!("claims-lake -o json {CLAIMS}"))));
    let lake = &answer["connectors"][0];
    let (read, lag) = (metric(lake, "received_records"), metric(lake, "records_lag_max"));
    assert!((34..=37).contains(&values(read).len()), "{read}");
    assert!(values(read).iter().all(|value| *value > 0.0), "{read}");
    assert_eq!(values(lag).len(), 55);
    let states: Vec<&str> = lake["states"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stay| stay["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["RUNNING", "PAUSED", "RUNNING"]);
    assert_eq!(lake["tasks"][1]["states"][1]["state"], "PAUSED");
    assert_eq!(lake["signs"], serde_json::json!([]), "somebody wished for it");
    let shown = ok(metrics(&world, &format!("claims-lake {CLAIMS}")));
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
        said_out(&shown).contains("A dot or \"-\" is no value, which is not zero"),
        "{shown}"
    );
    assert!(
        said_out(&shown).contains("CPU and memory of managed connectors are not measured."),
        "{shown}"
    );
}

/// Standard output without its line breaks.
fn said_out(seen: &Seen) -> String {
    seen.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_source_that_has_failed_is_said() {
    let world = two_hours();
    ok(world.ebs("sandbox fault connector claims-orders wrong-password"));
    advance(&world, "20m");
    let shown = ok(metrics(&world, &format!("--all {CLAIMS}")));
    assert!(shown.stdout.contains("claims-orders is FAILED.\n"), "{shown}");
    let answer = json(&ok(metrics(&world, &format!("claims-orders -o json {CLAIMS}"))));
    let states = answer["connectors"][0]["states"].as_array().unwrap();
    assert_eq!(states.last().unwrap()["state"], "FAILED", "{answer}");
    assert!(metric(&answer["connectors"][0], "sent_records")["last"].is_null());
}

#[test]
fn tables_fit_and_need_neither_colour_nor_unicode() {
    let world = two_hours();
    for columns in ["80", "200"] {
        for (locale, terminal, block) in [("", "", false), ("C.UTF-8", "xterm", true), ("C.UTF-8", "linux", false)] {
            for which in ["claims-lake", "--all"] {
                let mut command = world.command();
                let args = format!("connector metrics {which} {CLAIMS}");
                command.args(args.split_whitespace()).env("COLUMNS", columns);
                command.env("LANG", locale).env("TERM", terminal);
                let seen = ok(world.see(&mut command));
                let table: Vec<&str> = seen.stdout.lines().filter(|line| line.contains('|')).collect();
                assert!(table.len() >= 3, "{seen}");
                let widest = table.iter().map(|line| line.trim_end().chars().count()).max();
                assert!(widest <= columns.parse().ok(), "{seen}");
                assert_eq!(seen.stdout.contains('█'), block, "{seen}");
                assert!(block || seen.stdout.is_ascii(), "{seen}");
                assert!(!seen.stdout.contains('\u{1b}'), "{seen}");
            }
        }
    }
    let detail = metrics(&world, &format!("claims-lake {CLAIMS}")).stdout;
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
fn comma_separated_values_are_one_per_line() {
    let world = two_hours();
    let seen = ok(metrics(&world, &format!("--all -o csv --since 15m {CLAIMS}")));
    let mut lines = seen.stdout.lines();
    assert_eq!(lines.next(), Some("connector,id,metric,unit,timestamp,value"));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert!(
        rows.iter().all(|row| row.len() == 6 && row[5].parse::<f64>().is_ok()),
        "{seen}"
    );
    let of = |metric: &str| rows.iter().filter(|row| row[2] == metric).count();
    assert_eq!(
        (of("sent_records"), of("received_bytes"), of("tasks_running")),
        (10, 10, 20)
    );
    let seen = world.ebs(&format!("connector logs --all -o csv {CLAIMS}"));
    assert_eq!(seen.code, Some(64), "{seen}");
    assert!(said(&seen).contains("invalid value \"csv\" for --output"), "{seen}");
}

// §3: one metric per request, connectors batched; §5: sixty requests a minute for all who share an address.
#[test]
fn many_connectors_cost_as_many_requests_as_one() {
    let world = onboarded();
    fleet::make(&world, 40);
    advance(&world, "1h");
    let before = fleet::last(&world);
    let answer = json(&ok(metrics(&world, &format!("--all -o json {CLAIMS}"))));
    let connectors = answer["connectors"].as_array().unwrap();
    assert_eq!(connectors.len(), 40);
    assert!(
        connectors
            .iter()
            .all(|row| values(metric(row, "sent_records")).len() == 55)
    );
    let asked = fleet::asked_since(&world, before);
    let queries = asked
        .iter()
        .filter(|entry| entry.path == "/v2/metrics/cloud/query")
        .count();
    // Records, bytes, states of connectors and of tasks: sources have no more.
    assert_eq!((queries, asked.len()), (4, 5), "and the list");
}

// §6: nothing of others, whoever asks on behalf of a department.
#[test]
fn nothing_of_other_departments_is_in_it() {
    let world = two_hours();
    ok(world.ebs("onboard fraud --sandbox --yes"));
    world.write("fraud-orders.json", ORDERS.replace("claims-", "fraud-"));
    let profile = format!("--profile {PROFILES}/fraud-deployer.toml");
    ok(world.ebs(&format!("connector create --config-file fraud-orders.json {profile}")));
    advance(&world, "1h");
    let listed = json(&ok(world.ebs("connector list --sandbox -o json")));
    let fraud = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == "fraud-orders");
    let id = fraud.unwrap()["id"].as_str().unwrap();
    for how in ["-o json", "-o yaml", "-o ndjson", "-o csv", ""] {
        let seen = ok(metrics(&world, &format!("--all {how} {CLAIMS}")));
        assert!(seen.stdout.contains("claims-orders"), "{seen}");
        assert!(
            !seen.to_string().contains("fraud") && !seen.to_string().contains(id),
            "{seen}"
        );
    }
    for named in ["fraud-orders", "fraud-*", id] {
        let seen = metrics(&world, &format!("{named} {CLAIMS}"));
        assert!(matches!(seen.code, Some(1 | 5)) && seen.stdout.is_empty(), "{seen}");
    }
    // Everybody's at once is nobody's question.
    let seen = metrics(&world, "--all --sandbox");
    assert_eq!(seen.code, Some(64), "{seen}");
    ok(metrics(&world, "fraud-orders claims-orders --sandbox"));
}

// §6: departments hold no MetricsViewer. What their own roles open is switch Q5.
#[test]
fn a_department_is_told_who_can_publish_its_metrics() {
    let world = two_hours();
    for persona in ["operator", "deployer", "viewer"] {
        let profile = format!("--profile {PROFILES}/claims-{persona}.toml");
        let seen = metrics(&world, &format!("--all -o json {profile}"));
        assert_eq!((seen.code, seen.stdout.as_str()), (Some(4), ""), "{seen}");
        let said = said(&seen);
        assert!(
            said.starts_with("Error: the metrics of department \"claims\" cannot be read"),
            "{seen}"
        );
        assert!(said.contains("would see the metrics of all others"), "{seen}");
        assert!(
            said.contains("confluent ebs status --html claims.html --department claims"),
            "{seen}"
        );
        assert!(
            said.contains("connector metrics --all --department claims -o json"),
            "{seen}"
        );
    }
    ok(metrics(&world, "claims-orders --sandbox-as admin"));
    let world = World::new();
    ok(world.ebs("sandbox reset --yes --set assumptions.connector_metrics=filtered"));
    ok(world.ebs("onboard claims --sandbox --yes"));
    begin(&world);
    let answer = json(&ok(operator(&world, "connector metrics --all -o json")));
    assert_eq!(answer["connectors"].as_array().unwrap().len(), 2);
    assert_eq!(answer["department"], "claims");
}

#[test]
fn what_cannot_be_asked_is_said_before_anything_is_asked() {
    let world = two_hours();
    let before = fleet::last(&world);
    for (args, code, words) in [
        ("", 64, "missing argument <id>"),
        ("--all claims-orders", 64, "cannot be used together"),
        ("--all --watch -o json", 64, "-o ndjson"),
        ("--all --watch -o csv", 64, "-o ndjson"),
        ("--all --watch --until now", 64, "cannot be used together"),
        ("--all --since yesterday", 64, "write how long ago"),
        ("fraud-orders", 5, "belongs to somebody else"),
    ] {
        let seen = metrics(&world, &format!("{args} {CLAIMS}"));
        assert_eq!(seen.code, Some(code), "{args}: {seen}");
        assert!(said(&seen).contains(words), "{args}: {seen}");
    }
    assert_eq!(fleet::asked_since(&world, before).len(), 0);
    let seen = metrics(&world, &format!("--all --since 4m {CLAIMS}"));
    assert_eq!(seen.code, Some(64), "{seen}");
    assert!(said(&seen).contains("about five minutes late"), "{seen}");
    let seen = ok(metrics(&world, &format!("claims-orders --since 9d {CLAIMS}")));
    assert!(said(&seen).contains("kept for 7 days"), "{seen}");
    let seen = metrics(&world, &format!("claims-order {CLAIMS}"));
    assert!(said(&seen).contains("Did you mean \"claims-orders\"?"), "{seen}");
}

#[test]
fn a_department_without_connectors_has_no_metrics() {
    let world = onboarded();
    let seen = ok(metrics(&world, &format!("--all {CLAIMS}")));
    assert_eq!(seen.stdout, "None found.\n");
    let answer = json(&ok(metrics(&world, &format!("--all -o json {CLAIMS}"))));
    assert_eq!(answer["connectors"], serde_json::json!([]));
}

// A connector of a minute ago has no values yet, which is no trouble.
#[test]
fn a_new_connector_has_nothing_yet() {
    let world = onboarded();
    world.write("claims-orders.json", ORDERS);
    ok(deployer(&world, "connector create --config-file claims-orders.json"));
    let answer = json(&ok(metrics(&world, &format!("claims-orders -o json {CLAIMS}"))));
    let sent = metric(&answer["connectors"][0], "sent_records");
    assert_eq!(
        (values(sent).len(), &sent["total"], &sent["mean"]),
        (0, &Value::Null, &Value::Null)
    );
    assert_eq!(answer["connectors"][0]["signs"], serde_json::json!([]));
    let shown = ok(metrics(&world, &format!("claims-orders {CLAIMS}")));
    assert!(shown.stdout.contains("B out/min"), "{shown}");
}

#[test]
fn bad_weather_is_waited_out_or_told() {
    let world = two_hours();
    let at = "--path /v2/metrics/**";
    for fault in [
        "too-many-requests --retry-after 7 --times 3",
        "server-error --times 2",
        "lost-after",
        "slow --delay 20s",
    ] {
        ok(world.ebs(&format!("sandbox fault add {fault} {at}")));
        ok(metrics(&world, &format!("--all -o json {CLAIMS}")));
        assert_eq!(
            world.ebs("sandbox fault list").stdout,
            "None found.\n",
            "{fault}: it did not strike"
        );
    }
    ok(world.ebs(&format!(
        "sandbox fault add too-many-requests --retry-after 60 --forever {at}"
    )));
    let seen = metrics(&world, &format!("--all {CLAIMS}"));
    assert_eq!((seen.code, seen.stdout.as_str()), (Some(1), ""), "{seen}");
    assert!(
        said(&seen).contains("All who share this address share 60 requests per minute"),
        "{seen}"
    );
    ok(world.ebs("sandbox fault clear"));
    ok(world.ebs(&format!("sandbox fault add server-error --forever {at}")));
    let seen = metrics(&world, &format!("--all {CLAIMS}"));
    assert_eq!((seen.code, seen.stdout.as_str()), (Some(1), ""), "{seen}");
}

// §5: no more often than once a minute. The sandbox's minute takes a twentieth of a second here.
#[cfg(unix)]
#[test]
fn watching_looks_again_every_minute_until_it_is_interrupted() {
    let world = World::new();
    ok(world.ebs("sandbox reset --yes --set time_scale=1200"));
    ok(world.ebs("onboard claims --sandbox --yes"));
    begin(&world);
    let before = fleet::last(&world);
    let mut live = Live::start(&world, &format!("connector metrics --all --watch -o ndjson {CLAIMS}"));
    live.more(4);
    let (code, lines, said) = live.interrupt();
    assert_eq!(code, Some(0), "{said}");
    let ends: Vec<String> = lines
        .iter()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["to"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let unique: BTreeSet<&String> = ends.iter().collect();
    assert!(
        ends.is_sorted() && unique.len() == ends.len(),
        "each look has a new minute: {ends:?}"
    );
    let asked = fleet::asked_since(&world, before);
    assert!(asked.iter().all(|entry| entry.status == 200), "{asked:?}");
    // Nine queries and a list each time.
    assert!(asked.len() <= lines.len() * 10 + 10, "{}", asked.len());
    let mut live = Live::start(&world, &format!("connector metrics claims-orders --watch {CLAIMS}"));
    live.more(30);
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
