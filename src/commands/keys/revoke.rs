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
    session::PlatformSession,
    text,
};

/// Remove API keys.
///
/// Says who loses what, and refuses to take a persona's only working key. For a key that has leaked, --now removes it at
/// once, makes a new one, proves it and hands it over.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Remove a key that has been replaced.

  $ confluent ebs keys revoke ABCDEFGHIJKLMNOP

A key has leaked: remove it now, and give its persona a new one.

  $ confluent ebs keys revoke ABCDEFGHIJKLMNOP --now --yes")]
pub(super) struct KeysRevokeArgs {
    /// IDs of API keys.
    #[arg(value_name = "api-key", required = true)]
    keys: Vec<ApiKeyId>,
    /// Remove the keys even if they are the only ones, and make new ones.
    #[arg(long)]
    now: bool,
    /// Make no new keys.
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

/// The keys of one persona that are to go.
struct PersonaRevocation<'a> {
    desired: &'a DesiredDepartment,
    persona: &'a DesiredPersona,
    keys: Vec<&'a ObservedKey>,
    /// Keys that stay, the newest first.
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
        let revocations = self.group_by_persona(&reconciliation, snapshot)?;
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

    /// The keys by persona; all of them known, and all of them of departments that have a file. One that evidence vouches
    /// for and that is gone already was removed by an earlier run.
    fn group_by_persona<'a>(
        &self,
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
            let noun = if missing.len() == 1 { "API key" } else { "API keys" };
            return Err(
                Error::failed(format!("{noun} {} not found", text::join_quoted(&missing)))
                    .with_hint("List the keys of departments with `confluent ebs keys list`."),
            );
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
                .filter(|key| !revocation.keys.iter().any(|gone| gone.id == key.id))
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
            "{} of department {}",
            revocation.persona.persona, revocation.desired.department.code
        );
        // A key can only stand in for one that opens the same.
        let bare: Vec<&str> = revocation
            .keys
            .iter()
            .filter(|key| !revocation.remaining.iter().any(|other| other.resource == key.resource))
            .map(|key| key.id.as_str())
            .collect();
        if !bare.is_empty() && !self.now {
            return Err(Error::refused(format!(
                "{who} would be left without a working key: {} is the only one for what it opens",
                text::join_quoted(&bare)
            ))
            .with_hint(format!(
                "Replace it first with `confluent ebs keys rotate {} --persona {}`.",
                revocation.desired.department.code, revocation.persona.persona
            ))
            .with_hint("If it has leaked, `--now` removes it at once and makes a new one."));
        }
        let left_bare = revocation.remaining.len() < revocation.persona.keys.len();
        let replaces = self.now && !self.no_replace && left_bare;
        plan.notices.push(match (left_bare, replaces) {
            (false, _) => format!("{who} keeps {}", key_ids_text(&revocation.remaining)),
            (true, true) => format!(
                "{who} has no key until it uses the new profile: {}",
                revocation.persona.description
            ),
            (true, false) => format!(
                "{who} has no key any more; `confluent ebs onboard {}` makes one",
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
        // An unvouched key on the account is no reason to let a leaked one live.
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

/// What the keys were good for in Kafka, where no other key of the cluster stays: a Cloud key opens nothing there.
fn lost_acls(snapshot: &Snapshot, revocation: &PersonaRevocation<'_>) -> Option<String> {
    let cluster = snapshot.address.cluster.as_str();
    let opens = |keys: &[&ObservedKey]| keys.iter().any(|key| key.resource == cluster);
    if !opens(&revocation.keys) || opens(&revocation.remaining) {
        return None;
    }
    if let Some(reason) = snapshot.unknown.get(&Listing::Acls) {
        let asks = !revocation.persona.acls.is_empty();
        return asks.then(|| format!("may have ACLs that open nothing without a key of the cluster: {reason}"));
    }
    let account = snapshot.account_by_name(&revocation.persona.account_name)?;
    let principal = Principal::ServiceAccount(account.id.clone());
    let acls: Vec<String> = snapshot.acls_of(&principal).map(AclBinding::to_short_string).collect();
    (!acls.is_empty()).then(|| {
        format!(
            "loses its ACLs until it has another key of the cluster: {}",
            acls.join(", ")
        )
    })
}

fn key_ids_text(remaining: &[&ObservedKey]) -> String {
    let ids: Vec<&str> = remaining.iter().map(|key| key.id.as_str()).collect();
    text::join_list(&ids)
}

/// Whose account it is.
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
        "API key \"{}\" belongs to {}, which is no account of a department in stage {}",
        key.id,
        snapshot.display_name(&key.owner),
        reconciliation.session.stage_name
    ))
    .with_hint("What is not ours is never changed: use `confluent api-key delete`.")
    .with_hint("If it is of another stage, name that with `--stage`.")
}
