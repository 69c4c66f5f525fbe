use super::*;
use crate::health::{HookReport, Latency, Runtime, Totals, Vitals};
use crate::observation::{Circumstances, PortSockets, ProbeResult};

/// App that is polled at an interval, and what is known of it.
struct World {
    impairment: Impairment,
    learned: Learned,
    config: ImpairmentConfig,
    interval: Duration,
    now: Time,
    /// Requests begun per second, and the share of them that is good; the others fail.
    arrivals: f64,
    good: f64,
    /// Share of the requests that take three seconds; the others take less than one.
    slow: f64,
    begun: f64,
    good_total: f64,
    slow_total: f64,
    in_flight: u64,
    cpu_seconds: f64,
    /// CPU time per second, of a limit of one core.
    cpu: f64,
    /// Throttled time per second.
    throttled: f64,
    throttled_seconds: f64,
    sockets: Option<PortSockets>,
    front_door: ProbeResult<()>,
    has_answered: bool,
    hooks: bool,
}

const PROMPT: ProbeResult<()> = ProbeResult::Valid((), Duration::from_millis(1));

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counts of a test
fn count(value: f64) -> Option<u64> {
    Some(value.round() as u64)
}

impl World {
    /// Returns an app with `arrivals` requests per second, all of them good.
    fn new(arrivals: f64) -> Self {
        Self {
            impairment: Impairment::new(),
            learned: Learned::default(),
            config: ImpairmentConfig::default(),
            interval: Duration::from_secs(5),
            now: Time::default() + Duration::from_secs(1000),
            arrivals,
            good: 1.0,
            slow: 0.0,
            begun: 0.0,
            good_total: 0.0,
            slow_total: 0.0,
            in_flight: 1,
            cpu_seconds: 0.0,
            cpu: 0.1,
            throttled: 0.0,
            throttled_seconds: 0.0,
            sockets: Some(PortSockets {
                established: 8,
                listening: true,
                ..PortSockets::default()
            }),
            front_door: PROMPT,
            has_answered: true,
            hooks: false,
        }
    }

    /// Returns an app that has served as usual for two minutes.
    fn usual(arrivals: f64) -> Self {
        let mut world = Self::new(arrivals);
        world.run(120);
        world
    }

    fn poll(&mut self) -> Assessment {
        let seconds = self.interval.as_secs_f64();
        self.now = self.now + self.interval;
        self.begun += self.arrivals * seconds;
        self.good_total += self.arrivals * self.good * seconds;
        self.slow_total += self.arrivals * self.slow * seconds;
        self.cpu_seconds += self.cpu * seconds;
        self.throttled_seconds += self.throttled * seconds;
        let health = Health {
            totals: Totals {
                requests_total: count(self.begun),
                errors_total: count(self.begun - self.good_total),
                cancelled_total: Some(0),
                ..Totals::default()
            },
            in_flight: Some(self.in_flight),
            latency: Some(Latency {
                bounds_seconds: vec![1.0, 2.0],
                counts: [self.begun - self.slow_total, 0.0, self.slow_total]
                    .into_iter()
                    .filter_map(count)
                    .collect(),
            }),
            vitals: Some(Vitals {
                cpu_seconds_total: Some(self.cpu_seconds),
                cpu_limit_cores: Some(1.0),
                cpu_throttled_seconds_total: Some(self.throttled_seconds),
                ..Vitals::default()
            }),
            runtime: Some(Runtime::default()),
            hooks: if self.hooks {
                vec![HookReport::default()]
            } else {
                Vec::new()
            },
            ..Health::default()
        };
        let observation = Observation {
            care: ProbeResult::Valid(health.clone(), Duration::ZERO),
            front_door: self.front_door.clone(),
            sockets: self.sockets,
            circumstances: Circumstances::default(),
        };
        let report = Some(&health);
        let instance = InstanceState {
            serves: true,
            has_answered: self.has_answered,
            usual_error_share: 0.0,
        };
        let (learned, config) = (&mut self.learned, &self.config);
        self.impairment
            .observe(self.now, &observation, report, instance, learned, config)
    }

    /// Polls for some seconds. Returns the last assessment.
    fn run(&mut self, seconds: u64) -> Assessment {
        let end = self.now + Duration::from_secs(seconds);
        let mut last = self.poll();
        while self.now < end {
            last = self.poll();
        }
        last
    }

