//! Requests that the Confluent CLI and the Terraform provider send to Connect, sent again
//! (`tests/fixtures/traces/README.md`).

use serde_json::Value;

use crate::common::{ConnectSandbox, JsonAccess as _};

fn read_recorded_requests() -> Vec<(String, Value)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/traces");
    let mut all = Vec::new();
    for file in ["confluent-cli.jsonl", "terraform.jsonl"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let read = |line: &str| (file.to_owned(), serde_json::from_str(line).unwrap());
        all.extend(text.lines().map(read));
    }
    all
}

#[tokio::test]
async fn recorded_confluent_cli_and_terraform_requests_get_the_recorded_statuses() {
    let connect = ConnectSandbox::new().await;
    let map = |text: &str| {
        text.replace("env-abc123", "env-prod1")
            .replace("lkc-abc123", "lkc-prod1")
            .replace("sa-aaaaaa", &connect.runtime)
            .replace("sa-dd0190", &connect.runtime)
    };
    let mut sent = 0;
    let all = read_recorded_requests();
    for (file, command) in &all {
        for request in command.items("/requests") {
            let path = request.text("/path");
            if !path.contains("/connect/v1/") && !path.contains("/kafka/v3/") {
                continue;
            }
            let mut query = String::new();
            for (key, value) in request["query"].as_object().into_iter().flatten() {
                let values: Vec<_> = value
                    .as_array()
                    .map_or_else(|| vec![value], |list| list.iter().collect());
                for value in values {
                    let separator = if query.is_empty() { '?' } else { '&' };
                    let value = confluent_ebs::api::encode_segment(value.as_str().unwrap());
                    query = format!("{query}{separator}{key}={value}");
                }
            }
            let target = map(&format!("{path}{query}"));
            let body = request.get("body").filter(|body| !body.is_null());
            let body = body.map(|body| serde_json::from_str(&map(&body.to_string())).unwrap());
            let login = if path.contains("/kafka/v3/") {
                &connect.kafka
            } else {
                connect.admin()
            };
            let answer = connect.api.send(login, request.text("/method"), &target, body).await;
            assert_eq!(
                u64::from(answer.status.as_u16()),
                request.count("/status"),
                "{file}: {}: {target}: {:?}",
                command["command"],
                answer.body
            );
            sent += 1;
        }
    }
    assert!(sent > 40, "{sent} requests were sent");
}
