//! `unmanaged-account`: an account outside the desired state that a department controls.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::AuditRule;
use crate::{
    access::{
        Operation,
        audit::{
            RuleReport,
            binding_location::BindingLocation,
            context::{AuditContext, BindingInContext, account_name},
            principal_class::{DepartmentAccount, PrincipalClass, account_control},
            visibility::RequiredData,
        },
        roles::account_operations_of_role,
    },
    diag::Severity,
    model::{DepartmentCode, NamePattern, ObservedBinding, Principal},
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "unmanaged-account",
    threat: "T4",
    severity: Severity::Error,
    summary: "an account outside the desired state that a department controls",
    why: "ResourceOwner on any resource lets its holder create service accounts in the whole organization (docs \
          `create-service-accounts`), become their owner, create keys for them and grant them access to its prefix. No \
          template declares these accounts, and off-boarding does not delete them. A department with Assigner on such an \
          account runs connectors under it.",
    evidence: "A role binding on a service account of no department, held by a department's account or by an account \
               that it owns directly or indirectly. With `--compare-to FILE`, also unmanaged accounts that the earlier \
               snapshot does not contain. Roles that allow creating accounts are reported as information.",
    remedy: "Platform team: ask the department for its purpose, then delete the account, which also deletes its keys and \
             role bindings. Keep the deployer's key only in the pipeline.",
    needs: &[RequiredData::Accounts, RequiredData::AccountBindings],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    let owned = find_controlled_accounts(context, report);
    let mut reported = BTreeSet::new();
    for (id, unmanaged) in owned {
        reported.insert(id.clone());
        let name = context.display_name(&Principal::from_id(&id));
        let verb = if unmanaged.is_owned {
            "controls"
        } else {
            "can run connectors as"
        };
        let message = format!(
            "{} {verb} {name}, an unmanaged account",
            context.display_name(&unmanaged.controller)
        );
        let found = match unmanaged.is_owned {
            true => report.error(&id, message),
            false => report.warning(&id, message),
        };
        found.concerning(&unmanaged.department);
        found.fix(format!(
            "Ask department `{}` for its purpose, then delete service account `{id}`; this also deletes its keys and role bindings.",
            unmanaged.department
        ));
        if let Some(account) = context.account(&Principal::from_id(&id)) {
            found.account(account);
        }
        for binding in unmanaged.bindings {
            found.binding(binding);
        }
    }
    report_new_accounts(context, &reported, report);
    report_account_creators(context, report);
}

/// An unmanaged account that a department controls.
struct UnmanagedAccount<'a> {
    department: DepartmentCode,
    controller: Principal,
    /// Whether the department owns the account or can only assign it to connectors.
    is_owned: bool,
    bindings: Vec<&'a ObservedBinding>,
}

fn find_controlled_accounts<'a>(
    context: &AuditContext<'a>,
    report: &mut RuleReport,
) -> BTreeMap<String, UnmanagedAccount<'a>> {
    let mut by_principal: BTreeMap<&str, Vec<&BindingInContext<'a>>> = BTreeMap::new();
    for held in &context.bindings {
        if let BindingLocation::Accounts(_) = held.location {
            by_principal
                .entry(held.observed.binding.principal.id())
                .or_default()
                .push(held);
        }
    }
    let mut found: BTreeMap<String, UnmanagedAccount<'a>> = BTreeMap::new();
    let start = context
        .department_accounts
        .iter()
        .map(|member| (member.account.id.to_string(), *member));
    let mut queue: VecDeque<(String, DepartmentAccount<'_>)> = start.collect();
    while let Some((principal, member)) = queue.pop_front() {
        for held in by_principal.get(principal.as_str()).into_iter().flatten() {
            let (BindingLocation::Accounts(name), Some(owns)) = (held.location, account_control(held.role())) else {
                continue;
            };
            let NamePattern::Literal(id) = name else {
                report_account_pattern(context, held, &member, report);
                continue;
            };
            if !is_unmanaged(context, held, id) {
                continue;
            }
            let department = member.department.department.code.clone();
            let unmanaged = found.entry(id.clone()).or_insert_with(|| UnmanagedAccount {
                department,
                controller: held.observed.binding.principal.clone(),
                is_owned: false,
                bindings: Vec::new(),
            });
            unmanaged.bindings.push(held.observed);
            if owns && !unmanaged.is_owned {
                unmanaged.is_owned = true;
                unmanaged.controller = held.observed.binding.principal.clone();
                queue.push_back((id.clone(), member));
            }
        }
    }
    found
}

fn is_unmanaged(context: &AuditContext<'_>, held: &BindingInContext<'_>, id: &str) -> bool {
    let known = held.target.is_some() || context.desired.is_provisioner(id);
    let exists = || {
        // A binding on a deleted account gives no control; it is reported by `dangling-binding`.
        context.account(&Principal::from_id(id)).is_some() || context.missing(RequiredData::Accounts).is_some()
    };
    !known && !context.desired.is_adopted(id) && exists()
}

