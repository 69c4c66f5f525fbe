//! Lookup of a path's route by the address of its text, without reading the text.
//!
//! axum keeps one `Arc<str>` for each of its routes and hands out clones of it. While the cache holds a
//! clone, no other text can be allocated at that address, so the address alone identifies the route.
//! Nested services allocate a text for each request. Those are looked up by content, and the few
//! clones of each that are cached are never hit.

use super::routes::{MAX_ROUTES, Route, Routes};
use axum::extract::MatchedPath;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::Relaxed;

/// Maximum number of cached texts per route, above the number of routers that share a route in an app.
const MAX_CACHED: u8 = 4;

/// Direct-mapped cache of paths. Of two texts that hash to one entry, the later is looked up by content.
pub(crate) struct PathCache(Box<[OnceLock<CachedPath>]>);

struct CachedPath {
    path: MatchedPath,
    route: &'static Route,
}

impl PathCache {
    /// Creates a cache for `routes` routes, sparse enough that few of them share an entry.
    pub(crate) fn new(routes: usize) -> Self {
        let entries = (4 * routes.min(MAX_ROUTES)).next_power_of_two();
        Self((0..entries).map(|_| OnceLock::new()).collect())
    }

    /// Returns the route of a path.
    #[inline]
    pub(crate) fn route(&self, path: &MatchedPath, routes: &Routes) -> &'static Route {
        let text = path.as_str();
        let entry = &self.0[hash(text.as_ptr()) & (self.0.len() - 1)];
        match entry.get() {
            Some(cached) if ptr::eq(cached.path.as_str(), text) => cached.route,
            _ => by_content(path, routes, entry),
        }
    }
}

#[inline(never)]
fn by_content(path: &MatchedPath, routes: &Routes, entry: &OnceLock<CachedPath>) -> &'static Route {
    let route = routes.get(Some(path.as_str()));
    let one_more = |cached: u8| (cached < MAX_CACHED).then_some(cached + 1);
    if entry.get().is_none()
        && route
            .cached
            .fetch_update(Relaxed, Relaxed, one_more)
            .is_ok()
    {
        let path = path.clone();
        entry.get_or_init(|| CachedPath { path, route });
    }
    route
}

#[inline]
fn hash(text: *const u8) -> usize {
    // The lowest bits of an address are zero, and the high bits of a product are the best mixed.
    let address = text as usize as u64;
    ((address >> 3).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
}
