//! The same with ACLs, as dossier `rbac.md` §8.3 gives them to the identities of connectors, and with those that slip in
//! (T7, T14).

use super::*;
use crate::model::AclBinding;

/// Dossier `rbac.md` §8.3: CREATE and WRITE on what all connectors share, and READ of the sinks' groups in the form of
/// Terraform's examples (§2.1), with DESCRIBE on the cluster.
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

/// Reads `RESOURCE#NAME#PATTERN#OPERATION` for a principal.
fn acl(principal: &str, text: &str, permission: &str) -> AclBinding {
    let (place, operation) = text.rsplit_once('#').unwrap();
    format!("{place}#User:{principal}#*#{operation}#{permission}")
        .parse()
        .unwrap()
}

fn by_the_book() -> impl Iterator<Item = AclBinding> {
    parties().into_iter().flat_map(|party| {
        let runtime = format!("sa-{}-runtime", party.code);
        RUNTIME.map(|text| acl(&runtime, text, "ALLOW"))
    })
}

fn with(extra: &[(&str, &str, &str)], acls: &[AclBinding]) -> Isolation {
    let all = by_the_book().chain(acls.iter().cloned());
    prove(&parties(), &evaluator(extra).with_acls(all, &address()), &address())
}

/// Whether it is this ACL that breaks isolation.
fn is(example: &CounterExample, breach: &AclBinding) -> bool {
    matches!(&example.binding, Permit::Acl(acl) if acl.acl == *breach)
}

