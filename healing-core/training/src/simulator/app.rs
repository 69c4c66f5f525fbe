//! A simulated app, second by second: load, a queue before a limited number of slots and cores,
//! durations, memory, descriptors, a runtime that may be late; and what clients see of it.
//!
//! It is a fluid model with noise: requests are counted, not followed one by one. It is meant to be
//! right about what goes *with* what (a full pool makes a queue, a queue makes timeouts, timeouts make
//! retries, a restart makes caches cold), not about any single service.

use super::faults::Faults;
use super::service_params::{BOUNDS, Character};
use healing_core::decision::Action;
use healing_core::rng::Rng;

/// The app, and the accounts of its clients.
#[derive(Debug, Clone)]
pub(super) struct App {
    pub(super) is: Character,
    pub(super) faults: Faults,
    /// Each second draws from its own part of it, so that worlds that part still share their luck.
    luck: Rng,
    rng: Rng,
    /// Counts the starts.
    pub(super) instance: u32,
    pub(super) uptime: f64,
    /// Seconds until the next instance starts; the share of requests that fail meanwhile.
    pub(super) down: Option<(u32, f64)>,
    pub(super) totals: Counts,
    pub(super) error_count: u64,
    pub(super) buckets: [u64; BOUNDS.len() + 1],
    pub(super) in_flight: f64,
    pub(super) cpu: f64,
    pub(super) memory: f64,
    pub(super) fds: f64,
    /// How late the runtime ticked, at worst in about the last ten seconds.
    pub(super) lag: f64,
    lags: [f64; 10],
    pub(super) tick_age: f64,
    /// Seconds that news of the dependencies is old, and what it was.
    pub(super) checked: u32,
    pub(super) critical_failing: bool,
    pub(super) minor_failing: bool,
    pub(super) pool_failing: bool,
    /// The clients' view: asked, failed, slow.
    pub(super) clients: Clients,
    backlog: f64,
    failed: f64,
    wave: f64,
    cache_age: f64,
    batch_age: f64,
    seconds: u32,
    /// Somebody polls: durations are counted.
    pub(super) watched: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    pub(super) requests: u64,
    pub(super) errors: u64,
    pub(super) panics: u64,
}

/// What clients saw, in requests.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clients {
    pub(super) asked: f64,
    pub(super) failed: f64,
    /// Answered, but several times later than usual.
    pub(super) slow: f64,
}

/// Requests that can be open at once, over the slots.
const ACCEPT_QUEUE: f64 = 4000.0;

impl App {
    /// An instance that has run for `uptime` seconds without trouble.
    pub(super) fn new(is: Character, uptime: f64, luck: Rng) -> Self {
        let mut app = Self {
            is,
            faults: Faults::default(),
            rng: luck.part(0),
            luck,
            instance: 0,
            uptime,
            down: None,
            totals: Counts::default(),
            error_count: 0,
            buckets: [0; BOUNDS.len() + 1],
            in_flight: 0.0,
            cpu: 0.0,
            memory: 0.0,
            fds: 0.0,
            lag: 0.0,
            lags: [0.0; 10],
            tick_age: 0.0,
            checked: 0,
            critical_failing: false,
            minor_failing: false,
            pool_failing: false,
            clients: Clients::default(),
            backlog: 0.0,
            failed: 0.0,
            wave: 0.0,
            cache_age: uptime,
            batch_age: 0.0,
            seconds: 0,
            watched: true,
        };
        app.totals.requests = round(app.is.rate * uptime);
        app.totals.errors = round(app.is.rate * uptime * app.is.errors);
        app.error_count = app.totals.errors;
        app.resources(0.0, 0.0);
        app
    }

    /// Carries out a treatment.
    pub(super) fn treat(&mut self, action: Action) {
        match action {
            Action::NoAction => {}
            // Hooks run on the app's runtime: where it stalls, none does.
            Action::ResetErrors if self.faults.stalled || self.down.is_some() => {}
            Action::ResetErrors => {
                self.faults.soft_heal();
                self.error_count = 0;
                self.cache_age = 0.0;
            }
            // Drained first, so that most clients go elsewhere; not where nothing can drain, nor
            // where elsewhere is overloaded too. Who waits in a stall has been counted already.
            Action::RestartService => {
                let stalled = self.faults.stalled;
                let elsewhere = !stalled && self.faults.load <= 1.0 && self.faults.retries <= 0.0;
                let lost = if elsewhere { 0.2 } else { 1.0 };
                let open = if stalled {
                    0.0
                } else {
                    self.in_flight.min(self.is.slots)
                };
                self.clients.failed += lost * open;
                self.down = Some((self.is.start, lost));
            }
        }
    }

