//! Real clients: several of them ask for `/data` at a steady rate and keep what became of it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// Clients at once.
const CLIENTS: usize = 8;
/// Each client asks this often: together 100 requests a second.
const PACE: Duration = Duration::from_millis(80);
/// How long a client waits for an answer: long enough for a machine that is busy with builds, whose
/// processes wait a second and more for their turn.
pub const CLIENT_TIMEOUT: Duration = Duration::from_secs(3);
/// Requests that are remembered.
const REMEMBERED: usize = 50_000;
/// So many answers in a row, all good, mean that clients are served again.
const GOOD_IN_A_ROW: usize = 40;

/// The load. Dropping it ends it.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    _clients: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    url: String,
    client: reqwest::Client,
    at_work: watch::Sender<bool>,
    in_flight: AtomicUsize,
    answers: Mutex<VecDeque<Answer>>,
}

#[derive(Debug, Clone, Copy)]
struct Answer {
    began: Instant,
    ended: Instant,
    ok: bool,
    timed_out: bool,
}

/// What clients saw since some moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Requests that began since.
    pub requests: usize,
    /// Those of them that failed: an error status, no connection, no answer in time.
    pub failed: usize,
    /// Those of the failed that got no answer in time.
    pub timed_out: usize,
}

impl Load {
    /// At rest until [`Self::resume`].
    pub fn start(client: reqwest::Client, app: u16) -> Self {
        let shared = Arc::new(Shared {
            url: format!("http://127.0.0.1:{app}/data"),
            client,
            at_work: watch::Sender::new(false),
            in_flight: AtomicUsize::new(0),
            answers: Mutex::new(VecDeque::new()),
        });
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(ask(Arc::clone(&shared)));
        }
        Self {
            shared,
            _clients: clients,
        }
    }

    /// Stops asking, and waits for the requests that are under way.
    pub async fn rest(&self) {
        self.shared.at_work.send_replace(false);
        while self.shared.in_flight.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Asks (again).
    pub fn resume(&self) {
        self.shared.at_work.send_replace(true);
    }

    /// Requests that began since `moment` and have ended.
    pub fn seen_since(&self, moment: Instant) -> Seen {
        let answers = self.shared.answers();
        let since = answers.iter().filter(|answer| answer.began >= moment);
        let mut seen = Seen::default();
        for answer in since {
            seen.requests += 1;
            seen.failed += usize::from(!answer.ok);
            seen.timed_out += usize::from(answer.timed_out);
        }
        seen
    }

    /// When clients were served again after `moment`: the first good answer after the last bad one,
    /// once enough good ones followed it. Nothing before a first failure.
    pub fn served_again_since(&self, moment: Instant) -> Option<Instant> {
        let answers = self.shared.answers();
        let last_bad = answers
            .iter()
            .filter(|answer| answer.began >= moment && !answer.ok)
            .map(|answer| answer.ended)
            .max()?;
        let good = answers
            .iter()
            .filter(|answer| answer.ok && answer.ended > last_bad);
        (good.clone().count() >= GOOD_IN_A_ROW)
            .then(|| good.map(|answer| answer.ended).min())
            .flatten()
    }
}

impl Shared {
    fn answers(&self) -> MutexGuard<'_, VecDeque<Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(shared: Arc<Shared>) {
    let mut at_work = shared.at_work.subscribe();
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        shared.in_flight.fetch_add(1, Ordering::SeqCst);
        if !*at_work.borrow_and_update() {
            shared.in_flight.fetch_sub(1, Ordering::SeqCst);
            if at_work.wait_for(|at_work| *at_work).await.is_err() {
                return;
            }
            continue;
        }
        let began = Instant::now();
        let request = shared.client.get(&shared.url).timeout(CLIENT_TIMEOUT);
        let answer = async {
            let response = request.send().await?.error_for_status()?;
            response.bytes().await
        }
        .await;
        let answer = Answer {
            began,
            ended: Instant::now(),
            ok: answer.is_ok(),
            timed_out: answer.is_err_and(|error| error.is_timeout()),
        };
        let mut answers = shared.answers();
        if answers.len() == REMEMBERED {
            answers.pop_front();
        }
        answers.push_back(answer);
        drop(answers);
        shared.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}
