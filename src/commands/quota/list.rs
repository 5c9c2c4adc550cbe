//! `confluent ebs quota list`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    DepartmentSession,
    state::{State, is_complete},
};
use crate::{
    api::connect::Expanded,
    commands::{
        Ctx, Report,
        fleet::{at_least, tells_tasks},
        session,
    },
    error::Error,
    model::{DepartmentCode, DepartmentQuota, Prefix},
    quota::{ADVISORY, Usage, counts, metered},
    render::{Cell, Format, List, Row},
};

/// List quotas and what is used of them.
///
/// With a department's profile it lists that department; as the platform team, every department that has a file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
List the quotas of all departments of the built-in example.

  $ confluent ebs quota list --sandbox")]
pub(super) struct ListQuotas {}

impl ListQuotas {
    pub(super) fn run(ctx: &mut Ctx) -> Result<Report<List<QuotaRow>>, Error> {
        let session = DepartmentSession::open(ctx)?;
        let list = ctx.block_on(async { Ok(session.connectors.list().await?) })?;
        let row = |code: &DepartmentCode, prefix: &Prefix, quota: &DepartmentQuota| {
            let usage = Usage::of(&list, prefix);
            let complete = is_complete(&usage, &list);
            QuotaRow {
                department: code.clone(),
                connectors: usage.connectors,
                connectors_limit: quota.connectors,
                tasks: usage.tasks,
                tasks_limit: quota.tasks,
                tasks_per_connector_limit: quota.tasks_per_connector,
                complete,
                state: State::of(&usage, quota, complete),
            }
        };
        let rows: Vec<QuotaRow> = if let Some(tenant) = &session.tenant {
            vec![row(&tenant.code, &tenant.prefix, &tenant.quota)]
        } else {
            let workspace = session::workspace(ctx.globals.is_sandbox())?.workspace;
            let departments: Vec<_> = workspace.active_departments().collect();
            if ctx.ui.format() == Format::Human {
                let prefixes: Vec<&Prefix> = departments.iter().map(|department| &department.prefix).collect();
                ctx.ui.note(&whole_cluster(&session, &list, &prefixes));
            }
            let departments = departments.into_iter();
            departments
                .map(|department| row(&department.code, &department.prefix, &department.quota))
                .collect()
        };
        if ctx.ui.format() == Format::Human {
            ctx.ui.note(ADVISORY);
        }
        Ok(Report::new(List::new(rows)))
    }
}

/// What the whole cluster uses, and what of it belongs to no department (dossier `quotas.md` §5.2).
fn whole_cluster(session: &DepartmentSession, list: &BTreeMap<String, Expanded>, prefixes: &[&Prefix]) -> String {
    let tasks = |own: bool| {
        let counted = list
            .iter()
            .filter(|(name, connector)| counts(connector) && (own || !owned(name, prefixes)));
        counted.fold((0_u32, true), |(tasks, complete), (_, connector)| {
            let more = metered(&connector.info.config, connector.status.tasks.len());
            (tasks.saturating_add(more), complete && tells_tasks(connector))
        })
    };
    let (all, complete) = tasks(true);
    let rest = match tasks(false) {
        (0, _) => String::new(),
        (nobodys, true) => format!(" {nobodys} of them belong to no department."),
        (nobodys, false) => format!(" At least {nobodys} of them belong to no department."),
    };
    format!(
        "Cluster \"{}\" uses {}{all} of {} tasks; {} more are kept in reserve.{rest}",
        session.connectors.place.cluster,
        at_least(complete),
        session.ceiling.allocatable(),
        session.ceiling.reserved()
    )
}

fn owned(name: &str, prefixes: &[&Prefix]) -> bool {
    prefixes.iter().any(|prefix| prefix.owns(name))
}

/// One department.
#[derive(Debug, Serialize)]
pub(super) struct QuotaRow {
    department: DepartmentCode,
    connectors: u32,
    connectors_limit: u32,
    tasks: u32,
    tasks_limit: u32,
    tasks_per_connector_limit: u32,
    /// Whether it is known of all connectors how many tasks count; if not, tasks are a lower bound.
    complete: bool,
    state: State,
}

impl Row for QuotaRow {
    const COLUMNS: &'static [&'static str] = &["Department", "Connectors", "Tasks", "Tasks per Connector", "State"];

    fn cells(&self) -> Vec<Cell> {
        let least = at_least(self.complete);
        vec![
            Cell::text(&self.department),
            Cell::Text(format!("{} of {}", self.connectors, self.connectors_limit)),
            Cell::Text(format!("{least}{} of {}", self.tasks, self.tasks_limit)),
            Cell::Text(format!("at most {}", self.tasks_per_connector_limit)),
            self.state.words().into(),
        ]
    }
}
