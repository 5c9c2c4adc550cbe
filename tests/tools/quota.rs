//! `quota list`, `quota describe`, `quota check`, and the service's response when the cluster is full.

use crate::common::{Cli, ConnectorSpec, JsonAccess as _, PROFILES_DIR, assert_valid_sarif, sarif_places};

const CLUSTER_FULL_ADVICE: &str =
    "The cluster is shared: ask EBS (ebs@example.com) to free tasks or to provide another cluster.";

fn write_orders_file(cli: &Cli, name: &str) {
    cli.write(
        "next.json",
        format!(
            r#"{{"name": "{name}", "connector.class": "DatagenSource", "kafka.topic": "claims-orders", "quickstart": "ORDERS"}}"#
        ),
    );
}

#[test]
fn a_department_sees_its_quota_and_remaining_capacity() {
    let cli = Cli::onboarded("claims");
    write_orders_file(&cli, "claims-orders");
    cli.run_as("claims-deployer", "connector create --config-file next.json")
        .expect_success();
    let output = cli.run_as("claims-operator", "quota describe").expect_success();
    let text = output.stdout_line();
    for words in [
        "1 of 12 used, 11 left",
        "1 of 20 used, 19 left",
        "unknown to this key, of 225 (250 less 25 reserved)",
        "(today)",
        "Only this program enforces these limits",
        "claims-orders | RUNNING | 1 | 1 | 1",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let check = cli
        .run_as("claims-operator", "quota check --plugin DatagenSource --tasks 2")
        .expect_success();
    assert!(
        check.stdout.contains("Within the quota, which allows up to 4 tasks."),
        "{check}"
    );
    let check = cli
        .run_as("claims-operator", "quota check --connector claims-orders --tasks 5")
        .expect_code(5);
    assert!(
        check
            .stderr_line()
            .contains("department `claims`: tasks per connector: 5 requested, 4 allowed"),
        "{check}"
    );
    assert!(check.stderr_line().contains("Set `tasks.max` to at most 4."), "{check}");
    // A change of an existing connector requests the difference (docs/reference/quotas.md#counting-connectors).
    let check = cli
        .run_as(
            "claims-operator",
            "quota check --connector claims-orders --tasks 3 -o json",
        )
        .json();
    let asked: Vec<i64> = check
        .items("/limits")
        .iter()
        .map(|room| room["requested"].as_i64().unwrap())
        .collect();
    assert_eq!(asked, [0, 2, 2]);
    assert_eq!(
        (&check["limits"][2]["used"], &check["limits"][2]["reserved"]),
        (&serde_json::Value::Null, &25.into())
    );
    cli.run_as("claims-operator", "quota check --connector motor-orders")
        .expect_code(1);
}

#[test]
fn the_platform_team_sees_quotas_of_all_departments_and_the_cluster() {
    let cli = Cli::onboarded("claims");
    // 17 of 20 tasks and 17 of 12 connectors.
    cli.create_claims_connectors(17);
    let output = cli.run("quota list --sandbox").expect_success();
    assert!(
        output
            .stderr_line()
            .contains("Cluster `lkc-prod01` uses 17 of 225 tasks; 25 reserved."),
        "{output}"
    );
    assert!(
        output.stderr_line().contains("Only this program enforces these limits"),
        "{output}"
    );
    let rows = cli.run("quota list --sandbox -o json").json();
    let claims = rows.items("").iter().find(|row| row["department"] == "claims").unwrap();
    assert_eq!(
        (&claims["connectors"], &claims["tasks"], &claims["state"]),
        (&17.into(), &17.into(), &"over".into())
    );
    // Fewer tasks are always allowed (docs/reference/quotas.md#counting-connectors).
    cli.run("quota check --sandbox --department claims --connector claims-source-001 --tasks 1")
        .expect_success();
    let output = cli
        .run("quota check --sandbox --department claims --plugin DatagenSource")
        .expect_code(5);
    assert!(
        output
            .stderr_line()
            .contains("connectors: 1 requested, 17 of 12 used, 0 left"),
        "{output}"
    );
}

// The service does not document it (docs/reference/quotas.md#no-quota-per-department and
// docs/reference/quotas.md#service-quota-api): 402, or 400 with a text. Both give the hint of our own reserve.
#[test]
fn a_full_cluster_gives_the_same_advice_for_every_error() {
    let cli = Cli::onboarded("claims");
    write_orders_file(&cli, "claims-orders");
    cli.run_as("claims-deployer", "connector create --config-file next.json")
        .expect_success();
    write_orders_file(&cli, "claims-more");
    for payment_required in [true, false] {
        let sandbox = cli.sandbox();
        let mut settings = sandbox.settings().unwrap();
        settings.quotas.insert("connect.max_tasks.per_cluster".into(), 1);
        settings.assumptions.connect.task_ceiling_is_payment_required = payment_required;
        sandbox.set_settings(settings).unwrap();
        let output = cli
            .run_as("claims-deployer", "connector create --config-file next.json")
            .expect_code(5);
        assert!(output.stderr_line().contains("currently limited to 1"), "{output}");
        assert!(output.stderr_line().contains(CLUSTER_FULL_ADVICE), "{output}");
    }
}

/// "claims" with 17 connectors where 12 are allowed, one of them too large, one with an account of "motor", and an
/// unowned one.
fn cli_over_quota() -> Cli {
    let cli = Cli::onboarded("claims");
    cli.run("onboard motor --sandbox --yes").expect_success();
    cli.create_claims_connectors(15);
    let made = |department, name, tasks| ConnectorSpec {
        stage: "prod",
        department,
        name,
        tasks,
    };
    let more = [
        made("claims", "claims-large", 6),
        made("motor", "claims-borrowed", 1),
        made("motor", "lonely-source", 2),
    ];
    cli.create_connectors(more);
    cli
}

#[test]
fn quota_audit_reports_over_quota_unowned_and_foreign_account_connectors() {
    let cli = cli_over_quota();
    let before = cli.last_request_seq();
    let output = cli.run("quota audit --sandbox").expect_code(5);
    assert!(
        output
            .stderr_line()
            .contains("department `claims` in stage `prod` is over quota"),
        "{output}"
    );
    // The command only reads.
    let asked = cli.requests_since(before);
    assert!(asked.iter().all(|entry| entry.method == "GET"), "{asked:#?}");
    let lists = asked.iter().filter(|entry| entry.path.ends_with("/connectors"));
    assert_eq!(lists.count(), 2, "{asked:#?}");
    let text = output.stdout_line();
    for words in [
        "18 connectors use 24 of 225 tasks; 25 reserved.",
        // 217 in the files of 23 departments, and the default of one.
        "Allocated quotas: 221 tasks and 134 connectors (98 % of the allocatable tasks).",
        "claims | 17 of 12 | 22 of 20 | over | new",
        "motor | 0 of 10 | 0 of 16 | |",
        "claims-large uses 6 tasks; the limit per connector of claims is 4.",
        "lonely-source is unowned: 2 tasks, and runs as ebs-prod-motor-runtime",
        "claims-borrowed runs as ebs-prod-motor-runtime",
        ", an account of motor.",
    ] {
        assert!(text.contains(words), "{words}: {output}");
    }
    let widest = output.stdout.lines().map(|line| line.trim_end().chars().count()).max();
    assert!(widest <= Some(80), "{output}");
    // The service does not report when it began; the output contains the time since this computer has observed it.
    cli.run("sandbox clock advance 3h").expect_success();
    assert!(cli.run("quota audit --sandbox").stdout.contains("| over  | 3h+"));
}

#[test]
fn quota_audit_in_sarif_names_the_file_of_each_finding() {
    let claims =
        "name = \"Claims\"\nprefix = \"claims-\"\n[quota]\nconnectors = 20\ntasks = 40\ntasks_per_connector = 8\n";
    let cli = Cli::with_platform([("claims", claims)]);
    cli.run("onboard claims --sandbox --yes").expect_success();
    cli.create_claims_connectors(3);
    let made = |name, tasks| ConnectorSpec {
        stage: "prod",
        department: "claims",
        name,
        tasks,
    };
    cli.create_connectors([made("claims-large", 3), made("lonely-source", 1)]);
    cli.write(
        "departments/claims.toml",
        claims
            .replace("connectors = 20", "connectors = 2")
            .replace("tasks_per_connector = 8", "tasks_per_connector = 1"),
    );
    let log = cli.run("quota audit --sandbox -o sarif").expect_code(5).json();
    assert_valid_sarif(&log);
    let mut places = sarif_places(&log);
    places.sort();
    places.dedup();
    let expected = [
        ("connector-over-quota", "departments/claims.toml"),
        ("department-over-quota", "departments/claims.toml"),
        ("unowned-connector", "ebs.toml"),
    ];
    assert_eq!(
        places
            .iter()
            .map(|(rule, file)| (rule.as_str(), file.as_str()))
            .collect::<Vec<_>>(),
        expected
    );
    cli.write("departments/claims.toml", claims);
    let log = Cli::onboarded("claims")
        .run("quota audit --sandbox -o sarif")
        .expect_success()
        .json();
    assert_valid_sarif(&log);
    assert_eq!(sarif_places(&log), []);
}

#[test]
fn quota_audit_writes_an_html_page_and_csv() {
    let cli = cli_over_quota();
    let csv = cli.run("quota audit --sandbox -o csv").expect_code(5);
    let mut lines = csv.stdout.lines();
    assert_eq!(
        lines.next(),
        Some("stage,kind,subject,dimension,used,limit,state,over_quota_observed_since")
    );
    let lines: Vec<&str> = lines.collect();
    assert!(lines.iter().all(|line| line.split(',').count() == 8), "{csv}");
    for begin in [
        "prod,cluster,lkc-prod01,tasks,24,225,ok,",
        "prod,cluster,lkc-prod01,tasks allocated,221,225,ok,",
        "prod,department,claims,connectors,17,12,over,2026-01-02T03:04:05Z",
        "prod,department,claims,tasks,22,20,over,2026-01-02T03:04:05Z",
        "prod,connector,lonely-source,tasks,2,,unowned,",
        "test,department,motor,tasks,0,16,ok,",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(begin)), "{begin}: {csv}");
    }
    let page = cli.run("quota audit --sandbox -o html");
    assert!(
        page.stdout.starts_with("<!DOCTYPE html>") && page.stdout.contains(">17 of 12<"),
        "{page}"
    );
    // For a single department, nothing of others.
    let one = cli
        .run("quota audit --sandbox --department claims -o html")
        .expect_code(5);
    assert!(one.stdout.contains("claims-borrowed runs as"), "{one}");
    assert!(
        !one.stdout.contains("lonely") && !one.stdout.contains("of 225"),
        "{one}"
    );
    // Other commands have neither.
    for args in [
        "quota list --sandbox -o csv",
        "status --sandbox -o html",
        "connector list --sandbox -o csv",
    ] {
        let output = cli.run(args).expect_code(64);
        assert!(
            output.stderr_line().contains("this command takes human, json, yaml"),
            "{output}"
        );
    }
}

