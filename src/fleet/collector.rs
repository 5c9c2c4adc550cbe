//! Collects the connectors of several clusters and their departments.

use std::{cell::RefCell, collections::BTreeMap};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::{
    ConnectorCondition, StageNames,
    model::{ClusterListing, Fleet, OwnerDepartment, StageView},
};
use crate::{
    api::connect::{ClusterPath, ExpandedConnector},
    client::ClientError,
    clock::Clock,
    error::Error,
    manifest::Workspace,
    model::{Department, PlatformTeam},
    quota::ClusterTaskLimit,
    resources::{
        connector::{ConnectorClient, StateHistoryStore, state_history::connector_subject},
        metrics::{TimeBuckets, read_lags},
    },
    session::{self, ConnectorSession, RunContext},
};

/// Kafka cluster to observe.
#[derive(Clone, Debug)]
pub struct ClusterTarget {
    /// Stages of the cluster.
    pub stage: StageNames,
    /// Environment and cluster.
    pub cluster_path: ClusterPath,
    /// Task limit of the cluster.
    pub ceiling: ClusterTaskLimit,
}

/// Connectors of a cluster, or why they could not be listed.
pub type ConnectorListResult = Result<BTreeMap<String, ExpandedConnector>, ClientError>;

/// Collector of all selected clusters; can be used repeatedly.
pub struct FleetCollector {
    /// Session whose client reads the connectors.
    pub session: ConnectorSession,
    departments: CollectedDepartments,
    /// Clusters to read the connectors from.
    pub targets: Vec<ClusterTarget>,
    platform_team: PlatformTeam,
    /// Last lags of the sinks, which are requested less often than the connectors.
    cached_lags: RefCell<Option<(Timestamp, LagResult)>>,
}

/// Departments whose connectors are collected.
enum CollectedDepartments {
    /// The department of a profile, in the stage of the profile.
    Profile(OwnerDepartment),
    /// Departments of the platform, in all stages.
    Platform(Vec<Department>),
}

/// Lags by connector id, or why they are unknown.
type LagResult = Result<BTreeMap<String, f64>, String>;

/// Interval between requests for lags: values have a resolution of one minute, and clients with the same IP address
/// share 60 requests per minute (docs/reference/metrics.md#limits-and-delay).
const LAG_REFRESH_INTERVAL: SignedDuration = SignedDuration::from_mins(1);
/// Maximum age of the latest lag.
const LAG_LOOKBACK: SignedDuration = SignedDuration::from_mins(20);

impl FleetCollector {
    /// Opens a collector. With a profile, it covers the department in its stage; for the platform team, it covers all
    /// departments or the one of `--department`, in all stages or the one of `--stage`.
    pub fn open(run: &RunContext) -> Result<Self, Error> {
        let session = ConnectorSession::open(run)?;
        let own = ClusterTarget {
            stage: [session.stage.clone()].into_iter().collect(),
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
                departments: CollectedDepartments::Profile(owner),
                targets: vec![own],
                platform_team: department_context.platform_team.clone(),
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
            departments: CollectedDepartments::Platform(meant.cloned().collect()),
            targets: if one { vec![own] } else { cluster_targets(&workspace) },
            platform_team: workspace.platform.team.clone(),
            session,
            cached_lags: RefCell::default(),
        })
    }

    /// Returns the departments that may be onboarded in `stage`, with their quotas there. If several stages share the
    /// cluster, the first one decides.
    pub fn owners_in(&self, stage: &StageNames) -> Vec<OwnerDepartment> {
        let departments = match &self.departments {
            CollectedDepartments::Profile(owner) => return vec![owner.clone()],
            CollectedDepartments::Platform(departments) => departments,
        };
        // `--environment` and `--cluster` can select a stage that no file names.
        let owners = departments.iter().filter(|department| {
            stage.first().is_empty()
                || department
                    .stages
                    .as_ref()
                    .is_none_or(|stages| stages.iter().any(|allowed| stage.contains(allowed)))
        });
        owners
            .map(|department| OwnerDepartment {
                code: department.code.clone(),
                name: department.name.clone(),
                prefix: department.prefix.clone(),
                quota: department.quota_in(stage.first()).clone(),
            })
            .collect()
    }

    /// Clock of the session.
    pub fn clock(&self) -> &Clock {
        self.session.telemetry.clock()
    }

    /// Returns whether the collector covers a single department. The result must not reveal other departments then.
    pub fn is_single_department(&self) -> bool {
        self.session.department.is_some()
    }

    /// Returns the store of the state history of a cluster.
    pub fn state_history(&self, place: &ClusterPath) -> StateHistoryStore {
        StateHistoryStore::new(self.session.telemetry.state_dir(), place)
    }

    /// Lists the connectors of all clusters with one request each.
    ///
    /// # Errors
    /// Fails if no cluster could be listed.
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

    /// Lists the connectors and builds the fleet; for a single department also with the lags of its sinks.
    ///
    /// # Errors
    /// See [`FleetCollector::list`].
    pub async fn collect(&self) -> Result<Fleet, Error> {
        let mut fleet = self.build_fleet(&self.list().await?);
        // A single request cannot cover the sinks of all departments. No persona of a department may read metrics,
        // because access covers whole clusters (docs/reference/metrics.md#who-may-read-metrics).
        if self.is_single_department() && self.session.is_platform_scope {
            let sinks = fleet.sink_ids();
            if !sinks.is_empty() {
                fleet.set_lags(&self.fetch_lags(sinks).await);
            }
        }
        Ok(fleet)
    }

    async fn fetch_lags(&self, sinks: Vec<String>) -> LagResult {
        let now = self.clock().now();
        if let Some((at, lags)) = &*self.cached_lags.borrow()
            && now.duration_since(*at) < LAG_REFRESH_INTERVAL
        {
            return lags.clone();
        }
        let grid = TimeBuckets::for_range(now.saturating_sub(LAG_LOOKBACK).unwrap_or(Timestamp::MIN), now, now);
        // Lags are optional, so a pending rate limit is not waited for.
        let lags = match (grid, self.session.telemetry.metrics_no_retry()) {
            (_, Ok(metrics)) if !metrics.wait_time().is_zero() => {
                Err("the rate limit of the Metrics API is exhausted".to_owned())
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

    /// Builds the fleet from lists of connectors.
    fn build_fleet(&self, lists: &[ConnectorListResult]) -> Fleet {
        let now = self.clock().now();
        let stages = self.targets.iter().zip(lists).map(|(target, list)| {
            self.state_history(&target.cluster_path).update(now, |history| {
                let mut since = |id: &str, condition: ConnectorCondition| {
                    Some(history.record(&connector_subject(id), condition.as_str(), now))
                };
                let area = ClusterListing {
                    stage: &target.stage,
                    cluster_path: &target.cluster_path,
                    ceiling: target.ceiling,
                    list: list.as_ref().map_err(Into::into),
                };
                let owners = self.owners_in(&target.stage);
                StageView::from_listing(area, &owners, self.is_single_department(), &mut since)
            })
        });
        let stages = stages.collect();
        let department = self
            .session
            .department
            .as_ref()
            .map(|department_context| department_context.code.clone());
        Fleet::new(now, department, stages, self.platform_team.clone())
    }
}

/// Returns the clusters of all stages, each one once: the default stage first, then by name.
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
            Some(known) => known.stage.push(name),
            None => target.push(ClusterTarget {
                stage: [name].into_iter().collect(),
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
