//! Lint rules: a file, and all its findings. Unlisted findings fail the test.

use proptest::prelude::*;

use confluent_ebs::{
    catalog::{LintDepartment, LintOptions, LintResult, catalog, lint, rules},
    diag::{Severity, SourceFile},
    manifest::connector_file,
    model::{ConnectorNamePattern, DepartmentQuota, PlatformTeam, Prefix, ServiceAccountId},
};

struct LintedDepartment {
    prefix: Prefix,
    runtime: ServiceAccountId,
    quota: DepartmentQuota,
    connector_names: ConnectorNamePattern,
    platform_team: PlatformTeam,
}

impl LintedDepartment {
    fn claims() -> Self {
        Self {
            prefix: Prefix::parse("claims-").unwrap(),
            runtime: "sa-run123".parse().unwrap(),
            quota: DepartmentQuota {
                connectors: 12,
                tasks: 20,
                tasks_per_connector: 4,
                plugins: vec!["*".into()],
                throughput: None,
            },
            connector_names: "[!x]*".parse().unwrap(),
            platform_team: PlatformTeam::default(),
        }
    }

    fn department_context(&self) -> LintDepartment<'_> {
        LintDepartment {
            prefix: &self.prefix,
            runtime_account: Some(&self.runtime),
            quota: &self.quota,
            connector_names: &self.connector_names,
            platform_team: &self.platform_team,
        }
    }
}

/// A configuration of `key: value` lines, parsed as YAML, so that numbers are text.
fn lint_text(text: &str, tenant: bool) -> LintResult {
    let source = SourceFile::new("claims-a.yaml", text);
    let file = connector_file::parse(&source).unwrap();
    let claims = LintedDepartment::claims();
    let context = LintOptions {
        department: tenant.then(|| claims.department_context()),
        ..LintOptions::default()
    };
    lint(&file, &context)
}

/// `rule! key-or-line message` for errors, `rule? …` for warnings.
fn finding_lines(linted: &LintResult) -> Vec<String> {
    let findings = linted.findings.iter().map(|finding| {
        let mark = if finding.severity == Severity::Error { '!' } else { '?' };
        format!("{}{mark} {}", finding.rule, finding.message)
    });
    findings.collect()
}

const DATAGEN_FILE: &str = "name: claims-a\nconnector.class: DatagenSource\nkafka.topic: claims-x\nquickstart: USERS\n";
const S3_FILE: &str =
    "name: claims-a\nconnector.class: S3_SINK\ntopics: claims-x\ns3.bucket.name: b\ntime.interval: HOURLY\n";
/// The configuration without its topics.
const SINK_BY_PATTERN_FILE: &str =
    "name: claims-a\nconnector.class: S3_SINK\ns3.bucket.name: b\ntime.interval: HOURLY\n";
/// The configuration without its password.
const POSTGRES_FILE: &str = "name: claims-a\nconnector.class: PostgresSource\nconnection.host: h\nconnection.port: 5432\n\
                        connection.user: u\ndb.name: d\ntopic.prefix: claims-\n";
const PASSWORD_LINE: &str = "connection.password: ${env:EBS_SECRET_DB}\n";

// docs/reference/connect.md#limits-of-values.
#[test]
fn numbers_outside_of_their_limits_are_errors() {
    let about = |text: &str| finding_lines(&lint_text(text, false));
    for (line, said) in [
        ("flush.size: 10", "`flush.size` is 10, less than 1000"),
        ("s3.part.size: 1048576", "`s3.part.size` is 1048576, less than 5242880"),
        ("max.poll.records: 0", "`max.poll.records` is 0, less than 1"),
    ] {
        assert_eq!(about(&format!("{S3_FILE}{line}\n")), [format!("out-of-range! {said}")]);
    }
    for line in [
        "flush.size: 1000",
        "flush.size: ${X}",
        "flush.size: ''",
        "max.poll.records: 500",
    ] {
        let lines = about(&format!("{S3_FILE}{line}\n"));
        assert!(!lines.iter().any(|line| line.starts_with("out-of-range")), "{lines:?}");
    }
    let port = POSTGRES_FILE.replace("5432", "54321000");
    assert_eq!(
        about(&format!("{port}{PASSWORD_LINE}")),
        ["out-of-range! `connection.port` is 54321000, more than 65535"]
    );
}

#[test]
fn valid_files_have_no_findings_with_or_without_a_department() {
    let http = "name: claims-a\nconnector.class: HttpSinkV2\ntopics: claims-x\nhttp.api.base.url: https://example.com\n\
                api1.http.api.path: /in\napi1.topics: claims-x\ntransforms: r\n\
                transforms.r.type: org.apache.kafka.connect.transforms.RegexRouter\ntransforms.r.regex: (.*)\n\
                behavior.on.error: FAIL\nauth.type: BASIC\nconnection.password: ${env:EBS_SECRET_HOOK}\n\
                kafka.auth.mode: SERVICE_ACCOUNT\nkafka.service.account.id: sa-run123\ntasks.max: 4\n\
                errors.deadletterqueue.topic.name: claims-dead\n";
    for text in [DATAGEN_FILE, S3_FILE, &format!("{POSTGRES_FILE}{PASSWORD_LINE}"), http] {
        for tenant in [true, false] {
            assert_eq!(finding_lines(&lint_text(text, tenant)), Vec::<String>::new(), "{text}");
        }
    }
}

