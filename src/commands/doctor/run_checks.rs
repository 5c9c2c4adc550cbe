//! Collects observations and passes them to the rules in `checks`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::join;
use jiff::Timestamp;

use super::{
    DoctorArgs,
    connection::{CredentialState, DoctorConnection, open_connection},
    environment::{ActingDepartment, DoctorEnvironment},
    kafka,
};
use crate::{
    checks::{
        CheckResult, CheckTopic, DoctorReport,
        cli_config::{CliConfig, CliConfigState},
        key::{self, ExpectedIdentity},
        network::{self, HostReachability, ProxySetting, TelemetryHost},
        observation::{self, ProbeTarget, ServiceObservation},
        platform,
        plugin::{self, PluginInstallation},
        profile::{self, EnvironmentKeys, NamedProfile},
        rights::{self, RequiredRoles},
        scope,
        state::{self, SandboxFolder, StateFolder},
        time,
    },
    client::{Auth, BaseUrl, Client},
    commands::Ctx,
    config::{self, git},
    env,
    error::{Error, ErrorKind},
    manifest::{Platform, admin::AdminScript},
    model::{OrganizationId, Principal},
    sandbox::{Sandbox, auth::IMPERSONATE_HEADER},
    session::Environment,
};

/// Number and interval of attempts before a locked sandbox is reported as stuck.
const LOCK_RETRIES: u32 = 5;
const LOCK_RETRY_DELAY: Duration = Duration::from_millis(40);

/// Runs all checks. Fails only if the user cancels the run.
pub(super) fn run(ctx: &Ctx, environment: &DoctorEnvironment, args: &DoctorArgs) -> Result<DoctorReport, Error> {
    ctx.block_on(async {
        tokio::select! {
            biased;
            () = ctx.run.cancel.cancelled() => {
                Err(Error::new(ErrorKind::Interrupted, "interrupted before all checks completed"))
            }
            diagnosis = collect_checks(ctx, environment, args) => Ok(diagnosis),
        }
    })
}

async fn collect_checks(ctx: &Ctx, environment: &DoctorEnvironment, args: &DoctorArgs) -> DoctorReport {
    let sandbox = inspect_sandbox_folder(ctx, environment).await;
    let stuck = sandbox.as_ref().is_some_and(|observed| observed.stuck);
    let (connection, credential) = open_connection(ctx, environment, args, stuck);
    // Acting on the sandbox has created it.
    let sandbox = if stuck {
        sandbox
    } else {
        inspect_sandbox_folder(ctx, environment).await
    };
    let department = environment.department(ctx);
    let probe_target = probe_target(environment, department.as_ref(), connection.as_ref(), &credential);
    let home = ctx.run.environment.home.clone();
    let cli_config = async {
        match &home {
            Some(home) => CliConfig::load(home, &ctx.run.environment.clock).await,
            None => CliConfig {
                path: PathBuf::from("~/.confluent/config.json"),
                state: CliConfigState::Missing,
            },
        }
    };
    let (cli_config, (reachability, observation, kafka), others) = join!(
        cli_config,
        async {
            let (knock, heard) = probe_service(connection.as_ref(), &probe_target, args.offline).await;
            let kafka = kafka::check_kafka_key(
                ctx,
                environment,
                department.as_ref(),
                connection.as_ref(),
                &probe_target,
                &heard,
            )
            .await;
            (knock, heard, kafka)
        },
        probe_other_hosts(connection.as_ref(), args.offline),
    );

    let mut checks: Vec<(CheckTopic, CheckResult)> = Vec::new();
    let mut add = |topic, more: Vec<CheckResult>| checks.extend(more.into_iter().map(|check| (topic, check)));
    add(
        CheckTopic::Plugin,
        plugin::check_installation(&inspect_installation(&ctx.run.environment), &cli_config),
    );
    add(CheckTopic::Computer, computer_checks(environment, sandbox.as_ref()));
    let expected = expected_identity(environment, department.as_ref());
    let now = connection
        .as_ref()
        .map_or(&ctx.run.environment.clock, |connection| &connection.clock)
        .now();
    add(
        CheckTopic::Key,
        profile_and_key_checks(environment, &credential, &observation, &cli_config, &expected, now),
    );
    add(CheckTopic::Key, vec![kafka]);
    add(
        CheckTopic::Network,
        network_checks(environment, connection.as_ref(), reachability.as_ref(), &others, args),
    );
    add(
        CheckTopic::Platform,
        vec![platform::check_files(
            environment
                .platform
                .as_ref()
                .map(Option::as_ref)
                .map_err(String::as_str),
        )],
    );
    let own = department.as_ref().map(|department| &department.prefix);
    add(
        CheckTopic::Platform,
        scope::check_scope(&observation, &probe_target, own),
    );
    add(
        CheckTopic::Rights,
        rights_checks(environment, department.as_ref(), &observation, &probe_target),
    );
    DoctorReport::new(checks)
}

