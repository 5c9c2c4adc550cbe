//! What the personas of a department may do: personas × operations × kinds.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    Operation, OperationSet,
    isolation::EXPOSURES,
    permit::Permit,
    roles::{given, gives, gives_on_accounts, is_scope},
    scene::{Member, Scene, denied, permits},
};
use crate::model::{CrnPattern, DepartmentCode, NamePattern, Prefix, Principal, ResourceKind};

/// How much of a kind somebody may do an operation on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// The one there is: the cluster, the environment, the organization.
    Yes,
    /// Some of the department's own names or accounts.
    Some,
    /// Everything that begins with the department's prefix.
    Own,
    /// Names that Confluent makes all departments share.
    Shared,
    /// Beyond all of these.
    Beyond,
}

impl Reach {
    /// The word in tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Some => "some",
            Self::Own => "own",
            Self::Shared => "shared",
            Self::Beyond => "beyond",
        }
    }
}

/// One persona, one operation, one kind, and one binding or ACL that gives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The kind.
    pub kind: ResourceKind,
    /// The operation.
    pub operation: Operation,
    /// The persona.
    pub persona: String,
    /// On how much.
    pub reach: Reach,
    /// What gives it.
    pub through: Permit,
}

/// What the personas of one department may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// The department.
    pub department: DepartmentCode,
    /// Its template; nothing where the platform's files are not at hand.
    pub template: Option<String>,
    /// Its personas, in the template's order; those without an account are missing.
    pub personas: Vec<String>,
    /// Personas whose account the source does not have.
    pub missing: Vec<String>,
    /// Every right, in the order of kinds, operations and personas.
    pub rights: Vec<Right>,
}

impl Matrix {
    /// The reaches of `persona`, by kind and operation.
    #[must_use]
    pub fn reaches(&self, persona: &str) -> BTreeMap<(ResourceKind, Operation), BTreeSet<Reach>> {
        let mut cells: BTreeMap<_, BTreeSet<Reach>> = BTreeMap::new();
        for right in self.rights.iter().filter(|right| right.persona == persona) {
            let cell = cells.entry((right.kind, right.operation)).or_default();
            cell.insert(right.reach);
        }
        for cell in cells.values_mut() {
            // Who has all of it has some of it.
            if cell.contains(&Reach::Own) {
                cell.remove(&Reach::Some);
            }
        }
        cells
    }
}

impl Scene {
    /// The matrix of `department`; nothing when no persona of it is known.
    #[must_use]
    pub fn matrix(&self, department: &DepartmentCode) -> Option<Matrix> {
        let of_it = |member: &&Member| member.department == *department;
        let members: Vec<&Member> = self.members.iter().filter(of_it).collect();
        let first = members.first()?;
        let own: BTreeSet<&Principal> = members.iter().filter_map(|member| member.principal.as_ref()).collect();
        let mut rights = BTreeSet::new();
        for member in &members {
            let Some(principal) = &member.principal else { continue };
            for permit in permits(&self.evaluator, principal) {
                self.rights(member, &permit, &own, &mut rights);
            }
        }
        let (known, missing): (Vec<&Member>, _) = members.iter().partition(|member| member.principal.is_some());
        let names = |members: Vec<&Member>| members.into_iter().map(|member| member.persona.clone()).collect();
        Some(Matrix {
            department: department.clone(),
            template: first.template.clone(),
            personas: names(known),
            missing: names(missing),
            rights: rights.into_iter().collect(),
        })
    }

    /// The matrices of all departments.
    #[must_use]
    pub fn matrices(&self) -> Vec<Matrix> {
        let departments: BTreeSet<&DepartmentCode> = self.members.iter().map(|member| &member.department).collect();
        departments.into_iter().filter_map(|code| self.matrix(code)).collect()
    }

    /// What `permit` gives `member`, kind by kind.
    fn rights(&self, member: &Member, permit: &Permit, own: &BTreeSet<&Principal>, out: &mut BTreeSet<Right>) {
        for (kind, _) in ResourceKind::GRANTABLE {
            let Some(all) = self.address.pattern(kind, NamePattern::Prefixed(String::new())) else {
                continue;
            };
            let pattern = permit.pattern();
            let covers = pattern.covers_pattern(&all) || (pattern.kind() == kind && all.covers_pattern(pattern));
            let gives = match (permit, all.literal()) {
                // A scope can also be seen by whoever works below it.
                (Permit::Role(binding), Some(scope)) => given(binding, &scope),
                (Permit::Role(binding), None) if covers => gives(&binding.role, kind),
                (Permit::Acl(acl), _) if covers => acl.gives(kind),
                _ => OperationSet::EMPTY,
            };
            let reached = if pattern.kind() == kind { pattern } else { &all };
            let denied = |principal| denied(&self.evaluator, principal, reached);
            let gives = gives.without(member.principal.as_ref().map_or(OperationSet::EMPTY, denied));
            let mut add = |operation, reach| {
                out.insert(Right {
                    kind,
                    operation,
                    persona: member.persona.clone(),
                    reach,
                    through: permit.clone(),
                });
            };
            let reach = reach(pattern, kind, &member.prefix, own);
            gives.iter().for_each(|operation| add(operation, reach));
            if let (ResourceKind::ServiceAccount, Permit::Role(binding)) = (kind, permit) {
                let everywhere = gives_on_accounts(&binding.role);
                everywhere.iter().for_each(|operation| add(operation, Reach::Beyond));
            }
        }
    }
}

fn reach(pattern: &CrnPattern, kind: ResourceKind, prefix: &Prefix, own: &BTreeSet<&Principal>) -> Reach {
    let name = pattern.name();
    let within = |(shared, begins): &(ResourceKind, &str)| {
        *shared == kind && NamePattern::Prefixed((*begins).to_owned()).covers(name)
    };
    if is_scope(kind) {
        Reach::Yes
    } else if pattern.kind() != kind {
        Reach::Beyond
    } else if kind == ResourceKind::ServiceAccount {
        match name {
            NamePattern::Literal(id) if own.contains(&Principal::from_id(id)) => Reach::Some,
            _ => Reach::Beyond,
        }
    } else if *name == prefix.pattern() {
        Reach::Own
    } else if prefix.pattern().covers(name) {
        Reach::Some
    } else if EXPOSURES.iter().any(within) {
        Reach::Shared
    } else {
        Reach::Beyond
    }
}
