//! The route of a path by where its text lies, without reading the text.
//!
//! axum keeps one `Arc<str>` for each of its routes and hands out clones of it. While a clone is held
//! here no other text can come to lie at that address, so the address alone tells the route. Nested
//! services make a new text for each request: those are looked up by content, and a few of each are
//! held in vain.

use super::routes::{MOST, Route, Routes};
use axum::extract::MatchedPath;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::Relaxed;

/// How many texts of one route are held: more than the routers that an app is made of have in common.
const HELD: u8 = 4;

/// Texts that are held. Each has one place; where two would share one, the later is looked up by
/// content.
pub(crate) struct Paths(Box<[OnceLock<Held>]>);

struct Held {
    path: MatchedPath,
    route: &'static Route,
}

impl Paths {
    /// Room for as many routes; few of them share a place.
    pub(crate) fn new(routes: usize) -> Self {
        let places = (4 * routes.min(MOST)).next_power_of_two();
        Self((0..places).map(|_| OnceLock::new()).collect())
    }

    /// The route of a path.
    #[inline]
    pub(crate) fn route(&self, path: &MatchedPath, routes: &Routes) -> &'static Route {
        let text = path.as_str();
        let place = &self.0[hash(text.as_ptr()) & (self.0.len() - 1)];
        match place.get() {
            Some(held) if ptr::eq(held.path.as_str(), text) => held.route,
            _ => by_content(path, routes, place),
        }
    }
}

#[inline(never)]
fn by_content(path: &MatchedPath, routes: &Routes, place: &OnceLock<Held>) -> &'static Route {
    let route = routes.get(Some(path.as_str()));
    let one_more = |held: u8| (held < HELD).then_some(held + 1);
    if place.get().is_none() && route.held.fetch_update(Relaxed, Relaxed, one_more).is_ok() {
        let path = path.clone();
        place.get_or_init(|| Held { path, route });
    }
    route
}

#[inline]
fn hash(text: *const u8) -> usize {
    // The lowest bits are zero, and the best of a product are the high ones.
    let address = text as usize as u64;
    ((address >> 3).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
}
