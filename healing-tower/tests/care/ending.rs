//! SIGTERM and `restart_service` on an app that works: nothing accepted is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::child::{Child, Mode, Play};
use crate::http::{get, heal, kept_alive, try_get, until};

/// Clients as a Service sends them: each asks again and again, until readiness is gone.
struct Load {
    done: Vec<tokio::task::JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
}

impl Load {
    fn start(child: &Child) -> Self {
        let (stop, answered, lost) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
            Arc::default(),
        );
        let client = |path: &'static str| {
            let (stop, answered, lost) = (
                Arc::clone(&stop),
                Arc::clone(&answered),
                Arc::<AtomicU64>::clone(&lost),
            );
            let app = child.app;
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    match try_get(app, path).await {
                        Ok(answer) if answer.status == 200 => &answered,
                        _ => &lost,
                    }
                    .fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let done = ["/", "/slow/20", "/slow/200"]
            .into_iter()
            .cycle()
            .take(12)
            .map(client)
            .collect();
        Self {
            done,
            stop,
            answered,
            lost,
        }
    }

    async fn stop(self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.done {
            client.await.unwrap();
        }
        (
            self.answered.load(Ordering::Relaxed),
            self.lost.load(Ordering::Relaxed),
        )
    }
}

#[tokio::test]
async fn restart_service_under_load_loses_nothing() {
    let mut child = Child::start(Play {
        lame_duck: 1000,
        ..Play::default()
    });
    let load = Load::start(&child);
    until("load", || async {
        (load.answered.load(Ordering::Relaxed) > 200).then_some(())
    })
    .await;

    let answer = heal(child.care, "restart_service").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(get(child.care, "/readyz").await.status, 503);
    assert_eq!(get(child.care, "/livez").await.status, 503);
    assert!(
        get(child.care, "/health").await.json()["condemned"]
            .as_bool()
            .unwrap()
    );
    assert_eq!(
        get(child.app, "/readyz").await.status,
        503,
        "a lame duck still answers"
    );
    let again = heal(child.care, "restart_service").await;
    assert_eq!(
        (again.status, again.error().as_str()),
        (409, "already_healing")
    );
    let undrain = heal(child.care, "undrain").await;
    assert!(undrain.body.contains("ending"), "{undrain:?}");

    // Endpoints are updated while the lame duck still accepts.
    let before = load.answered.load(Ordering::Relaxed);
    until("it still answers", || async {
        (load.answered.load(Ordering::Relaxed) > before + 50).then_some(())
    })
    .await;
    let (answered, lost) = load.stop().await;
    assert_eq!(lost, 0, "of {answered}");
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(75));
}

/// Clients that do not look at readiness and never stop: what a handler has begun, its client gets.
#[tokio::test]
async fn every_request_that_was_begun_is_answered_even_under_a_hammer() {
    let mut child = Child::start(Play {
        lame_duck: 100,
        ..Play::default()
    });
    let answered = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = (0..16)
        .map(|client| {
            let (answered, app) = (Arc::clone(&answered), child.app);
            let count = move || {
                answered.fetch_add(1, Ordering::Relaxed);
                true
            };
            tokio::spawn(async move {
                while tokio::net::TcpStream::connect(app).await.is_ok() {
                    if client % 2 == 0 {
                        kept_alive(app, "/", &count).await;
                    } else if try_get(app, "/").await.is_ok() {
                        count();
                    }
                }
            })
        })
        .collect();
    until("load", || async {
        (answered.load(Ordering::Relaxed) > 500).then_some(())
    })
    .await;
    child.sigterm();
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(0));
    assert_eq!(child.begun(), answered.load(Ordering::Relaxed));
}

#[tokio::test]
async fn what_was_accepted_is_finished_and_what_comes_later_is_refused() {
    let mut child = Child::start(Play {
        lame_duck: 0,
        ..Play::default()
    });
    let app = child.app;
    let open: Vec<_> = (0..8)
        .map(|_| tokio::spawn(async move { try_get(app, "/slow/700").await }))
        .collect();
    until("all are open", || async {
        (get(child.care, "/health").await.json()["in_flight"] == 8).then_some(())
    })
    .await;
    child.sigterm();
    until("the listener is closed", || async {
        try_get(app, "/").await.is_err().then_some(())
    })
    .await;
    for request in open {
        let answer = request
            .await
            .unwrap()
            .expect("an accepted request is answered");
        assert_eq!((answer.status, answer.body.as_str()), (200, "slow"));
        assert!(
            answer.head.to_lowercase().contains("connection: close"),
            "{answer:?}"
        );
    }
    assert_eq!(
        child.exit(Duration::from_secs(10)).await.code(),
        Some(0),
        "main returned"
    );
}

