//! Isolation check of departments as in docs/reference/rbac.md#personas, and of all known ways to break isolation.

use proptest::prelude::*;

use super::*;
use crate::{
    access::audit::fixture::{address, crn},
    model::Crn,
};

#[path = "isolation_acl_tests.rs"]
mod acls;

fn binding(principal: &str, role: &str, short: &str) -> RoleBinding {
    RoleBinding {
        principal: Principal::from_id(principal),
        role: role.parse().unwrap(),
        pattern: crn(short),
    }
}

/// Role bindings of one department, docs/reference/rbac.md#personas. `P` is the prefix, `D` the code.
const DEPARTMENT: [(&str, &str, &str); 26] = [
    ("sa-D-operator", "ConnectManager", "$C/connector=P*"),
    ("sa-D-operator", "DeveloperWrite", "$C/connector=P*"),
    ("sa-D-operator", "DeveloperRead", "$C/connector=P*"),
    ("sa-D-operator", "DeveloperRead", "$K/topic=P*"),
    ("sa-D-operator", "DeveloperRead", "$K/group=P*"),
    ("sa-D-operator", "DeveloperRead", "$S/subject=P*"),
    ("sa-D-operator", "DeveloperRead", "$K/topic=dlq-lcc-D"),
    ("sa-D-operator", "DeveloperRead", "$K/group=connect-lcc-D"),
    ("sa-D-deployer", "ResourceOwner", "$C/connector=P*"),
    ("sa-D-deployer", "Assigner", "$O/service-account=sa-D-runtime"),
    ("sa-D-deployer", "DeveloperManage", "$K/topic=P*"),
    ("sa-D-deployer", "DeveloperRead", "$S/subject=P*"),
    ("sa-D-deployer", "DeveloperWrite", "$S/subject=P*"),
    ("sa-D-deployer", "DeveloperRead", "$K/group=P*"),
    ("sa-D-runtime", "DeveloperRead", "$K/topic=P*"),
    ("sa-D-runtime", "DeveloperWrite", "$K/topic=P*"),
    ("sa-D-runtime", "DeveloperManage", "$K/topic=P*"),
    ("sa-D-runtime", "DeveloperRead", "$K/group=connect-lcc*"),
    ("sa-D-runtime", "DeveloperRead", "$S/subject=P*"),
    ("sa-D-runtime", "DeveloperWrite", "$S/subject=P*"),
    ("sa-D-runtime", "DeveloperWrite", "$K/transactional-id=P*"),
    ("sa-D-runtime", "DeveloperRead", "$K/transactional-id=P*"),
    ("sa-D-viewer", "DeveloperRead", "$C/connector=P*"),
    ("sa-D-viewer", "DeveloperRead", "$S/subject=P*"),
    ("sa-D-viewer", "DeveloperRead", "$K/topic=P*"),
    ("sa-D-viewer", "DeveloperRead", "$K/group=P*"),
];

fn department_principals(code: &str, prefix: &str) -> DepartmentPrincipals {
    let personas = ["operator", "deployer", "runtime", "viewer"];
    DepartmentPrincipals {
        code: code.parse().unwrap(),
        prefix: Prefix::parse(prefix).unwrap(),
        principals: personas
            .map(|name| Principal::from_id(&format!("sa-{code}-{name}")))
            .into(),
    }
}

fn expected_bindings(code: &str, prefix: &str) -> impl Iterator<Item = RoleBinding> {
    let fill = move |text: &str| {
        text.replace("P*", &format!("{prefix}*"))
            .replace("-D", &format!("-{code}"))
    };
    DEPARTMENT
        .into_iter()
        .map(move |(who, role, short)| binding(&fill(who), role, &fill(short)))
}

fn all_departments() -> Vec<DepartmentPrincipals> {
    vec![
        department_principals("claims", "claims-"),
        department_principals("fraud", "fraud-"),
        department_principals("finance", "finance-"),
        department_principals("fin", "fin-"),
    ]
}

