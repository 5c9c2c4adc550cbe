//! Answers about access: from the files, from the live service with several callers, and from a snapshot.

use confluent_ebs::{
    config::{IfExists, SnapshotFile},
    plan::{self, ObservationTarget},
    sandbox::SandboxSettings,
};
use serde_json::Value;

use crate::common::{CLUSTER_CRN, Cli, CliOutput, JsonAccess as _, ORGANIZATION_CRN, OnboardingMachine};

/// Queries the files of the built-in platform.
fn access_planned(args: &str) -> CliOutput {
    with_fixed_template_hash(Cli::new().run(&format!("access {args} --planned --sandbox")))
}

/// Output with the same hash for every template, which makes it independent of the grants.
fn with_fixed_template_hash(mut output: CliOutput) -> CliOutput {
    let mut parts = output.stdout.split('@');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let hash = part.len().min(8);
        let known = part.is_char_boundary(hash) && part[..hash].chars().all(|c| c.is_ascii_hexdigit());
        text.push('@');
        text.push_str(if known { "1a2b3c4d" } else { &part[..hash] });
        text.push_str(&part[hash..]);
    }
    output.stdout = text;
    output
}

#[test]
fn can_i_answers_from_the_files_before_onboarding() {
    insta::assert_snapshot!(access_planned("can-i delete connector/claims-orders --as claims/operator"), @r"
    exit 5
    ----- stdout -----
    No: claims/operator may not delete connector claims-orders.

    Source: the built-in example platform, stage `prod`.
    ");
    insta::assert_snapshot!(access_planned("can-i pause connector/claims-* --as claims/operator"), @r"
    exit 0
    ----- stdout -----
    Yes: claims/operator may pause (lifecycle) connector claims-*.

    +--------+-------------------------------------------------------------------+
    | Grant  | ConnectManager on connector claims-*                              |
    | Origin | template hybrid@1a2b3c4d: status, logs, pause, resume and restart |
    |        | of own connectors; without creating, changing or deleting them    |
    +--------+-------------------------------------------------------------------+

    If Confluent Cloud rejects ConnectManager on this resource, `onboard` binds the
    template's fallback role, which does not allow the operation.
    Source: the built-in example platform, stage `prod`.
    ");
    insta::assert_snapshot!(access_planned("can-i consume topic/claims-orders --as claims/deployer"), @r"
    exit 5
    ----- stdout -----
    No: claims/deployer may not consume (read) topic claims-orders.

    The principal controls claims/runtime through Assigner. Connectors that run
    under that account are allowed the operation.
    Source: the built-in example platform, stage `prod`.
    ");
}

#[test]
fn can_i_answers_as_json() {
    let answer = access_planned("can-i delete connector/claims-orders --as claims/deployer -o json").json();
    assert_eq!(answer["answer"], "yes");
    assert_eq!(answer["principal"]["persona"], "deployer");
    assert_eq!(answer["crn_pattern"], format!("{CLUSTER_CRN}/connector=claims-orders"));
    assert_eq!(answer["granted_by"]["role_name"], "ResourceOwner");
    assert_eq!(
        answer["granted_by"]["crn_pattern"],
        format!("{CLUSTER_CRN}/connector=claims-*")
    );
    assert_eq!(answer["granted_by"]["origin"]["from"], "template");
    assert_eq!(answer["granted_by"]["origin"]["template"], "hybrid");
    assert_eq!(answer["source"]["kind"], "planned");
    let output = access_planned("can-i delete connector/claims-orders --as claims/operator -o json");
    assert_eq!((output.code, output.json()["answer"].as_str()), (Some(5), Some("no")));
}

#[test]
fn misspelled_operations_kinds_and_names_get_suggestions() {
    insta::assert_snapshot!(access_planned("can-i delet connector/claims-a --as claims/operator"), @r"
    exit 64
    ----- stderr -----
    Error: `delet` is not an operation

    Suggestions:
        Did you mean `delete`?
    ");
    insta::assert_snapshot!(access_planned("can-i delete conector/claims-a --as claims/operator"), @r"
    exit 64
    ----- stderr -----
    Error: `conector` is not a kind of resource

    Suggestions:
        Did you mean `connector`?
    ");
    insta::assert_snapshot!(access_planned("can-i pause group/claims-a --as claims/operator"), @r"
    exit 64
    ----- stderr -----
    Error: kind `group` has no operation `pause`

    Suggestions:
        Known operations: describe, delete, read, describe-access, alter-access.
    ");
    insta::assert_snapshot!(access_planned("can-i delete connector/claims-a --as clams/operator"), @r"
    exit 1
    ----- stderr -----
    Error: no department `clams` in the built-in example platform

    Suggestions:
        Did you mean `claims`?
    ");
    insta::assert_snapshot!(access_planned("can-i delete connector/claims-a --as claims/operater"), @r"
    exit 1
    ----- stderr -----
    Error: department `claims` has no persona `operater`

    Suggestions:
        Did you mean `operator`?
    ");
    insta::assert_snapshot!(access_planned("can-i delete connector/claims-a --principal sa-abc123"), @r"
    exit 1
    ----- stderr -----
    Error: no service account `sa-abc123` in stage `prod`

    Suggestions:
        Write an account name, or a department and a persona. The platform files
          contain no ids.
    ");
    insta::assert_snapshot!(access_planned("can-i delete connector/claims-a"), @r"
    exit 64
    ----- stderr -----
    Error: no principal specified

    Suggestions:
        Pass a persona, such as `--as claims/operator`, or an account with
          `--principal`.
    ");
    insta::assert_snapshot!(access_planned("can-i describe cluster/lkc-other --as claims/operator"), @r"
    exit 64
    ----- stderr -----
    Error: stage `prod` is in cluster `lkc-prod01`, not in `lkc-other`

    Suggestions:
        Write `cluster` without a name.
    ");
    insta::assert_snapshot!(access_planned("who-can assign service-account/claims-*"), @r"
    exit 64
    ----- stderr -----
    Error: a service account needs a name or an id, not a prefix

    Suggestions:
        Write `service-account/NAME`, or `service-account` for all service accounts.
    ");
}

#[test]
fn can_i_depends_on_the_rights_of_the_caller() {
    let cli = Cli::onboarded("claims");
    let ask = "access can-i delete connector/claims-orders --sandbox --as claims";
    cli.run_without_writes(&format!("{ask}/deployer"), 0);
    // The provisioner cannot list bindings above its cluster (docs/reference/rbac.md#roles-of-the-provisioner;
    // docs/assumptions.md, Q6), so its "no" would be a guess.
    let output = cli.run_without_writes(&format!("{ask}/operator"), 4);
    assert!(
        output.stdout.contains("the organization and the environment"),
        "{output}"
    );
    cli.run(&format!("{ask}/operator --sandbox-as admin")).expect_code(5);

    // The operator becomes an administrator of the environment, which only the administrator can list.
    let operator = cli.account_id("ebs-prod-claims-operator");
    let environment = format!("{ORGANIZATION_CRN}/environment=env-prod01");
    cli.bind(&cli.admin_key(), &operator, "EnvironmentAdmin", &environment);
    cli.run(&format!("{ask}/operator")).expect_code(4);
    let output = cli.run(&format!("{ask}/operator --sandbox-as admin")).expect_success();
    assert!(
        output.stdout.contains("EnvironmentAdmin on environment env-prod01"),
        "{output}"
    );
    assert!(
        output.stdout.contains("manual: template `hybrid` does not contain it"),
        "{output}"
    );
}

// Assumption Q6: lists for callers with partial access. With every setting, a "no" is certain.
#[test]
fn the_provisioner_gets_yes_or_unknown_in_every_list_visibility_mode() {
    for listing in ["filtered", "refused", "everything"] {
        let cli = Cli::with_sandbox(&format!("--set assumptions.binding_list={listing}"));
        cli.run("onboard claims --sandbox --yes").expect_success();
        let ask = "access can-i delete connector/claims-orders --sandbox --as claims";
        cli.run(&format!("{ask}/deployer")).expect_success();
        cli.run(&format!("{ask}/operator")).expect_code(4);
        cli.run(&format!("{ask}/operator --sandbox-as admin")).expect_code(5);
    }
}

#[test]
fn a_department_can_ask_about_itself_with_its_profile() {
    let cli = Cli::onboarded("claims");
    let profile = cli.profiles_dir().join("claims-operator.toml");
    let ask = |question: &str| cli.run(&format!("access can-i {question} --profile {}", profile.display()));
    ask("pause connector/claims-orders").expect_success();
    let output = ask("delete connector/claims-orders").expect_code(4);
    assert!(output.stdout.starts_with("Unknown whether claims/operator"), "{output}");
}

/// A department has no platform files: its profile points to the service, here a sandbox on a socket.
#[test]
fn can_i_works_with_a_profile_and_no_platform_files() {
    let cli = Cli::onboarded("claims");
    let profile = std::fs::read_to_string(cli.profiles_dir().join("claims-operator.toml")).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let sandbox = cli.sandbox();
    let server = runtime.spawn(async move { sandbox.serve(listener).await });
    let sandbox_endpoint = format!("sandbox:{}", cli.state_dir().display());
    let path = cli.write("mine.toml", profile.replace(&sandbox_endpoint, &url));
    let ask = |question: &str| cli.run(&format!("access {question} --profile {} -o json", path.display()));
    let answer = ask("can-i restart connector/claims-orders").json();
    assert_eq!(
        (&answer["answer"], &answer["operation"]),
        (&"yes".into(), &"lifecycle".into())
    );
    assert_eq!(answer["principal"]["department"], "claims");
    assert_eq!(answer["granted_by"]["origin"]["from"], "unknown");
    assert_eq!(ask("can-i delete connector/claims-orders").json()["answer"], "unknown");
    ask("can-i delete connector/x --planned").expect_code(1);
    server.abort();
}

#[test]
fn who_can_lists_every_principal_with_the_reason() {
    insta::assert_snapshot!(access_planned("who-can delete connector/claims-orders"), @r"
    exit 0
    ----- stdout -----
    Principals that may delete connector claims-orders
         Principal    |       Role        |  Resource  |     Origin       
    ------------------+-------------------+------------+------------------
      claims/deployer | ResourceOwner     | connector  | template         
                      |                   | claims-*   | hybrid@1a2b3c4d  
      ebs-provisioner | CloudClusterAdmin | cluster    | provisioner      
                      |                   | lkc-prod01 |                  


    Origins:
      CloudClusterAdmin: provisioner: creates accounts and binds roles on the
          cluster.
      ResourceOwner: template hybrid@1a2b3c4d: the only role short of an
          administrator that creates and deletes connectors and sets the account
          they run under.

    Source: the built-in example platform, stage `prod`.
    The platform files contain neither administrators nor roles bound by hand.
    ");
    insta::assert_snapshot!(access_planned("who-can read topic/claims-orders"), @r"
    exit 0
    ----- stdout -----
    Principals that may read topic claims-orders
         Principal    |       Role        |    Resource    |     Origin       
    ------------------+-------------------+----------------+------------------
      claims/runtime  | DeveloperRead     | topic claims-* | template         
                      |                   |                | hybrid@1a2b3c4d  
      ebs-provisioner | CloudClusterAdmin | cluster        | provisioner      
                      |                   | lkc-prod01     |                  


    Origins:
      CloudClusterAdmin: provisioner: creates accounts and binds roles on the
          cluster.
      DeveloperRead: template hybrid@1a2b3c4d: sinks read the department's topics.

    Also claims/deployer, through this account: Assigner on service-account
      ebs-prod-claims-runtime.
    Source: the built-in example platform, stage `prod`.
    The platform files contain neither administrators nor roles bound by hand.
    ");
    let cli = Cli::onboarded("claims");
    let viewer = cli.account_id("ebs-prod-claims-viewer");
    cli.bind(
        &cli.provisioner_key(),
        &viewer,
        "ResourceOwner",
        &format!("{CLUSTER_CRN}/connector=claims-orders"),
    );
    let all = cli
        .run("access who-can delete connector/claims-* --sandbox-as admin -o json")
        .expect_success()
        .json();
    let who = |grant: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let persona = text(&grant["principal"]["persona"]);
        [persona, text(&grant["role_name"]), text(&grant["origin"]["from"])].join(" ")
    };
    let mut named: Vec<String> = all.items("/grants").iter().map(who).collect();
    named.sort();
    assert_eq!(
        named,
        [
            "- CloudClusterAdmin manual",
            "- OrganizationAdmin manual",
            "deployer ResourceOwner template",
            "viewer ResourceOwner manual",
        ]
    );
    assert_eq!(all["uncertainties"], Value::Array(Vec::new()));
    let all = cli
        .run("access who-can delete connector/claims-orders --sandbox -o json")
        .expect_success()
        .json();
    assert_eq!(
        all["uncertainties"][0]["uncertainty"], "hidden",
        "the provisioner is shown nothing above its cluster"
    );
}

#[test]
fn a_department_matrix_fits_80_columns() {
    insta::assert_snapshot!(access_planned("matrix claims"), @r"
    exit 0
    ----- stdout -----
    claims (template hybrid)
        Kind    |       Operation       | operator | deployer | viewer  | runtime  
    ------------+-----------------------+----------+----------+---------+----------
      topic     | describe              |          |          |         | own      
      topic     | create                |          |          |         | own      
      topic     | delete                |          |          |         | own      
      topic     | read                  |          |          |         | own      
      topic     | write                 |          |          |         | own      
      topic     | describe-configs      |          |          |         | own      
      topic     | alter-configs         |          |          |         | own      
      group     | describe              |          |          |         | shared   
      group     | read                  |          |          |         | shared   
      subject   | describe              |          |          |         | own      
      subject   | read                  |          |          |         | own      
      subject   | write                 |          |          |         | own      
      subject   | read-compatibility    |          |          |         | own      
      connector | describe              | own      | own      | own     |          
      connector | create                |          | own      |         |          
      connector | delete                |          | own      |         |          
      connector | read-config           | own      | own      | own     |          
      connector | read-status           | own      | own      | own     |          
      connector | view-logs             | own      | own      |         |          
      connector | view-metrics          | unknown  | unknown  | unknown |          
      connector | lifecycle             | own      | own      |         |          
      connector | configure             |          | own      |         |          
      connector | configure-credentials |          | own      |         |          
      connector | describe-access       |          | own      |         |          
      connector | alter-access          |          | own      |         |          
      account   | describe              |          | some     |         |          
      account   | create                |          | beyond   |         |          
      account   | assign                |          | some     |         |          


    own: all names with the department's prefix; some: some names or accounts of the
    department; shared: names that all departments share by design of Confluent
    Cloud; beyond: names outside the prefix; yes: the resource of the stage;
    unknown: Confluent's documents disagree (assumption Q5 of `confluent ebs doctor
    --assumptions --sandbox`). Other operations are not allowed, except to describe
    the organization, the environment and the cluster.
    Source: the built-in example platform, stage `prod`.
    ");
}

#[test]
fn departments_with_equal_rights_share_a_matrix() {
    let output = access_planned("matrix");
    let titles: Vec<&str> = output
        .stdout
        .lines()
        .filter(|line| line.contains("(template "))
        .collect();
    insta::assert_snapshot!(titles.join("\n"), @r"
    accounting, actuarial, broker and 15 more departments (template hybrid)
    compliance, hr, and legal (template read-only)
    data-platform, marketing, and risk (template self-service)
    ");
}

// Source: docs/reference/metrics.md#who-may-read-metrics. Two documents contradict each other; the service refuses what
// the first one allows.
#[test]
fn whether_a_role_on_connectors_includes_metrics_is_unknown() {
    for persona in ["operator", "deployer", "viewer"] {
        let question = format!("can-i view-metrics connector/claims-orders --as claims/{persona}");
        let output = access_planned(&question).expect_code(4);
        let text = output.stdout_line();
        assert!(
            text.contains("documents disagree") && text.contains("(assumption Q5 of"),
            "{output}"
        );
        assert!(!text.contains("Allowed on some names"), "{output}");
    }
    let output = access_planned("can-i pause connector/claims-orders --as claims/operator").expect_success();
    assert!(!output.stdout.contains("Q5"), "{output}");
    // An administrator may read them.
    access_planned("can-i view-metrics connector/claims-orders --principal ebs-provisioner").expect_success();
}

#[test]
fn matrix_csv_has_one_line_per_allowed_operation() {
    let output = access_planned("matrix hr -o csv");
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines[0], "department,template,persona,kind,operation,extent,role,on");
    assert!(
        lines.contains(&"hr,read-only,viewer,connector,read-config,own,DeveloperRead,connector hr-*"),
        "{output}"
    );
    assert!(
        lines.contains(&"hr,read-only,runtime,group,read,shared,DeveloperRead,group connect-lcc*"),
        "{output}"
    );
    assert!(lines.iter().all(|line| line.split(',').count() == 8), "{output}");
    let rights = access_planned("matrix hr -o json").json();
    assert_eq!(rights.items("/rights").len(), lines.len() - 1);
    access_planned("can-i read topic/x -o csv").expect_code(64);
}

#[test]
fn the_built_in_platform_passes_access_test() {
    insta::assert_snapshot!(access_planned("test"), @r"
    exit 0
    ----- stdout -----
    Checked 36 assertions with 8613 questions: all passed.
      rbac-templates/tests/hybrid-reader.toml: skipped, no department uses its
          template.
      Relies on ConnectManager: if Confluent Cloud rejects it, the template's
          fallback role allows less.
    Isolation by name prefix: passed (all operations, 552 ordered pairs of
    departments, 234 role bindings).
      Shared by 24 departments by design of Confluent Cloud: group connect-lcc*.
      24 accounts of departments may create service accounts, because ResourceOwner
          allows it.
    Source: the built-in example platform, stage `prod`.
    ");
}

/// A platform of two departments.
fn write_platform_files(cli: &Cli) {
    cli.write(
        "ebs.toml",
        "[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n\n[stages.prod]\nenvironment = \"env-prod01\"\n\
         cluster = \"lkc-prod01\"\nschema_registry = \"lsrc-prod01\"\n",
    );
    for code in ["claims", "fraud"] {
        cli.write(
            format!("departments/{code}.toml"),
            format!("name = \"{code}\"\nprefix = \"{code}-\"\n"),
        );
    }
}

#[test]
fn access_test_reports_a_counter_example_for_a_broken_assertion() {
    let cli = Cli::new();
    write_platform_files(&cli);
    cli.run("access test").expect_success();
    let hybrid = include_str!("../../rbac-templates/hybrid.toml");
    // The operator is now allowed to change connectors, and connectors write to a topic that all departments share.
    let wider = hybrid.replace("role = \"ConnectManager\"", "role = \"DeveloperWrite\"");
    let shared = "\n[[persona.grant]]\nrole = \"DeveloperWrite\"\non = \"topic:audit*\"\nwhy = \"audit trail\"\n";
    cli.write("rbac-templates/hybrid.toml", format!("{wider}{shared}"));
    insta::assert_snapshot!(with_fixed_template_hash(cli.run("access test")), @r#"
    exit 5
    ----- stdout -----
    error[access-can]: claims/operator cannot view-logs, lifecycle on connector
                       claims-*; and 1 more matching persona
     --> rbac-templates/tests/hybrid.toml:6:1
      |
    6 | who = ["*/operator"]
      | ^^^^^^^^^^^^^^^^^^^
      |
      = help: No role binding and no ACL allows it. Change the template or the
              assertion.

    error[access-cannot]: claims/operator can configure on connector *; and 1 more
                          matching persona
      --> rbac-templates/tests/hybrid.toml:12:1
       |
    12 | who = ["*/operator", "*/viewer"]
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: Allowed by DeveloperWrite on connector claims-* (template
               hybrid@1a2b3c4d: status, logs, pause, resume and restart of own
               connectors; without creating, changing or deleting them).

    Found 2 errors.

    Checked 14 assertions with 762 questions: 2 FAILED.
      rbac-templates/tests/hybrid-reader.toml: skipped, no department uses its
          template.
      rbac-templates/tests/self-service.toml: skipped, no department uses its
          template.
      rbac-templates/tests/read-only.toml: skipped, no department uses its template.
    Isolation by name prefix: FAILED (all operations, 2 ordered pairs of
    departments, 22 role bindings).
      fraud/runtime of fraud has access to topic audit* of claims through
          DeveloperWrite on topic audit*; template hybrid@1a2b3c4d: audit trail.
      Shared by 2 departments by design of Confluent Cloud: group connect-lcc*.
      2 accounts of departments may create service accounts, because ResourceOwner
          allows it.
    Source: [HOME], stage `prod`.
    ----- stderr -----
    Error: 2 of 14 assertions failed; departments are not isolated
    "#);
    // The assertions beside the template replace the built-in file.
    cli.write(
        "rbac-templates/tests/hybrid.toml",
        "template = \"hybrid\"\n\n[[can]]\nwho = [\"*/operator\"]\noperations = [\"configure\"]\non = [\"connector:{prefix}*\"]\n",
    );
    let output = cli.run("access test -o json");
    assert_eq!(
        (output.code, &output.json()["failed"]),
        (Some(5), &0.into()),
        "the overlap of topics stays: {output}"
    );
    assert_eq!(
        output.json()["isolation"]["counter_examples"][0]["granted_by"]["role_name"],
        "DeveloperWrite"
    );
}

#[test]
fn an_invalid_assertion_stops_access_test() {
    let cli = Cli::new();
    write_platform_files(&cli);
    cli.write(
        "mine.toml",
        "[[can]]\nwho = [\"*/operatr\"]\noperations = [\"pause\"]\non = [\"connector:{prefix}*\"]\n",
    );
    insta::assert_snapshot!(cli.run("access test mine.toml"), @r#"
    exit 1
    ----- stderr -----
    Error: invalid assertions

    error[unknown-persona]: no persona `operatr` in any template
     --> mine.toml:2:8
      |
    2 | who = ["*/operatr"]
      |        ^^^^^^^^^^^
      |
      = help: Did you mean `operator`?

    Found 1 error.
    "#);
    let output = cli.run("access test nowhere.toml").expect_code(1);
    assert!(
        output.stderr.contains("cannot read the file: it does not exist"),
        "{output}"
    );
}

#[test]
fn access_test_live_passes_after_onboarding_as_far_as_visible() {
    let cli = Cli::onboarded("claims fraud");
    let output = cli.run_without_writes("access test --live --sandbox", 0);
    assert!(output.stdout.contains("The results may be incomplete"), "{output}");
    cli.run("access test --live --strict --sandbox").expect_code(4);

    // The administrator manually grants a viewer of claims access to fraud.
    let viewer = cli.account_id("ebs-prod-claims-viewer");
    cli.bind(
        &cli.admin_key(),
        &viewer,
        "DeveloperRead",
        &format!("{CLUSTER_CRN}/connector=fraud-*"),
    );
    let output = cli.run("access test --live --sandbox").expect_code(5);
    assert!(
        output.stderr.contains("failed; departments are not isolated"),
        "{output}"
    );
    let words: Vec<&str> = output.stdout.split_whitespace().collect();
    let reached = "claims/viewer can describe, read-config, read-status, view-metrics on connector fraud-*";
    assert!(words.join(" ").contains(reached), "{output}");
    assert!(
        output.stdout.contains("has access to connector fraud-* of fraud"),
        "{output}"
    );
}

#[test]
fn a_snapshot_answers_offline_and_without_a_key() {
    let machine = OnboardingMachine::new(SandboxSettings::default());
    let info = machine.sandbox.info(false).unwrap();
    let (_, stage) = machine.session.workspace.platform.stage(None).unwrap();
    let target = ObservationTarget {
        organization: None,
        environment: stage.environment.clone(),
        cluster: stage.cluster.clone(),
        schema_registry: None,
        provisioner: None,
        key: Some(info.admin_key.parse().unwrap()),
    };
    assert!(!machine.onboard(&["claims"]).is_idle());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (client, clock) = (machine.administrator(), machine.sandbox.clock());
    // An organization administrator is a user, and can list everything except what requires a key of the cluster;
    // objects of provisioned kinds are read separately.
    let snapshot = runtime
        .block_on(plan::observe_visible(&client, &clock, &target))
        .unwrap();
    let unknown: Vec<String> = snapshot.unknown.keys().map(ToString::to_string).collect();
    assert_eq!(unknown, ["ACLs of the cluster", "client quotas of the cluster"]);
    assert_eq!(snapshot.observed_by.id(), info.admin);
    let cli = Cli::new();
    let saved = SnapshotFile {
        stage: "prod".to_owned(),
        snapshot,
    };
    saved.save(&cli.path("seen.json"), IfExists::Keep).unwrap();

    let ask = |question: &str| cli.run(&format!("access {question} --from seen.json --sandbox"));
    ask("can-i delete connector/claims-a --as claims/deployer").expect_success();
    ask("can-i delete connector/claims-a --as claims/operator").expect_code(5);
    // Fraud is not onboarded.
    let output = ask("can-i delete connector/fraud-a --as fraud/operator");
    assert!(
        output.stderr.contains("`fraud/operator` has no service account"),
        "{output}"
    );
    ask("test").expect_success();
    let output = ask("who-can delete connector/claims-a");
    assert!(output.stdout.contains("OrganizationAdmin"), "{output}");
    assert!(
        output.stdout.contains("Source: snapshot `seen.json` of stage `prod`"),
        "{output}"
    );

    let output = ask("test --stage test");
    assert!(
        output.stderr.contains("was taken of stage `prod`, not of `test`"),
        "{output}"
    );
    cli.write("seen.json", "{}");
    let output = ask("test").expect_code(1);
    assert!(
        output
            .stderr
            .contains("`seen.json` is not a snapshot of `confluent-ebs`"),
        "{output}"
    );
}
