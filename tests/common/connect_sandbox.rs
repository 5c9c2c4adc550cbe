//! A sandbox with a runtime account that has the grants of its template, to create connectors.

use confluent_ebs::sandbox::SandboxSettings;
use serde_json::{Value, json};

use super::{Caller, JsonAccess as _, SandboxResponse, SandboxServer};

pub(crate) const CONNECTORS_PATH: &str = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connectors";
pub(crate) const PLUGINS_PATH: &str = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connector-plugins";

pub(crate) struct ConnectSandbox {
    pub(crate) api: SandboxServer,
    pub(crate) runtime: String,
    /// Lists the topics as the administrator.
    pub(crate) kafka: Caller,
}

/// The grants of the runtime account in the template `hybrid`.
const RUNTIME_GRANTS: [(&str, &str); 4] = [
    ("DeveloperRead", "/kafka=lkc-prod1/topic=claims-*"),
    ("DeveloperWrite", "/kafka=lkc-prod1/topic=claims-*"),
    ("DeveloperManage", "/kafka=lkc-prod1/topic=claims-*"),
    ("DeveloperRead", "/kafka=lkc-prod1/group=connect-lcc*"),
];

impl ConnectSandbox {
    pub(crate) async fn new() -> Self {
        Self::with_settings(SandboxSettings::instant()).await
    }

    pub(crate) async fn with_settings(settings: SandboxSettings) -> Self {
        let api = SandboxServer::with_settings(settings);
        let runtime = api.create_account("runtime").await;
        for (role, on) in RUNTIME_GRANTS {
            let pattern = format!("{}{on}", api.cluster_crn());
            api.bind(&runtime, role, &pattern).await;
        }
        let admin = api.seed.admin().to_string();
        Self {
            api,
            runtime,
            kafka: Caller::Impersonated(admin),
        }
    }

    pub(crate) fn admin(&self) -> &Caller {
        &self.api.admin
    }

    pub(crate) fn config(&self, name: &str, class: &str, more: &Value) -> Value {
        let mut config = json!({
            "connector.class": class, "name": name, "kafka.auth.mode": "SERVICE_ACCOUNT",
            "kafka.service.account.id": self.runtime, "tasks.max": "1",
        });
        for (key, value) in more.as_object().unwrap() {
            config[key] = value.clone();
        }
        config
    }

    /// Creates a datagen connector with its default configuration.
    pub(crate) async fn create_datagen(&self, name: &str) {
        self.create_connector(&self.datagen_config(name))
            .await
            .expect_status(201);
    }

    pub(crate) fn datagen_config(&self, name: &str) -> Value {
        let more = json!({ "kafka.topic": "claims-orders", "quickstart": "ORDERS", "output.data.format": "JSON" });
        self.config(name, "DatagenSource", &more)
    }

    pub(crate) fn sink_config(&self, name: &str, more: &Value) -> Value {
        let mut all = json!({
            "topics": "claims-orders", "input.data.format": "JSON", "output.data.format": "JSON",
            "s3.bucket.name": "claims", "time.interval": "HOURLY", "flush.size": "1000",
            "aws.access.key.id": "AKIAEXAMPLE", "aws.secret.access.key": "s3cret-canary",
            "errors.deadletterqueue.topic.name": "claims-dlq",
        });
        for (key, value) in more.as_object().unwrap() {
            all[key] = value.clone();
        }
        self.config(name, "S3_SINK", &all)
    }

    pub(crate) fn cdc_config(&self, name: &str, more: &Value) -> Value {
        let mut all = json!({
            "database.hostname": "pg.example.com", "database.port": "5432", "database.user": "cdc",
            "database.password": "pg-canary", "database.dbname": "hr", "topic.prefix": "claims-hr",
            "table.include.list": "public.staff", "output.data.format": "JSON",
        });
        for (key, value) in more.as_object().unwrap() {
            all[key] = value.clone();
        }
        self.config(name, "PostgresCdcSourceV2", &all)
    }

    pub(crate) async fn create_connector(&self, config: &Value) -> SandboxResponse {
        let body = json!({ "name": config["name"], "config": config });
        self.api.post(self.admin(), CONNECTORS_PATH, body).await
    }

    pub(crate) async fn put_config(&self, config: &Value) -> SandboxResponse {
        let path = format!("{CONNECTORS_PATH}/{}/config", config.text("/name"));
        self.api.send(self.admin(), "PUT", &path, Some(config.clone())).await
    }

    pub(crate) async fn get(&self, below: &str) -> SandboxResponse {
        self.api.get(self.admin(), &format!("{CONNECTORS_PATH}/{below}")).await
    }

    pub(crate) async fn send_action(&self, method: &str, below: &str) -> SandboxResponse {
        self.api
            .send(self.admin(), method, &format!("{CONNECTORS_PATH}/{below}"), None)
            .await
    }

    pub(crate) async fn connector_status(&self, name: &str) -> Value {
        self.get(&format!("{name}/status"))
            .await
            .expect_status(200)
            .json()
            .clone()
    }

    pub(crate) async fn connector_state(&self, name: &str) -> String {
        self.connector_status(name).await.text("/connector/state").to_owned()
    }

    pub(crate) async fn topics(&self) -> Vec<String> {
        let list = self
            .api
            .get(&self.kafka, "/kafka/v3/clusters/lkc-prod1/topics")
            .await
            .expect_status(200);
        let names = list.items().iter().map(|topic| topic.text("/topic_name").to_owned());
        names.collect()
    }

    pub(crate) fn advance_clock(&self, seconds: u64) {
        self.api
            .sandbox
            .advance(std::time::Duration::from_secs(seconds))
            .unwrap();
    }
}
