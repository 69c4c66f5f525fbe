//! State of a running scenario: the fault, the doctor's reaction, and the results of the clients.

use std::time::{Duration, Instant, SystemTime};

use healing_cli::pod::{PodEvent, Role};

use super::report::ScenarioResult;
use super::reporter::Reporter;
use super::scenario_error::ScenarioError;
use super::testbed::Testbed;
use super::wait::{WaitTimeout, wait_for};
use crate::journal::{Entry, JournalReader};

/// Expected result of a scenario.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// Name of the fault in table and JSON.
    pub fault: &'static str,
    /// Action that is carried out.
    pub action: &'static str,
    /// Reason code of the veto, if a proposal is vetoed.
    pub veto: Option<&'static str>,
    /// Exit code of the sidecar, if it exits.
    pub sidecar_exit: Option<i32>,
}

impl Expected {
    fn new_process(&self) -> bool {
        self.action == "restart_service"
    }
}

/// State of a running scenario.
#[derive(Debug)]
pub struct ScenarioRun<'a> {
    /// All running processes.
    pub testbed: &'a mut Testbed,
    /// Output of the demo.
    pub reporter: &'a Reporter,
    /// Journal of the sidecar.
    pub journal: JournalReader,
    expected: Expected,
    started: Instant,
    started_at: SystemTime,
    pid_before: u32,
    detected: Option<Duration>,
    recovered: Option<Duration>,
    failed_outside_load: u64,
}

impl<'a> ScenarioRun<'a> {
    /// Starts the clock without injecting a fault.
    pub fn start(testbed: &'a mut Testbed, reporter: &'a Reporter, expected: Expected) -> Self {
        let journal = JournalReader::new(&testbed.state_directory());
        let pid_before = testbed.app_pid().unwrap_or(0);
        Self {
            testbed,
            reporter,
            journal,
            expected,
            started: Instant::now(),
            started_at: SystemTime::now(),
            pid_before,
            detected: None,
            recovered: None,
            failed_outside_load: 0,
        }
    }

    /// Switches the fault on and restarts the clock.
    ///
    /// # Errors
    ///
    /// Returns an error if the app refused or did not respond.
    pub async fn inject(&mut self) -> Result<(), ScenarioError> {
        self.restart_clock();
        let path = format!("/faults/{}", self.expected.fault);
        let request = format!("POST {path}");
        match self.testbed.post(&path).await {
            Ok((200, _)) => {
                self.reporter.event(&request);
                Ok(())
            }
            Ok((status, body)) => Err(ScenarioError::HttpStatus {
                request,
                expected: 200,
                status,
                body,
            }),
            Err(error) => Err(ScenarioError::Request { request, error }),
        }
    }

    /// Restarts the clock. Earlier times and observations do not count.
    pub fn restart_clock(&mut self) {
        self.started = Instant::now();
        self.started_at = SystemTime::now();
    }

    /// Adds failed requests that the scenario itself made, outside the load.
    pub fn add_failed_requests(&mut self, requests: u64) {
        self.failed_outside_load += requests;
    }

    /// Returns the time at which the clock was started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Returns the sidecar's journal entries since the start of the clock.
    pub fn entries(&self) -> Vec<Entry> {
        self.journal.since(self.started_at)
    }

    /// Waits for the doctor's first matching decision and reports it.
    ///
    /// # Errors
    ///
    /// Returns an error if the decision does not arrive before the timeout.
    pub async fn wait_for_detection(
        &mut self,
        what: &str,
        matches: impl Fn(&Entry) -> bool,
    ) -> Result<(), WaitTimeout> {
        let (journal, started_at) = (self.journal.clone(), self.started_at);
        let entry = wait_for(what, DETECTION, async || {
            let entries = journal.since(started_at);
            entries.into_iter().find(|entry| matches(entry))
        })
        .await?;
        let detected = entry.at.duration_since(self.started_at).unwrap_or_default();
        self.detected = Some(detected);
        self.reporter.event(&format!(
            "the doctor, {} after the fault: “{}”",
            format_seconds(detected),
            entry.explanation()
        ));
        Ok(())
    }

    /// Waits until all requests of the load succeed again and reports it.
    ///
    /// # Errors
    ///
    /// Returns an error if requests still fail at the timeout.
    pub async fn wait_for_recovery(&mut self) -> Result<Instant, WaitTimeout> {
        let (load, started) = (&self.testbed.load, self.started);
        let recovered = wait_for("clients being served again", RECOVERY, async || {
            load.recovered_since(started)
        })
        .await?;
        let summary = self.testbed.load.summary_since(self.started);
        self.record_recovery(
            recovered,
            &format!(
                "all requests succeed again ({} of {} failed)",
                summary.failed, summary.requests
            ),
        );
        Ok(recovered)
    }

