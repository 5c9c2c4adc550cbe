//! All rules together, on an organization as it should be.

use proptest::prelude::*;

use super::{RULES, Verdict, testing::Org};
use crate::{
    access::{Evaluator, Operation, OperationSet, isolation::NAMED_KINDS},
    model::{NamePattern, Principal, ResourceKind, Role, RoleBinding, SeenBinding, hidden},
};

// Issue: "`access audit` on the example platform is clean".
#[test]
fn an_organization_as_it_should_be_is_clean_to_an_administrator() {
    for ruling in Org::clean().rulings() {
        assert_eq!(ruling.verdict(), Verdict::Absent, "{ruling:#?}");
    }
}

// T12: "403-as-absent: … makes audit look clean". What the provisioner of §8.6 may list decides.
#[test]
fn to_the_provisioner_what_it_cannot_list_is_unknown() {
    let known = [
        "granted-onward",
        "runtime-owner",
        "runtime-key",
        "unvouched-key",
        "orphaned-key",
        "key-age",
        "key-count",
        "connector-topic",
        // With a key of the cluster.
        "stray-acl",
    ];
    for ruling in Org::seen_by_provisioner().rulings() {
        let expected = if known.contains(&ruling.rule.id) {
            Verdict::Absent
        } else {
            Verdict::Unknown
        };
        assert_eq!(ruling.verdict(), expected, "{ruling:#?}");
    }
}

#[test]
fn a_key_without_any_role_sees_nothing_and_says_so() {
    let mut org = Org::clean();
    org.seen.seen_by = "User:u-nobody".parse().unwrap();
    org.seen.bindings.clear();
    org.seen.accounts.clear();
    org.seen.keys.clear();
    org.seen.unknown.insert(hidden::ACLS.into(), "no key".into());
    for ruling in org.rulings() {
        let by_account = [
            "runtime-owner",
            "runtime-key",
            "unvouched-key",
            "orphaned-key",
            "key-age",
            "key-count",
        ];
        // Without a department's account there is nothing that these could be about.
        if !by_account.contains(&ruling.rule.id) {
            assert_eq!(ruling.verdict(), Verdict::Unknown, "{ruling:#?}");
        }
    }
}

// T12: each list by itself. Whoever needs it must not call clean what it has not seen, and nobody else may care.
#[test]
fn a_list_that_was_refused_makes_those_rules_unknown_that_need_it() {
    let on_cluster = [
        "prefix-overlap",
        "wildcard-slip",
        "granted-onward",
        "template-drift",
        "shared-namespace",
        "dangling-binding",
        "retired-prefix",
        "group-mapping",
        "unnamed-administrator",
    ];
    let accounts = [
        "prefix-overlap",
        "wildcard-slip",
        "template-drift",
        "shadow-account",
        "forged-account",
        "shared-namespace",
        "connector-identity",
        "dangling-binding",
        "retired-prefix",
        "orphan-department",
    ];
    let expected: &[(&str, &[&str])] = &[
        (hidden::ACLS, &["stray-acl"]),
        (
            hidden::KEYS,
            &[
                "template-drift",
                "runtime-key",
                "unvouched-key",
                "orphaned-key",
                "key-age",
                "key-count",
                "user-key",
            ],
        ),
        (
            hidden::CONNECTORS,
            &[
                "connector-topic",
                "shared-namespace",
                "connector-identity",
                "retired-prefix",
            ],
        ),
        (hidden::ACCOUNTS, &accounts),
        (
            hidden::ORGANIZATION,
            &[
                "wildcard-slip",
                "shadow-account",
                "dangling-binding",
                "group-mapping",
                "unnamed-administrator",
            ],
        ),
        (
            hidden::ENVIRONMENT,
            &[
                "wildcard-slip",
                "registry-wide",
                "group-mapping",
                "unnamed-administrator",
            ],
        ),
        (hidden::CLUSTER, &on_cluster),
        (
            hidden::SUBJECTS,
            &[
                "prefix-overlap",
                "wildcard-slip",
                "granted-onward",
                "template-drift",
                "registry-wide",
                "dangling-binding",
                "retired-prefix",
            ],
        ),
    ];
    for (list, rules) in expected {
        let mut org = Org::clean();
        org.seen.unknown.insert((*list).into(), "refused".into());
        let rulings = org.rulings();
        let unknown = rulings.iter().filter(|ruling| ruling.verdict() == Verdict::Unknown);
        let unknown: Vec<&str> = unknown.map(|ruling| ruling.rule.id).collect();
        assert_eq!(unknown, *rules, "{list}");
    }
}

#[test]
fn the_order_of_the_lists_does_not_matter() {
    let mut org = Org::clean();
    org.bind("u-eve", "DeveloperRead", "$K/topic=claims-*");
    org.bind("sa-claims-operator", "DeveloperRead", "$K/topic=*");
    org.bind("sa-claims-deployer", "ResourceOwner", "$O/service-account=sa-central");
    let text = |org: &Org| {
        let rulings = org.rulings();
        let found: Vec<_> = rulings.iter().flat_map(|ruling| &ruling.findings).collect();
        serde_json::to_string(&found).unwrap()
    };
    let before = text(&org);
    org.seen.accounts.reverse();
    org.seen.bindings.reverse();
    org.seen.keys.reverse();
    assert_eq!(text(&org), before);
}

