//! `unmanaged-acl`: an undeclared Kafka ACL.

use super::{AuditRule, declared::DeclaredGrants, shared_namespace::is_own_connector};
use crate::{
    access::audit::{
        AuditFinding, ExpectedDepartment, RuleReport,
        binding_location::shared_prefix,
        context::{AclInContext, AuditContext, describe_departments},
        principal_class::{DepartmentAccount, PrincipalClass},
        visibility::RequiredData,
    },
    diag::Severity,
    model::{AclBinding, AclOperation, AclPermission, AclResource, Principal},
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "unmanaged-acl",
    threat: "T14",
    severity: Severity::Error,
    summary: "a Kafka ACL that no template declares",
    why: "ACLs and role bindings accumulate (docs/reference/rbac.md#acls-and-role-bindings): one ACL for `User:*`, or \
          for a department's account outside its prefix, gives access that the rules for role bindings do not find. A \
          DENY overrides all roles and breaks declared access.",
    evidence: "An undeclared ACL of a department's account, an ACL for `User:*`, and an ACL of any other principal \
               not named in `ebs.toml` on names of departments, on shared names, or on the whole cluster. ACLs on \
               own names and of deleted accounts are warnings. Declared ACLs on shared names are information. Only a \
               key of the Kafka cluster can list ACLs; without one the verdict is unknown.",
    remedy: "Platform team: `access audit --fix` deletes ACLs of departments' accounts, `confluent kafka acl delete` \
             those of other principals. Declare intended ACLs in the template with a reason.",
    needs: &[RequiredData::Acls],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    let mut declared = DeclaredGrants::default();
    for held in &context.acls {
        match (held.holder, held.declared) {
            (PrincipalClass::Provisioner | PrincipalClass::Named, _) => {}
            (PrincipalClass::DepartmentAccount(member), Some(grant)) => {
                // Declared ACLs on own names are not reported.
                if is_on_shared_names(held.acl) {
                    declared.add_acls(grant, &member);
                }
            }
            (PrincipalClass::DepartmentAccount(member), None) => {
                check_department_acl(context, held.acl, &member, report);
            }
            _ => check_other_acl(context, held, report),
        }
    }
    declared.report(report);
}

/// Checks an undeclared ACL of a department's account.
fn check_department_acl(
    context: &AuditContext<'_>,
    acl: &AclBinding,
    member: &DepartmentAccount<'_>,
    report: &mut RuleReport,
) {
    let inside = is_within_prefix(member, acl);
    if !inside && is_own_connector(context, member, &acl.pattern) {
        return;
    }
    let reached = departments_reached(context, acl);
    let about = match inside {
        true => ", which its template does not declare".to_owned(),
        false => describe_reach(acl, &reached),
    };
    let harmless = inside || (acl.resource == AclResource::Cluster && !is_powerful(&acl.operation));
    let found = report_acl(report, acl, harmless, &context.display_name(&acl.principal), &about);
    found.concerning(&member.department.department.code).fix(
        "Run `confluent ebs access audit --fix` to delete it. If it is intended, declare it in the template with a reason.",
    );
    for expected in reached {
        found.concerning(&expected.department.code);
    }
}

/// Checks an ACL of another principal or of all principals for effects on departments.
fn check_other_acl(context: &AuditContext<'_>, held: &AclInContext<'_>, report: &mut RuleReport) {
    let acl = held.acl;
    let everybody = acl.is_for_all_principals();
    let reached = departments_reached(context, acl);
    let shared = match held.holder {
        // Leftovers of an off-boarding are reported by `orphan-department` or `retired-prefix`.
        PrincipalClass::Orphan | PrincipalClass::Retired(_) => false,
        _ => is_on_shared_names(acl),
    };
    let powerful = acl.resource == AclResource::Cluster && is_powerful(&acl.operation);
    let beyond = !reached.is_empty() || shared || powerful;
    // A DENY for a foreign principal does not affect departments.
    if !everybody && (!beyond || acl.permission == AclPermission::Deny) {
        return;
    }
    let gone = is_holder_deleted(held);
    let about = match (beyond, gone) {
        (false, _) => String::new(),
        (true, true) => ", but the account no longer exists".to_owned(),
        (true, false) => describe_reach(acl, &reached),
    };
    let who = match everybody {
        true => "all principals".to_owned(),
        false => context.display_name(&acl.principal),
    };
    let found = report_acl(report, acl, !beyond || gone, &who, &about);
    found.fix("Delete it with `confluent kafka acl delete`, or name its holder in `ebs.toml`.");
    for expected in reached {
        found.concerning(&expected.department.code);
    }
}

