//! Demand that is not met: standing queues, late answers, a late front door.

use super::super::*;
use super::world::*;
use crate::observation::*;

#[test]
fn standing_queue_proves_the_usual_demand() {
    let mut world = World::usual(20.0);
    world.arrivals = 8.0;
    assert!(is_ratio(&world.run(60), 0.0), "fewer clients");
    world.sockets = Some(PortSockets {
        backlog: 50,
        established: 200,
        unread: 180,
        unread_bytes: 18_000,
        listening: true,
        received_bytes: None,
    });
    let latest = world.run(60);
    assert!(
        latest.unseen_demand && is_ratio(&latest, 0.56),
        "{latest:?}"
    );
    assert_eq!(latest.hard, Some(Reason::Impaired));
}

#[test]
fn queue_on_two_connections_proves_the_usual_demand_by_its_bytes() {
    // 20 requests per second of 40 bytes each, in 5 s.
    for (received_bytes, expected) in [(Some(4000), true), (None, false)] {
        let mut world = World::new(20.0);
        let of_http2 = |unread, unread_bytes| {
            Some(PortSockets {
                backlog: 0,
                established: 2,
                unread,
                unread_bytes,
                listening: true,
                received_bytes,
            })
        };
        (world.in_flight, world.sockets) = (2, of_http2(0, 0));
        world.run(120);
        world.arrivals = 5.0;
        world.sockets = of_http2(2, 20 * 40);
        let latest = world.run(60);
        assert_eq!(latest.unseen_demand, expected, "{latest:?}");
        assert_eq!(latest.hard.is_some(), expected, "{latest:?}");
    }
}

#[test]
fn answers_after_the_declared_timeout_are_an_impairment() {
    for (timeout, expected) in [(None, 0.0), (Some(2), 0.68), (Some(4), 0.0)] {
        let mut world = World::new(20.0);
        world.config.client_timeout = timeout.map(Duration::from_secs);
        world.run(120);
        world.slow = 0.7;
        let latest = world.run(60);
        assert!(is_ratio(&latest, expected), "{timeout:?}: {latest:?}");
        assert_eq!(latest.hard.is_some(), expected > 0.5, "{timeout:?}");
    }
}

#[test]
fn app_that_answers_only_late_has_no_goodput_at_low_traffic() {
    let mut world = World::new(0.05);
    world.config.client_timeout = Some(Duration::from_secs(2));
    world.run(600);
    world.slow = 1.0;
    let latest = world.run(200);
    assert_eq!(latest.hard, Some(Reason::NoGoodput), "{latest:?}");
}

#[test]
fn late_front_door_stands_in_where_sockets_cannot_be_read() {
    for (sockets, expected) in [(None, true), (Some(PortSockets::default()), false)] {
        let mut world = World::usual(20.0);
        world.arrivals = 0.0;
        world.front_door = ProbeResult::TimedOut;
        world.sockets = sockets;
        assert_eq!(world.run(60).hard.is_some(), expected, "{sockets:?}");
    }
}
