//! Order of the steps from a connector file to a changed connector, for one connector or many.
//!
//! | Step | What happens | Function |
//! |---|---|---|
//! | read | the file is parsed | [`definition::read`](super::definition::read) |
//! | lint | owner of the name and rules of the linter, without requests | [`ParsedConnectorFile::lint`] |
//! | observe | one list of the cluster's connectors for all files | [`ConnectorListing`] |
//! | naming | the name of a new connector follows the platform's convention | [`ConnectorPreparation::prepare`], one file at a time |
//! | rights | a persona other than the deployer is allowed to create connectors | |
//! | defaults | the department's defaults are added | |
//! | masks | masks instead of secrets are rejected | |
//! | quota | the department's quota must allow the connector | |
//! | secrets | references are replaced with secrets | |
//! | validation | Confluent Cloud validates the configuration | |
//! | plan | the change is added to a plan | [`PreparedConnector::plan`] |
//! | apply | the plan is executed | [`execute`](super::execute) |
//!
//! Commands differ in their [`PreparationGoal`], not in the order. Several files share one [`ConnectorPreparation`],
//! which counts prepared connectors against the quota, and one plan.
//!
//! [`ParsedConnectorFile::lint`]: super::definition::ParsedConnectorFile::lint

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    backup::config_file_command,
    defaults::{AddedDefault, apply_defaults, drop_unknown_default, is_report_topic},
    definition::ConnectorDefinition,
    errors::explain_change_error,
    quota_check::{check_quota, check_task_growth, desired_tasks, evaluate_quota},
    secrets::{SecretSources, reject_masked, resolve_secrets, secret_references},
    validation::{reject_invalid, secret_keys, validate_with_service},
};
use crate::{
    api::connect::{ConfigValidation, ExpandedConnector},
    catalog::rules::connector_naming,
    client::ClientError,
    error::Error,
    plan::{ConnectorPlan, connectors::ConnectorConflict},
    probe::{PROBE_NAME, ProbeCall, is_call_allowed},
    quota::{CLUSTER_USAGE_UNKNOWN, QuotaDecision},
    resources::connector::{DesiredConnector, LiveConnector, WaitGoal, is_mask},
    session::{ConnectorSession, DepartmentContext, RunContext},
    text::join_code,
};

/// Purpose of a preparation, which decides about the steps that are not always needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreparationGoal {
    /// Validate the configuration without a change: no quota, no plan.
    Validate,
    /// Create the connector. An existing one must be identical, so that quota and validation are not needed for it.
    Create,
    /// Create the connector, or update the existing one.
    CreateOrUpdate {
        /// Whether the secrets are sent even if no other key differs.
        send_secrets: bool,
    },
    /// Replace the configuration of the existing connector with a file; the defaults of keys that the file omits are
    /// their current values.
    Update,
    /// Change single keys of the existing connector. Stored secrets, which are readable only as masks, are sent back as
    /// they were read.
    Patch,
}

impl PreparationGoal {
    const fn is_update(self) -> bool {
        matches!(self, Self::Update | Self::Patch)
    }

    const fn may_create(self) -> bool {
        matches!(self, Self::Create | Self::CreateOrUpdate { .. })
    }
}

/// Connectors of a cluster before the change.
#[derive(Default)]
pub struct ConnectorListing {
    /// Connectors by name.
    pub connectors: BTreeMap<String, ExpandedConnector>,
    /// Reason why only the selected connectors are listed, which cannot be counted against a quota.
    refusal: Option<ClientError>,
}

impl ConnectorListing {
    /// Lists all connectors.
    pub async fn observe(session: &ConnectorSession) -> Result<Self, Error> {
        Ok(Self {
            connectors: session.connectors.list().await?,
            refusal: None,
        })
    }

    /// Lists all connectors, or only the connector `selector` if the list is refused.
    pub async fn observe_selected(session: &ConnectorSession, selector: &str) -> Result<Self, Error> {
        let (connectors, refusal) = session.connectors.try_list_selected(&[selector.to_owned()]).await?;
        Ok(Self { connectors, refusal })
    }

