//! A department with a runtime account that may do what its template gives it.

use confluent_ebs::sandbox::Settings;
use serde_json::{Value, json};

use crate::harness::{Answer, Harness, Login};

pub(crate) const CONNECTORS: &str = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connectors";
pub(crate) const PLUGINS: &str = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connector-plugins";

pub(crate) struct World {
    pub(crate) harness: Harness,
    pub(crate) runtime: String,
    /// Reads the topics as the administrator.
    pub(crate) kafka: Login,
}

/// The hybrid template's grants of the runtime account.
const RUNTIME: [(&str, &str); 4] = [
    ("DeveloperRead", "/kafka=lkc-prod1/topic=claims-*"),
    ("DeveloperWrite", "/kafka=lkc-prod1/topic=claims-*"),
    ("DeveloperManage", "/kafka=lkc-prod1/topic=claims-*"),
    ("DeveloperRead", "/kafka=lkc-prod1/group=connect-lcc*"),
];

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::instant()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let harness = Harness::with(settings);
        let runtime = harness.account("runtime").await;
        for (role, on) in RUNTIME {
            let pattern = format!("{}{on}", harness.cluster_crn());
            harness.bind(&runtime, role, &pattern).await;
        }
        let admin = harness.seed.admin().to_string();
        Self {
            harness,
            runtime,
            kafka: Login::As(admin),
        }
    }

    pub(crate) fn admin(&self) -> &Login {
        &self.harness.admin
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

    pub(crate) fn datagen(&self, name: &str) -> Value {
        let more = json!({ "kafka.topic": "claims-orders", "quickstart": "ORDERS", "output.data.format": "JSON" });
        self.config(name, "DatagenSource", &more)
    }

    pub(crate) fn sink(&self, name: &str, more: &Value) -> Value {
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

    pub(crate) fn cdc(&self, name: &str, more: &Value) -> Value {
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

    pub(crate) async fn create(&self, config: &Value) -> Answer {
        let body = json!({ "name": config["name"], "config": config });
        self.harness.post(self.admin(), CONNECTORS, body).await
    }

    pub(crate) async fn put(&self, config: &Value) -> Answer {
        let path = format!("{CONNECTORS}/{}/config", config["name"].as_str().unwrap());
        self.harness
            .send(self.admin(), "PUT", &path, Some(config.clone()))
            .await
    }

    pub(crate) async fn get(&self, below: &str) -> Answer {
        self.harness.get(self.admin(), &format!("{CONNECTORS}/{below}")).await
    }

    pub(crate) async fn act(&self, method: &str, below: &str) -> Answer {
        self.harness
            .send(self.admin(), method, &format!("{CONNECTORS}/{below}"), None)
            .await
    }

    pub(crate) async fn status(&self, name: &str) -> Value {
        self.get(&format!("{name}/status")).await.expect(200).json().clone()
    }

    pub(crate) async fn state(&self, name: &str) -> String {
        self.status(name).await["connector"]["state"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) async fn topics(&self) -> Vec<String> {
        let list = self
            .harness
            .get(&self.kafka, "/kafka/v3/clusters/lkc-prod1/topics")
            .await
            .expect(200);
        let names = list
            .data()
            .iter()
            .map(|topic| topic["topic_name"].as_str().unwrap().to_owned());
        names.collect()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.harness
            .sandbox
            .advance(std::time::Duration::from_secs(seconds))
            .unwrap();
    }
}
