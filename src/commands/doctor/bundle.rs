//! `confluent ebs doctor --bundle`: a support bundle in one JSON file.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::{
    checks::{
        DoctorReport,
        doctor::{DoctorInputs, SupportBundle},
    },
    commands::Ctx,
    config::{IfExists, SaveError, save::save},
    error::{Error, ResultExt},
    render::{Block, TextLine, Viewable, json_document},
    text::count_noun,
};

/// Checks that `path` does not exist yet.
pub(super) fn check_new_file(path: &Path) -> Result<&Path, Error> {
    match path.symlink_metadata() {
        Ok(_) => Err(SaveError::Exists(path.to_owned()).into()),
        Err(_) => Ok(path),
    }
}

/// Collects the bundle and writes it to `file`.
pub(super) fn write(
    ctx: &Ctx,
    file: &Path,
    inputs: &DoctorInputs,
    report: DoctorReport,
) -> Result<DoctorBundleOutput, Error> {
    let output = DoctorBundleOutput {
        file: file.to_owned(),
        ok: report.ok,
        problems: report.problems,
        unknown: report.unknown,
    };
    let bundle = SupportBundle::collect(&ctx.run, inputs, report)?;
    let text = json_document(&bundle).context("cannot write the support bundle as JSON")?;
    save(file, text.as_bytes(), IfExists::Keep)?;
    Ok(output)
}

/// Location of the written bundle.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct DoctorBundleOutput {
    file: PathBuf,
    ok: usize,
    problems: usize,
    unknown: usize,
}

impl Viewable for DoctorBundleOutput {
    fn view(&self) -> Vec<Block> {
        vec![Block::Lines(vec![
            TextLine::from(format!(
                "Wrote `{}`: {} ok, {}, {} unknown.",
                self.file.display(),
                self.ok,
                count_noun(self.problems, "problem"),
                self.unknown
            )),
            "It contains no secrets, but ids, names and file names: review it before you share it outside of your organization."
                .into(),
        ])]
    }
}