#[test]
fn rules_have_ids_that_stay_and_say_everything_in_sentences() {
    for (index, rule) in RULES.iter().enumerate() {
        let kebab = rule.id.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        assert!(
            kebab && RULES[..index].iter().all(|other| other.id != rule.id),
            "{}",
            rule.id
        );
        assert!(!rule.summary.ends_with('.'), "{}", rule.id);
        for text in [rule.why, rule.evidence, rule.remedy] {
            assert!(text.ends_with('.'), "{}: {text}", rule.id);
        }
    }
    assert!(super::rules::find("no-such-rule").is_none());
}

// Issue: "one rule per file for the threats T1–T16 of `domain/rbac.md` §7 that can be seen from the API".
#[test]
fn every_threat_has_a_rule_or_a_reason_why_not() {
    for number in 1..=18 {
        let threat = format!("T{number}");
        let rule = RULES.iter().any(|rule| rule.threat == threat);
        let reason = super::rules::NOT_AUDITED.iter().any(|(not, ..)| *not == threat);
        assert!(rule || reason, "{threat}");
    }
}

const PREFIXES: [(&str, &str); 2] = [("claims", "claims-"), ("fraud", "fraud-")];

/// Whether `binding` alone lets its holder do something to what belongs to a department that is not its own.
fn reaches_somebody_else(org: &Org, binding: &RoleBinding) -> bool {
    const CONTROL: OperationSet = OperationSet::of(&[
        Operation::Assign,
        Operation::Update,
        Operation::Delete,
        Operation::ManageCloudKeys,
        Operation::ManageKafkaKeys,
        Operation::AlterAccess,
    ]);
    let address = &org.seen.address;
    let holder = binding.principal.id();
    let evaluator = Evaluator::new([binding.clone()]);
    let others = PREFIXES
        .iter()
        .filter(|(code, _)| !holder.starts_with(&format!("sa-{code}-")));
    others.into_iter().any(|(code, prefix)| {
        let names = NAMED_KINDS.into_iter().any(|kind| {
            let all = address.pattern(kind, NamePattern::Prefixed((*prefix).to_owned()));
            all.is_some_and(|all| evaluator.touching(&all).next().is_some())
        });
        let accounts = ["operator", "deployer", "viewer", "runtime"]
            .into_iter()
            .any(|persona| {
                let id = format!("sa-{code}-{persona}").parse().unwrap();
                let operations = evaluator.operations(&binding.principal, &address.service_account_crn(&id));
                !operations.both(CONTROL).is_empty()
            });
        names || accounts
    })
}

fn names(kind: ResourceKind) -> &'static [&'static str] {
    match kind {
        ResourceKind::ServiceAccount => &[
            "sa-claims-runtime",
            "sa-fraud-operator",
            "sa-provisioner",
            "sa-central",
            "*",
        ],
        _ => &[
            "claims-*",
            "claims-a",
            "c*",
            "*",
            "fraud-*",
            "fraud",
            "legacy-*",
            "central-*",
            "connect-lcc*",
            "dlq-lcc-1",
        ],
    }
}

fn patterns() -> Vec<String> {
    let kinds = [
        ("$C/connector", ResourceKind::Connector),
        ("$K/topic", ResourceKind::Topic),
        ("$K/group", ResourceKind::Group),
        ("$K/transactional-id", ResourceKind::TransactionalId),
        ("$S/subject", ResourceKind::Subject),
        ("$O/service-account", ResourceKind::ServiceAccount),
    ];
    let named = kinds
        .iter()
        .flat_map(|(parent, kind)| names(*kind).iter().map(move |name| format!("{parent}={name}")));
    named.chain(["$O", "$E", "$C", "$K", "$S"].map(str::to_owned)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    // What the evaluator says that a binding gives decides, not what the rules look for: no way past all of them.
    #[test]
    fn every_binding_that_reaches_somebody_else_is_found_by_exactly_one_rule(
        who in proptest::sample::select(vec![
            "u-eve", "pool-abc", "group-sso", "sa-central", "sa-stranger",
            "sa-claims-operator", "sa-claims-deployer", "sa-claims-runtime", "sa-fraud-viewer",
        ]),
        role in proptest::sample::select(Role::KNOWN.to_vec()),
        on in proptest::sample::select(patterns()),
    ) {
        let mut org = Org::clean();
        let before: Vec<SeenBinding> = org.seen.bindings.clone();
        let id = org.bind(who, role.as_str(), &on);
        let planted = org.seen.bindings.last().unwrap().binding.clone();
        prop_assume!(before.iter().all(|seen| seen.binding != planted));
        let own = matches!(planted.principal, Principal::ServiceAccount(_)) && !who.contains("str") && who != "sa-central";
        let found: Vec<_> = org
            .rulings()
            .into_iter()
            .filter(|ruling| {
                let shown = |found: &super::Found| found.evidence.iter().any(|evidence| evidence.id == id);
                ruling.findings.iter().any(|found| found.counts() && shown(found))
            })
            .map(|ruling| ruling.rule.id)
            .collect();
        prop_assert!(found.len() <= 1, "{} {} {}: {:?}", who, role, on, found);
        // A fallback of the template is as good as its role.
        let declared = role == Role::DeveloperRead && who == "sa-claims-operator" && on == "$C/connector=claims-*";
        if reaches_somebody_else(&org, &planted) || (own && !declared) {
            prop_assert_eq!(found.len(), 1, "{} {} {}", who, role, on);
        }
    }
}
