//! Overlaps: names on which two departments hold grants, found by one sweep over the sorted patterns.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    AccessGrant, OperationSet,
    shared_names::{SHARED_NAMES, SharedName, shared_name_for, tolerated_operations},
};
use crate::model::{NamePattern, ResourceKind, RoleBinding};

/// A grant that acts for a department.
#[derive(Clone, Debug)]
pub(super) struct DepartmentGrant {
    /// Index of the department.
    pub(super) department: usize,
    pub(super) grant: AccessGrant,
    pub(super) controlled_through: Option<Arc<RoleBinding>>,
    /// Allowed operations on its pattern; `None` for none, an empty set if they are unknown.
    pub(super) operations: Option<OperationSet>,
}

impl DepartmentGrant {
    pub(super) fn new(party: usize, held: AccessGrant, through: Option<Arc<RoleBinding>>) -> Self {
        let operations = held.worst_case_operations(held.pattern().kind());
        Self {
            department: party,
            grant: held,
            controlled_through: through,
            operations,
        }
    }

    /// Whether it allows more than the tolerated operations on shared names.
    pub(super) fn exceeds_tolerated(&self) -> bool {
        let shared = tolerated_operations(self.grant.pattern().kind());
        self.operations
            .is_some_and(|set| set.is_empty() || !set.difference(shared).is_empty())
    }
}

/// Two grants of different departments with a common name.
#[derive(Debug)]
pub(super) struct Overlap {
    pub(super) grant: DepartmentGrant,
    pub(super) other_department: usize,
}

#[derive(Debug, Default)]
pub(super) struct OverlapReport {
    pub(super) overlaps: Vec<Overlap>,
    pub(super) shared_names: Vec<SharedName>,
}

/// Stack frame of the sweep: the pattern of all names that begin with `stem`, or exactly `stem`.
struct SweepFrame<'a> {
    stem: &'a str,
    literal: bool,
    /// Departments that hold grants on this pattern or on one that covers it.
    departments: DepartmentPair,
}

/// Up to two departments; two are enough to find one that differs from any third.
type DepartmentPair = [Option<usize>; 2];

fn add_department(parties: &mut DepartmentPair, party: usize) {
    if !parties.contains(&Some(party))
        && let Some(free) = parties.iter_mut().find(|party| party.is_none())
    {
        *free = Some(party);
    }
}

fn different_department(parties: DepartmentPair, party: usize) -> Option<usize> {
    parties.into_iter().flatten().find(|&other| other != party)
}

impl SweepFrame<'_> {
    fn reaches(&self, stem: &str) -> bool {
        if self.literal {
            self.stem == stem
        } else {
            stem.starts_with(self.stem)
        }
    }
}

/// Finds all grants that share a name with a preceding grant of another department. Patterns are sorted by name, so all
/// patterns that cover a given one precede it and are on the stack.
pub(super) fn find_overlaps(grants: &[DepartmentGrant]) -> OverlapReport {
    let mut families: BTreeMap<String, Vec<&DepartmentGrant>> = BTreeMap::new();
    for one in grants {
        let scope = one.grant.pattern().kind() < ResourceKind::Topic;
        // Scopes are shared by design; the reach of a grant on a scope is checked by name.
        if !scope && one.operations.is_some() {
            families.entry(pattern_family(one)).or_default().push(one);
        }
    }
    let mut report = OverlapReport::default();
    let mut tally: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for members in families.values_mut() {
        find_family_overlaps(members, &mut report, &mut tally);
    }
    report.shared_names = tally
        .into_iter()
        .filter(|(_, parties)| parties.len() > 1)
        .map(|(index, parties)| SharedName {
            kind: SHARED_NAMES[index].0,
            begins: SHARED_NAMES[index].1,
            departments: parties.len(),
        })
        .collect();
    report
}

/// Returns the pattern without its name. Patterns with different results have no name in common.
fn pattern_family(one: &DepartmentGrant) -> String {
    let mut text = one.grant.pattern().to_string();
    let name = one.grant.pattern().name().to_string().len();
    text.truncate(text.len() - name);
    text
}

/// Returns the index of the shared name that `one` lies within.
fn shared_name_of(one: &DepartmentGrant) -> Option<usize> {
    let pattern = one.grant.pattern();
    shared_name_for(pattern.kind(), pattern.name())
}

fn sort_key(one: &DepartmentGrant) -> (&str, bool) {
    let name = one.grant.pattern().name();
    (name.stem(), matches!(name, NamePattern::Literal(_)))
}

