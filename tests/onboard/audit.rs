//! The audit from end to end: on an organization as onboarding leaves it, and on one into which every threat of dossier
//! `rbac.md` §7 was planted, as an administrator and as the provisioner.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use confluent_ebs::{
    model::{AclBinding, CrnPattern, Principal, RoleBinding},
    sandbox::Sandbox,
};
use serde_json::{Value, json};

use crate::home::{CLUSTER, Home, Key, ORGANIZATION, account_crn};

const CONNECTORS: &str = "/connect/v1/environments/env-prod01/clusters/lkc-prod01/connectors";

fn audit(home: &Home, args: &str, code: i32) -> Value {
    let seen = home.must_not_write(&format!("access audit {args} -o json"), code);
    serde_json::from_str(&seen.stdout).unwrap_or_else(|error| panic!("{error}: {seen}"))
}

/// What was found, as `rule subject`.
fn found(audited: &Value) -> BTreeSet<String> {
    let rules = audited["rules"].as_array().unwrap();
    let findings = rules.iter().flat_map(|rule| rule["findings"].as_array().unwrap());
    let text = |finding: &Value| {
        format!(
            "{} {}",
            finding["rule"].as_str().unwrap(),
            finding["subject"].as_str().unwrap()
        )
    };
    findings.map(text).collect()
}

