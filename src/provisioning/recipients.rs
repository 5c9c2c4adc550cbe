//! Files of age recipients.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::{
    diag::{Finding, SourceFile, SourceSpan},
    error::{Error, ResultExt},
    model::{Recipient, recipient::redact_secret_keys},
};

/// Reads files of recipients in the format of `age -R`.
///
/// # Errors
/// A file cannot be read or has findings. All findings are reported at once.
pub fn read_recipients_files(files: &[PathBuf]) -> Result<BTreeSet<Recipient>, Error> {
    let mut recipients = BTreeSet::new();
    let mut findings = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        match parse_recipients_file(file, &text) {
            Ok(more) => recipients.extend(more),
            Err(more) => findings.extend(more),
        }
    }
    if findings.is_empty() {
        Ok(recipients)
    } else {
        Err(Error::findings("invalid recipients", findings))
    }
}

/// Parses a recipients file: one recipient per line. Returns a finding for each invalid line, or for a file without
/// recipients.
fn parse_recipients_file(file: &Path, text: &str) -> Result<Vec<Recipient>, Vec<Finding>> {
    let source = SourceFile::new(file, redact_secret_keys(text));
    let mut recipients = Vec::new();
    let mut findings = Vec::new();
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        let written = line.trim();
        let at = begin + (line.len() - line.trim_start().len());
        begin += line.len();
        if written.is_empty() || written.starts_with('#') {
            continue;
        }
        match written.parse::<Recipient>() {
            Ok(recipient) => recipients.push(recipient),
            Err(error) => findings.push(
                error
                    .finding()
                    .with_span(SourceSpan::new(&source, at..at + written.len())),
            ),
        }
    }
    if recipients.is_empty() && findings.is_empty() {
        let finding = Finding::error("recipients-empty", "this file contains no recipients");
        findings.push(finding.with_span(SourceSpan::new(&source, 0..0)));
    }
    if findings.is_empty() {
        Ok(recipients)
    } else {
        Err(findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::recipient::tests::VALID_RECIPIENT;

    #[test]
    fn a_recipients_file_has_the_syntax_that_age_accepts() {
        let text = format!("# the department's\n\n{VALID_RECIPIENT}\r\n  {VALID_RECIPIENT}  \n");
        assert_eq!(parse_recipients_file(Path::new("r.txt"), &text).unwrap().len(), 2);
        let text = format!("# wrong half\n AGE-SECRET-KEY-1CANARY\n{VALID_RECIPIENT}\nssh-rsa AAAA");
        let findings = parse_recipients_file(Path::new("r.txt"), &text).unwrap_err();
        let locations: Vec<String> = findings
            .iter()
            .map(|finding| format!("{} {}", finding.span.as_ref().unwrap().location(), finding.rule))
            .collect();
        assert_eq!(
            locations,
            ["r.txt:2:2 recipient-secret", "r.txt:4:1 recipient-unsupported"]
        );
        assert!(!format!("{findings:?}").contains("CANARY"));
        assert_eq!(
            parse_recipients_file(Path::new("r.txt"), "# none\n").unwrap_err()[0].rule,
            "recipients-empty"
        );
    }
}
