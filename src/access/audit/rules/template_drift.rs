//! `template-drift`: a department that differs from its template.

use std::collections::{BTreeSet, HashMap};

use super::AuditRule;
use crate::{
    access::audit::{
        ExpectedPersona, KeyRecordStatus, RuleReport,
        binding_location::BindingLocation,
        context::{AuditContext, BindingInContext, account_name},
        principal_class::{DepartmentAccount, PrincipalClass, account_control},
        visibility::RequiredData,
    },
    diag::Severity,
    model::{AclBinding, AclGrant, CrnPattern, KeyKind, ObservedKey, Principal, ResourceKind, Role, RoleGrant},
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "template-drift",
    threat: "T3",
    severity: Severity::Error,
    summary: "a department that differs from its template",
    why: "A role on the own prefix that no template declares was bound manually or by the department itself: a \
          ResourceOwner of the prefix can extend the access of its own accounts. Missing access breaks the \
          department and indicates that someone removed it.",
    evidence: "Missing: an account, role binding, ACL or key that the template declares. Surplus: an undeclared role \
               binding of one of its accounts on its own names or in another environment, a key of a kind that its \
               persona does not get, an account of a persona that its template does not contain. An outdated \
               ownership tag. A department without any accounts is information: it was never onboarded in this \
               stage.",
    remedy: "Platform team: `confluent ebs onboard CODE` creates missing items, `--prune` also deletes surplus role \
             bindings and accounts of personas that the template lost, and `access audit --fix` deletes only surplus \
             role bindings. Declare intended access in the template with a reason.",
    needs: &[RequiredData::Accounts, RequiredData::Cluster, RequiredData::Subjects],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    let mut held: HashMap<&str, Vec<&BindingInContext<'_>>> = HashMap::new();
    for one in &context.bindings {
        held.entry(one.observed.binding.principal.id()).or_default().push(one);
    }
    let mut waiting = BTreeSet::new();
    for expected in context
        .desired
        .departments
        .iter()
        .filter(|expected| !expected.is_retired())
    {
        let own = |member: &&DepartmentAccount<'_>| member.belongs_to(expected);
        let all: Vec<&DepartmentAccount<'_>> = context.department_accounts.iter().filter(own).collect();
        let ours: Vec<&DepartmentAccount<'_>> = all
            .iter()
            .copied()
            .filter(|member| is_managed(context, member))
            .collect();
        if ours.is_empty() {
            if !expected.department.is_allowed_in(context.desired.stage) {
                continue;
            }
            waiting.insert(expected.department.code.clone());
            continue;
        }
        for persona in &expected.personas {
            let name = persona.tag.account_name();
            let called = |member: &&&DepartmentAccount<'_>| member.account.name == name;
            let code = &expected.department.code;
            if let Some(member) = ours.iter().find(called) {
                let own = held.get(member.account.id.as_str()).map_or(&[][..], Vec::as_slice);
                compare_persona(context, member, persona, own, report);
            } else if all.iter().find(called).is_none() && context.missing(RequiredData::Accounts).is_none() {
                let message = format!("service account `{name}` of department `{code}` is missing");
                let found = report.warning(&name, message);
                found
                    .concerning(code)
                    .fix(format!("Run `confluent ebs onboard {code}` to create it."));
            }
        }
        for member in ours.into_iter().filter(|member| member.persona.is_none()) {
            let code = &expected.department.code;
            let name = account_name(member.account);
            let (message, fix) = match expected.department.is_allowed_in(context.desired.stage) {
                true => (
                    format!("{name} belongs to a persona that the template of department `{code}` does not contain"),
                    format!(
                        "Run `confluent ebs onboard {code} --prune` to remove it with its keys and role bindings, or add \
                         the persona to the template again."
                    ),
                ),
                false => (
                    format!("{name} exists, but `stages` of department `{code}` does not contain this stage"),
                    format!("Run `confluent ebs offboard {code}` to remove the access in this stage."),
                ),
            };
            let found = report.warning(member.account.id.as_str(), message);
            found.concerning(code).account(member.account).fix(fix);
        }
    }
    if !waiting.is_empty() {
        let codes: Vec<&str> = waiting.iter().map(crate::model::DepartmentCode::as_str).collect();
        let message = format!("not onboarded in this stage: {}", codes.join(", "));
        report.info("not-onboarded", message).departments = waiting;
    }
}

