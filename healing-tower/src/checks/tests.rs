use super::*;
use crate::heartbeat::{Heartbeat, PING_INTERVAL};
use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::advance;

fn check<F, Fut, E>(name: &str, options: CheckOptions, function: F) -> Check
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: std::fmt::Display,
{
    Check::new(
        name.to_owned(),
        CheckKind::Dependency,
        options,
        Job::new(function),
    )
}

/// Pings the runtime and runs the checks, as the care thread does, on the test's runtime.
fn run(checks: &Checks) -> Arc<Heartbeat> {
    let heartbeat = Arc::new(Heartbeat::new(Duration::from_secs(10)));
    tokio::spawn(Arc::clone(&heartbeat).run());
    let pinging = Arc::clone(&heartbeat);
    tokio::spawn(async move {
        loop {
            pinging.ping(Instant::now());
            tokio::time::sleep(PING_INTERVAL).await;
        }
    });
    tokio::spawn(run_checks(
        checks.clone(),
        Handle::current(),
        Arc::clone(&heartbeat),
    ));
    heartbeat
}

fn states(checks: &Checks) -> Vec<CheckState> {
    checks
        .report(Instant::now())
        .iter()
        .map(|report| report.state)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn checks_that_time_out_or_panic_do_not_affect_others() {
    let checks = Checks::new(vec![
        check("never finishes", CheckOptions::default(), || {
            std::future::pending::<Result<(), Infallible>>()
        }),
        check("panics", CheckOptions::default(), || async {
            if true {
                panic!("unplugged");
            }
            Ok::<(), Infallible>(())
        }),
        check("refused", CheckOptions::default(), || async {
            Err("connection refused")
        }),
        check("fine", CheckOptions::default(), || async {
            Ok::<(), Infallible>(())
        }),
    ]);
    assert_eq!(states(&checks), [CheckState::Unknown; 4]);
    let mut events = checks.subscribe();
    run(&checks);
    let mut received = Vec::new();
    for _ in 0..4 {
        let event = events.next().await.expect("an event");
        received.push((event.name, event.to, event.error.unwrap_or_default()));
    }
    received.sort_by(|a, b| a.0.cmp(&b.0));
    let expect = |name: &str, to, error: &str| (name.to_owned(), to, error.to_owned());
    assert_eq!(
        received,
        [
            expect("fine", CheckState::Passing, ""),
            expect("never finishes", CheckState::Failing, "timed out after 2s"),
            expect("panics", CheckState::Failing, "panicked: unplugged"),
            expect("refused", CheckState::Failing, "connection refused"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn result_is_kept_for_the_interval_and_a_change_is_an_event() {
    let (runs, broken) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (count, fails) = (Arc::clone(&runs), Arc::clone(&broken));
    let checks = Checks::new(vec![check("db", CheckOptions::default(), move || {
        count.fetch_add(1, Ordering::Relaxed);
        let fails = fails.load(Ordering::Relaxed) > 0;
        async move { if fails { Err("down") } else { Ok(()) } }
    })]);
    let mut events = checks.subscribe();
    run(&checks);
    assert_eq!(
        events.next().await.map(|event| event.to),
        Some(CheckState::Passing)
    );
    for _ in 0..1000 {
        checks.report(Instant::now()); // a report does not run the check
    }
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    advance(Duration::from_secs(9)).await;
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    broken.store(1, Ordering::Relaxed);
    let event = events.next().await.expect("an event");
    assert_eq!(
        (event.from, event.to),
        (CheckState::Passing, CheckState::Failing)
    );
    assert_eq!(event.error.as_deref(), Some("down"));
    assert_eq!(runs.load(Ordering::Relaxed), 2);
    broken.store(0, Ordering::Relaxed);
    assert_eq!(
        events.next().await.map(|event| event.to),
        Some(CheckState::Passing)
    );
}

#[tokio::test(start_paused = true)]
async fn extreme_options_do_not_panic() {
    let ok = || async { Ok::<(), Infallible>(()) };
    let options = CheckOptions::default;
    let checks = Checks::new(vec![
        check(
            "immediate",
            options().interval(Duration::ZERO).timeout(Duration::MAX),
            ok,
        ),
        check(
            "once",
            options().interval(Duration::MAX).timeout(Duration::MAX),
            ok,
        ),
        check(
            "no time",
            options().timeout(Duration::ZERO),
            std::future::pending::<Result<(), Infallible>>,
        ),
    ]);
    let mut events = checks.subscribe();
    run(&checks);
    for _ in 0..3 {
        events.next().await.expect("an event");
    }
    let passing = [
        CheckState::Passing,
        CheckState::Passing,
        CheckState::Failing,
    ];
    assert_eq!(states(&checks), passing);
}

#[tokio::test(start_paused = true)]
async fn readiness_depends_only_on_checks_that_opted_in() {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let checks = Checks::new(vec![
        check("ignored", CheckOptions::default(), || async { Err("down") }),
        check(
            "needed",
            CheckOptions::default().readiness(true),
            move || {
                let gate = Arc::clone(&opened);
                async move { gate.acquire().await.map(drop) }
            },
        ),
    ]);
    assert_eq!(checks.unready(), ["needed"], "unready before the first run");
    let mut events = checks.subscribe();
    run(&checks);
    assert_eq!(
        events.next().await.map(|event| event.name).as_deref(),
        Some("ignored")
    );
    assert_eq!(checks.unready(), ["needed"]);
    gate.add_permits(1);
    assert_eq!(
        events.next().await.map(|event| event.name).as_deref(),
        Some("needed")
    );
    assert_eq!(checks.unready(), Vec::<String>::new());
}

/// A stalled runtime must not look like an outage of every dependency.
#[tokio::test]
async fn dependency_keeps_its_state_while_the_runtime_is_stalled() {
    let app = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("rt");
    let options = CheckOptions::default()
        .timeout(Duration::from_millis(30))
        .interval(Duration::from_millis(10));
    let runs = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&runs);
    let checks = Checks::new(vec![check("db", options, move || {
        count.fetch_add(1, Ordering::Relaxed);
        async { Ok::<(), Infallible>(()) }
    })]);
    let heartbeat = Arc::new(Heartbeat::new(Duration::from_millis(100)));
    app.spawn(Arc::clone(&heartbeat).run());
    let mut events = checks.subscribe();
    let care = tokio::spawn(run_checks(
        checks.clone(),
        app.handle().clone(),
        Arc::clone(&heartbeat),
    ));
    assert_eq!(
        events.next().await.map(|event| event.to),
        Some(CheckState::Passing)
    );

    let (release, blocked) = std::sync::mpsc::channel::<()>();
    app.spawn(async move { blocked.recv() });
    while !heartbeat.is_stalled(Instant::now()) {
        heartbeat.ping(Instant::now());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Far beyond the timeout the last result is unchanged, only older.
    let before = runs.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(
        runs.load(Ordering::Relaxed),
        before,
        "no run is started meanwhile"
    );
    let report = checks.report(Instant::now()).remove(0);
    assert_eq!(report.state, CheckState::Passing);
    assert!(report.age_seconds.is_some_and(|age| age > 0.2));

    release.send(()).expect("blocked");
    while runs.load(Ordering::Relaxed) < before + 2 {
        heartbeat.ping(Instant::now());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(states(&checks), [CheckState::Passing]);
    care.abort();
    app.shutdown_background();
}
