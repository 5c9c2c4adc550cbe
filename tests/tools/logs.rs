//! `connector logs`, as a department reads and follows what its connectors wrote (dossier `logs.md` §2).

use serde_json::{Value, json as value};

#[cfg(unix)]
use crate::live::Live;
use crate::{
    common::{Seen, World},
    fleet,
    home::{PROFILES, deployer, json, onboarded, operator, said},
};

const ORDERS: &str = r#"{"name": "claims-orders", "connector.class": "DatagenSource",
    "kafka.topic": "claims-orders", "quickstart": "ORDERS", "output.data.format": "JSON"}"#;

#[test]
fn lines_are_read_by_name_newest_last() {
    let world = onboarded();
    world.write("orders.json", ORDERS);
    let seen = deployer(&world, "connector create --config-file orders.json");
    assert_eq!(seen.code, Some(0), "{seen}");
    let lines = json(&operator(&world, "connector logs claims-orders --since 2h -o json"));
    let lines = lines.as_array().unwrap();
    assert!(lines.len() > 1, "{lines:?}");
    assert!(
        lines.is_sorted_by_key(|line| line["timestamp"].as_str().unwrap()),
        "{lines:?}"
    );
    let last = json(&operator(
        &world,
        "connector logs claims-orders --since 2h --limit 1 -o json",
    ));
    assert_eq!(last.as_array().unwrap()[..], lines[lines.len() - 1..], "{lines:?}");
    let seen = operator(&world, "connector logs claims-orders --since 2h --level ERROR -o json");
    assert_eq!(json(&seen), value!([]), "{seen}");
}

#[test]
fn what_cannot_be_read_is_refused_in_words() {
    let world = onboarded();
    let seen = operator(&world, "connector logs fraud-orders");
    assert_eq!(seen.code, Some(5), "{seen}");
    assert!(said(&seen).contains("belongs to somebody else"), "{seen}");
    let seen = operator(&world, "connector logs claims-orders --level LOUD");
    assert_eq!(seen.code, Some(64), "{seen}");
}

#[test]
fn a_department_without_connectors_is_told_so() {
    let world = onboarded();
    let seen = operator(&world, "connector logs --all");
    assert_eq!((seen.code, seen.stdout.as_str()), (Some(0), "None found.\n"), "{seen}");
}

/// "claims" with one connector of two tasks that has run for an hour.
fn one_hour() -> World {
    let world = onboarded();
    begin(&world);
    ok(world.ebs("sandbox clock advance 1h"));
    world
}

fn begin(world: &World) {
    let two = ORDERS.replace("\"kafka.topic\"", "\"tasks.max\": \"2\", \"kafka.topic\"");
    world.write("orders.json", two);
    ok(deployer(world, "connector create --config-file orders.json"));
}

fn ok(seen: Seen) -> Seen {
    assert_eq!(seen.code, Some(0), "{seen}");
    seen
}

/// What the binary wrote, with its times as they are.
fn raw(world: &World, args: &str) -> Vec<Value> {
    let profile = format!("{PROFILES}/claims-operator.toml");
    let mut command = world.command();
    command.args(args.split_whitespace()).args(["--profile", &profile]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args}: {said}");
    lines_of(&String::from_utf8(output.stdout).unwrap())
}

fn lines_of(text: &str) -> Vec<Value> {
    let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().map(read).collect()
}

fn time(line: &Value) -> &str {
    line["timestamp"].as_str().unwrap()
}

const SEARCH: &str = "/logs/v1/search";

/// The answers to requests for a path.
fn asked(world: &World, since: u64, path: &str) -> Vec<u16> {
    let all = fleet::asked_since(world, since);
    let there = all.iter().filter(|entry| entry.path == path);
    there.map(|entry| entry.status).collect()
}