/// Whether the provisioner owns the account, as far as visible. Other accounts are reported by `impersonating-account`.
fn is_managed(context: &AuditContext<'_>, member: &DepartmentAccount<'_>) -> bool {
    let owns = |held: &BindingInContext<'_>| {
        matches!(held.holder, PrincipalClass::Provisioner) && *held.role() == Role::ResourceOwner
    };
    let adopted = context.desired.is_adopted(member.account.id.as_str());
    let hidden = || {
        context
            .visibility
            .missing_account_bindings(&member.account.id, "")
            .is_some()
    };
    adopted || context.bindings_on_account(member.account).any(owns) || hidden()
}

fn compare_persona(
    context: &AuditContext<'_>,
    member: &DepartmentAccount<'_>,
    persona: &ExpectedPersona,
    own: &[&BindingInContext<'_>],
    report: &mut RuleReport,
) {
    let code = &member.department.department.code;
    let name = account_name(member.account);
    for grant in missing_grants(context, member, persona, own) {
        let message = format!("{name} lacks role {} on `{}`: {}", grant.role, grant.on, grant.why);
        let id = format!("{} {} {}", member.account.name, grant.role, grant.on);
        let found = report.warning(&id, message);
        found.concerning(code).account(member.account);
        found.fix(format!("Run `confluent ebs onboard {code}` to create it."));
    }
    for (acl, grant) in missing_acls(context, member, persona, report) {
        let message = format!("{name} lacks ACL `{}`: {}", acl.to_short_string(), grant.why);
        let id = format!("{} {}", member.account.name, acl.to_short_string());
        let found = report.warning(&id, message);
        found.concerning(code).account(member.account);
        found.fix(format!("Run `confluent ebs onboard {code}` to create it."));
    }
    for held in own.iter().filter(|held| is_surplus(context, held, member)) {
        let message = format!(
            "{}, which its template does not declare",
            context.describe_binding(held)
        );
        let id = held.observed.id.as_str();
        // An owner can grant its access to others.
        let found = match held.role() {
            Role::ResourceOwner => report.error(id, message),
            _ => report.warning(id, message),
        };
        found.concerning(code).binding(held.observed).fix(format!(
            "Run `confluent ebs access audit --fix` to delete it. If it is intended, declare it in the template of `{code}` with a reason."
        ));
    }
    compare_keys(context, member, persona, report);
    if member.account.description != persona.tag.to_string() {
        let message = format!("{name} is outdated: the template or the department's file has changed");
        let found = report.warning(member.account.id.as_str(), message);
        found.concerning(code).account(member.account);
        found.fix(format!("Run `confluent ebs onboard {code}` to update it."));
    }
}

fn missing_grants<'a>(
    context: &AuditContext<'_>,
    member: &DepartmentAccount<'_>,
    persona: &'a ExpectedPersona,
    own: &[&BindingInContext<'_>],
) -> Vec<&'a RoleGrant> {
    let hidden = |need| context.missing(need).is_some();
    let unseen = |pattern: &CrnPattern| match pattern.kind() {
        ResourceKind::Subject => hidden(RequiredData::Subjects),
        ResourceKind::Organization => hidden(RequiredData::Organization),
        ResourceKind::Environment => hidden(RequiredData::Environment),
        ResourceKind::ServiceAccount => match pattern.name().stem().parse() {
            Ok(id) => context.visibility.missing_account_bindings(&id, id.as_str()).is_some(),
            Err(_) => true,
        },
        _ => hidden(RequiredData::Cluster),
    };
    let is_missing = |grant: &&RoleGrant| {
        let has = own.iter().any(|held| held.declared == Some(*grant));
        !has && context.resolve(grant, member).is_some_and(|pattern| !unseen(&pattern))
    };
    persona.grants.iter().filter(is_missing).collect()
}

