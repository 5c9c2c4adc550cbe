//! `connector list` and `connector describe`.

use crate::common::{Cli, JsonAccess as _, PROFILES_DIR};

/// "claims" with a running source and one with a wrong password.
fn cli_with_failed_connector() -> Cli {
    let cli = Cli::onboarded("claims");
    cli.write(
        "claims-orders.json",
        r#"{"name": "claims-orders", "connector.class": "DatagenSource", "kafka.topic": "claims-orders",
            "quickstart": "ORDERS"}"#,
    );
    cli.write(
        "claims-db.json",
        r#"{"name": "claims-db", "connector.class": "PostgresSource", "connection.host": "db.example.com",
            "connection.port": "5432", "connection.user": "reader", "connection.password": "${env:EBS_SECRET_DB}",
            "db.name": "claims", "topic.prefix": "claims-", "table.whitelist": "orders", "mode": "bulk",
            "db.timezone": "UTC", "output.data.format": "JSON"}"#,
    );
    for (file, code) in [("claims-orders.json", 0), ("claims-db.json", 6)] {
        let create = format!("connector create --config-file {file} --profile {PROFILES_DIR}/claims-deployer.toml");
        cli.run_with_env(&create, &[("EBS_SECRET_DB", "wrong-password")])
            .expect_code(code);
    }
    cli
}

/// The text with the ids of connectors as `lcc-abc123`, which has the same width.
fn redact_ids(text: &str) -> String {
    let mut parts = text.split("lcc-");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(part.len());
        out.push_str("lcc-abc123");
        out.push_str(&part[end..]);
    }
    out
}

