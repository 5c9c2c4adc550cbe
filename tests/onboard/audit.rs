//! The audit end to end: in an organization after an onboarding, and in one with every threat of
//! docs/reference/rbac.md#threats, as an administrator and as the provisioner.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use confluent_ebs::{
    model::{AclBinding, CrnPattern, Principal, RoleBinding},
    sandbox::Sandbox,
};
use serde_json::{Value, json};

use crate::common::{
    ApiKeyPair, CLUSTER_CRN, Cli, JsonAccess as _, ORGANIZATION_CRN, account_crn, assert_valid_sarif, sarif_places,
};

const CONNECTORS_PATH: &str = "/connect/v1/environments/env-prod01/clusters/lkc-prod01/connectors";

fn run_audit(cli: &Cli, args: &str, code: i32) -> Value {
    let output = cli.run_without_writes(&format!("access audit {args} -o json"), code);
    output.json()
}

/// Findings as `rule subject`.
fn reported_findings(audited: &Value) -> BTreeSet<String> {
    let rules = audited.items("/rules");
    let findings = rules.iter().flat_map(|rule| rule.items("/findings"));
    let text = |finding: &Value| format!("{} {}", finding.text("/rule"), finding.text("/subject"));
    findings.map(text).collect()
}

fn verdicts(audited: &Value) -> BTreeMap<String, String> {
    let rules = audited.items("/rules");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rules
        .iter()
        .map(|rule| (text(&rule["rule"]), text(&rule["verdict"])))
        .collect()
}

// Issue: "`access audit` on the example platform is clean".
#[test]
fn the_audit_of_the_example_platform_has_no_findings() {
    let cli = Cli::onboarded("--all");
    let audited = run_audit(&cli, "--sandbox-as admin", 0);
    assert_eq!(reported_findings(&audited), BTreeSet::new());
    for (rule, verdict) in verdicts(&audited) {
        assert_eq!(verdict, "absent", "{rule}");
    }
    assert_eq!(audited["counts"]["errors"], 0);
    run_audit(&cli, "--sandbox-as admin --strict", 0);
    run_audit(&cli, "--sandbox", 0);
    // With `--strict`, unknown data counts.
    run_audit(&cli, "--sandbox --strict", 5);
    let human = cli.run("access audit --sandbox-as admin").expect_success();
    assert!(human.stdout_line().contains("no errors and no warnings"), "{human}");
}

/// Writes an evidence file like those of `claims`, which names `key` as that of a persona.
fn forge_evidence(cli: &Cli, name: &str, key: &str, persona: &str) {
    let folder = cli.state_dir().join("evidence");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let genuine = files
        .iter()
        .find(|path| path.file_name().unwrap().to_string_lossy().starts_with("claims-"));
    let mut evidence: Value = serde_json::from_str(&fs::read_to_string(genuine.unwrap()).unwrap()).unwrap();
    let account = format!("ebs-prod-claims-{persona}");
    evidence["keys"] = json!([{ "id": key, "account": account, "persona": persona, "handed_over": true }]);
    fs::write(folder.join(name), evidence.to_string()).unwrap();
}

// A thief of the provisioner's key creates its successor.
#[test]
fn a_second_key_of_the_provisioner_is_an_error() {
    let cli = Cli::onboarded("claims");
    let info = cli.sandbox().info(false).unwrap();
    let admin = cli.admin_key();
    let cloud = cli.create_key(&admin, &info.provisioner, "cloud").id;
    let kafka = cli.create_key(&admin, &info.provisioner, "lkc-prod01").id;
    let expected: BTreeSet<String> = [&cloud, &kafka].map(|key| format!("unrecorded-key {key}")).into();
    assert_eq!(reported_findings(&run_audit(&cli, "--sandbox-as admin", 5)), expected);
    let platform = include_str!("../../examples/platform/ebs.toml");
    cli.write(
        "ebs.toml",
        format!("provisioner_keys = [\"{cloud}\", \"{kafka}\"]\n{platform}"),
    );
    // Without the files of the departments, their accounts are orphans.
    let listed = reported_findings(&run_audit(&cli, "--sandbox-as admin", 5));
    assert!(
        listed.iter().all(|found| !found.starts_with("unrecorded-key")),
        "{listed:?}"
    );
}

// Evidence is made to be committed, so everyone who may change the repository can add a file.
#[test]
fn forged_evidence_records_no_key() {
    let cli = Cli::onboarded("claims");
    let operator = cli.account_id("ebs-prod-claims-operator");
    let key = cli.create_key(&cli.admin_key(), &operator, "cloud").id;
    forge_evidence(&cli, "forged.json", &key, "viewer");
    let expected = [
        format!("invalid-key-record {key} forged.json"),
        format!("unrecorded-key {key}"),
    ];
    assert_eq!(
        reported_findings(&run_audit(&cli, "--sandbox-as admin", 5)),
        expected.into()
    );
    let refused = cli.run_without_writes("onboard claims --sandbox --yes", 5);
    assert!(refused.stderr.contains(&key), "{refused}");
}

