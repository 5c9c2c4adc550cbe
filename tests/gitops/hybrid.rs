//! The whole way of a connector, on a served sandbox: a department proposes files in Git, pipelines apply them with the
//! department's own key, people operate the connector, and the file goes to the next stage and finally away.

use serde_json::Value;

use crate::{
    common::{Cli, CliOutput, EBS_TOML, JsonAccess as _, RunningCommand},
    datagen, git,
};

const TEST_STAGE: &str = "[stages.test]\nenvironment = \"env-test01\"\ncluster = \"lkc-test01\"\n";
const CLAIMS: &str = "name = \"Claims\"\nprefix = \"claims-\"\n\n[quota]\nconnectors = 3\n";
const NAME: &str = "claims-orders";

/// A repository of the platform team with the department "claims" in two stages, and a served sandbox.
fn two_stages() -> (Cli, RunningCommand) {
    let cli = Cli::with_platform([("claims", CLAIMS)]);
    cli.write("ebs.toml", format!("{EBS_TOML}{TEST_STAGE}"));
    cli.run("sandbox reset --yes --timing instant").expect_success();
    for stage in ["prod", "test"] {
        cli.run(&format!("onboard claims --stage {stage} --sandbox --yes"))
            .expect_success();
    }
    cli.run("sandbox clock advance 10m").expect_success();
    let mut server = RunningCommand::start(&cli, "sandbox start --port 0 --time-scale 100");
    server.wait_for_line(0, |line| line.contains("http://127.0.0.1"));
    (cli, server)
}

/// Runs as a persona of "claims" in a stage.
fn run(cli: &Cli, persona: &str, stage: &str, args: &str) -> CliOutput {
    let folder = match stage {
        "prod" => cli.profiles_dir(),
        other => cli.profiles_dir().join(other),
    };
    let profile = folder.join(format!("claims-{persona}.toml"));
    let mut command = cli.command();
    command.args(args.split_whitespace()).arg("--profile").arg(profile);
    command.env("EBS_SECRET_PG", crate::CANARY);
    let output = cli.run_command(&mut command);
    assert!(!output.to_string().contains(crate::CANARY), "{output}");
    output
}

fn status(cli: &Cli, stage: &str) -> Option<String> {
    let list: Value = run(cli, "operator", stage, "connector list -o json")
        .expect_success()
        .json();
    let found = list
        .as_array()
        .unwrap()
        .iter()
        .find(|connector| connector.text("/name") == NAME);
    found.map(|connector| connector.text("/status").to_owned())
}

/// What a pipeline does with the protected branch: plan, an approval, apply.
fn apply_approved(cli: &Cli, stage: &str) {
    let plan = run(
        cli,
        "deployer",
        stage,
        &format!("gitops plan --out plan-{stage}.json -o json"),
    );
    assert!(plan.expect_success().json()["plans"][0]["id"].is_string());
    run(
        cli,
        "deployer",
        stage,
        &format!("gitops apply --expect plan-{stage}.json --settle 0s --backup-dir kept"),
    )
    .expect_success();
    run(cli, "deployer", stage, "gitops plan --detailed-exitcode").expect_success();
}

