//! Connector commands: the groups `connect cluster`, `connect offset` and `connect plugin` of the Confluent CLI, and
//! the life cycle of Terraform's `confluent_connector`.

use serde_json::{Value, json};

use crate::{
    common::{Caller, JsonAccess as _, SandboxResponse, terraform::as_read_by_terraform},
    trace::{self, RecordedCommand},
    trace_replayer::TraceReplayer,
    unauthorized_callers::UnauthorizedCallers,
};

const CONNECTORS_PATH: &str = "/connect/v1/environments/env-abc123/clusters/lkc-abc123/connectors";

/// Roles that the account of a Datagen source needs to create its topic and write to it.
async fn grant_topic_access(replayer: &TraceReplayer, account: &str) {
    for role in ["DeveloperWrite", "DeveloperManage"] {
        let topics = format!("{}/kafka=lkc-abc123/topic=claims-*", replayer.api.cluster_crn());
        replayer.api.bind(account, role, &topics).await;
    }
}

/// The current state of the recorded connector, from the list that both clients read.
async fn listed_connector(replayer: &TraceReplayer) -> Value {
    let all = replayer
        .api
        .get(&replayer.login, &format!("{CONNECTORS_PATH}?expand=info,status,id"))
        .await;
    all.expect_status(200).json()["claims-orders"].clone()
}

fn responses_ending_with<'a>(replayer: &'a TraceReplayer, end: &str) -> Vec<&'a SandboxResponse> {
    let found = replayer.responses.iter().filter(|(path, _)| path.ends_with(end));
    found.map(|(_, answer)| answer).collect()
}

#[tokio::test]
async fn the_recorded_confluent_cli_creates_updates_and_deletes_a_connector() {
    let commands = trace::load_commands("confluent-cli.jsonl");
    let mut replayer = TraceReplayer::new();
    replayer.replay(commands.first().unwrap(), None).await;
    assert!(matches!(replayer.login, Caller::Bearer(_)), "logged in");
    let runtime = replayer.api.create_account("runtime").await;
    grant_topic_access(&replayer, &runtime).await;
    replayer.map_id("sa-aaaaaa", &runtime);
    let unauthorized = UnauthorizedCallers::new(&replayer.api).await;
    let mut replayed = 0;
    let about = commands.iter().filter(|command| command.is_about_connectors());
    for command in about.filter(|command| !command.name.starts_with("confluent connect logs")) {
        replayer.replay(command, Some(&unauthorized)).await;
        check_command(&replayer, command).await;
        replayed += 1;
    }
    assert_eq!(replayed, 16, "plugin, cluster and offset, all their commands");
    unauthorized.assert_own_objects_unchanged(&replayer.api);
}

