//! `gitops init`: schemas, settings of editors, the shipped policies, and the evidence of the generated jobs.

use std::{collections::BTreeSet, fs, path::Path};

use confluent_ebs::gitops::policies::shipped_policies;
use serde_json::Value;

use crate::{
    common::{Cli, JsonAccess as _, list_files},
    pipelines::{init, pipelines, platform, states, yaml},
    remove,
};

/// Files with a state other than `current`.
fn changed(cli: &Cli, code: i32) -> Vec<String> {
    let states = states(cli, "github --check", code);
    states.into_iter().filter(|file| !file.ends_with(" current")).collect()
}

#[test]
fn schemas_and_settings_of_editors_are_written_and_compared() {
    let cli = platform();
    init(&cli, "github");
    cli.run("schema --out-dir expected").expect_success();
    let names: Vec<_> = list_files(&cli.path("expected"))
        .iter()
        .map(|path| path.file_name().unwrap().to_owned())
        .collect();
    assert!(names.len() >= 6, "{names:?}");
    for name in &names {
        let written = cli.read(Path::new(".schemas").join(name));
        assert_eq!(written, cli.read(Path::new("expected").join(name)), "{name:?}");
    }
    // The mapping names a schema that exists.
    let settings: Value = serde_json::from_str(&cli.read(".vscode/settings.json")).unwrap();
    assert!(cli.path(settings.text("/json.schemas/0/url")).is_file(), "{settings}");

    let schema = cli.read(".schemas/policy.json");
    cli.write(".schemas/policy.json", schema.replacen("Purpose", "Reason", 1));
    assert_eq!(changed(&cli, 1), [".schemas/policy.json outdated"]);
    init(&cli, "github");
    assert_eq!(cli.read(".schemas/policy.json"), schema);
    // Another file of this name, and other settings, belong to the repository.
    cli.write(".schemas/policy.json", "{}");
    cli.write(".vscode/settings.json", "{\"editor.tabSize\": 2}");
    init(&cli, "github --force");
    assert_eq!(
        changed(&cli, 0),
        [".schemas/policy.json own", ".vscode/settings.json own"]
    );
    assert_eq!(cli.read(".schemas/policy.json"), "{}");
    remove(&cli, ".vscode/settings.json");
    assert!(changed(&cli, 1).contains(&".vscode/settings.json missing".to_owned()));
}

#[test]
fn the_shipped_policies_are_written_once_and_belong_to_the_site() {
    let cli = platform();
    init(&cli, "gitlab");
    for (path, text) in shipped_policies() {
        let written = cli.read(path);
        let (hint, rest) = written.split_once('\n').unwrap();
        assert_eq!(rest, *text, "{path}");
        let schema = hint.strip_prefix("#:schema ").unwrap();
        let folder = cli.path(path).parent().unwrap().to_owned();
        let schema: Value = serde_json::from_str(&fs::read_to_string(folder.join(schema)).unwrap()).unwrap();
        let form = if path.starts_with("policies/tests/") {
            "/properties/violates"
        } else {
            "/properties/rule"
        };
        assert!(schema.pointer(form).is_some(), "{path}: {hint}");
    }
    // They are in force: the shipped list allows no generated records in prod.
    cli.write("connectors/claims/prod/claims-gen.yaml", crate::datagen("claims-gen"));
    let output = cli.run("gitops validate").expect_code(5);
    assert!(output.to_string().contains("plugin-of-stage"), "{output}");

    remove(&cli, "policies/plugins.toml");
    remove(&cli, "policies/tests/plugins.toml");
    cli.write(
        "policies/errors.toml",
        cli.read("policies/errors.toml").replace("\"error\"", "\"warning\""),
    );
    let before = list_files(&cli.path("policies"));
    let own = cli.read("policies/errors.toml");
    init(&cli, "gitlab --force");
    assert_eq!(list_files(&cli.path("policies")), before);
    assert_eq!(cli.read("policies/errors.toml"), own);
    let states = states(&cli, "gitlab --check", 0);
    assert!(!states.iter().any(|file| file.contains("policies")), "{states:?}");

    // A folder without policies is the decision of the site.
    let cli = platform();
    fs::create_dir_all(cli.path("policies")).unwrap();
    init(&cli, "gitlab");
    assert!(list_files(&cli.path("policies")).is_empty());
}

#[test]
fn every_job_that_applies_keeps_its_evidence() {
    for (args, applies, uploads) in [
        ("github", 2, 2),
        ("github --without-environments", 1, 1),
        ("gitlab", 2, 1),
        ("azure", 2, 2),
    ] {
        let cli = platform();
        init(&cli, args);
        let text: String = pipelines(&cli).into_iter().map(|(_, text)| text).collect();
        assert_eq!(text.matches("gitops apply ").count(), applies, "{args}");
        assert_eq!(text.matches(" --evidence-dir new-evidence").count(), applies, "{args}");
        let artifacts = [
            "path: new-evidence\n          if-no-files",
            "publish: new-evidence",
            "paths: [backups, new-evidence]",
        ];
        let found: usize = artifacts.iter().map(|artifact| text.matches(artifact).count()).sum();
        assert_eq!(found, uploads, "{args}");
        assert!(cli.read(".gitignore").contains("\n/new-evidence/\n"), "{args}");
    }
}

/// The job of GitHub that may write to the repository has no key of Confluent Cloud and runs nothing of the repository.
#[test]
fn the_job_that_proposes_evidence_runs_nothing_of_the_repository() {
    for args in ["github", "github --without-environments"] {
        let cli = platform();
        init(&cli, args);
        let workflow = yaml(&cli.read(".github/workflows/connectors.yml"));
        let job = &workflow["jobs"]["evidence"];
        let permissions: BTreeSet<&String> = job["permissions"].as_object().unwrap().keys().collect();
        assert_eq!(
            permissions.into_iter().collect::<Vec<_>>(),
            ["contents", "pull-requests"]
        );
        let steps = job["steps"].to_string();
        assert!(
            !steps.contains("actions/checkout") && !steps.contains("secrets."),
            "{steps}"
        );
        for (name, other) in workflow["jobs"].as_object().unwrap() {
            let may_write = other["permissions"]["contents"] == "write";
            assert_eq!(may_write, name == "evidence", "{name}");
        }
    }
}
