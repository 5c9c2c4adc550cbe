//! `gitops release`: a connector keeps running without a file.

use crate::{DEPLOYER, common::JsonAccess as _, datagen, git, gitops, repository};

#[test]
fn a_released_connector_keeps_running_and_is_no_drift() {
    let cli = repository();
    gitops(&cli, "apply --yes --settle 0s").expect_success();
    git(&cli, "init -q -b main");
    git(&cli, "add connectors");
    git(&cli, "commit -q -m files");
    let before = cli.writes().len();
    let output = gitops(&cli, "release claims-orders --reason moved").expect_success();
    assert_eq!(
        output.stdout,
        "Deleted connectors/claims/prod/claims-orders.yaml.\nDeleted connectors/claims/claims-orders.yaml.\nAdded \
         claims-orders to connectors/claims/unmanaged.yaml.\nThe connector keeps running. Commit both changes together.\n"
    );
    assert_eq!(cli.writes().len(), before);
    cli.run("gitops validate --sandbox --changed-since main")
        .expect_success();
    let plan = gitops(&cli, "plan --detailed-exitcode -o json").expect_success().json();
    assert_eq!(plan.items("/plans/0/released").len(), 1);
    assert_eq!(plan.items("/plans/0/unmanaged").len(), 0);
    gitops(&cli, "drift --detailed-exitcode").expect_success();
    let list = cli.run(&format!("connector list -o json {DEPLOYER}")).expect_success();
    assert!(list.stdout.contains("claims-orders"), "{list}");
    // The second one is added to the same list.
    gitops(&cli, "release claims-gen --reason moved").expect_success();
    let plan = gitops(&cli, "plan -o json").expect_success().json();
    assert_eq!(plan.items("/plans/0/released").len(), 2);
}

#[test]
fn a_connector_that_is_released_and_has_a_file_is_an_error() {
    let cli = repository();
    gitops(&cli, "release claims-gen --reason moved").expect_success();
    cli.write("connectors/claims/prod/claims-gen.yaml", datagen("claims-gen"));
    let output = cli.run("gitops validate --sandbox -o json").expect_code(5).json();
    let message = output.text("/findings/0/message");
    assert!(
        message.starts_with("connector `claims-gen` is listed as unmanaged and has the file"),
        "{message}"
    );
    // An interrupted release left both: the same command completes it.
    gitops(&cli, "release claims-gen --reason moved").expect_success();
    cli.run("gitops validate --sandbox").expect_success();
}

#[test]
fn only_a_connector_with_a_file_can_be_released() {
    let cli = repository();
    let output = gitops(&cli, "release claims-gem --reason moved").expect_code(1);
    assert!(output.stderr.contains("Did you mean `claims-gen`?"), "{output}");
    cli.write(
        "connectors/claims/prod/claims-gen.yaml",
        format!("protect: true\n{}", datagen("claims-gen")),
    );
    gitops(&cli, "release claims-gen --reason moved").expect_code(5);
    cli.write("connectors/claims/prod/claims-gen.yaml", "state: absent\n");
    gitops(&cli, "release claims-gen --reason moved").expect_code(5);
    gitops(&cli, "release claims-orders").expect_code(64);
}

#[test]
fn mistakes_in_the_list_are_findings() {
    let cli = repository();
    for (text, message) in [
        (
            "unmanaged:\n  - name: claims-x\n    stage: prd\n    reason: x\n",
            "there is no stage `prd`",
        ),
        (
            "unmanaged:\n  - name: fraud-x\n    stage: prod\n    reason: x\n",
            "connector `fraud-x` does not begin with the prefix `claims-`",
        ),
        ("unmanaged:\n  - name: claims-x\n", "Each entry has the keys"),
    ] {
        cli.write("connectors/claims/unmanaged.yaml", text);
        let output = cli.run("gitops validate --sandbox -o json").expect_code(5);
        assert!(output.stdout.contains(message), "{text}: {output}");
    }
}
