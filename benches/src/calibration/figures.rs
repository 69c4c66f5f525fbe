//! Figures that are compared, computed from the lines of a real or of a simulated app.

use healing_core::health::{Health, Latency};

use super::recording::{FrontDoor, Parameters, Recording, Second};
use super::tolerance::Tolerance;

/// Start of a recording that does not count: the window of the runtime's lag must be full.
const WARM_UP: f64 = 10.0;
/// Length of a quota period in seconds.
const PERIOD: f64 = 0.1;

/// One figure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figure {
    /// Name with unit.
    pub(super) name: &'static str,
    /// Tolerance for a load of these parameters.
    pub(super) tolerance: fn(&Parameters) -> Tolerance,
    /// Returns the figure; absent if the app did not report what it needs.
    compute: fn(&Window<'_>) -> Option<f64>,
}

/// Lines of a recording that count.
struct Window<'a> {
    parameters: &'a Parameters,
    seconds: Vec<&'a Second>,
    first: &'a Second,
    last: &'a Second,
}

/// All figures, in the order of the table. The tolerances were set before the first comparison.
pub(super) const FIGURES: [Figure; 11] = [
    Figure {
        name: "requests begun /s",
        tolerance: rate,
        compute: |window| {
            window.rate(|health| {
                Some(health.totals.requests_total? as f64 + health.in_flight? as f64)
            })
        },
    },
    Figure {
        name: "requests served /s",
        tolerance: rate,
        compute: |window| {
            window.rate(|health| {
                let totals = &health.totals;
                let failed = totals.errors_total? + totals.cancelled_total?;
                Some(totals.requests_total? as f64 - failed as f64)
            })
        },
    },
    Figure {
        name: "requests cancelled /s",
        tolerance: rate,
        compute: |window| window.rate(|health| Some(health.totals.cancelled_total? as f64)),
    },
    Figure {
        name: "clients served /s",
        tolerance: rate,
        compute: |window| Some(window.client_rate(|second| second.client_ok)),
    },
    Figure {
        name: "clients failed /s",
        tolerance: rate,
        compute: |window| Some(window.client_rate(|second| second.client_failed)),
    },
    Figure {
        name: "CPU, % of the limit",
        tolerance: |_| Tolerance::Within(5.0),
        compute: |window| {
            let cores = window.rate(|health| health.vitals.as_ref()?.cpu_seconds_total)?;
            Some(100.0 * cores / window.parameters.quota)
        },
    },
    Figure {
        name: "throttled periods, share",
        tolerance: |_| Tolerance::Within(0.1),
        compute: |window| {
            let throttled = window.last.throttled_periods - window.first.throttled_periods;
            Some(throttled as f64 * PERIOD / window.length())
        },
    },
    Figure {
        name: "latency p50 in the app, ms",
        tolerance: |_| Tolerance::Factor(1.5),
        compute: |window| Some(1000.0 * window.latency(0.5)?),
    },
    Figure {
        name: "requests in flight, mean",
        tolerance: |parameters| Tolerance::Within(0.2 * f64::from(parameters.workers)),
        compute: |window| window.mean(|health| Some(health.in_flight? as f64)),
    },
    Figure {
        name: "runtime lag, mean of the reported, ms",
        tolerance: |_| Tolerance::Within(1000.0 * PERIOD),
        compute: |window| window.mean(|health| Some(1000.0 * health.runtime.as_ref()?.lag_seconds)),
    },
    Figure {
        name: "front door late, share",
        tolerance: |_| Tolerance::Within(0.1),
        compute: |window| {
            let late = window.seconds.iter();
            let late = late.filter(|second| second.front_door == FrontDoor::Late);
            Some(late.count() as f64 / window.seconds.len() as f64)
        },
    },
];

/// Returns the tolerance of a rate, which is a tenth of the arrival rate. The measured capacity of one
/// machine differs by several percent between minutes, and a rate near zero needs an absolute tolerance.
fn rate(parameters: &Parameters) -> Tolerance {
    Tolerance::Within(0.1 * parameters.rate)
}

// === impl Figure ===

impl Figure {
    /// Returns the figure of a recording.
    pub(super) fn of(&self, recording: &Recording) -> Option<f64> {
        (self.compute)(&Window::of(recording)?)
    }
}

// === impl Window ===

impl<'a> Window<'a> {
    /// Returns the lines after the warm-up, or `None` if there are fewer than two.
    fn of(recording: &'a Recording) -> Option<Self> {
        let seconds = recording.seconds.iter();
        let seconds: Vec<_> = seconds.filter(|second| second.at >= WARM_UP).collect();
        let (first, last) = (*seconds.first()?, *seconds.last()?);
        (first.at < last.at).then_some(Self {
            parameters: &recording.parameters,
            seconds,
            first,
            last,
        })
    }

