//! Clients: they send, leave, retry, and send the next request.

use super::call::{Call, OPEN};
use super::events::Event;
use super::process::Phase;
use super::requests::{Demand, Key, Request, Stage};
use super::state::{Simulation, Task, stream};
use crate::episode::spec::Distribution;

/// Retries of one call at most.
const MAX_RETRIES: u32 = 2;
/// Calls of one client of the closed loop at most, as a power of two: they number their calls.
const CLOSED_CALLS_LOG2: u32 = 32;

impl Simulation<'_> {
    /// Lets each client of the closed loop think before its first request.
    pub(super) fn start_closed_loop(&mut self) {
        let clients = self.life.clients.closed.map_or(0, |closed| closed.clients);
        self.closed_sent = vec![0; clients as usize];
        for client in 0..clients {
            self.think(client);
        }
    }

    /// Schedules the next request of a client of the closed loop.
    fn think(&mut self, client: u32) {
        let Some(closed) = self.life.clients.closed else {
            return;
        };
        let Some(sent) = self.closed_sent.get_mut(client as usize) else {
            return;
        };
        *sent += 1;
        let index = (u64::from(client) + 1) << CLOSED_CALLS_LOG2 | *sent;
        let pause = closed.thinking.draw(&mut self.draw(stream::CLOSED, index));
        let at = self.now.max(closed.from) + pause;
        let call = Call {
            index,
            first_sent: at,
            client,
            attempt: 0,
        };
        self.events.schedule(at, Event::Send(call));
    }

    /// Sends the next request of the open load.
    pub(super) fn arrive(&mut self) {
        let call = Call {
            index: self.arrived,
            first_sent: self.now,
            client: OPEN,
            attempt: 0,
        };
        self.arrived += 1;
        self.next_arrival = self
            .life
            .clients
            .rate
            .next_arrival(self.now, &mut self.arrivals);
        self.send(call);
    }

    /// Sends a request.
    pub(super) fn send(&mut self, call: Call) {
        let demand = self.demand(call);
        if self.process.is_avoided(self.now) && demand.coins[2] < self.life.clients.absorbed {
            self.end_call(call, true);
            return;
        }
        if self.is_refused() {
            self.measured.refused += 1;
            self.end_call(call, false);
            return;
        }
        let stage = if self.front.len() < self.life.service.backlog {
            Stage::Front
        } else {
            self.measured.refused += 1;
            Stage::Dropped
        };
        let key = self.requests.insert(call, demand, self.now, stage);
        if stage == Stage::Front {
            self.front.push_back((self.now, Task::Request(key)));
        }
        match self.life.clients.patience {
            Distribution::Fixed(seconds) => self.leaving.push_back((self.now + seconds, key)),
            patience => {
                let mut rng = self.draw(stream::REQUESTS, call.index).part(1);
                let at = self.now + patience.draw(&mut rng);
                self.events.schedule(at, Event::Leave(key));
            }
        }
    }

    /// Draws the work of a request.
    fn demand(&self, call: Call) -> Demand {
        let service = &self.life.service;
        let index = call.index ^ u64::from(call.attempt) << 60;
        let mut rng = self.draw(stream::REQUESTS, index);
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
        Demand {
            cpu: service.cpu.draw(&mut rng) * factor,
            blocking: service.blocking.draw(&mut rng),
            hold: service.pool.map_or(0.0, |pool| pool.hold.draw(&mut rng)),
            route,
            coins,
        }
    }

    /// Reports if a new connection is refused.
    pub(super) fn is_refused(&self) -> bool {
        match self.process.phase {
            Phase::Down => true,
            Phase::Booting => !self.life.service.start.binds_early,
            Phase::Serving => self.faults.active.front_door_closed == Some(true),
        }
    }

    /// Returns the time at which the next client with fixed patience leaves.
    pub(super) fn next_leave(&mut self) -> f64 {
        while let Some(&(at, key)) = self.leaving.front() {
            if self.requests.get(key).is_some() {
                return at;
            }
            self.leaving.pop_front();
        }
        f64::INFINITY
    }

    /// Lets the next client with fixed patience leave.
    pub(super) fn leave_first(&mut self) {
        if let Some((_, key)) = self.leaving.pop_front() {
            self.leave(key);
        }
    }

    /// Lets the client of a request leave.
    pub(super) fn leave(&mut self, key: Key) {
        let Some(request) = self.requests.get(key) else {
            return;
        };
        if request.left {
            return;
        }
        request.left = true;
        let request = *request;
        self.end_call(request.call, false);
        self.stop_work(key, request);
    }

    /// Records that a client got its answer, if it still waits.
    pub(super) fn answer(&mut self, request: &Request, ok: bool) {
        if !request.left {
            self.measured.answered += 1;
            self.measured.residence += self.now - request.sent;
            self.end_call(request.call, ok);
        }
    }

    /// Ends a call, or retries it.
    pub(super) fn end_call(&mut self, call: Call, ok: bool) {
        if !ok && call.attempt < MAX_RETRIES && self.life.clients.retries > 0.0 {
            let index = call.index ^ u64::from(call.attempt) << 60;
            let mut rng = self.draw(stream::REQUESTS, index).part(2);
            if rng.unit() < self.life.clients.retries {
                let attempt = call.attempt + 1;
                let at = self.now + rng.between(0.5, 1.5);
                self.events
                    .schedule(at, Event::Send(Call { attempt, ..call }));
                return;
            }
        }
        self.results
            .add(call.first_sent, 1.0, if ok { 0.0 } else { 1.0 });
        if call.client != OPEN {
            self.think(call.client);
        }
    }
}
