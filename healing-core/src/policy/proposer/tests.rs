use super::*;
use crate::decision::{Outcome, TreatmentReport, TreatmentResult};
use crate::model::Classification;
use crate::time::Time;

const COSTS: [[f64; 3]; 3] = [[0.0, 1.0, 10.0], [5.0, 0.0, 10.0], [20.0, 20.0, 0.0]];

#[test]
fn minimum_expected_cost_weighs_the_probabilities() {
    assert_eq!(
        min_expected_cost([0.98, 0.01, 0.01], &COSTS),
        Action::NoAction
    );
    assert_eq!(
        min_expected_cost([0.6, 0.3, 0.1], &COSTS),
        Action::ResetErrors
    );
    // Most votes are for a reset, but a missed restart costs more than a needless one.
    assert_eq!(
        min_expected_cost([0.1, 0.5, 0.4], &COSTS),
        Action::RestartService
    );
    assert_eq!(min_expected_cost([f64::NAN; 3], &COSTS), Action::NoAction);
}

/// Returns the reading of an app that sends reports, is ready and has no symptom.
fn healthy() -> Reading {
    Reading {
        has_been_ready: true,
        mature: true,
        has_served: true,
        available: true,
        healthy: true,
        ..Reading::unknown(Lane::Reported)
    }
}

/// Returns the reading of an app with a sustained error ratio.
fn failing() -> Reading {
    Reading {
        healthy: false,
        symptomatic: true,
        soft_evidence: Some(Reason::ErrorRatio),
        ratio_sustained: true,
        ..healthy()
    }
}

fn panicking() -> Reading {
    Reading {
        healthy: false,
        symptomatic: true,
        hard_evidence: Some(Reason::RepeatedPanics),
        ..healthy()
    }
}

fn limit() -> Reading {
    Reading {
        limit_alarm: true,
        limit_sustained: true,
        ..healthy()
    }
}

/// Returns guards after treatments with these outcomes.
fn guards_after(outcomes: &[(Action, Outcome)]) -> Guards {
    let config = PolicyConfig::default();
    let mut guards = Guards::new(1);
    for &(action, outcome) in outcomes {
        let treatment = |result| TreatmentReport { action, result };
        let mut report = |result| {
            guards.report_treatment(Time::default(), treatment(result), None, &config.permission);
        };
        report(TreatmentResult::Started);
        report(match outcome {
            Outcome::Aborted => TreatmentResult::Aborted,
            _ => TreatmentResult::Failed,
        });
        guards.conclude(Time::default(), &healthy(), &config);
    }
    guards
}

fn propose(reading: &Reading, guards: &Guards) -> (Action, Reason) {
    let proposal = Proposer::Rules.propose(reading, guards, &PolicyConfig::default());
    (proposal.action, proposal.reason)
}

const SOFT_FAILED: (Action, Outcome) = (Action::ResetErrors, Outcome::Ineffective);
const HARD_FAILED: (Action, Outcome) = (Action::RestartService, Outcome::Ineffective);

#[test]
fn rules_propose_by_symptom_and_attempts() {
    use Action::{NoAction, ResetErrors, RestartService};
    let unavailable = |reading| Reading {
        available: false,
        ..reading
    };
    type Case<'a> = (&'a str, Reading, &'a [(Action, Outcome)], (Action, Reason));
    let cases: [Case<'_>; 12] = [
        ("healthy", healthy(), &[], (NoAction, Reason::Healthy)),
        ("errors", failing(), &[], (ResetErrors, Reason::ErrorRatio)),
        (
            "one soft heal failed",
            failing(),
            &[SOFT_FAILED],
            (ResetErrors, Reason::ErrorRatio),
        ),
        (
            "two soft heals failed",
            failing(),
            &[SOFT_FAILED; 2],
            (RestartService, Reason::SoftHealFailed),
        ),
        (
            "two failed, but the instance was never available",
            unavailable(failing()),
            &[SOFT_FAILED; 2],
            (ResetErrors, Reason::ErrorRatio),
        ),
        (
            "everything failed",
            failing(),
            &[SOFT_FAILED, SOFT_FAILED, HARD_FAILED],
            (NoAction, Reason::AttemptsExhausted),
        ),
        (
            "panics",
            panicking(),
            &[],
            (RestartService, Reason::RepeatedPanics),
        ),
        (
            "panics after a restart that failed",
            panicking(),
            &[HARD_FAILED],
            (NoAction, Reason::AttemptsExhausted),
        ),
        (
            "panics of an instance that was never available",
            unavailable(panicking()),
            &[],
            (NoAction, Reason::NeverAvailable),
        ),
        ("limit", limit(), &[], (NoAction, Reason::AwaitingLowLoad)),
        (
            "limit at low load",
            Reading {
                low_load: true,
                ..limit()
            },
            &[HARD_FAILED],
            (RestartService, Reason::LimitForecast),
        ),
        (
            "urgent limit",
            Reading {
                limit_urgent: true,
                ..limit()
            },
            &[],
            (RestartService, Reason::LimitForecast),
        ),
    ];
    for (case, reading, outcomes, expected) in cases {
        assert_eq!(
            propose(&reading, &guards_after(outcomes)),
            expected,
            "{case}"
        );
    }
}

