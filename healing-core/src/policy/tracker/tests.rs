use super::*;
use crate::decision::Reason;
use crate::evidence::ErrorSignal;
use crate::evidence::counts::Counts;
use crate::features::Feature;
use crate::health::{CheckKind, CheckReport, CheckState, RouteReport, Totals};
use crate::observation::Circumstances;

fn at(seconds: u64) -> Time {
    Time::default() + Duration::from_secs(100_000 + seconds)
}

fn health(id: &str, uptime: u64, requests: u64, errors: u64) -> Health {
    #[allow(clippy::cast_precision_loss)]
    Health {
        instance_id: Some(id.to_owned()),
        uptime: uptime as f64,
        started: Some(true),
        memory_usage: Some(40.0),
        totals: Totals {
            requests_total: Some(requests),
            errors_total: Some(errors),
            ..Totals::default()
        },
        ..Health::default()
    }
}

struct Polls {
    tracker: Tracker,
    config: PolicyConfig,
}

impl Polls {
    fn new() -> Self {
        let config = PolicyConfig::default();
        Self {
            tracker: Tracker::new(KnownApp::new(), config.slow_window),
            config,
        }
    }

    fn poll(&mut self, seconds: u64, care: ProbeResult<Health>) -> Reading {
        let observation = Observation {
            sockets: None,
            care,
            front_door: ProbeResult::NotProbed,
            circumstances: Circumstances::default(),
        };
        let wall = Duration::from_secs(seconds);
        self.tracker
            .observe(at(seconds), wall, &observation, false, &self.config)
    }

    fn report(&mut self, seconds: u64, health: Health) -> Reading {
        let latency = Duration::from_millis(1);
        self.poll(seconds, ProbeResult::Valid(health, latency))
    }
}

/// Returns a tracker in which every part holds data.
fn populated() -> Tracker {
    let mut polls = Polls::new();
    for poll in 0..5 {
        polls.report(5 * poll, health("a", 1000 + 5 * poll, 100 * poll, 0));
    }
    let mut tracker = polls.tracker;
    let config = &polls.config.evidence;
    tracker
        .detectors
        .symptoms
        .panics
        .observe(at(25), true, config.hard_sustain_for);
    let errors = ErrorSignal {
        ratio: true,
        ..ErrorSignal::default()
    };
    tracker
        .detectors
        .symptoms
        .errors
        .observe(at(25), errors, config);
    let stalled = Classified {
        lane: Lane::Stalled,
        reason: Reason::RuntimeStalled,
    };
    tracker
        .detectors
        .symptoms
        .unresponsive
        .observe(at(25), stalled, false, config);
    tracker
        .detectors
        .limit
        .alarming
        .observe(at(25), true, config.hard_sustain_for);
    // A peak needs two points.
    let mut next = health("a", 1060, 500, 0);
    next.memory_usage = Some(50.0);
    next.routes = vec![RouteReport {
        method: "GET".into(),
        route: "/".into(),
        begun_total: 500,
        answered_total: 500,
        errors_total: 0,
    }];
    tracker
        .detectors
        .symptoms
        .routes
        .observe(at(60), &next, &polls.config);
    tracker
        .reports
        .series
        .trends
        .push(at(60), &next, &polls.config.forecast);
    tracker
}

fn is_clear(tracker: &Tracker, part: Part) -> bool {
    let symptoms = &tracker.detectors.symptoms;
    match part {
        Part::History => {
            let errors = tracker
                .reports
                .series
                .errors
                .window(Duration::ZERO, |_| false);
            let is_clear = tracker.reports.series.totals.newest().is_none();
            assert_eq!(errors == Counts::default(), is_clear);
            is_clear
        }
        Part::Detectors => {
            assert_eq!(
                symptoms.errors.is_symptomatic(),
                symptoms.panics.is_active()
            );
            !symptoms.is_symptomatic()
        }
        Part::Routes => symptoms.routes.is_empty(),
        Part::Unresponsive => !symptoms.unresponsive.is_active(),
        Part::Limit => !tracker.detectors.limit.alarming.is_active(),
        Part::Health => tracker.healthy_since.is_none(),
        Part::Peaks => !tracker.reports.series.trends.memory.has_peak(),
        Part::Trends => !tracker.reports.series.trends.memory.is_known(),
        Part::Readiness => !tracker.reports.lifecycle.has_started(),
        Part::Impairment => !tracker.detectors.impairment.has_counts(),
    }
}

