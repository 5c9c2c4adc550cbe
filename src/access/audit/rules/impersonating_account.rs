//! `impersonating-account`: an account that looks managed and is controlled by a foreign principal.

use super::AuditRule;
use crate::{
    access::audit::{
        RuleReport,
        binding_location::BindingLocation,
        context::{AuditContext, BindingInContext, account_name},
        principal_class::{DepartmentAccount, PrincipalClass},
        visibility::RequiredData,
    },
    diag::Severity,
    model::{NamePattern, ObservedAccount, OwnershipTag, Principal, Role},
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "impersonating-account",
    threat: "T4",
    severity: Severity::Error,
    summary: "an account that looks managed and is controlled by a foreign principal",
    why: "Any principal that may create accounts can copy the names and tags of managed accounts. If such an account \
          were adopted by mistake, its creator would control a department. `onboard` rejects such accounts, and the \
          audit finds them earlier. Only control over an account proves that it is managed.",
    evidence: "A name that begins like a managed account but without a tag; a tag with another name; or both, if the \
               provisioner is not the owner or a foreign principal holds a role on the account. Any role on the \
               provisioner's own account. Assigner bindings of the own department and accounts under `adopt` in \
               `ebs.toml` are ignored.",
    remedy: "Platform team: do not deliver profiles for it. Find out in the audit log who created it, and delete it \
             or remove the roles.",
    needs: &[RequiredData::Accounts],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    let begin = format!("ebs-{}-", context.desired.stage);
    for account in &context.observed.accounts {
        let tag = account.description.parse::<OwnershipTag>().ok();
        let ours = account.name.starts_with(&begin);
        let stage = tag.as_ref().is_some_and(|tag| tag.stage == context.desired.stage);
        if context.desired.is_adopted(account.id.as_str()) {
            continue;
        }
        match tag {
            Some(tag) if stage && tag.account_name() == account.name => check_control(context, account, &tag, report),
            Some(tag) if stage || ours => {
                let message = format!(
                    "{} has the ownership tag of `{}`, which does not match its name",
                    account_name(account),
                    tag.account_name()
                );
                report_lookalike(context, account, &tag, message, report);
            }
            None if ours => {
                let message = format!(
                    "{} has the name of a managed account but no ownership tag",
                    account_name(account)
                );
                let found = report.error(account.id.as_str(), message);
                found.account(account).fix(removal_advice(context, account));
            }
            _ => {}
        }
    }
    check_provisioner(context, report);
    check_account_patterns(context, report);
}

/// Checks bindings on the provisioner's account. Its holders control all accounts that the provisioner created.
fn check_provisioner(context: &AuditContext<'_>, report: &mut RuleReport) {
    let provisioner = context.desired.provisioner.clone().map(Principal::from);
    let Some(account) = provisioner.and_then(|principal| context.account(&principal)) else {
        return;
    };
    let strange = |held: &&BindingInContext<'_>| {
        !matches!(
            held.holder,
            PrincipalClass::Provisioner | PrincipalClass::Named | PrincipalClass::Deleted
        )
    };
    for held in context.bindings_on_account(account).filter(strange) {
        let id = held.observed.id.as_str();
        let found = report.error(
            id,
            format!(
                "{}, which is the provisioner's own account",
                context.describe_binding(held)
            ),
        );
        found.binding(held.observed).account(account);
        found.fix(format!(
            "Delete role binding `{id}`, and check the provisioner for unrecorded keys."
        ));
    }
}

fn removal_advice(context: &AuditContext<'_>, account: &ObservedAccount) -> String {
    format!(
        "Find out in the audit log who created it; {}",
        context.observed.removal_advice(account)
    )
}

fn report_lookalike(
    context: &AuditContext<'_>,
    account: &ObservedAccount,
    tag: &OwnershipTag,
    message: String,
    report: &mut RuleReport,
) {
    let found = report.error(account.id.as_str(), message);
    found.account(account).fix(removal_advice(context, account));
    if context.is_known(&tag.department) {
        found.concerning(&tag.department);
    }
}

