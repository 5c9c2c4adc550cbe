//! Searches for the API key of the Kafka cluster and checks that the cluster accepts it.

use futures_util::join;

use super::{
    connection::DoctorConnection,
    environment::{ActingDepartment, DoctorEnvironment},
};
use crate::{
    api::{Endpoint, kafka::ListAcls, keys::GetApiKey},
    checks::{
        CheckResult,
        kafka_key::{self, KafkaKeyNeed, KafkaKeyState},
        observation::{self, Observation, ProbeTarget, ServiceObservation, Unavailable},
    },
    client::{Auth, BaseUrl, Client},
    commands::Ctx,
    config::CredentialsError,
    model::{Principal, ServiceAccountId},
    session,
};

/// Checks the API key of the Kafka cluster.
pub(super) async fn check_kafka_key(
    ctx: &Ctx,
    environment: &DoctorEnvironment,
    department: Option<&ActingDepartment>,
    connection: Option<&DoctorConnection>,
    probe_target: &ProbeTarget,
    observation: &ServiceObservation,
) -> CheckResult {
    let need = kafka_key_need(environment, department);
    let found = find_kafka_auth(ctx, environment, department, connection);
    let (held, answered) = match &found {
        Err(error) => (
            KafkaKeyState::Unusable(error),
            kafka_key::KafkaObservation::skipped("the key cannot be used"),
        ),
        Ok(None) => (
            KafkaKeyState::Missing,
            kafka_key::KafkaObservation::skipped("there is no key"),
        ),
        Ok(Some(auth)) => {
            let source = match (auth.source(), ctx.run.options.sandbox_as.as_deref()) {
                (Some(source), _) => source.to_string(),
                (None, who) => format!("the sandbox acts as {}", who.unwrap_or("a principal without a key")),
            };
            let id = auth.key().and_then(|key| key.parse().ok());
            (
                KafkaKeyState::Present(id, source),
                probe_kafka(ctx, auth, connection, probe_target, observation).await,
            )
        }
    };
    let provisioner = environment
        .valid_workspace()
        .and_then(|workspace| workspace.platform.provisioner.clone())
        .or_else(|| {
            observation
                .principal
                .as_ref()
                .and_then(Principal::service_account)
                .cloned()
        });
    let account = provisioner.as_ref().map(ServiceAccountId::as_str);
    kafka_key::check_key(&need, &held, probe_target.cluster.as_ref(), account, &answered)
}

fn kafka_key_need(environment: &DoctorEnvironment, department_context: Option<&ActingDepartment>) -> KafkaKeyNeed {
    if department_context.is_some() {
        return KafkaKeyNeed::Department;
    }
    let Some(workspace) = environment.valid_workspace() else {
        return KafkaKeyNeed::Unknown;
    };
    let asking = workspace.active_departments();
    let asking = asking.filter(|department| workspace.asks_for_acls(department));
    KafkaKeyNeed::Departments(asking.map(|department| department.code.to_string()).collect())
}

/// Returns the Kafka key from the profile, the environment or the sandbox.
fn find_kafka_auth(
    ctx: &Ctx,
    environment: &DoctorEnvironment,
    department: Option<&ActingDepartment>,
    connection: Option<&DoctorConnection>,
) -> Result<Option<Auth>, CredentialsError> {
    let loaded = environment.valid_profile();
    let Some(folder) = &environment.sandbox else {
        return session::kafka_auth_for_service(&ctx.run, loaded);
    };
    let workspace = environment.sandbox_workspace();
    let stage = environment.stage.as_ref().map(|(_, stage)| stage);
    let auth = connection.and_then(|connection| connection.auth.as_ref());
    match (workspace, stage, auth) {
        // An impersonated persona has the permissions of its account, but no cluster key.
        (Some(workspace), Some(stage), Some(auth)) if department.is_none() => {
            // Another check reports why the sandbox cannot be used.
            Ok(session::kafka_auth_in_sandbox(&ctx.run, folder, &workspace, stage, loaded, auth).unwrap_or_default())
        }
        _ => Ok(loaded.and_then(session::kafka_auth_of_profile)),
    }
}

/// Observes the key through the Cloud API, then sends a request to the cluster with it.
async fn probe_kafka(
    ctx: &Ctx,
    auth: &Auth,
    connection: Option<&DoctorConnection>,
    probe_target: &ProbeTarget,
    observation: &ServiceObservation,
) -> kafka_key::KafkaObservation {
    let Some(connection) = connection else {
        return kafka_key::KafkaObservation::skipped("no connection");
    };
    let cluster = match &observation.cluster {
        Ok(cluster) => cluster,
        Err(silence) => return kafka_key::KafkaObservation::skipped(silence.reason()),
    };
    let client = |base: BaseUrl, auth: &Auth| {
        let (transport, clock) = (connection.transport.clone(), connection.clock.clone());
        Client::builder(base, transport, auth.clone(), clock)
            .policy(observation::no_retry())
            .build()
    };
    let trusted: Vec<String> = ctx.run.options.trusted_hosts.clone();
    let base = session::kafka_base_url(cluster, auth, &trusted);
    let about = async {
        let none = || Unavailable::Skipped("the key has no id".to_owned());
        let key = auth.key().and_then(|key| key.parse().ok()).ok_or_else(none)?;
        let cloud = connection.auth.as_ref().ok_or_else(none)?;
        send(&client(connection.base.clone(), cloud), GetApiKey(key)).await
    };
    let acls = async {
        let unasked = |why: &String| Unavailable::Skipped(why.clone());
        let base = base.as_ref().map_err(unasked)?.clone();
        let list = ListAcls {
            cluster: probe_target.cluster.clone().unwrap_or_else(|| cluster.id.clone()),
            principal: None,
        };
        Ok(send(&client(base, auth), list).await?.data.len())
    };
    let (key, acls) = join!(about, acls);
    kafka_key::KafkaObservation {
        key,
        address_error: base.as_ref().err().cloned(),
        acls,
    }
}

async fn send<E: Endpoint>(client: &Client, endpoint: E) -> Observation<E::Response> {
    Ok(client.send(&endpoint).await?.value)
}
