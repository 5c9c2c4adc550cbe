//! Scenes against the plain rule applied to every binding, and what is not seen against dossier `rbac.md` T12.

use proptest::prelude::*;

use super::*;
use crate::{
    access::{matrix::Reach, roles::everything},
    model::{Crn, NamePattern, ServiceAccountId, acl::EVERYBODY, hidden},
};

pub(crate) fn address() -> Address {
    Address {
        organization: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
        environment: "env-abc123".parse().unwrap(),
        cluster: "lkc-abc123".parse().unwrap(),
        schema_registry: Some("lsrc-abc123".parse().unwrap()),
    }
}

/// Departments of the tests with their prefixes. None of them begins another.
pub(crate) const DEPARTMENTS: [(&str, &str); 3] = [("aa", "aa-"), ("ab", "ab."), ("claims", "claims-")];
pub(crate) const PERSONAS: [&str; 2] = ["operator", "runtime"];

pub(crate) fn account(department: &str, persona: &str) -> Principal {
    Principal::from_id(&format!("sa-{department}{persona}"))
}

/// Three departments with two personas each, and `bindings`.
pub(crate) fn scene(bindings: impl IntoIterator<Item = RoleBinding>) -> Scene {
    let parties = DEPARTMENTS.map(|(code, prefix)| Party {
        code: code.parse().unwrap(),
        prefix: Prefix::parse(prefix).unwrap(),
        principals: PERSONAS.map(|persona| account(code, persona)).into(),
    });
    let members = DEPARTMENTS.iter().flat_map(|(code, prefix)| {
        PERSONAS.map(|persona| Member {
            department: code.parse().unwrap(),
            template: Some("hybrid".into()),
            prefix: Prefix::parse(prefix).unwrap(),
            persona: persona.into(),
            account: format!("ebs-prod-{code}-{persona}"),
            principal: Some(account(code, persona)),
        })
    });
    Scene {
        stage: "prod".into(),
        address: address(),
        evaluator: Evaluator::new(bindings),
        fallback: None,
        parties: parties.into(),
        members: members.collect(),
        names: BTreeMap::new(),
        origins: HashMap::new(),
        acl_origins: HashMap::new(),
        unseen: BTreeMap::new(),
        looker: None,
    }
}

pub(crate) fn pattern(kind: ResourceKind, name: &str) -> CrnPattern {
    address().pattern(kind, NamePattern::parse(name).unwrap()).unwrap()
}

pub(crate) fn bound(principal: &Principal, role: Role, kind: ResourceKind, name: &str) -> RoleBinding {
    RoleBinding::new(principal.clone(), role, pattern(kind, name))
}

fn any_principal() -> impl Strategy<Value = Principal> {
    let member = (0..DEPARTMENTS.len(), 0..PERSONAS.len());
    let member = member.prop_map(|(department, persona)| account(DEPARTMENTS[department].0, PERSONAS[persona]));
    prop_oneof![4 => member, 1 => Just(Principal::from_id("u-person"))]
}

pub(crate) fn any_pattern() -> impl Strategy<Value = CrnPattern> {
    let kind = proptest::sample::select(ResourceKind::GRANTABLE.to_vec());
    let names = vec![
        "*",
        "a*",
        "aa-*",
        "aa-x*",
        "aa-x",
        "ab.*",
        "ab.x",
        "claims-*",
        "c*",
        "connect-lcc*",
        "connect-lcc9",
        "other",
    ];
    let name = proptest::sample::select(names);
    (kind, name, any_principal()).prop_map(|((kind, _), name, principal)| match kind {
        ResourceKind::ServiceAccount if name.ends_with("x*") => pattern(kind, "*"),
        ResourceKind::ServiceAccount => pattern(kind, principal.id()),
        kind => pattern(kind, name),
    })
}

pub(crate) fn any_bindings() -> impl Strategy<Value = Vec<RoleBinding>> {
    let mut roles = Role::KNOWN.to_vec();
    roles.push(Role::Other("Novelty".into()));
    let binding = (any_principal(), proptest::sample::select(roles), any_pattern());
    let binding = binding.prop_map(|(principal, role, pattern)| RoleBinding::new(principal, role, pattern));
    proptest::collection::vec(binding, 0..12)
}

