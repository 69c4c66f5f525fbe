//! Route: the windows of one route, in which it fails entirely or works.

use std::time::Duration;

use super::counts::{CHANGE, Counts};
use crate::config::PolicyConfig;
use crate::number::as_f64;
use crate::time::Time;

/// State of a route that fails entirely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RouteState {
    /// A soft heal may bring it back.
    Failing,
    /// The last soft heal that is allowed has just been tried.
    OnProbation,
    /// Soft heals did not bring it back.
    Lost,
}

/// Route that is reported, with its totals at the beginning of its windows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    /// Hash of method and route.
    key: u64,
    /// Beginnings of the current window and of the one before it.
    starts: Option<[Totals; 2]>,
    /// Totals after the latest request that succeeded.
    worked: Option<Totals>,
    /// Number of soft heals since the route has worked.
    attempts: u32,
    /// Time of the latest of them.
    treated_at: Time,
}

/// Totals of a route and of the whole app at one time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Totals {
    pub(super) at: Time,
    pub(super) route: (u64, u64),
    pub(super) app: (u64, u64),
}

/// Share of errors from which a route fails entirely: a few requests that began before the fault may succeed.
const ENTIRELY: f64 = 0.9;
/// Share of errors below which a route works: most requests succeed.
const WORKS: f64 = 0.5;
/// Number of requests from which a window does not grow: the standard deviation of their count is then at most
/// 22 %.
const ENOUGH: f64 = 20.0;
/// Longest window.
const MAX_WINDOW: Duration = Duration::from_secs(600);

// === impl Route ===

impl Route {
    /// Returns a route that has not been reported.
    pub(super) fn new(key: u64) -> Self {
        Self {
            key,
            starts: None,
            worked: None,
            attempts: 0,
            treated_at: Time::default(),
        }
    }

    /// Returns the hash of method and route.
    pub(super) fn key(&self) -> u64 {
        self.key
    }

    /// Records a soft heal.
    pub(super) fn on_treatment(&mut self, now: Time) {
        self.attempts = self.attempts.saturating_add(1);
        self.treated_at = now;
    }

    /// Begins the windows anew.
    pub(super) fn cut(&mut self) {
        self.starts = None;
        self.worked = None;
    }

    /// Adds the totals of a poll. If the route fails entirely, returns the number of its errors, and `true` if
    /// it fails alone.
    pub(super) fn observe(&mut self, now: Totals, config: &PolicyConfig) -> Option<(f64, bool)> {
        let [start, newer] = *self.starts.get_or_insert([now; 2]);
        let worked = *self.worked.get_or_insert(now);
        let (route, _) = now.since(&start);
        let (current, _) = now.since(&newer);
        let age = |start: &Totals| now.at.since(start.at);
        let is_full = current.requests >= ENOUGH && age(&newer) >= config.slow_window;
        if is_full || age(&start) >= MAX_WINDOW {
            self.starts = Some([newer, now]);
        }
        if now.successes() > worked.successes() {
            self.worked = Some(now);
        }
        if route.errors < WORKS * route.requests {
            self.attempts = 0;
        }
        [worked, start]
            .iter()
            .find_map(|start| fails_since(start, &now, config))
    }

    /// Returns the state of the route if it fails.
    pub(super) fn state(&self, now: Time, config: &PolicyConfig) -> RouteState {
        if self.attempts < config.permission.soft_attempts.max(1) {
            RouteState::Failing
        } else if now.since(self.treated_at) <= config.outcome.deadline {
            RouteState::OnProbation
        } else {
            RouteState::Lost
        }
    }
}

/// Returns the number of errors of a route, and `true` if it fails alone, if it fails entirely since `start`.
fn fails_since(start: &Totals, now: &Totals, config: &PolicyConfig) -> Option<(f64, bool)> {
    let evidence = &config.evidence;
    let (route, app) = now.since(start);
    let before = Counts::new(start.route.0, start.route.1);
    let fails = route.errors > as_f64(evidence.count_errors)
        && route.requests >= evidence.route_share * app.requests
        && route.errors >= ENTIRELY * route.requests
        && route.exceed(before.upper_share(), CHANGE);
    let rest = Counts {
        requests: (app.requests - route.requests).max(0.0),
        errors: (app.errors - route.errors).max(0.0),
    };
    let suffers = rest.errors > evidence.ratio_threshold * rest.requests;
    let is_alone = rest.requests >= route.requests && !suffers;
    fails.then_some((route.errors, is_alone))
}

// === impl Totals ===

impl Totals {
    /// Returns the number of requests of the route that succeeded.
    fn successes(&self) -> u64 {
        self.route.0.saturating_sub(self.route.1)
    }

    /// Returns the counts of the route and of the app since an earlier time.
    fn since(&self, earlier: &Self) -> (Counts, Counts) {
        let since = |now: (u64, u64), then: (u64, u64)| {
            Counts::new(now.0.saturating_sub(then.0), now.1.saturating_sub(then.1))
        };
        (
            since(self.route, earlier.route),
            since(self.app, earlier.app),
        )
    }
}
