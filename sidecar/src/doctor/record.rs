//! What is kept of a decision: metrics, journal, log, and the present state for the status page.

use std::time::Duration;

use healing_core::decision::{Action, Conclusion, Decision, Reason, Verdict};
use healing_core::health::Health;
use healing_core::observation::{InvalidAnswer, Observation, ProbeResult};
use serde::Serialize;
use serde_json::json;
use tokio::time::Instant;

use super::patient::Doctor;

/// Between summaries of quiet polls.
const SUMMARY: Duration = Duration::from_secs(60);

/// What is remembered from one decision to the next.
#[derive(Debug, Default)]
pub(super) struct Record {
    last: Option<Headline>,
    polls: u64,
    quiet: u64,
    vetoed: u64,
    summarised: Option<Instant>,
}

/// Two decisions with the same headline say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Headline {
    proposed: Action,
    verdict: Verdict,
    reason: Reason,
}

/// An observation as the journal has it.
#[derive(Debug, Serialize)]
pub(super) struct Seen<'a> {
    care: Said<'a, Health>,
    front_door: Said<'a, ()>,
    paused: bool,
    state_writable: bool,
}

#[derive(Debug, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
enum Said<'a, T> {
    Valid {
        seconds: f64,
        #[serde(skip_serializing_if = "is_unit")]
        health: &'a T,
    },
    Invalid {
        why: String,
    },
    Refused,
    TimedOut,
    NotProbed,
}

impl Doctor {
    pub(super) fn record_decision(
        &mut self,
        observation: &Observation,
        decision: &Decision,
        took: Duration,
    ) {
        self.count(decision, took);
        if let Some(conclusion) = &decision.concluded {
            self.conclude(conclusion);
        }
        let headline = Headline {
            proposed: decision.proposed,
            verdict: decision.verdict,
            reason: decision.reason,
        };
        let changed = self.record.last.replace(headline) != Some(headline);
        if changed || decision.verdict != Verdict::NoProposal {
            let explanation = self.policy.explain(decision).to_string();
            if changed {
                tracing::info!(
                    lane = decision.lane.as_str(),
                    proposed = decision.proposed.as_str(),
                    verdict = decision.verdict.as_str(),
                    reason = decision.reason.as_str(),
                    %explanation,
                    "decision"
                );
            }
            // What repeats is in the features; the whole answer is kept where something changed.
            let seen = changed.then(|| Seen::new(observation));
            let entry = json!({
                "decision": decision,
                "explanation": explanation,
                "observation": seen,
            });
            self.note("decision", &entry);
            let mut view = self.shared.view();
            view.last_decision = Some(explanation);
            if decision.verdict != Verdict::NoProposal {
                view.last_remarkable = Some(entry);
            }
        }
        self.summarise(decision);
        self.show(observation, decision);
    }

    fn count(&mut self, decision: &Decision, took: Duration) {
        let metrics = &self.shared.metrics;
        metrics.poll_duration.observe(took.as_secs_f64());
        metrics
            .polls
            .with_label_values(&[decision.lane.as_str()])
            .inc();
        metrics
            .decisions
            .with_label_values(&[decision.proposed.as_str(), decision.verdict.as_str()])
            .inc();
        for veto in decision.vetoes.iter() {
            metrics.vetoes.with_label_values(&[veto.as_str()]).inc();
        }
        metrics.budget.set(i64::from(decision.budget_remaining));
        // Absent is no series: a figure that could not be read must not go on with its last value.
        metrics.probability.reset();
        if let Some(probabilities) = decision.probabilities {
            for (action, probability) in Action::ALL.into_iter().zip(probabilities) {
                metrics
                    .probability
                    .with_label_values(&[action.as_str()])
                    .set(probability);
            }
        }
        metrics.feature.reset();
        for (feature, value) in decision.features.iter() {
            metrics
                .feature
                .with_label_values(&[feature.name()])
                .set(f64::from(value));
        }
        self.record.polls += 1;
        match decision.verdict {
            Verdict::NoProposal => self.record.quiet += 1,
            Verdict::Vetoed => self.record.vetoed += 1,
            Verdict::Allowed => {}
        }
    }

    fn conclude(&mut self, conclusion: &Conclusion) {
        let kind = kind(conclusion.action);
        let outcome = conclusion.outcome.as_str();
        let metrics = &self.shared.metrics;
        metrics.heals.with_label_values(&[kind, outcome]).inc();
        if conclusion.outcome == healing_core::decision::Outcome::Recovered {
            metrics.recovered_after(kind, conclusion.recovery);
        }
        tracing::info!(kind, outcome, recovery = ?conclusion.recovery, "outcome");
        self.note(
            "outcome",
            &json!({
                "action": conclusion.action,
                "outcome": conclusion.outcome,
                "recovery_seconds": conclusion.recovery.as_secs_f64(),
            }),
        );
    }

    /// Quiet leaves a trace too: that the doctor looked, and what it saw last.
    fn summarise(&mut self, decision: &Decision) {
        let begin = *self.record.summarised.get_or_insert_with(Instant::now);
        if begin.elapsed() < SUMMARY {
            return;
        }
        let entry = json!({
            "polls": self.record.polls,
            "quiet": self.record.quiet,
            "vetoed": self.record.vetoed,
            "seconds": begin.elapsed().as_secs_f64(),
            "lane": decision.lane,
            "reason": decision.reason,
            "features": decision.features,
        });
        self.note("summary", &entry);
        self.record.summarised = Some(Instant::now());
        (self.record.polls, self.record.quiet, self.record.vetoed) = (0, 0, 0);
    }

    fn show(&self, observation: &Observation, decision: &Decision) {
        let mut view = self.shared.view();
        view.lane = Some(decision.lane.as_str());
        view.budget_remaining = Some(decision.budget_remaining);
        if let ProbeResult::Valid(health, _) = &observation.care {
            view.instance_id.clone_from(&health.instance_id);
            view.app_status = serde_json::to_value(health.status).ok();
        } else {
            view.app_status = None;
        }
    }
}

/// The word in `healing_heals_total{kind}`.
fn kind(action: Action) -> &'static str {
    match action {
        Action::NoAction => "none",
        Action::ResetErrors => "soft",
        Action::RestartService => "hard",
    }
}

impl<'a> Seen<'a> {
    pub(super) fn new(observation: &'a Observation) -> Self {
        Self {
            care: said(&observation.care),
            front_door: said(&observation.front_door),
            paused: observation.circumstances.paused,
            state_writable: observation.circumstances.state_writable,
        }
    }
}

fn said<T>(answer: &ProbeResult<T>) -> Said<'_, T> {
    match answer {
        ProbeResult::Valid(health, took) => Said::Valid {
            seconds: took.as_secs_f64(),
            health,
        },
        ProbeResult::Invalid(why) => Said::Invalid {
            why: match why {
                InvalidAnswer::Status(status) => format!("status {status}"),
                InvalidAnswer::TooLarge => "too large".to_owned(),
                InvalidAnswer::Malformed => "malformed".to_owned(),
                InvalidAnswer::OutOfRange => "out of range".to_owned(),
                InvalidAnswer::Transport => "not HTTP, or the connection broke".to_owned(),
            },
        },
        ProbeResult::Refused => Said::Refused,
        ProbeResult::TimedOut => Said::TimedOut,
        ProbeResult::NotProbed => Said::NotProbed,
    }
}

/// The front door's answer has no content.
fn is_unit<T>(_: &&T) -> bool {
    size_of::<T>() == 0
}
