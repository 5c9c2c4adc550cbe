//! Our own client against the sandbox while others change things, and while the service is slow, lossy or of two minds.

use std::{sync::Arc, time::Duration};

use confluent_ebs::{
    api::connect::Place,
    client::{Auth, Client, CredentialSource, Credentials, InProcess},
    interrupt::Interrupt,
    model::Secret,
    resources::connector::{Begun, Connectors, Goal, Outcome, Patience, Seen, Wanted},
    sandbox::{ConnectorFault, Fault, FaultKind, Settings},
};
use serde_json::{Value, json};

use crate::{
    harness::Login,
    world::{CONNECTORS, World},
};

/// The way of the commands, on the sandbox's clock.
fn ours(world: &World) -> Connectors {
    let Login::Key(key, secret) = world.admin() else {
        unreachable!()
    };
    let auth = Auth::Basic(Credentials {
        key: key.clone(),
        secret: Secret::new(secret.clone()),
        source: CredentialSource::Issued("the sandbox".into()),
    });
    let sandbox = &world.harness.sandbox;
    let transport = Arc::new(InProcess::new(sandbox.router()));
    let base = "http://127.0.0.1".parse().unwrap();
    Connectors {
        client: Client::builder(base, transport, auth, sandbox.clock()).build(),
        place: Place {
            environment: "env-prod1".parse().unwrap(),
            cluster: "lkc-prod1".parse().unwrap(),
        },
        clock: sandbox.clock(),
    }
}

fn wanted(config: &Value) -> Wanted {
    Wanted {
        name: config["name"].as_str().unwrap().to_owned(),
        config: serde_json::from_value(config.clone()).unwrap(),
        offsets: None,
        secret_keys: std::collections::BTreeSet::new(),
    }
}

async fn seen(connectors: &Connectors, name: &str) -> Seen {
    connectors.named(name).await.unwrap().unwrap()
}

/// How often a request of that kind reached the service.
fn asked(world: &World, method: &str, end: &str) -> usize {
    let journal = world.harness.sandbox.journal().unwrap();
    let journal = journal.iter().filter(|entry| entry.path.starts_with("/connect/"));
    journal
        .filter(|entry| entry.method == method && entry.path.ends_with(end))
        .count()
}

fn strikes(world: &World, kind: FaultKind, method: &str) {
    let fault = Fault::once(kind).on(method, "/connect/**");
    world.harness.sandbox.add_fault(fault).unwrap();
}

#[tokio::test]
async fn a_connector_that_vanishes_between_read_and_write_is_said_to_be_gone_and_is_not_made_anew() {
    let world = World::new().await;
    let connectors = ours(&world);
    let config = world.datagen("claims-orders");
    world.create(&config).await.expect(201);
    let before = seen(&connectors, "claims-orders").await;
    world.act("DELETE", "claims-orders").await.expect(200);
    for error in [
        connectors.pause(&before).await.unwrap_err(),
        connectors.resume(&before).await.unwrap_err(),
        connectors.restart(&before).await.unwrap_err(),
    ] {
        assert!(
            error.to_string().contains("404: Connector claims-orders not found"),
            "{error}"
        );
    }
    let error = connectors.replace(&before, &wanted(&config).config).await.unwrap_err();
    assert!(error.to_string().contains("no connector of that name"), "{error}");
    connectors.delete(&before).await.unwrap();
    assert!(world.harness.sandbox.connectors().unwrap().is_empty());
    assert_eq!(asked(&world, "PUT", "/config"), 0, "a PUT would have created it");
}

#[tokio::test]
async fn a_connector_that_is_another_by_now_is_left_alone() {
    let world = World::new().await;
    let connectors = ours(&world);
    let mut config = world.datagen("claims-orders");
    world.create(&config).await.expect(201);
    let before = seen(&connectors, "claims-orders").await;
    // Somebody else changes it …
    config["quickstart"] = json!("USERS");
    world.put(&config).await.expect(200);
    let error = connectors.replace(&before, &before.now.info.config).await.unwrap_err();
    assert!(error.to_string().contains("other values of quickstart"), "{error}");
    assert_eq!(world.get("claims-orders/config").await.text("/quickstart"), "USERS");
    // … or takes its name.
    world.act("DELETE", "claims-orders").await.expect(200);
    world.create(&config).await.expect(201);
    let now = seen(&connectors, "claims-orders").await;
    assert_ne!(before.id(), now.id());
    let error = connectors.delete(&before).await.unwrap_err();
    assert!(error.to_string().contains(now.id()), "{error}");
    assert_eq!(seen(&connectors, "claims-orders").await.id(), now.id());
}

