//! Compares access models with the plain rules applied to every binding, and checks uncertainties
//! (docs/reference/rbac.md#threats, T12).

use proptest::prelude::*;

use super::*;
use crate::{
    access::{matrix::AccessExtent, roles::all_operations},
    model::{Crn, Listing, NamePattern, ServiceAccountId, acl::ALL_PRINCIPALS},
};

pub(crate) fn address() -> StageAddress {
    StageAddress {
        organization: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
        environment: "env-abc123".parse().unwrap(),
        cluster: "lkc-abc123".parse().unwrap(),
        schema_registry: Some("lsrc-abc123".parse().unwrap()),
    }
}

/// Departments of the tests with their prefixes; no prefix begins with another.
pub(crate) const DEPARTMENTS: [(&str, &str); 3] = [("aa", "aa-"), ("ab", "ab."), ("claims", "claims-")];
pub(crate) const PERSONAS: [&str; 2] = ["operator", "runtime"];

pub(crate) fn account(department: &str, persona: &str) -> Principal {
    Principal::from_id(&format!("sa-{department}{persona}"))
}

/// Builds a model of three departments with two personas each, and `bindings`.
pub(crate) fn access_model(bindings: impl IntoIterator<Item = RoleBinding>) -> AccessModel {
    let parties = DEPARTMENTS.map(|(code, prefix)| DepartmentPrincipals {
        code: code.parse().unwrap(),
        prefix: Prefix::parse(prefix).unwrap(),
        principals: PERSONAS.map(|persona| account(code, persona)).into(),
    });
    let members = DEPARTMENTS.iter().flat_map(|(code, prefix)| {
        PERSONAS.map(|persona| PersonaAccount {
            department: code.parse().unwrap(),
            template: Some("hybrid".into()),
            prefix: Prefix::parse(prefix).unwrap(),
            persona: persona.into(),
            account: format!("ebs-prod-{code}-{persona}"),
            principal: Some(account(code, persona)),
        })
    });
    AccessModel {
        stage: "prod".into(),
        address: address(),
        evaluator: Evaluator::new(bindings),
        fallback_evaluator: None,
        departments: parties.into(),
        personas: members.collect(),
        display_names: BTreeMap::new(),
        origins: HashMap::new(),
        acl_origins: HashMap::new(),
        unknown: BTreeMap::new(),
        observer: None,
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

/// Generates ALLOW and DENY ACLs of the personas and of the wildcard principal.
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
    let who = prop_oneof![5 => any_principal(), 1 => Just(Principal::Other(ALL_PRINCIPALS.into()))];
    let operation = proptest::sample::select(vec!["ALL", "READ", "WRITE", "CREATE", "DELETE", "DESCRIBE", "ALTER"]);
    let permission = prop_oneof![3 => Just("ALLOW"), 1 => Just("DENY")];
    let acl = (place, who, operation, permission);
    let acl = acl.prop_map(|(place, who, operation, permission)| {
        format!("{place}#{who}#*#{operation}#{permission}").parse().unwrap()
    });
    proptest::collection::vec(acl, 0..8)
}

/// Applies the rule of docs/reference/rbac.md#acls-and-role-bindings to one resource: a DENY, then an ACL or a role.
fn is_allowed(bindings: &[RoleBinding], acls: &[ResolvedAcl], who: &Principal, operation: Operation, on: &Crn) -> bool {
    let about = |acl: &&ResolvedAcl| acl.acl.is_for_all_principals() || acl.acl.principal == *who;
    let mut own = acls.iter().filter(about);
    let denied = own.clone().any(|acl| acl.denied_on(on).contains(operation));
    let mut held = bindings.iter().filter(|binding| binding.principal == *who);
    let by_role = held.any(|binding| operations_of_binding(binding, on).contains(operation));
    !denied && (by_role || own.any(|acl| acl.allowed_on(on).contains(operation)))
}

/// Returns names that the patterns of the tests distinguish.
fn names(kind: ResourceKind) -> Vec<String> {
    match kind {
        ResourceKind::ServiceAccount => DEPARTMENTS
            .iter()
            .flat_map(|(code, _)| PERSONAS.map(|persona| account(code, persona).id().to_owned()))
            // `any_pattern` also generates the second id.
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
    // Role bindings only allow and accumulate (docs/reference/rbac.md#acls-and-role-bindings).
    #[test]
    fn who_can_lists_every_principal_allowed_on_at_least_one_resource(bindings in any_bindings(), on in any_pattern()) {
        let model = access_model(bindings.clone());
        let resources: Vec<_> = names(on.kind())
            .iter()
            .filter_map(|name| address().resource(on.kind(), name))
            .filter(|resource| on.covers(resource))
            .chain(on.literal())
            .collect();
        for operation in all_operations(on.kind()).iter() {
            let found: BTreeSet<_> = model.who_can(operation, &on).into_iter().filter_map(|one| one.role_binding().cloned()).collect();
            let allows = |binding: &&RoleBinding| {
                resources.iter().any(|resource| operations_of_binding(binding, resource).contains(operation))
            };
            let expected: BTreeSet<_> = bindings.iter().filter(allows).cloned().collect();
            prop_assert_eq!(&found, &expected, "{} on {}", operation, on);
            for binding in &expected {
                let all = resources.iter().all(|resource| operations_of_binding(binding, resource).contains(operation));
                if model.can(&binding.principal, operation, &on) == AccessDecision::NotAllowed {
                    prop_assert!(!all, "{binding:?} gives {operation} on all of {on}");
                }
            }
        }
    }

    #[test]
    fn the_matrix_agrees_with_can(bindings in any_bindings()) {
        let model = access_model(bindings);
        for (code, prefix) in DEPARTMENTS {
            let matrix = model.matrix(&code.parse().unwrap()).unwrap();
            for persona in PERSONAS {
                let cells = matrix.extents(persona);
                for (kind, _) in ResourceKind::GRANTABLE {
                    for operation in all_operations(kind).iter() {
                        let reaches = cells.get(&(kind, operation)).cloned().unwrap_or_default();
                        let me = account(code, persona);
                        let anywhere = model.partial_grants(&me, operation, &pattern(kind, "*"));
                        prop_assert_eq!(anywhere.is_empty(), reaches.is_empty(), "{} {}", operation, kind.display_name());
                        let own = pattern(kind, &format!("{prefix}*"));
                        let on_own = model.evaluator.decide_pattern(&me, operation, &own).is_allowed();
                        if reaches.contains(&AccessExtent::Own) {
                            prop_assert!(on_own, "{operation} {}", kind.display_name());
                        }
                        if on_own && kind != ResourceKind::ServiceAccount {
                            let wide = [AccessExtent::Own, AccessExtent::Beyond, AccessExtent::Yes, AccessExtent::Unknown];
                            prop_assert!(wide.iter().any(|reach| reaches.contains(reach)), "{operation} {}", kind.display_name());
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn can_combines_acls_and_roles(
        bindings in any_bindings(),
        acls in any_acls(),
        kind in proptest::sample::select(vec![ResourceKind::Topic, ResourceKind::Group, ResourceKind::Connector]),
    ) {
        let mut model = access_model(bindings.clone());
        model.evaluator = model.evaluator.with_acls(acls.clone(), &address());
        let acls: Vec<_> = acls.into_iter().filter_map(|acl| ResolvedAcl::new(acl, &address())).collect();
        let resources: Vec<Crn> = names(kind).iter().filter_map(|name| address().resource(kind, name)).collect();
        let all = pattern(kind, "*");
        let members: Vec<_> = model.personas.iter().map(|member| member.principal.clone().unwrap()).collect();
        for operation in all_operations(kind).iter() {
            let able = |permits: Vec<AccessGrant>, who: &Principal| {
                permits.iter().any(|one| one.principal() == who || one.principal().is_all_principals())
            };
            for who in &members {
                let mut any = false;
                for on in &resources {
                    let expected = is_allowed(&bindings, &acls, who, operation, on);
                    any |= expected;
                    let pattern = on.clone().into();
                    let answer = model.can(who, operation, &pattern);
                    let answer = matches!(answer, AccessDecision::Allowed(_));
                    prop_assert_eq!(answer, expected, "{} {} on {}", who, operation, on);
                    if expected {
                        prop_assert!(able(model.who_can(operation, &pattern), who), "{who} {operation} on {on}");
                    }
                }
                // Grants on a part of the pattern are always listed.
                if any {
                    prop_assert!(able(model.who_can(operation, &all), who), "{who} {operation}");
                    prop_assert!(!model.partial_grants(who, operation, &all).is_empty(), "{who} {operation}");
                    let member = model.persona_of(who).unwrap();
                    let reaches = model.matrix(&member.department).unwrap().extents(&member.persona);
                    prop_assert!(reaches.contains_key(&(kind, operation)), "{who} {operation}");
                }
            }
        }
    }

    #[test]
    fn uncertainty_never_turns_into_allowed_and_not_allowed_has_no_uncertainty(bindings in any_bindings(), on in any_pattern()) {
        let open = access_model(bindings.clone());
        let mut closed = access_model(bindings);
        closed.observer = Some(Principal::from_id("sa-auditor"));
        for operation in all_operations(on.kind()).iter() {
            let me = account("claims", "operator");
            match closed.can(&me, operation, &on) {
                AccessDecision::Allowed(through) => prop_assert_eq!(open.can(&me, operation, &on), AccessDecision::Allowed(through)),
                AccessDecision::NotAllowed | AccessDecision::Denied(_) => prop_assert!(false, "the auditor sees nothing, and says no to {operation} on {on}"),
                AccessDecision::Unknown(doubts) => {
                    let hidden = |uncertainty: &Uncertainty| matches!(uncertainty, Uncertainty::Hidden { .. });
                    prop_assert!(doubts.iter().any(hidden), "{doubts:?}");
                }
            }
        }
    }
}

fn uncertainties_on(model: &AccessModel, kind: ResourceKind, name: &str) -> Vec<String> {
    let on = pattern(kind, name);
    model
        .visibility_gaps(&on)
        .map(|uncertainty| uncertainty.to_string())
        .collect()
}

// Source: docs/reference/rbac.md#roles-of-the-provisioner. Bindings of the provisioner; T12: hidden is not absent.
#[test]
fn the_provisioner_sees_bindings_on_its_cluster_and_not_above() {
    let me = Principal::from_id("sa-provisioner");
    let mut model = access_model([
        bound(&me, Role::CloudClusterAdmin, ResourceKind::Cluster, "*"),
        bound(&me, Role::ResourceOwner, ResourceKind::Subject, "*"),
    ]);
    model.observer = Some(me);
    let above = "role bindings on the organization and the environment are visible only to their administrators";
    assert_eq!(uncertainties_on(&model, ResourceKind::Connector, "claims-x"), [above]);
    let subject = uncertainties_on(&model, ResourceKind::Subject, "claims-x");
    assert!(
        subject[0].contains("the environment and the Schema Registry"),
        "{subject:?}"
    );
    assert!(model.is_account_list_complete());
    model.unknown.insert(Listing::Acls, "no key".into());
    assert_eq!(uncertainties_on(&model, ResourceKind::Connector, "claims-x"), [above]);
    assert_eq!(
        uncertainties_on(&model, ResourceKind::Topic, "claims-x"),
        [above, "Kafka ACLs could not be listed (no key)"]
    );
}

#[test]
fn an_organization_administrator_has_no_visibility_gaps() {
    let me = Principal::from_id("u-admin");
    let mut model = access_model([bound(&me, Role::OrganizationAdmin, ResourceKind::Organization, "*")]);
    model.observer = Some(me);
    assert_eq!(model.visibility_gaps_anywhere().count(), 0);
}

#[test]
fn a_failed_listing_is_an_uncertainty_only_where_it_matters() {
    let mut model = access_model([]);
    let account: ServiceAccountId = "sa-claimsruntime".parse().unwrap();
    for what in [
        Listing::SubjectBindings,
        Listing::ApiKeys,
        Listing::Connectors,
        Listing::AccountBindings(account),
    ] {
        model.unknown.insert(what, "403".to_owned());
    }
    let told = |kind, name| uncertainties_on(&model, kind, name);
    assert_eq!(told(ResourceKind::Connector, "claims-x"), [] as [&str; 0]);
    assert_eq!(
        told(ResourceKind::Subject, "claims-x"),
        ["role bindings on subjects could not be listed (403)"]
    );
    assert_eq!(
        told(ResourceKind::ServiceAccount, "sa-claimsruntime"),
        [
            "role bindings on sa-claimsruntime could not be listed (403)",
            "role bindings on subjects could not be listed (403)"
        ]
    );
    assert_eq!(told(ResourceKind::ServiceAccount, "sa-other").len(), 1);
    // An unknown scope counts everywhere.
    model.unknown.insert(
        Listing::Other("role bindings of a kind to come".to_owned()),
        "403".to_owned(),
    );
    assert_eq!(uncertainties_on(&model, ResourceKind::Connector, "x").len(), 1);
}

#[test]
fn an_unknown_role_is_an_uncertainty_where_it_is_bound() {
    let me = account("claims", "operator");
    let model = access_model([bound(
        &me,
        Role::Other("Novelty".into()),
        ResourceKind::Connector,
        "claims-*",
    )]);
    let delete = |who: &Principal, name| model.can(who, Operation::Delete, &pattern(ResourceKind::Connector, name));
    assert!(
        matches!(&delete(&me, "claims-x"), AccessDecision::Unknown(doubts) if matches!(doubts[..], [Uncertainty::UnknownRole { .. }]))
    );
    assert_eq!(delete(&me, "aa-x"), AccessDecision::NotAllowed);
    assert_eq!(
        delete(&account("aa", "operator"), "claims-x"),
        AccessDecision::NotAllowed
    );
}

// Source: docs/reference/rbac.md#threats, T16. Members of a directory group hold the roles of the group, and the
// members are unknown here.
#[test]
fn a_group_binding_is_an_uncertainty_for_users() {
    let group = Principal::from_id("group-sso");
    let model = access_model([bound(&group, Role::ResourceOwner, ResourceKind::Connector, "claims-*")]);
    let delete = |id: &str| {
        let on = pattern(ResourceKind::Connector, "claims-x");
        model.can(&Principal::from_id(id), Operation::Delete, &on)
    };
    assert!(
        matches!(&delete("u-person"), AccessDecision::Unknown(doubts) if matches!(doubts[..], [Uncertainty::Group { .. }]))
    );
    assert_eq!(
        delete("sa-claimsoperator"),
        AccessDecision::NotAllowed,
        "an account is in no group"
    );
}

// Source: docs/reference/rbac.md#threats, T5, T6. A principal that may assign an account or create keys for it gains
// its access.
#[test]
fn controllers_of_an_account_gain_its_access() {
    let (deployer, runtime) = (account("claims", "operator"), account("claims", "runtime"));
    let bridge = account("aa", "runtime");
    let model = access_model([
        bound(&deployer, Role::Assigner, ResourceKind::ServiceAccount, bridge.id()),
        bound(&bridge, Role::ResourceOwner, ResourceKind::ServiceAccount, runtime.id()),
        bound(&runtime, Role::DeveloperRead, ResourceKind::Topic, "claims-*"),
    ]);
    let topic = pattern(ResourceKind::Topic, "claims-x");
    assert_eq!(
        model.can(&deployer, Operation::Read, &topic),
        AccessDecision::NotAllowed
    );
    let (account, by) = model.find_indirect_access(&deployer, Operation::Read, &topic).unwrap();
    assert_eq!((account, by.role.clone()), (runtime.clone(), Role::Assigner));
    assert_eq!(model.find_indirect_access(&deployer, Operation::Write, &topic), None);
    let controllers: Vec<_> = model
        .controllers(&runtime)
        .iter()
        .map(|by| by.principal.clone())
        .collect();
    assert_eq!(controllers, [bridge]);
}
