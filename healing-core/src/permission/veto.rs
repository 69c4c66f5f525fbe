//! The vetoes that follow from how things stand, each one line; those with a memory of their own
//! (cooldown, budget, escalation, look again) are asked for here too, so that this is the one place
//! to read what can forbid an action.

use crate::baseline::Figures;
use crate::config::EvidenceConfig;
use crate::decision::{Action, Reason, Vetoes};
use crate::observation::{Circumstances, Mode};

/// What is known when a proposal is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) action: Action,
    pub(crate) circumstances: Circumstances,
    /// The app says that it takes no new work, or that it is about to end.
    pub(crate) app_draining: bool,
    /// It was ready once, and is old enough.
    pub(crate) grown_up: bool,
    pub(crate) dependency_down: bool,
    pub(crate) overloaded: bool,
    pub(crate) repeated: bool,
    pub(crate) cooling_down: bool,
    pub(crate) budget_remaining: u32,
}

/// Everything that forbids the action, but for looking again.
pub(crate) fn vetoes(case: &Case) -> Vetoes {
    let mut vetoes = Vetoes::NONE;
    if case.action == Action::NoAction {
        return vetoes;
    }
    let restart = case.action == Action::RestartService;
    let circumstances = &case.circumstances;
    vetoes.insert_if(
        restart && !circumstances.state_writable,
        Reason::StateUnavailable,
    );
    vetoes.insert_if(circumstances.paused, Reason::Paused);
    vetoes.insert_if(
        circumstances.draining || case.app_draining,
        Reason::Draining,
    );
    vetoes.insert_if(circumstances.mode == Mode::Observe, Reason::Observe);
    vetoes.insert_if(!case.grown_up, Reason::StartupGrace);
    vetoes.insert_if(case.dependency_down, Reason::DependencyDown);
    vetoes.insert_if(restart && case.overloaded, Reason::Overload);
    vetoes.insert_if(case.repeated, Reason::Escalation);
    vetoes.insert_if(case.cooling_down, Reason::Cooldown);
    vetoes.insert_if(
        restart && case.budget_remaining == 0,
        Reason::BudgetExhausted,
    );
    vetoes
}

/// Far more load than usual, and requests take longer with it: the metastable failure that a restart
/// (cold caches, fewer replicas) makes worse. `relative` are multiples of the usual.
pub(crate) fn is_overloaded(relative: Figures, config: &EvidenceConfig) -> bool {
    let at_least = |figure: Option<f64>, least: f64| figure.is_some_and(|figure| figure >= least);
    at_least(relative.load, config.overload_load_ratio)
        && (at_least(relative.p50, config.overload_latency_ratio)
            || at_least(relative.p99, config.overload_latency_ratio))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(action: Action) -> Case {
        Case {
            action,
            circumstances: Circumstances {
                mode: Mode::Enforce,
                ..Circumstances::default()
            },
            app_draining: false,
            grown_up: true,
            dependency_down: false,
            overloaded: false,
            repeated: false,
            cooling_down: false,
            budget_remaining: 3,
        }
    }

    fn only(change: impl Fn(&mut Case), action: Action) -> Vec<Reason> {
        let mut case = case(action);
        change(&mut case);
        vetoes(&case).iter().collect()
    }

    #[test]
    fn each_guard_forbids_what_it_should() {
        use Action::{ResetErrors, RestartService};
        type Change = fn(&mut Case);
        let both: [(Change, Reason); 7] = [
            (|c| c.circumstances.paused = true, Reason::Paused),
            (|c| c.circumstances.draining = true, Reason::Draining),
            (|c| c.app_draining = true, Reason::Draining),
            (|c| c.circumstances.mode = Mode::Observe, Reason::Observe),
            (|c| c.grown_up = false, Reason::StartupGrace),
            (|c| c.dependency_down = true, Reason::DependencyDown),
            (|c| c.cooling_down = true, Reason::Cooldown),
        ];
        for (change, reason) in both {
            assert_eq!(only(change, ResetErrors), [reason]);
            assert_eq!(only(change, RestartService), [reason]);
        }
        let restart_only: [(Change, Reason); 3] = [
            (
                |c| c.circumstances.state_writable = false,
                Reason::StateUnavailable,
            ),
            (|c| c.overloaded = true, Reason::Overload),
            (|c| c.budget_remaining = 0, Reason::BudgetExhausted),
        ];
        for (change, reason) in restart_only {
            assert_eq!(only(change, ResetErrors), []);
            assert_eq!(only(change, RestartService), [reason]);
        }
        assert_eq!(
            only(|c| c.repeated = true, ResetErrors),
            [Reason::Escalation]
        );
    }

    #[test]
    fn doing_nothing_needs_no_permission() {
        let mut case = case(Action::NoAction);
        case.circumstances.paused = true;
        assert!(vetoes(&case).is_empty());
    }

    #[test]
    fn overload_is_load_and_latency_together() {
        let config = EvidenceConfig::default();
        let figures = |load, p50| Figures {
            load: Some(load),
            p50: Some(p50),
            p99: None,
        };
        assert!(is_overloaded(figures(3.0, 4.0), &config));
        assert!(!is_overloaded(figures(3.0, 1.0), &config), "it copes");
        assert!(
            !is_overloaded(figures(1.0, 9.0), &config),
            "slow for another reason"
        );
        assert!(!is_overloaded(Figures::default(), &config), "unknown");
    }
}
