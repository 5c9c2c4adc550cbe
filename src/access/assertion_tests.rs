//! Compares assertions with the plain rules applied to every persona, binding and name.

use proptest::prelude::*;

use super::*;
use crate::{
    access::{
        access_model::binding_operations_on_any,
        access_model::tests::{DEPARTMENTS, access_model, account, any_bindings, any_pattern, bound, pattern},
        roles::all_operations,
    },
    model::Prefix,
};

fn all_personas() -> PersonaPattern {
    let all = || NamePattern::Prefixed(String::new());
    PersonaPattern {
        department: all(),
        persona: all(),
    }
}

fn assertion(expect: Expectation, target: AssertionTarget, operations: &[Operation]) -> Assertion {
    Assertion {
        template: None,
        expect,
        personas: vec![all_personas()],
        targets: vec![(target, OperationSet::new(operations))],
    }
}

/// Returns account and operation of each violation.
fn violations(outcome: &AssertionOutcome) -> BTreeSet<(String, Operation)> {
    let each = outcome.violations.iter();
    each.map(|violation| (violation.persona_account.account.clone(), violation.operation))
        .collect()
}

proptest! {
    // Each persona is checked against every name of other departments.
    #[test]
    fn others_means_every_other_department(bindings in any_bindings()) {
        let model = access_model(bindings.clone());
        let checker = AssertionChecker::new(&model);
        for kind in [ResourceKind::Connector, ResourceKind::Topic, ResourceKind::Subject, ResourceKind::ServiceAccount] {
            let without_create = all_operations(kind).difference(OperationSet::new(&[Operation::Create]));
            let operations: Vec<_> = without_create.iter().collect();
            let outcome = checker.check(&assertion(Expectation::Cannot, AssertionTarget::Others(kind), &operations));
            let mut expected = BTreeSet::new();
            for member in &model.personas {
                let others = DEPARTMENTS.iter().filter(|(code, _)| *code != member.department.as_str());
                let theirs: Vec<CrnPattern> = others
                    .flat_map(|(code, prefix)| match kind {
                        ResourceKind::ServiceAccount => {
                            ["operator", "runtime"].map(|persona| pattern(kind, account(code, persona).id())).to_vec()
                        }
                        _ => vec![pattern(kind, &format!("{prefix}*"))],
                    })
                    .collect();
                let held = bindings.iter().filter(|binding| Some(&binding.principal) == member.principal.as_ref());
                for binding in held {
                    for on in &theirs {
                        let given = binding_operations_on_any(binding, on).intersection(without_create);
                        expected.extend(given.iter().map(|operation| (member.account.clone(), operation)));
                    }
                }
            }
            prop_assert_eq!(violations(&outcome), expected, "{}", kind.display_name());
        }
    }

    // `can` requires all resources of a target and `cannot` none, so both can fail for a pattern, but exactly one holds
    // for a single name.
    #[test]
    fn exactly_one_of_can_and_cannot_holds_for_a_single_name(bindings in any_bindings(), on in any_pattern()) {
        let known = bindings.into_iter().filter(|binding| !matches!(binding.role, Role::Other(_)));
        let model = access_model(known);
        let checker = AssertionChecker::new(&model);
        let target = || AssertionTarget::Own(GrantTarget::Fixed(on.kind(), on.name().clone()));
        for operation in all_operations(on.kind()).iter() {
            let can = violations(&checker.check(&assertion(Expectation::Can, target(), &[operation])));
            let cannot = violations(&checker.check(&assertion(Expectation::Cannot, target(), &[operation])));
            for member in &model.personas {
                let me = (member.account.clone(), operation);
                let (can, cannot) = (!can.contains(&me), !cannot.contains(&me));
                prop_assert!(!(can && cannot), "{me:?} on {on}");
                if on.literal().is_some() {
                    prop_assert!(can || cannot, "{me:?} on {on}");
                }
            }
        }
    }
}

