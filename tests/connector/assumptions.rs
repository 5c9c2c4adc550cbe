//! Every assumption about connectors, both ways (`docs/assumptions.md`): the whole life of a connector must work whatever the
//! service turns out to do, and where it cannot, what a person reads must be true and lead on.

use std::collections::BTreeSet;

use axum::body::Body;
use confluent_ebs::{
    model::{Address, Role},
    sandbox::{Assumptions, ClusterKind, Sandbox, Seed, SeedStage},
};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::{
    ORDERS, PROFILES,
    common::{Seen, World},
    deployer, json, operator, said,
};

/// A sink whose failed records go nowhere, so that it needs nothing but its topic.
const LAKE: &str = r#"{"name": "claims-lake", "config": {
    "connector.class": "S3_SINK", "topics": "claims-orders", "input.data.format": "JSON", "output.data.format": "JSON",
    "s3.bucket.name": "claims-lake", "time.interval": "HOURLY", "flush.size": "1000", "errors.tolerance": "none",
    "authentication.method": "Access Keys", "aws.access.key.id": "AKIAEXAMPLE",
    "aws.secret.access.key": "${env:EBS_SECRET_AWS}"}}"#;

/// An organization with the department "claims", in a sandbox that behaves so.
fn assuming(switch: &str, value: &str, more: &[&str]) -> World {
    let world = World::new();
    let set = format!("assumptions.{switch}={value}");
    let reset = ["sandbox", "reset", "--yes", "--set", &set];
    let seen = world.see(world.command().args(reset).args(more));
    assert_eq!(seen.code, Some(0), "{seen}");
    let seen = world.ebs("onboard claims --sandbox --yes");
    assert_eq!(seen.code, Some(0), "{seen}");
    // Role bindings reach Connect a while after they are made (dossier `rbac.md` §4.6).
    assert_eq!(world.ebs("sandbox clock advance 10m").code, Some(0));
    world.write("claims-orders.json", ORDERS);
    world.write("claims-lake.json", LAKE);
    world
}

/// The deployer with the secret that the sink refers to.
fn with_secret(world: &World, args: &str) -> Seen {
    let profile = format!("{PROFILES}/claims-deployer.toml");
    let mut command = world.command();
    command.args(args.split_whitespace()).args(["--profile", &profile]);
    world.see(command.env("EBS_SECRET_AWS", "the-right-one"))
}

#[track_caller]
fn good(seen: &Seen) {
    assert_eq!(seen.code, Some(0), "{seen}");
}

/// What the service says of a connector.
fn state(world: &World, name: &str) -> Value {
    json(&operator(world, &format!("connector describe {name} -o json")))["connector"]["status"].clone()
}

/// Everything that a department does with a connector, from a file to nothing.
fn whole_life(world: &World) {
    for name in ["claims-orders", "claims-lake"] {
        good(&with_secret(
            world,
            &format!("connector create --config-file {name}.json"),
        ));
        assert_eq!(state(world, name), "RUNNING");
    }
    // Interrupted, and typed again.
    good(&deployer(world, "connector create --config-file claims-orders.json"));
    good(&deployer(world, "connector update claims-orders --config tasks.max=2"));
    good(&with_secret(
        world,
        "connector update claims-lake --config-file claims-lake.json",
    ));
    good(&operator(world, "connector pause claims-orders"));
    good(&operator(world, "connector wait claims-orders --paused"));
    good(&operator(world, "connector resume claims-orders"));
    good(&operator(world, "connector wait claims-orders"));
    good(&operator(world, "connector restart claims-orders"));
    good(&operator(world, "connector offset describe claims-lake"));
    good(&deployer(world, "connector offset delete claims-lake --force"));
    let list = json(&operator(world, "connector list -o json"));
    assert_eq!(list.as_array().unwrap().len(), 2, "{list}");
    good(&deployer(world, "connector delete claims-lake claims-orders --force"));
    // Until they have left the lists.
    good(&world.ebs("sandbox clock advance 1m"));
    assert_eq!(operator(world, "connector list").stdout, "None found.\n");
}

macro_rules! walks {
    ($($test:ident: $switch:literal $values:tt;)+) => {
        /// The switches that are walked here.
        const WALKED: &[&str] = &[$($switch),+];

        $(
            #[test]
            fn $test() {
                for value in $values {
                    walk::$test($switch, value);
                }
            }
        )+
    };
}

