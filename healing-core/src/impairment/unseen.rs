//! Unseen demand: requests that wait in front of the app, where its layer cannot count them.
//!
//! A wedge or a lock convoy hides its arrivals. They are proved by any of these, in most of the polls of the
//! last 30 s:
//!
//! - the sockets of the app's port hold a *standing queue*, of more requests than usually arrive in 0.25 s;
//! - no connection is idle, one has unread bytes, and usually some are idle: a bounded client pool, whose
//!   queue is in the clients, is used up;
//! - the front door refuses connections;
//! - only where sockets cannot be read: the front door is late.
//!
//! The requests of a queue are its connections or, where more wait than one on each, its bytes.
//!
//! The front door counts only once it has answered in this instance, because a process that has bound its
//! port may start for any time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::recent::Recent;
use super::usual::Usual;
use crate::health::Health;
use crate::number::as_f64;
use crate::observation::{Observation, PortSockets, ProbeResult};
use crate::time::Time;

/// Polls that are evaluated at least, however far apart they are.
const MIN_POLLS: usize = 3;

/// Polls in which a condition must be known: fewer than half of them may be chance.
const MIN_KNOWN: u32 = 3;

/// Time in which a healthy app reads what has arrived, in seconds: a larger queue is standing.
const STANDING_SECONDS: f64 = 0.25;

/// Share of the polls that must show a standing queue, a refusal or a late front door.
const MOST: f64 = 0.5;

/// Share of the polls in which no connection may be idle. It is higher than [`MOST`], because a small pool
/// may be busy for a moment.
const NEARLY_ALL: f64 = 0.8;

/// Latency of the front door from which it is late.
const LATE: Duration = Duration::from_secs(1);

/// Queue, in multiples of the usual one, that is more than usual: an app that reads large bodies slowly has
/// unread bytes at all times.
const UNUSUAL: f64 = 2.0;

/// Figures of one poll.
#[derive(Debug, Clone, Copy)]
struct Poll {
    /// Requests that wait in the sockets. `None` if sockets cannot be read.
    queue: Option<f64>,
    /// Set if no connection is idle and one has unread bytes. `None` if that cannot be known.
    no_idle: Option<bool>,
    /// Result of the front door. `None` if it was not probed, or has not answered in this instance.
    front_door: Option<FrontDoor>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FrontDoor {
    Prompt,
    Late,
    Refused,
}

/// Knowledge about the app's sockets that outlives the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct UsualSockets {
    /// Connections that are usually idle.
    idle: Usual,
    /// Requests that usually wait in the sockets.
    queue: Usual,
}

/// Polls of the instance.
#[derive(Debug)]
pub(super) struct UnseenDemand {
    polls: Recent<Poll>,
}

// === impl UsualSockets ===

impl UsualSockets {
    /// Returns the knowledge about an app that was never seen.
    pub(super) fn new() -> Self {
        Self {
            idle: Usual::new(),
            queue: Usual::new(),
        }
    }

    /// Learns from a poll without unseen demand. `request_bytes` is the size of a request, if it is known.
    pub(super) fn learn(
        &mut self,
        now: Time,
        sockets: &PortSockets,
        health: &Health,
        request_bytes: Option<f64>,
    ) {
        if self.idle.is_due(now)
            && let Some(idle) = idle(sockets, health)
        {
            self.idle.push(now, idle);
            self.queue.push(now, queue(sockets, request_bytes));
        }
    }
}

/// Returns the number of requests that wait. Connections in the backlog may be among the unread ones, and one
/// HTTP/2 connection holds many requests, so the largest figure counts.
fn queue(sockets: &PortSockets, request_bytes: Option<f64>) -> f64 {
    let by_bytes = request_bytes.map_or(0.0, |size| as_f64(sockets.unread_bytes) / size);
    as_f64(sockets.unread.max(sockets.backlog)).max(by_bytes)
}

/// Returns the connections that wait for a request of their client.
fn idle(sockets: &PortSockets, health: &Health) -> Option<f64> {
    let busy = sockets.unread.saturating_add(health.in_flight?);
    Some(as_f64(sockets.established.saturating_sub(busy)))
}

