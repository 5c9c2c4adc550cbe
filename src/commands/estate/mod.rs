//! What every command that changes accounts, bindings and keys does: look, compare, carry out, write down.

mod evidence;
mod handover;
mod refusal;
pub(super) mod shown;

pub(super) use handover::{Deliveries, HandoverArgs, Later};
pub(super) use refusal::{not_taken, refused, unfinished};

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use super::{Ctx, session::Session};
use crate::{
    api::kafka::ListTopics,
    apply::{self, Delivery, Engine, Event, Journal, Report as Applied},
    client::{Auth, Client, CredentialSource, Credentials, OnRetry, RetryNotice, RetryPolicy},
    config::Profile,
    error::{Error, ErrorKind, ResultExt},
    handover::{
        Place, Recipients, Sink,
        evidence::{Vouched, vouched},
    },
    hint::Advice,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{ApiKeyId, Department, DepartmentCode, Principal, Secret, Snapshot},
    plan::{self, Change, Observed, Operation, Plan, Wanted},
    resources::{PROPAGATION_BUDGET, World, api_key::Ledger},
};

/// Where a command keeps profiles and evidence.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct FolderArgs {
    /// Folder for the profile files. Inside a Git work tree it must be ignored.
    #[arg(long, value_name = "string")]
    pub(super) credentials_dir: Option<PathBuf>,
    /// Folder for the evidence files, which hold no secret.
    #[arg(long, value_name = "string")]
    pub(super) evidence_dir: Option<PathBuf>,
}

/// When ACLs are looked at, which takes an API key of the Kafka cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AclSight {
    /// Never: nothing that is said depends on them.
    No,
    /// Where a template asks for some, and only when they are told at once: what is urgent does not wait for Kafka REST.
    AtOnce,
    /// Where a template asks for some: without, nobody needs the key.
    Needed,
    /// Wherever there is a key: what is left of earlier templates counts, too.
    Possible,
}

/// The departments of a stage as they were seen and as they should be.
pub(super) struct Estate<'a> {
    /// The way there.
    pub(super) session: &'a Session,
    /// What was seen.
    pub(super) observed: Observed,
    /// The way to Kafka REST, or why nobody went it.
    kafka: Result<Client, String>,
    /// The departments that were asked for.
    pub(super) desired: Vec<DesiredDepartment>,
    /// The folder of profiles.
    pub(super) sink: Sink,
    /// What we know of our keys.
    pub(super) ledger: Ledger,
    delivery: Option<Delivery>,
    evidence_dir: PathBuf,
    journal: PathBuf,
    /// How long the journals were when it was looked.
    journals: RefCell<BTreeMap<PathBuf, u64>>,
    known: BTreeSet<DepartmentCode>,
    adopt: BTreeSet<String>,
}

impl<'a> Estate<'a> {
    /// Looks at the organization, for `departments`. Who makes profiles says to whom they go, others name the folders.
    pub(super) async fn look(
        ctx: &Ctx,
        session: &'a Session,
        departments: &[Department],
        handover: impl Into<HandoverArgs>,
        acls: AclSight,
    ) -> Result<Self, Error> {
        let handover = handover.into();
        let folders = &handover.folders;
        let delivery = handover.delivery()?;
        let sink = session.sink(folders.credentials_dir.as_ref())?;
        let recipients = Recipients {
            everywhere: handover.recipients()?,
            own: sink.recipients().own.clone(),
        };
        let sink = sink.sealed_to(recipients);
        let journals = Journal::lengths(&session.places.journal);
        let progress = ctx.ui.progress();
        progress.on(&Event::Phase { name: "Look", total: 0 });
        let (observed, kafka) = observe(session, departments, acls).await?;
        let seen = &observed.snapshot;
        let desired = departments
            .iter()
            .filter_map(|department| {
                session
                    .workspace
                    .desired(department, &session.stage_name, &seen.address)
            })
            .collect();
        let journal = session.journal(&seen.address.organization);
        let evidence_dir = folders
            .evidence_dir
            .clone()
            .unwrap_or_else(|| session.places.evidence.clone());
        let ledger = apply::ledger(&journal, &evidence_dir, &sink, seen.taken_at, PROPAGATION_BUDGET)?;
        let known = session.workspace.active_departments();
        Ok(Self {
            session,
            known: known.map(|department| department.code.clone()).collect(),
            adopt: session.workspace.platform.adopt.iter().cloned().collect(),
            observed,
            kafka,
            desired,
            sink,
            ledger,
            delivery,
            evidence_dir,
            journal,
            journals: RefCell::new(journals),
        })
    }