/// Inspects the sandbox directory. Retries while another process holds the lock.
async fn inspect_sandbox_folder(ctx: &Ctx, environment: &DoctorEnvironment) -> Option<SandboxFolder> {
    let default = || environment.folders.as_ref().ok().map(config::StandardDirs::sandbox);
    let path = environment.sandbox.clone().or_else(default)?;
    let mut condition = Sandbox::state_dir_status(&path);
    for _ in 1..LOCK_RETRIES {
        if !condition.locked {
            break;
        }
        ctx.run.environment.clock.sleep(LOCK_RETRY_DELAY).await;
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

/// Returns the objects that the service checks request.
fn probe_target(
    environment: &DoctorEnvironment,
    department: Option<&ActingDepartment>,
    connection: Option<&DoctorConnection>,
    credential: &CredentialState,
) -> ProbeTarget {
    let impersonated = match connection.and_then(|connection| connection.auth.as_ref()) {
        Some(Auth::Headers(headers)) => headers
            .iter()
            .find(|(name, _)| name.as_str() == IMPERSONATE_HEADER)
            .and_then(|(_, value)| value.to_str().ok())
            .map(Principal::from_id),
        _ => None,
    };
    let workspace = environment.valid_workspace();
    let mut probe_target = ProbeTarget {
        organization: workspace.and_then(|workspace| workspace.platform.organization.clone()),
        key: credential.key().cloned(),
        principal: impersonated,
        account_name: department.map(|department| department.account_name.clone()),
        prefix: department.map(|department| department.prefix.clone()),
        ..ProbeTarget::default()
    };
    if let Some(loaded) = environment.valid_profile() {
        let facts = &loaded.profile.facts;
        probe_target.organization = Some(facts.organization.clone());
        probe_target.environment = Some(facts.environment.clone());
        probe_target.cluster = Some(facts.cluster.clone());
        probe_target.schema_registry.clone_from(&facts.schema_registry);
    } else if let Some((_, stage)) = &environment.stage {
        probe_target.environment = Some(stage.environment.clone());
        probe_target.cluster = Some(stage.cluster.clone());
        probe_target.schema_registry.clone_from(&stage.schema_registry);
        if department.is_none() {
            let provisioner = workspace.and_then(|workspace| workspace.platform.provisioner.clone());
            probe_target.fallback_principal = provisioner.map(Principal::ServiceAccount);
        }
    }
    probe_target
}

/// Checks that the service responds, then sends the requests.
async fn probe_service(
    connection: Option<&DoctorConnection>,
    probe_target: &ProbeTarget,
    offline: bool,
) -> (Option<HostReachability>, ServiceObservation) {
    let Some(connection) = connection else {
        return (None, ServiceObservation::skipped("no connection"));
    };
    if offline && !connection.in_process {
        return (None, ServiceObservation::skipped("skipped: `--offline`"));
    }
    let reachability = network::probe_host(&*connection.transport, &connection.base, &connection.clock).await;
    let answers = reachability.response.as_ref().is_ok_and(|answer| !answer.web_page);
    let observation = match (&connection.auth, answers) {
        (None, _) => ServiceObservation::skipped("no API key"),
        (_, false) => ServiceObservation::skipped("Confluent Cloud does not respond"),
        (Some(auth), true) => {
            let builder = Client::builder(
                connection.base.clone(),
                connection.transport.clone(),
                auth.clone(),
                connection.clock.clone(),
            );
            observation::observe(&builder.policy(observation::no_retry()).build(), probe_target).await
        }
    };
    (Some(reachability), observation)
}

/// Checks the hosts other than the API host: `confluent.cloud` issues the tokens for logs.
async fn probe_other_hosts(
    connection: Option<&DoctorConnection>,
    offline: bool,
) -> Result<Vec<TelemetryHost>, CheckResult> {
    let Some(connection) = connection else {
        return Err(network::skipped_telemetry_hosts("no connection"));
    };
    let hosts = connection
        .hosts
        .as_ref()
        .map_err(|why| network::untrusted_telemetry_hosts(why))?;
    if offline {
        return Err(network::skipped_telemetry_hosts("skipped: `--offline`"));
    }
    let named = [
        ("tokens for connector logs", &hosts.token),
        ("connector logs", &hosts.logs),
        ("metrics", &hosts.metrics),
    ];
    let mut places: Vec<(&'static str, BaseUrl)> = Vec::new();
    for (purpose, host) in named {
        let Ok(base) = host.parse::<BaseUrl>() else { continue };
        if base != connection.base && places.iter().all(|(_, known)| *known != base) {
            places.push((purpose, base));
        }
    }
    Ok(network::probe_telemetry_hosts(&*connection.transport, places, &connection.clock).await)
}

/// Returns the directories that the Confluent CLI searches for plugins: those of `PATH`, then its own.
fn inspect_installation(environment: &Environment) -> PluginInstallation {
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

fn computer_checks(environment: &DoctorEnvironment, sandbox: Option<&SandboxFolder>) -> Vec<CheckResult> {
    let (secrets, journals) = match (&environment.sandbox, &environment.folders) {
        (Some(folder), _) => (folder.join("handover"), folder.join("runs")),
        (None, Ok(folders)) => (folders.handover(), folders.journal()),
        (None, Err(_)) => (PathBuf::new(), PathBuf::new()),
    };
    let folder = match &environment.folders {
        Ok(folders) => Ok(StateFolder::inspect(folders.state(), &secrets)),
        Err(error) => Err(error.to_string()),
    };
    vec![
        state::check_folder(folder.as_ref().map_err(String::as_str)),
        state::check_runs(&state::read_last_runs(&journals), environment.sandbox.is_some()),
        state::check_sandbox(sandbox),
    ]
}

fn expected_identity(environment: &DoctorEnvironment, department: Option<&ActingDepartment>) -> ExpectedIdentity {
    let workspace = environment.valid_workspace();
    ExpectedIdentity {
        account: department.map(|department| department.account_name.clone()),
        department: department.map(|department| department.code.to_string()),
        provisioner: workspace.and_then(|workspace| workspace.platform.provisioner.clone()),
        sandbox: environment.sandbox.is_some(),
    }
}

fn profile_and_key_checks(
    environment: &DoctorEnvironment,
    credential: &CredentialState,
    observation: &ServiceObservation,
    cli_config: &CliConfig,
    expected: &ExpectedIdentity,
    now: Timestamp,
) -> Vec<CheckResult> {
    let in_git = environment.valid_profile().and_then(|loaded| {
        let folder = loaded.path.parent()?;
        git::ensure_ignored_by_git(folder).err()
    });
    let named = environment.selected_profile.as_ref().zip(environment.profile.as_ref());
    let named = named.map(|((written, origin), loaded)| NamedProfile {
        written,
        origin,
        loaded: loaded.as_ref().map_err(Vec::as_slice),
        in_git,
    });
    let variables = EnvironmentKeys {
        ignored: environment.sandbox.is_some(),
        overridden: environment
            .valid_profile()
            .is_some_and(|loaded| loaded.keys.cloud.is_some()),
        ..EnvironmentKeys::from_variables(&environment.variables)
    };
    let has_platform = matches!(&environment.platform, Ok(Some(_)));
    vec![
        profile::check_profile(named.as_ref()),
        profile::check_profile_file(named.as_ref()),
        profile::check_environment_keys(&variables),
        profile::check_key(&credential.to_check_input(), has_platform),
        key::check_accepted(observation, credential.key(), cli_config, expected),
        key::check_owner(observation, expected),
        key::check_age(observation, now, expected),
    ]
}

fn network_checks(
    environment: &DoctorEnvironment,
    connection: Option<&DoctorConnection>,
    reachability: Option<&HostReachability>,
    others: &Result<Vec<TelemetryHost>, CheckResult>,
    args: &DoctorArgs,
) -> Vec<CheckResult> {
    let proxies: Vec<ProxySetting> = network::find_proxies(environment.variables.iter().cloned());
    let near = environment.sandbox.is_some()
        || environment
            .valid_profile()
            .is_some_and(|loaded| loaded.profile.endpoint.is_local());
    let mut checks = vec![
        network::check_endpoint(
            connection.map(|connection| connection.base.as_str()),
            environment.valid_profile().is_some(),
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
            time::check_clock(reachability, std::env::consts::OS, connection.in_process),
        ]),
        _ => checks.extend(network::skipped_checks(args.offline)),
    }
    checks
}

fn rights_checks(
    environment: &DoctorEnvironment,
    department_context: Option<&ActingDepartment>,
    observation: &ServiceObservation,
    probe_target: &ProbeTarget,
) -> Vec<CheckResult> {
    let department =
        department_context.map(|department_context| (&department_context.prefix, department_context.code.as_str()));
    let workspace = environment.valid_workspace();
    let needed = match (department_context, workspace) {
        (Some(_), _) => Err("not required for a department"),
        (None, None) => Err("skipped: no platform configuration"),
        (None, Some(workspace)) => {
            let organization = observation
                .organization
                .as_ref()
                .ok()
                .or(probe_target.organization.as_ref());
            Ok(organization.map_or_else(Vec::new, |organization| {
                required_roles(&workspace.platform, organization, observation, probe_target)
            }))
        }
    };
    vec![
        rights::check_roles(observation, probe_target, department),
        rights::check_provisioner(observation, needed.as_deref().map_err(|why| *why)),
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
