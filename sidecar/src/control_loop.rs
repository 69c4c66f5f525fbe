//! The control loop: polls the app, decides, applies treatments, persists state.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use healing_core::decision::Action;
use healing_core::observation::{Circumstances, Mode, Observation, ProbeResult};
use healing_core::policy::Policy;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::app_client::{App, ProbeResults};
use crate::clock::SystemClock;
use crate::config::Settings;
use crate::heartbeat::Heartbeat;
use crate::lateness;
use crate::proposer::LoadedProposer;
use crate::recorder::{PollReport, Recorder};
use crate::status::{Shared, mode_name};
use crate::store::{Identity, LoadedState, Pause, Store};
use crate::timed_policy::TimedPolicy;
use crate::treatment::{Context, Drain, ExitForRestart, HardHeal, HardHealResult, SoftHeal};
use crate::unfinished_intent;

/// Control loop of one app.
pub(crate) struct ControlLoop<A> {
    poll_interval: Duration,
    probe_timeout: Duration,
    mode: Mode,
    state_dir: PathBuf,
    app: A,
    policy: TimedPolicy,
    recorder: Recorder,
    store: Store,
    soft_heal: SoftHeal,
    hard_heal: HardHeal,
    drain: Drain,
    /// Process that sent the last valid report.
    app_identity: Identity,
    heartbeat: Heartbeat,
    shared: Arc<Shared>,
}

impl<A: App> ControlLoop<A> {
    /// Creates the loop, with the saved state if there is one.
    pub(crate) fn start(settings: &Settings, shared: Arc<Shared>, app: A) -> Self {
        let clock = SystemClock::start();
        let (mut store, loaded) = Store::open(&settings.state_dir, Arc::clone(&shared));
        let mut recorder = Recorder::new(&settings.state_dir, Arc::clone(&shared));
        let proposer = LoadedProposer::load(settings);
        proposer.publish(&shared);
        let label = proposer.label;
        let state = match &loaded {
            LoadedState::Saved(_) => "restored",
            LoadedState::Absent => "none (first start)",
            LoadedState::Unreadable => "none (the saved state is unusable)",
        };
        let (config, proposer) = (settings.policy.clone(), proposer.proposer);
        let policy = match loaded {
            LoadedState::Saved(state) => Policy::restore(config, proposer, *state, clock.now()),
            LoadedState::Absent | LoadedState::Unreadable => Policy::new(config, proposer, seed()),
        };
        let policy = TimedPolicy::new(clock, policy);
        let mode = mode_name(settings.mode);
        recorder.note(
            "start",
            &json!({
                "version": env!("CARGO_PKG_VERSION"),
                "pid": std::process::id(),
                "mode": mode,
                "proposer": label,
                "state": state,
                "intent": store.intent(),
                "config_errors": shared.view().config_errors,
                "loop_panics": shared.metrics.loop_panics.get(),
            }),
        );
        tracing::info!(
            mode,
            app = %settings.app_url,
            care = %settings.care_url,
            poll_interval = ?settings.poll_interval,
            proposer = label,
            state,
            "doctor started"
        );
        // Detect an unwritable state directory before the first hard heal. The store logs it.
        let _ = store.write(policy.state());
        let heartbeat = shared.heartbeat.clone();
        let drain = Drain::new(settings, heartbeat.clone());
        Self {
            poll_interval: settings.poll_interval,
            probe_timeout: settings.probe_timeout,
            mode: settings.mode,
            state_dir: settings.state_dir.clone(),
            app,
            policy,
            recorder,
            store,
            soft_heal: SoftHeal::new(settings, heartbeat.clone()),
            hard_heal: HardHeal::new(settings, drain.clone(), heartbeat.clone()),
            drain,
            app_identity: Identity::default(),
            heartbeat,
            shared,
        }
    }

    /// Polls until a hard heal requires the process to exit.
    pub(crate) async fn run(mut self) -> ExitForRestart {
        let mut ticks = interval(self.poll_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let waiting_since = Instant::now();
            let due = ticks.tick().await;
            let delay = lateness::delay(due, waiting_since);
            if let Some(exit) = self.poll(delay).await {
                return exit;
            }
        }
    }

    /// Polls the app and treats it. `delay` is the time by which the poll starts late.
    async fn poll(&mut self, delay: Duration) -> Option<ExitForRestart> {
        let poll = self.observe(delay).await;
        let decision = self.policy.step(&poll.observation);
        let explain = || self.policy.explain(&decision);
        self.recorder.decision(&poll, &decision, explain);
        match decision.action {
            Action::NoAction => {}
            Action::ResetErrors => {
                self.soft_heal
                    .run(&self.app, &mut self.policy, &mut self.recorder)
                    .await;
            }
            Action::RestartService => {
                let mut context = Context {
                    app: &self.app,
                    policy: &mut self.policy,
                    store: &mut self.store,
                    recorder: &mut self.recorder,
                };
                let result = self
                    .hard_heal
                    .run(&mut context, &poll, &decision, &self.app_identity)
                    .await;
                match result {
                    HardHealResult::ExitForRestart(exit) => return Some(exit),
                    HardHealResult::Condemned | HardHealResult::Aborted => {}
                }
            }
        }
        self.store.checkpoint(self.policy.state());
        None
    }

    /// Probes the app, and resolves an unfinished intent before the policy evaluates the report.
    async fn observe(&mut self, delay: Duration) -> PollReport {
        self.heartbeat.beat();
        let begin = Instant::now();
        let (results, lost) = lateness::watch(self.app.probe()).await;
        let took = begin.elapsed();
        self.heartbeat.beat();

        let ProbeResults {
            care,
            front_door,
            sockets,
            resolution,
        } = results;
        let late = resolution.is_none_or(|resolution| {
            lateness::is_late(delay + lost + resolution, self.probe_timeout)
        });
        if let ProbeResult::Valid(health, _) = &care.result {
            self.app_identity = Identity::of(health);
        }
        let mut context = Context {
            app: &self.app,
            policy: &mut self.policy,
            store: &mut self.store,
            recorder: &mut self.recorder,
        };
        unfinished_intent::resolve(&mut context, &self.drain, &care.result).await;
        PollReport {
            observation: Observation {
                care: care.result,
                front_door,
                sockets: sockets.ok(),
                circumstances: self.circumstances(late),
            },
            out_of_range: care.out_of_range,
            unreadable: sockets.err(),
            took,
        }
    }

    fn circumstances(&self, late: bool) -> Circumstances {
        let pause = Pause::read(&self.state_dir, SystemTime::now());
        let paused = pause.is_some();
        self.shared.metrics.paused.set(i64::from(paused));
        self.shared.view().paused = pause.map(|pause| pause.reason);
        Circumstances {
            mode: self.mode,
            paused,
            state_writable: self.store.writable(),
            // The sidecar has no drain of its own; the app's is in `/health`.
            draining: false,
            process_alive: None,
            late,
        }
    }
}

/// Returns a seed for the policy's jitter. It must differ between replicas, so it is not derived
/// from anything that they share.
fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests;