#[tokio::test]
async fn the_drain_has_a_deadline() {
    let mut child = Child::start(Play {
        lame_duck: 0,
        drain_deadline: 300,
        ..Play::default()
    });
    let app = child.app;
    let open = tokio::spawn(async move { try_get(app, "/slow/600000").await });
    until("it is open", || async {
        (get(child.care, "/health").await.json()["in_flight"] == 1).then_some(())
    })
    .await;
    child.sigterm();
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(0));
    assert!(open.await.unwrap().is_err(), "cut off");
}

#[tokio::test]
async fn a_drain_before_counts_as_lame_duck_time() {
    let mut child = Child::start(Play {
        lame_duck: 1500,
        ..Play::default()
    });
    let drained = Instant::now();
    assert_eq!(heal(child.care, "drain").await.status, 200);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let sent = Instant::now();
    child.sigterm();
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(0));
    assert!(
        sent.elapsed() < Duration::from_millis(1400),
        "{:?}",
        drained.elapsed()
    );
}

#[tokio::test]
async fn a_condemned_instance_waits_for_its_supervisor() {
    let play = Play {
        lame_duck: 0,
        condemned_wait: 60_000,
        ..Play::default()
    };
    let mut child = Child::start(play);
    assert_eq!(heal(child.care, "restart_service").await.status, 200);
    let app = child.app;
    until("it has stopped serving", || async {
        try_get(app, "/").await.is_err().then_some(())
    })
    .await;
    assert_eq!(
        get(child.care, "/livez").await.status,
        503,
        "the supervisor is told"
    );
    assert!(child.is_running());
    child.sigterm(); // as the kubelet does after a failed liveness probe
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(75));
}

#[tokio::test]
async fn a_server_wired_by_hand_ends_the_same_ways() {
    let by_hand = Play {
        lame_duck: 0,
        mode: Mode::ByHand,
        ..Play::default()
    };
    let mut child = Child::start(by_hand);
    child.sigterm();
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(0));

    let mut child = Child::start(by_hand);
    assert_eq!(heal(child.care, "restart_service").await.status, 200);
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(75));
}

#[tokio::test]
async fn sigterm_ends_a_process_whose_last_instance_is_gone() {
    let mut child = Child::start(Play {
        mode: Mode::Dropped,
        ..Play::default()
    });
    until("the care port is closed", || async {
        try_get(child.care, "/livez").await.is_err().then_some(())
    })
    .await;
    assert!(child.is_running());
    child.sigterm();
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(143));
}

#[tokio::test]
async fn the_end_of_one_instance_leaves_sigterm_to_the_other() {
    let mut child = Child::start(Play {
        mode: Mode::AfterAnother,
        lame_duck: 0,
        ..Play::default()
    });
    let app = child.app;
    let open = tokio::spawn(async move { try_get(app, "/slow/700").await });
    until("it is open", || async {
        (get(child.care, "/health").await.json()["in_flight"] == 1).then_some(())
    })
    .await;
    child.sigterm();
    let answer = open
        .await
        .unwrap()
        .expect("an accepted request is answered");
    assert_eq!(answer.status, 200);
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(0));
}

#[tokio::test]
async fn a_server_with_nothing_open_does_not_end_the_other() {
    let play = Play {
        mode: Mode::TwoServers,
        lame_duck: 0,
        ..Play::default()
    };
    for action in ["restart_service", "SIGTERM"] {
        let mut child = Child::start(play);
        let second = child.second.unwrap();
        let open = tokio::spawn(async move { try_get(second, "/slow/1500").await });
        until("it is open", || async {
            (get(child.care, "/health").await.json()["in_flight"] == 1).then_some(())
        })
        .await;
        let code = if action == "SIGTERM" {
            child.sigterm();
            0
        } else {
            assert_eq!(heal(child.care, action).await.status, 200);
            75
        };
        let answer = open.await.unwrap().expect(action);
        assert_eq!((answer.status, answer.body.as_str()), (200, "slow"));
        let status = child.exit(Duration::from_secs(10)).await;
        assert_eq!(status.code(), Some(code), "{action}");
    }
}
