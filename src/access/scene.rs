//! Everything that questions about access are asked of: role bindings and ACLs from one source (seen, saved or planned),
//! who the principals are, where each of them came from, and what the source does not tell.
//!
//! Who makes a scene is `manifest`, from the files and a snapshot. Answers here have three values: what could not be
//! looked at is a [`Doubt`], never a "no".

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    fmt,
    sync::Arc,
};

use serde::Serialize;

use super::{
    Decision, Doubt, Evaluator, Operation, OperationSet, Party, Permit, PlacedAcl,
    isolation::{CONTROL, controlled},
    roles::{given, gives, gives_on_accounts},
};
use crate::model::{
    AclBinding, Address, CrnPattern, DepartmentCode, Prefix, Principal, ResourceKind, Role, RoleBinding,
};

/// A persona of a department, with the account it acts as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The department.
    pub department: DepartmentCode,
    /// The department's template; nothing where the platform's files are not at hand.
    pub template: Option<String>,
    /// The beginning of the department's names.
    pub prefix: Prefix,
    /// The persona.
    pub persona: String,
    /// The name of its account.
    pub account: String,
    /// The account; nothing when the source has none of that name.
    pub principal: Option<Principal>,
}

/// Where a binding or an ACL came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum Origin {
    /// A template grants it.
    Template {
        /// The template.
        template: String,
        /// Its hash when the account was last brought up to date, as the account's description says.
        hash: String,
        /// Its hash now, when that is another one.
        now: Option<String>,
        /// The role that it asks for, when this binding is the fallback.
        instead_of: Option<Role>,
        /// The reason that stands in the template.
        why: String,
        /// Who owns the account, where it is not known that this is the provisioner.
        owned_by: Vec<String>,
    },
    /// It looks like a template's grant, but somebody else owns the account, who may have made up all of it (dossier
    /// `rbac.md` T4).
    Claimed {
        /// The template that the account's description names.
        template: String,
        /// Who owns the account.
        owned_by: Vec<String>,
    },
    /// The provisioner needs it to onboard.
    Provisioner {
        /// What for.
        why: &'static str,
    },
    /// The platform's files are not at hand.
    Unknown,
    /// Somebody made it by hand.
    Hand {
        /// The template of the account that holds it, which does not ask for it.
        template: Option<String>,
    },
}

impl Origin {
    /// It in a few words, without reasons: `template hybrid@1a2b3c4d`, `by hand`.
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            Self::Template { template, hash, .. } => format!("template {template}@{hash}"),
            Self::Claimed { .. } => "not vouched for".to_owned(),
            Self::Provisioner { .. } => "provisioner".to_owned(),
            Self::Unknown => "unknown".to_owned(),
            Self::Hand { .. } => "by hand".to_owned(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owners = |owners: &[String]| match owners {
            [] => "nobody who is seen".to_owned(),
            owners => owners.join(", "),
        };
        match self {
            Self::Template {
                template,
                hash,
                now,
                instead_of,
                why,
                owned_by,
            } => {
                write!(out, "template {template}@{hash}")?;
                if let Some(now) = now {
                    write!(out, " (now @{now})")?;
                }
                if let Some(role) = instead_of {
                    write!(out, ", in place of {role}")?;
                }
                if !owned_by.is_empty() {
                    write!(out, ", account owned by {}", owners(owned_by))?;
                }
                write!(out, ": {why}")
            }
            Self::Claimed { template, owned_by } => write!(
                out,
                "looks like template {template}, but nothing vouches for the account, which is owned by {}",
                owners(owned_by)
            ),
            Self::Provisioner { why } => write!(out, "provisioner: {why}"),
            Self::Unknown => out.write_str("not known without the platform's files"),
            Self::Hand { template: None } => out.write_str("by hand"),
            Self::Hand {
                template: Some(template),
            } => write!(out, "by hand: template {template} does not ask for it"),
        }
    }
}

/// The answer to "may this principal do this there?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes, through this binding or ACL.
    Yes(Permit),
    /// No: everything that could give it was looked at.
    No,
    /// No, whatever gives it: this ACL denies it, and nothing outweighs that (dossier `rbac.md` §1.5).
    Forbidden(Arc<PlacedAcl>),
    /// Nothing that was seen gives it, and this was not seen.
    Unknown(Vec<Doubt>),
}

