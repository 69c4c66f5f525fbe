//! `cpu-spin`: threads in a busy loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use super::{FaultError, FaultParams};

/// Maximum number of threads.
const MAX_THREADS: usize = 256;

/// State of the spinning threads.
#[derive(Debug, Default)]
pub(super) struct CpuSpin {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Generation of the threads. A thread spins while the generation is the one that it started with.
    generation: AtomicU64,
    spinning: AtomicUsize,
}

impl CpuSpin {
    pub(super) fn on(&self, params: FaultParams) -> Result<(), FaultError> {
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        let threads = params.threads.unwrap_or_else(cores);
        if !(1..=MAX_THREADS).contains(&threads) {
            return Err(FaultError::NotPossible(format!(
                "threads must be from 1 to {MAX_THREADS}"
            )));
        }
        let generation = self.shared.generation.fetch_add(1, Ordering::SeqCst) + 1;
        for _ in 0..threads {
            let shared = Arc::clone(&self.shared);
            let spin = move || {
                while shared.generation.load(Ordering::Relaxed) == generation {
                    std::hint::spin_loop();
                }
                shared.spinning.fetch_sub(1, Ordering::SeqCst);
            };
            self.shared.spinning.fetch_add(1, Ordering::SeqCst);
            if let Err(error) = thread::Builder::new()
                .name("cpu-spin".to_owned())
                .spawn(spin)
            {
                self.shared.spinning.fetch_sub(1, Ordering::SeqCst);
                self.off();
                return Err(FaultError::NotPossible(format!(
                    "cannot start a thread: {error}"
                )));
            }
        }
        Ok(())
    }

    pub(super) fn off(&self) {
        self.shared.generation.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn state(&self) -> (bool, String) {
        let spinning = self.shared.spinning.load(Ordering::SeqCst);
        (spinning > 0, format!("{spinning} threads spin"))
    }
}
