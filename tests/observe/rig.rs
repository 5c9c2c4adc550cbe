//! A department's key, and the clients that it opens, on a sandbox in this process.

use std::{path::Path, sync::Arc, time::Duration};

use confluent_ebs::{
    api::{connect::Place, logs::LogEntry},
    client::{
        Auth, BaseUrl, Client, CredentialSource, Credentials, InProcess, Jitter, Logs, Metrics, RetryPolicy, Scrubber,
        Tokens,
    },
    model::{ResourceKind, Secret},
    resources::{
        connector::{Connectors, Seen},
        logs::{
            follow::{Follower, Question, Roster, Subject, read},
            tail::Window,
        },
    },
    sandbox::Settings,
};
use jiff::Timestamp;

use crate::{harness::Login, world::World};

pub(crate) struct Rig {
    pub(crate) world: World,
    login: Login,
}

pub(crate) fn all_levels() -> Question {
    Question {
        levels: ["INFO", "WARN", "ERROR"].map(str::to_owned).into(),
        text: None,
        task: None,
    }
}

impl Rig {
    /// A world with a key that holds `role` on the connectors of the department.
    pub(crate) async fn new(settings: Settings, role: &str) -> Self {
        let world = World::with(settings).await;
        let account = world.harness.account("operator").await;
        let pattern = format!("{}/connector=claims-*", world.harness.cluster_crn());
        world.harness.bind(&account, role, &pattern).await;
        let login = world.harness.make_key(&account, "cloud").await;
        world.advance(600);
        Self { world, login }
    }

    pub(crate) fn client(&self) -> Client {
        let Login::Key(key, secret) = &self.login else {
            panic!("the rig has a key")
        };
        let base: BaseUrl = "http://127.0.0.1:1024".parse().unwrap();
        let auth = Auth::Basic(Credentials {
            key: key.clone(),
            secret: Secret::new(secret.clone()),
            source: CredentialSource::Sandbox("operator".into()),
        });
        let sandbox = &self.world.harness.sandbox;
        let policy = RetryPolicy {
            throttled: Duration::from_secs(12),
            ..RetryPolicy::default()
        };
        Client::builder(base, Arc::new(InProcess::new(sandbox.router())), auth, sandbox.clock())
            .policy(policy)
            .jitter(Jitter::ceiling())
            .build()
    }

    pub(crate) fn logs(&self, limits: Option<&Path>) -> Logs {
        let client = self.client();
        Logs::new(client.clone(), Tokens::new(client), limits.map(Path::to_owned))
    }

    pub(crate) fn metrics(&self, limits: Option<&Path>) -> Metrics {
        Metrics::new(&self.client(), limits)
    }

    pub(crate) fn connectors(&self) -> Connectors {
        let address = &self.world.harness.seed.stages[0].address;
        Connectors {
            client: self.client(),
            place: Place {
                environment: address.environment.clone(),
                cluster: address.cluster.clone(),
            },
            clock: self.world.harness.sandbox.clock(),
        }
    }

    pub(crate) async fn seen(&self, name: &str) -> Seen {
        self.connectors().named(name).await.unwrap().unwrap()
    }

    pub(crate) fn subject(&self, seen: &Seen) -> Subject {
        let address = &self.world.harness.seed.stages[0].address;
        Subject {
            crn: address.resource(ResourceKind::Connector, &seen.name).unwrap(),
            id: Some(seen.id().to_owned()),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.world.harness.sandbox.now().unwrap()
    }

    pub(crate) async fn follower(&self, name: &str, start: Timestamp, logs: &Logs) -> Follower {
        let connectors = self.connectors();
        let list = connectors.list().await.unwrap();
        let roster = Arc::new(Roster::new(connectors, list));
        let seen = self.seen(name).await;
        let subject = self.subject(&seen);
        Follower::new(&seen, subject, all_levels(), start, Scrubber::default(), logs, roster)
    }

    /// Everything that the service has, asked for in windows that are short enough for a page, long after.
    pub(crate) async fn truth(&self, name: &str, from: Timestamp, to: Timestamp) -> Vec<LogEntry> {
        let logs = self.logs(None);
        let seen = self.seen(name).await;
        let subject = self.subject(&seen);
        let window = Window { from, to };
        let (all, mut scrubber) = (all_levels(), Scrubber::default());
        let one = logs.of(subject.key());
        let (mut spool, more) = read(&one, &subject, &all, window, None, &mut scrubber, &|_| {})
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
