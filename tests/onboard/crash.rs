//! The crash matrix (design §7): for every command that changes something, at every request that it makes, the connection
//! breaks before the request or after it, the service fails or throttles, or the process dies; then the command is run
//! again, on the same machine and on another one that has neither journal nor profiles nor evidence. Afterwards everything is as
//! a clean run leaves it: no orphan, no key that nobody holds, nothing of others changed.
//!
//! The binary does it, in homes that are copies of one that was prepared once.

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

use crate::{
    common::Seen,
    home::Home,
    rig::{Left, files_below},
};

/// How many cases run at a time: most of the time goes into waiting for the disk.
pub(crate) const WORKERS: usize = 4;
/// How often a command may have to be repeated until nothing is left to do.
const REPEATS: usize = 4;

const KINDS: [FaultKind; 6] = [
    FaultKind::LostBefore,
    FaultKind::LostAfter,
    FaultKind::ServerError,
    FaultKind::TooManyRequests { retry_after: 7 },
    FaultKind::KillBefore,
    FaultKind::KillAfter,
];

/// A command whose every request is disturbed once.
struct Flow {
    name: &'static str,
    /// Makes the home in which the command is run.
    prepare: fn(&Home),
    command: fn(&Home) -> String,
    /// Whether the command can be finished on a machine that has nothing of the first one's.
    elsewhere: bool,
    /// Besides success, what says that nothing is left to do.
    done: &'static str,
}

/// What is there afterwards, with names for ids and without what differs between runs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) accounts: BTreeMap<String, String>,
    pub(crate) bindings: Vec<String>,
    pub(crate) keys: Vec<String>,
    /// Profiles by name, and whether their keys work.
    pub(crate) profiles: Vec<(String, Vec<String>)>,
    /// For each key of a department, whether evidence vouches for it.
    pub(crate) evidence: Vec<bool>,
    pub(crate) connectors: Value,
    /// Kafka ACLs of the cluster.
    acls: Vec<String>,
}

impl State {
    pub(crate) fn of(home: &Home) -> Self {
        let Left {
            accounts,
            bindings,
            keys,
            files,
        } = home.left();
        // A rotated profile has the nonce of its run in its name.
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
        let list = home.done(
            &home.admin(),
            "GET",
            "/connect/v1/environments/env-prod01/clusters/lkc-prod01/connectors?expand=info,status,id",
            None,
        );
        let vouched = evidence::vouched(&home.folder().join("evidence"));
        let departments = home.sandbox().keys().unwrap().into_iter();
        let evidence = departments
            .filter(|key| key.spec.description.starts_with("ebs:v1 "))
            .map(|key| vouched.contains_key(&key.id))
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
            acls: home.acls(),
        }
    }
}

/// A copy of `home`, byte for byte.
pub(crate) fn copy(home: &Home) -> Home {
    let twin = Home::new();
    let root = home.world.path("");
    for path in files_below(&root) {
        let relative = path.strip_prefix(&root).unwrap();
        let to = twin.world.path(relative);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&path, &to).unwrap();
        // The state folder and what is in it say where they are.
        if let Ok(text) = fs::read_to_string(&to) {
            let moved = text.replace(&*root.to_string_lossy(), &twin.world.path("").to_string_lossy());
            if moved != text {
                fs::write(&to, moved).unwrap();
            }
        }
    }
    twin
}

/// What is only on the first machine.
fn forget(home: &Home) {
    for folder in ["runs", "handover", "evidence"] {
        let folder = home.folder().join(folder);
        if folder.exists() {
            fs::remove_dir_all(folder).unwrap();
        }
    }
}

pub(crate) fn run(home: &Home, command: &str) -> Seen {
    let mut binary = home.world.command();
    binary
        .args(command.split_whitespace())
        .env("EBS_SECRET_LEDGER", "right");
    home.world.see(&mut binary)
}

fn requests(home: &Home) -> usize {
    home.sandbox().journal().unwrap().len()
}

/// The state after an undisturbed run, and how many requests it makes.
fn clean(flow: &Flow, template: &Home) -> (State, usize) {
    let home = copy(template);
    let before = requests(&home);
    let command = (flow.command)(&home);
    let seen = run(&home, &command);
    assert_eq!(seen.code, Some(0), "{}: {command}\n{seen}", flow.name);
    let made = requests(&home) - before;
    (State::of(&home), made)
}

