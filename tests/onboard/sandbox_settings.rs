//! Every timing, and every unconfirmed behavior with both settings: an onboarding completes, or ends with an error that
//! names the missing precondition. It never hangs, and leaves no incomplete profile.

use confluent_ebs::sandbox::SandboxAssumptions;
use serde_json::Value;

use crate::common::{Cli, MAX_RUN_TIME, account_crn, list_files};

/// Every switch as `(dotted name, other value)`.
fn assumption_switches() -> Vec<(String, Value)> {
    fn walk(path: &str, value: &Value, found: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    walk(&format!("{path}.{name}"), value, found);
                }
            }
            Value::Bool(set) => found.push((path.to_owned(), (!set).into())),
            Value::String(set) => {
                let ways = ["filtered", "refused", "everything"]
                    .into_iter()
                    .filter(|way| way != set);
                found.extend(ways.map(|way| (path.to_owned(), way.into())));
            }
            other => panic!("{path} is {other}"),
        }
    }
    let mut found = Vec::new();
    let defaults = serde_json::to_value(SandboxAssumptions::default()).unwrap();
    walk("assumptions", &defaults, &mut found);
    found
}

/// Result of an onboarding that cannot complete with a switch: the exit code, and text of the error.
fn expected_refusal(switch: &str) -> Option<(i32, &'static [&'static str])> {
    Some(match switch {
        // The account is created without an owner: no grant on it, no key, and no later run may adopt it.
        "assumptions.owner_at_creation" => (3, &["ResourceOwner of", "organization administrator"]),
        // Without grants on prefixes the product cannot work.
        "assumptions.bindable.connector_prefix" => (3, &["connector"]),
        _ => return None,
    })
}

#[test]
fn onboarding_works_or_is_refused_under_each_assumption() {
    let switches = assumption_switches();
    assert!(switches.len() >= 17, "{switches:?}");
    let mut wrong = Vec::new();
    for (name, value) in &switches {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let cli = Cli::with_sandbox(&format!("--set {name}={value}"));
        let begun = cli.sandbox().now().unwrap();
        let output = cli.run("onboard claims --sandbox --yes");
        let took = cli.sandbox().now().unwrap().duration_since(begun).unsigned_abs();
        if took > MAX_RUN_TIME {
            wrong.push(format!("{name}={value}: took {took:?}"));
        }
        let said: String = output.stderr_line();
        match expected_refusal(name) {
            None if output.code == Some(0) => {
                let before = cli.writes().len();
                let again = cli.run("onboard claims --sandbox --yes");
                if again.code != Some(0) || cli.writes().len() != before {
                    wrong.push(format!("{name}={value}, again: {again}"));
                }
            }
            Some((code, words)) if output.code == Some(code) && words.iter().all(|word| said.contains(word)) => {}
            _ => wrong.push(format!("{name}={value}: {output}")),
        }
        // A finished profile has a working key; there is no other file with secrets.
        drop(cli.provisioned_state());
        for path in list_files(&cli.profiles_dir()) {
            let whole = std::fs::read_to_string(&path).unwrap();
            assert!(whole.contains("[key]"), "{name}={value}: {whole}");
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}\n{}",
        wrong.len(),
        switches.len(),
        wrong.join("\n\n")
    );
}

#[test]
fn a_rerun_completes_after_ownership_is_granted_by_hand() {
    let cli = Cli::with_sandbox("--set assumptions.owner_at_creation=false");
    cli.run("onboard claims --sandbox --yes").expect_code(3);
    let output = cli.run_without_writes("onboard claims --sandbox --yes", 5);
    let said: String = output.stderr_line();
    assert!(
        said.contains("An earlier run created it") && said.contains("grant ResourceOwner"),
        "{output}"
    );
    let provisioner = cli.account_id("ebs-provisioner");
    for persona in ["operator", "deployer", "viewer", "runtime"] {
        let account = account_crn(&cli.account_id(&format!("ebs-prod-claims-{persona}")));
        cli.bind(&cli.admin_key(), &provisioner, "ResourceOwner", &account);
    }
    cli.run("onboard claims --sandbox --yes").expect_success();
    cli.run_without_writes("onboard claims --sandbox --yes", 0);
}

#[test]
fn onboarding_is_idempotent_under_each_timing() {
    for timing in ["instant", "real", "lagging"] {
        let cli = Cli::with_sandbox(&format!("--timing {timing}"));
        cli.run("onboard --all --sandbox --yes").expect_success();
        // Waits until lists are up to date.
        cli.run("sandbox clock advance 10m").expect_success();
        let again = cli.run_without_writes("onboard --all --sandbox --yes", 0);
        assert!(again.stdout.contains("up to date"), "{timing}\n{again}");
    }
}
