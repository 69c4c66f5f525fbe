//! `dependency-outage`: the dependency's process exits on request. A restart of the patient does not start
//! it again.

use super::FaultError;
use crate::dependency::Dependency;

pub(super) async fn on(dependency: Option<&Dependency>) -> Result<(), FaultError> {
    let dependency = required(dependency)?;
    dependency.shutdown().await.map_err(|error| {
        FaultError::NotPossible(format!(
            "the dependency at {} cannot be shut down: {error}",
            dependency.address()
        ))
    })
}

pub(super) async fn off(dependency: Option<&Dependency>) -> Result<(), FaultError> {
    let dependency = required(dependency)?;
    dependency.ping().await.map_err(|_| {
        FaultError::NotPossible(format!(
            "the patient cannot start the dependency again; start it manually: \
             patient-app dependency --bind {}",
            dependency.address()
        ))
    })
}

pub(super) async fn state(dependency: Option<&Dependency>) -> (bool, String) {
    match dependency {
        None => (false, "no dependency is set".to_owned()),
        Some(dependency) => match dependency.ping().await {
            Ok(()) => (false, format!("{} responds", dependency.address())),
            Err(error) => (
                true,
                format!("{} does not respond: {error}", dependency.address()),
            ),
        },
    }
}

fn required(dependency: Option<&Dependency>) -> Result<&Dependency, FaultError> {
    dependency.ok_or_else(|| {
        FaultError::NotPossible(
            "no dependency is set; start the patient with --dependency HOST:PORT".to_owned(),
        )
    })
}
