//! Work of a request, drawn from its own random numbers.

use super::call::Call;
use crate::episode::spec::Service;
use healing_core::rng::Rng;

/// Work of a request, drawn when it is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Demand {
    /// CPU time in seconds.
    pub(super) cpu: f64,
    /// Time for which it blocks its worker, in seconds.
    pub(super) blocking: f64,
    /// Time for which it holds a slot of the pool, in seconds.
    pub(super) hold: f64,
    /// Index of the route.
    pub(super) route: u32,
    /// Numbers in [0, 1) that decide about errors, faults, absorption by other replicas, and order.
    pub(super) coins: [f64; 4],
}

// === impl Demand ===

impl Demand {
    /// Draws the work of a call from the generator of its attempt.
    pub(super) fn draw(service: &Service, call: &Call, mut rng: Rng) -> Self {
        let coins = [rng.unit(), rng.unit(), rng.unit(), rng.unit()];
        let changed = call.first_sent >= service.mix_changes_at;
        let mut left = rng.unit();
        let (mut route, mut factor) = (0, 1.0);
        for (number, candidate) in (0..).zip(&service.routes) {
            (route, factor) = (number, candidate.cpu);
            left -= if changed {
                candidate.share_after
            } else {
                candidate.share
            };
            if left < 0.0 {
                break;
            }
        }
        Self {
            cpu: service.cpu.draw(&mut rng) * factor,
            blocking: service.blocking.draw(&mut rng),
            hold: service.pool.map_or(0.0, |pool| pool.hold.draw(&mut rng)),
            route,
            coins,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::simulation::call::OPEN;
    use crate::episode::spec::Route;

    #[test]
    fn route_follows_the_mix_at_the_first_sending() {
        let route = |share, share_after, cpu| Route {
            share,
            share_after,
            cpu,
        };
        let service = Service {
            routes: vec![route(1.0, 0.0, 1.0), route(0.0, 1.0, 5.0)],
            mix_changes_at: 100.0,
            ..Service::default()
        };
        for (first_sent, expected) in [(99.0, 0), (100.0, 1)] {
            let call = Call {
                index: 0,
                first_sent,
                client: OPEN,
                attempt: 0,
            };
            let demand = Demand::draw(&service, &call, Rng::new(1));
            assert_eq!(demand.route, expected);
        }
    }
}
