//! `docs/output.md` is a contract: every command on the page is run, and its output must have exactly the keys on the
//! page.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    cli_with_claims,
    common::{Cli, CliOutput, JsonAccess as _, PROFILES_DIR},
};

const PAGE: &str = include_str!("../../docs/output.md");

/// Expected type of a value.
#[derive(Clone, Debug, PartialEq)]
enum ValueKind {
    Plain(String),
    Shape(String),
    Array(Box<ValueKind>),
    Map(Box<ValueKind>),
}

fn parse_kind(text: &str) -> ValueKind {
    let inside = |open: char, close: char| text.strip_prefix(open).and_then(|text| text.strip_suffix(close));
    if let Some(item) = inside('[', ']') {
        return ValueKind::Array(Box::new(parse_kind(item)));
    }
    if let Some(item) = inside('{', '}') {
        return ValueKind::Map(Box::new(parse_kind(item)));
    }
    match inside('_', '_') {
        Some(shape) => ValueKind::Shape(shape.to_owned()),
        None => ValueKind::Plain(text.to_owned()),
    }
}

/// A row of a shape's table.
struct OutputKey {
    kind: ValueKind,
    optional: bool,
}

/// The parsed page.
#[derive(Default)]
struct OutputContract {
    shapes: BTreeMap<String, BTreeMap<String, OutputKey>>,
    commands: BTreeMap<String, ValueKind>,
}

impl OutputContract {
    fn read() -> Self {
        let mut contract = Self::default();
        let mut shape = None;
        let mut named: Vec<String> = Vec::new();
        for line in PAGE.lines() {
            if let Some(title) = line.strip_prefix("### ") {
                let name = title.trim_matches('_').to_owned();
                assert!(
                    contract.shapes.insert(name.clone(), BTreeMap::new()).is_none(),
                    "{name} is defined twice"
                );
                shape = Some(name);
            } else if let Some(title) = line.strip_prefix("## ") {
                named = title.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            } else if let Some(answer) = line.strip_prefix("Answers: ") {
                for command in &named {
                    contract.commands.insert(command.clone(), parse_kind(answer));
                }
            } else if let (Some(shape), Some(row)) = (&shape, line.strip_prefix("| `")) {
                let cells: Vec<&str> = row.split(" | ").collect();
                let (optional, text) = match cells[1].strip_suffix('?') {
                    Some(text) => (true, text),
                    None => (false, cells[1]),
                };
                let key = OutputKey {
                    kind: parse_kind(text),
                    optional,
                };
                let name = cells[0].trim_end_matches('`').to_owned();
                contract.shapes.get_mut(shape).unwrap().insert(name, key);
            }
        }
        contract
    }

