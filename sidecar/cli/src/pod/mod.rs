//! The local pod: app and sidecar as two processes under the kubelet's restart rules.
//!
//! For machines without Kubernetes, for the demo and for tests. A container is restarted after any
//! exit: the first time at once, then after 10 s doubling to 300 s, forgiven after ten good
//! minutes. When the sidecar exits 88 the rule `RestartAllContainers` applies: the app gets
//! SIGTERM, SIGKILL 2 s later, and both start again with no back-off counted.
//!
//! # Hazards
//!
//! - The pod runs on a thread of its own, because the kernel ties "end with the parent" to the
//!   *thread* that started a child. Children end with the pod: on [`LocalPod::stop`], on drop, and,
//!   if they called [`die_with_pod`](healing_sidecar::parent_death::die_with_pod) or were started through [`exec_with_pod`], on SIGKILL too. A
//!   process that such a child has started itself, outside its process group, is not covered then.
//! - `time_scale` shortens back-off and forgiveness, never the 2 s between SIGTERM and SIGKILL.

mod backoff;
mod child;
mod exec;
mod output;
mod supervisor;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

pub use self::exec::exec_with_pod;
pub use self::output::{LineSink, Output};
use self::supervisor::{Order, Pids, Supervisor};
pub use rustix::process::Signal;

/// How many events wait for a reader before new ones are dropped.
const EVENTS: usize = 1024;

/// One of the two containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The service that is looked after.
    App,
    /// The doctor.
    Sidecar,
}

impl Role {
    /// The word in logs and output prefixes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Sidecar => "sidecar",
        }
    }
}

/// A program with its arguments and what is added to its environment.
#[derive(Debug, Clone)]
pub struct CommandLine {
    /// A path, or a name looked up in `PATH`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Set in addition to the pod's own environment.
    pub env: Vec<(OsString, OsString)>,
}

impl CommandLine {
    /// A program without arguments.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
        }
    }

    /// Add an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Add several arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Set an environment variable.
    #[must_use]
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), value.into()));
        self
    }
}

/// What a pod consists of.
#[derive(Debug, Clone)]
pub struct PodSpec {
    /// The app.
    pub app: CommandLine,
    /// The sidecar.
    pub sidecar: CommandLine,
    /// 1 is the kubelet's pace; smaller shortens the back-off, for demonstrations. Values that make
    /// no sense (0, negative, above 1) count as 1.
    pub time_scale: f64,
    /// Where the children's output goes.
    pub output: Output,
}

impl PodSpec {
    /// A pod at the kubelet's pace that prints what its children print.
    #[must_use]
    pub fn new(app: CommandLine, sidecar: CommandLine) -> Self {
        Self {
            app,
            sidecar,
            time_scale: 1.0,
            output: Output::Prefixed,
        }
    }
}

/// What happens in a pod.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum PodEvent {
    /// A process was started.
    Started {
        /// Which.
        role: Role,
        /// Its process id.
        pid: u32,
        /// Starts before this one.
        restarts: u32,
    },
    /// A program could not be started; it is tried again after the back-off.
    StartFailed {
        /// Which.
        role: Role,
        /// Why.
        error: String,
    },
    /// A process ended.
    Exited {
        /// Which.
        role: Role,
        /// Its process id.
        pid: u32,
        /// Its exit code, unless a signal ended it.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
    },
    /// The restart comes after this delay (zero: at once).
    BackOff {
        /// Which.
        role: Role,
        /// How long.
        delay: Duration,
    },
    /// The sidecar exited 88: both are restarted.
    RestartAll,
}

/// A running pod. Dropping it kills both processes; [`stop`](Self::stop) ends them in order.
#[derive(Debug)]
pub struct LocalPod {
    orders: Option<mpsc::UnboundedSender<Order>>,
    pids: Arc<Pids>,
    thread: Option<JoinHandle<()>>,
}

impl LocalPod {
    /// Start both processes, the sidecar first.
    ///
    /// # Errors
    ///
    /// When the pod's own thread cannot be had. A program that cannot be started is an event.
    pub fn start(spec: PodSpec) -> io::Result<(Self, mpsc::Receiver<PodEvent>)> {
        let (events, receiver) = mpsc::channel(EVENTS);
        let (orders, order_receiver) = mpsc::unbounded_channel();
        let pids = Arc::new(Pids::default());
        let supervisor = Supervisor::new(spec, events, Arc::clone(&pids));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("local-pod".into())
            .spawn(move || runtime.block_on(supervisor.run(order_receiver)))?;
        let pod = Self {
            orders: Some(orders),
            pids,
            thread: Some(thread),
        };
        Ok((pod, receiver))
    }

    /// The process id of a container; none while it waits for its restart.
    #[must_use]
    pub fn pid(&self, role: Role) -> Option<u32> {
        match self.pids.of(role).load(Ordering::Acquire) {
            0 => None,
            pid => Some(pid),
        }
    }

    /// Send a signal to a container's process group, as `kill` would.
    pub fn signal(&self, role: Role, signal: Signal) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(Order::Signal(role, signal));
        }
    }

    /// End in order: the app by SIGTERM, then the sidecar; each is killed after `grace`. Dropping
    /// the future kills both at once.
    pub async fn stop(mut self, grace: Duration) {
        let (done, stopped) = oneshot::channel();
        if let Some(orders) = &self.orders
            && orders.send(Order::Stop(grace, done)).is_ok()
        {
            let _ = stopped.await;
        }
        self.join();
    }

    fn join(&mut self) {
        self.orders = None;
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
