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
pub struct Interrupt(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    wished: watch::Sender<bool>,
    asking: AtomicBool,
}

impl Default for Interrupt {
    fn default() -> Self {
        Self::new()
    }
}

impl Interrupt {
    /// Nobody wishes to stop yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            wished: watch::Sender::new(false),
            asking: AtomicBool::new(false),
        }))
    }

    /// Wishes to stop. Returns whether nobody had wished it before.
    pub fn wish(&self) -> bool {
        !self.0.wished.send_replace(true)
    }

    /// Whether to stop: start nothing new, finish what runs.
    #[must_use]
    pub fn is_wished(&self) -> bool {
        *self.0.wished.borrow()
    }

    /// Resolves once somebody wishes to stop.
    pub async fn wished(&self) {
        let mut receiver = self.0.wished.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        drop(receiver.wait_for(|wished| *wished).await);
    }

    /// While the guard lives, a person is being asked and nothing is under way: an interruption may end the process at
    /// once.
    #[must_use]
    pub fn asking(&self) -> Asking<'_> {
        self.0.asking.store(true, Ordering::SeqCst);
        Asking(self)
    }

    /// Whether a person is being asked just now.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        self.0.asking.load(Ordering::SeqCst)
    }
}

/// Proof that a person is being asked.
#[derive(Debug)]
pub struct Asking<'a>(&'a Interrupt);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.0.asking.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wish_reaches_every_clone_and_those_who_come_late() {
        let interrupt = Interrupt::new();
        let waiting = interrupt.clone();
        let waiter = async move { waiting.wished().await };
        assert!(!interrupt.is_wished());
        assert!(interrupt.wish());
        assert!(!interrupt.wish());
        waiter.await;
        interrupt.wished().await;
        assert!(interrupt.clone().is_wished());
    }

    #[test]
    fn asking_ends_with_its_guard() {
        let interrupt = Interrupt::new();
        let guard = interrupt.asking();
        assert!(interrupt.is_asking());
        drop(guard);
        assert!(!interrupt.is_asking());
    }
}