/// Builds an evaluator with all four departments, the provisioner (docs/reference/rbac.md#roles-of-the-provisioner) and
/// `extra` bindings.
fn evaluator(extra: &[(&str, &str, &str)]) -> Evaluator {
    let departments = all_departments().into_iter().flat_map(|party| {
        let (code, prefix) = (party.code.to_string(), party.prefix.to_string());
        expected_bindings(&code, &prefix).collect::<Vec<_>>()
    });
    let provisioner = [
        ("sa-provisioner", "CloudClusterAdmin", "$C"),
        ("sa-provisioner", "ResourceOwner", "$S/subject=*"),
        (
            "sa-provisioner",
            "ResourceOwner",
            "$O/service-account=sa-claims-runtime",
        ),
    ];
    let more = provisioner
        .iter()
        .chain(extra)
        .map(|(who, role, short)| binding(who, role, short));
    Evaluator::new(departments.chain(more))
}

fn check_with(extra: &[(&str, &str, &str)]) -> IsolationResult {
    check_isolation(&all_departments(), &evaluator(extra), &address())
}

#[test]
fn departments_with_template_bindings_are_isolated_and_shared_names_are_listed() {
    let IsolationResult::Passed(proof) = check_with(&[]) else {
        panic!("refuted");
    };
    assert_eq!(proof.pairs, 12);
    assert_eq!(proof.bindings, 4 * 26);
    // Source: docs/reference/rbac.md#access-of-a-connectors-account; docs/reference/rbac.md#threats, T7. The wildcard
    // on consumer groups, and the dead letters of own connectors.
    let shared: Vec<_> = proof
        .shared_names
        .iter()
        .map(|exposure| (exposure.kind.display_name(), exposure.begins, exposure.departments))
        .collect();
    assert_eq!(shared, [("group", "connect-lcc", 4), ("topic", "dlq-lcc", 4)]);
    // T4: the deployers are resource owners, so they can create accounts.
    let creators: Vec<_> = proof.account_creators.iter().map(Principal::id).collect();
    assert_eq!(
        creators,
        [
            "sa-claims-deployer",
            "sa-fin-deployer",
            "sa-finance-deployer",
            "sa-fraud-deployer"
        ]
    );
}

#[test]
fn the_evaluator_allows_no_operation_on_names_of_another_department() {
    let evaluator = evaluator(&[]);
    let kinds = [
        ("$C/connector=", "orders"),
        ("$K/topic=", "orders"),
        ("$K/group=", "app"),
        ("$K/transactional-id=", "tx"),
        ("$S/subject=", "orders-value"),
    ];
    let mut asked = 0;
    for a in all_departments() {
        for b in all_departments().into_iter().filter(|b| b.code != a.code) {
            for principal in &a.principals {
                for (scope, rest) in kinds {
                    let resource: Crn = crn(&format!("{scope}{}{rest}", b.prefix)).literal().unwrap();
                    assert!(
                        evaluator.allowed_operations(principal, &resource).is_empty(),
                        "{principal} {resource}"
                    );
                    asked += Operation::ALL.len();
                }
                for account in &b.principals {
                    let account = crn(&format!("$O/service-account={}", account.id())).literal().unwrap();
                    let may = evaluator.allowed_operations(principal, &account);
                    // Creating accounts applies to the organization and not to this account (T4).
                    let others = may.difference(OperationSet::new(&[Operation::Create]));
                    assert!(others.is_empty(), "{principal} {account}");
                }
            }
        }
    }
    assert_eq!(asked, 12 * 4 * 5 * 24);
}

