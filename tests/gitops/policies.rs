//! Policies of the site in `validate`, `plan` and `apply`.

use confluent_ebs::gitops::policies::shipped_policies;

use crate::{
    CANARY,
    common::{Cli, JsonAccess as _},
    datagen, gitops, repository,
};

/// A rule with a test of each result; `violates` and `satisfies` are the lines of the tests.
fn write_policy(cli: &Cli, id: &str, severity: &str, expression: &str, violates: &str, satisfies: &str) {
    let rule = format!(
        "[[rule]]\nid = \"{id}\"\nseverity = \"{severity}\"\nexpression = '''{expression}'''\nmessage = \"against \
         the policy of {id}\"\nfix = \"Ask the owners of {id}.\"\n"
    );
    cli.write(format!("policies/{id}.toml"), rule);
    let tests = format!("[[violates]]\nrule = \"{id}\"\n{violates}\n[[satisfies]]\nrule = \"{id}\"\n{satisfies}\n");
    cli.write(format!("policies/tests/{id}.toml"), tests);
}

const QUICKSTART: &str = "connector.config[?\"quickstart\"].orValue(\"\") != \"ORDERS\"";
const ORDERS: &str = "connector.config.quickstart = \"ORDERS\"";

/// A policy that `claims-gen` violates.
fn write_quickstart_policy(cli: &Cli, severity: &str) {
    write_policy(cli, "no-orders", severity, QUICKSTART, ORDERS, "");
}

#[test]
fn every_format_shows_a_violation_with_its_rule_at_the_key() {
    let cli = repository();
    write_quickstart_policy(&cli, "error");
    for (format, expected) in [
        ("human", "error[no-orders]: against the policy of no-orders"),
        ("json", "\"rule\": \"no-orders\""),
        ("sarif", "\"ruleId\": \"no-orders\""),
        ("github", "::error file=connectors/claims/prod/claims-gen.yaml,line=4"),
        ("gitlab", "\"check_name\": \"no-orders\""),
        ("junit", "type=\"no-orders\""),
        ("markdown", "\\[no-orders\\]"),
    ] {
        let output = cli
            .run(&format!("gitops validate --sandbox -o {format}"))
            .expect_code(5);
        assert!(output.stdout.contains(expected), "{format}: {output}");
    }
    let sarif = cli.run("gitops validate --sandbox -o sarif").json();
    let rule = &sarif["runs"][0]["tool"]["driver"]["rules"][0];
    assert_eq!(rule["help"]["text"], "Ask the owners of no-orders.");
    assert_eq!(rule["shortDescription"]["text"], "against the policy of no-orders");
    write_quickstart_policy(&cli, "warning");
    let output = cli.run("gitops validate --sandbox").expect_success();
    assert!(output.stdout.contains("warning[no-orders]"), "{output}");
    let plan = gitops(&cli, "plan -o json").expect_success().json();
    assert_eq!(plan.text("/plans/0/policies/0/severity"), "warning");
    assert!(plan["plans"][0]["id"].is_string(), "{plan}");
}

#[test]
fn a_violation_refuses_the_plan_and_its_apply() {
    let cli = repository();
    let allowed = gitops(&cli, "plan -o json").expect_success().json();
    let id = allowed.text("/plans/0/id").to_owned();
    write_quickstart_policy(&cli, "error");
    let plan = gitops(&cli, "plan -o json").expect_code(5).json();
    assert!(plan["plans"][0]["id"].is_null(), "{plan}");
    assert_eq!(
        (
            plan.text("/plans/0/policies/0/rule"),
            plan.text("/plans/0/policies/0/file")
        ),
        ("no-orders", "connectors/claims/prod/claims-gen.yaml")
    );
    let human = gitops(&cli, "plan").expect_code(5);
    assert!(human.stdout.contains("error[no-orders]"), "{human}");
    let markdown = gitops(&cli, "plan -o markdown").expect_code(5);
    assert!(
        markdown.stdout.contains("Must not be applied") && markdown.stdout.contains("**Policy** no-orders in"),
        "{markdown}"
    );
    let before = cli.last_request_seq();
    for approval in [format!("--expect {id}"), "--max-risk destructive".to_owned()] {
        let apply = gitops(&cli, &format!("apply {approval}")).expect_code(5);
        assert!(
            apply.stderr.contains("[no-orders]") && apply.stdout.is_empty(),
            "{apply}"
        );
    }
    let changes = cli.requests_since(before);
    let is_change =
        |path: &str, method: &str| method != "GET" && path.contains("/connect/") && !path.ends_with("validate");
    assert!(
        !changes.iter().any(|entry| is_change(&entry.path, &entry.method)),
        "{changes:?}"
    );
}