    /// Polls until a condition holds, for ten minutes at most. Returns the seconds.
    fn seconds_until(&mut self, condition: impl Fn(&Assessment) -> bool) -> Option<u64> {
        let begin = self.now;
        while self.now.since(begin) < Duration::from_secs(600) {
            if condition(&self.poll()) {
                return Some(self.now.since(begin).as_secs());
            }
        }
        None
    }

    fn soft_heal(&mut self) {
        self.impairment.on_soft_heal(self.now, &mut self.learned);
    }

    fn restart(&mut self) {
        self.impairment.on_restart(self.now, &mut self.learned);
        self.impairment.on_app_start(self.now, &mut self.learned);
    }
}

fn is_ratio(assessment: &Assessment, expected: f64) -> bool {
    assessment
        .ratio
        .is_some_and(|ratio| (ratio - expected).abs() < 0.05)
}

#[test]
fn healthy_app_is_not_impaired_at_any_rate() {
    for arrivals in [0.1, 1.0, 20.0, 1000.0] {
        let mut world = World::usual(arrivals);
        for factor in [1.0, 0.05, 3.0] {
            world.arrivals = arrivals * factor;
            let found = world.seconds_until(|a| a.soft.is_some() || a.hard.is_some());
            assert_eq!(found, None, "{arrivals} × {factor}");
        }
    }
}

#[test]
fn failing_requests_impair_by_their_share() {
    let mut world = World::usual(20.0);
    world.good = 0.3;
    assert!(is_ratio(&world.run(60), 0.7 - 0.02));
    let latest = world.poll();
    assert_eq!(
        (latest.soft, latest.hard),
        (Some(Reason::Impaired), Some(Reason::Impaired))
    );
    assert!(latest.vetoes.is_empty());
}

#[test]
fn mild_impairment_justifies_a_restart_only_after_the_soft_heal_had_time() {
    let mut world = World::usual(20.0);
    world.good = 0.65;
    let soft = world.seconds_until(|a| a.soft.is_some()).unwrap();
    world.soft_heal();
    let hard = world.seconds_until(|a| a.hard.is_some()).unwrap();
    assert!(
        (25..=40).contains(&soft) && (55..=65).contains(&hard),
        "{soft} {hard}"
    );
}

#[test]
fn soft_heal_that_helps_ends_the_evidence() {
    let mut world = World::usual(20.0);
    world.good = 0.0;
    world.seconds_until(|a| a.hard.is_some()).unwrap();
    world.soft_heal();
    world.good = 1.0;
    let latest = world.run(20);
    assert_eq!(
        (latest.soft, latest.hard, latest.ratio),
        (None, None, Some(0.0))
    );
}

#[test]
fn soft_heal_that_does_not_help_is_followed_by_a_restart_in_seconds() {
    let mut world = World::usual(20.0);
    world.good = 0.0;
    world.seconds_until(|a| a.soft.is_some()).unwrap();
    world.soft_heal();
    let hard = world.seconds_until(|a| a.hard.is_some()).unwrap();
    assert!((15..=20).contains(&hard), "{hard}");
}

#[test]
fn evidence_takes_the_same_time_at_every_poll_interval() {
    for (milliseconds, latest) in [
        (100, 45),
        (1000, 45),
        (5000, 45),
        (20_000, 80),
        (60_000, 240),
    ] {
        let mut world = World::new(20.0);
        world.interval = Duration::from_millis(milliseconds);
        world.run(600);
        world.good = 0.0;
        let seconds = world.seconds_until(|a| a.hard.is_some()).unwrap();
        assert!(
            (15..=latest).contains(&seconds),
            "{milliseconds} ms: {seconds} s"
        );
    }
}

#[test]
fn standing_queue_proves_the_usual_demand() {
    let mut world = World::usual(20.0);
    world.arrivals = 8.0;
    assert!(is_ratio(&world.run(60), 0.0), "fewer clients");
    world.sockets = Some(PortSockets {
        backlog: 50,
        established: 200,
        unread: 180,
        unread_bytes: 18_000,
        listening: true,
        received_bytes: None,
    });
    let latest = world.run(60);
    assert!(
        latest.unseen_demand && is_ratio(&latest, 0.56),
        "{latest:?}"
    );
    assert_eq!(latest.hard, Some(Reason::Impaired));
}

