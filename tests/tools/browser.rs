//! HTML pages of a whole fleet, created by the binary and checked in a browser (`tests/browser`).

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::common::{Cli, ConnectorSpec, JsonAccess as _};

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
    ("claims-archive-s3", "tls-name"),
    ("motor-orders", "task-failed"),
    ("payments-events", "platform-error"),
    ("fraud-customers", "tls-untrusted"),
    ("fraud-orders", "record-too-large"),
    ("broker-orders", "unknown-host"),
    ("life-ledger-cdc", "offset-type"),
    ("travel-orders", "task-failed"),
    ("health-events", "stuck-provisioning"),
];

/// An organization with all departments of the example, all except one with connectors.
fn cli_with_fleet() -> Cli {
    let cli = Cli::new();
    for args in [
        "onboard --all --sandbox --yes",
        "onboard --all --sandbox --stage test --yes",
    ] {
        cli.run(args).expect_success();
    }
    let departments = cli.run("department list --sandbox -o json").json();
    let mut room: Vec<(String, String, u64)> = departments
        .items("")
        .iter()
        .map(|row| (to_text(&row["code"]), to_text(&row["prefix"]), row.count("/connectors")))
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
    cli.create_connectors(made);
    let elsewhere = ["claims-orders", "motor-orders", "fraud-orders"].map(|name| ConnectorSpec {
        stage: "test",
        department: name.split_once('-').unwrap().0,
        name,
        tasks: 1,
    });
    cli.create_connectors(elsewhere);
    for (name, kind) in CONNECTOR_FAULTS {
        cli.run(&format!("sandbox fault connector {name} {kind}"))
            .expect_success();
    }
    cli.run("connector pause risk-orders hr-orders --sandbox")
        .expect_success();
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
    let cli = cli_with_fleet();
    // The first run starts the state history; the second one reports from it.
    cli.run("status --sandbox").expect_code(6);
    cli.run("sandbox clock advance 5h").expect_success();
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
    let status = cli.run("status --sandbox -o json").json();
    let prod = &status["stages"][0];
    assert_eq!(prod.items("/departments").len(), 24);
    let connectors = prod.items("/connectors");
    assert_eq!(connectors.len(), CONNECTOR_COUNT);
    for row in connectors {
        assert!(page.contains(&format!(">{}<", row.text("/name"))), "{row}");
    }
    for row in prod.items("/departments") {
        let code = row.text("/department");
        let named = [format!(">{code}<"), format!(" ({code})")];
        assert!(named.iter().any(|named| page.contains(named)), "{row}");
    }
    assert!(page.contains("5h+"), "begin of the failure");
    let others: Vec<&str> = prod
        .items("/departments")
        .iter()
        .flat_map(|row| [row.text("/prefix"), row.text("/name")])
        .filter(|word| !["claims-", "Claims"].contains(word))
        .chain(["legacy-", "poc-", "of 225"])
        .collect();
    let page = fs::read_to_string(folder.join("claims.html")).unwrap();
    assert!(page.contains(">claims-ledger-cdc<"));
    let named: Vec<&&str> = others.iter().filter(|word| page.contains(**word)).collect();
    assert!(
        named.is_empty(),
        "the page of claims contains other departments: {named:?}"
    );
    let audit = cli.run("quota audit --sandbox -o html").expect_code(5);
    fs::write(folder.join("audit.html"), audit.stdout).unwrap();
    run_browser_checks(&folder);
}

/// Checks the pages of a folder in a browser.
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
