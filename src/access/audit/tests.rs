//! Tests of all rules together, on an organization without drift.

use proptest::prelude::*;

use super::{AuditVerdict, RULES, fixture::Org};
use crate::{
    access::{Evaluator, Operation, OperationSet, isolation::NAMED_KINDS},
    model::{Listing, NamePattern, ObservedBinding, Principal, ResourceKind, Role, RoleBinding},
};

// `access audit` on the example platform is clean.
#[test]
fn an_organization_without_drift_has_no_findings_for_an_administrator() {
    for result in Org::clean().run_audit() {
        assert_eq!(result.verdict(), AuditVerdict::Absent, "{result:#?}");
    }
}

// T12: a refused list must not make an audit look clean. What the provisioner may list
// (docs/reference/rbac.md#roles-of-the-provisioner) decides.
#[test]
fn rules_that_need_lists_hidden_from_the_provisioner_are_unknown() {
    let known = [
        "third-party-grant",
        "runtime-owner",
        "runtime-key",
        "orphaned-key",
        // Nothing is recorded for a key of others.
        "invalid-key-record",
        "connector-topic",
        "connector-transform",
        "plugin-not-allowed",
        "foreign-dead-letters",
        "client-quota",
        // With a key of the cluster.
        "unmanaged-acl",
    ];
    for result in Org::observed_by_provisioner().run_audit() {
        let expected = if known.contains(&result.rule.id) {
            AuditVerdict::Absent
        } else {
            AuditVerdict::Unknown
        };
        assert_eq!(result.verdict(), expected, "{result:#?}");
    }
}

#[test]
fn an_observer_without_roles_gets_unknown_for_every_rule() {
    let mut org = Org::clean();
    org.observed.observed_by = "User:u-nobody".parse().unwrap();
    org.observed.bindings.clear();
    org.observed.accounts.clear();
    org.observed.keys.clear();
    org.observed.unknown.insert(Listing::Acls, "no key".into());
    for result in org.run_audit() {
        let by_account = ["runtime-owner", "runtime-key", "orphaned-key", "invalid-key-record"];
        // Without a department's account these rules have nothing to check.
        if !by_account.contains(&result.rule.id) {
            assert_eq!(result.verdict(), AuditVerdict::Unknown, "{result:#?}");
        }
    }
}

// T12: each list alone. Rules that need the list must not report "absent", and the other rules are not affected.
#[test]
fn a_failed_listing_makes_the_rules_that_need_it_unknown() {
    let on_cluster = [
        "prefix-overlap",
        "overbroad-binding",
        "unknown-resource-kind",
        "third-party-grant",
        "template-drift",
        "shared-namespace",
        "privileged-connector",
        "dangling-binding",
        "retired-prefix",
        "group-mapping",
        "unnamed-administrator",
    ];
    let accounts = [
        "prefix-overlap",
        "overbroad-binding",
        "template-drift",
        "unmanaged-account",
        "impersonating-account",
        "lookalike-name",
        "shared-namespace",
        "connector-identity",
        "privileged-connector",
        "dangling-binding",
        "retired-prefix",
        "orphan-department",
    ];
    let expected: &[(Listing, &[&str])] = &[
        (Listing::Acls, &["unmanaged-acl"]),
        (Listing::ClientQuotas, &["client-quota"]),
        (
            Listing::ApiKeys,
            &[
                "template-drift",
                "runtime-key",
                "unrecorded-key",
                "invalid-key-record",
                "orphaned-key",
                "key-age",
                "key-count",
                "user-key",
                "administrator-key",
            ],
        ),
        (
            Listing::Connectors,
            &[
                "lookalike-name",
                "connector-topic",
                "connector-transform",
                "plugin-not-allowed",
                "shared-namespace",
                "foreign-dead-letters",
                "connector-identity",
                "privileged-connector",
                "retired-prefix",
            ],
        ),
        (Listing::ServiceAccounts, &accounts),
        (
            Listing::OrganizationBindings,
            &[
                "overbroad-binding",
                "unknown-resource-kind",
                "unmanaged-account",
                "dangling-binding",
                "group-mapping",
                "unnamed-administrator",
            ],
        ),
        (
            Listing::EnvironmentBindings,
            &[
                "overbroad-binding",
                "unknown-resource-kind",
                "registry-wide",
                "group-mapping",
                "unnamed-administrator",
            ],
        ),
        (Listing::ClusterBindings, &on_cluster),
        (
            Listing::SubjectBindings,
            &[
                "prefix-overlap",
                "overbroad-binding",
                "third-party-grant",
                "template-drift",
                "registry-wide",
                "dangling-binding",
                "retired-prefix",
            ],
        ),
    ];
    for (list, rules) in expected {
        let mut org = Org::clean();
        org.observed.unknown.insert(list.clone(), "refused".into());
        let results = org.run_audit();
        let unknown = results
            .iter()
            .filter(|result| result.verdict() == AuditVerdict::Unknown);
        let unknown: Vec<&str> = unknown.map(|result| result.rule.id).collect();
        assert_eq!(unknown, *rules, "{list}");
    }
}