#[test]
fn what_connectors_need_through_acls_is_a_named_exposure_and_no_more() {
    let Isolation::Proved(proof) = with(&[], &[]) else {
        panic!("{:#?}", with(&[], &[]));
    };
    assert_eq!((proof.bindings, proof.acls), (4 * 26, 4 * 10));
    let shared: Vec<_> = proof
        .exposures
        .iter()
        .map(|exposure| (exposure.kind.word(), exposure.begins, exposure.departments))
        .collect();
    // Design §7, the closed list.
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
fn every_breach_through_an_acl_is_found() {
    let cases = [
        // A neighbour's topics, groups and transactional ids.
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
        // T1, T2: a beginning without its delimiter, every name.
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
        // The cluster: topics of any name, and ACLs for oneself.
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
        // An operation without a rule.
        (
            "sa-fraud-runtime",
            "TOPIC#claims-#PREFIXED#TWO_PHASE_COMMIT",
            "claims",
            "",
            "topic claims-*",
        ),
        // T7: more than making a queue and writing to it.
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
        // Wider than an exposure, and beside the list.
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
        let Isolation::Refuted { counter_examples, .. } = with(&[], std::slice::from_ref(&breach)) else {
            panic!("{text}: not found");
        };
        let code = who.split('-').nth(1).unwrap();
        let found = counter_examples.iter().any(|example| {
            let set: OperationSet = example.operations.iter().copied().collect();
            is(example, &breach)
                && example.department.as_str() == code
                && (example.reaches.as_str(), set.to_string(), example.resource.short())
                    == (reaches, operations.to_owned(), resource.to_owned())
        });
        assert!(found, "{text}: {counter_examples:#?}");
        assert!(
            counter_examples.iter().all(|example| is(example, &breach)),
            "{text}: {counter_examples:#?}"
        );
        // The same as a denial takes something away, and breaks nothing.
        assert!(with(&[], &[acl(who, text, "DENY")]).holds(), "{text}");
    }
}

#[test]
fn a_denial_is_not_relied_on() {
    let breach = acl("sa-fraud-runtime", "TOPIC#claims-#PREFIXED#READ", "ALLOW");
    let denial = acl("sa-fraud-runtime", "TOPIC#claims-#PREFIXED#READ", "DENY");
    assert!(!with(&[], &[breach, denial]).holds());
}

// T14: "a stray ACL can widen a department silently".
#[test]
fn what_everybody_may_every_department_may() {
    let stray = acl("*", "TOPIC#claims-orders#LITERAL#READ", "ALLOW");
    let Isolation::Refuted { counter_examples, .. } = with(&[], &[stray]) else {
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
    // A name that belongs to nobody is shared by all of them.
    let shared = acl("*", "TOPIC#weather#LITERAL#READ", "ALLOW");
    assert!(!with(&[], &[shared]).holds());
    // Within an exposure it exposes all of them, which is what the others have anyway.
    let within = acl("*", "TOPIC#dlq-lcc#PREFIXED#WRITE", "ALLOW");
    let Isolation::Proved(proof) = prove(
        &parties(),
        &Evaluator::default().with_acls([within], &address()),
        &address(),
    ) else {
        panic!("refuted");
    };
    assert_eq!(proof.exposures[0].departments, 4);
}

// §8.1: the operator reads the dead letters of its own connectors, by their names.
#[test]
fn a_single_queue_is_its_departments_own_unless_another_has_been_given_it_too() {
    let own = ("sa-claims-operator", "DeveloperRead", "$K/topic=dlq-lcc-abc123");
    assert!(with(&[own], &[]).holds());
    let writes = acl("sa-claims-runtime", "TOPIC#dlq-lcc-abc123#LITERAL#WRITE", "ALLOW");
    assert!(with(&[own], std::slice::from_ref(&writes)).holds());
    let foreign = acl("sa-fraud-runtime", "TOPIC#dlq-lcc-abc123#LITERAL#READ", "ALLOW");
    assert!(!with(&[own], std::slice::from_ref(&foreign)).holds());
    assert!(!with(&[], &[writes, foreign]).holds());
}

// T7 with roles: no role creates and writes without deleting, so every one that creates takes too much.
#[test]
fn a_role_that_takes_more_than_a_queue_needs_is_a_breach_like_an_acl() {
    for (role, holds) in [
        ("DeveloperWrite", true),
        ("DeveloperRead", false),
        ("DeveloperManage", false),
        ("ResourceOwner", false),
    ] {
        let extra = [("sa-fraud-runtime", role, "$K/topic=dlq-lcc*")];
        assert_eq!(with(&extra, &[]).holds(), holds, "{role}");
        // Where nobody else has anything, it reaches nobody.
        let alone = Evaluator::new(extra.map(|(who, role, short)| binding(who, role, short)));
        assert!(prove(&parties(), &alone, &address()).holds(), "{role}");
    }
}

#[test]
fn an_account_that_a_department_controls_acts_with_its_acls() {
    let shadow = ("sa-fraud-deployer", "ResourceOwner", "$O/service-account=sa-shadow");
    let breach = acl("sa-shadow", "TOPIC#claims-orders#LITERAL#READ", "ALLOW");
    let Isolation::Refuted { counter_examples, .. } = with(&[shadow], std::slice::from_ref(&breach)) else {
        panic!("not found");
    };
    let [example] = &counter_examples[..] else {
        panic!("{counter_examples:#?}")
    };
    assert!(is(example, &breach));
    let through = example.controlled_through.as_ref().unwrap();
    assert_eq!(through.principal.id(), "sa-fraud-deployer");
    assert!(with(&[], &[breach]).holds(), "nobody's account");
}

/// An ACL of one of three small departments within an exposure or near it.
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
    fn the_sweep_within_exposures_agrees_with_comparing_every_pair(acls in proptest::collection::vec(small_acl(), 0..12)) {
        let parties = [party("p0", "pa-"), party("p1", "pb-"), party("p2", "pc-")];
        let exposed = |acl: &AclBinding| acl.pattern.stem().starts_with("dlq-lcc");
        let more = |acl: &AclBinding| ["READ", "DELETE"].contains(&acl.operation.as_str());
        let literal = |acl: &AclBinding| matches!(acl.pattern, NamePattern::Literal(_));
        let breach = |(who, one): &(usize, AclBinding)| acls.iter().any(|(other, two)| {
            // A beginning with more reaches all that others have in it; a name only who has the same name.
            let reaches = more(one) && (!literal(one) || one.pattern == two.pattern);
            let tolerated = exposed(one) && exposed(two) && !reaches;
            who != other && !tolerated && one.pattern.overlaps(&two.pattern)
        });
        let isolated = !acls.iter().any(breach);
        let evaluator = Evaluator::default().with_acls(acls.iter().map(|(_, acl)| acl.clone()), &address());
        prop_assert_eq!(prove(&parties, &evaluator, &address()).holds(), isolated);
    }
}
