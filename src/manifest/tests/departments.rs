use super::{PLATFORM, department_findings, findings_text, load};

#[test]
fn only_name_and_prefix_have_no_default() {
    let loaded = load(
        PLATFORM,
        &[("claims", "name = \"Claims\"\nprefix = \"claims-\"\n")],
        &[],
    );
    assert!(loaded.findings.is_empty(), "{}", findings_text(&loaded.findings));
    let claims = loaded.workspace.departments().next().unwrap();
    assert_eq!((claims.code.as_str(), claims.template.as_str()), ("claims", "hybrid"));
    assert_eq!(claims.quota, crate::manifest::platform::default_quota());
}

#[test]
fn all_mistakes_in_a_department_file_are_reported_together() {
    let text = r#"nmae = "Claims"
prefix = "Claims*"
template = "hybird"
contacts = "claims@example.com"
retired = "2026-11-30"
tasks = 3
recipients = ["age1qqq", "gpg:1", "AGE-SECRET-KEY-1CANARY"]

[quota]
connectors = 0
tasks = "many"
tasks_per_connector = 1.5
plugins = ["PostgresSrouce", "io.example.Thing", "S3_*", "S3_SINK", "S3_SINK", "BrandNewSink"]
taks = 3
"#;
    let loaded = load(PLATFORM, &[("claims", text)], &[]);
    assert!(!format!("{:?}", loaded.findings).contains("CANARY"));
    let found = findings_text(&loaded.findings);
    insta::assert_snapshot!(found, @r#"
    departments/claims.toml:1:1 error missing-key: `name` is missing
    departments/claims.toml:1:1 error unknown-key: unknown key `nmae`
        Did you mean `name`?
    departments/claims.toml:2:10 error prefix-invalid: prefix `Claims*` contains 'C': allowed are a-z, 0-9 and the delimiters `-`, `.` and `_`
        Use `claims-`.
    departments/claims.toml:4:12 error wrong-type: `contacts` is a string, expected a list of strings
        Write `contacts = ["…"]`.
    departments/claims.toml:5:11 error wrong-type: `retired` is a string, expected a date without quotes such as 2026-11-30
    departments/claims.toml:6:1 error unknown-key: unknown key `tasks`
        It belongs below `[quota]`.
    departments/claims.toml:7:15 error recipient-invalid: an `age` recipient has 62 characters, but this one has 7
        Copy the complete recipient in lower case; `age-keygen -y key.txt` prints it.
    departments/claims.toml:7:26 error recipient-invalid: not an `age` recipient
        Write a recipient that starts with `age1`; `age-keygen -y key.txt` prints it.
    departments/claims.toml:7:35 error recipient-secret: this is an `age` secret key
        Remove it, generate a new key with `age-keygen`, and write the new public key (`age1…`).
    departments/claims.toml:10:14 error quota-zero: `connectors` is 0, so the department cannot run connectors
        Set it to at least 1, or use template `read-only` for read access only.
    departments/claims.toml:11:9 error wrong-type: `quota.tasks` is a string, expected an integer from 0 to 4294967295
    departments/claims.toml:12:23 error wrong-type: `quota.tasks_per_connector` is a floating-point number, expected an integer from 0 to 4294967295
    departments/claims.toml:13:12 warning plugin-unknown: unknown plugin `PostgresSrouce`
        Did you mean `PostgresSource`?
    departments/claims.toml:13:30 warning plugin-unknown: `io.example.Thing` is a Java class name, not a plugin id
        Write the id of a managed plugin such as `S3_SINK`; `confluent connect plugin list` shows them.
    departments/claims.toml:13:50 warning plugin-unknown: wildcards are not supported in `S3_*`; only `*` alone allows all plugins
    departments/claims.toml:13:69 warning duplicate-value: duplicate plugin `S3_SINK`
    departments/claims.toml:13:80 warning plugin-unknown: unknown plugin `BrandNewSink`
        Did you mean `SpannerSink`?
    departments/claims.toml:14:1 error unknown-key: unknown key `quota.taks`
        Did you mean `tasks`?
    "#);
}

// Source: src/catalog/data/plugins.txt: the implementation of `S3_SINK`.
#[test]
fn a_java_class_in_a_quota_yields_the_managed_plugins() {
    let text =
        "name = \"Claims\"\nprefix = \"claims-\"\n[quota]\nplugins = [\"io.confluent.connect.s3.S3SinkConnector\"]\n";
    let found = findings_text(&load(PLATFORM, &[("claims", text)], &[]).findings);
    insta::assert_snapshot!(found, @r#"
    departments/claims.toml:4:12 warning plugin-unknown: `io.confluent.connect.s3.S3SinkConnector` is a Java class name, not a plugin id
        Write `S3_SINK`, the managed plugin of this class.
    "#);
}

#[test]
fn the_file_name_is_the_code() {
    let text = "code = \"x\"\nname = \"Claims\"\nprefix = \"claims-\"\n";
    insta::assert_snapshot!(department_findings(&[("Claims_1", text)]), @r"
    departments/Claims_1.toml:1:1 error department-code: `Claims_1` is not a department code: expected 2 to 24 characters of a-z, 0-9 and `-`, starting with a letter, without `--` and without a trailing `-`
        Rename the file. Its name without `.toml` is the department's code.
    departments/Claims_1.toml:1:1 error unknown-key: unknown key `code`
        The file name is the code. Rename the file instead.
    ");
}

#[test]
fn contacts_must_be_email_addresses() {
    let text = "name = \"A\"\nprefix = \"aaa-\"\ncontacts = [\n  \"a@example.com\",\n  \"#claims-data\",\n  \"a@localhost\",\n  \"a b@example.com\",\n]\n";
    insta::assert_snapshot!(department_findings(&[("aaa", text)]), @r"
    departments/aaa.toml:5:3 warning contact-invalid: `#claims-data` is not an e-mail address
    departments/aaa.toml:6:3 warning contact-invalid: `a@localhost` is not an e-mail address
    departments/aaa.toml:7:3 warning contact-invalid: `a b@example.com` is not an e-mail address
    ");
}

#[test]
fn recipients_are_what_age_keygen_prints() {
    let good = "age1mp5rpkkyvlrwdlr8jnttm6yk373dl8y5jqwdwfv2xw6dm9mma4eqlex5al";
    let mistyped = good.replace("mp5", "mp6");
    let text = format!(
        "name = \"A\"\nprefix = \"aaa-\"\nrecipients = [\n  \"{good}\",\n  \"{good}\",\n  \"{mistyped}\",\n  \"{}\",\n  \
         \"ssh-ed25519 AAAAC3\",\n]\n",
        good.to_uppercase()
    );
    insta::assert_snapshot!(department_findings(&[("aaa", &text)]), @r"
    departments/aaa.toml:5:3 warning duplicate-value: duplicate recipient
    departments/aaa.toml:6:3 error recipient-invalid: the `age` recipient has a wrong checksum
        Copy the complete recipient in lower case; `age-keygen -y key.txt` prints it.
    departments/aaa.toml:7:3 error recipient-invalid: an `age` recipient cannot contain 'A'
        Copy the complete recipient in lower case; `age-keygen -y key.txt` prints it.
    departments/aaa.toml:8:3 error recipient-unsupported: recipients of this kind (SSH) are not supported
        Generate a key with `age-keygen -o key.txt`; it prints the recipient (`age1…`).
    ");
    let loaded = load(PLATFORM, &[("aaa", &text)], &[]);
    let department = loaded.workspace.departments().next().unwrap();
    assert_eq!(department.recipients.len(), 1);
}

#[test]
fn quotas_contradict_neither_themselves_nor_the_defaults() {
    let quota =
        |lines: &str| department_findings(&[("aaa", &format!("name = \"A\"\nprefix = \"aaa-\"\n[quota]\n{lines}\n"))]);
    insta::assert_snapshot!(quota("connectors = 1\ntasks = 4\ntasks_per_connector = 5"), @"departments/aaa.toml:6:23 error quota-contradiction: `tasks_per_connector` (5) exceeds `tasks` (4)");
    insta::assert_snapshot!(quota("tasks_per_connector = 50"), @"departments/aaa.toml:4:23 error quota-contradiction: `tasks_per_connector` (50) exceeds `tasks` (8)");
    insta::assert_snapshot!(quota("connectors = 9\ntasks = 4"), @"departments/aaa.toml:5:9 warning quota-unreachable: `connectors` (9) exceeds `tasks` (4), but each running connector needs at least one task");
    insta::assert_snapshot!(quota("plugins = []"), @r#"
    departments/aaa.toml:4:1 warning plugins-empty: `plugins` is empty, which allows no plugin
        Write `plugins = ["*"]` to allow all of them.
    "#);
    assert_eq!(
        quota("connectors = 1\ntasks = 1"),
        "",
        "the default per connector follows the department's total"
    );
}

#[test]
fn overlapping_prefixes_are_rejected() {
    let department = |name: &str, prefix: &str| format!("name = \"{name}\"\nprefix = \"{prefix}\"\n");
    let with = |prefixes: [&str; 2]| {
        let (a, b) = (department("A", prefixes[0]), department("B", prefixes[1]));
        department_findings(&[("aaa", a.as_str()), ("bbb", b.as_str())])
    };
    insta::assert_snapshot!(with(["fin-", "fin-ops-"]), @r"
    departments/bbb.toml:2:10 error prefix-conflict: prefix `fin-ops-` is covered by `fin-`, the prefix of department `aaa`
        Choose a prefix that does not begin with another one; the other prefix is at departments/aaa.toml:2:10.
    ");
    insta::assert_snapshot!(with(["fin-ops-", "fin-"]), @r"
    departments/aaa.toml:2:10 error prefix-conflict: prefix `fin-ops-` is covered by `fin-`, the prefix of department `bbb`
        Choose a prefix that does not begin with another one; the other prefix is at departments/bbb.toml:2:10.
    ");
    insta::assert_snapshot!(with(["fin-", "fin-"]), @r"
    departments/bbb.toml:2:10 error prefix-conflict: prefix `fin-` equals the prefix of department `aaa`
        Choose a prefix that does not begin with another one; the other prefix is at departments/aaa.toml:2:10.
    ");
    insta::assert_snapshot!(with(["fin.ops.", "fin_ops_"]), @r"
    departments/bbb.toml:2:10 error prefix-conflict: prefix `fin_ops_` conflicts with `fin.ops.`, because `.` and `_` count as equal, the prefix of department `aaa`
        Choose a prefix that does not begin with another one; the other prefix is at departments/aaa.toml:2:10.
    ");
    assert_eq!(with(["fin-", "finance-"]), "", "the delimiter keeps them apart");
}

#[test]
fn a_retired_department_keeps_its_prefix() {
    let old = "name = \"Old\"\nprefix = \"fin-\"\nretired = 2025-06-30\n";
    let new = "name = \"New\"\nprefix = \"fin-\"\n";
    insta::assert_snapshot!(department_findings(&[("fin", new), ("old", old)]), @r"
    departments/fin.toml:2:10 error prefix-conflict: prefix `fin-` equals the prefix of department `old` (retired 2025-06-30)
        Choose another prefix. A prefix cannot be reused, because topics, groups and schemas may still exist.
    ");
    insta::assert_snapshot!(department_findings(&[("aaa", old), ("fin", new)]), @r"
    departments/fin.toml:2:10 error prefix-conflict: prefix `fin-` equals the prefix of department `aaa` (retired 2025-06-30)
        Choose another prefix. A prefix cannot be reused, because topics, groups and schemas may still exist.
    ");
    let older = "name = \"Older\"\nprefix = \"fin-\"\nretired = 2024-06-30\n";
    insta::assert_snapshot!(department_findings(&[("old", old), ("older", older)]), @r"
    departments/older.toml:2:10 warning prefix-conflict: prefix `fin-` equals the prefix of department `old` (retired 2025-06-30)
        Choose another prefix. A prefix cannot be reused, because topics, groups and schemas may still exist.
    ");
}

#[test]
fn a_prefix_is_valid_long_enough_and_not_reserved() {
    let prefix = |prefix: &str| department_findings(&[("aaa", &format!("name = \"A\"\nprefix = \"{prefix}\"\n"))]);
    insta::assert_snapshot!(prefix("fin"), @r"
    departments/aaa.toml:2:10 error prefix-invalid: prefix `fin` does not end with a delimiter (`-`, `.` or `_`)
        Use `fin-`.
    ");
    insta::assert_snapshot!(prefix("Fin-"), @r"
    departments/aaa.toml:2:10 error prefix-invalid: prefix `Fin-` contains 'F': allowed are a-z, 0-9 and the delimiters `-`, `.` and `_`
        Use `fin-`.
    ");
    insta::assert_snapshot!(prefix(""), @"departments/aaa.toml:2:10 error prefix-invalid: a prefix cannot be empty");
    insta::assert_snapshot!(prefix("f-"), @r"
    departments/aaa.toml:2:10 error prefix-too-short: prefix `f-` is too short: 2 of at least 3 characters, delimiter included
        Choose a longer word for the department.
    ");
    insta::assert_snapshot!(prefix("data-"), @r"
    departments/aaa.toml:2:10 error prefix-reserved: prefix `data-` would also cover the reserved names `data-preview…`
        Choose another prefix. Connect uses these names for topics and groups of all departments.
    ");
    insta::assert_snapshot!(prefix("dlq-fin-"), @r"
    departments/aaa.toml:2:10 error prefix-reserved: prefix `dlq-fin-` starts with the reserved word `dlq-`
        Choose another prefix. Connect uses these names for topics and groups of all departments.
    ");
    insta::assert_snapshot!(prefix("dbhistory_fin-"), @r"
    departments/aaa.toml:2:10 error prefix-reserved: prefix `dbhistory_fin-` starts with the reserved word `dbhistory.`
        Choose another prefix. Connect uses these names for topics and groups of all departments.
    ");
    let platform = format!("{PLATFORM}\n[naming]\nreserved = [\"shared-\"]\n");
    let own = load(&platform, &[("aaa", "name = \"A\"\nprefix = \"shared-x-\"\n")], &[]);
    insta::assert_snapshot!(findings_text(&own.findings), @r"
    departments/aaa.toml:2:10 error prefix-reserved: prefix `shared-x-` starts with the reserved word `shared-`
        Choose another prefix. `naming.reserved` in `ebs.toml` reserves it.
    ");
}

#[test]
fn department_names_are_unique() {
    let (a, b) = (
        "name = \"Claims\"\nprefix = \"aaa-\"\n",
        "name = \"claims \"\nprefix = \"bbb-\"\n",
    );
    insta::assert_snapshot!(department_findings(&[("aaa", a), ("bbb", b)]), @r"
    departments/bbb.toml:1:8 error duplicate-name: the name `claims` is already used by department `aaa`
        The other department is defined at departments/aaa.toml:1:8.
    ");
}

#[test]
fn a_retired_department_may_name_a_removed_template() {
    let text = "name = \"A\"\nprefix = \"aaa-\"\ntemplate = \"gone\"\nretired = 2025-06-30\n";
    assert_eq!(department_findings(&[("aaa", text)]), "");
    let loaded = load(PLATFORM, &[("aaa", text)], &[]);
    assert_eq!(loaded.workspace.active_departments().count(), 0);
    assert_eq!(loaded.workspace.departments().count(), 1);
}

const TWO_STAGES: &str = "default_stage = \"prod\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n\
     [stages.prod]\nenvironment = \"env-prod01\"\ncluster = \"lkc-prod01\"\n\
     [stages.test]\nenvironment = \"env-test01\"\ncluster = \"lkc-test01\"\n";

#[test]
fn stages_and_their_quotas_are_read_key_by_key() {
    let text = "name = \"Claims\"\nprefix = \"claims-\"\nstages = [\"test\"]\n\n[quota]\nconnectors = 9\ntasks = 12\n\n\
                [quota.stages.test]\nconnectors = 2\n";
    let loaded = load(TWO_STAGES, &[("claims", text)], &[]);
    assert_eq!(findings_text(&loaded.findings), "");
    let claims = loaded.workspace.departments().next().unwrap();
    assert!(claims.is_allowed_in("test") && !claims.is_allowed_in("prod"));
    let limits = |stage| (claims.quota_in(stage).connectors, claims.quota_in(stage).tasks);
    assert_eq!((limits("prod"), limits("test")), ((9, 12), (2, 12)));
    assert_eq!(loaded.workspace.departments_in("prod").count(), 0);
    assert_eq!(loaded.workspace.departments_in("test").count(), 1);
}

#[test]
fn mistakes_in_stages_are_reported() {
    let text = "name = \"Claims\"\nprefix = \"claims-\"\nstages = [\"tset\", \"prod\", \"prod\"]\n\n\
                [quota.stages.test]\nconnectors = 2\n\n[quota.stages.staging]\ntasks = 0\n";
    let loaded = load(TWO_STAGES, &[("claims", text)], &[]);
    insta::assert_snapshot!(findings_text(&loaded.findings), @r"
    departments/claims.toml:3:11 error unknown-stage: no stage `tset` in `ebs.toml`
        Did you mean `test`?
    departments/claims.toml:3:27 warning duplicate-value: duplicate stage
    departments/claims.toml:5:15 warning quota-unused: quota for stage `test`, which `stages` does not allow
    departments/claims.toml:8:15 error unknown-stage: no stage `staging` in `ebs.toml`
        Known stages: `prod` and `test`.
    departments/claims.toml:9:9 error quota-zero: `tasks` is 0, so the department cannot run connectors
        Set it to at least 1, or use template `read-only` for read access only.
    ");
    let empty = "name = \"Claims\"\nprefix = \"claims-\"\nstages = []\n";
    let loaded = load(TWO_STAGES, &[("claims", empty)], &[]);
    let found = findings_text(&loaded.findings);
    assert!(
        found.starts_with("departments/claims.toml:3:1 error stages-empty:"),
        "{found}"
    );
}

#[test]
fn device_names_of_windows_are_no_codes_and_an_error_at_the_end_of_a_line_is_located() {
    let valid = "name = \"Con\"\nprefix = \"con-\"\n";
    for (code, allowed) in [("con", false), ("com1", false), ("com0", true), ("conx", true)] {
        let loaded = load(PLATFORM, &[(code, valid)], &[]);
        assert_eq!(
            loaded.findings.is_empty(),
            allowed,
            "{code}: {}",
            findings_text(&loaded.findings)
        );
    }
    let loaded = load(PLATFORM, &[("legal", "name = \"Legal\nprefix = \"legal-\"\n")], &[]);
    let found = findings_text(&loaded.findings);
    assert!(
        found.starts_with("departments/legal.toml:1:14 error toml-syntax:"),
        "{found}"
    );
}

#[test]
fn a_department_has_owners_for_all_stages_or_for_each() {
    let owners = |text: &str| {
        let department = format!("name = \"Claims\"\nprefix = \"claims-\"\n{text}");
        let loaded = load(super::PLATFORM, &[("claims", &department)], &[]);
        let findings = findings_text(&loaded.findings);
        let code = "claims".parse().unwrap();
        let file = loaded.workspace.department_file(&code).cloned();
        (file.map(|file| file.owners).unwrap_or_default(), findings)
    };
    let (all, findings) = owners("owners = [\"@example/claims\"]\n");
    assert_eq!(findings, "");
    assert_eq!(all.in_stage("prod"), ["@example/claims"]);
    let (by_stage, findings) = owners("[owners]\nprod = [\"@example/leads\", \"@example/claims\"]\n");
    assert_eq!(findings, "");
    assert_eq!(by_stage.in_any(["prod", "test"]), ["@example/claims", "@example/leads"]);
    assert!(by_stage.in_stage("test").is_empty());
    for (text, message) in [
        ("[owners]\nprdo = [\"@a\"]\n", "Did you mean `prod`?"),
        ("[owners]\nprod = \"@a\"\n", "expected a list of strings"),
        ("owners = \"@a\"\n", "expected a list of strings"),
        ("owners = [\"a\"]\n", "`a` is not an owner"),
    ] {
        let findings = owners(text).1;
        assert!(findings.contains(message), "{text}: {findings}");
    }
}