#[test]
fn queue_on_two_connections_proves_the_usual_demand_by_its_bytes() {
    // 20 requests per second of 40 bytes each, in 5 s.
    for (received_bytes, expected) in [(Some(4000), true), (None, false)] {
        let mut world = World::new(20.0);
        let of_http2 = |unread, unread_bytes| {
            Some(PortSockets {
                backlog: 0,
                established: 2,
                unread,
                unread_bytes,
                listening: true,
                received_bytes,
            })
        };
        (world.in_flight, world.sockets) = (2, of_http2(0, 0));
        world.run(120);
        world.arrivals = 5.0;
        world.sockets = of_http2(2, 20 * 40);
        let latest = world.run(60);
        assert_eq!(latest.unseen_demand, expected, "{latest:?}");
        assert_eq!(latest.hard.is_some(), expected, "{latest:?}");
    }
}

#[test]
fn answers_after_the_declared_timeout_are_an_impairment() {
    for (timeout, expected) in [(None, 0.0), (Some(2), 0.68), (Some(4), 0.0)] {
        let mut world = World::new(20.0);
        world.config.client_timeout = timeout.map(Duration::from_secs);
        world.run(120);
        world.slow = 0.7;
        let latest = world.run(60);
        assert!(is_ratio(&latest, expected), "{timeout:?}: {latest:?}");
        assert_eq!(latest.hard.is_some(), expected > 0.5, "{timeout:?}");
    }
}

#[test]
fn app_that_answers_only_late_has_no_goodput_at_low_traffic() {
    let mut world = World::new(0.05);
    world.config.client_timeout = Some(Duration::from_secs(2));
    world.run(600);
    world.slow = 1.0;
    let latest = world.run(200);
    assert_eq!(latest.hard, Some(Reason::NoGoodput), "{latest:?}");
}

#[test]
fn late_front_door_stands_in_where_sockets_cannot_be_read() {
    for (sockets, expected) in [(None, true), (Some(PortSockets::default()), false)] {
        let mut world = World::usual(20.0);
        world.arrivals = 0.0;
        world.front_door = ProbeResult::TimedOut;
        world.sockets = sockets;
        assert_eq!(world.run(60).hard.is_some(), expected, "{sockets:?}");
    }
}

#[test]
fn cpu_of_the_requests_vetoes() {
    let mut world = World::usual(20.0);
    (world.good, world.cpu) = (0.4, 0.99);
    let latest = world.run(60);
    assert!(latest.hard.is_some() && latest.vetoes.contains(Reason::CpuSaturated));
    world.cpu = 0.5;
    assert!(world.run(60).vetoes.is_empty());
}

#[test]
fn surge_before_a_collapse_is_saturation_and_a_retry_storm_is_not() {
    for (surge, expected) in [(2.0, true), (1.0, false)] {
        let mut world = World::usual(50.0);
        world.arrivals = 100.0;
        world.good = 0.5 * surge;
        world.run(20);
        (world.arrivals, world.good) = (150.0, 0.0);
        let latest = world.run(90);
        assert!(latest.hard.is_some());
        assert_eq!(latest.vetoes.contains(Reason::Saturated), expected);
    }
}

#[test]
fn last_resort_is_tried_once_although_load_is_the_cause() {
    let mut world = World::usual(20.0);
    (world.good, world.cpu) = (0.0, 1.0);
    let is_last_resort = |a: &Assessment| a.hard == Some(Reason::LastResort) && a.vetoes.is_empty();
    let seconds = world.seconds_until(is_last_resort).unwrap();
    assert!((300..=350).contains(&seconds), "{seconds}");
    world.restart();
    assert_eq!(world.seconds_until(is_last_resort), None);
}

#[test]
fn restart_that_did_not_help_is_not_repeated() {
    let mut world = World::usual(20.0);
    world.good = 0.0;
    world.seconds_until(|a| a.hard.is_some()).unwrap();
    world.restart();
    assert_eq!(world.run(55).hard, None, "its effect is not known yet");
    let latest = world.run(20);
    assert!(latest.hard.is_some() && latest.vetoes.contains(Reason::RestartDoesNotHelp));
    world.good = 1.0;
    assert!(world.run(700).vetoes.is_empty(), "recovered for 10 min");
}

#[test]
fn restart_that_helped_may_be_repeated() {
    let mut world = World::usual(20.0);
    world.good = 0.0;
    world.seconds_until(|a| a.hard.is_some()).unwrap();
    world.restart();
    world.good = 1.0;
    world.run(120);
    world.good = 0.0;
    let again = world.seconds_until(|a| a.hard.is_some() && a.vetoes.is_empty());
    assert!(again.is_some());
}

