//! API key of a command, and its source.

use std::path::PathBuf;

use super::{profile::LoadedProfile, setting::SettingSource, trust::find_untrusted_address};
use crate::{
    env,
    hint::{Advice, Hint},
    model::{ApiKeyId, Secret},
};

/// API key and its secret.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// Key id (public).
    pub id: ApiKeyId,
    /// Key secret.
    pub secret: Secret,
}

/// API key with its source.
#[derive(Clone, Debug)]
pub struct SourcedKey {
    /// API key and secret.
    pub key: KeyPair,
    /// Source of the key.
    pub source: SettingSource,
}

/// Reason why no API key is available.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// No key is configured.
    #[error("no credentials")]
    NotFound,
    /// Neither the profile nor the environment has a key.
    #[error("profile `{}` contains no API key", .0.display())]
    ProfileWithoutKey(PathBuf),
    /// Only one variable of a pair is set.
    #[error("`{set}` is set, but `{missing}` is not")]
    Incomplete {
        /// Variable that is set.
        set: &'static str,
        /// Variable that is missing.
        missing: &'static str,
    },
    /// The profile has no key, and it names an address that may not receive the key of the environment.
    #[error(
        "the key in `{variable}` is not sent to `{address}`: only profile `{}` names that address",
        profile.display()
    )]
    UntrustedAddress {
        /// Variable of the key.
        variable: &'static str,
        /// Address in the form of `--trust-endpoint`.
        address: String,
        /// Path of the profile.
        profile: PathBuf,
    },
    /// The id is invalid. The message omits it, because id and secret are easily swapped.
    #[error("`{0}` is not the id of an API key")]
    InvalidKeyId(&'static str),
}

impl Advice for CredentialsError {
    fn hints(&self) -> Vec<Hint> {
        let (key, secret) = (env::CONFLUENT_CLOUD_API_KEY, env::CONFLUENT_CLOUD_API_SECRET);
        match self {
            Self::NotFound => vec![
                Hint::new("Select the profile that the platform team delivered with `--profile FILE`."),
                Hint::new(format!("Or set `{key}` and `{secret}`.")),
                Hint::new("Or try the command without an account with `--sandbox`."),
            ],
            Self::ProfileWithoutKey(_) => vec![Hint::new(format!(
                "Set `{key}` and `{secret}`, or add a `[key]` table to it."
            ))],
            Self::Incomplete { missing, .. } => vec![Hint::new(format!("Set `{missing}` as well."))],
            Self::UntrustedAddress { address, .. } => vec![Hint::new(format!(
                "If the address is yours, trust it with `--trust-endpoint {address}`."
            ))],
            Self::InvalidKeyId(_) => vec![Hint::new(
                "Use the id of the key, 16 upper-case letters and digits, not its secret.",
            )],
        }
    }
}

impl SourcedKey {
    /// Returns the Cloud key of the profile or, without one, of the environment; `variable` reads an environment
    /// variable. `trusted` are the values of `--trust-endpoint`, addresses that may receive the key of the environment.
    ///
    /// A profile's key takes precedence, because the profile was selected for this command (or with `profile use`),
    /// while a variable may be left over from another job.
    ///
    /// # Errors
    /// See [`CredentialsError`].
    pub fn resolve_cloud(
        profile: Option<&LoadedProfile>,
        trusted: &[String],
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
            Some(pair) => {
                let untrusted = profile.and_then(|profile| Some((profile, find_untrusted_address(profile, trusted)?)));
                match untrusted {
                    Some((profile, address)) => Err(CredentialsError::UntrustedAddress {
                        variable: key,
                        address,
                        profile: profile.path.clone(),
                    }),
                    None => Ok(Self {
                        key: pair,
                        source: SettingSource::Environment(key),
                    }),
                }
            }
            None => Err(match profile {
                Some(profile) => CredentialsError::ProfileWithoutKey(profile.path.clone()),
                None => CredentialsError::NotFound,
            }),
        }
    }

    /// Returns the Kafka key that manages ACLs, from the profile or the environment; `None` if there is none, which is
    /// not an error.
    ///
    /// # Errors
    /// Only one variable is set, or the id is invalid.
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

/// Reads key id and secret from two variables.
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

/// Parses a key id and rejects a secret in its place.
fn parse_key_id(id: &str) -> Option<ApiKeyId> {
    id.parse().ok().filter(|_| ApiKeyId::is_plausible(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ProfileKeys, ServiceEndpoint, profile::tests::loaded};

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
        let found = SourcedKey::resolve_cloud(Some(&profile), &[], variables(&PAIR)).unwrap();
        assert_eq!(found.key.id.as_str(), "ABCDEFGHIJKLMNOP");
        assert_eq!(found.source.to_string(), "profile claims-operator.toml");
        profile.keys = ProfileKeys::default();
        let found = SourcedKey::resolve_cloud(Some(&profile), &[], variables(&PAIR)).unwrap();
        assert_eq!(found.key.id.as_str(), "ENVENVENVENVENV1");
        assert_eq!(found.source.to_string(), "environment variable CONFLUENT_CLOUD_API_KEY");
        assert!(!format!("{found:?}").contains("canary"));
    }

    #[test]
    fn an_address_that_only_the_profile_names_does_not_receive_the_key_of_the_environment() {
        let mut profile = loaded();
        profile.profile.endpoint = ServiceEndpoint::parse("http://127.0.0.1:1024", &[]).unwrap();
        let find = |profile: &LoadedProfile, trusted: &str| {
            SourcedKey::resolve_cloud(Some(profile), &[trusted.to_owned()], variables(&PAIR))
        };
        assert!(find(&profile, "").is_ok(), "the profile's own key is sent there");
        profile.keys = ProfileKeys::default();
        let error = find(&profile, "127.0.0.1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the key in `CONFLUENT_CLOUD_API_KEY` is not sent to `127.0.0.1:1024`: only profile `claims-operator.toml` \
             names that address"
        );
        let hint = error.hints().remove(0).to_string();
        assert!(hint.ends_with("`--trust-endpoint 127.0.0.1:1024`."), "{hint}");
        assert!(find(&profile, "127.0.0.1:1024").is_ok());
        profile.profile.endpoint = ServiceEndpoint::Sandbox(None);
        assert!(find(&profile, "").is_ok(), "a sandbox needs no trust");
        profile.profile.endpoint = ServiceEndpoint::confluent_cloud();
        assert!(find(&profile, "").is_ok());
        profile.hosts.logs = Some("http://localhost:8080".to_owned());
        assert!(matches!(
            find(&profile, ""),
            Err(CredentialsError::UntrustedAddress { .. })
        ));
    }

    #[test]
    fn a_missing_half_is_reported_with_a_hint() {
        let find = |profile: Option<&LoadedProfile>, pairs: &[(&str, &str)]| {
            let error = SourcedKey::resolve_cloud(profile, &[], variables(pairs)).unwrap_err();
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
                "`CONFLUENT_CLOUD_API_KEY` is not the id of an API key"
            );
        }
        let mut profile = loaded();
        profile.keys = ProfileKeys::default();
        assert_eq!(
            find(Some(&profile), &[]),
            "profile `claims-operator.toml` contains no API key"
        );
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
