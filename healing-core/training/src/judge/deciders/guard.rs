//! Guard of the trend rule: a plain cooldown and a restart budget.
//!
//! The policy's own guards are left out on purpose: with escalation, splay, vetoes and evidence the trend
//! rule would be another policy. A cooldown alone would let it restart an app without end, which neither an
//! operator nor Kubernetes' back-off permits, so the policy's default budget is kept.
//!
//! The constants are part of the frozen decider `trend_0`.

use std::collections::VecDeque;
use std::time::Duration;

use healing_core::decision::Action;

/// Pause after a soft heal.
const SOFT_COOLDOWN: Duration = Duration::from_secs(30);
/// Pause after a restart.
const HARD_COOLDOWN: Duration = Duration::from_secs(60);
/// Restarts that are allowed
const BUDGET: usize = 3;
/// in this time.
const BUDGET_WINDOW: Duration = Duration::from_secs(1800);

/// Cooldown and restart budget.
#[derive(Debug, Default)]
pub(super) struct PlainGuard {
    closed_until: Duration,
    restarts: VecDeque<Duration>,
}

impl PlainGuard {
    /// Returns the action if it is allowed at this time, and none otherwise.
    pub(super) fn permit(&mut self, now: Duration, action: Action) -> Action {
        while self
            .restarts
            .front()
            .is_some_and(|began| now.saturating_sub(*began) >= BUDGET_WINDOW)
        {
            self.restarts.pop_front();
        }
        let spent = action == Action::RestartService && self.restarts.len() >= BUDGET;
        if spent || now < self.closed_until {
            Action::NoAction
        } else {
            action
        }
    }

    /// Records a treatment that was carried out.
    pub(super) fn record(&mut self, now: Duration, action: Action) {
        match action {
            Action::NoAction => {}
            Action::ResetErrors => self.closed_until = now + SOFT_COOLDOWN,
            Action::RestartService => {
                self.closed_until = now + HARD_COOLDOWN;
                self.restarts.push_back(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn guard_pauses_after_treatments() {
        for (action, pause) in [(Action::ResetErrors, 30), (Action::RestartService, 60)] {
            let mut guard = PlainGuard::default();
            guard.record(at(100), action);
            assert_eq!(guard.permit(at(99 + pause), action), Action::NoAction);
            assert_eq!(guard.permit(at(100 + pause), action), action);
        }
    }

    #[test]
    fn guard_allows_three_restarts_in_half_an_hour() {
        let mut guard = PlainGuard::default();
        for second in [0, 100, 200] {
            guard.record(at(second), Action::RestartService);
        }
        let restart = Action::RestartService;
        assert_eq!(guard.permit(at(1799), restart), Action::NoAction);
        assert_eq!(
            guard.permit(at(1799), Action::ResetErrors),
            Action::ResetErrors
        );
        assert_eq!(guard.permit(at(1800), restart), restart);
    }
}
