//! The file of a stage merged over the base file of its department.
//!
//! The merged file has one text, the base followed by the stage file, so that the linter checks it like any other file.
//! Findings are moved back to the file that they are about.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{file_tree::ConnectorAddress, settings::ConnectorSettings, settings::setting_finding};
use crate::{
    catalog::{ConfigEntry, ConnectorConfigFile, FileLayout, ValueKind},
    diag::{Assignee, Finding, SourceFile, SourceSpan},
};

/// Connector file of a stage with the keys of its base file.
#[derive(Clone, Debug)]
pub struct EffectiveFile {
    /// Department, stage and name.
    pub address: ConnectorAddress,
    /// Settings of the file besides `config`, such as `state` and `replace`.
    pub settings: ConnectorSettings,
    /// Merged file. Its name is that of the file, if the file does not contain one.
    pub merged: ConnectorConfigFile,
    /// Path and length of the base file.
    base: Option<(PathBuf, usize)>,
}

/// Key of an effective file with the file that sets it.
#[derive(Clone, Debug)]
pub struct EffectiveEntry<'a> {
    /// Key and value.
    pub entry: &'a ConfigEntry,
    /// File that sets it.
    pub path: &'a Path,
    /// Line in that file.
    pub line: usize,
}

impl EffectiveFile {
    /// Merges `stage` over `base`: a key of the stage file replaces that of the base, and `null` removes it.
    pub(super) fn merge(
        address: ConnectorAddress,
        base: Option<&ConnectorConfigFile>,
        stage: ConnectorConfigFile,
        findings: &mut Vec<Finding>,
    ) -> Self {
        let (mut merged, origin) = match base {
            // A file with `state: absent` uses no setting of the base file.
            Some(base) if !stage.is_absent() => {
                let origin = (base.source.path.clone(), base.source.text.len());
                (merge_files(base, &stage), Some(origin))
            }
            _ => (stage, None),
        };
        let mut own = Vec::new();
        merged.set_default_name(&address.name);
        if let Some(entry) = merged.connector_name().filter(|entry| entry.value != address.name) {
            let message = "the name differs from the name of the file".to_owned();
            let fix = format!("Write `{}`, or rename the file.", address.name);
            own.push(setting_finding(&merged, entry, message).with_fix(fix));
        }
        let settings = ConnectorSettings::read(&merged, &address.name, &mut own);
        if merged.entries.is_empty() && !settings.is_absent() {
            let place = SourceSpan::new(&merged.source, merged.opening_range.clone());
            let finding = Finding::error("gitops-setting", "the file has no `config`").with_span(place);
            let fix = "Write the configuration below `config:`, or `state: absent` to delete the connector.";
            own.push(finding.with_fix(fix).with_assignee(Assignee::Department));
        }
        let file = Self {
            address,
            settings,
            merged,
            base: origin,
        };
        findings.extend(file.located(own));
        file
    }

    /// Returns the effective configuration by key; of a duplicate key the first value.
    pub fn entries(&self) -> impl Iterator<Item = EffectiveEntry<'_>> {
        self.merged.entries.iter().map(|entry| {
            let (path, _) = self.origin(entry.key_span.start);
            EffectiveEntry {
                entry,
                path,
                line: self.line(entry.key_span.start),
            }
        })
    }

    /// Returns the path of the base file, if the stage uses one.
    #[must_use]
    pub fn base_path(&self) -> Option<&Path> {
        self.base.as_ref().map(|(path, _)| path.as_path())
    }

    /// Returns the path of the stage file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.merged.source.path
    }

    /// Returns the findings with their positions in the base or the stage file.
    #[must_use]
    pub fn located(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let Some((base_path, base_length)) = &self.base else {
            return findings;
        };
        // All findings of one check share one redacted text.
        let mut halves: Option<(Arc<SourceFile>, Arc<SourceFile>, Arc<SourceFile>)> = None;
        let mut moved = findings;
        for finding in &mut moved {
            let Some(span) = &mut finding.span else { continue };
            let known = halves.as_ref().filter(|(whole, ..)| Arc::ptr_eq(whole, &span.source));
            let (whole, base, stage) = if let Some(known) = known {
                known.clone()
            } else {
                let (base, stage) = span.source.text.split_at(*base_length);
                let base = SourceFile::new(base_path.clone(), base);
                let stage = SourceFile::new(span.source.path.clone(), &stage[SEPARATOR.len()..]);
                (Arc::clone(&span.source), base, stage)
            };
            let (source, offset) = if span.range.start < *base_length {
                (&base, 0)
            } else {
                (&stage, base_length + SEPARATOR.len())
            };
            let range = span.range.start.saturating_sub(offset)..span.range.end.saturating_sub(offset);
            *span = SourceSpan::new(source, range);
            halves = Some((whole, base, stage));
        }
        moved
    }

    fn origin(&self, offset: usize) -> (&Path, usize) {
        match &self.base {
            Some((path, length)) if offset < *length => (path, 0),
            Some((_, length)) => (self.path(), length + SEPARATOR.len()),
            None => (self.path(), 0),
        }
    }

    fn line(&self, offset: usize) -> usize {
        let (_, start) = self.origin(offset);
        self.merged.source.text[start..offset].matches('\n').count() + 1
    }
}

/// Text between the base and the stage file.
const SEPARATOR: &str = "\n";

