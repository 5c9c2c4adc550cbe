//! The crash matrix: for every command that changes something, at each of its requests, the connection breaks before or
//! after the request, the service fails or throttles, or the process dies. Then the command is repeated, on the same
//! machine and on another one without journal, profiles and evidence. Afterwards the state is that of a clean run: no
//! orphan, no key without a profile, no change of objects of others.
//!
//! The tests run the binary, in copies of a prepared home.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use confluent_ebs::{
    handover::evidence,
    sandbox::{Fault, FaultKind},
};
use serde_json::{Value, json};

use crate::common::{Cli, CliOutput, EBS_TOML, ProvisionedState};

/// Number of cases that run in parallel: most of the time is spent waiting for the disk.
pub(crate) const WORKERS: usize = 4;
/// Maximum number of repetitions until the plan is empty.
const MAX_RERUNS: usize = 4;

const FAULT_KINDS: [FaultKind; 6] = [
    FaultKind::LostBefore,
    FaultKind::LostAfter,
    FaultKind::ServerError,
    FaultKind::TooManyRequests { retry_after: 7 },
    FaultKind::KillBefore,
    FaultKind::KillAfter,
];

/// A command, each of whose requests is disturbed once.
struct CrashScenario {
    name: &'static str,
    /// Creates the home in which the command is run.
    prepare: fn(&Cli),
    command: fn(&Cli) -> String,
    /// Whether the command can be finished on a machine without the files of the first one.
    on_other_machine: bool,
    /// Text, besides success, that means that nothing remains to be done.
    accepted_error: &'static str,
}

/// Final state, with names for ids and without values that differ between runs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SystemState {
    pub(crate) accounts: BTreeMap<String, String>,
    pub(crate) bindings: Vec<String>,
    pub(crate) keys: Vec<String>,
    /// Profiles by name, and whether their keys work.
    pub(crate) profiles: Vec<(String, Vec<String>)>,
    /// For each key of a department, whether evidence records it.
    pub(crate) evidence: Vec<bool>,
    pub(crate) connectors: Value,
    /// Kafka ACLs of the cluster.
    acls: Vec<String>,
    client_quotas: Vec<String>,
}

impl SystemState {
    pub(crate) fn read_from(cli: &Cli) -> Self {
        let ProvisionedState {
            accounts,
            bindings,
            keys,
            files,
        } = cli.provisioned_state();
        // The file name of a rotated profile contains the nonce of its run.
        let plain = |name: &str| {
            let parts: Vec<&str> = name.split('.').collect();
            let mark = |part: &&str| part.len() == 8 && part.chars().all(|c| c.is_ascii_hexdigit());
            let parts: Vec<&str> = parts
                .into_iter()
                .map(|part| if mark(&part) { "MARK" } else { part })
                .collect();
            parts.join(".")
        };
        let mut profiles: Vec<(String, Vec<String>)> =
            files.into_iter().map(|(name, works)| (plain(&name), works)).collect();
        profiles.sort();
        let list = cli.send_ok(
            &cli.admin_key(),
            "GET",
            "/connect/v1/environments/env-prod01/clusters/lkc-prod01/connectors?expand=info,status,id",
            None,
        );
        let recorded = evidence::read_recorded_keys(&cli.state_dir().join("evidence"));
        let departments = cli.sandbox().keys().unwrap().into_iter();
        let evidence = departments
            .filter(|key| key.spec.description.starts_with("ebs:v1 "))
            .map(|key| recorded.contains_key(&key.id))
            .collect();
        let mut connectors = json!({});
        for (name, connector) in list.as_object().unwrap() {
            let mut config = connector["info"]["config"].clone();
            config.as_object_mut().unwrap().remove("connector.crn");
            connectors[name] = json!({ "config": config, "state": connector["status"]["connector"]["state"] });
        }
        Self {
            accounts,
            bindings,
            keys,
            profiles,
            evidence,
            connectors,
            acls: cli.acls(),
            client_quotas: cli.client_quotas(),
        }
    }
}

/// Files that exist only on the first machine.
fn remove_local_state(cli: &Cli) {
    for folder in ["runs", "handover", "evidence"] {
        let folder = cli.state_dir().join(folder);
        if folder.exists() {
            fs::remove_dir_all(folder).unwrap();
        }
    }
}

pub(crate) fn run_with_secret(cli: &Cli, command: &str) -> CliOutput {
    cli.run_with_env(command, &[("EBS_SECRET_LEDGER", "right")])
}

