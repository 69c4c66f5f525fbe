//! Tests of probation.

use super::*;

const HEALTHY: ProbationInput = ProbationInput {
    healthy: true,
    effect_pending: false,
    ready: true,
    treatment_justified: false,
    unresponsive: false,
    error_ratio: None,
};
const FAILING: ProbationInput = ProbationInput {
    healthy: false,
    treatment_justified: true,
    error_ratio: Some(0.5),
    ..HEALTHY
};
const NOT_HEALTHY: ProbationInput = ProbationInput {
    healthy: false,
    ..HEALTHY
};
const STARTING: ProbationInput = ProbationInput {
    healthy: false,
    ready: false,
    ..HEALTHY
};

fn at(seconds: u64) -> Time {
    Time::default() + Duration::from_secs(seconds)
}

fn treated(action: Action) -> Probation {
    let mut probation = Probation::default();
    let result = TreatmentResult::Started;
    probation.report(at(0), TreatmentReport { action, result }, Some(0.4));
    if action == Action::ResetErrors {
        probation.report(
            at(0),
            TreatmentReport {
                action,
                result: TreatmentResult::Done,
            },
            Some(0.4),
        );
    }
    probation
}

/// Polls every 5 s, first at 5 s. Returns the time, outcome and recovery time of the conclusion.
fn conclusion(probation: &mut Probation, polls: &[ProbationInput]) -> Option<(u64, Outcome, u64)> {
    let config = OutcomeConfig::default();
    (5..).step_by(5).zip(polls).find_map(|(seconds, &poll)| {
        let conclusion = probation.evaluate(at(seconds), poll, &config)?;
        Some((seconds, conclusion.outcome, conclusion.recovery.as_secs()))
    })
}

#[test]
fn app_that_is_healthy_for_the_probation_is_recovered() {
    let mut soft = treated(Action::ResetErrors);
    assert_eq!(
        conclusion(&mut soft, &[HEALTHY; 20]),
        Some((35, Outcome::Recovered, 5))
    );
    assert_eq!(soft.action(), None);
    let mut polls = vec![NOT_HEALTHY; 2];
    polls.extend([HEALTHY; 20]);
    let mut soft = treated(Action::ResetErrors);
    assert_eq!(
        conclusion(&mut soft, &polls),
        Some((45, Outcome::Recovered, 15))
    );
}

#[test]
fn treatment_is_ineffective_with_new_evidence_or_without_health() {
    assert_eq!(
        conclusion(&mut treated(Action::ResetErrors), &[HEALTHY, FAILING])
            .unwrap()
            .1,
        Outcome::Ineffective
    );
    let late = conclusion(&mut treated(Action::ResetErrors), &[NOT_HEALTHY; 99]);
    assert_eq!(late, Some((120, Outcome::Ineffective, 120)));
}

#[test]
fn more_errors_unresponsiveness_and_process_exit_are_worse() {
    let more = ProbationInput {
        error_ratio: Some(0.7),
        ..FAILING
    };
    assert_eq!(
        conclusion(&mut treated(Action::ResetErrors), &[more])
            .unwrap()
            .1,
        Outcome::Worse
    );
    let unresponsive = ProbationInput {
        unresponsive: true,
        ..NOT_HEALTHY
    };
    assert_eq!(
        conclusion(&mut treated(Action::ResetErrors), &[unresponsive])
            .unwrap()
            .1,
        Outcome::Worse
    );
    let mut died = treated(Action::ResetErrors);
    died.app_started(at(3));
    assert_eq!(
        conclusion(&mut died, &[STARTING]).unwrap().1,
        Outcome::Worse
    );
}

#[test]
fn probation_of_a_restart_starts_when_the_new_instance_is_ready() {
    let mut hard = treated(Action::RestartService);
    assert_eq!(
        conclusion(&mut hard, &[HEALTHY; 10]),
        None,
        "the old instance is still running"
    );
    hard.app_started(at(51));
    let mut polls = vec![STARTING; 12];
    polls.extend([HEALTHY; 20]);
    assert_eq!(
        conclusion(&mut hard, &polls),
        Some((95, Outcome::Recovered, 65))
    );
}

#[test]
fn restart_without_a_new_instance_is_aborted() {
    let mut hard = treated(Action::RestartService);
    let action = Action::RestartService;
    hard.report(
        at(9),
        TreatmentReport {
            action,
            result: TreatmentResult::Aborted,
        },
        None,
    );
    assert_eq!(
        conclusion(&mut hard, &[HEALTHY]).unwrap().1,
        Outcome::Aborted
    );
    let late = conclusion(&mut treated(Action::RestartService), &[NOT_HEALTHY; 200]);
    assert_eq!(
        late.unwrap().1,
        Outcome::Aborted,
        "the same instance after ten minutes"
    );
}

#[test]
fn second_treatment_concludes_the_first() {
    let mut probation = treated(Action::ResetErrors);
    let second = TreatmentReport {
        action: Action::RestartService,
        result: TreatmentResult::Started,
    };
    probation.report(at(4), second, None);
    assert_eq!(
        conclusion(&mut probation, &[NOT_HEALTHY]),
        Some((5, Outcome::Ineffective, 4))
    );
    assert_eq!(probation.action(), Some(Action::RestartService));
}
