//! The linter against connector files written by others (`../shared/corpus`, from vdesabou/kafka-docker-playground, MIT).
//! Each verdict was judged by hand once and stands in `verdicts.tsv`. The files are not part of this project: where they
//! are missing, the tests say so and pass, unless `CONFLUENT_EBS_REQUIRE_SHARED` is set.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use confluent_ebs::{
    catalog::{Context, Linted, lint},
    diag::{Finding, Severity},
    manifest::connector_file,
};

/// Rules that speak about every single one of these files, for the reason given there; checked by number.
const EVERYWHERE: [(&str, usize); 5] = [
    // The collector's note where a file came from (`source` beside `config`).
    ("unknown-key: `source` beside `config` is read by nobody", 113),
    // Files are called after scripts, not after connectors.
    ("file-name", 113),
    // All run under a Kafka key.
    ("auth-mode", 113),
    (
        "literal-secret: the secret of `kafka.api.secret` stands here in clear",
        113,
    ),
    (
        "literal-secret: `kafka.api.key` is the public half of a key pair, but the service masks it: it cannot be read back",
        113,
    ),
];

#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn folder(name: &str) -> Option<Vec<PathBuf>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/corpus")
        .join(name);
    let Ok(entries) = std::fs::read_dir(&path) else {
        let required = std::env::var_os("CONFLUENT_EBS_REQUIRE_SHARED").is_some();
        assert!(!required, "{} is missing", path.display());
        eprintln!("skipped 1 test: {} is missing", path.display());
        return None;
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    Some(files)
}

fn linted(path: &Path) -> Linted {
    let file = connector_file::read(path).unwrap_or_else(|findings| panic!("{}: {findings:?}", path.display()));
    lint(&file, &Context::default())
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

/// The key that a finding is about: the one that is missing, or the one of the line.
fn key(finding: &Finding) -> String {
    if finding.rule == "missing-key" {
        return finding.message.split('`').nth(1).unwrap_or_default().to_owned();
    }
    let span = finding.span.as_ref().unwrap();
    let text = &span.source.text;
    let line = text[..span.range.start].rfind('\n').map_or(0, |newline| newline + 1);
    let key = text[line..].trim_start().trim_start_matches(['{', '"', ' ']);
    key.split('"').next().unwrap_or_default().to_owned()
}

fn verdicts() -> BTreeMap<String, BTreeSet<(String, String)>> {
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
        assert!(of_file.insert((rule.to_owned(), key.to_owned())), "{line} stands twice");
    }
    verdicts
}

#[test]
fn the_managed_files_get_exactly_the_verdicts_that_were_judged_by_hand() {
    let Some(files) = folder("managed") else { return };
    assert_eq!(files.len(), 113);
    let mut expected = verdicts();
    let mut everywhere: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong: Vec<String> = Vec::new();
    for path in files {
        let mut found = BTreeSet::new();
        for finding in linted(&path).findings {
            let said = format!("{}: {}", finding.rule, finding.message);
            let everybody = EVERYWHERE
                .iter()
                .find(|(what, _)| *what == finding.rule || *what == said);
            if let Some((what, _)) = everybody {
                *everywhere.entry(what).or_default() += 1;
                continue;
            }
            let mark = if finding.severity == Severity::Error { "" } else { "?" };
            found.insert((format!("{}{mark}", finding.rule), key(&finding)));
        }
        let wanted = expected.remove(&name(&path)).unwrap_or_default();
        for (rule, key) in found.difference(&wanted) {
            wrong.push(format!("not judged: {}\t{rule}\t{key}", name(&path)));
        }
        for (rule, key) in wanted.difference(&found) {
            wrong.push(format!("not found:  {}\t{rule}\t{key}", name(&path)));
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
        EVERYWHERE.into_iter().collect()
    );
}

#[test]
fn the_self_managed_files_are_all_refused_as_such_and_for_nothing_else() {
    let Some(files) = folder("self-managed") else { return };
    assert_eq!(files.len(), 300);
    let mut without_plugin = BTreeSet::new();
    for path in files {
        let findings = linted(&path).findings;
        let [finding] = &findings[..] else {
            panic!("{}: {findings:?}", name(&path));
        };
        assert_eq!(
            (finding.rule, finding.severity),
            ("self-managed", Severity::Error),
            "{}",
            name(&path)
        );
        assert_eq!(key(finding), "connector.class");
        if finding.fix.as_ref().unwrap().starts_with("No managed plugin") {
            let class = finding.message.split('`').nth(1).unwrap();
            without_plugin.insert(class.rsplit('.').next().unwrap().to_owned());
        }
    }
    assert_eq!(without_plugin.into_iter().collect::<Vec<_>>().join(" "), WITHOUT_PLUGIN);
}

/// Connectors of that folder for which there is no managed plugin, as far as it is known here.
const WITHOUT_PLUGIN: &str = "ActiveMqSinkConnector AppDynamicsMetricsSinkConnector CassandraSinkConnector \
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
