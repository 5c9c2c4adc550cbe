//! The connectors of a department that goes: they go first, while their account still lives.

use std::{collections::BTreeMap, time::Duration};

use clap::Args;

use crate::{
    api::connect::{Expanded, Place},
    commands::{
        Ctx,
        connector::{SaveArgs, Saved, run_plan},
        estate::Estate,
    },
    error::{Error, ErrorKind, ResultExt},
    model::Department,
    plan::{ConnectorPlan, Teardown},
    render::words,
    resources::connector::{Connectors, Seen},
};

/// How long a deleted connector may stay in the lists: up to half a minute was seen (dossier `connect.md` §2.5).
const LINGERS: Duration = Duration::from_mins(3);

/// What happens to connectors.
#[derive(Debug, Args)]
pub(super) struct ConnectorArgs {
    /// Remove the department's connectors, too.
    #[arg(long)]
    delete_connectors: bool,
    #[command(flatten)]
    save: SaveArgs,
}

/// The connectors that matter.
pub(super) struct There {
    connectors: Connectors,
    /// Those of the prefix.
    pub(super) own: Vec<Seen>,
    /// Others that run under an account of the department.
    pub(super) borrowed: Vec<Seen>,
}

/// Looks at the connectors of the cluster.
pub(super) async fn look(estate: &Estate<'_>, department: &Department, down: &Teardown) -> Result<There, Error> {
    let address = &estate.observed.snapshot.address;
    let connectors = Connectors {
        client: estate.session.client.clone(),
        place: Place {
            environment: address.environment.clone(),
            cluster: address.cluster.clone(),
        },
        clock: estate.session.clock.clone(),
    };
    let list = connectors.list().await;
    let list = list
        .map_err(Error::from)
        .map_err(|error| error.context("which connectors the department has could not be looked at"))
        .hint("An account is not removed while connectors may run under it.")?;
    let runs_as = |connector: &Expanded| {
        let account = connector.info.config.get("kafka.service.account.id");
        account.is_some_and(|account| down.accounts.iter().any(|own| own.id.as_str() == account))
    };
    let chosen = |of: &dyn Fn(&str, &Expanded) -> bool| -> Vec<Seen> {
        list.iter()
            .filter(|(name, now)| of(name, now))
            .map(|(name, now)| Seen {
                name: name.clone(),
                now: now.clone(),
            })
            .collect()
    };
    Ok(There {
        own: chosen(&|name, _| department.prefix.owns(name)),
        borrowed: chosen(&|name, now| !department.prefix.owns(name) && runs_as(now)),
        connectors,
    })
}

impl ConnectorArgs {
    /// Refuses to go on while connectors are in the way.
    pub(super) fn refuse(&self, department: &Department, there: &There) -> Result<(), Error> {
        if !there.borrowed.is_empty() {
            let names: Vec<&str> = there.borrowed.iter().map(|seen| seen.name.as_str()).collect();
            return Err(Error::refused(format!(
                "nothing was changed: {} of others run under the department's service account: {}",
                words::count(names.len(), "connector"),
                words::quoted(&names)
            ))
            .with_hint("Give them another account, or delete them, first: they would stop without a word."));
        }
        if there.own.is_empty() || self.delete_connectors {
            return Ok(());
        }
        let names: Vec<&str> = there.own.iter().map(|seen| seen.name.as_str()).collect();
        Err(Error::refused(format!(
            "nothing was changed: department \"{}\" still has {}: {}",
            department.code,
            words::count(names.len(), "connector"),
            words::quoted(&names)
        ))
        .with_hint("`--delete-connectors` saves their configurations and offsets, and removes them.")
        .with_hint("Their topics stay in any case."))
    }

    /// Saves and removes the department's connectors, and waits until the lists show them no more.
    pub(super) async fn delete(
        &self,
        ctx: &Ctx,
        estate: &Estate<'_>,
        department: &Department,
        there: &There,
    ) -> Result<Vec<Saved>, Error> {
        let mut saved = Vec::new();
        let mut plan = ConnectorPlan::default();
        for connector in &there.own {
            let folder = &estate.session.places.saved;
            saved.extend(self.save.save(ctx, &there.connectors, folder, connector, true).await?);
            plan.delete(Some(&department.code), connector);
        }
        if plan.is_empty() {
            return Ok(saved);
        }
        let journal = estate.session.connector_journal(&there.connectors.place);
        let ran = run_plan(
            ctx,
            &there.connectors,
            &journal,
            "offboard",
            &plan,
            Duration::ZERO,
            Duration::ZERO,
        )
        .await?;
        if let Some(error) = ran.error(None, &plan) {
            return Err(error
                .context("the connectors were not all removed, so the department's access stays as it is")
                .with_hint("Run the same command again: it does the rest and nothing twice."));
        }
        self.wait(ctx, there).await?;
        Ok(saved)
    }

    async fn wait(&self, ctx: &Ctx, there: &There) -> Result<(), Error> {
        let clock = &there.connectors.clock;
        let begun = clock.now();
        loop {
            let list: BTreeMap<String, Expanded> = there.connectors.list().await?;
            let left: Vec<&str> = there
                .own
                .iter()
                .filter(|seen| list.get(&seen.name).is_some_and(|now| now.id == seen.now.id))
                .map(|seen| seen.name.as_str())
                .collect();
            if left.is_empty() {
                return Ok(());
            }
            if ctx.interrupt.is_wished() || clock.since(begun) > LINGERS {
                return Err(Error::new(
                    ErrorKind::Partial,
                    format!("{} asked to go and still listed", words::quoted(&left)),
                )
                .with_hint("Run the same command again in a few minutes: it does the rest and nothing twice."));
            }
            clock.sleep(Duration::from_secs(3)).await;
        }
    }
}
