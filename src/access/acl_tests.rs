//! Compares ACLs with tables from docs `access-control/acls/operations` and
//! docs/reference/rbac.md#acls-and-role-bindings, docs/reference/rbac.md#access-of-a-connectors-account and
//! docs/reference/rbac.md#roles-of-a-connectors-account.

use proptest::prelude::*;

use super::*;
use crate::{
    access::{Evaluator, PolicyDecision},
    model::{Role, RoleBinding, acl::CLUSTER_NAME},
};

fn address() -> StageAddress {
    StageAddress {
        organization: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
        environment: "env-1".parse().unwrap(),
        cluster: "lkc-1".parse().unwrap(),
        schema_registry: Some("lsrc-1".parse().unwrap()),
    }
}

fn test_principal() -> Principal {
    Principal::from_id("sa-me")
}

/// Parses `PERMISSION OPERATION RESOURCE NAME` for a principal.
fn acl(principal: &str, text: &str) -> AclBinding {
    let [permission, operation, resource, name] = text.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{text}")
    };
    let (name, pattern) = match name.strip_suffix('*') {
        Some(begin) if !begin.is_empty() => (begin, "PREFIXED"),
        _ => (name, "LITERAL"),
    };
    format!("{resource}#{name}#{pattern}#User:{principal}#*#{operation}#{permission}")
        .parse()
        .unwrap()
}

fn evaluator(acls: &[(&str, &str)]) -> Evaluator {
    Evaluator::default().with_acls(acls.iter().map(|(who, text)| acl(who, text)), &address())
}

fn resource(kind: ResourceKind, name: &str) -> Crn {
    match kind {
        ResourceKind::Kafka => address().kafka_crn(),
        kind => address().resource(kind, name).unwrap(),
    }
}

fn allowed_operations_text(evaluator: &Evaluator, kind: ResourceKind, name: &str) -> String {
    evaluator
        .allowed_operations(&test_principal(), &resource(kind, name))
        .to_string()
}

// First table of docs `access-control/acls/operations`. READ, WRITE, DELETE and ALTER imply DESCRIBE, ALTER_CONFIGS
// implies DESCRIBE_CONFIGS (Apache Kafka `StandardAuthorizerData`, IMPLIES_DESCRIBE and IMPLIES_DESCRIBE_CONFIGS).
#[test]
fn an_acl_allows_one_operation_and_what_it_implies() {
    use ResourceKind::{Group, Topic, TransactionalId};
    let table = [
        ("TOPIC", Topic, "CREATE", "create"),
        ("TOPIC", Topic, "READ", "describe, read"),
        ("TOPIC", Topic, "WRITE", "describe, write"),
        ("TOPIC", Topic, "DELETE", "describe, delete"),
        ("TOPIC", Topic, "ALTER", "describe, alter"),
        ("TOPIC", Topic, "DESCRIBE", "describe"),
        ("TOPIC", Topic, "ALTER_CONFIGS", "describe-configs, alter-configs"),
        ("TOPIC", Topic, "DESCRIBE_CONFIGS", "describe-configs"),
        ("TOPIC", Topic, "IDEMPOTENT_WRITE", ""),
        ("TOPIC", Topic, "TWO_PHASE_COMMIT", ""),
        (
            "TOPIC",
            Topic,
            "ALL",
            "describe, create, delete, read, write, alter, describe-configs, alter-configs",
        ),
        ("GROUP", Group, "READ", "describe, read"),
        ("GROUP", Group, "DELETE", "describe, delete"),
        ("GROUP", Group, "ALL", "describe, delete, read"),
        ("TRANSACTIONAL_ID", TransactionalId, "WRITE", "describe, write"),
        ("TRANSACTIONAL_ID", TransactionalId, "DESCRIBE", "describe"),
        // "ACLs are not inherited across different resource types" (docs `access-control/acls/troubleshooting`).
        ("GROUP", Topic, "READ", ""),
        ("TOPIC", Group, "ALL", ""),
    ];
    for (on, kind, operation, expected) in table {
        let evaluator = evaluator(&[("sa-me", &format!("ALLOW {operation} {on} claims-*"))]);
        assert_eq!(
            allowed_operations_text(&evaluator, kind, "claims-orders"),
            expected,
            "{operation} {on}"
        );
        assert_eq!(
            allowed_operations_text(&evaluator, kind, "fraud-orders"),
            "",
            "{operation} {on}"
        );
        let elsewhere: Crn = resource(kind, "claims-orders")
            .to_string()
            .replace("lkc-1", "lkc-2")
            .parse()
            .unwrap();
        assert!(
            evaluator.allowed_operations(&test_principal(), &elsewhere).is_empty(),
            "{operation} {on}"
        );
    }
}

