//! Tests of planned access, observed access and assertions.

use super::{findings_text, load};
use crate::{
    access::{
        AccessDecision, AccessGrant, AccessModel, Evaluator, GrantOrigin, Operation,
        assertion::{Assertion, AssertionChecker, Expectation},
        check_isolation,
    },
    diag::SourceFile,
    manifest::{
        Workspace,
        assertions::{AssertionFile, check_assertions, read},
        embedded,
    },
    model::{
        CrnPattern, DepartmentCode, NamePattern, ObservedAccount, ObservedBinding, Principal, ResourceKind, Role,
        RoleBinding, Snapshot,
    },
};

fn code(text: &str) -> DepartmentCode {
    text.parse().unwrap()
}

fn planned_access(workspace: &Workspace) -> AccessModel {
    let (name, stage) = workspace.platform.stage(None).unwrap();
    workspace.planned_access(name, &workspace.planned_address(stage).unwrap())
}

/// Returns the example platform, and a platform with two departments of each template.
fn platforms() -> [Workspace; 2] {
    let templates = embedded::TEMPLATES
        .iter()
        .map(|(path, _)| path.rsplit('/').next().unwrap());
    let templates: Vec<&str> = templates.map(|file| file.strip_suffix(".toml").unwrap()).collect();
    let files: Vec<(String, String)> = (0..2 * templates.len())
        .map(|number| {
            let (name, template) = (
                ["one", "two", "three", "four", "five", "six", "seven", "eight"][number],
                templates[number / 2],
            );
            let text = format!("name = \"{name}\"\nprefix = \"{name}-\"\ntemplate = \"{template}\"\n");
            (name.to_owned(), text)
        })
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let platform = "[organization]\nid = \"o-1\"\n[stages.prod]\nenvironment = \"env-1\"\ncluster = \"lkc-1\"\n";
    let loaded = load(platform, &files, &[]);
    assert_eq!(findings_text(&loaded.findings), "");
    [Workspace::embedded().workspace, loaded.workspace]
}

fn account(model: &AccessModel, department: &str, persona: &str) -> Principal {
    let member = model.persona(&code(department), persona).unwrap();
    member.principal.clone().unwrap()
}

fn can(model: &AccessModel, who: &Principal, operation: Operation, kind: ResourceKind, name: &str) -> AccessDecision {
    let on = model.address.pattern(kind, NamePattern::parse(name).unwrap()).unwrap();
    model.can(who, operation, &on)
}

// Source: docs/reference/rbac.md#personas. The operator operates, the deployer deploys.
fn has_role(grant: &AccessGrant, role: &Role) -> bool {
    grant.role_binding().is_some_and(|binding| binding.role == *role)
}

#[test]
fn planned_access_can_be_queried_before_onboarding() {
    let model = planned_access(&Workspace::embedded().workspace);
    let (operator, deployer) = (
        account(&model, "claims", "operator"),
        account(&model, "claims", "deployer"),
    );
    let delete = |who: &Principal, name| can(&model, who, Operation::Delete, ResourceKind::Connector, name);
    assert_eq!(delete(&operator, "claims-orders"), AccessDecision::NotAllowed);
    assert_eq!(delete(&deployer, "fraud-orders"), AccessDecision::NotAllowed);
    let AccessDecision::Allowed(through) = delete(&deployer, "claims-orders") else {
        panic!("the deployer deletes")
    };
    assert!(has_role(&through, &Role::ResourceOwner));
    let GrantOrigin::Template {
        template, hash, why, ..
    } = model.grant_origin(&through)
    else {
        panic!("it comes from the template")
    };
    let workspace = Workspace::embedded().workspace;
    assert_eq!(
        (template.as_str(), &hash),
        ("hybrid", &workspace.template("hybrid").unwrap().hash)
    );
    assert!(why.starts_with("the only role short of an administrator"), "{why}");
    let lifecycle = can(
        &model,
        &operator,
        Operation::Lifecycle,
        ResourceKind::Connector,
        "claims-*",
    );
    assert!(matches!(lifecycle, AccessDecision::Allowed(through) if has_role(&through, &Role::ConnectManager)));
    let fallback = model.fallback_evaluator.as_ref().unwrap();
    let on = CrnPattern::from(model.address.resource(ResourceKind::Connector, "claims-x").unwrap());
    assert!(
        !fallback
            .decide_pattern(&operator, Operation::Lifecycle, &on)
            .is_allowed()
    );
    assert!(
        fallback
            .decide_pattern(&operator, Operation::ReadConfig, &on)
            .is_allowed()
    );
}

