//! `confluent ebs keys revoke`.

use std::collections::BTreeMap;

use super::view::{KeysChangeOutput, plan_blocks};
use crate::{
    commands::{CommandOutput, Ctx, provisioning::HandoverArgs},
    error::Error,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{AclBinding, ApiKeyId, DepartmentCode, Listing, ObservedAccount, ObservedKey, Principal, Snapshot},
    plan::{Plan, rotation::plan_revocation},
    provisioning::{AclLookup, Reconciliation, check_refusals, incomplete_run_error},
    resources::api_key::ApiKeyStatus,
    session::{Options, PlatformSession},
    text,
};

/// Delete API keys
///
/// Shows which persona loses which access, and refuses to delete the only working key of a persona. For a leaked key,
/// --now deletes it immediately, creates a new key, tests it and delivers it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Delete a key that has been replaced.

  $ confluent ebs keys revoke ABCDEFGHIJKLMNOP

Delete a leaked key immediately, and create a new one for its persona.

  $ confluent ebs keys revoke ABCDEFGHIJKLMNOP --now --yes")]
pub(super) struct KeysRevokeArgs {
    /// IDs of API keys.
    #[arg(value_name = "api-key", required = true)]
    keys: Vec<ApiKeyId>,
    /// Delete the keys even if they are the only ones, and create new ones.
    #[arg(long)]
    now: bool,
    /// Do not create new keys.
    #[arg(long, requires = "now")]
    no_replace: bool,
    /// Skip the deletion confirmation prompt.
    #[arg(long)]
    force: bool,
    /// Show the plan without committing changes.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    handover: HandoverArgs,
}

/// Keys of one persona to revoke.
struct PersonaRevocation<'a> {
    desired: &'a DesiredDepartment,
    persona: &'a DesiredPersona,
    keys: Vec<&'a ObservedKey>,
    /// Remaining delivered keys, newest first.
    remaining: Vec<&'a ObservedKey>,
}

