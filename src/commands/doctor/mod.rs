//! `confluent ebs doctor`: what works, what does not, and what to do about it.

mod assumptions;
mod bundle;
mod connection;
mod run_checks;
mod kafka;
mod environment;
mod view;

use std::{path::PathBuf, time::Duration};

use serde::Serialize;

use self::{assumptions::AssumptionList, bundle::DoctorBundleOutput, environment::DoctorEnvironment};
use super::{CommandOutput, Ctx, duration::parse_duration};
use crate::{
    checks::{self, DoctorReport},
    error::Error,
    exit::ExitCode,
    render::{Block, Viewable},
};

/// Find out what works, what does not, and what to do about it.
///
/// It looks at how the plugin is installed, at this computer, the profile and its key, the way to Confluent Cloud, the
/// platform's files, and at what the key may do. Nothing is changed anywhere. Each check is ok, a problem, or unknown;
/// the exit code is 6 when there is a problem.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Look at everything, with the key that other commands would use.

  $ confluent ebs doctor

Look at a profile that was handed over.

  $ confluent ebs doctor --profile ./claims-operator.toml

List what nobody could yet try on a live organization, with the call that settles each.

  $ confluent ebs doctor --assumptions

Collect what a colleague needs to help, without a secret.

  $ confluent ebs doctor --bundle doctor.json")]
pub(super) struct DoctorArgs {
    /// List the behaviour of Confluent Cloud that is assumed and not proved, and look at nothing.
    #[arg(long)]
    assumptions: bool,
    /// Write what was seen, with versions, settings and the last lines of the journals, into this new JSON file.
    #[arg(long, value_name = "string", conflicts_with = "assumptions")]
    bundle: Option<PathBuf>,
    /// Look at nothing beyond this computer.
    #[arg(long)]
    offline: bool,
    /// How long an answer is waited for, such as 10s.
    #[arg(long, value_name = "duration", default_value = "10s", value_parser = parse_duration)]
    timeout: Duration,
}

impl DoctorArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<DoctorOutput>, Error> {
        if self.assumptions {
            return Ok(CommandOutput::new(DoctorOutput::Assumptions(AssumptionList::new(
                checks::assumptions::all(),
            ))));
        }
        let surroundings = DoctorEnvironment::discover(ctx)?;
        let bundle = self.bundle.as_deref().map(bundle::check_new_file).transpose()?;
        let diagnosis = run_checks::run(ctx, &surroundings, &self)?;
        if let Some(file) = bundle {
            return bundle::write(ctx, file, &surroundings, diagnosis)
                .map(|bundled| CommandOutput::new(DoctorOutput::Bundled(bundled)));
        }
        let code = match diagnosis.problems {
            0 => ExitCode::Ok,
            _ => ExitCode::Unhealthy,
        };
        Ok(CommandOutput::new(DoctorOutput::Diagnosis(diagnosis)).with_code(code))
    }
}

/// What `doctor` answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum DoctorOutput {
    /// What was looked at.
    Diagnosis(DoctorReport),
    /// What is assumed.
    Assumptions(AssumptionList),
    /// Where everything was written.
    Bundled(DoctorBundleOutput),
}

impl Viewable for DoctorOutput {
    fn view(&self) -> Vec<Block> {
        match self {
            Self::Diagnosis(diagnosis) => view::diagnosis_blocks(diagnosis),
            Self::Assumptions(list) => list.view(),
            Self::Bundled(bundled) => bundled.view(),
        }
    }
}
