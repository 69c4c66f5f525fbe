//! Impairment: how far the goodput of an app lies below the demand that it has proved it can serve.
//!
//! ```text
//! impairment = 1 − (goodput + noise) ÷ demand        noise: one standard deviation of the count
//! demand     = min(begun, proven capacity)           per second
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
//! | `unseen` | requests that wait in front of the app |
//! | `no_goodput` | apps with little traffic, or that never succeeded |
//! | `cpu`, `saturation` | causes that a restart does not change |
//! | `last_resort`, `restart_effect` | one late restart in spite of them; restarts that did not help |
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
mod counts;
mod cpu;
mod last_resort;
mod learned;
mod no_goodput;
mod recent;
mod restart_effect;
mod run;
mod saturation;
mod unseen;
mod usual;

use std::time::Duration;

pub use self::assessment::Assessment;
pub(crate) use self::learned::Learned;

use self::counts::{CountHistory, Counts, Window};
use self::cpu::{Cpu, CpuState};
use self::last_resort::LastResort;
use self::run::Run;
use self::saturation::{FAST_WINDOW, Load, SURGE_WINDOW, Saturation};
use self::unseen::UnseenDemand;
use crate::config::ImpairmentConfig;
use crate::decision::{Reason, Vetoes};
use crate::health::Health;
use crate::observation::Observation;
use crate::time::Time;

/// Time after a soft heal from which its effect is visible.
const SOFT_HEAL_TIME: Duration = Duration::from_secs(15);

/// Shortest window in which arrivals are learned: as long as that between two values of their median.
const ARRIVALS_WINDOW: Duration = Duration::from_secs(10);

/// Time in which polls get no report, after which the counts before it are not used.
const SILENCE: Duration = Duration::from_secs(30);

/// Time without impairment after which a new fault is another one.
const RECOVERY: Duration = Duration::from_secs(600);

