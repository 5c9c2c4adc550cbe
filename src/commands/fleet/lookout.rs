//! Where to look, and for whom.

use std::{cell::RefCell, collections::BTreeMap};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::{
    DepartmentSession,
    condition::Condition,
    model::{Area, Fleet, Owner, StageView},
    sightings::Notebook,
};
use crate::{
    api::connect::{Expanded, Place},
    client::ClientError,
    clock::Clock,
    commands::{Ctx, session},
    error::{Error, ErrorKind},
    manifest::Workspace,
    model::Department,
    quota::Ceiling,
    resources::{
        connector::Connectors,
        metrics::{Grid, lags},
    },
};

/// One cluster that is looked at.
#[derive(Clone, Debug)]
pub(in crate::commands) struct Watched {
    /// The stage, or all that share the cluster.
    pub(in crate::commands) stage: String,
    /// Where it is.
    pub(in crate::commands) place: Place,
    /// What it may run.
    pub(in crate::commands) ceiling: Ceiling,
}

/// A cluster as its list showed it.
pub(in crate::commands) type Listed = Result<BTreeMap<String, Expanded>, ClientError>;

/// Looks at all clusters that are meant, as often as it is asked to.
pub(in crate::commands) struct Lookout {
    /// The way there.
    pub(in crate::commands) session: DepartmentSession,
    /// Whose connectors are looked for.
    pub(in crate::commands) owners: Vec<Owner>,
    /// The clusters.
    pub(in crate::commands) watched: Vec<Watched>,
    /// How far sinks were behind when it was asked last, which is not asked at every look.
    lags: RefCell<Option<(Timestamp, Lags)>>,
}

/// By id; or why it is not known.
type Lags = Result<BTreeMap<String, f64>, String>;

/// Values come by the minute, and all who share an address share a limit of 60 requests in one (dossier `metrics.md` §5).
const MEASURE_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// How far back the latest value may lie.
const MEASURE_BACK: SignedDuration = SignedDuration::from_mins(20);

impl Lookout {
    /// With a profile: its department, in its stage. As the platform team: all departments, or the one of `--department`,
    /// in all stages, or the one of `--stage`.
    pub(in crate::commands) fn open(ctx: &Ctx) -> Result<Self, Error> {
        let session = DepartmentSession::open(ctx)?;
        let own = Watched {
            stage: session.stage.clone(),
            place: session.connectors.place.clone(),
            ceiling: session.ceiling,
        };
        if let (Some(tenant), false) = (&session.tenant, session.sees_all) {
            let owner = Owner {
                code: tenant.code.clone(),
                name: tenant.code.to_string(),
                prefix: tenant.prefix.clone(),
                quota: tenant.quota.clone(),
            };
            return Ok(Self {
                owners: vec![owner],
                watched: vec![own],
                session,
                lags: RefCell::default(),
            });
        }
        let workspace = session::workspace(ctx.globals.is_sandbox())?.workspace;
        let tenant = session.tenant.as_ref().map(|tenant| &tenant.code);
        let meant = workspace
            .departments()
            .filter(|department| tenant.map_or(department.retired.is_none(), |code| *code == department.code));
        let globals = &ctx.globals;
        let one = globals.stage.is_some() || globals.environment.is_some() || globals.cluster.is_some();
        Ok(Self {
            owners: meant.map(owner).collect(),
            watched: if one { vec![own] } else { stages(&workspace) },
            session,
            lags: RefCell::default(),
        })
    }

    /// Time, as connectors tell it.
    pub(in crate::commands) fn clock(&self) -> &Clock {
        self.session.observers.clock()
    }

    /// Whether one department is meant, of which nothing of others may be told.
    pub(in crate::commands) fn is_for_one(&self) -> bool {
        self.session.tenant.is_some()
    }

    /// Where it is remembered what was seen of a cluster.
    pub(in crate::commands) fn notebook(&self, place: &Place) -> Notebook {
        Notebook::of(self.session.observers.folder(), place)
    }