// §2.5: five requests per minute and connector. What following does in every weather, `tests/observe/follow.rs` tries on a
// clock that jumps; here a minute passes in a second, and others work on the same sandbox meanwhile.
#[cfg(unix)]
#[test]
fn following_goes_on_through_a_restart_429_500_and_a_token_that_ends() {
    let world = World::new();
    ok(world.ebs("sandbox reset --yes --set time_scale=60"));
    ok(world.ebs("onboard claims --sandbox --yes"));
    begin(&world);
    ok(world.ebs("sandbox clock advance 10m"));
    let before = fleet::last(&world);
    let profile = format!("--profile {PROFILES}/claims-operator.toml");
    let follow = format!("connector logs claims-orders --follow --since 1h -o ndjson {profile}");
    let mut live = Live::start(&world, &follow);
    let first = live.wait_for(0, |line| line.contains("tasks to start"));
    live.more(2);
    ok(operator(&world, "connector restart claims-orders"));
    live.wait_for(first + 1, |line| line.contains("tasks to start"));
    for fault in ["too-many-requests --retry-after 20", "server-error"] {
        ok(world.ebs(&format!("sandbox fault add {fault} --path {SEARCH}")));
        // More than one look brings, so that another one came after it.
        live.more(3);
    }
    // Longer than a token is good for (§2.1), as when a laptop sleeps.
    ok(world.ebs("sandbox clock advance 11m"));
    live.more(24);
    let (code, told, said) = live.interrupt();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(world.ebs("sandbox fault list").stdout, "None found.\n", "they struck");

    let journal = fleet::asked_since(&world, before);
    let told = lines_of(&told.join("\n"));
    let end = time(told.last().unwrap()).to_owned();
    let truth = raw(&world, "connector logs claims-orders --since 2h --limit 0 -o ndjson");
    let until_end = |lines: &[Value]| -> Vec<String> {
        let before = lines.iter().filter(|line| time(line) < &*end);
        let mut lines: Vec<String> = before.map(Value::to_string).collect();
        lines.sort();
        lines
    };
    let (told, truth) = (until_end(&told), until_end(&truth));
    assert!(told.len() > 40, "{}", told.len());
    let missing: Vec<&String> = truth.iter().filter(|line| !told.contains(line)).collect();
    assert!(missing.is_empty(), "never told: {missing:?}");
    assert_eq!(told, truth, "told twice, or made up");

    // What nobody was let in for counts for nobody: the clock jumped while its token was on its way.
    let searches = journal
        .iter()
        .filter(|entry| entry.path == SEARCH && entry.status != 401);
    let searches: Vec<_> = searches.collect();
    let of = |status: u16| searches.iter().filter(|entry| entry.status == status).count();
    assert_eq!(
        (of(429), of(500)),
        (1, 1),
        "only those that were asked for: {searches:?}"
    );
    let exchanges = journal.iter().filter(|entry| entry.path == "/access_tokens");
    assert!(exchanges.count() >= 2, "the token has ended");
    let mut six = searches.windows(6);
    let crowded = six.find(|six| six[5].at.duration_since(six[0].at).as_secs() < 60);
    assert!(crowded.is_none(), "{crowded:?}");
}

#[cfg(unix)]
#[test]
fn following_ends_after_so_many_lines_or_when_it_is_interrupted() {
    let world = World::new();
    ok(world.ebs("sandbox reset --yes --set time_scale=60"));
    ok(world.ebs("onboard claims --sandbox --yes"));
    begin(&world);
    ok(world.ebs("sandbox clock advance 10m"));
    let follow = format!("connector logs --all --follow --since 1h --profile {PROFILES}/claims-operator.toml");
    let (code, lines, said) = Live::start(&world, &format!("{follow} --limit 5")).end();
    assert_eq!((code, lines.len()), (Some(0), 5), "{said}");
    assert!(
        lines.iter().all(|line| line.contains("  INFO ")),
        "as text, one per line: {lines:?}"
    );
    // Into a file nothing is shown until the end, which says how much there is.
    let live = Live::start(&world, &format!("{follow} --output-file followed.jsonl"));
    let begun = std::time::Instant::now();
    while !world.path("followed.jsonl").exists() || world.read("followed.jsonl").is_empty() {
        assert!(begun.elapsed().as_secs() < 60, "nothing was written");
        std::thread::yield_now();
    }
    let (code, lines, said) = live.interrupt();
    let written = lines_of(&world.read("followed.jsonl")).len();
    let noun = if written == 1 { "entry" } else { "entries" };
    let expected = format!("Appended {written} log {noun} to file: followed.jsonl");
    assert_eq!((code, lines), (Some(0), vec![expected]), "{said}");
    let seen = operator(&world, "connector logs --all --follow -o json");
    assert_eq!(seen.code, Some(64), "{seen}");
    assert!(self::said(&seen).contains("Use `-o ndjson`"), "{seen}");
}

#[test]
fn a_second_question_costs_no_request_when_lines_are_kept() {
    let world = one_hour();
    let all = raw(
        &world,
        "connector logs claims-orders --since 1h --cache --limit 5000 -o ndjson",
    );
    let question = "connector logs claims-orders --since 50m --until 20m --cache -o ndjson";
    let before = fleet::last(&world);
    let kept = raw(&world, question);
    assert!(
        kept.len() > 30 && kept.iter().all(|line| all.contains(line)),
        "{}",
        kept.len()
    );
    // One level of those that were read is there as well.
    raw(&world, &format!("{question} --level WARN"));
    assert_eq!(asked(&world, before, SEARCH), [] as [u16; 0], "it is all here");
    assert_eq!(asked(&world, before, "/access_tokens"), [] as [u16; 0]);
    // Without it the service is asked, and says the same, but for what has moved in or out of the time meanwhile.
    let fresh = raw(&world, &question.replace("--cache ", ""));
    assert_eq!(asked(&world, before, SEARCH), [200]);
    let from = time(&fresh[0]).max(time(&kept[0]));
    let to = time(fresh.last().unwrap()).min(time(kept.last().unwrap()));
    let common = |lines: &[Value]| -> Vec<Value> {
        let within = lines.iter().filter(|line| time(line) >= from && time(line) <= to);
        within.cloned().collect()
    };
    assert_eq!(common(&kept), common(&fresh));
    // A text is the service's to search for, and that is said.
    let seen = ok(operator(&world, &format!("{question} --grep Committing")));
    assert!(said(&seen).contains("only whole answers are kept"), "{seen}");
    assert_eq!(asked(&world, before, SEARCH), [200, 200]);
}