fn evaluator_of(text: &str) -> Evaluator {
    evaluator(&[("sa-me", text)])
}

// Docs `access-control/acls/operations`: CREATE allows creating topics, ALTER allows CreateAcls and DeleteAcls,
// DESCRIBE allows other metadata; Apache Kafka's protocol guide: DescribeAcls needs DESCRIBE on the cluster.
#[test]
fn an_acl_on_the_cluster_applies_to_resources_below_it() {
    use ResourceKind::{Group, Kafka, Topic};
    let table = [
        ("DESCRIBE", "describe, describe-configs, describe-access", "", ""),
        ("CREATE", "", "create", ""),
        (
            "ALTER",
            "describe, describe-configs, describe-access, alter-access",
            "describe-access, alter-access",
            "describe-access, alter-access",
        ),
        ("IDEMPOTENT_WRITE", "", "", ""),
        (
            "ALL",
            "describe, describe-configs, alter-configs, describe-access, alter-access",
            "create, describe-access, alter-access",
            "describe-access, alter-access",
        ),
    ];
    for (operation, cluster, topic, group) in table {
        let evaluator = evaluator_of(&format!("ALLOW {operation} CLUSTER {CLUSTER_NAME}"));
        for (kind, expected) in [(Kafka, cluster), (Topic, topic), (Group, group)] {
            assert_eq!(
                allowed_operations_text(&evaluator, kind, "any"),
                expected,
                "{operation} {kind:?}"
            );
        }
        // The control plane ignores ACLs.
        let cluster = address().cluster_crn();
        assert!(
            evaluator.allowed_operations(&test_principal(), &cluster).is_empty(),
            "{operation}"
        );
    }
}

// Source: docs/reference/rbac.md#roles-of-a-connectors-account. Create and write, without read, delete and alter.
#[test]
fn a_dead_letter_queue_can_be_created_and_written_without_access_to_foreign_ones() {
    let evaluator = evaluator(&[
        ("sa-me", "ALLOW CREATE TOPIC dlq-lcc*"),
        ("sa-me", "ALLOW WRITE TOPIC dlq-lcc*"),
    ]);
    assert_eq!(
        allowed_operations_text(&evaluator, ResourceKind::Topic, "dlq-lcc-abc123"),
        "describe, create, write"
    );
    let whole = address()
        .pattern(ResourceKind::Topic, NamePattern::Prefixed("dlq-lcc".into()))
        .unwrap();
    for (operation, expected) in [
        (Op::Create, true),
        (Op::Write, true),
        (Op::Read, false),
        (Op::Delete, false),
    ] {
        let decision = evaluator.decide_pattern(&test_principal(), operation, &whole);
        assert_eq!(decision.is_allowed(), expected, "{operation}");
    }
}

