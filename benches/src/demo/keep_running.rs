//! `--stay`: all processes keep running for manual experiments, and events are still reported.

use std::time::{Duration, Instant, SystemTime};

use healing_cli::pod::PodEvent;

use super::ports::Ports;
use super::reporter::Reporter;
use super::scenario_error::exit;
use super::testbed::Testbed;
use crate::journal::JournalReader;

/// Interval between two polls of journal and pod.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Time between the exit of the dependency and its restart.
const OUTAGE: Duration = Duration::from_secs(10);

/// Reports events until the demo is interrupted.
pub async fn keep_running(reporter: &Reporter, testbed: &mut Testbed) {
    let Ports { app, sidecar, .. } = testbed.ports;
    reporter.line(&format!(
        "App, sidecar and load keep running until Ctrl-C. Try:\n  \
         curl -X POST http://127.0.0.1:{app}/faults/wedge\n  \
         curl -X POST http://127.0.0.1:{app}/faults/dependency-outage\n  \
         curl http://127.0.0.1:{app}/health\n  \
         curl http://127.0.0.1:{sidecar}/metrics"
    ));
    let journal = JournalReader::new(&testbed.state_directory());
    let (mut next_entry_at, mut last_headline) = (SystemTime::now(), None);
    let mut next_event_at = Instant::now();
    let mut dependency_exited: Option<Instant> = None;
    loop {
        tokio::time::sleep(POLL_INTERVAL).await;
        for entry in journal.since(next_entry_at) {
            next_entry_at = entry.at + Duration::from_millis(1); // the resolution of the journal
            let headline = entry.headline();
            if entry.proposes() && headline != last_headline {
                reporter.event(&format!("the doctor: “{}”", entry.explanation()));
            }
            last_headline = headline;
            if let Some(outcome) = entry.outcome() {
                reporter.event(&format!("outcome of the treatment: {outcome}"));
            }
        }
        for (at, event) in testbed.events_since(next_event_at) {
            next_event_at = at + Duration::from_nanos(1);
            if let Some(line) = line(&event) {
                reporter.event(&line);
            }
        }
        match dependency_exited {
            None if testbed.dependency_exited() => {
                dependency_exited = Some(Instant::now());
                reporter.event(&format!(
                    "the dependency has exited; it is started again in {OUTAGE:?}"
                ));
            }
            Some(since) if since.elapsed() >= OUTAGE => {
                dependency_exited = None;
                match testbed.restart_dependency() {
                    Ok(()) => reporter.event("the dependency is started again"),
                    Err(error) => reporter.failure(&format!("the dependency: {error}")),
                }
            }
            _ => {}
        }
    }
}

fn line(event: &PodEvent) -> Option<String> {
    match event {
        PodEvent::Started { role, pid, .. } => Some(format!(
            "the pod starts the {}: process {pid}",
            role.as_str()
        )),
        PodEvent::Exited {
            role, code, signal, ..
        } => Some(format!("the {} {}", role.as_str(), exit(*code, *signal))),
        PodEvent::BackOff { role, delay } if !delay.is_zero() => Some(format!(
            "the pod waits {delay:?} before it starts the {}",
            role.as_str()
        )),
        _ => None,
    }
}
