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
    ebs.toml:1:19 error invalid-value: `somebody@example.com` is neither a user id nor a service account id
        Write ids such as `u-abc123` or `sa-abc123`.
    ebs.toml:1:50 warning duplicate-value: duplicate value `u-1`
    ");
}

// Terraform provider issue 368: the id of an invitation is no principal.
#[test]
fn ids_of_another_kind_are_no_administrators() {
    let text = |line: &str| format!("{line}\n{}", super::PLATFORM);
    insta::assert_snapshot!(platform_findings(&text("administrators = [\"i-gxxn1\", \"lkc-abc123\"]")), @r"
    ebs.toml:1:19 error invalid-value: `i-gxxn1` is the id of an invitation, which holds no roles
        Write the id of the user, such as `u-abc123`; `confluent iam user list` shows it once the invitation is accepted.
    ebs.toml:1:30 error invalid-value: `lkc-abc123` is neither a user id nor a service account id
        Write ids such as `u-abc123` or `sa-abc123`.
    ");
    insta::assert_snapshot!(platform_findings(&text("provisioner_keys = [\"sa-abc123\", \"ABCDEFGHIJKLMNOP\"]")), @r"
    ebs.toml:1:21 error invalid-value: `sa-abc123` is no API key id
        Write the ids of API keys, such as `ABCDEFGHIJKLMNOP`; never their secrets.
    ");
}

#[test]
fn the_platform_team_has_a_name_and_a_contact_of_one_short_line() {
    let text = |table: &str| format!("{}\n[platform]\n{table}\n", super::PLATFORM);
    let team = |table: &str| {
        let loaded = load(&text(table), &[], &[]);
        assert_eq!(findings_text(&loaded.findings), "");
        loaded.workspace.platform.team.to_string()
    };
    assert_eq!(team(""), "the platform team");
    assert_eq!(team("team = \"EBS\""), "EBS");
    assert_eq!(
        team("team = \"EBS\"\ncontact = \"ebs@example.com\""),
        "EBS (ebs@example.com)"
    );
    let long = "x".repeat(101);
    for (table, message) in [
        ("team = \"\"", "the value is empty"),
        ("team = \"E\\u001bBS\"", "the value contains a control character"),
        (
            &format!("contact = \"{long}\""),
            "the value has more than 100 characters",
        ),
        ("contact = [\"ebs@example.com\"]", "`platform.contact`"),
        ("name = \"EBS\"", "unknown key `platform.name`"),
    ] {
        let findings = platform_findings(&text(table));
        assert!(findings.contains(message), "{table}: {findings}");
        assert!(findings.contains(" error "), "{table}: {findings}");
    }
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
    ebs.toml:1:17 error unknown-stage: no stage `prd`
        Did you mean `prod`?
    ebs.toml:2:15 error invalid-value: `u-123` is not a service account id: expected `sa-…`
    ebs.toml:3:23 error invalid-value: `not an id` is neither a service account id nor an API key
        Write ids such as `sa-abc123` or `ABCDEFGHIJKLMNOP`.
    ebs.toml:3:36 warning duplicate-value: duplicate value `sa-abc123`
    ebs.toml:4:1 error unknown-key: unknown key `colour`
        Known keys: `administrators`, `adopt`, `default_stage`, `defaults`, `gitops`, `lint`, `naming`, `organization`, `platform`, `provisioner_keys`, `provisioner`, `stages`.
    ebs.toml:6:2 error unknown-key: unknown key `organisation`
        Did you mean `organization`?
    ebs.toml:10:15 error invalid-value: `lkc-1` is not an environment id: expected `env-…`
    ebs.toml:12:19 error wrong-type: `stages.prod.schema_registry` is an integer, expected a string
    ebs.toml:13:16 error invalid-value: `task_ceiling` is 0
    ebs.toml:14:19 error invalid-value: `reserve_percent` is 100 or more
    ebs.toml:15:1 error unknown-key: unknown key `stages.prod.default_stage`
        Move it to the top of the file, above the first table.
    ebs.toml:17:1 error missing-key: `stages.Test-1.cluster` is missing
    ebs.toml:17:9 error invalid-value: `Test-1` is not a stage name: expected 1 to 13 characters of a-z and 0-9, starting with a letter
        Use a name without dashes, because dashes separate the parts of account names (`ebs-prod-claims-operator`).
    ebs.toml:21:18 error invalid-value: `naming.minimum_length` is less than 2
        Use at least 2: a prefix has at least one letter and a delimiter.
    ebs.toml:22:13 error invalid-value: a reserved word is empty
    ebs.toml:23:13 error invalid-value: error parsing glob '{a': unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)
    ebs.toml:26:12 error unknown-template: no template `hybird`
        Did you mean `hybrid`?
    ebs.toml:27:1 error unknown-key: unknown key `defaults.tasks`
        Move it into `[defaults.quota]`.
    ebs.toml:30:14 error wrong-type: `defaults.quota.connectors` is -1, expected an integer from 0 to 4294967295
    ");
}

#[test]
fn a_default_stage_must_be_named_when_there_is_a_choice() {
    let two = "[stages.a]\nenvironment = \"env-1\"\ncluster = \"lkc-1\"\n[stages.b]\nenvironment = \"env-2\"\ncluster = \"lkc-2\"\n";
    insta::assert_snapshot!(platform_findings(two), @r"
    ebs.toml:1:1 error missing-key: `default_stage` is missing
        Set it to one of `a`, `b`.
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
    ebs.toml:5:9 warning stages-not-separate: stages `prod` and `test` share cluster `lkc-1`
        Use separate clusters: a department's accounts of one stage have access to its connectors, topics and schemas of the other.
    ");
    insta::assert_snapshot!(platform_findings(&stages("env-1", "lkc-2")), @r"
    ebs.toml:5:9 warning stages-not-separate: stages `prod` and `test` share environment `env-1`
        Use separate environments: accounts of one stage have access to schemas of the other, because an environment has one Schema Registry.
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
    ebs.toml:1:9 warning quota-overbooked: 10 tasks are allocated to departments, but stage `prod` has only 9 (10 minus a reserve of 10 %)
        Lower some quotas, or accept that departments cannot use their full quotas at the same time.
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
    ebs.toml:7:13 error invalid-value: the exception for rule `tasks-max` has no reason
        Add the reason and an expiry date, for the next review.
    ebs.toml:8:1 error invalid-value: `TasksMax` is not a rule id: expected lower case letters, digits and `-`
    ebs.toml:9:14 error wrong-type: `lint.name-style` is an integer, expected a string
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
        provisioner_keys: Vec::new(),
        stages: stages.clone().into_iter().rev().collect(),
    };
    for provisioner in [None, Some("sa-abc123".parse().unwrap())] {
        new.provisioner = provisioner;
        new.provisioner_keys = vec!["ABCDEFGHIJKLMNOP".parse().unwrap()];
        let loaded = load(&new.render(), &[], &[]);
        assert!(loaded.findings.is_empty(), "{}", findings_text(&loaded.findings));
        let platform = loaded.workspace.platform;
        assert_eq!(platform.stages, stages);
        assert_eq!(platform.default_stage, "test");
        assert_eq!(platform.organization, new.organization);
        assert_eq!(platform.provisioner, new.provisioner);
        assert!(platform.team.is_unnamed());
        let named = new.render().replace(
            "# [platform]\n# team = \"…\"\n# contact = \"…\"",
            "[platform]\nteam = \"A\"\ncontact = \"b\"",
        );
        assert_eq!(load(&named, &[], &[]).workspace.platform.team.to_string(), "A (b)");
        assert_eq!(
            platform.provisioner_keys.as_deref(),
            Some(&["ABCDEFGHIJKLMNOP".to_owned()][..])
        );
    }
}

#[test]
fn pipelines_know_only_stages_and_risks_that_exist() {
    let text = |limits: &str| {
        format!(
            "{}[stages.test]\nenvironment = \"env-2\"\ncluster = \"lkc-2\"\n[gitops]\nauto_apply = {{ {limits} }}\n",
            super::PLATFORM
        )
    };
    let loaded = load(&text("test = \"high\", prod = \"none\""), &[], &[]);
    assert_eq!(findings_text(&loaded.findings), "");
    let gitops = loaded.workspace.platform.gitops;
    assert_eq!(gitops.auto_apply_in("test"), crate::manifest::RiskLimit::High);
    for stage in ["prod", "other"] {
        assert_eq!(gitops.auto_apply_in(stage), crate::manifest::RiskLimit::None, "{stage}");
    }
    insta::assert_snapshot!(platform_findings(&text("tset = \"high\", prod = \"hihg\"")), @r"
    ebs.toml:9:16 error unknown-stage: no stage `tset` in `ebs.toml`
        Did you mean `test`?
    ebs.toml:9:38 error invalid-value: `hihg` is not a risk
        Did you mean `high`?
    ");
    let misplaced = format!("{}[gitops]\nauto_aply = {{}}\n", super::PLATFORM);
    assert!(platform_findings(&misplaced).contains("Did you mean `auto_apply`?"));
}

#[test]
fn owners_are_names_of_the_forge_or_addresses() {
    let text = |owners: &str| format!("{}[platform]\nowners = [{owners}]\n", super::PLATFORM);
    let names = "\"@example/platform\", \"platform@example.com\", \"@ada\"";
    let loaded = load(&text(names), &[], &[]);
    assert_eq!(findings_text(&loaded.findings), "");
    assert_eq!(
        loaded.workspace.platform.owners,
        ["@example/platform", "platform@example.com", "@ada"]
    );
    for name in ["platform", "@a b", "@a\\n/ @b", "@", "@a/", "#@a"] {
        let findings = platform_findings(&text(&format!("\"{name}\"")));
        assert!(findings.contains("is not an owner"), "{name}: {findings}");
    }
}