// Source: docs/reference/rbac.md#acls-and-role-bindings. ACLs count like roles, and a DENY overrides both.
#[test]
fn acls_count_in_assertions() {
    let topics = |operations: &[Operation], expect| {
        assertion(
            expect,
            AssertionTarget::Own(GrantTarget::Prefix(ResourceKind::Topic)),
            operations,
        )
    };
    let report = |acls: &[&str], assertion: &Assertion| {
        let mut model = access_model([]);
        let acls = acls.iter().map(|text| text.parse().unwrap());
        model.evaluator = model.evaluator.with_acls(acls, &model.address);
        AssertionChecker::new(&model).check(assertion)
    };
    let who = |outcome: &AssertionOutcome| -> BTreeSet<String> {
        violations(outcome).into_iter().map(|(account, _)| account).collect()
    };
    let read = "TOPIC#claims-#PREFIXED#User:sa-claimsoperator#*#READ#ALLOW";
    let can = report(&[read], &topics(&[Operation::Read], Expectation::Can));
    assert_eq!(who(&can).len(), 5, "all others");
    let cannot = report(&[read], &topics(&[Operation::Read], Expectation::Cannot));
    assert_eq!(who(&cannot), ["ebs-prod-claims-operator".to_owned()].into());
    assert!(matches!(&cannot.violations[0].granted_by, Some(AccessGrant::Acl(acl)) if acl.acl.to_string() == read));
    let denied = "TOPIC#claims-#PREFIXED#User:sa-claimsoperator#*#READ#DENY";
    assert_eq!(
        report(&[read, denied], &topics(&[Operation::Read], Expectation::Cannot)).violations,
        []
    );
    assert_eq!(
        who(&report(&[read, denied], &topics(&[Operation::Read], Expectation::Can))).len(),
        6
    );
    // The same for names of other departments and for the wildcard principal.
    let others = assertion(
        Expectation::Cannot,
        AssertionTarget::Others(ResourceKind::Topic),
        &[Operation::Write],
    );
    let all_principals = "TOPIC#claims-orders#LITERAL#User:*#*#WRITE#ALLOW";
    let outcome = report(&[all_principals], &others);
    assert_eq!(who(&outcome).len(), 4, "{outcome:?}");
    assert_eq!(outcome.violations[0].on.to_short_string(), "topic claims-orders");
    // An unknown operation is an uncertainty.
    let unknown = "TOPIC#claims-#PREFIXED#User:sa-claimsoperator#*#TWO_PHASE_COMMIT#ALLOW";
    let outcome = report(&[unknown], &topics(&[Operation::Write], Expectation::Cannot));
    assert_eq!(outcome.violations, []);
    let uncertainties: Vec<String> = outcome.uncertainties.iter().map(ToString::to_string).collect();
    assert_eq!(
        uncertainties,
        ["the effect of ACL `ALLOW TWO_PHASE_COMMIT on topic claims-*` on `sa-claimsoperator` is unknown"]
    );
}

#[test]
fn invisible_bindings_are_reported_as_uncertainty_and_not_as_violation() {
    let mut model = access_model([]);
    model.observer = Some(account("claims", "runtime"));
    let own = || AssertionTarget::Own(GrantTarget::Prefix(ResourceKind::Connector));
    for expect in [Expectation::Can, Expectation::Cannot] {
        let outcome = AssertionChecker::new(&model).check(&assertion(expect, own(), &[Operation::Delete]));
        assert_eq!(outcome.violations, []);
        assert!(
            matches!(outcome.uncertainties.first(), Some(Uncertainty::Hidden { .. })),
            "{expect:?}"
        );
        assert_eq!((outcome.personas, outcome.questions), (6, 6));
    }
}

#[test]
fn a_fallback_that_allows_more_is_a_violation_and_one_that_allows_less_is_reported() {
    let me = account("claims", "operator");
    let asked = bound(&me, Role::ConnectManager, ResourceKind::Connector, "claims-*");
    let mut model = access_model([asked]);
    model.fallback_evaluator = Some(Evaluator::new([bound(
        &me,
        Role::DeveloperWrite,
        ResourceKind::Connector,
        "claims-*",
    )]));
    let own = || AssertionTarget::Own(GrantTarget::Prefix(ResourceKind::Connector));
    let mut can = assertion(Expectation::Can, own(), &[Operation::Lifecycle]);
    can.personas[0].department = NamePattern::Literal("claims".into());
    can.personas[0].persona = NamePattern::Literal("operator".into());
    let outcome = AssertionChecker::new(&model).check(&can);
    assert_eq!(outcome.violations, []);
    assert_eq!(outcome.fallback_roles, BTreeSet::from([Role::ConnectManager]));
    let outcome = AssertionChecker::new(&model).check(&assertion(Expectation::Cannot, own(), &[Operation::Configure]));
    assert_eq!(outcome.violations.len(), 1);
    assert!(outcome.violations[0].by_fallback);
}

#[test]
fn only_departments_of_the_template_are_checked() {
    let mut model = access_model([]);
    model.personas[0].template = Some("other".into());
    model.personas[1].principal = None;
    let mut demanded = assertion(
        Expectation::Can,
        AssertionTarget::Own(GrantTarget::Prefix(ResourceKind::Topic)),
        &[Operation::Read],
    );
    demanded.template = Some("hybrid".into());
    let outcome = AssertionChecker::new(&model).check(&demanded);
    // One persona belongs to another template, and one has no account.
    assert_eq!(
        (outcome.personas, outcome.questions, outcome.violations.len()),
        (5, 4, 4)
    );
}

#[test]
fn the_counter_example_names_the_narrower_pattern() {
    let me = account("claims", "operator");
    let model = access_model([
        bound(&me, Role::DeveloperRead, ResourceKind::Topic, "aa-x"),
        bound(&me, Role::DeveloperWrite, ResourceKind::Topic, "a*"),
    ]);
    let demanded = assertion(
        Expectation::Cannot,
        AssertionTarget::Others(ResourceKind::Topic),
        &[Operation::Read, Operation::Write],
    );
    let outcome = AssertionChecker::new(&model).check(&demanded);
    let mut reached: Vec<_> = outcome
        .violations
        .iter()
        .map(|one| (one.operation, one.on.to_short_string()))
        .collect();
    reached.sort();
    assert_eq!(
        reached,
        [
            (Operation::Read, "topic aa-x".to_owned()),
            (Operation::Write, "topic aa-*".to_owned())
        ]
    );
    assert!(Prefix::parse("aa-").unwrap().owns("aa-x"));
}
