//! The operations of the platform team as library functions, without the commands.

use std::{cell::RefCell, collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use confluent_ebs::{
    apply::{EventListener, RunEvent, event::Reporter},
    clock::Clock,
    config::{Profile, StandardDirs},
    connectors::BackupPolicy,
    env,
    provisioning::{
        ConfirmationRequest, DepartmentSelection, ProvisioningOptions,
        audit::{AuditInput, RemovalMode, audit_access},
        keys::{KeysListInput, RotateInput, list_keys, rotate_keys},
        offboarding::{ConnectorRemoval, OffboardInput, OffboardOutcome, RemovedKeyState, offboard},
        onboarding::{OnboardInput, OnboardOutcome, onboard},
    },
    resources::api_key::ApiKeyStatus,
    sandbox::Sandbox,
    session::{Environment, Options, PlatformSession, RunContext},
};

use crate::common::{EBS_TOML, example_seed, sandbox_start};

/// Cancels the run when it begins to test the deleted keys.
struct CancelAtProof(CancellationToken);

impl EventListener for CancelAtProof {
    fn on_event(&self, event: &RunEvent) {
        if matches!(event, RunEvent::Phase { name: "Prove", .. }) {
            self.0.cancel();
        }
    }
}

impl Reporter for CancelAtProof {
    fn start_progress(&self) -> Arc<dyn EventListener> {
        Arc::new(Self(self.0.clone()))
    }
}

#[tokio::test]
async fn the_wait_for_deleted_keys_ends_on_cancellation_or_after_the_propagation_time_of_one_key() {
    let home = tempfile::tempdir().unwrap();
    let mut run = sandbox_run(home.path());
    let session = PlatformSession::open(&run, 4).unwrap();
    onboard(&run, &session, onboard_input(), &|_| Ok(true)).await.unwrap();
    // Two further profiles of the department hold keys that keep working.
    let folder = &session.state_paths.profiles;
    let sandbox = Sandbox::open_at(folder.parent().unwrap(), example_seed(), None, Some(sandbox_start())).unwrap();
    let info = sandbox.info(true).unwrap();
    let living = [
        (info.provisioner_key, info.provisioner_secret.unwrap()),
        (info.admin_key, info.admin_secret.unwrap()),
    ];
    let own = folder.join("claims-operator.toml");
    let text = std::fs::read_to_string(&own).unwrap();
    let (_, keys, _) = Profile::parse(&own, text.clone(), &[]);
    let key = keys.cloud.unwrap();
    for (number, (id, secret)) in living.iter().enumerate() {
        let text = text.replace(key.id.as_str(), id).replace(key.secret.expose(), secret);
        std::fs::write(folder.join(format!("claims-operator.{number}.toml")), text).unwrap();
    }
    let states = |removed: &OffboardOutcome| -> Vec<RemovedKeyState> {
        let proof = removed.proof.as_ref().unwrap();
        let is_living = |id: &str| living.iter().any(|(known, _)| known == id);
        let keys = proof.keys.iter().filter(|key| is_living(key.api_key.as_str()));
        keys.map(|key| key.state).collect()
    };
    let started = session.clock.now();
    let cancel = run.cancel.clone();
    run.reporter = Arc::new(CancelAtProof(cancel));
    let removed = offboard(&run, &session, offboard_input(), &|_| Ok(true))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(states(&removed), [RemovedKeyState::StillAccepted; 2]);
    assert!(removed.error().is_some());
    assert!(session.clock.elapsed_since(started) < Duration::from_mins(1));

    let run = sandbox_run(home.path());
    let started = session.clock.now();
    let removed = offboard(&run, &session, offboard_input(), &|_| Ok(true))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(states(&removed), [RemovedKeyState::StillAccepted; 2]);
    let waited = session.clock.elapsed_since(started);
    assert!(
        waited > Duration::from_mins(5) && waited < Duration::from_mins(7),
        "{waited:?}"
    );
}

/// A run that uses the sandbox in `home`.
fn sandbox_run(home: &Path) -> RunContext {
    let start = (env::CONFLUENT_EBS_SANDBOX_START.to_owned(), sandbox_start().to_string());
    RunContext {
        environment: Arc::new(Environment {
            variables: BTreeMap::from([start]),
            working_dir: Some(home.to_owned()),
            dirs: Ok(StandardDirs::with_roots(home.join("state"), home.join("config"))),
            home: Some(home.to_owned()),
            executable: None,
            clock: Clock::system(),
            secrets: confluent_ebs::redact::SecretRegistry::default(),
        }),
        options: Options {
            sandbox: true,
            ..Options::default()
        },
        reporter: Arc::new(()),
        cancel: CancellationToken::new(),
    }
}

fn claims() -> DepartmentSelection {
    DepartmentSelection::Codes(vec!["claims".parse().unwrap()])
}

fn onboard_input() -> OnboardInput {
    OnboardInput {
        departments: claims(),
        options: ProvisioningOptions::default(),
        prune: false,
        dry_run: false,
        show_secrets: false,
        concurrency: 4,
    }
}

fn offboard_input() -> OffboardInput {
    OffboardInput {
        department: "claims".parse().unwrap(),
        connectors: ConnectorRemoval {
            delete: false,
            backup: BackupPolicy {
                enabled: true,
                dir: None,
            },
        },
        remove_foreign: false,
        dry_run: false,
        concurrency: 4,
        options: ProvisioningOptions::default(),
    }
}

#[tokio::test]
async fn a_run_against_the_service_retires_the_department_in_its_file_with_the_last_stage() {
    let home = tempfile::tempdir().unwrap();
    let file = |text: &str| {
        std::fs::create_dir_all(home.path().join("departments")).unwrap();
        std::fs::write(home.path().join("departments/claims.toml"), text).unwrap();
    };
    let read = || std::fs::read_to_string(home.path().join("departments/claims.toml")).unwrap();
    std::fs::write(
        home.path().join("ebs.toml"),
        format!("{EBS_TOML}[stages.test]\nenvironment = \"env-test01\"\ncluster = \"lkc-test01\"\n"),
    )
    .unwrap();
    file("name = \"Claims\"\nprefix = \"claims-\"\n");
    let run_in = |stage: &str| {
        let mut run = sandbox_run(home.path());
        run.options.stage = Some(stage.to_owned());
        run
    };
    for stage in ["prod", "test"] {
        let run = run_in(stage);
        let session = PlatformSession::open(&run, 4).unwrap();
        onboard(&run, &session, onboard_input(), &|_| Ok(true)).await.unwrap();
    }
    for (stage, expected) in [("test", "stages = [\"prod\"]"), ("prod", "retired = 20")] {
        let run = run_in(stage);
        let mut session = PlatformSession::open(&run, 4).unwrap();
        session.is_rehearsal = false;
        let removed = offboard(&run, &session, offboard_input(), &|_| Ok(true))
            .await
            .unwrap()
            .unwrap();
        assert!(removed.error().is_none() && removed.retired.unwrap().recorded);
        assert!(read().contains(expected), "{}", read());
    }
    let run = run_in("prod");
    let session = PlatformSession::open(&run, 4).unwrap();
    assert!(
        session
            .workspace
            .department(&"claims".parse().unwrap())
            .unwrap()
            .retired
            .is_some()
    );
}

#[tokio::test]
async fn a_declined_onboarding_has_no_outcome_and_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let run = sandbox_run(home.path());
    let session = PlatformSession::open(&run, 4).unwrap();
    let planned = RefCell::new(0);
    let decline = |request: ConfirmationRequest<'_, OnboardOutcome>| {
        if let ConfirmationRequest::Apply(plan) = request {
            *planned.borrow_mut() = plan.changes.0.len();
        }
        Ok(false)
    };
    let declined = onboard(&run, &session, onboard_input(), &decline).await.unwrap();
    assert!(declined.is_none());
    let planned = planned.into_inner();
    assert!(planned > 0);
    let outcome = onboard(&run, &session, onboard_input(), &|_| Ok(true)).await.unwrap();
    assert_eq!(outcome.unwrap().report.unwrap().done.len(), planned);
}

