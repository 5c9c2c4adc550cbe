//! Fixtures: a report of `doctor` by names of checks, profiles, and access to the sandbox.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use confluent_ebs::{
    client::{Auth, BasicCredentials, Client, CredentialSource, InProcessTransport},
    manifest::Workspace,
    model::{Secret, StageAddress},
    sandbox::{ClusterKind, Sandbox, Seed, SeedStage},
};
use serde_json::Value;

use crate::common::{CliFixture, CliOutput, sandbox_start};

/// Default folder of profiles.
pub(crate) const PROFILES_DIR: &str = ".state/confluent-ebs/sandbox/handover";
/// Secret of every profile in these tests.
pub(crate) const CANARY: &str = "cfltcanary/of+the/profile";

/// A report of `doctor`, by names of checks.
#[derive(Debug)]
pub(crate) struct DoctorReport {
    pub(crate) code: Option<i32>,
    pub(crate) json: Value,
    checks: BTreeMap<String, Value>,
}

impl DoctorReport {
    pub(crate) fn parse(output: &CliOutput) -> Self {
        let whole: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"));
        let checks = whole["checks"].as_array().unwrap().iter();
        let checks: BTreeMap<_, _> = checks
            .map(|check| (check["name"].as_str().unwrap().to_owned(), check.clone()))
            .collect();
        let all = whole["checks"].as_array().unwrap().len();
        assert_eq!(checks.len(), all, "every name occurs once");
        Self {
            code: output.code,
            checks,
            json: whole,
        }
    }

    fn check_field(&self, name: &str, field: &str) -> &str {
        let check = self.checks.get(name).unwrap_or_else(|| panic!("no check `{name}`"));
        check[field].as_str().unwrap_or_default()
    }

    pub(crate) fn state(&self, name: &str) -> &str {
        self.check_field(name, "state")
    }

    pub(crate) fn detail(&self, name: &str) -> &str {
        self.check_field(name, "detail")
    }

    pub(crate) fn fix(&self, name: &str) -> &str {
        self.check_field(name, "fix")
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.checks.keys().map(String::as_str)
    }

    /// Names of all checks in `state`.
    pub(crate) fn names_in_state(&self, state: &str) -> Vec<&str> {
        self.names().filter(|name| self.state(name) == state).collect()
    }
}

/// Runs `doctor` in `world`, with additional arguments.
pub(crate) fn run_doctor(cli: &CliFixture, args: &str) -> DoctorReport {
    DoctorReport::parse(&cli.run(&format!("doctor -o json {args}")))
}

/// A profile of the operator of "claims" whose requests go to `endpoint`.
pub(crate) fn profile_text(endpoint: &str) -> String {
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

/// Writes a profile with mode 0600.
pub(crate) fn write_profile(cli: &CliFixture, endpoint: &str) -> PathBuf {
    let path = cli.write("claims-operator.toml", profile_text(endpoint));
    make_private(&path);
    path
}

#[cfg(unix)]
pub(crate) fn make_private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
pub(crate) fn make_private(_path: &std::path::Path) {}

/// The sandbox in `world`, with the built-in example.
pub(crate) fn open_sandbox(cli: &CliFixture) -> Sandbox {
    let platform = Workspace::embedded().workspace.platform;
    let organization = platform.organization.clone().unwrap();
    let mut stages: Vec<SeedStage> = platform
        .stages
        .iter()
        .map(|(name, stage)| SeedStage {
            name: name.clone(),
            address: StageAddress {
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
    let dir = cli.path(".state/confluent-ebs/sandbox");
    Sandbox::open_at(&dir, seed, None, Some(sandbox_start())).unwrap()
}

/// The organization administrator of that sandbox.
pub(crate) fn admin_client(sandbox: &Sandbox) -> Client {
    let info = sandbox.info(true).unwrap();
    let auth = Auth::Basic(BasicCredentials {
        key: info.admin_key,
        secret: Secret::new(info.admin_secret.unwrap()),
        source: CredentialSource::Sandbox("test".into()),
    });
    let transport = Arc::new(InProcessTransport::new(sandbox.router()));
    Client::builder(
        "http://127.0.0.1:1024".parse().unwrap(),
        transport,
        auth,
        sandbox.clock(),
    )
    .build()
}
