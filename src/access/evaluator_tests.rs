//! Compares the evaluator with tables from docs/reference/rbac.md, and with the plain rules applied to every binding.

use proptest::prelude::*;

use super::*;
use crate::model::Role;

const ORG: &str = "crn://confluent.cloud/organization=o1";
const ENV: &str = "crn://confluent.cloud/organization=o1/environment=env-1";
const CLUSTER: &str = "crn://confluent.cloud/organization=o1/environment=env-1/cloud-cluster=lkc-1";

fn kafka(tail: &str) -> String {
    format!("{CLUSTER}/kafka=lkc-1/{tail}")
}

fn registry(tail: &str) -> String {
    format!("{ENV}/schema-registry=lsrc-1/{tail}")
}

fn test_principal() -> Principal {
    Principal::from_id("sa-me")
}

fn evaluator_with_binding(role: &str, pattern: &str) -> Evaluator {
    let Ok(role) = role.parse::<Role>();
    Evaluator::new([RoleBinding::new(
        test_principal(),
        role,
        pattern.parse::<CrnPattern>().unwrap(),
    )])
}

fn allowed_operations_text(evaluator: &Evaluator, resource: &str) -> String {
    evaluator
        .allowed_operations(&test_principal(), &resource.parse().unwrap())
        .to_string()
}

// Source: docs/reference/rbac.md#connector-roles, without the two preview columns and with footnotes 2 and 3 applied:
// create, read config, read status, logs, metrics, lifecycle, configure, Kafka credentials, manage access, delete.
#[test]
fn connector_roles_allow_the_operations_of_the_table() {
    let columns = [
        Operation::Create,
        Operation::ReadConfig,
        Operation::ReadStatus,
        Operation::ViewLogs,
        Operation::ViewMetrics,
        Operation::Lifecycle,
        Operation::Configure,
        Operation::ConfigureCredentials,
        Operation::AlterAccess,
        Operation::Delete,
    ];
    let connector = format!("{CLUSTER}/connector=claims-*");
    let table = [
        ("OrganizationAdmin", ORG, "Y Y Y Y Y Y Y Y Y Y"),
        ("EnvironmentAdmin", ENV, "Y Y Y Y Y Y Y Y Y Y"),
        ("CloudClusterAdmin", CLUSTER, "Y Y Y Y Y Y Y Y Y Y"),
        ("ResourceOwner", &connector, "Y Y Y Y Y Y Y Y Y Y"),
        ("ConnectManager", &connector, "- Y Y Y Y Y - - - -"),
        ("ConnectManager", CLUSTER, "- Y Y Y Y Y - - - -"),
        ("Operator", CLUSTER, "- - Y - Y - - - - -"),
        ("DeveloperWrite", &connector, "- Y Y - Y - Y - - -"),
        ("DeveloperRead", &connector, "- Y Y - Y - - - - -"),
        ("AccountAdmin", ORG, "- - - - - - - - - -"),
        ("ResourceKeyAdmin", ORG, "- - - - - - - - - -"),
        ("DataDiscovery", ENV, "- - - - - - - - - -"),
        ("DataSteward", ENV, "- - - - - - - - - -"),
        ("BillingAdmin", ORG, "- - - - - - - - - -"),
    ];
    let mine = format!("{CLUSTER}/connector=claims-orders").parse::<Crn>().unwrap();
    let foreign = format!("{CLUSTER}/connector=claim-orders").parse::<Crn>().unwrap();
    for (role, at, cells) in table {
        let evaluator = evaluator_with_binding(role, at);
        for (operation, cell) in columns.into_iter().zip(cells.split(' ')) {
            let allowed = evaluator.decide(&test_principal(), operation, &mine).is_allowed();
            assert_eq!(allowed, cell == "Y", "{role} {operation}");
            if at == connector {
                assert!(
                    !evaluator.decide(&test_principal(), operation, &foreign).is_allowed(),
                    "{role} {operation}"
                );
            }
        }
        let other = Principal::from_id("sa-other");
        assert!(!evaluator.decide(&other, Operation::Describe, &mine).is_allowed());
    }
}