    /// Violations of `kind` by `value`; observed keys are added to `met`.
    fn violations(&self, kind: &ValueKind, value: &Value, at: &str, met: &mut BTreeSet<String>) -> Vec<String> {
        let mismatch = || vec![format!("{at}: {value} is no {kind:?}")];
        match kind {
            ValueKind::Plain(word) => {
                let fits = match word.as_str() {
                    "string" => value.is_string(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "number" => value.is_number(),
                    "boolean" => value.is_boolean(),
                    "time" => value
                        .as_str()
                        .is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
                    "any" => true,
                    _ => panic!("{at}: unknown type {word}"),
                };
                if fits { Vec::new() } else { mismatch() }
            }
            ValueKind::Array(item) => {
                let Some(items) = value.as_array() else {
                    return mismatch();
                };
                let each =
                    |(place, value): (usize, &Value)| self.violations(item, value, &format!("{at}[{place}]"), met);
                items.iter().enumerate().flat_map(each).collect()
            }
            ValueKind::Map(item) => {
                let Some(entries) = value.as_object() else {
                    return mismatch();
                };
                let each =
                    |(name, value): (&String, &Value)| self.violations(item, value, &format!("{at}.{name}"), met);
                entries.iter().flat_map(each).collect()
            }
            ValueKind::Shape(name) => {
                let shape = self
                    .shapes
                    .get(name)
                    .unwrap_or_else(|| panic!("{at}: unknown shape {name}"));
                let Some(entries) = value.as_object() else {
                    return mismatch();
                };
                let mut wrong = Vec::new();
                for (key, value) in entries {
                    let at = format!("{at}.{key}");
                    match shape.get(key) {
                        None => wrong.push(format!("{at}: shape {name} has no such key")),
                        Some(known) => {
                            if !(value.is_null() && known.optional) {
                                met.insert(format!("{name}.{key}"));
                                wrong.extend(self.violations(&known.kind, value, &at, met));
                            }
                        }
                    }
                }
                let absent = shape
                    .iter()
                    .filter(|(key, known)| !known.optional && !entries.contains_key(*key));
                wrong.extend(absent.map(|(key, _)| format!("{at}: {key} of shape {name} is not there")));
                wrong
            }
        }
    }
}

/// Keys that no run produces, with the reason.
const UNTESTED_KEYS: &[(&str, &str)] = &[
    (
        "validated.compared_with",
        "tests/onboard/platform_git.rs: only in a Git repository",
    ),
    (
        "change.client_quota",
        "tests/onboard/client_quotas.rs: only with `[quota.throughput]`",
    ),
    (
        "limits.throughput",
        "tests/onboard/client_quotas.rs: only with `[quota.throughput]`",
    ),
    (
        "profile.throughput",
        "tests/onboard/client_quotas.rs: only with `[quota.throughput]`",
    ),
    ("log_line.exception", "nothing is thrown here"),
    ("share.condition", "every connector has its department"),
    ("share.worst", "every connector has its department"),
    ("share.failing_since", "every connector has its department"),
    ("stage_status.unknown", "both clusters can be seen"),
    ("stage_audit.unknown", "both clusters can be seen"),
    ("status.lag_unknown", "metrics can be read"),
    ("cluster_usage.over_quota_observed_since", "no department is over quota"),
    (
        "department_use.over_quota_observed_since",
        "no department is over quota",
    ),
    ("oversized.name", "no department is over quota"),
    ("oversized.tasks", "no department is over quota"),
    ("unowned_connector.name", "every connector has its department"),
    ("unowned_connector.id", "every connector has its department"),
    ("unowned_connector.status", "every connector has its department"),
    ("unowned_connector.tasks", "every connector has its department"),
    ("unowned_connector.complete", "every connector has its department"),
    ("unowned_connector.runs_as", "every connector has its department"),
    (
        "unowned_connector.account_department",
        "every connector has its department",
    ),
    ("foreign_account.name", "every connector has its own account"),
    ("foreign_account.department", "every connector has its own account"),
    ("foreign_account.runs_as", "every connector has its own account"),
    (
        "foreign_account.account_department",
        "every connector has its own account",
    ),
    ("unknown_account.name", "every connector has its own account"),
    ("unknown_account.reason", "every connector has its own account"),
    ("exception.stacktrace", "nothing is thrown here"),
    ("anomaly.anomaly", "nothing is odd here"),
    ("anomaly.message", "nothing is odd here"),
    ("anomaly.advice", "nothing is odd here"),
    ("audited.baseline", "no finding is accepted here"),
    ("origin.instead_of", "no role was refused"),
    ("origin.now", "no template has changed"),
    ("task.message", "no task of these connectors fails"),
    ("explanation.log_error", "log lines can be read here"),
    ("retired.stages", "no other stage remains"),
    ("remaining_stage.stage", "no other stage remains"),
    ("remaining_stage.accounts", "no other stage remains"),
    (
        "department_row.stages",
        "no department of the example is limited to stages",
    ),
    ("department.stages", "no department of the example is limited to stages"),
    ("cluster_use.tasks", "a department key does not see the cluster's use"),
    ("allowing.acl", "no template of the example asks for ACLs"),
    ("right.acl", "no template of the example asks for ACLs"),
    ("persona.acls", "no template of the example asks for ACLs"),
    ("change.acl", "no template of the example asks for ACLs"),
    (
        "offboarding.foreign_acls",
        "no other principal has grants on the prefix",
    ),
    ("change.from", "only after a template has changed"),
    ("change.to", "only after a template has changed"),
    ("change.key", "only after an interrupted run"),
    ("department.retired", "no department of the example is retired"),
    ("department.recipients", "no department of the example has one"),
    ("failure.change", "nothing fails here"),
    ("failure.label", "nothing fails here"),
    ("failure.department", "nothing fails here"),
    ("failure.reason", "nothing fails here"),
    ("failure.request_id", "nothing fails here"),
    ("proof.reason", "every probe shows what it must"),
    ("foreign.id", "no other principal has grants on the prefix"),
    ("foreign.holder", "no other principal has grants on the prefix"),
    ("foreign.principal", "no other principal has grants on the prefix"),
    ("foreign.role_name", "no other principal has grants on the prefix"),
    ("topics.reads_pattern", "no sink reads a pattern"),
    ("audit_evidence.id", "the audit has no findings"),
    ("audit_evidence.kind", "the audit has no findings"),
    ("audit_finding.fix", "the audit has no findings"),
    ("dead_letters.records", "no record of the sink is a dead letter"),
    ("topics.writes_prefix", "all tables are named"),
    ("foreign.crn_pattern", "no other principal has grants on the prefix"),
    ("retired.file", "the example has no files"),
    ("sandbox.url", "no server runs"),
    ("check.fix", "nothing stands in the way"),
    ("onboarding.program", "no command takes profiles here"),
    ("onboarding.remove_delivered", "no command takes profiles here"),
    ("onboarding.previous_runs", "no command takes profiles here"),
    ("keys_changed.program", "no command takes profiles here"),
    ("keys_changed.remove_delivered", "no command takes profiles here"),
    ("keys_changed.previous_runs", "no command takes profiles here"),
    ("previous_run.path", "no command takes profiles here"),
    ("previous_run.reason", "no command takes profiles here"),
];

const ORDERS_FILE: &str = r#"{"name": "claims-orders", "config": {"connector.class": "DatagenSource",
    "kafka.topic": "claims-orders", "quickstart": "ORDERS", "output.data.format": "JSON"}}"#;
