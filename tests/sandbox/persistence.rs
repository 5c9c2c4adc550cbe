//! State in a folder: persistent, shared, never partially written, and readable by its owner only.

use std::{io::Write, path::Path, time::Duration};

use confluent_ebs::sandbox::{Fault, FaultKind, Sandbox, SandboxError, SandboxSettings, Seed, Timing};
use serde_json::json;

use crate::common::{Caller, SandboxServer};

fn open_sandbox(dir: &Path) -> SandboxServer {
    SandboxServer::from_sandbox(Sandbox::open(dir, Seed::default(), None).unwrap(), Seed::default())
}

#[tokio::test]
async fn all_state_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (account, key, entries) = {
        let api = open_sandbox(dir.path());
        let account = api.create_account("claims").await;
        api.bind(
            &account,
            "DeveloperRead",
            &format!("{}/connector=claims-*", api.cluster_crn()),
        )
        .await;
        let key = api.create_key(&account, "cloud").await;
        api.sandbox
            .add_fault(Fault::once(FaultKind::ServerError).for_requests("DELETE", "/**"))
            .unwrap();
        api.sandbox.advance(Duration::from_hours(1)).unwrap();
        api.sandbox.set_settings(SandboxSettings::real()).unwrap();
        (account, key, api.sandbox.journal().unwrap())
    };
    let api = open_sandbox(dir.path());
    assert_eq!(api.sandbox.settings().unwrap().timing, Timing::Real);
    assert_eq!(api.sandbox.faults().unwrap().len(), 1);
    assert_eq!(api.sandbox.journal().unwrap(), entries);
    let ahead = api.sandbox.now().unwrap().duration_since(jiff::Timestamp::now());
    assert!(ahead.as_secs() > 3_500, "the clock continues: {ahead}");
    api.get(&key, "/org/v2/environments/env-prod1").await.expect_status(200);
    api.get(&key, &format!("/iam/v2/service-accounts/{account}"))
        .await
        .expect_status(200);
    // The seeded secrets are known, although only their digests are stored.
    api.get(&api.admin, "/org/v2/environments").await.expect_status(200);
}

#[tokio::test]
async fn no_secret_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let api = open_sandbox(dir.path());
    let account = api.create_account("claims").await;
    let mut secrets: Vec<String> = Vec::new();
    for login in [
        api.create_key(&account, "cloud").await,
        api.admin.clone(),
        api.provisioner.clone(),
    ] {
        let Caller::ApiKey(_, secret) = login else {
            unreachable!()
        };
        secrets.push(secret);
    }
    let connectors = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connectors";
    let Caller::ApiKey(key, secret) = api.create_key(&account, "lkc-prod1").await else {
        unreachable!()
    };
    let config = json!({ "connector.class": "DatagenSource", "kafka.api.key": key, "kafka.api.secret": secret,
        "kafka.topic": "claims-x", "tasks.max": "1", "connection.password": "canary-two" });
    let body = json!({ "name": "claims-x", "config": config });
    api.post(&api.admin, connectors, body).await.expect_status(201);
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
async fn the_state_folder_is_readable_only_by_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let inside = dir.path().join("deep/sandbox");
    let api = open_sandbox(&inside);
    api.create_account("claims").await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inside), 0o700);
    for entry in std::fs::read_dir(&inside).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn a_truncated_last_log_line_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    open_sandbox(dir.path()).create_account("claims").await;
    let path = dir.path().join("state.jsonl");
    let whole = std::fs::read(&path).unwrap();
    for tear in ["{\"ahead\":0,\"chan", "{\"ahead\":0,\"changes\":[{\"acc\n"] {
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(tear.as_bytes()).unwrap();
        drop(file);
        let api = open_sandbox(dir.path());
        assert_eq!(api.sandbox.accounts().unwrap().len(), 2);
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }
    // The same while another process uses the folder.
    let api = open_sandbox(dir.path());
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"ahe").unwrap();
    api.create_account("fraud").await;
    assert_eq!(open_sandbox(dir.path()).sandbox.accounts().unwrap().len(), 3);
    // Damage in the middle is not an incomplete last line: it is an error.
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    lines[1] = "nonsense";
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    let error = Sandbox::open(dir.path(), Seed::default(), None).unwrap_err();
    assert!(matches!(error, SandboxError::Folder { .. }), "{error}");
}

