//! Resets of the tracker: events after which some data of earlier polls does not count, and the parts
//! that each event clears.

/// Event after which earlier polls do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::enum_variant_names)] // "counter reset" is the usual term
pub(super) enum Reset {
    /// Start of a treatment. Its outcome depends on later polls only.
    Treatment,
    /// A report from another process of the app, or the first report since the sidecar started.
    AppStart,
    /// The end of the known process, of whose successor nothing is known.
    ProcessEnd,
    /// The end of a pause, in which an operator may have stopped the app.
    Resume,
    /// A long time without polls.
    Gap,
    /// A decrease of the totals without a restart.
    CounterReset,
    /// The recovery of a dependency, which may have caused the earlier errors.
    DependencyRecovered,
}

/// Part of the tracker's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Samples of totals.
    History,
    /// Detectors of errors and of the other symptoms.
    Detectors,
    /// Routes that have been reported, with the soft heals that did not bring them back.
    Routes,
    /// Polls in which the app has been unresponsive, or its front door failed.
    Unresponsive,
    /// Polls with an alarming forecast.
    Limit,
    /// Time since which the app is healthy.
    Health,
    /// Peaks of the trends. A fall that a treatment causes does not set a high-water mark.
    Peaks,
    /// Trends of the resources, including high-water marks.
    Trends,
    /// Readiness of the instance, and what it said about its start and its end.
    Readiness,
    /// Counts of requests for the impairment. A treatment cuts them by itself, and so does another instance.
    Impairment,
}

/// Number of [`Part`]s.
const PARTS: usize = 10;

impl Reset {
    /// Returns `true` if the event clears a part.
    pub(super) fn clears(self, part: Part) -> bool {
        const X: bool = true;
        const O: bool = false;
        // History, detectors, routes, unresponsive, limit, health, peaks, trends, readiness,
        // impairment.
        let row: [bool; PARTS] = match self {
            Self::Treatment => [X, X, O, X, X, X, X, O, O, O],
            Self::AppStart => [X, X, X, X, X, X, X, X, X, O],
            Self::ProcessEnd => [O, X, O, X, X, X, O, O, X, X],
            Self::Resume => [O, O, O, X, O, O, O, O, O, O],
            Self::Gap => [O, X, O, X, X, X, O, O, O, X],
            Self::CounterReset => [X, X, X, O, O, O, O, O, O, X],
            Self::DependencyRecovered => [X, X, O, O, O, O, O, O, O, X],
        };
        row[part as usize]
    }
}
