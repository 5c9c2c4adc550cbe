//! Access matrix of a department: personas × operations × resource kinds.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    Operation, OperationSet,
    access_model::{AccessModel, PersonaAccount, denied_operations, grants_of},
    grant::AccessGrant,
    isolation::SHARED_NAMES,
    roles::{account_operations_of_role, is_scope, operations_of_binding, operations_of_role},
    uncertainty::disputed,
};
use crate::model::{CrnPattern, DepartmentCode, NamePattern, Prefix, Principal, ResourceKind};

/// Extent of access to a resource kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessExtent {
    /// The single resource of the stage: the cluster, the environment, the organization.
    Yes,
    /// Some names or accounts of the department.
    Some,
    /// All names with the department's prefix.
    Own,
    /// Names that all departments share by design of Confluent Cloud.
    Shared,
    /// More than the above.
    Beyond,
    /// Confluent's documents disagree on whether the grant allows the operation.
    Unknown,
}

impl AccessExtent {
    /// Returns the value in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Some => "some",
            Self::Own => "own",
            Self::Shared => "shared",
            Self::Beyond => "beyond",
            Self::Unknown => "unknown",
        }
    }
}

/// One matrix entry: an operation that one role binding or ACL allows a persona on one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// Kind of the resource, such as a topic or a connector.
    pub kind: ResourceKind,
    /// Operation on the resource, such as reading or deleting it.
    pub operation: Operation,
    /// Name of the persona in the template, such as `operator`.
    pub persona: String,
    /// Names of this kind on which the operation is allowed.
    pub extent: AccessExtent,
    /// Role binding or ACL that allows it.
    pub granted_by: AccessGrant,
}

/// Access of the personas of one department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessMatrix {
    /// Code of the department: the name of its file without `.toml`.
    pub department: DepartmentCode,
    /// Template; `None` without the platform files.
    pub template: Option<String>,
    /// Personas with an account, in the template's order.
    pub personas: Vec<String>,
    /// Personas without an account in the source.
    pub missing: Vec<String>,
    /// Entries, ordered by kind, operation and persona.
    pub rights: Vec<Right>,
}

impl AccessMatrix {
    /// Returns the extents of `persona` by kind and operation.
    #[must_use]
    pub fn extents(&self, persona: &str) -> BTreeMap<(ResourceKind, Operation), BTreeSet<AccessExtent>> {
        let mut cells: BTreeMap<_, BTreeSet<AccessExtent>> = BTreeMap::new();
        for right in self.rights.iter().filter(|right| right.persona == persona) {
            let cell = cells.entry((right.kind, right.operation)).or_default();
            cell.insert(right.extent);
        }
        for cell in cells.values_mut() {
            // Access to all names includes access to some.
            if cell.contains(&AccessExtent::Own) {
                cell.remove(&AccessExtent::Some);
            }
            // An undisputed grant on all names is enough.
            let is_wide = |extent: &AccessExtent| !matches!(extent, AccessExtent::Some | AccessExtent::Unknown);
            if cell.iter().any(is_wide) {
                cell.remove(&AccessExtent::Unknown);
            }
        }
        cells
    }
}

impl AccessModel {
    /// Returns the matrix of `department`; `None` if no persona of it is known.
    #[must_use]
    pub fn matrix(&self, department: &DepartmentCode) -> Option<AccessMatrix> {
        let of_it = |member: &&PersonaAccount| member.department == *department;
        let members: Vec<&PersonaAccount> = self.personas.iter().filter(of_it).collect();
        let first = members.first()?;
        let own: BTreeSet<&Principal> = members.iter().filter_map(|member| member.principal.as_ref()).collect();
        let mut rights = BTreeSet::new();
        for member in &members {
            let Some(principal) = &member.principal else { continue };
            for grant in grants_of(&self.evaluator, principal) {
                self.collect_rights(member, &grant, &own, &mut rights);
            }
        }
        let (known, missing): (Vec<&PersonaAccount>, _) = members.iter().partition(|member| member.principal.is_some());
        let names = |members: Vec<&PersonaAccount>| members.into_iter().map(|member| member.persona.clone()).collect();
        Some(AccessMatrix {
            department: department.clone(),
            template: first.template.clone(),
            personas: names(known),
            missing: names(missing),
            rights: rights.into_iter().collect(),
        })
    }

