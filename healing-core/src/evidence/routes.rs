//! Worst route: a route that fails entirely, although it has worked since the app started.
//!
//! Such a route may be a small share of the traffic and remain below every threshold of the whole app. It
//! justifies a soft heal. A restart interrupts every other route, so it needs soft heals that failed *and*
//! errors of the other routes. A route that has carried most of the requests is the app itself.
//!
//! It fails entirely if no request has succeeded for a while, or hardly one in a window of one to two slow
//! windows, or up to ten minutes while the route has few requests. A route that soft heals did not bring back
//! is reported, but no symptom until it has worked again.

use super::route::{Route, RouteState, Totals};
use super::sustained::Sustained;
use crate::config::PolicyConfig;
use crate::health::{Health, MAX_ROUTES, RouteReport};
use crate::time::Time;

/// Routes of the latest reports, and the worst of them.
#[derive(Debug, Default)]
pub(crate) struct RouteDetector {
    routes: [Option<Route>; MAX_ROUTES],
    worst: Option<WorstRoute>,
    failing: Sustained,
}

/// Route that fails entirely.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WorstRoute {
    /// Position in [`Health::routes`] of the latest report.
    pub(crate) position: u8,
    /// Set if the other routes do not suffer, and are most of the traffic.
    pub(crate) is_alone: bool,
    state: RouteState,
    errors: f64,
    slot: usize,
}

// === impl RouteDetector ===

impl RouteDetector {
    /// Adds a report. An app that does not count requests or routes has no worst route.
    pub(crate) fn observe(&mut self, now: Time, health: &Health, config: &PolicyConfig) {
        self.worst = None;
        let totals = &health.totals;
        if let (Some(requests), Some(errors)) = (totals.requests_total, totals.errors_total) {
            let routes = health.routes.iter().take(MAX_ROUTES);
            let mut keys = [0; MAX_ROUTES];
            for (key, report) in keys.iter_mut().zip(routes.clone()) {
                *key = self::key(report);
            }
            for ((position, report), &key) in (0..).zip(routes).zip(&keys) {
                let at = Totals {
                    at: now,
                    route: (report.answered_total, report.errors_total),
                    app: (requests, errors),
                };
                let slot = self.slot(key, &keys);
                let Some(route) = self.routes.get_mut(slot).and_then(Option::as_mut) else {
                    continue;
                };
                let Some((errors, is_alone)) = route.observe(at, config) else {
                    continue;
                };
                let failing = WorstRoute {
                    position,
                    is_alone,
                    state: route.state(now, config),
                    errors,
                    slot,
                };
                let rank = |route: WorstRoute| (route.state != RouteState::Lost, route.errors);
                if self.worst.is_none_or(|old| rank(failing) > rank(old)) {
                    self.worst = Some(failing);
                }
            }
        }
        let required = config.evidence.soft_sustain_for;
        self.failing
            .observe_leaky(now, self.is_symptomatic(), required);
    }

    /// Records a treatment. The windows begin anew.
    pub(crate) fn on_treatment(&mut self, now: Time) {
        if let Some(worst) = self.worst.take()
            && let Some(Some(route)) = self.routes.get_mut(worst.slot)
        {
            route.on_treatment(now);
        }
        self.cut();
    }

    /// Begins all windows anew.
    pub(crate) fn cut(&mut self) {
        for route in self.routes.iter_mut().flatten() {
            route.cut();
        }
        self.worst = None;
        self.failing = Sustained::default();
    }

    /// Discards all routes, because the totals of a new process begin at zero.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Returns `true` if no route has been reported since the last reset.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.routes.iter().all(Option::is_none)
    }

    /// Returns the worst route of the latest report.
    pub(crate) fn worst(&self) -> Option<WorstRoute> {
        self.worst
    }

    /// Returns `true` if a route fails entirely that soft heals have not given up.
    pub(crate) fn is_symptomatic(&self) -> bool {
        self.worst
            .is_some_and(|worst| worst.state != RouteState::Lost)
    }

    /// Returns the time of the first poll with a worst route.
    pub(crate) fn onset(&self) -> Option<Time> {
        self.failing.onset()
    }

    /// Returns `true` if a route has failed for long enough for a soft heal.
    pub(crate) fn is_soft_evidence(&self, config: &PolicyConfig) -> bool {
        self.failing.is_firing(config.evidence.soft_sustain_for)
            && self
                .worst
                .is_some_and(|worst| worst.state == RouteState::Failing)
    }

    /// Returns the slot of a route: its own, an empty one, or that of a route that is not reported.
    fn slot(&mut self, key: u64, reported: &[u64]) -> usize {
        let slots = || self.routes.iter();
        if let Some(slot) = slots().position(|slot| slot.is_some_and(|route| route.key() == key)) {
            return slot;
        }
        let is_free =
            |slot: &Option<Route>| slot.is_none_or(|route| !reported.contains(&route.key()));
        let slot = slots().position(is_free).unwrap_or_default();
        self.routes[slot] = Some(Route::new(key));
        slot
    }
}

