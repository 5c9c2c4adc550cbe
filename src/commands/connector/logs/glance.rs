//! A glance at the last error lines of a connector, for whoever explains it: one request, never waited for.

use std::time::Duration;

use super::read::{Reader, WORTH_SAYING, explained};
use crate::{
    api::logs::{LogEntry, PAGE_SIZE},
    client,
    commands::{Ctx, session::DepartmentSession},
    error::Error,
    model::Address,
    resources::{
        connector::Seen,
        logs::{follow::Question, tail::Window},
    },
};

/// The way to the lines of several connectors, through one token.
pub(in crate::commands::connector) struct Glances {
    logs: client::Logs,
    address: Address,
}

impl Glances {
    pub(in crate::commands::connector) async fn open(session: &DepartmentSession) -> Result<Self, Error> {
        Ok(Self {
            logs: session.observers.logs()?,
            address: session.observers.address(&session.connectors.client).await?,
        })
    }

    /// Error lines of the time before now, the newest last, and whether there are more.
    pub(in crate::commands::connector) async fn errors(
        &self,
        ctx: &Ctx,
        session: &DepartmentSession,
        seen: &Seen,
        before: Duration,
    ) -> Result<(Vec<LogEntry>, bool), Error> {
        let question = Question {
            levels: vec!["ERROR".to_owned()],
            text: None,
            task: None,
        };
        let reader = Reader::new(ctx, session, &self.logs, &self.address, seen, question)?;
        let wait = reader.wait();
        if wait >= WORTH_SAYING {
            return Err(Error::failed(format!(
                "a connector stands 5 requests per minute, and the next one is in {} s",
                wait.as_secs()
            )));
        }
        let now = session.observers.clock().now();
        let window = Window {
            from: now.saturating_sub(before).unwrap_or(now),
            // The service is told whole seconds.
            to: now.saturating_add(Duration::from_secs(1)).unwrap_or(now),
        };
        let most = usize::try_from(PAGE_SIZE).ok();
        let read = reader.window(window, most).await;
        let (mut spool, more) = read.map_err(|error| explained(session, seen, error))?;
        let mut lines = Vec::new();
        while let Some(page) = spool.pop()? {
            lines.extend(page);
        }
        Ok((lines, more))
    }
}