/// Reports a role on an account prefix, which covers accounts of all departments.
fn report_account_pattern(
    context: &AuditContext<'_>,
    held: &BindingInContext<'_>,
    member: &DepartmentAccount<'_>,
    report: &mut RuleReport,
) {
    let id = held.observed.id.as_str();
    let message = format!(
        "{}, which covers accounts of all departments",
        context.describe_binding(held)
    );
    let found = report.error(id, message);
    found
        .concerning(&member.department.department.code)
        .binding(held.observed);
    found.fix(format!("Delete role binding `{id}`."));
}

/// Reports unmanaged accounts that are missing in the previous snapshot.
fn report_new_accounts(context: &AuditContext<'_>, reported: &BTreeSet<String>, report: &mut RuleReport) {
    let Some(earlier) = context.desired.previous else {
        return;
    };
    let before: BTreeSet<&str> = earlier.accounts.iter().map(|account| account.id.as_str()).collect();
    for account in &context.observed.accounts {
        let id = account.id.as_str();
        let is_unmanaged = matches!(context.account_class(id), Some(PrincipalClass::Unmanaged));
        if !is_unmanaged || before.contains(id) || reported.contains(id) {
            continue;
        }
        let name = account_name(account);
        let message = format!("unmanaged account {name} was created after {}", earlier.taken_at);
        let found = report.warning(id, message);
        found
            .account(account)
            .fix("Find out in the audit log who created it. If it is needed, accept it with a reason.");
    }
}

/// Reports department accounts that may create accounts according to their template.
fn report_account_creators(context: &AuditContext<'_>, report: &mut RuleReport) {
    let can_create = |held: &BindingInContext<'_>| account_operations_of_role(held.role()).contains(Operation::Create);
    let mut creators = BTreeSet::new();
    let mut departments = BTreeSet::new();
    for (held, member) in context.department_bindings() {
        if held.declared.is_some() && can_create(held) {
            creators.insert(member.account.id.as_str());
            departments.insert(member.department.department.code.clone());
        }
    }
    if creators.is_empty() {
        return;
    }
    let message = format!(
        "{} of {} may create service accounts, because their template grants ResourceOwner on their names",
        crate::access::audit::count_noun(creators.len(), "account"),
        crate::access::audit::count_noun(departments.len(), "department"),
    );
    report.info("account-creators", message).departments = departments;
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;

    // T4: a ResourceOwner creates accounts, names itself as owner and shares its prefix with them.
    #[test]
    fn accounts_owned_by_a_deployer_are_found_transitively() {
        let mut org = Org::clean();
        org.account("sa-spare", "innocent")
            .account("sa-second", "more-innocent");
        org.bind("sa-claims-deployer", "ResourceOwner", "$O/service-account=sa-spare");
        org.bind("sa-spare", "ResourceOwner", "$O/service-account=sa-second");
        let result = org.assert_only_findings(ID, &["sa-second", "sa-spare"]);
        for found in result.findings.iter().filter(|found| found.is_problem()) {
            assert!(found.departments.contains(&"claims".parse().unwrap()), "{found:?}");
        }
    }

    #[test]
    fn an_account_that_a_deployer_can_assign_is_found() {
        let mut org = Org::clean();
        org.account("sa-spare", "innocent");
        org.bind("sa-claims-deployer", "Assigner", "$O/service-account=sa-spare");
        org.assert_only_findings(ID, &["sa-spare"]);
    }

    #[test]
    fn a_department_account_with_a_role_on_every_account_is_found() {
        let mut org = Org::clean();
        let binding = org.bind("sa-claims-deployer", "Assigner", "$O/service-account=*");
        org.assert_only_findings(ID, &[&binding]);
    }

    #[test]
    fn unrelated_and_adopted_accounts_are_accepted() {
        let mut org = Org::clean();
        org.account("sa-billing", "billing");
        org.bind("u-known", "ResourceOwner", "$O/service-account=sa-billing");
        org.bind("sa-billing", "DeveloperRead", "$K/topic=central-*");
        org.account("sa-agreed", "agreed").adopted.insert("sa-agreed".into());
        org.bind("sa-claims-deployer", "Assigner", "$O/service-account=sa-agreed");
        org.assert_only_findings(ID, &[]);
    }

    // T4: service accounts that are unknown here.
    #[test]
    fn a_new_unmanaged_account_is_found_by_comparison_with_a_previous_snapshot() {
        let mut org = Org::clean();
        let earlier = org.observed.clone();
        org.account("sa-new", "newcomer");
        org.assert_only_findings(ID, &[]);
        org.previous = Some(earlier);
        org.assert_only_findings(ID, &["sa-new"]);
    }

    #[test]
    fn the_right_of_prefix_owners_to_create_accounts_is_information() {
        let result = Org::clean().assert_findings(ID, &[]);
        let creators = result
            .findings
            .iter()
            .find(|found| found.subject == "account-creators")
            .unwrap();
        assert!(
            creators.finding.message.starts_with("2 accounts of 2 departments"),
            "{creators:?}"
        );
    }

    #[test]
    fn unmanaged_accounts_are_unknown_to_the_provisioner() {
        let result = Org::observed_by_provisioner().assert_findings(ID, &[]);
        assert_eq!(result.verdict(), crate::access::audit::AuditVerdict::Unknown);
    }
}
