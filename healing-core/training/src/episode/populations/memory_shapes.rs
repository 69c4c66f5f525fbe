//! Memory and descriptors over three hours. Half of the episodes leak, the others only look like it.
//!
//! | shape | parameters |
//! |---|---|
//! | leak | the limit is reached within 20–120 minutes, also with a cache or a sawtooth |
//! | leak of descriptors | the limit is reached within 20–120 minutes |
//! | cache | 20–60 % of the limit, time constant 5–60 minutes, stays below the limit |
//! | plateau | 90–97 % of the limit, all the time |
//! | sawtooth | 20–60 % high, a period of 5–60 minutes |
//! | retention | the allocator keeps the usage of the highest burst |
//! | idle | 0.05 % of the limit |
//!
//! Rates are only 1–20 requests per second, because memory does not depend on them and three hours
//! are simulated.

use super::draw::{life, log_between};
use super::in_turn;
use crate::episode::spec::{Cure, Effect, Fault, Life, Rate};
use crate::episode::{Episode, LifeEpisode, Population};
use healing_core::rng::Rng;

/// Length of an episode in seconds.
const SECONDS: f64 = 10_800.0;

/// Population of the [module](self).
#[derive(Debug, Clone, Copy)]
pub struct MemoryShapes;

/// Course of the usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Leak,
    Cache,
    DescriptorLeak,
    Plateau,
    LeakBesideCache,
    Sawtooth,
    LeakBesideSawtooth,
    Retention,
    SlowLeak,
    Idle,
}

impl Shape {
    pub(super) const ALL: [Self; 10] = [
        Self::Leak,
        Self::Cache,
        Self::DescriptorLeak,
        Self::Plateau,
        Self::LeakBesideCache,
        Self::Sawtooth,
        Self::LeakBesideSawtooth,
        Self::Retention,
        Self::SlowLeak,
        Self::Idle,
    ];
}

impl MemoryShapes {
    /// Returns the life of this seed.
    #[must_use]
    pub fn life(seed: u64) -> Life {
        draw(in_turn(&Shape::ALL, seed), seed)
    }
}

impl Population for MemoryShapes {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn draw(&self, seed: u64) -> Box<dyn Episode> {
        Box::new(LifeEpisode::new(Self::life(seed)))
    }
}

/// Returns the life of an app with this course of the usage.
pub(super) fn draw(shape: Shape, seed: u64) -> Life {
    let mut rng = Rng::new(seed).part(51);
    let rate = log_between(&mut rng, 1.0, 20.0);
    let utilisation = rng.between(0.1, 0.5);
    let mut drawn = life(seed, SECONDS, rate, utilisation, &mut rng);
    let hour = rng.between(0.0, 24.0);
    drawn.clients.rate = Rate::daily(SECONDS, rate, rng.between(0.0, 0.8), hour);
    let onset = rng.between(600.0, 2400.0);
    let most = drawn.capacity();
    let memory = &mut drawn.memory;
    memory.base = rng.between(5.0, 40.0);
    memory.cache = 0.0;
    memory.saw = 0.0;
    match shape {
        Shape::Cache | Shape::LeakBesideCache => {
            drawn.service.start.age = 0.0;
            memory.cache = rng.between(20.0, 55.0);
            memory.cache_seconds = log_between(&mut rng, 300.0, 3600.0);
        }
        Shape::Plateau => memory.base = rng.between(90.0, 97.0),
        Shape::Sawtooth | Shape::LeakBesideSawtooth => {
            memory.saw = rng.between(20.0, 50.0);
            memory.saw_seconds = log_between(&mut rng, 300.0, 3600.0);
        }
        Shape::Retention => {
            memory.retains = true;
            memory.per_request = rng.between(0.5, 3.0);
            memory.per_request_limit = rng.between(20.0, 50.0);
            let bursts = Rate::of(SECONDS, |_| rate).bursts(900.0, 30.0, 4.0, &mut rng);
            drawn.clients.rate = bursts.capped(most);
        }
        Shape::Idle => memory.base = 0.05,
        Shape::Leak | Shape::DescriptorLeak | Shape::SlowLeak => {}
    }
    let free = 99.0 - memory.base - memory.cache - memory.saw;
    let seconds = log_between(&mut rng, 1200.0, 7200.0);
    let effect = match shape {
        Shape::Leak | Shape::LeakBesideCache | Shape::LeakBesideSawtooth => {
            Effect::MemoryLeak(free / seconds)
        }
        Shape::SlowLeak => Effect::MemoryLeak(free / 7000.0),
        Shape::DescriptorLeak => Effect::DescriptorLeak((100.0 - memory.descriptors) / seconds),
        _ => return drawn,
    };
    drawn.faults = vec![Fault::new(effect, Cure::Restart, onset)];
    drawn
}
