//! The care thread: an operating-system thread with a runtime and a listener of its own.
//!
//! It answers probes while the app's runtime is stalled, measures that runtime's heartbeat, handles
//! SIGTERM, and can exit the process. So a stall is observed, not inferred from a timeout, and the restart
//! needs neither signals from outside nor shared namespaces.
//!
//! # Hazards
//!
//! The care thread is part of the process. If the whole process is stopped, out of CPU or out of file
//! descriptors, the care port does not respond either. The care thread handles SIGTERM unless configured
//! otherwise, so an app that wires its own server must await
//! [`Healing::shutdown_requested`](crate::Healing::shutdown_requested). If a process has two instances,
//! `restart_service` of one stops both.

mod catch_panic;
mod connection_limiter;
mod periodic;
mod server;
mod shutdown;
mod sigterm;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};

use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;

use crate::checks::run_checks;
use crate::deferred_log;
use crate::settings::CareSettings;
use crate::shared::{Runtimes, Shared};
use sigterm::Registration;

/// Handle of the running care thread, which exits when the handle is dropped.
#[derive(Debug)]
pub(crate) struct CareThread {
    addr: SocketAddr,
    _stop: oneshot::Sender<()>,
}

/// Failure to start the care thread.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The caller is not inside a tokio runtime.
    #[error("the care thread must be started from within the app's tokio runtime")]
    NoRuntime,
    /// The care port cannot be bound.
    #[error(
        "care port {addr} cannot be bound: {source}; set HEALING_CARE_BIND (or Builder::care_bind) to \
         ADDRESS:PORT, port 0 for any free one"
    )]
    Bind { addr: SocketAddr, source: io::Error },
    /// The handler of SIGTERM cannot be installed.
    #[error("cannot install the SIGTERM handler: {0}")]
    Sigterm(#[source] io::Error),
    /// The thread exited before it reported its runtime.
    #[error("the care thread exited at start-up")]
    ThreadExited,
    /// The thread, its runtime or its listener cannot be created.
    #[error("cannot start the care thread: {0}")]
    Thread(#[from] io::Error),
}

impl From<StartError> for io::Error {
    fn from(error: StartError) -> Self {
        let kind = match &error {
            StartError::NoRuntime | StartError::ThreadExited => io::ErrorKind::Other,
            StartError::Bind { source, .. }
            | StartError::Sigterm(source)
            | StartError::Thread(source) => source.kind(),
        };
        Self::new(kind, error)
    }
}

impl CareThread {
    /// Binds the port, spawns the thread and the heartbeat's task, and returns once the thread serves.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no current tokio runtime, if the port cannot be bound, or if the thread
    /// or the signal handler cannot be created.
    pub(crate) fn start(shared: &Arc<Shared>, settings: CareSettings) -> Result<Self, StartError> {
        let app_runtime = Handle::try_current().map_err(|_| StartError::NoRuntime)?;
        let listener = listen(settings.bind)?;
        let addr = listener.local_addr()?;
        let sigterm = settings
            .handle_sigterm
            .then(|| Registration::new(shared))
            .transpose()
            .map_err(StartError::Sigterm)?;

        let (stop, stopped) = oneshot::channel();
        let (ready, wait) = mpsc::channel();
        let (instance, runtime) = (Arc::clone(shared), app_runtime.clone());
        std::thread::Builder::new()
            .name("healing-care".to_owned())
            .spawn(move || run_thread(&instance, runtime, listener, &ready, stopped, sigterm))?;
        let care_runtime = wait.recv().map_err(|_| StartError::ThreadExited)??;

        app_runtime.spawn(Arc::clone(&shared.heartbeat).run());
        let _ = shared.runtimes.set(Runtimes {
            app: app_runtime,
            care: care_runtime,
        });
        let (name, instance_id) = (shared.settings.name.clone(), shared.instance_id.clone());
        // The first line also starts the logging thread, while threads can still be started.
        deferred_log::emit(
            move || tracing::info!(app = name, %addr, instance_id, "care port is listening"),
        );
        Ok(Self { addr, _stop: stop })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// Runs the care thread. Sends its runtime, or the failure to create one, through `ready`.
fn run_thread(
    shared: &Arc<Shared>,
    app_runtime: Handle,
    listener: TcpListener,
    ready: &mpsc::Sender<io::Result<Handle>>,
    stopped: oneshot::Receiver<()>,
    sigterm: Option<Registration>,
) {
    // Created on this thread, because a runtime must not be dropped within another one, even on failure.
    let (runtime, listener) = match prepare(listener) {
        Ok(prepared) => prepared,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let _ = ready.send(Ok(runtime.handle().clone()));
    runtime.block_on(async {
        tokio::select! {
            () = last_handle_dropped(stopped, shared) => {}
            code = serve(Arc::clone(shared), app_runtime, listener) => shutdown::exit_process(code),
        }
    });
    runtime.shutdown_background();
    drop(sigterm);
    // An exit may have been requested while the runtime shut down. SIGTERM is left to the other
    // instances, if there are any.
    let reasons = shared.lifecycle.reasons();
    if reasons.condemned.is_some() || (reasons.terminated.is_some() && !sigterm::has_instances()) {
        shutdown::exit_process(shutdown::exit_code(reasons));
    }
}

/// Creates the runtime, and the listener inside it.
fn prepare(listener: TcpListener) -> io::Result<(runtime::Runtime, tokio::net::TcpListener)> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let guard = runtime.enter();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    drop(guard);
    Ok((runtime, listener))
}

/// Runs all work of the thread until the process must exit; returns the exit code.
async fn serve(shared: Arc<Shared>, app_runtime: Handle, listener: tokio::net::TcpListener) -> i32 {
    // Separate tasks, so that a panic in one does not stop the others.
    tokio::spawn(periodic::ping(Arc::clone(&shared.heartbeat)));
    tokio::spawn(periodic::sample(Arc::clone(&shared)));
    tokio::spawn(run_checks(
        shared.checks.clone(),
        app_runtime,
        Arc::clone(&shared.heartbeat),
    ));
    let server = server::Server::spawn(listener, Arc::clone(&shared));
    let code = shutdown::run(&shared).await;
    server.shutdown().await; // the response of /heal may still be in flight
    code
}

/// Resolves when the last handle is dropped. Stays pending if the process must exit, because the
/// exit must be supervised even if `main` returns and blocks when it drops its runtime.
async fn last_handle_dropped(stopped: oneshot::Receiver<()>, shared: &Shared) {
    let _ = stopped.await;
    if shared.lifecycle.reasons().must_exit() {
        std::future::pending::<()>().await;
    }
}

/// Binds the port. A busy port is an error at start-up, because without a care port a stalled app could
/// not be healed.
fn listen(addr: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(addr).map_err(|source| StartError::Bind { addr, source })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
