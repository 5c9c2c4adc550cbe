//! `gitops promote`: what it refuses, and what it marks.

use crate::{
    common::{Cli, EBS_TOML, JsonAccess as _},
    datagen,
};

/// "claims" in the stages test and prod; claims-orders runs in test, claims-gen has files in both.
fn repository() -> Cli {
    let claims = "name = \"Claims\"\nprefix = \"claims-\"\n\n[quota]\nconnectors = 4\n";
    let cli = Cli::with_platform([("claims", claims)]);
    let stage = "[stages.test]\nenvironment = \"env-test01\"\ncluster = \"lkc-test01\"\n";
    cli.write("ebs.toml", format!("{EBS_TOML}{stage}"));
    cli.run("sandbox reset --yes --timing instant").expect_success();
    cli.run("onboard claims --stage test --sandbox --yes").expect_success();
    cli.run("sandbox clock advance 10m").expect_success();
    cli.write(
        "connectors/claims/test/claims-orders.yaml",
        format!(
            "state: running\n{}  max.interval: \"1000\"\n",
            datagen("claims-test-orders")
        ),
    );
    for (stage, topic) in [("test", "claims-test-orders"), ("prod", "claims-orders")] {
        cli.write(format!("connectors/claims/{stage}/claims-gen.yaml"), datagen(topic));
    }
    cli.run("gitops apply --stage test --sandbox --yes --settle 0s")
        .expect_success();
    cli
}

const PROMOTE: &str = "gitops promote claims-orders --from test --to prod --sandbox";

#[test]
fn values_with_a_constant_pair_in_other_files_are_replaced() {
    let cli = repository();
    let dry = cli.run(&format!("{PROMOTE} --dry-run")).expect_success();
    assert!(
        dry.stdout.contains("# replaced: \"claims-test-orders\" in test"),
        "{dry}"
    );
    assert!(!cli.path("connectors/claims/prod/claims-orders.yaml").exists());
    let result = cli.run(&format!("{PROMOTE} -o json")).expect_success().json();
    assert_eq!(result.text("/replaced/0/to"), "claims-orders");
    let file = cli.read("connectors/claims/prod/claims-orders.yaml");
    assert!(file.starts_with("state: running\nconfig:\n"), "{file}");
    assert!(file.contains("kafka.topic: \"claims-orders\""), "{file}");
    cli.run("gitops validate --sandbox").expect_success();
    // What the stage sets itself is kept the next time.
    cli.write(
        "connectors/claims/prod/claims-orders.yaml",
        file.replace("max.interval: \"1000\"", "max.interval: \"9\""),
    );
    let again = cli.run(&format!("{PROMOTE} -o json")).expect_success().json();
    assert_eq!(again["replaces"], true);
    let file = cli.read("connectors/claims/prod/claims-orders.yaml");
    assert!(file.contains("max.interval: \"9\""), "{file}");
}

#[test]
fn a_connector_that_does_not_run_or_has_no_such_stage_is_refused() {
    let cli = repository();
    for (args, code, part) in [
        (
            "gitops promote claims-orders --from test --to prd --sandbox",
            64,
            "Did you mean `prod`?",
        ),
        (
            "gitops promote claims-orders --from test --to test --sandbox",
            64,
            "are both",
        ),
        (
            "gitops promote claims-order --from test --to prod --sandbox",
            1,
            "Did you mean `claims-orders`?",
        ),
        (
            "gitops promote claims-orders --from test --to prod --stage prod --sandbox",
            64,
            "contradicts",
        ),
    ] {
        let output = cli.run(args).expect_code(code);
        assert!(output.stderr_line().contains(part), "{output}");
    }
    cli.write(
        "connectors/claims/test/claims-orders.yaml",
        format!("{}  max.interval: \"1000\"\n", datagen("claims-test-orders")),
    );
    cli.run("connector pause claims-orders --department claims --stage test --sandbox")
        .expect_success();
    let output = cli.run(PROMOTE).expect_code(5);
    assert!(output.stderr_line().contains("is PAUSED in `test`"), "{output}");
    assert!(!cli.path("connectors/claims/prod/claims-orders.yaml").exists());
}
