//! What the tests stand on: a diagnosis by the names of its checks, profiles, and the sandbox from inside.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use confluent_ebs::{
    client::{Auth, Client, CredentialSource, Credentials, InProcess},
    manifest::Workspace,
    model::{Address, Secret},
    sandbox::{ClusterKind, Sandbox, Seed, SeedStage},
};
use serde_json::Value;

use crate::common::{Seen, World};

/// Where the sandbox puts profiles.
pub(crate) const PROFILES: &str = ".state/confluent-ebs/sandbox/handover";
/// The secret of every profile that is made here.
pub(crate) const CANARY: &str = "cfltcanary/of+the/profile";

/// What a diagnosis said, by the names of its checks.
#[derive(Debug)]
pub(crate) struct Diagnosed {
    pub(crate) code: Option<i32>,
    pub(crate) whole: Value,
    checks: BTreeMap<String, Value>,
}

impl Diagnosed {
    pub(crate) fn of(seen: &Seen) -> Self {
        let whole: Value = serde_json::from_str(&seen.stdout).unwrap_or_else(|error| panic!("{error}: {seen}"));
        let checks = whole["checks"].as_array().unwrap().iter();
        let checks: BTreeMap<_, _> = checks
            .map(|check| (check["name"].as_str().unwrap().to_owned(), check.clone()))
            .collect();
        let all = whole["checks"].as_array().unwrap().len();
        assert_eq!(checks.len(), all, "every name stands for one check");
        Self {
            code: seen.code,
            checks,
            whole,
        }
    }

    fn text(&self, name: &str, field: &str) -> &str {
        let check = self.checks.get(name).unwrap_or_else(|| panic!("no check `{name}`"));
        check[field].as_str().unwrap_or_default()
    }

    pub(crate) fn state(&self, name: &str) -> &str {
        self.text(name, "state")
    }

    pub(crate) fn detail(&self, name: &str) -> &str {
        self.text(name, "detail")
    }

    pub(crate) fn fix(&self, name: &str) -> &str {
        self.text(name, "fix")
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.checks.keys().map(String::as_str)
    }

    /// The names of all checks that are in `state`.
    pub(crate) fn all(&self, state: &str) -> Vec<&str> {
        self.names().filter(|name| self.state(name) == state).collect()
    }
}

/// Diagnoses in `world`, with more arguments.
pub(crate) fn doctor(world: &World, args: &str) -> Diagnosed {
    Diagnosed::of(&world.ebs(&format!("doctor -o json {args}")))
}

/// A profile of the operator of "claims" whose key goes to `endpoint`.
pub(crate) fn profile(endpoint: &str) -> String {
    format!(
        r#"department = "claims"
name = "Claims"
persona = "operator"
prefix = "claims-"
issued = 2026-11-22
stage = "prod"
endpoint = "{endpoint}"
organization = "11111111-2222-3333-4444-555555555555"
environment = "env-prod01"
cluster = "lkc-prod01"
schema_registry = "lsrc-prod01"

[quota]
connectors = 1
tasks = 1
tasks_per_connector = 1
plugins = ["*"]

[key]
id = "ABCDEFGHIJKLMNOP"
secret = "{CANARY}"
"#
    )
}

/// Writes a profile that only its owner can read.
pub(crate) fn keep_profile(world: &World, endpoint: &str) -> PathBuf {
    let path = world.write("claims-operator.toml", profile(endpoint));
    close(&path);
    path
}

#[cfg(unix)]
pub(crate) fn close(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
pub(crate) fn close(_path: &std::path::Path) {}

/// The sandbox of `world` that the built-in example is on, from inside.
pub(crate) fn inside(world: &World) -> Sandbox {
    let platform = Workspace::embedded().workspace.platform;
    let organization = platform.organization.clone().unwrap();
    let mut stages: Vec<SeedStage> = platform
        .stages
        .iter()
        .map(|(name, stage)| SeedStage {
            name: name.clone(),
            address: Address {
                organization: organization.clone(),
                environment: stage.environment.clone(),
                cluster: stage.cluster.clone(),
                schema_registry: stage.schema_registry.clone(),
            },
            cluster_kind: ClusterKind::Enterprise,
        })
        .collect();
    stages.sort_by_key(|stage| stage.name != platform.default_stage);
    let seed = Seed {
        organization,
        stages,
        clusters: Vec::new(),
        ..Seed::default()
    };
    Sandbox::open(&world.path(".state/confluent-ebs/sandbox"), seed, None).unwrap()
}

/// The organization's administrator in that sandbox.
pub(crate) fn administrator(sandbox: &Sandbox) -> Client {
    let info = sandbox.info(true).unwrap();
    let auth = Auth::Basic(Credentials {
        key: info.admin_key,
        secret: Secret::new(info.admin_secret.unwrap()),
        source: CredentialSource::Sandbox("test".into()),
    });
    let transport = Arc::new(InProcess::new(sandbox.router()));
    Client::builder(
        "http://127.0.0.1:1024".parse().unwrap(),
        transport,
        auth,
        sandbox.clock(),
    )
    .build()
}
