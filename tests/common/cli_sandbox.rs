//! The sandbox of a [`Cli`]: the binary uses it, and the test can access it directly.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use confluent_ebs::{
    api::{Endpoint, encode_segment, kafka::DeleteAcl},
    client::Client,
    config::Profile,
    model::{AclBinding, KeyKind},
    sandbox::{Sandbox, SandboxJournalEntry},
};
use serde_json::{Value, json};

use super::{
    Caller, Cli, CliOutput, JsonAccess as _, ProvisionedState, SandboxServer, example_seed, list_files, sandbox_client,
    sandbox_start, tokio_runtime,
};

/// Folder of the profiles that onboarding writes, in the home.
pub(crate) const PROFILES_DIR: &str = ".state/confluent-ebs/sandbox/handover";

/// The ACLs of the cluster of stage prod.
pub(crate) const ACLS_PATH: &str = "/kafka/v3/clusters/lkc-prod01/acls";
/// The organization's CRN.
pub(crate) const ORGANIZATION_CRN: &str = "crn://confluent.cloud/organization=11111111-2222-3333-4444-555555555555";
/// The CRN of the cluster of stage prod.
pub(crate) const CLUSTER_CRN: &str = "crn://confluent.cloud/organization=11111111-2222-3333-4444-555555555555/\
                                  environment=env-prod01/cloud-cluster=lkc-prod01";

/// The CRN of a service account.
pub(crate) fn account_crn(id: &str) -> String {
    format!("{ORGANIZATION_CRN}/service-account={id}")
}

/// An API key with its secret.
#[derive(Clone, Debug)]
pub(crate) struct ApiKeyPair {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl From<&ApiKeyPair> for Caller {
    fn from(key: &ApiKeyPair) -> Self {
        Self::api_key(&key.id, &key.secret)
    }
}

/// A connector to create.
pub(crate) struct ConnectorSpec<'a> {
    pub(crate) stage: &'a str,
    /// Department whose runtime account it runs under.
    pub(crate) department: &'a str,
    pub(crate) name: &'a str,
    pub(crate) tasks: u32,
}

impl Cli {
    /// Runs a command, checks its exit code, and that it sent no writes.
    #[track_caller]
    pub(crate) fn run_without_writes(&self, args: &str, code: i32) -> CliOutput {
        let before = self.writes().len();
        let output = self.run(args).expect_code(code);
        let writes = self.writes();
        assert_eq!(&writes[before..], &[] as &[SandboxJournalEntry], "{args}\n{output}");
        output
    }

