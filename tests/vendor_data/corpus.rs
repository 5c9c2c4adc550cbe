//! The linter against connector files written by others (`corpus`, from vdesabou/kafka-docker-playground, MIT). Each
//! expected finding was judged by hand once and stands in `verdicts.tsv`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    path::{Path, PathBuf},
};

use confluent_ebs::{
    catalog::{LintOptions, LintResult, ValueType, catalog, lint},
    diag::{Finding, Severity, SourceFile},
    manifest::{
        connector_file,
        schema::{FileKind, SchemaCoverage, connector_schema},
    },
};
use serde_json::{Value, json};

/// Rules with findings in every file, with the reason; only their number is checked.
const RULES_IN_EVERY_FILE: [(&str, usize); 5] = [
    // Origin of the file, as recorded by the collector (`source` beside `config`).
    ("unknown-key: `source` next to `config` is ignored", 113),
    // Files are named after scripts, not after connectors.
    ("file-name", 113),
    // All files use a Kafka API key.
    ("auth-mode", 113),
    (
        "literal-secret: the secret of `kafka.api.secret` is a literal value",
        113,
    ),
    (
        "literal-secret: `kafka.api.key` is a public key id, not a secret; the service masks it, so it cannot be read back",
        113,
    ),
];

fn corpus_files(check: &'static str, name: &str) -> Option<Vec<PathBuf>> {
    let path = crate::vendor_data(check)?.join("corpus").join(name);
    let entries = std::fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    Some(files)
}

fn lint_file(path: &Path) -> LintResult {
    let file = connector_file::read(path).unwrap_or_else(|findings| panic!("{}: {findings:?}", path.display()));
    lint(&file, &LintOptions::default())
}

fn file_stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

/// Key of a finding: the missing key, or the key of its line.
fn finding_key(finding: &Finding) -> String {
    if finding.rule == "missing-key" {
        return finding.message.split('`').nth(1).unwrap_or_default().to_owned();
    }
    let span = finding.span.as_ref().unwrap();
    let text = &span.source.text;
    let line = text[..span.range.start].rfind('\n').map_or(0, |newline| newline + 1);
    let key = text[line..].trim_start().trim_start_matches(['{', '"', ' ']);
    key.split('"').next().unwrap_or_default().to_owned()
}

fn read_expected_findings() -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut verdicts: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for line in include_str!("verdicts.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let fields: Vec<_> = line.split('\t').collect();
        let [file, rule, key] = fields[..] else {
            panic!("{line}")
        };
        let of_file = verdicts.entry(file.to_owned()).or_default();
        assert!(
            of_file.insert((rule.to_owned(), key.to_owned())),
            "duplicate line: {line}"
        );
    }
    verdicts
}

#[test]
fn managed_connector_files_get_exactly_the_reviewed_findings() {
    let Some(files) = corpus_files(crate::MANAGED_CORPUS, "managed") else {
        return;
    };
    assert_eq!(files.len(), 113);
    let mut expected = read_expected_findings();
    let mut everywhere: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong: Vec<String> = Vec::new();
    for path in files {
        let mut found = BTreeSet::new();
        for finding in lint_file(&path).findings {
            let said = format!("{}: {}", finding.rule, finding.message);
            let in_every_file = RULES_IN_EVERY_FILE
                .iter()
                .find(|(what, _)| *what == finding.rule || *what == said);
            if let Some((what, _)) = in_every_file {
                *everywhere.entry(what).or_default() += 1;
                continue;
            }
            let mark = if finding.severity == Severity::Error { "" } else { "?" };
            found.insert((format!("{}{mark}", finding.rule), finding_key(&finding)));
        }
        let wanted = expected.remove(&file_stem(&path)).unwrap_or_default();
        for (rule, key) in found.difference(&wanted) {
            wrong.push(format!("not judged: {}\t{rule}\t{key}", file_stem(&path)));
        }
        for (rule, key) in wanted.difference(&found) {
            wrong.push(format!("not found:  {}\t{rule}\t{key}", file_stem(&path)));
        }
    }
    assert!(
        expected.is_empty(),
        "verdicts about files that are not there: {:?}",
        expected.keys()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        everywhere.into_iter().collect::<BTreeSet<_>>(),
        RULES_IN_EVERY_FILE.into_iter().collect()
    );
}

