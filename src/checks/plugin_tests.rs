use super::*;
use crate::checks::{CheckState, stock_config::StockFacts};

fn found(path: &str, real: Option<&str>) -> Found {
    let name = path.rsplit('/').next().unwrap();
    Found {
        name: plugin_name(name).unwrap().to_owned(),
        path: path.into(),
        real: real.map(PathBuf::from),
    }
}

/// An installation of `/opt/ebs/confluent-ebs` beside the Confluent CLI.
fn installed(plugins: &[(&str, Option<&str>)]) -> Installation {
    Installation {
        program: "/opt/ebs/confluent-ebs".into(),
        stock: Some("/usr/bin/confluent".into()),
        plugins: plugins.iter().map(|(path, real)| found(path, *real)).collect(),
        windows: false,
    }
}

const OWN_FILE: Option<&str> = Some("/opt/ebs/confluent-ebs");

fn config(state: StockState) -> StockConfig {
    StockConfig {
        path: "/home/me/.confluent/config.json".into(),
        state,
    }
}

fn says(disable_plugins: Option<bool>) -> StockConfig {
    config(StockState::Read(StockFacts {
        disable_plugins,
        ..StockFacts::default()
    }))
}

fn named(checks: &[Check], name: &str) -> Check {
    checks.iter().find(|check| check.name == name).unwrap().clone()
}

fn judged(installation: &Installation, name: &str) -> (CheckState, String, String) {
    let check = named(&judge(installation, &says(None)), name);
    (check.state, check.detail, check.fix.unwrap_or_default())
}

// Dossier `native-cli.md` §1.2: the regular expression, and the traps below it.
#[test]
fn names_of_plugins_are_read_as_the_cli_reads_them() {
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
    assert_eq!(taken("confluent-ebs-create").unwrap(), "confluent ebs create");
    assert_eq!(
        taken("confluent-ebs-quota-dry_run").unwrap(),
        "confluent ebs quota dry-run"
    );
    assert_eq!(taken("confluent-ebsx"), None);
}

#[test]
fn one_installation_with_its_link_is_well() {
    let good = installed(&[
        ("/home/me/bin/confluent-ebs", OWN_FILE),
        ("/home/me/bin/confluent-help-ebs", OWN_FILE),
        ("/opt/ebs/confluent-ebs", OWN_FILE),
    ]);
    let checks = judge(&good, &says(Some(false)));
    let well = checks
        .iter()
        .all(|check| check.state == CheckState::Ok && check.fix.is_none());
    assert!(well, "{checks:#?}");
    assert_eq!(named(&checks, "plugin on PATH").detail, "/home/me/bin/confluent-ebs");
}

#[test]
fn what_is_not_on_path_is_put_there() {
    let none = installed(&[]);
    let (state, _, fix) = judged(&none, "plugin on PATH");
    assert_eq!(state, CheckState::Problem);
    assert_eq!(fix, "`export PATH=/opt/ebs:$PATH` lets the Confluent CLI find it.");
    let renamed = Installation {
        program: "/opt/my tools/ebs-1.0".into(),
        ..none.clone()
    };
    let (_, _, fix) = judged(&renamed, "plugin on PATH");
    assert_eq!(
        fix,
        "Name the program /opt/my tools/ebs-1.0 `confluent-ebs`, in a folder of `PATH`."
    );
    // Without the CLI there is nobody who would look for it.
    let alone = Installation { stock: None, ..none };
    for name in ["Confluent CLI", "plugin on PATH", "plugins enabled"] {
        assert_eq!(judged(&alone, name).0, CheckState::Ok, "{name}");
    }
}

#[test]
fn another_file_of_that_name_is_named_with_the_command_that_removes_it() {
    let hidden = installed(&[
        ("/usr/local/bin/confluent-ebs", Some("/usr/local/bin/confluent-ebs")),
        ("/opt/ebs/confluent-ebs", OWN_FILE),
    ]);
    let (state, detail, fix) = judged(&hidden, "plugin on PATH");
    assert_eq!(state, CheckState::Problem);
    assert!(detail.contains("starts /usr/local/bin/confluent-ebs"), "{detail}");
    assert!(fix.starts_with("`rm /usr/local/bin/confluent-ebs`"), "{fix}");
    assert_eq!(judged(&hidden, "plugin duplicates").0, CheckState::Problem);

    let backup = installed(&[
        ("/opt/ebs/confluent-ebs", OWN_FILE),
        ("/opt/ebs/confluent-ebs.bak", Some("/opt/ebs/confluent-ebs.bak")),
        ("/opt/two words/confluent-ebs", Some("/opt/two words/confluent-ebs")),
    ]);
    assert_eq!(judged(&backup, "plugin on PATH").0, CheckState::Ok);
    let (state, _, fix) = judged(&backup, "plugin duplicates");
    assert_eq!(state, CheckState::Problem);
    assert_eq!(
        fix,
        "`rm /opt/ebs/confluent-ebs.bak \"/opt/two words/confluent-ebs\"` leaves one."
    );
}

