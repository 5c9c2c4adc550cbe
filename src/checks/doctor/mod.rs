//! The checks of `doctor`: collects settings, files and observations, and evaluates them with the rules in the other
//! modules of `checks`.

mod bundle;
mod connection;
mod inputs;
mod kafka;
mod service;
mod topics;

use std::{path::PathBuf, time::Duration};

use futures_util::join;

pub use bundle::SupportBundle;
pub use inputs::DoctorInputs;

use self::{connection::open_connection, inputs::ActingDepartment};
use super::{
    CheckResult, CheckTopic, DoctorReport,
    cli_config::{CliConfig, CliConfigState},
    platform, plugin, scope,
};
use crate::{
    error::{Error, ErrorKind},
    session::RunContext,
};

/// Options of the checks.
#[derive(Clone, Copy, Debug)]
pub struct DoctorOptions {
    /// Whether only checks without a network run.
    pub offline: bool,
    /// Time limit of each request.
    pub timeout: Duration,
}

/// Runs all checks.
///
/// # Errors
/// The run is cancelled.
pub async fn run_checks(
    run: &RunContext,
    inputs: &DoctorInputs,
    options: DoctorOptions,
) -> Result<DoctorReport, Error> {
    tokio::select! {
        biased;
        () = run.cancel.cancelled() => {
            Err(Error::new(ErrorKind::Interrupted, "interrupted before all checks completed"))
        }
        checks = collect_checks(run, inputs, options) => Ok(DoctorReport::new(checks)),
    }
}

async fn collect_checks(
    run: &RunContext,
    inputs: &DoctorInputs,
    options: DoctorOptions,
) -> Vec<(CheckTopic, CheckResult)> {
    let sandbox = topics::inspect_sandbox_folder(run, inputs).await;
    let stuck = sandbox.as_ref().is_some_and(|observed| observed.stuck);
    let (connection, key) = open_connection(run, inputs, options.timeout, stuck);
    let connection = connection.as_ref();
    // Acting on the sandbox has created it.
    let sandbox = match stuck {
        true => sandbox,
        false => topics::inspect_sandbox_folder(run, inputs).await,
    };
    let department = inputs.department(run);
    let department = department.as_ref();
    let target = service::probe_target(inputs, department, connection, &key);
    let (cli_config, (reachability, observation, kafka), hosts) = join!(
        load_cli_config(run),
        async {
            let (reachability, observation) = service::probe_service(connection, &target, options.offline).await;
            let kafka = kafka::check_kafka_key(run, inputs, department, connection, &target, &observation).await;
            (reachability, observation, kafka)
        },
        service::probe_other_hosts(connection, options.offline),
    );

    let expected = topics::expected_identity(inputs, department);
    let now = connection
        .map_or_else(|| run.clock(), |connection| &connection.clock)
        .now();
    let installation = topics::inspect_installation(&run.environment);
    let files = inputs.platform.as_ref().map(Option::as_ref).map_err(String::as_str);
    let scope_department = department.map(|department| (&department.prefix, department.code.as_str()));
    let network = topics::network_checks(run, inputs, connection, reachability.as_ref(), &hosts, options);
    let topics = [
        (
            CheckTopic::Plugin,
            plugin::check_installation(&installation, &cli_config),
        ),
        (
            CheckTopic::Computer,
            topics::computer_checks(run, inputs, sandbox.as_ref()),
        ),
        (
            CheckTopic::Key,
            topics::profile_and_key_checks(run, inputs, &key, &observation, &cli_config, &expected, now),
        ),
        (CheckTopic::Key, vec![kafka]),
        (CheckTopic::Network, network),
        (CheckTopic::Platform, vec![platform::check_files(files, &run.options)]),
        (
            CheckTopic::Platform,
            scope::check_scope(&observation, &target, scope_department, &inputs.platform_options),
        ),
        (
            CheckTopic::Rights,
            topics::rights_checks(inputs, scope_department, &observation, &target),
        ),
    ];
    let checks = topics.into_iter();
    checks
        .flat_map(|(topic, checks)| checks.into_iter().map(move |check| (topic, check)))
        .collect()
}

async fn load_cli_config(run: &RunContext) -> CliConfig {
    match &run.environment.home {
        Some(home) => CliConfig::load(home, run.clock()).await,
        None => CliConfig {
            path: PathBuf::from("~/.confluent/config.json"),
            state: CliConfigState::Missing,
        },
    }
}