// Source: docs/reference/rbac.md#roles-on-topics-groups-and-subjects, with this program's operation names; every
// non-empty cell includes `describe`.
#[test]
fn resource_roles_allow_the_operations_of_the_table_outside_connectors() {
    let topic = kafka("topic=claims-*");
    let group = kafka("group=claims-*");
    let transactional = kafka("transactional-id=claims-*");
    let subject = registry("subject=claims-*");
    let table = [
        ("DeveloperRead", &topic, "describe, read"),
        ("DeveloperRead", &group, "describe, read"),
        ("DeveloperRead", &transactional, "describe"),
        ("DeveloperRead", &subject, "describe, read, read-compatibility"),
        ("DeveloperWrite", &topic, "describe, write"),
        ("DeveloperWrite", &group, ""),
        ("DeveloperWrite", &transactional, "describe, write"),
        ("DeveloperWrite", &subject, "describe, write"),
        (
            "DeveloperManage",
            &topic,
            "describe, create, delete, describe-configs, alter-configs",
        ),
        ("DeveloperManage", &group, "describe, delete"),
        ("DeveloperManage", &transactional, "describe"),
        (
            "DeveloperManage",
            &subject,
            "describe, delete, read-compatibility, write-compatibility",
        ),
        (
            "ResourceOwner",
            &topic,
            "describe, create, delete, read, write, alter, describe-configs, alter-configs, describe-access, alter-access",
        ),
        (
            "ResourceOwner",
            &group,
            "describe, delete, read, describe-access, alter-access",
        ),
        (
            "ResourceOwner",
            &transactional,
            "describe, write, describe-access, alter-access",
        ),
        (
            "ResourceOwner",
            &subject,
            "describe, delete, read, write, read-compatibility, write-compatibility, describe-access, alter-access",
        ),
    ];
    for (role, at, expected) in table {
        let evaluator = evaluator_with_binding(role, at);
        assert_eq!(
            allowed_operations_text(&evaluator, &at.replace('*', "orders")),
            expected,
            "{role} {at}"
        );
        assert_eq!(
            allowed_operations_text(&evaluator, &at.replace("claims-*", "fraud-orders")),
            "",
            "{role} {at}"
        );
    }
}

// Source: docs/reference/rbac.md#roles-on-a-service-account and docs/reference/rbac.md#who-may-create-api-keys
#[test]
fn roles_allow_the_documented_operations_on_accounts_and_keys() {
    let account = format!("{ORG}/service-account=sa-1");
    let table = [
        ("Assigner", account.as_str(), "describe, assign"),
        (
            "ResourceOwner",
            &account,
            "describe, create, delete, update, assign, manage-cloud-keys, manage-kafka-keys, manage-schema-registry-keys, \
          describe-access, alter-access",
        ),
        ("AccountAdmin", ORG, "describe, create, delete, update, assign"),
        (
            "ResourceKeyAdmin",
            ORG,
            "describe, manage-kafka-keys, manage-schema-registry-keys",
        ),
        ("CloudClusterAdmin", CLUSTER, "describe, create"),
        ("EnvironmentAdmin", ENV, "describe, create"),
        ("Operator", CLUSTER, ""),
        ("DeveloperRead", &kafka("topic=claims-*"), ""),
    ];
    for (role, at, expected) in table {
        assert_eq!(
            allowed_operations_text(&evaluator_with_binding(role, at), &account),
            expected,
            "{role} {at}"
        );
    }
    // Keys of any account, by the resource of the key.
    let registry = format!("{ENV}/schema-registry=lsrc-1");
    let keys = [
        ("OrganizationAdmin", ORG, true, true),
        ("EnvironmentAdmin", ENV, true, true),
        ("CloudClusterAdmin", CLUSTER, true, false),
        ("ResourceKeyAdmin", ORG, true, true),
        ("AccountAdmin", ORG, false, false),
        ("Operator", CLUSTER, false, false),
    ];
    for (role, at, kafka_keys, registry_keys) in keys {
        let evaluator = evaluator_with_binding(role, at);
        let decide = |operation, resource: &str| {
            evaluator
                .decide(&test_principal(), operation, &resource.parse().unwrap())
                .is_allowed()
        };
        assert_eq!(decide(Operation::ManageKafkaKeys, CLUSTER), kafka_keys, "{role}");
        assert_eq!(
            decide(Operation::ManageSchemaRegistryKeys, &registry),
            registry_keys,
            "{role}"
        );
        assert_eq!(
            decide(Operation::ManageSchemaRegistryKeys, ENV),
            registry_keys,
            "{role}"
        );
    }
}

