//! SIGTERM, taken from the default action that would end the process at once.
//!
//! It is the process's and cannot be given back: once taken, nobody restores the default action. So
//! one thread of the process listens for good. It tells every instance that lives, and when none
//! does any more, it ends the process itself, as the default action would.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::app::App;

/// Those that are told; absent until the signal is first taken.
static TOLD: Mutex<Option<Vec<Arc<App>>>> = Mutex::new(None);

fn told() -> MutexGuard<'static, Option<Vec<Arc<App>>>> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether any instance sees to the end of the process.
pub(super) fn is_anyone_told() -> bool {
    told().as_deref().is_some_and(|apps| !apps.is_empty())
}

/// Told of SIGTERM until this is dropped.
pub(super) struct Sigterm(Arc<App>);

impl Sigterm {
    pub(super) fn take(app: &Arc<App>) -> io::Result<Self> {
        let mut told = told();
        if told.is_none() {
            listen::start()?;
        }
        told.get_or_insert_default().push(Arc::clone(app));
        Ok(Self(Arc::clone(app)))
    }
}

impl Drop for Sigterm {
    fn drop(&mut self) {
        if let Some(told) = &mut *told() {
            told.retain(|app| !Arc::ptr_eq(app, &self.0));
        }
    }
}

#[cfg(unix)]
mod listen {
    use std::io;
    use std::sync::mpsc;
    use std::time::Instant;

    use tokio::runtime::{Builder, Runtime};
    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::told;
    use crate::care::{ending, log};
    use crate::lifecycle::Reasons;

    /// Returns when the signal is taken.
    pub(super) fn start() -> io::Result<()> {
        let (tell, ready) = mpsc::channel();
        std::thread::Builder::new()
            .name("healing-sigterm".to_owned())
            .spawn(move || match prepare() {
                Ok((runtime, signal)) => {
                    let _ = tell.send(Ok(()));
                    runtime.block_on(listen(signal));
                }
                Err(error) => {
                    let _ = tell.send(Err(error));
                }
            })?;
        ready
            .recv()
            .map_err(|_| io::Error::other("the thread for SIGTERM did not come up"))?
    }

    fn prepare() -> io::Result<(Runtime, Signal)> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let inside = runtime.enter();
        let signal = signal(SignalKind::terminate())?;
        drop(inside);
        Ok((runtime, signal))
    }

    async fn listen(mut signal: Signal) {
        while signal.recv().await.is_some() {
            let told = told();
            let apps = told.as_deref().unwrap_or_default();
            if apps.is_empty() {
                ending::end_process(ending::code(Reasons::default()));
            }
            for app in apps {
                app.life.terminate(Instant::now());
                let name = app.name.clone();
                log::say(move || tracing::info!(app = name, "SIGTERM: draining"));
            }
        }
    }
}

/// Elsewhere nobody sends SIGTERM.
#[cfg(not(unix))]
mod listen {
    pub(super) fn start() -> std::io::Result<()> {
        Ok(())
    }
}
