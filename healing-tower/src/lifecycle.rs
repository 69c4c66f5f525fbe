//! Lifecycle of an instance: the drain lease, and the steps of the shutdown.
//!
//! A *lease* is the doctor's: the instance is not ready for 30 s unless the lease is renewed, so that a
//! doctor which dies between drain and restart leaves no permanent effect. A *shutdown* is permanent: by
//! SIGTERM, `restart_service`, or the app's own request. It has three steps. **Lame duck**: not ready,
//! but still accepting, until load balancers have noticed. **Closing**: no new connections, requests in
//! flight may finish. **Closed**: all of them have finished.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::lock::lock;

/// Duration of a drain that is not renewed.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// Steps, in order; a later step never returns to an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Serving,
    LameDuck,
    Closing,
    Closed,
}

/// Reasons of a shutdown, each with the time at which it came first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ShutdownReasons {
    /// `restart_service` was accepted.
    pub(crate) condemned: Option<Instant>,
    /// SIGTERM came.
    pub(crate) terminated: Option<Instant>,
    /// The app itself requested it.
    pub(crate) requested: Option<Instant>,
}

impl ShutdownReasons {
    /// Returns `true` if the process is to exit with this instance.
    pub(crate) fn exit_process(&self) -> bool {
        self.condemned.is_some() || self.terminated.is_some()
    }
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    since: Instant,
    until: Instant,
}

/// State of one instance, shared by care thread, servers and endpoints.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    step: watch::Sender<Step>,
    reasons: watch::Sender<ShutdownReasons>,
    lease: Mutex<Option<Lease>>,
    /// Set once the instance has been ready.
    started: AtomicBool,
    /// Number of running servers.
    servers: AtomicUsize,
    /// Set by the first lease or shutdown. Until then a request need not take the locks.
    has_drained: AtomicBool,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            step: watch::Sender::new(Step::Serving),
            reasons: watch::Sender::default(),
            lease: Mutex::new(None),
            started: AtomicBool::new(false),
            servers: AtomicUsize::new(0),
            has_drained: AtomicBool::new(false),
        }
    }
}

impl Lifecycle {
    /// Begins or renews the lease.
    pub(crate) fn drain(&self, now: Instant) {
        let mut lease = lock(&self.lease);
        let since = lease
            .filter(|lease| now < lease.until)
            .map_or(now, |lease| lease.since);
        *lease = Some(Lease {
            since,
            until: now + LEASE,
        });
        self.has_drained.store(true, Ordering::Release);
    }

    /// Ends the lease; returns `true` if there was one.
    pub(crate) fn undrain(&self, now: Instant) -> bool {
        let lease = lock(&self.lease).take();
        lease.is_some_and(|lease| now < lease.until)
    }

    fn leased_since(&self, now: Instant) -> Option<Instant> {
        let lease = lock(&self.lease);
        lease
            .filter(|lease| now < lease.until)
            .map(|lease| lease.since)
    }

    /// Returns `true` if the instance takes no new work: by lease, or because it shuts down.
    pub(crate) fn is_draining(&self, now: Instant) -> bool {
        self.has_drained.load(Ordering::Acquire)
            && (self.is_shutting_down() || self.leased_since(now).is_some())
    }

    /// Returns the time since which the instance is not ready; the lame-duck time is counted from it.
    pub(crate) fn draining_since(&self, now: Instant) -> Option<Instant> {
        let ShutdownReasons {
            condemned,
            terminated,
            requested,
        } = self.reasons();
        [condemned, terminated, requested, self.leased_since(now)]
            .into_iter()
            .flatten()
            .min()
    }

    /// Begins the shutdown by `restart_service`; returns `false` if it was condemned before.
    pub(crate) fn condemn(&self, now: Instant) -> bool {
        self.shut_down(now, |reasons| &mut reasons.condemned)
    }

    /// Begins the shutdown by SIGTERM.
    pub(crate) fn terminate(&self, now: Instant) {
        self.shut_down(now, |reasons| &mut reasons.terminated);
    }

    /// Begins the shutdown that the app requested.
    pub(crate) fn request(&self, now: Instant) {
        self.shut_down(now, |reasons| &mut reasons.requested);
    }

    /// Returns `false` if the reason was present before.
    fn shut_down(
        &self,
        now: Instant,
        reason: impl FnOnce(&mut ShutdownReasons) -> &mut Option<Instant>,
    ) -> bool {
        let first = self.reasons.send_if_modified(|reasons| {
            let reason = reason(reasons);
            let first = reason.is_none();
            reason.get_or_insert(now);
            first
        });
        self.advance(Step::LameDuck);
        first
    }

    pub(crate) fn reasons(&self) -> ShutdownReasons {
        *self.reasons.borrow()
    }

    pub(crate) fn is_condemned(&self) -> bool {
        self.reasons().condemned.is_some()
    }

