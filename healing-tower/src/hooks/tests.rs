use super::*;
use std::convert::Infallible;
use tokio::sync::Semaphore;

fn hook<F, Fut, E>(name: &str, function: F) -> Hook
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: std::fmt::Display,
{
    Hook::new(name.to_owned(), HookOptions::default(), Job::new(function))
}

#[tokio::test(start_paused = true)]
async fn hooks_run_in_order_and_are_all_reported_despite_failures() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let order = Arc::clone(&order);
        move || order.lock().expect("not poisoned").push(name)
    };
    let (first, second, third, fourth) = (
        note("fails"),
        note("panics"),
        note("never finishes"),
        note("works"),
    );
    let hooks = Hooks::new(vec![
        hook("fails", move || {
            first();
            async { Err("no such pool") }
        }),
        hook("panics", move || {
            second();
            async {
                if true {
                    panic!("no row {}", 7);
                }
                Ok::<(), Infallible>(())
            }
        }),
        hook("never finishes", move || {
            third();
            std::future::pending::<Result<(), Infallible>>()
        }),
        hook("works", move || {
            fourth();
            async { Ok::<(), Infallible>(()) }
        }),
    ]);
    let heal = hooks.begin().expect("none is running");
    let outcomes = heal.run(&Handle::current()).await;
    let results: Vec<_> = outcomes
        .iter()
        .map(|o| (o.name.as_str(), o.ok, o.error.as_deref()))
        .collect();
    assert_eq!(
        results,
        [
            ("fails", false, Some("no such pool")),
            ("panics", false, Some("panicked: no row 7")),
            ("never finishes", false, Some("timed out after 5s")),
            ("works", true, None),
        ]
    );
    assert_eq!(
        *order.lock().expect("not poisoned"),
        ["fails", "panics", "never finishes", "works"]
    );
    let failures: Vec<_> = hooks
        .report()
        .iter()
        .map(|r| (r.runs_total, r.failures_total))
        .collect();
    assert_eq!(failures, [(1, 1), (1, 1), (1, 1), (1, 0)]);
}

#[tokio::test]
async fn second_heal_is_rejected_while_one_runs() {
    let hooks = Hooks::new(Vec::new());
    let heal = hooks.begin().expect("none is running");
    assert_eq!(hooks.begin().err(), Some(AlreadyHealing));
    drop(heal);
    assert!(hooks.begin().is_ok());
}

#[tokio::test]
async fn hook_that_cannot_be_cancelled_is_not_started_twice() {
    let blocked = Arc::new((Mutex::new(true), std::sync::Condvar::new()));
    let started = Arc::new(Semaphore::new(0));
    let (gate, count) = (Arc::clone(&blocked), Arc::clone(&started));
    let hooks = Hooks::new(vec![Hook::new(
        "blocks".to_owned(),
        HookOptions::default().timeout(Duration::from_millis(50)),
        Job::new(move || {
            let gate = Arc::clone(&gate);
            count.add_permits(1);
            async move {
                let mut blocked = gate.0.lock().expect("not poisoned");
                while *blocked {
                    blocked = gate.1.wait(blocked).expect("not poisoned");
                }
                Ok::<(), Infallible>(())
            }
        }),
    )]);
    // A separate runtime, so that the blocked worker does not block the test.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("runtime");
    let run = async || {
        hooks
            .begin()
            .expect("free")
            .run(runtime.handle())
            .await
            .remove(0)
    };
    assert!(
        run()
            .await
            .error
            .is_some_and(|error| error.contains("timed out"))
    );
    assert!(
        run()
            .await
            .error
            .is_some_and(|error| error.contains("still running"))
    );
    assert_eq!(started.available_permits(), 1);

    *blocked.0.lock().expect("not poisoned") = false;
    blocked.1.notify_all();
    while hooks.hooks[0].is_still_running() {
        tokio::task::yield_now().await;
    }
    assert!(run().await.ok);
    runtime.shutdown_background();
}