// Terraform provider issue 356: people give CloudClusterAdmin to the accounts of applications.
#[test]
fn a_second_cluster_administrator_is_a_warning_and_does_not_stop_the_audit() {
    let cli = Cli::onboarded("claims");
    let admin = cli.admin_key();
    let body = json!({ "display_name": "orders-application", "description": "" });
    let account = cli.send_ok(&admin, "POST", "/iam/v2/service-accounts", Some(body));
    let binding = cli.bind(&admin, account.text("/id"), "CloudClusterAdmin", CLUSTER_CRN);
    for who in ["--sandbox-as admin", "--sandbox"] {
        let audited = run_audit(&cli, who, 5);
        let found = reported_findings(&audited);
        assert_eq!(found, [format!("unnamed-administrator {binding}")].into(), "{who}");
        assert_eq!(audited["counts"]["warnings"], 1);
        let mut information = audited.items("/information").iter();
        assert!(
            information.all(|finding| finding["rule"] != "unnamed-administrator"),
            "{audited:#}"
        );
    }
}

/// An organization with departments claims, fraud, motor and legacy, which is off-boarded, and the planted threats.
struct ThreatenedOrganization {
    cli: Cli,
    admin: ApiKeyPair,
    expected_findings: BTreeSet<String>,
    /// Role of a deleted account.
    dangling_binding: String,
}

fn department_file(name: &str, more: &str) -> String {
    format!("name = \"{name}\"\nprefix = \"{name}-\"\n{more}[quota]\nconnectors = 9\ntasks = 9\nplugins = [\"*\"]\n")
}

impl ThreatenedOrganization {
    fn onboarded() -> Self {
        let cli = Cli::new();
        let platform = include_str!("../../examples/platform/ebs.toml");
        cli.write("ebs.toml", platform);
        cli.write(
            "rbac-templates/hybrid.toml",
            include_str!("../../examples/templates/hybrid.toml"),
        );
        for name in ["claims", "fraud", "motor", "ghost"] {
            let mut text = department_file(name, "");
            if name == "motor" {
                text = text.replace("\"*\"", "\"S3_SINK\"");
            }
            cli.write(format!("departments/{name}.toml"), text);
        }
        cli.write(
            "departments/legacy.toml",
            department_file("legacy", "retired = 2026-01-31\n"),
        );
        // Grants of others on an account remain after its deletion: docs/assumptions.md, Q12.
        cli.run("sandbox reset --yes --set assumptions.account_deletion_removes_bindings=false")
            .expect_success();
        cli.run("onboard claims --sandbox --yes").expect_success();
        cli.run("sandbox clock advance 2184h").expect_success();
        cli.run("onboard fraud motor ghost --sandbox --yes").expect_success();
        let admin = cli.admin_key();
        Self {
            cli,
            admin,
            expected_findings: BTreeSet::new(),
            dangling_binding: String::new(),
        }
    }

    fn expect_finding(&mut self, rule: &str, subject: &str) {
        assert!(
            self.expected_findings.insert(format!("{rule} {subject}")),
            "{rule} {subject} is planted twice"
        );
    }

    fn account_id(&self, department: &str, persona: &str) -> String {
        self.cli.account_id(&format!("ebs-prod-{department}-{persona}"))
    }

    /// A role of one of the departments' accounts, bound by the administrator.
    fn create_binding(&mut self, rule: &str, who: &str, role: &str, on: &str) {
        let id = self.cli.bind(&self.admin, who, role, on);
        self.expect_finding(rule, &id);
    }

    fn create_account(&self, key: &ApiKeyPair, name: &str, description: &str, owner: &str) -> String {
        let body = json!({ "display_name": name, "description": description });
        let target = format!("/iam/v2/service-accounts?assigned_resource_owner={owner}");
        let answer = self.cli.send_ok(key, "POST", &target, Some(body));
        answer.text("/id").to_owned()
    }

    /// A key with a description.
    fn create_key_with_description(&self, owner: &str, resource: &str, description: &str) -> String {
        let spec = json!({ "owner": { "id": owner }, "resource": { "id": resource }, "description": description });
        let answer = self
            .cli
            .send_ok(&self.admin, "POST", "/iam/v2/api-keys", Some(json!({ "spec": spec })));
        answer.text("/id").to_owned()
    }

    fn create_connector(&self, name: &str, runtime: &str, topic: &str) {
        self.create_connector_with(name, runtime, topic, &[]);
    }

    fn create_connector_with(&self, name: &str, runtime: &str, topic: &str, more: &[(&str, &str)]) {
        let mut config = json!({
            "name": name, "connector.class": "DatagenSource", "tasks.max": "1", "kafka.topic": topic,
            "quickstart": "ORDERS", "output.data.format": "JSON",
            "kafka.auth.mode": "SERVICE_ACCOUNT", "kafka.service.account.id": runtime,
        });
        for (key, value) in more {
            config[*key] = json!(value);
        }
        let body = json!({ "name": name, "config": config });
        self.cli.send_ok(&self.admin, "POST", CONNECTORS_PATH, Some(body));
    }