    fn get(&self, name: &str) -> Option<LiveConnector> {
        self.connectors.get(name).map(|expanded| LiveConnector {
            name: name.to_owned(),
            expanded: expanded.clone(),
        })
    }

    /// Counts a prepared connector against the quota, without its secrets.
    fn count(&mut self, name: &str, config: &BTreeMap<String, String>) {
        let counted = self.connectors.entry(name.to_owned()).or_default();
        for key in ["connector.class", "tasks.max"] {
            match config.get(key) {
                Some(value) => counted.info.config.insert(key.to_owned(), value.clone()),
                None => counted.info.config.remove(key),
            };
        }
    }
}

/// Preparation of connectors in one cluster.
pub struct ConnectorPreparation<'a> {
    /// Context of the run.
    pub run: &'a RunContext,
    /// Cluster and department.
    pub session: &'a ConnectorSession,
    /// Sources of secrets.
    pub secrets: SecretSources<'a>,
    /// Existing and prepared connectors; not needed to validate.
    pub listing: ConnectorListing,
}

/// Connector whose configuration is complete and checked.
pub struct PreparedConnector {
    /// Desired connector with its secrets.
    pub desired: DesiredConnector,
    /// Class of the plugin.
    pub class: String,
    /// Existing connector of that name.
    pub observed: Option<LiveConnector>,
    /// Defaults that were added.
    pub defaults: Vec<AddedDefault>,
    /// References of the configuration to secrets, by key.
    pub references: BTreeMap<String, String>,
    /// Decision about the quota, if it was needed.
    pub quota: Option<QuotaDecision>,
    /// Validation by Confluent Cloud; `None` if it was not needed or the plugin is unknown.
    pub validation: Option<ConfigValidation>,
    /// File of the configuration.
    file: Option<PathBuf>,
    goal: PreparationGoal,
}

