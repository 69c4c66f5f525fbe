//! Tests of SIGTERM and `restart_service` on a working app, which lose no accepted request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::child::{Child, ChildConfig, Mode};
use crate::http::{get, heal, send_keep_alive, try_get, wait_until};

/// Clients behind a Kubernetes Service, which each send one request after the other until stopped.
struct Load {
    clients: Vec<tokio::task::JoinHandle<()>>,
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
                        Ok(response) if response.status == 200 => &answered,
                        _ => &lost,
                    }
                    .fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let clients = ["/", "/slow/20", "/slow/200"]
            .into_iter()
            .cycle()
            .take(12)
            .map(client)
            .collect();
        Self {
            clients,
            stop,
            answered,
            lost,
        }
    }

    async fn stop(self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.unwrap();
        }
        (
            self.answered.load(Ordering::Relaxed),
            self.lost.load(Ordering::Relaxed),
        )
    }
}

#[tokio::test]
async fn restart_service_loses_no_request_under_load() {
    let mut child = Child::start(ChildConfig {
        lame_duck: 1000,
        ..ChildConfig::default()
    });
    let load = Load::start(&child);
    wait_until("load", || async {
        (load.answered.load(Ordering::Relaxed) > 200).then_some(())
    })
    .await;

    let response = heal(child.care, "restart_service").await;
    assert_eq!(response.status, 200, "{response:?}");
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
        "a lame duck still responds"
    );
    let again = heal(child.care, "restart_service").await;
    assert_eq!(
        (again.status, again.error().as_str()),
        (409, "already_healing")
    );
    let undrain = heal(child.care, "undrain").await;
    assert!(undrain.body.contains("shutting down"), "{undrain:?}");

    // The lame duck accepts requests until the Service's endpoints are updated.
    let before = load.answered.load(Ordering::Relaxed);
    wait_until("requests are still answered", || async {
        (load.answered.load(Ordering::Relaxed) > before + 50).then_some(())
    })
    .await;
    let (answered, lost) = load.stop().await;
    assert_eq!(lost, 0, "lost requests; {answered} answered");
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(75));
}

/// Clients ignore readiness and reconnect until the listener is closed; each request that a handler has
/// begun gets its response.
#[tokio::test]
async fn sigterm_answers_every_begun_request_under_persistent_load() {
    let mut child = Child::start(ChildConfig {
        lame_duck: 100,
        ..ChildConfig::default()
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
                        send_keep_alive(app, "/", &count).await;
                    } else if try_get(app, "/").await.is_ok() {
                        count();
                    }
                }
            })
        })
        .collect();
    wait_until("load", || async {
        (answered.load(Ordering::Relaxed) > 500).then_some(())
    })
    .await;
    child.sigterm();
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(0));
    assert_eq!(child.requests_begun(), answered.load(Ordering::Relaxed));
}

#[tokio::test]
async fn sigterm_finishes_accepted_requests_and_refuses_later_ones() {
    let mut child = Child::start(ChildConfig {
        lame_duck: 0,
        ..ChildConfig::default()
    });
    let app = child.app;
    let in_flight: Vec<_> = (0..8)
        .map(|_| tokio::spawn(async move { try_get(app, "/slow/700").await }))
        .collect();
    wait_until("all are in flight", || async {
        (get(child.care, "/health").await.json()["in_flight"] == 8).then_some(())
    })
    .await;
    child.sigterm();
    wait_until("the listener is closed", || async {
        try_get(app, "/").await.is_err().then_some(())
    })
    .await;
    for request in in_flight {
        let response = request
            .await
            .unwrap()
            .expect("an accepted request is answered");
        assert_eq!((response.status, response.body.as_str()), (200, "slow"));
        assert!(
            response.head.to_lowercase().contains("connection: close"),
            "{response:?}"
        );
    }
    assert_eq!(
        child.exit(Duration::from_secs(10)).await.code(),
        Some(0),
        "main returned"
    );
}

