//! Record of the doctor's work in journal, metrics, log and status page.

mod entry;
mod journal;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use healing_core::decision::{
    Action, Conclusion, Decision, Lane, ModelRecord, Outcome, Reason, Verdict,
};
use healing_core::impairment::Assessment;
use healing_core::observation::{Observation, ProbeResult};
use serde::Serialize;
use serde_json::json;
use tokio::time::Instant;

pub(crate) use self::entry::ObservationEntry;
use self::journal::Journal;
use crate::app_client::OutOfRange;
use crate::sockets::Unreadable;
use crate::status::{Metrics, Shared};

/// Interval of the summaries in the journal.
const SUMMARY_INTERVAL: Duration = Duration::from_secs(60);

/// Result of one poll of the app.
#[derive(Debug)]
pub(crate) struct PollReport {
    pub(crate) observation: Observation,
    /// Figure that made the report of the care port invalid.
    pub(crate) out_of_range: Option<OutOfRange>,
    /// Reason why the sockets could not be read.
    pub(crate) unreadable: Option<Unreadable>,
    /// Duration of the poll.
    pub(crate) took: Duration,
}

/// Writer of journal, metrics, log and status page.
#[derive(Debug)]
pub(crate) struct Recorder {
    journal: Journal,
    shared: Arc<Shared>,
    last: Option<Headline>,
    /// Result of the last read of the sockets. `None` before the first.
    last_read: Option<Option<Unreadable>>,
    summary: Summary,
}

/// Part of a decision whose change is recorded.
#[derive(Debug, PartialEq, Eq)]
struct Headline {
    proposed: Action,
    verdict: Verdict,
    reason: Reason,
    invalid_field: Option<String>,
}

/// Counts since the last summary.
#[derive(Debug, Default)]
struct Summary {
    begin: Option<Instant>,
    polls: u64,
    no_proposal: u64,
    vetoed: u64,
}

impl Recorder {
    pub(crate) fn new(dir: &Path, shared: Arc<Shared>) -> Self {
        Self {
            journal: Journal::new(dir),
            shared,
            last: None,
            last_read: None,
            summary: Summary::default(),
        }
    }

    /// Records a decision and the poll that it is based on. `explain` is called if the decision gets
    /// a journal entry, which is the case for each proposal and each changed headline.
    pub(crate) fn decision(
        &mut self,
        poll: &PollReport,
        decision: &Decision,
        explain: impl FnOnce() -> String,
    ) {
        count(&self.shared.metrics, poll, decision);
        self.read_of_sockets(poll.unreadable);
        if let Some(conclusion) = &decision.concluded {
            self.outcome(conclusion);
        }
        let changed = self.is_change(poll, decision);
        if changed || decision.verdict != Verdict::NoProposal {
            let explanation = explain();
            if changed {
                log(decision, &explanation, poll.out_of_range.as_ref());
            }
            // The decision contains the features. The whole report is recorded only if the headline changed.
            let observation = changed.then(|| ObservationEntry::new(poll));
            let entry = json!({
                "decision": decision,
                "explanation": explanation,
                "observation": observation,
            });
            self.note("decision", &entry);
            let mut view = self.shared.view();
            view.last_decision = Some(explanation);
            if decision.verdict != Verdict::NoProposal {
                view.last_remarkable = Some(entry);
            }
        }
        self.summarise(decision);
        self.show(poll, decision);
    }

    /// Writes a journal entry. A lost entry is counted.
    pub(crate) fn note(&mut self, kind: &str, content: &impl Serialize) {
        if !self.journal.write(kind, content) {
            self.shared.metrics.journal_errors.inc();
        }
        self.shared.view().recent = self.journal.recent();
    }

    /// Forces the journal to disk.
    pub(crate) fn sync(&mut self) {
        self.journal.sync();
    }

    /// Logs that the sockets can be read, or cannot, if that changed.
    fn read_of_sockets(&mut self, unreadable: Option<Unreadable>) {
        if self.last_read.replace(unreadable) == Some(unreadable) {
            return;
        }
        match unreadable {
            None => tracing::info!("the app's sockets are read"),
            Some(error) => tracing::warn!(
                %error,
                "the app's sockets cannot be read, so requests that it has not accepted are not seen"
            ),
        }
    }

    fn is_change(&mut self, poll: &PollReport, decision: &Decision) -> bool {
        let headline = Headline {
            proposed: decision.proposed,
            verdict: decision.verdict,
            reason: decision.reason,
            invalid_field: poll.out_of_range.as_ref().map(|range| range.field.clone()),
        };
        let changed = self.last.as_ref() != Some(&headline);
        self.last = Some(headline);
        changed
    }

