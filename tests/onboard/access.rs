//! Who may do what, asked as people ask it: of the files, of the service as several people see it, and of a snapshot.

use confluent_ebs::{
    config::{Existing, SavedSnapshot},
    plan::{self, Target},
    sandbox::Settings,
};
use serde_json::Value;

use crate::{
    common::{Seen, World},
    home::{CLUSTER, Home, ORGANIZATION},
    rig::Rig,
};

/// Asks the built-in platform's files.
fn planned(args: &str) -> Seen {
    settled(World::new().ebs(&format!("access {args} --planned --sandbox")))
}

/// With one hash for every template, whatever they grant.
fn settled(mut seen: Seen) -> Seen {
    let mut parts = seen.stdout.split('@');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let hash = part.len().min(8);
        let known = part.is_char_boundary(hash) && part[..hash].chars().all(|c| c.is_ascii_hexdigit());
        text.push('@');
        text.push_str(if known { "1a2b3c4d" } else { &part[..hash] });
        text.push_str(&part[hash..]);
    }
    seen.stdout = text;
    seen
}

fn json(seen: &Seen) -> Value {
    serde_json::from_str(&seen.stdout).unwrap_or_else(|_| panic!("{seen}"))
}

#[test]
fn the_files_answer_before_anything_is_onboarded() {
    insta::assert_snapshot!(planned("can-i delete connector/claims-orders --as claims/operator"), @r"
    exit 5
    ----- stdout -----
    No: claims/operator may not delete connector claims-orders.

    From the files of the built-in example platform, stage prod.
    ");
    insta::assert_snapshot!(planned("can-i pause connector/claims-* --as claims/operator"), @r"
    exit 0
    ----- stdout -----
    Yes: claims/operator may pause (lifecycle) connector claims-*.

    +---------+-------------------------------------------------------------------+
    | Through | ConnectManager on connector claims-*                              |
    | From    | template hybrid@1a2b3c4d: status, logs, pause, resume and restart |
    |         | of own connectors; without creating, changing or deleting them    |
    +---------+-------------------------------------------------------------------+

    If the service refuses ConnectManager there, the template's fallback takes its
    place, which does not allow it.
    From the files of the built-in example platform, stage prod.
    ");
    insta::assert_snapshot!(planned("can-i consume topic/claims-orders --as claims/deployer"), @r"
    exit 5
    ----- stdout -----
    No: claims/deployer may not consume (read) topic claims-orders.

    It controls claims/runtime (Assigner on it), which may: a connector that runs
    under that account does it.
    From the files of the built-in example platform, stage prod.
    ");
}

#[test]
fn an_answer_is_data() {
    let answer = json(&planned(
        "can-i delete connector/claims-orders --as claims/deployer -o json",
    ));
    assert_eq!(answer["answer"], "yes");
    assert_eq!(answer["principal"]["persona"], "deployer");
    assert_eq!(answer["crn_pattern"], format!("{CLUSTER}/connector=claims-orders"));
    assert_eq!(answer["through"]["role_name"], "ResourceOwner");
    assert_eq!(
        answer["through"]["crn_pattern"],
        format!("{CLUSTER}/connector=claims-*")
    );
    assert_eq!(answer["through"]["origin"]["from"], "template");
    assert_eq!(answer["through"]["origin"]["template"], "hybrid");
    assert_eq!(answer["source"]["kind"], "planned");
    let seen = planned("can-i delete connector/claims-orders --as claims/operator -o json");
    assert_eq!((seen.code, json(&seen)["answer"].as_str()), (Some(5), Some("no")));
}

#[test]
fn a_slip_of_the_pen_is_answered_with_what_was_meant() {
    insta::assert_snapshot!(planned("can-i delet connector/claims-a --as claims/operator"), @r"
    exit 64
    ----- stderr -----
    Error: `delet` is not an operation

    Suggestions:
        Did you mean `delete`?
    ");
    insta::assert_snapshot!(planned("can-i delete conector/claims-a --as claims/operator"), @r"
    exit 64
    ----- stderr -----
    Error: `conector` is not a kind of resource

    Suggestions:
        Did you mean `connector`?
    ");
    insta::assert_snapshot!(planned("can-i pause group/claims-a --as claims/operator"), @r"
    exit 64
    ----- stderr -----
    Error: kind `group` has no operation `pause`

    Suggestions:
        It has: describe, delete, read, describe-access, alter-access.
    ");
    insta::assert_snapshot!(planned("can-i delete connector/claims-a --as clams/operator"), @r"
    exit 1
    ----- stderr -----
    Error: there is no department `clams` in the built-in example platform

    Suggestions:
        Did you mean `claims`?
    ");
    insta::assert_snapshot!(planned("can-i delete connector/claims-a --as claims/operater"), @r"
    exit 1
    ----- stderr -----
    Error: department `claims` has no persona `operater`

    Suggestions:
        Did you mean `operator`?
    ");
    insta::assert_snapshot!(planned("can-i delete connector/claims-a --principal sa-abc123"), @r"
    exit 1
    ----- stderr -----
    Error: there is no service account `sa-abc123` in stage prod

    Suggestions:
        The files know no ids: name an account, or a department and a persona.
    ");
    insta::assert_snapshot!(planned("can-i delete connector/claims-a"), @r"
    exit 64
    ----- stderr -----
    Error: it is not said for whom

    Suggestions:
        Name a persona, as in `--as claims/operator`, or an account with
          `--principal`.
    ");
    insta::assert_snapshot!(planned("can-i describe cluster/lkc-other --as claims/operator"), @r"
    exit 64
    ----- stderr -----
    Error: stage prod lies in cluster `lkc-prod01`, not in `lkc-other`

    Suggestions:
        Write `cluster` alone.
    ");
    insta::assert_snapshot!(planned("who-can assign service-account/claims-*"), @r"
    exit 64
    ----- stderr -----
    Error: service accounts are granted on by id, not by the beginning of names

    Suggestions:
        Write `service-account/NAME`, or `service-account` alone for all of them.
    ");
}

#[test]
fn the_same_question_has_an_answer_for_each_who_looks() {
    let home = Home::new();
    home.must("onboard claims --sandbox --yes", 0);
    let ask = "access can-i delete connector/claims-orders --sandbox --as claims";
    home.must_not_write(&format!("{ask}/deployer"), 0);
    // The provisioner sees no bindings above its cluster (dossier `rbac.md` §8.6, Q6), so its "no" would be a guess.
    let seen = home.must_not_write(&format!("{ask}/operator"), 4);
    assert!(seen.stdout.contains("the organization and the environment"), "{seen}");
    home.must(&format!("{ask}/operator --sandbox-as admin"), 5);

    // An administrator makes the operator an administrator of the environment, which nobody else can see.
    let operator = home.account("ebs-prod-claims-operator");
    let environment = format!("{ORGANIZATION}/environment=env-prod01");
    home.bind(&home.admin(), &operator, "EnvironmentAdmin", &environment);
    home.must(&format!("{ask}/operator"), 4);
    let seen = home.must(&format!("{ask}/operator --sandbox-as admin"), 0);
    assert!(
        seen.stdout.contains("EnvironmentAdmin on environment env-prod01"),
        "{seen}"
    );
    assert!(
        seen.stdout.contains("by hand: template hybrid does not ask for it"),
        "{seen}"
    );
}

// Assumption Q6: what a list does for a caller who may see a part of it. Whichever way, a "no" is no guess.
#[test]
fn whatever_lists_do_a_provisioner_does_not_guess() {
    for listing in ["filtered", "refused", "everything"] {
        let home = Home::with(&format!("--set assumptions.binding_list={listing}"));
        home.must("onboard claims --sandbox --yes", 0);
        let ask = "access can-i delete connector/claims-orders --sandbox --as claims";
        home.must(&format!("{ask}/deployer"), 0);
        home.must(&format!("{ask}/operator"), 4);
        home.must(&format!("{ask}/operator --sandbox-as admin"), 5);
    }
}

#[test]
fn a_department_asks_about_itself_with_its_profile() {
    let home = Home::new();
    home.must("onboard claims --sandbox --yes", 0);
    let profile = home.folder().join("handover/claims-operator.toml");
    let ask = |question: &str| home.ebs(&format!("access can-i {question} --profile {}", profile.display()));
    assert_eq!(ask("pause connector/claims-orders").code, Some(0));
    let seen = ask("delete connector/claims-orders");
    assert_eq!(seen.code, Some(4), "{seen}");
    assert!(
        seen.stdout.starts_with("It cannot be told whether claims/operator"),
        "{seen}"
    );
}

/// A department has no platform's files: its profile points to the service, which is a sandbox on a socket here.
#[test]
fn a_profile_alone_is_enough_to_ask() {
    let home = Home::new();
    home.must("onboard claims --sandbox --yes", 0);
    let profile = std::fs::read_to_string(home.folder().join("handover/claims-operator.toml")).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let sandbox = home.sandbox();
    let server = runtime.spawn(async move { sandbox.serve(listener).await });
    let sandbox_endpoint = format!("sandbox:{}", home.folder().display());
    let path = home.world.write("mine.toml", profile.replace(&sandbox_endpoint, &url));
    let ask = |question: &str| home.ebs(&format!("access {question} --profile {} -o json", path.display()));
    let answer = json(&ask("can-i restart connector/claims-orders"));
    assert_eq!(
        (&answer["answer"], &answer["operation"]),
        (&"yes".into(), &"lifecycle".into())
    );
    assert_eq!(answer["principal"]["department"], "claims");
    assert_eq!(answer["through"]["origin"]["from"], "unknown");
    assert_eq!(json(&ask("can-i delete connector/claims-orders"))["answer"], "unknown");
    assert_eq!(
        ask("can-i delete connector/x --planned").code,
        Some(1),
        "there are no files"
    );
    server.abort();
}

#[test]
fn everybody_who_can_is_named_with_the_reason() {
    insta::assert_snapshot!(planned("who-can delete connector/claims-orders"), @r"
    exit 0
    ----- stdout -----
    Who may delete connector claims-orders
         Principal    |       Role        |     On     |      From        
    ------------------+-------------------+------------+------------------
      claims/deployer | ResourceOwner     | connector  | template         
                      |                   | claims-*   | hybrid@1a2b3c4d  
      ebs-provisioner | CloudClusterAdmin | cluster    | provisioner      
                      |                   | lkc-prod01 |                  


    Why:
      CloudClusterAdmin: provisioner: makes accounts, and gives roles on the
          cluster.
      ResourceOwner: template hybrid@1a2b3c4d: the only role short of an
          administrator that creates and deletes connectors and sets the account
          they run under.

    From the files of the built-in example platform, stage prod.
    Administrators, and whoever was given a role by hand, are not in the files.
    ");
    insta::assert_snapshot!(planned("who-can read topic/claims-orders"), @r"
    exit 0
    ----- stdout -----
    Who may read topic claims-orders
         Principal    |       Role        |       On       |      From        
    ------------------+-------------------+----------------+------------------
      claims/runtime  | DeveloperRead     | topic claims-* | template         
                      |                   |                | hybrid@1a2b3c4d  
      ebs-provisioner | CloudClusterAdmin | cluster        | provisioner      
                      |                   | lkc-prod01     |                  


    Why:
      CloudClusterAdmin: provisioner: makes accounts, and gives roles on the
          cluster.
      DeveloperRead: template hybrid@1a2b3c4d: sinks read the department's topics.

    Also claims/deployer, by way of that account: Assigner on service-account
      ebs-prod-claims-runtime.
    From the files of the built-in example platform, stage prod.
    Administrators, and whoever was given a role by hand, are not in the files.
    ");
    let home = Home::new();
    home.must("onboard claims --sandbox --yes", 0);
    let viewer = home.account("ebs-prod-claims-viewer");
    home.bind(
        &home.provisioner(),
        &viewer,
        "ResourceOwner",
        &format!("{CLUSTER}/connector=claims-orders"),
    );
    let all = json(&home.must("access who-can delete connector/claims-* --sandbox-as admin -o json", 0));
    let who = |grant: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let persona = text(&grant["principal"]["persona"]);
        [persona, text(&grant["role_name"]), text(&grant["origin"]["from"])].join(" ")
    };
    let mut named: Vec<String> = all["grants"].as_array().unwrap().iter().map(who).collect();
    named.sort();
    assert_eq!(
        named,
        [
            "- CloudClusterAdmin hand",
            "- OrganizationAdmin hand",
            "deployer ResourceOwner template",
            "viewer ResourceOwner hand",
        ]
    );
    assert_eq!(all["doubts"], Value::Array(Vec::new()));
    let all = json(&home.must("access who-can delete connector/claims-orders --sandbox -o json", 0));
    assert_eq!(
        all["doubts"][0]["doubt"], "hidden",
        "the provisioner is shown nothing above its cluster"
    );
}

#[test]
fn the_matrix_of_a_department_fits_a_terminal() {
    insta::assert_snapshot!(planned("matrix claims"), @r"
    exit 0
    ----- stdout -----
    claims (template hybrid)
        Kind    |       Operation       | operator | deployer | viewer | runtime  
    ------------+-----------------------+----------+----------+--------+----------
      topic     | describe              |          |          |        | own      
      topic     | create                |          |          |        | own      
      topic     | delete                |          |          |        | own      
      topic     | read                  |          |          |        | own      
      topic     | write                 |          |          |        | own      
      topic     | describe-configs      |          |          |        | own      
      topic     | alter-configs         |          |          |        | own      
      group     | describe              |          |          |        | shared   
      group     | read                  |          |          |        | shared   
      subject   | describe              |          |          |        | own      
      subject   | read                  |          |          |        | own      
      subject   | write                 |          |          |        | own      
      subject   | read-compatibility    |          |          |        | own      
      connector | describe              | own      | own      | own    |          
      connector | create                |          | own      |        |          
      connector | delete                |          | own      |        |          
      connector | read-config           | own      | own      | own    |          
      connector | read-status           | own      | own      | own    |          
      connector | view-logs             | own      | own      |        |          
      connector | view-metrics          | own      | own      | own    |          
      connector | lifecycle             | own      | own      |        |          
      connector | configure             |          | own      |        |          
      connector | configure-credentials |          | own      |        |          
      connector | describe-access       |          | own      |        |          
      connector | alter-access          |          | own      |        |          
      account   | describe              |          | some     |        |          
      account   | create                |          | beyond   |        |          
      account   | assign                |          | some     |        |          


    own: all that begins with the department's prefix; some: single names or
    accounts of it; shared: names that Confluent makes all departments share;
    beyond: more than that; yes: the one of the stage. What is not listed nobody in
    the department may do, but see the organization, the environment and the
    cluster.
    From the files of the built-in example platform, stage prod.
    ");
}

#[test]
fn departments_that_may_do_the_same_share_a_table() {
    let seen = planned("matrix");
    let titles: Vec<&str> = seen.stdout.lines().filter(|line| line.contains("(template ")).collect();
    insta::assert_snapshot!(titles.join("\n"), @r"
    accounting, actuarial, broker and 15 more departments (template hybrid)
    compliance, hr, and legal (template read-only)
    data-platform, marketing, and risk (template self-service)
    ");
}

// Dossier `metrics.md` §6: two documents say two things, and whoever trusts the first is refused.
#[test]
fn metrics_are_allowed_with_a_caveat() {
    let seen = planned("can-i view-metrics connector/claims-orders --as claims/operator");
    assert_eq!(seen.code, Some(0), "{seen}");
    let text = seen.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("MetricsViewer and administrators alone"), "{seen}");
    let seen = planned("can-i pause connector/claims-orders --as claims/operator");
    assert!(!seen.stdout.contains("MetricsViewer"), "{seen}");
}

#[test]
fn a_spreadsheet_gets_one_line_per_right() {
    let seen = planned("matrix hr -o csv");
    let lines: Vec<&str> = seen.stdout.lines().collect();
    assert_eq!(lines[0], "department,template,persona,kind,operation,reach,role,on");
    assert!(
        lines.contains(&"hr,read-only,viewer,connector,read-config,own,DeveloperRead,connector hr-*"),
        "{seen}"
    );
    assert!(
        lines.contains(&"hr,read-only,runtime,group,read,shared,DeveloperRead,group connect-lcc*"),
        "{seen}"
    );
    assert!(lines.iter().all(|line| line.split(',').count() == 8), "{seen}");
    let rights = json(&planned("matrix hr -o json"));
    assert_eq!(rights["rights"].as_array().unwrap().len(), lines.len() - 1);
    let seen = planned("can-i read topic/x -o csv");
    assert_eq!(seen.code, Some(64), "{seen}");
}

#[test]
fn the_built_in_platform_passes_its_tests() {
    insta::assert_snapshot!(planned("test"), @r"
    exit 0
    ----- stdout -----
    Checked 36 assertions with 8613 questions: all hold.
      Rests on ConnectManager: if the service refuses it there, the template's
          fallback allows less.
    Isolation by name prefix: proved for all of 552 ordered pairs of departments and
    every operation, over 234 role bindings.
      Shared by 24 departments, as Confluent makes it: group connect-lcc*.
      24 accounts of departments may make new service accounts, as every
          ResourceOwner may.
    From the files of the built-in example platform, stage prod.
    ");
}

/// A platform of two departments.
fn platform(world: &World) {
    world.write(
        "ebs.toml",
        "[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n\n[stages.prod]\nenvironment = \"env-prod01\"\n\
         cluster = \"lkc-prod01\"\nschema_registry = \"lsrc-prod01\"\n",
    );
    for code in ["claims", "fraud"] {
        world.write(
            format!("departments/{code}.toml"),
            format!("name = \"{code}\"\nprefix = \"{code}-\"\n"),
        );
    }
}

#[test]
fn a_template_that_breaks_a_promise_is_refused_with_the_counter_example() {
    let world = World::new();
    platform(&world);
    assert_eq!(world.ebs("access test").code, Some(0));
    let hybrid = include_str!("../../rbac-templates/hybrid.toml");
    // The operator may suddenly change connectors, and connectors write a topic that is the same for all.
    let wider = hybrid.replace("role = \"ConnectManager\"", "role = \"DeveloperWrite\"");
    let shared = "\n[[persona.grant]]\nrole = \"DeveloperWrite\"\non = \"topic:audit*\"\nwhy = \"audit trail\"\n";
    world.write("rbac-templates/hybrid.toml", format!("{wider}{shared}"));
    insta::assert_snapshot!(settled(world.ebs("access test")), @r#"
    exit 5
    ----- stdout -----
    error[access-can]: claims/operator cannot view-logs, lifecycle on connector
                       claims-*; and 1 more of those meant
     --> rbac-templates/tests/hybrid.toml:6:1
      |
    6 | who = ["*/operator"]
      | ^^^^^^^^^^^^^^^^^^^
      |
      = help: No role binding and no ACL gives it: change the template, or this
              assertion if it is not meant.

    error[access-cannot]: claims/operator can configure on connector *; and 1 more
                          of those meant
      --> rbac-templates/tests/hybrid.toml:12:1
       |
    12 | who = ["*/operator", "*/viewer"]
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: DeveloperWrite on connector claims-* gives it; template
               hybrid@1a2b3c4d: status, logs, pause, resume and restart of own
               connectors; without creating, changing or deleting them.

    Found 2 errors.

    Checked 14 assertions with 762 questions: 2 do not hold.
      rbac-templates/tests/self-service.toml: no department has its template.
      rbac-templates/tests/read-only.toml: no department has its template.
    Isolation by name prefix: refuted among 2 ordered pairs of departments and every
    operation, over 22 role bindings.
      fraud/runtime of fraud reaches topic audit* of claims through DeveloperWrite
          on topic audit*; template hybrid@1a2b3c4d: audit trail.
      Shared by 2 departments, as Confluent makes it: group connect-lcc*.
      2 accounts of departments may make new service accounts, as every
          ResourceOwner may.
    From the files of [HOME], stage prod.
    ----- stderr -----
    [WARN] `topic:audit*` is the same for every department
    Error: 2 of 14 assertions do not hold; departments are not isolated
    "#);
    // What is meant is written down beside the template, and replaces the shipped file.
    world.write(
        "rbac-templates/tests/hybrid.toml",
        "template = \"hybrid\"\n\n[[can]]\nwho = [\"*/operator\"]\noperations = [\"configure\"]\non = [\"connector:{prefix}*\"]\n",
    );
    let seen = world.ebs("access test -o json");
    assert_eq!(
        (seen.code, &json(&seen)["failed"]),
        (Some(5), &0.into()),
        "the overlap of topics stays: {seen}"
    );
    assert_eq!(
        json(&seen)["isolation"]["counter_examples"][0]["through"]["role_name"],
        "DeveloperWrite"
    );
}

#[test]
fn a_mistake_in_an_assertion_stops_the_test() {
    let world = World::new();
    platform(&world);
    world.write(
        "mine.toml",
        "[[can]]\nwho = [\"*/operatr\"]\noperations = [\"pause\"]\non = [\"connector:{prefix}*\"]\n",
    );
    insta::assert_snapshot!(world.ebs("access test mine.toml"), @r#"
    exit 1
    ----- stderr -----
    Error: the assertions hold mistakes

    error[unknown-persona]: no template has a persona `operatr`
     --> mine.toml:2:8
      |
    2 | who = ["*/operatr"]
      |        ^^^^^^^^^^^
      |
      = help: Did you mean `operator`?

    Found 1 error.
    "#);
    let seen = world.ebs("access test nowhere.toml");
    assert_eq!(seen.code, Some(1), "{seen}");
    assert!(seen.stderr.contains("there is no such file"), "{seen}");
}

#[test]
fn what_was_onboarded_passes_the_tests_as_far_as_it_can_be_seen() {
    let home = Home::new();
    home.must("onboard claims fraud --sandbox --yes", 0);
    let seen = home.must_not_write("access test --live --sandbox", 0);
    assert!(seen.stdout.contains("All of this as far as could be seen"), "{seen}");
    home.must("access test --live --strict --sandbox", 4);

    // By hand, an administrator lets a viewer of claims look at fraud.
    let viewer = home.account("ebs-prod-claims-viewer");
    home.bind(
        &home.admin(),
        &viewer,
        "DeveloperRead",
        &format!("{CLUSTER}/connector=fraud-*"),
    );
    let seen = home.must("access test --live --sandbox", 5);
    assert!(
        seen.stderr.contains("does not hold; departments are not isolated"),
        "{seen}"
    );
    let words: Vec<&str> = seen.stdout.split_whitespace().collect();
    let reached = "claims/viewer can describe, read-config, read-status, view-metrics on connector fraud-*";
    assert!(words.join(" ").contains(reached), "{seen}");
    assert!(seen.stdout.contains("reaches connector fraud-* of fraud"), "{seen}");
}

#[test]
fn a_snapshot_answers_without_a_key_or_a_network() {
    let rig = Rig::new(Settings::default());
    let info = rig.sandbox.info(false).unwrap();
    let (_, stage) = rig.workspace.platform.stage(None).unwrap();
    let target = Target {
        organization: None,
        environment: stage.environment.clone(),
        cluster: stage.cluster.clone(),
        schema_registry: None,
        provisioner: None,
        key: Some(info.admin_key.parse().unwrap()),
    };
    assert!(!rig.onboard(&["claims"]).is_idle());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (client, clock) = (rig.administrator(), rig.sandbox.clock());
    // Whoever administers the organization is a person, and sees everything but what takes a key of the cluster.
    let snapshot = runtime.block_on(plan::look(&client, &clock, &target)).unwrap();
    let unknown: Vec<&str> = snapshot.unknown.keys().map(String::as_str).collect();
    assert_eq!(unknown, ["ACLs of the cluster"]);
    assert_eq!(snapshot.seen_by.id(), info.admin);
    let world = World::new();
    let saved = SavedSnapshot {
        stage: "prod".to_owned(),
        snapshot,
    };
    saved.save(&world.path("seen.json"), Existing::Keep).unwrap();

    let ask = |question: &str| world.ebs(&format!("access {question} --from seen.json --sandbox"));
    assert_eq!(
        ask("can-i delete connector/claims-a --as claims/deployer").code,
        Some(0)
    );
    assert_eq!(
        ask("can-i delete connector/claims-a --as claims/operator").code,
        Some(5)
    );
    // Fraud was not onboarded.
    let seen = ask("can-i delete connector/fraud-a --as fraud/operator");
    assert!(seen.stderr.contains("fraud/operator has no account"), "{seen}");
    assert_eq!(ask("test").code, Some(0));
    let seen = ask("who-can delete connector/claims-a");
    assert!(seen.stdout.contains("OrganizationAdmin"), "{seen}");
    assert!(
        seen.stdout.contains("From the snapshot seen.json of stage prod"),
        "{seen}"
    );

    let seen = ask("test --stage test");
    assert!(seen.stderr.contains("is of stage `prod`, not of `test`"), "{seen}");
    world.write("seen.json", "{}");
    let seen = ask("test");
    assert_eq!(seen.code, Some(1));
    assert!(
        seen.stderr.contains("`seen.json` is not a snapshot of confluent-ebs"),
        "{seen}"
    );
}