#[test]
fn a_department_asks_the_platform_team_that_its_profile_names() {
    let cli = Cli::onboarded("claims");
    let asked = || {
        cli.run_as("claims-operator", "quota check --plugin DatagenSource --tasks 5")
            .expect_code(5)
            .stderr_line()
    };
    assert!(
        asked().contains("Ask EBS (ebs@example.com) for a higher limit;"),
        "{}",
        asked()
    );
    let shown = cli.run_as("claims-operator", "profile show");
    assert!(shown.stdout.contains("EBS (ebs@example.com)"), "{shown}");
    let shown = cli.run_as("claims-operator", "profile show -o json").json();
    assert_eq!(
        shown["platform"],
        serde_json::json!({"team": "EBS", "contact": "ebs@example.com"})
    );
    // A profile of an earlier version names no team.
    let path = format!("{PROFILES_DIR}/claims-operator.toml");
    let profile = cli.read(&path);
    let table = "# Whom to ask.\n[platform]\nteam = \"EBS\"\ncontact = \"ebs@example.com\"\n";
    assert!(profile.contains(table), "{profile}");
    std::fs::write(cli.path(&path), profile.replace(table, "")).unwrap();
    assert!(
        asked().contains("Ask the platform team for a higher limit;"),
        "{}",
        asked()
    );
    let shown = cli.run_as("claims-operator", "profile show -o json").json();
    assert_eq!(shown.get("platform"), None);
}

