//! The operations of the platform team as library functions, without the commands.

use std::{cell::RefCell, collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use confluent_ebs::{
    clock::Clock,
    config::StandardDirs,
    connectors::BackupPolicy,
    env,
    provisioning::{
        ConfirmationRequest, DepartmentSelection, ProvisioningOptions,
        audit::{AuditInput, RemovalMode, audit_access},
        keys::{KeysListInput, RotateInput, list_keys, rotate_keys},
        offboarding::{ConnectorRemoval, OffboardInput, RemovedKeyState, offboard},
        onboarding::{OnboardInput, OnboardOutcome, onboard},
    },
    resources::api_key::ApiKeyStatus,
    session::{Environment, Options, PlatformSession, RunContext},
};

use crate::common::sandbox_start;

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

    let input = OffboardInput {
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
    };
    let removed = offboard(&run, &session, input, &|_| Ok(true)).await.unwrap().unwrap();
    assert!(removed.error().is_none());
    let proof = removed.proof.unwrap();
    assert!(proof.remaining.is_empty() && !proof.keys.is_empty());
    assert!(proof.keys.iter().all(|key| key.state != RemovedKeyState::StillAccepted));
}