#[test]
fn a_connector_goes_from_a_merge_request_to_production_and_away() {
    let (cli, server) = two_stages();
    git(&cli, "init -q -b main");
    git(&cli, "add ebs.toml departments");
    git(&cli, "commit -q -m platform");

    // A merge request: checked without a key, planned with one that cannot write, and shown as a comment.
    git(&cli, "switch -q -c orders");
    cli.write(
        format!("connectors/claims/{NAME}.yaml"),
        datagen("claims-orders") + "  tasks.max: \"1\"\n",
    );
    cli.write(
        format!("connectors/claims/test/{NAME}.yaml"),
        "config:\n  max.interval: \"2000\"\n",
    );
    git(&cli, "add connectors");
    git(&cli, "commit -q -m orders");
    cli.run("gitops validate --changed-since main -o github")
        .expect_success();
    let comment = run(&cli, "viewer", "test", "gitops plan -o markdown").expect_success();
    assert!(
        comment.stdout.contains("**1 change**, highest risk: normal."),
        "{comment}"
    );
    run(&cli, "viewer", "test", "gitops apply --yes --settle 0s").expect_code(4);
    assert_eq!(status(&cli, "test"), None);

    // Merged and applied.
    git(&cli, "switch -q main");
    git(&cli, "merge -q orders");
    apply_approved(&cli, "test");
    assert_eq!(status(&cli, "test").as_deref(), Some("RUNNING"));

    // The file sets no state, so an operator may pause the connector.
    for (verb, state) in [("pause", "PAUSED"), ("resume", "RUNNING")] {
        run(&cli, "operator", "test", &format!("connector {verb} {NAME}")).expect_success();
        assert_eq!(status(&cli, "test").as_deref(), Some(state));
        run(&cli, "viewer", "test", "gitops drift --detailed-exitcode").expect_success();
    }

    // A change by hand is drift, is not promoted, and goes with the next apply.
    let update = format!("connector update {NAME} --config tasks.max=2 --settle 0s");
    run(&cli, "deployer", "test", &update).expect_success();
    let drift = run(&cli, "viewer", "test", "gitops drift --detailed-exitcode -o json")
        .expect_code(2)
        .json();
    assert_eq!(drift.text("/departments/0/changed/0/name"), NAME);
    let promote = format!("gitops promote {NAME} --from test --to prod");
    let refused = run(&cli, "viewer", "test", &promote).expect_code(5);
    assert!(
        refused.stderr_line().contains("is not as its file for `test` says"),
        "{refused}"
    );
    apply_approved(&cli, "test");

    // The next stage gets what runs, over the same base.
    run(&cli, "viewer", "test", &promote).expect_success();
    assert_eq!(
        cli.read(format!("connectors/claims/prod/{NAME}.yaml")),
        "config:\n  max.interval: \"2000\"\n"
    );
    git(&cli, "add connectors");
    git(&cli, "commit -q -m promoted");
    assert_eq!(status(&cli, "prod"), None);
    apply_approved(&cli, "prod");
    assert_eq!(status(&cli, "prod").as_deref(), Some("RUNNING"));

    // A missing file deletes nothing; a tombstone does, and the offsets are kept.
    std::fs::remove_file(cli.path(format!("connectors/claims/test/{NAME}.yaml"))).unwrap();
    let vanished = cli
        .run("gitops validate --changed-since main -o json")
        .expect_code(5)
        .json();
    assert!(
        vanished.text("/findings/0/message").contains("keeps running"),
        "{vanished}"
    );
    cli.write(format!("connectors/claims/test/{NAME}.yaml"), "state: absent\n");
    git(&cli, "commit -q -a -m tombstone");
    let offsets = run(
        &cli,
        "operator",
        "test",
        &format!("connector offset describe {NAME} -o json"),
    );
    let offsets = offsets.expect_success().json();
    apply_approved(&cli, "test");
    assert_eq!(status(&cli, "test"), None);
    assert_eq!(status(&cli, "prod").as_deref(), Some("RUNNING"));
    let kept = find_file(&cli.path("kept"), &format!("{NAME}.json")).expect("a backup");
    let backup: Value = serde_json::from_str(&std::fs::read_to_string(kept).unwrap()).unwrap();
    assert!(backup["offsets"].is_array(), "{backup} {offsets}");
    drop(server);
}

/// The file of this name somewhere below `folder`.
fn find_file(folder: &std::path::Path, name: &str) -> Option<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries
        .map(|entry| entry.unwrap().path())
        .find_map(|path| match path.is_dir() {
            true => find_file(&path, name),
            false => (path.file_name()? == name).then_some(path),
        })
}
