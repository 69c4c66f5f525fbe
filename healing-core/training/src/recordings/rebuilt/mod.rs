//! Recorded runs, rebuilt as lives of the simulator, and the comparison of both.
//!
//! | file | content |
//! |---|---|
//! | `app` | the recorded app: its endpoints and its runtime |
//! | `transport` | connections of the clients, by the transport of a run |
//! | `life` | life of a recorded run |
//! | `usual` | facts about the machine that the usual phase of a run shows |
//! | `simulated` | recording of a simulated life |
//! | `phase` | figures of one phase of a recording |
//! | `comparison` | recorded and simulated figures side by side, and their table |
//!
//! A life is built from the case of its run (load, time-outs, faults), from the code of the recorded app,
//! and from what the run shows *before* its fault: limits and workers, the CPU time of a request, and the
//! contention on the recorder's machine. Nothing is taken from the phase with the fault, which the
//! simulation has to predict.
//!
//! `cargo run -p healing-training --bin recordings -- --rebuilt` prints the comparison, and with `--write`
//! replaces the committed table.
//!
//! # Known differences
//!
//! | figure | runs | reason |
//! |---|---|---|
//! | wait | most of `transports` | up to 80 apps shared the recorder's two cores, and their number changed during a run: the share rises in runs in which nothing else changes (`ka10_steady`) |
//! | served/s | overload | the order in which tokio runs ready tasks is only approximated |
//! | late | convoys behind a pool of 10 connections | the simulated lock is fair, the recorded one is not |
//! | late | `/mix` saturated over kept connections | the recorded runtime accepted and read a new connection sooner |
//! | begun/s, late | heavy requests at night (`*_y08`) | some 90 random arrivals: the simulated ones are fewer and farther apart |
//! | good/s | pools and queues near collapse | a goodput of a few percent depends on single requests |
//! | begun/s, good/s | `ng_front`, `ha_leak` | nginx closes a connection after 1000 requests, HAProxy gives up a request after a minute |
//!
//! # Hazards
//!
//! - HTTP/2 and streams are not rebuilt, nor runs with a restart or a stopped process.
//! - The contention of the machine is assumed to stay as it was before the fault.

mod app;
mod comparison;
mod life;
mod phase;
mod simulated;
mod transport;
mod usual;

pub use self::comparison::{Comparison, PhaseComparison, compare, comparison_table};
pub use self::life::rebuilt_life;
pub use self::phase::PhaseFigures;
pub use self::simulated::simulated_recording;
