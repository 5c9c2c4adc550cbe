//! `gitops init` and `gitops changed`: the pipelines of three forges, and what they may and may not do.

use serde_json::Value;

use crate::{
    SOURCE,
    common::{Cli, JsonAccess as _},
    datagen, git, gitops, remove, repository,
};

const FORGES: [&str; 3] = ["github", "gitlab", "azure"];

const CLAIMS: &str = "name = \"Claims\"\nprefix = \"claims-\"\n";

/// A platform with one department, two stages, of which one applies without reviewers, and a connector with a secret.
pub(crate) fn platform() -> Cli {
    platform_with(CLAIMS)
}

fn platform_with(department: &str) -> Cli {
    let cli = Cli::with_platform([("claims", department)]);
    let text = cli.read("ebs.toml");
    cli.write(
        "ebs.toml",
        format!(
            "{text}[stages.test]\nenvironment = \"env-test01\"\ncluster = \"lkc-test01\"\n[platform]\nowners = \
             [\"@example/platform\"]\n[gitops]\nauto_apply = {{ test = \"high\" }}\n"
        ),
    );
    cli.write("connectors/claims/claims-orders.yaml", SOURCE);
    cli.write(
        "connectors/claims/prod/claims-orders.yaml",
        "config:\n  tasks.max: \"2\"\n",
    );
    cli.write("connectors/claims/test/claims-gen.yaml", datagen("claims-gen"));
    std::fs::create_dir_all(cli.path(".git")).unwrap();
    cli
}

pub(crate) fn init(cli: &Cli, args: &str) {
    cli.run(&format!("gitops init --ci {args}")).expect_success();
}

/// The generated YAML files of a forge, by path.
pub(crate) fn pipelines(cli: &Cli) -> Vec<(String, String)> {
    let paths = [
        ".github/workflows/connectors.yml",
        ".github/workflows/connectors-stage.yml",
        ".gitlab-ci.yml",
        ".gitlab/connectors.yml",
        ".azure/connectors.yml",
        ".azure/connectors-stage.yml",
    ];
    let existing = paths.into_iter().filter(|path| cli.path(path).exists());
    existing.map(|path| (path.to_owned(), cli.read(path))).collect()
}

pub(crate) fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn jobs(workflow: &Value) -> Vec<(&String, &Value)> {
    workflow["jobs"].as_object().unwrap().iter().collect()
}

/// Paths and states that `gitops init` reports.
pub(crate) fn states(cli: &Cli, args: &str, code: i32) -> Vec<String> {
    let output = cli.run(&format!("gitops init -o json --ci {args}")).expect_code(code);
    let files = output.json().items("/files").to_vec();
    let state = |file: &Value| format!("{} {}", file.text("/path"), file.text("/state"));
    files.iter().map(state).collect()
}

