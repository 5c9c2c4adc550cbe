//! The comparison, on snapshots made by hand. What must come out is design §4 and §5, and dossier `rbac.md` T1 and T4.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    Operation, Plan, Wanted,
    diff::{DepartmentStatus, diff},
};
use crate::{
    manifest::{DesiredDepartment, Workspace},
    model::{
        Address, ApiKeyId, CrnPattern, DepartmentCode, NamePattern, OwnershipTag, Principal, ResourceKind, Role,
        RoleBinding, SeenAccount, SeenBinding, SeenKey, ServiceAccountId, Snapshot,
    },
    resources::api_key::Ledger,
};

#[path = "acl_tests.rs"]
mod acls;

fn address() -> Address {
    Address {
        organization: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
        environment: "env-prod01".parse().unwrap(),
        cluster: "lkc-prod01".parse().unwrap(),
        schema_registry: Some("lsrc-prod01".parse().unwrap()),
    }
}

fn me() -> ServiceAccountId {
    "sa-provisioner".parse().unwrap()
}

fn desired(code: &str) -> DesiredDepartment {
    let (workspace, _) = Workspace::embedded().into_result().unwrap();
    let department = workspace.department(&code.parse().unwrap()).unwrap().clone();
    workspace.desired(&department, "prod", &address()).unwrap()
}

/// An organization in the making.
struct World {
    seen: Snapshot,
    ledger: Ledger,
    adopt: BTreeSet<String>,
}

impl World {
    fn empty() -> Self {
        let seen = Snapshot {
            taken_at: Timestamp::UNIX_EPOCH,
            address: address(),
            seen_by: Principal::ServiceAccount(me()),
            accounts: Vec::new(),
            bindings: Vec::new(),
            acls: Vec::new(),
            keys: Vec::new(),
            connectors: Vec::new(),
            unknown: BTreeMap::new(),
        };
        Self {
            seen,
            ledger: Ledger::default(),
            adopt: BTreeSet::new(),
        }
    }

    fn account(&mut self, id: &str, name: &str, description: &str) {
        let account = SeenAccount {
            id: id.parse().unwrap(),
            name: name.into(),
            description: description.into(),
            created_at: None,
        };
        self.seen.accounts.push(account);
    }

    fn bind(&mut self, principal: &str, role: Role, pattern: CrnPattern) {
        let id = format!("rb-{}", self.seen.bindings.len()).parse().unwrap();
        let binding = RoleBinding {
            principal: Principal::from_id(principal),
            role,
            pattern,
        };
        self.seen.bindings.push(SeenBinding { id, binding });
    }

    fn own(&mut self, owner: &str, account: &str) {
        let crn = address().service_account_crn(&account.parse().unwrap());
        self.bind(owner, Role::ResourceOwner, crn.into());
    }

    fn key(&mut self, id: &str, owner: &str, description: &str) -> ApiKeyId {
        let id: ApiKeyId = id.parse().unwrap();
        self.seen.keys.push(SeenKey {
            id: id.clone(),
            owner: Principal::from_id(owner),
            resource: "cloud".into(),
            description: description.into(),
            created_at: Some(Timestamp::UNIX_EPOCH),
        });
        id
    }

    /// Everything as an onboarding of `desired` leaves it.
    fn onboarded(desired: &DesiredDepartment) -> Self {
        let mut world = Self::empty();
        let id_of = |persona: &str| format!("sa-{persona}").parse().ok();
        for persona in &desired.personas {
            let id = format!("sa-{}", persona.persona);
            world.account(&id, &persona.account_name, &persona.tag.to_string());
            world.own(me().as_str(), &id);
            for grant in &persona.grants {
                let pattern = grant.on.resolve(&address(), &desired.department.prefix, id_of).unwrap();
                world.bind(&id, grant.role.clone(), pattern);
            }
            for _ in &persona.keys {
                let key = world.key(&format!("KEY{}", persona.persona.to_uppercase()), &id, "anything");
                world.ledger.keys.insert(key, true);
            }
        }
        world
    }

