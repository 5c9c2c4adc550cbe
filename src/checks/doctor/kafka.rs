//! Searches for the API key of the Kafka cluster and checks that the cluster accepts it.

use futures_util::join;

use super::{ActingDepartment, DoctorInputs, connection::impersonation_text};
use crate::{
    api::{kafka::ListAcls, keys::GetApiKey},
    checks::{
        CheckResult,
        kafka_key::{self, KafkaKeyNeed, KafkaKeyState, KafkaObservation},
        observation::{ProbeTarget, ServiceObservation, Unavailable, observe_one},
    },
    client::{Auth, RetryPolicy},
    config::CredentialsError,
    model::{Principal, ServiceAccountId},
    session::{self, Connection, RunContext},
};

/// Checks the API key of the Kafka cluster.
pub(super) async fn check_kafka_key(
    run: &RunContext,
    inputs: &DoctorInputs,
    department: Option<&ActingDepartment>,
    connection: Option<&Connection>,
    probe_target: &ProbeTarget,
    observation: &ServiceObservation,
) -> CheckResult {
    let need = kafka_key_need(inputs, department);
    let found = find_kafka_auth(run, inputs, department, connection);
    let (held, answered) = match &found {
        Err(error) => (
            KafkaKeyState::Unusable(error),
            KafkaObservation::skipped("the key cannot be used"),
        ),
        Ok(None) => (KafkaKeyState::Missing, KafkaObservation::skipped("there is no key")),
        Ok(Some(auth)) => {
            let source = auth.source().map(ToString::to_string);
            let source = source.unwrap_or_else(|| impersonation_text(run));
            let id = auth.key().and_then(|key| key.parse().ok());
            (
                KafkaKeyState::Present(id, source),
                probe_kafka(run, auth, connection, probe_target, observation).await,
            )
        }
    };
    let provisioner = inputs
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
    kafka_key::check_key(
        &need,
        &held,
        probe_target.cluster.as_ref(),
        account,
        &answered,
        &run.options,
    )
}

fn kafka_key_need(inputs: &DoctorInputs, department: Option<&ActingDepartment>) -> KafkaKeyNeed {
    if department.is_some() {
        return KafkaKeyNeed::Department;
    }
    let Some(workspace) = inputs.valid_workspace() else {
        return KafkaKeyNeed::Unknown;
    };
    let asking = workspace.active_departments();
    let asking = asking.filter(|department| workspace.asks_for_acls(department));
    KafkaKeyNeed::Departments(asking.map(|department| department.code.to_string()).collect())
}

/// Returns the Kafka key from the profile, the environment or the sandbox.
fn find_kafka_auth(
    run: &RunContext,
    inputs: &DoctorInputs,
    department: Option<&ActingDepartment>,
    connection: Option<&Connection>,
) -> Result<Option<Auth>, CredentialsError> {
    let loaded = inputs.valid_profile();
    let Some(folder) = inputs.settings.sandbox_dir() else {
        return session::kafka_auth_for_service(run, loaded);
    };
    let workspace = inputs.sandbox_workspace();
    let stage = inputs.stage.as_ref().map(|(_, stage)| stage);
    let auth = connection.and_then(|connection| connection.auth.as_ref().ok());
    match (workspace, stage, auth) {
        // An impersonated persona has the permissions of its account, but no cluster key.
        (Some(workspace), Some(stage), Some(auth)) if department.is_none() => {
            // Another check reports why the sandbox cannot be used.
            Ok(session::kafka_auth_in_sandbox(run, folder, &workspace, stage, loaded, auth).unwrap_or_default())
        }
        _ => Ok(loaded.and_then(session::kafka_auth_of_profile)),
    }
}

/// Observes the key through the Cloud API, then sends a request to the cluster with it.
async fn probe_kafka(
    run: &RunContext,
    auth: &Auth,
    connection: Option<&Connection>,
    probe_target: &ProbeTarget,
    observation: &ServiceObservation,
) -> KafkaObservation {
    let Some(client) = connection.and_then(|connection| connection.client().ok()) else {
        return KafkaObservation::skipped("no connection");
    };
    let cluster = match &observation.cluster {
        Ok(cluster) => cluster,
        Err(silence) => return KafkaObservation::skipped(silence.reason()),
    };
    let client = client.with_policy(RetryPolicy::no_retry());
    let base = session::kafka_base_url(cluster, auth, &run.options.trusted_hosts);
    let about = async {
        let none = || Unavailable::Skipped("the key has no id".to_owned());
        let key = auth.key().and_then(|key| key.parse().ok()).ok_or_else(none)?;
        observe_one(&client, GetApiKey(key)).await
    };
    let acls = async {
        let unasked = |why: &String| Unavailable::Skipped(why.clone());
        let base = base.as_ref().map_err(unasked)?.clone();
        let list = ListAcls {
            cluster: probe_target.cluster.clone().unwrap_or_else(|| cluster.id.clone()),
            principal: None,
        };
        Ok(observe_one(&client.with_base_url(base, auth.clone()), list)
            .await?
            .data
            .len())
    };
    let (key, acls) = join!(about, acls);
    KafkaObservation {
        key,
        address_error: base.as_ref().err().cloned(),
        acls,
    }
}
