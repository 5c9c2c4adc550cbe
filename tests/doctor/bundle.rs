//! `doctor --bundle`: what a colleague needs, and no secret.

use serde_json::Value;

use crate::{
    common::World,
    rig::{CANARY, PROFILES, close, doctor, inside, profile},
};

fn read(world: &World, file: &str) -> (Value, String) {
    let text = world.read(file);
    (serde_json::from_str(&text).unwrap(), text)
}

#[test]
fn a_bundle_holds_what_a_colleague_asks_for() {
    let world = World::new();
    assert_eq!(world.ebs("onboard claims --sandbox --yes").code, Some(0));
    let seen = world.ebs(&format!(
        "doctor --bundle help.json --profile {PROFILES}/claims-operator.toml"
    ));
    assert_eq!(seen.code, Some(0), "{seen}");
    assert!(seen.stdout.starts_with("Wrote help.json: "), "{seen}");
    let (bundle, text) = read(&world, "help.json");
    assert_eq!(bundle["program"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(bundle["profile"]["facts"]["persona"], "operator");
    assert_eq!(bundle["profile"]["by"], "--profile");
    let settings = bundle["settings"].as_array().unwrap();
    let stage = settings.iter().find(|setting| setting["name"] == "stage").unwrap();
    assert!(stage["origin"].as_str().unwrap().starts_with("profile "), "{stage}");
    let told = doctor(&world, &format!("--profile {PROFILES}/claims-operator.toml"));
    let names = |checks: &Value| checks.as_array().map(Vec::len);
    assert_eq!(names(&bundle["diagnosis"]["checks"]), names(&told.whole["checks"]));
    let lines = bundle["journals"][0]["lines"].as_array().unwrap();
    assert_eq!(lines.last().unwrap()["event"], "run_ended");
    assert!(
        bundle["sandbox"]["requests"]
            .as_array()
            .is_some_and(|requests| !requests.is_empty())
    );
    // The home's own path says who somebody is.
    assert!(!text.contains(&world.path("").display().to_string()), "{text}");
    assert!(text.contains("~/.state/confluent-ebs/sandbox"), "{text}");
}

#[test]
fn an_existing_file_is_never_overwritten() {
    let world = World::new();
    world.write("help.json", "mine");
    let seen = world.ebs("doctor --offline --bundle help.json");
    assert_eq!(seen.code, Some(1), "{seen}");
    assert!(
        seen.stderr
            .contains("`help.json` exists already and is never overwritten"),
        "{seen}"
    );
    assert_eq!(world.read("help.json"), "mine");
    assert_eq!(world.ebs("doctor --offline --bundle missing/help.json").code, Some(1));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(world.ebs("doctor --offline --bundle new.json").code, Some(0));
        let mode = std::fs::metadata(world.path("new.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

/// Secrets wherever a person could have put one, rightly or by mistake.
fn seeded() -> World {
    let world = World::new();
    let path = world.write(
        "claims-operator.toml",
        profile("https://api.confluent.cloud")
            + "[key.kafka]\nid = \"KAFKAKAFKAKAFKA1\"\nsecret = \"canary-of-kafka\"\n\
               [key.schema_registry]\nid = \"SCHEMASCHEMASCH1\"\nsecret = \"canary-of-registry\"\n",
    );
    close(&path);
    world.write(
        "ebs.toml",
        "secret = \"canary-in-platform\"\n[stages.prod]\nenvironment = \"canary-as-id\"\n",
    );
    world.write("departments/claims.toml", "name = \"canary\nprefix = \"canary-\"\n");
    world.write(
        ".confluent/config.json",
        r#"{"disable_plugins":"canary","contexts":{"canary@example.com":{"kafka_cluster_context":{}}},
           "context_states":{"x":{"auth_token":"canary","auth_refresh_token":"canary"}}}"#,
    );
    world.write(
        ".state/confluent-ebs/journal/org-prod.jsonl",
        concat!(
            r#"{"at":"2026-11-22T12:00:00Z","event":"run_started","run":"r1","command":"onboard","changes":1,"secret":"canary"}"#,
            "\n",
            r#"{"at":"2026-11-22T12:00:01Z","event":"failed","run":"r1","change":"x","reason":"CANARY is bad"}"#,
            "\nsecret = canary\n",
        )
        .replace("CANARY", CANARY),
    );
    world
}

#[test]
fn no_secret_gets_into_a_bundle() {
    let variables = [
        ("CONFLUENT_CLOUD_API_KEY", "canary-in-the-place-of-an-id"),
        ("CONFLUENT_CLOUD_API_SECRET", "canary-of-the-environment"),
        ("EBS_SECRET_DB_PASSWORD", "canary-of-a-connector"),
        ("HTTPS_PROXY", "http://me:canary@127.0.0.1:9"),
        ("https_proxy", "canary canary"),
        ("NO_PROXY", "canary.example.com"),
        ("SOMETHING_ELSE", "canary"),
    ];
    let world = seeded();
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
            let mut command = world.command();
            command
                .envs(variables)
                .args(["doctor", "--offline", "--bundle", &file, "-o", output])
                .args(args.split_whitespace());
            let seen = world.see(&mut command);
            assert_eq!(seen.code, Some(0), "{seen}");
            let (bundle, text) = read(&world, &file);
            for told in [&text, &seen.stdout, &seen.stderr] {
                assert!(!told.contains("canary"), "{args}: {told}");
            }
            // What it is about is there all the same.
            let reason = bundle["journals"][0]["lines"][1]["reason"].as_str().unwrap();
            assert!(reason.ends_with(" is bad"), "{reason}");
            assert_eq!(bundle["platform"]["findings"][0]["severity"], "error");
            let proxy = bundle["variables"]
                .as_array()
                .unwrap()
                .iter()
                .find(|row| row["name"] == "HTTPS_PROXY");
            assert_eq!(proxy.unwrap()["value"], "127.0.0.1:9");
        }
    }
}

#[test]
fn the_sandboxs_own_secrets_stay_where_they_are() {
    let world = World::new();
    assert_eq!(world.ebs("onboard claims --sandbox --yes").code, Some(0));
    assert_eq!(world.ebs("doctor --sandbox --bundle help.json").code, Some(0));
    let text = world.read("help.json");
    let sandbox = inside(&world);
    let info = sandbox.info(true).unwrap();
    let profiles = ["operator", "deployer", "viewer"].map(|persona| {
        let profile = world.read(format!("{PROFILES}/claims-{persona}.toml"));
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
