//! Kubelet rules that span both containers: restart after an exit, restart of both on exit 88, shutdown.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use healing_sidecar::exit_code;
use tokio::sync::{mpsc, oneshot};

use super::container::{ChildEvent, Container};
use super::{PodEvent, PodSpec, Role, Signal};

/// Time between SIGTERM and SIGKILL when the kubelet restarts all containers.
/// `terminationGracePeriodSeconds` does not apply there.
const RESTART_ALL_GRACE: Duration = Duration::from_secs(2);

/// Command of the pod's caller.
#[derive(Debug)]
pub(super) enum PodCommand {
    Signal(Role, Signal),
    Stop(Duration, oneshot::Sender<()>),
}

/// Process ids for readers outside the pod's thread; 0 means not running.
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

/// Supervisor of both containers.
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

    /// Runs the pod until it is stopped or its caller drops the sender of `commands`.
    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<PodCommand>) {
        // A native sidecar starts before the app.
        self.start(Role::Sidecar);
        self.start(Role::App);
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(PodCommand::Signal(role, signal)) => self.container(role).signal(signal),
                    Some(PodCommand::Stop(grace, done)) => {
                        tokio::select! {
                            () = self.stop(grace) => {}
                            // A further command, or no caller: stop immediately.
                            _ = commands.recv() => self.stop(Duration::ZERO).await,
                        }
                        let _ = done.send(());
                        return;
                    }
                    None => return self.stop(Duration::ZERO).await,
                },
                event = self.app.next_event() => self.handle(Role::App, event).await,
                event = self.sidecar.next_event() => self.handle(Role::Sidecar, event).await,
            }
        }
    }

    async fn handle(&mut self, role: Role, event: ChildEvent) {
        match event {
            ChildEvent::RestartDue => self.restart(role),
            ChildEvent::Exited { pid, status } => {
                self.exited(role, pid, status);
                if role == Role::Sidecar && status.code() == Some(exit_code::RESTART_ALL) {
                    self.restart_all().await;
                } else {
                    self.back_off(role);
                }
            }
        }
    }

    /// Restarts both containers immediately, without back-off; cancels a pending back-off.
    async fn restart_all(&mut self) {
        self.emit(PodEvent::RestartAll);
        self.sidecar.signal(Signal::KILL);
        if let Some((pid, status)) = self.app.stop(RESTART_ALL_GRACE).await {
            self.exited(Role::App, pid, status);
        }
        self.restart(Role::Sidecar);
        self.restart(Role::App);
    }

    /// Stops the app, then the sidecar, as the kubelet does with a native sidecar.
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
                self.emit(PodEvent::Started {
                    role,
                    pid,
                    restarts,
                });
            }
            Err(error) => {
                self.emit(PodEvent::StartFailed {
                    role,
                    error: error.to_string(),
                });
                self.back_off(role);
            }
        }
    }

    fn back_off(&mut self, role: Role) {
        let delay = self.container(role).back_off();
        self.emit(PodEvent::BackOff { role, delay });
    }

    fn exited(&mut self, role: Role, pid: u32, status: ExitStatus) {
        self.pids.of(role).store(0, Ordering::Release);
        self.emit(PodEvent::Exited {
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

    /// Sends an event without blocking. A slow reader loses events and does not delay the pod.
    fn emit(&self, event: PodEvent) {
        if let Err(mpsc::error::TrySendError::Full(event)) = self.events.try_send(event) {
            tracing::warn!(?event, "pod event dropped: the reader is too slow");
        }
    }
}
