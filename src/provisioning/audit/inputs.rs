//! Inputs of an audit: the snapshot and the desired state.

use std::{collections::BTreeMap, path::Path, time::Duration};

use crate::{
    access::audit::{DesiredState, KeyRecordStatus, desired_state},
    apply,
    catalog::topic_keys::topic_use,
    config::SnapshotFile,
    error::Error,
    manifest::Workspace,
    model::{ApiKeyId, ObservedConnector, Prefix, ServiceAccountId, Snapshot},
    provisioning::{ProvisioningOptions, access::load_snapshot},
    resources::{
        PROPAGATION_BUDGET,
        api_key::{ApiKeyStatus, KnownKeys},
    },
    session::{self, PlatformSession, RunContext, StatePaths},
};

/// Number of concurrent requests of an audit.
pub(super) const CONCURRENCY: u16 = 8;

/// Platform configuration and a snapshot of the organization.
pub(super) struct AuditInputs {
    pub(super) workspace: Workspace,
    pub(super) stage: String,
    pub(super) snapshot: Snapshot,
    pub(super) provisioner: ServiceAccountId,
    state_paths: StatePaths,
}

impl AuditInputs {
    /// Observes the organization.
    pub(super) async fn observe(run: &RunContext) -> Result<Self, Error> {
        if let Some((department, persona)) = run.options.impersonated_persona() {
            let message = format!("persona `{department}/{persona}` is not allowed to list role bindings");
            return Err(Error::usage(message).with_hint(
                "Audit as the provisioner with `--sandbox`, or as an administrator with `--sandbox-as admin`.",
            ));
        }
        let session = PlatformSession::open(run, usize::from(CONCURRENCY))?;
        for warning in &session.warnings {
            run.warn(&warning.message);
        }
        let snapshot = session.observe().await?;
        Self::new(session.workspace, session.stage_name, snapshot, session.state_paths)
    }

    /// Loads a saved snapshot.
    pub(super) fn load(run: &RunContext, file: &Path) -> Result<Self, Error> {
        let (workspace, saved) = load_snapshot(run, file)?;
        let state_paths = session::offline_state_paths(run, &workspace)?;
        Self::new(workspace, saved.stage, saved.snapshot, state_paths)
    }

    fn new(workspace: Workspace, stage: String, snapshot: Snapshot, state_paths: StatePaths) -> Result<Self, Error> {
        let written = workspace.platform.provisioner.clone();
        let Some(provisioner) = written.or_else(|| desired_state::find_provisioner(&snapshot)) else {
            let who = snapshot.display_name(&snapshot.observed_by);
            let message =
                format!("cannot determine the provisioner's service account from the data visible to `{who}`");
            return Err(Error::failed(message)
                .with_hint("Set `provisioner = \"sa-…\"` in `ebs.toml`.")
                .with_hint("Audit as the provisioner, or as an administrator of the organization."));
        };
        Ok(Self {
            workspace,
            stage,
            snapshot,
            provisioner,
            state_paths,
        })
    }

    /// Loads an earlier snapshot of the same organization.
    pub(super) fn load_earlier(&self, file: &Path) -> Result<Snapshot, Error> {
        let earlier = SnapshotFile::load(file)?.snapshot;
        if earlier.address.organization != self.snapshot.address.organization {
            return Err(Error::failed(format!(
                "snapshot `{}` is of organization `{}`, not of `{}`",
                file.display(),
                earlier.address.organization,
                self.snapshot.address.organization
            )));
        }
        Ok(earlier)
    }

    /// Loads the keys in the journal, the evidence and the profile folder.
    pub(super) fn load_known_keys(&self, options: &ProvisioningOptions) -> Result<KnownKeys, Error> {
        let journal = self
            .state_paths
            .journal_path(&self.snapshot.address.organization, &self.stage);
        let evidence = options.evidence_dir.as_ref().unwrap_or(&self.state_paths.evidence);
        let profile_store = self.state_paths.open_profile_store(options.profiles_dir.as_ref())?;
        let now = self.snapshot.taken_at;
        Ok(apply::load_known_keys(
            &journal,
            evidence,
            &profile_store,
            now,
            PROPAGATION_BUDGET,
        )?)
    }

    /// Returns the desired state.
    pub(super) fn desired_state<'a>(
        &'a self,
        known_keys: &KnownKeys,
        max_key_age: Duration,
        previous: Option<&'a Snapshot>,
    ) -> DesiredState<'a> {
        let platform = &self.workspace.platform;
        let no_records = known_keys.keys.is_empty() && known_keys.runs.is_empty() && known_keys.pending.is_empty();
        DesiredState {
            stage: &self.stage,
            departments: self.workspace.expected_departments(&self.stage, &self.snapshot.address),
            provisioner: self.provisioner.clone(),
            administrators: platform.administrators.iter().cloned().collect(),
            adopted: platform.adopt.iter().cloned().collect(),
            key_statuses: (!no_records).then(|| key_statuses(&self.snapshot, known_keys)),
            max_key_age,
            previous,
            topics_outside,
        }
    }
}

fn key_statuses(snapshot: &Snapshot, known_keys: &KnownKeys) -> BTreeMap<ApiKeyId, KeyRecordStatus> {
    let record_status = |status| match status {
        ApiKeyStatus::Delivered | ApiKeyStatus::Pending => KeyRecordStatus::Recorded,
        ApiKeyStatus::Orphaned => KeyRecordStatus::Orphaned,
        ApiKeyStatus::Unrecorded => KeyRecordStatus::Unrecorded,
    };
    let keys = snapshot.keys.iter();
    keys.map(|key| (key.id.clone(), record_status(known_keys.classify(key))))
        .collect()
}

/// Returns the topics of a connector outside the prefix of a department, as `key=value`, by the rules of the linter.
fn topics_outside(connector: &ObservedConnector, prefix: &Prefix) -> Vec<String> {
    let class = &connector.class;
    let outside = connector.topics.iter().filter_map(|(key, value)| {
        let outside = topic_use(class, key)?.first_outside(class, value, prefix)?;
        Some(format!("{key}={outside}"))
    });
    outside.collect()
}
