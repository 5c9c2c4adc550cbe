//! `gitops plan`: reads only.

use crate::{CANARY, common::JsonAccess as _, datagen, gitops, remove, repository};

#[test]
fn the_plan_of_a_new_repository_creates_and_sends_nothing() {
    let cli = repository();
    let before = cli.last_request_seq();
    let plan = gitops(&cli, "plan -o json").expect_success().json();
    let actions: Vec<String> = plan
        .items("/plans/0/items")
        .iter()
        .map(|item| format!("{} {}", item.text("/action"), item.text("/address/name")))
        .collect();
    assert_eq!(actions, ["create claims-gen", "create claims-orders"]);
    // The validation of a configuration is a PUT that changes nothing.
    let requests = cli.requests_since(before);
    let puts: Vec<_> = requests
        .iter()
        .filter(|entry| entry.method != "GET" && entry.path.contains("/connect/"))
        .collect();
    assert_eq!(puts.len(), 2, "{puts:?}");
    assert!(
        puts.iter().all(|entry| entry.path.ends_with("/config/validate")),
        "{puts:?}"
    );
    gitops(&cli, "plan --detailed-exitcode").expect_code(2);
}

#[test]
fn a_plan_contains_references_and_no_secrets() {
    let cli = repository();
    let output = gitops(&cli, "plan --out plan.json -o json").expect_success();
    let file = std::fs::read_to_string(cli.path("plan.json")).unwrap();
    for text in [&output.to_string(), &file] {
        assert!(
            text.contains("${env:EBS_SECRET_PG}") && !text.contains(CANARY),
            "{text}"
        );
    }
    // Without the variable, a plan is the same: it resolves no reference.
    let without = cli
        .run(&format!("gitops plan -o json {}", crate::DEPLOYER))
        .expect_success();
    assert_eq!(without.stdout, output.stdout);
}

#[test]
fn the_platform_plans_all_departments_with_one_list_and_the_same_ids() {
    let cli = repository();
    cli.run("onboard fraud --sandbox --yes").expect_success();
    cli.run("sandbox clock advance 10m").expect_success();
    cli.write("connectors/fraud/prod/fraud-gen.yaml", datagen("fraud-gen"));
    let before = cli.last_request_seq();
    let plans = cli.run("gitops plan --sandbox -o json").expect_success().json();
    let departments: Vec<&str> = plans
        .items("/plans")
        .iter()
        .map(|plan| plan["department"].as_str().unwrap())
        .collect();
    assert_eq!(departments, ["claims", "fraud"]);
    let lists = cli.requests_since(before);
    let lists = lists
        .iter()
        .filter(|entry| entry.method == "GET" && entry.path.ends_with("/connectors"))
        .count();
    assert_eq!(lists, 1);
    let own = gitops(&cli, "plan -o json").expect_success().json();
    assert_eq!(own["plans"][0]["id"], plans["plans"][0]["id"]);
}

#[test]
fn an_invalid_value_that_only_the_service_knows_withholds_the_id() {
    let cli = repository();
    let text = datagen("claims-gen").replace("ORDERS", "NO_SUCH_QUICKSTART");
    cli.write("connectors/claims/prod/claims-gen.yaml", text);
    let output = gitops(&cli, "plan -o json");
    // Either the linter knows it and nothing is asked, or the service says it and the plan has no id.
    assert_eq!(output.code, Some(5), "{output}");
    if !output.stdout.is_empty() {
        assert!(output.json()["plans"][0]["id"].is_null(), "{output}");
    }
}

#[test]
fn markdown_has_a_mark_and_no_mention_of_a_value() {
    let cli = repository();
    let hostile =
        datagen("claims-gen").replace("quickstart: ORDERS", "schema.string: \"@everyone <script>|</details>\"");
    cli.write("connectors/claims/prod/claims-gen.yaml", hostile);
    let output = gitops(&cli, "plan -o markdown");
    assert!(
        output.stdout.starts_with("<!-- confluent-ebs plan claims/prod -->"),
        "{output}"
    );
    assert!(
        !output.stdout.contains("@everyone") && !output.stdout.contains("<script>"),
        "{output}"
    );
    assert_eq!(
        output.stdout.matches("</details>").count(),
        output.stdout.matches("<details>").count(),
        "{output}"
    );
}

#[test]
fn a_profile_for_another_prefix_than_the_platform_files_is_refused() {
    let cli = repository();
    cli.write("ebs.toml", crate::common::EBS_TOML);
    cli.write("departments/claims.toml", "name = \"Claims\"\nprefix = \"claimz-\"\n");
    remove(&cli, "connectors/claims");
    cli.write("connectors/claims/prod/claimz-gen.yaml", datagen("claimz-gen"));
    let output = gitops(&cli, "plan").expect_code(5);
    assert!(output.stderr.contains("differ in the prefix"), "{output}");
}

#[test]
fn a_new_connector_must_follow_the_naming_convention_of_the_platform_files() {
    let cli = repository();
    let naming = format!("{}[naming]\nconnector = \"*-source\"\n", crate::common::EBS_TOML);
    cli.write("ebs.toml", naming);
    cli.write("departments/claims.toml", "name = \"Claims\"\nprefix = \"claims-\"\n");
    remove(&cli, "connectors/claims");
    cli.write("connectors/claims/prod/claims-gen.yaml", datagen("claims-gen"));
    let output = gitops(&cli, "plan -o json").expect_code(5);
    assert!(
        output
            .json()
            .text("/plans/0/errors/0/message")
            .contains("does not follow the naming convention"),
        "{output}"
    );
    remove(&cli, "connectors/claims/prod/claims-gen.yaml");
    cli.write("connectors/claims/prod/claims-gen-source.yaml", datagen("claims-gen"));
    gitops(&cli, "plan").expect_success();
}

#[test]
fn a_viewer_gets_a_plan_that_says_what_was_not_checked() {
    let cli = repository();
    let viewer = crate::DEPLOYER.replace("deployer", "viewer");
    let output = cli
        .run(&format!("gitops plan -o json {viewer}"))
        .expect_success()
        .json();
    assert_eq!(output.items("/plans/0/items").len(), 2, "{output}");
    let checked = gitops(&cli, "plan -o json").expect_success().json();
    assert_eq!(output["plans"][0]["id"], checked["plans"][0]["id"]);
    if output["plans"][0]["not_checked"] != checked["plans"][0]["not_checked"] {
        assert!(
            output
                .text("/plans/0/not_checked/0/message")
                .contains("may not validate"),
            "{output}"
        );
    }
}