walks! {
    taken_name: "connect.taken_name_is_conflict" ["true", "false"];
    task_ceiling: "connect.task_ceiling_is_payment_required" ["true", "false"];
    masks: "connect.mask_keeps_secret" ["true", "false"];
    restart_of_what_failed: "connect.failed_restartable" ["true", "false"];
    unknown_plugin: "connect.unknown_plugin_is_server_error" ["true", "false"];
    missing_topic: "connect.missing_topic_fails" ["true", "false"];
    dead_letters: "connect.dead_letters_by_role" ["true", "false"];
    deleted_name: "connect.deleted_name_lingers" ["true", "false"];
    who_lists_what: "connector_list" ["filtered", "refused", "everything"];
    missing_assigner: "missing_assigner_is_forbidden" ["true", "false"];
}

#[test]
fn every_assumption_about_connectors_is_walked() {
    let all = serde_json::to_value(Assumptions::default()).unwrap();
    let connect = all["connect"].as_object().unwrap();
    let mut real: BTreeSet<_> = connect.keys().map(|name| format!("connect.{name}")).collect();
    real.extend(["connector_list".to_owned(), "missing_assigner_is_forbidden".to_owned()]);
    let walked: BTreeSet<_> = WALKED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(walked, real);
}

mod walk {
    use super::*;

    /// Somebody was faster, and the list does not show it yet.
    pub(super) fn taken_name(switch: &str, value: &str) {
        let world = assuming(switch, value, &[]);
        whole_life(&world);
        good(&deployer(&world, "connector create --config-file claims-orders.json"));
        let lag = "sandbox fault add list-lag --delay 1h --method GET --path /connect/**/connectors";
        good(&world.ebs(lag));
        let same = deployer(&world, "connector create --config-file claims-orders.json");
        good(&same);
        good(&world.ebs(lag));
        world.write("claims-orders.json", ORDERS.replace("\"ORDERS\"", "\"USERS\""));
        let other = deployer(&world, "connector create --config-file claims-orders.json");
        assert_ne!(other.code, Some(0), "{value}: {other}");
        assert!(said(&other).contains("exists already"), "{value}: {other}");
        let described = operator(&world, "connector describe claims-orders").stdout;
        assert!(described.contains("ORDERS"), "the first one is as it was: {described}");
    }

    pub(super) fn task_ceiling(switch: &str, value: &str) {
        let quotas = r#"quotas={"connect.max_tasks.per_cluster":3}"#;
        let world = assuming(switch, value, &["--set", quotas]);
        whole_life(&world);
        let four = ORDERS.replace("\"JSON\"", "\"JSON\", \"tasks.max\": \"4\"");
        world.write("claims-orders.json", four);
        let created = deployer(&world, "connector create --config-file claims-orders.json");
        world.write("claims-orders.json", ORDERS);
        good(&deployer(&world, "connector create --config-file claims-orders.json"));
        let updated = deployer(&world, "connector update claims-orders --config tasks.max=4");
        for seen in [created, updated] {
            assert_eq!(seen.code, Some(5), "{value}: {seen}");
            assert!(said(&seen).contains("is currently limited to 3"), "{value}: {seen}");
        }
        assert_eq!(state(&world, "claims-orders"), "RUNNING");
    }

    pub(super) fn masks(switch: &str, value: &str) {
        let world = assuming(switch, value, &[]);
        whole_life(&world);
        for name in ["claims-orders", "claims-lake"] {
            good(&with_secret(
                &world,
                &format!("connector create --config-file {name}.json"),
            ));
        }
        let seen = deployer(
            &world,
            "connector update claims-lake --config flush.size=2000 --keep-secrets",
        );
        if value == "true" {
            good(&seen);
        } else {
            // The assumption is checked afterwards, and the way back needs the secrets.
            assert_eq!(seen.code, Some(6), "{seen}");
            assert!(said(&seen).contains("aws.secret.access.key"), "{seen}");
        }
        good(&with_secret(
            &world,
            "connector update claims-lake --config-file claims-lake.json",
        ));
        assert_eq!(state(&world, "claims-lake"), "RUNNING");
    }

    pub(super) fn restart_of_what_failed(switch: &str, value: &str) {
        let world = assuming(switch, value, &[]);
        whole_life(&world);
        good(&deployer(&world, "connector create --config-file claims-orders.json"));
        good(&world.ebs("sandbox fault connector claims-orders platform-error"));
        assert_eq!(state(&world, "claims-orders"), "FAILED");
        good(&operator(&world, "connector restart claims-orders"));
        assert_eq!(state(&world, "claims-orders"), "FAILED", "what is broken stays broken");
        good(&world.ebs("sandbox fault clear"));
        good(&operator(&world, "connector restart claims-orders"));
        good(&operator(&world, "connector wait claims-orders"));
    }