    /// What a comparison starts from.
    pub(super) fn wanted(&self, prune: bool) -> Wanted<'_> {
        Wanted {
            stage: &self.session.stage_name,
            address: &self.observed.snapshot.address,
            provisioner: &self.observed.provisioner,
            departments: &self.desired,
            known: &self.known,
            adopt: &self.adopt,
            ledger: &self.ledger,
            prune,
        }
    }

    /// The keys that the evidence at hand vouches for, whether they still exist or not.
    pub(super) fn vouched(&self) -> BTreeMap<ApiKeyId, Vouched> {
        vouched(&self.evidence_dir)
    }

    /// Writes down what an interrupted run could not, when there is nothing else to do. Answers the files.
    pub(super) fn complete_evidence(&self) -> Result<Vec<PathBuf>, Error> {
        let run = apply::run::nonce().context("no random numbers from the system")?;
        evidence::write(&self.evidence_dir, self, &Plan::default(), &Applied::default(), &run)
    }

    /// Writes down what was proved about a department that has gone.
    pub(super) fn write_proof(
        &self,
        department: &DepartmentCode,
        proof: &impl serde::Serialize,
    ) -> Result<Option<PathBuf>, Error> {
        let run = apply::run::nonce().context("no random numbers from the system")?;
        let proof = serde_json::to_value(proof)?;
        let desired = self
            .desired
            .iter()
            .find(|desired| desired.department.code == *department);
        let write = |desired| evidence::write_proof(&self.evidence_dir, self, desired, &run, proof);
        desired.map(write).transpose()
    }

    /// Makes sure, before the first key is made, that the profiles of `plan` can be written.
    pub(super) fn check_handover(&self, plan: &Plan) -> Result<(), Error> {
        let session = self.session;
        let place = |change: &Change| {
            let place = apply::onboarding::place(&session.stage_name, session.is_default_stage(), change);
            match change.operation {
                Operation::HandOver { beside, .. } => Some((place, beside)),
                _ => None,
            }
        };
        let places: Vec<(Place, bool)> = plan.changes.iter().filter_map(place).collect();
        self.sink
            .prepare(places.iter().map(|(place, beside)| (place, *beside)))
            .map_err(|error| Error::from(error).context("the profiles could not be written, so no key was made"))
    }

    /// The topics whose names begin with the prefix of `department`, in their order; or why they could not be listed.
    pub(super) async fn topics(&self, department: &Department) -> Result<Vec<String>, String> {
        let kafka = self.kafka.as_ref().map_err(Clone::clone)?;
        let list = ListTopics(self.observed.snapshot.address.cluster.clone());
        let answered = kafka.send(&list).await.map_err(|error| error.to_string())?;
        let names = answered.value.data.into_iter().map(|topic| topic.topic_name);
        let mut own: Vec<String> = names.filter(|name| department.prefix.owns(name)).collect();
        own.sort();
        Ok(own)
    }

    /// Carries out `plan` for the command `what`, and writes the evidence. Answers what came of it and the evidence files.
    ///
    /// # Errors
    /// When the wish to stop came before, when another run was at work meanwhile, or when the journal or the evidence
    /// cannot be written.
    pub(super) async fn carry_out(
        &self,
        ctx: &Ctx,
        what: &str,
        plan: &Plan,
        concurrency: u16,
    ) -> Result<(Applied, Vec<PathBuf>), Error> {
        if ctx.interrupt.is_wished() {
            return Err(Error::new(
                ErrorKind::Interrupted,
                "interrupted before anything was changed",
            ));
        }
        let run = apply::run::nonce().context("no random numbers from the system")?;
        let journal = self.open_journal()?;
        let report = self.apply(ctx, what, plan, &journal, &run, concurrency).await?;
        let evidence = evidence::write(&self.evidence_dir, self, plan, &report, &run)?;
        Ok((report, evidence))
    }

    /// Opens the journal, and with it keeps other runs out.
    fn open_journal(&self) -> Result<Journal, Error> {
        let session = self.session;
        let journal = Journal::open(&self.journal)?;
        self.sink
            .sweep((!session.is_default_stage()).then_some(session.stage_name.as_str()));
        if journal.has_grown(&self.journals.borrow())? {
            return Err(Error::failed(format!(
                "another run was at work on stage {} after this one had looked: nothing was changed",
                session.stage_name
            ))
            .with_hint("Run the command again: it plans anew from what is there now."));
        }
        Ok(journal)
    }

    async fn apply(
        &self,
        ctx: &Ctx,
        what: &str,
        plan: &Plan,
        journal: &Journal,
        run: &str,
        concurrency: u16,
    ) -> Result<Applied, Error> {
        let session = self.session;
        let seen = &self.observed.snapshot;
        let progress = ctx.ui.progress();
        let retries = progress.clone();
        let on_retry = move |notice: &RetryNotice| {
            let event = Event::Retrying {
                label: notice.call.clone(),
                reason: notice.reason.clone(),
                wait: notice.wait,
            };
            retries.on(&event);
        };
        let on_retry: OnRetry = std::sync::Arc::new(on_retry);
        let client = session.client.with_on_retry(on_retry.clone());
        let kafka = self.kafka.as_ref().ok().map(|kafka| kafka.with_on_retry(on_retry));
        let world = World::new(
            client.clone(),
            seen.address.clone(),
            self.observed.provisioner.clone(),
            session.clock.clone(),
            PROPAGATION_BUDGET,
        )
        .with_kafka(kafka)
        .with_interrupt(ctx.interrupt.clone());
        let today = session.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let profiles = |persona: &DesiredPersona, runtime| Profile {
            facts: persona.facts.clone(),
            endpoint: session.endpoint.clone(),
            runtime_account: runtime,
            secret_variables: Vec::new(),
            issued: today,
        };
        let client_as = |key: &ApiKeyId, secret: &Secret| {
            client.with_auth(Auth::Basic(Credentials {
                key: key.to_string(),
                secret: secret.clone(),
                source: CredentialSource::Issued("a proof".to_owned()),
            }))
        };
        let others: Vec<&Department> = session.workspace.active_departments().collect();
        let foreign = |desired: &DesiredDepartment| neighbour(&others, &desired.department.code);
        let engine = Engine {
            command: what,
            world: &world,
            seen,
            desired: &self.desired,
            stage: &session.stage_name,
            default_stage: session.is_default_stage(),
            sink: &self.sink,
            journal,
            run,
            listener: &*progress,
            interrupt: &ctx.interrupt,
            // The client sees to the number of requests. A change that waits for the disk leaves its place to another.
            width: 2 * usize::from(concurrency),
            delivery: self.delivery.as_ref(),
            profiles: &profiles,
            client_as: &client_as,
            foreign: &foreign,
        };
        Ok(apply::apply(&engine, plan).await?)
    }
}

