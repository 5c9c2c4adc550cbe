//! `confluent ebs quota list`.

use serde::Serialize;

use super::DepartmentSession;
use crate::{
    commands::{Ctx, Report, session},
    error::Error,
    model::{DepartmentCode, DepartmentQuota, Prefix},
    quota::Usage,
    render::{Cell, List, Row},
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
            QuotaRow {
                department: code.clone(),
                connectors: usage.connectors,
                connectors_limit: quota.connectors,
                tasks: usage.tasks,
                tasks_limit: quota.tasks,
                tasks_per_connector_limit: quota.tasks_per_connector,
                complete: usage.unreadable.is_empty(),
            }
        };
        let rows: Vec<QuotaRow> = if let Some(tenant) = &session.tenant {
            vec![row(&tenant.code, &tenant.prefix, &tenant.quota)]
        } else {
            let workspace = session::workspace(ctx.globals.is_sandbox())?.workspace;
            let departments = workspace.active_departments();
            departments
                .map(|department| row(&department.code, &department.prefix, &department.quota))
                .collect()
        };
        Ok(Report::new(List::new(rows)))
    }
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
    /// Whether all configurations could be read; if not, tasks are a lower bound.
    complete: bool,
}

impl Row for QuotaRow {
    const COLUMNS: &'static [&'static str] = &["Department", "Connectors", "Tasks", "Tasks per Connector"];

    fn cells(&self) -> Vec<Cell> {
        let least = if self.complete { "" } else { "≥ " };
        vec![
            Cell::text(&self.department),
            Cell::Text(format!("{} of {}", self.connectors, self.connectors_limit)),
            Cell::Text(format!("{least}{} of {}", self.tasks, self.tasks_limit)),
            Cell::Text(format!("at most {}", self.tasks_per_connector_limit)),
        ]
    }
}
