//! Assertions against the plain rule: every persona, every binding, every name.

use proptest::prelude::*;

use super::*;
use crate::{
    access::{
        roles::everything,
        scene::somewhere,
        scene::tests::{DEPARTMENTS, account, any_bindings, any_pattern, bound, pattern, scene},
    },
    model::Prefix,
};

fn everybody() -> Who {
    let all = || NamePattern::Prefixed(String::new());
    Who {
        department: all(),
        persona: all(),
    }
}

fn assertion(expect: Expect, target: Target, operations: &[Operation]) -> Assertion {
    Assertion {
        template: None,
        expect,
        who: vec![everybody()],
        on: vec![(target, OperationSet::of(operations))],
    }
}

/// Who violates what, without the bindings.
fn violations(outcome: &Outcome) -> BTreeSet<(String, Operation)> {
    let each = outcome.violations.iter();
    each.map(|violation| (violation.member.account.clone(), violation.operation))
        .collect()
}

proptest! {
    // Nobody may do anything to what begins with another department's prefix, name by name.
    #[test]
    fn the_other_departments_are_all_of_them(bindings in any_bindings()) {
        let scene = scene(bindings.clone());
        let examiner = Examiner::new(&scene);
        for kind in [ResourceKind::Connector, ResourceKind::Topic, ResourceKind::Subject, ResourceKind::ServiceAccount] {
            let without_create = everything(kind).without(OperationSet::of(&[Operation::Create]));
            let operations: Vec<_> = without_create.iter().collect();
            let outcome = examiner.check(&assertion(Expect::Cannot, Target::Others(kind), &operations));
            let mut expected = BTreeSet::new();
            for member in &scene.members {
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
                        let given = somewhere(binding, on).both(without_create);
                        expected.extend(given.iter().map(|operation| (member.account.clone(), operation)));
                    }
                }
            }
            prop_assert_eq!(violations(&outcome), expected, "{}", kind.word());
        }
    }

    // `can` is about all of a target and `cannot` about any of it, so both of one can fail, and never both hold of a name.
    #[test]
    fn of_one_name_either_can_or_cannot_holds(bindings in any_bindings(), on in any_pattern()) {
        let known = bindings.into_iter().filter(|binding| !matches!(binding.role, Role::Other(_)));
        let scene = scene(known);
        let examiner = Examiner::new(&scene);
        let target = || Target::Own(GrantTarget::Fixed(on.kind(), on.name().clone()));
        for operation in everything(on.kind()).iter() {
            let can = violations(&examiner.check(&assertion(Expect::Can, target(), &[operation])));
            let cannot = violations(&examiner.check(&assertion(Expect::Cannot, target(), &[operation])));
            for member in &scene.members {
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

// Dossier `rbac.md` §1.5: ACLs count like roles, and a denial more than both.
#[test]
fn acls_let_an_assertion_hold_or_fail() {
    let topics = |operations: &[Operation], expect| {
        assertion(
            expect,
            Target::Own(GrantTarget::Prefix(ResourceKind::Topic)),
            operations,
        )
    };
    let examined = |acls: &[&str], assertion: &Assertion| {
        let mut scene = scene([]);
        let acls = acls.iter().map(|text| text.parse().unwrap());
        scene.evaluator = scene.evaluator.with_acls(acls, &scene.address);
        Examiner::new(&scene).check(assertion)
    };
    let who = |outcome: &Outcome| -> BTreeSet<String> {
        violations(outcome).into_iter().map(|(account, _)| account).collect()
    };
    let read = "TOPIC#claims-#PREFIXED#User:sa-claimsoperator#*#READ#ALLOW";
    let can = examined(&[read], &topics(&[Operation::Read], Expect::Can));
    assert_eq!(who(&can).len(), 5, "all others");
    let cannot = examined(&[read], &topics(&[Operation::Read], Expect::Cannot));
    assert_eq!(who(&cannot), ["ebs-prod-claims-operator".to_owned()].into());
    assert!(matches!(&cannot.violations[0].through, Some(Permit::Acl(acl)) if acl.acl.to_string() == read));
    let denied = "TOPIC#claims-#PREFIXED#User:sa-claimsoperator#*#READ#DENY";
    assert_eq!(
        examined(&[read, denied], &topics(&[Operation::Read], Expect::Cannot)).violations,
        []
    );
    assert_eq!(
        who(&examined(&[read, denied], &topics(&[Operation::Read], Expect::Can))).len(),
        6
    );
    // Of others' names, too, and for everybody.
    let others = assertion(Expect::Cannot, Target::Others(ResourceKind::Topic), &[Operation::Write]);
    let everybody = "TOPIC#claims-orders#LITERAL#User:*#*#WRITE#ALLOW";
    let outcome = examined(&[everybody], &others);
    assert_eq!(who(&outcome).len(), 4, "{outcome:?}");
    assert_eq!(outcome.violations[0].on.short(), "topic claims-orders");
    // What an operation does that this program does not know is a doubt.
    let unknown = "TOPIC#claims-#PREFIXED#User:sa-claimsoperator#*#TWO_PHASE_COMMIT#ALLOW";
    let outcome = examined(&[unknown], &topics(&[Operation::Write], Expect::Cannot));
    assert_eq!(outcome.violations, []);
    let doubts: Vec<String> = outcome.doubts.iter().map(ToString::to_string).collect();
    assert_eq!(
        doubts,
        ["what ALLOW TWO_PHASE_COMMIT on topic claims-* gives sa-claimsoperator is not known here"]
    );
}

#[test]
fn what_may_not_be_seen_is_no_violation_and_is_told() {
    let mut scene = scene([]);
    scene.looker = Some(account("claims", "runtime"));
    let own = || Target::Own(GrantTarget::Prefix(ResourceKind::Connector));
    for expect in [Expect::Can, Expect::Cannot] {
        let outcome = Examiner::new(&scene).check(&assertion(expect, own(), &[Operation::Delete]));
        assert_eq!(outcome.violations, []);
        assert!(
            matches!(outcome.doubts.first(), Some(Doubt::Hidden { .. })),
            "{expect:?}"
        );
        assert_eq!((outcome.members, outcome.questions), (6, 6));
    }
}

#[test]
fn a_fallback_may_allow_less_and_must_not_allow_more() {
    let me = account("claims", "operator");
    let asked = bound(&me, Role::ConnectManager, ResourceKind::Connector, "claims-*");
    let mut scene = scene([asked]);
    scene.fallback = Some(Evaluator::new([bound(
        &me,
        Role::DeveloperWrite,
        ResourceKind::Connector,
        "claims-*",
    )]));
    let own = || Target::Own(GrantTarget::Prefix(ResourceKind::Connector));
    let mut can = assertion(Expect::Can, own(), &[Operation::Lifecycle]);
    can.who[0].department = NamePattern::Literal("claims".into());
    can.who[0].persona = NamePattern::Literal("operator".into());
    let outcome = Examiner::new(&scene).check(&can);
    assert_eq!(outcome.violations, []);
    assert_eq!(outcome.uncertain, BTreeSet::from([Role::ConnectManager]));
    let outcome = Examiner::new(&scene).check(&assertion(Expect::Cannot, own(), &[Operation::Configure]));
    assert_eq!(outcome.violations.len(), 1);
    assert!(outcome.violations[0].by_fallback);
}

#[test]
fn only_departments_of_the_template_are_meant() {
    let mut scene = scene([]);
    scene.members[0].template = Some("other".into());
    scene.members[1].principal = None;
    let mut demanded = assertion(
        Expect::Can,
        Target::Own(GrantTarget::Prefix(ResourceKind::Topic)),
        &[Operation::Read],
    );
    demanded.template = Some("hybrid".into());
    let outcome = Examiner::new(&scene).check(&demanded);
    // One persona is of another template, and one has no account.
    assert_eq!(
        (outcome.members, outcome.questions, outcome.violations.len()),
        (5, 4, 4)
    );
}

#[test]
fn the_counter_example_is_as_narrow_as_the_binding() {
    let me = account("claims", "operator");
    let scene = scene([
        bound(&me, Role::DeveloperRead, ResourceKind::Topic, "aa-x"),
        bound(&me, Role::DeveloperWrite, ResourceKind::Topic, "a*"),
    ]);
    let demanded = assertion(
        Expect::Cannot,
        Target::Others(ResourceKind::Topic),
        &[Operation::Read, Operation::Write],
    );
    let outcome = Examiner::new(&scene).check(&demanded);
    let mut reached: Vec<_> = outcome
        .violations
        .iter()
        .map(|one| (one.operation, one.on.short()))
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