/// Checks which principals control an account whose name and tag are correct.
fn check_control(context: &AuditContext<'_>, account: &ObservedAccount, tag: &OwnershipTag, report: &mut RuleReport) {
    let name = account_name(account);
    let Some(provisioner) = &context.desired.provisioner else {
        report.unknown(
            format!("owner of {name}"),
            "several accounts can be the provisioner, and `provisioner` in `ebs.toml` is not set",
        );
        return;
    };
    let hidden = context.visibility.missing_account_bindings(&account.id, &name);
    let strangers: Vec<&BindingInContext<'_>> = context
        .bindings_on_account(account)
        .filter(|held| is_unexpected(context, tag, held))
        .collect();
    let owned = context
        .bindings_on_account(account)
        .any(|held| matches!(held.holder, PrincipalClass::Provisioner) && *held.role() == Role::ResourceOwner);
    // The provisioner sees all accounts that it owns, so an account it cannot see is not its own.
    let certain = hidden.is_none() || context.observed.observed_by.service_account() == Some(provisioner);
    let message = if !strangers.is_empty() {
        let who: Vec<String> = strangers
            .iter()
            .map(|held| {
                format!(
                    "{} holds {}",
                    context.display_name(&held.observed.binding.principal),
                    held.role()
                )
            })
            .collect();
        format!(
            "{name} has an ownership tag but is controlled by foreign principals: {}",
            who.join(", ")
        )
    } else if !owned && certain {
        format!("{name} has an ownership tag, but `{provisioner}` is not its ResourceOwner")
    } else {
        report.unknown.extend(hidden);
        return;
    };
    let found = report.error(account.id.as_str(), message);
    found.account(account);
    for held in strangers {
        found.binding(held.observed);
    }
    found.fix(format!(
        "Do not deliver profiles for it. Delete these role bindings. If you do not know the account, {}",
        context.observed.removal_advice(account)
    ));
    if context.is_known(&tag.department) {
        found.concerning(&tag.department);
    }
}

fn is_unexpected(context: &AuditContext<'_>, tag: &OwnershipTag, held: &BindingInContext<'_>) -> bool {
    match held.holder {
        PrincipalClass::Provisioner | PrincipalClass::Named | PrincipalClass::Deleted => false,
        // Assigner may attach the account to connectors. Owning a runtime account is reported by `runtime-owner`.
        PrincipalClass::DepartmentAccount(_) if held.is_on_own_account() => {
            *held.role() != Role::Assigner && !held.target.as_ref().is_some_and(DepartmentAccount::is_runtime)
        }
        PrincipalClass::Retired(_) | PrincipalClass::Orphan => {
            let holder = context
                .account(&held.observed.binding.principal)
                .and_then(ObservedAccount::tag);
            let own = holder.is_some_and(|holder| holder.department == tag.department);
            !own || *held.role() != Role::Assigner
        }
        _ => true,
    }
}

/// Checks roles on account prefixes, which also cover managed accounts.
fn check_account_patterns(context: &AuditContext<'_>, report: &mut RuleReport) {
    for held in context.bindings.iter().filter(|held| !held.is_expected()) {
        let BindingLocation::Accounts(NamePattern::Prefixed(_)) = held.location else {
            continue;
        };
        // Bindings of departments are reported by `unmanaged-account`.
        if matches!(
            held.holder,
            PrincipalClass::DepartmentAccount(_) | PrincipalClass::Deleted
        ) {
            continue;
        }
        let id = held.observed.id.as_str();
        let message = format!(
            "{}, which covers accounts of departments",
            context.describe_binding(held)
        );
        let found = report.error(id, message);
        found.binding(held.observed).fix(format!("Delete role binding `{id}`."));
    }
}

#[cfg(test)]
mod tests {
    use crate::{access::audit::fixture::Org, model::Listing};

