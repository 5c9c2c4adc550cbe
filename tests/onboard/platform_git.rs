//! The platform's own files in Git: changes that a merge request must not contain, the plan of an onboarding as a comment,
//! and access after the merge.

use std::collections::BTreeSet;

use crate::common::{
    Cli, CliOutput, EBS_TOML, JsonAccess as _, assert_valid_sarif, files_with_secrets, list_files, sarif_places,
};

const CLAIMS: &str = "name = \"Claims\"\nprefix = \"claims-\"\n";
const MOTOR: &str = "name = \"Motor\"\nprefix = \"motor-\"\n";

/// A repository of the platform team whose departments are onboarded, with evidence, in a commit of branch `main`.
fn repository() -> Cli {
    let cli = Cli::with_platform([("claims", CLAIMS), ("motor", MOTOR)]);
    cli.run("onboard --all --sandbox --yes --evidence-dir evidence")
        .expect_success();
    commit_all(&cli);
    cli
}

fn commit_all(cli: &Cli) {
    if !cli.path(".git").exists() {
        cli.git("init -q -b main");
    }
    cli.git("add ebs.toml departments evidence");
    cli.git("commit -q -m files");
}

fn since_main(cli: &Cli, flags: &str) -> CliOutput {
    cli.run(&format!("department validate --changed-since main {flags}"))
}

/// Returns `severity file rule` of each finding.
fn rules(output: &CliOutput) -> Vec<String> {
    let report = output.json();
    let line = |finding: &serde_json::Value| {
        format!(
            "{} {} {}",
            finding.text("/severity"),
            finding.text("/file"),
            finding.text("/rule")
        )
    };
    report.items("/findings").iter().map(line).collect()
}

fn remove(cli: &Cli, path: &str) {
    std::fs::remove_file(cli.path(path)).unwrap();
}

#[test]
fn unchanged_files_are_valid_and_the_commit_is_named() {
    let cli = repository();
    let output = since_main(&cli, "-o json").expect_success();
    assert_eq!(rules(&output), Vec::<String>::new());
    assert_eq!(output.json().text("/compared_with").len(), 40);
    let text = since_main(&cli, "").expect_success().stdout;
    assert!(text.contains("Compared with commit `"), "{text}");
    let alone = cli.run("department validate -o json").expect_success().json();
    assert!(alone.get("compared_with").is_none(), "{alone}");
}

#[test]
fn a_deleted_file_of_an_onboarded_department_is_an_error_that_says_how_to_off_board() {
    let cli = repository();
    remove(&cli, "departments/motor.toml");
    let output = since_main(&cli, "-o json").expect_code(1);
    assert_eq!(rules(&output), ["error departments/motor.toml department-deleted"]);
    let report = output.json();
    let fix = report.text("/findings/0/fix");
    assert!(fix.contains("confluent ebs offboard motor --stage prod"), "{fix}");
    // The suggested command works.
    let restore = fix.split('`').nth(1).unwrap().strip_prefix("git ").unwrap().to_owned();
    cli.git(&restore);
    since_main(&cli, "").expect_success();
}

#[test]
fn a_retirement_needs_the_evidence_of_the_off_boarding() {
    let cli = repository();
    cli.write("departments/motor.toml", format!("{MOTOR}retired = 2026-11-30\n"));
    let output = since_main(&cli, "-o json").expect_code(1);
    assert_eq!(rules(&output), ["error departments/motor.toml offboarding-missing"]);

    // In the sandbox, `offboard` does not change files, so the file is written by hand.
    cli.write("departments/motor.toml", MOTOR);
    cli.run("offboard motor --sandbox --yes --evidence-dir evidence")
        .expect_success();
    cli.write("departments/motor.toml", format!("{MOTOR}retired = 2026-11-30\n"));
    let output = since_main(&cli, "-o json").expect_success();
    assert_eq!(rules(&output), Vec::<String>::new());

    // The file of the retired department stays.
    commit_all(&cli);
    remove(&cli, "departments/motor.toml");
    let output = since_main(&cli, "-o json").expect_code(1);
    assert_eq!(rules(&output), ["error departments/motor.toml department-deleted"]);
    // A new revision since which nothing changed.
    cli.git("commit -q -a -m deleted");
    since_main(&cli, "").expect_success();
}

#[test]
fn evidence_that_a_merge_request_deletes_still_counts() {
    let cli = repository();
    let evidence: Vec<String> = list_files(&cli.path("evidence"))
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(evidence.len(), 2);
    for name in &evidence {
        remove(&cli, &format!("evidence/{name}"));
    }
    remove(&cli, "departments/claims.toml");
    let found = rules(&since_main(&cli, "-o json").expect_code(1));
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[0], "error departments/claims.toml department-deleted");
    assert!(
        found[1..].iter().all(|line| line.ends_with(".json evidence-changed")),
        "{found:?}"
    );
}

