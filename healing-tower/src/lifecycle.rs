//! Lifecycle of an instance: the drain lease, and the steps of the shutdown.
//!
//! The doctor takes the *lease*: the instance reports not ready until the lease expires, 30 s after its
//! last renewal. So a doctor that crashes between drain and restart leaves no permanent effect. A
//! *shutdown* is permanent; its reason is SIGTERM, `restart_service` or the app's own request. It has
//! three steps:
//!
//! | step | readiness | connections |
//! |---|---|---|
//! | **lame duck** | not ready | still accepted, until load balancers have reacted |
//! | **closing** | not ready | none accepted; requests in flight may finish |
//! | **closed** | not ready | none; all requests have finished |

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::lock::lock;

/// Time from the last renewal of a drain lease to its expiry.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// Steps from serving to closed, in order. An instance never returns to an earlier step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Serving,
    LameDuck,
    Closing,
    Closed,
}

/// Reasons of a shutdown, each with the time at which it first occurred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ShutdownReasons {
    /// Time at which `restart_service` was accepted.
    pub(crate) condemned: Option<Instant>,
    /// Time at which SIGTERM was received.
    pub(crate) terminated: Option<Instant>,
    /// Time at which the app requested the shutdown.
    pub(crate) requested: Option<Instant>,
}

impl ShutdownReasons {
    /// Returns `true` if the process must exit once shutdown is complete.
    pub(crate) fn must_exit(&self) -> bool {
        self.condemned.is_some() || self.terminated.is_some()
    }
}

/// Drain lease.
#[derive(Debug, Clone, Copy)]
struct Lease {
    /// Start of the drain, which a renewal keeps.
    since: Instant,
    /// Time of expiry.
    until: Instant,
}

/// Lifecycle state of one instance, shared by care thread, servers and endpoints.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    step: watch::Sender<Step>,
    reasons: watch::Sender<ShutdownReasons>,
    lease: Mutex<Option<Lease>>,
    /// Set once the instance has been ready.
    has_been_ready: AtomicBool,
    /// Number of running servers.
    servers: AtomicUsize,
    /// Set by the first lease or shutdown. Until then, requests skip the locks.
    ever_draining: AtomicBool,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            step: watch::Sender::new(Step::Serving),
            reasons: watch::Sender::default(),
            lease: Mutex::new(None),
            has_been_ready: AtomicBool::new(false),
            servers: AtomicUsize::new(0),
            ever_draining: AtomicBool::new(false),
        }
    }
}

impl Lifecycle {
    /// Begins or renews the drain lease.
    pub(crate) fn drain(&self, now: Instant) {
        let mut lease = lock(&self.lease);
        let since = lease
            .filter(|lease| now < lease.until)
            .map_or(now, |lease| lease.since);
        *lease = Some(Lease {
            since,
            until: now + LEASE,
        });
        self.ever_draining.store(true, Ordering::Release);
    }

    /// Cancels the drain lease; returns `true` if there was one.
    pub(crate) fn cancel_drain(&self, now: Instant) -> bool {
        let lease = lock(&self.lease).take();
        lease.is_some_and(|lease| now < lease.until)
    }

    /// Returns the start of the current lease.
    fn leased_since(&self, now: Instant) -> Option<Instant> {
        let lease = lock(&self.lease);
        lease
            .filter(|lease| now < lease.until)
            .map(|lease| lease.since)
    }

    /// Returns `true` if the instance takes no new work, because of a lease or a shutdown.
    pub(crate) fn is_draining(&self, now: Instant) -> bool {
        self.ever_draining.load(Ordering::Acquire)
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

    /// Begins the shutdown by `restart_service`; returns `false` if already condemned.
    pub(crate) fn condemn(&self, now: Instant) -> bool {
        self.shut_down(now, |reasons| &mut reasons.condemned)
    }

    /// Begins the shutdown by SIGTERM.
    pub(crate) fn terminate(&self, now: Instant) {
        self.shut_down(now, |reasons| &mut reasons.terminated);
    }

    /// Begins the shutdown that the app requested.
    pub(crate) fn request_shutdown(&self, now: Instant) {
        self.shut_down(now, |reasons| &mut reasons.requested);
    }

    /// Begins the shutdown for one reason; returns `false` if that reason was present before.
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

    /// Advances to `step`, unless that or a later one was reached before.
    pub(crate) fn advance(&self, step: Step) {
        self.ever_draining.store(true, Ordering::Release);
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

    /// Closes the lifecycle after the last server; has no effect while a server is registered.
    pub(crate) fn close(&self) {
        if self.servers.load(Ordering::Acquire) == 0 {
            self.advance(Step::Closed);
        }
    }

    /// Resolves once `step`, or a later one, is reached.
    pub(crate) async fn reached(&self, step: Step) {
        // There is no error, because the sender is part of `self`.
        let _ = self
            .step
            .subscribe()
            .wait_for(|current| *current >= step)
            .await;
    }

    /// Resolves when SIGTERM has been received.
    pub(crate) async fn terminated(&self) {
        self.wait_for_reasons(|reasons| reasons.terminated.is_some())
            .await;
    }

    /// Resolves when the process must exit; a request of the app itself is not sufficient.
    pub(crate) async fn exit_requested(&self) -> ShutdownReasons {
        self.wait_for_reasons(ShutdownReasons::must_exit).await
    }

    async fn wait_for_reasons(
        &self,
        condition: impl Fn(&ShutdownReasons) -> bool,
    ) -> ShutdownReasons {
        let mut reasons = self.reasons.subscribe();
        // There is no error, because the sender is part of `self`.
        match reasons.wait_for(condition).await {
            Ok(reasons) => *reasons,
            Err(_) => self.reasons(),
        }
    }

    /// Records that the instance has been ready.
    pub(crate) fn record_ready(&self) {
        self.has_been_ready.store(true, Ordering::Relaxed);
    }

    /// Returns `true` if the instance has been ready since its start.
    pub(crate) fn has_been_ready(&self) -> bool {
        self.has_been_ready.load(Ordering::Relaxed)
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
    fn lease_expires_unless_renewed_and_can_be_cancelled() {
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
            "a renewal keeps the start"
        );
        assert!(lifecycle.cancel_drain(start + seconds(49)));
        assert!(!lifecycle.is_draining(start + seconds(49)));
        assert!(
            !lifecycle.cancel_drain(start + seconds(49)),
            "there was none"
        );

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
        lifecycle.cancel_drain(start);
        assert!(
            lifecycle.is_draining(start + seconds(999)),
            "a shutdown cannot be cancelled"
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
        lifecycle.request_shutdown(Instant::now());
        drop(first);
        lifecycle.close();
        assert!(lifecycle.reached(Step::Closed).now_or_never().is_none());
        drop(second);
        lifecycle.close();
        assert!(lifecycle.reached(Step::Closed).now_or_never().is_some());
    }
}
