//! Table of the comparisons, in Markdown.

use std::fmt::{self, Write as _};

use super::comparison::{Comparison, Row};
use super::tolerance::Tolerance;

/// Returns the table of all comparisons.
pub(super) fn table(comparisons: &[Comparison]) -> String {
    let mut text = String::new();
    let _ = write(&mut text, comparisons); // writing to a String succeeds
    text
}

fn write(text: &mut String, comparisons: &[Comparison]) -> fmt::Result {
    for comparison in comparisons {
        let parameters = &comparison.parameters;
        writeln!(
            text,
            "### {}, utilisation {:.1}\n\n\
             {} of the runtime, CPU limit of {:.1} cores, of which the idle app uses {:.3}, {:.2} ms of CPU time per \
             request, {:.1} requests/s. A closed loop was served {:.1} requests/s; by quota and CPU time that \
             would be {:.1}. Clients wait {} s. The generator was at most {:.0} ms late.\n\n\
             | figure | real | simulated | 90 % of runs | tolerance | met |\n\
             |---|---|---|---|---|---|",
            parameters.name,
            parameters.utilisation,
            workers(parameters.workers),
            parameters.quota,
            parameters.background_cores,
            1000.0 * parameters.cpu_per_request,
            parameters.rate,
            parameters.capacity,
            (parameters.quota - parameters.background_cores) / parameters.cpu_per_request,
            parameters.client_timeout,
            1000.0 * parameters.generator_lag,
        )?;
        for row in &comparison.rows {
            write_row(text, row)?;
        }
        writeln!(text)?;
    }
    Ok(())
}

fn workers(count: u32) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} worker{plural}")
}

fn write_row(text: &mut String, row: &Row) -> fmt::Result {
    let real = row.real.map_or_else(|| "absent".to_owned(), number);
    let (low, high) = (number(*row.range.start()), number(*row.range.end()));
    let met = match (row.is_met(), row.cause) {
        (true, _) => "yes".to_owned(),
        (false, None) => "**no**".to_owned(),
        (false, Some(cause)) => format!("**no**: {cause}"),
    };
    writeln!(
        text,
        "| {} | {real} | {} | {low}–{high} | {} | {met} |",
        row.name,
        number(row.median),
        tolerance(row.tolerance),
    )
}

fn tolerance(tolerance: Tolerance) -> String {
    match tolerance {
        Tolerance::Within(most) => format!("± {}", number(most)),
        Tolerance::Factor(most) => format!("× {}", number(most)),
    }
}

/// Returns a number with three significant digits or more.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
