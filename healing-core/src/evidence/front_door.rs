//! Front door that fails although the care port responds and the runtime ticks.
//!
//! - *Refused*: no socket listens on the app's port, so no new client gets in. A process that lives and
//!   claims to serve does not open its port again by itself.
//! - *Hangs*: requests wait in front of the app. A loaded app and an ill one look the same from here, so
//!   it justifies a restart only with impairment: demand that the app has proved it can serve.
//!
//!   An app that counts no requests shows no impairment. If its CPU is not used up, it is restarted when a
//!   plain liveness probe would restart it.
//!
//! Both count only after the front door of this instance has answered once, because a process that has
//! bound its port may start for any time. Connections that are open may still be served, so the app is
//! drained first.

use std::time::Duration;

use super::sustained::Sustained;
use crate::config::EvidenceConfig;
use crate::health::Health;
use crate::observation::{InvalidAnswer, ProbeResult};
use crate::reason::Reason;
use crate::time::Time;

/// Polls in which the front door failed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FrontDoorDetector {
    refused: Sustained,
    hangs: Sustained,
    /// Polls in which it hung although the CPU of an app that counts no requests was not used up.
    hangs_uncounted: Sustained,
}

/// Time for which the front door of an app that counts no requests must hang: that of a liveness probe at
/// Kubernetes' defaults (3 failures, 10 s apart).
const UNCOUNTED_TIMEOUT: Duration = Duration::from_secs(30);

/// CPU usage in percent of the limit, from which load may be the reason for a front door that hangs.
const LOADED_CPU: f64 = 85.0;

/// Returns `true` if the app answers requests at its front door, with a client error or a redirect too.
/// An error of the server may be the answer of a proxy.
pub(crate) fn answers(front_door: &ProbeResult<()>) -> bool {
    match front_door {
        ProbeResult::Valid((), _) => true,
        ProbeResult::Invalid(InvalidAnswer::Status(status)) => *status < 500,
        _ => false,
    }
}

/// Returns `true` if clients do not get in.
pub(crate) fn fails(front_door: &ProbeResult<()>) -> bool {
    matches!(front_door, ProbeResult::Refused | ProbeResult::TimedOut)
}

// === impl FrontDoorDetector ===

impl FrontDoorDetector {
    /// Adds a poll with a health report. `serves` is set if the app claims to serve, so that its port
    /// should be open.
    pub(crate) fn observe(
        &mut self,
        now: Time,
        front_door: &ProbeResult<()>,
        health: &Health,
        serves: bool,
        config: &EvidenceConfig,
    ) {
        let uncounted = health.totals.requests_total.is_none()
            && health.cpu_usage.is_some_and(|cpu| cpu < LOADED_CPU);
        let refused = serves && *front_door == ProbeResult::Refused;
        let hangs = *front_door == ProbeResult::TimedOut;
        self.refused.observe(now, refused, config.refused_timeout);
        self.hangs.observe(now, hangs, config.hang_timeout);
        let timeout = uncounted_timeout(config);
        self.hangs_uncounted
            .observe(now, hangs && uncounted, timeout);
    }

    /// Discards all polls.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Returns `true` if the front door failed in the latest poll.
    pub(crate) fn is_symptomatic(&self) -> bool {
        self.refused.is_active() || self.hangs.is_active()
    }

    /// Returns the earliest onset of an active symptom.
    pub(crate) fn onset(&self) -> Option<Time> {
        self.refused.onset().or(self.hangs.onset())
    }

    /// Returns the evidence for a restart. `impaired` is set if demand behind the front door is not met.
    pub(crate) fn hard_evidence(&self, impaired: bool, config: &EvidenceConfig) -> Option<Reason> {
        if self.refused.is_firing(config.refused_timeout) {
            Some(Reason::FrontDoorRefused)
        } else if (impaired && self.hangs.is_firing(config.hang_timeout))
            || self.hangs_uncounted.is_firing(uncounted_timeout(config))
        {
            Some(Reason::FrontDoorHangs)
        } else {
            None
        }
    }
}

/// Returns the time for which the front door of an app that counts no requests must hang.
fn uncounted_timeout(config: &EvidenceConfig) -> Duration {
    config.hang_timeout.max(UNCOUNTED_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Totals;

    /// Returns the time in s at which a restart is justified, with a poll every `interval` s.
    fn justified_at(
        interval: usize,
        front_door: impl Fn(u64) -> ProbeResult<()>,
        impaired: bool,
    ) -> Option<(u64, Reason)> {
        let health = Health {
            totals: Totals {
                requests_total: Some(100),
                ..Totals::default()
            },
            cpu_usage: Some(1.0),
            ..Health::default()
        };
        justified_of(&health, interval, front_door, impaired)
    }

    fn justified_of(
        health: &Health,
        interval: usize,
        front_door: impl Fn(u64) -> ProbeResult<()>,
        impaired: bool,
    ) -> Option<(u64, Reason)> {
        let config = EvidenceConfig::default();
        let mut detector = FrontDoorDetector::default();
        (0..600).step_by(interval).find_map(|seconds| {
            let now = Time::default() + Duration::from_secs(seconds);
            detector.observe(now, &front_door(seconds), health, true, &config);
            let reason = detector.hard_evidence(impaired, &config)?;
            Some((seconds, reason))
        })
    }

    #[test]
    fn refusal_justifies_a_restart_in_the_third_poll() {
        let refused = Some((10, Reason::FrontDoorRefused));
        assert_eq!(justified_at(5, |_| ProbeResult::Refused, false), refused);
        assert_eq!(justified_at(1, |_| ProbeResult::Refused, false), refused);
        let rare = Some((120, Reason::FrontDoorRefused));
        assert_eq!(justified_at(60, |_| ProbeResult::Refused, false), rare);
    }

    #[test]
    fn timeout_justifies_a_restart_only_with_impairment() {
        let hangs = Some((10, Reason::FrontDoorHangs));
        assert_eq!(justified_at(5, |_| ProbeResult::TimedOut, true), hangs);
        assert_eq!(justified_at(5, |_| ProbeResult::TimedOut, false), None);
    }

    #[test]
    fn uncounted_app_is_restarted_after_a_liveness_probes_time_unless_loaded() {
        let uncounted_at = |cpu_usage| {
            let health = Health {
                cpu_usage,
                ..Health::default()
            };
            justified_of(&health, 5, |_| ProbeResult::TimedOut, false)
        };
        assert_eq!(uncounted_at(Some(10.0)), Some((30, Reason::FrontDoorHangs)));
        assert_eq!(uncounted_at(Some(95.0)), None);
        assert_eq!(uncounted_at(None), None);
    }

    #[test]
    fn answer_of_the_front_door_ends_its_failure() {
        let answers_sometimes = |seconds| match seconds % 10 {
            5 => ProbeResult::Valid((), Duration::ZERO),
            _ => ProbeResult::TimedOut,
        };
        assert_eq!(justified_at(5, answers_sometimes, true), None);
    }

    #[test]
    fn answer_with_a_status_of_the_server_may_be_a_proxys() {
        for (status, expected) in [(204, true), (301, true), (404, true), (502, false)] {
            let front_door = ProbeResult::Invalid(InvalidAnswer::Status(status));
            assert_eq!(answers(&front_door), expected, "{status}");
        }
        assert!(!answers(&ProbeResult::Invalid(InvalidAnswer::Transport)));
    }
}
