//! `wedge`: every worker of the app's runtime sleeps in a blocking call, so that nothing
//! asynchronous makes progress, neither requests nor timers nor the health endpoint on the app's own port.
//!
//! A worker that is not blocked would steal the tasks of the others and run them. Therefore blocking tasks
//! are spawned until every worker sleeps.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::{FaultError, FaultParams};

/// Delay before the wedge, in which the response to its request reaches the client.
const START_DELAY: Duration = Duration::from_millis(100);
/// Interval between checks of the number of blocked workers.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// Wedge, with its state and its blocked workers.
#[derive(Debug, Default)]
pub(super) struct Wedge {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Generation of the wedge. A worker sleeps while the generation is the one that it was blocked with.
    generation: u64,
    on: bool,
    blocked: usize,
    until: Option<Instant>,
}

impl Wedge {
    pub(super) fn on(&self, params: FaultParams) -> Result<(), FaultError> {
        let runtime = Handle::try_current()
            .map_err(|_| FaultError::NotPossible("there is no runtime to block".to_owned()))?;
        let generation = {
            let mut state = self.shared.lock();
            if state.on {
                return Err(FaultError::NotPossible(
                    "the runtime is already blocked".to_owned(),
                ));
            }
            state.generation += 1;
            state.on = true;
            state.until = params
                .seconds
                .map(|s| Instant::now() + START_DELAY + Duration::from_secs(u64::from(s)));
            state.generation
        };
        let shared = Arc::clone(&self.shared);
        // Spawned from outside the runtime, because a task that a worker spawns may wait in the LIFO slot of
        // that worker.
        let block = move || {
            std::thread::sleep(START_DELAY);
            block_workers(&shared, &runtime, generation);
        };
        std::thread::Builder::new()
            .name("wedge".to_owned())
            .spawn(block)
            .map(drop)
            .map_err(|error| {
                self.off();
                FaultError::NotPossible(format!("cannot start a thread: {error}"))
            })
    }

    /// Wakes the workers. A patient with a stalled runtime does not serve HTTP, so a client can limit a wedge
    /// only by `?seconds=N`.
    pub(super) fn off(&self) {
        self.shared.lock().release();
        self.shared.released.notify_all();
    }

    pub(super) fn state(&self) -> (bool, String) {
        let state = self.shared.lock();
        (state.on, format!("{} workers sleep", state.blocked))
    }
}

fn block_workers(shared: &Arc<Shared>, runtime: &Handle, generation: u64) {
    let workers = runtime.metrics().num_workers();
    loop {
        let blocked = {
            let state = shared.lock();
            if state.generation != generation {
                return;
            }
            state.blocked
        };
        if blocked >= workers {
            break;
        }
        for _ in blocked..workers {
            let shared = Arc::clone(shared);
            runtime.spawn(async move { shared.sleep(generation) });
        }
        std::thread::sleep(CHECK_INTERVAL);
    }
    tracing::error!(
        workers,
        "every worker of the runtime sleeps in a blocking call"
    );
}

impl Shared {
    /// Blocks the worker that runs it.
    fn sleep(&self, generation: u64) {
        let mut state = self.lock();
        if state.generation != generation {
            return; // a surplus task that runs after the release
        }
        state.blocked += 1;
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
        state.blocked -= 1;
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
    fn wedge_blocks_every_worker_until_switched_off() {
        for workers in [1, 4] {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(workers)
                .enable_all()
                .build()
                .unwrap();
            let wedge = Wedge::default();
            runtime.block_on(async { wedge.on(FaultParams::default()).unwrap() });
            wait_until(|| wedge.shared.lock().blocked == workers);

            let (sender, receiver) = std::sync::mpsc::channel();
            runtime.spawn(async move { sender.send(()) });
            assert!(
                receiver.recv_timeout(Duration::from_millis(200)).is_err(),
                "a worker is free"
            );

            wedge.off();
            receiver
                .recv_timeout(Duration::from_secs(5))
                .expect("a worker is free after the release");
            wait_until(|| wedge.state() == (false, "0 workers sleep".to_owned()));
        }
    }

    #[test]
    fn wedge_stops_after_its_duration() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let wedge = Wedge::default();
        let params = FaultParams {
            seconds: Some(0),
            ..FaultParams::default()
        };
        runtime.block_on(async { wedge.on(params).unwrap() });
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
