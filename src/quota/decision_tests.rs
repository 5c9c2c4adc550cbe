//! The decision, by the numbers of dossier `quotas.md` §5.

use proptest::prelude::*;

use super::{
    decision::*,
    usage::{ClusterUse, Usage},
};
use crate::model::DepartmentQuota;

// The department of design §4.
fn limits() -> DepartmentQuota {
    DepartmentQuota {
        connectors: 12,
        tasks: 20,
        tasks_per_connector: 4,
        plugins: vec!["PostgresSource".into(), "S3_SINK".into()],
    }
}

fn usage(connectors: u32, tasks: u32) -> Usage {
    Usage {
        connectors,
        tasks,
        ..Usage::default()
    }
}

const CEILING: Ceiling = Ceiling {
    tasks: 250,
    reserve_percent: 10,
};

fn new(plugin: &str, tasks: u32) -> Request<'_> {
    Request {
        name: "claims-a",
        plugin,
        tasks,
        current: None,
    }
}

fn change(tasks: u32, now: u32) -> Request<'static> {
    Request {
        current: Some(Current {
            tasks: now,
            plugin: "S3_SINK".into(),
        }),
        ..new("S3_SINK", tasks)
    }
}

fn decide_on(usage: &Usage, cluster: ClusterUse, request: &Request<'_>) -> Decision {
    decide(&limits(), usage, cluster, CEILING, request)
}

fn messages(decision: &Decision) -> Vec<&str> {
    decision.denials.iter().map(|denial| denial.message.as_str()).collect()
}

#[test]
fn the_last_task_fits_and_the_next_does_not() {
    assert!(decide_on(&usage(5, 18), ClusterUse::Unknown, &new("S3_SINK", 2)).allowed);
    let decision = decide_on(&usage(5, 18), ClusterUse::Unknown, &new("S3_SINK", 3));
    assert_eq!(messages(&decision), ["tasks: 3 requested, 18 of 20 used, 2 left"]);
    assert_eq!(decision.denials[0].remedies[0], "Set `tasks.max` to 2 or less.");
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let decision = decide_on(&usage(12, 20), ClusterUse::Known(225), &new("HttpSink", 5));
    assert_eq!(
        messages(&decision),
        [
            "plugin `HttpSink` is not among those that may be used",
            "tasks per connector: 5 requested, 4 allowed",
            "connectors: 1 requested, 12 of 12 used, 0 left",
            "tasks: 5 requested, 20 of 20 used, 0 left",
            "tasks of the cluster: 5 requested, 225 of 225 used, 0 left",
        ]
    );
    assert!(decision.denials.iter().all(|denial| !denial.remedies.is_empty()));
}

// Dossier `quotas.md` §5.2: update is Δ, lowering is always allowed.
#[test]
fn a_change_counts_by_its_difference_and_less_is_always_allowed() {
    assert!(decide_on(&usage(12, 18), ClusterUse::Known(223), &change(4, 2)).allowed);
    assert!(!decide_on(&usage(12, 18), ClusterUse::Known(224), &change(4, 2)).allowed);
    let mut over = limits();
    over.tasks = 1;
    over.tasks_per_connector = 1;
    over.plugins = vec![];
    assert!(decide(&over, &usage(12, 18), ClusterUse::Known(999), CEILING, &change(3, 4)).allowed);
    assert!(decide(&over, &usage(12, 18), ClusterUse::Known(999), CEILING, &change(4, 4)).allowed);
}

#[test]
fn unknown_is_not_zero() {
    let decision = decide_on(&usage(1, 1), ClusterUse::Unknown, &new("S3_SINK", 1));
    assert!(decision.allowed && decision.notes[0].contains("not known"));
    let mut hidden = usage(1, 1);
    hidden.unreadable = vec!["claims-x".into()];
    let decision = decide_on(&hidden, ClusterUse::Unknown, &new("S3_SINK", 1));
    assert!(!decision.allowed);
    assert!(decision.denials[0].message.contains("claims-x"));
}

// The three numbers of the whole cluster and what is kept free of it (issue: "what is reserved").
#[test]
fn the_cluster_keeps_a_reserve() {
    let decision = decide_on(&usage(1, 1), ClusterUse::Known(200), &new("S3_SINK", 2));
    let whole = decision.rooms.last().unwrap();
    assert_eq!(
        (whole.used, whole.requested, whole.limit, whole.reserved),
        (Some(200), 2, 225, Some(25))
    );
    // Dossier `quotas.md` §5.3: A = floor(0.9 × C).
    let ceiling = Ceiling {
        tasks: 33,
        reserve_percent: 10,
    };
    assert_eq!((ceiling.allocatable(), ceiling.reserved()), (29, 4));
}

#[test]
fn what_would_fit_is_said_once_and_by_the_tightest_limit() {
    let fits = |decision: Decision| decision.fits;
    assert_eq!(
        fits(decide_on(&usage(1, 1), ClusterUse::Unknown, &new("S3_SINK", 1))),
        Some(4)
    );
    assert_eq!(
        fits(decide_on(&usage(1, 17), ClusterUse::Unknown, &new("S3_SINK", 1))),
        Some(3)
    );
    assert_eq!(
        fits(decide_on(&usage(1, 17), ClusterUse::Known(223), &new("S3_SINK", 1))),
        Some(2)
    );
    assert_eq!(
        fits(decide_on(&usage(1, 20), ClusterUse::Unknown, &new("S3_SINK", 1))),
        None
    );
    assert_eq!(
        fits(decide_on(&usage(12, 1), ClusterUse::Unknown, &new("S3_SINK", 1))),
        None
    );
    assert_eq!(
        fits(decide_on(&usage(1, 1), ClusterUse::Unknown, &new("HttpSink", 1))),
        None
    );
    assert_eq!(
        fits(decide_on(&usage(12, 30), ClusterUse::Unknown, &change(9, 7))),
        Some(7)
    );
    let decision = decide_on(&usage(1, 17), ClusterUse::Known(223), &new("S3_SINK", 5));
    let mut smaller: Vec<&String> = decision.denials.iter().flat_map(|denial| &denial.remedies).collect();
    smaller.retain(|remedy| remedy.starts_with("Set"));
    assert!(
        smaller.iter().all(|remedy| *remedy == "Set `tasks.max` to 2 or less."),
        "{smaller:?}"
    );
}

