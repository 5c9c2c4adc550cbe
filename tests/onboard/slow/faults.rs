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

use crate::common::{MAX_RUN_TIME, OnboardingMachine, ProvisionedState};

/// An account of another owner with a role on the department's prefix and a key.
fn add_unmanaged_account(machine: &OnboardingMachine) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let admin = machine.administrator();
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
        let (_, stage) = machine.session.workspace.platform.stage(None).unwrap();
        let address = stage.address(machine.session.workspace.platform.organization.as_ref().unwrap());
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
type FixtureSetup = fn(&mut OnboardingMachine);

fn machine_with_setup(setup: FixtureSetup) -> OnboardingMachine {
    let mut machine = OnboardingMachine::new(SandboxSettings::instant());
    setup(&mut machine);
    add_unmanaged_account(&machine);
    machine
}

fn run_undisturbed(setup: FixtureSetup) -> (ProvisionedState, u64) {
    let machine = machine_with_setup(setup);
    let before = machine.last_request_seq();
    assert_eq!(
        machine.run_until_done(&["claims"], 2),
        Ok(2),
        "one run does it, the second finds nothing to do"
    );
    let requests = machine.requests_since(before).len();
    (machine.provisioned_state(), u64::try_from(requests).unwrap())
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
    let machine = machine_with_setup(setup);
    let begun = machine.sandbox.now().unwrap();
    let fault = Fault::once(kind).after_requests(u32::try_from(skip).unwrap());
    machine.sandbox.add_fault(fault).unwrap();
    let done = machine.run_until_done(&["claims"], 4);
    let journal = machine.sandbox.journal().unwrap();
    let hit = journal.iter().find(|entry| entry.fault.is_some());
    let hit = hit.unwrap_or_else(|| panic!("request {skip} is never sent"));
    let hit = format!("request {skip} ({} {})", hit.method, hit.path);
    let took = machine.sandbox.now().unwrap().duration_since(begun);
    assert!(took.unsigned_abs() < MAX_RUN_TIME, "{hit} took {took}");
    match done {
        Ok(_) if machine.provisioned_state() == *wanted => None,
        Ok(_) => Some(format!("{hit}: {:#?}", machine.provisioned_state())),
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

#[test]
fn a_crash_under_real_and_lagging_timing_is_completed_by_reruns() {
    for settings in [SandboxSettings::real(), SandboxSettings::lagging()] {
        let clean = OnboardingMachine::new(settings.clone());
        assert!(clean.run_until_done(&["claims"], 4).is_ok());
        clean.sandbox.advance(std::time::Duration::from_mins(10)).unwrap();
        let wanted = clean.provisioned_state();
        let requests = clean.requests_since(0).iter().filter(|entry| entry.is_write()).count();
        for skip in 0..requests {
            let machine = OnboardingMachine::new(settings.clone());
            let fault = Fault::once(FaultKind::KillAfter).for_requests("{POST,PATCH,DELETE}", "/iam/**");
            let fault = Fault {
                method: None,
                path: Some("/iam/**".into()),
                ..fault
            };
            // The first requests are reads.
            machine
                .sandbox
                .add_fault(fault.after_requests(u32::try_from(5 + skip).unwrap()))
                .unwrap();
            let mut runs = Vec::new();
            for _ in 0..6 {
                let ran = machine.onboard(&["claims"]);
                let idle = ran.is_idle();
                runs.push(format!("{ran:?}").chars().take(300).collect::<String>());
                // Time between two commands of a user, in which lists are updated.
                machine.sandbox.advance(std::time::Duration::from_secs(20)).unwrap();
                if idle {
                    break;
                }
            }
            machine.sandbox.advance(std::time::Duration::from_mins(10)).unwrap();
            assert!(machine.onboard(&["claims"]).is_idle(), "request {skip}: {runs:#?}");
            assert_eq!(machine.provisioned_state(), wanted, "request {skip}: {runs:#?}");
        }
    }
}