#[test]
fn app_that_never_succeeded_is_restarted_once() {
    let mut world = World::new(5.0);
    world.good = 0.0;
    let seconds = world
        .seconds_until(|a| a.hard == Some(Reason::NoGoodput))
        .unwrap();
    assert!((120..=140).contains(&seconds), "{seconds}");
    world.restart();
    assert_eq!(world.seconds_until(|a| a.hard.is_some()), None);
}

#[test]
fn few_failures_in_a_row_impair_an_app_with_little_traffic() {
    let mut world = World::new(0.05);
    world.run(600);
    world.good = 0.0;
    let seconds = world.seconds_until(|a| a.hard == Some(Reason::NoGoodput));
    assert!((90..=130).contains(&seconds.unwrap()), "{seconds:?}");
    let mut mixed = World::new(0.05);
    mixed.good = 0.6;
    mixed.run(600);
    assert_eq!(mixed.seconds_until(|a| a.hard.is_some()), None);
}

#[test]
fn soft_heal_comes_first_where_hooks_exist() {
    for (heals, expected) in [(true, 15..=20), (false, 30..=40)] {
        let mut world = World::usual(20.0);
        (world.hooks, world.good) = (true, 0.0);
        world
            .seconds_until(|a| a.soft.is_some() && a.hard.is_none())
            .unwrap();
        if heals {
            world.soft_heal();
        }
        let hard = world.seconds_until(|a| a.hard.is_some()).unwrap();
        assert!(expected.contains(&hard), "{hard}");
    }
}

#[test]
fn knowledge_survives_a_restart_of_the_sidecar() {
    let mut world = World::usual(20.0);
    world.run(900);
    let saved = serde_json::to_string(&world.learned).unwrap();
    assert!(saved.len() < 6 * 1024, "{} bytes", saved.len());
    let learned: Learned = serde_json::from_str(&saved).unwrap();
    assert_eq!(learned, world.learned);
    world.impairment = Impairment::new();
    world.learned = learned;
    (world.arrivals, world.sockets, world.front_door) = (0.0, None, ProbeResult::TimedOut);
    world.has_answered = false;
    assert_eq!(world.run(60).hard, None, "the front door never answered");
    world.has_answered = true;
    assert!(world.seconds_until(|a| a.hard.is_some()).is_some());
}

#[test]
fn absent_counts_are_no_evidence() {
    let instance = InstanceState {
        serves: true,
        has_answered: true,
        usual_error_share: 0.0,
    };
    let mut impairment = Impairment::new();
    let mut learned = Learned::default();
    let config = ImpairmentConfig::default();
    for poll in 0..100_u64 {
        let health = Health {
            error_count: 5 * poll,
            ..Health::default()
        };
        let observation = Observation {
            care: ProbeResult::Valid(health.clone(), Duration::ZERO),
            front_door: ProbeResult::TimedOut,
            sockets: None,
            circumstances: Circumstances::default(),
        };
        let now = Time::default() + Duration::from_secs(5 * poll);
        let assessment = impairment.observe(
            now,
            &observation,
            Some(&health),
            instance,
            &mut learned,
            &config,
        );
        assert_eq!(assessment, Assessment::default());
    }
}

#[test]
fn impairment_has_an_onset_until_it_ends() {
    let mut world = World::usual(100.0);
    assert_eq!(world.learned.impaired_since(), None);
    world.good = 0.3;
    let fault = world.now;
    world.run(60);
    let onset = world.learned.impaired_since().unwrap();
    assert!(onset > fault && onset.since(fault) < Duration::from_secs(30));
    world.good = 1.0;
    world.run(120);
    assert_eq!(world.learned.impaired_since(), None);
}

#[test]
fn last_resort_is_used_where_the_app_itself_uses_up_its_quota() {
    let mut world = World::usual(100.0);
    (world.good, world.cpu, world.throttled) = (0.0, 1.0, 0.9);
    let hard = world.seconds_until(|latest| latest.hard == Some(Reason::LastResort));
    assert!(hard.is_some_and(|seconds| seconds >= 300), "{hard:?}");
    let mut world = World::usual(100.0);
    (world.good, world.cpu, world.throttled) = (0.0, 0.1, 0.9);
    let hard = world.seconds_until(|latest| latest.hard == Some(Reason::LastResort));
    assert_eq!(hard, None, "a neighbour or a cut of the quota is the cause");
}
