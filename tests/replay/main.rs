//! Recorded requests of the Confluent CLI and the Terraform provider, sent to the sandbox.
//!
//! `tests/fixtures/traces/*.jsonl` were recorded with unmodified binaries. The tests replay their requests in order as the
//! administrator, with the ids of the sandbox instead of the recorded ones. They check the recorded status, that the
//! response conforms to the OpenAPI documents, and the state after each command. Before each request, the same request
//! is sent by unauthorized callers: without a key, with a wrong secret, with a revoked key, with a key without roles,
//! and with a key of another department.

#[path = "../common/mod.rs"]
mod common;

mod connectors;
mod state_checks;
mod trace;
mod trace_replayer;
mod unauthorized_callers;

use common::{Caller, JsonAccess as _};
use confluent_ebs::sandbox::ConnectorFault;
use serde_json::json;
use trace_replayer::TraceReplayer;
use unauthorized_callers::UnauthorizedCallers;

#[tokio::test]
async fn the_recorded_confluent_cli_session_gets_the_recorded_statuses() {
    let commands = trace::load_commands("confluent-cli.jsonl");
    let mut replayer = TraceReplayer::new();
    let unauthorized = UnauthorizedCallers::new(&replayer.api).await;
    let mut replayed = 0;
    for command in commands.iter().filter(|command| !command.is_about_connectors()) {
        replayer.replay(command, Some(&unauthorized)).await;
        state_checks::check(&replayer, &command.name);
        replayed += 1;
    }
    assert_eq!(
        replayed, 46,
        "login, organization, environment, cluster, iam, api-key, service-quota, logout"
    );
    unauthorized.assert_own_objects_unchanged(&replayer.api);
}

#[tokio::test]
async fn the_recorded_terraform_run_creates_reads_and_destroys_accounts_bindings_and_keys() {
    let commands = trace::load_commands("terraform.jsonl");
    let mut replayer = TraceReplayer::new();
    let unauthorized = UnauthorizedCallers::new(&replayer.api).await;
    for command in &commands {
        replayer
            .replay(&command.without_connectors(), Some(&unauthorized))
            .await;
        state_checks::check(&replayer, &command.name);
    }
    unauthorized.assert_own_objects_unchanged(&replayer.api);
}

/// The provisioner may create accounts and bind roles in its cluster. It has no access to an account that it created
/// without becoming its owner, so the run ends at the API key.
#[tokio::test]
async fn the_recorded_terraform_run_with_the_provisioner_key_fails_at_the_api_key() {
    let commands = trace::load_commands("terraform.jsonl");
    let mut replayer = TraceReplayer::new();
    replayer.login = replayer.api.provisioner.clone();
    for command in &commands {
        let mut requests = command.without_connectors();
        if let Some(end) = requests
            .requests
            .iter()
            .position(|request| request.path == "/iam/v2/api-keys")
        {
            let key = requests.requests[end].clone();
            requests.requests.truncate(end);
            replayer.replay(&requests, None).await;
            let body = replayer.map_value(key.body.as_ref().unwrap());
            let refused = replayer.api.post(&replayer.login, &key.path, body).await;
            refused.expect_status(403);
            break;
        }
        replayer.replay(&requests, None).await;
    }
    assert_eq!(replayer.api.sandbox.keys().unwrap().len(), 3, "the seeded ones");
    let made = replayer.api.sandbox.accounts().unwrap();
    assert!(made.iter().any(|account| account.display_name == "claims-operator"));
}

/// `confluent connect logs`: the list for the name, a token, and the search with all its pages.
#[tokio::test]
async fn the_recorded_confluent_cli_reads_the_log_lines_of_a_failed_connector() {
    let commands = trace::load_commands("confluent-cli.jsonl");
    let mut replayer = TraceReplayer::at_time("2026-11-22T12:00:00Z".parse().unwrap());
    let login = commands.first().unwrap();
    replayer.replay(login, None).await;
    let place = "/connect/v1/environments/env-abc123/clusters/lkc-abc123/connectors";
    let runtime = replayer.api.create_account("runtime").await;
    for role in ["DeveloperWrite", "DeveloperManage"] {
        let topic = format!("{}/kafka=lkc-abc123/topic=claims-*", replayer.api.cluster_crn());
        replayer.api.bind(&runtime, role, &topic).await;
    }
    let config = json!({
        "connector.class": "DatagenSource", "name": "claims-orders", "kafka.auth.mode": "SERVICE_ACCOUNT",
        "kafka.service.account.id": runtime, "kafka.topic": "claims-orders", "quickstart": "ORDERS",
        "output.data.format": "JSON", "tasks.max": "1",
    });
    let body = json!({ "name": "claims-orders", "config": config });
    replayer.api.post(&replayer.login, place, body).await.expect_status(201);
    let listed = replayer.api.get(&replayer.login, &format!("{place}?expand=id")).await;
    let id = listed.string_at("/claims-orders/id/id");
    replayer.map_id("lcc-dd0190", &id);
    let fault = Some(ConnectorFault::RecordTooLarge);
    replayer
        .api
        .sandbox
        .set_connector_fault("claims-orders", fault)
        .unwrap();
    replayer
        .api
        .sandbox
        .advance(std::time::Duration::from_mins(11))
        .unwrap();
    let searches: Vec<_> = commands
        .iter()
        .filter(|command| command.name.starts_with("confluent connect logs"))
        .collect();
    assert_eq!(searches.len(), 2);
    for command in searches {
        replayer.replay(command, None).await;
        let (_, answer) = replayer
            .responses
            .iter()
            .find(|(path, _)| path == "/logs/v1/search")
            .unwrap();
        // Errors recur every five minutes; the second command's expression, `x.*`, matches each "exception".
        assert_eq!(answer.items().len(), 3, "{}", command.name);
        for line in answer.items() {
            // Fields that the Confluent CLI reads (docs/reference/cli.md#log-command).
            assert_eq!((&line["level"], &line["task_id"]), (&json!("ERROR"), &json!("task-0")));
            assert!(line.text("/timestamp").starts_with("2026-11-22T12:"));
            assert!(line.text("/exception/stacktrace").contains("RecordTooLargeException"));
            assert_eq!(line["id"], id);
        }
    }
}

/// `confluent login` stores a token in the CLI's configuration; it must be valid for later commands, and invalid after
/// logout.
#[tokio::test]
async fn a_session_token_works_until_logout() {
    let commands = trace::load_commands("confluent-cli.jsonl");
    let mut replayer = TraceReplayer::new();
    let first = commands.first().unwrap();
    let last = commands.last().unwrap();
    assert!(first.name.starts_with("confluent login") && last.name == "confluent logout");
    replayer.replay(first, None).await;
    let session = replayer.login.clone();
    assert!(matches!(session, Caller::Bearer(_)));
    replayer.replay(last, None).await;
    replayer.api.get(&session, "/api/me").await.expect_status(401);
    let again = json!({ "email": "admin@example.com", "password": "sandbox" });
    replayer
        .api
        .post(&Caller::Anonymous, "/api/sessions", again)
        .await
        .expect_status(200);
}
