//! Cost of an episode, in failed requests.
//!
//! ```text
//! cost = failed − unavoidable
//!      + rate × (30 s × restarts that did not help + 0.1 × time without capacity + 0.02 × time to recovery)
//! ```
//! `rate` is the episode's mean arrival rate, so that a second weighs as much for a small app as for a
//! large one.
//!
//! # Hazards
//!
//! - Do not change the weights: costs are compared across versions. A different cost needs a different
//!   name.

use std::time::Duration;

use crate::episode::EpisodeOutcome;
use healing_core::decision::Action;

/// Weight of a restart that did not help: seconds of full outage. The simulators count the requests that fail
/// during a restart, but not its other harm: lost state in memory, a reconnection storm, an operator who has
/// to explain it. About as long as the restart itself.
pub const USELESS_RESTART_SECONDS: f64 = 30.0;
/// Weight of the time without capacity, as a fraction of the requests that arrive in it. While an app drains or starts, its requests
/// are served by other replicas; a tenth is what their higher load is assumed to cost.
pub const CAPACITY_LOST_WEIGHT: f64 = 0.1;
/// Weight of the time to recovery, as a fraction of the requests that arrive in it. Failures are counted already; this is for slow
/// answers, and for the risk that a lasting fault spreads. Small, so that it decides only between
/// deciders with equal failures.
pub const RECOVERY_WEIGHT: f64 = 0.02;

/// Returns the cost of an episode.
///
/// A treatable fault without a recovery counts as not recovered until the end. Failures above `unavoidable` may be negative:
/// `unavoidable` is an estimate, and equal for all deciders.
#[must_use]
#[allow(clippy::cast_precision_loss)] // requests
pub fn cost(outcome: &EpisodeOutcome) -> f64 {
    let excess = outcome.failed as f64 - outcome.unavoidable as f64;
    let seconds = outcome.duration.as_secs_f64();
    if seconds <= 0.0 {
        return excess;
    }
    let rate = outcome.requests as f64 / seconds;
    let useless = outcome
        .treatments
        .iter()
        .filter(|treatment| treatment.action == Action::RestartService && !treatment.helped)
        .count() as f64;
    let unrecovered = if outcome.treatable {
        outcome.duration
    } else {
        Duration::ZERO
    };
    let recovery = outcome.recovery.unwrap_or(unrecovered);
    let weighted_seconds = USELESS_RESTART_SECONDS * useless
        + CAPACITY_LOST_WEIGHT * outcome.capacity_lost.as_secs_f64()
        + RECOVERY_WEIGHT * recovery.as_secs_f64();
    excess + rate * weighted_seconds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::Carried;

    /// Returns an episode with 10 requests per second for 1000 s.
    fn outcome() -> EpisodeOutcome {
        EpisodeOutcome {
            duration: Duration::from_secs(1000),
            requests: 10_000,
            ..EpisodeOutcome::default()
        }
    }

    fn assert_cost(outcome: &EpisodeOutcome, expected: f64) {
        let cost = cost(outcome);
        assert!((cost - expected).abs() < 1e-9, "{cost}, not {expected}");
    }

    #[test]
    fn cost_counts_failures_above_the_unavoidable() {
        assert_cost(&outcome(), 0.0);
        let failing = EpisodeOutcome {
            failed: 50,
            unavoidable: 20,
            ..outcome()
        };
        assert_cost(&failing, 30.0);
        let better_than_estimated = EpisodeOutcome {
            failed: 10,
            unavoidable: 20,
            ..outcome()
        };
        assert_cost(&better_than_estimated, -10.0);
    }

    #[test]
    fn cost_weighs_restarts_that_did_not_help() {
        let carried = |action, helped| Carried {
            at: Duration::ZERO,
            action,
            helped,
        };
        let treated = EpisodeOutcome {
            treatments: vec![
                carried(Action::RestartService, false),
                carried(Action::RestartService, true),
                carried(Action::ResetErrors, false),
            ],
            ..outcome()
        };
        assert_cost(&treated, 300.0);
    }

    #[test]
    fn cost_weighs_capacity_and_recovery_by_the_arrival_rate() {
        let slow = EpisodeOutcome {
            capacity_lost: Duration::from_secs(20),
            recovery: Some(Duration::from_secs(100)),
            treatable: true,
            ..outcome()
        };
        assert_cost(&slow, 20.0 + 20.0);
        let busier = EpisodeOutcome {
            requests: 20_000,
            ..slow
        };
        assert_cost(&busier, 80.0);
    }

    #[test]
    fn treatable_fault_without_recovery_lasts_to_the_end() {
        let untreated = EpisodeOutcome {
            treatable: true,
            ..outcome()
        };
        assert_cost(&untreated, 200.0);
    }

    #[test]
    fn empty_episode_costs_nothing() {
        assert_cost(&EpisodeOutcome::default(), 0.0);
    }
}