#[test]
fn self_managed_connector_files_get_only_the_self_managed_finding() {
    let Some(files) = corpus_files(crate::SELF_MANAGED_CORPUS, "self-managed") else {
        return;
    };
    assert_eq!(files.len(), 300);
    let mut without_plugin = BTreeSet::new();
    for path in files {
        let findings = lint_file(&path).findings;
        let [finding] = &findings[..] else {
            panic!("{}: {findings:?}", file_stem(&path));
        };
        assert_eq!(
            (finding.rule, finding.severity),
            ("self-managed", Severity::Error),
            "{}",
            file_stem(&path)
        );
        assert_eq!(finding_key(finding), "connector.class");
        if finding
            .fix
            .as_ref()
            .unwrap()
            .starts_with("The catalog has no managed plugin")
        {
            let class = finding.message.split('`').nth(1).unwrap();
            without_plugin.insert(class.rsplit('.').next().unwrap().to_owned());
        }
    }
    assert_eq!(
        without_plugin.into_iter().collect::<Vec<_>>().join(" "),
        WITHOUT_MANAGED_PLUGIN
    );
}

/// Connectors of that folder without a known managed plugin.
const WITHOUT_MANAGED_PLUGIN: &str = "ActiveMqSinkConnector AppDynamicsMetricsSinkConnector CassandraSinkConnector \
     CloudPubSubSinkConnector DataDiodeSourceConnector DatadogLogsSinkConnector FilePulseSourceConnector \
     FileStreamSinkConnector FileStreamSourceConnector FirebaseSourceConnector FtpsSinkConnector \
     FtpsSourceConnector GraphDBSinkConnector HANASinkConnector HBaseSinkConnector Hdfs2SourceConnector \
     Hdfs3SinkConnector Hdfs3SourceConnector HdfsSinkConnector IcebergSinkConnector InfluxDBSinkConnector \
     InfluxdbSourceConnector JMSSourceConnector JmsSinkConnector KuduSinkConnector KuduSourceConnector \
     MapRDbSinkConnector MarketoSourceConnector NetezzaSinkConnector OmnisciSinkConnector \
     PrometheusMetricsSinkConnector ReplicatorSourceConnector SingleStoreSinkConnector \
     SnmpTrapSourceConnector SplunkHttpSourceConnector SplunkS2SSourceConnector \
     SpoolDirCsvSourceConnector SpoolDirJsonSourceConnector SyslogSourceConnector TibcoSinkConnector \
     VerticaSinkConnector WeblogicSourceConnector";

/// Rules whose findings a schema shows as errors, although the linter may only warn: it cannot know that a name resembles
/// another one.
const ERRORS_OF_SCHEMA: [&str; 3] = ["unknown-key", "unknown-plugin", "value-not-allowed"];

/// Rules with errors that a schema cannot express (tests/schemas/connectors.rs).
const NOT_EXPRESSIBLE: [&str; 2] = ["out-of-range", "transform"];

/// The configuration of a file. What the collector and the names of files add is removed.
fn read_config(path: &Path) -> serde_json::Map<String, Value> {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut config = file["config"].as_object().unwrap().clone();
    config.insert("name".to_owned(), "claims-test".into());
    config
}

/// Findings that a schema has to show: errors, and those of [`ERRORS_OF_SCHEMA`].
fn lint_config(config: &serde_json::Map<String, Value>) -> Vec<Finding> {
    let text = serde_json::to_string_pretty(&json!({"config": config})).unwrap();
    let file = connector_file::parse(&SourceFile::new("claims-test.json", text)).unwrap();
    let findings = lint(&file, &LintOptions::default()).findings.into_iter();
    findings
        .filter(|finding| finding.severity == Severity::Error || ERRORS_OF_SCHEMA.contains(&finding.rule))
        .collect()
}