    /// An ACL, created with the provisioner's key of the cluster.
    fn create_acl(&mut self, what: &str, who: &str, says: &str) {
        let acl = format!("{what}#User:{who}#*#{says}");
        self.cli.create_acl(&acl);
        self.expect_finding("unmanaged-acl", &acl);
    }

    /// A role binding that the sandbox's API would refuse.
    fn insert_binding(&mut self, rule: &str, who: &str, role: &str, on: &str) -> String {
        let sandbox: Sandbox = self.cli.sandbox();
        let pattern: CrnPattern = on.parse().unwrap();
        let binding = RoleBinding::new(Principal::from_id(who), role.parse().unwrap(), pattern);
        let id = sandbox.insert_binding(binding).unwrap().to_string();
        self.expect_finding(rule, &id);
        id
    }
}

/// Every detectable threat of docs/reference/rbac.md#threats, at least once.
fn organization_with_every_threat() -> ThreatenedOrganization {
    let mut dirty = ThreatenedOrganization::onboarded();
    let environment = format!("{ORGANIZATION_CRN}/environment=env-prod01");
    let topics = format!("{CLUSTER_CRN}/kafka=lkc-prod01");
    let subjects = format!("{environment}/schema-registry=lsrc-prod01");
    let contractor = dirty.create_account(&dirty.admin, "contractor", "", "");
    let (claims, fraud, motor) = ("claims", "fraud", "motor");

    // T1: a department without a file still has roles on names within claims.
    let ghost = dirty.account_id("ghost", "operator");
    dirty.cli.bind(
        &dirty.admin,
        &ghost,
        "ConnectManager",
        &format!("{CLUSTER_CRN}/connector=claims-eu-*"),
    );
    dirty.expect_finding("prefix-overlap", "ghost claims-eu-*");
    // T2.
    let operator = dirty.account_id(fraud, "operator");
    dirty.create_binding(
        "overbroad-binding",
        &operator,
        "DeveloperRead",
        &format!("{topics}/topic=*"),
    );
    let viewer = dirty.account_id(motor, "viewer");
    dirty.create_binding("overbroad-binding", &viewer, "Operator", CLUSTER_CRN);
    // T3: the deployer of claims shares its connectors, with its own key.
    let deployer = dirty.cli.profile_key("claims-deployer");
    let shared = format!("{CLUSTER_CRN}/connector=claims-*");
    let id = dirty.cli.bind(&deployer, &operator, "ConnectManager", &shared);
    dirty.expect_finding("third-party-grant", &id);
    let id = dirty.cli.bind(
        &deployer,
        &contractor,
        "ResourceOwner",
        &format!("{CLUSTER_CRN}/connector=claims-orders"),
    );
    dirty.expect_finding("third-party-grant", &id);
    // T3: more and less than the template grants.
    let own = dirty.account_id(claims, "operator");
    dirty.create_binding(
        "template-drift",
        &own,
        "DeveloperRead",
        &format!("{topics}/topic=claims-*"),
    );
    let bindings = dirty.cli.sandbox().bindings().unwrap();
    let on_own = |object: &&confluent_ebs::api::mds::RoleBindingObject| {
        object.binding.principal.id() == viewer && object.binding.pattern.to_string().ends_with("/connector=motor-*")
    };
    let missing = bindings.iter().find(on_own).unwrap().id.to_string();
    dirty.cli.send_ok(
        &dirty.admin,
        "DELETE",
        &format!("/iam/v2/role-bindings/{missing}"),
        None,
    );
    dirty.expect_finding(
        "template-drift",
        "ebs-prod-motor-viewer DeveloperRead connector:{prefix}*",
    );
    // T4: the deployer of fraud creates an account; the deployer of claims creates accounts that imitate managed ones.
    let fraudster = dirty.cli.profile_key("fraud-deployer");
    let me = dirty.account_id(fraud, "deployer");
    let fresh_account = dirty.create_account(&fraudster, "innocent", "", &me);
    dirty.expect_finding("unmanaged-account", &fresh_account);
    let me = dirty.account_id(claims, "deployer");
    let squatted = dirty.create_account(&deployer, "ebs-prod-travel-operator", "made by hand", &me);
    dirty.expect_finding("impersonating-account", &squatted);
    dirty.expect_finding("unmanaged-account", &squatted);
    let tag = "ebs:v1 stage=prod dept=motor role=operator tpl=hybrid@00000000 cfg=00000000";
    let mimic = dirty.create_account(&deployer, "mimic", tag, &me);
    dirty.expect_finding("impersonating-account", &mimic);
    dirty.expect_finding("unmanaged-account", &mimic);
    let upper = dirty.create_account(&dirty.admin, "EBS-prod-claims-operator", "", "");
    dirty.expect_finding("lookalike-name", &upper);
    dirty.cli.bind(&dirty.admin, &me, "Assigner", &account_crn(&operator));
    dirty.expect_finding("impersonating-account", &operator);
    // T5: claims becomes the owner of its runtime account, and creates a key for it.
    let runtime = dirty.account_id(claims, "runtime");
    dirty.create_binding("runtime-owner", &me, "ResourceOwner", &account_crn(&runtime));
    let key = dirty.cli.create_key(&deployer, &runtime, "lkc-prod01");
    dirty.expect_finding("runtime-key", &key.id);
    // T6 and T8.
    dirty.create_connector("motor-spy", &dirty.account_id(motor, "runtime"), "claims-orders");
    dirty.expect_finding("connector-topic", "motor-spy");
    dirty.expect_finding("plugin-not-allowed", "motor-spy");
    let router = [
        ("transforms", "router"),
        (
            "transforms.router.type",
            "org.apache.kafka.connect.transforms.RegexRouter",
        ),
        ("transforms.router.regex", "claims-(.*)"),
        ("transforms.router.replacement", "fraud-$1"),
    ];
    dirty.create_connector_with("claims-router", &runtime, "claims-orders", &router);
    dirty.expect_finding("connector-transform", "claims-router");
    let dead_letters = [("errors.deadletterqueue.topic.name", "claims-dlq")];
    dirty.create_connector_with(
        "fraud-dead",
        &dirty.account_id(fraud, "runtime"),
        "fraud-cases",
        &dead_letters,
    );
    dirty.expect_finding("foreign-dead-letters", "fraud-dead errors.deadletterqueue.topic.name");
    let provisioner = dirty.cli.sandbox().info(false).unwrap().provisioner;
    dirty.create_connector("export-all", &provisioner, "anything");
    dirty.expect_finding("privileged-connector", "export-all");
    dirty.create_connector("fraud-squatted", &dirty.account_id(motor, "runtime"), "fraud-cases");
    dirty.expect_finding("connector-identity", "fraud-squatted");
    // T7.
    let motorist = dirty.account_id(motor, "operator");
    dirty.create_binding(
        "shared-namespace",
        &motorist,
        "DeveloperRead",
        &format!("{topics}/topic=dlq-lcc*"),
    );
    // T10.
    dirty.create_binding(
        "registry-wide",
        &viewer,
        "DeveloperRead",
        &format!("{subjects}/subject=*"),
    );
    dirty.insert_binding("registry-wide", "u-eve", "ResourceOwner", &subjects);
    // T11: old, orphaned, unrecorded, excess and user keys.
    for persona in ["operator", "deployer", "viewer"] {
        let key = dirty.cli.profile_key(&format!("claims-{persona}"));
        dirty.expect_finding("key-age", &key.id);
    }
    let unknown = dirty.create_key_with_description(&motorist, "cloud", "by hand");
    dirty.expect_finding("unrecorded-key", &unknown);
    // Evidence of another persona does not record it.
    forge_evidence(&dirty.cli, "forged.json", &unknown, "viewer");
    dirty.expect_finding("invalid-key-record", &format!("{unknown} forged.json"));
    // The keys that the sandbox starts with are as old as the departments' keys.
    let info = dirty.cli.sandbox().info(false).unwrap();
    let stages = info.stages.iter().map(|stage| stage.provisioner_kafka_key.clone());
    for key in stages.chain([info.provisioner_key.clone(), info.admin_key.clone()]) {
        dirty.expect_finding("key-age", &key);
    }
    let spare_provisioner_key = dirty.create_key_with_description(&info.provisioner, "lkc-prod01", "");
    dirty.expect_finding("unrecorded-key", &spare_provisioner_key);
    let robot = dirty.create_account(&dirty.admin, "robot", "", "");
    let robot_key = dirty.create_key_with_description(&robot, "lkc-prod01", "");
    dirty.expect_finding("administrator-key", &robot_key);
    let new = "ebs:v1 stage=prod dept=fraud role=viewer state=new run=0badcafe";
    let orphan = dirty.create_key_with_description(&dirty.account_id(fraud, "viewer"), "cloud", new);
    dirty.expect_finding("orphaned-key", &orphan);
    let spare =
        [1, 2].map(|_| dirty.create_key_with_description(&dirty.account_id(fraud, "deployer"), "cloud", "agreed"));
    let many = format!("{} cloud", dirty.account_id(fraud, "deployer"));
    dirty.expect_finding("key-count", &many);
    let administrator = dirty.cli.sandbox().info(false).unwrap().admin;
    let personal = dirty.create_key_with_description(&administrator, "lkc-prod01", "mine");
    dirty.expect_finding("user-key", &personal);
    // T11: roles of deleted accounts, and on deleted accounts.
    let gone = dirty.create_account(&dirty.admin, "short-lived", "", "");
    dirty.create_binding("dangling-binding", &contractor, "Assigner", &account_crn(&gone));
    dirty.cli.send_ok(
        &dirty.admin,
        "DELETE",
        &format!("/iam/v2/service-accounts/{gone}"),
        None,
    );
    // Docs `access-control/acls/overview`: ACLs of a deleted account remain, with a numeric principal.
    let leaver = dirty.create_account(&dirty.admin, "leaver", "", "");
    dirty
        .cli
        .create_acl(&format!("TOPIC#fraud-cases#LITERAL#User:{leaver}#*#READ#ALLOW"));
    dirty.cli.send_ok(
        &dirty.admin,
        "DELETE",
        &format!("/iam/v2/service-accounts/{leaver}"),
        None,
    );
    let listed = dirty.cli.acls();
    let left = listed.iter().find(|acl| acl.starts_with("TOPIC#fraud-cases#")).unwrap();
    assert!(!left.contains(&leaver), "{left}");
    dirty.expect_finding("unmanaged-acl", left);
    dirty.dangling_binding = dirty.insert_binding(
        "dangling-binding",
        "sa-gone",
        "DeveloperRead",
        &format!("{topics}/topic=motor-*"),
    );
    // T14: ACLs outside the prefix and for `User:*`; ACLs of the template, and missing ones.
    dirty.create_acl("TOPIC#claims-#PREFIXED", "*", "READ#ALLOW");
    dirty.create_acl("TOPIC#claims-orders#LITERAL", &operator, "READ#ALLOW");
    dirty.create_acl("TOPIC#motor-#PREFIXED", &viewer, "READ#ALLOW");
    let writer = dirty.account_id(motor, "runtime");
    dirty.create_acl("TOPIC#dlq-lcc#PREFIXED", &writer, "READ#ALLOW");
    dirty.create_acl("GROUP#fraud-#PREFIXED", &contractor, "READ#ALLOW");
    dirty.create_acl("CLUSTER#kafka-cluster#LITERAL", &contractor, "ALTER#ALLOW");
    let lacks = format!("TOPIC#error-lcc#PREFIXED#User:{writer}#*#WRITE#ALLOW");
    let lacks: AclBinding = lacks.parse().unwrap();
    dirty.cli.delete_acl(&lacks);
    dirty.expect_finding(
        "template-drift",
        &format!("ebs-prod-motor-runtime {}", lacks.to_short_string()),
    );
    // T15.
    dirty.create_binding(
        "retired-prefix",
        &contractor,
        "DeveloperRead",
        &format!("{topics}/topic=legacy-*"),
    );
    fs::remove_file(dirty.cli.path("departments/ghost.toml")).unwrap();
    dirty.expect_finding("orphan-department", "ghost");
    // T16 and T17.
    dirty.insert_binding("group-mapping", "group-sso", "DataDiscovery", &environment);
    dirty.insert_binding("unnamed-administrator", "u-eve", "EnvironmentAdmin", &environment);
    dirty.insert_binding(
        "unknown-resource-kind",
        "u-eve",
        "FlinkAdmin",
        &format!("{environment}/compute-pool=lfcp-1"),
    );
    let named = format!(
        "administrators = [\"{administrator}-deputy\", \"{robot}\"]\nadopt = [\"{}\", \"{}\"]\n",
        spare[0], spare[1]
    );
    let platform = include_str!("../../examples/platform/ebs.toml");
    dirty.cli.write("ebs.toml", named + platform);
    let all = dirty.cli.sandbox().bindings().unwrap();
    let organization = all
        .iter()
        .find(|object| object.binding.pattern.to_string() == ORGANIZATION_CRN);
    let organization = organization.unwrap().id.to_string();
    dirty.expect_finding("unnamed-administrator", &organization);
    // So that the orphaned key belongs to no run that could still be active.
    dirty.cli.run("sandbox clock advance 10m").expect_success();
    dirty
}