#[test]
fn a_department_in_a_stage_has_its_own_jobs() {
    let cli = platform();
    init(&cli, "gitlab");
    let text = cli.read(".gitlab/connectors.yml");
    let of_place = |start: &str, end: &str| {
        let rest = &text[text.find(start).unwrap()..];
        rest[..rest.find(end).unwrap()].to_owned()
    };
    insta::assert_snapshot!(of_place("plan claims/prod:", "\nplan claims/test:"), @r##"
    plan claims/prod:
      extends: .connectors-plan
      variables: {DEPARTMENT: 'claims', STAGE: 'prod', AUTO_APPLY: 'none'}
      environment: {name: 'claims-prod-plan', action: access}
      rules:
        - if: $CI_PIPELINE_SOURCE == "merge_request_event" && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID
          changes: &claims-prod ['connectors/claims/*', 'connectors/claims/prod/**/*', 'departments/claims.toml', 'profiles/prod/claims-*.toml']
        - if: $CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
          changes: *claims-prod
        - if: $CI_PIPELINE_SOURCE == "web" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $SEND_SECRETS && $ROTATE == "claims/prod"

    apply claims/prod:
      extends: .connectors-apply-approved
      needs: ['plan claims/prod']
      variables: {DEPARTMENT: 'claims', STAGE: 'prod'}
      environment: {name: 'claims-prod'}
      resource_group: connectors-claims-prod
      rules:
        - if: $CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
          changes: *claims-prod
          when: manual
          allow_failure: false
        - if: $CI_PIPELINE_SOURCE == "web" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $SEND_SECRETS && $ROTATE == "claims/prod"
          when: manual
          allow_failure: false

    drift claims/prod:
      extends: .connectors-drift
      variables: {DEPARTMENT: 'claims', STAGE: 'prod'}
      environment: {name: 'claims-prod-plan', action: access}
      rules:
        - if: $CI_PIPELINE_SOURCE == "schedule"
          exists: ['connectors/claims/prod/*']
    "##);
    insta::assert_snapshot!(of_place("apply claims/test automatically:", "\ndrift claims/test:"), @r##"
    apply claims/test automatically:
      extends: .connectors-apply-automatically
      needs: ['plan claims/test']
      variables: {DEPARTMENT: 'claims', STAGE: 'test', AUTO_APPLY: 'high'}
      environment: {name: 'claims-test-automatic'}
      resource_group: connectors-claims-test
      rules:
        - if: $CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
          changes: *claims-test
    "##);
    init(&cli, "azure");
    let text = cli.read(".azure/connectors.yml");
    insta::assert_snapshot!(text.split_once("  - template:").unwrap().1, @r##"
     connectors-stage.yml
        parameters:
          department: 'claims'
          stage: 'prod'
          name: 'claims__prod'
          auto_apply: 'none'
          branch: 'main'
          send_secrets: ${{ parameters.send_secrets }}
          secrets: ['EBS_SECRET_PG']

      - template: connectors-stage.yml
        parameters:
          department: 'claims'
          stage: 'test'
          name: 'claims__test'
          auto_apply: 'high'
          branch: 'main'
          send_secrets: ${{ parameters.send_secrets }}
          secrets: []
    "##);
}

#[test]
fn jobs_of_github_have_few_permissions_and_keys_only_in_environments() {
    for args in ["github", "github --image registry.example.com/ebs:1 --runner linux"] {
        let cli = platform();
        init(&cli, args);
        for (path, text) in pipelines(&cli) {
            assert!(!text.contains("pull_request_target"), "{path}");
            let workflow = yaml(&text);
            assert_eq!(workflow["permissions"], serde_json::json!({}), "{path}");
            for (name, job) in jobs(&workflow) {
                let place = format!("{path} {name}");
                let is_call = job.get("uses").is_some();
                let steps = job["steps"].to_string();
                let has_key = steps.contains("secrets.");
                let writes = job["permissions"].to_string().contains("write");
                assert!(job["permissions"].is_object(), "{place}");
                assert!(!(has_key && writes), "{place}");
                assert_eq!(has_key, job.get("environment").is_some(), "{place}");
                assert!(is_call || job["timeout-minutes"].is_number(), "{place}");
                if name.starts_with("apply") {
                    assert_eq!(job["concurrency"]["cancel-in-progress"], Value::Bool(false), "{place}");
                    assert!(steps.contains("EBS_SECRET_PG"), "{place}");
                } else {
                    assert!(!steps.contains("EBS_SECRET_"), "{place}");
                }
                for step in job["steps"].as_array().unwrap_or(&Vec::new()) {
                    // What a branch, a title or an input contains never becomes a part of a script.
                    assert!(!step["run"].to_string().contains("${{"), "{place}: {step}");
                    let Some(action) = step["uses"].as_str() else { continue };
                    let (action, commit) = action.split_once('@').unwrap();
                    let known = [
                        "actions/checkout",
                        "actions/upload-artifact",
                        "actions/download-artifact",
                    ];
                    assert!(
                        known.contains(&action) && commit.len() == 40,
                        "{place}: {action}@{commit}"
                    );
                    if action == "actions/checkout" {
                        assert_eq!(step["with"]["persist-credentials"], Value::Bool(false), "{place}");
                    }
                }
            }
        }
        let stage = yaml(&cli.read(".github/workflows/connectors-stage.yml"));
        let environments: Vec<&str> = jobs(&stage)
            .into_iter()
            .map(|(_, job)| job.text("/environment").rsplit("}}").next().unwrap())
            .collect();
        assert_eq!(environments, ["-plan", "-automatic", ""]);
    }
}

#[test]
fn without_environments_nothing_is_applied_but_a_plan_by_its_id() {
    let cli = platform();
    init(&cli, "github --without-environments");
    for (path, text) in pipelines(&cli) {
        assert!(
            !text.contains("environment:") && !text.contains("--max-risk \"$"),
            "{path}"
        );
    }
    let stage = yaml(&cli.read(".github/workflows/connectors-stage.yml"));
    assert_eq!(
        jobs(&stage).iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["plan", "apply"]
    );
    assert_eq!(stage.text("/jobs/apply/if"), "inputs.plan != ''");
    let workflow = yaml(&cli.read(".github/workflows/connectors.yml"));
    let with_plan: Vec<&String> = jobs(&workflow)
        .into_iter()
        .filter(|(_, job)| job["with"].get("plan").is_some())
        .map(|(name, _)| name)
        .collect();
    assert_eq!(with_plan, ["apply"]);
    assert!(workflow.text("/jobs/apply/if").contains("workflow_dispatch"));
    // Every plan of the other forges has environments.
    for forge in ["gitlab", "azure"] {
        let output = cli
            .run(&format!("gitops init --ci {forge} --without-environments"))
            .expect_code(64);
        assert!(output.stderr.contains("has environments"), "{output}");
    }
}

#[test]
fn jobs_of_gitlab_that_apply_are_manual_and_serialized() {
    let cli = platform();
    init(&cli, "gitlab");
    let text = cli.read(".gitlab/connectors.yml");
    assert!(!text.contains("EBS_SECRET_"), "environments provide the variables");
    let pipeline = yaml(&text);
    for place in ["claims-prod", "claims-test"] {
        let name = place.replace('-', "/");
        let apply = &pipeline[&format!("apply {name}")];
        assert_eq!(apply.text("/environment/name"), place);
        assert_eq!(apply.text("/resource_group"), format!("connectors-{place}"));
        for rule in apply.items("/rules") {
            assert_eq!(rule.text("/when"), "manual");
            assert!(rule.text("/if").contains("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"));
        }
        // The viewer's key of a merge request is in another environment, and forks get none.
        let plan = &pipeline[&format!("plan {name}")];
        assert_eq!(plan.text("/environment/name"), format!("{place}-plan"));
        assert!(
            plan.text("/rules/0/if")
                .contains("$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID")
        );
    }
    assert!(pipeline.get("apply claims/prod automatically").is_none());
    let automatic = &pipeline["apply claims/test automatically"];
    assert_eq!(automatic.text("/environment/name"), "claims-test-automatic");
    assert_eq!(automatic.text("/variables/AUTO_APPLY"), "high");
    assert!(pipeline["connectors-validate"].get("environment").is_none());
}

#[test]
fn stages_of_azure_that_apply_wait_for_their_environment() {
    let cli = platform();
    init(&cli, "azure");
    let text = cli.read(".azure/connectors-stage.yml");
    let template = yaml(&text);
    let apply = template.items("/stages").last().unwrap();
    assert_eq!(apply.text("/lockBehavior"), "sequential");
    assert_eq!(
        apply.text("/jobs/0/environment"),
        "${{ parameters.department }}-${{ parameters.stage }}"
    );
    assert!(apply.text("/condition").contains("Build.SourceBranch"));
    // Scripts get parameters as variables.
    let mut scripts = Vec::new();
    collect_scripts(&template, &mut scripts);
    assert_eq!(scripts.len(), 5);
    for script in scripts {
        assert!(
            !script.contains("${{") && !script.contains("$(System") && !script.contains("$(Build"),
            "{script}"
        );
    }
    let pipeline = yaml(&cli.read(".azure/connectors.yml"));
    let secrets = |index: usize| pipeline["stages"][index]["parameters"]["secrets"].clone();
    assert_eq!(secrets(1), serde_json::json!(["EBS_SECRET_PG"]));
    assert_eq!(secrets(2), serde_json::json!([]));
}

/// The texts of all `bash` and `run` steps.
fn collect_scripts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(script) if key == "bash" || key == "run" => found.push(script),
                    Value::Array(lines) if key == "script" => found.extend(lines.iter().filter_map(Value::as_str)),
                    value => collect_scripts(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_scripts(value, found)),
        _ => {}
    }
}

/// The calls of the program in a script, each on one line.
fn calls(script: &str) -> Vec<String> {
    let joined = script.replace("\\\n", " ");
    let calls = joined.split("confluent-ebs ").skip(1).map(|rest| {
        let end = [" > ", " || ", " ;;", "\n", "; "]
            .iter()
            .filter_map(|end| rest.find(end))
            .min();
        rest[..end.unwrap_or(rest.len())].to_owned()
    });
    calls.collect()
}

#[test]
fn every_command_of_the_pipelines_is_valid() {
    let mut checked = 0;
    for args in [
        "github",
        "github --without-environments",
        "gitlab --image ebs:1",
        "azure --runner pool:linux",
    ] {
        let cli = platform();
        init(&cli, args);
        for (path, text) in pipelines(&cli) {
            let document = yaml(&text);
            let mut scripts = Vec::new();
            collect_scripts(&document, &mut scripts);
            for call in scripts.into_iter().flat_map(calls) {
                // The shell replaces the variables, as it does in the pipeline.
                let words = std::process::Command::new("bash")
                    .args(["-euc", &format!("printf '%s\\n' {call}")])
                    .envs([
                        ("DEPARTMENT", "claims"),
                        ("STAGE", "prod"),
                        ("AUTO_APPLY", "high"),
                        ("SEND_SECRETS", "claims-orders"),
                        ("PLAN", "22b31f8b7127b4efc16dbbcd32bd2d8c"),
                        ("BASE", "0000"),
                        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "0000"),
                        ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main"),
                    ])
                    .output()
                    .expect("bash starts");
                let words = String::from_utf8(words.stdout).unwrap();
                let words: Vec<&str> = words.lines().collect();
                assert!(words.len() > 1, "{path}: {call}");
                let output = cli.run_command(cli.command().args(&words));
                assert_ne!(output.code, Some(64), "{path}: {words:?}\n{output}");
                checked += 1;
            }
        }
    }
    assert!(checked > 30, "{checked}");
}

