//! The checks of each topic, evaluated from the inputs and the observations.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;

use super::{ActingDepartment, DoctorInputs, DoctorOptions};
use crate::{
    checks::{
        CheckResult,
        cli_config::CliConfig,
        key::{self, ExpectedIdentity},
        network::{self, HostReachability, ProxySetting, TelemetryHost},
        observation::{ProbeTarget, ServiceObservation},
        platform,
        plugin::PluginInstallation,
        profile::{self, DoctorKeyState, EnvironmentKeys, NamedProfile},
        rights::{self, RequiredRoles},
        state::{self, SandboxFolder, StateFolder},
        time,
    },
    config::{StandardDirs, git},
    env,
    manifest::{Platform, admin::AdminScript},
    model::{OrganizationId, Prefix, Principal},
    sandbox::Sandbox,
    session::{Connection, Environment, RunContext},
};

/// Number and interval of attempts before a locked sandbox is reported as stuck.
const LOCK_RETRIES: u32 = 5;
const LOCK_RETRY_DELAY: Duration = Duration::from_millis(40);

/// Inspects the sandbox directory. Retries while another process holds the lock.
pub(super) async fn inspect_sandbox_folder(run: &RunContext, inputs: &DoctorInputs) -> Option<SandboxFolder> {
    let dirs = run.environment.dirs.as_ref().ok();
    let selected = inputs.settings.sandbox_dir().map(Path::to_owned);
    let path = selected.or_else(|| dirs.map(StandardDirs::sandbox))?;
    let mut condition = Sandbox::state_dir_status(&path);
    for _ in 1..LOCK_RETRIES {
        if !condition.locked {
            break;
        }
        run.environment.clock.sleep(LOCK_RETRY_DELAY).await;
        condition = Sandbox::state_dir_status(&path);
    }
    Some(SandboxFolder {
        path,
        exists: condition.exists,
        url: condition.url,
        stale_lock: condition.stale_server_file,
        stuck: condition.locked,
    })
}

/// Returns the directories that the Confluent CLI searches for plugins: those of `PATH`, then its own.
pub(super) fn inspect_installation(environment: &Environment) -> PluginInstallation {
    let path = environment.variable(env::PATH).unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Some(own) = environment
        .home
        .as_ref()
        .map(|home| home.join(".confluent").join("plugins"))
        && !folders.contains(&own)
    {
        folders.push(own);
    }
    let extensions = environment.variable(env::PATHEXT).unwrap_or_default();
    let extensions: Vec<String> = extensions.split(';').map(str::to_owned).collect();
    PluginInstallation::discover(
        environment.executable.as_deref().unwrap_or_else(|| Path::new("")),
        &folders,
        &extensions,
    )
}

pub(super) fn computer_checks(
    run: &RunContext,
    inputs: &DoctorInputs,
    sandbox: Option<&SandboxFolder>,
) -> Vec<CheckResult> {
    let dirs = &run.environment.dirs;
    let (secrets, journals) = match (inputs.settings.sandbox_dir(), dirs) {
        (Some(folder), _) => (folder.join("handover"), folder.join("runs")),
        (None, Ok(folders)) => (folders.handover(), folders.journal()),
        (None, Err(_)) => (PathBuf::new(), PathBuf::new()),
    };
    let folder = match dirs {
        Ok(folders) => Ok(StateFolder::inspect(folders.state(), &secrets)),
        Err(error) => Err(error.to_string()),
    };
    vec![
        state::check_folder(folder.as_ref().map_err(String::as_str)),
        state::check_runs(&state::read_last_runs(&journals), &inputs.platform_options),
        state::check_sandbox(sandbox),
    ]
}

pub(super) fn expected_identity(inputs: &DoctorInputs, department: Option<&ActingDepartment>) -> ExpectedIdentity {
    let workspace = inputs.valid_workspace();
    ExpectedIdentity {
        account: department.map(|department| department.account_name.clone()),
        department: department.map(|department| department.code.to_string()),
        platform_team: department.map_or_else(Default::default, |department| department.platform_team.clone()),
        provisioner: workspace.and_then(|workspace| workspace.platform.provisioner.clone()),
        platform_options: inputs.platform_options.clone(),
    }
}

