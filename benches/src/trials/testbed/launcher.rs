//! Launcher of the processes of a run.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::RunError;
use super::child::{Child, CommandLine};
use super::log::Log;
use super::ports::Ports;
use crate::trials::programs::Programs;
use crate::trials::stub::{STUB, Stub};

/// Maximum number of starts of a doctor without a pod.
const DOCTOR_STARTS: u32 = 30;
/// Maximum length of a run, in seconds. Competing processes exit after it.
const MAX_RUN_SECONDS: u64 = 2400;

/// Programs and settings that the processes of a run share.
#[derive(Debug, Clone)]
pub(in crate::trials) struct Launcher {
    pub(super) programs: Programs,
    /// Factor by which times are shortened.
    pub(super) scale: f64,
    /// Stub in place of the doctor.
    pub(super) decider: Option<Stub>,
    /// Settings file of the doctor.
    pub(super) config: PathBuf,
    /// State directory of the doctor.
    pub(super) state: PathBuf,
    pub(super) log: Log,
}

impl Launcher {
    /// Starts app and doctor under `healing pod`. The service gets these arguments.
    pub(super) fn pod(&self, ports: Ports, service: Vec<OsString>) -> Result<Child, RunError> {
        let mut args: Vec<OsString> = vec![
            "pod".into(),
            "--time-scale".into(),
            (1.0 / self.scale).to_string().into(),
            "--grace".into(),
            "1s".into(),
            "--sidecar".into(),
            self.doctor_program().into(),
            "--".into(),
            self.programs.service.clone().into(),
        ];
        args.extend(service);
        self.start(CommandLine {
            name: "pod",
            program: &self.programs.healing,
            args,
            env: self.environment(ports),
        })
    }

    /// Starts the service alone.
    pub(super) fn service(&self, args: Vec<OsString>) -> Result<Child, RunError> {
        self.start(CommandLine {
            name: "service",
            program: &self.programs.service,
            args,
            env: Vec::new(),
        })
    }

    /// Starts processes that compete for the CPU in a cgroup.
    pub(super) fn hogs(&self, threads: usize, cgroup: &Path) -> Result<Child, RunError> {
        self.start(CommandLine {
            name: "hog",
            program: &self.programs.service,
            args: vec![
                "--hog".into(),
                threads.to_string().into(),
                "--seconds".into(),
                MAX_RUN_SECONDS.to_string().into(),
                "--cgroup".into(),
                cgroup.into(),
            ],
            env: Vec::new(),
        })
    }

    /// Starts the doctor alone, and after each exit again if `restart` is set. Its starts and exits are
    /// logged in the format of `healing pod`.
    pub(super) fn doctor(&self, ports: Ports, restart: bool) -> JoinHandle<()> {
        let launcher = self.clone();
        let pause = Duration::from_secs(1).div_f64(self.scale);
        tokio::spawn(async move {
            for start in 0..DOCTOR_STARTS {
                let started = launcher.start(CommandLine {
                    name: "doctor",
                    program: launcher.doctor_program(),
                    args: Vec::new(),
                    env: launcher.environment(ports),
                });
                let Ok(mut child) = started else {
                    return;
                };
                let pid = child.pid().unwrap_or_default();
                let log = &launcher.log;
                log.add(format!(
                    "pod     | sidecar started: pid {pid}, restarts {start}"
                ));
                let Ok(status) = child.wait().await else {
                    return;
                };
                let code = status
                    .code()
                    .unwrap_or(128 + status.signal().unwrap_or_default());
                log.add(format!("pod     | sidecar (pid {pid}) exited with {code}"));
                if !restart {
                    return;
                }
                tokio::time::sleep(pause).await;
            }
        })
    }

    /// Starts nginx in front of the app, with its files in this directory.
    pub(super) fn nginx(&self, program: &Path, directory: &Path) -> Result<Child, RunError> {
        self.start(CommandLine {
            name: "nginx",
            program,
            args: vec![
                "-p".into(),
                directory.into(),
                "-c".into(),
                directory.join("nginx.conf").into(),
                "-e".into(),
                "stderr".into(),
            ],
            env: Vec::new(),
        })
    }

    /// Runs the operator's command `healing` on the run's state directory. Returns `true` if it succeeds.
    pub(in crate::trials) async fn healing(&self, args: &[&str]) -> Result<bool, RunError> {
        let status = tokio::process::Command::new(&self.programs.healing)
            .args(args)
            .arg("--state-dir")
            .arg(&self.state)
            .stdout(Stdio::null())
            .status()
            .await?;
        Ok(status.success())
    }

    fn start(&self, line: CommandLine<'_>) -> Result<Child, RunError> {
        Child::start(&self.programs.trials, line, &self.log)
    }

    fn doctor_program(&self) -> &Path {
        match self.decider {
            Some(_) => &self.programs.trials,
            None => &self.programs.sidecar,
        }
    }

    fn environment(&self, ports: Ports) -> Vec<(&'static str, OsString)> {
        let url = |port: u16| OsString::from(format!("http://127.0.0.1:{port}"));
        let mut environment = vec![
            ("HEALING_CONFIG", self.config.clone().into()),
            ("HEALING_MODE", "enforce".into()),
            ("HEALING_APP_URL", url(ports.app)),
            ("HEALING_CARE_URL", url(ports.care)),
            (
                "HEALING_BIND",
                format!("127.0.0.1:{}", ports.sidecar).into(),
            ),
            ("HEALING_STATE_DIR", self.state.clone().into()),
            ("HEALING_LOG_FORMAT", "text".into()),
            ("NO_COLOR", "1".into()),
        ];
        if let Some(stub) = self.decider {
            environment.push((STUB, stub.as_str().into()));
        }
        environment
    }
}
