//! Support for all tests and benchmarks.
//!
//! | Part | Provides |
//! |---|---|
//! | [`Cli`] | the binary in a home of its own, with a sandbox, platform files and onboarded departments |
//! | [`RunningCommand`] | a command that runs until it is interrupted |
//! | [`SandboxServer`] | an in-process sandbox whose responses are checked against the OpenAPI documents |
//! | [`ConnectSandbox`] | the same with a runtime account, to create connectors |
//! | [`DepartmentClients`] | the clients of a department for connectors, logs and metrics |
//! | [`OnboardingMachine`] | onboarding with the library, on a machine that can be killed |
//! | [`scripted_service`] | services with scripted responses, and clients with a clock of their own |
//! | [`JsonAccess`] | access to JSON that shows the document when it fails |
//! | [`openapi`] | the OpenAPI documents as a contract |

#![allow(
    clippy::allow_attributes,
    dead_code,
    unused_imports,
    reason = "each test file uses a part of this module"
)]

mod cli;
mod cli_sandbox;
mod connect_sandbox;
mod contract;
mod department_clients;
mod json;
mod onboarding_machine;
pub(crate) mod openapi;
mod running_command;
mod sandbox_server;
pub(crate) mod scripted_service;
pub(crate) mod terraform;
pub(crate) mod tls_inspection;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use confluent_ebs::{
    client::{Auth, BasicCredentials, Client, ClientBuilder, CredentialSource, InProcessTransport},
    manifest::Workspace,
    model::Secret,
    sandbox::{Sandbox, Seed},
    session,
};

pub(crate) use self::{
    cli::{Cli, CliOutput, EBS_TOML},
    cli_sandbox::{
        ACLS_PATH, ApiKeyPair, CLUSTER_CRN, ConnectorSpec, ORGANIZATION_CRN, PROFILES_DIR, account_crn, send,
    },
    connect_sandbox::{CONNECTORS_PATH, ConnectSandbox, PLUGINS_PATH},
    department_clients::{DepartmentClients, all_levels_filter},
    json::{JsonAccess, assert_valid_sarif, sarif_places},
    onboarding_machine::{MAX_RUN_TIME, OnboardingMachine, ProvisionedState, RunOutcome},
    running_command::RunningCommand,
    sandbox_server::{Caller, SEEDED_KEY_COUNT, SandboxResponse, SandboxServer, encode_query_value},
};

/// Variable and default value of the start time of every sandbox in a test. The clock moves only by waits and advances, so
/// that no test depends on the time of day.
const SANDBOX_START: (&str, &str) = ("CONFLUENT_EBS_SANDBOX_START", "2026-11-22T10:00:00Z");

/// Start time of every sandbox, as text.
fn sandbox_start_text() -> String {
    std::env::var(SANDBOX_START.0).unwrap_or_else(|_| SANDBOX_START.1.to_owned())
}

/// Start time of every sandbox.
pub(crate) fn sandbox_start() -> jiff::Timestamp {
    sandbox_start_text().parse().expect("a timestamp")
}

/// Seed of a sandbox of the built-in example platform.
pub(crate) fn example_seed() -> Seed {
    // Reading the example's files takes longer than most requests, and a case of the crash matrix needs the seed ten times.
    static SEED: LazyLock<Seed> = LazyLock::new(|| session::build_seed(&Workspace::embedded().workspace));
    SEED.clone()
}

/// Builder of a client that sends requests with an API key to a sandbox in this process.
pub(crate) fn sandbox_client(sandbox: &Sandbox, key: &ApiKeyPair) -> ClientBuilder {
    let auth = Auth::Basic(BasicCredentials {
        key: key.id.clone(),
        secret: Secret::new(key.secret.clone()),
        source: CredentialSource::Sandbox("test".into()),
    });
    Client::builder(
        "http://127.0.0.1:1024".parse().expect("a URL"),
        Arc::new(InProcessTransport::new(sandbox.router())),
        auth,
        sandbox.clock(),
    )
}

/// Runtime for a test that is not asynchronous itself.
pub(crate) fn tokio_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// All files in a folder, recursively and sorted.
pub(crate) fn list_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("an entry of a folder").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Every file in `folder` that contains one of `secrets`.
pub(crate) fn files_with_secrets(folder: &Path, secrets: &[String]) -> Vec<PathBuf> {
    let mut files = list_files(folder);
    files.retain(|path| {
        let text = String::from_utf8_lossy(&fs::read(path).expect("a file")).into_owned();
        secrets.iter().any(|secret| text.contains(secret))
    });
    files
}

/// A text without line breaks.
pub(crate) fn normalize_whitespace(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Restricts a file to its owner, as the binary demands of files with secrets.
#[cfg(unix)]
pub(crate) fn make_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("an own file");
}

#[cfg(not(unix))]
pub(crate) fn make_private(_path: &Path) {}

/// Checks that only the owner can read a file.
#[cfg(unix)]
#[track_caller]
pub(crate) fn assert_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{}", path.display());
}

#[cfg(not(unix))]
pub(crate) fn assert_private(_path: &Path) {}
