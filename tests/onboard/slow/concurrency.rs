//! Two independent machines run the same command: when the first one is about to send a write, the second one runs
//! completely; once for each write (`concurrent_writers.rs` tests simultaneous starts at random moments).
//!
//! Both are the binary, with one served sandbox; a gate in front of the sandbox delays the first one's request.

use std::{
    fs::{self, File},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use axum::{Router, extract::Request, response::Response};
use http::Method;
use tower::ServiceExt as _;

use super::crash_matrix::{DEPLOYER_PROFILE, SystemState, WORKERS, onboard_with_connector, run_with_secret};
use crate::common::{Cli, CliOutput, ProvisionedState};

/// Maximum number of repetitions until the plan is empty.
const MAX_RERUNS: usize = 3;

type ConcurrentRun = Box<dyn FnOnce() -> CliOutput + Send>;

/// Gate in front of the sandbox.
struct RequestGate {
    /// Number of writes so far.
    writes: AtomicUsize,
    /// Number of the delayed write.
    held_write: usize,
    concurrent_run: Mutex<Option<ConcurrentRun>>,
    /// The delayed request, and the result of the rival.
    interception: Mutex<Option<(String, CliOutput)>>,
}

impl RequestGate {
    async fn forward(&self, sandbox: Router, request: Request) -> Response {
        let creates = request.method() == Method::POST && !request.uri().path().ends_with("/access_tokens");
        if creates && self.writes.fetch_add(1, Ordering::SeqCst) == self.held_write {
            let rival = self.concurrent_run.lock().unwrap().take();
            if let Some(rival) = rival {
                let output = tokio::task::spawn_blocking(rival).await.unwrap();
                let held = format!("{} {}", request.method(), request.uri().path());
                *self.interception.lock().unwrap() = Some((held, output));
            }
        }
        match sandbox.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// The sandbox of a home, served until it is dropped.
struct GatedSandboxServer {
    _runtime: tokio::runtime::Runtime,
    /// Registers the running server on each machine.
    _locks: Vec<File>,
}

impl GatedSandboxServer {
    fn start(cli: &Cli, machines: &[&Cli], gate: Arc<RequestGate>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let router = cli.sandbox().router();
        let app = Router::new().fallback(move |request: Request| {
            let (gate, router) = (gate.clone(), router.clone());
            async move { gate.forward(router, request).await }
        });
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0)))
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, app).await });
        let locks = machines.iter().map(|machine| {
            let folder = machine.state_dir();
            let lock = File::create(folder.join("server.lock")).unwrap();
            lock.try_lock().unwrap();
            let note = serde_json::json!({ "url": url, "pid": std::process::id() });
            fs::write(folder.join("server.json"), note.to_string()).unwrap();
            lock
        });
        let locks = locks.collect();
        Self {
            _runtime: runtime,
            _locks: locks,
        }
    }
}

struct ConcurrencyScenario {
    name: &'static str,
    prepare: fn(&Cli),
    command: fn(&Cli) -> String,
    /// Differences of both machines and the service from a run without a rival.
    check: fn(&SystemState, &SystemState, &[MachineResult]) -> Option<String>,
}

/// Final state of a machine.
struct MachineResult {
    done: bool,
    /// Delivered files, and the kinds of working keys in each.
    profiles: Vec<(String, Vec<String>)>,
}

impl MachineResult {
    fn read_from(cli: &Cli, service: &Cli, done: bool) -> Self {
        let left = ProvisionedState::read_from(&service.sandbox(), &cli.profiles_dir());
        Self {
            done,
            profiles: left.files.into_iter().collect(),
        }
    }
}

/// Repeats the command like a user, and returns its result.
fn rerun_until_done(cli: &Cli, command: &str, mut output: CliOutput) -> (bool, CliOutput) {
    for _ in 0..MAX_RERUNS {
        if output.code == Some(0) {
            return (true, output);
        }
        output = run_with_secret(cli, command);
    }
    (output.code == Some(0), output)
}

