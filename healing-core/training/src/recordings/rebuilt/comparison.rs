//! Recorded and simulated figures side by side, and their table.

use std::fmt;

use super::super::recording::Recording;
use super::life::{end_of_fault, rebuilt_life};
use super::phase::{Phase, PhaseFigures};
use super::simulated::simulated_recording;

/// Largest difference of a rate, relative to the recorded one.
const RATE_TOLERANCE: f64 = 0.2;
/// Requests at the ends of a phase by which its counts may differ in addition.
const END_REQUESTS: f64 = 2.0;
/// Largest difference of a share.
const SHARE_TOLERANCE: f64 = 0.1;

/// Figure that is compared.
struct Compared {
    name: &'static str,
    of: fn(&PhaseFigures) -> Option<f64>,
    kind: Kind,
}

/// Interval of the recorder's samples in seconds.
const SAMPLE_INTERVAL: f64 = 1.0;

/// Kind of a figure, which decides its tolerance.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rate,
    Share,
}

/// Rate at which the clients were served. It depends on the order in which a scheduler runs tasks, which
/// the simulator only approximates.
const SERVED: &str = "served/s";

/// Figures that are compared, in the order of the columns.
const COMPARED: [Compared; 6] = [
    Compared::new("begun/s", Kind::Rate, |of| Some(of.begun_per_second)),
    Compared::new("good/s", Kind::Rate, |of| Some(of.good_per_second)),
    Compared::new(SERVED, Kind::Rate, |of| of.served_per_second),
    Compared::new("late", Kind::Share, |of| of.late_share),
    Compared::new("throttled", Kind::Share, |of| of.throttled_share),
    Compared::new("wait", Kind::Share, |of| of.run_queue_wait_share),
];

/// Figures of a recorded run and of its simulation, in one phase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PhaseComparison {
    /// Figures of the recording.
    pub recorded: PhaseFigures,
    /// Figures of the simulation.
    pub simulated: PhaseFigures,
}

/// Comparison of a recorded run with its simulation.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Archive of the run.
    pub archive: String,
    /// Name of the run.
    pub run: String,
    /// Phase before the fault.
    pub usual: PhaseComparison,
    /// Phase with the fault.
    pub fault: PhaseComparison,
}

/// Returns the comparison of a run; absent if the simulator lacks a part of the run, or the run a figure.
#[must_use]
pub fn compare(recording: &Recording) -> Option<Comparison> {
    let life = rebuilt_life(recording)?;
    let simulated = simulated_recording(recording.case.clone(), &life, SAMPLE_INTERVAL);
    let phase = |phase| {
        Some(PhaseComparison {
            recorded: PhaseFigures::of(recording, phase)?,
            simulated: PhaseFigures::of(&simulated, phase)?,
        })
    };
    Some(Comparison {
        archive: recording.archive.clone(),
        run: recording.case.name.clone(),
        usual: phase(Phase::usual(recording))?,
        fault: phase(Phase::fault(recording, end_of_fault(&recording.case)))?,
    })
}

/// Returns the table of all runs that can be compared, with two rows a run. Each figure has two columns,
/// recorded and simulated; the last column names those that differ by more than their tolerance.
#[must_use]
pub fn comparison_table<'a>(recordings: impl IntoIterator<Item = &'a Recording>) -> String {
    let comparisons: Vec<Comparison> = recordings.into_iter().filter_map(compare).collect();
    let close = comparisons
        .iter()
        .filter(|comparison| comparison.is_close());
    let count = (close.count(), comparisons.len());
    let rows: String = comparisons.iter().map(Comparison::to_string).collect();
    format!(
        "{}\n{rows}{} of {} runs are within all tolerances\n",
        Comparison::head(),
        count.0,
        count.1
    )
}

// === impl Compared ===

impl Compared {
    const fn new(name: &'static str, kind: Kind, of: fn(&PhaseFigures) -> Option<f64>) -> Self {
        Self { name, of, kind }
    }

    /// Returns `true` if the figure is within its tolerance, or was not recorded.
    fn is_close(&self, phase: &PhaseComparison) -> bool {
        let Some(recorded) = (self.of)(&phase.recorded) else {
            return true;
        };
        let tolerance = match self.kind {
            Kind::Rate => RATE_TOLERANCE * recorded + END_REQUESTS / phase.recorded.seconds,
            Kind::Share => SHARE_TOLERANCE,
        };
        (self.of)(&phase.simulated)
            .is_some_and(|simulated| (recorded - simulated).abs() <= tolerance)
    }
}

// === impl PhaseComparison ===

impl PhaseComparison {
    /// Returns the names of the figures that differ by more than their tolerance: 20 % of a rate (and two
    /// requests), 0.1 of a share.
    #[must_use]
    pub fn differences(&self) -> Vec<&'static str> {
        let differs = COMPARED.iter().filter(|figure| !figure.is_close(self));
        differs.map(|figure| figure.name).collect()
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Compared { of, .. } in &COMPARED {
            for figures in [&self.recorded, &self.simulated] {
                match of(figures) {
                    Some(value) => write!(f, " {value:7.2}")?,
                    None => write!(f, " {:>7}", "-")?,
                }
            }
        }
        let differences = self.differences().join(", ");
        writeln!(
            f,
            "{}{differences}",
            if differences.is_empty() { "" } else { " " }
        )
    }
}

// === impl Comparison ===

impl Comparison {
    /// Returns `true` if all figures of both phases but the rate of served clients are within their
    /// tolerance.
    #[must_use]
    pub fn is_close(&self) -> bool {
        let phases = [&self.usual, &self.fault];
        let mut differences = phases.iter().flat_map(|phase| phase.differences());
        differences.all(|name| name == SERVED)
    }

    /// Returns the heads of the columns.
    fn head() -> String {
        let figures = COMPARED
            .iter()
            .map(|figure| format!(" {:>15}", figure.name));
        format!(
            "{:40}{} differs",
            "run and phase",
            figures.collect::<String>()
        )
    }
}

impl fmt::Display for Comparison {
    /// Writes two rows of the table, one a phase, each with its line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{}/{}", self.archive, self.run);
        for (label, phase) in [("usual", &self.usual), ("fault", &self.fault)] {
            write!(f, "{name:34} {label}")?;
            phase.write(f)?;
        }
        Ok(())
    }
}
