//! Which key a command acts with, and where it came from.

use std::path::PathBuf;

use super::{layers::SettingSource, profile::LoadedProfile};
use crate::{
    env,
    hint::{Advice, Hint},
    model::{ApiKeyId, Secret},
};

/// An API key and its secret.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// The public half.
    pub id: ApiKeyId,
    /// The secret half.
    pub secret: Secret,
}

/// The Cloud key that a command acts with.
#[derive(Clone, Debug)]
pub struct SourcedKey {
    /// The key.
    pub key: KeyPair,
    /// Where it came from.
    pub source: SettingSource,
}

/// Why there is no key to act with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// Nothing names one.
    #[error("no credentials")]
    NotFound,
    /// The profile holds none, and the environment does not either.
    #[error("profile `{}` holds no key", .0.display())]
    ProfileWithoutKey(PathBuf),
    /// Half of a pair.
    #[error("`{set}` is set, but `{missing}` is not")]
    Incomplete {
        /// The variable that is there.
        set: &'static str,
        /// The one that is missing.
        missing: &'static str,
    },
    /// The id cannot be one. It is not shown: the halves are easily swapped.
    #[error("`{0}` does not hold the id of an API key")]
    InvalidKeyId(&'static str),
}

impl Advice for CredentialsError {
    fn hints(&self) -> Vec<Hint> {
        let (key, secret) = (env::CONFLUENT_CLOUD_API_KEY, env::CONFLUENT_CLOUD_API_SECRET);
        match self {
            Self::NotFound => vec![
                Hint::new("Name the profile that EBS handed over with `--profile FILE`."),
                Hint::new(format!("Or set `{key}` and `{secret}`.")),
                Hint::new("Or try everything without an account with `--sandbox`."),
            ],
            Self::ProfileWithoutKey(_) => vec![Hint::new(format!(
                "Set `{key}` and `{secret}`, or add a `[key]` table to it."
            ))],
            Self::Incomplete { missing, .. } => vec![Hint::new(format!("Set `{missing}` as well."))],
            Self::InvalidKeyId(_) => vec![Hint::new(
                "An id is 16 upper-case letters and digits; the long half is the secret.",
            )],
        }
    }
}

