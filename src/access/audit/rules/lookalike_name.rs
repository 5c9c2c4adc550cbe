//! `lookalike-name`: a name that people take for the name of somebody else.

use std::collections::BTreeMap;

use super::AuditRule;
use crate::{
    access::audit::{
        RuleReport,
        context::{AuditContext, account_name},
        lookalike::fold_lookalikes,
        principal_class::PrincipalClass,
        visibility::RequiredData,
    },
    diag::Severity,
    model::{Department, ObservedAccount, Role},
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "lookalike-name",
    threat: "T4",
    severity: Severity::Error,
    summary: "a name that differs from a protected name only in case or in characters that look alike",
    why: "People approve, assign and delete by name. `EBS-prod-claims-operator`, `cIaims-orders` with a \
          capital `I`, or a Cyrillic letter look like the name of a managed account or of a connector of a \
          department, and no rule about exact names finds them.",
    evidence: "A service account whose name equals that of a managed account, of the provisioner or of a named \
               account, or begins like managed accounts, after folding case and characters that look alike (`0` \
               and `O`; `1`, `l`, `i` and `I`; `-` and `_`; the table of Unicode TR39), but not exactly (error). \
               A connector whose name begins with the prefix of a department only after folding, and two \
               departments whose prefixes are equal after folding (warning). Accounts under `adopt` in `ebs.toml` \
               are ignored.",
    remedy: "Platform team: find out in the audit log who created it, and delete or rename it.",
    needs: &[RequiredData::Accounts, RequiredData::Connectors],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    check_accounts(context, report);
    check_connectors(context, report);
    check_prefixes(context, report);
}

/// Whether a name is protected: of managed and named accounts, but not of accounts that imitate them.
fn is_protected(context: &AuditContext<'_>, account: &ObservedAccount) -> bool {
    match context.account_class(account.id.as_str()) {
        Some(PrincipalClass::Provisioner | PrincipalClass::Named) => true,
        Some(PrincipalClass::DepartmentAccount(member)) => member
            .persona
            .is_some_and(|persona| persona.tag.account_name() == account.name),
        // An account of another stage that the provisioner owns.
        Some(PrincipalClass::OtherStage | PrincipalClass::Orphan | PrincipalClass::Retired(_)) => {
            let mut bindings = context.bindings_on_account(account);
            bindings
                .any(|held| matches!(held.holder, PrincipalClass::Provisioner) && *held.role() == Role::ResourceOwner)
        }
        _ => false,
    }
}

fn check_accounts(context: &AuditContext<'_>, report: &mut RuleReport) {
    let begin = format!("ebs-{}-", context.desired.stage);
    let folded_begin = fold_lookalikes(&begin);
    let (protected, others): (Vec<&ObservedAccount>, Vec<&ObservedAccount>) = context
        .observed
        .accounts
        .iter()
        .partition(|account| is_protected(context, account));
    let protected: BTreeMap<String, &ObservedAccount> = protected
        .into_iter()
        .map(|account| (fold_lookalikes(&account.name), account))
        .collect();
    for account in others {
        let folded = fold_lookalikes(&account.name);
        // Names that begin exactly like managed accounts are judged by `impersonating-account`.
        if context.desired.is_adopted(account.id.as_str()) || account.name.starts_with(&begin) {
            continue;
        }
        let what = match protected.get(&folded) {
            Some(original) => format!("the name of {}", account_name(original)),
            None if folded.starts_with(&folded_begin) => {
                format!("the name of a managed account, which begins with `{begin}`")
            }
            None => continue,
        };
        let message = format!("the name of {} looks like {what}", account_name(account));
        let found = report.error(account.id.as_str(), message);
        found.account(account).fix(format!(
            "Find out in the audit log who created it; {}",
            context.observed.removal_advice(account)
        ));
    }
}

