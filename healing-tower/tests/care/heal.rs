//! `POST /heal`: what it does, and everything that it refuses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use healing_tower::{Builder, Healing, HookOptions};
use tokio::sync::Semaphore;

use crate::http::{self, heal, post_heal, raw, until};

const GOOD: [&str; 2] = ["Host: 127.0.0.1:5002", "X-Healing: 1"];

fn builder() -> Builder {
    Healing::builder("test")
        .care_bind("127.0.0.1:0".parse().unwrap())
        .leave_sigterm()
}

/// Serves an app that only fails; app port and care port.
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
async fn a_soft_heal_runs_the_hooks_and_zeroes_the_count() {
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
    until("errors are counted", || async {
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
async fn an_empty_body_is_a_soft_heal_and_without_hooks_it_says_so() {
    let (_healing, _, care) = serve(builder()).await;
    let healed = post_heal(care, &GOOD, "").await;
    assert_eq!(healed.status, 200);
    assert_eq!(healed.json()["action"], "reset_errors");
    assert!(
        healed.body.contains("no recovery hook is registered"),
        "{healed:?}"
    );
}

#[tokio::test]
async fn what_cannot_be_understood_is_told_what_could() {
    let (_healing, _, care) = serve(builder()).await;
    let unknown = post_heal(care, &GOOD, r#"{"action":"reboot"}"#).await;
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
        let malformed = post_heal(care, &GOOD, body).await;
        assert_eq!(
            (malformed.status, malformed.error().as_str()),
            (400, "malformed"),
            "{body}"
        );
    }
    let nested = post_heal(care, &GOOD, &"[".repeat(4000)).await;
    assert_eq!(nested.status, 400, "depth is limited");
}

#[tokio::test]
async fn a_large_body_is_refused_however_it_is_announced() {
    let (_healing, _, care) = serve(builder()).await;
    let large = post_heal(care, &GOOD, &" ".repeat(5000)).await;
    assert_eq!((large.status, large.error().as_str()), (413, "too_large"));

    let mut chunked = String::from(
        "POST /heal HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Healing: 1\r\nConnection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
    );
    for _ in 0..5 {
        chunked.push_str(&format!("400\r\n{}\r\n", "x".repeat(1024)));
    }
    chunked.push_str("0\r\n\r\n");
    assert_eq!(raw(care, chunked.as_bytes()).await.unwrap().status, 413);
}

#[tokio::test]
async fn strangers_pages_and_forgers_are_refused_on_the_wire() {
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
    for door in [app, care] {
        for (headers, why) in cases {
            let refused = post_heal(door, headers, r#"{"action":"drain"}"#).await;
            assert_eq!(
                (refused.status, refused.error().as_str()),
                (403, "forbidden")
            );
            assert!(refused.body.contains(why), "{refused:?}");
        }
        let allowed = ["Host: localhost", "X-Healing: 1", authorised];
        assert_eq!(
            post_heal(door, &allowed, r#"{"action":"undrain"}"#)
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn a_peer_from_elsewhere_is_refused_even_where_the_port_is_open_to_it() {
    let Some(elsewhere) = own_address_off_loopback() else {
        return;
    };
    let bind = SocketAddr::new(elsewhere.ip(), 0);
    let (_healing, _, care) = serve(builder().care_bind(bind)).await;
    let refused = post_heal(care, &GOOD, r#"{"action":"restart_service"}"#).await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("peer"), "{refused:?}");
    assert_eq!(
        http::get(care, "/livez").await.status,
        200,
        "probes come from outside"
    );
    let health = http::get(care, "/health").await.json();
    assert_eq!(health.as_object().unwrap().len(), 5, "{health}");
}

#[tokio::test]
async fn strangers_who_hold_connections_do_not_keep_the_doctor_out() {
    let Some(elsewhere) = own_address_off_loopback() else {
        return;
    };
    let (_healing, _, care) = serve(builder().care_bind("0.0.0.0:0".parse().unwrap())).await;
    let outside = SocketAddr::new(elsewhere.ip(), care.port());
    let mut held = Vec::new();
    for _ in 0..200 {
        held.push(tokio::net::TcpStream::connect(outside).await.unwrap());
    }
    let doctor = SocketAddr::from(([127, 0, 0, 1], care.port()));
    assert_eq!(heal(doctor, "undrain").await.status, 200);
    let crowded = http::try_get(outside, "/livez").await;
    assert!(crowded.is_err(), "one address has its limit: {crowded:?}");
    drop(held);
    until("its places are given back", || async {
        http::try_get(outside, "/livez").await.ok()
    })
    .await;
}

#[tokio::test]
async fn loopback_in_every_notation_may_heal() {
    let v4_on_dual_stack = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let v6 = |port| SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, port));
    // On the unspecified address of IPv6, an IPv4 peer shows as ::ffff:127.0.0.1.
    for (bind, ways) in [
        ("[::1]:0", vec![v6 as fn(u16) -> _]),
        ("[::]:0", vec![v6, v4_on_dual_stack]),
    ] {
        if std::net::TcpListener::bind(bind).is_err() {
            continue; // no IPv6 on this machine
        }
        let (_healing, _, care) = serve(builder().care_bind(bind.parse().unwrap())).await;
        for way in ways {
            let allowed = heal(way(care.port()), "undrain").await;
            assert_eq!(allowed.status, 200, "{bind} by {way:?}: {allowed:?}");
        }
    }
}

/// An address of this machine that is not loopback; none where there is no network.
fn own_address_off_loopback() -> Option<SocketAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?; // sends nothing
    socket
        .local_addr()
        .ok()
        .filter(|addr| !addr.ip().is_loopback())
}

#[tokio::test]
async fn the_apps_own_port_takes_heals_only_when_asked_to() {
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
    let waived_here_only = post_heal(care, &["Host: localhost"], "").await;
    assert_eq!(waived_here_only.status, 403);
    assert_eq!(http::get(app, "/heal").await.status, 405);
}

#[tokio::test]
async fn one_heal_at_a_time_and_it_ends_though_its_client_leaves() {
    let (begun, go_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (tell, wait) = (Arc::clone(&begun), Arc::clone(&go_on));
    let (_healing, _, care) = serve(builder().soft_heal("slow", move || {
        tell.add_permits(1);
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
    assert_eq!(heal(care, "drain").await.status, 200, "a drain is no heal");
    assert_eq!(heal(care, "undrain").await.status, 200);

    client.abort();
    go_on.add_permits(1);
    until("the heal has ended", || async {
        (http::get(care, "/health").await.json()["hooks"][0]["runs_total"] == 1).then_some(())
    })
    .await;
    go_on.add_permits(1);
    let next = until("the next may begin", || async {
        Some(heal(care, "reset_errors").await).filter(|answer| answer.status == 200)
    })
    .await;
    assert_eq!(next.json()["hooks"][0]["ok"], true);
}

#[tokio::test]
async fn a_hook_that_hangs_or_panics_is_reported() {
    let quick = HookOptions::default().timeout(Duration::from_millis(50));
    let (_healing, _, care) = serve(
        builder()
            .soft_heal_with("hangs", quick, std::future::pending::<Result<(), String>>)
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