/// Expected output and effect of a command (docs/reference/cli.md#connector-commands).
async fn check_command(replayer: &TraceReplayer, command: &RecordedCommand) {
    let words = command.name.strip_prefix("confluent connect ").unwrap();
    let now = listed_connector(replayer).await;
    let state = &now["status"]["connector"]["state"];
    if words.starts_with("plugin list") {
        let plugins = responses_ending_with(replayer, "/connector-plugins")[0]
            .json()
            .items("");
        let row = plugins
            .iter()
            .find(|plugin| plugin["class"] == "DatagenSource")
            .unwrap();
        assert_eq!(row["type"], "source");
    } else if words.starts_with("plugin describe") {
        let keys = responses_ending_with(replayer, "/config/validate")[0].json()["configs"].clone();
        let required = keys
            .items("")
            .iter()
            .filter(|key| key["definition"]["required"] == true);
        let required: Vec<_> = required.map(|key| key.text("/definition/name")).collect();
        for key in ["connector.class", "name", "kafka.topic", "tasks.max"] {
            assert!(required.contains(&key), "{key}: {required:?}");
        }
    } else if words.starts_with("cluster create") {
        let made = responses_ending_with(replayer, "/connectors");
        assert!(made[0].json().get("id").is_none(), "the API returns no id");
        let listed = &made[1].json()["claims-orders"];
        assert!(listed.text("/id/id").starts_with("lcc-"));
        assert_eq!(
            (&listed["status"]["connector"]["trace"], state),
            (&json!(""), &json!("RUNNING"))
        );
    } else if words.starts_with("cluster list") {
        let listed = responses_ending_with(replayer, "/connectors")[0].json();
        assert!(
            *listed == json!({}) || listed["claims-orders"]["status"]["type"] == "source",
            "{listed}"
        );
    } else if words.starts_with("cluster describe") {
        let shown = &responses_ending_with(replayer, "/connectors")[0].json()["claims-orders"];
        assert_eq!(shown["status"]["tasks"][0]["state"], "RUNNING");
        assert_eq!(shown["info"]["config"]["quickstart"], "ORDERS");
    } else if words.starts_with("cluster pause") {
        assert_eq!(
            responses_ending_with(replayer, "/pause")[0].body,
            Some(Value::Null),
            "no body"
        );
        assert_eq!(
            (state, &now["status"]["tasks"][0]["state"]),
            (&json!("PAUSED"), &json!("STOPPED"))
        );
    } else if words.starts_with("cluster resume") {
        assert_eq!(
            responses_ending_with(replayer, "/resume")[0].body,
            Some(Value::Null),
            "no body"
        );
        assert_eq!(state, "RUNNING");
    } else if words.starts_with("cluster update") {
        let tasks = if words.contains("tasks.max=2") { "2" } else { "1" };
        assert_eq!(now["info"]["config"]["tasks.max"], tasks);
        assert_eq!(now.items("/info/tasks").len().to_string(), tasks);
    } else if words.starts_with("offset describe") {
        let read = responses_ending_with(replayer, "/offsets")[0];
        let observed: jiff::Timestamp = read.string_at("/metadata/observed_at").parse().unwrap();
        let age = replayer.api.sandbox.now().unwrap().duration_since(observed);
        assert!(age.as_secs() < 5, "the Confluent CLI accepts at least 5 s");
    } else if words.starts_with("offset update") || words.starts_with("offset delete") {
        let kind = if words.starts_with("offset update") {
            "PATCH"
        } else {
            "DELETE"
        };
        assert_eq!(
            responses_ending_with(replayer, "/offsets/request")[0].string_at("/type"),
            kind
        );
        assert_eq!(
            responses_ending_with(replayer, "/request/status")[0].string_at("/status/phase"),
            "APPLIED"
        );
    } else if words.starts_with("offset status describe") {
        let status = responses_ending_with(replayer, "/request/status")[0].json();
        // The Confluent CLI reads them without checking that they exist.
        assert!(status["previous_offsets"].is_array() && status["request"]["requested_at"].is_string());
        assert_eq!(status["request"]["offsets"][0]["offset"]["kafka_offset"], 100);
    } else if words == "cluster delete lcc-dd0190 lcc-nope --force" {
        assert_eq!(state, "RUNNING", "one of several does not exist: none is deleted");
    } else if words.starts_with("cluster delete") {
        assert_eq!(
            responses_ending_with(replayer, "/claims-orders")[0].json(),
            &json!({ "error": null })
        );
        assert_eq!(now, Value::Null);
    } else {
        panic!("no expected state for `{}`", command.name);
    }
}

#[tokio::test]
async fn the_recorded_terraform_run_creates_updates_pauses_and_destroys_a_connector_with_empty_second_plans() {
    let commands = trace::load_commands("terraform.jsonl");
    let mut replayer = TraceReplayer::new();
    let unauthorized = UnauthorizedCallers::new(&replayer.api).await;
    let mut sent = Value::Null;
    for command in &commands {
        // The account is created by the same run; its grants on topics are other resources of the same configuration.
        let first = command
            .requests
            .iter()
            .position(trace::RecordedRequest::is_about_connectors);
        let (before, after) = command.requests.split_at(first.unwrap_or(command.requests.len()));
        let part = |requests: &[trace::RecordedRequest]| RecordedCommand {
            requests: requests.to_vec(),
            ..command.clone()
        };
        replayer.replay(&part(before), Some(&unauthorized)).await;
        if command.name == "terraform apply" {
            let runtime = replayer.mapped_id("sa-dd0190").to_owned();
            grant_topic_access(&replayer, &runtime).await;
        }
        replayer.replay(&part(after), Some(&unauthorized)).await;
        let write = after.iter().find(|request| {
            request.path.ends_with("/config") || (request.method == "POST" && request.path.ends_with("/connectors"))
        });
        if let Some(body) = write.and_then(|request| request.body.as_ref()) {
            sent = replayer.map_value(body.get("config").unwrap_or(body));
        }
        let now = listed_connector(&replayer).await;
        let state = &now["status"]["connector"]["state"];
        match command.name.as_str() {
            "terraform plan" | "terraform destroy" => assert_eq!(now, Value::Null),
            "terraform apply pause" => assert_eq!(state, "PAUSED"),
            _ => assert_eq!(state, "RUNNING", "{}: {}", command.name, now["status"]),
        }
        // A plan after every refresh must be empty.
        if !now.is_null() {
            assert_eq!(as_read_by_terraform(&now["info"]["config"]), sent, "{}", command.name);
            assert_eq!(now["info"]["name"], "claims-orders");
        }
    }
    unauthorized.assert_own_objects_unchanged(&replayer.api);
}
