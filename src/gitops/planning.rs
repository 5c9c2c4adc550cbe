//! Plans with the service: one list of the cluster's connectors for all departments, the defaults of each department, and
//! the validation of what is created or changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use futures_util::{StreamExt as _, stream};

use super::{
    effective_file::EffectiveFile,
    file_tree::ConnectorAddress,
    import::ImportedFile,
    plan::{
        DesiredFile, GitopsPlan, GitopsPlanInput, ItemAction, PlanItem, PlanProblem, SentSecret, plan_department,
        sends_config,
    },
    policies::PolicyDepartment,
    workspace::GitopsWorkspace,
};
use crate::{
    api::{connect::ExpandedConnector, iam::ListServiceAccounts},
    catalog::{Catalog, ValueReference, facts_hash, secret::secrecy},
    connectors::{
        defaults::{AddedDefault, REPORT_TOPICS, apply_defaults, drop_unknown_default},
        definition::ConnectorDefinition,
        preparation::check_naming,
        validation::{validate_with_service, validation_errors},
    },
    diag::Finding,
    error::{Error, ErrorKind},
    resources::connector::LiveConnector,
    session::{ConnectorSession, DepartmentContext, RunContext},
};

/// Number of validations at the same time.
const CONCURRENCY: usize = 4;

/// Value that the service validates instead of a reference: a plan resolves no secrets.
const PLACEHOLDER: &str = "placeholder-of-a-plan";

/// Plans of a stage.
pub struct PlannedStage {
    /// Plans, one per department.
    pub plans: Vec<GitopsPlan>,
    /// Departments of the plans, in the same order.
    pub departments: Vec<DepartmentContext>,
    /// Files of the planned departments.
    pub desired: BTreeMap<ConnectorAddress, DesiredFile>,
    /// Connectors of the cluster when the plans were made.
    pub observed: BTreeMap<String, ExpandedConnector>,
}

/// Plans the departments `departments` of the session's stage.
///
/// # Errors
/// The connectors cannot be listed, or a default of a department is unknown.
pub async fn plan_stage(
    run: &RunContext,
    workspace: &GitopsWorkspace,
    session: &mut ConnectorSession,
    departments: Vec<DepartmentContext>,
    sent_secrets: &[SentSecret],
) -> Result<PlannedStage, Error> {
    let observed = session.connectors.list().await?;
    let departments = find_runtime_accounts(session, departments).await?;
    let mut plans = Vec::new();
    let mut desired = BTreeMap::new();
    for department in &departments {
        if run.cancel.is_cancelled() {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
        }
        session.department = Some(department.clone());
        let (plan, files) = plan_one(workspace, session, department, &observed, sent_secrets).await?;
        plans.push(plan);
        desired.extend(
            files
                .into_iter()
                .map(|file| (file.desired.address.clone(), file.desired)),
        );
    }
    Ok(PlannedStage {
        plans,
        departments,
        desired,
        observed,
    })
}

/// Returns the repository and the files of connectors that have none, in the stage of the session: those in `names`, or
/// all.
///
/// # Errors
/// No department is selected, the connectors cannot be listed, or a connector in `names` does not exist or has a file.
pub async fn import_stage(
    run: &RunContext,
    session: &ConnectorSession,
    names: &[String],
) -> Result<(PathBuf, Vec<ImportedFile>), Error> {
    let department = session.require_department()?;
    let workspace = GitopsWorkspace::open_or_new(run)?;
    let catalog = workspace.catalog();
    let observed = session.connectors.list().await?;
    let (code, stage) = (department.code.as_str(), session.stage.as_str());
    let has_file: BTreeSet<&str> = workspace
        .tree
        .stage(code, stage)
        .map(|file| file.address.name.as_str())
        .collect();
    for name in names {
        if !observed.contains_key(name) {
            return Err(Error::failed(format!("connector `{name}` does not exist")));
        }
        if has_file.contains(name.as_str()) {
            return Err(Error::refused(format!("connector `{name}` has a file already")));
        }
    }
    let is_selected = |name: &str| match names {
        [] => department.prefix.owns(name) && !has_file.contains(name),
        names => names.iter().any(|selected| selected == name),
    };
    let mut files = Vec::new();
    for (name, expanded) in observed.iter().filter(|(name, _)| is_selected(name)) {
        let live = LiveConnector {
            name: name.clone(),
            expanded: expanded.clone(),
        };
        match ImportedFile::new(catalog, &live, code, stage) {
            Some(file) => files.push(file),
            None => run.warn(format!("the name of connector `{name}` cannot be used as a file name")),
        }
    }
    Ok((workspace.root().to_owned(), files))
}

