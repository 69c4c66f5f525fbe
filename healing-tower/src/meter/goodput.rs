//! Peak of the goodput, sampled by the care thread; requests do not access it.
//!
//! A surge of two seconds would disappear in the mean between two polls of `/health`.

use std::collections::VecDeque;
use std::time::Duration;

/// Length of the interval over which the goodput is averaged.
const INTERVAL: Duration = Duration::from_secs(2);
/// Time for which samples are kept.
const HORIZON: Duration = Duration::from_secs(30);
/// Minimum time between two samples, which limits their number.
const SPACING: Duration = Duration::from_millis(200);

/// Recent samples of the cumulative number of response heads without an error.
pub(crate) struct Goodput {
    samples: VecDeque<(Duration, u64)>,
}

impl Goodput {
    /// Creates the samples of a meter without requests, at its start.
    pub(crate) fn new() -> Self {
        Self {
            samples: VecDeque::from([(Duration::ZERO, 0)]),
        }
    }

    /// Adds the count at one time, unless the last sample is too recent.
    pub(crate) fn push(&mut self, at: Duration, good: u64) {
        if self
            .samples
            .back()
            .is_some_and(|(last, _)| at < *last + SPACING)
        {
            return;
        }
        self.samples.push_back((at, good));
        while self
            .samples
            .front()
            .is_some_and(|(first, _)| *first + HORIZON < at)
        {
            self.samples.pop_front();
        }
    }

    /// Returns the highest goodput of any interval, in response heads per second; `None` before the first
    /// interval is over.
    pub(crate) fn peak(&self) -> Option<f64> {
        let mut ends = self.samples.iter().peekable();
        let rates = self.samples.iter().map_while(|(begin, before)| {
            while ends.next_if(|(end, _)| *end < *begin + INTERVAL).is_some() {}
            let (end, after) = ends.peek()?;
            Some(after.saturating_sub(*before) as f64 / (*end - *begin).as_secs_f64())
        });
        rates.max_by(f64::total_cmp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(quarter: u32) -> Duration {
        Duration::from_millis(250) * quarter
    }

    #[test]
    fn burst_is_the_peak_for_thirty_seconds() {
        let mut goodput = Goodput::new();
        let mut good = 0;
        for quarter in 1..=400 {
            // 10/s, and 100/s for two seconds from 20 s on.
            good += if (81..=88).contains(&quarter) { 25 } else { 2 };
            goodput.push(at(quarter), good);
            let peak = goodput.peak();
            match quarter {
                1..8 => assert_eq!(peak, None, "shorter than the interval"),
                8..=80 => assert_eq!(peak, Some(8.0)),
                88..=200 => assert_eq!(peak, Some(100.0), "{quarter}"),
                208.. => assert_eq!(peak, Some(8.0), "{quarter}"),
                _ => assert!(peak.is_some_and(|peak| (8.0..=100.0).contains(&peak))),
            }
        }
    }

    #[test]
    fn rate_after_a_pause_of_the_care_thread_is_averaged_over_the_pause() {
        let mut goodput = Goodput::new();
        goodput.push(at(40), 1000);
        assert_eq!(goodput.peak(), Some(100.0));
    }

    #[test]
    fn number_of_samples_is_bounded_at_any_rate_of_ticks() {
        let mut goodput = Goodput::new();
        for milli in 0..120_000 {
            goodput.push(Duration::from_millis(milli), milli);
        }
        assert!(goodput.samples.len() <= 151, "{}", goodput.samples.len());
        assert!(
            goodput
                .peak()
                .is_some_and(|peak| (peak - 1000.0).abs() < 1e-9)
        );
    }
}