    pub(super) fn unknown_plugin(switch: &str, value: &str) {
        let world = assuming(switch, value, &[]);
        whole_life(&world);
        let described = operator(&world, "connector plugin describe NoSuchPlugin");
        world.write("claims-orders.json", ORDERS.replace("DatagenSource", "BrandNewSource"));
        let validated = deployer(&world, "connector validate --config-file claims-orders.json");
        for (seen, plugin) in [(described, "NoSuchPlugin"), (validated, "BrandNewSource")] {
            assert_eq!(seen.code, Some(1), "{value}: {seen}");
            assert!(said(&seen).contains(&format!("plugin \"{plugin}\"")), "{value}: {seen}");
            assert!(said(&seen).contains("connector plugin list"), "{value}: {seen}");
            assert!(!said(&seen).contains("Waiting"), "it is not tried again: {seen}");
        }
    }

    pub(super) fn missing_topic(switch: &str, value: &str) {
        let world = assuming(switch, value, &[]);
        let seen = with_secret(&world, "connector create --config-file claims-lake.json");
        if value == "true" {
            assert_eq!(seen.code, Some(6), "{seen}");
            assert!(said(&seen).contains("UnknownTopicOrPartition"), "{seen}");
            assert!(seen.stdout.contains("Topic claims-orders is not present"), "{seen}");
        } else {
            good(&seen);
        }
        // The source makes the topic, and the sink is repaired by the service.
        good(&deployer(&world, "connector create --config-file claims-orders.json"));
        good(&operator(&world, "connector wait claims-lake"));
        good(&deployer(&world, "connector delete claims-lake claims-orders --force"));
        whole_life(&world);
    }

    pub(super) fn dead_letters(switch: &str, value: &str) {
        let world = assuming(switch, value, &[]);
        whole_life(&world);
        good(&deployer(&world, "connector create --config-file claims-orders.json"));
        world.write("claims-lake.json", LAKE.replace("\"none\"", "\"all\""));
        let seen = with_secret(&world, "connector create --config-file claims-lake.json");
        if value == "true" {
            good(&seen);
        } else {
            assert_eq!(seen.code, Some(6), "{seen}");
            let words = "User does not have CREATE access to topic claims-lake-dlq";
            assert!(said(&seen).contains(words), "{seen}");
        }
    }

    pub(super) fn deleted_name(switch: &str, value: &str) {
        let world = assuming(switch, value, &["--timing", "real"]);
        whole_life(&world);
        good(&deployer(&world, "connector create --config-file claims-orders.json"));
        let id = json(&operator(&world, "connector describe claims-orders -o json"))["connector"]["id"].clone();
        good(&deployer(&world, "connector delete claims-orders --force"));
        // What is leaving is no longer shown, and is waited for.
        assert_eq!(operator(&world, "connector list").stdout, "None found.\n");
        good(&deployer(&world, "connector create --config-file claims-orders.json"));
        let now = json(&operator(&world, "connector describe claims-orders -o json"));
        assert_eq!(now["connector"]["status"], "RUNNING");
        assert_ne!(now["connector"]["id"], id, "a new one");
    }

