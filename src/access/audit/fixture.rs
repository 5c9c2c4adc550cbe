//! Organization without drift for the tests of the rules: two departments as in docs/reference/rbac.md#personas, a
//! retired department, the provisioner of docs/reference/rbac.md#roles-of-the-provisioner and an administrator. Each
//! test introduces one deviation and checks the findings.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    DesiredState, ExpectedDepartment, ExpectedPersona, KeyRecordStatus, RejectedKeyRecord, RuleResult,
    TransformOutside, audit, desired_state::MAX_KEY_AGE_DAYS,
};
use crate::model::{
    AclBinding, AclGrant, AclOperation, ApiKeyId, ConnectorIdentity, CrnPattern, Department, DepartmentQuota,
    GrantTarget, KeyKind, NamePattern, ObservedAccount, ObservedBinding, ObservedConnector, ObservedKey, OwnershipTag,
    Prefix, Principal, ResourceKind, Role, RoleBinding, RoleGrant, ServiceAccountId, Snapshot, StageAddress,
    Throughput,
};

const ORG: &str = "crn://confluent.cloud/organization=11111111-2222-3333-4444-555555555555";
const STAGE: &str = "prod";

pub(in crate::access) fn address() -> StageAddress {
    StageAddress {
        organization: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
        environment: "env-abc123".parse().unwrap(),
        cluster: "lkc-abc123".parse().unwrap(),
        schema_registry: Some("lsrc-abc123".parse().unwrap()),
    }
}

/// Expands the notation of the reference: `$O`, `$E`, `$C`, `$K`, `$S`.
pub(in crate::access) fn crn(short: &str) -> CrnPattern {
    let env = format!("{ORG}/environment=env-abc123");
    let cluster = format!("{env}/cloud-cluster=lkc-abc123");
    let text = short
        .replace("$K", &format!("{cluster}/kafka=lkc-abc123"))
        .replace("$S", &format!("{env}/schema-registry=lsrc-abc123"))
        .replace("$C", &cluster)
        .replace("$E", &env)
        .replace("$O", ORG);
    text.parse().unwrap()
}

fn grant(role: &str, on: GrantTarget, why: &str) -> RoleGrant {
    RoleGrant {
        role: role.parse().unwrap(),
        on,
        fallback: (role == "ConnectManager").then_some(Role::DeveloperRead),
        why: why.to_owned(),
    }
}

/// Personas of docs/reference/rbac.md#personas, without the grants that the shipped template omits.
fn personas() -> Vec<(&'static str, Vec<KeyKind>, Vec<RoleGrant>)> {
    use GrantTarget::{Account, Fixed, Prefix};
    use ResourceKind as K;
    let shared = Fixed(K::Group, NamePattern::Prefixed("connect-lcc".into()));
    vec![
        (
            "operator",
            vec![KeyKind::Cloud],
            vec![grant("ConnectManager", Prefix(K::Connector), "day 2")],
        ),
        (
            "deployer",
            vec![KeyKind::Cloud],
            vec![
                grant("ResourceOwner", Prefix(K::Connector), "create and delete"),
                grant("Assigner", Account("runtime".into()), "attach"),
            ],
        ),
        (
            "viewer",
            vec![KeyKind::Cloud],
            vec![grant("DeveloperRead", Prefix(K::Connector), "look")],
        ),
        (
            "runtime",
            Vec::new(),
            vec![
                grant("DeveloperRead", Prefix(K::Topic), "sinks read"),
                grant("DeveloperWrite", Prefix(K::Topic), "sources write"),
                grant("DeveloperRead", shared, "sinks consume"),
                grant("DeveloperRead", Prefix(K::Subject), "converters"),
            ],
        ),
    ]
}

fn tag(stage: &str, department: &str, persona: &str) -> OwnershipTag {
    OwnershipTag {
        stage: stage.to_owned(),
        department: department.parse().unwrap(),
        persona: persona.to_owned(),
        template: "hybrid".to_owned(),
        template_hash: "1a2b3c4d".to_owned(),
        profile_hash: "9f8e7d6c".to_owned(),
    }
}

