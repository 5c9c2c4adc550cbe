//! `confluent ebs doctor`: what works, what does not, and what to do about it.

mod assumptions;
mod bundle;
mod connection;
mod examine;
mod kafka;
mod surroundings;
mod view;

use std::{path::PathBuf, time::Duration};

use serde::Serialize;

use self::{assumptions::AssumptionList, bundle::Bundled, surroundings::Surroundings};
use super::{Ctx, Report, duration::duration};
use crate::{
    checks::{self, Diagnosis},
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
pub(super) struct Doctor {
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
    #[arg(long, value_name = "duration", default_value = "10s", value_parser = duration)]
    timeout: Duration,
}

impl Doctor {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Told>, Error> {
        if self.assumptions {
            return Ok(Report::new(Told::Assumptions(AssumptionList::new(
                checks::assumptions::all(),
            ))));
        }
        let surroundings = Surroundings::look(ctx)?;
        let bundle = self.bundle.as_deref().map(bundle::new_file).transpose()?;
        let diagnosis = examine::examine(ctx, &surroundings, &self)?;
        if let Some(file) = bundle {
            return bundle::write(ctx, file, &surroundings, diagnosis)
                .map(|bundled| Report::new(Told::Bundled(bundled)));
        }
        let code = match diagnosis.problems {
            0 => ExitCode::Ok,
            _ => ExitCode::Unhealthy,
        };
        Ok(Report::new(Told::Diagnosis(diagnosis)).with_code(code))
    }
}

/// What `doctor` answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Told {
    /// What was looked at.
    Diagnosis(Diagnosis),
    /// What is assumed.
    Assumptions(AssumptionList),
    /// Where everything was written.
    Bundled(Bundled),
}

impl Viewable for Told {
    fn view(&self) -> Vec<Block> {
        match self {
            Self::Diagnosis(diagnosis) => view::diagnosis(diagnosis),
            Self::Assumptions(list) => list.view(),
            Self::Bundled(bundled) => bundled.view(),
        }
    }
}