/// Repeats the command until it succeeds, as a person would who reads what it says.
fn repeat(flow: &Flow, home: &Home, command: &str) -> Result<(), String> {
    let mut last = String::new();
    for _ in 0..REPEATS {
        let seen = run(home, command);
        if seen.code == Some(0) || (!flow.done.is_empty() && seen.stderr.contains(flow.done)) {
            return Ok(());
        }
        last = seen.to_string();
        // A key that nobody on this machine vouches for is revoked by name: the refusal says so.
        if let Some((_, rest)) = seen.stderr.split_once("key-unvouched") {
            let rest: String = rest.split_whitespace().collect::<Vec<_>>().join(" ");
            let id = rest.split('`').nth(1).unwrap_or_default().to_owned();
            home.done(&home.admin(), "DELETE", &format!("/iam/v2/api-keys/{id}"), None);
        }
    }
    Err(last)
}

/// Disturbs request `skip` and answers what is wrong afterwards.
fn disturbed(
    flow: &Flow,
    template: &Home,
    kind: FaultKind,
    skip: usize,
    elsewhere: bool,
    wanted: &State,
) -> Option<String> {
    let home = copy(template);
    let fault = Fault::once(kind).skipping(u32::try_from(skip).unwrap());
    home.sandbox().add_fault(fault).unwrap();
    let command = (flow.command)(&home);
    let before = requests(&home);
    let first = run(&home, &command);
    let journal = home.sandbox().journal().unwrap();
    let hit = journal[before..].iter().find(|entry| entry.fault.is_some());
    // What runs at the same time may take another way after a fault, but this request comes before any.
    let hit = hit.map(|entry| format!("{} {}", entry.method, entry.path));
    let hit = hit.unwrap_or_else(|| panic!("{}: request {skip} is never made", flow.name));
    let what = format!("{} on request {skip} ({hit}), first {:?}", kind.name(), first.code);
    if elsewhere {
        forget(&home);
        // The other machine cannot know that the first one is dead before its time is over.
        home.must("sandbox clock advance 10m", 0);
    }
    // Whoever was told that all is done has no reason to go on.
    let goes_on = first.code != Some(0) || elsewhere;
    if let Some(Err(last)) = goes_on.then(|| repeat(flow, &home, &command)) {
        return Some(format!("{what}: never done: {last}"));
    }
    let state = State::of(&home);
    let mut wanted_profiles = wanted.profiles.clone();
    let mut profiles = state.profiles.clone();
    if elsewhere {
        // The profiles of before are on the first machine.
        profiles.clear();
        wanted_profiles.clear();
    }
    let same = state.accounts == wanted.accounts
        && state.bindings == wanted.bindings
        && state.keys == wanted.keys
        && (elsewhere || state.evidence == wanted.evidence)
        && state.connectors == wanted.connectors
        && state.acls == wanted.acls
        && profiles == wanted_profiles;
    (!same).then(|| format!("{what}: {state:#?}\ninstead of {wanted:#?}"))
}