/// The organization and its desired state.
pub(super) struct Org {
    pub(super) observed: Snapshot,
    pub(super) administrators: BTreeSet<String>,
    pub(super) adopted: BTreeSet<String>,
    pub(super) provisioner: Option<ServiceAccountId>,
    pub(super) provisioner_keys: Option<BTreeSet<String>>,
    pub(super) rejected_records: Vec<RejectedKeyRecord>,
    pub(super) key_statuses: Option<BTreeMap<ApiKeyId, KeyRecordStatus>>,
    pub(super) max_key_age: u16,
    pub(super) previous: Option<Snapshot>,
    departments: Vec<ExpectedDepartment>,
}

impl Org {
    /// Creates an organization without drift, observed by an administrator.
    pub(super) fn clean() -> Self {
        let taken_at: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let mut org = Self {
            observed: Snapshot::new(taken_at, address(), Principal::from_id("u-admin")),
            administrators: ["u-admin".to_owned()].into(),
            adopted: BTreeSet::new(),
            provisioner: "sa-provisioner".parse().ok(),
            provisioner_keys: Some(BTreeSet::new()),
            rejected_records: Vec::new(),
            key_statuses: Some(BTreeMap::new()),
            max_key_age: MAX_KEY_AGE_DAYS,
            previous: None,
            departments: Vec::new(),
        };
        org.bind("u-admin", "OrganizationAdmin", "$O");
        // Source: docs/reference/rbac.md#roles-of-the-provisioner
        org.account("sa-provisioner", "ebs-provisioner");
        org.bind("sa-provisioner", "CloudClusterAdmin", "$C");
        org.bind("sa-provisioner", "ResourceOwner", "$S/subject=*");
        org.account("sa-central", "central-connectors");
        org.department("claims", "claims-").onboard("claims");
        org.department("fraud", "fraud-").onboard("fraud");
        org.department("legacy", "legacy-");
        let legacy = org.expected("legacy");
        legacy.department.retired = Some(jiff::civil::date(2026, 1, 31));
        legacy.personas.clear();
        org
    }

    /// Creates an organization without drift, observed by the provisioner, whose lists are limited by its roles
    /// (docs/assumptions.md, Q6).
    pub(super) fn observed_by_provisioner() -> Self {
        let mut org = Self::clean();
        org.observed.observed_by = Principal::from_id("sa-provisioner");
        org.unbind("u-admin", "$O");
        org
    }

    /// Changes the plugins that a department may use.
    pub(super) fn allow_plugins(&mut self, code: &str, plugins: &[&str]) {
        let plugins = plugins.iter().map(|plugin| (*plugin).to_owned());
        self.expected(code).department.quota.plugins = plugins.collect();
    }

    /// Changes the throughput of a department.
    pub(super) fn limit_throughput(&mut self, code: &str, throughput: Throughput) {
        self.expected(code).department.quota.throughput = Some(throughput);
    }

    fn expected(&mut self, code: &str) -> &mut ExpectedDepartment {
        let mut departments = self.departments.iter_mut();
        departments
            .find(|expected| expected.department.code.as_str() == code)
            .unwrap()
    }

    /// Adds a department file without onboarding the department.
    pub(super) fn department(&mut self, code: &str, prefix: &str) -> &mut Self {
        let department = Department {
            code: code.parse().unwrap(),
            name: code.to_owned(),
            prefix: Prefix::parse(prefix).unwrap(),
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
        };
        let personas = personas().into_iter().map(|(persona, keys, grants)| ExpectedPersona {
            tag: tag(STAGE, code, persona),
            keys,
            grants,
            acls: Vec::new(),
        });
        self.departments.push(ExpectedDepartment {
            department,
            personas: personas.collect(),
        });
        self
    }

    /// Creates all accounts, bindings and keys that the department's template declares.
    fn onboard(&mut self, code: &str) {
        let expected = self.expected(code).clone();
        let id = |persona: &str| format!("sa-{code}-{persona}");
        for persona in &expected.personas {
            let me = id(&persona.tag.persona);
            self.tagged(&me, code, &persona.tag.persona);
            for grant in &persona.grants {
                let account = |persona: &str| id(persona).parse().ok();
                let pattern = grant
                    .on
                    .resolve(&address(), &expected.department.prefix, account)
                    .unwrap();
                self.bind(&me, grant.role.as_str(), &pattern.to_string());
            }
            if !persona.keys.is_empty() {
                let key = format!("KEY{}{}", code.to_uppercase(), persona.tag.persona.to_uppercase());
                self.key(&key, &me, "cloud", 10).record_key(&key);
            }
        }
    }

