//! `confluent ebs connector create`.

use std::path::PathBuf;

use serde::Serialize;

use super::{
    DepartmentSession, Tenant,
    file::{self, ConnectorFile},
    names,
    prepare::{self, SecretArgs},
    run,
    saving::{SaveArgs, Saved},
    show::{self, Added},
    waiting::WaitArgs,
};
use crate::{
    commands::{Ctx, Report},
    error::{Error, ErrorKind},
    hint::{typed, word},
    plan::{ConnectorPlan, connectors::Differs},
    quota::Decision,
    render::{Block, Mark, Record, Viewable, words},
    resources::connector::{Cause, FieldDiff, Goal, Seen, Wanted, find, wait::SETTLE},
};

/// Create a connector.
///
/// Fills in what the department does not have to write, checks name, quota and configuration before anything is made, and
/// waits until the connector runs. What exists already as it is wanted is only waited for, so that an interrupted command
/// can be repeated.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Create a connector from a file, and wait until it runs.

  $ confluent ebs connector create --config-file claims-orders.json --profile claims-deployer

Show what would be sent.

  $ confluent ebs connector create --config-file claims-orders.json --dry-run

Create it, or bring the one that exists to what the file says.

  $ confluent ebs connector create --config-file claims-orders.json --or-update")]
pub(super) struct Create {
    /// JSON or YAML connector configuration file.
    #[arg(long, value_name = "string", required = true)]
    config_file: PathBuf,
    /// Update the connector when one of that name exists and differs.
    #[arg(long)]
    or_update: bool,
    /// Pause the connector as soon as it runs.
    #[arg(long, conflicts_with = "no_wait")]
    paused: bool,
    /// Run the command without committing changes.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    secrets: SecretArgs,
    #[command(flatten)]
    save: SaveArgs,
}

impl Create {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Created>, Error> {
        let read = file::read(&self.config_file)?;
        let session = DepartmentSession::open(ctx)?;
        let tenant = session.tenant()?;
        names::refuse_foreign(Some(tenant), &[read.name().to_owned()])?;
        let file = read.judged(ctx, Some(tenant))?;
        prepare::refuse_masks(&file.config, |_| false)?;
        ctx.block_on(self.create(ctx, &session, tenant, file))
    }

    async fn create(
        &self,
        ctx: &Ctx,
        session: &DepartmentSession,
        tenant: &Tenant,
        mut file: ConnectorFile,
    ) -> Result<Report<Created>, Error> {
        let mut added = prepare::defaults(session, &mut file).await?;
        let list = session.connectors.list().await?;
        let there = find(&list, &file.name);
        // Only what is sent costs anything; what is there and differs is refused below.
        let sends = there.is_none() || self.or_update;
        let quota = match sends {
            true => {
                let decision = prepare::quota(session, tenant, &list, &file, there.as_ref())?;
                prepare::refused(tenant, &decision)?;
                decision.notes.iter().for_each(|note| ctx.ui.note(note));
                Some(decision)
            }
            false => None,
        };
        let mut secret_keys = prepare::secrets(ctx, session, &file.class, &mut file.config, &self.secrets).await?;
        if sends {
            match prepare::ask_plugin(session, &file.class, file.config.clone()).await? {
                Some(validation) => {
                    prepare::drop_unknown(&mut file.config, &mut added, &validation);
                    secret_keys.extend(prepare::passwords(&validation));
                    prepare::refuse_invalid(&validation)?;
                }
                None => ctx.ui.warn(&format!(
                    "the service could not check the configuration: plugin \"{}\" is not known to its validation",
                    file.class
                )),
            }
        }
        let wanted = Wanted {
            name: file.name.clone(),
            config: file.config,
            offsets: file.offsets,
            secret_keys,
        };
        let plan = self.plan(ctx, tenant, wanted, there.as_ref())?;
        let mut created = Created::before(&plan, &file.name, there.as_ref(), added, quota, self.dry_run);
        if self.dry_run {
            return Ok(Report::new(created));
        }
        if !created.existed && !created.defaults.is_empty() {
            ctx.ui.note("Added to the configuration:");
            ctx.ui.say(&[show::added(&created.defaults)]);
        }
        if let Some(seen) = there.as_ref().filter(|_| created.updated) {
            ctx.ui.say(&[show::diff(&seen.name, Mark::Change, &created.configs)]);
            created.saved = self.save.save_former(ctx, session, seen).await?;
        }
        let ran = run::run(
            ctx,
            &session.connectors,
            &session.journal,
            "connector create",
            &plan,
            self.wait.timeout,
            SETTLE,
        )
        .await?;
        if ran.wrote(&plan) {
            prepare::say_overshoot(ctx, session, tenant).await;
        }
        let seen = ran.seen(&created.name);
        created.take(seen.as_ref());
        created.cause = seen.as_ref().and_then(show::why);
        let wrote = ran.wrote(&plan);
        let error = ran.error(session.tenant.as_ref(), &plan);
        let report = match wrote || created.existed {
            true => Report::new(created),
            false => Report::nothing(),
        };
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }

