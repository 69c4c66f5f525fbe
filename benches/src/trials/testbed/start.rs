//! Start of a testbed: directory, cgroups, settings, capacity, pod.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpStream;

use super::Failed;
use super::bed::{Bed, Clients, Groups, Surroundings};
use super::cgroup::Cgroup;
use super::child::{Child, Line};
use super::doctor::Setup;
use super::log::Log;
use super::nginx;
use super::ports::Ports;
use super::spec::{Cpu, Spec, Supervision};
use super::wait::until;
use crate::load::Transport;
use crate::service::EventLog;
use crate::trials::settings;

/// Time for a process to answer, on a busy machine too.
pub(super) const START: Duration = Duration::from_secs(30);
/// Share of the core of the competing processes, relative to the app's.
const COMPETITORS_WEIGHT: u32 = 3;
/// A run never lasts longer than this; competing processes end by themselves then.
pub(super) const LONGEST: u64 = 2400;

impl Bed {
    /// Starts everything that the case asks for.
    pub(in crate::trials) async fn start(
        surroundings: Surroundings,
        spec: Spec,
    ) -> Result<Self, Failed> {
        let directory = tempfile::Builder::new()
            .prefix("healing-trials-")
            .tempdir()?;
        let path = directory.path();
        let log = Log::to(&path.join("log"))?;
        let ports = Ports::free()?;
        let config = path.join("healing.toml");
        let file = settings::file(surroundings.scale, &spec.settings, &spec.policy)?;
        std::fs::write(&config, file)?;
        let groups = groups(&spec)?;
        let events = path.join("events");
        let setup = Setup {
            programs: surroundings.programs.clone(),
            scale: surroundings.scale,
            decider: surroundings.decider,
            config,
            service: service_args(&spec, surroundings.scale, ports, &groups, Some(&events)),
        };
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(5))
            .build()
            .map_err(|error| format!("no HTTP client: {error}"))?;
        let mut bed = Self {
            load: None,
            children: Vec::new(),
            doctor: None,
            groups,
            state: path.join("state"),
            events: EventLog::at(&events),
            directory,
            capacity: 0.0,
            fault_at: None,
            end: Duration::ZERO,
            problems: Vec::new(),
            clients: Clients {
                port: if surroundings.client.transport == Transport::Nginx {
                    ports.nginx
                } else {
                    ports.app
                },
                client: surroundings.client,
                paths: spec.paths.clone(),
            },
            surroundings,
            setup,
            spec,
            ports,
            log,
            http: client,
        };
        bed.bring_up().await?;
        Ok(bed)
    }

    async fn bring_up(&mut self) -> Result<(), Failed> {
        std::fs::create_dir_all(&self.state)?;
        if self.surroundings.client.transport == Transport::Nginx {
            let guard = &self.setup.programs.trials;
            let patience = self.surroundings.client.patience;
            let child = nginx::start(
                guard,
                self.directory.path(),
                self.ports,
                patience,
                &self.log,
            )?;
            self.children.push(child);
            let at = (Ipv4Addr::LOCALHOST, self.ports.nginx);
            until("nginx", START, async || TcpStream::connect(at).await.ok()).await?;
        }
        if matches!(
            self.spec.cpu,
            Cpu::Shared {
                from_start: true,
                ..
            }
        ) {
            self.start_hogs()?;
        }
        if self.spec.measure_capacity {
            self.capacity = self.measure_capacity().await?;
        }
        match self.spec.supervision {
            Supervision::Pod => {
                let pod = self.setup.pod(self.ports, &self.state, &self.log)?;
                self.children.push(pod);
            }
            Supervision::DoctorOnly | Supervision::Nobody => {
                let again = self.spec.supervision == Supervision::DoctorOnly;
                let service = self.setup.service(&self.log)?;
                self.children.push(service);
                let doctor = self.setup.doctor(self.ports, &self.state, &self.log, again);
                self.doctor = Some(doctor);
            }
        }
        if self.spec.wait_until_ready {
            self.wait_until_ready().await?;
        }
        Ok(())
    }

    async fn wait_until_ready(&self) -> Result<(), Failed> {
        until("the app's readiness", START, async || {
            self.ready().await.then_some(())
        })
        .await?;
        Ok(())
    }

    /// Starts the processes that compete with the app for its core.
    pub(in crate::trials) fn start_hogs(&mut self) -> Result<(), Failed> {
        let Cpu::Shared { hogs, .. } = self.spec.cpu else {
            return Ok(());
        };
        let Some(group) = &self.groups.competitors else {
            return Ok(());
        };
        let line = Line {
            name: "hog",
            program: &self.setup.programs.service,
            args: vec![
                "--hog".into(),
                hogs.to_string().into(),
                "--seconds".into(),
                LONGEST.to_string().into(),
                "--cgroup".into(),
                group.path().into(),
            ],
            env: Vec::new(),
        };
        let hog = Child::start(&self.setup.programs.trials, line, &self.log)?;
        self.children.push(hog);
        Ok(())
    }
}

fn groups(spec: &Spec) -> Result<Groups, Failed> {
    let mut groups = Groups::default();
    match spec.cpu {
        Cpu::Free => {}
        Cpu::Quota(cores) => groups.app.push(Cgroup::with_quota(cores)?),
        Cpu::Shared { .. } => {
            let parent = Cgroup::with_quota(1.0)?;
            groups.app.push(parent.child("app")?);
            let competitors = parent.child("competitors")?;
            competitors.set_weight(COMPETITORS_WEIGHT)?;
            groups.competitors = Some(competitors);
            groups.parent = Some(parent);
        }
    }
    if let Some(bytes) = spec.memory {
        groups.app.push(Cgroup::with_memory(bytes)?);
    }
    Ok(groups)
}

/// Returns the arguments of the service. Its own times are the defaults of healing-tower, scaled.
pub(super) fn service_args(
    spec: &Spec,
    scale: f64,
    ports: Ports,
    groups: &Groups,
    events: Option<&PathBuf>,
) -> Vec<OsString> {
    let at = |port: u16| format!("127.0.0.1:{port}");
    let time = |seconds: u64| {
        let time = Duration::from_secs(seconds).div_f64(scale);
        format!("{}ms", time.as_millis())
    };
    let mut args: Vec<OsString> = vec![
        "--bind".into(),
        at(ports.app).into(),
        "--care-bind".into(),
        at(ports.care).into(),
        "--control-bind".into(),
        at(ports.control).into(),
        "--workers".into(),
        spec.workers.to_string().into(),
        "--work".into(),
        format!("{}us", spec.work.as_micros()).into(),
        "--stall-after".into(),
        time(10).into(),
        "--lame-duck".into(),
        time(3).into(),
        "--drain-deadline".into(),
        time(20).into(),
    ];
    let groups: Vec<&Path> = groups.app.iter().map(Cgroup::path).collect();
    for group in groups {
        args.extend(["--cgroup".into(), group.into()]);
    }
    if let Some(events) = events {
        args.extend(["--events".into(), events.into()]);
    }
    // Those of the case describe the run, not the measurement of its capacity.
    if events.is_some() {
        args.extend(spec.service_args.iter().map(OsString::from));
    }
    args
}