/// ACLs of the personas and of everybody, ALLOW and DENY, of the names that the patterns of the tests tell apart.
pub(crate) fn any_acls() -> impl Strategy<Value = Vec<AclBinding>> {
    let kind = proptest::sample::select(vec!["TOPIC", "GROUP", "TRANSACTIONAL_ID"]);
    let names = vec![
        "*#LITERAL",
        "a#PREFIXED",
        "aa-#PREFIXED",
        "aa-x#LITERAL",
        "ab.#PREFIXED",
        "ab.x#LITERAL",
    ];
    let place = prop_oneof![
        6 => (kind, proptest::sample::select(names)).prop_map(|(kind, name)| format!("{kind}#{name}")),
        1 => Just("CLUSTER#kafka-cluster#LITERAL".to_owned()),
    ];
    let who = prop_oneof![5 => any_principal(), 1 => Just(Principal::Other(EVERYBODY.into()))];
    let operation = proptest::sample::select(vec!["ALL", "READ", "WRITE", "CREATE", "DELETE", "DESCRIBE", "ALTER"]);
    let permission = prop_oneof![3 => Just("ALLOW"), 1 => Just("DENY")];
    let acl = (place, who, operation, permission);
    let acl = acl.prop_map(|(place, who, operation, permission)| {
        format!("{place}#{who}#*#{operation}#{permission}").parse().unwrap()
    });
    proptest::collection::vec(acl, 0..8)
}

/// The rule of dossier `rbac.md` §1.5 by name: a denial, then an ACL or a role.
fn may(bindings: &[RoleBinding], acls: &[PlacedAcl], who: &Principal, operation: Operation, on: &Crn) -> bool {
    let about = |acl: &&PlacedAcl| acl.acl.is_for_everybody() || acl.acl.principal == *who;
    let mut own = acls.iter().filter(about);
    let denied = own.clone().any(|acl| acl.taken(on).contains(operation));
    let mut held = bindings.iter().filter(|binding| binding.principal == *who);
    let by_role = held.any(|binding| given(binding, on).contains(operation));
    !denied && (by_role || own.any(|acl| acl.given(on).contains(operation)))
}

/// Names of every sort that the patterns of the tests tell apart.
fn names(kind: ResourceKind) -> Vec<String> {
    match kind {
        ResourceKind::ServiceAccount => DEPARTMENTS
            .iter()
            .flat_map(|(code, _)| PERSONAS.map(|persona| account(code, persona).id().to_owned()))
            // The second is what `any_pattern` may name besides.
            .chain(["sa-somebody", "u-person"].map(str::to_owned))
            .collect(),
        _ => [
            "aa-x",
            "aa-xy",
            "aa-z",
            "ab.x",
            "ab.y",
            "claims-x",
            "connect-lcc9",
            "connect-lcc8",
            "other",
            "zz",
        ]
        .map(str::to_owned)
        .into(),
    }
}

