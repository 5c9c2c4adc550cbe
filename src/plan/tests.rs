//! Comparison tests on hand-made snapshots. The expectations come from docs/provisioner.md and
//! docs/reference/rbac.md#threats (T1, T4).

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    Plan, PlanInput, PlannedOperation,
    diff::{DepartmentStatus, diff},
};
use crate::{
    manifest::{DesiredDepartment, Workspace},
    model::{
        ApiKeyId, CrnPattern, DepartmentCode, Listing, NamePattern, ObservedAccount, ObservedBinding, ObservedKey,
        OwnershipTag, Principal, ResourceKind, Role, RoleBinding, ServiceAccountId, Snapshot, StageAddress,
    },
    resources::api_key::KnownKeys,
};

#[path = "acl_tests.rs"]
mod acls;
#[path = "kind_tests.rs"]
mod kinds;

fn address() -> StageAddress {
    StageAddress {
        organization: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
        environment: "env-prod01".parse().unwrap(),
        cluster: "lkc-prod01".parse().unwrap(),
        schema_registry: Some("lsrc-prod01".parse().unwrap()),
    }
}

fn provisioner() -> ServiceAccountId {
    "sa-provisioner".parse().unwrap()
}

fn desired(code: &str) -> DesiredDepartment {
    let (workspace, _) = Workspace::embedded().into_result().unwrap();
    let department = workspace.department(&code.parse().unwrap()).unwrap().clone();
    workspace.desired_department(&department, "prod", &address()).unwrap()
}

/// Builder of a snapshot of an organization.
struct OrganizationFixture {
    seen: Snapshot,
    known_keys: KnownKeys,
    adopt: BTreeSet<String>,
}

impl OrganizationFixture {
    fn empty() -> Self {
        Self {
            seen: Snapshot::new(Timestamp::UNIX_EPOCH, address(), provisioner().into()),
            known_keys: KnownKeys::default(),
            adopt: BTreeSet::new(),
        }
    }

    fn add_account(&mut self, id: &str, name: &str, description: &str) {
        let account = ObservedAccount {
            id: id.parse().unwrap(),
            name: name.into(),
            description: description.into(),
            created_at: None,
        };
        self.seen.accounts.push(account);
    }

    fn add_binding(&mut self, principal: &str, role: Role, pattern: CrnPattern) {
        let id = format!("rb-{}", self.seen.bindings.len()).parse().unwrap();
        let binding = RoleBinding {
            principal: Principal::from_id(principal),
            role,
            pattern,
        };
        self.seen.bindings.push(ObservedBinding { id, binding });
    }

    fn add_owner(&mut self, owner: &str, account: &str) {
        let crn = address().service_account_crn(&account.parse().unwrap());
        self.add_binding(owner, Role::ResourceOwner, crn.into());
    }

    fn add_key(&mut self, id: &str, owner: &str, description: &str) -> ApiKeyId {
        let id: ApiKeyId = id.parse().unwrap();
        self.seen.keys.push(ObservedKey {
            id: id.clone(),
            owner: Principal::from_id(owner),
            resource: "cloud".into(),
            description: description.into(),
            created_at: Some(Timestamp::UNIX_EPOCH),
        });
        id
    }

    /// Returns the state after onboarding `desired`.
    fn onboarded(desired: &DesiredDepartment) -> Self {
        let mut world = Self::empty();
        let id_of = |persona: &str| format!("sa-{persona}").parse().ok();
        for persona in &desired.personas {
            let id = format!("sa-{}", persona.persona);
            world.add_account(&id, &persona.account_name, &persona.tag.to_string());
            world.add_owner(provisioner().as_str(), &id);
            for grant in &persona.grants {
                let pattern = grant.on.resolve(&address(), &desired.department.prefix, id_of).unwrap();
                world.add_binding(&id, grant.role.clone(), pattern);
            }
            for _ in &persona.keys {
                let key = world.add_key(&format!("KEY{}", persona.persona.to_uppercase()), &id, "anything");
                world.known_keys.keys.insert(key, true);
            }
        }
        world
    }