    /// The state folder of the sandbox, with journals, profiles and evidence.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.path(".state/confluent-ebs/sandbox")
    }

    /// The current sandbox.
    pub(crate) fn sandbox(&self) -> Sandbox {
        Sandbox::open_at(&self.state_dir(), example_seed(), None, Some(sandbox_start())).unwrap()
    }

    /// The write requests that the sandbox has received.
    pub(crate) fn writes(&self) -> Vec<SandboxJournalEntry> {
        let mut entries = self.sandbox().journal().unwrap();
        entries.retain(SandboxJournalEntry::is_write);
        entries
    }

    /// The requests that the sandbox has received since the request `seq`.
    pub(crate) fn requests_since(&self, seq: u64) -> Vec<SandboxJournalEntry> {
        let mut entries = self.sandbox().journal().unwrap();
        entries.retain(|entry| entry.seq > seq);
        entries
    }

    /// Number of the last request that the sandbox has received.
    pub(crate) fn last_request_seq(&self) -> u64 {
        self.sandbox().journal().unwrap().last().map_or(0, |entry| entry.seq)
    }

    /// Folder of the profiles that onboarding writes.
    pub(crate) fn profiles_dir(&self) -> PathBuf {
        self.path(PROFILES_DIR)
    }

    /// Accounts, bindings, keys and profiles.
    pub(crate) fn provisioned_state(&self) -> ProvisionedState {
        ProvisionedState::read_from(&self.sandbox(), &self.profiles_dir())
    }

    /// Like [`Cli::provisioned_state`], with encrypted profiles.
    #[cfg(feature = "age")]
    pub(crate) fn decrypted_state(&self, open: &dyn Fn(&[u8]) -> String) -> ProvisionedState {
        ProvisionedState::read_encrypted(&self.sandbox(), &self.profiles_dir(), open)
    }

    /// The Cloud API keys of all profiles in a folder, by file name.
    pub(crate) fn profile_keys_in(folder: &Path) -> BTreeMap<String, ApiKeyPair> {
        let toml = list_files(folder).into_iter();
        toml.filter_map(|path| {
            let (_, keys, _) = Profile::parse(&path, fs::read_to_string(&path).unwrap(), &[]);
            let pair = keys.get(KeyKind::Cloud)?;
            let key = ApiKeyPair {
                id: pair.id.to_string(),
                secret: pair.secret.expose().to_owned(),
            };
            Some((path.file_stem()?.to_str()?.to_owned(), key))
        })
        .collect()
    }

    /// The key in a finished profile: `claims-operator`.
    pub(crate) fn profile_key(&self, profile: &str) -> ApiKeyPair {
        Self::profile_keys_in(&self.profiles_dir())[profile].clone()
    }

    /// Id of the service account with this name.
    #[track_caller]
    pub(crate) fn account_id(&self, name: &str) -> String {
        let accounts = self.sandbox().accounts().unwrap();
        let found = accounts.into_iter().find(|account| account.display_name == name);
        found.unwrap_or_else(|| panic!("no account `{name}`")).id.to_string()
    }

    /// Sends a request with a key; returns status and body.
    pub(crate) fn send(&self, key: &ApiKeyPair, method: &str, target: &str, body: Option<Value>) -> (u16, Value) {
        send(&self.sandbox(), key, method, target, body)
    }

    /// Sends a request that must succeed.
    #[track_caller]
    pub(crate) fn send_ok(&self, key: &ApiKeyPair, method: &str, target: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.send(key, method, target, body);
        assert!((200..300).contains(&status), "{method} {target}: {status} {answer}");
        answer
    }

    /// Whether the sandbox accepts a Cloud API key.
    #[track_caller]
    pub(crate) fn key_works(&self, key: &ApiKeyPair) -> bool {
        match self.send(key, "GET", "/org/v2/environments", None).0 {
            200 => true,
            401 => false,
            status => panic!("status {status}"),
        }
    }

    /// The organization administrator's Cloud API key.
    pub(crate) fn admin_key(&self) -> ApiKeyPair {
        let info = self.sandbox().info(true).unwrap();
        ApiKeyPair {
            id: info.admin_key,
            secret: info.admin_secret.unwrap(),
        }
    }

    /// The provisioner's Cloud API key.
    pub(crate) fn provisioner_key(&self) -> ApiKeyPair {
        let info = self.sandbox().info(true).unwrap();
        ApiKeyPair {
            id: info.provisioner_key,
            secret: info.provisioner_secret.unwrap(),
        }
    }

    /// The provisioner's key of the Kafka cluster of stage prod.
    pub(crate) fn kafka_key(&self) -> ApiKeyPair {
        let stages = self.sandbox().info(true).unwrap().stages;
        let stage = stages.into_iter().find(|stage| stage.cluster == "lkc-prod01").unwrap();
        ApiKeyPair {
            id: stage.provisioner_kafka_key,
            secret: stage.provisioner_kafka_secret.unwrap(),
        }
    }

    /// Creates an ACL from its canonical form.
    #[track_caller]
    pub(crate) fn create_acl(&self, text: &str) {
        let acl: AclBinding = text.parse().unwrap();
        let body = serde_json::to_value(&acl).unwrap();
        self.send_ok(&self.kafka_key(), "POST", ACLS_PATH, Some(body));
    }

    /// Deletes an ACL.
    #[track_caller]
    pub(crate) fn delete_acl(&self, acl: &AclBinding) {
        let cluster = "lkc-prod01".parse().unwrap();
        let delete = DeleteAcl {
            cluster,
            acl: acl.clone(),
        };
        let query: Vec<String> = delete
            .query()
            .into_iter()
            .map(|(name, value)| format!("{name}={}", encode_segment(&value)))
            .collect();
        let gone = self.send_ok(
            &self.kafka_key(),
            "DELETE",
            &format!("{ACLS_PATH}?{}", query.join("&")),
            None,
        );
        assert_eq!(gone.items("/data").len(), 1, "{acl}");
    }

    /// All ACLs of the cluster of stage prod in canonical form, with names of accounts.
    pub(crate) fn acls(&self) -> Vec<String> {
        let list = self.send_ok(
            &self.kafka_key(),
            "GET",
            &format!("{ACLS_PATH}?principal=UserV2:*"),
            None,
        );
        let accounts = self.sandbox().accounts().unwrap();
        let mut acls: Vec<String> = list
            .items("/data")
            .iter()
            .map(|object| {
                let acl: AclBinding = serde_json::from_value(object.clone()).unwrap();
                accounts.iter().fold(acl.to_string(), |text, account| {
                    text.replace(account.id.as_str(), &account.display_name)
                })
            })
            .collect();
        acls.sort();
        acls
    }

    /// All client quotas: names of accounts, and bytes per second in and out.
    pub(crate) fn client_quotas(&self) -> Vec<String> {
        let sandbox = self.sandbox();
        let accounts = sandbox.accounts().unwrap();
        let quotas = sandbox.client_quotas().unwrap().into_iter();
        let mut quotas: Vec<String> = quotas
            .map(|quota| {
                let (id, rates) = (quota.principal.id(), quota.throughput);
                let account = accounts.iter().find(|account| account.id.as_str() == id);
                let name = account.map_or(id, |account| &account.display_name);
                format!("{name} {} {}", rates.ingress.0, rates.egress.0)
            })
            .collect();
        quotas.sort();
        quotas
    }

    /// Binds a role; returns the id of the binding.
    #[track_caller]
    pub(crate) fn bind(&self, key: &ApiKeyPair, account: &str, role: &str, pattern: &str) -> String {
        let body = json!({ "principal": format!("User:{account}"), "role_name": role, "crn_pattern": pattern });
        let answer = self.send_ok(key, "POST", "/iam/v2/role-bindings", Some(body));
        answer.text("/id").to_owned()
    }

    /// Creates a key.
    #[track_caller]
    pub(crate) fn create_key(&self, key: &ApiKeyPair, owner: &str, resource: &str) -> ApiKeyPair {
        let body = json!({ "spec": { "owner": { "id": owner }, "resource": { "id": resource }, "description": "x" } });
        let answer = self.send_ok(key, "POST", "/iam/v2/api-keys", Some(body));
        ApiKeyPair {
            id: answer.text("/id").to_owned(),
            secret: answer.text("/spec/secret").to_owned(),
        }
    }

    /// Client of the organization administrator, in this process.
    pub(crate) fn admin_client(&self) -> Client {
        sandbox_client(&self.sandbox(), &self.admin_key()).build()
    }

    /// Creates `number` connectors of claims, above the limits of a cluster.
    pub(crate) fn create_claims_connectors(&self, number: usize) {
        let names: Vec<String> = (1..=number)
            .map(|number| format!("claims-source-{number:03}"))
            .collect();
        self.create_connectors(names.iter().map(|name| ConnectorSpec {
            stage: "prod",
            department: "claims",
            name,
            tasks: 1,
        }));
    }

    /// Creates datagen connectors as the administrator, above the limits of a cluster.
    pub(crate) fn create_connectors<'a>(&self, connectors: impl IntoIterator<Item = ConnectorSpec<'a>>) {
        let sandbox = self.sandbox();
        let mut settings = sandbox.settings().unwrap();
        settings.quotas.insert("connect.max_tasks.per_cluster".into(), 100_000);
        sandbox.set_settings(settings).unwrap();
        let accounts = sandbox.accounts().unwrap();
        let admin = Caller::Impersonated(sandbox.info(false).unwrap().admin);
        let server = SandboxServer::from_sandbox(sandbox, example_seed());
        tokio_runtime().block_on(async {
            for connector in connectors {
                let ConnectorSpec {
                    stage,
                    department,
                    name,
                    tasks,
                } = connector;
                let runtime = format!("ebs-{stage}-{department}-runtime");
                let runtime = accounts.iter().find(|account| account.display_name == runtime);
                let runtime = &runtime.unwrap_or_else(|| panic!("no runtime account for {name}")).id;
                // The only department of the example whose prefix differs from its code.
                let topic = format!("{}-orders", department.replace("data-platform", "dataplatform"));
                let body = json!({"name": name, "config": {
                    "name": name, "connector.class": "DatagenSource", "kafka.topic": topic,
                    "quickstart": "ORDERS", "output.data.format": "JSON", "kafka.auth.mode": "SERVICE_ACCOUNT",
                    "kafka.service.account.id": runtime, "tasks.max": tasks.to_string(),
                }});
                let path = format!("/connect/v1/environments/env-{stage}01/clusters/lkc-{stage}01/connectors");
                server.post(&admin, &path, body).await.expect_status(201);
            }
        });
    }

    /// A profile with another key; everything else is from the operator's of claims.
    pub(crate) fn write_profile_with_key(&self, key: &ApiKeyPair) -> PathBuf {
        let own = self.profile_key("claims-operator");
        let text = fs::read_to_string(self.profiles_dir().join("claims-operator.toml")).unwrap();
        let text = text.replace(&own.id, &key.id).replace(&own.secret, &key.secret);
        self.write("other.toml", text)
    }
}

/// Sends a request to a sandbox with a key; returns status and body.
pub(crate) fn send(
    sandbox: &Sandbox,
    key: &ApiKeyPair,
    method: &str,
    target: &str,
    body: Option<Value>,
) -> (u16, Value) {
    let server = SandboxServer::from_sandbox(sandbox.clone(), example_seed());
    let response = tokio_runtime().block_on(server.send(&key.into(), method, target, body));
    (response.status.as_u16(), response.body.unwrap_or_default())
}
