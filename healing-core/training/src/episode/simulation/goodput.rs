//! Peak of the goodput, which the care thread samples: a surge of 2 s would disappear in the mean between two
//! polls.

use std::collections::VecDeque;

use super::cpu::PERIOD;

/// Number of samples in the interval over which the goodput is averaged; one is taken per tick.
const INTERVAL: usize = 20;
/// Number of samples kept: those of 30 s, with that at their beginning.
const KEPT: usize = 301;

/// Recent samples of the number of response heads without an error since the start of the process.
#[derive(Debug)]
pub(super) struct Goodput {
    /// Samples, oldest first.
    good: VecDeque<u64>,
}

// === impl Goodput ===

impl Goodput {
    /// Returns the state before the first sample of a process.
    pub(super) fn new() -> Self {
        Self {
            good: VecDeque::with_capacity(KEPT),
        }
    }

    /// Takes a sample.
    pub(super) fn sample(&mut self, good: u64) {
        if self.good.len() >= KEPT {
            self.good.pop_front();
        }
        self.good.push_back(good);
    }

    /// Returns the highest goodput of any interval in response heads per second; `None` before the first
    /// interval is over.
    #[allow(clippy::cast_precision_loss)] // small
    pub(super) fn peak(&self) -> Option<f64> {
        let ends = self.good.iter().skip(INTERVAL);
        let rises = self.good.iter().zip(ends).map(|(begin, end)| end - begin);
        Some(rises.max()? as f64 / (INTERVAL as f64 * PERIOD))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burst_is_the_peak_for_thirty_seconds() {
        let mut goodput = Goodput::new();
        let mut good = 0;
        for tick in 0..=700 {
            goodput.sample(good);
            match tick {
                0..20 => assert_eq!(goodput.peak(), None, "{tick}"),
                20..=200 | 520.. => assert_eq!(goodput.peak(), Some(10.0), "{tick}"),
                220..=500 => assert_eq!(goodput.peak(), Some(50.0), "{tick}"),
                _ => {} // the burst enters or leaves the window
            }
            // 10/s, and 50/s for two seconds from 20 s on.
            good += if (200..220).contains(&tick) { 5 } else { 1 };
        }
    }
}
