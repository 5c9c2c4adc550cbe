//! Isolation check with the ACLs of connector accounts in docs/reference/rbac.md#personas, and with additional ACLs
//! that break isolation (T7, T14).

use super::*;
use crate::model::AclBinding;

/// Source: docs/reference/rbac.md#personas. CREATE and WRITE on shared names, and READ of the sink connectors' groups
/// as in Terraform's examples (docs/reference/rbac.md#access-of-a-connectors-account), with DESCRIBE on the cluster.
const RUNTIME: [&str; 10] = [
    "TOPIC#dlq-lcc#PREFIXED#CREATE",
    "TOPIC#dlq-lcc#PREFIXED#WRITE",
    "TOPIC#success-lcc#PREFIXED#CREATE",
    "TOPIC#success-lcc#PREFIXED#WRITE",
    "TOPIC#error-lcc#PREFIXED#CREATE",
    "TOPIC#error-lcc#PREFIXED#WRITE",
    "TOPIC#data-preview#PREFIXED#CREATE",
    "TOPIC#data-preview#PREFIXED#WRITE",
    "GROUP#connect-lcc#PREFIXED#READ",
    "CLUSTER#kafka-cluster#LITERAL#DESCRIBE",
];

/// Parses `RESOURCE#NAME#PATTERN#OPERATION` for a principal.
fn acl(principal: &str, text: &str, permission: &str) -> AclBinding {
    let (place, operation) = text.rsplit_once('#').unwrap();
    format!("{place}#User:{principal}#*#{operation}#{permission}")
        .parse()
        .unwrap()
}

fn expected_acls() -> impl Iterator<Item = AclBinding> {
    all_departments().into_iter().flat_map(|party| {
        let runtime = format!("sa-{}-runtime", party.code);
        RUNTIME.map(|text| acl(&runtime, text, "ALLOW"))
    })
}

fn check_with(extra: &[(&str, &str, &str)], acls: &[AclBinding]) -> IsolationResult {
    let all = expected_acls().chain(acls.iter().cloned());
    check_isolation(
        &all_departments(),
        &evaluator(extra).with_acls(all, &address()),
        &address(),
    )
}

/// Whether the ACL `breach` causes the counter-example.
fn is_caused_by(example: &CounterExample, breach: &AclBinding) -> bool {
    matches!(&example.binding, AccessGrant::Acl(acl) if acl.acl == *breach)
}

#[test]
fn acls_that_connectors_need_are_reported_as_shared_names() {
    let IsolationResult::Passed(proof) = check_with(&[], &[]) else {
        panic!("{:#?}", check_with(&[], &[]));
    };
    assert_eq!((proof.bindings, proof.acls), (4 * 26, 4 * 10));
    let shared: Vec<_> = proof
        .shared_names
        .iter()
        .map(|exposure| (exposure.kind.display_name(), exposure.begins, exposure.departments))
        .collect();
    // The complete list of what departments share (docs/reference/rbac.md#access-of-a-connectors-account).
    assert_eq!(
        shared,
        [
            ("group", "connect-lcc", 4),
            ("topic", "dlq-lcc", 4),
            ("topic", "success-lcc", 4),
            ("topic", "error-lcc", 4),
            ("topic", "data-preview", 4),
        ]
    );
}