/// Worst severity of the planted threats per rule, and their subject: the holder or the affected department.
const EXPECTED_RULES: &[(&str, &str, &str)] = &[
    ("connector-identity", "error", "fraud motor"),
    ("connector-topic", "error", "motor"),
    ("dangling-binding", "warning", "motor"),
    ("impersonating-account", "error", "fraud motor"),
    ("third-party-grant", "error", "claims fraud"),
    ("administrator-key", "warning", ""),
    ("connector-transform", "error", "claims"),
    ("foreign-dead-letters", "error", "claims fraud"),
    ("invalid-key-record", "error", ""),
    ("lookalike-name", "error", ""),
    ("plugin-not-allowed", "error", "motor"),
    ("privileged-connector", "error", ""),
    ("unknown-resource-kind", "warning", ""),
    ("group-mapping", "warning", ""),
    ("key-age", "warning", "claims"),
    ("key-count", "warning", "fraud"),
    ("orphan-department", "warning", ""),
    ("orphaned-key", "warning", "fraud"),
    ("prefix-overlap", "error", "claims"),
    ("registry-wide", "error", "motor"),
    ("retired-prefix", "warning", "legacy"),
    ("runtime-key", "error", "claims"),
    ("runtime-owner", "error", "claims"),
    ("unmanaged-account", "error", "claims fraud"),
    ("shared-namespace", "error", "motor"),
    ("unmanaged-acl", "error", "claims fraud motor"),
    ("template-drift", "warning", "claims motor"),
    ("unnamed-administrator", "warning", ""),
    ("unrecorded-key", "error", "motor"),
    ("user-key", "warning", ""),
    ("overbroad-binding", "error", "claims fraud legacy motor"),
];

