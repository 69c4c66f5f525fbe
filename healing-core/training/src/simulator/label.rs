//! Labels of examples: the loss of each action and the mildest action that is sufficient.

use super::HORIZON;
use super::incident::Incident;
use healing_core::decision::{Action, Decision, Reason};

/// Minimum gain of a soft heal, as a share of the requests within the horizon.
const SOFT_GAIN: f64 = 0.01;
/// Minimum gain of a restart, as a share of the requests within the horizon.
const HARD_GAIN: f64 = 0.02;
/// Weight of a slow response relative to a failed one.
const SLOW_WEIGHT: f64 = 0.2;

/// Returns the share of requests that clients lose after each action.
pub(super) fn losses(incident: &Incident) -> [f64; 3] {
    Action::ALL.map(|action| {
        let clients = incident.outcomes_after(action, HORIZON);
        (clients.failed + SLOW_WEIGHT * clients.slow) / clients.requests.max(1.0)
    })
}

/// Returns the mildest action that no stronger action outperforms by more than its minimum gain.
pub(super) fn mildest_sufficient([none, soft, hard]: [f64; 3]) -> Action {
    let (mild, mild_loss) = if soft + SOFT_GAIN < none {
        (Action::ResetErrors, soft)
    } else {
        (Action::NoAction, none)
    };
    if hard + HARD_GAIN < mild_loss {
        Action::RestartService
    } else {
        mild
    }
}

/// Returns the action that the rules take once delays (cooldown, splay, waiting for low load) are over.
pub(super) fn eventual_action(decision: &Decision) -> Action {
    if decision.evidence == Reason::AwaitingLowLoad {
        return Action::RestartService;
    }
    let is_delay = |reason| matches!(reason, Reason::Cooldown | Reason::Splay);
    if decision.vetoes.iter().all(is_delay) {
        decision.proposed
    } else {
        Action::NoAction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_is_mildest_action_with_minimum_gain() {
        for (losses, label) in [
            ([0.0, 0.0, 0.1], Action::NoAction),
            ([0.105, 0.1, 0.1], Action::NoAction),
            ([0.5, 0.0, 0.0], Action::ResetErrors),
            ([0.5, 0.1, 0.09], Action::ResetErrors),
            ([0.5, 0.495, 0.1], Action::RestartService),
        ] {
            assert_eq!(mildest_sufficient(losses), label, "{losses:?}");
        }
    }
}
