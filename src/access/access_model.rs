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
    AccessGrant, DepartmentPrincipals, Evaluator, Operation, OperationSet, PolicyDecision, ResolvedAcl, Uncertainty,
    isolation::{CONTROL_OPERATIONS, controlled_accounts},
    roles::{account_operations_of_role, operations_of_binding, operations_of_role},
};
use crate::model::{
    AclBinding, CrnPattern, DepartmentCode, Prefix, Principal, ResourceKind, Role, RoleBinding, StageAddress,
};

/// A persona of a department, with the account it acts as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonaAccount {
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
pub enum GrantOrigin {
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
    /// It looks like a template's grant, but somebody else owns the account, who may have made up all of it
    /// (docs/reference/rbac.md#threats, T4).
    Impersonating {
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
    Manual {
        /// The template of the account that holds it, which does not ask for it.
        template: Option<String>,
    },
}

impl GrantOrigin {
    /// It in a few words, without reasons: `template hybrid@1a2b3c4d`, `manual`.
    #[must_use]
    pub fn to_short_string(&self) -> String {
        match self {
            Self::Template { template, hash, .. } => format!("template {template}@{hash}"),
            Self::Impersonating { .. } => "impersonating".to_owned(),
            Self::Provisioner { .. } => "provisioner".to_owned(),
            Self::Unknown => "unknown".to_owned(),
            Self::Manual { .. } => "manual".to_owned(),
        }
    }
}

impl fmt::Display for GrantOrigin {
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
            Self::Impersonating { template, owned_by } => write!(
                out,
                "looks like template {template}, but nothing vouches for the account, which is owned by {}",
                owners(owned_by)
            ),
            Self::Provisioner { why } => write!(out, "provisioner: {why}"),
            Self::Unknown => out.write_str("not known without the platform's files"),
            Self::Manual { template: None } => out.write_str("by hand"),
            Self::Manual {
                template: Some(template),
            } => write!(out, "by hand: template {template} does not ask for it"),
        }
    }
}

/// The answer to "may this principal do this there?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessDecision {
    /// Yes, through this binding or ACL.
    Allowed(AccessGrant),
    /// No: everything that could give it was looked at.
    NotAllowed,
    /// No, whatever gives it: this ACL denies it, and nothing outweighs that
    /// (docs/reference/rbac.md#acls-and-role-bindings).
    Denied(Arc<ResolvedAcl>),
    /// Nothing that was seen gives it, and this was not seen.
    Unknown(Vec<Uncertainty>),
}

/// Who may do what at one address, as one source has it.
#[derive(Clone, Debug)]
pub struct AccessModel {
    /// The stage.
    pub stage: String,
    /// Where it lives.
    pub address: StageAddress,
    /// The bindings and ACLs.
    pub evaluator: Evaluator,
    /// The same if the service refuses every role that has a fallback; only where nothing was bound yet.
    pub fallback_evaluator: Option<Evaluator>,
    /// The departments with what their accounts are, for the proof of isolation.
    pub departments: Vec<DepartmentPrincipals>,
    /// The personas of all departments.
    pub personas: Vec<PersonaAccount>,
    /// What people call a principal, where that is not its id.
    pub display_names: BTreeMap<Principal, String>,
    /// Where bindings came from, as far as it is known.
    pub origins: HashMap<RoleBinding, GrantOrigin>,
    /// The same of ACLs.
    pub acl_origins: HashMap<AclBinding, GrantOrigin>,
    /// What could not be looked at, with the reasons.
    pub unknown: BTreeMap<String, String>,
    /// Who looked: what it may not see is not in the bindings. Nobody where nothing is hidden.
    pub observer: Option<Principal>,
}

impl AccessModel {
    /// What people call `principal`: its name and id.
    #[must_use]
    pub fn display_name(&self, principal: &Principal) -> String {
        let id = principal.id();
        if principal.is_all_principals() {
            return "everybody".to_owned();
        }
        self.display_names.get(principal).map_or_else(
            || id.to_owned(),
            |name| match id.starts_with(PLANNED_ID_PREFIX) {
                true => name.clone(),
                false => format!("{name} ({id})"),
            },
        )
    }

