//! The clients of a department for connectors, logs and metrics, with a sandbox in this process.

use std::{path::Path, sync::Arc, time::Duration};

use confluent_ebs::{
    api::{connect::ClusterPath, logs::LogEntry},
    client::{Client, Jitter, LogsClient, MetricsClient, RetryPolicy, TokenCache},
    model::ResourceKind,
    redact::TextRedactor,
    resources::{
        connector::{ConnectorClient, LiveConnector},
        logs::{
            cursor::Window,
            follow::{ConnectorListCache, Follower, LogFilter, LogTarget, read_window},
        },
    },
    sandbox::SandboxSettings,
};
use jiff::Timestamp;

use super::{ApiKeyPair, Caller, ConnectSandbox, sandbox_client};

/// A department's key, and the sandbox it works with.
pub(crate) struct DepartmentClients {
    pub(crate) connect: ConnectSandbox,
    login: Caller,
}

/// Filter that accepts every log line.
pub(crate) fn all_levels_filter() -> LogFilter {
    LogFilter {
        levels: ["INFO", "WARN", "ERROR"].map(str::to_owned).into(),
        text: None,
        task: None,
    }
}

impl DepartmentClients {
    /// Clients with a key that has `role` on the connectors of the department.
    pub(crate) async fn new(settings: SandboxSettings, role: &str) -> Self {
        let connect = ConnectSandbox::with_settings(settings).await;
        let account = connect.api.create_account("operator").await;
        let pattern = format!("{}/connector=claims-*", connect.api.cluster_crn());
        connect.api.bind(&account, role, &pattern).await;
        let login = connect.api.create_key(&account, "cloud").await;
        connect.advance_clock(600);
        Self { connect, login }
    }

    pub(crate) fn client(&self) -> Client {
        let Caller::ApiKey(key, secret) = &self.login else {
            panic!("the department has a key")
        };
        let key = ApiKeyPair {
            id: key.clone(),
            secret: secret.clone(),
        };
        let policy = RetryPolicy {
            min_throttle_wait: Duration::from_secs(12),
            ..RetryPolicy::default()
        };
        sandbox_client(&self.connect.api.sandbox, &key)
            .policy(policy)
            .jitter(Jitter::ceiling())
            .build()
    }

    pub(crate) fn logs(&self, limits: Option<&Path>) -> LogsClient {
        let client = self.client();
        LogsClient::new(client.clone(), TokenCache::new(client), limits.map(Path::to_owned))
    }

    pub(crate) fn metrics(&self, limits: Option<&Path>) -> MetricsClient {
        MetricsClient::new(&self.client(), limits)
    }

    pub(crate) fn connectors(&self) -> ConnectorClient {
        let address = &self.connect.api.seed.stages[0].address;
        ConnectorClient {
            client: self.client(),
            cluster_path: ClusterPath {
                environment: address.environment.clone(),
                cluster: address.cluster.clone(),
            },
            clock: self.connect.api.sandbox.clock(),
            history_dir: None,
            interrupt: tokio_util::sync::CancellationToken::new(),
        }
    }

    pub(crate) async fn observed(&self, name: &str) -> LiveConnector {
        self.connectors().find_by_name(name).await.unwrap().unwrap()
    }

    pub(crate) fn log_target(&self, seen: &LiveConnector) -> LogTarget {
        let address = &self.connect.api.seed.stages[0].address;
        LogTarget {
            crn: address.resource(ResourceKind::Connector, &seen.name).unwrap(),
            id: Some(seen.id().to_owned()),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.connect.api.sandbox.now().unwrap()
    }

    pub(crate) async fn follower(&self, name: &str, start: Timestamp, logs: &LogsClient) -> Follower {
        let connectors = self.connectors();
        let list = connectors.list().await.unwrap();
        let roster = Arc::new(ConnectorListCache::new(connectors, list));
        let seen = self.observed(name).await;
        let subject = self.log_target(&seen);
        Follower::new(
            &seen,
            subject,
            all_levels_filter(),
            start,
            TextRedactor::default(),
            logs,
            roster,
        )
    }

    /// All lines of the service, searched later in periods that fit into one page.
    pub(crate) async fn all_log_lines(&self, name: &str, from: Timestamp, to: Timestamp) -> Vec<LogEntry> {
        let logs = self.logs(None);
        let seen = self.observed(name).await;
        let subject = self.log_target(&seen);
        let window = Window { from, to };
        let (all, mut scrubber) = (all_levels_filter(), TextRedactor::default());
        let one = logs.for_connector(subject.rate_limit_key());
        let (mut spool, more) = read_window(&one, &subject, &all, window, None, &mut scrubber, &|_| {})
            .await
            .unwrap();
        assert!(!more);
        let mut lines = Vec::new();
        while let Some(page) = spool.pop().unwrap() {
            lines.extend(page);
        }
        lines
    }
}
