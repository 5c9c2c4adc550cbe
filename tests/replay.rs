//! What the stock CLI and Terraform's provider really send, sent to the sandbox.
//!
//! `../shared/traces/*.jsonl` were recorded with unmodified binaries. Here their requests are replayed in order as the
//! administrator, with the ids that the sandbox gives in the place of the recorded ones: the recorded status, an answer
//! that the vendor's documents describe, and the state that each command should leave are demanded. Before each request
//! the same one is sent with keys that must not: nobody's, a wrong one, a revoked one, one without a role, and one of
//! another department.

#[path = "sandbox_connect/contract.rs"]
mod connect_contract;
#[path = "sandbox/contract.rs"]
mod contract;
#[path = "sandbox/harness.rs"]
#[expect(dead_code, reason = "the other half is for driving the sandbox by hand")]
mod harness;
#[path = "common/openapi.rs"]
#[expect(dead_code, reason = "requests are the client's to check")]
mod openapi;
#[path = "common/terraform.rs"]
mod terraform;

#[path = "replay/connectors.rs"]
mod connectors;
#[path = "replay/outsiders.rs"]
mod outsiders;
#[path = "replay/player.rs"]
mod player;
#[path = "replay/states.rs"]
mod states;
#[path = "replay/trace.rs"]
mod trace;

use confluent_ebs::sandbox::ConnectorFault;
use harness::Login;
use outsiders::Outsiders;
use player::Player;
use serde_json::json;

#[tokio::test]
async fn the_stock_cli_gets_what_it_was_recorded_with() {
    let Some(commands) = trace::load("stock-cli.jsonl") else {
        return;
    };
    let mut player = Player::new();
    let outsiders = Outsiders::new(&player.world).await;
    let mut replayed = 0;
    for command in commands.iter().filter(|command| !command.is_about_connectors()) {
        player.play(command, Some(&outsiders)).await;
        states::check(&player, &command.name);
        replayed += 1;
    }
    assert_eq!(
        replayed, 46,
        "login, organization, environment, cluster, iam, api-key, service-quota, logout"
    );
    outsiders.check_nothing_was_done(&player.world);
}

#[tokio::test]
async fn terraform_creates_reads_back_and_destroys_accounts_bindings_and_keys() {
    let Some(commands) = trace::load("terraform.jsonl") else {
        return;
    };
    let mut player = Player::new();
    let outsiders = Outsiders::new(&player.world).await;
    for command in &commands {
        player.play(&command.without_connectors(), Some(&outsiders)).await;
        states::check(&player, &command.name);
    }
    outsiders.check_nothing_was_done(&player.world);
}

/// The provisioner may make accounts and bind roles in its cluster; an account that it made without owning it is none of
/// its business any more, so the run ends at the API key.
#[tokio::test]
async fn with_the_provisioners_key_terraforms_run_ends_at_the_api_key() {
    let Some(commands) = trace::load("terraform.jsonl") else {
        return;
    };
    let mut player = Player::new();
    player.login = player.world.provisioner.clone();
    for command in &commands {
        let mut requests = command.without_connectors();
        if let Some(end) = requests
            .requests
            .iter()
            .position(|request| request.path == "/iam/v2/api-keys")
        {
            let key = requests.requests[end].clone();
            requests.requests.truncate(end);
            player.play(&requests, None).await;
            let body = player.map(key.body.as_ref().unwrap());
            let refused = player.world.post(&player.login, &key.path, body).await;
            refused.expect(403);
            break;
        }
        player.play(&requests, None).await;
    }
    assert_eq!(player.world.sandbox.keys().unwrap().len(), 3, "the seeded ones");
    let made = player.world.sandbox.accounts().unwrap();
    assert!(made.iter().any(|account| account.display_name == "claims-operator"));
}

/// `confluent connect logs`: the list for the name, a token, and the search, page by page where there are more.
#[tokio::test]
async fn the_stock_cli_reads_the_lines_of_a_failed_connector() {
    let Some(commands) = trace::load("stock-cli.jsonl") else {
        return;
    };
    let mut player = Player::at("2026-11-22T12:00:00Z".parse().unwrap());
    let login = commands.first().unwrap();
    player.play(login, None).await;
    let place = "/connect/v1/environments/env-abc123/clusters/lkc-abc123/connectors";
    let runtime = player.world.account("runtime").await;
    for role in ["DeveloperWrite", "DeveloperManage"] {
        let topic = format!("{}/kafka=lkc-abc123/topic=claims-*", player.world.cluster_crn());
        player.world.bind(&runtime, role, &topic).await;
    }
    let config = json!({
        "connector.class": "DatagenSource", "name": "claims-orders", "kafka.auth.mode": "SERVICE_ACCOUNT",
        "kafka.service.account.id": runtime, "kafka.topic": "claims-orders", "quickstart": "ORDERS",
        "output.data.format": "JSON", "tasks.max": "1",
    });
    let body = json!({ "name": "claims-orders", "config": config });
    player.world.post(&player.login, place, body).await.expect(201);
    let listed = player.world.get(&player.login, &format!("{place}?expand=id")).await;
    let id = listed.text("/claims-orders/id/id");
    player.stands_for("lcc-dd0190", &id);
    let fault = Some(ConnectorFault::RecordTooLarge);
    player
        .world
        .sandbox
        .set_connector_fault("claims-orders", fault)
        .unwrap();
    player
        .world
        .sandbox
        .advance(std::time::Duration::from_mins(11))
        .unwrap();
    let searches: Vec<_> = commands
        .iter()
        .filter(|command| command.name.starts_with("confluent connect logs"))
        .collect();
    assert_eq!(searches.len(), 2);
    for command in searches {
        player.play(command, None).await;
        let (_, answer) = player
            .answers
            .iter()
            .find(|(path, _)| path == "/logs/v1/search")
            .unwrap();
        // Errors come back every five minutes; the second command's expression, `x.*`, is in each "exception".
        assert_eq!(answer.data().len(), 3, "{}", command.name);
        for line in answer.data() {
            // What the CLI reads of a line (dossier `logs.md` §2.7).
            assert_eq!((&line["level"], &line["task_id"]), (&json!("ERROR"), &json!("task-0")));
            assert!(line["timestamp"].as_str().unwrap().starts_with("2026-11-22T12:"));
            assert!(
                line["exception"]["stacktrace"]
                    .as_str()
                    .unwrap()
                    .contains("RecordTooLargeException")
            );
            assert_eq!(line["id"], id);
        }
    }
}

/// `confluent login` writes a token into the CLI's configuration that must work for later commands, and stop at logout.
#[tokio::test]
async fn a_session_ends_with_the_log_out() {
    let Some(commands) = trace::load("stock-cli.jsonl") else {
        return;
    };
    let mut player = Player::new();
    let first = commands.first().unwrap();
    let last = commands.last().unwrap();
    assert!(first.name.starts_with("confluent login") && last.name == "confluent logout");
    player.play(first, None).await;
    let session = player.login.clone();
    assert!(matches!(session, Login::Bearer(_)));
    player.play(last, None).await;
    player.world.get(&session, "/api/me").await.expect(401);
    let again = json!({ "email": "admin@example.com", "password": "sandbox" });
    player
        .world
        .post(&Login::Nobody, "/api/sessions", again)
        .await
        .expect(200);
}
