//! Checks of the declared dependencies. While one fails, no treatment of *this* app helps. A restart
//! adds a storm of reconnects to the outage, and a hook that clears a cache drops data that could still
//! be served. Results expire, so that a check that never finishes cannot veto treatments forever.

use std::time::Duration;

use crate::health::{CheckKind, CheckReport, CheckState, Health};
use crate::time::Time;

/// Latest results of the checks. They are kept while the app is unresponsive.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dependencies {
    /// Time until which a reported failure counts.
    failing_until: Option<Time>,
    /// Time of the oldest check whose result has not expired. `None` if there is none.
    oldest_check: Option<Time>,
    /// Set if every declared dependency has a passing result that has not expired.
    all_pass: bool,
    /// Share of the dependencies that fail. 0 if none is declared, `None` if the app cannot declare any.
    pub(crate) failing_share: Option<f64>,
    /// Share of the local checks that fail. 0 if none is declared, `None` if the app cannot declare any.
    pub(crate) local_failing_share: Option<f64>,
}

// === impl Dependencies ===

impl Dependencies {
    /// Evaluates checks, as if the app declared all of them.
    fn of(checks: &[CheckReport], now: Time, expiry: Duration) -> Self {
        let mut failing_until = None;
        let mut oldest_check = None;
        let mut all_pass = true;
        for check in checks
            .iter()
            .filter(|check| check.kind == CheckKind::Dependency)
        {
            // A result without an age counts as new. A check that has never run counts as expired.
            let age = match (check.state, check.age_seconds) {
                (CheckState::Unknown, _) => Duration::MAX,
                (_, Some(age)) => Duration::try_from_secs_f64(age.max(0.0)).unwrap_or_default(),
                (_, None) => Duration::ZERO,
            };
            all_pass &= age < expiry && check.state == CheckState::Passing;
            if age < expiry {
                let checked_at = now - age;
                oldest_check =
                    Some(oldest_check.map_or(checked_at, |oldest: Time| oldest.min(checked_at)));
                if check.state == CheckState::Failing {
                    failing_until = failing_until.max(Some(checked_at + expiry));
                }
            }
        }
        Self {
            failing_until,
            oldest_check,
            all_pass,
            failing_share: share_of_failing(checks, CheckKind::Dependency, expiry),
            local_failing_share: share_of_failing(checks, CheckKind::Local, expiry),
        }
    }

    /// Evaluates the checks of a health report. The original five-field protocol has no checks.
    pub(crate) fn of_report(health: &Health, now: Time, expiry: Duration) -> Self {
        let mut dependencies = Self::of(&health.checks, now, expiry);
        if health.schema.is_none() && health.checks.is_empty() {
            dependencies.failing_share = None;
            dependencies.local_failing_share = None;
        }
        dependencies
    }

    /// Returns `true` if a dependency is down.
    pub(crate) fn is_down(&self, now: Time) -> bool {
        self.failing_until.is_some_and(|until| now < until)
    }

    /// Returns `true` if a dependency that was down in the results `before` has passed its check. An
    /// expired failure does not count as recovery.
    pub(crate) fn has_recovered_since(&self, before: &Self, now: Time) -> bool {
        self.all_pass && before.is_down(now)
    }

    /// Returns `true` if a dependency has not been checked since `onset`, the onset of a symptom.
    pub(crate) fn has_check_older_than(&self, onset: Time) -> bool {
        self.oldest_check.is_some_and(|oldest| oldest < onset)
    }
}

/// Returns the share of the checks of a kind that fail. Expired failures do not count.
fn share_of_failing(checks: &[CheckReport], kind: CheckKind, expiry: Duration) -> Option<f64> {
    let of_kind = || checks.iter().filter(|check| check.kind == kind);
    let fails = |check: &&CheckReport| {
        check.state == CheckState::Failing
            && check
                .age_seconds
                .is_none_or(|age| age < expiry.as_secs_f64())
    };
    let count = |n: usize| u32::try_from(n).map_or(f64::INFINITY, f64::from);
    let declared = of_kind().count();
    Some(count(of_kind().filter(fails).count()) / count(declared.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPIRY: Duration = Duration::from_secs(60);

    fn check(kind: CheckKind, state: CheckState, age: f64) -> CheckReport {
        CheckReport {
            name: "db".into(),
            kind,
            optional: false,
            state,
            age_seconds: Some(age),
            error: None,
        }
    }

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn dependency_failure_counts_until_it_expires() {
        let failing = [check(CheckKind::Dependency, CheckState::Failing, 20.0)];
        let dependencies = Dependencies::of(&failing, at(100), EXPIRY);
        assert!(
            dependencies.is_down(at(100))
                && dependencies.is_down(at(139))
                && !dependencies.is_down(at(140))
        );
        assert_eq!(dependencies.failing_share, Some(1.0));
        let old = [check(CheckKind::Dependency, CheckState::Failing, 61.0)];
        assert!(!Dependencies::of(&old, at(100), EXPIRY).is_down(at(100)));
    }

    #[test]
    fn dependency_recovers_only_by_a_passing_check() {
        let checked = |state, age| {
            Dependencies::of(&[check(CheckKind::Dependency, state, age)], at(100), EXPIRY)
        };
        let down = checked(CheckState::Failing, 1.0);
        assert!(checked(CheckState::Passing, 1.0).has_recovered_since(&down, at(100)));
        assert!(!checked(CheckState::Failing, 1.0).has_recovered_since(&down, at(100)));
        assert!(!checked(CheckState::Passing, 61.0).has_recovered_since(&down, at(100)));
        assert!(!checked(CheckState::Unknown, 1.0).has_recovered_since(&down, at(100)));
        let up = checked(CheckState::Passing, 1.0);
        assert!(!up.has_recovered_since(&up, at(100)));
    }

    #[test]
    fn local_check_is_not_a_dependency() {
        let failing = [check(CheckKind::Local, CheckState::Failing, 1.0)];
        let dependencies = Dependencies::of(&failing, at(100), EXPIRY);
        assert!(!dependencies.is_down(at(100)));
        assert_eq!(
            (dependencies.failing_share, dependencies.local_failing_share),
            (Some(0.0), Some(1.0))
        );
    }

    #[test]
    fn passing_check_must_be_newer_than_the_symptom() {
        let passing = [check(CheckKind::Dependency, CheckState::Passing, 10.0)];
        let dependencies = Dependencies::of(&passing, at(100), EXPIRY);
        assert!(
            dependencies.has_check_older_than(at(95)) && !dependencies.has_check_older_than(at(90))
        );
        let never = [check(CheckKind::Dependency, CheckState::Unknown, 0.0)];
        assert!(!Dependencies::of(&never, at(100), EXPIRY).has_check_older_than(at(95)));
    }
}
