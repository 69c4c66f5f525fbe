//! `leak`: memory that is taken, touched and kept, at a settable rate.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Refusal, Strength};

const MIB: usize = 1024 * 1024;
const DEFAULT_MIB_PER_SECOND: u32 = 16;
const DEFAULT_MAX_MIB: u32 = 1024;
/// Grown in steps this far apart.
const STEP: Duration = Duration::from_millis(50);

/// The leak: what it holds, and whether it still grows.
#[derive(Debug, Default)]
pub struct Leak {
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    /// Which `on` grows it; a later one, or `off`, ends the earlier thread.
    generation: u64,
    growing: bool,
    /// One MiB each, every page written.
    blocks: Vec<Box<[u8]>>,
}

impl Leak {
    pub(super) fn on(&self, strength: Strength) -> Result<(), Refusal> {
        let rate = strength.mib_per_second.unwrap_or(DEFAULT_MIB_PER_SECOND);
        let max = strength.max_mib.unwrap_or(DEFAULT_MAX_MIB) as usize;
        if rate == 0 || max == 0 {
            return Err(Refusal::NotPossible(
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
        // A thread of its own: a leak goes on while the runtime is wedged.
        std::thread::Builder::new()
            .name("leak".to_owned())
            .spawn(move || grow(&shared, generation, rate, max))
            .map(drop)
            .map_err(|error| Refusal::NotPossible(format!("no thread for the leak: {error}")))
    }

    /// Stops it and gives the memory back.
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
    let began = Instant::now();
    let mut grown = 0;
    loop {
        // By the clock, not by the step: the asked rate is kept however late the steps are.
        let due = began.elapsed().as_millis() * u128::from(rate) / 1000;
        while grown < due {
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
        std::thread::sleep(STEP);
    }
}

fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