fn verdicts(audited: &Value) -> BTreeMap<String, String> {
    let rules = audited["rules"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rules
        .iter()
        .map(|rule| (text(&rule["rule"]), text(&rule["verdict"])))
        .collect()
}

// The issue: "`access audit` on the example platform is clean".
#[test]
fn the_example_platform_is_clean() {
    let home = Home::new();
    home.must("onboard --all --sandbox --yes", 0);
    let audited = audit(&home, "--sandbox-as admin", 0);
    assert_eq!(found(&audited), BTreeSet::new());
    for (rule, verdict) in verdicts(&audited) {
        assert_eq!(verdict, "absent", "{rule}");
    }
    assert_eq!(audited["counts"]["errors"], 0);
    audit(&home, "--sandbox-as admin --strict", 0);
    audit(&home, "--sandbox", 0);
    // Unknown counts when it is asked for.
    audit(&home, "--sandbox --strict", 5);
    let human = home.must("access audit --sandbox-as admin", 0);
    assert!(human.stdout.contains("no errors and no warnings"), "{human}");
}

/// An organization with departments claims, fraud, motor and legacy, which is off-boarded, and what was planted into it.
struct Dirty {
    home: Home,
    admin: Key,
    planted: BTreeSet<String>,
    /// The role of an account that is gone.
    dangling: String,
}

fn file(name: &str, more: &str) -> String {
    format!("name = \"{name}\"\nprefix = \"{name}-\"\n{more}[quota]\nconnectors = 9\ntasks = 9\nplugins = [\"*\"]\n")
}

impl Dirty {
    fn onboarded() -> Self {
        let home = Home::new();
        let platform = include_str!("../../examples/platform/ebs.toml");
        home.world.write("ebs.toml", platform);
        home.world.write(
            "rbac-templates/hybrid.toml",
            include_str!("../../examples/templates/hybrid.toml"),
        );
        for name in ["claims", "fraud", "motor", "ghost"] {
            home.world.write(format!("departments/{name}.toml"), file(name, ""));
        }
        home.world
            .write("departments/legacy.toml", file("legacy", "retired = 2026-01-31\n"));
        // What others hold on an account stays when it is deleted: dossier `rbac.md` §9, Q12.
        home.must(
            "sandbox reset --yes --set assumptions.bindings_on_account_go_with_it=false",
            0,
        );
        home.must("onboard claims --sandbox --yes", 0);
        home.must("sandbox clock advance 2184h", 0);
        home.must("onboard fraud motor ghost --sandbox --yes", 0);
        let admin = home.admin();
        Self {
            home,
            admin,
            planted: BTreeSet::new(),
            dangling: String::new(),
        }
    }

    fn expect(&mut self, rule: &str, subject: &str) {
        assert!(
            self.planted.insert(format!("{rule} {subject}")),
            "{rule} {subject} is planted twice"
        );
    }

    fn account(&self, department: &str, persona: &str) -> String {
        self.home.account(&format!("ebs-prod-{department}-{persona}"))
    }

    /// A role for one of the departments' accounts, given by the administrator.
    fn bind(&mut self, rule: &str, who: &str, role: &str, on: &str) {
        let id = self.home.bind(&self.admin, who, role, on);
        self.expect(rule, &id);
    }

    fn make_account(&self, key: &Key, name: &str, description: &str, owner: &str) -> String {
        let body = json!({ "display_name": name, "description": description });
        let target = format!("/iam/v2/service-accounts?assigned_resource_owner={owner}");
        let answer = self.home.done(key, "POST", &target, Some(body));
        answer["id"].as_str().unwrap().to_owned()
    }

    /// A key that says something about itself.
    fn make_key(&self, owner: &str, resource: &str, description: &str) -> String {
        let spec = json!({ "owner": { "id": owner }, "resource": { "id": resource }, "description": description });
        let answer = self
            .home
            .done(&self.admin, "POST", "/iam/v2/api-keys", Some(json!({ "spec": spec })));
        answer["id"].as_str().unwrap().to_owned()
    }

    fn connector(&self, name: &str, runtime: &str, topic: &str) {
        let config = json!({
            "name": name, "connector.class": "DatagenSource", "tasks.max": "1", "kafka.topic": topic,
            "quickstart": "ORDERS", "output.data.format": "JSON",
            "kafka.auth.mode": "SERVICE_ACCOUNT", "kafka.service.account.id": runtime,
        });
        let body = json!({ "name": name, "config": config });
        self.home.done(&self.admin, "POST", CONNECTORS, Some(body));
    }

    /// An ACL of somebody, given with the provisioner's key of the cluster.
    fn acl(&mut self, what: &str, who: &str, says: &str) {
        let acl = format!("{what}#User:{who}#*#{says}");
        self.home.acl(&acl);
        self.expect("stray-acl", &acl);
    }

    /// A binding that the sandbox's own API would not take.
    fn plant(&mut self, rule: &str, who: &str, role: &str, on: &str) -> String {
        let sandbox: Sandbox = self.home.sandbox();
        let pattern: CrnPattern = on.parse().unwrap();
        let binding = RoleBinding::new(Principal::from_id(who), role.parse().unwrap(), pattern);
        let id = sandbox.plant(binding).unwrap().to_string();
        self.expect(rule, &id);
        id
    }
}

/// Every threat of dossier `rbac.md` §7 that can be seen, once or more often.
fn dirty() -> Dirty {
    let mut dirty = Dirty::onboarded();
    let environment = format!("{ORGANIZATION}/environment=env-prod01");
    let topics = format!("{CLUSTER}/kafka=lkc-prod01");
    let subjects = format!("{environment}/schema-registry=lsrc-prod01");
    let contractor = dirty.make_account(&dirty.admin, "contractor", "", "");
    let (claims, fraud, motor) = ("claims", "fraud", "motor");

    // T1: a department whose file is gone is still bound on names within claims.
    let ghost = dirty.account("ghost", "operator");
    dirty.home.bind(
        &dirty.admin,
        &ghost,
        "ConnectManager",
        &format!("{CLUSTER}/connector=claims-eu-*"),
    );
    dirty.expect("prefix-overlap", "ghost claims-eu-*");
    // T2.
    let operator = dirty.account(fraud, "operator");
    dirty.bind(
        "wildcard-slip",
        &operator,
        "DeveloperRead",
        &format!("{topics}/topic=*"),
    );
    let viewer = dirty.account(motor, "viewer");
    dirty.bind("wildcard-slip", &viewer, "Operator", CLUSTER);
    // T3: the deployer of claims shares its connectors, with its own key.
    let deployer = dirty.home.key("claims-deployer");
    let shared = format!("{CLUSTER}/connector=claims-*");
    let id = dirty.home.bind(&deployer, &operator, "ConnectManager", &shared);
    dirty.expect("granted-onward", &id);
    let id = dirty.home.bind(
        &deployer,
        &contractor,
        "ResourceOwner",
        &format!("{CLUSTER}/connector=claims-orders"),
    );
    dirty.expect("granted-onward", &id);
    // T3: more and less than the template gives.
    let own = dirty.account(claims, "operator");
    dirty.bind(
        "template-drift",
        &own,
        "DeveloperRead",
        &format!("{topics}/topic=claims-*"),
    );
    let bindings = dirty.home.sandbox().bindings().unwrap();
    let on_own = |object: &&confluent_ebs::api::mds::BindingObject| {
        object.binding.principal.id() == viewer && object.binding.pattern.to_string().ends_with("/connector=motor-*")
    };
    let missing = bindings.iter().find(on_own).unwrap().id.to_string();
    dirty.home.done(
        &dirty.admin,
        "DELETE",
        &format!("/iam/v2/role-bindings/{missing}"),
        None,
    );
    dirty.expect(
        "template-drift",
        "ebs-prod-motor-viewer DeveloperRead connector:{prefix}*",
    );
    // T4: the deployer of fraud makes an account of its own; the one of claims prepares some that look like ours.
    let fraudster = dirty.home.key("fraud-deployer");
    let me = dirty.account(fraud, "deployer");
    let shadow = dirty.make_account(&fraudster, "innocent", "", &me);
    dirty.expect("shadow-account", &shadow);
    let me = dirty.account(claims, "deployer");
    let squatted = dirty.make_account(&deployer, "ebs-prod-travel-operator", "made by hand", &me);
    dirty.expect("forged-account", &squatted);
    dirty.expect("shadow-account", &squatted);
    let tag = "ebs:v1 stage=prod dept=motor role=operator tpl=hybrid@00000000 cfg=00000000";
    let mimic = dirty.make_account(&deployer, "mimic", tag, &me);
    dirty.expect("forged-account", &mimic);
    dirty.expect("shadow-account", &mimic);
    dirty.home.bind(&dirty.admin, &me, "Assigner", &account_crn(&operator));
    dirty.expect("forged-account", &operator);
    // T5: claims comes to own its runtime account, and makes itself a key for it.
    let runtime = dirty.account(claims, "runtime");
    dirty.bind("runtime-owner", &me, "ResourceOwner", &account_crn(&runtime));
    let key = dirty.home.make_key(&deployer, &runtime, "lkc-prod01");
    dirty.expect("runtime-key", &key.id);
    // T6 and T8.
    dirty.connector("motor-spy", &dirty.account(motor, "runtime"), "claims-orders");
    dirty.expect("connector-topic", "motor-spy");
    dirty.connector("fraud-squatted", &dirty.account(motor, "runtime"), "fraud-cases");
    dirty.expect("connector-identity", "fraud-squatted");
    // T7.
    let motorist = dirty.account(motor, "operator");
    dirty.bind(
        "shared-namespace",
        &motorist,
        "DeveloperRead",
        &format!("{topics}/topic=dlq-lcc*"),
    );
    // T10.
    dirty.bind(
        "registry-wide",
        &viewer,
        "DeveloperRead",
        &format!("{subjects}/subject=*"),
    );
    dirty.plant("registry-wide", "u-eve", "ResourceOwner", &subjects);
    // T11: keys, old, left behind, unknown, too many, of people.
    for persona in ["operator", "deployer", "viewer"] {
        let key = dirty.home.key(&format!("claims-{persona}"));
        dirty.expect("key-age", &key.id);
    }
    let unknown = dirty.make_key(&motorist, "cloud", "by hand");
    dirty.expect("unvouched-key", &unknown);
    let new = "ebs:v1 stage=prod dept=fraud role=viewer state=new run=0badcafe";
    let orphan = dirty.make_key(&dirty.account(fraud, "viewer"), "cloud", new);
    dirty.expect("orphaned-key", &orphan);
    let spare = [1, 2].map(|_| dirty.make_key(&dirty.account(fraud, "deployer"), "cloud", "agreed"));
    let many = format!("{} cloud", dirty.account(fraud, "deployer"));
    dirty.expect("key-count", &many);
    let administrator = dirty.home.sandbox().info(false).unwrap().admin;
    let personal = dirty.make_key(&administrator, "lkc-prod01", "mine");
    dirty.expect("user-key", &personal);
    // T11: roles of what is gone, and on it.
    let gone = dirty.make_account(&dirty.admin, "short-lived", "", "");
    dirty.bind("dangling-binding", &contractor, "Assigner", &account_crn(&gone));
    dirty.home.done(
        &dirty.admin,
        "DELETE",
        &format!("/iam/v2/service-accounts/{gone}"),
        None,
    );
    // Docs `access-control/acls/overview`: what an ACL says of an account stays when that is deleted, with a number.
    let leaver = dirty.make_account(&dirty.admin, "leaver", "", "");
    dirty
        .home
        .acl(&format!("TOPIC#fraud-cases#LITERAL#User:{leaver}#*#READ#ALLOW"));
    dirty.home.done(
        &dirty.admin,
        "DELETE",
        &format!("/iam/v2/service-accounts/{leaver}"),
        None,
    );
    let listed = dirty.home.acls();
    let left = listed.iter().find(|acl| acl.starts_with("TOPIC#fraud-cases#")).unwrap();
    assert!(!left.contains(&leaver), "{left}");
    dirty.expect("stray-acl", left);
    dirty.dangling = dirty.plant(
        "dangling-binding",
        "sa-gone",
        "DeveloperRead",
        &format!("{topics}/topic=motor-*"),
    );
    // T14: "allow outside prefix; `User:*`"; §8.3: what the template asks for, and what is missing of it.
    dirty.acl("TOPIC#claims-#PREFIXED", "*", "READ#ALLOW");
    dirty.acl("TOPIC#claims-orders#LITERAL", &operator, "READ#ALLOW");
    dirty.acl("TOPIC#motor-#PREFIXED", &viewer, "READ#ALLOW");
    let writer = dirty.account(motor, "runtime");
    dirty.acl("TOPIC#dlq-lcc#PREFIXED", &writer, "READ#ALLOW");
    dirty.acl("GROUP#fraud-#PREFIXED", &contractor, "READ#ALLOW");
    dirty.acl("CLUSTER#kafka-cluster#LITERAL", &contractor, "ALTER#ALLOW");
    let lacks = format!("TOPIC#error-lcc#PREFIXED#User:{writer}#*#WRITE#ALLOW");
    let lacks: AclBinding = lacks.parse().unwrap();
    dirty.home.unacl(&lacks);
    dirty.expect("template-drift", &format!("ebs-prod-motor-runtime {}", lacks.short()));
    // T15.
    dirty.bind(
        "retired-prefix",
        &contractor,
        "DeveloperRead",
        &format!("{topics}/topic=legacy-*"),
    );
    fs::remove_file(dirty.home.world.path("departments/ghost.toml")).unwrap();
    dirty.expect("orphan-department", "ghost");
    // T16 and T17.
    dirty.plant("group-mapping", "group-sso", "DataDiscovery", &environment);
    dirty.plant("unnamed-administrator", "u-eve", "EnvironmentAdmin", &environment);
    let named = format!(
        "administrators = [\"{administrator}-deputy\"]\nadopt = [\"{}\", \"{}\"]\n",
        spare[0], spare[1]
    );
    let platform = include_str!("../../examples/platform/ebs.toml");
    dirty.home.world.write("ebs.toml", named + platform);
    let all = dirty.home.sandbox().bindings().unwrap();
    let organization = all
        .iter()
        .find(|object| object.binding.pattern.to_string() == ORGANIZATION);
    let organization = organization.unwrap().id.to_string();
    dirty.expect("unnamed-administrator", &organization);
    // So that the key that is left behind belongs to no run that could still be at work.
    dirty.home.must("sandbox clock advance 10m", 0);
    dirty
}

/// How bad the worst is that was planted for each rule, and whom it is about: whoever holds it, and whoever it is against.
const PLANTED: &[(&str, &str, &str)] = &[
    ("connector-identity", "error", "fraud motor"),
    ("connector-topic", "error", "motor"),
    ("dangling-binding", "warning", "motor"),
    ("forged-account", "error", "fraud motor"),
    ("granted-onward", "error", "claims fraud"),
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
    ("shadow-account", "error", "claims fraud"),
    ("shared-namespace", "error", "motor"),
    ("stray-acl", "error", "claims fraud motor"),
    ("template-drift", "warning", "claims motor"),
    ("unnamed-administrator", "warning", ""),
    ("unvouched-key", "error", "motor"),
    ("user-key", "warning", ""),
    ("wildcard-slip", "error", "claims fraud legacy motor"),
];

// The issue: "as administrator it finds every planted threat and nothing else".
#[test]
fn an_administrator_finds_every_planted_threat_and_nothing_else() {
    let dirty = dirty();
    let audited = audit(&dirty.home, "--sandbox-as admin", 5);
    let found = found(&audited);
    let missed: Vec<_> = dirty.planted.difference(&found).collect();
    let more: Vec<_> = found.difference(&dirty.planted).collect();
    assert!(
        missed.is_empty() && more.is_empty(),
        "missed {missed:#?}\nmore {more:#?}\n{audited:#}"
    );
    let rules = audited["rules"].as_array().unwrap();
    let mut said: BTreeMap<&str, (&str, BTreeSet<&str>)> = BTreeMap::new();
    for finding in rules.iter().flat_map(|rule| rule["findings"].as_array().unwrap()) {
        let text = |field: &str| finding[field].as_str().unwrap();
        assert!(!text("fix").is_empty(), "{finding}");
        assert!(!finding["evidence"].as_array().unwrap().is_empty(), "{finding}");
        let (worst, about) = said.entry(text("rule")).or_insert(("warning", BTreeSet::new()));
        if text("severity") == "error" {
            *worst = "error";
        }
        about.extend(
            finding["departments"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str),
        );
    }
    for (rule, worst, about) in PLANTED {
        let about: BTreeSet<&str> = about.split_whitespace().collect();
        assert_eq!(said.remove(rule), Some((*worst, about)), "{rule}");
    }
    assert!(said.is_empty(), "{said:?}");
    // Every rule has something to find here.
    for (rule, verdict) in verdicts(&audited) {
        assert_eq!(verdict, "present", "{rule}");
    }
}

// T12 and §5.3: ACLs take a key of the cluster; without one nothing is said about them, and all else stays as it is.
#[test]
fn without_a_key_of_the_cluster_acls_are_unknown_and_nothing_else_is() {
    let dirty = dirty();
    let with = audit(&dirty.home, "--sandbox", 5);
    dirty.home.profile_with(&dirty.home.provisioner());
    let without = audit(&dirty.home, "--profile other.toml", 5);
    let about_acls = |one: &String| one.starts_with("stray-acl ") || one.contains(" ALLOW ");
    let (acls, rest): (BTreeSet<_>, BTreeSet<_>) = found(&with).into_iter().partition(about_acls);
    let planted: BTreeSet<_> = dirty.planted.iter().filter(|one| about_acls(one)).cloned().collect();
    assert_eq!(acls, planted);
    assert_eq!(found(&without), rest);
    assert_eq!(verdicts(&without)["stray-acl"], "unknown");
    let rules = without["rules"].as_array().unwrap();
    for rule in ["stray-acl", "template-drift"] {
        let row = rules.iter().find(|row| row["rule"] == rule).unwrap();
        let unknown = row["unknown"].to_string();
        assert!(
            unknown.contains("there is no API key of Kafka cluster"),
            "{rule}: {unknown}"
        );
    }
}

// T12: what the provisioner of §8.6 cannot list it must not call absent.
#[test]
fn the_provisioner_finds_what_it_can_see_and_calls_the_rest_unknown() {
    let dirty = dirty();
    let audited = audit(&dirty.home, "--sandbox", 5);
    let found = found(&audited);
    // That the holder of a role on a prefix does not exist any more it cannot know.
    let more: Vec<_> = found.difference(&dirty.planted).cloned().collect();
    assert_eq!(more, [format!("granted-onward {}", dirty.dangling)]);
    let verdicts = verdicts(&audited);
    let rules = audited["rules"].as_array().unwrap();
    for missed in dirty.planted.difference(&found) {
        let (rule, _) = missed.split_once(' ').unwrap();
        let row = rules.iter().find(|row| row["rule"] == rule).unwrap();
        assert!(
            !row["unknown"].as_array().unwrap().is_empty(),
            "{missed} is missed, and nothing is unknown"
        );
        assert_ne!(verdicts[rule], "absent", "{missed}");
    }
    // Bindings on organization, environment and foreign accounts, and keys of people, are not shown to it.
    for rule in [
        "shadow-account",
        "group-mapping",
        "unnamed-administrator",
        "user-key",
        "dangling-binding",
    ] {
        assert_eq!(verdicts[rule], "unknown", "{rule}");
    }
    for rule in [
        "granted-onward",
        "runtime-key",
        "unvouched-key",
        "connector-topic",
        "connector-identity",
        "key-age",
    ] {
        let all = |one: &&String| one.starts_with(&format!("{rule} ")) && !one.ends_with(&dirty.dangling);
        let expected: Vec<_> = dirty.planted.iter().filter(all).collect();
        assert_eq!(found.iter().filter(all).collect::<Vec<_>>(), expected, "{rule}");
    }
}

// The same answer without a key, and about one department only.
#[test]
fn a_saved_snapshot_tells_the_same_without_a_key() {
    let dirty = dirty();
    let home = &dirty.home;
    let live = audit(home, "--sandbox-as admin --save seen.json", 5);
    let before = home.sandbox().journal().unwrap().len();
    let saved = audit(home, "--sandbox --from seen.json", 5);
    assert_eq!(home.sandbox().journal().unwrap().len(), before, "nobody was asked");
    assert_eq!(found(&live), found(&saved));
    assert_eq!(live["counts"], saved["counts"]);
    assert!(!home.world.read("seen.json").contains("\"secret\""));

    let motor = found(&audit(home, "motor --sandbox --from seen.json", 5));
    assert!(motor.is_subset(&dirty.planted) && motor.len() < dirty.planted.len());
    assert!(motor.contains("connector-topic motor-spy"), "{motor:?}");
    assert!(
        motor.iter().all(|found| !found.starts_with("group-mapping")),
        "{motor:?}"
    );
    let unknown = home.must("access audit mottor --sandbox --from seen.json", 1);
    assert!(unknown.stderr.contains("Did you mean `motor`?"), "{unknown}");

    // What is new since then and known to nobody.
    let newcomer = dirty.make_account(&dirty.admin, "newcomer", "", "");
    let audited = audit(home, "--sandbox-as admin --since seen.json", 5);
    let new: Vec<_> = found(&audited).difference(&dirty.planted).cloned().collect();
    assert_eq!(new, [format!("shadow-account {newcomer}")]);
}

#[test]
fn accepted_findings_do_not_count_until_they_expire_or_are_gone() {
    let dirty = dirty();
    let home = &dirty.home;
    audit(home, "--sandbox-as admin --write-baseline accepted.toml", 5);
    let draft = home.must("access audit --sandbox-as admin --baseline accepted.toml", 1);
    assert!(draft.stderr.contains("is accepted without a reason"), "{draft}");
    let text = home
        .world
        .read("accepted.toml")
        .replace("reason = \"\"", "reason = \"agreed\"");
    home.world.write("accepted.toml", &text);
    let accepted = audit(home, "--sandbox-as admin --baseline accepted.toml", 0);
    assert_eq!(found(&accepted), BTreeSet::new());
    assert_eq!(accepted["accepted"].as_array().unwrap().len(), dirty.planted.len());
    assert_eq!(accepted["accepted"][0]["reason"], "agreed");

    // One is over, one is gone, one is new.
    let key = dirty.home.key("claims-operator").id;
    let (before, after) = text.split_once(&format!("subject = \"{key}\"")).unwrap();
    let after = after.replacen("until = 20", "until = 19", 1);
    home.world
        .write("accepted.toml", format!("{before}subject = \"{key}\"{after}"));
    home.done(&dirty.admin, "DELETE", &format!("{CONNECTORS}/motor-spy"), None);
    let topic = format!("{CLUSTER}/kafka=lkc-prod01/topic=claims-*");
    let new = home.bind(&dirty.admin, &dirty.account("fraud", "viewer"), "DeveloperRead", &topic);
    let audited = audit(home, "--sandbox-as admin --baseline accepted.toml", 5);
    assert_eq!(
        found(&audited),
        [format!("key-age {key}"), format!("granted-onward {new}")].into()
    );
    let about: Vec<_> = audited["acceptances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["rule"].clone())
        .collect();
    assert_eq!(about, ["acceptance-expired", "acceptance-unused"]);
    let human = home.must("access audit --sandbox-as admin --baseline accepted.toml", 5);
    assert!(human.stdout.contains("accepted.toml:"), "the place is shown\n{human}");
    // The provisioner does not see what was accepted, and so cannot say that it is gone.
    let audited = audit(home, "--sandbox --baseline accepted.toml", 5);
    let about = audited["acceptances"].as_array().unwrap();
    assert!(
        about
            .iter()
            .all(|finding| !finding["message"].as_str().unwrap().contains("unnamed-administrator"))
    );
}

#[test]
fn only_what_is_ours_is_removed_and_what_others_hold_stays() {
    let dirty = dirty();
    let home = &dirty.home;
    let before = home.left();
    let acls = home.acls();
    let planned = home.must_not_write("access audit --sandbox --fix --dry-run", 5);
    assert!(planned.stdout.contains("DeveloperRead"), "{planned}");
    let refused = home.must_not_write("access audit --sandbox --fix", 64);
    assert!(refused.stderr.contains("--yes"), "{refused}");
    let seen = home.must("access audit --sandbox --fix --yes -o json", 5);
    let audited: Value = serde_json::from_str(&seen.stdout).unwrap();
    let after = home.left();
    // Nothing was made, and nobody else lost anything.
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
    // The operator of fraud was controlled by claims, and so not ours; now it is.
    let seen = home.must("access audit --sandbox --fix --yes -o json", 5);
    let left = found(&serde_json::from_str(&seen.stdout).unwrap());
    // Of the ACLs those that our accounts should not have.
    let left_acls = home.acls();
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
    for rule in ["wildcard-slip", "runtime-owner", "orphaned-key"] {
        let planted = dirty.planted.iter().filter(|planted| planted.starts_with(rule)).count();
        assert!(
            planted > 0 && !left.iter().any(|left| left.starts_with(rule)),
            "{rule}: {left:#?}"
        );
    }
    assert!(
        left.iter().any(|left| left.starts_with("granted-onward")),
        "others are left alone"
    );
    for gone in audited["fix"]["changes"].as_array().unwrap() {
        assert!(
            ["delete_binding", "delete_acl", "delete_key"].contains(&gone["operation"].as_str().unwrap()),
            "{gone}"
        );
    }
}
