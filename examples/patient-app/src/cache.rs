//! Cache from which `/data` is served.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Record that `/data` serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CachedRecord {
    pub(crate) id: u32,
    pub(crate) value: String,
}

/// Records by id, as JSON. Each entry expires after [`Cache::TTL`].
#[derive(Debug, Default)]
pub struct Cache {
    entries: Mutex<HashMap<u32, Entry>>,
}

#[derive(Debug, Clone)]
struct Entry {
    json: Vec<u8>,
    expires_at: Instant,
}

/// Result of a lookup.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cached {
    Hit(CachedRecord),
    Miss,
    /// Entry that has not expired but does not parse.
    Broken(String),
}

impl Cache {
    /// Number of records. Ids are `0..RECORDS`.
    pub const RECORDS: u32 = 16;
    /// Time to live of an entry.
    pub const TTL: Duration = Duration::from_secs(1);
    /// Number of records of which poisoning breaks one.
    pub const POISONED_ONE_IN: u32 = 4;
    /// Time to live of a poisoned entry, which only dropping the cache removes.
    const POISON_TTL: Duration = Duration::from_secs(365 * 24 * 3600);

    pub(crate) fn get(&self, id: u32) -> Cached {
        let entries = self.lock();
        match entries.get(&id) {
            Some(entry) if Instant::now() < entry.expires_at => {
                match serde_json::from_slice(&entry.json) {
                    Ok(record) => Cached::Hit(record),
                    Err(error) => Cached::Broken(error.to_string()),
                }
            }
            _ => Cached::Miss,
        }
    }

    pub(crate) fn put(&self, record: &CachedRecord) {
        if let Ok(json) = serde_json::to_vec(record) {
            let expires_at = Instant::now() + Self::TTL;
            self.lock().insert(record.id, Entry { json, expires_at });
        }
    }

    /// Drops all entries, as the soft heal does.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Replaces some entries by truncated JSON that does not expire within a year.
    pub(crate) fn poison(&self) {
        let expires_at = Instant::now() + Self::POISON_TTL;
        let mut entries = self.lock();
        for id in (0..Self::RECORDS).filter(|id| id % Self::POISONED_ONE_IN == 0) {
            let json = format!("{{\"id\":{id},\"val").into_bytes();
            entries.insert(id, Entry { json, expires_at });
        }
    }

    /// Returns the number of entries that do not parse.
    pub(crate) fn broken(&self) -> usize {
        let broken = |entry: &&Entry| serde_json::from_slice::<CachedRecord>(&entry.json).is_err();
        self.lock().values().filter(broken).count()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Entry>> {
        // Each insert is one step, so a panic leaves no partial entry.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poison_persists_until_cache_is_dropped() {
        let cache = Cache::default();
        let record = CachedRecord {
            id: 0,
            value: "fresh".into(),
        };
        cache.put(&record);
        assert_eq!(cache.get(0), Cached::Hit(record.clone()));
        assert_eq!(cache.broken(), 0);

        cache.poison();
        assert!(matches!(cache.get(0), Cached::Broken(_)));
        assert_eq!(cache.get(1), Cached::Miss);
        assert_eq!(cache.broken(), 4);

        cache.clear();
        assert_eq!(cache.get(0), Cached::Miss);
        assert_eq!(cache.broken(), 0);
    }
}
