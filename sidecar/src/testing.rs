//! Fake app and parts of the doctor, for the tests of this crate.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use healing_core::decision::{Action, DecidedBy, Decision, Lane, Reason, Verdict, Vetoes};
use healing_core::features::Features;
use healing_core::heal::{HealAction, HealResponse};
use healing_core::health::{Health, Runtime, Status, Totals};
use healing_core::observation::{Circumstances, Observation, PortSockets, ProbeResult};
use healing_core::policy::Policy;
use healing_core::policy::Proposer;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::app_client::http::NoResponse;
use crate::app_client::{App, CareError, ProbeReport, ProbeResults};
use crate::clock::SystemClock;
use crate::config::{self, Flags, Settings};
use crate::heartbeat::Heartbeat;
use crate::recorder::{PollReport, Recorder};
use crate::sockets::Unreadable;
use crate::status::{Metrics, Shared};
use crate::store::{LoadedState, Store};
use crate::timed_policy::TimedPolicy;
use crate::treatment::{Context, Drain};

/// Report of a healthy app.
pub(crate) fn health(instance_id: &str) -> Health {
    Health {
        instance_id: Some(instance_id.to_owned()),
        pid: Some(42),
        uptime: 1000.0,
        started: Some(true),
        totals: Totals {
            requests_total: Some(100),
            errors_total: Some(0),
            ..Totals::default()
        },
        in_flight: Some(0),
        runtime: Some(Runtime {
            tick_age_seconds: 0.01,
            lag_seconds: 0.001,
            stalled: false,
            stall_after_seconds: None,
            workers: None,
        }),
        ..Health::default()
    }
}

/// Result of a probe with an immediate response.
pub(crate) fn valid<T>(content: T) -> ProbeResult<T> {
    ProbeResult::Valid(content, Duration::from_millis(1))
}

/// Result of a poll of a healthy app.
pub(crate) fn poll() -> PollReport {
    PollReport {
        observation: Observation {
            care: valid(health("a")),
            front_door: valid(()),
            sockets: None,
            circumstances: Circumstances::default(),
        },
        out_of_range: None,
        unreadable: None,
        took: Duration::from_millis(1),
    }
}

/// Decision without a proposal.
pub(crate) fn no_proposal() -> Decision {
    Decision {
        lane: Lane::Reported,
        proposed: Action::NoAction,
        action: Action::NoAction,
        verdict: Verdict::NoProposal,
        reason: Reason::Healthy,
        evidence: Reason::Healthy,
        vetoes: Vetoes::default(),
        decided_by: DecidedBy::Rules,
        probabilities: None,
        model: None,
        features: Features::default(),
        impairment: healing_core::impairment::Assessment::default(),
        worst_route: None,
        wedged: false,
        budget_remaining: 3,
        concluded: None,
    }
}

/// Decision to restart the app.
pub(crate) fn restart(wedged: bool) -> Decision {
    Decision {
        lane: if wedged {
            Lane::Stalled
        } else {
            Lane::Reported
        },
        proposed: Action::RestartService,
        action: Action::RestartService,
        verdict: Verdict::Allowed,
        reason: Reason::RuntimeStalled,
        evidence: Reason::RuntimeStalled,
        wedged,
        ..no_proposal()
    }
}

/// Request that the fake app received.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    /// Time since the fake app was created.
    pub(crate) at: Duration,
    /// Content of the state file at that time. Not read at a poll.
    pub(crate) state: Option<Value>,
    /// Kinds of the journal entries at that time. Not read at a poll.
    pub(crate) journal: Vec<String>,
}

/// Results of one probe of care port and front door.
type PortResults = (ProbeResult<Health>, ProbeResult<()>);
/// Function that returns an error for the requests of `POST /heal` that fail.
type Refusal = Box<dyn Fn(HealAction) -> Option<CareError> + Send + Sync>;

