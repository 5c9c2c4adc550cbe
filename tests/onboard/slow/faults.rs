//! A fault at every request: a lost request or response, a server error, a rate limit, a crash. A repeated run has the
//! result of a run without faults, and objects of others are unchanged.

use confluent_ebs::{
    api::{
        iam::CreateServiceAccount,
        keys::{CLOUD, CreateApiKey},
        mds::CreateRoleBinding,
    },
    model::{Role, RoleBinding},
    sandbox::{Fault, FaultKind, SandboxSettings},
};

use crate::onboarding_fixture::{MAX_RUN_TIME, OnboardingFixture, ProvisionedState};

/// An account of another owner with a role on the department's prefix and a key.
fn add_unmanaged_account(fixture: &OnboardingFixture) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let admin = fixture.administrator();
        let account = admin
            .send(&CreateServiceAccount {
                display_name: "claims-legacy".into(),
                description: "made by hand".into(),
                assigned_resource_owner: None,
            })
            .await
            .unwrap()
            .value
            .id;
        let (_, stage) = fixture.workspace.platform.stage(None).unwrap();
        let address = stage.address(fixture.workspace.platform.organization.as_ref().unwrap());
        let pattern = format!("{}/kafka=lkc-prod01/topic=claims-*", address.cluster_crn());
        let binding = RoleBinding::new(
            account.clone(),
            Role::DeveloperRead,
            pattern.parse::<confluent_ebs::model::CrnPattern>().unwrap(),
        );
        admin.send(&CreateRoleBinding(binding)).await.unwrap();
        admin
            .send(&CreateApiKey {
                owner: account.to_string(),
                resource: CLOUD.into(),
                environment: None,
                display_name: "legacy".into(),
                description: "made by hand".into(),
            })
            .await
            .unwrap();
    });
}

/// Setup of a machine before the faults.
type FixtureSetup = fn(&mut OnboardingFixture);

fn fixture_with_setup(setup: FixtureSetup) -> OnboardingFixture {
    let mut fixture = OnboardingFixture::new(SandboxSettings::instant());
    setup(&mut fixture);
    add_unmanaged_account(&fixture);
    fixture
}

fn run_undisturbed(setup: FixtureSetup) -> (ProvisionedState, u64) {
    let fixture = fixture_with_setup(setup);
    let before = fixture.last_request_seq();
    assert_eq!(
        fixture.run_until_done(&["claims"], 2),
        Ok(2),
        "one run does it, the second finds nothing to do"
    );
    let requests = fixture.requests_since(before).len();
    (fixture.provisioned_state(), u64::try_from(requests).unwrap())
}

/// Runs with `kind` at each request in turn.
fn run_with_fault_at_every_request(kind: FaultKind) {
    run_setup_with_fault_at_every_request(|_| {}, kind);
}

/// Runs with `kind` at each request in turn, with machines from a setup.
pub(crate) fn run_setup_with_fault_at_every_request(setup: FixtureSetup, kind: FaultKind) {
    // Most of the time is spent waiting for the disk.
    const WORKERS: usize = 6;
    let (wanted, requests) = run_undisturbed(setup);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let work = |first| {
            let wanted = &wanted;
            scope.spawn(move || {
                let mine = (first..requests).step_by(WORKERS);
                mine.filter_map(|skip| run_with_fault_at(setup, kind, skip, wanted))
                    .collect::<Vec<_>>()
            })
        };
        let workers: Vec<_> = (0..).take(WORKERS).map(work).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(
        wrong.is_empty(),
        "{} wrong of {requests}\n{}",
        wrong.len(),
        wrong[..wrong.len().min(4)].join("\n")
    );
}

/// Runs with `kind` at one request; returns the differences.
fn run_with_fault_at(setup: FixtureSetup, kind: FaultKind, skip: u64, wanted: &ProvisionedState) -> Option<String> {
    let fixture = fixture_with_setup(setup);
    let begun = fixture.sandbox.now().unwrap();
    let fault = Fault::once(kind).after_requests(u32::try_from(skip).unwrap());
    fixture.sandbox.add_fault(fault).unwrap();
    let done = fixture.run_until_done(&["claims"], 4);
    let journal = fixture.sandbox.journal().unwrap();
    let hit = journal.iter().find(|entry| entry.fault.is_some());
    let hit = hit.unwrap_or_else(|| panic!("request {skip} is never sent"));
    let hit = format!("request {skip} ({} {})", hit.method, hit.path);
    let took = fixture.sandbox.now().unwrap().duration_since(begun);
    assert!(took.unsigned_abs() < MAX_RUN_TIME, "{hit} took {took}");
    match done {
        Ok(_) if fixture.provisioned_state() == *wanted => None,
        Ok(_) => Some(format!("{hit}: {:#?}", fixture.provisioned_state())),
        Err(error) => Some(format!("{hit}: {error}")),
    }
}

#[test]
fn onboarding_survives_every_request_being_lost() {
    run_with_fault_at_every_request(FaultKind::LostBefore);
}

#[test]
fn onboarding_survives_every_response_being_lost() {
    run_with_fault_at_every_request(FaultKind::LostAfter);
}

#[test]
fn onboarding_survives_a_server_error_at_every_request() {
    run_with_fault_at_every_request(FaultKind::ServerError);
}

#[test]
fn onboarding_survives_a_429_at_every_request() {
    run_with_fault_at_every_request(FaultKind::TooManyRequests { retry_after: 7 });
}

#[test]
fn onboarding_survives_a_stale_list_at_every_request() {
    run_with_fault_at_every_request(FaultKind::ListLag { seconds: 20 });
}

#[test]
fn onboarding_survives_a_crash_before_every_request() {
    run_with_fault_at_every_request(FaultKind::KillBefore);
}

#[test]
fn onboarding_survives_a_crash_after_every_request() {
    run_with_fault_at_every_request(FaultKind::KillAfter);
}