// Source: docs/reference/rbac.md#acls-and-role-bindings. An ACL DENY overrides everything, otherwise an ACL ALLOW or a
// role is enough.
#[test]
fn a_deny_acl_overrides_every_grant_and_the_decision_names_the_cause() {
    let topic = resource(ResourceKind::Topic, "claims-orders");
    let pattern = address()
        .pattern(ResourceKind::Topic, NamePattern::Prefixed("claims-".into()))
        .unwrap();
    let role = RoleBinding::new(test_principal(), Role::DeveloperRead, pattern.clone());
    let decide = |acls: &[(&str, &str)], roles: &[RoleBinding]| {
        let evaluator =
            Evaluator::new(roles.to_vec()).with_acls(acls.iter().map(|(who, text)| acl(who, text)), &address());
        let whole = evaluator.decide_pattern(&test_principal(), Op::Read, &pattern);
        let one = evaluator.decide(&test_principal(), Op::Read, &topic);
        let text = |decision: PolicyDecision| match decision {
            PolicyDecision::AllowedByRole(binding) => binding.role.to_string(),
            PolicyDecision::AllowedByAcl(acl) | PolicyDecision::DeniedByAcl(acl) => acl.acl.to_short_string(),
            PolicyDecision::NotAllowed => "nothing".to_owned(),
        };
        (one.is_allowed(), text(one), whole.is_allowed())
    };
    let says = |allowed: bool, by: &str, whole: bool| (allowed, by.to_owned(), whole);
    let roles = std::slice::from_ref(&role);
    let mine = ("sa-me", "ALLOW READ TOPIC claims-*");
    let narrow = ("sa-me", "ALLOW READ TOPIC claims-orders");
    assert_eq!(decide(&[], &[]), says(false, "nothing", false));
    assert_eq!(decide(&[], roles), says(true, "DeveloperRead", true));
    assert_eq!(decide(&[mine], &[]), says(true, "ALLOW READ on topic claims-*", true));
    assert_eq!(decide(&[mine], roles), says(true, "DeveloperRead", true));
    // The decision names the narrower ACL.
    assert_eq!(
        decide(&[mine, narrow], &[]),
        says(true, "ALLOW READ on topic claims-orders", true)
    );
    assert_eq!(
        decide(&[narrow], &[]),
        says(true, "ALLOW READ on topic claims-orders", false)
    );
    assert_eq!(
        decide(&[("*", "ALLOW READ TOPIC *"), mine], &[]),
        says(true, "ALLOW READ on topic claims-*", true)
    );
    assert_eq!(
        decide(&[("*", "ALLOW READ TOPIC *")], &[]),
        says(true, "ALLOW READ on topic *", true)
    );
    for denial in [
        ("sa-me", "DENY READ TOPIC claims-orders"),
        ("sa-me", "DENY ALL TOPIC claims-*"),
        ("*", "DENY READ TOPIC *"),
    ] {
        let named = acl(denial.0, denial.1).to_short_string();
        assert_eq!(decide(&[denial, mine], roles), says(false, &named, false));
    }
    // A DENY for another operation or principal has no effect. DENY DESCRIBE does not deny READ.
    for denial in [
        ("sa-me", "DENY WRITE TOPIC claims-orders"),
        ("sa-me", "DENY DESCRIBE TOPIC claims-orders"),
        ("sa-me", "DENY READ GROUP claims-orders"),
        ("sa-other", "DENY READ TOPIC claims-orders"),
    ] {
        assert_eq!(
            decide(&[denial, mine], &[]),
            says(true, "ALLOW READ on topic claims-*", true)
        );
    }
    // One denied name within a pattern: not all of the pattern is allowed.
    let denied_beside = ("sa-me", "DENY READ TOPIC claims-secret");
    assert_eq!(decide(&[denied_beside], roles), says(true, "DeveloperRead", false));
}

#[test]
fn a_deny_acl_for_single_hosts_is_ignored() {
    let mut from_one = acl("sa-me", "DENY READ TOPIC claims-*");
    from_one.host = "192.0.2.7".into();
    let evaluator = evaluator_of("ALLOW READ TOPIC claims-*");
    let topic = resource(ResourceKind::Topic, "claims-x");
    let evaluator = evaluator.with_acls([from_one.clone()], &address());
    assert!(evaluator.decide(&test_principal(), Op::Read, &topic).is_allowed());
    from_one.host = ANY_HOST.into();
    let evaluator = evaluator.with_acls([from_one], &address());
    assert!(!evaluator.decide(&test_principal(), Op::Read, &topic).is_allowed());
}

#[test]
fn who_can_lists_roles_and_acls_without_denied_principals() {
    let pattern = address()
        .pattern(ResourceKind::Topic, NamePattern::Prefixed("claims-".into()))
        .unwrap();
    let reader = |who: &str| RoleBinding::new(Principal::from_id(who), Role::DeveloperRead, pattern.clone());
    let evaluator = Evaluator::new([reader("sa-a"), reader("sa-b")]).with_acls(
        [
            acl("sa-b", "DENY READ TOPIC claims-orders"),
            acl("sa-c", "ALLOW READ TOPIC claims-*"),
            acl("sa-c", "ALLOW ALL TOPIC claims-orders"),
            acl("sa-d", "ALLOW WRITE TOPIC claims-*"),
            acl("*", "ALLOW READ TOPIC claims-orders"),
        ],
        &address(),
    );
    let topic = resource(ResourceKind::Topic, "claims-orders");
    let by_role = evaluator.who_can(Op::Read, &topic);
    let by_role: Vec<_> = by_role.iter().map(|(who, _)| who.id().to_owned()).collect();
    assert_eq!(by_role, ["sa-a"]);
    let by_acl: Vec<_> = evaluator
        .who_can_by_acl(Op::Read, &topic)
        .iter()
        .map(|(who, acl)| format!("{} {}", who.id(), acl.acl.to_short_string()))
        .collect();
    assert_eq!(
        by_acl,
        [
            "* ALLOW READ on topic claims-orders",
            "sa-c ALLOW ALL on topic claims-orders",
            "sa-c ALLOW READ on topic claims-*",
        ]
    );
    let touching: Vec<_> = evaluator
        .acls_reaching(&pattern)
        .map(|(acl, set)| format!("{} {set}", acl.acl.principal.id()))
        .collect();
    assert_eq!(touching.len(), 4, "{touching:?}");
    assert!(touching.contains(&"sa-d describe, write".to_owned()), "{touching:?}");
}