// Issue: "as administrator it finds every planted threat and nothing else".
#[test]
fn the_administrator_audit_finds_exactly_the_inserted_threats() {
    let dirty = organization_with_every_threat();
    let audited = run_audit(&dirty.cli, "--sandbox-as admin", 5);
    let found = reported_findings(&audited);
    let missed: Vec<_> = dirty.expected_findings.difference(&found).collect();
    let more: Vec<_> = found.difference(&dirty.expected_findings).collect();
    assert!(
        missed.is_empty() && more.is_empty(),
        "missed {missed:#?}\nmore {more:#?}\n{audited:#}"
    );
    let rules = audited.items("/rules");
    let mut said: BTreeMap<&str, (&str, BTreeSet<&str>)> = BTreeMap::new();
    for finding in rules.iter().flat_map(|rule| rule.items("/findings")) {
        let text = |field: &str| finding[field].as_str().unwrap();
        assert!(!text("fix").is_empty(), "{finding}");
        assert!(!finding.items("/evidence").is_empty(), "{finding}");
        let (worst, about) = said.entry(text("rule")).or_insert(("warning", BTreeSet::new()));
        if text("severity") == "error" {
            *worst = "error";
        }
        about.extend(finding.items("/departments").iter().filter_map(Value::as_str));
    }
    for (rule, worst, about) in EXPECTED_RULES {
        let about: BTreeSet<&str> = about.split_whitespace().collect();
        assert_eq!(said.remove(rule), Some((*worst, about)), "{rule}");
    }
    assert!(said.is_empty(), "{said:?}");
    // Every rule has a finding here, except the one whose findings `client_quotas` tests.
    for (rule, verdict) in verdicts(&audited) {
        if rule == "client-quota" {
            continue;
        }
        assert_eq!(verdict, "present", "{rule}");
    }
}

