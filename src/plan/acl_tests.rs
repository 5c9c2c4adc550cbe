//! Tests of ACLs in plans: created, kept, surplus, refused, deleted.

use super::*;
use crate::{
    model::{AclBinding, AclGrant, AclOperation, GrantTarget, Listing},
    plan::{Action, ObjectOperation, PlannedChange, Teardown, plan_teardown},
};

/// The hybrid template with some of the ACLs for the runtime account from docs/reference/rbac.md#personas.
fn with_acls(code: &str) -> DesiredDepartment {
    let mut desired = desired(code);
    let runtime = desired.personas.iter_mut().find(|persona| persona.persona == "runtime");
    let names = NamePattern::Prefixed("dlq-lcc".into());
    runtime.unwrap().acls = vec![
        AclGrant {
            operations: vec![AclOperation::Create, AclOperation::Write],
            on: GrantTarget::Fixed(ResourceKind::Topic, names),
            why: "dead letters".into(),
        },
        AclGrant {
            operations: vec![AclOperation::Read],
            on: GrantTarget::Prefix(ResourceKind::Topic),
            why: "own topics".into(),
        },
    ];
    desired
}

fn acl(text: &str) -> AclBinding {
    text.parse().unwrap()
}

const WANTED: [&str; 3] = [
    "TOPIC#dlq-lcc#PREFIXED#User:sa-runtime#*#CREATE#ALLOW",
    "TOPIC#dlq-lcc#PREFIXED#User:sa-runtime#*#WRITE#ALLOW",
    "TOPIC#claims-#PREFIXED#User:sa-runtime#*#READ#ALLOW",
];

fn onboarded(acls: &[&str]) -> OrganizationFixture {
    let mut world = OrganizationFixture::onboarded(&with_acls("claims"));
    world.seen.acls = acls.iter().map(|text| acl(text)).collect();
    world
}

fn acl_changes(plan: &Plan) -> Vec<&PlannedChange> {
    let changes = plan.changes.iter();
    changes.filter(|change| change.operation.kind() == "acl").collect()
}

#[test]
fn a_new_department_gets_its_acls_after_its_account_and_before_its_proof() {
    let plan = OrganizationFixture::empty().plan(&[with_acls("claims")], false);
    let created = acl_changes(&plan);
    let shown: Vec<String> = created.iter().map(|change| change.label()).collect();
    assert_eq!(
        shown,
        [
            "create acl claims-runtime  ALLOW CREATE  topic dlq-lcc*",
            "create acl claims-runtime  ALLOW WRITE  topic dlq-lcc*",
            "create acl claims-runtime  ALLOW READ  topic claims-*",
        ]
    );
    for change in created {
        let [account] = change.needs[..] else {
            panic!("{change:?}")
        };
        let PlannedOperation::CreateAccount { tag } = &plan.changes[account].operation else {
            panic!("{change:?}")
        };
        assert_eq!(tag.persona, "runtime");
        assert!(change.operation.is_remote());
        let PlannedOperation::Object(ObjectOperation::Create { object, .. }) = &change.operation else {
            panic!("{change:?}")
        };
        let object = object.operations.for_holder(Principal::from_id("sa-runtime"));
        let acl: &AclBinding = object.downcast_ref().unwrap();
        assert!(WANTED.contains(&acl.to_string().as_str()));
    }
    // The same in the serialized plan.
    let value = serde_json::to_value(acl_changes(&plan)[0]).unwrap();
    assert_eq!(value["operation"], "create_acl");
    assert_eq!(
        value["acl"],
        serde_json::json!({ "resource": "TOPIC", "names": "dlq-lcc*", "operation": "CREATE" })
    );
}

#[test]
fn existing_acls_are_kept_and_missing_ones_created() {
    let desired = with_acls("claims");
    assert!(onboarded(&WANTED).plan(std::slice::from_ref(&desired), true).is_empty());
    let plan = onboarded(&WANTED[..2]).plan(std::slice::from_ref(&desired), true);
    assert_eq!(plan.changes.len(), 1, "{:?}", plan.changes);
    // An ACL that differs in one part is a different ACL.
    let similar = [
        "TOPIC#dlq-lcc#LITERAL#User:sa-runtime#*#WRITE#ALLOW",
        "TOPIC#dlq-lcc#PREFIXED#User:sa-runtime#*#WRITE#DENY",
        "GROUP#dlq-lcc#PREFIXED#User:sa-runtime#*#WRITE#ALLOW",
        "TOPIC#dlq-lcc#PREFIXED#User:sa-operator#*#WRITE#ALLOW",
    ];
    for similar in similar {
        let plan = onboarded(&[WANTED[0], WANTED[2], similar]).plan(std::slice::from_ref(&desired), false);
        assert_eq!(acl_changes(&plan).len(), 1, "{similar}");
    }
}

#[test]
fn surplus_acls_of_managed_accounts_are_reported_and_deleted_only_with_prune() {
    let desired = with_acls("claims");
    let extra = "TOPIC#claims-#PREFIXED#User:sa-operator#*#ALL#ALLOW";
    let mut there = WANTED.to_vec();
    there.push(extra);
    let kept = onboarded(&there).plan(std::slice::from_ref(&desired), false);
    assert!(kept.is_empty());
    let shown: Vec<_> = kept.surplus.iter().map(|surplus| surplus.what.as_str()).collect();
    assert_eq!(shown, ["claims-operator  ALLOW ALL  topic claims-*"]);
    let pruned = onboarded(&there).plan(&[desired], true);
    assert!(pruned.surplus.is_empty());
    let [gone] = &pruned.changes[..] else {
        panic!("{:?}", pruned.changes)
    };
    assert_eq!(gone.action, Action::Delete);
    let PlannedOperation::Object(ObjectOperation::Delete { object }) = &gone.operation else {
        panic!("{gone:?}")
    };
    assert_eq!(object.downcast_ref(), Some(&acl(extra)));
    // The same in the serialized plan.
    let value = serde_json::to_value(gone).unwrap();
    assert_eq!(value["operation"], "delete_acl");
    assert_eq!(value["acl"], serde_json::json!(acl(extra)));
    // With a template without ACLs, all observed ACLs are surplus.
    let plain = onboarded(&WANTED).plan(&[super::desired("claims")], false);
    assert_eq!(plain.surplus.len(), 3);
}