#[test]
fn quota_audit_is_refused_to_departments_and_reports_incomplete_data() {
    let cli = cli_over_quota();
    let output = cli.run_as("claims-operator", "quota audit");
    assert_eq!((output.code, output.stdout.as_str()), (Some(4), ""), "{output}");
    assert!(
        output
            .stderr_line()
            .contains("only EBS (ebs@example.com) can audit quotas"),
        "{output}"
    );
    for path in ["/iam/v2/service-accounts", "/connect/v1/environments/env-test01/**"] {
        let refuse = format!("sandbox fault add server-error --path {path} --forever");
        cli.run(&refuse).expect_success();
    }
    let output = cli.run("quota audit --sandbox");
    let text = output.stdout_line();
    for words in [
        "Stage test (lkc-test01) Unknown: ",
        "Unknown: service accounts: ",
        "The account of claims-borrowed is unknown: the service accounts could not be listed.",
    ] {
        assert!(text.contains(words), "{words}: {output}");
    }
    let csv = cli.run("quota audit --sandbox -o csv").stdout;
    assert!(
        csv.contains("test,cluster,lkc-test01,,,,") && csv.contains("unknown: "),
        "{csv}"
    );
    assert!(
        csv.contains("\n,unknown,service accounts,,,,\"unknown: could not read service accounts"),
        "{csv}"
    );
    // If no department is over quota, unknown data determines the exit code.
    let output = cli.run("quota audit --sandbox --department motor").expect_code(1);
    assert!(output.stderr_line().contains("cannot observe stage `test`"), "{output}");
}
