//! Evaluation of access, isolation check and assertions in a large organization: 200 departments with 50 role bindings
//! each. The isolation check and the assertion are measured at several sizes to show their growth.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hint::black_box,
    time::Duration,
};

use confluent_ebs::{
    access::{
        AccessModel, DepartmentPrincipals, Evaluator, IsolationResult, Operation, PersonaAccount,
        assertion::{Assertion, AssertionChecker, AssertionTarget, Expectation, PersonaPattern},
        audit::{AuditFinding, AuditVerdict, DesiredState, ExpectedDepartment, ExpectedPersona, audit},
        check_isolation,
        roles::all_operations,
    },
    model::{
        Department, DepartmentQuota, GrantTarget, NamePattern, ObservedAccount, ObservedBinding, OwnershipTag, Prefix,
        Principal, ResourceKind, Role, RoleBinding, RoleGrant, Snapshot, StageAddress,
    },
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const BINDINGS_PER_DEPARTMENT: usize = 50;
const PERSONAS: [&str; 5] = ["operator", "deployer", "runtime", "viewer", "app"];

fn address() -> StageAddress {
    StageAddress {
        organization: "11111111-2222-3333-4444-555555555555".parse().expect("a UUID"),
        environment: "env-abc123".parse().expect("an id"),
        cluster: "lkc-abc123".parse().expect("an id"),
        schema_registry: Some("lsrc-abc123".parse().expect("an id")),
    }
}

fn account(department: usize, persona: usize) -> Principal {
    Principal::from_id(&format!("sa-{department:04}{}", PERSONAS[persona]))
}

fn department_principals(department: usize) -> DepartmentPrincipals {
    DepartmentPrincipals {
        code: format!("dept-{department:04}").parse().expect("a code"),
        prefix: Prefix::parse(&format!("dept-{department:04}-")).expect("a prefix"),
        principals: (0..PERSONAS.len())
            .map(|persona| account(department, persona))
            .collect::<BTreeSet<_>>(),
    }
}

/// Grants of docs/reference/rbac.md#personas on the prefix, then grants on single names, as they accumulate over time.
fn department_bindings(address: &StageAddress, department: usize) -> Vec<RoleBinding> {
    use ResourceKind as K;
    let begin = format!("dept-{department:04}-");
    let prefix = |kind| {
        address
            .pattern(kind, NamePattern::Prefixed(begin.clone()))
            .expect("a place")
    };
    let fixed = |kind, name: &str| {
        address
            .pattern(kind, NamePattern::parse(name).expect("a name"))
            .expect("a place")
    };
    let runtime = account(department, 2);
    let mut bindings = vec![
        RoleBinding::new(account(department, 0), Role::ConnectManager, prefix(K::Connector)),
        RoleBinding::new(account(department, 1), Role::ResourceOwner, prefix(K::Connector)),
        RoleBinding::new(
            account(department, 1),
            Role::Assigner,
            fixed(K::ServiceAccount, runtime.id()),
        ),
        RoleBinding::new(account(department, 3), Role::DeveloperRead, prefix(K::Connector)),
        RoleBinding::new(runtime.clone(), Role::DeveloperRead, fixed(K::Group, "connect-lcc*")),
    ];
    for role in [Role::DeveloperRead, Role::DeveloperWrite, Role::DeveloperManage] {
        for kind in [K::Topic, K::Subject, K::TransactionalId] {
            bindings.push(RoleBinding::new(runtime.clone(), role.clone(), prefix(kind)));
        }
    }
    while bindings.len() < BINDINGS_PER_DEPARTMENT {
        let name = format!("{begin}{}", bindings.len());
        let persona = bindings.len() % PERSONAS.len();
        bindings.push(RoleBinding::new(
            account(department, persona),
            Role::DeveloperRead,
            fixed(K::Topic, &name),
        ));
    }
    bindings
}

/// All departments, and the provisioner, which owns every account.
fn evaluator(address: &StageAddress, departments: usize) -> Evaluator {
    let provisioner = Principal::from_id("sa-provisioner");
    let of_departments = (0..departments).flat_map(|department| department_bindings(address, department));
    let mut evaluator = Evaluator::new(of_departments);
    evaluator.insert(RoleBinding::new(
        provisioner,
        Role::CloudClusterAdmin,
        address.cluster_crn(),
    ));
    evaluator
}

/// Access model of all departments.
fn access_model(address: &StageAddress, departments: usize) -> AccessModel {
    let parties: Vec<_> = (0..departments).map(department_principals).collect();
    let members = parties.iter().enumerate().flat_map(|(department, party)| {
        (0..PERSONAS.len()).map(move |persona| PersonaAccount {
            department: party.code.clone(),
            template: Some("hybrid".to_owned()),
            prefix: party.prefix.clone(),
            persona: PERSONAS[persona].to_owned(),
            account: format!("ebs-prod-{}-{}", party.code, PERSONAS[persona]),
            principal: Some(account(department, persona)),
        })
    });
    AccessModel {
        stage: "prod".to_owned(),
        address: address.clone(),
        evaluator: evaluator(address, departments),
        fallback_evaluator: None,
        personas: members.collect(),
        departments: parties,
        display_names: BTreeMap::new(),
        origins: HashMap::new(),
        unknown: BTreeMap::new(),
        acl_origins: HashMap::new(),
        observer: None,
    }
}

/// Assertion "no access to names of others": the last assertion of every built-in file.
fn other_departments_unreachable() -> Assertion {
    use ResourceKind as K;
    let all = || NamePattern::Prefixed(String::new());
    let kinds = [
        K::Connector,
        K::Topic,
        K::Group,
        K::TransactionalId,
        K::Subject,
        K::ServiceAccount,
    ];
    Assertion {
        template: None,
        expect: Expectation::Cannot,
        personas: vec![PersonaPattern {
            department: all(),
            persona: all(),
        }],
        targets: kinds
            .map(|kind| (AssertionTarget::Others(kind), all_operations(kind)))
            .into(),
    }
}

#[expect(clippy::print_stderr, reason = "the counts belong to the figures")]
fn bench_access(criterion: &mut Criterion) {
    let address = address();
    let large = evaluator(&address, 200);
    eprintln!("{} bindings of {} principals", large.len(), large.principals().count());

    let own = address
        .resource(ResourceKind::Connector, "dept-0150-orders")
        .expect("a place");
    let questions = [
        ("decide: allowed on the own prefix", account(150, 1)),
        ("decide: denied on a foreign prefix", account(151, 1)),
        ("decide: administrator", Principal::from_id("sa-provisioner")),
    ];
    for (name, who) in questions {
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| large.decide(black_box(&who), Operation::Delete, black_box(&own)));
        });
    }
    criterion.bench_function("who can delete a connector", |bencher| {
        bencher.iter(|| large.who_can(Operation::Delete, black_box(&own)));
    });
    criterion.bench_function("index 10,000 bindings", |bencher| {
        bencher.iter(|| evaluator(&address, 200));
    });

    let mut group = criterion.benchmark_group("isolation of all pairs");
    group.sample_size(20);
    for departments in [50, 100, 200, 400] {
        let parties: Vec<_> = (0..departments).map(department_principals).collect();
        let evaluator = evaluator(&address, departments);
        let IsolationResult::Passed(proof) = check_isolation(&parties, &evaluator, &address) else {
            eprintln!("{departments} departments: NOT isolated");
            return;
        };
        let operations = Operation::ALL.len();
        eprintln!(
            "{departments} departments: {} ordered pairs, {} bindings, {} kinds, {operations} operations, {} exposure(s)",
            proof.pairs,
            proof.bindings,
            proof.kinds,
            proof.shared_names.len(),
        );
        group.throughput(Throughput::Elements(proof.bindings as u64));
        group.bench_with_input(BenchmarkId::from_parameter(departments), &departments, |bencher, _| {
            bencher.iter(|| check_isolation(&parties, &evaluator, &address));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("nothing of others can be done by anybody");
    group.sample_size(10);
    for departments in [50, 100, 200, 400] {
        let scene = access_model(&address, departments);
        let outcome = AssertionChecker::new(&scene).check(&other_departments_unreachable());
        eprintln!(
            "{departments} departments: {} questions, {} violations",
            outcome.questions,
            outcome.violations.len()
        );
        group.throughput(Throughput::Elements(scene.evaluator.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(departments), &departments, |bencher, _| {
            bencher.iter(|| AssertionChecker::new(&scene).check(&other_departments_unreachable()));
        });
    }
    group.finish();

    let scene = access_model(&address, 200);
    criterion.bench_function("the matrix of all 200 departments", |bencher| {
        bencher.iter(|| scene.matrices());
    });
}

fn ownership_tag(department: usize, persona: usize) -> OwnershipTag {
    OwnershipTag {
        stage: "prod".to_owned(),
        department: format!("dept-{department:04}").parse().expect("a code"),
        persona: PERSONAS[persona].to_owned(),
        template: "hybrid".to_owned(),
        template_hash: "1a2b3c4d".to_owned(),
        profile_hash: "9f8e7d6c".to_owned(),
    }
}

/// Observed state: accounts and bindings of the departments, and a provisioner that owns each account.
fn snapshot(address: &StageAddress, departments: usize) -> Snapshot {
    let provisioner = Principal::from_id("sa-provisioner");
    let mut accounts = Vec::new();
    let mut all = vec![
        RoleBinding::new(
            Principal::from_id("u-admin"),
            Role::OrganizationAdmin,
            address.organization_crn(),
        ),
        RoleBinding::new(provisioner.clone(), Role::CloudClusterAdmin, address.cluster_crn()),
    ];
    for department in 0..departments {
        all.extend(department_bindings(address, department));
        for persona in 0..PERSONAS.len() {
            let id = account(department, persona)
                .service_account()
                .expect("an account")
                .clone();
            let owned = address.service_account_crn(&id);
            all.push(RoleBinding::new(provisioner.clone(), Role::ResourceOwner, owned));
            let tag = ownership_tag(department, persona);
            accounts.push(ObservedAccount {
                id,
                name: tag.account_name(),
                description: tag.to_string(),
                created_at: None,
            });
        }
    }
    let bindings = all.into_iter().enumerate().map(|(number, binding)| ObservedBinding {
        id: format!("rb-{number}").parse().expect("an id"),
        binding,
    });
    let taken_at = "2026-11-22T12:00:00Z".parse().expect("a time");
    Snapshot {
        accounts,
        bindings: bindings.collect(),
        ..Snapshot::new(taken_at, address.clone(), Principal::from_id("u-admin"))
    }
}

/// Desired state for the same departments; with `names` it includes the single names, which are surplus otherwise.
fn expected_principal(address: &StageAddress, department: usize, names: bool) -> ExpectedDepartment {
    let prefix = department_principals(department).prefix;
    let grant = |binding: RoleBinding| {
        let kind = binding.pattern.kind();
        let on = match binding.pattern.name() {
            _ if kind == ResourceKind::ServiceAccount => GrantTarget::Account("runtime".to_owned()),
            NamePattern::Prefixed(begin) if begin == prefix.as_str() => GrantTarget::Prefix(kind),
            NamePattern::Literal(name) => match name.strip_prefix(prefix.as_str()) {
                Some(rest) if names => GrantTarget::Prefixed(kind, NamePattern::Literal(rest.to_owned())),
                _ => return None,
            },
            fixed @ NamePattern::Prefixed(_) => GrantTarget::Fixed(kind, fixed.clone()),
        };
        Some(RoleGrant {
            role: binding.role,
            on,
            fallback: None,
            why: "the bench".to_owned(),
        })
    };
    let personas = (0..PERSONAS.len()).map(|persona| {
        let own = department_bindings(address, department).into_iter();
        let own = own.filter(|binding| binding.principal == account(department, persona));
        ExpectedPersona {
            tag: ownership_tag(department, persona),
            keys: Vec::new(),
            grants: own.filter_map(grant).collect(),
            acls: Vec::new(),
        }
    });
    ExpectedDepartment {
        personas: personas.collect(),
        department: Department {
            code: department_principals(department).code,
            name: format!("Department {department}"),
            prefix: department_principals(department).prefix,
            template: "hybrid".to_owned(),
            cost_center: None,
            contacts: Vec::new(),
            stages: None,
            stage_quotas: std::collections::BTreeMap::new(),
            quota: DepartmentQuota {
                connectors: 5,
                tasks: 8,
                tasks_per_connector: 2,
                plugins: vec!["*".to_owned()],
                throughput: None,
            },
            recipients: Vec::new(),
            retired: None,
            lint_exceptions: Vec::new(),
        },
    }
}

fn desired_state(address: &StageAddress, departments: usize, names: bool) -> DesiredState<'static> {
    DesiredState {
        stage: "prod",
        departments: (0..departments)
            .map(|department| expected_principal(address, department, names))
            .collect(),
        provisioner: Some("sa-provisioner".parse().expect("an id")),
        provisioner_keys: None,
        rejected_records: Vec::new(),
        transform_outside: |_, _| None,
        dead_letter_topics: |_| Vec::new(),
        administrators: ["u-admin".to_owned()].into(),
        adopted: BTreeSet::new(),
        key_statuses: Some(BTreeMap::new()),
        max_key_age: Duration::from_hours(90 * 24),
        previous: None,
        topics_outside: |_, _| Vec::new(),
    }
}

/// All rules, for organizations of several sizes without findings, and for one with seven surplus bindings in ten.
#[expect(clippy::print_stderr, reason = "the counts belong to the figures")]
fn bench_audit_rules(criterion: &mut Criterion) {
    let address = address();
    let mut group = criterion.benchmark_group("audit");
    group.sample_size(20);
    for (departments, clean) in [(50, true), (100, true), (200, true), (400, true), (200, false)] {
        let blueprint = desired_state(&address, departments, clean);
        let seen = snapshot(&address, departments);
        let rulings = audit(&blueprint, &seen);
        let found = rulings
            .iter()
            .flat_map(|ruling| &ruling.findings)
            .filter(|found| AuditFinding::is_problem(found))
            .count();
        let absent = rulings
            .iter()
            .filter(|ruling| ruling.verdict() == AuditVerdict::Absent)
            .count();
        eprintln!(
            "{departments} departments: {} bindings, {} accounts, {} rules, {absent} of them absent, {found} findings",
            seen.bindings.len(),
            seen.accounts.len(),
            rulings.len(),
        );
        assert_eq!(found == 0, clean, "the bench measures the intended operation");
        let name = if clean { "clean" } else { "surplus" };
        group.throughput(Throughput::Elements(seen.bindings.len() as u64));
        group.bench_with_input(BenchmarkId::new(name, departments), &departments, |bencher, _| {
            bencher.iter(|| audit(black_box(&blueprint), black_box(&seen)));
        });
    }
    group.finish();
}

criterion_group!(benches, bench_access, bench_audit_rules);
criterion_main!(benches);
