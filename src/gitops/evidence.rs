//! Evidence of applies: which commit and which plan changed which connectors, with request ids and without values.
//!
//! If evidence is committed in the repository of the connectors, a change of a connector that no evidence names is a high
//! risk. Only committed files count, so that a plan depends on the commit and the service alone, not on the machine.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    plan::{ItemAction, PlanItem},
    workspace::GitopsWorkspace,
};
use crate::{
    config::{
        IfExists,
        save::{save, save_public},
    },
    error::{Error, ResultExt as _},
    private,
    redact::SecretRegistry,
    session::{ConnectorSession, git::Git},
};

/// Folder of the evidence of applies, beside `connectors`.
pub const EVIDENCE: &str = "evidence/connectors";

/// Version of the format.
const VERSION: u32 = 1;

/// Evidence of an apply for one department in one stage.
#[derive(Clone, Debug, Serialize)]
pub struct ApplyEvidence {
    /// Version of the format.
    pub version: u32,
    /// Time at which the apply ended.
    pub at: Timestamp,
    /// Version of this program.
    pub program: &'static str,
    /// Commit of the files; `None` outside of a Git repository.
    pub commit: Option<String>,
    /// Whether the connector files differed from the commit.
    pub is_modified: bool,
    /// Code of the department: the name of its file without `.toml`.
    pub department: String,
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: String,
    /// Id of the plan.
    pub plan: Option<String>,
    /// What approved the changes, such as `plan` or `max-risk normal`.
    pub approval: String,
    /// Ticket that allowed the apply during a freeze.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<String>,
    /// Id of the API key.
    pub api_key: Option<String>,
    /// Changes in the order of the plan.
    pub items: Vec<EvidenceItem>,
}

/// Change of a connector in evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceItem {
    /// Id of the item in the plan.
    pub id: String,
    /// Name of the connector.
    pub name: String,
    /// Action of the item.
    pub action: ItemAction,
    /// Id of the connector; `None` if it was not created.
    pub lcc: Option<String>,
    /// Risk of the change, such as `normal`.
    pub risk: String,
    /// How the change ended.
    pub result: ItemResult,
    /// Ids of the requests that wrote, in their order.
    pub requests: Vec<String>,
}

/// How a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemResult {
    /// The change is in force.
    Done,
    /// The change failed, or its end is unknown.
    Failed,
    /// The change was not started.
    NotStarted,
    /// The change waits for an approval.
    HeldBack,
}

impl EvidenceItem {
    /// Returns whether the change is in force.
    fn is_done(&self) -> bool {
        self.result == ItemResult::Done
    }

    /// Returns the evidence of a change that did not start.
    pub(super) fn not_started(item: &PlanItem, result: ItemResult) -> Self {
        Self {
            id: item.id.clone(),
            name: item.address.name.clone(),
            action: item.action,
            lcc: item.lcc.clone(),
            risk: item.risk.to_string(),
            result,
            requests: Vec::new(),
        }
    }
}

/// What a reader needs of an evidence file.
#[derive(Deserialize)]
struct RecordedApply {
    version: u32,
    items: Vec<EvidenceItem>,
}

/// What the caller of an apply knows about it.
#[derive(Clone, Debug)]
pub struct EvidenceContext {
    /// Folder of the repository.
    pub root: PathBuf,
    /// Folder of the evidence.
    pub folder: PathBuf,
    /// Whether the folder may be read by others, because it is meant to be committed.
    pub is_public: bool,
    /// What approved the changes.
    pub approval: String,
    /// Ticket that allowed the apply during a freeze.
    pub break_glass: Option<String>,
}

impl EvidenceContext {
    /// Returns the context of an apply in `workspace`. Evidence is written to `folder`, or beside `ebs.toml`, where it is
    /// meant to be committed, or to the state folder. Rehearsals in a sandbox never leave evidence in a repository.
    #[must_use]
    pub fn new(
        workspace: &GitopsWorkspace,
        session: &ConnectorSession,
        folder: Option<PathBuf>,
        approval: String,
    ) -> Self {
        let root = workspace.root().to_owned();
        let is_kept = workspace.platform.is_some() || root.join("evidence").is_dir();
        let (folder, is_public) = match folder {
            Some(folder) => (folder, true),
            None if is_kept && !session.is_sandbox => (root.join(EVIDENCE), true),
            None => (session.evidence_dir.join("connectors"), false),
        };
        Self {
            root,
            folder,
            is_public,
            approval,
            break_glass: None,
        }
    }

    /// Returns the evidence of an apply that ended at `at`, for the commit in the repository.
    pub(super) fn evidence(
        &self,
        at: Timestamp,
        (department, stage): (&str, &str),
        plan: Option<String>,
        api_key: Option<String>,
        items: Vec<EvidenceItem>,
        secrets: &SecretRegistry,
    ) -> ApplyEvidence {
        let git = Git {
            folder: &self.root,
            secrets,
        };
        let commit = git.current_commit(&["connectors"]);
        ApplyEvidence {
            version: VERSION,
            at,
            program: env!("CARGO_PKG_VERSION"),
            is_modified: commit.as_ref().is_some_and(|commit| commit.is_modified),
            commit: commit.map(|commit| commit.hash),
            department: department.to_owned(),
            stage: stage.to_owned(),
            plan,
            approval: self.approval.clone(),
            break_glass: self.break_glass.clone(),
            api_key,
            items,
        }
    }

    /// Writes `evidence` without secrets and returns the path.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub(super) fn write(
        &self,
        evidence: &ApplyEvidence,
        run: &str,
        secrets: &SecretRegistry,
    ) -> Result<PathBuf, Error> {
        let failed = || format!("cannot write evidence to `{}`", self.folder.display());
        match self.is_public {
            true => private::create_readable_dir(&self.folder).with_context(failed)?,
            false => private::create_dir(&self.folder).with_context(failed)?,
        }
        let at = evidence.at.strftime("%Y%m%dT%H%M%SZ");
        let name = format!("{}-{}-{at}-{run}.json", evidence.department, evidence.stage);
        let path = self.folder.join(name);
        let mut document = serde_json::to_value(evidence)?;
        secrets.redact_json(&mut document);
        let write = if self.is_public { save_public } else { save };
        write(&path, format!("{document:#}\n").as_bytes(), IfExists::Replace).with_context(failed)?;
        Ok(path)
    }
}

/// Returns the ids of the connectors that the committed evidence in the repository `root` names as changed; `None` if no
/// evidence is committed. Files that are not evidence are skipped.
#[must_use]
pub fn read_recorded_connectors(root: &Path, secrets: &SecretRegistry) -> Option<BTreeSet<String>> {
    if !root.join(EVIDENCE).is_dir() {
        return None;
    }
    let git = Git { folder: root, secrets };
    let files = git.committed_files(EVIDENCE);
    let mut recorded = None;
    for path in files {
        // Other files, such as a README, are no JSON document of this form.
        let text = fs::read_to_string(root.join(path)).unwrap_or_default();
        let Ok(apply) = serde_json::from_str::<RecordedApply>(&text) else {
            continue;
        };
        if apply.version == VERSION {
            let done = apply.items.into_iter().filter(EvidenceItem::is_done);
            recorded
                .get_or_insert_with(BTreeSet::new)
                .extend(done.filter_map(|item| item.lcc));
        }
    }
    recorded
}
