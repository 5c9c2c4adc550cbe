//! Flags of provisioning commands: folders, recipients and the hand-over command.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use crate::{
    commands::{Ctx, duration::parse_duration},
    error::Error,
    model::{DepartmentCode, Recipient, RecipientError},
    provisioning::{DeliveryOptions, DepartmentSelection, ProvisioningOptions, read_recipients_files},
};

/// Returns the selected departments: all, those in the arguments, or the one of `--department`.
pub(in crate::commands) fn select_departments(
    ctx: &Ctx,
    all: bool,
    mut codes: Vec<DepartmentCode>,
) -> DepartmentSelection {
    if all {
        return DepartmentSelection::AllActive;
    }
    if codes.is_empty() {
        codes.extend(ctx.run.options.department.clone());
    }
    DepartmentSelection::Codes(codes)
}

/// Flags for the folders of profiles and evidence.
#[derive(Clone, Debug, Default, clap::Args)]
pub(in crate::commands) struct FolderArgs {
    /// Folder for the profiles. Inside a Git work tree, Git must ignore it.
    #[arg(long, value_name = "string")]
    pub(in crate::commands) credentials_dir: Option<PathBuf>,
    /// Folder for the evidence files, which contain no secrets.
    #[arg(long, value_name = "string")]
    pub(in crate::commands) evidence_dir: Option<PathBuf>,
}

impl FolderArgs {
    /// Returns the options of a run that delivers no profiles.
    pub(in crate::commands) fn to_options(&self) -> ProvisioningOptions {
        ProvisioningOptions {
            profiles_dir: self.credentials_dir.clone(),
            evidence_dir: self.evidence_dir.clone(),
            ..ProvisioningOptions::default()
        }
    }
}

/// Flags for the encryption and delivery of profiles.
#[derive(Clone, Debug, Default, clap::Args)]
pub(in crate::commands) struct HandoverArgs {
    #[command(flatten)]
    pub(in crate::commands) folders: FolderArgs,
    /// Encrypt the profiles to this age recipient, in addition to the recipients in the department file. Repeatable.
    #[arg(long, value_name = "string")]
    recipient: Vec<String>,
    /// Encrypt the profiles to the age recipients in this file, one per line. Repeatable.
    #[arg(long, value_name = "string")]
    recipients_file: Vec<PathBuf>,
    /// Run this command without a shell for each finished profile, with the profile on standard input.
    #[arg(long, value_name = "string")]
    handover_command: Option<String>,
    /// Timeout of the hand-over command for each profile, such as 30s or 5m.
    #[arg(long, value_name = "duration", default_value = "1m", value_parser = parse_duration, requires = "handover_command")]
    handover_timeout: Option<Duration>,
    /// Remove the file of a profile after its delivery.
    #[arg(long, requires = "handover_command")]
    remove_delivered: bool,
}

impl HandoverArgs {
    /// Parses the recipients of all profiles.
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
        recipients.extend(read_recipients_files(&self.recipients_file)?);
        Ok(recipients)
    }

    /// Returns the options of a run that delivers profiles.
    pub(in crate::commands) fn to_options(&self) -> Result<ProvisioningOptions, Error> {
        let delivery = self.handover_command.as_ref().map(|command| DeliveryOptions {
            command: command.clone(),
            timeout: self.handover_timeout.unwrap_or(Duration::from_mins(1)),
            remove_delivered: self.remove_delivered,
        });
        Ok(ProvisioningOptions {
            recipients: self.parse_recipients()?,
            delivery,
            ..self.folders.to_options()
        })
    }
}
