//! Patient app of a recording: a process of this binary, in a cgroup with a CPU quota.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use healing_sidecar::parent_death::{POD_PID, die_with_pod};
use patient_app::Settings;
use tokio::process::{Child, Command};

use super::args::PatientArgs;
use super::error::CalibrationError;
use super::plan::Plan;
use super::probes::Probes;
use crate::cgroup::Cgroup;
use crate::free_port;
use crate::poll::poll_until;

/// Maximum time until the app is ready.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// CPU weight of the app, so that only its quota limits it and not the other processes of the machine.
const WEIGHT: u32 = 50;

/// Running patient app; dropping it kills it. The order of the fields is the order of their removal.
#[derive(Debug)]
pub(super) struct Patient {
    _process: Child,
    cgroup: Cgroup,
    app: u16,
    probes: Probes,
}

// === impl Patient ===

impl Patient {
    /// Starts the app, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// Returns an error if this machine has no cgroups, or if the app does not become ready.
    pub(super) async fn start(plan: &Plan) -> Result<Self, CalibrationError> {
        let cgroup = Cgroup::with_quota(plan.quota)?;
        cgroup.set_weight(WEIGHT)?;
        let (app, care) = (free_port::next()?, free_port::next()?);
        let process = Command::new(std::env::current_exe()?)
            .args(["patient", "--cgroup"])
            .arg(cgroup.path())
            .args(["--app", &app.to_string(), "--care", &care.to_string()])
            .args(["--workers", &plan.workers.to_string()])
            .args(["--work", &format!("{}us", plan.work.as_micros())])
            .env(POD_PID, std::process::id().to_string())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let probes = Probes::new(app, care)?;
        poll_until("the patient app's readiness", START_TIMEOUT, async || {
            let health = probes.health().await?;
            (health.started == Some(true) && health.cpu_usage.is_some()).then_some(())
        })
        .await?;
        Ok(Self {
            _process: process,
            cgroup,
            app,
            probes,
        })
    }

    /// Returns the port of the app.
    pub(super) fn port(&self) -> u16 {
        self.app
    }

    /// Returns the probes of the app.
    pub(super) fn probes(&self) -> &Probes {
        &self.probes
    }

    /// Returns the number of quota periods in which the app was throttled.
    ///
    /// # Errors
    ///
    /// Returns an error if the cgroup cannot be read.
    pub(super) fn throttled_periods(&self) -> Result<u64, CalibrationError> {
        Ok(self.cgroup.throttled_periods()?)
    }
}

/// Serves as the patient app, until the process is killed.
///
/// # Errors
///
/// Returns an error if the process cannot join the cgroup, or if the app cannot serve.
pub(super) fn serve(args: &PatientArgs) -> Result<(), CalibrationError> {
    die_with_pod()?;
    join(&args.cgroup)?;
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let settings = Settings {
        bind: local(args.app),
        care_bind: Some(local(args.care)),
        work: args.work,
        ..Settings::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(args.workers)
        .enable_all()
        .build()?;
    Ok(runtime.block_on(patient_app::run(settings))?)
}

/// Joins a cgroup before any thread is started and before the limits are read.
fn join(cgroup: &Path) -> Result<(), CalibrationError> {
    let path = cgroup.join("cgroup.procs");
    std::fs::write(&path, std::process::id().to_string())
        .map_err(|error| CalibrationError::File(path, error))
}
