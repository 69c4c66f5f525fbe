//! Requests for tests of the parts.

use super::call::{Call, OPEN};
use super::demand::Demand;
use super::requests::{Key, Requests, Stage};

/// Returns three requests that wait in front of the app, with their keys.
pub(super) fn requests() -> (Requests, [Key; 3]) {
    let mut requests = Requests::default();
    let call = Call {
        index: 0,
        first_sent: 0.0,
        client: OPEN,
        attempt: 0,
    };
    let demand = Demand {
        cpu: 0.01,
        blocking: 0.0,
        hold: 0.1,
        route: 0,
        coins: [0.5; 4],
    };
    let keys = [0.0, 1.0, 2.0].map(|sent| requests.insert(call, demand, sent, Stage::Front));
    (requests, keys)
}

/// Returns the keys of three requests.
pub(super) fn keys() -> [Key; 3] {
    requests().1
}