/// Findings of one additional line in a clean file.
#[test]
fn every_rule_reports_its_finding() {
    let cases: &[(&str, &str, &[&str])] = &[
        // Keys
        (
            DATAGEN_FILE,
            "quickstrat: USERS",
            &["unknown-key! DatagenSource has no key `quickstrat`"],
        ),
        (
            DATAGEN_FILE,
            "topics: claims-x",
            &["unknown-key! DatagenSource has no key `topics`"],
        ),
        (
            DATAGEN_FILE,
            "schema.string: '{}'",
            &["one-of! `quickstart` and `schema.string` are mutually exclusive"],
        ),
        (
            DATAGEN_FILE,
            "cloud.provider: aws",
            &["server-key? the service sets `cloud.provider` and ignores it in a file"],
        ),
        (
            DATAGEN_FILE,
            "config.internal.x: a",
            &["server-key? the service sets `config.internal.x` and ignores it in a file"],
        ),
        (DATAGEN_FILE, "connector.egress.whitelist: h", &[]),
        (S3_FILE, "topics: claims-y", &["duplicate-key! `topics` occurs twice"]),
        (
            S3_FILE,
            "input.data.format: JSON\ndata.format: JSON",
            &["duplicate-key! `data.format` and `input.data.format` are the same key"],
        ),
        (
            S3_FILE,
            "connector.class: S3_SINK",
            &["several-classes! `connector.class` occurs twice"],
        ),
        (
            S3_FILE,
            "connector.class: GcsSink",
            &["several-classes! `connector.class` is `S3_SINK` and `GcsSink`"],
        ),
        // Values
        (
            DATAGEN_FILE,
            "output.data.format: avro",
            &["value-not-allowed! value `avro` is not allowed for `output.data.format`"],
        ),
        (
            S3_FILE,
            "errors.tolerance: some",
            &["value-not-allowed? value `some` of `errors.tolerance` is not in the catalog of June 2026"],
        ),
        (
            S3_FILE,
            "flush.size: many",
            &["wrong-type! `flush.size` is `many`, not an integer"],
        ),
        (
            S3_FILE,
            "flush.size: 99999999999",
            &["wrong-type! `flush.size` is `99999999999`, not an integer"],
        ),
        (
            S3_FILE,
            "csfle.enabled: yes",
            &["wrong-type! `csfle.enabled` is `yes`, not `true` or `false`"],
        ),
        (S3_FILE, "csfle.enabled: TRUE", &[]),
        (S3_FILE, "output.data.format: ${input.data.format}", &[]),
        (
            S3_FILE,
            "flush.size: [1, 2]",
            &["not-a-string! `flush.size` is a list, not a string"],
        ),
        (
            S3_FILE,
            "transforms: [a, b]",
            &["not-a-string! `transforms` is a list, not a string"],
        ),
        (
            S3_FILE,
            "flush.size:",
            &["not-a-string! `flush.size` is `null`, not a string"],
        ),
        // Secrets
        (
            POSTGRES_FILE,
            "connection.password: hunter2",
            &["literal-secret! the secret of `connection.password` is a literal value"],
        ),
        (POSTGRES_FILE, "connection.password: ''", &[]),
        (POSTGRES_FILE, "connection.password: ${file:db/pw}", &[]),
        (POSTGRES_FILE, "connection.password: '${prompt:the database}'", &[]),
        (
            POSTGRES_FILE,
            "connection.password: '****************'",
            &["masked-value! the value of `connection.password` is masked"],
        ),
        (
            POSTGRES_FILE,
            "db.timezone: '****'",
            &["masked-value! the value of `db.timezone` is masked"],
        ),
        (
            POSTGRES_FILE,
            "connection.password: a\\b",
            &["literal-secret! the secret of `connection.password` is a literal value"],
        ),
        (
            POSTGRES_FILE,
            "query: select 1",
            &["literal-secret? `query` is a query, not a secret; the service masks it, so it cannot be read back"],
        ),
        (
            POSTGRES_FILE,
            "connection.password: ${PG_PW}",
            &["secret-reference? `${PG_PW}` in `connection.password` is not a reference and is sent literally"],
        ),
        (
            POSTGRES_FILE,
            "connection.password: ${env:HOME}",
            &["secret-reference! variable `HOME` is not allowed in connector files"],
        ),
        (
            POSTGRES_FILE,
            "connection.password: ${env:EBS_SECRET_}",
            &["secret-reference! variable `EBS_SECRET_` is not allowed in connector files"],
        ),
        (
            POSTGRES_FILE,
            "connection.password: ${file:/etc/passwd}",
            &["secret-reference! file `/etc/passwd` is outside the secrets folder"],
        ),
        (
            POSTGRES_FILE,
            "connection.password: ${file:a/../../b}",
            &["secret-reference! file `a/../../b` is outside the secrets folder"],
        ),
        (
            POSTGRES_FILE,
            "connection.password: 'C:\\x'",
            &["literal-secret! the secret of `connection.password` is a literal value"],
        ),
        (
            S3_FILE,
            "topics.dir: ${env:EBS_SECRET_X}",
            &["secret-reference! `topics.dir` is not a secret, so a reference is not allowed"],
        ),
        (
            S3_FILE,
            "topics.dir: x/${env:CONFLUENT_CLOUD_API_SECRET}",
            &["secret-reference! `topics.dir` contains a reference inside other text"],
        ),
        (
            S3_FILE,
            "aws.access.key.id: AKIAEXAMPLE",
            &[
                "literal-secret? `aws.access.key.id` is a public key id, not a secret; the service masks it, so it cannot be read back",
            ],
        ),
        // Topics, transforms, errors
        (
            S3_FILE,
            "errors.deadletterqueue.topic.name: claims-x",
            &["dead-letter-loop! the dead letter topic `claims-x` is also one of `topics`"],
        ),
        // Kafka matches whole names, with a pattern in Java's syntax.
        (
            SINK_BY_PATTERN_FILE,
            "topics.regex: claims-(a|b)\nerrors.deadletterqueue.topic.name: claims-a",
            &["dead-letter-loop! `topics.regex` also matches the dead letter topic `claims-a`"],
        ),
        (
            SINK_BY_PATTERN_FILE,
            "topics.regex: claims-(a|b)\nerrors.deadletterqueue.topic.name: claims-a-dead",
            &[],
        ),
        (
            SINK_BY_PATTERN_FILE,
            "topics.regex: claims-(?!x).*\nerrors.deadletterqueue.topic.name: claims-dead",
            &[],
        ),
        (
            SINK_BY_PATTERN_FILE,
            "topics.regex: claims-(a|b)\nerrors.deadletterqueue.topic.name: ''",
            &[],
        ),
        (S3_FILE, "errors.tolerance: all", &[]),
        (
            S3_FILE,
            "errors.tolerance: all\nerrors.deadletterqueue.topic.name: ''",
            &[
                "silent-errors? `errors.tolerance=all` without `errors.deadletterqueue.topic.name`: failed records are lost",
            ],
        ),
        (
            DATAGEN_FILE,
            "errors.tolerance: all",
            &["silent-errors? a source with `errors.tolerance=all` loses failed records"],
        ),
        (
            S3_FILE,
            "transforms: a\ntransforms.a.type: org.example.Mine",
            &["transform! managed plugins do not support the transform `org.example.Mine`"],
        ),
        (
            S3_FILE,
            "transforms: a\ntransforms.a.type: org.example.Mine\ntransforms.a.custom.smt.artifact.id: x-1",
            &[],
        ),
        (S3_FILE, "transforms: a", &["transform! transform `a` has no type"]),
        (
            S3_FILE,
            "transforms.a.type: org.apache.kafka.connect.transforms.RegexRouter",
            &["transform? `transforms.a.type` has no effect: `a` is not listed in `transforms`"],
        ),
        // Placeholders have only this finding.
        (
            S3_FILE,
            "flush.size: <fill in>\nerrors.deadletterqueue.topic.name: claims-<fill in>",
            &[
                "placeholder! `flush.size` is a placeholder",
                "placeholder! `errors.deadletterqueue.topic.name` is a placeholder",
            ],
        ),
        (
            POSTGRES_FILE,
            "connection.password: <fill in>",
            &["placeholder! `connection.password` is a placeholder"],
        ),
        // Tasks
        (
            S3_FILE,
            "tasks.max: 0",
            &["tasks-max! `tasks.max` is `0`, not a number of tasks"],
        ),
        (
            S3_FILE,
            "tasks.max: x",
            &["tasks-max! `tasks.max` is `x`, not a number of tasks"],
        ),
        // Identity
        (
            S3_FILE,
            "kafka.auth.mode: SERVICE_ACCOUNT\nkafka.service.account.id: sa-run123\nkafka.api.key: ABC",
            &[
                "auth-mode? `kafka.api.key` has no effect with `kafka.auth.mode=SERVICE_ACCOUNT`",
                "literal-secret? `kafka.api.key` is a public key id, not a secret; the service masks it, so it cannot be read back",
            ],
        ),
    ];
    for (clean, line, expected) in cases {
        for tenant in [true, false] {
            let password = if *clean == POSTGRES_FILE && !line.contains("connection.password") {
                PASSWORD_LINE
            } else {
                ""
            };
            let linted = lint_text(&format!("{clean}{line}\n{password}"), tenant);
            assert_eq!(finding_lines(&linted), *expected, "{line}");
            for finding in &linted.findings {
                assert!(
                    finding.fix.as_ref().is_some_and(|fix| fix.ends_with(['.', '?'])),
                    "{finding:?}"
                );
                let span = finding.span.as_ref().unwrap();
                assert!(
                    !span.range.is_empty() && span.range.end <= span.source.text.len(),
                    "{finding:?}"
                );
            }
        }
    }
}