    /// One second.
    pub(super) fn step(&mut self) {
        self.seconds += 1;
        self.rng = self.luck.part(self.seconds.into());
        let pull = 0.02 * self.wave;
        self.wave += 0.2 * self.is.swing * self.rng.normal() - pull;
        let load = if self.faults.load > 0.0 {
            self.faults.load
        } else {
            1.0
        };
        let fresh = self.is.rate * self.wave.exp() * load;
        let again = self.failed * (self.is.retries + self.faults.retries);
        let arrivals = as_f64(self.rng.poisson(fresh + again.min(4.0 * fresh)));
        self.clients.asked += fresh;

        if let Some((left, lost)) = self.down {
            self.failed = lost * fresh;
            self.clients.failed += self.failed;
            self.down = (left > 1).then_some((left - 1, lost));
            if self.down.is_none() {
                self.start();
            }
            return;
        }
        self.uptime += 1.0;
        self.cache_age += 1.0;
        self.faults.grow();
        self.check();
        if self.faults.stalled {
            self.stall(arrivals, fresh);
            return;
        }
        let refused = if self.fds >= 100.0 { arrivals } else { 0.0 };
        let latency = self.serve(arrivals - refused, fresh, refused);
        self.runtime(latency);
        if self.memory >= 100.0 {
            self.clients.failed += self.in_flight.min(self.is.slots);
            self.down = Some((self.is.start + self.is.back_off, 1.0));
        }
    }

    /// Nothing ends, clients give up.
    fn stall(&mut self, arrivals: f64, fresh: f64) {
        self.in_flight = (self.in_flight + arrivals).min(ACCEPT_QUEUE + self.is.slots);
        self.failed = fresh;
        self.clients.failed += fresh;
        self.tick_age += 1.0;
        self.lag = self.tick_age;
        self.cpu = 100.0 * (self.faults.spinning / self.is.cores).min(1.0) + self.rng.unit();
        self.resources(0.0, 0.0);
    }

    /// Serves what there is capacity for. Returns the mean duration.
    fn serve(&mut self, arrivals: f64, fresh: f64, refused: f64) -> f64 {
        let cold = 1.0
            + 2.5 * (1.0 - self.uptime / self.is.warm_up).max(0.0)
            + 0.8 * (1.0 - self.cache_age / 30.0).max(0.0);
        let thrash = 1.0 + (self.memory - 96.0).max(0.0);
        let faults = &self.faults;
        let own = self.is.service * cold * thrash * (1.0 + faults.dependency_slow);

        let batch = faults.batch_cpu * self.is.cores;
        let free = (self.is.cores - faults.spinning - batch).max(0.04 * self.is.cores);
        let by_cpu = free / (self.is.cpu_seconds * (0.5 + 0.5 * cold));
        let hung = faults.jammed * arrivals * self.is.timeout;
        let slots = self.is.slots * (1.0 - faults.leaked_slots) * (1.0 - faults.blocked) - hung;
        let by_slots = slots.max(0.02 * self.is.slots) / own;
        // Work for clients that have given up is work all the same.
        let waste = 1.0 + 0.5 * (self.backlog / (by_cpu.min(by_slots) * self.is.timeout)).min(1.0);
        let capacity = by_cpu.min(by_slots) / waste;

        let jammed = faults.jammed * arrivals;
        self.backlog += arrivals - jammed;
        let served = self.backlog.min(capacity);
        self.backlog -= served;
        let given_up = (self.backlog - capacity * self.is.timeout)
            .max(0.0)
            .max(self.backlog - ACCEPT_QUEUE);
        self.backlog -= given_up;
        let pressure = (arrivals / capacity).min(0.95);
        let wait = self.backlog / capacity;
        let latency =
            own * (1.0 + 0.5 * pressure * pressure / (1.0 - pressure)) + wait + 0.5 * self.lag;

        let good = (1.0 - self.is.errors)
            * (1.0 - faults.noise)
            * (1.0 - faults.poisoned)
            * (1.0 - faults.dead_connections)
            * (1.0 - faults.dependency_down * self.is.critical);
        let panicking =
            1.0 - (1.0 - faults.broken_lock) * (1.0 - faults.bad_code * faults.bad_code_panics);
        let failing = 1.0
            - good * (1.0 - panicking) * (1.0 - faults.bad_code * (1.0 - faults.bad_code_panics));
        let errors = as_f64(self.rng.poisson(served * failing)).min(served);
        let panics = as_f64(self.rng.poisson(served * panicking)).min(errors);
        let late = given_up + jammed;

        self.totals.requests += round(served + late);
        self.totals.errors += round(errors + late);
        self.totals.panics += round(panics);
        self.error_count += round(errors + late);
        if self.watched {
            self.durations(served, latency, late);
        }
        self.failed = errors + late + refused;
        // A retry that fails is not another client that fails.
        let share = (fresh / (arrivals + refused).max(1.0)).min(1.0);
        self.clients.failed += self.failed * share;
        if latency > (4.0 * self.is.service).max(0.3) {
            self.clients.slow += (served - errors).max(0.0) * share;
        }
        self.in_flight = (served * latency + self.backlog + hung).min(ACCEPT_QUEUE + self.is.slots);
        let leaked = self.faults.leaked_slots;
        self.pool_failing = leaked > 0.85 || by_slots < 0.7 * arrivals || self.faults.jammed > 0.5;

        let work = served * waste * self.is.cpu_seconds * (0.5 + 0.5 * cold);
        let used = work + self.faults.spinning + batch;
        let noise = 1.0 + 0.06 * self.rng.normal();
        self.cpu = (100.0 * used / self.is.cores * noise).clamp(0.1, 100.0);
        self.resources(served, batch);
        latency
    }

