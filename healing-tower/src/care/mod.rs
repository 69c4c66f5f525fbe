//! The care thread: an operating-system thread with a runtime and a listener of its own.
//!
//! It answers probes when the app's runtime is blocked, says how long that runtime has not ticked,
//! is told of SIGTERM, and can end the process. So a wedge is seen, not guessed from a timeout, and
//! it is healed from within: no signals from outside, no shared namespaces.
//!
//! # Hazards
//! It shares the process: where the whole process is stopped, out of CPU or out of file
//! descriptors, it is silent too. It takes SIGTERM for itself (unless told not to): an app that
//! wires its own server must heed [`Healing::shutdown_requested`](crate::Healing::shutdown_requested).
//! Where two instances live in one process, the end of one is the end of both.

pub(crate) mod access;
mod awake;
mod contained;
mod crowd;
pub(crate) mod ending;
pub(crate) mod heal;
pub(crate) mod heartbeat;
pub(crate) mod log;
mod refusal;
mod server;
mod sigterm;
mod watch;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};

use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;

use crate::app::{App, Runtimes};
use crate::checks::keep_running;

/// A started care thread; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Care {
    addr: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Care {
    /// Binds, spawns the thread and the heartbeat's task, and returns once the thread serves.
    pub(crate) fn start(app: &Arc<App>, bind: SocketAddr, take_sigterm: bool) -> io::Result<Self> {
        let app_runtime = Handle::try_current().map_err(|_| {
            io::Error::other("the care thread must be started from within the app's tokio runtime")
        })?;
        let listener = listen(bind)?;
        let addr = listener.local_addr()?;

        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let cared = Arc::clone(app);
        let sigterm = take_sigterm
            .then(|| sigterm::Sigterm::take(app))
            .transpose()?;
        let on_app = app_runtime.clone();
        std::thread::Builder::new()
            .name("healing-care".to_owned())
            .spawn(move || {
                // Made here: a runtime must not be dropped within another, not even on a failure.
                let (runtime, listener) = match prepare(listener) {
                    Ok(prepared) => prepared,
                    Err(error) => {
                        let _ = tell.send(Err(error));
                        return;
                    }
                };
                let _ = tell.send(Ok(runtime.handle().clone()));
                runtime.block_on(async {
                    tokio::select! {
                        () = dropped(stopped, &cared) => {}
                        code = care(Arc::clone(&cared), on_app, listener) => ending::end_process(code),
                    }
                });
                runtime.shutdown_background();
                drop(sigterm);
                // It may have come in the last moment, and nobody walks with this instance any more.
                let reasons = cared.life.reasons();
                if reasons.condemned.is_some()
                    || (reasons.terminated.is_some() && !sigterm::is_anyone_told())
                {
                    ending::end_process(ending::code(reasons));
                }
            })?;
        let care_runtime = told
            .recv()
            .map_err(|_| io::Error::other("the care thread did not come up"))??;

        let beat = Arc::clone(&app.heart).beat();
        app_runtime.spawn(beat);
        let _ = app.runtimes.set(Runtimes {
            app: app_runtime,
            care: care_runtime,
        });
        let (name, instance_id) = (app.name.clone(), app.instance_id.clone());
        // The first line starts the logging thread, before it is needed.
        log::say(move || tracing::info!(app = name, %addr, instance_id, "care port"));
        Ok(Self { addr, _stop: stop })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// The listener must be made inside the runtime that it belongs to.
fn prepare(listener: TcpListener) -> io::Result<(runtime::Runtime, tokio::net::TcpListener)> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let inside = runtime.enter();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    drop(inside);
    Ok((runtime, listener))
}

/// Does everything the thread is for; returns only with the code to end the process with.
async fn care(app: Arc<App>, app_runtime: Handle, listener: tokio::net::TcpListener) -> i32 {
    // Tasks of their own, so that a panic in one leaves the others at work.
    tokio::spawn(watch::pings(Arc::clone(&app.heart)));
    tokio::spawn(watch::samples(Arc::clone(&app)));
    tokio::spawn(keep_running(
        app.checks.clone(),
        app_runtime,
        Arc::clone(&app.heart),
    ));
    let server = server::Server::spawn(listener, Arc::clone(&app));
    let code = ending::walk(&app).await;
    server.finish().await; // the answer to /heal is on its way
    code
}

/// The last handle is gone. A process on its way out is still seen to its end: `main` has returned,
/// and now its runtime may hang.
async fn dropped(stopped: oneshot::Receiver<()>, app: &App) {
    let _ = stopped.await;
    if app.life.reasons().end_the_process() {
        std::future::pending::<()>().await;
    }
}

/// A busy port must be told at start-up: a silent app without its care port could not be healed.
fn listen(bind: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(bind).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!(
                "care port {bind} cannot be bound: {error}; set HEALING_CARE_BIND (or \
                 Builder::care_bind) to ADDRESS:PORT, port 0 for any free one"
            ),
        )
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
