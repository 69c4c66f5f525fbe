//! What the declared dependencies say. While one fails no treatment of *this* app helps: a restart
//! turns an outage into a storm of reconnects, and a hook that drops a cache takes away what still
//! answers. News expires, so that a check that hangs cannot forbid healing for ever.

use std::time::Duration;

use crate::health::{CheckKind, CheckReport, CheckState};
use crate::time::Time;

/// The latest news of the checks; it outlasts answers that do not come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dependencies {
    /// A failure was reported that counts until then.
    failing_until: Option<Time>,
    /// Every dependency whose news counts was checked at this time or later; `None` without any.
    checked: Option<Time>,
    /// Every declared dependency passes, by news that counts.
    all_pass: bool,
    /// Shares that fail, 0 where none is declared; absent where that is unknown.
    pub(crate) failing: Option<f64>,
    pub(crate) locals_failing: Option<f64>,
}

// === impl Dependencies ===

impl Dependencies {
    pub(crate) fn of(checks: &[CheckReport], now: Time, expiry: Duration) -> Self {
        let mut failing_until = None;
        let mut checked = None;
        let mut all_pass = true;
        for check in checks
            .iter()
            .filter(|check| check.kind == CheckKind::Dependency)
        {
            // Without an age a result is taken as new; one that was never made as made at the start.
            let age = match (check.state, check.age_seconds) {
                (CheckState::Unknown, _) => Duration::MAX,
                (_, Some(age)) => Duration::try_from_secs_f64(age.max(0.0)).unwrap_or_default(),
                (_, None) => Duration::ZERO,
            };
            all_pass &= age < expiry && check.state == CheckState::Passing;
            if age < expiry {
                let made = now - age;
                checked = Some(checked.map_or(made, |checked: Time| checked.min(made)));
                if check.state == CheckState::Failing {
                    failing_until = failing_until.max(Some(made + expiry));
                }
            }
        }
        Self {
            failing_until,
            checked,
            all_pass,
            failing: failing_share(checks, CheckKind::Dependency, expiry),
            locals_failing: failing_share(checks, CheckKind::Local, expiry),
        }
    }

    pub(crate) fn is_down(&self, now: Time) -> bool {
        self.failing_until.is_some_and(|until| now < until)
    }

    /// What was down at `now` by the news before is up by these. News that only expired is no end.
    pub(crate) fn ends_outage(&self, before: &Self, now: Time) -> bool {
        self.all_pass && before.is_down(now)
    }

    /// None fails, but that was before the symptom began: look once more before treating.
    pub(crate) fn must_be_checked(&self, onset: Time) -> bool {
        self.checked.is_some_and(|checked| checked < onset)
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

#[cfg(test)]
mod tests {
    use super::*;

    const EXPIRY: Duration = Duration::from_secs(60);

    fn check(kind: CheckKind, state: CheckState, age: f64) -> CheckReport {
        CheckReport {
            name: "db".into(),
            kind,
            state,
            age_seconds: Some(age),
            error: None,
        }
    }

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn a_failure_counts_until_it_expires() {
        let failing = [check(CheckKind::Dependency, CheckState::Failing, 20.0)];
        let news = Dependencies::of(&failing, at(100), EXPIRY);
        assert!(news.is_down(at(100)) && news.is_down(at(139)) && !news.is_down(at(140)));
        assert_eq!(news.failing, Some(1.0));
        let old = [check(CheckKind::Dependency, CheckState::Failing, 61.0)];
        assert!(!Dependencies::of(&old, at(100), EXPIRY).is_down(at(100)));
    }

    #[test]
    fn an_outage_ends_by_good_news_alone() {
        let news = |state, age| {
            Dependencies::of(&[check(CheckKind::Dependency, state, age)], at(100), EXPIRY)
        };
        let down = news(CheckState::Failing, 1.0);
        assert!(news(CheckState::Passing, 1.0).ends_outage(&down, at(100)));
        assert!(!news(CheckState::Failing, 1.0).ends_outage(&down, at(100)));
        assert!(!news(CheckState::Passing, 61.0).ends_outage(&down, at(100)));
        assert!(!news(CheckState::Unknown, 1.0).ends_outage(&down, at(100)));
        let up = news(CheckState::Passing, 1.0);
        assert!(!up.ends_outage(&up, at(100)));
    }

    #[test]
    fn a_local_check_never_vetoes() {
        let failing = [check(CheckKind::Local, CheckState::Failing, 1.0)];
        let news = Dependencies::of(&failing, at(100), EXPIRY);
        assert!(!news.is_down(at(100)));
        assert_eq!((news.failing, news.locals_failing), (Some(0.0), Some(1.0)));
    }

    #[test]
    fn good_news_must_be_newer_than_the_symptom() {
        let passing = [check(CheckKind::Dependency, CheckState::Passing, 10.0)];
        let news = Dependencies::of(&passing, at(100), EXPIRY);
        assert!(news.must_be_checked(at(95)) && !news.must_be_checked(at(90)));
        let never = [check(CheckKind::Dependency, CheckState::Unknown, 0.0)];
        assert!(!Dependencies::of(&never, at(100), EXPIRY).must_be_checked(at(95)));
    }
}
