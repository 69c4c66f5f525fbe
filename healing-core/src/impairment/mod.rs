//! Impairment: how far the goodput of an app lies below the demand that it has proved it can serve.
//!
//! ```text
//! impairment = 1 − (goodput + noise) ÷ demand        noise: one standard deviation of the count
//! demand     = min(begun, proven capacity)           per second; usual errors are not begun
//!            = min(proven capacity, max(begun, usual arrivals))  while requests wait unseen
//! ```
//! CPU, memory, latency, residence time or the oldest request alone are no symptom: each is a false alarm in
//! a loaded, but healthy app.
//!
//! | file | part |
//! |---|---|
//! | `counts` | counts of requests; windows by time and number |
//! | `capacity` | proven capacity |
//! | `usual` | usual arrivals and usually idle connections |
//! | `client_timeout` | answers that come too late for the clients |
//! | `unseen`, `request_size` | requests that wait in front of the app, by connections or by bytes |
//! | `no_goodput` | apps with little traffic, or that never succeeded |
//! | `cpu`, `saturation` | causes that a restart does not change |
//! | `conditions` | impairments that persist, and the last resort in spite of load |
//! | `conclusion` | evidence and vetoes of a poll |
//! | `restart_effect` | restarts that did not help |
//! | `learned` | what outlives the process |
//!
//! | condition | soft heal | restart |
//! |---|---|---|
//! | impairment ≥ 0.2 for 10 s | yes | after another 60 s |
//! | impairment ≥ 0.5 for 10 s | yes | yes |
//! | little traffic: of ≥ 5 answers in a minute or more none is good, for 10 s | yes | yes |
//! | never succeeded: ≥ 20 failures and no success in 120 s | yes | once |
//! | impairment ≥ 0.9 for 300 s although load is the cause | no | once |
//!
//! # Hazards
//!
//! Impairment is a lower bound of what clients feel, see [`Assessment`].

mod assessment;
mod capacity;
mod client_timeout;
mod conclusion;
mod conditions;
mod counts;
mod cpu;
mod learned;
mod no_goodput;
mod recent;
mod request_size;
mod restart_effect;
mod saturation;
mod unseen;
mod usual;

use std::time::Duration;

pub use self::assessment::Assessment;
pub(crate) use self::learned::Learned;

use self::conclusion::conclude;
use self::conditions::Conditions;
use self::counts::{CountHistory, Counts, Window};
use self::cpu::{Cpu, FAST_WINDOW};
use self::request_size::RequestSize;
use self::saturation::Load;
use self::unseen::UnseenDemand;
use crate::config::ImpairmentConfig;
use crate::health::Health;
use crate::observation::Observation;
use crate::reason::Reason;
use crate::time::Time;

/// Usual share of errors from which a time without success is no symptom.
const USUALLY_FAILING: f64 = 0.5;

/// Time in which polls get no report, after which the counts before it are not used.
const SILENCE: Duration = Duration::from_secs(30);

/// State of the instance that sent a report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InstanceState {
    /// Set if it has been ready and is neither starting nor shutting down.
    pub(crate) serves: bool,
    /// Set if its front door has answered.
    pub(crate) has_answered: bool,
    /// Share of its requests that usually fail, which is no impairment.
    pub(crate) usual_error_share: f64,
}

/// State of one instance of the app.
#[derive(Debug)]
pub(crate) struct Impairment {
    counts: CountHistory,
    cpu: Cpu,
    unseen: UnseenDemand,
    /// Bytes of a request. They are not saved, because minutes suffice to learn them.
    request_size: RequestSize,
    /// Time of the first of the latest polls without a report.
    silent_since: Option<Time>,
    /// Counts of the latest report, and if they differ from those of the report before.
    counted: Option<Counts>,
    progress: bool,
    latest: Assessment,
}

// === impl Impairment ===

impl Impairment {
    /// Returns the state for an app that has not been polled.
    pub(crate) fn new() -> Self {
        Self {
            counts: CountHistory::new(),
            cpu: Cpu::new(),
            unseen: UnseenDemand::new(),
            request_size: RequestSize::default(),
            silent_since: None,
            counted: None,
            progress: false,
            latest: Assessment::default(),
        }
    }

    /// Adds a poll, and returns the assessment after it.
    ///
    /// `report` is its health report, unless that is absent or stale. A poll without a report says nothing:
    /// it neither adds to the evidence nor ends it.
    pub(crate) fn observe(
        &mut self,
        now: Time,
        observation: &Observation,
        report: Option<&Health>,
        instance: InstanceState,
        learned: &mut Learned,
        config: &ImpairmentConfig,
    ) -> Assessment {
        let Some(health) = report else {
            self.silent_since.get_or_insert(now);
            self.request_size.interrupt();
            self.latest = self.latest.without_evidence();
            return self.latest;
        };
        let silence = self.silent_since.take();
        if silence.is_some_and(|since| now.since(since) >= SILENCE) {
            self.clear(learned);
        }
        learned.bind(health);
        let counts = Counts::of(health, config.client_timeout).filter(|_| instance.serves);
        let Some(counts) = counts else {
            learned.restart_effect.on_starting(now);
            self.clear(learned);
            self.latest = Assessment::default();
            return self.latest;
        };
        learned.has_succeeded |= counts.good > 0;
        let before = self.counted.replace(counts);
        self.progress = before.is_some_and(|before| before != counts);
        if self.counts.newest().is_none()
            && let Some((at, counts)) = learned.conditions.counts_at_soft_heal()
        {
            self.counts.push(at, counts);
        }
        self.counts.push(now, counts);
        self.cpu.push(now, health);
        let has_answered = instance.has_answered;
        let request_bytes = self.request_size.bytes(now);
        self.unseen
            .observe(now, observation, health, has_answered, request_bytes);
        let config = &with_stalls_of_owner(config, health);
        let usual_error_share = instance.usual_error_share;
        self.latest = self.assess(now, observation, health, usual_error_share, learned, config);
        self.latest
    }

