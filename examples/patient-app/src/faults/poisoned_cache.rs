//! `poisoned-cache`: entries that do not parse and do not expire. Dropping the cache removes them.

use super::FaultError;
use crate::cache::Cache;

pub(super) fn on(cache: &Cache) -> Result<(), FaultError> {
    cache.poison();
    Ok(())
}

pub(super) fn off(cache: &Cache) {
    cache.clear();
}

pub(super) fn state(cache: &Cache) -> (bool, String) {
    let broken = cache.broken();
    (broken > 0, format!("{broken} broken entries"))
}
