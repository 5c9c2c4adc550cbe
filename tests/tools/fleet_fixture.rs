//! Many connectors, created directly in the sandbox, and the requests it received.

use axum::body::Body;
use confluent_ebs::sandbox::{Sandbox, SandboxJournalEntry, Seed};
use http::Request;
use tower::ServiceExt as _;

use crate::common::{CliFixture, sandbox_start};

/// The sandbox of a home.
pub(crate) fn open_sandbox(cli: &CliFixture) -> Sandbox {
    let dir = cli.path(".state/confluent-ebs/sandbox");
    Sandbox::open_at(&dir, Seed::default(), None, Some(sandbox_start())).unwrap()
}

/// Creates `number` connectors of "claims", above the limits of a cluster.
pub(crate) fn create_claims_connectors(cli: &CliFixture, number: usize) {
    let names: Vec<String> = (1..=number)
        .map(|number| format!("claims-source-{number:03}"))
        .collect();
    let plan = names.iter().map(|name| ConnectorSpec {
        stage: "prod",
        department: "claims",
        name,
        tasks: 1,
    });
    create_connectors(cli, plan);
}

/// A connector to create.
pub(crate) struct ConnectorSpec<'a> {
    pub(crate) stage: &'a str,
    /// Department whose runtime account it runs under.
    pub(crate) department: &'a str,
    pub(crate) name: &'a str,
    pub(crate) tasks: u32,
}

/// Creates connectors as an administrator, above the limits of a cluster.
pub(crate) fn create_connectors<'a>(cli: &CliFixture, plan: impl IntoIterator<Item = ConnectorSpec<'a>>) {
    let sandbox = open_sandbox(cli);
    let mut settings = sandbox.settings().unwrap();
    settings.quotas.insert("connect.max_tasks.per_cluster".into(), 100_000);
    sandbox.set_settings(settings).unwrap();
    let accounts = sandbox.accounts().unwrap();
    let admin = sandbox.info(false).unwrap().admin;
    let runtime_of_threads = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime_of_threads.block_on(async {
        for made in plan {
            let ConnectorSpec {
                stage,
                department,
                name,
                tasks,
            } = made;
            let runtime = format!("ebs-{stage}-{department}-runtime");
            let runtime = accounts.iter().find(|account| account.display_name == runtime);
            let runtime = &runtime.unwrap_or_else(|| panic!("{runtime:?} of {name}")).id;
            // The only department of the example whose prefix differs from its code.
            let topic = format!("{}-orders", department.replace("data-platform", "dataplatform"));
            let body = serde_json::json!({"name": name, "config": {
                "name": name, "connector.class": "DatagenSource", "kafka.topic": topic,
                "quickstart": "ORDERS", "kafka.auth.mode": "SERVICE_ACCOUNT", "kafka.service.account.id": runtime,
                "tasks.max": tasks.to_string(),
            }});
            let target =
                format!("http://127.0.0.1/connect/v1/environments/env-{stage}01/clusters/lkc-{stage}01/connectors");
            let mut request = Request::post(target);
            for (name, value) in sandbox.impersonation_headers(&admin) {
                request = request.header(name, value);
            }
            let request = request.body(Body::from(body.to_string())).unwrap();
            let answer = sandbox.router().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), 201, "{name}");
        }
    });
}

/// Requests since `seq`.
pub(crate) fn requests_since(cli: &CliFixture, seq: u64) -> Vec<SandboxJournalEntry> {
    let journal = open_sandbox(cli).journal().unwrap();
    journal.into_iter().filter(|entry| entry.seq > seq).collect()
}

/// Number of the last request.
pub(crate) fn last_request_seq(cli: &CliFixture) -> u64 {
    open_sandbox(cli).journal().unwrap().last().map_or(0, |entry| entry.seq)
}
