//! Checks of the declared dependencies. While one fails no treatment of *this* app helps: a restart
//! turns an outage into a storm of reconnects, and a hook that drops a cache removes what still
//! answers. Results expire, so that a check that hangs cannot forbid healing for ever.

use std::time::Duration;

use crate::health::{CheckKind, CheckReport, CheckState, Health};
use crate::time::Time;

/// Latest results of the checks; kept while the app does not answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dependencies {
    /// Time until which a reported failure counts.
    failing_until: Option<Time>,
    /// Oldest check time among the results that have not expired; `None` without any.
    oldest_check: Option<Time>,
    /// Set if every declared dependency passes, by a result that has not expired.
    all_pass: bool,
    /// Share of the dependencies that fail; 0 where none is declared, absent where that is unknown.
    pub(crate) failing: Option<f64>,
    /// The same of the local checks.
    pub(crate) locals_failing: Option<f64>,
}

// === impl Dependencies ===

impl Dependencies {
    fn of(checks: &[CheckReport], now: Time, expiry: Duration) -> Self {
        let mut failing_until = None;
        let mut oldest_check = None;
        let mut all_pass = true;
        for check in checks
            .iter()
            .filter(|check| check.kind == CheckKind::Dependency)
        {
            // Without an age a result counts as new; a check that has never run counts as expired.
            let age = match (check.state, check.age_seconds) {
                (CheckState::Unknown, _) => Duration::MAX,
                (_, Some(age)) => Duration::try_from_secs_f64(age.max(0.0)).unwrap_or_default(),
                (_, None) => Duration::ZERO,
            };
            all_pass &= age < expiry && check.state == CheckState::Passing;
            if age < expiry {
                let made = now - age;
                oldest_check = Some(oldest_check.map_or(made, |oldest: Time| oldest.min(made)));
                if check.state == CheckState::Failing {
                    failing_until = failing_until.max(Some(made + expiry));
                }
            }
        }
        Self {
            failing_until,
            oldest_check,
            all_pass,
            failing: failing_share(checks, CheckKind::Dependency, expiry),
            locals_failing: failing_share(checks, CheckKind::Local, expiry),
        }
    }

    /// Evaluates the checks of an answer. An app of five fields cannot declare any.
    pub(crate) fn of_answer(health: &Health, now: Time, expiry: Duration) -> Self {
        let mut dependencies = Self::of(&health.checks, now, expiry);
        if health.schema.is_none() && health.checks.is_empty() {
            dependencies.failing = None;
            dependencies.locals_failing = None;
        }
        dependencies
    }

    /// Reports if a dependency is down.
    pub(crate) fn is_down(&self, now: Time) -> bool {
        self.failing_until.is_some_and(|until| now < until)
    }

    /// Reports if a dependency that was down by the results `before` is up. Expiry alone ends no outage.
    pub(crate) fn ends_outage(&self, before: &Self, now: Time) -> bool {
        self.all_pass && before.is_down(now)
    }

    /// Reports if a check has not run since the symptom's onset.
    pub(crate) fn must_be_checked(&self, onset: Time) -> bool {
        self.oldest_check.is_some_and(|oldest| oldest < onset)
    }
}

fn failing_share(checks: &[CheckReport], kind: CheckKind, expiry: Duration) -> Option<f64> {
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
