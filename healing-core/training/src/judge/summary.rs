//! Summary of a run: estimates for each population and decider.

use super::deciders::DeciderName;
use super::record::EpisodeRecord;
use super::statistics::Estimate;
use healing_core::decision::Action;

/// Results of all deciders on one population.
#[derive(Debug, Clone, PartialEq)]
pub struct PopulationSummary {
    /// Name of the population.
    pub population: String,
    /// Number of episodes.
    pub episodes: usize,
    /// Number of episodes with a fault that a treatment can end.
    pub treatable: usize,
    /// Length of all episodes, in hours.
    pub hours: f64,
    /// Results by decider, in the order of the run.
    pub deciders: Vec<DeciderSummary>,
}

/// Result of one decider on one population.
#[derive(Debug, Clone, PartialEq)]
pub struct DeciderSummary {
    /// Name of the decider.
    pub decider: String,
    /// Mean cost of an episode, in failed requests.
    pub cost: Estimate,
    /// Mean of the paired differences to the reference; absent without it, and for it.
    pub difference: Option<Estimate>,
    /// Restarts, and those that helped.
    pub restarts: (u32, u32),
    /// Soft heals, and those that helped.
    pub soft_heals: (u32, u32),
    /// Treatable episodes in which clients were served as before in the end.
    pub recovered: usize,
    /// Restarts per 1000 h of apps that have no treatable fault; absent without such apps.
    pub restarts_per_1000h: Option<Estimate>,
    /// Soft heals per 1000 h of apps that have no treatable fault; absent without such apps.
    pub soft_heals_per_1000h: Option<Estimate>,
}

/// Judgement of a difference by its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// The whole interval is below 0: cheaper than the reference.
    Better,
    /// The whole interval is above 0.
    Worse,
    /// Every episode costs the same.
    Equal,
    /// The interval contains 0.
    Undecided,
}

impl Judgement {
    /// Returns the judgement of a difference of costs.
    #[must_use]
    pub fn of(difference: &Estimate) -> Self {
        if difference.lower == 0.0 && difference.upper == 0.0 {
            Self::Equal
        } else if difference.upper < 0.0 {
            Self::Better
        } else if difference.lower > 0.0 {
            Self::Worse
        } else {
            Self::Undecided
        }
    }
}

/// Summarises records, which are ordered as [`Plan::run`](super::run::Plan::run) returns them.
#[must_use]
pub fn summarise(records: &[EpisodeRecord]) -> Vec<PopulationSummary> {
    records
        .chunk_by(|a, b| a.key.population == b.key.population)
        .map(summarise_population)
        .collect()
}

fn summarise_population(records: &[EpisodeRecord]) -> PopulationSummary {
    let mut names: Vec<&str> = Vec::new();
    for record in records {
        if !names.contains(&&*record.key.decider) {
            names.push(&record.key.decider);
        }
    }
    let of = |name: &str| -> Vec<&EpisodeRecord> {
        let by_name = |record: &&EpisodeRecord| record.key.decider == name;
        records.iter().filter(by_name).collect()
    };
    let reference = of(DeciderName::REFERENCE.as_str());
    let first = names.first().map_or_else(Vec::new, |name| of(name));
    PopulationSummary {
        population: records
            .first()
            .map_or_else(String::new, |record| record.key.population.clone()),
        episodes: first.len(),
        treatable: first.iter().filter(|record| record.treatable).count(),
        hours: first.iter().map(|record| record.hours()).sum(),
        deciders: names
            .iter()
            .map(|name| summarise_decider(name, &of(name), &reference))
            .collect(),
    }
}

fn summarise_decider(
    name: &str,
    records: &[&EpisodeRecord],
    reference: &[&EpisodeRecord],
) -> DeciderSummary {
    let costs: Vec<f64> = records.iter().map(|record| record.cost()).collect();
    let differences: Vec<f64> = records
        .iter()
        .zip(reference)
        .filter(|(record, reference)| record.key.seed == reference.key.seed)
        .map(|(record, reference)| record.cost() - reference.cost())
        .collect();
    let is_compared = name != DeciderName::REFERENCE.as_str() && !differences.is_empty();
    let total = |action| {
        let counts = records.iter().map(|record| record.count(action));
        counts.fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1))
    };
    let rate = |action| {
        let untreatable = records.iter().filter(|record| !record.treatable);
        let pairs: Vec<_> = untreatable
            .map(|record| (f64::from(record.count(action).0), record.hours()))
            .collect();
        (!pairs.is_empty()).then(|| Estimate::rate(&pairs).times(1000.0))
    };
    DeciderSummary {
        decider: name.to_owned(),
        cost: Estimate::mean(&costs),
        difference: is_compared.then(|| Estimate::mean(&differences)),
        restarts: total(Action::RestartService),
        soft_heals: total(Action::ResetErrors),
        recovered: records
            .iter()
            .filter(|record| record.treatable && record.recovery_ms.is_some())
            .count(),
        restarts_per_1000h: rate(Action::RestartService),
        soft_heals_per_1000h: rate(Action::ResetErrors),
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::record;
    use super::*;

    fn with_failures(seed: u64, decider: &str, failed: u64) -> EpisodeRecord {
        EpisodeRecord {
            failed,
            ..record("p", seed, decider)
        }
    }

    #[test]
    fn differences_are_paired_by_episode() {
        let records = [
            with_failures(1, "rules_0", 100),
            with_failures(1, "rules", 110),
            with_failures(2, "rules_0", 9000),
            with_failures(2, "rules", 9010),
        ];
        let summary = &summarise(&records)[0];
        assert_eq!((summary.episodes, summary.treatable), (2, 2));
        let [reference, rules] = &summary.deciders[..] else {
            panic!("{summary:?}");
        };
        assert_eq!(reference.difference, None);
        let difference = rules.difference.unwrap();
        assert!((difference.lower - 10.0).abs() < 1e-6, "{difference:?}");
        assert_eq!(Judgement::of(&difference), Judgement::Worse);
        assert!(rules.cost.lower < 0.0, "unpaired costs vary");
        assert_eq!(rules.restarts, (2, 2));
    }

    #[test]
    fn rates_count_untreatable_episodes_only() {
        let healthy = EpisodeRecord {
            treatable: false,
            ..record("p", 1, "rules")
        };
        let treatable = record("p", 2, "rules");
        let summary = &summarise(&[healthy, treatable])[0];
        let rules = &summary.deciders[0];
        assert!((rules.restarts_per_1000h.unwrap().value - 1000.0).abs() < 1e-9);
        assert!((rules.soft_heals_per_1000h.unwrap().upper - 3688.88).abs() < 0.01);
        assert_eq!(rules.recovered, 1);
    }

    #[test]
    fn judgement_needs_the_whole_interval() {
        let estimate = |lower, upper| Estimate {
            value: 0.5,
            lower,
            upper,
        };
        for (lower, upper, judgement) in [
            (0.1, 0.9, Judgement::Worse),
            (-0.9, -0.1, Judgement::Better),
            (-0.1, 0.9, Judgement::Undecided),
            (0.0, 0.0, Judgement::Equal),
            (f64::NEG_INFINITY, f64::INFINITY, Judgement::Undecided),
        ] {
            assert_eq!(Judgement::of(&estimate(lower, upper)), judgement);
        }
    }
}
