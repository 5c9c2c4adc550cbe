//! Every timing, and every unconfirmed behaviour both ways: an onboarding completes, or ends with an error that names
//! what is missing. It never hangs, and leaves no half-written profile.

use confluent_ebs::sandbox::{Assumptions, Settings};
use serde_json::Value;

use crate::{
    home::{Home, account_crn},
    rig::{LONGEST, Rig, files_below},
};

/// Every switch as `(dotted name, other value)`.
fn switches() -> Vec<(String, Value)> {
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
    let defaults = serde_json::to_value(Assumptions::default()).unwrap();
    walk("assumptions", &defaults, &mut found);
    found
}

/// What an onboarding under a switch ends with, when it cannot complete: the exit code, and words of the error.
fn refusal(switch: &str) -> Option<(i32, &'static [&'static str])> {
    Some(match switch {
        // The account is made and nobody owns it: no grant on it, no key, and no second run may adopt it.
        "assumptions.owner_at_creation" => (3, &["must be ResourceOwner of", "organization administrator"]),
        // Without grants on a prefix there is nothing left of the model.
        "assumptions.bindable.connector_prefix" => (3, &["connector"]),
        _ => return None,
    })
}

#[test]
fn each_assumption_both_ways() {
    let switches = switches();
    assert!(switches.len() >= 17, "{switches:?}");
    let mut wrong = Vec::new();
    for (name, value) in &switches {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let home = Home::with(&format!("--set {name}={value}"));
        let begun = home.sandbox().now().unwrap();
        let seen = home.ebs("onboard claims --sandbox --yes");
        let took = home.sandbox().now().unwrap().duration_since(begun).unsigned_abs();
        if took > LONGEST {
            wrong.push(format!("{name}={value}: took {took:?}"));
        }
        let said: String = seen.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        match refusal(name) {
            None if seen.code == Some(0) => {
                let before = home.writes().len();
                let again = home.ebs("onboard claims --sandbox --yes");
                if again.code != Some(0) || home.writes().len() != before {
                    wrong.push(format!("{name}={value}, again: {again}"));
                }
            }
            Some((code, words)) if seen.code == Some(code) && words.iter().all(|word| said.contains(word)) => {}
            _ => wrong.push(format!("{name}={value}: {seen}")),
        }
        // A finished profile holds a key that works; there is no other file of secrets without one.
        drop(home.left());
        for path in files_below(&home.folder().join("handover")) {
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
fn an_owner_who_was_not_made_one_can_be_granted_it_and_the_rerun_finishes() {
    let home = Home::with("--set assumptions.owner_at_creation=false");
    home.must("onboard claims --sandbox --yes", 3);
    let seen = home.must_not_write("onboard claims --sandbox --yes", 5);
    let said: String = seen.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("An earlier run made it") && said.contains("grant it ResourceOwner"),
        "{seen}"
    );
    let provisioner = home.account("ebs-provisioner");
    for persona in ["operator", "deployer", "viewer", "runtime"] {
        let account = account_crn(&home.account(&format!("ebs-prod-claims-{persona}")));
        home.bind(&home.admin(), &provisioner, "ResourceOwner", &account);
    }
    home.must("onboard claims --sandbox --yes", 0);
    home.must_not_write("onboard claims --sandbox --yes", 0);
}

#[test]
fn each_timing() {
    for timing in ["instant", "real", "lagging"] {
        let home = Home::with(&format!("--timing {timing}"));
        home.must("onboard --all --sandbox --yes", 0);
        // Lists catch up.
        home.must("sandbox clock advance 10m", 0);
        let again = home.must_not_write("onboard --all --sandbox --yes", 0);
        assert!(again.stdout.contains("nothing to do"), "{timing}\n{again}");
    }
}

#[test]
fn a_crash_where_everything_lags() {
    use confluent_ebs::sandbox::{Fault, FaultKind};
    for settings in [Settings::real(), Settings::lagging()] {
        let clean = Rig::new(settings.clone());
        assert!(clean.until_done(&["claims"], 4).is_ok());
        clean.sandbox.advance(std::time::Duration::from_mins(10)).unwrap();
        let wanted = clean.left();
        let requests = clean.requests_since(0).iter().filter(|entry| entry.is_write()).count();
        for skip in 0..requests {
            let rig = Rig::new(settings.clone());
            let fault = Fault::once(FaultKind::KillAfter).on("{POST,PATCH,DELETE}", "/iam/**");
            let fault = Fault {
                method: None,
                path: Some("/iam/**".into()),
                ..fault
            };
            // The first requests only look.
            rig.sandbox
                .add_fault(fault.skipping(u32::try_from(5 + skip).unwrap()))
                .unwrap();
            let mut runs = Vec::new();
            for _ in 0..6 {
                let ran = rig.onboard(&["claims"]);
                let idle = ran.is_idle();
                runs.push(format!("{ran:?}").chars().take(300).collect::<String>());
                // People do not type that fast; lists catch up meanwhile.
                rig.sandbox.advance(std::time::Duration::from_secs(20)).unwrap();
                if idle {
                    break;
                }
            }
            rig.sandbox.advance(std::time::Duration::from_mins(10)).unwrap();
            assert!(rig.onboard(&["claims"]).is_idle(), "request {skip}: {runs:#?}");
            assert_eq!(rig.left(), wanted, "request {skip}: {runs:#?}");
        }
    }
}
