//! A real process to end: this test binary again, playing an app.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use healing_tower::Healing;
use rustix::process::{Pid, Signal, kill_process};

const PLAY: &str = "HEALING_TEST_PLAY";
const WORKERS: usize = 2;
/// What the handler of `/` has seen: the truth that clients' books are held against.
static BEGUN: AtomicU64 = AtomicU64::new(0);

/// Settings of the child, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Play {
    pub(crate) stall_after: u64,
    pub(crate) lame_duck: u64,
    pub(crate) drain_deadline: u64,
    pub(crate) condemned_wait: u64,
    pub(crate) mode: Mode,
    /// Logs to its standard output, as apps do.
    pub(crate) logs: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Serve,
    /// Wired by hand on axum's own server.
    ByHand,
    /// Serves, after another instance in the same process is gone.
    AfterAnother,
    /// Two servers of one instance.
    TwoServers,
    /// Goes on without healing, after the only instance is gone.
    Dropped,
}

impl Mode {
    const ALL: [Self; 5] = [
        Self::Serve,
        Self::ByHand,
        Self::AfterAnother,
        Self::TwoServers,
        Self::Dropped,
    ];
}

impl Default for Play {
    fn default() -> Self {
        Self {
            stall_after: 500,
            lame_duck: 300,
            drain_deadline: 10_000,
            condemned_wait: 0,
            mode: Mode::Serve,
            logs: false,
        }
    }
}

pub(crate) struct Child {
    process: std::process::Child,
    /// Kept open: the child writes to it until its end.
    stdout: BufReader<ChildStdout>,
    pub(crate) app: SocketAddr,
    /// The other server's, where there are two.
    pub(crate) second: Option<SocketAddr>,
    pub(crate) care: SocketAddr,
}

impl Child {
    pub(crate) fn start(play: Play) -> Self {
        let Play {
            stall_after,
            lame_duck,
            drain_deadline,
            condemned_wait,
            mode,
            logs,
        } = play;
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["child::play", "--exact", "--nocapture", "--test-threads=1"])
            .env(
                PLAY,
                format!(
                    "{stall_after} {lame_duck} {drain_deadline} {condemned_wait} {} {}",
                    mode as u64,
                    u64::from(logs),
                ),
            )
            .env("HEALING_CARE_BIND", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let told = stdout
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("SERVING ").map(|(_, rest)| rest.to_owned()))
            .expect("the child tells its addresses");
        let mut told = told.split(' ').map(|addr| addr.parse().unwrap());
        Self {
            process,
            stdout,
            app: told.next().unwrap(),
            care: told.next().unwrap(),
            second: told.next(),
        }
    }

    pub(crate) fn sigterm(&self) {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, Signal::TERM).unwrap();
    }

    /// Waits for the end; fails where it does not come.
    pub(crate) async fn exit(&mut self, within: Duration) -> ExitStatus {
        let begin = std::time::Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                assert_eq!(status.signal(), None, "it ended by itself");
                return status;
            }
            assert!(begin.elapsed() < within, "still running after {within:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Requests that its handlers have begun; told when it has ended in order.
    pub(crate) fn begun(&mut self) -> u64 {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        let told = rest.split_once("BEGUN ").expect("told at the end").1;
        told.split_whitespace().next().unwrap().parse().unwrap()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Not a test of its own: the child's `main`.
#[test]
fn play() {
    let Ok(settings) = std::env::var(PLAY) else {
        return;
    };
    let mut settings = settings
        .split(' ')
        .map(|millis| Duration::from_millis(millis.parse().unwrap()));
    let mut next = || settings.next().unwrap();
    let healing = Healing::builder("child")
        .stall_after(next())
        .lame_duck(next())
        .drain_deadline(next())
        .condemned_wait(next())
        .soft_heal("nothing", || async { Ok::<(), String>(()) })
        .build();
    let mode = next();
    let mode = Mode::ALL
        .into_iter()
        .find(|m| *m as u128 == mode.as_millis())
        .unwrap();
    let logs = !next().is_zero();
    if logs {
        tracing_subscriber::fmt().init();
    }
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .unwrap()
        .block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let app = listener.local_addr().unwrap();
            if mode == Mode::AfterAnother {
                let another = Healing::builder("another").build();
                another.start_care().unwrap();
            }
            let care = healing.start_care().unwrap();
            if mode == Mode::TwoServers {
                let second = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                println!("SERVING {app} {care} {}", second.local_addr().unwrap());
                serve_twice(&healing, [listener, second]).await;
                return;
            }
            println!("SERVING {app} {care}");
            match mode {
                Mode::Serve | Mode::AfterAnother | Mode::TwoServers => {
                    healing.serve(listener, routes()).await.unwrap();
                }
                Mode::ByHand => serve_by_hand(&healing, listener).await,
                Mode::Dropped => {
                    drop(healing);
                    std::future::pending::<()>().await;
                }
            }
            // An app without a subscriber may rely on `tracing` handing its lines to `log`, which
            // it does until it has met a subscriber.
            assert_eq!(tracing::dispatcher::has_been_set(), logs);
            println!("BEGUN {}", BEGUN.load(Ordering::Relaxed));
        });
}

async fn serve_twice(healing: &Healing, [one, two]: [tokio::net::TcpListener; 2]) {
    let (one, two) = tokio::join!(healing.serve(one, routes()), healing.serve(two, routes()));
    one.and(two).unwrap();
}

async fn serve_by_hand(healing: &Healing, listener: tokio::net::TcpListener) {
    let app = healing.wrap(routes());
    axum::serve(
        listener,
        app.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(healing.shutdown_requested())
    .await
    .unwrap();
    healing.finish().await;
}

fn routes() -> Router {
    Router::new()
        .route(
            "/",
            get(|| async {
                BEGUN.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(2)).await;
                "ok"
            }),
        )
        .route("/fail", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route(
            "/slow/{millis}",
            get(|Path(millis): Path<u64>| async move {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                "slow"
            }),
        )
        .route("/wedge", post(wedge))
        .route("/wedge/log", post(wedge_in_the_log))
}

/// Every worker sleeps in a blocking call.
async fn wedge() {
    for _ in 0..WORKERS {
        tokio::spawn(async { std::thread::sleep(Duration::from_secs(600)) });
    }
}

/// Every worker writes to the log, until the pipe that nobody reads is full.
async fn wedge_in_the_log() {
    for _ in 0..WORKERS {
        tokio::spawn(async {
            loop {
                tracing::info!("as busy as apps are");
            }
        });
    }
}