fn count_requests(cli: &Cli) -> usize {
    cli.sandbox().journal().unwrap().len()
}

/// The state after an undisturbed run, and its number of requests.
fn run_undisturbed(flow: &CrashScenario, template: &Cli) -> (SystemState, usize) {
    let cli = template.duplicate();
    let before = count_requests(&cli);
    let command = (flow.command)(&cli);
    run_with_secret(&cli, &command).expect_success();
    let made = count_requests(&cli) - before;
    (SystemState::read_from(&cli), made)
}

/// Repeats the command until it succeeds, and follows its hints, like a user.
fn rerun_until_done(flow: &CrashScenario, cli: &Cli, command: &str) -> Result<(), String> {
    let mut last = String::new();
    for _ in 0..MAX_RERUNS {
        let output = run_with_secret(cli, command);
        if output.code == Some(0) || (!flow.accepted_error.is_empty() && output.stderr.contains(flow.accepted_error)) {
            return Ok(());
        }
        last = output.to_string();
        // A key that this machine does not record is revoked by name, as the refusal suggests.
        if let Some((_, rest)) = output.stderr.split_once("key-unrecorded") {
            let rest: String = rest.split_whitespace().collect::<Vec<_>>().join(" ");
            let id = rest.split('`').nth(1).unwrap_or_default().to_owned();
            cli.send_ok(&cli.admin_key(), "DELETE", &format!("/iam/v2/api-keys/{id}"), None);
        }
    }
    Err(last)
}

/// Disturbs request `skip` and returns the differences.
fn run_disturbed(
    flow: &CrashScenario,
    template: &Cli,
    kind: FaultKind,
    skip: usize,
    elsewhere: bool,
    wanted: &SystemState,
) -> Option<String> {
    let cli = template.duplicate();
    let fault = Fault::once(kind).after_requests(u32::try_from(skip).unwrap());
    cli.sandbox().add_fault(fault).unwrap();
    let command = (flow.command)(&cli);
    let before = count_requests(&cli);
    let first = run_with_secret(&cli, &command);
    let journal = cli.sandbox().journal().unwrap();
    let hit = journal[before..].iter().find(|entry| entry.fault.is_some());
    // Parallel requests may differ after a fault, but this request is sent before any of them.
    let hit = hit.map(|entry| format!("{} {}", entry.method, entry.path));
    let hit = hit.unwrap_or_else(|| panic!("{}: request {skip} is never sent", flow.name));
    let what = format!("{} on request {skip} ({hit}), first {:?}", kind.name(), first.code);
    if elsewhere {
        remove_local_state(&cli);
        // The other machine cannot detect that the first one is dead before its lease expires.
        cli.run("sandbox clock advance 10m").expect_success();
    }
    // After a report of success, a user has no reason to repeat the command.
    let goes_on = first.code != Some(0) || elsewhere;
    if let Some(Err(last)) = goes_on.then(|| rerun_until_done(flow, &cli, &command)) {
        return Some(format!("{what}: never done: {last}"));
    }
    let state = SystemState::read_from(&cli);
    let mut wanted_profiles = wanted.profiles.clone();
    let mut profiles = state.profiles.clone();
    if elsewhere {
        // The previous profiles are on the first machine.
        profiles.clear();
        wanted_profiles.clear();
    }
    let same = state.accounts == wanted.accounts
        && state.bindings == wanted.bindings
        && state.keys == wanted.keys
        && (elsewhere || state.evidence == wanted.evidence)
        && state.connectors == wanted.connectors
        && state.acls == wanted.acls
        && state.client_quotas == wanted.client_quotas
        && profiles == wanted_profiles;
    (!same).then(|| format!("{what}: {state:#?}\ninstead of {wanted:#?}"))
}