#[test]
fn a_second_run_changes_nothing_and_the_check_passes() {
    for forge in FORGES {
        let cli = platform();
        let missing = states(&cli, &format!("{forge} --check"), 1);
        assert!(missing.iter().all(|file| file.ends_with(" missing")), "{missing:?}");
        assert!(pipelines(&cli).is_empty(), "a check writes nothing");
        init(&cli, forge);
        let before = pipelines(&cli);
        let current = states(&cli, &format!("{forge} --check"), 0);
        assert!(current.iter().all(|file| file.ends_with(" current")), "{current:?}");
        init(&cli, forge);
        assert_eq!(pipelines(&cli), before);
        // Git on Windows converts line breaks.
        for (path, text) in before {
            cli.write(&path, text.replace('\n', "\r\n"));
        }
        states(&cli, &format!("{forge} --check"), 0);
    }
}

#[test]
fn the_check_names_what_a_new_secret_a_new_department_or_other_flags_change() {
    let cli = platform();
    init(&cli, "github");
    let secret = SOURCE.replace("EBS_SECRET_PG", "EBS_SECRET_OTHER");
    cli.write("connectors/claims/claims-orders.yaml", secret);
    let stage = ".github/workflows/connectors-stage.yml";
    let changed = |states: Vec<String>| -> Vec<String> {
        states.into_iter().filter(|file| !file.ends_with(" current")).collect()
    };
    assert_eq!(
        changed(states(&cli, "github --check", 1)),
        [format!("{stage} outdated")]
    );
    let output = cli.run("gitops init --ci github --check").expect_code(1);
    assert!(
        output.stderr.contains("confluent-ebs gitops init --ci github"),
        "{output}"
    );
    init(&cli, "github");
    states(&cli, "github --check", 0);
    assert_eq!(changed(states(&cli, "github --runner linux --check", 1)).len(), 2);
    let cli = platform();
    init(&cli, "gitlab");
    cli.write("departments/sales.toml", "name = \"Sales\"\nprefix = \"sales-\"\n");
    assert_eq!(
        changed(states(&cli, "gitlab --check", 1)),
        [".gitlab/connectors.yml outdated"]
    );
}

