//! Processes that compete for the CPU for a bounded time.

use std::time::{Duration, Instant};

use patient_app::burn;

/// Maximum run time of a hog.
const LONGEST: Duration = Duration::from_secs(3600);

/// Burns CPU with several threads for this many seconds.
pub(super) fn hog(threads: usize, seconds: u64) {
    let end = Instant::now() + Duration::from_secs(seconds).min(LONGEST);
    let threads: Vec<_> = (0..threads)
        .map(|_| {
            std::thread::spawn(move || {
                while Instant::now() < end {
                    burn(Duration::from_millis(5));
                }
            })
        })
        .collect();
    for thread in threads {
        let _ = thread.join();
    }
}
