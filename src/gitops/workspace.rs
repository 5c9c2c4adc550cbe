//! The repository of a run: its connector files, and what the platform's files or a profile say about the departments.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    base_revision::BaseRevision,
    evidence::read_recorded_connectors,
    file_tree::{ConnectorAddress, ConnectorTree, KnownNames},
    policies::{PolicyDepartment, PolicySet},
    settings::{ConfiguredState, ConnectorSettings},
    validation::{DepartmentRules, TreeValidation, validate_tree},
};
use crate::{
    catalog::{self, Catalog, ValueReference, secret::secrecy},
    connectors::plugin_refresh::load_refreshed_catalog,
    diag::{Finding, Severity},
    error::Error,
    hint::closest_match,
    manifest::{Workspace, policy::POLICIES},
    session::{self, ConnectorSession, DepartmentContext, RunContext, Settings},
    text::join_code,
};

/// Rules by department and stage.
type RulesByStage = BTreeMap<(String, String), DepartmentRules>;

/// Repository with connector files.
pub struct GitopsWorkspace {
    /// Connector files below `connectors/`.
    pub tree: ConnectorTree,
    /// Platform configuration; `None` in the repository of a department.
    pub platform: Option<Workspace>,
    /// Policies of the site.
    pub policies: PolicySet,
    /// Rules by department and stage.
    rules: RulesByStage,
    catalog: Option<Catalog>,
    /// Ids of the connectors that the committed evidence names; `None` if no evidence is committed.
    recorded: Option<BTreeSet<String>>,
    working_dir: PathBuf,
    root: PathBuf,
}

/// Effective file of a connector with the origin of each key.
#[derive(Clone, Debug, Serialize)]
pub struct ShownConnector {
    /// Name of the connector.
    pub name: String,
    /// Code of the department: the name of its file without `.toml`.
    pub department: String,
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: String,
    /// Desired state, or `as it is`.
    pub state: &'static str,
    /// Settings of the file besides `config`, such as `replace`.
    pub settings: ConnectorSettings,
    /// Keys of the merged configuration with the file that sets each of them.
    pub config: Vec<ShownKey>,
}

/// Key of an effective file.
#[derive(Clone, Debug, Serialize)]
pub struct ShownKey {
    /// Configuration key of the connector.
    pub config: String,
    /// Value; asterisks instead of a secret.
    pub value: String,
    /// File that sets it.
    pub path: PathBuf,
    /// Line in the file, from 1.
    pub line: usize,
}

impl GitopsWorkspace {
    /// Reads the connector files beside `ebs.toml`, or those of the current directory. The rules of the departments are from
    /// `ebs.toml`, or from the selected profile if there is none.
    ///
    /// # Errors
    /// There is no folder `connectors`, or the platform configuration or the profile is invalid.
    pub fn open(run: &RunContext) -> Result<Self, Error> {
        Self::read(run, false)
    }

    /// Like [`Self::open`]; without a folder `connectors`, there are no files yet.
    ///
    /// # Errors
    /// The folder cannot be read, or the platform configuration or the profile is invalid.
    pub fn open_or_new(run: &RunContext) -> Result<Self, Error> {
        Self::read(run, true)
    }

    /// Returns the folder that contains `connectors`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder to which the paths of files and findings are relative.
    #[must_use]
    pub fn working_dir(&self) -> &Path {
        &self.working_dir
    }

    /// Returns the ids of the connectors that the committed evidence names; `None` if no evidence is committed.
    #[must_use]
    pub fn recorded_connectors(&self) -> Option<&BTreeSet<String>> {
        self.recorded.as_ref()
    }

    fn read(run: &RunContext, may_be_new: bool) -> Result<Self, Error> {
        let working_dir = run.environment.working_dir()?;
        let loaded = match session::find_workspace(run)? {
            None if run.options.is_sandbox() => Some(Workspace::embedded()),
            loaded => loaded,
        };
        let platform = match loaded {
            Some(loaded) => {
                let (workspace, warnings) = session::check_workspace(loaded)?;
                for warning in &warnings {
                    run.warn(&warning.message);
                }
                Some(workspace)
            }
            None => None,
        };
        let root = platform
            .as_ref()
            .and_then(Workspace::folder)
            .unwrap_or(working_dir)
            .to_owned();
        let (known, rules) = match &platform {
            Some(workspace) => platform_rules(workspace),
            None => profile_rules(run)?,
        };
        let is_new = may_be_new && !root.join(super::file_tree::CONNECTORS).exists();
        let tree = match is_new {
            true => ConnectorTree::default(),
            false => ConnectorTree::read_folder(&root, working_dir, &known)?,
        };
        let shown = root.strip_prefix(working_dir).unwrap_or(&root);
        let today = run.clock().now().to_zoned(jiff::tz::TimeZone::UTC).date();
        Ok(Self {
            policies: PolicySet::read_folder(&root, shown, today),
            tree,
            platform,
            rules,
            catalog: load_refreshed_catalog(run)?,
            recorded: read_recorded_connectors(&root, &run.environment.secrets),
            working_dir: working_dir.to_owned(),
            root,
        })
    }

