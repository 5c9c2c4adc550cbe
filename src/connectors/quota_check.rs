//! Quota of a department: decided before a change of its connectors, and counted again after a create.

use std::collections::BTreeMap;

use super::{errors::PartialResult, selectors::select_one};
use crate::{
    api::connect::ExpandedConnector,
    client::ClientError,
    error::Error,
    quota::{
        ClusterUsage, CurrentConnector, DepartmentUsage, QuotaDecision, QuotaRequest, counted_tasks, decide, tasks_max,
    },
    resources::connector::LiveConnector,
    session::{ConnectorSession, DepartmentContext, RunContext},
};

/// Decides whether the quota of the department allows the connector `name` with `tasks` tasks, in addition to the
/// connectors in `list` or instead of `observed`.
pub fn evaluate_quota(
    session: &ConnectorSession,
    department: &DepartmentContext,
    list: &BTreeMap<String, ExpandedConnector>,
    name: &str,
    plugin: &str,
    tasks: u32,
    observed: Option<&LiveConnector>,
) -> QuotaDecision {
    let usage = DepartmentUsage::from_connectors(list, &department.prefix);
    let cluster = ClusterUsage::from_connectors(list, &department.prefix, session.is_platform_scope);
    let request = QuotaRequest {
        name,
        plugin,
        tasks,
        current: observed.map(|observed| CurrentConnector {
            tasks: current_tasks(observed),
            plugin: observed.class().to_owned(),
        }),
    };
    decide(
        &department.quota,
        &usage,
        cluster,
        session.task_ceiling,
        &request,
        &department.platform_team,
    )
}

/// Decides whether the quota allows another connector of `plugin` with `tasks` tasks, or, for a `selector`, as many for
/// the connector with that id or name.
///
/// # Errors
/// No department is specified, the request fails, or there is no such connector. A refusal is in the field `error` of
/// the returned value.
pub async fn decide_request(
    session: &ConnectorSession,
    plugin: Option<&str>,
    selector: Option<&str>,
    tasks: u32,
) -> Result<PartialResult<QuotaDecision>, Error> {
    let department = session.require_department()?;
    let list = session.connectors.list().await?;
    let observed = selector
        .map(|selector| select_one(session, &list, selector))
        .transpose()?;
    let observed = observed.as_ref();
    let name = observed.map_or(department.prefix.as_str(), |observed| &observed.name);
    let plugin = plugin.or(observed.map(LiveConnector::class)).unwrap_or_default();
    let decision = evaluate_quota(session, department, &list, name, plugin, tasks, observed);
    Ok(PartialResult {
        error: check_quota(department, &decision).err(),
        value: Some(decision),
    })
}

fn current_tasks(observed: &LiveConnector) -> u32 {
    counted_tasks(&observed.expanded.info.config, observed.expanded.status.tasks.len())
}

/// Returns the `tasks.max` that a configuration asks for.
///
/// # Errors
/// The value is not a positive number.
pub fn desired_tasks(config: &BTreeMap<String, String>) -> Result<u32, Error> {
    tasks_max(config).map_err(|error| Error::refused(error.to_string()))
}

/// Rejects an increase of tasks if the key may not list connectors, because the usage cannot be counted.
pub fn check_task_growth(
    department: &DepartmentContext,
    tasks: u32,
    observed: &LiveConnector,
    refusal: ClientError,
) -> Result<(), Error> {
    let now = current_tasks(observed);
    if tasks <= now {
        return Ok(());
    }
    Err(Error::from(refusal).context(format!(
        "cannot check {tasks} tasks instead of {now} against the quota of department `{}`",
        department.code
    )))
}

/// Returns the error of a refused quota decision, with each remedy once.
pub fn check_quota(department: &DepartmentContext, decision: &QuotaDecision) -> Result<(), Error> {
    if decision.allowed {
        return Ok(());
    }
    let messages: Vec<&str> = decision.denials.iter().map(|denial| denial.message.as_str()).collect();
    let mut error = Error::refused(format!(
        "refused by the quota of department `{}`: {}",
        department.code,
        messages.join("; ")
    ));
    for remedy in decision.denials.iter().flat_map(|denial| &denial.remedies) {
        error = error.with_hint(remedy.clone());
    }
    if let Some(issued) = department.quota_issued {
        error = error.with_hint(format!("The limits are from the profile of {issued}."));
    }
    Err(error)
}

/// Warns if the department is over quota after a create, because of a concurrent create: Confluent Cloud does not
/// enforce the limit (docs/reference/quotas.md#no-quota-per-department).
pub async fn warn_over_quota(run: &RunContext, session: &ConnectorSession) {
    let Some(department) = &session.department else {
        return;
    };
    // The connector exists already, so a failure here is ignored.
    let Ok(list) = session.connectors.list().await else {
        return;
    };
    let usage = DepartmentUsage::from_connectors(&list, &department.prefix);
    let limits = &department.quota;
    if usage.connectors > limits.connectors || usage.tasks > limits.tasks {
        run.warn(format!(
            "department `{}` now uses {} of {} connectors and {} of {} tasks, because of concurrent creates; delete \
             the connectors over quota",
            department.code, usage.connectors, limits.connectors, usage.tasks, limits.tasks
        ));
    }
}
