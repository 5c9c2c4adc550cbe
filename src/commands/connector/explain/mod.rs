//! `confluent ebs connector explain`.

mod lines;
mod show;

use std::{borrow::Cow, io::Read as _};

use self::show::ExplainOutput;
pub(super) use self::show::explanation_lines;
use crate::{
    commands::{CommandOutput, Ctx},
    connectors::{
        explain::{CommandBuilder, ExplainedCause, explain_connectors},
        selectors::find_several,
    },
    error::Error,
    exit::ExitCode,
    resources::connector::diagnosis::ConnectorHealth,
    session::ConnectorSession,
};

/// Explain why connectors fail and how to fix them
///
/// For each unhealthy connector, shows the cause, the owner of the problem, and the next steps with their commands. An
/// error that matches no rule is shown with the recommendation of Confluent Cloud. If the status is inconclusive, the
/// log is read, too, which requires ConnectManager or ResourceOwner on the connector. Exits with 6 if a connector is
/// unhealthy. docs/causes.md lists all rules.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Explain a connector.

  $ confluent ebs connector explain claims-orders --profile claims-operator

Explain all your unhealthy connectors.

  $ confluent ebs connector explain --all

Explain why records of a running connector do not arrive.

  $ confluent ebs connector explain claims-orders --no-records

Explain an error message from a pipeline.

  $ confluent ebs connector explain --message UnknownHostException

Explain a stack trace, a log event or a status from a file.

  $ confluent ebs connector explain --message - < trace.txt")]
pub(super) struct ConnectorExplainArgs {
    /// IDs or names of connectors; names may contain "*" and "?".
    #[arg(value_name = "id", required_unless_present_any = ["all", "message"])]
    connectors: Vec<String>,
    /// Select all your connectors.
    #[arg(long, conflicts_with = "connectors")]
    all: bool,
    /// Diagnose running connectors that transfer no records.
    #[arg(long, conflicts_with = "all")]
    no_records: bool,
    /// Explain an error message instead of connectors: text or JSON; "-" is standard input.
    #[arg(long, value_name = "text", conflicts_with_all = ["connectors", "all", "no_records"])]
    message: Option<String>,
}

impl ConnectorExplainArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ExplainOutput>, Error> {
        if let Some(message) = &self.message {
            let message = read_message(message)?;
            let cause = ExplainedCause::from_message(&message, &CommandBuilder::for_run(&ctx.run)?);
            return Ok(CommandOutput::new(ExplainOutput::Message(cause)));
        }
        let session = ConnectorSession::open(&ctx.run)?;
        let explanations = ctx.block_on_reading(async {
            let observed = find_several(&session, &self.connectors, self.all).await?;
            explain_connectors(&ctx.run, &session, observed, self.no_records).await
        })?;
        let code = match explanations.iter().any(|one| one.health == ConnectorHealth::Unhealthy) {
            true => ExitCode::Unhealthy,
            false => ExitCode::Ok,
        };
        Ok(CommandOutput::new(ExplainOutput::Connectors(explanations)).with_code(code))
    }
}

/// Longest message in bytes that is read from standard input.
const MAX_MESSAGE: u64 = 1 << 20;

/// Returns the message of `--message`, which is on standard input for `-`.
fn read_message(message: &str) -> Result<Cow<'_, str>, Error> {
    let mut text = Cow::from(message);
    if message == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .take(MAX_MESSAGE)
            .read_to_end(&mut bytes)
            .map_err(|error| Error::failed(format!("cannot read standard input: {error}")))?;
        text = String::from_utf8_lossy(&bytes).into_owned().into();
    }
    if text.trim().is_empty() {
        return Err(
            Error::usage("the error message is empty").with_hint("Pass a text, a log event or a status document.")
        );
    }
    Ok(text)
}