#[test]
fn no_action_has_a_reason() {
    let guards = guards_after(&[]);
    let reason = |reading: Reading| {
        let (action, reason) = propose(&reading, &guards);
        assert_eq!(action, Action::NoAction);
        reason
    };
    let not_ready = Reading {
        has_been_ready: false,
        ..failing()
    };
    assert_eq!(reason(not_ready), Reason::Starting);
    let awaiting = Reading {
        awaiting_checks: true,
        ..failing()
    };
    assert_eq!(reason(awaiting), Reason::AwaitingChecks);
    let pending = Reading {
        soft_evidence: None,
        ..failing()
    };
    assert_eq!(reason(pending), Reason::InsufficientEvidence);
    let busy = Reading {
        features: [(Feature::CpuUsage, 90.0)].into_iter().collect(),
        ..healthy()
    };
    assert_eq!(reason(busy), Reason::ResourceUseOnly);
    let stale = Reading {
        stale: true,
        ..failing()
    };
    assert_eq!(reason(stale), Reason::StaleAnswer);
}

#[test]
fn unresponsive_app_is_restarted_only_with_evidence() {
    let guards = guards_after(&[]);
    let propose = |lane, ready, unresponsive| {
        let reading = Reading {
            has_been_ready: ready,
            has_served: ready,
            unresponsive,
            ..Reading::unknown(lane)
        };
        propose(&reading, &guards)
    };
    let none = |reason| (Action::NoAction, reason);
    let reasons = [
        (Lane::Refused, true, Reason::AppDown),
        (Lane::Refused, false, Reason::Starting),
        (Lane::Invalid, true, Reason::InvalidAnswer),
        (Lane::Stalled, true, Reason::InsufficientEvidence),
        (Lane::Stalled, false, Reason::Starting),
    ];
    for (lane, ready, reason) in reasons {
        assert_eq!(propose(lane, ready, None), none(reason));
    }
    let timeout = Some(Reason::Unresponsive);
    assert_eq!(
        propose(Lane::Stalled, true, timeout),
        (Action::RestartService, Reason::Unresponsive)
    );
}

/// Model that votes for one action, or abstains. It lacks the features of the second field.
#[derive(Debug)]
struct FixedVotes(Option<Action>, FeatureSet);

impl Classifier for FixedVotes {
    fn classify(&self, _: &Features) -> Classification {
        let votes = |action: Action| {
            let mut votes = [0; 3];
            votes[action as usize] = 97;
            Votes(votes)
        };
        Classification {
            absent: self.1,
            ..self.0.map(votes).ok_or(Abstention::ModelError).into()
        }
    }
}

fn propose_by_model(vote: Option<Action>, role: ModelRole, reading: &Reading) -> Proposal {
    propose_with_absent(vote, role, reading, FeatureSet::EMPTY)
}

fn propose_with_absent(
    vote: Option<Action>,
    role: ModelRole,
    reading: &Reading,
    absent: FeatureSet,
) -> Proposal {
    let config = PolicyConfig {
        model: role,
        ..PolicyConfig::default()
    };
    let guards = guards_after(&[SOFT_FAILED]);
    Proposer::Model(Box::new(FixedVotes(vote, absent))).propose(reading, &guards, &config)
}