#[test]
fn evidence_that_a_merge_request_changes_is_reported() {
    let cli = repository();
    let path = list_files(&cli.path("evidence")).remove(0);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("ebs-prod", "abc-prod")).unwrap();
    let found = rules(&since_main(&cli, "-o json").expect_success());
    assert!(
        found.len() == 1 && found[0].ends_with(".json evidence-changed"),
        "{found:?}"
    );
}

#[test]
fn changes_that_cannot_be_taken_back_are_errors_in_each_format() {
    let cli = repository();
    cli.git("mv departments/motor.toml departments/cars.toml");
    cli.write("departments/claims.toml", CLAIMS.replace("claims-", "losses-"));
    cli.write("ebs.toml", EBS_TOML.replace("lkc-prod01", "lkc-prod02"));
    let expected = [
        "error departments/cars.toml department-moved",
        "error departments/claims.toml prefix-changed",
        "error ebs.toml stage-address-changed",
    ];
    let output = since_main(&cli, "-o json").expect_code(1);
    let found: BTreeSet<String> = rules(&output).into_iter().collect();
    assert_eq!(found, expected.map(str::to_owned).into());

    let log = since_main(&cli, "-o sarif").expect_code(1).json();
    assert_valid_sarif(&log);
    assert_eq!(sarif_places(&log).len(), 3);
    let annotations = since_main(&cli, "-o github").expect_code(1).stdout;
    assert_eq!(
        annotations
            .lines()
            .filter(|line| line.starts_with("::error file="))
            .count(),
        3
    );
    let issues = since_main(&cli, "-o gitlab").expect_code(1).json();
    assert_eq!(issues.items("").len(), 3);
    let junit = since_main(&cli, "-o junit").expect_code(1).stdout;
    assert_eq!(junit.matches("<failure ").count(), 3, "{junit}");
    let markdown = since_main(&cli, "-o markdown").expect_code(1).stdout;
    assert!(
        markdown.starts_with("### Platform files\n\n3 errors, no warnings.\n"),
        "{markdown}"
    );
}

#[test]
fn changes_of_others_on_the_main_branch_are_not_changes_of_the_merge_request() {
    let cli = repository();
    cli.git("checkout -q -b feature");
    cli.git("checkout -q main");
    cli.write("departments/hr.toml", "name = \"HR\"\nprefix = \"hr-\"\n");
    commit_all(&cli);
    cli.git("checkout -q feature");
    let output = since_main(&cli, "-o json").expect_success();
    assert_eq!(rules(&output), Vec::<String>::new());
}

#[test]
fn a_platform_in_a_folder_of_the_repository_is_compared_with_the_same_folder() {
    let cli = Cli::new();
    for (path, text) in [
        ("platform/ebs.toml", EBS_TOML),
        ("platform/departments/claims.toml", CLAIMS),
        ("departments/motor.toml", MOTOR),
    ] {
        cli.write(path, text);
    }
    cli.git("init -q -b main");
    cli.git("add platform departments");
    cli.git("commit -q -m files");
    remove(&cli, "departments/motor.toml");
    remove(&cli, "platform/departments/claims.toml");
    let platform = [("CONFLUENT_EBS_PLATFORM", "platform")];
    let validate = "department validate --changed-since main -o json";
    let output = cli.run_with_env(validate, &platform).expect_code(1);
    assert_eq!(
        rules(&output),
        ["error platform/departments/claims.toml department-deleted"]
    );
    let report = output.json();
    assert!(
        report.text("/findings/0/fix").contains("No evidence is committed"),
        "{report}"
    );

    cli.git("checkout -q -- platform");
    cli.git("mv platform moved");
    let output = cli
        .run_with_env(validate, &[("CONFLUENT_EBS_PLATFORM", "moved")])
        .expect_success();
    let report = output.json();
    assert_eq!(report.text("/findings/0/rule"), "revision-without-platform");
}