#[tokio::test]
async fn drain_deadline_closes_connections_in_flight() {
    let mut child = Child::start(ChildConfig {
        lame_duck: 0,
        drain_deadline: 300,
        ..ChildConfig::default()
    });
    let app = child.app;
    let in_flight = tokio::spawn(async move { try_get(app, "/slow/600000").await });
    wait_until("the request is in flight", || async {
        (get(child.care, "/health").await.json()["in_flight"] == 1).then_some(())
    })
    .await;
    let sigterm_sent = Instant::now();
    child.sigterm();
    assert!(in_flight.await.unwrap().is_err(), "connection closed");
    let waited = sigterm_sent.elapsed();
    assert!(waited >= Duration::from_millis(300), "{waited:?}");
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(0));
}

#[tokio::test]
async fn earlier_drain_counts_towards_lame_duck() {
    let mut child = Child::start(ChildConfig {
        lame_duck: 1500,
        ..ChildConfig::default()
    });
    assert_eq!(heal(child.care, "drain").await.status, 200);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let sigterm_sent = Instant::now();
    child.sigterm();
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(0));
    let took = sigterm_sent.elapsed();
    assert!(took < Duration::from_millis(1400), "{took:?}");
}

#[tokio::test]
async fn condemned_instance_waits_for_supervisor() {
    let config = ChildConfig {
        lame_duck: 0,
        condemned_wait: 60_000,
        ..ChildConfig::default()
    };
    let mut child = Child::start(config);
    assert_eq!(heal(child.care, "restart_service").await.status, 200);
    let app = child.app;
    wait_until("the listener is closed", || async {
        try_get(app, "/").await.is_err().then_some(())
    })
    .await;
    assert_eq!(
        get(child.care, "/livez").await.status,
        503,
        "liveness fails for the supervisor"
    );
    assert!(child.is_running());
    child.sigterm(); // as the kubelet does after a failed liveness probe
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(75));
}

#[tokio::test]
async fn hand_wired_server_exits_with_same_codes() {
    let hand_wired = ChildConfig {
        lame_duck: 0,
        mode: Mode::HandWired,
        ..ChildConfig::default()
    };
    let mut child = Child::start(hand_wired);
    child.sigterm();
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(0));

    let mut child = Child::start(hand_wired);
    assert_eq!(heal(child.care, "restart_service").await.status, 200);
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(75));
}

#[tokio::test]
async fn sigterm_exits_process_after_last_instance_is_dropped() {
    let mut child = Child::start(ChildConfig {
        mode: Mode::Dropped,
        ..ChildConfig::default()
    });
    wait_until("the care port is closed", || async {
        try_get(child.care, "/livez").await.is_err().then_some(())
    })
    .await;
    assert!(child.is_running());
    child.sigterm();
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(143));
}

#[tokio::test]
async fn sigterm_reaches_instance_after_other_is_dropped() {
    let mut child = Child::start(ChildConfig {
        mode: Mode::AfterDropOfOther,
        lame_duck: 0,
        ..ChildConfig::default()
    });
    let app = child.app;
    let in_flight = tokio::spawn(async move { try_get(app, "/slow/700").await });
    wait_until("the request is in flight", || async {
        (get(child.care, "/health").await.json()["in_flight"] == 1).then_some(())
    })
    .await;
    child.sigterm();
    let response = in_flight
        .await
        .unwrap()
        .expect("an accepted request is answered");
    assert_eq!(response.status, 200);
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(0));
}

#[tokio::test]
async fn idle_server_does_not_stop_busy_server() {
    let config = ChildConfig {
        mode: Mode::TwoServers,
        lame_duck: 0,
        ..ChildConfig::default()
    };
    for action in ["restart_service", "SIGTERM"] {
        let mut child = Child::start(config);
        let second = child.second.unwrap();
        let in_flight = tokio::spawn(async move { try_get(second, "/slow/1500").await });
        wait_until("the request is in flight", || async {
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
        let response = in_flight.await.unwrap().expect(action);
        assert_eq!((response.status, response.body.as_str()), (200, "slow"));
        let status = child.exit(Duration::from_secs(10)).await;
        assert_eq!(status.code(), Some(code), "{action}");
    }
}