/// State of one instance of the app.
#[derive(Debug)]
pub(crate) struct Impairment {
    counts: CountHistory,
    cpu: Cpu,
    unseen: UnseenDemand,
    saturation: Saturation,
    last_resort: LastResort,
    /// Polls with an impairment that justifies a soft heal.
    mild: Run,
    /// Polls with an impairment that justifies a restart.
    severe: Run,
    /// Polls without goodput where the traffic is too low for a ratio.
    no_goodput: Run,
    /// Polls without impairment.
    unimpaired: Run,
    /// Time of the first of the latest polls without a report.
    silent_since: Option<Time>,
    soft_heal: Option<Time>,
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
            saturation: Saturation::default(),
            last_resort: LastResort::default(),
            mild: Run::default(),
            severe: Run::default(),
            no_goodput: Run::default(),
            unimpaired: Run::default(),
            silent_since: None,
            soft_heal: None,
            latest: Assessment::default(),
        }
    }

    /// Adds a poll, and returns the assessment after it.
    ///
    /// `report` is its health report, unless that is absent or stale; `serves` is set if the app has been
    /// ready and is neither starting nor shutting down. A poll without a report, or in which the doctor was
    /// late, says nothing: it neither adds to the evidence nor ends it.
    pub(crate) fn observe(
        &mut self,
        now: Time,
        observation: &Observation,
        report: Option<&Health>,
        serves: bool,
        learned: &mut Learned,
        config: &ImpairmentConfig,
    ) -> Assessment {
        if observation.circumstances.late {
            return self.latest.without_evidence();
        }
        let Some(health) = report else {
            self.silent_since.get_or_insert(now);
            return self.latest.without_evidence();
        };
        let silence = self.silent_since.take();
        if silence.is_some_and(|since| now.since(since) >= SILENCE) {
            self.clear();
        }
        learned.bind(health);
        let counts = Counts::of(health).filter(|_| serves);
        let Some(counts) = counts else {
            learned.restart_effect.on_starting(now);
            self.clear();
            self.latest = Assessment::default();
            return self.latest;
        };
        learned.has_succeeded |= counts.good > 0;
        self.counts.push(now, counts);
        self.cpu.push(now, health);
        self.unseen
            .observe(now, observation, health, &learned.sockets);
        self.assess(now, observation, health, learned, config)
    }

    /// Discards the polls of an instance that has ended.
    pub(crate) fn on_app_start(&mut self, now: Time, learned: &mut Learned) {
        learned.restart_effect.on_app_start(now);
        self.clear();
        self.unseen.on_app_start();
        self.saturation.on_app_start();
        self.soft_heal = None;
    }

    /// Discards the polls before a gap, or before the counts were reset.
    pub(crate) fn clear(&mut self) {
        self.counts.clear();
        self.cpu.clear();
        self.unseen.clear();
        for run in [
            &mut self.mild,
            &mut self.severe,
            &mut self.no_goodput,
            &mut self.unimpaired,
        ] {
            *run = Run::default();
        }
        self.last_resort = LastResort::default();
    }

    /// Records a soft heal: only requests after it show its effect.
    pub(crate) fn on_soft_heal(&mut self, now: Time) {
        self.counts.cut();
        self.soft_heal = Some(now);
    }

    /// Records a restart.
    pub(crate) fn on_restart(&self, now: Time, learned: &mut Learned, config: &ImpairmentConfig) {
        let before = self.latest.ratio.unwrap_or(0.0);
        if before >= config.soft_ratio {
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
        learned: &mut Learned,
        config: &ImpairmentConfig,
    ) -> Assessment {
        let usual = learned.arrivals.median(now);
        let unseen = self.unseen.is_proved(now, usual, &learned.sockets);
        let expected = usual.filter(|_| unseen).unwrap_or(0.0);
        let healed = self
            .soft_heal
            .is_some_and(|healed| now.since(healed) < config.window);
        let shortest = if healed {
            SOFT_HEAL_TIME.min(config.window)
        } else {
            config.window
        };
        let window = self.counts.window(shortest, expected);
        if !unseen {
            self.learn(now, observation, health, window, learned, config);
        }
        let capacity = learned.capacity.rate(now, config.capacity_half_life);
        let demand = window
            .zip(capacity)
            .map(|(window, capacity)| window.arrivals().max(expected).min(capacity));
        let no_goodput = no_goodput::detect(&self.counts, window, capacity, learned);
        let ratio = match (window, demand) {
            _ if no_goodput => Some(1.0),
            (Some(window), Some(demand)) if !window.sparse => Some(shortfall(&window, demand)),
            _ => None,
        };
        let cpu = self.cpu.state();
        self.saturation.observe(
            now,
            &Load {
                capacity: capacity.unwrap_or(0.0),
                usual,
                window: window.filter(|window| !window.sparse),
                fast: self.counts.last(FAST_WINDOW),
                latest: self.counts.last(SURGE_WINDOW),
                peak: health.peak_goodput,
            },
        );
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
            self.observe_ratio(now, ratio, no_goodput, learned, config);
        }
        self.latest = self.conclude(figures, cpu, learned, config);
        self.latest
    }

    /// Learns what is usual, from a poll in which no request waits unseen.
    fn learn(
        &mut self,
        now: Time,
        observation: &Observation,
        health: &Health,
        window: Option<Window>,
        learned: &mut Learned,
        config: &ImpairmentConfig,
    ) {
        if let Some(window) = window {
            learned
                .capacity
                .learn(now, &window, config.capacity_half_life);
        }
        if learned.arrivals.is_due(now)
            && let Some(latest) = self.counts.last(ARRIVALS_WINDOW)
        {
            learned.arrivals.push(now, latest.arrivals());
        }
        if let Some(sockets) = &observation.sockets {
            learned.sockets.learn(now, sockets, health);
        }
    }

    /// Adds the ratio of a poll to the runs.
    fn observe_ratio(
        &mut self,
        now: Time,
        ratio: Option<f64>,
        no_goodput: bool,
        learned: &mut Learned,
        config: &ImpairmentConfig,
    ) {
        let at_least = |threshold: f64| ratio.is_some_and(|ratio| ratio >= threshold);
        self.mild.observe(now, at_least(config.soft_ratio));
        self.severe.observe(now, at_least(config.hard_ratio));
        self.no_goodput.observe(now, no_goodput);
        self.last_resort.observe(now, ratio);
        let unimpaired = ratio.is_some_and(|ratio| ratio < config.soft_ratio);
        self.unimpaired.observe(now, unimpaired);
        let recovered = self.unimpaired.has_lasted(RECOVERY);
        learned.restart_effect.observe(now, ratio, recovered);
        if recovered {
            learned.last_resort_used = false;
        }
    }

    /// Adds evidence and vetoes to the figures.
    fn conclude(
        &self,
        figures: Assessment,
        cpu: CpuState,
        learned: &Learned,
        config: &ImpairmentConfig,
    ) -> Assessment {
        let mut vetoes = Vetoes::NONE;
        vetoes.insert_if(cpu.used_up, Reason::CpuSaturated);
        vetoes.insert_if(cpu.starved, Reason::Starved);
        vetoes.insert_if(self.saturation.holds(), Reason::Saturated);
        let load_is_cause = !vetoes.is_empty();
        vetoes.insert_if(
            learned.restart_effect.forbids_restart(),
            Reason::RestartDoesNotHelp,
        );
        let figures = Assessment { vetoes, ..figures };
        if learned.restart_effect.is_pending() {
            return figures;
        }
        let untreated = config.sustain_for + config.soft_heal_wait;
        let last_resort = load_is_cause
            && !cpu.starved
            && !learned.last_resort_used
            && self.last_resort.is_due(config);
        if last_resort {
            return Assessment {
                hard: Some(Reason::LastResort),
                vetoes: vetoes.without(&[Reason::CpuSaturated, Reason::Saturated]),
                ..figures
            };
        }
        let no_goodput = self.no_goodput.has_lasted(config.sustain_for);
        let of = |run: &Run, time| run.has_lasted(time).then_some(Reason::Impaired);
        let reason = no_goodput.then_some(Reason::NoGoodput);
        Assessment {
            soft: reason.or(of(&self.mild, config.sustain_for)),
            hard: reason
                .or(of(&self.severe, config.sustain_for))
                .or(of(&self.mild, untreated)),
            ..figures
        }
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