#[test]
fn an_unknown_revision_a_shallow_clone_and_the_built_in_example_are_errors() {
    let cli = repository();
    for revision in ["no-such-branch", "--upload-pack=x"] {
        let output = cli
            .run(&format!("department validate --changed-since={revision}"))
            .expect_code(1);
        assert!(output.stderr.contains("unknown revision"), "{output}");
    }
    cli.git("commit -q --allow-empty -m more");
    cli.git(&format!("clone -q --depth 1 file://{} shallow", cli.path("").display()));
    let mut command = cli.command();
    command
        .current_dir(cli.path("shallow"))
        .args(["department", "validate", "--changed-since", "HEAD~1"]);
    let output = cli.run_command(&mut command).expect_code(1);
    assert!(output.stderr.contains("fetch-depth: 0"), "{output}");

    let output = Cli::new()
        .run("department validate --sandbox --changed-since main")
        .expect_code(64);
    assert!(output.stderr.contains("built-in example"), "{output}");
    Cli::with_platform([("claims", CLAIMS)])
        .run("department validate --changed-since main")
        .expect_code(1);
}

#[test]
fn access_test_finds_a_template_that_opens_a_foreign_prefix_before_anything_is_applied() {
    let cli = Cli::with_platform([("claims", CLAIMS), ("motor", MOTOR)]);
    cli.run("access test --planned").expect_success();
    let hybrid = include_str!("../../rbac-templates/hybrid.toml");
    let foreign = "\n[[persona.grant]]\nrole = \"DeveloperRead\"\non = \"topic:motor-*\"\nwhy = \"a look\"\n";
    cli.write("rbac-templates/hybrid.toml", format!("{hybrid}{foreign}"));
    let output = cli.run("access test --planned --stage prod -o json").expect_code(5);
    let example = &output.json()["isolation"]["counter_examples"][0];
    assert_eq!(
        (example.text("/department"), example.text("/reaches")),
        ("claims", "motor"),
        "{output}"
    );

    let found = cli.run("access test --planned -o github").expect_code(5).stdout;
    assert!(
        found
            .lines()
            .any(|line| line.starts_with("::error file=departments/claims.toml,title=isolation::")),
        "{found}"
    );
    let markdown = cli.run("access test --planned -o markdown").expect_code(5).stdout;
    assert!(markdown.starts_with("### Access in stage prod\n"), "{markdown}");
    let log = cli.run("access test --planned -o sarif").expect_code(5).json();
    assert_valid_sarif(&log);
}

#[test]
fn access_test_names_the_departments_that_the_stage_does_not_have() {
    let motor = format!("{MOTOR}stages = [\"test\"]\n");
    let cli = Cli::with_platform([("claims", CLAIMS), ("motor", motor.as_str())]);
    let test = "[stages.test]\nenvironment = \"env-test01\"\ncluster = \"lkc-test01\"\n";
    cli.write("ebs.toml", format!("{EBS_TOML}{test}"));
    let output = cli.run("access test --planned").expect_success();
    let expected = "Not checked, because they are only in other stages (`--stage`): `motor`.";
    assert!(output.stdout_line().contains(expected), "{output}");
    let report = cli
        .run("access test --planned --stage test -o json")
        .expect_success()
        .json();
    assert_eq!(report["departments_in_other_stages"], serde_json::json!([]));
}

fn comment(cli: &Cli, flags: &str, code: i32) -> String {
    let output = cli.run_without_writes(&format!("onboard --sandbox --dry-run -o markdown {flags}"), code);
    assert_eq!(
        output.stdout.matches("<details>").count(),
        output.stdout.matches("</details>").count(),
        "{output}"
    );
    assert!(output.stdout.len() <= 60_000);
    output.stdout
}

#[test]
fn the_comment_of_an_onboarding_folds_departments_and_is_the_same_each_time() {
    let cli = Cli::with_platform([("claims", CLAIMS), ("motor", MOTOR)]);
    let first = comment(&cli, "--all", 0);
    assert!(
        first.starts_with(
            "<!-- confluent-ebs onboard prod -->\n### Onboarding in stage prod\n\n**2 departments to change**, of 2 \
             departments."
        ),
        "{first}"
    );
    assert!(
        first.contains("<summary><b>claims \\(new, prefix claims-, template hybrid\\)</b>"),
        "{first}"
    );
    assert!(first.contains("Isolation by name prefix"), "{first}");
    assert_eq!(comment(&cli, "--all", 0), first);
    cli.run("onboard claims --sandbox --yes").expect_success();
    let partly = comment(&cli, "--all --detailed-exitcode", 2);
    assert!(
        partly.contains("**1 department to change**, of 2 departments."),
        "{partly}"
    );
    assert!(!partly.contains("<b>claims"), "{partly}");
    let done = comment(&cli, "claims", 0);
    assert!(
        done.contains("**Nothing to change**: 1 department is up to date."),
        "{done}"
    );
    // Only a plan is a comment.
    cli.run("onboard claims --sandbox --yes -o markdown").expect_code(64);
}

