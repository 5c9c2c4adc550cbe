//! Decision tests with the numbers of docs/reference/quotas.md#counting-connectors.

use proptest::prelude::*;

use super::{
    decision::*,
    usage::{ClusterUsage, DepartmentUsage},
};
use crate::model::{DepartmentQuota, PlatformTeam};

// Department of the example in docs/files.md.
fn limits() -> DepartmentQuota {
    DepartmentQuota {
        connectors: 12,
        tasks: 20,
        tasks_per_connector: 4,
        plugins: vec!["PostgresSource".into(), "S3_SINK".into()],
        throughput: None,
    }
}

fn usage(connectors: u32, tasks: u32) -> DepartmentUsage {
    DepartmentUsage {
        connectors,
        tasks,
        ..DepartmentUsage::default()
    }
}

const CEILING: ClusterTaskLimit = ClusterTaskLimit {
    tasks: 250,
    reserve_percent: 10,
};

fn new(plugin: &str, tasks: u32) -> QuotaRequest<'_> {
    QuotaRequest {
        name: "claims-a",
        plugin,
        tasks,
        current: None,
    }
}

fn change(tasks: u32, now: u32) -> QuotaRequest<'static> {
    QuotaRequest {
        current: Some(CurrentConnector {
            tasks: now,
            plugin: "S3_SINK".into(),
        }),
        ..new("S3_SINK", tasks)
    }
}

fn decide_on(usage: &DepartmentUsage, cluster: ClusterUsage, request: &QuotaRequest<'_>) -> QuotaDecision {
    decide(&limits(), usage, cluster, CEILING, request, &PlatformTeam::default())
}

fn messages(decision: &QuotaDecision) -> Vec<&str> {
    decision.denials.iter().map(|denial| denial.message.as_str()).collect()
}

#[test]
fn a_request_up_to_the_limit_is_allowed_and_one_above_is_denied() {
    assert!(decide_on(&usage(5, 18), ClusterUsage::Unknown, &new("S3_SINK", 2)).allowed);
    let decision = decide_on(&usage(5, 18), ClusterUsage::Unknown, &new("S3_SINK", 3));
    assert_eq!(messages(&decision), ["tasks: 3 requested, 18 of 20 used, 2 left"]);
    assert_eq!(decision.denials[0].remedies[0], "Set `tasks.max` to at most 2.");
}

#[test]
fn every_exceeded_limit_is_reported_at_once() {
    let decision = decide_on(&usage(12, 20), ClusterUsage::Known(225), &new("HttpSink", 5));
    assert_eq!(
        messages(&decision),
        [
            "plugin `HttpSink` is not allowed",
            "tasks per connector: 5 requested, 4 allowed",
            "connectors: 1 requested, 12 of 12 used, 0 left",
            "tasks: 5 requested, 20 of 20 used, 0 left",
            "tasks of the cluster: 5 requested, 225 of 225 used, 0 left",
        ]
    );
    assert!(decision.denials.iter().all(|denial| !denial.remedies.is_empty()));
}

// An update counts by its difference, and a decrease is always allowed (docs/reference/quotas.md#counting-connectors).
#[test]
fn an_update_counts_by_its_difference_and_a_decrease_is_always_allowed() {
    assert!(decide_on(&usage(12, 18), ClusterUsage::Known(223), &change(4, 2)).allowed);
    assert!(!decide_on(&usage(12, 18), ClusterUsage::Known(224), &change(4, 2)).allowed);
    let mut over = limits();
    over.tasks = 1;
    over.tasks_per_connector = 1;
    over.plugins = vec![];
    assert!(
        decide(
            &over,
            &usage(12, 18),
            ClusterUsage::Known(999),
            CEILING,
            &change(3, 4),
            &PlatformTeam::default()
        )
        .allowed
    );
    assert!(
        decide(
            &over,
            &usage(12, 18),
            ClusterUsage::Known(999),
            CEILING,
            &change(4, 4),
            &PlatformTeam::default()
        )
        .allowed
    );
}

#[test]
fn unknown_usage_is_not_zero() {
    let decision = decide_on(&usage(1, 1), ClusterUsage::Unknown, &new("S3_SINK", 1));
    assert!(decision.allowed && decision.notes[0].contains("unknown"));
    let mut hidden = usage(1, 1);
    hidden.unreadable = vec!["claims-x".into()];
    let decision = decide_on(&hidden, ClusterUsage::Unknown, &new("S3_SINK", 1));
    assert!(!decision.allowed);
    assert!(decision.denials[0].message.contains("claims-x"));
}

