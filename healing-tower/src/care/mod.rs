//! The care thread: an operating-system thread with a runtime and a listener of its own.
//!
//! It answers probes while the app's runtime is blocked, measures that runtime's heartbeat, receives
//! SIGTERM, and can end the process. So a wedge is observed, not inferred from a timeout, and it is
//! healed from within: without signals from outside or shared namespaces.
//!
//! # Hazards
//!
//! It is part of the process: where the whole process is stopped, out of CPU or out of file descriptors,
//! it does not answer either. It takes SIGTERM unless configured otherwise: an app that wires its own
//! server must await [`Healing::shutdown_requested`](crate::Healing::shutdown_requested). Where two
//! instances live in one process, the exit of one ends both.

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

/// A running care thread; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct CareThread {
    addr: SocketAddr,
    _stop: oneshot::Sender<()>,
}

/// Failure to start the care thread.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("the care thread must be started from within the app's tokio runtime")]
    NoRuntime,
    #[error(
        "care port {addr} cannot be bound: {source}; set HEALING_CARE_BIND (or Builder::care_bind) to \
         ADDRESS:PORT, port 0 for any free one"
    )]
    Bind { addr: SocketAddr, source: io::Error },
    #[error("SIGTERM cannot be taken: {0}")]
    Sigterm(#[source] io::Error),
    #[error("the care thread ended at its start")]
    Ended,
    #[error("the care thread cannot be started: {0}")]
    Thread(#[from] io::Error),
}

impl From<StartError> for io::Error {
    fn from(error: StartError) -> Self {
        let kind = match &error {
            StartError::NoRuntime | StartError::Ended => io::ErrorKind::Other,
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
    /// There is no runtime around, the port is busy, or the system refuses a thread or the signal.
    pub(crate) fn start(shared: &Arc<Shared>, settings: CareSettings) -> Result<Self, StartError> {
        let app_runtime = Handle::try_current().map_err(|_| StartError::NoRuntime)?;
        let listener = listen(settings.bind)?;
        let addr = listener.local_addr()?;
        let sigterm = settings
            .take_sigterm
            .then(|| Registration::new(shared))
            .transpose()
            .map_err(StartError::Sigterm)?;

        let (stop, stopped) = oneshot::channel();
        let (ready, wait) = mpsc::channel();
        let (instance, runtime) = (Arc::clone(shared), app_runtime.clone());
        std::thread::Builder::new()
            .name("healing-care".to_owned())
            .spawn(move || run_thread(&instance, runtime, listener, &ready, stopped, sigterm))?;
        let care_runtime = wait.recv().map_err(|_| StartError::Ended)??;

        app_runtime.spawn(Arc::clone(&shared.heartbeat).run());
        let _ = shared.runtimes.set(Runtimes {
            app: app_runtime,
            care: care_runtime,
        });
        let (name, instance_id) = (shared.settings.name.clone(), shared.instance_id.clone());
        // The first line also starts the logging thread, while threads can still be started.
        deferred_log::emit(move || tracing::info!(app = name, %addr, instance_id, "care port"));
        Ok(Self { addr, _stop: stop })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// Body of the thread. Reports its runtime, or the failure to make one, through `ready`.
fn run_thread(
    shared: &Arc<Shared>,
    app_runtime: Handle,
    listener: TcpListener,
    ready: &mpsc::Sender<io::Result<Handle>>,
    stopped: oneshot::Receiver<()>,
    sigterm: Option<Registration>,
) {
    // Made on this thread: a runtime must not be dropped within another one, even on failure.
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
    // A request to exit may have come while this thread was ending. SIGTERM is left to the other
    // instances, if there are any.
    let reasons = shared.lifecycle.reasons();
    if reasons.condemned.is_some() || (reasons.terminated.is_some() && !sigterm::has_instances()) {
        shutdown::exit_process(shutdown::exit_code(reasons));
    }
}

/// Makes the runtime, and the listener inside it.
fn prepare(listener: TcpListener) -> io::Result<(runtime::Runtime, tokio::net::TcpListener)> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let guard = runtime.enter();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    drop(guard);
    Ok((runtime, listener))
}

/// Runs all work of the thread; returns only with the code to exit the process with.
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

/// Resolves when the last handle was dropped, unless the process is to exit: that is supervised to its
/// end, because the runtime of a `main` that has returned may still hang.
async fn last_handle_dropped(stopped: oneshot::Receiver<()>, shared: &Shared) {
    let _ = stopped.await;
    if shared.lifecycle.reasons().exit_process() {
        std::future::pending::<()>().await;
    }
}

/// Binds the port. A busy port is an error at start-up: without its care port an unresponsive app could
/// not be healed.
fn listen(addr: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(addr).map_err(|source| StartError::Bind { addr, source })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
