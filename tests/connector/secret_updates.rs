//! Secrets of existing connectors: rotated, kept, and never sent as masks from a file.

use serde_json::{Value, json as value};

use crate::{
    cli_with_claims, cli_with_claims_at_timing,
    common::{Cli, CliOutput, PROFILES_DIR},
};

const LEDGER_FILE: &str = r#"{"name": "claims-ledger", "config": {
    "connector.class": "PostgresSource", "connection.host": "db.example.com", "connection.port": "5432",
    "connection.user": "reader", "connection.password": "${env:EBS_SECRET_LEDGER}", "db.name": "ledger",
    "ssl.mode": "prefer", "table.whitelist": "entries", "topic.prefix": "claims-", "mode": "bulk",
    "db.timezone": "UTC", "output.data.format": "JSON"}}"#;
const CREATE: &str = "connector create --config-file claims-ledger.json";

fn run_with_password(cli: &Cli, password: &str, args: &str) -> CliOutput {
    let args = format!("{args} --profile {PROFILES_DIR}/claims-deployer.toml");
    cli.run_with_env(&args, &[("EBS_SECRET_LEDGER", password)])
}

/// The text without the line breaks of the terminal.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cli_with_ledger(timing: &str) -> Cli {
    let cli = cli_with_claims_at_timing(timing);
    cli.write("claims-ledger.json", LEDGER_FILE);
    run_with_password(&cli, "right", CREATE).expect_success();
    cli
}

fn updates(cli: &Cli) -> usize {
    let writes = cli.writes();
    let is_update = |path: &str| path.ends_with("/config");
    writes.iter().filter(|entry| is_update(&entry.path)).count()
}

/// The table in docs/connector-secrets.md, for `create`.
#[test]
fn create_says_which_secrets_it_sends_and_sends_them_on_request() {
    let cli = cli_with_ledger("real");
    // Nothing changed: a rotated password is not sent, and the command says so.
    for (flags, advice) in [
        ("", "Send it with `--or-update --send-secrets`."),
        ("--or-update", "Send it with `--send-secrets`."),
        ("--or-update --dry-run", "Send it with `--send-secrets`."),
    ] {
        let same = run_with_password(&cli, "wrong-password", &format!("{CREATE} {flags}")).expect_success();
        let note = format!("secrets cannot be compared; 1 not sent: `connection.password`. {advice}");
        assert!(unwrapped(&same.stderr).contains(&note), "{same}");
    }
    assert_eq!(updates(&cli), 0);
    let json = run_with_password(&cli, "right", &format!("{CREATE} --or-update -o json")).json();
    assert_eq!(json["secrets_not_sent"], value!(["connection.password"]), "{json}");

    // On request, the secret is sent although nothing else differs; a wrong one is reported with the way back.
    let rotated = run_with_password(&cli, "right", &format!("{CREATE} --or-update --send-secrets -o json"));
    assert_eq!(rotated.json()["updated"], true, "{rotated}");
    assert_eq!(updates(&cli), 1);
    let named = run_with_password(
        &cli,
        "wrong-password",
        &format!("{CREATE} --or-update --send-secrets=connection.password"),
    )
    .expect_code(6);
    assert!(
        unwrapped(&named.stderr).contains("Roll back with `confluent ebs connector update claims-ledger"),
        "{named}"
    );
    let other =
        run_with_password(&cli, "right", &format!("{CREATE} --or-update --send-secrets=db.name")).expect_code(64);
    assert!(
        other.stderr.contains("`db.name` is not a secret in the file"),
        "{other}"
    );

    // Another key changed: the secret goes along.
    cli.write("claims-ledger.json", LEDGER_FILE.replace("\"UTC\"", "\"CET\""));
    let changed = run_with_password(&cli, "right", &format!("{CREATE} --or-update")).expect_success();
    assert!(
        unwrapped(&changed.stderr).contains("The update sends 1 secret: `connection.password`."),
        "{changed}"
    );
    assert!(
        changed.stderr.contains("(secret: sent, from ${env:EBS_SECRET_LEDGER})"),
        "{changed}"
    );
}