const LEDGER_FILE: &str = r#"{"name": "claims-ledger", "config": {
    "connector.class": "PostgresSource", "connection.host": "db.example.com", "connection.port": "5432",
    "connection.user": "reader", "connection.password": "${env:EBS_SECRET_LEDGER}", "db.name": "ledger",
    "ssl.mode": "prefer", "table.whitelist": "entries", "topic.prefix": "claims-", "mode": "bulk",
    "db.timezone": "UTC", "output.data.format": "JSON"}}"#;

/// Every command at least once, in an order in which each succeeds.
pub(crate) const DOCUMENTED_RUNS: &[&str] = &[
    "doctor --offline",
    "doctor --sandbox",
    "doctor --assumptions",
    "doctor --bundle doctor.json --sandbox",
    "onboard claims --sandbox --dry-run",
    "onboard claims --sandbox --yes --show-secrets",
    "onboard claims --sandbox --yes",
    "department list --sandbox",
    "department describe claims --sandbox",
    "department validate --sandbox",
    "connector lint typo.json",
    "connector validate --config-file claims-lake.json PROFILE",
    "connector create --config-file claims-orders.json --dry-run PROFILE",
    "connector create --config-file claims-orders.json PROFILE",
    "connector create --config-file claims-ledger.json PROFILE",
    "connector create --config-file claims-ledger.json --or-update PROFILE",
    "connector create --config-file claims-archive.json --no-wait PROFILE",
    "connector create --config-file changed/claims-orders.json --or-update PROFILE",
    "connector list PROFILE",
    "connector describe claims-orders PROFILE",
    "connector dead-letters claims-archive PROFILE",
    "connector pause claims-orders PROFILE",
    "connector wait claims-orders --paused PROFILE",
    "connector resume claims-orders PROFILE",
    "connector wait claims-orders PROFILE",
    "connector logs claims-orders --since 2h PROFILE",
    "sandbox clock advance 10m",
    "connector metrics claims-orders --sandbox --department claims",
    "connector dead-letters claims-archive --sandbox --department claims",
    "connector restart claims-orders PROFILE",
    "connector plugin list PROFILE",
    "connector plugin new PostgresSource --output-file starter.yaml",
    "connector plugin describe PostgresSource PROFILE",
    "connector plugin refresh --out .state/confluent-ebs/catalogue.json PROFILE",
    "connector lint typo.json",
    "connector offset describe claims-orders PROFILE",
    "connector offset delete claims-orders --force PROFILE",
    "connector offset update claims-orders --config-file offsets.json --yes PROFILE",
    "connector offset status describe claims-orders PROFILE",
    "connector update claims-ledger --config db.timezone=CET --unset mode --dry-run PROFILE",
    "sandbox fault connector claims-ledger wrong-password",
    "connector list PROFILE",
    "connector describe claims-ledger PROFILE",
    "connector explain claims-ledger PROFILE",
    "connector explain claims-orders --no-records PROFILE",
    "connector explain --message invalid-API-key",
    "sandbox fault connector claims-orders platform-error",
    "sandbox clock advance 6m",
    "connector explain --all PROFILE",
    "sandbox fault connector claims-orders record-too-large",
    "connector explain claims-orders PROFILE",
    "sandbox fault clear claims-orders",
    "status PROFILE",
    "status --sandbox",
    "status --sandbox --department claims",
    "connector update claims-ledger --config table.whitelist=lines --timeout 1m PROFILE",
    "connector create --config-file claims-ledger.json --or-update --timeout 1m PROFILE",
    "access can-i delete connector/claims-x --as claims/deployer --sandbox",
    "access can-i delete connector/fraud-x --as claims/deployer --sandbox",
    "access who-can delete connector/claims-x --sandbox",
    "access matrix claims --sandbox",
    "access test --sandbox",
    "access audit --sandbox --save seen.json",
    "access can-i delete connector/claims-x --as claims/deployer --from seen.json --sandbox",
    "access audit --sandbox-as admin",
    "doctor PROFILE",
    "quota list --sandbox",
    "quota audit --sandbox",
    "quota audit --sandbox --department claims",
    "quota describe PROFILE",
    "quota check --plugin DatagenSource --tasks 30 PROFILE",
    "profile import .state/confluent-ebs/sandbox/handover/claims-viewer.toml",
    "profile list",
    "profile show claims-viewer",
    "profile use claims-viewer",
    "config show",
    "keys list claims --sandbox",
    "keys rotate claims --persona viewer --sandbox --yes",
    "keys rotate claims --persona viewer --overlap 0s --sandbox --yes",
    "keys revoke VIEWER --now --sandbox --yes",
    "profile prune --dry-run --sandbox",
    "profile remove claims-viewer --yes",
    "connector delete claims-ledger --dry-run PROFILE",
    "connector delete claims-ledger --force PROFILE",
    "sandbox info",
    "sandbox info --show-secrets",
    "sandbox clock show",
    "sandbox clock advance 1m",
    "sandbox fault add server-error --method GET --path /never --principal sa-nobody",
    "sandbox fault add too-many-requests --path /never",
    "sandbox fault add slow --path /never",
    "sandbox fault add list-lag --path /never",
    "sandbox fault list",
    "sandbox fault clear",
    "offboard claims --delete-connectors --sandbox --yes",
];

