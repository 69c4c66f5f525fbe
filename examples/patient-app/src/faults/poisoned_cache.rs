//! `poisoned-cache`: entries that do not parse and do not expire. Dropping the cache removes them.

use super::FaultError;
use crate::patient::Patient;

pub(super) fn on(patient: &Patient) -> Result<(), FaultError> {
    patient.cache.poison();
    Ok(())
}

pub(super) fn off(patient: &Patient) {
    patient.cache.clear();
}

pub(super) fn state(patient: &Patient) -> (bool, String) {
    let broken = patient.cache.broken();
    (broken > 0, format!("{broken} broken entries"))
}