    /// Returns `true` if a request has begun or ended, in whatever way, between the two latest reports. Then
    /// the runtime runs, however late.
    pub(crate) fn makes_progress(&self) -> bool {
        self.progress
    }

    /// Returns `true` if the app has been starved in the last seconds.
    pub(crate) fn is_starving(&self) -> bool {
        self.cpu.state(FAST_WINDOW).starved
    }

    /// Discards the polls of an instance that has ended.
    pub(crate) fn on_app_start(&mut self, now: Time, learned: &mut Learned) {
        learned.restart_effect.on_app_start(now);
        learned.saturation.on_app_start();
        self.clear(learned);
    }

    /// Discards the polls before a gap, or before the counts were reset.
    pub(crate) fn clear(&mut self, learned: &mut Learned) {
        learned.conditions = Conditions::default();
        self.request_size.interrupt();
        self.counts.clear();
        self.cpu.clear();
        self.unseen.clear();
        (self.counted, self.progress) = (None, false);
    }

    /// Returns `true` if there are counts of the instance.
    #[cfg(test)]
    pub(crate) fn has_counts(&self) -> bool {
        self.counts.last(Duration::ZERO).is_some()
    }

    /// Records a soft heal: only requests after it show its effect.
    pub(crate) fn on_soft_heal(&mut self, now: Time, learned: &mut Learned) {
        let newest = self.counts.newest().map(|(_, counts)| counts);
        learned.conditions.on_soft_heal(now, newest);
        self.counts.clear();
    }

    /// Records a restart.
    pub(crate) fn on_restart(&self, now: Time, learned: &mut Learned) {
        if self.latest.hard.is_some()
            && let Some(before) = self.latest.ratio
        {
            learned.restart_effect.on_restart(now, before);
        }
        learned.restarted_without_baseline |= self.latest.proven_capacity.is_none();
        learned.last_resort_used |= self.latest.hard == Some(Reason::LastResort);
    }

    /// Returns the assessment of the newest report.
    fn assess(
        &mut self,
        now: Time,
        observation: &Observation,
        health: &Health,
        usual_error_share: f64,
        learned: &mut Learned,
        config: &ImpairmentConfig,
    ) -> Assessment {
        let usual = learned.arrivals.median(now);
        let unseen = self
            .unseen
            .is_proved(now, config.window, usual, &learned.sockets);
        let expected = usual.filter(|_| unseen).unwrap_or(0.0);
        let shortest = learned.conditions.shortest_window(now, config);
        let window = self.counts.window(shortest, expected);
        if !unseen {
            learned.learn(now, &self.counts, window, config);
        }
        match (&observation.sockets, self.counts.newest()) {
            (Some(sockets), Some((_, Counts { begun, .. }))) if !unseen => {
                let request_bytes = self.request_size.bytes(now);
                learned.sockets.learn(now, sockets, health, request_bytes);
                self.request_size.learn(now, sockets, begun);
            }
            _ => self.request_size.interrupt(),
        }
        let capacity = learned.capacity.rate(now, config.capacity_half_life);
        let load = Load::new(health, &self.counts, window, usual, capacity);
        learned.saturation.observe(now, &load);
        let succeeding = 1.0 - usual_error_share;
        let demand = window
            .zip(capacity)
            .map(|(window, capacity)| (window.arrivals().max(expected) * succeeding).min(capacity));
        let no_goodput = usual_error_share < USUALLY_FAILING
            && no_goodput::detect(&self.counts, window, capacity, learned);
        let ratio = match (window, demand) {
            _ if no_goodput => Some(1.0),
            (Some(window), Some(demand)) if !window.sparse => Some(shortfall(&window, demand)),
            _ => None,
        };
        let figures = Assessment {
            ratio,
            goodput: window.map(|window| window.goodput()),
            demand,
            proven_capacity: capacity,
            usual_arrivals: usual,
            unseen_demand: unseen,
            ..Assessment::default()
        };
        if window.is_some() {
            learned.conditions.observe(now, ratio, no_goodput, config);
            learned.judge_restarts(now, ratio, config);
        }
        let cpu = self.cpu.state(config.window);
        let judged = conclude(now, figures, cpu, !health.hooks.is_empty(), learned, config);
        if window.is_some() {
            judged
        } else {
            judged.without_evidence()
        }
    }
}

/// Returns the settings with an impairment that must persist for longer than the runtime may be blocked in
/// normal operation, by the stall threshold of the app's owner.
fn with_stalls_of_owner(config: &ImpairmentConfig, health: &Health) -> ImpairmentConfig {
    let threshold = health
        .runtime
        .as_ref()
        .and_then(|runtime| runtime.stall_after_seconds)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    ImpairmentConfig {
        sustain_for: config.sustain_for.max(threshold.unwrap_or_default()),
        ..config.clone()
    }
}

/// Returns the share of the demand that is not met. The standard deviation of the good responses is on the
/// app's side, so that chance is not taken for impairment.
fn shortfall(window: &Window, demand: f64) -> f64 {
    let due = demand * window.seconds;
    if due <= 0.0 {
        return 0.0;
    }
    (1.0 - (window.good + window.good.sqrt()) / due).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests;
