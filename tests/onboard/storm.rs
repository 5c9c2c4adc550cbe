//! Storms: random commands in random order, with random faults at random requests and leaps of the clock. When the weather
//! has calmed, the usual command brings everything to the state of a clean run, and nothing of others has changed.
//!
//! `CONFLUENT_EBS_STORMS` sets how many; `CONFLUENT_EBS_STORM` runs a single one, by the number that a failure names.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use confluent_ebs::sandbox::{Fault, FaultKind};
use serde_json::json;

use crate::{
    crash::{DEPLOYER, State, WORKERS, copy, run},
    home::{CLUSTER, Home},
};

/// How many storms without a wish for more.
const STORMS: u64 = 200;

/// Numbers that depend on nothing but where they begin (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let place = self.roll(u64::try_from(of.len()).unwrap());
        &of[usize::try_from(place).unwrap()]
    }
}

/// A stranger's account with a right on the prefix of claims and a key of its own, and files for connectors.
fn prepared() -> Home {
    let home = Home::new();
    home.must("onboard claims fraud --sandbox --yes", 0);
    let admin = home.admin();
    let body = json!({ "display_name": "legacy", "description": "made by hand" });
    let account = home.done(&admin, "POST", "/iam/v2/service-accounts", Some(body));
    let account = account["id"].as_str().unwrap();
    let body = json!({ "principal": format!("User:{account}"), "role_name": "DeveloperRead",
        "crn_pattern": format!("{CLUSTER}/kafka=lkc-prod01/topic=claims-*") });
    home.done(&admin, "POST", "/iam/v2/role-bindings", Some(body));
    let body =
        json!({ "spec": { "owner": { "id": account }, "resource": { "id": "cloud" }, "description": "by hand" } });
    home.done(&admin, "POST", "/iam/v2/api-keys", Some(body));
    for (folder, quickstart) in [("a", "ORDERS"), ("b", "USERS")] {
        let file = json!({ "name": "claims-orders", "config": { "connector.class": "DatagenSource",
            "kafka.topic": "claims-orders", "quickstart": quickstart, "output.data.format": "JSON" } });
        home.world
            .write(format!("{folder}/claims-orders.json"), file.to_string());
    }
    // The deployer's profile of before: a rotation leaves it where it is.
    home.world.write("kept.toml", home.world.read(DEPLOYER));
    home
}

fn disturb(home: &Home, dice: &mut Dice) {
    let kinds = [
        FaultKind::LostBefore,
        FaultKind::LostAfter,
        FaultKind::ServerError,
        FaultKind::TooManyRequests { retry_after: 3 },
        FaultKind::KillBefore,
        FaultKind::KillAfter,
        FaultKind::ListLag { seconds: 10 },
    ];
    for _ in 0..dice.roll(3) {
        let fault = Fault::once(*dice.pick(&kinds)).skipping(u32::try_from(dice.roll(40)).unwrap());
        home.sandbox().add_fault(fault).unwrap();
    }
}

/// One command of many; whether it succeeds is the weather's.
fn command(home: &Home, dice: &mut Dice) -> String {
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
    let account = home.account("ebs-prod-claims-operator");
    let keys = home.sandbox().keys().unwrap();
    let key = keys.iter().find(|key| key.spec.owner.id == account);
    command.replace("OPERATOR", key.map_or("AAAABBBBCCCCDDDD", |key| key.id.as_str()))
}

/// Repeats a command until it succeeds.
fn finally(home: &Home, command: &str, may_end: &str) -> Result<(), String> {
    let mut last = String::new();
    for _ in 0..4 {
        let seen = run(home, command);
        if seen.code == Some(0) || (!may_end.is_empty() && seen.stderr.contains(may_end)) {
            return Ok(());
        }
        last = seen.to_string();
    }
    Err(format!("{command}: {last}"))
}

/// One storm; what is wrong afterwards.
fn storm(template: &Home, wanted: &State, number: u64) -> Result<(), String> {
    let home = copy(template);
    let mut dice = Dice(number);
    let mut log = Vec::new();
    for _ in 0..3 + dice.roll(4) {
        disturb(&home, &mut dice);
        let command = command(&home, &mut dice);
        let seen = run(&home, &command);
        log.push(format!("{command} → {:?}", seen.code));
        if seen.stderr.contains("panicked at") {
            return Err(format!("{log:#?}\n{seen}"));
        }
        if dice.roll(3) == 0 {
            let minutes = 1 + dice.roll(60 * 40);
            home.must(&format!("sandbox clock advance {minutes}m"), 0);
        }
    }
    let told = |error: String| format!("{log:#?}\n{error}");
    home.sandbox().clear_faults(None).unwrap();
    home.must("sandbox clock advance 10m", 0);
    finally(&home, "onboard claims --sandbox --yes", "").map_err(told)?;
    // Whatever was rotated halfway is finished, and a day later the old keys go.
    for _ in 0..2 {
        finally(&home, "keys rotate claims --older-than 3650d --sandbox --yes", "").map_err(told)?;
        home.must("sandbox clock advance 25h", 0);
    }
    finally(&home, "keys rotate claims --older-than 3650d --sandbox --yes", "").map_err(told)?;
    finally(&home, "onboard claims --sandbox --yes", "").map_err(told)?;
    // As the platform team: the department's own key may be gone.
    finally(
        &home,
        "connector delete claims-orders --force --no-save --sandbox --department claims",
        "not found",
    )
    .map_err(told)?;
    home.must("sandbox clock advance 10m", 0);
    let State {
        accounts,
        bindings,
        keys,
        connectors,
        evidence,
        ..
    } = State::of(&home);
    let same = accounts == wanted.accounts
        && bindings == wanted.bindings
        && keys == wanted.keys
        && connectors == wanted.connectors
        && evidence.iter().all(|vouched| *vouched);
    match same {
        true => held(&home),
        false => Err(told(format!(
            "{accounts:#?}\n{bindings:#?}\n{keys:#?}\n{evidence:?}\n{connectors:#}\ninstead of {wanted:#?}"
        ))),
    }
}

/// Every key of ours has a holder: a profile with its secret.
fn held(home: &Home) -> Result<(), String> {
    let profiles = Home::keys_in(&home.folder().join("handover"));
    let keys = home.sandbox().keys().unwrap();
    let ours = keys.iter().filter(|key| key.spec.description.starts_with("ebs:v1 "));
    let lost: Vec<_> = ours
        .filter(|key| !profiles.values().any(|profile| profile.id == key.id.as_str()))
        .map(|key| key.id.to_string())
        .collect();
    match lost.is_empty() {
        true => Ok(()),
        false => Err(format!("nobody holds {lost:?}")),
    }
}

fn number_of(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
#[expect(clippy::print_stdout, reason = "how many storms there were is a part of the result")]
fn after_a_storm_all_is_as_it_was() {
    let template = prepared();
    let wanted = State::of(&template);
    let (first, last) = match number_of("CONFLUENT_EBS_STORM") {
        Some(only) => (only, only + 1),
        None => (0, number_of("CONFLUENT_EBS_STORMS").unwrap_or(STORMS)),
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
                    if let Err(error) = storm(&template, &wanted, number) {
                        let again = format!("storm {number} (CONFLUENT_EBS_STORM={number} runs it alone)");
                        wrong.lock().unwrap().push(format!("{again}: {error}"));
                    }
                }
            });
        }
    });
    println!("storms: {}", last - first);
    let wrong = wrong.into_inner().unwrap();
    let shown = wrong[..wrong.len().min(2)].join("\n");
    assert!(wrong.is_empty(), "{} of {} wrong\n{shown}", wrong.len(), last - first);
}
