//! Looks at everything and hands it to the judgements in `checks`.

use std::{path::PathBuf, time::Duration};

use futures_util::join;
use jiff::Timestamp;

use super::{
    Doctor,
    connection::{Connection, Holding, connection},
    kafka,
    surroundings::{Surroundings, Tenant},
};
use crate::{
    checks::{
        Check, Diagnosis, Topic,
        heard::{self, Heard, Question},
        key::{self, Expected},
        network::{self, Knock, OtherHost, Proxy},
        place, platform,
        plugin::{self, Installation},
        profile::{self, EnvironmentKeys, Named},
        rights::{self, Needed},
        state::{self, SandboxFolder, StateFolder},
        stock_config::{StockConfig, StockState},
        time,
    },
    client::{Auth, BaseUrl, Client},
    commands::Ctx,
    config::{self, git},
    env,
    error::{Error, ErrorKind},
    manifest::{Platform, admin::AdminScript},
    model::{OrganizationId, Principal},
    sandbox::{Sandbox, auth::AS_HEADER},
};

/// How often, and how long apart, a held sandbox is looked at before it counts as stuck.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(40);

/// Examines everything. An error only when somebody wished to stop.
pub(super) fn examine(ctx: &Ctx, around: &Surroundings, asked: &Doctor) -> Result<Diagnosis, Error> {
    ctx.block_on(async {
        tokio::select! {
            biased;
            () = ctx.interrupt.wished() => {
                Err(Error::new(ErrorKind::Interrupted, "interrupted before everything was looked at"))
            }
            diagnosis = look(ctx, around, asked) => Ok(diagnosis),
        }
    })
}

async fn look(ctx: &Ctx, around: &Surroundings, asked: &Doctor) -> Diagnosis {
    let sandbox = sandbox_folder(ctx, around).await;
    let stuck = sandbox.as_ref().is_some_and(|seen| seen.stuck);
    let (connection, holding) = connection(ctx, around, asked, stuck);
    // Acting on it has made it.
    let sandbox = if stuck {
        sandbox
    } else {
        sandbox_folder(ctx, around).await
    };
    let tenant = around.tenant(ctx);
    let question = question(around, tenant.as_ref(), connection.as_ref(), &holding);
    let home = etcetera::home_dir().ok();
    let stock = async {
        match &home {
            Some(home) => StockConfig::look(home, &ctx.clock).await,
            None => StockConfig {
                path: PathBuf::from("~/.confluent/config.json"),
                state: StockState::Missing,
            },
        }
    };
    let (stock, (knock, heard, kafka), others) = join!(
        stock,
        async {
            let (knock, heard) = call(connection.as_ref(), &question, asked.offline).await;
            let kafka = kafka::key(ctx, around, tenant.as_ref(), connection.as_ref(), &question, &heard).await;
            (knock, heard, kafka)
        },
        call_others(connection.as_ref(), asked.offline),
    );

    let mut checks: Vec<(Topic, Check)> = Vec::new();
    let mut add = |topic, more: Vec<Check>| checks.extend(more.into_iter().map(|check| (topic, check)));
    add(Topic::Plugin, plugin::judge(&installation(home), &stock));
    add(Topic::Computer, computer(around, sandbox.as_ref()));
    let expected = expected(around, tenant.as_ref());
    let now = connection
        .as_ref()
        .map_or(&ctx.clock, |connection| &connection.clock)
        .now();
    add(
        Topic::Key,
        profile_and_key(around, &holding, &heard, &stock, &expected, now),
    );
    add(Topic::Key, vec![kafka]);
    add(
        Topic::Network,
        the_way(around, connection.as_ref(), knock.as_ref(), &others, asked),
    );
    add(
        Topic::Platform,
        vec![platform::files(
            around.platform.as_ref().map(Option::as_ref).map_err(String::as_str),
        )],
    );
    let own = tenant.as_ref().map(|tenant| &tenant.prefix);
    add(Topic::Platform, place::judge(&heard, &question, own));
    add(Topic::Rights, the_rights(around, tenant.as_ref(), &heard, &question));
    Diagnosis::new(checks)
}

/// The sandbox's folder; one that is held for a moment is looked at again.
async fn sandbox_folder(ctx: &Ctx, around: &Surroundings) -> Option<SandboxFolder> {
    let default = || around.folders.as_ref().ok().map(config::Folders::sandbox);
    let path = around.sandbox.clone().or_else(default)?;
    let mut condition = Sandbox::condition_of(&path);
    for _ in 1..LOOKS {
        if !condition.held {
            break;
        }
        ctx.clock.sleep(BETWEEN_LOOKS).await;
        condition = Sandbox::condition_of(&path);
    }
    Some(SandboxFolder {
        path,
        exists: condition.exists,
        url: condition.url,
        left_behind: condition.left_behind,
        stuck: condition.held,
    })
}

