//! The doctor and its pod as child processes.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::Failed;
use super::child::{Child, Line};
use super::log::Log;
use super::ports::Ports;
use crate::trials::programs::Programs;
use crate::trials::stub::{STUB, Stub};

/// Starts of a doctor at most.
const STARTS: u32 = 30;

/// Everything that doctor and pod are started with.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) programs: Programs,
    pub(super) scale: f64,
    pub(super) decider: Option<Stub>,
    /// Settings file.
    pub(super) config: std::path::PathBuf,
    /// Arguments of the service, without the program.
    pub(super) service: Vec<OsString>,
}

impl Setup {
    fn environment(&self, ports: Ports, state: &Path) -> Vec<(&'static str, OsString)> {
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
            ("HEALING_STATE_DIR", state.into()),
            ("HEALING_LOG_FORMAT", "text".into()),
            ("NO_COLOR", "1".into()),
        ];
        if let Some(stub) = self.decider {
            environment.push((STUB, stub.as_str().into()));
        }
        environment
    }

    fn doctor_program(&self) -> &Path {
        match self.decider {
            Some(_) => &self.programs.trials,
            None => &self.programs.sidecar,
        }
    }

    /// Starts app and doctor under `healing pod`.
    pub(super) fn pod(&self, ports: Ports, state: &Path, log: &Log) -> Result<Child, Failed> {
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
        args.extend(self.service.iter().cloned());
        let line = Line {
            name: "pod",
            program: &self.programs.healing,
            args,
            env: self.environment(ports, state),
        };
        Child::start(&self.programs.trials, line, log)
    }

    /// Starts the service alone.
    pub(super) fn service(&self, log: &Log) -> Result<Child, Failed> {
        let line = Line {
            name: "service",
            program: &self.programs.service,
            args: self.service.clone(),
            env: Vec::new(),
        };
        Child::start(&self.programs.trials, line, log)
    }

    /// Starts the doctor alone, and again when it ends if `again`. Its starts and ends are logged as
    /// `healing pod` does.
    pub(super) fn doctor(
        &self,
        ports: Ports,
        state: &Path,
        log: &Log,
        again: bool,
    ) -> JoinHandle<()> {
        let (setup, state, log) = (self.clone(), state.to_owned(), log.clone());
        let pause = Duration::from_secs(1).div_f64(self.scale);
        tokio::spawn(async move {
            for start in 0..STARTS {
                let line = Line {
                    name: "doctor",
                    program: setup.doctor_program(),
                    args: Vec::new(),
                    env: setup.environment(ports, &state),
                };
                let Ok(mut child) = Child::start(&setup.programs.trials, line, &log) else {
                    return;
                };
                let pid = child.pid().unwrap_or_default();
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
                if !again {
                    return;
                }
                tokio::time::sleep(pause).await;
            }
        })
    }
}
