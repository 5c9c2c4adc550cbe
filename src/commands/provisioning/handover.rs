//! The flags of commands that hand profiles over: to whom they are encrypted, and who takes them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{FolderArgs, Reconciliation, plan_view::format_count};
use crate::{
    apply::{
        self, Delivery, FinishedProfile, Journal, StepError,
        delivery::{DeliveryContext, PendingProfile, find_pending_profiles},
    },
    commands::{Ctx, duration::parse_duration},
    diag::{Finding, SourceFile, SourceSpan},
    error::{Error, ResultExt},
    handover::{HandoverCommand, HandoverRequest},
    hint::{Advice, Hint},
    model::{ApiKeyId, Recipient, RecipientError, ownership::account_name, recipient::redact_secret_keys},
    render::TextLine,
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
    /// Give each finished profile to this command, on its standard input. It is started without a shell.
    #[arg(long, value_name = "string")]
    handover_command: Option<String>,
    /// How long that command may take for a profile, such as 30s or 5m.
    #[arg(long, value_name = "duration", default_value = "1m", value_parser = parse_duration, requires = "handover_command")]
    handover_timeout: Option<Duration>,
    /// Remove the file of a profile once that command has taken it.
    #[arg(long, requires = "handover_command")]
    remove_delivered: bool,
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
    pub(super) fn parse_recipients(&self) -> Result<BTreeSet<Recipient>, Error> {
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
            match parse_recipients_file(file, &text) {
                Ok(more) => recipients.extend(more),
                Err(more) => findings.extend(more),
            }
        }
        match findings.is_empty() {
            true => Ok(recipients),
            false => Err(Error::findings("not all recipients can be used", findings)),
        }
    }

    /// Who takes finished profiles.
    pub(super) fn parse_delivery(&self) -> Result<Option<Delivery>, Error> {
        let Some(text) = &self.handover_command else {
            return Ok(None);
        };
        let timeout = self.handover_timeout.unwrap_or(Duration::from_mins(1));
        let command = HandoverCommand::parse(text, timeout)
            .map_err(|error| Error::usage(format!("invalid value for `--handover-command`: {error}")))?;
        Ok(Some(Delivery::new(command, self.remove_delivered)))
    }
}

/// The recipients in a file: one on each line, as `age -R` reads them.
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
        let finding = Finding::error("recipients-empty", "there is no recipient in this file");
        findings.push(finding.with_span(SourceSpan::new(&source, 0..0)));
    }
    match findings.is_empty() {
        true => Ok(recipients),
        false => Err(findings),
    }
}

/// What became of a finished profile that an earlier run had left in the folder.
#[derive(Clone, Debug, serde::Serialize)]
pub(in crate::commands) struct PendingDelivery {
    /// The file.
    pub(in crate::commands) path: PathBuf,
    /// Why the command did not take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::commands) reason: Option<String>,
    /// What to do about it.
    #[serde(skip)]
    pub(in crate::commands) hints: Vec<Hint>,
}

/// What a command took.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub(in crate::commands) struct DeliveryReport {
    /// The program that takes finished profiles, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<String>,
    /// Whether the files of profiles that were taken are removed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    remove_delivered: bool,
    /// What became of profiles that earlier runs had finished.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    previous_runs: Vec<PendingDelivery>,
}

impl DeliveryReport {
    /// Whether a command takes profiles: then there is nothing left to do by hand.
    pub(in crate::commands) fn is_automatic(&self) -> bool {
        self.program.is_some()
    }

    /// Those of `handed` whose files are still in the folder.
    pub(in crate::commands) fn profiles_on_disk<'a>(&self, profile: &'a [FinishedProfile]) -> Vec<&'a FinishedProfile> {
        let kept = profile
            .iter()
            .filter(|profile| !(profile.delivered && self.remove_delivered));
        kept.collect()
    }

    /// What was taken of `handed` and of what earlier runs had left, for people.
    pub(in crate::commands) fn lines(&self, profile: &[FinishedProfile]) -> Vec<TextLine> {
        let mut lines = Vec::new();
        let pending = self
            .previous_runs
            .iter()
            .filter(|pending| pending.reason.is_none())
            .count();
        let taken = pending + profile.iter().filter(|profile| profile.delivered).count();
        if let Some(taker) = self.program.as_ref().filter(|_| taken > 0) {
            let files = if self.remove_delivered { ", and removed" } else { "" };
            let text = format!("Taken: {} by `{taker}`{files}.", format_count(taken, "profile"));
            lines.push(TextLine::from(text).with_hanging_indent(2));
        }
        let reasons = self.previous_runs.iter().filter_map(|pending| pending.reason.as_ref());
        lines.extend(reasons.map(|reason| TextLine::from(format!("  not taken: {reason}")).with_hanging_indent(4)));
        lines
    }
}

