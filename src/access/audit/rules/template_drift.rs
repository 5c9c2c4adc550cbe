//! `template-drift`: a department that is not as its template wants it.

use std::collections::{BTreeSet, HashMap};

use super::Rule;
use crate::{
    access::audit::{
        ExpectedPersona, KeyStanding, Report,
        place::Place,
        sight::Need,
        subject::{Held, Subject, account_name},
        whose::{Member, Who, controls},
    },
    diag::Severity,
    model::{AclBinding, AclGrant, CrnPattern, Grant, KeyKind, Principal, ResourceKind, Role, SeenKey},
};

pub(super) const RULE: Rule = Rule {
    id: "template-drift",
    threat: "T3",
    severity: Severity::Error,
    summary: "a department that is not as its template wants it",
    why: "A role on the own prefix that no template asks for was given by hand, or by the department itself: whoever is \
          ResourceOwner of the prefix can widen its own accounts. What is missing breaks the department, and is the trace of \
          somebody who took it away.",
    evidence: "Missing: an account, a binding, an ACL or a key that the template asks for. Surplus: a binding of one of its accounts on \
               its own names or in another environment, a key of a kind that its persona does not get, an account of a \
               persona that its template does not have. An older template or profile in an account's tag. A department none \
               of whose accounts exist is information: it was never onboarded in this stage.",
    remedy: "EBS: `confluent ebs onboard CODE` makes what is missing, `--prune` also removes surplus bindings, and `access audit \
             --fix` those alone. What is wanted belongs into the template, with its reason.",
    needs: &[Need::Accounts, Need::Cluster, Need::Subjects],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    let mut held: HashMap<&str, Vec<&Held<'_>>> = HashMap::new();
    for one in &subject.bindings {
        held.entry(one.seen.binding.principal.id()).or_default().push(one);
    }
    let mut waiting = BTreeSet::new();
    for expected in subject
        .blueprint
        .departments
        .iter()
        .filter(|expected| !expected.is_retired())
    {
        let own = |member: &&Member<'_>| member.is_of(expected);
        let all: Vec<&Member<'_>> = subject.members.iter().filter(own).collect();
        let ours: Vec<&Member<'_>> = all.iter().copied().filter(|member| is_ours(subject, member)).collect();
        if ours.is_empty() {
            waiting.insert(expected.department.code.clone());
            continue;
        }
        for persona in &expected.personas {
            let name = persona.tag.account_name();
            let called = |member: &&&Member<'_>| member.account.name == name;
            let code = &expected.department.code;
            if let Some(member) = ours.iter().find(called) {
                let own = held.get(member.account.id.as_str()).map_or(&[][..], Vec::as_slice);
                compare(subject, member, persona, own, report);
            } else if all.iter().find(called).is_none() && subject.hidden(Need::Accounts).is_none() {
                let message = format!("service account `{name}` of {code} is missing");
                let found = report.warning(&name, message);
                found
                    .about(code)
                    .fix(format!("`confluent ebs onboard {code}` makes it."));
            }
        }
        for member in ours.into_iter().filter(|member| member.persona.is_none()) {
            let code = &expected.department.code;
            let name = account_name(member.account);
            let message = format!("{name} is for a persona that the template of {code} does not have");
            let found = report.warning(member.account.id.as_str(), message);
            found.about(code).account(member.account).fix(
                "Delete the account with its keys if nobody needs it, or bring the persona back into the template.",
            );
        }
    }
    if !waiting.is_empty() {
        let codes: Vec<&str> = waiting.iter().map(crate::model::DepartmentCode::as_str).collect();
        let message = format!("not onboarded in this stage: {}", codes.join(", "));
        report.info("not-onboarded", message).departments = waiting;
    }
}

/// Whether the provisioner owns it, as far as can be seen. What is not ours is `forged-account`, and no template's.
fn is_ours(subject: &Subject<'_>, member: &Member<'_>) -> bool {
    let owns = |held: &Held<'_>| matches!(held.who, Who::Provisioner) && *held.role() == Role::ResourceOwner;
    let adopted = subject.blueprint.accepts(member.account.id.as_str());
    let hidden = || subject.sight.hidden_control(&member.account.id, "").is_some();
    adopted || subject.on_account(member.account).any(owns) || hidden()
}