fn check_connectors(context: &AuditContext<'_>, report: &mut RuleReport) {
    let prefixes: Vec<_> = context
        .desired
        .departments
        .iter()
        .map(|expected| {
            (
                fold_lookalikes(expected.department.prefix.as_str()),
                &expected.department,
            )
        })
        .collect();
    for connector in &context.observed.connectors {
        if context.owner(&connector.name).is_some() {
            continue;
        }
        let folded = fold_lookalikes(&connector.name);
        let Some((_, department)) = prefixes.iter().find(|(prefix, _)| folded.starts_with(prefix.as_str())) else {
            continue;
        };
        let message = format!(
            "the name of connector `{}` looks like one with the prefix `{}` of department `{}`",
            connector.name, department.prefix, department.code
        );
        let found = report.warning(&connector.name, message);
        found.concerning(&department.code).connector(connector);
        found.fix("Find out who created it, and have it recreated under another name.");
    }
}

fn check_prefixes(context: &AuditContext<'_>, report: &mut RuleReport) {
    let mut seen: BTreeMap<String, &Department> = BTreeMap::new();
    for expected in &context.desired.departments {
        let department = &expected.department;
        // `prefix-overlap` judges prefixes that differ only in delimiters.
        let folded = fold_lookalikes(department.prefix.as_str()).replace(['-', '.'], "");
        let Some(other) = seen.insert(folded, department) else {
            continue;
        };
        let plain = |department: &Department| department.prefix.as_str().replace(['-', '.', '_'], "");
        if plain(other) == plain(department) {
            continue;
        }
        let message = format!(
            "the prefixes `{}` and `{}` of departments `{}` and `{}` look alike",
            other.prefix, department.prefix, other.code, department.code
        );
        let found = report.warning(&format!("{} {}", other.code, department.code), message);
        found.department(&other.code).department(&department.code);
        found.concerning(&other.code).concerning(&department.code);
        found.fix("Give one of them another prefix, or accept the finding with a reason.");
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;

    // T4: names are compared as people read them.
    #[test]
    fn accounts_that_look_managed_are_found() {
        let mut org = Org::clean();
        org.account("sa-upper", "EBS-prod-claims-operator");
        org.account("sa-cyrillic", "\u{435}bs-prod-claims-operator");
        org.account("sa-digit", "ebs-pr0d-motor-operator");
        org.account("sa-provisioner2", "ebs_provisi0ner");
        org.account("sa-fine", "ebs-production-claims");
        org.account("sa-known", "Ebs-prod-claims-viewer")
            .adopted
            .insert("sa-known".into());
        org.assert_only_findings(ID, &["sa-cyrillic", "sa-digit", "sa-provisioner2", "sa-upper"]);
    }

    // A stage whose name looks like this one is no excuse, unless the provisioner owns the account.
    #[test]
    fn accounts_of_other_stages_are_accepted_if_the_provisioner_owns_them() {
        let mut org = Org::clean();
        org.tagged_in("sa-other-stage", "pr0d", "claims", "operator");
        org.assert_findings(ID, &[]);
        org.unbind("sa-provisioner", "$O/service-account=sa-other-stage");
        org.assert_findings(ID, &["sa-other-stage"]);
    }

    #[test]
    fn connectors_and_prefixes_that_look_alike_are_found() {
        let mut org = Org::clean();
        org.connector("Claims-orders", "lcc-1", "sa-central", "a");
        org.connector("cIaims-orders", "lcc-2", "sa-central", "a");
        org.connector("claims_orders", "lcc-3", "sa-central", "a");
        org.connector("claimsorders", "lcc-4", "sa-central", "a");
        org.connector("claims-orders", "lcc-5", "sa-claims-runtime", "claims-a");
        org.assert_only_findings(ID, &["Claims-orders", "cIaims-orders", "claims_orders"]);
        org.observed.connectors.clear();
        org.department("c1aims", "c1aims-");
        org.assert_findings(ID, &["claims c1aims"]);
    }
}
