use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::{
    manifest::naming::{NamingRules, RESERVED, find_conflicts},
    model::{Prefix, prefix::fold},
};

/// Compares every pair.
fn conflicts_by_comparing_all_pairs(prefixes: &[&Prefix]) -> BTreeSet<(usize, usize)> {
    let pairs = (0..prefixes.len()).flat_map(|a| (a + 1..prefixes.len()).map(move |b| (a, b)));
    pairs
        .filter(|(a, b)| prefixes[*a].conflicts_with(prefixes[*b]))
        .collect()
}

proptest! {
    #[test]
    fn the_sorted_search_finds_what_comparing_all_pairs_finds(texts in prop::collection::vec("[ab]{1,3}[-._]([ab]{1,2}[-._])?", 0..12)) {
        let prefixes: Vec<Prefix> = texts.iter().map(|text| Prefix::parse(text).unwrap()).collect();
        let prefixes: Vec<&Prefix> = prefixes.iter().collect();
        let found = find_conflicts(&prefixes);
        let unordered: BTreeSet<_> = found.iter().map(|(a, b)| (*a.min(b), *a.max(b))).collect();
        prop_assert_eq!(unordered.len(), found.len(), "each pair once");
        prop_assert_eq!(unordered, conflicts_by_comparing_all_pairs(&prefixes));
        for (shorter, longer) in found {
            prop_assert!(prefixes[shorter].as_str().len() <= prefixes[longer].as_str().len());
        }
    }

    #[test]
    fn no_name_below_a_good_prefix_is_a_reserved_one(text in "[a-z]{1,8}[-._]", reserved in prop::sample::select(&RESERVED[..]), tail in "[a-z0-9-]{0,6}") {
        let prefix = Prefix::parse(&text).unwrap();
        if NamingRules::default().check_prefix(&prefix).is_empty() {
            let name = format!("{reserved}{tail}");
            prop_assert!(!prefix.owns(&name));
            prop_assert!(!fold(&name).starts_with(&prefix.folded()));
        }
    }
}

#[test]
fn conflicts_are_found_among_two_hundred_departments() {
    let texts: Vec<String> = (0..5000).map(|number| format!("dept{number:05}-")).collect();
    let prefixes: Vec<Prefix> = texts.iter().map(|text| Prefix::parse(text).unwrap()).collect();
    assert!(find_conflicts(&prefixes.iter().collect::<Vec<_>>()).is_empty());
}
