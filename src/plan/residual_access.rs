//! Residual access: the principals that still have access to a department's names, which must be none after
//! off-boarding. Pure.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{kinds::holder_name, teardown::PREFIXED_KINDS};
use crate::{
    access::Evaluator,
    model::{AclResource, Department, ResourceKind, Snapshot},
};

/// Principals that have access to a department's names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ResidualAccess {
    /// Administrators of the organization, environment or cluster, whose roles cover everything in it.
    pub administrators: BTreeSet<String>,
    /// All others, with the binding that grants the access.
    pub others: BTreeSet<String>,
}

/// Finds the principals with any access to names that begin with the prefix of `department`.
#[must_use]
pub fn find_residual_access(snapshot: &Snapshot, department: &Department) -> ResidualAccess {
    let evaluator = Evaluator::new(snapshot.bindings.iter().map(|seen| seen.binding.clone()))
        .with_acls(snapshot.acls.iter().cloned(), &snapshot.address);
    let mut residual = ResidualAccess::default();
    for kind in PREFIXED_KINDS {
        let Some(all) = snapshot.address.pattern(kind, department.prefix.pattern()) else {
            continue;
        };
        for (binding, _) in evaluator.bindings_reaching(&all) {
            let who = snapshot.display_name(&binding.principal);
            match binding.pattern.kind() {
                ResourceKind::Organization | ResourceKind::Environment | ResourceKind::Cluster => {
                    residual.administrators.insert(format!("{who} ({})", binding.role));
                }
                // The provisioner manages the subjects of all departments
                // (docs/reference/rbac.md#roles-of-the-provisioner).
                _ if binding.principal == snapshot.observed_by => {
                    residual.administrators.insert(format!("{who} ({})", binding.role));
                }
                _ => {
                    residual.others.insert(format!(
                        "{who} holds {} on {}",
                        binding.role,
                        binding.pattern.to_short_string()
                    ));
                }
            }
        }
        for (acl, _) in evaluator.acls_reaching(&all) {
            let holder = holder_name(snapshot, &acl.acl.principal);
            let said = format!("{holder}: {}", acl.acl.to_short_string());
            match acl.acl.resource == AclResource::Cluster || acl.acl.principal == snapshot.observed_by {
                true => residual.administrators.insert(said),
                false => residual.others.insert(said),
            };
        }
    }
    residual
}
