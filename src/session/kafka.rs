//! Connections to Kafka REST at the endpoint of the cluster, with a key of the cluster.

use super::{
    PlatformSession,
    connection::key_auth,
    open_sandbox,
    sandbox_auth::{impersonate, seeded_auth},
};
use crate::{
    api::cmk::{Cluster, GetCluster},
    client::{Auth, BaseUrl, Client, CredentialSource},
    config::{
        self, CredentialsError, LoadedProfile, ServiceEndpoint, SettingSource, trust::may_receive_environment_key,
    },
    error::Error,
    manifest::{Stage, Workspace},
    model::{ClusterId, Snapshot},
    plan::{self, ObserveError},
    resources::ObservationClients,
    session::RunContext,
};

/// Key of the stage's Kafka cluster, or why none is available.
pub(super) type KafkaAuthResult = Result<Option<Auth>, CredentialsError>;

impl PlatformSession {
    /// Observes the resources visible to the key, and the ACLs if a key of the stage's Kafka cluster is available.
    pub async fn observe(&self) -> Result<Snapshot, ObserveError> {
        let mut snapshot = plan::observe_visible(&self.client, &self.clock, &self.observation_target()).await?;
        let kafka = self.connect_stage_kafka().await;
        let clients = ObservationClients {
            cloud: &self.client,
            kafka: kafka.as_ref().map_err(Clone::clone),
        };
        plan::observe_objects(&mut snapshot, clients, |_| true).await;
        Ok(snapshot)
    }

    async fn connect_stage_kafka(&self) -> Result<Client, String> {
        // Without a key, the endpoint of the cluster is not needed.
        self.require_kafka_auth(&self.stage.cluster)?;
        let get = GetCluster {
            environment: self.stage.environment.clone(),
            id: self.stage.cluster.clone(),
        };
        let cluster = self.client.send(&get).await.map_err(|error| error.to_string())?;
        self.connect_kafka(&cluster.value)
    }

    fn require_kafka_auth(&self, cluster: &ClusterId) -> Result<&Auth, String> {
        let missing = || format!("no API key of Kafka cluster `{cluster}`");
        let auth = self.kafka_auth.as_ref().map_err(ToString::to_string)?;
        auth.as_ref().ok_or_else(missing)
    }

    /// Connects to Kafka REST of `cluster` at the endpoint that the API returns, or returns why it is not possible.
    pub fn connect_kafka(&self, cluster: &Cluster) -> Result<Client, String> {
        let auth = self.require_kafka_auth(&cluster.id)?;
        Ok(self
            .client
            .with_base_url(kafka_base_url(cluster, auth, &self.trusted_hosts)?, auth.clone()))
    }
}

/// Returns the base URL of Kafka REST. The endpoint comes from a response and determines where a key is sent, so it
/// must be in Confluent's domain or one of the `trusted` hosts.
pub fn kafka_base_url(cluster: &Cluster, auth: &Auth, trusted: &[String]) -> Result<BaseUrl, String> {
    let endpoint = ServiceEndpoint::parse(&cluster.spec.http_endpoint, trusted)
        .map_err(|error| format!("invalid Kafka REST endpoint: {error}"))?;
    if let Some(CredentialSource::Environment(name)) = auth.source()
        && !may_receive_environment_key(&endpoint.to_string(), trusted)
    {
        return Err(format!(
            "the key in `{name}` is not sent to `{endpoint}`: only the service names that address"
        ));
    }
    let base: Result<BaseUrl, _> = endpoint.to_string().parse();
    base.map_err(|error| error.to_string())
}

/// Returns the Kafka key of the profile or the environment.
pub fn kafka_auth_for_service(run: &RunContext, profile: Option<&LoadedProfile>) -> KafkaAuthResult {
    let found = config::SourcedKey::resolve_kafka(profile, |name| run.variable(name))?;
    Ok(found.map(|found| key_auth(&found.key, found.source)))
}

/// Returns the Kafka key of a profile.
pub fn kafka_auth_of_profile(profile: &LoadedProfile) -> Option<Auth> {
    let pair = profile.keys.kafka.as_ref()?;
    Some(key_auth(pair, SettingSource::Profile(profile.path.clone())))
}

/// Returns the Kafka key in the sandbox. The provisioner has a key of each stage's cluster, an impersonated principal
/// needs none, and a profile uses its own keys or those of the environment, which `--sandbox` ignores.
pub fn kafka_auth_in_sandbox(
    run: &RunContext,
    folder: &std::path::Path,
    workspace: &Workspace,
    stage: &Stage,
    profile: Option<&LoadedProfile>,
    auth: &Auth,
) -> Result<Option<Auth>, Error> {
    match (run.options.sandbox_as.as_deref(), profile) {
        (None, Some(profile)) => {
            let variable = |name: &str| run.variable(name).filter(|_| !run.options.is_sandbox());
            let found = config::SourcedKey::resolve_kafka(Some(profile), variable)?;
            Ok(found.map(|found| key_auth(&found.key, found.source)))
        }
        (None, None) => {
            let sandbox = open_sandbox(run, folder, workspace)?;
            let info = sandbox.info(true)?;
            let mut stages = info.stages.into_iter();
            let seeded = stages.find(|seeded| seeded.cluster == stage.cluster.as_str());
            match seeded.map(|seeded| (seeded.provisioner_kafka_key, seeded.provisioner_kafka_secret)) {
                Some((key, secret @ Some(_))) => Ok(Some(seeded_auth(key, secret, "provisioner"))),
                _ => impersonate(&sandbox, &info.provisioner).map(Some),
            }
        }
        (Some("admin"), _) => {
            let sandbox = open_sandbox(run, folder, workspace)?;
            let admin = sandbox.info(false)?.admin;
            impersonate(&sandbox, &admin).map(Some)
        }
        (Some(_), _) => Ok(Some(auth.clone())),
    }
}
