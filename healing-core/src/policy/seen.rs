//! What this process has seen of the app: gained anew by each process.

use std::time::Duration;

use crate::evidence::{Errors, Trouble};
use crate::forecast::{Resource, Trend};
use crate::permission::dependency::Dependencies;
use crate::silence::Silence;
use crate::time::Time;
use crate::window::History;

/// Knowledge that is not saved: none of it can make a guard weaker by its absence.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) history: History,
    pub(super) memory: Trend,
    pub(super) file_descriptors: Trend,
    pub(super) errors: Errors,
    pub(super) trouble: Trouble,
    pub(super) silence: Silence,
    pub(super) alarms: u32,
    pub(super) dependencies: Dependencies,
    /// This instance has been ready.
    pub(super) ready: bool,
    /// When this instance started.
    pub(super) started: Option<Time>,
    pub(super) draining: bool,
    pub(super) uptime: f64,
    /// Answers out of order, in a row.
    pub(super) late: u32,
    pub(super) healthy_since: Option<Time>,
    pub(super) last_poll: Option<Time>,
    pub(super) overloaded: bool,
    /// Clients suffer, by the latest poll.
    pub(super) harmed: bool,
    pub(super) quiet: bool,
}

// === impl Seen ===

impl Seen {
    pub(super) fn new(slow_window: Duration) -> Self {
        Self {
            history: History::new(slow_window),
            memory: Trend::new(Resource::Memory),
            file_descriptors: Trend::new(Resource::FileDescriptors),
            errors: Errors::default(),
            trouble: Trouble::default(),
            silence: Silence::default(),
            alarms: 0,
            dependencies: Dependencies::default(),
            ready: false,
            started: None,
            draining: false,
            uptime: 0.0,
            late: 0,
            healthy_since: None,
            last_poll: None,
            overloaded: false,
            harmed: false,
            quiet: false,
        }
    }

    /// At a treatment: only what comes after it is judged.
    pub(super) fn cut(&mut self) {
        self.history.cut();
        self.cut_evidence();
        self.silence.cut();
        self.alarms = 0;
        self.healthy_since = None;
        self.memory.cut();
        self.file_descriptors.cut();
    }

    /// After a gap, a reset of the counters, the end of an outage: evidence begins anew.
    pub(super) fn cut_evidence(&mut self) {
        self.errors.cut();
        self.trouble.cut();
    }

    /// The latest poll shows a symptom, lasting or not.
    pub(super) fn is_symptomatic(&self) -> bool {
        self.errors.is_symptomatic() || self.trouble.is_symptomatic()
    }

    /// When the first symptom that still shows began.
    pub(super) fn onset(&self) -> Option<Time> {
        [self.errors.onset(), self.trouble.onset()]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) fn is_grown_up(&self, now: Time, grace: Duration) -> bool {
        self.ready
            && self
                .started
                .is_some_and(|started| now.since(started) >= grace)
    }
}
