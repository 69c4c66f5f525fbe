//! Many scrapes at a time, of collectors that block or panic.

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

/// Counts how often it is asked, and then does as it is told.
struct Scripted<F> {
    asked: Arc<AtomicU32>,
    then: F,
}

impl<F: Fn() + Send + Sync> Collector for Scripted<F> {
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        (self.then)();
        Vec::new()
    }
}

fn scraped(then: impl Fn() + Send + Sync + 'static) -> (Router, Arc<AtomicU32>) {
    let healing = Healing::builder("scraped").leave_sigterm().build();
    let asked = Arc::new(AtomicU32::new(0));
    let collector = Scripted {
        asked: Arc::clone(&asked),
        then,
    };
    healing.registry().register(Box::new(collector)).unwrap();
    (healing.router(), asked)
}

async fn scrape(router: Router) -> (StatusCode, String) {
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let answer = router.oneshot(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_blocking_collector_is_asked_once_for_all_who_wait() {
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let (router, asked) = scraped(move || wait.lock().unwrap().recv().unwrap());
    let mut all: Vec<_> = (0..600).map(|_| Box::pin(scrape(router.clone()))).collect();
    for one in &mut all {
        let polled = one.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending(), "nothing to show yet");
    }
    // Scrapers that give up take nothing with them.
    drop(all.drain(..300));
    go_on.send(()).unwrap();
    for one in all {
        let (status, page) = one.await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("healing_app_info"));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_panicking_collector_costs_its_own_page_only() {
    let (router, asked) = scraped({
        let asked = AtomicU32::new(0);
        move || assert!(asked.fetch_add(1, Ordering::SeqCst) > 0, "at first")
    });
    let (status, told) = scrape(router.clone()).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(told, "a metrics collector panicked\n");
    assert_eq!(scrape(router).await.0, StatusCode::OK);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}
