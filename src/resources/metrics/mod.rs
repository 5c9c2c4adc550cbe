//! Connector metrics: read, and what they mean.
//!
//! - [`read`]: one query per metric for all connectors together; [`lags`]: only how far sinks are behind
//! - [`series`]: values over time, in which no value is not zero; pure
//! - [`states`]: in which state connectors and tasks were, and when; pure
//! - [`signs`]: what values say of a connector that seems to run; pure

pub mod series;
pub mod signs;
pub mod states;

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};

pub use series::{Curve, Grid};
pub use signs::{Sign, signs};
pub use states::{States, Stay};

use super::connector::Seen;
use crate::{
    api::metrics::{CONNECTOR_ID, Metric, QueryMetrics, Reading, STATUS, Series, TASK},
    client::{ClientError, Metrics},
};

/// What is read of each connector, as far as its kind has it, in the order in which it is shown.
pub const READ: [&str; 9] = [
    "sent_records",
    "sent_bytes",
    "received_records",
    "received_bytes",
    "dead_letter_queue_records",
    "records_lag_max",
    "sink_task_put_batch_max_time_milliseconds",
    "connector_status",
    "connector_task_status",
];

/// How many queries are under way at a time.
const WIDTH: usize = 4;

/// What is known of one connector over a stretch of time.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Its values by the metric's suffix; those that its kind has and that could be read, also where nothing was said.
    pub curves: BTreeMap<&'static str, Curve>,
    /// Its own states.
    pub states: States,
    /// The states of its tasks, by number.
    pub tasks: BTreeMap<u32, States>,
}

impl Measured {
    fn nothing(grid: Grid, seen: &Seen) -> Self {
        let metrics = READ.into_iter().filter_map(Metric::of);
        let curves =
            metrics.filter(|metric| metric.reading != Reading::State && metric.direction.includes(seen.direction()));
        Self {
            curves: curves.map(|metric| (metric.suffix, Curve::unknown(grid))).collect(),
            states: States::unknown(grid),
            tasks: BTreeMap::new(),
        }
    }

    /// The values of a metric, if its kind has it.
    #[must_use]
    pub fn curve(&self, suffix: &str) -> Option<&Curve> {
        self.curves.get(suffix)
    }

    /// Takes in one group of an answer.
    fn add(&mut self, metric: &Metric, group: &Series) {
        match metric.suffix {
            "connector_status" => {
                if let Some(state) = group.label(STATUS) {
                    self.states.add(state, &group.sorted());
                }
            }
            "connector_task_status" => {
                let task = group.label(TASK).and_then(task_number);
                if let (Some(state), Some(task)) = (group.label(STATUS), task) {
                    let unknown = || States::unknown(self.states.grid());
                    let states = self.tasks.entry(task).or_insert_with(unknown);
                    states.add(state, &group.sorted());
                }
            }
            suffix => {
                if let Some(curve) = self.curves.get_mut(suffix) {
                    curve.add(&group.sorted());
                }
            }
        }
    }

    /// How many tasks ran, bucket by bucket; nothing where the service says nothing of any task.
    #[must_use]
    pub fn tasks_running(&self) -> Curve {
        let mut curve = Curve::unknown(self.states.grid());
        for bucket in 0..curve.values().len() {
            let states: Vec<&str> = self.tasks.values().filter_map(|task| task.at(bucket)).collect();
            if !states.is_empty() {
                let running = states.iter().filter(|state| **state == "RUNNING").count();
                curve.set(bucket, f64::from(u32::try_from(running).unwrap_or(u32::MAX)));
            }
        }
        curve
    }
}

/// The number of a task in whichever form its label has it: `0`, `task-0`, `lcc-8kq2zm-0`.
fn task_number(label: &str) -> Option<u32> {
    label.rsplit('-').next()?.parse().ok()
}

