//! Start and shutdown of the trial service.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use healing_tower::Healing;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;

use super::args::Args;
use super::events::{EventKind, EventLog};
use super::faults::Faults;
use super::{app, control, hog};

/// Runs the service until SIGTERM or a crash.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
    if let Err(error) = start(&args) {
        tracing::error!(%error, "trial-service");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn start(args: &Args) -> io::Result<()> {
    for group in &args.cgroup {
        std::fs::write(group.join("cgroup.procs"), std::process::id().to_string())?;
    }
    if let (Some(threads), Some(seconds)) = (args.hog, args.seconds) {
        hog::hog(threads, seconds);
        return Ok(());
    }
    if let Some(limit) = args.max_descriptors {
        let maximum = getrlimit(Resource::Nofile).maximum;
        let current = Some(limit);
        setrlimit(Resource::Nofile, Rlimit { current, maximum })?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(args.workers)
        .enable_all()
        .build()?;
    let result = runtime.block_on(run(args));
    runtime.shutdown_background(); // workers may be blocked
    result
}

async fn run(args: &Args) -> io::Result<()> {
    let events = args.events.as_deref().map(EventLog::at);
    let restarted = events
        .as_ref()
        .is_some_and(|events| events.read().iter().any(|e| e.kind == EventKind::Start));
    if let Some(events) = &events {
        events.append(EventKind::Start);
    }
    let faults = Faults::start(args.workers);
    control::start(args.control_bind, Arc::clone(&faults))?;
    if let Some(delay) = args.wedge_after {
        let faults = Arc::clone(&faults);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            faults.block(usize::MAX);
        });
    }
    let healing = app::healing(args, events);
    if args.care_first {
        healing.start_care()?;
    }
    let listener = TcpListener::bind(args.bind).await?;
    let delay = if restarted {
        args.serve_delay.max(args.restart_delay)
    } else {
        args.serve_delay
    };
    tokio::time::sleep(delay).await;
    serve(args, &healing, listener, &faults).await
}

/// Serves the app's port in a separate task, so that the front-door fault can stop it while the process
/// runs.
async fn serve(
    args: &Args,
    healing: &Healing,
    listener: TcpListener,
    faults: &Arc<Faults>,
) -> io::Result<()> {
    let (router, served) = (app::routes(args, faults), healing.clone());
    let mut front = tokio::spawn(async move { served.serve(listener, router).await });
    tokio::select! {
        result = &mut front => return result.unwrap_or_else(|error| Err(io::Error::other(error))),
        () = faults.stop_front_door.notified() => front.abort(),
    }
    healing.shutdown_requested().await;
    healing.finish().await;
    Ok(())
}