/// Corrects one mistake. Returns whether it could.
fn correct(config: &mut serde_json::Map<String, Value>, rule: &str, key: &str) -> bool {
    let class = config["connector.class"].as_str().unwrap_or_default().to_owned();
    let fact = catalog().plugin(&class).and_then(|plugin| plugin.key(key));
    match (rule, fact) {
        ("literal-secret" | "masked-value", _) => config.insert(key.to_owned(), "${env:EBS_SECRET_A}".into()),
        ("unknown-key", _) => config.remove(key),
        ("wrong-type" | "missing-key" | "value-not-allowed" | "tasks-max", Some(fact)) => {
            let number = fact.allowed.first().copied().unwrap_or("5432");
            let value = match fact.value_type {
                ValueType::Password => "${env:EBS_SECRET_A}",
                ValueType::Boolean => "true",
                _ => number,
            };
            config.insert(key.to_owned(), value.into())
        }
        _ => return false,
    };
    true
}

#[test]
fn the_schemas_agree_with_the_linter_about_every_mistake_of_the_managed_files() {
    let Some(files) = corpus_files(crate::MANAGED_SCHEMAS, "managed") else {
        return;
    };
    let any = FileKind::Connector.schema(catalog());
    let (mut mistakes, mut unknown_plugins) = (0, 0);
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong: Vec<String> = Vec::new();
    for path in files {
        let name = file_stem(&path);
        let config = read_config(&path);
        let plugin = config["connector.class"]
            .as_str()
            .and_then(|class| catalog().plugin(class));
        let schema = match plugin {
            Some(plugin) => connector_schema(catalog(), plugin, SchemaCoverage::Complete),
            None => any.clone(),
        };
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors = |config: &serde_json::Map<String, Value>| -> Vec<String> {
            let document = json!({"config": config});
            validator
                .iter_errors(&document)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect()
        };
        let mut found = lint_config(&config);
        // An unknown key can be a literal secret as well.
        found.sort_by_key(|finding| finding.rule == "unknown-key");
        if plugin.is_none() {
            unknown_plugins += 1;
            if errors(&config).is_empty() {
                wrong.push(format!("{name}: the schema accepts an unknown plugin"));
            }
            continue;
        }
        // The file without mistakes, and with each of them alone.
        let mut clean = config.clone();
        let mut known = Vec::new();
        for finding in &found {
            let key = finding_key(finding);
            if NOT_EXPRESSIBLE.contains(&finding.rule) {
                *others.entry(finding.rule).or_default() += 1;
                let _ = clean.remove(&key);
            } else if correct(&mut clean, finding.rule, &key) {
                known.push((finding.rule, key));
            } else {
                wrong.push(format!("{name}: {} of `{key}` is not corrected", finding.rule));
            }
        }
        let remaining: Vec<&str> = lint_config(&clean).iter().map(|finding| finding.rule).collect();
        let refused = errors(&clean);
        if !remaining.is_empty() || !refused.is_empty() {
            wrong.push(format!("{name}: without mistakes: {remaining:?}, schema: {refused:?}"));
        }
        for (rule, key) in known {
            let mut with_one = clean.clone();
            match config.get(&key) {
                Some(value) => drop(with_one.insert(key.clone(), value.clone())),
                None => drop(with_one.remove(&key)),
            }
            mistakes += 1;
            if errors(&with_one).is_empty() {
                wrong.push(format!("{name}: the schema accepts {rule} of `{key}`"));
            }
        }
    }
    let text = format!("{mistakes} mistakes agree, {unknown_plugins} unknown plugins, not expressible: {others:?}\n");
    std::io::stderr().write_all(text.as_bytes()).unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(mistakes > 250, "{mistakes}");
}

#[test]
fn the_schemas_refuse_every_self_managed_file() {
    let Some(files) = corpus_files(crate::SELF_MANAGED_SCHEMAS, "self-managed") else {
        return;
    };
    let validator = jsonschema::validator_for(&FileKind::Connector.schema(catalog())).unwrap();
    for path in files {
        let document = json!({"config": read_config(&path)});
        let places: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| error.instance_path().to_string())
            .collect();
        assert!(
            places.iter().any(|place| place.ends_with("/connector.class")),
            "{}: {places:?}",
            file_stem(&path)
        );
    }
}