#[test]
fn planned_access_contains_the_provisioner_and_isolates_departments() {
    for workspace in platforms() {
        let model = planned_access(&workspace);
        let provisioner = model
            .display_names
            .iter()
            .find(|(_, name)| *name == "ebs-provisioner")
            .unwrap()
            .0;
        let yes = can(&model, provisioner, Operation::Delete, ResourceKind::Connector, "x");
        assert!(matches!(yes, AccessDecision::Allowed(through) if has_role(&through, &Role::CloudClusterAdmin)));
        let proof = check_isolation(&model.departments, &model.evaluator, &model.address);
        assert!(proof.has_passed(), "{proof:?}");
    }
}

fn shipped(workspace: &Workspace) -> Vec<AssertionFile> {
    let (files, findings) = workspace.assertions();
    assert_eq!(findings_text(&findings), "");
    files
}

#[test]
fn the_shipped_assertions_hold_for_every_template() {
    // No department of the example has the template `hybrid-reader`.
    let unused = [vec!["rbac-templates/tests/hybrid-reader.toml".to_owned()], Vec::new()];
    for (workspace, unused) in platforms().into_iter().zip(unused) {
        let files = shipped(&workspace);
        assert_eq!(files.len(), embedded::TEMPLATES.len());
        let report = check_assertions(&files, &planned_access(&workspace));
        assert_eq!(findings_text(&report.findings), "");
        assert_eq!((report.failed, report.unused_files), (0, unused.clone()));
        assert_eq!(
            report.assertions,
            files
                .iter()
                .filter(|file| !unused.contains(&file.source.path.display().to_string()))
                .map(|file| file.assertions.len())
                .sum::<usize>()
        );
        assert_eq!(report.uncertainties.len(), 0);
        // docs/assumptions.md Q1: binding ConnectManager on a prefix is not confirmed.
        assert_eq!(Vec::from_iter(report.fallback_roles), [Role::ConnectManager]);
    }
}

/// Returns a model in which all accounts hold `role` on all resources, or no role.
fn access_with_single_role(model: &AccessModel, role: Option<&Role>) -> AccessModel {
    let mut world = model.clone();
    world.evaluator = Evaluator::default();
    world.fallback_evaluator = None;
    for member in &world.personas {
        let (Some(role), Some(principal)) = (role, &member.principal) else {
            continue;
        };
        for (kind, _) in ResourceKind::GRANTABLE {
            let all = NamePattern::Prefixed(String::new());
            let on = world.address.pattern(kind, all).unwrap();
            world
                .evaluator
                .insert(RoleBinding::new(principal.clone(), role.clone(), on));
        }
    }
    world
}

#[test]
fn every_shipped_assertion_can_fail() {
    let [_, workspace] = platforms();
    let model = planned_access(&workspace);
    let nothing = access_with_single_role(&model, None);
    let worlds: Vec<AccessModel> = Role::KNOWN
        .iter()
        .map(|role| access_with_single_role(&model, Some(role)))
        .collect();
    for file in shipped(&workspace) {
        for (assertion, place) in &file.assertions {
            let fails_in = |model: &AccessModel| !AssertionChecker::new(model).check(assertion).violations.is_empty();
            match assertion.expect {
                Expectation::Can => assert!(fails_in(&nothing), "{} holds where nothing is bound", place.location()),
                Expectation::Cannot => assert!(worlds.iter().any(fails_in), "{} holds everywhere", place.location()),
            }
            // Each target and operation alone can fail, too, so none is superfluous.
            for (target, operations) in &assertion.targets {
                for operation in operations.iter() {
                    let one = Assertion {
                        targets: vec![(target.clone(), [operation].into_iter().collect())],
                        ..assertion.clone()
                    };
                    let fails = |model: &AccessModel| !AssertionChecker::new(model).check(&one).violations.is_empty();
                    let made_for_others =
                        operation == Operation::Create && target.kind() == ResourceKind::ServiceAccount;
                    let can_fail = match one.expect {
                        Expectation::Can => fails(&nothing),
                        Expectation::Cannot => worlds.iter().any(fails) || made_for_others,
                    };
                    assert!(can_fail, "{}: {operation} on {target:?}", place.location());
                }
            }
        }
    }
}

