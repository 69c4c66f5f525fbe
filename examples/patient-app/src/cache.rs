//! The cache that `/data` is served from.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// What `/data` serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: u32,
    pub(crate) value: String,
}

/// Records by id, kept as the JSON they are served as, each for [`Cache::KEPT_FOR`].
#[derive(Debug, Default)]
pub struct Cache {
    entries: Mutex<HashMap<u32, Entry>>,
}

#[derive(Debug, Clone)]
struct Entry {
    json: Vec<u8>,
    stale_at: Instant,
}

/// What the cache has for an id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cached {
    Hit(Record),
    Miss,
    /// Not stale yet, so it is not loaded anew, but it does not parse.
    Broken(String),
}

impl Cache {
    /// Number of records: ids are `0..RECORDS`.
    pub const RECORDS: u32 = 16;
    /// How long a record is served before it is loaded anew.
    pub const KEPT_FOR: Duration = Duration::from_secs(1);
    /// One of this many records breaks when the cache is poisoned.
    pub const POISONED_ONE_IN: u32 = 4;
    /// A poisoned entry's time to live: nothing heals it but dropping it.
    const POISON_KEPT_FOR: Duration = Duration::from_secs(365 * 24 * 3600);

    pub(crate) fn get(&self, id: u32) -> Cached {
        let entries = self.lock();
        match entries.get(&id) {
            Some(entry) if Instant::now() < entry.stale_at => {
                match serde_json::from_slice(&entry.json) {
                    Ok(record) => Cached::Hit(record),
                    Err(error) => Cached::Broken(error.to_string()),
                }
            }
            _ => Cached::Miss,
        }
    }

    pub(crate) fn put(&self, record: &Record) {
        if let Ok(json) = serde_json::to_vec(record) {
            let stale_at = Instant::now() + Self::KEPT_FOR;
            self.lock().insert(record.id, Entry { json, stale_at });
        }
    }

    /// Drops everything; records are loaded anew. What the soft heal does.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Breaks some entries as a writer does that was cut off midway and got the expiry wrong.
    pub(crate) fn poison(&self) {
        let stale_at = Instant::now() + Self::POISON_KEPT_FOR;
        let mut entries = self.lock();
        for id in (0..Self::RECORDS).filter(|id| id % Self::POISONED_ONE_IN == 0) {
            let json = format!("{{\"id\":{id},\"val").into_bytes();
            entries.insert(id, Entry { json, stale_at });
        }
    }

    /// Entries that cannot be served.
    pub(crate) fn broken(&self) -> usize {
        let broken = |entry: &&Entry| serde_json::from_slice::<Record>(&entry.json).is_err();
        self.lock().values().filter(broken).count()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Entry>> {
        // A panic elsewhere leaves whole entries behind: each insert is one step.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poison_stays_until_the_cache_is_dropped() {
        let cache = Cache::default();
        let record = Record {
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