    fn outcome(&mut self, conclusion: &Conclusion) {
        let kind = kind(conclusion.action);
        let outcome = conclusion.outcome.as_str();
        let metrics = &self.shared.metrics;
        metrics.heals.with_label_values(&[kind, outcome]).inc();
        if conclusion.outcome == Outcome::Recovered {
            metrics.observe_recovery(kind, conclusion.recovery);
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

    /// Counts the decision, and writes a summary if one is due, so that times without proposals are
    /// recorded too.
    fn summarise(&mut self, decision: &Decision) {
        let summary = &mut self.summary;
        summary.polls += 1;
        match decision.verdict {
            Verdict::NoProposal => summary.no_proposal += 1,
            Verdict::Vetoed => summary.vetoed += 1,
            Verdict::Allowed => {}
        }
        let begin = *summary.begin.get_or_insert_with(Instant::now);
        if begin.elapsed() < SUMMARY_INTERVAL {
            return;
        }
        let entry = json!({
            "polls": summary.polls,
            "no_proposal": summary.no_proposal,
            "vetoed": summary.vetoed,
            "seconds": begin.elapsed().as_secs_f64(),
            "lane": decision.lane,
            "reason": decision.reason,
            "features": decision.features,
            "impairment": impairment(decision),
            "model": decision.model,
        });
        *summary = Summary {
            begin: Some(Instant::now()),
            ..Summary::default()
        };
        self.note("summary", &entry);
    }

    fn show(&self, poll: &PollReport, decision: &Decision) {
        let observation = &poll.observation;
        let mut view = self.shared.view();
        view.lane = Some(decision.lane.as_str());
        view.budget_remaining = Some(decision.budget_remaining);
        view.sockets = observation.sockets;
        view.impairment = impairment(decision).copied();
        view.sockets_unreadable = poll.unreadable.map(|error| error.to_string());
        if let Some(record) = &decision.model {
            let status = view.model.get_or_insert_default();
            status.add(record, SystemTime::now());
        }
        if let ProbeResult::Valid(health, _) = &observation.care {
            view.instance_id.clone_from(&health.instance_id);
            view.app_status = serde_json::to_value(health.status).ok();
        } else {
            view.app_status = None;
        }
    }
}

/// Returns the impairment at the poll. `None` if the app did not report: the figures of a decision are then
/// those of its latest report.
fn impairment(decision: &Decision) -> Option<&Assessment> {
    (decision.lane == Lane::Reported).then_some(&decision.impairment)
}

fn log(decision: &Decision, explanation: &str, out_of_range: Option<&OutOfRange>) {
    tracing::info!(
        lane = decision.lane.as_str(),
        proposed = decision.proposed.as_str(),
        verdict = decision.verdict.as_str(),
        reason = decision.reason.as_str(),
        %explanation,
        "decision"
    );
    if let Some(OutOfRange {
        field,
        value,
        expected,
    }) = out_of_range
    {
        tracing::warn!(field, value, expected, "the report of /health is invalid");
    }
}

fn count(metrics: &Metrics, poll: &PollReport, decision: &Decision) {
    metrics.poll_duration.observe(poll.took.as_secs_f64());
    let result = if poll.observation.circumstances.late {
        "late"
    } else {
        decision.lane.as_str()
    };
    metrics.polls.with_label_values(&[result]).inc();
    metrics.set_sockets(poll.observation.sockets.as_ref());
    metrics.set_impairment(impairment(decision));
    metrics
        .decisions
        .with_label_values(&[decision.proposed.as_str(), decision.verdict.as_str()])
        .inc();
    for veto in decision.vetoes.iter() {
        metrics.vetoes.with_label_values(&[veto.as_str()]).inc();
    }
    metrics.budget.set(i64::from(decision.budget_remaining));
    // A figure without a value has no series. Otherwise it would keep its last value.
    metrics.probability.reset();
    if let Some(probabilities) = decision.probabilities {
        for (action, probability) in Action::ALL.into_iter().zip(probabilities) {
            metrics
                .probability
                .with_label_values(&[action.as_str()])
                .set(probability);
        }
    }
    if let Some(record) = &decision.model {
        count_model(metrics, record);
    }
    metrics.feature.reset();
    for (feature, value) in decision.features.iter() {
        metrics
            .feature
            .with_label_values(&[feature.name()])
            .set(f64::from(value));
    }
}

fn count_model(metrics: &Metrics, record: &ModelRecord) {
    match record.abstained {
        None => metrics.model_votes.inc(),
        Some(reason) => {
            let reason = [reason.as_str()];
            metrics.model_abstained.with_label_values(&reason).inc();
        }
    }
    for (counter, features) in [
        (&metrics.model_clamped, record.clamped),
        (&metrics.model_absent, record.absent),
    ] {
        for feature in features.iter() {
            counter.with_label_values(&[feature.name()]).inc();
        }
    }
}

/// Returns the label value of `healing_heals_total{kind}`.
fn kind(action: Action) -> &'static str {
    match action {
        Action::NoAction => "none",
        Action::ResetErrors => "soft",
        Action::RestartService => "hard",
    }
}

#[cfg(test)]
mod tests;
