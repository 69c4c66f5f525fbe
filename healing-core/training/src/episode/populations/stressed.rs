//! Apps under stress without a fault that a treatment stops, two hours each. Only a metastable failure
//! that a stress leaves behind can be treated.
//!
//! | stress | parameters | known from |
//! |---|---|---|
//! | saturation | utilisation 0.6–1.2, constant | capacity planning aims at 0.6–0.8; 1.0–1.2 is an app that needs another replica |
//! | ramp | up to 0.7–1.3 within an hour, and down | a morning peak at any hour in UTC |
//! | bursts | 2–6 times the usual, at most twice the capacity, 20–200 s long, every 10 minutes | campaigns, crawlers, cron jobs of clients |
//! | closed loop | 2–200 clients, thinking 0.05–2 s, from 20–60 minutes on | load tests, workers that poll |
//! | impatience | clients leave after 0.3–2 s at 0.8–1.2 | gateways with short time-outs |
//! | starvation | the machine gives 0.3–0.9 of the demand for 5–40 minutes | noisy neighbours |
//! | throttling | quota of 0.9–1.1 times the demand, several workers | limits copied from another app |
//! | slow boot | 20–120 s, half of them with an early-bound port, up to three crashes | migrations, caches, JIT |
//! | low traffic | one request per minute to one per second | internal tools, night |
//! | job | one or more threads for 5–40 minutes | reports, compaction |
//! | mix | half of the requests become 2–5 times as expensive | a new client, another tenant |
//! | shedding | limit in flight, 1.0–1.6 times the capacity | a load-shed layer |
//! | dependency | declared and down, or undeclared and slow, for 3–30 minutes | outages |
//! | retries | clients retry nearly all failures after a burst | metastable failures |
//! | route | 2–12 % of the traffic goes to a route that fails | a defect of one handler |
//! | defect | 12–100 % of the requests fail, or one lock serves 0.3–0.8 of the demand, after each start too | a full disk, a slow code path |
//!
//! Rates are 2–100 requests per second, log-uniform; higher ones change only the time to simulate.

use super::draw::{life, log_between, one_of};
use super::in_turn;
use crate::episode::spec::{ClosedLoop, Cure, Distribution, Effect, Fault, Life, Pool, Rate};
use crate::episode::{Episode, LifeEpisode, Population};
use healing_core::rng::Rng;

/// Length of an episode in seconds.
const SECONDS: f64 = 7200.0;

/// Population of the [module](self).
#[derive(Debug, Clone, Copy)]
pub struct Stressed;

/// Kind of stress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stress {
    Saturation,
    Ramp,
    Bursts,
    ClosedLoop,
    Impatience,
    Starvation,
    Throttling,
    SlowBoot,
    LowTraffic,
    Job,
    Mix,
    Shedding,
    Dependency,
    Retries,
    Route,
    Defect,
}

impl Stress {
    pub(super) const ALL: [Self; 16] = [
        Self::Saturation,
        Self::Ramp,
        Self::Bursts,
        Self::ClosedLoop,
        Self::Impatience,
        Self::Starvation,
        Self::Throttling,
        Self::SlowBoot,
        Self::LowTraffic,
        Self::Job,
        Self::Mix,
        Self::Shedding,
        Self::Dependency,
        Self::Retries,
        Self::Route,
        Self::Defect,
    ];
}

impl Stressed {
    /// Returns the life of this seed.
    #[must_use]
    pub fn life(seed: u64) -> Life {
        draw(in_turn(&Stress::ALL, seed), seed)
    }
}

impl Population for Stressed {
    fn name(&self) -> &'static str {
        "stressed"
    }

    fn draw(&self, seed: u64) -> Box<dyn Episode> {
        Box::new(LifeEpisode::new(Self::life(seed)))
    }
}

/// Returns the life of a healthy app under one stress.
pub(super) fn draw(stress: Stress, seed: u64) -> Life {
    let mut rng = Rng::new(seed).part(31);
    let (rate, utilisation) = match stress {
        Stress::LowTraffic => (
            log_between(&mut rng, 1.0 / 60.0, 1.0),
            rng.between(0.05, 0.5),
        ),
        Stress::Saturation => (log_between(&mut rng, 2.0, 100.0), rng.between(0.6, 1.2)),
        Stress::Impatience | Stress::Throttling => {
            (log_between(&mut rng, 5.0, 100.0), rng.between(0.8, 1.2))
        }
        Stress::Shedding => (log_between(&mut rng, 20.0, 100.0), rng.between(1.0, 1.6)),
        _ => (log_between(&mut rng, 2.0, 100.0), rng.between(0.3, 0.7)),
    };
    let mut drawn = life(seed, SECONDS, rate, utilisation, &mut rng);
    apply(&mut drawn, stress, rate, utilisation, &mut rng);
    drawn
}

