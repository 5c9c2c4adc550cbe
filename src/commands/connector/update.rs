//! `confluent ebs connector update`.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Serialize;

use super::{
    DepartmentSession,
    file::{self, ConnectorFile},
    names,
    prepare::{self, SecretArgs},
    run,
    saving::{SaveArgs, Saved},
    show,
    waiting::{WaitArgs, duration},
};
use crate::{
    commands::{Ctx, Report},
    error::{Error, ErrorKind},
    hint::{typed, word},
    plan::ConnectorPlan,
    quota::tasks_max,
    render::{Block, Mark, Viewable, words},
    resources::connector::{Cause, FieldDiff, Goal, Seen, Wanted, is_mask, is_server_key},
};

/// Update a connector's configuration.
///
/// A file replaces the whole configuration; --config and --unset change single keys. Stored secrets are not readable:
/// name them again, by reference, or keep them with --keep-secrets. The former configuration is saved first.
///
/// The service takes a configuration at once and tries it later, so the connector is watched for a while before the change
/// counts as in force.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Replace the configuration of a connector, and wait until it runs.

  $ confluent ebs connector update claims-orders --config-file claims-orders.json

Show what a single key would change.

  $ confluent ebs connector update lcc-123456 --config tasks.max=2 --keep-secrets --dry-run")]
pub(super) struct Update {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
    /// JSON or YAML connector configuration file.
    #[arg(long, value_name = "string", conflicts_with_all = ["config", "unset"])]
    config_file: Option<PathBuf>,
    /// A comma-separated list of "key=value" pairs to change.
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    config: Vec<String>,
    /// A comma-separated list of keys to remove.
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    unset: Vec<String>,
    /// Keep stored secrets that are not named.
    #[arg(long)]
    keep_secrets: bool,
    /// Run the command without committing changes.
    #[arg(long)]
    dry_run: bool,
    /// How long to watch the changed connector before the change counts as in force.
    #[arg(long, value_name = "duration", default_value = "90s", value_parser = duration, conflicts_with = "no_wait")]
    settle: Duration,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    save: SaveArgs,
    #[command(flatten)]
    secrets: SecretArgs,
}

impl Update {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Updated>, Error> {
        if self.config_file.is_none() && self.config.is_empty() && self.unset.is_empty() {
            // The stock CLI's words (dossier `connect.md` §8.2).
            return Err(Error::usage("one of --config or --config-file must be specified"));
        }
        let file = self.config_file.as_deref().map(file::read).transpose()?;
        let session = DepartmentSession::open(ctx)?;
        names::refuse_foreign(session.tenant.as_ref(), std::slice::from_ref(&self.connector))?;
        let file = match file {
            Some(read) => Some(read.judged(ctx, session.tenant.as_ref())?),
            None => None,
        };
        if file.as_ref().is_some_and(|file| file.offsets.is_some()) {
            return Err(Error::failed(
                "offsets are not allowed in configuration file for confluent ebs connector update",
            )
            .with_hint("Change them with `confluent ebs connector offset update`."));
        }
        ctx.block_on(self.update(ctx, &session, file))
    }

