//! HTML pages of a whole fleet, created by the binary and checked in a browser (`tests/browser`).

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    common::CliFixture,
    department_fixture::parse_json,
    fleet_fixture::{self, ConnectorSpec},
};

const STAGE_NAME: &str = "prod";
const CONNECTOR_COUNT: usize = 150;

/// Names of connectors.
const CONNECTOR_NAMES: [&str; 12] = [
    "orders",
    "ledger-cdc",
    "archive-s3",
    "events",
    "customers",
    "invoices",
    "search-index",
    "audit-trail",
    "partners",
    "warehouse",
    "alerts",
    "reports",
];

/// Failures of connectors: errors of departments, and errors of others.
const CONNECTOR_FAULTS: [(&str, &str); 10] = [
    ("claims-ledger-cdc", "wrong-password"),
    ("claims-archive-s3", "storage-denied"),
    ("motor-orders", "task-failed"),
    ("payments-events", "platform-error"),
    ("fraud-customers", "tls-untrusted"),
    ("fraud-orders", "record-too-large"),
    ("broker-orders", "unknown-host"),
    ("life-ledger-cdc", "slot-in-use"),
    ("travel-orders", "task-failed"),
    ("health-events", "stuck-provisioning"),
];

/// An organization with all departments of the example, all except one with connectors.
fn fixture_with_fleet() -> CliFixture {
    let cli = CliFixture::new();
    for args in [
        "onboard --all --sandbox --yes",
        "onboard --all --sandbox --stage test --yes",
    ] {
        let result = cli.run(args);
        assert_eq!(result.code, Some(0), "{result}");
    }
    let departments = parse_json(&cli.run("department list --sandbox -o json"));
    let mut room: Vec<(String, String, u64)> = departments
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                to_text(&row["code"]),
                to_text(&row["prefix"]),
                row["connectors"].as_u64().unwrap(),
            )
        })
        .filter(|(code, ..)| code != "legal")
        .collect();
    assert_eq!(room.len(), 23);
    // Each department in turn gets one more, until there are enough; departments at their limit are skipped.
    let mut plan: Vec<(String, String)> = Vec::new();
    for name in CONNECTOR_NAMES.iter().cycle() {
        for (code, prefix, left) in &mut room {
            let known = plan.iter().any(|(_, known)| *known == format!("{prefix}{name}"));
            if *left > 0 && !known && plan.len() < CONNECTOR_COUNT - 3 {
                *left -= 1;
                plan.push((code.clone(), format!("{prefix}{name}")));
            }
        }
        if plan.len() == CONNECTOR_COUNT - 3 || room.iter().all(|(.., left)| *left == 0) {
            break;
        }
    }
    // An unowned connector, and more connectors than a department may have.
    plan.push(("claims".into(), "legacy-mainframe-export".into()));
    plan.push(("risk".into(), "poc-lakehouse".into()));
    while plan.len() < CONNECTOR_COUNT {
        plan.push(("treasury".into(), format!("treasury-extra-{}", plan.len())));
    }
    let made = plan
        .iter()
        .enumerate()
        .map(|(number, (department, name))| ConnectorSpec {
            stage: STAGE_NAME,
            department,
            name,
            tasks: if number % 5 == 0 { 2 } else { 1 },
        });
    fleet_fixture::create_connectors(&cli, made);
    let elsewhere = ["claims-orders", "motor-orders", "fraud-orders"].map(|name| ConnectorSpec {
        stage: "test",
        department: name.split_once('-').unwrap().0,
        name,
        tasks: 1,
    });
    fleet_fixture::create_connectors(&cli, elsewhere);
    for (name, kind) in CONNECTOR_FAULTS {
        let result = cli.run(&format!("sandbox fault connector {name} {kind}"));
        assert_eq!(result.code, Some(0), "{result}");
    }
    let result = cli.run("connector pause risk-orders hr-orders --sandbox");
    assert_eq!(result.code, Some(0), "{result}");
    cli
}

