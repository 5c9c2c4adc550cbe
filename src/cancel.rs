//! Cancellation token shared by all running work. Work checks it before it starts a step and wakes from waits when it
//! is cancelled.
//!
//! `commands::signals` cancels it on a signal.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::watch;

/// Cancellation token. Cheap to clone; all clones share one state.
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
    /// Creates a token that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(CancelState {
            cancelled: watch::Sender::new(false),
            prompting: AtomicBool::new(false),
        }))
    }

    /// Cancels the token. Returns whether it was not cancelled before.
    pub fn cancel(&self) -> bool {
        !self.0.cancelled.send_replace(true)
    }

    /// Returns whether the token is cancelled: start no new step, finish running ones.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.0.cancelled.borrow()
    }

    /// Resolves when the token is cancelled.
    pub async fn cancelled(&self) {
        let mut receiver = self.0.cancelled.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        drop(receiver.wait_for(|wished| *wished).await);
    }

    /// Marks that the program waits at a prompt and nothing is running. While the guard lives, an interrupt may end the
    /// process immediately.
    #[must_use]
    pub fn enter_prompt(&self) -> PromptGuard<'_> {
        self.0.prompting.store(true, Ordering::SeqCst);
        PromptGuard(self)
    }

    /// Returns whether the program waits at a prompt.
    #[must_use]
    pub fn is_prompting(&self) -> bool {
        self.0.prompting.load(Ordering::SeqCst)
    }
}

/// Guard of a prompt.
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
