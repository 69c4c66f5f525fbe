//! Builder of an instance, with all settings from code, the environment or defaults.

use std::ffi::OsString;
use std::fmt::Display;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use healing_wire::health::CheckKind;

use crate::checks::{Check, CheckOptions, Checks};
use crate::healing::Healing;
use crate::hooks::{Hook, HookOptions, Hooks};
use crate::job::Job;
use crate::meter::MeterOptions;
use crate::settings::{CareSettings, ConfigError, DEFAULT_CARE_BIND, HeaderRule, Settings, Timing};
use crate::startup::{Starting, Startup};
use crate::token_file::TokenFile;

/// Maximum of all time limits; a longer one could not be added to an `Instant`.
const MAX_WAIT: Duration = Duration::from_secs(365 * 24 * 3600);

/// Builder of a [`Healing`], made by [`Healing::builder`].
///
/// Settings in code take precedence over the environment (`HEALING_CARE_BIND`, `HEALING_TOKEN_FILE`),
/// and the environment over the defaults. [`build`](Self::build) never fails; an invalid setting is an
/// error of [`Healing::serve`] and [`Healing::start_care`].
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
    name: String,
    version: Option<String>,
    startup: Arc<Startup>,
    care_bind: Option<SocketAddr>,
    token_file: Option<PathBuf>,
    meter: MeterOptions,
    timing: Timing,
    heal_on_app: Option<HeaderRule>,
    omitted: Vec<String>,
    handle_sigterm: bool,
    hooks: Vec<Hook>,
    checks: Vec<Check>,
}

impl Healing {
    /// Returns a builder for an app of this name, which `/health` shows.
    pub fn builder(name: impl Into<String>) -> Builder {
        Builder {
            name: name.into(),
            version: None,
            startup: Arc::default(),
            care_bind: None,
            token_file: None,
            meter: MeterOptions::default(),
            timing: Timing::default(),
            heal_on_app: None,
            omitted: Vec::new(),
            handle_sigterm: true,
            hooks: Vec::new(),
            checks: Vec::new(),
        }
    }
}

impl Builder {
    /// Sets the version of the app, which `/health` shows; absent by default. The doctor forgets what it has
    /// learned about the app's capacity when the version changes.
    ///
    /// ```
    /// use healing_tower::Healing;
    ///
    /// let healing = Healing::builder("orders").version(env!("CARGO_PKG_VERSION")).build();
    /// ```
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Declares that the app is still starting until the returned guard is dropped, for an app that warms
    /// up after its ports are bound. Until then `/readyz` is 503, `/health` shows `starting`, and the app is
    /// not restarted for a stalled runtime. With several guards, the last one ends the start.
    ///
    /// ```
    /// use healing_tower::Healing;
    ///
    /// let builder = Healing::builder("orders");
    /// let starting = builder.starting();
    /// let healing = builder.build();
    /// std::thread::spawn(move || {
    ///     // load the model, fill the caches
    ///     drop(starting);
    /// });
    /// ```
    ///
    /// # Hazards
    ///
    /// If the guard is never dropped, the app never becomes ready and is never restarted for a stall; see
    /// [`Starting`].
    pub fn starting(&self) -> Starting {
        self.startup.begin()
    }

    /// Adds a recovery hook, which must be idempotent. A soft heal runs the hooks in the order in which they
    /// were added. See [`crate::hooks`].
    pub fn soft_heal<F, Fut, E>(self, name: impl Into<String>, hook: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.soft_heal_with(name, HookOptions::default(), hook)
    }

    /// Adds a recovery hook with options; see [`soft_heal`](Self::soft_heal).
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

    /// Adds a check of something outside the process, over a connection of the check's own. While it
    /// fails, restarts are vetoed. See [`crate::checks`].
    pub fn dependency<F, Fut, E>(self, name: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.dependency_with(name, CheckOptions::default(), check)
    }

    /// Adds a dependency check with options; see [`dependency`](Self::dependency).
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

    /// Adds a check of something inside the process (a pool, a queue). Its failure never vetoes a restart.
    pub fn local<F, Fut, E>(self, name: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.local_with(name, CheckOptions::default(), check)
    }

    /// Adds a local check with options; see [`local`](Self::local).
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

    /// Sets the address of the care port; by default that of `HEALING_CARE_BIND`, else 127.0.0.1:5002.
    /// Port 0 selects a free port, which [`Healing::care_addr`] returns.
    pub fn care_bind(mut self, addr: SocketAddr) -> Self {
        self.care_bind = Some(addr);
        self
    }