// === impl UnseenDemand ===

impl UnseenDemand {
    /// Returns a detector without polls.
    pub(super) fn new() -> Self {
        Self {
            polls: Recent::new(Duration::from_secs(300)),
        }
    }

    /// Adds a poll with a health report. `has_answered` is set if the front door of this instance has
    /// answered, and `request_bytes` is the size of a request, if it is known.
    pub(super) fn observe(
        &mut self,
        now: Time,
        observation: &Observation,
        health: &Health,
        has_answered: bool,
        request_bytes: Option<f64>,
    ) {
        let front_door = match observation.front_door {
            ProbeResult::Valid((), latency) if latency <= LATE => Some(FrontDoor::Prompt),
            ProbeResult::Valid(..) | ProbeResult::TimedOut => Some(FrontDoor::Late),
            ProbeResult::Refused => Some(FrontDoor::Refused),
            ProbeResult::Invalid(_) | ProbeResult::NotProbed => None,
        };
        let sockets = observation.sockets.as_ref();
        self.polls.push(
            now,
            Poll {
                queue: sockets.map(|sockets| queue(sockets, request_bytes)),
                no_idle: sockets.and_then(|sockets| {
                    let idle = idle(sockets, health)?;
                    Some(idle <= 0.0 && sockets.unread > 0)
                }),
                front_door: front_door.filter(|_| has_answered),
            },
        );
    }

    /// Returns `true` if requests wait unseen, by the polls of the last `window`. `arrivals` are the usual
    /// ones, per second.
    pub(super) fn is_proved(
        &self,
        now: Time,
        window: Duration,
        arrivals: Option<f64>,
        usual: &UsualSockets,
    ) -> bool {
        let usual_queue = usual.queue.median(now).unwrap_or(0.0);
        let standing = (STANDING_SECONDS * arrivals.unwrap_or(0.0))
            .max(UNUSUAL * usual_queue)
            .max(1.0);
        let share = |condition: &dyn Fn(&Poll) -> Option<bool>| self.share(window, condition);
        let queue = share(&|poll| Some(poll.queue? >= standing));
        let usually_idle = usual.idle.median(now).is_some_and(|idle| idle >= 1.0);
        let no_idle = share(&|poll| poll.no_idle);
        let refused = share(&|poll| Some(poll.front_door? == FrontDoor::Refused));
        let late = share(&|poll| Some(poll.front_door? != FrontDoor::Prompt));
        queue.is_some_and(|share| share >= MOST)
            || (usually_idle && no_idle.is_some_and(|share| share >= NEARLY_ALL))
            || refused.is_some_and(|share| share >= MOST)
            || (queue.is_none() && late.is_some_and(|share| share >= MOST))
    }

    /// Discards the polls.
    pub(super) fn clear(&mut self) {
        self.polls.clear();
    }