/// Looks up the accounts that are not known yet, with one request for all departments.
async fn find_runtime_accounts(
    session: &ConnectorSession,
    mut departments: Vec<DepartmentContext>,
) -> Result<Vec<DepartmentContext>, Error> {
    let is_unknown = |department: &&DepartmentContext| department.runtime_account_id.is_none();
    let names: Vec<String> = departments
        .iter()
        .filter(is_unknown)
        .filter_map(|department| department.runtime_account_name.clone())
        .collect();
    if names.is_empty() {
        return Ok(departments);
    }
    let request = ListServiceAccounts { display_names: names };
    let accounts = session.connectors.client.list(request).await?;
    for department in departments
        .iter_mut()
        .filter(|department| department.runtime_account_id.is_none())
    {
        let account = accounts
            .iter()
            .find(|account| Some(&account.display_name) == department.runtime_account_name.as_ref());
        department.runtime_account_id = account.map(|account| account.id.clone());
    }
    Ok(departments)
}

/// File with the defaults that were added to it.
struct CompletedFile {
    desired: DesiredFile,
    defaults: Vec<AddedDefault>,
}

async fn plan_one(
    workspace: &GitopsWorkspace,
    session: &ConnectorSession,
    department: &DepartmentContext,
    observed: &BTreeMap<String, ExpandedConnector>,
    sent_secrets: &[SentSecret],
) -> Result<(GitopsPlan, Vec<CompletedFile>), Error> {
    let catalog = workspace.catalog();
    let mut files = Vec::new();
    for file in workspace.tree.stage(department.code.as_str(), &session.stage) {
        files.push(complete_file(session, file, observed.get(&file.address.name), catalog).await?);
    }
    let catalog_hash = facts_hash(catalog);
    let recorded = workspace.recorded_connectors();
    let make_plan = |files: &[CompletedFile]| {
        let desired: Vec<DesiredFile> = files.iter().map(|file| file.desired.clone()).collect();
        plan_department(&GitopsPlanInput {
            department: department.code.as_str(),
            stage: &session.stage,
            prefix: &department.prefix,
            quota: &department.quota,
            runtime_account: department.runtime_account_id.as_ref(),
            platform_team: &department.platform_team,
            desired: &desired,
            observed,
            sent_secrets,
            catalog,
            unmanaged: &workspace.tree.unmanaged,
            recorded,
            policy_hash: &workspace.policies.hash,
            catalog_hash: &catalog_hash,
        })
    };
    let mut plan = make_plan(&files);
    let validations = validate_changes(session, &plan, &mut files).await?;
    if validations.dropped_defaults {
        plan = make_plan(&files);
    }
    let created = plan.items.iter().filter(|item| item.action == ItemAction::Create);
    let misnamed = created.filter_map(|item| {
        let error = check_naming(Some(department), &item.address.name).err()?;
        Some(PlanProblem::new(&item.address.name, error.to_string()).with_fix("Rename the file."))
    });
    let misnamed: Vec<PlanProblem> = misnamed.collect();
    plan.errors.extend(misnamed);
    plan.errors.extend(validations.errors);
    plan.not_checked.extend(validations.not_checked);
    let platform = workspace.platform.as_ref().map(|workspace| &workspace.platform);
    plan.freeze = platform
        .and_then(|platform| platform.gitops.freeze(&session.stage, session.clock().now()))
        .cloned();
    plan.policies = find_violated_policies(workspace, department, &session.stage, &plan.items, observed);
    plan.seal();
    Ok((plan, files))
}

/// Checks the connectors of a department and their changes against the policies.
fn find_violated_policies(
    workspace: &GitopsWorkspace,
    department: &DepartmentContext,
    stage: &str,
    items: &[PlanItem],
    observed: &BTreeMap<String, ExpandedConnector>,
) -> Vec<Finding> {
    let (policies, catalog) = (&workspace.policies, workspace.catalog());
    let facts = PolicyDepartment {
        prefix: &department.prefix,
        quota: &department.quota,
        runtime_account: department.runtime_account_id.as_ref(),
    };
    let mut findings = Vec::new();
    for file in workspace.tree.stage(department.code.as_str(), stage) {
        findings.extend(policies.check_file(file, Some(&facts), catalog));
        for item in items.iter().filter(|item| item.address == file.address) {
            let present = observed.get(item.replaces.as_ref().unwrap_or(&item.address.name));
            let class = present.and_then(|live| live.info.config.get("connector.class"));
            let class = class.map_or("", String::as_str);
            findings.extend(policies.check_change(item, file, Some(&facts), class, catalog));
        }
    }
    findings
}

