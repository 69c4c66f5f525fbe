use super::*;

const STALL: Duration = Duration::from_secs(10);

/// A heart whose runtime and care thread are this test.
struct Played {
    heart: Heartbeat,
    start: Instant,
    now: u64,
}

impl Played {
    fn new() -> Self {
        let start = Instant::now();
        let mut heart = Heartbeat::new(STALL);
        heart.clock = AwakeClock::new(start);
        heart.beating.store(true, Ordering::Release);
        Self {
            heart,
            start,
            now: 0,
        }
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.now)
    }

    /// The care thread goes on to then, pinging; `answers` after this many milliseconds each.
    fn go(&mut self, to: u64, answers: Option<u64>) {
        while self.now < to {
            self.now += 100;
            self.heart.ping(self.now());
            if let Some(after) = answers {
                self.heart.answer(self.now() + Duration::from_millis(after));
            }
        }
    }

    fn lag(&self) -> u128 {
        self.heart.lag(self.now()).as_millis()
    }
}

#[test]
fn silence_becomes_a_stall_and_a_tick_ends_it() {
    let mut played = Played::new();
    played.go(1000, Some(0));
    played.go(11_000, None);
    assert!(
        !played.heart.is_stalled(played.now()),
        "ten seconds are not more than ten"
    );
    played.go(11_100, None);
    assert!(played.heart.is_stalled(played.now()));
    assert_eq!(
        played.lag(),
        10_000,
        "since the first ping without an answer"
    );
    played.heart.answer(played.now());
    assert!(!played.heart.is_stalled(played.now()));
    assert_eq!(played.lag(), 10_000);
}

#[test]
fn a_process_that_was_stopped_was_not_hanging() {
    let mut played = Played::new();
    played.go(1000, Some(0));
    played.go(1100, None);
    played.now += 3_600_000;
    assert!(
        !played.heart.is_stalled(played.now()),
        "before its first turn"
    );
    played.go(played.now + 500, None);
    assert!(!played.heart.is_stalled(played.now()));
    played.go(played.now + 10_000, None);
    assert!(
        played.heart.is_stalled(played.now()),
        "but now it is seen to hang"
    );
}

#[test]
fn lag_is_the_worst_of_ten_seconds() {
    let mut played = Played::new();
    played.go(11_900, Some(2));
    assert_eq!(played.lag(), 2);
    played.go(12_000, Some(70));
    played.go(21_900, Some(2));
    assert_eq!(played.lag(), 70);
    played.go(22_000, Some(2));
    assert_eq!(played.lag(), 2);
    played.go(22_500, None);
    assert_eq!(played.lag(), 400, "an open ping counts while it is open");
}

#[tokio::test]
async fn a_runtime_that_runs_answers_and_one_that_ended_is_gone() {
    let heart = Arc::new(Heartbeat::new(STALL));
    assert_eq!(heart.report(Instant::now()), None, "nobody beats yet");
    let task = tokio::spawn(Arc::clone(&heart).beat());
    while !heart.is_beating() {
        tokio::task::yield_now().await;
    }
    let tick = heart.next_tick();
    heart.ping(Instant::now());
    tick.await;
    assert!(
        heart
            .report(Instant::now())
            .is_some_and(|runtime| !runtime.stalled)
    );
    task.abort();
    let _ = task.await;
    assert_eq!(
        heart.report(Instant::now() + STALL * 9),
        None,
        "gone is not stalled"
    );
}
