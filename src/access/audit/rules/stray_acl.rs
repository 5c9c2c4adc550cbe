//! `stray-acl`: a Kafka ACL that goes past the role bindings.

use super::{Rule, declared::Declared, shared_namespace::is_own};
use crate::{
    access::audit::{
        Expected, Found, Report,
        place::shared,
        sight::Need,
        subject::{HeldAcl, Subject, whose},
        whose::{Member, Who},
    },
    diag::Severity,
    model::{AclBinding, AclOperation, AclPermission, AclResource, Principal},
};

pub(super) const RULE: Rule = Rule {
    id: "stray-acl",
    threat: "T14",
    severity: Severity::Error,
    summary: "a Kafka ACL that goes past the role bindings",
    why: "ACLs and role bindings add up (dossier `rbac.md` §1.5): one ACL for `User:*`, or for a department's account outside its \
          prefix, widens what every other rule of this audit calls clean. A DENY outweighs every role, and breaks what the \
          template gives.",
    evidence: "An ACL of a department's account that its template does not ask for, an ACL for `User:*`, and one of anybody else \
               who is not named in `ebs.toml` on names of departments, on names that all departments share, or on the whole \
               cluster. On own names it is a warning, and so is what names an account that does not exist any more. What a \
               template declares on shared names is information, with its reason. ACLs are shown to a key of the Kafka \
               cluster; without one this rule is unknown.",
    remedy: "EBS: `access audit --fix` removes those of departments' accounts, `confluent kafka acl delete` those of others. What \
             is wanted belongs into the template, with its reason.",
    needs: &[Need::Acls],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    let mut declared = Declared::default();
    for held in &subject.acls {
        match (held.who, held.declared) {
            (Who::Provisioner | Who::Named, _) => {}
            (Who::Member(member), Some(grant)) => {
                // On own names nobody has to be told.
                if within_shared(held.acl) {
                    declared.add_acls(grant, &member);
                }
            }
            (Who::Member(member), None) => of_a_department(subject, held.acl, &member, report),
            _ => of_somebody(subject, held, report),
        }
    }
    declared.report(report);
}

/// An ACL of a department's account that its template does not ask for.
fn of_a_department(subject: &Subject<'_>, acl: &AclBinding, member: &Member<'_>, report: &mut Report) {
    let inside = is_inside(member, acl);
    if !inside && is_own(subject, member, &acl.pattern) {
        return;
    }
    let reached = reached(subject, acl);
    let about = match inside {
        true => ", which its template does not ask for".to_owned(),
        false => wide(acl, &reached),
    };
    let harmless = inside || (acl.resource == AclResource::Cluster && !is_powerful(&acl.operation));
    let found = found(report, acl, harmless, &subject.name(&acl.principal), &about);
    found.about(&member.department.department.code).fix(
        "`confluent ebs access audit --fix` removes it; if it is wanted, put it into the template, with its reason.",
    );
    for expected in reached {
        found.about(&expected.department.code);
    }
}

/// An ACL of anybody else, or of everybody, as far as it concerns departments.
fn of_somebody(subject: &Subject<'_>, held: &HeldAcl<'_>, report: &mut Report) {
    let acl = held.acl;
    let everybody = acl.is_for_everybody();
    let reached = reached(subject, acl);
    let shared = match held.who {
        // What an off-boarding left behind is `orphan-department` or `retired-prefix` as a whole.
        Who::Orphan | Who::Retired(_) => false,
        _ => within_shared(acl),
    };
    let powerful = acl.resource == AclResource::Cluster && is_powerful(&acl.operation);
    let beyond = !reached.is_empty() || shared || powerful;
    // Who may not do something is no threat to departments, unless it is they who may not.
    if !everybody && (!beyond || acl.permission == AclPermission::Deny) {
        return;
    }
    let gone = is_gone(held);
    let about = match (beyond, gone) {
        (false, _) => String::new(),
        (true, true) => ", and the account does not exist any more".to_owned(),
        (true, false) => wide(acl, &reached),
    };
    let who = match everybody {
        true => "everybody".to_owned(),
        false => subject.name(&acl.principal),
    };
    let found = found(report, acl, !beyond || gone, &who, &about);
    found.fix("Remove it with `confluent kafka acl delete`, or name its holder in ebs.toml.");
    for expected in reached {
        found.about(&expected.department.code);
    }
}

/// A DENY takes away what others are meant to have, and lets nobody reach anything.
fn found<'r>(report: &'r mut Report, acl: &AclBinding, harmless: bool, who: &str, about: &str) -> &'r mut Found {
    let id = acl.to_string();
    let message = format!("{who}: {}{about}", acl.short());
    let found = match harmless || acl.permission == AclPermission::Deny {
        true => report.warning(&id, message),
        false => report.error(&id, message),
    };
    found.acl(acl)
}

