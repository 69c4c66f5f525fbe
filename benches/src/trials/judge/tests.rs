use super::*;

fn requests(ok: u64, timed_out: u64) -> Counts {
    Counts {
        ok,
        timed_out,
        ..Counts::default()
    }
}

fn observed(treatments: &[(Kind, f64)], at_end: Counts) -> Observed {
    Observed {
        treatments: treatments
            .iter()
            .map(|&(kind, seconds)| Treatment {
                kind,
                seconds,
                reason: "test".to_owned(),
            })
            .collect(),
        requests: requests(900, 100),
        at_end,
        ..Observed::default()
    }
}

const SATURATED: Expected = Expected::nothing("load");
const WEDGED: Expected = Expected::restart(60, "wedge");

fn served() -> Counts {
    requests(100, 0)
}

#[test]
fn harmful_decider_is_wrong_in_saturation() {
    let judgement = judge(
        &SATURATED,
        &observed(
            &[(Kind::Restart, 20.0), (Kind::Restart, 80.0)],
            requests(40, 60),
        ),
    );
    assert_eq!(judgement.false_restarts, 2);
    assert_eq!(judgement.wrong, ["2 restart(s), should be at most 0"]);
}

#[test]
fn passive_decider_is_wrong_for_wedge_and_right_in_saturation() {
    let passive = observed(&[], requests(0, 100));
    let judgement = judge(&WEDGED, &passive);
    assert_eq!(
        judgement.wrong,
        [
            "0 restart(s), should be at least 1",
            "clients are not served at the end: 100 of 100 (100 timed out) failed"
        ]
    );
    assert_eq!(judgement.false_restarts, 0);
    assert!(judge(&SATURATED, &passive).is_right());
}

#[test]
fn restart_in_time_is_right_and_late_restart_is_wrong() {
    let treated = |seconds| {
        let treatments = [(Kind::SoftHeal, 5.0), (Kind::Restart, seconds)];
        judge(&WEDGED, &observed(&treatments, served()))
    };
    assert!(treated(59.0).is_right());
    assert_eq!(
        treated(61.0).wrong,
        ["treated after 61 s, should be within 60 s"]
    );
}

#[test]
fn treatment_before_the_fault_is_false() {
    let early = observed(
        &[
            (Kind::Restart, -3.0),
            (Kind::SoftHeal, -1.0),
            (Kind::Restart, 10.0),
        ],
        served(),
    );
    let judgement = judge(&WEDGED, &early);
    assert_eq!(
        (judgement.false_restarts, judgement.false_soft_heals),
        (1, 1)
    );
    assert_eq!(judgement.wrong.len(), 2);
}

#[test]
fn repeated_restart_is_false_if_one_is_right() {
    let twice = observed(&[(Kind::Restart, 10.0), (Kind::Restart, 50.0)], served());
    let judgement = judge(&WEDGED, &twice);
    assert_eq!(judgement.false_restarts, 1);
    assert!(!judgement.is_right());
}

#[test]
fn soft_heal_does_not_replace_needed_restart() {
    let soft = observed(&[(Kind::SoftHeal, 10.0)], served());
    assert_eq!(
        judge(&WEDGED, &soft).wrong,
        ["0 restart(s), should be at least 1"]
    );
    let either = Expected {
        any_treatment: true,
        restarts: (0, 1),
        ..WEDGED
    };
    assert!(judge(&either, &soft).is_right());
    let judgement = judge(&either, &observed(&[], served()));
    assert_eq!(judgement.wrong, ["nothing was done"]);
}

#[test]
fn failed_requests_and_findings_of_the_case_are_wrong() {
    let mut found = observed(&[], served());
    found.problems.push("the app stayed drained".to_owned());
    let few = SATURATED.failed_at_most(99);
    assert_eq!(
        judge(&few, &found).wrong,
        [
            "the app stayed drained",
            "100 requests failed, should be at most 99"
        ]
    );
}

#[test]
fn run_without_load_is_never_right() {
    let nothing = Observed::default();
    assert_eq!(judge(&SATURATED, &nothing).wrong, ["there was no load"]);
    assert!(!judge(&SATURATED.served(), &nothing).is_right());
}