    fn plan(&self, desired: &[DesiredDepartment], prune: bool) -> Plan {
        let known: BTreeSet<DepartmentCode> = desired.iter().map(|d| d.department.code.clone()).collect();
        let wanted = PlanInput {
            stage: "prod",
            address: &address(),
            provisioner: &provisioner(),
            departments: desired,
            known_departments: &known,
            adopt: &self.adopt,
            known_keys: &self.known_keys,
            prune,
        };
        diff(&wanted, &self.seen)
    }
}

fn rules(plan: &Plan) -> Vec<&'static str> {
    plan.refusals.iter().map(|refusal| refusal.rule).collect()
}

fn connector(name: &str) -> CrnPattern {
    address()
        .pattern(ResourceKind::Connector, NamePattern::parse(name).unwrap())
        .unwrap()
}

#[test]
fn a_new_department_gets_its_accounts_bindings_and_keys_in_an_order_that_works() {
    let plan = OrganizationFixture::empty().plan(&[desired("claims")], false);
    let count = |wanted: fn(&PlannedOperation) -> bool| plan.changes.iter().filter(|c| wanted(&c.operation)).count();
    // Hybrid template: operator, deployer, viewer, runtime; 1 + 2 + 1 + 6 grants; a key for all except runtime.
    assert_eq!(count(|o| matches!(o, PlannedOperation::CreateAccount { .. })), 4);
    assert_eq!(count(|o| matches!(o, PlannedOperation::CreateBinding { .. })), 10);
    assert_eq!(count(|o| matches!(o, PlannedOperation::CreateKey { .. })), 3);
    assert_eq!(count(|o| matches!(o, PlannedOperation::Prove { .. })), 3);
    assert_eq!(count(|o| matches!(o, PlannedOperation::HandOver { .. })), 3);
    assert_eq!(plan.changes.len(), 23);
    for change in &plan.changes {
        assert!(
            change.needs.iter().all(|&need| need < change.id),
            "{} needs a later change",
            change.label()
        );
        if matches!(change.operation, PlannedOperation::HandOver { .. }) {
            assert!(matches!(
                plan.changes[change.needs[0]].operation,
                PlannedOperation::Prove { .. }
            ));
        }
    }
    assert_eq!(plan.departments[0].status, DepartmentStatus::New);
}

#[test]
fn a_complete_department_has_an_empty_plan() {
    let claims = desired("claims");
    let plan = OrganizationFixture::onboarded(&claims).plan(&[claims], false);
    assert_eq!(rules(&plan), [""; 0]);
    assert!(
        plan.is_empty(),
        "{:?}",
        plan.changes.iter().map(super::PlannedChange::label).collect::<Vec<_>>()
    );
    assert_eq!(plan.departments[0].status, DepartmentStatus::Complete);
}

#[test]
fn the_order_of_the_lists_does_not_matter() {
    let claims = desired("claims");
    let mut world = OrganizationFixture::onboarded(&claims);
    world.seen.bindings.pop();
    world.seen.keys.pop();
    let text =
        |world: &OrganizationFixture| serde_json::to_string(&world.plan(std::slice::from_ref(&claims), true)).unwrap();
    let before = text(&world);
    world.seen.accounts.reverse();
    world.seen.keys.reverse();
    world.seen.bindings.reverse();
    assert_eq!(text(&world), before);
}

#[test]
fn a_binding_that_no_template_grants_is_surplus_and_deleted_only_with_prune() {
    let claims = desired("claims");
    let mut world = OrganizationFixture::onboarded(&claims);
    world.add_binding("sa-viewer", Role::ConnectManager, connector("claims-*"));
    let kept = world.plan(std::slice::from_ref(&claims), false);
    assert!(kept.is_empty());
    assert_eq!(
        kept.surplus[0].what,
        "claims-viewer  ConnectManager  connector claims-*"
    );
    let pruned = world.plan(&[claims], true);
    assert_eq!(pruned.changes.len(), 1);
    assert_eq!(pruned.changes[0].action.symbol(), "-");
}