/// Reports an ACL. A DENY is never an error, because it gives no access.
fn report_acl<'r>(
    report: &'r mut RuleReport,
    acl: &AclBinding,
    harmless: bool,
    who: &str,
    about: &str,
) -> &'r mut AuditFinding {
    let id = acl.to_string();
    let message = format!("{who}: {}{about}", acl.to_short_string());
    let found = match harmless || acl.permission == AclPermission::Deny {
        true => report.warning(&id, message),
        false => report.error(&id, message),
    };
    found.acl(acl)
}

fn departments_reached<'a>(context: &AuditContext<'a>, acl: &AclBinding) -> Vec<&'a ExpectedDepartment> {
    match acl.resource == AclResource::Cluster {
        true => Vec::new(),
        false => context.departments_reached(&acl.pattern),
    }
}

fn describe_reach(acl: &AclBinding, reached: &[&ExpectedDepartment]) -> String {
    if acl.resource == AclResource::Cluster {
        return ", which applies to the whole cluster".to_owned();
    }
    let begins = acl.resource.kind().and_then(|kind| shared_prefix(kind, &acl.pattern));
    match (reached, begins) {
        ([_, ..], _) => format!(", which covers names of {}", describe_departments(reached)),
        ([], Some(begins)) => format!(", but `{begins}…` is shared by all departments"),
        ([], None) => ", which is outside its prefix".to_owned(),
    }
}

fn is_within_prefix(member: &DepartmentAccount<'_>, acl: &AclBinding) -> bool {
    let prefix = member.department.department.prefix.pattern();
    acl.resource != AclResource::Cluster && prefix.covers(&acl.pattern)
}

fn is_on_shared_names(acl: &AclBinding) -> bool {
    let kind = acl.resource.kind();
    kind.is_some_and(|kind| shared_prefix(kind, &acl.pattern).is_some())
}

/// Whether an operation on the cluster allows more than describing it and idempotent writes. `CLUSTER_ACTION` is meant
/// for brokers and allows reading every topic.
fn is_powerful(operation: &AclOperation) -> bool {
    use AclOperation::{Describe, DescribeConfigs, IdempotentWrite};
    !matches!(operation, Describe | DescribeConfigs | IdempotentWrite)
}

/// Whether the holder was deleted. Lists with account ids show only the number of a deleted account (docs
/// `access-control/acls/overview`).
fn is_holder_deleted(held: &AclInContext<'_>) -> bool {
    let number = |principal: &Principal| {
        let id = principal.id();
        !id.is_empty() && id.chars().all(|c| c.is_ascii_digit())
    };
    matches!(held.holder, PrincipalClass::Deleted) || number(&held.acl.principal)
}

#[cfg(test)]
mod tests {
    use crate::{
        access::audit::{AuditFinding, AuditVerdict, fixture::Org},
        diag::Severity,
        model::{AclOperation, Listing},
    };

    const ID: &str = super::RULE.id;

    fn severity(text: &str) -> Option<Severity> {
        let mut org = Org::clean();
        let acl = org.acl(text);
        let results = org.run_audit();
        let result = results.iter().find(|result| result.rule.id == ID).unwrap();
        let counted: Vec<&AuditFinding> = result.findings.iter().filter(|found| found.is_problem()).collect();
        assert!(counted.iter().all(|found| found.subject == acl), "{counted:?}");
        counted.first().map(|found| found.finding.severity)
    }

    // T14: an ACL allows something outside the prefix, or names `User:*`.
    #[test]
    fn acls_outside_the_prefix_and_for_all_principals_are_errors() {
        for text in [
            "TOPIC#fraud-#PREFIXED#User:sa-claims-runtime#*#READ#ALLOW",
            "TOPIC#claims#PREFIXED#User:sa-claims-runtime#*#READ#ALLOW",
            "TOPIC#*#LITERAL#User:sa-claims-runtime#*#READ#ALLOW",
            "TOPIC#audit#LITERAL#User:sa-claims-operator#*#WRITE#ALLOW",
            "GROUP#connect-lcc#PREFIXED#User:sa-claims-operator#*#READ#ALLOW",
            "TOPIC#dlq-lcc#PREFIXED#User:sa-claims-runtime#*#CREATE#ALLOW",
            "CLUSTER#kafka-cluster#LITERAL#User:sa-claims-runtime#*#ALTER#ALLOW",
            "CLUSTER#kafka-cluster#LITERAL#User:sa-central#*#CREATE#ALLOW",
            "CLUSTER#kafka-cluster#LITERAL#User:sa-central#*#CLUSTER_ACTION#ALLOW",
            "TOPIC#claims-orders#LITERAL#User:*#*#READ#ALLOW",
            "TOPIC#*#LITERAL#User:u-eve#*#DESCRIBE#ALLOW",
            "TOPIC#claims-#PREFIXED#User:sa-central#*#WRITE#ALLOW",
            "TOPIC#dlq-lcc-abc#LITERAL#User:u-eve#*#READ#ALLOW",
        ] {
            assert_eq!(severity(text), Some(Severity::Error), "{text}");
        }
    }

