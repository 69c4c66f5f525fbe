//! Map from route templates to series, with neither a lock nor a label map on lookup.
//!
//! The table is open-addressed and insert-only, so a lookup is a hash, a load and a comparison of the text.
//! Texts are compared by content, because a nested router makes a new `Arc<str>` per request. Insertion
//! takes a lock, once per route. Every route beyond the cap is counted as `other`.

use super::series::Endpoint;
use http::Method;
#[cfg(feature = "axum")]
use std::sync::atomic::AtomicU8;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};

use crate::lock::lock;

/// Label of requests that matched no route.
pub(crate) const UNMATCHED: &str = "unmatched";
/// Maximum of the cap on the number of routes, which limits memory.
pub(crate) const MAX_ROUTES: usize = 1 << 16;
/// Label of routes beyond the cap.
pub(crate) const OTHER: &str = "other";

/// Methods as OpenTelemetry lists them, indexed by [`MethodSlot`]; the last is for all others.
const METHODS: [&str; 10] = [
    "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE", "_OTHER",
];

/// Index of a method in [`METHODS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MethodSlot(u8);

impl MethodSlot {
    /// `HEAD`, whose responses have no body.
    pub(crate) const HEAD: Self = Self(4);
    /// `CONNECT`, whose successful responses have no body.
    pub(crate) const CONNECT: Self = Self(7);

    #[inline]
    pub(crate) fn of(method: &Method) -> Self {
        Self(match *method {
            Method::GET => 0,
            Method::POST => 1,
            Method::PUT => 2,
            Method::DELETE => 3,
            Method::HEAD => 4,
            Method::OPTIONS => 5,
            Method::PATCH => 6,
            Method::CONNECT => 7,
            Method::TRACE => 8,
            _ => 9,
        })
    }
}

/// One route template and its endpoints by method.
pub(crate) struct Route {
    name: Box<str>,
    /// Number of texts of this route in the path cache.
    #[cfg(feature = "axum")]
    pub(super) cached: AtomicU8,
    endpoints: [OnceLock<Box<Endpoint>>; METHODS.len()],
}

impl Route {
    /// Creates a route that is never freed, like its meter.
    fn new(name: &str) -> &'static Self {
        Box::leak(Box::new(Self {
            name: name.into(),
            #[cfg(feature = "axum")]
            cached: AtomicU8::new(0),
            endpoints: [const { OnceLock::new() }; METHODS.len()],
        }))
    }

    /// Returns the endpoint of a method; absent until its first request.
    #[inline]
    pub(crate) fn endpoint(&self, method: MethodSlot) -> Option<&Endpoint> {
        self.endpoints[usize::from(method.0)]
            .get()
            .map(|endpoint| &**endpoint)
    }

    /// Returns the template.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Iterates over the endpoints that were called, with the label of their method.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = (&'static str, &Endpoint)> {
        let endpoints = METHODS.into_iter().zip(&self.endpoints);
        endpoints.filter_map(|(method, cell)| Some((method, &**cell.get()?)))
    }
}

/// Endpoint that has been called.
#[derive(Clone, Copy)]
pub(crate) struct Called {
    /// Label of the method.
    pub(crate) method: &'static str,
    pub(crate) route: &'static Route,
    pub(crate) endpoint: &'static Endpoint,
}

/// Table of all routes seen so far.
pub(crate) struct Routes {
    unmatched: &'static Route,
    other: &'static Route,
    slots: Box<[OnceLock<&'static Route>]>,
    /// Number of filled slots.
    filled: AtomicUsize,
    /// Serialises insertion.
    inserting: Mutex<()>,
    /// Every endpoint, in the order of their first requests.
    called: Mutex<Vec<Called>>,
    cap: usize,
}

impl Routes {
    /// Creates a table for `cap` routes, [`MAX_ROUTES`] at most.
    pub(crate) fn new(cap: usize) -> Self {
        let cap = cap.min(MAX_ROUTES);
        // At most half full, so that probes are short and always reach an empty slot.
        let slots = (2 * cap).next_power_of_two().max(2);
        Self {
            unmatched: Route::new(UNMATCHED),
            other: Route::new(OTHER),
            slots: (0..slots).map(|_| OnceLock::new()).collect(),
            filled: AtomicUsize::new(0),
            inserting: Mutex::new(()),
            called: Mutex::default(),
            cap,
        }
    }

