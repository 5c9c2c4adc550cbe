//! Property tests with damaged files: every input yields findings, never a panic.

use proptest::prelude::*;

use super::load;
use crate::{
    diag::{Finding, SourceFile},
    manifest::{baseline, connector_file},
};

const PLATFORM: &str = "default_stage = \"prod\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n[stages.prod]\n\
    environment = \"env-1\"\ncluster = \"lkc-1\"\ntask_ceiling = 250\n[naming]\nreserved = [\"shared-\"]\nconnector = \
    \"*-{source,sink}\"\n[defaults.quota]\nplugins = [\"*\"]\n[lint]\nsome-rule = \"why\"\n";
const DEPARTMENT: &str = "name = \"Claims\"\nprefix = \"claims-\"\ntemplate = \"hybrid\"\ncontacts = [\"a@example.com\"]\n\
    retired = 2026-11-26\n[quota]\nconnectors = 12\ntasks = 20\nplugins = [\"S3_SINK\"]\n";
const TEMPLATE: &str = "[[persona]]\nname = \"operator\"\ndescription = \"x\"\nkeys = [\"cloud\"]\n[[persona.grant]]\nrole = \
    \"ConnectManager\"\non = \"connector:{prefix}*\"\nfallback = \"DeveloperRead\"\nwhy = \"y\"\n";
const CONNECTOR: &str = r#"{"name": "claims-a", "config": {"connector.class": "S3_SINK", "topics": "claims-x", "tasks.max":
    1, "aws.secret.access.key": "${env:EBS_SECRET_X}"}, "offsets": [{"partition": {"a": 0}, "offset": {"b": 1}}]}"#;
const YAML: &str =
    "name: claims-a\nconfig:\n  connector.class: S3_SINK\n  topics: claims-x # here\n  flush.size: 0012\n";
/// Generates arbitrary text, or a valid file with a few changes.
fn damaged(good: &'static str) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        proptest::sample::select(
            &[
                "\u{feff}", "\"\"\"", "'''", "[[", "]]", "{", "}", "\u{202e}", "\u{0}", "\r", "é", "****", "&a", "*a",
                "!!x"
            ][..]
        )
        .prop_map(str::to_owned),
    ];
    let harm = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), piece);
    let changed = proptest::collection::vec(harm, 1..5).prop_map(move |harms| {
        let mut text: Vec<char> = good.chars().collect();
        for (a, b, piece) in harms {
            let (a, b) = (a.index(text.len() + 1), b.index(text.len() + 1));
            // Mostly short cuts, so that most of the file stays valid.
            let end = a.max(b).min(a.min(b) + 6);
            text.splice(a.min(b)..end, piece.chars());
        }
        text.into_iter().collect()
    });
    prop_oneof![1 => any::<String>(), 6 => changed]
}

/// Whether all spans lie within their files.
fn are_spans_valid(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| {
        finding.span.as_ref().is_none_or(|span| {
            let text = &span.source.text;
            let range = span.range.clone();
            range.start <= range.end && text.is_char_boundary(range.start) && text.is_char_boundary(range.end)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_platform_department_and_template_files_yield_findings(platform in damaged(PLATFORM), department in damaged(DEPARTMENT), template in damaged(TEMPLATE)) {
        let loaded = load(&platform, &[("claims", &department), ("fraud", DEPARTMENT)], &[("own", &template)]);
        prop_assert!(are_spans_valid(&loaded.findings));
    }

    #[test]
    fn damaged_connector_files_yield_findings(json in damaged(CONNECTOR), yaml in damaged(YAML)) {
        for (name, text) in [("a.json", &json), ("a.yaml", &yaml), ("a", &json)] {
            let source = SourceFile::new(name, text.as_str());
            match connector_file::parse(&source) {
                Ok(file) => {
                    let context = crate::catalog::LintOptions::default();
                    prop_assert!(are_spans_valid(&crate::catalog::lint(&file, &context).findings));
                }
                Err(findings) => prop_assert!(!findings.is_empty() && are_spans_valid(&findings)),
            }
        }
    }

    #[test]
    fn arbitrary_baseline_files_yield_findings(text in any::<String>()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accepted.toml");
        std::fs::write(&path, text).unwrap();
        let (_, findings) = baseline::read(&path);
        prop_assert!(are_spans_valid(&findings));
    }
}
