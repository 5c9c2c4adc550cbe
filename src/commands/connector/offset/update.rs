//! `confluent ebs connector offset update`.

use std::path::PathBuf;

use serde_json::Value;

use super::{alter, connector, outcome, status::RequestStatus};
use crate::{
    api::connect::OffsetItem,
    commands::{Ctx, Report, connector::names, session::DepartmentSession},
    error::{Error, ResultExt},
};

/// Update the offsets of a connector.
///
/// The service stops the connector while it changes them. What was read before may be read again, or never.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Set the offsets of a connector as a file says.

  $ confluent ebs connector offset update lcc-123456 --config-file offsets.json")]
pub(in crate::commands::connector) struct Update {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
    /// JSON file with the new offsets: a list of partitions and offsets, or an object that holds it as "offsets".
    #[arg(long, value_name = "string", required = true)]
    config_file: PathBuf,
}

impl Update {
    pub(in crate::commands::connector) fn run(self, ctx: &mut Ctx) -> Result<Report<RequestStatus>, Error> {
        let offsets = read(&self.config_file)?;
        let session = DepartmentSession::open(ctx)?;
        names::refuse_foreign(session.tenant.as_ref(), std::slice::from_ref(&self.connector))?;
        let seen = ctx.block_on(connector(&session, &self.connector))?;
        let question = format!(
            "Are you sure you want to change the offsets of connector \"{}\"?",
            seen.id()
        );
        if !ctx.confirm(&question)? {
            return Ok(Report::nothing());
        }
        let status = ctx.block_on(alter(&session, &seen, Some(offsets)))?;
        let error = outcome(&seen, &status);
        let report = Report::new(RequestStatus::of(&seen, status));
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

/// Numbers stay numbers: as texts they break source connectors (dossier `connect.md` §9).
fn read(path: &std::path::Path) -> Result<Vec<OffsetItem>, Error> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| format!("unable to read offsets file \"{shown}\""))?;
    let value: Value =
        serde_json::from_str(&text).with_context(|| format!("unable to read offsets file \"{shown}\""))?;
    let list = match value {
        Value::Object(mut fields) => fields.remove("offsets").unwrap_or_default(),
        list => list,
    };
    let items: Vec<OffsetItem> = serde_json::from_value(list).map_err(|_| {
        Error::failed(format!(
            "offsets file \"{shown}\" holds no list of partitions and offsets"
        ))
    })?;
    match items.is_empty() {
        true => Err(Error::failed(format!("offsets file \"{shown}\" is empty"))),
        false => Ok(items),
    }
}