    #[test]
    fn acls_that_reach_no_other_department_are_warnings_or_accepted() {
        for text in [
            "TOPIC#claims-#PREFIXED#User:sa-claims-runtime#*#ALL#ALLOW",
            "TOPIC#claims-orders#LITERAL#User:sa-claims-operator#*#READ#DENY",
            "CLUSTER#kafka-cluster#LITERAL#User:sa-claims-runtime#*#DESCRIBE#ALLOW",
            "TOPIC#public-#PREFIXED#User:*#*#READ#ALLOW",
            "TOPIC#claims-#PREFIXED#User:*#*#READ#DENY",
            // Docs `access-control/acls/overview`: ACLs of deleted principals stay, and show their number.
            "TOPIC#claims-#PREFIXED#User:1234567#*#READ#ALLOW",
            "TOPIC#claims-#PREFIXED#User:sa-gone#*#READ#ALLOW",
        ] {
            assert_eq!(severity(text), Some(Severity::Warning), "{text}");
        }
        for text in [
            "TOPIC#central-#PREFIXED#User:sa-central#*#ALL#ALLOW",
            "CLUSTER#kafka-cluster#LITERAL#User:sa-central#*#DESCRIBE#ALLOW",
            "TOPIC#*#LITERAL#User:sa-provisioner#*#ALL#ALLOW",
            "TOPIC#claims-#PREFIXED#User:u-admin#*#READ#ALLOW",
            "TOPIC#claims-#PREFIXED#User:u-eve#*#READ#DENY",
        ] {
            assert_eq!(severity(text), None, "{text}");
        }
    }

    // The runtime account creates and writes topics that begin with `dlq-lcc`; the operator reads those of its own
    // connectors (docs/reference/rbac.md#personas).
    #[test]
    fn a_declared_acl_is_reported_once_as_information() {
        let mut org = Org::clean();
        for code in ["claims", "fraud"] {
            let both = [AclOperation::Create, AclOperation::Write];
            org.grant_acls(code, "runtime", &both, "dlq-lcc*");
            org.grant_acls(code, "runtime", &[AclOperation::Delete], "prefix");
            for operation in ["CREATE", "WRITE"] {
                org.acl(&format!(
                    "TOPIC#dlq-lcc#PREFIXED#User:sa-{code}-runtime#*#{operation}#ALLOW"
                ));
            }
            org.acl(&format!("TOPIC#{code}-#PREFIXED#User:sa-{code}-runtime#*#DELETE#ALLOW"));
        }
        org.connector("claims-sink", "lcc-own", "sa-claims-runtime", "claims-a");
        org.acl("TOPIC#dlq-lcc-own#LITERAL#User:sa-claims-operator#*#READ#ALLOW");
        let result = org.assert_only_findings(ID, &[]);
        let found: Vec<&str> = result
            .findings
            .iter()
            .map(|found| found.finding.message.as_str())
            .collect();
        assert_eq!(
            found,
            ["the template grants 2 departments ACLs for CREATE, WRITE on topic:dlq-lcc*: dead letters"]
        );
        // The same ACL of another persona is not declared.
        let extra = org.acl("TOPIC#dlq-lcc#PREFIXED#User:sa-claims-operator#*#WRITE#ALLOW");
        org.assert_only_findings(ID, &[&extra]);
    }

    // ACLs of orphan accounts on shared names are reported once, with their accounts.
    #[test]
    fn acls_of_an_orphan_on_shared_names_belong_to_another_rule() {
        let mut org = Org::clean();
        org.tagged("sa-ghost-runtime", "ghost", "runtime")
            .tagged("sa-legacy-runtime", "legacy", "runtime");
        for account in ["sa-ghost-runtime", "sa-legacy-runtime"] {
            org.acl(&format!("TOPIC#dlq-lcc#PREFIXED#User:{account}#*#WRITE#ALLOW"));
        }
        org.assert_findings(ID, &[]);
        let wide = org.acl("TOPIC#claims-eu-#PREFIXED#User:sa-ghost-runtime#*#WRITE#ALLOW");
        org.assert_findings(ID, &[&wide]);
    }

    // T12: unread data is unknown.
    #[test]
    fn the_rule_is_unknown_without_a_key_of_the_cluster() {
        let mut org = Org::clean();
        org.observed.unknown.insert(Listing::Acls, "no key".into());
        let result = org.assert_findings(ID, &[]);
        assert_eq!(result.verdict(), AuditVerdict::Unknown);
        assert_eq!(result.unknown.first().unwrap().reason, "no key");
    }
}
