//! Secrets are written only to places that nobody else reads or commits, and a profile of somebody else decides nothing
//! about them.

use std::{fs, process::Command};

use crate::common::{Cli, PROFILES_DIR, list_files};

/// Makes the home, which is the current directory, a Git work tree.
fn git_init(cli: &Cli) {
    let done = Command::new("git")
        .current_dir(cli.path(""))
        .args(["init", "-q"])
        .status();
    assert!(done.expect("git starts").success());
}

/// Files of the home that contain the secret of an API key.
fn files_with_secrets(cli: &Cli) -> Vec<String> {
    let files = list_files(&cli.path("")).into_iter();
    let is_secret = |path: &std::path::PathBuf| {
        let text = fs::read(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        !path.display().to_string().contains("/.git/") && text.contains("\nsecret = \"cflt")
    };
    files.filter(is_secret).map(|path| path.display().to_string()).collect()
}

#[test]
fn a_state_folder_in_a_work_tree_that_git_does_not_ignore_gets_no_profiles() {
    let cli = Cli::new();
    git_init(&cli);
    let state = cli.path("state").display().to_string();
    let run = || cli.run_with_env("onboard claims --sandbox --yes", &[("CONFLUENT_EBS_STATE_DIR", &state)]);
    let refused = run();
    assert_ne!(refused.code, Some(0), "{refused}");
    assert!(refused.stderr_line().contains("does not ignore it"), "{refused}");
    assert_eq!(files_with_secrets(&cli), Vec::<String>::new());
    cli.write(".gitignore", "/state/\n");
    run().expect_success();
    assert_eq!(files_with_secrets(&cli).len(), 3);
}

#[test]
fn a_profile_is_not_imported_into_a_work_tree() {
    let cli = Cli::onboarded("claims");
    fs::copy(
        cli.path(format!("{PROFILES_DIR}/claims-operator.toml")),
        cli.path("got.toml"),
    )
    .unwrap();
    git_init(&cli);
    let before = files_with_secrets(&cli).len();
    let refused = cli.run("profile import got.toml");
    assert_ne!(refused.code, Some(0), "{refused}");
    assert!(refused.stderr_line().contains("does not ignore it"), "{refused}");
    assert_eq!(files_with_secrets(&cli).len(), before);
    cli.write(".gitignore", ".config\n");
    cli.run("profile import got.toml").expect_success();
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_can_write_gets_no_profiles() {
    use std::os::unix::fs::PermissionsExt as _;
    let cli = Cli::new();
    fs::create_dir(cli.path("shared")).unwrap();
    fs::set_permissions(cli.path("shared"), fs::Permissions::from_mode(0o777)).unwrap();
    let refused = cli.run("onboard claims --sandbox --yes --credentials-dir shared");
    assert_ne!(refused.code, Some(0), "{refused}");
    assert_eq!(list_files(&cli.path("shared")).len(), 0, "{refused}");
    assert!(refused.stderr_line().contains("shared"), "{refused}");
}

#[test]
fn a_profile_without_a_key_acts_as_nobody_in_the_sandbox() {
    let cli = Cli::onboarded("claims");
    cli.run("sandbox clock advance 10m").expect_success();
    let text = fs::read_to_string(cli.path(format!("{PROFILES_DIR}/claims-deployer.toml"))).unwrap();
    let (keyless, key) = text.split_once("\n[key]\n").expect("a table with the key");
    let rest = key.find("\n[").map_or("", |end| &key[end..]);
    cli.write("keyless.toml", format!("{keyless}\n{rest}"));
    let list = "connector list --profile ./keyless.toml";
    cli.run(list).expect_code(4);
    let pair = cli.profile_key("claims-deployer");
    let with_key = |secret: &str| {
        cli.run_with_env(
            list,
            &[
                ("CONFLUENT_CLOUD_API_KEY", &pair.id),
                ("CONFLUENT_CLOUD_API_SECRET", secret),
            ],
        )
    };
    with_key("wrong").expect_code(4);
    with_key(&pair.secret).expect_success();
}

#[test]
fn a_literal_secret_is_refused_before_its_connector_is_looked_up() {
    let cli = Cli::onboarded("claims");
    cli.run("sandbox clock advance 10m").expect_success();
    let before = cli.last_request_seq();
    for key in ["connection.password", "azure.eventhubs.sas.key", "datadog.api.key"] {
        let args = format!("connector update no-such --config {key}=literal-canary");
        let refused = cli.run_as("claims-deployer", &args).expect_code(5);
        assert!(
            refused.stderr_line().contains("visible to others on the command line"),
            "{refused}"
        );
        assert!(!refused.to_string().contains("literal-canary"), "{refused}");
    }
    assert_eq!(cli.last_request_seq(), before);
}

// Evidence vouches for keys, so only the user may write it, whatever the umask is.
#[cfg(unix)]
#[test]
fn others_cannot_write_the_folder_of_evidence() {
    use std::os::unix::fs::PermissionsExt as _;

    let cli = crate::common::Cli::new();
    let mut run = cli.command_at("/bin/sh");
    run.args(["-c", "umask 000 && exec \"$0\" \"$@\""])
        .arg(env!("CARGO_BIN_EXE_confluent-ebs"))
        .args([
            "onboard",
            "claims",
            "--sandbox",
            "--yes",
            "--evidence-dir",
            "kept/evidence",
        ]);
    cli.run_command(&mut run).expect_success();
    for folder in ["kept", "kept/evidence"] {
        let mode = std::fs::metadata(cli.path(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755, "{folder}");
    }
}