/// One case; `None` if the command sends fewer writes.
fn run_case(
    flow: &ConcurrencyScenario,
    template: &Cli,
    at: usize,
    wanted: &SystemState,
) -> Option<Result<String, String>> {
    let (first, second) = (template.duplicate(), template.duplicate());
    let second = Arc::new(second);
    let gate = Arc::new(RequestGate {
        writes: AtomicUsize::new(0),
        held_write: at,
        concurrent_run: Mutex::new(None),
        interception: Mutex::new(None),
    });
    let served = GatedSandboxServer::start(&first, &[&first, &second], gate.clone());
    let (rival, command) = (second.clone(), (flow.command)(&first));
    *gate.concurrent_run.lock().unwrap() = Some(Box::new(move || run_with_secret(&rival, &command)));
    let command = (flow.command)(&first);
    let one = run_with_secret(&first, &command);
    let (held, two) = gate.interception.lock().unwrap().take()?;
    let codes = format!("{:?} and {:?}", one.code, two.code);
    let (one_done, one) = rerun_until_done(&first, &command, one);
    let (two_done, two) = rerun_until_done(&second, &command, two);
    drop(served);
    let state = SystemState::read_from(&first);
    let machines = [
        MachineResult::read_from(&first, &first, one_done),
        MachineResult::read_from(&second, &first, two_done),
    ];
    let what = format!("at write {at} ({held}), ended with {codes}");
    Some(match (flow.check)(&state, wanted, &machines) {
        None => Ok(what),
        Some(wrong) => Err(format!("{what}: {wrong}\n--- first\n{one}\n--- second\n{two}")),
    })
}

#[expect(clippy::print_stdout, reason = "the number of cases is a part of the result")]
fn run_at_every_create(flow: &ConcurrencyScenario) {
    let template = Cli::new();
    (flow.prepare)(&template);
    let clean = template.duplicate();
    run_with_secret(&clean, &(flow.command)(&clean)).expect_success();
    let wanted = SystemState::read_from(&clean);
    let (next, cases) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(met) = run_case(flow, &template, next.fetch_add(1, Ordering::SeqCst), &wanted) {
                    cases.fetch_add(1, Ordering::SeqCst);
                    wrong.lock().unwrap().extend(met.err());
                }
            });
        }
    });
    let (wrong, cases) = (wrong.into_inner().unwrap(), cases.into_inner());
    println!("two machines: {}: {cases} cases", flow.name);
    assert!(cases > 0, "{}: nothing is created", flow.name);
    assert!(
        wrong.is_empty(),
        "{}: {} of {cases} wrong\n{}",
        flow.name,
        wrong.len(),
        wrong[..wrong.len().min(3)].join("\n")
    );
}

/// Working keys, as often as machines have them.
fn working_keys<'a>(profiles: impl IntoIterator<Item = &'a (String, Vec<String>)>) -> Vec<&'a str> {
    let kinds = profiles.into_iter().flat_map(|(_, kinds)| kinds);
    let mut held: Vec<&str> = kinds
        .map(String::as_str)
        .filter(|kind| !kind.ends_with(", dead"))
        .collect();
    held.sort_unstable();
    held
}

fn working_keys_on(machines: &[MachineResult]) -> Vec<&str> {
    working_keys(machines.iter().flat_map(|machine| &machine.profiles))
}

/// Keys of a persona, by description.
fn persona_keys<'a>(state: &'a SystemState, account: &str) -> Vec<&'a str> {
    let keys = state.keys.iter().map(String::as_str);
    keys.filter(|key| key.starts_with(account)).collect()
}