/// App that responds from a script and records the requests, without a socket.
pub(crate) struct FakeApp {
    state_dir: std::path::PathBuf,
    begin: Instant,
    /// Results of the n-th probe.
    script: Mutex<Box<dyn FnMut(usize) -> PortResults + Send>>,
    probes: Mutex<usize>,
    refusal: Mutex<Refusal>,
    /// Time for which the next probe stops the doctor.
    stop: Mutex<Duration>,
    sockets: Mutex<Result<PortSockets, Unreadable>>,
    resolution: Mutex<Option<Duration>>,
    calls: Mutex<Vec<Call>>,
}

impl FakeApp {
    fn new(state_dir: &Path) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
            begin: Instant::now(),
            script: Mutex::new(Box::new(|_| (valid(health("a")), valid(())))),
            probes: Mutex::new(0),
            refusal: Mutex::new(Box::new(|_| None)),
            stop: Mutex::default(),
            sockets: Mutex::new(Err(Unreadable::NotLoopback)),
            resolution: Mutex::new(Some(Duration::ZERO)),
            calls: Mutex::default(),
        }
    }

    /// Sets the results of the n-th probe, from 0, to those of `script`.
    pub(crate) fn respond(&self, script: impl FnMut(usize) -> PortResults + Send + 'static) {
        *self.probes.lock().unwrap() = 0;
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// Sets the same result for each probe of the care port. The front door is open.
    pub(crate) fn always(&self, care: ProbeResult<Health>) {
        self.respond(move |_| (care.clone(), valid(())));
    }

    /// Fails those requests of `POST /heal` for which `refusal` returns an error.
    pub(crate) fn refuse(
        &self,
        refusal: impl Fn(HealAction) -> Option<CareError> + Send + Sync + 'static,
    ) {
        *self.refusal.lock().unwrap() = Box::new(refusal);
    }

    /// Stops the doctor for a time during the next probe, as SIGSTOP does. The clock must be paused.
    pub(crate) fn stop_doctor(&self, time: Duration) {
        *self.stop.lock().unwrap() = time;
    }

    /// Sets the result of each read of the sockets.
    pub(crate) fn set_sockets(&self, sockets: Result<PortSockets, Unreadable>) {
        *self.sockets.lock().unwrap() = sockets;
    }

    /// Sets the time of each name resolution. `None` stands for a failure.
    pub(crate) fn set_resolution(&self, resolution: Option<Duration>) {
        *self.resolution.lock().unwrap() = resolution;
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// Returns the actions requested by `POST /heal`, oldest first.
    pub(crate) fn heals(&self) -> Vec<&'static str> {
        let calls = self.calls.lock().unwrap();
        let names = calls.iter().map(|call| call.name);
        names
            .filter(|name| !["probe", "health"].contains(name))
            .collect()
    }

    fn record(&self, name: &'static str) {
        let is_poll = name == "probe"; // too frequent for reading files
        self.calls.lock().unwrap().push(Call {
            name,
            at: self.begin.elapsed(),
            state: if is_poll {
                None
            } else {
                state(&self.state_dir)
            },
            journal: if is_poll {
                Vec::new()
            } else {
                kinds(&journal(&self.state_dir))
            },
        });
    }

    fn next_results(&self) -> PortResults {
        let mut probes = self.probes.lock().unwrap();
        let results = self.script.lock().unwrap()(*probes);
        *probes += 1;
        results
    }
}

impl App for Arc<FakeApp> {
    async fn probe(&self) -> ProbeResults {
        self.record("probe");
        let (care, front_door) = self.next_results();
        let stop = std::mem::take(&mut *self.stop.lock().unwrap());
        if stop > Duration::ZERO {
            tokio::time::advance(stop).await;
        }
        ProbeResults {
            care: care.into(),
            front_door,
            sockets: *self.sockets.lock().unwrap(),
            resolution: *self.resolution.lock().unwrap(),
        }
    }

    async fn health(&self) -> ProbeReport {
        self.record("health");
        self.next_results().0.into()
    }