// SARIF 2.1.0 (OASIS), section 3.27.12: a result without a location is about the whole analysis; code scanning of GitHub
// does not show it (docs.github.com, "SARIF support for code scanning", `locations[]`: required).
#[test]
fn every_finding_of_the_audit_in_sarif_names_its_file() {
    let dirty = organization_with_every_threat();
    let audited = run_audit(&dirty.cli, "--sandbox-as admin", 5);
    let output = dirty.cli.run("access audit --sandbox-as admin -o sarif").expect_code(5);
    let log = output.json();
    assert_valid_sarif(&log);
    let places = sarif_places(&log);
    let rules = audited.items("/rules");
    let expected = rules.iter().flat_map(|rule| rule.items("/findings")).map(|finding| {
        let departments = finding.items("/departments");
        let file = match departments {
            [only] => format!("departments/{}.toml", only.as_str().unwrap()),
            _ => "ebs.toml".to_owned(),
        };
        (finding.text("/rule").to_owned(), file)
    });
    assert_eq!(places, expected.collect::<Vec<_>>());
    for file in ["departments/claims.toml", "ebs.toml"] {
        assert!(places.iter().any(|(_, place)| place == file), "{file}: {places:?}");
    }
    // The built-in example has no files, and an audit without findings no results.
    let clean = Cli::onboarded("claims");
    let log = clean
        .run("access audit --sandbox-as admin -o sarif")
        .expect_success()
        .json();
    assert_valid_sarif(&log);
    assert_eq!(sarif_places(&log), []);
}

// T12: ACLs need a key of the cluster (docs/reference/rbac.md#credentials-by-api); without one, the report has no
// results about them, and all other results are unchanged.
#[test]
fn without_a_kafka_key_only_acl_findings_are_unknown() {
    let dirty = organization_with_every_threat();
    let with = run_audit(&dirty.cli, "--sandbox", 5);
    dirty.cli.write_profile_with_key(&dirty.cli.provisioner_key());
    let without = run_audit(&dirty.cli, "--profile other.toml", 5);
    let about_acls = |one: &String| one.starts_with("unmanaged-acl ") || one.contains(" ALLOW ");
    let (acls, rest): (BTreeSet<_>, BTreeSet<_>) = reported_findings(&with).into_iter().partition(about_acls);
    let planted: BTreeSet<_> = dirty
        .expected_findings
        .iter()
        .filter(|one| about_acls(one))
        .cloned()
        .collect();
    assert_eq!(acls, planted);
    assert_eq!(reported_findings(&without), rest);
    assert_eq!(verdicts(&without)["unmanaged-acl"], "unknown");
    let rules = without.items("/rules");
    for rule in ["unmanaged-acl", "template-drift"] {
        let row = rules.iter().find(|row| row["rule"] == rule).unwrap();
        let unknown = row["unknown"].to_string();
        assert!(unknown.contains("no API key of Kafka cluster"), "{rule}: {unknown}");
    }
}

