//! Settings of a run with their sources. For each setting the first source with a value wins: flag, environment,
//! profile, `ebs.toml`, default.

use serde::Serialize;

use super::{Options, RunContext, selected_profile, unknown_stage_error};
use crate::{
    config::{LoadedProfile, ResolvedSetting, ServiceEndpoint, SettingSource, StandardDirs},
    env,
    error::Error,
    manifest::{Stage, Workspace, WorkspaceOrigin},
    model::{ClusterId, DepartmentCode, EnvironmentId, OrganizationId, SchemaRegistryId},
};

/// Setting as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingRow {
    /// Name of the setting as shown by `config show`.
    pub name: &'static str,
    /// Value of the setting as text.
    pub value: String,
    /// Source of the value.
    pub origin: String,
}

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty;)+) => {
        /// Settings of a run. A setting without a value has no default.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Settings {
            $($(#[doc = $doc])+ pub $name: Option<ResolvedSetting<$type>>,)+
        }

        impl Settings {
            /// Names of all settings.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];

            /// Returns every setting that has a value, as text.
            #[must_use]
            pub fn rows(&self) -> Vec<SettingRow> {
                let mut rows = Vec::new();
                $(if let Some(setting) = &self.$name {
                    rows.push(SettingRow {
                        name: stringify!($name),
                        value: setting.value.to_string(),
                        origin: setting.source.to_string(),
                    });
                })+
                rows
            }
        }
    };
}

settings! {
    /// Profile: name or file.
    profile: String;
    /// Endpoint: the service, or the sandbox with its state directory.
    endpoint: ServiceEndpoint;
    /// Identity in the sandbox: `admin` or `DEPARTMENT/PERSONA`.
    sandbox_as: String;
    /// Address outside of Confluent's domain that may receive a key.
    trust_endpoint: String;
    /// Origin of the platform configuration.
    platform: WorkspaceOrigin;
    /// Id of the organization, a UUID.
    organization: OrganizationId;
    /// Name of the stage in `ebs.toml`, such as `prod`.
    stage: String;
    /// Id of the environment of Confluent Cloud (`env-…`).
    environment: EnvironmentId;
    /// Id of the Kafka cluster (`lkc-…`).
    cluster: ClusterId;
    /// Id of the Schema Registry (`lsrc-…`).
    schema_registry: SchemaRegistryId;
    /// Code of the department: the name of its file without `.toml`.
    department: DepartmentCode;
}

impl Settings {
    /// Resolves the settings of a run from its flags, its environment, and the files that it has loaded.
    ///
    /// The stage is resolved before the ids, because ids in a profile or in `ebs.toml` belong to one stage and must not
    /// be mixed with those of another.
    #[must_use]
    pub fn resolve(run: &RunContext, profile: Option<&LoadedProfile>, workspace: Option<&Workspace>) -> Self {
        let options = &run.options;
        let sources = FileSources { profile, workspace };
        let dirs = run.environment.dirs.as_ref().ok();
        let facts = profile.map(|loaded| &loaded.profile.facts);
        let platform = workspace.map(|workspace| &workspace.platform);
        let stage = sources.first(
            options.stage.clone().map(|stage| ("--stage", stage)),
            facts.map(|facts| facts.stage.clone()),
            platform.and_then(|platform| Some(platform.stage(None)?.0.to_owned())),
        );
        let selected = stage.as_ref().map(|stage| stage.value.as_str());
        let own = facts.filter(|facts| selected == Some(facts.stage.as_str()));
        let platform_stage = platform.and_then(|platform| platform.stages.get(selected?));
        Self {
            profile: dirs.and_then(|dirs| selected_profile(run, dirs)),
            endpoint: Some(resolve_endpoint(run, dirs, profile)),
            sandbox_as: (options.sandbox_as.clone())
                .map(|identity| ResolvedSetting::new(identity, SettingSource::Flag("--sandbox-as"))),
            trust_endpoint: (options.trusted_hosts.first().cloned())
                .map(|host| ResolvedSetting::new(host, SettingSource::Flag("--trust-endpoint"))),
            platform: workspace.map(|workspace| resolve_platform(run, workspace)),
            organization: sources.first(
                None,
                facts.map(|facts| facts.organization.clone()),
                platform.and_then(|platform| platform.organization.clone()),
            ),
            environment: sources.first(
                options
                    .environment
                    .clone()
                    .map(|environment| ("--environment", environment)),
                own.map(|facts| facts.environment.clone()),
                platform_stage.map(|stage| stage.environment.clone()),
            ),
            cluster: sources.first(
                options.cluster.clone().map(|cluster| ("--cluster", cluster)),
                own.map(|facts| facts.cluster.clone()),
                platform_stage.map(|stage| stage.cluster.clone()),
            ),
            schema_registry: sources.first(
                None,
                own.and_then(|facts| facts.schema_registry.clone()),
                platform_stage.and_then(|stage| stage.schema_registry.clone()),
            ),
            department: sources
                .first(
                    options
                        .department
                        .clone()
                        .map(|department| ("--department", department)),
                    facts.map(|facts| facts.department.clone()),
                    None,
                )
                .or_else(|| {
                    let code = options.impersonated_persona()?.0.parse().ok()?;
                    Some(ResolvedSetting::new(code, SettingSource::Flag("--sandbox-as")))
                }),
            stage,
        }
    }

