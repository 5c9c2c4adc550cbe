//! `confluent ebs quota list`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    api::connect::ExpandedConnector,
    commands::{CommandOutput, Ctx},
    error::Error,
    fleet::{QuotaState, at_least_prefix, has_task_count, quota_state::is_complete},
    model::{DepartmentCode, DepartmentQuota, Prefix},
    quota::{ADVISORY, DepartmentUsage, counted_tasks, is_counted},
    render::{Cell, Format, RowList, TableRow},
    session::{self, ConnectorSession},
};

/// List quotas and their usage
///
/// With a department's profile, lists your department; as the platform team, lists all departments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
List the quotas of all departments of the built-in example.

  $ confluent ebs quota list --sandbox")]
pub(super) struct QuotaListArgs {}

impl QuotaListArgs {
    pub(super) fn run(ctx: &mut Ctx) -> Result<CommandOutput<RowList<QuotaRow>>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let list = ctx.block_on(async { Ok(session.connectors.list().await?) })?;
        let row = |code: &DepartmentCode, prefix: &Prefix, quota: &DepartmentQuota| {
            let usage = DepartmentUsage::from_connectors(&list, prefix);
            let complete = is_complete(&usage, &list);
            QuotaRow {
                department: code.clone(),
                connectors: usage.connectors,
                connectors_limit: quota.connectors,
                tasks: usage.tasks,
                tasks_limit: quota.tasks,
                tasks_per_connector_limit: quota.tasks_per_connector,
                complete,
                state: QuotaState::for_department(&usage, quota, complete),
            }
        };
        let rows: Vec<QuotaRow> = if let Some(tenant) = &session.department {
            vec![row(&tenant.code, &tenant.prefix, &tenant.quota)]
        } else {
            let workspace = session::load_workspace(&ctx.run, ctx.run.options.is_sandbox())?.workspace;
            let departments: Vec<_> = workspace.active_departments().collect();
            if ctx.ui.format() == Format::Human {
                let prefixes: Vec<&Prefix> = departments.iter().map(|department| &department.prefix).collect();
                ctx.ui.info(&cluster_usage_text(&session, &list, &prefixes));
            }
            let departments = departments.into_iter();
            departments
                .map(|department| row(&department.code, &department.prefix, &department.quota))
                .collect()
        };
        if ctx.ui.format() == Format::Human {
            ctx.ui.info(ADVISORY);
        }
        Ok(CommandOutput::new(RowList::new(rows)))
    }
}

/// Describes the usage of the cluster and of unowned connectors (docs/reference/quotas.md#counting-connectors).
fn cluster_usage_text(
    session: &ConnectorSession,
    list: &BTreeMap<String, ExpandedConnector>,
    prefixes: &[&Prefix],
) -> String {
    let tasks = |own: bool| {
        let counted = list
            .iter()
            .filter(|(name, connector)| is_counted(connector) && (own || !is_owned(name, prefixes)));
        counted.fold((0_u32, true), |(tasks, complete), (_, connector)| {
            let more = counted_tasks(&connector.info.config, connector.status.tasks.len());
            (tasks.saturating_add(more), complete && has_task_count(connector))
        })
    };
    let (all, complete) = tasks(true);
    let rest = match tasks(false) {
        (0, _) => String::new(),
        (unowned, true) => format!(" {unowned} of them are unowned."),
        (unowned, false) => format!(" At least {unowned} of them are unowned."),
    };
    format!(
        "Cluster `{}` uses {}{all} of {} tasks; {} reserved.{rest}",
        session.connectors.cluster_path.cluster,
        at_least_prefix(complete),
        session.task_ceiling.allocatable(),
        session.task_ceiling.reserved()
    )
}

fn is_owned(name: &str, prefixes: &[&Prefix]) -> bool {
    prefixes.iter().any(|prefix| prefix.owns(name))
}

/// Row of the list.
#[derive(Debug, Serialize)]
pub(super) struct QuotaRow {
    department: DepartmentCode,
    connectors: u32,
    connectors_limit: u32,
    tasks: u32,
    tasks_limit: u32,
    tasks_per_connector_limit: u32,
    /// Whether the task counts of all connectors are known; otherwise `tasks` is a lower bound.
    complete: bool,
    state: QuotaState,
}

impl TableRow for QuotaRow {
    const COLUMNS: &'static [&'static str] = &["Department", "Connectors", "Tasks", "Tasks per Connector", "State"];

    fn cells(&self) -> Vec<Cell> {
        let least = at_least_prefix(self.complete);
        vec![
            Cell::text(&self.department),
            Cell::Text(format!("{} of {}", self.connectors, self.connectors_limit)),
            Cell::Text(format!("{least}{} of {}", self.tasks, self.tasks_limit)),
            Cell::Text(format!("at most {}", self.tasks_per_connector_limit)),
            self.state.label().into(),
        ]
    }
}
