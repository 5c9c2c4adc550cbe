//! Who can do anything on the names of a department: what has to be nobody when it has gone. Pure.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{acls, teardown::NAMED};
use crate::{
    access::Evaluator,
    model::{AclResource, Department, ResourceKind, Snapshot},
};

/// Who can still do anything on a department's names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// Administrators of the organization, the environment or the cluster, whose right is about everything there.
    pub administrators: BTreeSet<String>,
    /// Everybody else, with the binding that gives it.
    pub others: BTreeSet<String>,
}

/// Finds whoever can do anything on names that begin with the prefix of `department`.
#[must_use]
pub fn reach(seen: &Snapshot, department: &Department) -> Reach {
    let evaluator = Evaluator::new(seen.bindings.iter().map(|seen| seen.binding.clone()))
        .with_acls(seen.acls.iter().cloned(), &seen.address);
    let mut reach = Reach::default();
    for kind in NAMED {
        let Some(all) = seen.address.pattern(kind, department.prefix.pattern()) else {
            continue;
        };
        for (binding, _) in evaluator.touching(&all) {
            let who = seen.name_of(&binding.principal);
            match binding.pattern.kind() {
                ResourceKind::Organization | ResourceKind::Environment | ResourceKind::Cluster => {
                    reach.administrators.insert(format!("{who} ({})", binding.role));
                }
                // The provisioner manages the subjects of everybody (dossier `rbac.md` §8.6).
                _ if binding.principal == seen.seen_by => {
                    reach.administrators.insert(format!("{who} ({})", binding.role));
                }
                _ => {
                    reach
                        .others
                        .insert(format!("{who} holds {} on {}", binding.role, binding.pattern.short()));
                }
            }
        }
        for (acl, _) in evaluator.acls_touching(&all) {
            let said = acls::about(seen, &acl.acl);
            match acl.acl.resource == AclResource::Cluster || acl.acl.principal == seen.seen_by {
                true => reach.administrators.insert(said),
                false => reach.others.insert(said),
            };
        }
    }
    reach
}