// Two creates at once: exactly one connector, and the loser knows whose it is.
#[tokio::test]
async fn of_two_who_create_the_same_at_once_one_makes_it_and_the_other_finds_it() {
    let world = World::new().await;
    let connectors = ours(&world);
    let same = wanted(&world.datagen("claims-orders"));
    let (one, two) = tokio::join!(connectors.create(&same), connectors.create(&same));
    let made = [&one, &two]
        .iter()
        .filter(|begun| matches!(begun, Ok(Begun::Made(_))))
        .count();
    let found = [&one, &two]
        .iter()
        .filter(|begun| matches!(begun, Ok(Begun::Found(_))))
        .count();
    assert_eq!((made, found), (1, 1), "{one:?} {two:?}");
    let mut config = world.datagen("claims-orders");
    config["quickstart"] = json!("USERS");
    let error = connectors.create(&wanted(&config)).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("exists already, and is configured differently"),
        "{error}"
    );
    assert_eq!(world.get("claims-orders/config").await.text("/quickstart"), "ORDERS");
}

#[tokio::test]
async fn a_lost_answer_makes_one_connector_and_not_two() {
    for (kind, sent) in [
        (FaultKind::LostAfter, 1),
        (FaultKind::ServerError, 1),
        (FaultKind::TooManyRequests { retry_after: 7 }, 2),
    ] {
        let world = World::new().await;
        let connectors = ours(&world);
        strikes(&world, kind, "POST");
        let begun = connectors.create(&wanted(&world.datagen("claims-orders"))).await;
        assert_eq!(asked(&world, "POST", "/connectors"), sent, "{kind:?}");
        match kind {
            FaultKind::LostAfter => assert!(matches!(begun, Ok(Begun::Found(_))), "{begun:?}"),
            FaultKind::ServerError => assert!(begun.is_err(), "nothing was made, and nothing was sent twice"),
            _ => assert!(matches!(begun, Ok(Begun::Made(_))), "{begun:?}"),
        }
        let count = usize::from(kind != FaultKind::ServerError);
        assert_eq!(world.harness.sandbox.connectors().unwrap().len(), count, "{kind:?}");
    }
}

#[tokio::test]
async fn what_may_be_repeated_survives_a_lost_answer() {
    let world = World::new().await;
    let connectors = ours(&world);
    let config = world.datagen("claims-orders");
    world.create(&config).await.expect(201);
    let now = seen(&connectors, "claims-orders").await;
    for kind in [FaultKind::LostBefore, FaultKind::LostAfter, FaultKind::ServerError] {
        strikes(&world, kind, "PUT");
        connectors.pause(&now).await.unwrap();
        assert_eq!(world.state("claims-orders").await, "PAUSED", "{kind:?}");
        strikes(&world, kind, "PUT");
        connectors.resume(&now).await.unwrap();
        assert_eq!(world.state("claims-orders").await, "RUNNING", "{kind:?}");
        strikes(&world, kind, "PUT");
        connectors.replace(&now, &now.now.info.config).await.unwrap();
    }
    strikes(&world, FaultKind::LostAfter, "DELETE");
    connectors.delete(&now).await.unwrap();
    assert!(world.harness.sandbox.connectors().unwrap().is_empty());
}

#[tokio::test]
async fn a_connector_that_flaps_ends_a_wait_and_is_seen_to_fail_later() {
    let world = World::with(Settings::real()).await;
    world.advance(120);
    let connectors = ours(&world);
    let sandbox = &world.harness.sandbox;
    sandbox
        .set_connector_fault("claims-orders", Some(ConnectorFault::Flapping))
        .unwrap();
    world.create(&world.datagen("claims-orders")).await.expect(201);
    let patience = Patience {
        timeout: Duration::from_mins(30),
        settle: Duration::ZERO,
        interrupt: Interrupt::new(),
        goal: Goal::Running,
    };
    let outcome = connectors.wait("claims-orders", &patience, &|_| {}).await.unwrap();
    assert!(matches!(outcome, Outcome::Reached(_)), "{outcome:?}");
    // Dossier `connect.md` §3.2: RUNNING → FAILED → RUNNING.
    let mut states = Vec::new();
    for _ in 0..60 {
        let now = seen(&connectors, "claims-orders").await;
        if states.last().map(String::as_str) != Some(now.state()) {
            states.push(now.state().to_owned());
        }
        world.advance(5);
    }
    assert!(
        states.windows(3).any(|run| run == ["RUNNING", "FAILED", "RUNNING"]),
        "{states:?}"
    );
}

#[tokio::test]
async fn a_list_that_lags_does_not_hide_what_was_just_made() {
    let world = World::new().await;
    let connectors = ours(&world);
    let lag = Fault::once(FaultKind::ListLag { seconds: 3_600 })
        .on("GET", CONNECTORS)
        .times(3);
    world.harness.sandbox.add_fault(lag).unwrap();
    let begun = connectors
        .create(&wanted(&world.datagen("claims-orders")))
        .await
        .unwrap();
    let Begun::Made(Some(made)) = begun else {
        panic!("{begun:?}")
    };
    assert!(made.id().starts_with("lcc-"), "the id is waited for");
}
