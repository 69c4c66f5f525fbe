//! The rules between the two containers: restart, restart all on exit 88, orderly end.

use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use healing_sidecar::exit_code;
use std::os::unix::process::ExitStatusExt;
use tokio::sync::{mpsc, oneshot};

use super::child::{Container, Happened};
use super::{PodEvent, PodSpec, Role, Signal};

/// What the kubelet leaves between SIGTERM and SIGKILL when it restarts all containers;
/// `terminationGracePeriodSeconds` plays no part there.
const RESTART_ALL_GRACE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) enum Order {
    Signal(Role, Signal),
    Stop(Duration, oneshot::Sender<()>),
}

/// Process ids for readers outside the pod's thread; 0 is "not running".
#[derive(Debug, Default)]
pub(super) struct Pids {
    app: AtomicU32,
    sidecar: AtomicU32,
}

impl Pids {
    pub(super) fn of(&self, role: Role) -> &AtomicU32 {
        match role {
            Role::App => &self.app,
            Role::Sidecar => &self.sidecar,
        }
    }
}

pub(super) struct Supervisor {
    app: Container,
    sidecar: Container,
    events: mpsc::Sender<PodEvent>,
    pids: Arc<Pids>,
}

impl Supervisor {
    pub(super) fn new(spec: PodSpec, events: mpsc::Sender<PodEvent>, pids: Arc<Pids>) -> Self {
        let output = spec.output;
        Self {
            app: Container::new(Role::App, spec.app, output.clone(), spec.time_scale),
            sidecar: Container::new(Role::Sidecar, spec.sidecar, output, spec.time_scale),
            events,
            pids,
        }
    }

    /// Runs until told to stop, or until nobody holds the handle any more.
    pub(super) async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        // A native sidecar starts before the app.
        self.start(Role::Sidecar);
        self.start(Role::App);
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Signal(role, signal)) => self.container(role).signal(signal),
                    Some(Order::Stop(grace, done)) => {
                        tokio::select! {
                            () = self.stop(grace) => {}
                            // A second word, or nobody waits any more: at once.
                            _ = orders.recv() => self.stop(Duration::ZERO).await,
                        }
                        let _ = done.send(());
                        return;
                    }
                    None => return self.stop(Duration::ZERO).await,
                },
                happened = self.app.next() => self.handle(Role::App, happened).await,
                happened = self.sidecar.next() => self.handle(Role::Sidecar, happened).await,
            }
        }
    }

    async fn handle(&mut self, role: Role, happened: Happened) {
        match happened {
            Happened::RestartDue => self.restart(role),
            Happened::Exited { pid, status } => {
                self.exited(role, pid, status);
                if role == Role::Sidecar && status.code() == Some(i32::from(exit_code::RESTART_ALL))
                {
                    self.restart_all().await;
                } else {
                    self.back_off(role);
                }
            }
        }
    }

    /// Both restart, nothing is added to a back-off, and one that is running is cut short.
    async fn restart_all(&mut self) {
        self.tell(PodEvent::RestartAll);
        self.sidecar.signal(Signal::KILL);
        if let Some((pid, status)) = self.app.stop(RESTART_ALL_GRACE).await {
            self.exited(Role::App, pid, status);
        }
        self.restart(Role::Sidecar);
        self.restart(Role::App);
    }

    /// The app first; the sidecar sees it end and leaves after it.
    async fn stop(&mut self, grace: Duration) {
        for role in [Role::App, Role::Sidecar] {
            if let Some((pid, status)) = self.container(role).stop(grace).await {
                self.exited(role, pid, status);
            }
        }
    }

    fn restart(&mut self, role: Role) {
        self.container(role).restarts += 1;
        self.start(role);
    }

    fn start(&mut self, role: Role) {
        match self.container(role).start() {
            Ok(pid) => {
                self.pids.of(role).store(pid, Ordering::Release);
                let restarts = self.container(role).restarts;
                self.tell(PodEvent::Started {
                    role,
                    pid,
                    restarts,
                });
            }
            Err(error) => {
                self.tell(PodEvent::StartFailed {
                    role,
                    error: error.to_string(),
                });
                self.back_off(role);
            }
        }
    }

    fn back_off(&mut self, role: Role) {
        let delay = self.container(role).back_off();
        self.tell(PodEvent::BackOff { role, delay });
    }

    fn exited(&mut self, role: Role, pid: u32, status: ExitStatus) {
        self.pids.of(role).store(0, Ordering::Release);
        self.tell(PodEvent::Exited {
            role,
            pid,
            code: status.code(),
            signal: status.signal(),
        });
    }

    fn container(&mut self, role: Role) -> &mut Container {
        match role {
            Role::App => &mut self.app,
            Role::Sidecar => &mut self.sidecar,
        }
    }

    /// A reader that does not keep up loses events; it must not hold the pod up.
    fn tell(&self, event: PodEvent) {
        if let Err(mpsc::error::TrySendError::Full(event)) = self.events.try_send(event) {
            tracing::warn!(?event, "nobody reads the pod's events: one is dropped");
        }
    }
}
