//! `quota list`, `quota describe`, `quota check`, and the service's response when the cluster is full.

use crate::{
    common::CliFixture,
    department_fixture::{fixture_with_claims, normalized_stderr, parse_json, run_as_deployer, run_as_operator},
    fleet_fixture,
};

const CLUSTER_FULL_ADVICE: &str =
    "The cluster is shared: ask the platform team to free tasks or to provide another cluster.";

fn write_orders_file(cli: &CliFixture, name: &str) {
    cli.write(
        "next.json",
        format!(
            r#"{{"name": "{name}", "connector.class": "DatagenSource", "kafka.topic": "claims-orders", "quickstart": "ORDERS"}}"#
        ),
    );
}

#[test]
fn a_department_sees_its_quota_and_remaining_capacity() {
    let cli = fixture_with_claims();
    write_orders_file(&cli, "claims-orders");
    assert_eq!(
        run_as_deployer(&cli, "connector create --config-file next.json").code,
        Some(0)
    );
    let output = run_as_operator(&cli, "quota describe");
    assert_eq!(output.code, Some(0), "{output}");
    let text = output.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
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
    let check = run_as_operator(&cli, "quota check --plugin DatagenSource --tasks 2");
    assert_eq!(check.code, Some(0), "{check}");
    assert!(
        check.stdout.contains("Within the quota, which allows up to 4 tasks."),
        "{check}"
    );
    let check = run_as_operator(&cli, "quota check --connector claims-orders --tasks 5");
    assert_eq!(check.code, Some(5), "{check}");
    assert!(
        normalized_stderr(&check).contains("department `claims`: tasks per connector: 5 requested, 4 allowed"),
        "{check}"
    );
    assert!(
        normalized_stderr(&check).contains("Set `tasks.max` to at most 4."),
        "{check}"
    );
    // A change of an existing connector requests the difference (docs/reference/quotas.md#counting-connectors).
    let check = parse_json(&run_as_operator(
        &cli,
        "quota check --connector claims-orders --tasks 3 -o json",
    ));
    let asked: Vec<i64> = check["limits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|room| room["requested"].as_i64().unwrap())
        .collect();
    assert_eq!(asked, [0, 2, 2]);
    assert_eq!(
        (&check["limits"][2]["used"], &check["limits"][2]["reserved"]),
        (&serde_json::Value::Null, &25.into())
    );
    let output = run_as_operator(&cli, "quota check --connector motor-orders");
    assert_eq!(output.code, Some(1), "{output}");
}

#[test]
fn the_platform_team_sees_quotas_of_all_departments_and_the_cluster() {
    let cli = fixture_with_claims();
    // 17 of 20 tasks and 17 of 12 connectors.
    fleet_fixture::create_claims_connectors(&cli, 17);
    let output = cli.run("quota list --sandbox");
    assert_eq!(output.code, Some(0), "{output}");
    assert!(
        normalized_stderr(&output).contains("Cluster `lkc-prod01` uses 17 of 225 tasks; 25 reserved."),
        "{output}"
    );
    assert!(
        normalized_stderr(&output).contains("Only this program enforces these limits"),
        "{output}"
    );
    let rows = parse_json(&cli.run("quota list --sandbox -o json"));
    let claims = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["department"] == "claims")
        .unwrap();
    assert_eq!(
        (&claims["connectors"], &claims["tasks"], &claims["state"]),
        (&17.into(), &17.into(), &"over".into())
    );
    // Fewer tasks are always allowed (docs/reference/quotas.md#counting-connectors).
    let output = cli.run("quota check --sandbox --department claims --connector claims-source-001 --tasks 1");
    assert_eq!(output.code, Some(0), "{output}");
    let output = cli.run("quota check --sandbox --department claims --plugin DatagenSource");
    assert_eq!(output.code, Some(5), "{output}");
    assert!(
        normalized_stderr(&output).contains("connectors: 1 requested, 17 of 12 used, 0 left"),
        "{output}"
    );
}