impl KeysRevokeArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<KeysChangeOutput>, Error> {
        let session = PlatformSession::open(&ctx.run, 8)?;
        ctx.block_on(self.revoke(ctx, &session))
    }

    async fn revoke(&self, ctx: &Ctx, session: &PlatformSession) -> Result<CommandOutput<KeysChangeOutput>, Error> {
        let all: Vec<_> = session.workspace.active_departments().cloned().collect();
        let reconciliation =
            Reconciliation::observe(&ctx.run, session, &all, self.handover.to_options()?, AclLookup::NoRetry).await?;
        let snapshot = &reconciliation.observed.snapshot;
        let revocations = self.group_by_persona(&ctx.run.options, &reconciliation, snapshot)?;
        let mut plan = Plan::default();
        for revocation in &revocations {
            self.plan_revocation(&reconciliation, revocation, &mut plan)?;
        }
        check_refusals("keys revoke", &plan)?;
        let changed = KeysChangeOutput::new(&session.stage_name, reconciliation.profile_store.folder(), &plan);
        if self.dry_run {
            return Ok(CommandOutput::new(changed.planned()));
        }
        if plan.is_empty() {
            return Ok(CommandOutput::new(
                changed.with_evidence(reconciliation.finalize_evidence()?),
            ));
        }
        reconciliation.check_profiles_writable(&plan)?;
        if !self.force && !ctx.globals.yes {
            let mut codes: Vec<DepartmentCode> = revocations
                .iter()
                .map(|revocation| revocation.desired.department.code.clone())
                .collect();
            codes.dedup();
            ctx.ui.print_preview(&plan_blocks(&plan, &codes))?;
            let ids: Vec<&str> = self.keys.iter().map(ApiKeyId::as_str).collect();
            let noun = if ids.len() == 1 { "API key" } else { "API keys" };
            let question = format!("Are you sure you want to delete {noun} {}?", text::join_quoted(&ids));
            if !ctx.confirm(&question)? {
                return Ok(CommandOutput::empty());
            }
        }
        let (report, evidence) = reconciliation.apply(&ctx.run, "keys revoke", &plan, 8).await?;
        let error = incomplete_run_error(&report);
        let report = CommandOutput::new(
            changed
                .applied(report, evidence)
                .with_deliveries(reconciliation.delivery_report(Vec::new())),
        );
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }

    /// Groups the keys by persona. A recorded key that no longer exists was deleted by an earlier run and is skipped.
    ///
    /// # Errors
    /// A key is unknown, or its owner is not the account of a department.
    fn group_by_persona<'a>(
        &self,
        options: &Options,
        reconciliation: &'a Reconciliation<'_>,
        snapshot: &'a Snapshot,
    ) -> Result<Vec<PersonaRevocation<'a>>, Error> {
        let recorded = reconciliation.recorded_keys();
        let mut personas: BTreeMap<(DepartmentCode, String), PersonaRevocation<'a>> = BTreeMap::new();
        let mut missing = Vec::new();
        for id in &self.keys {
            let key = snapshot.keys.iter().find(|key| key.id == *id);
            let account = match key {
                Some(key) => key.owner.service_account().and_then(|id| snapshot.account(id)),
                None => recorded
                    .get(id)
                    .and_then(|known| snapshot.account_by_name(&known.account)),
            };
            let (desired, persona) = match (account.and_then(|account| find_persona(reconciliation, account)), key) {
                (Some(found), _) => found,
                (None, Some(key)) => return Err(unmanaged_key_error(reconciliation, snapshot, key)),
                (None, None) => {
                    missing.push(id.as_str());
                    continue;
                }
            };
            let revocation = personas
                .entry((desired.department.code.clone(), persona.persona.clone()))
                .or_insert_with(|| PersonaRevocation {
                    desired,
                    persona,
                    keys: Vec::new(),
                    remaining: Vec::new(),
                });
            if !revocation.keys.iter().any(|known| known.id == *id) {
                revocation.keys.extend(key);
            }
        }
        if !missing.is_empty() {
            let list = options.suggest("keys list");
            let noun = if missing.len() == 1 { "API key" } else { "API keys" };
            return Err(Error::failed(format!("{noun} {} not found", text::join_code(&missing)))
                .with_hint(format!("List the keys of departments with `{list}`.")));
        }
        for revocation in personas.values_mut() {
            let Some(account) = snapshot.account_by_name(&revocation.persona.account_name) else {
                continue;
            };
            let owner = Principal::ServiceAccount(account.id.clone());
            let mut remaining: Vec<&ObservedKey> = snapshot
                .keys
                .iter()
                .filter(|key| key.owner == owner)
                .filter(|key| !revocation.keys.iter().any(|revoked| revoked.id == key.id))
                .filter(|key| reconciliation.known_keys.classify(key) == ApiKeyStatus::Delivered)
                .collect();
            remaining.sort_by_key(|key| std::cmp::Reverse(key.created_at));
            revocation.remaining = remaining;
        }
        Ok(personas.into_values().collect())
    }

    fn plan_revocation(
        &self,
        reconciliation: &Reconciliation<'_>,
        revocation: &PersonaRevocation<'_>,
        plan: &mut Plan,
    ) -> Result<(), Error> {
        let who = format!(
            "{} of department `{}`",
            revocation.persona.persona, revocation.desired.department.code
        );
        // Only a key for the same resource can replace a key.
        let irreplaceable: Vec<&str> = revocation
            .keys
            .iter()
            .filter(|key| !revocation.remaining.iter().any(|other| other.resource == key.resource))
            .map(|key| key.id.as_str())
            .collect();
        if !irreplaceable.is_empty() && !self.now {
            return Err(Error::refused(format!(
                "refused; nothing was changed: {who} has no other key for the same resource as {}",
                text::join_code(&irreplaceable)
            ))
            .with_hint(format!(
                "First create a new key with `confluent ebs keys rotate {} --persona {}`.",
                revocation.desired.department.code, revocation.persona.persona
            ))
            .with_hint("If the key has leaked, pass `--now` to delete it immediately and create a new one."));
        }
        let lacks_keys = revocation.remaining.len() < revocation.persona.keys.len();
        let replaces = self.now && !self.no_replace && lacks_keys;
        plan.notices.push(match (lacks_keys, replaces) {
            (false, _) => format!("{who} keeps {}", key_ids_text(&revocation.remaining)),
            (true, true) => format!(
                "{who} has no key until it uses the new profile: {}",
                revocation.persona.description
            ),
            (true, false) => format!(
                "{who} has no key; create one with `confluent ebs onboard {}`",
                revocation.desired.department.code
            ),
        });
        let snapshot = &reconciliation.observed.snapshot;
        plan.notices
            .extend(lost_acls(snapshot, revocation).map(|acls| format!("{who} {acls}")));
        let mut part = plan_revocation(
            &reconciliation.plan_input(false),
            snapshot,
            revocation.desired,
            revocation.persona,
            &revocation.keys,
            replaces,
        );
        // An unrecorded key on the account does not prevent the deletion of a leaked one.
        part.refusals.retain(|_| replaces);
        let shift = plan.changes.len();
        for mut change in part.changes {
            change.id += shift;
            change.needs.iter_mut().for_each(|need| *need += shift);
            plan.changes.push(change);
        }
        plan.refusals.extend(part.refusals);
        Ok(())
    }
}

