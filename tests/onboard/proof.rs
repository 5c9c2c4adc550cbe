//! What a proof refutes is not handed over (design §5: only *refuted* withholds).

use std::fs;

use crate::home::{CLUSTER, Home};

#[test]
fn a_key_that_reaches_a_neighbour_is_not_handed_over_until_it_no_longer_does() {
    let home = Home::new();
    home.must("onboard claims --sandbox --yes", 0);
    // The operator's key and profile are taken away, and its account gets what no template gives: the neighbour's names.
    let profile = home.folder().join("handover/claims-operator.toml");
    let key = home.key("claims-operator").id;
    home.done(&home.admin(), "DELETE", &format!("/iam/v2/api-keys/{key}"), None);
    fs::remove_file(&profile).unwrap();
    let operator = home.account("ebs-prod-claims-operator");
    let neighbour = format!("{CLUSTER}/connector=compliance-*");
    let binding = home.bind(&home.admin(), &operator, "DeveloperWrite", &neighbour);

    let seen = home.must("onboard claims --sandbox --yes", 3);
    assert!(seen.stderr.contains("the proof failed"), "{}", seen.stderr);
    assert!(seen.stderr.contains("compliance-ebs-probe"), "{}", seen.stderr);
    assert!(!profile.exists());
    assert!(profile.with_extension("toml.unproved").exists());

    home.done(
        &home.admin(),
        "DELETE",
        &format!("/iam/v2/role-bindings/{binding}"),
        None,
    );
    home.must("onboard claims --sandbox --yes", 0);
    assert!(profile.exists());
    assert!(!profile.with_extension("toml.unproved").exists());
    home.must_not_write("onboard claims --sandbox --yes", 0);
}
