//! Where two departments are bound on a common name: one sweep over the sorted patterns.

use std::collections::{BTreeMap, BTreeSet};

use super::isolation::{Acting, EXPOSURES, Exposure};
use crate::model::{NamePattern, ResourceKind, Role};

/// Two bindings of different departments with a name in common.
#[derive(Debug)]
pub(super) struct Overlap {
    pub(super) one: Acting,
    pub(super) other_party: usize,
}

#[derive(Debug, Default)]
pub(super) struct Swept {
    pub(super) overlaps: Vec<Overlap>,
    pub(super) exposures: Vec<Exposure>,
}

/// A pattern on the way: everything that begins with `stem`, or exactly it.
struct Frame<'a> {
    stem: &'a str,
    literal: bool,
    /// Departments bound on this pattern or on one that holds it. Two are enough to find a different one to any third.
    parties: [Option<usize>; 2],
}

impl Frame<'_> {
    fn reaches(&self, stem: &str) -> bool {
        if self.literal {
            self.stem == stem
        } else {
            stem.starts_with(self.stem)
        }
    }
}

/// Finds every binding that has a name in common with a binding of another department which stands before it in the
/// order of names: all patterns that hold a given one stand before it, and are on the stack when it comes.
pub(super) fn sweep(acting: &[Acting]) -> Swept {
    let mut families: BTreeMap<String, Vec<&Acting>> = BTreeMap::new();
    for one in acting {
        let unknown = matches!(one.binding.role, Role::Other(_));
        let scope = one.binding.pattern.kind() < ResourceKind::Topic;
        // A scope is shared by design; what a role at a scope reaches is found by name.
        if !scope && (unknown || !one.operations.is_empty()) {
            families.entry(family(one)).or_default().push(one);
        }
    }
    let mut swept = Swept::default();
    let mut tally: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for members in families.values_mut() {
        sweep_family(members, &mut swept, &mut tally);
    }
    swept.exposures = tally
        .into_iter()
        .filter(|(_, parties)| parties.len() > 1)
        .map(|(index, parties)| Exposure {
            kind: EXPOSURES[index].0,
            begins: EXPOSURES[index].1,
            departments: parties.len(),
        })
        .collect();
    swept
}

/// Everything of a pattern but its name: patterns of different families have no name in common.
fn family(one: &Acting) -> String {
    let mut text = one.binding.pattern.to_string();
    let name = one.binding.pattern.name().to_string().len();
    text.truncate(text.len() - name);
    text
}

/// The entry of the closed list that `one` lies within.
fn exposure(one: &Acting) -> Option<usize> {
    let pattern = &one.binding.pattern;
    EXPOSURES
        .iter()
        .position(|(kind, begins)| pattern.kind() == *kind && pattern.name().stem().starts_with(begins))
}

fn sweep_family<'a>(members: &mut [&'a Acting], swept: &mut Swept, tally: &mut BTreeMap<usize, BTreeSet<usize>>) {
    members.sort_by_key(|one| {
        let name = one.binding.pattern.name();
        (name.stem(), matches!(name, NamePattern::Literal(_)))
    });
    let mut exposed: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut stack: Vec<Frame<'a>> = Vec::new();
    for &one in &*members {
        if let Some(index) = exposure(one) {
            exposed.entry(index).or_default().insert(one.party);
            continue;
        }
        let name = one.binding.pattern.name();
        let (stem, literal) = (name.stem(), matches!(name, NamePattern::Literal(_)));
        while stack.last().is_some_and(|frame| !frame.reaches(stem)) {
            stack.pop();
        }
        let mut parties = stack.last().map_or([None; 2], |frame| frame.parties);
        if let Some(other_party) = parties.into_iter().flatten().find(|&party| party != one.party) {
            let one = one.clone();
            swept.overlaps.push(Overlap { one, other_party });
        }
        if !parties.contains(&Some(one.party))
            && let Some(free) = parties.iter_mut().find(|party| party.is_none())
        {
            *free = Some(one.party);
        }
        match stack.last_mut() {
            Some(top) if top.stem == stem && top.literal == literal => top.parties = parties,
            _ => stack.push(Frame { stem, literal, parties }),
        }
    }
    // A pattern wider than an exposure is not one, and holds whatever others have within it.
    for &one in &*members {
        let pattern = &one.binding.pattern;
        for (&index, parties) in &exposed {
            let within = NamePattern::Prefixed(EXPOSURES[index].1.to_owned());
            let wider = exposure(one).is_none() && pattern.name().covers(&within);
            let other = parties.iter().find(|&&party| party != one.party);
            if let (true, Some(&other_party)) = (wider, other) {
                let one = one.clone();
                swept.overlaps.push(Overlap { one, other_party });
            }
        }
    }
    for (index, parties) in exposed {
        tally.entry(index).or_default().extend(parties);
    }
}
