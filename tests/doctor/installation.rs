//! Checks of this computer.

use serde_json::json;

use crate::{
    common::{Cli, JsonAccess as _, make_private},
    report::{DoctorReport, profile_text, run_doctor, write_profile},
};

#[test]
fn an_unconfigured_home_gets_the_first_step() {
    let cli = Cli::new();
    let mut command = cli.command();
    command.env("CONFLUENT_EBS_STATE_DIR", "state");
    insta::assert_snapshot!(cli.run_command(command.args(["doctor", "--offline"])), @r"
    exit 6
    ----- stdout -----
    Plugin
      ok       Confluent CLI: not on `PATH`; needed only for `confluent ebs`, `init
               --from-login` and the administrator's commands
      ok       plugin on PATH: none; not needed to run `confluent-ebs` directly
      ok       plugin duplicates: none
      ok       shadowed commands: none
      ok       help link: none; only `confluent help ebs` needs it
      ok       plugins enabled: not applicable without the Confluent CLI


    This Computer
      ok       state folder: state, created at first use
      ok       unfinished runs: none
      ok       sandbox: none yet; `--sandbox` creates one


    Profile and Key
      ok       profile: none selected
      ok       profile file: none
      ok       secrets in the environment: no key
      problem  key: no API key
               Next: Select the profile of the platform team with `--profile FILE`.
                     As the platform team, start with `confluent ebs init`. Without
                     an account, try `confluent ebs onboard claims --sandbox`.
      unknown  key accepted, key owner, key age: skipped: `--offline`
      unknown  Kafka key: none; unknown whether a template needs one, because there
               are no platform files
               Next: Run the command in the folder of `ebs.toml`.


    Network
      ok       endpoint: https://api.confluent.cloud
      ok       proxy: none in the environment
      unknown  service reachable, hosts of logs and metrics, certificate, clock:
               skipped: `--offline`


    Platform
      ok       platform files: none in this folder or its parents; only the platform
               team needs them
      unknown  organization, environment, cluster, cluster type, cluster state,
               Schema Registry, connectors: skipped: `--offline`


    Rights
      unknown  roles: skipped: `--offline`
      ok       provisioner's roles: skipped: no platform files
      ok       template assumptions: no templates


    17 ok, 1 problem, 16 unknown.
    First: Select the profile of the platform team with `--profile FILE`. As the
              platform team, start with `confluent ebs init`. Without an account,
              try `confluent ebs onboard claims --sandbox`.
    ");
    assert!(!cli.path("state").exists(), "the checks create no files");
}

#[test]
fn json_output_lists_every_check_with_topic_and_state() {
    let cli = Cli::new();
    let output = run_doctor(&cli, "--offline").expect_code(6);
    let whole = &output.json;
    assert_eq!(
        (&whole["problems"], output.names_in_state("problem")),
        (&json!(1), vec!["key"])
    );
    assert_eq!(whole["next"], output.fix("key"));
    assert_eq!(
        whole["checks"][0],
        json!({
            "topic": "plugin", "name": "Confluent CLI", "state": "ok", "fix": null,
            "detail": output.detail("Confluent CLI"),
        })
    );
    for check in whole.items("/checks") {
        let (state, fix) = (check.text("/state"), &check["fix"]);
        assert!(["ok", "problem", "unknown"].contains(&state), "{check}");
        assert!(
            state != "problem" || fix.as_str().is_some_and(|fix| fix.ends_with('.')),
            "{check}"
        );
    }
    let yaml = cli.run("doctor --offline -o yaml");
    assert!(yaml.stdout.starts_with("ok: "), "{yaml}");
}

#[test]
fn the_doctor_page_names_every_check() {
    let page = include_str!("../../docs/doctor.md");
    let cli = Cli::onboarded("claims");
    for output in [run_doctor(&cli, "--offline"), run_doctor(&cli, "--sandbox")] {
        for name in output.names() {
            assert!(
                page.contains(&format!("| {name} |")),
                "docs/doctor.md does not name `{name}`"
            );
        }
    }
}

/// A home with folders of programs: `bin` with the Confluent CLI and `opt` with this program.
#[cfg(unix)]
fn cli_with_installation() -> Cli {
    use std::os::unix::fs::symlink;
    let cli = Cli::new();
    write_executable(&cli, "bin/confluent");
    std::fs::create_dir(cli.path("opt")).unwrap();
    symlink(env!("CARGO_BIN_EXE_confluent-ebs"), cli.path("opt/confluent-ebs")).unwrap();
    cli
}

#[cfg(unix)]
fn write_executable(cli: &Cli, name: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = cli.write(name, "#!/bin/sh\nexit 1\n");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Report with these folders of the home on the `PATH`.
#[cfg(unix)]
fn doctor_with_path(cli: &Cli, folders: &[&str]) -> DoctorReport {
    let path = std::env::join_paths(folders.iter().map(|folder| cli.path(folder))).unwrap();
    let mut command = cli.command();
    command.env("PATH", path).args(["doctor", "--offline", "-o", "json"]);
    DoctorReport::parse(&cli.run_command(&mut command))
}

#[cfg(unix)]
#[test]
fn an_installation_behind_a_symlink_passes() {
    let cli = cli_with_installation();
    let output = doctor_with_path(&cli, &["bin", "opt"]);
    for name in [
        "Confluent CLI",
        "plugin on PATH",
        "plugin duplicates",
        "shadowed commands",
        "plugins enabled",
    ] {
        assert_eq!(output.state(name), "ok", "{name}: {}", output.detail(name));
    }
    assert_eq!(output.detail("plugin on PATH"), "[HOME]/opt/confluent-ebs");
    assert_eq!(
        output.fix("help link"),
        "Create it with `ln -s confluent-ebs [HOME]/opt/confluent-help-ebs`."
    );
}

// Source: docs/reference/cli.md#plugin-files and docs/reference/cli.md#plugin-lookup. All problems at once.
#[cfg(unix)]
#[test]
fn obstacles_to_the_plugin_are_reported() {
    let cli = cli_with_installation();
    write_executable(&cli, "old/confluent-ebs");
    write_executable(&cli, "old/confluent-ebs-connector");
    write_executable(&cli, ".confluent/plugins/confluent-ebs.bak");
    cli.write(".confluent/config.json", r#"{"disable_plugins": true}"#);

    let missing = doctor_with_path(&cli, &["bin"]);
    assert_eq!(missing.state("plugin on PATH"), "problem");
    // The folder of the Confluent CLI is searched last.
    assert!(
        missing
            .detail("plugin on PATH")
            .contains(".confluent/plugins/confluent-ebs.bak")
    );

    let output = doctor_with_path(&cli, &["old", "bin", "opt"]).expect_code(6);
    assert!(
        output
            .detail("plugin on PATH")
            .starts_with("`confluent ebs` runs `[HOME]/old/confluent-ebs")
    );
    assert_eq!(
        output.fix("plugin duplicates"),
        "Remove the duplicates with `rm [HOME]/opt/confluent-ebs [HOME]/.confluent/plugins/confluent-ebs.bak`."
    );
    assert!(
        output
            .detail("shadowed commands")
            .contains("`confluent ebs connector …`")
    );
    assert!(
        output
            .fix("plugins enabled")
            .contains("`confluent configuration update disable_plugins false`")
    );
}

#[test]
fn an_unusable_profile_does_not_hide_other_checks() {
    let cli = Cli::new();
    let missing = run_doctor(&cli, "--offline --profile nobody");
    assert_eq!(missing.state("profile"), "problem");
    assert_eq!(
        missing.fix("profile"),
        "List profiles with `confluent ebs profile list`."
    );
    // One cause is one problem.
    assert_eq!(missing.names_in_state("problem"), ["profile"]);
    let broken = profile_text("https://api.confluent.cloud.example.com");
    cli.write("broken.toml", broken);
    let broken = run_doctor(&cli, "--offline --profile broken.toml");
    assert!(
        broken.detail("profile").contains("broken.toml:7:12"),
        "{}",
        broken.detail("profile")
    );
    assert!(broken.fix("profile").contains("--trust-endpoint"));
}

#[cfg(unix)]
#[test]
fn a_readable_profile_file_gets_a_chmod_command() {
    use std::os::unix::fs::PermissionsExt;
    let cli = Cli::new();
    let path = write_profile(&cli, "https://api.confluent.cloud");
    let good = run_doctor(&cli, "--offline --profile claims-operator.toml");
    assert_eq!((good.code, good.state("profile file")), (Some(0), "ok"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = run_doctor(&cli, "--offline --profile claims-operator.toml").expect_code(6);
    assert!(open.fix("profile file").contains("`chmod 600 claims-operator.toml`"));
    make_private(&path);
}

#[test]
fn keys_in_environment_variables_are_reported_without_values() {
    let cli = Cli::new();
    let output = |pairs: &[(&str, &str)]| {
        let mut command = cli.command();
        command
            .envs(pairs.iter().copied())
            .args(["doctor", "--offline", "-o", "json"]);
        let output = cli.run_command(&mut command);
        assert!(!output.to_string().contains("canary"), "{output}");
        DoctorReport::parse(&output)
    };
    let (id, secret) = ("CONFLUENT_CLOUD_API_KEY", "CONFLUENT_CLOUD_API_SECRET");
    let good = output(&[(id, "ABCDEFGHIJKLMNOP"), (secret, "cfltcanary")]);
    assert_eq!((good.code, good.state("key")), (Some(0), "ok"));
    let swapped = output(&[(id, "cfltcanary"), (secret, "ABCDEFGHIJKLMNOP")]);
    assert_eq!(swapped.names_in_state("problem"), ["key", "secrets in the environment"]);
    let half = output(&[(secret, "cfltcanary")]);
    assert!(half.fix("key").contains(id));
}

#[test]
fn platform_files_and_unfinished_runs_are_checked() {
    let cli = Cli::new();
    cli.write(
        "ebs.toml",
        "default_stage = \"prod\"\n[stages.prod]\nenvironment = \"canary\"\n",
    );
    let broken = run_doctor(&cli, "--offline");
    assert_eq!(broken.state("platform files"), "problem");
    assert_eq!(
        broken.fix("platform files"),
        "List them with `confluent ebs department validate`."
    );
    assert!(!broken.detail("platform files").contains("canary"));

    let folder = ".state/confluent-ebs/journal";
    let started = r#"{"at":"2026-11-22T12:00:00Z","event":"run_started","run":"r1","command":"onboard","changes":7}"#;
    cli.write(format!("{folder}/org-prod.jsonl"), format!("{started}\n{{\"at\":\"20"));
    let torn = run_doctor(&cli, "--offline");
    assert!(torn.detail("unfinished runs").contains("0 of 7 changes"));
    assert!(torn.fix("unfinished runs").contains("`confluent ebs onboard --all`"));
}

#[test]
fn an_unknown_stage_is_a_usage_error() {
    let cli = Cli::new();
    let output = cli.run("doctor --sandbox --stage tset").expect_code(64);
    assert!(output.stderr.contains("Did you mean `test`?"), "{output}");
    for args in ["doctor --timeout soon", "doctor --assumptions --bundle x"] {
        cli.run(args).expect_code(64);
    }
}
