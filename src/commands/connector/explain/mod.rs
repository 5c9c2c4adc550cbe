//! `confluent ebs connector explain`.

mod explanation;
mod look;
mod show;
mod typed;

use self::{
    explanation::{Explanations, Meaning, Output},
    typed::Typing,
};
use super::{DepartmentSession, names};
use crate::{
    commands::{Ctx, Report, session},
    config::Folders,
    error::{Error, ErrorKind},
    exit::ExitCode,
    resources::connector::diagnosis::Health,
};

/// Explain why connectors do not run, and what to do about it.
///
/// Of each connector that is not well: what it means, in whose hands it is, what to do in which order, and what to type.
/// What no rule knows is shown as the service says it, with the service's own advice. Where the status does not say
/// enough, the last error lines are read, too, which takes ConnectManager or ResourceOwner on the connector. What is well
/// takes one line. Exits with 6 if a connector is unhealthy. docs/causes.md explains every rule.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Explain a connector.

  $ confluent ebs connector explain claims-orders --profile claims-operator

Explain every connector of the department that is not well.

  $ confluent ebs connector explain --all

Explain a connector that runs, and whose records do not arrive.

  $ confluent ebs connector explain claims-orders --no-records

Explain a message that a pipeline has shown.

  $ confluent ebs connector explain --message UnknownHostException")]
pub(super) struct Explain {
    /// IDs or names of connectors; a name may hold * and ?.
    #[arg(value_name = "id", required_unless_present_any = ["all", "message"])]
    connectors: Vec<String>,
    /// All connectors of the department.
    #[arg(long, conflicts_with = "connectors")]
    all: bool,
    /// They run, and no records arrive: say where these may be.
    #[arg(long, conflicts_with = "all")]
    no_records: bool,
    /// Explain an error message instead, from wherever it comes.
    #[arg(long, value_name = "text", conflicts_with_all = ["connectors", "all", "no_records"])]
    message: Option<String>,
}

impl Explain {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Output>, Error> {
        if let Some(message) = &self.message {
            let typing = Typing::of(&ctx.globals, None);
            let typing = match session::named_profile(ctx, &Folders::discover()?) {
                Some(_) => typing,
                None => typing.without_profile(),
            };
            return Ok(Report::new(Output::Message(Meaning::of(message, &typing))));
        }
        let session = DepartmentSession::open(ctx)?;
        if self.all {
            // Without a department this would reach everybody's.
            session.tenant()?;
        }
        names::refuse_foreign(session.tenant.as_ref(), &self.connectors)?;
        let explanations = ctx.block_on(async {
            let list = session.connectors.look(&self.connectors).await?;
            let seen = match self.all {
                true => names::all(&session, &list),
                false => names::resolve(&session, &list, &self.connectors)?,
            };
            tokio::select! {
                looked = look::look(ctx, &session, seen, self.no_records) => Ok(looked),
                () = ctx.interrupt.wished() => {
                    Err(Error::new(ErrorKind::Interrupted, "interrupted while connectors were looked at"))
                }
            }
        })?;
        let code = match explanations.iter().any(|one| one.health == Health::Unhealthy) {
            true => ExitCode::Unhealthy,
            false => ExitCode::Ok,
        };
        Ok(Report::new(Output::Connectors(Explanations::new(explanations))).with_code(code))
    }
}