fn run_documented(cli: &Cli, run: &str) -> CliOutput {
    run_with(cli, run, "-o json", "right")
}

/// Runs one of [`RUNS`] with additional flags, and a password for the ledger.
pub(crate) fn run_with(cli: &Cli, run: &str, flags: &str, password: &str) -> CliOutput {
    let profile = format!("--profile {PROFILES_DIR}/claims-deployer.toml");
    let mut args = run.replace("PROFILE", &profile);
    if args.contains("VIEWER") {
        let list = cli.run("keys list claims --sandbox -o json").json();
        let rows = list.items("");
        let viewer = rows.iter().find(|row| row["persona"] == "viewer");
        let key = viewer.and_then(|viewer| viewer["api_key"].as_str());
        args = args.replace("VIEWER", key.unwrap_or("AAAABBBBCCCCDDDD"));
    }
    let variables = [
        ("EBS_SECRET_LEDGER", password),
        ("EBS_SECRET_CONNECTION_PASSWORD", password),
    ];
    cli.run_with_env(&format!("{args} {flags}"), &variables)
}

/// Resets the sandbox, and writes the files that [`RUNS`] need.
pub(crate) fn write_connector_files(cli: &Cli) {
    cli.run("sandbox reset --yes").expect_success();
    cli.write("claims-orders.json", ORDERS_FILE);
    cli.write("claims-ledger.json", LEDGER_FILE);
    cli.write(
        "changed/claims-orders.json",
        ORDERS_FILE.replace("\"ORDERS\"", "\"USERS\""),
    );
    cli.write("typo.json", ORDERS_FILE.replace("quickstart", "quickstrat"));
    // Only the service knows for certain that the format is not allowed (docs/reference/connect.md#error-messages,
    // pattern 3).
    cli.write(
        "claims-lake.json",
        r#"{"name": "claims-lake", "config": {"connector.class": "S3_SINK", "topics": "claims-orders",
            "input.data.format": "JSON", "output.data.format": "SPREADSHEET", "s3.bucket.name": "lake", "time.interval": "HOURLY",
            "flush.size": "1000", "authentication.method": "IAM Roles", "provider.integration.id": "cspi-1"}}"#,
    );
    let archive = r#"{"name": "claims-archive", "config": {"connector.class": "S3_SINK", "topics": "claims-orders",
        "input.data.format": "JSON", "output.data.format": "JSON", "s3.bucket.name": "lake", "time.interval": "HOURLY",
        "flush.size": "1000", "authentication.method": "IAM Roles", "provider.integration.id": "cspi-1"}}"#;
    cli.write("claims-archive.json", archive);
    cli.write(
        "offsets.json",
        r#"{"offsets": [{"partition": {"task.id": 0}, "offset": {"current.iteration": 3, "task.generation": 0}}]}"#,
    );
}

