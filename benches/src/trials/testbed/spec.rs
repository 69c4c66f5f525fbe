//! Specification of a testbed by a case.

use std::time::Duration;

use toml::Value;

/// Timeout of the start of a process, which allows for a busy machine.
pub(super) const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Supply of CPU time to the app.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::trials) enum Cpu {
    /// No limit.
    Free,
    /// A CFS quota, in cores.
    Quota(f64),
    /// One core in total for the app and this many competing threads.
    Shared {
        /// Competing threads.
        hogs: usize,
        /// Set if the threads start with the app, and not by [`Bed::start_hogs`](super::Bed::start_hogs).
        from_start: bool,
    },
}

/// Supervisor of app and doctor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trials) enum Supervision {
    /// `healing pod`.
    Pod,
    /// A supervisor that restarts the doctor when it exits, and never the app.
    DoctorOnly,
    /// No supervisor.
    Absent,
}

/// Service, doctor and resources of a run.
#[derive(Debug, Clone)]
pub(in crate::trials) struct Spec {
    /// Worker threads of the service.
    pub(in crate::trials) workers: usize,
    /// CPU time of one request.
    pub(in crate::trials) work: Duration,
    /// Additional arguments of the service.
    pub(in crate::trials) service_args: Vec<String>,
    /// Supply of CPU time.
    pub(in crate::trials) cpu: Cpu,
    /// Memory limit, in bytes.
    pub(in crate::trials) memory: Option<u64>,
    /// Settings of the policy that differ from production.
    pub(in crate::trials) policy: Vec<(&'static str, Value)>,
    /// Settings of the sidecar outside the policy that differ from production.
    pub(in crate::trials) settings: Vec<(&'static str, String)>,
    /// Supervisor.
    pub(in crate::trials) supervision: Supervision,
    /// Paths of the load, in turn.
    pub(in crate::trials) paths: Vec<String>,
    /// Set if the capacity is measured before the doctor starts.
    pub(in crate::trials) measure_capacity: bool,
    /// Set if the app must be ready before the case begins.
    pub(in crate::trials) wait_until_ready: bool,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            workers: 4,
            work: Duration::from_micros(500),
            service_args: Vec::new(),
            cpu: Cpu::Free,
            memory: None,
            policy: Vec::new(),
            settings: Vec::new(),
            supervision: Supervision::Pod,
            paths: vec!["/".to_owned()],
            measure_capacity: false,
            wait_until_ready: true,
        }
    }
}