// T4: docs `create-service-accounts` lists who may create service accounts.
#[test]
fn roles_that_create_accounts_apply_to_the_whole_organization() {
    let creators = [
        ("OrganizationAdmin", ORG.to_owned(), true),
        ("AccountAdmin", ORG.to_owned(), true),
        ("EnvironmentAdmin", ENV.to_owned(), true),
        ("CloudClusterAdmin", CLUSTER.to_owned(), true),
        ("KsqlAdmin", CLUSTER.to_owned(), true),
        ("ResourceOwner", format!("{CLUSTER}/connector=claims-*"), true),
        ("ResourceOwner", kafka("topic=claims-one"), true),
        ("ResourceOwner", registry("subject=claims-*"), true),
        ("ResourceOwner", format!("{ORG}/service-account=sa-1"), true),
        ("DeveloperManage", kafka("topic=claims-*"), false),
        ("ConnectManager", format!("{CLUSTER}/connector=claims-*"), false),
        ("Assigner", format!("{ORG}/service-account=sa-1"), false),
        ("Operator", ORG.to_owned(), false),
    ];
    let new: Crn = format!("{ORG}/service-account=sa-new").parse().unwrap();
    let elsewhere: Crn = "crn://confluent.cloud/organization=o2/service-account=sa-new"
        .parse()
        .unwrap();
    for (role, at, expected) in creators {
        let evaluator = evaluator_with_binding(role, &at);
        assert_eq!(
            evaluator
                .decide(&test_principal(), Operation::Create, &new)
                .is_allowed(),
            expected,
            "{role}"
        );
        assert_eq!(
            evaluator.who_can(Operation::Create, &new).len(),
            usize::from(expected),
            "{role}"
        );
        assert!(
            !evaluator
                .decide(&test_principal(), Operation::Create, &elsewhere)
                .is_allowed(),
            "{role}"
        );
    }
}

// Source: docs/reference/rbac.md#roles-of-the-provisioner. Required and forbidden operations of the provisioner.
#[test]
fn the_provisioner_is_allowed_exactly_the_operations_it_needs() {
    let own = format!("{ORG}/service-account=sa-own");
    let bindings = [
        ("CloudClusterAdmin", CLUSTER.to_owned()),
        ("ResourceOwner", registry("subject=*")),
        ("ResourceOwner", own.clone()),
    ];
    let evaluator = Evaluator::new(bindings.map(|(role, at)| {
        let Ok(role) = role.parse::<Role>();
        RoleBinding::new(test_principal(), role, at.parse::<CrnPattern>().unwrap())
    }));
    let grants = |pattern: &str| {
        let pattern = pattern.parse().unwrap();
        evaluator
            .decide_pattern(&test_principal(), Operation::AlterAccess, &pattern)
            .is_allowed()
    };
    for pattern in [
        format!("{CLUSTER}/connector=claims-*"),
        kafka("topic=claims-*"),
        kafka("group=connect-lcc*"),
        kafka("transactional-id=*"),
        registry("subject=claims-*"),
        own.clone(),
        CLUSTER.to_owned(),
    ] {
        assert!(grants(&pattern), "{pattern}");
    }
    for pattern in [
        ORG.to_owned(),
        ENV.to_owned(),
        format!("{ORG}/service-account=sa-foreign"),
        format!("{ORG}/service-account=*"),
        format!("{ENV}/cloud-cluster=lkc-2/connector=claims-*"),
        format!("{ENV}/schema-registry=lsrc-2/subject=claims-*"),
    ] {
        assert!(!grants(&pattern), "{pattern}");
    }
    let cloud_keys = |account: &str| {
        evaluator
            .decide(&test_principal(), Operation::ManageCloudKeys, &account.parse().unwrap())
            .is_allowed()
    };
    assert!(cloud_keys(&own));
    assert!(!cloud_keys(&format!("{ORG}/service-account=sa-foreign")));
}

