//! Clients: they send, retry, think, and record the results of their calls.

use super::call::{Call, OPEN, Response};
use super::client_counts::{ClientCounts, RequestEnd};
use super::demand::Demand;
use super::events::{Event, Events};
use super::streams::Stream;
use crate::episode::results::Results;
use crate::episode::spec::{self, Life, Service};
use healing_core::rng::Rng;

/// Maximum retries of one call.
const MAX_RETRIES: u32 = 2;
/// Maximum calls of one client of the closed loop, as a power of two, because they number their calls.
const CLOSED_CALLS_LOG2: u32 = 32;

/// All clients.
#[derive(Debug)]
pub(super) struct Clients<'a> {
    spec: &'a spec::Clients,
    service: &'a Service,
    /// Stream of the arrivals.
    arrivals: Rng,
    /// Parent of the generators of the requests.
    requests: Rng,
    /// Parent of the generators of the thinking times.
    thinking: Rng,
    /// Time of the next arrival of the open load.
    pub(super) next_arrival: f64,
    /// Arrivals of the open load so far.
    arrived: u64,
    /// Requests sent by each client of the closed loop.
    closed_sent: Vec<u64>,
    /// Results of the calls.
    pub(super) results: Results,
    /// Counts of their requests.
    pub(super) counts: ClientCounts,
    /// Sum of the residence times of the requests that got a response, in seconds.
    pub(super) residence: f64,
}

// === impl Clients ===

impl<'a> Clients<'a> {
    /// Returns the clients of a life.
    pub(super) fn new(life: &'a Life) -> Self {
        let mut arrivals = Stream::Arrivals.rng(life.seed);
        Self {
            spec: &life.clients,
            service: &life.service,
            next_arrival: next_arrival(&life.clients, 0.0, &mut arrivals),
            arrivals,
            requests: Stream::Requests.rng(life.seed),
            thinking: Stream::Closed.rng(life.seed),
            arrived: 0,
            closed_sent: Vec::new(),
            results: Results::default(),
            counts: ClientCounts::default(),
            residence: 0.0,
        }
    }

    /// Lets each client of the closed loop think before its first request.
    pub(super) fn start_closed_loop(&mut self, events: &mut Events) {
        let clients = self.spec.closed.map_or(0, |closed| closed.clients);
        self.closed_sent = vec![0; clients as usize];
        for client in 0..clients {
            self.think(0.0, client, events);
        }
    }

    /// Schedules the next request of a client of the closed loop.
    fn think(&mut self, now: f64, client: u32, events: &mut Events) {
        let Some(closed) = self.spec.closed else {
            return;
        };
        let Some(sent) = self.closed_sent.get_mut(client as usize) else {
            return;
        };
        *sent += 1;
        let index = (u64::from(client) + 1) << CLOSED_CALLS_LOG2 | *sent;
        let at = now.max(closed.from) + closed.thinking.draw(&mut self.thinking.part(index));
        let call = Call {
            index,
            first_sent: at,
            client,
            attempt: 0,
        };
        events.schedule(at, Event::Send(call));
    }

    /// Returns the call of the arrival at this time, and draws the next arrival.
    pub(super) fn arrive(&mut self, now: f64) -> Call {
        let call = Call {
            index: self.arrived,
            first_sent: now,
            client: OPEN,
            attempt: 0,
        };
        self.arrived += 1;
        self.next_arrival = next_arrival(self.spec, now, &mut self.arrivals);
        call
    }

    /// Returns the work of a call.
    pub(super) fn demand(&self, call: &Call) -> Demand {
        Demand::draw(self.service, call, self.requests.part(attempt_index(call)))
    }

    /// Returns the time at which the client of a call that is sent at this time leaves.
    pub(super) fn leaves_at(&self, now: f64, call: &Call) -> f64 {
        let mut rng = self.requests.part(call.index).part(1);
        now + self.spec.patience.draw(&mut rng)
    }

    /// Records that a client got its response.
    pub(super) fn respond(&mut self, now: f64, response: Response, events: &mut Events) {
        self.residence += now - response.sent;
        let end = if response.ok {
            RequestEnd::Served
        } else {
            RequestEnd::Error
        };
        self.end_request(now, response.call, end, events);
    }

    /// Records the end of a request to this app.
    pub(super) fn end_request(
        &mut self,
        now: f64,
        call: Call,
        end: RequestEnd,
        events: &mut Events,
    ) {
        self.counts.add(end);
        self.end_call(now, call, end == RequestEnd::Served, events);
    }

    /// Completes a call, or retries it.
    pub(super) fn end_call(&mut self, now: f64, call: Call, ok: bool, events: &mut Events) {
        if !ok && call.attempt < MAX_RETRIES && self.spec.retries > 0.0 {
            let mut rng = self.requests.part(attempt_index(&call)).part(2);
            if rng.unit() < self.spec.retries {
                let attempt = call.attempt + 1;
                let at = now + rng.between(0.5, 1.5);
                events.schedule(at, Event::Send(Call { attempt, ..call }));
                return;
            }
        }
        self.results
            .add(call.first_sent, 1.0, if ok { 0.0 } else { 1.0 });
        if call.client != OPEN {
            self.think(now, call.client, events);
        }
    }
}

/// Returns the time of the next request of the open load.
fn next_arrival(spec: &spec::Clients, now: f64, rng: &mut Rng) -> f64 {
    if spec.evenly {
        spec.rate.next_even_arrival(now)
    } else {
        spec.rate.next_arrival(now, rng)
    }
}

/// Returns the number that selects the random numbers of one attempt of a call.
fn attempt_index(call: &Call) -> u64 {
    call.index ^ u64::from(call.attempt) << 60
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::spec::{ClosedLoop, Distribution};

    #[test]
    fn failed_call_is_retried_twice_and_counted_once() {
        let mut life = Life::new(1);
        life.clients.retries = 1.0;
        let (mut clients, mut events) = (Clients::new(&life), Events::default());
        let mut call = clients.arrive(0.0);
        for attempt in 1..=2 {
            clients.end_call(0.0, call, false, &mut events);
            assert_eq!(clients.results.calls(), 0);
            let Some(Event::Send(retry)) = events.pop() else {
                panic!("no retry");
            };
            assert_eq!(retry.attempt, attempt);
            call = retry;
        }
        clients.end_call(0.0, call, false, &mut events);
        assert_eq!((clients.results.calls(), clients.results.failed()), (1, 1));
        assert_eq!(events.pop(), None);
    }

    #[test]
    fn client_of_the_closed_loop_thinks_after_its_call() {
        let mut life = Life::new(1);
        life.clients.closed = Some(ClosedLoop {
            clients: 1,
            thinking: Distribution::Fixed(3.0),
            from: 10.0,
        });
        let (mut clients, mut events) = (Clients::new(&life), Events::default());
        clients.start_closed_loop(&mut events);
        for (now, next) in [(20.0, 13.0), (40.0, 23.0)] {
            assert!((events.next_time() - next).abs() < 1e-9);
            let Some(Event::Send(call)) = events.pop() else {
                panic!("no request");
            };
            clients.end_call(now, call, true, &mut events);
        }
    }
}