#[test]
fn a_file_that_people_changed_is_not_overwritten() {
    let cli = platform();
    init(&cli, "github");
    let path = ".github/workflows/connectors.yml";
    let generated = cli.read(path);
    let edited = generated.replace("timeout-minutes: 10", "timeout-minutes: 20");
    cli.write(path, &edited);
    // Another file is out of date, and is not written, either.
    let other = ".github/workflows/connectors-stage.yml";
    remove(&cli, other);
    assert_eq!(states(&cli, "github --check", 1)[0], format!("{path} edited"));
    let output = cli.run("gitops init --ci github").expect_code(5);
    assert!(
        output.stderr.contains(path) && output.stderr.contains("--force"),
        "{output}"
    );
    assert_eq!(cli.read(path), edited);
    assert!(!cli.path(other).exists());
    init(&cli, "github --force");
    assert_eq!(cli.read(path), generated);
    // Without the first line, the file belongs to the repository.
    let own = edited.split_once('\n').unwrap().1;
    cli.write(path, own);
    assert_eq!(states(&cli, "github --check", 0)[0], format!("{path} own"));
    init(&cli, "github --force");
    assert_eq!(cli.read(path), own);
}

#[test]
fn other_lines_of_shared_files_stay() {
    let cli = platform_with(&format!("{CLAIMS}owners = [\"@example/claims\"]\n"));
    cli.write(".gitignore", "/target/");
    cli.write(".github/CODEOWNERS", "/docs/ @example/docs\n");
    init(&cli, "github");
    let with_more = format!("{}/later/\n", cli.read(".gitignore"));
    cli.write(".gitignore", &with_more);
    states(&cli, "github --check", 0);
    cli.write(
        "departments/claims.toml",
        format!("{CLAIMS}owners = [\"@example/other\"]\n"),
    );
    init(&cli, "github");
    assert_eq!(cli.read(".gitignore"), with_more);
    assert!(with_more.starts_with("/target/\n\n# confluent-ebs:"), "{with_more}");
    insta::assert_snapshot!(cli.read(".github/CODEOWNERS"), @r##"
    /docs/ @example/docs

    # confluent-ebs: begin of the generated lines
    * @example/platform
    /connectors/claims/ @example/other
    # confluent-ebs: end of the generated lines
    "##);
}

#[test]
fn a_gitlab_pipeline_of_the_repository_must_include_the_generated_one() {
    let cli = platform();
    cli.write(".gitlab-ci.yml", "test:\n  script: [make]\n");
    assert_eq!(states(&cli, "gitlab", 0)[0], ".gitlab-ci.yml incomplete");
    assert_eq!(states(&cli, "gitlab --check", 1)[0], ".gitlab-ci.yml incomplete");
    let output = cli.run("gitops init --ci gitlab").expect_success();
    assert!(
        output.stdout.contains("include: [{local: .gitlab/connectors.yml}]"),
        "{output}"
    );
    cli.write(
        ".gitlab-ci.yml",
        "include: [{local: .gitlab/connectors.yml}]\ntest:\n  script: [make]\n",
    );
    assert_eq!(states(&cli, "gitlab --check", 0)[0], ".gitlab-ci.yml own");
}

/// On GitHub the last matching line decides, so stages are below their department, and a base file belongs to the stages
/// that use it.
#[test]
fn code_owners_are_ordered_from_general_to_special() {
    let owners = "[owners]\nprod = [\"@example/claims-leads\"]\ntest = [\"@example/claims\"]\n";
    let cli = platform_with(&format!("{CLAIMS}{owners}"));
    init(&cli, "github");
    insta::assert_snapshot!(cli.read(".github/CODEOWNERS"), @r##"
    # confluent-ebs: begin of the generated lines
    * @example/platform
    /connectors/claims/ @example/claims @example/claims-leads
    /connectors/claims/claims-orders.yaml @example/claims-leads
    /connectors/claims/prod/ @example/claims-leads
    /connectors/claims/test/ @example/claims
    # confluent-ebs: end of the generated lines
    "##);
    init(&cli, "gitlab");
    insta::assert_snapshot!(cli.read(".gitlab/CODEOWNERS"), @r##"
    # confluent-ebs: begin of the generated lines
    * @example/platform
    /connectors/claims/ @example/claims @example/claims-leads

    [claims prod]
    /connectors/claims/prod/ @example/claims-leads
    /connectors/claims/claims-orders.yaml @example/claims-leads

    [claims test]
    /connectors/claims/test/ @example/claims
    # confluent-ebs: end of the generated lines
    "##);
    // Without owners there is nothing to write.
    let cli = platform();
    let text = cli.read("ebs.toml").replace("owners = [\"@example/platform\"]", "");
    cli.write("ebs.toml", text);
    init(&cli, "github");
    assert!(!cli.path(".github/CODEOWNERS").exists());
}

#[test]
fn names_that_could_leave_their_place_in_a_file_are_refused() {
    let cli = platform();
    for value in ["a b", "a'b", "${{x}}", "$(id)", "-x", "a\nb", ""] {
        for flag in ["--branch", "--runner", "--image"] {
            let argument = format!("{flag}={value}");
            let output = cli.run_command(cli.command().args(["gitops", "init", "--ci", "github", &argument]));
            assert_eq!(output.code, Some(64), "{argument}\n{output}");
        }
    }
    assert!(pipelines(&cli).is_empty());
}

#[test]
fn departments_must_not_share_keys() {
    let cli = platform();
    // The environment of `claims-prod` in stage `plan` would be that of the plans of `claims` in `prod`.
    cli.write(
        "departments/claims-prod.toml",
        "name = \"Other\"\nprefix = \"other-\"\n",
    );
    let stage = "[stages.plan]\nenvironment = \"env-plan01\"\ncluster = \"lkc-plan01\"\n[platform]";
    cli.write("ebs.toml", cli.read("ebs.toml").replace("[platform]", stage));
    let output = cli.run("gitops init --ci gitlab").expect_code(5);
    assert!(output.stderr.contains("`claims-prod-plan`"), "{output}");
    assert!(pipelines(&cli).is_empty());
}

#[test]
fn a_repository_without_departments_has_no_pipelines() {
    let cli = Cli::with_platform::<&str>([]);
    let output = cli.run("gitops init --ci github").expect_code(1);
    assert!(output.stderr.contains("department new"), "{output}");
}

#[test]
fn a_department_can_have_a_repository_of_its_own() {
    let cli = Cli::new();
    cli.write("connectors/claims/prod/claims-gen.yaml", datagen("claims-gen"));
    for forge in FORGES {
        init(&cli, forge);
        states(&cli, &format!("{forge} --check"), 0);
    }
    assert!(cli.read(".gitlab/connectors.yml").contains("\napply claims/prod:\n"));
    for (path, text) in pipelines(&cli) {
        assert!(!text.contains("department validate"), "{path}");
    }
    assert!(!cli.path(".gitlab/CODEOWNERS").exists());
    let output = Cli::new().run("gitops init --ci github").expect_code(1);
    assert!(
        output.stderr.contains("connectors/DEPARTMENT/STAGE/NAME.yaml"),
        "{output}"
    );
}

#[test]
fn a_profile_with_a_key_does_not_get_into_the_repository() {
    let cli = platform();
    cli.write("profiles/prod/claims-viewer.toml", "department = \"claims\"\n");
    init(&cli, "github");
    cli.write(
        "profiles/prod/claims-viewer.toml",
        "department = \"claims\"\n\n[key]\nid = \"ABCDEFGHIJKLMNOP\"\nsecret = \"Canary-7f3a9c2e\"\n",
    );
    for check in ["", " --check"] {
        let output = cli.run(&format!("gitops init --ci github{check}")).expect_code(5);
        assert!(output.stderr.contains("`profiles/prod/claims-viewer.toml`"), "{output}");
        assert!(!output.to_string().contains(crate::CANARY), "{output}");
    }
}

#[test]
fn changed_lists_what_a_revision_changes() {
    let cli = repository();
    remove(&cli, "connectors/claims/prod/claims-gen.yaml");
    cli.write("connectors/claims/test/claims-gen.yaml", datagen("claims-gen"));
    git(&cli, "init -q -b main");
    git(&cli, "add connectors");
    git(&cli, "commit -q -m files");
    let changed = |args: &str| -> Vec<String> {
        let output = cli
            .run(&format!("gitops changed --sandbox {args} -o json"))
            .expect_success();
        output
            .json()
            .items("/places")
            .iter()
            .map(|place| place.text("/address").to_owned())
            .collect()
    };
    assert_eq!(changed("--since main"), [""; 0]);
    let all = ["claims/prod", "claims/test"];
    assert_eq!(changed(""), all);
    assert_eq!(changed("--since 0000000000000000000000000000000000000000"), all);
    cli.write("connectors/claims/test/claims-gen.yaml", datagen("claims-other"));
    assert_eq!(changed("--since main"), ["claims/test"]);
    // The base file is used in both stages.
    cli.write(
        "connectors/claims/claims-orders.yaml",
        format!("{SOURCE}  tasks.max: \"1\"\n"),
    );
    assert_eq!(changed("--since main"), all);
    git(&cli, "checkout -q connectors");
    remove(&cli, "connectors/claims/prod/claims-orders.yaml");
    assert_eq!(changed("--since main"), ["claims/prod"]);
    let output = cli.run("gitops changed --sandbox --since nothing").expect_code(1);
    assert!(output.stderr.contains("`nothing`"), "{output}");
    let output = cli.run("gitops changed --sandbox --since HEAD").expect_success();
    assert!(output.stdout.contains("claims     | prod  | none"), "{output}");
}

#[test]
fn the_exit_code_of_a_plan_says_whether_a_limit_would_hold_something_back() {
    let cli = repository();
    let plan = |limit: &str, code: i32| {
        gitops(&cli, &format!("plan --detailed-exitcode --max-risk {limit}")).expect_code(code);
    };
    // Two creations with a normal risk.
    plan("none", 3);
    plan("normal", 2);
    gitops(&cli, "apply --yes").expect_success();
    plan("none", 0);
    cli.write("connectors/claims/prod/claims-gen.yaml", datagen("claims-other"));
    plan("normal", 3);
    plan("high", 2);
    cli.write("connectors/claims/prod/claims-gen.yaml", "state: absent\n");
    plan("high", 3);
    plan("destructive", 2);
    gitops(&cli, "plan --max-risk high").expect_code(64);
}
