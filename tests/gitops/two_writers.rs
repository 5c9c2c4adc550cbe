//! Another writer beside an apply, at the moments that matter: the service has no conditional writes.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::Router;
use bytes::Bytes;
use confluent_ebs::{
    client::{Client, InProcessTransport, Transport, TransportError},
    clock::Clock,
    config::StandardDirs,
    connectors::{BackupPolicy, secrets::SecretSources},
    error::Error,
    gitops::{
        AppliedPlan, ApplyExceptions, ApplyOptions, Approval, EvidenceContext, GitopsWorkspace, Risk, apply_items,
        approve, plan_stage,
    },
    redact::SecretRegistry,
    session::{ConnectorSession, Environment, Options, RunContext},
};
use futures_util::future::BoxFuture;
use http::{Method, Request, Response};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    DEPLOYER,
    common::{Cli, JsonAccess as _},
    datagen, gitops, remove, repository,
};

/// Transport to the sandbox. Another writer sets `tasks.max` of "claims-gen" directly after the first write of the apply,
/// with the same configuration otherwise.
#[derive(Debug)]
struct SharedService {
    service: InProcessTransport<Router>,
    has_written: AtomicBool,
}

impl Transport for SharedService {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let is_write = request.method() == Method::PUT && request.uri().path().ends_with("/claims-gen/config");
            if !is_write || self.has_written.swap(true, Ordering::SeqCst) {
                return self.service.send(request).await;
            }
            let mut config: Value = serde_json::from_slice(request.body()).unwrap();
            config["tasks.max"] = "3".into();
            let mut other = request.clone();
            *other.body_mut() = config.to_string().into();
            let response = self.service.send(request).await?;
            let written = self.service.send(other).await?;
            assert!(written.status().is_success(), "{written:?}");
            Ok(response)
        })
    }
}

/// The run of a deployer in the folders of the fixture, without terminal and arguments.
fn deployer_run(cli: &Cli) -> RunContext {
    let profile = cli.path(".state/confluent-ebs/sandbox/handover/claims-deployer.toml");
    RunContext {
        environment: Arc::new(Environment {
            variables: BTreeMap::new(),
            working_dir: Some(cli.path("")),
            dirs: Ok(StandardDirs::with_roots(
                cli.path(".state/confluent-ebs"),
                cli.path(".config/confluent-ebs"),
            )),
            home: None,
            executable: None,
            clock: Clock::system(),
            secrets: SecretRegistry::default(),
        }),
        options: Options {
            profile: Some(profile.display().to_string()),
            ..Options::default()
        },
        reporter: Arc::new(()),
        cancel: CancellationToken::new(),
    }
}

/// A repository whose files set `tasks.max` of "claims-gen" from 1 to 2.
fn repository_with_one_change() -> Cli {
    let cli = repository();
    remove(&cli, "connectors/claims/claims-orders.yaml");
    remove(&cli, "connectors/claims/prod/claims-orders.yaml");
    gitops(&cli, "apply --yes").expect_success();
    let changed = format!("{}  tasks.max: \"2\"\n", datagen("claims-gen"));
    cli.write("connectors/claims/prod/claims-gen.yaml", changed);
    cli
}

/// Plans, calls `between`, and applies everything.
async fn apply(
    cli: &Cli,
    wrap: impl FnOnce(&ConnectorSession) -> Option<Client>,
    between: impl FnOnce(),
) -> (AppliedPlan, Option<Error>) {
    let run = deployer_run(cli);
    let workspace = GitopsWorkspace::open(&run).unwrap();
    let mut session = ConnectorSession::open(&run).unwrap();
    if let Some(client) = wrap(&session) {
        session.connectors.client = client;
    }
    let departments = workspace.departments(&run, &session).unwrap();
    let planned = plan_stage(&run, &workspace, &mut session, departments, &[])
        .await
        .unwrap();
    between();
    let plan = &planned.plans[0];
    assert_eq!(plan.items.len(), 1, "{plan:?}");
    let approval = Approval::UpTo(Some(Risk::Destructive));
    let items = approve(plan, &approval, &ApplyExceptions::default()).unwrap();
    session.department = Some(planned.departments[0].clone());
    let secrets = SecretSources {
        dir: None,
        prompt: &|_| None,
    };
    let options = ApplyOptions {
        timeout: Duration::from_mins(10),
        settle_time: Duration::ZERO,
        backup: BackupPolicy {
            enabled: false,
            dir: None,
        },
        evidence: EvidenceContext::new(&workspace, &session, None, approval.to_string()),
    };
    apply_items(&run, &session, secrets, &planned, items, plan.id.clone(), &options)
        .await
        .unwrap()
}

fn tasks(cli: &Cli) -> String {
    let described = cli
        .run(&format!("connector describe claims-gen -o json {DEPLOYER}"))
        .expect_success()
        .json();
    let configs = described.items("/configs");
    let tasks = configs.iter().find(|config| config.text("/config") == "tasks.max");
    tasks.unwrap().text("/value").to_owned()
}

#[tokio::test]
async fn an_apply_alone_succeeds() {
    let cli = repository_with_one_change();
    let (applied, error) = apply(&cli, |_| None, || ()).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(applied.done.len(), 1);
    assert_eq!(tasks(&cli), "2");
}

#[tokio::test]
async fn an_apply_whose_change_is_overwritten_reports_no_success() {
    let cli = repository_with_one_change();
    let sandbox = cli.sandbox();
    let over_shared_service = |session: &ConnectorSession| {
        let client = &session.connectors.client;
        let transport = SharedService {
            service: InProcessTransport::new(sandbox.router()),
            has_written: AtomicBool::new(false),
        };
        let (base, auth) = (client.base().clone(), client.auth().clone());
        Some(Client::builder(base, Arc::new(transport), auth, client.clock().clone()).build())
    };
    let (_, error) = apply(&cli, over_shared_service, || ()).await;
    assert_eq!(tasks(&cli), "3");
    let error = error.expect("another writer has the last word");
    assert!(
        error
            .to_string()
            .contains("connector `claims-gen` is not as this run wrote it"),
        "{error}"
    );
}

#[tokio::test]
async fn a_connector_that_changed_after_the_plan_is_not_overwritten() {
    let cli = repository_with_one_change();
    let other = || {
        cli.write(
            "other/connectors/claims/prod/claims-gen.yaml",
            format!("{}  tasks.max: \"3\"\n", datagen("claims-gen")),
        );
        let mut command = cli.command();
        command.current_dir(cli.path("other"));
        command.args(["gitops", "apply", "--yes", "--settle", "0s", "--profile"]);
        command.arg(cli.path(".state/confluent-ebs/sandbox/handover/claims-deployer.toml"));
        cli.run_command(&mut command).expect_success();
    };
    let (applied, error) = apply(&cli, |_| None, other).await;
    assert!(applied.done.is_empty(), "{applied:?}");
    let error = error.expect("the plan is not that of this connector any more");
    assert!(error.to_string().contains("claims-gen"), "{error}");
    assert_eq!(tasks(&cli), "3");
}