#[test]
fn unreadable_acls_refuse_only_departments_whose_template_grants_acls() {
    let mut world = onboarded(&[]);
    let reason = "there is no API key of Kafka cluster `lkc-abc123` at hand";
    world.seen.unknown.insert(Listing::Acls, reason.into());
    let plan = world.plan(&[with_acls("claims")], false);
    assert_eq!(rules(&plan), ["acls-unknown"]);
    let refusal = &plan.refusals[0];
    assert!(refusal.message.contains(reason), "{}", refusal.message);
    assert!(
        refusal.hints[0].contains("confluent api-key create --resource lkc-"),
        "{:?}",
        refusal.hints
    );
    assert!(
        refusal.hints[1].contains("CONFLUENT_EBS_KAFKA_API_KEY"),
        "{:?}",
        refusal.hints
    );
    assert!(plan.is_empty());
    assert!(world.plan(&[desired("claims")], false).refusals.is_empty());
}

#[test]
fn unmanaged_acls_on_the_prefix_are_reported_and_not_changed() {
    let desired = with_acls("claims");
    let mut there = WANTED.to_vec();
    there.extend([
        "TOPIC#claims-orders#LITERAL#User:*#*#READ#ALLOW",
        "GROUP#claim#PREFIXED#User:1234567#*#READ#ALLOW",
        "TOPIC#fraud-#PREFIXED#User:sa-other#*#READ#ALLOW",
        "CLUSTER#kafka-cluster#LITERAL#User:sa-other#*#DESCRIBE#ALLOW",
        // ACLs of the provisioner are not foreign.
        "TOPIC#claims-#PREFIXED#User:sa-provisioner#*#READ#ALLOW",
    ]);
    let plan = onboarded(&there).plan(&[desired], true);
    assert!(plan.is_empty(), "{:?}", plan.changes);
    assert_eq!(
        plan.unmanaged,
        [
            "claims: 1234567: ALLOW READ on group claim*",
            "claims: all principals: ALLOW READ on topic claims-orders",
        ]
    );
}

fn teardown(context: &OrganizationFixture, removes_foreign: bool) -> Teardown {
    teardown_of(&with_acls("claims"), context, removes_foreign)
}

fn teardown_of(desired: &DesiredDepartment, context: &OrganizationFixture, removes_foreign: bool) -> Teardown {
    let wanted = PlanInput {
        stage: "prod",
        address: &address(),
        provisioner: &provisioner(),
        departments: std::slice::from_ref(desired),
        known_departments: &BTreeSet::new(),
        adopt: &context.adopt,
        known_keys: &context.known_keys,
        prune: false,
    };
    plan_teardown(&wanted, &context.seen, &desired.department, removes_foreign)
}

#[test]
fn acls_are_deleted_before_the_account_that_they_name() {
    let mut there = WANTED.to_vec();
    there.push("TOPIC#claims-orders#LITERAL#User:*#*#READ#ALLOW");
    let context = onboarded(&there);
    let own = teardown(&context, false);
    let gone = acl_changes(&own.plan);
    assert_eq!(gone.len(), 3);
    let is_runtime = |change: &&PlannedChange| matches!(&change.operation, PlannedOperation::DeleteAccount { id, .. } if id.as_str() == "sa-runtime");
    let account = own.plan.changes.iter().find(is_runtime).unwrap();
    for change in gone {
        assert!(account.needs.contains(&change.id), "{change:?}");
    }
    let shown = serde_json::to_value(&own).unwrap();
    assert_eq!(shown["foreign_acls"].as_array().unwrap().len(), 1);
    assert_eq!(shown["foreign_acls"][0]["holder"], "all principals");
    assert_eq!(acl_changes(&teardown(&context, true).plan).len(), 4);
    // Residual access lists the other principals; the department's own ACLs are deleted by then.
    let mut after = onboarded(&there[3..]);
    after.seen.accounts.clear();
    let reach = crate::plan::find_residual_access(&after.seen, &with_acls("claims").department);
    assert!(
        reach
            .others
            .contains("all principals: ALLOW READ on topic claims-orders"),
        "{reach:?}"
    );
}

#[test]
fn a_teardown_is_refused_while_the_acls_of_its_template_are_unknown() {
    let mut world = onboarded(&WANTED);
    world.seen.acls.clear();
    world.seen.unknown.insert(Listing::Acls, "no key".into());
    let refused = teardown(&world, false);
    assert_eq!(rules(&refused.plan), ["acls-unknown"]);
    assert!(refused.plan.changes.is_empty());
    let hints = &refused.plan.refusals[0].hints;
    assert!(
        hints.iter().any(|hint| hint.as_str().contains("keys revoke")),
        "{hints:?}"
    );
    // A department without ACLs needs no key of the cluster.
    assert!(teardown_of(&desired("claims"), &world, false).plan.refusals.is_empty());
    world.seen.accounts.clear();
    assert!(teardown(&world, false).plan.refusals.is_empty());
}
