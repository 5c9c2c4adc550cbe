//! Two machines that know nothing of each other run the same command: the second one from beginning to end at the very moment at
//! which the first one is about to create something, at each such moment once (rivals that merely start together meet only
//! where chance takes them: `rivals.rs`).
//!
//! Both are the binary, on one served sandbox; in front of it stands a gate that holds the first one's request back.

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

use crate::{
    common::Seen,
    crash::{DEPLOYER, State, WORKERS, copy, run, with_a_connector},
    home::Home,
};

/// How often a command may have to be repeated until nothing is left to do.
const REPEATS: usize = 3;

type Rival = Box<dyn FnOnce() -> Seen + Send>;

/// What stands in front of the sandbox.
struct Gate {
    /// Writes so far.
    writes: AtomicUsize,
    /// Which write is held back.
    at: usize,
    rival: Mutex<Option<Rival>>,
    /// The request that was held back, and how the rival ended.
    met: Mutex<Option<(String, Seen)>>,
}

impl Gate {
    async fn pass(&self, sandbox: Router, request: Request) -> Response {
        let creates = request.method() == Method::POST && !request.uri().path().ends_with("/access_tokens");
        if creates && self.writes.fetch_add(1, Ordering::SeqCst) == self.at {
            let rival = self.rival.lock().unwrap().take();
            if let Some(rival) = rival {
                let seen = tokio::task::spawn_blocking(rival).await.unwrap();
                let held = format!("{} {}", request.method(), request.uri().path());
                *self.met.lock().unwrap() = Some((held, seen));
            }
        }
        match sandbox.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// The sandbox of a home, served until it is dropped.
struct Served {
    _runtime: tokio::runtime::Runtime,
    /// Says on each machine that a server runs.
    _locks: Vec<File>,
}

impl Served {
    fn begin(home: &Home, machines: &[&Home], gate: Arc<Gate>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let router = home.sandbox().router();
        let app = Router::new().fallback(move |request: Request| {
            let (gate, router) = (gate.clone(), router.clone());
            async move { gate.pass(router, request).await }
        });
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0)))
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, app).await });
        let locks = machines.iter().map(|machine| {
            let folder = machine.folder();
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

struct Flow {
    name: &'static str,
    prepare: fn(&Home),
    command: fn(&Home) -> String,
    /// What is wrong with how both machines and the service were left, compared with one undisturbed run.
    judge: fn(&State, &State, &[Machine]) -> Option<String>,
}

/// How a machine was left.
struct Machine {
    done: bool,
    /// Files of the hand-over, and the kinds of keys in each that really work.
    profiles: Vec<(String, Vec<String>)>,
}

impl Machine {
    fn of(home: &Home, service: &Home, done: bool) -> Self {
        let left = crate::rig::Left::of(&service.sandbox(), &home.folder().join("handover"));
        Self {
            done,
            profiles: left.files.into_iter().collect(),
        }
    }
}

/// Repeats the command as a person would, and says how it ended.
fn until_done(home: &Home, command: &str, mut seen: Seen) -> (bool, Seen) {
    for _ in 0..REPEATS {
        if seen.code == Some(0) {
            return (true, seen);
        }
        seen = run(home, command);
    }
    (seen.code == Some(0), seen)
}

/// One case; `None` when the command makes no so many writes.
fn meet(flow: &Flow, template: &Home, at: usize, wanted: &State) -> Option<Result<String, String>> {
    let (first, second) = (copy(template), copy(template));
    let second = Arc::new(second);
    let gate = Arc::new(Gate {
        writes: AtomicUsize::new(0),
        at,
        rival: Mutex::new(None),
        met: Mutex::new(None),
    });
    let served = Served::begin(&first, &[&first, &second], gate.clone());
    let (rival, command) = (second.clone(), (flow.command)(&first));
    *gate.rival.lock().unwrap() = Some(Box::new(move || run(&rival, &command)));
    let command = (flow.command)(&first);
    let one = run(&first, &command);
    let (held, two) = gate.met.lock().unwrap().take()?;
    let codes = format!("{:?} and {:?}", one.code, two.code);
    let (one_done, one) = until_done(&first, &command, one);
    let (two_done, two) = until_done(&second, &command, two);
    drop(served);
    let state = State::of(&first);
    let machines = [
        Machine::of(&first, &first, one_done),
        Machine::of(&second, &first, two_done),
    ];
    let what = format!("at write {at} ({held}), ended with {codes}");
    Some(match (flow.judge)(&state, wanted, &machines) {
        None => Ok(what),
        Some(wrong) => Err(format!("{what}: {wrong}\n--- first\n{one}\n--- second\n{two}")),
    })
}

#[expect(clippy::print_stdout, reason = "how many cases there were is a part of the result")]
fn everywhere(flow: &Flow) {
    let template = Home::new();
    (flow.prepare)(&template);
    let clean = copy(&template);
    let seen = run(&clean, &(flow.command)(&clean));
    assert_eq!(seen.code, Some(0), "{}\n{seen}", flow.name);
    let wanted = State::of(&clean);
    let (next, cases) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(met) = meet(flow, &template, next.fetch_add(1, Ordering::SeqCst), &wanted) {
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

/// The keys that work, as many times as some machine holds them.
fn held<'a>(profiles: impl IntoIterator<Item = &'a (String, Vec<String>)>) -> Vec<&'a str> {
    let kinds = profiles.into_iter().flat_map(|(_, kinds)| kinds);
    let mut held: Vec<&str> = kinds
        .map(String::as_str)
        .filter(|kind| !kind.ends_with(", dead"))
        .collect();
    held.sort_unstable();
    held
}

fn held_by(machines: &[Machine]) -> Vec<&str> {
    held(machines.iter().flat_map(|machine| &machine.profiles))
}

/// The keys of a persona, by what each says.
fn keys_of<'a>(state: &'a State, account: &str) -> Vec<&'a str> {
    let keys = state.keys.iter().map(String::as_str);
    keys.filter(|key| key.starts_with(account)).collect()
}

