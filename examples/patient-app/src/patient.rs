//! State of the patient.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::cache::Cache;
use crate::dependency::Dependency;
use crate::failure_rate::FailureRate;
use crate::faults::{CpuSpin, Leak, Wedge};
use crate::settings::Settings;

/// Patient, with its cache, dependency and faults. A process may have several patients.
#[derive(Debug)]
pub struct Patient {
    pub(crate) cache: Cache,
    pub(crate) failure_rate: FailureRate,
    pub(crate) dependency: Option<Dependency>,
    pub(crate) leak: Leak,
    pub(crate) wedge: Wedge,
    pub(crate) cpu_spin: CpuSpin,
    next: AtomicU32,
}

impl Patient {
    /// Creates a healthy patient.
    #[must_use]
    pub fn new(settings: &Settings) -> Arc<Self> {
        Arc::new(Self {
            cache: Cache::default(),
            failure_rate: FailureRate::new(settings.failure_rate),
            dependency: settings.dependency.as_deref().map(Dependency::new),
            leak: Leak::default(),
            wedge: Wedge::default(),
            cpu_spin: CpuSpin::default(),
            next: AtomicU32::new(0),
        })
    }

    /// Returns the cache of `/data`.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Returns the ids in turn, so that a broken record fails its exact share of the requests.
    pub(crate) fn next_id(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed) % Cache::RECORDS
    }
}
