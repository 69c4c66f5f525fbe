//! Simulated app, advanced second by second: load, a queue in front of a limited number of slots and cores,
//! durations, memory, descriptors, runtime lag, and the outcomes that clients see.
//!
//! It is a fluid model with noise, which counts requests without tracing each of them. It reproduces
//! realistic correlations (an exhausted pool causes a queue, a queue causes timeouts, timeouts cause
//! retries, a restart empties caches), and does not represent a particular service.

use super::counts::{ClientOutcomes, RequestTotals, as_f64, round};
use super::faults::Faults;
use super::service_params::{BOUNDS, ServiceParams};
use healing_core::decision::Action;
use healing_core::rng::Rng;

/// Simulated app and the outcomes of its clients' requests.
#[derive(Debug, Clone)]
pub(crate) struct SimulatedApp {
    pub(crate) params: ServiceParams,
    pub(crate) faults: Faults,
    /// Seed of the per-second generators. Copies with different treatments therefore draw the same random
    /// numbers (common random numbers).
    seed: Rng,
    rng: Rng,
    /// Number of restarts.
    pub(crate) instance: u32,
    /// Age of the instance in seconds.
    pub(crate) uptime: f64,
    /// Set while no instance is running.
    pub(crate) down: Option<Downtime>,
    pub(crate) totals: RequestTotals,
    pub(crate) error_count: u64,
    pub(crate) buckets: [u64; BOUNDS.len() + 1],
    pub(crate) in_flight: f64,
    /// CPU in percent of the limit.
    pub(crate) cpu: f64,
    /// Memory in percent of the limit.
    pub(crate) memory: f64,
    /// Open descriptors in percent of the limit.
    pub(crate) fds: f64,
    /// Maximum of `lags` in seconds.
    pub(crate) lag: f64,
    /// Runtime lag of the last ten seconds.
    lags: [f64; 10],
    /// Age of the runtime's last tick in seconds.
    pub(crate) tick_age: f64,
    /// Age of the checks' results in seconds.
    pub(crate) check_age: u32,
    pub(crate) critical_failing: bool,
    pub(crate) minor_failing: bool,
    pub(crate) pool_failing: bool,
    pub(crate) clients: ClientOutcomes,
    /// Requests that wait for a slot.
    backlog: f64,
    /// Requests that failed in the last second.
    failed: f64,
    /// Logarithm of the load's deviation from its usual value.
    load_walk: f64,
    cache_age: f64,
    batch_age: f64,
    seconds: u32,
    /// Set if the latency histogram is recorded, which only polled apps need.
    pub(crate) records_latency: bool,
}

/// Time without a running instance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Downtime {
    /// Time until the next instance starts, in seconds.
    remaining: u32,
    /// Share of the requests that fail until then.
    lost: f64,
}

/// Maximum number of waiting requests.
const ACCEPT_QUEUE: f64 = 4000.0;

impl SimulatedApp {
    /// Returns an instance that has run for `uptime` seconds without a fault.
    pub(crate) fn new(params: ServiceParams, uptime: f64, seed: Rng) -> Self {
        let mut app = Self {
            params,
            faults: Faults::default(),
            rng: seed.part(0),
            seed,
            instance: 0,
            uptime,
            down: None,
            totals: RequestTotals::default(),
            error_count: 0,
            buckets: [0; BOUNDS.len() + 1],
            in_flight: 0.0,
            cpu: 0.0,
            memory: 0.0,
            fds: 0.0,
            lag: 0.0,
            lags: [0.0; 10],
            tick_age: 0.0,
            check_age: 0,
            critical_failing: false,
            minor_failing: false,
            pool_failing: false,
            clients: ClientOutcomes::default(),
            backlog: 0.0,
            failed: 0.0,
            load_walk: 0.0,
            cache_age: uptime,
            batch_age: 0.0,
            seconds: 0,
            records_latency: true,
        };
        app.totals.requests = round(app.params.rate * uptime);
        app.totals.errors = round(app.params.rate * uptime * app.params.errors);
        app.error_count = app.totals.errors;
        app.update_resources(0.0, 0.0);
        app
    }

    /// Carries out a treatment.
    pub(crate) fn treat(&mut self, action: Action) {
        match action {
            Action::NoAction => {}
            // Hooks run on the app's runtime, so a stalled runtime cannot run them.
            Action::ResetErrors if self.faults.stalled || self.down.is_some() => {}
            Action::ResetErrors => {
                self.faults.clear_by_soft_heal();
                self.error_count = 0;
                self.cache_age = 0.0;
            }
            // The drain moves most clients to other replicas. It fails if the runtime is stalled or
            // the other replicas are also overloaded. Requests that wait in a stalled app have been counted
            // as failed.
            Action::RestartService => {
                let stalled = self.faults.stalled;
                let drains = !stalled && self.faults.load <= 1.0 && self.faults.retries <= 0.0;
                let lost = if drains { 0.2 } else { 1.0 };
                let in_flight = if stalled {
                    0.0
                } else {
                    self.in_flight.min(self.params.slots)
                };
                self.clients.failed += lost * in_flight;
                self.down = Some(Downtime {
                    remaining: self.params.start,
                    lost,
                });
            }
        }
    }