#[tokio::test]
async fn two_processes_on_one_folder_see_each_others_changes() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open_sandbox(dir.path()), open_sandbox(dir.path()));
    let account = one.create_account("claims").await;
    two.get(&two.provisioner, &format!("/iam/v2/service-accounts/{account}"))
        .await
        .expect_status(200);
    let body = json!({ "display_name": "claims" });
    two.post(&two.provisioner, "/iam/v2/service-accounts", body)
        .await
        .expect_status(409);
    two.sandbox.advance(Duration::from_mins(1)).unwrap();
    assert!(one.sandbox.now().unwrap() >= two.sandbox.now().unwrap() - jiff::SignedDuration::from_secs(1));

    // Concurrent writes of threads: every request is stored exactly once.
    std::thread::scope(|scope| {
        for (worker, api) in [&one, &two, &one, &two].into_iter().enumerate() {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    for number in 0..10 {
                        api.create_account(&format!("account-{worker}-{number}")).await;
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
async fn a_long_log_is_compacted_and_other_processes_reload_it() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open_sandbox(dir.path()), open_sandbox(dir.path()));
    let account = one.create_account("claims").await;
    two.sandbox.accounts().unwrap();
    let path = dir.path().join("state.jsonl");
    let before = std::fs::read(&path).unwrap()[..30].to_vec();
    let long = "x".repeat(100);
    for number in 0..3_500_usize {
        let description = format!("{long}{number}");
        let body = json!({ "description": description });
        let target = format!("/iam/v2/service-accounts/{account}");
        one.send(&one.admin, "PATCH", &target, Some(body))
            .await
            .expect_status(200);
    }
    assert_ne!(std::fs::read(&path).unwrap()[..30].to_vec(), before, "a new snapshot");
    assert!(std::fs::metadata(&path).unwrap().len() < 2 << 20);
    let journal = two.sandbox.journal().unwrap();
    assert_eq!(journal.len(), 3_501, "the journal survives the snapshot");
    assert!(journal.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq));
    let seen = two
        .get(&two.admin, &format!("/iam/v2/service-accounts/{account}"))
        .await;
    assert!(seen.string_at("/description").ends_with("x3499"));
}

#[tokio::test]
async fn a_reset_restores_the_seed_with_the_same_keys() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open_sandbox(dir.path()), open_sandbox(dir.path()));
    one.create_account("claims").await;
    two.sandbox.reset(None, None).unwrap();
    assert_eq!(one.sandbox.accounts().unwrap().len(), 1);
    assert_eq!(one.sandbox.journal().unwrap().len(), 0);
    one.get(&one.admin, "/org/v2/environments").await.expect_status(200);
}

#[tokio::test]
async fn a_larger_seed_adds_stages_and_another_organization_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    open_sandbox(dir.path()).create_account("claims").await;
    let mut seed = Seed::default();
    let mut stage = seed.stages[1].clone();
    stage.name = "dev".into();
    stage.address.environment = "env-dev1".parse().unwrap();
    stage.address.cluster = "lkc-dev1".parse().unwrap();
    stage.address.schema_registry = None;
    seed.stages.push(stage);
    let api = SandboxServer::from_sandbox(Sandbox::open(dir.path(), seed.clone(), None).unwrap(), seed);
    assert_eq!(api.sandbox.accounts().unwrap().len(), 2, "nothing is lost");
    api.get(&api.provisioner, "/cmk/v2/clusters/lkc-dev1?environment=env-dev1")
        .await
        .expect_status(200);

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
fn invalid_seeds_and_settings_are_refused() {
    let empty = Seed {
        stages: Vec::new(),
        ..Seed::default()
    };
    assert!(matches!(
        Sandbox::in_memory(empty, SandboxSettings::instant()),
        Err(SandboxError::Seed(_))
    ));
    let mut lost = Seed::default();
    lost.clusters[0].environment = "env-nowhere".parse().unwrap();
    assert!(matches!(
        Sandbox::in_memory(lost, SandboxSettings::instant()),
        Err(SandboxError::Seed(_))
    ));
    let settings = SandboxSettings {
        page_size_cap: Some(0),
        ..SandboxSettings::instant()
    };
    assert!(matches!(
        Sandbox::in_memory(Seed::default(), settings),
        Err(SandboxError::Setting(_))
    ));
}
