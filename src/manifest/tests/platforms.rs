use super::{findings_text, load};
use crate::manifest::new_platform::NewPlatform;

fn platform_findings(platform: &str) -> String {
    findings_text(&load(platform, &[], &[]).findings)
}

#[test]
fn only_ids_have_no_default() {
    let loaded = load(super::PLATFORM, &[], &[]);
    assert!(loaded.findings.is_empty(), "{}", findings_text(&loaded.findings));
    let platform = loaded.workspace.platform;
    let stage = &platform.stages["prod"];
    assert_eq!(
        (stage.task_ceiling, stage.reserve_percent, stage.allocatable_tasks()),
        (250, 10, 225)
    );
    assert_eq!(
        (platform.default_stage.as_str(), platform.template.as_str()),
        ("prod", "hybrid")
    );
    assert_eq!(platform.organization, None);
    assert_eq!(platform.naming.minimum_length, 3);
}

#[test]
fn administrators_are_named_by_id() {
    let text = |list: &str| format!("administrators = [{list}]\n{}", super::PLATFORM);
    let loaded = load(&text("\"u-abc123\", \"sa-abc123\""), &[], &[]);
    assert_eq!(findings_text(&loaded.findings), "");
    assert_eq!(loaded.workspace.platform.administrators, ["u-abc123", "sa-abc123"]);
    insta::assert_snapshot!(platform_findings(&text("\"somebody@example.com\", \"u-1\", \"u-1\"")), @r"
    ebs.toml:1:19 error invalid-value: `somebody@example.com` is no id of a user or a service account
        Write ids, as in `u-abc123` or `sa-abc123`.
    ebs.toml:1:50 warning duplicate-value: `u-1` stands here twice
    ");
}

#[test]
fn all_mistakes_in_a_platform_file_are_reported_together() {
    let text = r#"default_stage = "prd"
provisioner = "u-123"
adopt = ["sa-abc123", "not an id", "sa-abc123"]
colour = "red"

[organisation]
id = "x"

[stages.prod]
environment = "lkc-1"
cluster = "lkc-1"
schema_registry = 7
task_ceiling = 0
reserve_percent = 100
default_stage = "prod"

[stages.Test-1]
environment = "env-2"

[naming]
minimum_length = 1
reserved = [""]
connector = "{a"

[defaults]
template = "hybird"
tasks = 2

[defaults.quota]
connectors = -1
"#;
    insta::assert_snapshot!(platform_findings(text), @r"
    ebs.toml:1:17 error unknown-stage: there is no stage `prd`
        Did you mean `prod`?
    ebs.toml:2:15 error invalid-value: `u-123` is not a service account id: `sa-…` is expected
    ebs.toml:3:23 error invalid-value: `not an id` is neither a service account nor an API key
        Write ids, as in `sa-abc123` or `ABCDEFGHIJKLMNOP`.
    ebs.toml:3:36 warning duplicate-value: `sa-abc123` stands here twice
    ebs.toml:4:1 error unknown-key: unknown key `colour`
        Known here: `administrators`, `adopt`, `default_stage`, `defaults`, `lint`, `naming`, `organization`, `provisioner`, `stages`.
    ebs.toml:6:2 error unknown-key: unknown key `organisation`
        Did you mean `organization`?
    ebs.toml:10:15 error invalid-value: `lkc-1` is not an environment id: `env-…` is expected
    ebs.toml:12:19 error wrong-type: `stages.prod.schema_registry` is a whole number, text in quotes is expected
    ebs.toml:13:16 error invalid-value: a cluster that runs no task is of no use
    ebs.toml:14:19 error invalid-value: a reserve of 100 percent or more leaves nothing to share
    ebs.toml:15:1 error unknown-key: unknown key `stages.prod.default_stage`
        It belongs at the top of the file, above the first table in brackets.
    ebs.toml:17:1 error missing-key: `stages.Test-1.cluster` is missing
    ebs.toml:17:9 error invalid-value: `Test-1` is not a stage: 1 to 13 of a-z and 0-9, beginning with a letter
        Stages are a part of account names (`ebs-prod-claims-operator`), which dashes take apart.
    ebs.toml:21:18 error invalid-value: `naming.minimum_length` is below 2
        A prefix is at least one letter and a delimiter.
    ebs.toml:22:13 error invalid-value: an empty reserved word would reserve every name
    ebs.toml:23:13 error invalid-value: error parsing glob '{a': unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)
    ebs.toml:26:12 error unknown-template: there is no template `hybird`
        Did you mean `hybrid`?
    ebs.toml:27:1 error unknown-key: unknown key `defaults.tasks`
        It belongs below `[defaults.quota]`.
    ebs.toml:30:14 error wrong-type: `defaults.quota.connectors` is -1, a whole number from 0 to 4294967295 is expected
    ");
}

#[test]
fn a_default_stage_must_be_named_when_there_is_a_choice() {
    let two = "[stages.a]\nenvironment = \"env-1\"\ncluster = \"lkc-1\"\n[stages.b]\nenvironment = \"env-2\"\ncluster = \"lkc-2\"\n";
    insta::assert_snapshot!(platform_findings(two), @r"
    ebs.toml:1:1 error missing-key: `default_stage` is missing
        Say which of `a`, `b` is meant when none is named.
    ");
    assert_eq!(platform_findings(&format!("default_stage = \"b\"\n{two}")), "");
    insta::assert_snapshot!(platform_findings(""), @"ebs.toml:1:1 error missing-key: `stages` is missing");
}

#[test]
fn stages_that_share_a_cluster_or_environment_are_a_warning() {
    let stages = |environment: &str, cluster: &str| {
        format!(
            "[stages.prod]\nenvironment = \"env-1\"\ncluster = \"lkc-1\"\n\n[stages.test]\nenvironment = \"{environment}\"\ncluster = \"{cluster}\"\n"
        )
    };
    insta::assert_snapshot!(platform_findings(&stages("env-1", "lkc-1")), @r"
    ebs.toml:5:9 warning stages-not-separate: stages `prod` and `test` share the cluster lkc-1
        A department's accounts of one stage can reach its connectors, topics and schemas of the other.
    ");
    insta::assert_snapshot!(platform_findings(&stages("env-1", "lkc-2")), @r"
    ebs.toml:5:9 warning stages-not-separate: stages `prod` and `test` share the environment env-1
        An environment has one Schema Registry: accounts of one stage can reach schemas of the other.
    ");
    assert_eq!(platform_findings(&stages("env-2", "lkc-2")), "");
}

#[test]
fn more_tasks_than_the_cluster_has_are_a_warning() {
    let platform = "[stages.prod]\nenvironment = \"env-1\"\ncluster = \"lkc-1\"\ntask_ceiling = 10\n";
    let department =
        |name: &str| format!("name = \"{name}\"\nprefix = \"{name}-\"\n[quota]\nconnectors = 1\ntasks = 5\n");
    let (a, b) = (department("aaa"), department("bbb"));
    let loaded = load(platform, &[("aaa", a.as_str()), ("bbb", b.as_str())], &[]);
    insta::assert_snapshot!(findings_text(&loaded.findings), @r"
    ebs.toml:1:9 warning quota-overbooked: departments are promised 10 tasks together, but stage `prod` has 9 to give (10 less 10 %)
        Lower some quotas, or accept that not everybody can use theirs at once.
    ");
}

#[test]
fn lint_exceptions_need_a_rule_and_a_reason() {
    let text = format!(
        "{}\n[lint]\ntasks-max = \" \"\nTasksMax = \"x\"\nname-style = 3\nok-rule = \"until June\"\n",
        super::PLATFORM
    );
    let loaded = load(&text, &[], &[]);
    insta::assert_snapshot!(findings_text(&loaded.findings), @r"
    ebs.toml:7:13 error invalid-value: the exception from `tasks-max` has no reason
        Write why, and until when: the next reader decides by it.
    ebs.toml:8:1 error invalid-value: `TasksMax` is not a rule: they are written in lower case with dashes
    ebs.toml:9:14 error wrong-type: `lint.name-style` is a whole number, text in quotes is expected
    ");
    assert_eq!(
        loaded.workspace.platform.lint_exceptions,
        [("ok-rule".to_owned(), "until June".to_owned())]
    );
}

#[test]
fn a_rendered_new_platform_round_trips() {
    let stages = crate::manifest::Workspace::embedded().workspace.platform.stages;
    let mut new = NewPlatform {
        organization: Some("11111111-2222-3333-4444-555555555555".parse().unwrap()),
        provisioner: None,
        stages: stages.clone().into_iter().rev().collect(),
    };
    for provisioner in [None, Some("sa-abc123".parse().unwrap())] {
        new.provisioner = provisioner;
        let loaded = load(&new.render(), &[], &[]);
        assert!(loaded.findings.is_empty(), "{}", findings_text(&loaded.findings));
        let platform = loaded.workspace.platform;
        assert_eq!(platform.stages, stages);
        assert_eq!(platform.default_stage, "test");
        assert_eq!(platform.organization, new.organization);
        assert_eq!(platform.provisioner, new.provisioner);
    }
}
