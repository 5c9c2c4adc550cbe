//! A platform with 60 departments: one onboarding, an idempotent second run, and a summarized audit of old keys.

use serde_json::json;

use crate::common::{Cli, JsonAccess as _};

#[test]
fn sixty_departments_are_onboarded_and_their_old_keys_rotated() {
    let codes: Vec<String> = (1..=60).map(|number| format!("dep{number:02}")).collect();
    let text = |code: &String| {
        format!(
            "name = \"Department {code}\"\nprefix = \"{code}-\"\n\n[quota]\nconnectors = 2\ntasks = 3\ntasks_per_connector = 1\n"
        )
    };
    let cli = Cli::with_platform(codes.iter().map(|code| (code.as_str(), text(code))));
    let planned = cli.run_without_writes("onboard --all --sandbox --dry-run", 0);
    assert!(planned.stdout.lines().count() < 100, "{planned}");
    let detailed = cli.run_without_writes("onboard --all --sandbox --dry-run -v", 0);
    assert!(detailed.stdout.lines().count() > 1000, "{detailed}");
    let output = cli.run("onboard --all --sandbox --yes").expect_success();
    assert!(
        output.stdout.starts_with("Onboarded 60 departments to stage `prod`"),
        "{output}"
    );
    cli.run_without_writes("onboard --all --sandbox --yes", 0);
    cli.run("access audit --sandbox-as admin").expect_success();

    // 180 keys are too old: one command renews them.
    cli.run("sandbox clock advance 2300h").expect_success();
    let audited = cli.run("access audit --sandbox-as admin -o json").json();
    let old: Vec<_> = audited
        .items("/rules")
        .iter()
        .filter(|rule| rule["rule"] == "key-age")
        .flat_map(|rule| rule.items("/findings").to_vec())
        .filter(|finding| finding.text("/message").contains("ebs-prod-dep"))
        .collect();
    assert_eq!(old.len(), 180);
    let human = cli.run("access audit --sandbox-as admin");
    assert!(human.stdout.lines().count() < 200, "{human}");
    assert!(
        human
            .stdout_line()
            .contains("`confluent ebs keys rotate --all --older-than 90d --sandbox`"),
        "{human}"
    );
    let all = cli.run("access audit --sandbox-as admin -v");
    assert!(
        all.stdout.matches("of `ebs-prod-dep").count() >= 180 || all.stdout.lines().count() > 700,
        "{all}"
    );
    let rotated = cli
        .run("keys rotate --all --older-than 90d --overlap 0s --sandbox --yes -o json")
        .expect_success()
        .json();
    assert_eq!(rotated.items("/profiles").len(), 180);
    assert_eq!(rotated["failures"], json!([]));
    let audited = cli.run("access audit --sandbox-as admin -v");
    assert!(!audited.stdout.contains("ebs-prod-dep"), "{audited}");
    cli.run("profile prune --sandbox --yes").expect_success();
    cli.run_without_writes("onboard --all --sandbox --yes", 0);
}
