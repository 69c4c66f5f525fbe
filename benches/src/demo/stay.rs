//! `--stay`: everything keeps running, to try things by hand, and what happens is still told.

use std::time::{Duration, Instant, SystemTime};

use healing_cli::pod::PodEvent;

use super::doctor::Doctor;
use super::ports::Ports;
use super::stage::Stage;
use super::story::Story;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// A dependency that has ended stays away this long.
const OUTAGE: Duration = Duration::from_secs(10);

/// Until somebody ends it.
pub async fn stay(story: &Story, stage: &mut Stage) {
    let Ports { app, sidecar, .. } = stage.ports;
    story.say(&format!(
        "Everything keeps running, load included; Ctrl-C ends it. Try:\n  \
         curl -X POST http://127.0.0.1:{app}/faults/wedge\n  \
         curl -X POST http://127.0.0.1:{app}/faults/dependency-outage\n  \
         curl http://127.0.0.1:{app}/health\n  \
         curl http://127.0.0.1:{sidecar}/metrics"
    ));
    let doctor = Doctor::of(&stage.state_directory());
    let (mut told_at, mut told) = (SystemTime::now(), None);
    let mut looked = Instant::now();
    let mut ended: Option<Instant> = None;
    loop {
        tokio::time::sleep(LOOK).await;
        for entry in doctor.since(told_at) {
            told_at = entry.at + Duration::from_millis(1); // as finely as the journal tells time
            let headline = entry.headline();
            if entry.proposes() && headline != told {
                story.tell(&format!("the doctor: “{}”", entry.sentence()));
            }
            told = headline;
            if let Some(outcome) = entry.outcome() {
                story.tell(&format!("the doctor judges its treatment: {outcome}"));
            }
        }
        for (at, event) in stage.events_since(looked) {
            looked = at + Duration::from_nanos(1);
            if let Some(line) = line(&event) {
                story.tell(&line);
            }
        }
        match ended {
            None if stage.dependency_ended() => {
                ended = Some(Instant::now());
                story.tell(&format!(
                    "the dependency has ended; it comes back in {OUTAGE:?}"
                ));
            }
            Some(since) if since.elapsed() >= OUTAGE => {
                ended = None;
                match stage.revive_dependency() {
                    Ok(()) => story.tell("the dependency is started again"),
                    Err(error) => story.wrong(&format!("the dependency: {error}")),
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
        } => {
            let how = match (code, signal) {
                (Some(code), _) => format!("exits {code}"),
                (None, Some(signal)) => format!("is ended by signal {signal}"),
                (None, None) => "ends".to_owned(),
            };
            Some(format!("the {} {how}", role.as_str()))
        }
        PodEvent::BackOff { role, delay } if !delay.is_zero() => Some(format!(
            "the pod waits {delay:?} before it starts the {}",
            role.as_str()
        )),
        _ => None,
    }
}
