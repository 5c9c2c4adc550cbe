//! `status`: what departments and the platform team see of connectors, what it costs, and how it ends.

use serde_json::Value;

use crate::{
    common::{Seen, World},
    fleet::{self, Made},
    home::{PROFILES, json, onboarded, operator, said},
    metrics::two_hours,
};

/// Without its line breaks.
fn shown(seen: &Seen) -> String {
    seen.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// "claims" with four connectors: one failed, one works in part, one is paused.
fn troubled() -> World {
    let world = onboarded();
    let plan = ["claims-a", "claims-b", "claims-c", "claims-d"].map(|name| Made {
        stage: "prod",
        department: "claims",
        name,
        tasks: 2,
    });
    fleet::make_all(&world, plan);
    fail(&world, "claims-b", "unknown-host");
    fail(&world, "claims-c", "task-failed");
    let paused = operator(&world, "connector pause claims-d");
    assert_eq!(paused.code, Some(0), "{paused}");
    world
}

fn fail(world: &World, connector: &str, kind: &str) {
    let seen = world.ebs(&format!("sandbox fault connector {connector} {kind}"));
    assert_eq!(seen.code, Some(0), "{seen}");
}

fn connector<'a>(status: &'a Value, name: &str) -> &'a Value {
    let all = status["stages"][0]["connectors"].as_array().unwrap();
    all.iter().find(|row| row["name"] == name).unwrap()
}

#[test]
fn a_department_sees_its_connectors_and_is_told_by_the_exit_code() {
    let world = troubled();
    let seen = operator(&world, "status");
    assert_eq!(seen.code, Some(6), "{seen}");
    let text = shown(&seen);
    for words in [
        "4 connectors: 1 failed, 1 degraded, 1 paused, 1 running.",
        "Department \"claims\" uses 4 of 12 connectors and 8 of 20 tasks.",
        "claims-b | FAILED",
        "claims-d | PAUSED",
        "claims-c is DEGRADED: ",
    ] {
        assert!(text.contains(words), "{words}: {seen}");
    }
    assert!(said(&seen).contains("1 connector has failed"), "{seen}");
    assert!(said(&seen).contains("connector explain claims-b"), "{seen}");
    let widest = seen.stdout.lines().map(|line| line.trim_end().chars().count()).max();
    assert!(widest <= Some(80), "{seen}");
    // What is half broken is told with the exit code only to who asks for that.
    assert_eq!(world.ebs("sandbox fault connector claims-b --clear").code, Some(0));
    assert_eq!(operator(&world, "status").code, Some(0));
    let seen = operator(&world, "status --fail-on degraded");
    assert_eq!(seen.code, Some(6), "{seen}");
    assert!(said(&seen).contains("1 connector is degraded"), "{seen}");
}

/// The command that a hint holds, as a shell reads it.
fn hinted(seen: &Seen) -> Vec<String> {
    let said = said(seen);
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

// What the hint leaves out leads elsewhere: "connector not found".
#[test]
fn what_it_says_to_type_looks_where_it_has_looked() {
    let world = troubled();
    let seen = world.ebs("onboard claims --sandbox --stage test --yes");
    assert_eq!(seen.code, Some(0), "{seen}");
    let made = Made {
        stage: "test",
        department: "claims",
        name: "claims-t",
        tasks: 1,
    };
    fleet::make_all(&world, [made]);
    fail(&world, "claims-t", "unknown-host");
    let test = format!("--profile {PROFILES}/claims-operator.toml");
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
        let seen = world.ebs(&format!("status {flags}"));
        assert_eq!(seen.code, Some(6), "{seen}");
        let words = hinted(&seen);
        assert_eq!(words[2..].join(" "), command, "{seen}");
        let typed = world.see(world.command().args(&words));
        assert_eq!(typed.code, Some(6), "{typed}");
    }
    // "all" is refused to who has said no department.
    let seen = world.ebs("connector list --sandbox --stage test");
    assert_eq!(seen.code, Some(0), "{seen}");
    assert_eq!(hinted(&seen)[2..].join(" "), "* --stage test --sandbox", "{seen}");
    assert!(said(&seen).contains("explain '*' --stage test"), "{seen}");
    let typed = world.see(world.command().args(hinted(&seen)));
    assert_eq!(typed.code, Some(6), "{typed}");
    let seen = operator(&world, "connector list");
    assert_eq!(hinted(&seen)[2..].join(" "), format!("--all {test}"), "{seen}");
}