/// Each case: the extra binding, the affected department, the operations, the resource.
#[test]
fn every_isolation_breach_yields_a_counter_example() {
    let cases: [(&str, &str, &str, &str, &str, &str); 14] = [
        // T1: a prefix without its delimiter
        (
            "sa-fin-viewer",
            "DeveloperRead",
            "$K/topic=fin*",
            "finance",
            "describe, read",
            "topic finance-*",
        ),
        // T2: an overbroad wildcard
        (
            "sa-fraud-viewer",
            "DeveloperRead",
            "$S/subject=*",
            "claims",
            "describe, read, read-compatibility",
            "subject claims-*",
        ),
        (
            "sa-fraud-viewer",
            "DeveloperRead",
            "$K/group=*",
            "claims",
            "describe, read",
            "group claims-*",
        ),
        // One name of another department
        (
            "sa-fraud-operator",
            "ConnectManager",
            "$C/connector=claims-orders",
            "claims",
            "describe, read-config, read-status, view-logs, view-metrics, lifecycle",
            "connector claims-orders",
        ),
        (
            "sa-fraud-runtime",
            "DeveloperWrite",
            "$K/transactional-id=claims-tx*",
            "claims",
            "describe, write",
            "transactional-id claims-tx*",
        ),
        // T8: a role on the whole cluster
        (
            "sa-fraud-operator",
            "ConnectManager",
            "$C",
            "claims",
            "describe, read-config, read-status, view-logs, view-metrics, lifecycle",
            "connector claims-*",
        ),
        (
            "sa-fraud-viewer",
            "MetricsViewer",
            "$E",
            "claims",
            "describe, view-metrics",
            "connector claims-*",
        ),
        (
            "sa-fraud-viewer",
            "Operator",
            "$O",
            "claims",
            "describe",
            "topic claims-*",
        ),
        // T5 across departments: the runtime account of another department
        (
            "sa-fraud-deployer",
            "Assigner",
            "$O/service-account=sa-claims-runtime",
            "claims",
            "describe, assign",
            "service-account sa-claims-runtime",
        ),
        // An account with access to everything: a principal that may assign it gains that access
        (
            "sa-fraud-deployer",
            "Assigner",
            "$O/service-account=sa-provisioner",
            "claims",
            "describe, create, delete, read, write, alter, describe-configs, alter-configs, describe-access, alter-access",
            "topic claims-*",
        ),
        // A shared name that is not on the list
        (
            "sa-fraud-runtime",
            "DeveloperWrite",
            "$K/topic=shared-in",
            "claims",
            "describe, write",
            "topic shared-*",
        ),
        // Wider than a shared name
        (
            "sa-fraud-runtime",
            "DeveloperRead",
            "$K/group=connect-*",
            "claims",
            "describe, read",
            "group connect-*",
        ),
        // An unknown role
        ("sa-fraud-viewer", "ClusterWizard", "$C", "claims", "", "topic claims-*"),
        (
            "sa-fraud-viewer",
            "OrganizationAdmin",
            "$O",
            "claims",
            "describe, delete, update, assign, manage-cloud-keys, manage-kafka-keys, manage-schema-registry-keys, \
          describe-access, alter-access",
            "service-account *",
        ),
    ];
    for (who, role, short, reaches, operations, resource) in cases {
        let shared = ("sa-claims-runtime", "DeveloperRead", "$K/topic=shared-*");
        let IsolationResult::Failed { counter_examples, .. } = check_with(&[(who, role, short), shared]) else {
            panic!("{who} {role} {short}: not found");
        };
        let shown: Vec<_> = counter_examples
            .iter()
            .map(|example| {
                let operations: OperationSet = example.operations.iter().copied().collect();
                // The test accepts either of two overlapping bindings.
                let resource = example.resource.to_short_string().replace("shared-in", "shared-*");
                (example.reaches.to_string(), operations.to_string(), resource)
            })
            .collect();
        let expected = (reaches.to_owned(), operations.to_owned(), resource.to_owned());
        assert!(shown.contains(&expected), "{who} {role} {short}: {shown:#?}");
        let code = who.split('-').nth(1).unwrap();
        assert!(
            counter_examples
                .iter()
                .all(|example| example.department.as_str() == code),
            "{counter_examples:#?}"
        );
    }
}