    /// What people call `principal` in their questions: the department and persona, where it is one; with its id.
    #[must_use]
    pub fn persona_title(&self, principal: &Principal) -> String {
        let Some(member) = self.persona_of(principal) else {
            return self.display_name(principal);
        };
        let id = principal.id();
        match id.starts_with(PLANNED_ID_PREFIX) {
            true => format!("{}/{}", member.department, member.persona),
            false => format!("{}/{} ({id})", member.department, member.persona),
        }
    }

    /// The persona that `principal` is.
    #[must_use]
    pub fn persona_of(&self, principal: &Principal) -> Option<&PersonaAccount> {
        self.personas
            .iter()
            .find(|member| member.principal.as_ref() == Some(principal))
    }

    /// The persona `persona` of `department`.
    #[must_use]
    pub fn persona(&self, department: &DepartmentCode, persona: &str) -> Option<&PersonaAccount> {
        let meant = |member: &&PersonaAccount| member.department == *department && member.persona == persona;
        self.personas.iter().find(meant)
    }

    /// Where `binding` came from.
    #[must_use]
    pub fn origin(&self, binding: &RoleBinding) -> GrantOrigin {
        let known = self.origins.get(binding);
        known
            .cloned()
            .unwrap_or_else(|| self.unplanned_origin(&binding.principal))
    }

    /// Where the binding or ACL came from.
    #[must_use]
    pub fn grant_origin(&self, grant: &AccessGrant) -> GrantOrigin {
        match grant {
            AccessGrant::Role(binding) => self.origin(binding),
            AccessGrant::Acl(acl) => {
                let known = self.acl_origins.get(&acl.acl);
                known
                    .cloned()
                    .unwrap_or_else(|| self.unplanned_origin(&acl.acl.principal))
            }
        }
    }

    /// Where what no template asks for came from.
    fn unplanned_origin(&self, holder: &Principal) -> GrantOrigin {
        match self.persona_of(holder) {
            Some(PersonaAccount { template: None, .. }) => GrantOrigin::Unknown,
            Some(PersonaAccount { template, .. }) => GrantOrigin::Manual {
                template: template.clone(),
            },
            None => GrantOrigin::Manual { template: None },
        }
    }

    /// Whether `who` may do `operation` on all that `on` covers.
    #[must_use]
    pub fn can(&self, who: &Principal, operation: Operation, on: &CrnPattern) -> AccessDecision {
        match self.evaluator.decide_pattern(who, operation, on) {
            PolicyDecision::AllowedByRole(through) => AccessDecision::Allowed(AccessGrant::Role(through)),
            PolicyDecision::AllowedByAcl(through) => AccessDecision::Allowed(AccessGrant::Acl(through)),
            PolicyDecision::DeniedByAcl(by) => AccessDecision::Denied(by),
            PolicyDecision::NotAllowed => match self.uncertainties(Some(who), operation, on) {
                doubts if doubts.is_empty() => AccessDecision::NotAllowed,
                doubts => AccessDecision::Unknown(doubts),
            },
        }
    }

    /// Every binding and ACL that lets somebody do `operation` on something that `on` covers: bindings first, each in the
    /// order of principals.
    #[must_use]
    pub fn who_can(&self, operation: Operation, on: &CrnPattern) -> Vec<AccessGrant> {
        if let Some(resource) = on.literal() {
            let roles = self.evaluator.who_can(operation, &resource).into_iter();
            let acls = self.evaluator.who_can_by_acl(operation, &resource).into_iter();
            return roles
                .map(|(_, binding)| AccessGrant::Role(binding))
                .chain(acls.map(|(_, acl)| AccessGrant::Acl(acl)))
                .collect();
        }
        let roles = self.evaluator.bindings().cloned().map(AccessGrant::Role);
        let acls = self.evaluator.acls().cloned().map(AccessGrant::Acl);
        let gives = |grant: &AccessGrant| self.effective_operations(grant, on).contains(operation);
        roles.chain(acls).filter(gives).collect()
    }

    /// The bindings and ACLs of `who` that give `operation` on a part of what `on` covers.
    #[must_use]
    pub fn partial_grants(&self, who: &Principal, operation: Operation, on: &CrnPattern) -> Vec<AccessGrant> {
        let gives = |grant: &AccessGrant| self.effective_operations(grant, on).contains(operation);
        grants_of(&self.evaluator, who).filter(gives).collect()
    }