#[test]
fn a_replaced_binding_is_deleted_after_its_replacement_exists() {
    let claims = desired("claims");
    let mut world = OrganizationFixture::onboarded(&claims);
    for seen in &mut world.seen.bindings {
        if seen.binding.principal == Principal::from_id("sa-viewer") {
            seen.binding.role = Role::DeveloperWrite;
        }
    }
    let plan = world.plan(&[claims], true);
    let symbols: Vec<_> = plan.changes.iter().map(|change| change.action.symbol()).collect();
    assert_eq!(symbols, ["+", "±"]);
    assert_eq!(plan.changes[1].needs, [0]);
}

#[test]
fn an_existing_fallback_binding_is_kept() {
    let claims = desired("claims");
    let mut world = OrganizationFixture::onboarded(&claims);
    for seen in &mut world.seen.bindings {
        if seen.binding.role == Role::ConnectManager {
            seen.binding.role = Role::DeveloperRead;
        }
    }
    let plan = world.plan(&[claims], true);
    assert!(plan.is_empty());
    assert_eq!(
        plan.notices,
        [
            "claims: DeveloperRead replaces ConnectManager on connector claims-*, because the service rejected ConnectManager there"
        ]
    );
}

#[test]
fn a_changed_quota_reissues_the_profiles_and_then_changes_the_tags() {
    let before = desired("claims");
    let (workspace, _) = Workspace::embedded().into_result().unwrap();
    let mut department = before.department.clone();
    department.quota.tasks += 1;
    let after = workspace.desired_department(&department, "prod", &address()).unwrap();
    let plan = OrganizationFixture::onboarded(&before).plan(&[after], false);
    let kinds: Vec<_> = plan
        .changes
        .iter()
        .map(|change| (change.action.symbol(), change.operation.kind()))
        .collect();
    // The runtime account has no profile, so it does not change.
    let both = [("~", "profile"), ("~", "service-account")];
    assert_eq!(kinds, [both[0], both[1], both[0], both[1], both[0], both[1]]);
    for change in plan
        .changes
        .iter()
        .filter(|change| change.operation.kind() == "service-account")
    {
        assert_eq!(
            change.needs,
            [change.id - 1],
            "the tag changes after the profile is written"
        );
    }
}

#[test]
fn a_prefix_never_changes() {
    let claims = desired("claims");
    let mut moved = claims.clone();
    moved.department.prefix = crate::model::Prefix::parse("damage-").unwrap();
    let plan = OrganizationFixture::onboarded(&claims).plan(&[moved], false);
    assert!(rules(&plan).contains(&"prefix-changed"), "{:?}", plan.refusals);
    assert!(plan.is_empty());
}

#[test]
fn a_prefix_of_another_department_is_refused() {
    let claims = desired("claims");
    let mut fraud = desired("fraud");
    fraud.department.prefix = crate::model::Prefix::parse("claims-fraud-").unwrap();
    let plan = OrganizationFixture::onboarded(&claims).plan(&[fraud], false);
    assert_eq!(rules(&plan), ["prefix-in-use"]);
}

#[test]
fn an_account_without_the_ownership_tag_is_refused() {
    let mut world = OrganizationFixture::empty();
    world.add_account("sa-x", "ebs-prod-claims-operator", "mine");
    world.add_owner(provisioner().as_str(), "sa-x");
    assert_eq!(rules(&world.plan(&[desired("claims")], false)), ["account-name-taken"]);
}

/// Variants of the attack T4 in docs/reference/rbac.md#threats: a principal that may create accounts prepares those of
/// the next department.
mod impersonating {
    use super::*;

