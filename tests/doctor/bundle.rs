//! `doctor --bundle` contains what support needs, and no secret.

use serde_json::Value;

use crate::{
    common::{Cli, JsonAccess as _, PROFILES_DIR, make_private},
    report::{CANARY, profile_text, run_doctor},
};

fn read_bundle(cli: &Cli, file: &str) -> (Value, String) {
    let text = cli.read(file);
    (serde_json::from_str(&text).unwrap(), text)
}

#[test]
fn a_bundle_contains_environment_settings_and_checks() {
    let cli = Cli::onboarded("claims");
    let result = cli
        .run(&format!(
            "doctor --bundle help.json --profile {PROFILES_DIR}/claims-operator.toml"
        ))
        .expect_success();
    assert!(result.stdout.starts_with("Wrote `help.json`: "), "{result}");
    let (bundle, text) = read_bundle(&cli, "help.json");
    assert_eq!(bundle["program"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(bundle["profile"]["facts"]["persona"], "operator");
    assert_eq!(bundle["profile"]["by"], "--profile");
    let settings = bundle.items("/settings");
    let stage = settings.iter().find(|setting| setting["name"] == "stage").unwrap();
    assert!(stage.text("/origin").starts_with("profile "), "{stage}");
    let report = run_doctor(&cli, &format!("--profile {PROFILES_DIR}/claims-operator.toml"));
    let names = |checks: &Value| checks.as_array().map(Vec::len);
    assert_eq!(names(&bundle["diagnosis"]["checks"]), names(&report.json["checks"]));
    let lines = bundle.items("/journals/0/lines");
    assert_eq!(lines.last().unwrap()["event"], "run_ended");
    assert!(
        bundle["sandbox"]["requests"]
            .as_array()
            .is_some_and(|requests| !requests.is_empty())
    );
    // The path of the home can identify the user.
    assert!(!text.contains(&cli.path("").display().to_string()), "{text}");
    assert!(text.contains("~/.state/confluent-ebs/sandbox"), "{text}");
}

/// Value and origin of a setting in the bundle of `doctor` with these arguments.
fn bundled_setting(cli: &Cli, args: &str, name: &str) -> Option<(String, String)> {
    let file = "settings.json";
    cli.run(&format!("doctor --bundle {file} {args}")).expect_success();
    let (bundle, _) = read_bundle(cli, file);
    std::fs::remove_file(cli.path(file)).unwrap();
    let settings = bundle["settings"].as_array().unwrap();
    let setting = settings.iter().find(|setting| setting["name"] == name)?;
    let text = |field: &str| setting[field].as_str().unwrap().to_owned();
    Some((text("value"), text("origin")))
}

#[test]
fn the_settings_name_profile_use_and_the_sandbox_as_origins() {
    let cli = Cli::new();
    cli.run("onboard claims --sandbox --yes").expect_success();
    for args in [
        format!("profile import {PROFILES_DIR}/claims-operator.toml"),
        "profile use claims-operator".to_owned(),
    ] {
        cli.run(&args).expect_success();
    }
    let (profile, origin) = bundled_setting(&cli, "", "profile").unwrap();
    assert_eq!(
        (profile.as_str(), origin.as_str()),
        ("claims-operator", "`profile use`")
    );
    let (endpoint, origin) = bundled_setting(&cli, "", "endpoint").unwrap();
    assert!(endpoint.starts_with("sandbox:"), "{endpoint}");
    assert!(origin.starts_with("profile "), "{origin}");
    let (department, origin) = bundled_setting(&cli, "--department claims", "department").unwrap();
    assert_eq!((department.as_str(), origin.as_str()), ("claims", "--department"));
    // The sandbox ignores the default profile.
    assert_eq!(bundled_setting(&cli, "--sandbox", "profile"), None);
    let (_, origin) = bundled_setting(&cli, "--sandbox", "endpoint").unwrap();
    assert_eq!(origin, "--sandbox");
    let (_, origin) = bundled_setting(&cli, "--sandbox", "cluster").unwrap();
    assert_eq!(origin, "the built-in example platform");
}

#[test]
fn an_existing_bundle_file_is_not_overwritten() {
    let cli = Cli::new();
    cli.write("help.json", "mine");
    let result = cli.run("doctor --offline --bundle help.json").expect_code(1);
    assert!(
        result
            .stderr
            .contains("`help.json` already exists and is not overwritten"),
        "{result}"
    );
    assert_eq!(cli.read("help.json"), "mine");
    cli.run("doctor --offline --bundle missing/help.json").expect_code(1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        cli.run("doctor --offline --bundle new.json").expect_success();
        let mode = std::fs::metadata(cli.path("new.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

/// Secrets in every place where a user can put one, correctly or by mistake.
fn cli_with_secrets() -> Cli {
    let cli = Cli::new();
    let path = cli.write(
        "claims-operator.toml",
        profile_text("https://api.confluent.cloud")
            + "[key.kafka]\nid = \"KAFKAKAFKAKAFKA1\"\nsecret = \"canary-of-kafka\"\n\
               [key.schema_registry]\nid = \"SCHEMASCHEMASCH1\"\nsecret = \"canary-of-registry\"\n",
    );
    make_private(&path);
    cli.write(
        "ebs.toml",
        "secret = \"canary-in-platform\"\n[stages.prod]\nenvironment = \"canary-as-id\"\n",
    );
    cli.write("departments/claims.toml", "name = \"canary\nprefix = \"canary-\"\n");
    cli.write(
        ".confluent/config.json",
        r#"{"disable_plugins":"canary","contexts":{"canary@example.com":{"kafka_cluster_context":{}}},
           "context_states":{"x":{"auth_token":"canary","auth_refresh_token":"canary"}}}"#,
    );
    cli.write(
        ".state/confluent-ebs/journal/org-prod.jsonl",
        concat!(
            r#"{"at":"2026-11-22T12:00:00Z","event":"run_started","run":"r1","command":"onboard","changes":1,"secret":"canary"}"#,
            "\n",
            r#"{"at":"2026-11-22T12:00:01Z","event":"failed","run":"r1","change":"x","reason":"CANARY is bad"}"#,
            "\nsecret = canary\n",
        )
        .replace("CANARY", CANARY),
    );
    cli
}

#[test]
fn a_bundle_contains_no_secrets() {
    let variables = [
        ("CONFLUENT_CLOUD_API_KEY", "canary-in-the-place-of-an-id"),
        ("CONFLUENT_CLOUD_API_SECRET", "canary-of-the-environment"),
        ("EBS_SECRET_DB_PASSWORD", "canary-of-a-connector"),
        ("HTTPS_PROXY", "http://me:canary@127.0.0.1:9"),
        ("https_proxy", "canary canary"),
        ("NO_PROXY", "canary.example.com"),
        ("SOMETHING_ELSE", "canary"),
    ];
    let cli = cli_with_secrets();
    for (number, args) in [
        "",
        "--profile claims-operator.toml",
        "--profile departments/claims.toml",
    ]
    .iter()
    .enumerate()
    {
        for output in ["human", "json"] {
            let file = format!("bundle-{number}-{output}.json");
            let mut command = cli.command();
            command
                .envs(variables)
                .args(["doctor", "--offline", "--bundle", &file, "-o", output])
                .args(args.split_whitespace());
            let result = cli.run_command(&mut command).expect_success();
            let (bundle, text) = read_bundle(&cli, &file);
            for output in [&text, &result.stdout, &result.stderr] {
                assert!(!output.contains("canary"), "{args}: {output}");
            }
            // The other facts are present.
            let reason = bundle.text("/journals/0/lines/1/reason");
            assert!(reason.ends_with(" is bad"), "{reason}");
            assert_eq!(bundle["platform"]["findings"][0]["severity"], "error");
            let proxy = bundle
                .items("/variables")
                .iter()
                .find(|row| row["name"] == "HTTPS_PROXY");
            assert_eq!(proxy.unwrap()["value"], "127.0.0.1:9");
        }
    }
}

#[test]
fn a_bundle_contains_no_sandbox_secrets() {
    let cli = Cli::onboarded("claims");
    cli.run("doctor --sandbox --bundle help.json").expect_success();
    let text = cli.read("help.json");
    let sandbox = cli.sandbox();
    let info = sandbox.info(true).unwrap();
    let profiles = ["operator", "deployer", "viewer"].map(|persona| {
        let profile = cli.read(format!("{PROFILES_DIR}/claims-{persona}.toml"));
        profile
            .rsplit_once("secret = \"")
            .unwrap()
            .1
            .split('"')
            .next()
            .unwrap()
            .to_owned()
    });
    let secrets = [
        sandbox.control_token().to_owned(),
        info.admin_secret.unwrap(),
        info.provisioner_secret.unwrap(),
    ];
    for secret in secrets.iter().chain(&profiles) {
        assert!(secret.len() > 6 && !text.contains(secret.as_str()));
    }
}
