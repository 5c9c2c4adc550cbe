//! Where two departments hold a right on a common name: one sweep over the sorted patterns.

use std::collections::{BTreeMap, BTreeSet};

use super::isolation::{Acting, EXPOSURES, Exposure, exposure};
use crate::model::{NamePattern, ResourceKind};

/// Two rights of different departments with a name in common.
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
    /// Departments bound on this pattern or on one that holds it.
    parties: Two,
}

/// Departments; two are enough to find a different one to any third.
type Two = [Option<usize>; 2];

fn add(parties: &mut Two, party: usize) {
    if !parties.contains(&Some(party))
        && let Some(free) = parties.iter_mut().find(|party| party.is_none())
    {
        *free = Some(party);
    }
}

fn other_than(parties: Two, party: usize) -> Option<usize> {
    parties.into_iter().flatten().find(|&other| other != party)
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

/// Finds every right that has a name in common with a right of another department which stands before it in the
/// order of names: all patterns that hold a given one stand before it, and are on the stack when it comes.
pub(super) fn sweep(acting: &[Acting]) -> Swept {
    let mut families: BTreeMap<String, Vec<&Acting>> = BTreeMap::new();
    for one in acting {
        let scope = one.held.pattern().kind() < ResourceKind::Topic;
        // A scope is shared by design; what a right at a scope reaches is found by name.
        if !scope && one.operations.is_some() {
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
    let mut text = one.held.pattern().to_string();
    let name = one.held.pattern().name().to_string().len();
    text.truncate(text.len() - name);
    text
}

/// The entry of the closed list that `one` lies within.
fn exposed_as(one: &Acting) -> Option<usize> {
    let pattern = one.held.pattern();
    exposure(pattern.kind(), pattern.name())
}

fn key(one: &Acting) -> (&str, bool) {
    let name = one.held.pattern().name();
    (name.stem(), matches!(name, NamePattern::Literal(_)))
}

fn sweep_family<'a>(members: &mut [&'a Acting], swept: &mut Swept, tally: &mut BTreeMap<usize, BTreeSet<usize>>) {
    members.sort_by_key(|one| key(one));
    let mut exposed: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut within: Vec<&Acting> = Vec::new();
    let mut stack: Vec<Frame<'a>> = Vec::new();
    for &one in &*members {
        if let Some(index) = exposed_as(one) {
            exposed.entry(index).or_default().insert(one.party);
            within.push(one);
            continue;
        }
        let (stem, literal) = key(one);
        while stack.last().is_some_and(|frame| !frame.reaches(stem)) {
            stack.pop();
        }
        let mut parties = stack.last().map_or([None; 2], |frame| frame.parties);
        if let Some(other_party) = other_than(parties, one.party) {
            let one = one.clone();
            swept.overlaps.push(Overlap { one, other_party });
        }
        add(&mut parties, one.party);
        match stack.last_mut() {
            Some(top) if top.stem == stem && top.literal == literal => top.parties = parties,
            _ => stack.push(Frame { stem, literal, parties }),
        }
    }
    // A pattern wider than an exposure is not one, and holds whatever others have within it.
    for &one in &*members {
        let pattern = one.held.pattern();
        for (&index, parties) in &exposed {
            let within = NamePattern::Prefixed(EXPOSURES[index].1.to_owned());
            let wider = exposed_as(one).is_none() && pattern.name().covers(&within);
            let other = parties.iter().find(|&&party| party != one.party);
            if let (true, Some(&other_party)) = (wider, other) {
                let one = one.clone();
                swept.overlaps.push(Overlap { one, other_party });
            }
        }
    }
    sweep_exposed(&within, swept);
    for (index, parties) in exposed {
        tally.entry(index).or_default().extend(parties);
    }
}

/// A pattern within an exposure on the way.
struct Shared<'a> {
    stem: &'a str,
    literal: bool,
    /// Departments bound on this pattern; on beginnings of names, also those on one that holds it.
    parties: Two,
    /// The rights on this pattern, or on one that holds it, that give more than is tolerated; of two departments.
    more: [Option<usize>; 2],
}

/// Within an exposure departments may meet, but a right to more than everybody needs there must not reach what another
/// department uses. A single name is the queue or the group of one connector: whoever has been given more on it alone
/// has it for its own, unless another department has been given the same name.
fn sweep_exposed<'a>(members: &[&'a Acting], swept: &mut Swept) {
    let mut shown: BTreeSet<usize> = BTreeSet::new();
    let mut stack: Vec<Shared<'a>> = Vec::new();
    for (place, &one) in members.iter().enumerate() {
        let (stem, literal) = key(one);
        let reaches = |frame: &Shared<'_>| match frame.literal {
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
            .map_or(([None; 2], [None; 2]), |frame| (frame.parties, frame.more));
        if literal && !same {
            parties = [None; 2];
        }
        let above = more
            .into_iter()
            .flatten()
            .find(|&above| members[above].party != one.party);
        if let Some(above) = above.filter(|above| shown.insert(*above)) {
            let (one, other_party) = (members[above].clone(), one.party);
            swept.overlaps.push(Overlap { one, other_party });
        }
        if one.takes_more() {
            if let Some(other_party) = other_than(parties, one.party).filter(|_| shown.insert(place)) {
                let one = one.clone();
                swept.overlaps.push(Overlap { one, other_party });
            }
            let known = more
                .into_iter()
                .flatten()
                .any(|above| members[above].party == one.party);
            if let Some(free) = more.iter_mut().find(|above| above.is_none()).filter(|_| !known) {
                *free = Some(place);
            }
        }
        add(&mut parties, one.party);
        if same {
            stack.pop();
        }
        stack.push(Shared {
            stem,
            literal,
            parties,
            more,
        });
    }
}
