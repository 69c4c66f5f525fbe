//! State of the patient.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::cache::Cache;
use crate::dependency::Dependency;
use crate::failure_rate::FailureRate;
use crate::faults::Faults;
use crate::settings::Settings;

/// Patient, with its cache, dependency and faults. A process may have several patients.
#[derive(Debug)]
pub struct Patient {
    pub(crate) cache: Arc<Cache>,
    pub(crate) failure_rate: FailureRate,
    pub(crate) dependency: Option<Dependency>,
    pub(crate) faults: Arc<Faults>,
    /// CPU time of a request to `/work`.
    pub(crate) work: Duration,
    next: AtomicU32,
}

impl Patient {
    /// Creates a healthy patient.
    #[must_use]
    pub fn new(settings: &Settings) -> Arc<Self> {
        let cache = Arc::new(Cache::default());
        let dependency = settings.dependency.as_deref().map(Dependency::new);
        Arc::new(Self {
            faults: Arc::new(Faults::new(Arc::clone(&cache), dependency.clone())),
            cache,
            failure_rate: FailureRate::new(settings.failure_rate),
            dependency,
            work: settings.work,
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
