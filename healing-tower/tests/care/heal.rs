//! Tests of `POST /heal`: effects and rejections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use healing_tower::{Builder, Healing, HookOptions};
use tokio::sync::Semaphore;

use crate::http::{self, heal, post_heal, send_raw, wait_until};

const VALID_HEADERS: [&str; 2] = ["Host: 127.0.0.1:5002", "X-Healing: 1"];

fn builder() -> Builder {
    Healing::builder("test")
        .care_bind("127.0.0.1:0".parse().unwrap())
        .leave_sigterm()
}

/// Serves an app whose route fails; returns the addresses of the app port and the care port.
async fn serve(builder: Builder) -> (Healing, SocketAddr, SocketAddr) {
    let healing = builder.build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = listener.local_addr().unwrap();
    let care = healing.start_care().unwrap();
    let served = healing.clone();
    let router = Router::new().route("/fail", get(|| async { StatusCode::BAD_GATEWAY }));
    tokio::spawn(async move { served.serve(listener, router).await });
    (healing, app, care)
}

#[tokio::test]
async fn soft_heal_runs_hooks_and_resets_error_count() {
    let ran = Arc::new(Semaphore::new(0));
    let count = Arc::clone(&ran);
    let (_healing, app, care) = serve(
        builder()
            .soft_heal("cache", move || {
                count.add_permits(1);
                async { Ok::<(), String>(()) }
            })
            .soft_heal("pool", || async { Err("no pool") }),
    )
    .await;
    for _ in 0..7 {
        assert_eq!(http::get(app, "/fail").await.status, 502);
    }
    wait_until("errors are counted", || async {
        (http::get(care, "/health").await.json()["error_count"] == 7).then_some(())
    })
    .await;
    assert_eq!(
        http::get(care, "/health").await.json()["status"],
        "degraded"
    );

    let healed = heal(care, "reset_errors").await;
    assert_eq!(healed.status, 200);
    let healed = healed.json();
    assert_eq!(healed["previous_error_count"], 7);
    assert_eq!(healed["current_status"], "healthy");
    assert_eq!(healed["hooks"][0]["name"], "cache");
    assert_eq!(healed["hooks"][0]["ok"], true);
    assert_eq!(healed["hooks"][1]["error"], "no pool");
    let message = healed["message"].as_str().unwrap();
    assert!(
        message.contains("1 of 2") && message.contains("pool (no pool)"),
        "{message}"
    );
    assert_eq!(ran.available_permits(), 1);

    let health = http::get(care, "/health").await.json();
    assert_eq!(health["error_count"], 0);
    assert_eq!(health["errors_total"], 7, "totals are never reset");
    assert_eq!(health["hooks"][1]["failures_total"], 1);
}

#[tokio::test]
async fn empty_body_is_soft_heal_and_reports_missing_hooks() {
    let (_healing, _, care) = serve(builder()).await;
    let healed = post_heal(care, &VALID_HEADERS, "").await;
    assert_eq!(healed.status, 200);
    assert_eq!(healed.json()["action"], "reset_errors");
    assert!(
        healed.body.contains("no recovery hook is registered"),
        "{healed:?}"
    );
}