#[test]
fn every_json_output_matches_docs_output_md() {
    let contract = OutputContract::read();
    let cli = cli_with_claims();
    write_connector_files(&cli);
    let mut met = BTreeSet::new();
    let mut ran = BTreeSet::new();
    let mut wrong = Vec::new();
    for text in DOCUMENTED_RUNS {
        let output = run_documented(&cli, text);
        let answer = serde_json::from_str(&output.stdout);
        let answer: Value = answer.unwrap_or_else(|error| panic!("{text}: {error}\n{output}"));
        let of = contract
            .commands
            .iter()
            .filter(|(command, _)| text.starts_with(&**command));
        let (command, kind) = of
            .max_by_key(|(command, _)| command.len())
            .unwrap_or_else(|| panic!("{text} is not on the page"));
        ran.insert(command.clone());
        wrong.extend(contract.violations(kind, &answer, text, &mut met));
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
    let never: Vec<&String> = contract
        .commands
        .keys()
        .filter(|command| !ran.contains(*command))
        .collect();
    assert!(never.is_empty(), "not run: {never:?}");
    let known: BTreeSet<&str> = UNTESTED_KEYS.iter().map(|(key, _)| *key).collect();
    // An error is no result: see the next test.
    let is_error = |key: &str| ["error.", "error_document."].iter().any(|shape| key.starts_with(shape));
    let unseen: Vec<String> = contract
        .shapes
        .iter()
        .flat_map(|(shape, keys)| keys.keys().map(move |key| format!("{shape}.{key}")))
        .filter(|key| !met.contains(key) && !known.contains(&**key) && !is_error(key))
        .collect();
    assert!(unseen.is_empty(), "on the page, but never in the output: {unseen:?}");
    let shown: Vec<&&str> = known.iter().filter(|key| met.contains(**key)).collect();
    assert!(
        shown.is_empty(),
        "listed as never produced, but in the output: {shown:?}"
    );
}

#[test]
fn an_error_is_a_document_on_standard_output() {
    let contract = OutputContract::read();
    let cli = cli_with_claims();
    let kind = ValueKind::Shape("error_document".to_owned());
    cli.write("broken.json", ORDERS_FILE.replace("quickstart", "connector.class"));
    for (args, code, word) in [
        ("connector describe claims-none PROFILE", 1, "failed"),
        ("connector pause motor-orders PROFILE", 5, "refused"),
        ("connector create --config-file broken.json PROFILE", 5, "refused"),
        ("connector list --stgae prod PROFILE", 64, "usage"),
        ("connector list", 1, "failed"),
    ] {
        let output = run_documented(&cli, args).expect_code(code);
        let answer = output.json();
        let violations = contract.violations(&kind, &answer, args, &mut BTreeSet::new());
        assert!(violations.is_empty(), "{violations:?}");
        assert_eq!(
            (&answer["error"]["kind"], &answer["error"]["exit_code"]),
            (&word.into(), &code.into())
        );
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(output.stderr_line().contains(message), "{output}");
        // For people, standard output stays empty.
        let human = run_with(&cli, args, "", "right");
        assert_eq!(human.stdout, "", "{human}");
        assert_eq!(run_with(&cli, args, "-o yaml", "right").code, Some(code));
    }
}

#[test]
fn json_and_yaml_output_are_equal() {
    let cli = cli_with_claims();
    for args in [
        "department describe claims --sandbox",
        "quota list --sandbox",
        "keys list claims --sandbox",
    ] {
        let json: Value = serde_json::from_str(&cli.run(&format!("{args} -o json")).stdout).unwrap();
        let yaml = cli.run(&format!("{args} -o yaml")).stdout;
        let yaml: Value = serde_saphyr::from_str(&yaml).unwrap_or_else(|error| panic!("{args}: {error}\n{yaml}"));
        assert_eq!(json, yaml, "{args}");
    }
}