fn compare(
    subject: &Subject<'_>,
    member: &Member<'_>,
    persona: &ExpectedPersona,
    own: &[&Held<'_>],
    report: &mut Report,
) {
    let code = &member.department.department.code;
    let name = account_name(member.account);
    for grant in missing(subject, member, persona, own) {
        let message = format!("{name} lacks {} on {}: {}", grant.role, grant.on, grant.why);
        let id = format!("{} {} {}", member.account.name, grant.role, grant.on);
        let found = report.warning(&id, message);
        found.about(code).account(member.account);
        found.fix(format!("`confluent ebs onboard {code}` makes it."));
    }
    for (acl, grant) in missing_acls(subject, member, persona, report) {
        let message = format!("{name} lacks the ACL {}: {}", acl.short(), grant.why);
        let id = format!("{} {}", member.account.name, acl.short());
        let found = report.warning(&id, message);
        found.about(code).account(member.account);
        found.fix(format!("`confluent ebs onboard {code}` makes it."));
    }
    for held in own.iter().filter(|held| is_surplus(subject, held, member)) {
        let message = format!("{}, which its template does not ask for", subject.holds(held));
        let id = held.seen.id.as_str();
        // An owner can pass on what it owns.
        let found = match held.role() {
            Role::ResourceOwner => report.error(id, message),
            _ => report.warning(id, message),
        };
        found.about(code).binding(held.seen).fix(format!(
            "`confluent ebs access audit --fix` removes it; if it is wanted, put it into the template of {code}, with its reason."
        ));
    }
    keys(subject, member, persona, report);
    if member.account.description != persona.tag.to_string() {
        let message = format!("{name} was made from another state of the template or the department's file");
        let found = report.warning(member.account.id.as_str(), message);
        found.about(code).account(member.account);
        found.fix(format!("`confluent ebs onboard {code}` brings it up to date."));
    }
}

fn missing<'a>(
    subject: &Subject<'_>,
    member: &Member<'_>,
    persona: &'a ExpectedPersona,
    own: &[&Held<'_>],
) -> Vec<&'a Grant> {
    let hidden = |need| subject.hidden(need).is_some();
    let unseen = |pattern: &CrnPattern| match pattern.kind() {
        ResourceKind::Subject => hidden(Need::Subjects),
        ResourceKind::Organization => hidden(Need::Organization),
        ResourceKind::Environment => hidden(Need::Environment),
        ResourceKind::ServiceAccount => match pattern.name().stem().parse() {
            Ok(id) => subject.sight.hidden_control(&id, id.as_str()).is_some(),
            Err(_) => true,
        },
        _ => hidden(Need::Cluster),
    };
    let is_missing = |grant: &&Grant| {
        let has = own.iter().any(|held| held.declared == Some(*grant));
        !has && subject.resolve(grant, member).is_some_and(|pattern| !unseen(&pattern))
    };
    persona.grants.iter().filter(is_missing).collect()
}

/// The ACLs that the template asks for and that are not there; where nobody looked, that is unknown.
fn missing_acls<'a>(
    subject: &Subject<'_>,
    member: &Member<'_>,
    persona: &'a ExpectedPersona,
    report: &mut Report,
) -> Vec<(AclBinding, &'a AclGrant)> {
    if persona.acls.is_empty() {
        return Vec::new();
    }
    if let Some(hidden) = subject.hidden(Need::Acls) {
        report.unknown.insert(hidden);
        return Vec::new();
    }
    let principal = Principal::from(member.account.id.clone());
    let prefix = &member.department.department.prefix;
    let wanted = persona
        .acls
        .iter()
        .flat_map(|grant| grant.acls(&principal, prefix).map(move |acl| (acl, grant)));
    let held: BTreeSet<&AclBinding> = subject.seen.acls_of(&principal).collect();
    wanted.filter(|(acl, _)| !held.contains(acl)).collect()
}

/// What is neither asked for nor another rule's.
fn is_surplus(subject: &Subject<'_>, held: &Held<'_>, member: &Member<'_>) -> bool {
    if held.declared.is_some() {
        return false;
    }
    match held.place {
        Place::Names(_, name) => member.department.department.prefix.pattern().covers(name),
        Place::Elsewhere => true,
        // What controls an account is `shadow-account`, `forged-account` or `runtime-owner`, as long as it is there.
        Place::Accounts(_) if held.on_own_account() => *held.role() == Role::Assigner,
        Place::Accounts(name) => {
            let provisioner = name.stem() == subject.blueprint.provisioner.as_str();
            held.target.is_none() && !provisioner && controls(held.role()).is_none()
        }
        Place::Scope(_) => false,
    }
}

fn keys(subject: &Subject<'_>, member: &Member<'_>, persona: &ExpectedPersona, report: &mut Report) {
    // A key on an account that gets none is `runtime-key`.
    if persona.keys.is_empty() {
        return;
    }
    let code = &member.department.department.code;
    let name = account_name(member.account);
    if let Some(reason) = subject.sight.hidden_keys(&member.account.id, &name) {
        report.unknown.insert(reason);
        return;
    }
    let keys = subject.keys_of(member.account);
    for kind in &persona.keys {
        if !keys.iter().any(|key| subject.opens(key) == Some(*kind)) {
            let message = format!("{name} has no {}", words(*kind));
            let id = format!("{} {}", member.account.name, words(*kind));
            let found = report.warning(&id, message);
            found.about(code).account(member.account);
            found.fix(format!("`confluent ebs onboard {code}` makes one and hands it over."));
        }
    }
    let blueprint = subject.blueprint;
    let vouched = |key: &SeenKey| {
        blueprint.standing(&key.id) == Some(KeyStanding::Vouched) && !blueprint.accepts(key.id.as_str())
    };
    for key in keys.iter().filter(|key| vouched(key)) {
        let wanted = subject.opens(key).is_some_and(|kind| persona.keys.contains(&kind));
        if !wanted {
            let message = format!(
                "{name} holds API key {} for `{}`, which its persona does not get",
                key.id, key.resource
            );
            let found = report.warning(key.id.as_str(), message);
            found.about(code).account(member.account).key(&key.id);
            found.fix(format!("Revoke it with `confluent ebs keys revoke {}`.", key.id));
        }
    }
}

