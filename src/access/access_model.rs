//! Access model: the role bindings and ACLs of one source (observed, saved or planned), with principals, origins and
//! the gaps of the source.
//!
//! The `manifest` module builds access models from files and snapshots. Decisions have three values: a gap in the
//! source yields an [`Uncertainty`], never "not allowed".

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
    AclBinding, CrnPattern, DepartmentCode, Listing, NamePattern, Prefix, Principal, ResourceKind, Role, RoleBinding,
    StageAddress,
};

/// A persona of a department and its service account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonaAccount {
    /// Code of the department: the name of its file without `.toml`.
    pub department: DepartmentCode,
    /// Template of the department; `None` without the platform files.
    pub template: Option<String>,
    /// Prefix of the department.
    pub prefix: Prefix,
    /// Name of the persona in the template, such as `operator`.
    pub persona: String,
    /// Name of the service account, `ebs-STAGE-DEPARTMENT-PERSONA`.
    pub account: String,
    /// Service account; `None` if the source contains no account of that name.
    pub principal: Option<Principal>,
}

/// Origin of a role binding or an ACL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum GrantOrigin {
    /// Granted by a template.
    Template {
        /// Name of the template that defines the personas and their grants.
        template: String,
        /// Template hash recorded in the account's ownership tag.
        hash: String,
        /// Current template hash, if it differs.
        now: Option<String>,
        /// Role requested by the template, if this binding is the fallback.
        instead_of: Option<Role>,
        /// Reason in the template.
        why: String,
        /// Owners of the account, if it is unknown whether they are the provisioner.
        owned_by: Vec<String>,
    },
    /// Matches a grant of a template, but a foreign principal owns the account and may have created both
    /// (docs/reference/rbac.md#threats, T4).
    Impersonating {
        /// Template named in the account's ownership tag.
        template: String,
        /// Owners of the account.
        owned_by: Vec<String>,
    },
    /// Needed by the provisioner for onboarding.
    Provisioner {
        /// What the provisioner needs the grant for.
        why: &'static str,
    },
    /// Unknown, because the platform files are not available.
    Unknown,
    /// Not declared by any template and not needed by the provisioner, so created manually.
    Manual {
        /// Template of the account's persona, which does not contain the grant.
        template: Option<String>,
    },
}

impl GrantOrigin {
    /// Formats the origin without reasons for a table: `template hybrid@1a2b3c4d`, `manual`.
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
            [] => "an unknown principal".to_owned(),
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
                    write!(out, " (current @{now})")?;
                }
                if let Some(role) = instead_of {
                    write!(out, ", fallback for {role}")?;
                }
                if !owned_by.is_empty() {
                    write!(out, ", account owned by {}", owners(owned_by))?;
                }
                write!(out, ": {why}")
            }
            Self::Impersonating { template, owned_by } => write!(
                out,
                "impersonating: matches template `{template}`, but the account is owned by {}",
                owners(owned_by)
            ),
            Self::Provisioner { why } => write!(out, "provisioner: {why}"),
            Self::Unknown => out.write_str("unknown without the platform files"),
            Self::Manual { template: None } => out.write_str("manual"),
            Self::Manual {
                template: Some(template),
            } => write!(out, "manual: template `{template}` does not contain it"),
        }
    }
}

/// Decision whether a principal is allowed an operation on a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessDecision {
    /// Allowed by this role binding or ACL.
    Allowed(AccessGrant),
    /// Not allowed; all lists that could contain a grant were read.
    NotAllowed,
    /// Denied by this ACL, which overrides all grants (docs/reference/rbac.md#acls-and-role-bindings).
    Denied(Arc<ResolvedAcl>),
    /// No known grant allows it, but these uncertainties remain.
    Unknown(Vec<Uncertainty>),
}

/// Access of all principals at one address, according to one source.
#[derive(Clone, Debug)]
pub struct AccessModel {
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: String,
    /// Address of the stage.
    pub address: StageAddress,
    /// Role bindings and ACLs.
    pub evaluator: Evaluator,
    /// Role bindings and ACLs for the case that the API rejects every role that has a fallback; only for planned
    /// access.
    pub fallback_evaluator: Option<Evaluator>,
    /// Departments with their principals, for the isolation check.
    pub departments: Vec<DepartmentPrincipals>,
    /// Personas of all departments.
    pub personas: Vec<PersonaAccount>,
    /// Account names by principal.
    pub display_names: BTreeMap<Principal, String>,
    /// Known origins of role bindings.
    pub origins: HashMap<RoleBinding, GrantOrigin>,
    /// Known origins of ACLs.
    pub acl_origins: HashMap<AclBinding, GrantOrigin>,
    /// Lists that could not be read, with the reason.
    pub unknown: BTreeMap<Listing, String>,
    /// Principal whose key read the lists; `None` if nothing is hidden from the source.
    pub observer: Option<Principal>,
}

impl AccessModel {
    /// Returns the name and id of `principal`.
    #[must_use]
    pub fn display_name(&self, principal: &Principal) -> String {
        let id = principal.id();
        if principal.is_all_principals() {
            return "all principals".to_owned();
        }
        self.display_names.get(principal).map_or_else(
            || id.to_owned(),
            |name| match id.starts_with(PLANNED_ID_PREFIX) {
                true => name.clone(),
                false => format!("{name} ({id})"),
            },
        )
    }

