//! Connectors from the files of a repository, with the binary on the sandbox.

#[path = "../common/mod.rs"]
mod common;

mod apply;
mod drift;
mod evidence;
mod freeze;
mod hybrid;
mod pipelines;
mod plan;
mod policies;
mod promote;
mod release;
mod repository_files;
mod slow;
mod two_writers;
mod validate;

use common::Cli;

/// Variables with the secrets that the files refer to.
const SECRETS: [(&str, &str); 1] = [("EBS_SECRET_PG", CANARY)];
/// Secret that no output may contain.
const CANARY: &str = "Canary-7f3a9c2e";

const SOURCE: &str = "\
config:
  connector.class: PostgresSource
  connection.host: db.example.com
  connection.port: \"5432\"
  connection.user: app
  connection.password: ${env:EBS_SECRET_PG}
  db.name: orders
  table.include.list: public.orders
  topic.prefix: claims-
  output.data.format: AVRO
  mode: bulk
";

/// A connector that generates records for `topic`.
fn datagen(topic: &str) -> String {
    format!(
        "config:\n  connector.class: DatagenSource\n  kafka.topic: {topic}\n  quickstart: ORDERS\n  output.data.format: \
         JSON\n"
    )
}

/// A repository with the department "claims" onboarded and two connectors for the stage prod.
fn repository() -> Cli {
    let cli = Cli::with_sandbox("--timing instant");
    cli.run("onboard claims --sandbox --yes").expect_success();
    cli.run("sandbox clock advance 10m").expect_success();
    cli.write("connectors/claims/claims-orders.yaml", SOURCE);
    cli.write(
        "connectors/claims/prod/claims-orders.yaml",
        "config:\n  tasks.max: \"2\"\n",
    );
    cli.write("connectors/claims/prod/claims-gen.yaml", datagen("claims-gen"));
    cli
}

/// A repository of the platform team: with `ebs.toml`, to which `settings` are added, and the department "claims".
fn platform_repository(settings: &str) -> Cli {
    let cli = repository();
    cli.write("ebs.toml", format!("{}{settings}", common::EBS_TOML));
    let department =
        "name = \"Claims\"\nprefix = \"claims-\"\n[quota]\nconnectors = 12\ntasks = 20\ntasks_per_connector = 4\n";
    cli.write("departments/claims.toml", department);
    cli
}

/// Runs Git in the folder of `cli`.
fn git(cli: &Cli, args: &str) {
    cli.git(args);
}

/// The flags of a department's pipeline.
const DEPLOYER: &str = "--profile .state/confluent-ebs/sandbox/handover/claims-deployer.toml";

/// Runs `gitops ARGS` as the pipeline of the department, with its secrets.
fn gitops(cli: &Cli, args: &str) -> common::CliOutput {
    cli.run_with_env(&format!("gitops {args} {DEPLOYER}"), &SECRETS)
}

/// Removes a file or a folder of the repository.
fn remove(cli: &Cli, path: &str) {
    let path = cli.path(path);
    let removed = if path.is_dir() {
        std::fs::remove_dir_all(&path)
    } else {
        std::fs::remove_file(&path)
    };
    removed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