#[test]
fn connector_list_fits_narrow_and_wide_terminals() {
    let cli = cli_with_failed_connector();
    let list = |columns: &str, more: &str| {
        let profile = format!("{PROFILES_DIR}/claims-operator.toml");
        let mut command = cli.command();
        command.args(["connector", "list", "--profile", &profile]);
        command.args(more.split_whitespace()).env("COLUMNS", columns);
        let output = cli.run_command(&mut command).expect_success();
        let widest = output
            .stdout
            .lines()
            .map(|line| line.trim_end().chars().count())
            .max()
            .unwrap_or(0);
        assert!(widest <= columns.parse().unwrap(), "{output}");
        // The ids are derived from the seed, which this test should not depend on.
        redact_ids(&output.stdout)
    };
    insta::assert_snapshot!(list("80", ""), @r#"
          ID     |     Name      | Status  |  Type   
    -------------+---------------+---------+---------
      lcc-abc123 | claims-db     | FAILED  | source  
      lcc-abc123 | claims-orders | RUNNING | source  

    claims-db is FAILED: connection.user and 1 more: FATAL: password authentication
      failed for user "reader"
    "#);
    insta::assert_snapshot!(list("160", "--wide"), @r#"
          ID     |     Name      | Status  |  Type  |     Plugin     | Tasks  
    -------------+---------------+---------+--------+----------------+--------
      lcc-abc123 | claims-db     | FAILED  | source | PostgresSource | 0/1    
      lcc-abc123 | claims-orders | RUNNING | source | DatagenSource  | 1/1    

    claims-db is FAILED: connection.user and 1 more: FATAL: password authentication failed for user "reader"
    "#);
    insta::assert_snapshot!(list("80", "--wide"), @r#"
          ID     |     Name      | Status  |  Type  |     Plugin     | Tasks  
    -------------+---------------+---------+--------+----------------+--------
      lcc-abc123 | claims-db     | FAILED  | source | PostgresSource | 0/1    
      lcc-abc123 | claims-orders | RUNNING | source | DatagenSource  | 1/1    

    claims-db is FAILED: connection.user and 1 more: FATAL: password authentication
      failed for user "reader"
    "#);
    insta::assert_snapshot!(list("30", ""), @r#"
    +--------+------------+
    | ID     | lcc-abc123 |
    | Name   | claims-db  |
    | Status | FAILED     |
    | Type   | source     |
    +--------+------------+

    +--------+---------------+
    | ID     | lcc-abc123    |
    | Name   | claims-orders |
    | Status | RUNNING       |
    | Type   | source        |
    +--------+---------------+

    claims-db is FAILED:
      connection.user and 1 more:
      FATAL: password
      authentication failed for
      user "reader"
    "#);
}

// The keys of the Confluent CLI (docs/reference/cli.md#json-keys), and additional ones.
#[test]
fn list_json_is_a_superset_of_the_confluent_cli_json() {
    let cli = cli_with_failed_connector();
    let list = cli.run_as("claims-operator", "connector list -o json").json();
    let keys = |name: &str| -> Vec<String> {
        let rows = list.items("");
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        row.as_object().unwrap().keys().cloned().collect()
    };
    let ours = ["plugin", "tasks_running", "tasks_max"];
    assert_eq!(
        keys("claims-orders"),
        [&["id", "name", "status", "type"][..], &ours].concat()
    );
    let traced = [&["id", "name", "status", "type", "trace"][..], &ours, &["cause"]].concat();
    assert_eq!(keys("claims-db"), traced);
    let described = cli
        .run_as("claims-operator", "connector describe claims-db -o json")
        .json();
    let keys: Vec<&String> = described.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["connector", "tasks", "configs", "cause"]);
    let config = &described["configs"][0];
    assert_eq!(
        config,
        &serde_json::json!({"config": "cloud.environment", "value": "prod", "group": "service"})
    );
}

#[test]
fn connector_describe_shows_everything_but_secrets() {
    let cli = cli_with_failed_connector();
    let output = cli.run_as("claims-operator", "connector describe claims-db");
    assert!(!output.to_string().contains("wrong-password"), "{output}");
    let account = |text: &str| {
        let at = text.find("| Runs As | sa-").unwrap() + "| Runs As | ".len();
        text[at..at + "sa-abc123".len()].to_owned()
    };
    let shown = redact_ids(&output.stdout);
    let shown = shown.replace(&account(&shown), "sa-abc123");
    insta::assert_snapshot!(shown, @r#"
    Connector Details
    +---------+-------------------------------------------------------------------+
    | ID      | lcc-abc123                                                        |
    | Name    | claims-db                                                         |
    | Status  | FAILED                                                            |
    | Type    | source                                                            |
    | Plugin  | PostgresSource                                                    |
    | Tasks   | 0 of 1 run                                                        |
    | Runs As | sa-abc123                                                         |
    | Writes  | claims-orders                                                     |
    | Trace   | Unable to validate configuration. If an update was made to the    |
    |         | configuration, this means that the configuration was invalid, and |
    |         | the connector continues to operate on a previous configuration    |
    |         | that passed validation. Errors:                                   |
    |         | connection.user: FATAL: password authentication failed for user   |
    |         | "reader"                                                          |
    |         | connection.password: FATAL: password authentication failed for    |
    |         | user "reader"                                                     |
    +---------+-------------------------------------------------------------------+


    Cause
    connection.user, connection.password: FATAL: password authentication failed for
      user "reader"
    The connector cannot authenticate to the database.
    Responsible: the department. Correct the user in the file and the password in
      the secret that the file refers to.
    For next steps, run confluent ebs connector explain claims-db


    Task Level Details
    None found.


    Configuration Details: Connector
               Config          |      Value       
    ---------------------------+------------------
      connector.class          | PostgresSource   
      kafka.auth.mode          | SERVICE_ACCOUNT  
      kafka.service.account.id | sa-abc123        
      name                     | claims-db        
      tasks.max                | 1                


    Configuration Details: Topics
         Config    |  Value   
    ---------------+----------
      topic.prefix | claims-  


    Configuration Details: Plugin
            Config        |      Value        
    ----------------------+-------------------
      connection.host     | db.example.com    
      connection.password | ****************  
      connection.port     | 5432              
      connection.user     | reader            
      db.name             | claims            
      db.timezone         | UTC               
      mode                | bulk              
      table.whitelist     | orders            


    Configuration Details: Records
            Config       | Value  
    ---------------------+--------
      output.data.format | JSON   


    Configuration Details: Added by the Service
           Config       |                          Value                            
    --------------------+-----------------------------------------------------------
      cloud.environment | prod                                                      
      cloud.provider    | aws                                                       
      connector.crn     | crn://confluent.cloud/organization=11111111-2222-3333-44  
                        | 44-555555555555/environment=env-prod01/cloud-cluster=lkc  
                        | -prod01/connector=claims-db                               
      kafka.endpoint    | SASL_SSL://127.0.0.1:9092                                 
      kafka.region      | eu-central-1
    "#);
}

#[test]
fn connector_list_of_an_empty_department_says_none_found() {
    let cli = Cli::onboarded("claims");
    let output = cli.run_as("claims-operator", "connector list");
    insta::assert_snapshot!(output, @r#"
    exit 0
    ----- stdout -----
    None found.
    ----- stderr -----
    Department `claims` uses 0 of 12 connectors and 0 of 20 tasks.
    "#);
    assert_eq!(cli.run_as("claims-operator", "connector list -o json").stdout, "[]\n");
    assert_eq!(
        cli.run_as("claims-operator", "connector list --wide").stdout,
        "None found.\n"
    );
}

// 500 connectors need one list call.
#[test]
fn listing_500_connectors_takes_one_request() {
    let cli = Cli::onboarded("claims");
    cli.create_claims_connectors(500);
    for args in [
        "connector list",
        "connector list --wide",
        "connector list -o json",
        "quota describe",
    ] {
        let before = cli.last_request_seq();
        let output = cli.run_as("claims-deployer", args).expect_success();
        assert_eq!(output.stdout.matches("claims-source-").count(), 500, "{args}");
        let asked = cli.requests_since(before);
        let asked: Vec<String> = asked
            .iter()
            .map(|entry| format!("{} {}?{}", entry.method, entry.path, entry.query))
            .collect();
        let one = "GET /connect/v1/environments/env-prod01/clusters/lkc-prod01/connectors?expand=info%2Cstatus%2Cid";
        assert_eq!(asked, [one], "{args}");
    }
}
