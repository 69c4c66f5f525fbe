//! Folds over whole scenarios, stratified by the treatment that helps.

use crate::simulator::{Example, Scenario};
use healing_core::rng::Rng;

/// Distributes all scenarios over `folds` folds by the seed, stratified by treatment, so that each fold
/// has scenarios of every treatment.
#[must_use]
pub fn scenario_folds(examples: &[Example], folds: usize, seed: u64) -> Vec<Vec<Scenario>> {
    let mut strata: [Vec<Scenario>; 3] = Default::default();
    for scenario in Scenario::ALL {
        strata[treatment_class(scenario, examples)].push(scenario);
    }
    let mut folds = vec![Vec::new(); folds.max(1)];
    let mut next = 0;
    for (index, mut stratum) in (0..).zip(strata) {
        Rng::new(seed).part(10 + index).shuffle(&mut stratum);
        for scenario in stratum {
            let fold = next % folds.len();
            folds[fold].push(scenario);
            next += 1;
        }
    }
    folds
}

/// Returns the strongest class that labels more than a quarter of a scenario's examples after the onset.
fn treatment_class(scenario: Scenario, examples: &[Example]) -> usize {
    let mut counts = [0_usize; 3];
    for example in examples
        .iter()
        .filter(|e| e.scenario == scenario && e.is_after_onset)
    {
        counts[example.label as usize] += 1;
    }
    let all: usize = counts.iter().sum();
    [2, 1]
        .into_iter()
        .find(|class| 4 * counts[*class] > all)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_partition_scenarios_evenly() {
        let folds = scenario_folds(&[], 5, 1);
        let mut all = folds.concat();
        all.sort();
        assert_eq!(all, Scenario::ALL);
        assert!(folds.iter().all(|fold| (4..=5).contains(&fold.len())));
    }
}
