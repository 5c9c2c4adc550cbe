use super::*;
use crate::checks::{CheckState, cli_config::CliConfigFacts};

fn plugin_file(path: &str, real: Option<&str>) -> PluginFile {
    let name = path.rsplit('/').next().unwrap();
    PluginFile {
        name: plugin_name(name).unwrap().to_owned(),
        path: path.into(),
        real: real.map(PathBuf::from),
    }
}

/// Returns an installation of `/opt/ebs/confluent-ebs` with the Confluent CLI.
fn installation_with(plugins: &[(&str, Option<&str>)]) -> PluginInstallation {
    PluginInstallation {
        program: "/opt/ebs/confluent-ebs".into(),
        cli: Some("/usr/bin/confluent".into()),
        plugins: plugins.iter().map(|(path, real)| plugin_file(path, *real)).collect(),
        windows: false,
    }
}

const OWN_FILE: Option<&str> = Some("/opt/ebs/confluent-ebs");

fn config(state: CliConfigState) -> CliConfig {
    CliConfig {
        path: "/home/me/.confluent/config.json".into(),
        state,
    }
}

fn config_with(disable_plugins: Option<bool>) -> CliConfig {
    config(CliConfigState::Read(CliConfigFacts {
        disable_plugins,
        ..CliConfigFacts::default()
    }))
}

fn check_named(checks: &[CheckResult], name: &str) -> CheckResult {
    checks.iter().find(|check| check.name == name).unwrap().clone()
}

fn run_check(installation: &PluginInstallation, name: &str) -> (CheckState, String, String) {
    let check = check_named(&check_installation(installation, &config_with(None)), name);
    (check.state, check.detail, check.fix.unwrap_or_default())
}

// Source: docs/reference/cli.md#plugin-files. The regular expression and its pitfalls.
#[test]
fn plugin_names_are_parsed_like_the_confluent_cli() {
    for (file, plugin) in [
        ("confluent-ebs", Some("confluent-ebs")),
        ("confluent-ebs.exe", Some("confluent-ebs")),
        ("confluent-ebs.bak", Some("confluent-ebs")),
        ("confluent-ebs-create", Some("confluent-ebs-create")),
        ("confluent-ebs-dry_run.sh", Some("confluent-ebs-dry_run")),
        ("confluent-ebs-0.3.1", None),
        ("confluent-ebs-1", None),
        ("confluent-Ebs", None),
        ("confluent-ebs-", None),
        ("confluent", None),
        ("confluent-ebs.1.2", None),
        ("other", None),
    ] {
        assert_eq!(plugin_name(file), plugin, "{file}");
    }
    assert_eq!(
        shadowed_command("confluent-ebs-create").unwrap(),
        "confluent ebs create"
    );
    assert_eq!(
        shadowed_command("confluent-ebs-quota-dry_run").unwrap(),
        "confluent ebs quota dry-run"
    );
    assert_eq!(shadowed_command("confluent-ebsx"), None);
}

#[test]
fn one_installation_with_its_help_link_is_ok() {
    let good = installation_with(&[
        ("/home/me/bin/confluent-ebs", OWN_FILE),
        ("/home/me/bin/confluent-help-ebs", OWN_FILE),
        ("/opt/ebs/confluent-ebs", OWN_FILE),
    ]);
    let checks = check_installation(&good, &config_with(Some(false)));
    let well = checks
        .iter()
        .all(|check| check.state == CheckState::Ok && check.fix.is_none());
    assert!(well, "{checks:#?}");
    assert_eq!(
        check_named(&checks, "plugin on PATH").detail,
        "/home/me/bin/confluent-ebs"
    );
}

#[test]
fn a_plugin_that_is_not_on_path_has_a_fix() {
    let none = installation_with(&[]);
    let (state, _, fix) = run_check(&none, "plugin on PATH");
    assert_eq!(state, CheckState::Problem);
    assert_eq!(
        fix,
        "Run `export PATH=/opt/ebs:$PATH`, so that the Confluent CLI finds it."
    );
    let renamed = PluginInstallation {
        program: "/opt/my tools/ebs-1.0".into(),
        ..none.clone()
    };
    let (_, _, fix) = run_check(&renamed, "plugin on PATH");
    assert_eq!(
        fix,
        "Rename `/opt/my tools/ebs-1.0` to `confluent-ebs` and move it to a folder of `PATH`."
    );
    // Without the Confluent CLI no plugin is needed.
    let alone = PluginInstallation { cli: None, ..none };
    for name in ["Confluent CLI", "plugin on PATH", "plugins enabled"] {
        assert_eq!(run_check(&alone, name).0, CheckState::Ok, "{name}");
    }
}

#[test]
fn a_duplicate_plugin_is_reported_with_the_command_that_removes_it() {
    let hidden = installation_with(&[
        ("/usr/local/bin/confluent-ebs", Some("/usr/local/bin/confluent-ebs")),
        ("/opt/ebs/confluent-ebs", OWN_FILE),
    ]);
    let (state, detail, fix) = run_check(&hidden, "plugin on PATH");
    assert_eq!(state, CheckState::Problem);
    assert!(detail.contains("runs `/usr/local/bin/confluent-ebs`"), "{detail}");
    assert!(fix.ends_with("`rm /usr/local/bin/confluent-ebs`."), "{fix}");
    assert_eq!(run_check(&hidden, "plugin duplicates").0, CheckState::Problem);

    let backup = installation_with(&[
        ("/opt/ebs/confluent-ebs", OWN_FILE),
        ("/opt/ebs/confluent-ebs.bak", Some("/opt/ebs/confluent-ebs.bak")),
        ("/opt/two words/confluent-ebs", Some("/opt/two words/confluent-ebs")),
    ]);
    assert_eq!(run_check(&backup, "plugin on PATH").0, CheckState::Ok);
    let (state, _, fix) = run_check(&backup, "plugin duplicates");
    assert_eq!(state, CheckState::Problem);
    assert_eq!(
        fix,
        "Remove the duplicates with `rm /opt/ebs/confluent-ebs.bak \"/opt/two words/confluent-ebs\"`."
    );
}

