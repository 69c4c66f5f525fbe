//! From serving to ended: the drain lease, and the one way out.
//!
//! A *lease* is the doctor's: no new work for 30 s unless renewed, so that a doctor which dies
//! between drain and exit leaves nothing behind. *Leaving* is for good: SIGTERM,
//! `restart_service`, or the app's own wish. It has three steps. **Lame duck**: not ready, but still accepting, until
//! those who route requests here have noticed. **Closing**: no new connections, what is open may
//! finish. **Closed**: all of it has.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// How long a drain lasts unless it is renewed.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// Steps, in order; there is no way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Serving,
    LameDuck,
    Closing,
    Closed,
}

/// Why this instance leaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reasons {
    /// `restart_service` was accepted, then.
    pub(crate) condemned: Option<Instant>,
    /// SIGTERM came, then.
    pub(crate) terminated: Option<Instant>,
    /// The app itself asked for it, then.
    pub(crate) requested: Option<Instant>,
}

impl Reasons {
    /// The process is to end with this instance.
    pub(crate) fn end_the_process(&self) -> bool {
        self.condemned.is_some() || self.terminated.is_some()
    }
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    since: Instant,
    until: Instant,
}

/// The state of one instance, shared by care thread, server and endpoints.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    step: watch::Sender<Step>,
    reasons: watch::Sender<Reasons>,
    lease: Mutex<Option<Lease>>,
    /// Ready once since start.
    started: AtomicBool,
    /// Calls of `serve` that run.
    servers: AtomicUsize,
    /// There has been a lease or a way out: until then a request need not look closer.
    touched: AtomicBool,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            step: watch::Sender::new(Step::Serving),
            reasons: watch::Sender::default(),
            lease: Mutex::new(None),
            started: AtomicBool::new(false),
            servers: AtomicUsize::new(0),
            touched: AtomicBool::new(false),
        }
    }
}

impl Lifecycle {
    /// Begins or renews the lease.
    pub(crate) fn drain(&self, now: Instant) {
        let mut lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        let since = lease
            .filter(|lease| now < lease.until)
            .map_or(now, |lease| lease.since);
        *lease = Some(Lease {
            since,
            until: now + LEASE,
        });
        self.touched.store(true, Ordering::Release);
    }

    /// Ends the lease; says whether there was one.
    pub(crate) fn undrain(&self, now: Instant) -> bool {
        let lease = self
            .lease
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        lease.is_some_and(|lease| now < lease.until)
    }

    fn leased_since(&self, now: Instant) -> Option<Instant> {
        let lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        lease
            .filter(|lease| now < lease.until)
            .map(|lease| lease.since)
    }

    /// Takes no new work: by lease, or because it leaves.
    pub(crate) fn is_draining(&self, now: Instant) -> bool {
        self.touched.load(Ordering::Acquire)
            && (self.is_leaving() || self.leased_since(now).is_some())
    }

    /// Since when it has not been ready: what a lame-duck time is counted from.
    pub(crate) fn draining_since(&self, now: Instant) -> Option<Instant> {
        let Reasons {
            condemned,
            terminated,
            requested,
        } = self.reasons();
        [condemned, terminated, requested, self.leased_since(now)]
            .into_iter()
            .flatten()
            .min()
    }

    /// `restart_service`. False if it was condemned before.
    pub(crate) fn condemn(&self, now: Instant) -> bool {
        self.leave(now, |reasons| &mut reasons.condemned)
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self, now: Instant) {
        self.leave(now, |reasons| &mut reasons.terminated);
    }

    /// The app's own wish.
    pub(crate) fn request(&self, now: Instant) {
        self.leave(now, |reasons| &mut reasons.requested);
    }

