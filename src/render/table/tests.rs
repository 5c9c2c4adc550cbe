use proptest::prelude::*;

use super::*;

fn rendered(table: &Table, width: usize) -> String {
    let mut out = String::new();
    render_list(table, width, Palette::PLAIN, &mut out);
    out
}

fn texts<const N: usize>(cells: [&str; N]) -> [Cell; N] {
    cells.map(Cell::from)
}

// Each expected table is an example of docs/reference/cli.md#tables; `
//
// ` marks the end of a line with trailing spaces.
fn sample(text: &str) -> String {
    text.replace('¶', "")
}

#[test]
fn connectors_are_listed_like_the_confluent_cli() {
    let table = Table::new(["ID", "Name", "Status", "Type", "Trace"]).row(texts([
        "lcc-111",
        "az-connector-2",
        "RUNNING",
        "Sink",
        "",
    ]));
    assert_eq!(
        rendered(&table, 80),
        sample(concat!(
            "    ID    |      Name      | Status  | Type | Trace  ¶\n",
            "----------+----------------+---------+------+--------\n",
            "  lcc-111 | az-connector-2 | RUNNING | Sink |        ¶\n",
        ))
    );
}

#[test]
fn service_accounts_are_listed_like_the_confluent_cli() {
    let table =
        Table::new(["ID", "Name", "Description"]).row(texts(["sa-12345", "service-account", "at your service."]));
    assert_eq!(
        rendered(&table, 80),
        sample(concat!(
            "     ID    |      Name       |   Description     ¶\n",
            "-----------+-----------------+-------------------\n",
            "  sa-12345 | service-account | at your service.  ¶\n",
        ))
    );
}

#[test]
fn role_bindings_are_listed_like_the_confluent_cli() {
    let table = Table::new([
        "ID",
        "Principal",
        "Email",
        "Role",
        "Environment",
        "Cloud Cluster",
        "Cluster Type",
        "Logical Cluster",
        "Resource Type",
        "Name",
        "Pattern Type",
    ])
    .row(texts([
        "rb-111aa",
        "User:u-11aaa",
        "u-11aaa@confluent.io",
        "CloudClusterAdmin",
        "env-596",
        "lkc-1111aaa",
        "",
        "",
        "",
        "",
        "",
    ]));
    assert_eq!(
        rendered(&table, 200),
        sample(concat!(
            "     ID    |  Principal   |        Email         |       Role        | Environment | Cloud Cluster | Cluster Type | Logical Cluster | Resource Type | Name | Pattern Type  ¶\n",
            "-----------+--------------+----------------------+-------------------+-------------+---------------+--------------+-----------------+---------------+------+---------------\n",
            "  rb-111aa | User:u-11aaa | u-11aaa@confluent.io | CloudClusterAdmin | env-596     | lkc-1111aaa   |              |                 |               |      |               ¶\n",
        ))
    );
}

#[test]
fn integers_are_right_aligned() {
    let table = Table::new([
        "Quota Code",
        "Name",
        "Scope",
        "Applied Limit",
        "Usage",
        "Organization",
        "Environment",
        "Kafka Cluster",
        "Network",
        "User",
    ])
    .row([
        "quota_a".into(),
        "Quota A".into(),
        "kafka_cluster".into(),
        Cell::Integer(15),
        "10".into(),
        "org-123".into(),
        "env-1".into(),
        "lkc-1".into(),
        "".into(),
        "".into(),
    ]);
    assert_eq!(
        rendered(&table, 200),
        sample(concat!(
            "  Quota Code |  Name   |     Scope     | Applied Limit | Usage | Organization | Environment | Kafka Cluster | Network | User  ¶\n",
            "-------------+---------+---------------+---------------+-------+--------------+-------------+---------------+---------+-------\n",
            "  quota_a    | Quota A | kafka_cluster |            15 | 10    | org-123      | env-1       | lkc-1         |         |       ¶\n",
        ))
    );
}

#[test]
fn long_cells_wrap_at_thirty_columns() {
    let table = Table::new(["Timestamp", "Level", "Task ID", "Message", "Exception"]).row(texts([
        "2025-06-16T05:43:23.757Z",
        "INFO",
        "task-0",
        "WorkerSourceTask{id=lcc-123-0} Committing offsets for 128 acknowledged messages",
        "",
    ]));
    assert_eq!(
        rendered(&table, 100),
        sample(concat!(
            "         Timestamp         | Level | Task ID |            Message             | Exception  ¶\n",
            "---------------------------+-------+---------+--------------------------------+------------\n",
            "  2025-06-16T05:43:23.757Z | INFO  | task-0  | WorkerSourceTask{id=lcc-123-0} |            ¶\n",
            "                           |       |         | Committing offsets for 128     |            ¶\n",
            "                           |       |         | acknowledged messages          |            ¶\n",
        ))
    );
}

#[test]
fn a_record_has_a_border() {
    let mut out = String::new();
    let fields = Record::new()
        .field("ID", "lcc-123")
        .field("Name", "az-connector")
        .field("Status", "RUNNING")
        .field("Type", "Sink")
        .optional("Trace", None::<String>);
    render_record(&fields, 80, Palette::PLAIN, &mut out);
    assert_eq!(
        out,
        concat!(
            "+--------+--------------+\n",
            "| ID     | lcc-123      |\n",
            "| Name   | az-connector |\n",
            "| Status | RUNNING      |\n",
            "| Type   | Sink         |\n",
            "+--------+--------------+\n",
        )
    );
}