impl ConnectorPreparation<'_> {
    /// Completes and checks a configuration, from its defaults to its validation.
    ///
    /// # Errors
    /// The first step that refuses the configuration or whose request fails.
    pub async fn prepare(
        &mut self,
        mut definition: ConnectorDefinition,
        goal: PreparationGoal,
    ) -> Result<PreparedConnector, Error> {
        let observed = self.listing.get(&definition.name);
        if goal.may_create() && observed.is_none() {
            check_naming(self.session.department.as_ref(), &definition.name)?;
            check_persona(self.session).await?;
        }
        let mut defaults = self.add_defaults(&mut definition, goal, observed.as_ref()).await?;
        check_masks(&definition, goal, observed.as_ref())?;
        // A connector that must be identical is not sent.
        let sends = goal != PreparationGoal::Create || observed.is_none();
        let quota = if sends {
            self.decide_quota(&definition, goal, observed.as_ref())?
        } else {
            None
        };
        let config = &mut definition.config;
        let references = secret_references(config);
        let mut secrets = resolve_secrets(self.run, self.session, self.secrets, &definition.class, config).await?;
        let validation = if sends {
            self.validate(&mut definition, &mut defaults, goal).await?
        } else {
            None
        };
        if let Some(validation) = &validation {
            secrets.extend(secret_keys(validation));
        }
        if goal != PreparationGoal::Validate {
            self.listing.count(&definition.name, &definition.config);
        }
        Ok(PreparedConnector {
            desired: DesiredConnector {
                name: definition.name,
                config: definition.config,
                offsets: definition.offsets,
                secret_keys: secrets,
            },
            class: definition.class,
            file: definition.file,
            observed,
            defaults,
            references,
            quota,
            validation,
            goal,
        })
    }

    async fn add_defaults(
        &self,
        definition: &mut ConnectorDefinition,
        goal: PreparationGoal,
        observed: Option<&LiveConnector>,
    ) -> Result<Vec<AddedDefault>, Error> {
        let has_defaults = goal != PreparationGoal::Validate || self.session.department.is_some();
        if definition.file.is_none() || !has_defaults {
            return Ok(Vec::new());
        }
        let added = apply_defaults(self.session, definition).await?;
        if let Some(observed) = observed.filter(|_| goal != PreparationGoal::Create) {
            let current = &observed.expanded.info.config;
            // Records that were reported before stay in one topic.
            let keeps = |key: &&String| goal == PreparationGoal::Update || is_report_topic(key);
            for key in added.iter().map(|default| &default.config).filter(keeps) {
                if let Some(value) = current.get(key).filter(|value| !is_mask(value)) {
                    definition.config.insert(key.clone(), value.clone());
                }
            }
        }
        Ok(added)
    }

    /// Checks the quota of the department, and reports notes of the decision.
    fn decide_quota(
        &mut self,
        definition: &ConnectorDefinition,
        goal: PreparationGoal,
        observed: Option<&LiveConnector>,
    ) -> Result<Option<QuotaDecision>, Error> {
        let department = self.session.department.as_ref();
        let Some(department) = department.filter(|_| goal != PreparationGoal::Validate) else {
            return Ok(None);
        };
        let tasks = desired_tasks(&definition.config)?;
        if let (Some(observed), Some(refusal)) = (observed, self.listing.refusal.take()) {
            check_task_growth(department, tasks, observed, refusal)?;
        }
        let list = &self.listing.connectors;
        let (name, plugin) = (&definition.name, &definition.class);
        let decision = evaluate_quota(self.session, department, list, name, plugin, tasks, observed);
        check_quota(department, &decision)?;
        // True before every change of a department: only `quota check` shows it.
        let notes = decision.notes.iter().filter(|note| *note != CLUSTER_USAGE_UNKNOWN);
        notes.for_each(|note| self.run.info(note));
        Ok(Some(decision))
    }

    /// Validates the configuration with Confluent Cloud, without a default that the plugin does not know. Only
    /// [`PreparationGoal::Validate`] accepts an invalid configuration.
    async fn validate(
        &self,
        definition: &mut ConnectorDefinition,
        defaults: &mut Vec<AddedDefault>,
        goal: PreparationGoal,
    ) -> Result<Option<ConfigValidation>, Error> {
        let (session, class) = (self.session, &definition.class);
        let mut validation = validate_with_service(session, class, definition.config.clone()).await?;
        if let Some(first) = &validation
            && drop_unknown_default(&mut definition.config, defaults, first)
        {
            validation = validate_with_service(session, class, definition.config.clone()).await?;
        }
        match (&validation, goal) {
            (_, PreparationGoal::Validate) | (None, PreparationGoal::Update | PreparationGoal::Patch) => {}
            (Some(validation), _) => reject_invalid(session, class, validation)?,
            (None, _) => self.run.warn(format!(
                "cannot validate the configuration with Confluent Cloud: plugin `{class}` is unknown to its validation"
            )),
        }
        Ok(validation)
    }
}

/// Rejects a creation that the key is not allowed, before secrets are asked for. The persona `deployer` creates
/// connectors in every built-in template, so that only other personas need a request.
async fn check_persona(session: &ConnectorSession) -> Result<(), Error> {
    let department = session.department.as_ref();
    let persona = department.and_then(|department| Some((department, department.persona.as_deref()?)));
    let Some((department, persona)) = persona.filter(|(_, persona)| *persona != "deployer") else {
        return Ok(());
    };
    let connectors = &session.connectors;
    let name = format!("{}{PROBE_NAME}", department.prefix);
    let allowed = is_call_allowed(
        &connectors.client,
        &connectors.cluster_path,
        ProbeCall::CreateInvalid,
        &name,
    );
    match allowed.await {
        Some(false) => {
            let error = Error::denied(format!("persona `{persona}` is not allowed to create connectors"));
            Err(explain_change_error(error, Some(department)))
        }
        _ => Ok(()),
    }
}

/// Rejects the name of a new connector that does not follow the naming convention of the platform. An existing one
/// cannot be renamed, so that it may keep its name.
///
/// # Errors
/// The name does not follow the convention, and the department has no exception.
pub fn check_naming(department: Option<&DepartmentContext>, name: &str) -> Result<(), Error> {
    let is_excepted = |department: &&DepartmentContext| {
        let mut exceptions = department.lint_exceptions.iter();
        exceptions.any(|(rule, _)| rule == connector_naming::ID)
    };
    let Some(department) = department.filter(|department| !is_excepted(department)) else {
        return Ok(());
    };
    let (pattern, prefix, team) = (
        &department.connector_names,
        &department.prefix,
        &department.platform_team,
    );
    if pattern.allows(prefix, name) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "name `{name}` does not follow the naming convention of {team}: `{prefix}` and `{pattern}`"
    ))
    .with_hint("Rename the connector in the file.")
    .with_hint(format!(
        "Ask {team} for an exception of lint rule `{}`.",
        connector_naming::ID
    )))
}

