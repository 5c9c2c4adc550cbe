//! Two simultaneous onboardings, and interrupted ones.

use confluent_ebs::{
    apply::Journal,
    sandbox::{Fault, FaultKind, SandboxSettings},
};
use tokio_util::sync::CancellationToken;

use crate::common::{Cli, OnboardingMachine, RunOutcome};

#[test]
fn a_second_run_on_one_machine_is_refused_while_the_first_runs() {
    let cli = Cli::with_sandbox("");
    let runs = cli.state_dir().join("runs");
    let journal = Journal::open(
        &runs.join("11111111-2222-3333-4444-555555555555-prod.jsonl"),
        &confluent_ebs::redact::SecretRegistry::default(),
    )
    .unwrap();
    let output = cli.run_without_writes("onboard claims --sandbox --yes", 1);
    assert!(output.stderr.contains("another run is active"), "{output}");
    // Reads are always possible.
    cli.run("onboard claims --sandbox --dry-run").expect_success();
    drop(journal);
    cli.run("onboard claims --sandbox --yes").expect_success();
}

/// Two independent machines start at the same time.
fn run_concurrently(settings: SandboxSettings, seed: u64) -> (OnboardingMachine, OnboardingMachine) {
    let one = OnboardingMachine::new(settings);
    let two = OnboardingMachine::on_sandbox(one.sandbox.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let late = async {
            // The second one starts a little later, with a different delay each time.
            for _ in 0..seed {
                tokio::task::yield_now().await;
            }
            Box::pin(two.run(&["claims"])).await
        };
        let (first, second) = tokio::join!(one.run(&["claims"]), late);
        drop((first, second));
    });
    (one, two)
}

#[test]
fn concurrent_runs_on_two_machines_leave_one_key_per_persona() {
    let wanted = {
        let machine = OnboardingMachine::new(SandboxSettings::instant());
        machine.run_until_done(&["claims"], 2).unwrap();
        machine.provisioned_state()
    };
    for seed in [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144] {
        let (one, two) = run_concurrently(SandboxSettings::instant(), seed);
        // Unfinished runs continue one after the other; the second one may report that another run created a key.
        let first = one.run_until_done(&["claims"], 4);
        let second = two.run_until_done(&["claims"], 4);
        assert!(first.is_ok() || second.is_ok(), "{seed}: {first:?} {second:?}");
        let sandbox = &one.sandbox;
        let mut left = [one.provisioned_state(), two.provisioned_state()];
        assert_eq!(left[0].accounts, wanted.accounts, "{seed}");
        assert_eq!(left[0].bindings, wanted.bindings, "{seed}");
        assert_eq!(
            left[0].keys, wanted.keys,
            "{seed}: each persona has one key, which is live"
        );
        let [one, two] = &mut left;
        one.files.append(&mut two.files);
        one.files.retain(|name, _| !name.ends_with(".unproved"));
        assert_eq!(one.files, wanted.files, "{seed}: one machine has the key");
        drop(sandbox.journal());
    }
}

#[test]
fn the_next_run_completes_an_interrupted_run() {
    let wanted = {
        let machine = OnboardingMachine::new(SandboxSettings::instant());
        machine.run_until_done(&["claims"], 2).unwrap();
        machine.provisioned_state()
    };
    let mut machine = OnboardingMachine::new(SandboxSettings::instant());
    machine.cancel.cancel();
    let RunOutcome::NotStarted(reason) = machine.onboard(&["claims"]) else {
        panic!("an interrupted run ends cleanly");
    };
    assert_eq!(reason, "interrupted before anything was changed");
    assert!(machine.requests_since(0).iter().all(|entry| !entry.is_write()));
    machine.cancel = CancellationToken::new();
    machine.run_until_done(&["claims"], 2).unwrap();
    assert_eq!(machine.provisioned_state(), wanted);
}

#[test]
fn the_next_run_completes_a_killed_run() {
    let wanted = {
        let cli = Cli::onboarded("claims");
        cli.provisioned_state()
    };
    for (kind, at) in [("kill-before", 0), ("kill-after", 1), ("kill-after", 2)] {
        let cli = Cli::with_sandbox("");
        cli.run(&format!(
            "sandbox fault add {kind} --method POST --path /iam/v2/api-keys --skip {at}"
        ))
        .expect_success();
        let output = cli.run("onboard claims --sandbox --yes");
        assert_eq!(output.code, None, "a signal ended it\n{output}");
        cli.run("onboard claims --sandbox --yes").expect_success();
        cli.run_without_writes("onboard claims --sandbox --yes", 0);
        assert_eq!(cli.provisioned_state(), wanted, "{kind} {at}");
    }
}

#[test]
fn onboarding_survives_thirty_429_responses() {
    let cli = Cli::with_sandbox("");
    let sandbox = cli.sandbox();
    sandbox
        .add_fault(
            Fault::once(FaultKind::TooManyRequests { retry_after: 9 })
                .after_requests(20)
                .times(30),
        )
        .unwrap();
    drop(sandbox);
    cli.run("onboard claims fraud --sandbox --yes").expect_success();
    cli.run_without_writes("onboard claims fraud --sandbox --yes", 0);
}