fn select_word<T: Clone + std::fmt::Debug + 'static>(words: &'static [T]) -> impl Strategy<Value = T> {
    proptest::sample::select(words)
}

fn any_acl() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![8 => "[ab]{1,3}", 4 => "[ab]{1,2}\\*", 1 => Just("*".to_owned())];
    (
        select_word(&["sa-me", "sa-you", "*"]),
        select_word(&["ALLOW", "DENY"]),
        select_word(&["ALL", "READ", "WRITE", "CREATE", "ALTER", "DESCRIBE"]),
        select_word(&["TOPIC", "GROUP", "CLUSTER"]),
        name,
    )
        .prop_map(|(who, permission, operation, on, name)| {
            let name = if on == "CLUSTER" { CLUSTER_NAME.to_owned() } else { name };
            (who.to_owned(), format!("{permission} {operation} {on} {name}"))
        })
}

proptest! {
    // Independent implementation of the order in docs/reference/rbac.md#acls-and-role-bindings over all ACLs and
    // bindings.
    #[test]
    fn denies_override_acls_and_roles(
        acls in proptest::collection::vec(any_acl(), 0..8),
        stem in "[ab]{1,2}",
        name in "[ab]{1,3}",
        on_group in any::<bool>(),
    ) {
        let kind = if on_group { ResourceKind::Group } else { ResourceKind::Topic };
        let role = RoleBinding::new(
            test_principal(),
            Role::DeveloperRead,
            address().pattern(kind, NamePattern::Prefixed(stem.clone())).unwrap(),
        );
        let acls: Vec<_> = acls.iter().map(|(who, text)| acl(who, text)).collect();
        let evaluator = Evaluator::new([role.clone()]).with_acls(acls.clone(), &address());
        let topic = resource(kind, &name);
        for operation in Op::ALL {
            let about = || {
                let placed = acls.iter().filter(|acl| acl.applies_to(&test_principal())).cloned();
                placed.filter_map(|acl| ResolvedAcl::new(acl, &address()))
            };
            let denied = about().any(|acl| acl.denied_on(&topic).contains(operation));
            let allowed = about().any(|acl| acl.allowed_on(&topic).contains(operation));
            let role = [Op::Describe, Op::Read].contains(&operation) && name.starts_with(&stem);
            let expected = !denied && (allowed || role);
            prop_assert_eq!(evaluator.decide(&test_principal(), operation, &topic).is_allowed(), expected);
            prop_assert_eq!(evaluator.allowed_operations(&test_principal(), &topic).contains(operation), expected);
            prop_assert_eq!(evaluator.decide_pattern(&test_principal(), operation, &topic.clone().into()).is_allowed(), expected);
            let by_role = evaluator.who_can(operation, &topic).iter().any(|(who, _)| *who == test_principal());
            let by_acl = evaluator.who_can_by_acl(operation, &topic);
            let by_acl = by_acl.iter().any(|(_, acl)| acl.acl.applies_to(&test_principal()));
            prop_assert_eq!(by_role, role && !denied);
            // A grant of the wildcard principal is listed once; `decide` reports principals denied despite it.
            prop_assert!(by_acl || !allowed || denied);
        }
    }

    #[test]
    fn an_operation_that_acls_allow_on_a_pattern_is_allowed_on_every_match(
        acls in proptest::collection::vec(any_acl(), 0..8),
        begin in "[ab]{1,2}",
        tail in "[ab]{0,2}",
    ) {
        let acls = acls.iter().map(|(who, text)| acl(who, text));
        let evaluator = Evaluator::default().with_acls(acls, &address());
        let pattern = address().pattern(ResourceKind::Topic, NamePattern::Prefixed(begin.clone())).unwrap();
        let inside = resource(ResourceKind::Topic, &format!("{begin}{tail}"));
        for operation in Op::ALL {
            if evaluator.decide_pattern(&test_principal(), operation, &pattern).is_allowed() {
                prop_assert!(evaluator.decide(&test_principal(), operation, &inside).is_allowed());
            }
        }
    }
}