proptest! {
    // Bindings only ever allow, and they add up (dossier `rbac.md` §1.5).
    #[test]
    fn who_can_is_everybody_whom_a_binding_allows_it_somewhere(bindings in any_bindings(), on in any_pattern()) {
        let scene = scene(bindings.clone());
        let resources: Vec<_> = names(on.kind())
            .iter()
            .filter_map(|name| address().resource(on.kind(), name))
            .filter(|resource| on.covers(resource))
            .chain(on.literal())
            .collect();
        for operation in everything(on.kind()).iter() {
            let found: BTreeSet<_> = scene.who_can(operation, &on).into_iter().filter_map(|one| one.role().cloned()).collect();
            let allows = |binding: &&RoleBinding| {
                resources.iter().any(|resource| given(binding, resource).contains(operation))
            };
            let expected: BTreeSet<_> = bindings.iter().filter(allows).cloned().collect();
            prop_assert_eq!(&found, &expected, "{} on {}", operation, on);
            for binding in &expected {
                let all = resources.iter().all(|resource| given(binding, resource).contains(operation));
                if scene.can(&binding.principal, operation, &on) == Answer::No {
                    prop_assert!(!all, "{binding:?} gives {operation} on all of {on}");
                }
            }
        }
    }

    #[test]
    fn the_matrix_says_what_the_answers_say(bindings in any_bindings()) {
        let scene = scene(bindings);
        for (code, prefix) in DEPARTMENTS {
            let matrix = scene.matrix(&code.parse().unwrap()).unwrap();
            for persona in PERSONAS {
                let cells = matrix.reaches(persona);
                for (kind, _) in ResourceKind::GRANTABLE {
                    for operation in everything(kind).iter() {
                        let reaches = cells.get(&(kind, operation)).cloned().unwrap_or_default();
                        let me = account(code, persona);
                        let anywhere = scene.partly(&me, operation, &pattern(kind, "*"));
                        prop_assert_eq!(anywhere.is_empty(), reaches.is_empty(), "{} {}", operation, kind.word());
                        let own = pattern(kind, &format!("{prefix}*"));
                        let on_own = scene.evaluator.decide_pattern(&me, operation, &own).is_allowed();
                        if reaches.contains(&Reach::Own) {
                            prop_assert!(on_own, "{operation} {}", kind.word());
                        }
                        if on_own && kind != ResourceKind::ServiceAccount {
                            let wide = [Reach::Own, Reach::Beyond, Reach::Yes];
                            prop_assert!(wide.iter().any(|reach| reaches.contains(reach)), "{operation} {}", kind.word());
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn acls_and_roles_decide_together_in_every_answer(
        bindings in any_bindings(),
        acls in any_acls(),
        kind in proptest::sample::select(vec![ResourceKind::Topic, ResourceKind::Group, ResourceKind::Connector]),
    ) {
        let mut scene = scene(bindings.clone());
        scene.evaluator = scene.evaluator.with_acls(acls.clone(), &address());
        let acls: Vec<_> = acls.into_iter().filter_map(|acl| PlacedAcl::new(acl, &address())).collect();
        let resources: Vec<Crn> = names(kind).iter().filter_map(|name| address().resource(kind, name)).collect();
        let all = pattern(kind, "*");
        let members: Vec<_> = scene.members.iter().map(|member| member.principal.clone().unwrap()).collect();
        for operation in everything(kind).iter() {
            let able = |permits: Vec<Permit>, who: &Principal| {
                permits.iter().any(|one| one.principal() == who || one.principal().is_everybody())
            };
            for who in &members {
                let mut any = false;
                for on in &resources {
                    let expected = may(&bindings, &acls, who, operation, on);
                    any |= expected;
                    let pattern = on.clone().into();
                    let answer = scene.can(who, operation, &pattern);
                    let answer = matches!(answer, Answer::Yes(_));
                    prop_assert_eq!(answer, expected, "{} {} on {}", who, operation, on);
                    if expected {
                        prop_assert!(able(scene.who_can(operation, &pattern), who), "{who} {operation} on {on}");
                    }
                }
                // What is possible somewhere is never left out.
                if any {
                    prop_assert!(able(scene.who_can(operation, &all), who), "{who} {operation}");
                    prop_assert!(!scene.partly(who, operation, &all).is_empty(), "{who} {operation}");
                    let member = scene.member_of(who).unwrap();
                    let reaches = scene.matrix(&member.department).unwrap().reaches(&member.persona);
                    prop_assert!(reaches.contains_key(&(kind, operation)), "{who} {operation}");
                }
            }
        }
    }

    #[test]
    fn a_doubt_never_makes_a_yes_and_a_no_never_hides_one(bindings in any_bindings(), on in any_pattern()) {
        let open = scene(bindings.clone());
        let mut closed = scene(bindings);
        closed.looker = Some(Principal::from_id("sa-auditor"));
        for operation in everything(on.kind()).iter() {
            let me = account("claims", "operator");
            match closed.can(&me, operation, &on) {
                Answer::Yes(through) => prop_assert_eq!(open.can(&me, operation, &on), Answer::Yes(through)),
                Answer::No | Answer::Forbidden(_) => prop_assert!(false, "the auditor sees nothing, and says no to {operation} on {on}"),
                Answer::Unknown(doubts) => {
                    let hidden = |doubt: &Doubt| matches!(doubt, Doubt::Hidden { .. });
                    prop_assert!(doubts.iter().any(hidden), "{doubts:?}");
                }
            }
        }
    }
}

fn doubts_of(scene: &Scene, kind: ResourceKind, name: &str) -> Vec<String> {
    let on = pattern(kind, name);
    scene.unlisted(&on).map(|doubt| doubt.to_string()).collect()
}

// Dossier `rbac.md` §8.6: what the provisioner holds; T12: what is hidden is not absent.
#[test]
fn the_provisioner_sees_its_cluster_and_not_what_is_bound_above() {
    let me = Principal::from_id("sa-provisioner");
    let mut scene = scene([
        bound(&me, Role::CloudClusterAdmin, ResourceKind::Cluster, "*"),
        bound(&me, Role::ResourceOwner, ResourceKind::Subject, "*"),
    ]);
    scene.looker = Some(me);
    let above = "role bindings on the organization and the environment are shown only to who may see access there";
    assert_eq!(doubts_of(&scene, ResourceKind::Connector, "claims-x"), [above]);
    let subject = doubts_of(&scene, ResourceKind::Subject, "claims-x");
    assert!(
        subject[0].contains("the environment and the Schema Registry"),
        "{subject:?}"
    );
    assert!(scene.sees_accounts());
    scene.unseen.insert(hidden::ACLS.into(), "no key".into());
    assert_eq!(doubts_of(&scene, ResourceKind::Connector, "claims-x"), [above]);
    assert_eq!(
        doubts_of(&scene, ResourceKind::Topic, "claims-x"),
        [above, "Kafka ACLs were not looked at: no key"]
    );
}

#[test]
fn an_administrator_of_the_organization_sees_everything() {
    let me = Principal::from_id("u-admin");
    let mut scene = scene([bound(&me, Role::OrganizationAdmin, ResourceKind::Organization, "*")]);
    scene.looker = Some(me);
    assert_eq!(scene.unlisted_anywhere().count(), 0);
}

#[test]
fn a_refused_list_counts_where_it_could_matter() {
    let mut scene = scene([]);
    let account: ServiceAccountId = "sa-claimsruntime".parse().unwrap();
    for what in [
        hidden::SUBJECTS,
        hidden::KEYS,
        hidden::CONNECTORS,
        &hidden::account(&account),
    ] {
        scene.unseen.insert(what.to_owned(), "403".to_owned());
    }
    let told = |kind, name| doubts_of(&scene, kind, name);
    assert_eq!(told(ResourceKind::Connector, "claims-x"), [] as [&str; 0]);
    assert_eq!(
        told(ResourceKind::Subject, "claims-x"),
        ["role bindings on subjects could not be listed: 403"]
    );
    assert_eq!(
        told(ResourceKind::ServiceAccount, "sa-claimsruntime"),
        [
            "role bindings on sa-claimsruntime could not be listed: 403",
            "role bindings on subjects could not be listed: 403"
        ]
    );
    assert_eq!(told(ResourceKind::ServiceAccount, "sa-other").len(), 1);
    // What is not known here counts everywhere.
    scene
        .unseen
        .insert("role bindings of a kind to come".to_owned(), "403".to_owned());
    assert_eq!(doubts_of(&scene, ResourceKind::Connector, "x").len(), 1);
}

#[test]
fn a_role_without_a_rule_is_a_doubt_where_it_is_bound() {
    let me = account("claims", "operator");
    let scene = scene([bound(
        &me,
        Role::Other("Novelty".into()),
        ResourceKind::Connector,
        "claims-*",
    )]);
    let delete = |who: &Principal, name| scene.can(who, Operation::Delete, &pattern(ResourceKind::Connector, name));
    assert!(
        matches!(&delete(&me, "claims-x"), Answer::Unknown(doubts) if matches!(doubts[..], [Doubt::UnknownRole { .. }]))
    );
    assert_eq!(delete(&me, "aa-x"), Answer::No);
    assert_eq!(delete(&account("aa", "operator"), "claims-x"), Answer::No);
}

// Dossier `rbac.md` T16: roles of a directory's group are its members' roles, and nobody here knows the members.
#[test]
fn a_person_may_be_in_a_group() {
    let group = Principal::from_id("group-sso");
    let scene = scene([bound(&group, Role::ResourceOwner, ResourceKind::Connector, "claims-*")]);
    let delete = |id: &str| {
        let on = pattern(ResourceKind::Connector, "claims-x");
        scene.can(&Principal::from_id(id), Operation::Delete, &on)
    };
    assert!(matches!(&delete("u-person"), Answer::Unknown(doubts) if matches!(doubts[..], [Doubt::Group { .. }])));
    assert_eq!(delete("sa-claimsoperator"), Answer::No, "an account is in no group");
}

// Dossier `rbac.md` T5, T6: who may attach an account, or make keys for it, acts as it.
#[test]
fn what_an_account_may_its_controllers_may_through_it() {
    let (deployer, runtime) = (account("claims", "operator"), account("claims", "runtime"));
    let bridge = account("aa", "runtime");
    let scene = scene([
        bound(&deployer, Role::Assigner, ResourceKind::ServiceAccount, bridge.id()),
        bound(&bridge, Role::ResourceOwner, ResourceKind::ServiceAccount, runtime.id()),
        bound(&runtime, Role::DeveloperRead, ResourceKind::Topic, "claims-*"),
    ]);
    let topic = pattern(ResourceKind::Topic, "claims-x");
    assert_eq!(scene.can(&deployer, Operation::Read, &topic), Answer::No);
    let (account, by) = scene.through_account(&deployer, Operation::Read, &topic).unwrap();
    assert_eq!((account, by.role.clone()), (runtime.clone(), Role::Assigner));
    assert_eq!(scene.through_account(&deployer, Operation::Write, &topic), None);
    let controllers: Vec<_> = scene
        .controllers(&runtime)
        .iter()
        .map(|by| by.principal.clone())
        .collect();
    assert_eq!(controllers, [bridge]);
}
