//! A profile is not delivered if a probe fails.

use std::fs;

use crate::sandbox_cli_fixture::{CLUSTER_CRN, SandboxCliFixture};

#[test]
fn a_key_with_access_to_a_foreign_prefix_is_not_delivered() {
    let fixture = SandboxCliFixture::new();
    fixture.run_expecting("onboard claims --sandbox --yes", 0);
    // The operator's key and profile are deleted, and its account gets a grant that no template declares: on the names
    // of another department.
    let profile = fixture.state_dir().join("handover/claims-operator.toml");
    let key = fixture.profile_key("claims-operator").id;
    fixture.send_ok(&fixture.admin_key(), "DELETE", &format!("/iam/v2/api-keys/{key}"), None);
    fs::remove_file(&profile).unwrap();
    let operator = fixture.account_id("ebs-prod-claims-operator");
    let neighbour = format!("{CLUSTER_CRN}/connector=compliance-*");
    let binding = fixture.bind(&fixture.admin_key(), &operator, "DeveloperWrite", &neighbour);

    let output = fixture.run_expecting("onboard claims --sandbox --yes", 3);
    assert!(output.stderr.contains("probes failed"), "{}", output.stderr);
    assert!(output.stderr.contains("compliance-ebs-probe"), "{}", output.stderr);
    assert!(!profile.exists());
    assert!(profile.with_extension("toml.unproved").exists());

    fixture.send_ok(
        &fixture.admin_key(),
        "DELETE",
        &format!("/iam/v2/role-bindings/{binding}"),
        None,
    );
    fixture.run_expecting("onboard claims --sandbox --yes", 0);
    assert!(profile.exists());
    assert!(!profile.with_extension("toml.unproved").exists());
    fixture.run_without_writes("onboard claims --sandbox --yes", 0);
}
