//! The wish to stop, shared by everything that runs: whoever starts work asks first, whoever waits also waits for this.
//!
//! What turns a signal into this wish is at the edge (`commands::signals`); here is only the flag.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::watch;

/// A handle on the wish to stop. Cheap to clone; all clones are the same wish.
#[derive(Clone, Debug)]
pub struct CancelToken(Arc<CancelState>);

#[derive(Debug)]
struct CancelState {
    cancelled: watch::Sender<bool>,
    prompting: AtomicBool,
}

impl Default for CancelToken {
    fn default() -> Self {
        Self::new()
    }
}

impl CancelToken {
    /// Nobody wishes to stop yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(CancelState {
            cancelled: watch::Sender::new(false),
            prompting: AtomicBool::new(false),
        }))
    }

    /// Wishes to stop. Returns whether nobody had wished it before.
    pub fn cancel(&self) -> bool {
        !self.0.cancelled.send_replace(true)
    }

    /// Whether to stop: start nothing new, finish what runs.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.0.cancelled.borrow()
    }

    /// Resolves once somebody wishes to stop.
    pub async fn cancelled(&self) {
        let mut receiver = self.0.cancelled.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        drop(receiver.wait_for(|wished| *wished).await);
    }

    /// While the guard lives, a person is being asked and nothing is under way: an interruption may end the process at
    /// once.
    #[must_use]
    pub fn enter_prompt(&self) -> PromptGuard<'_> {
        self.0.prompting.store(true, Ordering::SeqCst);
        PromptGuard(self)
    }

    /// Whether a person is being asked just now.
    #[must_use]
    pub fn is_prompting(&self) -> bool {
        self.0.prompting.load(Ordering::SeqCst)
    }
}

/// Proof that a person is being asked.
#[derive(Debug)]
pub struct PromptGuard<'a>(&'a CancelToken);

impl Drop for PromptGuard<'_> {
    fn drop(&mut self) {
        self.0.0.prompting.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn cancellation_reaches_every_clone_and_later_waiters() {
        let interrupt = CancelToken::new();
        let waiting = interrupt.clone();
        let waiter = async move { waiting.cancelled().await };
        assert!(!interrupt.is_cancelled());
        assert!(interrupt.cancel());
        assert!(!interrupt.cancel());
        waiter.await;
        interrupt.cancelled().await;
        assert!(interrupt.clone().is_cancelled());
    }

    #[test]
    fn the_prompt_state_ends_with_its_guard() {
        let interrupt = CancelToken::new();
        let guard = interrupt.enter_prompt();
        assert!(interrupt.is_prompting());
        drop(guard);
        assert!(!interrupt.is_prompting());
    }
}
