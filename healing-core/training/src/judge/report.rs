//! Report of a run: a table and `RESULT` lines for each population.

use std::fmt;

use super::deciders::DeciderName;
use super::statistics::Estimate;
use super::summary::{DeciderSummary, Judgement, PopulationSummary};

/// Population whose rates the product promises.
const STRESSED: &str = "stressed";

/// Text of the report.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a>(pub &'a [PopulationSummary]);

/// Number of the table's columns.
const COLUMNS: usize = 9;
/// Headings of the table.
const HEADINGS: [&str; COLUMNS] = [
    "decider",
    "cost",
    "minus rules_0",
    "",
    "restarts (helped)",
    "soft heals (helped)",
    "recovered",
    "restarts per 1000 h *",
    "soft heals per 1000 h *",
];

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for summary in self.0 {
            writeln!(
                f,
                "== {}: {} episodes, {:.0} h, {} with a treatable fault ==",
                summary.population, summary.episodes, summary.hours, summary.treatable
            )?;
            let rows: Vec<_> = summary
                .deciders
                .iter()
                .map(|decider| row(decider, summary.treatable))
                .collect();
            write_table(f, &rows)?;
            writeln!(f, "* in episodes without a treatable fault\n")?;
            for decider in &summary.deciders {
                write_results(f, &summary.population, decider)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn row(decider: &DeciderSummary, treatable: usize) -> [String; COLUMNS] {
    let counts = |(all, helped): (u32, u32)| format!("{all} ({helped})");
    let judgement = match decider.difference.as_ref().map(Judgement::of) {
        Some(Judgement::Better) => "better",
        Some(Judgement::Worse) => "worse",
        Some(Judgement::Equal) => "equal",
        Some(Judgement::Undecided) => "undecided",
        None => "",
    };
    [
        decider.decider.clone(),
        interval(&decider.cost),
        optional(decider.difference.as_ref()),
        judgement.to_owned(),
        counts(decider.restarts),
        counts(decider.soft_heals),
        format!("{}/{treatable}", decider.recovered),
        optional(decider.restarts_per_1000h.as_ref()),
        optional(decider.soft_heals_per_1000h.as_ref()),
    ]
}

fn optional(estimate: Option<&Estimate>) -> String {
    estimate.map_or_else(|| "–".to_owned(), interval)
}

fn interval(estimate: &Estimate) -> String {
    let Estimate {
        value,
        lower,
        upper,
    } = estimate;
    format!("{value:.1} [{lower:.1}, {upper:.1}]")
}

/// Writes a table with aligned columns.
fn write_table(f: &mut fmt::Formatter<'_>, rows: &[[String; COLUMNS]]) -> fmt::Result {
    let headings = HEADINGS.map(str::to_owned);
    let all = || std::iter::once(&headings).chain(rows);
    let width = |column: usize| {
        let widths = all().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    for row in all() {
        let cells = row.iter().zip(widths);
        let line: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        writeln!(f, "{}", line.join("  ").trim_end())?;
    }
    Ok(())
}

fn write_results(
    f: &mut fmt::Formatter<'_>,
    population: &str,
    decider: &DeciderSummary,
) -> fmt::Result {
    let DeciderSummary {
        decider: name,
        cost,
        restarts_per_1000h,
        soft_heals_per_1000h,
        ..
    } = decider;
    writeln!(
        f,
        "RESULT episode_cost_{population}_{name} {:.1} failed_requests",
        cost.value
    )?;
    // The figures without a name are those of the default decider.
    let is_default = population == STRESSED && name == DeciderName::Rules.as_str();
    let suffixes = [Some(format!("_{name}")), is_default.then(String::new)];
    for suffix in suffixes.iter().flatten() {
        for (kind, rate) in [
            ("restarts", restarts_per_1000h),
            ("soft_heals", soft_heals_per_1000h),
        ] {
            if let Some(rate) = rate {
                let name = format!("{population}_{kind}_per_1000h{suffix}");
                writeln!(f, "RESULT {name} {:.2} {kind}", rate.value)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::record::EpisodeRecord;
    use super::super::record::tests::record;
    use super::super::summary::summarise;
    use super::*;

    /// Returns the report of three episodes of an hour, each with one restart by both deciders.
    fn report(population: &str, treatable: bool) -> String {
        let episode = |seed| {
            ["rules_0", "rules"].map(|decider| EpisodeRecord {
                treatable,
                ..record(population, seed, decider)
            })
        };
        let records: Vec<_> = (0..3).flat_map(episode).collect();
        Report(&summarise(&records)).to_string()
    }

    #[test]
    fn report_has_a_table_and_results_of_each_decider() {
        let report = report("memory", true);
        for part in [
            "== memory: 3 episodes, 3 h, 3 with a treatable fault ==\n",
            "rules    10.0 [10.0, 10.0]  0.0 [0.0, 0.0]  equal  3 (3)",
            "RESULT episode_cost_memory_rules_0 10.0 failed_requests\n",
        ] {
            assert!(report.contains(part), "no {part} in\n{report}");
        }
        assert!(
            !report.contains("per_1000h_"),
            "no app is healthy: {report}"
        );
    }

    #[test]
    fn rates_of_each_decider_are_results_and_the_default_has_no_suffix_if_stressed() {
        let memory = report("memory", false);
        assert!(memory.contains("RESULT memory_restarts_per_1000h_rules 1000.00 restarts\n"));
        assert!(memory.contains("RESULT memory_soft_heals_per_1000h_rules_0 0.00 soft_heals\n"));
        assert!(!memory.contains("per_1000h "), "{memory}");
        let stressed = report("stressed", false);
        assert!(stressed.contains("RESULT stressed_restarts_per_1000h 1000.00 restarts\n"));
        assert!(stressed.contains("RESULT stressed_soft_heals_per_1000h 0.00 soft_heals\n"));
    }
}
