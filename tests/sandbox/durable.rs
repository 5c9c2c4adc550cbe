//! State in a folder: kept, shared, never half-written, and only its owner's.

use std::{io::Write, path::Path, time::Duration};

use confluent_ebs::sandbox::{Fault, FaultKind, Sandbox, SandboxError, Seed, Settings, Timing};
use serde_json::json;

use crate::harness::{Harness, Login};

fn open(dir: &Path) -> Harness {
    Harness::around(Sandbox::open(dir, Seed::default(), None).unwrap(), Seed::default())
}

#[tokio::test]
async fn everything_is_there_again_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (account, key, entries) = {
        let world = open(dir.path());
        let account = world.account("claims").await;
        world
            .bind(
                &account,
                "DeveloperRead",
                &format!("{}/connector=claims-*", world.cluster_crn()),
            )
            .await;
        let key = world.make_key(&account, "cloud").await;
        world
            .sandbox
            .add_fault(Fault::once(FaultKind::ServerError).on("DELETE", "/**"))
            .unwrap();
        world.sandbox.advance(Duration::from_hours(1)).unwrap();
        world.sandbox.set_settings(Settings::real()).unwrap();
        (account, key, world.sandbox.journal().unwrap())
    };
    let world = open(dir.path());
    assert_eq!(world.sandbox.settings().unwrap().timing, Timing::Real);
    assert_eq!(world.sandbox.faults().unwrap().len(), 1);
    assert_eq!(world.sandbox.journal().unwrap(), entries);
    let ahead = world.sandbox.now().unwrap().duration_since(jiff::Timestamp::now());
    assert!(ahead.as_secs() > 3_500, "the clock goes on where it was: {ahead}");
    world.get(&key, "/org/v2/environments/env-prod1").await.expect(200);
    world
        .get(&key, &format!("/iam/v2/service-accounts/{account}"))
        .await
        .expect(200);
    // The seeded secrets are found again, though only their digests are stored.
    world.get(&world.admin, "/org/v2/environments").await.expect(200);
}

#[tokio::test]
async fn no_secret_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let world = open(dir.path());
    let account = world.account("claims").await;
    let mut secrets: Vec<String> = Vec::new();
    for login in [
        world.make_key(&account, "cloud").await,
        world.admin.clone(),
        world.provisioner.clone(),
    ] {
        let Login::Key(_, secret) = login else { unreachable!() };
        secrets.push(secret);
    }
    let connectors = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connectors";
    let Login::Key(key, secret) = world.make_key(&account, "lkc-prod1").await else {
        unreachable!()
    };
    let config = json!({ "connector.class": "DatagenSource", "kafka.api.key": key, "kafka.api.secret": secret,
        "kafka.topic": "claims-x", "tasks.max": "1", "connection.password": "canary-two" });
    let body = json!({ "name": "claims-x", "config": config });
    world.post(&world.admin, connectors, body).await.expect(201);
    secrets.extend([secret, "canary-two".into()]);
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()));
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_look_into_the_folder() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let inside = dir.path().join("deep/sandbox");
    let world = open(&inside);
    world.account("claims").await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inside), 0o700);
    for entry in std::fs::read_dir(&inside).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn half_a_line_at_the_end_is_dropped_and_work_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).account("claims").await;
    let path = dir.path().join("state.jsonl");
    let whole = std::fs::read(&path).unwrap();
    for tear in ["{\"ahead\":0,\"chan", "{\"ahead\":0,\"changes\":[{\"acc\n"] {
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(tear.as_bytes()).unwrap();
        drop(file);
        let world = open(dir.path());
        assert_eq!(world.sandbox.accounts().unwrap().len(), 2);
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }
    // The same while a process has the folder open.
    let world = open(dir.path());
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"ahe").unwrap();
    world.account("fraud").await;
    assert_eq!(open(dir.path()).sandbox.accounts().unwrap().len(), 3);
    // Damage in the middle is no torn end: it is said, not swallowed.
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    lines[1] = "nonsense";
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    let error = Sandbox::open(dir.path(), Seed::default(), None).unwrap_err();
    assert!(matches!(error, SandboxError::Folder { .. }), "{error}");
}

