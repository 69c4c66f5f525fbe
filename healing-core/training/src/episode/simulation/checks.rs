//! Registered checks of the app: its dependencies, and a local check of the pool.

use crate::episode::spec::Service;
use healing_core::health::{CheckKind, CheckReport, CheckState};

/// Last results of the checks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Checks {
    /// Time of the last results; absent before the first.
    at: Option<f64>,
    dependency_failing: bool,
    pool_failing: bool,
}

// === impl Checks ===

impl Checks {
    /// Records the results of a run.
    pub(super) fn record(&mut self, now: f64, dependency_failing: bool, pool_failing: bool) {
        *self = Self {
            at: Some(now),
            dependency_failing,
            pool_failing,
        };
    }

    /// Returns the checks of a service in the form of `/health`.
    pub(super) fn reports(&self, now: f64, service: &Service) -> Vec<CheckReport> {
        let report = |name: String, kind, failing| CheckReport {
            name,
            kind,
            optional: false,
            state: match (self.at, failing) {
                (None, _) => CheckState::Unknown,
                (Some(_), true) => CheckState::Failing,
                (Some(_), false) => CheckState::Passing,
            },
            age_seconds: self.at.map(|at| now - at),
            error: (failing && self.at.is_some()).then(|| "failed".to_owned()),
        };
        let names = (0..service.dependencies).map(|index| {
            let name = format!("dependency-{index}");
            let failing = index == 0 && self.dependency_failing;
            report(name, CheckKind::Dependency, failing)
        });
        let pool = service
            .local_check
            .then(|| report("pool".to_owned(), CheckKind::Local, self.pool_failing));
        names.chain(pool).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_unknown_until_they_run_and_only_the_first_dependency_fails() {
        let service = Service {
            dependencies: 2,
            local_check: true,
            ..Service::default()
        };
        let mut checks = Checks::default();
        let states = |checks: &Checks| -> Vec<CheckState> {
            let reports = checks.reports(30.0, &service);
            reports.iter().map(|report| report.state).collect()
        };
        assert_eq!(states(&checks), [CheckState::Unknown; 3]);
        checks.record(20.0, true, false);
        assert_eq!(
            states(&checks),
            [
                CheckState::Failing,
                CheckState::Passing,
                CheckState::Passing
            ]
        );
    }
}