    /// Returns the matrices of all departments.
    #[must_use]
    pub fn matrices(&self) -> Vec<AccessMatrix> {
        let departments: BTreeSet<&DepartmentCode> = self.personas.iter().map(|member| &member.department).collect();
        departments.into_iter().filter_map(|code| self.matrix(code)).collect()
    }

    /// Collects the operations that `grant` allows `member`, for each kind.
    fn collect_rights(
        &self,
        member: &PersonaAccount,
        grant: &AccessGrant,
        own: &BTreeSet<&Principal>,
        out: &mut BTreeSet<Right>,
    ) {
        for (kind, _) in ResourceKind::GRANTABLE {
            let Some(all) = self.address.pattern(kind, NamePattern::Prefixed(String::new())) else {
                continue;
            };
            let pattern = grant.pattern();
            let covers = pattern.covers_pattern(&all) || (pattern.kind() == kind && all.covers_pattern(pattern));
            let gives = match (grant, all.literal()) {
                // A grant below a scope also makes the scope visible.
                (AccessGrant::Role(binding), Some(scope)) => operations_of_binding(binding, &scope),
                (AccessGrant::Role(binding), None) if covers => operations_of_role(&binding.role, kind),
                (AccessGrant::Acl(acl), _) if covers => acl.allowed_operations(kind),
                _ => OperationSet::EMPTY,
            };
            let reached = if pattern.kind() == kind { pattern } else { &all };
            let denied = |principal| denied_operations(&self.evaluator, principal, reached);
            let gives = gives.difference(member.principal.as_ref().map_or(OperationSet::EMPTY, denied));
            let mut add = |operation, reach| {
                let is_disputed = kind == ResourceKind::Connector && disputed(operation, grant).is_some();
                out.insert(Right {
                    kind,
                    operation,
                    persona: member.persona.clone(),
                    extent: if is_disputed { AccessExtent::Unknown } else { reach },
                    granted_by: grant.clone(),
                });
            };
            let reach = access_extent(pattern, kind, &member.prefix, own);
            gives.iter().for_each(|operation| add(operation, reach));
            if let (ResourceKind::ServiceAccount, AccessGrant::Role(binding)) = (kind, grant) {
                let everywhere = account_operations_of_role(&binding.role);
                everywhere
                    .iter()
                    .for_each(|operation| add(operation, AccessExtent::Beyond));
            }
        }
    }
}

fn access_extent(
    pattern: &CrnPattern,
    kind: ResourceKind,
    prefix: &Prefix,
    own: &BTreeSet<&Principal>,
) -> AccessExtent {
    let name = pattern.name();
    let within = |(shared, begins): &(ResourceKind, &str)| {
        *shared == kind && NamePattern::Prefixed((*begins).to_owned()).covers(name)
    };
    if is_scope(kind) {
        AccessExtent::Yes
    } else if pattern.kind() != kind {
        AccessExtent::Beyond
    } else if kind == ResourceKind::ServiceAccount {
        match name {
            NamePattern::Literal(id) if own.contains(&Principal::from_id(id)) => AccessExtent::Some,
            _ => AccessExtent::Beyond,
        }
    } else if *name == prefix.pattern() {
        AccessExtent::Own
    } else if prefix.pattern().covers(name) {
        AccessExtent::Some
    } else if SHARED_NAMES.iter().any(within) {
        AccessExtent::Shared
    } else {
        AccessExtent::Beyond
    }
}
