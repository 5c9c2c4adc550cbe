//! `gitops promote`: the file of a connector for the next stage, from a stage in which the connector runs as its file says.

mod rewrite;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;

pub use self::rewrite::{ConfigValues, ReplacedValue, ReviewedValue, StagePairs};
use self::rewrite::{PromotionInput, config_values, rewrite};
use super::{
    file_tree::{CONNECTORS, ConnectorAddress, ConnectorTree},
    planning::plan_stage,
    settings::ConfiguredState,
    workspace::GitopsWorkspace,
};
use crate::{
    catalog::ValueKind,
    config::{IfExists, save::save_public},
    error::{Error, ErrorKind, ResultExt as _},
    manifest::connector_file,
    session::{ConnectorSession, RunContext},
};

/// File of a connector for another stage.
#[derive(Clone, Debug, Serialize)]
pub struct Promotion {
    /// Name of the connector.
    pub name: String,
    /// Code of the department: the name of its file without `.toml`.
    pub department: String,
    /// Stage in which the connector runs.
    pub from: String,
    /// Stage of the new file.
    pub to: String,
    /// Path of the new file below the repository.
    pub path: PathBuf,
    /// Whether a file of the stage is replaced.
    pub replaces: bool,
    /// Text of the file.
    pub text: String,
    /// Values that were replaced by those of the new stage.
    pub replaced: Vec<ReplacedValue>,
    /// Values that probably belong to the first stage only.
    pub review: Vec<ReviewedValue>,
    /// Keys whose value in the new stage was kept.
    pub kept: Vec<String>,
}

impl Promotion {
    /// Writes the file below `root`.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub fn write(&self, root: &Path) -> Result<(), Error> {
        let path = root.join(&self.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
        }
        save_public(&path, self.text.as_bytes(), IfExists::Replace)?;
        Ok(())
    }
}

/// Returns the file of the connector `name` for the stage `to`. The stage of the run is the one in which the connector runs.
///
/// # Errors
/// There is no file of the connector, files of its department have errors, the stage is unknown, the connector does not run,
/// or the connector and its file differ.
pub async fn promote_connector(
    run: &RunContext,
    workspace: &GitopsWorkspace,
    session: &mut ConnectorSession,
    name: &str,
    to: &str,
) -> Result<Promotion, Error> {
    let source = workspace.find_connector(run, name)?;
    if source.stage == to {
        return Err(Error::usage(format!("`--from` and `--to` are both `{to}`")));
    }
    let target = ConnectorAddress {
        stage: to.to_owned(),
        ..source.clone()
    };
    workspace.check_stage(&target)?;
    let departments = workspace.departments(run, session)?;
    let departments: Vec<_> = departments
        .into_iter()
        .filter(|department| department.code.as_str() == source.department)
        .collect();
    let errors = workspace.errors_in(&departments);
    if !errors.is_empty() {
        return Err(Error::findings("invalid connector files", errors).with_kind(ErrorKind::Refused));
    }
    let planned = plan_stage(run, workspace, session, departments, &[]).await?;
    for plan in &planned.plans {
        check_source(plan, &source)?;
    }
    promote_file(&workspace.tree, workspace.working_dir(), &source, &target)
}

/// Checks that the connector runs and is as its file says.
fn check_source(plan: &super::GitopsPlan, source: &ConnectorAddress) -> Result<(), Error> {
    let name = &source.name;
    let stage = &source.stage;
    let hint = format!("Promote what runs in `{stage}`: apply the file first, and wait until the connector runs.");
    let problems = plan.conflicts.iter().chain(&plan.errors);
    if let Some(problem) = problems
        .into_iter()
        .find(|problem| problem.connector.as_ref() == Some(name))
    {
        let text = format!(
            "connector `{name}` cannot be compared with its file: {}",
            problem.message
        );
        return Err(Error::refused(text).with_hint(hint));
    }
    if let Some(item) = plan.items.iter().find(|item| item.address == *source) {
        let text = format!(
            "connector `{name}` is not as its file for `{stage}` says: an apply would {} it",
            item.action
        );
        return Err(Error::refused(text).with_hint(hint));
    }
    let live = plan.states.iter().find(|live| live.name == *name);
    match live {
        Some(live) if live.state == "RUNNING" => Ok(()),
        Some(live) => Err(Error::refused(format!("connector `{name}` is {} in `{stage}`", live.state)).with_hint(hint)),
        None => Err(Error::refused(format!("connector `{name}` does not exist in `{stage}`")).with_hint(hint)),
    }
}