fn reached<'a>(subject: &Subject<'a>, acl: &AclBinding) -> Vec<&'a Expected> {
    match acl.resource == AclResource::Cluster {
        true => Vec::new(),
        false => subject.reached(&acl.pattern),
    }
}

fn wide(acl: &AclBinding, reached: &[&Expected]) -> String {
    if acl.resource == AclResource::Cluster {
        return ", on the whole cluster".to_owned();
    }
    let begins = acl.resource.kind().and_then(|kind| shared(kind, &acl.pattern));
    match (reached, begins) {
        ([_, ..], _) => format!(", which reaches names of {}", whose(reached)),
        ([], Some(begins)) => format!(": `{begins}…` is shared by all departments"),
        ([], None) => ", outside its prefix".to_owned(),
    }
}

fn is_inside(member: &Member<'_>, acl: &AclBinding) -> bool {
    let prefix = member.department.department.prefix.pattern();
    acl.resource != AclResource::Cluster && prefix.covers(&acl.pattern)
}

fn within_shared(acl: &AclBinding) -> bool {
    let kind = acl.resource.kind();
    kind.is_some_and(|kind| shared(kind, &acl.pattern).is_some())
}

/// Whether an operation on the cluster does more than look and write without doubles. `CLUSTER_ACTION` is what brokers
/// have among each other, and reads every topic.
fn is_powerful(operation: &AclOperation) -> bool {
    use AclOperation::{Describe, DescribeConfigs, IdempotentWrite};
    !matches!(operation, Describe | DescribeConfigs | IdempotentWrite)
}

/// A list that names accounts by id has only the number of what is gone (docs `access-control/acls/overview`).
fn is_gone(held: &HeldAcl<'_>) -> bool {
    let number = |principal: &Principal| {
        let id = principal.id();
        !id.is_empty() && id.chars().all(|c| c.is_ascii_digit())
    };
    matches!(held.who, Who::Gone) || number(&held.acl.principal)
}

#[cfg(test)]
mod tests {
    use crate::{
        access::audit::{Found, Verdict, testing::Org},
        diag::Severity,
        model::{AclOperation, hidden},
    };

    const ID: &str = super::RULE.id;

    fn severity(text: &str) -> Option<Severity> {
        let mut org = Org::clean();
        let acl = org.acl(text);
        let rulings = org.rulings();
        let ruling = rulings.iter().find(|ruling| ruling.rule.id == ID).unwrap();
        let counted: Vec<&Found> = ruling.findings.iter().filter(|found| found.counts()).collect();
        assert!(counted.iter().all(|found| found.subject == acl), "{counted:?}");
        counted.first().map(|found| found.finding.severity)
    }

    // T14: "allow outside prefix; `User:*`".
    #[test]
    fn an_acl_outside_the_prefix_and_one_for_everybody_are_found() {
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
    fn what_reaches_nobody_else_is_a_warning_or_nothing() {
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

    // §8.3: "ACL CREATE, WRITE on topic PREFIXED `dlq-lcc`"; §8.1: what is of an own connector may be read.
    #[test]
    fn what_the_template_declares_is_information_told_once() {
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
        let ruling = org.only(ID, &[]);
        let told: Vec<&str> = ruling
            .findings
            .iter()
            .map(|found| found.finding.message.as_str())
            .collect();
        assert_eq!(
            told,
            ["the template gives 2 departments ACLs for CREATE, WRITE on topic:dlq-lcc*: dead letters"]
        );
        // The same of another persona is not declared.
        let extra = org.acl("TOPIC#dlq-lcc#PREFIXED#User:sa-claims-operator#*#WRITE#ALLOW");
        org.only(ID, &[&extra]);
    }

    // What others left behind on names that all share is told once, with their accounts.
    #[test]
    fn what_an_orphan_holds_on_shared_names_is_another_rules() {
        let mut org = Org::clean();
        org.tagged("sa-ghost-runtime", "ghost", "runtime")
            .tagged("sa-legacy-runtime", "legacy", "runtime");
        for account in ["sa-ghost-runtime", "sa-legacy-runtime"] {
            org.acl(&format!("TOPIC#dlq-lcc#PREFIXED#User:{account}#*#WRITE#ALLOW"));
        }
        org.found(ID, &[]);
        let wide = org.acl("TOPIC#claims-eu-#PREFIXED#User:sa-ghost-runtime#*#WRITE#ALLOW");
        org.found(ID, &[&wide]);
    }

    // T12: what was not looked at is unknown.
    #[test]
    fn without_a_key_of_the_cluster_it_is_unknown() {
        let mut org = Org::clean();
        org.seen.unknown.insert(hidden::ACLS.into(), "no key".into());
        let ruling = org.found(ID, &[]);
        assert_eq!(ruling.verdict(), Verdict::Unknown);
        assert_eq!(ruling.unknown.first().unwrap().reason, "no key");
    }
}