#[tokio::test]
async fn a_department_is_onboarded_rotated_audited_and_offboarded() {
    let home = tempfile::tempdir().unwrap();
    let run = sandbox_run(home.path());
    let session = PlatformSession::open(&run, 4).unwrap();

    let onboarded = onboard(&run, &session, onboard_input(), &|_| Ok(true))
        .await
        .unwrap()
        .unwrap();
    assert!(onboarded.error().is_none());
    let again = onboard(&run, &session, onboard_input(), &|_| Ok(false))
        .await
        .unwrap()
        .unwrap();
    assert!(again.changes.is_empty() && again.report.is_none());

    let input = RotateInput {
        departments: claims(),
        persona: Some("operator".to_owned()),
        overlap: Duration::ZERO,
        older_than: Duration::ZERO,
        dry_run: false,
        concurrency: 4,
        options: ProvisioningOptions::default(),
    };
    let rotated = rotate_keys(&run, &session, input, &|_| Ok(true))
        .await
        .unwrap()
        .unwrap();
    assert!(rotated.error().is_none());
    assert_eq!((rotated.count_created(), rotated.count_deleted()), (1, 1));

    let input = KeysListInput {
        departments: Vec::new(),
        options: ProvisioningOptions::default(),
    };
    let keys = list_keys(&run, &session, input).await.unwrap();
    assert!(!keys.is_empty() && keys.iter().all(|key| key.state == ApiKeyStatus::Delivered));

    let input = AuditInput {
        departments: vec!["claims".parse().unwrap()],
        snapshot: None,
        save_to: None,
        earlier_snapshot: None,
        strict: false,
        baseline: None,
        draft_baseline: None,
        max_key_age_days: 90,
        removal: RemovalMode::Keep,
        options: ProvisioningOptions::default(),
    };
    let audited = audit_access(&run, input, &|_| Ok(false)).await.unwrap().unwrap();
    assert_eq!(audited.counts.errors, 0, "{:?}", audited.findings());

    let removed = offboard(&run, &session, offboard_input(), &|_| Ok(true))
        .await
        .unwrap()
        .unwrap();
    assert!(removed.error().is_none());
    assert!(removed.other_stages.is_empty());
    let proof = removed.proof.unwrap();
    assert!(proof.remaining.is_empty() && !proof.keys.is_empty());
    assert!(proof.keys.iter().all(|key| key.state != RemovedKeyState::StillAccepted));
}