/// What was read.
#[derive(Debug)]
pub struct Answer {
    /// By the connector's name.
    pub measured: BTreeMap<String, Measured>,
    /// The metrics that could not be read, and why.
    pub failures: Vec<(&'static Metric, ClientError)>,
}

/// Reads all metrics of `connectors`, with one query per metric, however many connectors there are. What comes of others
/// than those is dropped.
///
/// # Errors
/// When the caller may not read them, or when nothing at all can be read.
pub async fn read(metrics: &Metrics, connectors: &[Seen], grid: Grid) -> Result<Answer, ClientError> {
    let mut measured: BTreeMap<String, Measured> = BTreeMap::new();
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for seen in connectors {
        names.insert(seen.id(), &seen.name);
        measured.insert(seen.name.clone(), Measured::nothing(grid, seen));
    }
    let queries = READ.into_iter().filter_map(Metric::of).filter_map(|metric| {
        let have = connectors
            .iter()
            .filter(|seen| metric.direction.includes(seen.direction()));
        let ids: Vec<String> = have.map(|seen| seen.id().to_owned()).collect();
        (!ids.is_empty()).then(|| (metric, query(metric, ids, grid)))
    });
    let ask = |(metric, query)| async move { (metric, metrics.query(query).await) };
    let mut answers = stream::iter(queries).map(ask).buffered(WIDTH);
    let mut failures = Vec::new();
    let mut some = false;
    while let Some((metric, answer)) = answers.next().await {
        match answer {
            Ok(groups) => {
                some = true;
                for group in groups {
                    let name = group.label(CONNECTOR_ID).and_then(|id| names.get(id).copied());
                    if let Some(measured) = name.and_then(|name| measured.get_mut(name)) {
                        measured.add(metric, &group);
                    }
                }
            }
            // No other query would fare better.
            Err(error) if error.is_forbidden() || error.is_unauthorized() => return Err(error),
            Err(error) => {
                // That nothing was read is not that there was nothing.
                for measured in measured.values_mut() {
                    measured.curves.remove(metric.suffix);
                }
                failures.push((metric, error));
            }
        }
    }
    match failures.pop() {
        Some((_, error)) if !some => Err(error),
        last => {
            failures.extend(last);
            Ok(Answer { measured, failures })
        }
    }
}

/// How many records sinks are behind, by id: the latest value of `sinks`, with one query for all of them. Whoever has no
/// value is not there, which is not zero.
///
/// # Errors
/// When they cannot be read.
pub async fn lags(metrics: &Metrics, sinks: Vec<String>, grid: Grid) -> Result<BTreeMap<String, f64>, ClientError> {
    let Some(metric) = Metric::of("records_lag_max").filter(|_| !sinks.is_empty()) else {
        return Ok(BTreeMap::new());
    };
    let groups = metrics.query(query(metric, sinks.clone(), grid)).await?;
    let mut lags = BTreeMap::new();
    for group in groups {
        let id = group
            .label(CONNECTOR_ID)
            .filter(|id| sinks.iter().any(|sink| sink == id));
        let mut curve = Curve::unknown(grid);
        curve.add(&group.sorted());
        // Values are late, some later than others.
        let latest = curve.points().last();
        if let (Some(id), Some(latest)) = (id, latest) {
            lags.insert(id.to_owned(), latest.value);
        }
    }
    Ok(lags)
}

fn query(metric: &Metric, connectors: Vec<String>, grid: Grid) -> QueryMetrics {
    let by = match metric.suffix {
        "connector_status" => vec![STATUS],
        "connector_task_status" => vec![TASK, STATUS],
        _ => Vec::new(),
    };
    QueryMetrics {
        metric: metric.name(),
        connectors,
        by,
        from: grid.from(),
        to: grid.to(),
        granularity: grid.granularity(),
        page: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_has_a_number_whatever_its_label_looks_like() {
        let numbers = ["0", "task-12", "lcc-8kq2zm-3", "", "x", "task-"].map(task_number);
        assert_eq!(numbers, [Some(0), Some(12), Some(3), None, None, None]);
    }

    #[test]
    fn everything_that_is_read_exists() {
        for suffix in READ {
            assert!(Metric::of(suffix).is_some(), "{suffix}");
        }
    }
}