    /// Returns the state directory of the selected sandbox; `None` for Confluent Cloud.
    #[must_use]
    pub fn sandbox_dir(&self) -> Option<&std::path::Path> {
        match &self.endpoint.as_ref()?.value {
            ServiceEndpoint::Sandbox(folder) => folder.as_deref(),
            ServiceEndpoint::Url(_) => None,
        }
    }

    /// Returns the options with which the platform team acts on the same stage, for commands that a caller asks it to
    /// run.
    #[must_use]
    pub fn to_platform_options(&self) -> Options {
        fn typed<T: Clone>(setting: Option<&ResolvedSetting<T>>) -> Option<T> {
            let setting = setting.filter(|setting| matches!(setting.source, SettingSource::Flag(_)));
            setting.map(|setting| setting.value.clone())
        }
        // The default stage needs no flag, but a profile may belong to another one.
        let stage = (self.stage.as_ref()).filter(|stage| !matches!(stage.source, SettingSource::Platform(_)));
        Options {
            stage: stage.map(|stage| stage.value.clone()),
            environment: typed(self.environment.as_ref()),
            cluster: typed(self.cluster.as_ref()),
            sandbox: self.sandbox_dir().is_some(),
            ..Options::default()
        }
    }

    /// Returns the name of the selected stage and the stage with the selected ids.
    ///
    /// # Errors
    /// The platform has no such stage.
    pub fn platform_stage(&self, workspace: &Workspace) -> Result<(String, Stage), Error> {
        let named = self.stage.as_ref().map(|stage| stage.value.as_str());
        let Some((name, stage)) = workspace.platform.stage(named) else {
            return Err(unknown_stage_error(workspace, named));
        };
        let mut stage = stage.clone();
        if let Some(environment) = &self.environment {
            stage.environment = environment.value.clone();
        }
        if let Some(cluster) = &self.cluster {
            stage.cluster = cluster.value.clone();
        }
        stage.schema_registry = self.schema_registry.as_ref().map(|registry| registry.value.clone());
        Ok((name.to_owned(), stage))
    }
}

/// Files that contain settings.
struct FileSources<'a> {
    profile: Option<&'a LoadedProfile>,
    workspace: Option<&'a Workspace>,
}

impl FileSources<'_> {
    /// Returns the first of three values, in the order of precedence, with its source.
    fn first<T>(
        &self,
        typed: Option<(&'static str, T)>,
        of_profile: Option<T>,
        of_platform: Option<T>,
    ) -> Option<ResolvedSetting<T>> {
        let by_profile = || {
            let path = self.profile?.path.clone();
            Some(ResolvedSetting::new(of_profile?, SettingSource::Profile(path)))
        };
        let by_platform = || {
            let origin = self.workspace?.origin.clone();
            Some(ResolvedSetting::new(of_platform?, SettingSource::Platform(origin)))
        };
        typed
            .map(|(flag, value)| ResolvedSetting::new(value, SettingSource::Flag(flag)))
            .or_else(by_profile)
            .or_else(by_platform)
    }
}

/// Returns the endpoint. A sandbox that the profile names takes precedence over the default one.
fn resolve_endpoint(
    run: &RunContext,
    dirs: Option<&StandardDirs>,
    profile: Option<&LoadedProfile>,
) -> ResolvedSetting<ServiceEndpoint> {
    let default_sandbox = || ServiceEndpoint::Sandbox(dirs.map(StandardDirs::sandbox));
    let written = profile.map(|loaded| (&loaded.profile.endpoint, SettingSource::Profile(loaded.path.clone())));
    match written {
        Some((ServiceEndpoint::Sandbox(None), source)) => ResolvedSetting::new(default_sandbox(), source),
        Some((endpoint @ ServiceEndpoint::Sandbox(_), source)) => ResolvedSetting::new(endpoint.clone(), source),
        _ if run.options.sandbox => ResolvedSetting::new(default_sandbox(), SettingSource::Flag("--sandbox")),
        _ if run.options.is_sandbox() => ResolvedSetting::new(default_sandbox(), SettingSource::Flag("--sandbox-as")),
        Some((endpoint, source)) => ResolvedSetting::new(endpoint.clone(), source),
        None => ResolvedSetting::new(ServiceEndpoint::confluent_cloud(), SettingSource::Default),
    }
}