#[tokio::test]
async fn invalid_heal_is_rejected_and_known_actions_are_listed() {
    let (_healing, _, care) = serve(builder()).await;
    let unknown = post_heal(care, &VALID_HEADERS, r#"{"action":"reboot"}"#).await;
    assert_eq!(
        (unknown.status, unknown.error().as_str()),
        (400, "unknown_action")
    );
    for known in ["reset_errors", "restart_service", "drain", "undrain"] {
        assert!(unknown.body.contains(known), "{unknown:?}");
    }
    for body in [
        "{",
        "[]",
        "null",
        "\"drain\"",
        "{\"action\":7}",
        "{}",
        "\u{0}",
        "action=drain",
    ] {
        let malformed = post_heal(care, &VALID_HEADERS, body).await;
        assert_eq!(
            (malformed.status, malformed.error().as_str()),
            (400, "malformed"),
            "{body}"
        );
    }
    let nested = post_heal(care, &VALID_HEADERS, &"[".repeat(4000)).await;
    assert_eq!(nested.status, 400, "nesting depth is limited");
}

#[tokio::test]
async fn large_body_is_rejected_with_and_without_content_length() {
    let (_healing, _, care) = serve(builder()).await;
    let large = post_heal(care, &VALID_HEADERS, &" ".repeat(5000)).await;
    assert_eq!((large.status, large.error().as_str()), (413, "too_large"));

    let mut chunked = String::from(
        "POST /heal HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Healing: 1\r\nConnection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
    );
    for _ in 0..5 {
        chunked.push_str(&format!("400\r\n{}\r\n", "x".repeat(1024)));
    }
    chunked.push_str("0\r\n\r\n");
    assert_eq!(
        send_raw(care, chunked.as_bytes()).await.unwrap().status,
        413
    );
}

#[tokio::test]
async fn heal_rejects_invalid_host_origin_header_and_token() {
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    std::fs::write(&token, "s3cret").unwrap();
    let (_healing, app, care) = serve(builder().token_file(&token).heal_on_app_port()).await;
    let authorised = "Authorization: Bearer s3cret";
    let cases: [(&[&str], &str); 7] = [
        (&["Host: 127.0.0.1", authorised], "X-Healing"),
        (
            &["Host: 127.0.0.1", "X-Healing: yes", authorised],
            "X-Healing",
        ),
        (&["Host: evil.example", "X-Healing: 1", authorised], "Host"),
        (
            &["Host: 127.0.0.1.evil.example", "X-Healing: 1", authorised],
            "Host",
        ),
        (
            &[
                "Host: 127.0.0.1",
                "Origin: http://127.0.0.1",
                "X-Healing: 1",
                authorised,
            ],
            "Origin",
        ),
        (&["Host: 127.0.0.1", "X-Healing: 1"], "Authorization"),
        (
            &[
                "Host: 127.0.0.1",
                "X-Healing: 1",
                "Authorization: Bearer s3creT",
            ],
            "token",
        ),
    ];
    for port in [app, care] {
        for (headers, reason) in cases {
            let rejected = post_heal(port, headers, r#"{"action":"drain"}"#).await;
            assert_eq!(
                (rejected.status, rejected.error().as_str()),
                (403, "forbidden")
            );
            assert!(rejected.body.contains(reason), "{rejected:?}");
        }
        let allowed = ["Host: localhost", "X-Healing: 1", authorised];
        assert_eq!(
            post_heal(port, &allowed, r#"{"action":"undrain"}"#)
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn remote_peer_cannot_heal_on_reachable_care_port() {
    let Some(remote) = own_non_loopback_address() else {
        return;
    };
    let bind = SocketAddr::new(remote.ip(), 0);
    let (_healing, _, care) = serve(builder().care_bind(bind)).await;
    let rejected = post_heal(care, &VALID_HEADERS, r#"{"action":"restart_service"}"#).await;
    assert_eq!(rejected.status, 403);
    assert!(rejected.body.contains("peer"), "{rejected:?}");
    assert_eq!(
        http::get(care, "/livez").await.status,
        200,
        "probes come from remote peers"
    );
    let health = http::get(care, "/health").await.json();
    assert_eq!(health.as_object().unwrap().len(), 5, "{health}");
}

#[tokio::test]
async fn idle_remote_connections_do_not_block_doctor() {
    let Some(remote) = own_non_loopback_address() else {
        return;
    };
    let (_healing, _, care) = serve(builder().care_bind("0.0.0.0:0".parse().unwrap())).await;
    let outside = SocketAddr::new(remote.ip(), care.port());
    let mut held = Vec::new();
    for _ in 0..200 {
        held.push(tokio::net::TcpStream::connect(outside).await.unwrap());
    }
    let doctor = SocketAddr::from(([127, 0, 0, 1], care.port()));
    assert_eq!(heal(doctor, "undrain").await.status, 200);
    let rejected = http::try_get(outside, "/livez").await;
    assert!(
        rejected.is_err(),
        "connections of one address are limited: {rejected:?}"
    );
    drop(held);
    wait_until("the connection permits are released", || async {
        http::try_get(outside, "/livez").await.ok()
    })
    .await;
}

#[tokio::test]
async fn loopback_peer_may_heal_in_every_notation() {
    let v4_on_dual_stack = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let v6 = |port| SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, port));
    // On the unspecified IPv6 address, an IPv4 peer appears as ::ffff:127.0.0.1.
    for (bind, addresses) in [
        ("[::1]:0", vec![v6 as fn(u16) -> _]),
        ("[::]:0", vec![v6, v4_on_dual_stack]),
    ] {
        if std::net::TcpListener::bind(bind).is_err() {
            continue; // no IPv6 on this machine
        }
        let (_healing, _, care) = serve(builder().care_bind(bind.parse().unwrap())).await;
        for address in addresses {
            let allowed = heal(address(care.port()), "undrain").await;
            assert_eq!(allowed.status, 200, "{bind} by {address:?}: {allowed:?}");
        }
    }
}

/// Returns an address of this machine other than loopback; `None` without a network.
fn own_non_loopback_address() -> Option<SocketAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?; // sends nothing
    socket
        .local_addr()
        .ok()
        .filter(|addr| !addr.ip().is_loopback())
}

#[tokio::test]
async fn app_port_accepts_heal_only_if_enabled() {
    let (_healing, app, _) = serve(builder()).await;
    assert_eq!(heal(app, "reset_errors").await.status, 404);

    let (_healing, app, care) = serve(builder().heal_on_app_port_without_header()).await;
    let original = post_heal(
        app,
        &["Host: localhost:5000"],
        r#"{"action":"reset_errors"}"#,
    )
    .await;
    assert_eq!(original.status, 200, "{original:?}");
    assert_eq!(original.json()["previous_error_count"], 0);
    let page = ["Host: localhost:5000", "Origin: https://evil.example"];
    assert_eq!(post_heal(app, &page, "").await.status, 403);
    assert_eq!(
        post_heal(app, &["Host: evil.example"], "").await.status,
        403
    );
    let care_without_header = post_heal(care, &["Host: localhost"], "").await;
    assert_eq!(care_without_header.status, 403);
    assert_eq!(http::get(app, "/heal").await.status, 405);
}

#[tokio::test]
async fn concurrent_heal_is_rejected_and_heal_survives_its_client() {
    let (begun, resume) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (started, wait) = (Arc::clone(&begun), Arc::clone(&resume));
    let (_healing, _, care) = serve(builder().soft_heal("slow", move || {
        started.add_permits(1);
        let wait = Arc::clone(&wait);
        async move {
            wait.acquire()
                .await
                .map(tokio::sync::SemaphorePermit::forget)
        }
    }))
    .await;
    let client = tokio::spawn(async move { heal(care, "reset_errors").await });
    begun.acquire().await.unwrap().forget();
    let busy = heal(care, "reset_errors").await;
    assert_eq!(
        (busy.status, busy.error().as_str()),
        (409, "already_healing")
    );
    assert_eq!(
        heal(care, "drain").await.status,
        200,
        "a drain is not a heal"
    );
    assert_eq!(heal(care, "undrain").await.status, 200);

    client.abort();
    resume.add_permits(1);
    wait_until("the heal has finished", || async {
        (http::get(care, "/health").await.json()["hooks"][0]["runs_total"] == 1).then_some(())
    })
    .await;
    resume.add_permits(1);
    let next = wait_until("the next heal is accepted", || async {
        Some(heal(care, "reset_errors").await).filter(|response| response.status == 200)
    })
    .await;
    assert_eq!(next.json()["hooks"][0]["ok"], true);
}

#[tokio::test]
async fn hooks_that_time_out_or_panic_are_reported() {
    let quick = HookOptions::default().timeout(Duration::from_millis(50));
    let (_healing, _, care) = serve(
        builder()
            .soft_heal_with(
                "never finishes",
                quick,
                std::future::pending::<Result<(), String>>,
            )
            .soft_heal("panics", || async {
                if true {
                    panic!("no such table");
                }
                Ok::<(), String>(())
            }),
    )
    .await;
    let healed = heal(care, "reset_errors").await;
    assert_eq!(healed.status, 200);
    let hooks = &healed.json()["hooks"];
    assert_eq!(hooks[0]["error"], "timed out after 50ms");
    assert_eq!(hooks[1]["error"], "panicked: no such table");
}
