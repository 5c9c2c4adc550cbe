//! The library without the commands: several connector files become one plan.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use confluent_ebs::{
    clock::Clock,
    config::StandardDirs,
    connectors::{
        definition, execute,
        preparation::{ConnectorListing, ConnectorPreparation, PreparationGoal, PreparedConnector},
        secrets::SecretSources,
    },
    error::{Error, ErrorKind},
    plan::ConnectorPlan,
    session::{ConnectorSession, Environment, Options, RunContext},
};

use tokio_util::sync::CancellationToken;

use crate::{
    ORDERS_FILE, cli_with_claims,
    common::{Cli, JsonAccess as _, PROFILES_DIR},
};

/// The run of a deployer in the fixture's folders, without terminal and arguments.
fn deployer_run(cli: &Cli) -> RunContext {
    let profile = cli.path(format!("{PROFILES_DIR}/claims-deployer.toml"));
    RunContext {
        environment: Arc::new(Environment {
            variables: BTreeMap::new(),
            working_dir: Some(cli.path("")),
            dirs: Ok(StandardDirs::with_roots(
                cli.path(".state/confluent-ebs"),
                cli.path(".config/confluent-ebs"),
            )),
            home: None,
            executable: None,
            clock: Clock::system(),
            secrets: confluent_ebs::redact::SecretRegistry::default(),
        }),
        options: Options {
            profile: Some(profile.display().to_string()),
            ..Options::default()
        },
        reporter: Arc::new(()),
        cancel: CancellationToken::new(),
    }
}

async fn prepare_file(
    cli: &Cli,
    preparation: &mut ConnectorPreparation<'_>,
    file: &str,
) -> Result<PreparedConnector, Error> {
    let department = preparation.session.department.as_ref();
    let definition = definition::read(&cli.path(file))?.lint(preparation.run, department)?;
    preparation
        .prepare(definition, PreparationGoal::CreateOrUpdate { send_secrets: false })
        .await
}

#[tokio::test]
async fn several_files_share_one_quota_and_one_plan() {
    let cli = cli_with_claims();
    // The quota of the example allows 20 tasks, 4 for each connector.
    for number in 1..=6 {
        let config = ORDERS_FILE.replace("\"config\": {", "\"config\": {\"tasks.max\": \"4\",");
        let text = config.replacen("claims-orders", &format!("claims-orders-{number}"), 1);
        cli.write(format!("orders-{number}.json"), text);
    }
    let run = deployer_run(&cli);
    let session = ConnectorSession::open(&run).unwrap();
    let mut preparation = ConnectorPreparation {
        run: &run,
        session: &session,
        secrets: SecretSources {
            dir: None,
            prompt: &|_| None,
        },
        listing: ConnectorListing::observe(&session).await.unwrap(),
    };
    let mut plan = ConnectorPlan::default();
    for number in 1..=5 {
        let file = format!("orders-{number}.json");
        let prepared = prepare_file(&cli, &mut preparation, &file).await.unwrap();
        prepared.plan(&run, &session, &mut plan, None).unwrap();
    }
    let refused = prepare_file(&cli, &mut preparation, "orders-6.json")
        .await
        .err()
        .unwrap();
    assert_eq!(refused.kind, ErrorKind::Refused, "{refused}");
    assert!(
        refused.to_string().contains("tasks: 4 requested, 20 of 20 used"),
        "{refused}"
    );

    let (client, journal) = (&session.connectors, &session.journal_path);
    let execution = execute(&run, client, journal, "test", &plan, Duration::ZERO, Duration::ZERO);
    let execution = execution.await.unwrap();
    assert!((0..5).all(|place| execution.is_done(place)));
    let list = cli.run_as("claims-operator", "connector list -o json").json();
    assert_eq!(list.items("").len(), 5, "{list}");
}
