//! `confluent ebs connector create`.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use serde::Serialize;

use super::{
    DepartmentSession, Tenant,
    file::{self, ConnectorFile},
    names,
    prepare::{self, SecretArgs},
    show::{self, Added},
    waiting,
};
use crate::{
    commands::{Ctx, Report},
    error::{Error, ErrorKind},
    quota::Decision,
    render::{Block, Mark, Record, Viewable, words},
    resources::connector::{Begun, FieldDiff, Seen, Wanted, differences, wait::Cause},
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

  $ confluent ebs connector create --config-file claims-orders.json --dry-run")]
pub(super) struct Create {
    /// JSON or YAML connector configuration file.
    #[arg(long, value_name = "string", required = true)]
    config_file: PathBuf,
    /// Run the command without committing changes.
    #[arg(long)]
    dry_run: bool,
    /// Do not wait until the connector runs.
    #[arg(long)]
    no_wait: bool,
    /// How long to wait, such as 30s, 5m, or 2h.
    #[arg(long, value_name = "duration", default_value = waiting::TIMEOUT, value_parser = waiting::duration)]
    timeout: Duration,
    #[command(flatten)]
    secrets: SecretArgs,
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
        let there = session_find(&list, &file.name);
        let quota = match &there {
            None => {
                let decision = prepare::quota(session, tenant, &list, &file, None)?;
                prepare::refused(tenant, &decision)?;
                decision.notes.iter().for_each(|note| ctx.ui.note(note));
                Some(decision)
            }
            Some(_) => None,
        };
        let mut secret_keys = prepare::secrets(ctx, session, &file.class, &mut file.config, &self.secrets).await?;
        if there.is_none() {
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
        if let Some(seen) = &there {
            self.refuse_different(&wanted, seen)?;
        }
        let mut created = Created {
            id: there.as_ref().map(|seen| seen.id().to_owned()),
            name: wanted.name.clone(),
            status: there.as_ref().map(|seen| seen.state().to_owned()),
            error_trace: None,
            existed: there.is_some(),
            dry_run: self.dry_run,
            defaults: added,
            configs: shown(&wanted),
            quota,
            cause: None,
        };
        if self.dry_run {
            return Ok(Report::new(created));
        }
        if there.is_none() {
            if !created.defaults.is_empty() {
                ctx.ui.note("Added to the configuration:");
                ctx.ui.say(&[show::added(&created.defaults)]);
            }
            if ctx.interrupt.is_wished() {
                return Err(Error::new(
                    ErrorKind::Interrupted,
                    "interrupted before anything was made",
                ));
            }
            let begun = session.connectors.create(&wanted).await;
            let begun = begun.map_err(|error| explain(Error::from(error), tenant))?;
            prepare::say_overshoot(ctx, session, tenant).await;
            created.take(match &begun {
                Begun::Made(seen) => seen.as_ref(),
                Begun::Found(seen) => Some(seen),
            });
        }
        if self.no_wait {
            return Ok(Report::new(created));
        }
        let waited = waiting::wait(ctx, session, &wanted.name, "RUNNING", self.timeout).await?;
        created.take(waited.seen.as_ref());
        created.cause = waited.seen.as_ref().and_then(show::why);
        let existed = created.existed;
        let report = Report::new(created);
        Ok(match waited.error {
            // Something was made; only the wait was interrupted.
            Some(error) if error.kind == ErrorKind::Interrupted && !existed => {
                report.with_error(error.with_kind(ErrorKind::Partial))
            }
            Some(error) => report.with_error(error),
            None => report,
        })
    }

    /// What is there and different is not changed by a create.
    fn refuse_different(&self, wanted: &Wanted, seen: &Seen) -> Result<(), Error> {
        if wanted.is(seen) {
            return Ok(());
        }
        let fields = differences(&seen.now.info.config, &wanted.config, &wanted.secret_keys);
        let certain: Vec<&str> = fields
            .iter()
            .filter(|field| field.is_certain())
            .map(|field| field.config.as_str())
            .collect();
        Err(Error::refused(format!(
            "connector \"{}\" already exists ({}), and differs in {}",
            seen.name,
            seen.id(),
            words::quoted(&certain)
        ))
        .with_hint(format!(
            "Change it with `confluent ebs connector update {} --config-file {}`; `--dry-run` shows the differences.",
            seen.name,
            self.config_file.display()
        )))
    }
}

fn session_find(list: &std::collections::BTreeMap<String, crate::api::connect::Expanded>, name: &str) -> Option<Seen> {
    list.get(name).map(|now| Seen {
        name: name.to_owned(),
        now: now.clone(),
    })
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

/// The configuration that is sent, for people.
fn shown(wanted: &Wanted) -> Vec<FieldDiff> {
    let nothing = std::collections::BTreeMap::new();
    let secret: BTreeSet<String> = wanted.secret_keys.clone();
    differences(&nothing, &wanted.config, &secret)
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
    /// It was there already, as it is wanted.
    existed: bool,
    dry_run: bool,
    /// What was filled in.
    defaults: Vec<Added>,
    /// What is sent, without secrets.
    configs: Vec<FieldDiff>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<Decision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
}

impl Created {
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
            let lead = match self.existed {
                true => format!("[DRY RUN] Connector \"{}\" exists already as it is wanted.", self.name),
                false => format!("[DRY RUN] Connector \"{}\" would be created.", self.name),
            };
            let mut blocks = vec![Block::line(lead)];
            if !self.existed {
                blocks.push(show::diff(&self.name, Mark::Add, &self.configs));
                if !self.defaults.is_empty() {
                    blocks.push(Block::line("Of these, added to the file's:"));
                    blocks.push(show::added(&self.defaults));
                }
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
            blocks.push(show::cause_lines(cause));
        }
        blocks
    }
}