/// Returns the FNV-1a hash of method and route.
fn key(report: &RouteReport) -> u64 {
    let bytes = report.method.bytes().chain([0]).chain(report.route.bytes());
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::health::Totals as AppTotals;

    /// App with one route and the rest: their requests and errors.
    #[derive(Debug, Default, Clone, Copy)]
    struct App {
        route: (u64, u64),
        rest: (u64, u64),
    }

    impl App {
        fn add(&mut self, route: (u64, u64), rest: (u64, u64)) {
            let add = |to: &mut (u64, u64), more: (u64, u64)| (to.0 += more.0, to.1 += more.1);
            add(&mut self.route, route);
            add(&mut self.rest, rest);
        }

        fn health(&self) -> Health {
            let report = |route: &str, (answered_total, errors_total)| RouteReport {
                method: "GET".into(),
                route: route.into(),
                begun_total: answered_total,
                answered_total,
                errors_total,
            };
            Health {
                totals: AppTotals {
                    requests_total: Some(self.route.0 + self.rest.0),
                    errors_total: Some(self.route.1 + self.rest.1),
                    ..AppTotals::default()
                },
                routes: vec![report("/", self.rest), report("/items/{id}", self.route)],
                ..Health::default()
            }
        }
    }

    /// Returns the detector after some minutes in which both work, and a minute with these requests and
    /// errors every 5 s.
    fn after(worked: bool, route: (u64, u64), rest: (u64, u64)) -> RouteDetector {
        let config = PolicyConfig::default();
        let mut detector = RouteDetector::default();
        let mut app = App::default();
        for poll in 0..60 {
            if poll < 48 {
                app.add((route.0, if worked { 0 } else { route.0 }), (rest.0, 0));
            } else {
                app.add(route, rest);
            }
            let now = Time::default() + Duration::from_secs(5 * poll);
            detector.observe(now, &app.health(), &config);
        }
        detector
    }

    #[test]
    fn route_that_fails_entirely_at_one_percent_of_the_traffic_is_soft_evidence() {
        let detector = after(true, (5, 5), (495, 0));
        assert!(detector.is_soft_evidence(&PolicyConfig::default()));
        let worst = detector.worst().unwrap();
        assert_eq!((worst.position, worst.is_alone), (1, true));
    }

    #[test]
    fn route_that_works_partly_or_never_worked_or_is_hardly_used_is_no_evidence() {
        assert!(after(true, (10, 5), (990, 0)).worst().is_none());
        assert!(after(false, (5, 5), (495, 0)).worst().is_none());
        assert!(after(true, (1, 1), (1000, 0)).worst().is_none());
    }

    #[test]
    fn route_is_not_alone_if_the_others_suffer_or_are_few() {
        assert!(!after(true, (5, 5), (495, 100)).worst().unwrap().is_alone);
        assert!(!after(true, (50, 50), (10, 0)).worst().unwrap().is_alone);
    }

    #[test]
    fn route_that_two_soft_heals_did_not_bring_back_is_no_evidence_until_it_has_worked() {
        let config = PolicyConfig::default();
        let mut detector = RouteDetector::default();
        let mut app = App::default();
        let mut heals = Vec::new();
        for poll in 0..1000 {
            // It works in the first ten minutes and again in the second half.
            let errors = if poll < 120 || (500..620).contains(&poll) {
                0
            } else {
                5
            };
            app.add((5, errors), (495, 0));
            let now = Time::default() + Duration::from_secs(5 * poll);
            detector.observe(now, &app.health(), &config);
            if detector.is_soft_evidence(&config) {
                heals.push(poll);
                detector.on_treatment(now);
            }
        }
        assert_eq!(heals.len(), 4, "{heals:?}");
        assert!(heals[1] < 500 && heals[2] >= 620, "{heals:?}");
    }

    #[test]
    fn slot_of_a_route_that_is_no_longer_reported_is_used_again() {
        let config = PolicyConfig::default();
        let mut detector = RouteDetector::default();
        for poll in 0..40_u64 {
            let mut health = App::default().health();
            health.routes[1].route = format!("/{poll}");
            let now = Time::default() + Duration::from_secs(poll);
            detector.observe(now, &health, &config);
            let mut keys: Vec<_> = detector.routes.iter().flatten().map(Route::key).collect();
            let len = keys.len();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), len, "a route has one slot");
            assert!(keys.contains(&key(&health.routes[1])));
        }
    }
}
