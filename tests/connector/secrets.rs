//! Search for leaked secrets: marked secrets are passed to every command, at every verbosity, also in failing requests;
//! then all output and all files are searched. Only profiles may contain secrets.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use confluent_ebs::{
    config::Profile,
    model::KeyKind,
    sandbox::{Sandbox, Seed},
};

use crate::{
    ORDERS_FILE, cli_with_claims,
    common::{Cli, PROFILES_DIR, list_files},
    output_contract::{DOCUMENTED_RUNS, run_with, write_connector_files},
};

const CANARY: &str = "canary-0e1b7f-password";

/// Files that may contain secrets: delivered and imported profiles.
fn may_hold_secrets(path: &Path) -> bool {
    let text = path.display().to_string();
    text.contains("/handover/") || text.contains("/profiles/")
}

/// Secrets that must not appear elsewhere, by origin.
fn collect_secrets(cli: &Cli) -> BTreeMap<String, String> {
    let mut secrets = BTreeMap::from([(CANARY.to_owned(), "a connector's password".to_owned())]);
    for path in list_files(&cli.path(""))
        .into_iter()
        .filter(|path| may_hold_secrets(path))
    {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let (_, keys, _) = Profile::parse(&path, text, &[]);
        for kind in [KeyKind::Cloud, KeyKind::Kafka, KeyKind::SchemaRegistry] {
            if let Some(pair) = keys.get(kind) {
                secrets.insert(pair.secret.expose().to_owned(), path.display().to_string());
            }
        }
    }
    let info = cli.run("sandbox info --show-secrets -o json");
    let info: serde_json::Value = info.json();
    for who in ["admin_secret", "provisioner_secret"] {
        secrets.insert(info[who].as_str().unwrap().to_owned(), who.to_owned());
    }
    secrets
}

/// Encodings of a secret: plain, hexadecimal, and Base64 at every offset within a longer text, as in an `Authorization`
/// header.
fn encoded_forms(secret: &str) -> Vec<String> {
    let hex = secret
        .bytes()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let mut forms = vec![secret.to_owned(), hex];
    for before in ["", "x", "xx"] {
        let text = STANDARD.encode(format!("{before}{secret}"));
        // The first and last characters depend on the surrounding text.
        forms.push(text[4..text.len() - 4].to_owned());
    }
    forms
}

#[expect(clippy::print_stdout, reason = "the amount of searched data is a part of the result")]
pub(crate) fn assert_no_secret_leaks(flags: &str, disturbed: bool) {
    let cli = cli_with_claims();
    write_connector_files(&cli);
    let mut said = Vec::new();
    for (place, text) in DOCUMENTED_RUNS.iter().enumerate() {
        // Explicitly requested secrets are not leaks.
        if text.contains("--show-secrets") {
            continue;
        }
        if disturbed {
            let kind = ["server-error", "lost-after", "too-many-requests"][place % 3];
            cli.run(&format!("sandbox fault add {kind} --skip {} --times 2", place % 4));
        }
        let result = run_with(&cli, text, flags, CANARY);
        assert!(!result.stderr.contains("panicked at"), "{text}\n{result}");
        said.push(((*text).to_owned(), result.to_string()));
        if disturbed {
            cli.run("sandbox fault clear");
        }
    }
    let secrets = collect_secrets(&cli);
    assert!(secrets.len() > 6, "{}", secrets.len());
    let kept = list_files(&cli.path(""))
        .into_iter()
        .filter(|path| !may_hold_secrets(path));
    let kept = kept.map(|path| {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned();
        (path.display().to_string(), text)
    });
    let searched: Vec<(String, String)> = said.into_iter().chain(kept).collect();
    let mut leaks = Vec::new();
    for (secret, of) in &secrets {
        for form in encoded_forms(secret) {
            let found = searched.iter().filter(|(_, text)| text.contains(&form));
            leaks.extend(found.map(|(place, _)| format!("the secret of {of} is in {place}")));
        }
    }
    println!("secret hunt: {} secrets in {} places", secrets.len(), searched.len());
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

#[test]
fn no_secret_is_printed_or_kept_at_the_highest_verbosity() {
    assert_no_secret_leaks("--unsafe-trace", false);
}

/// The service repeats values in its messages: with status 200 in validations, and for keys without a secret name.
#[test]
fn a_secret_that_the_service_rejects_is_not_repeated() {
    let cli = cli_with_claims();
    cli.write(
        "claims-lake.json",
        r#"{"name": "claims-lake", "connector.class": "S3_SINK", "topics": "claims-orders", "input.data.format": "JSON",
            "output.data.format": "JSON", "s3.bucket.name": "claims-lake", "time.interval": "HOURLY", "flush.size": "1000",
            "authentication.method": "Access Keys", "aws.access.key.id": "${env:EBS_SECRET_AWS_ID}",
            "aws.secret.access.key": "${env:EBS_SECRET_AWS}", "s3.sse.customer.key": "${env:EBS_SECRET_SSE}"}"#,
    );
    let profile = format!("{PROFILES_DIR}/claims-deployer.toml");
    let mut said = Vec::new();
    for command in ["validate", "create"] {
        for flags in ["", "-o json", "-o yaml", "-vvvv", "--unsafe-trace"] {
            let mut run = cli.command();
            run.args([
                "connector",
                command,
                "--config-file",
                "claims-lake.json",
                "--profile",
                &profile,
            ]);
            // Fully managed connectors accept no backslash in a password.
            run.args(flags.split_whitespace())
                .env("EBS_SECRET_AWS_ID", "AKIAEXAMPLE")
                .env("EBS_SECRET_AWS", r"canary\one-0e1b7f")
                .env("EBS_SECRET_SSE", r"canary\one-0e1b7f-and-two");
            let output = cli.run_command(&mut run).expect_code(1);
            let text = output.to_string();
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains("s3.sse.customer.key"), "{output}");
            assert!(text.contains("[redacted]"), "{output}");
            said.push(text);
        }
    }
    let kept = list_files(&cli.path(""))
        .into_iter()
        .filter(|path| !may_hold_secrets(path));
    said.extend(kept.map(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()));
    for text in said {
        assert!(!text.contains("canary") && !text.contains("0e1b7f"), "{text}");
    }
}

