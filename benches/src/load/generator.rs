//! Generator, which runs the segments of a load one after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

use super::record::{Cause, Recorder};
use super::schedule::{Phase, Segment, intended_starts, poisson_starts};
use super::transport::{Connections, Transport};

/// Maximum number of requests in flight. Reaching it is a failure of the generator, not of the server.
const MAX_IN_FLIGHT: usize = 6000;
/// Pause of a closed-loop client after a success, which keeps it from sending in a busy loop.
const CLOSED_LOOP_PAUSE: Duration = Duration::from_millis(2);
/// Pause of a closed-loop client after a failure.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Client of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// Transport to the server.
    pub transport: Transport,
    /// Maximum time until the response is complete, from the intended start.
    pub timeout: Duration,
}

/// Target of a load.
#[derive(Debug, Clone)]
pub struct LoadSpec {
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Kind of client.
    pub client: Client,
    /// Paths, requested in turn.
    pub paths: Vec<String>,
}

#[derive(Debug)]
struct Target {
    connections: Connections,
    timeout: Duration,
    paths: Vec<String>,
    next: AtomicUsize,
    recorder: Recorder,
    in_flight: Arc<Semaphore>,
}

/// Load in progress; dropping it stops it.
#[derive(Debug)]
pub struct Load {
    recorder: Recorder,
    task: JoinHandle<()>,
}

impl Load {
    /// Starts the segments, one after the other.
    #[must_use]
    pub fn start(spec: LoadSpec, segments: Vec<Segment>) -> Self {
        let recorder = Recorder::new();
        let target = Arc::new(Target {
            connections: Connections::new(spec.port, spec.client.transport),
            timeout: spec.client.timeout,
            paths: spec.paths,
            next: AtomicUsize::new(0),
            recorder: recorder.clone(),
            in_flight: Arc::new(Semaphore::new(MAX_IN_FLIGHT)),
        });
        let task = tokio::spawn(run(target, segments));
        Self { recorder, task }
    }

    /// Returns the outcomes so far.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Waits until all segments and all requests have finished.
    pub async fn finish(&mut self) {
        let _ = (&mut self.task).await; // a panic in a request stops only that request
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(target: Arc<Target>, segments: Vec<Segment>) {
    let mut start = target.recorder.start();
    let mut requests = JoinSet::new();
    for segment in segments {
        let end = start + segment.duration;
        match segment.phase {
            Phase::Open { from, to } => {
                let starts = intended_starts(from, to, segment.duration);
                target.open_loop(start, starts, &mut requests).await;
                tokio::time::sleep_until(end.into()).await;
            }
            Phase::Poisson { rate, seed } => {
                let starts = poisson_starts(rate, seed, segment.duration);
                target.open_loop(start, starts, &mut requests).await;
                tokio::time::sleep_until(end.into()).await;
            }
            Phase::Closed { clients } => {
                let mut loops = JoinSet::new();
                for _ in 0..clients {
                    loops.spawn(Arc::clone(&target).closed_loop(end));
                }
                while loops.join_next().await.is_some() {}
            }
        }
        start = end;
    }
    while requests.join_next().await.is_some() {}
}

impl Target {
    /// Sends a request at each of these times after `start`, without waiting for the responses.
    async fn open_loop(
        self: &Arc<Self>,
        start: Instant,
        starts: impl Iterator<Item = Duration>,
        requests: &mut JoinSet<()>,
    ) {
        for offset in starts {
            let intended = start + offset;
            tokio::time::sleep_until(intended.into()).await;
            self.recorder.lag(intended.elapsed());
            while requests.try_join_next().is_some() {}
            let Ok(permit) = Arc::clone(&self.in_flight).try_acquire_owned() else {
                self.recorder.add(intended, Cause::Client);
                continue;
            };
            let target = Arc::clone(self);
            requests.spawn(async move {
                target.request(intended).await;
                drop(permit);
            });
        }
    }

    async fn closed_loop(self: Arc<Self>, end: Instant) {
        while Instant::now() < end {
            let cause = self.request(Instant::now()).await;
            let pause = if cause == Cause::Ok {
                CLOSED_LOOP_PAUSE
            } else {
                AFTER_FAILURE
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn request(&self, intended: Instant) -> Cause {
        let path = self
            .paths
            .get(self.next.fetch_add(1, Ordering::Relaxed) % self.paths.len().max(1))
            .map_or("/", String::as_str);
        let deadline = intended + self.timeout;
        let cause = tokio::time::timeout_at(deadline.into(), self.connections.get(path))
            .await
            .unwrap_or(Cause::TimedOut);
        self.recorder.add(intended, cause);
        cause
    }
}