#[test]
fn scopes_are_visible_from_below_and_alter_access_stays_within_the_prefix() {
    let owner = evaluator_with_binding("ResourceOwner", &format!("{CLUSTER}/connector=claims-*"));
    for scope in [ORG, ENV, CLUSTER] {
        assert_eq!(allowed_operations_text(&owner, scope), "describe", "{scope}");
    }
    assert_eq!(
        allowed_operations_text(&owner, &format!("{ENV}/cloud-cluster=lkc-2")),
        ""
    );
    assert_eq!(
        allowed_operations_text(&owner, &format!("{ENV}/schema-registry=lsrc-1")),
        ""
    );
    let grants = |name: &str| {
        let pattern = format!("{CLUSTER}/connector={name}").parse().unwrap();
        owner
            .decide_pattern(&test_principal(), Operation::AlterAccess, &pattern)
            .is_allowed()
    };
    assert!(grants("claims-*") && grants("claims-orders-*") && grants("claims-orders"));
    assert!(!grants("claims*") && !grants("*") && !grants("fraud-*"));
    // A name that only equals the prefix without its delimiter.
    assert!(!grants("claims"));
}

#[test]
fn who_can_lists_every_principal_with_every_binding() {
    let at = |who: &str, role: Role, pattern: &str| {
        RoleBinding::new(Principal::from_id(who), role, pattern.parse::<CrnPattern>().unwrap())
    };
    let prefix = format!("{CLUSTER}/connector=claims-*");
    let mut evaluator = Evaluator::new([
        at("sa-b", Role::ResourceOwner, &prefix),
        at("sa-b", Role::CloudClusterAdmin, CLUSTER),
        at(
            "sa-a",
            Role::ResourceOwner,
            &format!("{CLUSTER}/connector=claims-orders"),
        ),
        at("sa-c", Role::ConnectManager, &prefix),
        at("u-1", Role::OrganizationAdmin, ORG),
    ]);
    let orders: Crn = format!("{CLUSTER}/connector=claims-orders").parse().unwrap();
    let shown = |evaluator: &Evaluator| -> Vec<String> {
        let found = evaluator.who_can(Operation::Delete, &orders);
        found
            .iter()
            .map(|(who, binding)| format!("{} {}", who.id(), binding.role))
            .collect()
    };
    let all = [
        "sa-a ResourceOwner",
        "sa-b CloudClusterAdmin",
        "sa-b ResourceOwner",
        "u-1 OrganizationAdmin",
    ];
    assert_eq!(shown(&evaluator), all);
    // The decision names the most specific binding.
    let decision = evaluator.decide(&Principal::from_id("sa-b"), Operation::Delete, &orders);
    let PolicyDecision::AllowedByRole(binding) = decision else {
        panic!("denied")
    };
    assert_eq!(binding.role, Role::ResourceOwner);
    evaluator.remove(&at("sa-b", Role::CloudClusterAdmin, CLUSTER));
    evaluator.remove(&at("sa-b", Role::ResourceOwner, &prefix));
    assert!(!evaluator.has_bindings(&Principal::from_id("sa-b")));
    assert_eq!(shown(&evaluator), ["sa-a ResourceOwner", "u-1 OrganizationAdmin"]);
    let touching = prefix.parse().unwrap();
    let who: Vec<_> = evaluator
        .bindings_reaching(&touching)
        .map(|(binding, _)| binding.principal.id().to_owned())
        .collect();
    assert_eq!(who, ["sa-a", "sa-c", "u-1"]);
}

fn role() -> impl Strategy<Value = Role> {
    let known = (0..Role::KNOWN.len()).prop_map(|index| Role::KNOWN[index].clone());
    prop_oneof![20 => known, 1 => Just(Role::Other("FlinkAdmin".into()))]
}

fn name() -> impl Strategy<Value = String> {
    "[ab-]{1,4}"
}

