//! `/metrics`: the meter's families, further ones of ours, then the owner's own registry.
//!
//! # Hazards
//!
//! The owner's registry is encoded by the `prometheus` crate, at its speed (about 7 µs a histogram
//! series), and its custom collectors run there: so [`Exposition::scrape`] renders on a thread of
//! its own, never on a worker of the app's runtime, and one at a time: a collector that blocks costs
//! that one thread, however often it is scraped. A scrape that comes while a page is rendered gets
//! that page. What is registered must not repeat a name that healing writes itself; a scraper would
//! reject the whole page.

use crate::meter::{Meter, text::Text};
use bytes::Bytes;
use prometheus::{Registry, TextEncoder};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Scrapers give up after ten seconds, unless told otherwise: who comes later would wait in vain.
const STUCK_AFTER: Duration = Duration::from_secs(10);

/// Writes further families.
type Families = Box<dyn Fn(&mut Text) + Send + Sync>;

/// Everything that `/metrics` shows. Clones are the same page.
#[derive(Clone)]
pub(crate) struct Exposition {
    meter: Meter,
    registry: Registry,
    families: Arc<Mutex<Vec<Families>>>,
    rendering: Arc<Mutex<Option<Rendering>>>,
}

/// A page that is being rendered.
#[derive(Debug)]
struct Rendering {
    begun: Instant,
    /// Closed without a page where a collector has panicked.
    page: watch::Receiver<Option<Bytes>>,
}

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPage {
    Panicked,
    /// An earlier scrape is still being rendered.
    Stuck,
    NoThread,
}

impl fmt::Display for NoPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Panicked => "a metrics collector panicked",
            Self::Stuck => "a metrics collector has been blocking for more than ten seconds",
            Self::NoThread => "no thread could be started to render the metrics",
        })
    }
}

impl Exposition {
    /// A page of the meter's families, and of what will be registered.
    pub(crate) fn new(meter: Meter) -> Self {
        Self {
            meter,
            registry: Registry::new(),
            families: Arc::default(),
            rendering: Arc::default(),
        }
    }

    /// Adds families of our own, in the order of the calls. The writer must not keep the owner of
    /// this page alive, nor block.
    pub(crate) fn add(&self, families: impl Fn(&mut Text) + Send + Sync + 'static) {
        let mut all = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Box::new(families));
    }

    /// The owner's own metrics.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The whole page, for one scrape of perhaps many at a time.
    pub(crate) async fn scrape(&self, now: Instant) -> Result<Bytes, NoPage> {
        let mut page = self.join(now)?;
        let done = page.wait_for(Option::is_some).await;
        let done = done.map_err(|_| NoPage::Panicked)?;
        done.clone().ok_or(NoPage::Panicked)
    }

    /// The page that is being rendered, or the beginning of one.
    fn join(&self, now: Instant) -> Result<watch::Receiver<Option<Bytes>>, NoPage> {
        let mut rendering = self
            .rendering
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(Rendering { begun, page }) = &*rendering
            && page.has_changed().is_ok()
        {
            return if now.saturating_duration_since(*begun) < STUCK_AFTER {
                Ok(page.clone())
            } else {
                Err(NoPage::Stuck)
            };
        }
        let (done, page) = watch::channel(None);
        let (this, runtime) = (self.clone(), tokio::runtime::Handle::try_current());
        // Not the runtime's own: what else blocks its threads must not keep the page from those who
        // look for the reason, and what blocks here must not keep the runtime from its end.
        std::thread::Builder::new()
            .name("healing-metrics".to_owned())
            .spawn(move || {
                let _inside = runtime.as_ref().map(tokio::runtime::Handle::enter);
                let text = this.render();
                // First this, so that who has seen the page gets another at the next scrape.
                let rendering = this.rendering.lock();
                *rendering.unwrap_or_else(PoisonError::into_inner) = None;
                done.send_replace(Some(text.into()));
            })
            .map_err(|_| NoPage::NoThread)?;
        *rendering = Some(Rendering {
            begun: now,
            page: page.clone(),
        });
        Ok(page)
    }

    /// The whole page.
    fn render(&self) -> String {
        let mut text = Text::default();
        self.meter.write(&mut text);
        for families in &*self.families.lock().unwrap_or_else(PoisonError::into_inner) {
            families(&mut text);
        }
        let mut out = text.into_string();
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut out) {
            tracing::warn!(%error, "the owner's registry could not be encoded; what came before is shown");
        }
        out
    }
}

impl fmt::Debug for Exposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exposition")
            .field("meter", &self.meter)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::MeterOptions;
    use prometheus::core::{Collector, Desc};
    use prometheus::proto::MetricFamily;
    use std::sync::mpsc;

    /// Says that it has begun, and blocks until it is let go.
    struct Blocks(Mutex<(mpsc::Sender<()>, mpsc::Receiver<()>)>);

    impl Collector for Blocks {
        fn desc(&self) -> Vec<&Desc> {
            Vec::new()
        }

        fn collect(&self) -> Vec<MetricFamily> {
            let ends = self.0.lock().expect("not poisoned");
            let _ = ends.0.send(());
            let _ = ends.1.recv();
            Vec::new()
        }
    }

    #[tokio::test]
    async fn who_comes_to_a_stuck_page_is_told_and_the_next_page_is_a_new_one() {
        let page = Exposition::new(Meter::new(MeterOptions::new()));
        let ((begins, begun), (go_on, wait)) = (mpsc::channel(), mpsc::channel());
        let blocks = Box::new(Blocks(Mutex::new((begins, wait))));
        page.registry().register(blocks).expect("registered");

        let start = Instant::now();
        let first = tokio::spawn({
            let page = page.clone();
            async move { page.scrape(start).await }
        });
        while begun.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        let later = start + STUCK_AFTER;
        assert_eq!(page.scrape(later).await, Err(NoPage::Stuck));
        go_on.send(()).expect("it waits");
        assert!(first.await.expect("no panic").is_ok());
        go_on.send(()).expect("it will wait");
        assert!(page.scrape(later).await.is_ok());
        begun.recv().expect("collected again");
    }
}
