//! Allocations of a request, once everything is warm.

use crate::variants::{App, PerVariant};

/// The fewest over several requests: a table that grows now and then is not a request's cost.
pub(crate) fn measure() -> PerVariant {
    PerVariant::from_fn(|variant| {
        let mut app = App::new(variant);
        (0..100).for_each(|_| app.call());
        let counts = (0..20).map(|_| allocation_counter::measure(|| app.call()).count_total);
        counts.min().unwrap_or(0) as f64
    })
}
