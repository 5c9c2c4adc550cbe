//! A home with a sandbox: the binary uses it, and the test can access it directly.

use std::{collections::BTreeMap, fs, path::PathBuf};

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use confluent_ebs::{
    api::{Endpoint, encode_segment, kafka::DeleteAcl},
    config::Profile,
    manifest::Workspace,
    model::{AclBinding, KeyKind},
    sandbox::{Sandbox, SandboxJournalEntry},
};
use http::{Request, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{
    common::{CliFixture, CliOutput, sandbox_start},
    onboarding_fixture::{ProvisionedState, list_files, seed_from_workspace},
};

/// An API key with its secret.
#[derive(Clone, Debug)]
pub(crate) struct ApiKeyPair {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// A home with a sandbox of the built-in platform.
pub(crate) struct SandboxCliFixture {
    pub(crate) cli: CliFixture,
}

impl SandboxCliFixture {
    pub(crate) fn new() -> Self {
        Self { cli: CliFixture::new() }
    }

    /// The same with other settings: `settings` are flags of `sandbox reset`.
    pub(crate) fn with_reset_flags(settings: &str) -> Self {
        let fixture = Self::new();
        fixture.run_expecting(&format!("sandbox reset --yes {settings}"), 0);
        fixture
    }

    pub(crate) fn run(&self, args: &str) -> CliOutput {
        self.cli.run(args)
    }

    /// Runs a command and checks its exit code.
    #[track_caller]
    pub(crate) fn run_expecting(&self, args: &str, code: i32) -> CliOutput {
        let output = self.run(args);
        assert_eq!(output.code, Some(code), "{args}\n{output}");
        output
    }

    /// Runs a command, checks its exit code, and that it sent no writes.
    #[track_caller]
    pub(crate) fn run_without_writes(&self, args: &str, code: i32) -> CliOutput {
        let before = self.writes().len();
        let output = self.run_expecting(args, code);
        let writes = self.writes();
        assert_eq!(&writes[before..], &[] as &[SandboxJournalEntry], "{args}\n{output}");
        output
    }

    /// The state folder of the sandbox, with journals, profiles and evidence.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.cli.path(".state/confluent-ebs/sandbox")
    }

    /// The current sandbox.
    pub(crate) fn sandbox(&self) -> Sandbox {
        let workspace = Workspace::embedded().workspace;
        let seed = seed_from_workspace(&workspace);
        Sandbox::open_at(&self.state_dir(), seed, None, Some(sandbox_start())).unwrap()
    }

    pub(crate) fn writes(&self) -> Vec<SandboxJournalEntry> {
        let mut entries = self.sandbox().journal().unwrap();
        entries.retain(SandboxJournalEntry::is_write);
        entries
    }

    pub(crate) fn provisioned_state(&self) -> ProvisionedState {
        ProvisionedState::read_from(&self.sandbox(), &self.state_dir().join("handover"))
    }

    /// Like [`SandboxCliFixture::left`], with encrypted profiles.
    #[cfg(feature = "age")]
    pub(crate) fn decrypted_state(&self, open: &dyn Fn(&[u8]) -> String) -> ProvisionedState {
        ProvisionedState::read_encrypted(&self.sandbox(), &self.state_dir().join("handover"), open)
    }

    /// The Cloud API keys of all profiles in a folder, by file name.
    pub(crate) fn profile_keys_in(folder: &std::path::Path) -> BTreeMap<String, ApiKeyPair> {
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
        Self::profile_keys_in(&self.state_dir().join("handover"))[profile].clone()
    }

    pub(crate) fn account_id(&self, name: &str) -> String {
        let accounts = self.sandbox().accounts().unwrap();
        let found = accounts.into_iter().find(|account| account.display_name == name);
        found.unwrap_or_else(|| panic!("no account {name}")).id.to_string()
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

    pub(crate) fn admin_key(&self) -> ApiKeyPair {
        let info = self.sandbox().info(true).unwrap();
        ApiKeyPair {
            id: info.admin_key,
            secret: info.admin_secret.unwrap(),
        }
    }

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
        assert_eq!(gone["data"].as_array().unwrap().len(), 1, "{acl}");
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
        let mut acls: Vec<String> = list["data"]
            .as_array()
            .unwrap()
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

    /// Binds a role; returns the id of the binding.
    #[track_caller]
    pub(crate) fn bind(&self, key: &ApiKeyPair, account: &str, role: &str, pattern: &str) -> String {
        let body = json!({ "principal": format!("User:{account}"), "role_name": role, "crn_pattern": pattern });
        let answer = self.send_ok(key, "POST", "/iam/v2/role-bindings", Some(body));
        answer["id"].as_str().unwrap().to_owned()
    }

    /// Creates a key.
    #[track_caller]
    pub(crate) fn create_key(&self, key: &ApiKeyPair, owner: &str, resource: &str) -> ApiKeyPair {
        let body = json!({ "spec": { "owner": { "id": owner }, "resource": { "id": resource }, "description": "x" } });
        let answer = self.send_ok(key, "POST", "/iam/v2/api-keys", Some(body));
        ApiKeyPair {
            id: answer["id"].as_str().unwrap().to_owned(),
            secret: answer["spec"]["secret"].as_str().unwrap().to_owned(),
        }
    }

    /// Grants the provisioner administration of a cluster.
    pub(crate) fn make_provisioner_cluster_admin(sandbox: &Sandbox, cluster: &str) {
        let info = sandbox.info(true).unwrap();
        let admin = ApiKeyPair {
            id: info.admin_key,
            secret: info.admin_secret.unwrap(),
        };
        let principal = format!("User:{}", info.provisioner);
        let body = json!({ "principal": principal, "role_name": "CloudClusterAdmin", "crn_pattern": cluster });
        let (status, answer) = send(sandbox, &admin, "POST", "/iam/v2/role-bindings", Some(body));
        assert_eq!(status, 201, "{answer}");
    }

    /// A profile with another key; everything else is from the operator's of claims.
    pub(crate) fn write_profile_with_key(&self, key: &ApiKeyPair) -> PathBuf {
        let own = self.profile_key("claims-operator");
        let text = fs::read_to_string(self.state_dir().join("handover/claims-operator.toml")).unwrap();
        let text = text.replace(&own.id, &key.id).replace(&own.secret, &key.secret);
        self.cli.write("other.toml", text)
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
    let login = STANDARD.encode(format!("{}:{}", key.id, key.secret));
    let request = Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1{target}"))
        .header(header::AUTHORIZATION, format!("Basic {login}"))
        .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let Ok(response) = sandbox.router().oneshot(request).await;
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    })
}

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