impl SourcedKey {
    /// The key of the profile, else of the environment; `variable` answers the value of an environment variable.
    ///
    /// A profile with a key wins over the environment, because it was named for this call (or chosen with
    /// `profile use`), while a variable may be left over from another job.
    ///
    /// # Errors
    /// See [`CredentialsError`].
    pub fn resolve_cloud(
        profile: Option<&LoadedProfile>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, CredentialsError> {
        if let Some((profile, key)) = profile.and_then(|profile| Some((profile, profile.keys.cloud.clone()?))) {
            return Ok(Self {
                key,
                source: SettingSource::Profile(profile.path.clone()),
            });
        }
        let key = env::CONFLUENT_CLOUD_API_KEY;
        match complete_pair(variable, key, env::CONFLUENT_CLOUD_API_SECRET)? {
            Some(pair) => Ok(Self {
                key: pair,
                source: SettingSource::Environment(key),
            }),
            None => Err(match profile {
                Some(profile) => CredentialsError::ProfileWithoutKey(profile.path.clone()),
                None => CredentialsError::NotFound,
            }),
        }
    }

    /// The key of the Kafka cluster with which ACLs are managed: the profile's, else the environment's; `None` without one,
    /// which is no mistake.
    ///
    /// # Errors
    /// Half of a pair, or an id that cannot be one.
    pub fn resolve_kafka(
        profile: Option<&LoadedProfile>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, CredentialsError> {
        if let Some((profile, key)) = profile.and_then(|profile| Some((profile, profile.keys.kafka.clone()?))) {
            return Ok(Some(Self {
                key,
                source: SettingSource::Profile(profile.path.clone()),
            }));
        }
        let key = env::CONFLUENT_EBS_KAFKA_API_KEY;
        let pair = complete_pair(variable, key, env::CONFLUENT_EBS_KAFKA_API_SECRET)?;
        Ok(pair.map(|pair| Self {
            key: pair,
            source: SettingSource::Environment(key),
        }))
    }
}

/// A key and its secret from two variables.
fn complete_pair(
    variable: impl Fn(&str) -> Option<String>,
    key: &'static str,
    secret: &'static str,
) -> Result<Option<KeyPair>, CredentialsError> {
    match (variable(key), variable(secret)) {
        (Some(id), Some(secret)) => Ok(Some(KeyPair {
            id: parse_key_id(&id).ok_or(CredentialsError::InvalidKeyId(key))?,
            secret: Secret::new(secret),
        })),
        (Some(_), None) => Err(CredentialsError::Incomplete {
            set: key,
            missing: secret,
        }),
        (None, Some(_)) => Err(CredentialsError::Incomplete {
            set: secret,
            missing: key,
        }),
        (None, None) => Ok(None),
    }
}

/// The id, unless a secret stands in its place.
fn parse_key_id(id: &str) -> Option<ApiKeyId> {
    id.parse().ok().filter(|_| ApiKeyId::is_plausible(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ProfileKeys, profile::tests::loaded};

    fn variables<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| {
            pairs
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        }
    }

    const PAIR: [(&str, &str); 2] = [
        (env::CONFLUENT_CLOUD_API_KEY, "ENVENVENVENVENV1"),
        (env::CONFLUENT_CLOUD_API_SECRET, "canary"),
    ];

    #[test]
    fn the_profile_takes_precedence_over_the_environment() {
        let mut profile = loaded();
        let found = SourcedKey::resolve_cloud(Some(&profile), variables(&PAIR)).unwrap();
        assert_eq!(found.key.id.as_str(), "ABCDEFGHIJKLMNOP");
        assert_eq!(found.source.to_string(), "profile claims-operator.toml");
        profile.keys = ProfileKeys::default();
        let found = SourcedKey::resolve_cloud(Some(&profile), variables(&PAIR)).unwrap();
        assert_eq!(found.key.id.as_str(), "ENVENVENVENVENV1");
        assert_eq!(found.source.to_string(), "environment variable CONFLUENT_CLOUD_API_KEY");
        assert!(!format!("{found:?}").contains("canary"));
    }

    #[test]
    fn a_missing_half_is_reported_with_a_hint() {
        let find = |profile: Option<&LoadedProfile>, pairs: &[(&str, &str)]| {
            let error = SourcedKey::resolve_cloud(profile, variables(pairs)).unwrap_err();
            assert!(!error.hints().is_empty());
            error.to_string()
        };
        assert_eq!(find(None, &[]), "no credentials");
        assert_eq!(
            find(None, &PAIR[..1]),
            "`CONFLUENT_CLOUD_API_KEY` is set, but `CONFLUENT_CLOUD_API_SECRET` is not"
        );
        assert_eq!(
            find(None, &PAIR[1..]),
            "`CONFLUENT_CLOUD_API_SECRET` is set, but `CONFLUENT_CLOUD_API_KEY` is not"
        );
        for secret in ["canary/with+signs", "cfltcanary"] {
            assert_eq!(
                find(None, &[(PAIR[0].0, secret), PAIR[1]]),
                "`CONFLUENT_CLOUD_API_KEY` does not hold the id of an API key"
            );
        }
        let mut profile = loaded();
        profile.keys = ProfileKeys::default();
        assert_eq!(find(Some(&profile), &[]), "profile `claims-operator.toml` holds no key");
    }

    #[test]
    fn a_kafka_key_is_resolved_in_the_same_order_and_is_optional() {
        let pair = [
            (env::CONFLUENT_EBS_KAFKA_API_KEY, "KAFKAKAFKAKAFKA1"),
            (env::CONFLUENT_EBS_KAFKA_API_SECRET, "canary"),
        ];
        let mut profile = loaded();
        profile.keys.kafka = None;
        assert!(
            SourcedKey::resolve_kafka(Some(&profile), variables(&PAIR))
                .unwrap()
                .is_none()
        );
        let found = SourcedKey::resolve_kafka(Some(&profile), variables(&pair))
            .unwrap()
            .unwrap();
        assert_eq!(found.key.id.as_str(), "KAFKAKAFKAKAFKA1");
        assert_eq!(
            found.source.to_string(),
            "environment variable CONFLUENT_EBS_KAFKA_API_KEY"
        );
        assert!(!format!("{found:?}").contains("canary"));
        profile.keys.kafka = profile.keys.cloud.clone();
        let found = SourcedKey::resolve_kafka(Some(&profile), variables(&pair))
            .unwrap()
            .unwrap();
        assert_eq!(found.source.to_string(), "profile claims-operator.toml");
        let half = SourcedKey::resolve_kafka(None, variables(&pair[..1])).unwrap_err();
        assert_eq!(
            half.to_string(),
            "`CONFLUENT_EBS_KAFKA_API_KEY` is set, but `CONFLUENT_EBS_KAFKA_API_SECRET` is not"
        );
    }
}