/// Returns the file of the connector `source` for the stage of `target`.
fn promote_file(
    tree: &ConnectorTree,
    working_dir: &Path,
    source: &ConnectorAddress,
    target: &ConnectorAddress,
) -> Result<Promotion, Error> {
    let file = &tree.connectors[source];
    let existing = tree.connectors.get(target);
    if existing.is_some_and(|file| file.settings.is_absent()) {
        let text = format!(
            "the file of `{}` in stage `{}` has `state: absent`",
            target.name, target.stage
        );
        return Err(Error::refused(text).with_hint("Delete that file when the connector is gone, then promote."));
    }
    let base = tree.bases.get(&(source.department.clone(), source.name.clone()));
    let base: ConfigValues = base
        .iter()
        .flat_map(|base| &base.entries)
        .map(|entry| (entry.key.clone(), entry.value.clone()))
        .collect();
    let (own, removed) = match existing {
        Some(existing) => own_entries(&working_dir.join(existing.path()))?,
        None => (ConfigValues::new(), BTreeSet::new()),
    };
    let in_both = tree.stage(&source.department, &source.stage).filter_map(|one| {
        let other = ConnectorAddress {
            stage: target.stage.clone(),
            ..one.address.clone()
        };
        let other = tree.connectors.get(&other)?;
        (one.address != *source).then(|| (config_values(one), config_values(other)))
    });
    let in_both: Vec<(ConfigValues, ConfigValues)> = in_both.collect();
    let pairs = StagePairs::new(in_both.iter().map(|(from, to)| (from, to)));
    let settings = [
        ("state", file.settings.state.and_then(state_name)),
        ("protect", file.settings.protect.then_some("true")),
    ];
    let settings = settings
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?.to_owned())));
    let rewritten = rewrite(&PromotionInput {
        source: &config_values(file),
        base: &base,
        own: &own,
        removed: &removed,
        pairs: &pairs,
        from: &source.stage,
        settings: &settings.collect::<Vec<_>>(),
    });
    let path = Path::new(CONNECTORS).join(&target.department).join(&target.stage);
    let extension = match existing {
        Some(existing) => existing.path().extension().unwrap_or_default().to_owned(),
        None => "yaml".into(),
    };
    if extension == "json" {
        let text = format!("the file of `{}` in stage `{}` is JSON", target.name, target.stage);
        return Err(Error::refused(text).with_hint("Rename it to `.yaml`, which JSON is, too, then promote again."));
    }
    Ok(Promotion {
        name: source.name.clone(),
        department: source.department.clone(),
        from: source.stage.clone(),
        to: target.stage.clone(),
        path: path.join(format!("{}.yaml", target.name)),
        replaces: existing.is_some(),
        text: rewritten.text,
        replaced: rewritten.replaced,
        review: rewritten.review,
        kept: rewritten.kept,
    })
}

fn state_name(state: ConfiguredState) -> Option<&'static str> {
    match state {
        ConfiguredState::Running => Some("running"),
        ConfiguredState::Paused => Some("paused"),
        ConfiguredState::Absent => None,
    }
}

/// Returns the values that the stage file itself sets, and the keys that it removes from the base.
fn own_entries(path: &Path) -> Result<(ConfigValues, BTreeSet<String>), Error> {
    let parsed = connector_file::read(path)
        .map_err(|findings| Error::findings(format!("cannot read `{}`", path.display()), findings))?;
    let mut values = BTreeMap::new();
    let mut removed = BTreeSet::new();
    for entry in parsed.entries.into_iter().filter(|entry| entry.key != "name") {
        match entry.kind {
            ValueKind::Null => {
                removed.insert(entry.key);
            }
            _ => {
                values.insert(entry.key, entry.value);
            }
        }
    }
    Ok((values, removed))
}