#[test]
fn deciding_model_is_bounded_by_the_evidence() {
    let restart = Some(Action::RestartService);
    let none = propose_by_model(restart, ModelRole::Decides, &healthy());
    assert_eq!(
        (none.action, none.reason),
        (Action::NoAction, Reason::Healthy)
    );
    let early = propose_by_model(restart, ModelRole::Decides, &failing());
    assert_eq!(
        early.action,
        Action::RestartService,
        "one failed soft heal is enough"
    );
    assert_eq!(early.decided_by, DecidedBy::Model);
    let declined = propose_by_model(Some(Action::NoAction), ModelRole::Decides, &failing());
    assert_eq!(declined.reason, Reason::ModelDeclined);
    let due = Reading {
        low_load: true,
        ..limit()
    };
    let forecast = propose_by_model(Some(Action::NoAction), ModelRole::Decides, &due);
    assert_eq!(
        forecast.action,
        Action::RestartService,
        "a forecast overrides the votes"
    );
    assert_eq!(forecast.decided_by, DecidedBy::Rules);
}

#[test]
fn rules_decide_if_the_model_advises_or_cannot_classify() {
    let none = Some(Action::NoAction);
    let advised = propose_by_model(none, ModelRole::Advises, &failing());
    assert_eq!(advised.action, Action::ResetErrors);
    assert_eq!(advised.probabilities, Some([0.98, 0.01, 0.01]));
    let unknown = propose_by_model(None, ModelRole::Decides, &failing());
    assert_eq!(unknown.action, Action::ResetErrors);
    assert_eq!(
        (unknown.decided_by, unknown.probabilities),
        (DecidedBy::Rules, None)
    );
}

#[test]
fn model_that_lacks_an_error_ratio_only_advises() {
    let none = Some(Action::NoAction);
    for (absent, decided_by) in [
        (Feature::ErrorRatioFast, DecidedBy::Rules),
        (Feature::ErrorRatioSlow, DecidedBy::Rules),
        (Feature::LoadRatio, DecidedBy::Model),
    ] {
        let absent = FeatureSet::of(&[absent]);
        let proposal = propose_with_absent(none, ModelRole::Decides, &failing(), absent);
        assert_eq!(proposal.decided_by, decided_by, "{absent:?}");
        assert_eq!(proposal.probabilities, Some([0.98, 0.01, 0.01]));
        let record = proposal.model.unwrap();
        assert_eq!((record.abstained, record.absent), (None, absent));
    }
}

#[test]
fn abstention_has_its_reason() {
    let abstained = |reading: &Reading, vote| {
        let proposal = propose_by_model(vote, ModelRole::Decides, reading);
        proposal.model.unwrap().abstained
    };
    let vote = Some(Action::NoAction);
    assert_eq!(abstained(&healthy(), vote), None);
    assert_eq!(abstained(&healthy(), None), Some(Abstention::ModelError));
    for lane in [Lane::Refused, Lane::Stalled, Lane::Invalid] {
        let silent = abstained(&Reading::unknown(lane), vote);
        assert_eq!(silent, Some(Abstention::NoReport), "{lane}");
    }
    let stale = Reading {
        stale: true,
        ..healthy()
    };
    assert_eq!(abstained(&stale, vote), Some(Abstention::StaleReport));
    for proposer in [Proposer::Rules, Proposer::Original] {
        let proposal = proposer.propose(&stale, &Guards::new(1), &PolicyConfig::default());
        assert_eq!(proposal.model, None, "no model");
    }
}

#[test]
fn original_rules_need_no_evidence() {
    let reading = Reading {
        features: [(Feature::ErrorCount, 10.0)].into_iter().collect(),
        ..healthy()
    };
    let proposal = Proposer::Original.propose(&reading, &Guards::new(1), &PolicyConfig::default());
    assert_eq!(proposal.action, Action::RestartService);
    assert_eq!(proposal.reason, Reason::ErrorCount);
}

#[test]
fn default_model_is_readable() {
    assert!(matches!(Proposer::default_model(), Proposer::Model(_)));
}
