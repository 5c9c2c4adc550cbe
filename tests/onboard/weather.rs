//! Bad weather at every single request (design §7, crash-safety): the request or its answer is lost, the service fails or
//! throttles, the process dies; a rerun ends in the state of a clean run, and nothing of others is touched.

use confluent_ebs::{
    api::{
        iam::CreateServiceAccount,
        keys::{CLOUD, CreateApiKey},
        mds::CreateRoleBinding,
    },
    model::{Role, RoleBinding},
    sandbox::{Fault, FaultKind, Settings},
};

use crate::rig::{LONGEST, Left, Rig};

/// An account of somebody else with a right on the department's prefix and a key.
fn stranger(rig: &Rig) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let admin = rig.administrator();
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
        let (_, stage) = rig.workspace.platform.stage(None).unwrap();
        let address = stage.address(rig.workspace.platform.organization.as_ref().unwrap());
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

/// How a machine is set up before the weather turns.
type Setup = fn(&mut Rig);

fn rig(setup: Setup) -> Rig {
    let mut rig = Rig::new(Settings::instant());
    setup(&mut rig);
    stranger(&rig);
    rig
}

fn clean(setup: Setup) -> (Left, u64) {
    let rig = rig(setup);
    let before = rig.last_request();
    assert_eq!(
        rig.until_done(&["claims"], 2),
        Ok(2),
        "one run does it, the second finds nothing to do"
    );
    let requests = rig.requests_since(before).len();
    (rig.left(), u64::try_from(requests).unwrap())
}

/// Runs with `kind` at each request in turn.
fn at_every_request(kind: FaultKind) {
    at_every_request_of(|_| {}, kind);
}

/// Runs with `kind` at each request in turn, on machines of a kind.
pub(crate) fn at_every_request_of(setup: Setup, kind: FaultKind) {
    // Most of the time goes into waiting for the disk.
    const WORKERS: usize = 6;
    let (wanted, requests) = clean(setup);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let work = |first| {
            let wanted = &wanted;
            scope.spawn(move || {
                let mine = (first..requests).step_by(WORKERS);
                mine.filter_map(|skip| with_a_fault(setup, kind, skip, wanted))
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

/// Runs with `kind` at one request; answers what is wrong afterwards.
fn with_a_fault(setup: Setup, kind: FaultKind, skip: u64, wanted: &Left) -> Option<String> {
    let rig = rig(setup);
    let begun = rig.sandbox.now().unwrap();
    let fault = Fault::once(kind).skipping(u32::try_from(skip).unwrap());
    rig.sandbox.add_fault(fault).unwrap();
    let done = rig.until_done(&["claims"], 4);
    let journal = rig.sandbox.journal().unwrap();
    let hit = journal.iter().find(|entry| entry.fault.is_some());
    let hit = hit.unwrap_or_else(|| panic!("request {skip} is never made"));
    let hit = format!("request {skip} ({} {})", hit.method, hit.path);
    let took = rig.sandbox.now().unwrap().duration_since(begun);
    assert!(took.unsigned_abs() < LONGEST, "{hit} took {took}");
    match done {
        Ok(_) if rig.left() == *wanted => None,
        Ok(_) => Some(format!("{hit}: {:#?}", rig.left())),
        Err(error) => Some(format!("{hit}: {error}")),
    }
}

#[test]
fn a_request_that_is_lost() {
    at_every_request(FaultKind::LostBefore);
}

#[test]
fn an_answer_that_is_lost() {
    at_every_request(FaultKind::LostAfter);
}

#[test]
fn an_error_of_the_service() {
    at_every_request(FaultKind::ServerError);
}

#[test]
fn a_request_too_many() {
    at_every_request(FaultKind::TooManyRequests { retry_after: 7 });
}

#[test]
fn a_list_that_lags() {
    at_every_request(FaultKind::ListLag { seconds: 20 });
}

#[test]
fn a_process_that_dies_before_a_request() {
    at_every_request(FaultKind::KillBefore);
}

#[test]
fn a_process_that_dies_after_a_request() {
    at_every_request(FaultKind::KillAfter);
}
