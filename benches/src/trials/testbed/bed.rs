//! The testbed of a run, as a case sees it.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;
use tempfile::TempDir;

use super::RunError;
use super::capacity::measure_capacity;
use super::clients::Clients;
use super::endpoints::Endpoints;
use super::groups::Groups;
use super::launcher::Launcher;
use super::log::Log;
use super::nginx;
use super::observer::Observer;
use super::ports::Ports;
use super::processes::Processes;
use super::service_args::service_args;
use super::spec::{Cpu, START_TIMEOUT, Spec, Supervision};
use crate::load::{Client, LoadSpec, Transport};
use crate::poll::poll_until;
use crate::signal::signal;
use crate::trials::programs::Programs;
use crate::trials::settings;
use crate::trials::stub::Stub;

/// Programs and settings that all runs of an invocation share, and the client of this run.
#[derive(Debug, Clone)]
pub(in crate::trials) struct RunContext {
    pub(in crate::trials) programs: Programs,
    /// Factor by which times are shortened.
    pub(in crate::trials) scale: f64,
    /// Stub in place of the doctor.
    pub(in crate::trials) decider: Option<Stub>,
    pub(in crate::trials) client: Client,
}

/// All parts of a run. Dropping it stops the load, kills the processes, and removes the cgroups and the
/// directory, in the order of these fields.
#[derive(Debug)]
pub(in crate::trials) struct Bed {
    pub(in crate::trials) clients: Clients,
    processes: Processes,
    pub(in crate::trials) groups: Groups,
    directory: TempDir,
    pub(in crate::trials) endpoints: Endpoints,
    pub(in crate::trials) observer: Observer,
    pub(in crate::trials) launcher: Launcher,
    spec: Spec,
    /// Measured capacity, in requests per second.
    pub(in crate::trials) capacity: f64,
    /// Start of the fault.
    pub(in crate::trials) fault_at: Option<SystemTime>,
    /// Findings of the case that are wrong beyond its expectation.
    pub(in crate::trials) problems: Vec<String>,
}

impl Bed {
    /// Starts everything that the case needs.
    ///
    /// # Errors
    ///
    /// Returns an error if the machine lacks a facility, or a process does not start.
    pub(in crate::trials) async fn start(
        context: RunContext,
        spec: Spec,
    ) -> Result<Self, RunError> {
        let directory = tempfile::Builder::new()
            .prefix("healing-trials-")
            .tempdir()?;
        let path = directory.path();
        let launcher = Launcher {
            programs: context.programs,
            scale: context.scale,
            decider: context.decider,
            config: path.join("healing.toml"),
            state: path.join("state"),
            log: Log::to(&path.join("log"))?,
        };
        let endpoints = Endpoints::new(Ports::free()?)?;
        let ports = endpoints.ports();
        let config = settings::file(context.scale, &spec.settings, &spec.policy)?;
        std::fs::write(&launcher.config, config)?;
        std::fs::create_dir_all(&launcher.state)?;
        let through_nginx = context.client.transport == Transport::Nginx;
        let target = LoadSpec {
            port: if through_nginx {
                ports.nginx
            } else {
                ports.app
            },
            client: context.client,
            paths: spec.paths.clone(),
        };
        let events = path.join("events");
        let observer = Observer::new(&events, &launcher.state, launcher.log.clone());
        let groups = Groups::create(&spec)?;
        // Declared after the groups, because an error must kill the processes before it removes them.
        let mut processes = Processes::default();
        if through_nginx {
            let timeout = context.client.timeout;
            processes.add(nginx::start(&launcher, path, ports, timeout).await?);
        }
        if let Cpu::Shared {
            from_start: true, ..
        } = spec.cpu
        {
            start_hogs(&spec, &groups, &launcher, &mut processes)?;
        }
        let capacity = if spec.measure_capacity {
            measure_capacity(&launcher, &spec, &groups, &endpoints, &target).await?
        } else {
            0.0
        };
        let args = service_args(&spec, context.scale, ports, &groups.app(), Some(&events));
        start_app_and_doctor(&spec, &launcher, ports, args, &mut processes)?;
        if spec.wait_until_ready {
            poll_until("the app's readiness", START_TIMEOUT, async || {
                endpoints.app_is_ready().await.then_some(())
            })
            .await?;
        }
        Ok(Self {
            clients: Clients::new(target),
            processes,
            groups,
            directory,
            endpoints,
            observer,
            launcher,
            spec,
            capacity,
            fault_at: None,
            problems: Vec::new(),
        })
    }

    /// Returns the factor by which times are shortened.
    pub(in crate::trials) fn scale(&self) -> f64 {
        self.launcher.scale
    }

