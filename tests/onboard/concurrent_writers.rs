//! Two simultaneous onboardings, and interrupted ones.

use confluent_ebs::{
    apply::Journal,
    sandbox::{Fault, FaultKind, SandboxSettings},
};
use tokio_util::sync::CancellationToken;

use crate::{
    onboarding_fixture::{OnboardingFixture, RunOutcome},
    sandbox_cli_fixture::SandboxCliFixture,
};

#[test]
fn a_second_run_on_one_machine_is_refused_while_the_first_runs() {
    let fixture = SandboxCliFixture::new();
    fixture.run_expecting("sandbox reset --yes", 0);
    let runs = fixture.state_dir().join("runs");
    let journal = Journal::open(&runs.join("11111111-2222-3333-4444-555555555555-prod.jsonl")).unwrap();
    let output = fixture.run_without_writes("onboard claims --sandbox --yes", 1);
    assert!(output.stderr.contains("another run is active"), "{output}");
    // Reads are always possible.
    fixture.run_expecting("onboard claims --sandbox --dry-run", 0);
    drop(journal);
    fixture.run_expecting("onboard claims --sandbox --yes", 0);
}

/// Two independent machines start at the same time.
fn run_concurrently(settings: SandboxSettings, seed: u64) -> (OnboardingFixture, OnboardingFixture) {
    let one = OnboardingFixture::new(settings);
    let two = OnboardingFixture::on_sandbox(one.sandbox.clone());
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
        let fixture = OnboardingFixture::new(SandboxSettings::instant());
        fixture.run_until_done(&["claims"], 2).unwrap();
        fixture.provisioned_state()
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
        let fixture = OnboardingFixture::new(SandboxSettings::instant());
        fixture.run_until_done(&["claims"], 2).unwrap();
        fixture.provisioned_state()
    };
    let mut fixture = OnboardingFixture::new(SandboxSettings::instant());
    fixture.interrupt.cancel();
    let RunOutcome::Finished(ran) = fixture.onboard(&["claims"]) else {
        panic!("an interrupted run ends cleanly");
    };
    assert_eq!(ran.1.done.len(), 0);
    assert_eq!(ran.1.not_started, ran.0.changes.len());
    assert!(fixture.requests_since(0).iter().all(|entry| !entry.is_write()));
    fixture.interrupt = CancellationToken::new();
    fixture.run_until_done(&["claims"], 2).unwrap();
    assert_eq!(fixture.provisioned_state(), wanted);
}

#[test]
fn the_next_run_completes_a_killed_run() {
    let wanted = {
        let fixture = SandboxCliFixture::new();
        fixture.run_expecting("onboard claims --sandbox --yes", 0);
        fixture.provisioned_state()
    };
    for (kind, at) in [("kill-before", 0), ("kill-after", 1), ("kill-after", 2)] {
        let fixture = SandboxCliFixture::new();
        fixture.run_expecting("sandbox reset --yes", 0);
        fixture.run_expecting(
            &format!("sandbox fault add {kind} --method POST --path /iam/v2/api-keys --skip {at}"),
            0,
        );
        let output = fixture.run("onboard claims --sandbox --yes");
        assert_eq!(output.code, None, "a signal ended it\n{output}");
        fixture.run_expecting("onboard claims --sandbox --yes", 0);
        fixture.run_without_writes("onboard claims --sandbox --yes", 0);
        assert_eq!(fixture.provisioned_state(), wanted, "{kind} {at}");
    }
}

#[test]
fn onboarding_survives_thirty_429_responses() {
    let fixture = SandboxCliFixture::new();
    fixture.run_expecting("sandbox reset --yes", 0);
    let sandbox = fixture.sandbox();
    sandbox
        .add_fault(
            Fault::once(FaultKind::TooManyRequests { retry_after: 9 })
                .after_requests(20)
                .times(30),
        )
        .unwrap();
    drop(sandbox);
    fixture.run_expecting("onboard claims fraud --sandbox --yes", 0);
    fixture.run_without_writes("onboard claims fraud --sandbox --yes", 0);
}
