//! Allocations of a request through the layer, beyond those through a no-op layer: for the
//! `middleware` bench, which runs it. A binary of its own, because counting slows down every
//! allocation, and the bench's times must not depend on it.

use healing_benches::layered::{Layered, NoopLayer, app, healing};
use healing_tower::TrackBody;

fn main() {
    let noop = |reads| count(Layered::new(app().layer(NoopLayer), reads));
    let plain = count(Layered::new(
        app().layer(healing(TrackBody::Unsized)),
        false,
    ));
    let tracked = count(Layered::new(app().layer(healing(TrackBody::Always)), true));
    println!(
        "middleware_allocations {}",
        plain.saturating_sub(noop(false))
    );
    println!(
        "middleware_tracked_allocations {}",
        tracked.saturating_sub(noop(true))
    );
}

/// The fewest over several requests: a table that grows now and then is not a request's cost.
fn count(mut app: Layered) -> u64 {
    (0..100).for_each(|_| app.call());
    let counts = (0..20).map(|_| allocation_counter::measure(|| app.call()).count_total);
    counts.min().unwrap_or(0)
}