    fn length(&self) -> f64 {
        self.last.at - self.first.at
    }

    fn health(&self) -> impl DoubleEndedIterator<Item = &Health> {
        self.seconds
            .iter()
            .filter_map(|second| second.health.as_ref())
    }

    /// Returns the increase of a total per second of the app's own time.
    fn rate(&self, total: impl Fn(&Health) -> Option<f64>) -> Option<f64> {
        let (first, last) = (self.health().next()?, self.health().next_back()?);
        let elapsed = last.uptime - first.uptime;
        (elapsed > 0.0).then_some((total(last)? - total(first)?) / elapsed)
    }

    fn client_rate(&self, total: impl Fn(&Second) -> u64) -> f64 {
        (total(self.last) - total(self.first)) as f64 / self.length()
    }

    fn mean(&self, value: impl Fn(&Health) -> Option<f64>) -> Option<f64> {
        let values: Vec<f64> = self.health().filter_map(value).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// Returns a quantile of the requests that finished in the window, in seconds, interpolated within
    /// its bucket.
    fn latency(&self, quantile: f64) -> Option<f64> {
        let first = self.health().next()?.latency.as_ref()?;
        let Latency {
            bounds_seconds: bounds,
            counts,
        } = self.health().next_back()?.latency.as_ref()?;
        let counts = counts.iter().zip(&first.counts);
        let counts: Vec<u64> = counts.map(|(last, first)| last - first).collect();
        let mut left = quantile * counts.iter().sum::<u64>() as f64;
        for (index, count) in counts.iter().map(|count| *count as f64).enumerate() {
            if count > 0.0 && left <= count {
                let low = index.checked_sub(1).map_or(0.0, |below| bounds[below]);
                let high = bounds.get(index).copied().unwrap_or(low);
                return Some(low + (high - low) * left / count);
            }
            left -= count;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use healing_core::health::{Runtime, Totals, Vitals};

    use super::*;
    use crate::calibration::recording::tests::parameters;

    /// Returns the line at this second: 20 requests/s, of which 5 are cancelled, in 0.4 cores.
    fn second(at: u32) -> Second {
        let count = u64::from(at);
        let health = Health {
            uptime: f64::from(at) + 3.0,
            totals: Totals {
                requests_total: Some(20 * count),
                errors_total: Some(0),
                panics_total: Some(0),
                cancelled_total: Some(5 * count),
                body_errors_total: Some(0),
                ..Totals::default()
            },
            in_flight: Some(2),
            latency: Some(Latency {
                bounds_seconds: vec![0.1, 0.2, 0.4],
                counts: vec![0, 10 * count, 10 * count, 0],
            }),
            vitals: Some(Vitals {
                cpu_seconds_total: Some(0.4 * f64::from(at)),
                ..Vitals::default()
            }),
            runtime: Some(Runtime {
                lag_seconds: 0.05,
                ..Runtime::default()
            }),
            ..Health::default()
        };
        Second {
            at: f64::from(at),
            front_door: if at.is_multiple_of(2) {
                FrontDoor::Late
            } else {
                FrontDoor::InTime
            },
            throttled_periods: 4 * count,
            client_ok: 15 * count,
            client_failed: 6 * count,
            health: Some(health),
        }
    }

    #[test]
    fn figures_are_those_of_the_lines_after_the_warm_up() {
        let mut seconds: Vec<Second> = (1..=29).map(second).collect();
        // What happens before the warm-up is over does not count.
        for second in &mut seconds[..9] {
            second.front_door = FrontDoor::Late;
            second.health = None;
        }
        let recording = Recording {
            parameters: parameters(),
            seconds,
        };
        let figures = FIGURES.map(|figure| figure.of(&recording).unwrap());
        let expected = [20.0, 15.0, 5.0, 15.0, 6.0, 80.0, 0.4, 200.0, 2.0, 50.0, 0.5];
        for ((figure, value), expected) in FIGURES.iter().zip(figures).zip(expected) {
            assert!((value - expected).abs() < 1e-9, "{}: {value}", figure.name);
        }
    }

    #[test]
    fn figure_is_absent_without_its_report() {
        let mut recording = Recording {
            parameters: parameters(),
            seconds: (1..=29).map(second).collect(),
        };
        for second in &mut recording.seconds {
            second.health = None;
        }
        let absent = FIGURES.map(|figure| figure.of(&recording).is_none());
        assert_eq!(absent.iter().filter(|absent| **absent).count(), 7);
        recording.seconds.clear();
        assert!(FIGURES.iter().all(|figure| figure.of(&recording).is_none()));
    }
}
