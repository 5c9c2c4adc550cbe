//! `[quota]`: fields of a department quota, with defaults of the platform.

use std::ops::Range;

use toml::Spanned;

use super::{plugins, toml::TomlTable};
use crate::{
    diag::Finding,
    model::{ByteRate, DepartmentQuota, Throughput},
};

/// Configured fields with their locations.
#[derive(Clone, Debug, Default)]
pub(super) struct QuotaFields {
    connectors: Option<Spanned<u32>>,
    tasks: Option<Spanned<u32>>,
    tasks_per_connector: Option<Spanned<u32>>,
    plugins: Option<Vec<String>>,
    throughput: Option<Throughput>,
}

/// Reads the table `throughput` of a quota table. Both rates are required: a client quota has both.
pub(crate) fn read_throughput(table: &TomlTable<'_>) -> Option<Throughput> {
    let throughput = table.table("throughput")?;
    let ingress = throughput.require_parse::<ByteRate>("ingress");
    let egress = throughput.require_parse::<ByteRate>("egress");
    Some(Throughput {
        ingress: ingress?.into_inner(),
        egress: egress?.into_inner(),
    })
}

impl QuotaFields {
    /// Keys of a quota table.
    pub(super) const KEYS: [&'static str; 5] = ["connectors", "tasks", "tasks_per_connector", "plugins", "throughput"];

    pub(super) fn read(table: &TomlTable<'_>) -> Self {
        let fields = Self {
            connectors: table.get("connectors"),
            tasks: table.get("tasks"),
            tasks_per_connector: table.get("tasks_per_connector"),
            plugins: table.list("plugins").map(|names| plugins::read_plugins(table, names)),
            throughput: read_throughput(table),
        };
        fields.check(table);
        fields
    }

    /// Returns the quota, with missing fields taken from `defaults`.
    pub(super) fn with_defaults(&self, defaults: &DepartmentQuota) -> DepartmentQuota {
        let or = |field: &Option<Spanned<u32>>, default| field.as_ref().map_or(default, |field| *field.get_ref());
        let tasks = or(&self.tasks, defaults.tasks);
        // A default must not contradict a configured field, such as 1 task in total but 2 per connector.
        let per_connector = defaults.tasks_per_connector.min(tasks);
        DepartmentQuota {
            connectors: or(&self.connectors, defaults.connectors),
            tasks,
            tasks_per_connector: or(&self.tasks_per_connector, per_connector),
            plugins: self.plugins.clone().unwrap_or_else(|| defaults.plugins.clone()),
            throughput: self.throughput.or(defaults.throughput),
        }
    }

    /// Returns the location of a field that contradicts the complete quota.
    pub(super) fn contradiction(&self, quota: &DepartmentQuota) -> Option<(Range<usize>, String)> {
        if quota.tasks_per_connector <= quota.tasks {
            return None;
        }
        let place = self.tasks_per_connector.as_ref().or(self.tasks.as_ref())?;
        let message = format!(
            "`tasks_per_connector` ({}) exceeds `tasks` ({})",
            quota.tasks_per_connector, quota.tasks
        );
        Some((place.span(), message))
    }

    fn check(&self, table: &TomlTable<'_>) {
        let figures = [&self.connectors, &self.tasks, &self.tasks_per_connector];
        for (key, figure) in Self::KEYS.into_iter().zip(figures) {
            if let Some(figure) = figure.as_ref().filter(|figure| *figure.get_ref() == 0) {
                let finding = Finding::error(
                    "quota-zero",
                    format!("`{key}` is 0, so the department cannot run connectors"),
                );
                let fix = "Set it to at least 1, or use template `read-only` for read access only.";
                table.report(figure.span(), finding.with_fix(fix));
            }
        }
        if let (Some(connectors), Some(tasks)) = (&self.connectors, &self.tasks)
            && tasks.get_ref() < connectors.get_ref()
            && *tasks.get_ref() > 0
        {
            let message = format!(
                "`connectors` ({}) exceeds `tasks` ({}), but each running connector needs at least one task",
                connectors.get_ref(),
                tasks.get_ref()
            );
            table.report(tasks.span(), Finding::warning("quota-unreachable", message));
        }
    }
}
