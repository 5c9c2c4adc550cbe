//! Random commands in random order, with random faults at random requests and jumps of the clock. Afterwards, the usual
//! command without faults leads to the state of a clean run, and objects of others are unchanged.
//!
//! `CONFLUENT_EBS_FUZZ_RUNS` sets the number of runs; `CONFLUENT_EBS_FUZZ_RUN` runs a single one, by the number that a
//! failure prints.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use confluent_ebs::sandbox::{Fault, FaultKind};
use serde_json::json;

use super::crash_matrix::{DEPLOYER_PROFILE, SystemState, WORKERS, run_with_secret};
use crate::common::{CLUSTER_CRN, Cli, JsonAccess as _};

/// Default number of runs; `.ci/full` makes 400.
const DEFAULT_CASES: u64 = 100;

/// Deterministic random numbers (splitmix64).
struct SeededRandom(u64);

impl SeededRandom {
    fn next_below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let place = self.next_below(u64::try_from(of.len()).unwrap());
        &of[usize::try_from(place).unwrap()]
    }
}

/// An account of another owner with a role on the prefix of claims and a key, and connector files.
fn fuzz_template() -> Cli {
    let cli = Cli::onboarded("claims fraud");
    let admin = cli.admin_key();
    let body = json!({ "display_name": "legacy", "description": "made by hand" });
    let account = cli.send_ok(&admin, "POST", "/iam/v2/service-accounts", Some(body));
    let account = account.text("/id");
    let body = json!({ "principal": format!("User:{account}"), "role_name": "DeveloperRead",
        "crn_pattern": format!("{CLUSTER_CRN}/kafka=lkc-prod01/topic=claims-*") });
    cli.send_ok(&admin, "POST", "/iam/v2/role-bindings", Some(body));
    let body =
        json!({ "spec": { "owner": { "id": account }, "resource": { "id": "cloud" }, "description": "by hand" } });
    cli.send_ok(&admin, "POST", "/iam/v2/api-keys", Some(body));
    for (folder, quickstart) in [("a", "ORDERS"), ("b", "USERS")] {
        let file = json!({ "name": "claims-orders", "config": { "connector.class": "DatagenSource",
            "kafka.topic": "claims-orders", "quickstart": quickstart, "output.data.format": "JSON" } });
        cli.write(format!("{folder}/claims-orders.json"), file.to_string());
    }
    // The previous profile of the deployer: a rotation keeps it.
    cli.write("kept.toml", cli.read(DEPLOYER_PROFILE));
    cli
}

fn add_random_faults(cli: &Cli, dice: &mut SeededRandom) {
    let kinds = [
        FaultKind::LostBefore,
        FaultKind::LostAfter,
        FaultKind::ServerError,
        FaultKind::TooManyRequests { retry_after: 3 },
        FaultKind::KillBefore,
        FaultKind::KillAfter,
        FaultKind::ListLag { seconds: 10 },
    ];
    for _ in 0..dice.next_below(3) {
        let fault = Fault::once(*dice.pick(&kinds)).after_requests(u32::try_from(dice.next_below(40)).unwrap());
        cli.sandbox().add_fault(fault).unwrap();
    }
}

/// A random command, which may fail because of the faults.
fn random_command(cli: &Cli, dice: &mut SeededRandom) -> String {
    let commands = [
        "onboard claims --sandbox --yes",
        "onboard --all --dry-run --sandbox",
        "keys rotate claims --sandbox --yes",
        "keys rotate claims --persona operator --overlap 0s --sandbox --yes",
        "keys rotate claims --persona viewer --sandbox --yes",
        "connector create --config-file a/claims-orders.json --or-update --profile kept.toml",
        "connector create --config-file b/claims-orders.json --or-update --profile kept.toml",
        "connector update claims-orders --config quickstart=ORDERS --profile kept.toml",
        "connector pause claims-orders --profile kept.toml",
        "connector resume claims-orders --profile kept.toml",
        "connector delete claims-orders --force --profile kept.toml",
        "keys revoke OPERATOR --now --sandbox --yes",
    ];
    let command = (*dice.pick(&commands)).to_owned();
    if !command.contains("OPERATOR") {
        return command;
    }
    let account = cli.account_id("ebs-prod-claims-operator");
    let keys = cli.sandbox().keys().unwrap();
    let key = keys.iter().find(|key| key.spec.owner.id == account);
    command.replace("OPERATOR", key.map_or("AAAABBBBCCCCDDDD", |key| key.id.as_str()))
}

