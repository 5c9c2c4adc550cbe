//! A home with a sandbox in it: the binary works there, and the test looks at the sandbox behind its back.

use std::{collections::BTreeMap, fs, path::PathBuf};

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use confluent_ebs::{
    api::{Endpoint, encode_segment, kafka::DeleteAcl},
    config::Profile,
    manifest::Workspace,
    model::{AclBinding, KeyKind},
    sandbox::{JournalEntry, Sandbox},
};
use http::{Request, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{
    common::{Seen, World},
    rig::{Left, files_below, seed},
};

/// An API key with its secret.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// A home whose sandbox is the built-in platform's.
pub(crate) struct Home {
    pub(crate) world: World,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { world: World::new() }
    }

    /// One whose sandbox behaves otherwise: `settings` are flags of `sandbox reset`.
    pub(crate) fn with(settings: &str) -> Self {
        let home = Self::new();
        home.must(&format!("sandbox reset --yes {settings}"), 0);
        home
    }

    pub(crate) fn ebs(&self, args: &str) -> Seen {
        self.world.ebs(args)
    }

    /// Runs and demands an exit code.
    #[track_caller]
    pub(crate) fn must(&self, args: &str, code: i32) -> Seen {
        let seen = self.ebs(args);
        assert_eq!(seen.code, Some(code), "{args}\n{seen}");
        seen
    }

    /// Runs, demands an exit code, and that nothing was written at the service meanwhile.
    #[track_caller]
    pub(crate) fn must_not_write(&self, args: &str, code: i32) -> Seen {
        let before = self.writes().len();
        let seen = self.must(args, code);
        let writes = self.writes();
        assert_eq!(&writes[before..], &[] as &[JournalEntry], "{args}\n{seen}");
        seen
    }

    /// Where the sandbox keeps its state, and runs on it their journals, profiles and evidence.
    pub(crate) fn folder(&self) -> PathBuf {
        self.world.path(".state/confluent-ebs/sandbox")
    }

    /// The sandbox as it is now.
    pub(crate) fn sandbox(&self) -> Sandbox {
        let workspace = Workspace::embedded().workspace;
        Sandbox::open(&self.folder(), seed(&workspace), None).unwrap()
    }

    pub(crate) fn writes(&self) -> Vec<JournalEntry> {
        let mut entries = self.sandbox().journal().unwrap();
        entries.retain(JournalEntry::is_write);
        entries
    }

    pub(crate) fn left(&self) -> Left {
        Left::of(&self.sandbox(), &self.folder().join("handover"))
    }

    /// [`Home::left`] with profiles that are encrypted.
    #[cfg(feature = "age")]
    pub(crate) fn left_with(&self, open: &dyn Fn(&[u8]) -> String) -> Left {
        Left::opened(&self.sandbox(), &self.folder().join("handover"), open)
    }

    /// The Cloud keys of all profiles in a folder, by the name of the file.
    pub(crate) fn keys_in(folder: &std::path::Path) -> BTreeMap<String, Key> {
        let toml = files_below(folder).into_iter();
        toml.filter_map(|path| {
            let (_, keys, _) = Profile::parse(&path, fs::read_to_string(&path).unwrap(), &[]);
            let pair = keys.get(KeyKind::Cloud)?;
            let key = Key {
                id: pair.id.to_string(),
                secret: pair.secret.expose().to_owned(),
            };
            Some((path.file_stem()?.to_str()?.to_owned(), key))
        })
        .collect()
    }

    /// The key in a finished profile: `claims-operator`.
    pub(crate) fn key(&self, profile: &str) -> Key {
        Self::keys_in(&self.folder().join("handover"))[profile].clone()
    }

    pub(crate) fn account(&self, name: &str) -> String {
        let accounts = self.sandbox().accounts().unwrap();
        let found = accounts.into_iter().find(|account| account.display_name == name);
        found.unwrap_or_else(|| panic!("no account {name}")).id.to_string()
    }

    /// Sends a request with a key; answers status and body.
    pub(crate) fn send(&self, key: &Key, method: &str, target: &str, body: Option<Value>) -> (u16, Value) {
        send(&self.sandbox(), key, method, target, body)
    }

    /// Sends a request that must work.
    #[track_caller]
    pub(crate) fn done(&self, key: &Key, method: &str, target: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.send(key, method, target, body);
        assert!((200..300).contains(&status), "{method} {target}: {status} {answer}");
        answer
    }

    pub(crate) fn admin(&self) -> Key {
        let info = self.sandbox().info(true).unwrap();
        Key {
            id: info.admin_key,
            secret: info.admin_secret.unwrap(),
        }
    }

    pub(crate) fn provisioner(&self) -> Key {
        let info = self.sandbox().info(true).unwrap();
        Key {
            id: info.provisioner_key,
            secret: info.provisioner_secret.unwrap(),
        }
    }

    /// The provisioner's key of the Kafka cluster of stage prod.
    pub(crate) fn kafka(&self) -> Key {
        let stages = self.sandbox().info(true).unwrap().stages;
        let stage = stages.into_iter().find(|stage| stage.cluster == "lkc-prod01").unwrap();
        Key {
            id: stage.provisioner_kafka_key,
            secret: stage.provisioner_kafka_secret.unwrap(),
        }
    }

    /// Makes an ACL from its canonical form.
    #[track_caller]
    pub(crate) fn acl(&self, text: &str) {
        let acl: AclBinding = text.parse().unwrap();
        let body = serde_json::to_value(&acl).unwrap();
        self.done(&self.kafka(), "POST", ACLS, Some(body));
    }

    /// Deletes an ACL.
    #[track_caller]
    pub(crate) fn unacl(&self, acl: &AclBinding) {
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
        let gone = self.done(&self.kafka(), "DELETE", &format!("{ACLS}?{}", query.join("&")), None);
        assert_eq!(gone["data"].as_array().unwrap().len(), 1, "{acl}");
    }

    /// All ACLs of the cluster of stage prod in their canonical form, with names for accounts.
    pub(crate) fn acls(&self) -> Vec<String> {
        let list = self.done(&self.kafka(), "GET", &format!("{ACLS}?principal=UserV2:*"), None);
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

    /// Binds a role; answers the binding's id.
    #[track_caller]
    pub(crate) fn bind(&self, key: &Key, account: &str, role: &str, pattern: &str) -> String {
        let body = json!({ "principal": format!("User:{account}"), "role_name": role, "crn_pattern": pattern });
        let answer = self.done(key, "POST", "/iam/v2/role-bindings", Some(body));
        answer["id"].as_str().unwrap().to_owned()
    }

    /// Makes a key.
    #[track_caller]
    pub(crate) fn make_key(&self, key: &Key, owner: &str, resource: &str) -> Key {
        let body = json!({ "spec": { "owner": { "id": owner }, "resource": { "id": resource }, "description": "x" } });
        let answer = self.done(key, "POST", "/iam/v2/api-keys", Some(body));
        Key {
            id: answer["id"].as_str().unwrap().to_owned(),
            secret: answer["spec"]["secret"].as_str().unwrap().to_owned(),
        }
    }

    /// Lets the provisioner administrate a cluster.
    pub(crate) fn administrate(sandbox: &Sandbox, cluster: &str) {
        let info = sandbox.info(true).unwrap();
        let admin = Key {
            id: info.admin_key,
            secret: info.admin_secret.unwrap(),
        };
        let principal = format!("User:{}", info.provisioner);
        let body = json!({ "principal": principal, "role_name": "CloudClusterAdmin", "crn_pattern": cluster });
        let (status, answer) = send(sandbox, &admin, "POST", "/iam/v2/role-bindings", Some(body));
        assert_eq!(status, 201, "{answer}");
    }

    /// A profile that acts with another key: the operator's of claims in all else.
    pub(crate) fn profile_with(&self, key: &Key) -> PathBuf {
        let own = self.key("claims-operator");
        let text = fs::read_to_string(self.folder().join("handover/claims-operator.toml")).unwrap();
        let text = text.replace(&own.id, &key.id).replace(&own.secret, &key.secret);
        self.world.write("other.toml", text)
    }
}

/// Sends a request to a sandbox with a key; answers status and body.
pub(crate) fn send(sandbox: &Sandbox, key: &Key, method: &str, target: &str, body: Option<Value>) -> (u16, Value) {
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
pub(crate) const ACLS: &str = "/kafka/v3/clusters/lkc-prod01/acls";
/// The organization's CRN.
pub(crate) const ORGANIZATION: &str = "crn://confluent.cloud/organization=11111111-2222-3333-4444-555555555555";
/// The CRN of the cluster of stage prod.
pub(crate) const CLUSTER: &str = "crn://confluent.cloud/organization=11111111-2222-3333-4444-555555555555/\
                                  environment=env-prod01/cloud-cluster=lkc-prod01";

/// The CRN of a service account.
pub(crate) fn account_crn(id: &str) -> String {
    format!("{ORGANIZATION}/service-account={id}")
}
