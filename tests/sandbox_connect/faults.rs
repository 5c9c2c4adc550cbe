//! The client against the sandbox with concurrent changes of others, and with a slow, lossy or inconsistent service.

use std::{sync::Arc, time::Duration};

use confluent_ebs::{
    api::connect::ClusterPath,
    client::{Auth, BasicCredentials, Client, CredentialSource, InProcessTransport},
    model::Secret,
    resources::connector::{
        ConnectorClient, CreateOutcome, DesiredConnector, LiveConnector, WaitGoal, WaitOptions, WaitOutcome,
    },
    sandbox::{ConnectorFault, Fault, FaultKind, SandboxSettings},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::common::{CONNECTORS_PATH, Caller, ConnectSandbox, JsonAccess as _};

/// Client of the commands, on the sandbox's clock.
fn connectors_client(connect: &ConnectSandbox) -> ConnectorClient {
    let Caller::ApiKey(key, secret) = connect.admin() else {
        unreachable!()
    };
    let auth = Auth::Basic(BasicCredentials {
        key: key.clone(),
        secret: Secret::new(secret.clone()),
        source: CredentialSource::Issued("the sandbox".into()),
    });
    let sandbox = &connect.api.sandbox;
    let transport = Arc::new(InProcessTransport::new(sandbox.router()));
    let base = "http://127.0.0.1".parse().unwrap();
    ConnectorClient {
        client: Client::builder(base, transport, auth, sandbox.clock()).build(),
        cluster_path: ClusterPath {
            environment: "env-prod1".parse().unwrap(),
            cluster: "lkc-prod1".parse().unwrap(),
        },
        clock: sandbox.clock(),
        history_dir: None,
        interrupt: tokio_util::sync::CancellationToken::new(),
    }
}

fn desired_connector(config: &Value) -> DesiredConnector {
    DesiredConnector {
        name: config.text("/name").to_owned(),
        config: serde_json::from_value(config.clone()).unwrap(),
        offsets: None,
        secret_keys: std::collections::BTreeSet::new(),
    }
}

async fn observe(connectors: &ConnectorClient, name: &str) -> LiveConnector {
    connectors.find_by_name(name).await.unwrap().unwrap()
}

/// Number of requests of this kind that reached the service.
fn count_requests(connect: &ConnectSandbox, method: &str, end: &str) -> usize {
    let journal = connect.api.sandbox.journal().unwrap();
    let journal = journal.iter().filter(|entry| entry.path.starts_with("/connect/"));
    journal
        .filter(|entry| entry.method == method && entry.path.ends_with(end))
        .count()
}

fn add_fault(connect: &ConnectSandbox, kind: FaultKind, method: &str) {
    let fault = Fault::once(kind).for_requests(method, "/connect/**");
    connect.api.sandbox.add_fault(fault).unwrap();
}

#[tokio::test]
async fn a_connector_deleted_between_read_and_write_is_reported_and_not_recreated() {
    let connect = ConnectSandbox::new().await;
    let connectors = connectors_client(&connect);
    let config = connect.datagen_config("claims-orders");
    connect.create_connector(&config).await.expect_status(201);
    let before = observe(&connectors, "claims-orders").await;
    connect.send_action("DELETE", "claims-orders").await.expect_status(200);
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
    let error = connectors
        .replace(&before, &desired_connector(&config).config)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no connector of that name"), "{error}");
    connectors.delete(&before).await.unwrap();
    assert!(connect.api.sandbox.connectors().unwrap().is_empty());
    assert_eq!(
        count_requests(&connect, "PUT", "/config"),
        0,
        "a PUT would have created it"
    );
}

#[tokio::test]
async fn a_connector_changed_or_replaced_since_the_read_is_not_modified() {
    let connect = ConnectSandbox::new().await;
    let connectors = connectors_client(&connect);
    let mut config = connect.datagen_config("claims-orders");
    connect.create_connector(&config).await.expect_status(201);
    let before = observe(&connectors, "claims-orders").await;
    // Another caller updates it …
    config["quickstart"] = json!("USERS");
    connect.put_config(&config).await.expect_status(200);
    let error = connectors
        .replace(&before, &before.expanded.info.config)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("other values of quickstart"), "{error}");
    assert_eq!(
        connect.get("claims-orders/config").await.string_at("/quickstart"),
        "USERS"
    );
    // … or uses its name.
    connect.send_action("DELETE", "claims-orders").await.expect_status(200);
    connect.create_connector(&config).await.expect_status(201);
    let now = observe(&connectors, "claims-orders").await;
    assert_ne!(before.id(), now.id());
    let error = connectors.delete(&before).await.unwrap_err();
    assert!(error.to_string().contains(now.id()), "{error}");
    assert_eq!(observe(&connectors, "claims-orders").await.id(), now.id());
}