    /// Returns the departments and stages that may have files, sorted.
    pub(super) fn known_stages(&self) -> Vec<(String, String)> {
        self.rules.keys().cloned().collect()
    }

    /// Finds the revision that the repository is compared with.
    pub(super) fn base_revision<'a>(&'a self, run: &'a RunContext, revision: &str) -> Result<BaseRevision<'a>, Error> {
        BaseRevision::find(&self.root, revision, &run.environment.secrets)
    }

    /// Returns the facts about plugins.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        self.catalog.as_ref().unwrap_or_else(|| catalog::catalog())
    }

    /// Checks all files without a connection.
    #[must_use]
    pub fn validate(&self) -> TreeValidation {
        let mut validation = self.validate_files();
        let mut findings = self.policies.findings.clone();
        for file in self.tree.connectors.values() {
            let rules = self.rules_for(&file.address.department, &file.address.stage);
            let department = rules.map(|rules| PolicyDepartment {
                prefix: &rules.prefix,
                quota: &rules.quota,
                runtime_account: rules.runtime_account.as_ref(),
            });
            findings.extend(self.policies.check_file(file, department.as_ref(), self.catalog()));
        }
        validation.add(findings);
        validation
    }

    /// Checks all files except for the policies.
    fn validate_files(&self) -> TreeValidation {
        validate_tree(&self.tree, self.catalog.as_ref(), |department, stage| {
            self.rules_for(department, stage)
        })
    }

    fn rules_for(&self, department: &str, stage: &str) -> Option<&DepartmentRules> {
        self.rules.get(&(department.to_owned(), stage.to_owned()))
    }

    /// Adds the findings about files that vanished or moved since `revision`.
    ///
    /// # Errors
    /// Git cannot read the revision.
    pub fn compare_with(&self, run: &RunContext, revision: &str, validation: &mut TreeValidation) -> Result<(), Error> {
        validation.add(self.base_revision(run, revision)?.check(&self.tree)?);
        Ok(())
    }

    /// Keeps the findings in `paths`, if there are any paths.
    ///
    /// # Errors
    /// A path is not below `connectors`, or does not exist.
    pub fn retain_paths(&self, validation: &mut TreeValidation, paths: &[PathBuf]) -> Result<(), Error> {
        if paths.is_empty() {
            return Ok(());
        }
        let folder = self.root.join(super::file_tree::CONNECTORS);
        let mut selected = Vec::new();
        for path in paths {
            let absolute = self.working_dir.join(path);
            if !absolute.exists() {
                return Err(Error::usage(format!("`{}` does not exist", path.display())));
            }
            if !absolute.starts_with(&folder) {
                return Err(Error::usage(format!(
                    "`{}` is not below `{}`",
                    path.display(),
                    folder.display()
                )));
            }
            selected.push(absolute);
        }
        // An error in a policy means that the selected files were not checked completely.
        let policies = self.root.join(POLICIES);
        validation.retain(|path| {
            let path = self.working_dir.join(path);
            path.starts_with(&policies) || selected.iter().any(|named| path.starts_with(named))
        });
        Ok(())
    }

    /// Returns the effective file of the connector `name` in the stage of the run.
    ///
    /// # Errors
    /// There is no such file, or the files of several departments have that name.
    pub fn show(&self, run: &RunContext, name: &str) -> Result<ShownConnector, Error> {
        self.find_connector(run, name).map(|address| self.describe(&address))
    }

    /// Returns the address of the connector `name` in the stage of the run.
    ///
    /// # Errors
    /// There is no file of the connector, or the files of several departments have that name.
    pub fn find_connector(&self, run: &RunContext, name: &str) -> Result<ConnectorAddress, Error> {
        let stage = self.stage(run)?;
        let department = run.options.department.as_ref().map(ToString::to_string);
        let in_scope = |address: &&ConnectorAddress| {
            address.stage == stage && department.as_ref().is_none_or(|code| *code == address.department)
        };
        let addresses: Vec<&ConnectorAddress> = self.tree.connectors.keys().filter(in_scope).collect();
        let found: Vec<&ConnectorAddress> = addresses
            .iter()
            .copied()
            .filter(|address| address.name == name)
            .collect();
        match found[..] {
            [address] => Ok(address.clone()),
            [] => {
                let error = Error::failed(format!("no file of connector `{name}` in stage `{stage}`"));
                let near = closest_match(name, addresses.iter().map(|address| address.name.as_str()));
                Err(match near {
                    Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                    None => error.with_hint(format!("Files of this stage are in `connectors/DEPARTMENT/{stage}`.")),
                })
            }
            _ => {
                let departments: Vec<&str> = found.iter().map(|address| address.department.as_str()).collect();
                Err(
                    Error::usage(format!("{} have a file of connector `{name}`", join_code(&departments)))
                        .with_hint("Select one with `--department CODE`."),
                )
            }
        }
    }

    /// Checks that the department of `address` may have connectors in its stage; without platform files, every stage is
    /// possible.
    ///
    /// # Errors
    /// There is no such stage, or the department is not in it.
    pub fn check_stage(&self, address: &ConnectorAddress) -> Result<(), Error> {
        let Some(platform) = &self.platform else { return Ok(()) };
        let stages: Vec<&str> = platform.platform.stages.keys().map(String::as_str).collect();
        if !stages.contains(&address.stage.as_str()) {
            let error = Error::usage(format!("there is no stage `{}`", address.stage));
            return Err(match closest_match(&address.stage, stages.iter().copied()) {
                Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                None => error.with_hint(format!("Known stages: {}.", join_code(&stages))),
            });
        }
        let key = (address.department.clone(), address.stage.clone());
        if !self.rules.contains_key(&key) {
            return Err(Error::refused(format!(
                "department `{}` has no stage `{}`",
                address.department, address.stage
            ))
            .with_hint(format!(
                "Add the stage to `stages` in `departments/{}.toml`.",
                address.department
            )));
        }
        Ok(())
    }

    /// Returns the departments to plan in the stage of `session`: the selected one, or all with files.
    ///
    /// # Errors
    /// The selected department has no files, or the profile contradicts the platform configuration.
    pub fn departments(&self, run: &RunContext, session: &ConnectorSession) -> Result<Vec<DepartmentContext>, Error> {
        let stage = session.stage.as_str();
        let with_files: BTreeSet<&str> = self
            .tree
            .connectors
            .keys()
            .filter(|address| address.stage == stage)
            .map(|address| address.department.as_str())
            .collect();
        if let Some(department) = &session.department {
            let mut department = department.clone();
            self.check_place(session, &department)?;
            // The platform's files decide, a profile may be older.
            if let Some(rules) = self.rules.get(&(department.code.to_string(), stage.to_owned())) {
                department.quota = rules.quota.clone();
                department.connector_names = rules.connector_names.clone();
            }
            return Ok(vec![department]);
        }
        let Some(platform) = &self.platform else {
            return session.require_department().map(|department| vec![department.clone()]);
        };
        let known = platform
            .active_departments()
            .filter(|department| with_files.contains(department.code.as_str()));
        let contexts = known.map(|department| session::department_context(platform, stage, &department.code));
        let departments: Vec<DepartmentContext> = contexts.collect::<Result<_, _>>()?;
        if departments.is_empty() {
            run.info(format!("No connector files for stage `{stage}`."));
        }
        Ok(departments)
    }

    /// Checks that a profile is for the same prefix and the same cluster as the platform's files.
    fn check_place(&self, session: &ConnectorSession, department: &DepartmentContext) -> Result<(), Error> {
        let Some(platform) = &self.platform else { return Ok(()) };
        let differs = |what: &str| {
            Error::refused(format!(
                "the profile of `{}` and `ebs.toml` differ in the {what}",
                department.code
            ))
            .with_hint(format!("Ask {} for a new profile.", platform.platform.team))
        };
        let own = platform.department(&department.code);
        if own.is_none_or(|own| own.prefix != department.prefix) {
            return Err(differs("prefix"));
        }
        let place = &session.connectors.cluster_path;
        let stage = platform.platform.stages.get(&session.stage);
        match stage.is_some_and(|stage| stage.cluster == place.cluster && stage.environment == place.environment) {
            true => Ok(()),
            false => Err(differs("cluster")),
        }
    }

    /// Returns the errors in files of `departments` and in policies, which forbid a plan. Connectors that violate a policy
    /// are part of the plan.
    #[must_use]
    pub fn errors_in(&self, departments: &[DepartmentContext]) -> Vec<Finding> {
        let folder = self.root.join(super::file_tree::CONNECTORS);
        let mut validation = self.validate_files();
        validation.retain(|path| {
            let path = self.working_dir.join(path);
            departments
                .iter()
                .any(|department| path.starts_with(folder.join(department.code.as_str())))
        });
        let policies = self.policies.findings.iter().cloned();
        validation.findings.extend(policies);
        validation
            .findings
            .retain(|finding| finding.severity == Severity::Error);
        validation.findings
    }

    fn describe(&self, address: &ConnectorAddress) -> ShownConnector {
        let file = &self.tree.connectors[address];
        let facts = self.catalog();
        let plugin = file.merged.class().and_then(|class| facts.plugin(class));
        let config = file.entries().map(|key| {
            let entry = key.entry;
            let is_hidden =
                secrecy(facts, plugin, &entry.key).must_be_hidden() && ValueReference::parse(&entry.value).is_none();
            ShownKey {
                config: entry.key.clone(),
                value: if is_hidden {
                    "****************".to_owned()
                } else {
                    entry.value.clone()
                },
                path: key.path.to_owned(),
                line: key.line,
            }
        });
        let mut config: Vec<ShownKey> = config.collect();
        config.sort_by(|left, right| left.config.cmp(&right.config));
        ShownConnector {
            name: address.name.clone(),
            department: address.department.clone(),
            stage: address.stage.clone(),
            state: match file.settings.state {
                Some(ConfiguredState::Running) => "running",
                Some(ConfiguredState::Paused) => "paused",
                Some(ConfiguredState::Absent) => "absent",
                None => "as it is",
            },
            settings: file.settings.clone(),
            config,
        }
    }

    /// Returns the stage of the run: the selected one, that of the profile, or the default stage.
    fn stage(&self, run: &RunContext) -> Result<String, Error> {
        let profile = match &self.platform {
            Some(_) => None,
            None => session::load_selected_profile(run, run.environment.dirs()?)?,
        };
        let settings = Settings::resolve(run, profile.as_ref(), self.platform.as_ref());
        match (&self.platform, settings.stage) {
            (Some(platform), _) => Ok(Settings::resolve(run, None, Some(platform)).platform_stage(platform)?.0),
            (None, Some(stage)) => Ok(stage.value),
            (None, None) => Err(Error::usage("no stage specified").with_hint("Select one with `--stage NAME`.")),
        }
    }
}