    /// Makes `POST /heal` require `Authorization: Bearer` with the text of this file as well. The file
    /// is read at each heal, so it may be rotated.
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token_file = Some(path.into());
        self
    }

    /// Sets the options of the meter.
    pub fn meter(mut self, options: MeterOptions) -> Self {
        self.meter = options;
        self
    }

    /// Adds `POST /heal` to the app's own router, by the same rules as on the care port.
    pub fn heal_on_app_port(mut self) -> Self {
        self.heal_on_app = Some(HeaderRule::Required);
        self
    }

    /// Adds `POST /heal` to the app's own router without requiring `X-Healing: 1` there. A loopback
    /// peer, a loopback `Host`, no `Origin` and the token, if configured, are still required.
    pub fn heal_on_app_port_without_header(mut self) -> Self {
        self.heal_on_app = Some(HeaderRule::Waived);
        self
    }

    /// Leaves a path on the app's own router to the app, for example if the app has a `/metrics` of its
    /// own. The care port still serves it.
    pub fn omit(mut self, path: impl Into<String>) -> Self {
        self.omitted.push(path.into());
        self
    }

    /// Sets the time without a tick after which the app's runtime counts as stalled; 10 s by default.
    pub fn stall_after(mut self, time: Duration) -> Self {
        self.timing.stall_after = time;
        self
    }

    /// Sets the time for which an instance that shuts down still accepts connections, so that load
    /// balancers can react; 3 s by default. The time of an earlier drain counts.
    pub fn lame_duck(mut self, time: Duration) -> Self {
        self.timing.lame_duck = time.min(MAX_WAIT);
        self
    }

    /// Sets the time limit for requests in flight, counted from the moment when no new connections are
    /// accepted; 20 s by default.
    pub fn drain_deadline(mut self, time: Duration) -> Self {
        self.timing.drain_deadline = time.min(MAX_WAIT);
        self
    }

    /// Sets the minimum time from `restart_service` to the exit of the process; 10 s by default. A
    /// supervisor that restarts by `/livez` can act in this time, and its restart has no back-off.
    pub fn condemned_wait(mut self, time: Duration) -> Self {
        self.timing.condemned_wait = time.min(MAX_WAIT);
        self
    }

    /// Leaves SIGTERM to the app. The care thread then does not receive it, so the app should call
    /// [`Healing::request_shutdown`].
    pub fn leave_sigterm(mut self) -> Self {
        self.handle_sigterm = false;
        self
    }

    /// Builds the handle.
    #[must_use]
    pub fn build(self) -> Healing {
        let token_file = self.resolve_token_file();
        let care = self.resolve_care(token_file.as_ref());
        let settings = Settings {
            name: self.name,
            version: self.version,
            timing: self.timing,
            token_file,
            heal_on_app: self.heal_on_app,
            omitted: self.omitted,
        };
        let (checks, hooks) = (Checks::new(self.checks), Hooks::new(self.hooks));
        Healing::new(settings, care, self.meter, self.startup, checks, hooks)
    }

    fn resolve_token_file(&self) -> Option<TokenFile> {
        let from_environment = || {
            std::env::var_os("HEALING_TOKEN_FILE")
                .filter(|path| !path.is_empty())
                .map(Into::into)
        };
        self.token_file
            .clone()
            .or_else(from_environment)
            .map(TokenFile::new)
    }

    /// Resolves and validates the settings. An unusable token file is an error at start-up, not only at
    /// the first heal.
    fn resolve_care(&self, token_file: Option<&TokenFile>) -> Result<CareSettings, ConfigError> {
        let bind = match self.care_bind {
            Some(addr) => addr,
            None => parse_care_bind(std::env::var_os("HEALING_CARE_BIND"))?,
        };
        if let Some(name) = first_duplicate(self.hooks.iter().map(Hook::name)) {
            return Err(ConfigError::DuplicateHook(name.to_owned()));
        }
        if let Some(name) = first_duplicate(self.checks.iter().map(Check::name)) {
            return Err(ConfigError::DuplicateCheck(name.to_owned()));
        }
        token_file.map_or(Ok(()), |file| file.read().map(drop))?;
        Ok(CareSettings {
            bind,
            handle_sigterm: self.handle_sigterm,
        })
    }
}

/// Parses the environment variable; an empty one is treated as absent.
fn parse_care_bind(value: Option<OsString>) -> Result<SocketAddr, ConfigError> {
    let value = value.unwrap_or_default();
    let text = match value.to_string_lossy() {
        text if text.is_empty() => DEFAULT_CARE_BIND.into(),
        text => text,
    };
    text.parse().map_err(|_| ConfigError::CareBind {
        value: text.into_owned(),
    })
}

/// Returns the first duplicate name. Names are metric labels, so each must be unique.
fn first_duplicate<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::HashSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn care_bind_is_parsed_from_the_environment() {
        let bind = |text: &str| parse_care_bind(Some(text.into()));
        let default = DEFAULT_CARE_BIND.parse();
        assert_eq!(parse_care_bind(None).ok(), default.clone().ok());
        assert_eq!(bind("").ok(), default.ok());
        assert_eq!(bind("0.0.0.0:0").map(|addr| addr.port()).ok(), Some(0));
        assert!(bind("[::]:5002").is_ok_and(|addr| addr.is_ipv6()));
        for wrong in [
            "5002",
            "localhost:5002",
            "127.0.0.1",
            "127.0.0.1:99999",
            "x",
        ] {
            let message = bind(wrong).expect_err(wrong).to_string();
            assert!(
                message.contains(wrong) && message.contains("ADDRESS:PORT"),
                "{message}"
            );
        }
    }
}
