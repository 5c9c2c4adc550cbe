//! The commands about connectors: the stock CLI's groups `connect cluster`, `connect offset` and `connect plugin`, and the
//! life of Terraform's `confluent_connector`.

use serde_json::{Value, json};

use crate::{
    harness::{Answer, Login},
    outsiders::Outsiders,
    player::Player,
    terraform::read_back,
    trace::{self, Command},
};

const CONNECTORS: &str = "/connect/v1/environments/env-abc123/clusters/lkc-abc123/connectors";

/// What a Datagen source's account needs to write its topic, and to make it.
async fn allow(player: &Player, account: &str) {
    for role in ["DeveloperWrite", "DeveloperManage"] {
        let topics = format!("{}/kafka=lkc-abc123/topic=claims-*", player.world.cluster_crn());
        player.world.bind(account, role, &topics).await;
    }
}

/// The recorded connector as it is now, from the list that both clients read.
async fn seen(player: &Player) -> Value {
    let all = player
        .world
        .get(&player.login, &format!("{CONNECTORS}?expand=info,status,id"))
        .await;
    all.expect(200).json()["claims-orders"].clone()
}

fn answers<'a>(player: &'a Player, end: &str) -> Vec<&'a Answer> {
    let found = player.answers.iter().filter(|(path, _)| path.ends_with(end));
    found.map(|(_, answer)| answer).collect()
}

#[tokio::test]
async fn the_stock_cli_takes_a_connector_from_its_plugin_to_its_deletion() {
    let Some(commands) = trace::load("stock-cli.jsonl") else {
        return;
    };
    let mut player = Player::new();
    player.play(commands.first().unwrap(), None).await;
    assert!(matches!(player.login, Login::Bearer(_)), "logged in");
    let runtime = player.world.account("runtime").await;
    allow(&player, &runtime).await;
    player.stands_for("sa-aaaaaa", &runtime);
    let outsiders = Outsiders::new(&player.world).await;
    let mut replayed = 0;
    let about = commands.iter().filter(|command| command.is_about_connectors());
    for command in about.filter(|command| !command.name.starts_with("confluent connect logs")) {
        player.play(command, Some(&outsiders)).await;
        check(&player, command).await;
        replayed += 1;
    }
    assert_eq!(replayed, 16, "plugin, cluster and offset, all their commands");
    outsiders.check_nothing_was_done(&player.world);
}

