//! App that is polled at an interval.

use super::super::*;
use crate::health::{HookReport, Latency, Runtime, Totals, Vitals};
use crate::observation::{Circumstances, PortSockets, ProbeResult};

/// App that is polled at an interval, and what is known of it.
pub(super) struct World {
    pub(super) impairment: Impairment,
    pub(super) learned: Learned,
    pub(super) config: ImpairmentConfig,
    pub(super) interval: Duration,
    pub(super) now: Time,
    /// Requests begun per second, and the share of them that is good; the others fail.
    pub(super) arrivals: f64,
    pub(super) good: f64,
    /// Share of the requests that take three seconds; the others take less than one.
    pub(super) slow: f64,
    pub(super) begun: f64,
    pub(super) good_total: f64,
    pub(super) slow_total: f64,
    pub(super) in_flight: u64,
    pub(super) cpu_seconds: f64,
    /// CPU time per second, of a limit of one core.
    pub(super) cpu: f64,
    /// Throttled time per second.
    pub(super) throttled: f64,
    pub(super) throttled_seconds: f64,
    pub(super) sockets: Option<PortSockets>,
    pub(super) front_door: ProbeResult<()>,
    pub(super) has_answered: bool,
    pub(super) hooks: bool,
}

pub(super) const PROMPT: ProbeResult<()> = ProbeResult::Valid((), Duration::from_millis(1));

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counts of a test
pub(super) fn count(value: f64) -> Option<u64> {
    Some(value.round() as u64)
}

impl World {
    /// Returns an app with `arrivals` requests per second, all of them good.
    pub(super) fn new(arrivals: f64) -> Self {
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
    pub(super) fn usual(arrivals: f64) -> Self {
        let mut world = Self::new(arrivals);
        world.run(120);
        world
    }

    pub(super) fn poll(&mut self) -> Assessment {
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
    pub(super) fn run(&mut self, seconds: u64) -> Assessment {
        let end = self.now + Duration::from_secs(seconds);
        let mut last = self.poll();
        while self.now < end {
            last = self.poll();
        }
        last
    }

    /// Polls until a condition holds, for ten minutes at most. Returns the seconds.
    pub(super) fn seconds_until(&mut self, condition: impl Fn(&Assessment) -> bool) -> Option<u64> {
        let begin = self.now;
        while self.now.since(begin) < Duration::from_secs(600) {
            if condition(&self.poll()) {
                return Some(self.now.since(begin).as_secs());
            }
        }
        None
    }

    pub(super) fn soft_heal(&mut self) {
        self.impairment.on_soft_heal(self.now, &mut self.learned);
    }

    pub(super) fn restart(&mut self) {
        self.impairment.on_restart(self.now, &mut self.learned);
        self.impairment.on_app_start(self.now, &mut self.learned);
    }
}

pub(super) fn is_ratio(assessment: &Assessment, expected: f64) -> bool {
    assessment
        .ratio
        .is_some_and(|ratio| (ratio - expected).abs() < 0.05)
}