    /// Adds an unmanaged account.
    pub(super) fn account(&mut self, id: &str, name: &str) -> &mut Self {
        self.observed.accounts.push(ObservedAccount {
            id: id.parse().unwrap(),
            name: name.to_owned(),
            description: String::new(),
            created_at: Some(self.observed.taken_at),
        });
        self
    }

    /// Adds an account with an ownership tag that is owned by the provisioner.
    pub(super) fn tagged(&mut self, id: &str, department: &str, persona: &str) -> &mut Self {
        self.tagged_in(id, STAGE, department, persona)
    }

    pub(super) fn tagged_in(&mut self, id: &str, stage: &str, department: &str, persona: &str) -> &mut Self {
        let tag = tag(stage, department, persona);
        self.account(id, &tag.account_name());
        self.observed.accounts.last_mut().unwrap().description = tag.to_string();
        self.bind("sa-provisioner", "ResourceOwner", &format!("$O/service-account={id}"));
        self
    }

    /// Returns the text of an ownership tag of this stage.
    pub(super) fn tag(department: &str, persona: &str) -> String {
        tag(STAGE, department, persona).to_string()
    }

    /// Adds a grant to a persona of a department's template.
    pub(super) fn grant(&mut self, code: &str, persona: &str, role: &str, on: &str, why: &str) {
        assert_eq!(on, "cluster");
        let cluster = GrantTarget::Fixed(ResourceKind::Cluster, NamePattern::Literal(String::new()));
        let mut personas = self.expected(code).personas.iter_mut();
        let found = personas.find(|found| found.tag.persona == persona).unwrap();
        found.grants.push(grant(role, cluster, why));
    }

    /// Binds a role and returns the binding's id. Creates the service account if it does not exist.
    pub(super) fn bind(&mut self, who: &str, role: &str, on: &str) -> String {
        let known = self.observed.accounts.iter().any(|account| account.id.as_str() == who);
        if who.starts_with("sa-") && !known {
            self.account(who, &format!("name-of-{who}"));
        }
        self.bind_missing_account(who, role, on)
    }

    /// Binds a role without creating the account.
    pub(super) fn bind_missing_account(&mut self, who: &str, role: &str, on: &str) -> String {
        let id = format!("rb-{:04}", self.observed.bindings.len());
        let binding = RoleBinding::new(Principal::from_id(who), role.parse().unwrap(), crn(on));
        self.observed.bindings.push(ObservedBinding {
            id: id.parse().unwrap(),
            binding,
        });
        id
    }

    /// Adds ACLs to a persona of a department's template: `CREATE WRITE topic:dlq-lcc*`.
    pub(super) fn grant_acls(&mut self, code: &str, persona: &str, operations: &[AclOperation], on: &str) {
        let mut personas = self.expected(code).personas.iter_mut();
        let found = personas.find(|found| found.tag.persona == persona).unwrap();
        let on = match on {
            "prefix" => GrantTarget::Prefix(ResourceKind::Topic),
            name => GrantTarget::Fixed(ResourceKind::Topic, NamePattern::parse(name).unwrap()),
        };
        found.acls.push(AclGrant {
            operations: operations.to_vec(),
            on,
            why: "dead letters".to_owned(),
        });
    }

    /// Adds an ACL and returns its text.
    pub(super) fn acl(&mut self, text: &str) -> String {
        let acl: AclBinding = text.parse().unwrap();
        self.observed.acls.push(acl.clone());
        acl.to_string()
    }

    /// Removes the bindings of a principal on a pattern.
    pub(super) fn unbind(&mut self, who: &str, on: &str) {
        let before = self.observed.bindings.len();
        let on = crn(on);
        let meant = |seen: &ObservedBinding| seen.binding.principal.id() == who && seen.binding.pattern == on;
        self.observed.bindings.retain(|seen| !meant(seen));
        assert!(
            self.observed.bindings.len() < before,
            "`{who}` holds no binding on this pattern"
        );
    }

    /// Adds a key that is `days` old.
    pub(super) fn key(&mut self, id: &str, owner: &str, resource: &str, days: i64) -> &mut Self {
        let made = self.observed.taken_at - SignedDuration::from_hours(24 * days);
        self.observed.keys.push(ObservedKey {
            id: id.parse().unwrap(),
            owner: Principal::from_id(owner),
            resource: resource.to_owned(),
            description: String::new(),
            created_at: Some(made),
        });
        self
    }

