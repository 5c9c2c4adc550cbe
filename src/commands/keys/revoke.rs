//! `confluent ebs keys revoke`.

use std::collections::BTreeMap;

use super::outcome::{KeysChanged, plan_blocks};
use crate::{
    commands::{
        Ctx, Report,
        estate::{AclSight, Estate, HandoverArgs, refused, unfinished},
        session::Session,
    },
    error::Error,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{AclBinding, ApiKeyId, DepartmentCode, Principal, SeenAccount, SeenKey, Snapshot, hidden},
    plan::{Plan, rotation::replace_lost},
    render::words,
    resources::api_key::KeyClaim,
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
pub(super) struct Revoke {
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
struct Losing<'a> {
    desired: &'a DesiredDepartment,
    persona: &'a DesiredPersona,
    keys: Vec<&'a SeenKey>,
    /// Keys that stay, the newest first.
    stay: Vec<&'a SeenKey>,
}

impl Revoke {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<KeysChanged>, Error> {
        let session = Session::open(ctx, 8)?;
        ctx.block_on(self.revoke(ctx, &session))
    }

    async fn revoke(&self, ctx: &Ctx, session: &Session) -> Result<Report<KeysChanged>, Error> {
        let all: Vec<_> = session.workspace.active_departments().cloned().collect();
        let estate = Estate::look(ctx, session, &all, &self.handover, AclSight::AtOnce).await?;
        let seen = &estate.observed.snapshot;
        let losing = self.losing(&estate, seen)?;
        let mut plan = Plan::default();
        for losing in &losing {
            self.plan(&estate, losing, &mut plan)?;
        }
        refused("keys revoke", &plan)?;
        let changed = KeysChanged::new(&session.stage_name, estate.sink.folder(), &plan);
        if self.dry_run {
            return Ok(Report::new(changed.dry()));
        }
        if plan.is_empty() {
            return Ok(Report::new(changed.with_evidence(estate.complete_evidence()?)));
        }
        estate.check_handover(&plan)?;
        if !self.force && !ctx.globals.yes {
            let mut codes: Vec<DepartmentCode> = losing
                .iter()
                .map(|losing| losing.desired.department.code.clone())
                .collect();
            codes.dedup();
            ctx.ui.show(&plan_blocks(&plan, &codes))?;
            let ids: Vec<&str> = self.keys.iter().map(ApiKeyId::as_str).collect();
            let noun = if ids.len() == 1 { "API key" } else { "API keys" };
            let question = format!("Are you sure you want to delete {noun} {}?", words::quoted(&ids));
            if !ctx.confirm(&question)? {
                return Ok(Report::nothing());
            }
        }
        let (report, evidence) = estate.carry_out(ctx, "keys revoke", &plan, 8).await?;
        let error = unfinished(&report);
        let report = Report::new(changed.done(report, evidence).delivered(estate.deliveries(Vec::new())));
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }

    /// The keys by persona; all of them known, and all of them of departments that have a file. One that evidence vouches
    /// for and that is gone already was removed by an earlier run.
    fn losing<'a>(&self, estate: &'a Estate<'_>, seen: &'a Snapshot) -> Result<Vec<Losing<'a>>, Error> {
        let vouched = estate.vouched();
        let mut personas: BTreeMap<(DepartmentCode, String), Losing<'a>> = BTreeMap::new();
        let mut missing = Vec::new();
        for id in &self.keys {
            let key = seen.keys.iter().find(|key| key.id == *id);
            let account = match key {
                Some(key) => key.owner.service_account().and_then(|id| seen.account(id)),
                None => vouched.get(id).and_then(|known| seen.account_named(&known.account)),
            };
            let (desired, persona) = match (account.and_then(|account| of_account(estate, account)), key) {
                (Some(found), _) => found,
                (None, Some(key)) => return Err(not_ours(estate, seen, key)),
                (None, None) => {
                    missing.push(id.as_str());
                    continue;
                }
            };
            let losing = personas
                .entry((desired.department.code.clone(), persona.persona.clone()))
                .or_insert_with(|| Losing {
                    desired,
                    persona,
                    keys: Vec::new(),
                    stay: Vec::new(),
                });
            if !losing.keys.iter().any(|known| known.id == *id) {
                losing.keys.extend(key);
            }
        }
        if !missing.is_empty() {
            let noun = if missing.len() == 1 { "API key" } else { "API keys" };
            return Err(Error::failed(format!("{noun} {} not found", words::quoted(&missing)))
                .with_hint("List the keys of departments with `confluent ebs keys list`."));
        }
        for losing in personas.values_mut() {
            let Some(account) = seen.account_named(&losing.persona.account_name) else {
                continue;
            };
            let owner = Principal::ServiceAccount(account.id.clone());
            let mut stay: Vec<&SeenKey> = seen
                .keys
                .iter()
                .filter(|key| key.owner == owner)
                .filter(|key| !losing.keys.iter().any(|gone| gone.id == key.id))
                .filter(|key| estate.ledger.claim(key) == KeyClaim::Held)
                .collect();
            stay.sort_by_key(|key| std::cmp::Reverse(key.created_at));
            losing.stay = stay;
        }
        Ok(personas.into_values().collect())
    }

    fn plan(&self, estate: &Estate<'_>, losing: &Losing<'_>, plan: &mut Plan) -> Result<(), Error> {
        let who = format!(
            "{} of department {}",
            losing.persona.persona, losing.desired.department.code
        );
        // A key can only stand in for one that opens the same.
        let bare: Vec<&str> = losing
            .keys
            .iter()
            .filter(|key| !losing.stay.iter().any(|other| other.resource == key.resource))
            .map(|key| key.id.as_str())
            .collect();
        if !bare.is_empty() && !self.now {
            return Err(Error::refused(format!(
                "{who} would be left without a working key: {} is the only one for what it opens",
                words::quoted(&bare)
            ))
            .with_hint(format!(
                "Replace it first with `confluent ebs keys rotate {} --persona {}`.",
                losing.desired.department.code, losing.persona.persona
            ))
            .with_hint("If it has leaked, `--now` removes it at once and makes a new one."));
        }
        let left_bare = losing.stay.len() < losing.persona.keys.len();
        let replaces = self.now && !self.no_replace && left_bare;
        plan.notices.push(match (left_bare, replaces) {
            (false, _) => format!("{who} keeps {}", kept(&losing.stay)),
            (true, true) => format!(
                "{who} has no key until it uses the new profile: {}",
                losing.persona.description
            ),
            (true, false) => format!(
                "{who} has no key any more; `confluent ebs onboard {}` makes one",
                losing.desired.department.code
            ),
        });
        let seen = &estate.observed.snapshot;
        plan.notices
            .extend(lost_acls(seen, losing).map(|acls| format!("{who} {acls}")));
        let mut part = replace_lost(
            &estate.wanted(false),
            seen,
            losing.desired,
            losing.persona,
            &losing.keys,
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
fn lost_acls(seen: &Snapshot, losing: &Losing<'_>) -> Option<String> {
    let cluster = seen.address.cluster.as_str();
    let opens = |keys: &[&SeenKey]| keys.iter().any(|key| key.resource == cluster);
    if !opens(&losing.keys) || opens(&losing.stay) {
        return None;
    }
    if let Some(reason) = seen.unknown.get(hidden::ACLS) {
        let asks = !losing.persona.acls.is_empty();
        return asks.then(|| format!("may have ACLs that open nothing without a key of the cluster: {reason}"));
    }
    let account = seen.account_named(&losing.persona.account_name)?;
    let principal = Principal::ServiceAccount(account.id.clone());
    let acls: Vec<String> = seen.acls_of(&principal).map(AclBinding::short).collect();
    (!acls.is_empty()).then(|| {
        format!(
            "loses its ACLs until it has another key of the cluster: {}",
            acls.join(", ")
        )
    })
}

fn kept(stay: &[&SeenKey]) -> String {
    let ids: Vec<&str> = stay.iter().map(|key| key.id.as_str()).collect();
    words::list(&ids)
}

/// Whose account it is.
fn of_account<'a>(
    estate: &'a Estate<'_>,
    account: &SeenAccount,
) -> Option<(&'a DesiredDepartment, &'a DesiredPersona)> {
    let tag = account.tag()?;
    let desired = estate
        .desired
        .iter()
        .find(|desired| desired.department.code == tag.department && desired.stage == tag.stage)?;
    Some((desired, desired.persona(&tag.persona)?))
}

fn not_ours(estate: &Estate<'_>, seen: &Snapshot, key: &SeenKey) -> Error {
    Error::refused(format!(
        "API key \"{}\" belongs to {}, which is no account of a department in stage {}",
        key.id,
        seen.name_of(&key.owner),
        estate.session.stage_name
    ))
    .with_hint("What is not ours is never changed: use `confluent api-key delete`.")
    .with_hint("If it is of another stage, name that with `--stage`.")
}