// The service does not tell since when (dossier `connect.md` §2.9); what is told was seen.
#[test]
fn since_when_is_what_was_seen_from_here() {
    let world = troubled();
    let first = json(&operator(&world, "status -o json"));
    assert_eq!(world.ebs("sandbox clock advance 3h").code, Some(0));
    let later = json(&operator(&world, "status -o json"));
    let since = |status: &Value| connector(status, "claims-b")["seen_since"].clone();
    assert!(since(&first).is_string());
    assert_eq!(since(&first), since(&later));
    assert!(shown(&operator(&world, "status")).contains("FAILED | 0 of 2 | 3h+"));
    assert_eq!(world.ebs("sandbox fault connector claims-b --clear").code, Some(0));
    assert_eq!(operator(&world, "status").code, Some(0));
    fail(&world, "claims-b", "unknown-host");
    assert!(shown(&operator(&world, "status")).contains("FAILED | 0 of 2 | new"));
}

#[test]
fn the_platform_team_sees_a_row_for_everybody_and_for_what_is_nobodys() {
    let world = troubled();
    let stray = Made {
        stage: "prod",
        department: "claims",
        name: "lonely-source",
        tasks: 3,
    };
    fleet::make_all(&world, [stray]);
    let seen = world.ebs("status --sandbox");
    assert_eq!(seen.code, Some(6), "{seen}");
    assert!(
        said(&seen).contains("1 connector has failed, of 1 department"),
        "{seen}"
    );
    let text = shown(&seen);
    for words in [
        "Stage prod (lkc-prod01) 5 connectors: 1 failed, 1 degraded, 1 paused, 2 running.",
        "11 of 225 tasks are used; 25 more are kept in reserve.",
        "claims | 1 | 1 | 1 | 1 | 8 of 20 | new",
        "motor | | | | | 0 of 16 |",
        "(nobody) | | | 1 | | 3 |",
        "claims-b is FAILED: ",
        "Stage test (lkc-test01) No connectors.",
    ] {
        assert!(text.contains(words), "{words}: {seen}");
    }
    let widest = seen.stdout.lines().map(|line| line.trim_end().chars().count()).max();
    assert!(widest <= Some(80), "{seen}");
    let status = json(&world.ebs("status --sandbox --stage prod -o json"));
    assert_eq!(status["stages"].as_array().unwrap().len(), 1);
    let departments = status["stages"][0]["departments"].as_array().unwrap();
    assert_eq!(departments.len(), 24);
    assert_eq!(departments[0]["department"], "claims");
    assert_eq!(departments[0]["worst"], "claims-b");
    assert_eq!(status["stages"][0]["unmanaged"]["counts"]["total"], 1);
    // Of one department, nothing of others.
    let one = world.ebs("status --sandbox --department claims -o json");
    assert!(!one.stdout.contains("lonely") && !one.stdout.contains("motor"), "{one}");
    assert_eq!(json(&one)["stages"][0]["cluster_tasks"], Value::Null);
}

// "Two list calls for a fleet of 500 connectors in two clusters, not 500" (issue 6, 4).
#[test]
fn a_fleet_of_500_in_two_clusters_costs_two_requests() {
    let world = onboarded();
    let seen = world.ebs("onboard claims --sandbox --stage test --yes");
    assert_eq!(seen.code, Some(0), "{seen}");
    let names: Vec<String> = (1..=250).map(|number| format!("claims-source-{number:03}")).collect();
    let everywhere = ["prod", "test"].into_iter().flat_map(|stage| {
        names.iter().map(move |name| Made {
            stage,
            department: "claims",
            name,
            tasks: 1,
        })
    });
    fleet::make_all(&world, everywhere);
    let before = fleet::last(&world);
    let status = json(&world.ebs("status --sandbox -o json"));
    let asked = fleet::asked_since(&world, before);
    assert_eq!(asked.len(), 2, "{asked:#?}");
    let totals = status["stages"].as_array().unwrap().iter();
    let totals: Vec<&Value> = totals.map(|stage| &stage["counts"]["running"]).collect();
    assert_eq!(totals, [250, 250]);
}

