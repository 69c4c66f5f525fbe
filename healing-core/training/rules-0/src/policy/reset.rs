//! Resets of the tracker: the events after which earlier polls do not count, and the parts that each
//! event clears.

/// Event after which earlier polls do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::enum_variant_names)] // "counter reset" is the usual term
pub(super) enum Reset {
    /// A treatment: only what comes after it is judged.
    Treatment,
    /// Another process of the app, or the first that this process sees.
    AppStart,
    /// A gap between polls in which nothing was observed.
    Gap,
    /// Counters that somebody else has reset.
    CounterReset,
    /// The end of an outage: the errors so far were the dependency's.
    OutageOver,
}

/// Part of the tracker's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Samples of totals.
    History,
    /// Detectors of errors and of the other symptoms.
    Detectors,
    /// Polls in which the app has been unresponsive.
    Unresponsive,
    /// Polls in a row that forecast a limit.
    LimitPolls,
    /// Time since which the app is healthy.
    Health,
    /// High-water marks of the trends: a fall that a treatment causes is none that comes by itself.
    HighWaterMarks,
    /// Trends of the resources, high-water marks included.
    Trends,
    /// Readiness of the instance.
    Readiness,
}

const PARTS: usize = 8;

impl Reset {
    /// Reports if the event clears a part.
    pub(super) fn clears(self, part: Part) -> bool {
        const X: bool = true;
        const O: bool = false;
        // History, detectors, unresponsive, limit polls, health, high-water marks, trends, readiness.
        let row: [bool; PARTS] = match self {
            Self::Treatment => [X, X, X, X, X, X, O, O],
            Self::AppStart => [X, X, X, X, X, X, X, X],
            Self::Gap => [O, X, X, X, X, O, O, O],
            Self::CounterReset | Self::OutageOver => [X, X, O, O, O, O, O, O],
        };
        row[part as usize]
    }
}
