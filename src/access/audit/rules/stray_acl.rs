//! `stray-acl`: a Kafka ACL that goes past the role bindings.

use super::Rule;
use crate::{
    access::audit::{Report, subject::Subject},
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "stray-acl",
    threat: "T14",
    severity: Severity::Error,
    summary: "a Kafka ACL that goes past the role bindings",
    why: "ACLs and role bindings add up (dossier `rbac.md` §1.5): one ACL for `User:*`, or for a department's account outside its \
          prefix, widens what every other rule of this audit calls clean.",
    evidence: "Kafka ACLs of the cluster are not in the snapshot, so this rule is unknown.",
    remedy: "EBS: look at them with `confluent kafka acl list --cluster lkc-…`.",
    needs: &[],
    check,
};

/// ACLs are listed by the cluster itself, with a Kafka key, and are not part of a snapshot yet. When they are: an ALLOW for
/// `User:*`, an ALLOW for a department's account on names outside its prefix that its template does not declare, and an
/// ALLOW for anybody else on a department's names.
fn check(_subject: &Subject<'_>, report: &mut Report) {
    report.unknown("Kafka ACLs of the cluster", "they are not part of a snapshot yet");
}

#[cfg(test)]
mod tests {
    use crate::access::audit::{Verdict, testing::Org};

    // T12: what was not looked at is unknown.
    #[test]
    fn what_is_not_looked_at_is_unknown() {
        assert_eq!(Org::clean().found(super::RULE.id, &[]).verdict(), Verdict::Unknown);
    }
}
