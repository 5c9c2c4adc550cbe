//! Every timing, and every unconfirmed behavior with both settings: an onboarding completes, or ends with an error that
//! names the missing precondition. It never hangs, and leaves no incomplete profile.

use confluent_ebs::sandbox::{SandboxAssumptions, SandboxSettings};
use serde_json::Value;

use crate::{
    onboarding_fixture::{MAX_RUN_TIME, OnboardingFixture, list_files},
    sandbox_cli_fixture::{SandboxCliFixture, account_crn},
};

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
        let fixture = SandboxCliFixture::with_reset_flags(&format!("--set {name}={value}"));
        let begun = fixture.sandbox().now().unwrap();
        let output = fixture.run("onboard claims --sandbox --yes");
        let took = fixture.sandbox().now().unwrap().duration_since(begun).unsigned_abs();
        if took > MAX_RUN_TIME {
            wrong.push(format!("{name}={value}: took {took:?}"));
        }
        let said: String = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        match expected_refusal(name) {
            None if output.code == Some(0) => {
                let before = fixture.writes().len();
                let again = fixture.run("onboard claims --sandbox --yes");
                if again.code != Some(0) || fixture.writes().len() != before {
                    wrong.push(format!("{name}={value}, again: {again}"));
                }
            }
            Some((code, words)) if output.code == Some(code) && words.iter().all(|word| said.contains(word)) => {}
            _ => wrong.push(format!("{name}={value}: {output}")),
        }
        // A finished profile has a working key; there is no other file with secrets.
        drop(fixture.provisioned_state());
        for path in list_files(&fixture.state_dir().join("handover")) {
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
    let fixture = SandboxCliFixture::with_reset_flags("--set assumptions.owner_at_creation=false");
    fixture.run_expecting("onboard claims --sandbox --yes", 3);
    let output = fixture.run_without_writes("onboard claims --sandbox --yes", 5);
    let said: String = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("An earlier run created it") && said.contains("grant ResourceOwner"),
        "{output}"
    );
    let provisioner = fixture.account_id("ebs-provisioner");
    for persona in ["operator", "deployer", "viewer", "runtime"] {
        let account = account_crn(&fixture.account_id(&format!("ebs-prod-claims-{persona}")));
        fixture.bind(&fixture.admin_key(), &provisioner, "ResourceOwner", &account);
    }
    fixture.run_expecting("onboard claims --sandbox --yes", 0);
    fixture.run_without_writes("onboard claims --sandbox --yes", 0);
}

#[test]
fn onboarding_is_idempotent_under_each_timing() {
    for timing in ["instant", "real", "lagging"] {
        let fixture = SandboxCliFixture::with_reset_flags(&format!("--timing {timing}"));
        fixture.run_expecting("onboard --all --sandbox --yes", 0);
        // Waits until lists are up to date.
        fixture.run_expecting("sandbox clock advance 10m", 0);
        let again = fixture.run_without_writes("onboard --all --sandbox --yes", 0);
        assert!(again.stdout.contains("up to date"), "{timing}\n{again}");
    }
}

#[test]
fn a_crash_under_real_and_lagging_timing_is_completed_by_reruns() {
    use confluent_ebs::sandbox::{Fault, FaultKind};
    for settings in [SandboxSettings::real(), SandboxSettings::lagging()] {
        let clean = OnboardingFixture::new(settings.clone());
        assert!(clean.run_until_done(&["claims"], 4).is_ok());
        clean.sandbox.advance(std::time::Duration::from_mins(10)).unwrap();
        let wanted = clean.provisioned_state();
        let requests = clean.requests_since(0).iter().filter(|entry| entry.is_write()).count();
        for skip in 0..requests {
            let fixture = OnboardingFixture::new(settings.clone());
            let fault = Fault::once(FaultKind::KillAfter).for_requests("{POST,PATCH,DELETE}", "/iam/**");
            let fault = Fault {
                method: None,
                path: Some("/iam/**".into()),
                ..fault
            };
            // The first requests are reads.
            fixture
                .sandbox
                .add_fault(fault.after_requests(u32::try_from(5 + skip).unwrap()))
                .unwrap();
            let mut runs = Vec::new();
            for _ in 0..6 {
                let ran = fixture.onboard(&["claims"]);
                let idle = ran.is_idle();
                runs.push(format!("{ran:?}").chars().take(300).collect::<String>());
                // Time between two commands of a user, in which lists are updated.
                fixture.sandbox.advance(std::time::Duration::from_secs(20)).unwrap();
                if idle {
                    break;
                }
            }
            fixture.sandbox.advance(std::time::Duration::from_mins(10)).unwrap();
            assert!(fixture.onboard(&["claims"]).is_idle(), "request {skip}: {runs:#?}");
            assert_eq!(fixture.provisioned_state(), wanted, "request {skip}: {runs:#?}");
        }
    }
}