    /// Returns the route of a template.
    #[inline]
    pub(crate) fn get(&self, template: Option<&str>) -> &'static Route {
        let Some(template) = template else {
            return self.unmatched;
        };
        match self.find(template) {
            Ok(route) => route,
            Err(_) => self.insert(template),
        }
    }

    /// Returns the route, or the empty slot where it would be inserted.
    #[inline]
    fn find(&self, template: &str) -> Result<&'static Route, usize> {
        let mask = self.slots.len() - 1;
        let mut index = hash(template.as_bytes()) & mask;
        loop {
            match self.slots[index].get() {
                Some(route) if *route.name == *template => return Ok(route),
                Some(_) => index = (index + 1) & mask,
                None => return Err(index),
            }
        }
    }

    #[cold]
    fn insert(&self, template: &str) -> &'static Route {
        // A full table never empties, so the check before the lock is final.
        if self.filled.load(Relaxed) >= self.cap {
            return self.other;
        }
        let _guard = lock(&self.inserting);
        match self.find(template) {
            Ok(route) => route,
            Err(_) if self.filled.load(Relaxed) >= self.cap => self.other,
            Err(slot) => {
                self.filled.fetch_add(1, Relaxed);
                self.slots[slot].get_or_init(|| Route::new(template))
            }
        }
    }

    /// Returns the endpoint of a route and method, with counts for this number of shards.
    #[inline]
    pub(crate) fn endpoint(
        &self,
        route: &'static Route,
        method: MethodSlot,
        shards: usize,
    ) -> &'static Endpoint {
        match route.endpoint(method) {
            Some(endpoint) => endpoint,
            None => self.first_call(route, method, shards),
        }
    }

    #[cold]
    fn first_call(
        &self,
        route: &'static Route,
        method: MethodSlot,
        shards: usize,
    ) -> &'static Endpoint {
        let mut called = lock(&self.called);
        let index = usize::from(method.0);
        let first = route.endpoints[index].get().is_none();
        let endpoint = route.endpoints[index].get_or_init(|| Box::new(Endpoint::new(shards)));
        if first {
            called.push(Called {
                method: METHODS[index],
                route,
                endpoint,
            });
        }
        endpoint
    }

    /// Returns the endpoints after the first `known`, in the order of their first requests.
    pub(crate) fn called_since(&self, known: usize) -> Vec<Called> {
        lock(&self.called).get(known..).unwrap_or_default().to_vec()
    }

    /// Iterates over every route, those without a template last.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static Route> {
        let named = self.slots.iter().filter_map(OnceLock::get).copied();
        named.chain([self.other, self.unmatched])
    }
}

/// Returns the Fx hash, which takes one multiplication per eight bytes. It need not resist attacks, because
/// templates come from the program, not from clients.
#[inline]
fn hash(bytes: &[u8]) -> usize {
    const K: u64 = 0x517c_c1b7_2722_0a95;
    let add = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(K);
    let mut hash = bytes.len() as u64;
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk() {
        hash = add(hash, u64::from_le_bytes(*word));
        rest = after;
    }
    // The last eight bytes overlap the words before, which is cheaper than the remaining bytes one by one.
    hash = match bytes.last_chunk() {
        Some(word) => add(hash, u64::from_le_bytes(*word)),
        None => bytes
            .iter()
            .fold(hash, |hash, byte| add(hash, u64::from(*byte))),
    };
    // The high bits of a product are the best mixed.
    (hash >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_templates_share_one_route() {
        let routes = Routes::new(8);
        let first = String::from("/users/{id}");
        let second = first.clone();
        assert!(std::ptr::eq(
            routes.get(Some(&first)),
            routes.get(Some(&second))
        ));
        assert!(!std::ptr::eq(
            routes.get(Some("/users/{name}")),
            routes.get(Some(&first))
        ));
        assert_eq!(routes.get(None).name(), UNMATCHED);
    }

    #[test]
    fn routes_beyond_cap_are_other() {
        let routes = Routes::new(3);
        for index in 0..100 {
            routes.get(Some(&format!("/r/{index}")));
        }
        let names: Vec<_> = routes.iter().map(Route::name).collect();
        assert_eq!(names.len(), 3 + 2);
        assert_eq!(routes.get(Some("/r/50")).name(), OTHER);
        assert_eq!(routes.get(Some("/r/2")).name(), "/r/2");
        assert_eq!(Routes::new(0).get(Some("/")).name(), OTHER);
        let uncapped = Routes::new(usize::MAX);
        for index in 0..100 {
            let template = format!("/r/{index}");
            assert_eq!(uncapped.get(Some(&template)).name(), template);
        }
    }
}
