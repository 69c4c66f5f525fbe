//! Explanation of one episode: its parameters, its treatments, and the decisions whenever their reasons change.

use std::fmt;

use super::deciders::DeciderName;
use super::run::decider_seed;
use crate::episode::{Decider, Episode, EpisodeOutcome, Population};
use healing_core::decision::{Action, Decision, TreatmentReport};
use healing_core::observation::{Now, Observation};

/// Log of one episode under one decider.
#[derive(Debug)]
pub struct EpisodeLog {
    episode: Box<dyn Episode>,
    /// Time in seconds, and the decision. Only those whose lane, reasons or action differ from the one before.
    decisions: Vec<(f64, Decision)>,
    outcome: EpisodeOutcome,
}

/// Decider that keeps the decisions of another.
struct Logged {
    inner: Box<dyn Decider>,
    decisions: Vec<(f64, Decision)>,
}

/// Runs the decider on the episode of a seed, as the judge does, and returns its log.
#[must_use]
pub fn explain(population: &dyn Population, seed: u64, decider: DeciderName) -> EpisodeLog {
    let episode = population.draw(seed);
    let mut logged = Logged {
        inner: decider.build(decider_seed(seed)),
        decisions: Vec::new(),
    };
    let outcome = episode.run(&mut logged);
    EpisodeLog {
        episode,
        decisions: logged.decisions,
        outcome,
    }
}

// === impl Logged ===

impl Decider for Logged {
    fn poll(&mut self, now: Now, observation: &Observation) -> Action {
        let action = self.inner.poll(now, observation);
        if let Some(decision) = self.inner.decision() {
            let last = self.decisions.last().map(|(_, last)| last);
            if action != Action::NoAction || last.is_none_or(|last| differs(last, decision)) {
                let seconds = now.monotonic.as_secs_f64();
                self.decisions.push((seconds, decision.clone()));
            }
        }
        action
    }

    fn report(&mut self, now: Now, treatment: TreatmentReport) {
        self.inner.report(now, treatment);
    }

    fn decision(&self) -> Option<&Decision> {
        self.inner.decision()
    }
}

/// Returns `true` if two decisions differ in lane, action or reasons.
fn differs(a: &Decision, b: &Decision) -> bool {
    (a.lane, a.proposed, a.action, a.reason, a.evidence, a.vetoes)
        != (b.lane, b.proposed, b.action, b.reason, b.evidence, b.vetoes)
        || a.impairment.vetoes != b.impairment.vetoes
}

// === impl EpisodeLog ===

impl fmt::Display for EpisodeLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:#?}\n", self.episode)?;
        for (seconds, decision) in &self.decisions {
            let impairment = &decision.impairment;
            let rate = |rate: Option<f64>| rate.map_or("-".to_owned(), |rate| format!("{rate:.2}"));
            writeln!(
                f,
                "{seconds:8.1} s  {} {} {} ({})  impairment {} = goodput {} of {}, capacity {}, usual {}{}  {:?} {:?}",
                decision.lane,
                decision.action,
                decision.reason,
                decision.evidence,
                rate(impairment.ratio),
                rate(impairment.goodput),
                rate(impairment.demand),
                rate(impairment.proven_capacity),
                rate(impairment.usual_arrivals),
                if impairment.unseen_demand {
                    ", unseen demand"
                } else {
                    ""
                },
                decision.vetoes,
                impairment.vetoes,
            )?;
        }
        let outcome = &self.outcome;
        writeln!(
            f,
            "\n{} of {} requests failed, {} unavoidable; treatable: {}; recovery: {:?}",
            outcome.failed,
            outcome.requests,
            outcome.unavoidable,
            outcome.treatable,
            outcome.recovery
        )?;
        for treatment in &outcome.treatments {
            let helped = if treatment.helped {
                "helped"
            } else {
                "did not help"
            };
            writeln!(
                f,
                "{:8.1} s  {} {helped}",
                treatment.at.as_secs_f64(),
                treatment.action
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::populations;

    #[test]
    fn log_shows_episode_decisions_and_outcome() {
        let populations = populations();
        let named = populations.iter().find(|known| known.name() == "named");
        let log = explain(&**named.unwrap(), 1, DeciderName::Rules).to_string();
        for part in ["Episode", "reported", "impairment", "requests failed"] {
            assert!(log.contains(part), "{part} is missing in:\n{log}");
        }
    }

    #[test]
    fn decider_without_reasons_has_no_decisions() {
        let log = explain(&*populations()[0], 1, DeciderName::Nothing);
        assert!(log.decisions.is_empty());
    }
}
