//! The flags of commands that hand profiles over: to whom they are encrypted.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::FolderArgs;
use crate::{
    diag::{Finding, SourceFile, Span},
    error::{Error, ResultExt},
    model::{Recipient, RecipientError, recipient::cover_secret_keys},
};

/// How profiles reach those they are for.
#[derive(Clone, Debug, Default, clap::Args)]
pub(in crate::commands) struct HandoverArgs {
    #[command(flatten)]
    pub(super) folders: FolderArgs,
    /// Encrypt the profiles to this age recipient, besides those of the department's file. May be repeated.
    #[arg(long, value_name = "string")]
    recipient: Vec<String>,
    /// Encrypt the profiles to the age recipients in this file, one on each line. May be repeated.
    #[arg(long, value_name = "string")]
    recipients_file: Vec<PathBuf>,
}

impl From<&Self> for HandoverArgs {
    fn from(args: &Self) -> Self {
        args.clone()
    }
}

/// Of commands that make no profiles.
impl From<&FolderArgs> for HandoverArgs {
    fn from(folders: &FolderArgs) -> Self {
        Self {
            folders: folders.clone(),
            ..Self::default()
        }
    }
}

impl HandoverArgs {
    /// To whom every profile is encrypted, whatever its department.
    pub(super) fn recipients(&self) -> Result<BTreeSet<Recipient>, Error> {
        let mut recipients = BTreeSet::new();
        for written in &self.recipient {
            let recipient = written.parse().map_err(|error: RecipientError| {
                let finding = error.finding();
                let error = Error::usage(format!("invalid value for `--recipient`: {}", finding.message));
                finding.fix.into_iter().fold(error, Error::with_hint)
            })?;
            recipients.insert(recipient);
        }
        let mut findings = Vec::new();
        for file in &self.recipients_file {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("the recipients file {} cannot be read", file.display()))?;
            match recipients_of(file, &text) {
                Ok(more) => recipients.extend(more),
                Err(more) => findings.extend(more),
            }
        }
        match findings.is_empty() {
            true => Ok(recipients),
            false => Err(Error::findings("not all recipients can be used", findings)),
        }
    }
}

/// The recipients in a file: one on each line, as `age -R` reads them.
fn recipients_of(file: &Path, text: &str) -> Result<Vec<Recipient>, Vec<Finding>> {
    let source = SourceFile::new(file, cover_secret_keys(text));
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
            Err(error) => findings.push(error.finding().at(Span::new(&source, at..at + written.len()))),
        }
    }
    if recipients.is_empty() && findings.is_empty() {
        let finding = Finding::error("recipients-empty", "there is no recipient in this file");
        findings.push(finding.at(Span::new(&source, 0..0)));
    }
    match findings.is_empty() {
        true => Ok(recipients),
        false => Err(findings),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::recipient::tests::GOOD;

    #[test]
    fn a_recipients_file_is_read_as_age_reads_it() {
        let text = format!("# the department's\n\n{GOOD}\r\n  {GOOD}  \n");
        assert_eq!(recipients_of(Path::new("r.txt"), &text).unwrap().len(), 2);
        let text = format!("# wrong half\n AGE-SECRET-KEY-1CANARY\n{GOOD}\nssh-rsa AAAA");
        let findings = recipients_of(Path::new("r.txt"), &text).unwrap_err();
        let seen: Vec<String> = findings
            .iter()
            .map(|finding| format!("{} {}", finding.span.as_ref().unwrap().location(), finding.rule))
            .collect();
        assert_eq!(seen, ["r.txt:2:2 recipient-secret", "r.txt:4:1 recipient-unsupported"]);
        assert!(!format!("{findings:?}").contains("CANARY"));
        assert_eq!(
            recipients_of(Path::new("r.txt"), "# none\n").unwrap_err()[0].rule,
            "recipients-empty"
        );
    }
}