fn to_text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Creates an empty folder for the pages.
fn pages_dir() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn html_pages_of_24_departments_and_150_connectors_pass_the_browser_checks() {
    let cli = fixture_with_fleet();
    // The first run starts the state history; the second one reports from it.
    assert_eq!(cli.run("status --sandbox").code, Some(6));
    assert_eq!(cli.run("sandbox clock advance 5h").code, Some(0));
    let folder = pages_dir();
    for (name, args) in [
        ("fleet", ""),
        ("claims", "--department claims"),
        ("hr", "--department hr"),
    ] {
        let page = folder.join(format!("{name}.html"));
        let result = cli.run(&format!("status --sandbox {args} --html {}", page.display()));
        assert_eq!(result.code, Some(if name == "hr" { 0 } else { 6 }), "{result}");
    }
    let page = fs::read_to_string(folder.join("fleet.html")).unwrap();
    let status = parse_json(&cli.run("status --sandbox -o json"));
    let prod = &status["stages"][0];
    assert_eq!(prod["departments"].as_array().unwrap().len(), 24);
    let connectors = prod["connectors"].as_array().unwrap();
    assert_eq!(connectors.len(), CONNECTOR_COUNT);
    for row in connectors {
        assert!(page.contains(&format!(">{}<", row["name"].as_str().unwrap())), "{row}");
    }
    for row in prod["departments"].as_array().unwrap() {
        let code = row["department"].as_str().unwrap();
        let named = [format!(">{code}<"), format!(" ({code})")];
        assert!(named.iter().any(|named| page.contains(named)), "{row}");
    }
    assert!(page.contains("5h+"), "begin of the failure");
    let others: Vec<&str> = prod["departments"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| [row["prefix"].as_str().unwrap(), row["name"].as_str().unwrap()])
        .filter(|word| !["claims-", "Claims"].contains(word))
        .chain(["legacy-", "poc-", "of 225"])
        .collect();
    let page = fs::read_to_string(folder.join("claims.html")).unwrap();
    assert!(page.contains(">claims-ledger-cdc<"));
    let told: Vec<&&str> = others.iter().filter(|word| page.contains(**word)).collect();
    assert!(
        told.is_empty(),
        "the page of claims contains other departments: {told:?}"
    );
    let audit = cli.run("quota audit --sandbox -o html");
    assert_eq!(audit.code, Some(5), "{audit}");
    fs::write(folder.join("audit.html"), audit.stdout).unwrap();
    run_browser_checks(&folder);
}

/// Lets a browser look at the pages of a folder.
fn run_browser_checks(folder: &Path) {
    let checks = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let named = env::var_os("CONFLUENT_EBS_CHROMIUM").map(PathBuf::from);
    let missing = match named.or_else(|| find_program(&["chromium", "chromium-browser", "google-chrome"])) {
        None => "Chromium",
        Some(_) if find_program(&["node"]).is_none() => "Node.js",
        Some(_) if !checks.join("node_modules").is_dir() => "what `npm ci` installs in tests/browser",
        Some(chromium) => {
            let check = Command::new("node")
                .arg("check.mjs")
                .arg(chromium)
                .arg(folder)
                .current_dir(checks)
                .output();
            let check = check.unwrap();
            let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert!(check.status.success(), "{}{}", said(&check.stderr), said(&check.stdout));
            return;
        }
    };
    assert!(
        env::var_os("CONFLUENT_EBS_REQUIRE_BROWSER").is_none(),
        "{missing} is missing, and CONFLUENT_EBS_REQUIRE_BROWSER demands it"
    );
    // The test harness captures what `eprintln!` prints in a test that passes.
    let text = format!("skipped: the pages in a browser: {missing} is missing\n");
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

/// The first of these programs on the `PATH`.
fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let found = names
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)));
    found.into_iter().find(|file| file.is_file())
}