#[tokio::test]
async fn two_processes_on_one_folder_take_turns() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open(dir.path()), open(dir.path()));
    let account = one.account("claims").await;
    two.get(&two.provisioner, &format!("/iam/v2/service-accounts/{account}"))
        .await
        .expect(200);
    let body = json!({ "display_name": "claims" });
    two.post(&two.provisioner, "/iam/v2/service-accounts", body)
        .await
        .expect(409);
    two.sandbox.advance(Duration::from_mins(1)).unwrap();
    assert!(one.sandbox.now().unwrap() >= two.sandbox.now().unwrap() - jiff::SignedDuration::from_secs(1));

    // Many at once, from threads: every request is there, and nothing twice.
    std::thread::scope(|scope| {
        for (worker, world) in [&one, &two, &one, &two].into_iter().enumerate() {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    for number in 0..10 {
                        world.account(&format!("account-{worker}-{number}")).await;
                    }
                });
            });
        }
    });
    assert_eq!(one.sandbox.accounts().unwrap().len(), 42);
    let journal = two.sandbox.journal().unwrap();
    let mut numbers: Vec<_> = journal.iter().map(|entry| entry.seq).collect();
    let count = numbers.len();
    assert!(numbers.is_sorted());
    numbers.dedup();
    assert_eq!(numbers.len(), count);
    assert_eq!(count, 43);
}

#[tokio::test]
async fn a_long_log_becomes_a_snapshot_and_others_notice() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open(dir.path()), open(dir.path()));
    let account = one.account("claims").await;
    two.sandbox.accounts().unwrap();
    let path = dir.path().join("state.jsonl");
    let before = std::fs::read(&path).unwrap()[..30].to_vec();
    let long = "x".repeat(100);
    for number in 0..3_500_usize {
        let description = format!("{long}{number}");
        let body = json!({ "description": description });
        let target = format!("/iam/v2/service-accounts/{account}");
        one.send(&one.admin, "PATCH", &target, Some(body)).await.expect(200);
    }
    assert_ne!(std::fs::read(&path).unwrap()[..30].to_vec(), before, "a new snapshot");
    assert!(std::fs::metadata(&path).unwrap().len() < 2 << 20);
    let journal = two.sandbox.journal().unwrap();
    assert_eq!(journal.len(), 3_501, "the journal survives the snapshot");
    assert!(journal.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq));
    let seen = two
        .get(&two.admin, &format!("/iam/v2/service-accounts/{account}"))
        .await;
    assert!(seen.text("/description").ends_with("x3499"));
}

#[tokio::test]
async fn a_reset_seeds_again_with_the_same_keys() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open(dir.path()), open(dir.path()));
    one.account("claims").await;
    two.sandbox.reset(None, None).unwrap();
    assert_eq!(one.sandbox.accounts().unwrap().len(), 1);
    assert_eq!(one.sandbox.journal().unwrap().len(), 0);
    one.get(&one.admin, "/org/v2/environments").await.expect(200);
}

#[tokio::test]
async fn a_seed_that_has_grown_adds_its_places_and_one_of_another_organization_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).account("claims").await;
    let mut seed = Seed::default();
    let mut stage = seed.stages[1].clone();
    stage.name = "dev".into();
    stage.address.environment = "env-dev1".parse().unwrap();
    stage.address.cluster = "lkc-dev1".parse().unwrap();
    stage.address.schema_registry = None;
    seed.stages.push(stage);
    let world = Harness::around(Sandbox::open(dir.path(), seed.clone(), None).unwrap(), seed);
    assert_eq!(world.sandbox.accounts().unwrap().len(), 2, "nothing is lost");
    world
        .get(&world.provisioner, "/cmk/v2/clusters/lkc-dev1?environment=env-dev1")
        .await
        .expect(200);

    let mut other = Seed {
        organization: "22222222-2222-3333-4444-555555555555".parse().unwrap(),
        ..Seed::default()
    };
    for stage in &mut other.stages {
        stage.address.organization = other.organization.clone();
    }
    let error = Sandbox::open(dir.path(), other, None).unwrap_err();
    assert!(matches!(error, SandboxError::OtherOrganization { .. }));
}

#[test]
fn seeds_and_settings_that_make_no_sense_are_refused() {
    let empty = Seed {
        stages: Vec::new(),
        ..Seed::default()
    };
    assert!(matches!(
        Sandbox::in_memory(empty, Settings::instant()),
        Err(SandboxError::Seed(_))
    ));
    let mut lost = Seed::default();
    lost.clusters[0].environment = "env-nowhere".parse().unwrap();
    assert!(matches!(
        Sandbox::in_memory(lost, Settings::instant()),
        Err(SandboxError::Seed(_))
    ));
    let settings = Settings {
        page_size_cap: Some(0),
        ..Settings::instant()
    };
    assert!(matches!(
        Sandbox::in_memory(Seed::default(), settings),
        Err(SandboxError::Setting(_))
    ));
}
