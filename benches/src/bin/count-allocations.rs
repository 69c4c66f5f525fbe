//! Counts the allocations of a request through the layer, beyond those through a no-op layer. The
//! `middleware` bench runs it. It is a separate binary because counting slows down every allocation,
//! which would distort the times of the bench.

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

/// Returns the minimum over several requests, because the occasional growth of a table is not the cost of a
/// request.
fn count(mut app: Layered) -> u64 {
    (0..100).for_each(|_| app.call());
    let counts = (0..20).map(|_| allocation_counter::measure(|| app.call()).count_total);
    counts.min().unwrap_or(0)
}
