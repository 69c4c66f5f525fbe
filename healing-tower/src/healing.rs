//! The handle: one for each instrumented app, cheap to clone.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

use crate::app::{App, new_instance_id};
use crate::builder::Builder;
use crate::care::Care;
use crate::care::access::Access;
use crate::care::heartbeat::Heartbeat;
use crate::checks::{CheckEvents, Checks};
use crate::endpoints::{Door, answer, owns};
use crate::families;
use crate::hooks::Hooks;
use crate::layer::HealingLayer;
use crate::lifecycle::{Lifecycle, Step};
use crate::meter::Meter;
use crate::metrics::Exposition;
use crate::vitals::LastSample;

/// Healing for one app: counts its requests, answers its probes, runs its hooks and checks, and
/// ends it in order when asked to. Clones are the same instance; when the last is dropped, its care
/// thread ends.
///
/// The short way is [`serve`](Self::serve). The parts are public for those who wire by hand.
///
/// # Hazards
/// SIGTERM and the end of the process are the process's: of two instances in one process, each
/// drains by itself, but `restart_service` of one ends both.
#[derive(Debug, Clone)]
pub struct Healing {
    pub(crate) app: Arc<App>,
    care: Arc<CareSlot>,
}

#[derive(Debug)]
struct CareSlot {
    settings: Result<(SocketAddr, bool), String>,
    started: Mutex<Option<Care>>,
}

impl Healing {
    /// Begins with a name, which `/health` shows.
    pub fn builder(name: impl Into<String>) -> Builder {
        Builder::new(name.into())
    }

    pub(crate) fn new(builder: Builder) -> Self {
        let access = Access::new(builder.resolved_token_file());
        let settings = builder
            .resolved_care_bind()
            .and_then(|bind| builder.check_names().map(|()| (bind, builder.take_sigterm)))
            .and_then(|settings| access.check_token_file().map(|()| settings));
        let meter = Meter::new(builder.meter);
        let app = App {
            name: builder.name,
            instance_id: new_instance_id(),
            begun: Instant::now(),
            meter,
            metrics: Exposition::new(meter),
            heart: Arc::new(Heartbeat::new(builder.timing.stall_after)),
            timing: builder.timing,
            life: Lifecycle::default(),
            checks: Checks::new(builder.checks),
            hooks: Hooks::new(builder.hooks),
            vitals: LastSample::default(),
            access,
            heal_on_app: builder.heal_on_app,
            omitted: builder.omitted,
            runtimes: std::sync::OnceLock::new(),
        };
        let app = Arc::new(app);
        let weak = Arc::downgrade(&app); // the page is the app's own
        app.metrics.add(move |text| {
            if let Some(app) = weak.upgrade() {
                families::write(&app, text);
            }
        });
        Self {
            app,
            care: Arc::new(CareSlot {
                settings,
                started: Mutex::new(None),
            }),
        }
    }

    /// The name given to the builder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.app.name
    }

    /// New at every start: how others recognise a restart.
    #[must_use]
    pub fn instance_id(&self) -> &str {
        &self.app.instance_id
    }

    /// The layer that counts requests, for any `tower` service. On an axum `Router`,
    /// [`wrap`](Self::wrap) is the shorter way.
    #[must_use]
    pub fn layer(&self) -> HealingLayer {
        HealingLayer::new(self.app.meter)
    }

    /// The counts of this app's requests.
    #[must_use]
    pub fn meter(&self) -> Meter {
        self.app.meter
    }

    /// The app's own Prometheus metrics: what is registered here shows on `/metrics` too. Not for
    /// this instance's own [`Meter::collector`]: the page has the meter's families already, and a
    /// scraper rejects one that has a name twice. A collector that blocks keeps the page from
    /// everyone: after ten seconds scrapes are answered 503.
    #[must_use]
    pub fn registry(&self) -> &prometheus::Registry {
        self.app.metrics.registry()
    }

    /// Changes of the checks' state, from now on.
    #[must_use]
    pub fn check_events(&self) -> CheckEvents {
        self.app.checks.subscribe()
    }

    /// Starts the care thread, unless it runs, and returns the care port's address. To be called
    /// from within the app's runtime, when the app is about to serve: from its first tick on it
    /// counts as started.
    ///
    /// # Errors
    /// The care port is busy, a setting cannot be used, or there is no tokio runtime around.
    pub fn start_care(&self) -> io::Result<SocketAddr> {
        let mut started = self
            .care
            .started
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(care) = &*started {
            return Ok(care.addr());
        }
        let (bind, take_sigterm) = self
            .care
            .settings
            .clone()
            .map_err(|wrong| io::Error::new(io::ErrorKind::InvalidInput, wrong))?;
        Ok(started
            .insert(Care::start(&self.app, bind, take_sigterm)?)
            .addr())
    }

    /// Where the care port listens; absent before it was started.
    #[must_use]
    pub fn care_addr(&self) -> Option<SocketAddr> {
        let started = self
            .care
            .started
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        started.as_ref().map(Care::addr)
    }

    /// Begins an orderly end, as SIGTERM does, for other signals or a command of the app's own. The
    /// care thread does not end the process then, even if the drain does not succeed.
    pub fn request_shutdown(&self) {
        self.app.life.request(Instant::now());
    }

    /// Resolves when the server should stop accepting and finish what is open: after SIGTERM or
    /// `restart_service`, when the lame-duck time is over. For a server wired by hand, which should
    /// call [`finish`](Self::finish) when it has.
    pub fn shutdown_requested(&self) -> impl Future<Output = ()> + Send + use<> {
        let app = Arc::clone(&self.app);
        async move { app.life.reached(Step::Closing).await }
    }

    /// Says that all open requests have finished, those of every server wired by hand; where a
    /// `serve` still runs, the instance is closed when that has finished too. After
    /// `restart_service` it never returns: the care thread ends the process with exit code 75, where
    /// returning from `main` would end it with 0.
    pub async fn finish(&self) {
        self.app.life.close();
        if self.app.life.is_condemned() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether a path is one of healing's own on the app's router.
    #[must_use]
    pub fn owns(&self, path: &str) -> bool {
        owns(&self.app, Door::App, path)
    }

    /// Answers one of healing's own requests: the whole of the app's router for services that are
    /// not axum's. `peer` is the connection's own address; without it the caller is a stranger.
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
        answer(&self.app, Door::App, peer, request).await
    }
}