fn platform_rules(workspace: &Workspace) -> (KnownNames, RulesByStage) {
    let stages: Vec<String> = workspace.platform.stages.keys().cloned().collect();
    let departments: Vec<String> = workspace
        .active_departments()
        .map(|department| department.code.to_string())
        .collect();
    let mut rules = BTreeMap::new();
    for department in workspace.active_departments() {
        for stage in stages.iter().filter(|stage| department.is_allowed_in(stage)) {
            rules.insert(
                (department.code.to_string(), stage.clone()),
                DepartmentRules {
                    prefix: department.prefix.clone(),
                    connector_names: workspace.platform.naming.connector.clone(),
                    quota: department.quota_in(stage).clone(),
                    runtime_account: None,
                    secret_variables: Vec::new(),
                    lint_exceptions: department.lint_exceptions.clone(),
                    platform_team: workspace.platform.team.clone(),
                },
            );
        }
    }
    let known = KnownNames {
        departments: Some(departments),
        stages: Some(stages),
        allowed: Some(rules.keys().cloned().collect()),
    };
    (known, rules)
}

/// Returns the rules of the selected profile, which knows one department and one stage.
fn profile_rules(run: &RunContext) -> Result<(KnownNames, RulesByStage), Error> {
    let Some(loaded) = session::load_selected_profile(run, run.environment.dirs()?)? else {
        return Ok((KnownNames::default(), BTreeMap::new()));
    };
    let (profile, facts) = (&loaded.profile, &loaded.profile.facts);
    let key = (facts.department.to_string(), facts.stage.clone());
    let rules = DepartmentRules {
        prefix: facts.prefix.clone(),
        connector_names: facts.connector_names.clone(),
        quota: facts.quota.clone(),
        runtime_account: profile.runtime_account.clone(),
        secret_variables: profile.secret_variables.clone(),
        lint_exceptions: facts.lint_exceptions.clone(),
        platform_team: facts.platform_team.clone(),
    };
    let known = KnownNames {
        departments: Some(vec![key.0.clone()]),
        ..KnownNames::default()
    };
    Ok((known, BTreeMap::from([(key, rules)])))
}
