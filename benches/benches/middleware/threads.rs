//! Contention between two threads that record concurrently.
//!
//! The layer wraps a service that responds immediately, without axum, whose shared reference counts would
//! hide the contention of the layer.

use crate::times::cpu_nanos;
use axum::body::Body;
use futures_util::FutureExt;
use healing_tower::{HealingLayer, Meter, MeterOptions};
use http::{Request, Response};
use std::convert::Infallible;
use std::sync::Barrier;
use std::thread;
use tower::{Layer, Service, service_fn};

const ROUNDS: usize = 5;
const CHUNK: u32 = 200_000;

/// Returns the CPU time of a request on each of two concurrent threads, divided by that on one thread.
pub(crate) fn measure() -> f64 {
    let meter = Meter::new(MeterOptions::new());
    let (mut alone, mut together) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        alone = alone.min(record(meter, 1));
        together = together.min(record(meter, 2));
    }
    println!("Recording: {alone:.1} ns on one thread, {together:.1} ns on each of two");
    together / alone
}

/// Returns the mean CPU time of a request in nanoseconds, while `threads` threads record.
fn record(meter: Meter, threads: usize) -> f64 {
    let barrier = Barrier::new(threads);
    let work = || {
        let mut service = HealingLayer::new(meter).layer(service_fn(|_: Request<()>| {
            std::future::ready(Ok::<_, Infallible>(Response::new(Body::empty())))
        }));
        barrier.wait();
        let before = cpu_nanos();
        for _ in 0..CHUNK {
            let response = service.call(Request::new(())).now_or_never();
            assert!(response.is_some_and(|response| response.is_ok()));
        }
        (cpu_nanos() - before) / f64::from(CHUNK)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .sum::<f64>()
            / threads as f64
    })
}
