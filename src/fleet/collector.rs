//! Where to look, and for whom.

use std::{cell::RefCell, collections::BTreeMap};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::{
    condition::ConnectorCondition,
    model::{ClusterListing, Fleet, OwnerDepartment, StageView},
    state_history::StateHistoryStore,
};
use crate::{
    api::connect::{ClusterPath, ExpandedConnector},
    client::ClientError,
    clock::Clock,
    error::{Error, ErrorKind},
    manifest::Workspace,
    model::Department,
    quota::ClusterTaskLimit,
    resources::{
        connector::ConnectorClient,
        metrics::{TimeBuckets, read_lags},
    },
    session::{self, ConnectorSession, RunContext},
};

/// One cluster that is looked at.
#[derive(Clone, Debug)]
pub struct ClusterTarget {
    /// The stage, or all that share the cluster.
    pub stage: String,
    /// Where it is.
    pub cluster_path: ClusterPath,
    /// What it may run.
    pub ceiling: ClusterTaskLimit,
}

/// A cluster as its list showed it.
pub type ConnectorListResult = Result<BTreeMap<String, ExpandedConnector>, ClientError>;

/// Looks at all clusters that are meant, as often as it is asked to.
pub struct FleetCollector {
    /// The way there.
    pub session: ConnectorSession,
    /// Whose connectors are looked for.
    pub owners: Vec<OwnerDepartment>,
    /// The clusters.
    pub targets: Vec<ClusterTarget>,
    /// How far sinks were behind when it was asked last, which is not asked at every look.
    cached_lags: RefCell<Option<(Timestamp, LagResult)>>,
}

/// By id; or why it is not known.
type LagResult = Result<BTreeMap<String, f64>, String>;

/// Values come by the minute, and all who share an address share a limit of 60 requests in one
/// (docs/reference/metrics.md#limits-and-delay).
const LAG_REFRESH_INTERVAL: SignedDuration = SignedDuration::from_mins(1);
/// How far back the latest value may lie.
const LAG_LOOKBACK: SignedDuration = SignedDuration::from_mins(20);

impl FleetCollector {
    /// With a profile: its department, in its stage. As the platform team: all departments, or the one of `--department`,
    /// in all stages, or the one of `--stage`.
    pub fn open(run: &RunContext) -> Result<Self, Error> {
        let session = ConnectorSession::open(run)?;
        let own = ClusterTarget {
            stage: session.stage.clone(),
            cluster_path: session.connectors.cluster_path.clone(),
            ceiling: session.task_ceiling,
        };
        if let (Some(department_context), false) = (&session.department, session.is_platform_scope) {
            let owner = OwnerDepartment {
                code: department_context.code.clone(),
                name: department_context.code.to_string(),
                prefix: department_context.prefix.clone(),
                quota: department_context.quota.clone(),
            };
            return Ok(Self {
                owners: vec![owner],
                targets: vec![own],
                session,
                cached_lags: RefCell::default(),
            });
        }
        let workspace = session::load_workspace(run, run.options.is_sandbox())?.workspace;
        let department_context = session
            .department
            .as_ref()
            .map(|department_context| &department_context.code);
        let meant = workspace.departments().filter(|department| {
            department_context.map_or(department.retired.is_none(), |code| *code == department.code)
        });
        let options = &run.options;
        let one = options.stage.is_some() || options.environment.is_some() || options.cluster.is_some();
        Ok(Self {
            owners: meant.map(owner_department).collect(),
            targets: if one { vec![own] } else { cluster_targets(&workspace) },
            session,
            cached_lags: RefCell::default(),
        })
    }

    /// Time, as connectors tell it.
    pub fn clock(&self) -> &Clock {
        self.session.telemetry.clock()
    }

    /// Whether one department is meant, of which nothing of others may be told.
    pub fn is_single_department(&self) -> bool {
        self.session.department.is_some()
    }

    /// Where it is remembered what was seen of a cluster.
    pub fn state_history(&self, place: &ClusterPath) -> StateHistoryStore {
        StateHistoryStore::new(self.session.telemetry.state_dir(), place)
    }

    /// Lists the connectors of all clusters, one request for each.
    ///
    /// # Errors
    /// When none could be listed.
    pub async fn list(&self) -> Result<Vec<ConnectorListResult>, Error> {
        let connectors = |target: &ClusterTarget| ConnectorClient {
            cluster_path: target.cluster_path.clone(),
            ..self.session.connectors.clone()
        };
        let lists = self.targets.iter().map(|target| {
            let connectors = connectors(target);
            async move { connectors.list().await }
        });
        let mut lists: Vec<ConnectorListResult> = join_all(lists).await;
        if lists.iter().all(Result::is_err)
            && let Some(Err(error)) = lists.pop()
        {
            return Err(error.into());
        }
        Ok(lists)
    }