    /// Advances the app by one second.
    pub(crate) fn step(&mut self) {
        self.seconds += 1;
        self.rng = self.seed.part(self.seconds.into());
        let reversion = 0.02 * self.load_walk;
        self.load_walk += 0.2 * self.params.swing * self.rng.normal() - reversion;
        let load = if self.faults.load > 0.0 {
            self.faults.load
        } else {
            1.0
        };
        let fresh = self.params.rate * self.load_walk.exp() * load;
        let retried = self.failed * (self.params.retries + self.faults.retries);
        let arrivals = as_f64(self.rng.poisson(fresh + retried.min(4.0 * fresh)));
        self.clients.requests += fresh;

        if let Some(Downtime { remaining, lost }) = self.down {
            self.failed = lost * fresh;
            self.clients.failed += self.failed;
            self.down = (remaining > 1).then_some(Downtime {
                remaining: remaining.saturating_sub(1),
                lost,
            });
            if self.down.is_none() {
                self.start_instance();
            }
            return;
        }
        self.uptime += 1.0;
        self.cache_age += 1.0;
        self.faults.grow_leaks();
        self.update_checks();
        if self.faults.stalled {
            self.step_stalled(arrivals, fresh);
            return;
        }
        let refused = if self.fds >= 100.0 { arrivals } else { 0.0 };
        let latency = self.serve(arrivals - refused, fresh, refused);
        self.update_lag(latency);
        if self.memory >= 100.0 {
            self.clients.failed += self.in_flight.min(self.params.slots);
            self.down = Some(Downtime {
                remaining: self.params.start + self.params.back_off,
                lost: 1.0,
            });
        }
    }

    /// Advances a stalled app, in which no request completes and all clients time out.
    fn step_stalled(&mut self, arrivals: f64, fresh: f64) {
        self.in_flight = (self.in_flight + arrivals).min(ACCEPT_QUEUE + self.params.slots);
        self.failed = fresh;
        self.clients.failed += fresh;
        self.tick_age += 1.0;
        self.lag = self.tick_age;
        self.cpu = 100.0 * (self.faults.spinning / self.params.cores).min(1.0) + self.rng.unit();
        self.update_resources(0.0, 0.0);
    }

    /// Serves as many requests as capacity allows. Returns their typical duration in seconds, which is the
    /// median of the recorded histogram.
    fn serve(&mut self, arrivals: f64, fresh: f64, refused: f64) -> f64 {
        let cold = 1.0
            + 2.5 * (1.0 - self.uptime / self.params.warm_up).max(0.0)
            + 0.8 * (1.0 - self.cache_age / 30.0).max(0.0);
        let thrash = 1.0 + (self.memory - 96.0).max(0.0);
        let faults = &self.faults;
        let service_time = self.params.service * cold * thrash * (1.0 + faults.dependency_slow);

        let batch = faults.batch_cpu * self.params.cores;
        let free = (self.params.cores - faults.spinning - batch).max(0.04 * self.params.cores);
        let by_cpu = free / (self.params.cpu_seconds * (0.5 + 0.5 * cold));
        let waiting = faults.jammed * arrivals * self.params.timeout;
        let slots =
            self.params.slots * (1.0 - faults.leaked_slots) * (1.0 - faults.blocked) - waiting;
        let by_slots = slots.max(0.02 * self.params.slots) / service_time;
        // Requests whose client has timed out still use capacity.
        let waste =
            1.0 + 0.5 * (self.backlog / (by_cpu.min(by_slots) * self.params.timeout)).min(1.0);
        let capacity = by_cpu.min(by_slots) / waste;

        let jammed = faults.jammed * arrivals;
        self.backlog += arrivals - jammed;
        let served = self.backlog.min(capacity);
        self.backlog -= served;
        let timed_out = (self.backlog - capacity * self.params.timeout)
            .max(0.0)
            .max(self.backlog - ACCEPT_QUEUE);
        self.backlog -= timed_out;
        let utilisation = (arrivals / capacity).min(0.95);
        let wait = self.backlog / capacity;
        let latency = service_time * (1.0 + 0.5 * utilisation * utilisation / (1.0 - utilisation))
            + wait
            + 0.5 * self.lag;

        let good = (1.0 - self.params.errors)
            * (1.0 - faults.intermittent_errors)
            * (1.0 - faults.poisoned)
            * (1.0 - faults.dead_connections)
            * (1.0 - faults.dependency_down * self.params.critical);
        let panicking =
            1.0 - (1.0 - faults.broken_lock) * (1.0 - faults.bad_code * faults.bad_code_panics);
        let failing = 1.0
            - good * (1.0 - panicking) * (1.0 - faults.bad_code * (1.0 - faults.bad_code_panics));
        let errors = as_f64(self.rng.poisson(served * failing)).min(served);
        let panics = as_f64(self.rng.poisson(served * panicking)).min(errors);
        let unserved = timed_out + jammed;

        self.totals.requests += round(served + unserved);
        self.totals.errors += round(errors + unserved);
        self.totals.panics += round(panics);
        self.error_count += round(errors + unserved);
        if self.records_latency {
            self.record_latency(served, latency, unserved);
        }
        self.failed = errors + unserved + refused;
        // Failed retries are omitted, because their clients have been counted.
        let share = (fresh / (arrivals + refused).max(1.0)).min(1.0);
        self.clients.failed += self.failed * share;
        if latency > (4.0 * self.params.service).max(0.3) {
            self.clients.slow += (served - errors).max(0.0) * share;
        }
        self.in_flight =
            (served * latency + self.backlog + waiting).min(ACCEPT_QUEUE + self.params.slots);
        let leaked = self.faults.leaked_slots;
        self.pool_failing = leaked > 0.85 || by_slots < 0.7 * arrivals || self.faults.jammed > 0.5;

        let work = served * waste * self.params.cpu_seconds * (0.5 + 0.5 * cold);
        let used = work + self.faults.spinning + batch;
        let variation = 1.0 + 0.06 * self.rng.normal();
        self.cpu = (100.0 * used / self.params.cores * variation).clamp(0.1, 100.0);
        self.update_resources(served, batch);
        latency
    }