/// Returns the declared ACLs that are missing; records incomplete data if ACLs were not read.
fn missing_acls<'a>(
    context: &AuditContext<'_>,
    member: &DepartmentAccount<'_>,
    persona: &'a ExpectedPersona,
    report: &mut RuleReport,
) -> Vec<(AclBinding, &'a AclGrant)> {
    if persona.acls.is_empty() {
        return Vec::new();
    }
    if let Some(hidden) = context.missing(RequiredData::Acls) {
        report.unknown.insert(hidden);
        return Vec::new();
    }
    let principal = Principal::from(member.account.id.clone());
    let prefix = &member.department.department.prefix;
    let wanted = persona
        .acls
        .iter()
        .flat_map(|grant| grant.acls(&principal, prefix).map(move |acl| (acl, grant)));
    let held: BTreeSet<&AclBinding> = context.observed.acls_of(&principal).collect();
    wanted.filter(|(acl, _)| !held.contains(acl)).collect()
}

/// Whether a binding is undeclared and not reported by another rule.
fn is_surplus(context: &AuditContext<'_>, held: &BindingInContext<'_>, member: &DepartmentAccount<'_>) -> bool {
    if held.declared.is_some() {
        return false;
    }
    match held.location {
        BindingLocation::Names(_, name) => member.department.department.prefix.pattern().covers(name),
        BindingLocation::Elsewhere => true,
        // Control over an existing account is reported by `unmanaged-account`, `impersonating-account` or
        // `runtime-owner`.
        BindingLocation::Accounts(_) if held.is_on_own_account() => *held.role() == Role::Assigner,
        BindingLocation::Accounts(name) => {
            let provisioner = context.desired.is_provisioner(name.stem());
            held.target.is_none() && !provisioner && account_control(held.role()).is_none()
        }
        BindingLocation::Scope(_) => false,
    }
}

fn compare_keys(
    context: &AuditContext<'_>,
    member: &DepartmentAccount<'_>,
    persona: &ExpectedPersona,
    report: &mut RuleReport,
) {
    // Keys on an account that must not have keys are reported by `runtime-key`.
    if persona.keys.is_empty() {
        return;
    }
    let code = &member.department.department.code;
    let name = account_name(member.account);
    if let Some(reason) = context.visibility.missing_keys(&member.account.id, &name) {
        report.unknown.insert(reason);
        return;
    }
    let keys = context.keys_of(member.account);
    for kind in &persona.keys {
        if !keys.iter().any(|key| context.key_kind(key) == Some(*kind)) {
            let message = format!("{name} has no {}", key_kind_label(*kind));
            let id = format!("{} {}", member.account.name, key_kind_label(*kind));
            let found = report.warning(&id, message);
            found.concerning(code).account(member.account);
            found.fix(format!("Run `confluent ebs onboard {code}` to create and deliver one."));
        }
    }
    let desired = context.desired;
    let is_recorded = |key: &ObservedKey| {
        desired.key_status(&key.id) == Some(KeyRecordStatus::Recorded) && !desired.is_adopted(key.id.as_str())
    };
    for key in keys.iter().filter(|key| is_recorded(key)) {
        let wanted = context.key_kind(key).is_some_and(|kind| persona.keys.contains(&kind));
        if !wanted {
            let message = format!(
                "{name} has API key `{}` for `{}`, a kind that its persona does not get",
                key.id, key.resource
            );
            let found = report.warning(key.id.as_str(), message);
            found.concerning(code).account(member.account).key(&key.id);
            found.fix(format!("Revoke it with `confluent ebs keys revoke {}`.", key.id));
        }
    }
}

