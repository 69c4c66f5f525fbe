//! What an answer of the app changes: which instance speaks, and what its totals have become.
//!
//! | the answer | is taken as |
//! |---|---|
//! | another `instance_id`, or one where there was none (without ids: less uptime) | a restart: all that was seen is another process's |
//! | the previous instance's id, or less uptime and less totals of the same | late or out of order: ignored |
//! | more uptime but less totals | counters reset by someone else: windows begin anew |
//! | all dependencies pass where one failed | the outage is over: windows begin anew |

use std::time::Duration;

use super::{Policy, health_of};
use crate::evidence::availability::Availability;
use crate::health::Health;
use crate::observation::ProbeResult;
use crate::permission::dependency::Dependencies;
use crate::time::Time;
use crate::window::Sample;

/// Whose answer it is.
enum Speaker {
    First,
    Same,
    New,
    Late,
}

/// Uptimes are told in seconds by some: less of it within this is no restart.
const UPTIME_NOISE: f64 = 1.5;
/// After so many answers out of order it is the order that was wrong.
const LATE_IN_A_ROW: u32 = 2;

// === impl Policy ===

impl Policy {
    /// Takes in what the app says; false if it is out of order, and nothing is to be learned of it.
    pub(super) fn take_answer(
        &mut self,
        now: Time,
        answer: &ProbeResult<Health>,
        is_new: bool,
    ) -> bool {
        let Some(health) = health_of(answer) else {
            return true;
        };
        let sample = Sample::of(health, now);
        let uptime = if health.uptime.is_finite() {
            health.uptime.max(0.0)
        } else {
            self.seen.uptime
        };
        match self.speaker(health, uptime, &sample) {
            Speaker::Late if self.seen.late < LATE_IN_A_ROW => {
                self.seen.late += 1;
                return false;
            }
            Speaker::Late | Speaker::New => self.app_started(now, health, uptime, &sample, true),
            Speaker::First => self.app_started(now, health, uptime, &sample, false),
            Speaker::Same => {}
        }
        self.seen.late = 0;
        let expiry = self.config.evidence.check_expiry;
        let mut dependencies = Dependencies::of(&health.checks, now, expiry);
        let seen = &mut self.seen;
        if !is_new {
            // Nothing lasts between two polls of one moment, but what forbids is heard at once.
            seen.draining |= health.draining || health.condemned;
            if dependencies.is_down(now) {
                seen.dependencies = dependencies;
            }
            return true;
        }
        if seen
            .history
            .newest()
            .is_some_and(|newest| sample.is_reset_since(newest))
        {
            seen.history.cut();
            seen.cut_evidence();
        }
        if health.schema.is_none() && health.checks.is_empty() {
            // An app of five fields cannot say whether it declares any.
            dependencies.failing = None;
            dependencies.locals_failing = None;
        }
        if dependencies.ends_outage(&seen.dependencies, now) {
            // The errors so far were the outage's: healing the app for them would come too late.
            seen.history.cut();
            seen.cut_evidence();
        }
        seen.dependencies = dependencies;
        seen.history.push(sample, health.latency.as_ref());
        seen.uptime = uptime;
        seen.started = Some(now - Duration::try_from_secs_f64(uptime).unwrap_or_default());
        seen.ready |= health.started != Some(false);
        seen.draining = health.draining || health.condemned;
        let vitals = health.vitals.as_ref();
        let percent =
            |part: Option<u64>, whole: Option<u64>| super::figures::percent(part?, whole?);
        let memory = vitals
            .and_then(|v| percent(v.memory_working_set_bytes, v.memory_limit_bytes))
            .or(health.memory_usage);
        let fds = vitals.and_then(|v| percent(v.open_fds, v.max_fds));
        seen.memory.push(now, memory, &self.config.forecast);
        seen.file_descriptors.push(now, fds, &self.config.forecast);
        true
    }

    fn speaker(&self, health: &Health, uptime: f64, sample: &Sample) -> Speaker {
        let known = &self.durable.instance;
        let id = health.instance_id.as_deref();
        match (id, known.id.as_deref()) {
            (Some(id), Some(known_id)) if id != known_id => {
                if known.previous.as_deref() == Some(id) {
                    Speaker::Late
                } else {
                    Speaker::New
                }
            }
            // Known from a saved state, or not at all: this process sees it for the first time.
            _ if self.seen.started.is_none() => Speaker::First,
            (Some(_), None) | (None, Some(_)) => Speaker::New,
            _ if uptime + UPTIME_NOISE >= self.seen.uptime => Speaker::Same,
            (Some(_), Some(_)) => {
                let less = self
                    .seen
                    .history
                    .newest()
                    .is_some_and(|newest| sample.is_reset_since(newest));
                if less { Speaker::Late } else { Speaker::Same }
            }
            _ => Speaker::New,
        }
    }

    /// Another process than before, or the first that this policy sees.
    fn app_started(
        &mut self,
        now: Time,
        health: &Health,
        uptime: f64,
        sample: &Sample,
        is_new: bool,
    ) {
        let duration = Duration::try_from_secs_f64(uptime).unwrap_or_default();
        let started = now - duration;
        let durable = &mut self.durable;
        // Without an id a saved state cannot name the instance; its age can.
        let after_treatment = durable
            .last_treated
            .is_some_and(|treated| started > treated);
        if is_new || (health.instance_id.is_none() && after_treatment) {
            let is_ours = durable.probation.is_carried();
            durable.probation.app_started(now);
            if !is_ours {
                durable.escalation.forget();
            }
            durable.note_start(now);
            durable.instance.availability = Availability::default();
        }
        durable.instance.become_(health.instance_id.as_deref());
        durable
            .instance
            .availability
            .first_seen(duration, &self.config.outcome);
        let seen = &mut self.seen;
        seen.history.cut();
        seen.cut_evidence();
        seen.silence.cut();
        seen.alarms = 0;
        seen.memory.forget();
        seen.file_descriptors.forget();
        seen.ready = false;
        seen.healthy_since = None;
        seen.started = Some(started);
        // A young app's totals all belong to the window, unless it was treated since its start.
        let untouched = durable.last_treated.is_none_or(|treated| treated < started);
        if untouched && duration <= self.config.slow_window.saturating_mul(2) && started < now {
            seen.history
                .push(sample.at_start(started), health.latency.as_ref());
        }
    }
}