#[test]
fn an_empty_list_prints_none_found() {
    assert_eq!(rendered(&Table::new(["ID"]), 80), "None found.\n");
}

#[test]
fn a_sparkline_takes_the_remaining_width() {
    let values: Vec<Option<u64>> = (0..60).map(|minute| (minute < 30).then_some(minute)).collect();
    let table = Table::new(["Name", "Curve", "Last"]).row([
        "claims-lake".into(),
        Cell::Sparkline(values),
        Cell::Number("<0.1".to_owned()),
    ]);
    assert_eq!(
        rendered(&table, 60),
        sample(concat!(
            "     Name     |                Curve                | Last  ¶\n",
            "--------------+-------------------------------------+-------\n",
            "  claims-lake | _--==+++**%%###@@@................. | <0.1  ¶\n",
        ))
    );
    assert_eq!(
        rendered(&table, 36),
        sample(concat!(
            "     Name     |    Curve    | Last  ¶\n",
            "--------------+-------------+-------\n",
            "  claims-lake | -+*%@@..... | <0.1  ¶\n",
        ))
    );
    let columns = |width| rendered(&table, width).lines().map(wrap::width).max();
    assert_eq!((columns(200), columns(300)), (Some(85), Some(85)));
    assert_eq!(
        rendered(&table, 20),
        concat!(
            "+-------+----------+\n",
            "| Name  | claims-l |\n",
            "|       | ake      |\n",
            "| Curve | =*#@.... |\n",
            "| Last  | <0.1     |\n",
            "+-------+----------+\n",
        )
    );
}

#[test]
fn a_narrow_terminal_narrows_the_widest_columns_first() {
    let table = Table::new(["ID", "Description"]).row(texts(["sa-12345", "accounts of the claims department"]));
    assert_eq!(
        rendered(&table, 36),
        sample(concat!(
            "     ID    |    Description     ¶\n",
            "-----------+--------------------\n",
            "  sa-12345 | accounts of the    ¶\n",
            "           | claims department  ¶\n",
        ))
    );
}

#[test]
fn a_table_with_unreadably_narrow_columns_is_printed_as_records() {
    let columns = ["A", "B", "C", "D"];
    let table = Table::new(columns).row(texts(["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc", "dddddddddd"]));
    assert_eq!(
        rendered(&table, 24),
        concat!(
            "+---+------------+\n",
            "| A | aaaaaaaaaa |\n",
            "| B | bbbbbbbbbb |\n",
            "| C | cccccccccc |\n",
            "| D | dddddddddd |\n",
            "+---+------------+\n",
        )
    );
}

#[test]
fn line_breaks_in_a_name_do_not_add_rows() {
    let table = Table::new(["Name", "Trace"]).row([
        Cell::from("a\nlcc-999 | fake"),
        Cell::Multiline("first\n  second\u{1b}[2J\n".to_owned()),
    ]);
    assert_eq!(
        rendered(&table, 80),
        sample(concat!(
            "        Name        |       Trace        ¶\n",
            "--------------------+--------------------\n",
            "  a\\nlcc-999 | fake | first              ¶\n",
            "                    |   second\\u{1b}[2J  ¶\n",
        ))
    );
}

proptest! {
    #[test]
    fn lines_fit_the_width(rows in proptest::collection::vec(("[a-z ]{0,60}", "[a-z]{0,60}", any::<i64>()), 1..4), width in 40_usize..120) {
        let mut table = Table::new(["First Column", "Second", "Number"]);
        for (a, b, number) in rows {
            table.push([a.into(), b.into(), number.into()]);
        }
        for line in rendered(&table, width).lines() {
            prop_assert!(wrap::width(line) <= width, "{line:?}");
        }
    }
}

#[test]
fn a_narrow_table_loses_empty_and_optional_columns_before_any_word_is_broken() {
    let path = "sandbox:/home/somebody/.local/state/confluent-ebs/sandbox";
    let table = Table::new(["Name", "Stage", "Retired", "Endpoint"])
        .with_optional_columns(&["Endpoint", "Stage"])
        .row(texts(["claims-operator", "production", "", path]));
    let headings = |width: usize| {
        rendered(&table, width)
            .lines()
            .next()
            .unwrap()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(headings(120), "Name | Stage | Retired | Endpoint");
    assert_eq!(headings(97), "Name | Stage | Endpoint", "an empty column says nothing");
    assert_eq!(headings(80), "Name | Stage");
    assert_eq!(headings(25), "Name");
    assert!(rendered(&table, 80).ends_with("(too narrow for the column Endpoint)\n"));
    for width in 20..120 {
        let text = rendered(&table, width);
        assert!(text.contains("claims-operator"), "{width}: {text}");
    }
}

#[test]
fn in_a_pipe_each_row_is_one_line() {
    let table = Table::new(["Name", "Trace"]).row(texts(["claims-orders", &"the service reports a reason ".repeat(9)]));
    let mut out = String::new();
    let pipe = Palette {
        unlimited_width: true,
        ..Palette::PLAIN
    };
    render_list(&table, 80, pipe, &mut out);
    assert_eq!(out.lines().count(), 3, "{out}");
}