#[test]
fn what_is_revoked_comes_first() {
    let cli = Cli::with_platform([("claims", CLAIMS)]);
    cli.run("onboard claims --sandbox --yes").expect_success();
    let hybrid = include_str!("../../rbac-templates/hybrid.toml");
    let viewer = hybrid
        .split("[[persona]]")
        .filter(|part| !part.contains("name = \"viewer\""));
    let without_viewer = viewer.collect::<Vec<_>>().join("[[persona]]");
    assert_ne!(without_viewer, hybrid);
    cli.write("rbac-templates/hybrid.toml", without_viewer);
    let kept = comment(&cli, "claims", 0);
    assert!(
        !kept.contains("Deletes or revokes") && kept.contains("<summary>Surplus"),
        "{kept}"
    );
    let pruned = comment(&cli, "claims --prune", 0);
    let removals = pruned.find("**Deletes or revokes").expect("a list of removals");
    let folded = pruned.find("<details>").expect("details");
    assert!(removals < folded, "{pruned}");
    assert!(pruned[removals..folded].contains("ebs-prod-claims-viewer"), "{pruned}");
}

#[test]
fn no_value_of_a_file_injects_markup_into_the_comment() {
    let hostile = "@everyone <script>| `x` [a](http://b) </details>\\n# c *d* #1 !x";
    let claims = format!("name = \"{}\"\nprefix = \"claims-\"\n", hostile.replace("\\n", " "));
    let cli = Cli::with_platform([("claims", claims.as_str())]);
    let hybrid = include_str!("../../rbac-templates/hybrid.toml");
    let template = hybrid.replacen("why = \"", &format!("why = \"{hostile}"), 1);
    assert_ne!(template, hybrid);
    cli.write("rbac-templates/hybrid.toml", template);
    let text = comment(&cli, "claims", 0);
    assert!(text.contains("everyone"), "the reason is shown: {text}");
    for injected in ["@everyone", "<script>", "](", "http:", "\n# c", " `x`", " *d*", " #1"] {
        assert!(!text.contains(injected), "{injected}: {text}");
    }
}

#[test]
fn a_plan_of_many_departments_is_cut_and_says_so() {
    let departments: Vec<(String, String)> = (0..200)
        .map(|number| {
            let code = format!("dept{number}");
            let text = format!("name = \"Department {number}\"\nprefix = \"d{number}-\"\n");
            (code, text)
        })
        .collect();
    let named = departments.iter().map(|(code, text)| (code.as_str(), text.as_str()));
    let cli = Cli::with_platform(named);
    let text = comment(&cli, "--all", 0);
    assert!(text.contains("**200 departments to change**"), "{}", &text[..300]);
    assert!(text.contains("too long for a comment"));
    assert!(text.trim_end().ends_with('.'), "the footer is complete");
}

#[test]
fn an_onboarding_that_is_refused_replaces_the_comment() {
    let cli = Cli::with_platform([("claims", CLAIMS)]);
    cli.write("departments/motor.toml", CLAIMS.replace("Claims", "@all"));
    let text = comment(&cli, "--all --stage prod", 1);
    assert!(
        text.starts_with(
            "<!-- confluent-ebs onboard prod -->\n### Onboarding in stage prod\n\n**Cannot be onboarded**"
        ),
        "{text}"
    );
    assert!(text.contains("equals the prefix") && !text.contains("@all"), "{text}");
}

#[test]
fn the_evidence_of_a_pipeline_can_be_an_artifact_and_a_merge_request() {
    let cli = repository();
    let root = cli.path("").display().to_string();
    let keys = Cli::profile_keys_in(&cli.profiles_dir());
    let secrets: Vec<String> = keys.values().map(|key| key.secret.clone()).collect();
    assert!(!secrets.is_empty());
    assert!(
        files_with_secrets(&cli.path("evidence"), &secrets).is_empty(),
        "evidence contains a secret"
    );
    for path in list_files(&cli.path("evidence")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let (subject, rest) = name.split_once("-prod-").expect("department and stage");
        assert!(["claims", "motor"].contains(&subject), "{name}");
        // Sortable, and valid on every file system.
        assert!(
            path.extension().unwrap() == "json" && rest.as_bytes()[8] == b'T',
            "{name}"
        );
        assert!(
            name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)),
            "{name}"
        );
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&root), "{name} contains a path of the machine");
    }
    // The next run changes nothing, so there is nothing to commit.
    cli.run("onboard --all --sandbox --yes --evidence-dir evidence")
        .expect_success();
    assert_eq!(list_files(&cli.path("evidence")).len(), 2);
}