const fn key_kind_label(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Cloud => "Cloud API key",
        KeyKind::Kafka => "Kafka API key",
        KeyKind::SchemaRegistry => "Schema Registry API key",
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        access::audit::{AuditVerdict, fixture::Org},
        model::{AclOperation, Listing},
    };

    const ID: &str = super::RULE.id;

    // T3: a role that no template asks for.
    #[test]
    fn a_missing_acl_is_found_when_acls_were_read() {
        let mut org = Org::clean();
        let both = [AclOperation::Create, AclOperation::Write];
        org.grant_acls("claims", "runtime", &both, "dlq-lcc*");
        org.acl("TOPIC#dlq-lcc#PREFIXED#User:sa-claims-runtime#*#CREATE#ALLOW");
        let result = org.assert_only_findings(ID, &["ebs-prod-claims-runtime ALLOW WRITE on topic dlq-lcc*"]);
        assert!(result.findings[0].finding.message.ends_with(": dead letters"));
        org.observed.acls.clear();
        org.observed.unknown.insert(Listing::Acls, "no key".into());
        assert_eq!(org.assert_findings(ID, &[]).verdict(), AuditVerdict::Unknown);
    }

    #[test]
    fn an_undeclared_binding_on_the_own_prefix_is_surplus() {
        let mut org = Org::clean();
        let read = org.bind("sa-claims-operator", "DeveloperRead", "$K/topic=claims-*");
        let owner = org.bind("sa-claims-operator", "ResourceOwner", "$C/connector=claims-*");
        let narrow = org.bind("sa-claims-viewer", "ConnectManager", "$C/connector=claims-orders");
        let elsewhere = org.bind(
            "sa-claims-viewer",
            "DeveloperRead",
            "$O/environment=env-other/cloud-cluster=lkc-other/connector=claims-*",
        );
        let assigner = org.bind("sa-claims-viewer", "Assigner", "$O/service-account=sa-claims-runtime");
        let result = org.assert_only_findings(ID, &[&owner, &read, &narrow, &elsewhere, &assigner]);
        let severe = result
            .findings
            .iter()
            .filter(|found| found.finding.severity == crate::diag::Severity::Error);
        assert_eq!(severe.map(|found| found.subject.clone()).collect::<Vec<_>>(), [owner]);
    }

    #[test]
    fn missing_accounts_bindings_and_keys_are_found() {
        let mut org = Org::clean();
        org.unbind("sa-claims-operator", "$C/connector=claims-*");
        org.unbind("sa-claims-deployer", "$O/service-account=sa-claims-runtime");
        org.observed.keys.retain(|key| key.owner.id() != "sa-claims-viewer");
        org.assert_only_findings(
            ID,
            &[
                "ebs-prod-claims-operator ConnectManager connector:{prefix}*",
                "ebs-prod-claims-deployer Assigner service-account:{runtime}",
                "ebs-prod-claims-viewer Cloud API key",
            ],
        );
        let mut org = Org::clean();
        org.observed
            .accounts
            .retain(|account| account.name != "ebs-prod-claims-viewer");
        org.observed
            .bindings
            .retain(|seen| seen.binding.principal.id() != "sa-claims-viewer");
        org.observed.keys.retain(|key| key.owner.id() != "sa-claims-viewer");
        org.unbind("sa-provisioner", "$O/service-account=sa-claims-viewer");
        org.assert_only_findings(ID, &["ebs-prod-claims-viewer"]);
    }

    // Binding ConnectManager on a prefix is unconfirmed, so a binding of the fallback role is accepted.
    #[test]
    fn a_binding_of_the_fallback_role_is_not_drift() {
        let mut org = Org::clean();
        org.unbind("sa-claims-operator", "$C/connector=claims-*");
        org.bind("sa-claims-operator", "DeveloperRead", "$C/connector=claims-*");
        org.assert_only_findings(ID, &[]);
    }

    #[test]
    fn an_outdated_tag_a_removed_persona_and_a_key_of_the_wrong_kind_are_drift() {
        let mut org = Org::clean();
        let tag = |org: &Org| {
            org.observed
                .accounts
                .iter()
                .position(|a| a.name == "ebs-prod-claims-viewer")
                .unwrap()
        };
        let viewer = tag(&org);
        org.observed.accounts[viewer].description =
            org.observed.accounts[viewer].description.replace("hybrid@", "hybrid@0");
        org.tagged("sa-claims-auditor", "claims", "auditor");
        org.key("KAFKAKEY", "sa-claims-operator", "lkc-abc123", 1)
            .record_key("KAFKAKEY");
        org.assert_only_findings(ID, &["KAFKAKEY", "sa-claims-auditor", "sa-claims-viewer"]);
    }

    #[test]
    fn a_department_that_was_never_onboarded_is_information() {
        let mut org = Org::clean();
        org.department("motor", "motor-");
        let result = org.assert_only_findings(ID, &[]);
        assert_eq!(result.findings[0].subject, "not-onboarded");
    }

    // T12: a hidden binding is not missing.
    #[test]
    fn a_binding_that_may_be_hidden_is_not_reported_missing() {
        let mut org = Org::clean();
        org.observed
            .bindings
            .retain(|seen| seen.binding.pattern.kind() != crate::model::ResourceKind::Subject);
        org.observed.unknown.insert(Listing::SubjectBindings, "403".into());
        org.assert_findings(ID, &[]);
    }
}