    fn impersonating_account() -> (OrganizationFixture, DesiredDepartment, OwnershipTag) {
        let fraud = desired("fraud");
        let tag = fraud
            .personas
            .iter()
            .find(|persona| persona.persona == "operator")
            .unwrap()
            .tag
            .clone();
        let mut world = OrganizationFixture::empty();
        world.add_account("sa-claimsdeployer", "ebs-prod-claims-deployer", "");
        world.add_account("sa-forged", &tag.account_name(), &tag.to_string());
        (world, fraud, tag)
    }

    #[test]
    fn an_account_still_owned_by_its_creator_is_refused_and_the_owner_named() {
        let (mut world, fraud, _) = impersonating_account();
        world.add_owner("sa-claimsdeployer", "sa-forged");
        let plan = world.plan(&[fraud], false);
        assert_eq!(rules(&plan), ["account-controlled-by-others"]);
        assert!(
            plan.refusals[0]
                .message
                .contains("ebs-prod-claims-deployer (sa-claimsdeployer) holds ResourceOwner")
        );
        assert!(plan.is_empty());
    }

    #[test]
    fn an_account_with_a_second_owner_is_refused_and_the_owner_named() {
        let (mut world, fraud, _) = impersonating_account();
        world.add_owner(provisioner().as_str(), "sa-forged");
        world.add_owner("sa-claimsdeployer", "sa-forged");
        assert_eq!(rules(&world.plan(&[fraud], false)), ["account-controlled-by-others"]);
    }

    #[test]
    fn an_account_that_another_principal_can_use_is_refused_and_the_principal_named() {
        let (mut world, fraud, _) = impersonating_account();
        world.add_owner(provisioner().as_str(), "sa-forged");
        let crn = address().service_account_crn(&"sa-forged".parse().unwrap());
        world.add_binding("sa-claimsdeployer", Role::Assigner, crn.into());
        assert_eq!(rules(&world.plan(&[fraud], false)), ["account-controlled-by-others"]);
    }

    #[test]
    fn an_account_with_an_unrecorded_key_is_refused() {
        let (mut world, fraud, _) = impersonating_account();
        world.add_owner(provisioner().as_str(), "sa-forged");
        world.add_key(
            "AAAABBBBCCCCDDDD",
            "sa-forged",
            "ebs:v1 stage=prod dept=fraud role=operator state=live run=0badcafe",
        );
        let plan = world.plan(&[fraud], false);
        assert_eq!(rules(&plan), ["key-unrecorded"]);
        assert!(plan.refusals[0].message.contains("AAAABBBBCCCCDDDD"));
    }

    #[test]
    fn an_account_with_an_unknown_owner_is_refused() {
        let (world, fraud, _) = impersonating_account();
        assert_eq!(
            rules(&world.plan(std::slice::from_ref(&fraud), false)),
            ["account-not-owned"]
        );
        let (mut world, ..) = impersonating_account();
        world
            .seen
            .unknown
            .insert(Listing::AccountBindings("sa-forged".parse().unwrap()), "403".into());
        assert_eq!(rules(&world.plan(&[fraud], false)), ["account-owner-unknown"]);
    }

    #[test]
    fn an_account_listed_under_adopt_is_accepted() {
        let (mut world, fraud, _) = impersonating_account();
        world.add_owner("sa-claimsdeployer", "sa-forged");
        world.adopt.insert("sa-forged".into());
        assert_eq!(rules(&world.plan(&[fraud], false)), [""; 0]);
    }
}

#[test]
fn unknown_keys_are_not_treated_as_absent() {
    let claims = desired("claims");
    let mut world = OrganizationFixture::onboarded(&claims);
    world.seen.keys.clear();
    world.seen.unknown.insert(Listing::ApiKeys, "403".into());
    let plan = world.plan(&[claims], false);
    assert!(plan.is_empty());
    assert_eq!(rules(&plan), ["keys-unknown"; 4]);
}

