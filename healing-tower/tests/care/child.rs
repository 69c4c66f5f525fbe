//! Child process to shut down, which is this test binary run again as an app.

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

const CONFIG: &str = "HEALING_TEST_CHILD";
const WORKERS: usize = 2;
/// Number of requests that the handler of `/` has begun, to compare with the clients' counts.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

/// Settings of the child; times are in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChildConfig {
    pub(crate) stall_after: u64,
    pub(crate) lame_duck: u64,
    pub(crate) drain_deadline: u64,
    pub(crate) condemned_wait: u64,
    pub(crate) mode: Mode,
    /// Logs to standard output, as apps do.
    pub(crate) logs: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Serve,
    /// Serves by axum's own server, wired by hand.
    HandWired,
    /// Serves after another instance of the same process was dropped.
    AfterDropOfOther,
    /// Serves on two listeners of one instance.
    TwoServers,
    /// Keeps running after the only instance was dropped.
    Dropped,
}

impl Mode {
    const ALL: [Self; 5] = [
        Self::Serve,
        Self::HandWired,
        Self::AfterDropOfOther,
        Self::TwoServers,
        Self::Dropped,
    ];
}

impl Default for ChildConfig {
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
    /// Kept open, because the child writes to it until it exits.
    stdout: BufReader<ChildStdout>,
    pub(crate) app: SocketAddr,
    /// Address of the second server, in [`Mode::TwoServers`].
    pub(crate) second: Option<SocketAddr>,
    pub(crate) care: SocketAddr,
}

impl Child {
    pub(crate) fn start(config: ChildConfig) -> Self {
        let ChildConfig {
            stall_after,
            lame_duck,
            drain_deadline,
            condemned_wait,
            mode,
            logs,
        } = config;
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([
                "child::child_process_main",
                "--exact",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(
                CONFIG,
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
        let addresses = stdout
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("SERVING ").map(|(_, rest)| rest.to_owned()))
            .expect("the child prints its addresses");
        let mut addresses = addresses.split(' ').map(|addr| addr.parse().unwrap());
        Self {
            process,
            stdout,
            app: addresses.next().unwrap(),
            care: addresses.next().unwrap(),
            second: addresses.next(),
        }
    }

    pub(crate) fn sigterm(&self) {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, Signal::TERM).unwrap();
    }

    /// Waits for the process to exit; panics if it takes longer than `within`.
    pub(crate) async fn exit(&mut self, within: Duration) -> ExitStatus {
        let begin = std::time::Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                assert_eq!(status.signal(), None, "not killed by a signal");
                return status;
            }
            assert!(begin.elapsed() < within, "still running after {within:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Returns the number of requests that the child's handlers have begun, which the child prints at a
    /// normal exit.
    pub(crate) fn requests_begun(&mut self) -> u64 {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        let count = rest.split_once("REQUESTS ").expect("printed at exit").1;
        count.split_whitespace().next().unwrap().parse().unwrap()
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

/// Runs the child process; in the test process itself this does nothing.
#[test]
fn child_process_main() {
    let Ok(settings) = std::env::var(CONFIG) else {
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
            if mode == Mode::AfterDropOfOther {
                let other = Healing::builder("other").build();
                other.start_care().unwrap();
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
                Mode::Serve | Mode::AfterDropOfOther | Mode::TwoServers => {
                    healing.serve(listener, routes()).await.unwrap();
                }
                Mode::HandWired => serve_hand_wired(&healing, listener).await,
                Mode::Dropped => {
                    drop(healing);
                    std::future::pending::<()>().await;
                }
            }
            // An app without a subscriber may rely on `tracing` to forward its events to `log`, which
            // `tracing` does until a subscriber is set.
            assert_eq!(tracing::dispatcher::has_been_set(), logs);
            println!("REQUESTS {}", REQUESTS.load(Ordering::Relaxed));
        });
}

async fn serve_twice(healing: &Healing, [one, two]: [tokio::net::TcpListener; 2]) {
    let (one, two) = tokio::join!(healing.serve(one, routes()), healing.serve(two, routes()));
    one.and(two).unwrap();
}

async fn serve_hand_wired(healing: &Healing, listener: tokio::net::TcpListener) {
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
                REQUESTS.fetch_add(1, Ordering::Relaxed);
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
        .route("/stall", post(stall))
        .route("/stall/log", post(stall_in_log))
}

/// Makes every worker sleep in a blocking call.
async fn stall() {
    for _ in 0..WORKERS {
        tokio::spawn(async { std::thread::sleep(Duration::from_secs(600)) });
    }
}

/// Makes every worker log until its pipe, which has no reader, is full.
async fn stall_in_log() {
    for _ in 0..WORKERS {
        tokio::spawn(async {
            loop {
                tracing::info!("log line of a busy app");
            }
        });
    }
}
