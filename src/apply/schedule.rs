//! Scheduler for dependent steps. A step starts when all steps that it needs are done; if one fails, its dependents are
//! skipped and all other steps continue.

use std::future::Future;

use futures_util::{StreamExt, stream::FuturesUnordered};

use tokio_util::sync::CancellationToken;

/// Status of a step after the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepStatus {
    /// The step succeeded.
    Done,
    /// The step failed.
    Failed,
    /// The step was skipped because this step failed.
    Skipped(usize),
    /// The step was not started because the run was cancelled.
    NotStarted,
}

/// Runs the steps `0..needs.len()`, at most `concurrency` at a time. `start` runs one step and returns whether it
/// succeeded; `skipped` is called for each skipped step and the failed step.
///
/// Among the ready steps, the one with the longest chain of dependents starts first, so that no long chain remains at
/// the end; ties are resolved by the order of the plan.
pub async fn run<Fut>(
    needs: &[Vec<usize>],
    concurrency: usize,
    interrupt: &CancellationToken,
    start: impl Fn(usize) -> Fut,
    skipped: impl Fn(usize, usize),
) -> Vec<StepStatus>
where
    Fut: Future<Output = bool>,
{
    let count = needs.len();
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (step, before) in needs.iter().enumerate() {
        for &need in before {
            after[need].push(step);
        }
    }
    // Needs come before their dependents, so one backward pass gives the length of every chain.
    let mut chain = vec![1_usize; count];
    for step in (0..count).rev() {
        chain[step] += after[step].iter().map(|&next| chain[next]).max().unwrap_or(0);
    }
    let mut open: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut ended: Vec<Option<StepStatus>> = vec![None; count];
    let mut ready: std::collections::BTreeSet<(std::cmp::Reverse<usize>, usize)> = (0..count)
        .filter(|&step| open[step] == 0)
        .map(|step| (std::cmp::Reverse(chain[step]), step))
        .collect();
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < concurrency.max(1) && !interrupt.is_cancelled() {
            let Some((_, step)) = ready.pop_first() else { break };
            let future = start(step);
            running.push(async move { (step, future.await) });
        }
        let Some((step, succeeded)) = running.next().await else {
            break;
        };
        if succeeded {
            ended[step] = Some(StepStatus::Done);
            for &next in &after[step] {
                open[next] -= 1;
                if open[next] == 0 && ended[next].is_none() {
                    ready.insert((std::cmp::Reverse(chain[next]), next));
                }
            }
        } else {
            ended[step] = Some(StepStatus::Failed);
            let mut lost = after[step].clone();
            while let Some(next) = lost.pop() {
                if ended[next].is_none() {
                    ended[next] = Some(StepStatus::Skipped(step));
                    skipped(next, step);
                    lost.extend(&after[next]);
                }
            }
        }
    }
    ended
        .into_iter()
        .map(|end| end.unwrap_or(StepStatus::NotStarted))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::BTreeSet};

    use proptest::prelude::*;

    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    /// Generates steps that need earlier steps, and the set of failing steps.
    fn graph() -> impl Strategy<Value = (Vec<Vec<usize>>, BTreeSet<usize>)> {
        let step = (
            prop::collection::vec(any::<prop::sample::Index>(), 0..3),
            prop::bool::weighted(0.15),
        );
        prop::collection::vec(step, 1..25).prop_map(|steps| {
            let mut needs = Vec::new();
            let mut failing = BTreeSet::new();
            for (place, (picks, fails)) in steps.into_iter().enumerate() {
                let before: BTreeSet<usize> = if place == 0 {
                    BTreeSet::new()
                } else {
                    picks.iter().map(|pick| pick.index(place)).collect()
                };
                needs.push(before.into_iter().collect());
                if fails {
                    failing.insert(place);
                }
            }
            (needs, failing)
        })
    }

    proptest! {
        #[test]
        fn every_step_runs_after_its_needs_and_a_failure_skips_only_its_dependents((needs, failing) in graph(), width in 1_usize..5) {
            let begun = RefCell::new(Vec::new());
            let done = RefCell::new(BTreeSet::new());
            let at_once = RefCell::new((0_usize, 0_usize));
            let interrupt = CancellationToken::default();
            let start = |step: usize| {
                for need in &needs[step] {
                    assert!(done.borrow().contains(need), "step {step} began before {need} was done");
                }
                begun.borrow_mut().push(step);
                let (begun, done, at_once, failing) = (&begun, &done, &at_once, &failing);
                async move {
                    { let mut now = at_once.borrow_mut(); now.0 += 1; now.1 = now.1.max(now.0); }
                    tokio::task::yield_now().await;
                    at_once.borrow_mut().0 -= 1;
                    let _ = begun;
                    if failing.contains(&step) { return false; }
                    done.borrow_mut().insert(step);
                    true
                }
            };
            let ended = block_on(run(&needs, width, &interrupt, start, |_, _| {}));
            prop_assert!(at_once.borrow().1 <= width);
            for (step, end) in ended.iter().enumerate() {
                // Reference model: a step is skipped when any of its needs failed or was skipped.
                let lost = needs[step].iter().any(|&need| ended[need] != StepStatus::Done);
                match end {
                    StepStatus::Done => prop_assert!(!lost && !failing.contains(&step)),
                    StepStatus::Failed => prop_assert!(!lost && failing.contains(&step)),
                    StepStatus::Skipped(_) => prop_assert!(lost),
                    StepStatus::NotStarted => prop_assert!(false, "nothing was cancelled"),
                }
            }
            let unique: BTreeSet<_> = begun.borrow().iter().copied().collect();
            prop_assert_eq!(unique.len(), begun.borrow().len());
        }
    }

    #[test]
    fn an_interrupt_lets_running_steps_finish_and_starts_no_other() {
        let needs = vec![vec![], vec![0], vec![]];
        let interrupt = CancellationToken::default();
        let signal = interrupt.clone();
        let start = move |_| {
            signal.cancel();
            async { true }
        };
        let ended = block_on(run(&needs, 1, &interrupt, start, |_, _| {}));
        assert_eq!(
            ended,
            [StepStatus::Done, StepStatus::NotStarted, StepStatus::NotStarted]
        );
    }
}