/// Who may do what at one address, as one source has it.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The stage.
    pub stage: String,
    /// Where it lives.
    pub address: Address,
    /// The bindings and ACLs.
    pub evaluator: Evaluator,
    /// The same if the service refuses every role that has a fallback; only where nothing was bound yet.
    pub fallback: Option<Evaluator>,
    /// The departments with what their accounts are, for the proof of isolation.
    pub parties: Vec<Party>,
    /// The personas of all departments.
    pub members: Vec<Member>,
    /// What people call a principal, where that is not its id.
    pub names: BTreeMap<Principal, String>,
    /// Where bindings came from, as far as it is known.
    pub origins: HashMap<RoleBinding, Origin>,
    /// The same of ACLs.
    pub acl_origins: HashMap<AclBinding, Origin>,
    /// What could not be looked at, with the reasons.
    pub unseen: BTreeMap<String, String>,
    /// Who looked: what it may not see is not in the bindings. Nobody where nothing is hidden.
    pub looker: Option<Principal>,
}

impl Scene {
    /// What people call `principal`: its name and id.
    #[must_use]
    pub fn name_of(&self, principal: &Principal) -> String {
        let id = principal.id();
        if principal.is_everybody() {
            return "everybody".to_owned();
        }
        self.names.get(principal).map_or_else(
            || id.to_owned(),
            |name| match id.starts_with(PLANNED) {
                true => name.clone(),
                false => format!("{name} ({id})"),
            },
        )
    }

    /// What people call `principal` in their questions: the department and persona, where it is one; with its id.
    #[must_use]
    pub fn title_of(&self, principal: &Principal) -> String {
        let Some(member) = self.member_of(principal) else {
            return self.name_of(principal);
        };
        let id = principal.id();
        match id.starts_with(PLANNED) {
            true => format!("{}/{}", member.department, member.persona),
            false => format!("{}/{} ({id})", member.department, member.persona),
        }
    }

    /// The persona that `principal` is.
    #[must_use]
    pub fn member_of(&self, principal: &Principal) -> Option<&Member> {
        self.members
            .iter()
            .find(|member| member.principal.as_ref() == Some(principal))
    }

    /// The persona `persona` of `department`.
    #[must_use]
    pub fn member(&self, department: &DepartmentCode, persona: &str) -> Option<&Member> {
        let meant = |member: &&Member| member.department == *department && member.persona == persona;
        self.members.iter().find(meant)
    }

    /// Where `binding` came from.
    #[must_use]
    pub fn origin(&self, binding: &RoleBinding) -> Origin {
        let known = self.origins.get(binding);
        known.cloned().unwrap_or_else(|| self.unplanned(&binding.principal))
    }

    /// Where the binding or ACL came from.
    #[must_use]
    pub fn origin_of(&self, permit: &Permit) -> Origin {
        match permit {
            Permit::Role(binding) => self.origin(binding),
            Permit::Acl(acl) => {
                let known = self.acl_origins.get(&acl.acl);
                known.cloned().unwrap_or_else(|| self.unplanned(&acl.acl.principal))
            }
        }
    }

    /// Where what no template asks for came from.
    fn unplanned(&self, holder: &Principal) -> Origin {
        match self.member_of(holder) {
            Some(Member { template: None, .. }) => Origin::Unknown,
            Some(Member { template, .. }) => Origin::Hand {
                template: template.clone(),
            },
            None => Origin::Hand { template: None },
        }
    }

    /// Whether `who` may do `operation` on all that `on` covers.
    #[must_use]
    pub fn can(&self, who: &Principal, operation: Operation, on: &CrnPattern) -> Answer {
        match self.evaluator.decide_pattern(who, operation, on) {
            Decision::Allowed(through) => Answer::Yes(Permit::Role(through)),
            Decision::AllowedByAcl(through) => Answer::Yes(Permit::Acl(through)),
            Decision::DeniedByAcl(by) => Answer::Forbidden(by),
            Decision::Denied => match self.doubts(Some(who), operation, on) {
                doubts if doubts.is_empty() => Answer::No,
                doubts => Answer::Unknown(doubts),
            },
        }
    }

    /// Every binding and ACL that lets somebody do `operation` on something that `on` covers: bindings first, each in the
    /// order of principals.
    #[must_use]
    pub fn who_can(&self, operation: Operation, on: &CrnPattern) -> Vec<Permit> {
        if let Some(resource) = on.literal() {
            let roles = self.evaluator.who_can(operation, &resource).into_iter();
            let acls = self.evaluator.who_can_by_acl(operation, &resource).into_iter();
            return roles
                .map(|(_, binding)| Permit::Role(binding))
                .chain(acls.map(|(_, acl)| Permit::Acl(acl)))
                .collect();
        }
        let roles = self.evaluator.bindings().cloned().map(Permit::Role);
        let acls = self.evaluator.acls().cloned().map(Permit::Acl);
        let gives = |permit: &Permit| self.leaves(permit, on).contains(operation);
        roles.chain(acls).filter(gives).collect()
    }