// Two concurrent creates: exactly one connector, and the other caller learns who owns it.
#[tokio::test]
async fn concurrent_identical_creates_create_one_connector() {
    let connect = ConnectSandbox::new().await;
    let connectors = connectors_client(&connect);
    let same = desired_connector(&connect.datagen_config("claims-orders"));
    let (one, two) = tokio::join!(connectors.create(&same), connectors.create(&same));
    let made = [&one, &two]
        .iter()
        .filter(|begun| matches!(begun, Ok(CreateOutcome::Created(_))))
        .count();
    let found = [&one, &two]
        .iter()
        .filter(|begun| matches!(begun, Ok(CreateOutcome::AlreadyExists(_))))
        .count();
    assert_eq!((made, found), (1, 1), "{one:?} {two:?}");
    let mut config = connect.datagen_config("claims-orders");
    config["quickstart"] = json!("USERS");
    let error = connectors.create(&desired_connector(&config)).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("already exists with a different configuration"),
        "{error}"
    );
    assert_eq!(
        connect.get("claims-orders/config").await.string_at("/quickstart"),
        "ORDERS"
    );
}

#[tokio::test]
async fn a_lost_create_response_leaves_one_connector() {
    for (kind, sent) in [
        (FaultKind::LostAfter, 1),
        (FaultKind::ServerError, 1),
        (FaultKind::TooManyRequests { retry_after: 7 }, 2),
    ] {
        let connect = ConnectSandbox::new().await;
        let connectors = connectors_client(&connect);
        add_fault(&connect, kind, "POST");
        let begun = connectors
            .create(&desired_connector(&connect.datagen_config("claims-orders")))
            .await;
        assert_eq!(count_requests(&connect, "POST", "/connectors"), sent, "{kind:?}");
        match kind {
            FaultKind::LostAfter => assert!(matches!(begun, Ok(CreateOutcome::AlreadyExists(_))), "{begun:?}"),
            FaultKind::ServerError => assert!(begun.is_err(), "nothing was created, and nothing was retried"),
            _ => assert!(matches!(begun, Ok(CreateOutcome::Created(_))), "{begun:?}"),
        }
        let count = usize::from(kind != FaultKind::ServerError);
        assert_eq!(connect.api.sandbox.connectors().unwrap().len(), count, "{kind:?}");
    }
}

#[tokio::test]
async fn idempotent_operations_survive_a_lost_response() {
    let connect = ConnectSandbox::new().await;
    let connectors = connectors_client(&connect);
    let config = connect.datagen_config("claims-orders");
    connect.create_connector(&config).await.expect_status(201);
    let now = observe(&connectors, "claims-orders").await;
    for kind in [FaultKind::LostBefore, FaultKind::LostAfter, FaultKind::ServerError] {
        add_fault(&connect, kind, "PUT");
        connectors.pause(&now).await.unwrap();
        assert_eq!(connect.connector_state("claims-orders").await, "PAUSED", "{kind:?}");
        add_fault(&connect, kind, "PUT");
        connectors.resume(&now).await.unwrap();
        assert_eq!(connect.connector_state("claims-orders").await, "RUNNING", "{kind:?}");
        add_fault(&connect, kind, "PUT");
        connectors.replace(&now, &now.expanded.info.config).await.unwrap();
    }
    add_fault(&connect, FaultKind::LostAfter, "DELETE");
    connectors.delete(&now).await.unwrap();
    assert!(connect.api.sandbox.connectors().unwrap().is_empty());
}

#[tokio::test]
async fn a_flapping_connector_ends_the_wait_and_fails_later() {
    let connect = ConnectSandbox::with_settings(SandboxSettings::real()).await;
    connect.advance_clock(120);
    let connectors = connectors_client(&connect);
    let sandbox = &connect.api.sandbox;
    sandbox
        .set_connector_fault("claims-orders", Some(ConnectorFault::Flapping))
        .unwrap();
    connect.create_datagen("claims-orders").await;
    let patience = WaitOptions {
        timeout: Duration::from_mins(30),
        settle_time: Duration::ZERO,
        pause_limit: Duration::ZERO,
        interrupt: CancellationToken::new(),
        goal: WaitGoal::Running,
    };
    let outcome = connectors.wait("claims-orders", &patience, &|_| {}).await.unwrap();
    assert!(matches!(outcome, WaitOutcome::Reached(_)), "{outcome:?}");
    // Source: docs/reference/connect.md#timing-of-states. RUNNING → FAILED → RUNNING.
    let mut states = Vec::new();
    for _ in 0..60 {
        let now = observe(&connectors, "claims-orders").await;
        if states.last().map(String::as_str) != Some(now.state().as_str()) {
            states.push(now.state().to_string());
        }
        connect.advance_clock(5);
    }
    assert!(
        states.windows(3).any(|run| run == ["RUNNING", "FAILED", "RUNNING"]),
        "{states:?}"
    );
}

#[tokio::test]
async fn a_stale_list_does_not_hide_a_created_connector() {
    let connect = ConnectSandbox::new().await;
    let connectors = connectors_client(&connect);
    let lag = Fault::once(FaultKind::ListLag { seconds: 3_600 })
        .for_requests("GET", CONNECTORS_PATH)
        .times(3);
    connect.api.sandbox.add_fault(lag).unwrap();
    let begun = connectors
        .create(&desired_connector(&connect.datagen_config("claims-orders")))
        .await
        .unwrap();
    let CreateOutcome::Created(Some(made)) = begun else {
        panic!("{begun:?}")
    };
    assert!(made.id().starts_with("lcc-"), "the command waits for the id");
}