    async fn heal(&self, action: HealAction, _limit: Duration) -> Result<HealResponse, CareError> {
        self.record(action.as_str());
        if let Some(error) = self.refusal.lock().unwrap()(action) {
            return Err(error);
        }
        Ok(HealResponse {
            action,
            message: "done".to_owned(),
            previous_error_count: 0,
            current_status: Status::Healthy,
            hooks: Vec::new(),
        })
    }
}

/// Returns a refusal of `POST /heal`.
pub(crate) fn forbidden() -> CareError {
    CareError::Refused {
        status: 403,
        code: "forbidden".to_owned(),
        message: "wrong token".to_owned(),
    }
}

/// Returns the error of a request that timed out.
pub(crate) fn timed_out() -> CareError {
    CareError::NoResponse(NoResponse::TimedOut)
}

/// Parts of a doctor, with a fake app and a temporary state directory.
pub(crate) struct Fixture {
    pub(crate) app: Arc<FakeApp>,
    pub(crate) policy: TimedPolicy,
    pub(crate) store: Store,
    pub(crate) recorder: Recorder,
    pub(crate) settings: Settings,
    pub(crate) shared: Arc<Shared>,
    pub(crate) dir: TempDir,
}

impl Fixture {
    /// Creates the parts as in a first start, in the demo profile, enforcing.
    pub(crate) fn new() -> Self {
        Self::restored(tempfile::tempdir().unwrap())
    }

    /// Creates the parts as in a later start in this state directory.
    pub(crate) fn restored(dir: TempDir) -> Self {
        let flags = Flags::from([
            ("profile", "demo".to_owned()),
            ("mode", "enforce".to_owned()),
            ("state_dir", dir.path().display().to_string()),
        ]);
        let loaded = config::load(&flags, &|_: &str| None);
        assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
        let settings = loaded.settings;
        let shared = Arc::new(Shared::new(
            Metrics::new().unwrap(),
            Heartbeat::new(),
            Duration::from_secs(60),
        ));
        let (store, loaded) = Store::open(dir.path(), Arc::clone(&shared));
        let clock = SystemClock::start();
        let config = settings.policy.clone();
        let policy = match loaded {
            LoadedState::Saved(state) => {
                Policy::restore(config, Proposer::Rules, *state, clock.now())
            }
            _ => Policy::new(config, Proposer::Rules, 1),
        };
        Self {
            app: Arc::new(FakeApp::new(dir.path())),
            policy: TimedPolicy::new(clock, policy),
            store,
            recorder: Recorder::new(dir.path(), Arc::clone(&shared)),
            settings,
            shared,
            dir,
        }
    }

    pub(crate) fn context(&mut self) -> Context<'_, Arc<FakeApp>> {
        Context {
            app: &self.app,
            policy: &mut self.policy,
            store: &mut self.store,
            recorder: &mut self.recorder,
        }
    }

    pub(crate) fn drain(&self) -> Drain {
        Drain::new(&self.settings, self.shared.heartbeat.clone())
    }

    /// Makes the state directory unwritable.
    pub(crate) fn break_state_dir(&self) {
        std::fs::remove_dir_all(self.dir.path()).unwrap();
        std::fs::write(self.dir.path(), "no directory").unwrap();
    }

    /// Returns the entries of the journal file.
    pub(crate) fn journal(&self) -> Vec<Value> {
        journal(self.dir.path())
    }

    /// Returns the kinds of all entries, lost ones included.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let recent = self.shared.view().recent.clone();
        let entries: Vec<Value> = recent
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        kinds(&entries)
    }

    /// Returns the intent in the state file.
    pub(crate) fn saved_intent(&self) -> Option<Value> {
        state(self.dir.path())?.get("intent").cloned()
    }
}

fn state(dir: &Path) -> Option<Value> {
    let text = std::fs::read(dir.join("state.json")).ok()?;
    Some(serde_json::from_slice(&text).unwrap())
}

fn journal(dir: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(dir.join("journal.jsonl")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn kinds(entries: &[Value]) -> Vec<String> {
    entries
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap().to_owned())
        .collect()
}
