//! Liveness probe of a kubelet at Kubernetes' defaults: `GET` on the front door, period 10 s, timeout 1 s,
//! failure threshold 3, then a restart.
//!
//! The kubelet probes running containers only, and counts from zero in a new one. A container counts as not
//! running if its process is known to be dead, or if both ports refuse and nothing is known of it.
//!
//! The kubelet probes on a ticker; the poll at its tick stands for the probe.
//!
//! Source: Kubernetes, "Configure Liveness, Readiness and Startup Probes".

use std::time::Duration;

use crate::episode::Decider;
use healing_core::decision::{Action, TreatmentReport};
use healing_core::observation::{InvalidAnswer, Now, Observation, ProbeResult};

/// `periodSeconds`.
const PERIOD: Duration = Duration::from_secs(10);
/// `timeoutSeconds`.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Time by which a poll may precede the tick of the kubelet for which it stands.
const TOLERANCE: Duration = Duration::from_secs(1);
/// `failureThreshold`.
const FAILURE_THRESHOLD: u32 = 3;

/// Liveness probe of the [module](self).
#[derive(Debug, Default)]
pub(super) struct Liveness {
    next_probe: Duration,
    failures: u32,
    instance: Option<String>,
}

impl Decider for Liveness {
    fn poll(&mut self, now: Now, observation: &Observation) -> Action {
        if !is_running(observation) {
            self.failures = 0;
            return Action::NoAction;
        }
        if let ProbeResult::Valid(health, _) = &observation.care
            && health.instance_id != self.instance
        {
            self.instance.clone_from(&health.instance_id);
            self.failures = 0;
        }
        if now.monotonic + TOLERANCE < self.next_probe {
            return Action::NoAction;
        }
        while self.next_probe <= now.monotonic + TOLERANCE {
            self.next_probe += PERIOD;
        }
        match is_failure(&observation.front_door) {
            None => {}
            Some(true) => self.failures += 1,
            Some(false) => self.failures = 0,
        }
        if self.failures < FAILURE_THRESHOLD {
            return Action::NoAction;
        }
        self.failures = 0;
        Action::RestartService
    }

    fn report(&mut self, _: Now, treatment: TreatmentReport) {
        if treatment.action == Action::RestartService {
            self.failures = 0;
        }
    }
}

/// Reports if the container runs, as far as the observation shows it.
fn is_running(observation: &Observation) -> bool {
    let both_refuse = matches!(observation.care, ProbeResult::Refused)
        && matches!(observation.front_door, ProbeResult::Refused);
    observation
        .circumstances
        .process_alive
        .unwrap_or(!both_refuse)
}

/// Reports if the probe failed; `None` if it was not made.
fn is_failure(front_door: &ProbeResult<()>) -> Option<bool> {
    match front_door {
        ProbeResult::Valid((), duration) => Some(*duration > TIMEOUT),
        // The kubelet accepts 200 to 399.
        ProbeResult::Invalid(InvalidAnswer::Status(status)) => Some(!(200..400).contains(status)),
        ProbeResult::Invalid(_) | ProbeResult::Refused | ProbeResult::TimedOut => Some(true),
        ProbeResult::NotProbed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::{QUICK, observation};

    /// Returns the seconds at which the probe restarts while it sees these results, polled every 5 s.
    fn restarts(front_doors: &[ProbeResult<()>]) -> Vec<u64> {
        let mut liveness = Liveness::default();
        let mut seconds = Vec::new();
        for (poll, front_door) in (0..).zip(front_doors) {
            let time = Duration::from_secs(5 * poll);
            let now = Now {
                monotonic: time,
                wall: time,
            };
            let observation = Observation {
                sockets: None,
                front_door: front_door.clone(),
                ..observation("a")
            };
            if liveness.poll(now, &observation) == Action::RestartService {
                seconds.push(5 * poll);
            }
        }
        seconds
    }

    #[test]
    fn liveness_restarts_at_third_failed_probe_and_not_before() {
        assert!(restarts(&vec![ProbeResult::TimedOut; 4]).is_empty());
        assert_eq!(restarts(&vec![ProbeResult::TimedOut; 5]), vec![20]);
        assert_eq!(restarts(&vec![ProbeResult::TimedOut; 11]), vec![20, 50]);
    }

    #[test]
    fn liveness_probes_on_a_ticker_despite_early_and_late_polls() {
        let mut liveness = Liveness::default();
        let hung = Observation {
            sockets: None,
            front_door: ProbeResult::TimedOut,
            ..observation("a")
        };
        let mut restarts = Vec::new();
        for millisecond in [
            3, 5001, 9999, 15_004, 20_007, 24_990, 29_980, 40_000, 49_999,
        ] {
            let time = Duration::from_millis(millisecond);
            let now = Now {
                monotonic: time,
                wall: time,
            };
            if liveness.poll(now, &hung) == Action::RestartService {
                restarts.push(millisecond);
            }
        }
        assert_eq!(restarts, [20_007, 49_999]);
    }

    #[test]
    fn liveness_counts_failures_in_a_row() {
        let mut polls = vec![ProbeResult::TimedOut; 4];
        polls.extend(vec![ProbeResult::Valid((), QUICK); 2]);
        polls.extend(vec![ProbeResult::TimedOut; 4]);
        assert!(restarts(&polls).is_empty());
    }

    #[test]
    fn liveness_fails_slow_refused_and_error_answers() {
        for failure in [
            ProbeResult::Valid((), Duration::from_millis(1001)),
            ProbeResult::Invalid(InvalidAnswer::Status(500)),
            ProbeResult::Invalid(InvalidAnswer::Transport),
            ProbeResult::Refused,
        ] {
            assert_eq!(restarts(&vec![failure; 5]), vec![20]);
        }
        for success in [
            ProbeResult::Valid((), Duration::from_secs(1)),
            ProbeResult::Invalid(InvalidAnswer::Status(302)),
            ProbeResult::NotProbed,
        ] {
            assert!(restarts(&vec![success; 20]).is_empty());
        }
    }

    #[test]
    fn liveness_counts_from_zero_in_a_new_instance() {
        let mut liveness = Liveness::default();
        let mut actions = Vec::new();
        for (second, instance) in [(0, "a"), (10, "a"), (20, "b"), (30, "b"), (40, "b")] {
            let time = Duration::from_secs(second);
            let now = Now {
                monotonic: time,
                wall: time,
            };
            let observation = Observation {
                sockets: None,
                front_door: ProbeResult::TimedOut,
                ..observation(instance)
            };
            actions.push(liveness.poll(now, &observation) == Action::RestartService);
        }
        assert_eq!(actions, [false, false, false, false, true]);
    }

    #[test]
    fn liveness_does_not_probe_a_container_that_is_not_running() {
        let restarts = |process_alive| {
            let mut liveness = Liveness::default();
            let mut observation = Observation {
                sockets: None,
                care: ProbeResult::Refused,
                front_door: ProbeResult::Refused,
                ..observation("a")
            };
            observation.circumstances.process_alive = process_alive;
            (0..9)
                .filter(|poll| {
                    let time = Duration::from_secs(10 * poll);
                    let now = Now {
                        monotonic: time,
                        wall: time,
                    };
                    liveness.poll(now, &observation) == Action::RestartService
                })
                .count()
        };
        assert_eq!(restarts(None), 0);
        assert_eq!(restarts(Some(false)), 0);
        assert_eq!(restarts(Some(true)), 3);
    }
}