/// Looks at the organization; at the ACLs of the cluster where the template of an active department asks for some or that
/// of one of `departments`, or as `acls` says. Answers the way to Kafka REST as well, or why
/// nobody went it.
pub(super) async fn observe(
    session: &Session,
    departments: &[Department],
    acls: AclSight,
) -> Result<(Observed, Result<Client, String>), Error> {
    let mut observed = plan::observe(&session.client, &session.clock, &session.target())
        .await
        .map_err(denied)?;
    refuse_persona(&observed.snapshot)?;
    let workspace = &session.workspace;
    let mut asking = workspace.active_departments().chain(departments);
    let mut needed = || asking.any(|department| workspace.asks_for_acls(department));
    let kafka = match acls {
        AclSight::No => Err("nothing depends on them here, so nobody looked".to_owned()),
        AclSight::AtOnce | AclSight::Needed if !needed() => {
            Err("no template asks for any, so nobody looked".to_owned())
        }
        _ => session.kafka(&observed.cluster),
    };
    let impatient = |kafka: &Client| {
        kafka.with_policy(RetryPolicy {
            tries: 1,
            budget: Duration::ZERO,
            ..RetryPolicy::default()
        })
    };
    let asked = match acls {
        AclSight::AtOnce => kafka.as_ref().map(impatient),
        _ => kafka.as_ref().cloned(),
    };
    plan::observe_acls(
        &mut observed.snapshot,
        asked.as_ref().map_err(|reason| (*reason).clone()),
    )
    .await;
    Ok((observed, kafka))
}