/// Puts an app at this rate and utilisation under a stress.
pub(super) fn apply(life: &mut Life, stress: Stress, rate: f64, utilisation: f64, rng: &mut Rng) {
    let from = rng.between(1200.0, 3600.0);
    let to = from + rng.between(300.0, 2400.0);
    match stress {
        Stress::Saturation => {}
        Stress::Ramp => {
            let peak = rng.between(0.7, 1.3) / utilisation;
            let course = |t: f64| ((t - 3600.0) / 1800.0).powi(2).mul_add(-1.0, 1.0).max(0.0);
            life.clients.rate = Rate::of(SECONDS, |t| rate * (1.0 + (peak - 1.0) * course(t)));
        }
        Stress::Bursts => {
            let (length, factor) = (rng.between(20.0, 200.0), rng.between(2.0, 6.0));
            let calm = Rate::of(SECONDS, |_| rate);
            let most = 2.0 * life.capacity();
            life.clients.rate = calm.bursts(600.0, length, factor, rng).capped(most);
        }
        Stress::ClosedLoop => {
            let thinking = Distribution::Exponential(log_between(rng, 0.05, 2.0));
            // Such clients send no more than the app can serve: at most 100 requests per second.
            let factor = (life.capacity() / 100.0).max(1.0);
            life.service.cpu = life.service.cpu.scaled(factor);
            life.clients.rate = Rate::constant(rate / factor);
            // Their responses take at most 0.6 of their patience.
            let most = 0.6 * life.clients.patience.mean() * life.capacity();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most 200
            let clients = rng.between(2.0, most.clamp(3.0, 200.0)) as u32;
            life.clients.closed = Some(ClosedLoop {
                clients,
                thinking,
                from,
            });
        }
        Stress::Impatience => {
            life.clients.patience = Distribution::Fixed(rng.between(0.3, 2.0));
            life.clients.rate = Rate::daily(SECONDS, rate, 0.3, rng.between(0.0, 24.0));
        }
        Stress::Starvation => {
            let demand = rate * life.service.mean_cpu();
            let given = demand * rng.between(0.3, 0.9);
            life.machine.neighbours = vec![(from, to, given)];
            life.doctor.late_share = 0.3;
            life.doctor.late_seconds = 2.0;
        }
        Stress::Throttling => {
            life.machine.quota = Some(rate * life.service.mean_cpu() * rng.between(0.9, 1.1));
            life.service.workers = 2 + rng.below(7);
        }
        Stress::SlowBoot => {
            let start = &mut life.service.start;
            start.age = -1.0;
            start.boot_seconds = log_between(rng, 20.0, 120.0);
            start.binds_early = rng.unit() < 0.5;
            start.cold_factor = rng.between(0.5, 3.0);
            start.crashes = rng.below(4);
        }
        Stress::LowTraffic => life.service.errors = one_of(rng, &[0.0, 0.01, 0.05]),
        Stress::Job => {
            life.machine.jobs = vec![(from, to, 1 + rng.below(life.service.workers + 1))];
        }
        Stress::Mix => {
            life.service.mix_changes_at = from;
            if let [usual, expensive] = life.service.routes.as_mut_slice() {
                (usual.share_after, expensive.share_after) = (0.5, 0.5);
                expensive.cpu = usual.cpu * rng.between(2.0, 5.0);
            }
        }
        Stress::Shedding => {
            life.service.shed_above = Some(u64::from(life.service.workers) + 8);
            life.service.pool = Some(Pool {
                slots: 8,
                hold: Distribution::Exponential(8.0 * utilisation / rate),
                acquire_timeout: f64::INFINITY,
            });
        }
        Stress::Dependency => {
            let declared = rng.unit() < 0.5;
            life.service.dependencies = u32::from(declared);
            let effect = if declared {
                Effect::DependencyDown(rng.between(0.3, 1.0))
            } else {
                Effect::SlowPool(log_between(rng, 5.0, 200.0))
            };
            life.faults = vec![Fault {
                end: to,
                ..Fault::new(effect, Cure::Nothing, from)
            }];
        }
        Stress::Retries => {
            life.clients.retries = rng.between(0.8, 1.0);
            let factor = rng.between(1.2, 2.5) / utilisation;
            let burst = Rate::of(SECONDS, |_| rate).times(from, from + 60.0, factor);
            life.clients.rate = burst;
        }
        Stress::Route => {
            let effect = Effect::RouteErrors(1, 1.0);
            let share = rng.between(0.02, 0.12);
            if let [usual, failing] = life.service.routes.as_mut_slice() {
                (usual.share, failing.share) = (1.0 - share, share);
            }
            life.faults = vec![Fault::new(effect, Cure::Nothing, from)];
        }
        Stress::Defect => {
            let effect = if rng.unit() < 0.5 {
                Effect::Errors(log_between(rng, 0.12, 1.0))
            } else {
                Effect::Convoy(1.0 / rate / rng.between(0.3, 0.8))
            };
            life.faults = vec![Fault::new(effect, Cure::Nothing, from)];
        }
    }
}
