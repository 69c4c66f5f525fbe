//! One patient's file: the loop, and everything it carries from poll to poll.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use healing_core::decision::Action;
use healing_core::health::Health;
use healing_core::observation::{Circumstances, Observation, ProbeResult};
use healing_core::policy::Policy;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::care::Care;
use super::clock::Clock;
use super::journal::Journal;
use super::pause::Pause;
use super::probe::Probe;
use super::record::Record;
use super::state::{Found, Intent, Saved, StateFile};
use super::{brain, mode_word};
use crate::config::Settings;
use crate::status::Shared;

/// How often the state file is written although nothing changed: so that a directory which can no
/// longer be written is noticed before a restart depends on it.
const STATE_CHECK: Duration = Duration::from_secs(60);

/// Why the loop ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// The intent is on disk, the app is drained: exit 88.
    RestartAll,
}

/// The loop's state.
pub(super) struct Doctor {
    pub(super) settings: Arc<Settings>,
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Clock,
    pub(super) probe: Probe,
    pub(super) care: Care,
    pub(super) policy: Policy,
    pub(super) journal: Journal,
    pub(super) intent: Option<Intent>,
    /// Whom the last valid answer came from.
    pub(super) seen: Option<Identity>,
    pub(super) record: Record,
    state: StateFile,
    state_checked: Instant,
}

/// Which process answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) instance_id: Option<String>,
    pub(super) pid: Option<u32>,
}

impl Identity {
    pub(super) fn of(health: &Health) -> Self {
        Self {
            instance_id: health.instance_id.clone(),
            pid: health.pid,
        }
    }
}

impl Doctor {
    /// Take up where the last doctor left off.
    pub(super) fn start(
        settings: Arc<Settings>,
        shared: Arc<Shared>,
        client: reqwest::Client,
    ) -> Self {
        let clock = Clock::start();
        let probe = Probe::new(
            client.clone(),
            &settings.app_url,
            &settings.care_url,
            settings.probe_timeout,
        );
        let care = Care::new(client, &settings.care_url, settings.token_file.clone());
        let state = StateFile::open(&settings.state_dir);
        let mut journal = Journal::new(&settings.state_dir);
        let brain = brain::choose(&settings);
        brain.announce(&shared);

        let (policy, intent, continues) = match state.load() {
            Found::State(saved) => {
                let Saved { policy, intent, .. } = *saved;
                let policy =
                    Policy::restore(settings.policy.clone(), brain.brain, policy, clock.now());
                (policy, intent, "the saved state")
            }
            Found::Nothing => (
                Policy::new(settings.policy.clone(), brain.brain, seed()),
                None,
                "nothing: the first start",
            ),
            Found::Unreadable(problem) => {
                tracing::error!(%problem, "the saved state cannot be used; budget and cooldowns start anew");
                (
                    Policy::new(settings.policy.clone(), brain.brain, seed()),
                    None,
                    "nothing: the saved state cannot be used",
                )
            }
        };
        let start = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "pid": std::process::id(),
            "mode": mode_word(settings.mode),
            "brain": brain.label,
            "continues": continues,
            "intent": intent,
            "config_errors": shared.view().config_errors,
            "loop_panics": shared.metrics.loop_panics.get(),
        });
        journal.write("start", &start);
        tracing::info!(
            mode = mode_word(settings.mode),
            app = %settings.app_url,
            care = %settings.care_url,
            poll_interval = ?settings.poll_interval,
            brain = brain.label,
            continues,
            "the doctor starts"
        );
        let mut doctor = Self {
            settings,
            shared,
            clock,
            probe,
            care,
            policy,
            journal,
            intent,
            seen: None,
            record: Record::default(),
            state,
            state_checked: Instant::now(),
        };
        // Learned now, not at the first restart.
        let _ = doctor.save_afresh();
        doctor
    }

    /// Look, decide, treat; until a hard heal.
    pub(super) async fn run(mut self) -> Exit {
        let mut ticks = interval(self.settings.poll_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some(exit) = self.poll().await {
                return exit;
            }
        }
    }

    async fn poll(&mut self) -> Option<Exit> {
        self.shared.heartbeat.beat();
        let begin = Instant::now();
        let (care, front_door) = self.probe.look().await;
        let took = begin.elapsed();
        self.shared.heartbeat.beat();

        if let ProbeResult::Valid(health, _) = &care {
            self.seen = Some(Identity::of(health));
        }
        self.finish_unfinished(&care).await;
        let observation = Observation {
            care,
            front_door,
            circumstances: self.circumstances(),
        };
        let decision = self.policy.step(self.clock.now(), &observation);
        self.record_decision(&observation, &decision, took);
        let exit = match decision.action {
            Action::NoAction => None,
            Action::ResetErrors => {
                self.soft_heal().await;
                None
            }
            Action::RestartService => self.hard_heal(&observation, &decision).await,
        };
        if exit.is_none() {
            self.keep_state();
        }
        exit
    }

    fn circumstances(&self) -> Circumstances {
        let pause = Pause::read(&self.settings.state_dir, SystemTime::now());
        let paused = pause.is_some();
        self.shared.metrics.paused.set(i64::from(paused));
        self.shared.view().paused = pause.map(|pause| pause.reason);
        Circumstances {
            mode: self.settings.mode,
            paused,
            state_writable: self.state.writable(),
            // A doctor that is told to end does so at once; an app that drains says so itself.
            draining: false,
            process_alive: None,
        }
    }

    fn keep_state(&mut self) {
        let due = self.state_checked.elapsed() >= STATE_CHECK || !self.state.writable();
        let _ = if due { self.save_afresh() } else { self.save() };
    }

    /// Write what must outlive this process, if it changed. Failures are logged where they begin.
    pub(super) fn save(&mut self) -> std::io::Result<()> {
        let saved = Saved::new(self.policy.state(), self.intent.clone());
        let written = self.state.save(&saved);
        self.note_writable();
        written
    }

    /// Write it in any case.
    pub(super) fn save_afresh(&mut self) -> std::io::Result<()> {
        self.state_checked = Instant::now();
        let saved = Saved::new(self.policy.state(), self.intent.clone());
        let written = self.state.save_afresh(&saved);
        self.note_writable();
        written
    }

    fn note_writable(&self) {
        let writable = self.state.writable();
        self.shared.metrics.state_writable.set(i64::from(writable));
        self.shared.view().state_writable = writable;
    }

    /// An entry in the journal; one that is lost is counted.
    pub(super) fn note(&mut self, kind: &str, content: &impl serde::Serialize) {
        if !self.journal.write(kind, content) {
            self.shared.metrics.journal_errors.inc();
        }
        self.shared.view().recent = self.journal.recent();
    }
}

/// Jitter must differ between replicas, so it cannot come from anything they share.
fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}
