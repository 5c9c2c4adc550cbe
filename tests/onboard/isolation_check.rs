//! A profile is not delivered if a probe fails.

use std::fs;

use crate::common::{CLUSTER_CRN, Cli};

#[test]
fn a_key_with_access_to_a_foreign_prefix_is_not_delivered() {
    let cli = Cli::onboarded("claims");
    // The operator's key and profile are deleted, and its account gets a grant that no template declares: on the names
    // of another department.
    let profile = cli.profiles_dir().join("claims-operator.toml");
    let key = cli.profile_key("claims-operator").id;
    cli.send_ok(&cli.admin_key(), "DELETE", &format!("/iam/v2/api-keys/{key}"), None);
    fs::remove_file(&profile).unwrap();
    let operator = cli.account_id("ebs-prod-claims-operator");
    let neighbour = format!("{CLUSTER_CRN}/connector=compliance-*");
    let binding = cli.bind(&cli.admin_key(), &operator, "DeveloperWrite", &neighbour);

    let output = cli.run("onboard claims --sandbox --yes").expect_code(3);
    assert!(output.stderr.contains("probes failed"), "{}", output.stderr);
    assert!(output.stderr.contains("compliance-ebs-probe"), "{}", output.stderr);
    assert!(!profile.exists());
    assert!(profile.with_extension("toml.unproved").exists());

    cli.send_ok(
        &cli.admin_key(),
        "DELETE",
        &format!("/iam/v2/role-bindings/{binding}"),
        None,
    );
    cli.run("onboard claims --sandbox --yes").expect_success();
    assert!(profile.exists());
    assert!(!profile.with_extension("toml.unproved").exists());
    cli.run_without_writes("onboard claims --sandbox --yes", 0);
}
