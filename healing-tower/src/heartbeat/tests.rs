use super::*;

const STALL: Duration = Duration::from_secs(10);

/// Heartbeat whose runtime and care thread are simulated by the test.
struct Simulation {
    heartbeat: Heartbeat,
    start: Instant,
    /// Milliseconds since `start`.
    now: u64,
}

impl Simulation {
    fn new() -> Self {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(STALL);
        heartbeat.clock = ActiveClock::new(start);
        heartbeat.running.store(true, Ordering::Release);
        Self {
            heartbeat,
            start,
            now: 0,
        }
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.now)
    }

    /// Advances to `to` with a ping each 100 ms; a tick follows each after `lag` milliseconds, if given.
    fn advance(&mut self, to: u64, lag: Option<u64>) {
        while self.now < to {
            self.now += 100;
            self.heartbeat.ping(self.now());
            if let Some(lag) = lag {
                self.heartbeat
                    .record_tick(self.now() + Duration::from_millis(lag));
            }
        }
    }

    fn lag(&self) -> u128 {
        self.heartbeat.lag(self.now()).as_millis()
    }
}

#[test]
fn heartbeat_is_stalled_after_the_limit_until_the_next_tick() {
    let mut simulation = Simulation::new();
    simulation.advance(1000, Some(0));
    simulation.advance(11_000, None);
    assert!(
        !simulation.heartbeat.is_stalled(simulation.now()),
        "the limit itself is not exceeded"
    );
    simulation.advance(11_100, None);
    assert!(simulation.heartbeat.is_stalled(simulation.now()));
    assert_eq!(
        simulation.lag(),
        10_000,
        "since the first ping without a tick"
    );
    simulation.heartbeat.record_tick(simulation.now());
    assert!(!simulation.heartbeat.is_stalled(simulation.now()));
    assert_eq!(simulation.lag(), 10_000);
}

#[test]
fn heartbeat_does_not_count_time_while_the_process_is_stopped() {
    let mut simulation = Simulation::new();
    simulation.advance(1000, Some(0));
    simulation.advance(1100, None);
    simulation.now += 3_600_000;
    assert!(
        !simulation.heartbeat.is_stalled(simulation.now()),
        "before the care thread's first advance"
    );
    simulation.advance(simulation.now + 500, None);
    assert!(!simulation.heartbeat.is_stalled(simulation.now()));
    simulation.advance(simulation.now + 10_000, None);
    assert!(
        simulation.heartbeat.is_stalled(simulation.now()),
        "a stall after the stop is observed"
    );
}

#[test]
fn lag_is_the_worst_of_ten_seconds() {
    let mut simulation = Simulation::new();
    simulation.advance(11_900, Some(2));
    assert_eq!(simulation.lag(), 2);
    simulation.advance(12_000, Some(70));
    simulation.advance(21_900, Some(2));
    assert_eq!(simulation.lag(), 70);
    simulation.advance(22_000, Some(2));
    assert_eq!(simulation.lag(), 2);
    simulation.advance(22_500, None);
    assert_eq!(simulation.lag(), 400, "a pending ping counts");
}

#[tokio::test]
async fn report_is_absent_before_first_tick_and_after_runtime_shutdown() {
    let heartbeat = Arc::new(Heartbeat::new(STALL));
    assert_eq!(heartbeat.report(Instant::now()), None, "no task runs yet");
    let task = tokio::spawn(Arc::clone(&heartbeat).run());
    while !heartbeat.is_running() {
        tokio::task::yield_now().await;
    }
    let tick = heartbeat.next_tick();
    heartbeat.ping(Instant::now());
    tick.await;
    assert!(
        heartbeat
            .report(Instant::now())
            .is_some_and(|runtime| !runtime.stalled)
    );
    task.abort();
    let _ = task.await;
    assert_eq!(
        heartbeat.report(Instant::now() + STALL * 9),
        None,
        "a runtime that has shut down is not stalled"
    );
}