    /// False if it leaves for that reason already.
    fn leave(
        &self,
        now: Instant,
        reason: impl FnOnce(&mut Reasons) -> &mut Option<Instant>,
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

    pub(crate) fn reasons(&self) -> Reasons {
        *self.reasons.borrow()
    }

    pub(crate) fn is_condemned(&self) -> bool {
        self.reasons().condemned.is_some()
    }

    pub(crate) fn is_leaving(&self) -> bool {
        *self.step.borrow() > Step::Serving
    }

    /// Goes on to `step`; never back.
    pub(crate) fn advance(&self, step: Step) {
        self.touched.store(true, Ordering::Release);
        self.step.send_if_modified(|now| {
            let further = step > *now;
            *now = step.max(*now);
            further
        });
    }

    /// Another server runs, until what is returned is dropped.
    #[cfg(any(feature = "axum", test))]
    pub(crate) fn serving(&self) -> Serving<'_> {
        self.servers.fetch_add(1, Ordering::AcqRel);
        Serving(self)
    }

    /// All open requests of one server have finished: closed, unless another server runs.
    pub(crate) fn close(&self) {
        if self.servers.load(Ordering::Acquire) == 0 {
            self.advance(Step::Closed);
        }
    }

    /// Resolves once `step` is reached, or passed.
    pub(crate) async fn reached(&self, step: Step) {
        // An error means that the sender is gone; it is part of `self`.
        let _ = self.step.subscribe().wait_for(|now| *now >= step).await;
    }

    /// Resolves when SIGTERM has come.
    pub(crate) async fn terminated(&self) {
        self.known(|reasons| reasons.terminated.is_some()).await;
    }

    /// Resolves when the process is to end, with why: a wish of the app itself is not enough.
    pub(crate) async fn sentence(&self) -> Reasons {
        self.known(Reasons::end_the_process).await
    }

    async fn known(&self, enough: impl Fn(&Reasons) -> bool) -> Reasons {
        let mut reasons = self.reasons.subscribe();
        // An error means that the sender is gone; it is part of `self`.
        match reasons.wait_for(enough).await {
            Ok(reasons) => *reasons,
            Err(_) => self.reasons(),
        }
    }

    /// It has been ready once.
    pub(crate) fn set_started(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_started(&self) -> bool {
        self.started.load(Ordering::Relaxed)
    }
}

/// One server that runs.
#[cfg(any(feature = "axum", test))]
#[must_use]
pub(crate) struct Serving<'a>(&'a Lifecycle);

#[cfg(any(feature = "axum", test))]
impl Drop for Serving<'_> {
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
    fn a_lease_ends_by_itself_by_undrain_and_not_while_renewed() {
        let (life, start) = (Lifecycle::default(), Instant::now());
        assert!(!life.is_draining(start));
        life.drain(start);
        assert!(life.is_draining(start + seconds(29)));
        assert!(!life.is_draining(start + seconds(30)), "nobody renewed it");

        life.drain(start);
        life.drain(start + seconds(20));
        assert!(life.is_draining(start + seconds(49)));
        assert_eq!(
            life.draining_since(start + seconds(49)),
            Some(start),
            "a renewal goes on"
        );
        assert!(life.undrain(start + seconds(49)));
        assert!(!life.is_draining(start + seconds(49)));
        assert!(!life.undrain(start + seconds(49)), "there was none");

        life.drain(start + seconds(60));
        assert_eq!(
            life.draining_since(start + seconds(61)),
            Some(start + seconds(60)),
            "a new one"
        );
    }

    #[test]
    fn leaving_is_for_good() {
        let (life, start) = (Lifecycle::default(), Instant::now());
        assert!(life.condemn(start));
        assert!(!life.condemn(start + seconds(1)), "once");
        life.undrain(start);
        assert!(
            life.is_draining(start + seconds(999)),
            "undrain does not pardon"
        );
        life.advance(Step::Closing);
        life.terminate(start + seconds(2));
        assert!(
            life.reached(Step::Closing).now_or_never().is_some(),
            "SIGTERM does not reopen"
        );
        assert!(life.reached(Step::Closed).now_or_never().is_none());
        assert!(life.terminated().now_or_never().is_some());
        assert_eq!(life.draining_since(start + seconds(9)), Some(start));
    }

    #[test]
    fn the_last_server_closes() {
        let life = Lifecycle::default();
        let (first, second) = (life.serving(), life.serving());
        life.request(Instant::now());
        drop(first);
        life.close();
        assert!(life.reached(Step::Closed).now_or_never().is_none());
        drop(second);
        life.close();
        assert!(life.reached(Step::Closed).now_or_never().is_some());
    }
}
