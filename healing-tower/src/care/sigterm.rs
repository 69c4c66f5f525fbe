//! SIGTERM handling.
//!
//! The default action, which terminates the process at once, is replaced for the whole process and cannot
//! be restored. So one thread listens until the process exits. It notifies every registered instance; if
//! there is none, it exits the process, as the default action would.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::lock::lock;
use crate::shared::Shared;

/// Registered instances; absent until the signal handler is installed.
static INSTANCES: Mutex<Option<Vec<Arc<Shared>>>> = Mutex::new(None);

fn instances() -> MutexGuard<'static, Option<Vec<Arc<Shared>>>> {
    lock(&INSTANCES)
}

/// Returns `true` if an instance is registered, which then exits the process itself.
pub(super) fn has_instances() -> bool {
    instances().as_deref().is_some_and(|all| !all.is_empty())
}

/// Registration of one instance, removed on drop.
pub(super) struct Registration(Arc<Shared>);

impl Registration {
    /// Registers the instance, and installs the signal handler if it is the first.
    pub(super) fn new(shared: &Arc<Shared>) -> io::Result<Self> {
        let mut instances = instances();
        if instances.is_none() {
            listen::start()?;
        }
        instances.get_or_insert_default().push(Arc::clone(shared));
        Ok(Self(Arc::clone(shared)))
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(instances) = &mut *instances() {
            instances.retain(|shared| !Arc::ptr_eq(shared, &self.0));
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

    use super::super::shutdown::exit_process;
    use super::instances;
    use crate::deferred_log;
    use crate::exit_code;

    /// Starts the thread, and returns when the signal handler is installed.
    pub(super) fn start() -> io::Result<()> {
        let (ready, wait) = mpsc::channel();
        std::thread::Builder::new()
            .name("healing-sigterm".to_owned())
            .spawn(move || match prepare() {
                Ok((runtime, signal)) => {
                    let _ = ready.send(Ok(()));
                    runtime.block_on(listen(signal));
                }
                Err(error) => {
                    let _ = ready.send(Err(error));
                }
            })?;
        wait.recv()
            .map_err(|_| io::Error::other("the SIGTERM thread exited at start-up"))?
    }

    fn prepare() -> io::Result<(Runtime, Signal)> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let guard = runtime.enter();
        let signal = signal(SignalKind::terminate())?;
        drop(guard);
        Ok((runtime, signal))
    }

    async fn listen(mut signal: Signal) {
        while signal.recv().await.is_some() {
            let instances = instances();
            let instances = instances.as_deref().unwrap_or_default();
            if instances.is_empty() {
                exit_process(exit_code::TERMINATED);
            }
            for shared in instances {
                shared.lifecycle.terminate(Instant::now());
                let name = shared.settings.name.clone();
                deferred_log::emit(move || {
                    tracing::info!(app = name, "received SIGTERM; draining");
                });
            }
        }
    }
}

/// Stand-in for platforms without SIGTERM.
#[cfg(not(unix))]
mod listen {
    pub(super) fn start() -> std::io::Result<()> {
        Ok(())
    }
}
