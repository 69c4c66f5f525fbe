//! Tests of the settings, the paths and the start of the care thread.

use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::get;
use healing_tower::Healing;

use crate::app::{app, builder, get_from};
use crate::http::{self, heal, wait_until};

#[tokio::test]
async fn occupied_care_port_fails_start() {
    let first = builder("first").build();
    let taken = first.start_care().unwrap();
    let second = Healing::builder("second")
        .care_bind(taken)
        .leave_sigterm()
        .build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = second.serve(listener, app()).await.expect_err("busy");
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    let message = error.to_string();
    assert!(
        message.contains(&taken.to_string()) && message.contains("HEALING_CARE_BIND"),
        "{message}"
    );
}

#[tokio::test]
async fn invalid_settings_fail_start() {
    let twice = builder("twice")
        .dependency("db", || async { Ok::<(), String>(()) })
        .local("db", || async { Ok::<(), String>(()) })
        .build();
    assert!(
        twice
            .start_care()
            .expect_err("duplicate name")
            .to_string()
            .contains("\"db\"")
    );
    let tokenless = builder("tokenless").token_file("/nowhere/token").build();
    assert!(
        tokenless
            .start_care()
            .expect_err("missing token file")
            .to_string()
            .contains("/nowhere/token")
    );
}

#[tokio::test]
async fn instances_are_independent_in_one_process() {
    let (one, two) = (builder("one").build(), builder("two").build());
    let (care_one, care_two) = (one.start_care().unwrap(), two.start_care().unwrap());
    let router = one.wrap(app());
    get_from(&router, "/", None).await;
    heal(care_two, "drain").await;
    let (first, second) = (
        http::get(care_one, "/health").await.json(),
        http::get(care_two, "/health").await.json(),
    );
    assert_ne!(first["instance_id"], second["instance_id"]);
    assert_eq!(
        (&first["requests_total"], &second["requests_total"]),
        (&1.into(), &0.into())
    );
    assert_eq!(
        (&first["draining"], &second["draining"]),
        (&false.into(), &true.into())
    );

    drop((one, router));
    wait_until(
        "the first care thread exits with its last handle",
        || async {
            http::try_get(care_one, "/livez")
                .await
                .is_err()
                .then_some(())
        },
    )
    .await;
    assert_eq!(http::get(care_two, "/livez").await.status, 200);
}

#[tokio::test]
async fn omitted_path_is_served_by_app() {
    let healing = builder("omits").omit("/metrics").build();
    let own = app().route("/metrics", get(|| async { axum::Json("the app's own") }));
    let router = healing.wrap(own);
    assert_eq!(get_from(&router, "/metrics", None).await.1, "the app's own");
    assert_eq!(get_from(&router, "/healthz", None).await.0, StatusCode::OK);
    let care = healing.start_care().unwrap();
    assert!(
        http::get(care, "/metrics")
            .await
            .body
            .contains("healing_app_info")
    );
}

#[tokio::test]
async fn path_collision_panics_before_start() {
    use axum::routing::{any, post};

    let other = || async { "the app's own" };
    for path in ["/healthz", "/livez", "/readyz", "/health", "/metrics"] {
        for own in [get(other), post(other), any(other)] {
            let healing = builder("collides").build();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (served, app) = (healing.clone(), app().route(path, own));
            let server = tokio::spawn(async move { served.serve(listener, app).await });
            let limit = Duration::from_secs(20);
            let result = tokio::time::timeout(limit, server)
                .await
                .expect("the server panics in time");
            assert!(result.expect_err("a path collision").is_panic(), "{path}");
            assert_eq!(healing.care_addr(), None, "nothing was started");
        }
    }
}

#[test]
fn owns_does_not_allocate() {
    let healing = builder("owner").omit("/metrics").build();
    for (path, owned) in [
        ("/healthz", true),
        ("/livez", true),
        ("/readyz", true),
        ("/health", true),
        ("/metrics", false),
        ("/heal", false),
        ("/health/", false),
        ("/", false),
        ("", false),
    ] {
        let mut owns = None;
        let counted = allocation_counter::measure(|| owns = Some(healing.owns(path)));
        assert_eq!((owns, counted.count_total), (Some(owned), 0), "{path}");
    }
    assert!(builder("heals").heal_on_app_port().build().owns("/heal"));
}

#[tokio::test]
async fn maximum_durations_do_not_panic() {
    let healing = builder("unlimited")
        .stall_after(Duration::MAX)
        .lame_duck(Duration::MAX)
        .drain_deadline(Duration::MAX)
        .condemned_wait(Duration::MAX)
        .build();
    let care = healing.start_care().unwrap();
    assert_eq!(heal(care, "restart_service").await.status, 200);
    assert_eq!(
        http::get(care, "/livez").await.status,
        503,
        "condemned, but still serving"
    );
    assert_eq!(http::get(care, "/health").await.status, 200);
}