/// What to ask about.
fn question(
    around: &Surroundings,
    tenant: Option<&Tenant>,
    connection: Option<&Connection>,
    holding: &Holding,
) -> Question {
    let stand_in = match connection.and_then(|connection| connection.auth.as_ref()) {
        Some(Auth::Headers(headers)) => headers
            .iter()
            .find(|(name, _)| name.as_str() == AS_HEADER)
            .and_then(|(_, value)| value.to_str().ok())
            .map(Principal::from_id),
        _ => None,
    };
    let workspace = around.workspace();
    let mut question = Question {
        organization: workspace.and_then(|workspace| workspace.platform.organization.clone()),
        key: holding.key().cloned(),
        principal: stand_in,
        account_name: tenant.map(|tenant| tenant.account.clone()),
        prefix: tenant.map(|tenant| tenant.prefix.clone()),
        ..Question::default()
    };
    if let Some(loaded) = around.loaded() {
        let facts = &loaded.profile.facts;
        question.organization = Some(facts.organization.clone());
        question.environment = Some(facts.environment.clone());
        question.cluster = Some(facts.cluster.clone());
        question.schema_registry.clone_from(&facts.schema_registry);
    } else if let Some((_, stage)) = &around.stage {
        question.environment = Some(stage.environment.clone());
        question.cluster = Some(stage.cluster.clone());
        question.schema_registry.clone_from(&stage.schema_registry);
        if tenant.is_none() {
            let provisioner = workspace.and_then(|workspace| workspace.platform.provisioner.clone());
            question.otherwise = provisioner.map(Principal::ServiceAccount);
        }
    }
    question
}

/// Knocks, and asks when somebody is there.
async fn call(connection: Option<&Connection>, question: &Question, offline: bool) -> (Option<Knock>, Heard) {
    let Some(connection) = connection else {
        return (None, Heard::nothing("there is no way to ask"));
    };
    if offline && !connection.inside {
        return (None, Heard::nothing("nobody was asked: --offline"));
    }
    let knock = network::knock(&*connection.transport, &connection.base, &connection.clock).await;
    let there = knock.answer.as_ref().is_ok_and(|answer| !answer.web_page);
    let heard = match (&connection.auth, there) {
        (None, _) => Heard::nothing("there is no key to ask with"),
        (_, false) => Heard::nothing("the service does not answer"),
        (Some(auth), true) => {
            let builder = Client::builder(
                connection.base.clone(),
                connection.transport.clone(),
                auth.clone(),
                connection.clock.clone(),
            );
            heard::ask(&builder.policy(heard::impatient()).build(), question).await
        }
    };
    (Some(knock), heard)
}