    /// Returns the directory of the run's logs and settings.
    pub(in crate::trials) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the state directory of the doctor.
    pub(in crate::trials) fn state_directory(&self) -> &Path {
        &self.launcher.state
    }

    /// Returns a duration at this time scale.
    pub(in crate::trials) fn seconds(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds / self.scale())
    }

    /// Returns a rate at this time scale, so that a run has as many events as at scale 1.
    pub(in crate::trials) fn per_second(&self, rate: u32) -> u64 {
        let at_scale = self.seconds(1.0).as_millis().max(1);
        u64::try_from(u128::from(rate) * 1000 / at_scale).unwrap_or(u64::MAX)
    }

    /// Waits until this many seconds (at scale 1) after the start of the load.
    pub(in crate::trials) async fn until(&self, seconds: f64) {
        self.clients.wait_until(self.seconds(seconds)).await;
    }

    /// Records the start of the fault.
    pub(in crate::trials) fn fault_begins(&mut self) {
        self.fault_at = Some(SystemTime::now());
    }

    /// Injects a fault, and records its start.
    pub(in crate::trials) async fn inject(
        &mut self,
        fault: &str,
        value: u64,
    ) -> Result<(), RunError> {
        self.fault_begins();
        Ok(self.endpoints.inject(fault, value).await?)
    }

    /// Records a finding that is wrong beyond the expectation of the case.
    pub(in crate::trials) fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    /// Waits for a journal entry of this kind that was written after the fault. Returns `false` at the
    /// timeout.
    pub(in crate::trials) async fn wait_for_entry(&self, kind: &str, seconds: f64) -> bool {
        let since = self.fault_at.unwrap_or(SystemTime::UNIX_EPOCH);
        let seen = poll_until(kind, self.seconds(seconds), async || {
            self.observer.has_entry(kind, since).then_some(())
        });
        seen.await.is_ok()
    }

    /// Waits until the doctor has exited with 88 this many times. Returns `false` at the timeout.
    pub(in crate::trials) async fn wait_for_restarts(&self, number: usize, seconds: f64) -> bool {
        let seen = poll_until("a restart", self.seconds(seconds), async || {
            (self.observer.restarts() >= number).then_some(())
        });
        seen.await.is_ok()
    }

    /// Waits until the app is ready. Returns `false` at the timeout.
    pub(in crate::trials) async fn wait_for_ready(&self, seconds: f64) -> bool {
        let seen = poll_until("readiness", self.seconds(seconds), async || {
            self.endpoints.app_is_ready().await.then_some(())
        });
        seen.await.is_ok()
    }

    /// Starts the processes that compete with the app for its core.
    pub(in crate::trials) fn start_hogs(&mut self) -> Result<(), RunError> {
        start_hogs(
            &self.spec,
            &self.groups,
            &self.launcher,
            &mut self.processes,
        )
    }

    /// Starts a second pod of the same kind on the same state directory.
    pub(in crate::trials) fn start_second_pod(&mut self) -> Result<(), RunError> {
        let ports = Ports::free()?;
        let events = self.directory().join("second-events");
        let args = service_args(&self.spec, self.scale(), ports, &[], Some(&events));
        self.processes.add(self.launcher.pod(ports, args)?);
        Ok(())
    }

    /// Stops load and processes. Processes that are stopped by SIGSTOP are continued first.
    pub(in crate::trials) async fn stop(&mut self) {
        let pids = [self.observer.app_pid(), self.observer.doctor_pid()];
        for pid in pids.into_iter().flatten() {
            signal(pid, Signal::CONT);
        }
        self.clients.stop();
        self.processes.stop().await;
    }
}

fn start_app_and_doctor(
    spec: &Spec,
    launcher: &Launcher,
    ports: Ports,
    service_args: Vec<OsString>,
    processes: &mut Processes,
) -> Result<(), RunError> {
    match spec.supervision {
        Supervision::Pod => processes.add(launcher.pod(ports, service_args)?),
        Supervision::DoctorOnly | Supervision::Absent => {
            let restart = spec.supervision == Supervision::DoctorOnly;
            processes.add(launcher.service(service_args)?);
            processes.add_doctor(launcher.doctor(ports, restart));
        }
    }
    Ok(())
}

fn start_hogs(
    spec: &Spec,
    groups: &Groups,
    launcher: &Launcher,
    processes: &mut Processes,
) -> Result<(), RunError> {
    if let (Cpu::Shared { hogs, .. }, Some(cgroup)) = (spec.cpu, groups.competitors()) {
        processes.add(launcher.hogs(hogs, cgroup)?);
    }
    Ok(())
}