#[test]
fn unmanaged_bindings_on_the_prefix_are_reported_and_not_changed() {
    let mut world = OrganizationFixture::empty();
    world.add_binding("u-somebody", Role::DeveloperRead, connector("claims-orders"));
    let plan = world.plan(&[desired("claims")], true);
    assert_eq!(
        plan.unmanaged,
        ["claims: u-somebody holds DeveloperRead on connector claims-orders"]
    );
    assert!(
        !plan
            .changes
            .iter()
            .any(|change| matches!(change.operation, PlannedOperation::DeleteBinding { .. }))
    );
}

#[test]
fn an_account_whose_department_has_no_file_is_an_orphan() {
    let claims = desired("claims");
    let plan = OrganizationFixture::onboarded(&claims).plan(&[desired("fraud")], false);
    assert_eq!(plan.orphans.len(), 4);
    assert!(plan.orphans[0].contains("of department `claims`"), "{:?}", plan.orphans);
}

#[test]
fn an_orphaned_key_is_deleted_before_a_new_one_is_created() {
    let claims = desired("claims");
    let mut world = OrganizationFixture::onboarded(&claims);
    let key: ApiKeyId = "KEYOPERATOR".parse().unwrap();
    world.known_keys.keys.insert(key, false);
    let plan = world.plan(&[claims], false);
    let kinds: Vec<_> = plan
        .changes
        .iter()
        .map(|change| (change.action.symbol(), change.operation.kind()))
        .collect();
    assert_eq!(
        kinds,
        [("-", "api-key"), ("+", "api-key"), ("+", "proof"), ("+", "profile")]
    );
    assert!(plan.changes[1].needs.contains(&0));
}

// Prune deletes only managed objects, with a plan.
#[test]
fn prune_deletes_only_managed_objects_and_creates_nothing() {
    let claims = desired("claims");
    let mut world = OrganizationFixture::onboarded(&claims);
    // A missing, a surplus, an orphaned and an unmanaged object.
    world
        .seen
        .bindings
        .retain(|seen| seen.binding.principal.id() != "sa-viewer");
    world.add_binding("sa-operator", Role::DeveloperRead, connector("*"));
    world.add_binding("u-eve", Role::DeveloperRead, connector("claims-*"));
    world.add_key(
        "ORPHANED",
        "sa-viewer",
        "ebs:v1 stage=prod dept=claims role=viewer state=new run=gone",
    );
    world.known_keys.now = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(1);
    let removals = |world: &OrganizationFixture| {
        let known = [claims.department.code.clone()].into();
        let wanted = PlanInput {
            stage: "prod",
            address: &address(),
            provisioner: &provisioner(),
            departments: std::slice::from_ref(&claims),
            known_departments: &known,
            adopt: &world.adopt,
            known_keys: &world.known_keys,
            prune: false,
        };
        super::plan_prune(&wanted, &world.seen)
    };
    let labels = |plan: &Plan| plan.changes.iter().map(super::PlannedChange::label).collect::<Vec<_>>();
    let plan = removals(&world);
    assert_eq!(
        labels(&plan),
        [
            "delete role-binding claims-operator  DeveloperRead  connector *",
            "delete api-key ORPHANED of claims-viewer",
        ]
    );
    assert!(
        plan.changes
            .iter()
            .enumerate()
            .all(|(id, change)| change.id == id && change.needs.is_empty())
    );
    // An unrecorded key does not prevent the deletion of a role binding, but control by another principal does.
    world.add_key("BYHAND", "sa-operator", "by hand");
    assert_eq!(labels(&removals(&world)).len(), 2);
    world.add_binding(
        "u-eve",
        Role::ResourceOwner,
        address().service_account_crn(&"sa-operator".parse().unwrap()).into(),
    );
    let plan = removals(&world);
    assert_eq!(labels(&plan), ["delete api-key ORPHANED of claims-viewer"]);
    assert!(
        plan.notices[0].contains("u-eve holds ResourceOwner"),
        "{:?}",
        plan.notices
    );
}
