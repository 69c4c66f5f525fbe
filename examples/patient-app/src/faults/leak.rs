//! `leak`: memory is allocated, written and kept, at a configurable rate.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{FaultError, FaultParams};

const MIB: usize = 1024 * 1024;
const DEFAULT_MIB_PER_SECOND: u32 = 16;
const DEFAULT_MAX_MIB: u32 = 1024;
/// Interval between allocations.
const STEP_INTERVAL: Duration = Duration::from_millis(50);

/// Leak, with its memory and its state.
#[derive(Debug, Default)]
pub(super) struct Leak {
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    /// Generation of the current leak. The thread of an earlier generation exits.
    generation: u64,
    growing: bool,
    /// Blocks of one MiB, every page written.
    blocks: Vec<Box<[u8]>>,
}

impl Leak {
    pub(super) fn on(&self, params: FaultParams) -> Result<(), FaultError> {
        let rate = params.mib_per_second.unwrap_or(DEFAULT_MIB_PER_SECOND);
        let max = params.max_mib.unwrap_or(DEFAULT_MAX_MIB) as usize;
        if rate == 0 || max == 0 {
            return Err(FaultError::NotPossible(
                "mib_per_second and max_mib must be above 0".to_owned(),
            ));
        }
        let generation = {
            let mut held = self.lock();
            held.generation += 1;
            held.growing = true;
            held.generation
        };
        let shared = Arc::clone(&self.held);
        // A separate thread, so that the leak also grows while the runtime is stalled.
        std::thread::Builder::new()
            .name("leak".to_owned())
            .spawn(move || grow(&shared, generation, rate, max))
            .map(drop)
            .map_err(|error| FaultError::NotPossible(format!("cannot start a thread: {error}")))
    }

    /// Stops the leak and frees the memory.
    pub(super) fn off(&self) {
        let mut held = self.lock();
        held.generation += 1;
        held.growing = false;
        held.blocks = Vec::new();
    }

    pub(super) fn state(&self) -> (bool, String) {
        let held = self.lock();
        (
            held.growing || !held.blocks.is_empty(),
            format!("{} MiB held", held.blocks.len()),
        )
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        lock(&self.held)
    }
}

fn grow(held: &Mutex<Held>, generation: u64, rate: u32, max: usize) {
    let started = Instant::now();
    let mut grown = 0;
    loop {
        // Derived from the clock, so that late steps do not lower the rate.
        let target = started.elapsed().as_millis() * u128::from(rate) / 1000;
        while grown < target {
            let block = vec![0xA5_u8; MIB].into_boxed_slice();
            let mut held = lock(held);
            if held.generation != generation {
                return;
            }
            if held.blocks.len() >= max {
                held.growing = false;
                return;
            }
            held.blocks.push(block);
            grown += 1;
        }
        if lock(held).generation != generation {
            return;
        }
        std::thread::sleep(STEP_INTERVAL);
    }
}

fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
