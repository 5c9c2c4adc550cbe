//! Makes the changes of a plan of connectors. One connector or a hundred, a person or a pipeline: this is the only way.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use super::{Event, Listener, Performer, Step, StepError};
use crate::{
    interrupt::Interrupt,
    model::DepartmentCode,
    plan::connectors::{ConnectorChange, ConnectorOperation},
    resources::connector::{
        Begun, Connectors, Seen, Sight,
        wait::{Goal, Patience},
    },
};

/// Everything that a run over connectors works with.
pub struct ConnectorEngine<'a> {
    connectors: &'a Connectors,
    listener: &'a dyn Listener,
    interrupt: &'a Interrupt,
    timeout: Duration,
    settle: Duration,
    seen: RefCell<BTreeMap<String, Seen>>,
}

impl<'a> ConnectorEngine<'a> {
    /// An engine that waits for `timeout` at most, and watches a changed connector for `settle` before it believes it.
    pub fn new(
        connectors: &'a Connectors,
        listener: &'a dyn Listener,
        interrupt: &'a Interrupt,
        timeout: Duration,
        settle: Duration,
    ) -> Self {
        Self {
            connectors,
            listener,
            interrupt,
            timeout,
            settle,
            seen: RefCell::default(),
        }
    }

    /// The connectors as they were seen last in this run.
    #[must_use]
    pub fn into_seen(self) -> BTreeMap<String, Seen> {
        self.seen.into_inner()
    }

    fn remember(&self, seen: &Seen) {
        self.seen.borrow_mut().insert(seen.name.clone(), seen.clone());
    }

    /// Waits for `goal`, and says what it sees meanwhile.
    async fn wait(&self, name: &str, goal: Goal, settle: Duration) -> Result<Seen, StepError> {
        let watch = |sight: &Sight| {
            let text = format!("{name}: {sight}");
            self.listener.on(&Event::Note { text });
        };
        let patience = Patience {
            timeout: self.timeout,
            settle,
            interrupt: self.interrupt.clone(),
            goal,
        };
        let outcome = self.connectors.wait(name, &patience, &watch).await;
        let outcome = outcome.map_err(crate::resources::ResourceError::from)?;
        let result = outcome.into_result(name);
        match &result {
            Ok(seen) => self.remember(seen),
            Err(error) => error.seen().into_iter().for_each(|seen| self.remember(seen)),
        }
        Ok(result?)
    }
}

impl Step for ConnectorChange {
    fn label(&self) -> String {
        Self::label(self)
    }

    fn department(&self) -> Option<&DepartmentCode> {
        self.department.as_ref()
    }

    fn needs(&self) -> &[usize] {
        &self.needs
    }
}

impl Performer for ConnectorEngine<'_> {
    type Change = ConnectorChange;

    async fn perform(&self, change: &ConnectorChange) -> Result<Option<String>, StepError> {
        match &change.operation {
            ConnectorOperation::Create { wanted } => {
                let seen = match self.connectors.create(wanted).await? {
                    Begun::Made(seen) => seen,
                    Begun::Found(seen) => Some(seen),
                };
                if let Some(seen) = &seen {
                    self.remember(seen);
                }
                Ok(seen.map(|seen| seen.id().to_owned()))
            }
            ConnectorOperation::Update { seen, wanted } => {
                self.connectors.replace(seen, &wanted.config).await?;
                Ok(Some(seen.id().to_owned()))
            }
            ConnectorOperation::Delete { seen } => {
                self.connectors.delete(seen).await?;
                Ok(Some(seen.id().to_owned()))
            }
            ConnectorOperation::Pause => {
                // The service pauses what has begun to run (dossier `connect.md` §2.6, §3.2).
                let seen = self.wait(&change.name, Goal::Started, Duration::ZERO).await?;
                if seen.state() != Goal::Paused.state() {
                    self.connectors.pause(&seen).await?;
                }
                Ok(Some(seen.id().to_owned()))
            }
            ConnectorOperation::Await { goal, settles } => {
                let settle = if *settles { self.settle } else { Duration::ZERO };
                let seen = self.wait(&change.name, *goal, settle).await?;
                Ok(Some(seen.id().to_owned()))
            }
        }
    }
}
