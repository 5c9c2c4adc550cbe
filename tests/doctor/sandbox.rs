//! `doctor` with the sandbox, for every kind of caller.

use std::{fs::File, sync::Arc};

use confluent_ebs::{
    api::{
        keys::{DeleteApiKey, ListApiKeys},
        mds::{DeleteRoleBinding, ListRoleBindings, RoleBindingScope},
    },
    model::{Crn, Role},
    sandbox::{ListVisibility, SandboxSettings},
};
use serde_json::json;

use crate::{
    common::{Cli, PROFILES_DIR, tokio_runtime},
    report::run_doctor,
};

#[test]
fn a_new_sandbox_passes_all_checks() {
    let cli = Cli::new();
    let fresh = run_doctor(&cli, "--sandbox").expect_success();
    // The assumptions of the templates are not confirmed yet.
    assert_eq!(
        (fresh.names_in_state("problem"), fresh.names_in_state("unknown")),
        (vec![], vec!["template assumptions"])
    );
    assert_eq!(fresh.detail("key owner").split(' ').next(), Some("ebs-provisioner"));
    assert_eq!(fresh.detail("provisioner's roles"), "complete in prod, test");
    let kafka = fresh.detail("Kafka key");
    assert!(kafka.ends_with("can list no ACLs of lkc-prod01"), "{kafka}");

    cli.run("onboard claims --sandbox --yes").expect_success();
    let onboarded = run_doctor(&cli, "--sandbox");
    assert_eq!(
        onboarded.json["unknown"],
        json!(0),
        "{:?}",
        onboarded.names_in_state("unknown")
    );
    assert!(
        onboarded
            .detail("roles")
            .contains("ResourceOwner on 4 service-accounts")
    );
}

#[test]
fn every_persona_gets_the_operations_its_key_allows() {
    let cli = Cli::onboarded("claims motor");
    // Source: docs/reference/rbac.md#connector-roles. Rows ConnectManager, ResourceOwner, DeveloperRead.
    for (persona, may, may_not) in [
        ("operator", "lifecycle", "create"),
        ("deployer", "create", "nothing else"),
        ("viewer", "read-status", "lifecycle"),
    ] {
        let output = run_doctor(&cli, &format!("--profile {PROFILES_DIR}/claims-{persona}.toml"));
        assert_eq!(
            (output.code, output.names_in_state("problem")),
            (Some(0), vec![]),
            "{persona}"
        );
        let roles = output.detail("roles");
        assert!(roles.contains(may) && !roles.contains(may_not), "{persona}: {roles}");
        assert!(
            output
                .detail("key owner")
                .starts_with(&format!("ebs-prod-claims-{persona} (sa-"))
        );
        assert_eq!(output.detail("connectors"), "0 with prefix `claims-`");
        let stood_in = run_doctor(&cli, &format!("--sandbox-as claims/{persona}"));
        assert_eq!(stood_in.detail("roles"), roles);
        assert!(
            stood_in.detail("key").starts_with("not needed"),
            "{}",
            stood_in.detail("key")
        );
    }
    let admin = run_doctor(&cli, "--sandbox-as admin");
    assert_eq!(admin.state("provisioner's roles"), "unknown");
    assert!(admin.detail("key owner").contains("a user"));
    let nobody = run_doctor(&cli, "--sandbox-as life/operator");
    assert_eq!((nobody.code, nobody.state("key")), (Some(6), "problem"));
    assert!(nobody.fix("key").contains("`confluent ebs onboard life --sandbox`"));
}

#[test]
fn doctor_changes_nothing() {
    let cli = Cli::onboarded("claims motor");
    let writes = |cli: &Cli| {
        let journal = cli.sandbox().journal().unwrap();
        journal.iter().filter(|entry| entry.is_write()).count()
    };
    let before = writes(&cli);
    for who in [
        "--sandbox",
        "--sandbox-as admin",
        "--sandbox-as claims/deployer",
        "--sandbox-as claims/viewer",
    ] {
        run_doctor(&cli, who);
    }
    assert_eq!(writes(&cli), before);
}