/// Adds the defaults of the department, as `connector create` does. A connector that exists without a topic for reports
/// gets none, so that an adopted connector is not changed.
async fn complete_file(
    session: &ConnectorSession,
    file: &EffectiveFile,
    observed: Option<&ExpandedConnector>,
    catalog: &Catalog,
) -> Result<CompletedFile, Error> {
    let class = file.merged.class().unwrap_or_default().to_owned();
    let mut definition = ConnectorDefinition {
        file: Some(file.path().to_owned()),
        name: file.address.name.clone(),
        class: class.clone(),
        config: BTreeMap::new(),
        offsets: file.merged.offsets.clone(),
    };
    let mut defaults = Vec::new();
    if !file.settings.is_absent() {
        let entries = file.merged.entries.iter();
        definition.config = entries.map(|entry| (entry.key.clone(), entry.value.clone())).collect();
        definition.config.insert("name".to_owned(), definition.name.clone());
        defaults = apply_defaults(session, &mut definition).await?;
        if let Some(observed) = observed {
            defaults.retain(|default| {
                let is_report = REPORT_TOPICS.iter().any(|(key, _)| *key == default.config);
                let is_kept = !is_report || observed.info.config.contains_key(&default.config);
                if !is_kept {
                    definition.config.remove(&default.config);
                }
                is_kept
            });
        }
    }
    let plugin = catalog.plugin(&class);
    let is_secret = |(key, value): &(&String, &String)| {
        secrecy(catalog, plugin, key).must_be_hidden() || ValueReference::occurs_in(value)
    };
    let secret_keys = definition
        .config
        .iter()
        .filter(is_secret)
        .map(|(key, _)| key.clone())
        .collect();
    Ok(CompletedFile {
        desired: DesiredFile {
            address: file.address.clone(),
            settings: file.settings.clone(),
            offsets: definition.offsets,
            config: definition.config,
            secret_keys,
        },
        defaults,
    })
}

#[derive(Default)]
struct ServiceValidations {
    errors: Vec<PlanProblem>,
    not_checked: Vec<PlanProblem>,
    /// Whether defaults were dropped that a plugin does not know, so that the plan must be made again.
    dropped_defaults: bool,
}

/// Validates what the plan creates or changes with the service.
async fn validate_changes(
    session: &ConnectorSession,
    plan: &GitopsPlan,
    files: &mut [CompletedFile],
) -> Result<ServiceValidations, Error> {
    let changed: BTreeSet<&str> = plan
        .items
        .iter()
        .filter(|item| sends_config(item.action))
        .map(|item| item.address.name.as_str())
        .collect();
    let work = files
        .iter_mut()
        .filter(|file| changed.contains(file.desired.address.name.as_str()));
    let work: Vec<_> = work.map(|file| validate_file(session, file)).collect();
    let results: Vec<_> = stream::iter(work).buffered(CONCURRENCY).collect().await;
    let mut all = ServiceValidations::default();
    for result in results {
        let one = result?;
        all.errors.extend(one.errors);
        all.not_checked.extend(one.not_checked);
        all.dropped_defaults |= one.dropped_defaults;
    }
    Ok(all)
}

async fn validate_file(session: &ConnectorSession, file: &mut CompletedFile) -> Result<ServiceValidations, Error> {
    let (name, class) = (file.desired.address.name.clone(), file.desired.class().to_owned());
    let mut result = ServiceValidations::default();
    let mut not_checked = |why: String| result.not_checked.push(PlanProblem::new(&name, why));
    let validation = match validate_with_service(session, &class, with_placeholders(&file.desired)).await {
        Ok(Some(validation)) => validation,
        Ok(None) => {
            not_checked(format!("Confluent Cloud cannot validate plugin `{class}`"));
            return Ok(result);
        }
        Err(error) if error.kind == ErrorKind::Denied => {
            not_checked("the key may not validate configurations with Confluent Cloud".to_owned());
            return Ok(result);
        }
        Err(error) => return Err(error),
    };
    let dropped = drop_unknown_default(&mut file.desired.config, &mut file.defaults, &validation);
    let validation = if dropped {
        result.dropped_defaults = true;
        validate_with_service(session, &class, with_placeholders(&file.desired)).await?
    } else {
        Some(validation)
    };
    for complaint in validation.iter().flat_map(validation_errors) {
        let key = &complaint.config;
        if file.desired.secret_keys.contains(key) {
            let why = format!("`{key}` is a reference, which a plan does not resolve");
            result.not_checked.push(PlanProblem::new(&name, why));
        } else {
            let message = format!("`{key}`: {}", complaint.errors.join(", "));
            let problem = PlanProblem::new(&name, message);
            result.errors.push(match complaint.recommended_values.is_empty() {
                true => problem,
                false => problem.with_fix(format!("Allowed values: {}.", complaint.recommended_values.join(", "))),
            });
        }
    }
    Ok(result)
}

/// Returns the configuration with placeholders instead of references and secrets.
fn with_placeholders(file: &DesiredFile) -> BTreeMap<String, String> {
    let mut config = file.config.clone();
    for (key, value) in &mut config {
        if file.secret_keys.contains(key) {
            PLACEHOLDER.clone_into(value);
        }
    }
    config
}
