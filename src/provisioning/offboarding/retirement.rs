//! Record of an off-boarding in the department's file: `stages` without the stage while other stages remain, otherwise
//! `retired = DATE`, which reserves the prefix forever.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Serialize;

use crate::{
    config::save,
    error::{Error, ResultExt},
    manifest::WorkspaceOrigin,
    model::{Department, Snapshot},
    session::{PlatformSession, RunContext},
};

/// Another stage in which the department still has accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RemainingStage {
    /// Name of the stage.
    pub stage: String,
    /// Number of service accounts.
    pub accounts: usize,
}

impl RemainingStage {
    /// Finds the stages other than `stage` in which `department` has accounts, sorted by name.
    pub(super) fn find_all(snapshot: &Snapshot, department: &Department, stage: &str) -> Vec<Self> {
        let mut accounts: BTreeMap<String, usize> = BTreeMap::new();
        let tags = snapshot.accounts.iter().filter_map(crate::model::ObservedAccount::tag);
        for tag in tags.filter(|tag| tag.department == department.code && tag.stage != stage) {
            *accounts.entry(tag.stage).or_default() += 1;
        }
        let stages = accounts.into_iter();
        stages.map(|(stage, accounts)| Self { stage, accounts }).collect()
    }
}

/// Change of a department's file by an off-boarding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retirement {
    /// Date of the retirement, if no other stage remains.
    pub on: Option<jiff::civil::Date>,
    /// Remaining stages, if the department is not retired.
    pub stages: Option<Vec<String>>,
    /// Department file; `None` for the built-in example, which has no files.
    pub file: Option<PathBuf>,
    /// Whether the file states it. A rehearsal in the sandbox does not change the platform's files.
    pub recorded: bool,
}

impl Retirement {
    /// Plans the record; `None` if the file states it already.
    pub(super) fn plan(
        session: &PlatformSession,
        department: &Department,
        remaining: &[RemainingStage],
    ) -> Option<Self> {
        if department.retired.is_some() {
            return None;
        }
        let stage = &session.stage_name;
        let platform = &session.workspace.platform;
        let stages: Vec<String> = match &department.stages {
            Some(stages) if !stages.contains(stage) => return None,
            Some(stages) => stages.iter().filter(|allowed| *allowed != stage).cloned().collect(),
            // Without the key, all stages are allowed, but only accounts show that another stage is in use.
            None if remaining.is_empty() => Vec::new(),
            None => platform.stages.keys().filter(|name| *name != stage).cloned().collect(),
        };
        if stages.is_empty() && !remaining.is_empty() {
            return None;
        }
        let today = session.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let file = match &session.workspace.origin {
            WorkspaceOrigin::Folder(folder) => {
                Some(folder.join("departments").join(format!("{}.toml", department.code)))
            }
            WorkspaceOrigin::Embedded | WorkspaceOrigin::ProfileOnly => None,
        };
        Some(Self {
            on: stages.is_empty().then_some(today),
            stages: (!stages.is_empty()).then_some(stages),
            file,
            recorded: false,
        })
    }

    /// Returns the line of the file: `retired = 2026-11-26` or `stages = ["prod"]`.
    #[must_use]
    pub fn setting(&self) -> String {
        match (&self.on, &self.stages) {
            (Some(on), _) => format!("retired = {on}"),
            (None, stages) => format!("stages = {:?}", stages.as_deref().unwrap_or_default()),
        }
    }

    /// Writes the record into the department's file, unless the run is a rehearsal. The rest of the file is unchanged.
    pub(super) fn record(&mut self, run: &RunContext, session: &PlatformSession) -> Result<(), Error> {
        let Some(path) = &self.file else {
            run.info("The built-in example has no files, so the off-boarding is not recorded.");
            return Ok(());
        };
        if session.is_rehearsal {
            return Ok(());
        }
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let changed = self
            .edit(&text)
            .with_context(|| format!("cannot parse `{}` as TOML", path.display()))?;
        save::save(path, changed.as_bytes(), save::IfExists::Replace)
            .context("cannot record the off-boarding; nothing was changed")?;
        self.recorded = true;
        Ok(())
    }

    /// Returns the text of a department file with the record, inserted before the first table.
    fn edit(&self, text: &str) -> Result<String, toml_edit::TomlError> {
        let mut document: toml_edit::DocumentMut = text.parse()?;
        if let Some(on) = self.on {
            let day = toml_edit::Date {
                year: u16::try_from(on.year()).unwrap_or_default(),
                month: u8::try_from(on.month()).unwrap_or_default(),
                day: u8::try_from(on.day()).unwrap_or_default(),
            };
            let value = toml_edit::Datetime {
                date: Some(day),
                time: None,
                offset: None,
            };
            document["retired"] = toml_edit::value(value);
        } else {
            let stages: toml_edit::Array = self.stages.iter().flatten().collect();
            document["stages"] = toml_edit::value(stages);
        }
        Ok(document.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# who\nname = \"Claims\"   # ours\nprefix = \"claims-\"\n\n[quota]\ntasks = 3\n";

    fn retirement(on: Option<jiff::civil::Date>, stages: &[&str]) -> Retirement {
        Retirement {
            on,
            stages: on.is_none().then(|| stages.iter().map(ToString::to_string).collect()),
            file: None,
            recorded: false,
        }
    }

    #[test]
    fn the_date_is_inserted_at_the_top_and_the_rest_is_unchanged() {
        let retired = retirement(Some(jiff::civil::date(2026, 11, 26)), &[]);
        assert_eq!(retired.setting(), "retired = 2026-11-26");
        assert_eq!(
            retired.edit(TEXT).unwrap(),
            "# who\nname = \"Claims\"   # ours\nprefix = \"claims-\"\nretired = 2026-11-26\n\n[quota]\ntasks = 3\n"
        );
    }

    #[test]
    fn remaining_stages_replace_the_list_or_are_inserted_at_the_top() {
        let rest = retirement(None, &["prod"]);
        assert_eq!(rest.setting(), "stages = [\"prod\"]");
        assert_eq!(
            rest.edit(TEXT).unwrap(),
            "# who\nname = \"Claims\"   # ours\nprefix = \"claims-\"\nstages = [\"prod\"]\n\n[quota]\ntasks = 3\n"
        );
        let listed = TEXT.replace("prefix =", "stages = [\"test\", \"prod\"] # both\nprefix =");
        assert!(rest.edit(&listed).unwrap().contains("\nstages = [\"prod\"]"));
    }
}