// Used, limit and reserved tasks of the whole cluster.
#[test]
fn the_cluster_keeps_a_reserve() {
    let decision = decide_on(&usage(1, 1), ClusterUsage::Known(200), &new("S3_SINK", 2));
    let whole = decision.limits.last().unwrap();
    assert_eq!(
        (whole.used, whole.requested, whole.limit, whole.reserved),
        (Some(200), 2, 225, Some(25))
    );
    // A = floor(0.9 × C) (docs/reference/quotas.md#sharing-a-cluster).
    let ceiling = ClusterTaskLimit {
        tasks: 33,
        reserve_percent: 10,
    };
    assert_eq!((ceiling.allocatable(), ceiling.reserved()), (29, 4));
}

#[test]
fn the_largest_allowed_value_comes_from_the_tightest_limit_and_is_named_once() {
    let fits = |decision: QuotaDecision| decision.max_allowed_tasks;
    assert_eq!(
        fits(decide_on(&usage(1, 1), ClusterUsage::Unknown, &new("S3_SINK", 1))),
        Some(4)
    );
    assert_eq!(
        fits(decide_on(&usage(1, 17), ClusterUsage::Unknown, &new("S3_SINK", 1))),
        Some(3)
    );
    assert_eq!(
        fits(decide_on(&usage(1, 17), ClusterUsage::Known(223), &new("S3_SINK", 1))),
        Some(2)
    );
    assert_eq!(
        fits(decide_on(&usage(1, 20), ClusterUsage::Unknown, &new("S3_SINK", 1))),
        None
    );
    assert_eq!(
        fits(decide_on(&usage(12, 1), ClusterUsage::Unknown, &new("S3_SINK", 1))),
        None
    );
    assert_eq!(
        fits(decide_on(&usage(1, 1), ClusterUsage::Unknown, &new("HttpSink", 1))),
        None
    );
    assert_eq!(
        fits(decide_on(&usage(12, 30), ClusterUsage::Unknown, &change(9, 7))),
        Some(7)
    );
    let decision = decide_on(&usage(1, 17), ClusterUsage::Known(223), &new("S3_SINK", 5));
    let mut smaller: Vec<&String> = decision.denials.iter().flat_map(|denial| &denial.remedies).collect();
    smaller.retain(|remedy| remedy.starts_with("Set"));
    assert!(
        smaller.iter().all(|remedy| *remedy == "Set `tasks.max` to at most 2."),
        "{smaller:?}"
    );
}

/// Generates numbers around the limits and at the ends of the range.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0_u32..30, 2 => 215_u32..260, 1 => Just(u32::MAX), 1 => any::<u32>()]
}

#[derive(Clone, Debug)]
struct DecisionCase {
    limits: DepartmentQuota,
    usage: DepartmentUsage,
    cluster: ClusterUsage,
    ceiling: ClusterTaskLimit,
    tasks: u32,
    now: Option<u32>,
}

impl DecisionCase {
    fn decide(&self) -> QuotaDecision {
        self.decide_for(self.tasks)
    }

    fn decide_for(&self, tasks: u32) -> QuotaDecision {
        let request = QuotaRequest {
            name: "claims-a",
            plugin: "S3_SINK",
            tasks,
            current: self.now.map(|tasks| CurrentConnector {
                tasks,
                plugin: "S3_SINK".into(),
            }),
        };
        decide(
            &self.limits,
            &self.usage,
            self.cluster,
            self.ceiling,
            &request,
            &PlatformTeam::default(),
        )
    }

    fn grows(&self) -> bool {
        self.now.is_none_or(|now| self.tasks > now)
    }
}