    /// Records and reports the time of recovery. `what` describes how it was recognised.
    pub fn record_recovery(&mut self, moment: Instant, what: &str) {
        // If a fault affects one request in four, the last failure may precede the heal.
        let recovered = moment
            .duration_since(self.started)
            .max(self.detected.unwrap_or_default());
        self.recovered = Some(recovered);
        self.reporter.event(&format!(
            "{what}, {} after the fault",
            format_seconds(recovered)
        ));
    }

    /// Waits for the outcome of the treatment.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no outcome at the timeout, or it is not `recovered`.
    pub async fn wait_for_outcome(&mut self) -> Result<(), ScenarioError> {
        let (journal, started_at) = (self.journal.clone(), self.started_at);
        let outcome = wait_for("the outcome of the treatment", OUTCOME, async || {
            let entries = journal.since(started_at);
            entries.into_iter().find_map(|entry| entry.outcome())
        })
        .await?;
        if outcome != "recovered" {
            return Err(ScenarioError::NotVerified(outcome));
        }
        self.reporter.event("verified by the doctor: recovered");
        Ok(())
    }

    /// Compares the observations with the expected result, and reports the differences.
    pub async fn finish(self, result: Result<(), ScenarioError>) -> ScenarioResult {
        let entries = self.entries();
        let done = |action: &str| entries.iter().any(|entry| entry.carried_out(action));
        let action = ["restart_service", "reset_errors"]
            .into_iter()
            .find(|action| done(action))
            .unwrap_or("no_action");
        let veto = (action == "no_action")
            .then(|| entries.iter().find_map(Entry::veto))
            .flatten();
        let events = self.testbed.events_since(self.started);
        let sidecar_exit = events.iter().find_map(|(_, event)| match event {
            PodEvent::Exited {
                role: Role::Sidecar,
                code,
                signal,
                ..
            } => code.or(signal.map(|signal| 128 + signal)),
            _ => None,
        });
        let pid_after = self.testbed.app_pid().unwrap_or(0);
        let model = self.testbed.model_votes().await.unwrap_or_default();
        let failed = self.testbed.load.summary_since(self.started).failed;

        let expected = self.expected;
        let (before, after) = (self.pid_before, pid_after);
        let is_new = after != before && after != 0;
        let mut problems: Vec<ScenarioError> = result.err().into_iter().collect();
        if action != expected.action {
            problems.push(ScenarioError::Action {
                expected: expected.action,
                observed: action,
            });
        }
        if veto.as_deref() != expected.veto {
            problems.push(ScenarioError::Veto {
                expected: expected.veto,
                observed: veto.clone(),
            });
        }
        if sidecar_exit != expected.sidecar_exit {
            problems.push(ScenarioError::SidecarExit {
                expected: expected.sidecar_exit,
                observed: sidecar_exit,
            });
        }
        match (expected.new_process(), is_new) {
            (true, false) => problems.push(ScenarioError::SameProcess { before, after }),
            (false, true) => problems.push(ScenarioError::NewProcess { before, after }),
            (true, true) | (false, false) => {}
        }

        for problem in &problems {
            self.reporter.failure(&problem.to_string());
        }
        if problems.is_empty() {
            let process = if is_new { "new" } else { "same" };
            self.reporter.success(&format!(
                "as expected: {action}, {process} process {pid_after}"
            ));
        }
        let ms = |time: Option<Duration>| {
            time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
        };
        ScenarioResult {
            fault: expected.fault.to_owned(),
            action: action.to_owned(),
            veto,
            sidecar_exit,
            detected_ms: ms(self.detected),
            recovered_ms: ms(self.recovered),
            failed_requests: self.failed_outside_load + u64::try_from(failed).unwrap_or(u64::MAX),
            pid_before: self.pid_before,
            pid_after,
            model,
            ok: problems.is_empty(),
        }
    }
}

/// Timeout of the detection, which allows for a busy machine, as the following ones.
const DETECTION: Duration = Duration::from_secs(30);
/// Timeout of the recovery.
const RECOVERY: Duration = Duration::from_secs(30);
const OUTCOME: Duration = Duration::from_secs(40);

/// Formats a duration for the report, in seconds.
pub fn format_seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
