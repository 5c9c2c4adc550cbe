//! Connector failures injected with the command line.

use crate::common::Cli;

#[test]
fn connector_faults_are_listed_and_cleared_with_request_faults() {
    let cli = Cli::new();
    for args in [
        "sandbox fault add slow --delay 50ms --forever",
        "sandbox fault connector claims-orders wrong-password",
        "sandbox fault connector motor-lake flapping",
    ] {
        cli.run(args).expect_success();
    }
    let table = cli.run("sandbox fault list").stdout;
    let table: Vec<_> = table.lines().map(str::trim_end).collect();
    assert_eq!(
        table,
        [
            "       ID       |      Kind      | Method | Path | Principal | Skip | Times",
            "----------------+----------------+--------+------+-----------+------+--------",
            "              1 | slow           | any    | any  | any       |    0 | all",
            "  claims-orders | wrong-password |        |      |           |      |",
            "  motor-lake    | flapping       |        |      |           |      |",
        ]
    );
    let list = cli.run("sandbox fault list -o json").json();
    assert_eq!((&list[0]["id"], &list[0]["kind"]), (&1.into(), &"slow".into()));
    assert_eq!(
        (&list[1]["connector"], &list[1]["kind"]),
        (&"claims-orders".into(), &"wrong-password".into())
    );
    assert!(list[1]["since"].is_string() && list[1].get("id").is_none(), "{list}");

    // One by its connector, the rest at once.
    assert_eq!(
        cli.run("sandbox fault clear motor-lake").stdout,
        "Cleared fault `motor-lake`.\n"
    );
    cli.run("sandbox fault clear motor-lake").expect_code(1);
    assert_eq!(cli.run("sandbox fault clear").stdout, "Cleared 2 faults.\n");
    assert_eq!(cli.run("sandbox fault list").stdout, "None found.\n");
    assert_eq!(cli.run("sandbox fault clear").stdout, "There were no faults.\n");
    assert_eq!(cli.run("sandbox fault clear -o json").json()["cleared"], 0);
}
