//! One step under way: a fault, what the doctor does about it, and what clients see.

use std::time::{Duration, Instant, SystemTime};

use healing_cli::pod::{PodEvent, Role};

use super::doctor::{Doctor, Entry};
use super::report::Step;
use super::stage::Stage;
use super::story::Story;
use super::wait::{NotSeen, until};

/// What a step must come to.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// The fault's name in table and JSON.
    pub fault: &'static str,
    /// What is done.
    pub action: &'static str,
    /// Why nothing is, where something was proposed.
    pub veto: Option<&'static str>,
    /// How the sidecar ends, where it does.
    pub sidecar_exit: Option<i32>,
}

impl Told {
    fn new_process(&self) -> bool {
        self.action == "restart_service"
    }
}

/// A step under way.
#[derive(Debug)]
pub struct Case<'a> {
    /// Everything that runs.
    pub stage: &'a mut Stage,
    /// The teller.
    pub story: &'a Story,
    /// What the sidecar writes down.
    pub doctor: Doctor,
    told: Told,
    began: Instant,
    began_at: SystemTime,
    pid_before: u32,
    detected: Option<Duration>,
    recovered: Option<Duration>,
    failed_beside_load: u64,
}

impl<'a> Case<'a> {
    /// Begins now, with the app as it is.
    pub fn begin(stage: &'a mut Stage, story: &'a Story, told: Told) -> Self {
        let doctor = Doctor::of(&stage.state_directory());
        let pid_before = stage.app_pid().unwrap_or(0);
        Self {
            stage,
            story,
            doctor,
            told,
            began: Instant::now(),
            began_at: SystemTime::now(),
            pid_before,
            detected: None,
            recovered: None,
            failed_beside_load: 0,
        }
    }

    /// Switches the fault on. From here on time is taken.
    ///
    /// # Errors
    /// The app refused, or did not answer.
    pub async fn inject(&mut self) -> Result<(), String> {
        self.from_now();
        let path = format!("/faults/{}", self.told.fault);
        match self.stage.post(&path).await {
            Ok((200, _)) => {
                self.story.tell(&format!("POST {path}"));
                Ok(())
            }
            Ok((status, body)) => Err(format!("POST {path} answered {status}: {body}")),
            Err(error) => Err(format!("POST {path}: {error}")),
        }
    }

    /// Takes time from now on.
    pub fn from_now(&mut self) {
        self.began = Instant::now();
        self.began_at = SystemTime::now();
    }

    /// Requests outside the load that failed as they should.
    pub fn failed_beside_load(&mut self, requests: u64) {
        self.failed_beside_load += requests;
    }

    /// When time began.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// What the doctor wrote down since.
    pub fn entries(&self) -> Vec<Entry> {
        self.doctor.since(self.began_at)
    }

    /// Waits for the doctor's first decision of this kind and tells it.
    ///
    /// # Errors
    /// It does not come in time.
    pub async fn detection(
        &mut self,
        what: &str,
        matches: impl Fn(&Entry) -> bool,
    ) -> Result<(), NotSeen> {
        let (doctor, began_at) = (self.doctor.clone(), self.began_at);
        let entry = until(what, DETECTION, async || {
            doctor
                .since(began_at)
                .into_iter()
                .find(|entry| matches(entry))
        })
        .await?;
        let detected = entry.at.duration_since(self.began_at).unwrap_or_default();
        self.detected = Some(detected);
        self.story.tell(&format!(
            "the doctor, {} after the fault: “{}”",
            seconds(detected),
            entry.sentence()
        ));
        Ok(())
    }

    /// Waits until the load's clients are served again and tells it.
    ///
    /// # Errors
    /// They are not in time.
    pub async fn clients_served_again(&mut self) -> Result<Instant, NotSeen> {
        let (load, began) = (&self.stage.load, self.began);
        let served = until("clients being served again", RECOVERY, async || {
            load.served_again_since(began)
        })
        .await?;
        let seen = self.stage.load.seen_since(self.began);
        self.recovered_at(
            served,
            &format!(
                "all requests succeed again ({} of {} failed)",
                seen.failed, seen.requests
            ),
        );
        Ok(served)
    }

