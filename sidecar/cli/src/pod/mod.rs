//! The local pod, which runs app and sidecar as two processes under the kubelet's restart rules.
//!
//! It is for machines without Kubernetes, for the demo and for tests. A container is restarted after
//! any exit, the first time immediately, then after 10 s doubling to 300 s. Ten minutes of running
//! reset the back-off. If the sidecar exits 88, the rule `RestartAllContainers` applies, so the app
//! gets SIGTERM, SIGKILL 2 s later, and both start again without a counted back-off.
//!
//! # Hazards
//!
//! - The pod runs on its own thread, because the kernel ties `PR_SET_PDEATHSIG` to the *thread* that
//!   started a child. Children are terminated on [`LocalPod::stop`], on drop, and, if they called
//!   [`die_with_pod`](healing_sidecar::parent_death::die_with_pod) or were started through
//!   [`exec_with_pod`], also when the pod is killed by SIGKILL. A process that such a child has
//!   started outside its process group survives a killed pod.
//! - `time_scale` shortens back-off and its reset, but not the 2 s between SIGTERM and SIGKILL.

mod backoff;
mod container;
mod exec;
mod output;
mod spec;
mod supervisor;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

pub use self::exec::exec_with_pod;
pub use self::output::{LineSink, Output};
pub use self::spec::{CommandLine, PodSpec};
use self::supervisor::{Pids, PodCommand, Supervisor};
pub use rustix::process::Signal;

/// Maximum number of unread events. Further ones are dropped.
const EVENT_CAPACITY: usize = 1024;

/// Role of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The patient.
    App,
    /// The doctor.
    Sidecar,
}

impl Role {
    /// Returns the name in logs and output prefixes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Sidecar => "sidecar",
        }
    }
}

/// Event of a pod.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum PodEvent {
    /// A process was started.
    Started {
        /// Container of the process.
        role: Role,
        /// Id of the process.
        pid: u32,
        /// Restarts of the container so far.
        restarts: u32,
    },
    /// A program could not be started; the next attempt follows after the back-off.
    StartFailed {
        /// Container of the process.
        role: Role,
        /// Error of the system.
        error: String,
    },
    /// A process exited.
    Exited {
        /// Container of the process.
        role: Role,
        /// Id of the process.
        pid: u32,
        /// Exit code, unless a signal terminated the process.
        code: Option<i32>,
        /// Signal that terminated the process.
        signal: Option<i32>,
    },
    /// A container waits for its restart.
    BackOff {
        /// The container.
        role: Role,
        /// Delay before the restart. Zero means immediately.
        delay: Duration,
    },
    /// The sidecar exited 88, so both containers are restarted.
    RestartAll,
}

/// Running pod. Dropping it kills both processes. [`stop`](Self::stop) terminates them in order.
#[derive(Debug)]
pub struct LocalPod {
    commands: Option<mpsc::UnboundedSender<PodCommand>>,
    pids: Arc<Pids>,
    thread: Option<JoinHandle<()>>,
}

impl LocalPod {
    /// Starts both processes, the sidecar first.
    ///
    /// # Errors
    ///
    /// Returns an error if the pod's thread cannot be started. A program that cannot be started is
    /// reported as an event.
    pub fn start(spec: PodSpec) -> io::Result<(Self, mpsc::Receiver<PodEvent>)> {
        let (events, event_receiver) = mpsc::channel(EVENT_CAPACITY);
        let (commands, command_receiver) = mpsc::unbounded_channel();
        let pids = Arc::new(Pids::default());
        let supervisor = Supervisor::new(spec, events, Arc::clone(&pids));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("local-pod".into())
            .spawn(move || runtime.block_on(supervisor.run(command_receiver)))?;
        let pod = Self {
            commands: Some(commands),
            pids,
            thread: Some(thread),
        };
        Ok((pod, event_receiver))
    }

    /// Returns the process id of a container, or `None` while it waits for its restart.
    #[must_use]
    pub fn pid(&self, role: Role) -> Option<u32> {
        match self.pids.of(role).load(Ordering::Acquire) {
            0 => None,
            pid => Some(pid),
        }
    }

    /// Sends a signal to a container's process group.
    pub fn signal(&self, role: Role, signal: Signal) {
        if let Some(commands) = &self.commands {
            let _ = commands.send(PodCommand::Signal(role, signal));
        }
    }

    /// Stops the app by SIGTERM, then the sidecar. Each is killed after `grace`. Dropping the future
    /// kills both immediately.
    pub async fn stop(mut self, grace: Duration) {
        let (done, stopped) = oneshot::channel();
        if let Some(commands) = &self.commands
            && commands.send(PodCommand::Stop(grace, done)).is_ok()
        {
            let _ = stopped.await;
        }
        self.join();
    }

    fn join(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for LocalPod {
    fn drop(&mut self) {
        self.join();
    }
}