    /// Durations as counts in buckets: lognormal, with a tail of one percent.
    fn durations(&mut self, served: f64, median: f64, late: f64) {
        let below = |bound: f64, median: f64, spread: f64| {
            // The logistic curve is near enough to the normal distribution's.
            1.0 / (1.0 + (-1.702 * (bound / median).ln() / spread).exp())
        };
        let mut before = 0.0;
        for (bucket, bound) in self
            .buckets
            .iter_mut()
            .zip(BOUNDS.into_iter().chain([f64::INFINITY]))
        {
            let share = if bound.is_finite() {
                0.99 * below(bound, median, self.is.spread)
                    + 0.01 * below(bound, 5.0 * median, self.is.spread)
            } else {
                1.0
            };
            let expected = served * (share - before);
            before = share;
            // Rounded up or down by chance, so that small shares are counted too.
            let count = expected.floor() + f64::from(u8::from(self.rng.unit() < expected.fract()));
            *bucket += round(count);
        }
        let at = BOUNDS.partition_point(|bound| *bound < self.is.timeout);
        self.buckets[at] += round(late);
    }

    fn runtime(&mut self, latency: f64) {
        let blocked = self.faults.blocked;
        let saturated = (self.cpu - 90.0).max(0.0) / 10.0;
        let cold = (1.0 - self.uptime / 10.0).max(0.0);
        self.tick_age = self.rng.unit() * 0.2;
        let mut lag = self.is.lag * (0.5 + self.rng.unit())
            + 0.12 * saturated * self.rng.unit()
            + 0.05 * cold * self.rng.unit()
            + 1.5 * blocked * blocked * self.rng.unit();
        if self.rng.unit() < 0.002 {
            lag += 0.05 * latency.min(1.0);
        }
        self.lags[self.seconds as usize % self.lags.len()] = lag;
        self.lag = self.lags.into_iter().fold(0.0, f64::max);
    }

    /// Memory and descriptors.
    fn resources(&mut self, served: f64, batch: f64) {
        self.batch_age = if batch > 0.0 {
            self.batch_age + 1.0
        } else {
            0.0
        };
        let fill = 1.0 - (-self.uptime / self.is.cache_seconds).exp();
        let saw = self.is.saw * (f64::from(self.seconds) / self.is.saw_seconds).fract();
        let busy = 3.0 * (self.in_flight / (self.is.slots + 500.0)).min(3.0);
        let job = self.faults.batch_memory * (self.batch_age / 90.0).min(1.0);
        let noise = 0.3 * self.rng.normal();
        self.memory = (self.is.memory
            + self.is.cache * fill
            + saw * (served > 0.0) as u8 as f64
            + busy
            + job
            + self.faults.leaked_memory
            + noise)
            .clamp(1.0, 100.0);
        let open = 100.0 * self.in_flight / self.is.max_fds;
        self.fds = (self.is.fds + open.min(60.0) + self.faults.leaked_fds).min(100.0);
    }

    /// The checks' news, every ten seconds.
    fn check(&mut self) {
        self.checked += 1;
        if self.checked >= 10 && !self.faults.stalled {
            self.checked = 0;
            self.critical_failing = self.rng.unit() < self.faults.dependency_down;
            self.minor_failing = self.faults.minor_dependency_down || self.rng.unit() < 0.001;
        }
    }

    fn start(&mut self) {
        self.instance += 1;
        self.uptime = 0.0;
        self.cache_age = 0.0;
        self.totals = Counts::default();
        self.error_count = 0;
        self.buckets = [0; BOUNDS.len() + 1];
        self.backlog = 0.0;
        self.in_flight = 0.0;
        self.tick_age = 0.0;
        self.lags = [0.0; 10];
        self.batch_age = 0.0;
        self.faults.restart();
        self.resources(0.0, 0.0);
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
pub(super) fn round(count: f64) -> u64 {
    count.max(0.0).round() as u64
}

#[allow(clippy::cast_precision_loss)] // small counts
pub(super) fn as_f64(count: u64) -> f64 {
    count as f64
}
