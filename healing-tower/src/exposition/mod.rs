//! Page at `/metrics`: healing's own families, then the owner's registry.
//!
//! # Hazards
//!
//! The owner's registry is encoded by the `prometheus` crate, which takes about 7 µs per
//! histogram series and runs the owner's collectors. [`Exposition::scrape`] therefore renders on a thread
//! of its own, never on a worker of the app's runtime, and one page at a time. A collector that blocks
//! blocks only this thread, however many scrapes there are. A scrape that arrives while a page is rendered
//! gets that page. The registry must not contain a name that healing writes itself, because a scraper
//! would reject the whole page.

pub(crate) mod text;

use bytes::Bytes;
use prometheus::{Registry, TextEncoder};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use text::Text;
use tokio::sync::watch;

use crate::lock::lock;

/// Time after which scrapes fail if the page is still being rendered. Scrapers time out after ten seconds
/// by default.
const RENDER_TIMEOUT: Duration = Duration::from_secs(10);

/// Renderer of the page. Clones share one rendering.
#[derive(Clone)]
pub(crate) struct Exposition {
    write_families: Arc<dyn Fn(&mut Text) + Send + Sync>,
    registry: Registry,
    rendering: Arc<Mutex<Option<Rendering>>>,
}

/// Page that is being rendered.
#[derive(Debug)]
struct Rendering {
    started_at: Instant,
    /// Closed without a page if a collector panicked.
    page: watch::Receiver<Option<Bytes>>,
}

/// Reason for failing a scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScrapeError {
    /// A collector panicked while the page was rendered.
    #[error("a metrics collector panicked")]
    Panicked,
    /// The page of an earlier scrape has been rendering for longer than [`RENDER_TIMEOUT`].
    #[error("a metrics collector has been blocking for more than ten seconds")]
    Blocked,
    /// The system cannot start a thread.
    #[error("no thread could be started to render the metrics")]
    NoThread,
}

impl Exposition {
    /// Creates a page of the families that `write_families` writes and of an empty registry. The writer
    /// must neither block nor hold a strong reference to the owner of this page.
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
            return if now.saturating_duration_since(*started_at) < RENDER_TIMEOUT {
                Ok(page.clone())
            } else {
                Err(ScrapeError::Blocked)
            };
        }
        let (done, page) = watch::channel(None);
        let (this, runtime) = (self.clone(), tokio::runtime::Handle::try_current());
        // Not on the runtime's blocking pool, so that the page stays available if that pool is exhausted,
        // and a blocked collector does not delay the runtime's shutdown.
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
            tracing::warn!(%error, "cannot encode the owner's registry; /metrics is incomplete");
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

    /// Collector that reports its start and blocks until it is released.
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
    async fn scrape_fails_while_collector_blocks_and_succeeds_after() {
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
        let later = begin + RENDER_TIMEOUT;
        assert_eq!(page.scrape(later).await, Err(ScrapeError::Blocked));
        release.send(()).expect("the collector waits");
        assert!(first.await.expect("no panic").is_ok());
        release.send(()).expect("the collector exists");
        assert!(page.scrape(later).await.is_ok());
        started.recv().expect("collected again");
    }
}
