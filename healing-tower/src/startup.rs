//! Declared start of an app, which continues after its ports are bound.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::lock::lock;

/// Guard of an app that is still starting, returned by [`Builder::starting`](crate::Builder::starting).
/// Until every guard is dropped, the instance is not ready, and neither the doctor nor the care port's
/// `/livez` has it restarted for a stall.
///
/// # Hazards
///
/// An instance whose guard is never dropped, because it leaked or because the task that holds it hangs,
/// never becomes ready and is never restarted for a stall. A guard that is dropped by a panic or an early
/// return ends the start too, so keep the app from serving after a failed warm-up, for example by a check
/// with [`CheckOptions::readiness`](crate::CheckOptions::readiness).
#[derive(Debug)]
#[must_use = "the start ends when the guard is dropped"]
pub struct Starting(Arc<Startup>);

impl Drop for Starting {
    fn drop(&mut self) {
        let mut state = lock(&self.0.0);
        state.guards -= 1;
        if state.guards == 0 {
            state.ended_at = Some(Instant::now());
        }
    }
}

/// State of the start, shared by the instance and the guards.
#[derive(Debug, Default)]
pub(crate) struct Startup(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Number of guards that exist.
    guards: usize,
    /// Time at which the last guard was dropped.
    ended_at: Option<Instant>,
}

impl Startup {
    /// Declares that the app is starting until the guard is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Starting {
        lock(&self.0).guards += 1;
        Starting(Arc::clone(self))
    }

    /// Returns `true` while a guard exists.
    pub(crate) fn is_starting(&self) -> bool {
        lock(&self.0).guards > 0
    }

    /// Returns `true` if a stall of this length may count against the app, because its start ended longer
    /// ago, or was not declared.
    pub(crate) fn ended_before(&self, now: Instant, length: Duration) -> bool {
        let state = lock(&self.0);
        let elapsed = |ended_at| now.saturating_duration_since(ended_at);
        state.guards == 0 && state.ended_at.is_none_or(|at| elapsed(at) > length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_ends_with_its_last_guard_on_any_thread() {
        let startup = Arc::new(Startup::default());
        let now = Instant::now();
        let second = Duration::from_secs(1);
        assert!(!startup.is_starting() && startup.ended_before(now, second));
        let (one, other) = (startup.begin(), startup.begin());
        drop(one);
        assert!(startup.is_starting() && !startup.ended_before(now + 9 * second, second));
        let ended = std::thread::spawn(move || drop(other)).join();
        assert!(ended.is_ok() && !startup.is_starting());
        let now = Instant::now();
        assert!(!startup.ended_before(now, second));
        assert!(startup.ended_before(now + 2 * second, second));
    }
}