    /// Adds durations to the latency histogram. They are lognormal, with a tail of one percent.
    fn record_latency(&mut self, served: f64, median: f64, unserved: f64) {
        let below = |bound: f64, median: f64, spread: f64| {
            // Logistic approximation of the normal distribution function.
            1.0 / (1.0 + (-1.702 * (bound / median).ln() / spread).exp())
        };
        let mut before = 0.0;
        for (bucket, bound) in self
            .buckets
            .iter_mut()
            .zip(BOUNDS.into_iter().chain([f64::INFINITY]))
        {
            let share = if bound.is_finite() {
                0.99 * below(bound, median, self.params.spread)
                    + 0.01 * below(bound, 5.0 * median, self.params.spread)
            } else {
                1.0
            };
            let expected = served * (share - before);
            before = share;
            // Stochastic rounding, so that small shares are counted too.
            let count = expected.floor() + f64::from(u8::from(self.rng.unit() < expected.fract()));
            *bucket += round(count);
        }
        let at = BOUNDS.partition_point(|bound| *bound < self.params.timeout);
        self.buckets[at] += round(unserved);
    }

    /// Updates the runtime's lag.
    fn update_lag(&mut self, latency: f64) {
        let blocked = self.faults.blocked;
        let saturated = (self.cpu - 90.0).max(0.0) / 10.0;
        let cold = (1.0 - self.uptime / 10.0).max(0.0);
        self.tick_age = self.rng.unit() * 0.2;
        let mut lag = self.params.lag * (0.5 + self.rng.unit())
            + 0.12 * saturated * self.rng.unit()
            + 0.05 * cold * self.rng.unit()
            + 1.5 * blocked * blocked * self.rng.unit();
        if self.rng.unit() < 0.002 {
            lag += 0.05 * latency.min(1.0);
        }
        self.lags[self.seconds as usize % self.lags.len()] = lag;
        self.lag = self.lags.into_iter().fold(0.0, f64::max);
    }

    /// Updates memory and descriptors.
    fn update_resources(&mut self, served: f64, batch: f64) {
        self.batch_age = if batch > 0.0 {
            self.batch_age + 1.0
        } else {
            0.0
        };
        let fill = 1.0 - (-self.uptime / self.params.cache_seconds).exp();
        let saw = self.params.saw * (f64::from(self.seconds) / self.params.saw_seconds).fract();
        let busy = 3.0 * (self.in_flight / (self.params.slots + 500.0)).min(3.0);
        let job = self.faults.batch_memory * (self.batch_age / 90.0).min(1.0);
        let variation = 0.3 * self.rng.normal();
        self.memory = (self.params.memory
            + self.params.cache * fill
            + saw * (served > 0.0) as u8 as f64
            + busy
            + job
            + self.faults.leaked_memory
            + variation)
            .clamp(1.0, 100.0);
        let sockets = 100.0 * self.in_flight / self.params.max_fds;
        self.fds = (self.params.fds + sockets.min(60.0) + self.faults.leaked_fds).min(100.0);
    }

    /// Updates the dependency checks every ten seconds.
    fn update_checks(&mut self) {
        self.check_age += 1;
        if self.check_age >= 10 && !self.faults.stalled {
            self.check_age = 0;
            self.critical_failing = self.rng.unit() < self.faults.dependency_down;
            self.minor_failing = self.faults.minor_dependency_down || self.rng.unit() < 0.001;
        }
    }

    /// Starts the next instance.
    fn start_instance(&mut self) {
        self.instance += 1;
        self.uptime = 0.0;
        self.cache_age = 0.0;
        self.totals = RequestTotals::default();
        self.error_count = 0;
        self.buckets = [0; BOUNDS.len() + 1];
        self.backlog = 0.0;
        self.in_flight = 0.0;
        self.tick_age = 0.0;
        self.lags = [0.0; 10];
        self.batch_age = 0.0;
        self.faults.clear_by_restart();
        self.update_resources(0.0, 0.0);
    }
}