// Source: docs/reference/cli.md#plugin-process. A file that cannot be executed exits with 1 and no message.
#[test]
fn a_dangling_link_is_a_problem() {
    let dangling = installation_with(&[("/opt/old/confluent-ebs", None), ("/opt/ebs/confluent-ebs", OWN_FILE)]);
    let (state, detail, fix) = run_check(&dangling, "plugin on PATH");
    assert_eq!(state, CheckState::Problem);
    assert!(detail.ends_with("fails without a message"), "{detail}");
    assert_eq!(fix, "Remove it with `rm /opt/old/confluent-ebs`.");
}

// Source: docs/reference/cli.md#plugin-lookup. The longest matching name wins across files.
#[test]
fn a_longer_plugin_name_shadows_commands() {
    let taken = installation_with(&[
        ("/opt/ebs/confluent-ebs", OWN_FILE),
        ("/opt/x/confluent-ebs-connector-list.py", Some("/opt/x/y")),
    ]);
    let (state, detail, fix) = run_check(&taken, "shadowed commands");
    assert_eq!(state, CheckState::Problem);
    assert_eq!(
        detail,
        "`/opt/x/confluent-ebs-connector-list.py` runs instead of `confluent ebs connector list …`"
    );
    assert_eq!(fix, "Remove them with `rm /opt/x/confluent-ebs-connector-list.py`.");
}

#[test]
fn a_missing_help_link_is_suggested_and_a_foreign_one_is_reported() {
    let without = installation_with(&[("/opt/ebs/confluent-ebs", OWN_FILE)]);
    let (state, _, fix) = run_check(&without, "help link");
    assert_eq!(state, CheckState::Ok);
    assert_eq!(fix, "Create it with `ln -s confluent-ebs /opt/ebs/confluent-help-ebs`.");
    let strange = installation_with(&[("/opt/x/confluent-help-ebs", Some("/opt/x/confluent-help-ebs"))]);
    assert_eq!(run_check(&strange, "help link").0, CheckState::Problem);
}

// cli `pkg/config/config.go` Load: plugins are disabled by default on Windows and enabled elsewhere.
#[test]
fn disabled_plugins_are_a_problem() {
    let here = installation_with(&[("/opt/ebs/confluent-ebs", OWN_FILE)]);
    let windows = PluginInstallation {
        windows: true,
        ..here.clone()
    };
    let state = |installation: &PluginInstallation, config: &CliConfig| {
        let check = check_named(&check_installation(installation, config), "plugins enabled");
        let switch = check
            .fix
            .is_some_and(|fix| fix.contains("confluent configuration update disable_plugins false"));
        (check.state, switch)
    };
    for (installation, config, expected) in [
        (&here, config_with(None), (CheckState::Ok, false)),
        (&here, config_with(Some(false)), (CheckState::Ok, false)),
        (&here, config_with(Some(true)), (CheckState::Problem, true)),
        (&here, config(CliConfigState::Missing), (CheckState::Ok, false)),
        (
            &here,
            config(CliConfigState::Unreadable("invalid JSON at line 3".into())),
            (CheckState::Problem, false),
        ),
        (&windows, config_with(None), (CheckState::Problem, true)),
        (&windows, config_with(Some(false)), (CheckState::Ok, false)),
        (&windows, config(CliConfigState::Missing), (CheckState::Problem, true)),
    ] {
        assert_eq!(state(installation, &config), expected, "{config:?}");
    }
}

#[cfg(unix)]
#[test]
fn folders_are_searched_like_the_confluent_cli() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let home = tempfile::tempdir().unwrap();
    let folder = |name: &str| {
        let path = home.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    };
    let file = |path: &Path, mode: u32| {
        std::fs::write(path, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let (one, two) = (folder("one"), folder("two"));
    let program = folder("opt").join("confluent-ebs");
    file(&program, 0o755);
    symlink(&program, one.join("confluent-ebs")).unwrap();
    file(&one.join("confluent-ebs-note"), 0o644);
    file(&one.join("confluent-ebs-theirs"), 0o601);
    file(&one.join("confluent-connect"), 0o755);
    file(&two.join("confluent"), 0o755);
    symlink("nowhere", two.join("confluent-ebs")).unwrap();
    folder("two/confluent-ebs-folder");

    let nowhere = home.path().join("missing");
    let seen = PluginInstallation::discover(&program, &[nowhere, one.clone(), two.clone()], &[]);
    assert_eq!(seen.cli, Some(two.join("confluent")));
    let names: Vec<_> = seen
        .plugins
        .iter()
        .map(|found| (found.path.clone(), found.real.is_some()))
        .collect();
    assert_eq!(
        names,
        [
            (one.join("confluent-ebs"), true),
            (one.join("confluent-ebs-theirs"), true),
            (two.join("confluent-ebs"), false)
        ]
    );
    assert!(seen.is_running_program(&seen.plugins[0]));
}
