//! What can be seen of this computer alone.

use serde_json::json;

use crate::{
    common::World,
    rig::{Diagnosed, close, doctor, keep_profile, profile},
};

#[test]
fn with_nothing_configured_it_says_what_to_do_first() {
    let world = World::new();
    let mut command = world.command();
    command.env("CONFLUENT_EBS_STATE_DIR", "state");
    insta::assert_snapshot!(world.see(command.args(["doctor", "--offline"])), @r"
    exit 6
    ----- stdout -----
    Plugin
      ok       Confluent CLI: not on PATH; only `confluent ebs`, `init --from-login`
               and the administrator's commands need it
      ok       plugin on PATH: not there; not needed while `confluent-ebs` is called
               by itself
      ok       plugin duplicates: none
      ok       sub-commands taken over: none
      ok       help link: none; `confluent help ebs` does not work without it, all
               else does
      ok       plugins enabled: nothing to switch on without the Confluent CLI


    This Computer
      ok       state folder: state, made when it is needed
      ok       unfinished runs: none
      ok       sandbox: none yet; `--sandbox` makes one


    Profile and Key
      ok       profile: none named
      ok       profile file: none
      ok       secrets in the environment: no key
      problem  key: no key to act with
               Next: Name the profile that EBS handed over with `--profile FILE`; as
                     EBS, begin with `confluent ebs init`; without an account, try
                     `confluent ebs onboard claims --sandbox`.
      unknown  key accepted, key owner, key age: nobody was asked: --offline
      unknown  Kafka key: none, and no platform files to tell whether a template
               needs one
               Next: Run it where `ebs.toml` is.


    Network
      ok       endpoint: https://api.confluent.cloud
      ok       proxy: none named by the environment
      unknown  service reachable, hosts of logs and metrics, certificate, clock:
               nobody was asked: --offline


    Platform
      ok       platform files: none here or in a folder above; only the platform
               team needs them
      unknown  organization, environment, cluster, cluster type, cluster state,
               Schema Registry, connectors: nobody was asked: --offline


    Rights
      unknown  roles: nobody was asked: --offline
      ok       provisioner's roles: not looked at: there are no platform files to go
               by
      ok       template assumptions: no templates here


    17 ok, 1 problem, 16 unknown.
    Do first: Name the profile that EBS handed over with `--profile FILE`; as EBS,
              begin with `confluent ebs init`; without an account, try `confluent
              ebs onboard claims --sandbox`.
    ");
    assert!(!world.path("state").exists(), "looking leaves nothing behind");
}

#[test]
fn machines_get_every_check_with_its_topic_and_state() {
    let world = World::new();
    let seen = doctor(&world, "--offline");
    assert_eq!(seen.code, Some(6));
    let whole = &seen.whole;
    assert_eq!((&whole["problems"], seen.all("problem")), (&json!(1), vec!["key"]));
    assert_eq!(whole["next"], seen.fix("key"));
    assert_eq!(
        whole["checks"][0],
        json!({
            "topic": "plugin", "name": "Confluent CLI", "state": "ok", "fix": null,
            "detail": seen.detail("Confluent CLI"),
        })
    );
    for check in whole["checks"].as_array().unwrap() {
        let (state, fix) = (check["state"].as_str().unwrap(), &check["fix"]);
        assert!(["ok", "problem", "unknown"].contains(&state), "{check}");
        assert!(
            state != "problem" || fix.as_str().is_some_and(|fix| fix.ends_with('.')),
            "{check}"
        );
    }
    let yaml = world.ebs("doctor --offline -o yaml");
    assert!(yaml.stdout.starts_with("ok: "), "{yaml}");
}

#[test]
fn the_page_names_every_check() {
    let page = include_str!("../../docs/doctor.md");
    let world = World::new();
    assert_eq!(world.ebs("onboard claims --sandbox --yes").code, Some(0));
    for seen in [doctor(&world, "--offline"), doctor(&world, "--sandbox")] {
        for name in seen.names() {
            assert!(
                page.contains(&format!("| {name} |")),
                "docs/doctor.md does not name `{name}`"
            );
        }
    }
}

/// A home with folders of programs: `bin` with the Confluent CLI and `opt` with this program.
#[cfg(unix)]
fn installed() -> World {
    use std::os::unix::fs::symlink;
    let world = World::new();
    executable(&world, "bin/confluent");
    std::fs::create_dir(world.path("opt")).unwrap();
    symlink(env!("CARGO_BIN_EXE_confluent-ebs"), world.path("opt/confluent-ebs")).unwrap();
    world
}

#[cfg(unix)]
fn executable(world: &World, name: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = world.write(name, "#!/bin/sh\nexit 1\n");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// What is said with these folders on the path, below the home.
#[cfg(unix)]
fn with_path(world: &World, folders: &[&str]) -> Diagnosed {
    let path = std::env::join_paths(folders.iter().map(|folder| world.path(folder))).unwrap();
    let mut command = world.command();
    command.env("PATH", path).args(["doctor", "--offline", "-o", "json"]);
    Diagnosed::of(&world.see(&mut command))
}

#[cfg(unix)]
#[test]
fn a_good_installation_is_recognised_through_its_link() {
    let world = installed();
    let seen = with_path(&world, &["bin", "opt"]);
    for name in [
        "Confluent CLI",
        "plugin on PATH",
        "plugin duplicates",
        "sub-commands taken over",
        "plugins enabled",
    ] {
        assert_eq!(seen.state(name), "ok", "{name}: {}", seen.detail(name));
    }
    assert_eq!(seen.detail("plugin on PATH"), "[HOME]/opt/confluent-ebs");
    assert_eq!(
        seen.fix("help link"),
        "`ln -s confluent-ebs [HOME]/opt/confluent-help-ebs` makes one."
    );
}

// Dossier `native-cli.md` §1.2 and §1.3: every trap there, at once.
#[cfg(unix)]
#[test]
fn whatever_stands_in_the_way_of_the_plugin_is_named() {
    let world = installed();
    executable(&world, "old/confluent-ebs");
    executable(&world, "old/confluent-ebs-connector");
    executable(&world, ".confluent/plugins/confluent-ebs.bak");
    world.write(".confluent/config.json", r#"{"disable_plugins": true}"#);

    let missing = with_path(&world, &["bin"]);
    assert_eq!(missing.state("plugin on PATH"), "problem");
    // The folder of the CLI itself is looked at last.
    assert!(
        missing
            .detail("plugin on PATH")
            .contains(".confluent/plugins/confluent-ebs.bak")
    );

    let seen = with_path(&world, &["old", "bin", "opt"]);
    assert_eq!(seen.code, Some(6));
    assert!(
        seen.detail("plugin on PATH")
            .starts_with("`confluent ebs` starts [HOME]/old/confluent-ebs")
    );
    assert_eq!(
        seen.fix("plugin duplicates"),
        "`rm [HOME]/opt/confluent-ebs [HOME]/.confluent/plugins/confluent-ebs.bak` leaves one."
    );
    assert!(
        seen.detail("sub-commands taken over")
            .contains("`confluent ebs connector …`")
    );
    assert!(
        seen.fix("plugins enabled")
            .contains("`confluent configuration update disable_plugins false`")
    );
}

#[test]
fn a_profile_that_cannot_be_used_hides_nothing_else() {
    let world = World::new();
    let missing = doctor(&world, "--offline --profile nobody");
    assert_eq!(missing.state("profile"), "problem");
    assert_eq!(
        missing.fix("profile"),
        "`confluent ebs profile list` shows the profiles that are known by name."
    );
    // One cause is one problem.
    assert_eq!(missing.all("problem"), ["profile"]);
    let broken = profile("https://api.confluent.cloud.example.com");
    world.write("broken.toml", broken);
    let broken = doctor(&world, "--offline --profile broken.toml");
    assert!(
        broken.detail("profile").contains("broken.toml:7:12"),
        "{}",
        broken.detail("profile")
    );
    assert!(broken.fix("profile").contains("--trust-endpoint"));
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_closed_with_one_command() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let path = keep_profile(&world, "https://api.confluent.cloud");
    let good = doctor(&world, "--offline --profile claims-operator.toml");
    assert_eq!((good.code, good.state("profile file")), (Some(0), "ok"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = doctor(&world, "--offline --profile claims-operator.toml");
    assert_eq!(open.code, Some(6));
    assert!(open.fix("profile file").contains("`chmod 600 claims-operator.toml`"));
    close(&path);
}

#[test]
fn keys_in_the_environment_are_told_and_never_shown() {
    let world = World::new();
    let seen = |pairs: &[(&str, &str)]| {
        let mut command = world.command();
        command
            .envs(pairs.iter().copied())
            .args(["doctor", "--offline", "-o", "json"]);
        let seen = world.see(&mut command);
        assert!(!seen.to_string().contains("canary"), "{seen}");
        Diagnosed::of(&seen)
    };
    let (id, secret) = ("CONFLUENT_CLOUD_API_KEY", "CONFLUENT_CLOUD_API_SECRET");
    let good = seen(&[(id, "ABCDEFGHIJKLMNOP"), (secret, "cfltcanary")]);
    assert_eq!((good.code, good.state("key")), (Some(0), "ok"));
    let swapped = seen(&[(id, "cfltcanary"), (secret, "ABCDEFGHIJKLMNOP")]);
    assert_eq!(swapped.all("problem"), ["key", "secrets in the environment"]);
    let half = seen(&[(secret, "cfltcanary")]);
    assert!(half.fix("key").contains(id));
}

#[test]
fn files_of_the_platform_and_unfinished_runs_are_looked_at() {
    let world = World::new();
    world.write(
        "ebs.toml",
        "default_stage = \"prod\"\n[stages.prod]\nenvironment = \"canary\"\n",
    );
    let broken = doctor(&world, "--offline");
    assert_eq!(broken.state("platform files"), "problem");
    assert_eq!(
        broken.fix("platform files"),
        "`confluent ebs department validate` shows all of them."
    );
    assert!(!broken.detail("platform files").contains("canary"));

    let folder = ".state/confluent-ebs/journal";
    let started = r#"{"at":"2026-11-22T12:00:00Z","event":"run_started","run":"r1","command":"onboard","changes":7}"#;
    world.write(format!("{folder}/org-prod.jsonl"), format!("{started}\n{{\"at\":\"20"));
    let torn = doctor(&world, "--offline");
    assert!(torn.detail("unfinished runs").contains("0 of 7 changes"));
    assert!(torn.fix("unfinished runs").contains("`confluent ebs onboard --all`"));
}

#[test]
fn a_stage_that_does_not_exist_is_a_mistake_in_the_flags() {
    let world = World::new();
    let seen = world.ebs("doctor --sandbox --stage tset");
    assert_eq!(seen.code, Some(64), "{seen}");
    assert!(seen.stderr.contains("Did you mean `test`?"), "{seen}");
    for args in ["doctor --timeout soon", "doctor --assumptions --bundle x"] {
        assert_eq!(world.ebs(args).code, Some(64), "{args}");
    }
}