fn merge_files(base: &ConnectorConfigFile, stage: &ConnectorConfigFile) -> ConnectorConfigFile {
    let shift = base.source.text.len() + SEPARATOR.len();
    let shifted = |entry: &ConfigEntry| ConfigEntry {
        key_span: shift_range(&entry.key_span, shift),
        value_span: shift_range(&entry.value_span, shift),
        ..entry.clone()
    };
    let overrides = |entry: &&ConfigEntry| stage.entry(&entry.key).is_none();
    let mut text = base.source.text.clone();
    for replaced in base.entries.iter().filter(|entry| !overrides(entry)) {
        hide(&mut text, &replaced.value_span);
    }
    text.push_str(SEPARATOR);
    text.push_str(&stage.source.text);
    let removes = |entry: &&ConfigEntry| entry.kind == ValueKind::Null && base.entry(&entry.key).is_some();
    let own_entries = stage.entries.iter().filter(|entry| !removes(entry)).map(shifted);
    let own_settings = stage.settings.iter().map(shifted);
    let kept_settings = base.settings.iter().filter(|entry| stage.setting(&entry.key).is_none());
    ConnectorConfigFile {
        source: SourceFile::new(stage.source.path.clone(), text),
        layout: FileLayout::Wrapped,
        name: stage.name.as_ref().map(shifted).or_else(|| base.name.clone()),
        entries: base
            .entries
            .iter()
            .filter(overrides)
            .cloned()
            .chain(own_entries)
            .collect(),
        offsets: stage.offsets.clone().or_else(|| base.offsets.clone()),
        settings: kept_settings.cloned().chain(own_settings).collect(),
        unexpected: base
            .unexpected
            .iter()
            .cloned()
            .chain(stage.unexpected.iter().map(shifted))
            .collect(),
        opening_range: shift_range(&stage.opening_range, shift),
    }
}

fn shift_range(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// Hides a value that the stage replaces: no rule checks it, so that a secret in it would be shown beside a finding.
fn hide(text: &mut String, range: &Range<usize>) {
    let hidden: String = text[range.clone()]
        .bytes()
        .map(|byte| match byte {
            b'\n' | b'\r' | b'"' | b'\'' => char::from(byte),
            _ => '*',
        })
        .collect();
    text.replace_range(range.clone(), &hidden);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::connector_file;

    fn parse(path: &str, text: &str) -> ConnectorConfigFile {
        connector_file::parse(&SourceFile::new(path, text)).unwrap()
    }

    fn merge(base: &str, stage: &str) -> (EffectiveFile, Vec<Finding>) {
        let address = ConnectorAddress {
            department: "claims".to_owned(),
            stage: "prod".to_owned(),
            name: "claims-a".to_owned(),
        };
        let mut findings = Vec::new();
        let (base, stage) = (parse("base.yaml", base), parse("prod.yaml", stage));
        let file = EffectiveFile::merge(address, Some(&base), stage, &mut findings);
        (file, findings)
    }

    fn lines(file: &EffectiveFile) -> Vec<String> {
        let line = |key: EffectiveEntry<'_>| {
            format!(
                "{}={} {}:{}",
                key.entry.key,
                key.entry.value,
                key.path.display(),
                key.line
            )
        };
        file.entries().map(line).collect()
    }

    const BASE: &str = "config:\n  connector.class: S3_SINK\n  tasks.max: \"1\"\n  flush.size: \"1000\"\n";

    #[test]
    fn a_stage_replaces_and_removes_keys_of_the_base() {
        let (file, findings) = merge(
            BASE,
            "# comment\nconfig:\n  tasks.max: \"2\"\n  flush.size: null\n  topics: a\n",
        );
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(
            lines(&file),
            [
                "connector.class=S3_SINK base.yaml:2",
                "tasks.max=2 prod.yaml:3",
                "topics=a prod.yaml:5"
            ]
        );
    }

    #[test]
    fn null_without_a_key_in_the_base_stays_for_the_linter() {
        let (file, _) = merge(BASE, "config:\n  topics: null\n");
        assert_eq!(
            file.merged.entry("topics").map(|entry| entry.kind),
            Some(ValueKind::Null)
        );
    }

    #[test]
    fn settings_of_the_stage_win_and_wrong_ones_are_found_in_their_file() {
        let (file, findings) = merge(
            &format!("protect: true\nreplace: cary\n{BASE}"),
            "state: paused\nprotect: false\nconfig: {}\n",
        );
        assert!(!file.settings.protect);
        assert_eq!(file.settings.state, Some(super::super::ConfiguredState::Paused));
        let span = findings[0].span.as_ref().unwrap();
        assert_eq!((findings.len(), span.location().as_str()), (1, "base.yaml:2:10"));
    }

    #[test]
    fn a_value_that_the_stage_replaces_is_hidden_in_the_text() {
        let (file, _) = merge(
            "config:\n  connection.password: hunter2hunter2\n",
            "config:\n  connection.password: \"${env:EBS_SECRET_X}\"\n",
        );
        assert!(
            !file.merged.source.text.contains("hunter2"),
            "{}",
            file.merged.source.text
        );
    }

    #[test]
    fn the_name_in_a_file_must_be_that_of_the_file() {
        let (file, findings) = merge(BASE, "name: claims-b\nconfig: {}\n");
        assert_eq!(
            file.merged.connector_name().map(|entry| entry.value.as_str()),
            Some("claims-b")
        );
        assert!(
            findings[0].message.contains("differs from the name of the file"),
            "{findings:?}"
        );
    }

    #[test]
    fn a_tombstone_needs_only_its_state() {
        let (file, findings) = merge(BASE, "state: absent\n");
        assert!(file.settings.is_absent() && findings.is_empty());
        assert!(file.merged.entries.is_empty());
        let (_, findings) = merge(BASE, "state: absent\nprotect: true\n");
        assert!(findings[0].message.contains("protected"), "{findings:?}");
    }
}