#[test]
fn the_result_does_not_depend_on_the_order_of_the_lists() {
    let mut org = Org::clean();
    org.bind("u-eve", "DeveloperRead", "$K/topic=claims-*");
    org.bind("sa-claims-operator", "DeveloperRead", "$K/topic=*");
    org.bind("sa-claims-deployer", "ResourceOwner", "$O/service-account=sa-central");
    let text = |org: &Org| {
        let results = org.run_audit();
        let found: Vec<_> = results.iter().flat_map(|result| &result.findings).collect();
        serde_json::to_string(&found).unwrap()
    };
    let before = text(&org);
    org.observed.accounts.reverse();
    org.observed.bindings.reverse();
    org.observed.keys.reverse();
    assert_eq!(text(&org), before);
}

#[test]
fn rules_have_stable_ids_and_complete_descriptions() {
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

// One rule per file for each threat that is visible in the API (docs/reference/rbac.md#threats).
#[test]
fn every_threat_has_a_rule_or_a_stated_reason() {
    for number in 1..=19 {
        let threat = format!("T{number}");
        let rule = RULES.iter().any(|rule| rule.threat == threat);
        let reason = super::rules::NOT_AUDITED.iter().any(|(not, ..)| *not == threat);
        assert!(rule || reason, "{threat}");
    }
}

const PREFIXES: [(&str, &str); 2] = [("claims", "claims-"), ("fraud", "fraud-")];

/// Whether `binding` alone gives its holder access to resources of another department.
fn reaches_another_department(org: &Org, binding: &RoleBinding) -> bool {
    const CONTROL: OperationSet = OperationSet::new(&[
        Operation::Assign,
        Operation::Update,
        Operation::Delete,
        Operation::ManageCloudKeys,
        Operation::ManageKafkaKeys,
        Operation::AlterAccess,
    ]);
    let address = &org.observed.address;
    let holder = binding.principal.id();
    let evaluator = Evaluator::new([binding.clone()]);
    let others = PREFIXES
        .iter()
        .filter(|(code, _)| !holder.starts_with(&format!("sa-{code}-")));
    others.into_iter().any(|(code, prefix)| {
        let names = NAMED_KINDS.into_iter().any(|kind| {
            let all = address.pattern(kind, NamePattern::Prefixed((*prefix).to_owned()));
            all.is_some_and(|all| evaluator.bindings_reaching(&all).next().is_some())
        });
        let accounts = ["operator", "deployer", "viewer", "runtime"]
            .into_iter()
            .any(|persona| {
                let id = format!("sa-{code}-{persona}").parse().unwrap();
                let operations = evaluator.allowed_operations(&binding.principal, &address.service_account_crn(&id));
                !operations.intersection(CONTROL).is_empty()
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

    // The evaluator defines which bindings give access, independently of the rules.
    #[test]
    fn every_binding_beyond_its_department_is_found_by_exactly_one_rule(
        who in proptest::sample::select(vec![
            "u-eve", "pool-abc", "group-sso", "sa-central", "sa-stranger",
            "sa-claims-operator", "sa-claims-deployer", "sa-claims-runtime", "sa-fraud-viewer",
        ]),
        role in proptest::sample::select(Role::KNOWN.to_vec()),
        on in proptest::sample::select(patterns()),
    ) {
        let mut org = Org::clean();
        let before: Vec<ObservedBinding> = org.observed.bindings.clone();
        let id = org.bind(who, role.as_str(), &on);
        let planted = org.observed.bindings.last().unwrap().binding.clone();
        prop_assume!(before.iter().all(|seen| seen.binding != planted));
        let own = matches!(planted.principal, Principal::ServiceAccount(_)) && !who.contains("str") && who != "sa-central";
        let found: Vec<_> = org
            .run_audit()
            .into_iter()
            .filter(|result| {
                let shown = |found: &super::AuditFinding| found.evidence.iter().any(|evidence| evidence.id == id);
                result.findings.iter().any(|found| found.is_problem() && shown(found))
            })
            .map(|result| result.rule.id)
            .collect();
        prop_assert!(found.len() <= 1, "{} {} {}: {:?}", who, role, on, found);
        // A fallback of the template is equivalent to its role.
        let declared = role == Role::DeveloperRead && who == "sa-claims-operator" && on == "$C/connector=claims-*";
        if reaches_another_department(&org, &planted) || (own && !declared) {
            prop_assert_eq!(found.len(), 1, "{} {} {}", who, role, on);
        }
    }
}
