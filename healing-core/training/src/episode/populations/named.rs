//! The 21 scenarios of the training simulator in the discrete-event simulation, one hour each, with
//! real queues, clients that leave, and moderate load (3–60 requests per second, utilisation 0.1–0.5).

use super::draw::{keep_workers_busy, life, log_between};
use super::in_turn;
use crate::episode::spec::{Cure, Distribution, Effect, Fault, Life, Pool, Rate};
use crate::episode::{Episode, LifeEpisode, Population};
use crate::simulator::Scenario;
use healing_core::rng::Rng;

/// Length of an episode in seconds.
const SECONDS: f64 = 3600.0;

/// Population of the [module](self).
#[derive(Debug, Clone, Copy)]
pub struct Named;

impl Population for Named {
    fn name(&self) -> &'static str {
        "named"
    }

    fn draw(&self, seed: u64) -> Box<dyn Episode> {
        Box::new(LifeEpisode::new(draw(in_turn(&Scenario::ALL, seed), seed)))
    }
}

/// Returns the life of a scenario.
pub(super) fn draw(scenario: Scenario, seed: u64) -> Life {
    let mut rng = Rng::new(seed).part(21);
    let rate = log_between(&mut rng, 3.0, 60.0);
    let utilisation = rng.between(0.1, 0.5);
    let mut drawn = life(seed, SECONDS, rate, utilisation, &mut rng);
    let onset = rng.between(600.0, 1200.0);
    drawn.clients.rate = Rate::daily(SECONDS, rate, rng.between(0.0, 0.3), rng.between(0.0, 24.0));
    adapt(&mut drawn, scenario, rate, onset, &mut rng);
    drawn
}

fn adapt(drawn: &mut Life, scenario: Scenario, rate: f64, onset: f64, rng: &mut Rng) {
    let end = onset + rng.between(120.0, 1000.0);
    let share = log_between(rng, 0.12, 1.0);
    let headroom = drawn.capacity() / rate;
    let free_memory = 98.0 - drawn.memory.base - drawn.memory.cache - drawn.memory.saw;
    let free_descriptors = 100.0 - drawn.memory.descriptors;
    let until = |effect, end| Fault {
        end,
        ..Fault::new(effect, Cure::Nothing, onset)
    };
    let fault = |effect, cure| Some(Fault::new(effect, cure, onset));
    let fault = match scenario {
        Scenario::Healthy => None,
        Scenario::Noisy => {
            drawn.service.errors = rng.between(0.01, 0.08);
            let calm = Rate::of(SECONDS, |_| rate);
            drawn.clients.rate = calm.bursts(300.0, 60.0, 1.8, rng);
            None
        }
        Scenario::DeployWarmUp => {
            drawn.service.start.age = 0.0;
            drawn.service.start.cold_factor = rng.between(1.0, 3.0);
            None
        }
        Scenario::NightlyBatch => {
            drawn.utc_hour = rng.between(0.0, 5.0);
            drawn.machine.jobs = vec![(onset, end, 1)];
            None
        }
        Scenario::TrafficSpike => {
            let factor = (headroom * rng.between(0.6, 1.4)).max(1.5);
            drawn.clients.rate = drawn.clients.rate.clone().times(onset, end, factor);
            None
        }
        Scenario::RetryStorm => {
            let factor = (headroom * rng.between(1.2, 2.5)).max(2.0);
            drawn.clients.retries = rng.between(0.8, 1.0);
            let end = onset + rng.between(20.0, 80.0);
            drawn.clients.rate = drawn.clients.rate.clone().times(onset, end, factor);
            None
        }
        Scenario::DependencyOutage => {
            drawn.service.dependencies = drawn.service.dependencies.max(1);
            Some(until(Effect::DependencyDown(rng.between(0.7, 1.0)), end))
        }
        Scenario::SlowDependency => {
            drawn.service.pool = Some(pool(drawn, rate));
            Some(until(Effect::SlowPool(rng.between(3.0, 16.0)), end))
        }
        Scenario::BadRollout => {
            drawn.service.start.age = 0.0;
            let effect = if rng.unit() < 0.4 {
                Effect::Panics(share)
            } else {
                Effect::Errors(share)
            };
            Some(Fault::new(effect, Cure::Nothing, 0.0))
        }
        Scenario::CacheFill => {
            drawn.service.start.age = 0.0;
            drawn.memory.cache = rng.between(25.0, 45.0);
            drawn.memory.base = drawn.memory.base.min(35.0);
            drawn.memory.cache_seconds = rng.between(120.0, 600.0);
            None
        }
        Scenario::SlowLeak => {
            let leak = Effect::MemoryLeak(free_memory / rng.between(1200.0, 14_400.0));
            fault(leak, Cure::Restart)
        }
        Scenario::FastLeak => {
            let leak = Effect::MemoryLeak(free_memory / rng.between(180.0, 720.0));
            fault(leak, Cure::Restart)
        }
        Scenario::DescriptorLeak => {
            let leak = Effect::DescriptorLeak(free_descriptors / rng.between(180.0, 900.0));
            fault(leak, Cure::Restart)
        }
        Scenario::PoisonedCache | Scenario::DeadConnections => {
            fault(Effect::Errors(share), Cure::SoftHeal)
        }
        Scenario::PoolExhaustion => {
            let pool = pool(drawn, rate);
            drawn.service.pool = Some(pool);
            let leak = Effect::PoolLeak(f64::from(pool.slots) / rng.between(10.0, 90.0));
            fault(leak, Cure::SoftHeal)
        }
        Scenario::JammedQueue => fault(Effect::Jam(share), Cure::SoftHeal),
        Scenario::Stall => fault(Effect::Wedge, Cure::Restart),
        Scenario::BlockedWorkers => {
            keep_workers_busy(drawn, rate);
            let blocked = drawn.service.workers - 1;
            fault(Effect::BlockedWorkers(blocked), Cure::Restart)
        }
        Scenario::CpuSpin => {
            drawn
                .machine
                .quota
                .get_or_insert(f64::from(drawn.service.workers));
            fault(Effect::Spin(drawn.service.workers + 1), Cure::Restart)
        }
        Scenario::BrokenLock => fault(Effect::Panics(share), Cure::Restart),
    };
    drawn.faults.extend(fault);
}

/// Returns the app's pool, or one of a database with a utilisation of 0.2.
fn pool(life: &Life, rate: f64) -> Pool {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // small
    life.service.pool.unwrap_or(Pool {
        slots: (rate * 0.02 / 0.2).max(4.0).ceil() as u32,
        hold: Distribution::Exponential(0.02),
        acquire_timeout: 30.0,
    })
}
