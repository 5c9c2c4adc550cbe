//! Settings in layers: flag, environment, profile, `ebs.toml`, default. The first layer that has a value wins, field by
//! field, and each value remembers its layer, so that `-v` can say where it came from.

use std::{fmt, path::PathBuf};

use super::{endpoint::CONFLUENT_CLOUD, profile::LoadedProfile};
use crate::{
    env,
    hint::{self, Advice, Hint},
    manifest::{Workspace, WorkspaceOrigin as PlatformOrigin},
    model::{ClusterId, DepartmentCode, EnvironmentId, OrganizationId, SchemaRegistryId},
};

/// The layer that a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingSource {
    /// A flag, as typed.
    Flag(&'static str),
    /// An environment variable.
    Environment(&'static str),
    /// A profile.
    Profile(PathBuf),
    /// `ebs.toml`.
    Platform(PlatformOrigin),
    /// Nobody said anything.
    Default,
}

impl fmt::Display for SettingSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(out, "{flag}"),
            Self::Environment(variable) => write!(out, "environment variable {variable}"),
            Self::Profile(path) => write!(out, "profile {}", path.display()),
            Self::Platform(PlatformOrigin::Folder(folder)) => write!(out, "{}", folder.join("ebs.toml").display()),
            Self::Platform(embedded) => write!(out, "{embedded}"),
            Self::Default => out.write_str("default"),
        }
    }
}

/// A value and the layer it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedSetting<T> {
    /// The value.
    pub value: T,
    /// The layer.
    pub source: SettingSource,
}

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $field:ident: $type:ty, $flag:literal;)+) => {
        /// What one layer says: everything may be missing.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Layer {
            $($(#[doc = $doc])+ pub $field: Option<$type>,)+
        }

        /// What counts in the end. Without a value there is no default either.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Settings {
            $($(#[doc = $doc])+ pub $field: Option<ResolvedSetting<$type>>,)+
        }

        impl Settings {
            /// Fills what is still open from a layer.
            fn fill(&mut self, layer: Layer, origin: impl Fn(&'static str, &'static str) -> SettingSource) {
                $(if self.$field.is_none() {
                    self.$field = layer.$field.map(|value| ResolvedSetting { value, source: origin(stringify!($field), $flag) });
                })+
            }

            /// Every setting that has a value: its name, the value and where it came from, for `-v`.
            pub fn explain(&self) -> Vec<(&'static str, String, SettingSource)> {
                let mut rows = Vec::new();
                $(if let Some(setting) = &self.$field {
                    rows.push((stringify!($field), setting.value.to_string(), setting.source.clone()));
                })+
                rows
            }
        }
    };
}

settings! {
    /// The profile as named: a name or a file.
    profile: String, "--profile";
    /// Where requests go, as written.
    endpoint: String, "--endpoint";
    /// The organization.
    organization: OrganizationId, "--organization";
    /// The stage.
    stage: String, "--stage";
    /// The environment.
    environment: EnvironmentId, "--environment";
    /// The Kafka cluster.
    cluster: ClusterId, "--cluster";
    /// The Schema Registry.
    schema_registry: SchemaRegistryId, "--schema-registry";
    /// The department.
    department: DepartmentCode, "--department";
    /// The output format.
    output: String, "--output";
    /// How many things are done at once.
    concurrency: u32, "--concurrency";
}

/// How many things are done at once when nobody says.
pub const CONCURRENCY: u32 = 8;
/// The output format when nobody says.
pub const OUTPUT: &str = "human";

/// A stage that nobody described.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// `ebs.toml` has no such stage.
    #[error("there is no stage `{written}` in {platform}")]
    UnknownStage {
        /// As named.
        written: String,
        /// Where it was looked for.
        platform: PlatformOrigin,
        /// The nearest one.
        closest: Option<String>,
        /// All there are.
        known: Vec<String>,
    },
}

impl Advice for SettingsError {
    fn hints(&self) -> Vec<Hint> {
        let Self::UnknownStage {
            closest: near, known, ..
        } = self;
        match near {
            Some(near) => vec![Hint::new(format!("Did you mean `{near}`?"))],
            None => vec![Hint::new(format!("There is: {}.", known.join(", ")))],
        }
    }
}

impl Settings {
    /// What only the first two layers can say, and what is needed to read the others: which profile is meant.
    pub fn named_profile(flags: &Layer, environment: &Layer) -> Option<ResolvedSetting<String>> {
        let mut settings = Self::default();
        settings.fill(flags.clone(), |_, flag| SettingSource::Flag(flag));
        settings.fill(environment.clone(), from_environment);
        settings.profile
    }

    /// Puts the layers on top of each other.
    ///
    /// The stage is settled first: a profile's or platform's ids belong to one stage, and must not be mixed with
    /// another that a flag names.
    ///
    /// # Errors
    /// The platform has no such stage.
    pub fn resolve(
        flags: Layer,
        environment: Layer,
        profile: Option<&LoadedProfile>,
        workspace: Option<&Workspace>,
    ) -> Result<Self, SettingsError> {
        let mut settings = Self::default();
        settings.fill(flags, |_, flag| SettingSource::Flag(flag));
        settings.fill(environment, from_environment);
        if let Some(loaded) = profile {
            let chosen = settings.stage.as_ref().map(|stage| stage.value.as_str());
            let path = &loaded.path;
            settings.fill(profile_layer(loaded, chosen), |_, _| {
                SettingSource::Profile(path.clone())
            });
        }
        if let Some(workspace) = workspace {
            let chosen = settings.stage.as_ref().map(|stage| stage.value.clone());
            let own = profile.map(|loaded| loaded.profile.facts.stage.as_str());
            let layer = platform_layer(workspace, chosen.as_deref(), own)?;
            settings.fill(layer, |_, _| SettingSource::Platform(workspace.origin.clone()));
        }
        let defaults = Layer {
            endpoint: Some(CONFLUENT_CLOUD.to_owned()),
            output: Some(OUTPUT.to_owned()),
            concurrency: Some(CONCURRENCY),
            ..Layer::default()
        };
        settings.fill(defaults, |_, _| SettingSource::Default);
        Ok(settings)
    }
}

