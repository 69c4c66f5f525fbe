//! The app's state.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::cache::Cache;
use crate::chance::Chance;
use crate::dependency::Dependency;
use crate::faults::{CpuSpin, Leak, Wedge};
use crate::settings::Settings;

/// One patient: its cache, its dependency and its faults. Two may live in one process.
#[derive(Debug)]
pub struct Patient {
    pub(crate) cache: Cache,
    pub(crate) chance: Chance,
    pub(crate) dependency: Option<Dependency>,
    pub(crate) leak: Leak,
    pub(crate) wedge: Wedge,
    pub(crate) cpu_spin: CpuSpin,
    next: AtomicU32,
}

impl Patient {
    /// A healthy patient.
    #[must_use]
    pub fn new(settings: &Settings) -> Arc<Self> {
        Arc::new(Self {
            cache: Cache::default(),
            chance: Chance::new(settings.failure_rate),
            dependency: settings.dependency.as_deref().map(Dependency::at),
            leak: Leak::default(),
            wedge: Wedge::default(),
            cpu_spin: CpuSpin::default(),
            next: AtomicU32::new(0),
        })
    }

    /// The cache behind `/data`.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Ids in turn, so that a broken one fails its exact share of the requests.
    pub(crate) fn next_id(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed) % Cache::RECORDS
    }
}