const fn words(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Cloud => "Cloud API key",
        KeyKind::Kafka => "Kafka API key",
        KeyKind::SchemaRegistry => "Schema Registry API key",
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        access::audit::{Verdict, testing::Org},
        model::{AclOperation, hidden},
    };

    const ID: &str = super::RULE.id;

    // T3: "whose role ∉ plan".
    #[test]
    fn an_acl_that_is_missing_is_found_where_somebody_looked() {
        let mut org = Org::clean();
        let both = [AclOperation::Create, AclOperation::Write];
        org.grant_acls("claims", "runtime", &both, "dlq-lcc*");
        org.acl("TOPIC#dlq-lcc#PREFIXED#User:sa-claims-runtime#*#CREATE#ALLOW");
        let ruling = org.only(ID, &["ebs-prod-claims-runtime ALLOW WRITE on topic dlq-lcc*"]);
        assert!(ruling.findings[0].finding.message.ends_with(": dead letters"));
        org.seen.acls.clear();
        org.seen.unknown.insert(hidden::ACLS.into(), "no key".into());
        assert_eq!(org.found(ID, &[]).verdict(), Verdict::Unknown);
    }

    #[test]
    fn a_binding_on_the_own_prefix_that_no_template_asks_for_is_surplus() {
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
        let ruling = org.only(ID, &[&owner, &read, &narrow, &elsewhere, &assigner]);
        let severe = ruling
            .findings
            .iter()
            .filter(|found| found.finding.severity == crate::diag::Severity::Error);
        assert_eq!(severe.map(|found| found.subject.clone()).collect::<Vec<_>>(), [owner]);
    }

    #[test]
    fn what_is_missing_is_found() {
        let mut org = Org::clean();
        org.unbind("sa-claims-operator", "$C/connector=claims-*");
        org.unbind("sa-claims-deployer", "$O/service-account=sa-claims-runtime");
        org.seen.keys.retain(|key| key.owner.id() != "sa-claims-viewer");
        org.only(
            ID,
            &[
                "ebs-prod-claims-operator ConnectManager connector:{prefix}*",
                "ebs-prod-claims-deployer Assigner service-account:{runtime}",
                "ebs-prod-claims-viewer Cloud API key",
            ],
        );
        let mut org = Org::clean();
        org.seen
            .accounts
            .retain(|account| account.name != "ebs-prod-claims-viewer");
        org.seen
            .bindings
            .retain(|seen| seen.binding.principal.id() != "sa-claims-viewer");
        org.seen.keys.retain(|key| key.owner.id() != "sa-claims-viewer");
        org.unbind("sa-provisioner", "$O/service-account=sa-claims-viewer");
        org.only(ID, &["ebs-prod-claims-viewer"]);
    }

    // "ConnectManager on a prefix is unconfirmed", design §4: its fallback is as good.
    #[test]
    fn a_fallback_is_as_good_as_the_role() {
        let mut org = Org::clean();
        org.unbind("sa-claims-operator", "$C/connector=claims-*");
        org.bind("sa-claims-operator", "DeveloperRead", "$C/connector=claims-*");
        org.only(ID, &[]);
    }

    #[test]
    fn an_old_tag_a_lost_persona_and_a_key_of_the_wrong_kind_are_drift() {
        let mut org = Org::clean();
        let tag = |org: &Org| {
            org.seen
                .accounts
                .iter()
                .position(|a| a.name == "ebs-prod-claims-viewer")
                .unwrap()
        };
        let viewer = tag(&org);
        org.seen.accounts[viewer].description = org.seen.accounts[viewer].description.replace("hybrid@", "hybrid@0");
        org.tagged("sa-claims-auditor", "claims", "auditor");
        org.key("KAFKAKEY", "sa-claims-operator", "lkc-abc123", 1)
            .vouch("KAFKAKEY");
        org.only(ID, &["KAFKAKEY", "sa-claims-auditor", "sa-claims-viewer"]);
    }

    #[test]
    fn a_department_that_was_never_onboarded_is_information() {
        let mut org = Org::clean();
        org.department("motor", "motor-");
        let ruling = org.only(ID, &[]);
        assert_eq!(ruling.findings[0].subject, "not-onboarded");
    }

    // T12: what is hidden is not missing.
    #[test]
    fn what_is_hidden_is_not_missing() {
        let mut org = Org::clean();
        org.seen
            .bindings
            .retain(|seen| seen.binding.pattern.kind() != crate::model::ResourceKind::Subject);
        org.seen
            .unknown
            .insert("role bindings on subjects".into(), "403".into());
        org.found(ID, &[]);
    }
}
