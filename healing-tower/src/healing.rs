//! Handle of one instrumented app.
//!
//! The methods of [`Healing`] are grouped by theme: construction in `builder`, axum routers in `router`,
//! axum serving in `serve`, everything else here.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

use crate::app_metrics;
use crate::care::CareThread;
use crate::checks::{CheckEvents, Checks};
use crate::endpoints::{Port, answer, owns};
use crate::exposition::Exposition;
use crate::hooks::Hooks;
use crate::layer::HealingLayer;
use crate::lifecycle::Step;
use crate::lock::lock;
use crate::meter::{Meter, MeterOptions};
use crate::settings::{CareSettings, ConfigError, Settings};
use crate::shared::Shared;
use crate::startup::Startup;

/// Handle of one instrumented app, which counts its requests, answers its probes, runs its hooks and
/// checks, and shuts it down gracefully on request. Clones are cheap and share one instance. When the last
/// one is dropped, the care thread exits.
///
/// [`serve`](Self::serve) does everything; the parts are public for servers that are wired by hand.
///
/// # Hazards
///
/// SIGTERM and exit concern the whole process. Two instances in one process drain independently, but
/// `restart_service` of one exits the process and so stops both.
#[derive(Debug, Clone)]
pub struct Healing {
    pub(crate) shared: Arc<Shared>,
    care: Arc<CareSlot>,
}

/// Settings of the care thread, and the thread once it is started.
#[derive(Debug)]
struct CareSlot {
    settings: Result<CareSettings, Arc<ConfigError>>,
    thread: Mutex<Option<CareThread>>,
}

impl Healing {
    pub(crate) fn new(
        settings: Settings,
        care: Result<CareSettings, ConfigError>,
        meter: MeterOptions,
        startup: Arc<Startup>,
        checks: Checks,
        hooks: Hooks,
    ) -> Self {
        let meter = Meter::new(meter);
        let shared = Arc::new_cyclic(|shared: &Weak<Shared>| {
            let shared = shared.clone(); // a strong reference would be a cycle
            let exposition = Exposition::new(move |text| {
                meter.write(text);
                if let Some(shared) = shared.upgrade() {
                    app_metrics::write(&shared, text);
                }
            });
            Shared::new(settings, meter, exposition, startup, checks, hooks)
        });
        Self {
            shared,
            care: Arc::new(CareSlot {
                settings: care.map_err(Arc::new),
                thread: Mutex::new(None),
            }),
        }
    }

    /// Returns the name given to the builder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.settings.name
    }

    /// Returns the instance's id, which differs for each start, so that a restart can be detected.
    #[must_use]
    pub fn instance_id(&self) -> &str {
        &self.shared.instance_id
    }

    /// Returns the layer that counts requests, for any `tower` service. On an axum `Router`,
    /// [`wrap`](Self::wrap) is shorter.
    #[must_use]
    pub fn layer(&self) -> HealingLayer {
        HealingLayer::new(self.shared.meter)
    }

    /// Returns the meter of this app's requests.
    #[must_use]
    pub fn meter(&self) -> Meter {
        self.shared.meter
    }

    /// Returns the registry of the app's own Prometheus metrics, which are shown on `/metrics` too.
    ///
    /// # Hazards
    ///
    /// Do not register this instance's own [`Meter::collector`], because the page has the meter's families
    /// already, and a scraper rejects a page that repeats a name. A collector that blocks makes the page
    /// unavailable; after ten seconds scrapes get a 503.
    #[must_use]
    pub fn registry(&self) -> &prometheus::Registry {
        self.shared.exposition.registry()
    }

    /// Subscribes to the checks' changes of state from this moment on.
    #[must_use]
    pub fn check_events(&self) -> CheckEvents {
        self.shared.checks.subscribe()
    }

    /// Starts the care thread unless it is running, and returns the care port's address. Call it from
    /// within the app's runtime when the app is about to serve, because the app counts as started from
    /// that runtime's first tick on.
    ///
    /// # Errors
    ///
    /// Returns an error if the care port is busy, a setting is invalid, or there is no current tokio
    /// runtime.
    pub fn start_care(&self) -> io::Result<SocketAddr> {
        let mut thread = lock(&self.care.thread);
        if let Some(thread) = &*thread {
            return Ok(thread.addr());
        }
        let settings = self
            .care
            .settings
            .clone()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let started = CareThread::start(&self.shared, settings)?;
        Ok(thread.insert(started).addr())
    }

    /// Returns the care port's address; absent before [`start_care`](Self::start_care).
    #[must_use]
    pub fn care_addr(&self) -> Option<SocketAddr> {
        let thread = lock(&self.care.thread);
        thread.as_ref().map(CareThread::addr)
    }

    /// Begins a graceful shutdown, as SIGTERM does, for other signals or a command of the app's own. The
    /// care thread then does not exit the process, even if the drain exceeds its deadline.
    pub fn request_shutdown(&self) {
        self.shared.lifecycle.request_shutdown(Instant::now());
    }

    /// Resolves when a server wired by hand should stop accepting and finish its requests in flight, which
    /// is when the lame-duck time after SIGTERM or `restart_service` is over. The server should call
    /// [`finish`](Self::finish) afterwards.
    pub fn shutdown_requested(&self) -> impl Future<Output = ()> + Send + use<> {
        let shared = Arc::clone(&self.shared);
        async move { shared.lifecycle.reached(Step::Closing).await }
    }

    /// Records that all requests in flight of every server wired by hand have finished. If a `serve` is
    /// still running, the instance is closed when that has finished too. After `restart_service` this
    /// never returns, because the care thread exits the process with code 75, whereas a return from `main`
    /// would exit it with 0.
    pub async fn finish(&self) {
        self.shared.lifecycle.close();
        if self.shared.lifecycle.is_condemned() {
            std::future::pending::<()>().await;
        }
    }

    /// Returns `true` if a path is one of healing's own on the app's router.
    #[must_use]
    pub fn owns(&self, path: &str) -> bool {
        owns(&self.shared, Port::App, path)
    }

    /// Answers a request for one of healing's own paths, for services that are not axum's. `peer` is the
    /// connection's own address; without it the caller is treated as remote.
    ///
    /// ```
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// use bytes::Bytes;
    /// use healing_tower::Healing;
    /// use http_body_util::Empty;
    ///
    /// let healing = Healing::builder("orders").build();
    /// let request = http::Request::get("/healthz").body(Empty::<Bytes>::new()).unwrap();
    /// assert!(healing.owns(request.uri().path()));
    /// assert_eq!(healing.answer(request, None).await.status(), 200);
    /// # });
    /// ```
    pub async fn answer<B>(
        &self,
        request: Request<B>,
        peer: Option<SocketAddr>,
    ) -> Response<Full<Bytes>>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        answer(&self.shared, Port::App, peer, request).await
    }
}