#[test]
fn an_update_of_single_keys_keeps_stored_secrets_and_says_so() {
    let cli = cli_with_ledger("instant");
    let update =
        run_with_password(&cli, "", "connector update claims-ledger --config db.timezone=CET").expect_success();
    assert!(
        unwrapped(&update.stderr).contains(
            "`connection.password` goes back masked, as it was read; Confluent Cloud is expected to keep the stored \
             secret."
        ),
        "{update}"
    );
    let rotated = run_with_password(
        &cli,
        "new",
        "connector update claims-ledger --config connection.password=${env:EBS_SECRET_LEDGER}",
    )
    .expect_success();
    assert!(!unwrapped(&rotated.stderr).contains("goes back masked"), "{rotated}");
    assert!(
        unwrapped(&rotated.stderr).contains("The update sends 1 secret: `connection.password`."),
        "{rotated}"
    );
}

#[test]
fn a_mask_is_never_sent_from_a_file_or_from_the_command_line() {
    let cli = cli_with_ledger("instant");
    let masked = LEDGER_FILE.replace("${env:EBS_SECRET_LEDGER}", "****************");
    cli.write("claims-ledger.json", masked);
    for command in [
        "connector update claims-ledger --config-file claims-ledger.json",
        "connector create --config-file claims-ledger.json --or-update",
        "connector create --config-file claims-ledger.json --or-update --send-secrets",
        "connector update claims-ledger --config connection.password=****************",
    ] {
        let output = run_with_password(&cli, "right", command).expect_code(5);
        assert!(output.stderr.contains("mask"), "{command}: {output}");
    }
    assert_eq!(updates(&cli), 0);
}

/// The linter and the service check the configuration as it would be, not only the changed keys.
#[test]
fn an_update_of_single_keys_is_linted_and_validated() {
    let cli = cli_with_ledger("instant");
    for (change, code, message) in [
        ("pol.interval.ms=10000", 5, "poll.interval.ms"),
        ("topic.prefix=motor-", 5, "motor-"),
        ("kafka.service.account.id=sa-111111", 5, "sa-111111"),
        ("poll.interval.ms=abc", 5, "poll.interval.ms"),
    ] {
        let output = run_with_password(&cli, "", &format!("connector update claims-ledger --config {change}"));
        assert_eq!(output.code, Some(code), "{change}: {output}");
        assert!(output.stderr.contains(message), "{change}: {output}");
    }
    // Only the service knows this limit.
    cli.write(
        "claims-lake.json",
        r#"{"name": "claims-lake", "connector.class": "S3_SINK", "topics": "claims-ledger", "input.data.format": "JSON",
            "output.data.format": "JSON", "s3.bucket.name": "claims-lake", "time.interval": "HOURLY", "flush.size": "1000",
            "authentication.method": "Access Keys", "aws.access.key.id": "${env:EBS_SECRET_LEDGER}",
            "aws.secret.access.key": "${env:EBS_SECRET_LEDGER}"}"#,
    );
    run_with_password(
        &cli,
        "right",
        "connector create --config-file claims-lake.json --no-wait",
    )
    .expect_success();
    let refused = run_with_password(&cli, "", "connector update claims-lake --config flush.size=10");
    assert_ne!(refused.code, Some(0), "{refused}");
    assert!(refused.stderr.contains("flush.size"), "{refused}");
    assert_eq!(updates(&cli), 0);
}

#[test]
fn a_removed_key_is_shown_with_its_old_value_and_a_new_key_with_none() {
    let cli = cli_with_claims();
    cli.write("claims-ledger.json", LEDGER_FILE);
    run_with_password(&cli, "right", CREATE).expect_success();
    let output = run_with_password(
        &cli,
        "",
        "connector update claims-ledger --config poll.interval.ms=10000 --unset ssl.mode --dry-run",
    )
    .expect_success();
    let shown = unwrapped(&output.stdout);
    assert!(shown.contains("(none)") && shown.contains("10000"), "{output}");
    let json: Value = run_with_password(
        &cli,
        "",
        "connector update claims-ledger --config poll.interval.ms=10000 --dry-run -o json",
    )
    .json();
    assert_eq!(json["changes"][0]["secret"], "unchanged", "{json}");
}