#[test]
fn every_isolation_breach_through_an_acl_is_found() {
    let cases = [
        // Topics, groups and transactional ids of another department.
        (
            "sa-fraud-runtime",
            "TOPIC#claims-orders#LITERAL#READ",
            "claims",
            "describe, read",
            "topic claims-orders",
        ),
        (
            "sa-fraud-runtime",
            "GROUP#claims-#PREFIXED#DELETE",
            "claims",
            "describe, delete",
            "group claims-*",
        ),
        (
            "sa-fraud-runtime",
            "TRANSACTIONAL_ID#claims-#PREFIXED#WRITE",
            "claims",
            "describe, write",
            "transactional-id claims-*",
        ),
        // T1, T2: a prefix without its delimiter, every name.
        (
            "sa-fin-runtime",
            "TOPIC#fin#PREFIXED#DESCRIBE",
            "finance",
            "describe",
            "topic finance-*",
        ),
        (
            "sa-fraud-runtime",
            "GROUP#*#LITERAL#READ",
            "claims",
            "describe, read",
            "group claims-*",
        ),
        // The cluster: creates topics of any name and ACLs for itself.
        (
            "sa-fraud-runtime",
            "CLUSTER#kafka-cluster#LITERAL#CREATE",
            "claims",
            "create",
            "topic claims-*",
        ),
        (
            "sa-fraud-runtime",
            "CLUSTER#kafka-cluster#LITERAL#ALTER",
            "claims",
            "describe-access, alter-access",
            "group claims-*",
        ),
        // An unknown operation.
        (
            "sa-fraud-runtime",
            "TOPIC#claims-#PREFIXED#TWO_PHASE_COMMIT",
            "claims",
            "",
            "topic claims-*",
        ),
        // T7: more than creating a queue and writing to it.
        (
            "sa-fraud-runtime",
            "TOPIC#dlq-lcc#PREFIXED#READ",
            "claims",
            "describe, read",
            "topic dlq-lcc*",
        ),
        (
            "sa-fraud-runtime",
            "TOPIC#dlq-lcc-a#PREFIXED#DELETE",
            "claims",
            "describe, delete",
            "topic dlq-lcc-a*",
        ),
        (
            "sa-fraud-runtime",
            "TOPIC#error-lcc#PREFIXED#ALTER",
            "claims",
            "describe, alter",
            "topic error-lcc*",
        ),
        (
            "sa-fraud-runtime",
            "GROUP#connect-lcc#PREFIXED#DELETE",
            "claims",
            "describe, delete",
            "group connect-lcc*",
        ),
        // Wider than a shared name, and outside the list.
        (
            "sa-fraud-runtime",
            "TOPIC#dlq-#PREFIXED#WRITE",
            "claims",
            "describe, write",
            "topic dlq-*",
        ),
    ];
    for (who, text, reaches, operations, resource) in cases {
        let breach = acl(who, text, "ALLOW");
        let IsolationResult::Failed { counter_examples, .. } = check_with(&[], std::slice::from_ref(&breach)) else {
            panic!("{text}: not found");
        };
        let code = who.split('-').nth(1).unwrap();
        let found = counter_examples.iter().any(|example| {
            let set: OperationSet = example.operations.iter().copied().collect();
            is_caused_by(example, &breach)
                && example.department.as_str() == code
                && (
                    example.reaches.as_str(),
                    set.to_string(),
                    example.resource.to_short_string(),
                ) == (reaches, operations.to_owned(), resource.to_owned())
        });
        assert!(found, "{text}: {counter_examples:#?}");
        assert!(
            counter_examples.iter().all(|example| is_caused_by(example, &breach)),
            "{text}: {counter_examples:#?}"
        );
        // The same ACL as a DENY allows nothing and breaks nothing.
        assert!(check_with(&[], &[acl(who, text, "DENY")]).has_passed(), "{text}");
    }
}

#[test]
fn a_deny_acl_does_not_prevent_a_counter_example() {
    let breach = acl("sa-fraud-runtime", "TOPIC#claims-#PREFIXED#READ", "ALLOW");
    let denial = acl("sa-fraud-runtime", "TOPIC#claims-#PREFIXED#READ", "DENY");
    assert!(!check_with(&[], &[breach, denial]).has_passed());
}

// T14: an ACL outside the templates widens a department without a visible role binding.
#[test]
fn an_acl_for_all_principals_counts_for_every_department() {
    let stray = acl("*", "TOPIC#claims-orders#LITERAL#READ", "ALLOW");
    let IsolationResult::Failed { counter_examples, .. } = check_with(&[], &[stray]) else {
        panic!("not found");
    };
    let [example] = &counter_examples[..] else {
        panic!("{counter_examples:#?}")
    };
    assert_eq!(example.principal.to_string(), "User:*");
    assert_eq!(
        (example.department.as_str(), example.reaches.as_str()),
        ("fin", "claims")
    );
    // A name without an owner is shared by all departments.
    let shared = acl("*", "TOPIC#weather#LITERAL#READ", "ALLOW");
    assert!(!check_with(&[], &[shared]).has_passed());
    // Within a shared name it applies to all departments, which is tolerated.
    let within = acl("*", "TOPIC#dlq-lcc#PREFIXED#WRITE", "ALLOW");
    let IsolationResult::Passed(proof) = check_isolation(
        &all_departments(),
        &Evaluator::default().with_acls([within], &address()),
        &address(),
    ) else {
        panic!("refuted");
    };
    assert_eq!(proof.shared_names[0].departments, 4);
}

