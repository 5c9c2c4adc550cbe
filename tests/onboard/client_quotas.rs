//! Client quotas from the binary: a department file that limits the throughput, from the first plan to off-boarding.

use crate::common::{Cli, normalize_whitespace};

const RUNTIME_ACCOUNT: &str = "ebs-prod-claims-runtime";

fn department_text(quota: &str) -> String {
    format!("name = \"Claims\"\nprefix = \"claims-\"\ncontacts = [\"claims@example.com\"]\n{quota}")
}

const THROUGHPUT: &str = "[quota.throughput]\ningress = \"5 MB/s\"\negress = \"20 MB/s\"\n";

fn cli_with_throughput() -> Cli {
    let fraud = "name = \"Fraud\"\nprefix = \"fraud-\"\ncontacts = [\"fraud@example.com\"]\n".to_owned();
    Cli::with_platform([("claims", department_text(THROUGHPUT)), ("fraud", fraud)])
}

#[test]
fn a_client_quota_is_created_updated_and_deleted_with_its_department() {
    let cli = cli_with_throughput();
    let planned = cli.run_without_writes("onboard claims --sandbox --dry-run", 0);
    let said = normalize_whitespace(&planned.stdout_line());
    assert!(
        said.contains("claims-runtime client quota ingress 5 MB/s, egress 20 MB/s"),
        "{planned}"
    );
    cli.run("onboard --all --sandbox --yes").expect_success();
    assert_eq!(cli.client_quotas(), [format!("{RUNTIME_ACCOUNT} 5000000 20000000")]);
    cli.run_without_writes("onboard --all --sandbox --yes", 0);
    let audit = cli.run("access audit --sandbox -o json");
    assert!(!audit.stdout.contains("client quota `"), "{audit}");
    assert!(!audit.stdout.contains("has no client quota"), "{audit}");

    // Other rates are updated in place.
    let faster = THROUGHPUT.replace("5 MB", "6 MB");
    cli.write("departments/claims.toml", department_text(&faster));
    let audit = cli.run("access audit --sandbox -o json");
    assert!(
        audit.stdout.contains("the department's file sets ingress 6 MB/s"),
        "{audit}"
    );
    let before = cli.last_request_seq();
    cli.run("onboard claims --sandbox --yes").expect_success();
    let requests = cli.requests_since(before);
    let writes: Vec<&str> = requests
        .iter()
        .filter(|entry| entry.path.starts_with("/kafka-quotas/") && entry.method != "GET")
        .map(|entry| entry.method.as_str())
        .collect();
    assert_eq!(writes, ["PATCH"]);
    assert_eq!(cli.client_quotas(), [format!("{RUNTIME_ACCOUNT} 6000000 20000000")]);

    cli.run("offboard claims --sandbox --yes").expect_success();
    assert!(cli.client_quotas().is_empty());
}

#[test]
fn a_quota_that_no_file_declares_is_reported_and_deleted_only_with_prune() {
    let cli = cli_with_throughput();
    cli.run("onboard claims --sandbox --yes").expect_success();
    cli.write("departments/claims.toml", department_text(""));
    let audit = cli.run("access audit --sandbox -o json");
    assert!(audit.stdout.contains("is in no department's file"), "{audit}");
    // The list is only read if some department's file limits the throughput.
    let slow = "name = \"Fraud\"\nprefix = \"fraud-\"\n".to_owned() + THROUGHPUT;
    cli.write("departments/fraud.toml", slow);
    cli.run("onboard claims --sandbox --yes").expect_success();
    assert_eq!(cli.client_quotas().len(), 1);
    cli.run("onboard claims --prune --sandbox --yes").expect_success();
    assert!(cli.client_quotas().is_empty());
}

#[test]
fn a_missing_quota_is_an_error_of_the_audit_and_created_again() {
    let cli = cli_with_throughput();
    cli.run("onboard claims --sandbox --yes").expect_success();
    let id = cli.sandbox().client_quotas().unwrap()[0].id.clone().unwrap();
    cli.send_ok(
        &cli.provisioner_key(),
        "DELETE",
        &format!("/kafka-quotas/v1/client-quotas/{id}"),
        None,
    );
    let audit = cli.run("access audit --sandbox -o json");
    assert_eq!(audit.code, Some(5), "{audit}");
    assert!(audit.stdout.contains("has no client quota"), "{audit}");
    cli.run("onboard claims --sandbox --yes").expect_success();
    assert_eq!(cli.client_quotas().len(), 1);
}

#[test]
fn the_department_sees_its_throughput() {
    let cli = cli_with_throughput();
    cli.run("onboard claims --sandbox --yes").expect_success();
    let profile = format!("{}/claims-operator.toml", crate::common::PROFILES_DIR);
    let described = cli
        .run(&format!("quota describe --profile {profile} -o json"))
        .expect_success();
    assert_eq!(described.json()["limits"]["throughput"]["ingress"], 5_000_000);
    assert_eq!(described.json()["limits"]["throughput"]["egress"], 20_000_000);
    let described = cli.run(&format!("quota describe --profile {profile}")).expect_success();
    let said = normalize_whitespace(&described.stdout);
    assert!(said.contains("ingress 5 MB/s, egress 20 MB/s"), "{described}");
    let shown = cli.run(&format!("profile show {profile} -o json")).expect_success();
    assert_eq!(shown.json()["throughput"]["ingress"], 5_000_000);
}

#[test]
fn nonsense_is_reported_with_its_position() {
    for (quota, words) in [
        ("ingress = \"5 mb\"\negress = \"20 MB/s\"", "`5 mb` is not a throughput"),
        ("ingress = \"5 MB/s\"\negress = \"1 kB/s\"", "the minimum is `1 MB/s`"),
        ("ingress = \"5 MB/s\"", "`quota.throughput.egress` is missing"),
        (
            "ingress = 5\negress = \"20 MB/s\"",
            "`quota.throughput.ingress` is an integer, expected a string",
        ),
        ("ingress = \"5 MB/s\"\negress = \"5 MB/s\"\nburst = \"9 MB/s\"", "burst"),
    ] {
        let cli = Cli::with_platform([("claims", department_text(&format!("[quota.throughput]\n{quota}\n")))]);
        let output = cli.run("onboard claims --sandbox --dry-run");
        assert_eq!(output.code, Some(1), "{output}");
        let said = normalize_whitespace(&output.stderr);
        assert!(said.contains(words), "{words}\n{output}");
        assert!(said.contains("departments/claims.toml:"), "{output}");
    }
}
