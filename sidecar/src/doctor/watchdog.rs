//! Notices a doctor that hangs, and starts it anew in place.
//!
//! A sidecar that exits takes its pod out of the Service for the kubelet's back-off, and exit 88
//! would restart a healthy app. So a hung loop ends neither way: a thread of its own re-executes
//! the program, with the same process id, and the state file carries on what was known.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The loop's sign of life.
#[derive(Debug, Clone)]
pub(crate) struct Heartbeat {
    origin: Instant,
    last: Arc<AtomicU64>,
}

impl Heartbeat {
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
            last: Arc::default(),
        }
    }

    /// I am alive.
    pub(crate) fn beat(&self) {
        self.last.store(self.millis(), Ordering::Relaxed);
    }

    /// How long ago it last said so.
    pub(crate) fn age(&self) -> Duration {
        Duration::from_millis(
            self.millis()
                .saturating_sub(self.last.load(Ordering::Relaxed)),
        )
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Counts, over re-executions, how often this happened.
const RESTARTS: &str = "HEALING_WATCHDOG_RESTARTS";

/// How often this process was started anew by its watchdog.
pub(crate) fn restarts() -> u64 {
    std::env::var(RESTARTS)
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(0)
}

/// Watch as long as anybody else holds the heartbeat. `patience` is longer than anything the loop
/// ever waits for.
///
/// Nothing is logged from here: a log that nobody reads may be what the loop hangs on.
pub(crate) fn watch(heartbeat: &Heartbeat, patience: Duration) -> std::io::Result<()> {
    let origin = heartbeat.origin;
    let last = Arc::downgrade(&heartbeat.last);
    std::thread::Builder::new()
        .name("watchdog".into())
        .spawn(move || {
            loop {
                std::thread::sleep(patience / 4);
                let Some(last) = last.upgrade() else { return };
                if (Heartbeat { origin, last }).age() > patience {
                    // Returns only on failure; it is tried again.
                    let _error = start_anew();
                }
            }
        })
        .map(|_handle| ())
}

/// Become this program again. Returns only on failure.
fn start_anew() -> std::io::Error {
    let mut args = std::env::args_os();
    let name = args.next().unwrap_or_else(|| "healing-sidecar".into());
    // The link works even where the file was replaced meanwhile.
    Command::new("/proc/self/exe")
        .arg0(name)
        .args(args)
        .env(RESTARTS, (restarts() + 1).to_string())
        .exec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_makes_it_young_again() {
        let heartbeat = Heartbeat::new();
        std::thread::sleep(Duration::from_millis(20));
        assert!(heartbeat.age() >= Duration::from_millis(19));
        heartbeat.beat();
        assert!(heartbeat.age() < Duration::from_millis(19));
    }
}
