//! The way to Kafka REST: at the cluster's own address, with a key of the cluster.

use super::{Session, open_sandbox, way::headers};
use crate::{
    api::cmk::{Cluster, GetCluster},
    client::{Auth, BaseUrl, Client, CredentialSource, Credentials},
    commands::Ctx,
    config::{self, CredentialsError, Endpoint, KeyPair, LoadedProfile, Origin},
    env,
    error::Error,
    manifest::{Stage, Workspace},
    model::{ClusterId, Secret, Snapshot},
    plan::{self, ObserveError},
};

/// A key of the stage's Kafka cluster, or why there is none.
pub(in crate::commands) type KafkaKey = Result<Option<Auth>, CredentialsError>;

impl Session {
    /// Looks at what the key may see, and at ACLs where a key of the stage's Kafka cluster is at hand.
    pub(in crate::commands) async fn look(&self) -> Result<Snapshot, ObserveError> {
        let mut seen = plan::look(&self.client, &self.clock, &self.target()).await?;
        let kafka = self.kafka_of_stage().await;
        plan::observe_acls(&mut seen, kafka.as_ref().map_err(Clone::clone)).await;
        Ok(seen)
    }

    async fn kafka_of_stage(&self) -> Result<Client, String> {
        // Without a key nobody needs to know where the cluster is.
        self.kafka_key(&self.stage.cluster)?;
        let get = GetCluster {
            environment: self.stage.environment.clone(),
            id: self.stage.cluster.clone(),
        };
        let cluster = self.client.send(&get).await.map_err(|error| error.to_string())?;
        self.kafka(&cluster.value)
    }

    fn kafka_key(&self, cluster: &ClusterId) -> Result<&Auth, String> {
        let missing = || format!("there is no API key of Kafka cluster `{cluster}` at hand");
        let auth = self.kafka.as_ref().map_err(ToString::to_string)?;
        auth.as_ref().ok_or_else(missing)
    }

    /// The way to Kafka REST of `cluster`, at the address that the service tells; or why there is none.
    pub(in crate::commands) fn kafka(&self, cluster: &Cluster) -> Result<Client, String> {
        let auth = self.kafka_key(&cluster.id)?;
        Ok(self.client.towards(base(cluster, &self.trusted)?, auth.clone()))
    }
}

/// The address of Kafka REST. An answer of the service decides where a key goes, so it must not lead away from Confluent
/// or from the hosts that are `trusted`.
pub(in crate::commands) fn base(cluster: &Cluster, trusted: &[String]) -> Result<BaseUrl, String> {
    let endpoint = Endpoint::parse(&cluster.spec.http_endpoint, trusted)
        .map_err(|error| format!("the address that the service tells for Kafka REST cannot be used: {error}"))?;
    let base: Result<BaseUrl, _> = endpoint.to_string().parse();
    base.map_err(|error| error.to_string())
}

/// The key that the profile or the environment names.
pub(in crate::commands) fn of_service(profile: Option<&LoadedProfile>) -> KafkaKey {
    let found = config::Credentials::find_kafka(profile, env::var)?;
    Ok(found.map(|found| {
        let source = match found.origin {
            Origin::Profile(path) => CredentialSource::Profile(path.display().to_string()),
            _ => CredentialSource::Environment(env::CONFLUENT_EBS_KAFKA_API_KEY),
        };
        basic(&found.key, source)
    }))
}

fn basic(pair: &KeyPair, source: CredentialSource) -> Auth {
    Auth::Basic(Credentials {
        key: pair.id.to_string(),
        secret: pair.secret.clone(),
        source,
    })
}

/// The key that a profile holds.
pub(in crate::commands) fn of_profile(profile: &LoadedProfile) -> Option<Auth> {
    let pair = profile.keys.kafka.as_ref()?;
    let source = CredentialSource::Profile(profile.path.display().to_string());
    Some(basic(pair, source))
}

/// The same in the sandbox, whose provisioner holds a key of each stage's cluster. Whoever stands in without a key does so
/// here, too; a profile has the keys that are in it.
pub(in crate::commands) fn in_sandbox(
    ctx: &Ctx,
    folder: &std::path::Path,
    workspace: &Workspace,
    stage: &Stage,
    profile: Option<&LoadedProfile>,
    auth: &Auth,
) -> Result<Option<Auth>, Error> {
    let acting = profile.filter(|profile| profile.keys.cloud.is_some());
    match (ctx.globals.sandbox_as.as_deref(), acting) {
        (None, Some(profile)) => Ok(of_profile(profile)),
        (None, None) => {
            let sandbox = open_sandbox(folder, workspace)?;
            let info = sandbox.info(true)?;
            let mut stages = info.stages.into_iter();
            let seeded = stages.find(|seeded| seeded.cluster == stage.cluster.as_str());
            let Some(secret) = seeded
                .as_ref()
                .and_then(|seeded| seeded.provisioner_kafka_secret.clone())
            else {
                return headers(&sandbox, &info.provisioner).map(Some);
            };
            Ok(Some(Auth::Basic(Credentials {
                key: seeded.map(|seeded| seeded.provisioner_kafka_key).unwrap_or_default(),
                secret: Secret::new(secret),
                source: CredentialSource::Sandbox("provisioner".to_owned()),
            })))
        }
        (Some("admin"), _) => {
            let sandbox = open_sandbox(folder, workspace)?;
            let admin = sandbox.info(false)?.admin;
            headers(&sandbox, &admin).map(Some)
        }
        (Some(_), _) => Ok(Some(auth.clone())),
    }
}
