//! Clients that request `/data` at a steady rate and keep the result of each request.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// Number of concurrent clients.
const CLIENTS: usize = 8;
/// Interval between the requests of one client. All clients together make 100 requests per second.
const REQUEST_INTERVAL: Duration = Duration::from_millis(80);
/// Timeout of a request. It allows for a machine that is busy with builds, on which a process may wait more
/// than a second for the CPU.
pub const CLIENT_TIMEOUT: Duration = Duration::from_secs(3);
/// Number of the latest requests that are kept.
const KEPT_REQUESTS: usize = 50_000;
/// Number of successes after the last failure that count as recovery.
const RECOVERY_SUCCESSES: usize = 40;

/// Load generator. Dropping it stops the load.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    _clients: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    url: String,
    client: reqwest::Client,
    active: watch::Sender<bool>,
    in_flight: AtomicUsize,
    completed: Mutex<VecDeque<CompletedRequest>>,
}

#[derive(Debug, Clone, Copy)]
struct CompletedRequest {
    started: Instant,
    completed: Instant,
    ok: bool,
    timed_out: bool,
}

/// Results of the completed requests that started since some moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoadSummary {
    /// Number of requests.
    pub requests: usize,
    /// Number of requests that failed by an error status, a missing connection or a timeout.
    pub failed: usize,
    /// Number of failed requests that timed out.
    pub timed_out: usize,
}

impl Load {
    /// Starts the clients, paused until [`Self::resume`].
    pub fn start(client: reqwest::Client, app: u16) -> Self {
        let shared = Arc::new(Shared {
            url: format!("http://127.0.0.1:{app}/data"),
            client,
            active: watch::Sender::new(false),
            in_flight: AtomicUsize::new(0),
            completed: Mutex::new(VecDeque::new()),
        });
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(run_client(Arc::clone(&shared)));
        }
        Self {
            shared,
            _clients: clients,
        }
    }

    /// Pauses the load, and waits for the requests in flight.
    pub async fn pause(&self) {
        self.shared.active.send_replace(false);
        while self.shared.in_flight.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Starts or resumes the load.
    pub fn resume(&self) {
        self.shared.active.send_replace(true);
    }

    /// Returns the results of the completed requests that started since `moment`.
    pub fn summary_since(&self, moment: Instant) -> LoadSummary {
        let mut summary = LoadSummary::default();
        for request in self.shared.completed().iter() {
            if request.started >= moment {
                summary.requests += 1;
                summary.failed += usize::from(!request.ok);
                summary.timed_out += usize::from(request.timed_out);
            }
        }
        summary
    }

    /// Returns the time of recovery, which is the first success after the last failure since `moment`.
    /// Returns `None` if there is no failure, or if too few successes followed the last one.
    pub fn recovered_since(&self, moment: Instant) -> Option<Instant> {
        let completed = self.shared.completed();
        let last_failure = completed
            .iter()
            .filter(|request| request.started >= moment && !request.ok)
            .map(|request| request.completed)
            .max()?;
        let successes = completed
            .iter()
            .filter(|request| request.ok && request.completed > last_failure);
        (successes.clone().count() >= RECOVERY_SUCCESSES)
            .then(|| successes.map(|request| request.completed).min())
            .flatten()
    }
}

impl Shared {
    fn completed(&self) -> MutexGuard<'_, VecDeque<CompletedRequest>> {
        self.completed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

async fn run_client(shared: Arc<Shared>) {
    let mut active = shared.active.subscribe();
    let mut interval = tokio::time::interval(REQUEST_INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        shared.in_flight.fetch_add(1, Ordering::SeqCst);
        if !*active.borrow_and_update() {
            shared.in_flight.fetch_sub(1, Ordering::SeqCst);
            if active.wait_for(|active| *active).await.is_err() {
                return;
            }
            continue;
        }
        let started = Instant::now();
        let request = shared.client.get(&shared.url).timeout(CLIENT_TIMEOUT);
        let result = async {
            let response = request.send().await?.error_for_status()?;
            response.bytes().await
        }
        .await;
        let request = CompletedRequest {
            started,
            completed: Instant::now(),
            ok: result.is_ok(),
            timed_out: result.is_err_and(|error| error.is_timeout()),
        };
        let mut completed = shared.completed();
        if completed.len() == KEPT_REQUESTS {
            completed.pop_front();
        }
        completed.push_back(request);
        drop(completed);
        shared.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}
