//! Requests at the app, in slots that are reused. A key is valid until its request has finished.

use super::call::Call;
use super::demand::Demand;

/// Slot and generation of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) slot: u32,
    generation: u32,
}

/// Stage of a request on its way through the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Waits in front of the app.
    Front,
    /// Its connection was dropped: the backlog is full.
    Dropped,
    /// Uses the CPU or blocks a worker before its await.
    First,
    /// Waits for a slot of the pool.
    Waiting,
    /// Holds a slot of the pool.
    Holding,
    /// Waits for a worker, or uses the CPU, after its await.
    Second,
}

/// One request at the app.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    generation: u32,
    pub(super) stage: Stage,
    pub(super) call: Call,
    pub(super) demand: Demand,
    /// Time at which the request was sent.
    pub(super) sent: f64,
    /// Time at which the layer saw the request.
    pub(super) begun: f64,
    /// Time at which the client closed the connection; infinite while it is open.
    pub(super) left_at: f64,
    /// Set if the client has left and a proxy keeps the connection open.
    pub(super) abandoned: bool,
    /// Set while the layer counts the request as in flight.
    pub(super) seen: bool,
    live: bool,
}

/// All requests at the app.
#[derive(Debug, Default)]
pub(super) struct Requests {
    slots: Vec<Request>,
    free: Vec<u32>,
    /// Number of requests whose connection is open.
    connected: u32,
}

// === impl Request ===

impl Request {
    /// Returns `true` if the client has closed the connection.
    pub(super) fn left(&self) -> bool {
        self.left_at.is_finite()
    }

    /// Returns `true` if a client waits for the response.
    pub(super) fn is_awaited(&self) -> bool {
        !self.left() && !self.abandoned
    }
}

// === impl Requests ===

impl Requests {
    /// Adds a request.
    pub(super) fn insert(&mut self, call: Call, demand: Demand, sent: f64, stage: Stage) -> Key {
        self.connected += 1;
        let mut request = Request {
            generation: 0,
            stage,
            call,
            demand,
            sent,
            begun: 0.0,
            left_at: f64::INFINITY,
            abandoned: false,
            seen: false,
            live: true,
        };
        if let Some(slot) = self.free.pop()
            && let Some(place) = self.slots.get_mut(slot as usize)
        {
            request.generation = place.generation;
            *place = request;
            return Key {
                slot,
                generation: request.generation,
            };
        }
        self.slots.push(request);
        Key {
            slot: u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX),
            generation: 0,
        }
    }

    /// Returns a request, unless it has finished.
    pub(super) fn peek(&self, key: Key) -> Option<&Request> {
        let request = self.slots.get(key.slot as usize)?;
        (request.live && request.generation == key.generation).then_some(request)
    }

    /// Returns a mutable request, unless it has finished.
    pub(super) fn get(&mut self, key: Key) -> Option<&mut Request> {
        let request = self.slots.get_mut(key.slot as usize)?;
        (request.live && request.generation == key.generation).then_some(request)
    }

    /// Returns the key of the live request in this slot.
    pub(super) fn key(&self, slot: u32) -> Option<Key> {
        let request = self
            .slots
            .get(slot as usize)
            .filter(|request| request.live)?;
        Some(Key {
            slot,
            generation: request.generation,
        })
    }

    /// Records that the client of a request has closed the connection.
    pub(super) fn close(&mut self, now: f64, key: Key) {
        if let Some(request) = self.get(key)
            && !request.left()
        {
            request.left_at = now;
            self.connected -= 1;
        }
    }

    /// Returns the number of requests whose connection is open.
    pub(super) fn connected(&self) -> u32 {
        self.connected
    }

    /// Removes a request.
    pub(super) fn remove(&mut self, key: Key) {
        if let Some(request) = self.get(key) {
            request.live = false;
            request.generation = request.generation.wrapping_add(1);
            let was_connected = !request.left();
            self.connected -= u32::from(was_connected);
            self.free.push(key.slot);
        }
    }

    /// Removes all requests, in order of their slots, and returns those whose clients still waited.
    pub(super) fn drain(&mut self) -> Vec<Request> {
        let mut waiting = Vec::new();
        self.connected = 0;
        for (slot, request) in (0..).zip(&mut self.slots) {
            if request.live {
                if request.is_awaited() {
                    waiting.push(*request);
                }
                request.live = false;
                request.generation = request.generation.wrapping_add(1);
                self.free.push(slot);
            }
        }
        waiting
    }
}
