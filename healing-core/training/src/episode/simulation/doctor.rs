//! Polls: both probes, the decider's decision, and the time of the next poll.

use std::time::Duration;

use super::events::Event;
use super::process::Phase;
use super::state::{Simulation, Task, stream};
use crate::episode::Decider;
use crate::episode::spec::{DAY, exponential};
use healing_core::decision::Action;
use healing_core::health::Health;
use healing_core::observation::{Circumstances, Mode, Now, Observation, ProbeResult};

/// Time limit of a probe in seconds.
const PROBE_TIMEOUT: f64 = 2.0;
/// Day of the episode's start since the Unix epoch.
const FIRST_DAY: f64 = 20_000.0;
/// Delay of the care thread per thread that waits for the same core, in seconds.
const SCHEDULING_DELAY: f64 = 0.003;

/// State of the polls.
#[derive(Debug, Default)]
pub(super) struct PollState {
    /// Number of polls so far, which is the number of the current probe.
    count: u32,
    /// Time at which the current poll began.
    began: f64,
    care: Option<ProbeResult<Health>>,
    /// Time at which the care port's result is there.
    care_at: f64,
    front_door: Option<ProbeResult<()>>,
    /// Set while the probe of the front door is under way.
    probing: bool,
    /// Instance that is being healed softly.
    pub(super) healing: Option<u32>,
    /// Instance that is being restarted.
    pub(super) restarting: Option<u32>,
}

impl Simulation<'_> {
    /// Returns the time of the first poll.
    pub(super) fn phase_of_polls(&self) -> f64 {
        self.draw(stream::POLLS, 0)
            .between(0.0, self.life.doctor.interval)
    }

    /// Begins a poll.
    pub(super) fn poll(&mut self) {
        self.polls.count += 1;
        self.polls.began = self.now;
        let (care, seconds) = self.care();
        self.polls.care = Some(care);
        self.polls.care_at = self.now + seconds;
        self.polls.front_door = None;
        if !self.life.visible.front_door {
            self.front_door_ends(ProbeResult::NotProbed);
        } else if self.is_refused() {
            self.front_door_ends(ProbeResult::Refused);
        } else {
            let number = self.polls.count;
            self.polls.probing = true;
            if self.front.len() < self.life.service.backlog {
                self.front.push_back((self.now, Task::Probe(number)));
            }
            self.events
                .schedule(self.now + PROBE_TIMEOUT, Event::ProbeTimesOut(number));
        }
    }

    /// Returns the result of the care port, and its duration in seconds.
    fn care(&self) -> (ProbeResult<Health>, f64) {
        let answers = match self.process.phase {
            Phase::Down => false,
            Phase::Booting => self.life.service.start.care_first,
            Phase::Serving => true,
        };
        let throttled = self
            .cpu
            .throttled_until()
            .map_or(0.0, |until| until - self.now);
        let waiting = SCHEDULING_DELAY * (self.cpu.contention() - 1.0);
        let latency = self.noise().between(0.0005, 0.003) + throttled + waiting;
        if !answers {
            (ProbeResult::Refused, latency)
        } else if latency >= PROBE_TIMEOUT {
            (ProbeResult::TimedOut, PROBE_TIMEOUT)
        } else {
            let health = self.health();
            (
                ProbeResult::Valid(health, Duration::from_secs_f64(latency)),
                latency,
            )
        }
    }

    /// Records the answer of the front door to a probe.
    pub(super) fn probe_answered(&mut self, number: u32) {
        if self.polls.probing && number == self.polls.count {
            let overhead = self.noise().between(0.0003, 0.002);
            let seconds = self.now - self.polls.began + overhead;
            self.front_door_ends(ProbeResult::Valid((), Duration::from_secs_f64(seconds)));
        }
    }

    /// Ends a probe that was not answered in time.
    pub(super) fn probe_times_out(&mut self, number: u32) {
        if self.polls.probing && number == self.polls.count {
            self.front_door_ends(ProbeResult::TimedOut);
        }
    }

    /// Ends a probe whose connection the end of the process has reset.
    pub(super) fn probe_reset(&mut self) {
        if self.polls.probing {
            self.front_door_ends(ProbeResult::Refused);
        }
    }

    fn front_door_ends(&mut self, result: ProbeResult<()>) {
        self.polls.probing = false;
        self.polls.front_door = Some(result);
        self.events
            .schedule(self.now.max(self.polls.care_at), Event::PollEnds);
    }

    /// Lets the decider decide, and carries out its action.
    pub(super) fn poll_ends(&mut self, decider: &mut dyn Decider) {
        let (Some(care), Some(front_door)) = (self.polls.care.take(), self.polls.front_door.take())
        else {
            return;
        };
        let stalled = |health: &Health| health.runtime.as_ref().is_some_and(|r| r.stalled);
        let wedged = match &care {
            ProbeResult::Valid(health, _) => stalled(health) || front_door == ProbeResult::TimedOut,
            _ => true,
        };
        let observation = Observation {
            care,
            front_door,
            circumstances: Circumstances {
                mode: Mode::Enforce,
                ..Circumstances::default()
            },
        };
        match decider.poll(self.clocks(), &observation) {
            Action::NoAction => {
                let next = (self.polls.began + self.life.doctor.interval).max(self.now);
                self.schedule_poll_at(next);
            }
            Action::ResetErrors => self.begin_soft_heal(decider),
            Action::RestartService => self.begin_restart(wedged, decider),
        }
    }

    /// Schedules the next poll an interval after `from`.
    pub(super) fn schedule_poll(&mut self, from: f64) {
        self.schedule_poll_at(from + self.life.doctor.interval);
    }

    fn schedule_poll_at(&mut self, at: f64) {
        let doctor = &self.life.doctor;
        let mut rng = self.draw(stream::POLLS, 1 + u64::from(self.polls.count));
        let late = rng.unit() < doctor.late_share;
        let delay = if late {
            doctor.late_seconds * exponential(&mut rng)
        } else {
            0.0
        };
        self.events.schedule(at + delay, Event::Poll);
    }

    /// Returns both clocks.
    pub(super) fn clocks(&self) -> Now {
        let wall = FIRST_DAY * DAY + 3600.0 * self.life.utc_hour + self.now;
        Now {
            monotonic: Duration::from_secs_f64(self.now),
            wall: Duration::from_secs_f64(wall),
        }
    }

    /// Returns the generator of the measuring noise of this moment.
    pub(super) fn noise(&self) -> healing_core::rng::Rng {
        self.draw(stream::NOISE, (1 << 40) | u64::from(self.polls.count))
    }
}