// Dossier `native-cli.md` §1.4: a file that cannot be executed is exit 1 without a message.
#[test]
fn a_link_that_leads_nowhere_is_a_silent_failure() {
    let dangling = installed(&[("/opt/old/confluent-ebs", None), ("/opt/ebs/confluent-ebs", OWN_FILE)]);
    let (state, detail, fix) = judged(&dangling, "plugin on PATH");
    assert_eq!(state, CheckState::Problem);
    assert!(detail.ends_with("fails without a word"), "{detail}");
    assert_eq!(fix, "`rm /opt/old/confluent-ebs` removes it.");
}

// Dossier `native-cli.md` §1.3: the longest name that fits wins, across files.
#[test]
fn a_longer_name_takes_commands_away() {
    let taken = installed(&[
        ("/opt/ebs/confluent-ebs", OWN_FILE),
        ("/opt/x/confluent-ebs-connector-list.py", Some("/opt/x/y")),
    ]);
    let (state, detail, fix) = judged(&taken, "sub-commands taken over");
    assert_eq!(state, CheckState::Problem);
    assert_eq!(
        detail,
        "/opt/x/confluent-ebs-connector-list.py runs instead of `confluent ebs connector list …`"
    );
    assert_eq!(fix, "`rm /opt/x/confluent-ebs-connector-list.py` ends that.");
}

#[test]
fn the_help_link_is_offered_and_a_strange_one_is_not_trusted() {
    let without = installed(&[("/opt/ebs/confluent-ebs", OWN_FILE)]);
    let (state, _, fix) = judged(&without, "help link");
    assert_eq!(state, CheckState::Ok);
    assert_eq!(fix, "`ln -s confluent-ebs /opt/ebs/confluent-help-ebs` makes one.");
    let strange = installed(&[("/opt/x/confluent-help-ebs", Some("/opt/x/confluent-help-ebs"))]);
    assert_eq!(judged(&strange, "help link").0, CheckState::Problem);
}

// cli `pkg/config/config.go` Load: off by default on Windows, on by default elsewhere.
#[test]
fn plugins_can_be_switched_off() {
    let here = installed(&[("/opt/ebs/confluent-ebs", OWN_FILE)]);
    let windows = Installation {
        windows: true,
        ..here.clone()
    };
    let state = |installation: &Installation, config: &StockConfig| {
        let check = named(&judge(installation, config), "plugins enabled");
        let switch = check
            .fix
            .is_some_and(|fix| fix.contains("confluent configuration update disable_plugins false"));
        (check.state, switch)
    };
    for (installation, config, expected) in [
        (&here, says(None), (CheckState::Ok, false)),
        (&here, says(Some(false)), (CheckState::Ok, false)),
        (&here, says(Some(true)), (CheckState::Problem, true)),
        (&here, config(StockState::Missing), (CheckState::Ok, false)),
        (
            &here,
            config(StockState::Unreadable("no JSON at line 3".into())),
            (CheckState::Problem, false),
        ),
        (&windows, says(None), (CheckState::Problem, true)),
        (&windows, says(Some(false)), (CheckState::Ok, false)),
        (&windows, config(StockState::Missing), (CheckState::Problem, true)),
    ] {
        assert_eq!(state(installation, &config), expected, "{config:?}");
    }
}

#[cfg(unix)]
#[test]
fn folders_are_looked_at_as_the_cli_does() {
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
    let seen = Installation::look(&program, &[nowhere, one.clone(), two.clone()], &[]);
    assert_eq!(seen.stock, Some(two.join("confluent")));
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
    assert!(seen.is_this(&seen.plugins[0]));
}
