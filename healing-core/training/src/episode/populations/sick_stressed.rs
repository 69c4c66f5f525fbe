//! Faults under stress, two hours each. A treatment stops each fault, and the load stays within the capacity.
//!
//! | fault | parameters | cure |
//! |---|---|---|
//! | convoy | the lock is held for 1.2–3 times the time between requests | restart |
//! | wedge | all workers are blocked | restart |
//! | blocked workers | all but one of three or more, which are busy for 0.7 of their time | restart |
//! | slow consumer | the pool serves 0.2–0.8 of the demand | restart |
//! | pool leak | exhausted within 1–20 minutes | soft heal |
//! | dead task | 12–100 % of the requests fail | restart |
//! | dead front door | connections are refused or time out | restart |
//! | poisoned cache | 12–100 % of the requests fail | soft heal |
//! | memory leak | the limit is reached within 10–60 minutes | restart, for a time |
//! | descriptor leak | the limit is reached within 5–40 minutes | restart, for a time |
//! | spin | one thread more than workers, under a quota | restart |
//! | panics | 12–100 % of the requests panic | restart |
//! | jam | 12–100 % of the requests wait for a dead consumer | soft heal |
//!
//! Nine of ten apps have 20–200 requests per second (at less, counts are too small to learn from), at a
//! utilisation of 0.4–0.75. Half of the apps are also under a stress, with at most 0.9 of the capacity.
//! The onset is after 20–60 minutes, so that a decider can know the usual.

use super::draw::{keep_workers_busy, life, log_between};
use super::in_turn;
use super::stressed::{Stress, apply};
use crate::episode::spec::{Cure, Distribution, Effect, Fault, Life, Pool};
use crate::episode::{Episode, LifeEpisode, Population};
use healing_core::rng::Rng;

/// Length of an episode in seconds.
const SECONDS: f64 = 7200.0;
/// Kinds of stress that coincide with a fault.
const STRESS: [Stress; 5] = [
    Stress::Ramp,
    Stress::Bursts,
    Stress::Throttling,
    Stress::Impatience,
    Stress::Job,
];
/// Maximum load relative to the capacity, because a higher load causes failures without a fault.
const MAX_LOAD: f64 = 0.9;

/// Population of the [module](self).
#[derive(Debug, Clone, Copy)]
pub struct SickStressed;

/// Kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sickness {
    Convoy,
    Wedge,
    BlockedWorkers,
    SlowConsumer,
    PoolLeak,
    DeadTask,
    DeadFrontDoor,
    PoisonedCache,
    MemoryLeak,
    DescriptorLeak,
    Spin,
    Panics,
    Jam,
}

impl Sickness {
    pub(super) const ALL: [Self; 13] = [
        Self::Convoy,
        Self::Wedge,
        Self::BlockedWorkers,
        Self::SlowConsumer,
        Self::PoolLeak,
        Self::DeadTask,
        Self::DeadFrontDoor,
        Self::PoisonedCache,
        Self::MemoryLeak,
        Self::DescriptorLeak,
        Self::Spin,
        Self::Panics,
        Self::Jam,
    ];
}

impl SickStressed {
    /// Returns the life of this seed.
    #[must_use]
    pub fn life(seed: u64) -> Life {
        draw(in_turn(&Sickness::ALL, seed), seed)
    }
}

impl Population for SickStressed {
    fn name(&self) -> &'static str {
        "sick_stressed"
    }

    fn draw(&self, seed: u64) -> Box<dyn Episode> {
        Box::new(LifeEpisode::new(Self::life(seed)))
    }
}

/// Returns the life of an app in which this fault begins.
pub(super) fn draw(sickness: Sickness, seed: u64) -> Life {
    let mut rng = Rng::new(seed).part(41);
    let rate = if rng.unit() < 0.9 {
        log_between(&mut rng, 20.0, 200.0)
    } else {
        log_between(&mut rng, 0.1, 20.0)
    };
    let utilisation = rng.between(0.4, 0.75);
    let mut drawn = life(seed, SECONDS, rate, utilisation, &mut rng);
    let onset = rng.between(1200.0, 3600.0);
    if rng.unit() < 0.5 {
        let stress = STRESS[rng.index(STRESS.len())];
        apply(&mut drawn, stress, rate, utilisation, &mut rng);
        if stress == Stress::Throttling {
            drawn.machine.quota = drawn.machine.quota.map(|quota| 1.3 * quota);
        }
        let most = MAX_LOAD * drawn.capacity();
        drawn.clients.rate = drawn.clients.rate.clone().capped(most);
    }
    let fault = fault(&mut drawn, sickness, rate, onset, &mut rng);
    drawn.faults = vec![fault];
    drawn
}

fn fault(life: &mut Life, sickness: Sickness, rate: f64, onset: f64, rng: &mut Rng) -> Fault {
    let share = log_between(rng, 0.12, 1.0);
    let free_memory = 98.0 - life.memory.base - life.memory.cache - life.memory.saw;
    let free_descriptors = 100.0 - life.memory.descriptors;
    let (effect, cure) = match sickness {
        Sickness::Convoy => (Effect::Convoy(rng.between(1.2, 3.0) / rate), Cure::Restart),
        Sickness::Wedge => (Effect::Wedge, Cure::Restart),
        Sickness::BlockedWorkers => {
            keep_workers_busy(life, rate);
            (
                Effect::BlockedWorkers(life.service.workers - 1),
                Cure::Restart,
            )
        }
        Sickness::SlowConsumer => {
            let pool = consumer(rate);
            life.service.pool = Some(pool);
            let capacity = f64::from(pool.slots) / pool.hold.mean();
            (
                Effect::SlowPool(capacity / rate / rng.between(0.2, 0.8)),
                Cure::Restart,
            )
        }
        Sickness::PoolLeak => {
            let pool = *life.service.pool.get_or_insert_with(|| consumer(rate));
            let seconds = log_between(rng, 60.0, 1200.0);
            (
                Effect::PoolLeak(f64::from(pool.slots) / seconds),
                Cure::SoftHeal,
            )
        }
        Sickness::DeadTask => (Effect::Errors(share), Cure::Restart),
        Sickness::DeadFrontDoor => (Effect::DeadFrontDoor(rng.unit() < 0.5), Cure::Restart),
        Sickness::PoisonedCache => (Effect::Errors(share), Cure::SoftHeal),
        Sickness::MemoryLeak => {
            let seconds = log_between(rng, 600.0, 3600.0);
            (Effect::MemoryLeak(free_memory / seconds), Cure::Restart)
        }
        Sickness::DescriptorLeak => {
            let seconds = log_between(rng, 300.0, 2400.0);
            (
                Effect::DescriptorLeak(free_descriptors / seconds),
                Cure::Restart,
            )
        }
        Sickness::Spin => {
            // On a machine with free cores a spinning thread does no harm.
            life.machine
                .quota
                .get_or_insert(f64::from(life.service.workers));
            (Effect::Spin(life.service.workers + 1), Cure::Restart)
        }
        Sickness::Panics => (Effect::Panics(share), Cure::Restart),
        Sickness::Jam => (Effect::Jam(share), Cure::SoftHeal),
    };
    Fault::new(effect, cure, onset)
}

/// Returns a queue with an unbounded wait and four consumers, at a utilisation of at most a half.
fn consumer(rate: f64) -> Pool {
    Pool {
        slots: 4,
        hold: Distribution::Exponential((4.0 * 0.5 / rate).min(0.1)),
        acquire_timeout: f64::INFINITY,
    }
}
