//! Run of all deciders on all episodes, on all cores, with common random numbers.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::deciders::DeciderName;
use super::record::{EpisodeRecord, Key};
use super::results_file::{ResultsError, ResultsFile};
use crate::episode::Population;
use healing_core::rng::Rng;

/// Part of an episode's random numbers that seeds the deciders.
const DECIDER_PART: u64 = 0x6465_6369_6465;

/// Distance of the first seeds of two runs: shorter runs have no episode in common.
const SEEDS_APART: u64 = 1_000_000;

/// Episodes and deciders of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Names of the populations.
    pub populations: Vec<String>,
    /// Deciders, each on every episode.
    pub deciders: Vec<DeciderName>,
    /// Number of episodes of each population.
    pub episodes: u32,
    /// Seed of the run: episode *i* depends on it and on *i* alone.
    pub seed: u64,
}

/// Error of a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A population does not exist.
    #[error("no population {name}: known are {}", known.join(", "))]
    UnknownPopulation {
        /// Name that was given.
        name: String,
        /// Names of the populations.
        known: Vec<&'static str>,
    },
    /// The results cannot be read or written.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// A thread panicked.
    #[error("a thread panicked")]
    Panicked,
}

/// Finished episodes by identity, and the file to which more are appended.
#[derive(Debug, Default)]
pub struct Store {
    records: BTreeMap<Key, EpisodeRecord>,
    file: Option<ResultsFile>,
}

impl Store {
    /// Returns a store that continues a results file.
    #[must_use]
    pub fn resume(file: ResultsFile, records: Vec<EpisodeRecord>) -> Self {
        let by_key = |record: EpisodeRecord| (record.key.clone(), record);
        Self {
            records: records.into_iter().map(by_key).collect(),
            file: Some(file),
        }
    }

    fn add(&mut self, records: Vec<EpisodeRecord>) -> Result<(), ResultsError> {
        if let Some(file) = &mut self.file {
            file.append(&records)?;
        }
        for record in records {
            self.records.insert(record.key.clone(), record);
        }
        Ok(())
    }
}

impl Plan {
    /// Returns the seed of an episode. Seeds follow one another, so that a population that takes its kinds
    /// in turn has all of them equally often.
    fn episode_seed(&self, index: u32) -> u64 {
        self.seed
            .wrapping_mul(SEEDS_APART)
            .wrapping_add(index.into())
    }

    /// Returns the identities of all episodes: by population, then by index, then by decider.
    fn keys(&self, population: &str, index: u32) -> impl Iterator<Item = (DeciderName, Key)> {
        let seed = self.episode_seed(index);
        self.deciders.iter().map(move |&decider| {
            let key = Key {
                population: population.to_owned(),
                seed,
                decider: decider.as_str().to_owned(),
            };
            (decider, key)
        })
    }

    /// Runs the episodes that the store lacks and returns the records of all, by population, index and
    /// decider. `progress` receives the numbers of finished and of all episodes.
    ///
    /// # Errors
    ///
    /// If a population does not exist, a thread panics, or the results cannot be written.
    pub fn run(
        &self,
        populations: &(dyn Fn() -> Vec<Box<dyn Population>> + Sync),
        store: Store,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Vec<EpisodeRecord>, RunError> {
        let known = populations();
        if let Some(unknown) = self
            .populations
            .iter()
            .find(|name| known.iter().all(|population| population.name() != **name))
        {
            return Err(RunError::UnknownPopulation {
                name: unknown.clone(),
                known: known.iter().map(|population| population.name()).collect(),
            });
        }
        // Indices in turn over the populations, so that an interrupted run has some of each.
        let items: Vec<(&str, u32)> = (0..self.episodes)
            .flat_map(|index| self.populations.iter().map(move |name| (&**name, index)))
            .collect();
        let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let failed = AtomicBool::new(false);
        let store = Mutex::new(store);
        let worker = || -> Result<(), RunError> {
            // Populations are not shared between threads: they need not be `Sync`.
            let populations = populations();
            while !failed.load(Ordering::Relaxed) {
                let Some(&(name, index)) = items.get(next.fetch_add(1, Ordering::Relaxed)) else {
                    break;
                };
                let missing: Vec<_> = {
                    let store = store.lock().map_err(|_| RunError::Panicked)?;
                    self.keys(name, index)
                        .filter(|(_, key)| !store.records.contains_key(key))
                        .collect()
                };
                let population = populations.iter().find(|known| known.name() == name);
                if let Some(population) = population.filter(|_| !missing.is_empty()) {
                    let records = run_episode(&**population, missing);
                    let mut store = store.lock().map_err(|_| RunError::Panicked)?;
                    store.add(records).inspect_err(|_| {
                        failed.store(true, Ordering::Relaxed);
                    })?;
                }
                progress(finished.fetch_add(1, Ordering::Relaxed) + 1, items.len());
            }
            Ok(())
        };
        let cores = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
            for worker in workers {
                worker.join().map_err(|_| RunError::Panicked)??;
            }
            Ok::<_, RunError>(())
        })?;
        let mut store = store.into_inner().map_err(|_| RunError::Panicked)?;
        let wanted = self
            .populations
            .iter()
            .flat_map(|name| (0..self.episodes).flat_map(move |index| self.keys(name, index)));
        Ok(wanted
            .filter_map(|(_, key)| store.records.remove(&key))
            .collect())
    }
}

/// Returns the seed of the deciders on the episode of a seed.
pub(super) fn decider_seed(seed: u64) -> u64 {
    Rng::new(seed).part(DECIDER_PART).bits()
}

/// Runs these deciders on one episode.
fn run_episode(
    population: &dyn Population,
    deciders: Vec<(DeciderName, Key)>,
) -> Vec<EpisodeRecord> {
    let Some(seed) = deciders.first().map(|(_, key)| key.seed) else {
        return Vec::new();
    };
    let episode = population.draw(seed);
    let decider_seed = decider_seed(seed);
    deciders
        .into_iter()
        .map(|(decider, key)| {
            let outcome = episode.run(&mut *decider.build(decider_seed));
            EpisodeRecord::new(key, &outcome)
        })
        .collect()
}

#[cfg(test)]
mod tests;
