//! Testbed of one run: temporary directory, ports, cgroups, pod, load, and their removal.

mod bed;
mod capacity;
mod child;
mod clients;
mod endpoints;
mod error;
mod files;
mod groups;
mod launcher;
mod log;
mod nginx;
mod observed;
mod observer;
mod ports;
mod processes;
mod service_args;
mod spec;

pub(super) use self::bed::{Bed, RunContext};
pub(super) use self::child::{GUARD, signal_process};
pub(super) use self::error::RunError;
pub(super) use self::files::{copy_traces, tear_state_file};
pub(super) use self::observed::observed;
pub(super) use self::spec::{Cpu, Spec, Supervision};