    /// Lists the connectors, and makes a fleet of them: of one department also how far its sinks are behind.
    ///
    /// # Errors
    /// As [`FleetCollector::list`].
    pub async fn collect(&self) -> Result<(Vec<ConnectorListResult>, Fleet), Error> {
        let lists = self.list().await?;
        let mut fleet = self.build_fleet(&lists);
        // Whoever sees all departments has more sinks than one question can name. No persona of a department may ask:
        // metrics are for whole clusters (docs/reference/metrics.md#who-may-read-metrics).
        if self.is_single_department() && self.session.is_platform_scope {
            let sinks = fleet.sink_ids();
            if !sinks.is_empty() {
                fleet.set_lags(&self.fetch_lags(sinks).await);
            }
        }
        Ok((lists, fleet))
    }

    async fn fetch_lags(&self, sinks: Vec<String>) -> LagResult {
        let now = self.clock().now();
        if let Some((at, lags)) = &*self.cached_lags.borrow()
            && now.duration_since(*at) < LAG_REFRESH_INTERVAL
        {
            return lags.clone();
        }
        let grid = TimeBuckets::for_range(now.saturating_sub(LAG_LOOKBACK).unwrap_or(Timestamp::MIN), now, now);
        // States are there already: nobody waits for what is an extra.
        let lags = match (grid, self.session.telemetry.metrics_no_retry()) {
            (_, Ok(metrics)) if !metrics.wait_time().is_zero() => {
                Err("the requests that the Metrics API allows this address within a minute are used up".to_owned())
            }
            (Some(grid), Ok(metrics)) => read_lags(&metrics, sinks, grid)
                .await
                .map_err(|error| error.to_string()),
            (None, _) => Ok(BTreeMap::new()),
            (_, Err(error)) => Err(error.to_string()),
        };
        *self.cached_lags.borrow_mut() = Some((now, lags.clone()));
        lags
    }

    /// The fleet that these lists show.
    fn build_fleet(&self, lists: &[ConnectorListResult]) -> Fleet {
        let now = self.clock().now();
        let stages = self.targets.iter().zip(lists).map(|(target, list)| {
            self.state_history(&target.cluster_path).update(now, |history| {
                let mut since = |id: &str, condition: ConnectorCondition| {
                    Some(history.record(&format!("connector {id}"), condition.as_str(), now))
                };
                let area = ClusterListing {
                    stage: &target.stage,
                    cluster_path: &target.cluster_path,
                    ceiling: target.ceiling,
                    list: list.as_ref().map_err(ToString::to_string),
                };
                StageView::from_listing(area, &self.owners, self.is_single_department(), &mut since)
            })
        });
        let stages = stages.collect();
        let department = self
            .session
            .department
            .as_ref()
            .map(|department_context| department_context.code.clone());
        Fleet::new(now, department, stages)
    }
}

/// What is to be said of stages that could not be looked at, or not again, when nothing is worse than that.
pub fn incomplete_error(lists: &[ConnectorListResult], fleet: &Fleet) -> Option<Error> {
    if let Some(outdated) = &fleet.stale {
        let mut error = Error::new(
            outdated.kind,
            format!(
                "could not look again after {}: {}",
                fleet.taken_at_text(),
                outdated.reason
            ),
        );
        error.hints.clone_from(&outdated.hints);
        return Some(error);
    }
    let failures: Vec<&ClientError> = lists.iter().filter_map(|list| list.as_ref().err()).collect();
    let denied = failures
        .iter()
        .any(|error| error.is_forbidden() || error.is_unauthorized());
    let (stage, why) = fleet.unobserved_stages().next()?;
    let kind = if denied { ErrorKind::Denied } else { ErrorKind::Failed };
    Some(Error::new(kind, format!("stage {stage} could not be looked at: {why}")))
}

fn owner_department(department: &Department) -> OwnerDepartment {
    OwnerDepartment {
        code: department.code.clone(),
        name: department.name.clone(),
        prefix: department.prefix.clone(),
        quota: department.quota.clone(),
    }
}

/// The clusters of all stages, each once: the default stage first, then by name.
fn cluster_targets(workspace: &Workspace) -> Vec<ClusterTarget> {
    let platform = &workspace.platform;
    let mut names: Vec<&String> = platform.stages.keys().collect();
    names.sort_by_key(|name| (**name != platform.default_stage, *name));
    let mut target: Vec<ClusterTarget> = Vec::new();
    for name in names {
        let stage = &platform.stages[name];
        let place = ClusterPath {
            environment: stage.environment.clone(),
            cluster: stage.cluster.clone(),
        };
        match target.iter_mut().find(|known| known.cluster_path == place) {
            // Whose connectors these are the names do not say.
            Some(known) => known.stage = format!("{}, {name}", known.stage),
            None => target.push(ClusterTarget {
                stage: name.clone(),
                cluster_path: place,
                ceiling: ClusterTaskLimit {
                    tasks: stage.task_ceiling,
                    reserve_percent: stage.reserve_percent,
                },
            }),
        }
    }
    target
}