#[test]
fn a_rule_whose_tests_fail_or_are_missing_stops_validate_plan_and_apply() {
    let cli = repository();
    write_policy(&cli, "always", "warning", "stage != \"\"", "", "");
    for command in ["plan", "apply --max-risk normal"] {
        let output = gitops(&cli, command).expect_code(5);
        assert!(output.stderr.contains("policy-test"), "{output}");
    }
    let output = cli.run("gitops validate connectors/claims --sandbox").expect_code(5);
    assert!(
        output.stdout.contains("policies/tests/always.toml:2:8") && output.stdout.contains("the test expects a"),
        "{output}"
    );
    crate::remove(&cli, "policies/tests");
    let output = cli.run("gitops validate --sandbox").expect_code(5);
    assert_eq!(output.stdout.matches("policy-untested").count(), 2, "{output}");
    cli.write("policies/always.toml", "[[rule]]\nid = 5\n");
    let output = cli.run("gitops validate --sandbox").expect_code(5);
    assert!(output.stdout.contains("policies/always.toml:2:6"), "{output}");
}

#[test]
fn a_rule_about_a_change_is_judged_in_the_plan_and_a_ticket_allows_it() {
    let cli = repository();
    gitops(&cli, "apply --max-risk high").expect_success();
    for (path, text) in shipped_policies() {
        if path.ends_with("changes.toml") {
            cli.write(path, text);
        }
    }
    let file = "connectors/claims/prod/claims-gen.yaml";
    cli.write(file, "state: absent\n");
    cli.run("gitops validate --sandbox").expect_success();
    let plan = gitops(&cli, "plan -o json").expect_code(5).json();
    assert_eq!(
        (
            plan.text("/plans/0/policies/0/rule"),
            plan.text("/plans/0/policies/0/file")
        ),
        ("delete-needs-ticket", file)
    );
    gitops(&cli, "apply --max-risk destructive").expect_code(5);
    cli.write(file, "state: absent\nticket: CHG-1234\n");
    let applied = gitops(&cli, "apply --max-risk destructive -o json")
        .expect_success()
        .json();
    assert_eq!(applied.text("/departments/0/done/0/action"), "delete");
}

#[test]
fn another_policy_makes_an_approved_plan_stale_and_another_comment_does_not() {
    let cli = repository();
    let expression = "stage != \"prod\" || connector.tasks_max < 9";
    let violates = "connector.tasks_max = 9";
    write_policy(&cli, "tasks", "error", expression, violates, "");
    let plan = gitops(&cli, "plan --out plan.json -o json").expect_success().json();
    let id = plan.text("/plans/0/id").to_owned();
    let same = std::fs::read_to_string(cli.path("policies/tasks.toml")).unwrap();
    cli.write("policies/tasks.toml", format!("# a comment\n{same}"));
    let again = gitops(&cli, "plan -o json").expect_success().json();
    assert_eq!(again.text("/plans/0/id"), id);
    write_policy(&cli, "tasks", "error", &expression.replace('9', "8"), violates, "");
    for expected in [id.as_str(), "plan.json"] {
        let stale = gitops(&cli, &format!("apply --expect {expected}")).expect_code(7);
        assert!(stale.stderr.contains("is not the approved one"), "{stale}");
    }
    write_policy(&cli, "tasks", "error", expression, violates, "");
    gitops(&cli, &format!("apply --expect {id}")).expect_success();
}

#[test]
fn the_plan_knows_the_account_and_the_former_values_that_validate_does_not() {
    let cli = repository();
    gitops(&cli, "apply --max-risk high").expect_success();
    for (path, text) in shipped_policies() {
        if path.ends_with("identity.toml") {
            cli.write(path, text);
        }
    }
    write_policy(
        &cli,
        "keeps-quickstart",
        "error",
        "!(\"quickstart\" in change.keys) || change.old[?\"quickstart\"].orValue(\"\") != \"ORDERS\"",
        "change.keys = [\"quickstart\"]\nchange.old.quickstart = \"ORDERS\"",
        "",
    );
    let text = datagen("claims-gen").replace("quickstart: ORDERS", "quickstart: PAGEVIEWS")
        + "  kafka.auth.mode: SERVICE_ACCOUNT\n  kafka.service.account.id: sa-foreign\n";
    cli.write("connectors/claims/prod/claims-gen.yaml", text);
    cli.run("gitops validate --sandbox").expect_success();
    // With the profile of a department, the linter knows the account as well, and refuses before the plan.
    let plan = cli.run("gitops plan --sandbox -o json").expect_code(5).json();
    let rules: Vec<&str> = plan
        .items("/plans/0/policies")
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["own-runtime-account", "keeps-quickstart"]);
}

#[test]
fn the_shipped_policies_judge_a_repository_and_no_secret_is_shown() {
    let cli = repository();
    for (path, text) in shipped_policies() {
        cli.write(path, text);
    }
    let literal = crate::SOURCE.replace("${env:EBS_SECRET_PG}", CANARY);
    cli.write("connectors/claims/claims-orders.yaml", literal);
    let output = cli.run("gitops validate --sandbox -o json").expect_code(5);
    assert!(!output.to_string().contains(CANARY), "{output}");
    let report = output.json();
    let found: Vec<String> = report
        .items("/findings")
        .iter()
        .map(|finding| {
            format!(
                "{}:{} {}",
                finding.text("/file"),
                finding["line"],
                finding.text("/rule")
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "connectors/claims/claims-orders.yaml:6 literal-secret",
            "connectors/claims/prod/claims-gen.yaml:2 plugin-of-stage",
            "connectors/claims/prod/claims-orders.yaml:2 tasks-of-plugin",
        ]
    );
}