#[expect(clippy::print_stdout, reason = "how many cases there were is a part of the result")]
fn matrix(flow: &Flow) {
    let template = Home::new();
    (flow.prepare)(&template);
    let (wanted, made) = clean(flow, &template);
    let mut cases = Vec::new();
    for kind in KINDS {
        for skip in 0..made {
            cases.push((kind, skip, false));
            if flow.elsewhere && matches!(kind, FaultKind::KillBefore | FaultKind::KillAfter) {
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
                    if let Some(text) = disturbed(flow, &template, *kind, *skip, *elsewhere, &wanted) {
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

pub(crate) const DEPLOYER: &str = ".state/confluent-ebs/sandbox/handover/claims-deployer.toml";

fn onboarded(home: &Home) {
    home.must("onboard claims fraud --sandbox --yes", 0);
}

pub(crate) fn with_a_connector(home: &Home) {
    onboarded(home);
    let ledger = json!({ "name": "claims-ledger", "config": {
        "connector.class": "PostgresSource", "connection.host": "db.example.com", "connection.port": "5432",
        "connection.user": "reader", "connection.password": "${env:EBS_SECRET_LEDGER}", "db.name": "ledger",
        "ssl.mode": "prefer", "table.whitelist": "entries", "topic.prefix": "claims-", "mode": "bulk",
        "db.timezone": "UTC", "output.data.format": "JSON" } });
    home.world.write("claims-ledger.json", ledger.to_string());
    let changed = ledger.to_string().replace("entries", "entries,lines");
    home.world.write("changed/claims-ledger.json", changed);
    let seen = run(
        home,
        &format!("connector create --config-file claims-ledger.json --profile {DEPLOYER}"),
    );
    assert_eq!(seen.code, Some(0), "{seen}");
}

#[test]
fn a_rotation_begins() {
    matrix(&Flow {
        name: "keys rotate, new key",
        prepare: onboarded,
        command: |_| "keys rotate claims --persona operator --sandbox --yes".to_owned(),
        elsewhere: false,
        done: "",
    });
}

#[test]
fn a_rotation_ends() {
    matrix(&Flow {
        name: "keys rotate, old key",
        prepare: |home| {
            onboarded(home);
            home.must("keys rotate claims --persona operator --sandbox --yes", 0);
            home.must("sandbox clock advance 25h", 0);
        },
        command: |_| "keys rotate claims --persona operator --older-than 90d --sandbox --yes".to_owned(),
        elsewhere: false,
        done: "",
    });
}

#[test]
fn a_leaked_key_is_replaced() {
    matrix(&Flow {
        name: "keys revoke --now",
        prepare: onboarded,
        command: |home| format!("keys revoke {} --now --sandbox --yes", home.key("claims-operator").id),
        elsewhere: false,
        done: "",
    });
}

#[test]
fn a_department_is_onboarded() {
    matrix(&Flow {
        name: "onboard",
        prepare: |home| {
            home.must("onboard fraud --sandbox --yes", 0);
        },
        command: |_| "onboard claims --sandbox --yes".to_owned(),
        elsewhere: true,
        done: "",
    });
}

#[test]
fn a_department_is_offboarded() {
    matrix(&Flow {
        name: "offboard",
        prepare: with_a_connector,
        command: |_| "offboard claims --delete-connectors --sandbox --yes".to_owned(),
        elsewhere: true,
        done: "",
    });
}

/// A department whose only persona holds no key, one role and two ACLs (dossier `rbac.md` §8.3); beside it one that has
/// them already.
fn with_acls(home: &Home) {
    home.world.write(
        "ebs.toml",
        "default_stage = \"prod\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n[stages.prod]\n\
         environment = \"env-prod01\"\ncluster = \"lkc-prod01\"\nschema_registry = \"lsrc-prod01\"\n",
    );
    home.world.write(
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
        home.world.write(format!("departments/{code}.toml"), text);
    }
    home.must("onboard fraud --sandbox --yes", 0);
    assert_eq!(home.acls().len(), 2);
}

#[test]
fn a_department_with_acls_is_onboarded() {
    matrix(&Flow {
        name: "onboard, ACLs",
        prepare: with_acls,
        command: |_| "onboard claims --sandbox --yes".to_owned(),
        elsewhere: true,
        done: "",
    });
}

#[test]
fn a_department_with_acls_is_offboarded() {
    matrix(&Flow {
        name: "offboard, ACLs",
        prepare: |home| {
            with_acls(home);
            home.must("onboard claims --sandbox --yes", 0);
            assert_eq!(home.acls().len(), 4);
        },
        command: |_| "offboard claims --sandbox --yes".to_owned(),
        elsewhere: true,
        done: "",
    });
}

#[test]
fn a_connector_is_created() {
    matrix(&Flow {
        name: "connector create",
        prepare: |home| {
            with_a_connector(home);
            home.must(
                &format!("connector delete claims-ledger --force --profile {DEPLOYER}"),
                0,
            );
        },
        command: |_| format!("connector create --config-file claims-ledger.json --profile {DEPLOYER}"),
        elsewhere: false,
        done: "",
    });
}

#[test]
fn a_connector_is_updated() {
    matrix(&Flow {
        name: "connector update",
        prepare: with_a_connector,
        command: |_| {
            format!("connector update claims-ledger --config-file changed/claims-ledger.json --profile {DEPLOYER}")
        },
        elsewhere: false,
        done: "",
    });
}

#[test]
fn a_connector_is_deleted() {
    matrix(&Flow {
        name: "connector delete",
        prepare: with_a_connector,
        command: |_| format!("connector delete claims-ledger --force --profile {DEPLOYER}"),
        elsewhere: false,
        done: "connector \"claims-ledger\" not found",
    });
}

/// The template stays as it was: every case works on a copy.
#[test]
fn a_copy_is_a_home_of_its_own() {
    let home = Home::new();
    onboarded(&home);
    let before = State::of(&home);
    let twin = copy(&home);
    assert_eq!(State::of(&twin), before);
    twin.must("offboard claims --sandbox --yes", 0);
    assert_eq!(State::of(&home), before);
    assert!(!Path::new(&twin.world.path("ebs.toml")).exists());
}