#[test]
fn a_department_is_onboarded() {
    everywhere(&Flow {
        name: "onboard",
        prepare: |home| {
            home.must("sandbox reset --yes", 0);
        },
        command: |_| "onboard claims --sandbox --yes".to_owned(),
        judge: |state, wanted, machines| {
            // Whoever comes second may be told that somebody else made a key, and must not take it over.
            if !machines.iter().any(|machine| machine.done) {
                return Some("nobody is done".into());
            }
            let same = state.accounts == wanted.accounts && state.bindings == wanted.bindings;
            if !same || state.keys != wanted.keys {
                return Some(format!("{state:#?}\ninstead of {wanted:#?}"));
            }
            let (there, needed) = (held_by(machines), held(&wanted.profiles));
            (there != needed).then(|| format!("{there:?} are held instead of {needed:?}"))
        },
    });
}

/// What is true of keys however many were made: each is held by a machine, and none was left half-made.
fn keys_are_held(state: &State, machines: &[Machine], account: &str, least: usize) -> Option<String> {
    let keys = keys_of(state, account);
    let kind = format!("Cloud of {account}");
    let mut holders = held_by(machines);
    holders.retain(|held| *held == kind);
    if keys.len() < least || keys.iter().any(|key| !key.contains("state=live")) {
        return Some(format!("keys {keys:#?}"));
    }
    // The profile of before is on both machines.
    let known = least - 1;
    (holders.len() - known != keys.len()).then(|| format!("{keys:#?} are held as {holders:?}"))
}

#[test]
fn a_rotation_begins() {
    everywhere(&Flow {
        name: "keys rotate",
        prepare: |home| {
            home.must("onboard claims fraud --sandbox --yes", 0);
        },
        command: |_| "keys rotate claims --persona operator --sandbox --yes".to_owned(),
        judge: |state, wanted, machines| {
            if state.accounts != wanted.accounts || state.bindings != wanted.bindings {
                return Some(format!("{state:#?}\ninstead of {wanted:#?}"));
            }
            keys_are_held(state, machines, "ebs-prod-claims-operator", 2)
        },
    });
}

#[test]
fn a_leaked_key_is_replaced() {
    everywhere(&Flow {
        name: "keys revoke --now",
        prepare: |home| {
            home.must("onboard claims fraud --sandbox --yes", 0);
        },
        command: |home| {
            let key = home.key("claims-operator").id;
            format!("keys revoke {key} --now --sandbox --yes")
        },
        judge: |state, wanted, machines| {
            if state.accounts != wanted.accounts || state.bindings != wanted.bindings {
                return Some(format!("{state:#?}\ninstead of {wanted:#?}"));
            }
            // The leaked one is dead on both, and whoever made a new one holds it.
            let account = "ebs-prod-claims-operator";
            let (keys, kind) = (keys_of(state, account), format!("Cloud of {account}"));
            let holders = held_by(machines).into_iter().filter(|held| *held == kind).count();
            let live = keys.iter().all(|key| key.contains("state=live"));
            (keys.is_empty() || !live || holders != keys.len()).then(|| format!("{keys:#?} are held {holders} times"))
        },
    });
}

#[test]
fn a_connector_is_created() {
    everywhere(&Flow {
        name: "connector create",
        prepare: |home| {
            with_a_connector(home);
            home.must(
                &format!("connector delete claims-ledger --force --profile {DEPLOYER}"),
                0,
            );
            home.must("sandbox clock advance 2m", 0);
        },
        command: |_| format!("connector create --config-file claims-ledger.json --no-wait --profile {DEPLOYER}"),
        judge: |state, wanted, machines| {
            if !machines.iter().all(|machine| machine.done) {
                return Some("not done".into());
            }
            (state != wanted).then(|| format!("{state:#?}\ninstead of {wanted:#?}"))
        },
    });
}