/// Repeats a command until it succeeds.
fn run_until_done(cli: &Cli, command: &str, may_end: &str) -> Result<(), String> {
    let mut last = String::new();
    for _ in 0..4 {
        let output = run_with_secret(cli, command);
        if output.code == Some(0) || (!may_end.is_empty() && output.stderr.contains(may_end)) {
            return Ok(());
        }
        last = output.to_string();
    }
    Err(format!("{command}: {last}"))
}

/// One run; returns the differences.
fn run_fuzz_case(template: &Cli, wanted: &SystemState, number: u64) -> Result<(), String> {
    let cli = template.duplicate();
    let mut dice = SeededRandom(number);
    let mut log = Vec::new();
    for _ in 0..3 + dice.next_below(4) {
        add_random_faults(&cli, &mut dice);
        let command = random_command(&cli, &mut dice);
        let output = run_with_secret(&cli, &command);
        log.push(format!("{command} → {:?}", output.code));
        if output.stderr.contains("panicked at") {
            return Err(format!("{log:#?}\n{output}"));
        }
        if dice.next_below(3) == 0 {
            let minutes = 1 + dice.next_below(60 * 40);
            cli.run(&format!("sandbox clock advance {minutes}m")).expect_success();
        }
    }
    let with_log = |error: String| format!("{log:#?}\n{error}");
    cli.sandbox().clear_faults(None).unwrap();
    cli.run("sandbox clock advance 10m").expect_success();
    run_until_done(&cli, "onboard claims --sandbox --yes", "").map_err(with_log)?;
    // Incomplete rotations are finished, and the old keys are deleted a day later.
    for _ in 0..2 {
        run_until_done(&cli, "keys rotate claims --older-than 3650d --sandbox --yes", "").map_err(with_log)?;
        cli.run("sandbox clock advance 25h").expect_success();
    }
    run_until_done(&cli, "keys rotate claims --older-than 3650d --sandbox --yes", "").map_err(with_log)?;
    run_until_done(&cli, "onboard claims --sandbox --yes", "").map_err(with_log)?;
    // As the platform team, because the department's key may be deleted.
    run_until_done(
        &cli,
        "connector delete claims-orders --force --no-backup --sandbox --department claims",
        "not found",
    )
    .map_err(with_log)?;
    cli.run("sandbox clock advance 10m").expect_success();
    let SystemState {
        accounts,
        bindings,
        keys,
        connectors,
        evidence,
        ..
    } = SystemState::read_from(&cli);
    let same = accounts == wanted.accounts
        && bindings == wanted.bindings
        && keys == wanted.keys
        && connectors == wanted.connectors
        && evidence.iter().all(|recorded| *recorded);
    match same {
        true => assert_every_key_has_a_profile(&cli),
        false => Err(with_log(format!(
            "{accounts:#?}\n{bindings:#?}\n{keys:#?}\n{evidence:?}\n{connectors:#}\ninstead of {wanted:#?}"
        ))),
    }
}

/// Every managed key is in a profile with its secret.
fn assert_every_key_has_a_profile(cli: &Cli) -> Result<(), String> {
    let profiles = Cli::profile_keys_in(&cli.profiles_dir());
    let keys = cli.sandbox().keys().unwrap();
    let ours = keys.iter().filter(|key| key.spec.description.starts_with("ebs:v1 "));
    let lost: Vec<_> = ours
        .filter(|key| !profiles.values().any(|profile| profile.id == key.id.as_str()))
        .map(|key| key.id.to_string())
        .collect();
    match lost.is_empty() {
        true => Ok(()),
        false => Err(format!("no profile has {lost:?}")),
    }
}

fn number_from_env(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
#[expect(clippy::print_stdout, reason = "the number of runs is a part of the result")]
fn random_commands_under_faults_end_in_the_clean_state() {
    let template = fuzz_template();
    let wanted = SystemState::read_from(&template);
    let (first, last) = match number_from_env("CONFLUENT_EBS_FUZZ_RUN") {
        Some(only) => (only, only + 1),
        None => (0, number_from_env("CONFLUENT_EBS_FUZZ_RUNS").unwrap_or(DEFAULT_CASES)),
    };
    let next = AtomicU64::new(first);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= last {
                        break;
                    }
                    if let Err(error) = run_fuzz_case(&template, &wanted, number) {
                        let again = format!("run {number} (CONFLUENT_EBS_FUZZ_RUN={number} runs it alone)");
                        wrong.lock().unwrap().push(format!("{again}: {error}"));
                    }
                }
            });
        }
    });
    println!("random runs: {}", last - first);
    let wrong = wrong.into_inner().unwrap();
    let shown = wrong[..wrong.len().min(2)].join("\n");
    assert!(wrong.is_empty(), "{} of {} wrong\n{shown}", wrong.len(), last - first);
}
