//! Figures that are known to be out of tolerance, with the cause.

/// Known deviation of the simulator from the real app.
#[derive(Debug)]
struct Deviation {
    /// Name of the app.
    app: &'static str,
    /// Utilisation in tenths.
    utilisation_tenths: u32,
    /// Name of the figure.
    figure: &'static str,
}

/// Cause of all known deviations, which the README of the benches explains.
const ORDER_OF_SERVICE: &str = "tokio does not serve in order of arrival";

/// All known deviations.
const DEVIATIONS: [Deviation; 5] = [
    saturated("one-worker", "clients served /s"),
    saturated("one-worker", "runtime lag, mean of the reported, ms"),
    saturated("two-workers", "clients served /s"),
    saturated("two-workers", "clients failed /s"),
    saturated("two-workers", "runtime lag, mean of the reported, ms"),
];

/// Returns a deviation above the capacity.
const fn saturated(app: &'static str, figure: &'static str) -> Deviation {
    Deviation {
        app,
        utilisation_tenths: 13,
        figure,
    }
}

/// Returns the cause of a known deviation.
pub(super) fn cause(app: &str, utilisation: f64, figure: &str) -> Option<&'static str> {
    let is_known = DEVIATIONS.iter().any(|known| {
        known.app == app
            && known.figure == figure
            && (f64::from(known.utilisation_tenths) / 10.0 - utilisation).abs() < 0.05
    });
    is_known.then_some(ORDER_OF_SERVICE)
}
