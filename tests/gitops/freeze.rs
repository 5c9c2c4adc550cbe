//! Freeze windows of `ebs.toml`.

use crate::{common::JsonAccess as _, evidence::read_evidence, gitops, platform_repository};

/// Always, whatever the date is.
const ALWAYS: &str = "[[gitops.freeze]]\nfrom = 2000-01-01\nuntil = 2999-12-31\nreason = \"year-end closing\"\n";

#[test]
fn a_freeze_refuses_an_apply_and_the_ticket_of_an_emergency_is_evidence() {
    let cli = platform_repository(ALWAYS);
    let id = gitops(&cli, "plan -o json")
        .expect_success()
        .json()
        .text("/plans/0/id")
        .to_owned();
    let before = cli.writes().len();
    let apply = format!("apply --expect {id} --settle 0s");
    let output = gitops(&cli, &apply).expect_code(5);
    assert!(
        output.stderr.contains("stage `prod` is frozen until") && output.stderr.contains(": year-end closing"),
        "{output}"
    );
    assert_eq!(output.stdout, "", "{output}");
    assert!(output.stderr.contains("--break-glass"), "{output}");
    assert_eq!(cli.writes().len(), before);
    gitops(&cli, &format!("{apply} --break-glass=")).expect_code(64);

    gitops(&cli, &format!("{apply} --break-glass INC-4711 --evidence-dir kept")).expect_success();
    let evidence = read_evidence(&cli, "kept").1;
    assert_eq!(evidence.text("/break_glass"), "INC-4711");
    // Nothing remains to be applied, so that nothing is refused.
    gitops(&cli, "apply --yes").expect_success();
}

#[test]
fn a_plan_names_the_freeze_without_changing_its_id() {
    let cli = platform_repository("");
    let free = gitops(&cli, "plan -o json").expect_success().json();
    let cli = platform_repository(ALWAYS);
    let frozen = gitops(&cli, "plan -o json").expect_success().json();
    assert_eq!(frozen.text("/plans/0/freeze/reason"), "year-end closing");
    assert!(free["plans"][0].get("freeze").is_none());
    let actions = |plan: &serde_json::Value| -> Vec<String> {
        let items = plan.items("/plans/0/items").iter();
        items.map(|item| item.text("/id").to_owned()).collect()
    };
    assert_eq!(actions(&free), actions(&frozen));
    let comment = gitops(&cli, "plan -o markdown").expect_success();
    assert!(comment.stdout.contains("No apply now: stage"), "{comment}");
    let output = gitops(&cli, "plan").expect_success();
    assert!(
        output.stdout.contains("Frozen: stage `prod` is frozen until"),
        "{output}"
    );
}

#[test]
fn a_freeze_of_another_stage_or_of_the_past_refuses_nothing() {
    for freeze in [
        "from = 2000-01-01\nuntil = 2001-01-01\nreason = \"past\"\n",
        "from = 2998-01-01\nuntil = 2999-01-01\nreason = \"future\"\n",
    ] {
        let cli = platform_repository(&format!("[[gitops.freeze]]\n{freeze}"));
        gitops(&cli, "apply --yes --settle 0s").expect_success();
    }
}
