//! The linter against connector files written by others (`corpus`, from vdesabou/kafka-docker-playground, MIT). Each
//! expected finding was judged by hand once and stands in `verdicts.tsv`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use confluent_ebs::{
    catalog::{LintOptions, LintResult, lint},
    diag::{Finding, Severity},
    manifest::connector_file,
};

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
