//! Everything that can be set, in code or by the environment.

use std::fmt::Display;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use healing_core::health::CheckKind;

use crate::app::Timing;
use crate::care::access::HeaderRule;
use crate::checks::{Check, CheckOptions};
use crate::healing::Healing;
use crate::hooks::{Hook, HookOptions};
use crate::job::Job;
use crate::meter::MeterOptions;

/// Longer waits are as good as this one, and cannot be added to a point in time.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Makes a [`Healing`]; from [`Healing::builder`].
///
/// Settings in code win over the environment (`HEALING_CARE_BIND`, `HEALING_TOKEN_FILE`), that wins
/// over the defaults. [`build`](Self::build) never fails: a setting that cannot be used is an error
/// of [`Healing::serve`] and [`Healing::start_care`], which can say so.
///
/// ```
/// use healing_tower::{CheckOptions, Healing};
/// use std::time::Duration;
///
/// let healing = Healing::builder("orders")
///     .soft_heal("cache", || async { Ok::<(), std::io::Error>(()) })
///     .dependency("db", || async { Err("connection refused") })
///     .local_with(
///         "pool",
///         CheckOptions::default().interval(Duration::from_secs(2)).readiness(true),
///         || async { Ok::<(), String>(()) },
///     )
///     .build();
/// assert_eq!(healing.name(), "orders");
/// ```
#[derive(Debug)]
#[must_use]
pub struct Builder {
    pub(crate) name: String,
    pub(crate) care_bind: Option<SocketAddr>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) meter: MeterOptions,
    pub(crate) timing: Timing,
    pub(crate) heal_on_app: Option<HeaderRule>,
    pub(crate) omitted: Vec<String>,
    pub(crate) take_sigterm: bool,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) checks: Vec<Check>,
}

impl Builder {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            care_bind: None,
            token_file: None,
            meter: MeterOptions::default(),
            timing: Timing::default(),
            heal_on_app: None,
            omitted: Vec::new(),
            take_sigterm: true,
            hooks: Vec::new(),
            checks: Vec::new(),
        }
    }

    /// Adds a recovery hook; a soft heal runs them in the order in which they were added. It must
    /// be idempotent. See [`crate::hooks`].
    pub fn soft_heal<F, Fut, E>(self, name: impl Into<String>, hook: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.soft_heal_with(name, HookOptions::default(), hook)
    }

    /// The same with options.
    pub fn soft_heal_with<F, Fut, E>(
        mut self,
        name: impl Into<String>,
        options: HookOptions,
        hook: F,
    ) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.hooks
            .push(Hook::new(name.into(), options, Job::new(hook)));
        self
    }

    /// Adds a check of something outside the process, over a connection of the check's own. While
    /// it fails, restarts are vetoed. See [`crate::checks`].
    pub fn dependency<F, Fut, E>(self, name: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.dependency_with(name, CheckOptions::default(), check)
    }

    /// The same with options.
    pub fn dependency_with<F, Fut, E>(
        self,
        name: impl Into<String>,
        options: CheckOptions,
        check: F,
    ) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.check(name.into(), CheckKind::Dependency, options, Job::new(check))
    }

    /// Adds a check of something inside the process (a pool, a queue). It never vetoes.
    pub fn local<F, Fut, E>(self, name: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.local_with(name, CheckOptions::default(), check)
    }

    /// The same with options.
    pub fn local_with<F, Fut, E>(
        self,
        name: impl Into<String>,
        options: CheckOptions,
        check: F,
    ) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.check(name.into(), CheckKind::Local, options, Job::new(check))
    }

    fn check(mut self, name: String, kind: CheckKind, options: CheckOptions, job: Job) -> Self {
        self.checks.push(Check::new(name, kind, options, job));
        self
    }

    /// Where the care port binds; 127.0.0.1:5002 unless `HEALING_CARE_BIND` says otherwise. Port 0
    /// takes a free one: [`Healing::care_addr`] tells which.
    pub fn care_bind(mut self, addr: SocketAddr) -> Self {
        self.care_bind = Some(addr);
        self
    }

    /// `POST /heal` then also wants `Authorization: Bearer` and the text of this file, which is
    /// read at each heal, so that it may be rotated.
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token_file = Some(path.into());
        self
    }

    /// How requests are counted.
    pub fn meter(mut self, options: MeterOptions) -> Self {
        self.meter = options;
        self
    }

    /// `POST /heal` on the app's own router too, by the same rules as on the care port.
    pub fn heal_on_app_port(mut self) -> Self {
        self.heal_on_app = Some(HeaderRule::Required);
        self
    }

    /// The same without asking for `X-Healing: 1` there. A loopback peer, a loopback `Host`, no
    /// `Origin` and the token, where there is one, are still asked for.
    pub fn heal_on_app_port_without_header(mut self) -> Self {
        self.heal_on_app = Some(HeaderRule::Waived);
        self
    }

    /// Leaves a path to the app, on the app's own router: where the app has a `/metrics` of its own,
    /// say. The care port still has it.
    pub fn omit(mut self, path: impl Into<String>) -> Self {
        self.omitted.push(path.into());
        self
    }

    /// The app's runtime counts as stalled when it has not ticked for this long; 10 s by default.
    pub fn stall_after(mut self, silence: Duration) -> Self {
        self.timing.stall_after = silence;
        self
    }

    /// How long a leaving instance still accepts, so that those who route to it can notice; 3 s by
    /// default. A drain before counts.
    pub fn lame_duck(mut self, time: Duration) -> Self {
        self.timing.lame_duck = time.min(FOR_EVER);
        self
    }

    /// How long open requests may take to finish once nothing new is accepted; 20 s by default.
    pub fn drain_deadline(mut self, time: Duration) -> Self {
        self.timing.drain_deadline = time.min(FOR_EVER);
        self
    }

    /// How long after `restart_service` the process ends by itself at the earliest; 10 s by
    /// default. Time for a supervisor that restarts by `/livez`, whose restart costs no back-off.
    pub fn condemned_wait(mut self, time: Duration) -> Self {
        self.timing.condemned_wait = time.min(FOR_EVER);
        self
    }

    /// Leaves SIGTERM to the app. Without it the care thread does not notice a shutdown.
    pub fn leave_sigterm(mut self) -> Self {
        self.take_sigterm = false;
        self
    }

    /// Done.
    #[must_use]
    pub fn build(self) -> Healing {
        Healing::new(self)
    }
}
