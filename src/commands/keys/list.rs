//! `confluent ebs keys list`.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx, provisioning::FolderArgs},
    error::{Error, ErrorKind},
    model::{ApiKeyId, DepartmentCode, Listing, Principal, Snapshot},
    provisioning::{AclLookup, Reconciliation},
    render::{Cell, RowList, TableRow},
    resources::api_key::ApiKeyStatus,
    session::PlatformSession,
};

/// List the API keys of departments
///
/// Shows the age of each key, when it was last tested, and whether it is delivered, pending, orphaned or unrecorded.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
List the keys of all departments.

  $ confluent ebs keys list

List the keys of a department for a script.

  $ confluent ebs keys list claims -o json")]
pub(super) struct KeysListArgs {
    /// Codes of departments. Without codes, the keys of all departments are listed.
    #[arg(value_name = "department")]
    departments: Vec<DepartmentCode>,
    #[command(flatten)]
    folders: FolderArgs,
}

impl KeysListArgs {
    pub(super) fn run(mut self, ctx: &mut Ctx) -> Result<CommandOutput<RowList<KeyListRow>>, Error> {
        let session = PlatformSession::open(&ctx.run, 8)?;
        if self.departments.is_empty() {
            self.departments.extend(ctx.run.options.department.clone());
        }
        for code in &self.departments {
            crate::provisioning::find_department(&session, code)?;
        }
        ctx.block_on(async {
            let reconciliation =
                Reconciliation::observe(&ctx.run, &session, &[], self.folders.to_options(), AclLookup::Skip).await?;
            let snapshot = &reconciliation.observed.snapshot;
            if let Some(reason) = snapshot.unknown.get(&Listing::ApiKeys) {
                let message = format!("unknown: {} could not be listed ({reason})", Listing::ApiKeys);
                return Err(Error::new(ErrorKind::Denied, message).with_hint(
                    "Use the provisioner's API key: it owns the departments' accounts and can list their keys.",
                ));
            }
            Ok(CommandOutput::new(RowList::new(self.rows(&reconciliation, snapshot))))
        })
    }

    fn rows(&self, reconciliation: &Reconciliation<'_>, snapshot: &Snapshot) -> Vec<KeyListRow> {
        let recorded = reconciliation.recorded_keys();
        let probed_at = |id: &ApiKeyId| recorded.get(id).map(|recorded| recorded.proved_at);
        let mut rows: Vec<KeyListRow> = snapshot
            .accounts
            .iter()
            .filter_map(|account| Some((account, account.tag()?)))
            .filter(|(_, tag)| tag.stage == reconciliation.session.stage_name)
            .filter(|(_, tag)| self.departments.is_empty() || self.departments.contains(&tag.department))
            .flat_map(|(account, tag)| {
                let principal = Principal::ServiceAccount(account.id.clone());
                let keys = snapshot.keys.iter().filter(move |key| key.owner == principal);
                keys.map(move |key| (account, tag.clone(), key))
            })
            .map(|(account, tag, key)| KeyListRow {
                department: tag.department.to_string(),
                persona: tag.persona,
                service_account: account.id.to_string(),
                api_key: key.id.to_string(),
                resource: key.resource.clone(),
                created_at: key.created_at,
                age_days: key
                    .created_at
                    .map(|created| snapshot.taken_at.duration_since(created).as_hours() / 24),
                probed_at: probed_at(&key.id),
                probed_days: probed_at(&key.id).map(|at| snapshot.taken_at.duration_since(at).as_hours() / 24),
                state: match reconciliation.known_keys.classify(key) {
                    ApiKeyStatus::Delivered => KeyListState::Delivered,
                    ApiKeyStatus::Pending => KeyListState::Pending,
                    ApiKeyStatus::Orphaned => KeyListState::Orphaned,
                    ApiKeyStatus::Unrecorded => KeyListState::Unrecorded,
                },
            })
            .collect();
        rows.sort_by(|a, b| {
            let order = |row: &KeyListRow| (row.department.clone(), row.persona.clone(), row.created_at);
            order(a).cmp(&order(b)).then_with(|| a.api_key.cmp(&b.api_key))
        });
        rows
    }
}

/// State of a key.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum KeyListState {
    /// The key was delivered in a profile.
    Delivered,
    /// The secret is stored on this machine; the next run tests and delivers it.
    Pending,
    /// An interrupted run created the key and lost its secret.
    Orphaned,
    /// No evidence, journal or profile contains the key.
    Unrecorded,
}

/// Row of a key.
#[derive(Debug, Serialize)]
pub(super) struct KeyListRow {
    department: String,
    persona: String,
    service_account: String,
    api_key: String,
    /// `cloud`, or the ID of a cluster or Schema Registry.
    resource: String,
    /// Creation time; `None` if the API does not report it.
    created_at: Option<Timestamp>,
    age_days: Option<i64>,
    /// Time of the last probe with the key, from the evidence.
    probed_at: Option<Timestamp>,
    #[serde(skip)]
    probed_days: Option<i64>,
    state: KeyListState,
}

impl TableRow for KeyListRow {
    const COLUMNS: &'static [&'static str] =
        &["Department", "Persona", "API Key", "Resource", "Age", "Probed", "State"];

    fn cells(&self) -> Vec<Cell> {
        let days = |days: Option<i64>| Cell::Text(days.map_or_else(String::new, |days| format!("{days} d")));
        vec![
            Cell::text(&self.department),
            Cell::text(&self.persona),
            Cell::text(&self.api_key),
            Cell::text(&self.resource),
            days(self.age_days),
            days(self.probed_days),
            Cell::from(match self.state {
                KeyListState::Delivered => "delivered",
                KeyListState::Pending => "pending",
                KeyListState::Orphaned => "orphaned",
                KeyListState::Unrecorded => "unrecorded",
            }),
        ]
    }
}
