//! Vetoes of a proposal. The states of cooldown, budget and escalation are inputs, so that
//! all vetoes are in one place. Only the splay is evaluated later, because it begins only if nothing
//! else forbids the restart.

use crate::decision::{Action, Reason, Vetoes};
use crate::observation::{Circumstances, Mode};

/// Proposed action, and the conditions under which it is evaluated.
#[derive(Debug, Clone, Copy)]
pub(super) struct VetoInput {
    pub(super) action: Action,
    pub(super) circumstances: Circumstances,
    /// Set if the app reports that it is draining or condemned.
    pub(super) app_draining: bool,
    /// Set if the app has been ready and its startup grace is over.
    pub(super) mature: bool,
    pub(super) dependency_down: bool,
    /// Vetoes of the load, and of a restart that did not help.
    pub(super) load: Vetoes,
    /// Set if the runtime is stalled, or no port responds. A restart ends that whatever else fails.
    pub(super) wedged: bool,
    /// Set if the action has reached the allowed number of failures.
    pub(super) attempts_exhausted: bool,
    pub(super) cooling_down: bool,
    pub(super) budget_remaining: u32,
}

/// Returns every veto except the splay.
pub(super) fn vetoes(input: &VetoInput) -> Vetoes {
    let mut vetoes = Vetoes::NONE;
    if input.action == Action::NoAction {
        return vetoes;
    }
    let restart = input.action == Action::RestartService;
    let circumstances = &input.circumstances;
    vetoes.insert_if(
        restart && !circumstances.state_writable,
        Reason::StateUnavailable,
    );
    vetoes.insert_if(circumstances.paused, Reason::Paused);
    vetoes.insert_if(
        circumstances.draining || input.app_draining,
        Reason::Draining,
    );
    vetoes.insert_if(circumstances.mode == Mode::Observe, Reason::Observe);
    vetoes.insert_if(!input.mature, Reason::StartupGrace);
    vetoes.insert_if(
        input.dependency_down && !input.wedged,
        Reason::DependencyDown,
    );
    vetoes.insert_if(input.attempts_exhausted, Reason::Escalation);
    vetoes.insert_if(input.cooling_down, Reason::Cooldown);
    vetoes.insert_if(
        restart && input.budget_remaining == 0,
        Reason::BudgetExhausted,
    );
    vetoes | input.load
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(action: Action) -> VetoInput {
        VetoInput {
            action,
            circumstances: Circumstances {
                mode: Mode::Enforce,
                ..Circumstances::default()
            },
            app_draining: false,
            mature: true,
            dependency_down: false,
            load: Vetoes::NONE,
            wedged: false,
            attempts_exhausted: false,
            cooling_down: false,
            budget_remaining: 3,
        }
    }

    fn vetoes_after(change: impl Fn(&mut VetoInput), action: Action) -> Vec<Reason> {
        let mut input = input(action);
        change(&mut input);
        vetoes(&input).iter().collect()
    }

    #[test]
    fn conditions_veto_the_actions_that_they_concern() {
        use Action::{ResetErrors, RestartService};
        type Change = fn(&mut VetoInput);
        let both: [(Change, Reason); 8] = [
            (|c| c.circumstances.paused = true, Reason::Paused),
            (|c| c.circumstances.draining = true, Reason::Draining),
            (|c| c.app_draining = true, Reason::Draining),
            (|c| c.circumstances.mode = Mode::Observe, Reason::Observe),
            (|c| c.mature = false, Reason::StartupGrace),
            (|c| c.dependency_down = true, Reason::DependencyDown),
            (|c| c.load.insert(Reason::Starved), Reason::Starved),
            (|c| c.cooling_down = true, Reason::Cooldown),
        ];
        for (change, reason) in both {
            assert_eq!(vetoes_after(change, ResetErrors), [reason]);
            assert_eq!(vetoes_after(change, RestartService), [reason]);
        }
        let restart_only: [(Change, Reason); 2] = [
            (
                |c| c.circumstances.state_writable = false,
                Reason::StateUnavailable,
            ),
            (|c| c.budget_remaining = 0, Reason::BudgetExhausted),
        ];
        for (change, reason) in restart_only {
            assert_eq!(vetoes_after(change, ResetErrors), []);
            assert_eq!(vetoes_after(change, RestartService), [reason]);
        }
        assert_eq!(
            vetoes_after(|c| c.attempts_exhausted = true, ResetErrors),
            [Reason::Escalation]
        );
    }

    #[test]
    fn wedge_is_healed_in_spite_of_a_failing_dependency() {
        let down = |wedged| {
            vetoes_after(
                |c| (c.dependency_down, c.wedged) = (true, wedged),
                Action::RestartService,
            )
        };
        assert_eq!(down(true), []);
        assert_eq!(down(false), [Reason::DependencyDown]);
    }

    #[test]
    fn no_action_needs_no_permission() {
        let mut input = input(Action::NoAction);
        input.circumstances.paused = true;
        assert!(vetoes(&input).is_empty());
    }
}
