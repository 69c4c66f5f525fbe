//! What is usual for this app: load and durations in its healthy times, slowly learned.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Averages over about [`MEMORY`] of healthy time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Baseline {
    /// Healthy seconds that have gone into it.
    learned: f64,
    load: Option<f64>,
    p50: Option<f64>,
    p99: Option<f64>,
}

/// What a poll in a healthy time shows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    /// Arrivals per second.
    pub(crate) load: Option<f64>,
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
}

const MEMORY: f64 = 600.0;

impl Baseline {
    /// Takes in `seconds` of healthy time.
    pub(crate) fn learn(&mut self, figures: Figures, seconds: f64) {
        // A gap is not time that was seen.
        let seconds = seconds.clamp(0.0, 60.0);
        self.learned = (self.learned + seconds).min(MEMORY);
        if self.learned <= 0.0 {
            return;
        }
        let weight = (seconds / self.learned).clamp(0.0, 1.0);
        let blend = |average: &mut Option<f64>, figure: Option<f64>| {
            if let Some(figure) = figure.filter(|figure| figure.is_finite()) {
                *average =
                    Some(average.map_or(figure, |average| average + weight * (figure - average)));
            }
        };
        blend(&mut self.load, figures.load);
        blend(&mut self.p50, figures.p50);
        blend(&mut self.p99, figures.p99);
    }

    /// `figures` as multiples of the usual, once a whole `window` of healthy time was seen.
    pub(crate) fn compare(&self, figures: Figures, window: Duration) -> Figures {
        if self.learned < window.as_secs_f64() {
            return Figures::default();
        }
        let ratio = |figure: Option<f64>, usual: Option<f64>| {
            let usual = usual.filter(|&usual| usual > 0.0)?;
            Some(figure? / usual)
        };
        Figures {
            load: ratio(figures.load, self.load),
            p50: ratio(figures.p50, self.p50),
            p99: ratio(figures.p99, self.p99),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_compares_only_once_it_knows() {
        let window = Duration::from_secs(60);
        let usual = Figures {
            load: Some(100.0),
            p50: Some(0.01),
            p99: None,
        };
        let mut baseline = Baseline::default();
        baseline.learn(usual, 30.0);
        assert_eq!(baseline.compare(usual, window).load, None);
        baseline.learn(usual, 30.0);
        let now = Figures {
            load: Some(250.0),
            p50: Some(0.005),
            p99: Some(1.0),
        };
        let compared = baseline.compare(now, window);
        assert_eq!(
            (compared.load, compared.p50, compared.p99),
            (Some(2.5), Some(0.5), None)
        );
    }

    #[test]
    fn it_follows_slowly() {
        let mut baseline = Baseline::default();
        let load = |load| Figures {
            load: Some(load),
            ..Figures::default()
        };
        for _ in 0..1000 {
            baseline.learn(load(100.0), 5.0);
        }
        for _ in 0..12 {
            baseline.learn(load(200.0), 5.0);
        }
        let now = baseline
            .compare(load(200.0), Duration::from_secs(60))
            .load
            .unwrap();
        assert!(now > 1.7, "a minute hardly moves it: {now}");
    }
}
