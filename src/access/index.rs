//! Index of role bindings by pattern, so that a query visits only a few bindings.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::{Bound, ControlFlow},
    sync::Arc,
};

use super::roles::{SCOPES, account_operations_of_role, is_scope};
use crate::model::{Crn, CrnPattern, NamePattern, ResourceKind, RoleBinding};

type Bindings = BTreeSet<Arc<RoleBinding>>;

/// Role bindings of one resource kind by literal name and by prefix.
#[derive(Clone, Debug, Default)]
struct BindingsByName {
    literal: HashMap<String, Bindings>,
    prefixed: BTreeMap<String, Bindings>,
}

/// Index of role bindings. A lookup returns a superset: all bindings that can apply to a resource, and a few that do
/// not.
#[derive(Clone, Debug, Default)]
pub(super) struct BindingIndex {
    all: Bindings,
    /// By pattern.
    names: BTreeMap<ResourceKind, BindingsByName>,
    /// By enclosing scope.
    scopes: HashMap<(ResourceKind, String), Bindings>,
    /// Bindings of roles that apply to all service accounts of the organization.
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

    /// Removes `binding` and returns whether it was present.
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

    /// Calls `visitor` with every binding that can apply to `resource`, the most specific first, until it breaks. A
    /// binding may be visited twice.
    pub(super) fn visit(
        &self,
        resource: &Crn,
        visitor: &mut impl FnMut(&Arc<RoleBinding>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        // Kinds are ordered from the outermost scope inwards, so the last is the most specific.
        for (&kind, names) in self.names.iter().rev() {
            let name = match kind {
                // All unknown kinds share this entry, so a lookup by kind is impossible.
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

/// Returns the entries of `map` whose key is a prefix of `name`, the longest first.
///
/// The search starts at the greatest key that is not above `name`. A key that is no prefix shortens `name` to their
/// common prefix, because no key in between can be a prefix.
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

/// Returns the common prefix of `a` and `b` as a slice of `b`.
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