// The service does not document it (docs/reference/quotas.md#no-quota-per-department and
// docs/reference/quotas.md#service-quota-api): 402, or 400 with a text. Both give the hint of our own reserve.
#[test]
fn a_full_cluster_gives_the_same_advice_for_every_error() {
    let cli = fixture_with_claims();
    write_orders_file(&cli, "claims-orders");
    assert_eq!(
        run_as_deployer(&cli, "connector create --config-file next.json").code,
        Some(0)
    );
    write_orders_file(&cli, "claims-more");
    for payment_required in [true, false] {
        let sandbox = fleet_fixture::open_sandbox(&cli);
        let mut settings = sandbox.settings().unwrap();
        settings.quotas.insert("connect.max_tasks.per_cluster".into(), 1);
        settings.assumptions.connect.task_ceiling_is_payment_required = payment_required;
        sandbox.set_settings(settings).unwrap();
        let output = run_as_deployer(&cli, "connector create --config-file next.json");
        assert_eq!(output.code, Some(5), "{output}");
        assert!(
            normalized_stderr(&output).contains("currently limited to 1"),
            "{output}"
        );
        assert!(normalized_stderr(&output).contains(CLUSTER_FULL_ADVICE), "{output}");
    }
}

/// "claims" with 17 connectors where 12 are allowed, one of them too large, one with an account of "motor", and an
/// unowned one.
fn fixture_over_quota() -> CliFixture {
    let cli = fixture_with_claims();
    assert_eq!(cli.run("onboard motor --sandbox --yes").code, Some(0));
    fleet_fixture::create_claims_connectors(&cli, 15);
    let made = |department, name, tasks| fleet_fixture::ConnectorSpec {
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
    fleet_fixture::create_connectors(&cli, more);
    cli
}

#[test]
fn quota_audit_reports_over_quota_unowned_and_foreign_account_connectors() {
    let cli = fixture_over_quota();
    let before = fleet_fixture::last_request_seq(&cli);
    let output = cli.run("quota audit --sandbox");
    assert_eq!(output.code, Some(5), "{output}");
    assert!(
        normalized_stderr(&output).contains("department `claims` in stage `prod` is over quota"),
        "{output}"
    );
    // The command only reads.
    let asked = fleet_fixture::requests_since(&cli, before);
    assert!(asked.iter().all(|entry| entry.method == "GET"), "{asked:#?}");
    let lists = asked.iter().filter(|entry| entry.path.ends_with("/connectors"));
    assert_eq!(lists.count(), 2, "{asked:#?}");
    let text = output.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
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
    assert_eq!(cli.run("sandbox clock advance 3h").code, Some(0));
    assert!(cli.run("quota audit --sandbox").stdout.contains("| over  | 3h+"));
}

#[test]
fn quota_audit_writes_an_html_page_and_csv() {
    let cli = fixture_over_quota();
    let csv = cli.run("quota audit --sandbox -o csv");
    assert_eq!(csv.code, Some(5), "{csv}");
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
    let one = cli.run("quota audit --sandbox --department claims -o html");
    assert_eq!(one.code, Some(5), "{one}");
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
        let output = cli.run(args);
        assert_eq!(output.code, Some(64), "{output}");
        assert!(
            normalized_stderr(&output).contains("this command takes human, json, yaml"),
            "{output}"
        );
    }
}

#[test]
fn quota_audit_is_refused_to_departments_and_reports_incomplete_data() {
    let cli = fixture_over_quota();
    let output = run_as_operator(&cli, "quota audit");
    assert_eq!((output.code, output.stdout.as_str()), (Some(4), ""), "{output}");
    assert!(
        normalized_stderr(&output).contains("only the platform team"),
        "{output}"
    );
    for path in ["/iam/v2/service-accounts", "/connect/v1/environments/env-test01/**"] {
        let refuse = format!("sandbox fault add server-error --path {path} --forever");
        assert_eq!(cli.run(&refuse).code, Some(0));
    }
    let output = cli.run("quota audit --sandbox");
    let text = output.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
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
    let output = cli.run("quota audit --sandbox --department motor");
    assert_eq!(output.code, Some(1), "{output}");
    assert!(
        normalized_stderr(&output).contains("cannot observe stage `test`"),
        "{output}"
    );
}