#[test]
fn concurrent_onboard_runs_leave_one_key_per_persona() {
    run_at_every_create(&ConcurrencyScenario {
        name: "onboard",
        prepare: |cli| {
            cli.run("sandbox reset --yes").expect_success();
        },
        command: |_| "onboard claims --sandbox --yes".to_owned(),
        check: |state, wanted, machines| {
            // The second machine may report that another run created a key, and must not adopt the key.
            if !machines.iter().any(|machine| machine.done) {
                return Some("neither machine is done".into());
            }
            let same = state.accounts == wanted.accounts && state.bindings == wanted.bindings;
            if !same || state.keys != wanted.keys {
                return Some(format!("{state:#?}\ninstead of {wanted:#?}"));
            }
            let (there, needed) = (working_keys_on(machines), working_keys(&wanted.profiles));
            (there != needed).then(|| format!("{there:?} are held instead of {needed:?}"))
        },
    });
}

/// Invariants for any number of keys: a machine has each, and none is unfinished.
fn unheld_keys(state: &SystemState, machines: &[MachineResult], account: &str, least: usize) -> Option<String> {
    let keys = persona_keys(state, account);
    let kind = format!("Cloud of {account}");
    let mut holders = working_keys_on(machines);
    holders.retain(|held| *held == kind);
    if keys.len() < least || keys.iter().any(|key| !key.contains("state=live")) {
        return Some(format!("keys {keys:#?}"));
    }
    // Both machines have the previous profile.
    let known = least - 1;
    (holders.len() - known != keys.len()).then(|| format!("{keys:#?} are held as {holders:?}"))
}

#[test]
fn concurrent_rotations_leave_every_new_key_with_a_holder() {
    run_at_every_create(&ConcurrencyScenario {
        name: "keys rotate",
        prepare: |cli| {
            cli.run("onboard claims fraud --sandbox --yes").expect_success();
        },
        command: |_| "keys rotate claims --persona operator --sandbox --yes".to_owned(),
        check: |state, wanted, machines| {
            if state.accounts != wanted.accounts || state.bindings != wanted.bindings {
                return Some(format!("{state:#?}\ninstead of {wanted:#?}"));
            }
            unheld_keys(state, machines, "ebs-prod-claims-operator", 2)
        },
    });
}

#[test]
fn concurrent_revocations_replace_a_leaked_key() {
    run_at_every_create(&ConcurrencyScenario {
        name: "keys revoke --now",
        prepare: |cli| {
            cli.run("onboard claims fraud --sandbox --yes").expect_success();
        },
        command: |cli| {
            let key = cli.profile_key("claims-operator").id;
            format!("keys revoke {key} --now --sandbox --yes")
        },
        check: |state, wanted, machines| {
            if state.accounts != wanted.accounts || state.bindings != wanted.bindings {
                return Some(format!("{state:#?}\ninstead of {wanted:#?}"));
            }
            // The leaked key is revoked on both, and the machine that created a new one has it.
            let account = "ebs-prod-claims-operator";
            let (keys, kind) = (persona_keys(state, account), format!("Cloud of {account}"));
            let holders = working_keys_on(machines)
                .into_iter()
                .filter(|held| *held == kind)
                .count();
            let live = keys.iter().all(|key| key.contains("state=live"));
            (keys.is_empty() || !live || holders != keys.len()).then(|| format!("{keys:#?} are held {holders} times"))
        },
    });
}

#[test]
fn concurrent_creates_leave_one_connector() {
    run_at_every_create(&ConcurrencyScenario {
        name: "connector create",
        prepare: |cli| {
            onboard_with_connector(cli);
            cli.run(&format!(
                "connector delete claims-ledger --force --profile {DEPLOYER_PROFILE}"
            ))
            .expect_success();
            cli.run("sandbox clock advance 2m").expect_success();
        },
        command: |_| {
            format!("connector create --config-file claims-ledger.json --no-wait --profile {DEPLOYER_PROFILE}")
        },
        check: |state, wanted, machines| {
            if !machines.iter().all(|machine| machine.done) {
                return Some("not done".into());
            }
            (state != wanted).then(|| format!("{state:#?}\ninstead of {wanted:#?}"))
        },
    });
}
