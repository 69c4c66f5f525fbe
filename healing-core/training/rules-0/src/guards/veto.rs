//! Vetoes of a proposal, each one line. Guards with a memory of their own (cooldown, budget,
//! escalation) are inputs, so that everything that can forbid an action is read here; only the splay
//! depends on the result.

use crate::decision::{Action, Reason, Vetoes};
use crate::observation::{Circumstances, Mode};

/// State in which a proposal is evaluated.
#[derive(Debug, Clone, Copy)]
pub(super) struct VetoInput {
    pub(super) action: Action,
    pub(super) circumstances: Circumstances,
    /// Set if the app says that it drains or is condemned.
    pub(super) app_draining: bool,
    /// Set if the app has been ready and its startup grace is over.
    pub(super) mature: bool,
    pub(super) dependency_down: bool,
    pub(super) overloaded: bool,
    /// Set if the action has failed as often as it may.
    pub(super) attempts_spent: bool,
    pub(super) cooling_down: bool,
    pub(super) budget_remaining: u32,
}

/// Returns every veto but the splay.
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
    vetoes.insert_if(input.dependency_down, Reason::DependencyDown);
    vetoes.insert_if(restart && input.overloaded, Reason::Overload);
    vetoes.insert_if(input.attempts_spent, Reason::Escalation);
    vetoes.insert_if(input.cooling_down, Reason::Cooldown);
    vetoes.insert_if(
        restart && input.budget_remaining == 0,
        Reason::BudgetExhausted,
    );
    vetoes
}