#[test]
fn a_missing_provisioner_role_gets_the_command_that_grants_it() {
    let cli = Cli::onboarded("claims motor");
    let admin = cli.admin_client();
    tokio_runtime().block_on(async {
        let organization: Crn = "crn://confluent.cloud/organization=11111111-2222-3333-4444-555555555555"
            .parse()
            .unwrap();
        let list = ListRoleBindings {
            scope: RoleBindingScope::Below(organization),
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
    let output = run_doctor(&cli, "--sandbox");
    assert_eq!(
        (output.code, output.names_in_state("problem")),
        (Some(6), vec!["provisioner's roles"])
    );
    assert_eq!(
        output.detail("provisioner's roles"),
        "missing in test: ResourceOwner on subject *"
    );
    let owner = output.detail("key owner").split(['(', ')']).nth(1).unwrap();
    // Flags of the Confluent CLI: traces/confluent-cli.jsonl.
    assert_eq!(
        output.fix("provisioner's roles"),
        format!(
            "Ask an administrator to run `confluent iam rbac role-binding create --principal User:{owner} --role ResourceOwner \
             --environment env-test01 --schema-registry-cluster lsrc-test01 --resource \"Subject:*\"`."
        )
    );
}

#[test]
fn a_revoked_key_is_a_problem_with_the_command_for_a_new_one() {
    let cli = Cli::onboarded("claims motor");
    let admin = cli.admin_client();
    let text = cli.read(format!("{PROFILES_DIR}/claims-operator.toml"));
    let key = text.split_once("id = \"").unwrap().1.split('"').next().unwrap();
    tokio_runtime().block_on(async {
        let keys = admin.list(ListApiKeys::default()).await.unwrap();
        assert!(keys.iter().any(|found| found.id.as_str() == key));
        admin.send(&DeleteApiKey(key.parse().unwrap())).await.unwrap();
    });
    let output = run_doctor(&cli, &format!("--profile {PROFILES_DIR}/claims-operator.toml"));
    assert_eq!(
        (output.code, output.names_in_state("problem")),
        (Some(6), vec!["key accepted"])
    );
    assert_eq!(
        output.fix("key accepted"),
        "If the key was rotated, import the latest profile. If the sandbox was reset, run `confluent ebs onboard \
         claims --stage prod --sandbox` for a new one."
    );
}

// docs/assumptions.md: A, B, Q4 and Q6 with the other setting.
#[test]
fn doctor_works_when_lists_and_keys_are_hidden() {
    let cli = Cli::onboarded("claims motor");
    let mut settings = SandboxSettings::instant();
    settings.assumptions.own_key_readable = false;
    settings.assumptions.own_keys_manageable = false;
    settings.assumptions.own_bindings_visible = false;
    settings.assumptions.binding_list = ListVisibility::Refused;
    cli.sandbox().set_settings(settings).unwrap();
    let operator = run_doctor(&cli, &format!("--profile {PROFILES_DIR}/claims-operator.toml"));
    assert_eq!((operator.code, operator.names_in_state("problem")), (Some(0), vec![]));
    assert_eq!(operator.detail("key accepted"), "accepted by the service");
    // Found by the name that the profile implies.
    assert!(operator.detail("key owner").starts_with("ebs-prod-claims-operator"));
    assert!(
        operator
            .detail("roles")
            .ends_with("probed on `claims-*`: read-status, not create"),
        "{}",
        operator.detail("roles")
    );
    let provisioner = run_doctor(&cli, "--sandbox");
    assert_eq!((provisioner.code, provisioner.state("key owner")), (Some(0), "unknown"));
    assert!(provisioner.fix("key owner").contains("`provisioner = \"sa-…\"`"));
}

#[test]
fn a_basic_cluster_is_a_problem() {
    let cli = Cli::new();
    cli.write(
        "ebs.toml",
        "[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n\
         [stages.test]\nenvironment = \"env-test1\"\ncluster = \"lkc-test1\"\n",
    );
    let output = run_doctor(&cli, "--sandbox-as admin --cluster lkc-basic1");
    assert_eq!(
        (output.code, output.names_in_state("problem")),
        (Some(6), vec!["cluster type"])
    );
    assert!(output.detail("cluster type").starts_with("lkc-basic1 is Basic"));
}

#[test]
fn a_locked_sandbox_is_reported_without_waiting() {
    let cli = Cli::onboarded("claims motor");
    let lock = File::open(cli.path(".state/confluent-ebs/sandbox/state.lock")).unwrap();
    lock.lock().unwrap();
    let output = run_doctor(&cli, "--sandbox");
    assert_eq!(
        (output.code, output.names_in_state("problem")),
        (Some(6), vec!["sandbox"])
    );
    assert!(output.fix("sandbox").contains("state.lock"));
    drop(lock);
    run_doctor(&cli, "--sandbox").expect_success();
}

#[test]
fn a_served_sandbox_is_checked_over_its_socket() {
    let cli = Cli::onboarded("claims motor");
    let sandbox = Arc::new(cli.sandbox());
    let (runtime, listener) = (tokio_runtime(), std::net::TcpListener::bind("127.0.0.1:0").unwrap());
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
    let output = run_doctor(&cli, &format!("--profile {PROFILES_DIR}/claims-operator.toml"));
    assert_eq!((output.code, output.names_in_state("problem")), (Some(0), vec![]));
    assert!(
        output.detail("sandbox").starts_with(&format!("served at {url}")),
        "{}",
        output.detail("sandbox")
    );
    assert_eq!(output.detail("endpoint"), format!("{url}, on loopback"));
    assert_eq!(output.detail("clock"), "within one minute of the service's clock");
    stop.send(()).unwrap();
    server.join().unwrap();
    let note = cli.path(".state/confluent-ebs/sandbox/server.json");
    std::fs::write(note, format!("{{\"url\":\"{url}\",\"pid\":1}}")).unwrap();
    let left = run_doctor(&cli, "--sandbox");
    assert_eq!((left.code, left.state("sandbox")), (Some(0), "ok"));
    assert!(left.detail("sandbox").contains("lock file of a killed server"));
}