#[cfg(unix)]
#[test]
fn what_is_kept_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = one_hour();
    ok(operator(&world, "connector logs claims-orders --cache"));
    ok(operator(
        &world,
        "connector logs claims-orders --output-file lines.jsonl",
    ));
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&world.path("lines.jsonl")), 0o600);
    let folder = world.path(".state/confluent-ebs/sandbox/observed/lines");
    assert_eq!(mode(&folder), 0o700);
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|it| it == "json"))
        .collect();
    assert_eq!(kept.iter().map(|path| mode(path)).collect::<Vec<_>>(), [0o600]);
}

#[test]
fn a_file_is_added_to_and_never_overwritten() {
    let world = one_hour();
    world.write("lines.jsonl", "{\"mine\":true}\n");
    let into = |more: &str| format!("connector logs claims-orders {more} --output-file lines.jsonl");
    let seen = ok(operator(&world, &into("--limit 3")));
    assert_eq!(seen.stdout, "Appended 3 log entries to file: lines.jsonl\n");
    let told = json(&ok(operator(&world, &into("--limit 1 -o json"))));
    assert_eq!((&told["entries"], &told["file"]), (&1.into(), &"lines.jsonl".into()));
    let lines = lines_of(&world.read("lines.jsonl"));
    assert_eq!((lines.len(), &lines[0]), (5, &value!({ "mine": true })));
    assert!(
        lines[1..].iter().all(|line| line["connector"] == "claims-orders"),
        "{lines:?}"
    );
    // Everything there is.
    ok(operator(&world, &into("--since 1h --limit 0")));
    assert!(lines_of(&world.read("lines.jsonl")).len() > 100);
    let seen = operator(&world, "connector logs claims-orders --output-file nowhere/lines.jsonl");
    assert_eq!((seen.code, seen.stdout.as_str()), (Some(1), ""), "{seen}");
    assert!(said(&seen).contains("nowhere/lines.jsonl cannot be written"), "{seen}");
}

#[test]
fn lines_are_picked_by_number_task_level_and_text() {
    let world = one_hour();
    let read = |more: &str| raw(&world, &format!("connector logs claims-orders -o ndjson {more}"));
    let all = read("--since 2h --limit 5000");
    assert!(all.len() > 100, "{}", all.len());
    let last = read("--since 2h --limit 7");
    assert_eq!(last.len(), 7);
    let from = all.iter().position(|line| *line == last[0]).unwrap();
    assert_eq!(last[..5], all[from..from + 5], "the newest, the oldest of them first");
    let of_task = read("--since 50m --task 1");
    assert!(of_task.len() > 30 && of_task.iter().all(|line| line["task_id"] == "task-1"));
    assert_eq!(read("--since 50m --task task-1 --limit 3").len(), 3);
    let loud = |lines: &[Value]| lines.iter().filter(|line| line["level"] != "INFO").count();
    let warnings = read("--since 2h --level warn|ERROR");
    assert_eq!((loud(&warnings), warnings.len()), (loud(&all), loud(&all)));
    // §2.3: the service takes it for a regular expression.
    let found = read("--since 2h --grep tasks.to.start");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(read("--grep nowhere-to-be-found"), [] as [Value; 0]);
    let nothing = ok(operator(
        &world,
        "connector logs claims-orders --grep nowhere-to-be-found",
    ));
    assert!(
        nothing.stdout.contains("No logs found for the current query"),
        "{nothing}"
    );
    for (args, words) in [
        ("--limit 0", "--output-file FILE"),
        ("--limit 60000", "at most 50000"),
        ("--limit many", "write a number of lines"),
        ("--task one", "write the number of a task"),
        ("--level LOUD", "is not a level"),
        ("--cache --follow", "cannot be used together"),
        ("--since 10m --until 20m", "end-time must be greater than start-time"),
    ] {
        let seen = operator(&world, &format!("connector logs claims-orders {args}"));
        assert_eq!((seen.code, seen.stdout.as_str()), (Some(64), ""), "{args}: {seen}");
        assert!(said(&seen).contains(words), "{args}: {seen}");
    }
}
