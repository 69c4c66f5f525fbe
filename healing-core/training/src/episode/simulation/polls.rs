//! Polls of the doctor: their times, and the results of both probes and of the reads of the sockets.

use std::time::Duration;

use super::care_port::PROBE_TIMEOUT;
use super::events::{Event, Events};
use super::sockets::SocketReader;
use super::streams::Stream;
use crate::episode::spec::{Doctor, Life, exponential};
use healing_core::health::Health;
use healing_core::observation::ProbeResult;
use healing_core::rng::Rng;

/// Delay from which a poll is late in seconds: half of the time that the app has to respond.
const LATE: f64 = PROBE_TIMEOUT / 2.0;

/// State of the polls.
#[derive(Debug)]
pub(super) struct Polls<'a> {
    spec: &'a Doctor,
    /// Parent of the generators of the polls' times.
    times: Rng,
    /// Parent of the generators of the measuring noise.
    noise: Rng,
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
    /// Set if the current poll, or the next one between two polls, begins too late to be relied on.
    pub(super) late: bool,
    pub(super) sockets: SocketReader,
}

// === impl Polls ===

impl<'a> Polls<'a> {
    /// Returns the polls of a life, before the first.
    pub(super) fn new(life: &'a Life) -> Self {
        Self {
            spec: &life.doctor,
            times: Stream::Polls.rng(life.seed),
            noise: Stream::Noise.rng(life.seed),
            count: 0,
            began: 0.0,
            care: None,
            care_at: 0.0,
            front_door: None,
            probing: false,
            late: false,
            sockets: SocketReader::new(life),
        }
    }

    /// Schedules the first poll.
    pub(super) fn schedule_first(&mut self, events: &mut Events) {
        let phase = self.times.part(0).between(0.0, self.spec.interval);
        self.sockets.schedule(phase);
        events.schedule(phase, Event::Poll);
    }

    /// Schedules the next poll an interval after `from`.
    pub(super) fn schedule(&mut self, from: f64, events: &mut Events) {
        self.schedule_at(from + self.spec.interval, events);
    }

    /// Schedules the next poll an interval after the beginning of the current one, or at once if
    /// this one took longer.
    pub(super) fn schedule_next(&mut self, now: f64, events: &mut Events) {
        self.schedule_at((self.began + self.spec.interval).max(now), events);
    }

    fn schedule_at(&mut self, at: f64, events: &mut Events) {
        let mut rng = self.times.part(1 + u64::from(self.count));
        let is_delayed = rng.unit() < self.spec.late_share;
        let delay = if is_delayed {
            self.spec.late_seconds * exponential(&mut rng)
        } else {
            0.0
        };
        self.late = delay >= LATE;
        self.sockets.schedule(at + delay);
        events.schedule(at + delay, Event::Poll);
    }

    /// Begins a poll.
    pub(super) fn begin(&mut self, now: f64) {
        self.count += 1;
        self.began = now;
        self.front_door = None;
    }

    /// Returns the generator of the measuring noise of the current poll.
    pub(super) fn noise(&self) -> Rng {
        self.noise.part((1 << 40) | u64::from(self.count))
    }

    /// Records the result of the care port, which is there after `seconds`.
    pub(super) fn record_care(&mut self, now: f64, care: ProbeResult<Health>, seconds: f64) {
        self.care = Some(care);
        self.care_at = now + seconds;
    }

    /// Begins the probe of the front door. Returns its number.
    pub(super) fn begin_probe(&mut self, now: f64, events: &mut Events) -> u32 {
        self.probing = true;
        events.schedule(now + PROBE_TIMEOUT, Event::ProbeTimesOut(self.count));
        self.count
    }

    /// Records the front door's response to a probe.
    pub(super) fn probe_responds(&mut self, now: f64, number: u32, events: &mut Events) {
        if self.probing && number == self.count {
            let seconds = now - self.began + self.noise().between(0.0003, 0.002);
            let result = ProbeResult::Valid((), Duration::from_secs_f64(seconds));
            self.record_front_door(now, result, events);
        }
    }

    /// Ends a probe that got no response in time.
    pub(super) fn probe_times_out(&mut self, now: f64, number: u32, events: &mut Events) {
        if self.probing && number == self.count {
            self.record_front_door(now, ProbeResult::TimedOut, events);
        }
    }

    /// Ends a probe whose connection the exit of the process has reset.
    pub(super) fn reset_probe(&mut self, now: f64, events: &mut Events) {
        if self.probing {
            self.record_front_door(now, ProbeResult::Refused, events);
        }
    }

    /// Records the result of the front door, which completes the poll once the care port's is there.
    pub(super) fn record_front_door(
        &mut self,
        now: f64,
        result: ProbeResult<()>,
        events: &mut Events,
    ) {
        self.probing = false;
        self.front_door = Some(result);
        events.schedule(now.max(self.care_at), Event::PollEnds);
    }

    /// Takes the results of the care port and the front door.
    pub(super) fn take_results(&mut self) -> Option<(ProbeResult<Health>, ProbeResult<()>)> {
        self.care.take().zip(self.front_door.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_response_to_a_probe_is_ignored() {
        let life = Life::new(1);
        let (mut polls, mut events) = (Polls::new(&life), Events::default());
        polls.begin(10.0);
        polls.record_care(10.0, ProbeResult::Refused, 0.001);
        let number = polls.begin_probe(10.0, &mut events);
        polls.probe_times_out(12.0, number, &mut events);
        polls.probe_responds(13.0, number, &mut events);
        let (_, front_door) = polls.take_results().unwrap();
        assert_eq!(front_door, ProbeResult::TimedOut);
        assert!(polls.take_results().is_none());
    }

    #[test]
    fn poll_completes_with_the_later_of_both_results() {
        let life = Life::new(1);
        for (refused_at, completes_at) in [(10.0, 10.5), (11.0, 11.0)] {
            let (mut polls, mut events) = (Polls::new(&life), Events::default());
            polls.begin(10.0);
            polls.record_care(10.0, ProbeResult::Refused, 0.5);
            polls.record_front_door(refused_at, ProbeResult::Refused, &mut events);
            assert!((events.next_time() - completes_at).abs() < 1e-9);
        }
    }
}
