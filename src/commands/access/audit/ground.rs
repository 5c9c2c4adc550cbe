//! What is audited, and what it is compared with.

use std::{collections::BTreeMap, path::Path, time::Duration};

use crate::{
    access::audit::{Blueprint, KeyStanding, blueprint},
    apply,
    catalog::topic_keys::topic_use,
    commands::{
        Ctx,
        access::source,
        estate::FolderArgs,
        session::{self, Places, Session},
    },
    config::SavedSnapshot,
    error::Error,
    manifest::Workspace,
    model::{Prefix, SeenConnector, ServiceAccountId, Snapshot},
    resources::{
        PROPAGATION_BUDGET,
        api_key::{KeyClaim, Ledger},
    },
};

/// The platform's files, and what was seen.
pub(super) struct Ground {
    pub(super) workspace: Workspace,
    pub(super) stage: String,
    pub(super) seen: Snapshot,
    pub(super) provisioner: ServiceAccountId,
    places: Places,
}

impl Ground {
    /// Looks at the organization.
    pub(super) fn live(ctx: &Ctx) -> Result<Self, Error> {
        if let Some(somebody) = source::stand_in(ctx) {
            return Err(Error::usage(format!("{somebody} may not look at who may do what"))
                .with_hint("Audit as the provisioner with `--sandbox`, or with `--sandbox-as admin`."));
        }
        let session = Session::open(ctx, 8)?;
        for warning in &session.warnings {
            ctx.ui.warn(&warning.message);
        }
        let seen = ctx.block_on(async { Ok(session.look().await?) })?;
        Self::of(session.workspace, session.stage_name, seen, session.places)
    }

    /// Reads what was seen before.
    pub(super) fn saved(ctx: &Ctx, file: &Path) -> Result<Self, Error> {
        let (workspace, saved) = source::load(ctx, file)?;
        let places = session::offline_places(ctx, &workspace)?;
        Self::of(workspace, saved.stage, saved.snapshot, places)
    }

    fn of(workspace: Workspace, stage: String, seen: Snapshot, places: Places) -> Result<Self, Error> {
        let written = workspace.platform.provisioner.clone();
        let Some(provisioner) = written.or_else(|| blueprint::provisioner(&seen)) else {
            let who = seen.name_of(&seen.seen_by);
            let message = format!("which service account is the provisioner cannot be told from what {who} may see");
            return Err(Error::failed(message)
                .with_hint("Set `provisioner = \"sa-…\"` in ebs.toml.")
                .with_hint("Audit as the provisioner, or as an administrator of the organization."));
        };
        Ok(Self {
            workspace,
            stage,
            seen,
            provisioner,
            places,
        })
    }

    /// An earlier look at the same organization.
    pub(super) fn earlier(&self, file: &Path) -> Result<Snapshot, Error> {
        let earlier = SavedSnapshot::load(file)?.snapshot;
        if earlier.address.organization != self.seen.address.organization {
            return Err(Error::failed(format!(
                "the snapshot `{}` is of organization {}, not of {}",
                file.display(),
                earlier.address.organization,
                self.seen.address.organization
            )));
        }
        Ok(earlier)
    }

    /// What is known of our keys here.
    pub(super) fn ledger(&self, folders: &FolderArgs) -> Result<Ledger, Error> {
        let journal = self.places.journal_of(&self.seen.address.organization, &self.stage);
        let evidence = folders.evidence_dir.as_ref().unwrap_or(&self.places.evidence);
        let sink = self.places.sink(folders.credentials_dir.as_ref())?;
        let now = self.seen.taken_at;
        Ok(apply::ledger(&journal, evidence, &sink, now, PROPAGATION_BUDGET)?)
    }

    /// What the organization is compared with.
    pub(super) fn blueprint<'a>(
        &'a self,
        ledger: &Ledger,
        max_key_age: Duration,
        earlier: Option<&'a Snapshot>,
    ) -> Blueprint<'a> {
        let platform = &self.workspace.platform;
        let blank = ledger.keys.is_empty() && ledger.runs.is_empty() && ledger.waiting.is_empty();
        Blueprint {
            stage: &self.stage,
            departments: self.workspace.expected(&self.stage, &self.seen.address),
            provisioner: self.provisioner.clone(),
            administrators: platform.administrators.iter().cloned().collect(),
            adopted: platform.adopt.iter().cloned().collect(),
            keys: (!blank).then(|| standings(&self.seen, ledger)),
            max_key_age,
            earlier,
            outside,
        }
    }
}

fn standings(seen: &Snapshot, ledger: &Ledger) -> BTreeMap<crate::model::ApiKeyId, KeyStanding> {
    let standing = |claim| match claim {
        KeyClaim::Held | KeyClaim::Waiting => KeyStanding::Vouched,
        KeyClaim::Orphan => KeyStanding::Orphan,
        KeyClaim::Unvouched => KeyStanding::Unvouched,
    };
    let keys = seen.keys.iter();
    keys.map(|key| (key.id.clone(), standing(ledger.claim(key)))).collect()
}

/// The topics of a connector that lie outside a department, as the linter judges them.
fn outside(connector: &SeenConnector, prefix: &Prefix) -> Vec<String> {
    let class = &connector.class;
    let outside = connector.topics.iter().filter_map(|(key, value)| {
        let outside = topic_use(class, key)?.outside(class, value, prefix)?;
        Some(format!("{key}={outside}"))
    });
    outside.collect()
}