/// Asks the hosts beside the API's, as far as they are others: `confluent.cloud` gives the tokens that logs need.
async fn call_others(connection: Option<&Connection>, offline: bool) -> Result<Vec<OtherHost>, Check> {
    let Some(connection) = connection else {
        return Err(network::others_unasked("there is no way to ask"));
    };
    let hosts = connection.hosts.as_ref().map_err(|why| network::others_refused(why))?;
    if offline {
        return Err(network::others_unasked("nobody was asked: --offline"));
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
    Ok(network::knock_on_others(&*connection.transport, places, &connection.clock).await)
}

/// The folders that the Confluent CLI looks into: those of `PATH`, then its own.
fn installation(home: Option<PathBuf>) -> Installation {
    let path = std::env::var_os(env::PATH).unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Some(own) = home.map(|home| home.join(".confluent").join("plugins"))
        && !folders.contains(&own)
    {
        folders.push(own);
    }
    let extensions = env::var(env::PATHEXT).unwrap_or_default();
    let extensions: Vec<String> = extensions.split(';').map(str::to_owned).collect();
    Installation::look(&std::env::current_exe().unwrap_or_default(), &folders, &extensions)
}

fn computer(around: &Surroundings, sandbox: Option<&SandboxFolder>) -> Vec<Check> {
    let (secrets, journals) = match (&around.sandbox, &around.folders) {
        (Some(folder), _) => (folder.join("handover"), folder.join("runs")),
        (None, Ok(folders)) => (folders.handover(), folders.journal()),
        (None, Err(_)) => (PathBuf::new(), PathBuf::new()),
    };
    let folder = match &around.folders {
        Ok(folders) => Ok(StateFolder::look(folders.state(), &secrets)),
        Err(error) => Err(error.to_string()),
    };
    vec![
        state::folder(folder.as_ref().map_err(String::as_str)),
        state::runs(&state::last_runs(&journals), around.sandbox.is_some()),
        state::sandbox(sandbox),
    ]
}

fn expected(around: &Surroundings, tenant: Option<&Tenant>) -> Expected {
    let workspace = around.workspace();
    Expected {
        account: tenant.map(|tenant| tenant.account.clone()),
        department: tenant.map(|tenant| tenant.code.to_string()),
        provisioner: workspace.and_then(|workspace| workspace.platform.provisioner.clone()),
        sandbox: around.sandbox.is_some(),
    }
}

fn profile_and_key(
    around: &Surroundings,
    holding: &Holding,
    heard: &Heard,
    stock: &StockConfig,
    expected: &Expected,
    now: Timestamp,
) -> Vec<Check> {
    let in_git = around.loaded().and_then(|loaded| {
        let folder = loaded.path.parent()?;
        git::refuse_work_tree(folder).err()
    });
    let named = around.named.as_ref().zip(around.profile.as_ref());
    let named = named.map(|((written, origin), loaded)| Named {
        written,
        origin,
        loaded: loaded.as_ref().map_err(Vec::as_slice),
        in_git,
    });
    let variables = EnvironmentKeys {
        ignored: around.sandbox.is_some(),
        overruled: around.loaded().is_some_and(|loaded| loaded.keys.cloud.is_some()),
        ..EnvironmentKeys::look(&around.variables)
    };
    let has_platform = matches!(&around.platform, Ok(Some(_)));
    vec![
        profile::profile(named.as_ref()),
        profile::file(named.as_ref()),
        profile::environment(&variables),
        profile::key(&holding.held(), has_platform),
        key::accepted(heard, holding.key(), stock, expected),
        key::owner(heard, expected),
        key::age(heard, now, expected),
    ]
}

fn the_way(
    around: &Surroundings,
    connection: Option<&Connection>,
    knock: Option<&Knock>,
    others: &Result<Vec<OtherHost>, Check>,
    asked: &Doctor,
) -> Vec<Check> {
    let proxies: Vec<Proxy> = network::proxies(around.variables.iter().cloned());
    let near = around.sandbox.is_some() || around.loaded().is_some_and(|loaded| loaded.profile.endpoint.is_local());
    let mut checks = vec![
        network::endpoint(
            connection.map(|connection| connection.base.as_str()),
            around.loaded().is_some(),
            near,
        ),
        network::proxy(&proxies, near),
    ];
    match (connection, knock) {
        (Some(connection), Some(knock)) => checks.extend([
            network::reachable(knock, &proxies),
            match knock.answer.is_ok() {
                true => network::others(others.as_deref().map_err(Clone::clone)),
                // One cause is one problem.
                false => network::others_unasked("not judged: the service itself does not answer"),
            },
            network::certificate(knock, &connection.base),
            time::clock(knock, std::env::consts::OS, connection.inside),
        ]),
        _ => checks.extend(network::nobody_asked(asked.offline)),
    }
    checks
}

fn the_rights(around: &Surroundings, tenant: Option<&Tenant>, heard: &Heard, question: &Question) -> Vec<Check> {
    let department = tenant.map(|tenant| (&tenant.prefix, tenant.code.as_str()));
    let workspace = around.workspace();
    let needed = match (tenant, workspace) {
        (Some(_), _) => Err("not needed by a department"),
        (None, None) => Err("not looked at: there are no platform files to go by"),
        (None, Some(workspace)) => {
            let organization = heard.organization.as_ref().ok().or(question.organization.as_ref());
            Ok(organization.map_or_else(Vec::new, |organization| {
                needed(&workspace.platform, organization, heard, question)
            }))
        }
    };
    vec![
        rights::roles(heard, question, department),
        rights::provisioner(heard, needed.as_deref().map_err(|why| *why)),
        platform::assumptions(workspace, heard),
    ]
}

/// What the provisioner needs in every stage, with the commands that give it to the account that is acting.
fn needed(platform: &Platform, organization: &OrganizationId, heard: &Heard, question: &Question) -> Vec<Needed> {
    let mut platform = platform.clone();
    if let Some(account) = heard.principal.as_ref().and_then(Principal::service_account) {
        platform.provisioner = Some(account.clone());
    }
    let stages = platform.stages.iter();
    stages
        .map(|(name, stage)| {
            let mut address = stage.address(organization);
            if address.schema_registry.is_none() && Some(&stage.environment) == question.environment.as_ref() {
                address.schema_registry = heard.registries.as_ref().ok().and_then(|found| found.first().cloned());
            }
            let script = AdminScript::new(&platform, &[name]);
            let command = |role: &str| {
                let step = script
                    .steps
                    .iter()
                    .find(|step| step.arguments.iter().any(|word| word == role));
                step.map(|step| step.command.clone()).unwrap_or_default()
            };
            Needed {
                stage: name.clone(),
                address,
                commands: [command("CloudClusterAdmin"), command("ResourceOwner")],
            }
        })
        .collect()
}