// T12: data that the provisioner of docs/reference/rbac.md#roles-of-the-provisioner cannot list must not be absent.
#[test]
fn the_provisioner_audit_reports_visible_threats_and_marks_the_rest_unknown() {
    let dirty = organization_with_every_threat();
    let audited = run_audit(&dirty.cli, "--sandbox", 5);
    let found = reported_findings(&audited);
    // It cannot know that the holder of a role on a prefix was deleted.
    let more: Vec<_> = found.difference(&dirty.expected_findings).cloned().collect();
    assert_eq!(more, [format!("third-party-grant {}", dirty.dangling_binding)]);
    let verdicts = verdicts(&audited);
    let rules = audited.items("/rules");
    for missed in dirty.expected_findings.difference(&found) {
        let (rule, _) = missed.split_once(' ').unwrap();
        let row = rules.iter().find(|row| row["rule"] == rule).unwrap();
        assert!(
            !row.items("/unknown").is_empty(),
            "{missed} is missed, and nothing is unknown"
        );
        assert_ne!(verdicts[rule], "absent", "{missed}");
    }
    // It cannot list bindings on the organization, the environment and accounts of others, nor keys of users.
    let administrator_key = dirty.cli.sandbox().info(false).unwrap().admin_key;
    for rule in [
        "unmanaged-account",
        "group-mapping",
        "unnamed-administrator",
        "user-key",
        "dangling-binding",
    ] {
        assert_eq!(verdicts[rule], "unknown", "{rule}");
    }
    for rule in [
        "third-party-grant",
        "runtime-key",
        "unrecorded-key",
        "connector-topic",
        "connector-identity",
        "key-age",
    ] {
        let hidden = [&dirty.dangling_binding, &administrator_key];
        let all = |one: &&String| {
            one.starts_with(&format!("{rule} ")) && !hidden.iter().any(|hidden| one.ends_with(hidden.as_str()))
        };
        let expected: Vec<_> = dirty.expected_findings.iter().filter(all).collect();
        assert_eq!(found.iter().filter(all).collect::<Vec<_>>(), expected, "{rule}");
    }
}

// The same answer without a key, and for one department only.
#[test]
fn an_audit_of_a_saved_snapshot_equals_the_live_audit() {
    let dirty = organization_with_every_threat();
    let cli = &dirty.cli;
    let live = run_audit(cli, "--sandbox-as admin --save seen.json", 5);
    let before = cli.sandbox().journal().unwrap().len();
    let saved = run_audit(cli, "--sandbox --from seen.json", 5);
    assert_eq!(cli.sandbox().journal().unwrap().len(), before, "no request was sent");
    assert_eq!(reported_findings(&live), reported_findings(&saved));
    assert_eq!(live["counts"], saved["counts"]);
    assert!(!cli.read("seen.json").contains("\"secret\""));

    let motor = reported_findings(&run_audit(cli, "motor --sandbox --from seen.json", 5));
    assert!(motor.is_subset(&dirty.expected_findings) && motor.len() < dirty.expected_findings.len());
    assert!(motor.contains("connector-topic motor-spy"), "{motor:?}");
    assert!(
        motor.iter().all(|found| !found.starts_with("group-mapping")),
        "{motor:?}"
    );
    let unknown = cli.run("access audit mottor --sandbox --from seen.json").expect_code(1);
    assert!(unknown.stderr.contains("Did you mean `motor`?"), "{unknown}");

    // A new, unrecorded key.
    let newcomer = dirty.create_account(&dirty.admin, "newcomer", "", "");
    let audited = run_audit(cli, "--sandbox-as admin --compare-to seen.json", 5);
    let new: Vec<_> = reported_findings(&audited)
        .difference(&dirty.expected_findings)
        .cloned()
        .collect();
    assert_eq!(new, [format!("unmanaged-account {newcomer}")]);
}