#[test]
fn resets_clear_exactly_the_parts_of_their_event() {
    use Reset::{AppStart, CounterReset, DependencyRecovered, Gap, ProcessEnd, Resume, Treatment};
    let events = [
        Treatment,
        AppStart,
        ProcessEnd,
        Resume,
        Gap,
        CounterReset,
        DependencyRecovered,
    ];
    #[rustfmt::skip]
    let cells: [(Part, [u8; 7]); 10] = [
        //                     Treatment  AppStart  ProcessEnd  Resume  Gap  CounterReset  DependencyRecovered
        (Part::History,        [1,        1,        0,          0,      0,   1,            1]),
        (Part::Detectors,      [1,        1,        1,          0,      1,   1,            1]),
        (Part::Routes,         [0,        1,        0,          0,      0,   1,            0]),
        (Part::Unresponsive,   [1,        1,        1,          1,      1,   0,            0]),
        (Part::Limit,          [1,        1,        1,          0,      1,   0,            0]),
        (Part::Health,         [1,        1,        1,          0,      1,   0,            0]),
        (Part::Peaks,          [1,        1,        0,          0,      0,   0,            0]),
        (Part::Trends,         [0,        1,        0,          0,      0,   0,            0]),
        (Part::Readiness,      [0,        1,        1,          0,      0,   0,            0]),
        (Part::Impairment,     [0,        0,        1,          0,      1,   1,            1]),
    ];
    for (part, row) in cells {
        assert!(!is_clear(&populated(), part), "{part:?} before");
        for (event, expected) in events.into_iter().zip(row) {
            let mut tracker = populated();
            tracker.reset(event);
            assert_eq!(
                is_clear(&tracker, part),
                expected == 1,
                "{part:?} at {event:?}"
            );
        }
    }
}

#[test]
fn duplicate_poll_gives_the_same_reading() {
    let mut polls = Polls::new();
    for poll in 0..5 {
        polls.report(
            5 * poll,
            health("a", 1000 + 5 * poll, 100 * poll, 50 * poll),
        );
    }
    let again = || health("a", 1025, 500, 250);
    let first = polls.report(25, again());
    for _ in 0..9 {
        let duplicate = polls.report(25, again());
        assert_eq!(duplicate.soft_evidence, first.soft_evidence);
        assert_eq!(duplicate.features, first.features);
        assert_eq!(duplicate.symptomatic, first.symptomatic);
    }
}

#[test]
fn duplicate_poll_can_add_a_veto() {
    let mut polls = Polls::new();
    polls.report(0, health("a", 1000, 0, 0));
    let mut down = health("a", 1000, 0, 0);
    down.draining = true;
    down.checks = vec![CheckReport {
        name: "db".into(),
        kind: CheckKind::Dependency,
        optional: false,
        state: CheckState::Failing,
        age_seconds: Some(0.1),
        error: None,
    }];
    let reading = polls.report(0, down);
    assert!(reading.draining && reading.dependency_down);
}

#[test]
fn new_instance_is_a_restart_and_not_available() {
    let mut polls = Polls::new();
    let first = polls.report(0, health("a", 1000, 900, 0));
    assert!(!first.restarted && first.available, "old enough");
    let second = polls.report(5, health("b", 1, 0, 0));
    assert!(second.restarted && !second.available && !second.mature);
    assert_eq!(second.features.get(Feature::RecentRestarts), Some(1.0));
    let stale = polls.report(10, health("a", 1004, 950, 0));
    assert!(stale.stale && !stale.restarted);
}

#[test]
fn third_consecutive_stale_report_is_a_restart() {
    let mut polls = Polls::new();
    polls.report(0, health("a", 1000, 900, 0));
    for (seconds, stale) in [(5, true), (10, true), (15, false)] {
        let reading = polls.report(seconds, health("a", 10 + seconds, 1, 0));
        assert_eq!((reading.stale, reading.restarted), (stale, !stale));
    }
}

#[test]
fn totals_of_a_young_app_count_from_zero_unless_it_was_treated() {
    for (treated, expected) in [(false, Some(0.5)), (true, None)] {
        let mut polls = Polls::new();
        if treated {
            let slow_window = polls.config.slow_window;
            polls
                .tracker
                .on_treatment(at(0), Action::ResetErrors, slow_window);
        }
        let reading = polls.report(1, health("a", 20, 100, 50));
        assert_eq!(reading.features.get(Feature::ErrorRatioFast), expected);
    }
}

#[test]
fn app_is_mature_after_its_startup_grace() {
    let mut polls = Polls::new();
    for (uptime, mature) in [(9, false), (10, true)] {
        let reading = polls.report(uptime, health("a", uptime, 0, 0));
        assert_eq!(reading.mature, mature, "{uptime} s");
    }
    let mut starting = health("b", 60, 0, 0);
    starting.started = Some(false);
    assert!(!polls.report(60, starting).mature, "never ready");
}

#[test]
fn app_is_long_healthy_after_ten_minutes_without_a_symptom() {
    let mut polls = Polls::new();
    let long: Vec<u64> = (0..=620)
        .step_by(5)
        .filter(|&seconds| {
            let reading = polls.report(seconds, health("a", 1000 + seconds, 100 * seconds, 0));
            reading.long_healthy
        })
        .collect();
    assert_eq!(long, [600, 605, 610, 615, 620]);
    assert!(!polls.poll(625, ProbeResult::TimedOut).healthy);
    let reading = polls.report(630, health("a", 1630, 63_000, 0));
    assert!(reading.healthy && !reading.long_healthy);
}
