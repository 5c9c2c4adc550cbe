//! Two onboardings at once, and people who interrupt one.

use confluent_ebs::{
    apply::Journal,
    interrupt::Interrupt,
    sandbox::{Fault, FaultKind, Settings},
};

use crate::{
    home::Home,
    rig::{Ran, Rig},
};

#[test]
fn on_one_machine_the_second_is_told_to_wait() {
    let home = Home::new();
    home.must("sandbox reset --yes", 0);
    let runs = home.folder().join("runs");
    let journal = Journal::open(&runs.join("11111111-2222-3333-4444-555555555555-prod.jsonl")).unwrap();
    let seen = home.must_not_write("onboard claims --sandbox --yes", 1);
    assert!(seen.stderr.contains("another run is at work"), "{seen}");
    // Looking is always possible.
    home.must("onboard claims --sandbox --dry-run", 0);
    drop(journal);
    home.must("onboard claims --sandbox --yes", 0);
}

/// Two machines that know nothing of each other begin together.
fn together(settings: Settings, seed: u64) -> (Rig, Rig) {
    let one = Rig::new(settings);
    let two = Rig::on(one.sandbox.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let late = async {
            // The second one begins a little later, each time at another moment.
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
fn on_two_machines_no_key_is_made_twice() {
    let wanted = {
        let rig = Rig::new(Settings::instant());
        rig.until_done(&["claims"], 2).unwrap();
        rig.left()
    };
    for seed in [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144] {
        let (one, two) = together(Settings::instant(), seed);
        // Whoever is not done goes on, one after the other; the second one may be told that somebody else made a key.
        let first = one.until_done(&["claims"], 4);
        let second = two.until_done(&["claims"], 4);
        assert!(first.is_ok() || second.is_ok(), "{seed}: {first:?} {second:?}");
        let sandbox = &one.sandbox;
        let mut left = [one.left(), two.left()];
        assert_eq!(left[0].accounts, wanted.accounts, "{seed}");
        assert_eq!(left[0].bindings, wanted.bindings, "{seed}");
        assert_eq!(
            left[0].keys, wanted.keys,
            "{seed}: each persona has one key, which is live"
        );
        let [one, two] = &mut left;
        one.files.append(&mut two.files);
        one.files.retain(|name, _| !name.ends_with(".unproved"));
        assert_eq!(one.files, wanted.files, "{seed}: and one of them holds it");
        drop(sandbox.journal());
    }
}

#[test]
fn an_interrupted_run_is_finished_by_the_next() {
    let wanted = {
        let rig = Rig::new(Settings::instant());
        rig.until_done(&["claims"], 2).unwrap();
        rig.left()
    };
    let mut rig = Rig::new(Settings::instant());
    rig.interrupt.wish();
    let Ran::Through(ran) = rig.onboard(&["claims"]) else {
        panic!("an interrupted run ends in order");
    };
    assert_eq!(ran.1.done.len(), 0);
    assert_eq!(ran.1.not_begun, ran.0.changes.len());
    assert!(rig.requests_since(0).iter().all(|entry| !entry.is_write()));
    rig.interrupt = Interrupt::new();
    rig.until_done(&["claims"], 2).unwrap();
    assert_eq!(rig.left(), wanted);
}

#[test]
fn a_killed_process_leaves_what_the_next_one_finishes() {
    let wanted = {
        let home = Home::new();
        home.must("onboard claims --sandbox --yes", 0);
        home.left()
    };
    for (kind, at) in [("kill-before", 0), ("kill-after", 1), ("kill-after", 2)] {
        let home = Home::new();
        home.must("sandbox reset --yes", 0);
        home.must(
            &format!("sandbox fault add {kind} --method POST --path /iam/v2/api-keys --skip {at}"),
            0,
        );
        let seen = home.ebs("onboard claims --sandbox --yes");
        assert_eq!(seen.code, None, "a signal ended it\n{seen}");
        home.must("onboard claims --sandbox --yes", 0);
        home.must_not_write("onboard claims --sandbox --yes", 0);
        assert_eq!(home.left(), wanted, "{kind} {at}");
    }
}

#[test]
fn a_storm_of_refusals_passes() {
    let home = Home::new();
    home.must("sandbox reset --yes", 0);
    let sandbox = home.sandbox();
    sandbox
        .add_fault(
            Fault::once(FaultKind::TooManyRequests { retry_after: 9 })
                .skipping(20)
                .times(30),
        )
        .unwrap();
    drop(sandbox);
    home.must("onboard claims fraud --sandbox --yes", 0);
    home.must_not_write("onboard claims fraud --sandbox --yes", 0);
}
