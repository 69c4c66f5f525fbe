//! Replay of a recording through a policy.

use std::fmt;
use std::time::Duration;

use healing_core::config::PolicyConfig;
use healing_core::decision::{Action, Reason, TreatmentReport, TreatmentResult};
use healing_core::policy::{Policy, Proposer};

use super::completion::Detail;
use super::recording::{Phase, Recording};

/// Treatments that a policy decided on in a replay.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replay {
    /// Treatments in the order of their time.
    pub treatments: Vec<Treated>,
}

/// Treatment that the policy allowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Treated {
    /// Time since the fault, in seconds; negative before it.
    pub seconds: f64,
    /// Treatment.
    pub action: Action,
    /// Evidence for it.
    pub reason: Reason,
}

/// Returns the policy that a sidecar has by default: the rules, default settings and no knowledge. The seed
/// gives its random delays.
#[must_use]
pub fn default_policy(seed: u64) -> Policy {
    Policy::new(PolicyConfig::default(), Proposer::Rules, seed)
}

/// Returns the [`default_policy`] without its random delays (`splay` and `jitter`). A delay can move a
/// restart beyond the end of a recording, so that other random numbers would look like other decisions.
#[must_use]
pub fn undelayed_policy() -> Policy {
    Policy::new(undelayed_config(), Proposer::Rules, 0)
}

/// Returns the [`undelayed_policy`] of an operator who has declared the time-out of the recorded clients.
#[must_use]
pub fn declared_policy(recording: &Recording) -> Policy {
    let mut config = undelayed_config();
    let timeout = Duration::try_from_secs_f64(recording.case.client_timeout_seconds);
    config.impairment.client_timeout = timeout.ok();
    Policy::new(config, Proposer::Rules, 0)
}

fn undelayed_config() -> PolicyConfig {
    let mut config = PolicyConfig::default();
    config.permission.splay = Duration::ZERO;
    config.permission.jitter = 0.0;
    config
}

/// Replays a recording through a policy that knows nothing yet.
///
/// The policy polls each 5 s in enforce mode, as a sidecar that cannot see the app's process, and gets the
/// figures that `detail` selects. Every allowed
/// treatment is reported as carried out at once, and the recording goes on unchanged, as if the treatment
/// had no effect: nothing was healed while the recordings were made. The policy so concludes that the
/// treatment was ineffective, and goes on to its next step.
///
/// # Hazards
///
/// - Only decisions up to the first restart are evidence: after it a real app would be another process
///   with other figures. [`Wanted::OneRestart`](super::Wanted::OneRestart) alone counts the later ones.
/// - `error_count` does not fall after a replayed soft heal, as it would in an app.
/// - Three runs contain restarts by the recorder ([`Fault::name`](super::Fault::name) `restart`).
#[must_use]
pub fn replay(mut policy: Policy, recording: &Recording, phase: Phase, detail: Detail) -> Replay {
    let mut treatments = Vec::new();
    for poll in recording.polls(phase, detail) {
        let decision = policy.step(poll.now, &poll.observation);
        let action = decision.action;
        if action == Action::NoAction {
            continue;
        }
        treatments.push(Treated {
            seconds: poll.sample.seconds - recording.case.fault_seconds,
            action,
            reason: decision.reason,
        });
        for result in [TreatmentResult::Started, TreatmentResult::Done] {
            policy.report_treatment(poll.now, TreatmentReport { action, result });
        }
    }
    Replay { treatments }
}

// === impl Replay ===

impl Replay {
    /// Returns the first soft heal.
    #[must_use]
    pub fn first_soft_heal(&self) -> Option<&Treated> {
        self.of(Action::ResetErrors).next()
    }

    /// Returns the first restart.
    #[must_use]
    pub fn first_restart(&self) -> Option<&Treated> {
        self.restarts().next()
    }

    /// Returns all restarts.
    pub fn restarts(&self) -> impl Iterator<Item = &Treated> {
        self.of(Action::RestartService)
    }

    fn of(&self, action: Action) -> impl Iterator<Item = &Treated> {
        self.treatments
            .iter()
            .filter(move |treated| treated.action == action)
    }
}

impl fmt::Display for Replay {
    /// Writes the first soft heal and the first restart, each with its time after the fault and its reason;
    /// `-` for neither.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let treatments = [self.first_soft_heal(), self.first_restart()];
        let texts: Vec<String> = treatments
            .into_iter()
            .flatten()
            .map(Treated::to_string)
            .collect();
        f.write_str(if texts.is_empty() { "-" } else { "" })?;
        f.write_str(&texts.join(" "))
    }
}

impl fmt::Display for Treated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.action {
            Action::NoAction => "none",
            Action::ResetErrors => "soft",
            Action::RestartService => "restart",
        };
        write!(f, "{name}{:+.0} {}", self.seconds, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recordings::RecordedCase;

    /// Returns a recording with one sample a second from 0: answers up to `hang`, then time-outs.
    fn hanging_from(hang: u32, end: u32) -> Recording {
        let case = br#"{"name": "x", "base": 30, "phases": [], "timeout": 1, "faults": []}"#;
        let lines: String = (0..end)
            .map(|t| {
                let probes = if t < hang {
                    format!(
                        r#""care": 200, "care_s": 0.0, "front": [{t}, 200, 0.0],
                           "h": {{"uptime": {t}, "started": true, "requests_total": {t}}}"#
                    )
                    .replace('\n', " ")
                } else {
                    format!(r#""care": "timeout", "care_s": 1.0, "front": [{t}, "timeout", 2.0]"#)
                };
                format!("{{\"t\": {t}, {probes}}}\n")
            })
            .collect();
        Recording::parse(
            "a",
            RecordedCase::parse(case).unwrap(),
            "a/x/rec.jsonl",
            &lines,
        )
        .unwrap()
    }

    #[test]
    fn hang_is_restarted_after_its_timeout() {
        for phase in Phase::ALL {
            let replay = replay(
                undelayed_policy(),
                &hanging_from(30, 60),
                phase,
                Detail::Recorded,
            );
            let restart = replay.first_restart().unwrap();
            assert_eq!(restart.reason, Reason::Unresponsive);
            assert_eq!(restart.seconds, 10.0 + f64::from(phase.second()));
            assert_eq!(replay.first_soft_heal(), None);
        }
    }

    #[test]
    fn restart_is_reported_as_carried_out() {
        let replay = replay(
            undelayed_policy(),
            &hanging_from(30, 120),
            Phase::ALL[0],
            Detail::Recorded,
        );
        let seconds: Vec<f64> = replay.restarts().map(|restart| restart.seconds).collect();
        assert!(seconds.len() <= 2, "the cooldown holds: {seconds:?}");
        assert_eq!(replay.to_string(), "restart+10 unresponsive");
    }

    #[test]
    fn healthy_recording_has_no_treatment() {
        let replay = replay(
            undelayed_policy(),
            &hanging_from(60, 60),
            Phase::ALL[0],
            Detail::Recorded,
        );
        assert_eq!(
            (replay.treatments.len(), replay.to_string().as_str()),
            (0, "-")
        );
    }
}