pub(super) fn profile_and_key_checks(
    run: &RunContext,
    inputs: &DoctorInputs,
    key_state: &DoctorKeyState,
    observation: &ServiceObservation,
    cli_config: &CliConfig,
    expected: &ExpectedIdentity,
    now: Timestamp,
) -> Vec<CheckResult> {
    let in_git = inputs.valid_profile().and_then(|loaded| {
        let folder = loaded.path.parent()?;
        git::ensure_ignored_by_git(folder, loaded.path.file_name(), &run.environment.secrets).err()
    });
    let named = inputs.settings.profile.as_ref().zip(inputs.profile.as_ref());
    let named = named.map(|(selected, loaded)| NamedProfile {
        written: &selected.value,
        source: &selected.source,
        loaded: loaded.as_ref().map_err(Vec::as_slice),
        in_git,
    });
    let variables = EnvironmentKeys {
        ignored: run.options.is_sandbox(),
        overridden: inputs.valid_profile().is_some_and(|loaded| loaded.keys.cloud.is_some()),
        ..EnvironmentKeys::from_variables(&run.environment.variables)
    };
    let has_platform = matches!(&inputs.platform, Ok(Some(_)));
    vec![
        profile::check_profile(named.as_ref()),
        profile::check_profile_file(named.as_ref()),
        profile::check_environment_keys(&variables),
        profile::check_key(key_state, has_platform, &inputs.platform_options),
        key::check_accepted(observation, key_state.key(), cli_config, expected),
        key::check_owner(observation, expected),
        key::check_age(observation, now, expected),
    ]
}

pub(super) fn network_checks(
    run: &RunContext,
    inputs: &DoctorInputs,
    connection: Option<&Connection>,
    reachability: Option<&HostReachability>,
    others: &Result<Vec<TelemetryHost>, CheckResult>,
    options: DoctorOptions,
) -> Vec<CheckResult> {
    let proxies: Vec<ProxySetting> = network::find_proxies(run.environment.variable_pairs());
    let near = inputs.settings.sandbox_dir().is_some()
        || inputs
            .valid_profile()
            .is_some_and(|loaded| loaded.profile.endpoint.is_local());
    let mut checks = vec![
        network::check_endpoint(
            connection.map(|connection| connection.base.as_str()),
            inputs.valid_profile().is_some(),
            near,
        ),
        network::check_proxy(&proxies, near),
    ];
    match (connection, reachability) {
        (Some(connection), Some(reachability)) => checks.extend([
            network::check_reachable(reachability, &proxies),
            match reachability.response.is_ok() {
                true => network::check_telemetry_hosts(others.as_deref().map_err(Clone::clone)),
                // One cause is reported as one problem.
                false => network::skipped_telemetry_hosts("skipped: Confluent Cloud does not respond"),
            },
            network::check_certificate(reachability, &connection.base),
            time::check_clock(reachability, std::env::consts::OS, connection.is_in_process()),
        ]),
        _ => checks.extend(network::skipped_checks(options.offline)),
    }
    checks
}

pub(super) fn rights_checks(
    inputs: &DoctorInputs,
    department: Option<(&Prefix, &str)>,
    observation: &ServiceObservation,
    probe_target: &ProbeTarget,
) -> Vec<CheckResult> {
    let workspace = inputs.valid_workspace();
    let needed = match (department, workspace) {
        (Some(_), _) => Err("not required for a department"),
        (None, None) => Err("skipped: no platform files"),
        (None, Some(workspace)) => {
            let observed = observation.organization.as_ref().ok();
            let organization = observed.or(probe_target.organization.as_ref());
            Ok(organization.map_or_else(Vec::new, |organization| {
                required_roles(&workspace.platform, organization, observation, probe_target)
            }))
        }
    };
    let options = &inputs.platform_options;
    vec![
        rights::check_roles(observation, probe_target, department, options),
        rights::check_provisioner(observation, needed.as_deref().map_err(|why| *why), options),
        platform::check_assumptions(workspace, observation),
    ]
}

/// Returns the roles that the provisioner requires in each stage, with the commands that bind them to the acting
/// account.
fn required_roles(
    platform: &Platform,
    organization: &OrganizationId,
    observation: &ServiceObservation,
    probe_target: &ProbeTarget,
) -> Vec<RequiredRoles> {
    let mut platform = platform.clone();
    if let Some(account) = observation.principal.as_ref().and_then(Principal::service_account) {
        platform.provisioner = Some(account.clone());
    }
    let stages = platform.stages.iter();
    stages
        .map(|(name, stage)| {
            let mut address = stage.address(organization);
            if address.schema_registry.is_none() && Some(&stage.environment) == probe_target.environment.as_ref() {
                address.schema_registry = observation
                    .registries
                    .as_ref()
                    .ok()
                    .and_then(|found| found.first().cloned());
            }
            let script = AdminScript::new(&platform, &[name]);
            let command = |role: &str| {
                let step = script
                    .steps
                    .iter()
                    .find(|step| step.arguments.iter().any(|word| word == role));
                step.map(|step| step.command.clone()).unwrap_or_default()
            };
            RequiredRoles {
                stage: name.clone(),
                address,
                commands: [command("CloudClusterAdmin"), command("ResourceOwner")],
            }
        })
        .collect()
}