impl Reconciliation<'_> {
    /// What a command took, `later` of it from earlier runs.
    pub(in crate::commands) fn delivery_report(&self, pending: Vec<PendingDelivery>) -> DeliveryReport {
        DeliveryReport {
            program: self.delivery.as_ref().map(|delivery| delivery.program().to_owned()),
            remove_delivered: self.delivery.as_ref().is_some_and(Delivery::removes_files),
            previous_runs: pending,
        }
    }

    /// For a run that has nothing else to do: asks, and gives what earlier runs left behind. Nothing when the answer is no.
    ///
    /// # Errors
    /// As [`Reconciliation::deliver_pending`].
    pub(in crate::commands) async fn confirm_pending(&self, ctx: &Ctx) -> Result<Option<Vec<PendingDelivery>>, Error> {
        let left = self.pending_profiles()?;
        if let Some(delivery) = self.delivery.as_ref().filter(|_| !left.is_empty()) {
            let question = format!(
                "There is nothing else to do. Give {} from before to `{}`?",
                format_count(left.len(), "finished profile"),
                delivery.program()
            );
            if !ctx.confirm(&question)? {
                return Ok(None);
            }
        }
        self.deliver_pending(ctx).await.map(Some)
    }

    /// The finished profiles of earlier runs that are still to be taken, or whose files are to go.
    fn pending_profiles(&self) -> Result<Vec<PendingProfile>, Error> {
        let Some(delivery) = &self.delivery else {
            return Ok(Vec::new());
        };
        let session = self.session;
        let stage = (!session.is_default_stage()).then_some(session.stage_name.as_str());
        let departments: Vec<_> = self.desired.iter().map(|desired| &desired.department.code).collect();
        let mut left = find_pending_profiles(&self.journal_path, &self.profile_store, stage, &departments)?;
        let snapshot = &self.observed.snapshot;
        let lives =
            |id: &ApiKeyId| snapshot.unknown.contains_key("API keys") || snapshot.keys.iter().any(|key| key.id == *id);
        left.retain(|left| match left.delivered {
            true => delivery.removes_files(),
            // A profile whose key is gone is of no use to anybody, and could take the place of one that is.
            false => left.keys.iter().all(lives),
        });
        Ok(left)
    }

    /// Gives what earlier runs left behind to the command, before this one makes more.
    ///
    /// # Errors
    /// When another run was at work meanwhile, or the journal cannot be written.
    pub(in crate::commands) async fn deliver_pending(&self, ctx: &Ctx) -> Result<Vec<PendingDelivery>, Error> {
        let left = self.pending_profiles()?;
        let Some(delivery) = self.delivery.as_ref().filter(|_| !left.is_empty()) else {
            return Ok(Vec::new());
        };
        let run = apply::run::new_run_id().context("no random numbers from the system")?;
        let journal = self.open_journal()?;
        let delivery_context = DeliveryContext {
            journal: &journal,
            clock: &self.session.clock,
            run_id: &run,
            interrupt: &ctx.run.cancel,
        };
        let mut pending = Vec::new();
        for left in left {
            let account = account_name(
                &self.session.stage_name,
                &left.profile.department,
                &left.profile.persona,
            );
            let handover_request = HandoverRequest {
                profile: &left.profile,
                stage: &self.session.stage_name,
                account: &account,
                keys: &left.keys,
                path: &left.path,
            };
            let delivered = match left.delivered {
                true => delivery.remove_file(&left.path),
                false => delivery.deliver(delivery_context, handover_request).await,
            };
            let error = delivered.err().map(StepError::from);
            pending.push(PendingDelivery {
                path: left.path,
                reason: error.as_ref().map(StepError::full_message),
                hints: error.iter().flat_map(Advice::hints).collect(),
            });
        }
        // What was written just now is our own.
        *self.journal_lengths.borrow_mut() = Journal::file_lengths(&self.session.state_paths.journals);
        Ok(pending)
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
