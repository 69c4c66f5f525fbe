//! Clients of a run: the load and its target.

use std::time::Duration;

use crate::load::{Load, LoadSpec, Recorder, Segment};

/// Clients of a run.
#[derive(Debug)]
pub(in crate::trials) struct Clients {
    target: LoadSpec,
    load: Option<Load>,
    length: Duration,
}

impl Clients {
    /// Returns clients that send nothing yet.
    pub(super) fn new(target: LoadSpec) -> Self {
        Self {
            target,
            load: None,
            length: Duration::ZERO,
        }
    }

    /// Starts the load.
    pub(in crate::trials) fn start(&mut self, segments: Vec<Segment>) {
        self.length = segments.iter().map(|segment| segment.duration).sum();
        self.load = Some(Load::start(self.target.clone(), segments));
    }

    /// Waits until this time after the start of the load.
    pub(super) async fn wait_until(&self, offset: Duration) {
        if let Some(recorder) = self.recorder() {
            tokio::time::sleep_until((recorder.start() + offset).into()).await;
        }
    }

    /// Waits until the load has finished.
    pub(in crate::trials) async fn finish(&mut self) {
        if let Some(load) = &mut self.load {
            load.finish().await;
        }
    }

    /// Stops the load at once, and discards its outcomes.
    pub(super) fn stop(&mut self) {
        self.load = None;
    }

    /// Returns the outcomes of the requests; absent before the start of the load.
    pub(super) fn recorder(&self) -> Option<&Recorder> {
        self.load.as_ref().map(Load::recorder)
    }

    /// Returns the length of the load.
    pub(super) fn length(&self) -> Duration {
        self.length
    }

    /// Returns the number of requests that the generator could not send, and its worst delay.
    pub(in crate::trials) fn generator_failures(&self) -> (u64, Duration) {
        self.recorder().map_or_else(Default::default, |recorder| {
            let counts = recorder.counts(&(Duration::ZERO..Duration::MAX));
            (counts.client, recorder.worst_lag())
        })
    }
}
