//! Layered settings: flag, environment, profile, `ebs.toml`, default. For each setting the first layer with a value
//! wins; `-v` shows the source of each value.

use std::{fmt, path::PathBuf};

use super::{endpoint::CONFLUENT_CLOUD, profile::LoadedProfile};
use crate::{
    env,
    hint::{self, Advice, Hint},
    manifest::{Workspace, WorkspaceOrigin as PlatformOrigin},
    model::{ClusterId, DepartmentCode, EnvironmentId, OrganizationId, SchemaRegistryId},
};

/// Source of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingSource {
    /// Flag, as typed.
    Flag(&'static str),
    /// Environment variable.
    Environment(&'static str),
    /// Profile.
    Profile(PathBuf),
    /// `ebs.toml`.
    Platform(PlatformOrigin),
    /// Default.
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

/// Value with its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedSetting<T> {
    /// Value.
    pub value: T,
    /// Source.
    pub source: SettingSource,
}

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $field:ident: $type:ty, $flag:literal;)+) => {
        /// Values of one layer; each may be missing.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Layer {
            $($(#[doc = $doc])+ pub $field: Option<$type>,)+
        }

        /// Resolved settings. A setting without a value has no default.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Settings {
            $($(#[doc = $doc])+ pub $field: Option<ResolvedSetting<$type>>,)+
        }

        impl Settings {
            /// Fills missing settings from a layer.
            fn fill(&mut self, layer: Layer, origin: impl Fn(&'static str, &'static str) -> SettingSource) {
                $(if self.$field.is_none() {
                    self.$field = layer.$field.map(|value| ResolvedSetting { value, source: origin(stringify!($field), $flag) });
                })+
            }

            /// Returns name, value and source of every setting that has a value, for `-v`.
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
    /// Profile: name or file.
    profile: String, "--profile";
    /// Endpoint, as written.
    endpoint: String, "--endpoint";
    /// Organization.
    organization: OrganizationId, "--organization";
    /// Stage.
    stage: String, "--stage";
    /// Environment.
    environment: EnvironmentId, "--environment";
    /// Kafka cluster.
    cluster: ClusterId, "--cluster";
    /// Schema Registry.
    schema_registry: SchemaRegistryId, "--schema-registry";
    /// Department.
    department: DepartmentCode, "--department";
    /// Output format.
    output: String, "--output";
    /// Number of concurrent operations.
    concurrency: u32, "--concurrency";
}

/// Default number of concurrent operations.
pub const CONCURRENCY: u32 = 8;
/// Default output format.
pub const OUTPUT: &str = "human";

/// Error in the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// `ebs.toml` has no such stage.
    #[error("no stage `{written}` in {platform}")]
    UnknownStage {
        /// Stage, as written.
        written: String,
        /// Origin of `ebs.toml`.
        platform: PlatformOrigin,
        /// Closest match.
        closest: Option<String>,
        /// Known stages.
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
            None => vec![Hint::new(format!("Known stages: `{}`.", known.join("`, `")))],
        }
    }
}

impl Settings {
    /// Returns the selected profile from flags and environment, which must be known before the other layers are read.
    pub fn named_profile(flags: &Layer, environment: &Layer) -> Option<ResolvedSetting<String>> {
        let mut settings = Self::default();
        settings.fill(flags.clone(), |_, flag| SettingSource::Flag(flag));
        settings.fill(environment.clone(), from_environment);
        settings.profile
    }

    /// Resolves all layers.
    ///
    /// The stage is resolved first, because ids in a profile or in `ebs.toml` belong to one stage and must not be mixed
    /// with those of another.
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
    /// Reads the environment variables.
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
        // A department's profile contains its stage, independently of `ebs.toml`.
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
            assert_eq!(error.to_string(), "no stage `tset` in the built-in example platform");
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
