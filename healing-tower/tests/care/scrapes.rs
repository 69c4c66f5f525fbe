//! Tests of concurrent scrapes of collectors that block or panic.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Waker};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use healing_tower::Healing;
use http_body_util::BodyExt as _;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use tower::ServiceExt as _;

/// Collector that counts its calls and then runs `then`.
struct TestCollector<F> {
    calls: Arc<AtomicU32>,
    then: F,
}

impl<F: Fn() + Send + Sync> Collector for TestCollector<F> {
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        (self.then)();
        Vec::new()
    }
}

fn router_with_collector(then: impl Fn() + Send + Sync + 'static) -> (Router, Arc<AtomicU32>) {
    let healing = Healing::builder("scraped").leave_sigterm().build();
    let calls = Arc::new(AtomicU32::new(0));
    let collector = TestCollector {
        calls: Arc::clone(&calls),
        then,
    };
    healing.registry().register(Box::new(collector)).unwrap();
    (healing.router(), calls)
}

async fn scrape(router: Router) -> (StatusCode, String) {
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn blocking_collector_runs_once_for_concurrent_scrapes() {
    let (resume, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let (router, calls) = router_with_collector(move || wait.lock().unwrap().recv().unwrap());
    let mut scrapes: Vec<_> = (0..600).map(|_| Box::pin(scrape(router.clone()))).collect();
    for scrape in &mut scrapes {
        let polled = scrape
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending(), "the page is not ready yet");
    }
    // Cancelled scrapes do not affect the others.
    drop(scrapes.drain(..300));
    resume.send(()).unwrap();
    for scrape in scrapes {
        let (status, page) = scrape.await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("healing_app_info"));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn panicking_collector_fails_only_its_own_scrape() {
    let (router, calls) = router_with_collector({
        let calls = AtomicU32::new(0);
        move || assert!(calls.fetch_add(1, Ordering::SeqCst) > 0, "first call")
    });
    let (status, text) = scrape(router.clone()).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(text, "a metrics collector panicked\n");
    assert_eq!(scrape(router).await.0, StatusCode::OK);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}