#[test]
fn baseline_findings_do_not_count_until_they_expire_or_disappear() {
    let dirty = organization_with_every_threat();
    let cli = &dirty.cli;
    run_audit(cli, "--sandbox-as admin --write-baseline accepted.toml", 5);
    let draft = cli
        .run("access audit --sandbox-as admin --baseline accepted.toml")
        .expect_code(1);
    assert!(draft.stderr.contains("has no reason"), "{draft}");
    let text = cli
        .read("accepted.toml")
        .replace("reason = \"\"", "reason = \"agreed\"");
    cli.write("accepted.toml", &text);
    let accepted = run_audit(cli, "--sandbox-as admin --baseline accepted.toml", 0);
    assert_eq!(reported_findings(&accepted), BTreeSet::new());
    assert_eq!(accepted.items("/accepted").len(), dirty.expected_findings.len());
    assert_eq!(accepted["accepted"][0]["reason"], "agreed");

    // One finding is expired, one is fixed, one is new.
    let key = dirty.cli.profile_key("claims-operator").id;
    let (before, after) = text.split_once(&format!("subject = \"{key}\"")).unwrap();
    let after = after.replacen("until = 20", "until = 19", 1);
    cli.write("accepted.toml", format!("{before}subject = \"{key}\"{after}"));
    cli.send_ok(&dirty.admin, "DELETE", &format!("{CONNECTORS_PATH}/motor-spy"), None);
    let topic = format!("{CLUSTER_CRN}/kafka=lkc-prod01/topic=claims-*");
    let new = cli.bind(
        &dirty.admin,
        &dirty.account_id("fraud", "viewer"),
        "DeveloperRead",
        &topic,
    );
    let audited = run_audit(cli, "--sandbox-as admin --baseline accepted.toml", 5);
    assert_eq!(
        reported_findings(&audited),
        [format!("key-age {key}"), format!("third-party-grant {new}")].into()
    );
    let about: Vec<_> = audited
        .items("/acceptances")
        .iter()
        .map(|f| f["rule"].clone())
        .collect();
    // Two rules found the deleted connector.
    assert_eq!(about, ["baseline-expired", "baseline-unused", "baseline-unused"]);
    let human = cli
        .run("access audit --sandbox-as admin --baseline accepted.toml")
        .expect_code(5);
    assert!(
        human.stdout.contains("accepted.toml:"),
        "the position is printed\n{human}"
    );
    // The provisioner cannot list the accepted data, and therefore cannot report it as fixed.
    let audited = run_audit(cli, "--sandbox --baseline accepted.toml", 5);
    let about = audited.items("/acceptances");
    assert!(
        about
            .iter()
            .all(|finding| !finding.text("/message").contains("unnamed-administrator"))
    );
}

#[test]
fn audit_fix_removes_managed_resources_and_keeps_foreign_ones() {
    let dirty = organization_with_every_threat();
    let cli = &dirty.cli;
    let before = cli.provisioned_state();
    let acls = cli.acls();
    let planned = cli.run_without_writes("access audit --sandbox --fix --dry-run", 5);
    assert!(planned.stdout.contains("DeveloperRead"), "{planned}");
    let refused = cli.run_without_writes("access audit --sandbox --fix", 64);
    assert!(refused.stderr.contains("--yes"), "{refused}");
    let output = cli.run("access audit --sandbox --fix --yes -o json").expect_code(5);
    let audited: Value = output.json();
    let after = cli.provisioned_state();
    // Nothing was created, and no grant of others was removed.
    assert_eq!(after.accounts, before.accounts);
    let gone: Vec<_> = before
        .bindings
        .iter()
        .filter(|one| !after.bindings.contains(one))
        .collect();
    assert!(after.bindings.iter().all(|one| before.bindings.contains(one)));
    let ours = |one: &&&String| one.contains("User:ebs-prod-");
    assert_eq!(gone.iter().filter(ours).count(), gone.len(), "{gone:#?}");
    assert!(!gone.is_empty(), "{audited:#}");
    // Claims controlled the operator of fraud, so it was not managed; now it is.
    let output = cli.run("access audit --sandbox --fix --yes -o json").expect_code(5);
    let left = reported_findings(&output.json());
    // Only surplus ACLs of managed accounts.
    let left_acls = cli.acls();
    let mut gone = acls;
    gone.retain(|acl| !left_acls.contains(acl));
    assert_eq!(
        gone,
        [
            "TOPIC#claims-orders#LITERAL#User:ebs-prod-fraud-operator#*#READ#ALLOW",
            "TOPIC#dlq-lcc#PREFIXED#User:ebs-prod-motor-runtime#*#READ#ALLOW",
            "TOPIC#motor-#PREFIXED#User:ebs-prod-motor-viewer#*#READ#ALLOW",
        ]
    );
    for rule in ["overbroad-binding", "runtime-owner", "orphaned-key"] {
        let planted = dirty
            .expected_findings
            .iter()
            .filter(|planted| planted.starts_with(rule))
            .count();
        assert!(
            planted > 0 && !left.iter().any(|left| left.starts_with(rule)),
            "{rule}: {left:#?}"
        );
    }
    assert!(
        left.iter().any(|left| left.starts_with("third-party-grant")),
        "others are left alone"
    );
    for gone in audited.items("/fix/changes") {
        assert!(
            ["delete_binding", "delete_acl", "delete_key"].contains(&gone.text("/operation")),
            "{gone}"
        );
    }
}
