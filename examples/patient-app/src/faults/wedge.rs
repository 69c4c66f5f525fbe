//! `wedge`: every worker of the app's runtime sleeps in a blocking call, so that nothing
//! asynchronous makes progress: no request, no timer, no health endpoint on the app's own port.
//!
//! A worker that is not caught would steal the tasks of those that are and answer for them. So
//! blocking tasks are handed out until as many sleep as the runtime has workers.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::{Refusal, Strength};

/// Left for the answer to reach the client before nothing does.
const HEAD_START: Duration = Duration::from_millis(100);
/// Between two looks at whether all are caught.
const LOOK: Duration = Duration::from_millis(20);

/// The wedge: how many workers sleep in it.
#[derive(Debug, Default)]
pub struct Wedge {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Workers sleep while it is the one they were caught with.
    generation: u64,
    on: bool,
    caught: usize,
    until: Option<Instant>,
}

impl Wedge {
    pub(super) fn on(&self, strength: Strength) -> Result<(), Refusal> {
        let runtime = Handle::try_current()
            .map_err(|_| Refusal::NotPossible("there is no runtime to wedge".to_owned()))?;
        let generation = {
            let mut state = self.shared.lock();
            if state.on {
                return Err(Refusal::NotPossible(
                    "the runtime is already wedged".to_owned(),
                ));
            }
            state.generation += 1;
            state.on = true;
            state.until = strength
                .seconds
                .map(|s| Instant::now() + HEAD_START + Duration::from_secs(u64::from(s)));
            state.generation
        };
        let shared = Arc::clone(&self.shared);
        // From outside the runtime: a task spawned by a worker may wait in that worker's own slot.
        let catch = move || {
            std::thread::sleep(HEAD_START);
            catch_all(&shared, &runtime, generation);
        };
        std::thread::Builder::new()
            .name("wedge".to_owned())
            .spawn(catch)
            .map(drop)
            .map_err(|error| {
                self.off();
                Refusal::NotPossible(format!("no thread for the wedge: {error}"))
            })
    }

    /// Wakes the workers. Over HTTP this comes too late (nothing answers any more); a supervisor
    /// that ends the process, or `?seconds=N`, is the way out there.
    pub(super) fn off(&self) {
        self.shared.lock().release();
        self.shared.released.notify_all();
    }

    pub(super) fn state(&self) -> (bool, String) {
        let state = self.shared.lock();
        (state.on, format!("{} workers sleep", state.caught))
    }
}

fn catch_all(shared: &Arc<Shared>, runtime: &Handle, generation: u64) {
    let workers = runtime.metrics().num_workers();
    loop {
        let caught = {
            let state = shared.lock();
            if state.generation != generation {
                return;
            }
            state.caught
        };
        if caught >= workers {
            break;
        }
        for _ in caught..workers {
            let shared = Arc::clone(shared);
            runtime.spawn(async move { shared.sleep(generation) });
        }
        std::thread::sleep(LOOK);
    }
    tracing::error!(
        workers,
        "every worker of the runtime sleeps in a blocking call"
    );
}

impl Shared {
    /// Blocks the worker that runs it, on purpose.
    fn sleep(&self, generation: u64) {
        let mut state = self.lock();
        if state.generation != generation {
            return; // A spare one, run after the release.
        }
        state.caught += 1;
        while state.generation == generation {
            state = match state
                .until
                .map(|until| until.saturating_duration_since(Instant::now()))
            {
                None => self
                    .released
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => {
                    state.release();
                    self.released.notify_all();
                    break;
                }
                Some(left) => {
                    let waited = self.released.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        state.caught -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn release(&mut self) {
        self.generation += 1;
        self.on = false;
        self.until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catches_every_worker_and_lets_them_go() {
        for workers in [1, 4] {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(workers)
                .enable_all()
                .build()
                .unwrap();
            let wedge = Wedge::default();
            runtime.block_on(async { wedge.on(Strength::default()).unwrap() });
            wait_until(|| wedge.shared.lock().caught == workers);

            let (tell, told) = std::sync::mpsc::channel();
            runtime.spawn(async move { tell.send(()) });
            assert!(
                told.recv_timeout(Duration::from_millis(200)).is_err(),
                "a worker is free"
            );

            wedge.off();
            told.recv_timeout(Duration::from_secs(5))
                .expect("the workers were let go");
            wait_until(|| wedge.state() == (false, "0 workers sleep".to_owned()));
        }
    }

    #[test]
    fn passes_by_itself_when_asked_to() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let wedge = Wedge::default();
        let strength = Strength {
            seconds: Some(0),
            ..Strength::default()
        };
        runtime.block_on(async { wedge.on(strength).unwrap() });
        wait_until(|| wedge.state() == (false, "0 workers sleep".to_owned()));
    }

    fn wait_until(condition: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !condition() {
            assert!(Instant::now() < deadline, "not within 10 s");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
