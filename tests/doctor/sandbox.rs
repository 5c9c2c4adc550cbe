//! On the embedded Confluent Cloud, as everybody who acts there.

use std::{fs::File, sync::Arc};

use confluent_ebs::{
    api::{
        keys::{DeleteApiKey, ListApiKeys},
        mds::{BindingScope, DeleteRoleBinding, ListRoleBindings},
    },
    model::{Crn, Role},
    sandbox::{Listing, Settings},
};
use serde_json::json;

use crate::{
    common::World,
    rig::{PROFILES, administrator, doctor, inside},
};

fn onboarded() -> World {
    let world = World::new();
    let seen = world.ebs("onboard claims motor --sandbox --yes");
    assert_eq!(seen.code, Some(0), "{seen}");
    world
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn a_rehearsal_is_well_from_the_first_call_on() {
    let world = World::new();
    let fresh = doctor(&world, "--sandbox");
    assert_eq!(fresh.code, Some(0));
    // What the templates rest on has not been seen yet.
    assert_eq!(
        (fresh.all("problem"), fresh.all("unknown")),
        (vec![], vec!["template assumptions"])
    );
    assert_eq!(fresh.detail("key owner").split(' ').next(), Some("ebs-provisioner"));
    assert_eq!(fresh.detail("provisioner's roles"), "all there, in prod, test");
    let kafka = fresh.detail("Kafka key");
    assert!(kafka.ends_with("lkc-prod01 shows it no ACLs"), "{kafka}");

    assert_eq!(world.ebs("onboard claims --sandbox --yes").code, Some(0));
    let onboarded = doctor(&world, "--sandbox");
    assert_eq!(onboarded.whole["unknown"], json!(0), "{:?}", onboarded.all("unknown"));
    assert!(
        onboarded
            .detail("roles")
            .contains("ResourceOwner on 4 service-accounts")
    );
}

#[test]
fn every_persona_learns_what_its_key_may_do() {
    let world = onboarded();
    // Dossier `rbac.md` §1.1: rows ConnectManager, ResourceOwner, DeveloperRead.
    for (persona, may, may_not) in [
        ("operator", "lifecycle", "create"),
        ("deployer", "create", "nothing else"),
        ("viewer", "read-status", "lifecycle"),
    ] {
        let seen = doctor(&world, &format!("--profile {PROFILES}/claims-{persona}.toml"));
        assert_eq!((seen.code, seen.all("problem")), (Some(0), vec![]), "{persona}");
        let roles = seen.detail("roles");
        assert!(roles.contains(may) && !roles.contains(may_not), "{persona}: {roles}");
        assert!(
            seen.detail("key owner")
                .starts_with(&format!("ebs-prod-claims-{persona} (sa-"))
        );
        assert_eq!(seen.detail("connectors"), "0 begin with claims-");
        let stood_in = doctor(&world, &format!("--sandbox-as claims/{persona}"));
        assert_eq!(stood_in.detail("roles"), roles);
        assert!(
            stood_in.detail("key").starts_with("none needed"),
            "{}",
            stood_in.detail("key")
        );
    }
    let admin = doctor(&world, "--sandbox-as admin");
    assert_eq!(admin.state("provisioner's roles"), "unknown");
    assert!(admin.detail("key owner").contains("a person"));
    let nobody = doctor(&world, "--sandbox-as life/operator");
    assert_eq!((nobody.code, nobody.state("key")), (Some(6), "problem"));
    assert!(nobody.fix("key").contains("`confluent ebs onboard life --sandbox`"));
}

#[test]
fn it_changes_nothing() {
    let world = onboarded();
    let writes = |world: &World| {
        let journal = inside(world).journal().unwrap();
        journal.iter().filter(|entry| entry.is_write()).count()
    };
    let before = writes(&world);
    for who in [
        "--sandbox",
        "--sandbox-as admin",
        "--sandbox-as claims/deployer",
        "--sandbox-as claims/viewer",
    ] {
        doctor(&world, who);
    }
    assert_eq!(writes(&world), before);
}

#[test]
fn a_missing_role_of_the_provisioner_comes_with_its_command() {
    let world = onboarded();
    let sandbox = inside(&world);
    let admin = administrator(&sandbox);
    runtime().block_on(async {
        let organization: Crn = "crn://confluent.cloud/organization=11111111-2222-3333-4444-555555555555"
            .parse()
            .unwrap();
        let list = ListRoleBindings {
            scope: BindingScope::Below(organization),
            principal: None,
            role: Some(Role::ResourceOwner),
        };
        let all = admin.list(list).await.unwrap();
        let of_test = |text: &str| text.contains("schema-registry=lsrc-test01") && text.ends_with("subject=*");
        let gone = all
            .iter()
            .find(|found| of_test(&found.binding.pattern.to_string()))
            .unwrap();
        admin.send(&DeleteRoleBinding(gone.id.clone())).await.unwrap();
    });
    let seen = doctor(&world, "--sandbox");
    assert_eq!((seen.code, seen.all("problem")), (Some(6), vec!["provisioner's roles"]));
    assert_eq!(
        seen.detail("provisioner's roles"),
        "missing in test: ResourceOwner on subject *"
    );
    let owner = seen.detail("key owner").split(['(', ')']).nth(1).unwrap();
    // The stock CLI's own flags: traces/stock-cli.jsonl.
    assert_eq!(
        seen.fix("provisioner's roles"),
        format!(
            "An administrator runs `confluent iam rbac role-binding create --principal User:{owner} --role ResourceOwner \
             --environment env-test01 --schema-registry-cluster lsrc-test01 --resource \"Subject:*\"`."
        )
    );
}

#[test]
fn a_revoked_key_is_a_problem_with_the_way_to_another() {
    let world = onboarded();
    let sandbox = inside(&world);
    let admin = administrator(&sandbox);
    let text = world.read(format!("{PROFILES}/claims-operator.toml"));
    let key = text.split_once("id = \"").unwrap().1.split('"').next().unwrap();
    runtime().block_on(async {
        let keys = admin.list(ListApiKeys::default()).await.unwrap();
        assert!(keys.iter().any(|found| found.id.as_str() == key));
        admin.send(&DeleteApiKey(key.parse().unwrap())).await.unwrap();
    });
    let seen = doctor(&world, &format!("--profile {PROFILES}/claims-operator.toml"));
    assert_eq!((seen.code, seen.all("problem")), (Some(6), vec!["key accepted"]));
    assert_eq!(
        seen.fix("key accepted"),
        "Import the profile that was handed over last, if it was rotated; if the sandbox was reset, `confluent ebs onboard \
         claims --sandbox` makes a new one."
    );
}

// docs/assumptions.md: A, B, Q4 and Q6 the other way round.
#[test]
fn it_works_where_little_is_told() {
    let world = onboarded();
    let mut settings = Settings::instant();
    settings.assumptions.own_key_readable = false;
    settings.assumptions.own_keys_manageable = false;
    settings.assumptions.own_bindings_visible = false;
    settings.assumptions.binding_list = Listing::Refused;
    inside(&world).set_settings(settings).unwrap();
    let operator = doctor(&world, &format!("--profile {PROFILES}/claims-operator.toml"));
    assert_eq!((operator.code, operator.all("problem")), (Some(0), vec![]));
    assert_eq!(operator.detail("key accepted"), "the service accepts it");
    // Found by the name that the profile implies.
    assert!(operator.detail("key owner").starts_with("ebs-prod-claims-operator"));
    assert!(
        operator
            .detail("roles")
            .ends_with("tried on claims-*: read-status, not create"),
        "{}",
        operator.detail("roles")
    );
    let provisioner = doctor(&world, "--sandbox");
    assert_eq!((provisioner.code, provisioner.state("key owner")), (Some(0), "unknown"));
    assert!(provisioner.fix("key owner").contains("`provisioner = \"sa-…\"`"));
}

#[test]
fn a_basic_cluster_is_refused() {
    let world = World::new();
    world.write(
        "ebs.toml",
        "[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n\
         [stages.test]\nenvironment = \"env-test1\"\ncluster = \"lkc-test1\"\n",
    );
    let seen = doctor(&world, "--sandbox-as admin --cluster lkc-basic1");
    assert_eq!((seen.code, seen.all("problem")), (Some(6), vec!["cluster type"]));
    assert!(seen.detail("cluster type").starts_with("lkc-basic1 is Basic"));
}

#[test]
fn a_sandbox_that_somebody_holds_is_told_instead_of_waited_for() {
    let world = onboarded();
    let lock = File::open(world.path(".state/confluent-ebs/sandbox/state.lock")).unwrap();
    lock.lock().unwrap();
    let seen = doctor(&world, "--sandbox");
    assert_eq!((seen.code, seen.all("problem")), (Some(6), vec!["sandbox"]));
    assert!(seen.fix("sandbox").contains("state.lock"));
    drop(lock);
    assert_eq!(doctor(&world, "--sandbox").code, Some(0));
}

#[test]
fn a_served_sandbox_is_found_and_asked_over_its_socket() {
    let world = onboarded();
    let sandbox = Arc::new(inside(&world));
    let (runtime, listener) = (runtime(), std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = sandbox.clone();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let (stop, is_stopped) = tokio::sync::oneshot::channel::<()>();
    let server = std::thread::spawn(move || {
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            ready.send(()).unwrap();
            tokio::select! {
                ended = served.serve(listener) => ended.unwrap(),
                _ = is_stopped => {}
            }
        });
    });
    is_ready.recv().unwrap();
    let seen = doctor(&world, &format!("--profile {PROFILES}/claims-operator.toml"));
    assert_eq!((seen.code, seen.all("problem")), (Some(0), vec![]));
    assert!(
        seen.detail("sandbox").starts_with(&format!("served at {url}")),
        "{}",
        seen.detail("sandbox")
    );
    assert_eq!(seen.detail("endpoint"), format!("{url}, on this computer"));
    assert_eq!(seen.detail("clock"), "agrees with the service's, to the minute");
    stop.send(()).unwrap();
    server.join().unwrap();
    let note = world.path(".state/confluent-ebs/sandbox/server.json");
    std::fs::write(note, format!("{{\"url\":\"{url}\",\"pid\":1}}")).unwrap();
    let left = doctor(&world, "--sandbox");
    assert_eq!((left.code, left.state("sandbox")), (Some(0), "ok"));
    assert!(left.detail("sandbox").contains("left a note"));
}