    async fn update(
        &self,
        ctx: &Ctx,
        session: &DepartmentSession,
        file: Option<ConnectorFile>,
    ) -> Result<Report<Updated>, Error> {
        let written = std::slice::from_ref(&self.connector);
        let (list, uncounted) = session.connectors.look_or_why(written).await?;
        let seen = names::resolve(session, &list, written)?.remove(0);
        let mut file = match file {
            Some(file) if file.name != seen.name => {
                return Err(Error::refused(format!(
                    "the file describes connector \"{}\", not \"{}\": a connector cannot be renamed",
                    file.name, seen.name
                ))
                .with_hint("Create the other one, then delete this one."));
            }
            Some(mut file) => {
                // What a file leaves to the department's defaults stays as it was made.
                let added = prepare::defaults(session, &mut file).await?;
                for line in added {
                    if let Some(now) = seen.now.info.config.get(&line.config) {
                        file.config.insert(line.config, now.clone());
                    }
                }
                file
            }
            None => self.overlaid(&seen)?,
        };
        let masked = |key: &str| seen.now.info.config.get(key).is_some_and(|value| is_mask(value));
        if self.keep_secrets {
            for (key, value) in &seen.now.info.config {
                if is_mask(value) && !self.unset.contains(key) {
                    file.config.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        // A mask is sent back only for what the read returned masked: the service keeps the stored value then, as the
        // stock CLI relies on (dossier `connect.md` §4.3).
        prepare::refuse_masks(&file.config, |key| self.keep_secrets && masked(key))
            .map_err(|error| error.with_hint("Or keep the stored secrets with `--keep-secrets`."))?;
        if let Some(tenant) = &session.tenant {
            if let Some(refused) = uncounted {
                prepare::refuse_growth(tenant, &file, &seen, refused)?;
            }
            let decision = prepare::quota(session, tenant, &list, &file, Some(&seen))?;
            prepare::refused(tenant, &decision)?;
            decision.notes.iter().for_each(|note| ctx.ui.note(note));
        }
        let mut secret = prepare::secrets(ctx, session, &file.class, &mut file.config, &self.secrets).await?;
        let asks_plugin = !file.config.values().any(|value| is_mask(value));
        let validation = match asks_plugin {
            true => prepare::ask_plugin(session, &file.class, file.config.clone()).await?,
            false => None,
        };
        if let Some(validation) = &validation {
            secret.extend(prepare::passwords(validation));
            prepare::refuse_invalid(validation)?;
        }
        let mut config = file.config;
        // Another name in it would make a second connector (dossier `connect.md` §2.4).
        config.insert("name".to_owned(), seen.name.clone());
        let wanted = Wanted {
            name: seen.name.clone(),
            config,
            offsets: None,
            secret_keys: secret,
        };
        self.send(ctx, session, &seen, wanted).await
    }

    async fn send(
        &self,
        ctx: &Ctx,
        session: &DepartmentSession,
        seen: &Seen,
        wanted: Wanted,
    ) -> Result<Report<Updated>, Error> {
        let department = session.tenant.as_ref().map(|tenant| &tenant.code);
        // What was paused stays paused, and is not tried.
        let rests = seen.state() == Goal::Paused.state();
        let goal = (!self.wait.no_wait && !rests).then_some(Goal::Running);
        let keeps = self.keep_secrets && wanted.config.values().any(|value| is_mask(value));
        let mut plan = ConnectorPlan::default();
        plan.update(department, wanted, seen, goal);
        let mut updated = Updated {
            id: seen.id().to_owned(),
            name: seen.name.clone(),
            status: None,
            changed: !plan.is_empty(),
            dry_run: self.dry_run,
            changes: plan.fields_of(&seen.name).to_vec(),
            cause: None,
            saved: None,
        };
        if self.dry_run || !updated.changed {
            return Ok(Report::new(updated));
        }
        ctx.ui.say(&[show::diff(&seen.name, Mark::Change, &updated.changes)]);
        updated.saved = self.save.save_former(ctx, session, seen).await?;
        let ran = run::run(
            ctx,
            &session.connectors,
            &session.journal,
            "connector update",
            &plan,
            self.wait.timeout,
            self.settle,
        )
        .await?;
        if !ran.wrote(&plan) {
            let nothing = || Error::failed("nothing was changed");
            return Err(ran.error(session.tenant.as_ref(), &plan).unwrap_or_else(nothing));
        }
        let now = ran.seen(&seen.name);
        updated.status = now.as_ref().map(|seen| seen.state().to_owned());
        updated.cause = now.as_ref().and_then(show::why);
        let error = ran.error(session.tenant.as_ref(), &plan);
        let error = error.map(|error| match error.kind {
            ErrorKind::Unhealthy => way_back(error, &updated, keeps),
            _ => error,
        });
        let report = Report::new(updated);
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }

    /// The present configuration with the changes of the flags.
    fn overlaid(&self, seen: &Seen) -> Result<ConnectorFile, Error> {
        let mut config: BTreeMap<String, String> = seen
            .now
            .info
            .config
            .iter()
            .filter(|(key, _)| !is_server_key(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        for pair in &self.config {
            let (key, value) = pair
                .split_once('=')
                .filter(|(key, _)| !key.is_empty())
                .ok_or_else(|| Error::usage("a pair of --config is not \"key=value\""))?;
            let is_reference = crate::catalog::Reference::parse(value).is_some();
            if crate::client::redact::is_secret_name(key) && !is_reference {
                return Err(Error::refused(format!(
                    "\"{key}\" holds a secret, which others can see in a command line"
                ))
                .with_hint(format!("Refer to it: `--config '{key}=${{env:EBS_SECRET_…}}'`.")));
            }
            if key == "name" && value != seen.name {
                return Err(Error::refused("a connector cannot be renamed"));
            }
            config.insert(key.to_owned(), value.to_owned());
        }
        let unknown: Vec<&String> = self.unset.iter().filter(|key| !config.contains_key(*key)).collect();
        if !unknown.is_empty() {
            return Err(Error::failed(format!(
                "the configuration has no {}",
                words::quoted(&unknown)
            )));
        }
        config.retain(|key, _| !self.unset.contains(key));
        if let Err(error) = tasks_max(&config) {
            return Err(Error::refused(error.to_string()));
        }
        Ok(ConnectorFile {
            name: seen.name.clone(),
            class: config.get("connector.class").cloned().unwrap_or_default(),
            config,
            offsets: None,
        })
    }
}

/// How to undo a change after which the connector does not run.
fn way_back(error: Error, updated: &Updated, kept_secrets: bool) -> Error {
    let error = match kept_secrets {
        // A named assumption: no document promises it (dossier `connect.md` §4.3).
        true => error.with_hint(
            "If it fails for a wrong password, the service did not keep the stored secrets: name them again instead of \
             `--keep-secrets`.",
        ),
        false => error,
    };
    let Some(saved) = &updated.saved else {
        return error.with_hint("The way back is an update with the configuration before; its secrets must be named.");
    };
    let back = format!(
        "Go back with `confluent ebs connector update {} --config-file {}`.",
        typed(&updated.id, &updated.name),
        word(&saved.path.display().to_string())
    );
    match saved.needs() {
        Some(needs) => error.with_hint(back).with_hint(needs),
        None => error.with_hint(back),
    }
}

/// What was changed.
#[derive(Debug, Serialize)]
pub(super) struct Updated {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Whether anything was sent, or would be.
    changed: bool,
    dry_run: bool,
    changes: Vec<FieldDiff>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    /// The former configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<Saved>,
}

impl Viewable for Updated {
    fn view(&self) -> Vec<Block> {
        if !self.changed {
            return vec![Block::line(format!("Connector \"{}\" is as it is wanted.", self.id))];
        }
        if self.dry_run {
            return vec![
                Block::line(format!("[DRY RUN] Updated connector \"{}\".", self.id)),
                show::diff(&self.name, Mark::Change, &self.changes),
            ];
        }
        let mut blocks = vec![Block::line(format!("Updated connector \"{}\".", self.id))];
        blocks.extend(
            self.cause
                .as_ref()
                .map(|cause| show::cause_lines(&self.id, &self.name, cause)),
        );
        blocks
    }
}
