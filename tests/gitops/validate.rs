//! `gitops validate` and `gitops show`: no connection.

use crate::{
    common::{Cli, JsonAccess as _, assert_valid_sarif, sarif_places},
    datagen, git, repository,
};

#[test]
fn valid_files_have_no_findings() {
    let output = repository().run("gitops validate --sandbox").expect_success();
    assert_eq!(output.stdout, "Checked 3 files with 2 connectors: no findings.\n");
}

#[test]
fn a_mistake_in_the_base_is_reported_once_in_the_base() {
    let cli = repository();
    let base = datagen("claims-gen").replace("JSON", "Json");
    cli.write("connectors/claims/claims-x.yaml", base);
    for stage in ["prod", "test"] {
        cli.write(
            format!("connectors/claims/{stage}/claims-x.yaml"),
            "config:\n  tasks.max: x\n",
        );
    }
    let report = cli.run("gitops validate --sandbox -o json").expect_code(5).json();
    let places: Vec<String> = report
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
        places,
        [
            "connectors/claims/claims-x.yaml:5 value-not-allowed",
            "connectors/claims/prod/claims-x.yaml:2 tasks-max",
            "connectors/claims/test/claims-x.yaml:2 tasks-max",
        ]
    );
}

#[test]
fn a_secret_that_only_the_base_contains_is_found_and_hidden() {
    let cli = repository();
    let base = crate::SOURCE.replace("${env:EBS_SECRET_PG}", "hunter2hunter2");
    cli.write("connectors/claims/claims-orders.yaml", base);
    let own = "config:\n  connection.password: ${env:EBS_SECRET_PG}\n  db.name: 5\n  mode: x\n";
    cli.write("connectors/claims/prod/claims-orders.yaml", own);
    for format in ["human", "json", "sarif", "github", "gitlab", "junit", "markdown"] {
        let output = cli
            .run(&format!("gitops validate --sandbox -o {format}"))
            .expect_code(5);
        assert!(output.stdout.contains("literal-secret"), "{output}");
        assert!(!output.to_string().contains("hunter2"), "{output}");
    }
}

/// A repository with an error, a warning, two equal findings, and a file that cannot be read.
fn repository_with_findings() -> Cli {
    let cli = repository();
    cli.write(
        "connectors/claims/prod/claims-a.yaml",
        datagen("fraud-gen").replace("ORDERS", "\"ORDRS<&>\"") + "stat: x\n",
    );
    cli.write("connectors/claims/prod/claims-b.yaml", "config: [");
    cli
}

fn validate(cli: &Cli, format: &str) -> crate::common::CliOutput {
    cli.run(&format!("gitops validate --sandbox -o {format}"))
}

#[test]
fn sarif_has_the_form_that_code_scanners_read() {
    let log = validate(&repository_with_findings(), "sarif").expect_code(5).json();
    assert_valid_sarif(&log);
    let places = sarif_places(&log);
    assert!(places.len() >= 4, "{places:?}");
    for (rule, file) in &places {
        assert!(file.starts_with("connectors/claims/prod/claims-"), "{rule}: {file}");
    }
    let log = validate(&repository(), "sarif").expect_success().json();
    assert_valid_sarif(&log);
    assert_eq!(sarif_places(&log), []);
}

// Source: docs.gitlab.com, "Code Quality", "Code Quality report format": a JSON array; `description`, `check_name`,
// `fingerprint` (unique), `location.path` (relative, without `./`), `location.lines.begin` and `severity` are required.
#[test]
fn a_code_quality_report_has_the_documented_fields() {
    let report = validate(&repository_with_findings(), "gitlab").expect_code(5).json();
    let issues = report.items("");
    assert!(issues.len() >= 4, "{report:#}");
    let mut fingerprints = std::collections::BTreeSet::new();
    for issue in issues {
        assert!(!issue.text("/description").is_empty() && !issue.text("/check_name").is_empty());
        assert!(fingerprints.insert(issue.text("/fingerprint")), "{issue}");
        assert!(issue.text("/location/path").starts_with("connectors/"), "{issue}");
        assert!(issue.count("/location/lines/begin") >= 1, "{issue}");
        let known = ["info", "minor", "major", "critical", "blocker"];
        assert!(known.contains(&issue.text("/severity")), "{issue}");
    }
    assert_eq!(
        validate(&repository(), "gitlab").expect_success().json(),
        serde_json::json!([])
    );
}