    /// At that moment all was well again, as `what` says.
    pub fn recovered_at(&mut self, moment: Instant, what: &str) {
        // Of a fault that hits one request in four, the last failure may come just before the heal.
        let recovered = moment
            .duration_since(self.began)
            .max(self.detected.unwrap_or_default());
        self.recovered = Some(recovered);
        self.story
            .tell(&format!("{what}, {} after the fault", seconds(recovered)));
    }

    /// Waits until the doctor has judged its treatment.
    ///
    /// # Errors
    /// It does not in time, or the judgement is another one.
    pub async fn verified(&mut self) -> Result<(), String> {
        let (doctor, began_at) = (self.doctor.clone(), self.began_at);
        let outcome = until("the doctor's verification", VERIFICATION, async || {
            doctor
                .since(began_at)
                .into_iter()
                .find_map(|entry| entry.outcome())
        })
        .await
        .map_err(|error| error.to_string())?;
        if outcome != "recovered" {
            return Err(format!(
                "the doctor judged its treatment {outcome}, not recovered"
            ));
        }
        self.story.tell("verified by the doctor: recovered");
        Ok(())
    }

    /// Compares what happened with what is told, and says so.
    pub fn conclude(self, went: Result<(), String>) -> Step {
        let entries = self.entries();
        let done = |action: &str| entries.iter().any(|entry| entry.carried_out(action));
        let action = ["restart_service", "reset_errors"]
            .into_iter()
            .find(|action| done(action))
            .unwrap_or("no_action");
        let veto = (action == "no_action")
            .then(|| entries.iter().find_map(Entry::veto))
            .flatten();
        let events = self.stage.events_since(self.began);
        let sidecar_exit = events.iter().find_map(|(_, event)| match event {
            PodEvent::Exited {
                role: Role::Sidecar,
                code,
                signal,
                ..
            } => code.or(signal.map(|signal| 128 + signal)),
            _ => None,
        });
        let pid_after = self.stage.app_pid().unwrap_or(0);
        let failed = self.stage.load.seen_since(self.began).failed;

        let mut problems: Vec<String> = went.err().into_iter().collect();
        let mut expect = |what: &str, told: String, seen: String| {
            if told != seen {
                problems.push(format!("{what} should be {told}, was {seen}"));
            }
        };
        let told = self.told;
        expect("the action", told.action.into(), action.into());
        expect("the veto", or_none(told.veto), or_none(veto.as_deref()));
        expect(
            "the sidecar's exit code",
            or_none(told.sidecar_exit),
            or_none(sidecar_exit),
        );
        let changed = |changed: bool| if changed { "a new one" } else { "the same" }.to_owned();
        let is_new = pid_after != self.pid_before && pid_after != 0;
        expect(
            "the app's process",
            changed(told.new_process()),
            changed(is_new),
        );

        for problem in &problems {
            self.story.wrong(problem);
        }
        if problems.is_empty() {
            let process = if is_new {
                format!("new process {pid_after}")
            } else {
                format!("same process {pid_after}")
            };
            self.story.well(&format!("as told: {action}, {process}"));
        }
        let ms = |time: Option<Duration>| {
            time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
        };
        Step {
            fault: told.fault.to_owned(),
            action: action.to_owned(),
            veto,
            sidecar_exit,
            detected_ms: ms(self.detected),
            recovered_ms: ms(self.recovered),
            failed_requests: self.failed_beside_load + u64::try_from(failed).unwrap_or(u64::MAX),
            pid_before: self.pid_before,
            pid_after,
            ok: problems.is_empty(),
        }
    }
}

/// Within these a step goes as told even on a busy machine; otherwise it does not.
const DETECTION: Duration = Duration::from_secs(30);
const RECOVERY: Duration = Duration::from_secs(30);
const VERIFICATION: Duration = Duration::from_secs(40);

/// A time for people.
pub fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}