    fn plan(&self, desired: &[DesiredDepartment], prune: bool) -> Plan {
        let known: BTreeSet<DepartmentCode> = desired.iter().map(|d| d.department.code.clone()).collect();
        let wanted = Wanted {
            stage: "prod",
            address: &address(),
            provisioner: &me(),
            departments: desired,
            known: &known,
            adopt: &self.adopt,
            ledger: &self.ledger,
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
    let plan = World::empty().plan(&[desired("claims")], false);
    let count = |wanted: fn(&Operation) -> bool| plan.changes.iter().filter(|c| wanted(&c.operation)).count();
    // hybrid (design §4): operator, deployer, viewer, runtime; 1 + 2 + 1 + 6 grants; a key for all but runtime.
    assert_eq!(count(|o| matches!(o, Operation::CreateAccount { .. })), 4);
    assert_eq!(count(|o| matches!(o, Operation::CreateBinding { .. })), 10);
    assert_eq!(count(|o| matches!(o, Operation::CreateKey { .. })), 3);
    assert_eq!(count(|o| matches!(o, Operation::Prove { .. })), 3);
    assert_eq!(count(|o| matches!(o, Operation::HandOver { .. })), 3);
    assert_eq!(plan.changes.len(), 23);
    for change in &plan.changes {
        assert!(
            change.needs.iter().all(|&need| need < change.id),
            "{} needs a later change",
            change.label()
        );
        if matches!(change.operation, Operation::HandOver { .. }) {
            assert!(matches!(
                plan.changes[change.needs[0]].operation,
                Operation::Prove { .. }
            ));
        }
    }
    assert_eq!(plan.departments[0].status, DepartmentStatus::New);
}

#[test]
fn a_complete_department_needs_nothing() {
    let claims = desired("claims");
    let plan = World::onboarded(&claims).plan(&[claims], false);
    assert_eq!(rules(&plan), [""; 0]);
    assert!(
        plan.is_empty(),
        "{:?}",
        plan.changes.iter().map(super::Change::label).collect::<Vec<_>>()
    );
    assert_eq!(plan.departments[0].status, DepartmentStatus::Complete);
}

#[test]
fn the_order_of_the_lists_does_not_matter() {
    let claims = desired("claims");
    let mut world = World::onboarded(&claims);
    world.seen.bindings.pop();
    world.seen.keys.pop();
    let text = |world: &World| serde_json::to_string(&world.plan(std::slice::from_ref(&claims), true)).unwrap();
    let before = text(&world);
    world.seen.accounts.reverse();
    world.seen.keys.reverse();
    world.seen.bindings.reverse();
    assert_eq!(text(&world), before);
}

#[test]
fn what_the_template_does_not_ask_for_is_surplus_and_goes_only_with_prune() {
    let claims = desired("claims");
    let mut world = World::onboarded(&claims);
    world.bind("sa-viewer", Role::ConnectManager, connector("claims-*"));
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
fn what_is_replaced_goes_after_its_successor_is_there() {
    let claims = desired("claims");
    let mut world = World::onboarded(&claims);
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
fn a_fallback_that_is_in_place_is_not_tried_again() {
    let claims = desired("claims");
    let mut world = World::onboarded(&claims);
    for seen in &mut world.seen.bindings {
        if seen.binding.role == Role::ConnectManager {
            seen.binding.role = Role::DeveloperRead;
        }
    }
    let plan = world.plan(&[claims], true);
    assert!(plan.is_empty());
    assert_eq!(
        plan.notices,
        ["claims: DeveloperRead stands in for ConnectManager on connector claims-*, which the service refused there"]
    );
}

#[test]
fn a_changed_quota_reissues_the_profiles_and_then_changes_the_tags() {
    let before = desired("claims");
    let (workspace, _) = Workspace::embedded().into_result().unwrap();
    let mut department = before.department.clone();
    department.quota.tasks += 1;
    let after = workspace.desired(&department, "prod", &address()).unwrap();
    let plan = World::onboarded(&before).plan(&[after], false);
    let kinds: Vec<_> = plan
        .changes
        .iter()
        .map(|change| (change.action.symbol(), change.operation.kind()))
        .collect();
    // The runtime account has no profile, so nothing about it changes.
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
    let plan = World::onboarded(&claims).plan(&[moved], false);
    assert!(rules(&plan).contains(&"prefix-changed"), "{:?}", plan.refusals);
    assert!(plan.is_empty());
}

#[test]
fn another_departments_names_cannot_be_given_away() {
    let claims = desired("claims");
    let mut fraud = desired("fraud");
    fraud.department.prefix = crate::model::Prefix::parse("claims-fraud-").unwrap();
    let plan = World::onboarded(&claims).plan(&[fraud], false);
    assert_eq!(rules(&plan), ["prefix-in-use"]);
}

#[test]
fn an_account_without_our_tag_is_somebody_elses() {
    let mut world = World::empty();
    world.account("sa-x", "ebs-prod-claims-operator", "mine");
    world.own(me().as_str(), "sa-x");
    assert_eq!(rules(&world.plan(&[desired("claims")], false)), ["account-name-taken"]);
}

/// The attack of dossier `rbac.md` T4, in its variants: who may create accounts prepares the next department's.
mod forged {
    use super::*;

    fn forged() -> (World, DesiredDepartment, OwnershipTag) {
        let fraud = desired("fraud");
        let tag = fraud
            .personas
            .iter()
            .find(|persona| persona.persona == "operator")
            .unwrap()
            .tag
            .clone();
        let mut world = World::empty();
        world.account("sa-claimsdeployer", "ebs-prod-claims-deployer", "");
        world.account("sa-forged", &tag.account_name(), &tag.to_string());
        (world, fraud, tag)
    }

    #[test]
    fn who_kept_the_ownership_is_named() {
        let (mut world, fraud, _) = forged();
        world.own("sa-claimsdeployer", "sa-forged");
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
    fn who_shares_the_ownership_is_named() {
        let (mut world, fraud, _) = forged();
        world.own(me().as_str(), "sa-forged");
        world.own("sa-claimsdeployer", "sa-forged");
        assert_eq!(rules(&world.plan(&[fraud], false)), ["account-controlled-by-others"]);
    }

    #[test]
    fn who_may_still_use_the_account_is_named() {
        let (mut world, fraud, _) = forged();
        world.own(me().as_str(), "sa-forged");
        let crn = address().service_account_crn(&"sa-forged".parse().unwrap());
        world.bind("sa-claimsdeployer", Role::Assigner, crn.into());
        assert_eq!(rules(&world.plan(&[fraud], false)), ["account-controlled-by-others"]);
    }

    #[test]
    fn who_passed_the_ownership_on_and_kept_a_key_is_found_out() {
        let (mut world, fraud, _) = forged();
        world.own(me().as_str(), "sa-forged");
        world.key(
            "AAAABBBBCCCCDDDD",
            "sa-forged",
            "ebs:v1 stage=prod dept=fraud role=operator state=live run=0badcafe",
        );
        let plan = world.plan(&[fraud], false);
        assert_eq!(rules(&plan), ["key-unvouched"]);
        assert!(plan.refusals[0].message.contains("AAAABBBBCCCCDDDD"));
    }

    #[test]
    fn an_account_whose_owner_is_not_to_be_seen_is_not_ours() {
        let (world, fraud, _) = forged();
        assert_eq!(
            rules(&world.plan(std::slice::from_ref(&fraud), false)),
            ["account-not-owned"]
        );
        let (mut world, ..) = forged();
        world
            .seen
            .unknown
            .insert("role bindings on sa-forged".into(), "403".into());
        assert_eq!(rules(&world.plan(&[fraud], false)), ["account-owner-unknown"]);
    }

    #[test]
    fn what_ebs_toml_names_is_accepted() {
        let (mut world, fraud, _) = forged();
        world.own("sa-claimsdeployer", "sa-forged");
        world.adopt.insert("sa-forged".into());
        assert_eq!(rules(&world.plan(&[fraud], false)), [""; 0]);
    }
}

#[test]
fn keys_that_could_not_be_looked_at_are_not_absent() {
    let claims = desired("claims");
    let mut world = World::onboarded(&claims);
    world.seen.keys.clear();
    world.seen.unknown.insert("API keys".into(), "403".into());
    let plan = world.plan(&[claims], false);
    assert!(plan.is_empty());
    assert_eq!(rules(&plan), ["keys-unknown"; 4]);
}

#[test]
fn what_is_on_the_prefix_and_not_ours_is_shown_and_left_alone() {
    let mut world = World::empty();
    world.bind("u-somebody", Role::DeveloperRead, connector("claims-orders"));
    let plan = world.plan(&[desired("claims")], true);
    assert_eq!(
        plan.unmanaged,
        ["claims: u-somebody holds DeveloperRead on connector claims-orders"]
    );
    assert!(
        !plan
            .changes
            .iter()
            .any(|change| matches!(change.operation, Operation::DeleteBinding { .. }))
    );
}

#[test]
fn an_account_whose_department_has_no_file_is_an_orphan() {
    let claims = desired("claims");
    let plan = World::onboarded(&claims).plan(&[desired("fraud")], false);
    assert_eq!(plan.orphans.len(), 4);
    assert!(plan.orphans[0].contains("of department claims"), "{:?}", plan.orphans);
}

#[test]
fn a_key_that_an_interrupted_run_left_behind_goes_before_another_is_made() {
    let claims = desired("claims");
    let mut world = World::onboarded(&claims);
    let key: ApiKeyId = "KEYOPERATOR".parse().unwrap();
    world.ledger.keys.insert(key, false);
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

// The issue: "`--fix` only for what is ours, as a plan".
#[test]
fn removals_take_only_what_is_ours_and_make_nothing() {
    let claims = desired("claims");
    let mut world = World::onboarded(&claims);
    // Missing, surplus, an orphan, and somebody else's.
    world
        .seen
        .bindings
        .retain(|seen| seen.binding.principal.id() != "sa-viewer");
    world.bind("sa-operator", Role::DeveloperRead, connector("*"));
    world.bind("u-eve", Role::DeveloperRead, connector("claims-*"));
    world.key(
        "ORPHANED",
        "sa-viewer",
        "ebs:v1 stage=prod dept=claims role=viewer state=new run=gone",
    );
    world.ledger.now = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(1);
    let removals = |world: &World| {
        let known = [claims.department.code.clone()].into();
        let wanted = Wanted {
            stage: "prod",
            address: &address(),
            provisioner: &me(),
            departments: std::slice::from_ref(&claims),
            known: &known,
            adopt: &world.adopt,
            ledger: &world.ledger,
            prune: false,
        };
        super::removals(&wanted, &world.seen)
    };
    let labels = |plan: &Plan| plan.changes.iter().map(super::Change::label).collect::<Vec<_>>();
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
    // A key that nobody vouches for is no reason to keep a role; somebody else's control is.
    world.key("BYHAND", "sa-operator", "by hand");
    assert_eq!(labels(&removals(&world)).len(), 2);
    world.bind(
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
