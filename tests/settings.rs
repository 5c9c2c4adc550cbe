//! Documented settings are read: environment variables, global flags, and keys of `ebs.toml` and of profiles each have a
//! place in the code, apart from their parser, that uses them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use confluent_ebs::{commands::command_tree, env};

const FILES_PAGE: &str = include_str!("../docs/files.md");

/// Files that only parse, list or write settings.
const PARSERS: &[&str] = &[
    "env.rs",
    "commands/global_args.rs",
    "config/profile_reader.rs",
    "config/profile_text.rs",
    "manifest/department.rs",
    "manifest/platform.rs",
    "manifest/new_platform.rs",
];

/// Variables that only a crate reads.
const READ_BY_CRATES: &[(&str, &str)] = &[
    ("CLICOLOR", "anstyle-query"),
    ("CI", "anstyle-query"),
    ("SSL_CERT_DIR", "rustls-native-certs"),
    ("NO_PROXY", "hyper-util"),
];

/// Global flags, each with the code that uses its value.
const FLAGS: &[(&str, &str)] = &[
    ("output", "globals.output"),
    ("environment", ".environment"),
    ("cluster", ".cluster"),
    ("stage", "options.stage"),
    ("department", "options.department"),
    ("profile", "options.profile"),
    ("sandbox", "options.sandbox"),
    ("sandbox_as", "options.sandbox_as"),
    ("trust_endpoint", "options.trusted_hosts"),
    ("yes", "globals.yes"),
    ("unsafe_trace", "options.unsafe_trace"),
    ("verbose", "globals.verbosity()"),
    ("help", "ErrorKind::DisplayHelp"),
];

/// Keys of `ebs.toml`, each with the code that uses its value.
const PLATFORM_KEYS: &[(&str, &str)] = &[
    ("default_stage", ".default_stage"),
    ("provisioner", "platform.provisioner"),
    ("provisioner_keys", ".provisioner_keys"),
    ("adopt", ".adopt"),
    ("administrators", ".administrators"),
    ("platform.team", "platform_team"),
    ("platform.contact", ".contact"),
    ("organization.id", "platform.organization"),
    ("stages.NAME", "platform.stages"),
    ("stages.NAME.environment", "stage.environment"),
    ("stages.NAME.cluster", "stage.cluster"),
    ("stages.NAME.schema_registry", "stage.schema_registry"),
    ("stages.NAME.task_ceiling", ".task_ceiling"),
    ("stages.NAME.reserve_percent", ".reserve_percent"),
    ("naming.minimum_length", "self.minimum_length"),
    ("naming.reserved", "self.reserved"),
    ("naming.connector", "naming.connector"),
    ("defaults.template", "template"),
    ("defaults.quota.…", ".quota"),
    ("lint.RULE", ".lint_exceptions"),
    ("platform.owners", "platform.owners"),
    ("gitops.auto_apply.STAGE", ".auto_apply_in("),
    ("gitops.freeze", ".gitops.freeze("),
];

/// Keys of a profile, each with the code that uses its value.
const PROFILE_KEYS: &[(&str, &str)] = &[
    ("department", "facts.department"),
    ("persona", "facts.persona"),
    ("prefix", "facts.prefix"),
    ("issued", "profile.issued"),
    ("stage", "facts.stage"),
    ("endpoint", "profile.endpoint"),
    ("organization", "facts.organization"),
    ("environment", "facts.environment"),
    ("cluster", "facts.cluster"),
    ("schema_registry", "facts.schema_registry"),
    ("runtime", "facts.runtime"),
    ("runtime_account", "profile.runtime_account"),
    ("secret_variables", "profile.secret_variables"),
    ("quota", "facts.quota"),
    ("naming", "facts.connector_names"),
    ("platform", "facts.platform_team"),
    ("lint", "facts.lint_exceptions"),
    ("key", "keys.get("),
];

fn repository_root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Code of all sources except the parsers, without comments and unit tests.
fn code() -> String {
    fn collect(folder: &Path, root: &Path, out: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let relative = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            if path.is_dir() {
                collect(&path, root, out);
            } else if path.extension().is_some_and(|end| end == "rs")
                && !relative.contains("tests")
                && !PARSERS.contains(&relative.as_str())
            {
                let text = fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                out.extend(lines.map(|line| format!("{line}\n")));
            }
        }
    }
    let root = repository_root().join("src");
    let mut out = String::new();
    collect(&root, &root, &mut out);
    out
}

/// Asserts that the settings are those in `documented`, and that the code uses each.
#[track_caller]
fn check(documented: &BTreeSet<String>, used: &[(&str, &str)]) {
    let listed: BTreeSet<String> = used.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(&listed, documented, "the table of the test has all documented settings");
    let code = code();
    for (name, usage) in used {
        assert!(code.contains(usage), "no code uses `{name}`: `{usage}` not found");
    }
}

#[test]
fn every_documented_variable_is_read() {
    let code = code();
    let lock = fs::read_to_string(repository_root().join("Cargo.lock")).unwrap();
    for variable in env::ALL {
        if let Some((_, name)) = READ_BY_CRATES.iter().find(|(listed, _)| *listed == variable.name) {
            assert!(lock.contains(&format!("name = \"{name}\"")), "{name} is no dependency");
            continue;
        }
        let read = code
            .split(&format!("env::{}", variable.name))
            .skip(1)
            .any(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
        assert!(read, "no code reads `{}`", variable.name);
    }
}

#[test]
fn every_global_flag_is_used() {
    let tree = command_tree();
    let global = tree.get_arguments().filter(|arg| arg.is_global_set());
    check(&global.map(|arg| arg.get_id().to_string()).collect(), FLAGS);
}

#[test]
fn every_documented_key_of_the_platform_is_used() {
    let (_, section) = FILES_PAGE.split_once("\n## `ebs.toml`\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let keys = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let documented: BTreeSet<String> = keys.map(str::to_owned).collect();
    check(&documented, PLATFORM_KEYS);
}

#[test]
fn every_documented_key_of_a_profile_is_used() {
    let (_, example) = FILES_PAGE.split_once("```toml\n# profile\n").unwrap();
    let example = example.split("```").next().unwrap();
    let keys = example.lines().filter_map(|line| match line.strip_prefix('[') {
        Some(table) => table.strip_suffix(']'),
        None => line.split_once(" = ").map(|(key, _)| key),
    });
    // `name` is for people; keys in tables are those of the other files.
    let skipped = [
        "name",
        "connectors",
        "tasks",
        "tasks_per_connector",
        "plugins",
        "connector",
        "team",
        "contact",
        "some-rule",
        "id",
        "secret",
    ];
    let documented = keys.filter(|key| !skipped.contains(key)).map(str::to_owned).collect();
    check(&documented, PROFILE_KEYS);
}
