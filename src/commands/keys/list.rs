//! `confluent ebs keys list`.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    commands::{
        Ctx, Report,
        estate::{self, AclSight, Estate, FolderArgs},
        session::Session,
    },
    error::{Error, ErrorKind},
    model::{ApiKeyId, DepartmentCode, Principal, Snapshot},
    render::{Cell, List, Row},
    resources::api_key::KeyClaim,
};

/// List the API keys of departments.
///
/// Shows what is known of each: since when it exists, when it was proved and handed over, and whether anybody vouches
/// for it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
List the keys of every department.

  $ confluent ebs keys list

List those of a department, for a script.

  $ confluent ebs keys list claims -o json")]
pub(super) struct ListKeys {
    /// Codes of departments; without one, all of them.
    #[arg(value_name = "department")]
    departments: Vec<DepartmentCode>,
    #[command(flatten)]
    folders: FolderArgs,
}

impl ListKeys {
    pub(super) fn run(mut self, ctx: &mut Ctx) -> Result<Report<List<KeyRow>>, Error> {
        let session = Session::open(ctx, 8)?;
        if self.departments.is_empty() {
            self.departments.extend(ctx.globals.department.clone());
        }
        for code in &self.departments {
            estate::department(&session, code)?;
        }
        ctx.block_on(async {
            let estate = Estate::look(ctx, &session, &[], &self.folders, AclSight::No).await?;
            let seen = &estate.observed.snapshot;
            if let Some(reason) = seen.unknown.get("API keys") {
                let message = format!("API keys could not be looked at: {reason}");
                return Err(Error::new(ErrorKind::Denied, message)
                    .with_hint("The provisioner, as owner of the departments' accounts, sees their keys."));
            }
            Ok(Report::new(List::new(self.rows(&estate, seen))))
        })
    }

    fn rows(&self, estate: &Estate<'_>, seen: &Snapshot) -> Vec<KeyRow> {
        let vouched = estate.vouched();
        let proved_at = |id: &ApiKeyId| vouched.get(id).map(|vouched| vouched.proved_at);
        let mut rows: Vec<KeyRow> = seen
            .accounts
            .iter()
            .filter_map(|account| Some((account, account.tag()?)))
            .filter(|(_, tag)| tag.stage == estate.session.stage_name)
            .filter(|(_, tag)| self.departments.is_empty() || self.departments.contains(&tag.department))
            .flat_map(|(account, tag)| {
                let principal = Principal::ServiceAccount(account.id.clone());
                let keys = seen.keys.iter().filter(move |key| key.owner == principal);
                keys.map(move |key| (account, tag.clone(), key))
            })
            .map(|(account, tag, key)| KeyRow {
                department: tag.department.to_string(),
                persona: tag.persona,
                service_account: account.id.to_string(),
                api_key: key.id.to_string(),
                resource: key.resource.clone(),
                created_at: key.created_at,
                age_days: key
                    .created_at
                    .map(|made| seen.taken_at.duration_since(made).as_hours() / 24),
                proved_at: proved_at(&key.id),
                proved_days: proved_at(&key.id).map(|at| seen.taken_at.duration_since(at).as_hours() / 24),
                state: match estate.ledger.claim(key) {
                    KeyClaim::Held => State::Held,
                    KeyClaim::Waiting => State::Waiting,
                    KeyClaim::Orphan => State::Orphan,
                    KeyClaim::Unvouched => State::Unvouched,
                },
            })
            .collect();
        rows.sort_by(|a, b| {
            let order = |row: &KeyRow| (row.department.clone(), row.persona.clone(), row.created_at);
            order(a).cmp(&order(b)).then_with(|| a.api_key.cmp(&b.api_key))
        });
        rows
    }
}

/// What a key is to the platform.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It was handed over.
    Held,
    /// Its secret is on this disk, to be proved and handed over by the next run.
    Waiting,
    /// An interrupted run made it, and nobody holds its secret.
    Orphan,
    /// Nothing vouches for it.
    Unvouched,
}

/// One key.
#[derive(Debug, Serialize)]
pub(super) struct KeyRow {
    department: String,
    persona: String,
    service_account: String,
    api_key: String,
    /// `cloud`, or the ID of a cluster or of a Schema Registry.
    resource: String,
    /// Nothing where the service does not tell.
    created_at: Option<Timestamp>,
    age_days: Option<i64>,
    /// When it was last proved, as far as the evidence at hand says.
    proved_at: Option<Timestamp>,
    #[serde(skip)]
    proved_days: Option<i64>,
    state: State,
}

impl Row for KeyRow {
    const COLUMNS: &'static [&'static str] =
        &["Department", "Persona", "API Key", "Resource", "Age", "Proved", "State"];

    fn cells(&self) -> Vec<Cell> {
        let days = |days: Option<i64>| Cell::Text(days.map_or_else(String::new, |days| format!("{days} d")));
        vec![
            Cell::text(&self.department),
            Cell::text(&self.persona),
            Cell::text(&self.api_key),
            Cell::text(&self.resource),
            days(self.age_days),
            days(self.proved_days),
            Cell::from(match self.state {
                State::Held => "held",
                State::Waiting => "waiting",
                State::Orphan => "orphan",
                State::Unvouched => "unvouched",
            }),
        ]
    }
}