/// Numbers around the limits, and at the ends of what a number can be.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0_u32..30, 2 => 215_u32..260, 1 => Just(u32::MAX), 1 => any::<u32>()]
}

#[derive(Clone, Debug)]
struct Case {
    limits: DepartmentQuota,
    usage: Usage,
    cluster: ClusterUse,
    ceiling: Ceiling,
    tasks: u32,
    now: Option<u32>,
}

impl Case {
    fn decide(&self) -> Decision {
        self.decide_for(self.tasks)
    }

    fn decide_for(&self, tasks: u32) -> Decision {
        let request = Request {
            name: "claims-a",
            plugin: "S3_SINK",
            tasks,
            current: self.now.map(|tasks| Current {
                tasks,
                plugin: "S3_SINK".into(),
            }),
        };
        decide(&self.limits, &self.usage, self.cluster, self.ceiling, &request)
    }

    fn grows(&self) -> bool {
        self.now.is_none_or(|now| self.tasks > now)
    }
}

fn case() -> impl Strategy<Value = Case> {
    let limits = (number(), number(), number(), any::<bool>()).prop_map(|(connectors, tasks, each, plugin)| {
        let plugins = if plugin { vec!["S3_SINK".into()] } else { Vec::new() };
        DepartmentQuota {
            connectors,
            tasks,
            tasks_per_connector: each,
            plugins,
        }
    });
    let used = (number(), number(), proptest::option::weighted(0.2, "claims-[a-z]")).prop_map(
        |(connectors, tasks, hidden)| Usage {
            connectors,
            tasks,
            unreadable: hidden.into_iter().collect(),
            ..Usage::default()
        },
    );
    let cluster = prop_oneof![Just(ClusterUse::Unknown), number().prop_map(ClusterUse::Known)];
    let ceiling = (number(), 0_u32..120).prop_map(|(tasks, reserve_percent)| Ceiling { tasks, reserve_percent });
    let wanted = (1_u32..30, proptest::option::of(1_u32..30));
    (limits, used, cluster, ceiling, wanted).prop_map(|(limits, usage, cluster, ceiling, (tasks, now))| Case {
        limits,
        usage,
        cluster,
        ceiling,
        tasks,
        now,
    })
}

proptest! {
    // Dossier `quotas.md` §5.2: less, and the same, is always allowed: a resume must never fail on a quota.
    #[test]
    fn what_does_not_grow_is_allowed_whatever_the_limits(case in case()) {
        if !case.grows() {
            prop_assert!(case.decide().allowed, "{:?}", case.decide());
        }
    }

    // `allow(d, Δ) ⇔ U+Δ ≤ h ∧ …` (dossier `quotas.md` §5.3), in the words of the dossier.
    #[test]
    fn it_is_the_formula_of_the_dossier(case in case()) {
        let delta = i64::from(case.tasks) - i64::from(case.now.unwrap_or(0));
        let within = |used: u32, limit: u32| i64::from(used) + delta <= i64::from(limit);
        let cluster = match case.cluster {
            ClusterUse::Known(used) => within(used, case.ceiling.allocatable()),
            // Unknown is said, not refused.
            ClusterUse::Unknown => true,
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
    fn asking_for_less_is_never_refused_where_more_is_allowed(case in case()) {
        if case.decide().allowed {
            for tasks in 1..case.tasks {
                prop_assert!(case.decide_for(tasks).allowed);
            }
        }
    }

    #[test]
    fn the_largest_that_fits_is_allowed_and_the_next_is_not(case in case()) {
        match case.decide().fits {
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
    fn a_refusal_says_why_and_what_to_do(case in case()) {
        let decision = case.decide();
        prop_assert_eq!(decision.allowed, decision.denials.is_empty());
        for denial in &decision.denials {
            prop_assert!(!denial.remedies.is_empty());
            for remedy in &denial.remedies {
                prop_assert!(remedy.ends_with('.'), "{}", remedy);
            }
        }
        if !decision.allowed {
            // Somebody can always be asked, or another key used.
            let remedies: Vec<_> = decision.denials.iter().flat_map(|denial| &denial.remedies).collect();
            prop_assert!(remedies.iter().any(|remedy| remedy.contains("platform team") || remedy.contains("Use a key")));
        }
    }

    // Unknown is not zero: it neither refuses nor counts.
    #[test]
    fn an_unknown_cluster_never_refuses(case in case()) {
        let unknown = Case { cluster: ClusterUse::Unknown, ..case };
        let decision = unknown.decide();
        prop_assert!(decision.denials.iter().all(|denial| denial.dimension != Dimension::ClusterTasks));
        prop_assert_eq!(decision.rooms.last().unwrap().used, None);
        if decision.allowed && unknown.grows() {
            prop_assert!(decision.notes.iter().any(|note| note.contains("not known to this key")));
        }
    }
}