    /// Marks a key as recorded.
    pub(super) fn record_key(&mut self, id: &str) {
        let keys = self.key_statuses.get_or_insert_default();
        keys.insert(id.parse().unwrap(), KeyRecordStatus::Recorded);
    }

    /// Adds a sink connector that runs under an account.
    pub(super) fn connector(&mut self, name: &str, id: &str, account: &str, topics: &str) {
        self.observed.connectors.push(ObservedConnector {
            name: name.to_owned(),
            id: id.to_owned(),
            class: "S3_SINK".to_owned(),
            identity: Some(ConnectorIdentity::ServiceAccount(account.to_owned())),
            topics: [("topics".to_owned(), topics.to_owned())].into(),
            transforms: Some(BTreeMap::new()),
        });
    }

    pub(super) fn run_audit(&self) -> Vec<RuleResult> {
        let desired = DesiredState {
            stage: STAGE,
            departments: self.departments.clone(),
            provisioner: self.provisioner.clone(),
            provisioner_keys: self.provisioner_keys.clone(),
            administrators: self.administrators.clone(),
            adopted: self.adopted.clone(),
            key_statuses: self.key_statuses.clone(),
            rejected_records: self.rejected_records.clone(),
            max_key_age: Duration::from_hours(24 * u64::from(self.max_key_age)),
            previous: self.previous.as_ref(),
            topics_outside,
            transform_outside,
            dead_letter_topics,
        };
        audit(&desired, &self.observed)
    }

    /// Asserts that a rule finds exactly these subjects, in any order. Findings of other rules are ignored.
    #[track_caller]
    pub(super) fn assert_findings(&self, rule: &str, subjects: &[&str]) -> RuleResult {
        let mut results = self.run_audit().into_iter();
        let result = results.find(|result| result.rule.id == rule).unwrap();
        assert_eq!(
            problem_subjects(&result),
            sorted(subjects),
            "{rule}: {:#?}",
            result.findings
        );
        for found in &result.findings {
            assert!(
                found.finding.severity <= result.rule.severity,
                "a finding of `{rule}` exceeds the severity of the rule"
            );
            let says = found.finding.fix.is_some() || !found.is_problem();
            assert!(says, "a finding of `{rule}` lacks a suggestion: {found:#?}");
        }
        result
    }

    /// Asserts that a rule finds exactly these subjects, and that no other rule finds anything.
    #[track_caller]
    pub(super) fn assert_only_findings(&self, rule: &str, subjects: &[&str]) -> RuleResult {
        for result in self.run_audit().iter().filter(|result| result.rule.id != rule) {
            let found: Vec<_> = result.findings.iter().filter(|found| found.is_problem()).collect();
            assert!(found.is_empty(), "{}: {found:#?}", result.rule.id);
        }
        self.assert_findings(rule, subjects)
    }
}

fn problem_subjects(result: &RuleResult) -> Vec<&str> {
    let counting = result.findings.iter().filter(|found| found.is_problem());
    let mut subjects: Vec<&str> = counting.map(|found| found.subject.as_str()).collect();
    subjects.sort_unstable();
    subjects
}

fn sorted<'a>(subjects: &[&'a str]) -> Vec<&'a str> {
    let mut subjects = subjects.to_vec();
    subjects.sort_unstable();
    subjects
}

/// Simplified form of the catalog's check.
fn transform_outside(connector: &ObservedConnector, prefix: &Prefix) -> Option<TransformOutside> {
    let transforms = connector.transforms.as_ref()?;
    let (key, value) = transforms.iter().find(|(_, value)| !prefix.owns(value))?;
    Some(TransformOutside {
        setting: format!("{key}={value}"),
        is_certain: true,
    })
}

fn dead_letter_topics(connector: &ObservedConnector) -> Vec<(String, String)> {
    let topics = connector.topics.iter().filter(|(key, _)| key.starts_with("errors."));
    topics.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Simplified form of the catalog's check.
fn topics_outside(connector: &ObservedConnector, prefix: &Prefix) -> Vec<String> {
    let named = connector.topics.iter().filter(|(key, _)| !key.starts_with("errors."));
    let topics = named.flat_map(|(key, value)| {
        let names = value.split(',').filter(|name| !prefix.owns(name));
        names.map(move |name| format!("{key}={name}"))
    });
    topics.collect()
}