    /// What is to be done.
    fn plan(&self, ctx: &Ctx, tenant: &Tenant, wanted: Wanted, there: Option<&Seen>) -> Result<ConnectorPlan, Error> {
        let rests = there.is_some_and(|seen| seen.state() == Goal::Paused.state());
        let goal = match (self.wait.no_wait, self.paused) {
            (true, _) => None,
            (false, true) => Some(Goal::Paused),
            (false, false) if rests => {
                ctx.ui.note(&format!(
                    "Connector \"{}\" is paused, and stays so: `confluent ebs connector resume` lets it run.",
                    wanted.name
                ));
                None
            }
            (false, false) => Some(Goal::Running),
        };
        let mut plan = ConnectorPlan::default();
        let department = Some(&tenant.code);
        match (plan.create(department, wanted.clone(), there, goal), there) {
            (Err(_), Some(seen)) if self.or_update => {
                if wanted.offsets.is_some() {
                    ctx.ui.warn(
                        "the offsets in the file are left out: an update does not change them, `confluent ebs connector \
                         offset update` does",
                    );
                }
                plan.update(department, wanted, seen, goal);
                Ok(plan)
            }
            (Err(differs), Some(seen)) => Err(self.differs(&differs, seen)),
            _ => Ok(plan),
        }
    }

    /// What is there and different is not changed by a create.
    fn differs(&self, differs: &Differs, seen: &Seen) -> Error {
        let certain: Vec<&str> = differs
            .fields
            .iter()
            .filter(|field| field.is_certain())
            .map(|field| field.config.as_str())
            .collect();
        Error::refused(format!(
            "connector \"{}\" already exists ({}), and differs in {}",
            seen.name,
            seen.id(),
            words::quoted(&certain)
        ))
        .with_hint(format!(
            "Change it with `confluent ebs connector update {} --config-file {}`; `--dry-run` shows the differences.",
            typed(seen.id(), &seen.name),
            word(&self.config_file.display().to_string())
        ))
        .with_hint("Or say `--or-update`.")
    }
}

/// Who may create, for somebody who may not.
pub(super) fn explain(error: Error, tenant: &Tenant) -> Error {
    if error.kind != ErrorKind::Denied {
        return error;
    }
    match &tenant.persona {
        Some(persona) => error
            .with_hint(format!(
                "You act as persona \"{persona}\". In the template \"hybrid\" only the persona \"deployer\", the \
                 department's pipeline, creates, changes and deletes connectors."
            ))
            .with_hint(format!("Use its profile: `--profile {}-deployer`.", tenant.code)),
        None => error,
    }
}

/// The connector that was made, as the stock CLI shows it, and what was done to it.
#[derive(Debug, Serialize)]
pub(super) struct Created {
    id: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_trace: Option<String>,
    /// It was there already.
    existed: bool,
    /// It was there and is changed.
    updated: bool,
    dry_run: bool,
    /// What was filled in.
    defaults: Vec<Added>,
    /// What is sent, or changed in what was there; without secrets.
    configs: Vec<FieldDiff>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<Decision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    /// The former configuration, when it was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<Saved>,
}

impl Created {
    fn before(
        plan: &ConnectorPlan,
        name: &str,
        there: Option<&Seen>,
        defaults: Vec<Added>,
        quota: Option<Decision>,
        dry_run: bool,
    ) -> Self {
        let configs = plan.fields_of(name).to_vec();
        let mut created = Self {
            id: None,
            name: name.to_owned(),
            status: None,
            error_trace: None,
            existed: there.is_some(),
            updated: there.is_some() && !configs.is_empty(),
            dry_run,
            defaults,
            configs,
            quota,
            cause: None,
            saved: None,
        };
        created.take(there);
        created
    }

    fn take(&mut self, seen: Option<&Seen>) {
        if let Some(seen) = seen {
            self.id = Some(seen.id().to_owned());
            self.status = Some(seen.state().to_owned());
            self.error_trace = show::trace(seen);
        }
    }
}

impl Viewable for Created {
    fn view(&self) -> Vec<Block> {
        if self.dry_run {
            let (what, mark) = match (self.existed, self.updated) {
                (true, true) => ("would be updated", Mark::Change),
                (true, false) => ("exists already as it is wanted", Mark::Change),
                (false, _) => ("would be created", Mark::Add),
            };
            let mut blocks = vec![Block::line(format!("[DRY RUN] Connector \"{}\" {what}.", self.name))];
            if !self.configs.is_empty() {
                blocks.push(show::diff(&self.name, mark, &self.configs));
            }
            if !self.existed && !self.defaults.is_empty() {
                blocks.push(Block::line("Of these, added to the file's:"));
                blocks.push(show::added(&self.defaults));
            }
            return blocks;
        }
        let record = Record::new()
            .field("ID", self.id.clone().unwrap_or_default())
            .field("Name", self.name.clone())
            .optional("Status", self.status.clone())
            .optional("Error Trace", self.error_trace.clone());
        let mut blocks = vec![Block::Record(record)];
        if let Some(cause) = &self.cause {
            blocks.push(show::cause_lines(
                self.id.as_deref().unwrap_or_default(),
                &self.name,
                cause,
            ));
        }
        blocks
    }
}