// Source: docs.gitlab.com, "Unit test reports", and the XSD of Jenkins' xUnit plugin, against which `.ci/formats` validates.
#[test]
fn a_junit_report_counts_its_cases() {
    let counts = |report: &str| {
        let count = |mark: &str| report.matches(mark).count();
        (
            count("<testcase "),
            count("<failure "),
            count("</testcase>"),
            count("</failure>"),
        )
    };
    let found = validate(&repository_with_findings(), "junit").expect_code(5).stdout;
    assert_eq!(counts(&found), (2, 2, 2, 2), "{found}");
    for element in ["testsuites", "testsuite name=\"gitops validate\""] {
        let begin = format!("<{element} tests=\"2\" failures=\"2\" errors=\"0\">");
        assert!(found.contains(&begin), "{begin}: {found}");
    }
    assert!(found.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
    assert!(found.contains("ORDRS&lt;&amp;&gt;"), "{found}");
    let none = validate(&repository(), "junit").expect_success().stdout;
    assert_eq!(counts(&none), (1, 0, 1, 0), "{none}");
}

// Source: docs.github.com, "Workflow commands for GitHub Actions": `::error file={name},line={line},endLine={endLine},
// title={title}::{message}`, one command per line.
#[test]
fn annotations_are_workflow_commands() {
    let found = validate(&repository_with_findings(), "github").expect_code(5).stdout;
    assert!(found.lines().count() >= 4, "{found}");
    for line in found.lines() {
        let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
        let (level, properties) = head.split_once(' ').unwrap();
        assert!(
            ["error", "warning", "notice"].contains(&level) && !message.is_empty(),
            "{line}"
        );
        for property in properties.split(',') {
            let (name, value) = property.split_once('=').unwrap();
            assert!(["file", "line", "endLine", "col", "title"].contains(&name), "{line}");
            assert!(!value.is_empty() && !value.contains(':'), "{line}");
        }
    }
    assert_eq!(validate(&repository(), "github").expect_success().stdout, "");
}

#[test]
fn the_quota_counts_all_files_of_a_stage() {
    let cli = repository();
    for number in 0..30 {
        cli.write(
            format!("connectors/claims/test/claims-{number}.yaml"),
            datagen("claims-gen"),
        );
    }
    let output = cli.run("gitops validate --sandbox -o json").expect_code(5);
    let report = output.json();
    let rules: Vec<&str> = report
        .items("/findings")
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect();
    assert!(
        rules.iter().all(|rule| *rule == "gitops-quota") && !rules.is_empty(),
        "{output}"
    );
}

#[test]
fn findings_of_other_folders_are_left_out() {
    let cli = repository();
    cli.write("connectors/claims/prod/claims-bad.yaml", datagen("motor-x"));
    cli.write("connectors/motor/prod/motor-bad.yaml", datagen("claims-x"));
    let report = cli
        .run("gitops validate connectors/motor --sandbox -o json")
        .expect_code(5)
        .json();
    let files: Vec<&str> = report
        .items("/findings")
        .iter()
        .map(|finding| finding["file"].as_str().unwrap())
        .collect();
    assert!(
        !files.is_empty() && files.iter().all(|file| file.starts_with("connectors/motor/")),
        "{report}"
    );
    cli.run("gitops validate connectors/nothing --sandbox").expect_code(64);
    cli.run("gitops validate ebs.toml --sandbox").expect_code(64);
}

#[test]
fn without_the_folder_the_error_says_where_files_belong() {
    let output = Cli::new().run("gitops validate --sandbox").expect_code(1);
    assert!(
        output.stderr.contains("connectors/DEPARTMENT/STAGE/NAME.yaml"),
        "{output}"
    );
}

#[test]
fn show_names_the_file_of_each_key_and_no_secret() {
    let cli = repository();
    let shown = cli
        .run("gitops show claims-orders --sandbox -o json")
        .expect_success()
        .json();
    let origin = |key: &str| {
        let keys = shown.items("/config");
        let found = keys.iter().find(|entry| entry.text("/config") == key).unwrap();
        format!("{} {}:{}", found.text("/value"), found.text("/path"), found["line"])
    };
    assert_eq!(origin("tasks.max"), "2 connectors/claims/prod/claims-orders.yaml:2");
    assert_eq!(origin("db.name"), "orders connectors/claims/claims-orders.yaml:7");
    assert_eq!(
        origin("connection.password"),
        "${env:EBS_SECRET_PG} connectors/claims/claims-orders.yaml:6"
    );
    let near = cli.run("gitops show claims-order --sandbox").expect_code(1);
    assert!(near.stderr.contains("Did you mean `claims-orders`?"), "{near}");
}

/// A repository with a commit of its files.
fn committed() -> Cli {
    let cli = repository();
    git(&cli, "init -q -b main");
    git(&cli, "add connectors");
    git(&cli, "commit -q -m files");
    cli
}

fn since_main(cli: &Cli) -> Vec<String> {
    let report = cli.run("gitops validate --sandbox --changed-since main -o json").json();
    let line = |finding: &serde_json::Value| format!("{} {}", finding.text("/file"), finding.text("/message"));
    report.items("/findings").iter().map(line).collect()
}

#[test]
fn a_file_that_vanishes_is_an_error_and_one_that_was_a_tombstone_is_none() {
    let cli = committed();
    assert!(since_main(&cli).is_empty());
    crate::remove(&cli, "connectors/claims/prod/claims-gen.yaml");
    assert_eq!(
        since_main(&cli),
        ["connectors/claims/prod/claims-gen.yaml the file vanished; connector `claims-gen` keeps running"]
    );
    cli.write("connectors/claims/prod/claims-gen.yaml", "state: absent\n");
    assert!(since_main(&cli).is_empty());
    git(&cli, "commit -q -a -m tombstone");
    crate::remove(&cli, "connectors/claims/prod/claims-gen.yaml");
    assert!(since_main(&cli).is_empty());
}

#[test]
fn a_moved_file_continues_its_connector_only_if_it_says_so() {
    let cli = committed();
    crate::remove(&cli, "connectors/claims/prod/claims-gen.yaml");
    cli.write("connectors/claims/prod/claims-gen2.yaml", datagen("claims-gen"));
    let output = cli.run("gitops validate --sandbox --changed-since main").expect_code(5);
    assert!(output.stdout.contains("renamed_from: claims-gen"), "{output}");
    let renamed = format!("renamed_from: claims-gen\nreplace: carry\n{}", datagen("claims-gen"));
    cli.write("connectors/claims/prod/claims-gen2.yaml", renamed);
    assert!(since_main(&cli).is_empty());
}

#[test]
fn protection_is_removed_before_a_connector_is_deleted() {
    let cli = committed();
    let base = format!("protect: true\n{}", crate::SOURCE);
    cli.write("connectors/claims/claims-orders.yaml", base);
    git(&cli, "commit -q -a -m protected");
    cli.write("connectors/claims/prod/claims-orders.yaml", "state: absent\n");
    crate::remove(&cli, "connectors/claims/claims-orders.yaml");
    assert_eq!(
        since_main(&cli),
        ["connectors/claims/prod/claims-orders.yaml connector `claims-orders` was protected in the base revision"]
    );
}

#[test]
fn an_unknown_revision_is_an_error_also_if_it_looks_like_a_flag() {
    let cli = committed();
    for revision in ["no-such-branch", "--upload-pack=x", "HEAD~5"] {
        let output = cli
            .run(&format!("gitops validate --sandbox --changed-since={revision}"))
            .expect_code(1);
        assert!(output.stderr.contains("unknown revision"), "{output}");
    }
}

#[test]
fn a_shallow_clone_is_told_how_to_fetch_more() {
    let cli = committed();
    cli.write("connectors/claims/prod/claims-more.yaml", datagen("claims-more"));
    git(&cli, "add connectors");
    git(&cli, "commit -q -m more");
    git(
        &cli,
        &format!("clone -q --depth 1 file://{} shallow", cli.path("").display()),
    );
    let mut command = cli.command();
    command
        .current_dir(cli.path("shallow"))
        .args(["gitops", "validate", "--sandbox", "--changed-since", "HEAD~1"]);
    let output = cli.run_command(&mut command).expect_code(1);
    assert!(output.stderr.contains("fetch-depth: 0"), "{output}");
}
