//! The page at `/metrics`: healing's own families, then the owner's registry.
//!
//! # Hazards
//!
//! The owner's registry is encoded by the `prometheus` crate, at its speed (about 7 µs a histogram
//! series), and its custom collectors run there. [`Exposition::scrape`] therefore renders on a thread
//! of its own, never on a worker of the app's runtime, and one page at a time: a collector that blocks
//! costs that one thread, however many scrapes there are. A scrape that comes while a page is rendered
//! gets that page. The registry must not contain a name that healing writes itself; a scraper would
//! reject the whole page.

pub(crate) mod text;

use bytes::Bytes;
use prometheus::{Registry, TextEncoder};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use text::Text;
use tokio::sync::watch;

use crate::lock::lock;

/// Age from which a page that is still being rendered is not waited for: scrapers give up after ten
/// seconds by default.
const STUCK_AFTER: Duration = Duration::from_secs(10);

/// The page. Clones are the same page.
#[derive(Clone)]
pub(crate) struct Exposition {
    write_families: Arc<dyn Fn(&mut Text) + Send + Sync>,
    registry: Registry,
    rendering: Arc<Mutex<Option<Rendering>>>,
}

/// A page that is being rendered.
#[derive(Debug)]
struct Rendering {
    started_at: Instant,
    /// Closed without a page if a collector panicked.
    page: watch::Receiver<Option<Bytes>>,
}

/// Reason for which a scrape has no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScrapeError {
    #[error("a metrics collector panicked")]
    Panicked,
    /// An earlier scrape is still being rendered.
    #[error("a metrics collector has been blocking for more than ten seconds")]
    Stuck,
    #[error("no thread could be started to render the metrics")]
    NoThread,
}

impl Exposition {
    /// Makes a page of the families that `write_families` writes and an empty registry. The writer
    /// must not block, nor keep the owner of this page alive.
    pub(crate) fn new(write_families: impl Fn(&mut Text) + Send + Sync + 'static) -> Self {
        Self {
            write_families: Arc::new(write_families),
            registry: Registry::new(),
            rendering: Arc::default(),
        }
    }

    /// Returns the owner's registry.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Returns the rendered page; concurrent scrapes share one.
    pub(crate) async fn scrape(&self, now: Instant) -> Result<Bytes, ScrapeError> {
        let mut page = self.join_or_start(now)?;
        let rendered = page.wait_for(Option::is_some).await;
        let rendered = rendered.map_err(|_| ScrapeError::Panicked)?;
        rendered.clone().ok_or(ScrapeError::Panicked)
    }

    /// Returns the page that is being rendered, or starts to render one.
    fn join_or_start(&self, now: Instant) -> Result<watch::Receiver<Option<Bytes>>, ScrapeError> {
        let mut rendering = lock(&self.rendering);
        if let Some(Rendering { started_at, page }) = &*rendering
            && page.has_changed().is_ok()
        {
            return if now.saturating_duration_since(*started_at) < STUCK_AFTER {
                Ok(page.clone())
            } else {
                Err(ScrapeError::Stuck)
            };
        }
        let (done, page) = watch::channel(None);
        let (this, runtime) = (self.clone(), tokio::runtime::Handle::try_current());
        // Not on the runtime's blocking pool: the page stays available if that
        // pool is exhausted, and a blocked collector does not delay the runtime's shutdown.
        std::thread::Builder::new()
            .name("healing-metrics".to_owned())
            .spawn(move || {
                let _guard = runtime.as_ref().map(tokio::runtime::Handle::enter);
                let text = this.render();
                // Cleared before the page is published, so that a caller that has received this page
                // gets a fresh one from its next scrape.
                *lock(&this.rendering) = None;
                done.send_replace(Some(text.into()));
            })
            .map_err(|_| ScrapeError::NoThread)?;
        *rendering = Some(Rendering {
            started_at: now,
            page: page.clone(),
        });
        Ok(page)
    }

    fn render(&self) -> String {
        let mut text = Text::default();
        (self.write_families)(&mut text);
        let mut out = text.into_string();
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut out) {
            tracing::warn!(%error, "the owner's registry could not be encoded; /metrics is incomplete");
        }
        out
    }
}

impl fmt::Debug for Exposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exposition").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::core::{Collector, Desc};
    use prometheus::proto::MetricFamily;
    use std::sync::mpsc;

    /// A collector that reports its start and blocks until it is released.
    struct Blocking(Mutex<(mpsc::Sender<()>, mpsc::Receiver<()>)>);

    impl Collector for Blocking {
        fn desc(&self) -> Vec<&Desc> {
            Vec::new()
        }

        fn collect(&self) -> Vec<MetricFamily> {
            let channels = self.0.lock().expect("not poisoned");
            let _ = channels.0.send(());
            let _ = channels.1.recv();
            Vec::new()
        }
    }

    #[tokio::test]
    async fn scrape_of_a_stuck_page_fails_and_the_next_page_is_rendered_again() {
        let page = Exposition::new(|_| {});
        let ((start, started), (release, wait)) = (mpsc::channel(), mpsc::channel());
        let blocking = Box::new(Blocking(Mutex::new((start, wait))));
        page.registry().register(blocking).expect("registered");

        let begin = Instant::now();
        let first = tokio::spawn({
            let page = page.clone();
            async move { page.scrape(begin).await }
        });
        while started.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        let later = begin + STUCK_AFTER;
        assert_eq!(page.scrape(later).await, Err(ScrapeError::Stuck));
        release.send(()).expect("the collector waits");
        assert!(first.await.expect("no panic").is_ok());
        release.send(()).expect("the collector exists");
        assert!(page.scrape(later).await.is_ok());
        started.recv().expect("collected again");
    }
}
