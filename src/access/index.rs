//! Role bindings by what they are bound on, so that a question looks at a handful of them and not at all.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::{Bound, ControlFlow},
    sync::Arc,
};

use super::roles::{SCOPES, account_operations_of_role, is_scope};
use crate::model::{Crn, CrnPattern, NamePattern, ResourceKind, RoleBinding};

type Bindings = BTreeSet<Arc<RoleBinding>>;

/// Bindings on names and on beginnings of names, of one kind.
#[derive(Clone, Debug, Default)]
struct BindingsByName {
    literal: HashMap<String, Bindings>,
    prefixed: BTreeMap<String, Bindings>,
}

/// The index. It answers with a superset: every binding that can matter for a resource, and a few that do not.
#[derive(Clone, Debug, Default)]
pub(super) struct BindingIndex {
    all: Bindings,
    /// By what they are bound on.
    names: BTreeMap<ResourceKind, BindingsByName>,
    /// By the scopes they lie in.
    scopes: HashMap<(ResourceKind, String), Bindings>,
    /// Those that reach the service accounts of the organization.
    account_creators: Bindings,
}

impl BindingIndex {
    pub(super) fn insert(&mut self, binding: &Arc<RoleBinding>) {
        if !self.all.insert(Arc::clone(binding)) {
            return;
        }
        let names = self.names.entry(binding.pattern.kind()).or_default();
        match binding.pattern.name() {
            NamePattern::Literal(name) => names.literal.entry(name.clone()).or_default(),
            NamePattern::Prefixed(begin) => names.prefixed.entry(begin.clone()).or_default(),
        }
        .insert(Arc::clone(binding));
        for key in scopes_of(&binding.pattern) {
            self.scopes.entry(key).or_default().insert(Arc::clone(binding));
        }
        if !account_operations_of_role(&binding.role).is_empty() {
            self.account_creators.insert(Arc::clone(binding));
        }
    }

    /// Takes `binding` out; whether it was in.
    pub(super) fn remove(&mut self, binding: &RoleBinding) -> bool {
        if !self.all.remove(binding) {
            return false;
        }
        if let Some(names) = self.names.get_mut(&binding.pattern.kind()) {
            match binding.pattern.name() {
                NamePattern::Literal(name) => {
                    if let Some(bindings) = names.literal.get_mut(name) {
                        bindings.remove(binding);
                        if bindings.is_empty() {
                            names.literal.remove(name);
                        }
                    }
                }
                NamePattern::Prefixed(begin) => {
                    if let Some(bindings) = names.prefixed.get_mut(begin) {
                        bindings.remove(binding);
                        if bindings.is_empty() {
                            names.prefixed.remove(begin);
                        }
                    }
                }
            }
        }
        for key in scopes_of(&binding.pattern) {
            if let Some(bindings) = self.scopes.get_mut(&key) {
                bindings.remove(binding);
                if bindings.is_empty() {
                    self.scopes.remove(&key);
                }
            }
        }
        self.account_creators.remove(binding);
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn bindings(&self) -> &Bindings {
        &self.all
    }

    /// Shows `look` every binding that can matter for `resource`, the most specific first, until it breaks. A binding
    /// may be shown twice.
    pub(super) fn visit(
        &self,
        resource: &Crn,
        visitor: &mut impl FnMut(&Arc<RoleBinding>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        // Kinds stand in their order from the outside in, so that the last is the most specific.
        for (&kind, names) in self.names.iter().rev() {
            let name = match kind {
                // Kinds without a rule share this entry, so their name cannot be asked for by kind.
                ResourceKind::Other => {
                    let other = names.literal.values().chain(names.prefixed.values());
                    other.flatten().try_for_each(&mut *visitor)?;
                    continue;
                }
                kind => resource.value_of(kind),
            };
            if let Some(name) = name {
                if let Some(bindings) = names.literal.get(name) {
                    bindings.iter().try_for_each(&mut *visitor)?;
                }
                prefixes_of(&names.prefixed, name)
                    .flat_map(|(_, bindings)| bindings)
                    .try_for_each(&mut *visitor)?;
            }
        }
        if is_scope(resource.kind()) {
            let key = (resource.kind(), resource.name().to_owned());
            let inside = self.scopes.get(&key);
            inside.into_iter().flatten().try_for_each(&mut *visitor)?;
        }
        if resource.kind() == ResourceKind::ServiceAccount {
            self.account_creators.iter().try_for_each(&mut *visitor)?;
        }
        ControlFlow::Continue(())
    }
}

fn scopes_of(pattern: &CrnPattern) -> impl Iterator<Item = (ResourceKind, String)> {
    let value = |kind| pattern.value_of(kind).map(|value| (kind, value.to_owned()));
    SCOPES.into_iter().filter_map(value)
}

/// The entries of `map` whose key is a beginning of `name`, the longest first.
///
/// From the greatest key that is not above `name`, go down; a key that is no beginning shortens `name` to what the two
/// share, because no key between can be one.
pub(super) fn prefixes_of<'a, V>(
    map: &'a BTreeMap<String, V>,
    name: &'a str,
) -> impl Iterator<Item = (&'a str, &'a V)> {
    let mut end = Some((name, true));
    std::iter::from_fn(move || {
        loop {
            let (text, inclusive) = end?;
            let bound = if inclusive {
                Bound::Included(text)
            } else {
                Bound::Excluded(text)
            };
            let (key, value) = map.range::<str, _>((Bound::Unbounded, bound)).next_back()?;
            if name.starts_with(key.as_str()) {
                end = Some((&name[..key.len()], false));
                return Some((key.as_str(), value));
            }
            end = Some((common_prefix(key, text), true));
        }
    })
}

/// What `a` and `b` begin with in common, cut from `b`.
fn common_prefix<'b>(a: &str, b: &'b str) -> &'b str {
    let mut length = 0;
    for (x, y) in a.chars().zip(b.chars()) {
        if x != y {
            break;
        }
        length += y.len_utf8();
    }
    &b[..length]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn prefixes_of_finds_every_key_that_is_a_prefix(
            keys in proptest::collection::btree_set("[abä]{0,4}", 0..20),
            name in "[abä]{0,6}",
        ) {
            let map: BTreeMap<String, usize> = keys.iter().cloned().zip(0..).collect();
            let found: Vec<_> = prefixes_of(&map, &name).map(|(key, _)| key.to_owned()).collect();
            let mut expected: Vec<_> = keys.into_iter().filter(|key| name.starts_with(key)).collect();
            expected.reverse();
            prop_assert_eq!(found, expected);
        }
    }
}