/// Returns the report of an assertion file on the example platform.
fn report_text(text: &str) -> String {
    let workspace = Workspace::embedded().workspace;
    let source = SourceFile::new("tests/a.toml", text);
    let (file, findings) = read(&source, &workspace);
    if !findings.is_empty() {
        return findings_text(&findings);
    }
    let said = findings_text(&check_assertions(&[file], &planned_access(&workspace)).findings);
    // The template hash is replaced, because it changes with the template.
    said.replace(&workspace.template("hybrid").unwrap().hash, "1a2b3c4d")
}

#[test]
fn a_failed_assertion_names_the_binding() {
    let text = "[[cannot]]\nwho = [\"*/deployer\"]\noperations = [\"delete\"]\non = [\"connector:{prefix}*\"]\n\n\
                [[can]]\nwho = [\"claims/viewer\", \"claims/operator\"]\noperations = [\"logs\", \"create\"]\n\
                on = [\"connector:{prefix}*\"]\n";
    insta::assert_snapshot!(report_text(text), @r"
    tests/a.toml:2:1 error access-cannot: accounting/deployer can delete on connector accounting-*; and 20 more matching personas
        Allowed by ResourceOwner on connector accounting-* (template hybrid@1a2b3c4d: the only role short of an administrator that creates and deletes connectors and sets the account they run under).
    tests/a.toml:7:1 error access-can: claims/operator cannot create on connector claims-*; and 1 more matching persona
        No role binding and no ACL allows it. Change the template or the assertion.
    ");
}

#[test]
fn every_mistake_in_an_assertion_file_has_a_location() {
    let text = "template = \"hybird\"\n\n[[cannot]]\nwho = [\"clams/operator\", \"*/operatr\", \"claims\"]\n\
                operations = [\"delte\", \"pause\"]\non = [\"conector:*\", \"topic:{othr}*\", \"group:{other}\"]\nwhy = 3\n\n\
                [[can]]\nwho = []\noperations = [\"read\"]\non = [\"topic:{other}*\"]\n\n[[can]]\nwhom = \"x\"\n";
    insta::assert_snapshot!(report_text(text), @r"
    tests/a.toml:1:12 error unknown-template: no template `hybird`
        Did you mean `hybrid`?
    tests/a.toml:4:8 error unknown-department: no department `clams`
        Did you mean `claims`?
    tests/a.toml:4:26 error unknown-persona: no persona `operatr` in any template
        Did you mean `operator`?
    tests/a.toml:4:39 error invalid-value: `claims` is not of the form `DEPARTMENT/PERSONA`
        Write for example `claims/operator`, or `*/operator` for every department.
    tests/a.toml:5:15 error unknown-operation: `delte` is not an operation
        Did you mean `delete`?
    tests/a.toml:6:7 error unknown-kind: grants on kind `conector` are not supported
        Did you mean `connector`?
    tests/a.toml:6:21 error grant-target: `{othr}` is not supported for a topic
        Use `{prefix}`, as in `topic:{prefix}*`.
    tests/a.toml:6:38 error assertion-target: `group:{other}` is not a valid target with `{other}`
        Write `group:{other}*`.
    tests/a.toml:7:7 error wrong-type: `cannot.why` is an integer, expected a string
    tests/a.toml:10:1 error invalid-value: `who` is empty
    tests/a.toml:12:7 error assertion-target: `{other}` is only allowed in `[[cannot]]`
        Write `[[cannot]]`: departments never need access to resources of others.
    tests/a.toml:14:1 error missing-key: `can.who` is missing
    tests/a.toml:14:1 error missing-key: `can.operations` is missing
    tests/a.toml:14:1 error missing-key: `can.on` is missing
    tests/a.toml:15:1 error unknown-key: unknown key `can.whom`
        Did you mean `who`?
    ");
    insta::assert_snapshot!(report_text("description = \"nothing\"\n"), @r"
    tests/a.toml:1:1 error no-assertion: the file contains no assertions
        Add a `[[can]]` or `[[cannot]]` table.
    ");
}

#[test]
fn an_assertion_that_matches_no_persona_fails() {
    let text =
        "template = \"read-only\"\n[[cannot]]\nwho = [\"claims/viewer\"]\noperations = [\"*\"]\non = [\"cluster\"]\n";
    insta::assert_snapshot!(report_text(text), @r"
    tests/a.toml:3:1 error access-nobody: the assertion matches no persona
        Name existing departments and personas, or remove the assertion.
    ");
}

#[test]
fn the_other_placeholder_means_names_of_other_departments() {
    let text = "[[cannot]]\nwho = [\"*/*\"]\noperations = [\"*\"]\n\
                on = [\"topic:{other}*\", \"service-account:{other}\", \"service-account:*\"]\n";
    // Deployers may assign the runtime account of their own department.
    insta::assert_snapshot!(report_text(text), @r"
    tests/a.toml:2:1 error access-cannot: accounting/deployer can create on service-account *; and 23 more matching personas
        Allowed by ResourceOwner on connector accounting-* (template hybrid@1a2b3c4d: the only role short of an administrator that creates and deletes connectors and sets the account they run under).
    ");
}

/// Returns a snapshot by the provisioner after onboarding all departments, with `more` bindings.
fn snapshot(workspace: &Workspace, more: &[RoleBinding]) -> Snapshot {
    let model = planned_access(workspace);
    let desired = workspace.active_departments().flat_map(|department| {
        workspace
            .desired_department(department, "prod", &model.address)
            .unwrap()
            .personas
    });
    let accounts = desired.map(|persona| ObservedAccount {
        id: format!("sa-planned-{}", persona.account_name).parse().unwrap(),
        name: persona.account_name.clone(),
        description: persona.tag.to_string(),
        created_at: None,
    });
    let bindings = model.evaluator.bindings().map(|binding| RoleBinding::clone(binding));
    let provisioner = model
        .display_names
        .iter()
        .find(|(_, name)| *name == "ebs-provisioner")
        .unwrap()
        .0
        .clone();
    let bound = bindings.chain(more.iter().cloned()).enumerate();
    let taken_at = "2026-01-02T03:04:05Z".parse().unwrap();
    Snapshot {
        accounts: accounts.collect(),
        bindings: bound
            .map(|(number, binding)| ObservedBinding {
                id: format!("rb-{number}").parse().unwrap(),
                binding,
            })
            .collect(),
        ..Snapshot::new(taken_at, model.address.clone(), provisioner)
    }
}

/// Returns the origin of the grant that allows claims/`persona` `operation` on its connectors.
fn origin_text(workspace: &Workspace, snapshot: &Snapshot, persona: &str, operation: Operation) -> String {
    let model = workspace.observed_access("prod", snapshot);
    let who = account(&model, "claims", persona);
    match can(&model, &who, operation, ResourceKind::Connector, "claims-*") {
        AccessDecision::Allowed(through) => model.grant_origin(&through).to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn observed_bindings_are_attributed_to_templates() {
    let workspace = Workspace::embedded().workspace;
    let mut seen = snapshot(&workspace, &[]);
    let hash = workspace.template("hybrid").unwrap().hash.clone();
    let deployer = |seen: &Snapshot| origin_text(&workspace, seen, "deployer", Operation::Delete);
    let why = "the only role short of an administrator that creates and deletes connectors and sets the account they \
               run under";
    assert_eq!(deployer(&seen), format!("template hybrid@{hash}: {why}"));

    // The accounts were created with an older version of the template.
    for account in &mut seen.accounts {
        account.description = account.description.replace(&hash, "0ld0ld00");
    }
    assert_eq!(
        deployer(&seen),
        format!("template hybrid@0ld0ld00 (current @{hash}): {why}")
    );

    // Observed by a user, with an unknown provisioner.
    seen.observed_by = Principal::from_id("u-admin");
    let owned = "account owned by sa-planned-ebs-provisioner";
    assert_eq!(
        deployer(&seen),
        format!("template hybrid@0ld0ld00 (current @{hash}), {owned}: {why}")
    );
}

#[test]
fn a_fallback_and_a_manual_binding_are_distinguished() {
    let workspace = Workspace::embedded().workspace;
    let model = planned_access(&workspace);
    let operator = account(&model, "claims", "operator");
    let on = |kind, name: &str| model.address.pattern(kind, NamePattern::parse(name).unwrap()).unwrap();
    let by_hand = RoleBinding::new(
        operator.clone(),
        Role::DeveloperWrite,
        on(ResourceKind::Connector, "claims-*"),
    );
    let mut seen = snapshot(&workspace, &[by_hand]);
    let fallback = |binding: &mut RoleBinding| {
        if binding.role == Role::ConnectManager {
            binding.role = Role::DeveloperRead;
        }
    };
    seen.bindings.iter_mut().for_each(|seen| fallback(&mut seen.binding));
    let read = origin_text(&workspace, &seen, "operator", Operation::Configure);
    assert_eq!(read, "manual: template `hybrid` does not contain it");
    seen.bindings
        .retain(|seen| seen.binding.role != Role::DeveloperWrite || seen.binding.principal != operator);
    let read = origin_text(&workspace, &seen, "operator", Operation::ReadStatus);
    assert!(read.contains(", fallback for ConnectManager: status, logs"), "{read}");
}

// Source: docs/reference/rbac.md#threats, T4. Any principal that may create accounts can copy tag and name.
#[test]
fn an_impersonating_account_is_not_attributed_to_a_template() {
    let workspace = Workspace::embedded().workspace;
    let genuine = snapshot(&workspace, &[]);
    let forger = account(&planned_access(&workspace), "fraud", "deployer");
    let mut forged = genuine.clone();
    for ObservedBinding { binding, .. } in &mut forged.bindings {
        let on_claims = binding.pattern.name().stem() == "sa-planned-ebs-prod-claims-deployer";
        if binding.role == Role::ResourceOwner && on_claims {
            binding.principal = forger.clone();
        }
    }
    let deployer = |seen: &Snapshot| origin_text(&workspace, seen, "deployer", Operation::Delete);
    let claimed = "impersonating: matches template `hybrid`, but the account is owned by";
    let by = "ebs-prod-fraud-deployer (sa-planned-ebs-prod-fraud-deployer)";
    assert!(deployer(&forged).starts_with(claimed), "{}", deployer(&forged));
    assert!(deployer(&forged).contains("ebs-prod-fraud-deployer"), "{by}");

    // The same for an administrator with an unknown provisioner: departments own no accounts.
    forged.observed_by = Principal::from_id("u-admin");
    assert!(deployer(&forged).starts_with(claimed), "{}", deployer(&forged));

    // The correct name without the tag.
    let mut untagged = genuine.clone();
    for account in &mut untagged.accounts {
        account.description.clear();
    }
    assert!(deployer(&untagged).starts_with(claimed), "{}", deployer(&untagged));

    // A second owner besides the provisioner.
    let mut shared = genuine.clone();
    let owner = shared.bindings.iter().find(|seen| {
        let stem = seen.binding.pattern.name().stem().to_owned();
        stem == "sa-planned-ebs-prod-claims-deployer" && seen.binding.role == Role::ResourceOwner
    });
    let mut second = owner.unwrap().clone();
    second.binding.principal = Principal::from_id("u-somebody");
    shared.bindings.push(second);
    assert!(
        deployer(&shared).contains("owned by u-somebody"),
        "{}",
        deployer(&shared)
    );
}

#[test]
fn a_hidden_account_owner_is_reported_as_unknown() {
    let workspace = Workspace::embedded().workspace;
    let mut seen = snapshot(&workspace, &[]);
    let me = account(&planned_access(&workspace), "claims", "deployer");
    seen.bindings.retain(|seen| seen.binding.principal == me);
    seen.observed_by = me;
    let read = origin_text(&workspace, &seen, "deployer", Operation::Delete);
    assert!(read.contains("account owned by an unknown principal"), "{read}");
}

#[test]
fn a_department_without_accounts_has_no_principals() {
    let workspace = Workspace::embedded().workspace;
    let mut seen = snapshot(&workspace, &[]);
    seen.accounts.retain(|account| !account.name.contains("-claims-"));
    let model = workspace.observed_access("prod", &seen);
    assert_eq!(model.departments.len(), 24);
    let claims = model
        .departments
        .iter()
        .find(|party| party.code == code("claims"))
        .unwrap();
    assert!(claims.principals.is_empty());
    assert_eq!(model.persona(&code("claims"), "operator").unwrap().principal, None);
    // An orphan account still has access to names of claims.
    let stray = model.who_can(
        Operation::Delete,
        &model
            .address
            .pattern(ResourceKind::Connector, NamePattern::parse("claims-x").unwrap())
            .unwrap(),
    );
    let stray: Vec<&AccessGrant> = stray.iter().filter(|one| has_role(one, &Role::ResourceOwner)).collect();
    assert_eq!(stray.len(), 1);
    assert_eq!(model.grant_origin(stray[0]), GrantOrigin::Manual { template: None });
}
