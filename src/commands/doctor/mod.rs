//! `confluent ebs doctor`: checks the setup and suggests fixes.

mod assumptions;
mod bundle;
mod view;

use std::{path::PathBuf, time::Duration};

use serde::Serialize;

use self::{assumptions::AssumptionList, bundle::DoctorBundleOutput};
use super::{CommandOutput, Ctx, duration::parse_duration};
use crate::{
    checks::{
        self, DoctorReport,
        doctor::{DoctorInputs, DoctorOptions, run_checks},
    },
    error::Error,
    exit::ExitCode,
    render::{Block, Viewable},
};

/// Check your setup and suggest fixes
///
/// Checks the installation, this machine, the profile and its key, the connection to Confluent Cloud, the platform
/// configuration, and the permissions of the key. Changes nothing. Each check is ok, a problem, or unknown. Exits with
/// 6 if there is a problem.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Check your setup with the key that other commands would use.

  $ confluent ebs doctor

Check a profile file.

  $ confluent ebs doctor --profile ./claims-operator.toml

List unverified assumptions about Confluent Cloud, each with the request that verifies it.

  $ confluent ebs doctor --assumptions

Write a support bundle without secrets.

  $ confluent ebs doctor --bundle doctor.json")]
pub(super) struct DoctorArgs {
    /// List the assumptions about Confluent Cloud that are not verified, and run no checks.
    #[arg(long)]
    assumptions: bool,
    /// Write a support bundle with results, versions, settings and journals to this new JSON file.
    #[arg(long, value_name = "string", conflicts_with = "assumptions")]
    bundle: Option<PathBuf>,
    /// Run only the checks that need no network.
    #[arg(long)]
    offline: bool,
    /// Timeout of each request, such as 10s.
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
        let inputs = DoctorInputs::collect(&ctx.run)?;
        let bundle = self.bundle.as_deref().map(bundle::check_new_file).transpose()?;
        let options = DoctorOptions {
            offline: self.offline,
            timeout: self.timeout,
        };
        let diagnosis = ctx.block_on_reading(run_checks(&ctx.run, &inputs, options))?;
        if let Some(file) = bundle {
            return bundle::write(ctx, file, &inputs, diagnosis)
                .map(|bundled| CommandOutput::new(DoctorOutput::Bundled(bundled)));
        }
        let code = match diagnosis.problems {
            0 => ExitCode::Ok,
            _ => ExitCode::Unhealthy,
        };
        Ok(CommandOutput::new(DoctorOutput::Diagnosis(diagnosis)).with_code(code))
    }
}

/// Result of `doctor`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum DoctorOutput {
    /// Results of the checks.
    Diagnosis(DoctorReport),
    /// Assumptions.
    Assumptions(AssumptionList),
    /// Location of the support bundle.
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