/// Rules that depend on the department.
#[test]
fn department_rules_report_names_outside_the_prefix_and_quota() {
    let cases: &[(&str, &[&str])] = &[
        (
            "name: fraud-a\nconnector.class: DatagenSource\nkafka.topic: claims-x\nquickstart: USERS",
            &["foreign-name! `fraud-a` does not start with `claims-`"],
        ),
        (
            "name: claims-b\nconnector.class: DatagenSource\nkafka.topic: claims-x\nquickstart: USERS",
            &["file-name? the connector is named `claims-b`, its file `claims-a`"],
        ),
        (
            "name: claims-\nconnector.class: DatagenSource\nkafka.topic: claims-x\nquickstart: USERS",
            &["foreign-name! the connector's name is only the prefix"],
        ),
        (
            "name: claims-xa\nconnector.class: DatagenSource\nkafka.topic: claims-x\nquickstart: USERS",
            &["connector-naming? `claims-xa` does not match `[!x]*` after the prefix `claims-`"],
        ),
        (
            "name: claims-a\nconnector.class: DatagenSource\nkafka.topic: fraud-x\nquickstart: USERS",
            &["foreign-topic! topic `fraud-x` of `kafka.topic` does not start with `claims-`"],
        ),
        (
            "name: claims-a\nconnector.class: S3_SINK\ntopics: claims-x, fraud-y\ns3.bucket.name: b\ntime.interval: HOURLY",
            &["foreign-topic! topic `fraud-y` of `topics` does not start with `claims-`"],
        ),
        (
            "name: claims-a\nconnector.class: S3_SINK\ntopics.regex: claims.*\ns3.bucket.name: b\ntime.interval: HOURLY",
            &["foreign-topic! `claims.*` matches topics that do not start with `claims-`"],
        ),
        (
            "name: claims-a\nconnector.class: S3_SINK\ntopics.regex: claims-(a|b)\ns3.bucket.name: b\ntime.interval: HOURLY",
            &[],
        ),
        (
            "name: claims-a\nconnector.class: S3_SINK\ntopics: claims-x\ns3.bucket.name: b\ntime.interval: HOURLY\n\
          errors.deadletterqueue.topic.name: dead\nconsumer.override.group.id: fraud-group",
            &[
                "foreign-dead-letters! `dead` does not start with `claims-`",
                "unknown-key? S3_SINK has no key `consumer.override.group.id` in the catalog of June 2026",
                "foreign-group! consumer group `fraud-group` does not start with `claims-`",
            ],
        ),
        (
            "name: claims-a\nconnector.class: S3_SINK\ntopics: claims-x\ns3.bucket.name: b\ntime.interval: HOURLY\n\
          errors.deadletterqueue.topic.name: dlq-${connector}",
            &[
                "foreign-dead-letters? `dlq-${connector}` is in the shared namespace for dead letters of all departments",
            ],
        ),
        // A source whose default names are outside of the department
        (
            "name: claims-a\nconnector.class: PostgresSource\nconnection.host: h\nconnection.port: 1\nconnection.user: u\ndb.name: d\nconnection.password: ${env:EBS_SECRET_DB}",
            &["foreign-topic! `topic.prefix` is missing: topics are named after the objects that are read"],
        ),
        (
            "name: claims-a\nconnector.class: MySqlCdcSourceV2\ndatabase.hostname: h\ndatabase.port: 1\ndatabase.user: u\n\
          topic.prefix: claims-db\nschema.history.internal.kafka.topic: claims-db.history",
            &[],
        ),
        (
            "name: claims-a\nconnector.class: MySqlCdcSourceV2\ndatabase.hostname: h\ndatabase.port: 1\ndatabase.user: u\n\
          topic.prefix: claims-db\nschema.history.internal.kafka.topic: dbhistory.fraud-db.x\ntasks.max: 3",
            &[
                "foreign-topic! topic `dbhistory.fraud-db.x` of `schema.history.internal.kafka.topic` does not start with `claims-`",
                "tasks-max? MySqlCdcSourceV2 runs one task, not 3",
            ],
        ),
        (
            "name: claims-a\nconnector.class: S3_SINK\ntopics: claims-x\ns3.bucket.name: b\ntime.interval: HOURLY\ntasks.max: 5",
            &["tasks-max! `tasks.max` is 5; the quota allows 4 for one connector"],
        ),
        (
            "name: claims-a\nconnector.class: S3_SINK\ntopics: claims-x\ns3.bucket.name: b\ntime.interval: HOURLY\n\
          kafka.auth.mode: SERVICE_ACCOUNT\nkafka.service.account.id: sa-other",
            &["foreign-runtime-account! `sa-other` is not the department's runtime account"],
        ),
        (
            "name: claims-a\nconnector.class: S3_SINK\ntopics: claims-x\ns3.bucket.name: b\ntime.interval: HOURLY\n\
          kafka.auth.mode: KAFKA_API_KEY",
            &["auth-mode! `kafka.auth.mode` is `KAFKA_API_KEY`, not `SERVICE_ACCOUNT`"],
        ),
        (
            "name: claims-ä b\nconnector.class: DatagenSource\nkafka.topic: claims-x\nquickstart: USERS",
            &["connector-name? 'ä' in a connector's name must be escaped in URLs and role bindings"],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(finding_lines(&lint_text(text, true)), *expected, "{text}");
    }
}

// A warning, because an existing connector may be updated (docs/reference/quotas.md#counting-connectors); `create`
// refuses.
#[test]
fn a_plugin_outside_the_quota_is_reported() {
    let file = connector_file::parse(&SourceFile::new("claims-a.yaml", S3_FILE)).unwrap();
    let mut claims = LintedDepartment::claims();
    let mut judge = |plugins: &[&str]| {
        claims.quota.plugins = plugins.iter().map(ToString::to_string).collect();
        let context = LintOptions {
            department: Some(claims.department_context()),
            ..LintOptions::default()
        };
        finding_lines(&lint(&file, &context))
    };
    assert_eq!(judge(&["PostgresSource", "S3_SINK"]), [""; 0]);
    assert_eq!(
        judge(&["PostgresSource", "DatagenSource"]),
        ["plugin-not-allowed? plugin `S3_SINK` is not allowed for the department"]
    );
}

/// Each value has one finding, the most useful one.
#[test]
fn a_value_has_one_finding() {
    let snowflake = "name: claims-a\nconnector.class: SnowflakeSink\ntopics: claims-x\nsnowflake.url.name: h\n\
                     input.data.format: AVRO\nsnowflake.user.name: u\nsnowflake.database.name: d\nsnowflake.schema.name: s\n";
    let findings = |text: &str| finding_lines(&lint_text(text, true));
    let masked = format!("{snowflake}snowflake.private.key: '****'\nkafka.auth.mode: '****************'");
    assert_eq!(
        findings(&masked),
        [
            "masked-value! the value of `snowflake.private.key` is masked",
            "masked-value! the value of `kafka.auth.mode` is masked",
        ]
    );
    let fixes: Vec<_> = lint_text(&masked, true)
        .findings
        .into_iter()
        .map(|finding| finding.fix.unwrap())
        .collect();
    assert_eq!(
        fixes,
        [
            "Use a reference to the actual value, such as `${env:EBS_SECRET_SNOWFLAKE_PRIVATE_KEY}`.",
            "Write `SERVICE_ACCOUNT`.",
        ]
    );
    let null = "{\"name\": \"claims-a\", \"connector.class\": \"S3_SINK\", \"topics\": \"claims-x\", \
                \"s3.bucket.name\": \"b\", \"time.interval\": \"HOURLY\", \"aws.secret.access.key\": null}";
    let file = connector_file::parse(&SourceFile::new("claims-a.json", null)).unwrap();
    assert_eq!(
        finding_lines(&lint(&file, &LintOptions::default())),
        ["not-a-string! `aws.secret.access.key` is `null`, not a string"]
    );
    // A backslash in a literal secret is reported if the secret may be literal.
    let file = connector_file::parse(&SourceFile::new(
        "claims-a.yaml",
        format!("{POSTGRES_FILE}connection.password: 'C:\\x'"),
    ));
    let exceptions = [("literal-secret".to_owned(), "a test".to_owned())];
    let options = LintOptions {
        exceptions: &exceptions,
        ..LintOptions::default()
    };
    assert_eq!(
        finding_lines(&lint(&file.unwrap(), &options)),
        ["backslash-in-secret! the value of `connection.password` contains a backslash"]
    );
}

#[test]
fn a_variable_with_a_short_or_ordinary_value_is_a_weak_secret() {
    let file = connector_file::parse(&SourceFile::new(
        "claims-a.yaml",
        format!("{POSTGRES_FILE}connection.password: '${{env:EBS_SECRET_PG}}'")
            .replace("host: h", "host: claims-database"),
    ))
    .unwrap();
    for (value, expected) in [
        ("pin-123", Some("is too short to be redacted in every text")),
        (
            "claims-database",
            Some("is the same as an ordinary value and cannot be redacted in every text"),
        ),
        (
            "password",
            Some("is the same as an ordinary value and cannot be redacted in every text"),
        ),
        ("canary-1", None),
    ] {
        let variables = [("EBS_SECRET_PG".to_owned(), value.to_owned())].into();
        let options = LintOptions {
            variables: Some(&variables),
            ..LintOptions::default()
        };
        let expected = expected
            .map(|why| format!("weak-secret? the value of variable `EBS_SECRET_PG` for `connection.password` {why}"));
        assert_eq!(
            finding_lines(&lint(&file, &options)),
            Vec::from_iter(expected),
            "{value}"
        );
    }
}

/// Where the catalog has only the name of a key, the live service's definition or the name decides
/// (docs/reference/connect.md#plugin-definitions).
#[test]
fn a_password_whose_definition_is_unknown_is_a_secret() {
    for (class, key) in [
        ("SqlServerCdcSourceV2", "database.password"),
        ("SqlServerCdcSource", "database.password"),
        ("MySqlCdcSource", "database.password"),
        ("PostgresCdcSource", "database.password"),
        ("MicrosoftSqlServerSource", "ssl.truststorepassword"),
        ("OracleDatabaseSource", "ssl.truststorepassword"),
        ("Neo4jSink", "neo4j.password"),
        ("S3_SINK", "s3.proxy.password"),
    ] {
        let judge = |value: &str| {
            let linted = lint_text(
                &format!("name: claims-a\nconnector.class: {class}\n{key}: {value}"),
                false,
            );
            let shown = linted.findings.iter().all(|finding| {
                finding
                    .span
                    .as_ref()
                    .is_none_or(|span| !span.source.text.contains("hunter22"))
            });
            assert!(shown, "{class} {key}");
            linted
                .findings
                .iter()
                .any(|finding| finding.rule == "literal-secret" && finding.severity == Severity::Error)
        };
        assert!(judge("hunter22"), "{class} {key}");
        assert!(!judge("${env:EBS_SECRET_P}"), "{class} {key}");
    }
}

/// With Confluent's secret manager, the values say where the secrets are (docs.confluent.io, secret manager
/// integration).
#[test]
fn keys_of_the_secret_manager_hold_no_secrets() {
    let text = format!(
        "{POSTGRES_FILE}connection.password: vault/db\nsecret.manager.enabled: true\n\
         secret.manager: HashiCorp\nsecret.manager.managed.configs: connection.password, connection.user\n\
         secret.manager.provider.integration.id: cspi-1"
    );
    assert_eq!(finding_lines(&lint_text(&text, true)), [""; 0]);
}

/// Keys and values that the service may have added since the snapshot are warnings; misspelt and renamed ones errors.
#[test]
fn what_the_snapshot_does_not_know_is_a_warning_unless_it_is_a_mistake() {
    let of_class = |class: &str, lines: &str| {
        let linted = lint_text(&format!("name: claims-a\nconnector.class: {class}\n{lines}"), false);
        let findings = linted
            .findings
            .into_iter()
            .filter(|finding| !["missing-key", "one-of"].contains(&finding.rule));
        let lines = findings.map(|finding| {
            let mark = if finding.severity == Severity::Error { '!' } else { '?' };
            format!("{}{mark} {}", finding.rule, finding.fix.unwrap_or_default())
        });
        lines.collect::<Vec<_>>()
    };
    let asks = "`confluent ebs connector validate` asks the service, which may have added it since.";
    assert_eq!(
        of_class(
            "BigQueryStorageSink",
            "topics: claims-x\nprovider.integration.id: cspi-1"
        ),
        [""; 0]
    );
    let value = of_class("BigQueryStorageSink", "topics: claims-x\ninput.data.format: STRING");
    assert!(
        value[0].starts_with("value-not-allowed? Known values: ") && value[0].ends_with(asks),
        "{value:?}"
    );
    let cases: &[(&str, &str, &str)] = &[
        (
            "MySqlCdcSource",
            "database.dbname: d",
            "unknown-key! Use `database.include.list`, the key of MySqlCdcSource.",
        ),
        (
            "MySqlCdcSource",
            "database.names: d",
            "unknown-key! Use `database.include.list`, the key of MySqlCdcSource.",
        ),
        (
            "MySqlCdcSource",
            "database.whitelist: d",
            "unknown-key! Use `database.include.list`, the key of MySqlCdcSource.",
        ),
        (
            "MySqlCdcSource",
            "hstore.handling.mode: json",
            "unknown-key! It is a key of `PostgresCdcSource` and `PostgresCdcSourceV2` only. Remove it.",
        ),
        (
            "MongoDbAtlasSource",
            "copy.existing: true",
            "unknown-key! Use `startup.mode=copy_existing`, the key of MongoDbAtlasSource.",
        ),
        (
            "SqlServerCdcSourceV2",
            "database.server.name: x",
            "unknown-key! Use `topic.prefix`, the key of SqlServerCdcSourceV2.",
        ),
        (
            "DatagenSource",
            "max_interval: 1",
            "unknown-key! Did you mean `max.interval`?",
        ),
        (
            "S3_SINK",
            "s3.brand.new: 1",
            "unknown-key? `confluent ebs connector validate` asks the service, which may have added it since. It ignores unknown keys.",
        ),
        ("DatagenSorce", "", "unknown-plugin! Did you mean `DatagenSource`?"),
        (
            "ElasticsearchSinkV2",
            "",
            "unknown-plugin? Validate the file with `confluent ebs connector validate`; the linter does not check its keys.",
        ),
        (
            "MongoDbCdcSource",
            "",
            "unknown-plugin? Validate the file with `confluent ebs connector validate`; the linter does not check its keys.",
        ),
        (
            "HttpSinkV3",
            "",
            "unknown-plugin? Validate the file with `confluent ebs connector validate`; the linter does not check its keys.",
        ),
    ];
    for (class, line, expected) in cases {
        assert_eq!(of_class(class, line), [*expected], "{class} {line}");
    }
}

/// No suggestion removes a key that limits what a connector reads: without it, the connector would read more.
#[test]
fn no_suggestion_removes_a_key_that_limits_what_is_read() {
    let keys = catalog().plugins().flat_map(|plugin| plugin.keys.keys());
    let keys: std::collections::BTreeSet<&String> = keys
        .filter(|key| key.contains("include") || key.contains("whitelist"))
        .collect();
    let lines: Vec<String> = keys.iter().map(|key| format!("{key}: x")).collect();
    let lines = lines.join("\n");
    for plugin in catalog().plugins() {
        for finding in lint_text(&format!("name: a\nconnector.class: {}\n{lines}", plugin.class), false).findings {
            let fix = finding.fix.unwrap_or_default();
            assert!(
                finding.rule != "unknown-key" || !fix.contains("Remove"),
                "{}: {fix}",
                plugin.class
            );
        }
    }
}

/// Transforms, schema history and heartbeats lead to topics, too.
#[test]
fn topics_of_transforms_history_and_heartbeats_are_judged_like_topics() {
    let postgres = "name: claims-a\nconnector.class: PostgresCdcSourceV2\ndatabase.hostname: h\ndatabase.port: 1\n\
                    database.user: u\ndatabase.dbname: d\ndatabase.password: ${env:EBS_SECRET_P}\n\
                    topic.prefix: claims-x\n";
    let mysql = "name: claims-a\nconnector.class: MySqlCdcSourceV2\ndatabase.hostname: h\ndatabase.port: 1\n\
                 database.user: u\ndatabase.password: ${env:EBS_SECRET_P}\ntopic.prefix: claims-x\n";
    let cases: &[(&str, &str, &[&str])] = &[
        (
            postgres,
            "transforms: r\ntransforms.r.type: io.confluent.connect.cloud.transforms.TopicRegexRouter\n\
             transforms.r.regex: claims-x.public.(.*)\ntransforms.r.replacement: fraud-$1",
            &["foreign-topic! transform `r` writes to `fraud-$1`, outside of `claims-`"],
        ),
        (
            postgres,
            "transforms: r\ntransforms.r.type: io.confluent.connect.cloud.transforms.TopicRegexRouter\n\
             transforms.r.regex: (.*)\ntransforms.r.replacement: claims-$1",
            &[],
        ),
        (
            postgres,
            "transforms: o\ntransforms.o.type: io.debezium.transforms.outbox.EventRouter",
            &["foreign-topic! transform `o` writes to `outbox.event.${routedByValue}`, outside of `claims-`"],
        ),
        (
            postgres,
            "transforms: l\ntransforms.l.type: io.debezium.transforms.ByLogicalTableRouter\n\
             transforms.l.topic.regex: (.*)\ntransforms.l.topic.replacement: app.all",
            &["foreign-topic! transform `l` writes to `app.all`, outside of `claims-`"],
        ),
        (
            postgres,
            "transforms: e\ntransforms.e.type: io.confluent.connect.transforms.ExtractTopic$Value\ntransforms.e.field: f",
            &["foreign-topic? transform `e` writes to topics that the records name"],
        ),
        (
            mysql,
            "",
            &[
                "foreign-topic! `schema.history.internal.kafka.topic` is missing: its default is \
                 `dbhistory.${topic.prefix}.{{.logicalClusterId}}`",
            ],
        ),
        (
            mysql,
            "schema.history.internal.kafka.topic: dbhistory.claims-x.1",
            &[
                "foreign-topic! topic `dbhistory.claims-x.1` of `schema.history.internal.kafka.topic` does not start with `claims-`",
            ],
        ),
        (
            mysql,
            "schema.history.internal.kafka.topic: claims-x.history\nheartbeat.interval.ms: 1000",
            &[
                "foreign-topic! `topic.heartbeat.prefix` is missing: its default is `__debezium-heartbeat-{{.logicalClusterId}}`",
            ],
        ),
        (
            mysql,
            "schema.history.internal.kafka.topic: claims-x.history\nheartbeat.interval.ms: 0",
            &[],
        ),
        (
            postgres,
            "signal.kafka.topic: signals",
            &["foreign-topic! topic `signals` of `signal.kafka.topic` does not start with `claims-`"],
        ),
    ];
    for (head, lines, expected) in cases {
        let found = finding_lines(&lint_text(&format!("{head}{lines}"), true));
        let found: Vec<_> = found
            .into_iter()
            .filter(|line| line.starts_with("foreign-topic"))
            .collect();
        assert_eq!(found, *expected, "{lines}");
    }
}

/// A credential in a header is found whatever its scheme.
#[test]
fn credentials_in_headers_are_found() {
    let judge = |headers: &str| {
        let text = format!(
            "name: claims-a\nconnector.class: HttpSink\ntopics: claims-x\nhttp.api.url: https://example.com\n\
             http.headers: '{headers}'"
        );
        finding_lines(&lint_text(&text, false))
            .iter()
            .any(|line| line.starts_with("credential-in-value"))
    };
    for headers in [
        "Authorization: Bearer abc",
        "Authorization: ApiKey abc",
        "Authorization: GenieKey abc",
        "authorization:abc",
        "Content-Type: text/plain|Authorization: Splunk abc",
        "X-Api-Key: abc",
        "Ocp-Apim-Subscription-Key: abc",
        "x-functions-key:abc",
        "PRIVATE-TOKEN: abc",
    ] {
        assert!(judge(headers), "{headers}");
    }
    for headers in [
        "Content-Type: application/json",
        "Accept: text/plain|X-Trace: on",
        "Authorization: ${secrets}",
    ] {
        assert!(!judge(headers), "{headers}");
    }
}

#[test]
fn fixes_name_the_platform_team_of_the_department() {
    let text =
        "name: claims-a\nconnector.class: DatagenSource\nkafka.topic: claims-a\nquickstart: ORDERS\ntasks.max: 5\n";
    let file = connector_file::parse(&SourceFile::new("claims-a.yaml", text)).unwrap();
    let mut claims = LintedDepartment::claims();
    let fix = |claims: &LintedDepartment| {
        let context = LintOptions {
            department: Some(claims.department_context()),
            ..LintOptions::default()
        };
        let findings = lint(&file, &context).findings;
        findings
            .into_iter()
            .find(|finding| finding.rule == "tasks-max")
            .and_then(|finding| finding.fix)
    };
    let expected = "Use at most 4, or ask the platform team to raise the quota.";
    assert_eq!(fix(&claims).as_deref(), Some(expected));
    claims.platform_team.team = Some("EBS".parse().unwrap());
    claims.platform_team.contact = Some("ebs@example.com".parse().unwrap());
    let expected = "Use at most 4, or ask EBS (ebs@example.com) to raise the quota.";
    assert_eq!(fix(&claims).as_deref(), Some(expected));
}

#[test]
fn a_cdc_topic_prefix_counts_with_its_added_dot() {
    let judge = |class: &str, prefix: &str| {
        let text = format!(
            "name: claims.a\nconnector.class: {class}\ntopic.prefix: {prefix}\ndatabase.hostname: h\ndatabase.port: 1\n\
             database.user: u\ndatabase.dbname: d\nconnection.host: h\nconnection.port: 1\nconnection.user: u\n\
             db.name: d\n"
        );
        let file = connector_file::parse(&SourceFile::new("claims.a.yaml", text)).unwrap();
        let dotted = LintedDepartment {
            prefix: Prefix::parse("claims.").unwrap(),
            ..LintedDepartment::claims()
        };
        let context = LintOptions {
            department: Some(dotted.department_context()),
            ..LintOptions::default()
        };
        let findings = lint(&file, &context).findings;
        findings.iter().all(|finding| finding.rule != "foreign-topic")
    };
    assert!(judge("PostgresCdcSourceV2", "claims"));
    assert!(judge("PostgresSource", "claims.x"));
    // `claims` and the table's name: `claimsstaff`.
    assert!(!judge("PostgresSource", "claims"));
    assert!(!judge("PostgresCdcSourceV2", "claim"));
}

#[test]
fn file_level_mistakes_are_reported() {
    let cases: &[(&str, &[&str])] = &[
        (
            "a: b",
            &[
                "missing-key! `connector.class` is missing",
                "missing-key! `name` is missing",
            ],
        ),
        (
            "name: claims-a\nconnector.class: S3_SINK",
            &[
                "missing-key! `s3.bucket.name` is missing: S3_SINK requires it",
                "one-of! neither `topics` nor `topics.regex` is set",
            ],
        ),
        (
            "name: claims-a\nconnector.class: S3Sink",
            &["unknown-plugin! there is no plugin `S3Sink`"],
        ),
        (
            "name: claims-a\nconnector.class: Neo4jSink\nneo4j.password: x\nkafka.api.secret: y",
            &[
                "unknown-plugin? plugin `Neo4jSink` is not in the catalog (snapshot of June 2026)",
                "literal-secret! `neo4j.password` has the name of a secret and is a literal value",
                "auth-mode? `kafka.api.secret` makes the connector use a Kafka key",
                "literal-secret! the secret of `kafka.api.secret` is a literal value",
            ],
        ),
        // A custom connector names a Java class, too.
        (
            "name: claims-a\nconnector.class: org.example.Mine\nconfluent.connector.type: CUSTOM",
            &["unknown-plugin? plugin `org.example.Mine` is not in the catalog (snapshot of June 2026)"],
        ),
        (
            "name: claims-a\nconnector.class: S3SinkConnector\ntasks.max: x",
            &["self-managed! `S3SinkConnector` is a class of self-managed Connect, not a managed plugin"],
        ),
        (
            "name: claims-b\nconfig:\n  name: claims-a\n  connector.class: DatagenSource\n  kafka.topic: t\n  quickstart: USERS\ntype: source",
            &[
                "connector-name! the name next to `config` is `claims-b`, the one in it `claims-a`",
                "unknown-key? `type` next to `config` is ignored",
            ],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(finding_lines(&lint_text(text, false)), *expected, "{text}");
    }
    let fix = |text| lint_text(text, false).findings[0].fix.clone().unwrap();
    assert_eq!(
        fix("name: claims-a\nconnector.class: S3Sink"),
        "Did you mean `S3_SINK`?"
    );
    assert_eq!(
        fix("name: claims-a\nconnector.class: io.confluent.connect.s3.S3SinkConnector"),
        "Use the managed plugin `S3_SINK`. Its keys differ: start with `confluent ebs connector plugin new S3_SINK`."
    );
    assert_eq!(
        fix("name: claims-a\nconnector.class: io.debezium.connector.postgresql.PostgresConnector"),
        "Use a managed plugin: `PostgresCdcSourceV2` and `PostgresCdcSource`. Their keys differ: start with `confluent ebs connector plugin new`."
    );
}

#[test]
fn a_match_all_topics_regex_reports_the_default_dead_letter_topic() {
    let text = format!("{SINK_BY_PATTERN_FILE}topics.regex: .*\n");
    assert_eq!(
        finding_lines(&lint_text(&text, false)),
        [
            "dead-letter-loop! `topics.regex` also matches the dead letter topic `dlq-${connector}`, the default of the service"
        ]
    );
}

#[test]
fn exceptions_suppress_findings_and_keep_their_reason() {
    let text = format!("{DATAGEN_FILE}new.key: 1\n");
    let file = connector_file::parse(&SourceFile::new("claims-a.yaml", text)).unwrap();
    let exceptions = [("unknown-key".to_owned(), "new since August".to_owned())];
    let context = LintOptions {
        exceptions: &exceptions,
        ..LintOptions::default()
    };
    let linted = lint(&file, &context);
    assert!(linted.findings.is_empty());
    assert_eq!(linted.excepted[0].reason, "new since August");
    assert_eq!(linted.excepted[0].finding.rule, "unknown-key");
    let variables = ["DB_PASSWORD".to_owned()];
    let text = format!("{POSTGRES_FILE}connection.password: ${{env:DB_PASSWORD}}\n");
    let file = connector_file::parse(&SourceFile::new("claims-a.yaml", text)).unwrap();
    let context = LintOptions {
        secret_variables: &variables,
        ..LintOptions::default()
    };
    assert!(lint(&file, &context).findings.is_empty());
}

/// Findings can be shown anywhere, so neither their text nor their source may contain a secret.
#[test]
fn findings_contain_no_secret() {
    let canary = "canary-9f2c";
    let mut seen = 0;
    for plugin in catalog().plugins() {
        for fact in plugin.keys.values() {
            let secret = fact.value_type == confluent_ebs::catalog::ValueType::Password;
            if !secret || (fact.name.starts_with("api") && !fact.name.starts_with("api1.")) {
                continue;
            }
            for value in [
                canary.to_owned(),
                format!("{canary}\\\\x"),
                format!("a${{env:{canary}}}"),
            ] {
                let text = format!(
                    "{{\"name\": \"a\", \"connector.class\": \"{}\", \"{}\": \"{value}\", \"tasks.max\": 1}}",
                    plugin.class, fact.name
                );
                let file = connector_file::parse(&SourceFile::new("claims-a.json", text)).unwrap();
                let claims = LintedDepartment::claims();
                let context = LintOptions {
                    department: Some(claims.department_context()),
                    ..LintOptions::default()
                };
                for finding in lint(&file, &context).findings {
                    let span = finding.span.as_ref().unwrap();
                    let shown = format!("{} {:?} {}", finding.message, finding.fix, span.source.text);
                    assert!(!shown.contains(canary), "{} {}: {shown}", plugin.class, fact.name);
                    assert_eq!(span.source.text.len(), file.source.text.len());
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 1000, "{seen}");
    // Credentials inside other values, and secrets of unknown plugins.
    for (class, key, value) in [
        ("HttpSink", "http.api.url", "https://user:canary-9f2c@example.com"),
        ("HttpSink", "headers", "Authorization: Bearer canary-9f2c"),
        ("Neo4jSink", "neo4j.password", "canary-9f2c"),
        ("S3_SINK", "no.such.password", "canary-9f2c"),
    ] {
        let text = format!("name: claims-a\nconnector.class: {class}\n{key}: '{value}'\n");
        let linted = lint_text(&text, true);
        let about = linted
            .findings
            .iter()
            .filter(|finding| ["credential-in-value", "literal-secret"].contains(&finding.rule));
        assert_eq!(about.count(), 1, "{key}: {:?}", finding_lines(&linted));
        for finding in &linted.findings {
            let shown = format!(
                "{} {:?} {}",
                finding.message,
                finding.fix,
                finding.span.as_ref().unwrap().source.text
            );
            assert!(!shown.contains(canary), "{key}: {shown}");
        }
    }
}

#[test]
fn every_lint_rule_is_tested_in_this_file() {
    let tests = include_str!("lint.rs");
    for rule in rules::RULES {
        assert!(tests.contains(&format!("\"{}", rule.id)), "no test for {}", rule.id);
    }
}

/// Arbitrary text, and valid connector files with a part removed or inserted.
fn almost_valid_file() -> impl Strategy<Value = String> {
    let json = r#"{"name": "claims-ä", "config": {"connector.class": "S3_SINK", "topics.regex": "(a|b)[c]",
        "aws.secret.access.key": "${env:X}", "tasks.max": 2}}"#
        .to_owned();
    let texts = [
        json,
        format!("{S3_FILE}topics.regex: '(a|\\\\('\n"),
        POSTGRES_FILE.to_owned(),
    ];
    let broken = (
        0..texts.len(),
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        "[\\PC\n]{0,3}",
    )
        .prop_map(move |(which, from, length, put)| {
            let chars: Vec<char> = texts[which].chars().collect();
            let from = from.index(chars.len());
            let to = from + length.index(8).min(chars.len() - from);
            chars[..from]
                .iter()
                .copied()
                .chain(put.chars())
                .chain(chars[to..].iter().copied())
                .collect()
        });
    prop_oneof![4 => broken, 1 => any::<String>()]
}

proptest! {
    #[test]
    fn any_text_gives_findings_with_spans_inside_it(text in almost_valid_file(), yaml in any::<bool>()) {
        let source = SourceFile::new(if yaml { "a.yaml" } else { "a.json" }, text);
        let claims = LintedDepartment::claims();
        let context = LintOptions { department: Some(claims.department_context()), ..LintOptions::default() };
        let findings = match connector_file::parse(&source) {
            Ok(file) => lint(&file, &context).findings,
            Err(findings) => findings,
        };
        for span in findings.iter().filter_map(|finding| finding.span.as_ref()) {
            prop_assert_eq!(span.source.text.len(), source.text.len());
            prop_assert!(span.source.text.get(span.range.clone()).is_some(), "{:?}", span);
        }
    }
}