/// Refuses the key of a department: what it does not see would be taken for missing or for somebody else's.
fn refuse_persona(seen: &Snapshot) -> Result<(), Error> {
    let own = seen
        .accounts
        .iter()
        .find(|account| Principal::ServiceAccount(account.id.clone()) == seen.seen_by);
    match own.filter(|account| account.tag().is_some()) {
        None => Ok(()),
        Some(account) => Err(Error::denied(format!(
            "only the platform team can do this, and the key is that of `{}`",
            account.name
        ))
        .with_hint("Use the provisioner's key: in CONFLUENT_CLOUD_API_KEY and CONFLUENT_CLOUD_API_SECRET, without `--profile`.")
        .with_hint("`confluent ebs profile list` shows whether a profile is in use.")),
    }
}

/// Why the service let nobody look.
fn denied(error: plan::ObserveError) -> Error {
    let refused =
        matches!(&error, plan::ObserveError::Client(cause) if cause.is_unauthorized() || cause.is_forbidden());
    let hints = error.hints();
    let kind = if refused { ErrorKind::Denied } else { ErrorKind::Failed };
    let mut error = Error::from(error).with_kind(kind);
    error.hints = hints;
    error
}

/// The next department's prefix, in the order of codes; a name nobody may have when there is no other department.
fn neighbour(departments: &[&Department], code: &DepartmentCode) -> String {
    let others = || departments.iter().filter(|department| department.code != *code);
    let next = others()
        .find(|department| department.code > *code)
        .or_else(|| others().next());
    next.map_or_else(|| "lcc-".to_owned(), |department| department.prefix.to_string())
}

/// The departments of these codes, all of them known and none of them retired.
pub(super) fn departments(session: &Session, codes: &[DepartmentCode]) -> Result<Vec<Department>, Error> {
    let wanted: BTreeSet<&DepartmentCode> = codes.iter().collect();
    let found = wanted
        .into_iter()
        .map(|code| department(session, code))
        .map(|found| match found {
            Ok(department) if department.retired.is_some() => {
                Err(Error::refused(format!("department `{}` is retired", department.code))
                    .with_hint("A retired department's file is the tombstone of its prefix; add a new department."))
            }
            found => found,
        });
    found.collect()
}

/// The department of this code, retired or not.
pub(super) fn department(session: &Session, code: &DepartmentCode) -> Result<Department, Error> {
    let workspace = &session.workspace;
    if let Some(department) = workspace.department(code) {
        return Ok(department.clone());
    }
    let known: Vec<&str> = workspace
        .departments()
        .map(|department| department.code.as_str())
        .collect();
    let error = Error::failed(format!("there is no department `{code}` in {}", workspace.origin));
    Err(match crate::hint::nearest(code.as_str(), known.iter().copied()) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint("`confluent ebs department list` shows them all."),
    })
}