/// Returns the folder and everything below it, with modes.
#[cfg(unix)]
fn list_modes(place: &Path) -> Vec<(PathBuf, u32)> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(place).unwrap().permissions().mode() & 0o777;
    let inside = fs::read_dir(place).into_iter().flatten().flatten();
    let mut found: Vec<_> = inside.flat_map(|entry| list_modes(&entry.path())).collect();
    found.push((place.to_owned(), mode));
    found
}

// The first command of a department creates the state folder with its journal.
#[cfg(unix)]
#[test]
fn the_state_folder_is_private_regardless_of_the_umask() {
    let cli = cli_with_claims();
    // Over a socket, so that the sandbox has a folder of its own.
    let sandbox = Sandbox::open(&cli.path(".state/confluent-ebs/sandbox"), Seed::default(), None).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let endpoint = format!("endpoint = \"http://{}\"", listener.local_addr().unwrap());
    runtime.spawn(async move { sandbox.serve(listener).await });
    let profile = cli.read(format!("{PROFILES_DIR}/claims-deployer.toml"));
    let lines = profile.lines().map(|line| match line.starts_with("endpoint = ") {
        true => endpoint.as_str(),
        false => line,
    });
    cli.write("p.toml", lines.collect::<Vec<_>>().join("\n"));
    for umask in ["000", "022", "077"] {
        let name = format!("claims-{umask}");
        cli.write(format!("{name}.json"), ORDERS_FILE.replace("claims-orders", &name));
        for args in [
            &format!("connector create --config-file {name}.json --no-wait"),
            &format!("connector logs {name} --since 1h --cache"),
            "status",
        ] {
            let mut run = cli.command_at("/bin/sh");
            run.args(["-c", &format!("umask {umask} && exec \"$0\" \"$@\"")])
                .arg(env!("CARGO_BIN_EXE_confluent-ebs"))
                .args(args.split(' '))
                .args(["--profile", "p.toml"])
                .env("XDG_STATE_HOME", cli.path(umask));
            cli.run_command(&mut run).expect_success();
        }
        let made = list_modes(&cli.path(umask));
        for kind in ["jsonl", "lock", "json"] {
            let is_there = made
                .iter()
                .any(|(path, _)| path.extension().is_some_and(|end| end == kind));
            assert!(is_there, "{kind}: {made:?}");
        }
        for (path, mode) in made {
            let wanted = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode, wanted, "umask {umask}: {}", path.display());
        }
    }
}

/// The search finds existing secrets.
#[test]
fn the_leak_search_finds_encoded_secrets() {
    let found = |text: &str| encoded_forms(CANARY).iter().any(|form| text.contains(form));
    assert!(found(&format!("password={CANARY}")));
    assert!(found("63616e6172792d3065316237662d70617373776f7264"));
    for key in ["", "K", "KE", "ABCDEFGHIJKLMNOP:"] {
        let header = STANDARD.encode(format!("{key}{CANARY}"));
        assert!(found(&format!("Authorization: Basic {header}")), "{key}");
    }
    assert!(!found("canary-1e1b7f-password"));
}