impl Layer {
    /// What environment variables say.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            profile: variable(env::CONFLUENT_EBS_PROFILE),
            ..Self::default()
        }
    }
}

fn from_environment(field: &'static str, _flag: &'static str) -> SettingSource {
    match field {
        "profile" => SettingSource::Environment(env::CONFLUENT_EBS_PROFILE),
        other => SettingSource::Environment(other),
    }
}

fn profile_layer(loaded: &LoadedProfile, chosen: Option<&str>) -> Layer {
    let profile = &loaded.profile;
    let facts = &profile.facts;
    let mut layer = Layer {
        endpoint: Some(profile.endpoint.to_string()),
        organization: Some(facts.organization.clone()),
        department: Some(facts.department.clone()),
        ..Layer::default()
    };
    if chosen.is_none_or(|chosen| chosen == facts.stage) {
        layer.stage = Some(facts.stage.clone());
        layer.environment = Some(facts.environment.clone());
        layer.cluster = Some(facts.cluster.clone());
        layer.schema_registry.clone_from(&facts.schema_registry);
    }
    layer
}

fn platform_layer(workspace: &Workspace, chosen: Option<&str>, own: Option<&str>) -> Result<Layer, SettingsError> {
    let platform = &workspace.platform;
    let organization = platform.organization.clone();
    match (platform.stage(chosen), chosen) {
        (Some((name, stage)), _) => Ok(Layer {
            organization,
            stage: Some(name.to_owned()),
            environment: Some(stage.environment.clone()),
            cluster: Some(stage.cluster.clone()),
            schema_registry: stage.schema_registry.clone(),
            ..Layer::default()
        }),
        // A department's profile knows its stage by itself, whatever ebs.toml happens to lie around.
        (None, Some(written)) if Some(written) != own => Err(SettingsError::UnknownStage {
            written: written.to_owned(),
            platform: workspace.origin.clone(),
            closest: hint::closest_match(written, platform.stages.keys().map(String::as_str)).map(str::to_owned),
            known: platform.stages.keys().cloned().collect(),
        }),
        (None, _) => Ok(Layer {
            organization,
            ..Layer::default()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::profile::tests::loaded;

    fn resolve(flags: Layer, profile: Option<&LoadedProfile>) -> Result<Settings, SettingsError> {
        let example = Workspace::embedded().workspace;
        Settings::resolve(flags, Layer::default(), profile, Some(&example))
    }

    #[test]
    fn the_first_layer_with_a_value_wins_and_is_recorded_as_its_source() {
        let profile = loaded();
        let flags = Layer {
            cluster: Some("lkc-flag01".parse().unwrap()),
            ..Layer::default()
        };
        let settings = resolve(flags, Some(&profile)).unwrap();
        let explained: Vec<String> = settings
            .explain()
            .into_iter()
            .map(|(name, value, origin)| format!("{name} = {value} ({origin})"))
            .collect();
        assert_eq!(
            explained,
            [
                "endpoint = https://api.confluent.cloud (profile claims-operator.toml)",
                "organization = 11111111-2222-3333-4444-555555555555 (profile claims-operator.toml)",
                "stage = prod (profile claims-operator.toml)",
                "environment = env-prod01 (profile claims-operator.toml)",
                "cluster = lkc-flag01 (--cluster)",
                "schema_registry = lsrc-prod01 (profile claims-operator.toml)",
                "department = claims (profile claims-operator.toml)",
                "output = human (default)",
                "concurrency = 8 (default)",
            ]
        );
    }

    #[test]
    fn ids_of_two_stages_are_never_mixed() {
        let profile = loaded();
        let flags = Layer {
            stage: Some("test".to_owned()),
            ..Layer::default()
        };
        let settings = resolve(flags, Some(&profile)).unwrap();
        assert_eq!(settings.cluster.unwrap().value.as_str(), "lkc-test01");
        assert_eq!(settings.environment.unwrap().value.as_str(), "env-test01");
        assert_eq!(settings.department.unwrap().value.as_str(), "claims");
    }

    #[test]
    fn an_unknown_stage_is_reported_with_the_closest_match() {
        for profile in [None, Some(&loaded())] {
            let flags = Layer {
                stage: Some("tset".to_owned()),
                ..Layer::default()
            };
            let error = resolve(flags, profile).unwrap_err();
            assert_eq!(
                error.to_string(),
                "there is no stage `tset` in the built-in example platform"
            );
            assert_eq!(error.hints()[0].as_str(), "Did you mean `test`?");
        }
    }

    #[test]
    fn without_any_setting_the_default_stage_is_used() {
        let settings = resolve(Layer::default(), None).unwrap();
        let stage = settings.stage.unwrap();
        assert_eq!(
            (stage.value.as_str(), stage.source.to_string().as_str()),
            ("prod", "the built-in example platform")
        );
        let environment = Layer::from_environment(|name| (name == env::CONFLUENT_EBS_PROFILE).then(|| "x".to_owned()));
        let named = Settings::named_profile(&Layer::default(), &environment).unwrap();
        assert_eq!(named.source, SettingSource::Environment("CONFLUENT_EBS_PROFILE"));
    }
}