/// What a command shows to its user, and what it leaves (dossier `connect.md` §8.2).
async fn check(player: &Player, command: &Command) {
    let words = command.name.strip_prefix("confluent connect ").unwrap();
    let now = seen(player).await;
    let state = &now["status"]["connector"]["state"];
    if words.starts_with("plugin list") {
        let plugins = answers(player, "/connector-plugins")[0].json().as_array().unwrap();
        let row = plugins
            .iter()
            .find(|plugin| plugin["class"] == "DatagenSource")
            .unwrap();
        assert_eq!(row["type"], "source");
    } else if words.starts_with("plugin describe") {
        let keys = answers(player, "/config/validate")[0].json()["configs"].clone();
        let required = keys
            .as_array()
            .unwrap()
            .iter()
            .filter(|key| key["definition"]["required"] == true);
        let required: Vec<_> = required
            .map(|key| key["definition"]["name"].as_str().unwrap())
            .collect();
        for key in ["connector.class", "name", "kafka.topic", "tasks.max"] {
            assert!(required.contains(&key), "{key}: {required:?}");
        }
    } else if words.starts_with("cluster create") {
        let made = answers(player, "/connectors");
        assert!(made[0].json().get("id").is_none(), "the API tells no id");
        let listed = &made[1].json()["claims-orders"];
        assert!(listed["id"]["id"].as_str().unwrap().starts_with("lcc-"));
        assert_eq!(
            (&listed["status"]["connector"]["trace"], state),
            (&json!(""), &json!("RUNNING"))
        );
    } else if words.starts_with("cluster list") {
        let listed = answers(player, "/connectors")[0].json();
        assert!(
            *listed == json!({}) || listed["claims-orders"]["status"]["type"] == "source",
            "{listed}"
        );
    } else if words.starts_with("cluster describe") {
        let shown = &answers(player, "/connectors")[0].json()["claims-orders"];
        assert_eq!(shown["status"]["tasks"][0]["state"], "RUNNING");
        assert_eq!(shown["info"]["config"]["quickstart"], "ORDERS");
    } else if words.starts_with("cluster pause") {
        assert_eq!(answers(player, "/pause")[0].body, Some(Value::Null), "no body");
        assert_eq!(
            (state, &now["status"]["tasks"][0]["state"]),
            (&json!("PAUSED"), &json!("STOPPED"))
        );
    } else if words.starts_with("cluster resume") {
        assert_eq!(answers(player, "/resume")[0].body, Some(Value::Null), "no body");
        assert_eq!(state, "RUNNING");
    } else if words.starts_with("cluster update") {
        let tasks = if words.contains("tasks.max=2") { "2" } else { "1" };
        assert_eq!(now["info"]["config"]["tasks.max"], tasks);
        assert_eq!(now["info"]["tasks"].as_array().unwrap().len().to_string(), tasks);
    } else if words.starts_with("offset describe") {
        let read = answers(player, "/offsets")[0];
        let observed: jiff::Timestamp = read.text("/metadata/observed_at").parse().unwrap();
        let age = player.world.sandbox.now().unwrap().duration_since(observed);
        assert!(age.as_secs() < 5, "the least staleness that the CLI takes is 5 s");
    } else if words.starts_with("offset update") || words.starts_with("offset delete") {
        let kind = if words.starts_with("offset update") {
            "PATCH"
        } else {
            "DELETE"
        };
        assert_eq!(answers(player, "/offsets/request")[0].text("/type"), kind);
        assert_eq!(answers(player, "/request/status")[0].text("/status/phase"), "APPLIED");
    } else if words.starts_with("offset status describe") {
        let told = answers(player, "/request/status")[0].json();
        // The CLI looks into them without asking whether they are there.
        assert!(told["previous_offsets"].is_array() && told["request"]["requested_at"].is_string());
        assert_eq!(told["request"]["offsets"][0]["offset"]["kafka_offset"], 100);
    } else if words == "cluster delete lcc-dd0190 lcc-nope --force" {
        assert_eq!(state, "RUNNING", "one of several is not there: none is deleted");
    } else if words.starts_with("cluster delete") {
        assert_eq!(answers(player, "/claims-orders")[0].json(), &json!({ "error": null }));
        assert_eq!(now, Value::Null);
    } else {
        panic!("say what `{}` should leave", command.name);
    }
}

#[tokio::test]
async fn terraform_creates_changes_pauses_and_destroys_a_connector_and_plans_nothing_twice() {
    let Some(commands) = trace::load("terraform.jsonl") else {
        return;
    };
    let mut player = Player::new();
    let outsiders = Outsiders::new(&player.world).await;
    let mut sent = Value::Null;
    for command in &commands {
        // The account is made by the same run; its rights on topics are other resources of the same configuration.
        let first = command.requests.iter().position(trace::Recorded::is_about_connectors);
        let (before, after) = command.requests.split_at(first.unwrap_or(command.requests.len()));
        let part = |requests: &[trace::Recorded]| Command {
            requests: requests.to_vec(),
            ..command.clone()
        };
        player.play(&part(before), Some(&outsiders)).await;
        if command.name == "terraform apply" {
            let runtime = player.mine("sa-dd0190").to_owned();
            allow(&player, &runtime).await;
        }
        player.play(&part(after), Some(&outsiders)).await;
        let write = after.iter().find(|request| {
            request.path.ends_with("/config") || (request.method == "POST" && request.path.ends_with("/connectors"))
        });
        if let Some(body) = write.and_then(|request| request.body.as_ref()) {
            sent = player.map(body.get("config").unwrap_or(body));
        }
        let now = seen(&player).await;
        let state = &now["status"]["connector"]["state"];
        match command.name.as_str() {
            "terraform plan" | "terraform destroy" => assert_eq!(now, Value::Null),
            "terraform apply pause" => assert_eq!(state, "PAUSED"),
            _ => assert_eq!(state, "RUNNING", "{}: {}", command.name, now["status"]),
        }
        // Whenever the connector is read again, a plan finds nothing to do.
        if !now.is_null() {
            assert_eq!(read_back(&now["info"]["config"]), sent, "{}", command.name);
            assert_eq!(now["info"]["name"], "claims-orders");
        }
    }
    outsiders.check_nothing_was_done(&player.world);
}