/// Rejects masks. A mask is sent only for keys that were read as masked: the service then keeps the stored value, which
/// the Confluent CLI relies on (docs/reference/connect.md#secrets-and-masks).
fn check_masks(
    definition: &ConnectorDefinition,
    goal: PreparationGoal,
    observed: Option<&LiveConnector>,
) -> Result<(), Error> {
    let is_stored = |key: &str| {
        let value = observed.and_then(|observed| observed.expanded.info.config.get(key));
        value.is_some_and(|value| is_mask(value))
    };
    reject_masked(&definition.config, |key| {
        goal == PreparationGoal::Patch && is_stored(key)
    })
}

impl PreparedConnector {
    /// Returns the state to wait for. An existing paused connector stays paused, so it never runs.
    pub fn wait_goal(&self, wanted: Option<WaitGoal>) -> Option<WaitGoal> {
        let observed = self.observed.as_ref();
        let rests = observed.is_some_and(|observed| observed.state().is_paused());
        wanted.filter(|goal| !(rests && *goal == WaitGoal::Running))
    }

    /// Adds the change to `plan`, and the wait for `wait`.
    ///
    /// # Errors
    /// The connector exists with another configuration, and the goal is [`PreparationGoal::Create`].
    pub fn plan(
        &self,
        run: &RunContext,
        session: &ConnectorSession,
        plan: &mut ConnectorPlan,
        wait: Option<WaitGoal>,
    ) -> Result<(), Error> {
        let department = session.department.as_ref().map(|department| &department.code);
        let observed = self.observed.as_ref();
        let sends_secrets = self.goal == PreparationGoal::CreateOrUpdate { send_secrets: true };
        if let Some(observed) = observed.filter(|_| sends_secrets || self.goal.is_update()) {
            plan.update(department, self.desired.clone(), observed, wait);
            return Ok(());
        }
        let created = plan.create(department, self.desired.clone(), observed, wait);
        let (Err(conflict), Some(observed)) = (created, observed) else {
            return Ok(());
        };
        if self.goal == PreparationGoal::Create {
            return Err(self.conflict_error(&conflict, observed));
        }
        if self.desired.offsets.is_some() {
            run.warn(
                "the offsets in the file are ignored, because `connector update` does not change offsets; use `confluent ebs \
                 connector offset update`",
            );
        }
        plan.update(department, self.desired.clone(), observed, wait);
        Ok(())
    }

    fn conflict_error(&self, conflict: &ConnectorConflict, observed: &LiveConnector) -> Error {
        let certain = conflict.fields.iter().filter(|field| field.is_certain());
        let keys: Vec<&str> = certain.map(|field| field.config.as_str()).collect();
        let (id, name) = (observed.id(), &observed.name);
        let file = self.file.as_deref().unwrap_or(Path::new("FILE"));
        let update = config_file_command("connector update", id, name, file);
        Error::refused(format!(
            "connector `{name}` already exists ({id}) and differs in {}",
            join_code(&keys)
        ))
        .with_hint(format!("Update it with `{update}`; `--dry-run` shows the differences."))
        .with_hint("Or re-run with `--or-update`.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Prefix, quota::DepartmentUsage};

    #[test]
    fn prepared_connectors_count_against_the_quota_of_the_next_one() {
        let mut listing = ConnectorListing::default();
        let config = |tasks: &str| BTreeMap::from([("tasks.max".to_owned(), tasks.to_owned())]);
        listing.count("claims-a", &config("2"));
        listing.count("claims-b", &config("3"));
        listing.count("claims-a", &config("1"));
        let usage = DepartmentUsage::from_connectors(&listing.connectors, &Prefix::parse("claims-").unwrap());
        assert_eq!((usage.connectors, usage.tasks), (2, 4));
    }
}