    /// Lists the connectors of all clusters, one request for each.
    ///
    /// # Errors
    /// When none could be listed.
    pub(in crate::commands) async fn list(&self) -> Result<Vec<Listed>, Error> {
        let connectors = |watched: &Watched| Connectors {
            place: watched.place.clone(),
            ..self.session.connectors.clone()
        };
        let lists = self.watched.iter().map(|watched| {
            let connectors = connectors(watched);
            async move { connectors.list().await }
        });
        let mut lists: Vec<Listed> = join_all(lists).await;
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
    /// As [`Lookout::list`].
    pub(in crate::commands) async fn look(&self) -> Result<(Vec<Listed>, Fleet), Error> {
        let lists = self.list().await?;
        let mut fleet = self.fleet(&lists);
        // Whoever sees all departments has more sinks than one question can name. No persona of a department may ask:
        // metrics are for whole clusters (dossier `metrics.md` §6).
        if self.is_for_one() && self.session.sees_all {
            let sinks = fleet.sinks();
            if !sinks.is_empty() {
                fleet.measured(&self.lags(sinks).await);
            }
        }
        Ok((lists, fleet))
    }

    async fn lags(&self, sinks: Vec<String>) -> Lags {
        let now = self.clock().now();
        if let Some((at, lags)) = &*self.lags.borrow()
            && now.duration_since(*at) < MEASURE_EVERY
        {
            return lags.clone();
        }
        let grid = Grid::of(now.saturating_sub(MEASURE_BACK).unwrap_or(Timestamp::MIN), now, now);
        // States are there already: nobody waits for what is an extra.
        let lags = match (grid, self.session.observers.metrics_at_once()) {
            (_, Ok(metrics)) if !metrics.wait().is_zero() => {
                Err("the requests that the Metrics API allows this address within a minute are used up".to_owned())
            }
            (Some(grid), Ok(metrics)) => lags(&metrics, sinks, grid).await.map_err(|error| error.to_string()),
            (None, _) => Ok(BTreeMap::new()),
            (_, Err(error)) => Err(error.to_string()),
        };
        *self.lags.borrow_mut() = Some((now, lags.clone()));
        lags
    }

    /// The fleet that these lists show.
    fn fleet(&self, lists: &[Listed]) -> Fleet {
        let now = self.clock().now();
        let stages = self.watched.iter().zip(lists).map(|(watched, list)| {
            self.notebook(&watched.place).with(now, |sightings| {
                let mut since = |id: &str, condition: Condition| {
                    Some(sightings.see(&format!("connector {id}"), condition.word(), now))
                };
                let area = Area {
                    stage: &watched.stage,
                    place: &watched.place,
                    ceiling: watched.ceiling,
                    list: list.as_ref().map_err(ToString::to_string),
                };
                StageView::of(area, &self.owners, self.is_for_one(), &mut since)
            })
        });
        let stages = stages.collect();
        let department = self.session.tenant.as_ref().map(|tenant| tenant.code.clone());
        Fleet::of(now, department, stages)
    }
}

/// What is to be said of stages that could not be looked at, or not again, when nothing is worse than that.
pub(in crate::commands) fn unseen(lists: &[Listed], fleet: &Fleet) -> Option<Error> {
    if let Some(outdated) = &fleet.outdated {
        let mut error = Error::new(
            outdated.kind,
            format!("could not look again after {}: {}", fleet.time(), outdated.why),
        );
        error.hints.clone_from(&outdated.hints);
        return Some(error);
    }
    let failures: Vec<&ClientError> = lists.iter().filter_map(|list| list.as_ref().err()).collect();
    let denied = failures
        .iter()
        .any(|error| error.is_forbidden() || error.is_unauthorized());
    let (stage, why) = fleet.unseen().next()?;
    let kind = if denied { ErrorKind::Denied } else { ErrorKind::Failed };
    Some(Error::new(kind, format!("stage {stage} could not be looked at: {why}")))
}

fn owner(department: &Department) -> Owner {
    Owner {
        code: department.code.clone(),
        name: department.name.clone(),
        prefix: department.prefix.clone(),
        quota: department.quota.clone(),
    }
}

/// The clusters of all stages, each once: the default stage first, then by name.
fn stages(workspace: &Workspace) -> Vec<Watched> {
    let platform = &workspace.platform;
    let mut names: Vec<&String> = platform.stages.keys().collect();
    names.sort_by_key(|name| (**name != platform.default_stage, *name));
    let mut watched: Vec<Watched> = Vec::new();
    for name in names {
        let stage = &platform.stages[name];
        let place = Place {
            environment: stage.environment.clone(),
            cluster: stage.cluster.clone(),
        };
        match watched.iter_mut().find(|known| known.place == place) {
            // Whose connectors these are the names do not say.
            Some(known) => known.stage = format!("{}, {name}", known.stage),
            None => watched.push(Watched {
                stage: name.clone(),
                place,
                ceiling: Ceiling {
                    tasks: stage.task_ceiling,
                    reserve_percent: stage.reserve_percent,
                },
            }),
        }
    }
    watched
}
