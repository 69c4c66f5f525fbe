//! `dependency-outage`: the dependency's process is told to end, and does. Only whoever started
//! it can bring it back; a restart of the patient cannot.

use super::Refusal;
use crate::dependency::Dependency;
use crate::patient::Patient;

pub(super) async fn on(patient: &Patient) -> Result<(), Refusal> {
    let dependency = dependency(patient)?;
    dependency.shut_down().await.map_err(|error| {
        Refusal::NotPossible(format!(
            "the dependency at {} cannot be told to end: {error}",
            dependency.address()
        ))
    })
}

pub(super) async fn off(patient: &Patient) -> Result<(), Refusal> {
    let dependency = dependency(patient)?;
    dependency.ping().await.map_err(|_| {
        Refusal::NotPossible(format!(
            "a process that ended is started again by whoever started it: \
             patient-app dependency --bind {}",
            dependency.address()
        ))
    })
}

pub(super) async fn state(patient: &Patient) -> (bool, String) {
    match &patient.dependency {
        None => (false, "no dependency is set".to_owned()),
        Some(dependency) => match dependency.ping().await {
            Ok(()) => (false, format!("{} answers", dependency.address())),
            Err(error) => (
                true,
                format!("{} does not answer: {error}", dependency.address()),
            ),
        },
    }
}

fn dependency(patient: &Patient) -> Result<&Dependency, Refusal> {
    patient.dependency.as_ref().ok_or_else(|| {
        Refusal::NotPossible(
            "no dependency is set: start the patient with --dependency HOST:PORT".to_owned(),
        )
    })
}