    /// What `permit` gives on at least one of the things that `on` covers, without what is denied on all of them.
    fn effective_operations(&self, grant: &AccessGrant, on: &CrnPattern) -> OperationSet {
        operations_on_any(grant, on).difference(denied_operations(&self.evaluator, grant.principal(), on))
    }

    /// An account that `who` can make act for itself, over any number of steps, and that may do `operation` on all of
    /// `on`; with the binding that gives the first step. Whoever may attach an account to a connector lets the
    /// connector do what the account may (docs/reference/rbac.md#threats, T5, T6).
    #[must_use]
    pub fn find_indirect_access(
        &self,
        who: &Principal,
        operation: Operation,
        on: &CrnPattern,
    ) -> Option<(Principal, Arc<RoleBinding>)> {
        let mut seen = BTreeSet::from([who.clone()]);
        let mut queue = VecDeque::from([(who.clone(), None)]);
        while let Some((principal, first)) = queue.pop_front() {
            for binding in self.evaluator.bindings_of(&principal) {
                for account in controlled_accounts(binding, &self.evaluator) {
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

impl AccessModel {
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
                && !operations_of_binding(binding, &account)
                    .intersection(CONTROL_OPERATIONS)
                    .is_empty()
        };
        self.evaluator.bindings().filter(controls).cloned().collect()
    }
}

/// How ids of accounts begin that are still to be made.
pub const PLANNED_ID_PREFIX: &str = "sa-planned-";

/// Whether `binding` is bound on something that `on` covers, or on what covers it.
pub(super) fn reaches(binding: &RoleBinding, on: &CrnPattern) -> bool {
    let pattern = &binding.pattern;
    // What hangs below the pattern is of another kind.
    pattern.covers_pattern(on) || (pattern.kind() == on.kind() && pattern.overlaps(on))
}

/// What `binding` gives on at least one of the things that `on` covers.
pub(super) fn binding_operations_on_any(binding: &RoleBinding, on: &CrnPattern) -> OperationSet {
    if let Some(resource) = on.literal() {
        return operations_of_binding(binding, &resource);
    }
    let kind = on.kind();
    let mut set = match reaches(binding, on) {
        true => operations_of_role(&binding.role, kind),
        false => OperationSet::EMPTY,
    };
    let organization = ResourceKind::Organization;
    let same = binding.pattern.value_of(organization) == on.value_of(organization);
    if kind == ResourceKind::ServiceAccount && same {
        set = set.union(account_operations_of_role(&binding.role));
    }
    set
}

/// The same of a binding or an ACL.
pub(super) fn operations_on_any(grant: &AccessGrant, on: &CrnPattern) -> OperationSet {
    match grant {
        AccessGrant::Role(binding) => binding_operations_on_any(binding, on),
        AccessGrant::Acl(acl) if acl.pattern.overlaps(on) => acl.allowed_operations(on.kind()),
        AccessGrant::Acl(_) => OperationSet::EMPTY,
    }
}

/// The bindings of `who`, and the ACLs about it: those that name it, and those about everybody.
pub(super) fn grants_of<'a>(evaluator: &'a Evaluator, who: &'a Principal) -> impl Iterator<Item = AccessGrant> + 'a {
    let roles = evaluator.bindings_of(who).cloned().map(AccessGrant::Role);
    let acls = evaluator.acls_of(who).chain(evaluator.acls_for_all_principals());
    roles.chain(acls.cloned().map(AccessGrant::Acl))
}

/// What ACLs deny `who` on all that `on` covers.
pub(super) fn denied_operations(evaluator: &Evaluator, who: &Principal, on: &CrnPattern) -> OperationSet {
    let acls = evaluator.acls_of(who).chain(evaluator.acls_for_all_principals());
    let covering = acls.filter(|acl| acl.pattern.covers_pattern(on));
    covering.fold(OperationSet::EMPTY, |denied, acl| {
        denied.union(acl.denied_operations(on.kind()))
    })
}

#[cfg(test)]
#[path = "access_model_tests.rs"]
pub(crate) mod tests;