fn resolve_platform(run: &RunContext, workspace: &Workspace) -> ResolvedSetting<WorkspaceOrigin> {
    let source = match (&workspace.origin, run.platform_dir()) {
        (WorkspaceOrigin::Folder(_), Some(_)) => SettingSource::Environment(env::CONFLUENT_EBS_PLATFORM),
        (WorkspaceOrigin::Folder(_), None) => SettingSource::WorkingDir,
        (WorkspaceOrigin::Embedded | WorkspaceOrigin::ProfileOnly, _) => SettingSource::Default,
    };
    ResolvedSetting::new(workspace.origin.clone(), source)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{clock::Clock, config::profile::tests::loaded, session::Environment};

    fn run_with(options: Options, variables: &[(&str, &str)]) -> RunContext {
        let variables = variables.iter();
        RunContext {
            environment: Arc::new(Environment {
                variables: variables
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
                working_dir: None,
                dirs: Ok(StandardDirs::with_roots("state", "config")),
                home: None,
                executable: None,
                clock: Clock::system(),
                secrets: crate::redact::SecretRegistry::default(),
            }),
            options,
            reporter: Arc::new(()),
            cancel: CancellationToken::new(),
        }
    }

    fn resolve(options: Options, profile: Option<&LoadedProfile>) -> Settings {
        let example = Workspace::embedded().workspace;
        Settings::resolve(&run_with(options, &[]), profile, Some(&example))
    }

    fn stage_option(stage: &str) -> Options {
        Options {
            stage: Some(stage.to_owned()),
            ..Options::default()
        }
    }

    fn rows(settings: &Settings) -> Vec<String> {
        let rows = settings.rows().into_iter();
        rows.map(|row| format!("{} = {} ({})", row.name, row.value, row.origin))
            .collect()
    }

    #[test]
    fn the_first_source_with_a_value_wins_and_is_recorded() {
        let options = Options {
            cluster: Some("lkc-flag01".parse().unwrap()),
            profile: Some("claims-operator.toml".to_owned()),
            ..Options::default()
        };
        assert_eq!(
            rows(&resolve(options, Some(&loaded()))),
            [
                "profile = claims-operator.toml (--profile)",
                "endpoint = https://api.confluent.cloud (profile claims-operator.toml)",
                "platform = the built-in example platform (default)",
                "organization = 11111111-2222-3333-4444-555555555555 (profile claims-operator.toml)",
                "stage = prod (profile claims-operator.toml)",
                "environment = env-prod01 (profile claims-operator.toml)",
                "cluster = lkc-flag01 (--cluster)",
                "schema_registry = lsrc-prod01 (profile claims-operator.toml)",
                "department = claims (profile claims-operator.toml)",
            ]
        );
    }

    #[test]
    fn the_sandbox_and_the_impersonated_department_are_settings() {
        let options = Options {
            sandbox_as: Some("claims/operator".to_owned()),
            ..Options::default()
        };
        assert_eq!(
            rows(&resolve(options, None)),
            [
                "endpoint = sandbox:state/sandbox (--sandbox-as)",
                "sandbox_as = claims/operator (--sandbox-as)",
                "platform = the built-in example platform (default)",
                "organization = 11111111-2222-3333-4444-555555555555 (the built-in example platform)",
                "stage = prod (the built-in example platform)",
                "environment = env-prod01 (the built-in example platform)",
                "cluster = lkc-prod01 (the built-in example platform)",
                "schema_registry = lsrc-prod01 (the built-in example platform)",
                "department = claims (--sandbox-as)",
            ]
        );
    }

    #[test]
    fn ids_of_two_stages_are_never_mixed() {
        let settings = resolve(stage_option("test"), Some(&loaded()));
        assert_eq!(settings.cluster.unwrap().value.as_str(), "lkc-test01");
        assert_eq!(settings.environment.unwrap().value.as_str(), "env-test01");
        assert_eq!(settings.department.unwrap().value.as_str(), "claims");
    }

    #[test]
    fn an_unknown_stage_is_reported_with_the_closest_match() {
        let workspace = Workspace::embedded().workspace;
        for profile in [None, Some(&loaded())] {
            let error = resolve(stage_option("tset"), profile)
                .platform_stage(&workspace)
                .unwrap_err();
            assert_eq!(error.to_string(), "no stage `tset` in the built-in example platform");
            assert_eq!(error.hints[0].as_str(), "Did you mean `test`?");
        }
    }

    #[test]
    fn a_variable_selects_the_profile_and_a_sandbox_ignores_it() {
        let variables = [(env::CONFLUENT_EBS_PROFILE, "claims-operator")];
        let find = |options| Settings::resolve(&run_with(options, &variables), None, None).profile;
        let found = find(Options::default()).unwrap();
        assert_eq!(found.source, SettingSource::Environment("CONFLUENT_EBS_PROFILE"));
        let sandbox = Options {
            sandbox: true,
            ..Options::default()
        };
        assert_eq!(find(sandbox), None);
    }
}
