use super::department_findings;

#[test]
fn all_syntax_errors_are_reported_and_the_rest_is_still_checked() {
    let text = "name = \"Claims\nprefix = \"fin\"\ncontacts = [\"a@example.com\" \"b@example.com\"]\ntemplate = = \"x\"\n\n[quota\ntasks = 0\n";
    insta::assert_snapshot!(department_findings(&[("claims", text)]), @r#"
    departments/claims.toml:1:15 error toml-syntax: invalid basic string, expected `"`
    departments/claims.toml:2:10 error prefix-invalid: prefix `fin` does not end with a delimiter (`-`, `.` or `_`)
        Use `fin-`.
    departments/claims.toml:3:29 error toml-syntax: missing comma between array elements, expected `,`
    departments/claims.toml:4:12 error toml-syntax: extra `=`, expected nothing
    departments/claims.toml:4:14 error toml-syntax: unexpected key or value, expected newline, `#`
    departments/claims.toml:6:7 error toml-syntax: unclosed table, expected `]`
    "#);
}

#[test]
fn a_duplicate_key_is_reported_at_its_second_place() {
    let text =
        "name = \"Claims\"\nprefix = \"claims-\"\nname = \"Fraud\"\n\n[quota]\ntasks = 2\n\n[quota]\ntasks = 3\n";
    insta::assert_snapshot!(department_findings(&[("claims", text)]), @r"
    departments/claims.toml:3:1 error duplicate-key: `name` is already set above
        Remove one of them.
    departments/claims.toml:8:2 error duplicate-key: `quota` is already set above
        Remove one of them.
    departments/claims.toml:9:1 error duplicate-key: `tasks` is already set above
        Remove one of them.
    ");
}

#[test]
fn columns_count_characters_and_a_byte_order_mark_does_no_harm() {
    let text = "\u{feff}name = \"Schäden\"\nprefix = \"claims-\" # \u{fc}\ncontacts = [\"ü\", \"x\"]\n";
    insta::assert_snapshot!(department_findings(&[("claims", text)]), @r"
    departments/claims.toml:3:13 warning contact-invalid: `ü` is not an e-mail address
    departments/claims.toml:3:18 warning contact-invalid: `x` is not an e-mail address
    ");
    let windows = "name = \"Claims\"\r\nprefix = \"fin\"\r\n";
    insta::assert_snapshot!(department_findings(&[("claims", windows)]), @r"
    departments/claims.toml:2:10 error prefix-invalid: prefix `fin` does not end with a delimiter (`-`, `.` or `_`)
        Use `fin-`.
    ");
}

#[test]
fn inline_and_dotted_tables_are_read() {
    let text = "name = \"A\"\nprefix = \"aaa-\"\nquota = { tasks = 4, conectors = 2 }\n";
    insta::assert_snapshot!(department_findings(&[("aaa", text)]), @r"
    departments/aaa.toml:3:22 error unknown-key: unknown key `quota.conectors`
        Did you mean `connectors`?
    ");
    let text = "name = \"A\"\nprefix = \"aaa-\"\nquota.tasks = 4\nquota.conectors = 2\n";
    insta::assert_snapshot!(department_findings(&[("aaa", text)]), @r"
    departments/aaa.toml:4:7 error unknown-key: unknown key `quota.conectors`
        Did you mean `connectors`?
    ");
    let text = "name = \"A\"\nprefix = \"aaa-\"\nquota = 3\n";
    insta::assert_snapshot!(department_findings(&[("aaa", text)]), @r"
    departments/aaa.toml:3:9 error wrong-type: `quota` is an integer, expected a table
        Write a `[quota]` table.
    ");
}

#[test]
fn all_toml_number_notations_are_read() {
    let text = "name = \"A\"\nprefix = \"aaa-\"\n[quota]\nconnectors = 0x1_0\ntasks = 1_00\n";
    let loaded = super::load(super::PLATFORM, &[("aaa", text)], &[]);
    assert!(loaded.findings.is_empty());
    let quota = &loaded.workspace.departments().next().unwrap().quota;
    assert_eq!((quota.connectors, quota.tasks), (16, 100));
    let text = "name = \"A\"\nprefix = \"aaa-\"\n[quota]\nconnectors = 99999999999\ntasks = -1\nretired = 2026-11-30T10:00:00Z\n";
    insta::assert_snapshot!(department_findings(&[("aaa", text)]), @r"
    departments/aaa.toml:4:14 error wrong-type: `quota.connectors` is 99999999999, expected an integer from 0 to 4294967295
    departments/aaa.toml:5:9 error wrong-type: `quota.tasks` is -1, expected an integer from 0 to 4294967295
    departments/aaa.toml:6:1 error unknown-key: unknown key `quota.retired`
        Known keys: `connectors`, `plugins`, `stages`, `tasks_per_connector`, `tasks`, `throughput`.
    ");
}
