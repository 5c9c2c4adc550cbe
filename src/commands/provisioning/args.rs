//! Flags of commands that provision: folders, recipients and the hand-over command.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use crate::{
    apply::Delivery,
    commands::duration::parse_duration,
    error::{Error, ResultExt},
    handover::HandoverCommand,
    model::{Recipient, RecipientError},
    provisioning::{ProvisioningOptions, parse_recipients_file},
};

/// Where a command keeps profiles and evidence.
#[derive(Clone, Debug, Default, clap::Args)]
pub(in crate::commands) struct FolderArgs {
    /// Folder for the profile files. Inside a Git work tree it must be ignored.
    #[arg(long, value_name = "string")]
    pub(in crate::commands) credentials_dir: Option<PathBuf>,
    /// Folder for the evidence files, which hold no secret.
    #[arg(long, value_name = "string")]
    pub(in crate::commands) evidence_dir: Option<PathBuf>,
}

impl FolderArgs {
    /// The folders that the flags name, for a run that delivers no profiles.
    pub(in crate::commands) fn to_options(&self) -> ProvisioningOptions {
        ProvisioningOptions {
            profiles_dir: self.credentials_dir.clone(),
            evidence_dir: self.evidence_dir.clone(),
            ..ProvisioningOptions::default()
        }
    }
}

/// How profiles reach those they are for.
#[derive(Clone, Debug, Default, clap::Args)]
pub(in crate::commands) struct HandoverArgs {
    #[command(flatten)]
    pub(in crate::commands) folders: FolderArgs,
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

impl HandoverArgs {
    /// To whom every profile is encrypted, whatever its department.
    fn parse_recipients(&self) -> Result<BTreeSet<Recipient>, Error> {
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
    fn parse_delivery(&self) -> Result<Option<Delivery>, Error> {
        let Some(text) = &self.handover_command else {
            return Ok(None);
        };
        let timeout = self.handover_timeout.unwrap_or(Duration::from_mins(1));
        let command = HandoverCommand::parse(text, timeout)
            .map_err(|error| Error::usage(format!("invalid value for `--handover-command`: {error}")))?;
        Ok(Some(Delivery::new(command, self.remove_delivered)))
    }

    /// The options that the flags describe.
    pub(in crate::commands) fn to_options(&self) -> Result<ProvisioningOptions, Error> {
        Ok(ProvisioningOptions {
            recipients: self.parse_recipients()?,
            delivery: self.parse_delivery()?,
            ..self.folders.to_options()
        })
    }
}