    /// The bindings and ACLs of `who` that give `operation` on a part of what `on` covers.
    #[must_use]
    pub fn partly(&self, who: &Principal, operation: Operation, on: &CrnPattern) -> Vec<Permit> {
        let gives = |permit: &Permit| self.leaves(permit, on).contains(operation);
        permits(&self.evaluator, who).filter(gives).collect()
    }

    /// What `permit` gives on at least one of the things that `on` covers, without what is denied on all of them.
    fn leaves(&self, permit: &Permit, on: &CrnPattern) -> OperationSet {
        anywhere(permit, on).without(denied(&self.evaluator, permit.principal(), on))
    }

    /// An account that `who` can make act for itself, over any number of steps, and that may do `operation` on all of
    /// `on`; with the binding that gives the first step. Whoever may attach an account to a connector lets the connector
    /// do what the account may (dossier `rbac.md` T5, T6).
    #[must_use]
    pub fn through_account(
        &self,
        who: &Principal,
        operation: Operation,
        on: &CrnPattern,
    ) -> Option<(Principal, Arc<RoleBinding>)> {
        let mut seen = BTreeSet::from([who.clone()]);
        let mut queue = VecDeque::from([(who.clone(), None)]);
        while let Some((principal, first)) = queue.pop_front() {
            for binding in self.evaluator.bindings_of(&principal) {
                for account in controlled(binding, &self.evaluator) {
                    let account = Principal::from(account);
                    let first = first.clone().unwrap_or_else(|| Arc::clone(binding));
                    if !seen.insert(account.clone()) {
                        continue;
                    }
                    if self.evaluator.decide_pattern(&account, operation, on).is_allowed() {
                        return Some((account, first));
                    }
                    queue.push_back((account, Some(first)));
                }
            }
        }
        None
    }
}

impl Scene {
    /// The bindings through which others make the account `principal` act for themselves.
    #[must_use]
    pub fn controllers(&self, principal: &Principal) -> Vec<Arc<RoleBinding>> {
        let Some(account) = principal.service_account() else {
            return Vec::new();
        };
        let account = self.address.service_account_crn(account);
        let controls = |binding: &&Arc<RoleBinding>| {
            binding.principal != *principal
                && binding.pattern.kind() == ResourceKind::ServiceAccount
                && !given(binding, &account).both(CONTROL).is_empty()
        };
        self.evaluator.bindings().filter(controls).cloned().collect()
    }
}

/// How ids of accounts begin that are still to be made.
pub const PLANNED: &str = "sa-planned-";

/// Whether `binding` is bound on something that `on` covers, or on what covers it.
pub(super) fn reaches(binding: &RoleBinding, on: &CrnPattern) -> bool {
    let pattern = &binding.pattern;
    // What hangs below the pattern is of another kind.
    pattern.covers_pattern(on) || (pattern.kind() == on.kind() && pattern.overlaps(on))
}

/// What `binding` gives on at least one of the things that `on` covers.
pub(super) fn somewhere(binding: &RoleBinding, on: &CrnPattern) -> OperationSet {
    if let Some(resource) = on.literal() {
        return given(binding, &resource);
    }
    let kind = on.kind();
    let mut set = match reaches(binding, on) {
        true => gives(&binding.role, kind),
        false => OperationSet::EMPTY,
    };
    let organization = ResourceKind::Organization;
    let same = binding.pattern.value_of(organization) == on.value_of(organization);
    if kind == ResourceKind::ServiceAccount && same {
        set = set.with(gives_on_accounts(&binding.role));
    }
    set
}

/// The same of a binding or an ACL.
pub(super) fn anywhere(permit: &Permit, on: &CrnPattern) -> OperationSet {
    match permit {
        Permit::Role(binding) => somewhere(binding, on),
        Permit::Acl(acl) if acl.place.overlaps(on) => acl.gives(on.kind()),
        Permit::Acl(_) => OperationSet::EMPTY,
    }
}

/// The bindings of `who`, and the ACLs about it: those that name it, and those about everybody.
pub(super) fn permits<'a>(evaluator: &'a Evaluator, who: &'a Principal) -> impl Iterator<Item = Permit> + 'a {
    let roles = evaluator.bindings_of(who).cloned().map(Permit::Role);
    let acls = evaluator.acls_of(who).chain(evaluator.acls_of_everybody());
    roles.chain(acls.cloned().map(Permit::Acl))
}

/// What ACLs deny `who` on all that `on` covers.
pub(super) fn denied(evaluator: &Evaluator, who: &Principal, on: &CrnPattern) -> OperationSet {
    let acls = evaluator.acls_of(who).chain(evaluator.acls_of_everybody());
    let covering = acls.filter(|acl| acl.place.covers_pattern(on));
    covering.fold(OperationSet::EMPTY, |denied, acl| denied.with(acl.takes(on.kind())))
}

#[cfg(test)]
#[path = "scene_tests.rs"]
pub(crate) mod tests;
