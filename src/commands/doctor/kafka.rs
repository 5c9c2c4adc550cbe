//! Looks for the key of the Kafka cluster, and asks the cluster whether it takes it.

use futures_util::join;

use super::{
    connection::Connection,
    surroundings::{Surroundings, Tenant},
};
use crate::{
    api::{Endpoint, kafka::ListAcls, keys::GetApiKey},
    checks::{
        Check,
        heard::{self, Answer, Heard, Question, Silence},
        kafka::{self, Held, Need},
    },
    client::{Auth, BaseUrl, Client},
    commands::{Ctx, session},
    config::CredentialsError,
    model::{Principal, ServiceAccountId},
};

/// Looks, asks and judges.
pub(super) async fn key(
    ctx: &Ctx,
    around: &Surroundings,
    tenant: Option<&Tenant>,
    connection: Option<&Connection>,
    question: &Question,
    heard: &Heard,
) -> Check {
    let need = need(around, tenant);
    let found = found(ctx, around, tenant, connection);
    let (held, answered) = match &found {
        Err(error) => (Held::Broken(error), kafka::Heard::nothing("it cannot be used")),
        Ok(None) => (Held::Nothing, kafka::Heard::nothing("there is none")),
        Ok(Some(auth)) => {
            let source = match (auth.source(), ctx.globals.sandbox_as.as_deref()) {
                (Some(source), _) => source.to_string(),
                (None, who) => format!("the sandbox acts as {}", who.unwrap_or("somebody")),
            };
            let id = auth.key().and_then(|key| key.parse().ok());
            (Held::Key(id, source), ask(ctx, auth, connection, question, heard).await)
        }
    };
    let provisioner = around
        .workspace()
        .and_then(|workspace| workspace.platform.provisioner.clone())
        .or_else(|| heard.principal.as_ref().and_then(Principal::service_account).cloned());
    let account = provisioner.as_ref().map(ServiceAccountId::as_str);
    kafka::judge(&need, &held, question.cluster.as_ref(), account, &answered)
}

fn need(around: &Surroundings, tenant: Option<&Tenant>) -> Need {
    if tenant.is_some() {
        return Need::Department;
    }
    let Some(workspace) = around.workspace() else {
        return Need::Unknown;
    };
    let asking = workspace.active_departments();
    let asking = asking.filter(|department| workspace.asks_for_acls(department));
    Need::Departments(asking.map(|department| department.code.to_string()).collect())
}

/// The key that the profile, the environment or the sandbox gives.
fn found(
    ctx: &Ctx,
    around: &Surroundings,
    tenant: Option<&Tenant>,
    connection: Option<&Connection>,
) -> Result<Option<Auth>, CredentialsError> {
    let loaded = around.loaded();
    let Some(folder) = &around.sandbox else {
        return session::kafka_of_service(loaded);
    };
    let workspace = around.for_sandbox();
    let stage = around.stage.as_ref().map(|(_, stage)| stage);
    let auth = connection.and_then(|connection| connection.auth.as_ref());
    match (workspace, stage, auth) {
        // Whoever stands in for a department has its own rights and no key of a cluster.
        (Some(workspace), Some(stage), Some(auth)) if tenant.is_none() => {
            // Why the sandbox cannot be acted on is told elsewhere.
            Ok(session::kafka_in_sandbox(ctx, folder, &workspace, stage, loaded, auth).unwrap_or_default())
        }
        _ => Ok(loaded.and_then(session::kafka_of_profile)),
    }
}

/// Asks the service what it knows of the key, then the cluster whether it takes it.
async fn ask(
    ctx: &Ctx,
    auth: &Auth,
    connection: Option<&Connection>,
    question: &Question,
    heard: &Heard,
) -> kafka::Heard {
    let Some(connection) = connection else {
        return kafka::Heard::nothing("there is no way to ask");
    };
    let cluster = match &heard.cluster {
        Ok(cluster) => cluster,
        Err(silence) => return kafka::Heard::nothing(silence.reason()),
    };
    let client = |base: BaseUrl, auth: &Auth| {
        let (transport, clock) = (connection.transport.clone(), connection.clock.clone());
        Client::builder(base, transport, auth.clone(), clock)
            .policy(heard::impatient())
            .build()
    };
    let trusted: Vec<String> = ctx.globals.trust_endpoint.iter().cloned().collect();
    let base = session::kafka_base(cluster, &trusted);
    let about = async {
        let none = || Silence::NotAsked("it has no id".to_owned());
        let key = auth.key().and_then(|key| key.parse().ok()).ok_or_else(none)?;
        let cloud = connection.auth.as_ref().ok_or_else(none)?;
        read(&client(connection.base.clone(), cloud), GetApiKey(key)).await
    };
    let acls = async {
        let unasked = |why: &String| Silence::NotAsked(why.clone());
        let base = base.as_ref().map_err(unasked)?.clone();
        let list = ListAcls {
            cluster: question.cluster.clone().unwrap_or_else(|| cluster.id.clone()),
            principal: None,
        };
        Ok(read(&client(base, auth), list).await?.data.len())
    };
    let (key, acls) = join!(about, acls);
    kafka::Heard {
        key,
        detour: base.as_ref().err().cloned(),
        acls,
    }
}

async fn read<E: Endpoint>(client: &Client, endpoint: E) -> Answer<E::Answer> {
    Ok(client.send(&endpoint).await?.value)
}