#[test]
fn indirect_control_of_accounts_is_followed() {
    let steps = [
        ("sa-fraud-deployer", "ResourceOwner", "$O/service-account=sa-shadow"),
        ("sa-shadow", "Assigner", "$O/service-account=sa-deep"),
        ("sa-deep", "DeveloperRead", "$K/topic=claims-orders"),
    ];
    let IsolationResult::Failed { counter_examples, .. } = check_with(&steps) else {
        panic!("not found");
    };
    let [example] = &counter_examples[..] else {
        panic!("{counter_examples:#?}")
    };
    assert_eq!(example.department.as_str(), "fraud");
    assert_eq!(example.principal.id(), "sa-deep");
    let through = example.controlled_through.as_ref().unwrap();
    assert_eq!(through.principal.id(), "sa-shadow");
    // An unmanaged account without foreign access is no breach.
    let inside = [steps[0], ("sa-shadow", "DeveloperRead", "$K/topic=fraud-orders")];
    assert!(check_with(&inside).has_passed());
}

#[test]
fn nested_prefixes_are_found_through_their_bindings() {
    let nested = [
        department_principals("fin", "fin-"),
        department_principals("ops", "fin-ops-"),
    ];
    let both = expected_bindings("fin", "fin-").chain(expected_bindings("ops", "fin-ops-"));
    let IsolationResult::Failed { counter_examples, .. } = check_isolation(&nested, &Evaluator::new(both), &address())
    else {
        panic!("not found");
    };
    assert!(
        counter_examples
            .iter()
            .any(|example| example.resource.to_short_string() == "connector fin-ops-*")
    );
    let without = check_isolation(&nested, &Evaluator::default(), &address());
    assert!(without.has_passed(), "no department has grants");
}

#[test]
fn the_result_does_not_depend_on_the_order_of_departments_and_bindings() {
    let breach = [("sa-fraud-operator", "ConnectManager", "$C")];
    let evaluator = evaluator(&breach);
    let mut reversed = all_departments();
    reversed.reverse();
    let text = |parties: &[DepartmentPrincipals]| {
        let mut value = serde_json::to_value(check_isolation(parties, &evaluator, &address())).unwrap();
        // The order of the departments decides which victim is named first.
        for example in value["counter_examples"].as_array_mut().unwrap() {
            example["reaches"].take();
            example["resource"].take();
        }
        value.to_string()
    };
    assert_eq!(text(&all_departments()), text(&reversed));
}

/// Generates a binding of one of three small departments on a topic or group, often near a prefix or a shared name.
fn small_binding() -> impl Strategy<Value = (usize, RoleBinding)> {
    let name = prop_oneof![4 => "[ab]{0,2}-?[ab]?", 1 => "connect-(lcc[12]?)?"];
    (0..3usize, 0..3usize, name, any::<bool>()).prop_map(|(party, kind, name, prefixed)| {
        let kind = ["$K/topic", "$K/group", "$C/connector"][kind];
        let name = if prefixed {
            format!("{name}*")
        } else {
            format!("{name}x")
        };
        (
            party,
            binding(
                &format!("sa-p{party}-operator"),
                "DeveloperRead",
                &format!("{kind}={name}"),
            ),
        )
    })
}

proptest! {
    #[test]
    fn the_sweep_agrees_with_comparing_every_pair(bindings in proptest::collection::vec(small_binding(), 0..14)) {
        let parties = [department_principals("p0", "a-"), department_principals("p1", "ab-"), department_principals("p2", "b-")];
        let exposed = |pattern: &CrnPattern| {
            pattern.kind() == ResourceKind::Group && pattern.name().stem().starts_with("connect-lcc")
        };
        let reaches = |(who, binding): &(usize, RoleBinding)| {
            parties.iter().enumerate().any(|(party, other)| {
                party != *who && binding.pattern.name().overlaps(&other.prefix.pattern())
            })
        };
        let meets = |(who, one): &(usize, RoleBinding)| {
            bindings.iter().any(|(other, two)| {
                let shared = exposed(&one.pattern) && exposed(&two.pattern);
                who != other && !shared && one.pattern.overlaps(&two.pattern)
            })
        };
        let isolated = !bindings.iter().any(|one| reaches(one) || meets(one));
        let evaluator = Evaluator::new(bindings.iter().map(|(_, binding)| binding.clone()));
        prop_assert_eq!(check_isolation(&parties, &evaluator, &address()).has_passed(), isolated);
    }
}