    pub(super) fn who_lists_what(switch: &str, value: &str) {
        let world = assuming(switch, value, &[]);
        good(&world.ebs("onboard motor --sandbox --yes"));
        good(&world.ebs("sandbox clock advance 10m"));
        if value == "refused" {
            return refused(&world);
        }
        world.write("motor-lake.json", LAKE.replace("claims", "motor"));
        let neighbour = || {
            let profile = format!("{PROFILES}/motor-deployer.toml");
            let args = [
                "connector",
                "create",
                "--config-file",
                "motor-lake.json",
                "--no-wait",
                "--profile",
                &profile,
            ];
            world.see(world.command().args(args).env("EBS_SECRET_AWS", "x"))
        };
        good(&neighbour());
        whole_life(&world);
        // Nobody gets to see, or to count, what is a neighbour's.
        good(&deployer(&world, "connector create --config-file claims-orders.json"));
        let list = operator(&world, "connector list -o json");
        let names: Vec<_> = json(&list)
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["name"].clone())
            .collect();
        assert_eq!(names, ["claims-orders"], "{value}");
        let quota = operator(&world, "quota describe").stdout;
        assert!(
            quota.contains("claims-orders") && !quota.contains("motor-lake"),
            "{value}: {quota}"
        );
        let all = json(&operator(&world, "connector pause --all -o json"));
        assert_eq!(all["connectors"].as_array().unwrap().len(), 1, "{value}");
    }

    /// The list is 403 for everybody who may not see all of it: single connectors can be looked after by name, and nothing
    /// is created that cannot be counted.
    fn refused(world: &World) {
        let created = deployer(world, "connector create --config-file claims-orders.json");
        assert_eq!(created.code, Some(4), "{created}");
        assert!(said(&created).contains("not allowed to list"), "{created}");
        make(world);
        let listed = operator(world, "connector list");
        assert_eq!(listed.code, Some(4), "{listed}");
        for args in [
            "connector describe claims-orders",
            "connector pause claims-orders",
            "connector wait claims-orders --paused",
            "connector resume claims-orders",
            "connector wait claims-orders",
            "connector restart claims-orders",
            "connector offset describe claims-orders",
        ] {
            good(&operator(world, args));
        }
        assert_eq!(state(world, "claims-orders"), "RUNNING");
        good(&deployer(world, "connector offset delete claims-orders --force"));
        // A change that needs no more tasks is none for the quota.
        good(&deployer(
            world,
            "connector update claims-orders --config quickstart=USERS",
        ));
        let raised = deployer(world, "connector update claims-orders --config tasks.max=2");
        assert_eq!(raised.code, Some(4), "{raised}");
        assert!(
            said(&raised).contains("2 tasks instead of 1 cannot be set against the quota"),
            "{raised}"
        );
        let missing = operator(world, "connector pause claims-nothing");
        assert!(said(&missing).contains("\"claims-nothing\" not found"), "{missing}");
        let foreign = operator(world, "connector describe motor-orders");
        assert_eq!(foreign.code, Some(4), "{foreign}");
        good(&deployer(world, "connector delete claims-orders --force"));
        good(&world.ebs("sandbox clock advance 1m"));
        let gone = operator(world, "connector describe claims-orders");
        assert!(said(&gone).contains("\"claims-orders\" not found"), "{gone}");
    }

    /// Makes the connector as the administrator would.
    fn make(world: &World) {
        let sandbox = sandbox(world);
        let runtime = account(&sandbox, "runtime");
        let mut body: Value = serde_json::from_str(ORDERS).unwrap();
        body["config"]["name"] = "claims-orders".into();
        body["config"]["kafka.auth.mode"] = "SERVICE_ACCOUNT".into();
        body["config"]["kafka.service.account.id"] = runtime.into();
        body["config"]["tasks.max"] = "1".into();
        let connectors = "/connect/v1/environments/env-prod01/clusters/lkc-prod01/connectors";
        as_administrator(&sandbox, "POST", connectors, &body.to_string(), 201);
    }

    pub(super) fn missing_assigner(switch: &str, value: &str) {
        let world = assuming(switch, value, &[]);
        whole_life(&world);
        let sandbox = sandbox(&world);
        let deployer_account = account(&sandbox, "deployer");
        let bound = sandbox
            .bindings()
            .unwrap()
            .into_iter()
            .find(|found| found.binding.role == Role::Assigner && found.binding.principal.id() == deployer_account);
        let path = format!("/iam/v2/role-bindings/{}", bound.unwrap().id);
        as_administrator(&sandbox, "DELETE", &path, "", 200);
        let seen = deployer(&world, "connector create --config-file claims-orders.json");
        assert_ne!(seen.code, Some(0), "{value}: {seen}");
        let runtime = account(&sandbox, "runtime");
        assert!(said(&seen).contains(&runtime), "{value}: the account is named: {seen}");
        assert!(said(&seen).contains("assign"), "{value}: {seen}");
        assert!(sandbox.connectors().unwrap().is_empty());
    }

    /// The sandbox behind the binary.
    fn sandbox(world: &World) -> Sandbox {
        let address = Address {
            organization: Seed::default().organization,
            environment: "env-prod01".parse().unwrap(),
            cluster: "lkc-prod01".parse().unwrap(),
            schema_registry: None,
        };
        let seed = Seed {
            stages: vec![SeedStage {
                name: "prod".into(),
                address,
                cluster_kind: ClusterKind::Enterprise,
            }],
            clusters: Vec::new(),
            ..Seed::default()
        };
        Sandbox::open(&world.path(".state/confluent-ebs/sandbox"), seed, None).unwrap()
    }

    /// The account of a persona of "claims".
    fn account(sandbox: &Sandbox, persona: &str) -> String {
        let name = format!("ebs-prod-claims-{persona}");
        let all = sandbox.accounts().unwrap();
        all.into_iter()
            .find(|account| account.display_name == name)
            .unwrap()
            .id
            .to_string()
    }

    fn as_administrator(sandbox: &Sandbox, method: &str, path: &str, body: &str, status: u16) {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1{path}"));
        let headers = sandbox.stand_in(Seed::default().admin().as_str());
        let request = headers
            .into_iter()
            .fold(request, |request, (name, value)| request.header(name, value));
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(sandbox.router().oneshot(request)).unwrap();
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
    }
}