    /// Returns the department and persona of `principal` with its id; name and id for other principals.
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

    /// Returns the kind and name of a resource, such as `connector claims-*`. A service account has its name and id.
    #[must_use]
    pub fn describe_resource(&self, pattern: &CrnPattern) -> String {
        match pattern.name() {
            NamePattern::Literal(id) if pattern.kind() == ResourceKind::ServiceAccount => {
                format!("service-account {}", self.display_name(&Principal::from_id(id)))
            }
            // A stage has one organization, whose id is long.
            _ if pattern.kind() == ResourceKind::Organization => "organization".to_owned(),
            _ => pattern.to_short_string(),
        }
    }

    /// Returns the persona whose account is `principal`.
    #[must_use]
    pub fn persona_of(&self, principal: &Principal) -> Option<&PersonaAccount> {
        self.personas
            .iter()
            .find(|member| member.principal.as_ref() == Some(principal))
    }

    /// Returns the persona called `persona` of `department`.
    #[must_use]
    pub fn persona(&self, department: &DepartmentCode, persona: &str) -> Option<&PersonaAccount> {
        let meant = |member: &&PersonaAccount| member.department == *department && member.persona == persona;
        self.personas.iter().find(meant)
    }

    /// Returns the origin of a role binding.
    #[must_use]
    pub fn origin(&self, binding: &RoleBinding) -> GrantOrigin {
        let known = self.origins.get(binding);
        known
            .cloned()
            .unwrap_or_else(|| self.unplanned_origin(&binding.principal))
    }

    /// Returns the origin of a role binding or an ACL.
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

    /// Returns the origin of a grant that no template contains.
    fn unplanned_origin(&self, holder: &Principal) -> GrantOrigin {
        match self.persona_of(holder) {
            Some(PersonaAccount { template: None, .. }) => GrantOrigin::Unknown,
            Some(PersonaAccount { template, .. }) => GrantOrigin::Manual {
                template: template.clone(),
            },
            None => GrantOrigin::Manual { template: None },
        }
    }

    /// Decides whether `who` is allowed `operation` on all resources that `on` covers.
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

    /// Returns all role bindings and ACLs that allow `operation` on at least one resource that `on` covers: role
    /// bindings first, then ACLs, each ordered by principal.
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

    /// Returns the role bindings and ACLs of `who` that allow `operation` on a part of what `on` covers.
    #[must_use]
    pub fn partial_grants(&self, who: &Principal, operation: Operation, on: &CrnPattern) -> Vec<AccessGrant> {
        let gives = |grant: &AccessGrant| self.effective_operations(grant, on).contains(operation);
        grants_of(&self.evaluator, who).filter(gives).collect()
    }

    /// Returns the operations that `grant` allows on at least one resource that `on` covers, minus the operations
    /// denied on all of them.
    fn effective_operations(&self, grant: &AccessGrant, on: &CrnPattern) -> OperationSet {
        operations_on_any(grant, on).difference(denied_operations(&self.evaluator, grant.principal(), on))
    }

    /// Returns an account that `who` can control, directly or through other accounts, and that is allowed `operation`
    /// on all of `on`; with the binding that gives `who` the first control. A principal that may assign an account to a
    /// connector gains the account's access through the connector (docs/reference/rbac.md#threats, T5, T6).
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
    /// Returns the role bindings through which other principals control the account `principal`.
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

/// Id prefix of accounts that do not exist yet.
pub const PLANNED_ID_PREFIX: &str = "sa-planned-";

/// Whether `binding` applies to at least one resource that `on` covers.
pub(super) fn reaches(binding: &RoleBinding, on: &CrnPattern) -> bool {
    let pattern = &binding.pattern;
    // Descendants of the pattern have another kind.
    pattern.covers_pattern(on) || (pattern.kind() == on.kind() && pattern.overlaps(on))
}

/// Returns the operations that `binding` allows on at least one resource that `on` covers.
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

/// Returns the operations that a role binding or an ACL allows on at least one resource that `on` covers.
pub(super) fn operations_on_any(grant: &AccessGrant, on: &CrnPattern) -> OperationSet {
    match grant {
        AccessGrant::Role(binding) => binding_operations_on_any(binding, on),
        AccessGrant::Acl(acl) if acl.pattern.overlaps(on) => acl.allowed_operations(on.kind()),
        AccessGrant::Acl(_) => OperationSet::EMPTY,
    }
}

/// Returns the role bindings of `who` and the ACLs that apply to it, including those of the wildcard principal.
pub(super) fn grants_of<'a>(evaluator: &'a Evaluator, who: &'a Principal) -> impl Iterator<Item = AccessGrant> + 'a {
    let roles = evaluator.bindings_of(who).cloned().map(AccessGrant::Role);
    let acls = evaluator.acls_of(who).chain(evaluator.acls_for_all_principals());
    roles.chain(acls.cloned().map(AccessGrant::Acl))
}

/// Returns the operations that ACLs deny `who` on all resources that `on` covers.
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
