//! Inputs of an audit: the snapshot and the desired state.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use crate::{
    access::audit::{DesiredState, KeyRecordStatus, TransformOutside, desired_state},
    api::keys::CLOUD,
    apply,
    catalog::{
        ConnectorDirection, catalog,
        topic_keys::{TopicUse, topic_use},
        topic_transforms::{TopicPlacement, place_transformed, topic_transforms},
    },
    config::SnapshotFile,
    error::Error,
    manifest::Workspace,
    model::{ApiKeyId, ObservedConnector, ObservedKey, Prefix, ServiceAccountId, Snapshot},
    provisioning::{ProvisioningOptions, access::load_snapshot},
    resources::{
        PROPAGATION_BUDGET,
        api_key::{ApiKeyStatus, KnownKeys},
    },
    session::{self, PlatformSession, RunContext, SandboxInfo, StatePaths},
};

/// Number of concurrent requests of an audit.
pub(super) const CONCURRENCY: u16 = 8;

/// Platform configuration and a snapshot of the organization.
pub(super) struct AuditInputs {
    pub(super) workspace: Workspace,
    pub(super) stage: String,
    pub(super) snapshot: Snapshot,
    /// `None` if several accounts can be it.
    pub(super) provisioner: Option<ServiceAccountId>,
    /// Principals and keys that the sandbox starts with.
    seeded: Option<SandboxInfo>,
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
        session::report_warnings(run, &session.warnings);
        let snapshot = session.observe().await?;
        Self::new(
            run,
            session.workspace,
            session.stage_name,
            snapshot,
            session.state_paths,
        )
    }

    /// Loads a saved snapshot.
    pub(super) fn load(run: &RunContext, file: &Path) -> Result<Self, Error> {
        let (workspace, saved) = load_snapshot(run, file)?;
        let state_paths = session::offline_state_paths(run, &workspace)?;
        Self::new(run, workspace, saved.stage, saved.snapshot, state_paths)
    }

    fn new(
        run: &RunContext,
        workspace: Workspace,
        stage: String,
        snapshot: Snapshot,
        state_paths: StatePaths,
    ) -> Result<Self, Error> {
        let written = workspace.platform.provisioner.clone();
        let provisioner = written.or_else(|| desired_state::find_provisioner(&snapshot));
        if provisioner.is_none() && desired_state::provisioner_candidates(&snapshot).is_empty() {
            let who = snapshot.display_name(&snapshot.observed_by);
            let message =
                format!("cannot determine the provisioner's service account from the data visible to `{who}`");
            return Err(Error::failed(message)
                .with_hint("Set `provisioner = \"sa-…\"` in `ebs.toml`.")
                .with_hint("Audit as the provisioner, or as an administrator of the organization."));
        }
        let seeded = session::sandbox_info(run, &workspace)?;
        let seeded = seeded.filter(|info| info.organization == snapshot.address.organization.as_str());
        Ok(Self {
            workspace,
            stage,
            snapshot,
            provisioner,
            seeded,
            state_paths,
        })
    }

    /// Loads an earlier snapshot of the same organization.
    pub(super) fn load_earlier(&self, file: &Path) -> Result<Snapshot, Error> {
        let earlier = SnapshotFile::load(file)?.snapshot;
        if earlier.address.organization != self.snapshot.address.organization {
            return Err(Error::failed(format!(
                "snapshot `{}` is from organization `{}`, not `{}`",
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
        Ok(apply::load_known_keys(
            &journal,
            evidence,
            &profile_store,
            &self.snapshot,
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
        // In a rehearsal, `ebs.toml` cannot name the principals and keys that the sandbox starts with.
        let mut administrators: BTreeSet<String> = platform.administrators.iter().cloned().collect();
        let mut provisioner_keys = platform.provisioner_keys.clone().map(BTreeSet::from_iter);
        if let Some(seeded) = &self.seeded {
            let stages = seeded.stages.iter().map(|stage| stage.provisioner_kafka_key.clone());
            let keys = stages.chain([seeded.provisioner_key.clone()]);
            let recorded = provisioner_keys.get_or_insert_default();
            recorded.extend(keys);
            // Stages that `ebs.toml` no longer has keep the key that the sandbox started with.
            let is_stage = |key: &&ObservedKey| {
                key.resource == CLOUD || seeded.stages.iter().any(|stage| stage.cluster == key.resource)
            };
            let owned = self
                .snapshot
                .keys
                .iter()
                .filter(|key| key.owner.id() == seeded.provisioner);
            recorded.extend(owned.filter(|key| !is_stage(key)).map(|key| key.id.to_string()));
            if administrators.is_empty() {
                administrators.insert(seeded.admin.clone());
            }
        }
        DesiredState {
            stage: &self.stage,
            departments: self.workspace.expected_departments(&self.stage, &self.snapshot.address),
            provisioner: self.provisioner.clone(),
            provisioner_keys,
            administrators,
            adopted: platform.adopt.iter().cloned().collect(),
            rejected_records: known_keys.rejected.clone(),
            key_statuses: (!no_records).then(|| key_statuses(&self.snapshot, known_keys)),
            max_key_age,
            previous,
            topics_outside,
            transform_outside,
            dead_letter_topics,
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

/// Returns the transform with which a source writes outside the prefix of a department, by the rules of the linter.
fn transform_outside(connector: &ObservedConnector, prefix: &Prefix) -> Option<TransformOutside> {
    let is_sink = match catalog().plugin(&connector.class) {
        Some(plugin) => plugin.direction == ConnectorDirection::Sink,
        // Only sinks list topics to read.
        None => ["topics", "topics.regex"]
            .iter()
            .any(|key| connector.topics.contains_key(*key)),
    };
    let settings = connector.transforms.as_ref().filter(|_| !is_sink)?;
    let transforms = topic_transforms(|key| settings.get(key).map(String::as_str));
    let (placement, cause) = place_transformed(&transforms, prefix.as_str());
    let cause = cause?;
    Some(TransformOutside {
        setting: match cause.template() {
            Some(template) => format!("{}={template}", cause.key),
            None => cause.key.clone(),
        },
        is_certain: placement == TopicPlacement::Outside,
    })
}

/// Returns the topics of a connector for failed records and reports, with their keys.
fn dead_letter_topics(connector: &ObservedConnector) -> Vec<(String, String)> {
    let topics = connector.topics.iter();
    topics
        .filter(|(key, _)| topic_use(&connector.class, key) == Some(TopicUse::DeadLetters))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