#[expect(clippy::print_stdout, reason = "the number of cases is a part of the result")]
fn run_crash_matrix(flow: &CrashScenario) {
    let template = Cli::new();
    (flow.prepare)(&template);
    let (wanted, made) = run_undisturbed(flow, &template);
    let mut cases = Vec::new();
    for kind in FAULT_KINDS {
        for skip in 0..made {
            cases.push((kind, skip, false));
            if flow.on_other_machine && matches!(kind, FaultKind::KillBefore | FaultKind::KillAfter) {
                cases.push((kind, skip, true));
            }
        }
    }
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((kind, skip, elsewhere)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(text) = run_disturbed(flow, &template, *kind, *skip, *elsewhere, &wanted) {
                        wrong.lock().unwrap().push(text);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    println!("crash matrix: {}: {} requests, {} cases", flow.name, made, cases.len());
    assert!(
        wrong.is_empty(),
        "{}: {} of {} wrong\n{}",
        flow.name,
        wrong.len(),
        cases.len(),
        wrong[..wrong.len().min(3)].join("\n")
    );
}

pub(crate) const DEPLOYER_PROFILE: &str = ".state/confluent-ebs/sandbox/handover/claims-deployer.toml";

fn onboard_claims_and_fraud(cli: &Cli) {
    cli.run("onboard claims fraud --sandbox --yes").expect_success();
}

pub(crate) fn onboard_with_connector(cli: &Cli) {
    onboard_claims_and_fraud(cli);
    let ledger = json!({ "name": "claims-ledger", "config": {
        "connector.class": "PostgresSource", "connection.host": "db.example.com", "connection.port": "5432",
        "connection.user": "reader", "connection.password": "${env:EBS_SECRET_LEDGER}", "db.name": "ledger",
        "ssl.mode": "prefer", "table.whitelist": "entries", "topic.prefix": "claims-", "mode": "bulk",
        "db.timezone": "UTC", "output.data.format": "JSON" } });
    cli.write("claims-ledger.json", ledger.to_string());
    let changed = ledger.to_string().replace("entries", "entries,lines");
    cli.write("changed/claims-ledger.json", changed);
    run_with_secret(
        cli,
        &format!("connector create --config-file claims-ledger.json --profile {DEPLOYER_PROFILE}"),
    )
    .expect_success();
}

#[test]
fn a_rotation_that_creates_a_key_survives_every_fault() {
    run_crash_matrix(&CrashScenario {
        name: "keys rotate, new key",
        prepare: onboard_claims_and_fraud,
        command: |_| "keys rotate claims --persona operator --sandbox --yes".to_owned(),
        on_other_machine: false,
        accepted_error: "",
    });
}

#[test]
fn a_rotation_that_deletes_the_old_key_survives_every_fault() {
    run_crash_matrix(&CrashScenario {
        name: "keys rotate, old key",
        prepare: |cli| {
            onboard_claims_and_fraud(cli);
            cli.run("keys rotate claims --persona operator --sandbox --yes")
                .expect_success();
            cli.run("sandbox clock advance 25h").expect_success();
        },
        command: |_| "keys rotate claims --persona operator --older-than 90d --sandbox --yes".to_owned(),
        on_other_machine: false,
        accepted_error: "",
    });
}

#[test]
fn the_revocation_of_a_leaked_key_survives_every_fault() {
    run_crash_matrix(&CrashScenario {
        name: "keys revoke --now",
        prepare: onboard_claims_and_fraud,
        command: |cli| {
            format!(
                "keys revoke {} --now --sandbox --yes",
                cli.profile_key("claims-operator").id
            )
        },
        on_other_machine: false,
        accepted_error: "",
    });
}

#[test]
fn onboarding_survives_every_fault() {
    run_crash_matrix(&CrashScenario {
        name: "onboard",
        prepare: |cli| {
            cli.run("onboard fraud --sandbox --yes").expect_success();
        },
        command: |_| "onboard claims --sandbox --yes".to_owned(),
        on_other_machine: true,
        accepted_error: "",
    });
}

#[test]
fn offboarding_survives_every_fault() {
    run_crash_matrix(&CrashScenario {
        name: "offboard",
        prepare: onboard_with_connector,
        command: |_| "offboard claims --delete-connectors --sandbox --yes".to_owned(),
        on_other_machine: true,
        accepted_error: "",
    });
}

/// A department whose only persona has no key, one role and two ACLs (docs/reference/rbac.md#personas), and a
/// department that has them already.
fn onboard_with_acls(cli: &Cli) {
    cli.write("ebs.toml", EBS_TOML);
    cli.write(
        "rbac-templates/sinks.toml",
        r#"description = "Sinks alone."
[[persona]]
name = "runtime"
description = "The identity of sinks."
keys = []

[[persona.grant]]
role = "DeveloperRead"
on = "topic:{prefix}*"
why = "sinks read"

[[persona.acl]]
operations = ["CREATE", "WRITE"]
on = "topic:dlq-lcc*"
why = "dead letters"
"#,
    );
    for code in ["claims", "fraud"] {
        let text = format!("name = \"{code}\"\nprefix = \"{code}-\"\ntemplate = \"sinks\"\n[quota]\nconnectors = 1\n");
        cli.write(format!("departments/{code}.toml"), text);
    }
    cli.run("onboard fraud --sandbox --yes").expect_success();
    assert_eq!(cli.acls().len(), 2);
}

#[test]
fn onboarding_with_acls_survives_every_fault() {
    run_crash_matrix(&CrashScenario {
        name: "onboard, ACLs",
        prepare: onboard_with_acls,
        command: |_| "onboard claims --sandbox --yes".to_owned(),
        on_other_machine: true,
        accepted_error: "",
    });
}

fn onboard_with_client_quota(cli: &Cli) {
    onboard_with_acls(cli);
    for code in ["claims", "fraud"] {
        let text = cli.read(format!("departments/{code}.toml"));
        let throughput = "[quota.throughput]\ningress = \"5 MB/s\"\negress = \"20 MB/s\"\n";
        cli.write(format!("departments/{code}.toml"), format!("{text}{throughput}"));
    }
    cli.run("onboard fraud --sandbox --yes").expect_success();
    assert_eq!(cli.client_quotas().len(), 1);
}

#[test]
fn onboarding_with_a_client_quota_survives_every_fault() {
    run_crash_matrix(&CrashScenario {
        name: "onboard, client quota",
        prepare: onboard_with_client_quota,
        command: |_| "onboard claims --sandbox --yes".to_owned(),
        on_other_machine: true,
        accepted_error: "",
    });
}

#[test]
fn offboarding_with_a_client_quota_survives_every_fault() {
    run_crash_matrix(&CrashScenario {
        name: "offboard, client quota",
        prepare: |cli| {
            onboard_with_client_quota(cli);
            cli.run("onboard claims --sandbox --yes").expect_success();
            assert_eq!(cli.client_quotas().len(), 2);
        },
        command: |_| "offboard claims --sandbox --yes".to_owned(),
        on_other_machine: true,
        accepted_error: "",
    });
}

#[test]
fn offboarding_with_acls_survives_every_fault() {
    run_crash_matrix(&CrashScenario {
        name: "offboard, ACLs",
        prepare: |cli| {
            onboard_with_acls(cli);
            cli.run("onboard claims --sandbox --yes").expect_success();
            assert_eq!(cli.acls().len(), 4);
        },
        command: |_| "offboard claims --sandbox --yes".to_owned(),
        on_other_machine: true,
        accepted_error: "",
    });
}

#[test]
fn connector_create_survives_every_fault() {
    run_crash_matrix(&CrashScenario {
        name: "connector create",
        prepare: |cli| {
            onboard_with_connector(cli);
            cli.run(&format!(
                "connector delete claims-ledger --force --profile {DEPLOYER_PROFILE}"
            ))
            .expect_success();
        },
        command: |_| format!("connector create --config-file claims-ledger.json --profile {DEPLOYER_PROFILE}"),
        on_other_machine: false,
        accepted_error: "",
    });
}

#[test]
fn connector_update_survives_every_fault() {
    run_crash_matrix(&CrashScenario {
        name: "connector update",
        prepare: onboard_with_connector,
        command: |_| {
            format!(
                "connector update claims-ledger --config-file changed/claims-ledger.json --profile {DEPLOYER_PROFILE}"
            )
        },
        on_other_machine: false,
        accepted_error: "",
    });
}

#[test]
fn connector_delete_survives_every_fault() {
    run_crash_matrix(&CrashScenario {
        name: "connector delete",
        prepare: onboard_with_connector,
        command: |_| format!("connector delete claims-ledger --force --profile {DEPLOYER_PROFILE}"),
        on_other_machine: false,
        accepted_error: "connector \"claims-ledger\" not found",
    });
}

/// The template is unchanged: every case uses a copy.
#[test]
fn a_copied_home_is_independent_of_its_template() {
    let cli = Cli::new();
    onboard_claims_and_fraud(&cli);
    let before = SystemState::read_from(&cli);
    let twin = cli.duplicate();
    assert_eq!(SystemState::read_from(&twin), before);
    twin.run("offboard claims --sandbox --yes").expect_success();
    assert_eq!(SystemState::read_from(&cli), before);
    assert!(!Path::new(&twin.path("ebs.toml")).exists());
}