fn case() -> impl Strategy<Value = DecisionCase> {
    let limits = (number(), number(), number(), any::<bool>()).prop_map(|(connectors, tasks, each, plugin)| {
        let plugins = if plugin { vec!["S3_SINK".into()] } else { Vec::new() };
        DepartmentQuota {
            connectors,
            tasks,
            tasks_per_connector: each,
            plugins,
            throughput: None,
        }
    });
    let used = (number(), number(), proptest::option::weighted(0.2, "claims-[a-z]")).prop_map(
        |(connectors, tasks, hidden)| DepartmentUsage {
            connectors,
            tasks,
            unreadable: hidden.into_iter().collect(),
            ..DepartmentUsage::default()
        },
    );
    let cluster = prop_oneof![Just(ClusterUsage::Unknown), number().prop_map(ClusterUsage::Known)];
    let ceiling =
        (number(), 0_u32..120).prop_map(|(tasks, reserve_percent)| ClusterTaskLimit { tasks, reserve_percent });
    let wanted = (1_u32..30, proptest::option::of(1_u32..30));
    (limits, used, cluster, ceiling, wanted).prop_map(|(limits, usage, cluster, ceiling, (tasks, now))| DecisionCase {
        limits,
        usage,
        cluster,
        ceiling,
        tasks,
        now,
    })
}

proptest! {
    // A request that adds nothing is always allowed, because a resume must never fail on a quota
    // (docs/reference/quotas.md#counting-connectors).
    #[test]
    fn a_request_that_adds_nothing_is_always_allowed(case in case()) {
        if !case.grows() {
            prop_assert!(case.decide().allowed, "{:?}", case.decide());
        }
    }

    // `allow(d, Δ) ⇔ U+Δ ≤ h ∧ …` (docs/reference/quotas.md#sharing-a-cluster).
    #[test]
    fn a_decision_matches_the_documented_formula(case in case()) {
        let delta = i64::from(case.tasks) - i64::from(case.now.unwrap_or(0));
        let within = |used: u32, limit: u32| i64::from(used) + delta <= i64::from(limit);
        let cluster = match case.cluster {
            ClusterUsage::Known(used) => within(used, case.ceiling.allocatable()),
            // Unknown usage is reported and does not deny.
            ClusterUsage::Unknown => true,
        };
        let grows = case.usage.unreadable.is_empty()
            && within(case.usage.tasks, case.limits.tasks)
            && cluster
            && case.tasks <= case.limits.tasks_per_connector;
        let new = case.now.is_some()
            || (case.limits.allows_plugin("S3_SINK") && case.usage.connectors < case.limits.connectors);
        prop_assert_eq!(case.decide().allowed, (delta <= 0 || grows) && new, "{:?}", case.decide());
    }

    #[test]
    fn a_smaller_request_is_allowed_wherever_a_larger_one_is(case in case()) {
        if case.decide().allowed {
            for tasks in 1..case.tasks {
                prop_assert!(case.decide_for(tasks).allowed);
            }
        }
    }

    #[test]
    fn the_largest_that_fits_is_allowed_and_the_next_is_not(case in case()) {
        match case.decide().max_allowed_tasks {
            Some(fits) => {
                prop_assert!(case.decide_for(fits).allowed);
                if let Some(next) = fits.checked_add(1) {
                    prop_assert!(!case.decide_for(next).allowed);
                }
            }
            None => prop_assert!(!case.decide_for(1).allowed),
        }
    }

    #[test]
    fn a_denial_has_a_message_and_remedies(case in case()) {
        let decision = case.decide();
        prop_assert_eq!(decision.allowed, decision.denials.is_empty());
        for denial in &decision.denials {
            prop_assert!(!denial.remedies.is_empty());
            for remedy in &denial.remedies {
                prop_assert!(remedy.ends_with('.'), "{}", remedy);
            }
        }
        if !decision.allowed {
            // Every denial suggests contacting the platform team or using another key.
            let remedies: Vec<_> = decision.denials.iter().flat_map(|denial| &denial.remedies).collect();
            prop_assert!(remedies.iter().any(|remedy| remedy.contains("platform team") || remedy.contains("Use a key")));
        }
    }

    // Unknown usage is not zero: it neither denies nor counts.
    #[test]
    fn unknown_cluster_usage_never_denies(case in case()) {
        let unknown = DecisionCase { cluster: ClusterUsage::Unknown, ..case };
        let decision = unknown.decide();
        prop_assert!(decision.denials.iter().all(|denial| denial.dimension != QuotaDimension::ClusterTasks));
        prop_assert_eq!(decision.limits.last().unwrap().used, None);
        if decision.allowed && unknown.grows() {
            prop_assert!(decision.notes.iter().any(|note| note.contains("unknown to this key")));
        }
    }
}