    /// Returns the share of the recent polls with a condition, among those in which it is known. `None` if
    /// it is known in fewer than [`MIN_POLLS`].
    fn share(&self, window: Duration, condition: &dyn Fn(&Poll) -> Option<bool>) -> Option<f64> {
        let mut known = 0_u32;
        let mut holds = 0_u32;
        for poll in self.polls.within(window, MIN_POLLS) {
            if let Some(condition) = condition(&poll) {
                known += 1;
                holds += u32::from(condition);
            }
        }
        (known >= MIN_KNOWN).then(|| f64::from(holds) / f64::from(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Circumstances;

    const PROMPT: ProbeResult<()> = ProbeResult::Valid((), Duration::from_millis(1));
    const WINDOW: Duration = Duration::from_secs(30);

    fn sockets(established: u64, unread: u64, unread_bytes: u64) -> Option<PortSockets> {
        Some(PortSockets {
            backlog: 0,
            established,
            unread,
            unread_bytes,
            listening: true,
            // 20 requests per second of 50 bytes each, in 5 s.
            received_bytes: Some(5000),
        })
    }

    /// Bytes of a request.
    const SIZE: Option<f64> = Some(50.0);

    /// Returns what was learned in ten minutes with these sockets and 4 requests in flight.
    fn usual(usual: Option<PortSockets>) -> UsualSockets {
        let mut learned = UsualSockets::new();
        for poll in 0..120_u32 {
            let now = Time::default() + Duration::from_secs(5) * poll;
            learned.learn(now, &usual.unwrap(), &health(), SIZE);
        }
        learned
    }

    fn health() -> Health {
        Health {
            in_flight: Some(4),
            ..Health::default()
        }
    }

    /// Returns `true` if six polls prove unseen demand, at usually 20 requests per second.
    fn is_proved(
        learned: &UsualSockets,
        sockets: Option<PortSockets>,
        front_door: &ProbeResult<()>,
    ) -> bool {
        is_proved_with(SIZE, learned, sockets, front_door)
    }

    fn is_proved_with(
        size: Option<f64>,
        learned: &UsualSockets,
        sockets: Option<PortSockets>,
        front_door: &ProbeResult<()>,
    ) -> bool {
        let mut unseen = UnseenDemand::new();
        let mut now = Time::default() + Duration::from_secs(700);
        for _ in 0..6 {
            now = now + Duration::from_secs(5);
            let observation = Observation {
                care: ProbeResult::NotProbed,
                front_door: front_door.clone(),
                sockets,
                circumstances: Circumstances::default(),
            };
            unseen.observe(now, &observation, &health(), true, size);
        }
        unseen.is_proved(now, WINDOW, Some(20.0), learned)
    }

    #[test]
    fn standing_queue_is_more_than_arrives_in_a_quarter_of_a_second() {
        let learned = usual(sockets(30, 0, 0));
        assert!(is_proved(&learned, sockets(30, 5, 5 * 50), &PROMPT));
        assert!(!is_proved(&learned, sockets(30, 4, 4 * 50), &PROMPT));
    }

    #[test]
    fn queue_that_is_usual_proves_nothing() {
        let uploads = usual(sockets(30, 10, 1_000_000));
        assert!(!is_proved(&uploads, sockets(30, 15, 1_500_000), &PROMPT));
        assert!(is_proved(&uploads, sockets(30, 25, 2_500_000), &PROMPT));
    }

    #[test]
    fn bytes_count_requests_that_share_a_connection() {
        let two_connections = usual(sockets(2, 0, 0));
        assert!(is_proved(&two_connections, sockets(2, 2, 20 * 50), &PROMPT));
        assert!(!is_proved(&two_connections, sockets(2, 2, 4 * 50), &PROMPT));
    }

    #[test]
    fn bytes_prove_nothing_before_the_size_of_a_request_is_known() {
        let learned = usual(sockets(2, 0, 0));
        let queue = sockets(2, 2, 1_000_000);
        assert!(is_proved(&learned, queue, &PROMPT));
        assert!(!is_proved_with(None, &learned, queue, &PROMPT));
    }

    #[test]
    fn pool_without_an_idle_connection_proves_demand_where_some_are_usually_idle() {
        let pool = sockets(10, 1, 50);
        let used_up = sockets(5, 1, 50);
        assert!(is_proved(&usual(sockets(10, 0, 0)), used_up, &PROMPT));
        assert!(!is_proved(&usual(sockets(10, 0, 0)), pool, &PROMPT));
        assert!(!is_proved(&usual(sockets(4, 0, 0)), used_up, &PROMPT));
    }

    #[test]
    fn refused_front_door_proves_demand_and_a_late_one_only_without_sockets() {
        let learned = usual(sockets(30, 0, 0));
        let late = ProbeResult::Valid((), Duration::from_millis(1001));
        for (front_door, with_sockets, without) in [
            (ProbeResult::Refused, true, true),
            (ProbeResult::TimedOut, false, true),
            (late, false, true),
            (PROMPT, false, false),
            (ProbeResult::NotProbed, false, false),
        ] {
            let idle = sockets(30, 0, 0);
            assert_eq!(is_proved(&learned, idle, &front_door), with_sockets);
            assert_eq!(is_proved(&learned, None, &front_door), without);
        }
    }
}