/// Returns a notice about the ACLs that become unusable if the persona loses its last key for the Kafka cluster. A
/// Cloud key does not work there.
fn lost_acls(snapshot: &Snapshot, revocation: &PersonaRevocation<'_>) -> Option<String> {
    let cluster = snapshot.address.cluster.as_str();
    let has_cluster_key = |keys: &[&ObservedKey]| keys.iter().any(|key| key.resource == cluster);
    if !has_cluster_key(&revocation.keys) || has_cluster_key(&revocation.remaining) {
        return None;
    }
    if let Some(reason) = snapshot.unknown.get(&Listing::Acls) {
        let declares_acls = !revocation.persona.acls.is_empty();
        return declares_acls.then(|| {
            format!("may have ACLs, which cannot be used without a key for the cluster (not listed: {reason})")
        });
    }
    let account = snapshot.account_by_name(&revocation.persona.account_name)?;
    let principal = Principal::ServiceAccount(account.id.clone());
    let acls: Vec<String> = snapshot.acls_of(&principal).map(AclBinding::to_short_string).collect();
    (!acls.is_empty()).then(|| {
        format!(
            "cannot use its ACLs until it has another key for the cluster: {}",
            acls.join(", ")
        )
    })
}

fn key_ids_text(remaining: &[&ObservedKey]) -> String {
    let ids: Vec<&str> = remaining.iter().map(|key| key.id.as_str()).collect();
    text::join_code(&ids)
}

/// Finds the department and persona of a managed service account.
fn find_persona<'a>(
    reconciliation: &'a Reconciliation<'_>,
    account: &ObservedAccount,
) -> Option<(&'a DesiredDepartment, &'a DesiredPersona)> {
    let tag = account.tag()?;
    let desired = reconciliation
        .desired
        .iter()
        .find(|desired| desired.department.code == tag.department && desired.stage == tag.stage)?;
    Some((desired, desired.persona(&tag.persona)?))
}

fn unmanaged_key_error(reconciliation: &Reconciliation<'_>, snapshot: &Snapshot, key: &ObservedKey) -> Error {
    Error::refused(format!(
        "refused; nothing was changed: the owner of API key `{}`, `{}`, is not a department's account in stage `{}`",
        key.id,
        snapshot.display_name(&key.owner),
        reconciliation.session.stage_name
    ))
    .with_hint("Delete an unmanaged key with `confluent api-key delete`.")
    .with_hint("If the key belongs to another stage, pass `--stage`.")
}