fn find_family_overlaps<'a>(
    members: &mut [&'a DepartmentGrant],
    report: &mut OverlapReport,
    tally: &mut BTreeMap<usize, BTreeSet<usize>>,
) {
    members.sort_by_key(|one| sort_key(one));
    let mut exposed: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut within: Vec<&DepartmentGrant> = Vec::new();
    let mut stack: Vec<SweepFrame<'a>> = Vec::new();
    for &one in &*members {
        if let Some(index) = shared_name_of(one) {
            exposed.entry(index).or_default().insert(one.department);
            within.push(one);
            continue;
        }
        let (stem, literal) = sort_key(one);
        while stack.last().is_some_and(|frame| !frame.reaches(stem)) {
            stack.pop();
        }
        let mut parties = stack.last().map_or([None; 2], |frame| frame.departments);
        if let Some(other_party) = different_department(parties, one.department) {
            let one = one.clone();
            report.overlaps.push(Overlap {
                grant: one,
                other_department: other_party,
            });
        }
        add_department(&mut parties, one.department);
        match stack.last_mut() {
            Some(top) if top.stem == stem && top.literal == literal => top.departments = parties,
            _ => stack.push(SweepFrame {
                stem,
                literal,
                departments: parties,
            }),
        }
    }
    // A pattern that is wider than a shared name overlaps with all grants within the shared name.
    for &one in &*members {
        let pattern = one.grant.pattern();
        for (&index, parties) in &exposed {
            let within = NamePattern::Prefixed(SHARED_NAMES[index].1.to_owned());
            let wider = shared_name_of(one).is_none() && pattern.name().covers(&within);
            let other = parties.iter().find(|&&party| party != one.department);
            if let (true, Some(&other_party)) = (wider, other) {
                let one = one.clone();
                report.overlaps.push(Overlap {
                    grant: one,
                    other_department: other_party,
                });
            }
        }
    }
    find_shared_name_overlaps(&within, report);
    for (index, parties) in exposed {
        tally.entry(index).or_default().extend(parties);
    }
}

/// Stack frame of the sweep within a shared name.
struct SharedNameFrame<'a> {
    stem: &'a str,
    literal: bool,
    /// Departments that hold grants on this pattern; for prefixes, also on one that covers it.
    departments: DepartmentPair,
    /// Grants of up to two departments on this pattern, or on one that covers it, that exceed the tolerated operations.
    excess: [Option<usize>; 2],
}

/// Finds overlaps within a shared name. Departments may share these names, but a grant that exceeds the tolerated
/// operations must not cover names that another department uses. A literal name is the queue or group of one connector,
/// so one department alone may hold an excessive grant on it.
fn find_shared_name_overlaps<'a>(members: &[&'a DepartmentGrant], report: &mut OverlapReport) {
    let mut shown: BTreeSet<usize> = BTreeSet::new();
    let mut stack: Vec<SharedNameFrame<'a>> = Vec::new();
    for (place, &one) in members.iter().enumerate() {
        let (stem, literal) = sort_key(one);
        let reaches = |frame: &SharedNameFrame<'_>| match frame.literal {
            true => frame.stem == stem,
            false => stem.starts_with(frame.stem),
        };
        while stack.last().is_some_and(|frame| !reaches(frame)) {
            stack.pop();
        }
        let same = stack
            .last()
            .is_some_and(|frame| frame.stem == stem && frame.literal == literal);
        let (mut parties, mut more) = stack
            .last()
            .map_or(([None; 2], [None; 2]), |frame| (frame.departments, frame.excess));
        if literal && !same {
            parties = [None; 2];
        }
        let above = more
            .into_iter()
            .flatten()
            .find(|&above| members[above].department != one.department);
        if let Some(above) = above.filter(|above| shown.insert(*above)) {
            let (one, other_party) = (members[above].clone(), one.department);
            report.overlaps.push(Overlap {
                grant: one,
                other_department: other_party,
            });
        }
        if one.exceeds_tolerated() {
            if let Some(other_party) = different_department(parties, one.department).filter(|_| shown.insert(place)) {
                let one = one.clone();
                report.overlaps.push(Overlap {
                    grant: one,
                    other_department: other_party,
                });
            }
            let known = more
                .into_iter()
                .flatten()
                .any(|above| members[above].department == one.department);
            if let Some(free) = more.iter_mut().find(|above| above.is_none()).filter(|_| !known) {
                *free = Some(place);
            }
        }
        add_department(&mut parties, one.department);
        if same {
            stack.pop();
        }
        stack.push(SharedNameFrame {
            stem,
            literal,
            departments: parties,
            excess: more,
        });
    }
}