    const ID: &str = super::RULE.id;
    const OPERATOR: &str = "$O/service-account=sa-claims-operator";

    // T4: an account is managed only if its tag and its name match and the provisioner is its only ResourceOwner.
    #[test]
    fn a_foreign_role_on_a_managed_account_is_found() {
        for (who, role) in [
            ("u-eve", "ResourceOwner"),
            ("sa-fraud-deployer", "Assigner"),
            ("sa-claims-deployer", "ResourceOwner"),
        ] {
            let mut org = Org::clean();
            org.bind(who, role, OPERATOR);
            org.assert_only_findings(ID, &["sa-claims-operator"]);
        }
        let mut org = Org::clean();
        org.bind("u-eve", "Assigner", "$O/service-account=sa-claims-runtime");
        org.assert_only_findings(ID, &["sa-claims-runtime"]);
    }

    #[test]
    fn a_tagged_account_not_owned_by_the_provisioner_is_found() {
        let mut org = Org::clean();
        org.unbind("sa-provisioner", OPERATOR);
        org.assert_only_findings(ID, &["sa-claims-operator"]);
        let mut org = Org::observed_by_provisioner();
        org.unbind("sa-provisioner", OPERATOR);
        org.assert_findings(ID, &["sa-claims-operator"]);
    }

    #[test]
    fn a_name_without_a_tag_and_a_tag_without_the_name_are_found() {
        let mut org = Org::clean();
        org.account("sa-squatter", "ebs-prod-motor-operator");
        org.account("sa-mimic", "innocent");
        let tag = Org::tag("claims", "operator");
        org.observed.accounts.last_mut().unwrap().description = tag;
        org.account("sa-other", "ebs-production-claims");
        org.assert_only_findings(ID, &["sa-mimic", "sa-squatter"]);
    }

    #[test]
    fn named_administrators_and_adopted_accounts_are_accepted() {
        let mut org = Org::clean();
        org.bind("u-known", "ResourceOwner", OPERATOR);
        org.administrators.insert("u-known".into());
        org.account("sa-squatter", "ebs-prod-motor-operator")
            .adopted
            .insert("sa-squatter".into());
        org.assert_only_findings(ID, &[]);
    }

    #[test]
    fn an_orphan_department_may_hold_assigner_on_its_runtime_account() {
        let mut org = Org::clean();
        org.tagged("sa-ghost-runtime", "ghost", "runtime")
            .tagged("sa-ghost-deployer", "ghost", "deployer");
        org.bind("sa-ghost-deployer", "Assigner", "$O/service-account=sa-ghost-runtime");
        org.assert_findings(ID, &[]);
        org.bind(
            "sa-ghost-deployer",
            "ResourceOwner",
            "$O/service-account=sa-ghost-runtime",
        );
        org.assert_findings(ID, &["sa-ghost-runtime"]);
    }

    #[test]
    fn any_role_on_the_provisioner_account_is_found() {
        for who in ["u-eve", "sa-claims-deployer", "sa-central"] {
            let mut org = Org::clean();
            let binding = org.bind(who, "ResourceOwner", "$O/service-account=sa-provisioner");
            org.assert_only_findings(ID, &[&binding]);
        }
    }

    #[test]
    fn a_role_on_every_account_reaches_managed_accounts() {
        let mut org = Org::clean();
        let binding = org.bind("u-eve", "ResourceOwner", "$O/service-account=*");
        org.assert_only_findings(ID, &[&binding]);
    }

    // T12: without the list of an account's bindings, its owner is unknown.
    #[test]
    fn an_account_whose_bindings_cannot_be_listed_is_unknown() {
        let mut org = Org::clean();
        org.unbind("sa-provisioner", OPERATOR);
        org.observed.unknown.insert(
            Listing::AccountBindings("sa-claims-operator".parse().unwrap()),
            "403".into(),
        );
        let result = org.assert_findings(ID, &[]);
        assert_eq!(result.verdict(), crate::access::audit::AuditVerdict::Unknown);
    }
}