fn resource() -> impl Strategy<Value = String> {
    let leaf = (0..8usize, name(), 1..3u8).prop_map(|(kind, name, number)| {
        let cluster = format!("{ENV}/cloud-cluster=lkc-{number}");
        match kind {
            0 => format!("{cluster}/connector={name}"),
            1 => format!("{cluster}/kafka=lkc-{number}/topic={name}"),
            2 => format!("{cluster}/kafka=lkc-{number}/group={name}"),
            3 => format!("{ENV}/schema-registry=lsrc-{number}/subject={name}"),
            4 => format!("{ENV}/schema-registry=lsrc-{number}/kek={name}"),
            5 => format!("{ORG}/service-account={name}"),
            6 => format!("{cluster}/kafka=lkc-{number}/transactional-id={name}"),
            _ => format!("crn://confluent.cloud/organization=o{number}/service-account={name}"),
        }
    });
    let scopes = [ORG, ENV, CLUSTER, "crn://confluent.cloud/organization=o2"];
    prop_oneof![6 => leaf, 1 => (0..scopes.len()).prop_map(move |index| scopes[index].to_owned())]
}

fn pattern() -> impl Strategy<Value = CrnPattern> {
    let prefix = resource().prop_map(|text| if text.contains("-1/") { format!("{text}*") } else { text });
    prefix.prop_map(|text| text.parse().unwrap())
}

fn binding() -> impl Strategy<Value = RoleBinding> {
    ("sa-[xyz]", role(), pattern())
        .prop_map(|(who, role, pattern)| RoleBinding::new(Principal::from_id(&who), role, pattern))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_index_agrees_with_a_linear_search(
        bindings in proptest::collection::vec(binding(), 0..24),
        gone in 0..24usize,
        resource in resource(),
    ) {
        let resource: Crn = resource.parse().unwrap();
        let mut evaluator = Evaluator::new(bindings.clone());
        let mut left = bindings;
        if gone < left.len() {
            let binding = left[gone].clone();
            evaluator.remove(&binding);
            left.retain(|other| *other != binding);
        }
        for who in ["sa-x", "sa-y", "sa-z"] {
            let who = Principal::from_id(who);
            let plain = left
                .iter()
                .filter(|binding| binding.principal == who)
                .fold(OperationSet::EMPTY, |set, binding| set.union(operations_of_binding(binding, &resource)));
            prop_assert_eq!(evaluator.allowed_operations(&who, &resource), plain);
            for operation in Operation::ALL {
                let decision = evaluator.decide(&who, operation, &resource);
                prop_assert_eq!(decision.is_allowed(), plain.contains(operation));
                let listed = evaluator.who_can(operation, &resource).iter().any(|(one, _)| *one == who);
                prop_assert_eq!(listed, plain.contains(operation));
                let whole = evaluator.decide_pattern(&who, operation, &resource.clone().into());
                prop_assert_eq!(whole.is_allowed(), plain.contains(operation));
            }
        }
    }

    #[test]
    fn a_prefix_binding_covers_exactly_the_names_with_that_prefix(begin in name(), other in "[ab-]{0,6}") {
        let evaluator = evaluator_with_binding("DeveloperRead", &kafka(&format!("topic={begin}*")));
        let topic: Crn = kafka(&format!("topic={other}x")).parse().unwrap();
        let expected = format!("{other}x").starts_with(&begin);
        prop_assert_eq!(evaluator.decide(&test_principal(), Operation::Read, &topic).is_allowed(), expected);
    }

    #[test]
    fn an_operation_that_roles_allow_on_a_pattern_is_allowed_on_every_match(
        bindings in proptest::collection::vec(binding(), 0..12),
        begin in name(),
        tail in "[ab-]{0,3}",
    ) {
        let evaluator = Evaluator::new(bindings);
        let pattern: CrnPattern = format!("{CLUSTER}/connector={begin}*").parse().unwrap();
        let inside: Crn = format!("{CLUSTER}/connector={begin}{tail}").parse().unwrap();
        for operation in Operation::ALL {
            let who = Principal::from_id("sa-x");
            if evaluator.decide_pattern(&who, operation, &pattern).is_allowed() {
                prop_assert!(evaluator.decide(&who, operation, &inside).is_allowed());
            }
        }
    }
}