// Issue 6, 4: "lag if allowed". No persona of a department may (dossier `metrics.md` §6).
#[test]
fn whoever_may_read_metrics_sees_how_far_the_sinks_of_a_department_are_behind() {
    let world = two_hours();
    let claims = "status --sandbox --department claims --stage prod";
    let before = fleet::last(&world);
    let status = json(&world.ebs(&format!("{claims} -o json --html page.html")));
    let asked = fleet::asked_since(&world, before);
    assert_eq!(asked.len(), 2, "one list, one query: {asked:#?}");
    let lag = connector(&status, "claims-lake")["lag_records"].as_u64().unwrap();
    assert_eq!(connector(&status, "claims-orders")["lag_records"], Value::Null);
    // The latest of the values, which differ from minute to minute.
    let metrics = json(&world.ebs("connector metrics claims-lake --sandbox --department claims --since 20m -o json"));
    let rows = metrics["connectors"][0]["metrics"].as_array().unwrap();
    let measured = rows.iter().find(|row| row["metric"] == "records_lag_max").unwrap();
    assert_ne!(measured["points"][0]["value"], measured["last"], "{measured}");
    let last = measured["last"].as_f64().unwrap();
    assert_eq!(format!("{last:.0}"), lag.to_string(), "{measured}");
    let text = shown(&world.ebs(claims));
    assert!(
        text.contains(&format!("claims-lake | RUNNING | 2 of 2 | {lag} |")),
        "{text}"
    );
    assert!(world.read("page.html").contains("Records behind"));
    // Neither the department nor whoever looks at all of them asks.
    for seen in [operator(&world, "status"), world.ebs("status --sandbox")] {
        assert_eq!(seen.code, Some(0), "{seen}");
        assert!(
            !seen.stdout.contains("Lag") && !seen.stdout.contains("behind"),
            "{seen}"
        );
    }
    let refuse = "sandbox fault add server-error --path /v2/metrics/** --forever";
    assert_eq!(world.ebs(refuse).code, Some(0));
    // In one stage, and once for all of them.
    for claims in [claims, "status --sandbox --department claims"] {
        let seen = world.ebs(claims);
        assert_eq!(seen.code, Some(0), "{seen}");
        let said = shown(&seen).matches("How far sinks are behind is not known: ").count();
        assert_eq!(said, 1, "{seen}");
    }
}

#[test]
fn what_cannot_be_seen_is_unknown_and_never_clean() {
    let world = troubled();
    let refuse = "sandbox fault add server-error --path /connect/v1/environments/env-test01/** --forever";
    assert_eq!(world.ebs(refuse).code, Some(0));
    assert_eq!(world.ebs("sandbox fault connector claims-b --clear").code, Some(0));
    let seen = world.ebs("status --sandbox");
    assert_eq!(seen.code, Some(1), "{seen}");
    assert!(shown(&seen).contains("Stage test (lkc-test01) Not known: "), "{seen}");
    assert!(shown(&seen).contains("Stage prod (lkc-prod01) 4 connectors"), "{seen}");
    assert!(said(&seen).contains("stage test could not be looked at"), "{seen}");
    let status = json(&world.ebs("status --sandbox -o json"));
    let test = &status["stages"][1];
    assert!(test["unknown"].is_string(), "{test}");
    assert_eq!(test["departments"], Value::Array(Vec::new()));
    // A service that lets a department list nothing at all (`docs/assumptions.md`, Q2).
    let mut settings = fleet::sandbox(&world).settings().unwrap();
    settings.assumptions.connector_list = confluent_ebs::sandbox::Listing::Refused;
    fleet::sandbox(&world).set_settings(settings).unwrap();
    let seen = operator(&world, "status");
    assert_eq!((seen.code, seen.stdout.as_str()), (Some(4), ""), "{seen}");
    let seen = world.ebs(&format!(
        "status --stage test --profile {PROFILES}/claims-operator.toml"
    ));
    assert_eq!(seen.code, Some(64), "{seen}");
}

#[test]
fn what_is_watched_needs_a_terminal_and_one_format() {
    let world = onboarded();
    let seen = operator(&world, "status --watch");
    assert_eq!((seen.code, seen.stdout.as_str()), (Some(64), ""), "{seen}");
    assert!(
        said(&seen).contains("--watch paints on a terminal, and standard output is none"),
        "{seen}"
    );
    for args in [
        "--watch -o json",
        "--watch --html page.html",
        "--interval 5s",
        "--watch --interval 0s",
    ] {
        let seen = operator(&world, &format!("status {args}"));
        assert_eq!(seen.code, Some(64), "{args}: {seen}");
    }
}

#[test]
fn a_page_takes_the_place_of_an_older_one_and_is_for_whoever_may_read_files() {
    let world = troubled();
    world.write("page.html", "older");
    let seen = operator(&world, "status --html page.html");
    assert_eq!(seen.code, Some(6), "{seen}");
    assert!(said(&seen).contains("Wrote page.html."), "{seen}");
    assert!(world.read("page.html").starts_with("<!DOCTYPE html>"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let beside = world.write("beside", "");
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(world.path("page.html")), mode(beside));
    }
    let seen = operator(&world, "status --html nowhere/page.html");
    assert_eq!((seen.code, seen.stdout.as_str()), (Some(1), ""), "{seen}");
}