// Source: docs/reference/rbac.md#personas. The operator reads the dead letters of its own connectors by name.
#[test]
fn a_single_dead_letter_queue_may_be_granted_to_one_department_only() {
    let own = ("sa-claims-operator", "DeveloperRead", "$K/topic=dlq-lcc-abc123");
    assert!(check_with(&[own], &[]).has_passed());
    let writes = acl("sa-claims-runtime", "TOPIC#dlq-lcc-abc123#LITERAL#WRITE", "ALLOW");
    assert!(check_with(&[own], std::slice::from_ref(&writes)).has_passed());
    let foreign = acl("sa-fraud-runtime", "TOPIC#dlq-lcc-abc123#LITERAL#READ", "ALLOW");
    assert!(!check_with(&[own], std::slice::from_ref(&foreign)).has_passed());
    assert!(!check_with(&[], &[writes, foreign]).has_passed());
}

// T7 with roles: every role that allows create also allows delete, so each exceeds the tolerated operations.
#[test]
fn a_role_that_exceeds_the_tolerated_operations_is_a_breach() {
    for (role, holds) in [
        ("DeveloperWrite", true),
        ("DeveloperRead", false),
        ("DeveloperManage", false),
        ("ResourceOwner", false),
    ] {
        let extra = [("sa-fraud-runtime", role, "$K/topic=dlq-lcc*")];
        assert_eq!(check_with(&extra, &[]).has_passed(), holds, "{role}");
        // Without grants of other departments there is no overlap.
        let alone = Evaluator::new(extra.map(|(who, role, short)| binding(who, role, short)));
        assert!(
            check_isolation(&all_departments(), &alone, &address()).has_passed(),
            "{role}"
        );
    }
}

#[test]
fn acls_of_a_controlled_account_count_for_the_controlling_department() {
    let shadow = ("sa-fraud-deployer", "ResourceOwner", "$O/service-account=sa-shadow");
    let breach = acl("sa-shadow", "TOPIC#claims-orders#LITERAL#READ", "ALLOW");
    let IsolationResult::Failed { counter_examples, .. } = check_with(&[shadow], std::slice::from_ref(&breach)) else {
        panic!("not found");
    };
    let [example] = &counter_examples[..] else {
        panic!("{counter_examples:#?}")
    };
    assert!(is_caused_by(example, &breach));
    let through = example.controlled_through.as_ref().unwrap();
    assert_eq!(through.principal.id(), "sa-fraud-deployer");
    assert!(check_with(&[], &[breach]).has_passed(), "an account of no department");
}

/// Generates an ACL of one of three small departments on or near a shared name.
fn small_acl() -> impl Strategy<Value = (usize, AclBinding)> {
    let operation = proptest::sample::select(&["CREATE", "WRITE", "READ", "DELETE"][..]);
    let name = prop_oneof![3 => "dlq-lcc-?[ab]{0,2}", 1 => "dlq-l?"];
    (0..3usize, operation, name, any::<bool>()).prop_map(|(party, operation, name, prefixed)| {
        let pattern = if prefixed { "PREFIXED" } else { "LITERAL" };
        let text = format!("TOPIC#{name}#{pattern}#{operation}");
        (party, acl(&format!("sa-p{party}-runtime"), &text, "ALLOW"))
    })
}

proptest! {
    #[test]
    fn the_shared_name_sweep_agrees_with_comparing_every_pair(acls in proptest::collection::vec(small_acl(), 0..12)) {
        let parties = [department_principals("p0", "pa-"), department_principals("p1", "pb-"), department_principals("p2", "pc-")];
        let exposed = |acl: &AclBinding| acl.pattern.stem().starts_with("dlq-lcc");
        let more = |acl: &AclBinding| ["READ", "DELETE"].contains(&acl.operation.as_str());
        let literal = |acl: &AclBinding| matches!(acl.pattern, NamePattern::Literal(_));
        let breach = |(who, one): &(usize, AclBinding)| acls.iter().any(|(other, two)| {
            // An excessive grant on a prefix affects all grants of others within it; on a literal name only grants on
            // the same name.
            let reaches = more(one) && (!literal(one) || one.pattern == two.pattern);
            let tolerated = exposed(one) && exposed(two) && !reaches;
            who != other && !tolerated && one.pattern.overlaps(&two.pattern)
        });
        let isolated = !acls.iter().any(breach);
        let evaluator = Evaluator::default().with_acls(acls.iter().map(|(_, acl)| acl.clone()), &address());
        prop_assert_eq!(check_isolation(&parties, &evaluator, &address()).has_passed(), isolated);
    }
}