    pub(crate) fn is_shutting_down(&self) -> bool {
        *self.step.borrow() > Step::Serving
    }

    /// Advances to `step`, unless a later one was reached.
    pub(crate) fn advance(&self, step: Step) {
        self.has_drained.store(true, Ordering::Release);
        self.step.send_if_modified(|current| {
            let advanced = step > *current;
            *current = step.max(*current);
            advanced
        });
    }

    /// Registers a running server until the guard is dropped.
    #[cfg(any(feature = "axum", test))]
    pub(crate) fn register_server(&self) -> ServerGuard<'_> {
        self.servers.fetch_add(1, Ordering::AcqRel);
        ServerGuard(self)
    }

    /// Records that all requests in flight of one server have finished: closed, unless another runs.
    pub(crate) fn close(&self) {
        if self.servers.load(Ordering::Acquire) == 0 {
            self.advance(Step::Closed);
        }
    }

    /// Resolves once `step`, or a later one, is reached.
    pub(crate) async fn reached(&self, step: Step) {
        // An error would mean that the sender is gone; it is part of `self`.
        let _ = self
            .step
            .subscribe()
            .wait_for(|current| *current >= step)
            .await;
    }

    /// Resolves when SIGTERM has come.
    pub(crate) async fn terminated(&self) {
        self.wait_for_reasons(|reasons| reasons.terminated.is_some())
            .await;
    }

    /// Resolves when the process is to exit; a request of the app itself is not sufficient.
    pub(crate) async fn exit_requested(&self) -> ShutdownReasons {
        self.wait_for_reasons(ShutdownReasons::exit_process).await
    }

    async fn wait_for_reasons(
        &self,
        condition: impl Fn(&ShutdownReasons) -> bool,
    ) -> ShutdownReasons {
        let mut reasons = self.reasons.subscribe();
        // An error would mean that the sender is gone; it is part of `self`.
        match reasons.wait_for(condition).await {
            Ok(reasons) => *reasons,
            Err(_) => self.reasons(),
        }
    }

    /// Records that the instance has been ready.
    pub(crate) fn set_started(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_started(&self) -> bool {
        self.started.load(Ordering::Relaxed)
    }
}

/// Registration of one running server.
#[cfg(any(feature = "axum", test))]
#[must_use]
pub(crate) struct ServerGuard<'a>(&'a Lifecycle);

#[cfg(any(feature = "axum", test))]
impl Drop for ServerGuard<'_> {
    fn drop(&mut self) {
        self.0.servers.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn lease_ends_by_expiry_or_undrain_and_renewal_extends_it() {
        let (lifecycle, start) = (Lifecycle::default(), Instant::now());
        assert!(!lifecycle.is_draining(start));
        lifecycle.drain(start);
        assert!(lifecycle.is_draining(start + seconds(29)));
        assert!(!lifecycle.is_draining(start + seconds(30)), "not renewed");

        lifecycle.drain(start);
        lifecycle.drain(start + seconds(20));
        assert!(lifecycle.is_draining(start + seconds(49)));
        assert_eq!(
            lifecycle.draining_since(start + seconds(49)),
            Some(start),
            "a renewal keeps the beginning"
        );
        assert!(lifecycle.undrain(start + seconds(49)));
        assert!(!lifecycle.is_draining(start + seconds(49)));
        assert!(!lifecycle.undrain(start + seconds(49)), "there was none");

        lifecycle.drain(start + seconds(60));
        assert_eq!(
            lifecycle.draining_since(start + seconds(61)),
            Some(start + seconds(60)),
            "a new lease"
        );
    }

    #[test]
    fn shutdown_is_permanent() {
        let (lifecycle, start) = (Lifecycle::default(), Instant::now());
        assert!(lifecycle.condemn(start));
        assert!(!lifecycle.condemn(start + seconds(1)), "only once");
        lifecycle.undrain(start);
        assert!(
            lifecycle.is_draining(start + seconds(999)),
            "undrain does not end a shutdown"
        );
        lifecycle.advance(Step::Closing);
        lifecycle.terminate(start + seconds(2));
        assert!(
            lifecycle.reached(Step::Closing).now_or_never().is_some(),
            "SIGTERM does not return to the lame duck"
        );
        assert!(lifecycle.reached(Step::Closed).now_or_never().is_none());
        assert!(lifecycle.terminated().now_or_never().is_some());
        assert_eq!(lifecycle.draining_since(start + seconds(9)), Some(start));
    }

    #[test]
    fn lifecycle_is_closed_when_the_last_server_has_finished() {
        let lifecycle = Lifecycle::default();
        let (first, second) = (lifecycle.register_server(), lifecycle.register_server());
        lifecycle.request(Instant::now());
        drop(first);
        lifecycle.close();
        assert!(lifecycle.reached(Step::Closed).now_or_never().is_none());
        drop(second);
        lifecycle.close();
        assert!(lifecycle.reached(Step::Closed).now_or_never().is_some());
    }
}
